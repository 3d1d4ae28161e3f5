"""The merge and comparison scenarios of the standards' fact sheet, from wish to judgement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from netcup_mailauth.actions import planning
from netcup_mailauth.actions.session import Session
from netcup_mailauth.findings import Severity
from netcup_mailauth.judge import holding
from netcup_mailauth.keys.forms import read_key
from netcup_mailauth.keys.sources import Sources
from netcup_mailauth.plan import Action, ChangeSet, applied
from netcup_mailauth.policy import Config, DomainPolicy, Wish, linked
from netcup_mailauth.records import DesiredRecord, Kind, Zone, join_txt
from netcup_mailauth.settings.wishes import wishes
from tests.core.judge.cases import (
    DMARC,
    SERVER,
    codes,
    dns,
    key_record,
    mail_zone,
    only,
    source,
    wants,
    zone,
)
from tests.sessions import Answering
from tests.unlimited import Unlimited

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.plan import Edit

D, R = Severity.DANGER, Severity.REFUSED
NETCUP = "v=spf1 mx a include:_spf.webhosting.systems ~all"
WORLD = {
    "_spf.webhosting.systems": [{"SPF": "v=spf1 ip4:198.51.100.0/24 ~all"}],
    "servers.mcsv.net": [{"SPF": "v=spf1 ip4:192.0.2.0/25 ?all"}],
    "spf.brevo.com": [{"SPF": "v=spf1 ip4:192.0.2.128/25 ~all"}],
    "x.example": [{"SPF": "v=spf1 ip4:192.0.2.0/24 ~all"}],
}


class Account(Unlimited):
    """A netcup account that holds zones; nothing of it is on any network."""

    name, endpoint, account = "ccp", "https://netcup.example", "1"
    new_ttl: int | None = None

    def __init__(self, *zones: Zone) -> None:
        self.zones = {held.name: held for held in zones}

    def zone(self, name: str) -> Zone:
        return self.zones[name]

    def serving(self, name: str) -> Account:
        return self

    def apply(self, zone: Zone, changes: Sequence[Edit]) -> Zone:
        self.zones[zone.name] = applied(self.zones[zone.name], changes)
        return self.zones[zone.name]

    def refuses(self, record: DesiredRecord) -> str | None:
        return None

    def __enter__(self) -> Account:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class Keys(Sources):
    """The keys of a mailcow, by domain."""

    def __init__(self, **keys: DkimSource) -> None:
        self.keys = {name.replace("_", "."): key for name, key in keys.items()}

    def key(self, source: str, domain: str) -> DkimSource | None:
        return self.keys.get(domain)

    def host(self, source: str) -> str | None:
        return "mail.example.com"

    def relay(self, source: str, domain: str) -> str | None:
        return None


def session(
    account: Account, keys: Keys | None = None, names: dict[str, Any] | None = None
) -> Session:
    return Session(account, Answering(answers=dns({**WORLD, **(names or {})})), keys or Keys())


def plan(before: Zone, policy: DomainPolicy, key: DkimSource | None = None) -> ChangeSet:
    keys = Keys(example_com=key) if key else None
    return planning.draft(session(Account(before), keys), Wish("example.com", policy)).change_set


def spf_after(change_set: ChangeSet) -> str:
    (change,) = (c for c in change_set.changes if c.kind is Kind.SPF and c.after is not None)
    assert change.after is not None
    return change.after.destination


MAILCOW = {"require": ["mx"], "all": "fail"}


def test_s01_no_spf_record_gets_a_new_one_that_ends_softly() -> None:
    found = plan(mail_zone(()), wants({"require": ["mx"]}))
    assert [change.action for change in found.changes] == [Action.CREATE]
    assert spf_after(found) == "v=spf1 mx ~all"
    assert found.findings == ()


def test_s02_netcups_default_is_merged_into_or_replaced_only_by_name() -> None:
    merged = plan(mail_zone(NETCUP), wants({"require": [f"ip4:{SERVER}"]}))
    assert spf_after(merged) == f"v=spf1 ip4:{SERVER} mx a include:_spf.webhosting.systems ~all"
    assert codes(merged.findings, D, R) == []
    replaced = plan(mail_zone(NETCUP), wants("v=spf1 mx a -all"))
    assert codes(replaced.findings, D, R) == ["spf-drops-sender"]
    named = wants({"record": "v=spf1 mx a -all", "drop": ["include:_spf.webhosting.systems"]})
    assert codes(plan(mail_zone(NETCUP), named).findings, D, R) == []


def test_s03_a_newsletters_include_survives_the_merge() -> None:
    news = "include:servers.mcsv.net include:spf.brevo.com"
    live = f"v=spf1 mx a include:_spf.webhosting.systems {news} ~all"
    found = plan(mail_zone(live), wants({"require": [f"ip4:{SERVER}"], "all": "fail"}))
    assert spf_after(found) == (
        f"v=spf1 ip4:{SERVER} mx a include:_spf.webhosting.systems {news} -all"
    )
    assert codes(found.findings, D, R) == []
    whole = plan(mail_zone(live), wants("v=spf1 mx a ~all"))
    message = only(whole.findings, "spf-drops-sender").message
    assert "include:servers.mcsv.net and include:spf.brevo.com" in message


def test_s04_two_spf_records_become_one_with_every_term_and_the_softer_all() -> None:
    found = plan(mail_zone((NETCUP, "v=spf1 include:x.example -all")), wants({"require": ["mx"]}))
    assert [change.action for change in found.changes] == [Action.UPDATE, Action.DELETE]
    assert spf_after(found) == (
        "v=spf1 mx a include:_spf.webhosting.systems include:x.example ~all"
    )
    assert codes(found.findings) == ["spf-multiple"]
    assert not holding.stopping(found)


@pytest.mark.parametrize(
    ("term", "live"),
    [
        ("ip4:203.0.113.7", "v=spf1 ip4:203.0.113.0/24 mx ~all"),
        ("ip6:2001:db8::7", "v=spf1 ip6:2001:DB8::/32 mx ~all"),
        ("ip4:203.0.113.7/32", "v=spf1 +IP4:203.0.113.7 mx ~all"),
    ],
)
def test_s05_an_address_that_a_live_prefix_covers_is_no_change(term: str, live: str) -> None:
    found = plan(mail_zone(live), wants({"require": [term]}))
    assert found.is_empty
    assert found.unchanged[0].record.destination == live


def test_s06_a_redirect_stays_and_no_all_is_put_in_its_way() -> None:
    live = "v=spf1 redirect=x.example"
    found = plan(mail_zone(live), wants({"require": ["mx"]}))
    assert spf_after(found) == "v=spf1 mx redirect=x.example"
    assert codes(found.findings, D, R) == []
    with_all = plan(mail_zone(live), wants({"require": ["mx"], "all": "fail"}))
    assert with_all.is_empty
    assert "redirect=x.example" in only(with_all.findings, "spf-syntax").message


@pytest.mark.parametrize(("number", "expected"), [(9, []), (10, ["spf-too-many-lookups"])])
def test_s07_ten_look_ups_are_fine_and_eleven_are_not(number: int, expected: list[str]) -> None:
    live = f"v=spf1 {' '.join(f'a:h{n}.example.com' for n in range(number))} ~all"
    before = mail_zone(live, DMARC, None, "* A 203.0.113.80")
    found = plan(before, wants({"require": ["mx"]}))
    assert codes(found.findings, D, R) == expected
    assert found.changes[0].look_ups.startswith(f"{number + 1} of 10: mx 1")


def test_s08_a_record_split_without_a_blank_is_named_for_what_it_is() -> None:
    live = join_txt('"v=spf1 ip4:192.0.2.1" "include:x.example ~all"')
    before = mail_zone(live)
    found = plan(
        before, wants({"require": ["mx"], "all": "fail"}, dkim="dkim"), source(key_record())
    )
    refused = only(found.findings, "spf-syntax")
    assert refused.severity is R
    assert '"ip4:192.0.2.1include:x.example"' in refused.message
    assert "no blank before the next term" in refused.message
    assert [kept.kind for kept in found.unchanged] == [Kind.DKIM]


def test_s09_other_text_at_the_apex_is_counted_and_never_touched() -> None:
    more = ("@ TXT MS=ms12345", "@ TXT v=spf10 mx", "@ TXT v=spf1; a", "@ TXT  v=spf1 mx -all")
    before = mail_zone(NETCUP, DMARC, None, *more)
    account = Account(before)
    drafted = planning.draft(session(account), Wish("example.com", wants(MAILCOW))).change_set
    assert drafted.untouched_beside == 5
    after = account.apply(account.zone("example.com"), drafted.changes)
    assert [r for r in before.records if r.destination != NETCUP] == [
        r for r in after.records if r.destination != spf_after(drafted)
    ]


def test_s10_a_plus_all_is_a_finding_and_hardens_only_when_asked() -> None:
    before = mail_zone("v=spf1 mx +all")
    kept = plan(before, wants({"require": [f"ip4:{SERVER}"]}))
    assert spf_after(kept) == f"v=spf1 ip4:{SERVER} mx +all"
    already = only(kept.findings, "spf-pass-all")
    assert already.severity is Severity.WARNING
    assert "~all or -all" in already.advice
    hardened = plan(before, wants({"all": "softfail"}))
    assert spf_after(hardened) == "v=spf1 mx ~all"
    assert hardened.findings == ()


def test_s11_a_cname_at_dmarc_is_refused() -> None:
    before = mail_zone(NETCUP, (), None, "_dmarc CNAME dmarc.service.example")
    found = plan(before, wants(dmarc={"policy": "none"}))
    assert "dmarc.service.example" in only(found.findings, "cname-conflict").message
    assert codes(holding.stopping(found)) == ["cname-conflict"]


def test_s12_a_live_dmarc_keeps_policy_and_reports_and_pct_goes_only_with_a_policy() -> None:
    live = "v=DMARC1; p=quarantine; pct=50; rua=mailto:other@example.com"
    added = plan(mail_zone(NETCUP, live), wants(dmarc={"rua": ["mailto:d@example.com"]}))
    (change,) = added.changes
    assert change.after
    assert change.after.destination == f"{live},mailto:d@example.com"
    asked = plan(mail_zone(NETCUP, live), wants(dmarc={"policy": "quarantine"}))
    (change,) = asked.changes
    assert change.after
    assert change.after.destination == "v=DMARC1; p=quarantine; rua=mailto:other@example.com"
    assert "50 % -> all failing mail" in only(asked.findings, "dmarc-removed-tag").message
    assert not holding.stopping(asked)


def test_s13_two_dmarc_records_need_one_given_whole() -> None:
    before = mail_zone(NETCUP, (DMARC, "v=DMARC1;p=reject"))
    parts = plan(before, wants(dmarc={"rua": ["mailto:d@example.com"]}))
    assert parts.is_empty
    assert codes(holding.stopping(parts)) == ["dmarc-ambiguous"]
    whole = plan(before, wants(dmarc=DMARC))
    assert [change.action for change in whole.changes] == [Action.DELETE]
    assert not holding.stopping(whole)


@pytest.mark.parametrize(
    ("agreed", "expected"), [(False, ["dmarc-report-not-authorised"]), (True, [])]
)
def test_s14_reports_to_a_foreign_domain_need_its_agreement(
    agreed: bool, expected: list[str]
) -> None:
    names = {"example.com._report._dmarc.x.example": [{"TXT": "v=DMARC1;"}]} if agreed else {}
    wish = Wish("example.com", wants(dmarc={"rua": ["mailto:d@x.example"]}))
    found = planning.draft(session(Account(mail_zone()), names=names), wish).change_set
    assert codes(found.findings, D, R) == expected


def test_s14_reports_to_a_domain_of_the_same_account_are_agreed_to_in_the_same_run() -> None:
    account = Account(mail_zone(), zone("@ A 203.0.113.1", name="example.net"))
    sender = Wish("example.com", wants(dmarc={"rua": ["mailto:d@example.net"]}))
    receiver = Wish("example.net", wants({"require": ["a"]}))
    first, second = planning.plan(session(account), linked([sender, receiver])).zones
    assert codes(first.findings, D, R) == []
    assert [(change.kind, change.hostname) for change in second.changes] == [
        (Kind.SPF, "@"),
        (Kind.DMARC_REPORT, "example.com._report._dmarc"),
    ]


def pkcs1(text: str) -> str:
    """The record with its key in the RFC's own wrapping."""
    import base64

    head, _, p = text.partition("p=")
    key = load_der_public_key(base64.b64decode(p))
    return (
        f"{head}p={base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()}"
    )


@pytest.mark.parametrize(
    "live",
    [
        key_record().replace(";", " ; ").replace("=", " = ", 2),
        f"{key_record()[:80]} {key_record()[80:]}",
        pkcs1(key_record()),
        f"{key_record()}; n=ours",
    ],
)
def test_s15_a_key_in_another_spelling_is_no_change(live: str) -> None:
    found = plan(mail_zone(NETCUP, DMARC, live), wants(dkim="dkim"), source(key_record()))
    assert found.is_empty
    assert found.unchanged[0].record.destination == live


def test_s16_another_key_under_the_same_selector_is_a_change_with_a_warning() -> None:
    found = plan(mail_zone(), wants(dkim="dkim"), source(key_record(number=2)))
    (change,) = found.changes
    assert (change.action, change.kind) == (Action.UPDATE, Kind.DKIM)
    assert only(found.findings, "dkim-key-replaced").severity is Severity.WARNING
    assert not holding.stopping(found)


def test_s17_netcups_dkim_cnames_stay_and_are_mentioned() -> None:
    cname = "key1._domainkey CNAME key1._domainkey.webhosting.systems"
    before = mail_zone(NETCUP, DMARC, (), cname)
    found = plan(before, wants(dkim="dkim"), source(key_record()))
    assert [(change.action, change.hostname) for change in found.changes] == [
        (Action.CREATE, "dkim._domainkey")
    ]
    assert "key1._domainkey" in only(found.findings, "stale-netcup-mail").message


def test_s18_a_key_that_mailcow_gives_in_chunks_is_the_same_key() -> None:
    text = key_record(tags="t=s;s=email;")
    split = read_key(f'"{text[:255]}" "{text[255:]}"', "mailcow")
    assert plan(mail_zone("", DMARC, text), wants(dkim="dkim"), split).is_empty
    created = plan(mail_zone("", DMARC, ()), wants(dkim="dkim"), split)
    assert created.changes[0].after
    assert created.changes[0].after.destination == text


def test_s19_an_alias_domain_gets_its_own_key_and_records() -> None:
    config = Config.model_validate(
        {
            "domains_from": "mailcow",
            "defaults": {
                "dkim": {"source": "mailcow"},
                "spf": {"require": ["a:mail.example.com"]},
                "dmarc": {"rua": ["mailto:d@example.com"]},
            },
        }
    )
    account = Account(mail_zone(), zone("@ A 203.0.113.1", name="example.org"))
    keys = Keys(example_com=source(key_record()), example_org=source(key_record(number=2)))
    asked = wishes([], DomainPolicy(), [], config, lambda: ("example.com", "example.org"))
    served = {name: [{"NS": "root-dns.netcup.net"}] for name in ("example.com", "example.org")}
    own, alias = planning.plan(session(account, keys, served), asked).zones
    assert {change.kind for change in own.changes} == {Kind.SPF, Kind.DMARC, Kind.DMARC_REPORT}
    values = {change.kind: change.after.destination for change in alias.changes if change.after}
    assert values == {
        Kind.SPF: "v=spf1 a:mail.example.com ~all",
        Kind.DKIM: key_record(number=2),
        Kind.DMARC: "v=DMARC1;p=none;rua=mailto:d@example.com",
    }
    assert not holding.stopping(own)
    assert not holding.stopping(alias)


@pytest.mark.parametrize(
    "policy",
    [
        wants(MAILCOW, {"policy": "quarantine", "rua": ["mailto:d@example.com"]}, dkim="dkim"),
        wants("v=spf1 mx a -all", "v=DMARC1;p=reject;rua=mailto:d@example.com", dkim="dkim"),
    ],
)
def test_s20_a_second_run_is_empty(policy: DomainPolicy) -> None:
    account = Account(mail_zone((NETCUP, "v=spf1 a -all"), ("v=DMARC1;p=none;pct=0",), ("junk",)))
    run = session(account, Keys(example_com=source(key_record())))
    first = planning.draft(run, Wish("example.com", policy)).change_set
    assert len(first.changes) == 4
    account.apply(account.zone("example.com"), first.changes)
    second = planning.draft(run, Wish("example.com", policy)).change_set
    assert second.is_empty
    assert not holding.stopping(second)

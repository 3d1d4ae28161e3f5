"""What a receiver concludes: each fault is named once, and the faultless domain has none."""

from __future__ import annotations

from typing import Any

import pytest

from netcup_mailauth import dkim
from netcup_mailauth.dkim import PublicKey, parse
from tests.core.judge.cases import key_record
from tests.core.judge.samples import DMARC, KEY, OTHER_KEY, SPF, apex, codes, judged

OWN = parse(KEY).key
DKIM = "dkim._domainkey.example.com"
POLICY = "_dmarc.example.com"

Changes = dict[str, list[Any] | None]


def txt(name: str, *texts: str) -> Changes:
    return {name: [{"TXT": text} for text in texts]}


def test_the_faultless_domain() -> None:
    verdict = judged(key=OWN, signer="a test", hosts=("mail.example.com",))
    assert verdict.findings == ()
    assert list(verdict.conclusions) == [
        "SPF: mail from mail.example.com (203.0.113.25): pass",
        "SPF: mail from mail.example.com (2001:db8::25): pass",
        f"DKIM: RSA 2048, {OWN.fingerprint if OWN else ''} at {DKIM} is the key from a test",
        "DMARC: failing mail is quarantined, as _dmarc.example.com says",
    ]
    assert list(verdict.costs) == ["1 of 10 look-ups", "   1  mx"]


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        (apex(SPF, "v=spf1 a -all"), "spf-multiple", "danger"),
        (apex("v=spf1 mx ip4:1.2.3.4/33 -all"), "spf-syntax", "danger"),
        (apex(" v=spf1 mx -all"), "spf-syntax", "danger"),
        (apex("spf1 mx -all"), "spf-syntax", "danger"),
        (apex("v=spf1 mx +all"), "spf-pass-all", "danger"),
        (apex("v=spf1 mx ip6:::/0 -all"), "spf-pass-all", "danger"),
        (apex("v=spf1 mx ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all"), "spf-pass-all", "danger"),
        (
            {**apex("v=spf1 mx include:x.example -all"), **txt("x.example", "v=spf1 +all")},
            "spf-pass-all",
            "danger",
        ),
        (
            {**apex("v=spf1 mx redirect=x.example"), **txt("x.example", "v=spf1 a:example.com/0")},
            "spf-pass-all",
            "danger",
        ),
        (apex("v=spf1 mx"), "spf-no-all", "warning"),
        (apex("v=spf1 mx ?all"), "spf-neutral-all", "warning"),
        (apex("v=spf1 mx ptr -all"), "spf-ptr", "warning"),
        (apex("v=spf1 mx -all mx"), "spf-after-all", "warning"),
        (apex("v=spf1 mx include:gone.example -all"), "spf-void-lookups", "danger"),
        (apex("v=spf1 mx a:a.gone a:b.gone a:c.gone -all"), "spf-void-lookups", "danger"),
        (
            {**apex("v=spf1 mx include:x.example -all"), **txt("x.example", "no SPF")},
            "spf-syntax",
            "danger",
        ),
        (apex("v=spf1 mx redirect=example.com"), "spf-syntax", "danger"),
        (apex(f"v=spf1 {'mx ' * 11}-all"), "spf-too-many-lookups", "danger"),
        (apex(f"v=spf1 {'mx ' * 8}-all"), "spf-near-limit", "warning"),
        (
            {**apex("v=spf1 mx include:x.example -all"), "x.example": ["TIMEOUT"]},
            "spf-not-checked",
            "warning",
        ),
        (txt(DKIM, KEY, OTHER_KEY), "dkim-multiple", "danger"),
        (txt(DKIM, KEY[:200]), "dkim-syntax", "danger"),
        (txt(DKIM, "v=DKIM1;p="), "dkim-revokes-key", "danger"),
        (txt(DKIM, key_record(512)), "dkim-key-too-short", "danger"),
        (txt(DKIM, key_record(1024)), "dkim-key-1024", "warning"),
        (txt(DKIM, key_record(tags="t=y;")), "dkim-testing", "warning"),
        (txt(POLICY, DMARC, "v=DMARC1;p=none"), "dmarc-multiple", "danger"),
        (txt(POLICY, "v=DMARC1;p=quarantaine"), "dmarc-syntax", "danger"),
        (txt(POLICY, "v=dmarc1;p=none"), "dmarc-syntax", "danger"),
        (txt(POLICY, "v=DMARC1;p=reject"), "dmarc-no-reports", "warning"),
        (
            txt(POLICY, "v=DMARC1;p=none;rua=mailto:x@example.net"),
            "dmarc-report-not-authorised",
            "danger",
        ),
        (
            {
                **txt(POLICY, "v=DMARC1;p=none;rua=mailto:x@example.net"),
                "example.com._report._dmarc.example.net": ["TIMEOUT"],
            },
            "dmarc-report-not-authorised",
            "warning",
        ),
        ({**txt("dmarc.example.com", DMARC), POLICY: None}, "misplaced-record", "danger"),
        (txt("dmarc.example.com", DMARC), "misplaced-record", "warning"),
        (txt("dkim.domainkey.example.com", KEY), "misplaced-record", "warning"),
    ],
)
def test_a_fault_has_its_code_and_what_to_do(changes: Changes, code: str, severity: str) -> None:
    verdict = judged(changes, hosts=("mail.example.com",))
    grave = {c: s for c, s in codes(verdict).items() if s == severity or c == code}
    assert grave.get(code) == severity
    assert all(finding.advice for _, finding in verdict.findings)
    if severity == "danger":
        assert [c for c, s in codes(verdict).items() if s == "danger"] == [code]


def test_of_several_records_one_is_advised_that_can_be_pasted() -> None:
    (spf,) = [f for _, f in judged(apex("v=spf1 mx -all", "v=spf1 a ~all")).findings]
    assert spf.advice.endswith("netcup-mailauth plan example.com --spf 'v=spf1 mx a ~all'")
    broken = judged(apex("v=spf1 bad:", "v=spf1 worse:"), hosts=("mail.example.com",))
    assert [f.advice for _, f in broken.findings] == ["Make one of them."]
    (policy,) = [f for _, f in judged(txt(POLICY, DMARC, "v=DMARC1;p=none")).findings]
    assert policy.advice.endswith(f"netcup-mailauth plan example.com --dmarc '{DMARC}'")


def test_an_authorised_report_address_is_none() -> None:
    changes = {
        **txt(POLICY, "v=DMARC1;p=none;rua=mailto:x@example.net"),
        **txt("example.com._report._dmarc.example.net", "v=DMARC1"),
    }
    assert codes(judged(changes)) == {}


def test_a_broken_report_address_is_said_once() -> None:
    verdict = judged(txt(POLICY, "v=DMARC1;p=none;rua=x@example.com"))
    assert codes(verdict) == {"dmarc-syntax": "danger"}


@pytest.mark.parametrize(
    ("record", "hosts", "severity"),
    [
        ("v=spf1 ip4:192.0.2.1 -all", ("mail.example.com",), "danger"),
        ("v=spf1 ip4:192.0.2.1 ~all", (), "warning"),
        ("v=spf1 ip4:192.0.2.1", ("203.0.113.25",), "danger"),
    ],
)
def test_a_server_of_ours_that_may_not_send(
    record: str, hosts: tuple[str, ...], severity: str
) -> None:
    verdict = judged(apex(record), hosts=hosts)
    found = [f for _, f in verdict.findings if f.code == "spf-excludes-own-server"]
    assert [f.severity.value for f in found] == [severity]  # one finding for all addresses
    assert "  netcup-mailauth plan example.com --spf-require ip4:203.0.113.25" in found[0].advice


@pytest.mark.parametrize("changes", [apex(), apex(SPF, SPF), apex("v=spf1 bad:")])
def test_where_there_is_no_usable_record_nobody_is_told_that_the_server_is_excluded(
    changes: Changes,
) -> None:
    verdict = judged(changes, hosts=("mail.example.com",))
    assert "spf-excludes-own-server" not in codes(verdict)
    assert any(text.startswith("SPF: mail from mail.example.com") for text in verdict.conclusions)


def test_a_server_without_address_is_named_and_a_null_mx_asks_for_none() -> None:
    unknown = judged(hosts=("mail.example.com", "gone.example.com"))
    assert codes(unknown) == {"own-server-unknown": "warning"}
    assert "gone.example.com" in unknown.findings[0][1].message
    assert codes(judged(apex(SPF, mx=[]))) == {"own-server-unknown": "warning"}
    assert codes(judged(apex(SPF, mx=[{"MX": [0, ""]}]))) == {}
    assert codes(judged(apex("v=spf1 -all", mx=[]), parked=True)) == {}


def test_a_text_that_is_none_of_ours_is_no_near_miss() -> None:
    assert codes(judged(apex("some-verification=1"))) == {}


def test_netcups_own_mx_beside_ours_is_not_taken_for_a_sender() -> None:
    mx = [{"MX": [10, "mail.example.com"]}, {"MX": [50, "mx2f31.netcup.net"]}]
    verdict = judged({**apex(SPF, mx=mx), "mx2f31.netcup.net": [{"A": "198.51.100.25"}]})
    assert not any("netcup.net" in text for text in verdict.conclusions)


def test_the_key_is_compared_or_proved() -> None:
    other = parse(OTHER_KEY).key
    assert codes(judged(key=other)) == {"dkim-key-mismatch": "danger"}
    tried: list[PublicKey] = []

    def proves(key: PublicKey) -> bool:
        tried.append(key)
        return key == OWN

    good = judged(key=OWN, proves=proves, signer="x.pem")
    assert codes(good) == {}
    assert any("private key from x.pem verifies with RSA 2048" in c for c in good.conclusions)
    bad = judged(txt(DKIM, OTHER_KEY), key=OWN, proves=proves)
    assert codes(bad) == {"dkim-key-mismatch": "danger"}
    assert tried == [OWN, other]


def test_a_revoked_key_beside_one_in_use_is_how_a_rotation_ends() -> None:
    changes = txt("old._domainkey.example.com", "v=DKIM1;p=")
    verdict = judged(changes, selectors=("dkim", "old"))
    assert codes(verdict) == {"dkim-revokes-key": "warning"}
    assert codes(judged(changes, selectors=("dkim", "old"), key=OWN)) == {
        "dkim-revokes-key": "danger"
    }


def test_a_key_too_long_for_some_receivers_is_mentioned_and_no_1024_bit_key() -> None:
    verdict = judged(txt(DKIM, key_record(8192)))
    assert codes(verdict) == {}
    assert any("8192 is long" in text for text in verdict.conclusions)


@pytest.mark.parametrize(
    ("record", "exists", "fate"),
    [
        ("v=DMARC1;p=reject;sp=quarantine;np=none;rua=mailto:a@example.com", True, "quarantined"),
        ("v=DMARC1;p=reject;sp=quarantine;np=none;rua=mailto:a@example.com", False, "delivered"),
        ("v=DMARC1;p=reject;t=y;rua=mailto:a@example.com", True, "quarantined"),
    ],
)
def test_a_policy_is_inherited_from_the_organisational_domain(
    record: str, exists: bool, fate: str
) -> None:
    changes = {
        **txt(POLICY, record),
        "sub.example.com": [{"MX": [10, "mail.example.com"]}] if exists else None,
    }
    verdict = judged(changes, domain="sub.example.com", hosts=("mail.example.com",))
    assert verdict.inherited == "example.com"
    assert verdict.conclusions[-1] == (
        f"DMARC: failing mail is {fate}, as _dmarc.example.com says for its sub-domains"
    )


def test_two_records_of_its_own_leave_the_inherited_one_in_force() -> None:
    changes = txt("_dmarc.sub.example.com", DMARC, "v=DMARC1;p=none")
    verdict = judged(changes, domain="sub.example.com", hosts=("mail.example.com",))
    assert codes(verdict)["dmarc-multiple"] == "danger"
    assert verdict.inherited == "example.com"


def test_no_policy_and_silence_are_told_apart() -> None:
    assert (
        "DMARC: no policy applies; failing mail is delivered" in judged({POLICY: None}).conclusions
    )
    silent = judged({POLICY: ["TIMEOUT"]})
    assert "DMARC: not found out, DNS gave no answer for _dmarc.example.com" in silent.conclusions


def test_the_tree_shows_what_each_include_leads_to() -> None:
    changes = {
        **apex("v=spf1 include:one.example ~all"),
        **txt("one.example", "v=spf1 include:two.example a:mail.example.com -all"),
        **txt("two.example", "v=spf1 ip4:192.0.2.0/24 -all"),
    }
    assert list(judged(changes).costs) == [
        "3 of 10 look-ups",
        "   3  include:one.example",
        "     1  include:two.example",
        "     1  a:mail.example.com",
    ]


@pytest.mark.parametrize("host", ["203.0.113.25", "server.example.com", "mail.example.com"])
@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("v=spf1 ip4:203.0.113.25 -all", "fail"),
        ("v=spf1 ip4:203.0.113.25 ~all", "softfail"),
        ("v=spf1 ip4:203.0.113.25 include:none.example -all", "permerror"),
    ],
)
def test_every_address_of_the_server_is_to_pass_also_what_only_its_mx_name_has(
    host: str, text: str, result: str
) -> None:
    world = {**apex(text), "server.example.com": [{"A": "203.0.113.25"}]}
    verdict = judged(world, hosts=(host,))
    assert any(f"(2001:db8::25): {result}" in said for said in verdict.conclusions)
    assert "danger" in codes(verdict).values()


def test_a_filter_before_the_server_is_not_the_server() -> None:
    world = {
        **apex("v=spf1 ip4:203.0.113.25 -all", mx=[{"MX": [10, "filter.example.net"]}]),
        "filter.example.net": [{"A": "198.51.100.1"}],
    }
    assert codes(judged(world, hosts=("203.0.113.25",))) == {}


@pytest.mark.parametrize(
    "name", ["dkim.example.com", "_domainkey.example.com", "example.com", POLICY]
)
@pytest.mark.parametrize("lost", [True, False])
def test_a_key_at_another_name_is_grave_where_there_is_none_at_its_own(
    name: str, lost: bool
) -> None:
    there = {**apex(SPF), **txt(POLICY, DMARC)}.get(name) or []
    world: Changes = {name: [*there, {"TXT": KEY}]}
    if lost:
        world[DKIM] = None
    found = [f for _, f in judged(world).findings if f.code == "misplaced-record"]
    assert [f.severity.value for f in found] == ["danger" if lost else "warning"]
    assert f"TXT {name} ({dkim.abridged(KEY)}): a DKIM key belongs at" in found[0].message


def test_a_policy_that_a_wildcard_answers_with_everywhere_is_misplaced_nowhere() -> None:
    """Receivers use it, and to delete it would take it away from every name."""
    everywhere: Changes = {
        name: [{"TXT": DMARC}] for name in ("dmarc.example.com", "*.example.com")
    }
    found = judged(everywhere).findings
    assert "misplaced-record" not in {finding.code for _, finding in found}

"""What the SPF record says, and who may no longer send after a change of it."""

from __future__ import annotations

from typing import Any

import pytest
from dns import message, rdata, rrset

from netcup_mailauth import remedy
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import holding
from netcup_mailauth.judge.spf import answer_size
from netcup_mailauth.kinds import of_kind
from netcup_mailauth.policy import DomainPolicy, SpfPolicy
from netcup_mailauth.records import Kind, Zone
from tests.core.judge.cases import (
    CLEAN,
    DMARC,
    SPF,
    case_of,
    codes,
    creates,
    dns,
    judged,
    judged_changes,
    judged_wish,
    key_record,
    mail_zone,
    no_dns,
    only,
    safer,
    source,
    wants,
    zone,
)

NETCUP = "v=spf1 mx a include:_spf.webhosting.systems ~all"
HOSTED = dns(
    {
        "_spf.webhosting.systems": [{"SPF": "v=spf1 ip4:198.51.100.0/24 ~all"}],
        "open.example.org": [{"SPF": "v=spf1 +all"}],
        "on.example.org": [{"SPF": "v=spf1 include:open.example.org -all"}],
        "low.example.org": [{"SPF": "v=spf1 ip4:0.0.0.0/1 ~all"}],
    }
)
HALVES = "ip4:0.0.0.0/1 ip4:128.0.0.0/1"
OPEN, ON = "include:open.example.org", "include:on.example.org"


def spf_findings(live: str | tuple[str, ...], wish: str | dict[str, Any]) -> tuple[Finding, ...]:
    return judged(mail_zone(live), wants(wish), dns=HOSTED, hosts=("mail.example.com",))


def ways(live: str | tuple[str, ...], wish: str | dict[str, Any]) -> list[DomainPolicy | None]:
    """What keeps those that would go, and what lets them go by name."""
    case, findings = case_of(mail_zone(live), wants(wish), dns=HOSTED, hosts=("mail.example.com",))
    policy = case.policy
    terms = remedy.dropped(holding.settled(case, findings), policy)
    asked = policy.spf or SpfPolicy()
    named = asked.model_copy(update={"drop": [*(asked.drop or ()), *terms]})
    going = policy.model_copy(update={"spf": named}) if terms else None
    return [safer(mail_zone(live), policy, dns=HOSTED, hosts=("mail.example.com",)), going]


@pytest.mark.parametrize(
    ("live", "wish", "code", "severity"),
    [
        ("v=spf1 mx ~all", "v=spf1 mx +all", "spf-pass-all", Severity.DANGER),
        ("v=spf1 mx +all", "v=spf1 mx a +all", "spf-pass-all", Severity.WARNING),
        ("v=spf1 mx ~all", "v=spf1 mx ip4:203.0.113.7/0 ~all", "spf-pass-all", Severity.DANGER),
        ("v=spf1 mx/0 ~all", "v=spf1 a mx/0 ~all", "spf-pass-all", Severity.WARNING),
        ("v=spf1 mx ~all", f"v=spf1 mx {HALVES} ~all", "spf-pass-all", Severity.DANGER),
        (f"v=spf1 mx {HALVES} ~all", f"v=spf1 a {HALVES} ~all", "spf-pass-all", Severity.WARNING),
        ("v=spf1 mx ~all", f"v=spf1 mx {OPEN} ~all", "spf-pass-all", Severity.DANGER),
        ("v=spf1 mx ~all", f"v=spf1 mx {ON} ~all", "spf-pass-all", Severity.DANGER),
        ("v=spf1 mx ~all", "v=spf1 mx redirect=on.example.org", "spf-pass-all", Severity.DANGER),
        (f"v=spf1 mx {OPEN} ~all", f"v=spf1 a mx {OPEN} ~all", "spf-pass-all", Severity.WARNING),
        ("v=spf1 mx/0 ~all", f"v=spf1 mx {OPEN} ~all", "spf-pass-all", Severity.WARNING),
        ("v=spf1 mx +all", f"v=spf1 mx {ON} ~all", "spf-pass-all", Severity.WARNING),
        ("v=spf1 mx -all", "v=spf1 mx ~all", "spf-softens-all", Severity.WARNING),
        ("v=spf1 mx -all", "v=spf1 mx ?all", "spf-loosens-all", Severity.DANGER),
        ("v=spf1 mx ~all", "v=spf1 mx", "spf-loosens-all", Severity.DANGER),
        ("v=spf1 mx ~all", "v=spf1 mx +all", "spf-loosens-all", Severity.DANGER),
        ("v=spf1 mx", "v=spf1 mx +all", "spf-loosens-all", Severity.DANGER),
    ],
)
def test_a_looser_end_is_grave_where_the_change_makes_it(
    live: str, wish: str, code: str, severity: Severity
) -> None:
    assert only(spf_findings(live, wish), code).severity is severity


@pytest.mark.parametrize(
    "wish",
    [
        f"v=spf1 mx {HALVES} {OPEN} -all",
        "v=spf1 mx include:low.example.org ip4:128.0.0.0/1 -all",
        f"v=spf1 mx {OPEN} {ON} -all",
        f"v=spf1 mx {OPEN} +all",
    ],
)
def test_who_lets_everybody_in_is_told_once(wish: str) -> None:
    only(spf_findings("v=spf1 mx ~all", wish), "spf-pass-all")


def test_an_unchanged_record_with_such_an_include_asks_no_dns() -> None:
    live = f"v=spf1 mx {OPEN} ~all"
    found = judged(mail_zone(live), wants(live), dns=no_dns, hosts=("mail.example.com",))
    assert not codes(found, Severity.DANGER)


@pytest.mark.parametrize(
    ("live", "wish"),
    [
        ("v=spf1 mx ?all", "v=spf1 mx"),  # without an all it is neutral too
        ("v=spf1 mx ?all", "v=spf1 mx ~all"),
        ("v=spf1 mx ~all", "v=spf1 mx redirect=example.net"),  # its all decides then
        ("v=spf1 redirect=example.net", "v=spf1 include:example.net ?all"),
        ((), "v=spf1 mx ?all"),
        (("v=spf1 mx -all", "v=spf1 a ~all"), "v=spf1 mx a ~all"),  # receivers heeded neither
    ],
)
def test_an_end_that_is_no_looser_than_before_is_not_called_so(
    live: str | tuple[str, ...], wish: str
) -> None:
    found = codes(spf_findings(live, wish))
    assert "spf-loosens-all" not in found
    assert "spf-softens-all" not in found


def test_the_loosening_names_both_ends() -> None:
    message = only(spf_findings("v=spf1 mx -all", "v=spf1 mx"), "spf-loosens-all").message
    assert 'fail (-all) -> nothing said (no "all")' in message


def test_a_fault_that_stays_says_that_it_is_already_so() -> None:
    found = only(spf_findings("v=spf1 ptr mx ~all", {"require": ["a"]}), "spf-ptr")
    assert found.message.startswith("Already so: ")
    assert "ptr" in found.message


def test_merging_two_records_to_the_softer_all_loosens_nothing_and_needs_no_consent() -> None:
    live = ("v=spf1 mx -all", "v=spf1 a ~all")
    found = spf_findings(live, {"require": ["mx"]})
    assert codes(found, Severity.DANGER, Severity.REFUSED) == []
    merged = only(found, "spf-multiple")
    assert merged.severity is Severity.WARNING
    assert 'the softer "~all" stays' in merged.message


def test_a_duplicate_that_a_whole_record_removes_needs_no_consent() -> None:
    found = spf_findings(("v=spf1 mx ~all", "v=spf1 a ~all"), "v=spf1 mx a ~all")
    assert codes(found, Severity.DANGER) == []


def test_a_merge_that_turns_a_redirect_into_an_include_drops_nobody() -> None:
    live = ("v=spf1 redirect=_spf.webhosting.systems", "v=spf1 mx -all")
    assert codes(spf_findings(live, {"require": ["mx"]}), Severity.DANGER) == []


def test_three_records_where_there_were_two_is_worse_and_two_where_there_were_two_is_not() -> None:
    two = mail_zone(("v=spf1 mx ~all", "v=spf1 a ~all"))
    added = only(judged_changes(two, creates(Kind.SPF, "@", "v=spf1 ?all")), "spf-multiple")
    assert added.severity is Severity.DANGER
    (first, second) = of_kind(two, Kind.SPF, "@")
    change = creates(Kind.SPF, "@", "v=spf1 mx a ~all")
    same = judged_changes(two, type(change)(change.action, Kind.SPF, first, change.after))
    assert only(same, "spf-multiple").severity is Severity.WARNING
    assert second.destination in only(same, "spf-multiple").message


def test_several_records_of_which_none_can_be_read_are_still_reported() -> None:
    broken = mail_zone("v=spf1 ip4:x -all")
    found = judged_changes(broken, creates(Kind.SPF, "@", "v=spf1 ip4:y -all"))
    assert only(found, "spf-multiple").advice == "Make one of them."


def test_an_old_spf_fault_never_blocks_a_new_dkim_key() -> None:
    faulty: tuple[Zone, ...] = (
        mail_zone(("v=spf1 mx ~all", "v=spf1 a +all")),
        mail_zone("v=spf1 ip4:broken +all"),
        mail_zone("v=spf1 a:x.example a:y.example a:z.example +all"),
    )
    for before in faulty:
        policy = wants(dkim="dkim")
        found = judged(before, policy, source(key_record(number=2)))
        assert codes(found, Severity.DANGER, Severity.REFUSED) == []
        assert not [code for code in codes(found) if code.startswith("spf")]


def test_a_broken_record_that_is_only_there_is_no_refusal() -> None:
    broken = mail_zone("v=spf1 ip4:x ~all", DMARC, ())
    change = creates(Kind.DKIM, "dkim._domainkey", key_record())
    assert codes(judged_changes(broken, change), Severity.REFUSED) == []
    kept = judged_wish(mail_zone("v=spf1 ip4:x ~all"), Kind.SPF, "@", "v=spf1 ip4:x ~all")
    assert codes(kept, Severity.REFUSED) == []
    assert only(judged_wish(CLEAN, Kind.SPF, "@", "v=spf1 ip4:x ~all"), "spf-syntax").message


# Who may no longer send


def test_a_sender_that_goes_is_named_with_both_ways_out() -> None:
    found = only(spf_findings(NETCUP, "v=spf1 mx a -all"), "spf-drops-sender")
    assert found.severity is Severity.DANGER
    assert "include:_spf.webhosting.systems" in found.message
    assert "Does a website at netcup" in found.advice
    keep, drop = ways(NETCUP, "v=spf1 mx a -all")
    assert keep == wants("v=spf1 mx a include:_spf.webhosting.systems -all")
    assert drop == wants(
        {"record": "v=spf1 mx a -all", "drop": ["include:_spf.webhosting.systems"]}
    )


LIVE_AND_NEW = [
    (NETCUP, "v=spf1 mx a -all"),
    ("v=spf1 mx a ~all", "v=spf1 -all"),
    ("v=spf1 mx a ~all", "v=spf1 mx +all"),
    ("v=spf1 mx a ~all", "v=spf1"),
    ("v=spf1 mx redirect=_spf.webhosting.systems", "v=spf1 mx -all"),
    ("v=spf1 redirect=_spf.webhosting.systems", "v=spf1"),
    ("v=spf1 mx a ~all", "v=spf1 redirect=_spf.webhosting.systems"),
    (
        "v=spf1 mx include:_spf.webhosting.systems ~all",
        "v=spf1 -include:_spf.webhosting.systems mx ~all",
    ),
    (("v=spf1 mx ~all", "v=spf1 a -all"), "v=spf1 ip4:203.0.113.0/24 -all"),
    ("v=spf1 ip4:198.51.100.0/24 a mx ~all", "v=spf1 ip4:198.51.100.7 a mx ~all"),
]


@pytest.mark.parametrize(("live", "new"), LIVE_AND_NEW)
def test_either_way_out_is_one_indeed(live: str | tuple[str, ...], new: str) -> None:
    assert only(spf_findings(live, new), "spf-drops-sender").severity is Severity.DANGER
    for policy in ways(live, new):
        assert policy
        after = judged(mail_zone(live), policy, dns=HOSTED, hosts=("mail.example.com",))
        assert "spf-drops-sender" not in codes(after)


def test_several_senders_that_go_are_one_question_and_one_line_to_type() -> None:
    found = only(spf_findings(NETCUP, "v=spf1 ip4:203.0.113.25 -all"), "spf-drops-sender")
    assert '"mx" and "a" and include:_spf.webhosting.systems' in found.message
    _, drop = ways(NETCUP, "v=spf1 ip4:203.0.113.25 -all")
    assert drop
    assert drop.spf
    assert drop.spf.drop == ["mx", "a", "include:_spf.webhosting.systems"]


def test_what_was_named_already_is_named_again_beside_what_was_not() -> None:
    wish = {"record": "v=spf1 mx -all", "drop": ["include:_spf.webhosting.systems"]}
    found = only(spf_findings(NETCUP, wish), "spf-drops-sender")
    assert found.message.startswith('"a" is in effect')
    keep, drop = ways(NETCUP, wish)
    assert keep == wants({"record": "v=spf1 mx a -all", "drop": wish["drop"]})
    assert drop == wants({**wish, "drop": ["include:_spf.webhosting.systems", "a"]})


@pytest.mark.parametrize("wish", ["v=spf1 mx a -all", {"require": ["mx"]}])
def test_a_term_that_is_named_may_go(wish: str | dict[str, Any]) -> None:
    parts = {"record": wish} if isinstance(wish, str) else wish
    parts = {**parts, "drop": ["include:_spf.webhosting.systems"]}
    assert "spf-drops-sender" not in codes(spf_findings(NETCUP, parts))


def test_naming_it_with_another_qualifier_is_no_consent() -> None:
    parts = {"record": "v=spf1 mx a -all", "drop": ["~include:_spf.webhosting.systems"]}
    assert "spf-drops-sender" in codes(spf_findings(NETCUP, parts))
    parts["drop"] = ["+include:_spf.webhosting.systems"]
    assert "spf-drops-sender" not in codes(spf_findings(NETCUP, parts))


@pytest.mark.parametrize(
    ("live", "new"),
    [
        ("v=spf1 ip4:203.0.113.25 ~all", "v=spf1 ip4:203.0.113.0/24 ~all"),
        ("v=spf1 mx ~all", "v=spf1 mx:example.com ~all"),
        ("v=spf1 a:EXAMPLE.com ~all", "v=spf1 a ~all"),
        ("v=spf1 redirect=example.net", "v=spf1 include:example.net ~all"),
        ("v=spf1 include:example.net ~all", "v=spf1 redirect=example.net"),
        ("v=spf1 mx ~all a", "v=spf1 mx ~all"),  # behind the all it had no effect
        ("v=spf1 mx -a ~all", "v=spf1 mx ~all"),
        ("v=spf1 mx ip4:broken ~all", "v=spf1 mx ~all"),
    ],
)
def test_a_sender_that_still_may_send_is_not_missed(live: str, new: str) -> None:
    assert "spf-drops-sender" not in codes(spf_findings(live, new))


def test_a_sender_shadowed_by_a_harder_term_in_front_is_dropped_too() -> None:
    live = "v=spf1 include:_spf.webhosting.systems mx ~all"
    found = spf_findings(live, {"require": ["-include:_spf.webhosting.systems"]})
    assert only(found, "spf-drops-sender").severity is Severity.DANGER


def test_a_slip_in_the_live_record_is_not_offered_to_be_typed_again() -> None:
    live, wish = "v=spf1 a:x.example.com-all", "v=spf1 +all"
    assert only(spf_findings(live, wish), "spf-drops-sender").severity is Severity.DANGER
    assert ways(live, wish) == [None, None]


def test_a_parked_domain_is_meant_to_send_nothing() -> None:
    policy = DomainPolicy(parked=True).settled()
    found = judged(mail_zone(NETCUP), policy, dns=HOSTED)
    assert "spf-drops-sender" not in codes(found)
    assert "spf-fail-and-forwarding" not in codes(found)


# Size


@pytest.mark.parametrize(
    ("length", "others", "severity"),
    [
        (450, (), None),
        (451, (), Severity.NOTE),
        (470, (), Severity.WARNING),
        (120, (200, 160), Severity.WARNING),
        (120, (200, 60), None),
        (60, (420,), Severity.WARNING),
    ],
)
def test_a_record_that_is_long_by_itself_or_with_the_others_is_told(
    length: int, others: tuple[int, ...], severity: Severity | None
) -> None:
    text = f"v=spf1 a {'x=' + 'y' * (length - 16)} ~all"
    assert len(text) == length
    before = zone("@ A 203.0.113.80", *(f"@ TXT {'z' * size}" for size in others))
    found = [f for f in judged(before, wants(text)) if f.code == "spf-long"]
    assert [f.severity for f in found] == ([severity] if severity else [])


def test_the_size_is_that_of_the_answer_on_the_wire() -> None:
    texts = ["a" * 255, "b" * 256, "", "v=spf1 -all"]
    answer = dns_message("example.com", texts)
    assert answer_size("example.com", texts) == len(answer)


def test_a_size_that_was_so_before_is_told_as_such_unless_it_grows() -> None:
    before = mail_zone(SPF, DMARC, None, f"@ TXT {'z' * 500}")
    shorter = only(judged(before, wants("v=spf1 a ~all")), "spf-long")
    assert shorter.message.startswith("Already so: ")
    longer = only(judged(before, wants("v=spf1 mx a ~all")), "spf-long")
    assert not longer.message.startswith("Already so: ")


def dns_message(domain: str, texts: list[str]) -> bytes:
    """An answer with TXT records, as it goes over the wire."""
    query = message.make_query(domain, "TXT", use_edns=False)
    response = message.make_response(query)
    rdatas = (
        rdata.from_wire(
            "IN",
            "TXT",
            wire := b"".join(
                bytes([len(part)]) + part
                for part in [text[i : i + 255].encode() for i in range(0, len(text), 255)] or [b""]
            ),
            0,
            len(wire),
        )
        for text in texts
    )
    response.answer.append(rrset.from_rdata_list(f"{domain}.", 60, list(rdatas)))
    return response.to_wire()


@pytest.mark.parametrize(
    "live",
    [
        "v=spf1 -ip4:192.0.2.0/24 ip4:192.0.2.7 mx ~all",
        "v=spf1 ~a:x.example.org a:x.example.org mx ~all",
        "v=spf1 ?include:open.example.org mx include:open.example.org ~all",
        "v=spf1 mx ~all a:x.example.org",
    ],
)
def test_who_was_shut_out_before_his_term_is_not_dropped_with_it(live: str) -> None:
    assert "spf-drops-sender" not in codes(spf_findings(live, "v=spf1 mx ~all"))


@pytest.mark.parametrize(
    "live",
    [
        "v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 mx ~all",
        "v=spf1 a:x.example.org ~a:x.example.org mx ~all",
        "v=spf1 a:x.example.org a:x.example.org mx ~all",
    ],
)
def test_who_could_send_beside_a_carve_out_is(live: str) -> None:
    assert "spf-drops-sender" in codes(spf_findings(live, "v=spf1 mx ~all"))

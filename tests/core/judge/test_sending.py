"""What needs DNS: the cost of the proposed record, and whether our own servers may send by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.findings import Severity
from netcup_mailauth.judge import faults as commands
from netcup_mailauth.judge import guard
from netcup_mailauth.judge.case import Signer
from netcup_mailauth.lookup import Answer, Status, silent
from netcup_mailauth.policy import DomainPolicy
from netcup_mailauth.records import Kind
from tests.core.judge.cases import (
    CLEAN,
    DMARC,
    SERVER,
    SPF,
    case_of,
    codes,
    deletes,
    dns,
    judged,
    judged_changes,
    key_record,
    mail_zone,
    no_dns,
    only,
    safer,
    source,
    wants,
    zone,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.lookup import Query
    from netcup_mailauth.records import Zone

DANGER, WARNING = Severity.DANGER, Severity.WARNING
NINE = " ".join(f"exists:h{number}.example.com" for number in range(9))
WILD = "* A 203.0.113.80"  # every name below exists

BROKEN = "spf-broken-include"


def crowded(spf: str) -> Zone:
    return mail_zone(spf, DMARC, None, WILD)


# Look-ups


def test_look_ups_are_counted_on_the_proposed_record_from_the_zone_itself() -> None:
    before = mail_zone("v=spf1 mx ~all", DMARC, None, "s TXT v=spf1 a mx a:mail.example.com ~all")
    case, _ = case_of(before, wants({"require": ["include:s.example.com"]}), dns=no_dns)
    (change,) = guard.priced(case).changes
    assert change.look_ups == "5 of 10: include:s.example.com 4, mx 1"
    assert codes(guard.judge(case)) == []


def test_a_record_that_asks_nothing_and_one_that_goes_are_not_priced() -> None:
    case, _ = case_of(CLEAN, wants("v=spf1 ip4:203.0.113.0/24 ip6:2001:db8::/32 ~all"), dns=no_dns)
    assert guard.priced(case).changes == case.change_set.changes
    removed = deletes(CLEAN, Kind.SPF, "@")
    judged_changes(CLEAN, removed, dns=no_dns)
    keys, _ = case_of(CLEAN, wants(dkim="s2"), source(key_record(number=2)), dns=no_dns)
    assert guard.priced(keys).changes == keys.change_set.changes


def test_ten_look_ups_are_near_the_limit_and_eleven_are_beyond_it() -> None:
    ten = judged(crowded(f"v=spf1 {NINE} ~all"), wants({"require": [f"ip4:{SERVER}", "mx"]}))
    assert "10 of 10 DNS look-ups" in only(ten, "spf-near-limit").message
    eleven = judged(crowded(f"v=spf1 {NINE} mx ~all"), wants({"require": ["a"]}))
    found = only(eleven, "spf-too-many-lookups")
    assert found.severity is DANGER
    assert "needs 11 DNS look-ups (a 1, exists:h0.example.com 1" in found.message
    assert "spf-near-limit" not in codes(eleven)


@pytest.mark.parametrize(
    ("live", "wish"),
    [
        (f"v=spf1 {NINE} mx a ~all", {"require": [f"ip4:{SERVER}"]}),  # as many as before
        (f"v=spf1 {NINE} mx a a:x.example.com ~all", {"drop": ["a:x.example.com"]}),  # one less
    ],
)
def test_too_many_already_is_a_warning(live: str, wish: dict[str, Any]) -> None:
    found = only(judged(crowded(live), wants(wish)), "spf-too-many-lookups")
    assert found.severity is WARNING
    assert found.message.startswith("Already so")


def test_merging_records_does_not_make_the_old_fault_of_one_a_new_one() -> None:
    two = mail_zone((f"v=spf1 {NINE} mx a ~all", f"v=spf1 ip4:{SERVER} ~all"), DMARC, None, WILD)
    found = judged(two, wants({"require": ["mx"]}))
    assert only(found, "spf-too-many-lookups").severity is WARNING


def test_three_void_look_ups_are_named_and_old_ones_are_no_danger() -> None:
    gone = ["a:x1.example.net", "a:x2.example.net", "exists:x3.example.net"]
    found = only(judged(CLEAN, wants({"require": gone})), "spf-void-lookups")
    assert found.severity is DANGER
    assert "3 of the SPF record's look-ups find nothing" in found.message
    assert "a:x1.example.net, a:x2.example.net, exists:x3.example.net" in found.message
    live = mail_zone(f"v=spf1 mx {' '.join(gone)} ~all")
    already = only(judged(live, wants({"require": ["a"]})), "spf-void-lookups")
    assert already.severity is WARNING


def test_a_void_look_up_inside_an_include_is_named_where_it_is() -> None:
    gone = " ".join(f"a:x{number}.example.net" for number in range(3))
    names = dns({"p.example": [{"SPF": f"v=spf1 {gone} ~all"}]})
    found = judged(CLEAN, wants({"require": ["include:p.example"]}), dns=names)
    message = only(found, "spf-void-lookups").message
    assert "(a:x0.example.net, a:x1.example.net, a:x2.example.net)" in message


def test_an_include_that_receivers_give_up_at_is_a_danger_only_where_it_is_new() -> None:
    found = only(judged(CLEAN, wants({"require": ["include:gone.example.net"]})), BROKEN)
    assert found.severity is DANGER
    assert "include:gone.example.net" in found.message
    live = mail_zone("v=spf1 mx include:gone.example.net ~all")
    assert only(judged(live, wants({"require": ["a"]})), BROKEN).severity is WARNING


# DNS that is silent, or must not be asked


@pytest.mark.parametrize(
    ("live", "wish", "severity"),
    [
        ("v=spf1 mx ~all", {"require": ["include:p.example"]}, DANGER),
        ("v=spf1 mx include:p.example ~all", {"require": ["ip4:203.0.113.9"]}, WARNING),
        ("v=spf1 mx Include:P.example ~all", "v=spf1 mx include:p.example -all", WARNING),
        (("v=spf1 mx ~all", "v=spf1 include:p.example ~all"), {"require": ["mx"]}, WARNING),
        ((), "v=spf1 mx include:p.example ~all", DANGER),
    ],
)
def test_silent_dns_is_a_danger_only_where_a_look_up_is_added(
    live: str | tuple[str, ...], wish: str | dict[str, Any], severity: Severity
) -> None:
    found = only(judged(mail_zone(live), wants(wish), dns=silent), "spf-not-checked")
    assert found.severity is severity
    assert "include:p.example" in found.message.lower()
    assert "--resolver" in found.advice


def test_a_server_that_silent_dns_keeps_from_being_tried_is_said() -> None:
    """The count needs no address of an MX host elsewhere; whether it may send does."""
    before = zone("@ MX 10 mx.example.net", "@ TXT v=spf1 mx ~all")
    policy = wants({"require": ["ip4:203.0.113.9"]})
    found = judged(before, policy, dns=silent, hosts=(SERVER,))
    assert SERVER in only(found, "spf-not-checked").message
    assert only(found, "spf-not-checked").severity is WARNING


def test_a_server_that_could_not_be_tried_before_counts_as_shut_out_by_the_change() -> None:
    before = mail_zone("v=spf1 include:p.example -all")
    found = judged(before, wants("v=spf1 a -all"), dns=silent, hosts=(SERVER,))
    assert only(found, "spf-excludes-own-server").severity is DANGER


@pytest.mark.parametrize("status", [Status.TIMEOUT, Status.SERVFAIL])
def test_dns_that_fails_is_never_a_crash(status: Status) -> None:
    def failing(queries: Sequence[Query]) -> list[Answer]:
        return [Answer(status) for _ in queries]

    before = zone("@ MX 10 mx.example.net", "@ TXT v=spf1 include:a.example redirect=b.example")
    policy = wants("v=spf1 mx ptr include:c.example ~all", "v=DMARC1;p=none;rua=mailto:a@x.net")
    found = judged(before, policy, dns=failing, hosts=("mail.example.net", SERVER))
    assert {"spf-not-checked", "own-server-unknown"} <= set(codes(found))
    assert (
        "DNS gave no answer on whether x.net" in only(found, "dmarc-report-not-authorised").message
    )


def test_dns_is_not_asked_where_neither_spf_nor_dmarc_changes() -> None:
    live = mail_zone("v=spf1 include:a.example mx ~all", f"{DMARC},mailto:x@example.net")
    policy = wants({"require": ["mx"]}, {"policy": "quarantine"}, dkim="dkim")
    new = source(key_record(number=2))
    case, _ = case_of(
        live, policy, new, dns=no_dns, hosts=("m.example.net",), signer=Signer(new.key)
    )
    assert codes(guard.judge(case)) == ["dkim-key-replaced"]
    assert len(guard.priced(case).changes) == 1


# Our own servers


def test_a_named_server_that_is_shut_out_is_a_danger_and_can_be_let_in() -> None:
    found = only(
        judged(CLEAN, wants("v=spf1 a ~all"), hosts=("mail.example.com",)),
        "spf-excludes-own-server",
    )
    assert found.severity is DANGER
    assert f"mail.example.com ({SERVER}) and mail.example.com (2001:db8::25)" in found.message
    assert "softfail" in found.message
    assert f"add what is missing: ip4:{SERVER} ip6:2001:db8::25" in found.advice.lower()
    policy = safer(CLEAN, wants("v=spf1 a ~all"), hosts=("mail.example.com",))
    assert policy
    assert policy.spf == wants("v=spf1 a mx ~all").spf


def test_a_server_that_is_shut_out_of_parts_is_let_in_by_parts_and_nothing_is_lost() -> None:
    wish = {"require": ["a"], "drop": ["mx"], "all": "fail"}
    policy = safer(CLEAN, wants(wish), hosts=(SERVER,))
    assert policy
    # The MX that has this address is the same server, so its other address is let in as well.
    let_in = [f"ip4:{SERVER}", "ip6:2001:db8::25"]
    assert policy.spf == wants({**wish, "require": ["a", *let_in]}).spf


COW: dict[str, Sequence[Any]] = {"cow.example.net": [{"A": SERVER}]}


@pytest.mark.parametrize("host", [SERVER, "2001:db8::25", "cow.example.net"])
def test_an_mx_with_an_address_of_the_server_is_that_server_whatever_it_is_called(
    host: str,
) -> None:
    found = only(
        judged(CLEAN, wants("v=spf1 a -all"), hosts=(host,), dns=dns(COW)),
        "spf-excludes-own-server",
    )
    assert found.severity is DANGER
    assert SERVER in found.message
    assert "2001:db8::25" in found.message
    assert "the mail of example.com" in found.message


def test_an_mx_that_only_may_be_the_sender_is_a_warning() -> None:
    found = only(judged(CLEAN, wants("v=spf1 a -all"), dns=dns(COW)), "spf-excludes-own-server")
    assert found.severity is WARNING
    assert "Unless it only receives" in found.advice


def test_an_mx_of_somebody_else_beside_the_server_is_not_tried() -> None:
    both = mail_zone(SPF, DMARC, None, "@ MX 20 filter.example.net")
    elsewhere = dns({"filter.example.net": [{"A": "198.51.100.9"}]})
    found = judged(both, wants("v=spf1 mx:mail.example.com ~all"), hosts=(SERVER,), dns=elsewhere)
    assert "198.51.100.9" not in "".join(finding.message for finding in found)


NETCUP_MX: dict[str, Sequence[Any]] = {"mxf8a.netcup.net": [{"A": "198.51.100.9"}]}


def test_netcups_left_over_mx_is_never_let_in() -> None:
    left = mail_zone(SPF, DMARC, None, "@ MX 50 mxf8a.netcup.net")
    found = judged(left, wants("v=spf1 ip4:203.0.113.25 ip6:2001:db8::25 ~all"), dns=dns(NETCUP_MX))
    assert "stale-netcup-mail" in codes(found)
    assert "spf-excludes-own-server" not in codes(found)


def test_where_netcup_sends_it_is_let_in_by_its_include_and_not_by_an_address() -> None:
    theirs = zone("@ MX 10 MXF8A.netcup.net", "@ A 203.0.113.80")
    found = only(
        judged(theirs, wants("v=spf1 a ~all"), dns=dns(NETCUP_MX)), "spf-excludes-own-server"
    )
    assert "198.51.100.9" not in found.advice
    assert "include:_spf.webhosting.systems" in found.advice


def test_a_host_guessed_from_mx_that_is_shut_out_is_a_warning() -> None:
    found = only(judged(CLEAN, wants("v=spf1 a ~all")), "spf-excludes-own-server")
    assert found.severity is WARNING
    assert "MX hosts of example.com" in found.message
    assert found.advice.startswith("Unless it only receives")


@pytest.mark.parametrize(
    ("live", "wish", "severity"),
    [
        ("v=spf1 ip4:192.0.2.1 ~all", {"require": ["a"]}, WARNING),  # shut out before
        ("v=spf1 ip4:192.0.2.1 ~all", {"all": "fail"}, DANGER),  # softfail -> fail
        (("v=spf1 ip4:192.0.2.1 ~all", "v=spf1 a ~all"), {"require": ["a"]}, WARNING),
        (("v=spf1 mx ~all", "v=spf1 a ~all"), "v=spf1 a ~all", DANGER),
        ((), "v=spf1 a ~all", DANGER),
        ("v=spf1 ip4:broken ~all", "v=spf1 a ~all", DANGER),
    ],
)
def test_shutting_a_server_out_is_a_danger_where_the_change_does_it(
    live: str | tuple[str, ...], wish: str | dict[str, Any], severity: Severity
) -> None:
    found = only(judged(mail_zone(live), wants(wish), hosts=(SERVER,)), "spf-excludes-own-server")
    assert found.severity is severity
    assert found.message.startswith("Already so: ") is (severity is WARNING)


def test_the_zone_is_asked_as_it_will_be_and_not_as_dns_still_has_it() -> None:
    inside = mail_zone(
        "v=spf1 include:s.example.com ~all", DMARC, None, "s TXT v=spf1 a:mail.example.com ~all"
    )
    stale = dns({"s.example.com": [{"SPF": "v=spf1 -all"}], "example.com": [{"MX": [1, "x.net"]}]})
    found = judged(inside, wants({"require": ["ip4:192.0.2.1"]}), dns=stale)
    assert codes(found) == []
    assert stale.asked == []


def test_a_server_elsewhere_is_looked_up_in_dns() -> None:
    names = dns({"mx.example.net": [{"A": "198.51.100.7"}, {"AAAA": "2001:db8::7"}]})
    found = judged(CLEAN, wants({"require": ["a"]}), dns=names, hosts=("mx.example.net",))
    message = only(found, "spf-excludes-own-server").message
    assert "mx.example.net (198.51.100.7) and mx.example.net (2001:db8::7)" in message


@pytest.mark.parametrize(
    ("live", "wish", "severity"),
    [
        ("v=spf1 a ~all", "v=spf1 a -all", DANGER),
        ((), "v=spf1 a -all", DANGER),
        ("v=spf1 a ~all", "v=spf1 a ip4:192.0.2.1 ~all", WARNING),
        ("v=spf1 a -all", "v=spf1 a ip4:192.0.2.1 -all", WARNING),
    ],
)
def test_an_unknown_server_is_a_danger_together_with_a_new_hard_fail(
    live: str | tuple[str, ...], wish: str, severity: Severity
) -> None:
    texts = (live,) if isinstance(live, str) else live
    before = zone("@ A 203.0.113.80", *(f"@ TXT {text}" for text in texts))
    found = only(judged(before, wants(wish)), "own-server-unknown")
    assert found.severity is severity
    assert "No MX tells" in found.message
    assert "--server mail.example.com" in found.advice
    assert ("-all rejects" in found.message) is (severity is DANGER)


def test_a_named_server_without_an_address_is_said_even_beside_one_that_has() -> None:
    hosts = ("mail.example.com", "mial.example.com")
    found = only(judged(CLEAN, wants({"require": ["a"]}), hosts=hosts), "own-server-unknown")
    assert "No address was found for mial.example.com," in found.message
    assert "spelling" in found.advice


def test_of_the_mx_hosts_one_that_is_known_is_enough_and_a_null_mx_is_none() -> None:
    before = mail_zone("v=spf1 mx ~all", DMARC, None, "@ MX 20 backup.example.net")
    assert "own-server-unknown" not in codes(judged(before, wants({"require": ["a"]})))
    null = zone("@ MX 0 .", "@ TXT v=spf1 a ~all")
    assert "own-server-unknown" in codes(judged(null, wants({"require": ["ip4:192.0.2.1"]})))


def test_a_parked_domain_is_not_asked_for_servers() -> None:
    policy = DomainPolicy(parked=True).settled()
    assert policy.spf
    found = judged(mail_zone("v=spf1 a ~all"), policy, hosts=(SERVER,))
    assert not {"spf-excludes-own-server", "own-server-unknown"} & set(codes(found))


def test_a_domain_below_its_zone_is_judged_by_its_own_names() -> None:
    before = zone("intern MX 10 mail.intern.example.com", f"mail.intern A {SERVER}")
    found = judged(before, wants("v=spf1 mx -all"), domain="intern.example.com", dns=no_dns)
    assert codes(found, DANGER, WARNING) == []


def test_a_command_to_copy_is_one_line_whatever_is_live() -> None:
    """A line break inside the quotes would begin a line that looks like a command of ours."""
    text = "v=DMARC1;\n  netcup-mailauth apply\u2028x\x1b[2J"
    line = commands.line(commands.plan("example.com"), ("--dmarc", text))
    assert line.isprintable()

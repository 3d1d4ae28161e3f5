"""Who was shut out by a term other than the final ``all``, and may send after the change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.findings import Severity
from netcup_mailauth.judge import guard
from netcup_mailauth.lookup import silent
from tests.core.judge.cases import (
    all_the_same,
    case_of,
    codes,
    dns,
    judged,
    mail_zone,
    no_dns,
    only,
    safer,
    wants,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.findings import Finding

CODE = "spf-admits-excluded"
WORLD: dict[str, Sequence[Any]] = {
    "x.example.net": [{"SPF": "v=spf1 -ip4:198.51.100.1 ip4:198.51.100.0/24 -all"}],
    "deep.example.net": [{"SPF": "v=spf1 include:x.example.net redirect=more.example.net"}],
    "more.example.net": [{"SPF": "v=spf1 a:host.example.net -all"}],
    "host.example.net": [{"A": "192.0.2.44"}, {"AAAA": "2001:db8:44::1"}],
    "yes.example.net": [{"A": "127.0.0.2"}],
    "away.example.net": [{"SPF": "v=spf1 -ip4:192.0.2.9 ip4:192.0.2.0/24 -all"}],
}


def found(live: str | Sequence[str], wish: str | dict[str, Any]) -> tuple[Finding, ...]:
    return judged(mail_zone(live), wants(wish), dns=dns(WORLD))


def require(*terms: str, **more: Any) -> dict[str, Any]:
    return {"require": list(terms), **more}


ADMITTING = [
    # a record given whole loses a carve-out, or moves it, or moves a sender
    ("v=spf1 -ip4:192.0.2.9 mx -all", "v=spf1 ip4:192.0.2.0/24 mx -all", "-ip4:192.0.2.9"),
    (
        "v=spf1 -ip4:192.0.2.9 ip4:192.0.2.0/24 -all",
        "v=spf1 ip4:192.0.2.0/24 -ip4:192.0.2.9 -all",
        "-ip4:192.0.2.9",
    ),
    ("v=spf1 ?ip4:203.0.113.25 mx -all", "v=spf1 mx -all", "?ip4:203.0.113.25 (neutral -> pass"),
    ("v=spf1 ~ip6:2001:db8::25 mx ~all", "v=spf1 mx ~ip6:2001:db8::25 ~all", "softfail -> pass"),
    ("v=spf1 -a mx -all", "v=spf1 ip4:203.0.113.0/24 mx -all", "-a, such as 203.0.113.80"),
    ("v=spf1 -mx a -all", "v=spf1 a ip6:2001:db8::/64 -all", "-mx, such as 2001:db8::25"),
    ("v=spf1 -ip4:203.0.113.0/28 a -all", "v=spf1 ip4:203.0.113.8/29 a ~all", "203.0.113.8"),
    ("v=spf1 -exists:%{i}.bl.example.net mx -all", "v=spf1 mx -all", "-exists:%{i}"),
    (
        "v=spf1 -exists:%{l}.bad.example.net mx -all",
        "v=spf1 mx -exists:%{l}.bad.example.net -all",
        "-exists:%{l}",
    ),
    ("v=spf1 -exists:yes.example.net a -all", "v=spf1 a -all", "-exists:yes.example.net"),
    ("v=spf1 -include:x.example.net a -all", "v=spf1 ip4:198.51.100.7 a -all", "198.51.100.7"),
    ("v=spf1 -ip4:198.51.100.9 a -all", "v=spf1 include:x.example.net a -all", "-ip4:198.51.100.9"),
    ("v=spf1 -ip4:192.0.2.44 a ~all", "v=spf1 include:deep.example.net a ~all", "192.0.2.44"),
    ("v=spf1 -ip4:192.0.2.9 mx -all", "v=spf1 mx +all", "pass by +all"),
    ("v=spf1 -ip4:192.0.2.9 mx", "v=spf1 mx redirect=away.example.net", None),
    ("v=spf1 -ip4:192.0.2.8 mx", "v=spf1 mx redirect=away.example.net", "-ip4:192.0.2.8"),
    # what the record leads to by redirect= is not the final all of this one
    ("v=spf1 redirect=away.example.net", require("ip4:192.0.2.0/24"), "-ip4:192.0.2.9"),
    # what an include lets through is an end of its own
    (
        "v=spf1 -ip4:198.51.100.0/30 -include:x.example.net ip4:198.51.100.0/24 -all",
        "v=spf1 -include:x.example.net ip4:198.51.100.0/24 -ip4:198.51.100.0/30 -all",
        "198.51.100.1",
    ),
    # in parts: the very same term, and parts that are named
    ("v=spf1 -include:x.example.net mx -all", require("include:x.example.net"), "-include:x"),
    ("v=spf1 -mx a -all", require("mx"), "-mx, such as"),
    ("v=spf1 -ip4:192.0.2.9 -all", require("ip4:192.0.2.9"), "-ip4:192.0.2.9"),
    ("v=spf1 -a:example.com mx -all", require("a", drop=["mx"]), "-a:example.com"),
    # several records, each as if it had been alone
    (
        ("v=spf1 ip4:203.0.113.25 -all", "v=spf1 -mx a -all"),
        require("a"),
        "-mx, such as 203.0.113.25",
    ),
    (("v=spf1 mx -all", "v=spf1 -mx a -all"), require("a"), "-mx"),
    (("v=spf1 mx -all", "v=spf1 -ip4:203.0.113.25 a -all"), "v=spf1 mx a -all", "-ip4:203.0.113"),
]


@pytest.mark.parametrize(("live", "wish", "who"), ADMITTING)
def test_whoever_was_shut_out_by_name_and_passes_now_is_named(
    live: str | Sequence[str], wish: str | dict[str, Any], who: str | None
) -> None:
    if who is None:
        assert CODE not in codes(found(live, wish))
        return
    finding = only(found(live, wish), CODE)
    assert finding.severity is Severity.DANGER
    assert who in finding.message


@pytest.mark.parametrize(("live", "wish", "who"), [c for c in ADMITTING if c[2] is not None])
def test_the_safer_way_admits_nobody_and_consent_can_be_given(
    live: str | Sequence[str], wish: str | dict[str, Any], who: str
) -> None:
    assert CODE in all_the_same(mail_zone(live), wants(wish), dns=dns(WORLD))
    policy = safer(mail_zone(live), wants(wish), dns=dns(WORLD))
    if policy is not None:
        again = judged(mail_zone(live), policy, dns=dns(WORLD))
        assert CODE not in codes(again)
        assert not {finding.severity for finding in again} & STOPPING


@pytest.mark.parametrize(
    ("live", "wish"),
    [
        ("v=spf1 -ip4:192.0.2.9 mx -all", require("ip4:192.0.2.0/24")),
        ("v=spf1 -exists:%{i}.bl.example.net a -all", require("ip4:192.0.2.0/24")),
        ("v=spf1 -a mx -all", require("ip4:203.0.113.80")),
        ("v=spf1 ?ip4:192.0.2.9 -all", require("include:x.example.net")),
        ("v=spf1 -ip4:192.0.2.0/24 mx -all", require("ip4:192.0.2.7")),  # named inside
        ("v=spf1 mx ?include:x.example.net -all", require("include:x.example.net")),
        ("v=spf1 ~mx a -all", require("mx")),
        ("v=spf1 -ip4:192.0.2.9 mx -all", require("ip4:192.0.2.0/24", drop=["-ip4:192.0.2.9"])),
        ("v=spf1 -a mx -all", {"record": "v=spf1 a mx -all", "drop": ["-a"]}),
        ("v=spf1 -ip4:192.0.2.9 mx -all", "v=spf1 mx -all"),  # nobody lets it in
        ("v=spf1 mx -ip4:203.0.113.25 a -all", "v=spf1 mx a -all"),  # it could not match
        ("v=spf1 -ip4:203.0.113.9 -ip4:203.0.113.8 a -all", "v=spf1 -ip4:203.0.113.8/31 a -all"),
        ("v=spf1 a mx -all", "v=spf1 a mx +all"),  # only the final all shut them out
        ("v=spf1 -exists:no.example.net a -all", "v=spf1 a -all"),
        ("v=spf1 -ip4:198.51.100.1 a -all", "v=spf1 include:x.example.net a -all"),
        (("v=spf1 ip4:192.0.2.0/24 -all", "v=spf1 -ip4:192.0.2.9 mx -all"), require("mx")),
    ],
)
def test_nothing_is_said_where_nobody_passes_or_the_difference_is_named(
    live: str | Sequence[str], wish: str | dict[str, Any]
) -> None:
    assert CODE not in codes(found(live, wish))


def test_the_order_alone_settles_it_without_dns() -> None:
    before = mail_zone("v=spf1 -ip4:192.0.2.9 -exists:%{i}.bl.example.com mx -all")
    case, _ = case_of(before, wants(require("ip4:192.0.2.0/24", "ip4:198.51.100.7")), dns=no_dns)
    assert CODE not in codes(guard.judge(case))


@pytest.mark.parametrize(
    ("live", "wish"),
    [
        ("v=spf1 -ip4:192.0.2.9 a:x.example.com-all mx -all", require("ip4:192.0.2.9")),
        ("v=spf1 -exists:%{i}.x.example.net-all mx -all", "v=spf1 mx -all"),
    ],
)
def test_a_slip_in_the_live_record_is_not_offered_to_be_typed_again(
    live: str, wish: str | dict[str, Any]
) -> None:
    assert CODE in codes(found(live, wish))
    assert safer(mail_zone(live), wants(wish), dns=dns(WORLD)) is None


def test_what_is_dropped_from_a_merged_record_is_not_said_to_be_idle_in_it() -> None:
    live = ("v=spf1 mx a -all", "v=spf1 mx -a -all")
    assert '"a" stands before "-a"' in only(found(live, require("mx")), "spf-multiple").message
    dropped = found(live, require("mx", drop=["-a"]))
    assert "stands before" not in only(dropped, "spf-multiple").message
    assert CODE not in codes(dropped)


def test_dns_that_is_silent_is_no_reassurance() -> None:
    live, wish = "v=spf1 -ip4:192.0.2.9 mx -all", "v=spf1 a:host.example.net mx -all"
    told = judged(mail_zone(live), wants(wish), dns=silent)
    assert only(told, CODE).severity is Severity.DANGER


def test_a_server_behind_a_carve_out_is_let_in_by_what_is_advised() -> None:
    before = mail_zone("v=spf1 -mx a -all")
    told = judged(before, wants(require("a")), hosts=("mail.example.com",))
    assert CODE not in codes(told)
    policy = safer(mail_zone(()), wants("v=spf1 -mx a -all"), hosts=("mail.example.com",))
    assert policy
    again = judged(mail_zone(()), policy, hosts=("mail.example.com",))
    assert "spf-excludes-own-server" not in codes(again)


STOPPING = {Severity.REFUSED, Severity.DANGER}
EDGES = ("192.0.2.0", "192.0.2.255")
ASKED: dict[str, Sequence[Any]] = {
    **{f"{edge}.ok.example.net": [{"A": "127.0.0.2"}] for edge in EDGES},
    **{f"{edge}.bl.example.net": [{"A": "127.0.0.2"}] for edge in EDGES},
    "list.example.net": [{"SPF": "v=spf1 exists:%{i}.ok.example.net -all"}],
    "postmaster.who.example.net": [{"A": "127.0.0.2"}],
}


@pytest.mark.parametrize(
    ("live", "wish"),
    [
        (
            "v=spf1 exists:%{i}.ok.example.net -ip4:192.0.2.0/24 -all",
            "v=spf1 exists:%{i}.ok.example.net ip4:192.0.2.0/24 -all",
        ),
        (
            "v=spf1 include:list.example.net -ip4:192.0.2.0/24 -all",
            "v=spf1 include:list.example.net ip4:192.0.2.0/24 -all",
        ),
        (
            "v=spf1 -ip4:192.0.2.0/24 mx -all",
            "v=spf1 -exists:%{i}.bl.example.net ip4:192.0.2.0/24 mx -all",
        ),
        (
            "v=spf1 exists:%{l}.who.example.net -ip4:192.0.2.9 -all",
            "v=spf1 exists:%{l}.who.example.net ip4:192.0.2.9 -all",
        ),
    ],
)
def test_those_tried_stand_for_nobody_where_a_list_decides_about_them(live: str, wish: str) -> None:
    """A term that is asked with each address, or sender, hides what becomes of all others."""
    told = judged(mail_zone(live), wants(wish), dns=dns(ASKED))
    assert only(told, CODE).severity is Severity.DANGER
    assert "-ip4:192.0.2" in only(told, CODE).message


def test_a_list_that_decides_in_front_as_before_admits_nobody() -> None:
    live = "v=spf1 exists:%{i}.ok.example.net -ip4:192.0.2.0/24 mx -all"
    for wish in (f"{live[:-4]}a -all", live.replace("-all", "~all")):
        assert CODE not in codes(judged(mail_zone(live), wants(wish), dns=dns(ASKED)))


TWO = [
    (
        (
            "v=spf1 -exists:%{i}.ok.example.net ~mx redirect=x.example.net",
            "v=spf1 ?ip4:198.51.0.0/16 ~ip4:203.0.113.25 +all",
        ),
        require("exists:%{l}.who.example.net", "mx", all="softfail"),
    ),
    (
        (
            "v=spf1 exists:no.example.net -a ~exists:%{l}.who.example.net ~all",
            "v=spf1 -exists:%{i}.ok.example.net redirect=away.example.net",
        ),
        require("ip4:192.0.2.0/28", all="fail"),
    ),
]


@pytest.mark.parametrize(("live", "wish"), TWO)
def test_of_two_records_consent_covers_what_shows_in_turn(
    live: Sequence[str], wish: dict[str, Any]
) -> None:
    """With one fault allowed, another may show."""
    allow = all_the_same(mail_zone(live), wants(wish), dns=dns(WORLD))
    again = judged(mail_zone(live), wants(wish, allow=list(allow)), dns=dns(WORLD))
    assert {f.code for f in again if f.severity is Severity.DANGER} == set(allow)

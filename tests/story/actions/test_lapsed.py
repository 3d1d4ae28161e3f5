"""Domains that mailcow still lists and netcup cannot have cost no call, so they stop no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.actions import planning
from netcup_mailauth.actions.checking import check
from netcup_mailauth.actions.init import tables_of_served
from netcup_mailauth.actions.session import Session
from netcup_mailauth.errors import ExitCode, UnknownZoneError, ZoneError
from netcup_mailauth.judge.report import Basis
from netcup_mailauth.lookup import Answer, Query, Status
from netcup_mailauth.policy import DomainPolicy, SpfPolicy, Wish
from netcup_mailauth.sandbox import Sandbox
from tests.sessions import Answering
from tests.worlds import backend_of, requests_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from netcup_mailauth.lookup import Lookup
    from netcup_mailauth.netcup.ccp import CcpBackend

SPF = DomainPolicy(spf=SpfPolicy(require=["ip4:192.0.2.7"]))
LAPSED = [f"lapsed{number}.de" for number in range(12)]
NETCUP = Answer(Status.OK, ("root-dns.netcup.net", "second-dns.netcup.net"))
OTHERS = Answer(Status.OK, ("ns1.example", "ns2.example"))


def dns_saying(known: dict[str, Answer], otherwise: Status = Status.NXDOMAIN) -> Lookup:
    """What DNS says of the name servers of zones; the top-level domains are there."""
    told = {"com": OTHERS, "de": OTHERS, **known}

    def lookup(queries: Sequence[Query]) -> list[Answer]:
        return [
            told.get(q.name, Answer(otherwise)) if q.type == "NS" else Answer(Status.EMPTY)
            for q in queries
        ]

    return lookup


def finder(known: dict[str, str]) -> Callable[[str], str]:
    def find(domain: str) -> str:
        if domain not in known:
            raise ZoneError(f"There is no {domain} in DNS.")
        return known[domain]

    return find


@pytest.fixture
def netcup() -> Iterator[tuple[Sandbox, CcpBackend]]:
    with Sandbox(["example.com"]) as sandbox, backend_of(sandbox) as backend:
        yield sandbox, backend


def found(domain: str) -> Wish:
    return Wish(domain, SPF, discovered=True)


def session(backend: CcpBackend, dns: Lookup, find: Callable[[str], str] | None = None) -> Session:
    return Session(backend, Answering(answers=dns, finds=find))


def reads(sandbox: Sandbox) -> int:
    return requests_of(sandbox).get("infoDnsRecords", 0)


def test_a_dozen_lapsed_domains_are_notes_and_cost_netcup_nothing(
    netcup: tuple[Sandbox, CcpBackend],
) -> None:
    sandbox, backend = netcup
    wishes = [*map(found, LAPSED), found("example.com")]
    plan = planning.plan(session(backend, dns_saying({"example.com": NETCUP})), wishes)
    assert [zone.error for zone in plan.zones] == [None] * 13
    assert [f.code for zone in plan.zones[:12] for f in zone.findings] == ["not-at-netcup"] * 12
    assert "lapsed0.de does not exist in DNS" in plan.zones[0].findings[0].message
    assert plan.zones[12].changes
    assert reads(sandbox) == 1


@pytest.mark.parametrize(
    ("domain", "known"),
    [
        ("sub.gone.de", {}),
        ("parked.de", {"parked.de": Answer(Status.EMPTY)}),
        ("moved.de", {"moved.de": OTHERS}),
        ("sub.moved.de", {"moved.de": OTHERS, "sub.moved.de": Answer(Status.EMPTY)}),
    ],
    ids=["below-a-lapsed-one", "not-delegated", "at-others", "below-one-at-others"],
)
def test_what_netcup_cannot_have_is_a_note_without_a_call(
    netcup: tuple[Sandbox, CcpBackend], domain: str, known: dict[str, Answer]
) -> None:
    sandbox, backend = netcup
    find = finder({"sub.moved.de": "moved.de"})
    [zone] = planning.plan(session(backend, dns_saying(known), find), [found(domain)]).zones
    assert ([f.code for f in zone.findings], zone.error) == (["not-at-netcup"], None)
    assert reads(sandbox) == 0


@pytest.mark.parametrize("status", [Status.SERVFAIL, Status.TIMEOUT])
def test_a_zone_that_only_its_own_servers_do_not_answer_for_is_an_error_of_its_own(
    netcup: tuple[Sandbox, CcpBackend], status: Status
) -> None:
    """It may be at netcup, so it is no note; but a dozen of them must not end the run."""
    sandbox, backend = netcup
    dns = dns_saying({"example.com": NETCUP}, status)
    plan = planning.plan(session(backend, dns), [*map(found, LAPSED), found("example.com")])
    errors = [zone.error for zone in plan.zones]
    assert [e.exit_code for e in errors if e] == [ExitCode.ZONE] * 12
    assert errors[0] is not None
    assert f"lapsed0.de has ({status})" in errors[0].message
    assert '[domains."lapsed0.de"]' in errors[0].advice
    assert plan.zones[12].changes
    assert reads(sandbox) == 1


def test_where_dns_is_silent_altogether_netcup_is_asked(
    netcup: tuple[Sandbox, CcpBackend],
) -> None:
    def silent(queries: Sequence[Query]) -> list[Answer]:
        return [Answer(Status.TIMEOUT) for _ in queries]

    sandbox, backend = netcup
    [zone] = planning.plan(session(backend, silent), [found("example.com")]).zones
    assert zone.changes
    assert reads(sandbox) == 1


def test_a_domain_that_the_user_names_is_asked_for_whatever_dns_says(
    netcup: tuple[Sandbox, CcpBackend],
) -> None:
    [zone] = planning.plan(session(netcup[1], dns_saying({})), [Wish("example.com", SPF)]).zones
    assert zone.changes


def test_a_sub_domain_whose_zone_dns_does_not_say_is_no_note(
    netcup: tuple[Sandbox, CcpBackend],
) -> None:
    def silent(domain: str) -> str:
        raise UnknownZoneError(f"DNS does not say in which zone {domain} lies.")

    [zone] = planning.plan(
        session(netcup[1], dns_saying({}), silent), [found("a.example.com")]
    ).zones
    assert zone.error is not None
    assert zone.error.exit_code is ExitCode.ZONE


def test_a_starter_config_has_lapsed_domains_as_comments(
    netcup: tuple[Sandbox, CcpBackend],
) -> None:
    sandbox, backend = netcup
    dns = dns_saying({"example.com": NETCUP})
    served = [*LAPSED, "example.com"]
    tables = tables_of_served(session(backend, dns), served, (), has_mailcow=False)
    assert [text.startswith("# lapsed") for text in tables] == [True] * 12 + [False]
    assert reads(sandbox) == 1


@pytest.mark.parametrize("status", [Status.NXDOMAIN, Status.EMPTY, Status.SERVFAIL])
def test_check_does_not_ask_netcup_either(
    netcup: tuple[Sandbox, CcpBackend], status: Status
) -> None:
    sandbox, backend = netcup
    check(session(backend, dns_saying({}, status)), map(found, LAPSED), Basis.CONFIG)
    assert reads(sandbox) == 0

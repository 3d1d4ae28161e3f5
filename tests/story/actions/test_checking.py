"""A check asks each thing once, goes on where it can, and never calls wrong what only lags."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.actions import checking as checking_module
from netcup_mailauth.actions.checking import (
    ADDRESSES_NOT_ASKED,
    check,
    check_domain,
    check_each,
)
from netcup_mailauth.actions.session import Session
from netcup_mailauth.clock import Clock
from netcup_mailauth.dnsio import servers
from netcup_mailauth.dnsio.cache import Cache
from netcup_mailauth.dnsio.servers import Dns, parse_servers
from netcup_mailauth.errors import ApiError, CredentialsError, UsageError, ZoneError
from netcup_mailauth.judge.report import Basis, DomainCheck, State
from netcup_mailauth.keys.sources import Sources
from netcup_mailauth.lookup import Answer, Query, Server, Status
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy, Wish
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind
from netcup_mailauth.sandbox import Sandbox
from tests.core.judge.cases import key_record, source
from tests.edges.dnsio.nameserver import closed_port
from tests.questions import LATE, noted
from tests.sessions import Kept
from tests.worlds import backend_of, requests_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.lookup import Lookup
    from netcup_mailauth.records import Zone

SPF = "v=spf1 mx -all"
DMARC = "v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com"
KEY = key_record()
RECORDS = [
    {"hostname": hostname, "type": kind, "priority": priority, "destination": value}
    for hostname, kind, priority, value in (
        ("@", "MX", "10", "mail.example.com"),
        ("mail", "A", "0", "203.0.113.25"),
        ("@", "TXT", "0", SPF),
        ("dkim._domainkey", "TXT", "0", KEY),
        ("_dmarc", "TXT", "0", DMARC),
    )
]
WISH = Wish(
    "example.com",
    DomainPolicy(spf=SpfPolicy(record=SPF), dmarc=DmarcPolicy(record=DMARC)),
)
ANY = Wish("example.com", DomainPolicy())


class Mailcow(Sources):
    """A mailcow with or without a key, at a host, perhaps behind a relay."""

    def __init__(self, key: str | None = None, relay: str | None = None) -> None:
        self.own, self.behind = key, relay

    def key(self, source_: str, domain: str) -> DkimSource | None:
        return source(self.own, "dkim") if self.own else None

    def host(self, source_: str) -> str | None:
        return "mail.example.com"

    def relay(self, source_: str, domain: str) -> str | None:
        return self.behind


MAILCOW = Wish("example.com", DomainPolicy(dkim=DkimPolicy(source="mailcow")))


@contextmanager
def checking(live: bool = True, **more: Any) -> Iterator[tuple[Sandbox, Session]]:
    with Sandbox([], zones={"example.com": RECORDS}) as sandbox, backend_of(sandbox) as backend:
        resolver = sandbox.addresses.resolver
        given: dict[str, Any] = {
            "apis": backend if live else None,
            "dns": Dns(resolver, tuple(sandbox.addresses.nameservers)),
        }
        yield sandbox, Session(**{**given, **more})


@dataclass(frozen=True)
class These(Dns):
    """The same DNS, with other servers of every zone, or with zones it does not say."""

    those: tuple[Server, ...] = ()
    unsaid: Exception | None = None

    def servers_of(self, zone: str) -> tuple[Server, ...]:
        return self.those or super().servers_of(zone)

    def zone_of(self, domain: str) -> str:
        if self.unsaid is not None:
            raise self.unsaid
        return super().zone_of(domain)


class Reading:
    """A back end of which nothing is known but what reading a zone does."""

    def __init__(self, zone: Callable[[str], Zone]) -> None:
        self.zone = zone


def asking(session: Session, *servers: Server) -> Session:
    """The session, with these servers instead of the zone's own."""
    return replace(session, dns=These(session.dns.resolver, those=servers))


def states(check: DomainCheck) -> dict[str, str]:
    return {record.kind.value: record.state.value for record in check.records}


def codes(check: DomainCheck) -> set[str]:
    return {finding.code for finding in check.all_findings}


@pytest.mark.parametrize("live", [True, False])
def test_every_server_is_asked_for_the_records_and_one_of_them_for_the_rest(live: bool) -> None:
    with checking(live) as (sandbox, session):
        assert check_domain(session, WISH, Basis.CONFIG).exit_code == 0
        counts = sorted(int(n) for n in sandbox.stats()["dns"])
        # SPF, DKIM and DMARC of each server; what nothing has to be known for of the first, the
        # rest of the quickest one.
        assert counts[0] == 3
        assert sum(counts) <= 9 + (0 if live else 20)
        expected = {"login": 1, "infoDnsRecords": 1} if live else {}
        assert requests_of(sandbox) == expected


def test_a_domain_in_a_zone_that_is_not_its_own_is_a_mistake_of_the_config() -> None:
    wish = Wish("example.com", DomainPolicy(zone="example.org"))
    with checking() as (_, session), pytest.raises(UsageError, match="does not lie in the zone"):
        check_domain(session, wish, Basis.CONFIG)


def test_the_zone_of_the_config_is_not_looked_up() -> None:
    wish = Wish("sub.example.com", DomainPolicy(zone="example.com", spf=SpfPolicy(record=SPF)))
    with checking() as (_, session):
        session = replace(
            session, dns=These(session.dns.resolver, session.dns.servers, unsaid=AssertionError())
        )
        assert states(check_domain(session, wish, Basis.CONFIG))["spf"] == "missing"


def test_a_policy_inherited_by_a_sub_domain_is_no_gap() -> None:
    with checking() as (sandbox, session):
        below = [
            {"hostname": hostname, "type": kind, "priority": "10", "destination": value}
            for hostname, kind, value in (
                ("sub", "MX", "mail.example.com"),
                ("sub", "TXT", SPF),
                ("dkim._domainkey.sub", "TXT", KEY),
            )
        ]
        sandbox.set_zone("example.com", [*RECORDS, *below])
        check = check_domain(session, Wish("sub.example.com", DomainPolicy()), Basis.CONFIG)
    assert (check.exit_code, set(states(check).values())) == (0, {"ok"})
    assert "that of example.com applies" in check.records[2].servers[0].detail


def test_a_silent_resolver_does_not_hide_a_zone_whose_servers_are_known() -> None:
    with checking(live=False) as (_, session):
        unknown = ZoneError("DNS does not say in which zone it lies.")
        silent = replace(session, dns=These("127.0.0.1:9", session.dns.servers, unsaid=unknown))
        assert check_domain(silent, WISH, Basis.CONFIG).exit_code == 0
        below = Wish("a.example.com", DomainPolicy())
        with pytest.raises(ZoneError, match="in which zone"):
            check_domain(silent, below, Basis.CONFIG)


def test_a_zone_that_is_not_at_this_account_is_judged_from_dns() -> None:
    def elsewhere(name: str) -> Zone:
        raise ZoneError(f"{name} is not here")

    with checking(apis=Reading(elsewhere)) as (_, session):
        check = check_domain(session, ANY, Basis.CONFIG)
    assert (check.exit_code, check.basis) == (0, Basis.PUBLISHED)


@pytest.mark.parametrize(
    ("error", "reads"),
    [(CredentialsError("refused", "Look."), 1), (ApiError("busy"), 2)],
    ids=["never-again", "tried-for-each"],
)
def test_an_error_of_netcups_is_told_and_the_check_goes_on(error: Exception, reads: int) -> None:
    tried = []

    def fails(name: str) -> Zone:
        tried.append(name)
        raise error

    with checking(apis=Reading(fails)) as (_, session):
        report = check(session, [ANY, ANY], Basis.CONFIG)
    assert report.exit_code == 0
    assert all("netcup-not-read" in codes(domain) for domain in report.domains)
    assert len(tried) == reads


def test_an_error_of_one_domain_does_not_stop_the_others() -> None:
    with checking() as (_, session):
        report = check(session, [Wish("nowhere.example", DomainPolicy()), WISH], Basis.CONFIG)
    assert [domain.exit_code for domain in report.domains] == [5, 0]
    assert report.domains[0].error is not None


def test_mailcow_without_a_key_and_behind_a_relay_is_told() -> None:
    with checking(keys=Mailcow(relay="relay.example")) as (_, session):
        check = check_domain(session, MAILCOW, Basis.CONFIG)
    assert {"dkim-no-key", "relayhost"} <= codes(check)
    assert states(check)["dkim"] == "ok"  # by itself


def test_mailcows_host_is_what_sends_unless_another_is_named() -> None:
    with checking(keys=Mailcow(KEY)) as (_, session):
        check = check_domain(session, MAILCOW, Basis.CONFIG)
        assert check.exit_code == 0
        named = DomainPolicy(dkim=DkimPolicy(source="mailcow"), server=["192.0.2.9"])
        other = check_domain(session, Wish("example.com", named), Basis.CONFIG)
    assert any("mail.example.com (203.0.113.25): pass" in text for text in check.conclusions)
    assert any("192.0.2.9: fail" in text for text in other.conclusions)
    assert other.exit_code == 8


FAR = Server("ns.example.net", "2001:db8::53")


def test_addresses_without_a_route_are_a_note_and_no_disagreement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(servers, "has_route", lambda place: ":" not in place[0])
    with checking(live=False) as (sandbox, session):
        own = parse_servers(sandbox.addresses.nameservers)
        check = check_domain(asking(session, *own, FAR), WISH, Basis.CONFIG)
    assert check.exit_code == 0
    [note] = [f for f in check.findings if f.code == ADDRESSES_NOT_ASKED]
    assert "The IPv6 addresses of ns.example.net were not asked" in note.message
    assert all(len(record.servers) == len(own) for record in check.records)


def test_an_address_that_answers_differently_is_named() -> None:
    """A dead one too: a route there is, and nobody at its end."""
    with checking(live=False) as (sandbox, session):
        own = parse_servers(sandbox.addresses.nameservers)
        dead = Server("ns.example.net", "127.0.0.2", closed_port())
        check = check_domain(asking(session, *own, dead), WISH, Basis.CONFIG)
    assert set(states(check).values()) == {"error"}
    [view] = [view for view in check.records[0].servers if view.state is State.ERROR]
    assert view.server.startswith("ns.example.net (127.0.0.2:")


def test_another_key_than_mailcows_is_wrong_and_told_to_fail_every_signature() -> None:
    with checking(keys=Mailcow(key_record(number=7))) as (_, session):
        check = check_domain(session, MAILCOW, Basis.CONFIG)
    assert states(check)["dkim"] == "wrong"
    assert "dkim-key-mismatch" in codes(check)


@pytest.mark.parametrize("live", [True, False])
def test_nothing_is_concluded_where_no_server_answers(live: bool) -> None:
    dead: Sequence[Server] = (Server("ns.example.net", ""),)
    with checking(live) as (_, session):
        check = check_domain(asking(session, *dead), WISH, Basis.CONFIG)
    assert set(states(check).values()) == {"error"}
    assert bool(check.conclusions) is live  # netcup's copy is something to conclude from
    assert check.exit_code == 8


def test_a_parked_domain_needs_no_key_unless_one_is_there_and_broken() -> None:
    parked = [r for r in RECORDS if r["type"] == "TXT" and r["hostname"] == "_dmarc"]
    parked.append({**RECORDS[2], "destination": "v=spf1 -all"})
    with checking() as (sandbox, session):
        sandbox.set_zone("example.com", parked)
        assert states(check_domain(session, ANY, Basis.CONFIG)) == {"spf": "ok", "dmarc": "ok"}
        sandbox.set_zone("example.com", [*parked, {**RECORDS[3], "destination": KEY[:100]}])
        assert states(check_domain(session, ANY, Basis.CONFIG))["dkim"] == "wrong"


def test_what_lags_is_pending_in_states_findings_and_conclusions() -> None:
    with checking() as (sandbox, session):
        sandbox.set_zone("example.com", [r for r in RECORDS if r["type"] != "TXT"])
        for number in range(3):
            sandbox.dns_fault(number, "stale")
        sandbox.set_zone("example.com", RECORDS)
        check = check_domain(session, ANY, Basis.CONFIG)
    assert set(states(check).values()) == {"pending"}
    assert check.exit_code == 9
    assert not check.dangers
    assert any("failing mail is quarantined" in text for text in check.conclusions)


# What DNS has, not what netcup's copy of the zone has


def without(*hostnames: str) -> list[dict[str, str]]:
    return [r for r in RECORDS if r["type"] != "TXT" or r["hostname"] not in hostnames]


def at(hostname: str, kind: str, value: str) -> dict[str, str]:
    return {"hostname": hostname, "type": kind, "priority": "0", "destination": value}


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    ("more", "state", "applies"),
    [
        ([at("*", "CNAME", "www.example.com"), at("www", "A", "203.0.113.80")], "missing", False),
        ([at("*", "TXT", "hello")], "missing", False),
        ([at("*", "TXT", "v=spf1 -all")], "missing", False),
        ([at("*", "TXT", DMARC)], "ok", True),
        ([at("_dmarc", "CNAME", "nowhere.example.com")], "conflict", False),
        ([at("_dmarc", "CNAME", "p.example.com"), at("p", "TXT", DMARC)], "ok", True),
    ],
)
def test_a_wildcard_with_something_else_is_no_conflict_and_an_alias_is(
    live: bool, more: list[dict[str, str]], state: str, applies: bool
) -> None:
    with checking(live) as (sandbox, session):
        sandbox.set_zone("example.com", [*without("_dmarc"), *more])
        check = check_domain(session, ANY, Basis.CONFIG)
    dmarc = next(record for record in check.records if record.kind == "dmarc")
    assert dmarc.state == state
    assert ("quarantined" in check.conclusions[-1]) == applies
    assert ("Delete the CNAME" in dmarc.advice) == (state == "conflict")
    if state == "missing":
        assert "*.example.com answers for it" in dmarc.servers[0].detail
        assert "plan example.com --dmarc-policy" in dmarc.advice


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("text", ["hello", "v=spf1 -all"])
def test_a_wildcards_text_at_the_selector_is_no_key_and_no_broken_one(
    live: bool, text: str
) -> None:
    with checking(live) as (sandbox, session):
        sandbox.set_zone("example.com", [*without("dkim._domainkey"), at("*", "TXT", text)])
        check = check_domain(session, ANY, Basis.CONFIG)
    assert states(check)["dkim"] == "missing"
    assert "dkim-syntax" not in codes(check)


def test_a_domain_with_spf_alone_is_never_all_right() -> None:
    with checking() as (sandbox, session):
        sandbox.set_zone("example.com", without("_dmarc", "dkim._domainkey"))
        wish = Wish("example.com", DomainPolicy(spf=SpfPolicy(record=SPF)))
        check = check_domain(session, wish, Basis.OPTIONS)
    assert states(check) == {"spf": "ok", "dkim": "missing", "dmarc": "missing"}
    assert check.exit_code == 8
    assert "--mailcow" in check.records[1].advice


@pytest.mark.parametrize(
    ("kind", "hostname", "text", "code"),
    [
        ("dmarc", "_dmarc", "v=DMARC1;p=none", "dmarc-multiple"),
        ("spf", "@", "v=spf1 a ~all", "spf-multiple"),
        ("dkim", "dkim._domainkey", key_record(number=2), "dkim-multiple"),
    ],
)
def test_conclusions_are_about_what_servers_have_and_what_is_coming_is_told(
    kind: str, hostname: str, text: str, code: str
) -> None:
    """Two records in netcup's copy are nothing to wait for; DNS still has the one."""
    with checking() as (_, session):
        assert session.apis is not None
        real = session.apis.zone("example.com")
        second = DnsRecord(None, hostname, "TXT", text)
        doubled = replace(real, records=(*real.records, second))
        reading: Any = Reading(lambda _: doubled)
        check = check_domain(replace(session, apis=reading), ANY, Basis.CONFIG)
        same = check_domain(session, ANY, Basis.CONFIG)
    assert states(check)[kind] == "ok"
    assert check.conclusions == same.conclusions
    [coming] = [finding for finding in check.findings if finding.code == code]
    assert coming.message.startswith("On its way: ")
    assert check.exit_code == 8


@dataclass(frozen=True)
class Vendors(Dns):
    """DNS in which others serve these texts, at names of which the zone's servers do not tell."""

    texts: Mapping[str, str | None] = field(default_factory=dict)

    def lookup(self) -> Lookup:
        resolver = Dns.lookup(self)

        def ask(queries: Sequence[Query]) -> list[Answer]:
            return [
                self._own(query) if query.name in self.texts else resolver([query])[0]
                for query in queries
            ]

        return ask

    def _own(self, query: Query) -> Answer:
        text = self.texts[query.name] if query.type == "TXT" else None
        return Answer(Status.EMPTY) if text is None else Answer(Status.OK, (text,))


def served_by_others(session: Session, texts: Mapping[str, str | None]) -> Session:
    return replace(session, dns=Vendors(session.dns.resolver, session.dns.servers, texts=texts))


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    ("there", "state"), [(DMARC, "ok"), ("v=DMARC1;p=nothing", "wrong"), (None, "missing")]
)
def test_a_delegation_is_followed_and_those_who_serve_the_name_are_told(
    live: bool, there: str | None, state: str
) -> None:
    with checking(live) as (sandbox, session):
        cut = at("_dmarc", "NS", "ns.vendor.example")
        sandbox.set_zone("example.com", [*RECORDS, cut])  # what stands below it is never served
        vendor = served_by_others(session, {"_dmarc.example.com": there})
        check = check_domain(vendor, ANY, Basis.CONFIG)
    dmarc = next(record for record in check.records if record.kind == "dmarc")
    assert dmarc.state == state
    assert all(
        "_dmarc.example.com is delegated to ns.vendor.example" in view.detail
        for view in dmarc.servers
    )
    assert ("quarantined" in check.conclusions[-1]) == (state == "ok")
    assert ("Change it where that name is served" in dmarc.advice) == (state != "ok")
    assert ("name-delegated" in codes(check)) == live


def test_a_delegated_key_is_as_those_have_it_who_serve_it() -> None:
    with checking() as (sandbox, session):
        cut = at("_domainkey", "NS", "ns.vendor.example")
        sandbox.set_zone("example.com", [*without("dkim._domainkey"), cut])
        vendor = served_by_others(session, {"dkim._domainkey.example.com": KEY})
        check = check_domain(vendor, ANY, Basis.CONFIG)
    assert (states(check)["dkim"], check.exit_code) == ("ok", 0)


# What was written from here


class Later(Clock):
    """A clock that shows what it would in some time; it may have been set back as well."""

    def __init__(self, by: timedelta) -> None:
        self.by = by

    def time(self) -> float:
        return super().time() + self.by.total_seconds()


@pytest.mark.parametrize(
    ("later", "wanted", "state"),
    [
        (timedelta(0), None, "pending"),
        (timedelta(hours=2), None, "pending"),
        (timedelta(days=1), None, "ok"),  # as published: what somebody else has made of it
        (-timedelta(minutes=1), None, "pending"),
        (-timedelta(days=1), None, "ok"),
        (timedelta(0), "v=spf1 a -all", "pending"),
        (timedelta(days=1), "v=spf1 a -all", "wrong"),
        (timedelta(0), "v=spf1 ip4:192.0.2.1 -all", "wrong"),  # was never written from here
    ],
)
def test_what_was_written_from_here_is_on_its_way_for_a_while_and_no_longer(
    later: timedelta, wanted: str | None, state: str
) -> None:
    written = {DesiredRecord(Kind.SPF, "@", "v=spf1 a -all"): datetime.now(UTC)}
    wish = (
        ANY if wanted is None else Wish("example.com", DomainPolicy(spf=SpfPolicy(record=wanted)))
    )
    with checking(live=False, state=Kept(last=written), clock=Later(later)) as (_, session):
        check = check_domain(session, wish, Basis.OPTIONS)
    assert states(check)["spf"] == state


def test_where_a_key_was_written_to_is_looked_at_however_long_ago_that_was() -> None:
    written = {DesiredRecord(Kind.DKIM, "s7._domainkey", KEY): datetime(2001, 1, 1, tzinfo=UTC)}
    with checking(live=False, state=Kept(last=written)) as (_, session):
        check = check_domain(session, ANY, Basis.CONFIG)
    assert [(r.name, r.state.value) for r in check.records if r.kind is Kind.DKIM] == [
        ("s7._domainkey.example.com", "missing")
    ]


# netcup's own mail


def of_netcups_mail(*more: dict[str, str]) -> list[dict[str, str]]:
    """The zone of a domain whose mail is netcup's: its MX, and CNAMEs to its keys."""
    others = [r for r in RECORDS if r["type"] != "MX" and r["hostname"] != "dkim._domainkey"]
    keys = [
        at(f"{key}._domainkey", "CNAME", f"{key}._domainkey.webhosting.systems")
        for key in ("key1", "key2")
    ]
    return [*others, *keys, at("@", "MX", "mxf8a.netcup.net"), *more]


def keys_of(check: DomainCheck) -> dict[str, str]:
    found = (record for record in check.records if record.kind is Kind.DKIM)
    return {record.name.partition(".")[0]: record.state.value for record in found}


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    ("more", "keys"),
    [
        ([], {"key1": "ok", "key2": "ok"}),
        ([at("dkim._domainkey", "TXT", KEY)], {"dkim": "ok"}),
        ([at("*", "TXT", "hello")], {"key1": "ok", "key2": "ok"}),
        ([at("@", "MX", "mail.example.com")], {"dkim": "missing"}),
    ],
    ids=["netcups", "own", "wildcard", "another-mx"],
)
def test_netcups_own_keys_are_those_of_a_domain_whose_mail_it_sends(
    live: bool, more: list[dict[str, str]], keys: dict[str, str]
) -> None:
    with checking(live) as (sandbox, session):
        sandbox.set_zone("example.com", of_netcups_mail(*more))
        check = check_domain(session, ANY, Basis.CONFIG)
    assert keys_of(check) == keys
    aliases = [r.servers[0].detail for r in check.records if r.name.startswith("key")]
    assert all("is a CNAME to key" in detail for detail in aliases)


# How often, and after how many answers


INCLUDING = "v=spf1 mx a include:_spf.example.net include:_spf.webhosting.systems -all"
WORLD = {
    "_spf.example.net": {"TXT": ["v=spf1 include:deeper.example.net -all"]},
    "deeper.example.net": {"TXT": ["v=spf1 ip4:198.51.100.7 -all"]},
    "25.113.0.203.in-addr.arpa": {"PTR": ["mail.example.com"]},
}
MANY = ("example.com", "example.org", "example.net", "example.info")


def shared(domain: str) -> list[dict[str, str]]:
    """A domain with the mail server and the include of all others."""
    own = [r for r in RECORDS if r["type"] != "A" or domain == "example.com"]
    return [{**r, "destination": INCLUDING} if r["destination"] == SPF else r for r in own]


@contextmanager
def many(live: bool = False) -> Iterator[tuple[Sandbox, Session]]:
    zones = {domain: shared(domain) for domain in MANY}
    world = {name: types for name, types in WORLD.items() if not name.endswith("example.net")}
    world |= {name.replace(".net", ".test"): WORLD[name] for name in WORLD if name not in world}
    with Sandbox([], zones=zones, world=world) as sandbox, backend_of(sandbox) as backend:
        dns = Dns(sandbox.addresses.resolver, tuple(sandbox.addresses.nameservers))
        yield sandbox, Session(backend if live else None, dns)


@pytest.mark.parametrize("live", [True, False])
def test_nothing_is_asked_of_the_resolver_twice_in_a_run(
    monkeypatch: pytest.MonkeyPatch, live: bool
) -> None:
    with many(live) as (sandbox, session):
        questions = noted(monkeypatch)
        wishes = [Wish(domain, DomainPolicy()) for domain in MANY]
        assert len(check(session, wishes, Basis.CONFIG).domains) == len(MANY)
        asked = questions.of(sandbox.addresses.resolver)
    assert len(asked) == len(set(asked))
    assert any("_spf.webhosting.systems" in question for question in asked)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("wish", [ANY, WISH], ids=["published", "wanted"])
def test_a_check_waits_for_no_answer_that_nothing_depends_on(
    monkeypatch: pytest.MonkeyPatch, wish: Wish, named: bool
) -> None:
    """The zone; its servers' addresses; what they have; includes and mail hosts; the reverse."""
    zones = {"example.com": shared("example.com")}
    with Sandbox([], zones=zones, world=WORLD) as sandbox:
        dns = Dns(sandbox.addresses.resolver)
        servers_ = parse_servers(sandbox.addresses.nameservers)
        # The resolver names servers at port 53; these are asked in their place.
        monkeypatch.setattr(servers, "_at", lambda _name, _answers: iter(servers_))
        if named:
            dns = Dns(sandbox.addresses.resolver, tuple(sandbox.addresses.nameservers))

        def waves() -> int:
            with monkeypatch.context() as patch:
                questions = noted(patch, LATE)
                fresh = replace(dns, cache=Cache())
                assert check_domain(Session(dns=fresh), wish, Basis.CONFIG).conclusions
                return questions.waves()

        # A machine that is busy may let one go out late, which looks like another wave.
        assert any(waves() <= (4 if named else 5) for _ in range(20))


def test_a_change_of_a_zones_own_servers_is_seen_at_once() -> None:
    """In one run, with one cache: what ``--wait`` and a rotation rest on."""
    with many() as (sandbox, session):
        assert states(check_domain(session, ANY, Basis.CONFIG))["spf"] == "ok"
        sandbox.set_zone("example.com", [r for r in shared("example.com") if r["type"] != "TXT"])
        assert states(check_domain(session, ANY, Basis.CONFIG))["spf"] == "missing"


def test_a_dead_server_is_asked_once_a_domain_where_others_have_waited_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(servers, "PATIENCE", 0.3)
    with many() as (sandbox, session):
        sandbox.dns_fault(1, "drop")
        wishes = [Wish(domain, DomainPolicy()) for domain in MANY]
        check_domain(session, wishes[0], Basis.CONFIG)
        before = int(sandbox.stats()["dns"][1])
        report = check(session, wishes, Basis.CONFIG)
        asked = int(sandbox.stats()["dns"][1]) - before
    assert asked == 2 * len(MANY)  # each question goes out twice
    assert all(set(states(domain).values()) == {"error"} for domain in report.domains)
    assert all(domain.conclusions for domain in report.domains)


def test_domains_come_in_their_order_each_as_soon_as_it_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = Event()

    def checked(_session: Session, wish: Wish, *_: Any) -> DomainCheck:
        if wish.domain == MANY[2]:
            assert seen.wait(60)  # the first is told while this one is still being asked about
        return DomainCheck(wish.domain, Basis.CONFIG)

    monkeypatch.setattr(checking_module, "check_domain", checked)
    found = check_each(Session(), [Wish(name, DomainPolicy()) for name in MANY], Basis.CONFIG)
    domains = []
    for one in found:
        domains.append(one.domain)
        seen.set()
    assert domains == list(MANY)


@pytest.mark.parametrize(("jobs", "most"), [(1, 1), (3, 3)])
def test_netcup_is_read_in_the_order_of_the_domains_by_as_many_as_there_are_jobs(
    jobs: int, most: int
) -> None:
    read: list[str] = []
    inside: set[str] = set()
    seen: list[int] = []
    with many(live=True) as (_, session):
        real = session.apis
        assert real is not None

        def zone(name: str) -> Zone:
            read.append(name)
            inside.add(name)
            seen.append(len(inside))
            time.sleep(0.05)
            inside.discard(name)
            with lock:
                return real.zone(name)

        lock = Lock()
        reading: Any = Reading(zone)
        wishes = [Wish(domain, DomainPolicy()) for domain in MANY]
        check(replace(session, apis=reading, jobs=jobs), wishes, Basis.CONFIG)
    assert sorted(read) == sorted(MANY)
    assert jobs > 1 or read == list(MANY)
    assert max(seen) <= most


def test_a_cache_never_speaks_for_the_servers_of_a_zone_whoever_asked_before() -> None:
    """One domain's record names another of the same run, so that the resolver is asked for it."""

    def served(text: str) -> list[dict[str, str]]:
        return [{**r, "destination": text} if r["destination"] == SPF else r for r in RECORDS]

    first, second = "example.com", "example.net"
    zones = {first: served(f"v=spf1 mx include:{second} -all"), second: served(SPF)}
    wishes = [Wish(name, DomainPolicy()) for name in (first, second)]
    with Sandbox([], zones=zones) as sandbox:
        dns = Dns(sandbox.addresses.resolver, tuple(sandbox.addresses.nameservers))

        def said() -> str:
            found = check(Session(dns=dns), wishes, Basis.PUBLISHED).domains[1]
            (spf,) = (record for record in found.records if record.kind is Kind.SPF)
            return str({text for view in spf.servers for text in view.values})

        assert said() == str({SPF})
        sandbox.set_zone(second, served("v=spf1 a -all"))
        assert dns.lookup()([Query(second, "TXT")]) == [Answer(Status.OK, (SPF,))], "as caches do"
        assert said() == str({"v=spf1 a -all"})

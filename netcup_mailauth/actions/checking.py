"""``check``: ask every authoritative server, and tell what receivers make of the answers.

In few waves: what does not depend on an answer is asked beside it. First where the zone is, then
what its servers have, then whatever follows from that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from netcup_mailauth.actions.domains import Gate, in_order
from netcup_mailauth.actions.planning import check_that_netcup_may_serve, sending_hosts
from netcup_mailauth.dnsio.lanes import both
from netcup_mailauth.dnsio.servers import (
    ZoneServers,
    answers_of,
    not_asked,
    surveyed_further,
    with_route,
)
from netcup_mailauth.errors import MailauthError, UnknownZoneError, UsageError, ZoneError
from netcup_mailauth.files import expanded
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import dkim as dkim_faults
from netcup_mailauth.judge import neighbours
from netcup_mailauth.judge import spf as spf_faults
from netcup_mailauth.judge.check import (
    Subject,
    Verdict,
    assembled,
    judge,
    of_copy,
    on_its_way,
    published,
    text_answer,
)
from netcup_mailauth.judge.compare import (
    AsServed,
    Elsewhere,
    Known,
    Target,
    advised,
    checked,
    cut_of,
    desired_of,
    in_silence,
    is_nowhere,
    may_be_coming,
    netcup_key_queries,
    netcup_selectors,
    targets_of,
    wildcard_of,
)
from netcup_mailauth.judge.report import Basis, CheckReport, DomainCheck, State
from netcup_mailauth.keys.private import signer_in_file
from netcup_mailauth.keys.sources import FILE
from netcup_mailauth.kinds import counting, problem_of
from netcup_mailauth.lookup import (
    SILENT,
    Lookup,
    Query,
    Rehearsal,
    ServerStatus,
    Status,
    Survey,
    ZoneLookup,
)
from netcup_mailauth.plan import Failure
from netcup_mailauth.policy import PARKED_SPF
from netcup_mailauth.records import Kind, Zone, is_zone_form
from netcup_mailauth.spf.check import is_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from netcup_mailauth.actions.domains import Tell
    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.judge.report import CheckedRecord
    from netcup_mailauth.lookup import Server
    from netcup_mailauth.policy import Wish


Outcome = TypeVar("Outcome")

ADDRESSES_NOT_ASKED = "addresses-not-asked"
"""The code of the note on addresses that this machine has no route to."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a domain's records are compared with, and what its servers said.

    Attributes:
        servers: the authoritative ones, at every address that this machine has a route to.
        findings: what had to be decided on the way.
    """

    known: Known
    servers: tuple[Server, ...]
    targets: tuple[Target, ...]
    basis: Basis
    survey: Survey
    findings: tuple[Finding, ...] = ()

    def query(self, target: Target) -> Query:
        """What to ask a server about a record."""
        return Query(target.name, "TXT")


DOMAINS_AT_ONCE = 32
"""Domains whose DNS is asked side by side; how many questions that may be, ``dnsio`` says."""


def check(
    session: Session,
    wishes: Iterable[Wish],
    basis: Basis,
    kinds: tuple[Kind, ...] = (),
    *,
    held: bool = True,
) -> CheckReport:
    """Check all domains, as `check_each` does."""
    return CheckReport(tuple(check_each(session, wishes, basis, kinds, held=held)))


def check_each(
    session: Session,
    wishes: Iterable[Wish],
    basis: Basis,
    kinds: tuple[Kind, ...] = (),
    *,
    held: bool = True,
) -> Iterator[DomainCheck]:
    """What is found about each domain, in their order, as it comes; all are asked side by side.

    One that fails does not stop the others, whatever its error. Without APIs in the session, what
    is only on its way counts as missing. ``kinds`` are the only ones to look at where nothing
    particular is wanted; all if empty. Signals wait for those that are being asked about, where
    they are ``held`` back.
    """

    def work(own: Session, wish: Wish, _tell: Tell) -> DomainCheck:
        try:
            return check_domain(own, wish, basis, kinds)
        except MailauthError as error:
            return DomainCheck(wish.domain, basis, error=Failure.of(error))

    return side_by_side(session, tuple(wishes), work, held=held)


def side_by_side(
    session: Session,
    wishes: Sequence[Wish],
    work: Callable[[Session, Wish, Tell], Outcome],
    *,
    held: bool = True,
) -> Iterator[Outcome]:
    """What work on each domain comes to, in their order, with the DNS of many asked side by side.

    netcup and mailcow are asked in their order too, for as many at a time as the session has jobs.
    """
    gate = Gate(session.jobs)

    def task(numbered: tuple[int, Wish], tell: Tell) -> Outcome:
        number, wish = numbered
        with gate.passing(number) as turn:
            return work(replace(session, turn=turn), wish, tell)

    return in_order(tuple(enumerate(wishes)), task, DOMAINS_AT_ONCE, held=held)


def check_domain(
    session: Session, wish: Wish, basis: Basis, kinds: tuple[Kind, ...] = ()
) -> DomainCheck:
    """Check one domain.

    Raises:
        MailauthError: nothing could be found out about it.
    """
    asked = _begin(session, wish, kinds, ahead=True)
    while True:
        found = _report(asked, _expectation(asked, basis))
        if found is not None:
            return found
        asked.go_on()


def expect(session: Session, wish: Wish, basis: Basis, kinds: tuple[Kind, ...] = ()) -> Expectation:
    """What the domain's records are compared with, and what its servers say.

    Raises:
        MailauthError: its zone or its key cannot be found out, or it does not exist.
    """
    asked = _begin(session, wish, kinds, ahead=False)
    while True:
        expectation = _expectation(asked, basis)
        if not asked.lacks:
            return expectation
        asked.go_on()


@dataclass(slots=True)
class _Asked:
    """What DNS has said about a domain so far.

    Judging it tells what is still to be asked: no answer is waited for on which nothing depends.

    Attributes:
        survey: what all servers said of the records looked for.
        served: what one of them said of the rest of the zone, and others of what lies outside.
        beyond: the answers for names that lie outside of netcup's copy of the zone.
        names: those of which every server is still to be asked.
    """

    session: Session
    known: Known
    servers: tuple[Server, ...]
    findings: list[Finding]
    survey: Survey
    served: Rehearsal
    beyond: Rehearsal
    resolver: Lookup
    names: tuple[Query, ...] = ()

    @property
    def copy(self) -> Lookup:
        """netcup's copy of the zone, and what lies outside; the servers where it was not read."""
        live = self.known.live
        return self.served if live is None else ZoneLookup(live, self.beyond)

    @property
    def lacks(self) -> bool:
        """Whether something was needed that is not known yet."""
        return bool(self.names or self.served.lacking or self.beyond.lacking)

    def go_on(self) -> None:
        """Ask for all that is lacking, side by side."""
        names, self.names = self.names, ()
        zone, order = self.known.zone, self.survey.order
        servers = ZoneServers(zone, order, self.resolver, self.survey.best())

        def rest() -> None:
            self.served.ask(servers)
            self.beyond.ask(self.resolver)

        self.survey, _ = both(lambda: surveyed_further(self.survey, names), rest)


def _begin(session: Session, wish: Wish, kinds: tuple[Kind, ...], *, ahead: bool) -> _Asked:
    """The first waves: where the zone is, which servers it has, and what they say.

    With what a check of any domain asks, if that lies ``ahead``.
    """
    _ask_for_cuts(session, wish)
    known, findings = _known(session, wish, kinds)
    every = session.dns.servers_of(known.zone)
    servers = with_route(every)
    findings += _not_asked(every)
    queries = [Query(name, "TXT") for name in known.names()]
    served, beyond = _ahead(session, known) if ahead else (Rehearsal(), Rehearsal())
    inside = [query for query in served.lacking if is_within(query.name, known.zone)]
    outside, resolver = Rehearsal(), session.lookup()
    outside([*(query for query in served.lacking if query not in inside), *beyond.lacking])
    found, _ = both(
        lambda: session.dns.survey(servers, queries, inside), lambda: outside.ask(resolver)
    )
    if not known.managed and is_nowhere(found, wish.domain):
        raise ZoneError(
            f"{wish.domain} does not exist: its name servers know no such name in the zone "
            f"{known.zone}.",
            "Look at the spelling.",
        )
    served = Rehearsal({**outside.known, **answers_of(found)})
    beyond = Rehearsal(outside.known)
    return _Asked(session, known, servers, findings, found, served, beyond, resolver)


def _ask_for_cuts(session: Session, wish: Wish) -> None:
    """Have it in the cache where the zone can begin, whose servers it has, and what is above it."""
    labels = wish.domain.split(".")
    names = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    queries = [Query(name, kind) for name in names for kind in ("SOA", "NS")]
    if wish.policy.zone is not None:
        queries = [Query(wish.policy.zone, "NS")]
    if session.apis is not None:
        queries.append(Query(labels[-1], "NS"))
    session.lookup()(queries)


def _ahead(session: Session, known: Known) -> tuple[Rehearsal, Rehearsal]:
    """What is asked about a domain of which nothing is known yet."""
    served, beyond = Rehearsal(), Rehearsal()
    lookup = served if known.live is None else ZoneLookup(known.live, beyond)
    hosts = sending_hosts(session, known.wish)
    parked = bool(known.wish.policy.parked)
    judge(Subject(known.domain, hosts, known.selectors, parked=parked), lookup)
    if not parked:
        list(neighbours.findings(known.domain, hosts, lookup))
    if Kind.DKIM in known.by_itself and not known.own_selectors:
        lookup(netcup_key_queries(known))
    return served, beyond


def _expectation(asked: _Asked, basis: Basis) -> Expectation:
    """What is expected, as far as it is known what netcup's own keys are."""
    known = asked.known
    known = replace(known, netcups=netcup_selectors(known, asked.survey, asked.copy))
    survey = asked.survey
    queries = (Query(name, "TXT") for name in known.names())
    asked.names = tuple(query for query in queries if query not in survey.queries)
    survey = in_silence(survey, asked.names)
    desired, decided = desired_of(known, survey)
    targets = targets_of(known, desired)
    if not known.managed:
        basis = Basis.PUBLISHED
    return Expectation(known, asked.servers, targets, basis, survey, (*asked.findings, *decided))


def _report(checked: _Asked, expectation: Expectation) -> DomainCheck | None:
    """What the servers' answers say, and what follows; ``None`` where more has to be asked."""
    known, asked = expectation.known, expectation.survey
    session, served, copy = checked.session, checked.served, checked.copy
    elsewhere = {t: _elsewhere(t, known.zone, asked, served) for t in expectation.targets}
    lookup = AsServed(
        served,
        copy,
        frozenset(query.name for query in asked.queries if asked.order),
        expectation.targets,
        frozenset(target.name for target, other in elsewhere.items() if other.wildcard),
    )
    subject = _subject(session, expectation, lookup)
    verdict = Verdict()
    more: list[Finding] = []
    if known.live is not None or asked.order:  # else there is nothing to conclude from
        verdict = judge(subject, lookup)
        if not subject.parked:
            more += neighbours.findings(known.domain, subject.hosts, lookup)
    more += of_copy(known, expectation.targets, lookup, parked=subject.parked)
    if checked.lacks:
        return None
    records = [
        _record(expectation, target, elsewhere[target], verdict)
        for target in expectation.targets
        if not _is_idle(target, subject, asked)
    ]
    more += on_its_way(known, expectation.targets, verdict.findings)
    return assembled(
        known,
        expectation.basis,
        records,
        verdict,
        expectation.findings,
        more,
    )


def _elsewhere(target: Target, zone: str, asked: Survey, served: Lookup) -> Elsewhere:
    """What answers in the place of a record, where its name itself has none."""
    answers = asked.of(Query(target.name, "TXT")).values()
    cut = cut_of(zone, answers)
    led_to: tuple[str, ...] = ()
    silent = False
    if cut or any(answer.status is ServerStatus.CNAME for answer in answers):
        there = text_answer(target.name, served)
        led_to, silent = counting(target.kind, there.values), there.status in SILENT
    found = [*led_to, *(v for answer in answers for v in counting(target.kind, answer.values))]
    usable = found and all(problem_of(target.kind, text) is None for text in found)
    wildcard = ""
    if any(answer.cname or (answer.values and not usable) for answer in answers):
        wildcard = wildcard_of(target.name, zone, answers, served)
    return Elsewhere(led_to, wildcard=wildcard, cut=cut, silent=silent)


def _record(
    expectation: Expectation, target: Target, elsewhere: Elsewhere, verdict: Verdict
) -> CheckedRecord:
    known = expectation.known
    answers = expectation.survey.of(Query(target.name, "TXT"))
    if target.kind is Kind.DMARC:
        elsewhere = replace(elsewhere, inherited=verdict.inherited)
    wanted = target.expected is not None or target.kind in known.managed
    basis = expectation.basis if wanted else Basis.PUBLISHED
    record = checked(target, answers, elsewhere)
    return advised(record, known.domain, basis, elsewhere, known.backend)


def _known(session: Session, wish: Wish, kinds: tuple[Kind, ...]) -> tuple[Known, list[Finding]]:
    zone = _zone(session, wish)
    source = wish.policy.dkim.source if wish.policy.dkim else None
    with session.turn:
        live, findings = _live(session, zone, wish.discovered)
        key = session.keys.key(source, wish.domain) if source else None
        relay = session.keys.relay(source, wish.domain) if source else None
    if source and key is None:
        findings.append(dkim_faults.no_key(wish.domain))
    if relay is not None:
        findings.append(spf_faults.relayhost(wish.domain, relay))
    applied = session.state.last_applied(wish.domain) if session.state else {}
    now = datetime.fromtimestamp(session.clock.time(), UTC)
    coming = tuple(record for record, written in applied.items() if may_be_coming(written, now))
    return Known(wish, zone, live, key, tuple(applied), coming, kinds), findings


def _zone(session: Session, wish: Wish) -> str:
    """The zone as configured, else as DNS says.

    Raises:
        ZoneError: there is no such domain.
    """
    zone = wish.policy.zone
    if zone is not None:
        if wish.domain != zone and not wish.domain.endswith(f".{zone}"):
            raise UsageError(
                f"{wish.domain} does not lie in the zone {zone}.",
                f'Correct zone in the table [domains."{wish.domain}"] of the config.',
            )
        return zone
    try:
        return session.dns.zone_of(wish.domain)
    except ZoneError:
        (answer,) = session.lookup()([Query(wish.domain, "NS")])
        if answer.status in SILENT and is_zone_form(wish.domain):
            return wish.domain  # its servers may be named, or say so themselves
        if answer.status is Status.NXDOMAIN:
            raise ZoneError(
                f"{wish.domain} does not exist in DNS.",
                "Look at the spelling. A domain just registered takes a few hours.",
            ) from None
        raise


def _live(session: Session, zone: str, discovered: bool) -> tuple[Zone | None, list[Finding]]:
    """netcup's copy of the zone, where there are credentials and netcup serves it.

    It only tells what is on its way from what is wrong, so a check goes on without it.
    """
    if session.apis is None or not _may_be_at_netcup(session, zone, discovered):
        return None, []
    try:
        if session.ended:
            raise session.ended[0]
        return session.apis.zone(zone), []
    except ZoneError:
        return None, []
    except MailauthError as error:
        if error.ends_run and not session.ended:
            session.ended.append(error)  # more tries would do harm
        return None, [_unread(error)]


def _may_be_at_netcup(session: Session, zone: str, discovered: bool) -> bool:
    """Whether netcup is to be asked for the zone: it counts a miss as an error."""
    try:
        check_that_netcup_may_serve(zone, session.lookup())
    except UnknownZoneError:
        return not discovered
    except ZoneError:
        return False
    return True


def _subject(session: Session, expectation: Expectation, lookup: Lookup) -> Subject:
    known = expectation.known
    policy = known.wish.policy
    source = policy.dkim.source if policy.dkim else None
    signer = None
    if source is not None and source.startswith(FILE):
        signer = signer_in_file(expanded(source.removeprefix(FILE)))
    return Subject(
        known.domain,
        sending_hosts(session, known.wish),
        _selectors(expectation),
        known.key.key if known.key else None,
        known.key.origin if known.key else "",
        signer.verifies_with if signer else None,
        bool(policy.parked) or _looks_parked(expectation, lookup),
    )


def _selectors(expectation: Expectation) -> tuple[str, ...]:
    """The selectors of the records looked for, else where a key is most likely."""
    suffix = f"._domainkey.{expectation.known.domain}"
    names = (target.name for target in expectation.targets if target.kind is Kind.DKIM)
    looked_for = tuple(name.removesuffix(suffix) for name in names)
    return looked_for or expectation.known.selectors


def _looks_parked(expectation: Expectation, lookup: Lookup) -> bool:
    """Whether what is published says that the domain sends no mail."""
    found = published(Kind.SPF, expectation.known.domain, lookup)
    return expectation.basis is Basis.PUBLISHED and found == (PARKED_SPF,)


def _is_idle(target: Target, subject: Subject, asked: Survey) -> bool:
    """Whether it is no loss that a key is not there: a domain that sends no mail needs none."""
    if not subject.parked or target.kind is not Kind.DKIM or target.wanted is not None:
        return False
    states = {view.state for view in checked(target, asked.of(Query(target.name, "TXT"))).servers}
    return states == {State.MISSING}


def _not_asked(servers: Sequence[Server]) -> list[Finding]:
    """What is to be said of addresses that the answers do not speak for."""
    told = not_asked(servers)
    if not told:
        return []
    advice = "What they serve is not known; run it on a machine that can reach them, too."
    return [Finding(ADDRESSES_NOT_ASKED, Severity.NOTE, told, advice)]


def _unread(error: MailauthError) -> Finding:
    return Finding(
        "netcup-not-read",
        Severity.WARNING,
        f"netcup's copy of the zone was not read, so what is only on its way counts as missing or "
        f"wrong here. {error.what}",
        error.advice,
    )

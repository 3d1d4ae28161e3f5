"""``check``: ask every authoritative server, and tell what receivers make of the answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netcup_mailauth.actions.planning import check_that_netcup_may_serve
from netcup_mailauth.dnsio.authority import Survey, ZoneServers, survey
from netcup_mailauth.dnsio.nameservers import ServerStatus, not_asked, with_route
from netcup_mailauth.errors import MailauthError, UnknownZoneError, UsageError, ZoneError
from netcup_mailauth.files import expanded
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import guard, neighbours
from netcup_mailauth.judge.check import (
    Subject,
    Verdict,
    assembled,
    judge,
    of_copy,
    text_answer,
    texts,
)
from netcup_mailauth.judge.compare import (
    Elsewhere,
    Known,
    Target,
    WithPromised,
    advised,
    checked,
    desired_of,
    is_nowhere,
    targets_of,
)
from netcup_mailauth.judge.report import Basis, CheckReport, DomainCheck, State
from netcup_mailauth.keys.proof import signer_in_file
from netcup_mailauth.keys.sources import FILE
from netcup_mailauth.lookup import SILENT, Lookup, Query, Status
from netcup_mailauth.names import is_zone_form
from netcup_mailauth.plan import Failure
from netcup_mailauth.policy import PARKED_SPF
from netcup_mailauth.records import DesiredRecord, Kind, Zone
from netcup_mailauth.zonelookup import ZoneLookup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from netcup_mailauth.actions.planning import Wish
    from netcup_mailauth.dnsio.nameservers import Server
    from netcup_mailauth.judge.report import CheckedRecord
    from netcup_mailauth.keys.sources import KeySources

ADDRESSES_NOT_ASKED = "addresses-not-asked"
"""The code of the note on addresses that this machine has no route to."""

ReadZone = Callable[[str], Zone]
"""Reads a zone from netcup; raises ``ZoneError`` where it is not at this account."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a domain's records are held against, and what its servers said.

    Attributes:
        known: what was known before.
        servers: the authoritative servers, at every address that this machine has a route to.
        targets: the records to look for.
        basis: where the expectation comes from.
        survey: the servers' answers.
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


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks domains.

    Attributes:
        find_zone: the zone a domain lies in, as DNS says.
        servers_of: the authoritative servers of a zone.
        dns: makes the look-up for one domain's names outside its zone.
        keys: where DKIM keys come from.
        read_zone: reads netcup's copy; ``None`` without credentials.
        recall: what this machine last wrote for a domain.
        kinds: the only kinds to look at where nothing particular is wanted; all if empty.
    """

    find_zone: Callable[[str], str]
    servers_of: Callable[[str], Sequence[Server]]
    dns: Callable[[], Lookup]
    keys: KeySources
    read_zone: ReadZone | None = None
    recall: Callable[[str], Sequence[DesiredRecord]] = lambda _: ()
    kinds: tuple[Kind, ...] = ()
    _ended: list[MailauthError] = field(default_factory=list, init=False)

    def check(self, wishes: Iterable[Wish], basis: Basis) -> CheckReport:
        """Check all domains; one that fails does not stop the others."""
        return CheckReport(tuple(self._attempt(wish, basis) for wish in wishes))

    def _attempt(self, wish: Wish, basis: Basis) -> DomainCheck:
        try:
            return self.domain(wish, basis)
        except MailauthError as error:
            return DomainCheck(wish.domain, basis, error=Failure.of(error))

    def domain(self, wish: Wish, basis: Basis) -> DomainCheck:
        """Check one domain.

        Raises:
            MailauthError: nothing could be found out about it.
        """
        return self.report(self.expect(wish, basis))

    def expect(self, wish: Wish, basis: Basis) -> Expectation:
        """What the domain's records are held against, and what its servers say.

        Raises:
            MailauthError: its zone or its key cannot be found out, or it does not exist.
        """
        known, findings = self._known(wish)
        every = self.servers_of(known.zone)
        servers = with_route(every)
        findings += _not_asked(every)
        asked = survey(servers, [Query(name, "TXT") for name in known.names()])
        if known.by_itself and is_nowhere(asked, wish.domain):
            raise ZoneError(
                f"{wish.domain} does not exist: its name servers know no such name in the zone "
                f"{known.zone}.",
                "Look at the spelling.",
            )
        desired, decided = desired_of(known, asked)
        targets = targets_of(known, desired)
        if known.recalled:
            basis = Basis.JOURNAL
        elif known.by_itself:
            basis = Basis.PUBLISHED
        return Expectation(known, servers, targets, basis, asked, (*findings, *decided))

    def report(self, expectation: Expectation) -> DomainCheck:
        """What the servers' answers say, and what follows for receivers."""
        known, asked = expectation.known, expectation.survey
        outside = self.dns()
        served = ZoneServers(known.zone, asked.order, outside, asked.best())
        lookup = WithPromised(
            served if known.live is None else ZoneLookup(known.live, outside), expectation.targets
        )
        subject = self._subject(expectation, lookup)
        verdict = Verdict()
        more: list[Finding] = []
        if known.live is not None or asked.order:  # else there is nothing to conclude from
            verdict = judge(subject, lookup)
            if not subject.parked:
                more += neighbours.findings(known.domain, subject.hosts, lookup)
        records = [
            advised(self._record(target, asked, served, verdict), known.domain, expectation.basis)
            for target in expectation.targets
            if not _is_idle(target, subject, asked)
        ]
        more += of_copy(known, expectation.targets, lookup, parked=subject.parked)
        return assembled(
            known,
            expectation.basis,
            records,
            verdict,
            expectation.findings,
            more,
        )

    def _record(
        self, target: Target, asked: Survey, served: Lookup, verdict: Verdict
    ) -> CheckedRecord:
        answers = asked.of(Query(target.name, "TXT"))
        led_to: tuple[str, ...] = ()
        if any(answer.status is ServerStatus.CNAME for answer in answers.values()):
            led_to = texts(target.kind, text_answer(target.name, served))
        inherited = verdict.inherited if target.kind is Kind.DMARC else ""
        return checked(target, answers, Elsewhere(led_to, inherited))

    def _known(self, wish: Wish) -> tuple[Known, list[Finding]]:
        zone = self._zone(wish)
        live, findings = self._live(zone, wish.discovered)
        source = wish.policy.dkim.source if wish.policy.dkim else None
        key = self.keys.key(source, wish.domain) if source else None
        if source and key is None:
            findings.append(guard.no_key(wish.domain))
        relay = self.keys.relay(source, wish.domain) if source else None
        if relay is not None:
            findings.append(guard.relayhost(wish.domain, relay))
        remembered = tuple(self.recall(wish.domain))
        return Known(wish, zone, live, key, remembered, self.kinds), findings

    def _zone(self, wish: Wish) -> str:
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
            return self.find_zone(wish.domain)
        except ZoneError:
            (answer,) = self.dns()([Query(wish.domain, "NS")])
            if answer.status in SILENT and is_zone_form(wish.domain):
                return wish.domain  # its servers may be named, or say so themselves
            if answer.status is Status.NXDOMAIN:
                raise ZoneError(
                    f"{wish.domain} does not exist in DNS.",
                    "Look at the spelling. A domain just registered takes a few hours.",
                ) from None
            raise

    def _live(self, zone: str, discovered: bool) -> tuple[Zone | None, list[Finding]]:
        """netcup's copy of the zone, where there are credentials and netcup serves it.

        It only tells what is on its way from what is wrong, so a check goes on without it.
        """
        if self.read_zone is None or not self._may_be_at_netcup(zone, discovered):
            return None, []
        try:
            if self._ended:
                raise self._ended[0]
            return self.read_zone(zone), []
        except ZoneError:
            return None, []
        except MailauthError as error:
            if error.ends_run and not self._ended:
                self._ended.append(error)  # more tries would do harm
            return None, [_unread(error)]

    def _may_be_at_netcup(self, zone: str, discovered: bool) -> bool:
        """Whether netcup is to be asked for the zone: it counts a miss as an error."""
        try:
            check_that_netcup_may_serve(zone, self.dns())
        except UnknownZoneError:
            return not discovered
        except ZoneError:
            return False
        return True

    def _subject(self, expectation: Expectation, lookup: Lookup) -> Subject:
        known = expectation.known
        policy = known.wish.policy
        source = policy.dkim.source if policy.dkim else None
        signer = None
        if source is not None and source.startswith(FILE):
            signer = signer_in_file(expanded(source.removeprefix(FILE)))
        return Subject(
            known.domain,
            self._hosts(known.wish),
            _selectors(expectation),
            known.key.key if known.key else None,
            known.key.origin if known.key else "",
            signer.verifies_with if signer else None,
            bool(policy.parked) or _looks_parked(expectation, lookup),
        )

    def _hosts(self, wish: Wish) -> tuple[str, ...]:
        if wish.policy.server is not None:
            return tuple(wish.policy.server)
        source = wish.policy.dkim.source if wish.policy.dkim else None
        host = self.keys.host(source) if source else None
        return (host,) if host else ()


def _selectors(expectation: Expectation) -> tuple[str, ...]:
    """The selectors of the records looked for, else where a key is most likely."""
    suffix = f"._domainkey.{expectation.known.domain}"
    names = (target.name for target in expectation.targets if target.kind is Kind.DKIM)
    looked_for = tuple(name.removesuffix(suffix) for name in names)
    return looked_for or expectation.known.selectors


def _looks_parked(expectation: Expectation, lookup: Lookup) -> bool:
    """Whether what is published says that the domain sends no mail."""
    found = texts(Kind.SPF, text_answer(expectation.known.domain, lookup))
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

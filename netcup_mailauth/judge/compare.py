"""Each server against what is wanted: ok, pending, missing, wrong, conflict, and what to do then.

What is wanted comes from the wish, else from the journal; netcup's copy of the zone, or else the
journal, tells what is only on its way. Where nothing is wanted, what is published is judged by
itself. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netcup_mailauth.desired import DEFAULT_SELECTOR, desired_records, report_authorisation
from netcup_mailauth.dmarc import authorisation_name
from netcup_mailauth.judge.faults import problem_of
from netcup_mailauth.judge.report import Basis, CheckedRecord, ServerView, State
from netcup_mailauth.kinds import hostname_of, is_of_kind, of_kind, same_meaning
from netcup_mailauth.lookup import Answer, Query, ServerStatus, Status
from netcup_mailauth.policy import MANAGED
from netcup_mailauth.records import (
    DesiredRecord,
    DnsRecord,
    Kind,
    Zone,
    absolute,
    relative,
    visible,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.findings import Finding
    from netcup_mailauth.lookup import Lookup, Server, ServerAnswer, Survey
    from netcup_mailauth.policy import Wish


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a domain before its servers are asked.

    Attributes:
        wish: the domain, and what it should have.
        zone: the zone's name.
        live: netcup's copy of the zone; ``None`` where it was not read.
        key: the key its mail is signed with, if known.
        remembered: what this machine last wrote for it.
        kinds: the kinds that are meant; all if empty.
    """

    wish: Wish
    zone: str
    live: Zone | None = None
    key: DkimSource | None = None
    remembered: tuple[DesiredRecord, ...] = ()
    kinds: tuple[Kind, ...] = ()

    @property
    def domain(self) -> str:
        """The mail domain."""
        return self.wish.domain

    @property
    def managed(self) -> tuple[Kind, ...]:
        """The kinds that something is wanted of; a selector alone is no wish."""
        policy = self.wish.policy
        sourced = bool(policy.dkim and policy.dkim.source)
        return tuple(k for k in policy.manages if k is not Kind.DKIM or sourced)

    @property
    def recalled(self) -> tuple[DesiredRecord, ...]:
        """What the journal wants, where neither options nor config want anything."""
        if self.managed:
            return ()
        return tuple(r for r in self.remembered if self._is_meant(r.kind))

    @property
    def by_itself(self) -> tuple[Kind, ...]:
        """The kinds to judge by themselves, where nothing is wanted at all."""
        if self.managed or self.recalled:
            return ()
        return tuple(kind for kind in MANAGED if self._is_meant(kind))

    @property
    def selectors(self) -> tuple[str, ...]:
        """The DKIM selectors to look at."""
        asked = self.wish.policy.dkim.selector if self.wish.policy.dkim else None
        named = asked or (self.key.selector if self.key else None)
        if named:
            return (named.lower(),)
        own = self._live_selectors() if not self.managed else ()
        return own or (DEFAULT_SELECTOR,)

    def names(self) -> tuple[str, ...]:
        """Every name that a record may have to be looked for at."""
        found = [_name(self, kind, s) for kind in MANAGED for s in self.selectors]
        found += [absolute(record.hostname, self.zone) for record in self.recalled]
        for domain, host in self.wish.authorises:
            found += [authorisation_name(domain, host), authorisation_name("*", host)]
        return tuple(dict.fromkeys(found))

    def _is_meant(self, kind: Kind) -> bool:
        return not self.kinds or kind in self.kinds

    def _live_selectors(self) -> tuple[str, ...]:
        if self.live is None:
            return ()
        below = f".{relative(f'_domainkey.{self.domain}', self.zone)}"
        names = (record.hostname for record in self.live.records if record.type == "TXT")
        return tuple(
            dict.fromkeys(
                h.removesuffix(below) for h in names if h.endswith(below) and "*" not in h
            )
        )


def _name(known: Known, kind: Kind, selector: str) -> str:
    return absolute(hostname_of(kind, known.domain, known.zone, selector), known.zone)


def served_zone(zone: str, texts: Mapping[str, Iterable[str]]) -> Zone:
    """What DNS has of a zone, by name: the base for a wish in parts where netcup's copy is not."""
    records = (
        DnsRecord(None, relative(name, zone), "TXT", value)
        for name, values in texts.items()
        for value in values
    )
    return Zone(zone, "dns", tuple(records))


def targets_of(known: Known, desired: Sequence[DesiredRecord]) -> tuple[Target, ...]:
    """The records to look for.

    Those desired; a kind that is wanted but could not be made into a record (mailcow has no key,
    two DMARC records are live) is judged by itself, and so is everything where nothing is wanted.
    """
    wanted = [*desired, *known.recalled]
    targets = [_wanted(known, record) for record in wanted]
    made = {record.kind for record in wanted}
    lacking = [k for k in MANAGED if k in known.by_itself or (k in known.managed and k not in made)]
    for kind in lacking:
        names = dict.fromkeys(_name(known, kind, selector) for selector in known.selectors)
        targets += (_published(known, kind, name) for name in names)
    order = list(Kind)
    return tuple(sorted(targets, key=lambda target: order.index(target.kind)))


def _wanted(known: Known, record: DesiredRecord) -> Target:
    held = _held(known, record.kind, record.hostname)
    promised = held is not None and same_meaning(record.kind, held, record.value)
    return Target(
        record.kind,
        absolute(record.hostname, known.zone),
        record.value,
        record.value if promised else None,
    )


def _published(known: Known, kind: Kind, name: str) -> Target:
    """What is judged by itself: netcup's copy tells what is coming, if it is a valid record."""
    held = None if known.live is None else _held(known, kind, relative(name, known.zone))
    usable = held is not None and problem_of(kind, held) is None
    return Target(kind, name, None, held if usable else None)


def _held(known: Known, kind: Kind, hostname: str) -> str | None:
    """The one text that netcup's copy has there, else the journal; ``None`` if not just one."""
    if known.live is None:
        texts = [r.value for r in known.remembered if (r.kind, r.hostname) == (kind, hostname)]
    elif known.live.at(hostname, "CNAME"):
        return None
    else:
        texts = [record.destination for record in of_kind(known.live, kind, hostname)]
    return texts[0] if len(texts) == 1 else None


def is_nowhere(asked: Survey, domain: str) -> bool:
    """Whether every server that answers says that the domain's name does not exist."""
    said = [a.status for s, a in asked.of(Query(domain, "TXT")).items() if s in asked.order]
    return bool(said) and all(status is ServerStatus.NXDOMAIN for status in said)


def desired_of(known: Known, asked: Survey) -> tuple[list[DesiredRecord], list[Finding]]:
    """The records wanted; parts are completed from netcup's copy, else from what DNS has."""
    wish = known.wish
    if not known.managed and not wish.authorises:
        return [], []
    texts_of = {query.name: answer.values for query, answer in asked.best().items()}
    base = known.live or served_zone(known.zone, texts_of)
    desired = desired_records(wish.domain, base, wish.policy, known.key)
    reports = (report_authorisation(domain, host, base) for domain, host in wish.authorises)
    return [*desired.records, *reports], desired.findings


@dataclass(frozen=True, slots=True)
class Target:
    """A record to look for.

    Attributes:
        kind: its kind.
        name: the full name it stands at.
        expected: the text it should have; ``None`` to judge what is published.
        promise: the text that netcup's copy of the zone or this machine's journal holds, if that
            is what is wanted, so that a server without it only lags.
    """

    kind: Kind
    name: str
    expected: str | None = None
    promise: str | None = None

    @property
    def wanted(self) -> str | None:
        """What a server should have, as far as that is known."""
        return self.expected if self.expected is not None else self.promise


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What stands in for a record that is not at its own name.

    Attributes:
        led_to: the texts of the record's kind at the end of a CNAME.
        inherited: the domain whose DMARC record applies to this one.
    """

    led_to: tuple[str, ...] = ()
    inherited: str = ""


NOWHERE = Elsewhere()


@dataclass(frozen=True, slots=True)
class WithPromised:
    """DNS as it will be: promised records in the place of what servers that lag still say.

    A receiver's conclusions rest on this, so that what only lags is never called wrong.
    """

    lookup: Lookup
    targets: tuple[Target, ...]

    def __call__(self, queries: Sequence[Query]) -> Sequence[Answer]:
        """One answer for each query, in the order asked."""
        answers = self.lookup(queries)
        return [
            self._corrected(query, answer) for query, answer in zip(queries, answers, strict=True)
        ]

    def _corrected(self, query: Query, answer: Answer) -> Answer:
        promised = [t for t in self.targets if t.promise is not None and t.name == query.name]
        if query.type != "TXT" or not promised:
            return answer
        kinds = [target.kind for target in promised]
        others = (v for v in answer.values if not any(is_of_kind(kind, v) for kind in kinds))
        return Answer(Status.OK, (*others, *(target.promise or "" for target in promised)))


def checked(
    target: Target, answers: Mapping[Server, ServerAnswer], elsewhere: Elsewhere = NOWHERE
) -> CheckedRecord:
    """The record as each server has it."""
    views = tuple(_view(target, server, answer, elsewhere) for server, answer in answers.items())
    return CheckedRecord(target.kind, target.name, target.expected, views)


def _view(target: Target, server: Server, answer: ServerAnswer, elsewhere: Elsewhere) -> ServerView:
    values = values_of(target.kind, answer)
    detail = answer.detail
    if answer.status is ServerStatus.CNAME:
        values = elsewhere.led_to
        nothing = "" if values else ", where no such record is"
        detail = f"it is a CNAME to {answer.cname}{nothing}"
    state = state_of(target, answer, values, elsewhere.inherited)
    if state is State.OK and not values:
        detail = f"none of its own; that of {elsewhere.inherited} applies"
    return ServerView(visible(server.label), values, state, visible(detail))


def values_of(kind: Kind, answer: ServerAnswer) -> tuple[str, ...]:
    """The texts of a kind in an answer."""
    return tuple(value for value in answer.values if is_of_kind(kind, value))


def state_of(
    target: Target, answer: ServerAnswer, values: tuple[str, ...], inherited: str = ""
) -> State:
    """How one server's answer stands to what is wanted.

    Args:
        target: what is wanted.
        answer: what the server said.
        values: the texts of the kind, those at the end of a CNAME included.
        inherited: the domain whose DMARC record applies where there is none.
    """
    match answer.status:
        case ServerStatus.OK | ServerStatus.EMPTY | ServerStatus.NXDOMAIN:
            state = _compared(target, values, inherited)
        case ServerStatus.CNAME:
            # A receiver follows it. Where it finds something else, no other record can be put
            # beside the CNAME.
            led = _compared(target, values, "")
            state = led if led is State.OK else State.CONFLICT
        case _:
            return State.ERROR
    return State.PENDING if target.promise is not None and state is not State.OK else state


def _compared(target: Target, values: tuple[str, ...], inherited: str) -> State:
    if not values:
        return State.OK if inherited and target.wanted is None else State.MISSING
    if len(values) > 1:
        return State.CONFLICT
    if target.wanted is not None:
        same = same_meaning(target.kind, values[0], target.wanted)
        return State.OK if same else State.WRONG
    return State.OK if problem_of(target.kind, values[0]) is None else State.WRONG


PENDING = (
    "netcup has it already; its name servers follow in 10 to 30 minutes. Nothing to do but wait, "
    "or let --wait do it."
)
_AGAIN = {
    Basis.OPTIONS: "To see what would put it right, give plan the same options.",
    Basis.JOURNAL: (
        "It is not what was last written from here. To write that again, repeat that apply; to "
        "accept the new one, name what you want now as options or in a config."
    ),
}
_FIRST = {
    Kind.SPF: "Publish one:\n  netcup-mailauth plan {domain} --spf-require mx",
    Kind.DKIM: (
        "If the mail server signs with another selector, name it with --selector. Else publish "
        "its key:\n  netcup-mailauth plan {domain} --mailcow https://mail.{domain}"
    ),
    Kind.DMARC: (
        "Publish one:\n  netcup-mailauth plan {domain} --dmarc-policy none "
        "--rua mailto:postmaster@{domain}"
    ),
    Kind.DMARC_REPORT: "Plan both domains in one run; then that record is planned as well.",
}
_DISAGREE = (
    "The name servers disagree. For half an hour after a change that is how netcup's look; after "
    "that it is wrong."
)
_ALIAS = "Delete the CNAME in the CCP if it is yours to delete, and put the record in its place."
_SILENT = (
    "Without its answer nobody knows what it tells receivers. Try again; if it stays so, ask those "
    "who run it."
)


def advised(record: CheckedRecord, domain: str, basis: Basis) -> CheckedRecord:
    """The record with what to do about its state."""
    return replace(record, advice=_advice(record, domain, basis))


def _advice(record: CheckedRecord, domain: str, basis: Basis) -> str:
    match record.state:
        case State.OK:
            return ""
        case State.PENDING:
            return PENDING
        case State.ERROR:
            return _SILENT
        case State.CONFLICT if any(len(view.values) < 2 for view in _worst(record)):
            return _ALIAS
        case _ if basis is Basis.CONFIG:
            return f"To see what would put it right:\n  netcup-mailauth plan {domain}"
        case _ if basis in _AGAIN:
            return _AGAIN[basis]
        case State.MISSING if any(view.state is State.OK for view in record.servers):
            return f"{_DISAGREE}\n{_FIRST[record.kind].format(domain=domain)}"
        case State.MISSING:
            return _FIRST[record.kind].format(domain=domain)
        case _:
            return ""  # a finding says what is wrong with the text, and what to do


def _worst(record: CheckedRecord) -> tuple[ServerView, ...]:
    return tuple(view for view in record.servers if view.state is record.state)

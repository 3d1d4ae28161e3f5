"""Each server against what is wanted: ok, pending, missing, wrong, conflict, and what to do then.

What is wanted comes from the wish, else from the journal; netcup's copy of the zone, or else the
journal, tells what is only on its way. Where nothing is wanted, what is published is judged by
itself. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from netcup_mailauth import dkim, propagation
from netcup_mailauth.desired import DEFAULT_SELECTOR, desired_records, report_authorisations
from netcup_mailauth.dmarc import authorisation_name
from netcup_mailauth.judge.dkim import OWN_SIGNATURE
from netcup_mailauth.judge.neighbours import in_order, is_mail_at_netcup
from netcup_mailauth.judge.report import Basis, CheckedRecord, ServerView, State
from netcup_mailauth.judge.zone import NETCUP_SELECTORS, is_netcup_key
from netcup_mailauth.kinds import (
    counting,
    counts,
    hostname_of,
    is_of_kind,
    problem_of,
    same_meaning,
)
from netcup_mailauth.lookup import USABLE, Answer, Query, ServerAnswer, ServerStatus, Status, Survey
from netcup_mailauth.policy import MANAGED
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone, absolute, relative
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.findings import Finding
    from netcup_mailauth.lookup import Lookup, Server
    from netcup_mailauth.policy import Wish


LONGEST_ON_ITS_WAY = timedelta(hours=3)
"""After this a record that was written and is not served is no longer on its way.

How soon netcup's name servers follow is in `propagation`, and signing adds some (confidence: M);
the rest is for a bad day of theirs (confidence: L). Caches do not count, as only the zone's own
servers are asked.
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a domain before its servers are asked.

    Attributes:
        live: netcup's copy of the zone; ``None`` where it was not read.
        key: the key its mail is signed with, if known.
        remembered: what this machine last wrote for it, of each kind, however long ago: where a
            key is to be looked for.
        coming: what of that may still be on its way. It only tells that from what is wrong,
            where netcup's copy does not.
        kinds: the kinds that are meant; all if empty.
        netcups: the selectors of netcup's own keys, where netcup sends; see
            :func:`netcup_selectors`.
    """

    wish: Wish
    zone: str
    live: Zone | None = None
    key: DkimSource | None = None
    remembered: tuple[DesiredRecord, ...] = ()
    coming: tuple[DesiredRecord, ...] = ()
    kinds: tuple[Kind, ...] = ()
    netcups: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        """The mail domain."""
        return self.wish.domain

    @property
    def backend(self) -> str:
        """The API that the zone lies at; empty where netcup's copy was not read."""
        return self.live.backend if self.live is not None else ""

    @property
    def managed(self) -> tuple[Kind, ...]:
        """The kinds that something is wanted of; a selector alone is no wish."""
        policy = self.wish.policy
        sourced = bool(policy.dkim and policy.dkim.source)
        return tuple(k for k in policy.manages if k is not Kind.DKIM or sourced)

    @property
    def by_itself(self) -> tuple[Kind, ...]:
        """The kinds to judge by themselves: nothing is wanted of them, nor are they excluded."""
        policy = self.wish.policy
        excluded = (kind for kind in MANAGED if getattr(policy, kind.value) is False)
        out, meant = {*self.managed, *excluded}, self.kinds or MANAGED
        return tuple(kind for kind in MANAGED if kind in meant and kind not in out)

    @property
    def selectors(self) -> tuple[str, ...]:
        """The DKIM selectors to look at."""
        return self.own_selectors or self.netcups or (DEFAULT_SELECTOR,)

    @property
    def own_selectors(self) -> tuple[str, ...]:
        """Those of the domain's own keys: named, else in netcup's copy, else written from here."""
        asked = self.wish.policy.dkim.selector if self.wish.policy.dkim else None
        named = asked or (self.key.selector if self.key else None)
        if named:
            return (named.lower(),)
        if Kind.DKIM in self.managed:
            return ()
        return self._live_selectors() or self._remembered_selectors()

    def names(self) -> tuple[str, ...]:
        """Every name that a record may have to be looked for at."""
        found = [_name(self, kind, s) for kind in MANAGED for s in self.selectors]
        found += [absolute(record.hostname, self.zone) for record in self.reports]
        for domain, host in self.wish.authorises:
            found += [authorisation_name(domain, host), authorisation_name("*", host)]
        return tuple(dict.fromkeys(found))

    @property
    def reports(self) -> tuple[DesiredRecord, ...]:
        """The report authorisations on their way from here, where nothing is wanted."""
        if self.managed or self.kinds:
            return ()
        return tuple(r for r in self.coming if r.kind is Kind.DMARC_REPORT)

    def _live_selectors(self) -> tuple[str, ...]:
        if self.live is None:
            return ()
        return self._selectors_of(r.hostname for r in self.live.records if r.type == "TXT")

    def _remembered_selectors(self) -> tuple[str, ...]:
        return self._selectors_of(r.hostname for r in self.remembered if r.kind is Kind.DKIM)

    def _selectors_of(self, hostnames: Iterable[str]) -> tuple[str, ...]:
        below = f".{relative(f'_domainkey.{self.domain}', self.zone)}"
        own = (h.removesuffix(below) for h in hostnames if h.endswith(below) and "*" not in h)
        return tuple(dict.fromkeys(own))


def may_be_coming(written: datetime, now: datetime) -> bool:
    """Whether a server without what was written then may only lag.

    A clock that was set back since puts the write into the future: a little of that is as much of
    a reason to wait, more of it is none.
    """
    return abs(now - written) < LONGEST_ON_ITS_WAY


def _name(known: Known, kind: Kind, selector: str) -> str:
    return absolute(hostname_of(kind, known.domain, known.zone, selector), known.zone)


def netcup_selectors(known: Known, asked: Survey, lookup: Lookup) -> tuple[str, ...]:
    """The selectors of netcup's own keys, where netcup sends and no other key is known.

    Those that lead to keys; if none does, all of its CNAMEs, so that this is told (facts
    2026-11-26, B8).
    """
    if Kind.DKIM not in known.by_itself or known.own_selectors:
        return ()
    default = Query(_name(known, Kind.DKIM, DEFAULT_SELECTOR), "TXT")
    answers = asked.of(default).values()
    if any(answer.cname or any(map(dkim.is_dkim, answer.values)) for answer in answers):
        return ()
    (mx,) = lookup([Query(known.domain, "MX")])
    if not is_mail_at_netcup(in_order(mx.values)):
        return ()
    answers_at_names = lookup(netcup_key_queries(known))
    half = len(NETCUP_SELECTORS)
    aliases, keys = answers_at_names[:half], answers_at_names[half:]
    netcups = {
        selector: any(map(dkim.is_dkim, key.values))
        for selector, alias, key in zip(NETCUP_SELECTORS, aliases, keys, strict=True)
        if any(map(is_netcup_key, alias.values))
    }
    return tuple(s for s, leads in netcups.items() if leads) or tuple(netcups)


def in_silence(asked: Survey, queries: Sequence[Query]) -> Survey:
    """A survey in which the servers have said nothing yet of further queries."""
    nothing = (ServerAnswer(ServerStatus.NO_ANSWER),) * len(queries)
    answers = {server: (*own, *nothing) for server, own in asked.answers.items()}
    return Survey((*asked.queries, *queries), answers, asked.order, asked.beside)


def netcup_key_queries(known: Known) -> list[Query]:
    """What tells of netcup's own keys: the CNAME at each of their names, and the TXT behind it."""
    names = [_name(known, Kind.DKIM, selector) for selector in NETCUP_SELECTORS]
    return [*(Query(name, "CNAME") for name in names), *(Query(name, "TXT") for name in names)]


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
    two DMARC records are live) is judged by itself, and so is a kind of which nothing is wanted.
    """
    targets = [_wanted(known, record) for record in desired]
    made = {record.kind for record in desired}
    lacking = [k for k in MANAGED if k in known.by_itself or (k in known.managed and k not in made)]
    for kind in lacking:
        names = dict.fromkeys(_name(known, kind, selector) for selector in known.selectors)
        targets += (_published(known, kind, name) for name in names)
    targets += (
        _published(known, report.kind, absolute(report.hostname, known.zone))
        for report in known.reports
    )
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
    """What is judged by itself: netcup's copy, else the journal, tells what is coming.

    If it is a valid record.
    """
    held = _held(known, kind, relative(name, known.zone))
    usable = held is not None and problem_of(kind, held) is None
    return Target(kind, name, None, held if usable else None)


def _held(known: Known, kind: Kind, hostname: str) -> str | None:
    """The one text that netcup's copy has there, else what comes; ``None`` if not just one."""
    if known.live is None:
        coming = (r for r in known.coming if (r.kind, r.hostname) == (kind, hostname))
        texts = tuple(record.value for record in coming)
    elif known.live.at(hostname, "CNAME") or known.live.delegation(hostname):
        return None  # what stands there as well is not what is served
    else:
        found = (record.destination for record in known.live.at(hostname, "TXT"))
        texts = counting(kind, dict.fromkeys(found))
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
    reports = report_authorisations(wish, base)
    return [*desired.records, *reports], desired.findings


@dataclass(frozen=True, slots=True)
class Target:
    """A record to look for.

    Attributes:
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
        led_to: the texts at the end of a CNAME or of a delegation.
        inherited: the domain whose DMARC record applies to this one.
        wildcard: the wildcard that answers for the name; empty if it has records of its own.
        cut: where the zone begins that the name is delegated to; empty if it is not.
        silent: whether the servers of that zone gave no answer.
    """

    led_to: tuple[str, ...] = ()
    inherited: str = ""
    wildcard: str = ""
    cut: str = ""
    silent: bool = False


NOWHERE = Elsewhere()


def cut_of(zone: str, answers: Iterable[ServerAnswer]) -> str:
    """Where below a zone another one begins, by what the servers of the zone refer to.

    A server that does not serve the zone refers to it, or to what is above it.
    """
    return next((a.cut for a in answers if a.cut.endswith(f".{zone}")), "")


def wildcard_of(name: str, zone: str, answers: Iterable[ServerAnswer], lookup: Lookup) -> str:
    """The wildcard of a zone that answers for a name; empty if none does.

    Servers do not say it, so it is told by its having the same records as the name.
    """
    own = [(set(answer.values), answer.cname) for answer in answers if answer.status in USABLE]
    found, same, above = "", True, name.partition(".")[2]
    while same and (above == zone or above.endswith(f".{zone}")):
        wildcard = f"*.{above}"
        alias, texts = lookup([Query(wildcard, "CNAME"), Query(wildcard, "TXT")])
        if alias.values or texts.values:
            same = any(
                cname in alias.values if cname else values == set(texts.values)
                for values, cname in own
                if values or cname
            )
            if same:  # or one above answers, for the name of this one as well
                found = wildcard
        above = above.partition(".")[2]
    return found


@dataclass(frozen=True, slots=True)
class AsServed:
    """DNS as receivers see it, and as it will be where that is known.

    The names that servers were asked about are as they serve them, with promised records in the
    place of what servers that lag still say: a receiver's conclusions rest on this, so that what
    only lags is never called wrong. All other names are as in netcup's copy of the zone.

    Attributes:
        served: what the servers say.
        copy: what netcup's copy of the zone says; the servers too where it was not read.
        names: the names that the servers were asked about.
        caught: the names for which a wildcard answers.
    """

    served: Lookup
    copy: Lookup
    names: frozenset[str]
    targets: tuple[Target, ...]
    caught: frozenset[str] = frozenset()

    def __call__(self, queries: Sequence[Query]) -> Sequence[Answer]:
        """One answer for each query, in the order asked."""
        if self.copy is self.served:
            found = zip(queries, self.served(queries), strict=True)
            return [self._corrected(query, answer) for query, answer in found]
        asked = [q for q in queries if self._is_served(q)]
        rest = [q for q in queries if not self._is_served(q)]
        told = dict(zip(asked, self.served(asked), strict=True)) if asked else {}
        told |= zip(rest, self.copy(rest), strict=True) if rest else ()
        return [self._corrected(query, told[query]) for query in queries]

    def _is_served(self, query: Query) -> bool:
        return query.type == "TXT" and query.name in self.names

    def _corrected(self, query: Query, answer: Answer) -> Answer:
        if query.type != "TXT":
            return answer
        own = [target for target in self.targets if target.name == query.name]
        values = answer.values
        if query.name in self.caught:
            values = tuple(v for v in values if any(is_of_kind(t.kind, v) for t in own))
        promised = [target for target in own if target.promise is not None]
        if promised:
            others = (v for v in values if not any(counts(t.kind, v) for t in promised))
            return Answer(Status.OK, (*others, *(target.promise or "" for target in promised)))
        if values == answer.values:
            return answer
        return Answer(Status.OK if values else Status.EMPTY, values)


def checked(
    target: Target, answers: Mapping[Server, ServerAnswer], elsewhere: Elsewhere = NOWHERE
) -> CheckedRecord:
    """The record as each server has it."""
    views = tuple(_view(target, server, answer, elsewhere) for server, answer in answers.items())
    return CheckedRecord(target.kind, target.name, target.expected, views)


def _view(target: Target, server: Server, answer: ServerAnswer, elsewhere: Elsewhere) -> ServerView:
    values = counting(target.kind, answer.values)
    detail = answer.detail
    delegated = elsewhere.cut and answer.cut == elsewhere.cut
    if answer.status is ServerStatus.CNAME or delegated:
        values = elsewhere.led_to
        leads = f"it is a CNAME to {answer.cname}"
        if delegated:
            leads = f"{answer.cut} is delegated to {' and '.join(answer.servers)}"
        nothing = ", where no such record is"
        if delegated and elsewhere.silent:
            nothing = ", which DNS gives no answer from"
        detail = leads if values else f"{leads}{nothing}"
    if elsewhere.wildcard and answer.status in USABLE:
        values = tuple(value for value in values if is_of_kind(target.kind, value))
        which = "" if values else f", with no {target.kind.upper()} record"
        detail = f"{elsewhere.wildcard} answers for it{which}"
    state = _state_of(target, answer, values, elsewhere)
    if state is State.OK and not values:
        detail = f"none of its own; that of {elsewhere.inherited} applies"
    return ServerView(visible(server.label), values, state, visible(detail))


def _state_of(
    target: Target, answer: ServerAnswer, values: tuple[str, ...], elsewhere: Elsewhere
) -> State:
    """How one server's answer stands to what is wanted.

    ``values`` are the texts of the kind, those at the end of a CNAME or a delegation included;
    ``elsewhere`` says where they come from, if not from the name itself.
    """
    match answer.status:
        case ServerStatus.CNAME if not elsewhere.wildcard:
            # A receiver follows it. Where it finds something else, no other record can be put
            # beside the CNAME.
            state = _compared(target, values, "")
            state = state if state is State.OK else State.CONFLICT
        case ServerStatus.OK | ServerStatus.EMPTY | ServerStatus.NXDOMAIN | ServerStatus.CNAME:
            state = _compared(target, values, elsewhere.inherited)
        case _ if elsewhere.cut and answer.cut == elsewhere.cut and not elsewhere.silent:
            return _compared(target, values, elsewhere.inherited)  # netcup holds nothing of it
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


_PENDING = (
    "netcup has it already; its name servers follow in {span}. Nothing to do but wait, or let "
    "check --wait do it."
)
_FIRST = {
    Kind.SPF: "Publish one:\n  netcup-mailauth plan {domain} --spf-require mx",
    Kind.DKIM: (
        "If the mail server signs with another selector, name it with --selector. Else publish "
        "its key with --mailcow or --dkim, for WEB.DE and GMX insist on a signature of the "
        "sender's own domain."
    ),
    Kind.DMARC: (
        "Publish one:\n  netcup-mailauth plan {domain} --dmarc-policy none "
        "--rua mailto:postmaster@{domain}"
    ),
    Kind.DMARC_REPORT: "Plan both domains in one run; then that record is planned as well.",
}
_DISAGREE = (
    "The name servers disagree. For {span} after a change that is how netcup's look; after that it "
    "is wrong."
)
_ALIAS = "Delete the CNAME in the CCP if it is yours to delete, and put the record in its place."
_SILENT = (
    "Without its answer nobody knows what it tells receivers. Try again; if it stays so, ask those "
    "who run it."
)


_WHERE_IT_IS_SERVED = (
    "Change it where that name is served: a record in the zone itself is never seen. If nobody "
    "serves it any more, delete the NS records in the CCP."
)


def advised(
    record: CheckedRecord,
    domain: str,
    basis: Basis,
    elsewhere: Elsewhere = NOWHERE,
    backend: str = "",
) -> CheckedRecord:
    """The record with what to do about its state; ``backend`` is the API of its zone, if known."""
    if elsewhere.cut and record.state is not State.OK:
        return replace(record, advice=_WHERE_IT_IS_SERVED)
    return replace(record, advice=_advice(record, domain, basis, propagation.span([backend])))


def _advice(record: CheckedRecord, domain: str, basis: Basis, span: str) -> str:
    match record.state:
        case State.OK:
            return ""
        case State.PENDING:
            return _PENDING.format(span=span)
        case State.ERROR:
            return _SILENT
        case State.CONFLICT if any(len(view.values) < 2 for view in _worst(record)):
            return _ALIAS
        case _ if basis is not Basis.PUBLISHED:
            return f"{_why(record)}To see what would put it right:\n  netcup-mailauth plan {domain}"
        case State.MISSING if any(view.state is State.OK for view in record.servers):
            return f"{_DISAGREE.format(span=span)}\n{_FIRST[record.kind].format(domain=domain)}"
        case State.MISSING:
            return _FIRST[record.kind].format(domain=domain)
        case _:
            return ""  # a finding says what is wrong with the text, and what to do


def _why(record: CheckedRecord) -> str:
    """Whom it matters to that the record is missing, before what to do about it."""
    missing = record.kind is Kind.DKIM and record.state is State.MISSING
    return f"{OWN_SIGNATURE} " if missing else ""


def _worst(record: CheckedRecord) -> tuple[ServerView, ...]:
    return tuple(view for view in record.servers if view.state is record.state)

"""The one place where the golden table calls the package: a case in, the findings out."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from netcup_mailauth import dkim, dmarc, kinds, remedy, spf
from netcup_mailauth.actions.checking import check
from netcup_mailauth.actions.planning import draft
from netcup_mailauth.actions.session import Session
from netcup_mailauth.desired import desired_records
from netcup_mailauth.dnsio import servers
from netcup_mailauth.errors import ApiError, CredentialsError, MailauthError, ZoneError
from netcup_mailauth.judge import case as judged_by
from netcup_mailauth.judge import holding
from netcup_mailauth.judge.report import Basis
from netcup_mailauth.keys.forms import read_key
from netcup_mailauth.keys.sources import Sources
from netcup_mailauth.lookup import Answer, Query, Server, ServerAnswer, ServerStatus, Status, silent
from netcup_mailauth.plan import Action, Change, ChangeSet, Place, compute
from netcup_mailauth.policy import DomainPolicy, Wish
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone, reason_not_to_store
from netcup_mailauth.render.checks import grounds
from tests.core.golden.cases import Changing, Checking, Planning, Reading, private_key
from tests.sessions import Answering, Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.findings import Finding
    from netcup_mailauth.judge.report import DomainCheck
    from tests.core.golden.cases import Case, Dns

JUDGES = ("judge", "desired.py", "spf/lint.py", "spf/mistakes.py")
"""Where every statement and every choice of a text is to be reached by the cases."""

WORDED_AS = {"dmarc/record.py": "DmarcSyntaxError"}
"""Where the words of a fault are those of an error, and of which."""

NEVER = frozenset(
    {
        'judge/compare.py: ""',  # for the type checker: what has no promise was left out before
        "desired.py: return None",  # likewise: a bare key is never a revoked one
        "dmarc/record.py: raise DmarcSyntaxError(*problem)",  # only of an address that a user gives
    }
)
"""What of that no case can reach."""

NOT_WORDED = ("planfile.py",)
"""Where findings are made that were worded elsewhere: they are read from a file."""


def judged(case: Case) -> Iterator[str]:
    """What is found, a paragraph each; for a check, how each record stands as well."""
    try:
        match case:
            case Changing():
                yield from _changing(case)
            case Planning():
                yield from _planning(case)
            case Checking():
                yield from _checking(case)
            case Reading():
                _READERS[case.reader](case.text)
    except MailauthError as error:
        yield "\n".join(["error", f"    {error.what}", f"  > {error.advice}"])


_READERS: dict[str, Callable[[str], object]] = {
    "spf": spf.parse_wanted,
    "term": spf.parse_term,
    "dkim": dkim.parse,
    "dmarc": dmarc.parse,
}


def _told(finding: Finding, about: str = "") -> str:
    lines = [f"{finding.severity} {finding.code}{about}", f"    {finding.message}"]
    lines += (f"  > {line}" for line in finding.advice.splitlines())
    return "\n".join(lines)


def _changing(case: Changing) -> Iterator[str]:
    before = _fixed(_zone(case.zone, case.domain, draft=case.draft, ttl=case.ttl), case.fixed)
    subject, decided = _subject(case, before, DomainPolicy.model_validate(case.policy))
    change_set = holding.settled(subject, decided)
    yield from _planned(change_set)
    if holding.stopping(change_set) and not case.changes:
        yield from _ways(case, before, subject, decided)


def _subject(
    case: Changing, before: Zone, policy: DomainPolicy
) -> tuple[judged_by.Case, list[Finding]]:
    place = Place(case.domain, before.name)
    key = _source(case.key)
    decided: list[Finding] = []
    if case.changes:
        change_set = _bare(place, before, case.changes)
    else:
        desired = desired_records(case.domain, before, policy, key)
        change_set, decided = compute(place, before, desired.records), desired.findings
    change_set = replace(change_set, allow=tuple(policy.allow or ()))
    signing = _source(case.signing) or key
    subject = judged_by.Case(
        change_set,
        before,
        policy,
        dns=silent if case.dns is None else Names(case.dns),
        hosts=case.hosts,
        signer=judged_by.Signer(signing.key if signing else None, case.own_selector),
        held=frozenset(case.held),
        remembered=None if case.remembered is None else _zone(case.remembered, case.domain),
        coming=dict.fromkeys(case.reports_planned, "v=DMARC1"),
        dkim_left_out=case.dkim_left_out,
    )
    return subject, decided


def _ways(
    case: Changing, before: Zone, subject: judged_by.Case, decided: list[Finding]
) -> Iterator[str]:
    change_set = first = holding.settled(subject, decided)
    steps = 0
    better: DomainPolicy | None = subject.policy
    while better and holding.stopping(change_set):
        better = remedy.safer(subject, change_set)
        if better is not None:
            subject, others = _subject(case, before, better)
            change_set = holding.settled(subject, others)
            steps += 1
    if better is not None:
        wanted = better.model_dump(exclude_none=True)
        yield f"safer, in {steps}: {wanted}"
    subject, decided = _subject(case, before, DomainPolicy.model_validate(case.policy))
    if named := remedy.dropped(first, subject.policy):
        yield f"all the same, by name: {', '.join(named)}"
    if allow := remedy.consents(subject, decided, first):
        yield f"all the same: {', '.join(allow)}"


def _planned(change_set: ChangeSet) -> Iterator[str]:
    yield from (_told(finding) for finding in change_set.findings)
    costs = [change.look_ups for change in change_set.changes if change.look_ups]
    stops = [finding.code for finding in holding.stopping(change_set)]
    held = [f"{kind} by {' and '.join(by)}" for kind, by in holding.held_by(change_set).items()]
    more = {"look-ups": costs, "stopped by": stops, "held back": held}
    if holding.is_in_part(change_set):
        more["written all the same"] = [c.kind for c in holding.let_through(change_set).changes]
    more["needless"] = [*holding.needless(change_set)]
    yield from (f"{what}: {', '.join(told)}" for what, told in more.items() if told)


def _bare(place: Place, before: Zone, lines: Sequence[str]) -> ChangeSet:
    changes = []
    for line in lines:
        action, kind, hostname, text = (*line.split(" ", 3), "")[:4]
        if action == "set":
            return compute(place, before, [DesiredRecord(Kind(kind), hostname, text)])
        live = kinds.live(before, Kind(kind), hostname)
        gone = next((r for r in live if text in ("", r.destination)), None)
        new = None if action == "delete" else DnsRecord(None, hostname, "TXT", text)
        changes.append(
            Change(Action(action), Kind(kind), gone if action == "delete" else None, new)
        )
    return ChangeSet(place, tuple(changes))


def _planning(case: Planning) -> Iterator[str]:
    def zone(name: str) -> Zone:
        if case.zone is None:
            raise ZoneError(f"There is no zone {name} at netcup.", "")
        return _zone(case.zone, name)

    backend: Any = SimpleNamespace(
        name="ccp",
        endpoint="",
        account="",
        new_ttl=None,
        zone=zone,
        refuses=lambda record: reason_not_to_store(record.value, "ccp"),
    )
    backend.serving = lambda _: backend
    policy = DomainPolicy.model_validate(case.policy)
    session = Session(
        backend,
        Answering(answers=Names(case.dns)),
        _Keys(case.key, case.relay, None),
        Kept(holds=frozenset(case.held)),
    )
    authorises = _pairs(case.authorises)
    wish = Wish("example.com", policy, discovered=case.discovered, authorises=authorises)
    yield from _planned(draft(session, wish).change_set)


def _pairs(lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((domain, host) for domain, host in (line.split(" ") for line in lines))


class _Keys(Sources):
    """A source of keys that has this one, or none."""

    def __init__(
        self, key: str | int, relay: str | None, host: str | None, origin: str = "mailcow"
    ) -> None:
        self._key, self._relay, self._host, self._origin = key, relay, host, origin

    def key(self, source: str, domain: str) -> DkimSource | None:
        if source == "mailcow":
            return _source(str(self._key), self._origin)
        pem = Path(source.removeprefix("file:")).read_text(encoding="ascii")
        return _source(pem, "the file mail.pem")

    def host(self, source: str) -> str | None:
        return self._host

    def relay(self, source: str, domain: str) -> str | None:
        return self._relay


FIRST, SECOND = Server("ns1.example.net", "192.0.2.1"), Server("ns2.example.net", "2001:db8::2")
_FAILURES: dict[str, Callable[[], MailauthError]] = {
    "api": lambda: ApiError("netcup answered with an error.", "Try again."),
    "credentials": lambda: CredentialsError("netcup refused the credentials.", "Give others."),
    "zone": lambda: ZoneError("There is no such zone at netcup."),
}


def _checking(case: Checking) -> Iterator[str]:
    with ExitStack() as stack:
        ask = _answering({FIRST: {**case.dns, **case.one_server}, SECOND: case.dns})
        stack.enter_context(mock.patch.object(servers, "_answer", ask))
        # However busy the machine is, the first of them is asked further.
        stack.enter_context(mock.patch.object(servers, "ALIKE", 3600.0))
        reachable = _reachable(everywhere=not case.no_route)
        stack.enter_context(mock.patch.object(servers, "has_route", reachable))
        policy = dict(case.policy)
        if isinstance(case.key, int):
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            policy["dkim"] = {**policy["dkim"], "source": f"file:{_pem(Path(folder), case.key)}"}
        session = Session(
            _reading(case),
            Answering(
                answers=Names(case.dns),
                finds=lambda domain: ".".join(domain.split(".")[-2:]),
                serves=(FIRST, SECOND),
            ),
            _Keys(case.key, case.relay, case.host, case.origin),
            Kept(last=dict.fromkeys(map(_recalled, case.remembered), datetime.now(UTC))),
        )
        kinds = tuple(Kind(kind) for kind in case.kinds)
        wish = Wish(
            case.domain,
            DomainPolicy.model_validate(policy),
            authorises=_pairs(case.authorises),
        )
        report = check(session, [wish], Basis[case.basis.upper()], kinds)
        yield from _reported(report.domains[0])
        yield f"exit code {report.exit_code:d}"


def _reported(check: DomainCheck) -> Iterator[str]:
    yield grounds(check)
    if check.error is not None:
        yield f"error\n    {check.error.message}\n  > {check.error.advice}"
    for record in check.records:
        about = f"{record.kind} {record.name}: {record.state}"
        told = record.advice.splitlines()
        views = (f"    {view.server} {view.state} {view.detail}" for view in record.servers)
        yield "\n".join([about, *map(str.rstrip, views), *(f"  > {line}" for line in told)])
        yield from (_told(f, f" (about {record.kind} {record.name})") for f in record.findings)
    yield from (_told(finding) for finding in check.findings)
    yield "\n".join(["concluded", *(f"    {line}" for line in check.conclusions)])
    if check.costs:
        yield "\n".join(["costs", *(f"    {line}" for line in check.costs)])


def _reading(case: Checking) -> Any:
    if case.zone is None and not case.unreadable:
        return None

    def read(name: str) -> Zone:
        if case.unreadable:
            raise _FAILURES[case.unreadable]()
        return _zone(case.zone or (), name, draft=case.draft)

    return SimpleNamespace(zone=read)


def _recalled(line: str) -> DesiredRecord:
    kind, hostname, text = line.split(" ", 2)
    return DesiredRecord(Kind(kind), hostname, text)


def _pem(folder: Path, number: int) -> Path:
    path = folder / "mail.pem"
    private = private_key(number)
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def _reachable(*, everywhere: bool) -> Callable[[tuple[str, int]], bool]:
    return lambda place: everywhere or ":" not in place[0]


def _answering(having: Mapping[Server, Dns]) -> Callable[..., ServerAnswer]:
    """Servers that answer at once, from what they have."""

    def answer(server: Server, query: Query, _until: float, **_more: object) -> ServerAnswer:
        return _own_answer(Names(having[server]), query)

    return answer


_SERVER_STATUS = {
    Status.OK: ServerStatus.OK,
    Status.EMPTY: ServerStatus.EMPTY,
    Status.NXDOMAIN: ServerStatus.NXDOMAIN,
    Status.TIMEOUT: ServerStatus.NO_ANSWER,
    Status.SERVFAIL: ServerStatus.SERVFAIL,
}


def _own_answer(names: Names, query: Query) -> ServerAnswer:
    if servers := names.servers(query.name):
        return ServerAnswer(ServerStatus.REFUSED, cut=query.name, servers=servers)
    alias = names.alias(query.name)
    if alias is not None and query.type != "CNAME":
        return ServerAnswer(ServerStatus.CNAME, cname=alias)
    answer = names.answer(query)
    status = _SERVER_STATUS[answer.status]
    detail = "it does not answer" if status is ServerStatus.NO_ANSWER else ""
    return ServerAnswer(status, answer.values, detail=detail)


class Names:
    """DNS as a dictionary; a name that is not in it does not exist."""

    def __init__(self, names: Dns) -> None:
        self._names = names

    def __call__(self, queries: Sequence[Query]) -> list[Answer]:
        return [self.answer(query) for query in queries]

    def answer(self, query: Query) -> Answer:
        if query.name not in self._names:
            return Answer(Status.NXDOMAIN)
        entries = self._names[query.name]
        for status in ("TIMEOUT", "SERVFAIL"):
            if status in entries:
                return Answer(Status[status])
        alias = self.alias(query.name)
        if alias is not None and query.type != "CNAME":
            return self.answer(Query(alias, query.type))
        pairs = [entry.split(" ", 1) for entry in entries]
        values = tuple(value for kind, value in pairs if kind == query.type)
        return Answer(Status.OK if values else Status.EMPTY, values)

    def servers(self, name: str) -> tuple[str, ...]:
        """The servers that a name is delegated to."""
        entries = self._names.get(name, [])
        return tuple(s for e in entries if e.startswith("SERVERS ") for s in e.split(" ")[1:])

    def alias(self, name: str) -> str | None:
        entries = self._names.get(name, [])
        return next((e.split(" ")[1] for e in entries if e.startswith("CNAME ")), None)


def _zone(
    lines: Sequence[str], name: str, *, draft: str | None = None, ttl: int | None = None
) -> Zone:
    """The zone that ends in the last two labels of a name."""
    records = tuple(_record(number, line, ttl) for number, line in enumerate(lines, 1))
    identifier, _, state = (draft or "").partition(" ")
    return Zone(
        ".".join(name.split(".")[-2:]),
        "ccp",
        records,
        draft=identifier or None,
        draft_state=state or None,
    )


def _fixed(zone: Zone, texts: Sequence[str]) -> Zone:
    """The zone with these records kept from being changed."""
    begins = tuple(texts)
    records = tuple(
        replace(record, immutable=f"{record.hostname} {record.destination}".startswith(begins))
        for record in zone.records
    )
    return replace(zone, records=records)


def _record(number: int, line: str, ttl: int | None) -> DnsRecord:
    hostname, kind, value = line.split(" ", 2)
    priority, target = value.split(" ", 1) if kind == "MX" else ("0", value)
    return DnsRecord(str(number), hostname, kind, target, priority, ttl)


def _source(text: str, origin: str = "the record given") -> DkimSource | None:
    return read_key(text, origin) if text else None

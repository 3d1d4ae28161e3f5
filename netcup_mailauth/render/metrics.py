"""A run as metrics in the Prometheus text format (version 0.0.4), for a monitor to read.

Pure: values come in, the clock among them, and text comes out. The order is stable. Every series
has the label ``command``, so that ``apply`` and ``check`` may each have a file in one folder; a
metric's HELP is the same whatever the command, as node_exporter asks of such files.

What ``apply``, ``plan`` and ``check`` found is much; here each domain is boiled down to an exit
code, a word, counts of changes and findings, and the DKIM keys that are published. No value of a
record is in it, no account, and no message: only names, codes and numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import holding
from netcup_mailauth.judge.report import State
from netcup_mailauth.plan import Action, Status
from netcup_mailauth.records import Kind, absolute
from netcup_mailauth.render.zone import joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from netcup_mailauth.judge.report import CheckedRecord, DomainCheck
    from netcup_mailauth.plan import Change, ChangeSet, Result

PREFIX = "netcup_mailauth_"

SUCCESS = (ExitCode.OK, ExitCode.CHANGES_PENDING)
"""How a run ends that did all it was asked for; ``plan --exit-code`` may find changes."""

LAST_SUCCESS = "last_success_timestamp_seconds"

Labels = dict[str, str]
Sample = tuple[Labels, float]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command. All times are in seconds since 1970.

    Attributes:
        domains: those that the run came to.
        key_since: for a domain and a selector, since when the published key is known.
        last_success: when a run of this command last succeeded, before this one.
    """

    command: str
    exit_code: ExitCode
    ended: float
    seconds: float
    domains: tuple[DomainOutcome, ...] = ()
    key_since: Mapping[tuple[str, str], float] = field(default_factory=dict)
    last_success: float | None = None


def metrics_text(run: Run) -> str:
    """The run as metrics. A metric that nothing is known for is left out."""
    lines: list[str] = []
    for name, words, samples in _metrics(run):
        found = [_line(name, {"command": run.command, **labels}, n) for labels, n in samples]
        if found:
            lines += [f"# HELP {PREFIX}{name} {words}", f"# TYPE {PREFIX}{name} gauge", *found]
    return joined(lines)


def last_success(text: str, command: str) -> float | None:
    """When ``command`` last succeeded, as an earlier file of ours says; ``None`` if it does not."""
    start = re.escape(f'{PREFIX}{LAST_SUCCESS}{{command="{_escaped(command)}"}} ')
    found = re.search(rf"^{start}([0-9]{{1,15}}(?:\.[0-9]{{1,9}})?)$", text, re.MULTILINE)
    return float(found[1]) if found else None


def _metrics(run: Run) -> Iterator[tuple[str, str, Iterable[Sample]]]:
    """Each metric: name, HELP, samples."""
    success = run.ended if run.exit_code in SUCCESS else run.last_success
    yield "last_run_timestamp_seconds", "When the last run ended.", [({}, run.ended)]
    yield (
        LAST_SUCCESS,
        "When a run last ended well (exit code 0 or 3).",
        [] if success is None else [({}, success)],
    )
    yield "last_run_duration_seconds", "How long the last run took.", [({}, run.seconds)]
    yield "last_run_exit_code", "The exit code of the last run.", [({}, run.exit_code)]
    yield (
        "domain_exit_code",
        "The part of each domain in the exit code of the last run.",
        [({"domain": one.domain}, one.exit_code) for one in run.domains],
    )
    yield (
        "domain_status",
        "How each domain ended in the last run: 1 for the status that it has.",
        [({"domain": one.domain, "status": one.status}, 1) for one in run.domains],
    )
    yield (
        "changes_made",
        "Records that the last run changed, by kind and action.",
        _changes(change for one in run.domains for change in one.made),
    )
    yield (
        "changes_pending",
        "Changes that the last run planned and that are not known to be made.",
        _changes(change for one in run.domains for change in one.pending),
    )
    yield (
        "findings",
        "Findings of the last run that were not allowed, by severity.",
        _severities(run.domains),
    )
    yield (
        "domain_findings",
        "Findings of the last run, by domain and code.",
        [sample for one in run.domains for sample in _findings(one)],
    )
    since = sorted(run.key_since.items())
    yield (
        "dkim_key_since_timestamp_seconds",
        "Since when the published DKIM key is known to be in use.",
        [(_key(*key), then) for key, then in since],
    )
    yield (
        "dkim_key_age_seconds",
        "For how long the published DKIM key was known to be in use at the end of the last run.",
        [(_key(*key), max(0.0, run.ended - then)) for key, then in since],
    )


def _changes(changes: Iterable[Change]) -> Iterator[Sample]:
    """A number for each kind and action, also where it is none: a series should not come and go."""
    counts = Counter((change.kind, change.action) for change in changes)
    for kind in Kind:
        for action in Action:
            yield {"kind": kind.value, "action": action.value}, counts[kind, action]


def _severities(domains: Iterable[DomainOutcome]) -> Iterator[Sample]:
    counts = Counter(
        finding.severity
        for one in domains
        for finding in one.findings
        if not _is_allowed(finding, one)
    )
    for severity in Severity:
        yield {"severity": severity.value}, counts[severity]


def _findings(one: DomainOutcome) -> Iterator[Sample]:
    """A domain's findings, the gravest first."""
    counts = Counter((f.severity, f.code, _is_allowed(f, one)) for f in one.findings)
    order = list(Severity)
    for (severity, code, allowed), count in sorted(
        counts.items(), key=lambda item: (order.index(item[0][0]), *item[0][1:])
    ):
        labels = {"domain": one.domain, "severity": severity.value, "code": code}
        yield {**labels, "allowed": "yes" if allowed else "no"}, count


def _is_allowed(finding: Finding, one: DomainOutcome) -> bool:
    """Whether it would stop ``apply`` and was allowed; nothing else can be."""
    return finding.severity is Severity.DANGER and finding.code in one.allow


def _key(domain: str, selector: str) -> Labels:
    return {"domain": domain, "selector": selector}


def _line(name: str, labels: Labels, value: float) -> str:
    given = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{PREFIX}{name}{{{given}}} {_number(value)}"


def _number(value: float) -> str:
    """Without an exponent, and to the millisecond."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


WRITTEN = (Status.APPLIED, Status.LOST, Status.ALREADY)
"""Statuses after which the zone is known to hold what was planned."""

CHECKED = {
    ExitCode.OK: "ok",
    ExitCode.NOT_YET: "pending",
    ExitCode.UNVERIFIED: "wrong",
}
"""What ``check`` calls its exit codes; anything else is an error."""


@dataclass(frozen=True, slots=True)
class DomainOutcome:
    """How one domain ended.

    Attributes:
        status: one word, as the command itself uses it.
        exit_code: this domain's part in the exit code of the run.
        made: the changes that were written and read back.
        pending: the changes that were planned, and are not known to be made.
        keys: for each selector the DKIM record that is published, as far as the run saw it.
    """

    domain: str
    status: str
    exit_code: ExitCode = ExitCode.OK
    made: tuple[Change, ...] = ()
    pending: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    allow: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)


def of_result(result: Result) -> DomainOutcome:
    """One domain of ``apply``. What somebody else had made already is neither made nor pending."""
    change_set, status = result.change_set, result.status
    written = status in WRITTEN
    return DomainOutcome(
        change_set.place.domain,
        status.value,
        result.exit_code,
        made=change_set.without_held.changes if status in (Status.APPLIED, Status.LOST) else (),
        pending=_held(change_set) if written else change_set.changes,
        findings=change_set.findings,
        allow=change_set.allow,
        keys={} if status is Status.UNKNOWN else _published(change_set, written=written),
    )


def of_planned(change_set: ChangeSet) -> DomainOutcome:
    """One domain of ``plan``: ``unchanged``, ``pending``, ``refused`` (by the guard) or failed."""
    status, code = "pending" if change_set.changes else Status.UNCHANGED.value, ExitCode.OK
    if change_set.error is not None:
        status, code = Status.FAILED.value, change_set.error.exit_code
    elif holding.stopping(change_set):
        # plan itself ends with 0 there, for it has done what it was asked for.
        status = Status.REFUSED.value
    return DomainOutcome(
        change_set.place.domain,
        status,
        code,
        pending=change_set.changes,
        findings=change_set.findings,
        allow=change_set.allow,
        keys=_published(change_set, written=False),
    )


def of_checked(check: DomainCheck) -> DomainOutcome:
    """One domain of ``check``: ``ok``, ``pending``, ``wrong`` or ``failed``."""
    status = Status.FAILED.value if check.error else CHECKED[check.exit_code]
    seen = ((_selector(r.name), _served(r)) for r in check.records if r.kind is Kind.DKIM)
    return DomainOutcome(
        check.domain,
        status,
        check.exit_code,
        findings=check.all_findings,
        allow=check.allow,
        keys={selector: value for selector, value in seen if value is not None},
    )


def _held(change_set: ChangeSet) -> tuple[Change, ...]:
    return tuple(change for change in change_set.changes if change.kind in change_set.held)


def _published(change_set: ChangeSet, *, written: bool) -> dict[str, str]:
    """The DKIM records in a zone, before or after its changes were written."""
    records = [kept.record for kept in change_set.unchanged if kept.kind is Kind.DKIM]
    for change in change_set.changes:
        record = change.after if written and change.kind not in change_set.held else change.before
        if change.kind is Kind.DKIM and record is not None:
            records.append(record)
    zone = change_set.place.zone
    return {_selector(absolute(r.hostname, zone)): r.destination for r in records}


def _served(record: CheckedRecord) -> str | None:
    """The value that the servers have; ``None`` unless all of them are right."""
    values = {value for view in record.servers for value in view.values}
    return values.pop() if record.state is State.OK and len(values) == 1 else None


def _selector(name: str) -> str:
    return name.partition("._domainkey.")[0]

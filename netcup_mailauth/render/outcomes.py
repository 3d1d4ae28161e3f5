"""How one domain ended, in the few values that a monitor is told: the same for every command.

Pure. What ``apply``, ``plan`` and ``check`` found is much; here it is boiled down to an exit code,
a word, counts of changes and findings, and the DKIM keys that are published.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.judge import guard
from netcup_mailauth.judge.report import State
from netcup_mailauth.names import absolute
from netcup_mailauth.records import Kind
from netcup_mailauth.results import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netcup_mailauth.findings import Finding
    from netcup_mailauth.judge.report import CheckedRecord, DomainCheck
    from netcup_mailauth.plan import Change, ChangeSet
    from netcup_mailauth.results import Result

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
        domain: the mail domain.
        status: one word, as the command itself uses it.
        exit_code: this domain's part in the exit code of the run.
        made: the changes that were written and read back.
        pending: the changes that were planned, and are not known to be made.
        findings: what was found.
        allow: the codes that were allowed.
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
        made=change_set.changes if status in (Status.APPLIED, Status.LOST) else (),
        pending=() if written else change_set.changes,
        findings=change_set.findings,
        allow=change_set.allow,
        keys={} if status is Status.UNKNOWN else _published(change_set, written=written),
    )


def of_planned(change_set: ChangeSet) -> DomainOutcome:
    """One domain of ``plan``: ``unchanged``, ``pending``, ``refused`` (by the guard) or failed."""
    status, code = "pending" if change_set.changes else Status.UNCHANGED.value, ExitCode.OK
    if change_set.error is not None:
        status, code = Status.FAILED.value, change_set.error.exit_code
    elif guard.stopping(change_set):
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


def _published(change_set: ChangeSet, *, written: bool) -> dict[str, str]:
    """The DKIM records in a zone, before or after its changes were written."""
    records = [kept.record for kept in change_set.unchanged if kept.kind is Kind.DKIM]
    for change in change_set.changes:
        record = change.after if written else change.before
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

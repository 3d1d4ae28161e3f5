"""The exit code follows from the states and the findings, and from nothing else."""

from __future__ import annotations

import pytest

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge.report import (
    Basis,
    CheckedRecord,
    CheckReport,
    DomainCheck,
    ServerView,
    State,
)
from netcup_mailauth.plan import Failure
from netcup_mailauth.records import Kind


def domain(*states: str, findings: tuple[Finding, ...] = (), **more: object) -> DomainCheck:
    records = tuple(
        CheckedRecord(Kind.SPF, "example.com", None, (ServerView("ns", (), State(state)),))
        for state in states
    )
    return DomainCheck("example.com", Basis.CONFIG, records, findings, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (("ok", "ok"), 0),
        ((), 0),
        (("ok", "pending"), 9),
        (("pending", "error"), 8),
        (("ok", "missing"), 8),
        (("wrong",), 8),
        (("conflict", "pending"), 8),
    ],
)
def test_the_exit_code_of_states(states: tuple[str, ...], code: int) -> None:
    assert domain(*states).exit_code == code


@pytest.mark.parametrize(
    ("severity", "allow", "code"),
    [
        (Severity.DANGER, (), 8),
        (Severity.DANGER, ("x",), 0),
        (Severity.REFUSED, (), 8),
        (Severity.REFUSED, ("x",), 8),
        (Severity.WARNING, (), 0),
        (Severity.NOTE, (), 0),
    ],
)
def test_a_grave_finding_counts_unless_it_is_accepted(
    severity: Severity, allow: tuple[str, ...], code: int
) -> None:
    found = (Finding("x", severity, "it is so"),)
    assert domain("ok", findings=found, allow=allow).exit_code == code
    inside = CheckedRecord(Kind.SPF, "a", None, (ServerView("ns", (), State.OK),), found)
    assert DomainCheck("a", Basis.CONFIG, (inside,), allow=allow).exit_code == code


def test_of_several_domains_the_worst_decides() -> None:
    failed = domain(error=Failure(ExitCode.ZONE, "gone"))
    assert failed.exit_code == 5
    assert CheckReport((domain("ok"), domain("pending"), failed)).exit_code == 5
    assert CheckReport((failed, domain("wrong"))).exit_code == 8
    assert CheckReport((domain("pending"), domain("ok"))).exit_code == 9
    assert CheckReport(()).exit_code == 0

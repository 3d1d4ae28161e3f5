"""The exit code of a run follows from what became of its domains."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.errors import ExitCode, StaleError, UnverifiedError, worst
from netcup_mailauth.plan import ChangeSet, Failure, Place, Result, RunResult, Status

EMPTY = ChangeSet(Place("example.com", "example.com"))


@pytest.mark.parametrize("status", [Status.UNCHANGED, Status.APPLIED, Status.ALREADY])
def test_a_domain_without_a_failure_is_well(status: Status) -> None:
    assert Result(EMPTY, status).exit_code is ExitCode.OK


@pytest.mark.parametrize("code", ExitCode)
def test_a_domain_that_failed_has_the_exit_code_of_its_failure(code: ExitCode) -> None:
    assert Result(EMPTY, Status.FAILED, Failure(code, "no")).exit_code is code


def test_a_failure_made_of_an_error_keeps_its_exit_code_and_both_sentences() -> None:
    failure = Failure.of(StaleError("It moved.", "Plan again."))
    assert failure == Failure(ExitCode.STALE, "It moved.", "Plan again.")


@given(st.lists(st.sampled_from(ExitCode)))
def test_a_run_ends_with_the_worst_code_of_its_domains(codes: list[ExitCode]) -> None:
    results = tuple(Result(EMPTY, Status.FAILED, Failure(code, "no")) for code in codes)
    assert RunResult(results).exit_code == worst(codes)


def test_an_unverified_write_outweighs_a_domain_that_went_well() -> None:
    lost = Result(EMPTY, Status.UNKNOWN, Failure.of(UnverifiedError("Lost.")))
    run = RunResult((Result(EMPTY, Status.APPLIED), lost, Result(EMPTY, Status.UNCHANGED)))
    assert run.exit_code == 8


def test_a_run_over_no_domain_is_well_and_counts_none() -> None:
    run = RunResult(())
    assert run.exit_code is ExitCode.OK
    assert all(run.count(status) == 0 for status in Status)


def test_each_status_is_counted_for_itself() -> None:
    statuses = [Status.APPLIED, Status.APPLIED, Status.STALE]
    run = RunResult(tuple(Result(EMPTY, status) for status in statuses))
    assert {status: run.count(status) for status in Status if run.count(status)} == {
        Status.APPLIED: 2,
        Status.STALE: 1,
    }


def test_the_words_for_a_status_are_part_of_the_contract() -> None:
    assert [status.value for status in Status] == [
        "unchanged",
        "applied",
        "lost",
        "already",
        "refused",
        "stale",
        "failed",
        "unknown",
        "not tried",
    ]

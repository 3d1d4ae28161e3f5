"""Exit codes are a contract with scripts; so is which one wins."""

from __future__ import annotations

import itertools
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth import errors
from netcup_mailauth.errors import ConfigError, ExitCode, MailauthError, TransportError, worst
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.spf.mistakes import SpfSyntaxError

# DESIGN, section 4: "Output and running".
ORDER = [130, 8, 4, 10, 6, 7, 5, 1, 2, 9, 3, 0]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("OK", 0),
        ("ERROR", 1),
        ("USAGE", 2),
        ("CHANGES_PENDING", 3),
        ("CREDENTIALS", 4),
        ("ZONE", 5),
        ("REFUSED", 6),
        ("STALE", 7),
        ("UNVERIFIED", 8),
        ("NOT_YET", 9),
        ("WAIT", 10),
        ("INTERRUPTED", 130),
    ],
)
def test_the_exit_codes_are_those_of_the_contract(name: str, code: int) -> None:
    assert ExitCode[name] == code


def test_no_exit_code_is_outside_the_contract() -> None:
    assert sorted(ExitCode) == sorted(ORDER)


@pytest.mark.parametrize(
    ("error", "code", "ends_run"),
    [
        (errors.MailauthError, 1, False),
        (errors.UsageError, 2, False),
        (errors.RecordError, 2, False),
        (errors.KeySourceError, 2, False),
        (errors.CredentialsError, 4, True),
        (errors.ZoneError, 5, False),
        (errors.ApiError, 1, False),
        (errors.TransportError, 1, False),
        (errors.WriteNotProcessedError, 1, False),
        (errors.WaitError, 10, True),
        (errors.RefusedError, 6, False),
        (errors.StaleError, 7, False),
        (errors.UnverifiedError, 8, False),
        (errors.LockError, 1, False),
    ],
)
def test_each_error_has_its_exit_code_and_says_whether_it_ends_the_run(
    error: type[MailauthError], code: int, ends_run: bool
) -> None:
    raised = error("It happened.", "Do this.")
    assert (raised.exit_code, raised.ends_run) == (code, ends_run)
    assert (raised.what, raised.advice, str(raised)) == ("It happened.", "Do this.", "It happened.")


def test_an_error_may_come_without_advice() -> None:
    assert MailauthError("It happened.").advice == ""


def test_a_config_error_lists_every_problem_on_a_line_of_its_own() -> None:
    error = ConfigError("The config is wrong.", ["one", "two"], "Mend it.")
    assert error.exit_code == 2
    assert error.problems == ["one", "two"]
    assert error.what == "The config is wrong.\n  one\n  two"
    assert error.advice == "Mend it."


def test_a_lost_answer_counts_as_sent_and_passing_unless_it_is_known_not_to_be() -> None:
    unknown = TransportError("Lost.")
    assert (unknown.sent, unknown.passing) == (True, True)
    refused = TransportError("Refused.", "Wait.", sent=False, passing=False)
    assert (refused.sent, refused.passing, refused.advice) == (False, False, "Wait.")


@pytest.mark.parametrize(("graver", "lighter"), list(itertools.pairwise(ORDER)))
def test_the_graver_of_two_codes_wins_whichever_comes_first(graver: int, lighter: int) -> None:
    assert worst([ExitCode(graver), ExitCode(lighter)]) == graver
    assert worst([ExitCode(lighter), ExitCode(graver)]) == graver


@given(st.lists(st.sampled_from(ExitCode), min_size=1))
def test_the_worst_code_is_one_of_them_and_none_is_graver(codes: list[ExitCode]) -> None:
    assert worst(codes) == min(codes, key=ORDER.index)


def test_a_run_over_nothing_is_well() -> None:
    assert worst([]) is ExitCode.OK


@pytest.mark.parametrize(
    "error",
    [
        MailauthError("It is so.", "Do that."),
        ConfigError("The config is wrong:", ["line 1: a", "line 2: b"], "Look."),
        errors.NotServedError("No.", "Look.", "5029: no such zone"),
        errors.RefusedError("No.", "Look.", [Finding("spf-ptr", Severity.WARNING, "slow")]),
        TransportError("No.", sent=False),
        SpfSyntaxError("foo", "is none", "Leave it out."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_reaches_another_process_whole(error: MailauthError) -> None:
    error.add_note("by the way")
    there = pickle.loads(pickle.dumps(error))
    assert type(there) is type(error)
    assert (str(there), vars(there)) == (str(error), vars(error))

"""What plan and apply print as Markdown fits into a comment, however many domains there are."""

from __future__ import annotations

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.plan import ChangeSet, Failure, Place, Plan, Result, RunResult, Status
from netcup_mailauth.render.markdown import LONGEST, plan_comment, run_comment
from tests.core.render.samples import FAILED, FULL_STORY

TOO_MANY = 2500
"""More domains than have a line each in what a comment may hold."""

FAILURE = Failure(ExitCode.ZONE, "netcup does not serve it: 5031.", "Check the spelling.")


def applied(number: int) -> Result:
    return Result(FULL_STORY, Status.APPLIED)


def test_a_short_run_is_shown_whole() -> None:
    output = run_comment(RunResult((applied(0),)))
    assert "**update** SPF" in output
    assert "`--format json`" not in output


def test_a_long_one_is_a_line_for_each_domain_and_a_pointer() -> None:
    output = run_comment(RunResult(tuple(map(applied, range(100)))))
    assert len(output) <= LONGEST
    assert "`--format json`" in output
    assert "**update** SPF" not in output


def test_failures_come_first_when_not_all_fit_and_the_rest_is_counted() -> None:
    bare = Result(ChangeSet(FULL_STORY.place), Status.APPLIED)
    failed = Result(ChangeSet(Place("broken.example", "x")), Status.FAILED, FAILURE)
    output = run_comment(RunResult((*[bare] * TOO_MANY, failed)))
    assert len(output) <= LONGEST
    assert "`--format json`" in output
    assert "`broken.example`" in output
    assert output.index("`broken.example`") < output.index("`example.com`")
    shown = output.count("| `example.com` |")
    assert f"and {TOO_MANY - shown} more domains" in output


def test_a_long_plan_becomes_a_summary_with_a_pointer() -> None:
    text = plan_comment(Plan((FULL_STORY,) * 300), file="plan`x`.json")
    assert len(text) < LONGEST
    assert "The whole plan is in ``plan`x`.json``" in text
    assert text.count("- `example.com`: update SPF, create DKIM, stopped by") == 300


def test_such_a_summary_names_what_failed_and_why() -> None:
    text = plan_comment(Plan((FULL_STORY,) * 300 + (FAILED,)))
    assert "- `example.com`: failed: The zone is not here.\n" in text


def test_that_summary_too_has_an_end() -> None:
    text = plan_comment(Plan((FULL_STORY,) * 1000))
    assert len(text) < LONGEST
    assert "domains more\n" in text
    assert "`--out`" in text

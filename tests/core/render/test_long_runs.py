"""What plan and apply print as Markdown fits into a comment, however many domains there are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.plan import ChangeSet, Failure, Place, Plan, Result, RunResult, Status
from netcup_mailauth.render.forge import LONGEST
from netcup_mailauth.render.markdown import plan_markdown, run_markdown
from tests.core.render.samples import FAILED, FULL_STORY, PLACE, UNCHANGED
from tests.rendering import as_github, page

TOO_MANY = 800
"""More domains than have a line each in what a comment may hold."""

FAILURE = Failure(ExitCode.ZONE, "netcup does not serve it: 5031.", "Check the spelling.")
NAME = f"{'long-' * 12}.example"
PLAIN = replace(FULL_STORY, place=replace(PLACE, domain=NAME, zone=NAME), findings=())


def applied(number: int) -> Result:
    return Result(PLAIN, Status.APPLIED)


def test_a_short_run_is_shown_whole() -> None:
    output = run_markdown(RunResult((applied(0),)))
    assert "@@ update SPF" in output
    assert "`--format json`" not in output


@pytest.mark.parametrize("count", [200, TOO_MANY])
def test_of_a_long_one_some_are_shown_whole_and_the_others_have_a_line(count: int) -> None:
    output = run_markdown(RunResult(tuple(map(applied, range(count)))))
    assert len(output) <= LONGEST
    assert "All that changed is in the output of `--format json`." in output
    whole = output.count(f"### `{NAME}` · `CCP API`: applied\n")
    lines = output.count(f"- `{NAME}`: applied\n")
    if count == TOO_MANY:
        assert f"and {count - whole - lines} more domains" in output
    else:
        assert whole + lines == count
        assert whole > 50
    page(as_github(output))


def test_failures_come_first_when_not_all_fit() -> None:
    failed = Result(ChangeSet(Place("broken.example", "broken.example")), Status.FAILED, FAILURE)
    output = run_markdown(RunResult((*map(applied, range(TOO_MANY)), failed)))
    assert len(output) <= LONGEST
    assert "`broken.example`: failed\n" in output
    assert "more domains" in output


def test_of_a_long_plan_the_rest_is_a_line_each_and_it_says_where_all_is() -> None:
    text = plan_markdown(Plan((FULL_STORY,) * 300), file="plan`x`.json")
    assert len(text) <= LONGEST
    assert "The whole plan is in ``plan`x`.json``; look at it with `show`." in text
    lines = text.count("- `example.com`: update SPF, create DKIM, stopped by `spf-drops-sender`\n")
    assert lines + text.count("```diff") == 300
    page(as_github(text))


def test_what_failed_is_shown_before_what_would_only_change() -> None:
    text = plan_markdown(Plan((PLAIN,) * 300 + (FAILED,)))
    assert "> The zone is not here.\n" in text
    assert len(text) <= LONGEST


def test_that_list_too_has_an_end() -> None:
    text = plan_markdown(Plan((FULL_STORY,) * 1200))
    assert len(text) <= LONGEST
    assert text.endswith("more domains\n")
    assert "`--out`" in text


def test_thousands_of_domains_that_need_nothing_are_counted() -> None:
    text = plan_markdown(Plan((PLAIN, *(UNCHANGED,) * 1500)))
    assert len(text) <= LONGEST
    assert "- 1500 domains need nothing\n" in text
    assert "@@ update SPF" in text

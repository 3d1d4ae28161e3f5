"""Options for many domains: shards, the budget's finish time, the progress bar, the table."""

from __future__ import annotations

import io
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.cli.many import MARGIN, Many, finish
from netcup_mailauth.cli.options import shard
from netcup_mailauth.cli.output import Progress, Settings, begin, say, settings
from netcup_mailauth.errors import ExitCode, UsageError
from netcup_mailauth.netcup import CALLS, WINDOW
from netcup_mailauth.netcup.api import Budget
from netcup_mailauth.plan import ChangeSet, Failure, Place, Result, RunResult, Status
from netcup_mailauth.policy import DomainPolicy, Wish
from netcup_mailauth.render.page import Page
from netcup_mailauth.render.text import TABLE_FROM, run_text

if TYPE_CHECKING:
    from collections.abc import Iterator

THOUSAND = [f"example-{number}.de" for number in range(1000)]


@pytest.fixture(autouse=True)
def running() -> Iterator[Settings]:
    """A command that is running, quietly."""
    begin()
    settings().quiet = True
    yield settings()
    begin()


def wish(domain: str) -> Wish:
    return Wish(domain, DomainPolicy())


# ---------------------------------------------------------------------------------- shards


def test_a_thousand_domains_in_ten_shards_are_each_in_exactly_one() -> None:
    wishes = [wish(domain) for domain in THOUSAND]
    parts = [Many(index=index, shards=10).mine(wishes) for index in range(10)]
    assert Counter(w.domain for part in parts for w in part) == Counter(THOUSAND)
    assert [len(part) for part in parts] == [100] * 10


def test_a_shard_is_every_nth_in_the_order_of_names_however_they_are_listed() -> None:
    listed = ["c.de", "a.de", "d.de", "b.de", "e.de"]
    parts = [Many(index=i, shards=2).mine([wish(domain) for domain in listed]) for i in (0, 1)]
    assert [[w.domain for w in part] for part in parts] == [
        ["c.de", "a.de", "e.de"],
        ["d.de", "b.de"],
    ]


def test_the_domains_of_a_zone_are_in_one_shard() -> None:
    """Two machines must not write to one zone: no lock keeps them apart."""
    listed = ["example.com", "x.de", "a.example.com", "y.de", "b.c.example.com"]
    parts = [Many(index=i, shards=2).mine([wish(domain) for domain in listed]) for i in (0, 1)]
    assert [w.domain for w in parts[0]] == [
        "example.com",
        "a.example.com",
        "y.de",
        "b.c.example.com",
    ]


def test_a_shard_keeps_the_order_of_the_list() -> None:
    backwards = [wish(domain) for domain in reversed(THOUSAND)]
    mine = Many(index=0, shards=4).mine(backwards)
    assert mine == [w for w in backwards if w in mine]


@pytest.mark.parametrize("text", ["", "1", "1/1", "2/2", "-1/2", "0/0", "a/b", "1/2/3", "٠/٢"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--shard"):
        shard(text)


def test_the_last_shard_is_n_minus_one() -> None:
    assert shard("9/10") == (9, 10)


# ---------------------------------------------------------------------------------- the budget


@pytest.mark.parametrize(
    ("many", "calls"),
    [
        (Many(), CALLS),
        (Many(shards=10), CALLS // 10),
        (Many(shards=1000), 1),
        (Many(rate=60), 60),
        (Many(shards=10, rate=60), 60),
    ],
)
def test_each_shard_takes_its_part_of_the_budget(many: Many, calls: int) -> None:
    assert many.calls == calls


def test_without_a_limit_no_run_waits() -> None:
    assert finish(1_000_000, Many(rate=0).calls) == 0


@pytest.mark.parametrize("rate", [1, 17, 60, CALLS])
@pytest.mark.parametrize("calls", [1, 2, 16, 17, 18, 59, 60, 61, 169, 170, 171, 341, 1002, 3000])
def test_the_announced_finish_is_the_budgets_own(calls: int, rate: int) -> None:
    """With calls that take as long as reckoned; it may be told up to a second too late."""
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    budget = Budget(rate, WINDOW, clock=lambda: now, sleep=sleep)
    waited = False
    for _ in range(calls):
        before = now
        budget.spend()
        waited = waited or now > before
        now += MARGIN
    told = finish(calls, rate)
    assert bool(told) == waited
    if waited:
        assert now - 1e-6 <= told <= now + 1.0 + 1e-6


def test_when_a_run_will_be_done_is_said_only_if_it_has_to_wait(
    capsys: pytest.CaptureFixture[str], running: Settings
) -> None:
    running.quiet = False
    Many().announce(168, 170)
    assert capsys.readouterr().err == ""
    Many().announce(1000, 1002)
    told = capsys.readouterr().err
    assert "1000 domains take 1002 calls, at 170 a minute: done by about" in told
    assert "(6 min)" in told


# ---------------------------------------------------------------------------------- the bar


class Terminal(io.StringIO):
    """A terminal that keeps what its screen would show."""

    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        """What one sees: a carriage return goes back to the line's start, and overwrites."""
        seen = []
        for line in self.getvalue().split("\n"):
            cells: list[str] = []
            for part in line.split("\r"):
                cells[: len(part)] = part
            seen.append("".join(cells).rstrip())
        return seen


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, running: Settings) -> Terminal:
    """What a test makes its stderr; pytest takes that back between a fixture and its test."""
    running.quiet = False
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


@pytest.mark.parametrize("columns", [30, 80, 120])
def test_the_bar_fits_the_terminal_and_leaves_nothing_behind(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", str(columns))
    with Progress(1000) as bar:
        for _ in range(1000):
            bar.step()
        (line,) = terminal.lines
        assert line.endswith("] 1000 of 1000")
        assert "." not in line
        assert len(line) < columns
    assert terminal.lines == [""]


def test_what_is_said_meanwhile_is_a_line_of_its_own(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages come from anywhere: a hold that begins, a request with -v, a name server."""
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress(100) as bar:
        bar.step()
        say("a warning")
        bar.step()
        first, second = terminal.lines
        assert first == "a warning"
        assert second.endswith("2 of 100")
    assert terminal.lines == ["a warning", ""]


@pytest.mark.parametrize("reason", ["few", "quiet", "dumb", "pipe"])
def test_elsewhere_there_is_no_bar(
    terminal: Terminal, running: Settings, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    running.quiet = reason == "quiet"
    if reason == "dumb":
        monkeypatch.setenv("TERM", "dumb")
    if reason == "pipe":
        monkeypatch.setattr(Terminal, "isatty", lambda _: False)
    with Progress(5 if reason == "few" else 1000) as bar:
        bar.step()
    assert terminal.getvalue() == ""


# ---------------------------------------------------------------------------------- the table


def result(domain: str, status: Status, message: str = "") -> Result:
    codes = {Status.FAILED: ExitCode.ERROR, Status.REFUSED: ExitCode.REFUSED}
    failure = Failure(codes[status], message, "Advice.") if status in codes else None
    return Result(ChangeSet(Place(domain, domain)), status, failure)


LONG = f"{'a' * 63}.example"
RUN = RunResult(
    (
        result("fine.example", Status.APPLIED),
        *(result(f"same-{n}.example", Status.UNCHANGED) for n in range(TABLE_FROM)),
        result("broken.example", Status.FAILED, "netcup answered with an error. " * 5),
        result(LONG, Status.REFUSED, f"{LONG}: nothing was written, because of spf-drops-sender."),
        result("last.example", Status.APPLIED),
    )
)


def test_the_table_has_failures_first_and_no_line_for_what_is_unchanged() -> None:
    blank, *rows, totals = run_text(RUN, Page(120)).splitlines()
    assert blank == ""
    told = [row.split()[0] for row in rows if row[2] != " "]
    assert told == ["refused", "failed", "applied", "applied"]
    assert totals == "9 domains: 5 unchanged, 2 applied, 1 refused, 1 failed."


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_the_table_fits_the_terminal_and_cuts_no_name(width: int) -> None:
    rows = run_text(RUN, Page(width)).splitlines()
    assert f"  refused    {LONG}" in rows, "alone on its line, for the terminal to fold"
    for row in rows:
        assert len(row) <= width or row.endswith(LONG), row


def test_of_few_domains_there_is_no_table() -> None:
    few = RunResult(RUN.results[: TABLE_FROM - 1])
    assert len(run_text(few, Page(80)).splitlines()) == 1


def test_a_failure_whose_words_begin_with_the_domain_names_it_once() -> None:
    name, words = run_text(RUN, Page(120)).splitlines()[1:3]
    assert name.endswith(LONG)
    assert words.strip() == "nothing was written, because of spf-drops-sender."

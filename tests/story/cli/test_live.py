"""While name servers catch up: one line that fits the terminal, and no word that is not true."""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.actions.checking import Expectation
from netcup_mailauth.actions.session import Session
from netcup_mailauth.actions.waiting import Caches, Lag, Waited
from netcup_mailauth.cli import check, live
from netcup_mailauth.cli.entry import main
from netcup_mailauth.cli.output import begin, settings
from netcup_mailauth.errors import ZoneError
from netcup_mailauth.judge.compare import Known, Target
from netcup_mailauth.judge.report import Basis
from netcup_mailauth.lookup import Server, Survey
from netcup_mailauth.policy import DomainPolicy, Wish
from netcup_mailauth.records import Kind
from tests.core.judge.cases import zone
from tests.core.judge.samples import ONE, SPF, TWO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.story.inprocess import Cli

LAG = Lag("example.com", ONE, ("example.com",))
OTHER = Lag("example.com", TWO, ("example.com", "_dmarc.example.com"))


@pytest.fixture(autouse=True)
def _nothing_was_said_before() -> None:
    begin()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> Terminal:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr("shutil.get_terminal_size", lambda _: os.terminal_size((columns, 24)))
    return screen


def shown(screen: Terminal) -> str:
    """What the terminal shows in the end: a carriage return goes back to the first column."""
    row: list[str] = []
    column = 0
    for character in screen.getvalue():
        if character == "\r":
            column = 0
            continue
        row[column : column + 1] = [character]
        column += 1
    return "".join(row).rstrip()


def test_on_a_terminal_it_is_one_line_that_says_who_lags(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(monkeypatch, 100)
    line = live.Waiting()
    line.show([LAG, OTHER], 3)
    assert shown(screen) == f"waiting 3 s for {ONE.label}, {TWO.label}"
    line.show([OTHER], 4)
    assert shown(screen) == f"waiting 4 s for {TWO.label}"
    line.line.wipe()
    assert shown(screen) == ""
    assert "\n" not in screen.getvalue()


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_it_never_wraps(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    screen = terminal(monkeypatch, columns)
    live.Waiting().show([LAG, OTHER], 3)
    pieces = screen.getvalue().split("\r")
    assert max(map(len, pieces)) < columns
    assert shown(screen).startswith("waiting 3 s for")


def test_the_seconds_go_on_while_it_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(monkeypatch, 80)
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr("time.sleep", sleep)
    line = live.Waiting()
    line.show([LAG], 60)
    line.sleep(3)
    assert re.findall(r"\rwaiting (\d+) s for \S+ \S+(?=\r|$)", screen.getvalue())[-1] == "63"
    assert now[0] == pytest.approx(103)


def test_elsewhere_a_line_comes_only_when_something_changes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = live.Waiting()
    for lags in ([LAG, OTHER], [LAG, OTHER], [OTHER]):
        line.show(lags, 2)
    line.sleep(0)
    line.line.wipe()
    assert capsys.readouterr().err.splitlines() == [
        f"waiting 2 s for {ONE.label}, {TWO.label}",
        f"waiting 2 s for {TWO.label}",
    ]


@pytest.mark.parametrize("dumb", [True, False])
def test_a_dumb_terminal_gets_lines_and_a_quiet_run_none(
    monkeypatch: pytest.MonkeyPatch, dumb: bool
) -> None:
    screen = terminal(monkeypatch, 80)
    if dumb:
        monkeypatch.setenv("TERM", "dumb")
    settings().quiet = not dumb
    live.Waiting().show([LAG], 2)
    assert screen.getvalue() == (f"waiting 2 s for {ONE.label}\n" if dumb else "")


def test_of_many_laggards_some_are_named_and_all_are_counted() -> None:
    lags = [Lag(f"{n}.example", Server("ns", "192.0.2.1"), ("x",)) for n in range(5)]
    assert live._servers(lags) == (
        "ns (192.0.2.1) (0.example), ns (192.0.2.1) (1.example), ns (192.0.2.1) (2.example) "
        "and 2 more"
    )


# What is said at the end


def words(waited: Waited) -> str:
    return "\n".join(live._words(waited, "netcup-mailauth check example.com --wait", "a day"))


def test_what_caches_may_hold_is_told_by_its_case_and_only_then() -> None:
    old = words(Waited((), 4.2, Caches(record=86400)))
    assert old.startswith("Every name server has it, after 4 s.\n")
    assert re.search(r"the old record until \w{3} \d\d:\d\d \(in 24 h\)\.$", old)
    none = words(Waited((), 4.2, Caches(none=5400)))
    assert re.search(r"there is none until \d\d:\d\d \(in 1 h 30 min\)\.$", none)
    assert words(Waited((), 4.2)) == "Every name server has it, after 4 s."
    assert "(in 1 min)" in words(Waited((), 1, Caches(record=30)))


def test_after_the_timeout_each_laggard_is_named_with_what_it_lacks() -> None:
    said = words(Waited((LAG, OTHER), 1800))
    assert f"{TWO.label} does not have example.com, _dmarc.example.com yet." in said
    assert said.endswith("To go on waiting:\n  netcup-mailauth check example.com --wait")
    assert "Every name server" not in said


def test_a_quiet_run_says_only_what_is_not_right() -> None:
    settings().quiet = True
    assert words(Waited((), 1, Caches(record=30))) == ""
    assert "does not have" in words(Waited((LAG,), 1))


@pytest.mark.parametrize(
    "arguments",
    [
        [
            "--spf",
            "v=spf1 mx -all",
            "--rua",
            "mailto:a@example.com",
            "--rua",
            "mailto:b@example.com",
        ],
        ["--nameserver", "127.0.0.1:53", "--resolver", "127.0.0.1:54", "-c", "my config.toml"],
    ],
)
def test_going_on_takes_the_same_options_and_never_a_consent(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    found: list[str] = []

    def stand_in(**_: Any) -> None:
        found.append(live.resuming(["example.com"]))

    monkeypatch.setattr(check, "command", stand_in)
    extra = ["--allow", "spf-multiple", "--format", "json", "--timeout", "5", "--wait"]
    main(["check", "example.com", *arguments, *extra])
    again = shlex.split(found[0])
    assert again[:3] == ["netcup-mailauth", "check", "example.com"]
    assert sorted(again[3:]) == sorted([*arguments, "--wait"])


# What is waited for


class Stub:
    """Expects of every domain what a test says, or fails."""

    def __init__(self, *targets: Target, live_zone: Any = None, error: Any = None) -> None:
        self.targets, self.live, self.error = targets, live_zone, error

    def __call__(self, _session: Any, wish: Wish, basis: Basis, *_: Any) -> Expectation:
        if self.error is not None:
            raise self.error
        known = Known(wish, "example.com", self.live)
        return Expectation(known, (ONE,), self.targets, basis, Survey((), {}, ()))


@pytest.fixture
def expecting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Stub], Session]:
    """Have a session in which that is expected."""

    def session(stub: Stub) -> Session:
        monkeypatch.setattr("netcup_mailauth.cli.live.expect", stub)
        return Session()

    return session


WISH = Wish("example.com", DomainPolicy())
PROMISED, HOPED, ALONE = (
    Target(Kind.SPF, "example.com", SPF, SPF),
    Target(Kind.DMARC, "_dmarc.example.com", "v=DMARC1;p=none"),
    Target(Kind.DKIM, "dkim._domainkey.example.com"),
)


@pytest.mark.parametrize(
    ("targets", "live_zone", "waited_for", "said"),
    [
        ((PROMISED, HOPED), zone(), (PROMISED,), "netcup itself does not have"),
        ((PROMISED, HOPED), None, (PROMISED, HOPED), ""),
        ((HOPED,), zone(), (), "Apply it first."),
        ((ALONE,), zone(), (), "nothing is known to be on its way"),
        ((ALONE,), None, (), "nothing is known to be on its way"),
    ],
)
def test_only_what_can_come_is_waited_for(
    expecting: Callable[[Stub], Session],
    capsys: pytest.CaptureFixture[str],
    targets: Any,
    live_zone: Any,
    waited_for: Any,
    said: str,
) -> None:
    session = expecting(Stub(*targets, live_zone=live_zone))
    watched = live._watched(session, WISH, Basis.CONFIG, (), lambda words: words())
    assert (watched.targets if watched else ()) == waited_for
    assert said in capsys.readouterr().err


def test_a_domain_that_cannot_be_checked_is_not_waited_for(
    expecting: Callable[[Stub], Session], capsys: pytest.CaptureFixture[str]
) -> None:
    session = expecting(Stub(error=ZoneError("gone")))
    assert live.wait_for(session, [WISH], Basis.CONFIG, 5)
    assert capsys.readouterr().err == ""


def test_interrupted_it_wipes_the_line_and_says_how_to_go_on(
    expecting: Callable[[Stub], Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = terminal(monkeypatch, 80)

    def interrupted(*_: Any) -> Iterator[Waited]:
        yield Waited((LAG,), 1)
        raise KeyboardInterrupt

    monkeypatch.setattr("netcup_mailauth.cli.live.wait", interrupted)
    session = expecting(Stub(PROMISED))
    with pytest.raises(KeyboardInterrupt):
        live.wait_for(session, [WISH], Basis.CONFIG, 5)
    last = screen.getvalue().rpartition("\r")[2]
    assert last == (
        "The zone stays as it is. To go on waiting:\n  netcup-mailauth check example.com --wait\n"
    )


def test_where_nothing_is_wanted_the_servers_only_say_the_same(cli: Cli) -> None:
    waiting = ("--wait", "--timeout", "0")
    published = cli("check", "example.com", *waiting)
    assert "DKIM missing" in published.stdout
    assert "Every name server says the same, after 0 s." in published.stderr
    wanted = cli("check", "example.com", "--spf-require", "mx", *waiting)
    assert "Every name server has it, after 0 s." in wanted.stderr

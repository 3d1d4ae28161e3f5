"""``help``: pages, findings, exit codes and commands, each by its name, to a reader or a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.cli.commands import COMMANDS
from netcup_mailauth.cli.entry import main
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.findings import CODES, MEANINGS, OF_CHANGES, Severity
from tests.guide import GUIDE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Asked = Callable[..., str]


@pytest.fixture
def asked(capsys: pytest.CaptureFixture[str]) -> Asked:
    def ask(*words: str) -> str:
        assert main(["help", *words]) == ExitCode.OK
        answer = capsys.readouterr()
        assert answer.err == ""
        return answer.out

    return ask


def test_alone_it_lists_every_page_and_where_findings_are(asked: Asked) -> None:
    listed = asked()
    for page in GUIDE.glob("*.md"):
        assert f"- {page.stem}:" in listed or page.stem == "README"
    assert "help CODE" in listed


@pytest.mark.parametrize("page", sorted(GUIDE.glob("*.md")), ids=lambda page: page.stem)
def test_each_page_is_shown_as_a_terminal_has_it(asked: Asked, page: Path) -> None:
    shown = asked(page.stem if page.stem != "README" else "")
    for marked in ("```", "](", "<!--", "**"):
        assert marked not in shown
    assert all(len(line) <= 100 for line in shown.splitlines())
    assert shown.startswith(page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# "))


@pytest.mark.parametrize("code", MEANINGS)
def test_each_code_says_what_it_means_when_it_comes_and_what_to_do(asked: Asked, code: str) -> None:
    shown = " ".join(asked(code).split())
    for said in MEANINGS[code]:
        assert " ".join(said.split()) in shown


def test_only_what_can_be_allowed_says_how(asked: Asked) -> None:
    for code in CODES:
        allowed = code in OF_CHANGES[Severity.DANGER]
        assert (f"--allow {code}" in asked(code)) is allowed
    assert "when you have looked: --allow zone-reads-empty" in asked("zone-reads-empty")
    assert "--allow rotation-short-grace" in asked("rotation-short-grace")
    assert "--allow" not in asked("mx-missing")


@pytest.mark.parametrize("code", ExitCode)
def test_each_exit_code_is_told_by_its_number(asked: Asked, code: ExitCode) -> None:
    shown = asked(str(int(code)))
    assert shown.startswith(f"{int(code)} ")
    assert all(f"\n{int(other)} " not in shown for other in ExitCode)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_a_page_or_its_options(asked: Asked, name: str) -> None:
    assert f"netcup-mailauth {name}" in asked(name)


@pytest.mark.parametrize("words", [("exit", "codes"), ("EXIT-CODES",), ("exit-codes.md",)])
def test_a_page_is_found_however_its_name_is_typed(asked: Asked, words: tuple[str, ...]) -> None:
    assert asked(*words).startswith("Exit codes\n")


@pytest.mark.parametrize(
    ("typed", "near"),
    [("gard", "guard"), ("spf-drop-sender", "spf-drops-sender"), ("undoo", "undo"), ("7x", "")],
)
def test_what_there_is_not_names_the_nearest(
    capsys: pytest.CaptureFixture[str], typed: str, near: str
) -> None:
    assert main(["help", typed]) == ExitCode.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert f"no help on '{typed}'" in err
    assert f"Is {near} meant?" in err if near else "netcup-mailauth help lists" in err


@pytest.mark.parametrize("name", ["../README", "/etc/passwd", "..", "findings/../guard", "\x1b[2J"])
def test_nothing_but_a_page_is_read(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["help", name]) == ExitCode.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert "\x1b" not in err


@pytest.mark.parametrize(
    ("word", "page"),
    [
        ("spf", "parts"),
        ("DMARC", "parts"),
        ("systemd", "timer"),
        ("cron", "timer"),
        ("kubernetes", "timer"),
        ("password", "credentials"),
        ("prometheus", "watching"),
        ("python", "library"),
        ("ttl", "clouddns"),
    ],
)
def test_a_word_that_is_no_page_leads_to_the_page_that_tells_of_it(
    word: str, page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["help", word]) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert said.endswith(f": netcup-mailauth help {page}\n")


@pytest.mark.parametrize("word", ["nonsense", "(", "-", "a.b", "\\", "\n"])
def test_a_word_that_no_page_has_leads_to_the_list(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["help", "--", word]) == ExitCode.USAGE
    assert capsys.readouterr().err.endswith("netcup-mailauth help lists what there is.\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["completion"], "Choose from: bash, zsh, fish"),
        (["check", "example.com", "--timeout", "10s"], "'10s' is not a valid number of seconds."),
        (["apply", "example.com", "--lock-timeout", "5m"], "is not a valid number of seconds."),
        (["plan", "example.com", "--jobs", "all"], "'all' is not a valid whole number."),
        (["plan", "example.com", "--rate", "170/min"], "is not a valid whole number."),
    ],
)
def test_what_an_option_takes_is_told_in_one_line_of_words(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == ExitCode.USAGE
    first, _see = capsys.readouterr().err.splitlines()
    assert said in first
    assert "\\" not in first

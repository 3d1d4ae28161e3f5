"""What Tab offers: fast, silent, from the config alone; asked as shells ask, and by real ones."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.cli import completion
from netcup_mailauth.cli.commands import COMMANDS
from netcup_mailauth.cli.entry import main
from netcup_mailauth.cli.output import COMPLETE
from netcup_mailauth.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

BIN = Path(sys.executable).parent
SHELLS = [name for name in ("bash", "zsh", "fish") if shutil.which(name)]
"""The real shells on this machine; bash is always one."""

CONFIG = """
[mailcow]
url = "https://mail.example.com"
[domains."example.com"]
[domains."example.org"]
dmarc = { policy = "reject" }
[domains."Mail.Example.net"]
"""
OTHER = '[domains."other.example"]\n'
DOMAINS = ["example.com", "example.org", "mail.example.net"]

Offered = Callable[..., list[str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "netcup-mailauth.toml").write_text(CONFIG)
    (tmp_path / "other.toml").write_text(OTHER)
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def offered(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Offered:
    """What is offered for the last of the words, by bash's protocol."""

    def ask(*words: str) -> list[str]:
        monkeypatch.setenv("COMP_WORDS", " ".join(("netcup-mailauth", *words)))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        monkeypatch.setenv(COMPLETE, "bash_complete")
        assert main([]) == ExitCode.OK
        answer = capfd.readouterr()
        assert answer.err == ""
        return [line.partition(",")[2] for line in answer.out.splitlines() if line]

    return ask


def test_commands_are_offered_without_loading_one(offered: Offered) -> None:
    assert offered("") == list(COMMANDS)
    assert offered("pl") == ["plan"]


def test_options_and_choices(offered: Offered) -> None:
    assert offered("plan", "--spf-") == ["--spf-require", "--spf-drop", "--spf-all"]
    assert offered("plan", "--kind", "") == ["spf", "dkim", "dmarc"]
    assert offered("apply", "--dmarc-policy", "re") == ["reject"]
    assert offered("check", "--color", "") == ["auto", "always", "never"]
    assert offered("completion", "") == ["bash", "zsh", "fish"]
    assert "--metrics-file" in offered("apply", "--me")


def test_nothing_is_offered_for_what_only_the_user_can_know(offered: Offered) -> None:
    assert offered("plan", "--selector", "") == []
    assert offered("plan", "--spf", "") == []


@pytest.mark.parametrize("name", ["plan", "apply", "check"])
def test_the_domains_of_the_config(offered: Offered, name: str) -> None:
    assert offered(name, "") == DOMAINS
    assert offered(name, "EXAMPLE.") == ["example.com", "example.org"]
    assert offered(name, "example.com", "e") == ["example.org"], "the line has the other already"


@pytest.mark.parametrize(
    "words",
    [
        ("-c", "other.toml", "plan", ""),
        ("plan", "-c", "other.toml", ""),
        ("plan", "--config=other.toml", ""),
        ("-c", "netcup-mailauth.toml", "plan", "-c", "'other.toml'", ""),
        ("plan", "-c", "~/../other.toml", ""),
    ],
)
def test_the_domains_of_the_config_on_the_line(offered: Offered, words: tuple[str, ...]) -> None:
    assert offered(*words) == ["other.example"]


def test_the_users_own_config_where_there_is_none_here(offered: Offered, folder: Path) -> None:
    own = folder / "home/.config/netcup-mailauth"
    own.mkdir(parents=True)
    (folder / "netcup-mailauth.toml").rename(own / "netcup-mailauth.toml")
    assert offered("plan", "") == DOMAINS


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[domains."example.com"',
        '[domains."example.com"]\n[domains.example.org]',  # to TOML a table org in a table example
        '[domains."example.com"]\n[domains."$(touch x).example"]',
        '[domains."example.com"]\n[domains."EXAMPLE.com."]',
        '[domains]\n"example.com" = 1\n"example.org" = {}',
        'domains = ["example.com"]',
        "x = " + "[" * 5000,
        '[domains."example.com"]\n' + "#" * completion.MOST_READ,
    ],
)
def test_a_broken_config_has_no_domains(offered: Offered, folder: Path, text: str) -> None:
    (folder / "netcup-mailauth.toml").write_text(text)
    assert offered("plan", "") == []


def test_what_is_no_readable_file_has_no_domains(offered: Offered, folder: Path) -> None:
    os.mkfifo(folder / "pipe")  # a reader that does not look would hang here
    for name in ("pipe", "absent.toml", "home", "/dev/zero", "~nobody-of-that-name/x"):
        assert offered("plan", "-c", name, "") == []
    (folder / "latin1.toml").write_bytes(b'[domains."example.com"]\n# \xe4')
    assert offered("plan", "-c", "latin1.toml", "") == []


def test_an_international_name_is_offered_as_it_is_written(offered: Offered, folder: Path) -> None:
    (folder / "netcup-mailauth.toml").write_text('[domains."straße.example"]', encoding="utf-8")
    assert offered("plan", "str") == ["straße.example"]


def test_codes_to_allow(offered: Offered) -> None:
    assert offered("apply", "--allow", "spf-dr") == ["spf-drops-sender"]
    assert offered("apply", "--allow", "spf-drops-sender:exa") == [
        "spf-drops-sender:example.com",
        "spf-drops-sender:example.org",
    ]
    assert offered("apply", "--allow", "no-such-code:") == []


def test_pages_and_codes_of_the_help(offered: Offered) -> None:
    assert offered("help", "cre") == ["credentials"]
    assert offered("help", "spf-dr") == ["spf-drops-sender"]
    assert offered("help", "mx-") == ["mx-broken", "mx-missing"]


def test_a_mistake_in_the_program_is_silent_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(COMPLETE, "bash_complete")  # without the words, which click reads first
    assert main([]) == ExitCode.ERROR
    assert capfd.readouterr() == ("", "")


def test_an_empty_variable_asks_for_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(COMPLETE, "")
    main(["--help"])
    assert "Usage:" in capfd.readouterr().out


HEAVY = ("pydantic", "requests", "dns", "cryptography", "socket", "netcup_mailauth.judge")


@pytest.mark.parametrize("words", ["plan ex", "apply --allow spf", "plan -c other.toml "])
def test_nothing_heavy_is_loaded_and_nobody_can_be_asked(folder: Path, words: str) -> None:
    """Time is measured elsewhere; what costs it is known by its name."""
    code = (
        "import sys, netcup_mailauth.cli.entry as entry; entry.main([]);"
        f"sys.exit([name for name in {HEAVY!r} if name in sys.modules] or 0)"
    )
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "COMP_WORDS": f"netcup-mailauth {words}",
        "COMP_CWORD": str(len(words.split(" "))),
        COMPLETE: "bash_complete",
    }
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert (run.stderr.strip(), run.returncode) == ("", 0)
    assert run.stdout.startswith("plain,")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_printed(shell: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == ExitCode.OK
    script, errors = capfd.readouterr()
    assert f"{COMPLETE}={shell}_complete" in script
    assert errors == ""


def test_another_shell_is_a_usage_error(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == ExitCode.USAGE
    assert "'bash', 'zsh', 'fish'" in capfd.readouterr().err


class Typing:
    """A real shell at a terminal, in which somebody types and presses Tab."""

    def __init__(self, shell: str, folder: Path) -> None:
        setup = f'PS1="ready> "\neval "$(netcup-mailauth completion {shell})"\n'
        if shell == "zsh":
            setup = f"autoload -U compinit && compinit -u -D\nunsetopt beep\n{setup}"
        (folder / f".{shell}rc").write_text(setup)
        arguments = {"bash": ["--noprofile", "--rcfile", ".bashrc", "-i"], "zsh": ["-i"]}[shell]
        env = {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder / "home"),
            "ZDOTDIR": str(folder),
            "TERM": "dumb" if shell == "bash" else "vt100",
            "LANG": "C.UTF-8",
        }
        self._process, self._terminal = pty.fork()
        if self._process == 0:
            os.chdir(folder)
            os.execvpe(shell, [shell, *arguments], env)
        self._until("ready> ")

    def completed(self, line: str) -> str:
        """The line after Tab: it is made an argument of echo, and run."""
        os.write(self._terminal, f"{line}\t\x01echo '<'\x05'>'\n".encode())
        return self._until(r"\n<(netcup-mailauth[^\r]*?) ?>\r.*ready> ")[1]

    def close(self) -> None:
        os.close(self._terminal)
        os.waitpid(self._process, 0)

    def _until(self, pattern: str) -> re.Match[str]:
        shown, deadline = "", time.monotonic() + 20
        while not (found := re.search(pattern, shown, re.DOTALL)):
            assert time.monotonic() < deadline, shown
            if select.select([self._terminal], [], [], 0.2)[0]:
                shown += os.read(self._terminal, 65536).decode().replace("\0", "")  # padding
        return found


@pytest.fixture(params=[shell for shell in SHELLS if shell != "fish"])
def typing(request: pytest.FixtureRequest, folder: Path) -> Iterator[Typing]:
    shell = Typing(request.param, folder)
    yield shell
    shell.close()


def test_a_real_shell_completes_at_tab(typing: Typing) -> None:
    assert typing.completed("netcup-mailauth pla") == "netcup-mailauth plan"
    assert typing.completed("netcup-mailauth apply m") == "netcup-mailauth apply mail.example.net"
    assert typing.completed("netcup-mailauth plan -c other.toml o").endswith("other.example")
    allowed = typing.completed("netcup-mailauth apply --allow spf-drops-sender:mail")
    assert allowed == "netcup-mailauth apply --allow spf-drops-sender:mail.example.net"


def in_shell(shell: str, script: str, folder: Path) -> str:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        [shell, "-c", script],
        env={"PATH": path, "HOME": str(folder / "home"), "ZDOTDIR": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_one_that_the_shell_understands(shell: str, folder: Path) -> None:
    in_shell(shell, f"netcup-mailauth completion {shell} > script; {shell} -n script", folder)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_of_the_shell_can_ask(shell: str, folder: Path) -> None:
    """Fish tells what it would offer; the others run the function that Tab has them run."""
    asks = {
        "bash": 'eval "$(netcup-mailauth completion bash)"; COMP_CWORD=2; '
        "COMP_WORDS=(netcup-mailauth plan ex); _netcup_mailauth_completion netcup-mailauth; "
        'printf "%s\\n" ${COMPREPLY[@]}',
        "zsh": "compdef() { :; }; compadd() { print -l ${(P)argv[-1]}; }; "
        'eval "$(netcup-mailauth completion zsh)"; words=(netcup-mailauth plan ex); CURRENT=3; '
        "_netcup_mailauth_completion",
        "fish": 'netcup-mailauth completion fish | source; complete -C "netcup-mailauth plan ex"',
    }
    assert in_shell(shell, asks[shell], folder).split() == ["example.com", "example.org"]


@pytest.mark.parametrize(
    ("shell", "position", "answer"),
    [("zsh", "1", "plain\nplan\nShow what would"), ("fish", "pla", "plain,plan\tShow what would")],
)
def test_shells_that_show_them_get_descriptions(
    shell: str,
    position: str,
    answer: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COMP_WORDS", "netcup-mailauth pla")
    monkeypatch.setenv("COMP_CWORD", position)
    monkeypatch.setenv(COMPLETE, f"{shell}_complete")
    assert main([]) == ExitCode.OK
    assert capfd.readouterr().out.startswith(answer)

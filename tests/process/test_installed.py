"""Most tests fork the command. Here it is started from nothing, as installed, and does the same."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.process.command import COMMAND, Command

SPF = ("--spf", "v=spf1 mx a -all", "--spf-drop", "include:_spf.webhosting.systems")
WISH = (*SPF, "--dkim", "mailcow", "--dmarc", "v=DMARC1;p=none;rua=mailto:a@example.com")

FACTS = """
import atexit, json, locale, os, resource, signal, sys, threading, time
HIDDEN = {"PYTHONHASHSEED", "LC_CTYPE"}
def facts():
    files = [sys.stdin, sys.stdout, sys.stderr]
    os.umask(mask := os.umask(0))
    said = {
        "argv": sys.argv, "path": sys.path, "flags": str(sys.flags), "folder": os.getcwd(),
        "environment": {name: os.environ[name] for name in sorted(set(os.environ) - HIDDEN)},
        "files": [
            [f.name, f.mode, f.buffer.raw.mode, f.encoding, f.errors, f.line_buffering, f.isatty()]
            for f in files
        ],
        "signals": [str(signal.getsignal(number)).split(" at ")[0] for number in range(1, 32)],
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "leads": [os.getsid(0) == os.getpid(), os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp()],
        "open": [name for name in sorted(os.listdir("/dev/fd")) if int(name) > 2][1:],
        "umask": mask, "nice": os.nice(0), "core": resource.getrlimit(resource.RLIMIT_NOFILE),
        "time": time.tzname, "encoding": locale.getencoding(), "threads": threading.active_count(),
    }
    with open("facts.json", "w") as file:
        json.dump(said, file)
atexit.register(facts)
"""
"""What a process is, as it sees it itself when it ends."""


@pytest.fixture
def installed(command: Command) -> Command:
    """The same command, started from nothing; its environment says only what holds anyway."""
    changes = {**command.changes, "PYTHONHASHSEED": "random"}
    return Command(command.sandbox, command.folder, changes)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--help",),
        ("--version",),
        ("plam",),
        ("plan", "example.com", "--bogus"),
        ("records", "example.com"),
        ("records", "foreign.example"),
        ("plan", "example.com", *WISH),
        ("plan", "example.com", *WISH, "--format", "json"),
        ("plan", "example.com", *WISH, "--format", "markdown"),
        ("apply", "example.com", "--spf", "v=spf1 -all", "--yes"),
        ("check", "example.com", *WISH),
        ("auth", "--check"),
        ("undo", "--list"),
        ("undo", "example.com", "--yes"),
        ("show", "nothing.json"),
        ("sandbox", "--domain", "not a domain"),
    ],
    ids=" ".join,
)
def test_it_says_what_its_fork_says(
    command: Command, installed: Command, arguments: tuple[str, ...]
) -> None:
    assert installed(*arguments) == command(*arguments)


def test_it_applies_shows_undoes_and_begins(installed: Command) -> None:
    before = installed.sandbox.zone("example.com")
    assert installed("plan", "example.com", *WISH, "--out", "plan.json").code == 0
    assert installed("show", "plan.json").code == 0
    assert installed("apply", "--plan", "plan.json").code == 0
    assert installed.sandbox.zone("example.com") != before
    codes = ("dkim-revokes-key", "dkim-removes-signing-key", "dmarc-drops-reports")
    allow = [word for code in codes for word in ("--allow", code)]
    assert installed("undo", "example.com", "--yes", *allow).code == 0
    assert len(installed.sandbox.zone("example.com")) == len(before)
    assert installed("init", "example.com").code == 0
    assert (installed.folder / "netcup-mailauth.toml").exists()


def test_help_needs_nothing_at_all() -> None:
    ended = subprocess.run([str(COMMAND), "--help"], env={}, capture_output=True, check=True)
    assert b"sandbox" in ended.stdout


def test_it_asks_at_a_terminal(installed: Command) -> None:
    ended = installed.at_terminal("apply", "example.com", *WISH, answer="y")
    assert ended.code == 0
    assert "written and verified" in ended.stdout


@pytest.mark.parametrize("terminal", [False, True])
def test_a_fork_is_a_process_like_any_other(
    command: Command, installed: Command, terminal: bool
) -> None:
    def facts(run: Command) -> Any:
        run.changes |= {"PYTHONPATH": str(command.folder), "TZ": "Asia/Kolkata"}
        if terminal:
            run.at_terminal("apply", "example.com", *WISH, answer="n")
        else:
            run("plan", "example.com", *WISH)
        file = run.folder / "facts.json"
        said = json.loads(file.read_text())
        file.unlink()
        return said

    (command.folder / "sitecustomize.py").write_text(FACTS)
    own, forked = facts(installed), facts(command)
    assert own["time"] == ["IST", "IST"]
    assert forked == own

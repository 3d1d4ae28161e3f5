"""What the command says to type, as a Python program says it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import netcup_mailauth
from netcup_mailauth.errors import ConfigError, UsageError
from netcup_mailauth.render import calls
from netcup_mailauth.render.calls import said

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(netcup_mailauth.__file__).parent
GOLDEN = Path(__file__).parent.parent / "golden" / "findings.txt"

OF_THE_COMMAND = re.compile(
    r"(?<![\w-])--[a-z]|command line|\bfacts? [\d(]|same command|(?:with|give|[Nn]ame) -c\b"
)
OPENSSL = "openssl pkey"
"""The one program beside this whose options are named."""

ELSEWHERE = {
    *("cli", "sandbox", "rotation", "guide", "proposal.py", "planfile.py"),
    *("actions/undo.py", "actions/setup.py", "actions/init.py"),
    *("actions/planfile.py", "render/markdown.py", "render/guide.py", "render/proposals.py"),
    *("render/metrics.py", "render/calls.py", "settings/writing.py", "netcup/zonefile.py"),
}
"""What the library does not come by."""


@pytest.mark.parametrize(
    ("command", "library"),
    [
        ("Give --spf, --dkim or --dmarc.", "Give spf=, dkim= or dmarc=."),
        ("Name it, as in --server mail.example.com", 'Name it, as in server="mail.example.com"'),
        ("its own: --selector dkim2", 'its own: selector="dkim2"'),
        ("(--spf-all fail, softfail or neutral).", '(spf_all="fail", softfail or neutral).'),
        ("Add one with --rua mailto:a@b.example.", 'Add one with rua="mailto:a@b.example".'),
        ("Name it: --allow spf-ptr:b.example", 'Name it: allow="spf-ptr:b.example"'),
        (
            "Publish one:\n  netcup-mailauth plan example.com --spf-require mx",
            'Publish one:\n  netcup.plan("example.com", spf_require="mx")',
        ),
        (
            "  netcup-mailauth plan a.example --spf 'v=spf1 \"x\" -all' --spf-drop a --spf-drop mx",
            '  netcup.plan("a.example", spf="v=spf1 \\"x\\" -all", spf_drop=["a", "mx"])',
        ),
        ("netcup-mailauth check a.example b.example", 'netcup.check("a.example", "b.example")'),
        (
            "netcup-mailauth apply a.example --dkim mailcow",
            'netcup.apply(netcup.plan("a.example", dkim="mailcow"))',
        ),
        ("netcup-mailauth plan a.example --full", "netcup-mailauth plan a.example full="),
        ("netcup-mailauth plan 'a", "netcup-mailauth plan 'a"),
        ("(netcup-mailauth rotate a.example --abort).", "(see netcup-mailauth help rotate)."),
        ("Go on: rotate --continue", "Go on: see netcup-mailauth help rotate"),
        ("enter it with netcup-mailauth auth, or", "enter it with netcup-mailauth auth, or"),
        ("xn--bcher-kva.example is not -all", "xn--bcher-kva.example is not -all"),
        ("Run the same command again.", "Do the same again."),
    ],
)
def test_options_are_arguments_and_commands_calls(command: str, library: str) -> None:
    assert said(command) == library


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text in a module that may be shown: no docstring; a gap where a value stands."""
    inner = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inner.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            inner |= {id(part) for part in ast.walk(node) if part is not node}
            parts = (p.value if isinstance(p, ast.Constant) else "a.example" for p in node.values)
            yield "".join(map(str, parts)).replace("--a.example", "--dmarc")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            yield node.value


def test_no_text_that_the_library_comes_by_speaks_of_the_command_line() -> None:
    wrong = []
    for path in ROOT.rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        if not {name, name.partition("/")[0]} & ELSEWHERE:
            found = map(said, texts(ast.parse(path.read_text(encoding="utf-8"))))
            wrong += [text for text in found if OF_THE_COMMAND.search(text) and OPENSSL not in text]
    assert wrong == []


def test_no_finding_as_it_is_told_does() -> None:
    told = [said(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
    assert any("netcup.plan(" in line for line in told)
    assert [line for line in told if OF_THE_COMMAND.search(line)] == []


def test_the_texts_that_are_said_otherwise_as_a_whole_are_there_still() -> None:
    paths = [path for path in ROOT.rglob("*.py") if path.name != "calls.py"]
    modules = [path.read_text(encoding="utf-8") for path in paths]
    every = {text for module in modules for text in texts(ast.parse(module))}
    missing = [p for p in calls._PHRASES if not any(p in text for text in every)]
    assert missing == []


def test_an_error_keeps_its_class_and_what_it_holds() -> None:
    for error in (UsageError("--spf is wrong.", "Leave out --spf."), ConfigError("No", ["x"], "-")):
        calls.reword(error)
        assert str(error) == error.what
        assert "--" not in error.sentences

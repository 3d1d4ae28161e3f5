"""Which places that word a finding the cases reach, and which they do not.

Found in the source, not listed by hand: in the modules of the judge each statement and each arm
of ``x if y else z`` and ``x or y``; elsewhere those of each function that makes a finding.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import netcup_mailauth
from tests.core.golden.judging import JUDGES, NOT_WORDED, WORDED_AS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import CodeType, FrameType
    from typing import Any

PACKAGE = Path(netcup_mailauth.__file__).parent
_SUITES = ("body", "orelse", "finalbody")
Node = ast.expr | ast.stmt


def unreached(run: Callable[[], object]) -> list[str]:
    """The places that ``run`` does not reach, as ``path: source``."""
    wanted = {path: list(_places(path)) for path in sorted(PACKAGE.rglob("*.py"))}
    left = _left(run, {str(path): nodes for path, nodes in wanted.items() if nodes})
    missing = []
    for path, nodes in wanted.items():
        source = path.read_text(encoding="utf-8")
        for node in nodes:
            if node in left:
                text = " ".join((ast.get_source_segment(source, node) or "").split())
                missing.append(f"{path.relative_to(PACKAGE).as_posix()}: {text[:90]}")
    return missing


def _places(path: Path) -> Iterator[Node]:
    name = path.relative_to(PACKAGE).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    ours = any(name == judge or name.startswith(f"{judge}/") for judge in JUDGES)
    if name in NOT_WORDED:
        return
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and (ours or _words_a_fault(function, name)):
            yield from _choices(function)


def _words_a_fault(function: ast.FunctionDef, path: str) -> bool:
    made = ("Finding", WORDED_AS.get(path))
    calls = (node for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(isinstance(call.func, ast.Name) and call.func.id in made for call in calls)


def _choices(function: ast.FunctionDef) -> Iterator[Node]:
    for node in ast.walk(function):
        for suite in _SUITES:
            found = getattr(node, suite, None)
            for statement in found if isinstance(found, list) else ():
                if not _leaves_no_trace(statement):
                    yield statement
        if isinstance(node, ast.IfExp):
            yield from (node.body, node.orelse)
        elif isinstance(node, ast.BoolOp):
            yield from node.values


def _leaves_no_trace(statement: ast.stmt) -> bool:
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_text or isinstance(statement, (ast.FunctionDef, ast.Pass, ast.Continue))


def _left(run: Callable[[], object], wanted: Mapping[str, list[Node]]) -> set[Node]:
    """Of these places of each file those of which no instruction is executed.

    Only code that still has a place to be reached is looked at, as each look costs as much as many
    instructions: line by line where these are statements, each of which begins a line, and at each
    instruction where there are arms of an expression, which lines do not tell apart.
    """
    left = {node for nodes in wanted.values() for node in nodes}
    telling: dict[int, dict[int, set[Node]]] = {}
    done: dict[int, CodeType] = {}  # by number, as the hash of code is that of all that is in it
    known: list[CodeType] = []  # so that nothing else gets one of the numbers

    def called(frame: FrameType, _event: str, _: Any) -> Any:
        code = frame.f_code
        if id(code) in done:
            return None
        if id(code) not in telling:
            known.append(code)
            telling[id(code)] = _instructions(code, wanted.get(code.co_filename, []))
        if not telling[id(code)]:
            done[id(code)] = code
            return None
        by_instruction = any(map(_is_an_arm, set().union(*telling[id(code)].values())))
        frame.f_trace_opcodes, frame.f_trace_lines = by_instruction, not by_instruction
        return stepped

    def stepped(frame: FrameType, _event: str, _: Any) -> Any:
        places = telling[id(frame.f_code)]
        if found := places.pop(frame.f_lasti, None):
            left.difference_update(found)
            still = {at: more for at, of in places.items() if (more := of & left)}
            telling[id(frame.f_code)] = still
        return stepped

    before = sys.gettrace()
    sys.settrace(called)
    try:
        run()
    finally:
        sys.settrace(before)
    return left


def _is_an_arm(node: Node) -> bool:
    return isinstance(node, ast.expr)


def _instructions(code: CodeType, nodes: list[Node]) -> dict[int, set[Node]]:
    """Which places an instruction is of, by its offset, where it is of any."""
    places = [place[:3:2] for place in code.co_positions()]
    lines = [line for line, _ in places if line]
    near = [node for node in nodes if lines[0] <= _span(node)[1][0] and node.lineno <= max(lines)]
    found = {}
    for number, place in enumerate(places):
        if None not in place and (of := {n for n in near if _span(n)[0] <= place < _span(n)[1]}):
            found[2 * number] = of
    return found


def _span(node: Node) -> tuple[tuple[int, int], tuple[int, int]]:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)

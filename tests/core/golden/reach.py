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
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType
    from typing import Any

PACKAGE = Path(netcup_mailauth.__file__).parent
_SUITES = ("body", "orelse", "finalbody")
Place = tuple[int, int]
Span = tuple[Place, Place]


def unreached(run: Callable[[], object]) -> list[str]:
    """The places that ``run`` does not reach, as ``path: source``."""
    wanted = {path: list(_places(path)) for path in sorted(PACKAGE.rglob("*.py"))}
    wanted = {path: nodes for path, nodes in wanted.items() if nodes}
    reached = _reached(run, frozenset(map(str, wanted)))
    missing = []
    for path, nodes in wanted.items():
        source = path.read_text(encoding="utf-8")
        been = reached.get(str(path), set())
        for node in nodes:
            if not any(_span(node)[0] <= place < _span(node)[1] for place in been):
                text = " ".join((ast.get_source_segment(source, node) or "").split())
                missing.append(f"{path.relative_to(PACKAGE).as_posix()}: {text[:90]}")
    return missing


def _places(path: Path) -> Iterator[ast.expr | ast.stmt]:
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


def _choices(function: ast.FunctionDef) -> Iterator[ast.expr | ast.stmt]:
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


def _span(node: ast.expr | ast.stmt) -> Span:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


def _reached(run: Callable[[], object], files: frozenset[str]) -> dict[str, set[Place]]:
    """The places of the source in these files whose instructions were executed."""
    executed: dict[CodeType, set[int]] = {}

    def each(frame: FrameType, event: str, _: Any) -> Any:
        if event == "call":
            if frame.f_code.co_filename not in files:
                return None
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
        executed.setdefault(frame.f_code, set()).add(frame.f_lasti)
        return each

    before = sys.gettrace()
    sys.settrace(each)
    try:
        run()
    finally:
        sys.settrace(before)
    reached: dict[str, set[Place]] = {}
    for code, offsets in executed.items():
        positions = list(code.co_positions())
        for offset in offsets:
            line, _, column, _ = positions[offset // 2] if offset >= 0 else (None,) * 4
            if line is not None and column is not None:
                reached.setdefault(code.co_filename, set()).add((line, column))
    return reached

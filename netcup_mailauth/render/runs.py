"""What became of a run, as text: domain by domain, and summed up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.errors import WORST_FIRST
from netcup_mailauth.plan import Action
from netcup_mailauth.printable import visible
from netcup_mailauth.render.text import failure_lines, name_of
from netcup_mailauth.render.words import counted
from netcup_mailauth.results import Result, RunResult, Status

if TYPE_CHECKING:
    from netcup_mailauth.plan import ChangeSet
    from netcup_mailauth.render.layout import Page


def result_text(result: Result, page: Page) -> str:
    """What became of one domain, in a line or two."""
    domain = visible(result.change_set.place.domain)
    lines = [
        f"{page.paint(domain, 'bold')}: {page.paint(_outcome(result), _colour(result.status))}"
    ]
    if result.failure is not None:
        lines += failure_lines(result.failure, page)
    lines += [line for note in result.notes for line in page.hang("  note: ", visible(note), 8)]
    return "".join(f"{line}\n" for line in lines)


def run_text(run: RunResult, page: Page) -> str:
    """A run summed up: a line for each domain of which there is something to tell, and totals.

    What failed comes first. Of few domains the reader has just seen all there is.
    """
    rows = [r for r in run.results if r.status is not Status.UNCHANGED]
    rows.sort(key=lambda result: WORST_FIRST.index(result.exit_code))
    if len(run.results) < TABLE_FROM:
        rows = []
    longest = max((len(name_of(r.change_set)) for r in rows), default=0)
    lines = [""] if rows else []
    lines += [line for r in rows for line in _row(r, min(longest, page.width // 3), page)]
    counts = [(status, run.count(status)) for status in Status]
    listed = ", ".join(f"{number} {status.value}" for status, number in counts if number)
    lines.append(f"{counted(len(run.results), 'domain', 'domains')}: {listed}.")
    return "".join(f"{line}\n" for line in lines)


TABLE_FROM = 5
"""Domains from which on a run ends with a table."""


def _row(result: Result, name_width: int, page: Page) -> list[str]:
    """One line of the table, the name on one of its own if it is long, and never cut."""
    name = name_of(result.change_set)
    head = f"  {result.status.value:<10} {name:<{name_width}}  "
    lines: list[str] = []
    if len(name) > name_width:
        lines, head = [head.rstrip()], " " * (name_width + 15)
    words = _outcome(result)
    if result.failure is not None:
        domain = result.change_set.place.domain
        words = visible(result.failure.message.removeprefix(domain).removeprefix(": "))
    room = page.width - len(head)
    return [*lines, head + (words if len(words) <= room else f"{words[: room - 1]}…")]


def _outcome(result: Result) -> str:
    changes = result.change_set.changes
    match result.status:
        case Status.UNCHANGED:
            return _why_nothing(result.change_set)
        case Status.APPLIED:
            done = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}
            counts = (
                (word, sum(c.action is action for c in changes)) for action, word in done.items()
            )
            listed = ", ".join(f"{number} {word}" for word, number in counts if number)
            return f"written and verified: {listed}"
        case Status.LOST:
            return "written; other records of the zone are gone"
        case Status.ALREADY:
            return "already as planned; somebody else has made the same change"
        case status:
            return status.value


def _why_nothing(change_set: ChangeSet) -> str:
    """A rotation is seen to by runs of its own; not to say so would look as if it were done."""
    rotates = any(finding.code == "rotation-in-progress" for finding in change_set.findings)
    left = "; its DKIM key is left to the open rotation (rotation-in-progress)"
    return f"nothing to do{left if rotates else ''}"


def _colour(status: Status) -> str:
    if status in (Status.APPLIED, Status.ALREADY):
        return "green"
    return "dim" if status is Status.UNCHANGED else "red"

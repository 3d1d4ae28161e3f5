"""Text for people: a plan to say yes or no to at two in the morning, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from netcup_mailauth.errors import WORST_FIRST
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import holding
from netcup_mailauth.plan import SIGNS, Action, Result, RunResult, Status
from netcup_mailauth.records import both_forms
from netcup_mailauth.render.words import (
    HELD,
    LABELS,
    Detail,
    Told,
    details,
    endings,
    ends_of,
    kinds_unmanaged,
    nothing_to_do,
    shared,
    totals,
    unmanaged,
    untouched,
    value_of,
    without,
)
from netcup_mailauth.render.zone import joined, title, where
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from netcup_mailauth.plan import Change, ChangeSet, Failure, Plan
    from netcup_mailauth.records import Kind
    from netcup_mailauth.render.page import Page

_MARKS = {
    Severity.REFUSED: "!",
    Severity.DANGER: "!",
    Severity.WARNING: "?",
    Severity.NOTE: " ",
}
_LABEL_WIDTH = 7
_MAX_NAME = 24


def plan_text(plan: Plan, page: Page, full: bool = False, *, hint: bool = True) -> str:
    """A whole plan, each domain with changes in full, an unchanged one in a line.

    ``hint`` at how to see the first key in it whole, unless it is ``full``.
    """
    common = shared(plan)
    blocks = []
    alone = len(plan.zones) == 1
    zones = (_without(change_set, common, alone=alone) for change_set in plan.zones)
    first = next((c.place.domain for c in plan.zones if first_key(c)), None)
    for dull, change_sets in groupby(zones, is_dull):
        blocks += [
            change_set_text(change_set, page, full, hint=hint and change_set.place.domain == first)
            for change_set in change_sets
        ]
        blocks += ["\n"] if dull else []
    blocks += [_shared_text(found, domains, page) for found, domains in common.items()]
    blocks += [] if alone else [_left_text(plan, page)]
    return "".join([*blocks, joined(page.hang("", totals(plan), 0))])


def _without(change_set: ChangeSet, common: dict[Told, list[str]], *, alone: bool) -> ChangeSet:
    """The change set without what is told once for several, so that it may fit in a line."""
    left = () if change_set.is_empty and not alone else change_set.unmanaged
    return replace(without(change_set, common), unmanaged=left)


def _left_text(plan: Plan, page: Page) -> str:
    """What is not managed in the domains of which a line says all else."""
    domains: dict[str, list[str]] = {}
    for change_set in plan.zones:
        if change_set.is_empty and change_set.unmanaged:
            domains.setdefault(kinds_unmanaged(change_set), []).append(change_set.place.domain)
    lines = []
    for kinds, names in domains.items():
        of = visible(", ".join(names)) if len(names) <= NAMED else f"{len(names)} domains"
        lines += page.hang("", f"{kinds} of {of}: not managed here.", 2, "dim")
    return joined([*lines, ""]) if lines else ""


NAMED = 3
"""Domains that are named where there is a line for several; more are counted."""


def _shared_text(told: Told, domains: list[str], page: Page) -> str:
    finding, allowed = told
    lines = finding_lines(finding, allowed, page)
    named = ", ".join(map(both_forms, domains))
    head = page.hang("  ", f"{len(domains)} domains ({named}):", 4)
    return joined([*head, *lines, ""])


_HINT = "--full shows the key whole"


def first_key(change_set: ChangeSet) -> Change | None:
    """The first change of which only the ends of a key are shown, if there is one."""
    for change in change_set.changes:
        records = filter(None, (change.before, change.after))
        if any(ends_of(change.kind, record.destination) for record in records):
            return change
    return None


def change_set_text(
    change_set: ChangeSet, page: Page, full: bool = False, *, hint: bool = True
) -> str:
    """One domain of a plan; ``hint`` at how to see the key in it whole, unless it is ``full``."""
    if change_set.error is not None and not page.why:
        name = page.paint(name_of(change_set), "bold")
        not_tried = change_set.error.message == Status.NOT_TRIED
        outcome = Status.NOT_TRIED if not_tried else Status.FAILED
        return joined([f"{name}: {page.paint(outcome, 'red')}", ""])
    if change_set.error is not None:
        return joined([heading(change_set, page), "", *failure_lines(change_set.error, page), ""])
    if change_set.is_empty:
        lines = [*_nothing_to_do(change_set, page), *_left(change_set, page)]
    else:
        lines = [heading(change_set, page), ""]
        longest = max(len(visible(change.hostname)) for change in change_set.changes)
        name_width = min(longest, _MAX_NAME, page.width // 3)
        for change in change_set.changes:
            hinted = hint and not full and change is first_key(change_set)
            lines += _change(change, page, name_width, full, _HINT if hinted else "")
            if holding.is_in_part(change_set) and change.kind in change_set.held:
                lines += page.hang(" " * (6 + _LABEL_WIDTH + name_width), HELD, 0, "bold")
        lines += page.hang("    ", untouched(change_set), 4, "dim")
        lines += _left(change_set, page)
    for finding in change_set.findings:
        lines += ["", *finding_lines(finding, finding.code in change_set.allow, page)]
    return joined(lines if is_dull(change_set) else [*lines, ""])


def _left(change_set: ChangeSet, page: Page) -> list[str]:
    lines = unmanaged(change_set)
    return [part for line in lines for part in page.hang("    ", line, 6, "dim")]


def is_dull(change_set: ChangeSet) -> bool:
    """Whether a line says all there is to say."""
    return change_set.is_empty and change_set.error is None and not change_set.findings


def name_of(change_set: ChangeSet) -> str:
    """The domain, and its zone where that is another."""
    domain, zone = change_set.place.domain, change_set.place.zone
    shown = both_forms(domain)
    return shown if domain == zone else f"{shown} (zone {visible(zone)})"


def _served_by(change_set: ChangeSet) -> str:
    return where(change_set.place.backend, change_set.place.endpoint)


def heading(change_set: ChangeSet, page: Page) -> str:
    """The domain, its zone where that is another, and which API serves it."""
    return title(name_of(change_set), _served_by(change_set), page)


def _nothing_to_do(change_set: ChangeSet, page: Page) -> list[str]:
    name, right = name_of(change_set), _served_by(change_set)
    words = nothing_to_do(change_set)
    line = title(name, right, page, f": {words}")
    if len(name) + 2 + len(words) + 2 + len(right) <= page.width:
        return [line]
    return [title(name, right, page), *page.hang("    ", words, 4)]


def _change(change: Change, page: Page, name_width: int, full: bool, hint: str) -> list[str]:
    hostname = visible(change.hostname)
    label = f"{LABELS[change.kind]:<{_LABEL_WIDTH}}"
    head = f"  {page.sign(SIGNS[change.action])} {label}{hostname:<{name_width}}  "
    indent = 4 + _LABEL_WIDTH + name_width + 2
    lines: list[str] = []
    if len(hostname) > name_width:
        lines, head = [head.rstrip()], " " * indent
    lines += _values(change, page, head, indent, full)
    lines += page.hang(" " * indent, hint, indent, "dim") if hint else []
    below = details(change)
    fitting = [
        len(detail.term)
        for detail in below
        if indent + 2 + len(detail.term) + 2 + len(detail.words) <= page.width
    ]
    term_width = max(fitting, default=0)
    for detail in below:
        lines += _detail(detail, term_width, page, indent)
    return lines


def _values(change: Change, page: Page, head: str, indent: int, full: bool) -> list[str]:
    lines: list[str] = []
    if change.before is not None:
        value = change.before.destination
        lines += _value(page, head, change.kind, value, "", indent, "red", full)
        head = " " * (indent - 3) + "-> "
    if change.after is not None:
        source = f"from {visible(change.source)}" if change.source is not None else ""
        value = change.after.destination
        lines += _value(page, head, change.kind, value, source, indent, "green", full)
    return lines


def _value(
    page: Page, head: str, kind: Kind, text: str, source: str, indent: int, colour: str, full: bool
) -> list[str]:
    short = value_of(kind, text, full=False)
    if not full:
        lines = page.hang(head, ", ".join(filter(None, (short, source))), indent, colour)
        ends = ends_of(kind, text)
        return [*lines, *(page.hang(" " * indent, ends, indent, colour) if ends else ())]
    # In full means fit to paste: a line of its own, which is left to the terminal to fold.
    value = value_of(kind, text, full=True)
    told = ", ".join(filter(None, ("" if short == value else short, source)))
    lines = page.hang(head, told, indent, colour) if told or head.strip() else []
    return [*lines, page.paint(value, colour)]


def _detail(detail: Detail, term_width: int, page: Page, indent: int) -> list[str]:
    if not detail.term:
        return page.hang(" " * indent, detail.words, indent)
    head = f"{' ' * indent}{page.sign(detail.sign)} "
    term = f"{detail.term:<{term_width}}  "
    if indent + 2 + len(term) + len(detail.words) <= page.width:
        return [f"{head}{term}{detail.words}".rstrip(" ")]
    lines = page.hang(head, detail.term, indent + 2)
    below = page.hang(" " * (indent + 4), detail.words, indent + 4) if detail.words else []
    return [*lines, *below]


def finding_lines(finding: Finding, allowed: bool, page: Page) -> list[str]:
    """A finding with its advice; ``allowed`` if the user has accepted it."""
    mark = page.sign(_MARKS[finding.severity])
    shown = visible(finding.code)
    code = page.paint(shown, "bold")
    message = f"{_verdict(finding.severity, allowed)}{visible(finding.message)}"
    if len(shown) + 6 > page.width // 3:
        lines = [f"  {mark} {code}", *page.hang("    ", message, 4)]
    else:
        lines = page.hang(f"  {mark} {code}  ", message, len(shown) + 6)
    return [*lines, *advice_lines(finding.advice, page, 4)]


def advice_lines(text: str, page: Page, indent: int) -> list[str]:
    """Advice, line by line; an indented line is one to copy, and is left in one piece."""
    lines: list[str] = []
    for line in text.split("\n") if text else ():
        head = " " * indent
        copied = line.startswith("  ")
        lines += [f"{head}{visible(line)}"] if copied else page.hang(head, visible(line), indent)
    return lines


def _verdict(severity: Severity, allowed: bool) -> str:
    """What the sign alone does not say: that no consent helps, or that it is given."""
    if severity is Severity.REFUSED:
        return "refused: "
    return "allowed: " if severity is Severity.DANGER and allowed else ""


def failure_lines(failure: Failure, page: Page) -> list[str]:
    """Why something failed, and what to do."""
    lines = page.hang("  ", visible(failure.message), 2, "red")
    return lines + (page.hang("  ", visible(failure.advice), 2) if failure.advice else [])


def result_text(result: Result, page: Page) -> str:
    """What became of one domain, in a line or two; why it failed, where the page tells that."""
    domain = both_forms(result.change_set.place.domain)
    lines = [
        f"{page.paint(domain, 'bold')}: {page.paint(_outcome(result), _colour(result.status))}"
    ]
    if result.failure is not None and page.why:
        lines += failure_lines(result.failure, page)
    lines += [line for note in result.notes for line in page.hang("  note: ", visible(note), 8)]
    return joined(lines)


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
    return joined([*lines, endings(run)])


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
    if result.failure is not None and not page.why:
        return [*lines, head.rstrip()]  # the status says it
    if result.failure is not None:
        domain = result.change_set.place.domain
        words = visible(result.failure.message.removeprefix(domain).removeprefix(": "))
    room = page.width - len(head)
    return [*lines, head + (words if len(words) <= room else f"{words[: room - 1]}…")]


def _outcome(result: Result) -> str:
    changes = result.change_set.without_held.changes
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
            return "already as planned; the same change has been made since"
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

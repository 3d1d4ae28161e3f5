"""Markdown for a merge request.

What an API sent is data: every value stands in a code span whose fence is longer than any inside
it, also where a sentence quotes it, because a forge looks for mentions, references and links after
it has taken the backslashes away. No line begins with what it would take for a command.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import holding
from netcup_mailauth.plan import RunResult
from netcup_mailauth.records import both_forms, visible
from netcup_mailauth.render.words import (
    HELD,
    LABELS,
    details,
    ends_of,
    nothing_to_do,
    totals,
    unmanaged,
    untouched,
    value_of,
)
from netcup_mailauth.render.zone import counted, listed, where

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.plan import Change, ChangeSet, Failure, Plan, Result
    from netcup_mailauth.records import DnsRecord, Kind, Zone

LONGEST = 60_000
"""Characters; what is longer no forge takes as a comment."""

_MARKS = {
    Severity.REFUSED: "**refused**",
    Severity.DANGER: "**danger**",
    Severity.WARNING: "warning",
    Severity.NOTE: "note",
}
_DETAILS = {"+": "added", "-": "dropped", "~": "changed"}


def plan_markdown(plan: Plan, full: bool = False) -> str:
    """A whole plan."""
    blocks = ["## Mail records at netcup\n", f"{plain(totals(plan))}\n"]
    blocks += [_change_set(change_set, full) for change_set in plan.zones]
    return "\n".join(blocks)


def plan_comment(plan: Plan, full: bool = False, file: str | None = None) -> str:
    """A plan for a comment: whole if it can be, else in a line for each domain.

    ``file`` is the name of the file in which the plan is, if it is in one.
    """
    output = plan_markdown(plan, full)
    return output if len(output) <= LONGEST else _summary(plan, file)


def run_markdown(run: RunResult, full: bool = False) -> str:
    """What became of each domain, and below it what was to change."""
    lines = ["## Mail records at netcup\n", "| domain | result |", "|---|---|"]
    lines += [*(_result_row(result) for result in run.results), ""]
    changed = (result.change_set for result in run.results if result.change_set.changes)
    lines += [_change_set(change_set, full) for change_set in changed]
    return "\n".join(lines)


def run_comment(outcome: RunResult, full: bool = False) -> str:
    """A run as Markdown: whole if a comment can hold it, else a line for each domain.

    When not even those fit, the failures come first, and the rest is counted.
    """
    output = run_markdown(outcome, full)
    if len(output) <= LONGEST:
        return output
    bare = [replace(r, change_set=replace(r.change_set, changes=())) for r in outcome.results]
    shown = sorted(bare, key=lambda result: result.failure is None)
    while True:
        left = len(bare) - len(shown)
        more = f"and {counted(left, 'more domain', 'more domains')}; " if left else ""
        lines = run_markdown(RunResult(tuple(shown)))
        output = f"{lines}\n{more}all that changed is in the output of `--format json`.\n"
        if len(output) <= LONGEST:
            return output
        shown = shown[: len(shown) * 3 // 4]


def zone_markdown(zone: Zone) -> str:
    """A zone's records as a table."""
    lines = [f"## {code(both_forms(zone.name))}\n", "| hostname | type | value |", "|---|---|---|"]
    lines += [_record_row(record) for record in listed(zone)]
    return "\n".join([*lines, "", f"{counted(len(zone.records), 'record', 'records')}."]) + "\n"


def code(text: str) -> str:
    """``text`` in a code span that nothing inside can end."""
    shown = visible(text)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    # A code span loses one blank at each end if it has one at both.
    edges = {shown[:1], shown[-1:]}
    blank = " " if not shown or "`" in edges or (edges == {" "} and shown.strip()) else ""
    return f"{fence}{blank}{shown}{blank}{fence}"


def cell(text: str) -> str:
    """A code span inside a table, where a pipe would end the cell."""
    return code(text).replace("|", "\\|")


_MARKUP = re.compile(r"[^\w\s.,;?'\"()/+-]|_|www\.|GH-|^/", re.IGNORECASE)
"""What a forge may take for markup, a mention, a reference or a link."""
_BEFORE, _BEHIND = "(\"'", ".,;:?!\"')"
"""Punctuation around a word."""


def plain(text: str, quote: Callable[[str], str] = code) -> str:
    """Prose of ours that may quote values: each word that could be markup is in a code span."""
    return " ".join(_plain_word(word, quote) for word in visible(text).split(" "))


def _plain_word(text: str, quote: Callable[[str], str]) -> str:
    rest = text.lstrip(_BEFORE)
    word = rest.rstrip(_BEHIND)
    lead, tail = text[: len(text) - len(rest)], rest[len(word) :]
    if _MARKUP.search(word):
        word = quote(word) if re.search(r"\w", word) else _escaped(word)
    return f"{lead}{word}{_escaped(tail)}"


def _escaped(text: str) -> str:
    return re.sub(r"([!#$%&*<=>@\[\]\\^_`{|}~])", r"\\\1", text)


def _change_set(change_set: ChangeSet, full: bool) -> str:
    name = code(both_forms(change_set.place.domain))
    lines = [f"### {name} {plain(_served_by(change_set))}".rstrip() + "\n"]
    if change_set.error is not None:
        lines += [*_failure(change_set.error), ""]
    elif change_set.is_empty:
        words = nothing_to_do(change_set)
        lines += [f"{words[0].upper()}{words[1:]}.\n"]
        left = unmanaged(change_set, code)
        lines += [*(f"- {line}" for line in left), *([""] if left else [])]
    else:
        for change in change_set.changes:
            lines += _change(change, full)
            if holding.is_in_part(change_set) and change.kind in change_set.held:
                lines.append(f"  - **{HELD}**")
        lines += [f"- {line}" for line in (untouched(change_set), *unmanaged(change_set, code))]
        lines.append("")
    for finding in change_set.findings:
        lines += _finding(finding, finding.code in change_set.allow)
    return "\n".join(lines)


def _served_by(change_set: ChangeSet) -> str:
    return where(change_set.place.backend, change_set.place.endpoint)


def _change(change: Change, full: bool) -> list[str]:
    name = f"**{change.action.value}** {LABELS[change.kind]} at {code(change.hostname)}"
    before = change.before and _value(change.kind, change.before.destination, full)
    after = change.after and _value(change.kind, change.after.destination, full)
    source = f", from {code(change.source)}" if change.source and change.after else ""
    if before and after:
        lines = [f"- {name}", f"  - from {before}", f"  - to {after}{source}"]
    else:
        lines = [f"- {name}: {after or before}{source}"]
    for detail in details(change):
        term = f"{_DETAILS[detail.sign]} {code(detail.term)} " if detail.term else ""
        lines.append(f"  - {term}{plain(detail.words)}".rstrip())
    return lines


def _value(kind: Kind, text: str, full: bool) -> str:
    short, value = value_of(kind, text, full=False), value_of(kind, text, full=True)
    if full and value and short != value:
        return f"{code(short)}, in full {code(value)}"
    ends = ends_of(kind, text)
    return f"{code(short)}, {code(ends)}" if ends else code(short)


def _finding(finding: Finding, allowed: bool) -> list[str]:
    advice = " ".join(plain(line) for line in finding.advice.splitlines())
    words = f"{plain(finding.message)} {advice}".rstrip()
    consent = ", allowed" if allowed and finding.severity is Severity.DANGER else ""
    return [f"- {_MARKS[finding.severity]}{consent} {code(finding.code)}: {words}", ""]


def _failure(failure: Failure) -> list[str]:
    return [f"**failed**: {plain(failure.message)} {plain(failure.advice)}".rstrip()]


def _record_row(record: DnsRecord) -> str:
    value = f"{record.priority} {record.destination}" if record.type == "MX" else record.destination
    return f"| {cell(record.hostname)} | {cell(record.type)} | {cell(value)} |"


def _result_row(result: Result) -> str:
    failure = result.failure
    sentences = [failure.message, failure.advice] if failure else []
    words = " ".join(plain(sentence, cell) for sentence in sentences if sentence)
    notes = "".join(f" (note: {plain(note, cell)})" for note in result.notes)
    outcome = f"{result.status.value}: {words}" if words else result.status.value
    return f"| {cell(result.change_set.place.domain)} | {outcome}{notes} |"


def _summary(plan: Plan, file: str | None) -> str:
    """A plan's totals, a line for each domain, and a pointer to the whole."""
    where = "Make the whole plan a file with `--out`, and look at it with `show`."
    if file is not None:
        where = f"The whole plan is in {code(file)}; look at it with `show`."
    head = f"## Mail records at netcup\n\n{plain(totals(plan))}\n\n{where}\n\n"
    lines: list[str] = []
    room = LONGEST - len(head) - 100
    told = [change_set for change_set in plan.zones if change_set.changes or change_set.error]
    for number, change_set in enumerate(told):
        line = _summary_line(change_set)
        room -= len(line) + 1
        if room < 0:
            lines.append(f"- and {counted(len(told) - number, 'domain', 'domains')} more")
            break
        lines.append(line)
    return head + "".join(f"{line}\n" for line in lines)


def _summary_line(change_set: ChangeSet) -> str:
    words = [f"{c.action.value} {c.kind.upper()}" for c in change_set.changes]
    if change_set.error is not None:
        words.append(f"failed: {plain(change_set.error.message)}")
    stops = dict.fromkeys(finding.code for finding in holding.stopping(change_set))
    if stops:
        words.append(f"stopped by {' and '.join(map(code, stops))}")
    return f"- {code(change_set.place.domain)}: {', '.join(words)}"

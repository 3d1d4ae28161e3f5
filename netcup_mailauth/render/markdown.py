"""Markdown for a merge request: what a plan does, as a diff that a reviewer can judge.

Per domain what the guard would stop comes first, as an alert; then the diff, warnings, and notes to
unfold. How a text of others is kept from becoming markup stands in :mod:`.forge`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.findings import Severity
from netcup_mailauth.judge import holding
from netcup_mailauth.plan import Plan, Status
from netcup_mailauth.records import both_forms
from netcup_mailauth.render import words
from netcup_mailauth.render.forge import (
    CAUTION,
    LONGEST,
    WARNING,
    Section,
    alert,
    below,
    cell,
    code,
    failed,
    fence,
    fitted,
    folded,
    folded_notes,
    quoted,
    remark,
    sentences,
    shown,
)
from netcup_mailauth.render.page import wrap
from netcup_mailauth.render.text import is_dull, name_of
from netcup_mailauth.render.zone import counted, joined, listed, where

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from netcup_mailauth.findings import Finding
    from netcup_mailauth.plan import Change, ChangeSet, Failure, Result, RunResult
    from netcup_mailauth.records import DnsRecord, Zone

_TITLE = "## Mail records at netcup"
_ALIGNED = 40
"""Columns up to which the words behind the terms of a diff stand below each other."""
_REMARK = 76
"""Columns of a remark in a diff."""


def plan_markdown(plan: Plan, full: bool = False, file: str | None = None) -> str:
    """A plan: whole if a comment can hold it, else a line for what it cannot.

    ``file`` is the name of the file in which the plan is, if it is in one.
    """
    common = _common(plan, (Severity.WARNING, Severity.NOTE))
    zones = [words.without(c, common) for c in plan.zones]
    dull = [c for c in zones if len(zones) > 1 and is_dull(c)]
    sections = [_plan_section(c, full) for c in zones if c not in dull]
    sections += [_shared_section(common)] if common else []
    sections += [_dull_section(dull)] if dull else []
    whole = "Make the whole plan a file with `--out`, and look at it with `show`."
    if file is not None:
        whole = f"The whole plan is in {code(file)}; look at it with `show`."
    head = (_TITLE, "", f"**{words.totals(plan, code)}**{_accepted(plan)}")
    return fitted(head, sections, whole)


def run_markdown(run: RunResult, full: bool = False) -> str:
    """What became of each domain; if not all of it fits into a comment, the failures first."""
    planned = Plan(tuple(result.change_set for result in run.results))
    common = _common(planned, (Severity.WARNING,))
    sections: list[Section] = []
    dull: list[ChangeSet] = []
    for result in run.results:
        change_set = words.without(result.change_set, common)
        if result.status is Status.UNCHANGED and not result.notes and not result.failure:
            dull.append(change_set)
        else:
            sections.append(_result_section(replace(result, change_set=change_set), full))
    sections += [_shared_section(common)] if common else []
    sections += [_dull_section(dull)] if dull else []
    head = (_TITLE, "", f"**{words.endings(run)}{words.stopped(planned, code)}**")
    return fitted(head, sections, "All that changed is in the output of `--format json`.")


def zone_markdown(zone: Zone) -> str:
    """A zone's records as a table; the first ones, where a comment cannot hold them all."""
    head = [f"## {code(both_forms(zone.name))}", "", "| hostname | type | value |", "|---|---|---|"]
    number = counted(len(zone.records), "record", "records")
    room = LONGEST - sum(len(line) + 1 for line in head) - 200
    rows: list[str] = []
    for row in map(_record_row, listed(zone)):
        room -= len(row) + 1
        if room < 0:
            left = len(zone.records) - len(rows)
            number = f"{number}, {left} of them left out here; `--format text` lists them all"
            break
        rows.append(row)
    return joined([*head, *rows, "", f"{number}."])


def zones_markdown(zones: Sequence[Zone]) -> str:
    """Several zones below each other; a line for each that a comment has no room for."""
    sections = []
    for zone in zones:
        number = counted(len(zone.records), "record", "records")
        lines = tuple(zone_markdown(zone).rstrip("\n").split("\n"))
        sections.append(Section(lines, f"- {code(both_forms(zone.name))}: {number}"))
    return fitted((), sections, "`--format text` lists them all.")


def _record_row(record: DnsRecord) -> str:
    value = f"{record.priority} {record.destination}" if record.type == "MX" else record.destination
    return f"| {cell(record.hostname)} | {cell(record.type)} | {cell(value)} |"


def _accepted(plan: Plan) -> str:
    number = sum(_is_allowed(f, c) for c in plan.zones for f in c.findings)
    return f" {counted(number, 'danger is', 'dangers are')} allowed." if number else ""


def _is_allowed(finding: Finding, change_set: ChangeSet) -> bool:
    return finding.severity is Severity.DANGER and finding.code in change_set.allow


def _common(plan: Plan, severities: Collection[Severity]) -> dict[words.Told, list[str]]:
    """What is told once, if several domains have it; what stops one stands with that domain."""
    return {t: names for t, names in words.shared(plan).items() if t[0].severity in severities}


def _shared_section(common: Mapping[words.Told, Sequence[str]]) -> Section:
    """What several domains have in common, each told once with their names."""
    lines = ["### What several domains have"]
    notes: list[list[str]] = []
    for (finding, _), names in common.items():
        head = f"{code(finding.code)}, {counted(len(names), 'domain', 'domains')}:"
        told = sentences(", ".join(map(both_forms, names)), finding.message, finding.advice)
        if finding.severity is Severity.NOTE:
            notes.append(remark(head, *told))
        else:
            lines += ["", *alert(WARNING, head, *told)]
    lines += ["", *folded_notes(notes)] if notes else []
    codes = dict.fromkeys(code(finding.code) for finding, _ in common)
    return Section(tuple(lines), f"- what several domains have: {', '.join(codes)}")


def _dull_section(change_sets: Sequence[ChangeSet]) -> Section:
    summary = counted(len(change_sets), "domain needs nothing", "domains need nothing")
    lines: list[str] = []
    for change_set in change_sets:
        left = words.kinds_unmanaged(change_set)
        told = (words.nothing_to_do(change_set), f"{left} not managed here" if left else "")
        lines.append(shown(f"{name_of(change_set)}: {'; '.join(filter(None, told))}"))
    return Section(tuple(folded(summary, quoted(fence("text", lines)))), f"- {summary}")


def _plan_section(change_set: ChangeSet, full: bool) -> Section:
    return _section(_heading(change_set), change_set, _planned_line(change_set), full)


def _result_section(result: Result, full: bool) -> Section:
    kept = (f for f in result.change_set.findings if f.severity is not Severity.NOTE)
    change_set = replace(result.change_set, findings=tuple(kept))
    outcome = result.status.value
    if holding.is_in_part(change_set):
        outcome += f"; {words.held_back(change_set)}"
    notes = [remark("Note:", *sentences(note)) for note in result.notes]
    failure = result.failure
    if failure and failure.exit_code is ExitCode.REFUSED and holding.stopping(change_set):
        failure = None  # each of what stops it has an alert of its own
    line = f"- {code(change_set.place.domain)}: {outcome}"
    return _section(f"{_heading(change_set)}: {outcome}", change_set, line, full, failure, notes)


def _heading(change_set: ChangeSet) -> str:
    served = where(change_set.place.backend, change_set.place.endpoint)
    return f"### {code(name_of(change_set))}{f' · {code(served)}' if served else ''}"


def _section(
    heading: str,
    change_set: ChangeSet,
    line: str,
    full: bool,
    failure: Failure | None = None,
    notes: Sequence[list[str]] = (),
) -> Section:
    failure = failure or change_set.error  # of one that was not planned, both tell the same
    blocks: list[Sequence[str]] = [failed(failure)] if failure else []
    blocks += _findings(change_set, (Severity.REFUSED, Severity.DANGER))
    blocks += [*notes, _changes(change_set), *(_in_full(change_set) if full else ())]
    blocks += _findings(change_set, (Severity.WARNING,))
    kept = [f for f in change_set.findings if f.severity is Severity.NOTE]
    if kept:
        remarks = [remark(code(f.code), *sentences(f.message, f.advice)) for f in kept]
        blocks.append(folded_notes(remarks))
    grave = bool(failure or holding.stopping(change_set))
    return Section(tuple(below(heading, filter(None, blocks))), line, grave)


def _planned_line(change_set: ChangeSet) -> str:
    """A domain of a plan in one line: what it does, and what keeps it from being done."""
    told = [f"{c.action.value} {words.LABELS[c.kind]}" for c in change_set.changes]
    # However many records of a kind there are.
    told = [
        f"{each} ({told.count(each)})" if told.count(each) > 1 else each
        for each in dict.fromkeys(told)
    ]
    told += ["failed"] if change_set.error is not None else []
    stops = dict.fromkeys(finding.code for finding in holding.stopping(change_set))
    told += [f"stopped by {' and '.join(map(code, stops))}"] if stops else []
    return f"- {code(change_set.place.domain)}: {', '.join(told) or 'nothing to do'}"


def _findings(change_set: ChangeSet, severities: Iterable[Severity]) -> Iterator[list[str]]:
    """The findings of these severities as alerts, in their order."""
    for finding in change_set.findings:
        if finding.severity in severities:
            told = sentences(finding.message, finding.advice)
            yield alert(*_alerted(finding, change_set), *told)


def _alerted(finding: Finding, change_set: ChangeSet) -> tuple[str, str]:
    """What kind of alert a finding is, and what it begins with."""
    name = code(finding.code)
    if finding.severity is Severity.REFUSED:
        return CAUTION, f"**Refused:** {name}"
    if _is_allowed(finding, change_set):
        return WARNING, f"**Allowed:** {name}"
    if finding not in holding.stopping(change_set):
        return WARNING if finding.severity is Severity.WARNING else CAUTION, name
    held = words.LABELS[finding.kind] if finding.kind in change_set.held else "All of it"
    return CAUTION, f"**{held} is held back:** {name}"


def _changes(change_set: ChangeSet) -> list[str]:
    """The changes of a domain as one diff, and below them what stays."""
    stays = words.unmanaged(change_set)
    if change_set.error is not None:
        return []
    if change_set.is_empty:
        told = [words.nothing_to_do(change_set), *stays]
        return quoted(fence("text", [part for line in told for part in wrap(shown(line), _REMARK)]))
    lines: list[str] = []
    for change in change_set.changes:
        lines += [*_change(change, change_set), ""]
    for line in (words.untouched(change_set), *stays):
        lines += _remark(line)
    return fence("diff", lines)


def _change(change: Change, change_set: ChangeSet) -> list[str]:
    held = holding.is_in_part(change_set) and change.kind in change_set.held
    what = f"{change.action.value} {words.LABELS[change.kind]} at {shown(change.hostname)}"
    lines = [f"@@ {what}{f': {words.HELD}' if held else ''} @@"]
    rows = words.compared(change)
    terms = [shown(row.term) for row in rows]
    with_words = [
        len(term) for term, row in zip(terms, rows, strict=True) if row.term and row.words
    ]
    column = max((length for length in with_words if length <= _ALIGNED), default=0)
    for term, row in zip(terms, rows, strict=True):
        if not row.term:
            lines += _remark(row.words)
            continue
        behind = f"  # {shown(row.words)}" if row.words else ""
        lines.append(f"{_sign(row.sign, term)} {term:<{column}}{behind}".rstrip(" "))
    return lines


def _sign(sign: str, term: str) -> str:
    """The sign a line of a diff begins with.

    Who reads a log passes over blanks, so that a line without a sign would begin with its term;
    one that begins as a command would gets a sign that means nothing.
    """
    if sign == "~":
        return "!"
    return "=" if sign == " " and term.startswith(("/", ":", "@", "#")) else sign


def _remark(text: str) -> list[str]:
    """A line of a diff that is none of the records, wrapped."""
    first, *rest = wrap(shown(text), _REMARK)
    return [f"# {first}", *(f"#   {line}" for line in rest)]


def _in_full(change_set: ChangeSet) -> Iterator[list[str]]:
    """The values that are to be there, each fit to be pasted; what goes, too."""
    for change in change_set.changes:
        record = change.after or change.before
        if record is not None:
            gone = "" if change.after else "; it goes"
            name = f"{words.LABELS[change.kind]} at {code(change.hostname)} in full{gone}:"
            yield remark(
                name,
                fence(
                    "text",
                    [shown(record.destination) if record.destination.strip(" ") else "(empty)"],
                ),
            )

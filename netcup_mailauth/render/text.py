"""Text for people: a plan they can say yes or no to at two in the morning."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.printable import visible
from netcup_mailauth.render.words import (
    LABELS,
    SIGNS,
    Detail,
    as_wanted,
    counted,
    details,
    totals,
    untouched,
    value_of,
    where,
)

if TYPE_CHECKING:
    from netcup_mailauth.plan import Change, ChangeSet, Failure, Plan
    from netcup_mailauth.records import DnsRecord, Kind, Zone
    from netcup_mailauth.render.layout import Page

_MARKS = {
    Severity.REFUSED: "!",
    Severity.DANGER: "!",
    Severity.WARNING: "?",
    Severity.NOTE: " ",
}
_LABEL_WIDTH = 7
_MAX_NAME = 24


def plan_text(plan: Plan, page: Page, full: bool = False) -> str:
    """A whole plan, each domain with changes in full, an unchanged one in a line."""
    shared = _shared(plan)
    blocks = []
    zones = (_without(change_set, shared) for change_set in plan.zones)
    for dull, change_sets in groupby(zones, _is_dull):
        blocks += [change_set_text(change_set, page, full) for change_set in change_sets]
        blocks += ["\n"] if dull else []
    blocks += [_shared_text(found, domains, page) for found, domains in shared.items()]
    return "".join([*blocks, _lines(page.hang("", totals(plan), 0))])


_Told = tuple[Finding, bool]
"""A finding, and whether its user has accepted it."""


def _shared(plan: Plan) -> dict[_Told, list[str]]:
    """The findings that several domains have word for word, each with those domains."""
    domains: dict[_Told, list[str]] = {}
    for change_set in plan.zones:
        for finding in dict.fromkeys(change_set.findings):
            told = (finding, finding.code in change_set.allow)
            domains.setdefault(told, []).append(change_set.place.domain)
    return {told: names for told, names in domains.items() if len(names) > 1}


def _without(change_set: ChangeSet, shared: dict[_Told, list[str]]) -> ChangeSet:
    own = (f for f in change_set.findings if (f, f.code in change_set.allow) not in shared)
    return replace(change_set, findings=tuple(own))


def _shared_text(told: _Told, domains: list[str], page: Page) -> str:
    finding, allowed = told
    lines = finding_lines(finding, allowed, page)
    named = visible(", ".join(domains))
    head = page.hang("  ", f"{len(domains)} domains ({named}):", 4)
    return _lines([*head, *lines, ""])


def change_set_text(change_set: ChangeSet, page: Page, full: bool = False) -> str:
    """One domain of a plan."""
    if change_set.error is not None:
        return _lines([_heading(change_set, page), "", *failure_lines(change_set.error, page), ""])
    if change_set.is_empty:
        lines = _nothing_to_do(change_set, page)
    else:
        lines = [_heading(change_set, page), ""]
        longest = max(len(visible(change.hostname)) for change in change_set.changes)
        name_width = min(longest, _MAX_NAME, page.width // 3)
        for change in change_set.changes:
            lines += _change(change, page, name_width, full)
        lines += page.hang("    ", untouched(change_set), 4, "dim")
    for finding in change_set.findings:
        lines += ["", *finding_lines(finding, finding.code in change_set.allow, page)]
    return _lines(lines if _is_dull(change_set) else [*lines, ""])


def zone_text(zone: Zone, served_by: str, page: Page) -> str:
    """A zone's records in columns, values wrapped and never cut."""
    name = visible(zone.name)
    if not zone.records:
        return f"{name} has no such records ({served_by}).\n"
    rows = [(visible(r.id or ""), visible(r.hostname), visible(r.type)) for r in zone.records]
    ids, names, types = (max(map(len, column)) for column in zip(*rows, strict=True))
    names = min(names, page.width // 3)
    indent = 2 + ids + 2 + names + 2 + types + 2
    lines = [_title(name, served_by, page), ""]
    for record, (identifier, hostname, record_type) in zip(zone.records, rows, strict=True):
        head = f"  {identifier:>{ids}}  {hostname:<{names}}  {record_type:<{types}}  "
        if len(head) > indent:
            lines.append(f"  {identifier:>{ids}}  {hostname}")
            head = f"{' ' * (4 + ids + names)}  {record_type:<{types}}  "
        lines += page.hang(head, _destination(record), indent)
    lines += ["", f"{counted(len(zone.records), 'record', 'records')}."]
    return _lines(lines)


def _is_dull(change_set: ChangeSet) -> bool:
    """Whether a line says all there is to say."""
    return change_set.is_empty and change_set.error is None and not change_set.findings


def name_of(change_set: ChangeSet) -> str:
    """The domain, and its zone where that is another."""
    domain, zone = change_set.place.domain, change_set.place.zone
    return visible(domain if domain == zone else f"{domain} (zone {zone})")


def _served_by(change_set: ChangeSet) -> str:
    return where(change_set.place.backend, change_set.place.endpoint)


def _heading(change_set: ChangeSet, page: Page) -> str:
    return _title(name_of(change_set), _served_by(change_set), page)


def _title(name: str, right: str, page: Page, behind: str = "") -> str:
    gap = max(2, page.width - len(name) - len(behind) - len(right)) if right else 0
    return f"{page.paint(name, 'bold')}{behind}{' ' * gap}{right}"


def _nothing_to_do(change_set: ChangeSet, page: Page) -> list[str]:
    name, right = name_of(change_set), _served_by(change_set)
    words = f"nothing to do; {as_wanted(change_set) or 'nothing managed'}"
    line = _title(name, right, page, f": {words}")
    if len(name) + 2 + len(words) + 2 + len(right) <= page.width:
        return [line]
    return [_title(name, right, page), *page.hang("    ", words, 4)]


def _change(change: Change, page: Page, name_width: int, full: bool) -> list[str]:
    hostname = visible(change.hostname)
    label = f"{LABELS[change.kind]:<{_LABEL_WIDTH}}"
    head = f"  {page.sign(SIGNS[change.action])} {label}{hostname:<{name_width}}  "
    indent = 4 + _LABEL_WIDTH + name_width + 2
    lines: list[str] = []
    if len(hostname) > name_width:
        lines, head = [head.rstrip()], " " * indent
    lines += _values(change, page, head, indent, full)
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
        lines += _value(page, head, change.kind, change.before.destination, "", indent, "red", full)
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
        return page.hang(head, ", ".join(filter(None, (short, source))), indent, colour)
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
    return [*lines, *_advice(finding.advice, page, 4)]


def _advice(text: str, page: Page, indent: int) -> list[str]:
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


def _destination(record: DnsRecord) -> str:
    value = record.destination
    return visible(f"{record.priority} {value}" if record.type == "MX" else value)


def _lines(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)

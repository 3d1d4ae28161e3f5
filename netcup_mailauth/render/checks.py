"""What ``check`` found: a table to take in at a glance, worst first, each problem with its cure."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from netcup_mailauth.documents import SCHEMA, failure_document, finding_document
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.findings import Severity
from netcup_mailauth.judge.report import WORST_FIRST, Basis, State
from netcup_mailauth.records import both_forms
from netcup_mailauth.render.forge import (
    CAUTION,
    WARNING,
    Section,
    alert,
    below,
    code,
    failed,
    fence,
    fitted,
    folded_notes,
    quoted,
    remark,
    sentences,
    shown,
)
from netcup_mailauth.render.page import Page
from netcup_mailauth.render.text import advice_lines, failure_lines, finding_lines
from netcup_mailauth.render.words import LABELS, ends_of, value_of
from netcup_mailauth.render.zone import counted, joined
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netcup_mailauth.findings import Finding
    from netcup_mailauth.judge.report import (
        CheckedRecord,
        CheckReport,
        DomainCheck,
        ServerView,
    )

_COLOURS = {State.OK: "green", State.PENDING: "yellow"}
_GRAVITY = list(Severity)
_TITLE = "## Mail records as receivers see them"
_INDENT = 11
"""Where a record's kind, and what is told about it, begins."""
_VALUES = 21
"""Where the values begin of which not all servers say the same."""
_MAX_NAME = 40
_COLUMNS = 96
"""Of the table in Markdown, which no forge folds."""
_ENDS = {ExitCode.OK: "right", ExitCode.NOT_YET: "not everywhere yet", ExitCode.UNVERIFIED: "wrong"}


def check_text(report: CheckReport, page: Page, full: bool = False) -> str:
    """The report for people; of several domains the totals come last."""
    blocks = [domain_text(domain, page, full) for domain in report.domains]
    return "\n".join([*blocks, *([totals_text(report)] if len(blocks) > 1 else [])])


def totals_text(report: CheckReport) -> str:
    """How many domains are how, in a line."""
    return f"{_totals(report)}\n"


def check_document(report: CheckReport) -> dict[str, Any]:
    """The report as a JSON document (`netcup-mailauth help json`)."""
    return {"schema": SCHEMA, "domains": [_domain_document(domain) for domain in report.domains]}


def check_markdown(report: CheckReport, full: bool = False) -> str:
    """The report for a merge request; a line for each domain that a comment has no room for."""
    sections = [_section(domain, full) for domain in report.domains]
    head = (_TITLE, "", f"**{_totals(report)}**")
    return fitted(head, sections, "All of it is in the output of `--format json`.")


def grounds(domain: DomainCheck) -> str:
    """What the records are compared with, told apart by kind where it is not one thing for all."""
    kinds = dict.fromkeys(record.kind for record in domain.records)
    held = {record.kind for record in domain.records if record.expected is not None}
    if domain.basis is Basis.PUBLISHED or held.issuperset(kinds):
        return domain.basis
    named = " and ".join(LABELS[kind] for kind in kinds if kind in held)
    others = " and ".join(LABELS[kind] for kind in kinds if kind not in held)
    return f"{named} {domain.basis}; {others} as published" if named else Basis.PUBLISHED


def _totals(report: CheckReport) -> str:
    codes = [domain.exit_code for domain in report.domains]
    counts = [(words, codes.count(code)) for code, words in _ENDS.items()]
    counts.append(("failed", sum(code not in _ENDS for code in codes)))
    listed = ", ".join(f"{number} {words}" for words, number in counts if number)
    return f"{counted(len(codes), 'domain', 'domains')}: {listed}."


def domain_text(domain: DomainCheck, page: Page, full: bool = False) -> str:
    """One domain of a report for people."""
    name = page.paint(both_forms(domain.domain), "bold")
    if domain.error is not None and not page.why:
        return f"{name}: {page.paint('failed', 'red')}\n"
    if domain.error is not None:
        return joined([name, *failure_lines(domain.error, page)])
    findings = sorted(domain.all_findings, key=_by_gravity)
    notes = [finding for finding in findings if finding.severity is Severity.NOTE]
    lines = page.hang(f"{name}: ", _headline(domain), 2, _headline_colour(domain))
    lines += [*page.hang("  ", grounds(domain), 2), *_table(domain, page, full)]
    for finding in findings[: len(findings) - len(notes)]:
        lines += ["", *finding_lines(finding, finding.code in domain.allow, page)]
    lines += _concluded(domain, page)
    for finding in notes:
        lines += ["", *finding_lines(finding, allowed=False, page=page)]
    return joined(lines)


def _headline(domain: DomainCheck) -> str:
    """The whole in a line: what is wrong, by name; else what is not everywhere yet."""
    faults = [f for f in _worst_first(domain) if f.state not in (State.OK, State.PENDING)]
    named = [f"{LABELS[r.kind]} {r.state}" for r in faults if r.state is not State.ERROR]
    told = {id(f) for record in faults for f in record.findings}
    named += [visible(f.code) for f in domain.dangers if id(f) not in told]
    views = (view for record in faults for view in record.servers)
    silent = dict.fromkeys(visible(v.server) for v in views if v.state is State.ERROR)
    if silent:
        named.append(f"no usable answer from {', '.join(silent)}")
    elif not named and faults:
        named.append("no name server was asked")
    if named:
        return ", ".join(dict.fromkeys(named))
    late = [LABELS[r.kind] for r in domain.records if r.state is State.PENDING]
    if late:
        return f"nothing wrong; not everywhere yet: {', '.join(dict.fromkeys(late))}"
    warnings = sum(f.severity in (Severity.WARNING, Severity.DANGER) for f in domain.all_findings)
    more = f", {counted(warnings, 'warning', 'warnings')}" if warnings else ""
    return f"all is right{more}"


def _headline_colour(domain: DomainCheck) -> str:
    return {ExitCode.OK: "green", ExitCode.NOT_YET: "yellow"}.get(domain.exit_code, "red")


def _worst_first(domain: DomainCheck) -> list[CheckedRecord]:
    return sorted(domain.records, key=lambda record: WORST_FIRST.index(record.state))


def _by_gravity(finding: Finding) -> int:
    return _GRAVITY.index(finding.severity)


def _table(domain: DomainCheck, page: Page, full: bool, *, advised: bool = True) -> list[str]:
    """The records, the worst first; equal advice is given once, below the last it is for."""
    longest = max((len(visible(record.name)) for record in domain.records), default=0)
    name_width = min(longest, _MAX_NAME)
    lines = []
    for group in _by_advice(domain):
        lines.append("")
        for record in group:
            lines += _record(record, page, name_width, full)
        lines += advice_lines(group[0].advice, page, _INDENT) if advised else []
    return lines


def _by_advice(domain: DomainCheck) -> list[list[CheckedRecord]]:
    groups = groupby(_worst_first(domain), key=lambda record: record.advice)
    return [list(records) for _, records in groups]


def _record(record: CheckedRecord, page: Page, name_width: int, full: bool) -> list[str]:
    state = page.paint(f"{record.state:<8}", _COLOURS.get(record.state, "red"))
    name = visible(record.name)
    head = f"  {state} {LABELS[record.kind]:<6} {name:<{name_width}}"
    groups = _groups(record)
    if record.state is State.OK and len(groups) == 1:
        beside = _beside(head, _text_of(record, groups[0][0], full), page, name_width)
        return [*beside, *_to_compare(record, groups[0][0], page, full)]
    lines = [head.rstrip()]
    told = _differing(record, full)
    if record.expected is not None:
        wanted = value_of(record.kind, record.expected, told)
        lines += page.hang(f"{' ' * _INDENT}wanted    ", wanted, _VALUES)
    for view, servers in groups:
        lines += _group(record, view, servers, page, told)
    return lines


def _beside(head: str, value: str, page: Page, name_width: int) -> list[str]:
    """A value behind its name if it fits there in one line, else below it."""
    room = page.width - (_INDENT + 7 + name_width + 2)
    if len(value) <= room:
        return [f"{head}  {value}"]
    return [head.rstrip(), *page.hang(" " * (_INDENT + 7), value, _INDENT + 7)]


def _to_compare(record: CheckedRecord, view: ServerView, page: Page, full: bool) -> list[str]:
    """The ends of a key that nothing else was compared with, for whoever does it by eye."""
    if record.expected is not None or full:
        return []
    ends = filter(None, (ends_of(record.kind, value) for value in view.values))
    head = " " * (_INDENT + 7)
    return [line for text in ends for line in page.hang(head, text, _INDENT + 7, "dim")]


def _groups(record: CheckedRecord) -> list[tuple[ServerView, list[str]]]:
    """The servers that say the same, each group with one of their views, the worst first."""
    groups: dict[tuple[State, tuple[str, ...], str], tuple[ServerView, list[str]]] = {}
    for view in sorted(record.servers, key=lambda view: WORST_FIRST.index(view.state)):
        key = (view.state, view.values, view.detail)
        groups.setdefault(key, (view, []))[1].append(visible(view.server))
    return list(groups.values())


def _group(
    record: CheckedRecord, view: ServerView, servers: list[str], page: Page, full: bool
) -> list[str]:
    """What some servers say: the state, the value, and below it who they are."""
    state = page.paint(f"{view.state:<8}", _COLOURS.get(view.state, "red"))
    number = len(record.servers)
    everywhere = number > 1 and len(servers) == number
    who = [_all_of(servers)] if everywhere else servers
    head = f"{' ' * _INDENT}{state}  "
    as_wanted = view.state is State.OK and record.expected is not None and not view.detail
    if as_wanted:
        return _at(head, who, page)
    lines = page.hang(head, _text_of(record, view, full), _VALUES)
    return [*lines, *_at(" " * _VALUES, who, page)]


def _all_of(servers: list[str]) -> str:
    """How many servers say so, and at how many addresses where one has several."""
    names = {server.partition(" (")[0] for server in servers}
    if len(names) == len(servers):
        return f"all {len(servers)} name servers"
    return f"all {len(servers)} addresses of {counted(len(names), 'name server', 'name servers')}"


def _at(head: str, servers: list[str], page: Page) -> list[str]:
    """Who says so: in one line if they fit there, else in a line each."""
    joined = ", ".join(servers)
    parts = [joined] if len(joined) + 3 <= page.width - _VALUES else servers
    lines: list[str] = []
    for part in parts:
        lines += page.hang(f"{head}at ", part, _VALUES + 3, "dim")
        head = " " * _VALUES
    return lines


def _differing(record: CheckedRecord, full: bool) -> bool:
    """Whether values have to be shown in full: else two that differ would look the same."""
    texts = {value for view in record.servers for value in view.values}
    texts |= {record.expected} if record.expected is not None else set()
    short = {value_of(record.kind, text, full=False) for text in texts}
    alike = record.state not in (State.OK, State.ERROR) and len(short) < len(texts)
    return full or alike


def _text_of(record: CheckedRecord, view: ServerView, full: bool) -> str:
    values = "  |  ".join(value_of(record.kind, value, full) for value in view.values)
    parts = (values, visible(view.detail))
    return "; ".join(filter(None, parts)) or "no such record"


def _concluded(domain: DomainCheck, page: Page) -> Iterator[str]:
    """What receivers make of it, and what the SPF record costs them."""
    if domain.conclusions:
        late = any(record.state is State.PENDING for record in domain.records)
        yield from ("", f"  What receivers make of it{' once it is everywhere' if late else ''}:")
    for text in domain.conclusions:
        yield from page.hang("    ", visible(text), 6)
    if domain.costs:
        first, *rest = (visible(line) for line in domain.costs)
        yield f"    SPF: {first}"
        yield from (f"    {line}" for line in rest)


def _domain_document(domain: DomainCheck) -> dict[str, Any]:
    return {
        "domain": domain.domain,
        "basis": domain.basis.name.lower(),
        "records": [_record_document(record) for record in domain.records],
        "findings": [finding_document(finding) for finding in domain.findings],
        "conclusions": list(domain.conclusions),
        "look_ups": list(domain.costs),
        "allow": list(domain.allow),
        "exit_code": int(domain.exit_code),
        "error": failure_document(domain.error),
    }


def _record_document(record: CheckedRecord) -> dict[str, Any]:
    return {
        "kind": record.kind.value,
        "name": record.name,
        "state": record.state.value,
        "expected": record.expected,
        "servers": [
            {
                "server": view.server,
                "values": list(view.values),
                "state": view.state.value,
                "detail": view.detail,
            }
            for view in record.servers
        ],
        "findings": [finding_document(finding) for finding in record.findings],
        "advice": record.advice,
    }


def _section(domain: DomainCheck, full: bool) -> Section:
    """A domain in Markdown: dangers, the table as a terminal has it, what is to be typed, notes."""
    ended = _ENDS.get(domain.exit_code, "failed")
    heading = f"### {code(both_forms(domain.domain))}: {ended}"
    line = f"- {code(domain.domain)}: {ended}"
    if domain.error is not None:
        return Section(tuple(below(heading, [failed(domain.error)])), line, grave=True)
    blocks: list[list[str]] = []
    notes: list[list[str]] = []
    for finding in sorted(domain.all_findings, key=_by_gravity):
        (notes if finding.severity is Severity.NOTE else blocks).append(_alert(finding, domain))
    urgent = [f for f in domain.all_findings if f.severity in (Severity.REFUSED, Severity.DANGER)]
    blocks = [*blocks[: len(urgent)], *_report(_bounded(domain), full), *blocks[len(urgent) :]]
    if notes:
        blocks.append(folded_notes(notes))
    grave = domain.exit_code not in (ExitCode.OK, ExitCode.NOT_YET)
    return Section(tuple(below(heading, blocks)), line, grave)


def _alert(finding: Finding, domain: DomainCheck) -> list[str]:
    name, told = code(finding.code), sentences(finding.message, finding.advice)
    if finding.severity is Severity.NOTE:
        return remark(name, *told)
    allowed = finding.code in domain.allow
    grave = finding.severity is not Severity.WARNING and not allowed
    head = f"**Allowed:** {name}" if allowed else name
    return alert(CAUTION if grave else WARNING, head, *told)


def _bounded(domain: DomainCheck) -> DomainCheck:
    """The domain with a word about each value that is too long for a comment, in its place."""
    records = (
        replace(
            record,
            expected=record.expected and shown(record.expected),
            servers=tuple(replace(v, values=tuple(map(shown, v.values))) for v in record.servers),
        )
        for record in domain.records
    )
    return replace(domain, records=tuple(records))


def _report(domain: DomainCheck, full: bool) -> Iterator[list[str]]:
    """What was found, as a terminal has it; what is to be typed stands by itself below."""
    page = Page(_COLUMNS)
    lines = [*page.hang("", _headline(domain), 2), *page.hang("", grounds(domain), 2)]
    lines += [*_table(domain, page, full, advised=False), *_concluded(domain, page)]
    yield quoted(fence("text", lines))
    for advice in dict.fromkeys(group[0].advice for group in _by_advice(domain)):
        if advice:
            labels = dict.fromkeys(LABELS[r.kind] for r in domain.records if r.advice == advice)
            yield remark(f"{' and '.join(labels)}:", *sentences(advice))

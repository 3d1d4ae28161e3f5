"""``check``: what receivers see, at every authoritative name server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from netcup_mailauth import documents
from netcup_mailauth.actions import checking
from netcup_mailauth.cli.live import wait_for
from netcup_mailauth.cli.many import Many
from netcup_mailauth.cli.metrics import record
from netcup_mailauth.cli.onward import completed
from netcup_mailauth.cli.output import complain, settings, show, use_colour, width
from netcup_mailauth.cli.run import run
from netcup_mailauth.cli.wanted import wishes_to_check
from netcup_mailauth.records import Kind
from netcup_mailauth.render import checks, metrics
from netcup_mailauth.render.page import Page

if TYPE_CHECKING:
    from netcup_mailauth.judge.report import CheckReport


def command(
    domains: tuple[str, ...],
    output_format: str,
    full: bool,
    shard: tuple[int, int],
    changed: bool,
    wait: bool,
    timeout: float,
    **options: Any,
) -> int:
    """Ask the name servers."""
    many = Many(index=shard[0], shards=shard[1])
    with run(options["mailcow"], options["resolver"], options["nameserver"], many) as current:
        wishes, basis = wishes_to_check(current, domains, options)
        kinds = tuple(Kind(kind) for kind in options["kind"])
        session = current.checking()
        if wait:
            wait_for(session, wishes, basis, timeout, kinds)
        report = completed(checking.check(session, wishes, basis, kinds), options)
    record(map(metrics.of_checked, report.domains))
    if not (settings().quiet and report.exit_code == 0):
        shown = _shown(report) if changed and output_format != "json" else report
        _print(shown, output_format, full)
    for domain in report.domains:
        if domain.error is not None:
            complain(domain.domain, domain.error, output_format)
    return report.exit_code


def _shown(report: CheckReport) -> CheckReport:
    """The report, without the domains at which all is right."""
    return replace(report, domains=tuple(d for d in report.domains if d.exit_code))


def _print(report: CheckReport, output_format: str, full: bool) -> None:
    match output_format:
        case "json":
            output = documents.dumps(checks.check_document(report))
        case "markdown":
            output = checks.check_markdown(report, full)
        case _:
            output = checks.check_text(report, Page(width(), use_colour(), why=False), full)
    show(output)

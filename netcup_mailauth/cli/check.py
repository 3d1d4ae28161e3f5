"""``check``: what receivers see, at every authoritative name server."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from netcup_mailauth import documents
from netcup_mailauth.actions import checking
from netcup_mailauth.cli.live import wait_for
from netcup_mailauth.cli.many import Many
from netcup_mailauth.cli.metrics import record
from netcup_mailauth.cli.onward import completed
from netcup_mailauth.cli.output import Progress, complain, settings, show, use_colour, width
from netcup_mailauth.cli.run import run
from netcup_mailauth.cli.wanted import wishes_to_check
from netcup_mailauth.errors import MailauthError
from netcup_mailauth.judge.report import CheckReport
from netcup_mailauth.keys.sources import MAILCOW
from netcup_mailauth.records import Kind
from netcup_mailauth.render import checks, metrics
from netcup_mailauth.render.page import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.judge.report import DomainCheck
    from netcup_mailauth.policy import Wish


def command(
    domains: tuple[str, ...],
    output_format: str,
    full: bool,
    shard: tuple[int, int],
    jobs: int,
    changed: bool,
    wait: bool,
    timeout: float,
    **options: Any,
) -> int:
    """Ask the name servers."""
    many = Many(jobs, *shard)
    # Quietly nothing is shown unless something is wrong, which is not known before the end.
    as_it_comes = output_format == "text" and not settings().quiet
    found: list[DomainCheck] = []
    shown: list[DomainCheck] = []
    with run(options["mailcow"], options["resolver"], options["nameserver"], many) as current:
        wishes, basis = wishes_to_check(current, domains, options)
        kinds = tuple(Kind(kind) for kind in options["kind"])
        session = current.checking()
        _open_mailcow(session, wishes)
        if wait:
            wait_for(session, wishes, basis, timeout, kinds)
        with Progress(len(wishes)) as bar:
            for checked in checking.check_each(session, wishes, basis, kinds):
                domain = completed(checked, options)
                record([metrics.of_checked(domain)])
                found.append(domain)
                if domain.exit_code or not changed:
                    shown.append(domain)
                if as_it_comes:
                    _show_last(shown, domain, full)
                bar.step()
    report = CheckReport(tuple(found))
    if as_it_comes:
        show(f"\n{checks.totals_text(CheckReport(tuple(shown)))}" if len(shown) > 1 else "")
    else:
        if not (settings().quiet and report.exit_code == 0):
            chosen = report if output_format == "json" else CheckReport(tuple(shown))
            _print(chosen, output_format, full)
        for domain in found:
            _complain(domain, output_format)
    return report.exit_code


def _open_mailcow(session: Session, wishes: Sequence[Wish]) -> None:
    """Open it before domains are side by side: whoever sits there may be asked for its key."""
    policies = (wish.policy.dkim for wish in wishes)
    if any(dkim and dkim.source == MAILCOW for dkim in policies):
        with suppress(MailauthError):  # each domain says so itself
            session.keys.host(MAILCOW)


def _show_last(shown: Sequence[DomainCheck], domain: DomainCheck, full: bool) -> None:
    """Show the domain that was just checked, below those before it, if it is to be shown."""
    if shown and shown[-1] is domain:
        apart = "\n" if len(shown) > 1 else ""
        show(apart + checks.domain_text(domain, _page(), full))
    _complain(domain, "text")


def _complain(domain: DomainCheck, output_format: str) -> None:
    if domain.error is not None:
        complain(domain.domain, domain.error, output_format)


def _page() -> Page:
    return Page(width(), use_colour(), why=False)


def _print(report: CheckReport, output_format: str, full: bool) -> None:
    match output_format:
        case "json":
            output = documents.dumps(checks.check_document(report))
        case "markdown":
            output = checks.check_markdown(report, full)
        case _:
            output = checks.check_text(report, _page(), full)
    show(output)

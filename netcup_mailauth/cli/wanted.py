"""The options that say what is wanted, and what they mean as a policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from netcup_mailauth.cli.completion import known_codes
from netcup_mailauth.errors import UsageError

if TYPE_CHECKING:
    from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy

Command = TypeVar("Command", bound=Callable[..., Any])


def wanted_options(command: Command) -> Command:
    """``--spf``, ``--dkim`` and so on: they win over the config."""
    options = (
        click.option("--spf", metavar="RECORD", help="The SPF record is exactly this."),
        click.option(
            "--spf-require",
            metavar="TERM",
            multiple=True,
            help="This term is in the SPF record; the rest of the live one stays. Repeatable.",
        ),
        click.option(
            "--spf-drop",
            metavar="TERM",
            multiple=True,
            help="This term goes; naming it is the consent, beside --spf too. Repeatable.",
        ),
        click.option(
            "--spf-all",
            type=click.Choice(["fail", "softfail", "neutral"]),
            help="The final all of the SPF record.",
        ),
        click.option(
            "--dkim",
            metavar="SOURCE",
            help="Where the DKIM key is: mailcow, file:PATH, record:TEXT, or - for stdin.",
        ),
        click.option("--selector", metavar="NAME", help="The DKIM selector, if not the source's."),
        click.option("--dmarc", metavar="RECORD", help="The DMARC record is exactly this."),
        click.option(
            "--dmarc-policy",
            type=click.Choice(["none", "quarantine", "reject"]),
            help="The policy of the DMARC record; its other tags stay.",
        ),
        click.option(
            "--rua",
            metavar="URI",
            multiple=True,
            help="This address gets DMARC reports, beside those that do. Repeatable.",
        ),
        click.option(
            "--mailcow",
            metavar="URL",
            help="The mailcow to ask for the DKIM key (MAILCOW_API_KEY).",
        ),
        click.option(
            "--server",
            metavar="HOST|IP",
            multiple=True,
            help="What sends this domain's mail; default: the mailcow, else the MX. Repeatable.",
        ),
        click.option(
            "--kind",
            multiple=True,
            type=click.Choice(["spf", "dkim", "dmarc"]),
            help="Only this kind of record, in this run. Repeatable.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def judging_options(command: Command) -> Command:
    """``--allow`` and ``--resolver``: how a change is judged."""
    options = (
        click.option(
            "--allow",
            metavar="CODE[:DOMAIN]",
            multiple=True,
            shell_complete=known_codes,
            help="Accept this finding; with several domains say for which. Repeatable.",
        ),
        click.option(
            "--resolver",
            metavar="HOST[:PORT]",
            help="The recursive DNS resolver to ask instead of the system's.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def watching_options(command: Command) -> Command:
    """``--nameserver``, ``--wait`` and ``--timeout``: asking the name servers."""
    options = (
        click.option(
            "--nameserver",
            metavar="HOST[:PORT]",
            multiple=True,
            help="Ask this server instead of the zone's own. Repeatable.",
        ),
        click.option(
            "--wait", is_flag=True, help="Wait until every authoritative server answers with it."
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0),
            default=1800.0,
            show_default=True,
            metavar="SECONDS",
            help="How long --wait waits.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def policy_of(options: dict[str, Any]) -> DomainPolicy:
    """The options as a policy.

    Raises:
        MailauthError: one of them is no such record, source or selector.
    """
    from netcup_mailauth.policy import DomainPolicy, host_or_address

    return DomainPolicy(
        spf=_spf(options),
        dkim=_dkim(options),
        dmarc=_dmarc(options),
        server=[host_or_address(host) for host in options["server"]] or None,
    )


def _spf(options: dict[str, Any]) -> SpfPolicy | None:
    from netcup_mailauth.policy import SpfPolicy, spf_record, spf_term

    whole = options["spf"]
    if whole is not None and (options["spf_require"] or options["spf_all"]):
        raise UsageError(
            "--spf says the whole record, so --spf-require and --spf-all have no place beside it.",
            "Leave either out; --spf-drop may stand beside --spf.",
        )
    given = {
        "record": None if whole is None else spf_record(whole),
        "require": [spf_term(term) for term in options["spf_require"]] or None,
        "drop": [spf_term(term) for term in options["spf_drop"]] or None,
        "all": options["spf_all"],
    }
    return SpfPolicy(**given) if _any(given) else None


def _dkim(options: dict[str, Any]) -> DkimPolicy | None:
    from netcup_mailauth import records
    from netcup_mailauth.keys.sources import MAILCOW, check_source
    from netcup_mailauth.policy import DkimPolicy

    source = options["dkim"] or (MAILCOW if options["mailcow"] else None)
    given = {
        "source": check_source(source) if source else None,
        "selector": records.selector(options["selector"]) if options["selector"] else None,
    }
    return DkimPolicy(**given) if _any(given) else None


def _dmarc(options: dict[str, Any]) -> DmarcPolicy | None:
    from netcup_mailauth.policy import DmarcPolicy, dmarc_record, report_uri

    whole = options["dmarc"]
    if whole is not None and (options["dmarc_policy"] or options["rua"]):
        raise UsageError(
            "--dmarc says the whole record, so --dmarc-policy and --rua have no place beside it.",
            "Leave either out.",
        )
    given = {
        "record": None if whole is None else dmarc_record(whole),
        "policy": options["dmarc_policy"],
        "rua": [report_uri(uri) for uri in options["rua"]] or None,
    }
    return DmarcPolicy(**given) if _any(given) else None


def _any(given: dict[str, Any]) -> bool:
    return any(value is not None for value in given.values())

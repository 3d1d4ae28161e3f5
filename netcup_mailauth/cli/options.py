"""Every option, said once: as it is typed, what it takes, its help, and the group it belongs to.

A command names those it takes (`netcup_mailauth.cli.commands`). An option that means something a
little different in one command is there the same option, `but` with another help.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from netcup_mailauth.cli.output import settings
from netcup_mailauth.errors import UsageError
from netcup_mailauth.netcup import CALLS, MOST_CONNECTIONS

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

RECORDS, SAFETY, OUTPUT = "Records", "Safety", "Output"
MANY_DOMAINS, EVERYWHERE = "Many domains", "Everywhere"
OWN = "Options"
GROUPS = (OWN, RECORDS, SAFETY, OUTPUT, MANY_DOMAINS, EVERYWHERE)
"""The groups, in the order they are shown; the first one is of those that one command alone has."""


class Option(NamedTuple):
    """An option.

    Attributes:
        names: as it is typed; one without dashes is the parameter's, where that differs.
        more: what click has to know of it.
        variable: the environment variable that is read where the option is not given.
    """

    group: str
    names: tuple[str, ...]
    more: Mapping[str, Any]
    variable: str = ""

    @property
    def parameter(self) -> str:
        """What a command gets its value as."""
        return self.names[-1].lstrip("-").replace("-", "_")

    def but(self, **more: Any) -> Option:
        """The same option, with something about it that is different in one command."""
        return self._replace(more={**self.more, **more})

    def made(self) -> click.Option:
        """The option as click has it."""
        return click.Option(self.names, **self.more)


def typed(values: Mapping[str, Any], parameters: Iterable[str]) -> list[str]:
    """These options of a command that was run, as they are typed: not yet quoted for a shell."""
    words: list[str] = []
    for name in parameters:
        value = values.get(name)
        for item in value if isinstance(value, tuple) else (value,):
            if item is not None:
                words += [f"--{name.replace('_', '-')}", str(item)]
    return words


def config_words() -> list[str]:
    """The config as it was named, to be typed again."""
    return ["-c", str(settings().config)] if settings().config else []


def offered(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """What a shell is offered for this parameter."""
    from netcup_mailauth.cli import completion  # not needed but for a shell

    return completion.offered(context, parameter, incomplete)


def _option(group: str, *names: str, variable: str = "", **more: Any) -> Option:
    return Option(group, names, more, variable)


def _repeated(group: str, *names: str, variable: str = "", **more: Any) -> Option:
    return Option(group, names, {"multiple": True, **more}, variable)


def _flag(group: str, *names: str, **more: Any) -> Option:
    return Option(group, names, {"is_flag": True, **more})


def _common(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep a common option: it may stand before or after the command, and the later one wins."""
    name = parameter.name or ""
    # Left at its default after the command, an option must not undo the one before it.
    if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
        setattr(settings(), name, value)


def shard(text: str) -> tuple[int, int]:
    """The shard that ``I/N`` means.

    Raises:
        UsageError: it is none.
    """
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text, re.ASCII)
    index, shards = (int(match[1]), int(match[2])) if match else (0, 0)
    if not index < shards:
        raise UsageError(f"--shard {text!r} is not I/N with I from 0 to N-1.", "As in --shard 0/10")
    return index, shards


def _delays(text: str) -> tuple[float, ...]:
    try:
        delays = tuple(float(part) for part in text.split(","))
    except ValueError:
        delays = ()
    if len(delays) != 3 or min(delays) < 0:
        raise UsageError(f"--publish-delay {text!r} is not three numbers.", "As in 0,2,5")
    return delays


class File(click.Path):
    """A file. What a path is has to be loaded only where one is named."""

    def coerce_path_result(self, value: str | os.PathLike[str]) -> Any:
        """See click."""
        from pathlib import Path

        return Path(value)


class Seconds(click.FloatRange):
    """A span of time; of what it is no number of, an error can speak."""

    name = "number of seconds"


class Whole(click.IntRange):
    """A whole number; of what it is not, an error can speak."""

    name = "whole number"


FILE = File()
SECONDS: dict[str, Any] = {"type": Seconds(min=0), "metavar": "SECONDS"}

# One of them is for a rare need, and stands in the help of the whole program alone.
COMMON = tuple(
    option.but(expose_value=False, callback=_common)
    for option in (
        _option(
            EVERYWHERE,
            "-c",
            "--config",
            metavar="FILE",
            type=FILE,
            help="Config; default: ./netcup-mailauth.toml, or yours.",
        ),
        _flag(EVERYWHERE, "-v", "--verbose", help="Show each call to netcup."),
        _flag(EVERYWHERE, "-q", "--quiet", help="Say nothing when nothing changed."),
        _option(
            EVERYWHERE,
            "--record",
            metavar="FILE",
            type=FILE,
            hidden=True,
            help="Keep what netcup said, masked: help reporting.",
        ),
        _option(
            EVERYWHERE,
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            metavar="WHEN",
            help="auto (the default), always or never.",
        ),
    )
)
"""What every command takes, before or after its name."""

DKIM = _option(
    RECORDS,
    "--dkim",
    metavar="SOURCE",
    help="mailcow, file:PATH, the record, or - for stdin.",
)
MAILCOW = _option(
    RECORDS,
    "--mailcow",
    metavar="URL",
    variable="MAILCOW_URL",
    help="The mailcow that has the key (MAILCOW_API_KEY).",
)

WANTED = (
    _option(RECORDS, "--spf", metavar="RECORD", help="The SPF record is exactly this."),
    _repeated(
        RECORDS,
        "--spf-require",
        metavar="TERM",
        help="This term is in it; the rest stays. Repeatable.",
    ),
    _repeated(
        RECORDS,
        "--spf-drop",
        metavar="TERM",
        help="This term goes; that is the consent. Repeatable.",
    ),
    _option(
        RECORDS,
        "--spf-all",
        type=click.Choice(["fail", "softfail", "neutral"]),
        metavar="RESULT",
        help="The final all: fail, softfail or neutral.",
    ),
    DKIM,
    _option(
        RECORDS,
        "--selector",
        metavar="NAME",
        help="The DKIM selector, if not the source's.",
    ),
    _option(RECORDS, "--dmarc", metavar="RECORD", help="The DMARC record is exactly this."),
    _option(
        RECORDS,
        "--dmarc-policy",
        type=click.Choice(["none", "quarantine", "reject"]),
        metavar="POLICY",
        help="none, quarantine or reject; other tags stay.",
    ),
    _repeated(
        RECORDS,
        "--rua",
        metavar="URI",
        help="This address gets DMARC reports too. Repeatable.",
    ),
    MAILCOW,
    _repeated(
        RECORDS,
        "--server",
        metavar="HOST|IP",
        help="Its mail server, if not mailcow or MX. Repeatable.",
    ),
    _repeated(
        RECORDS,
        "--kind",
        type=click.Choice(["spf", "dkim", "dmarc"]),
        metavar="KIND",
        help="Only spf, dkim or dmarc in this run. Repeatable.",
    ),
)
"""What is wanted; these win over the config."""

_AS_EXPECTED = {
    "spf": "The SPF record is expected to be this.",
    "spf_require": "This term is expected to be in it. Repeatable.",
    "spf_drop": "This term is expected to be gone. Repeatable.",
    "spf_all": "all is expected to be fail, softfail or neutral.",
    "dkim": "The key is expected to be this: see plan --help.",
    "selector": "The DKIM selector to look at.",
    "dmarc": "The DMARC record is expected to be this.",
    "dmarc_policy": "p= is expected to be none, quarantine or reject.",
    "rua": "This address is expected to be in it. Repeatable.",
    "mailcow": "The key is expected to be this mailcow's.",
}

EXPECTED = tuple(
    option.but(help=_AS_EXPECTED.get(option.parameter, option.more["help"])) for option in WANTED
)
"""The same where nothing is written: what the live records are compared with."""

ALLOW = _repeated(
    SAFETY,
    "--allow",
    metavar="CODE[:DOMAIN]",
    shell_complete=offered,
    help="Accept this finding. Repeatable.",
)
RESOLVER = _option(
    SAFETY,
    "--resolver",
    metavar="HOST[:PORT]",
    variable="NETCUP_MAILAUTH_RESOLVER",
    help="The DNS resolver, instead of the system's.",
)
JUDGING = (ALLOW, RESOLVER)
"""How a change is judged."""

NAMESERVER = _repeated(
    SAFETY,
    "--nameserver",
    metavar="HOST[:PORT]",
    variable="NETCUP_MAILAUTH_NAMESERVERS",
    help="Ask it instead of the zone's own. Repeatable.",
)
WAIT = _flag(SAFETY, "--wait", help="Wait until every name server has it.")
TIMEOUT = _option(
    SAFETY,
    "--timeout",
    default=1800.0,
    help="How long --wait waits; default: 1800.",
    **SECONDS,
)
WATCHING = (NAMESERVER, WAIT, TIMEOUT)
"""How the name servers are asked."""

LOCK_TIMEOUT = _option(
    SAFETY,
    "--lock-timeout",
    help="How long to wait for another run; default: 60.",
    **SECONDS,
)
YES = _flag(SAFETY, "-y", "--yes", help="Do not ask.")
DRY_RUN = _flag(SAFETY, "--dry-run", help="Show what would be begun; write nothing.")
PLAN_FILE = _option(
    SAFETY,
    "--plan",
    "plan_file",
    metavar="FILE",
    type=FILE,
    help="Exactly this plan, from plan --out; asks nothing.",
)

FORMAT = _option(
    OUTPUT,
    "--format",
    "output_format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    metavar="FORMAT",
    help="text (the default), json or markdown.",
)
TEXT_OR_JSON = FORMAT.but(type=click.Choice(["text", "json"]), help="text (the default) or json.")
FULL = _flag(OUTPUT, "--full", help="Show values in full, fit to paste.")
METRICS_FILE = _option(
    OUTPUT,
    "--metrics-file",
    metavar="FILE",
    type=FILE,
    help="How the run ended, for Prometheus (NAME.prom).",
)
EXIT_CODE = _flag(OUTPUT, "--exit-code", help="Exit with 3 when there are changes, 6 if held back.")
OUT = _option(
    OUTPUT,
    "--out",
    metavar="FILE",
    type=FILE,
    help="Write the plan here too, for apply --plan.",
)
ZONE_FILE = _repeated(
    OUTPUT,
    "--zone-file",
    metavar="FILE",
    type=FILE,
    help="Plan against records --format json. Repeatable.",
)

MAIL = _flag(OWN, "--mail", help="Only the records that concern mail.")
AUTH_CHECK = _flag(OWN, "--check", help="Only say what is found where, and whether it works.")

SHARD = _option(
    MANY_DOMAINS,
    "--shard",
    default="0/1",
    metavar="I/N",
    callback=lambda _context, _parameter, text: shard(text),
    help="Only every N-th domain, from the I-th (0 to N-1).",
)
CHANGED = _flag(MANY_DOMAINS, "--changed", help="Show no domain that is unchanged.")
JOBS = _option(
    MANY_DOMAINS,
    "--jobs",
    type=Whole(1, MOST_CONNECTIONS),
    default=1,
    metavar="N",
    help="So many domains at a time, in one call budget.",
)
MANY = (
    JOBS,
    SHARD,
    _option(
        MANY_DOMAINS,
        "--rate",
        type=Whole(min=0),
        metavar="N",
        help=f"Calls in any minute; 0: no limit. Default: {CALLS}/N.",
    ),
    CHANGED,
)
"""How a run goes about many domains."""

UNDO = (
    _option(OWN, "--to", metavar="ID", help="Take back this entry, not the newest one."),
    _option(
        OWN,
        "--run",
        "run_id",
        metavar="ID",
        help="Take back a whole run, over all its domains.",
    ),
    _flag(
        OWN,
        "--lost",
        help="Bring back other records of the zone that are gone since.",
    ),
    _flag(OWN, "--list", "listing", help="Show what was written, the newest first."),
)

ROTATE = (
    _flag(OWN, "--continue", help="Do what is due, for every open rotation."),
    _flag(OWN, "--status", help="Where each open rotation stands; asks nobody."),
    _flag(OWN, "--abort", help="Go back to the old key, as long as that is safe."),
    _option(
        OWN,
        "--older-than",
        metavar="SPAN",
        help="Begin where the key is older than this, as 180d.",
    ),
    DRY_RUN,
    _option(
        OWN,
        "--grace",
        metavar="SPAN",
        help="How long the old key stays published; default: 7d.",
    ),
    _flag(OWN, "--revoke", help="In the end keep the old record, its p= emptied."),
    MAILCOW.but(help="The mailcow that signs (MAILCOW_API_KEY)."),
    _option(
        OWN,
        "--helper-domain",
        metavar="DOMAIN",
        help="A domain of mailcow without mail, to make keys in.",
    ),
    _flag(
        OWN,
        "--import-key",
        help="Make the key here; mailcow writes it to its log.",
    ),
    _option(
        OWN,
        "--signer-command",
        metavar="COMMAND",
        help="Run this; the new private key is on its stdin.",
    ),
)

SANDBOX = (
    _repeated(
        OWN,
        "--domain",
        "domains",
        metavar="DOMAIN",
        help="A zone of the account; default: example.com. Repeatable.",
    ),
    _repeated(OWN, "--clouddns", metavar="DOMAIN", help="A zone on CloudDNS. Repeatable."),
    _option(
        OWN,
        "--port",
        type=Whole(0, 65535),
        default=0,
        metavar="PORT",
        help="Where netcup's APIs listen; 0: any that is free.",
    ),
    TEXT_OR_JSON.but(show_default=False, help="What it says of itself: text, or a line of JSON."),
    _option(OWN, "--latency", default=0.0, help="How long each answer takes.", **SECONDS),
    _option(
        OWN,
        "--rate",
        type=Whole(min=0),
        default=180,
        metavar="N",
        help="Calls a minute that netcup's APIs take; 0: no limit.",
    ),
    _option(
        OWN,
        "--session-ttl",
        default=900.0,
        help="How long a session of the CCP API lives; default: 900.",
        **SECONDS,
    ),
    _repeated(
        OWN,
        "--zone",
        "zone_files",
        metavar="DOMAIN=FILE",
        help="Start this zone with the records in a JSON file (a list, in the API's form).",
    ),
    _option(
        OWN,
        "--state",
        type=File(dir_okay=False),
        metavar="FILE",
        help="Keep zones and DKIM keys in this file.",
    ),
    _option(
        OWN,
        "--publish-delay",
        "publish_delays",
        default="0,0,0",
        metavar="A,B,C",
        callback=lambda _context, _parameter, text: _delays(text),
        help="Seconds after which each of the three name servers follows the API.",
    ),
    _flag(
        OWN,
        "--fixed-keys",
        help="The same API keys and passwords each time, for scripts; otherwise each start has "
        "new ones, also with --state.",
    ),
    _flag(OWN, "--tls", help="Speak https, with a throw-away CA."),
    _option(
        OWN,
        "--replay",
        type=File(dir_okay=False),
        metavar="FILE",
        help="Say what netcup said in this recording.",
    ),
)

"""``sandbox``: a netcup on loopback, to try everything on."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netcup_mailauth.cli.common import CONTEXT, common_options, say
from netcup_mailauth.errors import UsageError

if TYPE_CHECKING:
    from netcup_mailauth.sandbox import Sandbox


@click.command("sandbox", context_settings=CONTEXT)
@click.option("--domain", "domains", multiple=True, help="A zone of the account. Repeatable.")
@click.option("--clouddns", multiple=True, metavar="DOMAIN", help="A zone on CloudDNS. Repeatable.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0: any that is free.")
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text")
@click.option("--latency", type=click.FloatRange(min=0), default=0.0, metavar="SECONDS")
@click.option(
    "--rate", type=click.IntRange(min=0), default=180, help="Calls a minute; 0: no limit."
)
@click.option("--session-ttl", type=click.FloatRange(min=0), default=900.0, metavar="SECONDS")
@click.option(
    "--zone",
    "zone_files",
    multiple=True,
    metavar="DOMAIN=FILE",
    help="Start this zone with the records in a JSON file (a list, in the API's form).",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep zones and DKIM keys in this file.",
)
@click.option(
    "--publish-delay",
    "publish_delays",
    default="0,0,0",
    metavar="A,B,C",
    callback=lambda _ctx, _parameter, text: _seconds(text),
    help="Seconds after which each of the three name servers follows the API.",
)
@click.option(
    "--fixed-keys",
    is_flag=True,
    help="The same API keys and passwords each time, for scripts; otherwise each start has new "
    "ones, also with --state.",
)
@click.option("--tls", is_flag=True, help="Speak https, with a throw-away CA.")
@common_options
def command(
    domains: tuple[str, ...],
    clouddns: tuple[str, ...],
    output_format: str,
    zone_files: tuple[str, ...],
    **options: Any,
) -> None:
    """Run a netcup (and a mailcow) on loopback until it is interrupted.

    \b
    netcup-mailauth sandbox --domain example.com
    """
    import json

    from netcup_mailauth.sandbox import Sandbox

    zones = dict(_zone_file(item) for item in zone_files)
    names = domains or (() if zones or clouddns else ("example.com",))
    try:
        sandbox = Sandbox(names, zones=zones, clouddns=clouddns, **options)
    except (ValueError, OSError) as error:
        raise UsageError(f"The sandbox cannot start: {error}.") from None
    with sandbox:
        try:
            banner = json.dumps(sandbox.banner()) if output_format == "json" else _welcome(sandbox)
            click.echo(banner)
            sys.stdout.flush()
            _wait()
        except KeyboardInterrupt:
            say("The sandbox has stopped.")


def _seconds(text: str) -> tuple[float, ...]:
    try:
        delays = tuple(float(part) for part in text.split(","))
    except ValueError:
        delays = ()
    if len(delays) != 3 or min(delays) < 0:
        raise UsageError(f"--publish-delay {text!r} is not three numbers.", "As in 0,2,5")
    return delays


def _wait() -> None:
    import threading

    threading.Event().wait()


def _zone_file(item: str) -> tuple[str, list[dict[str, object]]]:
    import json

    from netcup_mailauth.files import read_regular

    domain, separator, name = item.partition("=")
    if not separator or not domain or not name:
        raise UsageError(f"--zone {item!r} is not DOMAIN=FILE.", "As in example.com=zone.json")
    try:
        records = json.loads(read_regular(Path(name)))
    except OSError as error:
        raise UsageError(f"--zone: {name} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise UsageError(f"--zone: {name} is not JSON.") from None
    if not isinstance(records, list):
        raise UsageError(f"--zone: {name} holds no list of records.")
    return domain, records


def _welcome(sandbox: Sandbox) -> str:
    exports = "\n".join(
        f"export {name}={shlex.quote(value)}" for name, value in sandbox.env.items() if value
    )
    return (
        "A netcup on this machine; nothing here reaches the real one. In another terminal:\n\n"
        f"{exports}\n\nControl: {sandbox.control_url}\nCtrl-C ends it."
    )

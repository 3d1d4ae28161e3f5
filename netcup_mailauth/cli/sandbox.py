"""``sandbox``: a netcup on loopback, to try everything on."""

from __future__ import annotations

import json
import shlex
import sys
import threading
from pathlib import Path
from typing import Any

import click

from netcup_mailauth.cli.output import say
from netcup_mailauth.errors import UsageError
from netcup_mailauth.files import read_regular
from netcup_mailauth.sandbox import Sandbox


def command(
    domains: tuple[str, ...],
    clouddns: tuple[str, ...],
    output_format: str,
    zone_files: tuple[str, ...],
    **options: Any,
) -> None:
    """Run a sandbox until it is interrupted."""
    zones = dict(_zone_file(item) for item in zone_files)
    others = zones or clouddns or options["replay"]
    names = domains or (() if others else ("example.com",))
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


def _wait() -> None:
    threading.Event().wait()


def _zone_file(item: str) -> tuple[str, list[dict[str, object]]]:
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
    exports = "\n".join(_export(name, value) for name, value in sandbox.env.items() if value)
    return f"""\
A netcup on this machine; nothing here reaches the real one. In another terminal:

{exports}

To practise rotate --import-key, once mailcow's key is published: its read-write key
(the one above only reads):

{_export("MAILCOW_API_KEY", sandbox.mailcow_rw_key)}

Control: GET {sandbox.control_url}/stats says what was asked and how the
zones look; POST to /fault, /dns, /mailcow, /zone, /world and /reset below it has calls
fail, and changes zones and keys.
Ctrl-C ends it."""


def _export(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"

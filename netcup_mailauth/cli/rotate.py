"""``rotate``: replace a DKIM key without a gap, step by step, over many runs."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from netcup_mailauth.cli.output import complain, say, settings, show
from netcup_mailauth.errors import ExitCode, MailauthError, UsageError, worst
from netcup_mailauth.records import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netcup_mailauth.cli.run import Run

MODES = ("continue", "status", "abort", "older_than")


def command(domains: tuple[str, ...], **options: Any) -> int:
    """Begin rotations, or go on with them."""
    from netcup_mailauth import records
    from netcup_mailauth.cli.rotationrun import RotationRun
    from netcup_mailauth.cli.run import run

    named = tuple(dict.fromkeys(map(records.normalise, domains)))
    _check_options(named, options)
    with run(options["mailcow"], options["resolver"], options["nameserver"]) as current:
        if options["status"]:
            return _status(current, named, options)
        return RotationRun(current, named, options).all()


def _check_options(named: tuple[str, ...], options: dict[str, Any]) -> None:
    from netcup_mailauth.policy import seconds

    modes = [mode for mode in MODES if options[mode] and mode != "continue"]
    if len(modes) > 1 or (options["continue"] and options["abort"]):
        raise UsageError("--status, --abort and --older-than exclude each other.", "Give one.")
    if not named and (options["abort"] or not any(options[mode] for mode in MODES)):
        raise UsageError("No DOMAIN is named.", "Name one; --continue is for all that are open.")
    if options["import_key"] and options["signer_command"]:
        raise UsageError("--import-key and --signer-command exclude each other.", "Give one.")
    for span in ("grace", "older_than"):
        if options[span]:
            seconds(options[span])
    _check_codes(options["allow"])
    asks = not (options["continue"] or options["status"] or options["dry_run"])
    if asks and not options["yes"] and not sys.stdin.isatty():
        raise UsageError(
            "There is no terminal to ask on, and no --yes; nothing was written.",
            "Look first with --dry-run, then run it with --yes.",
        )


def _check_codes(entries: Iterable[str]) -> None:
    from netcup_mailauth.findings import OF_ROTATIONS
    from netcup_mailauth.settings.wishes import check_code

    for entry in entries:
        code = entry.partition(":")[0]
        if code not in OF_ROTATIONS:
            check_code(code)


def _status(run: Run, named: tuple[str, ...], options: dict[str, Any]) -> int:
    """Where each open rotation stands, from the state alone: no credentials, nobody is asked."""
    from netcup_mailauth.cli.rotating import known_anywhere, waits_of
    from netcup_mailauth.cli.rotationrun import print_json
    from netcup_mailauth.plan import Failure
    from netcup_mailauth.rotation.words import document, status

    waits, now = waits_of(run, options), time.time()
    found, codes, shown = set(), [ExitCode.OK], []
    as_json = options["output_format"] == "json"
    for books, domain in known_anywhere():
        if named and domain not in named:
            continue
        try:
            rotation = books.read(domain).open
        except MailauthError as error:
            codes.append(error.exit_code)
            found.add(domain)
            complain(domain, Failure.of(error), options["output_format"])
            shown.append({"domain": domain, "error": f"{error.what} {error.advice}"})
            continue
        if rotation is not None:
            found.add(domain)
            shown.append(document(rotation, waits))
            if not as_json:
                show(f"{visible(domain)}: {visible(status(rotation, now, waits))}\n")
    if as_json:
        print_json(shown)
        return worst(codes)
    for domain in named:
        if domain not in found:
            say(f"{domain}: no rotation is open here.")
    if not found and not named and not settings().quiet:
        say("No rotation is open here.")
    return worst(codes)

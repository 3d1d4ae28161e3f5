"""``rotate``: replace a DKIM key without a gap, over many runs; and where each such key stands."""

from __future__ import annotations

from typing import Any

from netcup_mailauth import records
from netcup_mailauth.cli.output import check_attended, complain, say, settings, show, show_sentence
from netcup_mailauth.cli.run import Run, run, state_folders
from netcup_mailauth.clock import Clock
from netcup_mailauth.errors import ExitCode, MailauthError, UsageError, worst
from netcup_mailauth.findings import OF_ROTATIONS
from netcup_mailauth.plan import Failure
from netcup_mailauth.policy import seconds
from netcup_mailauth.rotation import FOLDER
from netcup_mailauth.rotation.state import Rotation, opened_in, waits_of
from netcup_mailauth.rotation.words import as_json, document, status
from netcup_mailauth.settings.wishes import check_code

MODES = ("continue", "status", "abort", "older_than")


def command(domains: tuple[str, ...], **options: Any) -> int:
    """Begin rotations, or go on with them."""
    named = tuple(dict.fromkeys(map(records.normalise, domains)))
    _check_options(named, options)
    with run(options["mailcow"], options["resolver"], options["nameserver"]) as current:
        if options["status"]:
            return _status(current, named, options)
        from netcup_mailauth.cli import rotating  # not needed for --status

        return rotating.rotate(current, named, options)


def _check_options(named: tuple[str, ...], options: dict[str, Any]) -> None:
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
    for entry in options["allow"]:
        code = entry.partition(":")[0]
        if code not in OF_ROTATIONS:
            check_code(code)
    asks = not (options["continue"] or options["status"] or options["dry_run"])
    if asks and not options["yes"]:
        check_attended("Look first with --dry-run, then run it with --yes.")


def _status(run: Run, named: tuple[str, ...], options: dict[str, Any]) -> int:
    """Where each open rotation stands, from the state alone: no credentials, nobody is asked."""
    waits, now = waits_of(run.config.config.rotation, options["grace"]), Clock().time()
    codes, shown = [ExitCode.OK], []
    as_text = options["output_format"] != "json"
    opened = _opened_anywhere(named)
    for domain, rotation in opened:
        if isinstance(rotation, MailauthError):
            codes.append(rotation.exit_code)
            complain(domain, Failure.of(rotation), options["output_format"])
            shown.append({"domain": domain, "error": rotation.sentences})
            continue
        shown.append(document(rotation, waits))
        if as_text:
            show_sentence(f"{domain}: {status(rotation, now, waits)}")
    if not as_text:
        show(as_json(shown))
        return worst(codes)
    for domain in named:
        if domain not in dict(opened):
            say(f"{domain}: no rotation is open here.")
    if not opened and not named and not settings().quiet:
        say("No rotation is open here.")
    return worst(codes)


def _opened_anywhere(named: tuple[str, ...]) -> list[tuple[str, Rotation | MailauthError]]:
    """What is open of every account at the endpoints in use, by the domains."""
    folders = [path for state in state_folders() for path in sorted(state.glob(f"*/{FOLDER}"))]
    found = [opened for folder in folders for opened in opened_in(folder, named)]
    return sorted(found, key=lambda pair: pair[0])

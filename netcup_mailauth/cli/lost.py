"""``undo DOMAIN --lost``: bring back records of others that were gone after a write."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from netcup_mailauth.cli.common import confirmed, say, show
from netcup_mailauth.errors import ExitCode, StaleError, UsageError

if TYPE_CHECKING:
    from netcup_mailauth.actions.undo import Lost
    from netcup_mailauth.cli.wiring import Run
    from netcup_mailauth.records import Zone
    from netcup_mailauth.state.journal import Entry


def check_options(name: str | None, options: dict[str, Any]) -> None:
    """Raise :class:`UsageError` for what has no place beside ``--lost``."""
    if name is None:
        raise UsageError("--lost is about one domain.", "Name it: undo DOMAIN --lost")
    if options["yes"] or options["run_id"] or options["listing"]:
        raise UsageError(
            "--lost sends records that are not this program's own, so it always asks, about one "
            "domain.",
            f"Type netcup-mailauth undo {name} --lost at a terminal.",
        )
    if options["output_format"] != "text":
        raise UsageError("--lost is text.", "Leave --format out.")
    if not sys.stdin.isatty():
        raise UsageError(
            "There is no terminal to ask on; nothing was written.",
            f"Type netcup-mailauth undo {name} --lost at a terminal.",
        )


def bring_back(current: Run, name: str, entry_id: str | None, timeout: float | None) -> int:
    """Show what is missing, ask, and send it.

    Raises:
        MailauthError: nothing was sent, or it is not there afterwards.
    """
    from netcup_mailauth.actions import undo
    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.actions.signals import uninterrupted
    from netcup_mailauth.state.lock import LOCK_TIMEOUT

    seconds = LOCK_TIMEOUT if timeout is None else timeout
    session = Session(current.backend, state=current.memory, lock_timeout=seconds)
    entry = _entry(current, name, entry_id)
    found = undo.lost(entry, _zone(current, entry))
    if not _shown(entry, found):
        return ExitCode.OK
    if not confirmed(f"Bring these back to {entry.change_set.place.zone}?"):
        say("Not confirmed; nothing was written.")
        return ExitCode.USAGE
    with session.lock():
        session.backend.reserve()
        zone = _zone(current, entry)
        now = undo.lost(entry, zone)
        if now.missing != found.missing:
            raise StaleError(
                f"{name} has changed since this was shown.",
                f"Nothing was written. Look again: netcup-mailauth undo {name} --lost",
            )
        with uninterrupted(f"the write to {zone.name}"):
            undo.bring_back(session, entry, zone, now)
    show(f"{name}: written and verified: {len(now.missing)} brought back\n")
    return ExitCode.OK


def _entry(current: Run, name: str, entry_id: str | None) -> Entry:
    """The write that the records were there before: the newest one, or the one that is named."""
    from netcup_mailauth.state.journal import SENT

    journals = current.journals()
    known = [entry for entry in journals.entries(name) if entry.mark in SENT]
    chosen = [entry for entry in known if entry_id in (None, entry.id)]
    if not chosen:
        what = f"{name} has no entry {entry_id}" if entry_id else f"Nothing was written to {name}"
        raise UsageError(
            f"{what}; looked in {journals.place(name)}.",
            "See what there is:  netcup-mailauth undo --list",
        )
    entry = chosen[0]
    place = entry.change_set.place
    api = current.backend.serving(place.backend)
    if (place.endpoint, place.account) != (api.endpoint, api.account):
        raise UsageError(
            f"{entry.id} was written through another endpoint or account ({place.endpoint}, "
            f"account {place.account}).",
            "Run undo with the credentials and the endpoint of that apply.",
        )
    return entry


def _zone(current: Run, entry: Entry) -> Zone:
    place = entry.change_set.place
    zone = current.backend.zone(place.zone)
    if zone.backend != place.backend:
        raise StaleError(
            f"{place.domain} has moved to another API since {entry.id}.",
            "Nothing was written. Put the rest right by hand in the CCP.",
        )
    return zone


def _shown(entry: Entry, found: Lost) -> bool:
    """Print what would be sent; whether there is anything."""
    from netcup_mailauth.plan import shown
    from netcup_mailauth.records import visible

    domain = visible(entry.domain)
    for record in found.missing:
        show(f"  + {visible(shown(record))}\n")
    for line in found.left_out:
        show(f"  left out: {visible(line)}\n")
    if not found.missing:
        say(f"{domain}: nothing can be brought back that was there before {visible(entry.id)}.")
        return False
    say(
        f"{domain}: {len(found.missing)} to bring back, as the zone was before "
        f"{visible(entry.id)}; {len(found.ours)} of this program's own records are sent along, "
        "so that they are not lost for it."
    )
    return True

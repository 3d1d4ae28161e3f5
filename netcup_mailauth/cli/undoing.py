"""What ``undo`` writes: what an apply changed goes back, what a write lost is brought back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from netcup_mailauth.actions import undo
from netcup_mailauth.actions.session import Session
from netcup_mailauth.actions.signals import uninterrupted
from netcup_mailauth.actions.undo import Target, apply_undo, plan_undo
from netcup_mailauth.cli.onward import TypedUndo
from netcup_mailauth.cli.output import confirmed, say, settings, show, warn
from netcup_mailauth.cli.reporter import Reporter, agreed
from netcup_mailauth.errors import ConfigError, ExitCode, StaleError, UsageError
from netcup_mailauth.keys.sources import MAILCOW, STDIN
from netcup_mailauth.others import shown
from netcup_mailauth.plan import Status
from netcup_mailauth.policy import Config, DomainPolicy, Wish, in_config
from netcup_mailauth.settings.wishes import with_allowed
from netcup_mailauth.shown import visible
from netcup_mailauth.state.journal import SENT, standing
from netcup_mailauth.state.lock import LOCK_TIMEOUT

if TYPE_CHECKING:
    from netcup_mailauth.actions.undo import Lost
    from netcup_mailauth.cli.run import Run
    from netcup_mailauth.plan import ChangeSet, Result
    from netcup_mailauth.records import Zone
    from netcup_mailauth.state.journal import Entry, Journals


class UndoReporter(Reporter):
    """A plan that could not be made because the zone has moved on is stale, not a mishap."""

    def done(self, result: Result) -> None:
        """One domain's result."""
        if result.exit_code is ExitCode.STALE:
            result = replace(result, status=Status.STALE)
        super().done(result)


def put_back(
    current: Run, domain: str | None, entries: list[Entry], options: dict[str, Any]
) -> int:
    """Plan it, show it, ask, and write what the entries changed as it was before.

    ``domain`` is the one that was named, if one was.
    """
    reporter = UndoReporter(options["output_format"], options["full"])
    reporter.now = TypedUndo(domain, options)
    policies = _policies(current, entries)
    sources = {entry.domain: _source(current, entry, policies[entry.domain]) for entry in entries}
    session = current.session(reporter, lock_timeout=options["lock_timeout"])
    session = replace(session, undoes={entry.domain: entry.id for entry in entries})
    targets = _targets(entries, policies, sources, options["allow"])
    plan = plan_undo(session, targets)
    if options["yes"]:
        for change_set in plan.zones:
            reporter.show(change_set)
    else:
        reporter.show_plan(plan)
    for change_set in plan.zones:
        _warn_of_the_config(change_set, policies)
    if not options["yes"] and not agreed(plan, "Put this back in {zones}?"):
        return reporter.declined(plan)
    try:
        code = apply_undo(session, plan, targets).exit_code
    finally:
        # An interrupted run, too, says what it has written.
        reporter.finish()
    for entry, change_set in zip(entries, plan.zones, strict=True):
        _tell_if_empty(current.journals(), entry, change_set)
    return code


def _source(current: Run, entry: Entry, policy: DomainPolicy) -> str | None:
    """Where the key that signs a domain's mail comes from: as said here, in the config, or then."""
    if current.mailcow_url:
        return MAILCOW
    if policy.dkim and policy.dkim.source:
        return None if policy.dkim.source == STDIN else policy.dkim.source
    origins = [change.source or "" for change in entry.change_set.changes]
    from_mailcow = any(origin.startswith("mailcow at ") for origin in origins)
    return MAILCOW if from_mailcow and current.mailcow_named() else None


def _targets(
    entries: list[Entry],
    policies: dict[str, DomainPolicy],
    sources: dict[str, str | None],
    allow: tuple[str, ...],
) -> list[Target]:
    # What the config allows was said of what it wants, and that is not what is made here.
    wishes = with_allowed([Wish(entry.domain, DomainPolicy()) for entry in entries], allow)
    return [
        Target(
            entry,
            wish.allow,
            tuple(policies[entry.domain].server or ()),
            sources[entry.domain],
        )
        for entry, wish in zip(entries, wishes, strict=True)
    ]


def _policies(current: Run, entries: list[Entry]) -> dict[str, DomainPolicy]:
    """What the config in use wants of each domain."""
    try:
        config = current.config.config
    except ConfigError as error:
        if settings().config is not None:
            raise
        # Whoever has to take something back in a hurry is not sent to mend a file first.
        warn(f"the config is passed over: {error.what}")
        config = Config()
    return {entry.domain: in_config(config, entry.domain) for entry in entries}


def _warn_of_the_config(change_set: ChangeSet, policies: dict[str, DomainPolicy]) -> None:
    kinds = {change.kind for change in change_set.changes}
    managed = [k for k in policies[change_set.place.domain].manages if k in kinds]
    if managed:
        named = " and ".join(kind.upper() for kind in managed)
        warn(
            f"the config says what {named} of {change_set.place.domain} should be: the next apply "
            "brings it back. Change the config too."
        )


def _tell_if_empty(journal: Journals, entry: Entry, change_set: ChangeSet) -> None:
    """That there was nothing to do, and how to go further back if that was meant."""
    if change_set.error is not None or change_set.changes or settings().quiet:
        return
    say(f"{entry.domain} is already as it was before {entry.id}.")
    older = [e for e in standing(journal.entries(entry.domain)) if e.id < entry.id]
    if older:
        say("To go further back:")
        say(f"  netcup-mailauth undo {entry.domain} --to {older[0].id}")


def bring_back(current: Run, name: str, entry_id: str | None, timeout: float | None) -> int:
    """Show what is missing, ask, and send it."""
    seconds = LOCK_TIMEOUT if timeout is None else timeout
    session = Session(
        current.backend, state=current.memory, pauses=current.pauses, lock_timeout=seconds
    )
    entry = _entry_before(current, name, entry_id)
    found = undo.lost(entry, _zone_of(current, entry))
    if not _shown_lost(entry, found):
        return ExitCode.OK
    if not confirmed(f"Bring these back to {entry.change_set.place.zone}?"):
        say("Not confirmed; nothing was written.")
        return ExitCode.USAGE
    with session.lock():
        session.backend.reserve()
        zone = _zone_of(current, entry)
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


def _entry_before(current: Run, name: str, entry_id: str | None) -> Entry:
    """The write that the records were there before: the newest one, or the one that is named."""
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


def _zone_of(current: Run, entry: Entry) -> Zone:
    place = entry.change_set.place
    zone = current.backend.zone(place.zone)
    if zone.backend != place.backend:
        raise StaleError(
            f"{place.domain} has moved to another API since {entry.id}.",
            "Nothing was written. Put the rest right by hand in the CCP.",
        )
    return zone


def _shown_lost(entry: Entry, found: Lost) -> bool:
    """Print what would be sent; whether there is anything."""
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

"""``undo``: put back what an apply changed, and show what can be put back."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from netcup_mailauth import documents, records
from netcup_mailauth.actions import undo
from netcup_mailauth.actions.applying import apply
from netcup_mailauth.actions.session import Session
from netcup_mailauth.actions.signals import uninterrupted
from netcup_mailauth.actions.undo import Target, plan_undo
from netcup_mailauth.cli.output import confirmed, say, settings, show, warn
from netcup_mailauth.cli.reporter import Reporter, agreed
from netcup_mailauth.cli.run import run, state_folders
from netcup_mailauth.errors import ConfigError, ExitCode, StaleError, UsageError
from netcup_mailauth.keys.sources import MAILCOW, STDIN
from netcup_mailauth.plan import Action, Status, shown
from netcup_mailauth.policy import Config, DomainPolicy, Wish, layered
from netcup_mailauth.records import visible
from netcup_mailauth.render.words import SIGNS
from netcup_mailauth.settings.wishes import with_allowed
from netcup_mailauth.state.journal import SENT, listing, standing, undone
from netcup_mailauth.state.lock import LOCK_TIMEOUT

if TYPE_CHECKING:
    from netcup_mailauth.actions.undo import Lost
    from netcup_mailauth.cli.run import Run
    from netcup_mailauth.plan import ChangeSet, Result
    from netcup_mailauth.records import Zone
    from netcup_mailauth.state.journal import Entry, Journals

LIST = "See what there is:  netcup-mailauth undo --list"


def command(domain: str | None, **options: Any) -> int:
    """Put back what an apply changed."""
    name = records.normalise(domain) if domain else None
    if options.pop("lost"):
        _check_lost(name, options)
        assert name is not None
        with run() as current:
            return _bring_back(current, name, options["to"], options["lock_timeout"])
    _check_options(name, options)
    with run(options["mailcow"], options["resolver"]) as current:
        if options["listing"]:
            return _list(current, name, options["output_format"])
        ours = current.journals()
        _check_that_it_is_ours(ours, current.memory.written, name)
        entries = _chosen(ours, name, options["to"], options["run_id"])
        return _undo(current, entries, options)


class UndoReporter(Reporter):
    """A plan that could not be made because the zone has moved on is stale, not a mishap."""

    def done(self, result: Result) -> None:
        """One domain's result."""
        if result.exit_code is ExitCode.STALE:
            result = replace(result, status=Status.STALE)
        super().done(result)


def _check_options(name: str | None, options: dict[str, Any]) -> None:
    single, many, listing = options["to"], options["run_id"], options["listing"]
    if listing and (single or many):
        raise UsageError("--list shows; it has no place beside --to and --run.", "Leave one out.")
    if listing and options["output_format"] == "markdown":
        raise UsageError("--list is text or JSON.", "Use --format text or --format json.")
    if many and (name or single):
        raise UsageError("--run is about all domains of a run.", "Leave DOMAIN and --to out.")
    if not (listing or many or name):
        raise UsageError("No DOMAIN is named.", f"Name one, or a run with --run. {LIST}")
    if not (listing or options["yes"] or sys.stdin.isatty()):
        raise UsageError(
            "There is no terminal to ask on, and no --yes; nothing was written.",
            f"Look first, then run it with --yes. {LIST}",
        )


def _check_that_it_is_ours(ours: Journals, written: Journals, name: str | None) -> None:
    """Raise :class:`UsageError` if a domain was written through another API or account only."""
    if name is None or ours.entries(name):
        return
    others = written.entries(name)
    if others:
        place = others[0].change_set.place
        raise UsageError(
            f"What was written to {name} from here went through the API {place.backend}, account "
            f"{place.account}, for which this run has no credentials.",
            "Give those credentials, and run undo again. See what there is:  "
            "netcup-mailauth undo --list",
        )


def _chosen(
    journal: Journals, name: str | None, single: str | None, many: str | None
) -> list[Entry]:
    """The entries to take back: at least one."""
    _tell_of_damage(journal, [name] if name else journal.domains())

    if name is None:
        known = [entry for domain in journal.domains() for entry in journal.entries(domain)]
        own = [entry for entry in known if entry.run == many and entry.mark in SENT]
        gone = undone(known)
        chosen = list({e.domain: e for e in reversed(own) if e.id not in gone}.values())
        what = f"Run {many} is undone already" if own else f"No run {many} wrote anything"
    elif single:
        chosen = [entry for entry in journal.entries(name) if entry.id == single]
        what = f"{name} has no entry {single}"
    else:
        chosen = standing(journal.entries(name))[:1]
        what = f"{name}: there is nothing to undo"
    if not chosen:
        raise UsageError(
            f"{what}; looked in {journal.place(name or '')}.",
            f"Each machine and account knows only its own writes, the last 50 of a domain. {LIST}",
        )
    return chosen


def _undo(current: Run, entries: list[Entry], options: dict[str, Any]) -> int:
    reporter = UndoReporter(options["output_format"], options["full"])
    policies = _policies(current, entries)
    sources = {entry.domain: _source(current, entry, policies[entry.domain]) for entry in entries}
    session = current.session(reporter, lock_timeout=options["lock_timeout"])
    session = replace(session, undoes={entry.domain: entry.id for entry in entries})
    plan = plan_undo(session, _targets(entries, policies, sources, options["allow"]))
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
        code = apply(session, plan).exit_code
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
    policies = {}
    for domain in (entry.domain for entry in entries):
        own = config.domains.get(domain)
        known = own is not None or config.domains_from is not None
        bare = own or DomainPolicy()
        policies[domain] = layered(config.defaults, bare) if known else bare
    return policies


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


def _list(current: Run, name: str | None, output_format: str) -> int:
    written = current.memory.written
    domains = [name] if name else written.domains()
    _tell_of_damage(written, domains)
    entries = [entry for domain in domains for entry in written.entries(domain)]
    document = listing(entries)
    if output_format == "json":
        show(documents.dumps(document))
    elif entries:
        show("\n\n".join(map(_run_text, document["runs"])) + "\n")
    else:
        say(f"Nothing was written from here yet{f' to {name}' if name else ''}.")
        say(f"Looked below {' and '.join(map(str, state_folders()))}.")
    return ExitCode.OK


def _tell_of_damage(journal: Journals, domains: list[str]) -> None:
    """Name the files that hold no entry: what they were about is not taken back."""
    for path in (path for domain in domains for path in journal.damaged(domain)):
        warn(f"{path} is damaged, and is passed over.")


def _run_text(run: dict[str, Any]) -> str:
    lines = [f"run {visible(run['run'])}"]
    for entry in run["entries"]:
        lines += [f"  {visible(entry['id'])}  {visible(entry['domain'])}", f"    {_summary(entry)}"]
    return "\n".join(lines)


def _summary(entry: dict[str, Any]) -> str:
    changes = ", ".join(
        f"{SIGNS[Action(change['action'])]}{change['count']} {change['kind']}"
        for change in entry["changes"]
    )
    done = changes or "what others had lost was brought back"
    words = [f"{entry['time'][:19].replace('T', ' ')} UTC", done, entry["mark"]]
    words += [f"undoes {entry['undoes']}"] if entry["undoes"] else []
    words += ["undone"] if entry["undone"] else []
    return visible("  ".join(words))


def _check_lost(name: str | None, options: dict[str, Any]) -> None:
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


def _bring_back(current: Run, name: str, entry_id: str | None, timeout: float | None) -> int:
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

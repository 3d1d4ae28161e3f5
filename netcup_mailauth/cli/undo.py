"""``undo``: put back what an apply changed, and show what can be put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netcup_mailauth import documents, records
from netcup_mailauth.cli.output import attended, check_attended, say, show, warn
from netcup_mailauth.cli.run import run, state_folders
from netcup_mailauth.errors import ExitCode, UsageError
from netcup_mailauth.plan import SIGNS, Action
from netcup_mailauth.shown import visible
from netcup_mailauth.state.journal import SENT, listing, standing, undone

if TYPE_CHECKING:
    from netcup_mailauth.cli.run import Run
    from netcup_mailauth.state.journal import Entry, Journals

LIST = "See what there is:  netcup-mailauth undo --list"


def command(domain: str | None, **options: Any) -> int:
    """Put back what an apply changed."""
    name = records.normalise(domain) if domain else None
    if options.pop("lost"):
        _check_lost(name, options)
        assert name is not None
        with run() as current:
            from netcup_mailauth.cli import undoing  # not needed to list

            return undoing.bring_back(current, name, options["to"], options["lock_timeout"])
    _check_options(name, options)
    with run(options["mailcow"], options["resolver"]) as current:
        if options["listing"]:
            return _list(current, name, options["output_format"])
        ours = current.journals()
        _check_that_it_is_ours(ours, current.memory.written, name)
        entries = _chosen(ours, name, options["to"], options["run_id"])
        from netcup_mailauth.cli import undoing

        return undoing.put_back(current, name, entries, options)


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
    if not (listing or options["yes"]):
        check_attended(f"Look first, then run it with --yes. {LIST}")


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
            f"Give those credentials, and run undo again. {LIST}",
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
    if not attended():
        raise UsageError(
            "There is no terminal to ask on; nothing was written.",
            f"Type netcup-mailauth undo {name} --lost at a terminal.",
        )

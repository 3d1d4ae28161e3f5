"""The one place where the golden documents meet the package: each sort read, and written again.

Whoever moves a name of the package changes this module, and nothing else of the golden tests. No
behaviour is made up here: each function calls what the commands call.
"""

from __future__ import annotations

import io
import json
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filelock import FileLock
from pydantic import SecretStr

from netcup_mailauth import documents, files, planfile, rotation
from netcup_mailauth.actions.planfile import load
from netcup_mailauth.cli.entry import main
from netcup_mailauth.clock import Uptime
from netcup_mailauth.errors import ConfigError, LockError, MailauthError
from netcup_mailauth.netcup.zonefile import read_export
from netcup_mailauth.plan import Action, Change, ChangeSet
from netcup_mailauth.rotation import state
from netcup_mailauth.rotation.state import Book, Phase, Rotation, Side, Watch
from netcup_mailauth.sandbox import Sandbox
from netcup_mailauth.settings import config, credentials
from netcup_mailauth.state.holds import FileHold, Reason
from netcup_mailauth.state.journal import Entry, Journal, Mark, listing
from netcup_mailauth.state.lock import writer_lock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from netcup_mailauth.planfile import SavedPlan
    from netcup_mailauth.records import Zone

__all__ = ["FAILURES", "Mark", "Reason", "main", "told"]

FAILURES = (MailauthError,)
"""What reading a document raises on purpose."""

ENDPOINT = "http://127.0.0.1:8053/run/webservice/servers/endpoint.php?JSON"
BEGUN = datetime(2026, 11, 27, 3, 0, 0, 123456, tzinfo=UTC)
SINCE = 1_795_000_000.0


def told(error: Exception) -> str:
    """An error as golden text: class of the exit code, message, and advice."""
    assert isinstance(error, MailauthError)
    lines = [f"exit {int(error.exit_code)}", *f"what: {error.what}".splitlines()]
    lines += f"advice: {error.advice}".splitlines() or ["advice:"]
    if isinstance(error, ConfigError):
        lines.append(f"problems: {len(error.problems)}")
    return "\n".join(lines)


@contextmanager
def sandbox(
    api: str,
    domains: Sequence[str],
    zones: Mapping[str, Sequence[Mapping[str, object]]],
    keys: Mapping[str, str | None],
    port: int,
) -> Iterator[Mapping[str, str | None]]:
    """A sandbox whose zones are on one API, and whose clock stands still: its environment.

    By the clock CloudDNS' identifiers and serial numbers are told.
    """
    with Sandbox(
        domains,
        zones=zones,
        dkim_keys=keys,
        clouddns=domains if api == "clouddns" else (),
        port=port,
        fixed_keys=True,
        clock=BEGUN.timestamp,
    ) as running:
        yield running.env


def ended(*arguments: str) -> tuple[int, bytes]:
    """The exit code of a command, and what it prints on standard output."""
    with redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")) as stream:
        code = main(list(arguments))
        stream.flush()
        assert isinstance(stream.buffer, io.BytesIO)
        return code, stream.buffer.getvalue()


# --- Plan files -----------------------------------------------------------------------------------


def read_plan(path: Path) -> SavedPlan:
    """The plan in a file, as ``show`` and ``apply --plan`` take it."""
    saved = load(path)
    planfile.check_content(saved)
    return saved


def plan_again(path: Path) -> bytes:
    """A plan file read and written; its ``tool`` is the version that wrote it first."""
    saved = read_plan(path)
    document = planfile.plan_document(saved.plan, saved.grounds)
    return documents.dumps({**document, "tool": json.loads(path.read_bytes())["tool"]}).encode()


# --- Exports --------------------------------------------------------------------------------------


def export_again(path: Path) -> bytes:
    """An exported zone read and written."""
    export = read_export(path)
    (zone,) = export.zones
    return documents.dumps(documents.zone_listing(zone, export.moment)).encode()


def export_read(path: Path) -> str:
    """What was read from an export."""
    (zone,) = read_export(path).zones
    fields = ("id", "hostname", "type", "priority", "destination", "ttl", "raw", "immutable")
    records = [[getattr(record, field) for field in fields] for record in zone.records]
    return json.dumps([zone.name, zone.backend, zone.revision, records], indent=1) + "\n"


# --- The journal ----------------------------------------------------------------------------------


def journal_entries(folder: Path, domain: str) -> tuple[list[Entry], list[Path]]:
    """The entries of a domain in an account's folder, and the files that hold none."""
    journal = Journal(folder)
    return list(journal.entries(domain)), journal.damaged(domain)


def journal_again(entry: Entry, folder: Path) -> bytes:
    """An entry written, as when it is marked."""
    Journal(folder).mark(entry, entry.mark)
    return (folder / "journal" / entry.domain / f"{entry.id}.json").read_bytes()


def journal_listing(entries: Sequence[Entry]) -> str:
    """What ``undo --list --format json`` prints."""
    return documents.dumps(listing(entries))


def make_entries(plan: Path, export: Path, folder: Path) -> list[bytes]:
    """Entries of every mark and shape, made of a plan and the zone it was made from."""
    change_set, neighbour, *_ = load(plan).plan.zones
    (zone,) = read_export(export).zones
    path = export.with_name(f"{export.stem}-{neighbour.place.zone}.json")
    (beside,) = read_export(path).zones
    first, *others = change_set.changes
    shapes: list[tuple[str, ChangeSet, Zone, Mark, str | None]] = [
        ("intended", change_set, zone, Mark.INTENDED, None),
        ("sent", change_set, zone, Mark.SENT, None),
        ("verified", change_set, zone, Mark.VERIFIED, None),
        ("failed", replace(change_set, changes=(first,)), zone, Mark.FAILED, None),
        ("undo", replace(change_set, changes=_backwards(others)), zone, Mark.VERIFIED, "verified"),
        ("lost", replace(change_set, changes=()), zone, Mark.VERIFIED, None),
        ("empty zone", replace(change_set, unchanged=()), replace(zone, records=()), Mark.SENT, ""),
        ("neighbour", neighbour, beside, Mark.VERIFIED, None),
    ]
    names: dict[str, str] = {}
    written = []
    for number, (name, changes, before, mark, undoes) in enumerate(shapes, 1):
        names[name] = f"2026-11-27T03000{number}123456Z-00000{number}"
        run = f"20261127T03000{min(number, 4)}Z-abcdef"
        stamp = f"2026-11-27T03:00:0{number}.123456Z"
        undone = names[undoes] if undoes else None
        entry = Entry(names[name], run, stamp, mark, changes, before, undone)
        Journal(folder).mark(entry, mark)
        written.append(journal_again(entry, folder))
    return written


def _backwards(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Changes that take these back, as far as they made something."""
    made = (change for change in changes if change.before is None)
    return tuple(replace(c, action=Action.DELETE, before=c.after, after=None) for c in made)


# --- Holds ----------------------------------------------------------------------------------------


def hold_at(root: Path, warnings: list[str], now: datetime = BEGUN) -> FileHold:
    """The hold that a golden file is the file of."""
    return FileHold(root, ENDPOINT, "golden", "netcup", False, warnings.append, lambda: now)


def hold_said(hold: FileHold) -> str:
    """What a run without a terminal hears of it."""
    try:
        hold.check()
    except MailauthError as error:
        return told(error)
    return "nothing is held"


# --- Rotations ------------------------------------------------------------------------------------


def read_book(account: Path, domain: str) -> Book:
    """A domain's book of rotations."""
    return state.read_book(account / rotation.FOLDER, domain)


def book_again(account: Path, book: Book) -> bytes:
    """A book written."""
    state.write_book(account / rotation.FOLDER, book)
    return (account / rotation.FOLDER / f"{book.domain}.json").read_bytes()


def make_books(old: str, new: str) -> dict[str, Book]:
    """Books of every phase and shape; ``old`` and ``new`` are DKIM records."""
    begun = Rotation(
        "example.com",
        "example.com",
        "mailcow at mail.example.com",
        Side("dkim", old),
        Side("s2026-11a"),
        started=SINCE,
        clock=SINCE,
        grace=604800.0,
    )
    made = replace(begun, new=Side("s2026-11a", new), clock=SINCE + 5.5)
    watch = Watch({"ns1 (192.0.2.1)": SINCE, "ns2 (192.0.2.2)": SINCE + 1}, (SINCE, SINCE + 60), 60)
    empty = Book("example.com")
    seen = empty.seeing(begun.old.key, SINCE) if begun.old.key else empty
    up = Uptime("5f2a64f0-0000-4000-8000-000000000001", 12345.25)
    return {
        "empty": empty,
        "making": empty.opened(begun),
        "publishing": seen.opened(replace(made, phase=Phase.PUBLISHING)),
        "waiting": seen.opened(replace(made, phase=Phase.WAITING, watch=watch, up=up)),
        "switching": seen.opened(replace(made, phase=Phase.SWITCHING, watch=watch)),
        "grace": seen.opened(replace(made, up=up).switched(SINCE + 900)),
        "retiring": seen.opened(replace(made, phase=Phase.RETIRING, revoke=True, since=SINCE)),
        "aborted": seen.opened(replace(made, phase=Phase.GRACE, aborted=True)),
        "closed": seen.opened(made).closed(),
        "below": Book("intern.example.com").opened(
            replace(begun, domain="intern.example.com", signer="the command /usr/bin/sign")
        ),
    }


# --- Who holds the lock ---------------------------------------------------------------------------


def lock_said(folder: Path) -> str:
    """What a run hears that finds the account locked, with this ``writer.txt`` in its folder."""
    with FileLock(folder / "writer.lock"):
        try:
            with writer_lock(folder, timeout=0):
                return "it was not locked"
        except LockError as error:
            return told(error)


def lock_note(folder: Path) -> str:
    """What a run that holds the lock has written there."""
    with writer_lock(folder):
        return (folder / "writer.txt").read_text()


# --- Settings -------------------------------------------------------------------------------------


def credentials_again(path: Path) -> bytes:
    """A ``credentials.toml`` read and written."""
    again = path.parent / "again" / path.name
    credentials.save_kept(again, credentials.load_kept(path))
    return again.read_bytes()


def make_credentials(path: Path, values: dict[str, str]) -> bytes:
    """What ``auth`` keeps of these."""
    credentials.save_kept(path, {name: SecretStr(value) for name, value in values.items()})
    return path.read_bytes()


def credentials_read(path: Path) -> str:
    """What was read from it."""
    found = credentials.load_kept(path)
    return json.dumps({name: value.get_secret_value() for name, value in found.items()}, indent=1)


def config_read(path: Path) -> str:
    """What was read from a config that was named, or that lies in the current folder."""
    loaded = config.load(path if path.name != files.CONFIG_NAME else None, {})
    document = {"trusted": loaded.trusted, **loaded.config.model_dump(mode="json")}
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"

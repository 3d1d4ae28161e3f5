"""``--metrics-file``: what a run came to, in a file for a monitor, however the run ended."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from netcup_mailauth import dkim, files
from netcup_mailauth.cli.output import settings, warn
from netcup_mailauth.cli.run import state_folders
from netcup_mailauth.errors import ExitCode, MailauthError
from netcup_mailauth.render.metrics import Run, last_success, metrics_text
from netcup_mailauth.rotation import FOLDER
from netcup_mailauth.rotation.begin import signing_since
from netcup_mailauth.rotation.state import Book, read_book
from netcup_mailauth.state.journal import Journals, Mark

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from netcup_mailauth.render.metrics import DomainOutcome

MOST_READ = 64 * 1024
"""Bytes of an earlier file that are looked at; what is looked for stands at its beginning."""


def begin(path: Path) -> None:
    """Have it written to a file how this run ends.

    Raises:
        UsageError: no file can be written there.
    """
    files.check_target(path)
    settings().metrics_file = path


def record(outcomes: Iterable[DomainOutcome]) -> None:
    """Note how domains ended; without ``--metrics-file`` nothing is done, nor looked at.

    Of a domain that is noted twice the later outcome counts. Give a generator, so that nothing
    has to be worked out in vain.
    """
    if settings().metrics_file is not None:
        settings().outcomes.update((outcome.domain, outcome) for outcome in outcomes)


def write(code: int) -> None:
    """Write the file. If that fails there is a warning; the exit code stays the run's own.

    A run that has put the records right has done its job. The monitor sees by the time in the old
    file that there is no new one.
    """
    now = settings()
    path, outcomes = now.metrics_file, tuple(now.outcomes.values())
    assert path is not None
    run = Run(
        now.command,
        ExitCode(code),
        time.time(),
        time.monotonic() - now.begun,
        outcomes,
        key_since(outcomes),
        last_success(_earlier(path), now.command),
    )
    try:
        # The monitor runs as another user.
        files.write_readable(path, metrics_text(run))
    except OSError as error:
        warn(f"the metrics could not be written to {path}: {error.strerror or error}.")


def key_since(outcomes: Iterable[DomainOutcome]) -> dict[tuple[str, str], float]:
    """Since when each published DKIM key is known: from what was written here, never from DNS."""
    found: dict[tuple[str, str], float] = {}
    with suppress(MailauthError):  # no state folder, so nothing is remembered
        journals = _journals()
        for outcome in outcomes:
            for selector, text in outcome.keys.items():
                since = _since(journals, outcome.domain, text)
                if since is not None:
                    found[outcome.domain, selector] = since
    return found


def _since(journals: Journals, domain: str, text: str) -> float | None:
    try:
        key = dkim.parse(text).key
    except MailauthError:
        return None  # a record that receivers cannot use either
    if key is None:
        return None
    verified = [entry for entry in journals.entries(domain) if entry.mark is Mark.VERIFIED]
    known = [signing_since(key, Book(domain), verified)]
    for journal in journals.journals:
        with suppress(MailauthError):  # its rotation says so itself
            known.append(signing_since(key, read_book(journal.folder / FOLDER, domain), ()))
    return min((since for since in known if since is not None), default=None)


def _journals() -> Journals:
    return Journals.below(state_folders())


def _earlier(path: Path) -> str:
    """The beginning of the file as an earlier run left it."""
    try:
        with files.open_regular(path, follow=False) as file:
            return file.read(MOST_READ).decode("utf-8", "replace")
    except OSError:
        return ""

"""``--metrics-file``: what a run came to, in a file for a monitor, however the run ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from netcup_mailauth import files
from netcup_mailauth.cli.common import warn
from netcup_mailauth.errors import ExitCode, MailauthError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netcup_mailauth.render.metrics import DomainOutcome
    from netcup_mailauth.state.journal import Journals

Command = TypeVar("Command", bound=Callable[..., Any])

MOST_READ = 64 * 1024
"""Bytes of an earlier file that are looked at; what is looked for stands at its beginning."""


def metrics_option(command: Command) -> Command:
    """``--metrics-file``, and the writing of it when the command has ended.

    The command itself does not get the option; it calls :func:`record` for each domain.
    """

    @click.option(
        "--metrics-file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Write how the run ended to this file, for Prometheus (node_exporter: NAME.prom).",
    )
    @wraps(command)
    def measured(*arguments: Any, metrics_file: Path | None, **options: Any) -> int:
        if metrics_file is None:
            return int(command(*arguments, **options))
        files.check_target(metrics_file)  # before anything is asked
        context = click.get_current_context()
        recorder = context.meta[_KEY] = Recorder(context.command.name or "", metrics_file)
        try:
            code = int(command(*arguments, **options))
        except BaseException as error:
            recorder.write(exit_code_of(error))
            raise
        recorder.write(ExitCode(code))
        return code

    return cast("Command", measured)


_KEY = "netcup_mailauth.metrics"
"""Where the recorder lies in click's context."""


def record(outcomes: Iterable[DomainOutcome]) -> None:
    """Note how domains ended; without ``--metrics-file`` nothing is done, nor looked at.

    Of a domain that is noted twice the later outcome counts. Give a generator, so that nothing
    has to be worked out in vain.
    """
    context = click.get_current_context(silent=True)
    recorder: Recorder | None = context.meta.get(_KEY) if context else None
    if recorder is not None:
        for outcome in outcomes:
            recorder.outcomes[outcome.domain] = outcome


def exit_code_of(error: BaseException) -> ExitCode:
    """The exit code of a run that ends with this error, as ``main`` returns it."""
    match error:
        case MailauthError():
            return error.exit_code
        case click.ClickException():
            return ExitCode.USAGE
        case KeyboardInterrupt() | click.Abort():
            return ExitCode.INTERRUPTED
    return ExitCode.ERROR


class Recorder:
    """What is known of the run so far, and the file it goes to.

    Args:
        command: the command's name.
        path: the file.
    """

    def __init__(self, command: str, path: Path) -> None:
        self.outcomes: dict[str, DomainOutcome] = {}
        self._command = command
        self._path = path
        self._begun = time.monotonic()

    def write(self, code: ExitCode) -> None:
        """Write the file. If that fails there is a warning; the exit code stays the run's own.

        A run that has put the records right has done its job. The monitor sees by the time in the
        old file that there is no new one.
        """
        from netcup_mailauth.render.metrics import Run, last_success, metrics_text

        run = Run(
            self._command,
            code,
            time.time(),
            time.monotonic() - self._begun,
            tuple(self.outcomes.values()),
            key_since(self.outcomes.values()),
            last_success(_earlier(self._path), self._command),
        )
        try:
            # The monitor runs as another user.
            files.write_readable(self._path, metrics_text(run))
        except OSError as error:
            warn(f"the metrics could not be written to {self._path}: {error.strerror or error}.")


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
    from netcup_mailauth import dkim
    from netcup_mailauth.rotation.run import signing_since
    from netcup_mailauth.rotation.state import FOLDER, Book, read_book
    from netcup_mailauth.state.journal import Mark

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
    from netcup_mailauth.cli.apis import state_folders
    from netcup_mailauth.state.journal import Journals

    return Journals.below(state_folders())


def _earlier(path: Path) -> str:
    """The beginning of the file as an earlier run left it."""
    try:
        with files.open_regular(path, follow=False) as file:
            return file.read(MOST_READ).decode("utf-8", "replace")
    except OSError:
        return ""

"""What is said and asked on the terminal, and what becomes of all that is printed.

The result goes to stdout, everything else to stderr. A terminal of a small encoding, a full disk or
a reader that has gone must not end a run between its write and the journal. So printing never
fails; that something was not printed is kept in mind, and told by the exit code when the run has
done what it was asked for.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

import click

from netcup_mailauth.errors import MailauthError, UsageError
from netcup_mailauth.shown import laid_out, visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from netcup_mailauth.plan import Failure
    from netcup_mailauth.render.metrics import DomainOutcome


COMPLETE = "_NETCUP_MAILAUTH_COMPLETE"
"""The variable in which a shell asks what could come next; nothing is said then."""


class Settings:
    """The command line of this run, as far as more than the command itself has to know it.

    Attributes:
        begun: when the run began, by the monotonic clock.
        options: those of the command, by the names of its parameters.
        record: where the exchange with netcup is kept, for a report.
        recording: whether a run has begun to keep it.
        metrics_file: where is written how the run ended.
        outcomes: how each domain ended, for that file.
    """

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.command = ""
        self.options: dict[str, Any] = {}
        self.config: Path | None = None
        self.verbose = False
        self.quiet = False
        self.color = "auto"
        self.record: Path | None = None
        self.recording = False
        self.metrics_file: Path | None = None
        self.outcomes: dict[str, DomainOutcome] = {}


_settings = [Settings()]


def settings() -> Settings:
    """The command line of this run."""
    return _settings[0]


def begin() -> None:
    """Forget an earlier command line in this process, and what was drawn then."""
    _settings[0] = Settings()
    _drawn.clear()


def say(message: str, indent: str = "") -> None:
    """Tell the user something that is not the result: stderr, one line, whatever is in it.

    A terminal gets it wrapped, but for what is to be copied: that begins with two blanks, as in an
    advice, and stays in one piece.
    """
    _make_room()
    shown = visible(message)
    lines = [shown]
    if sys.stderr.isatty() and not message.startswith("  "):
        from netcup_mailauth.render.page import wrap

        lines = wrap(shown, width(sys.stderr) - len(indent))
    for line in lines:
        click.echo(f"{indent}{line}", err=True)


def advise(advice: str) -> None:
    """Say what to do, below what happened."""
    for line in advice.splitlines():
        say(line, "  ")


def warn(message: str) -> None:
    """Tell the user of something odd that does not stop the run."""
    say(f"netcup-mailauth: warning: {message}")


def complain(domain: str, failure: Failure, output_format: str) -> None:
    """Say on stderr why a domain failed, unless a document says it in the very same place.

    As text, the result on stdout says only that it failed; that it was not tried is all there is.
    """
    from netcup_mailauth.plan import Status

    bare = output_format == "text" and failure.message != Status.NOT_TRIED
    if bare or not _is_one_log():
        named = failure.message.startswith(domain)
        say(f"netcup-mailauth: {'' if named else f'{domain}: '}{failure.message}")
        advise(failure.advice)


def _is_one_log() -> bool:
    """Whether stdout and stderr are one terminal, pipe or file."""
    try:
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError):
        return False


def show(text: str, *, err: bool = False) -> None:
    """Print what is laid out already, in as many lines as it has: the result, on stdout."""
    _make_room()
    colour = use_colour(sys.stderr if err else sys.stdout)
    click.echo(laid_out(text, coloured=use_colour()), err=err, nl=False, color=colour)


def show_sentence(text: str, lead: str = "", *, err: bool = False) -> None:
    """Print a sentence of the result, one line whatever is in it; a terminal gets it wrapped.

    ``lead`` are blanks that stand before it.
    """
    stream, shown = sys.stderr if err else sys.stdout, visible(text)
    lines = [f"{lead}{shown}"]
    if stream.isatty():
        from netcup_mailauth.render.page import Page

        lines = Page(width(stream)).hang(lead, shown, 2)
    show("".join(f"{line}\n" for line in lines), err=err)


def use_colour(stream: Any = None) -> bool:
    """Whether to colour, by option, NO_COLOR, FORCE_COLOR, or what the stream is."""
    choice = settings().color
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return bool((stream or sys.stdout).isatty()) and os.environ.get("TERM") != "dumb"


def width(stream: Any = None) -> int:
    """Columns to lay text out for, on stdout or another stream."""
    return max(60, min(_columns(stream or sys.stdout, 100), 120))


def _columns(stream: Any, otherwise: int) -> int:
    """The columns of a terminal, unless COLUMNS says how many; of anything else ``otherwise``."""
    if not os.environ.get("COLUMNS"):
        with suppress(OSError, ValueError):  # it is no terminal
            return os.get_terminal_size(stream.fileno()).columns
    return shutil.get_terminal_size((otherwise, 24)).columns


# What is asked


def attended() -> bool:
    """Whether somebody sits at a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


def check_attended(advice: str) -> None:
    """Raise :class:`UsageError` if somebody is to be asked, and nobody sits there."""
    if not attended():
        what = "There is no terminal to ask on, and no --yes; nothing was written."
        raise UsageError(what, advice)


class Unanswered(click.Abort):
    """Ctrl-C at a question: what it is about was not written."""


YES = ("y", "yes", "j", "ja")
"""What may be typed for a yes, in either case: most who keep a zone at netcup say "ja"."""

ANSWERS = {**dict.fromkeys(YES, True), **dict.fromkeys(("", "n", "no", "nein"), False)}
"""What may be typed at a question, likewise."""


def confirmed(question: str) -> bool:
    """Ask a question, below what was shown; Enter and Ctrl-D are no.

    Raises:
        StdoutClosedError: nobody can see it, or what it is about.
        Unanswered: it was interrupted.
    """
    say("")
    check_seen()
    while (answer := _answered(f"{question} [y/N]")) not in ANSWERS:
        say(f"{answer!r} is neither: y (or j) is yes, n or Enter is no.")
    return ANSWERS[answer]


def _answered(question: str) -> str:
    """What was typed in answer, in lower case; nothing at the end of the input."""
    try:
        return typed(question).strip().lower()
    except click.Abort as abort:
        # click makes one error of both.
        if isinstance(abort.__context__, EOFError):
            return ""
        raise Unanswered from None


def typed(what: str, default: str = "") -> str:
    """Ask for a text at the terminal, below what was shown; empty if there was no answer."""
    _make_room()
    try:
        answer = click.prompt(visible(what), default=default, show_default=bool(default), err=True)
    except click.Abort:
        click.echo(err=True)  # what is said next begins a line of its own
        raise
    return str(answer)


def typed_unseen(what: str) -> str:
    """Ask for a secret at the terminal, which does not show it; empty if there was no answer."""
    _make_room()
    prompt = visible(what)
    answer = click.prompt(prompt, default="", hide_input=True, show_default=False, err=True)
    return str(answer)


# A line that changes


class Line:
    """A line of a terminal that changes; nothing elsewhere, nor in a quiet run.

    What is said meanwhile wipes it away first.
    """

    def __init__(self) -> None:
        terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self.live = terminal and not settings().quiet
        self._shown = 0

    @property
    def room(self) -> int:
        """Columns there are for it now."""
        return _columns(sys.stderr, 80) - 1

    def draw(self, text: str) -> None:
        """Show ``text``, as far as there is room, in place of what is shown."""
        if self.live:
            self._write(text if len(text) <= self.room else f"{text[: self.room - 1]}…")

    def wipe(self) -> None:
        """Have nothing shown, so that something else can be printed."""
        if self._shown:
            self._write("")

    def _write(self, text: str) -> None:
        """A shorter text leaves nothing of the longer one behind."""
        sys.stderr.write(f"\r{text:<{self._shown}}\r{text}")
        sys.stderr.flush()
        self._shown = len(text)
        _drawn[:] = [self] if text else []


_drawn: list[Line] = []
"""The line that is shown, while there is one."""


def _make_room() -> None:
    for line in list(_drawn):
        line.wipe()


MANY = 20
"""Domains from which on a terminal shows how far a run has come."""


class Progress:
    """How far a run over ``total`` domains has come, on a line that changes."""

    def __init__(self, total: int) -> None:
        self._line = Line()
        self._total = total
        self._done = 0

    def __enter__(self) -> Progress:
        self._draw()
        return self

    def __exit__(self, *_: object) -> None:
        self._line.wipe()

    def step(self) -> None:
        """One more domain is done."""
        self._done += 1
        self._draw()

    def _draw(self) -> None:
        if self._line.live and self._total >= MANY:
            counted = f" {self._done} of {self._total}"
            room = max(10, min(40, self._line.room - len(counted) - 2))
            filled = room * self._done // self._total
            self._line.draw(f"[{'#' * filled}{'.' * (room - filled)}]{counted}")


# What is printed


class StdoutClosedError(MailauthError):
    """Nothing more can be said on stdout: whoever reads it has gone, or there is no room."""


class Outlet(io.TextIOBase):
    """A standard stream to which everything can be printed.

    Attributes:
        lost: why something was not printed; empty as long as all was.

    Args:
        stream: the stream proper; ``None`` for a file that was closed when the run began.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.lost = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """See io."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """See io; a character that cannot be shown is written out."""
        return "backslashreplace"

    def write(self, text: str) -> int:
        """Print text, as far as that is possible."""
        if self._stream is None:
            self.lost = "it was closed"
        elif not self.lost:
            # A line that is drawn anew begins with a carriage return.
            shown = "\r".join(laid_out(part, coloured=True) for part in text.split("\r"))
            try:
                self._stream.write(shown.encode(self.encoding, self.errors).decode(self.encoding))
            except (OSError, ValueError) as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Print what is not printed yet, as far as that is possible."""
        if self._stream is not None and not self.lost:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._lose(error)

    def _lose(self, error: OSError | ValueError) -> None:
        self.lost = getattr(error, "strerror", None) or "it was closed"
        # Python flushes it once more as it exits, and would end with a code of its own.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())

    def writable(self) -> bool:
        """See io."""
        return True

    def isatty(self) -> bool:
        """See io."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """See io."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()


@contextmanager
def outlets() -> Iterator[None]:
    """Print through outlets, as long as a run lasts."""
    _open_what_is_closed()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", Outlet(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


def _open_what_is_closed() -> None:
    """Else the next file that is opened, such as the journal, would be stdin, stdout or stderr."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - it has no path


def check_printed() -> None:
    """Make sure that all there was to print on stdout is printed.

    Raises:
        StdoutClosedError: it is not.
    """
    sys.stdout.flush()
    _check(sys.stdout, "stdout")


def check_seen() -> None:
    """Make sure, before a question, that whoever is asked could see what it is about.

    Raises:
        StdoutClosedError: they could not.
    """
    check_printed()
    _check(sys.stderr, "stderr")


def _check(stream: TextIO, name: str) -> None:
    if lost := getattr(stream, "lost", ""):
        raise StdoutClosedError(f"Not everything could be printed to {name}: {lost}.")

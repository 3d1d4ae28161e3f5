"""What becomes of all that is printed: it is made fit to be looked at, and no run ends for it.

A terminal of a small encoding, a full disk or a reader that has gone must not end a run between
its write and the journal. So printing never fails; that something was not printed is kept in mind,
and told by the exit code when the run has done what it was asked for.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO, cast

from netcup_mailauth.errors import MailauthError
from netcup_mailauth.records import laid_out

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_MARKDOWN = 60_000
"""Characters; what is longer no forge takes as a comment."""


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
        raise StdoutClosedError(f"{name} was closed before everything was printed ({lost}).")

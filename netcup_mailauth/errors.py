"""What can go wrong, said in two sentences: what happened, and what to do next.

Every error the program raises on purpose is a :class:`MailauthError`. Its class carries the
exit code of the command, so that no caller has to translate. The text never holds a secret.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.findings import Finding


class ExitCode(IntEnum):
    """What the process returns; scripts rely on these numbers."""

    OK = 0
    ERROR = 1
    USAGE = 2
    CHANGES_PENDING = 3
    CREDENTIALS = 4
    ZONE = 5
    REFUSED = 6
    STALE = 7
    UNVERIFIED = 8
    NOT_YET = 9
    WAIT = 10
    INTERRUPTED = 130


WORST_FIRST = (
    ExitCode.INTERRUPTED,
    ExitCode.UNVERIFIED,
    ExitCode.CREDENTIALS,
    ExitCode.WAIT,
    ExitCode.REFUSED,
    ExitCode.STALE,
    ExitCode.ZONE,
    ExitCode.ERROR,
    ExitCode.USAGE,
    ExitCode.NOT_YET,
    ExitCode.CHANGES_PENDING,
    ExitCode.OK,
)
"""The order in which a run over several domains picks its one exit code."""


def worst(codes: list[ExitCode]) -> ExitCode:
    """The exit code of a run whose parts ended with ``codes``; ``OK`` for none."""
    return min(codes, key=WORST_FIRST.index, default=ExitCode.OK)


class MailauthError(Exception):
    """Base of all errors raised on purpose.

    Attributes:
        what: one sentence of what happened, with the value it happened to; also ``str(error)``.
        advice: what to do next; empty where nothing is known. An indented line is one to copy.
        exit_code: what the command exits with for it.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.ERROR
    ends_run: ClassVar[bool] = False
    """Whether the domains still to come are not tried, because more calls would do harm."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice

    def __reduce__(self) -> tuple[object, ...]:
        """Let it pass from one process to another, whatever its class is made from."""
        return _as_it_was, (type(self), self.args, self.__dict__)

    @property
    def sentences(self) -> str:
        """Both in one line, with a full stop between them."""
        what = self.what if self.what.endswith((".", "!", "?", ":")) else f"{self.what}."
        return f"{what} {self.advice}" if self.advice else self.what


def _as_it_was(
    family: type[MailauthError], args: tuple[object, ...], held: dict[str, object]
) -> MailauthError:
    error = family.__new__(family, *args)
    error.__dict__.update(held)
    return error


class UsageError(MailauthError):
    """What is asked for cannot be done: an argument is wrong, or arguments do not go together."""

    exit_code = ExitCode.USAGE


class ConfigError(UsageError):
    """A config file is wrong. ``problems`` holds one line for each mistake in it."""

    def __init__(self, what: str, problems: list[str], advice: str = "") -> None:
        super().__init__("\n".join([what, *(f"  {problem}" for problem in problems)]), advice)
        self.problems = problems


class RecordError(UsageError):
    """A text that should be an SPF, DKIM or DMARC record is not one."""


class KeySourceError(UsageError):
    """A DKIM key could not be read from where it was said to be."""


class CredentialsError(MailauthError):
    """Credentials are missing, of the wrong sort, or were refused."""

    exit_code = ExitCode.CREDENTIALS
    ends_run = True


class ZoneError(MailauthError):
    """The zone is not in this account, or not on this API."""

    exit_code = ExitCode.ZONE


class NotServedError(ZoneError):
    """The CCP API does not serve the zone to this account: it is elsewhere, or of another one.

    ``said`` is netcup's answer, code and words.
    """

    def __init__(self, what: str, advice: str, said: str) -> None:
        super().__init__(what, advice)
        self.said = said


class UnknownZoneError(ZoneError):
    """DNS does not say where a domain's zone is: it may be in this account all the same."""


class ApiError(MailauthError):
    """An API answered with an error, with something that is no answer, or not at all."""


class TransportError(ApiError):
    """No usable answer came back.

    ``sent`` is false when the request provably never left this machine, so that sending it again
    cannot double anything. ``passing`` is false when asking again would only fail again.
    """

    def __init__(
        self, what: str, advice: str = "", *, sent: bool = True, passing: bool = True
    ) -> None:
        super().__init__(what, advice)
        self.sent = sent
        self.passing = passing


class WriteNotProcessedError(ApiError):
    """A write provably changed nothing: the session was dead, or no connection stood."""


class WaitError(MailauthError):
    """The API wants to be left alone for a while: a rate limit or a lock-out."""

    exit_code = ExitCode.WAIT
    ends_run = True


class RefusedError(MailauthError):
    """The guard does not let this change pass; nothing was written.

    Attributes:
        findings: those that hold it back, each a `Finding`; empty where an API refused the write.
    """

    exit_code = ExitCode.REFUSED

    def __init__(self, what: str, advice: str = "", findings: Sequence[Finding] = ()) -> None:
        super().__init__(what, advice)
        self.findings = tuple(findings)


class StaleError(MailauthError):
    """The zone is no longer what the plan was made from."""

    exit_code = ExitCode.STALE


class UnverifiedError(MailauthError):
    """A write went out, and the zone was not found to be as planned afterwards."""

    exit_code = ExitCode.UNVERIFIED


class LockError(MailauthError):
    """Another run on this machine is writing with the same account."""


_OF_EXIT_CODE: dict[ExitCode, type[MailauthError]] = {
    ExitCode.ERROR: ApiError,
    ExitCode.USAGE: UsageError,
    ExitCode.CREDENTIALS: CredentialsError,
    ExitCode.ZONE: ZoneError,
    ExitCode.REFUSED: RefusedError,
    ExitCode.STALE: StaleError,
    ExitCode.UNVERIFIED: UnverifiedError,
    ExitCode.WAIT: WaitError,
}


def error_of(exit_code: ExitCode, what: str, advice: str) -> MailauthError:
    """An error of the family whose exit code this is."""
    return _OF_EXIT_CODE.get(exit_code, MailauthError)(what, advice)

"""What a run did to each domain, and the exit code that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from netcup_mailauth.errors import ExitCode, worst

if TYPE_CHECKING:
    from netcup_mailauth.errors import MailauthError
    from netcup_mailauth.plan import ChangeSet, Failure


class Status(StrEnum):
    """How the work on one domain ended."""

    UNCHANGED = "unchanged"  # there was nothing to do
    APPLIED = "applied"  # written and verified
    LOST = "lost"  # written and read back, and other records of the zone are gone since
    ALREADY = "already"  # somebody else had made the same change
    REFUSED = "refused"  # the guard said no
    STALE = "stale"  # the zone changed since the plan; nothing was written
    FAILED = "failed"  # an error; nothing was written
    UNKNOWN = "unknown"  # a write went out and could not be verified
    NOT_TRIED = "not tried"  # the run ended before this domain's turn


@dataclass(frozen=True, slots=True)
class Result:
    """How one domain ended.

    Attributes:
        change_set: what was to be done.
        status: what came of it.
        failure: why it did not work.
        notes: sentences for the user, such as a rival's change.
        ended_by: an error of the write after which more calls would do harm, such as a lock-out.
    """

    change_set: ChangeSet
    status: Status
    failure: Failure | None = None
    notes: tuple[str, ...] = ()
    ended_by: MailauthError | None = None

    @property
    def exit_code(self) -> ExitCode:
        """This domain's part in the exit code of the run."""
        return self.failure.exit_code if self.failure else ExitCode.OK


@dataclass(frozen=True, slots=True)
class RunResult:
    """The results of one run of ``apply``, in the order of the domains."""

    results: tuple[Result, ...]

    @property
    def exit_code(self) -> ExitCode:
        """The worst of the domains' exit codes."""
        return worst([result.exit_code for result in self.results])

    def count(self, status: Status) -> int:
        """How many domains ended like this."""
        return sum(result.status is status for result in self.results)

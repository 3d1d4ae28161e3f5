"""The errors of one run, which ends before netcup locks the account."""

from __future__ import annotations

from itertools import count

from netcup_mailauth.errors import MailauthError, WaitError

ERRORS_ALLOWED = 10
"""API errors in one run after which it ends: many errors in a row lock the account. Where
netcup's own threshold lies is unknown (fact 1.10); this is a guess on the safe side."""


class ErrorCount:
    """Counts the API errors of a run."""

    def __init__(self) -> None:
        self._numbers = count(1)  # whose next is never given to two jobs

    def counted(self, error: MailauthError) -> MailauthError:
        """The error to raise: this one, or the one that ends the run."""
        number = next(self._numbers)
        if number < ERRORS_ALLOWED or isinstance(error, WaitError):
            return error
        return WaitError(
            f"netcup has answered {number} calls of this run with an error; the last one: "
            f"{error.what}",
            "The run ends here, because more errors lock the account. Correct the list of domains.",
        )

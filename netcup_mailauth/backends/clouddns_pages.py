"""A list that comes in pages, read whole or not at all: a record that is missed gets doubled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

PER_PAGE = 100
"""Entries to ask for. Confidence: M; any other number is taken too."""

FULL = 50
"""Entries from which on a page may be a full one, if nothing is said about pages: what netcup gives
where no number is asked for. Confidence: M (fact 2.2)."""

MOST_PAGES = 200


@dataclass(frozen=True, slots=True)
class Page:
    """One page; ``last_page`` and ``total`` are ``None`` where the API does not say."""

    entries: list[object]
    last_page: int | None = None
    total: int | None = None

    def is_last(self, number: int) -> bool:
        """Whether no page follows this one, the ``number``-th.

        Where the API does not say, a page that may be full leaves a doubt: the number asked for
        need not be the number it gives.
        """
        if self.last_page is None:
            return len(self.entries) < FULL
        return number >= self.last_page


def collect(what: str, ask: Callable[[int], Page | None]) -> list[object]:
    """Every entry of a list.

    Args:
        what: the list, in words.
        ask: gets a page by its number, from 1; ``None`` stands for one past the end.

    Raises:
        ApiError: the pages do not make a whole.
    """
    entries: list[object] = []
    before: Page | None = None
    for number in range(1, MOST_PAGES + 1):
        page = ask(number)
        if page is None or not page.entries:
            return _whole(what, entries, before or page, number - 1)
        if before is not None and page.entries == before.entries:
            if page.last_page is None:
                return entries  # it knows no pages, and gives everything each time
            raise _broken(f"netcup gives one page of {what} twice, as page {number} too.")
        entries += page.entries
        before = page
        if page.is_last(number):
            return _whole(what, entries, page, number)
    raise _broken(f"netcup's list of {what} does not end after {MOST_PAGES} pages.")


def _whole(what: str, entries: list[object], last: Page | None, pages: int) -> list[object]:
    """The entries, if neither their number nor that of the pages says that some are missing."""
    if last is not None and last.total is not None and len(entries) < last.total:
        raise _broken(f"netcup gave {len(entries)} of {last.total} entries of {what}.")
    if last is not None and last.last_page is not None and max(pages, 1) < last.last_page:
        raise _broken(f"netcup gave {pages} of {last.last_page} pages of {what}.")
    return entries


def _broken(what: str) -> ApiError:
    return ApiError(
        what,
        "Nothing was taken from it. Run the same command again; if it comes "
        "again, please report it.",
    )

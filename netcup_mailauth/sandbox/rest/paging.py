"""Lists by pages (R10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.rest_answers import (
    NO_RESULTS,
    RefusedError,
    RestAnswer,
    invalid,
    not_found,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_PER_PAGE = 100  # (guess) 100 was seen to be asked for


def page_of(items: Sequence[object], query: Mapping[str, str], per_page: int) -> RestAnswer:
    """One page of a list, with how many there are.

    Args:
        items: the whole list.
        query: perhaps with `page` and `perPage`.
        per_page: how many a page holds where the query does not say.

    Raises:
        RefusedError: there is no such page, not even the first of an empty list.
    """
    page = _number(query, "page", 1)
    size = min(_number(query, "perPage", per_page), _MOST_PER_PAGE)
    shown = items[(page - 1) * size : page * size]
    if not shown:
        raise RefusedError(not_found(NO_RESULTS))
    pagination = {
        "page": page,
        "perPage": size,
        "totalEntries": len(items),
        "lastPage": -(-len(items) // size),
    }
    return RestAnswer(200, list(shown), pagination=pagination)


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise invalid(f"{name} must be a positive number.")
    return int(text)

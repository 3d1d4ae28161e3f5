"""Looks for secrets in an exception and in everything that hangs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable


def everything_in(error: BaseException) -> str:
    """Texts, arguments and attributes of an error, its causes and its contexts."""
    seen: list[BaseException] = []
    queue: list[object] = [error]
    shown = []
    while queue:
        item = queue.pop()
        if not isinstance(item, BaseException):
            shown.append(repr(item))
        elif item not in seen:
            seen.append(item)
            shown += [str(item), repr(item), *getattr(item, "__notes__", ())]
            if isinstance(item, ValidationError):
                shown.append(repr(item.errors()))
            # JSONDecodeError.doc and UnicodeDecodeError.object hold all that was read.
            more = [getattr(item, name, None) for name in ("doc", "object", "request", "response")]
            queue += [*item.args, *vars(item).values(), item.__cause__, item.__context__, *more]
    return "\n".join(shown)


def leaks(error: BaseException, canaries: Iterable[str]) -> list[str]:
    """The canaries that can be found in an error."""
    text = everything_in(error)
    return [canary for canary in canaries if canary in text]

"""What an API of netcup's says: how it is read, and how it is made fit to show.

Shown, it has none of our secrets in it, is printable, and not endless; of what fits nothing known
there are the fields and types, and no values.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, ConfigDict

from netcup_mailauth import shown
from netcup_mailauth.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import SecretStr

WIRE = ConfigDict(
    extra="ignore", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True
)
"""Of every shape that is received. An error must never show what came: there may be a session id in
it, or a key. Numbers are taken as text: netcup documents integers and sends strings, and here one
and there the other for the same identifier."""


def _text_or_empty(value: object) -> object:
    return "" if value is None else value


OptionalText = Annotated[str, BeforeValidator(_text_or_empty)]

NOTHING_TAKEN = (
    "Nothing was taken from it. Run the same command again; if it comes again, please report it."
)
"""What to do about an answer that cannot be believed."""

LONGEST_WORDS = 2_000
"""Characters of an API's own words that are shown."""

DEEPEST = 5
MOST_FIELDS = 20
LONGEST_SHAPE = 600
LONGEST_NAME = 30
"""How much of an unknown answer is described."""


def masked(text: str, secrets: Iterable[SecretStr]) -> str:
    """``text`` in one line, with the secrets masked and control characters written out."""
    words = shown.visible(" ".join(shown.masked(text, secrets).split()))
    return words if len(words) <= LONGEST_WORDS else f"{words[:LONGEST_WORDS]}..."


def foreign_record(zone: str, name: str) -> ApiError:
    """A listing of a zone holds what cannot be of it, so none of it can be believed."""
    return ApiError(
        f"netcup lists {name!a} among the records of {zone}, where it cannot be: the answer is "
        "about another zone.",
        NOTHING_TAKEN,
    )


def shape(payload: object) -> str:
    """The fields and types of a JSON value, and none of its values, to be shown in a report.

    ``{"id": 7, "names": ["a", "b"]}`` becomes ``{id: int, names: [2 of str]}``. A field whose
    name is no plain word becomes ``?``, since it may be a value itself.
    """
    text = _shape(payload, DEEPEST)
    return text if len(text) <= LONGEST_SHAPE else f"{text[:LONGEST_SHAPE]}..."


def _shape(value: object, depth: int) -> str:
    match value:
        case None:
            return "null"
        case dict() if not depth:
            return "{...}"
        case dict():
            fields = [
                f"{_field(k)}: {_shape(v, depth - 1)}"
                for k, v in islice(value.items(), MOST_FIELDS)
            ]
            more = ", ..." if len(value) > MOST_FIELDS else ""
            return f"{{{', '.join(fields)}{more}}}"
        case list() if not depth:
            return "[...]"
        case list():
            kinds = dict.fromkeys(_shape(entry, depth - 1) for entry in islice(value, MOST_FIELDS))
            return f"[{len(value)} of {' | '.join(kinds)}]" if value else "[]"
        case _:
            return type(value).__name__


def _field(name: object) -> str:
    plain = isinstance(name, str) and name.isascii() and name.isidentifier()
    return str(name) if plain and len(str(name)) <= LONGEST_NAME else "?"

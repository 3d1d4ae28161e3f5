"""What a document or a config may say: strict shapes, and our own checks as their validators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from netcup_mailauth.errors import MailauthError

if TYPE_CHECKING:
    from collections.abc import Callable


class Shape(BaseModel):
    """What a part of a document may say: closed, unchangeable, silent about what it was given.

    Its validator is made when it is first used.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, strict=True, defer_build=True
    )


class OpenShape(Shape):
    """The same, where a later version may have written more, which is passed over."""

    model_config = ConfigDict(extra="ignore")


def sentences(*parts: str) -> str:
    """These sentences in one line, with full stops between them."""
    *before, last = (part.strip() for part in parts if part.strip())
    return " ".join([*(p if p.endswith((".", "!", "?", ":")) else f"{p}." for p in before), last])


def checked(check: Callable[[str], str]) -> AfterValidator:
    """A check of ours as a validator: both sentences of its error become the message."""

    def validate(text: str) -> str:
        try:
            return check(text)
        except MailauthError as error:
            problem = sentences(error.what, error.advice)
        # As a value, not as the template itself, which may not hold braces.
        raise PydanticCustomError("mailauth", "{problem}", {"problem": problem})

    return AfterValidator(validate)

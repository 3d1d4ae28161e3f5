"""What every table of the config is: closed, unchangeable, and read by checks of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from netcup_mailauth.errors import MailauthError

if TYPE_CHECKING:
    from collections.abc import Callable


class Table(BaseModel):
    """A table of the config: closed, unchangeable, silent about its input."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True)


def checked(check: Callable[[str], str]) -> AfterValidator:
    """A check of ours as a validator: both sentences of its error become the message."""

    def validate(text: str) -> str:
        try:
            return check(text)
        except MailauthError as error:
            problem = f"{error.what} {error.advice}".strip()
        # As a value, not as the template itself, which may not hold braces.
        raise PydanticCustomError("mailauth", "{problem}", {"problem": problem})

    return AfterValidator(validate)

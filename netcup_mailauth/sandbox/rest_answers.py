"""One answer of the REST API, the envelope it comes in (R2), and the errors that are known.

Codes and texts marked (guess) were never seen. Nothing may depend on them.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from netcup_mailauth.sandbox.http import Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_RESULTS = "No results found, the page number may be too high."
NO_RESULT = "No result was found."
BAD_NAME = "Domain name is not a valid domain name."
UNQUOTED = "TXT rdata must be enclosed in quotation marks"
LONG_STRING = "A character string of TXT rdata must not exceed 255 characters."  # (guess)
ONE_STRING = "TXT rdata must be one character string."  # (guess)
MIXED_TTLS = "Records of one name and type must have the same TTL."  # (guess)
IMMUTABLE = "The record is immutable."  # (guess)
CNAME_CONFLICT = "A CNAME record cannot stand beside other records."  # (guess)
NO_CHANGES = "The changeset is empty."  # (guess)

_BAD_KEY = "Authentication token is not valid or has expired."


@dataclass(frozen=True, slots=True)
class RestAnswer:
    """What the API says to one call; without a body where the status is 204."""

    status: int
    result: object = None
    errors: tuple[Mapping[str, str], ...] = ()
    pagination: Mapping[str, int] | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def reply(self) -> Reply:
        """The HTTP reply: the five keys of the envelope in the order that was seen (R2)."""
        if self.status == 204:
            return Reply(204, "", b"", self.headers)
        envelope = {
            "success": not self.errors,
            "errors": list(self.errors),
            "messages": [],
            "meta": None if self.pagination is None else {"pagination": self.pagination},
            "result": self.result,
        }
        return replace(json_reply(envelope, self.status), headers=self.headers)


class RefusedError(Exception):
    """A call that is answered with an error, wherever that was found out."""

    def __init__(self, answer: RestAnswer) -> None:
        super().__init__(answer.errors)
        self.answer = answer


def failure(status: int, code: str, message: str) -> RestAnswer:
    """An error with a real HTTP status."""
    return RestAnswer(status, errors=({"code": code, "message": message},))


def bad_key(status: int = 400) -> RestAnswer:
    """No key or a wrong one: 400, not 401 (R1); what the code of another status is: (guess)."""
    code = "authenticationError" if status == 400 else "unauthorized"
    return failure(status, code, _BAD_KEY)


def invalid(message: str) -> RefusedError:
    """Input that cannot be (R3), to be raised."""
    return RefusedError(failure(400, "validationError", message))


def not_found(message: str = NO_RESULT) -> RestAnswer:
    """Nothing there (R3, R7)."""
    return failure(404, "resourceDoesNotExist", message)


def wrong_method() -> RestAnswer:
    """A path that is called otherwise (guess)."""
    return failure(405, "methodNotAllowed", "The method is not allowed.")


def strict_miss(status: int) -> RestAnswer:
    """A strict changeset deletes what is not there (R9, guess)."""
    code = "recordDoesNotExist" if status == 422 else "validationError"
    return failure(status, code, "The record to delete does not exist.")


def too_many(retry_after: str | None) -> RestAnswer:
    """Too many calls (R16, guess)."""
    headers = () if retry_after is None else (("Retry-After", retry_after),)
    return replace(failure(429, "rateLimitExceeded", "Too many requests."), headers=headers)


def whole_seconds(seconds: float) -> str:
    """A time to wait as Retry-After holds it."""
    return str(math.ceil(seconds))


def read_object(body: bytes) -> dict[str, Any]:
    """The object a body holds.

    Raises:
        RefusedError: it holds none.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise invalid("The body is not valid JSON.") from None
    if not isinstance(data, dict):
        raise invalid("The body must be an object.")
    return data

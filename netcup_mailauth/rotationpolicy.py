"""What the config may say of key rotations: the table ``[rotation]``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from netcup_mailauth.documents import Shape, checked
from netcup_mailauth.rotation.durations import seconds


def span(text: str) -> str:
    """A span of time that a user gave, such as ``7d``.

    Raises:
        UsageError: it is none.
    """
    seconds(text)
    return text


Span = Annotated[str, checked(span)]


class RotationSettings(Shape):
    """How ``rotate`` waits, and what it hands keys to; each that is not given has its default.

    Attributes:
        rounds: how often every name server has to answer with a new key before it is used.
        between_rounds: the time from one such round to the next.
        negative_ttl: the time that caches may deny the new key; default: what the SOA says.
        grace: the time that the old key stays published after the switch.
        retry: the time until name servers that lag are asked again.
        signer_command: what is run, with the new private key on its standard input.
    """

    rounds: Annotated[int, Field(ge=1, le=20)] | None = None
    between_rounds: Span | None = None
    negative_ttl: Span | None = None
    grace: Span | None = None
    retry: Span | None = None
    signer_command: Annotated[list[str], Field(min_length=1)] | None = None

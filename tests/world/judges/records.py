"""The shapes of the corpus: records, what they must mean, and where a judge sees it otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Judge = Literal["pyspf", "Mail::SPF", "checkdmarc SPF", "dkimpy", "checkdmarc DMARC", "Mail::DMARC"]
Kind = Literal["SPF", "DKIM", "DMARC"]

KIND_OF: Final[dict[Judge, Kind]] = {
    "pyspf": "SPF",
    "Mail::SPF": "SPF",
    "checkdmarc SPF": "SPF",
    "dkimpy": "DKIM",
    "checkdmarc DMARC": "DMARC",
    "Mail::DMARC": "DMARC",
}
"""What each judge judges."""

CLIENTS: Final = {
    "mail": "192.0.2.25",
    "web": "192.0.2.80",
    "other": "198.51.100.7",
    "mail6": "2001:db8::25",
    "other6": "2001:db8:ffff::7",
}
"""Short names for the clients that send in the name of a domain."""

HOSTED: Final = """
@    A     192.0.2.80
@    AAAA  2001:db8::80
@    MX 10 mail
mail A     192.0.2.25
mail AAAA  2001:db8::25
"""
"""A domain with a web server and a mail server of its own."""


@dataclass(frozen=True, slots=True)
class Spf:
    """An SPF record as published at ``<name>.example``.

    Attributes:
        text: the record, a tuple if it is published in several strings.
        verdicts: what a receiver says, by client: ``"mail=pass other=softfail"``.
        zone: the rest of the domain, in zone-file form.
        also: further TXT texts at the same name.
        failing: names below the domain for which DNS answers SERVFAIL.
    """

    name: str
    text: str | tuple[str, ...]
    verdicts: str
    zone: str = HOSTED
    also: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        return f"{self.name}.example"

    @property
    def strings(self) -> tuple[str, ...]:
        return (self.text,) if isinstance(self.text, str) else self.text

    @property
    def joined(self) -> str:
        return "".join(self.strings)

    @property
    def clients(self) -> tuple[str, ...]:
        """The clients, by short name or address, in the order of the verdicts."""
        return tuple(verdict.partition("=")[0] for verdict in self.verdicts.split())


@dataclass(frozen=True, slots=True)
class Dkim:
    """A DKIM key record.

    Attributes:
        text: the record; ``{rsa2048}`` stands for that key's ``p``, see ``keys``.
        verdict: ``verifies``, ``other key``, ``revoked`` or ``unusable``, for a mail signed
            with ``signed_by``.
        signed_by: the key the mail is signed with.
    """

    name: str
    text: str
    verdict: Literal["verifies", "other key", "revoked", "unusable"]
    signed_by: str = "rsa2048"


@dataclass(frozen=True, slots=True)
class Dmarc:
    """A DMARC policy record at ``_dmarc.<name>.example``.

    Attributes:
        text: the record.
        reading: what a receiver takes from it, see ``reading`` in ``ours``; ``none`` for no
            DMARC at all.
        publish: whether we publish such a record.
        also: further TXT texts at the same name.
    """

    name: str
    text: str
    reading: str
    publish: bool = True
    also: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        return f"{self.name}.example"

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text, *self.also)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A judge that says something else about a record than we do, and the text that decides.

    Attributes:
        favours: who is right by that text; ``open`` is where it can be read both ways. Where
            they are right, it is a bug of ours, to be mended rather than listed.
    """

    judge: Judge
    record: str
    they_say: str
    we_say: str
    decided_by: str
    why: str
    favours: Literal["us", "open"] = "us"

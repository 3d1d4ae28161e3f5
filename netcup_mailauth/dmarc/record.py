"""The DMARC policy record: its tags, their values and defaults (RFC 9989, 4.7 and 4.8).

:func:`parse` is strict, for a record that we are to publish. :func:`read` is what a receiver
does with the record it finds: a tag that is wrong counts as not there, and nothing is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from netcup_mailauth import taglist
from netcup_mailauth.dmarc.uri import canonical_uri, uri_problem

if TYPE_CHECKING:
    from netcup_mailauth.taglist import TagList

Policy = Literal["none", "quarantine", "reject"]
POLICIES: tuple[Policy, ...] = ("none", "quarantine", "reject")
"""From weak to strong."""

VALUES = {
    "p": POLICIES,
    "sp": POLICIES,
    "np": POLICIES,
    "adkim": ("r", "s"),
    "aspf": ("r", "s"),
    "t": ("y", "n"),
    "psd": ("y", "n", "u"),
}
"""The tags that have one of a few values (RFC 9989, 4.8)."""

REMOVED = ("pct", "rf", "ri")
"""Tags of RFC 7489 that RFC 9989 took out: receivers ignore them now."""

_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_FO = frozenset("01ds")


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """A policy record: the text without loss, and what it means.

    The properties named after tags are what is written there, ``None`` when the tag is not
    there or not valid; the ``effective`` ones fill in what RFC 9989 says then.
    """

    tags: TagList

    def __str__(self) -> str:
        return str(self.tags)

    @property
    def p(self) -> Policy | None:
        """The policy for the domain itself, as written."""
        return cast("Policy | None", self._one_of("p"))

    @property
    def sp(self) -> Policy | None:
        """The policy for sub-domains, as written."""
        return cast("Policy | None", self._one_of("sp"))

    @property
    def np(self) -> Policy | None:
        """The policy for sub-domains that do not exist, as written."""
        return cast("Policy | None", self._one_of("np"))

    @property
    def adkim(self) -> str:
        """DKIM alignment: ``r`` relaxed (the default) or ``s`` strict."""
        return self._one_of("adkim") or "r"

    @property
    def aspf(self) -> str:
        """SPF alignment: ``r`` relaxed (the default) or ``s`` strict."""
        return self._one_of("aspf") or "r"

    @property
    def t(self) -> str:
        """Test mode, ``y`` or ``n`` (the default): the policy is applied one level lower."""
        return self._one_of("t") or "n"

    @property
    def psd(self) -> str:
        """``y`` public suffix, ``n`` organisational domain, ``u`` (the default) unsaid."""
        return self._one_of("psd") or "u"

    @property
    def rua(self) -> tuple[str, ...]:
        """Where aggregate reports go, as written."""
        return self._uris("rua")

    @property
    def ruf(self) -> tuple[str, ...]:
        """Where failure reports go, as written."""
        return self._uris("ruf")

    @property
    def fo(self) -> tuple[str, ...]:
        """Which failures are reported: ``0`` (the default), ``1``, ``d``, ``s``."""
        written = _options(self.tags.get("fo") or "")
        return written if is_fo(written) else ("0",)

    @property
    def pct(self) -> int | None:
        """RFC 7489's share of failing mail that the policy is applied to, if it says a number."""
        written = self.tags.get("pct") or ""
        return (
            int(written) if re.fullmatch(r"[0-9]{1,3}", written) and int(written) <= 100 else None
        )

    @property
    def in_force(self) -> bool:
        """Whether receivers apply DMARC at all because of this record (RFC 9989, 4.10.1).

        No without a valid ``p``, or with a wrong ``sp`` or ``np``, unless reports are asked for;
        and never with a tag given twice, which voids the whole list (4.7; RFC 6376, 3.2).
        """
        if self.tags.duplicate() is not None:
            return False
        return self._sound or any(uri_problem(uri) is None for uri in self.rua)

    @property
    def effective_policy(self) -> Policy:
        """The policy for the domain itself; ``none`` where the record is faulty (4.10.1)."""
        return (self.p or "none") if self._sound else "none"

    @property
    def effective_subdomain_policy(self) -> Policy:
        """The policy for sub-domains that exist: ``sp``, else ``p``."""
        return (self.sp or self.effective_policy) if self._sound else "none"

    @property
    def effective_nonexistent_policy(self) -> Policy:
        """The policy for sub-domains that do not exist: ``np``, else ``sp``, else ``p``."""
        return (self.np or self.effective_subdomain_policy) if self._sound else "none"

    @property
    def _sound(self) -> bool:
        written = {name: self.tags.get(name) for name in ("sp", "np")}
        wrong = any(value is not None and not self._one_of(name) for name, value in written.items())
        return self.p is not None and not wrong and self.tags.duplicate() is None

    def _one_of(self, name: str) -> str | None:
        value = (self.tags.get(name) or "").lower()
        return value if value in VALUES[name] else None

    def _uris(self, name: str) -> tuple[str, ...]:
        parts = (self.tags.get(name) or "").split(",")
        return tuple(part for part in (p.strip(taglist.BLANKS) for p in parts) if part)


def is_dmarc(text: str) -> bool:
    """Whether a receiver takes ``text`` for a policy record: ``v=DMARC1`` comes first (4.7)."""
    return _VERSION.match(text) is not None


def read(text: str) -> DmarcRecord | None:
    """Read a live record as a receiver does; ``None`` if it is none (RFC 9989, 4.8).

    What is wrong in it is kept, so that an edit changes nothing else, and has no meaning.
    """
    return DmarcRecord(taglist.read(text)) if is_dmarc(text) else None


def equal(a: DmarcRecord, b: DmarcRecord) -> bool:
    """Whether both hold the same explicit tags with the same values.

    The order of tags and of addresses, blanks, and the case of values do not matter, nor does
    the case of ``mailto`` and of host names. Defaults are not filled in, and unknown tags
    count: someone wrote them for a reason.
    """
    return _meaning(a) == _meaning(b)


def is_fo(options: tuple[str, ...]) -> bool:
    """Whether these are failure options: each at most once, not ``0`` and ``1`` (RFC 9989, 4.7)."""
    chosen = set(options)
    known = bool(options) and chosen <= _FO
    return known and len(chosen) == len(options) and not {"0", "1"} <= chosen


def _options(value: str) -> tuple[str, ...]:
    return tuple(part.strip(taglist.BLANKS) for part in value.lower().split(":")) if value else ()


def _meaning(record: DmarcRecord) -> list[tuple[str, tuple[str, ...]]]:
    return sorted((tag.name, _tag_meaning(tag.name, tag.value)) for tag in record.tags.tags)


def _tag_meaning(name: str, value: str) -> tuple[str, ...]:
    if name in ("rua", "ruf"):
        uris = (part.strip(taglist.BLANKS) for part in value.split(","))
        return tuple(sorted({canonical_uri(uri) for uri in uris}))
    if name == "fo":
        return tuple(sorted(_options(value)))
    return (value.lower() if name in VALUES or name in REMOVED else value,)

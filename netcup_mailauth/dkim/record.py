"""DKIM key records: parse, build, compare by key material (RFC 6376, 8301, 8463).

Two records are equal when receivers treat them alike: the same key and the same ``k``, ``t``,
``s`` and ``h``. How the text is spelled, and how the key is wrapped, does not matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from netcup_mailauth import taglist
from netcup_mailauth.dkim.key import (
    DkimSyntaxError,
    PublicKey,
    has_private_key,
    public_key_from_p,
)
from netcup_mailauth.taglist import TagList, shown

_VERSION = re.compile(r"[ \t\r\n]*v[ \t\r\n]*=[ \t\r\n]*DKIM1[ \t\r\n]*(?:;|\Z)")
_SWALLOWED_KEY = re.compile(r"[ \t]p[ \t]*=")
_SHOWN_KEY = 24
_PLACEHOLDER = re.compile(r"\.\.|…|[<>\[\]{}$%]")


@dataclass(frozen=True, slots=True)
class DkimRecord:
    """A key record (RFC 6376, 3.6.1): the text without loss, and what it means.

    Attributes:
        tags: the text as written, tag by tag.
        key: the public key; ``None`` when it is revoked (empty ``p``).
        k: key type, ``rsa`` or ``ed25519``.
        t: flags; ``y`` is testing, ``s`` forbids sub-domains in ``i=``.
        s: service types; ``*`` is all.
        h: allowed hash algorithms; ``None`` is all.
        n: a note for people, which receivers ignore.
    """

    tags: TagList
    key: PublicKey | None
    k: str
    t: frozenset[str]
    s: frozenset[str]
    h: frozenset[str] | None
    n: str | None

    def __str__(self) -> str:
        return str(self.tags)

    @property
    def revoked(self) -> bool:
        """Whether the record says that this key is no longer valid (RFC 6376, 3.6.1, ``p``)."""
        return self.key is None

    @property
    def testing(self) -> bool:
        """Whether receivers are told to treat signed mail as unsigned (flag ``y``)."""
        return "y" in self.t


def is_dkim(text: str) -> bool:
    """Whether ``text`` is meant as a key record, well-formed or not.

    ``v=DKIM1`` comes first; it may be left out (RFC 6376, 3.6.1) where there is a ``p``.
    """
    if _VERSION.match(text):
        return True
    tags = taglist.read(text)
    return tags.get("v") is None and tags.get("p") is not None and all(tags.names())


def parse(text: str) -> DkimRecord:
    """Parse the text of a key record that is to be published or judged (RFC 6376, 3.6.1).

    Blanks and line breaks around and inside values are white space by the RFC, and are kept.

    Raises:
        DkimSyntaxError: receivers could not use this record.
    """
    tags = _tag_list(text)
    _check_version(tags)
    p = _key_text(tags)
    _check_characters(text)
    k = "rsa" if (given := tags.get("k")) is None else given
    _check_key_type(k)
    return DkimRecord(
        tags=tags,
        key=public_key_from_p(k, p) if p else None,
        k=k,
        t=_members(tags.get("t") or ""),
        s=_services(tags.get("s")),
        h=_hashes(tags.get("h")),
        n=tags.get("n"),
    )


def equal(a: DkimRecord, b: DkimRecord) -> bool:
    """Whether receivers treat the two alike: same key, same ``k``, ``t``, ``s``, ``h``.

    Defaults count as if written; lists are sets. ``n`` and unknown tags have no meaning for a
    receiver (RFC 6376, 3.2) and are left out. Two revoked records are equal, whatever else
    they say.
    """
    if a.key is None or b.key is None:
        return a.key is b.key
    return (a.key, a.t, a.s, a.h) == (b.key, b.t, b.s, b.h)


def build(key: PublicKey) -> str:
    """The shortest record that publishes ``key``: ``v=DKIM1;k=rsa;p=...``."""
    return f"v=DKIM1;k={key.algorithm};p={key.p}"


def describe(record: DkimRecord) -> str:
    """The record in a few words: ``RSA 2048, SHA256:9f2c41d0a37be655``."""
    if record.key is None:
        return "revoked (empty p=)"
    words = f"{record.key.label}, {record.key.fingerprint}"
    return f"{words}, testing (t=y)" if record.testing else words


def _tag_list(text: str) -> TagList:
    if has_private_key(text):
        raise DkimSyntaxError(
            "The DKIM record holds a PRIVATE key.",
            "Never publish it: give the public key, or the private key's file as the source.",
        )
    if not text.strip():
        raise DkimSyntaxError(
            "The DKIM record is empty.", "Give the whole text, beginning with v=DKIM1."
        )
    if text.lstrip()[0] in "\"'“”„":
        raise DkimSyntaxError(
            "The DKIM record begins with a quotation mark.",
            "Leave the quotation marks out: they are the zone file's, not the record's.",
        )
    try:
        tags = taglist.parse(text)
    except taglist.TagListError as error:
        raise DkimSyntaxError(
            f"The DKIM record is no list of tags: {error}.",
            "Write it as v=DKIM1;k=rsa;p=... with a semicolon between two tags.",
        ) from None
    if (name := tags.duplicate()) is not None:
        raise DkimSyntaxError(
            f"The DKIM record has the tag {shown(name)} twice.",
            "Receivers ignore such a record: keep one of them.",
        )
    return tags


def _check_version(tags: TagList) -> None:
    version = tags.get("v")
    if version is None:
        return  # RFC 6376, 3.6.1: recommended, not required
    if version != "DKIM1":
        raise DkimSyntaxError(
            f"The DKIM record has v={shown(version)}.",
            "The only version is v=DKIM1, in this spelling, and a semicolon after it.",
        )
    if tags.names()[0] != "v":
        raise DkimSyntaxError(
            f"The DKIM record begins with the tag {shown(tags.names()[0])}, not with v.",
            "Put v=DKIM1 first: receivers ignore the record otherwise.",
        )


def _key_text(tags: TagList) -> str:
    p = tags.get("p")
    if p is None and tags.names() == ("v",):
        raise DkimSyntaxError(
            "The DKIM record ends after v=DKIM1; the key is missing.",
            "Put the whole record in single quotes, 'v=DKIM1;k=rsa;p=...': without them a shell"
            " (and a zone file without double quotes) ends the text at the first semicolon.",
        )
    if p is None and any(_SWALLOWED_KEY.search(tag.value) for tag in tags.tags):
        raise DkimSyntaxError(
            "The DKIM record has no semicolon before p=, so it holds no key.",
            "Put a semicolon there: v=DKIM1;k=rsa;p=...",
        )
    if p is None:
        raise DkimSyntaxError(
            "The DKIM record has no p= tag, so it holds no key.",
            "Add p= with the public key; an empty p= says that the key is revoked.",
        )
    if _PLACEHOLDER.search(p):
        raise DkimSyntaxError(
            f"The DKIM record has a placeholder where the key should be: p={_shortened(p)}.",
            "Copy the whole public key, some 400 characters for RSA 2048, with nothing left out.",
        )
    return p


def _shortened(p: str) -> str:
    return p if len(p) <= _SHOWN_KEY else f"{p[:4]}…{p[-8:]}"


def _check_characters(text: str) -> None:
    for character in text:
        if not " " <= character <= "~" and character not in taglist.BLANKS:
            raise DkimSyntaxError(
                f"The DKIM record holds the character {character!a}, which does not belong there.",
                "Use plain ASCII: type that place again, it often comes from a web page.",
            )


def _check_key_type(k: str) -> None:
    if k in ("rsa", "ed25519"):
        return
    advice = "Use k=rsa or k=ed25519: receivers ignore a key of any other type."
    if k.lower() in ("rsa", "ed25519"):
        advice = f"Write it in lower case: k={k.lower()}."
    raise DkimSyntaxError(f"The DKIM record has the unknown key type k={shown(k)}.", advice)


def _members(value: str) -> frozenset[str]:
    return frozenset(part for part in (p.strip(taglist.BLANKS) for p in value.split(":")) if part)


def _services(value: str | None) -> frozenset[str]:
    services = frozenset("*") if value is None else _members(value)
    if not services & {"*", "email"}:
        raise DkimSyntaxError(
            f"The DKIM record has s={shown(value or '')}, so the key is not for mail.",
            "Leave s= out or write s=email: it names the service, not the selector.",
        )
    return frozenset("*") if "*" in services else services


def _hashes(value: str | None) -> frozenset[str] | None:
    hashes = None if value is None else _members(value)
    if hashes is not None and "sha256" not in hashes:
        raise DkimSyntaxError(
            f"The DKIM record has h={shown(value or '')}, which does not allow sha256.",
            "Leave h= out or write h=sha256: receivers must not accept anything weaker (RFC 8301).",
        )
    return hashes

"""DKIM key records and the public keys in them: parse, build, compare (RFC 6376, 8301, 8463).

Two records are equal when receivers treat them alike: the same key and the same ``k``, ``t``,
``s`` and ``h``. How the text is spelled, and how the key is wrapped, does not matter. All of it is
pure, and ``cryptography`` is imported only when a key is looked at.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from netcup_mailauth import taglist
from netcup_mailauth.errors import RecordError
from netcup_mailauth.taglist import TagList, shown

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_VERSION = re.compile(r"[ \t\r\n]*v[ \t\r\n]*=[ \t\r\n]*DKIM1[ \t\r\n]*(?:;|\Z)")
_SWALLOWED_KEY = re.compile(r"[ \t]p[ \t]*=")
_SHOWN_KEY = 24
_SHOWN_HEAD, _SHOWN_TAIL = 32, 12
_HEAD, _TAIL = 8, 12
_LONG_KEY = re.compile(r"[A-Za-z0-9+/=]{64}")
_QUOTES = "\"'“”„"
_PLACEHOLDER = re.compile(r"\.\.|…|[<>\[\]{}$%]")


class DkimRecord(NamedTuple):
    """A key record (RFC 6376, 3.6.1): the text without loss, and what it means.

    Attributes:
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


def is_read(text: str) -> bool:
    """Whether a receiver takes ``text``, at a selector, for a key record, usable or not.

    Some read tags in any case, and a version too; none needs one beside a ``p``.
    """
    values = {tag.name.lower(): tag.value for tag in reversed(taglist.read(text).tags)}
    if "p" not in values or text.lstrip()[0] in _QUOTES:
        return _VERSION.match(text) is not None
    return values.get("v", "DKIM1").upper() == "DKIM1"


def parse(text: str) -> DkimRecord:
    """Parse the text of a key record that is to be published or judged (RFC 6376, 3.6.1).

    Blanks and line breaks around and inside values are white space by the RFC, and are kept. Raises
    DkimSyntaxError if receivers could not use this record.
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


def key_in(text: str) -> PublicKey | None:
    """The key in the text of a record; ``None`` for a revoked one, and where it is no record."""
    try:
        return parse(text).key
    except DkimSyntaxError:
        return None


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


def ends(text: str) -> str:
    """A record with the head and tail of its key: ``v=DKIM1;k=rsa;p=MIIBIjAN...8hT2wIDAQAB``.

    Enough to be compared by eye with the page of whoever signs. Every RSA key of a size begins
    alike and ends in ``IDAQAB``, so that a little more of the tail is shown. Raises RecordError if
    it is no DKIM record.
    """
    record = parse(text)
    p = "".join((record.tags.get("p") or "").split())
    if len(p) <= _SHOWN_KEY:
        return text
    return str(record.tags.with_tag("p", f"{p[:_HEAD]}...{p[-_TAIL:]}", after="v"))


MAILCOW_PAGE = "System > Configuration > Options > ARC/DKIM keys"
"""Where mailcow shows its keys, and makes them."""


def abridged(text: str) -> str:
    """A text as a sentence names it: where it holds a long key, its head and tail, and which."""
    short = text
    if _LONG_KEY.search(text):
        short = f"{text[:_SHOWN_HEAD]}…{text[-_SHOWN_TAIL:]}"
    try:
        key = parse(text).key
    except RecordError:
        return short
    return short if key is None else f"{short} ({key.label}, {key.fingerprint})"


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
    if text.lstrip()[0] in _QUOTES:
        raise DkimSyntaxError(
            "The DKIM record begins with a quotation mark.",
            "Leave the quotation marks out: they are the zone file's, not the record's.",
        )
    if "\\;" in text:
        raise DkimSyntaxError(
            "The DKIM record has a backslash before its semicolons, so receivers find no tag in it "
            "that they know.",
            "Write the semicolons alone: the backslash is a zone file's, not the record's.",
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


MIN_BITS = 1024
"""Receivers must reject shorter RSA keys (RFC 8301, 3.2)."""
MAX_BITS = 4096
"""Receivers need not handle longer RSA keys (RFC 8301, 3.2)."""
RECOMMENDED_BITS = 2048
"""What signers should use at least (RFC 8301, 3.2)."""

_ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]")
_COPY_AGAIN = "Copy the whole key again, from the first character to the last."


class DkimSyntaxError(RecordError):
    """A text that should be a DKIM key record is not one that receivers could use."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key, the same whatever form it was read from.

    Attributes:
        bits: the size of the modulus; 256 for Ed25519.
        spki: DER of its SubjectPublicKeyInfo, re-encoded, so that equal keys have equal bytes.
    """

    algorithm: Literal["rsa", "ed25519"]
    bits: int
    spki: bytes

    @property
    def p(self) -> str:
        """The ``p`` tag: base64 of SPKI for RSA, of the raw 32 bytes for Ed25519 (RFC 8463, 4)."""
        der = self.spki if self.algorithm == "rsa" else self.spki[len(_ED25519_SPKI) :]
        return base64.b64encode(der).decode("ascii")

    @property
    def fingerprint(self) -> str:
        """A short name for the key: ``SHA256:`` and 16 hex digits, over the SPKI."""
        return f"SHA256:{hashlib.sha256(self.spki).hexdigest()[:16]}"

    @property
    def label(self) -> str:
        """The kind of key in words: ``RSA 2048``, ``Ed25519``."""
        return f"RSA {self.bits}" if self.algorithm == "rsa" else "Ed25519"


def public_key_from_p(k: str, p: str) -> PublicKey:
    """Read the value of a ``p`` tag under key type ``k``, ``rsa`` or ``ed25519``.

    RSA keys come as SubjectPublicKeyInfo (what everybody publishes) or RSAPublicKey (what RFC 6376,
    3.6.1 says); Ed25519 keys as their 32 bytes. White space in ``p`` is allowed (3.2). Raises
    DkimSyntaxError if it is no such key; a private key is never shown.
    """
    if has_private_key(p):
        raise _private_key_error()
    data = _decode("".join(p.split()))
    if is_private_der(data):
        raise _private_key_error()
    return _ed25519(data) if k == "ed25519" else _rsa(data)


def public_key_from_crypto(key: PublicKeyTypes) -> PublicKey | None:
    """The key that ``cryptography`` has loaded, or ``None`` when DKIM has no use for its type."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    if not isinstance(key, (RSAPublicKey, Ed25519PublicKey)):
        return None
    spki = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    if isinstance(key, RSAPublicKey):
        return PublicKey("rsa", key.key_size, spki)
    return PublicKey("ed25519", 256, spki)


def size_problem(key: PublicKey) -> str | None:
    """One sentence about a key that receivers must reject for its size, else ``None``."""
    if key.algorithm == "rsa" and key.bits < MIN_BITS:
        return f"{key.label} is too short: receivers must reject RSA keys under {MIN_BITS} bits."
    return None


def has_private_key(text: str) -> bool:
    """Whether ``text`` holds the PEM heading of a private key."""
    return "PRIVATE KEY" in text or "PRIVATEKEY" in text


def is_private_der(data: bytes) -> bool:
    """Whether ``data`` begins like a private key in DER, complete or not.

    PKCS#1 and PKCS#8 private keys are a SEQUENCE that begins with a version, the INTEGER 0 or
    1; no public key has so small a number there. An encrypted PKCS#8 key names its PBES2 early.
    """
    body = data[_header_length(data) :] if data[:1] == b"\x30" else b""
    small_integer = body[:3] in (b"\x02\x01\x00", b"\x02\x01\x01")
    return small_integer or bytes.fromhex("2a864886f70d01050d") in body[:24]


def _private_key_error() -> DkimSyntaxError:
    return DkimSyntaxError(
        "The p= tag holds a PRIVATE key.",
        "This is a PRIVATE key; never publish it. Give the public half; if the private one has"
        " been in DNS, make a new pair.",
    )


def _decode(text: str) -> bytes:
    if "-----" in text:
        raise DkimSyntaxError(
            "The p= tag holds the BEGIN and END lines of a key file.",
            "Give the file itself as the source, or only what stands between the two lines.",
        )
    if (wrong := _NOT_BASE64.search(text)) is not None:
        place = f"the character {wrong[0]!a} at position {wrong.start() + 1}"
        raise DkimSyntaxError(
            f"The key in p= is not base64: {place} does not belong there.", _COPY_AGAIN
        )
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise DkimSyntaxError(
            f"The key in p= is not complete base64 ({len(text)} characters long).", _COPY_AGAIN
        ) from None


def _ed25519(data: bytes) -> PublicKey:
    if len(data) == len(_ED25519_SPKI) + 32 and data.startswith(_ED25519_SPKI):
        raw = base64.b64encode(data[-32:]).decode("ascii")
        raise DkimSyntaxError(
            "The Ed25519 key in p= is wrapped as SubjectPublicKeyInfo (it begins with MCow).",
            f"Publish its bare 32 bytes instead: p={raw}",
        )
    if len(data) == 64:
        raise _private_key_error()
    if len(data) != 32:
        raise DkimSyntaxError(
            f"The Ed25519 key in p= has {len(data)} bytes; it must have 32.",
            "Copy the whole key again, or write k=rsa if it is an RSA key.",
        )
    return PublicKey("ed25519", 256, _ED25519_SPKI + data)


def _rsa(data: bytes) -> PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    _check_length(data)
    try:
        key = public_key_from_crypto(load_der_public_key(data))
    except (ValueError, UnsupportedAlgorithm):
        raise _no_rsa_key(data) from None
    if key is None or key.algorithm != "rsa":
        label = key.label if key else "an elliptic curve or DSA key"
        raise DkimSyntaxError(
            f"The key in p= is {label}, but k= says rsa.",
            f"Write k=ed25519;p={key.p}" if key else "DKIM knows only RSA and Ed25519 keys.",
        )
    return key


def _no_rsa_key(data: bytes) -> DkimSyntaxError:
    text = shown(base64.b64encode(data).decode("ascii"))
    return DkimSyntaxError(f"The p= tag, {text}, is no RSA public key.", _COPY_AGAIN)


def _check_length(data: bytes) -> None:
    """Compare the length that the DER announces with what is there: keys often arrive cut off."""
    if len(data) == 32:
        raise DkimSyntaxError(
            "The key in p= has 32 bytes, which is an Ed25519 key, but k= does not say so.",
            "Write k=ed25519 before it.",
        )
    if data[:1] != b"\x30" or len(data) < 4:
        raise _no_rsa_key(data)
    header = _header_length(data)
    announced = header + (int.from_bytes(data[2:header], "big") if data[1] & 0x80 else data[1])
    if announced > len(data):
        raise DkimSyntaxError(
            f"The key in p= is cut off: it has {len(data)} of {announced} bytes.", _COPY_AGAIN
        )
    if announced < len(data):
        raise DkimSyntaxError(
            f"The key in p= has {len(data) - announced} bytes too many at its end.", _COPY_AGAIN
        )


def _header_length(data: bytes) -> int:
    """The length of tag and length octets of the DER value that ``data`` begins with."""
    return 2 + (data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0)


@dataclass(frozen=True, slots=True)
class DkimSource:
    """What a source says should be published.

    Attributes:
        record: the TXT text: as the source wrote it, or made from a bare key.
        key: the public key; ``None`` when the record revokes one (empty ``p``).
        selector: where the source says it belongs, in lower case; ``None`` if it does not say.
        origin: the source in words, such as a path.
        key_only: whether the source holds a bare key, and says nothing about other tags.
        domain: the rest of the name under which a zone file has it; empty if it does not say.
    """

    record: str
    key: PublicKey | None
    selector: str | None
    origin: str
    key_only: bool
    domain: str = ""

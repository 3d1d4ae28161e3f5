"""Every form a DKIM key comes in, known by its content and not by the name of the file.

Records in the wrappings that tools and people put them in: the zone-file form (opendkim-genkey,
rspamadm, Mailu), quoted chunks (mailcow, dig), bare text. Bare keys: PEM blocks, and base64 without
a heading (RFC 7468, RFC 8410). Of a private key only the public half is kept, and no error shows a
part of what was read, since it may be the private key itself.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth import dkim, records
from netcup_mailauth.dkim import (
    DkimSource,
    DkimSyntaxError,
    PublicKey,
    is_private_der,
    public_key_from_crypto,
    public_key_from_p,
)
from netcup_mailauth.errors import KeySourceError, UsageError
from netcup_mailauth.files import NotRegularError, TooLargeError, read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

MAX_SIZE = 64 * 1024
"""The largest file that is read, in bytes; a key has a few hundred to a few thousand."""

_KNOWN_FORMS = (
    "Give a private or public key (PEM), the .txt file of opendkim-genkey or rspamadm, or the"
    " record itself: v=DKIM1;k=rsa;p=..."
)


class NoKeyError(KeySourceError):
    """The source is sound, and says that it has no key: mailcow's ``{}``."""


def read_key_file(path: Path) -> DkimSource:
    """Read the key in a file; see :func:`read_key`, whose errors it has, too."""
    origin = str(path)
    try:
        data = read_regular(path, MAX_SIZE)
    except TooLargeError:
        raise _too_large(origin) from None
    except FileNotFoundError:
        starts = "" if path.is_absolute() else "; it starts at the folder you are in"
        what, advice = "is not there", f"Check the path{starts}."
    except IsADirectoryError:
        what, advice = "is a folder", "Give the key's file in it."
    except PermissionError:
        what, advice = "may not be read by you", "Run as a user who may, or give the public key."
    except NotRegularError:
        what, advice = "is not a regular file", "Give a file; - reads a key from standard input."
    except (OSError, ValueError):
        what, advice = "cannot be read", "Check the path."
    else:
        return read_key(data, origin)
    raise KeySourceError(f"{origin} {what}.", advice)


def read_key(text: str | bytes, origin: str) -> DkimSource:
    """Read a key or a record in any of the forms that mail servers and their tools write.

    PEM private and public keys, zone-file lines, quoted or bare records, bare base64, mailcow's
    JSON. A private key next to its record, as rspamadm prints them, has to fit it. ``origin`` is
    what it is called in errors and in the plan.

    Raises:
        NoKeyError: it is mailcow's answer for a domain without a key.
        KeySourceError: it is none of these, damaged, or holds several different keys.
    """
    content = _content(text, origin)
    if content.startswith(("{", "[")):
        return read_mailcow_key(_json(content, origin), origin)
    if "-----BEGIN" in content:
        content = content.replace("\\n", "\n")  # as in .env files and JSON strings
    blocks = split(content, origin)
    bare, rest = _bare_key(blocks.rest)
    keys = [*blocks.keys, *([from_base64(bare, origin)] if bare else [])]
    records = _records(rest, origin)
    if keys:  # openssl and people write remarks around a key
        records = tuple(one for one in records if dkim.is_dkim(one.text))
    return _source(keys, records, origin)


def holds_private_key(text: str) -> bool:
    """Whether there is a private key in ``text``, whole or cut off; for what may not be shown.

    32 bytes of base64 count as one, as they do in :func:`from_base64`.
    """
    if is_base64(text) and len(_lenient(text)) in SEED_LENGTHS:
        return True
    found = (_lenient(run[0]) for run in _LONG_RUN.finditer(text.replace("\\n", "\n")))
    return "PRIVATE KEY-" in text or any(
        is_private_der(data) or data.startswith(b"-----BEGIN") for data in found
    )


def is_published_form(text: str) -> bool:
    """Whether ``text`` is in a form in which a public key is passed around, damaged or not.

    The line of a zone file, a record without its version (``k=rsa;p=...``), the bare key that
    stands in ``p=`` (``MIIB...``), PEM, and what mailcow answers.
    """
    return (
        (_KEY_TAG.search(text) is not None and "_domainkey" in text.lower())
        or (_TAGS.match(text) is not None and _KEY_TAG.search(text) is not None)
        or (is_base64(text) and _lenient(text)[:1] == b"\x30")
        or _BEGIN.match(text) is not None
        or (text.startswith("{") and '"dkim_txt"' in text)
    )


def _lenient(text: str) -> bytes:
    """What base64 stands for, as far as it goes."""
    joined = "".join(text.split()).rstrip("=")
    return base64.b64decode(
        joined + "=" * (-len(joined) % 4) if len(joined) % 4 != 1 else joined[:-1]
    )


def read_mailcow_key(answer: object, origin: str) -> DkimSource:
    """Read mailcow's answer to ``get/dkim/<domain>``: ``dkim_txt`` and ``dkim_selector``.

    Raises NoKeyError if it is empty, for a domain without a key, and KeySourceError if it holds no
    usable record.
    """
    if not answer:
        raise NoKeyError(
            f"{origin}: there is no DKIM key for this domain.",
            f"Make one in mailcow: {dkim.MAILCOW_PAGE}.",
        )
    record = answer.get("dkim_txt") if isinstance(answer, Mapping) else None
    selector = answer.get("dkim_selector") if isinstance(answer, Mapping) else None
    if not isinstance(record, str) or not isinstance(selector, str | None):
        raise KeySourceError(
            f"{origin}: it is JSON, but not mailcow's answer about a DKIM key.",
            "Give what mailcow answers to /api/v1/get/dkim/<domain>.",
        )
    name = checked(selector, origin) if selector else None
    found = [FoundRecord(one.text, name) for one in from_text(record)]
    return _source([], found, origin)


def _content(text: str | bytes, origin: str) -> str:
    """The text without byte order mark and outer blanks, if it can be a key at all."""
    if len(text) > MAX_SIZE:
        raise _too_large(origin)
    try:
        content = text.decode("utf-8-sig") if isinstance(text, bytes) else text
    except UnicodeDecodeError:
        content = "\0"
    if any(character < " " and character not in "\t\r\n" for character in content):
        raise KeySourceError(
            f"{origin}: it is not plain text.",
            "Save it as UTF-8; a binary (DER) key becomes text by:"
            " openssl pkey -inform DER -in FILE -pubout",
        )
    content = content.removeprefix("\N{BOM}").strip()
    if not content:
        raise KeySourceError(f"{origin}: it is empty.", _KNOWN_FORMS)
    return content


def _too_large(origin: str) -> KeySourceError:
    return KeySourceError(
        f"{origin}: it is larger than {MAX_SIZE // 1024} KiB, so it is no key.", _KNOWN_FORMS
    )


def _json(content: str, origin: str) -> object:
    try:
        data: object = json.loads(content)
    except (ValueError, RecursionError):
        pass
    else:
        return data
    # Outside the except block, as Python's error holds the text: there may be a private key in it.
    raise KeySourceError(
        f"{origin}: it begins like JSON, but is not valid JSON.",
        "Give what mailcow answers to /api/v1/get/dkim/<domain>.",
    )


def _bare_key(text: str) -> tuple[str, str]:
    """Base64 that is a key by itself, and the rest of the text.

    rspamadm prints a private Ed25519 key as a line above the zone-file record.
    """
    head = before_zone_file(text)
    return (head, text[len(head) :]) if is_base64(head) else ("", text)


def _records(text: str, origin: str) -> tuple[FoundRecord, ...]:
    if (line := _UNQUOTED.fullmatch(text)) is not None:
        selector, _, domain = line[1].rstrip(".").lower().partition("._domainkey")
        name = checked(selector, origin)
        return tuple(FoundRecord(r.text, name, domain.lstrip(".")) for r in from_text(line[2]))
    return from_zone_file(text, origin) if _ZONE_LINE.search(text) else from_text(text)


def _source(
    keys: Sequence[dkim.PublicKey], records: Sequence[FoundRecord], origin: str
) -> DkimSource:
    """The one key of a source, in the words of its record if it has one."""
    parsed = [_parsed(one.text, origin) for one in records]
    different = dict.fromkeys([*keys, *(record.key for record in parsed)])
    selectors = {one.selector for one in records}
    if not different:
        raise KeySourceError(f"{origin}: there is no DKIM key in it.", _KNOWN_FORMS)
    if len(different) > 1 or len(selectors) > 1:
        raise _several(different, selectors, origin)
    if any(not dkim.equal(parsed[0], other) for other in parsed[1:]):
        raise KeySourceError(
            f"{origin}: it holds several records for one key, and they differ.",
            "Keep the one that is to be published.",
        )
    key = next(iter(different))
    if not records:
        assert key is not None
        return DkimSource(dkim.build(key), key, None, origin, key_only=True)
    domains = {one.domain for one in records}
    text = records[0].text
    if parsed[0].tags.get("v") is None:
        text = f"v=DKIM1;{text}"  # recommended, and some receivers miss it (RFC 6376, 3.6.1)
    return DkimSource(
        text,
        key,
        records[0].selector,
        origin,
        key_only=False,
        domain=domains.pop() if len(domains) == 1 else "",
    )


def _parsed(text: str, origin: str) -> dkim.DkimRecord:
    if text.startswith(("ssh-", "ecdsa-")):
        raise KeySourceError(
            f"{origin}: it holds an SSH key, which is for logging in.", _KNOWN_FORMS
        )
    if "-----" in text:
        raise KeySourceError(
            f"{origin}: a BEGIN or END line in it is damaged or missing.",
            "Copy the whole file again, with both lines and their five dashes on either side.",
        )
    try:
        return dkim.parse(text)
    except dkim.DkimSyntaxError as error:
        raise KeySourceError(f"{origin}: {error.what}", error.advice) from None


def _several(
    keys: Iterable[dkim.PublicKey | None], selectors: set[str | None], origin: str
) -> KeySourceError:
    labels = ", ".join(f"{key.label} {key.fingerprint}" if key else "a revoked one" for key in keys)
    names = ", ".join(sorted(selector for selector in selectors if selector))
    under = f", under the selectors {names}" if len(selectors) > 1 and names else ""
    return KeySourceError(
        f"{origin}: it holds more than one DKIM key or name: {labels}{under}.",
        "Give a file with one key, the one that your mail server signs with.",
    )


_ZONE_LINE = re.compile(
    r"^[ \t]*(?![\";(])\S+[ \t]+(?:(?:[0-9]+[smhdw]?|IN)[ \t]+)*TXT(?:[ \t(]|$)",
    re.IGNORECASE | re.MULTILINE,
)
# A string that is not closed ends with its line: looking for its end from every quotation mark
# in it would take quadratic time.
_QUOTED_ON_A_LINE = re.compile(r'"((?:\\.|[^"\\\n])*)("?)')
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_ONLY_QUOTED = re.compile(r'(?:[\s()]*"(?:\\.|[^"\\])*+")++[\s()]*', re.DOTALL)
_ESCAPE = re.compile(r"\\([0-9]{3}|.)", re.DOTALL)
_CHARACTER = re.compile(r"\\[0-9]{3}|\\.|[^\\]", re.DOTALL)
_FIRST_COMMENTS = re.compile(r"(?:[ \t]*[#;].*(?:\n|\Z))+")
_DIRECTIVE = re.compile(r"^\$.*$", re.MULTILINE)
_KEYS_ORIGIN = re.compile(r"^\$ORIGIN[ \t]+_domainkey\b", re.IGNORECASE | re.MULTILINE)
_RECORD_START = re.compile(r'^(?=[ \t]*"?[ \t]*v[ \t]*=[ \t]*DKIM1\b)', re.MULTILINE)
_REMARK = re.compile(
    r"[ \t]*;[ \t]*-----[ \t]*DKIM key .*\Z"
)  # opendkim-genkey's, on the last line
# A line of a zone file without its name, or without more of its beginning.
_TORN = re.compile(
    r'(?:(?:[0-9]++|IN|TXT)\s++)*+\(?\s*+((?:"(?:\\.|[^"\\])*+"\s*+)++)\)?\s*+(?:;[^"\n]*+)?',
    re.DOTALL | re.IGNORECASE,
)
_TORN_HEAD = re.compile(r"TXT\s++(?=v[ \t]*=[ \t]*DKIM1\b)", re.IGNORECASE)
_TOO_LONG = "a text of more than 255 characters is not in quotes"  # quoted ones are cut for it
_WHY_UNREADABLE = {
    "string too long": _TOO_LONG,
    "ended unexpectedly": "a quotation mark is not closed",
    "unbalanced parentheses": "a parenthesis has no counterpart",
}
"""What dnspython says of a zone file, and what it is."""
_LINE_BREAK = re.compile(r"[ \t]*[\r\n]+[ \t]*")
_CHUNK = 255  # what a string of a TXT record holds (RFC 1035, 3.3)


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """The text of a record, and the selector and domain it was found under, if it had a name."""

    text: str
    selector: str | None = None
    domain: str = ""


def before_zone_file(text: str) -> str:
    """What stands above the first line that is a TXT record in a zone file; all, if none is."""
    return text[: match.start()] if (match := _ZONE_LINE.search(text)) else text


def from_zone_file(text: str, origin: str) -> tuple[FoundRecord, ...]:
    """The key records of a zone file, by name or by content; whatever else it holds stays out.

    Raises KeySourceError if it is no zone file, or a selector in it is no selector.
    """
    import dns.exception
    import dns.rdatatype
    import dns.zonefile

    # The root as origin, since names outside the origin would be passed over in silence.
    # Directives only say where the names lie, or name other files, which are none of ours.
    plain = _DIRECTIVE.sub("", _with_short_chunks(text))
    try:
        rrsets = dns.zonefile.read_rrsets(
            plain, origin=".", rdclass=None, default_ttl=0, relativize=False
        )
    except (dns.exception.DNSException, ValueError) as error:
        raise _unreadable_zone(str(error), origin) from None
    below = "._domainkey" if _KEYS_ORIGIN.search(text) else ""
    found = []
    for rrset in rrsets:
        owner = rrset.name.to_text(omit_final_dot=True).lower() + below
        selector, named, rest = owner.partition("._domainkey")
        if rrset.rdtype != dns.rdatatype.TXT:
            continue
        for text in (b"".join(rdata.strings).decode("latin-1").strip() for rdata in rrset):
            if named:
                found.append(FoundRecord(text, checked(selector, origin), rest.lstrip(".")))
            elif dkim.is_dkim(text):
                found.append(FoundRecord(text))
    return tuple(found)


def _unreadable_zone(error: str, origin: str) -> KeySourceError:
    """Why a text cannot be read as a zone file, of which ``error`` is what dnspython says."""
    line = re.search(r"<input>:([0-9]+)", error)
    place = f" (line {line[1]})" if line else ""
    why = next((why for words, why in _WHY_UNREADABLE.items() if words in error), "")
    return KeySourceError(
        f"{origin}: it looks like a zone file, but cannot be read as one{place}"
        f"{': ' if why else ''}{why}.",
        "Put the whole record in double quotes, or give it alone: v=DKIM1;k=rsa;p=..."
        if why == _TOO_LONG
        else "Give the file as the tool wrote it, or only the record: v=DKIM1;k=rsa;p=...",
    )


def from_text(text: str) -> tuple[FoundRecord, ...]:
    """The records of a text that is no zone file: bare or in quotes, one or several."""
    plain = _REMARK.sub("", text[_end(_FIRST_COMMENTS.match(text)) :]).strip()
    if (torn := _TORN.fullmatch(plain)) is not None:
        plain = torn[1].strip()
    elif (head := _TORN_HEAD.match(plain)) is not None:
        plain = plain[head.end() :]
    if plain[:1] == "'" == plain[-1:] and len(plain) > 1:
        plain = plain[1:-1].strip()
    parts = (_unwrapped(part.strip()) for part in _RECORD_START.split(plain))
    return tuple(FoundRecord(part) for part in parts if part)


def checked(selector: str, origin: str) -> str:
    """The selector in lower case. Raises KeySourceError if DNS or mail could not use it."""
    try:
        return records.selector(selector)
    except UsageError as error:
        raise KeySourceError(f"{origin}: {error.what}", error.advice) from None


def _end(match: re.Match[str] | None) -> int:
    return match.end() if match else 0


def _unwrapped(text: str) -> str:
    """One record as it would be in DNS: quoted strings joined, line breaks taken out."""
    if _ONLY_QUOTED.fullmatch(text) is None:
        # No quotes, or more than quoted strings: as it is, but for a zone file's escape.
        return _LINE_BREAK.sub("", text).replace("\\;", ";")
    joined = _LINE_BREAK.sub("", "".join(_QUOTED.findall(text)))
    return _ESCAPE.sub(_unescaped, joined).strip()


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code)) if code.isdigit() and len(code) == 3 and int(code) < 256 else code


def _with_short_chunks(text: str) -> str:
    """Cut quoted strings that are longer than DNS allows, as Mailu's are, into several."""

    def cut(match: re.Match[str]) -> str:
        units = _CHARACTER.findall(match[1])
        chunks = [units[i : i + _CHUNK] for i in range(0, len(units), _CHUNK)]
        return '"' + '" "'.join("".join(chunk) for chunk in chunks) + match[2]

    return _QUOTED_ON_A_LINE.sub(cut, text)


_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
_UNQUOTED = re.compile(
    r"(\S+\._domainkey\S*)\s+(?:(?:[0-9]+[smhdw]?|IN|TXT)\s+)*(v\s*=\s*DKIM1\b[^\"]*)",
    re.IGNORECASE,
)  # a row of a web form: in a zone file the first semicolon would begin a comment
_LONG_RUN = re.compile(r"[A-Za-z0-9+/][A-Za-z0-9+/\s]{38,}[A-Za-z0-9+/]")
_TAGS = re.compile(r"""[\s"'(]*(?:TXT\s+|IN\s+)*[\s"'(]*[vknhstgp]\s*=""", re.IGNORECASE)
_KEY_TAG = re.compile(r"""(?:^|[\s;"'(])p\s*=""", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_SHORTEST = 43  # characters of base64 for 32 bytes, its "=" left out
SEED_LENGTHS = (32, 64)  # Ed25519: a seed (dkimpy, rspamd), a seed and its public key (rspamd)
_PRIVATE = ("PRIVATE KEY", "RSA PRIVATE KEY")
_PUBLIC = ("PUBLIC KEY", "RSA PUBLIC KEY")
_ONLY_RSA = "DKIM knows only RSA and Ed25519 keys: make one of these, RSA with 2048 bits if unsure."


@dataclass(frozen=True, slots=True)
class Split:
    """The PEM blocks of a text, as keys, and what stands around them."""

    keys: tuple[PublicKey, ...]
    rest: str


def split(text: str, origin: str) -> Split:
    """Read every PEM block in ``text``.

    Raises KeySourceError if a block is no key that DKIM can use.
    """
    keys, rest, position = [], [], 0
    while (begin := _BEGIN.search(text, position)) is not None:
        label = begin[1]
        end = text.find(f"-----END {label}-----", begin.end())
        if end < 0:
            raise KeySourceError(
                f"{origin}: the {label} in it has no END line, so it is cut off.",
                "Copy the whole file again, from BEGIN to END.",
            )
        rest.append(text[position : begin.start()])
        keys.append(_block(label, text[begin.end() : end], origin))
        position = end + len(f"-----END {label}-----")
    return Split(tuple(keys), "".join([*rest, text[position:]]))


def is_base64(text: str) -> bool:
    """Whether ``text`` is base64 of at least 32 bytes and nothing else, in one line or several."""
    joined = "".join(text.split())
    return len(joined) >= _SHORTEST and _BASE64.fullmatch(joined) is not None


def from_base64(text: str, origin: str) -> PublicKey:
    """The key in a text that :func:`is_base64` from end to end.

    32 bytes are taken for the secret seed of an Ed25519 key, which is what ``dknewkey`` and
    ``rspamadm -t ed25519-seed`` write; a public Ed25519 key comes as a record or as PEM. 64 bytes
    are rspamd's seed with its public key. Everything else is DER, private or public, or (mailcow's
    ``privkey``) a PEM block once more in base64. Raises KeySourceError if it is base64, but of no
    key that DKIM can use.
    """
    data = _decoded(text, origin)
    if len(data) in SEED_LENGTHS:
        return _from_seed(data, origin)
    if data.startswith(b"-----BEGIN") and (keys := split(data.decode("latin-1"), origin).keys):
        return keys[0]
    return _private(data, origin) if is_private_der(data) else _public(data, origin)


def _block(label: str, body: str, origin: str) -> PublicKey:
    if label == "ENCRYPTED PRIVATE KEY" or "4,ENCRYPTED" in body:
        raise _encrypted(origin)
    if label not in (*_PRIVATE, *_PUBLIC):
        raise _wrong_block(label, origin)
    data = _decoded(body, origin)
    if label in _PRIVATE:
        return _private(data, origin)
    if is_private_der(data):
        raise KeySourceError(
            f"{origin}: its first line says {label}, but it holds a PRIVATE key.",
            "Never publish it. Write PRIVATE KEY in its first and last line, or give the public"
            " half.",
        )
    return _public(data, origin)


def _private(data: bytes, origin: str) -> PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        public = load_der_private_key(data, password=None).public_key()
    except TypeError:
        raise _encrypted(origin) from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeySourceError(
            f"{origin}: the private key in it is damaged or cut off.",
            "Copy the whole file again, or make a new key.",
        ) from None
    return _usable(public, origin)


def _public(data: bytes, origin: str) -> PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return _usable(load_der_public_key(data), origin)
    except (ValueError, UnsupportedAlgorithm):
        pass
    try:  # this fails as well, but says why: cut off, too long, not a key at all
        return public_key_from_p("rsa", base64.b64encode(data).decode("ascii"))
    except DkimSyntaxError as error:
        what = error.what.replace("The key in p=", "the key in it").replace("p=", "it")
        raise KeySourceError(f"{origin}: {what}", error.advice) from None


def _usable(public: PublicKeyTypes, origin: str) -> PublicKey:
    key = public_key_from_crypto(public)
    if key is None:
        kind = type(public).__name__.lstrip("_").removesuffix("PublicKey")
        raise KeySourceError(f"{origin}: the key in it is of the type {kind}.", _ONLY_RSA)
    return key


def _from_seed(data: bytes, origin: str) -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = Ed25519PrivateKey.from_private_bytes(data[:32]).public_key()
    if len(data) == 64 and public.public_bytes_raw() != data[32:]:
        raise KeySourceError(
            f"{origin}: the two halves of the Ed25519 key in it do not belong together.",
            "Copy the whole line again, or make a new key.",
        )
    return _usable(public, origin)


def _decoded(text: str, origin: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise KeySourceError(
            f"{origin}: the key in it is not complete base64.",
            "Copy the whole key again, from the first character to the last.",
        ) from None


def _encrypted(origin: str) -> KeySourceError:
    return KeySourceError(
        f"{origin}: the private key in it is protected by a passphrase.",
        "Give its public half: openssl pkey -in FILE -pubout -out public.pem asks for the"
        " passphrase and writes it.",
    )


def _wrong_block(label: str, origin: str) -> KeySourceError:
    what = {
        "OPENSSH PRIVATE KEY": "an OpenSSH key, which is for logging in",
        "CERTIFICATE": "a certificate, which is for TLS",
        "CERTIFICATE REQUEST": "a certificate request, which is for TLS",
        "EC PRIVATE KEY": "an elliptic curve (EC) key",
        "EC PARAMETERS": "an elliptic curve (EC) key",
        "DSA PRIVATE KEY": "a DSA key",
    }.get(label, f"a PEM block of the kind {label}")
    advice = "Give the DKIM key that your mail server signs with, private or public."
    return KeySourceError(f"{origin}: it holds {what}, not a DKIM key.", advice)

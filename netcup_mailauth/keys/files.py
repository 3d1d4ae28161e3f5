"""DKIM keys from files and texts, known by their content and not by the name of the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth import dkim
from netcup_mailauth.errors import KeySourceError
from netcup_mailauth.files import NotRegularError, TooLargeError, read_regular
from netcup_mailauth.keys import pem, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from netcup_mailauth.keys.texts import FoundRecord

MAX_SIZE = 64 * 1024
"""The largest file that is read, in bytes; a key has a few hundred to a few thousand."""

_KNOWN_FORMS = (
    "Give a private or public key (PEM), the .txt file of opendkim-genkey or rspamadm, or the"
    " record itself: v=DKIM1;k=rsa;p=..."
)


class NoKeyError(KeySourceError):
    """The source is sound, and says that it has no key: mailcow's ``{}``."""


@dataclass(frozen=True, slots=True)
class DkimSource:
    """What a source says should be published.

    Attributes:
        record: the TXT text: as the source wrote it, or made from a bare key.
        key: the public key; ``None`` when the record revokes one (empty ``p``).
        selector: where the source says it belongs, in lower case; ``None`` if it does not say.
        origin: the source in words, such as a path.
        key_only: whether the source holds a bare key, and says nothing about other tags.
    """

    record: str
    key: dkim.PublicKey | None
    selector: str | None
    origin: str
    key_only: bool


def read_key_file(path: Path) -> DkimSource:
    """Read the key in the file at ``path``; see :func:`read_key`.

    Raises:
        KeySourceError: the file cannot be read, or is no DKIM key.
    """
    origin = str(path)
    try:
        data = read_regular(path, MAX_SIZE)
    except TooLargeError:
        raise _too_large(origin) from None
    except FileNotFoundError:
        what, advice = "is not there", "Check the path; a relative one starts at the config file."
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
    JSON. A private key next to its record, as rspamadm prints them, has to fit it.

    Args:
        text: the content.
        origin: what to call it in errors and in the plan.

    Raises:
        NoKeyError: it is mailcow's answer for a domain without a key.
        KeySourceError: it is none of these, damaged, or holds several different keys.
    """
    content = _content(text, origin)
    if content.startswith(("{", "[")):
        return read_mailcow_key(_json(content, origin), origin)
    if "-----BEGIN" in content:
        content = content.replace("\\n", "\n")  # as in .env files and JSON strings
    blocks = pem.split(content, origin)
    bare, rest = _bare_key(blocks.rest)
    keys = [*blocks.keys, *([pem.from_base64(bare, origin)] if bare else [])]
    records = _records(rest, origin)
    if keys:  # openssl and people write remarks around a key
        records = tuple(one for one in records if dkim.is_dkim(one.text))
    return _source(keys, records, origin)


def read_mailcow_key(answer: object, origin: str) -> DkimSource:
    """Read mailcow's answer to ``get/dkim/<domain>``: ``dkim_txt`` and ``dkim_selector``.

    Raises:
        NoKeyError: the answer is empty: this domain has no key.
        KeySourceError: the answer holds no usable record.
    """
    if not answer:
        raise NoKeyError(
            f"{origin}: there is no DKIM key for this domain.",
            "Make one in mailcow: System > Configuration > Options > ARC/DKIM keys.",
        )
    record = answer.get("dkim_txt") if isinstance(answer, Mapping) else None
    selector = answer.get("dkim_selector") if isinstance(answer, Mapping) else None
    if not isinstance(record, str) or not isinstance(selector, str | None):
        raise KeySourceError(
            f"{origin}: it is JSON, but not mailcow's answer about a DKIM key.",
            "Give what mailcow answers to /api/v1/get/dkim/<domain>.",
        )
    name = texts.checked(selector, origin) if selector else None
    found = [texts.FoundRecord(one.text, name) for one in texts.from_text(record)]
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
    head = text[: texts.zone_start(text)] if texts.is_zone_file(text) else text
    return (head, text[len(head) :]) if pem.is_base64(head) else ("", text)


def _records(text: str, origin: str) -> tuple[FoundRecord, ...]:
    return texts.from_zone_file(text, origin) if texts.is_zone_file(text) else texts.from_text(text)


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
    return DkimSource(records[0].text, key, records[0].selector, origin, key_only=False)


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

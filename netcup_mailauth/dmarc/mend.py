"""What was plainly meant as a DMARC record, though receivers do not read it so.

A blank or a quote in front, another case, a comma for a semicolon: receivers drop such a text, or
a part of it, and the people who wrote it do not notice. An edit starts from what was meant, so that
no policy and no address is lost in it; what is not plain is left as it stands, and refused.
"""

from __future__ import annotations

import re
from dataclasses import replace

from netcup_mailauth import taglist
from netcup_mailauth.dmarc.record import (
    KNOWN,
    REPORTS,
    VALUES,
    DmarcRecord,
    is_dmarc,
    target,
    uri_problem,
)
from netcup_mailauth.taglist import Tag, TagList

_NAMES = "|".join(sorted((name for name in KNOWN if name != "v"), key=len, reverse=True))
_VERSION = re.compile(
    r"(?:v\s{0,9}[=:]?\s{0,9})?dmarc\s{0,9}1(?![0-9.])[\s;,:.]{0,9}", re.IGNORECASE
)
_FIRST = re.compile(rf"(?:{_NAMES})\s{{0,9}}=", re.IGNORECASE)
_BOUNDARY = re.compile(
    rf"(?:\s{{0,9}}[;,]\s{{0,9}}|:?\s{{1,9}})(?=(?:v|{_NAMES})\s{{0,9}}=)", re.IGNORECASE
)
_DROPPED = dict.fromkeys(map(ord, '"\\“”„‟«»\ufeff\u200b\u200c\u200d'))
_BLANK = dict.fromkeys(map(ord, "\t\r\n\u00a0\u2007\u202f"), " ")
_AROUND = " '‘’`"


def is_meant(text: str) -> bool:
    """Whether ``text``, standing at ``_dmarc``, was plainly meant as a policy record.

    Those that receivers read are, and those that say so: a version in any spelling, or a tag of
    DMARC in front. Another version of DMARC is not ours to touch (RFC 9989, 4.7).
    """
    if is_dmarc(text):
        return True
    bare = _bare(text)
    named = bool(_FIRST.match(bare)) and re.search(r"\bv\s{0,9}=", bare, re.IGNORECASE) is None
    return named or _version(bare) is not None


def mended(text: str) -> DmarcRecord:
    """The record that was plainly meant; what is not plain in it stays as it is, unread."""
    bare = _bare(text)
    found = _version(bare)
    if found is not None:
        before, after = bare[: found.start()].rstrip(" ;,"), bare[found.end() :]
        bare = ";".join(part for part in (before, after) if part)
        gap = " " if found.start() == 0 and found[0].endswith(" ") else ""
    else:
        gap = ""
    bare = _BOUNDARY.sub(_semicolon, bare)
    tags = _joined(taglist.read(f"v=DMARC1;{gap}{bare}" if bare else "v=DMARC1"))
    return DmarcRecord(_without_doubles(tags))


def _bare(text: str) -> str:
    return text.translate(_DROPPED).translate(_BLANK).strip(_AROUND)


def _version(bare: str) -> re.Match[str] | None:
    """The version, where it is in front, or where another tag of DMARC is."""
    found = _VERSION.match(bare)
    if found is None and _FIRST.match(bare):
        found = re.search(rf"(?<=[;, ]){_VERSION.pattern}", bare, re.IGNORECASE)
    return found


def _semicolon(boundary: re.Match[str]) -> str:
    written = boundary[0]
    if ";" in written:
        return written
    return "; " if " " in written else ";"


def _joined(tags: TagList) -> TagList:
    """With each part mended; an address behind a semicolon goes to those in front of it."""
    found: list[Tag] = []
    for tag in tags.tags:
        if not tag.name and not tag.value:
            continue
        last = found[-1] if found else None
        more = "" if tag.name or last is None or last.name not in REPORTS else _split(tag.value)
        if last is not None and more:
            found.append(replace(last, value=more))  # joined with it below
        else:
            found.append(_part(tag))
    return replace(tags, tags=tuple(found))


def _part(tag: Tag) -> Tag:
    name = tag.name.lower() if tag.name.lower() in KNOWN else tag.name
    value = tag.value
    if name in VALUES and value.lower() not in VALUES[name]:
        value = value.rstrip(" .,:'")
        value = value if value.lower() in VALUES[name] else tag.value
    elif name in REPORTS:
        value = _addresses(value)
    return _with_value(Tag(name, tag.value, tag.text.replace(tag.name, name, 1)), value)


def _with_value(tag: Tag, value: str) -> Tag:
    if value == tag.value:
        return tag
    head, _, _ = tag.text.partition("=")
    return Tag(tag.name, value, f"{head}={value}")


def _addresses(value: str) -> str:
    """The addresses with a comma between two, where each of them is one then."""
    if all(uri_problem(part.strip(taglist.BLANKS)) is None for part in value.split(",")):
        return value
    return _split(value) or value


def _split(text: str) -> str:
    """The addresses of a text with a comma between two; empty if there is anything else in it."""
    parts = [part for part in re.split(r"[,\s]+", text) if part]
    return ",".join(map(_address, parts)) if all(map(_is_address, parts)) else ""


def _is_address(text: str) -> bool:
    return uri_problem(_address(text)) is None


def _address(text: str) -> str:
    """The address in the standard spelling, where only that was missing."""
    bare = re.sub(r"\Amailto:/{0,2}", "", text, flags=re.IGNORECASE)
    if text.lower().startswith("mailto:"):
        return text if uri_problem(text) is None else f"mailto:{bare}"
    plain = f"mailto:{text}"
    return plain if "@" in text and ":" not in text and uri_problem(plain) is None else text


def _without_doubles(tags: TagList) -> TagList:
    """One ``rua`` and one ``ruf`` with the addresses of all, and no tag that only repeats."""
    first: dict[str, Tag] = {}
    addresses: dict[str, dict[str, str]] = {name: {} for name in REPORTS}
    found: list[Tag] = []
    for tag in tags.tags:
        if tag.name in REPORTS:
            for uri in tag.value.split(","):
                addresses[tag.name].setdefault(target(uri.strip(taglist.BLANKS)), uri)
        elif tag.name in first and tag.value.lower() != first[tag.name].value.lower():
            found.append(tag)
        if not tag.name or tag.name not in first:
            first[tag.name] = tag
            found.append(tag)
    several = [name for name in REPORTS if tags.names().count(name) > 1]
    joined = {name: ",".join(addresses[name].values()) for name in several}
    return replace(tags, tags=tuple(_with_value(t, joined.get(t.name, t.value)) for t in found))

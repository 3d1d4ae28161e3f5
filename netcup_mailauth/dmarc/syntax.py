"""The strict reading of a DMARC record that we are to publish (RFC 9989, 4.7 and 4.8).

A receiver ignores what it does not understand, so that a slip of the pen passes in silence.
Here each slip has a name and a remedy.
"""

from __future__ import annotations

import difflib
import re

from netcup_mailauth import taglist
from netcup_mailauth.dmarc.record import REMOVED, VALUES, DmarcRecord, is_fo
from netcup_mailauth.dmarc.uri import DmarcSyntaxError, uri_problem
from netcup_mailauth.taglist import TagList, shown

_PLACEHOLDER = re.compile(r"\.\.\.|…|[<>{}]")
_KNOWN = ("v", *VALUES, "rua", "ruf", "fo", *REMOVED)
_LONG_NAMES = {"policy": "p", "version": "v", "subdomain": "sp", "test": "t", "percent": "pct"}


def parse(text: str) -> DmarcRecord:
    """Parse a record that is to be published.

    Unknown tags are kept (RFC 9989, 4.7), unless they look like a known one misspelt.

    Raises:
        DmarcSyntaxError: receivers would ignore all or a part of it.
    """
    tags = _tag_list(text)
    _check_version(tags)
    _check_text(text, tags)
    _check_names(tags)
    for tag in tags.tags:
        _check_value(tag.name, tag.value)
    return DmarcRecord(tags)


def _tag_list(text: str) -> TagList:
    if not text.strip():
        raise DmarcSyntaxError("The DMARC record is empty.", "Write for example v=DMARC1;p=none")
    if text[0] in "\"'“”„" or text[0].isspace():
        raise DmarcSyntaxError(
            f"The DMARC record begins with {text[0]!a}, not with v=DMARC1.",
            "Leave out quotation marks and blanks around it: receivers ignore it otherwise.",
        )
    try:
        tags = taglist.parse(text)
    except taglist.TagListError as error:
        raise DmarcSyntaxError(
            f"The DMARC record is no list of tags: {error}.",
            "Write it as v=DMARC1;p=none;rua=mailto:name@example.com with a semicolon between two"
            " tags and a comma between two addresses.",
        ) from None
    if (name := tags.duplicate()) is not None:
        raise DmarcSyntaxError(
            f"The DMARC record has the tag {shown(name)} twice.",
            "Keep one of them: receivers may ignore the whole record.",
        )
    return tags


def _check_version(tags: TagList) -> None:
    first = tags.tags[0]
    if first.name != "v":
        raise DmarcSyntaxError(
            f"The DMARC record begins with the tag {shown(first.name)}, not with v.",
            "Put v=DMARC1 first: receivers ignore the record otherwise.",
        )
    if first.value != "DMARC1":
        raise DmarcSyntaxError(
            f"The DMARC record has v={shown(first.value)}.",
            "The only version is v=DMARC1, in capitals, and a semicolon after it.",
        )
    if len(tags.tags) == 1:
        raise DmarcSyntaxError(
            "The DMARC record ends after v=DMARC1; the policy is missing.",
            "Put the whole record in single quotes, 'v=DMARC1;p=none': without them a shell ends"
            " the text at the first semicolon.",
        )


def _check_text(text: str, tags: TagList) -> None:
    for tag in tags.tags:
        if _PLACEHOLDER.search(tag.value):
            raise DmarcSyntaxError(
                f"The DMARC record has a placeholder in {tag.name}={shown(tag.value)}.",
                "Write the real value there, without brackets or dots.",
            )
    for character in text:
        if not " " <= character <= "~" and character != "\t":
            raise DmarcSyntaxError(
                f"The DMARC record holds the character {character!a}, which does not belong there.",
                "Use plain ASCII on one line: type that place again, it often comes from a web"
                " page.",
            )


def _check_names(tags: TagList) -> None:
    for name in tags.names():
        if (meant := _misspelt(name)) is not None:
            raise DmarcSyntaxError(
                f"The DMARC record has the tag {shown(name)}, which receivers ignore.",
                f"Did you mean {meant}= ? Write it so.",
            )
    if tags.get("p") is None:
        raise DmarcSyntaxError(
            "The DMARC record has no p= tag, so it states no policy.",
            "Add p=none, p=quarantine or p=reject right after v=DMARC1.",
        )


def _misspelt(name: str) -> str | None:
    if name in _KNOWN:
        return None
    if name.lower() in _LONG_NAMES:
        return _LONG_NAMES[name.lower()]
    near = difflib.get_close_matches(name.lower(), _KNOWN, n=3, cutoff=0.6)
    swapped = [known for known in near if sorted(known) == sorted(name.lower())]
    return next(iter(swapped + near), None)


def _check_value(name: str, value: str) -> None:
    if name in VALUES and value.lower() not in VALUES[name]:
        raise _unknown_value(name, value)
    if name == "fo" and not is_fo(tuple(part.strip() for part in value.lower().split(":"))):
        raise DmarcSyntaxError(
            f"The DMARC record has fo={shown(value)}.",
            "Use 0 or 1, and d or s, with a colon between two of them, as in fo=1:d",
        )
    if name in ("rua", "ruf"):
        for uri in value.split(","):
            if (problem := uri_problem(uri.strip(taglist.BLANKS))) is not None:
                raise DmarcSyntaxError(f"{problem[0][:-1]} ({name}=).", problem[1])


def _unknown_value(name: str, value: str) -> DmarcSyntaxError:
    allowed = VALUES[name]
    near = difflib.get_close_matches(value.lower(), allowed, n=1, cutoff=0.6)
    choice = f"{', '.join(allowed[:-1])} or {allowed[-1]}"
    advice = f"Did you mean {name}={near[0]} ?" if near else f"Write {name}= with {choice}."
    if " " in value:
        advice = f"Put a semicolon after the value; it can be {choice}."
    return DmarcSyntaxError(f"The DMARC record has {name}={shown(value)}.", advice)

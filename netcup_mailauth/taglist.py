"""Tag lists (``v=DMARC1; p=none``), read and edited without loss.

DKIM key records (RFC 6376, 3.2) and DMARC policy records (RFC 9989, 4.7) share this form. A
:class:`TagList` keeps every character of the text it was parsed from; an edit changes the tag
it names and nothing else.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace

BLANKS = " \t\r\n"
"""The characters of folding white space; a no-break space is none of them, and stays visible."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_KEY_MATERIAL = re.compile(r"[A-Za-z0-9+/=]{20,}")
_SHOWN = 40


class TagListError(ValueError):
    """The text is no tag list; the message names the offending part."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One ``name=value``; ``text`` is how it was written, blanks included.

    A part that is no ``name=value`` has the name ``""``; only :func:`read` makes such tags.
    """

    name: str
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class TagList:
    """Tags in the order written. ``tail`` is what follows the last ``;`` (blank, or nothing)."""

    tags: tuple[Tag, ...]
    tail: str | None = None

    def __str__(self) -> str:
        text = ";".join(tag.text for tag in self.tags)
        return text if self.tail is None else f"{text};{self.tail}"

    def get(self, name: str) -> str | None:
        """The value of the first tag of this name, or ``None``. Names are case-sensitive."""
        return next((tag.value for tag in self.tags if tag.name == name), None)

    def names(self) -> tuple[str, ...]:
        """The tag names in the order written, duplicates included."""
        return tuple(tag.name for tag in self.tags)

    def duplicate(self) -> str | None:
        """The first name that is there twice, or ``None`` (RFC 6376, 3.2 forbids it)."""
        counts = Counter(name for name in self.names() if name)
        return next((name for name, count in counts.items() if count > 1), None)

    def with_tag(self, name: str, value: str, *, after: str) -> TagList:
        """This list with ``name`` set: in place if it is there, else right behind ``after``.

        Further tags of this name go, because a list with duplicates means nothing to anyone. A new
        tag takes the spelling of the list around it: ``; `` where the text has a blank after its
        semicolons, ``;`` where it has none. Without ``after`` it comes last. Raises TagListError if
        ``name=value`` would not be read as one tag.
        """
        if _tag(f"{name}={value}") != Tag(name, value, f"{name}={value}") or ";" in value:
            raise TagListError(f"{shown(f'{name}={value}')} cannot be written as one tag")
        names = self.names()
        if name in names:
            return self._with_value(names.index(name), value)
        blank = " " if len(self.tags) > 1 and self.tags[1].text.startswith(" ") else ""
        new = Tag(name, value, f"{blank}{name}={value}")
        index = names.index(after) + 1 if after in names else len(names)
        return replace(self, tags=(*self.tags[:index], new, *self.tags[index:]))

    def without(self, name: str) -> TagList:
        """This list less every tag of this name."""
        return replace(self, tags=tuple(tag for tag in self.tags if tag.name != name))

    def _with_value(self, index: int, value: str) -> TagList:
        old = self.tags[index]
        head, _, tail = old.text.partition("=")
        lead = tail[: len(tail) - len(tail.lstrip(BLANKS))] if old.value else ""
        trail = tail[len(lead) + len(old.value) :]
        new = Tag(old.name, value, f"{head}={lead}{value}{trail}")
        later = (tag for tag in self.tags[index + 1 :] if tag.name != old.name)
        return replace(self, tags=(*self.tags[:index], new, *later))


def parse(text: str) -> TagList:
    """Parse a tag list, keeping every character (RFC 6376, 3.2).

    Raises TagListError if a part between two semicolons is no ``name=value``.
    """
    tags = read(text)
    for tag in tags.tags:
        if not tag.name:
            raise TagListError(_no_tag(tag.value))
    return tags


def read(text: str) -> TagList:
    """Read any text as a tag list; a part that is no tag is kept, and has no meaning."""
    parts = text.split(";")
    tail = parts.pop() if len(parts) > 1 and not parts[-1].strip(BLANKS) else None
    return TagList(tuple(_tag(part) for part in parts), tail)


def shown(text: str) -> str:
    """``text`` as an error may show it: quoted, short, and never what may be a private key.

    A key that was pasted into the wrong place must not end up in a log, so a long run of base64
    characters is described, not shown.
    """
    if _KEY_MATERIAL.search(text):
        return f"a text of {len(text)} characters"
    return repr(text) if len(text) <= _SHOWN else repr(text[:_SHOWN] + "…")


def _no_tag(part: str) -> str:
    if not part:
        return "there is nothing between two semicolons"
    return f"{shown(part)} is no tag (name=value)"


def _tag(part: str) -> Tag:
    # No regular expression with blanks on both sides of ".*": it takes quadratic time.
    name, equals, value = part.partition("=")
    name = name.strip(BLANKS)
    if not equals or not _NAME.fullmatch(name):
        return Tag("", part.strip(BLANKS), part)
    return Tag(name, value.strip(BLANKS), part)

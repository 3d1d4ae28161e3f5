"""The DMARC policy record: its tags, their values and defaults (RFC 9989, 4.6 to 4.8).

:func:`parse` is strict, for a record that we are to publish: a receiver ignores what it does not
understand, so that a slip of the pen passes in silence; here each slip has a name and a remedy.
:func:`read` is what a receiver does with the record it finds: a tag that is wrong counts as not
there, and nothing is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import unquote, urlsplit

from netcup_mailauth import taglist
from netcup_mailauth.errors import RecordError
from netcup_mailauth.taglist import TagList, shown

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

REPORTS = ("rua", "ruf")
"""The tags that hold report addresses."""

KNOWN = ("v", *VALUES, *REPORTS, "fo", *REMOVED)
"""Every tag that RFC 9989 or RFC 7489 knows."""

_VERSION = re.compile(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
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
        one_each = len(set(written)) == len(written) and not {"0", "1"} <= set(written)
        return written if is_fo(written) and one_each else ("0",)

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
    """Whether a receiver takes ``text`` for a policy record: ``v=DMARC1`` comes first (4.7).

    The tag's name may be a capital, the version may not be small.
    """
    return _VERSION.match(text) is not None


def read(text: str) -> DmarcRecord | None:
    """Read a live record as a receiver does; ``None`` if it is none (RFC 9989, 4.8).

    What is wrong in it is kept, so that an edit changes nothing else, and has no meaning.
    """
    return DmarcRecord(taglist.read(text)) if is_dmarc(text) else None


def equal(a: DmarcRecord, b: DmarcRecord) -> bool:
    """Whether both hold the same explicit tags with the same values.

    The order of tags and of addresses, blanks, and the case of values do not matter, nor does
    the case of ``mailto`` and of host names, nor whether a default is written out. Unknown tags
    count: someone wrote them for a reason. So does a capital ``V``, which some do not read.
    """
    return _meaning(a) == _meaning(b)


def is_fo(options: tuple[str, ...]) -> bool:
    """Whether these are failure options; RFC 7489 (6.4) let them repeat, and ``0`` beside ``1``."""
    return bool(options) and set(options) <= _FO


def _options(value: str) -> tuple[str, ...]:
    return tuple(part.strip(taglist.BLANKS) for part in value.lower().split(":")) if value else ()


def _meaning(record: DmarcRecord) -> list[tuple[str, tuple[str, ...]]]:
    said = ((tag.name, _tag_meaning(tag.name, tag.value)) for tag in record.tags.tags)
    return sorted(each for each in said if each not in _DEFAULTS)


_DEFAULTS = {("adkim", ("r",)), ("aspf", ("r",)), ("fo", ("0",)), ("psd", ("u",)), ("t", ("n",))}
"""What a record says that does not say it (RFC 9989, 4.7)."""


def _tag_meaning(name: str, value: str) -> tuple[str, ...]:
    if name in REPORTS:
        uris = (part.strip(taglist.BLANKS) for part in value.split(","))
        return tuple(sorted({canonical_uri(uri) for uri in uris}))
    if name == "fo":
        return tuple(sorted(_options(value)))
    return (value.lower() if name in VALUES or name in REMOVED else value,)


_PLACEHOLDER = re.compile(r"\.\.\.|…|[<>{}]")
_LONG_NAMES = {"policy": "p", "version": "v", "subdomain": "sp", "test": "t", "percent": "pct"}


def parse(text: str) -> DmarcRecord:
    """Parse a record that is to be published.

    Unknown tags are kept (RFC 9989, 4.7), unless they look like a known one misspelt. Raises
    DmarcSyntaxError if receivers would ignore all or a part of it.
    """
    return _checked(text, foreign=False)


def parse_live(text: str) -> DmarcRecord:
    """Parse a live record after an edit: a tag that is not understood was there before, and stays.

    Raises DmarcSyntaxError if receivers would ignore all of it, or the value of a tag they know.
    """
    return _checked(text, foreign=True)


def _checked(text: str, *, foreign: bool) -> DmarcRecord:
    tags = _tag_list(text)
    _check_version(tags)
    _check_text(text, tags)
    if not foreign:
        _check_names(tags)
    _check_policy(tags)
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
    if first.name == "V":
        raise DmarcSyntaxError(
            "The DMARC record begins with a capital V, which some receivers do not read.",
            "Write v=DMARC1, with a small v.",
        )
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
            "Give the whole record, as in v=DMARC1;p=none",
        )


_PUNYCODE = (
    "A domain with an umlaut is written in its xn-- form, as your registrar shows it; in front of "
    "an @ only plain ASCII arrives."
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
                _PUNYCODE
                if character.isalpha()
                else "Use plain ASCII on one line: type that place again, it often comes from a web"
                " page.",
            )


def _check_names(tags: TagList) -> None:
    for name in tags.names():
        if (meant := _misspelt(name)) is not None:
            raise DmarcSyntaxError(
                f"The DMARC record has the tag {shown(name)}, which receivers ignore.",
                f"Did you mean {meant}= ? Write it so.",
            )


def _check_policy(tags: TagList) -> None:
    if tags.get("p") is None:
        raise DmarcSyntaxError(
            "The DMARC record has no p= tag, so it states no policy.",
            "Add p=none, p=quarantine or p=reject right after v=DMARC1.",
        )


def _misspelt(name: str) -> str | None:
    if name in KNOWN:
        return None
    if name.lower() in _LONG_NAMES:
        return _LONG_NAMES[name.lower()]
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), KNOWN, n=3, cutoff=0.6)
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
    if name in REPORTS:
        for uri in value.split(","):
            if (problem := uri_problem(uri.strip(taglist.BLANKS))) is not None:
                raise DmarcSyntaxError(f"{problem[0][:-1]} ({name}=).", problem[1])


def _unknown_value(name: str, value: str) -> DmarcSyntaxError:
    allowed = VALUES[name]
    from difflib import get_close_matches

    near = get_close_matches(value.lower(), allowed, n=1, cutoff=0.6)
    choice = f"{', '.join(allowed[:-1])} or {allowed[-1]}"
    advice = f"Did you mean {name}={near[0]} ?" if near else f"Write {name}= with {choice}."
    if " " in value:
        advice = f"Put a semicolon after the value; it can be {choice}."
    return DmarcSyntaxError(f"The DMARC record has {name}={shown(value)}.", advice)


_SIZE = re.compile(r"![0-9]+[kmgt]?\Z", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_URI = re.compile(r"[A-Za-z0-9._~:/?#\[\]@$&'()*+=%-]+")  # RFC 3986, less the "," ";" "!" of DMARC


_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ATOM = r"(?:[A-Za-z0-9_~+&=$*'-]|%[0-9A-Fa-f]{2})+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")


class DmarcSyntaxError(RecordError):
    """A text that should be a DMARC record is not one that we would publish."""


def without_size(uri: str) -> str:
    """The URI less the obsolete size limit (``!10m``), which receivers ignore (RFC 9989, 4.8)."""
    return _SIZE.sub("", uri)


def canonical_uri(uri: str) -> str:
    """The URI with what is case-insensitive in lower case: the scheme and the host name."""
    scheme, colon, rest = uri.partition(":")
    if scheme.lower() == "mailto":
        local, at, host = rest.rpartition("@")
        return f"mailto:{local}{at}{host.lower()}"
    return f"{scheme.lower()}{colon}{rest}"


def target(uri: str) -> str:
    """The place that reports go to: the standard spelling, without a size limit.

    To be compared, not to be written: what is encoded in a mail address is decoded.
    """
    plain = canonical_uri(without_size(uri))
    return unquote(plain) if plain.startswith("mailto:") else plain


def report_host(uri: str) -> str:
    """The host that reports for ``uri`` go to, in lower case (RFC 9990, 4).

    Raises DmarcSyntaxError if it is no report address.
    """
    if (problem := uri_problem(uri)) is not None:
        raise DmarcSyntaxError(*problem)
    return _host(without_size(uri)).lower()


def uri_problem(uri: str) -> tuple[str, str] | None:
    """What is wrong with a report address, and what to do; ``None`` if it is valid."""
    bare = without_size(uri)
    what = f"The report address {shown(uri)} "
    if not bare:
        return "A report address is empty.", "Take out the comma that has nothing beside it."
    if re.search(r"\s", bare):
        return what + "has a blank in it.", "Separate two addresses by a comma."
    foreign = next((character for character in bare if character.isalpha() and character > "~"), "")
    if foreign:
        return what + f"holds the character {foreign!a}.", _PUNYCODE
    if not _SCHEME.match(bare):
        return (
            what + "has no mailto: before it.",
            f"Write it as mailto:{bare}"
            if "@" in bare
            else ("Write it as mailto:name@example.com"),
        )
    if not _URI.fullmatch(bare):
        return what + "holds a character that must be encoded.", (
            "Write , as %2C, ! as %21 and ; as %3B, and use plain ASCII."
        )
    if _BROKEN_ESCAPE.search(bare):
        return what + "has a % that encodes nothing.", "Write a percent sign as %25."
    if bare.lower().startswith("mailto://"):
        return what + "has slashes in it.", f"Write it as mailto:{bare[len('mailto://') :]}"
    if not _is_host(_host(bare)):
        return what + "has no valid host name.", "Write it as mailto:name@example.com"
    if bare.lower().startswith("mailto:") and not _is_local(bare[len("mailto:") :]):
        return what + "is no mail address.", "Write it as mailto:name@example.com"
    return None


def _is_local(address: str) -> bool:
    """Whether what stands before the ``@`` is a local part (RFC 6068, 2: dot-atom, encoded)."""
    return _LOCAL.fullmatch(address.partition("?")[0].rpartition("@")[0]) is not None


def _host(uri: str) -> str:
    scheme, _, rest = uri.partition(":")
    if scheme.lower() != "mailto":
        return _authority_host(uri)
    local, _, host = rest.partition("?")[0].rpartition("@")
    return host if local else ""


def _authority_host(uri: str) -> str:
    try:
        return urlsplit(uri).hostname or ""
    except ValueError:  # brackets that hold no IPv6 address
        return ""


def _is_host(host: str) -> bool:
    labels = host.split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        return False
    return len(host) <= 253 and all(map(_LABEL.fullmatch, labels))

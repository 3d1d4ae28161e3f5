"""Key records in the wrappings that tools and people put them in.

The zone-file form (opendkim-genkey, rspamadm, Mailu), quoted chunks (mailcow, dig), and bare
text. Each yields what would be in DNS: the chunks joined, without quotation marks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from netcup_mailauth import dkim, names
from netcup_mailauth.errors import KeySourceError, UsageError

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
_LINE_BREAK = re.compile(r"[ \t]*[\r\n]+[ \t]*")
_CHUNK = 255  # what a string of a TXT record holds (RFC 1035, 3.3)


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """The text of a record, and the selector it was found under, if it had a name."""

    text: str
    selector: str | None = None


def is_zone_file(text: str) -> bool:
    """Whether a line of ``text`` is the beginning of a TXT record in a zone file."""
    return _ZONE_LINE.search(text) is not None


def zone_start(text: str) -> int:
    """Where the first line begins that is a TXT record in a zone file; 0 if there is none."""
    return match.start() if (match := _ZONE_LINE.search(text)) else 0


def from_zone_file(text: str, origin: str) -> tuple[FoundRecord, ...]:
    """The key records of a zone file, by name or by content; whatever else it holds stays out.

    Raises:
        KeySourceError: it is no zone file, or a selector in it is no selector.
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
        line = re.search(r"<input>:([0-9]+)", str(error))
        place = f" (line {line[1]})" if line else ""
        raise KeySourceError(
            f"{origin}: it looks like a zone file, but cannot be read as one{place}.",
            "Give the file as the tool wrote it, or only the record: v=DKIM1;k=rsa;p=...",
        ) from None
    below = "._domainkey" if _KEYS_ORIGIN.search(text) else ""
    found = []
    for rrset in rrsets:
        owner = rrset.name.to_text(omit_final_dot=True).lower() + below
        selector, named, _ = owner.partition("._domainkey")
        if rrset.rdtype != dns.rdatatype.TXT:
            continue
        for text in (b"".join(rdata.strings).decode("latin-1").strip() for rdata in rrset):
            if named:
                found.append(FoundRecord(text, checked(selector, origin)))
            elif dkim.is_dkim(text):
                found.append(FoundRecord(text))
    return tuple(found)


def from_text(text: str) -> tuple[FoundRecord, ...]:
    """The records of a text that is no zone file: bare or in quotes, one or several."""
    plain = text[_end(_FIRST_COMMENTS.match(text)) :].strip()
    if plain[:1] == "'" == plain[-1:] and len(plain) > 1:
        plain = plain[1:-1].strip()
    parts = (_unwrapped(part.strip()) for part in _RECORD_START.split(plain))
    return tuple(FoundRecord(part) for part in parts if part)


def checked(selector: str, origin: str) -> str:
    """The selector in lower case.

    Raises:
        KeySourceError: DNS or mail could not use it.
    """
    try:
        return names.selector(selector)
    except UsageError as error:
        raise KeySourceError(f"{origin}: {error.what}", error.advice) from None


def _end(match: re.Match[str] | None) -> int:
    return match.end() if match else 0


def _unwrapped(text: str) -> str:
    """One record as it would be in DNS: quoted strings joined, line breaks taken out."""
    if _ONLY_QUOTED.fullmatch(text) is None:
        return _LINE_BREAK.sub("", text)  # no quotes, or more than quoted strings: as it is
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

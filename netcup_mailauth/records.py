"""DNS records and zones as the whole program sees them, whichever API they come from.

A managed record is found by its *kind* and its *hostname* (:mod:`netcup_mailauth.kinds`); every
other record of a zone is only ever counted. Below: names, as a user writes them and as netcup and
DNS want them; TXT rdata, as it is sent and as it is compared.

A mail *domain* may lie below its *zone*: ``intern.example.com`` in the zone ``example.com`` has
its SPF record at the hostname ``intern``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from netcup_mailauth.errors import UsageError
from netcup_mailauth.kind import Kind as Kind
from netcup_mailauth.shown import visible

CCP = "ccp"
CLOUDDNS = "clouddns"
"""The names of netcup's two APIs, as they stand in plans and exports."""

EXPORTED = "file://zone-file"
"""The endpoint of a plan that was made from an exported zone; no API has it."""


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One record of a zone.

    Attributes:
        id: the API's identifier; ``None`` where it has none, or for a record not yet there. An
            address, no identity: other programs delete and create where this one updates.
        hostname: relative to the zone, in lower case; ``@`` for the apex.
        type: the record type in upper case.
        priority: as the API has it, ``"0"`` when unused.
        destination: the neutral value; a TXT record's is its joined text, without quotes.
        ttl: seconds; ``None`` where the API knows only one TTL for the whole zone.
        raw: the value as read, where it is not what our own encoder would write.
        immutable: whether the API keeps it from being changed.
    """

    id: str | None
    hostname: str
    type: str
    destination: str
    priority: str = "0"
    ttl: int | None = None
    raw: str | None = None
    immutable: bool = False


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone as read.

    ``revision`` identifies the state where the API has such a thing, and ``draft`` a newer one
    that is not committed yet, or may not be: then ``draft_state`` is what the API calls its state,
    a word that is not known. ``asked_at`` is when the API was asked for this state, and
    ``answered_at`` when all of it was there, by :func:`netcup_mailauth.clock.now`; ``None`` for a
    zone that no API was just asked for.
    """

    name: str
    backend: str
    records: tuple[DnsRecord, ...]
    revision: str | None = None
    draft: str | None = None
    draft_state: str | None = field(default=None, compare=False)
    asked_at: float | None = field(default=None, compare=False)
    answered_at: float | None = field(default=None, compare=False)

    def at(self, hostname: str, record_type: str) -> tuple[DnsRecord, ...]:
        """The records of one type at one hostname, in the zone's order."""
        return tuple(
            record
            for record in self.records
            if record.type == record_type and record.hostname == hostname
        )

    def delegation(self, hostname: str) -> tuple[DnsRecord, ...]:
        """The NS records that put a hostname into a zone of its own, at it or above it.

        Nothing that stands in this zone at or below them is ever served (RFC 1034, 4.2.1). The
        apex has NS records as well, which delegate nothing.
        """
        cuts = [r for r in self.records if r.type == "NS" and r.hostname != APEX]
        above = [r for r in cuts if f".{hostname}".endswith(f".{r.hostname}")]
        cut = min(above, key=lambda r: r.hostname.count("."), default=None)
        return () if cut is None else self.at(cut.hostname, "NS")

    def answering(self, hostname: str) -> tuple[DnsRecord, ...]:
        """The records that answer at a hostname: its own, else the closest wildcard's (RFC 4592).

        A wildcard answers for no name that is there, and a name is there also without records,
        as soon as one below it has some.
        """
        records = self._records_at(hostname)
        while not records and hostname != APEX and not self._has_below(hostname):
            _, _, hostname = hostname.partition(".")
            records = self._records_at(f"*.{hostname}" if hostname else "*")
            if not hostname or self.is_there(hostname):
                break
        return records

    def is_there(self, hostname: str) -> bool:
        """Whether a name exists in the zone: with records, or with names below it."""
        return bool(self._records_at(hostname)) or self._has_below(hostname)

    def _records_at(self, hostname: str) -> tuple[DnsRecord, ...]:
        return tuple(record for record in self.records if record.hostname == hostname)

    def _has_below(self, hostname: str) -> bool:
        return any(record.hostname.endswith(f".{hostname}") for record in self.records)


@dataclass(frozen=True, slots=True)
class DesiredRecord:
    """A record a domain should have.

    ``source`` says where a DKIM key comes from, in words; ``fingerprint`` is that key's.
    """

    kind: Kind
    hostname: str
    value: str
    source: str | None = None
    fingerprint: str | None = None


_CHUNK = re.compile(r'\s*"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(\d{3}|.)", re.DOTALL)


def join_txt(text: str) -> str:
    """The text of a TXT record: quoted chunks are joined, bare text is returned as it is.

    ``"v=spf1 mx" " -all"`` becomes ``v=spf1 mx -all``. The strings of one record are joined with
    nothing between them (RFC 7208, 3.3; RFC 6376, 3.6.2.2), escapes are those of zone files
    (RFC 1035, 5.1). Text that only looks quoted (a quote left open) is returned as it is.
    """
    quoted, at = text.strip(), 0
    chunks = []
    while at < len(quoted):
        match = _CHUNK.match(quoted, at)
        if match is None:
            return text
        chunks.append(_ESCAPE.sub(_unescape, match[1]))
        at = match.end()
    return "".join(chunks) if chunks else text


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code)) if len(code) == 3 and int(code) < 256 else code


APEX = "@"

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")

TWO_LABEL_SUFFIXES = frozenset({"co.uk", "org.uk", "me.uk", "co.at", "or.at", "com.de"})
"""Suffixes of two labels that netcup's pattern for a zone name knows.

Confidence: the first five of these are named in copies of netcup's WSDL, which lists more. One
that is missing here costs a look-up of the SOA record in DNS, nothing else.
"""


def normalise(text: str) -> str:
    """A domain name in lower case, in punycode, without the trailing dot.

    Raises UsageError if the text is no domain name (a URL, an address, a blank in it, one label),
    or one of a record: neither a mail domain nor a host has an underscore in it.
    """
    name = text.strip().rstrip(".").lower()
    if not name.isascii():
        name = _punycode(name, text)
    labels = name.split(".")
    if len(labels) < 2 or len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        bare = domain_in(name)
        raise UsageError(
            f"{text!r} is not a domain name.",
            f"Give the bare domain{f': {bare}' if bare else ', as in: example.com'}",
        )
    if any("_" in label for label in labels):
        at = max(place for place, label in enumerate(labels) if "_" in label)
        domain = ".".join(labels[at + 1 :])
        raise UsageError(
            f"{text!r} has an underscore, so it is the name of a record and no mail domain.",
            f"Give the domain itself: {domain}" if "." in domain else "Give the mail domain.",
        )
    if labels[-1].isdigit():
        raise UsageError(f"{text!r} is an address, not a domain name.", "Give the mail domain.")
    return name


_AROUND = r"(?:[a-z]+:/*)?(?:[^@/]*@)?([^@/:]+?)\.?(?::[0-9]+)?(?:/[\s\S]*)?"
"""A domain in the address of a website or a mailbox."""


def domain_in(text: str) -> str:
    """The domain in an address that was given in its place; empty where there is none."""
    match = re.fullmatch(_AROUND, text)
    name = match[1] if match else ""
    return name if name != text and is_name(name) else ""


def _punycode(name: str, text: str) -> str:
    # IDNA 2008 as browsers and netcup use it: the codec built into Python follows IDNA 2003 and
    # turns straße.de into another domain, strasse.de.
    import idna

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise UsageError(
            f"{text!r} is not a valid international domain name.",
            "Give it in punycode (xn--...), as your registrar shows it.",
        ) from None


def both_forms(name: str) -> str:
    """A domain as people know it, with its punycode: ``bücher.example (xn--bcher-kva.example)``.

    Only what leads back to the very same name and can be seen is put beside it: the name in DNS
    stands there always, as a letter may look like another.
    """
    if "xn--" not in name:
        return visible(name)
    import idna

    try:
        shown = idna.decode(name)
        back = normalise(shown)
    except (idna.IDNAError, UsageError):
        return visible(name)
    is_sound = back == name and shown != name and visible(shown) == shown
    return f"{shown} ({visible(name)})" if is_sound else visible(name)


def is_name(text: str) -> bool:
    """Whether a text is a domain name in the very form that :func:`normalise` gives it."""
    try:
        return text.isascii() and normalise(text) == text
    except UsageError:
        return False


def selector(text: str) -> str:
    """A DKIM selector in lower case: labels of letters, digits, ``-`` and ``_`` (RFC 6376, 3.1).

    Raises UsageError if it is no such thing; a whole host name is the usual mistake.
    """
    name = text.strip().lower()
    if not all(map(_LABEL.fullmatch, name.split("."))):
        raise UsageError(f"{text!r} is not a DKIM selector.", "It is a short name such as dkim.")
    if "_domainkey" in name:
        raise UsageError(
            f"{text!r} is a record's name, not a selector.",
            f"Give only what stands before ._domainkey: {name.partition('._domainkey')[0]}",
        )
    return name


def is_zone_form(name: str) -> bool:
    """Whether netcup's pattern for a zone name accepts it: one label and a suffix (fact 1.3)."""
    _, _, suffix = name.partition(".")
    return "." not in suffix or suffix in TWO_LABEL_SUFFIXES


def zone_form(name: str) -> str:
    """The part of ``name`` that has the form of a zone: ``example.com`` of ``a.b.example.com``."""
    while not is_zone_form(name):
        name = name.partition(".")[2]
    return name


def relative(name: str, zone: str) -> str:
    """``name`` as a hostname of ``zone``: ``@`` for the apex, else without the zone's name.

    Raises ValueError if the name does not lie in the zone.
    """
    if name == zone:
        return APEX
    if not name.endswith(f".{zone}"):
        raise ValueError(f"{name} does not lie in the zone {zone}")
    return name.removesuffix(f".{zone}")


def absolute(hostname: str, zone: str) -> str:
    """The full name of a hostname of ``zone``, without a trailing dot."""
    return zone if hostname == APEX else f"{hostname}.{zone}"


LONGEST_STRING = 255
"""Bytes of one character-string (RFC 1035, 3.3)."""

_ESCAPED = {ord('"'): '\\"', ord("\\"): "\\\\"}


def quoted(text: str) -> str:
    r"""The TXT rdata of ``text``: ``"v=spf1 mx -all"``, and ``"first 255 bytes" "rest"``.

    A character up to U+00FF stands for the byte of its number, as DNS answers are read here; a
    higher one for its bytes in UTF-8. Quotes and backslashes are escaped with a backslash, what
    is not printable ASCII as ``\DDD``.
    """
    data = b"".join(map(_bytes, text))
    strings = [data[at : at + LONGEST_STRING] for at in range(0, len(data), LONGEST_STRING)]
    return " ".join(f'"{"".join(map(_character, string))}"' for string in strings or [b""])


def _bytes(character: str) -> bytes:
    return character.encode("latin-1" if character <= "\xff" else "utf-8", "surrogatepass")


def _character(byte: int) -> str:
    if byte in _ESCAPED:
        return _ESCAPED[byte]
    return chr(byte) if 0x20 <= byte <= 0x7E else f"\\{byte:03}"


UNSTORABLE = {
    # Confidence: H for the first two, M for the third (fact 1.7).
    CCP: {
        '"': "netcup refuses a double quote in a TXT record",
        "\\": "netcup drops a backslash from a TXT record",
        "'": "netcup alters a single quote in a TXT record",
    },
    # These need an escape in rdata. That netcup takes those of zone files is a guess
    # (confidence: ?, fact 2.5), and no mail record needs one.
    CLOUDDNS: {
        '"': "whether netcup's REST API keeps a double quote in a TXT record is unknown",
        "\\": "whether netcup's REST API keeps a backslash in a TXT record is unknown",
    },
}
"""For each API the characters that do not survive there, with the reason."""


LONGEST = {
    # Confidence: M that 800 are kept, L beyond. 766 were tried by others (fact 1.7), and an RSA
    # key of 4096 bits, the longest that receivers have to take (RFC 8301, 3.2), makes 800.
    CCP: 1024,
    # Confidence: ?. More does not fit in the answers that name servers usually send by UDP.
    CLOUDDNS: 4096,
}
"""For each API the octets of the longest TXT text that is sent to it; what is cut off there would
be another record."""


def reason_not_to_store(text: str, api: str) -> str | None:
    """Why a TXT text should not be sent to the API of this name, or ``None``."""
    if not text:
        return "netcup refuses an empty TXT record"
    longest = LONGEST.get(api, max(LONGEST.values()))
    if len(text) > longest:
        return f"it has more than {longest} characters, and netcup is not known to keep so many"
    unstorable = UNSTORABLE.get(api, {})
    if text.isascii() and text.isprintable() and unstorable.keys().isdisjoint(text):
        return None
    for character in text:
        reason = unstorable.get(character)
        if reason is not None:
            return reason
        if not " " <= character <= "~":
            return f"whether netcup keeps the character {character!r} is unknown"
    return None

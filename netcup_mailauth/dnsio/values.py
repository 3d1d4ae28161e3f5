"""The records of an answer as the texts that :class:`netcup_mailauth.lookup.Answer` documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netcup_mailauth.dnsio.names import to_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from dns.message import Message
    from dns.name import Name
    from dns.rrset import RRset

    from netcup_mailauth.lookup import RecordType


def records(message: Message, name: Name, record_type: RecordType) -> RRset | None:
    """The records of this type at this very name, in the answer section; ``None`` for none."""
    import dns.rdataclass
    import dns.rdatatype

    return message.get_rrset(
        message.answer, name, dns.rdataclass.IN, dns.rdatatype.from_text(record_type)
    )


def texts(found: RRset, record_type: RecordType) -> tuple[str, ...]:
    """Each record as text, sorted: servers turn the order with every answer."""
    return tuple(sorted(map(_TEXT[record_type], found)))


def _soa(record: Any) -> str:
    numbers = (record.serial, record.refresh, record.retry, record.expire, record.minimum)
    return " ".join([to_text(record.mname), to_text(record.rname), *map(str, numbers)])


_TEXT: dict[RecordType, Callable[[Any], str]] = {
    "A": lambda record: str(record.address),
    "AAAA": lambda record: str(record.address),
    "CNAME": lambda record: to_text(record.target),
    "MX": lambda record: f"{record.preference} {to_text(record.exchange)}",
    "NS": lambda record: to_text(record.target),
    "PTR": lambda record: to_text(record.target),
    "SOA": _soa,
    "TXT": lambda record: b"".join(record.strings).decode("latin-1"),
}

"""From the bytes of a query to those of its response (RFC 1035, EDNS by RFC 6891)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rrset import RRset

    Transport = Literal["udp", "tcp"]

_HEADER = 12
_QR = 0x80
_PLAIN_SIZE = 512  # without EDNS
_LARGEST_UDP = 4096
_OUR_PAYLOAD = 1232  # what is recommended since the DNS flag day 2020
_LARGEST = 65535
_NO_FLAGS = dns.flags.Flag(0)
_TRANSFERS = frozenset({dns.rdatatype.AXFR, dns.rdatatype.IXFR})


@dataclass(frozen=True, slots=True)
class Result:
    """What is to be answered; `onward` is the end of a chain of aliases that leads elsewhere."""

    rcode: dns.rcode.Rcode
    answer: tuple[RRset, ...] = ()
    authority: tuple[RRset, ...] = ()
    flags: dns.flags.Flag = _NO_FLAGS
    onward: Name | None = None


#: What a name server says that stumbles.
SERVFAIL = Result(dns.rcode.SERVFAIL)


def read(wire: bytes) -> dns.message.Message | bytes | None:
    """The query that came in, with one question; else its response, if it gets one at all."""
    if len(wire) < _HEADER or wire[2] & _QR:
        return None  # answering a response could go on for ever between two servers
    if (wire[2] >> 3) & 0xF != dns.opcode.QUERY:
        return _bare(wire, dns.rcode.NOTIMP)
    try:
        query = dns.message.from_wire(wire, keyring=False)
    except (dns.exception.DNSException, ValueError, struct.error):
        return _bare(wire, dns.rcode.FORMERR)
    return query if len(query.question) == 1 else _bare(wire, dns.rcode.FORMERR)


def refusal(query: dns.message.Message, rcode: str | None) -> Result | None:
    """What a query is answered that cannot be, or, if there is an `rcode`, any other."""
    question = query.question[0]
    if query.edns > 0:
        return Result(dns.rcode.BADVERS)
    if question.rdclass != dns.rdataclass.IN or question.rdtype in _TRANSFERS:
        return Result(dns.rcode.REFUSED)
    return None if rcode is None else Result(dns.rcode.from_text(rcode))


def written(query: dns.message.Message, transport: Transport, result: Result) -> bytes:
    """The response, without records and with TC where it does not fit into a UDP packet.

    Records are sent in the order they are in: to shuffle them draws from the generator of the whole
    process, whose other users may rely on what it gives.
    """
    room = _LARGEST if transport == "tcp" else _udp_room(query)
    try:
        return _response(query, result).to_wire(max_size=room, want_shuffle=False)
    except dns.exception.TooBig:
        pass
    if transport == "tcp":
        return _response(query, SERVFAIL).to_wire()
    cut = Result(result.rcode, flags=result.flags | dns.flags.TC)
    return _response(query, cut).to_wire(max_size=room, want_shuffle=False)


def _udp_room(query: dns.message.Message) -> int:
    if query.edns < 0:
        return _PLAIN_SIZE
    return min(max(query.payload, _PLAIN_SIZE), _LARGEST_UDP)


def _response(query: dns.message.Message, result: Result) -> dns.message.Message:
    response = dns.message.make_response(query, our_payload=_OUR_PAYLOAD)
    response.set_rcode(result.rcode)
    response.flags |= result.flags
    response.answer = list(result.answer)
    response.authority = list(result.authority)
    return response


def _bare(wire: bytes, rcode: int) -> bytes:
    """A header alone: id, opcode and RD as in the query."""
    return wire[:2] + bytes([_QR | wire[2] & 0x79, rcode]) + bytes(8)

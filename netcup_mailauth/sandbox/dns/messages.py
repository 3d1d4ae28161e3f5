"""From the bytes of a query to those of its response (RFC 1035, EDNS by RFC 6891)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdatatype import RdataType
    from dns.rrset import RRset

    from netcup_mailauth.sandbox.dns.loop import Transport

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


#: What knows the answer to a question of class IN.
Responder = Callable[["Name", "RdataType"], Result]


def fail(_name: Name, _kind: RdataType) -> Result:
    """Answer SERVFAIL, whatever is asked."""
    return Result(dns.rcode.SERVFAIL)


def refuse(_name: Name, _kind: RdataType) -> Result:
    """Answer REFUSED, whatever is asked."""
    return Result(dns.rcode.REFUSED)


def answer(wire: bytes, transport: Transport, responder: Responder) -> bytes | None:
    """The response to what came in; None if there is none, as for a response."""
    if len(wire) < _HEADER or wire[2] & _QR:
        return None  # answering a response could go on for ever between two servers
    if (wire[2] >> 3) & 0xF != dns.opcode.QUERY:
        return _bare(wire, dns.rcode.NOTIMP)
    try:
        query = dns.message.from_wire(wire, keyring=False)
    except (dns.exception.DNSException, ValueError, struct.error):
        return _bare(wire, dns.rcode.FORMERR)
    if len(query.question) != 1:
        return _bare(wire, dns.rcode.FORMERR)
    return _sized(query, transport, _result(query, responder))


def _result(query: dns.message.Message, responder: Responder) -> Result:
    question = query.question[0]
    if query.edns > 0:
        return Result(dns.rcode.BADVERS)
    if question.rdclass != dns.rdataclass.IN or question.rdtype in _TRANSFERS:
        return Result(dns.rcode.REFUSED)
    try:
        return responder(question.name, question.rdtype)
    except Exception:  # noqa: BLE001 - so does a name server that stumbles; the others go on
        return Result(dns.rcode.SERVFAIL)


def _sized(query: dns.message.Message, transport: Transport, result: Result) -> bytes:
    """The response, without records and with TC where it does not fit into a UDP packet."""
    room = _LARGEST if transport == "tcp" else _udp_room(query)
    try:
        return _response(query, result).to_wire(max_size=room)
    except dns.exception.TooBig:
        pass
    if transport == "tcp":
        return _response(query, Result(dns.rcode.SERVFAIL)).to_wire()
    cut = Result(result.rcode, flags=result.flags | dns.flags.TC)
    return _response(query, cut).to_wire(max_size=room)


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

"""A name server on loopback, over UDP and TCP, that answers as a test says.

A script gives for a name and type what happens: one of the replies below, or a list of them, of
which each query takes the next and the last one stays. A name that is not in it does not exist.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

SHUT = b"<end of the connection>"
BARE = b"<no length before what follows>"


@dataclass
class Asked:
    """One query as it came in."""

    message: dns.message.QueryMessage
    over: str  # udp | tcp
    closing: threading.Event

    @property
    def key(self) -> tuple[str, str]:
        question = self.message.question[0]
        label = b".".join(question.name.labels[:-1]).decode("latin-1")
        return label.lower(), dns.rdatatype.to_text(question.rdtype)


Reply = Callable[[Asked], Sequence[bytes]]
Script = Mapping[tuple[str, Any], Reply | Sequence[Reply]]


def answer(*records: str, soa: str = "") -> Reply:
    """These records, with authority; ``soa`` goes to the authority section."""
    return message(records, soa=soa)


def nxdomain(*records: str, soa: str = "") -> Reply:
    return message(records, code="NXDOMAIN", soa=soa)


def rcode(code: str) -> Reply:
    return message((), code=code)


def without_authority(*records: str, code: str = "NOERROR") -> Reply:
    """What a cache, or a server that lost the zone, says."""
    return message(records, code=code, flags=dns.flags.Flag(0))


def message(
    records: Sequence[str],
    *,
    code: str = "NOERROR",
    soa: str = "",
    flags: dns.flags.Flag = dns.flags.AA,
) -> Reply:
    def reply(asked: Asked) -> list[bytes]:
        answer = dns.message.make_response(asked.message)
        answer.flags |= flags
        answer.set_rcode(dns.rcode.from_text(code))
        for section, texts in ((answer.answer, records), (answer.authority, [soa] if soa else [])):
            for text in texts:
                _add(section, *text.split(maxsplit=4))
        wire = answer.to_wire(max_size=65535)
        return [wire if asked.over == "tcp" or len(wire) <= 1232 else _cut(answer)]

    return reply


def _add(section: list[dns.rrset.RRset], name: str, ttl: str, *rest: str) -> None:
    new = dns.rrset.from_text(name, int(ttl), *rest)
    for known in section:
        if known.match(new.name, new.rdclass, new.rdtype, new.covers):
            known.add(new[0], new.ttl)
            return
    section.append(new)


def _cut(answer: dns.message.Message) -> bytes:
    answer.answer.clear()
    answer.flags |= dns.flags.TC
    return answer.to_wire()


def truncated(over_tcp: Reply) -> Reply:
    """Cut off over UDP, whatever it is; ``over_tcp`` otherwise."""

    def reply(asked: Asked) -> Sequence[bytes]:
        if asked.over == "tcp":
            return over_tcp(asked)
        return [_cut(dns.message.make_response(asked.message))]

    return reply


def always_cut(asked: Asked) -> list[bytes]:
    return [_cut(dns.message.make_response(asked.message))]


def drop(asked: Asked) -> list[bytes]:
    return []


def delayed(seconds: float, then: Reply) -> Reply:
    def reply(asked: Asked) -> Sequence[bytes]:
        asked.closing.wait(seconds)
        return then(asked)

    return reply


def all_at_once(*scripts: Script) -> list[Script]:
    """Nothing is answered before all of it was asked: whoever asks in turn hears nothing."""
    missing = {(number, key) for number, script in enumerate(scripts) for key in script}
    complete = threading.Event()

    def held(place: tuple[int, tuple[str, str]], then: Reply) -> Reply:
        def reply(asked: Asked) -> Sequence[bytes]:
            missing.discard(place)
            if not missing:
                complete.set()
            while not complete.wait(0.02) and not asked.closing.is_set():
                pass
            return then(asked)

        return reply

    return [
        {key: held((number, key), cast("Reply", then)) for key, then in script.items()}
        for number, script in enumerate(scripts)
    ]


def garbage(asked: Asked) -> list[bytes]:
    """The head of an answer, then nonsense."""
    return [asked.message.id.to_bytes(2, "big") + b"\x84\x00" + b"\x00\x01" * 4 + b"\xff" * 20]


def preceded_by(*datagrams: bytes, then: Reply) -> Reply:
    """What somebody forged comes in first."""
    return lambda asked: [*datagrams, *then(asked)]


def wrong_id(then: Reply) -> Reply:
    def reply(asked: Asked) -> list[bytes]:
        other = (asked.message.id ^ 1).to_bytes(2, "big")
        return [other + data[2:] for data in then(asked)]

    return reply


def other_question(asked: Asked) -> list[bytes]:
    query = dns.message.make_query("somebody.else", "A", id=asked.message.id)
    return [dns.message.make_response(query).to_wire()]


def raw(*pieces: bytes) -> Reply:
    """These very bytes; see ``SHUT`` and ``BARE``."""
    return lambda _: pieces


@dataclass
class NameServer:
    """What runs, and what it was asked."""

    port: int
    script: Script
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    messages: list[dns.message.QueryMessage] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def reply(self, data: bytes, over: str) -> Sequence[bytes]:
        query = dns.message.from_wire(data)
        assert isinstance(query, dns.message.QueryMessage)
        asked = Asked(query, over, self.closing)
        with self.lock:
            self.asked.append((*asked.key, over))
            self.messages.append(query)
            replies = self.script.get(asked.key, nxdomain())
            if isinstance(replies, Sequence):
                earlier = sum(known[:2] == asked.key for known in self.asked) - 1
                replies = replies[min(earlier, len(replies) - 1)]
        return replies(asked)


@contextmanager
def serving(script: Script) -> Iterator[NameServer]:
    """A server that follows the script until the block ends."""
    server = NameServer(0, script)

    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, link = self.request
            for reply in server.reply(data, "udp"):
                link.sendto(reply, self.client_address)

    class Stream(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            link: socket.socket = self.request
            size = int.from_bytes(link.recv(2), "big")
            pieces = list(server.reply(link.recv(size), "tcp"))
            bare = BARE in pieces
            for piece in pieces:
                if piece == SHUT:
                    return
                if piece != BARE:
                    link.sendall(piece if bare else len(piece).to_bytes(2, "big") + piece)
            with suppress(OSError):
                link.recv(1)  # until the client hangs up

    with _pair(Datagram, Stream) as (udp, tcp):
        server.port = udp.server_address[1]
        threads = [
            threading.Thread(target=each.serve_forever, args=(0.002,), name="serving")
            for each in (udp, tcp)
        ]
        for thread in threads:
            thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            udp.shutdown()
            tcp.shutdown()
            for thread in threads:
                thread.join()


class _Udp(socketserver.ThreadingUDPServer):
    max_packet_size = 65535


class _Tcp(socketserver.ThreadingTCPServer):
    request_queue_size = 64


@contextmanager
def _pair(
    datagram: type[socketserver.BaseRequestHandler], stream: type[socketserver.BaseRequestHandler]
) -> Iterator[tuple[_Udp, _Tcp]]:
    """A server of each sort on the same port."""
    while True:
        with _Tcp(("127.0.0.1", 0), stream) as tcp:
            try:
                udp = _Udp(tcp.server_address, datagram)
            except OSError:  # somebody has that port for UDP
                continue
            with udp:
                yield udp, tcp
                return


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))
        return int(link.getsockname()[1])

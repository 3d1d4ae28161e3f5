"""One small DNS for all judges: the zones of the corpus, as a ``Lookup`` and over the wire."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zonefile
from dns.rdtypes.ANY.TXT import TXT

from netcup_mailauth.lookup import Answer, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dns.name import Name
    from dns.rdatatype import RdataType

    from netcup_mailauth.lookup import Query

_LONGEST_STRING = 255
_LONGEST_CHAIN = 8
_NO_EDNS = 512
_MOST_PORTS = 20


class World:
    """Every name there is. A name that is added as failing answers SERVFAIL."""

    def __init__(self) -> None:
        self.data: dict[tuple[Name, RdataType], list[Any]] = {}
        self.names: set[Name] = set()
        self.failing: set[Name] = set()

    def add_zone(self, origin: str, text: str) -> None:
        """Add records in zone-file form, relative to ``origin``."""
        zone = dns.name.from_text(origin)
        for rrset in dns.zonefile.read_rrsets(
            text, default_ttl=60, origin=zone, relativize=False, rdclass=dns.rdataclass.IN
        ):
            self._add(rrset.name, rrset.rdtype, list(rrset))

    def add_text(self, name: str, strings: Sequence[str]) -> None:
        """Add a TXT record of these strings, the last one cut where DNS wants it."""
        *first, last = [text.encode() for text in strings]
        cut = [
            last[at : at + _LONGEST_STRING] for at in range(0, max(len(last), 1), _LONGEST_STRING)
        ]
        rdata = TXT(dns.rdataclass.IN, dns.rdatatype.TXT, [*first, *cut])
        self._add(dns.name.from_text(name), dns.rdatatype.TXT, [rdata])

    def _add(self, name: Name, rdtype: RdataType, rdatas: list[Any]) -> None:
        self.data.setdefault((name, rdtype), []).extend(rdatas)
        while name != dns.name.root:
            self.names.add(name)
            name = name.parent()

    @contextmanager
    def published(self, name: str, texts: Sequence[str]) -> Iterator[None]:
        """Have these texts, each a TXT record, and no others at a name for a while."""
        key = (dns.name.from_text(name), dns.rdatatype.TXT)
        before = self.data.pop(key, [])
        for text in texts:
            self.add_text(name, [text])
        try:
            yield
        finally:
            self.data[key] = before

    def fail(self, name: str) -> None:
        """Let every question about this name end in SERVFAIL."""
        self.failing.add(dns.name.from_text(name))

    def resolve(self, name: Name, rdtype: RdataType) -> tuple[Status, list[Any]]:
        """The answer to a question, through CNAMEs."""
        for _ in range(_LONGEST_CHAIN):
            if name in self.failing:
                return Status.SERVFAIL, []
            alias = self.data.get((name, dns.rdatatype.CNAME))
            if alias is None:
                break
            name = alias[0].target
        found = self.data.get((name, rdtype), [])
        if found:
            return Status.OK, found
        return (Status.EMPTY if name in self.names else Status.NXDOMAIN), []

    def lookup(self, queries: Sequence[Query]) -> list[Answer]:
        """The world as our own code asks it."""
        return [self._answer(query) for query in queries]

    def _answer(self, query: Query) -> Answer:
        status, rdatas = self.resolve(
            dns.name.from_text(query.name), dns.rdatatype.from_text(query.type)
        )
        return Answer(status, tuple(_text(rdata) for rdata in rdatas))

    def reply(self, wire: bytes, longest: int | None) -> bytes:
        """The world as a name server: a question as it comes in, the answer as it goes out."""
        question = dns.message.from_wire(wire)
        asked = question.question[0]
        status, rdatas = self.resolve(asked.name, asked.rdtype)
        reply = dns.message.make_response(question, recursion_available=True)
        if rdatas:
            reply.answer.append(dns.rrset.from_rdata_list(asked.name, 60, rdatas))
        reply.set_rcode(
            {
                Status.OK: dns.rcode.NOERROR,
                Status.EMPTY: dns.rcode.NOERROR,
                Status.NXDOMAIN: dns.rcode.NXDOMAIN,
            }.get(status, dns.rcode.SERVFAIL)
        )
        size = longest or max(question.payload, _NO_EDNS)
        try:
            return reply.to_wire(max_size=size)
        except dns.exception.TooBig:
            reply.answer.clear()
            reply.flags |= dns.flags.TC
            return reply.to_wire()

    @contextmanager
    def served(self) -> Iterator[int]:
        """Serve the world on loopback, UDP and TCP; the port it is at."""
        world = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                wire, sock = self.request
                sock.sendto(world.reply(wire, None), self.client_address)

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while head := self.rfile.read(2):
                    wire = world.reply(self.rfile.read(int.from_bytes(head, "big")), 65535)
                    self.wfile.write(len(wire).to_bytes(2, "big") + wire)

        udp, tcp = _bound(Udp, Tcp)
        with udp, tcp:
            threads = [
                threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
                for server in (udp, tcp)
            ]
            for thread in threads:
                thread.start()
            try:
                yield _port(udp)
            finally:
                udp.shutdown()
                tcp.shutdown()
                for thread in threads:
                    thread.join()


def _bound(
    udp_handler: type[socketserver.BaseRequestHandler],
    tcp_handler: type[socketserver.BaseRequestHandler],
) -> tuple[_Udp, _Tcp]:
    """Both servers on one port: a port that is free for UDP may be taken for TCP."""
    for _ in range(_MOST_PORTS):
        udp = _Udp(("127.0.0.1", 0), udp_handler)
        try:
            return udp, _Tcp(("127.0.0.1", _port(udp)), tcp_handler)
        except OSError:
            udp.server_close()
    raise RuntimeError("no port is free for both UDP and TCP")


def _port(server: socketserver.UDPServer) -> int:
    return int(server.socket.getsockname()[1])


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def _text(rdata: Any) -> str:
    """A value as :class:`~netcup_mailauth.lookup.Answer` has it."""
    match rdata.rdtype:
        case dns.rdatatype.TXT:
            return b"".join(rdata.strings).decode("latin-1")
        case dns.rdatatype.MX:
            return f"{rdata.preference} {rdata.exchange.to_text(omit_final_dot=True)}"
        case dns.rdatatype.PTR:
            return str(rdata.target.to_text(omit_final_dot=True))
        case _:
            return str(rdata.to_text())

"""How queries and responses travel: UDP, TCP, sizes, and what is no query."""

from __future__ import annotations

import random
import socket
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rdataclass
import pytest

from netcup_mailauth.sandbox import Sandbox
from tests.sandbox.client import DOMAIN, txt
from tests.sandbox.dnsclient import TIMEOUT, answers, ask, place, rcode, tcp, udp

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = "k" * 700


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    records = [
        txt("long", TEXT),
        *(txt("many", f"{n}" * 2000) for n in range(10, 25)),
        *(txt("huge", f"{n}" * 1000) for n in range(10, 50)),
    ]
    with Sandbox([], zones={DOMAIN: records}) as sandbox:
        yield sandbox.nameservers[1]


def query(hostname: str, payload: int | None = None) -> dns.message.Message:
    edns = {} if payload is None else {"use_edns": 0, "payload": payload}
    return dns.message.make_query(f"{hostname}.{DOMAIN}", "TXT", **edns)  # type: ignore[arg-type]


def test_a_long_text_is_split_into_strings_of_255(server: str) -> None:
    """Sent and stored as one (1.7), served in pieces (L38)."""
    answer = tcp(server, query("long"))
    assert [len(text) for text in answer.answer[0][0].strings] == [255, 255, 190]
    assert answers(answer, "TXT") == [TEXT]


@pytest.mark.parametrize("length", [254, 255, 256, 509, 510, 511, 764, 765, 766])
def test_texts_around_the_limit_of_a_string(length: int) -> None:
    text = "x" * length
    with Sandbox([], zones={DOMAIN: [txt("@", text)]}) as sandbox:
        assert answers(ask(sandbox.nameservers[0], DOMAIN, "TXT"), "TXT") == [text]


def test_without_edns_512_bytes_fit(server: str) -> None:
    answer = udp(server, query("long"))
    assert answer.flags & dns.flags.TC
    assert not answer.answer
    assert answer.edns == -1


@pytest.mark.parametrize(("payload", "fits"), [(100, False), (512, False), (749, False)])
def test_a_small_payload_is_honoured(server: str, payload: int, fits: bool) -> None:
    assert bool(udp(server, query("long", payload)).answer) is fits


def test_the_size_is_honoured_to_the_byte(server: str) -> None:
    size = len(udp(server, query("long", 4096)).to_wire(max_size=65535))
    assert udp(server, query("long", size)).answer
    assert udp(server, query("long", size - 1)).flags & dns.flags.TC


def test_with_edns_it_fits(server: str) -> None:
    answer = udp(server, query("long", 1232))
    assert answers(answer, "TXT") == [TEXT]
    assert answer.edns == 0
    assert answer.payload == 1232


def test_an_answer_draws_nothing_from_the_random_numbers_of_the_process(server: str) -> None:
    before = random.getstate()
    assert len(answers(tcp(server, query("many")), "TXT")) == 15
    assert random.getstate() == before


def test_what_does_not_fit_is_asked_for_by_tcp(server: str) -> None:
    host, port = place(server)
    for asked, count in ((query("long"), 1), (query("many", 1232), 15)):
        answer, by_tcp = dns.query.udp_with_fallback(asked, host, port=port, timeout=TIMEOUT)
        assert by_tcp
        assert len(answers(answer, "TXT")) == count


def test_what_does_not_even_fit_into_tcp_is_servfail(server: str) -> None:
    assert rcode(tcp(server, query("huge"))) == "SERVFAIL"
    assert rcode(ask(server, f"long.{DOMAIN}", "TXT")) == "NOERROR"


def test_an_edns_version_of_the_future_is_badvers(server: str) -> None:
    asked = dns.message.make_query(DOMAIN, "SOA", use_edns=1)
    assert rcode(udp(server, asked)) == "BADVERS"


def test_id_question_and_rd_come_back_as_sent(server: str) -> None:
    asked = dns.message.make_query("LoNg.Example.com", "TXT", flags=0, id=4711)
    answer = udp(server, asked)
    assert answer.id == 4711
    assert str(answer.question[0].name) == "LoNg.Example.com."
    assert not answer.flags & dns.flags.RD


# One connection


def framed(wire: bytes) -> bytes:
    return len(wire).to_bytes(2, "big") + wire


def read_exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        assert more, "closed"
        data += more
    return data


def read_one(connection: socket.socket) -> dns.message.Message:
    length = int.from_bytes(read_exactly(connection, 2), "big")
    return dns.message.from_wire(read_exactly(connection, length))


def test_many_queries_in_one_connection_and_in_pieces(server: str) -> None:
    with socket.create_connection(place(server), timeout=TIMEOUT) as connection:
        sent = [query("long"), query("many"), query("nothing"), query("long")]
        data = b"".join(framed(asked.to_wire()) for asked in sent)
        connection.sendall(data[:50])
        connection.sendall(data[50:51])
        connection.sendall(data[51:])
        assert [read_one(connection).id for _ in sent] == [asked.id for asked in sent]


def test_a_client_that_does_not_read_keeps_nobody_waiting(server: str) -> None:
    asked = framed(query("many").to_wire())
    with socket.create_connection(place(server), timeout=TIMEOUT) as lazy:
        lazy.setblocking(False)
        for _ in range(2000):  # 60 MB of answers
            try:
                lazy.send(asked)
            except BlockingIOError:
                break
        assert rcode(ask(server, f"long.{DOMAIN}", "TXT")) == "NOERROR"
        lazy.settimeout(TIMEOUT)
        for _ in range(200):
            assert len(answers(read_one(lazy), "TXT")) == 15


# What is no query


def exchange(server: str, wire: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(TIMEOUT)
        client.sendto(wire, place(server))
        return client.recv(65535)


@pytest.mark.parametrize(
    ("opcode", "code"),
    [(dns.opcode.NOTIFY, "NOTIMP"), (dns.opcode.UPDATE, "NOTIMP"), (dns.opcode.IQUERY, "NOTIMP")],
)
def test_other_opcodes_are_not_implemented(
    server: str, opcode: dns.opcode.Opcode, code: str
) -> None:
    asked = query("long")
    asked.set_opcode(opcode)
    answer = dns.message.from_wire(exchange(server, asked.to_wire()))
    assert (rcode(answer), answer.opcode(), answer.id) == (code, opcode, asked.id)


@pytest.mark.parametrize(
    "wire",
    [
        query("long").to_wire()[:-1],
        query("long").to_wire() + b"x",
        b"\x12\x34\x01\x00" + b"\xff" * 20,
        b"\x12\x34" + bytes(10),
        dns.message.make_query(DOMAIN, "A").to_wire()[:12],
    ],
    ids=["cut", "longer", "nonsense", "no question", "header"],
)
def test_garbage_is_formerr(server: str, wire: bytes) -> None:
    answer = exchange(server, wire)
    assert answer[:2] == wire[:2]
    assert rcode(dns.message.from_wire(answer)) == "FORMERR"


def test_responses_and_scraps_are_not_answered(server: str) -> None:
    response = dns.message.make_response(query("long"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        for wire in (response.to_wire(), b"", b"\x12\x34", bytes(11)):
            client.sendto(wire, place(server))
        with pytest.raises(TimeoutError):
            client.recv(100)


def test_other_classes_and_transfers_are_refused(server: str) -> None:
    chaos = dns.message.make_query("version.bind", "TXT", dns.rdataclass.CH)
    assert rcode(udp(server, chaos)) == "REFUSED"
    transfer = dns.message.make_query(DOMAIN, "AXFR")
    assert rcode(dns.message.from_wire(exchange(server, transfer.to_wire()))) == "REFUSED"


def test_a_signed_query_is_answered_all_the_same(server: str) -> None:
    asked = query("long", 1232)
    asked.use_tsig({dns.name.from_text("key."): b"secret"}, algorithm="hmac-sha256")
    answer = exchange(server, asked.to_wire())
    assert answers(dns.message.from_wire(answer), "TXT") == [TEXT]

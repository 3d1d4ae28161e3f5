"""Whatever a zone holds and whatever is sent, the servers go on answering."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import dns.message
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from netcup_mailauth.sandbox import Quirks, Sandbox
from netcup_mailauth.sandbox.zones import TYPES
from tests.effort import tries
from tests.sandbox.client import DOMAIN, Ccp, txt
from tests.sandbox.dnsclient import TIMEOUT, answers, ask, place, rcode, tcp, udp

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW = settings(
    max_examples=tries(60), database=None, deadline=None, suppress_health_check=list(HealthCheck)
)

QUERY = dns.message.make_query(DOMAIN, "SOA")

LABELS = st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True)
HOSTNAMES = st.sampled_from(["@", "*", "www", "_dmarc", "dkim._domainkey", "*.x"]) | st.lists(
    LABELS, min_size=1, max_size=4
).map(".".join)
CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXTS = st.text(CHARACTERS, min_size=1, max_size=2000).filter(
    lambda text: len(text.encode()) <= 2000
)
REPEATED = st.tuples(CHARACTERS, st.integers(1, 2000)).map(
    lambda pair: (pair[0] * pair[1]).encode()[:2000].decode(errors="ignore")
)
DESTINATIONS = st.text(max_size=20) | st.sampled_from(
    ["@", "203.0.113.1", "2001:db8::1", "mail.example.com", "0 issue x", "1 2 3 a.b", "\\# 1 00"]
)
ANY_RECORD = st.fixed_dictionaries(
    {
        "hostname": HOSTNAMES | st.text(min_size=1, max_size=8),
        "type": st.sampled_from(sorted(TYPES)),
        "destination": DESTINATIONS.filter(bool),
        "priority": st.integers(0, 10**17),
    }
)


@pytest.fixture(scope="module")
def ccp() -> Iterator[Ccp]:
    quirks = Quirks(lockout_after=None)
    with Sandbox([DOMAIN], rate=None, quirks=quirks) as sandbox, Ccp(sandbox) as client:
        client.login()
        yield client


def full_name(hostname: str) -> str:
    return DOMAIN if hostname == "@" else f"{hostname}.{DOMAIN}"


@FEW
@given(texts=st.lists(st.tuples(HOSTNAMES, TEXTS | REPEATED), min_size=1, max_size=4))
@example(texts=[("dkim._domainkey", "v=DKIM1;k=rsa;p=" + "A" * 1984), ("@", '\\"quoted\\"')])
def test_every_text_the_api_takes_is_served_whole(ccp: Ccp, texts: list[tuple[str, str]]) -> None:
    ccp.sandbox.set_zone(DOMAIN, [])
    ccp.update(*(txt(hostname, text) for hostname, text in texts))
    stored: dict[str, set[str]] = {}
    for record in ccp.sandbox.zone(DOMAIN):
        stored.setdefault(record["hostname"].lower(), set()).add(record["destination"])
    for server in ccp.sandbox.nameservers:
        for hostname, wanted in stored.items():
            assert set(answers(ask(server, full_name(hostname), "TXT"), "TXT")) == wanted


@FEW
@given(records=st.lists(ANY_RECORD, max_size=6))
def test_no_record_is_too_strange(ccp: Ccp, records: list[dict[str, Any]]) -> None:
    ccp.sandbox.set_zone(DOMAIN, [*records, txt("still-there", "x")])
    for server in (ccp.sandbox.nameservers[0], ccp.sandbox.resolver):
        assert rcode(ask(server, DOMAIN, "ANY")) == "NOERROR"
        asked = ask(server, f"still-there.{DOMAIN}", "TXT")
        assert answers(asked, "TXT") == ["x"] or any(r["type"] == "NS" for r in records)


ASKED = dns.message.make_query(DOMAIN, "TXT", use_edns=0).to_wire()


def altered(edits: list[tuple[int, int]]) -> bytes:
    wire = bytearray(ASKED)
    for where, byte in edits:
        wire[where % len(wire)] = byte
    return bytes(wire)


BYTES = st.integers(0, 255)
WIRES = st.binary(max_size=80) | st.lists(st.tuples(BYTES, BYTES), max_size=4).map(altered)


@FEW
@given(wires=st.lists(WIRES, min_size=1, max_size=10))
def test_random_bytes_by_udp(ccp: Ccp, wires: list[bytes]) -> None:
    for server in (ccp.sandbox.nameservers[1], ccp.sandbox.resolver):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for wire in wires:
                client.sendto(wire, place(server))
        assert rcode(udp(server, QUERY)) == "NOERROR"


@FEW
@given(wires=st.lists(WIRES, min_size=1, max_size=10), tail=st.binary(max_size=40))
def test_random_bytes_by_tcp(ccp: Ccp, wires: list[bytes], tail: bytes) -> None:
    for server in (ccp.sandbox.nameservers[1], ccp.sandbox.resolver):
        with socket.create_connection(place(server), timeout=TIMEOUT) as client:
            client.sendall(b"".join(len(w).to_bytes(2, "big") + w for w in wires) + tail)
        assert rcode(tcp(server, QUERY)) == "NOERROR"

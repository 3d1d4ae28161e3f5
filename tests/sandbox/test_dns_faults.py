"""Servers that fail when told to, and the statistics."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.message
import dns.nameserver
import dns.query
import pytest
import requests

from netcup_mailauth.sandbox import Sandbox
from tests.sandbox.client import DOMAIN, Ccp, txt
from tests.sandbox.dnsclient import answers, ask, place, rcode, resolver, tcp, udp
from tests.soon import once_within

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clock, Start

QUERY = dns.message.make_query(DOMAIN, "A")


def works(server: str) -> bool:
    return answers(udp(server, QUERY), "A") == answers(tcp(server, QUERY), "A") == ["203.0.113.10"]


def test_off_refuses_connections_until_ok(ccp: Ccp) -> None:
    sandbox, server = ccp.sandbox, ccp.sandbox.nameservers[0]
    assert works(server)
    with socket.create_connection(place(server), timeout=5) as kept:
        for _ in range(3):
            sandbox.dns_fault(0, "off")
            sandbox.dns_fault(0, "off")
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(place(server), timeout=5)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(5)
                client.connect(place(server))
                client.send(QUERY.to_wire())
                with pytest.raises(ConnectionRefusedError):
                    client.recv(100)
            assert works(sandbox.nameservers[1])
            sandbox.dns_fault(0, "ok")
            assert works(server)
        with contextlib.suppress(ConnectionResetError):
            assert kept.recv(100) == b""


def test_drop_says_nothing(ccp: Ccp) -> None:
    server = ccp.sandbox.nameservers[1]
    ccp.sandbox.dns_fault(1, "drop")
    for transport in (udp, tcp):
        with pytest.raises(dns.exception.Timeout):
            transport(server, QUERY, timeout=0.2)
    ccp.sandbox.dns_fault(1, "ok")
    assert works(server)
    assert ccp.sandbox.stats()["dns"] == [0, 4, 0]


@pytest.mark.parametrize(("mode", "code"), [("servfail", "SERVFAIL"), ("refused", "REFUSED")])
def test_servfail_and_refused(ccp: Ccp, mode: str, code: str) -> None:
    ccp.sandbox.dns_fault(2, mode)
    server = ccp.sandbox.nameservers[2]
    for answer in (udp(server, QUERY), tcp(server, QUERY)):
        assert rcode(answer) == code
        assert answer.question == QUERY.question
        assert not answer.answer
    assert works(ccp.sandbox.nameservers[0])


def test_slow_is_slow_for_its_own_server_only(ccp: Ccp) -> None:
    ccp.sandbox.dns_fault(0, "slow", delay=0.5)
    with ThreadPoolExecutor(12) as pool:
        began = time.monotonic()
        slow = [pool.submit(works, ccp.sandbox.nameservers[0]) for _ in range(12)]
        assert all(job.result() for job in slow)
        took = time.monotonic() - began
    assert 1.0 <= took < 12 * 1.0  # each asks twice; side by side, not in a queue
    ccp.sandbox.dns_fault(0, "slow", delay=60)
    assert works(ccp.sandbox.nameservers[1])


def test_slow_answers_do_not_hold_up_the_end() -> None:
    with Sandbox([DOMAIN]) as sandbox:
        sandbox.dns_fault(0, "slow", delay=30)
        with pytest.raises(dns.exception.Timeout):
            udp(sandbox.nameservers[0], QUERY, timeout=0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 15


def test_late_answers_end_with_the_sandbox_and_leave_no_thread() -> None:
    threads = set(threading.enumerate())
    with Sandbox([DOMAIN]) as sandbox:
        sandbox.dns_fault(0, "slow", delay=30)
        for transport in (udp, tcp):
            with pytest.raises(dns.exception.Timeout):
                transport(sandbox.nameservers[0], QUERY, timeout=0.1)
        sandbox.dns_fault(0, "off")
        sandbox.dns_fault(0, "ok")
        assert works(sandbox.nameservers[0])
    assert set(threading.enumerate()) == threads


def test_stale_stands_still(ccp: Ccp) -> None:
    ccp.sandbox.dns_fault(1, "stale")
    ccp.update(txt("new", "x"))
    seen = [answers(ask(s, f"new.{DOMAIN}", "TXT"), "TXT") for s in ccp.sandbox.nameservers]
    assert seen == [["x"], [], ["x"]]
    ccp.sandbox.dns_fault(1, "ok")
    assert answers(ask(ccp.sandbox.nameservers[1], f"new.{DOMAIN}", "TXT"), "TXT") == ["x"]


def test_stale_keeps_what_was_published_not_what_the_api_has(start: Start, clock: Clock) -> None:
    ccp = start(publish_delays=(60, 60, 60), clock=clock)
    ccp.update(txt("new", "x"))
    ccp.sandbox.dns_fault(0, "stale")
    clock.now += 1000
    seen = [answers(ask(s, f"new.{DOMAIN}", "TXT"), "TXT") for s in ccp.sandbox.nameservers]
    assert seen == [[], ["x"], ["x"]]


def test_garbage_is_no_message(ccp: Ccp) -> None:
    ccp.sandbox.dns_fault(0, "garbage")
    for transport in (udp, tcp):
        with pytest.raises(dns.exception.DNSException) as caught:
            transport(ccp.sandbox.nameservers[0], QUERY)
        assert not isinstance(caught.value, dns.exception.Timeout)


@pytest.mark.parametrize("mode", ["off", "drop", "servfail", "garbage"])
def test_another_server_stands_in(ccp: Ccp, mode: str) -> None:
    """A client that knows all three, such as any resolver, finds one that answers."""
    ccp.sandbox.dns_fault(0, mode)
    client = resolver(ccp.sandbox.nameservers[0])
    client.timeout = 0.3
    client.nameservers = [
        dns.nameserver.Do53Nameserver(*place(server)) for server in ccp.sandbox.nameservers[:2]
    ]
    assert str(client.resolve(DOMAIN, "A")[0]) == "203.0.113.10"


@pytest.mark.parametrize(
    ("mode", "code"), [("servfail", "SERVFAIL"), ("refused", "REFUSED"), ("ok", "NOERROR")]
)
def test_the_resolver_fails_too(ccp: Ccp, mode: str, code: str) -> None:
    ccp.sandbox.resolver_fault(mode)
    assert rcode(udp(ccp.sandbox.resolver, QUERY)) == code
    assert works(ccp.sandbox.nameservers[0])


def test_the_resolver_drops(ccp: Ccp) -> None:
    ccp.sandbox.resolver_fault("drop")
    with pytest.raises(dns.exception.Timeout):
        udp(ccp.sandbox.resolver, QUERY, timeout=0.2)
    ccp.sandbox.resolver_fault("ok")
    assert works(ccp.sandbox.resolver)


# Over HTTP


def post(ccp: Ccp, name: str, body: object) -> requests.Response:
    return requests.post(f"{ccp.sandbox.control_url}/{name}", json=body, timeout=5)


def test_faults_by_http(ccp: Ccp) -> None:
    assert post(ccp, "dns", {"server": 0, "mode": "servfail"}).status_code == 200
    assert rcode(udp(ccp.sandbox.nameservers[0], QUERY)) == "SERVFAIL"
    assert post(ccp, "dns", {"server": "resolver", "mode": "refused"}).status_code == 200
    assert rcode(udp(ccp.sandbox.resolver, QUERY)) == "REFUSED"
    assert post(ccp, "dns", {"server": 0, "mode": "off"}).status_code == 200
    assert post(ccp, "dns", {"server": 0, "mode": "slow", "delay": 0.1}).status_code == 200
    assert works(ccp.sandbox.nameservers[0])


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, "mode"),
        ({"server": 3, "mode": "ok"}, "server"),
        ({"server": -1, "mode": "ok"}, "server"),
        ({"server": True, "mode": "ok"}, "server"),
        ({"server": "0", "mode": "ok"}, "server"),
        ({"server": [0], "mode": "ok"}, "server"),
        ({"mode": "ok"}, "server"),
        ({"server": 0, "mode": "explode"}, "mode"),
        ({"server": 0, "mode": ["ok"]}, "mode"),
        ({"server": 0, "mode": "slow", "delay": "long"}, "delay"),
        ({"server": 0, "mode": "slow", "delay": -1}, "delay"),
        ({"server": 0, "mode": "slow", "delay": True}, "delay"),
        ({"server": 0, "mode": "ok", "times": 1}, "times"),
    ],
)
def test_a_bad_fault_is_400_and_says_where(ccp: Ccp, body: Any, names: str) -> None:
    response = post(ccp, "dns", body)
    assert response.status_code == 400
    assert names in response.json()["error"]
    assert works(ccp.sandbox.nameservers[0])


def test_reset_ends_everything(ccp: Ccp) -> None:
    for number, mode in enumerate(("off", "drop", "stale")):
        ccp.sandbox.dns_fault(number, mode)
    ccp.sandbox.resolver_fault("servfail")
    udp(ccp.sandbox.resolver, QUERY)
    ccp.sandbox.set_zone(DOMAIN, [txt("@", "x")])
    assert post(ccp, "reset", {}).status_code == 200
    assert ccp.sandbox.stats()["resolver"] == 0
    assert all(works(server) for server in [*ccp.sandbox.nameservers, ccp.sandbox.resolver])


def test_queries_are_counted(ccp: Ccp) -> None:
    for _ in range(3):
        udp(ccp.sandbox.nameservers[2], QUERY)
    tcp(ccp.sandbox.nameservers[0], QUERY)
    udp(ccp.sandbox.resolver, QUERY)
    told = ccp.sandbox.stats()
    assert told["dns"] == [1, 0, 3]
    assert told["resolver"] == 1


# Start and stop


def test_a_sandbox_that_does_not_run_has_no_servers_to_fail() -> None:
    sandbox = Sandbox([DOMAIN])
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.nameservers
    with pytest.raises(RuntimeError, match="not running"):
        sandbox.dns_fault(0, "off")
    with sandbox:
        pass
    with pytest.raises(RuntimeError, match="not running"):
        sandbox.dns_fault(0, "off")
    sandbox.reset()


def test_after_the_end_the_ports_are_closed() -> None:
    with Sandbox([DOMAIN]) as sandbox:
        servers = [*sandbox.nameservers, sandbox.resolver]
        kept = [socket.create_connection(place(server), timeout=5) for server in servers]
        sandbox.dns_fault(1, "off")
    for connection in kept:
        connection.close()
    for server in servers:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(place(server), timeout=5)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind(place(server))


def test_it_stops_fast_while_it_is_asked() -> None:
    def stop() -> float:
        with Sandbox([DOMAIN]) as sandbox, socket.socket() as idle:
            idle.connect(place(sandbox.resolver))
            udp(sandbox.resolver, QUERY)
            began = time.monotonic()
            sandbox.close()
            return time.monotonic() - began

    assert once_within(0.1, stop)

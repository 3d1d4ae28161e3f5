"""The sandbox as a whole: addresses, start, stop, state file, TLS, many clients at once."""

from __future__ import annotations

import gc
import json
import os
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from netcup_mailauth.sandbox import Quirks, Sandbox
from tests.sandbox.client import DOMAIN, SPF, Ccp, txt, values
from tests.soon import once_within

if TYPE_CHECKING:
    from tests.sandbox.conftest import Start


def test_banner_and_env(ccp: Ccp) -> None:
    banner = json.loads(json.dumps(ccp.sandbox.banner()))
    assert list(banner) == [
        "ccp_endpoint",
        "rest_endpoint",
        "rest_key",
        "mailcow_url",
        "mailcow_rw_key",
        "nameservers",
        "control_url",
        "env",
    ]
    env = banner["env"]
    assert env == ccp.sandbox.env
    assert env["NETCUP_CCP_ENDPOINT"] == banner["ccp_endpoint"] == ccp.sandbox.ccp_endpoint
    assert env["MAILCOW_URL"] == banner["mailcow_url"] == ccp.sandbox.mailcow_url
    assert len(env["NETCUP_API_KEY"]) == 50  # 64 would be a key of the REST API
    assert env["NETCUP_CUSTOMER_NUMBER"].isdigit()
    assert env["NETCUP_REST_ENDPOINT"] == banner["rest_endpoint"] == ccp.sandbox.rest_endpoint
    assert ccp.sandbox.rest_endpoint == f"{ccp.sandbox.control_url.removesuffix('/control')}/v1"
    assert len(banner["rest_key"]) == 64
    assert banner["rest_key"] == ccp.sandbox.rest_key
    assert {name for name, value in env.items() if not value} == {"NETCUP_REST_API_KEY"}
    assert banner["nameservers"] == ccp.sandbox.nameservers
    assert env["NETCUP_MAILAUTH_NAMESERVERS"] == ",".join(ccp.sandbox.nameservers)
    assert env["NETCUP_MAILAUTH_RESOLVER"] == ccp.sandbox.resolver
    assert ccp.sandbox.ccp_endpoint.endswith("/run/webservice/servers/endpoint.php?JSON")


def test_it_listens_on_loopback_only(ccp: Ccp) -> None:
    for url in (ccp.sandbox.ccp_endpoint, ccp.sandbox.mailcow_url, ccp.sandbox.control_url):
        assert url.startswith("http://127.0.0.1:")
    servers = [*ccp.sandbox.nameservers, ccp.sandbox.resolver]
    assert len(set(servers)) == 4
    assert all(server.startswith("127.0.0.1:") for server in servers)


def test_the_port_can_be_chosen() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Sandbox([DOMAIN], port=port) as sandbox:
        assert sandbox.control_url == f"http://127.0.0.1:{port}/control"
        with pytest.raises(OSError, match="in use"), Sandbox([DOMAIN], port=port):
            pass
    with Sandbox([DOMAIN], port=port):  # and is free again
        pass


def test_it_starts_and_stops_fast() -> None:
    def start() -> float:
        began = time.monotonic()
        with Sandbox([DOMAIN]):
            return time.monotonic() - began

    def stop() -> float:
        with Sandbox([DOMAIN]) as sandbox, requests.Session() as http:
            http.get(f"{sandbox.control_url}/stats", timeout=5)
            began = time.monotonic()
            sandbox.close()
            return time.monotonic() - began

    assert once_within(0.1, start)
    assert once_within(0.1, stop)


def test_stop_is_clean() -> None:
    """With an idle and a waiting client and a late job: no thread, no socket is left."""
    gc.collect()
    threads = set(threading.enumerate())
    with Sandbox([DOMAIN], latency=30) as sandbox, requests.Session() as http:
        port = int(sandbox.mailcow_url.rsplit(":", 1)[1])
        http.get(f"{sandbox.control_url}/stats", timeout=5)
        with pytest.raises(requests.Timeout):
            http.post(sandbox.ccp_endpoint, data="{}", timeout=0.1)
        sandbox._timers.later(30, lambda _: None)
        endpoint = sandbox.ccp_endpoint
        began = time.monotonic()
        sandbox.close()
        sandbox.close()
        assert time.monotonic() - began < 15
        assert set(threading.enumerate()) == threads
        with pytest.raises(requests.ConnectionError):
            requests.post(endpoint, timeout=1)
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), timeout=1)
    gc.collect()  # a socket that was not closed would warn here


def test_without_running_it_has_no_address() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = Sandbox([DOMAIN]).ccp_endpoint


def test_latency_delays_netcup_but_not_control(start: Start) -> None:
    client = start(latency=0.25)
    began = time.monotonic()
    client.login()
    assert time.monotonic() - began >= 0.25
    with Sandbox([DOMAIN], latency=60) as slow:
        assert requests.get(f"{slow.control_url}/stats", timeout=30).ok


def test_a_kept_connection_costs_no_40_ms(ccp: Ccp) -> None:
    def call() -> float:
        began = time.monotonic()
        ccp.call("infoDnsZone", domainname=DOMAIN)
        return time.monotonic() - began

    assert once_within(0.03, call)
    assert ccp.sandbox.stats()["connections"] == 1


# Zones to begin with


def test_zones_in_wire_form() -> None:
    zones: dict[str, list[dict[str, object]]] = {
        "example.org": [txt("@", "v=spf1 -all", id="12", ttl=None), txt("a", "b", priority=3)]
    }
    with Sandbox([DOMAIN], zones=zones) as sandbox:
        assert [record["id"] for record in sandbox.zone("example.org")] == ["12", "405413"]
        assert sandbox.zone("Example.ORG")[1]["priority"] == "3"
        assert len(sandbox.zone(DOMAIN)) == 13
        with pytest.raises(ValueError, match=r"no zone 'foreign\.de'"):
            sandbox.zone("foreign.de")


@pytest.mark.parametrize(
    ("record", "names"),
    [
        ("text", "record 2"),
        ({"hostname": "a", "type": "TXT"}, "'destination'"),
        ({"hostname": "", "type": "TXT", "destination": "x"}, "'hostname'"),
        ({"hostname": "a", "type": "txt", "destination": "x"}, "'type'"),
        ({"hostname": "a", "type": "TXT", "destination": 7}, "'destination'"),
        (txt("a", "b", id="x"), "'id'"),
        (txt("a", "b", id=0), "'id'"),
        (txt("a", "b", id=True), "'id'"),
        (txt("a", "b", priority="high"), "'priority'"),
        (txt("a", "b", prio=1), "'prio'"),
    ],
)
def test_a_bad_record_is_named(record: Any, names: str) -> None:
    with pytest.raises(ValueError, match=names) as caught:
        Sandbox(zones={"example.org": [txt("ok", "fine"), record]})
    assert "zone example.org, record 2" in str(caught.value)


def test_an_id_used_twice_is_named() -> None:
    twice = [txt("a", "b", id=7), txt("c", "d", id="7")]
    with pytest.raises(ValueError, match="the id 7 is used twice"):
        Sandbox(zones={"example.org": twice})
    with pytest.raises(ValueError, match=r"the id 7 belongs to the zone example\.org"):
        Sandbox(zones={"example.org": twice[:1], "example.net": twice[1:]})


@pytest.mark.parametrize("name", ["sub.example.com", "example", "a_b.de"])
def test_a_domain_must_be_a_zone_name(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Sandbox([name])


def test_a_bad_dkim_key_is_named() -> None:
    with pytest.raises(ValueError, match=DOMAIN):
        Sandbox([DOMAIN], dkim_keys={DOMAIN: "v=DKIM1"})


def test_a_bad_quirk_is_named() -> None:
    with pytest.raises(ValueError, match=r"'ties' .* 'stored', 'shuffled'"):
        Quirks(ties="whatever")  # type: ignore[arg-type]


# State


def dkim_answer(sandbox: Sandbox) -> object:
    headers = {"X-API-Key": str(sandbox.env["MAILCOW_API_KEY"])}
    url = f"{sandbox.mailcow_url}/api/v1/get/dkim/{DOMAIN}"
    return requests.get(url, headers=headers, timeout=5).json()


def test_state_remembers_domains_that_are_no_longer_named(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with Sandbox([DOMAIN], state=state):
        pass
    with Sandbox(["example.org"], state=state) as sandbox:
        assert list(sandbox.stats()["zones"]) == ["example.org", DOMAIN]
        assert dkim_answer(sandbox)


def test_state_survives_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with Sandbox([DOMAIN], state=state) as sandbox, Ccp(sandbox) as client:
        client.login()
        spf = next(record for record in client.records() if record["destination"] == SPF)
        client.update({**spf, "destination": "v=spf1 -all"}, txt("new", "ü"))
        key = sandbox.set_dkim(DOMAIN, "s2", bits=1024)
        pem = sandbox.dkim_private_key(DOMAIN)
        serial, before = client.serial(), client.records()
        assert json.loads(state.read_text())["last_id"] == 405413  # already, not only at close
    assert state.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    with Sandbox([DOMAIN, "example.org"], state=state) as sandbox, Ccp(sandbox) as client:
        client.login()
        assert client.records() == before
        assert client.serial() == serial
        assert len(client.records("example.org")) == 13
        ids = [record["id"] for record in client.records() + client.records("example.org")]
        assert len(set(ids)) == len(ids)
        assert sandbox.dkim_private_key(DOMAIN) == pem
        assert key in str(dkim_answer(sandbox))
        sandbox.reset()
        assert SPF in values(sandbox.zone(DOMAIN), "@")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"schema": 2}', '{"schema": 3}', '{"schema":1,"zones":[{}]}']
)
def test_a_foreign_state_file_is_refused(tmp_path: Path, text: str) -> None:
    state = tmp_path / "state.json"
    state.write_text(text)
    with pytest.raises(ValueError, match=r"state\.json does not hold the state of a sandbox"):
        Sandbox([DOMAIN], state=state)
    assert state.read_text() == text


def test_a_state_that_could_not_be_kept_in_the_end_is_refused_in_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    for folder in ("missing", "missing/too", "file"):
        with pytest.raises(ValueError, match=r"x\.json cannot be written: there is no folder"):
            Sandbox([DOMAIN], state=tmp_path / folder / "x.json")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ValueError, match="is not yours to write to"):
        Sandbox([DOMAIN], state=tmp_path / "x.json")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# TLS


def test_tls_with_a_throw_away_ca() -> None:
    with Sandbox([DOMAIN], tls=True) as sandbox:
        env = sandbox.env
        ca_file = Path(str(env["REQUESTS_CA_BUNDLE"]))
        assert env["SSL_CERT_FILE"] == env["CURL_CA_BUNDLE"] == str(ca_file)
        paths = (sandbox.ccp_endpoint, sandbox.rest_endpoint, sandbox.control_url)
        for url in (*paths, sandbox.mailcow_url):
            assert url.startswith("https://127.0.0.1:")
        body = {"action": "login", "param": {"apikey": "x"}}
        answer = requests.post(sandbox.ccp_endpoint, json=body, verify=str(ca_file), timeout=5)
        assert answer.json()["statuscode"] == 4013
        by_name = sandbox.control_url.replace("127.0.0.1", "localhost")
        requests.get(f"{by_name}/stats", verify=str(ca_file), timeout=5).raise_for_status()
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(sandbox.mailcow_url, timeout=5)
    assert not ca_file.parent.exists()


@pytest.mark.parametrize("name", ["ccp.netcup.net", "api.netcup.com", "localhost"])
def test_tls_by_the_names_that_other_programs_have_fixed_in_them(name: str) -> None:
    with Sandbox([DOMAIN], tls=True) as sandbox:
        context = ssl.create_default_context(cafile=str(sandbox.env["SSL_CERT_FILE"]))
        port = int(sandbox.control_url.split(":")[2].partition("/")[0])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=name) as connection,
        ):
            # With a slash too many in front, as one of them sends it.
            asked = f"GET //v1/domain HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
            connection.sendall(asked.encode())
            answer = connection.makefile("rb").read()
        assert b"authenticationError" in answer


def test_tls_passes_the_strict_checks_of_newer_pythons() -> None:
    with Sandbox([DOMAIN], tls=True) as sandbox:
        context = ssl.create_default_context(cafile=str(sandbox.env["SSL_CERT_FILE"]))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        port = int(sandbox.mailcow_url.rsplit(":", 1)[1])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            assert connection.version() in ("TLSv1.2", "TLSv1.3")


def test_tls_a_client_that_says_nothing_or_nonsense_does_no_harm() -> None:
    with Sandbox([DOMAIN], tls=True) as sandbox:
        port = int(sandbox.mailcow_url.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as nonsense:
                nonsense.sendall(b"GET / HTTP/1.1\r\n\r\n")
                nonsense.recv(1000)
            ca_file = str(sandbox.env["SSL_CERT_FILE"])
            answer = requests.get(sandbox.mailcow_url, verify=ca_file, timeout=5)
            assert answer.status_code == 404


# Many at once, and bad HTTP


def test_twenty_threads(start: Start) -> None:
    """No change is lost, ids are unique, and the serial counts every change."""
    client = start(rate=None)
    first = client.serial()

    def work(number: int) -> None:
        with Ccp(client.sandbox) as worker:
            worker.login()
            for turn in range(5):
                answer = worker.update(txt(f"t{number}", f"{turn}"))
                assert answer["statuscode"] == 2000
            assert worker.call("logout")["statuscode"] == 2000

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(work, range(20)))
    records = client.records()
    assert len(records) == 113
    assert len({record["id"] for record in records}) == 113
    assert client.serial() == first + 100
    told = client.sandbox.stats()
    assert told["connections"] == 21
    assert told["logins_open"] == 1


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"501"),
    ],
)
def test_bad_http_is_refused_quietly(
    ccp: Ccp, capfd: pytest.CaptureFixture[str], head: bytes, status: bytes
) -> None:
    port = int(ccp.sandbox.mailcow_url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(head)
        assert status in connection.recv(1000)
    assert capfd.readouterr() == ("", "")


def test_curl_waiting_for_100_continue_is_let_go_on(ccp: Ccp) -> None:
    port = int(ccp.sandbox.control_url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(
            b"POST /control/reset HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(b"{}")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_body_cut_short_does_nothing(ccp: Ccp) -> None:
    port = int(ccp.sandbox.control_url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(
            b"POST /control/reset HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{}"
        )
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1000) == b""
    assert ccp.sandbox.stats()["requests"] == {"login": 1}

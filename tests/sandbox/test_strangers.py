"""Who else is on this machine: web pages that point a name here, and those who know old keys."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
import requests

from netcup_mailauth.sandbox import Sandbox
from tests.sandbox.client import DOMAIN, Ccp

if TYPE_CHECKING:
    from pathlib import Path

PORTS = ("ccp", "rest", "mailcow", "control")
SECRETS = ("NETCUP_API_KEY", "NETCUP_API_PASSWORD", "NETCUP_REST_API_KEY", "MAILCOW_API_KEY")
OURS = ["127.0.0.1", "127.8.0.1:80", "localhost:80", "LOCALHOST", "[::1]", "[::1]:8053"]
OURS += ["ccp.netcup.net", "api.netcup.com:443"]
FOREIGN = [
    "evil.example",
    "evil.example:80",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "ccp.netcup.net.evil.example",
    "www.netcup.com",
    "netcup.net",
    "a@127.0.0.1",
    "127.0.0.1/x",
    "127.0.0.1?x",
    "127.0.0.1#x",
    "10.0.0.1",
    "0.0.0.0",
    "[::1",
    "[::2]",
    "[",
    "localhost:many",
    "",
]


def url_of(sandbox: Sandbox, port: str) -> str:
    """Something that each port answers with 200 to those who are let in."""
    return {
        "ccp": sandbox.ccp_endpoint,
        "rest": f"{sandbox.rest_endpoint}/domain?fqdn={DOMAIN}",
        "mailcow": f"{sandbox.mailcow_url}/api/v1/get/domain/all",
        "control": f"{sandbox.control_url}/stats",
    }[port]


def keys_of(sandbox: Sandbox) -> dict[str, str]:
    key = sandbox.mailcow_rw_key
    return {"X-API-Key": key, "Authorization": f"Bearer {sandbox.rest_key}"}


def ask(sandbox: Sandbox, port: str, host: str) -> int:
    headers = {"Host": host, **keys_of(sandbox)}
    return requests.get(url_of(sandbox, port), headers=headers, timeout=5).status_code


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("host", OURS)
def test_loopback_is_served(ccp: Ccp, port: str, host: str) -> None:
    assert ask(ccp.sandbox, port, host) == 200


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("host", FOREIGN)
def test_a_foreign_name_is_turned_away_and_not_counted(ccp: Ccp, port: str, host: str) -> None:
    """A web page whose name was pointed at loopback (DNS rebinding) gets nothing."""
    before = ccp.sandbox.stats()
    assert ask(ccp.sandbox, port, host) == 421
    assert ccp.sandbox.stats() == before


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize(
    ("target", "hosts"),
    [
        ("{path}", []),
        ("{path}", ["localhost", "evil.example"]),
        ("{path}", ["evil.example", "localhost"]),
        ("http://evil.example{path}", ["localhost"]),
        ("http://localhost{path}", ["evil.example"]),
    ],
)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_no_name_or_two_names_are_no_way_round(
    ccp: Ccp, port: str, target: str, hosts: list[str], version: str
) -> None:
    _, _, authority, path = url_of(ccp.sandbox, port).split("/", 3)
    lines = [f"GET {target.format(path=f'/{path}')} HTTP/{version}"]
    head = "\r\n".join([*lines, *(f"Host: {host}" for host in hosts), "", ""])
    with socket.create_connection(("127.0.0.1", int(authority.split(":")[1])), 5) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 421 ")
        assert connection.recv(1000) == b""  # the body of such a request is not read as another


def test_every_sandbox_has_keys_of_its_own() -> None:
    with Sandbox(clouddns=["example.org"]) as one, Sandbox(clouddns=["example.org"]) as other:
        for name in SECRETS:
            assert one.env[name] != other.env[name], name
            assert len(one.env[name] or "") == len(other.env[name] or "")
        assert one.mailcow_rw_key != other.mailcow_rw_key
        assert one.mailcow_rw_key != one.env["MAILCOW_API_KEY"]
        assert one.env["NETCUP_REST_API_KEY"] == one.rest_key == one.banner()["rest_key"]
        assert len(one.env["NETCUP_API_KEY"] or "") == 50
        assert len(one.rest_key) == 64


@pytest.mark.parametrize(("port", "status"), [("rest", 400), ("mailcow", 401)])  # R1
def test_the_keys_of_another_sandbox_open_nothing(ccp: Ccp, port: str, status: int) -> None:
    with Sandbox() as other:
        refused = requests.get(url_of(ccp.sandbox, port), headers=keys_of(other), timeout=5)
        assert refused.status_code == status


def test_fixed_keys_are_the_same_each_time_and_open_what_they_should() -> None:
    with Sandbox(clouddns=[DOMAIN], domains=(), fixed_keys=True) as sandbox:
        for port in ("rest", "mailcow"):
            assert ask(sandbox, port, "localhost") == 200
        with Sandbox(clouddns=[DOMAIN], domains=(), fixed_keys=True) as again:
            for name in SECRETS:
                assert sandbox.env[name] == again.env[name]
            assert sandbox.mailcow_rw_key == again.mailcow_rw_key
    with Sandbox(fixed_keys=True) as sandbox, Ccp(sandbox) as client:
        client.login()


def test_a_state_file_holds_no_keys_and_goes_on_with_new_ones(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with Sandbox(state=state) as first, Ccp(first) as client:
        client.login()
        zone, keys = first.zone(DOMAIN), [first.env["NETCUP_API_KEY"], first.rest_key]
    assert not [key for key in keys if str(key) in state.read_text()]
    with Sandbox(state=state) as second, Ccp(second) as client:
        client.login()
        assert second.zone(DOMAIN) == zone
        assert second.env["NETCUP_API_KEY"] not in keys

"""A zone on CloudDNS in the sandbox as a whole: keys, statistics, moves, TTLs in DNS, state."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import dns.message
import dns.query
import pytest
import requests
from click.testing import CliRunner

from netcup_mailauth.cli.commands import COMMANDS
from netcup_mailauth.sandbox import Sandbox
from tests.sandbox.client import Ccp
from tests.sandbox.rest_client import DOMAIN, SPF, Rest, error, rdatas, row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.conftest import Clock, StartRest

NEW = row("new", '"x"', ttl=60)


def served_ttl(sandbox: Sandbox, name: str, server: int = 0) -> int:
    host, port = sandbox.nameservers[server].split(":")
    query = dns.message.make_query(f"{name}.{DOMAIN}", "TXT")
    answer = dns.query.udp(query, host, timeout=5, port=int(port)).answer
    return int(answer[0].ttl)


def test_the_key_is_in_the_environment_where_a_domain_began_on_clouddns(rest: Rest) -> None:
    sandbox = rest.sandbox
    assert sandbox.env["NETCUP_REST_API_KEY"] == sandbox.rest_key
    assert sandbox.env["NETCUP_REST_ENDPOINT"] == sandbox.rest_endpoint
    sandbox.set_backend(DOMAIN, "ccp")
    assert sandbox.env["NETCUP_REST_API_KEY"] == sandbox.rest_key


def test_the_key_stays_out_of_it_where_none_did(ccp: Ccp) -> None:
    ccp.sandbox.set_backend(DOMAIN, "clouddns")
    assert ccp.sandbox.env["NETCUP_REST_API_KEY"] == ""
    with Rest(ccp.sandbox) as rest:  # but opens all the same
        assert SPF in rdatas(rest.records(), "@")


@pytest.mark.parametrize(
    ("arguments", "zones"),
    [
        (["--clouddns", DOMAIN], {DOMAIN: True}),
        (["--domain", "example.org", "--clouddns", DOMAIN], {"example.org": False, DOMAIN: True}),
        (["--domain", DOMAIN, "--clouddns", DOMAIN], {DOMAIN: True}),
    ],
)
def test_the_command_line_puts_domains_there(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], zones: dict[str, bool]
) -> None:
    seen: dict[str, bool] = {}

    def ask(welcome: str) -> None:
        """Ask as a reader of the welcome text would, while the sandbox runs."""
        env = dict(re.findall(r"^export (\w+)=(.*)$", welcome, re.MULTILINE))
        headers = {"Authorization": f"Bearer {env['NETCUP_REST_API_KEY']}"}
        url = f"{env['NETCUP_REST_ENDPOINT']}/domain"
        for domain in requests.get(url, headers=headers, timeout=5).json()["result"]:
            seen[domain["fqdn"]] = domain["isDnsManaged"]

    monkeypatch.setattr("click.echo", ask)
    monkeypatch.setattr("netcup_mailauth.cli.sandbox._wait", lambda: None)
    assert CliRunner().invoke(COMMANDS["sandbox"].made("sandbox"), arguments).exit_code == 0
    assert seen == zones


def test_statistics_count_calls_and_connections_but_no_logins(rest: Rest) -> None:
    rest.records()
    rest.change([NEW])
    rest.get("/nothing")
    told = rest.sandbox.stats()
    expected = {"domain": 3, "revisions": 1, "records": 1, "changeset": 1, "unknown": 1}
    assert told["requests"] == expected
    assert (told["connections"], told["logins_open"]) == (1, 0)


def test_ccp_knows_nothing_of_the_zone_and_its_limits_do_not_count(start_rest: StartRest) -> None:
    rest = start_rest(rate=1)
    with Ccp(rest.sandbox) as ccp:
        assert ccp.login()["statuscode"] == 2000
        assert ccp.login()["statuscode"] == 4013
    assert rest.get("/domain").status_code == 200


def test_a_zone_moves_with_its_records_and_a_fresh_revision(rest: Rest) -> None:
    rest.change([NEW])
    old = {revision["identifier"] for revision in rest.revisions()}
    rest.sandbox.set_backend(DOMAIN, "ccp")
    assert rest.get("/domain", fqdn=DOMAIN).json()["result"][0]["isDnsManaged"] is False
    assert error(rest.change([NEW])) == (404, "resourceDoesNotExist")
    with Ccp(rest.sandbox) as ccp:
        ccp.login()
        assert "x" in {record["destination"] for record in ccp.records()}
        ccp.update({"hostname": "more", "type": "TXT", "destination": "y"})
    rest.sandbox.set_backend(DOMAIN, "clouddns")
    (fresh,) = rest.revisions()
    assert fresh["identifier"] not in old
    ttls = {record["rdata"]: record["ttl"] for record in rest.records()}
    assert (ttls['"x"'], ttls['"y"']) == (60, 3600)


def test_an_update_at_the_ccp_keeps_the_ttl(rest: Rest) -> None:
    rest.change([NEW])
    rest.sandbox.set_backend(DOMAIN, "ccp")
    with Ccp(rest.sandbox) as ccp:
        ccp.login()
        live = next(record for record in ccp.records() if record["hostname"] == "new")
        ccp.update({**live, "destination": "y"})
    rest.sandbox.set_backend(DOMAIN, "clouddns")
    assert [r["ttl"] for r in rest.records() if r["rdata"] == '"y"'] == [60]


def test_the_control_call_moves_a_zone(ccp: Ccp) -> None:
    url, body = f"{ccp.sandbox.control_url}/zone", {"domain": DOMAIN, "backend": "clouddns"}
    assert requests.post(url, json=body, timeout=5).status_code == 200
    with Rest(ccp.sandbox) as rest:
        assert len(rest.revisions()) == 1


def test_set_zone_makes_a_revision_and_sets_ttls(rest: Rest) -> None:
    entry = {"hostname": "@", "type": "TXT", "destination": "v=spf1 -all", "ttl": 120}
    rest.sandbox.set_zone(DOMAIN, [entry])
    assert len(rest.revisions()) == 2
    assert [r["ttl"] for r in rest.records() if r["type"] == "TXT"] == [120]
    with pytest.raises(ValueError, match="'ttl'"):
        rest.sandbox.set_zone(DOMAIN, [{**entry, "ttl": 0}])


def test_name_servers_serve_each_record_with_its_ttl(rest: Rest) -> None:
    rest.change([NEW, row("two", '"a"', ttl=90), row("two", '"b"', ttl=30)])
    assert [served_ttl(rest.sandbox, "new", server) for server in range(3)] == [60] * 3
    assert served_ttl(rest.sandbox, "two") == 30  # one set has one TTL (RFC 2181 5.2)
    rest.sandbox.set_backend(DOMAIN, "ccp")
    assert served_ttl(rest.sandbox, "new") == 86400
    rest.sandbox.set_backend(DOMAIN, "clouddns")
    assert served_ttl(rest.sandbox, "new") == 60


def test_name_servers_follow_late(start_rest: StartRest, clock: Clock) -> None:
    rest = start_rest(publish_delays=(0, 5, 5), clock=clock)
    rest.change([row("@", '"v=spf1 -all"')])
    host, port = rest.sandbox.nameservers[1].split(":")
    query = dns.message.make_query(DOMAIN, "TXT")
    for expected in (False, True):
        answer = dns.query.udp(query, host, timeout=5, port=int(port)).answer[0].to_text()
        assert ("v=spf1 -all" in answer) is expected
        clock.now += 5


def test_reset_puts_everything_back(rest: Rest) -> None:
    before = rest.sandbox.rest_records(DOMAIN)
    number = rest.number()
    rest.change([NEW])
    rest.change([row("other", '"y"')], autoCommit=False)
    rest.send("POST", rest.path("acme/challenge"), json={"scope": "@", "value": "x" * 43})
    rest.sandbox.set_backend(DOMAIN, "ccp")
    rest.sandbox.fault("*", "429", times=9)
    rest.sandbox.reset()
    assert rest.sandbox.stats()["requests"] == {}
    assert rest.number() == number
    assert len(rest.revisions()) == 1
    assert rest.sandbox.rest_records(DOMAIN) == before
    assert error(rest.get(rest.path("acme/challenge"))) == (404, "resourceDoesNotExist")


def test_state_keeps_ttls_and_back_end(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with Sandbox((), clouddns=[DOMAIN], state=state) as sandbox, Rest(sandbox) as rest:
        rest.change([NEW])
        before = sandbox.rest_records(DOMAIN)
    with Sandbox([DOMAIN], state=state) as sandbox, Rest(sandbox) as rest:
        assert sandbox.env["NETCUP_REST_API_KEY"] == sandbox.rest_key
        assert sandbox.rest_records(DOMAIN) == before
        assert '"x"' in rdatas(rest.records(), "new")
        assert rest.change(delete=[NEW]).status_code == 201


def test_a_state_file_without_ttls_is_still_read(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with Sandbox((), clouddns=[DOMAIN], state=state) as sandbox:
        before = sandbox.rest_records(DOMAIN)
    old = json.loads(state.read_text())
    assert old.pop("schema") == 2
    for record in old["zones"][0]["records"]:
        del record["ttl"]
    state.write_text(json.dumps({"schema": 1, **old}))
    with Sandbox([DOMAIN], state=state) as sandbox:
        assert sandbox.rest_records(DOMAIN) == before
    assert json.loads(state.read_text())["schema"] == 2


def test_many_at_once_lose_nothing(start_rest: StartRest) -> None:
    """Each changeset makes one revision, and the serials are those of a row."""
    rest = start_rest()
    first = rest.revisions()[0]["serial"]

    def work(number: int) -> None:
        with Rest(rest.sandbox) as worker:
            for turn in range(3):
                assert worker.change([row(f"t{number}", f'"{turn}"')]).status_code == 201

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    serials = [revision["serial"] for revision in rest.revisions()]
    assert serials == list(range(first, first + 25))
    assert len(rest.records()) == 17 + 24

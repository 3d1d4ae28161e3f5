"""SPF, DKIM and DMARC edited without loss, and judged before they are written."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.apis import each_api
from tests.story.wanted import txt
from tests.worlds import requests_of

if TYPE_CHECKING:
    from netcup_mailauth.sandbox import Sandbox
    from tests.apis import Api
    from tests.story.inprocess import Cli, PointedAt

api = each_api

NETCUP_SPF = "v=spf1 mx a include:_spf.webhosting.systems ~all"


def spf(sandbox: Sandbox, domain: str = "example.com") -> list[str]:
    return [text for text in txt(sandbox, "@", domain) if text.startswith("v=spf1")]


class TestGuard:
    def test_look_ups_are_counted_through_dns(self, cli: Cli) -> None:
        chain = [f"i{number}.example.net" for number in range(12)]
        for name, following in zip(chain, [*chain[1:], ""], strict=True):
            include = f"include:{following} " if following else ""
            cli.sandbox.set_world(name, "TXT", [f"v=spf1 {include}-all"])
        ended = cli("apply", "example.com", "--spf-require", f"include:{chain[0]}", "--yes")
        assert ended.code == 6
        assert "spf-too-many-lookups" in ended.stdout

    def test_dns_that_does_not_answer_is_a_finding_and_not_a_long_wait(self, cli: Cli) -> None:
        cli.set({"NETCUP_MAILAUTH_RESOLVER": "127.0.0.1:9"})
        wish = ("--spf-require", "include:spf.example.net", "--server", "203.0.113.25")
        ended = cli("plan", "example.com", *wish)
        assert ended.code == 0
        assert "spf-not-checked" in ended.stdout

    def test_an_old_spf_fault_never_blocks_a_new_dkim_key(self, cli: Cli) -> None:
        sandbox = cli.sandbox
        broken = {"hostname": "@", "type": "TXT", "destination": "v=spf1 +all"}
        kept = [
            r for r in sandbox.zone("example.com") if r["hostname"] != "@" or r["type"] != "TXT"
        ]
        sandbox.set_zone("example.com", [*kept, broken, {**broken, "destination": "v=spf1 ?all"}])
        assert cli("apply", "example.com", "--dkim", "mailcow", "--yes").code == 0
        assert len(txt(sandbox, "dkim._domainkey")) == 1


class TestConfig:
    def write(self, cli: Cli, text: str) -> None:
        (cli.folder / "netcup-mailauth.toml").write_text(text, encoding="utf-8")

    def test_every_domain_that_mailcow_serves_within_the_patterns(
        self, pointed_at: PointedAt, api: Api
    ) -> None:
        aliases = {"alias.de": "a.de", "tenant.com": "a.de", "elsewhere.net": "a.de"}
        zones = ["a.de", "alias.de", "tenant.com"]
        with api.netcup(zones, alias_domains=aliases) as sandbox:
            sandbox.set_world("elsewhere.net", "NS", ["ns.elsewhere.net"])
            cli = pointed_at(sandbox)
            self.write(
                cli,
                'domains_from = "mailcow"\nonly = ["*.de", "*.net"]\nexclude = ["x*"]\n'
                '[defaults]\ndkim = { source = "mailcow" }\n',
            )
            ended = cli("apply", "--yes")
            assert ended.code == 0, ended.stderr
            for domain in ("a.de", "alias.de"):
                assert len(txt(sandbox, "dkim._domainkey", domain)) == 1
            assert txt(sandbox, "dkim._domainkey", "tenant.com") == []
            assert api.writes(sandbox) == 2
            before = requests_of(sandbox)[api.read]
            assert "not-at-netcup" in cli("plan").stdout
            assert requests_of(sandbox)[api.read] - before == 2

    def test_a_report_address_in_another_domain_of_the_run_is_authorised_too(
        self, pointed_at: PointedAt, api: Api
    ) -> None:
        with api.netcup(["a.de", "b.de"]) as sandbox:
            cli = pointed_at(sandbox)
            rua = "mailto:dmarc@b.de"
            ended = cli("apply", "a.de", "--rua", rua, "--yes")
            assert ended.code == 6
            assert "a.de._report._dmarc.b.de" in ended.stdout
            ended = cli("apply", "a.de", "b.de", "--rua", rua, "--yes")
            assert ended.code == 0, ended.stdout
            assert txt(sandbox, "a.de._report._dmarc", "b.de") == ["v=DMARC1"]


class TestInit:
    def test_its_config_gives_an_empty_plan_or_the_repairs_it_explains(self, cli: Cli) -> None:
        assert cli("init", "example.com").code == 0
        text = (cli.folder / "netcup-mailauth.toml").read_text()
        assert "not published yet" in text
        assert "No DMARC record yet" in text
        assert cli("-c", "netcup-mailauth.toml", "apply", "--yes").code == 0
        assert spf(cli.sandbox) == [NETCUP_SPF]
        (cli.folder / "netcup-mailauth.toml").unlink()
        assert cli("init", "example.com").code == 0
        ended = cli("-c", "netcup-mailauth.toml", "plan", "--exit-code")
        assert ended.code == 0, ended.stdout

    def test_what_is_there_is_not_overwritten_and_the_missing_tables_are_printed(
        self, pointed_at: PointedAt, api: Api
    ) -> None:
        with api.netcup(["a.de", "b.de"]) as sandbox:
            cli = pointed_at(sandbox)
            cli("init", "a.de")
            before = (cli.folder / "netcup-mailauth.toml").read_bytes()
            ended = cli("init")
            assert ended.code == 0, ended.stderr
            assert (cli.folder / "netcup-mailauth.toml").read_bytes() == before
            assert list(tomllib.loads(ended.stdout)["domains"]) == ["b.de"]

    @pytest.mark.parametrize(
        "records",
        [
            ["v=spf1 mx -all", "v=spf1 a ~all"],
            ["v=spf1 ip4:not-an-address -all"],
            [],
        ],
        ids=["two", "broken", "none"],
    )
    def test_an_spf_record_in_need_of_repair_is_explained(
        self, cli: Cli, records: list[str]
    ) -> None:
        zone = [
            {"hostname": "@", "type": "MX", "priority": "10", "destination": "mail.example.com"},
            {"hostname": "mail", "type": "A", "destination": "203.0.113.25"},
            *({"hostname": "@", "type": "TXT", "destination": text} for text in records),
        ]
        cli.sandbox.set_zone("example.com", zone)
        assert cli("init", "example.com").code == 0
        ended = cli("-c", "netcup-mailauth.toml", "apply", "--yes")
        assert ended.code == 0, ended.stdout + ended.stderr
        assert len(spf(cli.sandbox)) == 1


@pytest.mark.parametrize(
    ("kind", "target", "code"),
    [
        ("CNAME", "x.example.net", "cname-conflict"),
        ("NS", "ns.vendor.example", "name-delegated"),
    ],
)
def test_apply_tells_of_a_record_as_wanted_that_nobody_sees(
    cli: Cli, kind: str, target: str, code: str
) -> None:
    zone = cli.sandbox.zone("example.com")
    live = {"hostname": "_dmarc", "type": "TXT", "destination": "v=DMARC1;p=none;rua=mailto:a@b.de"}
    beside = {"hostname": "_dmarc", "type": kind, "destination": target}
    cli.sandbox.set_zone("example.com", [*zone, live, beside])
    wish = ("apply", "example.com", "--dmarc-policy", "none", "--yes")
    assert code in cli(*wish).stdout
    assert cli(*wish, "-q").stdout == ""


@pytest.mark.parametrize("command", ["plan", "check", "records", "undo"])
@pytest.mark.parametrize("name", ["_dmarc.example.com", "dkim._domainkey.example.com"])
def test_the_name_of_a_record_is_a_usage_error(cli: Cli, command: str, name: str) -> None:
    ended = cli(command, name)
    assert ended.code == 2
    assert "Give the domain itself: example.com" in ended.stderr

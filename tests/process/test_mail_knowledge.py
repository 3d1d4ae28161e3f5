"""SPF, DKIM and DMARC edited without loss, and judged before they are written."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.apis import each_api, on_ccp
from tests.process.command import Command
from tests.worlds import requests_of

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.sandbox import Sandbox
    from tests.apis import Api
    from tests.story.inprocess import Cli

api = each_api

NETCUP_SPF = "v=spf1 mx a include:_spf.webhosting.systems ~all"


def txt(sandbox: Sandbox, hostname: str, domain: str = "example.com") -> list[str]:
    return [
        str(record["destination"])
        for record in sandbox.zone(domain)
        if record["type"] == "TXT" and record["hostname"] == hostname
    ]


def spf(sandbox: Sandbox, domain: str = "example.com") -> list[str]:
    return [text for text in txt(sandbox, "@", domain) if text.startswith("v=spf1")]


class TestParts:
    def test_a_required_term_goes_in_and_netcups_include_stays(self, command: Command) -> None:
        ended = command("apply", "example.com", "--spf-require", "ip4:203.0.113.7", "--yes")
        assert ended.code == 0, ended.stderr
        assert spf(command.sandbox) == [NETCUP_SPF.replace("v=spf1", "v=spf1 ip4:203.0.113.7")]

    def test_a_term_that_is_there_by_meaning_is_no_change(self, command: Command) -> None:
        ended = command("plan", "example.com", "--spf-require", "+MX", "--exit-code")
        assert ended.code == 0
        assert "nothing to do" in ended.stdout

    def test_a_term_dropped_by_name_and_a_harder_end(self, command: Command) -> None:
        wish = ("--spf-drop", "include:_spf.webhosting.systems", "--spf-all", "fail")
        assert command("apply", "example.com", *wish, "--yes").code == 0
        assert spf(command.sandbox) == ["v=spf1 mx a -all"]

    def test_dmarc_grows_tag_by_tag(self, command: Command) -> None:
        rua = ("--rua", "mailto:dmarc@example.com")
        assert command("apply", "example.com", *rua, "--yes").code == 0
        assert txt(command.sandbox, "_dmarc") == ["v=DMARC1;p=none;rua=mailto:dmarc@example.com"]
        wish = ("--dmarc-policy", "quarantine", "--mailcow", command.sandbox.mailcow_url)
        assert command("apply", "example.com", *wish, "--yes").code == 0
        assert txt(command.sandbox, "_dmarc") == [
            "v=DMARC1;p=quarantine;rua=mailto:dmarc@example.com"
        ]

    @on_ccp  # nothing is asked
    @pytest.mark.parametrize(
        "both",
        [
            ("--spf", "v=spf1 -all", "--spf-require", "mx"),
            ("--spf", "v=spf1 -all", "--spf-all", "fail"),
            ("--dmarc", "v=DMARC1;p=none", "--rua", "mailto:a@example.com"),
        ],
    )
    def test_whole_and_in_parts_at_once_is_an_error(
        self, command: Command, both: tuple[str, ...]
    ) -> None:
        assert command("plan", "example.com", *both).code == 2


class TestGuard:
    def test_a_dropped_sender_stops_apply_and_says_both_ways_out(
        self, command: Command, api: Api
    ) -> None:
        ended = command("apply", "example.com", "--spf", "v=spf1 mx a -all", "--yes")
        assert ended.code == 6
        assert "spf-drops-sender" in ended.stdout
        assert "--spf-drop include:_spf.webhosting.systems" in ended.stdout
        assert "--allow" not in ended.stdout + ended.stderr
        assert api.writes(command.sandbox) == 0

    def test_it_is_allowed_by_its_code(self, command: Command) -> None:
        wish = ("--spf", "v=spf1 mx a -all", "--allow", "spf-drops-sender")
        ended = command("apply", "example.com", *wish, "--yes")
        assert ended.code == 0
        assert "allowed: " in ended.stdout
        assert spf(command.sandbox) == ["v=spf1 mx a -all"]

    def test_an_allowance_that_nothing_needs_is_named(self, command: Command) -> None:
        wish = ("--spf-require", "ip4:203.0.113.25", "--allow", "spf-ptr")
        ended = command("plan", "example.com", *wish)
        assert ended.code == 0
        assert "spf-ptr is allowed, and there is no such finding" in ended.stderr

    @on_ccp
    @pytest.mark.parametrize(
        ("entry", "words"),
        [("spf-drop-sender", "spf-drops-sender"), ("spf-ptr:other.com", "not part of this run")],
    )
    def test_an_unknown_code_or_domain_is_an_error(
        self, command: Command, entry: str, words: str
    ) -> None:
        ended = command("plan", "example.com", "--spf-require", "mx", "--allow", entry)
        assert ended.code == 2
        assert words in ended.stderr

    def test_with_several_domains_an_allowance_names_one(self, tmp_path: Path, api: Api) -> None:
        with api.netcup(["a.de", "b.de"]) as sandbox:
            command = Command(sandbox, tmp_path)
            wish = ("a.de", "b.de", "--spf", "v=spf1 mx a -all")
            assert command("plan", *wish, "--allow", "spf-drops-sender").code == 2
            ended = command("apply", *wish, "--allow", "spf-drops-sender:a.de", "--yes")
            assert ended.code == 6
            assert spf(sandbox, "a.de") == ["v=spf1 mx a -all"]
            assert spf(sandbox, "b.de") == [NETCUP_SPF]

    def test_the_own_server_is_tried_against_the_proposed_record(self, command: Command) -> None:
        wish = ("--spf-require", "ip4:192.0.2.1", "--server", "198.18.0.9")
        ended = command("plan", "example.com", *wish)
        assert "198.18.0.9" in ended.stdout
        assert "--spf-require ip4:198.18.0.9" in ended.stdout

    def test_look_ups_are_counted_through_dns(self, command: Command) -> None:
        chain = [f"i{number}.example.net" for number in range(12)]
        for name, following in zip(chain, [*chain[1:], ""], strict=True):
            include = f"include:{following} " if following else ""
            command.sandbox.set_world(name, "TXT", [f"v=spf1 {include}-all"])
        ended = command("apply", "example.com", "--spf-require", f"include:{chain[0]}", "--yes")
        assert ended.code == 6
        assert "spf-too-many-lookups" in ended.stdout

    def test_dns_that_does_not_answer_is_a_finding_and_not_a_long_wait(
        self, command: Command
    ) -> None:
        command.changes = {"NETCUP_MAILAUTH_RESOLVER": "127.0.0.1:9"}
        wish = ("--spf-require", "include:spf.example.net", "--server", "203.0.113.25")
        ended = command("plan", "example.com", *wish, timeout=25)
        assert ended.code == 0
        assert "spf-not-checked" in ended.stdout

    def test_an_old_spf_fault_never_blocks_a_new_dkim_key(self, command: Command) -> None:
        sandbox = command.sandbox
        broken = {"hostname": "@", "type": "TXT", "destination": "v=spf1 +all"}
        kept = [
            r for r in sandbox.zone("example.com") if r["hostname"] != "@" or r["type"] != "TXT"
        ]
        sandbox.set_zone("example.com", [*kept, broken, {**broken, "destination": "v=spf1 ?all"}])
        assert command("apply", "example.com", "--dkim", "mailcow", "--yes").code == 0
        assert len(txt(sandbox, "dkim._domainkey")) == 1


class TestConfig:
    def write(self, command: Command, text: str) -> None:
        (command.folder / "netcup-mailauth.toml").write_text(text, encoding="utf-8")

    def test_a_parked_domain_says_that_it_sends_no_mail(self, command: Command) -> None:
        self.write(
            command,
            '[domains."example.com"]\nparked = true\nallow = ["spf-drops-sender"]\n',
        )
        ended = command("apply", "--yes")
        assert ended.code == 0, ended.stdout
        assert spf(command.sandbox) == ["v=spf1 -all"]
        assert txt(command.sandbox, "_dmarc") == ["v=DMARC1;p=reject"]

    def test_every_domain_that_mailcow_serves_within_the_patterns(
        self, tmp_path: Path, api: Api
    ) -> None:
        aliases = {"alias.de": "a.de", "tenant.com": "a.de", "elsewhere.net": "a.de"}
        zones = ["a.de", "alias.de", "tenant.com"]
        with api.netcup(zones, alias_domains=aliases) as sandbox:
            sandbox.set_world("elsewhere.net", "NS", ["ns.elsewhere.net"])
            command = Command(sandbox, tmp_path)
            self.write(
                command,
                'domains_from = "mailcow"\nonly = ["*.de", "*.net"]\nexclude = ["x*"]\n'
                '[defaults]\ndkim = { source = "mailcow" }\n',
            )
            ended = command("apply", "--yes")
            assert ended.code == 0, ended.stderr
            for domain in ("a.de", "alias.de"):
                assert len(txt(sandbox, "dkim._domainkey", domain)) == 1
            assert txt(sandbox, "dkim._domainkey", "tenant.com") == []
            assert api.writes(sandbox) == 2
            before = requests_of(sandbox)[api.read]
            assert "not-at-netcup" in command("plan").stdout
            assert requests_of(sandbox)[api.read] - before == 2

    def test_a_report_address_in_another_domain_of_the_run_is_authorised_too(
        self, tmp_path: Path, api: Api
    ) -> None:
        with api.netcup(["a.de", "b.de"]) as sandbox:
            command = Command(sandbox, tmp_path)
            rua = "mailto:dmarc@b.de"
            ended = command("apply", "a.de", "--rua", rua, "--yes")
            assert ended.code == 6
            assert "a.de._report._dmarc.b.de" in ended.stdout
            ended = command("apply", "a.de", "b.de", "--rua", rua, "--yes")
            assert ended.code == 0, ended.stdout
            assert txt(sandbox, "a.de._report._dmarc", "b.de") == ["v=DMARC1"]


class TestInit:
    def test_its_config_gives_an_empty_plan_or_the_repairs_it_explains(
        self, command: Command
    ) -> None:
        assert command("init", "example.com").code == 0
        text = (command.folder / "netcup-mailauth.toml").read_text()
        assert "not published yet" in text
        assert "No DMARC record yet" in text
        assert command("-c", "netcup-mailauth.toml", "apply", "--yes").code == 0
        assert spf(command.sandbox) == [NETCUP_SPF]
        (command.folder / "netcup-mailauth.toml").unlink()
        assert command("init", "example.com").code == 0
        ended = command("-c", "netcup-mailauth.toml", "plan", "--exit-code")
        assert ended.code == 0, ended.stdout

    def test_what_is_there_is_not_overwritten_and_the_missing_tables_are_printed(
        self, tmp_path: Path, api: Api
    ) -> None:
        with api.netcup(["a.de", "b.de"]) as sandbox:
            command = Command(sandbox, tmp_path)
            command("init", "a.de")
            before = (tmp_path / "netcup-mailauth.toml").read_bytes()
            ended = command("init")
            assert ended.code == 0, ended.stderr
            assert (tmp_path / "netcup-mailauth.toml").read_bytes() == before
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
        self, command: Command, records: list[str]
    ) -> None:
        zone = [
            {"hostname": "@", "type": "MX", "priority": "10", "destination": "mail.example.com"},
            {"hostname": "mail", "type": "A", "destination": "203.0.113.25"},
            *({"hostname": "@", "type": "TXT", "destination": text} for text in records),
        ]
        command.sandbox.set_zone("example.com", zone)
        assert command("init", "example.com").code == 0
        ended = command("-c", "netcup-mailauth.toml", "apply", "--yes")
        assert ended.code == 0, ended.stdout + ended.stderr
        assert len(spf(command.sandbox)) == 1


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

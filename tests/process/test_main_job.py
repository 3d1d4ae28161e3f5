"""The main job, with the installed command against a netcup on loopback, by each of its APIs."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.sandbox import Quirks, Sandbox
from tests.apis import each_api, on_ccp, on_clouddns
from tests.process.command import Command
from tests.worlds import requests_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.apis import Api

api = each_api

SPF = "v=spf1 mx a -all"
DMARC = "v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com"
DROP = ("--spf-drop", "include:_spf.webhosting.systems")
KEY = "v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
WISH = ("--spf", SPF, *DROP, "--dkim", "mailcow", "--dmarc", DMARC)


def txt(sandbox: Sandbox, hostname: str, domain: str = "example.com") -> list[str]:
    return [
        str(record["destination"])
        for record in sandbox.zone(domain)
        if record["type"] == "TXT" and record["hostname"] == hostname
    ]


def spf_record(sandbox: Sandbox) -> dict[str, object]:
    (record,) = [
        r for r in sandbox.zone("example.com") if str(r["destination"]).startswith("v=spf1")
    ]
    return record


def test_from_netcups_default_zone_to_three_right_records(command: Command, api: Api) -> None:
    sandbox = command.sandbox
    before = api.others(sandbox)
    ended = command("apply", "example.com", *WISH, "--yes")
    assert ended.code == 0, ended.stderr
    assert txt(sandbox, "@").count(SPF) == 1
    assert txt(sandbox, "_dmarc") == [DMARC]
    assert txt(sandbox, "dkim._domainkey")[0].startswith("v=DKIM1;k=rsa;t=s;s=email;p=")
    assert api.others(sandbox) == before
    assert len(api.records(sandbox)) == len(before) + 3
    assert api.heading in ended.stdout.splitlines()[0]
    assert "written and verified: 2 created, 1 updated" in ended.stdout


@on_ccp
def test_an_update_keeps_the_id(command: Command) -> None:
    before = spf_record(command.sandbox)
    command("apply", "example.com", *WISH, "--yes")
    after = {**before, "destination": SPF, "state": "unknown"}
    assert spf_record(command.sandbox) == after


@on_clouddns
def test_an_update_keeps_the_ttl_and_a_new_record_gets_the_usual_one(command: Command) -> None:
    sandbox = command.sandbox
    records = [{**record, "ttl": 300} for record in sandbox.zone("example.com")]
    sandbox.set_zone("example.com", records)
    command("apply", "example.com", *WISH, "--yes")
    ttls = {str(row["rdata"])[1:7]: row["ttl"] for row in sandbox.rest_records("example.com")}
    assert [ttls[start] for start in ("v=spf1", "v=DKIM", "v=DMAR")] == [300, 3600, 3600]


def test_a_second_plan_is_empty_and_sends_no_write(command: Command, api: Api) -> None:
    command("apply", "example.com", *WISH, "--yes")
    assert api.writes(command.sandbox) == 1
    ended = command("plan", "example.com", *WISH, "--exit-code")
    assert ended.code == 0
    assert "nothing to do" in ended.stdout
    assert command("apply", "example.com", *WISH, "--yes").code == 0
    assert api.writes(command.sandbox) == 1


@pytest.mark.parametrize(
    ("count", "job"), [(1, "list"), (1, "upsert"), (10, "upsert"), (10, "nothing to do")]
)
def test_the_calls_are_as_few_as_promised_over_one_connection(
    tmp_path: Path, api: Api, count: int, job: str
) -> None:
    domains = [f"example-{number}.de" for number in range(count)]
    with api.netcup(domains) as sandbox:
        command = Command(sandbox, tmp_path)
        wish = ("--spf", SPF, *DROP, "--dkim", KEY, "--dmarc", "v=DMARC1;p=quarantine")
        arguments: tuple[str, ...] = ("apply", *domains, *wish, "--yes")
        if job == "list":
            arguments = ("records", *domains)
        if job == "nothing to do":
            command(*arguments)
        before = sum(requests_of(sandbox).values())
        connections = int(str(sandbox.stats()["connections"]))
        assert command(*arguments).code == 0
        assert sum(requests_of(sandbox).values()) - before == api.promised[job, count]
        assert int(str(sandbox.stats()["connections"])) - connections == 1


@on_clouddns
def test_a_write_is_four_calls_and_two_that_verify_it(command: Command) -> None:
    assert command("apply", "example.com", *WISH, "--yes").code == 0
    assert requests_of(command.sandbox) == {
        "domain": 1,
        "revisions": 1 + 1,
        "records": 1 + 1,
        "changeset": 1,
    }


@on_ccp
def test_the_exit_code_tells_pending_changes_only_when_asked_to(command: Command) -> None:
    assert command("plan", "example.com", *WISH).code == 0
    assert command("plan", "example.com", *WISH, "--exit-code").code == 3


def test_a_plan_as_json_is_one_document_and_the_same_bytes_each_time(command: Command) -> None:
    first = command("plan", "example.com", *WISH, "--format", "json")
    second = command("plan", "example.com", *WISH, "--format", "json")
    assert first.stdout == second.stdout
    (zone,) = first.json["zones"]
    assert [change["action"] for change in zone["changes"]] == ["update", "create", "create"]
    assert zone["changes"][1]["fingerprint"].startswith("SHA256:")


def test_apply_as_json_says_what_was_applied_and_verified(command: Command) -> None:
    ended = command("apply", "example.com", *WISH, "--yes", "--format", "json")
    (zone,) = ended.json["zones"]
    assert (zone["applied"], zone["verified"], zone["result"]) == (True, True, "applied")


@on_ccp
def test_markdown_is_for_a_merge_request(command: Command) -> None:
    ended = command("plan", "example.com", *WISH, "--format", "markdown")
    assert "### `example.com`" in ended.stdout
    assert f"to `{SPF}`" in ended.stdout


@on_ccp
def test_the_printed_command_does_what_the_plan_said(command: Command) -> None:
    printed = command("plan", "example.com", *WISH).stderr.strip().splitlines()[-1].strip()
    script = f'netcup-mailauth() {{ "$COMMAND" "$@"; }}; {printed} --yes'
    from tests.process.processes import COMMAND

    environment = {**command.environment(), "COMMAND": str(COMMAND)}
    subprocess.run(["bash", "-c", script], env=environment, cwd=command.folder, check=True)
    assert txt(command.sandbox, "_dmarc") == [DMARC]


@on_ccp
def test_full_values_are_fit_to_paste(command: Command) -> None:
    ended = command("plan", "example.com", "--dkim", "mailcow", "--full")
    (line,) = [line for line in ended.stdout.splitlines() if line.strip().startswith("v=DKIM1")]
    command("apply", "example.com", "--dkim", "mailcow", "--yes")
    assert txt(command.sandbox, "dkim._domainkey") == [line.strip()]


def test_a_new_key_in_mailcow_is_published_by_the_next_run(command: Command) -> None:
    command("apply", "example.com", *WISH, "--yes")
    old = txt(command.sandbox, "dkim._domainkey")
    command.sandbox.set_dkim("example.com")
    ended = command("apply", "example.com", *WISH, "--yes")
    assert "1 updated" in ended.stdout
    (new,) = txt(command.sandbox, "dkim._domainkey")
    assert [new] != old


@on_ccp
def test_quiet_says_nothing_when_nothing_changed(command: Command) -> None:
    command("apply", "example.com", *WISH, "--yes")
    ended = command("-q", "apply", "example.com", *WISH, "--yes")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
    command.sandbox.set_dkim("example.com")
    assert "SHA256:" in command("apply", "-q", "example.com", *WISH, "--yes").stdout


def test_verbose_shows_each_call_and_no_secret(command: Command, api: Api) -> None:
    ended = command("plan", "-v", "example.com", *WISH)
    assert api.traced in ended.stderr
    env = command.sandbox.env
    for name in (*api.secrets, "MAILCOW_API_KEY"):
        secret = env[name]
        assert secret is not None
        assert secret not in ended.stderr + ended.stdout


class TestAtATerminal:
    def test_yes_writes_what_was_shown(self, command: Command) -> None:
        ended = command.at_terminal("apply", "example.com", *WISH, answer="y")
        assert ended.code == 0, ended.stdout
        assert "Write these changes to example.com?" in ended.stdout
        assert txt(command.sandbox, "_dmarc") == [DMARC]

    @on_ccp
    def test_anything_else_writes_nothing(self, command: Command) -> None:
        before = command.sandbox.zone("example.com")
        ended = command.at_terminal("apply", "example.com", *WISH, answer="")
        assert ended.code == 2
        assert "nothing was written" in ended.stdout
        assert command.sandbox.zone("example.com") == before

    @on_ccp
    def test_ctrl_c_at_the_question_writes_nothing(self, command: Command) -> None:
        before = command.sandbox.zone("example.com")
        ended = command.at_terminal("apply", "example.com", *WISH, answer="^C")
        assert ended.code == 130
        assert "Traceback" not in ended.stdout
        assert command.sandbox.zone("example.com") == before

    def test_what_changed_while_the_question_stood_makes_the_plan_stale(
        self, command: Command, api: Api
    ) -> None:
        sandbox = command.sandbox

        def rival() -> None:
            spf = {"hostname": "@", "type": "TXT", "destination": "v=spf1 ip4:192.0.2.9 ~all"}
            sandbox.set_zone("example.com", [*sandbox.zone("example.com"), spf])

        ended = command.at_terminal("apply", "example.com", *WISH, answer="y", before=rival)
        assert ended.code == 7
        assert "ip4:192.0.2.9" in ended.stdout
        assert api.writes(sandbox) == 0


class TestConfig:
    def write(self, command: Command, text: str) -> None:
        (command.folder / "netcup-mailauth.toml").write_text(text, encoding="utf-8")

    def test_every_domain_of_the_config_and_mail_domains_below_a_zone(
        self, command: Command
    ) -> None:
        self.write(
            command,
            f"""
            [defaults]
            dmarc = {{ record = "{DMARC}" }}

            [domains."example.com"]
            spf = {{ record = "{SPF}", drop = ["include:_spf.webhosting.systems"] }}
            dkim = {{ source = "mailcow" }}

            [domains."intern.example.com"]
            zone = "example.com"
            spf = {{ record = "v=spf1 a:mail.example.com -all" }}
            server = ["mail.example.com"]
            dmarc = {{ record = "v=DMARC1;p=none" }}
            allow = ["wildcard-shadowed"]
            """,
        )
        ended = command("apply", "--yes")
        assert ended.code == 0, ended.stderr
        assert txt(command.sandbox, "intern") == ["v=spf1 a:mail.example.com -all"]
        assert txt(command.sandbox, "_dmarc.intern") == ["v=DMARC1;p=none"]
        assert txt(command.sandbox, "_dmarc") == [DMARC]
        assert "2 domains: 2 applied." in ended.stdout

    @on_ccp
    def test_an_option_wins_over_the_config(self, command: Command) -> None:
        self.write(
            command,
            f'[domains."example.com"]\nspf = {{ record = "{SPF}", drop = ["{DROP[1]}"] }}\n',
        )
        assert (
            command("apply", "example.com", "--spf", "v=spf1 mx a ~all", *DROP, "--yes").code == 0
        )
        assert "v=spf1 mx a ~all" in txt(command.sandbox, "@")

    def test_one_failing_domain_does_not_stop_the_others(self, command: Command) -> None:
        self.write(
            command,
            '[domains."foreign.com"]\nspf = { record = "v=spf1 -all" }\n'
            f'[domains."example.com"]\nspf = {{ record = "{SPF}", drop = ["{DROP[1]}"] }}\n',
        )
        ended = command("apply", "--yes")
        assert ended.code == 5
        assert SPF in txt(command.sandbox, "@")
        assert "2 domains: 1 applied, 1 failed." in ended.stdout


class TestDkimSources:
    @pytest.fixture
    def pem(self, command: Command) -> tuple[str, str]:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(65537, 2048)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return private, "".join(public.decode().splitlines()[1:-1])

    @on_ccp  # where the key comes from is no matter of netcup's
    @pytest.mark.parametrize("how", ["file", "stdin", "record", "quoted", "bare"])
    def test_each_way_to_give_a_key_publishes_its_public_half(
        self, command: Command, pem: tuple[str, str], how: str
    ) -> None:
        private, public = pem
        (command.folder / "dkim.key").write_text(private, encoding="ascii")
        source, stdin = {
            "file": ("file:dkim.key", ""),
            "stdin": ("-", private),
            "record": (f"record:v=DKIM1;k=rsa;p={public}", ""),
            "quoted": (f'record:"v=DKIM1;k=rsa;p={public[:200]}" "{public[200:]}"', ""),
            "bare": (f"v=DKIM1;k=rsa;p={public}", ""),
        }[how]
        ended = command("apply", "example.com", "--dkim", source, "--yes", stdin=stdin)
        assert ended.code == 0, ended.stderr
        assert txt(command.sandbox, "dkim._domainkey") == [f"v=DKIM1;k=rsa;p={public}"]
        assert "PRIVATE" not in ended.stdout + ended.stderr
        assert private.splitlines()[3] not in ended.stdout + ended.stderr

    @on_ccp
    def test_the_selector_is_the_one_given(self, command: Command, pem: tuple[str, str]) -> None:
        record = f"v=DKIM1;k=rsa;p={pem[1]}"
        command("apply", "example.com", "--dkim", record, "--selector", "s2026", "--yes")
        assert txt(command.sandbox, "s2026._domainkey") == [record]

    @on_ccp
    def test_mailcows_own_selector_is_used(self, command: Command) -> None:
        command.sandbox.set_dkim("example.com", selector="mc1")
        command("apply", "example.com", "--dkim", "mailcow", "--yes")
        assert len(txt(command.sandbox, "mc1._domainkey")) == 1

    @on_ccp
    def test_mailcow_can_be_named_by_option_alone(self, command: Command) -> None:
        url = command.sandbox.mailcow_url
        command.changes["MAILCOW_URL"] = None
        ended = command("apply", "example.com", "--mailcow", url, "--yes")
        assert ended.code == 0, ended.stderr
        assert len(txt(command.sandbox, "dkim._domainkey")) == 1

    @on_ccp
    def test_without_a_key_in_mailcow_the_live_record_stays_and_the_rest_goes_on(
        self, command: Command
    ) -> None:
        command("apply", "example.com", *WISH, "--yes")
        live = txt(command.sandbox, "dkim._domainkey")
        command.sandbox.remove_dkim("example.com")
        wish = ("--dkim", "mailcow", "--spf", "v=spf1 mx a ip4:192.0.2.1 -all")
        ended = command("apply", "example.com", *wish, "--yes")
        assert ended.code == 0
        assert "dkim-no-key" in ended.stdout
        assert "ARC/DKIM keys" in ended.stdout
        assert txt(command.sandbox, "dkim._domainkey") == live
        assert "v=spf1 mx a ip4:192.0.2.1 -all" in txt(command.sandbox, "@")

    def test_mailcows_split_form_is_joined(self, tmp_path: Path, api: Api) -> None:
        with api.netcup(quirks=Quirks(mailcow_split_dkim=True)) as sandbox:
            command = Command(sandbox, tmp_path)
            assert command("apply", "example.com", "--dkim", "mailcow", "--yes").code == 0
            (record,) = txt(sandbox, "dkim._domainkey")
            assert '"' not in record
            assert len(record) > 400

    def test_a_key_that_mailcow_refuses_is_sent_once_for_all_domains(self, tmp_path: Path) -> None:
        with Sandbox(["a.de", "b.de", "c.de"]) as sandbox:
            command = Command(sandbox, tmp_path, {"MAILCOW_API_KEY": "AAAAAA-BBBBBB"})
            ended = command("plan", "a.de", "b.de", "c.de", "--dkim", "mailcow")
            assert ended.code == 4
            stats: Any = sandbox.stats()["mailcow"]
            assert sum(stats.values()) == 1


def test_duplicates_of_the_kind_collapse_and_are_shown_as_deletions(command: Command) -> None:
    sandbox = command.sandbox
    second = {"hostname": "@", "type": "TXT", "destination": "v=spf1 ip4:192.0.2.1 -all"}
    sandbox.set_zone("example.com", [*sandbox.zone("example.com"), second])
    drop = ("--spf-drop", "ip4:192.0.2.1")
    ended = command("apply", "example.com", "--spf", SPF, *DROP, *drop, "--yes")
    assert ended.code == 0, ended.stderr
    assert "1 updated, 1 deleted" in ended.stdout
    assert [text for text in txt(sandbox, "@") if text.startswith("v=spf1")] == [SPF]


@pytest.mark.parametrize(
    ("hostname", "option", "code"),
    [
        ("_dmarc", ("--dmarc", DMARC), "cname-conflict"),
        ("dkim._domainkey", ("--dkim", "mailcow"), "dkim-cname"),
    ],
)
def test_a_cname_in_the_way_is_refused_and_nothing_written(
    command: Command, api: Api, hostname: str, option: tuple[str, ...], code: str
) -> None:
    sandbox = command.sandbox
    cname = {"hostname": hostname, "type": "CNAME", "destination": "elsewhere.example.net"}
    sandbox.set_zone("example.com", [*sandbox.zone("example.com"), cname])
    ended = command("apply", "example.com", *option, "--yes")
    assert ended.code == 6
    assert code in ended.stdout
    assert api.writes(sandbox) == 0


def test_an_idn_domain_is_sent_as_punycode(tmp_path: Path, api: Api) -> None:
    with api.netcup(["xn--mnchen-3ya.de"]) as sandbox:
        command = Command(sandbox, tmp_path)
        ended = command("apply", "München.de", "--spf", SPF, *DROP, "--yes")
        assert ended.code == 0, ended.stderr
        assert SPF in txt(sandbox, "@", "xn--mnchen-3ya.de")


def test_the_same_over_tls_with_a_ca_of_its_own(tmp_path: Path, api: Api) -> None:
    with api.netcup(tls=True) as sandbox:
        command = Command(sandbox, tmp_path)
        assert command("apply", "example.com", *WISH, "--yes").code == 0
        command.changes["REQUESTS_CA_BUNDLE"] = None
        command.changes["SSL_CERT_FILE"] = None
        ended = command("plan", "example.com", *WISH)
        assert ended.code == 1
        assert "TLS" in ended.stderr + ended.stdout

"""The main job in its variations, by each of netcup's APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox.addresses import CA_VARIABLES
from tests.apis import each_api, on_ccp, on_clouddns
from tests.story.wanted import DMARC, DROP, KEY, SPF, WISH, txt
from tests.worlds import requests_of

if TYPE_CHECKING:
    from tests.apis import Api
    from tests.story.inprocess import Cli, PointedAt

api = each_api


@on_clouddns
def test_an_update_keeps_the_ttl_and_a_new_record_gets_the_usual_one(cli: Cli) -> None:
    sandbox = cli.sandbox
    records = [{**record, "ttl": 300} for record in sandbox.zone("example.com")]
    sandbox.set_zone("example.com", records)
    cli("apply", "example.com", *WISH, "--yes")
    ttls = {str(row["rdata"])[1:7]: row["ttl"] for row in sandbox.rest_records("example.com")}
    assert [ttls[start] for start in ("v=spf1", "v=DKIM", "v=DMAR")] == [300, 3600, 3600]


@pytest.mark.parametrize(
    ("count", "job"), [(1, "list"), (1, "upsert"), (10, "upsert"), (10, "nothing to do")]
)
def test_the_calls_are_as_few_as_promised_over_one_connection(
    pointed_at: PointedAt, api: Api, count: int, job: str
) -> None:
    domains = [f"example-{number}.de" for number in range(count)]
    with api.netcup(domains) as sandbox:
        cli = pointed_at(sandbox)
        wish = ("--spf", SPF, *DROP, "--dkim", KEY, "--dmarc", "v=DMARC1;p=quarantine")
        arguments: tuple[str, ...] = ("apply", *domains, *wish, "--yes")
        if job == "list":
            arguments = ("records", *domains)
        if job == "nothing to do":
            cli(*arguments)
        before = sum(requests_of(sandbox).values())
        connections = int(str(sandbox.stats()["connections"]))
        assert cli(*arguments).code == 0
        assert sum(requests_of(sandbox).values()) - before == api.promised[job, count]
        assert int(str(sandbox.stats()["connections"])) - connections == 1


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (("--spf", SPF), 6),  # it drops netcup's include: nothing could be written
        (("--spf", SPF, "--dmarc", DMARC), 6),  # apply would write DMARC, and end with 6 too
        (("--spf", SPF, *DROP), 3),
        (("--dmarc", "v=DMARC1;p=none"), 3),
        (("--spf-require", "mx"), 0),
    ],
)
def test_a_plan_tells_by_its_exit_code_what_apply_would_come_to(
    cli: Cli, wish: tuple[str, ...], code: int
) -> None:
    assert cli("plan", "example.com", *wish, "--exit-code").code == code
    assert cli("plan", "example.com", *wish).code == 0
    assert cli("apply", "example.com", *wish, "--yes").code == (0 if code == 3 else code)


@on_ccp
def test_of_many_domains_one_that_is_held_back_decides(pointed_at: PointedAt, api: Api) -> None:
    with api.netcup(["example.com", "example.org"]) as sandbox:
        cli = pointed_at(sandbox)
        allowed = ("--allow", "spf-drops-sender:example.com")
        wish = ("--spf", SPF, *allowed, "--exit-code")
        assert cli("plan", "example.com", "example.org", *wish).code == 6


@on_ccp
def test_quiet_says_nothing_when_nothing_changed(cli: Cli) -> None:
    cli("apply", "example.com", *WISH, "--yes")
    ended = cli("-q", "apply", "example.com", *WISH, "--yes")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
    cli.sandbox.set_dkim("example.com")
    assert "SHA256:" in cli("apply", "-q", "example.com", *WISH, "--yes").stdout


class TestConfig:
    def write(self, cli: Cli, text: str) -> None:
        (cli.folder / "netcup-mailauth.toml").write_text(text, encoding="utf-8")

    def test_every_domain_of_the_config_and_mail_domains_below_a_zone(self, cli: Cli) -> None:
        self.write(
            cli,
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
        ended = cli("apply", "--yes")
        assert ended.code == 0, ended.stderr
        assert txt(cli.sandbox, "intern") == ["v=spf1 a:mail.example.com -all"]
        assert txt(cli.sandbox, "_dmarc.intern") == ["v=DMARC1;p=none"]
        assert txt(cli.sandbox, "_dmarc") == [DMARC]
        assert "2 domains: 2 applied." in ended.stdout


class TestDkimSources:
    @pytest.fixture
    def pem(self, cli: Cli) -> tuple[str, str]:
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
        self, cli: Cli, pem: tuple[str, str], how: str
    ) -> None:
        private, public = pem
        (cli.folder / "dkim.key").write_text(private, encoding="ascii")
        source, stdin = {
            "file": ("file:dkim.key", ""),
            "stdin": ("-", private),
            "record": (f"record:v=DKIM1;k=rsa;p={public}", ""),
            "quoted": (f'record:"v=DKIM1;k=rsa;p={public[:200]}" "{public[200:]}"', ""),
            "bare": (f"v=DKIM1;k=rsa;p={public}", ""),
        }[how]
        ended = cli("apply", "example.com", "--dkim", source, "--yes", stdin=stdin)
        assert ended.code == 0, ended.stderr
        assert txt(cli.sandbox, "dkim._domainkey") == [f"v=DKIM1;k=rsa;p={public}"]
        assert "PRIVATE" not in ended.stdout + ended.stderr
        assert private.splitlines()[3] not in ended.stdout + ended.stderr

    @on_ccp
    def test_mailcow_can_be_named_by_option_alone(self, cli: Cli) -> None:
        url = cli.sandbox.mailcow_url
        cli.set({"MAILCOW_URL": None})
        ended = cli("apply", "example.com", "--mailcow", url, "--yes")
        assert ended.code == 0, ended.stderr
        assert len(txt(cli.sandbox, "dkim._domainkey")) == 1


def test_the_same_over_tls_with_a_ca_of_its_own(pointed_at: PointedAt, api: Api) -> None:
    with api.netcup(tls=True) as sandbox:
        cli = pointed_at(sandbox)
        assert cli("apply", "example.com", *WISH, "--yes").code == 0
        cli.set(dict.fromkeys(CA_VARIABLES))
        ended = cli("plan", "example.com", *WISH)
        assert ended.code == 1
        assert "TLS" in ended.stderr + ended.stdout

"""Bad input gets a clear sentence on stderr, the right exit code, no traceback, and no write."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Sandbox
from tests.worlds import requests_of

if TYPE_CHECKING:
    from tests.process.command import Ended
    from tests.story.inprocess import Cli, PointedAt

SPF = ("--spf-drop", "include:_spf.webhosting.systems", "--spf", "v=spf1 mx a -all")


def check(ended: Ended, code: int, *words: str) -> None:
    shown = ended.stderr + ended.stdout
    assert ended.code == code, shown
    for word in words:
        assert word in shown
    assert "Traceback" not in shown
    assert ended.stderr.strip()


def no_write(cli: Cli) -> None:
    assert "updateDnsRecords" not in requests_of(cli.sandbox)


def test_a_rest_key_where_the_ccp_key_belongs_is_recognised(cli: Cli) -> None:
    cli.set({"NETCUP_API_KEY": "a1" * 32})
    check(cli("plan", "example.com", *SPF), 4, "refuses the REST API key", "64 characters")
    assert requests_of(cli.sandbox) == {"domain": 1}  # the API it is for, and once


def test_a_sub_domain_where_a_zone_belongs(cli: Cli) -> None:
    config = cli.folder / "c.toml"
    config.write_text(
        '[domains."a.example.com"]\nzone = "a.example.com"\nspf = { record = "v=spf1 -all" }\n'
    )
    check(cli("-c", "c.toml", "apply", "--yes"), 5, "a.example.com", "zone = ")
    no_write(cli)


@pytest.mark.parametrize("character", ['"', "\\", "'", "ü", "\t"])
def test_a_text_that_netcup_would_alter(cli: Cli, character: str) -> None:
    ended = cli("apply", "example.com", "--dmarc", f"v=DMARC1;p=none;n=a{character}b", "--yes")
    check(ended, 2)
    no_write(cli)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--dkim", "v=DKIM1;k=rsa;p=nonsense"), "nonsense"),
        (("--dkim", "v=DKIM1;k=rsa;p=MIIB..."), "MIIB..."),
        (("--dkim", "v=DKIM1"), "single quotes"),
        (("--dmarc", "v=DMARC1"), "single quotes"),
        (("--dmarc", "v=DMARC1;p=quarentine"), "quarantine"),
        (("--spf", "v=spf1 ip4:<YOUR-IP4-ADDRESS> -all"), "<YOUR-IP4-ADDRESS>"),
        (("--spf", "v=spf1 ip4:203.0.113.0/33 -all"), "ip4:203.0.113.0/33"),
        (("--dkim", "file:not-there.pem"), "not-there.pem"),
        (("--dkim", "file:."), "folder"),
        (("--dkim", "/etc/dkim/x.private"), "file:/etc/dkim/x.private"),
        (("--dkim", "malicow"), "mailcow"),
        (("--dkim", "-"), "standard input"),
        (("--spf", ""), "SPF"),
        (("--selector", "a b", "--dkim", "mailcow"), "selector"),
        (("--selector", "s1"), "--dkim"),
        ((), "example.com"),
    ],
)
def test_what_is_no_record_key_or_source(cli: Cli, option: tuple[str, ...], words: str) -> None:
    check(cli("apply", "example.com", *option, "--yes"), 2, words)
    no_write(cli)


@pytest.mark.parametrize("how", ["encrypted", "truncated"])
def test_a_pem_that_cannot_be_used(cli: Cli, how: str) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519

    scheme: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if how == "encrypted":
        scheme = serialization.BestAvailableEncryption(b"secret")
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, scheme
    )
    if how == "truncated":
        pem = pem[:-40]
    (cli.folder / "key.pem").write_bytes(pem)
    check(cli("apply", "example.com", "--dkim", "file:key.pem", "--yes"), 2, "key.pem")
    no_write(cli)


@pytest.mark.parametrize(
    ("word", "nearest"), [("aply", "apply"), ("plam", "plan"), ("xyzzy", "records")]
)
def test_an_unknown_command_names_the_nearest(cli: Cli, word: str, nearest: str) -> None:
    check(cli(word, "example.com"), 2, word, nearest)


def test_no_name_that_mailcow_gives_gets_into_a_config(pointed_at: PointedAt) -> None:
    odd = 'evil.example"]\n[rotation]\nsigner_command = ["sh", "-c", "id"]\n#'
    with Sandbox(dkim_keys={odd: None, "elsewhere.example": None}) as sandbox:
        cli = pointed_at(sandbox)
        ended = cli("init")
        assert ended.code == 0, ended.stderr
        assert "no domain name" in ended.stderr
        config = tomllib.loads((cli.folder / "netcup-mailauth.toml").read_text())
        assert set(config) == {"mailcow", "domains"}
        assert set(config["domains"]) == {"example.com"}
        assert cli("rotate", "--status").code == 0


@pytest.mark.parametrize("text", ["", "# nothing yet\n", '[mailcow]\nurl = "https://m.example"\n'])
@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("check",)])
def test_a_config_without_a_domain_is_named_as_that(
    cli: Cli, command: tuple[str, ...], text: str
) -> None:
    (cli.folder / "netcup-mailauth.toml").write_text(text)
    code, said = cli.said(*command)
    assert code == 2
    assert "the config netcup-mailauth.toml has none" in said
    assert '[domains."example.com"]' in said


def test_a_config_of_plain_texts_does_what_the_tables_do(cli: Cli) -> None:
    config = cli.folder / "netcup-mailauth.toml"
    config.write_text(
        '[domains."example.com"]\nspf = "v=spf1 mx a ~all"\ndkim = "v=DKIM1;p="\n'
        'dmarc = "v=DMARC1;p=none"\n'
    )
    short = cli("plan", "--format", "json")
    config.write_text(
        '[domains."example.com"]\nspf = { record = "v=spf1 mx a ~all" }\n'
        'dkim = { source = "v=DKIM1;p=" }\ndmarc = { record = "v=DMARC1;p=none" }\n'
    )
    assert cli("plan", "--format", "json").json == short.json
    assert short.code == 0, short

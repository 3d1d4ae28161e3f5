"""Bad input gets a clear sentence on stderr, the right exit code, no traceback, and no write."""

from __future__ import annotations

import signal
import subprocess
import time
import tomllib
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Sandbox
from tests.process.command import Command, Ended
from tests.process.processes import COMMAND
from tests.worlds import requests_of

if TYPE_CHECKING:
    from pathlib import Path

SPF = ("--spf-drop", "include:_spf.webhosting.systems", "--spf", "v=spf1 mx a -all")


def check(ended: Ended, code: int, *words: str) -> None:
    shown = ended.stderr + ended.stdout
    assert ended.code == code, shown
    for word in words:
        assert word in shown
    assert "Traceback" not in shown
    assert ended.stderr.strip()


def no_write(command: Command) -> None:
    assert "updateDnsRecords" not in requests_of(command.sandbox)


NAMES = ("NETCUP_CUSTOMER_NUMBER", "NETCUP_API_KEY", "NETCUP_API_PASSWORD")


def test_all_missing_credentials_are_named_at_once(command: Command) -> None:
    command.changes = dict.fromkeys(NAMES)
    check(command("apply", "example.com", *SPF, "--yes"), 4, *NAMES, "CCP")
    assert requests_of(command.sandbox) == {}


def test_a_wrong_password_is_refused_and_not_tried_again(command: Command) -> None:
    command.changes = {"NETCUP_API_PASSWORD": "wrong-password"}
    ended = command("apply", "example.com", *SPF, "--yes")
    check(ended, 4, "refuses", "API password")
    assert "wrong-password" not in ended.stderr + ended.stdout
    assert requests_of(command.sandbox) == {"login": 1}


def test_a_rest_key_where_the_ccp_key_belongs_is_recognised(command: Command) -> None:
    command.changes = {"NETCUP_API_KEY": "a1" * 32}
    check(command("plan", "example.com", *SPF), 4, "refuses the REST API key", "64 characters")
    assert requests_of(command.sandbox) == {"domain": 1}  # the API it is for, and once


def test_a_zone_of_someone_elses(command: Command) -> None:
    check(command("apply", "foreign.com", *SPF, "--yes"), 5, "foreign.com", "CloudDNS")
    no_write(command)


def test_a_sub_domain_where_a_zone_belongs(command: Command) -> None:
    config = command.folder / "c.toml"
    config.write_text(
        '[domains."a.example.com"]\nzone = "a.example.com"\nspf = { record = "v=spf1 -all" }\n'
    )
    check(command("-c", "c.toml", "apply", "--yes"), 5, "a.example.com", "zone = ")
    no_write(command)


def test_a_mail_domain_below_its_zone_when_dns_does_not_say_where(command: Command) -> None:
    command.changes = {"NETCUP_MAILAUTH_RESOLVER": "127.0.0.1:9"}
    check(command("plan", "intern.example.com", *SPF), 5, "intern.example.com", "zone = ")


def test_an_empty_zone_is_not_filled_without_a_word(tmp_path: Path) -> None:
    with Sandbox([], zones={"example.com": []}) as sandbox:
        command = Command(sandbox, tmp_path)
        check(command("apply", "example.com", *SPF, "--yes"), 6, "zone-reads-empty")
        no_write(command)


@pytest.mark.parametrize("character", ['"', "\\", "'", "ü", "\t"])
def test_a_text_that_netcup_would_alter(command: Command, character: str) -> None:
    ended = command("apply", "example.com", "--dmarc", f"v=DMARC1;p=none;n=a{character}b", "--yes")
    check(ended, 2)
    no_write(command)


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
def test_what_is_no_record_key_or_source(
    command: Command, option: tuple[str, ...], words: str
) -> None:
    check(command("apply", "example.com", *option, "--yes"), 2, words)
    no_write(command)


@pytest.mark.parametrize("how", ["encrypted", "truncated"])
def test_a_pem_that_cannot_be_used(command: Command, how: str) -> None:
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
    (command.folder / "key.pem").write_bytes(pem)
    check(command("apply", "example.com", "--dkim", "file:key.pem", "--yes"), 2, "key.pem")
    no_write(command)


def test_three_mistakes_in_a_config_are_three_messages(command: Command) -> None:
    (command.folder / "netcup-mailauth.toml").write_text(
        '[mailcow]\nurll = "x"\n[domains."example.com"]\nspf = { record = "v=spf1 ip4:x -all" }\n'
        "dkim = { source = 3 }\n"
    )
    ended = command("plan")
    check(ended, 2, "3 mistakes", "urll", "ip4:x", "source")
    assert len([line for line in ended.stderr.splitlines() if line.startswith("  [")]) == 3


@pytest.mark.parametrize(
    ("word", "nearest"), [("aply", "apply"), ("plam", "plan"), ("xyzzy", "records")]
)
def test_an_unknown_command_names_the_nearest(command: Command, word: str, nearest: str) -> None:
    check(command(word, "example.com"), 2, word, nearest)


def test_an_unknown_option_is_a_usage_error(command: Command) -> None:
    check(command("plan", "example.com", "--spff", "x"), 2, "--spf")


@pytest.mark.parametrize("name", ["https://example.com", "example", "192.0.2.1", "-"])
def test_what_is_no_domain(command: Command, name: str) -> None:
    check(command("plan", name, *SPF), 2, name)


def test_options_without_a_domain_are_never_applied_to_all(command: Command) -> None:
    (command.folder / "netcup-mailauth.toml").write_text(
        '[domains."example.com"]\nspf = { record = "v=spf1 -all" }\n'
    )
    check(command("apply", *SPF, "--yes"), 2, "DOMAIN")
    no_write(command)


def test_no_domain_and_no_config(command: Command) -> None:
    check(command("plan"), 2, "DOMAIN")


def test_without_a_terminal_and_without_yes_nothing_is_written(command: Command) -> None:
    check(command("apply", "example.com", *SPF), 2, "--yes")
    assert requests_of(command.sandbox) == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_before_the_write_prevents_it(
    command: Command, number: signal.Signals
) -> None:
    command.sandbox.fault("infoDnsRecords", "slow", delay=20)
    process = command.start("apply", "example.com", *SPF, "--yes")
    _until_called(command.sandbox, "infoDnsRecords")
    process.send_signal(number)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in error
    no_write(command)


def test_an_interrupt_during_the_write_waits_for_its_outcome_and_says_it(command: Command) -> None:
    command.sandbox.fault("updateDnsRecords", "slow", delay=1.5)
    process = command.start("apply", "example.com", *SPF, "--yes")
    _until_called(command.sandbox, "updateDnsRecords")
    process.send_signal(signal.SIGINT)
    output, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"written and verified" in output
    assert b"Waiting for the write" in error


def test_a_second_interrupt_stops_at_once_and_names_the_write(command: Command) -> None:
    command.sandbox.fault("updateDnsRecords", "slow", delay=60)
    process = command.start("apply", "example.com", *SPF, "--yes")
    _until_called(command.sandbox, "updateDnsRecords")
    process.send_signal(signal.SIGINT)
    process.told_until("interrupt again")
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 8
    assert b"the write to example.com" in error


def test_no_name_that_mailcow_gives_gets_into_a_config(tmp_path: Path) -> None:
    odd = 'evil.example"]\n[rotation]\nsigner_command = ["sh", "-c", "id"]\n#'
    with Sandbox(dkim_keys={odd: None, "elsewhere.example": None}) as sandbox:
        command = Command(sandbox, tmp_path)
        ended = command("init")
        assert ended.code == 0, ended.stderr
        assert "no domain name" in ended.stderr
        config = tomllib.loads((tmp_path / "netcup-mailauth.toml").read_text())
        assert set(config) == {"mailcow", "domains"}
        assert set(config["domains"]) == {"example.com"}
        assert command("rotate", "--status").code == 0


def test_help_needs_nothing_at_all(tmp_path: Path) -> None:
    ended = subprocess.run([str(COMMAND), "--help"], env={}, capture_output=True, check=True)
    for name in (b"records", b"plan", b"apply", b"sandbox", b"demo"):
        assert name in ended.stdout


def _until_called(sandbox: Sandbox, action: str) -> None:
    deadline = time.monotonic() + 20
    while action not in requests_of(sandbox):
        assert time.monotonic() < deadline
        time.sleep(0.02)

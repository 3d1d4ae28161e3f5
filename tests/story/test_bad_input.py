"""Bad input gets a clear sentence on stderr, the right exit code, no traceback, and no write."""

from __future__ import annotations

import errno
import os
import tomllib
from typing import TYPE_CHECKING

import pytest
from click import ParamType

from netcup_mailauth import files
from netcup_mailauth.cli.commands import COMMANDS
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
        (("--spf", ""), "--spf is given nothing"),
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


def test_what_netcups_own_address_should_be_is_not_told_by_a_mailcow(cli: Cli) -> None:
    cli.set({"NETCUP_CCP_ENDPOINT": "ccp.netcup.net"})
    ended = cli("plan", "example.com", *SPF)
    check(ended, 2, "NETCUP_CCP_ENDPOINT is no URL", "https:// in front")
    assert "mail.example.com" not in ended.stderr


def test_a_key_file_is_looked_for_where_the_message_says(cli: Cli) -> None:
    check(cli("plan", "example.com", "--dkim", "file:no.pem"), 2, "no.pem", "folder you are in")
    (cli.folder / "sub").mkdir()
    config = cli.folder / "sub" / "c.toml"
    config.write_text('[domains."example.com"]\ndkim = "file:no.pem"\n')
    ended = cli("-c", "sub/c.toml", "plan")
    check(ended, 2, str(cli.folder / "sub" / "no.pem"))
    assert "folder you are in" not in ended.stderr


@pytest.mark.parametrize("option", ["--spf-require", "--spf-drop"])
@pytest.mark.parametrize("name", ["_spf.google.com", "mail.example.com", "~mail.example.com"])
def test_a_host_in_the_place_of_a_term_is_told_as_one(cli: Cli, option: str, name: str) -> None:
    bare = name.lstrip("~")
    check(cli("plan", "example.com", option, name), 2, f"include:{bare}", f'"a:{bare}"')


@pytest.mark.parametrize("said", ["quarantine", "p=reject", "None"])
def test_a_policy_alone_is_told_as_one_in_a_config_too(cli: Cli, said: str) -> None:
    config = cli.folder / "c.toml"
    config.write_text(f'[domains."example.com"]\ndmarc = "{said}"\n')
    level = said.removeprefix("p=").lower()
    check(cli("-c", "c.toml", "plan"), 2, "line 2", f'policy = "{level}"')


@pytest.mark.parametrize("config", ['domains_from = "mailcow"', '[domains."example.com"]'])
def test_what_is_wanted_of_a_domain_that_nobody_named_is_said_in_the_config(
    cli: Cli, config: str
) -> None:
    (cli.folder / "c.toml").write_text(f"{config}\n")
    ended = cli("-c", "c.toml", "plan")
    check(ended, 2, "Nothing is wanted for example.com", "[defaults]")
    assert "--spf" not in ended.stderr  # which takes a domain that is named


OUTPUTS = [
    ("plan", "example.com", "--dmarc-policy", "none", "--out"),
    ("plan", "example.com", "--dmarc-policy", "none", "--record"),
    ("check", "example.com", "--metrics-file"),
]


@pytest.mark.parametrize("words", OUTPUTS, ids=lambda words: words[-1])
def test_a_folder_that_was_removed_under_ones_feet(cli: Cli, words: tuple[str, ...]) -> None:
    gone = cli.folder / "gone"
    gone.mkdir()
    cli.monkeypatch.chdir(gone)
    gone.rmdir()
    check(cli(*words, "file"), 2, "file cannot be written", "was removed")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_where_there_is_no_room_it_is_made(cli: Cli, number: int) -> None:
    def full(*_words: object, **_more: object) -> None:
        raise OSError(number, os.strerror(number))

    cli.monkeypatch.setattr(files, "_put", full)
    check(cli(*OUTPUTS[0], "plan.json"), 2, os.strerror(number), "Make room")


NETCUP = "include:_spf.webhosting.systems"


@pytest.mark.parametrize("mistyped", [NETCUP.replace("_", ""), f"{NETCUP}s", NETCUP.title()[:-1]])
@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes")])
def test_a_term_to_drop_that_is_not_there_is_told_with_the_one_that_is(
    cli: Cli, command: tuple[str, ...], mistyped: str
) -> None:
    ended = cli(*command, "example.com", "--spf-drop", mistyped)
    check(ended, 0, f"{mistyped} is to be dropped, and is not in its SPF record", f"is {NETCUP} m")
    beside = cli("plan", "example.com", "--spf", "v=spf1 mx a -all", "--spf-drop", mistyped)
    check(beside, 0, "is to be dropped, and is not in its SPF record")
    no_write(cli)


def test_a_term_that_went_in_an_earlier_run_needs_no_word(cli: Cli) -> None:
    wish = ("example.com", "--spf-drop", NETCUP)
    for command in (("plan",), ("apply", "--yes"), ("plan",), ("apply", "--yes")):
        assert "is to be dropped" not in cli(*command, *wish).stderr
    quiet = cli("plan", "-q", "example.com", "--spf-drop", "include:_spf.web")
    assert not quiet.stderr


def test_a_mail_host_in_the_place_of_its_domain_is_told_what_to_type(cli: Cli) -> None:
    planned = cli("plan", "mail.example.com", "--spf", "v=spf1 a -all")
    said = " ".join(planned.stdout.split())
    assert "No MX tells what sends the mail of mail.example.com" in said
    assert "--server mail.example.com" in said
    assert "mail.mail" not in said
    named = cli(
        "plan", "mail.example.com", "--spf", "v=spf1 a -all", "--server", "mail.example.com"
    )
    assert "own-server-unknown" not in named.stdout


@pytest.mark.parametrize("text", ["v=DKIM1;k=rsa;p=", "v=DKIM1; p=", "record:v=DKIM1;p= "])
def test_an_empty_key_is_told_where_none_was_before(cli: Cli, text: str) -> None:
    planned = cli("plan", "example.com", "--dkim", text)
    assert "? dkim-revokes-key" in planned.stdout
    assert cli("apply", "example.com", "--dkim", text, "--yes").code == 0
    assert "dkim-revokes-key" not in cli("plan", "example.com", "--dkim", text).stdout


@pytest.mark.parametrize(
    ("words", "having"),
    [
        (("apply", "example.com", "--zone-file", "zone.json"), "plan has it"),
        (("apply", "example.com", "--out", "plan.json"), "plan has it"),
        (("plan", "--plan", "plan.json"), "apply has it"),
        (("records", "example.com", "--full"), "have it"),
        (("plan", "example.com", "--nonsense"), "See: netcup-mailauth plan --help"),
    ],
)
def test_an_option_of_another_command_is_told_as_one(
    cli: Cli, words: tuple[str, ...], having: str
) -> None:
    check(cli(*words), 2, having)


def test_what_was_mistyped_is_told_before_the_question(
    cli: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []

    def no(_plan: object, _question: str) -> bool:
        told.append(capsys.readouterr().err)
        return False

    cli.monkeypatch.setattr("netcup_mailauth.cli.output.attended", lambda: True)
    cli.monkeypatch.setattr("netcup_mailauth.cli.apply.agreed", no)
    ended = cli("apply", "example.com", "--spf-all", "fail", "--spf-drop", f"{NETCUP}s")
    assert f"is {NETCUP} meant?" in told[0]
    assert "is to be dropped" not in ended.stderr


@pytest.mark.parametrize(
    ("server", "named"),
    [
        ("203.0.113.300", ""),
        ("203.0.113", ""),
        ("2001:db8::g", ""),
        ("203.0.113.7/32", ""),
        ("mail", ""),
        ("a_b.example.com", ""),
        ("https://mx.example.com/x", "mx.example.com"),
        ("mx.example.com:25", "mx.example.com"),
    ],
)
def test_what_sends_the_mail_is_told_as_a_host_or_an_address(
    cli: Cli, server: str, named: str
) -> None:
    ended = cli("plan", "example.com", *SPF, "--server", server)
    check(ended, 2, server, "neither the name of a host nor an address", named)
    assert "mail domain" not in ended.stderr
    (cli.folder / "c.toml").write_text(
        f'[domains."example.com"]\nspf = "v=spf1 mx -all"\nserver = ["{server}"]\n'
    )
    check(cli("-c", "c.toml", "plan"), 2, "line 3", server, "neither the name of a host", named)


def test_a_domain_of_no_part_of_the_run_is_told_with_one_that_is(cli: Cli) -> None:
    ended = cli("plan", "example.com", *SPF, "--allow", "spf-drops-sender:example.net")
    check(ended, 2, "example.net", "--allow spf-drops-sender:example.com")


TEXTS = sorted(
    {
        (name, option.names[-1])
        for name, command in COMMANDS.items()
        for option in command.options
        if not option.more.get("is_flag") and not isinstance(option.more.get("type"), ParamType)
    }
)


@pytest.mark.parametrize(("command", "option"), TEXTS, ids=lambda word: word)
@pytest.mark.parametrize("nothing", ["", "  "])
def test_an_option_that_is_given_nothing_is_not_passed_over(
    cli: Cli, command: str, option: str, nothing: str
) -> None:
    """A script whose variable is empty would have a record left out, and end with 0."""
    check(cli(command, option, nothing), 2)
    no_write(cli)


def test_a_key_that_a_script_has_lost_is_told(cli: Cli) -> None:
    ended = cli("apply", "example.com", "--yes", *SPF, "--dkim", "")
    check(ended, 2, "--dkim is given nothing", "variable of the shell")
    no_write(cli)

"""A slip in the command line ends with the command that was meant, which works when it is typed."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.cli import slips
from netcup_mailauth.cli.commands import COMMANDS
from netcup_mailauth.cli.entry import main
from netcup_mailauth.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tests.story.inprocess import Cli

PLAN = "plan example.com"
WHOLE = "--spf 'v=spf1 mx a -all'"


def meant(words: list[str]) -> tuple[str, str]:
    """What is said of a command line, and the command that it names."""
    with pytest.raises(UsageError) as caught:
        slips.check(words)
    said, _, command = caught.value.advice.rpartition("\n  ")
    assert said
    assert caught.value.exit_code is ExitCode.USAGE
    return caught.value.what, command.removeprefix("netcup-mailauth ")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (f"{PLAN} --spf v=spf1 mx a -all", f"{PLAN} {WHOLE}"),
        (f"{PLAN} --spf=v=spf1 mx a -all", f"{PLAN} {WHOLE}"),
        (
            f"{PLAN} --spf v=spf1 mx a ~all --dkim mailcow",
            f"{PLAN} --spf 'v=spf1 mx a ~all' --dkim mailcow",
        ),
        ("plan --spf v=spf1 mx a -all example.com", "plan --spf 'v=spf1 mx a -all' example.com"),
        (
            "apply --yes example.com --spf v=spf1 -all",
            "apply --yes example.com --spf 'v=spf1 -all'",
        ),
        ("check example.com --spf V=SPF1 MX -ALL", "check example.com --spf 'V=SPF1 MX -ALL'"),
        (f"-c x.toml {PLAN} --spf v=spf1 mx -all", f"-c x.toml {PLAN} --spf 'v=spf1 mx -all'"),
        (
            f"{PLAN} --spf v=spf1 ip4:203.0.113.7/32 include:_x.net a:x.de/24 redirect=y.de",
            f"{PLAN} --spf 'v=spf1 ip4:203.0.113.7/32 include:_x.net a:x.de/24 redirect=y.de'",
        ),
        (f"{PLAN} --spf 'v=spf1 mx' a -all", f"{PLAN} {WHOLE}"),
        (f"{PLAN} --spf mx a -all", f"{PLAN} {WHOLE}"),
        (f"{PLAN} v=spf1 mx a -all", f"{PLAN} {WHOLE}"),
        (f"{PLAN} 'v=spf1 mx a -all'", f"{PLAN} {WHOLE}"),
        (f"{PLAN} 'v=DMARC1; p=none'", f"{PLAN} --dmarc 'v=DMARC1; p=none'"),
        (
            f"{PLAN} --dmarc 'v=DMARC1;' p=reject rua=mailto:a@b.de",
            f"{PLAN} --dmarc 'v=DMARC1; p=reject; rua=mailto:a@b.de'",
        ),
        (f"{PLAN} --dmarc v=DMARC1", f"{PLAN} --dmarc 'v=DMARC1;p=none'"),
        (f"{PLAN} --dmarc 'v=DMARC1;'", f"{PLAN} --dmarc 'v=DMARC1;p=none'"),
        (f"{PLAN} --spf-require mx a", f"{PLAN} --spf-require mx --spf-require a"),
        (f"{PLAN} --spf-require 'mx a'", f"{PLAN} --spf-require mx --spf-require a"),
        (f"{PLAN} --spf-require mx -all", f"{PLAN} --spf-require mx --spf-all fail"),
        (f"{PLAN} --spf-require ~all", f"{PLAN} --spf-all softfail"),
        (f"{PLAN} --spf-drop a ptr", f"{PLAN} --spf-drop a --spf-drop ptr"),
        (f"{PLAN} --spf-all -all", f"{PLAN} --spf-all fail"),
        (f"{PLAN} -all", f"{PLAN} --spf-all fail"),
        (f"{PLAN} -spf 'v=spf1 mx a -all'", f"{PLAN} {WHOLE}"),
        (f"{PLAN} -config=x.toml", f"{PLAN} --config=x.toml"),
        ("apply -yes", "apply --yes"),
        ("-help", "--help"),
        ("plan -help", "plan --help"),
        (f"--spf 'v=spf1 mx a -all' {PLAN}", f"{PLAN} {WHOLE}"),
        (f"{PLAN} --dkim-selector s1 --json", f"{PLAN} --selector s1 --format json"),
        ("plan --domain example.com", PLAN),
        ("plan help", "plan --help"),
        (
            f"{PLAN} --rua me@x.de --rua=you@x.de",
            f"{PLAN} --rua mailto:me@x.de --rua=mailto:you@x.de",
        ),
        (
            f"{PLAN} --host mail.x.de --policy=none",
            f"{PLAN} --server mail.x.de --dmarc-policy none",
        ),
        (f"{PLAN} --mailcow mail.x.de", f"{PLAN} --mailcow https://mail.x.de"),
        ("init --mailcow=mail.x.de:8443/", "init --mailcow=https://mail.x.de:8443/"),
        (f"{PLAN} --dmarc quarantine", f"{PLAN} --dmarc-policy quarantine"),
        (f"{PLAN} --dmarc=reject", f"{PLAN} --dmarc-policy reject"),
        (f"{PLAN} --yes", PLAN),
        (f"{PLAN} --spf v=spf1 mx a - all", f"{PLAN} {WHOLE}"),
        (f"{PLAN} v=spf1 mx a -all 'v=DMARC1;p=none'", f"{PLAN} {WHOLE} --dmarc 'v=DMARC1;p=none'"),
        (f"{PLAN} 3600 IN TXT 'v=spf1 mx a -all'", f"{PLAN} {WHOLE}"),
        (f"{PLAN} --spf-require mx,a", f"{PLAN} --spf-require mx --spf-require a"),
        (f"{PLAN} --spf-require include _x.de", f"{PLAN} --spf-require include:_x.de"),
        (f"{PLAN} --spf-require ip4 203.0.113.7", f"{PLAN} --spf-require ip4:203.0.113.7"),
        (f"{PLAN} --spf-drop 203.0.113.0/24", f"{PLAN} --spf-drop ip4:203.0.113.0/24"),
        (f"{PLAN} --spf-require 2001:db8::7", f"{PLAN} --spf-require ip6:2001:db8::7"),
        (f"{PLAN} --spf-require v=spf1 mx a", f"{PLAN} --spf 'v=spf1 mx a'"),
        (f"{PLAN} --spf-all hardfail", f"{PLAN} --spf-all fail"),
        (f"{PLAN} --spf-all=FAIL", f"{PLAN} --spf-all fail"),
        (f"{PLAN} --dmarc p=quarantine --rua x", f"{PLAN} --dmarc-policy quarantine --rua x"),
        (f"{PLAN} --dmarc 'p=reject;sp=none'", f"{PLAN} --dmarc 'v=DMARC1;p=reject;sp=none'"),
        ("sandbox -d x.de", "sandbox --domain x.de"),
        (f"{PLAN} --dmarc 'v=DMARC1 p=none'", f"{PLAN} --dmarc 'v=DMARC1;p=none'"),
        (
            f"{PLAN} --dmarc v=DMARC1,p=none,rua=mailto:a@x.de,mailto:b@x.de",
            f"{PLAN} --dmarc 'v=DMARC1;p=none;rua=mailto:a@x.de,mailto:b@x.de'",
        ),
        (f"{PLAN} --dmarc-policy p=none", f"{PLAN} --dmarc-policy none"),
        (f"{PLAN} --dmarc-policy Quarentine", f"{PLAN} --dmarc-policy quarantine"),
        (f"{PLAN} --dmarc_policy none", f"{PLAN} --dmarc-policy none"),
        (f"{PLAN} --dmarc-rua=mailto:a@x.de", f"{PLAN} --rua mailto:a@x.de"),
        (
            f"{PLAN} --rua mailto:a@x.de,mailto:b@x.de",
            f"{PLAN} --rua mailto:a@x.de --rua mailto:b@x.de",
        ),
        (f"{PLAN} --rua mailto: a@x.de", f"{PLAN} --rua mailto:a@x.de"),
        (f"{PLAN} --dkim https://mail.x.de", f"{PLAN} --mailcow https://mail.x.de"),
        (f"{PLAN} --dkim mailcow https://mail.x.de", f"{PLAN} --mailcow https://mail.x.de"),
        (f"{PLAN} --dkim file: 'my key.pem'", f"{PLAN} --dkim 'file:my key.pem'"),
        (f"{PLAN} --dkim '/etc/a b/$x'", f"{PLAN} --dkim 'file:/etc/a b/$x'"),
        (f"{PLAN} --kind SPF,dkim", f"{PLAN} --kind spf --kind dkim"),
        (f"{PLAN} --kind spf dmarc", f"{PLAN} --kind spf --kind dmarc"),
        (f"{PLAN} --format=JSON", f"{PLAN} --format json"),
        ("plan https://example.com/ a@x.de,b.de", "plan example.com x.de b.de"),
        ("apply example.com --dryrun", "apply example.com --dry-run"),
        ("apply -n example.com", "apply --dry-run example.com"),
        ("apply plan.json --yes", "apply --plan plan.json --yes"),
        (f"{PLAN} -o plan.json --only spf", f"{PLAN} --out plan.json --kind spf"),
        (
            f"{PLAN} \N{EN DASH}spf \N{LEFT SINGLE QUOTATION MARK}v=spf1 mx a -all"
            "\N{RIGHT SINGLE QUOTATION MARK}",
            f"{PLAN} {WHOLE}",
        ),
        (f"{PLAN} \N{EM DASH}dkim mailcow", f"{PLAN} --dkim mailcow"),
        (f"{PLAN} --dkim \N{EN DASH}", f"{PLAN} --dkim -"),
        (
            f"{PLAN} -\N{EN DASH}spf=\N{DOUBLE LOW-9 QUOTATION MARK}v=spf1 mx a -all"
            "\N{LEFT DOUBLE QUOTATION MARK}",
            f"{PLAN} {WHOLE}",
        ),
    ],
)
def test_the_command_that_was_meant_is_named_whole(typed: str, expected: str) -> None:
    assert meant(shlex.split(typed))[1] == expected


@pytest.mark.parametrize("final", ["-all", "~all", "?all"])
def test_what_is_wrong_is_that_there_are_no_quotes(final: str) -> None:
    what, _ = meant([*PLAN.split(), "--spf", "v=spf1", "mx", "a", final])
    assert "quotes" in what
    assert "v=spf1" in what


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "--help",
        "-h",
        "plan -h",
        "-qv apply --yes",
        "apply -y",
        "undo example.com -y",
        f"{PLAN} {WHOLE}",
        f"{PLAN} --spf=v=spf1",
        f"{PLAN} --spf v=spf1 --dkim mailcow",
        f"{PLAN} --spf-require mx --spf-require a --spf-all fail",
        f"{PLAN} --spf-drop -all",
        f"{PLAN} --dkim 'v=DKIM1;k=rsa;p=AAAA' --dmarc 'v=DMARC1;p=none'",
        f"{PLAN} --dkim record:v=DKIM1;p=",
        f"{PLAN} -c v=spf1",
        f"{PLAN} --spf 'v=spf2 mx'",
        f"{PLAN} --spf spf2.0/pra",
        "plan --out plan\N{RIGHT SINGLE QUOTATION MARK}s.json",
        f"{PLAN} --mailcow http://127.0.0.1:8080 --mailcow",
        f"{PLAN} --rua mailto:a@b.de --rua https://x.de/@a --rua a@b.de,c@d.de --rua",
        "records example.com --format json",
        "sandbox --domain example.com --rate 0",
        "rotate example.com --dry-run --yes",
        "nonsense v=spf1 mx",
        f"{PLAN} --spf-require exists:%{{d1r,}}.x.de --dmarc-policy none",
        f"{PLAN} --format xyz --kind",
        f"{PLAN} -n",
        "show plan.json",
        "apply plan.json --plan plan.json",
        "undo a.de,b.de",
        "plan plan.json",
        "apply example.com --zone-file zone.json",
        "apply --zone-file zone.json example.com",
        "undo example.com --mail user@example.com",
        f"{PLAN} -c a,b.toml --server 203.0.113.7",
    ],
)
def test_what_means_something_is_left_alone(typed: str) -> None:
    slips.check(shlex.split(typed))


@pytest.mark.parametrize("form", ["--dkim {}", "--dkim={}"])
def test_a_private_key_is_not_in_the_command_that_was_meant(form: str) -> None:
    secret = "-----BEGIN PRIVATE KEY-----MIIEvQIBADANBgkqhkiG9w0-----END PRIVATE KEY-----"
    words = [*form.replace("{}", "\0").split(), "--spf", "v=spf1", "mx", "-all"]
    _, command = meant([*PLAN.split(), *(word.replace("\0", secret) for word in words)])
    assert "MIIE" not in command
    assert "file:PATH" in command


def test_a_key_that_may_be_taken_for_a_path_is_not_told_to_be_typed() -> None:
    slips.check([*PLAN.split(), "--dkim", "/" * 3 + "ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="])


def test_what_is_told_to_be_typed_does_what_was_meant(cli: Cli) -> None:
    ended = cli("plan", "example.com", "--spf", "v=spf1", "mx", "a", "-all")
    assert ended.code == ExitCode.USAGE
    command = shlex.split(ended.stderr.splitlines()[-1])
    again = cli(*command[1:], "--exit-code")
    assert "v=spf1 mx a -all" in again.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("version", "netcup-mailauth --version"),
        ("example.com", "netcup-mailauth check example.com"),
        ("pln", "Is plan meant?"),
        ("APPLY", "Is apply meant?"),
        ("list", "Is records meant?"),
        ("rollback", "Is undo meant?"),
        ("--hepl", "--help"),
        ("plan --hepl", "--help"),
        ("plan --spf", "netcup-mailauth plan --help"),
        ("plan x --dmarc-policies none", "--dmarc-policy"),
    ],
)
def test_a_mistyped_word_gets_the_nearest(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == ExitCode.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


@pytest.mark.parametrize("words", [[], ["-h"], ["--help"], ["-q"], ["plan", "-h"]])
def test_the_help_is_a_result(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == ExitCode.OK
    out, err = capsys.readouterr()
    assert out.startswith("Usage: netcup-mailauth")
    assert err == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_yes_has_a_short_form_wherever_it_is(name: str) -> None:
    for option in COMMANDS[name].options:
        assert ("--yes" in option.names) == ("-y" in option.names)

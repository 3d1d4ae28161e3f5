"""A kind of which nothing is said stays, and the plan says so; of all three, what to do."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.errors import ExitCode
from tests.apis import each_api, on_ccp
from tests.story.wanted import DMARC, WISH

if TYPE_CHECKING:
    from tests.apis import Api
    from tests.story.inprocess import Cli, PointedAt

api = each_api

NONE = "v=DMARC1;p=none"
LIVE = "v=spf1 mx a include:_spf.webhosting.systems ~all"


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


@pytest.mark.parametrize("how", [("--dkim", "mailcow"), ("--mailcow",)])
def test_a_plan_for_the_key_alone_names_what_it_leaves(cli: Cli, how: tuple[str, ...]) -> None:
    url = [str(cli.sandbox.env["MAILCOW_URL"])] if how == ("--mailcow",) else []
    shown = lines(cli("plan", "example.com", *how, *url).stdout)
    assert f"SPF: not managed here; live is {LIVE}" in shown
    assert "DMARC: not managed here; none is live" in shown
    assert not any(line.startswith("DKIM: not managed") for line in shown)


@on_ccp
def test_a_key_is_told_by_its_hostname(cli: Cli) -> None:
    cli("apply", "example.com", *WISH, "--yes")
    shown = lines(cli("plan", "example.com", "--dmarc", DMARC).stdout)
    named = "dkim._domainkey, key1._domainkey, key2._domainkey"  # the last two are netcup's own
    assert f"DKIM: not managed here; live are {named}" in shown
    assert "SPF: not managed here; live is v=spf1 mx a -all" in shown


@on_ccp
def test_what_is_right_already_is_not_all_there_is(cli: Cli) -> None:
    """One domain, nothing to do: the reader asks whether that was everything."""
    cli("apply", "example.com", "--dmarc", NONE, "--yes")
    shown = cli("plan", "example.com", "--dmarc", NONE).stdout
    assert "nothing to do; DMARC as wanted" in shown
    assert f"SPF: not managed here; live is {LIVE}" in lines(shown)


@pytest.mark.parametrize("output_format", ["text", "markdown"])
@pytest.mark.parametrize("kind", ["dkim", "dmarc"])
def test_what_a_run_or_a_config_leaves_out_on_purpose_is_not_named(
    cli: Cli, kind: str, output_format: str
) -> None:
    wish = {"dkim": ("--dkim", "mailcow"), "dmarc": ("--dmarc", DMARC)}[kind]
    run = ("plan", "example.com", "--format", output_format)
    assert "not managed here" in cli(*run, *wish).stdout
    assert "not managed here" not in cli(*run, *wish, "--kind", kind).stdout
    table = {"dkim": 'dkim = {source = "mailcow"}', "dmarc": f'dmarc = {{record = "{DMARC}"}}'}
    off = "\n".join(f"{other} = false" for other in ("spf", "dkim", "dmarc") if other != kind)
    (cli.folder / "netcup-mailauth.toml").write_text(
        f'[domains."example.com"]\n{table[kind]}\n{off}\n'
    )
    assert "not managed here" not in cli(*run).stdout


def test_a_config_that_is_silent_about_a_kind_is_told_of_it(cli: Cli) -> None:
    (cli.folder / "netcup-mailauth.toml").write_text(
        '[domains."example.com"]\ndkim = {source = "mailcow"}\n'
    )
    ended = cli("plan")
    assert f"SPF: not managed here; live is {LIVE}" in lines(ended.stdout)
    (cli.folder / "netcup-mailauth.toml").write_text(
        '[defaults]\ndmarc = {policy = "none"}\n[domains."example.com"]\n'
        'dkim = {source = "mailcow"}\n'
    )
    assert "DMARC: not managed" not in cli("plan").stdout


def test_a_review_sees_it_and_the_documents_are_as_before(cli: Cli, api: Api) -> None:
    wish = ("example.com", "--dkim", "mailcow")
    shown = cli("plan", *wish, "--format", "markdown").stdout
    assert " ".join(f"# SPF: not managed here; live is {LIVE}".split()) in " ".join(
        shown.replace("\n#  ", "").split()
    )
    document = json.loads(cli("plan", *wish, "--format", "json").stdout)
    assert "unmanaged" not in json.dumps(document)
    cli("plan", *wish, "--out", "plan.json")
    assert cli("apply", "--plan", "plan.json").code == ExitCode.OK
    assert api.writes(cli.sandbox) == 1


def test_of_many_unchanged_domains_each_stays_a_line(pointed_at: PointedAt, api: Api) -> None:
    names = ["a.example", "b.example"]
    with api.netcup(names) as sandbox:
        cli = pointed_at(sandbox)
        wish = (*names, "--dmarc", "v=DMARC1;p=none")
        cli("apply", *wish, "--yes")
        shown = cli("plan", *wish).stdout.splitlines()
    assert sum("not managed here" in line for line in shown) == 1
    assert "SPF and DKIM of a.example, b.example: not managed here." in shown


# Nothing is wanted of any kind.


def ways(stderr: str) -> list[str]:
    return [line.strip() for line in stderr.splitlines() if "netcup-mailauth " in line[2:]]


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("apply",)])
def test_with_nothing_wanted_there_are_two_ways_on(cli: Cli, command: tuple[str, ...]) -> None:
    ended = cli(command[0], "example.com", *command[1:])
    assert ended.code == ExitCode.USAGE
    assert "Nothing is wanted for example.com." in ended.stderr
    guided, told = ways(ended.stderr)
    assert guided == "netcup-mailauth setup example.com"
    assert told.startswith(f"netcup-mailauth {command[0]} example.com ")
    assert "placeholder" not in ended.stderr, "a mailcow is named in the environment"
    planned = cli("plan", *shlex.split(told)[2:], "--format", "json")
    assert planned.code == ExitCode.OK
    (zone,) = json.loads(planned.stdout)["zones"]
    assert {change["kind"] for change in zone["changes"]} == {"spf", "dkim", "dmarc"}


@on_ccp
def test_without_a_mailcow_its_address_is_a_placeholder_that_is_said_to_be_one(cli: Cli) -> None:
    cli.set({"MAILCOW_URL": None})
    ended = cli("plan", "example.com")
    assert "--mailcow https://mail.example.com" in ended.stderr
    assert "https://mail.example.com is a placeholder" in ended.stderr


@on_ccp
def test_the_mailcow_of_the_config_is_used_and_its_address_is_not_repeated(cli: Cli) -> None:
    """A config that was merely found must not have the key sent where it says."""
    url = str(cli.sandbox.env["MAILCOW_URL"])
    cli.set({"MAILCOW_URL": None})
    (cli.folder / "c.toml").write_text(f'[mailcow]\nurl = "{url}"\n[domains."example.com"]\n')
    ended = cli("plan", "example.com", "-c", "c.toml")
    told = ways(ended.stderr)[1]
    assert "--dkim mailcow" in told
    assert url not in told
    assert "-c c.toml" in told
    assert cli(*shlex.split(told)[1:]).code == ExitCode.OK


@on_ccp
def test_only_the_kinds_of_this_run_are_proposed(cli: Cli) -> None:
    told = ways(cli("plan", "example.com", "--kind", "dmarc").stderr)[1]
    assert "--spf" not in told
    assert "--mailcow" not in told
    assert cli(*shlex.split(told)[1:]).code == ExitCode.OK


@on_ccp
def test_a_domain_that_was_mistyped_is_named_first(cli: Cli) -> None:
    (cli.folder / "netcup-mailauth.toml").write_text(
        '[domains."example.com"]\ndkim = {source = "mailcow"}\n'
    )
    stderr = cli("plan", "exmaple.com").stderr
    assert stderr.index("is example.com meant?") < stderr.index("netcup-mailauth setup")

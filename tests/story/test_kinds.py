"""``--kind``: what is left out of a run is not taken for missing in it, and is left alone."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Sandbox
from tests.core.judge.cases import key_record
from tests.story.test_ways_on import DMARC, KEY, D, fill, zone
from tests.story.wanted import txt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.story.inprocess import Cli

ENFORCING, LEFT_OUT = "dmarc-enforces-without-dkim", "dkim-not-looked-at"
SAID = "DKIM was not looked at in this run"
KINDS = ("spf", "dkim", "dmarc")
CHOICES = [kinds for size in (1, 2, 3) for kinds in combinations(KINDS, size)]


def config(cli: Cli, dkim: str, url: str = "") -> None:
    text = f'[domains."{D}"]\nspf = {{ require = ["a"] }}\ndmarc = "{DMARC}"\n{dkim}\n'
    text += f'[mailcow]\nurl = "{url}"\n' if url else ""
    (cli.folder / "netcup-mailauth.toml").write_text(text)


def kinds(chosen: Iterable[str]) -> list[str]:
    return [word for kind in chosen for word in ("--kind", kind)]


@pytest.mark.parametrize("chosen", CHOICES, ids="-".join)
@pytest.mark.parametrize("dkim", ['dkim = "mailcow"', f'dkim = "{KEY}"'])
def test_a_key_that_the_config_has_is_missed_in_no_run(
    cli: Cli, chosen: tuple[str, ...], dkim: str
) -> None:
    fill(cli.sandbox, zone(dmarc="v=DMARC1;p=none", dkim=""))
    cli.sandbox.set_dkim(D)
    config(cli, dkim)
    if "dkim" not in chosen:  # nobody is asked for it
        cli.set({"MAILCOW_API_KEY": None, "MAILCOW_URL": None})
    ended = cli("plan", *kinds(chosen), "--exit-code")
    assert ended.code == 3, ended
    assert ENFORCING not in ended.stdout
    noted = "dmarc" in chosen and "dkim" not in chosen
    assert (ended.stdout.count(SAID), ended.stdout.count(LEFT_OUT)) == (noted, noted)
    applied = cli("apply", *kinds(chosen), "--yes")
    assert applied.code == 0, applied
    assert ENFORCING not in applied.stdout
    assert applied.stdout.count(SAID) == noted
    assert bool(txt(cli.sandbox, "dkim._domainkey")) == ("dkim" in chosen)
    assert (txt(cli.sandbox, "_dmarc") == [DMARC]) == ("dmarc" in chosen)


@pytest.mark.parametrize("dkim", ["", "dkim = false", 'dkim = { selector = "s1" }'])
@pytest.mark.parametrize("chosen", [("dmarc",), ("spf", "dmarc")], ids="-".join)
def test_where_nobody_has_a_key_an_enforcing_policy_stays_a_danger(
    cli: Cli, dkim: str, chosen: tuple[str, ...]
) -> None:
    fill(cli.sandbox, zone(dmarc="v=DMARC1;p=none", dkim=""))
    config(cli, dkim)
    ended = cli("plan", *kinds(chosen), "--exit-code")
    assert ended.code == 6
    assert f"! {ENFORCING}" in ended.stdout
    assert SAID not in ended.stdout


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox((D, "example.net")) as running:
        yield running


@pytest.mark.parametrize("chosen", [(), ("dkim", "dmarc"), KINDS], ids="-".join)
@pytest.mark.parametrize("dkim", ['dkim = "mailcow"', f'dkim = "{key_record(512)}"'])
def test_a_key_that_was_looked_for_and_is_not_there_is_a_danger(
    cli: Cli, chosen: tuple[str, ...], dkim: str
) -> None:
    """mailcow has none, or what there is cannot be published."""
    fill(cli.sandbox, zone(dmarc="v=DMARC1;p=none", dkim=""))
    cli.sandbox.remove_dkim(D)
    config(cli, dkim)
    ended = cli("plan", *kinds(chosen), "--exit-code")
    assert ended.code == 6
    assert f"! {ENFORCING}" in ended.stdout
    assert SAID not in ended.stdout


def test_of_several_domains_each_is_told_by_its_own_key(cli: Cli) -> None:
    fill(cli.sandbox, zone(dmarc="v=DMARC1;p=none", dkim=""))
    other = cli.sandbox.zone("example.net")
    gone = [r for r in other if "_domainkey" not in r["hostname"] and r["hostname"] != "_dmarc"]
    cli.sandbox.set_zone("example.net", gone)
    config(cli, 'dkim = "mailcow"')
    with (cli.folder / "netcup-mailauth.toml").open("a") as file:
        file.write('[domains."example.net"]\ndmarc = "v=DMARC1;p=reject"\n')
    ended = cli("plan", *kinds(("spf", "dmarc")), "--exit-code")
    assert ended.code == 6
    mine, _, others = ended.stdout.partition("\nexample.net")
    assert ENFORCING not in mine
    assert SAID in mine
    assert f"! {ENFORCING}" in others


@pytest.mark.parametrize("how", ["netcup", "zone file"])
def test_a_plan_file_is_applied_as_it_was_judged(cli: Cli, how: str) -> None:
    fill(cli.sandbox, zone(dmarc="v=DMARC1;p=none", dkim=""))
    config(cli, 'dkim = "mailcow"')
    beside: list[str] = []
    if how == "zone file":
        (cli.folder / "zone.json").write_text(cli("records", D, "--format", "json").stdout)
        beside = ["--zone-file", "zone.json"]
    cli.set({"MAILCOW_API_KEY": None, "MAILCOW_URL": None})
    planned = cli("plan", *kinds(("spf", "dmarc")), *beside, "--out", "plan.json", "--exit-code")
    assert planned.code == 3
    assert cli.document["zones"][0]["consent"]["dkim_left_out"] is True
    assert SAID in cli("show", "plan.json").stdout
    if how == "netcup":
        applied = cli("apply", "--plan", "plan.json")
        assert applied.code == 0, applied
        assert txt(cli.sandbox, "_dmarc") == [DMARC]


def test_a_plan_file_that_leaves_keys_alone_changes_none(cli: Cli) -> None:
    fill(cli.sandbox, zone(dkim=""))
    config(cli, f'dkim = "{KEY}"')
    assert cli("plan", "--out", "plan.json").code == 0
    cli.forge(lambda found: found.setdefault("consent", {}).update(dkim_left_out=True))
    code, said = cli.said("apply", "--plan", "plan.json")
    assert (code, "leave DKIM alone, and changes a key" in said) == (6, True)


def test_check_of_the_other_kinds_does_not_miss_it_either(cli: Cli) -> None:
    fill(cli.sandbox, zone(dkim=""))
    config(cli, 'dkim = "mailcow"')
    all_of_it = cli("check", D)
    assert ENFORCING in all_of_it.stdout
    some = cli("check", D, *kinds(("spf", "dmarc")))
    assert ENFORCING not in some.stdout
    assert some.stdout.count(SAID) == 1


FILTERED = (
    "@ MX mx.filter.example",  # others take the mail; the mailcow sends it
    "mail A 203.0.113.25",
    "@ TXT v=spf1 a:mail.example.com ~all",
    f"dkim._domainkey TXT {key_record()}",
)


@pytest.mark.parametrize("chosen", [("spf",), ("spf", "dmarc")], ids="-".join)
@pytest.mark.parametrize("named", ["config", "environment"])
def test_the_mailcow_sends_though_nobody_looks_at_its_key(
    cli: Cli, chosen: tuple[str, ...], named: str
) -> None:
    """By its address alone: without it the MX hosts would be taken for what sends."""
    fill(cli.sandbox, FILTERED)
    cli.sandbox.set_world("mx.filter.example", "A", ["203.0.113.99"])
    url = f"https://mail.{D}"
    config(cli, 'dkim = "mailcow"', url if named == "config" else "")
    cli.set({"MAILCOW_API_KEY": None, "MAILCOW_URL": None if named == "config" else url})
    ended = cli("plan", *kinds(chosen), "--exit-code", "--format", "json", "--out", "plan.json")
    assert ended.code == 3, ended
    assert cli.document["zones"][0]["servers"] == [f"mail.{D}"]
    codes = [finding["code"] for finding in cli.document["zones"][0]["findings"]]
    assert "spf-excludes-own-server" not in codes


@pytest.mark.parametrize("url", ["https://[", "https://a b", "mailcow", "https://"])
def test_an_address_that_is_none_is_no_matter_where_no_key_is_asked_for(cli: Cli, url: str) -> None:
    fill(cli.sandbox, zone())
    config(cli, 'dkim = "mailcow"')
    cli.set({"MAILCOW_API_KEY": None, "MAILCOW_URL": url})
    assert cli("plan", *kinds(("spf",)), "--exit-code").code == 3

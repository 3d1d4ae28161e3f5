"""The undo command: what it takes back, what it asks, and what it says when there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.apis import each_api, on_ccp
from tests.worlds import requests_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netcup_mailauth.sandbox import Sandbox
    from tests.apis import Api
    from tests.process.command import Command, Ended
    from tests.story.inprocess import Cli, PointedAt

api = each_api

DROP = ("--spf-drop", "include:_spf.webhosting.systems")
SPF = ("--spf", "v=spf1 mx a -all", *DROP)
MORE = ("--spf", "v=spf1 mx a ip4:203.0.113.7 -all", *DROP)
WHOLE = (*SPF, "--dmarc", "v=DMARC1;p=none;rua=mailto:postmaster@example.com")
MILD = ("--dmarc", "v=DMARC1;p=none")
DANGER = "spf-drops-sender"
"""What taking a sender out again is to the guard."""
REPORTS = ("--allow", "dmarc-drops-reports")


def contents(sandbox: Sandbox, domain: str = "example.com") -> list[dict[str, object]]:
    """The records in wire form, to be changed and put back."""
    return [{k: v for k, v in r.items() if k != "state"} for r in sandbox.zone(domain)]


def ok(ended: Ended) -> Ended:
    assert ended.code == 0, ended.stdout + ended.stderr
    return ended


def apply(cli: Cli | Command, *options: str, domain: str = "example.com") -> None:
    ok(cli("apply", domain, *options, "--yes"))


def listed(cli: Cli | Command, *domain: str) -> list[dict[str, object]]:
    """The entries of all runs, the newest first."""
    runs = ok(cli("undo", "--list", *domain, "--format", "json")).json["runs"]
    return [entry for run in runs for entry in run["entries"]]


def ids(entries: Iterable[dict[str, object]]) -> list[str]:
    return [str(entry["id"]) for entry in entries]


def test_undo_puts_the_zone_back_in_one_write_and_verifies_it(cli: Cli, api: Api) -> None:
    before = api.records(cli.sandbox)
    apply(cli, *WHOLE)
    ended = ok(cli("undo", "example.com", "--yes", *REPORTS))
    assert api.records(cli.sandbox) == before
    assert api.writes(cli.sandbox) == 2
    assert "v=spf1 mx a include:_spf.webhosting.systems ~all" in ended.stdout
    assert "written and verified: 1 updated, 1 deleted" in ended.stdout


def test_a_second_undo_goes_one_entry_further_back(cli: Cli, api: Api) -> None:
    start = api.records(cli.sandbox)
    apply(cli, *SPF)
    middle = api.records(cli.sandbox)
    apply(cli, *MORE)
    ok(cli("undo", "example.com", "--yes", "--allow", DANGER))
    assert api.records(cli.sandbox) == middle
    ok(cli("undo", "example.com", "--yes"))
    assert api.records(cli.sandbox) == start
    ended = cli("undo", "example.com", "--yes")
    assert ended.code == 2
    assert "there is nothing to undo; looked in" in ended.stderr


def test_an_undo_is_itself_undone_by_its_id(cli: Cli, api: Api) -> None:
    apply(cli, *SPF)
    after = api.records(cli.sandbox)
    ok(cli("undo", "example.com", "--yes"))
    undo, first = listed(cli)
    assert (undo["undoes"], undo["undone"], first["undone"]) == (first["id"], False, True)
    ok(cli("undo", "example.com", "--to", str(undo["id"]), "--yes", "--allow", DANGER))
    assert api.records(cli.sandbox) == after
    assert [entry["undone"] for entry in listed(cli)] == [False, True, False]


def test_an_older_entry_by_its_id_while_a_newer_one_stands(cli: Cli, api: Api) -> None:
    """It is about other records, so it can be taken back by itself."""
    apply(cli, *MILD)
    apply(cli, *SPF)
    before = api.records(cli.sandbox)
    ok(cli("undo", "example.com", "--to", ids(listed(cli))[1], "--yes"))
    dmarc = MILD[1]
    assert api.records(cli.sandbox) == [r for r in before if r[-1].strip('"') != dmarc]


def test_an_older_entry_that_a_newer_one_wrote_over_is_stale(cli: Cli, api: Api) -> None:
    apply(cli, *SPF)
    apply(cli, *MORE)
    before = api.records(cli.sandbox)
    ended = cli("undo", "example.com", "--to", ids(listed(cli))[1], "--yes")
    assert ended.code == 7
    assert "'v=spf1 mx a ip4:203.0.113.7 -all' is there" in ended.stderr
    assert api.records(cli.sandbox) == before


def test_what_is_back_already_is_left_alone_and_says_how_to_go_on(cli: Cli, api: Api) -> None:
    apply(cli, "--dmarc", "v=DMARC1;p=none")
    before = contents(cli.sandbox)
    apply(cli, *SPF)
    cli.sandbox.set_zone("example.com", before)
    ended = ok(cli("undo", "example.com", "--yes"))
    assert "already as it was before" in ended.stderr
    newest, older = ids(listed(cli))
    assert f"netcup-mailauth undo example.com --to {older}" in ended.stderr
    ok(cli("undo", "example.com", "--to", older, "--yes"))
    assert api.writes(cli.sandbox) == 3
    last = ok(cli("undo", "example.com", "--yes"))
    assert newest in last.stderr
    assert "further back" not in last.stderr
    assert ok(cli("-q", "undo", "example.com", "--yes")).stderr == ""


def test_the_guard_stops_an_undo_that_would_hurt_mail(cli: Cli, api: Api) -> None:
    """The zone had no SPF record before; without one receivers cannot tell."""
    zone = [r for r in contents(cli.sandbox) if not str(r["destination"]).startswith("v=spf1")]
    cli.sandbox.set_zone("example.com", zone)
    before = api.records(cli.sandbox)
    apply(cli, "--spf", "v=spf1 mx a -all")
    ended = cli("undo", "example.com", "--yes")
    assert ended.code == 6
    assert "spf-removed" in ended.stdout
    assert "--allow" in ended.stdout
    ok(cli("undo", "example.com", "--yes", "--allow", "spf-removed"))
    assert api.records(cli.sandbox) == before
    assert cli("undo", "example.com", "--yes", "--allow", "spf-remove").code == 2


def test_a_write_that_was_lost_on_the_way_can_be_undone(cli: Cli, api: Api) -> None:
    before = api.records(cli.sandbox)
    cli.sandbox.fault(api.write, "apply-then-drop")
    apply(cli, *SPF)
    ok(cli("undo", "example.com", "--yes"))
    assert api.records(cli.sandbox) == before


def test_a_zone_that_cannot_be_saved_first_is_not_written(cli: Cli, api: Api) -> None:
    apply(cli, *SPF)
    before = api.records(cli.sandbox)
    (journal,) = (cli.folder / "state").glob("*/*/journal")
    journal.rename(journal.with_name("elsewhere"))
    journal.touch()  # in the way; a folder made read-only would not stop root
    ended = cli("apply", "example.com", *MORE, "--yes")
    assert ended.code == 1
    assert "could not be saved" in ended.stderr
    assert "NETCUP_MAILAUTH_STATE_DIR" in ended.stderr
    assert api.records(cli.sandbox) == before
    assert api.writes(cli.sandbox) == 1
    assert cli("undo", "example.com", "--yes").code == 2
    assert ok(cli("undo", "--list")).stdout == ""


# Asking


# The config


@on_ccp
def test_it_does_not_warn_of_a_config_that_is_about_something_else(cli: Cli) -> None:
    (cli.folder / "netcup-mailauth.toml").write_text(
        '[domains."example.com"]\ndmarc = { record = "v=DMARC1;p=none" }\n'
        '[domains."example.org"]\nspf = { record = "v=spf1 -all" }\n'
    )
    apply(cli, *SPF, "--kind", "spf")
    assert "brings it back" not in ok(cli("undo", "example.com", "--yes")).stderr


@on_ccp
def test_domains_that_mailcow_names_get_the_defaults_so_it_warns_too(cli: Cli) -> None:
    apply(cli, *SPF)
    (cli.folder / "netcup-mailauth.toml").write_text(
        'domains_from = "mailcow"\n[defaults]\nspf = { record = "v=spf1 mx a -all" }\n'
    )
    assert "brings it back" in ok(cli("undo", "example.com", "--yes")).stderr


@on_ccp
def test_a_broken_config_that_was_merely_found_does_not_stop_it(cli: Cli) -> None:
    apply(cli, *SPF)
    (cli.folder / "netcup-mailauth.toml").write_text("[domains\n")
    assert cli("undo", "example.com", "--yes", "-c", "netcup-mailauth.toml").code == 2
    ended = ok(cli("undo", "example.com", "--yes"))
    assert "the config is passed over" in ended.stderr


# The key that signs


@on_ccp  # what mailcow signs with is no matter of netcup's
class TestTheSigner:
    """An apply brought mailcow's key into DNS; without it every signature fails."""

    CODE = "dkim-removes-signing-key"

    @pytest.fixture
    def published(self, cli: Cli) -> Cli:
        """As after an apply whose mailcow was named only then."""
        apply(cli, "--dkim", "mailcow")
        self.url = cli.sandbox.mailcow_url
        cli.set({"MAILCOW_URL": ""})
        return cli

    def test_where_the_config_names_it(self, published: Cli, api: Api) -> None:
        (published.folder / "netcup-mailauth.toml").write_text(
            f'[mailcow]\nurl = "{self.url}"\n[domains."example.com"]\ndkim.source = "mailcow"\n'
        )
        before = api.records(published.sandbox)
        ended = published("undo", "example.com", "-c", "netcup-mailauth.toml", "--yes")
        assert ended.code == 6
        assert self.CODE in ended.stdout
        assert api.records(published.sandbox) == before

    def test_where_an_option_names_it(self, published: Cli) -> None:
        ended = published("undo", "example.com", "--mailcow", self.url, "--yes")
        assert ended.code == 6
        assert self.CODE in ended.stdout
        ok(published("undo", "example.com", "--mailcow", self.url, "--yes", "--allow", self.CODE))

    def test_one_without_a_key_for_it_is_a_warning(self, published: Cli) -> None:
        published.set({"MAILCOW_API_KEY": ""})
        allow = ("--allow", "dkim-revokes-key")
        ended = ok(published("undo", "example.com", "--mailcow", self.url, "--yes", *allow))
        assert "which key its mail is signed with is not known" in ended.stderr

    def test_one_that_signs_with_another_key_by_now_does_not_stop_it(self, published: Cli) -> None:
        published.sandbox.set_dkim("example.com")
        ended = published("undo", "example.com", "--mailcow", self.url, "--yes")
        assert ended.code == 6
        assert self.CODE not in ended.stdout
        assert "dkim-revokes-key" in ended.stdout


# Nothing there


@on_ccp
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "No DOMAIN"),
        (("example.com", "--to", "nonsense"), "example.com has no entry nonsense"),
        (("example.com", "--to", "../../x"), "no entry"),
        (("--run", "nonsense"), "No run nonsense"),
        (("example.com", "--run", "x"), "--run is about all domains"),
        (("--to", "x", "--run", "x"), "--run is about all domains"),
        (("--to", "x"), "No DOMAIN"),
        (("--list", "--to", "x"), "--list shows"),
        (("--list", "--run", "x"), "--list shows"),
        (("--list", "--format", "markdown"), "text or JSON"),
        (("not a domain",), "not a domain"),
        (("example.com", "--lock-timeout", "-1"), "lock-timeout"),
        (("--lost",), "--lost is about one domain"),
    ],
)
def test_what_cannot_be_undone(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    ended = cli("undo", *arguments, "--yes")
    assert ended.code == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert requests_of(cli.sandbox) == {}


def test_the_writes_of_another_account_are_shown_but_not_touched(cli: Cli) -> None:
    apply(cli, *SPF)
    (account,) = {entry["account"] for entry in listed(cli)}
    folder = next((cli.folder / "state").glob(f"*/{account}"))
    folder.rename(folder.with_name("0123456789ab"))
    assert len(listed(cli)) == 1
    assert cli("undo", "example.com", "--yes").code == 2


# Showing


@on_ccp
def test_the_list_is_by_run_and_needs_no_credentials(cli: Cli) -> None:
    ended = ok(cli("undo", "--list"))
    assert ended.stdout == ""
    assert "Nothing was written from here yet." in ended.stderr
    assert str(cli.folder / "state") in ended.stderr
    apply(cli, *WHOLE)
    ok(cli("undo", "example.com", "--yes", *REPORTS))
    cli.set(dict.fromkeys(("NETCUP_CUSTOMER_NUMBER", "NETCUP_API_KEY")))
    undo, first = ids(listed(cli))
    text = ok(cli("undo", "--list")).stdout
    assert text.index(undo) < text.index(f"  {first}  example.com")
    assert "~1 spf, +1 dmarc  verified  undone" in text
    assert f"~1 spf, -1 dmarc  verified  undoes {first}" in text
    assert text.count("run 20") == 2
    assert listed(cli, "example.com") == listed(cli)
    assert listed(cli, "example.org") == []
    assert "to example.org" in ok(cli("undo", "--list", "example.org")).stderr


# Whole runs


@pytest.fixture
def many(pointed_at: PointedAt, api: Api) -> Iterable[Cli]:
    with api.netcup(NAMES) as sandbox:
        yield pointed_at(sandbox)


NAMES = ("a-1.de", "b-2.de", "c-3.de")


def test_a_whole_run_is_taken_back(many: Cli, api: Api) -> None:
    before = [api.records(many.sandbox, name) for name in NAMES]
    ok(many("apply", *NAMES, *SPF, "--yes"))
    (run,) = ok(many("undo", "--list", "--format", "json")).json["runs"]
    assert {entry["domain"] for entry in run["entries"]} == set(NAMES)
    ended = ok(many("undo", "--run", run["run"], "--yes"))
    assert "3 domains: 3 applied" in ended.stdout
    assert [api.records(many.sandbox, name) for name in NAMES] == before
    again = many("undo", "--run", run["run"], "--yes")
    assert again.code == 2
    assert "undone already" in again.stderr


@on_ccp
def test_a_write_that_lost_the_rest_of_the_zone_is_in_the_json_too(cli: Cli, api: Api) -> None:
    cli.sandbox.fault(api.write, "loses")
    ended = cli("apply", "example.com", *SPF, "--yes", "--format", "json")
    assert ended.code == 8
    (zone,) = ended.json["zones"]
    assert (zone["applied"], zone["verified"], zone["result"]) == (True, False, "lost")
    assert zone["error"]["exit_code"] == 8


@on_ccp
@pytest.mark.parametrize("more", [("--yes",), ("--run", "20260101T000000Z-abcdef"), ("--list",)])
def test_what_was_lost_is_never_brought_back_unasked(cli: Cli, more: tuple[str, ...]) -> None:
    ended = cli("undo", "example.com", "--lost", *more)
    assert ended.code == 2
    assert "so it always asks" in ended.stderr
    assert requests_of(cli.sandbox) == {}

"""The undo command: what it takes back, what it asks, and what it says when there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.apis import each_api, on_ccp
from tests.process.command import Command, Ended
from tests.worlds import requests_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from netcup_mailauth.sandbox import Sandbox
    from tests.apis import Api

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


def apply(command: Command, *options: str, domain: str = "example.com") -> None:
    ok(command("apply", domain, *options, "--yes"))


def listed(command: Command, *domain: str) -> list[dict[str, object]]:
    """The entries of all runs, the newest first."""
    runs = ok(command("undo", "--list", *domain, "--format", "json")).json["runs"]
    return [entry for run in runs for entry in run["entries"]]


def ids(entries: Iterable[dict[str, object]]) -> list[str]:
    return [str(entry["id"]) for entry in entries]


def test_undo_puts_the_zone_back_in_one_write_and_verifies_it(command: Command, api: Api) -> None:
    before = api.records(command.sandbox)
    apply(command, *WHOLE)
    ended = ok(command("undo", "example.com", "--yes", *REPORTS))
    assert api.records(command.sandbox) == before
    assert api.writes(command.sandbox) == 2
    assert "v=spf1 mx a include:_spf.webhosting.systems ~all" in ended.stdout
    assert "written and verified: 1 updated, 1 deleted" in ended.stdout


def test_a_second_undo_goes_one_entry_further_back(command: Command, api: Api) -> None:
    start = api.records(command.sandbox)
    apply(command, *SPF)
    middle = api.records(command.sandbox)
    apply(command, *MORE)
    ok(command("undo", "example.com", "--yes", "--allow", DANGER))
    assert api.records(command.sandbox) == middle
    ok(command("undo", "example.com", "--yes"))
    assert api.records(command.sandbox) == start
    ended = command("undo", "example.com", "--yes")
    assert ended.code == 2
    assert "there is nothing to undo; looked in" in ended.stderr


def test_an_undo_is_itself_undone_by_its_id(command: Command, api: Api) -> None:
    apply(command, *SPF)
    after = api.records(command.sandbox)
    ok(command("undo", "example.com", "--yes"))
    undo, first = listed(command)
    assert (undo["undoes"], undo["undone"], first["undone"]) == (first["id"], False, True)
    ok(command("undo", "example.com", "--to", str(undo["id"]), "--yes", "--allow", DANGER))
    assert api.records(command.sandbox) == after
    assert [entry["undone"] for entry in listed(command)] == [False, True, False]


def test_an_older_entry_by_its_id_while_a_newer_one_stands(command: Command, api: Api) -> None:
    """It is about other records, so it can be taken back by itself."""
    apply(command, *MILD)
    apply(command, *SPF)
    before = api.records(command.sandbox)
    ok(command("undo", "example.com", "--to", ids(listed(command))[1], "--yes"))
    dmarc = MILD[1]
    assert api.records(command.sandbox) == [r for r in before if r[-1].strip('"') != dmarc]


def test_an_older_entry_that_a_newer_one_wrote_over_is_stale(command: Command, api: Api) -> None:
    apply(command, *SPF)
    apply(command, *MORE)
    before = api.records(command.sandbox)
    ended = command("undo", "example.com", "--to", ids(listed(command))[1], "--yes")
    assert ended.code == 7
    assert "'v=spf1 mx a ip4:203.0.113.7 -all' is there" in ended.stderr
    assert api.records(command.sandbox) == before


def test_what_somebody_changed_since_is_stale_and_nothing_is_written(
    command: Command, api: Api
) -> None:
    apply(command, *WHOLE)
    records = [
        {**record, "destination": "v=DMARC1;p=reject"} if record["hostname"] == "_dmarc" else record
        for record in contents(command.sandbox)
    ]
    command.sandbox.set_zone("example.com", records)
    ended = command("undo", "example.com", "--yes", "--format", "json", *REPORTS)
    assert ended.code == 7
    assert "_dmarc: 'v=DMARC1;p=reject' is there, and was not left by" in ended.stderr
    assert ended.json["zones"][0]["result"] == "stale"
    assert api.writes(command.sandbox) == 1


def test_what_is_back_already_is_left_alone_and_says_how_to_go_on(
    command: Command, api: Api
) -> None:
    apply(command, "--dmarc", "v=DMARC1;p=none")
    before = contents(command.sandbox)
    apply(command, *SPF)
    command.sandbox.set_zone("example.com", before)
    ended = ok(command("undo", "example.com", "--yes"))
    assert "already as it was before" in ended.stderr
    newest, older = ids(listed(command))
    assert f"netcup-mailauth undo example.com --to {older}" in ended.stderr
    ok(command("undo", "example.com", "--to", older, "--yes"))
    assert api.writes(command.sandbox) == 3
    last = ok(command("undo", "example.com", "--yes"))
    assert newest in last.stderr
    assert "further back" not in last.stderr
    assert ok(command("-q", "undo", "example.com", "--yes")).stderr == ""


def test_the_guard_stops_an_undo_that_would_hurt_mail(command: Command, api: Api) -> None:
    """The zone had no SPF record before; without one receivers cannot tell."""
    zone = [r for r in contents(command.sandbox) if not str(r["destination"]).startswith("v=spf1")]
    command.sandbox.set_zone("example.com", zone)
    before = api.records(command.sandbox)
    apply(command, "--spf", "v=spf1 mx a -all")
    ended = command("undo", "example.com", "--yes")
    assert ended.code == 6
    assert "spf-removed" in ended.stdout
    assert "--allow" in ended.stdout
    ok(command("undo", "example.com", "--yes", "--allow", "spf-removed"))
    assert api.records(command.sandbox) == before
    assert command("undo", "example.com", "--yes", "--allow", "spf-remove").code == 2


def test_a_write_that_was_lost_on_the_way_can_be_undone(command: Command, api: Api) -> None:
    before = api.records(command.sandbox)
    command.sandbox.fault(api.write, "apply-then-drop")
    apply(command, *SPF)
    ok(command("undo", "example.com", "--yes"))
    assert api.records(command.sandbox) == before


def test_a_zone_that_cannot_be_saved_first_is_not_written(command: Command, api: Api) -> None:
    apply(command, *SPF)
    before = api.records(command.sandbox)
    (journal,) = (command.folder / "state").glob("*/*/journal")
    journal.rename(journal.with_name("elsewhere"))
    journal.touch()  # in the way; a folder made read-only would not stop root
    ended = command("apply", "example.com", *MORE, "--yes")
    assert ended.code == 1
    assert "could not be saved" in ended.stderr
    assert "NETCUP_MAILAUTH_STATE_DIR" in ended.stderr
    assert api.records(command.sandbox) == before
    assert api.writes(command.sandbox) == 1
    assert command("undo", "example.com", "--yes").code == 2
    assert ok(command("undo", "--list")).stdout == ""


# Asking


def test_at_a_terminal_it_shows_and_asks(command: Command, api: Api) -> None:
    before = api.records(command.sandbox)
    apply(command, *SPF)
    after = api.records(command.sandbox)
    declined = command.at_terminal("undo", "example.com", answer="n")
    assert declined.code == 2
    assert "Put this back in example.com?" in declined.stdout
    assert api.records(command.sandbox) == after
    agreed = command.at_terminal("undo", "example.com", answer="y")
    assert agreed.code == 0
    assert api.records(command.sandbox) == before


def test_what_changes_while_it_asks_is_seen(command: Command, api: Api) -> None:
    apply(command, *SPF)
    rival = [
        {**r, "destination": "v=spf1 -all"} if "v=spf1" in str(r["destination"]) else r
        for r in contents(command.sandbox)
    ]

    def meddle() -> None:
        command.sandbox.set_zone("example.com", rival)

    ended = command.at_terminal("undo", "example.com", answer="y", before=meddle)
    assert ended.code == 7
    assert "v=spf1 -all" in ended.stdout
    assert api.writes(command.sandbox) == 1


@on_ccp
def test_without_a_terminal_and_without_yes_it_refuses(command: Command) -> None:
    apply(command, *SPF)
    before = requests_of(command.sandbox)
    ended = command("undo", "example.com")
    assert ended.code == 2
    assert "--yes" in ended.stderr
    assert requests_of(command.sandbox) == before


# The config


@on_ccp
def test_it_warns_that_the_config_will_bring_the_change_back(command: Command) -> None:
    (command.folder / "netcup-mailauth.toml").write_text(
        '[domains."example.com"]\nspf = { record = "v=spf1 mx a -all", '
        'drop = ["include:_spf.webhosting.systems"] }\n'
    )
    ok(command("apply", "--yes"))
    ended = ok(command("undo", "example.com", "--yes"))
    assert "the config says what SPF of example.com should be" in ended.stderr
    assert "brings it back" in ended.stderr


@on_ccp
def test_it_does_not_warn_of_a_config_that_is_about_something_else(command: Command) -> None:
    (command.folder / "netcup-mailauth.toml").write_text(
        '[domains."example.com"]\ndmarc = { record = "v=DMARC1;p=none" }\n'
        '[domains."example.org"]\nspf = { record = "v=spf1 -all" }\n'
    )
    apply(command, *SPF, "--kind", "spf")
    assert "brings it back" not in ok(command("undo", "example.com", "--yes")).stderr


@on_ccp
def test_domains_that_mailcow_names_get_the_defaults_so_it_warns_too(command: Command) -> None:
    apply(command, *SPF)
    (command.folder / "netcup-mailauth.toml").write_text(
        'domains_from = "mailcow"\n[defaults]\nspf = { record = "v=spf1 mx a -all" }\n'
    )
    assert "brings it back" in ok(command("undo", "example.com", "--yes")).stderr


@on_ccp
def test_a_broken_config_that_was_merely_found_does_not_stop_it(command: Command) -> None:
    apply(command, *SPF)
    (command.folder / "netcup-mailauth.toml").write_text("[domains\n")
    assert command("undo", "example.com", "--yes", "-c", "netcup-mailauth.toml").code == 2
    ended = ok(command("undo", "example.com", "--yes"))
    assert "the config is passed over" in ended.stderr


# The key that signs


@on_ccp  # what mailcow signs with is no matter of netcup's
class TestTheSigner:
    """An apply brought mailcow's key into DNS; without it every signature fails."""

    CODE = "dkim-removes-signing-key"

    @pytest.fixture
    def published(self, command: Command) -> Command:
        """As after an apply whose mailcow was named only then."""
        apply(command, "--dkim", "mailcow")
        self.url = command.sandbox.mailcow_url
        command.changes["MAILCOW_URL"] = ""
        return command

    def test_where_the_config_names_it(self, published: Command, api: Api) -> None:
        (published.folder / "netcup-mailauth.toml").write_text(
            f'[mailcow]\nurl = "{self.url}"\n[domains."example.com"]\ndkim.source = "mailcow"\n'
        )
        before = api.records(published.sandbox)
        ended = published("undo", "example.com", "-c", "netcup-mailauth.toml", "--yes")
        assert ended.code == 6
        assert self.CODE in ended.stdout
        assert api.records(published.sandbox) == before

    def test_where_an_option_names_it(self, published: Command) -> None:
        ended = published("undo", "example.com", "--mailcow", self.url, "--yes")
        assert ended.code == 6
        assert self.CODE in ended.stdout
        ok(published("undo", "example.com", "--mailcow", self.url, "--yes", "--allow", self.CODE))

    def test_where_the_apply_took_the_key_from_it(self, published: Command) -> None:
        published.changes["MAILCOW_URL"] = self.url
        ended = published("undo", "example.com", "--yes")
        assert ended.code == 6
        assert self.CODE in ended.stdout

    def test_one_that_is_down_is_a_warning(self, published: Command) -> None:
        down = "http://127.0.0.1:9"
        allow = ("--allow", "dkim-revokes-key")
        ended = ok(published("undo", "example.com", "--mailcow", down, "--yes", *allow))
        assert "which key its mail is signed with is not known: No connection to" in ended.stderr

    def test_one_without_a_key_for_it_is_a_warning(self, published: Command) -> None:
        published.changes["MAILCOW_API_KEY"] = ""
        allow = ("--allow", "dkim-revokes-key")
        ended = ok(published("undo", "example.com", "--mailcow", self.url, "--yes", *allow))
        assert "which key its mail is signed with is not known" in ended.stderr

    def test_one_that_signs_with_another_key_by_now_does_not_stop_it(
        self, published: Command
    ) -> None:
        published.sandbox.set_dkim("example.com")
        ended = published("undo", "example.com", "--mailcow", self.url, "--yes")
        assert ended.code == 6
        assert self.CODE not in ended.stdout
        assert "dkim-revokes-key" in ended.stdout


# Nothing there


@on_ccp
def test_when_there_is_nothing_it_says_where_it_looked(command: Command) -> None:
    ended = command("undo", "example.com", "--yes")
    assert ended.code == 2
    assert str(command.folder / "state") in ended.stderr
    assert "undo --list" in ended.stderr
    assert requests_of(command.sandbox) == {}


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
    ],
)
def test_what_cannot_be_undone(command: Command, arguments: tuple[str, ...], words: str) -> None:
    ended = command("undo", *arguments, "--yes")
    assert ended.code == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert requests_of(command.sandbox) == {}


@on_ccp
def test_a_damaged_journal_is_passed_over(command: Command, api: Api) -> None:
    before = api.records(command.sandbox)
    apply(command, *SPF)
    (folder,) = (command.folder / "state").glob("*/*/journal/example.com")
    (folder / "9999-damaged.json").write_text("{")
    ok(command("undo", "example.com", "--yes"))
    assert api.records(command.sandbox) == before


def test_the_writes_of_another_account_are_shown_but_not_touched(command: Command) -> None:
    apply(command, *SPF)
    (account,) = {entry["account"] for entry in listed(command)}
    folder = next((command.folder / "state").glob(f"*/{account}"))
    folder.rename(folder.with_name("0123456789ab"))
    assert len(listed(command)) == 1
    assert command("undo", "example.com", "--yes").code == 2


# Showing


@on_ccp
def test_the_list_is_by_run_and_needs_no_credentials(command: Command) -> None:
    ended = ok(command("undo", "--list"))
    assert ended.stdout == ""
    assert "Nothing was written from here yet." in ended.stderr
    assert str(command.folder / "state") in ended.stderr
    apply(command, *WHOLE)
    ok(command("undo", "example.com", "--yes", *REPORTS))
    command.changes = dict.fromkeys(("NETCUP_CUSTOMER_NUMBER", "NETCUP_API_KEY"))
    undo, first = ids(listed(command))
    text = ok(command("undo", "--list")).stdout
    assert text.index(undo) < text.index(f"  {first}  example.com")
    assert "~1 spf, +1 dmarc  verified  undone" in text
    assert f"~1 spf, -1 dmarc  verified  undoes {first}" in text
    assert text.count("run 20") == 2
    assert listed(command, "example.com") == listed(command)
    assert listed(command, "example.org") == []
    assert "to example.org" in ok(command("undo", "--list", "example.org")).stderr


# Whole runs


@pytest.fixture
def many(tmp_path: Path, api: Api) -> Iterable[Command]:
    with api.netcup(NAMES) as sandbox:
        command = Command(sandbox, tmp_path)
        yield command
        command.stop()


NAMES = ("a-1.de", "b-2.de", "c-3.de")


def test_a_whole_run_is_taken_back(many: Command, api: Api) -> None:
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


def test_one_domain_of_a_run_that_fails_does_not_stop_the_others(many: Command, api: Api) -> None:
    before = [api.records(many.sandbox, name) for name in NAMES]
    ok(many("apply", *NAMES, *SPF, "--yes"))
    (run,) = ok(many("undo", "--list", "--format", "json")).json["runs"]
    many.sandbox.set_zone(
        "b-2.de", [{"hostname": "@", "type": "TXT", "destination": "v=spf1 ~all"}]
    )
    rival = api.records(many.sandbox, "b-2.de")
    ended = many("undo", "--run", run["run"], "--yes")
    assert ended.code == 7
    assert "b-2.de" in ended.stderr
    assert api.records(many.sandbox, "b-2.de") == rival
    assert [api.records(many.sandbox, n) for n in ("a-1.de", "c-3.de")] == [before[0], before[2]]


def test_at_a_terminal_a_run_is_shown_whole_and_asked_once(many: Command, api: Api) -> None:
    before = [api.records(many.sandbox, name) for name in NAMES]
    ok(many("apply", *NAMES, *SPF, "--yes"))
    (run,) = ok(many("undo", "--list", "--format", "json")).json["runs"]
    ended = many.at_terminal("undo", "--run", run["run"], answer="y")
    assert "Put this back in 3 domains?" in ended.stdout
    assert ended.code == 0
    assert [api.records(many.sandbox, name) for name in NAMES] == before

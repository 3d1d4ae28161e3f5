"""Plan files from the command line: written, shown, applied as reviewed, or refused."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth import documents, planfile
from netcup_mailauth.plan import Plan
from netcup_mailauth.render.markdown import LONGEST, plan_comment
from tests.apis import CCP, CLOUDDNS, each_api, on_ccp
from tests.core.render.samples import FULL_STORY
from tests.core.test_planreading import FORGERIES, VALIDATOR, forged
from tests.story.wanted import DMARC, DROP, SPF, WISH, spf_record, txt
from tests.worlds import requests_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.apis import Api
    from tests.process.command import Command
    from tests.story.inprocess import Cli

api = each_api

MILD = ("--dmarc", "v=DMARC1;p=none;rua=mailto:postmaster@example.com")


def test_reviewed_and_applied_as_reviewed(command: Command, api: Api) -> None:
    planned = command("plan", "example.com", *WISH, "--out", "plan.json", "--format", "markdown")
    assert planned.code == 0
    assert planned.stdout.startswith("## Mail records at netcup")
    assert "netcup-mailauth apply --plan plan.json" in planned.stderr
    shown = command("show", "plan.json", "--format", "markdown")
    assert (shown.code, shown.stderr) == (0, "")
    assert f"`{SPF}`" in shown.stdout
    applied = command("apply", "--plan", "plan.json")
    assert applied.code == 0, applied.stderr
    assert "written and verified: 2 created, 1 updated" in applied.stdout
    assert txt(command.sandbox, "_dmarc") == [DMARC]
    again = command("apply", "--plan", "plan.json")
    assert again.code == 0
    assert "already as planned" in again.stdout
    assert api.writes(command.sandbox) == 1


def test_the_file_holds_the_bytes_that_are_printed_every_time(command: Command) -> None:
    arguments = ("plan", "example.com", *WISH, "--format", "json", "--out", "plan.json")
    first, second = command(*arguments), command(*arguments)
    path = command.folder / "plan.json"
    assert first.stdout == second.stdout == path.read_text()
    shown = command("show", "plan.json", "--format", "json")
    assert shown.stdout == first.stdout
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask
    assert [p.name for p in command.folder.iterdir() if p.name.endswith(".part")] == []


def test_real_documents_fit_the_shipped_schema(cli: Cli) -> None:
    _, planned, _ = cli("plan", "example.com", *WISH, "--out", "plan.json", "--format", "json")
    VALIDATOR.validate(json.loads(planned))
    _, applied, _ = cli("apply", "--plan", "plan.json", "--format", "json")
    VALIDATOR.validate(json.loads(applied))
    (zone,) = json.loads(applied)["zones"]
    assert (zone["applied"], zone["result"], zone["source_ref"]) == (True, "applied", "mailcow")
    assert json.loads(applied)["digest"] == json.loads(planned)["digest"]


def test_no_secret_is_in_the_file(cli: Cli, api: Api) -> None:
    cli("plan", "example.com", *WISH, "--out", "plan.json")
    text = (cli.folder / "plan.json").read_text()
    for name in api.secrets:
        assert str(cli.sandbox.env[name]) not in text
    assert str(cli.sandbox.env["MAILCOW_API_KEY"]) not in text


@on_ccp  # nothing is asked
@pytest.mark.parametrize(
    "beside",
    [
        ("example.com",),
        ("--spf", SPF),
        ("--spf-drop", "a"),
        ("--allow", "spf-drops-sender"),
        ("--mailcow", "https://mail.example.com"),
        ("--server", "192.0.2.1"),
        ("--kind", "spf"),
    ],
)
def test_nothing_that_says_what_is_wanted_stands_beside_a_plan(
    cli: Cli, beside: tuple[str, ...], api: Api
) -> None:
    cli("plan", "example.com", *MILD, "--out", "plan.json")
    code, _, err = cli("apply", "--plan", "plan.json", *beside)
    assert code == 2
    assert "no place beside it" in err
    assert api.writes(cli.sandbox) == 0


def test_a_changed_zone_is_stale_with_what_it_was_what_it_is_and_a_fresh_plan(
    cli: Cli, api: Api
) -> None:
    cli("plan", "example.com", "--spf", SPF, *DROP, "--out", "plan.json")
    now = "v=spf1 mx include:_spf.example.net ~all"
    zone = cli.sandbox.zone("example.com")
    was = spf_record(cli.sandbox)["destination"]
    records = [{**r, "destination": now} if r["destination"] == was else r for r in zone]
    cli.sandbox.set_zone("example.com", records)
    code, out, err = cli("apply", "--plan", "plan.json")
    assert code == 7
    assert str(was) in err
    assert now in err
    assert "would change in the zone as it is now" in err
    assert "stale" in out
    assert api.writes(cli.sandbox) == 0


def test_another_key_at_mailcow_is_stale(cli: Cli, api: Api) -> None:
    cli("plan", "example.com", "--dkim", "mailcow", "--out", "plan.json")
    cli.sandbox.set_dkim("example.com")
    code, _, err = cli("apply", "--plan", "plan.json")
    assert code == 7, err
    assert "another key" in err
    assert api.writes(cli.sandbox) == 0


def test_without_mailcow_the_key_is_applied_and_that_is_said(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("plan", "example.com", "--dkim", "mailcow", "--out", "plan.json")
    monkeypatch.delenv("MAILCOW_URL")
    code, _, err = cli("apply", "--plan", "plan.json")
    assert code == 0, err
    assert "cannot be asked here" in err


def test_a_danger_that_is_not_allowed_stops_and_one_that_is_does_not(cli: Cli, api: Api) -> None:
    arguments = ("plan", "example.com", "--spf", SPF, "--out", "plan.json")
    _, _, err = cli(*arguments)
    assert "as it stands, apply --plan refuses it" in err
    cli.forge(lambda zone: zone.update(findings=[]))
    code, out, _ = cli("apply", "--plan", "plan.json")
    assert code == 6
    assert "spf-drops-sender" in out
    assert api.writes(cli.sandbox) == 0
    cli(*arguments, "--allow", "spf-drops-sender")
    assert cli("apply", "--plan", "plan.json")[0] == 0


def an_address(zone: dict[str, Any]) -> None:
    (change,) = zone["changes"]
    change["type"] = change["before"]["type"] = change["after"]["type"] = "A"


def a_foreign_name(zone: dict[str, Any]) -> None:
    (change,) = zone["changes"]
    for holder in (change, change["before"], change["after"]):
        holder["hostname"] = "www"


def no_such_record(zone: dict[str, Any]) -> None:
    zone["changes"][0]["after"]["destination"] = "<script>\x1b[2J"


@pytest.mark.parametrize("forgery", [an_address, a_foreign_name, no_such_record])
def test_a_forged_plan_is_refused_before_anything_is_asked(
    cli: Cli, forgery: Callable[[dict[str, Any]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("plan", "example.com", "--spf", SPF, *DROP, "--out", "plan.json")
    asked = requests_of(cli.sandbox)
    cli.forge(forgery)
    code, _, err = cli("apply", "--plan", "plan.json")
    assert code == 6
    assert "refused" in err or "not as this program writes" in err
    assert requests_of(cli.sandbox) == asked
    code, out, err = cli("show", "plan.json")
    assert code == 6
    assert "\x1b" not in out + err


@on_ccp
@pytest.mark.parametrize("name", FORGERIES)
def test_no_forgery_gets_as_far_as_asking_anybody(cli: Cli, name: str) -> None:
    (cli.folder / "plan.json").write_text(documents.dumps(forged(FORGERIES[name])))
    for arguments in (("apply", "--plan", "plan.json"), ("show", "plan.json")):
        code, out, err = cli(*arguments)
        assert code == 6, err
        assert "plan" in err
        assert "\x1b" not in out + err
    assert requests_of(cli.sandbox) == {}


def test_a_damaged_plan_is_neither_shown_nor_applied(cli: Cli) -> None:
    cli("plan", "example.com", *MILD, "--out", "plan.json")
    path = cli.folder / "plan.json"
    path.write_text(path.read_text().replace("p=none", "p=reject"))
    for arguments in (("show", "plan.json"), ("apply", "--plan", "plan.json")):
        code, out, err = cli(*arguments)
        assert (code, out) == (7, "")
        assert "digest" in err


@pytest.mark.parametrize(
    ("place", "named"),
    [({"account": "ffffffffffff"}, "account"), ({"endpoint": "https://x.example/"}, "x.example")],
)
def test_a_plan_for_somebody_else_is_a_usage_error(
    cli: Cli, place: dict[str, str], named: str, api: Api
) -> None:
    cli("plan", "example.com", *MILD, "--out", "plan.json")
    cli.forge(lambda zone: zone.update(place))
    code, _, err = cli("apply", "--plan", "plan.json")
    assert code == 2
    assert named in err
    assert api.writes(cli.sandbox) == 0


@on_ccp  # nothing is asked
@pytest.mark.parametrize("command_line", [("show",), ("apply", "--plan")])
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "is not there"),
        (b"no plan", "is not JSON"),
        (b"[" * 10_000, "so it is not a plan file"),
        (b'{"schema": 2, "zones": [], "digest": ""}', "schema 2"),
        (b'{"schema": 1, "records": []}', "is not a plan file"),
    ],
)
def test_what_is_no_plan_is_said_in_one_sentence(
    cli: Cli, command_line: tuple[str, ...], data: bytes | None, says: str
) -> None:
    if data is not None:
        (cli.folder / "plan.json").write_bytes(data)
    code, out, err = cli(*command_line, "plan.json")
    assert (code, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


@on_ccp  # nothing is asked
@pytest.mark.parametrize("out", [".", "nowhere/plan.json", "/dev/null"])
def test_a_place_that_takes_no_file_is_said_before_anything_is_asked(cli: Cli, out: str) -> None:
    asked = requests_of(cli.sandbox)
    code, printed, err = cli("plan", "example.com", *MILD, "--out", out)
    assert (code, printed) == (2, "")
    assert "cannot be written" in err
    assert requests_of(cli.sandbox) == asked


def test_a_plan_with_a_failed_domain_is_written_and_says_so(cli: Cli) -> None:
    (cli.folder / "netcup-mailauth.toml").write_text(
        f'[domains."example.com"]\ndmarc = {{ record = "{MILD[1]}" }}\n'
        f'[domains."example.org"]\ndmarc = {{ record = "{MILD[1]}" }}\n'
    )
    code, _, err = cli("plan", "--out", "plan.json")
    assert code == 5
    assert "plan.json says of example.org only why there is no plan" in err
    VALIDATOR.validate(cli.document)
    assert [zone["error"] is None for zone in cli.document["zones"]] == [True, False]
    code, out, _ = cli("apply", "--plan", "plan.json")
    assert code == 5
    assert "It could not be planned" in out
    assert txt(cli.sandbox, "_dmarc") == [MILD[1]]


@on_ccp
def test_waiting_for_what_a_plan_file_wrote(cli: Cli) -> None:
    cli("plan", "example.com", *WISH, "--out", "plan.json")
    code, _, err = cli("apply", "--plan", "plan.json", "--wait", "--timeout", "20")
    assert code == 0, err


class TestZoneFiles:
    WISH = ("--spf", SPF, *DROP, "--dmarc", DMARC, "--out", "plan.json")

    @pytest.fixture
    def export(self, cli: Cli) -> None:
        _, out, _ = cli("records", "example.com", "--format", "json")
        (cli.folder / "zone.json").write_text(out)
        keys = (*CCP.secrets, *CLOUDDNS.secrets)
        self.credentials = {name: cli.sandbox.env[name] for name in keys}
        cli.set(dict.fromkeys(keys))

    @pytest.mark.usefixtures("export")
    def test_a_plan_without_credentials(self, cli: Cli) -> None:
        asked = requests_of(cli.sandbox)
        code, out, err = cli("plan", "example.com", "--zone-file", "zone.json", *self.WISH)
        assert code == 0, err
        assert "1 to create, 1 to update" in out
        assert requests_of(cli.sandbox) == asked
        VALIDATOR.validate(cli.document)
        assert cli("show", "plan.json")[0] == 0

    @pytest.mark.usefixtures("export")
    def test_it_can_only_be_looked_at(self, cli: Cli) -> None:
        cli("plan", "example.com", "--zone-file", "zone.json", *self.WISH)
        cli.set(self.credentials)
        code, _, err = cli("apply", "--plan", "plan.json")
        assert code == 2
        assert "Plan again with credentials" in err

    @pytest.mark.usefixtures("export")
    def test_the_zone_of_another_domain(self, cli: Cli) -> None:
        code, _, err = cli("plan", "example.org", "--zone-file", "zone.json", *MILD)
        assert code == 5
        assert "records example.org --format json" in err


class TestLongMarkdown:
    def long(self, number: int) -> Plan:
        return Plan((FULL_STORY,) * number)

    def test_it_becomes_a_summary_with_a_pointer(self) -> None:
        text = plan_comment(self.long(300), file="plan`x`.json")
        assert len(text) < LONGEST
        assert "The whole plan is in ``plan`x`.json``" in text
        assert text.count("- `example.com`: update SPF, create DKIM, stopped by") == 300

    def test_the_summary_too_has_an_end(self) -> None:
        text = plan_comment(self.long(3000))
        assert len(text) < LONGEST
        assert "domains more\n" in text
        assert "`--out`" in text

    @on_ccp
    def test_show_shortens_what_no_forge_takes(self, cli: Cli) -> None:
        cli("plan", "example.com", *WISH, "--out", "plan.json")
        zones = cli.document["zones"]
        many = [{**zones[0], "domain": f"d{n}.example.com"} for n in range(60)]
        document = {**cli.document, "zones": many, "digest": planfile.digest(many)}
        (cli.folder / "plan.json").write_text(documents.dumps(document))
        _, out, _ = cli("show", "plan.json", "--format", "markdown")
        assert len(out) < LONGEST
        assert "The whole plan is in `plan.json`" in out

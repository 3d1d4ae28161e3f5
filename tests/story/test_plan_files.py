"""Plan files from the command line: written, shown, applied as reviewed, or refused."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth import documents, planfile
from netcup_mailauth.render.forge import LONGEST
from tests.apis import each_api, on_ccp
from tests.story.test_planreading import FORGERIES, VALIDATOR, forged
from tests.story.wanted import DMARC, DROP, SPF, WISH, txt
from tests.worlds import requests_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.apis import Api
    from tests.story.inprocess import Cli

api = each_api

MILD = ("--dmarc", "v=DMARC1;p=none;rua=mailto:postmaster@example.com")


def test_the_file_holds_the_bytes_that_are_printed_every_time(cli: Cli) -> None:
    arguments = ("plan", "example.com", *WISH, "--format", "json", "--out", "plan.json")
    first, second = cli(*arguments), cli(*arguments)
    path = cli.folder / "plan.json"
    assert first.stdout == second.stdout == path.read_text()
    shown = cli("show", "plan.json", "--format", "json")
    assert shown.stdout == first.stdout
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask
    assert [p.name for p in cli.folder.iterdir() if p.name.endswith(".part")] == []


def test_real_documents_fit_the_shipped_schema(cli: Cli) -> None:
    _, planned, _ = cli("plan", "example.com", *WISH, "--out", "plan.json", "--format", "json")
    VALIDATOR.validate(json.loads(planned))
    _, applied, _ = cli("apply", "--plan", "plan.json", "--format", "json")
    VALIDATOR.validate(json.loads(applied))
    (zone,) = json.loads(applied)["zones"]
    assert (zone["applied"], zone["result"], zone["source_ref"]) == (True, "applied", "mailcow")
    assert json.loads(applied)["digest"] == json.loads(planned)["digest"]


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
    code, out, err = cli("apply", "--plan", "plan.json")
    assert code == 5
    assert "example.org: failed" in out
    assert err.count("It could not be planned") == 1
    assert txt(cli.sandbox, "_dmarc") == [MILD[1]]


@on_ccp
def test_waiting_for_what_a_plan_file_wrote(cli: Cli) -> None:
    cli("plan", "example.com", *WISH, "--out", "plan.json")
    code, _, err = cli("apply", "--plan", "plan.json", "--wait", "--timeout", "20")
    assert code == 0, err


@on_ccp
def test_a_plan_of_an_exported_zone_can_only_be_looked_at(cli: Cli) -> None:
    _, exported, _ = cli("records", "example.com", "--format", "json")
    (cli.folder / "zone.json").write_text(exported)
    wish = ("--spf", SPF, *DROP, "--dmarc", DMARC, "--out", "plan.json")
    assert cli("plan", "example.com", "--zone-file", "zone.json", *wish).code == 0
    VALIDATOR.validate(cli.document)
    code, _, err = cli("apply", "--plan", "plan.json")
    assert code == 2
    assert "Plan again with credentials" in err


@on_ccp
def test_show_shortens_what_no_forge_takes(cli: Cli) -> None:
    cli("plan", "example.com", *WISH, "--out", "plan.json")
    zones = cli.document["zones"]
    many = [{**zones[0], "domain": f"d{n}.example.com"} for n in range(150)]
    document = {**cli.document, "zones": many, "digest": planfile.digest(many)}
    (cli.folder / "plan.json").write_text(documents.dumps(document))
    _, out, _ = cli("show", "plan.json", "--format", "markdown")
    assert len(out) < LONGEST
    assert "The whole plan is in `plan.json`" in out


@pytest.mark.parametrize("full", [False, True])
@on_ccp
def test_apply_prints_whole_values_as_markdown_only_when_asked_to(cli: Cli, full: bool) -> None:
    shown = ("--format", "markdown", *(["--full"] if full else []))
    key = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    code, out, _ = cli("apply", "example.com", "--dkim", key, "--yes", *shown)
    assert code == 0
    assert (key in out) is full

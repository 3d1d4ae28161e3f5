"""``undo`` at a terminal: what is shown, what a yes writes, and what changes while it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.apis import each_api
from tests.process.command import Command
from tests.story.test_undo import NAMES, SPF, apply, contents, ok

if TYPE_CHECKING:
    from pathlib import Path

    from tests.apis import Api

api = each_api


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


def test_at_a_terminal_a_run_is_shown_whole_and_asked_once(tmp_path: Path, api: Api) -> None:
    with api.netcup(NAMES) as sandbox:
        many = Command(sandbox, tmp_path)
        before = [api.records(many.sandbox, name) for name in NAMES]
        ok(many("apply", *NAMES, *SPF, "--yes"))
        (run,) = ok(many("undo", "--list", "--format", "json")).json["runs"]
        ended = many.at_terminal("undo", "--run", run["run"], answer="y")
        assert "Put this back in 3 domains?" in ended.stdout
        assert ended.code == 0
        assert [api.records(many.sandbox, name) for name in NAMES] == before

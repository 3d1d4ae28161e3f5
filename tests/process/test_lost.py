"""``undo DOMAIN --lost``: the command that an apply prints when the rest of the zone is gone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.apis import each_api, on_ccp
from tests.story.test_undo import SPF, apply, contents, ok

if TYPE_CHECKING:
    from tests.apis import Api
    from tests.process.command import Command

api = each_api

LOST = ("undo", "example.com", "--lost")


def delete(command: Command, *types: str) -> list[dict[str, object]]:
    """Somebody deletes all records of these types; what they were."""
    rows = contents(command.sandbox)
    command.sandbox.set_zone("example.com", [row for row in rows if row["type"] not in types])
    return [row for row in rows if row["type"] in types]


def there(command: Command, types: tuple[str, ...]) -> set[tuple[object, ...]]:
    rows = contents(command.sandbox)
    return {(r["hostname"], r["type"], r["destination"]) for r in rows if r["type"] in types}


@on_ccp
def test_the_printed_command_brings_back_what_the_write_lost(command: Command, api: Api) -> None:
    kinds = ("A", "AAAA", "MX", "CNAME")
    before = there(command, kinds)
    command.sandbox.fault(api.write, "loses")
    ended = command("apply", "example.com", *SPF, "--yes")
    assert ended.code == 8
    assert "verified" not in ended.stdout
    printed = "netcup-mailauth undo example.com --lost"
    assert printed in ended.stderr + ended.stdout
    assert not there(command, kinds)

    ended = ok(command.at_terminal(*printed.split()[1:], answer="y"))
    assert "brought back" in ended.stdout
    assert there(command, kinds) == before
    again = command.at_terminal(*LOST, answer="y")
    assert (again.code, "nothing can be brought back" in again.stdout) == (0, True)


def test_what_changes_while_it_asks_is_stale(command: Command, api: Api) -> None:
    apply(command, *SPF)
    delete(command, "MX")
    writes = api.writes(command.sandbox)
    ended = command.at_terminal(*LOST, answer="y", before=lambda: delete(command, "CNAME"))
    assert ended.code == 7
    assert api.writes(command.sandbox) == writes


def test_an_undo_afterwards_takes_back_the_apply_and_not_what_was_brought_back(
    command: Command, api: Api
) -> None:
    start = there(command, ("TXT", "MX"))
    apply(command, *SPF)
    delete(command, "MX")
    ok(command.at_terminal(*LOST, answer="y"))
    assert "what others had lost was brought back" in ok(command("undo", "--list")).stdout
    ok(command("undo", "example.com", "--yes"))
    assert there(command, ("TXT", "MX")) == start


@on_ccp
def test_without_any_write_there_is_nothing_to_go_by(command: Command) -> None:
    process, terminal = command.open_terminal(*LOST)
    code = process.wait(30)
    os.close(terminal)
    assert code == 2

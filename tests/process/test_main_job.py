"""The main job at the installed command: from netcup's default zone, and asked at a terminal."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.apis import each_api, on_ccp
from tests.process.processes import COMMAND
from tests.story.test_moved_zones import OTHER, move, texts
from tests.story.test_moved_zones import WISH as MOVING
from tests.story.wanted import DMARC, SPF, WISH, txt

if TYPE_CHECKING:
    from tests.apis import Api
    from tests.process.command import Command

api = each_api


def test_from_netcups_default_zone_to_three_right_records(command: Command, api: Api) -> None:
    sandbox = command.sandbox
    before = api.others(sandbox)
    ended = command("apply", "example.com", *WISH, "--yes")
    assert ended.code == 0, ended.stderr
    assert txt(sandbox, "@").count(SPF) == 1
    assert txt(sandbox, "_dmarc") == [DMARC]
    assert txt(sandbox, "dkim._domainkey")[0].startswith("v=DKIM1;k=rsa;t=s;s=email;p=")
    assert api.others(sandbox) == before
    assert len(api.records(sandbox)) == len(before) + 3
    assert api.heading in ended.stdout.splitlines()[0]
    assert "written and verified: 2 created, 1 updated" in ended.stdout


@on_ccp
def test_the_printed_command_does_what_the_plan_said(command: Command) -> None:
    printed = command("plan", "example.com", *WISH).stderr.strip().splitlines()[-1].strip()
    script = f'netcup-mailauth() {{ "$COMMAND" "$@"; }}; {printed} --yes'
    environment = {**command.environment(), "COMMAND": str(COMMAND)}
    subprocess.run(["bash", "-c", script], env=environment, cwd=command.folder, check=True)
    assert txt(command.sandbox, "_dmarc") == [DMARC]


class TestAtATerminal:
    def test_yes_writes_what_was_shown(self, command: Command) -> None:
        ended = command.at_terminal("apply", "example.com", *WISH, answer="y")
        assert ended.code == 0, ended.stdout
        assert "Write these changes to example.com?" in ended.stdout
        assert txt(command.sandbox, "_dmarc") == [DMARC]

    @on_ccp
    def test_ctrl_c_at_the_question_writes_nothing(self, command: Command) -> None:
        before = command.sandbox.zone("example.com")
        ended = command.at_terminal("apply", "example.com", *WISH, answer="^C")
        assert ended.code == 130
        assert "Traceback" not in ended.stdout
        assert command.sandbox.zone("example.com") == before

    def test_what_changed_while_the_question_stood_makes_the_plan_stale(
        self, command: Command, api: Api
    ) -> None:
        sandbox = command.sandbox

        def rival() -> None:
            spf = {"hostname": "@", "type": "TXT", "destination": "v=spf1 ip4:192.0.2.9 ~all"}
            sandbox.set_zone("example.com", [*sandbox.zone("example.com"), spf])

        ended = command.at_terminal("apply", "example.com", *WISH, answer="y", before=rival)
        assert ended.code == 7
        assert "ip4:192.0.2.9" in ended.stdout
        assert api.writes(sandbox) == 0

    def test_a_key_that_mailcow_made_while_the_question_stood_makes_the_plan_stale(
        self, command: Command, api: Api
    ) -> None:
        sandbox = command.sandbox

        def renew() -> None:
            sandbox.set_dkim("example.com")

        ended = command.at_terminal("apply", "example.com", *WISH, answer="y", before=renew)
        assert ended.code == 7, ended.stdout
        assert "is wanted now" in " ".join(ended.stdout.split())
        assert api.writes(sandbox) == 0


@pytest.mark.parametrize("keys", ["both", "own"])
def test_a_zone_that_moves_while_the_question_stands_is_stale(
    command: Command, api: Api, keys: str
) -> None:
    command.changes["NETCUP_REST_API_KEY"] = command.sandbox.rest_key
    if keys == "own":
        command.changes |= dict.fromkeys(OTHER[api.name].secrets)
    before = texts(command.sandbox)
    ended = command.at_terminal(
        "apply", "example.com", *MOVING, answer="y", before=lambda: move(command.sandbox, api)
    )
    assert ended.code == 7, ended.stdout
    assert "has changed since the plan was made" in " ".join(ended.stdout.split())
    assert texts(command.sandbox) == before

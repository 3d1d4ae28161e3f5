"""How to go on, in Markdown: what is typed and what the config is to say, each block to copy."""

from __future__ import annotations

import tomllib

import pytest

from netcup_mailauth.render.ways import SAFER, Table, Way, ways_markdown
from netcup_mailauth.shown import visible
from tests.hostile import ATTACKS
from tests.rendering import is_harmless

COMMAND = "netcup-mailauth apply"


def table(domain: str, file: str = "netcup-mailauth.toml") -> Table:
    return Table(file, f'domains."{domain}"', ('spf = "v=spf1 mx ~all"',))


def test_tables_of_one_file_are_one_block_to_copy() -> None:
    tables = (*map(table, ("a.example", "b.example", "c.example")), table("d.example", "e.toml"))
    document = ways_markdown([Way(SAFER, tables, (COMMAND,))], 10_000)
    assert document.count("in `netcup-mailauth.toml`:") == document.count("in `e.toml`:") == 1
    *_, one, _, other, command = is_harmless(document).codes
    assert list(tomllib.loads(one)["domains"]) == ["a.example", "b.example", "c.example"]
    assert list(tomllib.loads(other)["domains"]) == ["d.example"]
    assert command == f"{COMMAND}\n"


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_name_of_others_leaves_its_code(attack: str) -> None:
    hostile = Table(attack, attack, (f"spf = {attack}",))
    document = ways_markdown([Way(SAFER, (hostile, hostile), (f"{COMMAND} {attack}",))], 100_000)
    *_, tables, command = is_harmless(document).codes
    assert tables.count(f"spf = {visible(attack)}".rstrip()) == 2
    assert command == f"{COMMAND} {visible(attack)}\n"

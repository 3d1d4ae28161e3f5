"""The last lines of a plan or a refusal, read and followed as a person would."""

from __future__ import annotations

import shlex
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from netcup_mailauth.render.ways import ALL_THE_SAME, SAFER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.process.command import Ended
    from tests.story.inprocess import Cli


@dataclass
class Printed:
    """One way: what the config is to say in which table, and the commands."""

    tables: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    commands: list[list[str]] = field(default_factory=list)

    def follow(self, cli: Cli) -> Ended:
        """Change the config, and type the commands; the last one's end."""
        for (file, name), lines in self.tables.items():
            change(cli.folder / file, name, lines)
        assert self.commands
        for words in self.commands:
            assert words[0] == "netcup-mailauth"
            asked = words[1] in ("apply", "undo") and "--yes" not in words
            ended = cli(*words[1:], *(["--yes"] if asked else []))
        return ended


def read(text: str) -> dict[str, Printed]:
    """The ways in all that a command printed, by their labels."""
    found: dict[str, Printed] = {}
    now, table = None, ("", "")
    for line in text.splitlines():
        label = next((own for own in (SAFER, ALL_THE_SAME) if line.startswith(own)), None)
        if label is not None:
            now = found.setdefault(label, Printed())
        elif not line.startswith(" " * 15):
            now = None
        if now is None:
            continue
        rest = line[15:]
        if rest.startswith("in "):
            file, _, name = rest.removeprefix("in ").removesuffix("]:").partition(", [")
            table = (file, name)
        elif rest.startswith("  "):
            now.tables.setdefault(table, []).append(rest.strip())
        else:
            now.commands.append(shlex.split(rest.removeprefix("then  ")))
    return found


def change(path: Path, name: str, lines: list[str]) -> None:
    """Put these lines in the place of those with their keys in a table of a config."""
    config = tomllib.loads(path.read_text(encoding="utf-8"))
    new = tomllib.loads(f"[{name}]\n" + "\n".join(lines))
    for domain, keys in new["domains"].items():
        config.setdefault("domains", {}).setdefault(domain, {}).update(keys)
    path.write_text(written(config), encoding="utf-8")


def written(config: dict[str, Any]) -> str:
    """A config as TOML: what stands outside all tables, then each table."""
    plain = {key: value for key, value in config.items() if not isinstance(value, dict)}
    tables = [(key, own) for key, own in config.items() if isinstance(own, dict)]
    own = [(key, table) for key, table in tables if key != "domains"]
    own += [(f"domains.{_value(name)}", table) for name, table in config["domains"].items()]
    return "\n".join([_pairs(plain), *(f"[{name}]\n{_pairs(keys)}\n" for name, keys in own)])


def _pairs(table: dict[str, Any]) -> str:
    return "\n".join(f"{key} = {_value(value)}" for key, value in table.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(own)}" for key, own in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool | int):
        return str(value).lower()
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

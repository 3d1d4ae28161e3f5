"""Zones and keys in a file, so that a sandbox goes on where it stopped."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from netcup_mailauth.sandbox.mailcow_dkim import DkimKey
from netcup_mailauth.sandbox.zones import Record, Zone

_SCHEMA = 2
_READABLE = (1, _SCHEMA)  # 1 knew no TTL for each record


@dataclass(frozen=True, slots=True)
class State:
    """What is worth keeping."""

    zones: dict[str, Zone]
    keys: dict[str, DkimKey | None]
    last_id: int


def load(path: Path) -> State | None:
    """Read a state file, or None if there is none yet.

    Raises:
        ValueError: the file is not one of ours, or what is to be kept could not be written to it.
    """
    folder = path.parent
    if not folder.is_dir():
        raise ValueError(f"{path} cannot be written: there is no folder {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"{path} cannot be written: the folder {folder} is not yours to write to")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return _decoded(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} does not hold the state of a sandbox; delete it") from error


def save(path: Path, state: State) -> None:
    """Write a state file as a whole or not at all, readable by its owner only."""
    data = {
        "schema": _SCHEMA,
        "last_id": state.last_id,
        "zones": [asdict(zone) for zone in state.zones.values()],
        "dkim": {domain: key and asdict(key) for domain, key in state.keys.items()},
    }
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _decoded(data: dict[str, Any]) -> State:
    if data["schema"] not in _READABLE:
        raise ValueError("another schema")
    zones = [
        Zone(**{**zone, "records": tuple(Record(**record) for record in zone["records"])})
        for zone in data["zones"]
    ]
    keys = {domain: key and DkimKey(**key) for domain, key in data["dkim"].items()}
    return State({zone.name: zone for zone in zones}, keys, int(data["last_id"]))

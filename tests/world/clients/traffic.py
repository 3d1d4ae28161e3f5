"""What netcup said to dns-lexicon's tests in 2019, and what the sandbox says to the same tests now.

Both are recordings of vcrpy, one a test. Of the first, `lexicon/recorded.json` holds what is
compared: written anew from the repository's `tests/fixtures/cassettes/netcup` by
`python -m tests.world.clients.traffic FOLDER`.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDED = Path(__file__).parent / "lexicon" / "recorded.json"


def summary(folder: Path) -> dict[str, Any]:
    """The answers to each test, in order, and by how much it has raised the zone's serial.

    Of an answer that is the fields in their order, the texts, the codes, and the sorts of values.
    """
    answers = {path.stem: list(_answers(path)) for path in folder.rglob("*.yaml")}
    lines = sorted({line for said in answers.values() for line in said})
    tests = {name: [lines.index(line) for line in said] for name, said in sorted(answers.items())}
    return {"lines": lines, "tests": tests, "steps": _steps(folder)}


def _interactions(path: Path) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    recorded = yaml.safe_load(path.read_text(encoding="utf-8"))["interactions"]
    for exchange in recorded:
        response = exchange["response"]
        action = json.loads(exchange["request"]["body"])["action"]
        yield action, response, json.loads(response["body"]["string"])


def _answers(path: Path) -> Iterator[str]:
    for action, response, answer in _interactions(path):
        (content_type,) = response["headers"]["Content-Type"]
        fields = {name: answer[name] for name in answer if not name.endswith("requestid")}
        said = {**fields, "responsedata": _sorts(answer["responsedata"])}
        status = response["status"]["code"]
        yield f"{action}: {status} {content_type}, {' '.join(answer)}: {json.dumps(said)}"


def _sorts(value: object) -> object:
    """The sorts of values, with the fields of objects in their order; of a list each sort once."""
    if isinstance(value, dict):
        return [f"{name} {_sorts(one)}" for name, one in value.items()]
    if isinstance(value, list):
        return sorted({str(_sorts(one)) for one in value})
    return type(value).__name__


def _steps(folder: Path) -> dict[str, int]:
    """By how much each test has raised the serial, but for the one that was run last."""
    began = []
    for path in folder.rglob("*.yaml"):
        for action, response, answer in _interactions(path):
            if action == "infoDnsZone" and answer["responsedata"]:
                (date,) = response["headers"].get("Date", [""])
                serial = int(answer["responsedata"]["serial"])
                writes = sum(one == "updateDnsRecords" for one, _, _ in _interactions(path))
                began.append((serial, writes > 0, date, path.stem))
    return {test: later - now for (now, _, _, test), (later, *_) in pairwise(sorted(began))}


if __name__ == "__main__":
    found = summary(Path(sys.argv[1]))
    RECORDED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")

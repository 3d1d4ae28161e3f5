"""What happens between two runs of a transcript: faults, and people who change things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.faults import read_mailcow_fault
from tests.story.golden.stage import CALLS, NEXT_KEY, Act

if TYPE_CHECKING:
    from tests.story.golden.stage import Stage

CCP = ("ccp",)
CLOUDDNS = ("clouddns",)
THREE = ("a.example", "b.example", "c.example")
BARE = dict.fromkeys(
    (
        "NETCUP_CUSTOMER_NUMBER",
        "NETCUP_API_KEY",
        "NETCUP_API_PASSWORD",
        "NETCUP_REST_API_KEY",
        "MAILCOW_API_KEY",
    )
)


def fault(call: str, mode: str, times: int = 1, after: int = 0) -> Act:
    """Let a call fail; `first`, `read` and `write` are those of the API of the story."""

    def do(stage: Stage) -> None:
        stage.sandbox.fault(CALLS[stage.api].get(call, call), mode, times, after)

    many = f", {times} times" if times > 1 else ""
    late = f", after {after} more" if after else ""
    return Act(f"netcup: the next {call} call: {mode}{many}{late}", do)


def mailcow_fault(call: str, mode: str) -> Act:
    """Let a call to mailcow fail."""

    def do(stage: Stage) -> None:
        stage.sandbox.add_fault(read_mailcow_fault({"call": call, "mode": mode}))

    return Act(f"mailcow: the next {call} call: {mode}", do)


def published(text: str, hostname: str = "@", domain: str | None = None) -> Act:
    """Somebody adds a TXT record."""

    def do(stage: Stage) -> None:
        name = domain or stage.story.domains[0]
        row = {"hostname": hostname, "type": "TXT", "priority": "0", "destination": text}
        stage.sandbox.set_zone(name, [*_rows(stage, name), row])

    return Act(f"somebody publishes at {hostname}: {text}", do)


def spf_replaced(text: str) -> Act:
    """Somebody changes the SPF record."""

    def do(stage: Stage) -> None:
        name = stage.story.domains[0]
        rows = _rows(stage, name)
        for row in rows:
            if str(row["destination"]).startswith("v=spf1"):
                row["destination"] = text
        stage.sandbox.set_zone(name, rows)

    return Act(f"somebody changes SPF to: {text}", do)


def deleted(*types: str) -> Act:
    """Somebody deletes every record of these types."""

    def do(stage: Stage) -> None:
        name = stage.story.domains[0]
        stage.sandbox.set_zone(name, [r for r in _rows(stage, name) if r["type"] not in types])

    return Act(f"somebody deletes every {' and '.join(types)}", do)


def _rows(stage: Stage, domain: str) -> list[dict[str, object]]:
    fields = ("hostname", "type", "priority", "destination")
    return [{name: row[name] for name in fields} for row in stage.sandbox.zone(domain)]


def _next_key(stage: Stage) -> None:
    keyring = stage.sandbox._keyring
    keyring.pub_keys[stage.story.domains[0]] = NEXT_KEY


NEW_KEY = Act("somebody makes a new DKIM key in mailcow", _next_key)
NO_KEY = Act(
    "somebody removes the DKIM key from mailcow",
    lambda stage: stage.sandbox.remove_dkim(stage.story.domains[0]),
)
MOVED = Act(
    "netcup moves the zone to the other API",
    lambda stage: stage.sandbox.set_backend(
        stage.story.domains[0], "clouddns" if stage.api == "ccp" else "ccp"
    ),
)
READ_WRITE = Act(
    "the environment has mailcow's read-write key",
    lambda stage: stage.environ.update(MAILCOW_API_KEY=stage.sandbox.mailcow_rw_key),
)
SHORT_TTL = Act(
    "the zone lives a second in caches",
    lambda stage: stage.sandbox.set_zone_ttl(stage.story.domains[0], 1),
)


def written(name: str, text: str) -> Act:
    """Somebody writes a file."""
    return Act(f"somebody writes {name}", lambda stage: (stage.folder / name).write_text(text))


def edited(name: str, old: str, new: str) -> Act:
    """Somebody edits a file."""

    def do(stage: Stage) -> None:
        path = stage.folder / name
        text = path.read_text()
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new, 1))

    return Act(f"somebody edits {name}: {old!r} becomes {new!r}", do)

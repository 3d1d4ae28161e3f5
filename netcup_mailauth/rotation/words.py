"""What a rotation will do, and where it stands, in words. Pure."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from netcup_mailauth.policy import words
from netcup_mailauth.records import both_forms
from netcup_mailauth.rotation.state import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.render.page import Page
    from netcup_mailauth.rotation.signers import Writes
    from netcup_mailauth.rotation.state import Rotation, Waits


def status(rotation: Rotation, now: float, waits: Waits) -> str:
    """Where it stands and what is next: ``published, waiting ...; next: switch, ...``."""
    going_back = ", going back" if rotation.aborted else ""
    return f"{_stands(rotation)}{going_back}; next: {_next(rotation, now, waits)}"


def next_due(rotation: Rotation, waits: Waits) -> float | None:
    """When the next step may be due; ``None`` for at once, or where only the servers can say."""
    match rotation.phase:
        case Phase.WAITING:
            return rotation.watch.ready_at(waits)
        case Phase.GRACE | Phase.RETIRING:
            return None if rotation.since is None else rotation.since + rotation.grace
        case _:
            return None


def moment(time: float, now: float) -> str:
    """``2026-11-24 15:20 (in 45 min)``, in the time of this place."""
    then = datetime.fromtimestamp(time).astimezone()
    if time <= now:
        return f"{then:%Y-%m-%d %H:%M} (now)"
    return f"{then:%Y-%m-%d %H:%M} (in {words(time - now)})"


def _stands(rotation: Rotation) -> str:
    new, old = rotation.staying.selector, rotation.leaving.selector
    match rotation.phase:
        case Phase.MAKING:
            return f"a key for {new} is being made"
        case Phase.PUBLISHING:
            return f"{new} is being published"
        case Phase.WAITING:
            return f"{new} is published, {old} signs"
        case Phase.SWITCHING:
            return f"{rotation.signer} is being switched from {old} to {new}"
        case Phase.GRACE:
            return f"{new} signs, {old} is still published"
        case Phase.RETIRING:
            return f"{new} signs, {old} is being retired"


def _next(rotation: Rotation, now: float, waits: Waits) -> str:
    due = next_due(rotation, waits)
    when = "as soon as it can" if due is None else moment(due, now)
    match rotation.phase:
        case Phase.MAKING:
            return "make and publish the new key, at once"
        case Phase.PUBLISHING:
            return "publish the new key, at once"
        case Phase.WAITING if due is None:
            return "switch, once every name server has it"
        case Phase.WAITING:
            return f"switch, {when}"
        case Phase.SWITCHING:
            return "see that it signs with the right key, at once"
        case _:
            return f"retire {rotation.leaving.selector}, {when}"


def document(rotation: Rotation, waits: Waits) -> dict[str, Any]:
    """The same for machines; times are seconds since 1970."""
    return {
        "domain": rotation.domain,
        "phase": rotation.phase.value,
        "aborted": rotation.aborted,
        "signer": rotation.signer,
        "old": rotation.old.selector,
        "new": rotation.new.selector,
        "started": rotation.started,
        "next": next_due(rotation, waits),
    }


def as_json(rotations: Sequence[dict[str, Any]]) -> str:
    """What ``rotate --format json`` prints: such documents, or errors, of several domains."""
    text = json.dumps({"schema": 1, "rotations": rotations}, indent=2, sort_keys=True)
    return f"{text}\n"


def outlook(rotation: Rotation, writes: Writes, waits: Waits, page: Page) -> str:
    """Every write of a rotation that is about to begin, in DNS and at the signer, by its date."""
    return "\n".join(_lines(rotation, writes, waits, page))


def _lines(rotation: Rotation, writes: Writes, waits: Waits, page: Page) -> Iterator[str]:
    now, old, key = rotation.started, rotation.old, rotation.old.key
    denial = rotation.watch.negative_ttl if waits.negative_ttl is None else waits.negative_ttl
    switch = now + max(denial, (waits.rounds - 1) * waits.round_seconds)
    retire = switch + rotation.grace
    yield from page.hang(
        "", f"{both_forms(rotation.domain)}: a new DKIM key, at {rotation.signer}", 2, "bold"
    )
    label = f" ({key.label}, {key.fingerprint})" if key else ""
    yield from page.hang("  now signs with    ", f"{old.selector}{label}", 20)
    yield from page.hang("  will sign with    ", rotation.new.selector, 20)
    yield ""
    yield "  Now:"
    yield from _steps(rotation, writes.prepare, page)
    yield from _step(
        "+", f"{rotation.hostname_of(rotation.new)} is created with the new key.", page
    )
    yield from page.hang(
        "  ",
        f"Not before {moment(switch, now)}, once every name server has answered with it "
        f"{_times(waits)}, and caches have forgotten that there was none ({words(denial)}):",
        2,
    )
    yield from _steps(rotation, writes.switch, page)
    yield from page.hang(
        "  ",
        f"Not before {moment(retire, now)}, {words(rotation.grace)} after the switch, for mail "
        "that is on its way:",
        2,
    )
    how = "revoked: its p= is emptied" if rotation.revoke else "removed"
    yield from _step("-", f"{rotation.hostname_of(old)} is {how}.", page)
    yield from _steps(rotation, writes.discard, page)


def _steps(rotation: Rotation, sentences: Sequence[str], page: Page) -> Iterator[str]:
    for sentence in sentences:
        yield from _step("*", sentence.replace("DOMAIN", rotation.domain), page)


def _step(sign: str, sentence: str, page: Page) -> list[str]:
    return page.hang(f"    {page.sign(sign)} ", sentence, 6)


def _times(waits: Waits) -> str:
    if waits.rounds == 1:
        return "once"
    return f"{waits.rounds} times, at least {words(waits.round_seconds)} apart"

"""What a rotation will do, and when, for somebody who is to agree to it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.policy import words
from netcup_mailauth.rotation.words import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.render.text import Page
    from netcup_mailauth.rotation.signer import Writes
    from netcup_mailauth.rotation.state import Rotation
    from netcup_mailauth.rotation.waits import Waits


def outlook(rotation: Rotation, writes: Writes, waits: Waits, page: Page) -> str:
    """Every write of a rotation that is about to begin, in DNS and at the signer, by its date.

    Args:
        rotation: the rotation, not begun.
        writes: what is written at the signer.
        waits: how long is waited for what.
        page: what it is laid out for.
    """
    return "\n".join(_lines(rotation, writes, waits, page))


def _lines(rotation: Rotation, writes: Writes, waits: Waits, page: Page) -> Iterator[str]:
    now, old, key = rotation.started, rotation.old, rotation.old.key
    denial = rotation.watch.negative_ttl if waits.negative_ttl is None else waits.negative_ttl
    switch = now + max(denial, (waits.rounds - 1) * waits.round_seconds)
    retire = switch + rotation.grace
    yield from page.hang("", f"{rotation.domain}: a new DKIM key, at {rotation.signer}", 2, "bold")
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

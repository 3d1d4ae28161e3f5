"""What is due next in a rotation, and why. Pure: from what is known at one moment to one step.

The facts decide, not the state: it only says what may have been begun. Whatever crashed where, a
signer is never given a key that is not published everywhere, and no record is removed while
anything signs with its key.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING

from netcup_mailauth.kinds import same_meaning
from netcup_mailauth.policy import words
from netcup_mailauth.records import Kind
from netcup_mailauth.rotation.state import Phase, Rotation, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.rotation.signers import SignerKey, Users
    from netcup_mailauth.rotation.state import Round, Waits


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known at one moment.

    Attributes:
        now: the time, in seconds since 1970.
        at_old: what the API has at the old selector: TXT texts, and ``CNAME target``.
        at_new: the same at the new one.
        pointing: hostnames in the zone that are an alias of the record that is to go.
        strangers: hostnames of rotated keys that are neither the signer's nor ours.
        current: the key that signs.
        prepared: the key that was made for later.
        parked: the key that signed before the switch.
        round: what the name servers said just now; ``None`` if they were not asked.
        users: other domains that sign with the key that is to go; ``None`` if not asked.
        clocks: why the clock is not to be believed; ``None`` if nothing speaks against it.
    """

    now: float
    at_old: tuple[str, ...] = ()
    at_new: tuple[str, ...] = ()
    pointing: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    current: SignerKey | None = None
    prepared: SignerKey | None = None
    parked: SignerKey | None = None
    round: Round | None = None
    users: Users | None = None
    clocks: Stop | None = None

    @property
    def signing(self) -> PublicKey | None:
        """The key that signs, under whatever selector."""
        return self.current.key if self.current else None


class Act(Enum):
    """A step that is to be taken now."""

    MAKE = "have the signer make a key for later"
    PUBLISH = "create the new key's record, if it is not there yet"
    ASK_SERVERS = "ask every name server of the delegation, and decide again"
    ASK_USERS = "ask the signer who else signs with the key that is to go, and decide again"
    SWITCH = "have the signer sign with the key that stays: the new one, aborted the old one"
    SWITCHED = "begin the grace, as the signer does so already"
    RETIRE = "remove the record of the key that is left, tidy up at the signer, close the book"


@dataclass(frozen=True, slots=True)
class Forward:
    """The old key cannot sign again (a clause says why), so the abort is taken back."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is due.

    Attributes:
        until: when to look again, since 1970; ``None`` where that is not a matter of time.
        reason: a clause on what is waited for.
        servers: the name servers that are waited for.
    """

    until: float | None
    reason: str
    servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing can be done until somebody has looked at it: what is wrong, and what to do."""

    reason: str
    advice: str


Step = Act | Forward | Wait | Stop
"""What is due. A rotation that was retired is done, and has no step any more."""


HARMLESS = (Act.MAKE, Act.PUBLISH, Act.ASK_SERVERS, Act.ASK_USERS)
"""What needs no wait to be over."""

ABORT = "End it with --abort, which says what it leaves behind."
LOOK = "Look at the zone and at the signer; then go on with rotate --continue, or end it: --abort"


def due(rotation: Rotation, facts: Facts, waits: Waits) -> Step:
    """The step that is due.

    By a clock that is not to be believed no wait is over, so nothing is switched or removed.
    """
    step = _due(rotation, facts, waits)
    harmless = step in HARMLESS or isinstance(step, Stop)
    return step if facts.clocks is None or harmless else facts.clocks


def _due(rotation: Rotation, facts: Facts, waits: Waits) -> Step:
    if rotation.aborted:
        return _back(rotation, facts)
    if facts.strangers:
        return _two_at_it(facts)
    match rotation.phase:
        case Phase.MAKING:
            return _make(rotation, facts)
        case Phase.PUBLISHING:
            return _publish(rotation, facts)
        case Phase.WAITING | Phase.SWITCHING:
            return _towards_the_switch(rotation, facts, waits)
        case _:
            return _after_the_switch(rotation, facts)


def _two_at_it(facts: Facts) -> Stop:
    return Stop(
        f"{', '.join(facts.strangers)} is a rotated key that is neither the signer's nor known "
        "here: another machine may be at it.",
        "Let that machine finish. If there is none, delete the record in the CCP.",
    )


def _make(rotation: Rotation, facts: Facts) -> Step:
    if facts.at_new:
        return Stop(
            f"{rotation.name_of(rotation.new)} was to be a new name, and has a record now: another "
            "machine may be at it.",
            ABORT,
        )
    if not rotation.old.is_key(facts.current):
        return _another_signs(rotation, facts)
    return Act.MAKE


def _publish(rotation: Rotation, facts: Facts) -> Step:
    """Also right where the signer has the key already: then it is high time."""
    if not _is_free_or_ours(facts.at_new, rotation.new):
        return _taken(rotation)
    return _foreseen(rotation, facts) or Act.PUBLISH


def _towards_the_switch(rotation: Rotation, facts: Facts, waits: Waits) -> Step:
    if not _is_free_or_ours(facts.at_new, rotation.new):
        return _taken(rotation)
    problem = _foreseen(rotation, facts)
    if problem is not None:
        return problem
    if not facts.at_new:
        return Act.PUBLISH
    if rotation.new.is_key(facts.current):
        return _already(rotation, facts.prepared)
    if facts.round is None:
        return Act.ASK_SERVERS
    return _when_everywhere(rotation, facts, facts.round, waits)


def _already(rotation: Rotation, ready: SignerKey | None) -> Step:
    """The signer shows the key that is to sign.

    In the middle of a switch that is not enough, because it may hold it in part: the switch is
    made again, as long as there is what to make it from.
    """
    begun = rotation.phase is Phase.SWITCHING
    return Act.SWITCH if begun and rotation.staying.is_key(ready) else Act.SWITCHED


def _when_everywhere(rotation: Rotation, facts: Facts, asked: Round, waits: Waits) -> Step:
    name = rotation.name_of(rotation.new)
    lagging = asked.lagging(name, rotation.new.record)
    if lagging or not asked.said:
        servers = ", ".join(lagging) or "any name server"
        return Wait(facts.now + waits.retry, f"{name} is not at {servers} yet", lagging)
    ready = rotation.watch.ready_at(waits)
    if ready is None or len(rotation.watch.rounds) < waits.rounds:
        until = facts.now + waits.round_seconds
        return Wait(until, f"every name server has {name}, and is to say so again")
    if facts.now < ready:
        left = words(ready - facts.now)
        return Wait(ready, f"every name server has {name}; caches may deny it for {left} more")
    return Act.SWITCH


def _after_the_switch(rotation: Rotation, facts: Facts) -> Step:
    if not rotation.new.is_key(facts.current):
        return _another_signs(rotation, facts)
    if not _is_free_or_ours(facts.at_new, rotation.new):
        return _taken(rotation)
    if not facts.at_new:
        return Act.PUBLISH
    return _when_nothing_uses(rotation, facts)


def _when_nothing_uses(rotation: Rotation, facts: Facts) -> Step:
    """Retire, once mail on its way has arrived and nothing signs with the leaving key."""
    name = rotation.name_of(rotation.leaving)
    if facts.signing is not None and facts.signing == rotation.leaving.key:
        return _another_signs(rotation, facts)
    over = (rotation.since or 0.0) + (0.0 if rotation.since is None else rotation.grace)
    if facts.now < over:
        left = words(over - facts.now)
        return Wait(over, f"{name} stays for {left} more, for mail that is on its way")
    if facts.users is None:
        return Act.ASK_USERS
    if facts.users.domains:
        using = ", ".join(facts.users.domains)
        return Wait(None, f"{name} stays, because {using} signs with its key")
    if facts.users.unsure:
        return Wait(None, f"{name} stays, because {facts.users.unsure}")
    if facts.pointing:
        return Wait(None, f"{name} stays, because {', '.join(facts.pointing)} is an alias of it")
    return Act.RETIRE


def _back(rotation: Rotation, facts: Facts) -> Step:
    """After an abort: the old key signs again, or still, and the new one's record goes."""
    new_signs = facts.signing is not None and facts.signing == rotation.new.key
    keyless = facts.current is None and rotation.phase is Phase.SWITCHING
    if new_signs or keyless:
        return _switch_back(rotation, facts)
    if rotation.phase is Phase.SWITCHING:
        if rotation.old.is_key(facts.current):
            return _already(rotation, facts.parked)
        return _another_signs(rotation, facts)
    if facts.current is None and facts.at_new:
        return _another_signs(rotation, facts)  # half a key may be the one that is to go
    return _when_nothing_uses(rotation, facts)


def _switch_back(rotation: Rotation, facts: Facts) -> Step:
    problem = why_not_back(rotation, facts)
    if problem is not None:
        return Forward(problem)
    if facts.round is None:
        return Act.ASK_SERVERS
    return Act.SWITCH


def why_not_back(rotation: Rotation, facts: Facts) -> str | None:
    """Why the old key cannot sign again; ``None`` if it can, as far as was asked."""
    name = rotation.name_of(rotation.old)
    if not rotation.old.is_key(facts.parked):
        return f"{rotation.signer} does not hold the old key any more"
    if not _is_exactly(facts.at_old, rotation.old):
        return f"{name} does not hold the old key any more"
    if facts.round is not None:
        lagging = facts.round.lagging(name, rotation.old.record)
        if lagging or not facts.round.said:
            return f"{name} is not at {', '.join(lagging) or 'any name server'}"
    return None


def abort(rotation: Rotation, facts: Facts) -> Rotation | Act | Stop | None:
    """The rotation, going back; or what keeps it from that.

    ``None`` means that the signer has gone its own way, so that nothing of this rotation is left
    to be undone: the book is closed, and records and keys are left as they are.
    """
    new_signs = facts.signing is not None and facts.signing == rotation.new.key
    if rotation.aborted:
        if rotation.phase is not Phase.SWITCHING:
            return None if facts.current is None else rotation
        own = new_signs or facts.current is None or rotation.old.is_key(facts.current)
        return rotation if own else None
    back = replace(rotation, aborted=True)
    begun = rotation.phase in (Phase.SWITCHING, Phase.GRACE, Phase.RETIRING)
    if new_signs or (facts.current is None and begun):
        problem = why_not_back(rotation, facts)
        if problem is None:
            asked = facts.round is not None
            return back.begun(Phase.SWITCHING) if asked else Act.ASK_SERVERS
        return Stop(f"It cannot be taken back: {problem}.", "Rotate forward: rotate --continue")
    if not begun:
        return back.begun(Phase.RETIRING)
    if rotation.old.is_key(facts.current):
        # The switch may still have happened for a while, so mail may be on its way.
        return back.switched(facts.now)
    return None


def _foreseen(rotation: Rotation, facts: Facts) -> Stop | None:
    """What is wrong at the signer before the switch, or in the middle of it."""
    if rotation.new.is_key(facts.current):
        return None
    in_between = facts.current is None and rotation.phase is Phase.SWITCHING
    if not in_between and not rotation.old.is_key(facts.current):
        return _another_signs(rotation, facts)
    if not rotation.new.is_key(facts.prepared):
        what = "is another one" if facts.prepared else "is gone"
        return Stop(
            f"The key that {rotation.signer} was to use next for {rotation.domain} {what}.", ABORT
        )
    return None


def _another_signs(rotation: Rotation, facts: Facts) -> Stop:
    held = facts.current
    if held is None:
        what = "has no key"
    elif rotation.old.is_key(held):
        what = f"signs with the old key ({held.selector}) again"
    else:
        what = f"signs with another key ({held.selector}, {held.key.fingerprint})"
    return Stop(f"{rotation.signer} {what} for {rotation.domain}; somebody changed it.", LOOK)


def _taken(rotation: Rotation) -> Stop:
    return Stop(
        f"{rotation.name_of(rotation.new)} holds something else than the new key; a rotation "
        "never changes a record.",
        "Look who made it. Delete it in the CCP and go on with rotate --continue, or end the "
        "rotation: rotate --abort",
    )


def _is_exactly(found: tuple[str, ...], side: Side) -> bool:
    return len(found) == 1 and bool(side.record) and same_meaning(Kind.DKIM, found[0], side.record)


def _is_free_or_ours(found: tuple[str, ...], side: Side) -> bool:
    return not found or _is_exactly(found, side)


MOST_APART = 3600.0
"""Seconds that two clocks may differ before nothing is removed or switched any more."""


_SET_IT = (
    "Nothing was removed or switched. Set the clock that is wrong right (timedatectl shows this "
    "machine's), then: netcup-mailauth rotate --continue"
)


def doubt(now: float, jumped: float | None, ahead: Mapping[str, float]) -> Stop | None:
    """Why the clock, which shows ``now``, is not to be believed; ``None`` if nothing says so.

    ``jumped`` is by :func:`netcup_mailauth.clock.jump`, and ``ahead``, for each other end, how far
    the time that it named is ahead of the clock: both in seconds.
    """
    if jumped is not None and abs(jumped) > MOST_APART:
        return Stop(
            f"This machine's clock shows {_moment(now)}, and by the time that it has run it should "
            f"be {_moment(now - jumped)}: it was set meanwhile.",
            "Nothing was removed or switched, and waits go on by the time that has really passed. "
            "See that the clock is right (timedatectl), then: netcup-mailauth rotate --continue",
        )
    for who, seconds in ahead.items():
        if abs(seconds) > MOST_APART:
            return Stop(
                f"This machine's clock shows {_moment(now)}, and {who} says that it is "
                f"{_moment(now + seconds)}: one of them is wrong.",
                _SET_IT,
            )
    return None


def _moment(time: float) -> str:
    try:
        return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, OSError, ValueError):
        return f"{time:.0f} s after 1970"

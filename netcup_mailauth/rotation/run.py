"""How far one rotation comes in one go: facts are gathered, steps are taken, until none is due.

Each step is named in the book before it is taken; each DNS write goes through the journal, the
precondition and the guard. Whatever takes its time (all name servers, all domains of the signer)
is asked first; then signer and zone are, anew, the zone last, and only by them a step is taken.
Whoever calls holds the account's lock.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from netcup_mailauth import dkim
from netcup_mailauth.actions.signals import uninterrupted
from netcup_mailauth.clock import jump
from netcup_mailauth.errors import MailauthError, RefusedError, UnverifiedError
from netcup_mailauth.netcup.api import is_fresh
from netcup_mailauth.rotation import decide
from netcup_mailauth.rotation.begin import check_that_no_key_waits
from netcup_mailauth.rotation.decide import Act, Facts, Forward, Stop, Wait
from netcup_mailauth.rotation.signers import Users, key_file
from netcup_mailauth.rotation.state import (
    Phase,
    Rotation,
    Round,
    Side,
    Watch,
    read_book,
    write_book,
)
from netcup_mailauth.rotation.zone import (
    aliases_of,
    creation,
    look,
    records_at,
    removal,
    strangers,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.plan import ChangeSet
    from netcup_mailauth.records import Zone
    from netcup_mailauth.rotation.begin import Rotator
    from netcup_mailauth.rotation.decide import Step
    from netcup_mailauth.rotation.signers import SignerKey

MOST_STEPS = 20
"""Steps in one go; a rotation that needs more than its dozen goes round in circles."""

MOST_LOOKS = 3
"""How often signer and zone are asked while the zone's answer is slow; some always are."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far one domain's rotation came, and in a sentence each what was done.

    Once it is done, or if there is none, it has no rotation and no step that it waits for or that
    stopped it.
    """

    domain: str
    rotation: Rotation | None = None
    step: Wait | Stop | None = None
    done: tuple[str, ...] = ()


def proceed(rotator: Rotator) -> Outcome:
    """Do what is due for a domain.

    Raises:
        MailauthError: something that was asked did not answer, or a step failed; running it
            again is safe.
    """
    rotation = read_book(rotator.folder, rotator.domain).open
    if rotation is None:
        return Outcome(rotator.domain)
    with _on_its_way(rotator, rotation) as course:
        return course.run()


def abort(rotator: Rotator) -> Outcome:
    """Turn a domain's rotation back, and do what is due for that.

    Raises:
        RefusedError: none is open, or it cannot be turned back any more.
        MailauthError: as :func:`proceed`.
    """
    rotation = read_book(rotator.folder, rotator.domain).open
    if rotation is None:
        raise RefusedError(
            f"No rotation of {rotator.domain} is open here.", "There is nothing to end."
        )
    with _on_its_way(rotator, rotation) as course:
        return course.back()


@contextmanager
def _on_its_way(rotator: Rotator, rotation: Rotation) -> Iterator[Course]:
    """Carry a rotation on, by the signer that it was begun with; give back what was reserved."""
    if rotation.signer != rotator.signer.name:
        raise RefusedError(
            f"The rotation of {rotation.domain} was begun with {rotation.signer}, not with "
            f"{rotator.signer.name}.",
            "Go on with the same options as it was begun with.",
        )
    try:
        yield Course(rotator, rotation)
    finally:
        rotator.session.backend.release()


@dataclass(slots=True)
class Course:
    """One domain's rotation, on its way.

    Attributes:
        round: what the name servers said, since the last step.
        users: who else signs with the key that is to go, as asked since the last step.
        jumped: how far this machine's clock was found to have been set, in seconds.
    """

    rotator: Rotator
    rotation: Rotation
    done: list[str] = field(default_factory=list)
    round: Round | None = None
    users: Users | None = None
    jumped: float | None = None

    @property
    def session(self) -> Session:
        """The run that it is part of."""
        return self.rotator.session

    def run(self) -> Outcome:
        """Do what is due."""
        self._keep(self._seen(self.session.clock.time()))
        for _ in range(MOST_STEPS):
            zone, facts = self._facts_in_time()
            step = decide.due(self.rotation, facts, self.rotator.waits)
            match step:
                case Wait() | Stop():
                    return Outcome(self.rotation.domain, self.rotation, step, tuple(self.done))
                case Act.ASK_SERVERS:
                    self._ask_servers()
                case Act.ASK_USERS:
                    self._ask_users()
                case Act.RETIRE:
                    self._retire(zone, facts)
                    return Outcome(self.rotation.domain, done=tuple(self.done))
                case _:
                    self._take(step, zone, facts)
                    self.round = self.users = None
        raise MailauthError(
            f"The rotation of {self.rotation.domain} goes round in circles; something undoes "
            "what it does.",
            "Look for another program that changes this zone or the signer.",
        )

    def back(self) -> Outcome:
        """Turn back, and do what is due for that.

        Raises:
            RefusedError: that is not possible any more.
        """
        self._keep(self._seen(self.session.clock.time()))
        facts = self._facts()[1]
        turned = decide.abort(self.rotation, facts)
        if turned is Act.ASK_SERVERS:
            self._ask_servers()
            facts = self._facts()[1]
            turned = decide.abort(self.rotation, facts)
        if facts.clocks is not None and not isinstance(turned, Stop):
            turned = facts.clocks
        if isinstance(turned, Stop):
            raise RefusedError(f"{self.rotation.domain}: {turned.reason}", turned.advice)
        if turned is None:
            return self._abandoned(facts)
        if isinstance(turned, Act):
            raise AssertionError("asked twice for the same")
        self._keep(turned)
        return self.run()

    def _abandoned(self, facts: Facts) -> Outcome:
        left = " and ".join(sorted(self.rotation.hostnames()))
        self._close()
        other = "signs with a key that is neither of this rotation's"
        self._say(
            f"{self.rotation.signer} {other if facts.current else 'shows no whole key'}, so the "
            f"rotation is forgotten. {left} stay as they are, and so do the keys set aside."
        )
        return Outcome(self.rotation.domain, done=tuple(self.done))

    def _facts_in_time(self) -> tuple[Zone, Facts]:
        """The facts, anew if the zone took so long that what the signer said before it is old."""
        for _ in range(MOST_LOOKS - 1):
            zone, facts = self._facts()
            if is_fresh(zone):
                return zone, facts
        return self._facts()

    def _facts(self) -> tuple[Zone, Facts]:
        """What signer and zone say; both are asked anew before every step, the zone last.

        Room for its write is made before all, so that no wait for the budget comes in between.
        """
        domain = self.rotation.domain
        self.session.backend.reserve()
        current, prepared, parked = self._at_the_signer()
        zone = self.session.backend.zone(self.rotation.zone)
        now = self.session.clock.time()
        self.rotation = rotation = self._seen(now)
        held = [key.selector for key in (current, prepared, parked) if key]
        ahead = {**self.session.backend.ahead, **self.rotator.signer.ahead}
        known = {*read_book(self.rotator.folder, domain).used, rotation.old.selector, *held}
        facts = Facts(
            now if self.round is None else max(now, self.round.time),
            at_old=records_at(zone, rotation.hostname_of(rotation.old)),
            at_new=records_at(zone, rotation.hostname_of(rotation.new)),
            pointing=aliases_of(zone, rotation.name_of(rotation.leaving)),
            strangers=strangers(zone, domain, known),
            current=current,
            prepared=prepared,
            parked=parked,
            round=self.round,
            users=self.users,
            clocks=decide.doubt(now, self.jumped, ahead),
        )
        return zone, facts

    def _at_the_signer(self) -> tuple[SignerKey | None, SignerKey | None, SignerKey | None]:
        """The key that signs, the one made for later, and the one set aside."""
        signer, rotation = self.rotator.signer, self.rotation
        current, prepared = signer.current(rotation.domain), signer.prepared(rotation.domain)
        discarded = prepared is None and rotation.phase is Phase.RETIRING
        if discarded and current is not None and current.key == rotation.new.key:
            # A bare key tells no selector, and what told it may have been removed already by a run
            # that was killed before it could close the book.
            current = replace(current, selector=rotation.new.selector)
        return current, prepared, signer.parked(rotation.domain)

    def _seen(self, now: float) -> Rotation:
        """The rotation, seen now; how far the clock was set meanwhile is noted."""
        up = self.session.clock.uptime()
        jumped = jump(self.rotation.clock, self.rotation.up, now, up)
        if jumped is not None and abs(jumped) > abs(self.jumped or 0.0):
            self.jumped = jumped
        return self.rotation.at(now, up)

    def _ask_users(self) -> None:
        key, domain = self.rotation.leaving.key, self.rotation.domain
        self.users = Users() if key is None else self.rotator.signer.others(domain, key)

    def _ask_servers(self) -> None:
        rotation = self.rotation
        names = [rotation.name_of(rotation.old), rotation.name_of(rotation.new)]
        heard = look(self.session, rotation.zone, names)
        if rotation.new.record:
            seen = self._seen(heard.time)
            watch = seen.watch.after(heard, names[1], rotation.new.record, self.rotator.waits)
            self._keep(replace(seen, watch=watch))
        self.round = heard

    def _take(self, step: Step, zone: Zone, facts: Facts) -> None:
        match step:
            case Act.MAKE:
                self._make(facts)
            case Act.PUBLISH:
                self._publish(zone, facts)
            case Act.SWITCH:
                self._switch(facts)
            case Act.SWITCHED:
                self._switched()
            case Forward(reason):
                self._say(f"It cannot go back ({reason}), so it goes forward again.")
                self._keep(replace(self.rotation, aborted=False, phase=Phase.SWITCHING))
            case _:
                raise AssertionError(f"{step} is not to be taken")

    def _make(self, facts: Facts) -> None:
        rotation = self.rotation
        book = read_book(self.rotator.folder, rotation.domain)
        check_that_no_key_waits(rotation.signer, book, facts.prepared)
        with uninterrupted(f"the new key of {rotation.domain} at {rotation.signer}"):
            key = self.rotator.signer.prepare(rotation.domain, rotation.new.selector)
        new = Side(key.selector, key.record)
        problem = dkim.size_problem(key.key)
        if key.selector != rotation.new.selector or new.key != key.key:
            problem = f"it is another one than asked for (selector {key.selector})."
        if key.key == rotation.old.key:
            problem = "it is the key that signs already."
        if problem is not None:
            raise RefusedError(
                f"The key that {rotation.signer} made for {rotation.domain} is of no use: "
                f"{problem}",
                decide.ABORT,
            )
        self._keep(replace(rotation, new=new, phase=Phase.PUBLISHING))
        self._say(f"{rotation.signer} has made a key: {key.key.label}, {key.key.fingerprint}.")

    def _publish(self, zone: Zone, facts: Facts) -> None:
        rotation = self.rotation
        ttl = self.rotator.wish.policy.ttl
        change_set = creation(self.session.backend, zone, rotation, ttl)
        if self._write(zone, change_set, facts):
            self._say(f"{rotation.name_of(rotation.new)} is created.")
        if rotation.phase is Phase.PUBLISHING:
            rotation = rotation.begun(Phase.WAITING)
        # Whatever servers said before, they said of another record.
        self._keep(replace(rotation, watch=Watch()))

    def _write(self, zone: Zone, change_set: ChangeSet, facts: Facts) -> bool:
        session, allow = self.session, self.rotator.wish.allow
        return write(session, zone, change_set, facts.signing, allow)

    def _switch(self, facts: Facts) -> None:
        """Give the signer the other key, unless it holds others than when that was decided."""
        self._keep(self.rotation.begun(Phase.SWITCHING))
        rotation, signer = self.rotation, self.rotator.signer
        domain = rotation.domain
        if self._at_the_signer() != (facts.current, facts.prepared, facts.parked):
            return
        with uninterrupted(f"the switch of {domain} at {rotation.signer}"):
            signs = signer.switch_back(domain) if rotation.aborted else signer.switch(domain)
        if not rotation.staying.is_key(signs):
            raise UnverifiedError(
                f"{rotation.signer} was to sign for {domain} with {rotation.staying.selector}, and "
                f"signs with {signs.selector} ({signs.key.fingerprint}).",
                "Run rotate --continue; it looks again before it does anything.",
            )
        self._switched()

    def _switched(self) -> None:
        now = self.session.clock.time()
        rotation = self._seen(now).switched(now)
        book = read_book(self.rotator.folder, rotation.domain)
        key = rotation.staying.key
        seen = book if key is None else book.seeing(key, now)
        write_book(self.rotator.folder, replace(seen, open=rotation))
        self.rotation = rotation
        self._say(f"{rotation.signer} signs with {rotation.staying.selector}.")

    def _retire(self, zone: Zone, facts: Facts) -> None:
        self._keep(self.rotation.begun(Phase.RETIRING))
        rotation = self.rotation
        change_set = removal(self.session.backend, zone, rotation)
        name = rotation.name_of(rotation.leaving)
        if self._write(zone, change_set, facts):
            self._say(f"{name} is {'revoked' if rotation.revoke else 'removed'}.")
            self._check_that_it_went_in_time()
        else:
            self._say(f"{name} does not hold the key any more, so it is left alone.")
        ours = self._is_all_ours(facts)
        if ours:
            self.rotator.signer.discard(rotation.domain)
        else:
            self._say(
                f"{rotation.signer} holds keys set aside that are not of this rotation; they stay."
            )
        self._close(keep_key=not ours)
        self._say(f"The rotation is {'taken back' if rotation.aborted else 'done'}.")

    def _check_that_it_went_in_time(self) -> None:
        """Raise if the key came to sign again between the last look and the write.

        That gap stays open, because no signer can be held still. What was set aside is kept, and
        the book is closed, so that ``apply`` may publish the key again.
        """
        rotation = self.rotation
        signs = self.rotator.signer.current(rotation.domain)
        if signs is None or signs.key != rotation.leaving.key:
            return
        self._close(keep_key=True)
        raise UnverifiedError(
            f"{rotation.name_of(rotation.leaving)} was removed, and at that very moment somebody "
            f"changed the signer: {rotation.signer} signs with that key again.",
            f"Publish it again at once: netcup-mailauth apply {rotation.domain}",
        )

    def _is_all_ours(self, facts: Facts) -> bool:
        """Whether what the signer holds ready and aside is of this rotation alone."""
        old, new = self.rotation.old, self.rotation.new
        ready, aside = facts.prepared, facts.parked
        # A crash may have come before the book knew more of the new key than its selector.
        made = new.is_key(ready) if new.record or ready is None else ready.selector == new.selector
        return (ready is None or made) and (aside is None or old.is_key(aside))

    def _close(self, *, keep_key: bool = False) -> None:
        domain = self.rotation.domain
        if not keep_key:
            with suppress(FileNotFoundError):
                key_file(self.rotator.folder, domain).path.unlink()
        write_book(self.rotator.folder, read_book(self.rotator.folder, domain).closed())

    def _keep(self, rotation: Rotation) -> None:
        """Have the rotation on the disk, if there is anything new about it."""
        if rotation != self.rotation:
            book = read_book(self.rotator.folder, rotation.domain)
            write_book(self.rotator.folder, replace(book, open=rotation))
        self.rotation = rotation

    def _say(self, sentence: str) -> None:
        self.done.append(sentence)
        self.session.reporter.step(f"{self.rotation.domain}: {sentence}")

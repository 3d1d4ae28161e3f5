"""How far one rotation comes in one go: facts are gathered, steps are taken, until none is due.

Each step is named in the book before it is taken; each DNS write goes through the journal, the
precondition and the guard. Whatever takes its time (all name servers, all domains of the signer)
is asked first; then signer and zone are, anew, the zone last, and only by them a step is taken.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from netcup_mailauth import dkim
from netcup_mailauth.actions import keywriting
from netcup_mailauth.actions.keysinzone import aliases_of, records_at, strangers
from netcup_mailauth.actions.rotationdraft import check_that_no_key_waits
from netcup_mailauth.actions.signals import uninterrupted
from netcup_mailauth.errors import MailauthError, RefusedError, UnverifiedError
from netcup_mailauth.netcup.api import is_fresh
from netcup_mailauth.rotation import clocks, decisions, steps
from netcup_mailauth.rotation.signer import Users
from netcup_mailauth.rotation.state import Phase, Side
from netcup_mailauth.rotation.steps import Ask, Facts, Source, Stop, Wait
from netcup_mailauth.rotation.watch import Watch

if TYPE_CHECKING:
    from netcup_mailauth.actions.rotator import Rotator
    from netcup_mailauth.records import Zone
    from netcup_mailauth.rotation.signer import SignerKey
    from netcup_mailauth.rotation.state import Rotation
    from netcup_mailauth.rotation.steps import Step
    from netcup_mailauth.rotation.watch import Round

MOST_STEPS = 20
"""Steps in one go; a rotation that needs more than its dozen goes round in circles."""

MOST_LOOKS = 3
"""How often signer and zone are asked while the zone's answer is slow; some always are."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far one domain's rotation came.

    Attributes:
        domain: the mail domain.
        rotation: where it stands; ``None`` once it is done, or if there is none.
        step: what it waits for, or what stopped it; ``None`` once it is done.
        done: what was done, a sentence each.
    """

    domain: str
    rotation: Rotation | None = None
    step: Wait | Stop | None = None
    done: tuple[str, ...] = ()


@dataclass(slots=True)
class Course:
    """One domain's rotation, on its way.

    Attributes:
        rotator: what it works with.
        rotation: where it stands.
        done: what was done, a sentence each.
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

    def run(self) -> Outcome:
        """Do what is due.

        Raises:
            MailauthError: somebody did not answer, or a step failed.
        """
        self._keep(self._seen(self.rotator.clock()))
        for _ in range(MOST_STEPS):
            zone, facts = self._facts_in_time()
            step = decisions.due(self.rotation, facts, self.rotator.waits)
            match step:
                case Wait() | Stop():
                    return Outcome(self.rotation.domain, self.rotation, step, tuple(self.done))
                case Ask():
                    self._ask(step)
                case steps.Retire():
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
            MailauthError: as :meth:`run`.
        """
        self._keep(self._seen(self.rotator.clock()))
        facts = self._facts()[1]
        turned = decisions.abort(self.rotation, facts)
        if isinstance(turned, Ask):
            self._ask(turned)
            facts = self._facts()[1]
            turned = decisions.abort(self.rotation, facts)
        if facts.clocks is not None and not isinstance(turned, Stop):
            turned = facts.clocks
        if isinstance(turned, Stop):
            raise RefusedError(f"{self.rotation.domain}: {turned.reason}", turned.advice)
        if turned is None:
            return self._abandoned(facts)
        if isinstance(turned, Ask):
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
        self.rotator.backend.reserve()
        current, prepared, parked = self._at_the_signer()
        zone = self.rotator.backend.zone(self.rotation.zone)
        now = self.rotator.clock()
        self.rotation = rotation = self._seen(now)
        held = [key.selector for key in (current, prepared, parked) if key]
        known = {*self.rotator.books.read(domain).used, rotation.old.selector, *held}
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
            clocks=clocks.doubt(now, self.jumped, self.rotator.ahead()),
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
        up = self.rotator.uptime()
        jumped = clocks.jump(self.rotation.clock, self.rotation.up, now, up)
        if jumped is not None and abs(jumped) > abs(self.jumped or 0.0):
            self.jumped = jumped
        return self.rotation.at(now, up)

    def _ask(self, ask: Ask) -> None:
        rotation = self.rotation
        if ask.whom is Source.USERS:
            key = rotation.leaving.key
            signer = self.rotator.signer
            self.users = Users() if key is None else signer.others(rotation.domain, key)
            return
        names = [rotation.name_of(rotation.old), rotation.name_of(rotation.new)]
        heard = self.rotator.look(self.rotator.servers_of(rotation.zone), rotation.zone, names)
        if rotation.new.record:
            seen = self._seen(heard.time)
            watch = seen.watch.after(heard, names[1], rotation.new.record, self.rotator.waits)
            self._keep(replace(seen, watch=watch))
        self.round = heard

    def _take(self, step: Step, zone: Zone, facts: Facts) -> None:
        match step:
            case steps.Make():
                self._make(facts)
            case steps.Publish():
                self._publish(zone, facts)
            case steps.Switch():
                self._switch(facts)
            case steps.Switched():
                self._switched()
            case steps.Forward(reason):
                self._say(f"It cannot go back ({reason}), so it goes forward again.")
                self._keep(replace(self.rotation, aborted=False, phase=Phase.SWITCHING))
            case _:
                raise AssertionError(f"{step} is not to be taken")

    def _make(self, facts: Facts) -> None:
        rotation = self.rotation
        book = self.rotator.books.read(rotation.domain)
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
                decisions.ABORT,
            )
        self._keep(replace(rotation, new=new, phase=Phase.PUBLISHING))
        self._say(f"{rotation.signer} has made a key: {key.key.label}, {key.key.fingerprint}.")

    def _publish(self, zone: Zone, facts: Facts) -> None:
        rotation = self.rotation
        change_set = keywriting.creation(self.rotator, zone, rotation)
        if keywriting.write(self.rotator, zone, change_set, facts.signing):
            self._say(f"{rotation.name_of(rotation.new)} is created.")
        if rotation.phase is Phase.PUBLISHING:
            rotation = rotation.begun(Phase.WAITING)
        # Whatever servers said before, they said of another record.
        self._keep(replace(rotation, watch=Watch()))

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
        now = self.rotator.clock()
        rotation = self._seen(now).switched(now)
        book = self.rotator.books.read(rotation.domain)
        key = rotation.staying.key
        seen = book if key is None else book.seeing(key, now)
        self.rotator.books.write(replace(seen, open=rotation))
        self.rotation = rotation
        self._say(f"{rotation.signer} signs with {rotation.staying.selector}.")

    def _retire(self, zone: Zone, facts: Facts) -> None:
        self._keep(self.rotation.begun(Phase.RETIRING))
        rotation = self.rotation
        change_set = keywriting.removal(self.rotator.backend, zone, rotation)
        name = rotation.name_of(rotation.leaving)
        if keywriting.write(self.rotator, zone, change_set, facts.signing):
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
                self.rotator.books.key_file(domain).unlink()
        self.rotator.books.write(self.rotator.books.read(domain).closed())

    def _keep(self, rotation: Rotation) -> None:
        """Have the rotation on the disk, if there is anything new about it."""
        if rotation != self.rotation:
            book = self.rotator.books.read(rotation.domain)
            self.rotator.books.write(replace(book, open=rotation))
        self.rotation = rotation

    def _say(self, sentence: str) -> None:
        self.done.append(sentence)
        self.rotator.tell(f"{self.rotation.domain}: {sentence}")

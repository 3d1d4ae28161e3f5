"""Whatever the facts are, no step that is due can hurt mail; and each state has its step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netcup_mailauth.rotation.decide import Act, Facts, Forward, Stop, Wait, abort, due
from netcup_mailauth.rotation.signers import Users
from netcup_mailauth.rotation.state import Phase, Rotation, Round, Said, Side, Waits, Watch
from tests.effort import tries
from tests.story.rotation.houses import held

if TYPE_CHECKING:
    from netcup_mailauth.rotation.signers import SignerKey

NOW = 10_000_000.0
WAITS = Waits(rounds=2, round_seconds=60, grace=1000, retry=300)
OLD, NEW = held(1, "dkim"), held(2, "s2026-11a")
FOREIGN, MISNAMED = held(3, "mine"), held(2, "dkim")
OLD_NAME, NEW_NAME = "dkim._domainkey.example.com", "s2026-11a._domainkey.example.com"
NEGATIVE_TTL = 600
READY = Watch({"a": NOW - 700, "b": NOW - 601}, (NOW - 120, NOW - 60), NEGATIVE_TTL)

ROTATION = Rotation(
    "example.com",
    "example.com",
    "mailcow at mail.example.com",
    Side("dkim", OLD.record),
    Side("s2026-11a", NEW.record),
    started=NOW - 5000,
    clock=NOW,
    grace=1000,
)


def said(old: tuple[str, ...] = (OLD.record,), new: tuple[str, ...] = (NEW.record,)) -> Said:
    return Said({OLD_NAME: old, NEW_NAME: new}, NEGATIVE_TTL)


EVERYWHERE = Round(NOW, {"a": said(), "b": said()})
SOUND = Facts(
    NOW, (OLD.record,), (NEW.record,), current=OLD, prepared=NEW, round=EVERYWHERE, users=Users()
)

holdings = st.sampled_from((None, OLD, NEW, FOREIGN, MISNAMED))
texts = st.sampled_from(
    (
        (),
        (OLD.record,),
        (NEW.record,),
        (NEW.record, NEW.record),
        (OLD.record, "a note"),
        ("CNAME key.example.org",),
        ("v=DKIM1;p=",),
    )
)
sayings = st.one_of(
    st.just(Said()),
    st.just(Said({OLD_NAME: (OLD.record,), NEW_NAME: (NEW.record,)}, None)),
    st.builds(said, texts, texts),
)
rounds = st.one_of(
    st.none(),
    st.just(EVERYWHERE),
    st.builds(Round, st.just(NOW), st.dictionaries(st.sampled_from("ab"), sayings)),
)
moments = st.sampled_from((NOW - 2000, NOW - 1000, NOW - 601, NOW - 599, NOW - 60, NOW))
watches = st.one_of(
    st.just(READY),
    st.builds(
        Watch,
        st.dictionaries(st.sampled_from("ab"), moments, min_size=1),
        st.lists(moments, max_size=3).map(lambda m: tuple(sorted(m))),
        st.sampled_from((0, NEGATIVE_TTL)),
    ),
)
states = st.builds(
    lambda phase, aborted, since, watch, made: replace(
        ROTATION,
        phase=phase,
        aborted=aborted,
        since=since,
        watch=watch,
        new=Side("s2026-11a", NEW.record if made or phase is not Phase.MAKING else ""),
    ),
    st.sampled_from(list(Phase)),
    st.booleans(),
    st.one_of(st.none(), moments),
    watches,
    st.booleans(),
)
BASES = (
    SOUND,
    replace(SOUND, current=NEW, parked=OLD),
    replace(SOUND, current=NEW, at_old=()),
    Facts(NOW),
)
# From facts that lead somewhere, some turned into others: all at random would mostly lead nowhere.
everything = st.builds(
    lambda base, changes: replace(base, **changes),
    st.sampled_from(BASES),
    st.fixed_dictionaries(
        {},
        optional={
            "at_old": texts,
            "at_new": texts,
            "pointing": st.sampled_from(((), ("x._domainkey",))),
            "strangers": st.sampled_from(((), ("s2026-10b._domainkey.example.com",))),
            "current": holdings,
            "prepared": holdings,
            "parked": holdings,
            "round": rounds,
            "users": st.sampled_from((None, Users(), Users(("alias.example",)), Users(unsure="?"))),
        },
    ),
)


def is_everywhere(asked: Round | None, name: str, record: str) -> bool:
    """Said once more, in other words than the program's."""
    return (
        asked is not None
        and bool(asked.said)
        and all(
            words.texts.get(name) == (record,) and words.negative_ttl is not None
            for words in asked.said.values()
        )
    )


@settings(max_examples=tries(600))
@given(states, everything)
def test_no_step_can_hurt_mail_whatever_the_facts_are(rotation: Rotation, facts: Facts) -> None:
    step = due(rotation, facts, WAITS)
    match step:
        case Act.SWITCH if rotation.staying.is_key(facts.current):
            # It shows already, and is made whole: no other key comes to sign by that.
            assert rotation.phase is Phase.SWITCHING
            assert rotation.staying.is_key(facts.parked if rotation.aborted else facts.prepared)
        case Act.SWITCH if rotation.aborted:
            assert facts.at_old == (OLD.record,)
            assert facts.parked == OLD
            assert is_everywhere(facts.round, OLD_NAME, OLD.record)
        case Act.SWITCH:
            assert facts.at_new == (NEW.record,)
            assert facts.prepared == NEW
            assert facts.strangers == ()
            assert is_everywhere(facts.round, NEW_NAME, NEW.record)
            assert len(rotation.watch.rounds) >= WAITS.rounds
            assert max(rotation.watch.since.values()) + rotation.watch.negative_ttl <= NOW
        case Act.RETIRE:
            leaving = NEW if rotation.aborted else OLD
            # Of a key that was never known no record is removed either.
            unknown = rotation.aborted and not rotation.new.record
            assert unknown or facts.current is None or facts.current.key != leaving.key
            assert facts.users == Users()
            assert facts.pointing == ()
            assert rotation.since is None or rotation.since + rotation.grace <= NOW
            if not rotation.aborted:
                assert facts.current == NEW
                assert facts.at_new == (NEW.record,)
        case Act.PUBLISH:
            assert facts.at_new in ((), (NEW.record,))
            assert not rotation.aborted
        case Act.MAKE:
            assert facts.at_new == ()
            assert facts.current == OLD
        case Act.SWITCHED:
            assert facts.current == (OLD if rotation.aborted else NEW)
        case Act.ASK_SERVERS:
            assert facts.round is None
        case Act.ASK_USERS:
            assert facts.users is None
        case Wait(until):
            assert until is None or until > NOW
        case Stop(reason, advice):
            assert reason
            assert advice
        case Forward():
            assert rotation.aborted


@settings(max_examples=tries(250))
@given(states, everything)
def test_an_abort_never_turns_to_a_key_that_is_not_served(rotation: Rotation, facts: Facts) -> None:
    turned = abort(replace(rotation, aborted=False), facts)
    if isinstance(turned, Rotation):
        assert turned.aborted
        if turned.phase is Phase.SWITCHING:
            assert facts.parked == OLD
            assert facts.at_old == (OLD.record,)
            assert is_everywhere(facts.round, OLD_NAME, OLD.record)
        else:
            unknown = not rotation.new.record
            assert unknown or facts.current is None or facts.current.key != NEW.key
    if turned is None:  # given up: only where nothing of ours signs
        assert facts.current not in (OLD, NEW, None)


def at(phase: Phase, **changes: object) -> Rotation:
    return replace(ROTATION, phase=phase, watch=READY, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rotation", "facts", "step"),
    [
        (at(Phase.MAKING), replace(SOUND, at_new=()), Act.MAKE),
        (at(Phase.PUBLISHING), replace(SOUND, at_new=()), Act.PUBLISH),
        (at(Phase.WAITING), replace(SOUND, round=None), Act.ASK_SERVERS),
        (at(Phase.WAITING), SOUND, Act.SWITCH),
        (at(Phase.SWITCHING), SOUND, Act.SWITCH),
        (at(Phase.SWITCHING), replace(SOUND, current=NEW), Act.SWITCH),
        (at(Phase.SWITCHING), replace(SOUND, current=NEW, prepared=None), Act.SWITCHED),
        # An import that stopped half way left the domain without a key: it is finished.
        (at(Phase.SWITCHING), replace(SOUND, current=None), Act.SWITCH),
        (at(Phase.GRACE, since=NOW - 1000), replace(SOUND, current=NEW), Act.RETIRE),
        (at(Phase.RETIRING, since=NOW - 1000), replace(SOUND, current=NEW), Act.RETIRE),
        # The signer's key is not in DNS: that is mended first of all.
        (at(Phase.GRACE, since=NOW), replace(SOUND, current=NEW, at_new=()), Act.PUBLISH),
        (at(Phase.PUBLISHING), replace(SOUND, current=NEW, at_new=()), Act.PUBLISH),
        (at(Phase.RETIRING, aborted=True), SOUND, Act.RETIRE),
        (at(Phase.SWITCHING, aborted=True), SOUND, Act.SWITCHED),
        (at(Phase.SWITCHING, aborted=True), replace(SOUND, parked=OLD), Act.SWITCH),
        (at(Phase.SWITCHING, aborted=True), replace(SOUND, current=NEW, parked=OLD), Act.SWITCH),
        # A switch that arrived late, after the abort.
        (at(Phase.RETIRING, aborted=True), replace(SOUND, current=NEW, parked=OLD), Act.SWITCH),
    ],
)
def test_each_state_has_its_step(rotation: Rotation, facts: Facts, step: object) -> None:
    assert due(rotation, facts, WAITS) == step


@pytest.mark.parametrize("current", [FOREIGN, MISNAMED, None])
@pytest.mark.parametrize("phase", [Phase.MAKING, Phase.PUBLISHING, Phase.WAITING, Phase.GRACE])
def test_a_signer_that_went_its_own_way_stops_it(phase: Phase, current: SignerKey | None) -> None:
    at_new = () if phase is Phase.MAKING else SOUND.at_new
    facts = replace(SOUND, current=current, at_new=at_new)
    assert isinstance(due(at(phase, since=NOW - 1000), facts, WAITS), Stop)


def test_an_abort_that_cannot_go_on_turns_forward() -> None:
    facts = replace(SOUND, current=NEW, parked=None)
    assert isinstance(due(at(Phase.SWITCHING, aborted=True), facts, WAITS), Forward)


@pytest.mark.parametrize(("lag", "ready"), [(599.0, False), (600.0, True)])
def test_the_last_second_of_the_negative_ttl_counts(lag: float, ready: bool) -> None:
    watch = Watch({"a": NOW - 5000, "b": NOW - lag}, (NOW - 90, NOW - 30), NEGATIVE_TTL)
    step = due(replace(at(Phase.WAITING), watch=watch), SOUND, WAITS)
    assert (step == Act.SWITCH) is ready
    if not ready:
        assert isinstance(step, Wait)
        assert step.until == NOW + 1


def test_a_server_that_lost_the_key_again_holds_the_switch_up_and_is_named() -> None:
    lost = Round(NOW, {"a": said(), "b": said(new=())})
    step = due(at(Phase.WAITING), replace(SOUND, round=lost), WAITS)
    assert isinstance(step, Wait)
    assert step.servers == ("b",)

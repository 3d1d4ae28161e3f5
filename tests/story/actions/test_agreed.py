"""What changes while a question stands: a plan that was agreed to is judged again, then written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.actions import applying, planning
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.plan import Status
from netcup_mailauth.records import Kind
from tests.core.judge.cases import DMARC, dns, key_record, mail_zone
from tests.sessions import Answering
from tests.story.actions.test_planfile import SPF, Unwritten, World, wish, world

if TYPE_CHECKING:
    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.plan import Plan, Result
    from netcup_mailauth.policy import Wish

NEWS = "news.example.org"
WITH_NEWS = SPF.replace("mx", f"mx include:{NEWS}")
STRICTER = DMARC.replace("quarantine", "reject")
KEY, OTHER_KEY = key_record(), key_record(number=2)


@dataclass
class Question:
    """What DNS and this machine's memory say, and a plan that somebody looks at for an hour."""

    here: World = field(default_factory=world)
    names: dict[str, Any] = field(default_factory=dict)
    rotating: frozenset[str] = frozenset()
    wishes: tuple[Wish, ...] = ()

    @property
    def session(self) -> Session:
        state = Unwritten(remembered=self.here.remembered, holds=self.rotating)
        return replace(self.here.session, dns=Answering(answers=dns(self.names)), state=state)

    def about(self, *wishes: Wish) -> Plan:
        self.wishes = wishes
        return planning.plan(self.session, wishes)

    def yes(self, plan: Plan) -> Result:
        return applying.apply(self.session, plan, self.wishes).results[0]


def refused_with(result: Result, *words: str) -> None:
    """Nothing was written, and it was said what moved."""
    assert result.status is Status.STALE
    assert result.failure is not None
    assert result.failure.exit_code is ExitCode.STALE
    assert result.failure.message.startswith("example.com has changed since the plan was made: ")
    for word in words:
        assert word in result.failure.message


PUBLISHED = [{"SPF": "v=spf1 ip4:198.51.100.7 -all"}]
GROWN = [{"SPF": "v=spf1 " + " ".join(f"a:a{n}.example.org" for n in range(11)) + " -all"}]


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (GROWN, "13 DNS look-ups"),
        ([], "leads to nothing that receivers can use"),
        ([{"SPF": "v=spf1 +mx ipp4:192.0.2.1 -all"}], "permerror"),
        (["TIMEOUT"], "DNS gave no answer"),
    ],
    ids=["grew", "went", "broke", "fell silent"],
)
def test_an_include_that_changed_at_its_own_place_stops_the_write(then: Any, words: str) -> None:
    question = Question(names={NEWS: PUBLISHED})
    plan = question.about(wish(spf=WITH_NEWS))
    question.names[NEWS] = then
    refused_with(question.yes(plan), words)
    assert question.here.backend.writes == []


def test_an_include_that_grew_within_what_receivers_look_up_stops_nothing() -> None:
    question = Question(names={NEWS: PUBLISHED})
    plan = question.about(wish(spf=WITH_NEWS))
    question.names[NEWS] = [{"SPF": "v=spf1 ip4:198.51.100.0/24 -all"}]
    assert question.yes(plan).status is Status.APPLIED


def test_a_key_that_mailcow_made_meanwhile_is_told_beside_the_one_of_the_plan() -> None:
    question = Question(world(mail_zone(spf=SPF, dkim=())))
    question.here.keys.record = KEY
    plan = question.about(wish(dkim="dkim"))
    question.here.keys.record = OTHER_KEY
    refused_with(question.yes(plan), "dkim._domainkey", "was planned", "is wanted now")
    assert question.here.backend.writes == []


def test_a_key_that_mailcow_has_no_more_is_not_written() -> None:
    question = Question(world(mail_zone(spf=SPF, dkim=())))
    question.here.keys.record = KEY
    plan = question.about(wish(dkim="dkim"))
    question.here.keys.record = None
    refused_with(question.yes(plan), "dkim._domainkey", "no record is wanted now")


def test_a_rotation_that_was_begun_meanwhile_keeps_its_selectors() -> None:
    question = Question(world(mail_zone(spf=SPF, dkim=OTHER_KEY)))
    question.here.keys.record = KEY
    plan = question.about(wish(dkim="dkim"))
    question.rotating = frozenset({"dkim._domainkey"})
    refused_with(question.yes(plan), "dkim._domainkey")


def test_a_record_that_another_run_wrote_and_somebody_took_away_is_not_made_anew_bare() -> None:
    question = Question(world(mail_zone(spf=SPF, dmarc=())))
    plan = question.about(wish(dmarc={"policy": "none"}))
    question.here.remembered = mail_zone(spf=SPF)
    refused_with(question.yes(plan), "is gone now")


def test_what_was_held_back_when_it_was_asked_stops_nothing_of_the_rest() -> None:
    question = Question(names={NEWS: PUBLISHED})
    plan = question.about(wish(spf=f"v=spf1 mx include:{NEWS} ~all", dmarc=STRICTER))
    assert plan.zones[0].held == {Kind.SPF}
    question.names[NEWS] = GROWN
    result = question.yes(plan)
    assert (result.status, result.exit_code) == (Status.APPLIED, ExitCode.REFUSED)
    assert [change.kind for changes in question.here.backend.writes for change in changes] == [  # type: ignore[attr-defined]
        Kind.DMARC
    ]


@pytest.mark.parametrize(("key", "status"), [(KEY, Status.APPLIED), (OTHER_KEY, Status.STALE)])
def test_what_moved_of_a_kind_that_is_held_back_hides_nothing_of_the_rest(
    key: str, status: Status
) -> None:
    question = Question(world(mail_zone(spf=SPF, dkim=())))
    question.here.keys.record = KEY
    plan = question.about(wish(spf="v=spf1 mx ~all", dkim="dkim"))
    assert plan.zones[0].held == {Kind.SPF}
    question.here.backend.zones["example.com"] = mail_zone(spf=WITH_NEWS, dkim=())
    question.here.keys.record = key
    assert question.yes(plan).status is status


def test_what_would_be_held_back_no_more_is_not_written_unasked() -> None:
    question = Question(names={NEWS: GROWN})
    plan = question.about(wish(spf=WITH_NEWS, dmarc=STRICTER))
    assert plan.zones[0].held == {Kind.SPF}
    question.names[NEWS] = PUBLISHED
    assert question.yes(plan).status is Status.APPLIED
    assert len(question.here.backend.writes[0]) == 1


def test_what_was_accepted_is_accepted_still() -> None:
    question = Question(names={NEWS: GROWN})
    plan = question.about(wish(spf=WITH_NEWS, allow=["spf-too-many-lookups", "spf-void-lookups"]))
    assert question.yes(plan).status is Status.APPLIED


def test_where_nothing_is_to_be_written_nobody_is_asked_again() -> None:
    question = Question()
    question.here.keys.record = KEY
    for nothing_to_write in (wish(spf=SPF, dkim="dkim"), wish(spf="v=spf1 mx ~all")):
        plan = question.about(nothing_to_write)
        before = (question.here.backend.reads, len(question.here.keys.asked))
        question.names = {"example.com": ["TIMEOUT"]}
        assert question.yes(plan).status in (Status.UNCHANGED, Status.REFUSED)
        assert (question.here.backend.reads, len(question.here.keys.asked)) == before


def test_who_answers_at_once_costs_one_more_read_of_the_zone() -> None:
    question = Question()
    plan = question.about(wish(dmarc=STRICTER))
    assert question.yes(plan).status is Status.APPLIED
    assert question.here.backend.reads == 2

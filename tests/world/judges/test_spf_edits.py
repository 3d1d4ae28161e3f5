"""SPF records and what our edits make of them mean to pyspf and Mail::SPF what they mean to us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from netcup_mailauth import spf
from netcup_mailauth.errors import RecordError
from netcup_mailauth.judge import guard
from netcup_mailauth.kinds import of_kind
from netcup_mailauth.records import Kind
from tests.core.judge.carved import ADDRESSES, WORLD, edits, records, unnamed
from tests.core.judge.cases import DMARC, DOMAIN, SERVER, case_of, dns, mail_zone, wants
from tests.effort import tries
from tests.world.judges.ours import HELO

if TYPE_CHECKING:
    from netcup_mailauth.judge.case import Case
    from tests.world.judges.judges import MailSpf, Pyspf
    from tests.world.judges.world import World

SENDER = f"sales@{DOMAIN}"
NEAR_MISSES = (
    " v=spf1 mx -all",
    '"v=spf1 mx -all"',
    "v=spf1, mx, -all",
    "v=spf1; mx; -all",
    "spf1 mx -all",
    "v=spf1\tmx -all",
    "v = SPF1 mx -all",
)
SAMPLED: dict[str, Any] = {
    "derandomize": True,
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}


@st.composite
def cases(draw: st.DrawFn) -> tuple[Case, list[str]]:
    """The case of an edit of one or two records, and who passes after it without being named."""
    live = [draw(records()) for _ in range(draw(st.sampled_from((1, 1, 2))))]
    wish = draw(edits(live))
    try:
        case, decided = case_of(mail_zone(live, DMARC, ()), wants(wish), dns=dns(WORLD))
    except RecordError:
        reject()
    assume(not case.change_set.is_empty)
    return case, list(unnamed(case, [*decided, *guard.judge(case)], wish))


def disagreements(case: Case, judge: Pyspf | MailSpf, world: World) -> list[str]:
    """Where the judge and we differ, before and after, but for those whom one gives up on."""
    found = []
    for record in (*of_kind(case.before, Kind.SPF, "@"), *of_kind(case.after, Kind.SPF, "@")):
        text = record.destination
        with world.published(DOMAIN, [text]):
            for address in ADDRESSES:
                ours = spf.check_host(address, DOMAIN, SENDER, world.lookup, helo=HELO).result
                theirs = judge.check(address, SENDER)
                # Which look-ups count as void is not settled among receivers.
                if theirs != ours and "permerror" not in (theirs, ours):
                    found.append(f"{text}, {address}: {theirs}, not {ours}")
    return found


@pytest.mark.parametrize("judge", ["pyspf", "mail_spf"])
@pytest.mark.parametrize("text", NEAR_MISSES)
def test_a_near_miss_is_no_record_for_anybody_and_one_for_all_after_an_edit(
    text: str, judge: str, world: World, request: pytest.FixtureRequest
) -> None:
    asked: Pyspf | MailSpf = request.getfixturevalue(judge)
    case, _ = case_of(mail_zone(text), wants({"require": ["ip4:192.0.2.1"]}))
    said = []
    for zone in (case.before, case.after):
        with world.published(DOMAIN, [r.destination for r in zone.at("@", "TXT")]):
            said.append([asked.check(ip, SENDER) for ip in (SERVER, "192.0.2.1", "198.51.100.7")])
    assert said == [["none", "none", "none"], ["pass", "pass", "fail"]]


@settings(max_examples=tries(60), **SAMPLED)
@given(drawn=cases())
def test_pyspf_lets_the_same_senders_pass_before_and_after_an_edit(
    drawn: tuple[Case, list[str]], pyspf: Pyspf, world: World
) -> None:
    case, unnamed = drawn
    assert disagreements(case, pyspf, world) == []
    assert unnamed == []


@settings(max_examples=tries(40), **SAMPLED)
@given(drawn=cases())
def test_mail_spf_lets_the_same_senders_pass_before_and_after_an_edit(
    drawn: tuple[Case, list[str]], mail_spf: MailSpf, world: World
) -> None:
    case, unnamed = drawn
    differ = disagreements(case, mail_spf, world)
    # It takes an IPv4 client for a mapped one of IPv6: a listed disagreement.
    assert [each for each in differ if "ip6:::/0" not in each] == []
    assert unnamed == []

"""A zone's own servers answer for its names: one is asked, and a dead one costs its time once."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.dnsio.servers import ZoneServers, survey, surveyed_further
from netcup_mailauth.lookup import Answer, Query, Server, ServerAnswer, ServerStatus, Status, Survey
from tests.edges.dnsio.nameserver import (
    all_at_once,
    answer,
    delayed,
    drop,
    nxdomain,
    rcode,
    serving,
)
from tests.edges.dnsio.nameserver import without_authority as not_own

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.edges.dnsio.nameserver import NameServer

TXT = Query("example.com", "TXT")
GOOD = {("example.com", "TXT"): answer('example.com. 60 IN TXT "v=spf1 -all"')}
SPF = Answer(Status.OK, ("v=spf1 -all",))


class Outside:
    """A resolver that knows a few names, and what it was asked."""

    def __init__(self, known: Mapping[str, str] = {}) -> None:
        self.known = known
        self.asked: list[Query] = []

    def __call__(self, queries: Sequence[Query]) -> list[Answer]:
        self.asked += queries
        return [
            Answer(Status.OK, (self.known[q.name],))
            if q.name in self.known
            else Answer(Status.NXDOMAIN)
            for q in queries
        ]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as running:
        yield running


def start(stack: ExitStack, script: Mapping[Any, Any]) -> tuple[NameServer, Server]:
    running = stack.enter_context(serving(script))
    return running, Server("ns", "127.0.0.1", running.port)


def test_only_one_server_is_asked_while_it_answers(stack: ExitStack) -> None:
    (first, one), (second, two) = start(stack, GOOD), start(stack, GOOD)
    lookup = ZoneServers("example.com", [one, two], Outside())
    assert lookup([TXT, TXT]) == [SPF, SPF]
    assert lookup([TXT]) == [SPF]
    assert len(first.asked) == 1
    assert second.asked == []


def test_the_next_server_is_asked_only_for_what_the_first_did_not_answer(stack: ExitStack) -> None:
    other = Query("a.example.com", "A")
    script = {**GOOD, ("a.example.com", "A"): rcode("SERVFAIL")}
    better = {("a.example.com", "A"): answer("a.example.com. 60 IN A 192.0.2.1")}
    (_, one), (second, two) = start(stack, script), start(stack, better)
    lookup = ZoneServers("example.com", [one, two], Outside())
    assert lookup([TXT, other]) == [SPF, Answer(Status.OK, ("192.0.2.1",))]
    assert second.asked == [("a.example.com", "A", "udp")]


def test_where_no_server_answers_it_says_so_and_does_not_ask_again(stack: ExitStack) -> None:
    (first, one), (second, two) = (
        start(stack, script) for script in ({TXTKEY: rcode("SERVFAIL")}, {TXTKEY: drop})
    )
    lookup = ZoneServers("example.com", [one, two], Outside())
    # That a server spoke says more than that the other was silent.
    assert lookup([TXT]) == [Answer(Status.SERVFAIL)]
    asked = len(first.asked), len(second.asked)
    assert lookup([TXT]) == [Answer(Status.SERVFAIL)]
    assert (len(first.asked), len(second.asked)) == asked
    assert len(first.asked) == 1


TXTKEY = ("example.com", "TXT")


def test_without_servers_it_is_as_if_they_were_silent() -> None:
    assert ZoneServers("example.com", [], Outside())([TXT]) == [Answer(Status.TIMEOUT)]


def test_names_outside_the_zone_go_to_the_resolver_in_one_batch(stack: ExitStack) -> None:
    _, one = start(stack, GOOD)
    outside = Outside({"example.net": "x"})
    queries = [Query("example.net", "TXT"), TXT, Query("notexample.com", "TXT")]
    found = ZoneServers("example.com", [one], outside)(queries)
    assert found == [Answer(Status.OK, ("x",)), SPF, Answer(Status.NXDOMAIN)]
    assert [query.name for query in outside.asked] == ["example.net", "notexample.com"]


def test_aliases_are_followed_inside_and_out_and_a_loop_ends(stack: ExitStack) -> None:
    script = {
        ("a.example.com", "TXT"): answer("a.example.com. 60 IN CNAME b.example.com."),
        ("b.example.com", "TXT"): answer("b.example.com. 60 IN CNAME c.example.net."),
        ("x.example.com", "TXT"): answer("x.example.com. 60 IN CNAME y.example.com."),
        ("y.example.com", "TXT"): answer("y.example.com. 60 IN CNAME x.example.com."),
    }
    _, one = start(stack, script)
    lookup = ZoneServers("example.com", [one], Outside({"c.example.net": "key"}))
    assert lookup([Query("a.example.com", "TXT"), Query("x.example.com", "TXT")]) == [
        Answer(Status.OK, ("key",)),
        Answer(Status.SERVFAIL),
    ]


def test_a_name_in_a_zone_of_its_own_is_the_resolvers(stack: ExitStack) -> None:
    below = Query("mail.sub.example.com", "A")
    running, one = start(stack, {("mail.sub.example.com", "A"): not_own()})
    outside = Outside({"mail.sub.example.com": "192.0.2.7"})
    assert ZoneServers("example.com", [one], outside)([below]) == [
        Answer(Status.OK, ("192.0.2.7",))
    ]
    assert len(running.asked) == 1


def test_the_apex_that_a_server_refuses_is_not_asked_of_a_cache(stack: ExitStack) -> None:
    _, one = start(stack, {TXTKEY: rcode("REFUSED")})
    outside = Outside({"example.com": "stale"})
    assert ZoneServers("example.com", [one], outside)([TXT]) == [Answer(Status.SERVFAIL)]
    assert outside.asked == []


def test_what_is_known_is_not_asked(stack: ExitStack) -> None:
    running, one = start(stack, GOOD)
    known = {TXT: ServerAnswer(ServerStatus.EMPTY)}
    lookup = ZoneServers("example.com", [one], Outside(), known)
    assert lookup([TXT]) == [Answer(Status.EMPTY)]
    assert running.asked == []


def test_a_survey_asks_all_at_once_and_puts_the_quickest_first(stack: ExitStack) -> None:
    queries = [TXT, Query("a.example.com", "A"), TXT]
    slow = {key: delayed(0.6, reply) for key, reply in {**GOOD, A: nxdomain()}.items()}
    (_, dead), (_, late), (_, quick) = (
        start(stack, script)
        for script in all_at_once({TXTKEY: drop, A: drop}, slow, {**GOOD, A: nxdomain()})
    )
    found = survey([dead, late, quick, quick], queries, timeout=1.5)
    assert found.order == (quick, late)
    assert found.queries == (TXT, Query("a.example.com", "A"))
    assert [a.status for a in found.of(TXT).values()] == ["no answer", "ok", "ok"]


def test_a_survey_goes_on_without_the_dead_and_asks_nothing_twice(stack: ExitStack) -> None:
    second = Query("a.example.com", "A")
    (of_dead, dead), (of_quick, quick) = (
        start(stack, s) for s in ({TXTKEY: drop, A: drop}, {**GOOD, A: nxdomain()})
    )
    first = survey([dead, quick], [TXT], timeout=1.0)
    before = len(of_dead.asked)
    found = surveyed_further(first, [TXT, second, second])
    assert found.queries == (TXT, second)
    assert [a.status for a in found.of(second).values()] == ["no answer", "nxdomain"]
    assert found.of(TXT) == first.of(TXT)
    assert (len(of_dead.asked), len(of_quick.asked)) == (before, 2)
    assert surveyed_further(first, [TXT]) is first


A = ("a.example.com", "A")


def test_the_best_answer_is_the_usable_one_of_the_quickest_server() -> None:
    one, two, three = (Server(n, f"192.0.2.{n}") for n in "123")
    other = Query("a.example.com", "A")
    bad = ServerAnswer(ServerStatus.SERVFAIL)
    first, second = (ServerAnswer(ServerStatus.OK, (text,)) for text in ("first", "second"))
    answers = {one: (bad, second), two: (first, first), three: (bad, bad)}
    found = Survey((TXT, other), answers, (one, two)).best()
    assert found == {TXT: first, other: second}
    assert Survey((TXT, other), answers, ()).best() == {}

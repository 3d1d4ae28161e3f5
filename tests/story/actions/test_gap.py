"""Between the read of a zone and the write to it no more than 2 s pass, whatever is slow.

What a rival writes before that is planned anew, or makes the plan stale; it is never overwritten.
Time is a clock of the tests: whatever is slow sets it forward, and the rival writes meanwhile.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest
from urllib3.connection import HTTPConnection

from netcup_mailauth import clock as boot
from netcup_mailauth.actions import applying, planning
from netcup_mailauth.actions.session import Session
from netcup_mailauth.keys.sources import Sources
from netcup_mailauth.lookup import silent
from netcup_mailauth.netcup.api import FRESH, Budget
from netcup_mailauth.netcup.http import HttpClient
from netcup_mailauth.plan import Status
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy, Wish
from tests.apis import CCP, Api, each_api
from tests.sessions import Answering, Kept, hurried
from tests.story.faults.test_matrix import DKIM, DMARC, managed
from tests.worlds import requests_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.lookup import Answer, Query
    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.netcup.http import Reply
    from netcup_mailauth.plan import ChangeSet, RunResult
    from netcup_mailauth.sandbox import Sandbox

api = each_api

POLICY = DomainPolicy(
    spf=SpfPolicy(require=["ip4:192.0.2.25"]),
    dkim=DkimPolicy(source=f"record:{DKIM}"),
    dmarc=DmarcPolicy(record=DMARC),
    server=["203.0.113.25"],
    allow=["spf-not-checked", "zone-has-draft"],
)
RIVALS = "ip4:198.51.100.99"


@dataclass
class World:
    """Time, and what happens in it.

    Attributes:
        now: seconds.
        read_at: when each zone was last read, by its name.
        gaps: the time from the read of a zone to the write to it, for each write that was sent.
    """

    sandbox: Sandbox
    now: float = 1000.0
    read_at: dict[str, float] = field(default_factory=dict)
    gaps: list[float] = field(default_factory=list)
    wrote: list[str] = field(default_factory=list)

    def pass_time(self, seconds: float) -> None:
        """Something is slow."""
        self.now += seconds

    def rival_writes(self, domain: str) -> None:
        """Another program adds a sender to the SPF record, whichever it is; once."""
        if domain in self.wrote:
            return
        self.wrote.append(domain)
        rows = [
            {**row, "destination": str(row["destination"]).replace("v=spf1", f"v=spf1 {RIVALS}")}
            for row in self.sandbox.zone(domain)
        ]
        self.sandbox.set_zone(domain, rows)

    def note(self, url: str, body: object) -> None:
        """A call is about to be sent."""
        match body:
            case {"action": "infoDnsRecords", "param": {"domainname": zone}}:
                self.read_at[zone] = self.now
            case {"action": "updateDnsRecords", "param": {"domainname": zone}}:
                self.gaps.append(self.now - self.read_at[zone])
            case {"autoCommit": True}:
                self.gaps.append(self.now - self.read_at[""])
            case None if "/dns/revision?" in url:
                self.read_at[""] = self.now


@pytest.fixture
def world(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with api.netcup(["a.de", "b.de"], rate=None) as sandbox:
        one = World(sandbox)
        monkeypatch.setattr(boot, "now", lambda: one.now)
        request = HttpClient._request

        def noted(self: HttpClient, method: str, url: str, data: bytes | None, *by: Any) -> Reply:
            one.note(url, json.loads(data) if data else None)
            return request(self, method, url, data, *by)

        monkeypatch.setattr(HttpClient, "_request", noted)
        yield one


@dataclass(frozen=True)
class SlowKeys(Sources):
    """A mailcow that takes its time."""

    slow: Any = None

    def key(self, source: str, domain: str) -> Any:
        self.slow(domain)
        return super().key(source, domain)


class Journalled(Kept):
    """A state whose journal is made when it is needed."""

    def __init__(self, journal: Any) -> None:
        super().__init__()
        self._make = journal

    def journal_of(self, place: Any, _undoes: Any) -> Any:
        return self._make(place)


def apply(
    backend: Backend,
    domains: Sequence[str] = ("a.de",),
    *,
    keys: Any = None,
    dns: Any = None,
    jobs: int = 1,
    journal: Any = None,
) -> RunResult:
    session = hurried(
        backend,
        keys=keys or Sources(),
        dns=Answering(answers=dns or silent),
        state=None if journal is None else Journalled(journal),
        jobs=jobs,
    )
    return applying.apply_unasked(session, [Wish(domain, POLICY) for domain in domains])


def both_are_in_it(world: World, domain: str = "a.de") -> bool:
    (spf,) = managed(world.sandbox, domain)["@"]
    return RIVALS in spf and "ip4:192.0.2.25" in spf


def test_a_slow_mailcow_is_asked_before_the_zone(api: Api, world: World) -> None:
    def slow(domain: str) -> None:
        world.pass_time(12)
        world.rival_writes(domain)

    with api.backend(world.sandbox) as backend:
        run = apply(backend, keys=SlowKeys(slow=slow))
    assert [r.status for r in run.results] == [Status.APPLIED]
    assert both_are_in_it(world)
    assert world.gaps == [0.0]


def test_dns_that_is_silent_has_the_zone_read_again(api: Api, world: World) -> None:
    def slow(queries: Sequence[Query]) -> list[Answer]:
        if not world.wrote:
            world.pass_time(4)
            world.rival_writes("a.de")
        return list(silent(queries))

    with api.backend(world.sandbox) as backend:
        run = apply(backend, dns=slow)
    assert [r.status for r in run.results] == [Status.APPLIED]
    assert both_are_in_it(world)
    assert max(world.gaps) <= FRESH


def test_dns_that_is_silent_each_time_ends_all_the_same(api: Api, world: World) -> None:
    def slow(queries: Sequence[Query]) -> list[Answer]:
        world.pass_time(4)
        return list(silent(queries))

    with api.backend(world.sandbox) as backend:
        run = apply(backend, dns=slow)
    assert [r.status for r in run.results] == [Status.APPLIED]
    assert max(world.gaps) <= FRESH


def budgeted(api: Api, world: World, calls: int) -> Backend:
    """The back end with a budget of so many calls a minute; waiting sets the clock forward."""

    def sleep(seconds: float) -> None:
        world.pass_time(seconds)
        if not world.gaps:
            world.rival_writes("a.de")

    backend = api.backend(world.sandbox)
    cast("Any", backend)._budget = Budget(calls, clock=lambda: world.now, sleep=sleep)
    return backend


@pytest.mark.parametrize("calls", [1, 2, 3, 4, 5, 6, 7])
def test_the_budget_is_waited_for_before_the_zone_is_read(
    api: Api, world: World, calls: int
) -> None:
    """However little is left of it. Where a login had to come first, the plan may be stale."""
    with budgeted(api, world, calls) as backend:
        run = apply(backend, ["a.de", "b.de"])
    statuses = [r.status for r in run.results]
    assert statuses in ([Status.APPLIED] * 2, [Status.STALE, Status.APPLIED])
    assert max(world.gaps) <= FRESH
    if world.wrote:
        (spf,) = managed(world.sandbox, "a.de")["@"]
        assert RIVALS in spf
        assert ("ip4:192.0.2.25" in spf) == (statuses[0] is Status.APPLIED)


def test_jobs_side_by_side_do_not_keep_each_other_waiting_between_read_and_write(
    api: Api,
) -> None:
    domains = [f"d{number}.de" for number in range(8)]
    with api.netcup(domains, rate=None) as sandbox, pytest.MonkeyPatch.context() as patch:
        one = World(sandbox)
        patch.setattr(boot, "now", lambda: one.now)
        backend: Any = api.backend(sandbox)
        backend._budget = Budget(9, clock=lambda: one.now, sleep=one.pass_time)
        ages: list[float] = []
        module = f"netcup_mailauth.netcup.{'ccp' if api is CCP else 'clouddns'}.check_fresh"

        def noted(zone: Any) -> None:
            ages.append(one.now - zone.asked_at)
            # Time may have passed in another job; then it is read again, as in any run.
            real(zone)

        from netcup_mailauth.netcup.api import check_fresh as real

        patch.setattr(module, noted)
        with backend:
            run = apply(backend, domains, jobs=8)
        assert {r.status for r in run.results} <= {Status.APPLIED, Status.FAILED}
        for result in run.results:
            if result.status is Status.FAILED:
                assert result.failure is not None
                assert "nothing was sent" in result.failure.message
        # There is one more look while it is sent, which may find that it is too late by now.
        assert sum(age <= FRESH for age in ages) >= run.count(Status.APPLIED)


@dataclass
class SlowJournal:
    """A disk that takes its time, or a laptop whose lid is closed: just before the write."""

    world: World
    rival: bool
    times: int = 1

    def __call__(self, _place: object) -> Any:
        return self

    def begin(self, change_set: ChangeSet, _before: object) -> ChangeSet:
        return change_set

    def mark(self, _entry: object, mark: str) -> None:
        if mark == "sent" and self.times:
            self.times -= 1
            self.world.pass_time(3600)
            if self.rival:
                self.world.rival_writes("a.de")


@pytest.mark.parametrize("rival", [False, True])
def test_sleep_just_before_the_write_has_the_zone_read_again(
    api: Api, world: World, rival: bool
) -> None:
    """Also when nothing but the machine itself was slow: the clock counts sleep."""
    with api.backend(world.sandbox) as backend:
        run = apply(backend, journal=SlowJournal(world, rival))
    (result,) = run.results
    assert all(gap <= FRESH for gap in world.gaps)
    if rival:
        assert result.status is Status.STALE
        assert result.exit_code == 7
        (spf,) = managed(world.sandbox, "a.de")["@"]
        assert RIVALS in spf
        assert world.gaps == []
    else:
        assert result.status is Status.APPLIED
        assert len(world.gaps) == 1


def test_after_a_sleep_a_read_that_is_slow_each_time_is_believed(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read again ages from its answer on, or a slow API could never be written to."""
    journal = SlowJournal(world, rival=False)
    request = HttpClient._request

    def late(self: HttpClient, method: str, url: str, data: bytes | None, *by: Any) -> Reply:
        reply = request(self, method, url, data, *by)
        if not journal.times and (b"infoDnsRecords" in (data or b"") or "/dns/revision?" in url):
            world.pass_time(60)
        return reply

    monkeypatch.setattr(HttpClient, "_request", late)
    with api.backend(world.sandbox) as backend:
        (result,) = apply(backend, journal=journal).results
    assert result.status is Status.APPLIED
    assert len(world.gaps) == 1


@pytest.mark.parametrize("rival", [False, True])
@pytest.mark.parametrize("moment", ["before the connection", "before the head", "before the body"])
def test_a_stop_within_the_call_itself_has_the_zone_read_again(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch, moment: str, rival: bool
) -> None:
    """As of a process that is stopped (SIGSTOP) after it has begun to send."""
    stops = [1]

    def stop() -> None:
        if stops and len(world.gaps) == 1:  # the write has been begun
            stops.pop()
            world.pass_time(3600)
            if rival:
                world.rival_writes("a.de")

    connect, head = HTTPConnection.connect, HTTPConnection.endheaders

    def connected(self: HTTPConnection) -> None:
        connect(self)
        stop()

    def sent(self: HTTPConnection, *args: Any, **options: Any) -> None:
        if moment == "before the head":
            stop()
        head(self, *args, **options)
        if moment == "before the body":
            stop()

    with api.backend(world.sandbox) as backend:
        if moment == "before the connection":
            monkeypatch.setattr(HTTPConnection, "connect", connected)
            check = f"netcup_mailauth.netcup.{'ccp' if api is CCP else 'clouddns'}.check_fresh"
            http: Any = cast("Any", backend)._http
            monkeypatch.setattr(check, lambda _: http.close())
        else:
            monkeypatch.setattr(HTTPConnection, "endheaders", sent)
        run = apply(backend)
    (result,) = run.results
    assert not stops
    (spf,) = managed(world.sandbox, "a.de")["@"]
    if rival:
        assert result.status is Status.STALE
        assert RIVALS in spf
        assert len(world.gaps) == 1
    else:
        assert result.status is Status.APPLIED
        assert "ip4:192.0.2.25" in spf
        assert world.gaps == [0.0, 0.0]


@pytest.mark.parametrize("slow", [1, 2, 100])
def test_an_answer_that_lay_waiting_while_the_machine_slept_is_not_believed(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch, slow: int
) -> None:
    """The first two, that is; where each one takes so long, the API is slow and it is written."""
    counted = iter(range(1000))
    request = HttpClient._request

    def late(self: HttpClient, method: str, url: str, data: bytes | None, *by: Any) -> Reply:
        reply = request(self, method, url, data, *by)
        if b"infoDnsRecords" in (data or b"") or "/dns/revision?" in url:
            number = next(counted)
            world.pass_time(60 if number < slow else 0)
            if number == min(slow, 2) - 1:
                world.rival_writes("a.de")
        return reply

    monkeypatch.setattr(HttpClient, "_request", late)
    with api.backend(world.sandbox) as backend:
        (result,) = apply(backend).results
    assert result.status is Status.APPLIED
    assert both_are_in_it(world)
    reads = requests_of(world.sandbox)[api.read]
    assert reads <= (4 if api is CCP else 5)


def test_what_was_agreed_to_long_ago_is_read_again_and_stale_if_it_moved(
    api: Api, world: World
) -> None:
    with api.backend(world.sandbox) as backend:
        wishes = [Wish("a.de", POLICY), Wish("b.de", POLICY)]
        plan = planning.plan(Session(backend), wishes)
        world.pass_time(3600)
        world.rival_writes("a.de")
        run = applying.apply(Session(backend), plan, wishes)
    assert [r.status for r in run.results] == [Status.STALE, Status.APPLIED]
    assert world.gaps == [0.0]


def test_nothing_is_read_twice_where_nothing_is_slow(api: Api, world: World) -> None:
    with api.backend(world.sandbox) as backend:
        assert apply(backend, ["a.de", "b.de"]).exit_code == 0
    assert requests_of(world.sandbox)[api.read] == (2 if api is CCP else 4)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="only Linux has this clock")
def test_the_clock_counts_sleep() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= boot.now() <= time.clock_gettime(time.CLOCK_BOOTTIME)

"""A saved plan is applied exactly, or refused: by what it says, by the guard, or by the zone."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netcup_mailauth import documents, planfile
from netcup_mailauth.actions import planning
from netcup_mailauth.actions.applying import apply_unasked
from netcup_mailauth.actions.planfile import apply_saved
from netcup_mailauth.errors import ExitCode, MailauthError, RefusedError, UsageError
from netcup_mailauth.judge import holding
from netcup_mailauth.keys.sources import Sources
from netcup_mailauth.plan import Change, RunResult, Status, applied
from netcup_mailauth.policy import DkimPolicy, DomainPolicy, Grounds, SpfPolicy, Wish, linked
from netcup_mailauth.records import DnsRecord, Kind, Zone
from tests.core.judge.cases import HOSTS, dns, key_record, mail_zone, source, wants, zone
from tests.core.judge.test_any_zone import policies
from tests.effort import tries
from tests.sessions import Answering, Heard, Kept, hurried
from tests.strategies import zones
from tests.unlimited import Unlimited

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.plan import ChangeSet, Edit, Place
    from netcup_mailauth.records import DesiredRecord
    from netcup_mailauth.state.journal import Mark

SPF = "v=spf1 mx ip4:192.0.2.7 ~all"
DMARC = "v=DMARC1;p=quarantine;rua=mailto:dmarc@example.com"


@dataclass
class Memory(Unlimited):
    """A back end in memory, which counts its writes."""

    zones: dict[str, Zone]
    name: str = "ccp"
    endpoint: str = "https://ccp.netcup.net/"
    account: str = "0123456789ab"
    new_ttl: int | None = None
    writes: list[Sequence[Edit]] = field(default_factory=list)
    reads: int = 0

    def zone(self, name: str) -> Zone:
        self.reads += 1
        return self.zones[name]

    def serving(self, name: str) -> Memory:
        return self

    def apply(self, zone: Zone, changes: Sequence[Edit]) -> Zone:
        self.writes.append(changes)
        self.zones[zone.name] = after = applied(self.zones[zone.name], changes)
        return after

    def refuses(self, record: DesiredRecord) -> str | None:
        return "no quotes" if '"' in record.value else None

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, *_: object) -> None: ...


class Keys(Sources):
    """Key sources that say what a test wants."""

    def __init__(self, record: str | None = None, selector: str | None = "dkim") -> None:
        self.record, self.selector = record, selector
        self.asked: list[str] = []

    def key(self, name: str, domain: str) -> DkimSource | None:
        self.asked.append(name)
        if self.record is None:
            return None
        return replace(source(self.record, self.selector), origin="mailcow at mail.example.com")

    def host(self, name: str) -> str | None:
        return "mail.example.com" if name == "mailcow" else None

    def relay(self, name: str, domain: str) -> str | None:
        return None


class Unwritten(Kept):
    """A state without a journal."""

    def journal_of(self, _place: Place, _undoes: Mapping[str, str]) -> Any:
        return NoJournal()


class NoJournal:
    """A journal in which nothing is noted."""

    def begin(self, _change_set: ChangeSet, _before: Zone) -> None: ...

    def mark(self, _entry: None, _mark: Mark) -> None: ...


@dataclass
class World:
    """Zones, keys, and a plan file between a planner and a replayer."""

    backend: Memory
    keys: Keys = field(default_factory=Keys)
    remembered: Zone | None = None
    heard: Heard = field(default_factory=Heard)

    @property
    def session(self) -> Session:
        return hurried(
            self.backend,
            keys=self.keys,
            dns=Answering(answers=dns()),
            state=Unwritten(remembered=self.remembered),
            reporter=self.heard,
        )

    def saved(self, *wishes: Wish) -> Any:
        """The document of a plan for these wishes."""
        found = {}
        for wish in wishes:
            named = wish.policy.dkim.source if wish.policy.dkim else None
            host = self.keys.host(named) if named else None
            found[wish.domain] = Grounds.of(wish, host)
        plan = planning.plan(self.session, wishes)
        return json.loads(documents.dumps(planfile.plan_document(plan, found)))

    def replay(self, document: Any, *, has_mailcow: bool = True) -> RunResult:
        saved = planfile.from_document(document, "plan.json")
        return apply_saved(self.session, saved, has_mailcow=has_mailcow)

    def ends(self, document: Any, **options: Any) -> tuple[Status, ExitCode]:
        run = self.replay(document, **options)
        (result,) = run.results
        return result.status, run.exit_code


def world(*zones: Zone) -> World:
    return World(Memory({one.name: one for one in zones or (mail_zone(spf=SPF),)}))


def wish(domain: str = "example.com", **tables: Any) -> Wish:
    return Wish(domain, wants(**tables))


def signed(document: Any) -> Any:
    return {**document, "digest": planfile.digest(document["zones"])}


APPLIED = (Status.APPLIED, ExitCode.OK)
REFUSED = (Status.REFUSED, ExitCode.REFUSED)
STALE = (Status.STALE, ExitCode.STALE)
ALREADY = (Status.ALREADY, ExitCode.OK)


def test_a_saved_plan_is_applied_once_and_then_already_there() -> None:
    here = world()
    document = here.saved(wish(dmarc="v=DMARC1;p=reject;rua=mailto:dmarc@example.com"))
    assert here.ends(document) == APPLIED
    assert here.ends(document) == ALREADY
    assert len(here.backend.writes) == 1


def test_a_plan_without_changes_asks_and_writes_nothing() -> None:
    here = world()
    document = here.saved(wish(spf=SPF))
    reads = here.backend.reads
    assert here.ends(document) == (Status.UNCHANGED, ExitCode.OK)
    assert (here.backend.reads, here.backend.writes) == (reads, [])


class TestConsent:
    def test_a_term_that_was_named_may_go(self) -> None:
        here = world()
        policy = SpfPolicy(record="v=spf1 mx ~all", drop=["ip4:192.0.2.7"])
        document = here.saved(Wish("example.com", DomainPolicy(spf=policy)))
        assert document["zones"][0]["consent"] == {"spf_drop": ["ip4:192.0.2.7"], "whole": ["spf"]}
        assert here.ends(document) == APPLIED

    def test_one_that_was_not_stops_it_whatever_the_findings_say(self) -> None:
        here = world()
        document = here.saved(wish(spf="v=spf1 mx ~all"))
        document["zones"][0]["findings"] = []  # not covered by the digest
        assert here.ends(document) == REFUSED
        assert here.backend.writes == []

    def test_what_is_allowed_is_in_the_file(self) -> None:
        here = world()
        document = here.saved(wish(spf="v=spf1 mx ~all", allow=["spf-drops-sender"]))
        assert here.ends(document) == APPLIED

    def test_a_parked_domain_needs_no_more_consent(self) -> None:
        here = world()
        policy = DomainPolicy(parked=True).settled()
        allow = ["dmarc-drops-reports"]
        document = here.saved(Wish("example.com", policy.model_copy(update={"allow": allow})))
        assert document["zones"][0]["consent"]["parked"] is True
        assert here.ends(document) == APPLIED

    def test_a_server_that_was_named_is_tried_again(self) -> None:
        here = world()
        document = here.saved(wish(spf="v=spf1 mx ip4:192.0.2.7 -all", server=["192.0.2.99"]))
        assert document["zones"][0]["servers"] == ["192.0.2.99"]
        document["zones"][0]["findings"] = []
        assert here.ends(document) == REFUSED

    def test_a_record_that_vanished_is_missed_unless_it_is_given_whole(self) -> None:
        bare = mail_zone(spf=())
        for tables, ends in (({"require": ["mx"]}, REFUSED), ("v=spf1 mx ~all", APPLIED)):
            here = world(bare)
            document = here.saved(wish(spf=tables))
            here.remembered = mail_zone(spf=SPF)
            assert here.ends(document) == ends

    def test_a_wish_that_was_refused_keeps_the_rest_from_being_written(self) -> None:
        here = world(mail_zone(spf=SPF, dmarc=[DMARC, "v=DMARC1;p=none"]))
        document = here.saved(wish(spf="v=spf1 mx ip4:192.0.2.7 -all", dmarc={"policy": "reject"}))
        assert next(f["code"] for f in document["zones"][0]["findings"]) == "dmarc-ambiguous"
        assert here.ends(document) == REFUSED


class TestDrift:
    def changed(self, *records: DnsRecord, gone: str = "") -> World:
        here = world()
        self.document = here.saved(wish(dmarc="v=DMARC1;p=reject;rua=mailto:dmarc@example.com"))
        live = here.backend.zones["example.com"]
        kept = tuple(r for r in live.records if r.hostname != gone)
        here.backend.zones["example.com"] = replace(live, records=(*kept, *records))
        return here

    @pytest.mark.parametrize(
        ("record", "named"),
        [
            (DnsRecord("99", "_dmarc", "TXT", "v=DMARC1;p=none"), "v=DMARC1;p=none"),
            (DnsRecord("99", "_dmarc", "CNAME", "dmarc.example.net"), "CNAME dmarc.example.net"),
        ],
    )
    def test_one_record_more(self, record: DnsRecord, named: str) -> None:
        here = self.changed(record)
        run = here.replay(self.document)
        assert run.exit_code == ExitCode.STALE
        failure = run.results[0].failure
        assert failure is not None
        assert named in failure.message
        assert here.backend.writes == []

    def test_another_value_is_said_with_the_one_it_was_and_planned_anew(self) -> None:
        now = "v=DMARC1;p=none;rua=mailto:new@example.com"
        here = self.changed(DnsRecord("99", "_dmarc", "TXT", now), gone="_dmarc")
        run = here.replay(self.document)
        failure = run.results[0].failure
        assert failure is not None
        assert (DMARC in failure.message, now in failure.message) == (True, True)
        (fresh,) = here.heard.anew
        assert fresh.changes[0].before is not None
        assert fresh.changes[0].before.destination == now
        assert "dmarc-drops-reports" in [finding.code for finding in fresh.findings]

    def test_records_of_others_do_not_matter(self) -> None:
        here = self.changed(DnsRecord("99", "@", "TXT", "another-token"))
        assert here.ends(self.document) == APPLIED

    def test_a_forged_priority_is_not_written(self) -> None:
        here = self.changed()
        (change,) = self.document["zones"][0]["changes"]
        change["before"]["priority"] = change["after"]["priority"] = "77"
        assert here.ends(signed(self.document)) == APPLIED
        ((written,),) = here.backend.writes
        assert written.after is not None
        assert written.after.priority == "0"

    def test_a_record_that_reads_quoted_is_known_again(self) -> None:
        live = mail_zone(spf=SPF)
        quoted = tuple(
            replace(r, raw=f'"{r.destination}"') if r.type == "TXT" else r for r in live.records
        )
        here = world(replace(live, records=quoted))
        document = here.saved(wish(spf="v=spf1 mx ip4:192.0.2.7 -all"))
        assert here.ends(document) == APPLIED
        codes = [finding.code for finding in here.heard.shown[0].findings]
        assert "spf-multiple" not in codes


class TestKeys:
    def dkim(self, name: str = "mailcow") -> Wish:
        return Wish("example.com", DomainPolicy(dkim=DkimPolicy(source=name)))

    def keyed(self) -> World:
        here = world(mail_zone(dkim=()))
        here.keys.record = key_record(number=5)
        return here

    def test_the_source_is_asked_again(self) -> None:
        here = self.keyed()
        document = here.saved(self.dkim())
        assert document["zones"][0]["source_ref"] == "mailcow"
        assert here.ends(document) == APPLIED
        assert here.keys.asked == ["mailcow", "mailcow"]

    @pytest.mark.parametrize("now", [key_record(number=6), None])
    def test_another_key_or_none_is_stale(self, now: str | None) -> None:
        here = self.keyed()
        document = here.saved(self.dkim())
        here.keys.record = now
        assert here.ends(document) == STALE
        assert here.backend.writes == []

    def test_a_selector_that_the_signer_left_is_refused(self) -> None:
        here = self.keyed()
        document = here.saved(self.dkim())
        here.keys.selector = "s2026"
        assert here.ends(document) == REFUSED

    def test_a_mailcow_that_is_not_set_up_is_not_asked_and_that_is_said(self) -> None:
        here = self.keyed()
        document = here.saved(self.dkim())
        assert here.ends(document, has_mailcow=False) == APPLIED
        assert len(here.heard.notes) == 1
        assert here.keys.asked == ["mailcow"]

    def test_a_file_is_read_again_if_it_is_one(self, tmp_path: Path) -> None:
        path = tmp_path / "dkim.txt"
        path.write_text("x")
        here = self.keyed()
        document = here.saved(self.dkim(f"file:{path}"))
        document["zones"][0]["changes"][0]["source"] = str(path)
        document = signed(document)
        here.keys.record = key_record(number=6)
        assert here.ends(document) == STALE

    @pytest.mark.parametrize("path", ["/dev/zero", "/dev/stdin", "/nowhere", "~nobody/key", "."])
    def test_what_is_no_plain_file_is_never_opened(self, path: str) -> None:
        here = self.keyed()
        document = here.saved(self.dkim())
        zone = document["zones"][0]
        zone["source_ref"], zone["changes"][0]["source"] = f"file:{path}", path
        here.keys.asked.clear()
        assert here.ends(signed(document)) == APPLIED
        assert here.keys.asked == []
        assert "cannot be asked here" in here.heard.notes[0]


class TestSeveral:
    def test_one_that_was_not_planned_fails_and_the_others_are_applied(self) -> None:
        here = world(mail_zone(spf=SPF), zone(*HOSTS, "@ TXT v=spf1 mx ~all", name="example.org"))
        good = wish(spf="v=spf1 mx ip4:192.0.2.7 -all")
        bad = wish("example.org", dmarc={"policy": "reject"}, dkim="dkim")
        document = here.saved(good)
        failed = copy.deepcopy(document["zones"][0])
        failed |= {
            "domain": bad.domain,
            "zone": bad.domain,
            "changes": [],
            "error": {"exit_code": 5, "message": "Not here.", "advice": ""},
        }
        run = here.replay(signed({**document, "zones": [failed, *document["zones"]]}))
        assert [result.status for result in run.results] == [Status.FAILED, Status.APPLIED]
        assert run.exit_code == ExitCode.ZONE

    def test_a_report_that_the_same_plan_authorises_needs_no_consent(self) -> None:
        zones = (mail_zone(spf=SPF), zone(*HOSTS, "@ TXT v=spf1 mx ~all", name="example.org"))
        here = world(*zones)
        to = "v=DMARC1;p=quarantine;rua=mailto:dmarc@example.com,mailto:dmarc@example.org"
        wishes = linked([wish(dmarc=to), wish("example.org", spf="v=spf1 mx a ~all")])
        document = here.saved(*wishes)
        kinds = [c["kind"] for zone in document["zones"] for c in zone["changes"]]
        assert "dmarc-report" in kinds
        run = here.replay(document)
        assert [result.status for result in run.results] == [Status.APPLIED] * 2

    def test_one_forged_zone_keeps_all_of_the_file_from_being_applied(self) -> None:
        here = world(mail_zone(spf=SPF), zone(*HOSTS, "@ TXT v=spf1 mx ~all", name="example.org"))
        wishes = [wish(spf="v=spf1 mx ip4:192.0.2.7 -all")]
        document = here.saved(*wishes, wish("example.org", spf="v=spf1 mx -all"))
        document["zones"][1]["changes"][0]["after"]["destination"] = "hello"
        reads = here.backend.reads
        with pytest.raises(RefusedError):
            here.replay(signed(document))
        assert (here.backend.reads, here.backend.writes) == (reads, [])


def test_a_plan_for_another_account_sends_nothing() -> None:
    here = world()
    document = here.saved(wish(spf="v=spf1 mx ip4:192.0.2.7 -all"))
    here.backend.account = "ffffffffffff"
    reads = here.backend.reads
    with pytest.raises(UsageError, match="account"):
        here.replay(document)
    assert here.backend.reads == reads


@settings(max_examples=tries(300))
@given(before=zones(), policy=policies, server=st.sampled_from([None, ["192.0.2.99"]]))
def test_a_plan_file_ends_as_an_apply_without_one_would_or_whole_where_that_would_write_a_part(
    before: Zone, policy: DomainPolicy, server: list[str] | None
) -> None:
    dkim = DkimPolicy(source="mailcow") if policy.dkim else None
    policy = policy.model_copy(update={"dkim": dkim, "server": server})
    ends = []
    for through_a_file in (False, True):
        here = world(before)
        here.keys.record = key_record(number=5)
        one = Wish("example.com", policy)
        if through_a_file:
            document = here.saved(one)
            for zone_document in document["zones"]:
                kept = [f for f in zone_document["findings"] if f["severity"] == "refused"]
                zone_document["findings"] = kept
            run = here.replay(document)
        else:
            run = apply_unasked(here.session, [one])
        (result,) = run.results
        in_part = holding.is_in_part(result.change_set)
        ends.append((result.status, run.exit_code, here.backend.zones))
        if in_part and not through_a_file:  # a file is written whole or not at all
            assert (result.status, run.exit_code) == (Status.APPLIED, ExitCode.REFUSED)
            ends[0] = (Status.REFUSED, ExitCode.REFUSED, {before.name: before})
    assert ends[0] == ends[1]


WHOLE = (
    wish(spf="v=spf1 mx ip4:192.0.2.7 -all", dmarc="v=DMARC1;p=none"),
    wish("example.org", spf="v=spf1 mx a ~all"),
)
LEAVES: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-1, 9) | st.text(max_size=9) | st.just([])
)
OURS = {(Kind.SPF, "@"), (Kind.DMARC, "_dmarc")}


def mutate(document: Any, data: st.DataObject) -> None:
    """Put something else in one place of one zone."""
    holder = document["zones"][data.draw(st.integers(0, 1))]
    while True:
        keys = sorted(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if not isinstance(holder[key], (dict, list)) or data.draw(st.integers(0, 3)) == 0:
            break
        holder = holder[key]
    holder[key] = data.draw(LEAVES)


@settings(max_examples=tries(200))
@given(data=st.data())
def test_a_mutated_plan_is_an_error_or_writes_what_any_plan_may(data: st.DataObject) -> None:
    here = world(mail_zone(spf=SPF), zone(*HOSTS, "@ TXT v=spf1 mx ~all", name="example.org"))
    document = here.saved(*WHOLE)
    mutate(document, data)
    with suppress(KeyError, TypeError):  # else the old digest stays, and does not fit
        document = signed(document)
    try:
        run = here.replay(document)
    except MailauthError:
        assert here.backend.writes == []
        return
    assert run.exit_code in ExitCode
    for changes in here.backend.writes:
        assert all(isinstance(change, Change) for change in changes)
        assert {(c.kind, c.hostname) for c in changes if isinstance(c, Change)} <= OURS
        assert {change.after.type for change in changes if change.after} <= {"TXT"}


class TestTtlOfNewRecords:
    def beside(self, ttl: int | None) -> World:
        """A zone at CloudDNS, with one text at the apex that has this TTL, and no SPF record."""
        texts = [DnsRecord("1", "@", "TXT", "token=1", ttl=ttl)] if ttl is not None else []
        mx = DnsRecord("2", "@", "MX", "mail.example.com", "10", 3600)
        here = world(Zone("example.com", "clouddns", (*texts, mx)))
        here.backend.name, here.backend.new_ttl = "clouddns", 3600
        return here

    @pytest.mark.parametrize("ttl", [0, 1, 59, 60, 86_401, 604_800, 2**31 - 1])
    def test_it_is_that_of_the_texts_beside_it_whatever_that_is(self, ttl: int) -> None:
        here = self.beside(ttl)
        document = here.saved(wish(spf="v=spf1 mx ~all"))
        assert document["zones"][0]["changes"][0]["after"]["ttl"] == ttl
        assert here.ends(document) == APPLIED
        texts = here.backend.zones["example.com"].at("@", "TXT")
        assert [record.ttl for record in texts] == [ttl, ttl]

    @pytest.mark.parametrize("ttl", [0, 59, 86_401, 2**31 - 1])
    def test_one_that_no_record_beside_it_has_is_not_written(self, ttl: int) -> None:
        here = self.beside(None)
        document = here.saved(wish(spf="v=spf1 mx ~all"))
        document["zones"][0]["changes"][0]["after"]["ttl"] = ttl
        assert here.ends(signed(document)) == (Status.FAILED, ExitCode.REFUSED)
        assert here.backend.writes == []

    def test_none_beside_it_any_more_is_no_leave_for_an_odd_one(self) -> None:
        here = self.beside(604_800)
        document = here.saved(wish(spf="v=spf1 mx ~all"))
        here.backend.zones = self.beside(None).backend.zones
        run = here.replay(document)
        assert run.exit_code == ExitCode.REFUSED
        failure = run.results[0].failure
        assert failure is not None
        assert "a TTL of 604800 s, which no record beside it has" in failure.message
        assert here.backend.writes == []

"""A plan file is read as if an enemy had written it: what no plan would say is refused."""

from __future__ import annotations

import copy
import json
import os
from contextlib import nullcontext, suppress
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from netcup_mailauth import documents, planfile
from netcup_mailauth.actions import planning
from netcup_mailauth.actions.planfile import check_ours, check_storable, load
from netcup_mailauth.actions.session import Session
from netcup_mailauth.errors import (
    ExitCode,
    MailauthError,
    RefusedError,
    StaleError,
    UsageError,
)
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.keys.sources import Sources
from netcup_mailauth.kinds import of_kind
from netcup_mailauth.netcup.ccp import CcpBackend
from netcup_mailauth.netcup.zonefile import ZoneFiles
from netcup_mailauth.plan import (
    ChangeSet,
    Failure,
    Place,
    Plan,
    Result,
    RunResult,
    Status,
    compute,
    drift,
    rebound,
)
from netcup_mailauth.policy import DkimPolicy, DomainPolicy, Grounds, Wish
from netcup_mailauth.records import EXPORTED, DesiredRecord, DnsRecord, Kind, Zone
from tests.core.judge.cases import SPF, dns, key_record, mail_zone
from tests.core.judge.cases import source as key_source
from tests.core.judge.test_any_zone import policies
from tests.core.render.samples import CCP
from tests.effort import tries
from tests.sessions import Answering
from tests.strategies import zones

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE = Place("example.com", "example.com", "ccp", CCP, "0123456789ab")
NEW_KEY = key_record(number=2)
LIVE = mail_zone(spf=[SPF, "v=spf1 a ~all"], dkim=[key_record()])
WISHES = (
    DesiredRecord(Kind.SPF, "@", "v=spf1 mx a -all"),
    DesiredRecord(
        Kind.DKIM,
        "dkim._domainkey",
        NEW_KEY,
        "mailcow at mail.example.com",
        key_source(NEW_KEY).key.fingerprint,  # type: ignore[union-attr]
    ),
    DesiredRecord(Kind.DMARC, "_dmarc", "v=DMARC1;p=quarantine;rua=mailto:dmarc@example.com"),
    DesiredRecord(Kind.DMARC_REPORT, "example.org._report._dmarc", "v=DMARC1"),
)
FINDING = Finding("spf-softens-all", Severity.WARNING, "It softens.", "Mind it.")
PLANNED = ChangeSet(
    PLACE,
    compute(PLACE, LIVE, WISHES).changes,
    compute(PLACE, LIVE, WISHES).unchanged,
    untouched=7,
    findings=(FINDING,),
    allow=("spf-drops-sender",),
)
FAILED = ChangeSet(
    Place("example.net", "example.net"), error=Failure(ExitCode.ZONE, "Not here.", "Look.")
)
GROUNDS = {
    "example.com": Grounds(("a",), (Kind.SPF,), servers=("mail.example.com",), source_ref="mailcow")
}
DOCUMENT = planfile.plan_document(Plan((PLANNED, FAILED)), GROUNDS)
SCHEMA = json.loads(
    resources.files("netcup_mailauth").joinpath("plan.schema.json").read_text("utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def signed(document: Any) -> Any:
    """The document with the digest that fits it: anybody can compute that."""
    return {**document, "digest": planfile.digest(document["zones"])}


def forged(change: Callable[[dict[str, Any]], object]) -> Any:
    """A well signed document in whose first zone ``change`` altered something."""
    document = copy.deepcopy(DOCUMENT)
    change(document["zones"][0])
    return signed(document)


def read(document: object) -> planfile.SavedPlan:
    """What an apply takes from a document."""
    saved = planfile.from_document(document, "plan.json")
    planfile.check_content(saved)
    check_storable(saved, ZoneFiles([LIVE]))
    return saved


def test_a_plan_is_read_back_as_it_was() -> None:
    saved = read(json.loads(documents.dumps(DOCUMENT)))
    assert saved.plan == Plan((PLANNED, FAILED))
    assert saved.grounds == {**GROUNDS, "example.net": Grounds()}
    assert planfile.plan_document(saved.plan, saved.grounds) == DOCUMENT


def test_the_sample_holds_every_sort_of_change() -> None:
    kinds = {(change.action.value, change.kind.value) for change in PLANNED.changes}
    assert kinds == {
        ("update", "spf"),
        ("update", "dkim"),
        ("create", "dmarc-report"),
        ("delete", "spf"),
    }
    assert [kept.kind for kept in PLANNED.unchanged] == [Kind.DMARC]


def test_the_shipped_schema_is_valid_and_fits_what_is_printed() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    VALIDATOR.validate(DOCUMENT)
    for status in Status:
        failure = None if status is Status.APPLIED else Failure(ExitCode.STALE, "No.", "Again.")
        run = RunResult((Result(PLANNED, status, failure, ("A note.",)),))
        VALIDATOR.validate(planfile.run_document(run, GROUNDS))


@pytest.mark.parametrize("schema", [0, 2, 99, True, 1.0, "1", None, [1]])
def test_an_unknown_schema_is_refused_before_anything_else_is_looked_at(schema: object) -> None:
    document = {**DOCUMENT, "schema": schema, "digest": "damaged"}
    with pytest.raises(UsageError, match="schema") as caught:
        planfile.from_document(document, "plan.json")
    assert caught.value.exit_code == 2
    assert not VALIDATOR.is_valid(document) or schema == 1.0


@pytest.mark.parametrize(
    "document",
    [None, 1, "x", [], [DOCUMENT], {}, {"schema": 1}, {"schema": 1, "zones": {}, "digest": "x"}],
)
def test_other_json_is_not_a_plan_file(document: object) -> None:
    with pytest.raises(UsageError, match="not a plan file"):
        planfile.from_document(document, "plan.json")


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    """Set the value at a path in a zone: all but the last are steps."""
    *steps, last, value = path

    def change(zone: dict[str, Any]) -> None:
        holder: Any = zone
        for step in steps:
            holder = holder[step]
        holder[last] = value

    return change


def without(*path: Any) -> Callable[[dict[str, Any]], None]:
    *steps, last = path

    def change(zone: dict[str, Any]) -> None:
        holder: Any = zone
        for step in steps:
            holder = holder[step]
        del holder[last]

    return change


@pytest.mark.parametrize(
    "damage",
    [
        put("changes", 0, "after", "destination", "v=spf1 +all"),
        put("changes", 0, "before", "id", "999"),
        put("allow", ["spf-pass-all"]),
        put("unchanged", []),
        put("consent", "spf_drop", ["mx"]),
        put("servers", []),
        without("source_ref"),
        without("changes"),
        without("consent"),
        put("changes", "x"),
        put("account", "ffffffffffff"),
    ],
)
def test_what_the_digest_covers_cannot_change_unnoticed(
    damage: Callable[[dict[str, Any]], None],
) -> None:
    document = copy.deepcopy(DOCUMENT)
    damage(document["zones"][0])
    with pytest.raises(StaleError, match="digest does not fit") as caught:
        planfile.from_document(document, "plan.json")
    assert caught.value.exit_code == 7


def test_a_plan_without_a_digest_is_damaged() -> None:
    document = {key: value for key, value in DOCUMENT.items() if key != "digest"}
    with pytest.raises(StaleError):
        planfile.from_document(document, "plan.json")


RECORD = {"hostname": "@", "type": "TXT", "priority": "0", "destination": "v=spf1 mx -all"}


def move(hostname: str, *numbers: int) -> Callable[[dict[str, Any]], None]:
    def change(zone: dict[str, Any]) -> None:
        for number in numbers:
            own = zone["changes"][number]
            own["hostname"] = hostname
            for side in ("before", "after"):
                if own[side]:
                    own[side]["hostname"] = hostname

    return change


def of_type(record_type: str) -> Callable[[dict[str, Any]], None]:
    def change(zone: dict[str, Any]) -> None:
        own = zone["changes"][0]
        own["type"] = own["before"]["type"] = own["after"]["type"] = record_type

    return change


def an_address(zone: dict[str, Any]) -> None:
    after = {"hostname": "@", "type": "A", "priority": "0", "destination": "192.0.2.1"}
    zone["changes"][0] |= {"type": "A", "after": {**after, "ttl": None}}


def added(**change: Any) -> Callable[[dict[str, Any]], None]:
    own = {"hostname": "@", "type": "TXT", "before": None, "after": None, **change}
    return lambda zone: zone["changes"].insert(0, own)


def consent_taken_away(zone: dict[str, Any]) -> None:
    name = "example.net._report._dmarc"
    before = {**DELETED, "id": "77", "hostname": name, "destination": "v=DMARC1"}
    change = {"action": "delete", "kind": "dmarc-report", "hostname": name, "type": "TXT"}
    zone["changes"].append({**change, "before": before, "after": None})


def to_zone(zone_name: str, domain: str | None = None) -> Callable[[dict[str, Any]], None]:
    def change(zone: dict[str, Any]) -> None:
        zone["zone"] = zone_name
        zone["domain"] = domain or zone["domain"]

    return change


DELETED = {"id": "6", **RECORD, "ttl": None}
FORGERIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "an A record": an_address,
    "an MX record": of_type("MX"),
    "an unknown kind": put("changes", 0, "kind", "mta-sts"),
    "an unknown action": put("changes", 0, "action", "replace"),
    "an SPF record at www": move("www", 0),
    "a name out of the zone": move("@.example.org", 0),
    "a full name": move("example.com.", 0),
    "a key at another name": move("dkim", 1),
    "a key of another domain": move("dkim._domainkey.shop", 1),
    "a selector no signer has": move("a b._domainkey", 1),
    "a wildcard key": move("*._domainkey", 1),
    "upper case": move("DKIM._domainkey", 1),
    "a report record elsewhere": move("example.org._report", 2),
    "a hostname that hides another": put("changes", 0, "hostname", "_dmarc"),
    "a change without records": put("changes", 0, "after", None),
    "a create of what is there": put("changes", 0, "action", "create"),
    "an SPF value that is none": put("changes", 0, "after", "destination", "hello"),
    "an SPF value with a slip": put("changes", 0, "after", "destination", "v=spf1 ipv4:1 -all"),
    "a DKIM value that is none": put("changes", 1, "after", "destination", "v=DKIM1;p=abc"),
    "a report value of its own": put("changes", 2, "after", "destination", "v=DMARC1;rua=x"),
    "consent to every domain's reports": move("*._report._dmarc", 2),
    "consent to the reports of every domain below one": move("*.example.org._report._dmarc", 2),
    "a value longer than any record": put(
        "changes", 0, "after", "destination", f"v=spf1 {'ip4:192.0.2.1 ' * 80}-all"
    ),
    "a quote netcup refuses": put("changes", 0, "after", "destination", 'v=spf1 exp="a" -all'),
    "a control character": put("changes", 0, "after", "destination", "v=spf1 mx\x1b -all"),
    "another fingerprint": put("changes", 1, "fingerprint", "SHA256:0000000000000000"),
    "a key that is not mailcow's": without("source_ref"),
    "a source of an SPF record": put("changes", 0, "source", "mailcow at mail.example.com"),
    "a TTL of its own": put("changes", 0, "after", "ttl", 60),
    "a priority of its own": put("changes", 0, "after", "priority", "10"),
    "an id of words": put("changes", 0, "before", "id", "all"),
    "an id of digits netcup has not": put("changes", 0, "before", "id", "٣"),
    "no id": put("changes", 0, "before", "id", None),
    "a verification token deleted": added(
        action="delete", kind="spf", before={**DELETED, "destination": "google-site=1"}
    ),
    "a record deleted twice": put("changes", 3, "before", "id", of_kind(LIVE, Kind.SPF, "@")[0].id),
    "two SPF records": added(action="create", kind="spf", after={**RECORD, "ttl": None}),
    "a delete before a write": added(action="delete", kind="spf", before={**DELETED, "id": "99"}),
    "a report's consent taken away": consent_taken_away,
    "another zone": to_zone("example.org"),
    "a zone that is no name": to_zone("../../etc", "x.../../etc"),
    "a domain that is a path": to_zone("example.com", "../example.com"),
    "an allowed finding that is none": put("allow", ["everything"]),
    "a term that is none": put("consent", "spf_drop", ["everything:"]),
    "a server that is none": put("servers", ["-o ProxyCommand"]),
    "a source that is none": put("source_ref", "record:v=DKIM1;p="),
    "a parked domain that sends": put("consent", "parked", True),
    "an unknown key": put("force", True),
    "a number as text": put("untouched", "7"),
    "changes beside an error": put("error", {"exit_code": 1, "message": "", "advice": ""}),
    "an exit code that says all is well": put(
        "error", {"exit_code": 0, "message": "", "advice": ""}
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_plan_is_refused_though_its_digest_fits(name: str) -> None:
    document = forged(FORGERIES[name])
    with pytest.raises(RefusedError) as caught:
        read(document)
    assert caught.value.exit_code == 6
    assert "plan" in caught.value.what


HOSTILE: dict[str, Any] = {
    "null": None,
    "true": True,
    "minus one": -1,
    "a fraction": 1.5,
    "a number without end": float("inf"),
    "a huge number": 10**30,
    "an object": {"id": "1"},
    "a list": ["1"],
    "a long text": "9" * 5000,
    "an empty text": "",
}
PLACES: dict[str, tuple[tuple[Any, ...], frozenset[str]]] = {
    "TTL of a new record": (("changes", 0, "after", "ttl"), frozenset({"null"})),
    "TTL of a live record": (("changes", 0, "before", "ttl"), frozenset({"null"})),
    "identifier": (("changes", 0, "before", "id"), frozenset({"a long text"})),
    "hostname": (("changes", 0, "after", "hostname"), frozenset()),
    "value": (("changes", 0, "after", "destination"), frozenset()),
    "priority": (("changes", 0, "after", "priority"), frozenset()),
    "fingerprint": (("changes", 1, "fingerprint"), frozenset()),
    "untouched": (("untouched",), frozenset({"a huge number"})),
    "zone": (("zone",), frozenset()),
    "domain": (("domain",), frozenset()),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_value_of_another_type_or_size_is_refused(place: str) -> None:
    path, harmless = PLACES[place]
    for name, value in HOSTILE.items():
        if name in harmless:
            continue
        document = forged(put(*path, value))
        data = json.dumps(document).replace("Infinity", "1e999").encode()
        with pytest.raises(MailauthError) as caught:
            read(documents.parse(data, "plan.json", "a plan file"))
        assert caught.value.exit_code in (2, 6), name
        assert len(caught.value.what) < 1000, name


def test_a_text_longer_than_any_record_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would cost minutes, and can only be refused."""

    def parse(_text: str) -> object:
        raise AssertionError("it was looked into")

    monkeypatch.setattr("netcup_mailauth.spf.parse", parse)
    with pytest.raises(RefusedError, match="cannot be stored"):
        read(forged(put("changes", 0, "after", "destination", "v=spf1 " + "a " * 30_000)))


def test_a_domain_twice_is_refused() -> None:
    zones = [*DOCUMENT["zones"], DOCUMENT["zones"][0]]
    with pytest.raises(RefusedError, match="twice"):
        read(signed({**DOCUMENT, "zones": zones}))


def test_what_else_stands_at_the_top_is_refused() -> None:
    with pytest.raises(RefusedError):
        read({**DOCUMENT, "note": "trust me"})


def test_an_error_shows_hostile_text_escaped() -> None:
    with pytest.raises(RefusedError) as caught:
        read(forged(put("changes", 0, "after", "destination", "x\x1b[2J\u202e")))
    assert caught.value.what.isprintable()
    assert "\u202e" not in caught.value.what


class TestWhoseItIs:
    def check(self, **place: str) -> None:
        backend = CcpBackend("1", SecretStr("key"), SecretStr("password"), endpoint=CCP)
        backend.account = PLACE.account
        document = forged(lambda zone: zone.update(place))
        check_ours(planfile.from_document(document, "plan.json"), backend)

    def test_ours(self) -> None:
        self.check()

    @pytest.mark.parametrize(
        ("place", "named"),
        [
            ({"endpoint": "https://ccp.example.net/"}, ("ccp.example.net", "ccp.netcup.net")),
            ({"account": "ffffffffffff"}, ("ffffffffffff", "0123456789ab")),
            ({"backend": "clouddns"}, ("clouddns", "ccp at")),
            ({"endpoint": EXPORTED, "account": ""}, ("exported zone",)),
        ],
    )
    def test_not_ours(self, place: dict[str, str], named: tuple[str, ...]) -> None:
        with pytest.raises(UsageError) as caught:
            self.check(**place)
        assert all(name in caught.value.what for name in named)


class TestRowsOfCloudDns:
    """Told by text and TTL: no identifier lasts, and no file holds how they are written."""

    PLACE = Place("example.com", "example.com", "clouddns", "https://api.netcup.com/v1", "rest")
    ROW = DnsRecord(None, "@", "TXT", "v=spf1 mx ~all", ttl=3600)
    ZONE = Zone("example.com", "clouddns", (ROW, replace(ROW, raw='"v=spf1 " "mx ~all"')))

    def planned(self, zone: Zone = ZONE, new_ttl: int = 3600) -> planfile.SavedPlan:
        change_set = compute(self.PLACE, zone, WISHES[:1], new_ttl)
        document = json.loads(documents.dumps(planfile.plan_document(Plan((change_set,)))))
        return planfile.from_document(document, "plan.json")

    def test_rows_without_an_identifier_are_not_one_record_twice(self) -> None:
        planfile.check_content(self.planned())

    @pytest.mark.parametrize(
        ("ttl", "fits"), [(59, False), (60, True), (86_400, True), (86_401, False)]
    )
    def test_a_new_record_has_a_ttl_that_can_be_asked_for(self, ttl: int, fits: bool) -> None:
        empty = replace(self.ZONE, records=())
        saved = self.planned(empty, ttl)
        planfile.check_content(saved)  # records beside it may have that TTL
        (change_set,) = saved.plan.zones
        with nullcontext() if fits else pytest.raises(RefusedError, match=f"a TTL of {ttl} s"):
            planfile.check_new_ttls(change_set, empty)

    def test_each_is_found_again_once(self) -> None:
        (change_set,) = self.planned().plan.zones
        assert drift(change_set, self.ZONE) == ()
        found = [change.before for change in rebound(change_set, self.ZONE).changes]
        assert found == list(self.ZONE.records)


class TestFiles:
    def load(self, folder: Path, data: bytes) -> planfile.SavedPlan:
        path = folder / "plan.json"
        path.write_bytes(data)
        return load(path)

    def test_what_was_written(self, tmp_path: Path) -> None:
        assert self.load(tmp_path, documents.dumps(DOCUMENT).encode()).plan.zones[0] == PLANNED

    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (b"", "not JSON"),
            (b"# Markdown", "not JSON"),
            (b"\xff\xfe", "not UTF-8"),
            (b"[" * 10_000 + b"]" * 10_000, "nested too deeply"),
            (b'{"zones":' * 10_000 + b"1" + b"}" * 10_000, "nested too deeply"),
            (b'{"schema": 1, "schema": 1, "zones": []}', "same thing twice"),
            (b'{"schema": NaN, "zones": []}', "not JSON"),
            (b'{"schema": ' + b"9" * 9999 + b', "zones": []}', "not JSON"),
            (b"\0", "not JSON"),
        ],
    )
    def test_what_is_no_json(self, tmp_path: Path, data: bytes, says: str) -> None:
        with pytest.raises(UsageError, match=says):
            self.load(tmp_path, data)

    def test_a_hundred_megabytes_are_not_read(self, tmp_path: Path) -> None:
        path = tmp_path / "plan.json"
        with path.open("wb") as file:
            file.truncate(100 * 1024 * 1024)
        with pytest.raises(UsageError, match="larger than 16 MiB"):
            load(path)

    @pytest.mark.parametrize(
        ("path", "says"), [("no.json", "not there"), (".", "folder"), ("a\0b", "cannot be read")]
    )
    def test_what_cannot_be_read(self, tmp_path: Path, path: str, says: str) -> None:
        with pytest.raises(UsageError, match=says):
            load(tmp_path / path)

    def test_a_device_that_never_ends_is_not_read(self) -> None:
        with pytest.raises(UsageError, match="a pipe or a device"):
            load(Path("/dev/zero"))

    def test_a_pipe_that_nobody_writes_to_holds_nothing_up(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "plan.json")
        with pytest.raises(UsageError, match="a pipe or a device"):
            load(tmp_path / "plan.json")


@settings(max_examples=tries(200))
@given(before=zones(), policy=policies)
def test_what_the_program_plans_it_also_takes_back(before: Zone, policy: DomainPolicy) -> None:
    backend = ZoneFiles([before])
    keys = Sources(stdin=lambda: key_record().encode())
    if policy.dkim:
        policy = policy.model_copy(update={"dkim": DkimPolicy(source="-", selector="dkim")})
    wish = Wish("example.com", policy.settled())
    plan = planning.plan(Session(backend, Answering(answers=dns()), keys), [wish])
    document = planfile.plan_document(plan, {"example.com": Grounds.of(wish)})
    document = json.loads(documents.dumps(document))
    VALIDATOR.validate(document)
    for zone in document["zones"]:
        zone.pop("held", None)  # is told, and never believed
    assert planfile.plan_document(read(document).plan, read(document).grounds) == document


@given(st.binary(max_size=200))
def test_random_bytes_are_never_a_plan(data: bytes) -> None:
    with pytest.raises(MailauthError):
        read(documents.parse(data, "plan.json", "a plan file"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        deeper = isinstance(inner, (dict, list))
        found += paths(inner, (*path, key)) if deeper else [(*path, key)]
    return found


PATHS = paths(DOCUMENT["zones"])
TEMPTING = st.sampled_from(
    ["", "@", "*", "www", "TXT", "A", "v=spf1 +all", "v=DMARC1;p=none", "create", "delete", "0"]
)


@given(JSON)
def test_random_json_is_never_a_plan_and_never_a_traceback(document: object) -> None:
    with pytest.raises(MailauthError):
        read(document)


def holder_of(document: Any, path: tuple[Any, ...]) -> Any:
    """What holds the value at a path; an earlier mutation may have taken it away."""
    holder: Any = document["zones"]
    for step in path[:-1]:
        holder = holder[step]
    return holder


@settings(max_examples=tries(400))
@given(data=st.data())
def test_a_mutated_plan_is_refused_or_says_what_any_plan_may_say(data: st.DataObject) -> None:
    document = copy.deepcopy(DOCUMENT)
    for path in data.draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=3)):
        with suppress(KeyError, IndexError, TypeError):
            holder_of(document, path)[path[-1]] = data.draw(TEMPTING | JSON)
    with suppress(KeyError, TypeError):  # else the old digest stays, and does not fit
        document = signed(document)
    try:
        saved = read(document)
    except MailauthError:
        return
    VALIDATOR.validate(document)
    for change_set in saved.plan.zones:
        for change in change_set.changes:
            record = change.after or change.before
            assert record is not None
            assert record.type == "TXT"
            assert record.hostname.split(".")[0] not in ("*", "www")

"""The JSON of a plan is a contract: keys, order, digest, bytes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth import documents, planfile
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.plan import ChangeSet, Failure, Kept, Plan, Result, RunResult, Status
from netcup_mailauth.policy import DkimPolicy, DomainPolicy, Grounds, Wish
from netcup_mailauth.records import DnsRecord, Kind, Zone
from netcup_mailauth.version import __version__
from tests.core.judge.cases import wants
from tests.core.render.samples import (
    CCP,
    CHANGE_SETS,
    DMARC,
    ED25519,
    FINDINGS,
    NETCUP_SPF,
    PLACE,
    PLANS,
    RSA,
    RSA_FINGERPRINT,
    RUNS,
    SPF,
    change,
    txt,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

COVERED = ("domain", "zone", "backend", "endpoint", "account", "changes", "unchanged", "allow")

SAMPLE = ChangeSet(
    PLACE,
    (
        change(Kind.SPF, NETCUP_SPF, SPF),
        change(
            Kind.DKIM, None, RSA, source="mailcow at mail.example.com", fingerprint=RSA_FINGERPRINT
        ),
        change(Kind.DKIM, ED25519, None, "old._domainkey"),
    ),
    (Kept(Kind.DMARC, txt(DMARC, "_dmarc", "405430")),),
    untouched=12,
    untouched_beside=1,
    findings=(Finding("spf-drops-sender", Severity.DANGER, "A sender.", "Keep it."),),
    allow=("spf-drops-sender",),
)


def record(identifier: str | None, hostname: str, value: str) -> dict[str, Any]:
    """A record as DESIGN, section 4, has it in ``before``; ``after`` is the same less the id."""
    fields = {"hostname": hostname, "type": "TXT", "priority": "0", "destination": value}
    return {"id": identifier, **fields, "ttl": None}


def less_id(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "id"}


ZONE = {
    "domain": "example.com",
    "zone": "example.com",
    "backend": "ccp",
    "endpoint": CCP,
    "account": "0123456789ab",
    "changes": [
        {
            "action": "update",
            "kind": "spf",
            "hostname": "@",
            "type": "TXT",
            "before": record("405422", "@", NETCUP_SPF),
            "after": less_id(record(None, "@", SPF)),
        },
        {
            "action": "create",
            "kind": "dkim",
            "hostname": "dkim._domainkey",
            "type": "TXT",
            "before": None,
            "after": less_id(record(None, "dkim._domainkey", RSA)),
            "source": "mailcow at mail.example.com",
            "fingerprint": RSA_FINGERPRINT,
        },
        {
            "action": "delete",
            "kind": "dkim",
            "hostname": "old._domainkey",
            "type": "TXT",
            "before": record("405422", "old._domainkey", ED25519),
            "after": None,
            "source": None,
            "fingerprint": None,
        },
    ],
    "unchanged": [
        {
            "kind": "dmarc",
            "hostname": "_dmarc",
            "type": "TXT",
            "id": "405430",
            "priority": "0",
            "destination": DMARC,
            "ttl": None,
        }
    ],
    "untouched": 12,
    "findings": [
        {
            "code": "spf-drops-sender",
            "severity": "danger",
            "message": "A sender.",
            "advice": "Keep it.",
        }
    ],
    "allow": ["spf-drops-sender"],
    "error": None,
}


def independent_digest(zones: list[dict[str, Any]]) -> str:
    covered = [{key: zone[key] for key in COVERED} for zone in zones]
    text = json.dumps({"schema": 1, "zones": covered}, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"


def test_a_plan_document_has_the_keys_of_the_contract_in_their_order() -> None:
    expected = {
        "schema": 1,
        "tool": f"netcup-mailauth {__version__}",
        "digest": independent_digest([ZONE]),
        "zones": [ZONE],
    }
    document = planfile.plan_document(Plan((SAMPLE,)))
    assert json.dumps(document, indent=1) == json.dumps(expected, indent=1)


def test_a_dkim_change_without_a_fingerprint_still_says_where_its_record_comes_from() -> None:
    revoked = change(Kind.DKIM, RSA, "v=DKIM1;p=", source="record")
    (shown,) = planfile.zone_document(ChangeSet(PLACE, (revoked,)))["changes"]
    assert list(shown)[-2:] == ["source", "fingerprint"]
    assert (shown["source"], shown["fingerprint"]) == ("record", None)


def test_a_time_to_live_and_a_priority_are_kept() -> None:
    live = DnsRecord("x", "_dmarc", "TXT", DMARC, "7", 300)
    (shown,) = planfile.zone_document(ChangeSet(PLACE, unchanged=(Kept(Kind.DMARC, live),)))[
        "unchanged"
    ]
    assert (shown["priority"], shown["ttl"]) == ("7", 300)


def test_a_domain_that_could_not_be_planned_says_why() -> None:
    failed = ChangeSet(PLACE, error=Failure(ExitCode.ZONE, "Not here.", "Look elsewhere."))
    assert planfile.zone_document(failed)["error"] == {
        "exit_code": 5,
        "message": "Not here.",
        "advice": "Look elsewhere.",
    }


def test_the_digest_of_a_plan_stays_the_same_from_version_to_version() -> None:
    """A reviewed plan file must still apply after an update of the program."""
    assert planfile.digest([ZONE]) == (
        "sha256:9064acfa64a40fb3f303c934fa556e7ebe398d6f3db414c2c7e11c1fba172c35"
    )


@given(PLANS)
def test_the_digest_covers_exactly_what_is_named_in_the_contract(plan: Plan) -> None:
    document = planfile.plan_document(plan)
    assert document["digest"] == independent_digest(document["zones"])


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value in a document that is no list and no object."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path


COVERED_LEAVES = [path for path in leaves(ZONE) if path[0] in COVERED]


@pytest.mark.parametrize("path", COVERED_LEAVES, ids=lambda path: ".".join(map(str, path)))
def test_whatever_is_covered_changes_the_digest_when_it_changes(path: tuple[Any, ...]) -> None:
    damaged = json.loads(json.dumps(ZONE))
    holder = damaged
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = f"{holder[path[-1]]}x"
    assert planfile.digest([damaged]) != planfile.digest([ZONE])


@pytest.mark.parametrize(
    "grounds",
    [
        Grounds(spf_drop=("mx",)),
        Grounds(whole=(Kind.SPF,)),
        Grounds(parked=True),
        Grounds(servers=("mail.example.com",)),
        Grounds(source_ref="mailcow"),
        Grounds(dkim_left_out=True),
    ],
)
def test_what_a_plan_was_judged_by_is_said_and_covered(grounds: Grounds) -> None:
    plan = Plan((SAMPLE,))
    document = planfile.plan_document(plan, {"example.com": grounds})
    assert document["zones"] == [{**ZONE, **grounds.document}]
    assert document["digest"] != planfile.plan_document(plan)["digest"]
    assert planfile.plan_document(plan, {"example.com": Grounds()}) == planfile.plan_document(plan)


@pytest.mark.parametrize(
    ("policy", "host", "grounds"),
    [
        (DomainPolicy(), None, Grounds()),
        (wants(spf={"require": ["mx"], "drop": ["a"]}), None, Grounds(spf_drop=("a",))),
        (wants(spf=SPF, dmarc=DMARC), None, Grounds(whole=(Kind.SPF, Kind.DMARC))),
        (wants(server=["192.0.2.1"]), "mail.example.com", Grounds(servers=("192.0.2.1",))),
        (wants(dkim="dkim"), None, Grounds()),
        (
            DomainPolicy(dkim=DkimPolicy(source="mailcow")),
            "mail.example.com",
            Grounds(servers=("mail.example.com",), source_ref="mailcow"),
        ),
        (
            DomainPolicy(dkim=DkimPolicy(source="file:/etc/dkim.pem")),
            None,
            Grounds(source_ref="file:/etc/dkim.pem"),
        ),
        (DomainPolicy(dkim=DkimPolicy(source="-")), None, Grounds()),
    ],
)
def test_the_grounds_of_a_policy(policy: DomainPolicy, host: str | None, grounds: Grounds) -> None:
    assert Grounds.of(Wish("example.com", policy), host) == grounds


def test_a_key_that_was_left_out_is_among_the_grounds_and_not_to_be_asked_for() -> None:
    wish = Wish("example.com", wants(dmarc=DMARC), dkim_left_out="mailcow")
    grounds = Grounds.of(wish, "mail.example.com")
    assert grounds == Grounds(
        whole=(Kind.DMARC,), servers=("mail.example.com",), dkim_left_out=True
    )
    assert grounds.document["consent"] == {"whole": ["dmarc"], "dkim_left_out": True}


@given(CHANGE_SETS, CHANGE_SETS, st.sampled_from(["place", "changes", "unchanged", "allow"]))
def test_a_different_place_change_kept_record_or_consent_is_a_different_digest(
    one: ChangeSet, other: ChangeSet, field: str
) -> None:
    altered = replace(one, **{field: getattr(other, field)})
    before, after = (planfile.zone_document(each) for each in (one, altered))
    same = all(before[key] == after[key] for key in COVERED)
    assert (planfile.digest([before]) == planfile.digest([after])) is same


@given(CHANGE_SETS, st.lists(FINDINGS), st.integers(0, 99), st.integers(0, 9))
def test_findings_counts_and_errors_do_not_change_the_digest(
    planned: ChangeSet, findings: list[Finding], untouched: int, beside: int
) -> None:
    altered = replace(
        planned,
        findings=tuple(findings),
        untouched=untouched,
        untouched_beside=beside,
        error=Failure(ExitCode.ERROR, "no"),
    )
    digests = [planfile.digest([planfile.zone_document(each)]) for each in (planned, altered)]
    assert digests[0] == digests[1]


def test_the_order_and_the_number_of_zones_count() -> None:
    other = {**ZONE, "domain": "example.org"}
    digests = {planfile.digest(zones) for zones in ([], [ZONE], [ZONE, other], [other, ZONE])}
    assert len(digests) == 4


@given(PLANS)
def test_a_document_is_ascii_ends_in_a_newline_and_reads_back(plan: Plan) -> None:
    document = planfile.plan_document(plan)
    text = documents.dumps(document)
    assert text.isascii()
    assert text.endswith("}\n")
    assert json.loads(text) == document
    assert planfile.digest(json.loads(text)["zones"]) == document["digest"]


def test_the_same_plan_gives_the_same_bytes_in_every_process() -> None:
    program = (
        "from netcup_mailauth import documents, planfile, plan;"
        "from tests.core.test_planfile import SAMPLE;"
        "print(documents.dumps(planfile.plan_document(plan.Plan((SAMPLE,)))), end='')"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    }
    assert outputs == {documents.dumps(planfile.plan_document(Plan((SAMPLE,))))}


@pytest.mark.parametrize(
    ("status", "applied", "verified"),
    [
        (Status.UNCHANGED, False, True),
        (Status.APPLIED, True, True),
        (Status.ALREADY, False, True),
        (Status.REFUSED, False, False),
        (Status.STALE, False, False),
        (Status.FAILED, False, False),
        (Status.UNKNOWN, False, False),
        (Status.NOT_TRIED, False, False),
    ],
)
def test_a_run_document_says_of_each_zone_what_became_of_it(
    status: Status, applied: bool, verified: bool
) -> None:
    document = planfile.run_document(RunResult((Result(SAMPLE, status, notes=("Note.",)),)))
    (zone,) = document["zones"]
    assert list(zone) == [*ZONE, "applied", "verified", "result", "notes"]
    assert (zone["applied"], zone["verified"]) == (applied, verified)
    assert (zone["result"], zone["notes"]) == (status.value, ["Note."])


@given(RUNS)
def test_a_run_document_is_its_plans_with_the_outcome_in_it(run: RunResult) -> None:
    plan = planfile.plan_document(Plan(tuple(result.change_set for result in run.results)))
    document = planfile.run_document(run)
    outcome = ("applied", "verified", "result", "notes", "error")
    for zone in (*plan["zones"], *document["zones"]):
        for key in outcome:
            zone.pop(key, None)
    assert json.dumps(document) == json.dumps(plan)


def test_a_failed_write_says_why_in_the_run_document() -> None:
    failure = Failure(ExitCode.UNVERIFIED, "Lost.", "Again.")
    document = planfile.run_document(RunResult((Result(SAMPLE, Status.UNKNOWN, failure),)))
    assert document["zones"][0]["error"]["exit_code"] == 8


def test_the_records_of_a_zone_have_the_keys_of_the_contract_in_their_order() -> None:
    zone = Zone(
        "example.com",
        "ccp",
        (
            DnsRecord("1", "@", "MX", "mail.example.com", "10"),
            DnsRecord(None, "@", "TXT", SPF, ttl=300, raw='"v=spf1"'),
        ),
        revision="7",
    )
    mx = {**record("1", "@", "mail.example.com"), "type": "MX", "priority": "10"}
    expected = {
        "schema": 1,
        "domain": "example.com",
        "backend": "ccp",
        "records": [mx, {**record(None, "@", SPF), "ttl": 300}],
    }
    assert json.dumps(documents.zone_listing(zone)) == json.dumps(expected)

"""Whatever stands in a zone: the guard judges it and never fails, and what stops is exact."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netcup_mailauth.errors import MailauthError
from netcup_mailauth.findings import CODES, Finding, Severity
from netcup_mailauth.judge import guard, holding
from netcup_mailauth.judge.case import Signer
from netcup_mailauth.lookup import Answer, Status
from netcup_mailauth.plan import ChangeSet, Place
from netcup_mailauth.policy import DmarcPolicy, DomainPolicy, SpfPolicy
from netcup_mailauth.records import DnsRecord, Kind, Zone
from tests.core.judge.cases import case_of, creates, key_record, source, to_type, wants
from tests.effort import tries
from tests.strategies import DMARC_TEXTS, KEYS, SPF_TEXTS, zones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.lookup import Query

TERMS = (
    "mx",
    "a",
    "-a",
    "ip4:203.0.113.7",
    "include:x.example",
    "redirect=x.example",
    "ptr",
    "-all",
)
KEYED = source(key_record())


def terms() -> st.SearchStrategy[list[str] | None]:
    return st.none() | st.lists(st.sampled_from(TERMS), max_size=3)


policies = st.builds(
    DomainPolicy,
    spf=st.none()
    | st.builds(
        SpfPolicy,
        require=terms(),
        drop=terms(),
        all=st.sampled_from([None, "fail", "softfail", "neutral"]),
    )
    | st.builds(
        SpfPolicy,
        record=st.sampled_from(
            ["v=spf1 -all", "v=spf1 mx +all", "v=spf1", "v=spf1 redirect=x.example"]
        ),
        drop=terms(),
    ),
    dmarc=st.none()
    | st.builds(
        DmarcPolicy,
        policy=st.sampled_from([None, "none", "reject"]),
        subdomain_policy=st.sampled_from([None, "none", "quarantine"]),
        rua=st.none() | st.just(["mailto:a@example.com", "mailto:b@example.net"]),
    )
    | st.just(DmarcPolicy(record="v=DMARC1;p=quarantine")),
    dkim=st.sampled_from([None, wants(dkim="dkim").dkim]),
    parked=st.none(),
)

odd_texts = (
    st.sampled_from((*SPF_TEXTS, *KEYS, *DMARC_TEXTS))
    | st.text(max_size=40)
    | st.builds(
        "{}{}".format, st.sampled_from(["v=spf1 ", "v=DMARC1;", "v=DKIM1;p="]), st.text(max_size=30)
    )
)
odd_records = st.builds(
    DnsRecord,
    id=st.none(),
    hostname=st.sampled_from(["@", "*", "_dmarc", "dkim._domainkey", "x", "a..b", "-", "ü", "@.@"])
    | st.text(min_size=1, max_size=8),
    type=st.sampled_from(["TXT", "A", "AAAA", "MX", "CNAME", "NS", "SRV"]),
    destination=odd_texts | st.sampled_from(["", ".", "@", "192.0.2.1", "fe80::1%eth0", "a..b"]),
    priority=st.sampled_from(["0", "10", "x", ""]),
)
odd_zones = st.lists(odd_records, max_size=12).map(
    lambda records: Zone("example.com", "ccp", tuple(records))
)


def patchy(queries: Sequence[Query]) -> list[Answer]:
    """DNS that answers some questions, and some with nonsense."""
    ways = [
        Answer(Status.NXDOMAIN),
        Answer(Status.TIMEOUT),
        Answer(Status.EMPTY),
        Answer(Status.SERVFAIL),
    ]
    text = Answer(Status.OK, ("v=spf1 a:y.example mx ~all",))
    return [
        text if query.type == "TXT" and "x" in query.name else ways[len(query.name) % 4]
        for query in queries
    ]


def check(before: Zone, policy: DomainPolicy) -> None:
    try:
        case, findings = case_of(
            before,
            policy,
            KEYED,
            dns=patchy,
            hosts=("mail.example.com", "203.0.113.7")[: len(before.records) % 3],
            signer=Signer(KEYED.key, "dkim"),
            remembered=before,
        )
    except MailauthError:
        return  # parts that make no record: said in words of our own
    for finding in [*findings, *guard.judge(case)]:
        assert finding.code in CODES
        assert finding.message
        assert "--allow" not in finding.advice
        to_type(finding)
    guard.priced(case)


@settings(max_examples=tries(400))
@given(zones(), policies)
def test_any_wish_for_a_zone_of_usual_texts_is_judged(before: Zone, policy: DomainPolicy) -> None:
    check(before, policy)


@settings(max_examples=tries(400))
@given(odd_zones, policies)
def test_any_text_under_any_name_is_judged(before: Zone, policy: DomainPolicy) -> None:
    check(before, policy)


# What stops an apply


def change_set(*findings: Finding, changes: bool = True, allow: Sequence[str] = ()) -> ChangeSet:
    change = creates(Kind.SPF, "@", "v=spf1 -all")
    return ChangeSet(
        Place("example.com", "example.com"),
        (change,) if changes else (),
        findings=findings,
        allow=tuple(allow),
    )


DANGER = Finding("spf-removed", Severity.DANGER, "x")
REFUSED = replace(DANGER, severity=Severity.REFUSED)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (change_set(DANGER), (DANGER,)),
        (change_set(DANGER, allow=["spf-removed"]), ()),
        (change_set(DANGER, allow=["spf-multiple"]), (DANGER,)),
        (change_set(DANGER, changes=False), ()),
        (change_set(REFUSED, allow=["spf-removed"]), (REFUSED,)),
        (change_set(REFUSED, changes=False), (REFUSED,)),
        (change_set(replace(DANGER, severity=Severity.WARNING)), ()),
        (change_set(replace(DANGER, severity=Severity.NOTE)), ()),
    ],
)
def test_a_danger_stops_unless_allowed_and_a_refusal_always(
    of: ChangeSet, expected: tuple[Finding, ...]
) -> None:
    assert holding.stopping(of) == expected

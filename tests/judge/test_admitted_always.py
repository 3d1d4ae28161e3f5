"""Of any SPF record and any edit: nobody who was shut out by name passes without being named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netcup_mailauth import spf
from netcup_mailauth.errors import RecordError
from netcup_mailauth.findings import by_gravity
from netcup_mailauth.judge import guard
from netcup_mailauth.kinds import of_kind
from netcup_mailauth.lookup import ZoneLookup
from netcup_mailauth.records import Kind
from tests.effort import SOME, tries
from tests.judge.carved import ADDRESSES, WORLD, edits, records
from tests.judge.cases import DMARC, DOMAIN, case_of, dns, judged, mail_zone, to_type, wants

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.judge.guard import Case
    from netcup_mailauth.records import DnsRecord

EXAMPLES = settings(
    max_examples=tries(500),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def unnamed(case: Case, message: str, parts: dict[str, Any]) -> Iterator[str]:
    """Those who were shut out by name, pass now, and are named nowhere."""
    old = of_kind(case.before, Kind.SPF, "@")
    (new,) = of_kind(case.after, Kind.SPF, "@")
    for live in old:
        for address in ADDRESSES:
            for local in ("postmaster", "sales"):
                was, now = (
                    spf.check_host(
                        address,
                        case.domain,
                        f"{local}@{case.domain}",
                        ZoneLookup(zone, dns(WORLD)),
                        record=text,
                    )
                    for zone, text in (
                        (case.before, live.destination),
                        (case.after, new.destination),
                    )
                )
                if was.result not in ("fail", "softfail", "neutral") or now.result != "pass":
                    continue
                if was.term is None or was.term.is_all or is_named(was.term, old, message):
                    continue
                assert now.term is not None
                if not is_consented(parts, was.term, now.term):
                    yield f"{address} {was.term.text} -> {now.term.text}"


def is_named(term: spf.Term, old: Sequence[DnsRecord], message: str) -> bool:
    """Whether the message has the term, or what means the same in another of the live records."""
    told = (each for live in old for each in spf.parse(live.destination).mechanisms)
    alike = (each for each in told if spf.spelt_out(DOMAIN, each) == spf.spelt_out(DOMAIN, term))
    return term.text in message or any(each.text in message for each in alike)


def is_consented(parts: dict[str, Any], was: spf.Term, now: spf.Term) -> bool:
    dropped = spf.drop(spf.SpfRecord("v=spf1", (was,)), *parts.get("drop", ()))
    was, now = spf.spelt_out(DOMAIN, was), spf.spelt_out(DOMAIN, now)
    named = [spf.spelt_out(DOMAIN, spf.parse_term(text)) for text in parts.get("require", ())]
    inside = any(
        was.encloses(term)
        and (term.encloses(now) or term.encloses(was))
        and not (was.unqualified == term.unqualified and was.qualifier is spf.Qualifier.FAIL)
        for term in named
    )
    return not dropped.terms or inside


@EXAMPLES
@given(st.data())
def test_nobody_shut_out_by_name_passes_without_being_named(data: st.DataObject) -> None:
    live = [data.draw(records()) for _ in range(data.draw(st.sampled_from((1, 1, 1, 2))))]
    wish = data.draw(edits(live))
    try:
        case, found = case_of(mail_zone(live, DMARC, ()), wants(wish), dns=dns(WORLD))
    except RecordError:
        return
    if len(of_kind(case.after, Kind.SPF, "@")) != 1:
        return
    findings = by_gravity([*found, *guard.judge(case)])
    message = " ".join(f.message for f in findings if f.code == "spf-admits-excluded")
    parts = {} if isinstance(wish, str) else wish
    assert list(unnamed(case, message, parts)) == []


@SOME
@given(st.data())
def test_what_is_advised_about_one_record_ends_the_finding_and_refuses_nothing(
    data: st.DataObject,
) -> None:
    live = [data.draw(records())]
    try:
        wish = wants(data.draw(edits(live)))
        found = judged(mail_zone(live, DMARC, ()), wish, dns=dns(WORLD))
    except RecordError:
        return
    for finding in found:
        for policy in to_type(finding) if finding.code == "spf-admits-excluded" else ():
            again = judged(mail_zone(live, DMARC, ()), policy, dns=dns(WORLD))
            assert "spf-admits-excluded" not in {each.code for each in again}
            assert "refused" not in {each.severity for each in again}

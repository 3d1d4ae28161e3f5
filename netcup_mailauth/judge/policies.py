"""What a receiver makes of DMARC: which record applies, what it asks for, who gets reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import dmarc
from netcup_mailauth.dmarc import POLICIES
from netcup_mailauth.findings import Severity
from netcup_mailauth.judge import dmarc as dmarc_faults
from netcup_mailauth.judge import faults
from netcup_mailauth.judge.verdict import text_answer, texts
from netcup_mailauth.lookup import Status
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from netcup_mailauth.dmarc import DmarcRecord, Policy
    from netcup_mailauth.judge.verdict import Subject, Verdict
    from netcup_mailauth.lookup import Lookup

_FATE = {"none": "delivered", "quarantine": "quarantined", "reject": "rejected"}


def judge(verdict: Verdict, subject: Subject, lookup: Lookup) -> None:
    """Add what follows from the DMARC record that applies to the domain."""
    name = f"_dmarc.{subject.domain}"
    answer = text_answer(name, lookup)
    found = texts(Kind.DMARC, answer)
    if len(found) > 1:
        command = faults.plan(subject.domain)
        verdict.add((Kind.DMARC, name), dmarc_faults.multiple(subject.domain, found, command))
    values = found or answer.values  # else what was meant as one
    meant = [v for v in values if v.strip(" \t\"'").lower().startswith("v=dmarc")]
    if len(meant) == 1:
        verdict.add((Kind.DMARC, name), *dmarc_faults.syntax(name, meant[0], Severity.DANGER))
    _applied(verdict, subject, lookup)


def _applied(verdict: Verdict, subject: Subject, lookup: Lookup) -> None:
    found = dmarc.discover(subject.domain, lookup)
    record = dmarc.read(found.record_text) if found.record_text else None
    if record is None or found.found_at is None or not record.in_force:
        verdict.conclusions.append(
            f"DMARC: not found out, DNS gave no answer for {', '.join(found.failed)}"
            if found.failed
            else "DMARC: no policy applies; failing mail is delivered"
        )
        return
    own = found.found_at == subject.domain
    policy = dmarc.applied_policy(record) if own else _for_sub_domain(subject, record, lookup)
    verdict.inherited = "" if own else found.found_at
    verdict.conclusions.append(
        f"DMARC: failing mail is {_FATE[policy]}, as _dmarc.{found.found_at} "
        + ("says" if own else "says for its sub-domains")
    )
    _reports(verdict, subject, found.found_at, record, lookup)


def _for_sub_domain(subject: Subject, record: DmarcRecord, lookup: Lookup) -> Policy:
    """What the record of the organisational domain asks for below it (RFC 9989, 4.7: sp, np)."""
    gone = text_answer(subject.domain, lookup).status is Status.NXDOMAIN
    policy = record.effective_nonexistent_policy if gone else record.effective_subdomain_policy
    lowered = max(POLICIES.index(policy) - 1, 0)
    return POLICIES[lowered] if record.t == "y" else policy


def _reports(
    verdict: Verdict, subject: Subject, at: str, record: DmarcRecord, lookup: Lookup
) -> None:
    """Whether anybody hears of failing mail; ``at`` is the domain whose record it is."""
    about = (Kind.DMARC, f"_dmarc.{subject.domain}")
    if not subject.parked:
        to_copy = faults.line([("--rua", f"mailto:postmaster@{at}")], faults.plan(at))
        verdict.add(about, *dmarc_faults.no_reports(record, to_copy))
    for uri in filter(dmarc_faults.is_valid, record.rua):  # of others dmarc-syntax tells
        verdict.add(about, *dmarc_faults.unauthorised(at, uri, lookup))

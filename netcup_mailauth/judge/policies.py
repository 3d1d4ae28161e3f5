"""What a receiver makes of DMARC: which record applies, what it asks for, who gets reports."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from netcup_mailauth import dmarc
from netcup_mailauth.dmarc import POLICIES, Authorisation
from netcup_mailauth.errors import RecordError
from netcup_mailauth.findings import Severity
from netcup_mailauth.judge.states import problem_of
from netcup_mailauth.judge.verdict import text_answer, texts
from netcup_mailauth.lookup import Status
from netcup_mailauth.printable import visible
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        verdict.find(
            (Kind.DMARC, name),
            "dmarc-multiple",
            Severity.DANGER,
            f"{subject.domain} has {len(found)} DMARC records, so receivers ignore them all: "
            f"{'; and '.join(found)}",
            "Give the one that is meant whole; the others are then deleted:\n"
            f"  netcup-mailauth plan {subject.domain} --dmarc {shlex.quote(visible(found[0]))}",
        )
    _syntax(verdict, name, found or answer.values)
    _applied(verdict, subject, lookup)


def _syntax(verdict: Verdict, name: str, values: Sequence[str]) -> None:
    """What is wrong with the one record, or with what was meant as one."""
    meant = [v for v in values if v.strip(" \t\"'").lower().startswith("v=dmarc")]
    problem = problem_of(Kind.DMARC, meant[0]) if len(meant) == 1 else None
    if problem is not None:
        message = f"{name}: {problem.what}"
        verdict.find((Kind.DMARC, name), "dmarc-syntax", Severity.DANGER, message, problem.advice)


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
    if not record.rua and not subject.parked:
        verdict.find(
            about,
            "dmarc-no-reports",
            Severity.WARNING,
            "The DMARC record names no address for reports, so nobody sees which mail fails.",
            f"Add one:\n  netcup-mailauth plan {at} --rua mailto:postmaster@{at}",
        )
    for uri in record.rua:
        try:
            answer = dmarc.authorisation(at, uri, lookup)
            host = dmarc.report_host(uri)
        except RecordError:
            continue  # said as dmarc-syntax
        if answer is Authorisation.MISSING:
            verdict.find(
                about,
                "dmarc-report-not-authorised",
                Severity.DANGER,
                f"{host} has not agreed to get reports about {at}, so none are sent to {uri}.",
                "It agrees with a record in its zone:\n"
                f'  {dmarc.authorisation_name(at, host)} TXT "v=DMARC1"',
            )
        elif answer is Authorisation.UNKNOWN:
            verdict.find(
                about,
                "dmarc-report-not-authorised",
                Severity.WARNING,
                f"DNS gave no answer on whether {host} takes reports about {at}.",
                "Try again when DNS answers.",
            )

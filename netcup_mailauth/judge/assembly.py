"""The parts of a check put together as one report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth.judge import guard
from netcup_mailauth.judge.report import DomainCheck

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.findings import Finding
    from netcup_mailauth.judge.report import Basis, CheckedRecord
    from netcup_mailauth.judge.targets import Known
    from netcup_mailauth.judge.verdict import Verdict


def assembled(
    known: Known,
    basis: Basis,
    records: Sequence[CheckedRecord],
    verdict: Verdict,
    decided: Sequence[Finding],
    more: Sequence[Finding],
) -> DomainCheck:
    """The report: each finding once, at the record it is about if there is one.

    Args:
        known: the domain.
        basis: what its records are held against.
        records: the records as the servers have them.
        verdict: what a receiver concludes.
        decided: what had to be decided about the records wanted.
        more: what else was found.
    """
    own = {(record.kind, record.name): record for record in records}
    others = []
    for about, finding in dict.fromkeys(verdict.findings):
        if about in own:
            record = own[about]
            own[about] = replace(record, findings=guard.by_gravity([*record.findings, finding]))
        else:
            others.append(finding)
    # What was decided on the way is about a change that is not being made: where a receiver sees
    # the same, its finding says it better.
    said = {finding.code for _, finding in verdict.findings}
    unsaid = [finding for finding in decided if finding.code not in said]
    return DomainCheck(
        known.domain,
        basis,
        tuple(own.values()),
        guard.by_gravity([*unsaid, *others, *more]),
        tuple(verdict.conclusions),
        tuple(verdict.costs),
        known.wish.allow,
    )

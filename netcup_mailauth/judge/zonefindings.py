"""What the guard knows about a zone or its records, and a receiver does not see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netcup_mailauth.judge import guard
from netcup_mailauth.judge.faults import problem_of
from netcup_mailauth.judge.guard import Case
from netcup_mailauth.judge.verdict import text_answer
from netcup_mailauth.names import relative
from netcup_mailauth.plan import ChangeSet, Kept, Place
from netcup_mailauth.records import DnsRecord, Zone, is_of_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.findings import Finding
    from netcup_mailauth.judge.states import Target
    from netcup_mailauth.judge.targets import Known
    from netcup_mailauth.lookup import Lookup

OF_RECORDS = frozenset(
    {
        "dmarc-policy-none",
        "dmarc-reject-and-mailing-lists",
        "dmarc-removed-tag",
        "spf-fail-and-forwarding",
    }
)
"""Codes that a record is enough for."""
OF_ZONES = frozenset(
    {
        "dmarc-enforces-without-dkim",
        "misplaced-record",
        "stale-netcup-mail",
        "wildcard-txt",
        "zone-has-draft",
    }
)
"""Codes that it takes the whole zone for: netcup's copy of it."""

_NAME = re.compile(r"[\w*-]+(?:\.[\w-]+)+")


def findings(
    known: Known,
    targets: Sequence[Target],
    lookup: Lookup,
    said: Sequence[Finding],
    *,
    parked: bool,
) -> list[Finding]:
    """The findings of the guard, less those that ``said`` tells already."""
    zone = known.live or _of_targets(known.zone, targets, lookup)
    kept = [
        Kept(target.kind, record)
        for target in targets
        for record in zone.of_kind(target.kind, relative(target.name, known.zone))
        # Of a broken one there is nothing to say but that it is broken.
        if problem_of(target.kind, record.destination) is None
    ]
    change_set = ChangeSet(Place(known.domain, known.zone), unchanged=tuple(kept))
    codes = OF_RECORDS | OF_ZONES if known.live is not None else OF_RECORDS
    policy = known.wish.policy.model_copy(update={"parked": parked})
    judged = guard.judge(Case(change_set, zone, policy))
    return [f for f in judged if f.code in codes and not any(_is_same(f, other) for other in said)]


def _of_targets(zone: str, targets: Sequence[Target], lookup: Lookup) -> Zone:
    """The zone as far as the records looked for go, as DNS has it."""
    records = tuple(
        DnsRecord(None, relative(target.name, zone), "TXT", value)
        for target in targets
        for value in text_answer(target.name, lookup).values
        if is_of_kind(target.kind, value)
    )
    return Zone(zone, "dns", records)


def _is_same(finding: Finding, other: Finding) -> bool:
    """Whether both say the same of the same name."""
    names = set(_NAME.findall(other.message))
    return finding.code == other.code and bool(names.intersection(_NAME.findall(finding.message)))

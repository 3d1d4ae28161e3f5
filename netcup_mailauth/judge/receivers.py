"""What a receiver concludes from the records: may this server send, who signs, what if it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.findings import Severity
from netcup_mailauth.judge import policies, signatures, trying
from netcup_mailauth.judge.faults import problem_of
from netcup_mailauth.judge.verdict import Subject, Verdict, text_answer
from netcup_mailauth.lookup import Query
from netcup_mailauth.records import Kind, is_of_kind

if TYPE_CHECKING:
    from netcup_mailauth.lookup import Lookup

__all__ = ["Subject", "Verdict", "judge", "misplaced_names"]


def judge(subject: Subject, lookup: Lookup) -> Verdict:
    """What a receiver makes of the domain's mail, with DNS as ``lookup`` answers it."""
    verdict = Verdict()
    trying.judge(verdict, subject, lookup)
    signatures.judge(verdict, subject, lookup)
    policies.judge(verdict, subject, lookup)
    _misplaced(verdict, subject, lookup)
    return verdict


def misplaced_names(subject: Subject) -> list[tuple[Kind, str, str]]:
    """Names that people write by mistake, each with its kind and the right one."""
    domain = subject.domain
    return [
        (Kind.DMARC, f"dmarc.{domain}", f"_dmarc.{domain}"),
        *(
            (Kind.DKIM, f"{s}.domainkey.{domain}", f"{s}._domainkey.{domain}")
            for s in subject.selectors
        ),
    ]


def _misplaced(verdict: Verdict, subject: Subject, lookup: Lookup) -> None:
    """Records at such names; grave where the right name has none."""
    names = misplaced_names(subject)
    answers = lookup([Query(name, "TXT") for _, name, _ in names])
    for (kind, name, right), answer in zip(names, answers, strict=True):
        if not any(_is_meant(kind, value) for value in answer.values):
            continue
        there = any(is_of_kind(kind, value) for value in text_answer(right, lookup).values)
        verdict.find(
            (kind, right),
            "misplaced-record",
            Severity.WARNING if there else Severity.DANGER,
            f"There is a {kind.upper()} record at {name}, where no receiver looks: the underscore "
            "is missing.",
            "Delete it in the CCP." if there else f"It belongs at {right}",
        )


def _is_meant(kind: Kind, text: str) -> bool:
    """Whether a text is a record of the kind, and not what a wildcard answers."""
    return is_of_kind(kind, text) and problem_of(kind, text) is None

"""The faults of a DKIM record: whether receivers can use its key, and how good that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import dkim
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.kinds import problem_of
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.dkim import DkimRecord, PublicKey

OWN_SIGNATURE = "WEB.DE and GMX insist on a signature of the sender's own domain."
"""Said wherever there is none that could be valid (facts 2026-11-26, C3)."""

_BETTER = "Make one of 2048 bits."


def parsed(texts: Sequence[str]) -> list[DkimRecord]:
    """Those of the texts that are valid records."""
    return [dkim.parse(text) for text in texts if problem_of(Kind.DKIM, text) is None]


def keys(texts: Sequence[str]) -> list[PublicKey]:
    """The keys in those of the texts that are valid records."""
    return [record.key for record in parsed(texts) if record.key is not None]


def no_key(domain: str) -> Finding:
    """mailcow has no key for this domain; its live DKIM record stays as it is."""
    return Finding(
        "dkim-no-key",
        Severity.WARNING,
        f"mailcow has no DKIM key for {domain}, so its DKIM record stays as it is.",
        f"Make one in mailcow ({dkim.MAILCOW_PAGE}), then run this again.",
    )


def multiple(name: str, texts: Sequence[str]) -> Finding:
    """Several records at one selector (RFC 6376, 3.6.2.2)."""
    return Finding(
        "dkim-multiple",
        Severity.DANGER,
        f"{name} has {len(texts)} TXT records, so it is undefined which key counts: "
        f"{'; and '.join(map(dkim.abridged, texts))}",
        "Delete all but one in the CCP.",
    )


def syntax(name: str, text: str, severity: Severity) -> Iterator[Finding]:
    """What is wrong with the record at ``name``, if receivers cannot read it."""
    problem = problem_of(Kind.DKIM, text)
    if problem is not None:
        message = f"{name}: {problem.what} Every signature fails."
        yield Finding("dkim-syntax", severity, message, problem.advice)


def size(name: str, key: PublicKey, gravest: Severity) -> Iterator[Finding]:
    """That a key is too short, which weighs ``gravest``, or weak (RFC 8301, 3.2)."""
    best = dkim.RECOMMENDED_BITS
    if (problem := dkim.size_problem(key)) is not None:
        yield Finding("dkim-key-too-short", gravest, f"{name}: {problem}", _BETTER)
    elif key.algorithm == "rsa" and key.bits < best:
        weak = f"{name}: {key.label} is weak: signers should use at least {best} bits."
        yield Finding("dkim-key-1024", Severity.WARNING, weak, _BETTER)


def testing(name: str, record: DkimRecord) -> Iterator[Finding]:
    """That receivers are asked not to heed the signatures (RFC 6376, 3.6.1: t=y)."""
    if record.testing:
        yield Finding(
            "dkim-testing",
            Severity.WARNING,
            f"{name} says t=y: receivers treat signed mail as if it were not signed.",
            "Take t=y out when the signatures are right.",
        )


def note_left_out(note: str, reason: str) -> Finding:
    """That the ``n=`` of a key is not published, because the API cannot hold it."""
    return Finding(
        "dkim-n-left-out",
        Severity.NOTE,
        f"The n={note} of the DKIM record cannot be stored: {reason}. It is left out.",
        "It is a note for people, which receivers do not read.",
    )

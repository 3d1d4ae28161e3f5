"""Findings about the SPF record as a text: what it says of its own servers and of all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import spf
from netcup_mailauth.errors import RecordError
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import faults
from netcup_mailauth.judge.faults import fault
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.judge.guard import Case
    from netcup_mailauth.spf import SpfRecord

CODES = (
    "spf-syntax",
    "spf-multiple",
    "spf-removed",
    "spf-pass-all",
    "spf-ptr",
    "spf-after-all",
    "spf-no-all",
    "spf-neutral-all",
    "spf-loosens-all",
    "spf-softens-all",
    "spf-fail-and-forwarding",
)

_ADVICE = {
    "spf-ptr": "Name the addresses instead, as in ip4:203.0.113.7.",
    "spf-after-all": "Put the all last.",
    "spf-no-all": "End it with ~all or -all.",
    "spf-neutral-all": "End it with ~all or -all; ?all protects from nothing.",
    "spf-pass-all": "End it with ~all or -all: as it is, anyone can forge this domain.",
}


def findings(case: Case) -> Iterator[Finding]:
    """The findings about the texts of the SPF records concerned."""
    for hostname in case.hostnames(Kind.SPF):
        before = case.texts(case.before, Kind.SPF, hostname)
        after = case.texts(case.after, Kind.SPF, hostname)
        yield from _number(case, before, after)
        if len(after) == 1:
            yield from _text(case, hostname, before, after[0])


def parsed(texts: Sequence[str]) -> list[SpfRecord]:
    """Those of the texts that are valid records."""
    records = []
    for text in texts:
        try:
            records.append(spf.parse(text))
        except RecordError:
            continue
    return records


def _number(case: Case, before: Sequence[str], after: Sequence[str]) -> Iterator[Finding]:
    if before and not after:
        yield Finding(
            "spf-removed",
            Severity.DANGER,
            f"{case.domain} will have no SPF record any more; it is: {'; and '.join(before)}",
            "Receivers then cannot tell its servers from anybody else's.",
        )
    if len(after) > 1:
        yield fault(
            "spf-multiple",
            f"{case.domain} has {len(after)} SPF records, which receivers answer with permerror "
            f"for all of its mail: {'; and '.join(after)}",
            _one_of(parsed(after)),
            new=len(after) > len(before),
        )


def _one_of(records: Sequence[SpfRecord]) -> str:
    if not records:
        return "Make one of them."
    return f"Make one of them, as in:\n{faults.whole_spf(spf.merge(records).record)}"


def _text(case: Case, hostname: str, before: Sequence[str], text: str) -> Iterator[Finding]:
    try:
        new = spf.parse(text)
    except RecordError as error:
        if case.is_written(Kind.SPF, hostname):
            yield Finding("spf-syntax", Severity.REFUSED, error.what, error.advice)
        return
    old = parsed(before)
    yield from _lint(new, old)
    yield from _final_all(case, new, old)


def _lint(new: SpfRecord, old: Sequence[SpfRecord]) -> Iterator[Finding]:
    known = {problem.code for record in old for problem in spf.lint(record)}
    for problem in spf.lint(new):
        yield fault(
            problem.code,
            f"SPF: {problem.message}.",
            _ADVICE[problem.code],
            new=problem.code not in known,
            gravity=Severity.DANGER if problem.code == "spf-pass-all" else Severity.WARNING,
        )


def _final_all(case: Case, new: SpfRecord, old: Sequence[SpfRecord]) -> Iterator[Finding]:
    after = new.all_qualifier
    if after is spf.Qualifier.FAIL and not case.policy.parked:
        yield Finding(
            "spf-fail-and-forwarding",
            Severity.NOTE,
            "-all: some receivers reject forwarded mail by it before they look at DKIM.",
            "~all with DMARC protects as well (RFC 9989, 7.1).",
        )
    if not old or new.redirect_in_effect is not None:
        return
    qualifiers = [record.all_qualifier for record in old if record.redirect_in_effect is None]
    # Of two records receivers heeded neither, so the softer of them is no step back.
    before = min(qualifiers, key=_hardness, default=None)
    if _hardness(after) >= _hardness(before):
        return
    gentle = before is spf.Qualifier.FAIL and after is spf.Qualifier.SOFTFAIL
    yield Finding(
        "spf-softens-all" if gentle else "spf-loosens-all",
        Severity.WARNING if gentle else Severity.DANGER,
        f"Mail from all other servers: {_word(before)} -> {_word(after)}.",
        "Receivers will doubt it instead of rejecting it."
        if gentle
        else "As far as SPF goes, anyone can then send as this domain. Keep ~all or -all.",
    )


def _hardness(qualifier: spf.Qualifier | None) -> int:
    # A record without an all says as much about others as ?all (RFC 7208, 4.7).
    return list(spf.Qualifier).index(qualifier or spf.Qualifier.NEUTRAL)


def _word(qualifier: spf.Qualifier | None) -> str:
    return "nothing said (no all)" if qualifier is None else f"{qualifier.word} ({qualifier}all)"

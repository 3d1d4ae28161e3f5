"""What a receiver makes of the SPF record: what it costs, and whether our servers may send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import spf
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import faults
from netcup_mailauth.judge import spf as spf_faults
from netcup_mailauth.judge.faults import problem_of
from netcup_mailauth.judge.neighbours import addresses, exchanges
from netcup_mailauth.judge.verdict import text_answer, texts
from netcup_mailauth.records import Kind
from netcup_mailauth.spf import Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.judge.neighbours import Sender
    from netcup_mailauth.judge.verdict import Subject, Verdict
    from netcup_mailauth.lookup import Lookup
    from netcup_mailauth.spf import Cost


def judge(verdict: Verdict, subject: Subject, lookup: Lookup) -> None:
    """Add what follows from the SPF record."""
    about = (Kind.SPF, subject.domain)
    answer = text_answer(subject.domain, lookup)
    found = texts(Kind.SPF, answer)
    if not found:
        verdict.add(about, *_near_misses(answer.values))
    if len(found) > 1:
        command = faults.plan(subject.domain)
        verdict.add(about, spf_faults.multiple(subject.domain, found, command))
    elif found:
        verdict.add(about, *spf_faults.syntax(subject.domain, found[0], Severity.DANGER))
        for record in spf_faults.parsed(found):
            cost = spf.cost(record, subject.domain, lookup)
            verdict.costs += _tree(cost)
            verdict.add(about, *spf_faults.too_many(cost), *spf_faults.near_limit(cost))
            verdict.add(about, *spf_faults.uncounted(cost, Severity.WARNING))
            verdict.add(about, *spf_faults.dead_ends(cost), *spf_faults.questionable(record))
    if not subject.parked:
        _servers(verdict, subject, lookup)


def _near_misses(values: Sequence[str]) -> Iterator[Finding]:
    """Texts that were meant as an SPF record, and that no receiver takes for one."""
    for text in values:
        bare = text.strip(" \t\"'").lower()
        problem = problem_of(Kind.SPF, text) if bare.startswith(("v=spf", "spf1", "spf2")) else None
        if problem is not None:
            message = f"{text} is no SPF record for receivers. {problem.what}"
            yield Finding("spf-syntax", Severity.DANGER, message, problem.advice)


def _tree(cost: Cost, depth: int = 0) -> Iterator[str]:
    """The look-ups, a line for each term that costs some: ``3  include:_spf.example.net``."""
    if depth == 0:
        yield f"{cost.lookups_total} of {spf.MAX_LOOKUPS} look-ups"
    for node in cost.children:
        problem = f"  ({node.problem})" if node.problem else ""
        yield f"{'  ' * (depth + 1)}{node.lookups_total:>2}  {node.term}{problem}"
        yield from _tree(node, depth + 1)


def _servers(verdict: Verdict, subject: Subject, lookup: Lookup) -> None:
    """Try the record with each address that sends the domain's mail."""
    about = (Kind.SPF, subject.domain)
    mx = exchanges(subject.domain, lookup)
    hosts = subject.hosts or mx.own
    if not hosts and mx.is_null:  # it takes no mail, and nobody says that it sends any
        return
    senders = addresses(hosts, lookup)
    found = {sender.host for sender in senders}
    missing = [host for host in hosts if host not in found]
    if not senders or (subject.hosts and missing):
        verdict.add(about, spf_faults.unknown(subject.domain, missing, named=bool(subject.hosts)))
    excluded: dict[Result, list[Sender]] = {}
    for sender in senders:
        result = spf_faults.result(subject.domain, sender, lookup)
        verdict.conclusions.append(f"SPF: mail from {sender}: {_WORDS[result]}")
        excluded.setdefault(result, []).append(sender)
    for result, left_out in excluded.items():
        # That there is no usable record is said already.
        said = result is Result.PERMERROR and verdict.has(Kind.SPF, Severity.DANGER)
        if not said and result not in (Result.PASS, Result.TEMPERROR, Result.NONE):
            options = [("--spf-require", term) for term in spf_faults.terms_for(left_out)]
            to_copy = faults.line(options, faults.plan(subject.domain))
            fault = spf_faults.excludes(
                subject.domain, left_out, result, to_copy, guessed=not subject.hosts
            )
            verdict.add(about, fault)


_WORDS = {
    Result.PASS: "pass",
    Result.FAIL: "fail, it may not send",
    Result.SOFTFAIL: "softfail, it should not send",
    Result.NEUTRAL: "neutral, nothing is said about it",
    Result.NONE: "none, there is no SPF record",
    Result.PERMERROR: "permerror, the record cannot be used",
    Result.TEMPERROR: "temperror, DNS gave no answer",
}

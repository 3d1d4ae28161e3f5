"""What a receiver makes of the SPF record: what it costs, and whether our servers may send."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from netcup_mailauth import spf
from netcup_mailauth.findings import Severity
from netcup_mailauth.judge.exchanges import exchanges
from netcup_mailauth.judge.faults import problem_of
from netcup_mailauth.judge.sending import NEAR_LIMIT, addresses
from netcup_mailauth.judge.verdict import text_answer, texts
from netcup_mailauth.records import Kind
from netcup_mailauth.spf import Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.judge.sending import Sender
    from netcup_mailauth.judge.verdict import Subject, Verdict
    from netcup_mailauth.lookup import Lookup
    from netcup_mailauth.spf import Cost

_LEADS_ON = ("include:", "redirect=")
_ADVICE = {
    "spf-ptr": "Name the addresses instead, as in ip4:203.0.113.7.",
    "spf-after-all": "Put the all last.",
    "spf-no-all": "End it with ~all or -all.",
    "spf-neutral-all": "End it with ~all or -all; ?all protects from nothing.",
    "spf-pass-all": "End it with ~all or -all: as it is, anyone can forge this domain.",
}


def judge(verdict: Verdict, subject: Subject, lookup: Lookup) -> None:
    """Add what follows from the SPF record."""
    about = (Kind.SPF, subject.domain)
    answer = text_answer(subject.domain, lookup)
    found = texts(Kind.SPF, answer)
    if not found:
        _near_misses(verdict, subject, answer.values)
    if len(found) > 1:
        verdict.find(
            about,
            "spf-multiple",
            Severity.DANGER,
            f"{subject.domain} has {len(found)} SPF records, which receivers answer with permerror "
            f"for all of its mail: {'; and '.join(found)}",
            _one_of(subject.domain, found),
        )
    elif found:
        _record(verdict, subject, found[0], lookup)
    if not subject.parked:
        _servers(verdict, subject, lookup)


def _one_of(domain: str, found: Sequence[str]) -> str:
    """How to make one record of several; those that cannot be read are left out."""
    records = [spf.parse(text) for text in found if problem_of(Kind.SPF, text) is None]
    if not records:
        return "Make one of them."
    whole = shlex.quote(str(spf.merge(records).record))
    return f"Make one of them, as in:\n  netcup-mailauth plan {domain} --spf {whole}"


def _near_misses(verdict: Verdict, subject: Subject, values: Sequence[str]) -> None:
    """Texts that were meant as an SPF record, and that no receiver takes for one."""
    for text in values:
        bare = text.strip(" \t\"'").lower()
        problem = problem_of(Kind.SPF, text) if bare.startswith(("v=spf", "spf1", "spf2")) else None
        if problem is not None:
            about = (Kind.SPF, subject.domain)
            message = f"{text} is no SPF record for receivers. {problem.what}"
            verdict.find(about, "spf-syntax", Severity.DANGER, message, problem.advice)


def _record(verdict: Verdict, subject: Subject, text: str, lookup: Lookup) -> None:
    about = (Kind.SPF, subject.domain)
    problem = problem_of(Kind.SPF, text)
    if problem is not None:
        message = f"{problem.what} Receivers answer permerror for all mail of {subject.domain}."
        verdict.find(about, "spf-syntax", Severity.DANGER, message, problem.advice)
        return
    record = spf.parse(text)
    cost = spf.cost(record, subject.domain, lookup)
    verdict.costs += _tree(cost)
    _limits(verdict, about, cost)
    _dead_ends(verdict, about, cost)
    for found in spf.lint(record):
        grave = found.code == "spf-pass-all"
        severity = Severity.DANGER if grave else Severity.WARNING
        verdict.find(about, found.code, severity, f"SPF: {found.message}.", _ADVICE[found.code])


def _tree(cost: Cost, depth: int = 0) -> Iterator[str]:
    """The look-ups, a line for each term that costs some: ``3  include:_spf.example.net``."""
    if depth == 0:
        yield f"{cost.lookups_total} of {spf.MAX_LOOKUPS} look-ups"
    for node in cost.children:
        problem = f"  ({node.problem})" if node.problem else ""
        yield f"{'  ' * (depth + 1)}{node.lookups_total:>2}  {node.term}{problem}"
        yield from _tree(node, depth + 1)


def _limits(verdict: Verdict, about: tuple[Kind, str], cost: Cost) -> None:
    if cost.too_many:
        verdict.find(
            about,
            "spf-too-many-lookups",
            Severity.DANGER,
            f"The SPF record needs {cost.lookups_total} DNS look-ups; receivers stop at "
            f"{spf.MAX_LOOKUPS} with permerror.",
            "Name addresses (ip4:, ip6:) instead of mx and a, or take out an include that is not "
            "used any more.",
        )
    elif cost.lookups_total >= NEAR_LIMIT:
        verdict.find(
            about,
            "spf-near-limit",
            Severity.WARNING,
            f"The SPF record needs {cost.lookups_total} of {spf.MAX_LOOKUPS} DNS look-ups.",
            "An include can grow without notice. Make room before it does.",
        )
    silent = [node.term for node in cost.walk() if node.unanswered]
    if silent:
        verdict.find(
            about,
            "spf-not-checked",
            Severity.WARNING,
            f"DNS gave no answer for {', '.join(dict.fromkeys(silent))}; the number of look-ups "
            "may be too low.",
            "Try again when DNS answers, or name another resolver with --resolver.",
        )


def _dead_ends(verdict: Verdict, about: tuple[Kind, str], cost: Cost) -> None:
    """Terms that find nothing, or that lead to what is no record: permerror for who gets there."""
    void = dict.fromkeys(node.term for node in _leaves(cost) if node.void)
    leads_on = any(_leads_on(node) for node in _leaves(cost) if node.void)
    if cost.too_many_void or leads_on:
        reason = (
            f"receivers stop at {spf.MAX_VOID_LOOKUPS + 1} with permerror"
            if cost.too_many_void
            else "whoever is not let in before it gets permerror"
        )
        verdict.find(
            about,
            "spf-void-lookups",
            Severity.DANGER,
            f"{len(void)} of the SPF record's terms find{'s' if len(void) == 1 else ''} nothing "
            f"({', '.join(void)}); {reason}.",
            "Take out the terms whose names no longer exist.",
        )
    broken = [n for n in _leaves(cost) if _leads_on(n) and _is_broken(n) and not n.void]
    for node in broken:
        verdict.find(
            about,
            "spf-syntax",
            Severity.DANGER,
            f"{node.term} leads to no valid SPF record ({node.problem.rstrip('.')}); whoever is "
            "not let in before it gets permerror.",
            "Take it out, or ask whoever runs that domain.",
        )


def _leaves(cost: Cost) -> Iterator[Cost]:
    return (node for node in cost.walk() if not node.children)


def _leads_on(node: Cost) -> bool:
    return node.term.lstrip("+-~?").lower().startswith(_LEADS_ON)


def _is_broken(node: Cost) -> bool:
    return bool(node.problem) and not node.unanswered


def _servers(verdict: Verdict, subject: Subject, lookup: Lookup) -> None:
    """Try the record with each address that sends the domain's mail."""
    mx = exchanges(subject.domain, lookup)
    hosts = subject.hosts or mx.own
    if not hosts and mx.is_null:  # it takes no mail, and nobody says that it sends any
        return
    senders = addresses(hosts, lookup)
    found = {sender.host for sender in senders}
    missing = [host for host in hosts if host not in found]
    if not senders or (subject.hosts and missing):
        _unknown(verdict, subject, missing)
    excluded: dict[Result, list[Sender]] = {}
    for sender in senders:
        result = _result(subject, sender, lookup)
        verdict.conclusions.append(f"SPF: mail from {sender}: {_WORDS[result]}")
        excluded.setdefault(result, []).append(sender)
    for result, left_out in excluded.items():
        _excluded(verdict, subject, result, left_out)


_WORDS = {
    Result.PASS: "pass",
    Result.FAIL: "fail, it may not send",
    Result.SOFTFAIL: "softfail, it should not send",
    Result.NEUTRAL: "neutral, nothing is said about it",
    Result.NONE: "none, there is no SPF record",
    Result.PERMERROR: "permerror, the record cannot be used",
    Result.TEMPERROR: "temperror, DNS gave no answer",
}


def _unknown(verdict: Verdict, subject: Subject, missing: Sequence[str]) -> None:
    where = " and ".join(missing) or "an MX"
    verdict.find(
        (Kind.SPF, subject.domain),
        "own-server-unknown",
        Severity.WARNING,
        f"No address was found for {where}, so it was not tried whether what sends the mail of "
        f"{subject.domain} may do so.",
        "Look at the spelling, or give the address itself, as in --server 203.0.113.7"
        if subject.hosts
        else f"Name it, as in --server mail.{subject.domain}",
    )


def _result(subject: Subject, sender: Sender, lookup: Lookup) -> Result:
    postmaster = f"postmaster@{subject.domain}"
    return spf.check_host(
        sender.address, subject.domain, postmaster, lookup, helo=sender.host
    ).result


def _excluded(
    verdict: Verdict, subject: Subject, result: Result, senders: Sequence[Sender]
) -> None:
    """Servers of ours that may not send; that there is no usable record is said already."""
    said = result is Result.PERMERROR and verdict.has(Kind.SPF, Severity.DANGER)
    if said or result in (Result.PASS, Result.TEMPERROR, Result.NONE):
        return
    guessed = not subject.hosts
    terms = [f"ip{6 if ':' in s.address else 4}:{s.address}" for s in senders]
    options = " ".join(f"--spf-require {shlex.quote(term)}" for term in terms)
    are = "are MX hosts" if len(senders) > 1 else "is an MX host"
    sends = "send" if len(senders) > 1 else "sends"
    verdict.find(
        (Kind.SPF, subject.domain),
        "spf-excludes-own-server",
        Severity.WARNING if guessed else Severity.DANGER,
        f"SPF does not let {' and '.join(map(str, senders))} send ({result}), which "
        + (f"{are} of {subject.domain}." if guessed else f"{sends} the mail of {subject.domain}."),
        f"{'Unless it only receives, let it send' if guessed else 'Let it send'}:\n"
        f"  netcup-mailauth plan {subject.domain} {options}",
    )

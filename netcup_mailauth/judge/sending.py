"""Findings that need DNS: what the proposed SPF record costs, and whether it lets us send."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from netcup_mailauth import spf
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import faults
from netcup_mailauth.judge.faults import fault
from netcup_mailauth.judge.spf import parsed
from netcup_mailauth.lookup import Query, Status
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.judge.guard import Case
    from netcup_mailauth.lookup import Lookup
    from netcup_mailauth.plan import Change, ChangeSet
    from netcup_mailauth.spf import Cost, SpfRecord

CODES = (
    "spf-too-many-lookups",
    "spf-near-limit",
    "spf-void-lookups",
    "spf-broken-include",
    "spf-not-checked",
    "spf-excludes-own-server",
    "own-server-unknown",
)

NEAR_LIMIT = 8
"""Look-ups of the ten from which on a warning is given: an include may grow by itself."""

_GOODNESS = (
    spf.Result.PERMERROR,
    spf.Result.FAIL,
    spf.Result.SOFTFAIL,
    spf.Result.NEUTRAL,
    spf.Result.NONE,
    spf.Result.PASS,
)


@dataclass(frozen=True, slots=True)
class Sender:
    """An address that sends this domain's mail, and the host it belongs to."""

    address: str
    host: str

    def __str__(self) -> str:
        return self.address if self.address == self.host else f"{self.host} ({self.address})"


def findings(case: Case) -> Iterator[Finding]:
    """The findings about SPF records that are about to be written; else DNS is not asked."""
    for hostname in case.hostnames(Kind.SPF):
        before = case.texts(case.before, Kind.SPF, hostname)
        after = case.texts(case.after, Kind.SPF, hostname)
        new = parsed(after)
        if before == after or len(after) != 1 or not new:
            continue
        old = parsed(before)
        counted = list(_look_ups(case, new[0], old))
        yield from counted
        if not case.policy.parked:
            said = {finding.code for finding in counted}  # that DNS is silent is said once
            yield from (f for f in _own_servers(case, new[0], old) if f.code not in said)


def _look_ups(case: Case, new: SpfRecord, old: Sequence[SpfRecord]) -> Iterator[Finding]:
    cost = spf.cost(new, case.domain, case.lookup_after)
    earlier = [spf.cost(record, case.domain, case.lookup_before) for record in old]
    listed = breakdown(cost)
    if cost.too_many:
        yield fault(
            "spf-too-many-lookups",
            f"The SPF record needs {cost.lookups_total} DNS look-ups ({listed}); receivers stop at "
            f"{spf.MAX_LOOKUPS} with permerror.",
            "Name addresses (ip4:, ip6:) instead of mx and a, or take out an include that is not "
            "used any more.",
            new=all(cost.lookups_total > past.lookups_total for past in earlier),
        )
    elif cost.lookups_total >= NEAR_LIMIT:
        yield Finding(
            "spf-near-limit",
            Severity.WARNING,
            f"The SPF record needs {cost.lookups_total} of {spf.MAX_LOOKUPS} DNS look-ups "
            f"({listed}).",
            "An include can grow without notice. Make room before it does.",
        )
    if cost.too_many_void:
        empty = ", ".join(dict.fromkeys(node.term for node in cost.walk() if _finds_nothing(node)))
        yield fault(
            "spf-void-lookups",
            f"{cost.void} of the SPF record's look-ups find nothing ({empty}); receivers stop at "
            f"{spf.MAX_VOID_LOOKUPS + 1} with permerror.",
            "Take out the terms whose names no longer exist.",
            new=all(cost.void > past.void for past in earlier),
        )
    yield from _broken(cost, earlier)
    silent = [node.term for node in cost.walk() if node.unanswered]
    if silent:
        yield _not_checked(
            f"DNS gave no answer for {', '.join(dict.fromkeys(silent))}, so the look-ups of the "
            "SPF record could not be counted.",
            new,
            old,
        )


def _broken(cost: Cost, earlier: Sequence[Cost]) -> Iterator[Finding]:
    """Terms at which receivers give up: an include without a record behind it, or in a circle."""
    known = {node.term for past in earlier for node in past.walk() if node.breaks}
    for node in cost.walk():
        if node.breaks:
            yield fault(
                "spf-broken-include",
                f"{node.term} leads to nothing that receivers can use ({node.problem}); they stop "
                "there with permerror, whatever stands behind it.",
                "Correct its name, or take it out.",
                new=node.term not in known,
            )


def _finds_nothing(node: Cost) -> bool:
    # The void of a branch is counted at its leaves.
    return bool(node.void) and not any(child.void for child in node.children)


def _not_checked(what: str, new: SpfRecord, old: Sequence[SpfRecord]) -> Finding:
    known = {term.unqualified for record in old for term in record.counted}
    adds = any(term.unqualified not in known for term in new.counted)
    return Finding(
        "spf-not-checked",
        Severity.DANGER if adds else Severity.WARNING,
        what,
        "Try again when DNS answers, or name another resolver with --resolver.",
    )


def breakdown(cost: Cost) -> str:
    """What each term of a record costs: ``mx 1, include:_spf.example.net 3``."""
    counted = (node for node in cost.children if node.lookups_total)
    return ", ".join(f"{node.term} {node.lookups_total}" for node in counted)


def priced(case: Case) -> ChangeSet:
    """The change set, with what each SPF record that is written will cost in look-ups."""
    changes = (_priced(case, change) for change in case.change_set.changes)
    return replace(case.change_set, changes=tuple(changes))


def _priced(case: Case, change: Change) -> Change:
    new = parsed([change.after.destination]) if change.after else []
    if change.kind is not Kind.SPF or not new:
        return change
    cost = spf.cost(new[0], case.domain, case.lookup_after)
    if not cost.lookups_total:
        return change
    return replace(change, look_ups=f"{cost.lookups_total} of 10: {breakdown(cost)}")


def _own_servers(case: Case, new: SpfRecord, old: Sequence[SpfRecord]) -> Iterator[Finding]:
    hosts = case.hosts or mail_hosts(case.domain, case.lookup_after)
    senders = addresses(hosts, case.lookup_after)
    found = {sender.host for sender in senders}
    missing = [host for host in hosts if host not in found]
    # Of the MX hosts one is enough; a host that was named was named for a reason.
    if not senders or (case.hosts and missing):
        yield _unknown(case, missing, new, old)
    excluded: dict[tuple[spf.Result, bool], list[Sender]] = {}
    for sender in senders:
        result = _result(case, sender, new, case.lookup_after)
        if result is not spf.Result.PASS:
            worse = _is_worse(case, sender, result, old)
            excluded.setdefault((result, worse), []).append(sender)
    for (result, worse), left_out in excluded.items():
        if result is spf.Result.TEMPERROR:
            yield _not_checked(
                f"DNS gave no answer, so it could not be tried whether the SPF record lets "
                f"{_listed(left_out)} send.",
                new,
                old,
            )
        else:
            yield _excludes(case, left_out, result, new, worse=worse)


def _is_worse(case: Case, sender: Sender, after: spf.Result, old: Sequence[SpfRecord]) -> bool:
    before = [_result(case, sender, record, case.lookup_before) for record in old]
    if spf.Result.TEMPERROR in (after, *before):
        return True
    return any(_rank(after) < _rank(result) for result in before or [spf.Result.NONE])


def _excludes(
    case: Case, senders: Sequence[Sender], result: spf.Result, new: SpfRecord, *, worse: bool
) -> Finding:
    terms = [f"ip{6 if ':' in s.address else 4}:{s.address}" for s in senders]
    guessed = not case.hosts
    role = "MX" if guessed else "Server"
    unless = "Unless it only receives, add" if guessed else "Add"
    return fault(
        "spf-excludes-own-server",
        f"{role} of {case.domain}: {_listed(senders)} may not send by the new SPF record "
        f"({result}).",
        f"{unless} what is missing:\n{faults.more_spf(case.policy, new, require=terms)}",
        new=worse,
        gravity=Severity.WARNING if guessed else Severity.DANGER,
    )


def _listed(senders: Sequence[Sender]) -> str:
    return " and ".join(map(str, senders))


def _unknown(
    case: Case, missing: Sequence[str], new: SpfRecord, old: Sequence[SpfRecord]
) -> Finding:
    fail = spf.Qualifier.FAIL
    hardens = new.all_qualifier is fail and all(r.all_qualifier is not fail for r in old)
    return Finding(
        "own-server-unknown",
        Severity.DANGER if hardens else Severity.WARNING,
        f"No address was found for {' and '.join(missing) or 'an MX'}, so it is not known what "
        f"sends the mail of {case.domain}"
        + (", and -all rejects all that the record leaves out." if hardens else "."),
        "Look at the spelling, or give the address itself, as in --server 203.0.113.7"
        if case.hosts
        else f"Name it, so that the record can be tried, as in --server mail.{case.domain}",
    )


def _result(case: Case, sender: Sender, record: SpfRecord, lookup: Lookup) -> spf.Result:
    postmaster = f"postmaster@{case.domain}"
    evaluation = spf.check_host(
        sender.address, case.domain, postmaster, lookup, helo=sender.host, record=str(record)
    )
    return evaluation.result


def _rank(result: spf.Result) -> int:
    return _GOODNESS.index(result)


def mail_hosts(domain: str, lookup: Lookup) -> tuple[str, ...]:
    """The MX hosts of a domain."""
    (answer,) = lookup([Query(domain, "MX")])
    hosts = (value.partition(" ")[2] for value in answer.values)
    return tuple(host for host in hosts if host)


def addresses(hosts: Sequence[str], lookup: Lookup) -> list[Sender]:
    """The addresses of hosts; an address stands for itself."""
    senders: list[Sender] = []
    names = [host for host in hosts if not _is_address(host)]
    senders += (Sender(host, host) for host in hosts if _is_address(host))
    queries = [q for name in names for q in (Query(name, "A"), Query(name, "AAAA"))]
    for query, answer in zip(queries, lookup(queries), strict=True):
        if answer.status is Status.OK:
            senders += (Sender(address, query.name) for address in answer.values)
    return senders


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True

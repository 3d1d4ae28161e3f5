"""The finding about who was shut out before a change of the SPF record, and may send after it.

A carve-out is a term that does not pass, other than ``all``. Whom it shut out is told apart from
those that only the final ``all`` left out: somebody meant it. Which terms may let such senders in
is seen from the order of both records; whether they do is tried, address by address, with both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netcup_mailauth import spf
from netcup_mailauth.errors import RecordError
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import senders
from netcup_mailauth.policy import DomainPolicy, SpfPolicy
from netcup_mailauth.spf import Qualifier, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from netcup_mailauth.lookup import Lookup
    from netcup_mailauth.spf import SpfRecord, Term

MOST_TRIED = 64
"""Pairs of terms that are tried with addresses; of more the order alone is judged."""

_MOST_NAMED = 5
"""Addresses, or terms that let them in, that are named for one carve-out."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a domain's SPF record, and DNS as it is on either side of it."""

    domain: str
    policy: DomainPolicy
    old: SpfRecord
    new: SpfRecord
    before: Lookup
    after: Lookup


@dataclass(slots=True)
class _Admitted:
    """Whom one carve-out shut out: by which terms they may send now, and from which addresses."""

    carve_out: Term
    by: dict[str, None]
    addresses: dict[str, None]


def findings(changes: Iterable[Change]) -> Iterator[Finding]:
    """The finding about those a change lets in; several changes where several records become one.

    What the policy drops by name may go, and what it requires by name may pass inside a carve-out
    around it, also inside one of the very same words that only doubts (``?`` or ``~``).
    """
    changes = tuple(changes)
    if admitted := _all_admitted(changes):
        yield _finding(changes, admitted)


def _all_admitted(changes: Sequence[Change]) -> list[_Admitted]:
    admitted: dict[str, _Admitted] = {}
    for change in changes:
        for each in _admitted(change):
            known = admitted.setdefault(each.carve_out.canonical, each)
            known.by |= each.by
            known.addresses |= each.addresses
    return list(admitted.values())


def _admitted(change: Change) -> Iterator[_Admitted]:
    old = spf.deciding(change.old, change.domain, change.before)
    new = spf.deciding(change.new, change.domain, change.after)
    suspects = [
        suspect for suspect in spf.suspects(old, new) if not _is_consented(change, *suspect)
    ]
    if not suspects:
        return
    edges = (*spf.edges(old, change.before), *spf.edges(new, change.after))
    tried: dict[str, tuple[Term, Term] | bool] = {}
    for number, (carve_out, passing) in enumerate(suspects):
        addresses = (
            spf.in_both(carve_out, change.before, passing, change.after, edges)
            if number < MOST_TRIED
            else None
        )
        for text in addresses or ():
            if text not in tried:
                tried[text] = _tried(change, text)
        outcomes = [(text, tried[text]) for text in addresses or ()]
        if addresses is None or any(outcome is True for _, outcome in outcomes):
            yield _Admitted(carve_out, {passing.text: None}, {})
        for text, outcome in outcomes:
            if not isinstance(outcome, bool) and not _is_consented(change, *outcome):
                was, now = outcome
                yield _Admitted(was, {now.text: None}, {text: None})


def _is_consented(change: Change, carve_out: Term, passing: Term) -> bool:
    """Whether the policy names what makes the difference between the two."""
    asked = change.policy.spf or None
    if asked is None:
        return False
    dropped = [term for term in map(spf.parse_term, asked.drop or ()) if term.qualifier is not None]
    if any(spf.names(spf.spelt_out(change.domain, term), carve_out) for term in dropped):
        return True  # a redirect= that is dropped names no carve-out, whatever it leads to
    required = () if asked.record is not None else asked.require or ()
    named = (spf.spelt_out(change.domain, spf.parse_term(text)) for text in required)
    return any(
        _lets_in(term, carve_out) and (term.encloses(passing) or term.encloses(carve_out))
        for term in named
    )


def _lets_in(named: Term, carve_out: Term) -> bool:
    """Whether a term that is required by name means to let in those a carve-out shuts out."""
    if named.qualifier is not Qualifier.PASS or not carve_out.encloses(named):
        return False
    return named.unqualified != carve_out.unqualified or carve_out.qualifier is not Qualifier.FAIL


def _tried(change: Change, address: str) -> tuple[Term, Term] | bool:
    """The carve-out that shut an address out, and the term that lets it in now.

    ``False`` if it is not let in, or was not shut out; ``True`` if that says nothing of those
    around it, because DNS was silent or was asked about this address alone.
    """
    sender = f"postmaster@{change.domain}"
    was, now = (
        spf.check_host(address, change.domain, sender, lookup, record=str(record))
        for record, lookup in ((change.old, change.before), (change.new, change.after))
    )
    if Result.TEMPERROR in (was.result, now.result):
        return True
    shut_out = was.result in (Result.FAIL, Result.SOFTFAIL, Result.NEUTRAL)
    decided = [
        (spf.spelt_out(change.domain, verdict.term), lookup)
        for verdict, lookup in ((was, change.before), (now, change.after))
        if verdict.term is not None
    ]
    if not shut_out or was.term is None or was.term.is_all or now.result is not Result.PASS:
        return not all(spf.is_listed(term, lookup) for term, lookup in decided)
    (shutting, _), (letting_in, _) = decided
    return shutting, letting_in


def _finding(changes: Sequence[Change], admitted: Sequence[_Admitted]) -> Finding:
    change = changes[0]
    clauses = [_clause(each) for each in admitted[: senders.MOST_NAMED]]
    more = len(admitted) - senders.MOST_NAMED
    if more > 0:
        clauses.append(f"and those of {more} more terms")
    return Finding(
        "spf-admits-excluded",
        Severity.DANGER,
        f"Whom the live SPF record of {change.domain} shuts out may send by the new one: "
        f"{'; '.join(clauses)}.",
        "Keep them shut out, unless they are to send from now on.",
    )


def _clause(admitted: _Admitted) -> str:
    carve_out, addresses = admitted.carve_out, list(admitted.addresses)
    assert carve_out.qualifier is not None  # a carve-out is a mechanism
    network = carve_out.network
    is_one = network is not None and network.num_addresses == 1
    more = f" and {len(addresses) - _MOST_NAMED} more" if len(addresses) > _MOST_NAMED else ""
    tried = f", such as {' and '.join(addresses[:_MOST_NAMED])}{more}" if addresses else ""
    by = " and ".join(map(spf.in_words, list(admitted.by)[:_MOST_NAMED]))
    return f"{carve_out.text}{'' if is_one else tried} ({carve_out.qualifier.word} -> pass by {by})"


def keeping(changes: Sequence[Change]) -> SpfRecord | None:
    """The new record with the carve-outs in front, if that lets nobody in and drops nobody."""
    first = changes[0]
    carve_outs = [each.carve_out for each in _all_admitted(changes)]
    if len(carve_outs) + len(first.new.terms) > senders.MOST_NAMED:
        return None
    drop = (first.policy.spf and first.policy.spf.drop) or ()
    try:
        record = spf.put_first(first.new, *(term.text for term in carve_outs))
        # Given whole, it is no longer the consent to what it required.
        whole = DomainPolicy(spf=SpfPolicy(record=str(record), drop=list(drop)))
    except (RecordError, ValueError):  # a slip in the live record, that cannot be typed again
        return None
    admits = any(
        True for change in changes for _ in _admitted(replace(change, new=record, policy=whole))
    )
    old = [change.old for change in changes]
    lost = set(senders.lost(first.domain, record, old))
    if admits or lost - set(senders.lost(first.domain, first.new, old)):
        return None
    return record

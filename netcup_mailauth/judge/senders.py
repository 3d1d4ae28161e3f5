"""The finding about who could send before a change of the SPF record, and no longer can after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import spf
from netcup_mailauth.errors import RecordError
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge.neighbours import NETCUP_INCLUDE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.policy import DomainPolicy
    from netcup_mailauth.spf import SpfRecord, Term

MOST_NAMED = 50
"""Terms that are named in a finding, or in a command; nobody types more."""


def dropped(
    domain: str, policy: DomainPolicy, new: SpfRecord, old: Sequence[SpfRecord]
) -> Iterator[Finding]:
    """The finding about senders that the policy does not name as droppable."""
    unnamed = lost_unnamed(domain, policy, new, old)
    if unnamed:
        yield _drops(domain, unnamed)


def lost_unnamed(
    domain: str, policy: DomainPolicy, new: SpfRecord, old: Sequence[SpfRecord]
) -> list[Term]:
    """The terms that :func:`lost` finds, but for those that the policy names as droppable."""
    named = [spf.parse_term(text) for text in (policy.spf and policy.spf.drop) or ()]
    gone = lost(domain, new, old)
    return [term for term in gone if not any(spf.names(name, term) for name in named)]


def lost(domain: str, new: SpfRecord, old: Sequence[SpfRecord]) -> list[Term]:
    """The terms of the old records that let somebody send, and whom the new one does not let."""
    letting = (term for record in old for term in _senders(domain, record))
    senders = list({term.canonical: term for term in letting}.values())
    # The first term that covers it decides: behind -include:x an include:x has no effect.
    deciding = spf.first_covering(
        [spf.spelt_out(domain, term) for term in senders],
        [
            spf.spelt_out(domain, term)
            for term in (*new.mechanisms, *filter(None, (new.redirect_in_effect,)))
        ],
    )
    passing = spf.Qualifier.PASS
    return [
        term
        for term, own in zip(senders, deciding, strict=True)
        if own is None or own.qualifier is not passing
    ]


def _senders(domain: str, record: SpfRecord) -> list[Term]:
    """The terms that let somebody send: of what an earlier one shuts out nobody is left."""
    terms = [spf.spelt_out(domain, term) for term in record.mechanisms]
    passing = [
        term
        for term, first in zip(record.mechanisms, spf.first_covering(terms, terms), strict=True)
        if term.qualifier is spf.Qualifier.PASS
        and term.name != "all"
        and first is not None
        and first.qualifier is spf.Qualifier.PASS
    ]
    return [*passing, *filter(None, (record.redirect_in_effect,))]


def _drops(domain: str, gone: Sequence[Term]) -> Finding:
    question = "Who sends that way: a newsletter, a shop, a web form, another server?"
    if any(term.unqualified == NETCUP_INCLUDE for term in gone):
        more = ", or anything else that way" if len(gone) > 1 else ""
        question = f"Does a website at netcup (contact form, WordPress) send as @{domain}{more}?"
    them, they, are = ("them", "they", "are") if len(gone) > 1 else ("it", "it", "is")
    return Finding(
        "spf-drops-sender",
        Severity.DANGER,
        f"{_listed(gone)} {are} in effect in the live SPF record and "
        f"not in the new one: who sends by {them} may no longer send for {domain}.",
        f"{question} Then keep {them}. If nothing sends that way, {they} may go.",
    )


def _listed(terms: Sequence[Term]) -> str:
    more = len(terms) - MOST_NAMED
    named = [spf.in_words(term.text) for term in terms[:MOST_NAMED]]
    return " and ".join([*named, f"{more} more"] if more > 0 else named)


def to_name(gone: Sequence[Term]) -> tuple[str, ...]:
    """The terms as they are named to let them go; none where that cannot be done for all."""
    try:
        for term in gone:
            spf.check_wanted(term)
    except RecordError:
        return ()
    return () if len(gone) > MOST_NAMED else tuple(term.text for term in gone)


def keeping(
    domain: str, policy: DomainPolicy, new: SpfRecord, old: Sequence[SpfRecord]
) -> SpfRecord | None:
    """The new record with the senders it would drop: last in it, else where they have effect.

    ``None`` where they would have none. Raises RecordError if one of them makes no record.
    """
    gone = lost_unnamed(domain, policy, new, old)
    if len(gone) + len(new.mechanisms) > MOST_NAMED:
        return None
    terms = [term.text for term in new.terms]
    lacking = [f"include:{t.domain}" if t.name == "redirect" else t.text for t in gone]
    last = next((n for n, term in enumerate(new.terms) if term.is_all), len(terms))
    whole = spf.parse(" ".join(["v=spf1", *terms[:last], *lacking, *terms[last:]]))
    if set(gone).intersection(lost(domain, whole, old)):
        whole = spf.require(new, *lacking)
    return None if set(gone).intersection(lost(domain, whole, old)) else whole

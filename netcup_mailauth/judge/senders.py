"""The finding about who could send before a change of the SPF record, and no longer can after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import spf
from netcup_mailauth.errors import RecordError
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import faults
from netcup_mailauth.judge.neighbours import NETCUP_INCLUDE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.policy import DomainPolicy
    from netcup_mailauth.spf import SpfRecord, Term

MOST_NAMED = 50
"""Terms that are named in a finding, or in a command to copy; nobody types more."""


def dropped(
    domain: str, policy: DomainPolicy, new: SpfRecord, old: Sequence[SpfRecord]
) -> Iterator[Finding]:
    """The finding about senders that the policy does not name as droppable."""
    named = [spf.parse_term(text) for text in (policy.spf and policy.spf.drop) or ()]
    gone = lost(domain, new, old)
    unnamed = [term for term in gone if not any(is_named(name, term) for name in named)]
    if unnamed:
        yield _drops(domain, policy, unnamed, new, old)


def is_named(name: Term, term: Term) -> bool:
    """Whether dropping ``name`` is the consent to drop ``term``; see :func:`spf.drop`."""
    if name.text.startswith(tuple(spf.Qualifier)):
        return name.canonical == term.canonical
    return name.unqualified == term.unqualified


def lost(domain: str, new: SpfRecord, old: Sequence[SpfRecord]) -> list[Term]:
    """The terms of the old records that let somebody send, and whom the new one does not let."""
    senders = list({term.canonical: term for record in old for term in _senders(record)}.values())
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


def _senders(record: SpfRecord) -> list[Term]:
    passing = [
        term
        for term in record.mechanisms
        if term.qualifier is spf.Qualifier.PASS and term.name != "all"
    ]
    return [*passing, *filter(None, (record.redirect_in_effect,))]


def _drops(
    domain: str,
    policy: DomainPolicy,
    gone: Sequence[Term],
    new: SpfRecord,
    old: Sequence[SpfRecord],
) -> Finding:
    question = "Who sends that way: a newsletter, a shop, a web form, another server?"
    if any(term.unqualified == NETCUP_INCLUDE for term in gone):
        more = ", or anything else that way" if len(gone) > 1 else ""
        question = f"Does a website at netcup (contact form, WordPress) send as @{domain}{more}?"
    them, are = ("them", "are") if len(gone) > 1 else ("it", "is")
    keep = _keeping(domain, policy, gone, new, old)
    return Finding(
        "spf-drops-sender",
        Severity.DANGER,
        f"{_listed(gone)} {are} in effect in the live SPF record and "
        f"not in the new one: who sends by {them} may no longer send for {domain}.",
        f"{question} Then keep {them}"
        + (f":\n{keep}\n" if keep else ". ")
        + f"If nothing sends that way, {_dropping(policy, gone, new, them)}",
    )


def _listed(terms: Sequence[Term]) -> str:
    more = len(terms) - MOST_NAMED
    named = [spf.in_words(term.text) for term in terms[:MOST_NAMED]]
    return " and ".join([*named, f"{more} more"] if more > 0 else named)


def _dropping(policy: DomainPolicy, gone: Sequence[Term], new: SpfRecord, them: str) -> str:
    try:
        for term in gone:
            spf.check_wanted(term)
    except RecordError as error:
        return f"accept this finding by its code; by name it cannot be dropped. {error.what}."
    if len(gone) > MOST_NAMED:
        return "accept this finding by its code; they are too many to name."
    options = faults.more_spf(policy, new, drop=[term.text for term in gone])
    return f"drop {them} by name:\n{options}"


def _keeping(
    domain: str,
    policy: DomainPolicy,
    gone: Sequence[Term],
    new: SpfRecord,
    old: Sequence[SpfRecord],
) -> str | None:
    """The options that make sure of what is new in the live record, else the new one with more."""
    if len(gone) + len(new.mechanisms) > MOST_NAMED:
        return None
    drop = tuple((policy.spf and policy.spf.drop) or ())
    for attempt in (_kept_in_parts, _kept_whole):
        try:
            record, options = attempt(domain, gone, new, old, drop)
        except RecordError:
            continue
        if options.strip() and not set(gone).intersection(lost(domain, record, old)):
            return options
    return None


def _kept_in_parts(
    domain: str, _: Sequence[Term], new: SpfRecord, old: Sequence[SpfRecord], drop: Sequence[str]
) -> tuple[SpfRecord, str]:
    """What the new record says, made sure of in the live one."""
    terms = [term.text for term in new.mechanisms if term.name != "all"]
    if new.redirect_in_effect is not None:
        terms.append(f"include:{new.redirect_in_effect.domain}")
    record = spf.require(spf.drop(spf.merge(old).record, *drop), *terms, domain=domain)
    qualifier = new.all_qualifier
    if qualifier in (None, spf.Qualifier.PASS):
        return record, faults.spf_in_parts(terms, drop, None)
    record = spf.with_all(record, qualifier)
    return record, faults.spf_in_parts(terms, drop, qualifier.word)


def _kept_whole(
    _: str, gone: Sequence[Term], new: SpfRecord, __: Sequence[SpfRecord], drop: Sequence[str]
) -> tuple[SpfRecord, str]:
    """The new record with the senders in it that it lacks."""
    lacking = (f"include:{t.domain}" if t.name == "redirect" else t.text for t in gone)
    record = spf.require(new, *lacking)
    return record, faults.whole_spf(record, drop)

"""The faults of an SPF record: its text, what it costs, and whether it lets our servers send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import spf
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import faults
from netcup_mailauth.judge.neighbours import NETCUP_INCLUDE, is_netcup
from netcup_mailauth.kinds import problem_of
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from netcup_mailauth.judge.neighbours import Sender
    from netcup_mailauth.lookup import Lookup
    from netcup_mailauth.spf import Cost, SpfRecord

NEAR_LIMIT = 8
"""Look-ups of the ten from which on a warning is given: an include may grow by itself."""

LONG = 450
"""Octets from which on a record is called long (RFC 7208, 3.4)."""

UDP = 512
"""Octets of an answer that fits a packet without further ado (RFC 1035, 4.2.1)."""

_LEADS_ON = ("include:", "redirect=")
_ADVICE = {
    "spf-ptr": "Name the addresses instead, as in ip4:203.0.113.7.",
    "spf-after-all": 'Put the "all" last.',
    "spf-no-all": "End it with ~all or -all.",
    "spf-neutral-all": "End it with ~all or -all; ?all protects from nothing.",
    "spf-pass-all": "Take it out, and end with ~all or -all: now anyone can forge this domain.",
}


def parsed(texts: Sequence[str]) -> list[SpfRecord]:
    """Those of the texts that are valid records."""
    return [spf.parse(text) for text in texts if problem_of(Kind.SPF, text) is None]


def multiple(domain: str, texts: Sequence[str], command: str = "") -> Finding:
    """Several records at one name (RFC 7208, 4.5); ``command`` plans one in their place."""
    advice = "Make one of them."
    records = parsed(texts)
    if command and records:
        merged = spf.merge(records).record
        advice = f"Make one of them, as in:\n{faults.line(command, ('--spf', str(merged)))}"
        if idle := spf.idle(merged):
            advice += f"\nIn it {'; '.join(idle)}."
    return Finding(
        "spf-multiple",
        Severity.DANGER,
        f"{domain} has {len(texts)} SPF records, which receivers answer with permerror "
        f"for all of its mail: {'; and '.join(texts)}",
        advice,
    )


def syntax(domain: str, text: str, severity: Severity) -> Iterator[Finding]:
    """What is wrong with the record, if receivers cannot read it."""
    problem = problem_of(Kind.SPF, text)
    if problem is not None:
        what = problem.what.removesuffix(".")
        message = f"{what}. Receivers answer permerror for all mail of {domain}."
        yield Finding("spf-syntax", severity, message, problem.advice)


def questionable(record: SpfRecord) -> Iterator[Finding]:
    """What is questionable in the text alone."""
    for problem in spf.lint(record):
        severity = Severity.DANGER if problem.code == "spf-pass-all" else Severity.WARNING
        advice = _ADVICE[problem.code]
        if len(problem.terms) > 1:
            advice = advice.replace("Take it out", "Take them out")
        yield Finding(problem.code, severity, f"SPF: {problem.message}.", advice)


def everybody(record: SpfRecord, cost: Cost) -> Iterator[Finding]:
    """Whom the record lets in that its text does not show: by what its terms lead to in DNS."""
    if any(problem.code == "spf-pass-all" for problem in spf.lint(record)):
        return  # that is said already
    for crowd in spf.crowds(record, cost.children):
        terms = " and ".join(term.text for term in crowd.terms)
        yield Finding(
            "spf-pass-all",
            Severity.DANGER,
            f"SPF: by what DNS says, {spf.everybody(crowd)}.",
            f"Take out {terms}, or ask whoever runs that domain to put its record right.",
        )


def forwarding(record: SpfRecord) -> Iterator[Finding]:
    """What ``-all`` does to forwarded mail."""
    if record.all_qualifier is spf.Qualifier.FAIL:
        yield Finding(
            "spf-fail-and-forwarding",
            Severity.NOTE,
            "-all: some receivers reject forwarded mail by it before they look at DKIM.",
            "~all with DMARC protects as well (RFC 9989, 7.1).",
        )


def answer_size(domain: str, texts: Iterable[str]) -> int:
    """Octets of the DNS answer with all TXT records of a name (RFC 1035, 3.3.14 and 4.1)."""
    question = 12 + len(domain) + 2 + 4
    # A pointer to the name, type, class, TTL and length; then strings of 255 octets at most.
    return question + sum(12 + len(text) + max(-(-len(text) // 255), 1) for text in texts)


def long(domain: str, text: str, others: Sequence[str]) -> Iterator[Finding]:
    """A record, or all TXT records beside it, that may be too long for some receivers."""
    size = answer_size(domain, (text, *others))
    if size > UDP:
        beside = f", of which {len(text)} are the SPF record" if others else ""
        yield Finding(
            "spf-long",
            Severity.WARNING,
            f"The TXT records at {domain} make an answer of {size} octets{beside}; over {UDP} some "
            "receivers and firewalls lose it, and with it the SPF record (RFC 7208, 3.4).",
            "Take out what nobody needs any more: old verification texts, terms that are not used.",
        )
    elif len(text) > LONG:
        yield Finding(
            "spf-long",
            Severity.NOTE,
            f"The SPF record has {len(text)} octets; over {LONG} there is little room for another "
            f"TXT record at {domain} (RFC 7208, 3.4).",
            "Write networks instead of single addresses, or take out what is not used any more.",
        )


def breakdown(cost: Cost) -> str:
    """What each term of a record costs: ``mx 1, include:_spf.example.net 3``."""
    counted = (node for node in cost.children if node.lookups_total)
    return ", ".join(f"{node.term} {node.lookups_total}" for node in counted)


def too_many(cost: Cost) -> Iterator[Finding]:
    """More look-ups than receivers make (RFC 7208, 4.6.4)."""
    if cost.too_many:
        yield Finding(
            "spf-too-many-lookups",
            Severity.DANGER,
            f"The SPF record needs {cost.lookups_total} DNS look-ups ({breakdown(cost)}); "
            f"receivers stop at {spf.MAX_LOOKUPS} with permerror.",
            'Name addresses (ip4:, ip6:) instead of "mx" and "a", or take out an include '
            "that nobody uses any more.",
        )


def near_limit(cost: Cost) -> Iterator[Finding]:
    """Almost as many look-ups as receivers make."""
    if cost.lookups_total >= NEAR_LIMIT and not cost.too_many:
        yield Finding(
            "spf-near-limit",
            Severity.WARNING,
            f"The SPF record needs {cost.lookups_total} of {spf.MAX_LOOKUPS} DNS look-ups "
            f"({breakdown(cost)}).",
            "An include can grow without notice. Make room before it does.",
        )


def void(cost: Cost, reason: str = "") -> Iterator[Finding]:
    """More look-ups that find nothing than receivers take, or fewer with another ``reason``."""
    if cost.too_many_void:
        reason = f"receivers stop at {spf.MAX_VOID_LOOKUPS + 1} with permerror"
    if reason:
        empty = ", ".join(dict.fromkeys(node.term for node in _leaves(cost) if node.void))
        find = "finds" if cost.void == 1 else "find"
        yield Finding(
            "spf-void-lookups",
            Severity.DANGER,
            f"{cost.void} of the SPF record's look-ups {find} nothing ({empty}); {reason}.",
            "Take out the terms whose names no longer exist.",
        )


def void_hosts(cost: Cost, lookup: Lookup) -> Iterator[Finding]:
    """Hosts of an ``mx`` each of which some receivers count as a void look-up."""
    found = spf.void_hosts(cost, lookup)
    if found is not None:
        yield Finding(
            "spf-void-hosts",
            Severity.WARNING,
            f"{spf.in_words(found.term)} leads to hosts without an {found.family} address "
            f"({', '.join(found.hosts)}): for a sender with one some receivers count each as a "
            f"void look-up, {found.count} in all, and stop with permerror.",
            'Name their addresses (ip4:, ip6:) instead of "mx", in front of what asks DNS.',
        )


def broken(node: Cost, code: str = "spf-broken-include") -> Finding:
    """A term at which receivers give up: an include without a record behind it, or in a circle."""
    return Finding(
        code,
        Severity.DANGER,
        f"{spf.in_words(node.term)} leads to nothing that receivers can use "
        f"({node.problem.rstrip('.')}); they stop there with permerror, whatever stands behind it.",
        "Correct its name, take it out, or ask whoever runs that domain.",
    )


def dead_ends(cost: Cost) -> Iterator[Finding]:
    """Terms of a published record that find nothing, or that lead to what is no record."""
    leading = [node for node in _leaves(cost) if _leads_on(node)]
    ends = any(node.void for node in leading)
    yield from void(cost, "whoever is not let in before it gets permerror" if ends else "")
    for node in leading:
        if node.problem and not node.unanswered and not node.void:
            yield broken(node, "spf-syntax")  # the record cannot be evaluated, as with a typo


def _leaves(cost: Cost) -> Iterator[Cost]:
    # The void of a branch is counted at its leaves.
    return (node for node in cost.walk() if not node.children)


def _leads_on(node: Cost) -> bool:
    return node.term.lstrip("+-~?").lower().startswith(_LEADS_ON)


def uncounted(cost: Cost, severity: Severity) -> Iterator[Finding]:
    """That DNS was silent while the look-ups were counted."""
    if silent := dict.fromkeys(node.term for node in cost.walk() if node.unanswered):
        named = ", ".join(map(spf.in_words, silent))
        what = f"DNS gave no answer for {named}; the number of look-ups may be too low."
        yield not_checked(what, severity)


def not_checked(what: str, severity: Severity) -> Finding:
    """That DNS was silent, so that something could not be found out."""
    advice = "Try again when DNS answers, or name another resolver with --resolver."
    return Finding("spf-not-checked", severity, what, advice)


def excludes(
    domain: str,
    senders: Sequence[Sender],
    result: spf.Result,
    to_copy: str = "",
    *,
    guessed: bool,
) -> Finding:
    """Servers of ours that may not send, which are ``guessed`` where they are the MX hosts.

    ``to_copy`` is a command that lets them send.
    """
    missing = " ".join(terms_for(senders))
    role = "are MX hosts of" if guessed else "send the mail of"
    if len(senders) == 1:
        role = "is an MX host of" if guessed else "sends the mail of"
    return Finding(
        "spf-excludes-own-server",
        Severity.WARNING if guessed else Severity.DANGER,
        f"SPF does not let {listed(senders)} send ({result}), which {role} {domain}.",
        f"{'Unless it only receives, add' if guessed else 'Add'} what is missing"
        + (f":\n{to_copy}" if to_copy else f": {missing}"),
    )


def terms_for(senders: Sequence[Sender]) -> list[str]:
    """The terms that let these addresses send.

    netcup's own servers are many people's, and are others tomorrow: they are let in by its include.
    """
    terms = (
        NETCUP_INCLUDE if is_netcup(s.host) else f"ip{6 if ':' in s.address else 4}:{s.address}"
        for s in senders
    )
    return list(dict.fromkeys(terms))


def to_try(senders: Sequence[Sender], records: Sequence[SpfRecord]) -> list[Sender]:
    """The senders that a record is to be tried with.

    netcup's own MX is not what sends; where netcup's include is there, its servers may send.
    """
    passing = spf.Qualifier.PASS
    included = any(
        term.unqualified == NETCUP_INCLUDE and term.qualifier is passing
        for record in records
        for term in record.mechanisms
    )
    return [sender for sender in senders if not (included and is_netcup(sender.host))]


def is_enough(domain: str, record: SpfRecord, senders: Sequence[Sender], lookup: Lookup) -> bool:
    """Whether requiring :func:`terms_for` these addresses of the record lets them send.

    A carve-out of which only DNS can tell whom it shuts out stays in front of them.
    """
    edited = spf.require(record, *terms_for(senders))
    results = {result(domain, sender, lookup, edited) for sender in senders}
    return results <= {spf.Result.PASS, spf.Result.TEMPERROR}


def unknown(
    domain: str,
    hosts: Sequence[str],
    senders: Sequence[Sender],
    *,
    guessed: bool,
    hardens: bool = False,
) -> Iterator[Finding]:
    """That it is not known what sends the mail, for want of an address.

    ``senders`` are those of the hosts' addresses that were found. Hosts that are ``guessed`` are
    the MX hosts; ``hardens`` is whether ``-all`` is new.
    """
    found = {sender.host for sender in senders}
    missing = [host for host in hosts if host not in found]
    # Of the MX hosts one is enough; a host that was named was named for a reason.
    if senders and (guessed or not missing):
        return
    yield Finding(
        "own-server-unknown",
        Severity.DANGER if hardens else Severity.WARNING,
        (
            f"No address was found for {' and '.join(missing)}, so it is not known"
            if missing
            else "No MX tells"
        )
        + f" what sends the mail of {domain}"
        + (", and -all rejects all that the record leaves out." if hardens else "."),
        "Name it, so that the record can be tried, as in "
        f"--server {domain if domain.startswith('mail.') else f'mail.{domain}'}"
        if guessed
        else "Look at the spelling, or give the address itself, as in --server 203.0.113.7",
    )


def relayhost(domain: str, host: str) -> Finding:
    """mailcow hands this domain's mail to a relay, which has to be in the SPF record."""
    return Finding(
        "relayhost",
        Severity.WARNING,
        f"mailcow sends the mail of {domain} through a relay ({host}), not by itself.",
        "The SPF record has to let the relay send: look up which include: its provider asks for, "
        "and make sure of it with --spf-require.",
    )


def listed(senders: Sequence[Sender]) -> str:
    """The senders in words."""
    return " and ".join(map(str, senders))


def result(
    domain: str, sender: Sender, lookup: Lookup, record: SpfRecord | None = None
) -> spf.Result:
    """What a receiver makes of mail from a sender, by this record or by the one in DNS."""
    return _evaluated(domain, sender, lookup, record).result


def deciding(domain: str, senders: Sequence[Sender], lookup: Lookup) -> tuple[str, ...]:
    """The terms of the record in DNS, other than ``all``, that decide about these senders."""
    terms = (_evaluated(domain, sender, lookup).term for sender in senders)
    return tuple(dict.fromkeys(term.text for term in terms if term and not term.is_all))


def _evaluated(
    domain: str, sender: Sender, lookup: Lookup, record: SpfRecord | None = None
) -> spf.Evaluation:
    return spf.check_host(
        sender.address,
        domain,
        f"postmaster@{domain}",
        lookup,
        helo=sender.host,
        record=None if record is None else str(record),
    )

"""What receivers conclude from what is published, and what is wrong with it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netcup_mailauth import dkim, dmarc, spf
from netcup_mailauth.findings import Finding, Severity, by_gravity
from netcup_mailauth.judge import dkim as dkim_faults
from netcup_mailauth.judge import dmarc as dmarc_faults
from netcup_mailauth.judge import faults
from netcup_mailauth.judge import spf as spf_faults
from netcup_mailauth.judge import zone as zone_faults
from netcup_mailauth.judge.compare import served_zone
from netcup_mailauth.judge.neighbours import (
    all_addresses,
    distinct,
    exchanges,
    own_hosts,
)
from netcup_mailauth.judge.report import DomainCheck
from netcup_mailauth.kinds import counting, in_effect, is_meant, problem_of
from netcup_mailauth.lookup import Query, Status
from netcup_mailauth.records import Kind, relative
from netcup_mailauth.spf import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from netcup_mailauth.dkim import DkimRecord, PublicKey
    from netcup_mailauth.dmarc import DmarcRecord, Policy
    from netcup_mailauth.judge.compare import Known, Target
    from netcup_mailauth.judge.neighbours import Sender
    from netcup_mailauth.judge.report import Basis, CheckedRecord
    from netcup_mailauth.lookup import Answer, Lookup
    from netcup_mailauth.records import Zone
    from netcup_mailauth.spf import Cost

    About = tuple[Kind, str]
    """The record that a finding is about: its kind and its full name."""
    Said = str | tuple[About, Finding]
    """A conclusion in words, or a finding."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The domain a receiver looks at.

    Attributes:
        hosts: what sends its mail; where it is empty, the MX hosts are taken for it.
        key: the key its mail is signed with, if that is known.
        signer: where that key comes from, in words.
        proves: whether a signature made with the private key verifies with a public one; ``None``
            where there is no private key to try it with.
    """

    domain: str
    hosts: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    key: PublicKey | None = None
    signer: str = ""
    proves: Callable[[PublicKey], bool] | None = None
    parked: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a receiver makes of a domain's mail.

    Attributes:
        findings: what is wrong, each with the record it is about.
        costs: the tree of SPF look-ups, a line each.
        inherited: the domain whose DMARC record applies to this one, if it is another.
    """

    conclusions: tuple[str, ...] = ()
    findings: tuple[tuple[About, Finding], ...] = ()
    costs: tuple[str, ...] = ()
    inherited: str = ""


def judge(subject: Subject, lookup: Lookup) -> Verdict:
    """What a receiver makes of the domain's mail, with DNS as ``lookup`` answers it."""
    cost = _cost(subject, lookup)
    found = dmarc.discover(subject.domain, lookup)
    record = dmarc.read(found.record_text) if found.record_text else None
    if record is not None and not record.in_force:
        record = None
    at = found.found_at or ""
    said = [
        *_spf(subject, lookup, cost),
        *_dkim(subject, lookup),
        *_dmarc(subject, lookup, found, record),
        *_misplaced(subject, lookup),
    ]
    return Verdict(
        tuple(conclusion for conclusion in said if isinstance(conclusion, str)),
        tuple(finding for finding in said if not isinstance(finding, str)),
        tuple(_tree(cost)) if cost else (),
        at if record is not None and at != subject.domain else "",
    )


def text_answer(name: str, lookup: Lookup) -> Answer:
    """The TXT records at a name."""
    (answer,) = lookup([Query(name, "TXT")])
    return answer


def published(kind: Kind, name: str, lookup: Lookup) -> tuple[str, ...]:
    """The texts at a name that count for a kind."""
    return counting(kind, text_answer(name, lookup).values)


def _about(kind: Kind, name: str, said: Iterable[str | Finding]) -> Iterator[Said]:
    return (each if isinstance(each, str) else ((kind, name), each) for each in said)


def _cost(subject: Subject, lookup: Lookup) -> Cost | None:
    """What the one SPF record costs; ``None`` where there is no one record to count."""
    found = published(Kind.SPF, subject.domain, lookup)
    readable = spf_faults.parsed(found)
    if len(found) != 1 or not readable:
        return None
    return spf.cost(readable[0], subject.domain, lookup)


def _tree(cost: Cost, depth: int = 0) -> Iterator[str]:
    """The look-ups, a line for each term that costs some: ``3  include:_spf.example.net``."""
    if depth == 0:
        yield f"{cost.lookups_total} of {spf.MAX_LOOKUPS} look-ups"
    for node in cost.children:
        problem = f"  ({node.problem})" if node.problem else ""
        yield f"{'  ' * (depth + 1)}{node.lookups_total:>2}  {node.term}{problem}"
        yield from _tree(node, depth + 1)


def _spf(subject: Subject, lookup: Lookup, cost: Cost | None) -> Iterator[Said]:
    of_record = list(_spf_record(subject, lookup, cost))
    yield from _about(Kind.SPF, subject.domain, of_record)
    if not subject.parked:
        broken = any(finding.severity is Severity.DANGER for finding in of_record)
        yield from _about(Kind.SPF, subject.domain, _servers(subject, lookup, broken=broken))


def _spf_record(subject: Subject, lookup: Lookup, cost: Cost | None) -> Iterator[Finding]:
    answer = text_answer(subject.domain, lookup)
    found = counting(Kind.SPF, answer.values)
    if not found:
        yield from _near_misses(answer.values)
    elif len(found) > 1:
        yield spf_faults.multiple(subject.domain, found, faults.plan(subject.domain))
    else:
        yield from spf_faults.syntax(subject.domain, found[0], Severity.DANGER)
    beside = [text for text in answer.values if found and is_meant(Kind.SPF, text)]
    for text in beside:
        yield from zone_faults.near_miss(Kind.SPF, subject.domain, subject.domain, text)
    if cost is not None:
        yield from spf_faults.too_many(cost)
        yield from spf_faults.near_limit(cost)
        yield from spf_faults.uncounted(cost, Severity.WARNING)
        yield from spf_faults.dead_ends(cost)
        yield from spf_faults.void_hosts(cost, lookup)
        yield from spf_faults.questionable(spf.parse(found[0]))
        yield from spf_faults.everybody(spf.parse(found[0]), cost)
    if len(found) == 1:
        others = list(answer.values)
        others.remove(found[0])
        yield from spf_faults.long(subject.domain, found[0], others)


def _near_misses(values: Sequence[str]) -> Iterator[Finding]:
    """Texts that were meant as an SPF record, and that no receiver takes for one."""
    for text in values:
        bare = text.strip(" \t\"'").lower()
        problem = problem_of(Kind.SPF, text) if bare.startswith(("v=spf", "spf1", "spf2")) else None
        if problem is not None:
            message = f"{text} is no SPF record for receivers. {problem.what}"
            yield Finding("spf-syntax", Severity.DANGER, message, problem.advice)


_WORDS = {
    Result.PASS: "pass",
    Result.FAIL: "fail, it may not send",
    Result.SOFTFAIL: "softfail, it should not send",
    Result.NEUTRAL: "neutral, nothing is said about it",
    Result.NONE: "none, there is no SPF record",
    Result.PERMERROR: "permerror, the record cannot be used",
    Result.TEMPERROR: "temperror, DNS gave no answer",
}


def _servers(subject: Subject, lookup: Lookup, *, broken: bool) -> Iterator[str | Finding]:
    """Try the record, ``broken`` or not, with each address that sends the domain's mail."""
    mx = exchanges(subject.domain, lookup)
    hosts = own_hosts(subject.hosts, mx, lookup)
    if not hosts and mx.is_null:  # it takes no mail, and nobody says that it sends any
        return
    every = all_addresses(hosts, lookup)
    senders = distinct(every)
    guessed = not subject.hosts
    yield from spf_faults.unknown(subject.domain, hosts, every, guessed=guessed)
    excluded: dict[Result, list[Sender]] = {}
    records = spf_faults.parsed(published(Kind.SPF, subject.domain, lookup))
    for sender in spf_faults.to_try(senders, records):
        result = spf_faults.result(subject.domain, sender, lookup)
        yield f"SPF: mail from {sender}: {_WORDS[result]}"
        excluded.setdefault(result, []).append(sender)
    for result, left_out in excluded.items():
        if result in (Result.PASS, Result.TEMPERROR, Result.NONE):
            continue
        if result is Result.PERMERROR and broken:
            continue  # that there is no usable record is said already
        to_copy = _letting_send(subject.domain, left_out, lookup)
        yield spf_faults.excludes(subject.domain, left_out, result, to_copy, guessed=guessed)


def _letting_send(domain: str, left_out: Sequence[Sender], lookup: Lookup) -> str:
    """The command that lets these addresses send."""
    terms = spf_faults.terms_for(left_out)
    records = spf_faults.parsed(published(Kind.SPF, domain, lookup))
    if len(records) == 1 and not spf_faults.is_enough(domain, records[0], left_out, lookup):
        whole = str(spf.put_first(records[0], *terms))
        in_the_way = spf_faults.deciding(domain, left_out, lookup)
        named = (("--spf-drop", term) for term in in_the_way)  # the consent to let them pass
        return faults.line(faults.plan(domain), ("--spf", whole), *named)
    return faults.line(faults.plan(domain), *(("--spf-require", term) for term in terms))


_PUBLISH = f"Publish the key that the mail server signs with. {dkim_faults.OWN_SIGNATURE}"


def _dkim(subject: Subject, lookup: Lookup) -> Iterator[Said]:
    names = [f"{selector}._domainkey.{subject.domain}" for selector in subject.selectors]
    found = {name: published(Kind.DKIM, name, lookup) for name in names}
    in_use = any(len(own) == 1 and dkim_faults.keys(own) for own in found.values())
    for name, own in found.items():
        if len(own) > 1:
            yield from _about(Kind.DKIM, name, [dkim_faults.multiple(name, own)])
        elif own:
            yield from _about(Kind.DKIM, name, _signatures(subject, name, own[0], in_use=in_use))


def _signatures(subject: Subject, name: str, text: str, *, in_use: bool) -> Iterator[str | Finding]:
    """What becomes of signatures by the record at ``name``; ``in_use`` if any key is."""
    unreadable = list(dkim_faults.syntax(name, text, Severity.DANGER))
    if unreadable:
        yield from unreadable
        return
    record = dkim.parse(text)
    if record.key is None:
        yield f"DKIM: the key at {name} is revoked"
        yield _revoked(name, grave=subject.key is not None or not in_use)
        return
    yield from _proved(subject, name, record, record.key)
    yield from dkim_faults.size(name, record.key, Severity.DANGER)
    if record.key.bits > dkim.MAX_BITS:
        most = f"receivers need not accept more than {dkim.MAX_BITS} bits"
        yield f"DKIM: {record.key.label} is long: {most}."
    yield from dkim_faults.testing(name, record)


def _proved(
    subject: Subject, name: str, record: DkimRecord, key: PublicKey
) -> Iterator[str | Finding]:
    """How the published key stands to the one mail is signed with."""
    published = f"{dkim.describe(record)} at {name}"
    if subject.key is None:
        yield f"DKIM: {published}"
        return
    signer = f" from {subject.signer}" if subject.signer else ""
    if subject.proves is not None:
        good = subject.proves(key)
        said = f"a signature made with the private key{signer} verifies with {published}"
    else:
        good = key == subject.key
        said = f"{published} is the key{signer}"
    if good:
        yield f"DKIM: {said}"
        return
    yield f"DKIM: {published} is not the key{signer}"
    yield Finding(
        "dkim-key-mismatch",
        Severity.DANGER,
        f"{name} holds the key {key.fingerprint}, but mail is signed with "
        f"{subject.key.fingerprint}{signer}: every signature fails.",
        _PUBLISH,
    )


def _revoked(name: str, *, grave: bool) -> Finding:
    """A revoked key beside one in use is how a rotation ends; alone it fails all mail."""
    return Finding(
        "dkim-revokes-key",
        Severity.DANGER if grave else Severity.WARNING,
        f"{name}: the key is revoked (empty p=); mail signed with it fails.",
        _PUBLISH if grave else "Delete the record when no mail signed with it is on its way.",
    )


def _dmarc(
    subject: Subject, lookup: Lookup, found: dmarc.Discovery, record: DmarcRecord | None
) -> Iterator[Said]:
    """What follows from the records at the domain's own name, and from the one that applies."""
    name = f"_dmarc.{subject.domain}"
    yield from _about(Kind.DMARC, name, _own_dmarc(subject, name, lookup))
    at = found.found_at
    if record is None or at is None:
        yield (
            f"DMARC: not found out, DNS gave no answer for {', '.join(found.failed)}"
            if found.failed
            else "DMARC: no policy applies; failing mail is delivered"
        )
        return
    own = at == subject.domain
    policy = dmarc.applied_policy(record) if own else _for_sub_domain(subject, record, lookup)
    says = "says" if own else "says for its sub-domains"
    yield f"DMARC: failing mail is {dmarc.FATE[policy]}, as _dmarc.{at} {says}"
    yield from _about(Kind.DMARC, name, _reports(subject, at, record, lookup))


def _own_dmarc(subject: Subject, name: str, lookup: Lookup) -> Iterator[Finding]:
    answer = text_answer(name, lookup)
    found = counting(Kind.DMARC, answer.values)
    if len(found) > 1:
        yield dmarc_faults.multiple(subject.domain, found, faults.plan(subject.domain))
    values = found or answer.values  # else what was meant as one
    meant = [v for v in values if v.strip(" \t\"'").lower().startswith("v=dmarc")]
    if len(meant) == 1:
        yield from dmarc_faults.syntax(name, meant[0], Severity.DANGER)
    others = [v for v in answer.values if v not in found and (found or v not in meant)]
    # What a wildcard answers for every name does not stand at this one.
    everywhere = text_answer(f"*.{subject.domain}", lookup).values if others else ()
    for text in others:
        if text not in everywhere:
            yield from zone_faults.near_miss(Kind.DMARC, name, subject.domain, text)


def _for_sub_domain(subject: Subject, record: DmarcRecord, lookup: Lookup) -> Policy:
    """What the record of the organisational domain asks for below it (RFC 9989, 4.7: sp, np)."""
    gone = text_answer(subject.domain, lookup).status is Status.NXDOMAIN
    policy = record.effective_nonexistent_policy if gone else record.effective_subdomain_policy
    return dmarc.in_test_mode(record, policy)


def _reports(subject: Subject, at: str, record: DmarcRecord, lookup: Lookup) -> Iterator[Finding]:
    """Whether anybody hears of failing mail; ``at`` is the domain whose record it is."""
    if not subject.parked:
        to_copy = faults.line(faults.plan(at), ("--rua", f"mailto:postmaster@{at}"))
        yield from dmarc_faults.no_reports(at, record, to_copy)
    for uri in filter(dmarc_faults.is_valid, record.rua):  # of others dmarc-syntax tells
        yield from dmarc_faults.unauthorised(at, uri, lookup)
    for uri in filter(dmarc_faults.is_valid, record.ruf):
        yield from dmarc_faults.unauthorised(at, uri, lookup, failures=True)


def misplaced_names(subject: Subject) -> list[tuple[Kind, str, str, str]]:
    """Names that people write by mistake, each with its kind, the right one, and what is wrong."""
    domain = subject.domain
    no_underscore = zone_faults.NO_UNDERSCORE
    names = [(Kind.DMARC, f"dmarc.{domain}", f"_dmarc.{domain}", no_underscore[Kind.DMARC])]
    for selector in subject.selectors:
        right = f"{selector}._domainkey.{domain}"
        wrong = f"{selector}.domainkey.{domain}"
        names.append((Kind.DKIM, wrong, right, no_underscore[Kind.DKIM]))
        elsewhere = (f"{selector}.{domain}", f"_domainkey.{domain}", domain, f"_dmarc.{domain}")
        names += ((Kind.DKIM, name, right, zone_faults.AT_A_SELECTOR) for name in elsewhere)
    return names


def _misplaced(subject: Subject, lookup: Lookup) -> Iterator[Said]:
    """Records at such names; grave where the right name has none."""
    names = misplaced_names(subject)
    answers = lookup([Query(name, "TXT") for _, name, _, _ in names])
    for (kind, name, right, why), answer in zip(names, answers, strict=True):
        # What a wildcard answers there is no record of the kind.
        meant = [t for t in counting(kind, answer.values) if problem_of(kind, t) is None]
        if why == zone_faults.AT_A_SELECTOR:  # without its version it may be anything there
            meant = [text for text in meant if text.startswith("v=DKIM1")]
        if meant:  # what answers at every name stands at no wrong one
            everywhere = text_answer(f"*.{subject.domain}", lookup).values
            meant = [text for text in meant if text not in everywhere]
        severity = Severity.WARNING if published(kind, right, lookup) else Severity.DANGER
        found = (zone_faults.misplaced("TXT", name, text, why, severity) for text in meant)
        yield from _about(kind, right, found)


def of_copy(
    known: Known, targets: Sequence[Target], lookup: Lookup, *, parked: bool
) -> Iterator[Finding]:
    """What is to be said of the records looked for as such, and of netcup's copy of the zone."""
    zone = known.live
    if zone is None:
        served = {each.name: published(each.kind, each.name, lookup) for each in targets}
        zone = served_zone(known.zone, served)
    if known.live is not None:
        yield from zone_faults.draft(zone)
        # What stands at a selector looked for is told as what it does to the key.
        looked_for = [relative(t.name, known.zone) for t in targets if t.kind is Kind.DKIM]
        told = [r for at in looked_for if _is_served(zone, at) for r in zone.at(at, "TXT")]
        yield from zone_faults.strays(zone, told)
    for target in targets:
        hostname = relative(target.name, known.zone)
        found = in_effect(zone, target.kind, hostname)
        if found and known.live is not None:
            for cut in zone_faults.delegated(hostname, zone):
                yield faults.graded(cut, new=False)
        # Of a broken one there is nothing to say but that it is broken.
        if len(found) != 1 or problem_of(target.kind, found[0]) is not None:
            continue
        if target.kind is Kind.SPF and not parked:
            yield from spf_faults.forwarding(spf.parse(found[0]))
        elif target.kind is Kind.DMARC:
            yield from _of_policy(known, zone, dmarc.parse(found[0]), lookup, parked=parked)


def _is_served(zone: Zone, hostname: str) -> bool:
    """Whether the TXT records that a zone has at a name are what receivers get there."""
    return not zone.at(hostname, "CNAME") and not zone.delegation(hostname)


def on_its_way(
    known: Known, targets: Sequence[Target], said: Iterable[tuple[About, Finding]]
) -> Iterator[Finding]:
    """What is broken in netcup's copy of the zone, and about to be served.

    A receiver does not see it yet; where it does, its own finding is among those ``said``.
    """
    if known.live is None:
        return
    heard = {(about, finding.code) for about, finding in said}
    for target in targets:
        hostname = relative(target.name, known.zone)
        if not _is_served(known.live, hostname):
            continue
        texts = (record.destination for record in known.live.at(hostname, "TXT"))
        found = counting(target.kind, dict.fromkeys(texts))
        for fault in _unusable(known.domain, target, found):
            if ((target.kind, target.name), fault.code) not in heard:
                yield replace(fault, message=f"On its way: {fault.message}")


def _unusable(domain: str, target: Target, found: Sequence[str]) -> Iterator[Finding]:
    """Why receivers cannot use the records of a kind at a name, if they cannot."""
    match target.kind:
        case Kind.SPF if len(found) > 1:
            yield spf_faults.multiple(domain, found, faults.plan(domain))
        case Kind.DKIM if len(found) > 1:
            yield dkim_faults.multiple(target.name, found)
        case Kind.DMARC if len(found) > 1:
            yield dmarc_faults.multiple(domain, found, faults.plan(domain))
        case Kind.SPF if found:
            yield from spf_faults.syntax(domain, found[0], Severity.DANGER)
        case Kind.DKIM if found:
            yield from dkim_faults.syntax(target.name, found[0], Severity.DANGER)
        case Kind.DMARC if found:
            yield from dmarc_faults.syntax(target.name, found[0], Severity.DANGER)


def _of_policy(
    known: Known, zone: Zone, record: DmarcRecord, lookup: Lookup, *, parked: bool
) -> Iterator[Finding]:
    yield from dmarc_faults.obsolete(record)
    yield from dmarc_faults.public_suffix(known.domain, record)
    yield from dmarc_faults.cut_short(record)
    yield from dmarc_faults.watching(record)
    if parked:
        return
    if known.live is not None:
        left_out = known.wish.dkim_left_out is not None
        for fault in dmarc_faults.without_key(
            known.domain, record, zone, lookup, left_out=left_out
        ):
            yield faults.graded(fault, new=left_out)
    yield from dmarc_faults.rejecting(record)


def assembled(
    known: Known,
    basis: Basis,
    records: Sequence[CheckedRecord],
    verdict: Verdict,
    decided: Sequence[Finding],
    more: Iterable[Finding],
) -> DomainCheck:
    """The parts of a check as one report: each finding once, at the record it is about if any.

    ``decided`` are findings about the records wanted, ``more`` is what else was found.
    """
    own = {(record.kind, record.name): record for record in records}
    others = []
    for about, finding in dict.fromkeys(verdict.findings):
        if about in own:
            record = own[about]
            own[about] = replace(record, findings=by_gravity([*record.findings, finding]))
        else:
            others.append(finding)
    # What was decided on the way is about a change that is not being made: where a receiver sees
    # the same, its finding says it better.
    said = {finding.code for _, finding in verdict.findings}
    unsaid = [finding for finding in decided if finding.code not in said]
    # What a receiver sees weighs as it does for receivers, whatever it weighs in the zone.
    heard = {(finding.code, finding.message) for _, finding in verdict.findings}
    others += (finding for finding in more if (finding.code, finding.message) not in heard)
    return DomainCheck(
        known.domain,
        basis,
        tuple(own.values()),
        by_gravity([*unsaid, *others]),
        verdict.conclusions,
        verdict.costs,
        known.wish.allow,
    )

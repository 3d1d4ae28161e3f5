"""From a policy, the live zone and a DKIM key to the records a domain should have.

A record given whole becomes exactly that; one described in parts is the live one with these
parts made sure of, and nothing of it lost. No DNS is asked, so that a plan is the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netcup_mailauth import dkim, dmarc, kinds, spf
from netcup_mailauth.errors import RecordError
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.kinds import hostname_of, of_kind
from netcup_mailauth.lookup import ZoneLookup, silent
from netcup_mailauth.plan import Unmanaged
from netcup_mailauth.records import (
    DesiredRecord,
    Kind,
    absolute,
    reason_not_to_store,
    relative,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy, Wish
    from netcup_mailauth.records import Zone

DEFAULT_SELECTOR = "dkim"
"""mailcow's own default; it is used when neither the policy nor the source names one."""


@dataclass(slots=True)
class Desired:
    """The records a domain should have, and what had to be decided on the way."""

    records: list[DesiredRecord] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def desired_records(
    domain: str, zone: Zone, policy: DomainPolicy, key: DkimSource | None
) -> Desired:
    """The records that ``policy`` asks for, in the order they are shown.

    Without a ``key`` there is no wish for a DKIM record: the live one stays. Where a record
    cannot be made of the parts wanted and the live one, there is a finding and no wish.
    """
    desired = Desired()
    if policy.spf:
        _add_spf(desired, domain, zone, policy.spf)
    if policy.dkim and key is not None:
        desired.records.append(_dkim_record(domain, zone, policy.dkim, key))
        desired.findings += _named_elsewhere(domain, key)
    if policy.dmarc:
        _add_dmarc(desired, domain, zone, policy.dmarc)
    return desired


def unmanaged(domain: str, zone: Zone, policy: DomainPolicy) -> tuple[Unmanaged, ...]:
    """What is live of the kinds that ``policy`` says nothing of, and that therefore stay.

    A key is told by its hostname: nobody knows one by its text.
    """
    found = []
    for kind in policy.silent_about:
        if kind is Kind.DKIM:
            below = f".{relative(f'_domainkey.{domain}', zone.name)}"
            names = (r.hostname for r in zone.records if r.type in ("TXT", "CNAME"))
            live = dict.fromkeys(name for name in names if name.endswith(below))
        else:
            at = hostname_of(kind, domain, zone.name)
            live = dict.fromkeys(record.destination for record in kinds.live(zone, kind, at))
        found.append(Unmanaged(kind, tuple(live)))
    return tuple(found)


def _texts(zone: Zone, kind: Kind, hostname: str) -> list[str]:
    """The live texts of a kind, each once: records that are alike are one (RFC 2181, 5)."""
    return list(dict.fromkeys(record.destination for record in kinds.live(zone, kind, hostname)))


def _add_spf(desired: Desired, domain: str, zone: Zone, policy: SpfPolicy) -> None:
    hostname = hostname_of(Kind.SPF, domain, zone.name)
    live = _texts(zone, Kind.SPF, hostname)
    value = policy.record
    if value is None:
        value = _spf_in_parts(desired, domain, live, policy)
    if value is not None:
        desired.records.append(DesiredRecord(Kind.SPF, hostname, value))


def _spf_in_parts(
    desired: Desired, domain: str, live: Sequence[str], policy: SpfPolicy
) -> str | None:
    try:
        _check_consistent(policy)
        if not live:
            return _new_spf(domain, policy)
        records = [spf.parse(text) for text in _as_meant(domain, live)]
        if policy.all is not None and len(records) > 1:  # which the sentence is to speak of
            wanted = spf.Qualifier[policy.all.upper()]
            records = [spf.with_all(r, wanted) if r.all_qualifier else r for r in records]
        merged = spf.merge(records)
        record = spf_of_parts(domain, records, policy)
    except RecordError as error:
        refused = _cannot_edit(Kind.SPF, domain, error) if live else _cannot_make(error)
        desired.findings.append(refused)
        return None
    if len(live) > 1:
        # A term that stood in the way of another may be gone by now.
        settled = set(spf.idle(merged.record)) - set(spf.idle(record))
        notes = [note for note in merged.notes if note not in settled]
        desired.findings.append(_merged(domain, len(live), notes))
    return str(record)


def spf_of_parts(domain: str, live: Sequence[spf.SpfRecord], policy: SpfPolicy) -> spf.SpfRecord:
    """The live records as one, with the parts made sure of.

    Raises RecordError if a part cannot have an effect in it.
    """
    record = spf.drop(spf.merge(live).record, *(policy.drop or ()))
    record = spf.require(record, *(policy.require or ()), domain=domain)
    if policy.all is None:
        return record
    return spf.with_all(record, spf.Qualifier[policy.all.upper()])


def _as_meant(domain: str, live: Sequence[str]) -> list[str]:
    """The live records; of texts that only were meant as one there may be no more than one.

    Raises RecordError if there are several of them, which receivers never heeded together.
    """
    if len(live) > 1 and not spf.is_spf(live[0]):
        raise RecordError(
            f"{domain} has {len(live)} texts meant as its SPF record ({'; and '.join(live)}), and "
            "receivers read none of them.",
            "Which one is meant cannot be told from parts.",
        )
    return [spf.mended(text) for text in live]


def _check_consistent(policy: SpfPolicy) -> None:
    """Refuse what no record can fulfil; edited in, it would be another change in every run."""
    for text in policy.require or ():
        if not spf.drop(spf.parse(f"v=spf1 {text}"), *(policy.drop or ())).terms:
            raise RecordError(
                f'SPF: "{text}" is required and to be dropped.', "Say only one of the two."
            )


def _new_spf(domain: str, policy: SpfPolicy) -> str:
    if not policy.require:
        raise RecordError(
            f"{domain} has no SPF record yet, and no term is required of a new one.",
            "Say what sends its mail, as in --spf-require mx",
        )
    qualifier = spf.Qualifier[(policy.all or "softfail").upper()]
    # The editor of live records, so that what it would refuse next time is refused now.
    new = spf.parse(f"v=spf1 {qualifier}all")
    return str(spf.require(new, *policy.require, domain=domain))


def _cannot_make(error: RecordError) -> Finding:
    return Finding("spf-syntax", Severity.REFUSED, error.what, error.advice, Kind.SPF)


def _merged(domain: str, number: int, notes: Sequence[str]) -> Finding:
    decided = "".join(f" {note[0].upper()}{note[1:]}." for note in notes)
    return Finding(
        "spf-multiple",
        Severity.WARNING,
        f"{domain} has {number} SPF records, which receivers answer with permerror for all of its "
        f"mail. They become one that keeps every term.{decided}",
    )


def _cannot_edit(kind: Kind, domain: str, error: RecordError) -> Finding:
    return Finding(
        f"{kind}-syntax",
        Severity.REFUSED,
        f"The live {kind.upper()} record of {domain} cannot be changed in parts. {error.what}",
        f"{error.advice}\nGive the record whole with --{kind}.",
        kind,
    )


def _dkim_record(domain: str, zone: Zone, policy: DkimPolicy, key: DkimSource) -> DesiredRecord:
    selector = (policy.selector or key.selector or DEFAULT_SELECTOR).lower()
    hostname = hostname_of(Kind.DKIM, domain, zone.name, selector)
    value = _live_text_of(key, zone, hostname) if key.key_only else None
    return DesiredRecord(
        kind=Kind.DKIM,
        hostname=hostname,
        value=value or key.record,
        source=key.origin,
        fingerprint=key.key.fingerprint if key.key else None,
    )


def _named_elsewhere(domain: str, key: DkimSource) -> Iterator[Finding]:
    """That the key's own line of a zone file is for another domain.

    A name without its end is one below the zone: ``dkim._domainkey.intern``.
    """
    if key.domain and domain != key.domain and not domain.startswith(f"{key.domain}."):
        yield Finding(
            "dkim-named-elsewhere",
            Severity.NOTE,
            f"The key in {key.origin} stands under a name of {key.domain}, and is taken for "
            f"{domain}.",
            "Several domains may share a key. If they do not, give the one of this domain: WEB.DE "
            "and GMX insist on a signature of the sender's own.",
        )


def _live_text_of(key: DkimSource, zone: Zone, hostname: str) -> str | None:
    """The live record that already publishes this key.

    A bare key says nothing about the other tags, so those of the live record stay.
    """
    if key.key is None:
        return None
    for record in of_kind(zone, Kind.DKIM, hostname):
        try:
            live = dkim.parse(record.destination).key
        except RecordError:
            continue
        if live is not None and live.spki == key.key.spki:
            return record.destination
    return None


def _add_dmarc(desired: Desired, domain: str, zone: Zone, policy: DmarcPolicy) -> None:
    hostname = hostname_of(Kind.DMARC, domain, zone.name)
    live = _texts(zone, Kind.DMARC, hostname)
    value = policy.record
    if value is None:
        name = absolute(hostname, zone.name)
        value = _dmarc_in_parts(desired, name, live, policy, zone.backend)
    if value is not None:
        desired.records.append(DesiredRecord(Kind.DMARC, hostname, value))


def _dmarc_in_parts(
    desired: Desired, name: str, live: Sequence[str], policy: DmarcPolicy, api: str
) -> str | None:
    if not live:
        return str(dmarc_of_parts(dmarc.parse("v=DMARC1;p=none"), policy))
    if len(live) > 1:
        desired.findings.append(_ambiguous(name, live))
        return None
    text = live[0]
    as_read = dmarc.read(text)
    if as_read is not None and _is_in_effect(as_read, policy):
        return text  # what else may be wrong with it was not asked for
    fault = kinds.problem_of(Kind.DMARC, text)
    # Blanks are allowed in it, and some receivers look for the version in one piece.
    is_plain = fault is None and text.startswith("v=DMARC1")
    meant = as_read if as_read is not None and is_plain else dmarc.mended(text)
    edited = dmarc_of_parts(meant, policy)
    gone = dmarc.removed_tags(meant, edited)
    unheard: tuple[str, ...] = ()
    if fault is not None and policy.policy is None:
        sub_domains = policy.subdomain_policy is None
        edited, unheard = dmarc.not_yet_in_force(as_read, edited, sub_domains=sub_domains)
    if reason_not_to_store(str(edited), api) is not None:
        edited = dmarc.without_quotes(edited)
    try:
        dmarc.parse_live(str(edited))
        if (reason := reason_not_to_store(str(edited), api)) is not None:
            raise RecordError(f"It cannot be stored: {reason}.", "Write it without that.")
    except RecordError as error:
        if as_read is None:  # nobody could tell which text is meant
            error = RecordError(f"It is {text}: {error.what}", error.advice)
        desired.findings.append(_cannot_edit(Kind.DMARC, name, error))
        return None
    if fault is not None and as_read is not None and str(meant) != text:
        desired.findings.append(_mended(name, text, fault))
    if unheard:
        desired.findings.append(_starts_as_none(name, unheard))
    desired.findings += (
        Finding("dmarc-removed-tag", Severity.WARNING, f"{name}: {words}") for words in gone
    )
    return str(edited)


def _is_in_effect(live: dmarc.DmarcRecord, policy: DmarcPolicy) -> bool:
    """Whether every receiver already does what is wanted: it is written, and it has its effect."""
    if str(dmarc_of_parts(live, policy)) != str(live) or live.tags.get("v") is None:
        return False
    heeded = (
        policy.policy in (None, live.effective_policy),
        policy.subdomain_policy in (None, live.effective_subdomain_policy),
        live.in_force or not policy.rua,
    )
    return all(heeded)


def _mended(name: str, text: str, fault: RecordError) -> Finding:
    return Finding(
        "dmarc-syntax",
        Severity.WARNING,
        f"{name}: receivers do not read {text} as it was meant. {fault.what}",
        "It is written anew as it was plainly meant.",
    )


def _starts_as_none(name: str, unheard: Sequence[str]) -> Finding:
    said = " and ".join(unheard)
    return Finding(
        "near-miss",
        Severity.WARNING,
        f"{name}: {said} had no effect so far, and would only now get one; it starts as none.",
        "Read the reports for about four weeks, then name the policy with --dmarc-policy.",
    )


def dmarc_of_parts(record: dmarc.DmarcRecord, policy: DmarcPolicy) -> dmarc.DmarcRecord:
    """The record with the parts made sure of."""
    if policy.subdomain_policy is not None:
        record = dmarc.with_subdomain_policy(record, policy.subdomain_policy)
    if policy.policy is not None:  # by both it is told whether there is anything left to watch
        record = dmarc.with_policy(record, policy.policy)
    return dmarc.with_addresses(record, "rua", *policy.rua) if policy.rua else record


def _ambiguous(name: str, live: Sequence[str]) -> Finding:
    return Finding(
        "dmarc-ambiguous",
        Severity.REFUSED,
        f"{name} has {len(live)} DMARC records ({'; and '.join(live)}), so receivers ignore them "
        "all. Which one is meant cannot be told from parts.",
        "Give the record whole with --dmarc; the others are then deleted.",
        Kind.DMARC,
    )


def report_authorisations(wish: Wish, zone: Zone) -> list[DesiredRecord]:
    """The records by which hosts of the wish's domain, in ``zone``, take reports about others.

    None for a domain that is of one organisation with the host, as far as this zone and what the
    run gives it tell: then no record is asked for (RFC 9990, 4). Each once.
    """
    lookup = dmarc.ComingLookup(wish.coming, ZoneLookup(zone, silent))
    found = (
        report_authorisation(domain, host, zone)
        for domain, host in wish.authorises
        if not dmarc.is_one_organisation(domain, host, lookup)
    )
    return list(dict.fromkeys(found))  # one for every domain serves several


def report_authorisation(policy_domain: str, host: str, zone: Zone) -> DesiredRecord:
    """The record by which ``host``, in ``zone``, takes the reports about ``policy_domain``.

    One that is there already stays as it is, also one for every domain: it may name another
    address (RFC 9990, 4).
    """
    name = dmarc.authorisation_name(policy_domain, host)
    hostname = relative(name, zone.name)
    for_all = relative(dmarc.authorisation_name("*", host), zone.name)
    for at in (hostname, for_all):
        if live := of_kind(zone, Kind.DMARC_REPORT, at):
            return DesiredRecord(Kind.DMARC_REPORT, at, live[0].destination)
    return DesiredRecord(Kind.DMARC_REPORT, hostname, "v=DMARC1")

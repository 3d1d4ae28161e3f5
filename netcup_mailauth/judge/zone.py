"""The faults of a zone itself, whatever is to be changed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import dkim, dmarc, kinds, spf
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import faults
from netcup_mailauth.judge.neighbours import in_order, is_netcup, left_over
from netcup_mailauth.kinds import is_of_kind, of_kind
from netcup_mailauth.plan import has_twin
from netcup_mailauth.records import APEX, Kind, absolute
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from netcup_mailauth.records import DnsRecord, Zone

NETCUP_DKIM = "webhosting.systems"
"""Where the DKIM CNAMEs of netcup's web hosting lead (fact sheet mail, 0.4)."""

NETCUP_SELECTORS = ("key1", "key2")
"""Where they stand (facts 2026-11-26, B8)."""

NO_UNDERSCORE = {
    Kind.DKIM: "the underscore is missing; DKIM keys stand at <selector>._domainkey.",
    Kind.DMARC: "the underscore is missing; DMARC stands at _dmarc.",
}


AT_A_SELECTOR = "a DKIM key belongs at <selector>._domainkey."


def draft(zone: Zone) -> Iterator[Finding]:
    """A change that somebody has begun, or may have."""
    if zone.draft_state is not None:
        state = visible(zone.draft_state)
        yield Finding(
            "zone-has-draft",
            Severity.DANGER,
            f"netcup calls the newest revision of the zone {zone.name} '{state}', a word that is "
            "not known here: it may be a draft that somebody has begun and not committed yet "
            f"(revision {zone.draft}).",
            "Look in the CCP, at the domain's CloudDNS tab, whether it shows changes that are not "
            "committed. If so, commit or discard them, then plan again. If not, please report "
            "this word; --allow zone-has-draft goes on without waiting for an answer.",
        )
    elif zone.draft is not None:
        yield Finding(
            "zone-has-draft",
            Severity.DANGER,
            f"Somebody has begun to change the zone {zone.name} and not committed it yet "
            f"(draft {zone.draft}).",
            "Commit or discard the draft in the CCP, then plan again.",
        )


def alias(kind: Kind, record: DnsRecord, zone: Zone) -> Finding:
    """A CNAME where a record of the kind is to stand (RFC 1034, 3.6.2)."""
    other = ""
    if kind is Kind.DKIM:
        other = " Or give another selector with --selector, if the mail server signs with it."
    return Finding(
        "dkim-cname" if kind is Kind.DKIM else "cname-conflict",
        Severity.REFUSED,
        f"{absolute(record.hostname, zone.name)} is a CNAME to {record.destination}; no other "
        "record can stand beside it.",
        f"Delete the CNAME in the CCP if it is yours to delete, then plan again.{other}",
    )


def fixed(record: DnsRecord, zone: Zone) -> Iterator[Finding]:
    """A record that is to change, and cannot, or not by itself.

    An API that tells records by their TTL cannot tell two apart that are exactly alike.
    """
    text = dkim.abridged(record.destination)
    named = f"The TXT record {text} at {absolute(record.hostname, zone.name)}"
    if record.immutable:
        yield Finding(
            "record-fixed",
            Severity.REFUSED,
            f"{named} is marked by netcup as not to be changed.",
            "Look at the zone in the CCP: what it lets you change there, change there.",
        )
    elif record.ttl is not None and has_twin(record, zone):
        yield Finding(
            "record-fixed",
            Severity.REFUSED,
            f"{named} is there twice, exactly alike, and this API cannot delete one alone.",
            "Delete one of them in the CCP, then plan again.",
        )


def delegated(hostname: str, zone: Zone) -> Iterator[Finding]:
    """A name that lies in a zone of its own, so that no record here is served (RFC 1034, 4.2.1)."""
    cut = zone.delegation(hostname)
    if not cut:
        return
    name = absolute(hostname, zone.name)
    servers = " and ".join(record.destination.rstrip(".") for record in cut)
    whose = "" if cut[0].hostname == hostname else f" with {absolute(cut[0].hostname, zone.name)}"
    yield Finding(
        "name-delegated",
        Severity.DANGER,
        f"{name} is delegated{whose} to {servers}, so a record for it in the zone {zone.name} is "
        "never served.",
        "Change it where that name is served, or delete its NS records in the CCP if nobody "
        "serves it any more, then plan again.",
    )


def shadowed(kind: Kind, hostname: str, before: Zone, after: Zone) -> Iterator[Finding]:
    """Host names that a new record makes exist, for which a wildcard answered until now.

    That is the record's own name and those between it and the apex (RFC 4592, 2.2.2). Names with
    an underscore are asked for by nobody but receivers, who want the new record.
    """
    lost: dict[str, list[DnsRecord]] = {}
    name = hostname
    while name and name != APEX:
        if "_" not in name and not before.is_there(name) and after.is_there(name):
            lost[name] = [
                record
                for record in before.answering(name)
                if not (name == hostname and _is_replaced(kind, record))
            ]
        name = name.partition(".")[2]
    hosts = [absolute(name, before.name) for name, records in lost.items() if records]
    if not hosts:
        return
    records = dict.fromkeys(record for found in lost.values() for record in found)
    wildcards = dict.fromkeys(absolute(record.hostname, before.name) for record in records)
    said = dict.fromkeys(f"{record.type} {record.destination}" for record in records)
    yield Finding(
        "wildcard-shadowed",
        Severity.DANGER,
        f"A record at {absolute(hostname, before.name)} makes {' and '.join(hosts)} exist, so that "
        f"{' and '.join(wildcards)} no longer answers there or below: "
        f"{' and '.join(said)} would no longer be served.",
        f"If {hosts[-1]} is used (a website, mail), give it these records of its own in the CCP "
        "first, then plan again.",
    )


def _is_replaced(kind: Kind, record: DnsRecord) -> bool:
    """Whether the new record stands for what a wildcard answered at its own name."""
    return record.type == "TXT" and is_of_kind(kind, record.destination)


def strays(zone: Zone, changed: Collection[DnsRecord | None]) -> Iterator[Finding]:
    """Records that no receiver reads, left behind by netcup's own mail, or answering for all.

    A near miss that is ``changed`` is told by the change.
    """
    for record in zone.records:
        if record.type not in ("TXT", "CNAME"):
            continue
        if not record.hostname.startswith("*"):  # which answers for every name below
            name = absolute(record.hostname, zone.name)
            why = _why_misplaced(record, zone.name)
            if why is not None:
                yield misplaced(record.type, name, record.destination, why, Severity.WARNING)
            elif record not in changed:
                yield from _near_miss(record, name, zone)
    yield from _netcup_mail(zone)
    for record in zone.records:
        if record.type == "TXT" and record.hostname.split(".")[0] == "*":
            yield Finding(
                "wildcard-txt",
                Severity.NOTE,
                f"{record.hostname} has a TXT record, which answers for every name that is not "
                "there, also for DKIM selectors and _dmarc of sub-domains.",
                "Delete it unless something needs it.",
            )


def misplaced(record_type: str, name: str, text: str, why: str, severity: Severity) -> Finding:
    """A record where no receiver looks for it."""
    return Finding(
        "misplaced-record",
        severity,
        f"{record_type} {name} ({dkim.abridged(text)}): {why}",
        "No receiver looks there. Move or delete it in the CCP.",
    )


def _why_misplaced(record: DnsRecord, zone: str) -> str | None:
    labels = record.hostname.split(".")
    text = record.destination
    if "domainkey" in labels and record.type in ("TXT", "CNAME"):
        return NO_UNDERSCORE[Kind.DKIM]
    if record.type != "TXT":
        return None
    if text.startswith("v=DKIM1") and "_domainkey" not in labels[1:] and not _repeats(record, zone):
        return AT_A_SELECTOR
    if labels[0] == "dmarc" and dmarc.is_dmarc(text):
        return NO_UNDERSCORE[Kind.DMARC]
    if _repeats(record, zone) and _is_mail_record(text):
        return f"its name repeats the zone; netcup adds {zone} by itself."
    if spf.is_spf(text) and ("_dmarc" in labels or "_domainkey" in labels):
        return "an SPF record belongs at the domain itself."
    if dmarc.is_dmarc(text) and not {"_dmarc", "dmarc"} & set(labels):
        return "a DMARC record belongs at _dmarc."
    return None


def _near_miss(record: DnsRecord, name: str, zone: Zone) -> Iterator[Finding]:
    """A text where a record of a kind stands, and which is none, that stays as it is."""
    label, _, domain = name.partition(".")
    if record.type == "TXT" and label == "_dmarc":
        yield from near_miss(Kind.DMARC, name, domain, record.destination)
    elif record.type == "TXT" and _is_selector(record.hostname):
        keys = of_kind(zone, Kind.DKIM, record.hostname)
        yield from _no_key(name, record.destination, beside=any(key != record for key in keys))
    elif record.type == "TXT" and kinds.is_meant(Kind.SPF, record.destination):
        yield from near_miss(Kind.SPF, name, name, record.destination)


def _is_selector(hostname: str) -> bool:
    selector, found, _ = f"{hostname}.".partition("._domainkey.")
    return bool(found) and not selector.startswith("_")  # as those of older standards do


def _no_key(name: str, text: str, *, beside: bool) -> Iterator[Finding]:
    """A text at a selector that is no key, ``beside`` one that receivers read or by itself."""
    problem = kinds.problem_of(Kind.DKIM, text)
    if problem is None:
        return
    why = problem.what.removesuffix(".")
    advice = "Delete it in the CCP, or publish the key that is meant there with --dkim."
    if beside:
        why += ", and of two texts it is undefined which is read (RFC 6376, 3.6.2.2)"
        advice = "Delete it in the CCP."
    yield Finding(
        "near-miss",
        Severity.WARNING,
        f"{name} has the text {dkim.abridged(text)}, which receivers do not read as a DKIM key. "
        f"{why}.",
        advice,
    )


def near_miss(
    kind: Kind, name: str, domain: str, text: str, becomes: str | None = None
) -> Iterator[Finding]:
    """A text at the name of a record of ``kind`` that is none, for receivers.

    ``name`` is in full. ``becomes`` is the text that takes its place, empty where none does;
    ``None`` where it stays.
    """
    if kinds.is_of_kind(kind, text):
        return
    meant = kinds.is_meant(kind, text)
    problem = kinds.problem_of(kind, text) if meant else None
    why = f" {problem.what.removesuffix('.')}." if problem is not None else ""
    if becomes is not None:
        fate = f" It becomes {dkim.abridged(becomes)}" if becomes else " It is deleted."
        lost = _addresses_lost(text, becomes) if kind is Kind.DMARC else ()
        advice = (
            f"It asked for reports to {' and '.join(lost)}, which goes with it. Add what somebody "
            "is to read with --rua."
            if lost
            else ""
        )
    elif meant:
        fate = "" if kind is Kind.SPF else " Some take it for a second record, and heed none then."
        advice = _how_to_take(kind, domain, text)
    else:
        fate = ""
        advice = "Delete it in the CCP unless something needs it."
    label = {Kind.SPF: "SPF", Kind.DKIM: "a DKIM key"}.get(kind, "DMARC")
    message = f"{name} has the text {dkim.abridged(text)}, which receivers do not read as {label}."
    yield Finding("near-miss", Severity.WARNING, f"{message}{why}{fate}", advice)


def _addresses_lost(text: str, becomes: str) -> tuple[str, ...]:
    """The addresses that were meant to get reports, and that the new record does not have."""
    meant, new = dmarc.mended(text), dmarc.read(becomes)
    return (*dmarc.dropped_reports(meant, new), *dmarc.dropped_failures(meant, new))


def _how_to_take(kind: Kind, domain: str, text: str) -> str:
    """What to do with a near miss that stays beside another record, or where nothing is wanted."""
    spf_text = kind is Kind.SPF
    whole = spf.mended(text) if spf_text else str(dmarc.without_quotes(dmarc.mended(text)))
    if kinds.problem_of(kind, whole) is not None:
        return "Delete it in the CCP."
    to_copy = faults.line(faults.plan(domain), (f"--{kind}", whole))
    return (
        f"Delete it in the CCP, unless it is the one that is meant. Then give it whole:\n{to_copy}"
    )


def _repeats(record: DnsRecord, zone: str) -> bool:
    return f".{record.hostname}".endswith(f".{zone}")


def _is_mail_record(text: str) -> bool:
    return spf.is_spf(text) or dmarc.is_dmarc(text) or text.startswith("v=DKIM1")


def _netcup_mail(zone: Zone) -> Iterator[Finding]:
    """What netcup's own mail left behind in the zone of somebody with a mail server."""
    mx = in_order(f"{r.priority} {r.destination.rstrip('.')}" for r in zone.at("@", "MX"))
    if all(map(is_netcup, mx)):
        return
    yield from left_over(mx)
    names = [r.hostname for r in zone.records if is_netcup_dkim(r)]
    if names:
        yield Finding(
            "stale-netcup-mail",
            Severity.WARNING,
            f"{' and '.join(sorted(names))}: DKIM keys of netcup's web hosting. Whoever may send "
            "there can sign as this domain.",
            "Delete them in the CCP if nothing at netcup sends mail for it.",
        )


def is_netcup_dkim(record: DnsRecord) -> bool:
    """Whether a record is one of the DKIM CNAMEs of netcup's web hosting."""
    return record.type == "CNAME" and is_netcup_key(record.destination)


def is_netcup_key(target: str) -> bool:
    """Whether a CNAME's target is where netcup keeps the keys of its web hosting."""
    return target.rstrip(".").lower().endswith(f".{NETCUP_DKIM}")

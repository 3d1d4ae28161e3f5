"""Findings about the zone itself, whatever is to be changed in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netcup_mailauth import dmarc, spf
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import faults
from netcup_mailauth.judge.faults import fault
from netcup_mailauth.names import absolute
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netcup_mailauth.judge.guard import Case
    from netcup_mailauth.records import DnsRecord

CODES = (
    "zone-reads-empty",
    "zone-has-draft",
    "cname-conflict",
    "dkim-cname",
    "record-vanished",
    "misplaced-record",
    "stale-netcup-mail",
    "wildcard-txt",
    "relayhost",
    "dkim-no-key",
)

NETCUP_MX = re.compile(r"mx[0-9a-f]+\.netcup\.net")
NETCUP_DKIM = "webhosting.systems"
"""Where the DKIM CNAMEs of netcup's web hosting lead (fact sheet mail, 0.4)."""


def findings(case: Case) -> Iterator[Finding]:
    """The findings about the zone."""
    yield from _empty(case)
    yield from _draft(case)
    yield from _cnames(case)
    yield from _vanished(case)
    yield from _misplaced(case)
    yield from _netcup_mail(case)
    yield from _wildcards(case)


def _empty(case: Case) -> Iterator[Finding]:
    if not case.before.records and case.change_set.changes:
        yield Finding(
            "zone-reads-empty",
            Severity.DANGER,
            f"The zone {case.before.name} reads as empty: netcup lists no record at all in it.",
            "A domain that has a website or mail is not empty: then look in the CCP before you "
            "write. netcup's API also says this of zones it has moved to CloudDNS.",
        )


def _draft(case: Case) -> Iterator[Finding]:
    if case.before.draft is not None:
        yield Finding(
            "zone-has-draft",
            Severity.DANGER,
            f"Somebody has begun to change the zone {case.before.name} and not committed it yet "
            f"(draft {case.before.draft}).",
            "Commit or discard the draft in the CCP, then plan again.",
        )


def _cnames(case: Case) -> Iterator[Finding]:
    for kind, hostname in case.change_set.slots():
        for record in case.after.at(hostname, "CNAME"):
            name = absolute(hostname, case.before.name)
            yield fault(
                "dkim-cname" if kind is Kind.DKIM else "cname-conflict",
                f"{name} is a CNAME to {record.destination}; no other record can stand beside it.",
                "Delete the CNAME in the CCP if it is yours to delete, then plan again. "
                + _without(kind),
                new=case.is_written(kind, hostname),
                gravity=Severity.REFUSED,
            )


def _without(kind: Kind) -> str:
    """How to leave a kind alone whose name is taken."""
    if kind is Kind.DKIM:
        return "Or give another selector with --selector, if the mail server signs with it."
    others = (other for other in (Kind.SPF, Kind.DKIM, Kind.DMARC) if other is not kind)
    return f"Or leave it alone: {' '.join(f'--kind {other}' for other in others)}"


def _vanished(case: Case) -> Iterator[Finding]:
    """A kind that this machine wrote, that is gone, and that parts would make anew and bare."""
    if case.remembered is None:
        return
    for kind in (Kind.SPF, Kind.DMARC):
        policy = getattr(case.policy, kind.value)
        for hostname in case.hostnames(kind):
            had = case.remembered.of_kind(kind, hostname)
            if had and not case.before.of_kind(kind, hostname) and policy and not policy.record:
                yield Finding(
                    "record-vanished",
                    Severity.DANGER,
                    f"The {kind.upper()} record at {absolute(hostname, case.before.name)} was "
                    f"{had[0].destination} after the last write from here, and is gone now.",
                    "Made from parts, the new one would lack what the old one held. Give it "
                    "whole:\n" + faults.line([(f"--{kind}", had[0].destination)]),
                )


def _misplaced(case: Case) -> Iterator[Finding]:
    for record in case.before.records:
        if record.hostname.startswith("*"):
            continue  # it answers for every name below
        reason = _why_misplaced(record, case.before.name)
        if reason is not None:
            yield Finding(
                "misplaced-record",
                Severity.WARNING,
                f"{record.type} {absolute(record.hostname, case.before.name)} "
                f"({record.destination}): {reason}",
                "No receiver looks there. Move or delete it in the CCP.",
            )


def _why_misplaced(record: DnsRecord, zone: str) -> str | None:
    labels = record.hostname.split(".")
    text = record.destination
    if "domainkey" in labels and record.type in ("TXT", "CNAME"):
        return "the underscore is missing; DKIM keys stand at <selector>._domainkey."
    if record.type != "TXT":
        return None
    if labels[0] == "dmarc" and dmarc.is_dmarc(text):
        return "the underscore is missing; DMARC stands at _dmarc."
    if f".{record.hostname}".endswith(f".{zone}") and _is_mail_record(text):
        return f"its name repeats the zone; netcup adds {zone} by itself."
    if spf.is_spf(text) and ("_dmarc" in labels or "_domainkey" in labels):
        return "an SPF record belongs at the domain itself."
    if dmarc.is_dmarc(text) and not {"_dmarc", "dmarc"} & set(labels):
        return "a DMARC record belongs at _dmarc."
    return None


def _is_mail_record(text: str) -> bool:
    return spf.is_spf(text) or dmarc.is_dmarc(text) or text.startswith("v=DKIM1")


def _netcup_mail(case: Case) -> Iterator[Finding]:
    """What netcup's own mail left behind in the zone of somebody with a mail server."""
    mail_hosts = case.before.at("@", "MX")
    stale = [record for record in mail_hosts if NETCUP_MX.fullmatch(record.destination.rstrip("."))]
    if not mail_hosts or len(stale) == len(mail_hosts):
        return
    for record in stale:
        yield Finding(
            "stale-netcup-mail",
            Severity.WARNING,
            f"MX {record.priority} {record.destination} is netcup's own mail server. When yours "
            "cannot be reached, mail goes there.",
            "Delete it in the CCP unless a mailbox at netcup is meant to get this mail.",
        )
    names = [r.hostname for r in case.before.records if is_netcup_dkim(r)]
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
    return record.type == "CNAME" and record.destination.rstrip(".").endswith(f".{NETCUP_DKIM}")


def _wildcards(case: Case) -> Iterator[Finding]:
    for record in case.before.records:
        if record.type == "TXT" and record.hostname.split(".")[0] == "*":
            yield Finding(
                "wildcard-txt",
                Severity.NOTE,
                f"{record.hostname} has a TXT record, which answers for every name that is not "
                "there, also for DKIM selectors and _dmarc of sub-domains.",
                "Delete it unless something needs it.",
            )

"""Findings about the DMARC record: what is done with failing mail, and who hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import dmarc
from netcup_mailauth.dmarc import Authorisation
from netcup_mailauth.errors import RecordError
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import dkim as dkim_findings
from netcup_mailauth.judge import faults as commands
from netcup_mailauth.judge.case import fault
from netcup_mailauth.judge.zone import is_netcup_dkim
from netcup_mailauth.names import relative, zone_form
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.dmarc import DmarcRecord
    from netcup_mailauth.judge.case import Case
    from netcup_mailauth.records import Zone

CODES = (
    "dmarc-syntax",
    "dmarc-ambiguous",
    "dmarc-multiple",
    "dmarc-weakens-policy",
    "dmarc-drops-reports",
    "dmarc-enforces-without-dkim",
    "dmarc-report-not-authorised",
    "dmarc-untested",
    "dmarc-no-reports",
    "dmarc-removed-tag",
    "dmarc-policy-none",
    "dmarc-reject-and-mailing-lists",
)


def findings(case: Case) -> Iterator[Finding]:
    """The findings about the DMARC records concerned."""
    for hostname in case.hostnames(Kind.DMARC):
        before = case.texts(case.before, Kind.DMARC, hostname)
        after = case.texts(case.after, Kind.DMARC, hostname)
        if len(after) > 1:
            yield _multiple(case, before, after)
            continue
        # Two live records are ignored by receivers; from them nothing is a step back.
        old = dmarc.read(before[0]) if len(before) == 1 else None
        new = dmarc.read(after[0]) if after else None
        if new is not None and case.is_written(Kind.DMARC, hostname):
            refused = _syntax(after[0])
            if refused is not None:
                yield refused
                continue
        if old is not None:
            yield from _steps_back(case, old, new)
        if new is not None:
            yield from _obsolete(new)
            yield from _policy(case, before, old, new)
            yield from _reports(case, old, new)


def _multiple(case: Case, before: Sequence[str], after: Sequence[str]) -> Finding:
    return fault(
        "dmarc-multiple",
        f"{case.domain} has {len(after)} DMARC records, so receivers ignore them all: "
        f"{'; and '.join(after)}",
        "Give the one that is meant whole; the others are then deleted:\n"
        + commands.line([("--dmarc", after[0])]),
        new=len(after) > len(before),
    )


def _syntax(text: str) -> Finding | None:
    try:
        dmarc.parse(text)
    except RecordError as error:
        return Finding("dmarc-syntax", Severity.REFUSED, error.what, error.advice)
    return None


def _obsolete(new: DmarcRecord) -> Iterator[Finding]:
    """Tags that RFC 9989 took out; where an edit takes them out, ``desired`` says so."""
    written = [f"{name}={new.tags.get(name)}" for name in dmarc.REMOVED if name in new.tags.names()]
    if written:
        yield Finding(
            "dmarc-removed-tag",
            Severity.WARNING,
            f"The DMARC record holds {' and '.join(written)}, which receivers no longer read "
            "(RFC 9989): the policy is for all failing mail.",
            "Take it out; a policy that is only tried is written t=y now.",
        )


def _steps_back(case: Case, old: DmarcRecord, new: DmarcRecord | None) -> Iterator[Finding]:
    if dmarc.weakens(old, new):
        was, will = (dmarc.applied_policy(r) if r else "no policy" for r in (old, new))
        if was == will:  # it is sub-domains, or the share of mail
            was, will = str(old), str(new)
        yield Finding(
            "dmarc-weakens-policy",
            Severity.DANGER,
            f"Receivers will do less with mail that fails for {case.domain}: {was} -> {will}.",
            "Forged mail gets through more easily. Leave the policy as it is unless mail of yours "
            "is being lost.",
        )
    dropped = [uri for uri in dmarc.dropped_reports(old, new) if _is_valid(uri)]
    if dropped:
        yield Finding(
            "dmarc-drops-reports",
            Severity.DANGER,
            f"Reports will no longer go to {' and '.join(dropped)}.",
            "Does somebody read them, or a service?" + _keeping(dropped, new),
        )


def _keeping(dropped: Sequence[str], new: DmarcRecord | None) -> str:
    if new is None:
        return ""
    kept = dmarc.with_report_address(new, *dropped).record
    return f" Then keep them:\n{commands.line([('--dmarc', str(kept))])}"


def _is_valid(uri: str) -> bool:
    """Whether receivers send reports there at all; a broken address is no loss."""
    try:
        dmarc.report_host(uri)
    except RecordError:
        return False
    return True


def _policy(
    case: Case, before: Sequence[str], old: DmarcRecord | None, new: DmarcRecord
) -> Iterator[Finding]:
    policy = dmarc.applied_policy(new)
    if policy == "none":
        yield _watching(case, new)
    elif not case.policy.parked:
        yield from _without_key(case, old, new)
        if old is None:
            yield _untested(case, before, new)
    if new.effective_policy == "reject" and not case.policy.parked:
        yield Finding(
            "dmarc-reject-and-mailing-lists",
            Severity.NOTE,
            "p=reject: mail that people of this domain send to mailing lists may be rejected.",
            "RFC 9989 (7.4) advises against it where people post to lists.",
        )


def _watching(case: Case, new: DmarcRecord) -> Finding:
    advice = "Read the reports for about four weeks, then "
    if new.t == "y" and new.effective_policy != "none":
        advice += "take t=y out, so that the policy counts."
        says = f"p={new.effective_policy};t=y"
    else:
        stronger = dmarc.with_policy(new, "quarantine").record
        advice += f"go on:\n{commands.dmarc_to(case.policy, new, stronger)}"
        says = "p=none"
    return Finding(
        "dmarc-policy-none",
        Severity.NOTE,
        f"{says} only watches: failing mail is delivered.",
        advice,
    )


def _untested(case: Case, before: Sequence[str], new: DmarcRecord) -> Finding:
    since = f"{len(before)} records that cancel each other out" if before else "no DMARC record"
    milder = dmarc.with_policy(new, "none").record
    if not milder.rua:
        milder = dmarc.with_report_address(milder, f"mailto:postmaster@{case.domain}").record
    return Finding(
        "dmarc-untested",
        Severity.WARNING,
        f"From {since} to {dmarc.applied_policy(new)} at once: nobody has seen yet which mail "
        "fails.",
        "Safer is to watch for about four weeks first:\n"
        + commands.dmarc_to(case.policy, new, milder),
    )


def _without_key(case: Case, old: DmarcRecord | None, new: DmarcRecord) -> Iterator[Finding]:
    if _has_key(case, case.after):
        return
    policy = dmarc.applied_policy(new)
    was = dmarc.POLICIES.index(dmarc.applied_policy(old)) if old else 0
    yield fault(
        "dmarc-enforces-without-dkim",
        f"{case.domain} is at {policy} without any DKIM key: forwarded mail then fails, because "
        "SPF alone does not survive forwarding.",
        "Publish a DKIM key first, in this run with --dkim, or begin with p=none.",
        new=dmarc.POLICIES.index(policy) > was or _has_key(case, case.before),
    )


def _has_key(case: Case, zone: Zone) -> bool:
    """Whether a key of the domain is published; netcup's own for web hosting do not count.

    Where the keys live in another zone they are taken to be there.
    """
    below = relative(f"_domainkey.{case.domain}", zone.name)
    there = [r for r in zone.records if f".{r.hostname}".endswith(f".{below}")]
    texts = [record.destination for record in there if record.type == "TXT"]
    if any(record.key is not None for record in dkim_findings.parsed(texts)):
        return True
    return any(r.type in ("CNAME", "NS") and not is_netcup_dkim(r) for r in there)


def _reports(case: Case, old: DmarcRecord | None, new: DmarcRecord) -> Iterator[Finding]:
    if not new.rua and not case.policy.parked:
        address = f"mailto:postmaster@{case.domain}"
        target = dmarc.with_report_address(new, address).record
        yield Finding(
            "dmarc-no-reports",
            Severity.WARNING,
            f"The DMARC record ({new}) names no address for reports, so nobody sees which mail "
            "fails.",
            f"Add one:\n{commands.dmarc_to(case.policy, new, target)}",
        )
    if old is not None and str(old) == str(new):
        return
    added = frozenset(dmarc.dropped_reports(new, old))  # what would be dropped the other way round
    for uri in filter(_is_valid, new.rua):
        yield from _authorised(case, uri, known=uri not in added)


def _authorised(case: Case, uri: str, *, known: bool) -> Iterator[Finding]:
    host = dmarc.report_host(uri)
    name = dmarc.authorisation_name(case.domain, host)
    if name in case.reports_planned:
        return
    answer = dmarc.authorisation(case.domain, uri, case.lookup_after)
    if answer is Authorisation.MISSING:
        yield fault(
            "dmarc-report-not-authorised",
            f"{host} has not agreed to get reports about {case.domain}, so none will be sent to "
            f"{uri}.",
            f'It agrees with a record in its zone: {name} TXT "v=DMARC1"'
            + _how_to_plan_it(case.domain, host),
            new=not known,
        )
    if answer is Authorisation.UNKNOWN:
        yield Finding(
            "dmarc-report-not-authorised",
            Severity.WARNING,
            f"DNS gave no answer on whether {host} takes reports about {case.domain}.",
            "Try again when DNS answers.",
        )


def _how_to_plan_it(domain: str, host: str) -> str:
    if zone_form(host) == zone_form(domain):
        return f"\nOr give {zone_form(host)} a DMARC record of its own, which makes them one."
    return (
        "\nIf that zone is yours at netcup too, plan both domains in one run; then that record is "
        "planned as well."
    )

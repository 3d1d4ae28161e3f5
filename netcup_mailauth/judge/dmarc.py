"""The faults of a DMARC record: what is done with failing mail, and who hears of it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from netcup_mailauth import dmarc
from netcup_mailauth.dmarc import Authorisation
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import faults
from netcup_mailauth.judge.dkim import keys, parsed
from netcup_mailauth.judge.neighbours import is_mail_at_netcup
from netcup_mailauth.judge.zone import is_netcup_dkim
from netcup_mailauth.kinds import problem_of
from netcup_mailauth.lookup import SILENT, Query
from netcup_mailauth.records import Kind, absolute, is_zone_form, relative
from netcup_mailauth.spf.check import is_within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.dmarc import DmarcRecord
    from netcup_mailauth.lookup import Lookup
    from netcup_mailauth.records import Zone


def multiple(domain: str, texts: Sequence[str], command: str = "") -> Finding:
    """Several records at one name (RFC 9989, 4.7); ``command`` plans one in their place."""
    advice = "Give the one that is meant whole; the others are then deleted"
    return Finding(
        "dmarc-multiple",
        Severity.DANGER,
        f"{domain} has {len(texts)} DMARC records, so receivers ignore them all: "
        f"{'; and '.join(texts)}",
        f"{advice}:\n{faults.line(command, ('--dmarc', texts[0]))}" if command else f"{advice}.",
    )


def syntax(name: str, text: str, severity: Severity) -> Iterator[Finding]:
    """What is wrong with the record at ``name``, if it is not as receivers read it."""
    problem = problem_of(Kind.DMARC, text)
    if problem is not None:
        yield Finding("dmarc-syntax", severity, f"{name}: {problem.what}", problem.advice)


def obsolete(record: DmarcRecord) -> Iterator[Finding]:
    """Tags that RFC 9989 took out; where an edit takes them out, ``desired`` says so."""
    tags = record.tags
    twice = dmarc.only_watches_twice(record)
    removed = [name for name in dmarc.REMOVED if name in tags.names()]
    written = [f"{name}={tags.get(name)}" for name in removed if not (twice and name == "pct")]
    if twice:
        yield Finding(
            "dmarc-pct-0",
            Severity.WARNING,
            "The DMARC record holds pct=0 beside t=y: a receiver of RFC 7489 knows only pct, one "
            f"of RFC 9989 only t; both then stay one level below p={record.effective_policy}.",
            "Keep both while you watch. The record without them ends it: "
            f"{dmarc.in_earnest(record)}",
        )
    if written:
        yield Finding(
            "dmarc-removed-tag",
            Severity.WARNING,
            f"The DMARC record holds {' and '.join(written)}, which receivers no longer read "
            "(RFC 9989): the policy is for all failing mail.",
            "Take it out; a policy that is only tried is written t=y now.",
        )


def inherited(domain: str, lookup: Lookup) -> DmarcRecord | None:
    """What the policy of a domain above asks for, where ``domain`` has none (RFC 9989, 4.7: sp).

    No public suffix is asked whether it has a policy for all domains under it.
    """
    if is_zone_form(domain):
        return None
    found = dmarc.discover(domain, lookup)
    record = dmarc.read(found.record_text or "")
    if record is None or found.found_at == domain:
        return None
    level = dmarc.POLICIES.index(record.effective_subdomain_policy)
    lower = record.t == "y" or record.pct == 0
    applied = dmarc.POLICIES[max(level - 1, 0) if lower else level]
    return dmarc.parse(f"v=DMARC1;p={applied}")


def watching(record: DmarcRecord) -> Iterator[Finding]:
    """That failing mail is delivered all the same."""
    if dmarc.applied_policy(record) != "none":
        return
    advice = "Read the reports for about four weeks, then "
    limit = ""
    written = record.effective_policy
    if record.t == "y" and written != "none":
        says = f"p={written};t=y"
        if record.pct == 0:
            advice += "take t=y and pct=0 out, so that the policy counts."
            says += ";pct=0"
        else:
            advice += "take t=y out, so that the policy counts."
            limit = (
                f" But a receiver that knows only RFC 7489 does not read t=y, and {written}s it."
            )
    else:
        advice += "go on to p=quarantine."
        says = "p=none"
    message = f"{says} only watches: failing mail is delivered.{limit}"
    yield Finding("dmarc-policy-none", Severity.NOTE, message, advice)


def without_key(
    domain: str, record: DmarcRecord, zone: Zone, lookup: Lookup, *, left_out: bool
) -> Iterator[Finding]:
    """That failing mail is not delivered, and that only SPF could keep it from failing.

    Where the key is ``left_out`` of this run, another one publishes it.
    """
    policy = dmarc.applied_policy(record)
    if policy == "none" or has_key(domain, zone, lookup):
        return
    if left_out:
        yield Finding(
            "dkim-not-looked-at",
            Severity.WARNING,
            f"DKIM was not looked at in this run: {domain} is at {policy}, and its zone has no "
            "key yet. Until it has, forwarded mail fails.",
            "A run over all kinds publishes the key that is wanted.",
        )
        return
    yield Finding(
        "dmarc-enforces-without-dkim",
        Severity.DANGER,
        f"{domain} is at {policy} without any DKIM key: forwarded mail then fails, because "
        "SPF alone does not survive forwarding.",
        "Publish a DKIM key first, in this run with --dkim, or begin with p=none.",
    )


def has_key(domain: str, zone: Zone, lookup: Lookup) -> bool:
    """Whether a key of the domain is published.

    Where the keys live in another zone they are taken to be there. netcup's own for its web hosting
    count only where netcup sends, and if they lead to keys.
    """
    below = relative(f"_domainkey.{domain}", zone.name)
    there = [r for r in zone.records if f".{r.hostname}".endswith(f".{below}")]
    texts = [record.destination for record in there if record.type == "TXT"]
    if any(record.key is not None for record in parsed(texts)):
        return True
    netcups = [record for record in there if is_netcup_dkim(record)]
    if any(r.type in ("CNAME", "NS") and r not in netcups for r in there):
        return True
    mx = [record.destination for record in zone.at(relative(domain, zone.name), "MX")]
    if not netcups or not is_mail_at_netcup(mx):
        return False
    answers = lookup([Query(absolute(r.hostname, zone.name), "TXT") for r in netcups])
    return any(answer.status in SILENT or keys(answer.values) for answer in answers)


def rejecting(record: DmarcRecord) -> Iterator[Finding]:
    """What ``p=reject`` does to mailing lists."""
    if record.effective_policy == "reject":
        yield Finding(
            "dmarc-reject-and-mailing-lists",
            Severity.NOTE,
            "p=reject: mail that people of this domain send to mailing lists may be rejected.",
            "RFC 9989 (7.4) advises against it where people post to lists.",
        )


def no_reports(domain: str, record: DmarcRecord, to_copy: str = "") -> Iterator[Finding]:
    """That nobody hears of failing mail; ``to_copy`` is a command that adds an address."""
    if not record.rua:
        yield Finding(
            "dmarc-no-reports",
            Severity.WARNING,
            f"The DMARC record ({record}) names no address for reports, so nobody sees which mail "
            "fails.",
            f"Add one:\n{to_copy}" if to_copy else f"Add one, as in mailto:postmaster@{domain}",
        )


def is_valid(uri: str) -> bool:
    """Whether receivers send reports there at all; a broken address is no loss."""
    return dmarc.uri_problem(uri) is None


def unauthorised(
    domain: str, uri: str, lookup: Lookup, *, failures: bool = False
) -> Iterator[Finding]:
    """That the host of a valid address has not agreed to get the reports (RFC 9990, 4).

    The same holds for reports of single ``failures`` (RFC 9991), which fewer receivers send.
    """
    host = dmarc.report_host(uri)
    code = "dmarc-ruf-not-authorised" if failures else "dmarc-report-not-authorised"
    reports = "failure reports" if failures else "reports"
    match dmarc.authorisation(domain, uri, lookup):
        case Authorisation.MISSING:
            family = is_within(domain, host) or is_within(host, domain)
            yield Finding(
                code,
                Severity.WARNING if failures or family else Severity.DANGER,
                f"{host} has not agreed to get {reports} about {domain}, so "
                + (
                    "receivers that follow RFC 9989, for which they are two organisations, send "
                    f"none to {uri}; those of RFC 7489 do."
                    if family
                    else f"none are sent to {uri}."
                ),
                "It agrees with a record in its zone: "
                f'{dmarc.authorisation_name(domain, host)} TXT "v=DMARC1"\n'
                + _how_to_plan_it(domain, host, uri, lookup, failures=failures),
            )
        case Authorisation.UNKNOWN:
            yield Finding(
                code,
                Severity.WARNING,
                f"DNS gave no answer on whether {host} takes {reports} about {domain}.",
                "Try again when DNS answers.",
            )


def cut_short(record: DmarcRecord) -> Iterator[Finding]:
    """An address that holds what parts a tag's name from its value, which some look for again."""
    for uri in filter(is_valid, (*record.rua, *record.ruf)):
        if "=" in uri.partition("?")[0]:
            yield Finding(
                "dmarc-syntax",
                Severity.NOTE,
                f"The report address {uri} holds a =, where some receivers cut it off.",
                f"Write it as {uri.replace('=', '%3D')}",
            )


def public_suffix(domain: str, record: DmarcRecord) -> Iterator[Finding]:
    """That an ordinary domain calls itself a public suffix (RFC 9989, 4.7: psd)."""
    if record.psd == "y":
        yield Finding(
            "dmarc-psd",
            Severity.NOTE,
            f"psd=y says that {domain} is a public suffix such as co.uk, under which others have "
            "their domains.",
            "Take psd=y out: it is for registries only.",
        )


def _how_to_plan_it(domain: str, host: str, uri: str, lookup: Lookup, *, failures: bool) -> str:
    if is_within(domain, host) and dmarc.discover(host, lookup).record_text is None:
        return f"Or give {host} a DMARC record of its own, which makes them one."
    named = "with this record given whole" if failures else f"with --rua {shlex.quote(uri)}"
    return (
        f"If that zone is yours at netcup too, plan both domains in one run, {named}; then that "
        "record is planned as well."
    )

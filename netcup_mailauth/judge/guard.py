"""What about a zone or a change may hurt mail: every finding, with what to do about it.

Pure. The guard judges the difference: a fault is a danger only where this change set causes it or
makes it worse; one that was there before is a warning, so that an old fault never blocks the
repair of something else. Each module holds one subject's findings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import dkim, dmarc, senders, sending, spf, zone
from netcup_mailauth.judge.case import Case, Signer, silent
from netcup_mailauth.judge.sending import priced

if TYPE_CHECKING:
    from netcup_mailauth.plan import ChangeSet

__all__ = [
    "CODES",
    "Case",
    "Signer",
    "by_gravity",
    "judge",
    "needless",
    "no_key",
    "priced",
    "relayhost",
    "silent",
    "stopping",
]

_SUBJECTS = (zone, spf, senders, sending, dkim, dmarc)

CODES = frozenset(code for subject in _SUBJECTS for code in subject.CODES)
"""Every code a finding can have; part of the contract."""


def judge(case: Case) -> tuple[Finding, ...]:
    """The findings about a change set, the gravest first."""
    findings = [finding for subject in _SUBJECTS for finding in subject.findings(case)]
    return by_gravity(findings)


def by_gravity(findings: list[Finding]) -> tuple[Finding, ...]:
    """The findings, the gravest first, each once."""
    order = list(Severity)
    return tuple(sorted(dict.fromkeys(findings), key=lambda f: order.index(f.severity)))


def stopping(change_set: ChangeSet) -> tuple[Finding, ...]:
    """The findings that keep a change set from being applied.

    A refused wish stops even where nothing else would change: it was not carried out.
    """
    return tuple(
        finding
        for finding in change_set.findings
        if finding.severity is Severity.REFUSED
        or (
            finding.severity is Severity.DANGER
            and change_set.changes
            and finding.code not in change_set.allow
        )
    )


def needless(change_set: ChangeSet) -> tuple[str, ...]:
    """The codes that are allowed though no finding has them."""
    found = {finding.code for finding in change_set.findings}
    return tuple(code for code in dict.fromkeys(change_set.allow) if code not in found)


def no_key(domain: str) -> Finding:
    """mailcow has no key for this domain; its live DKIM record stays as it is."""
    return Finding(
        "dkim-no-key",
        Severity.WARNING,
        f"mailcow has no DKIM key for {domain}, so its DKIM record stays as it is.",
        "Make one in mailcow (System > Configuration > Options > ARC/DKIM keys), then run this "
        "again.",
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

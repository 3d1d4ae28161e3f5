"""What the program has to say about a zone or a change, and how serious it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netcup_mailauth.records import Kind


class Severity(StrEnum):
    """How a finding weighs.

    ``refused`` cannot be allowed, because no user can want it; ``danger`` stops ``apply`` unless
    it is allowed; ``warning`` is shown; ``note`` is shown where nothing is about to be written.
    """

    REFUSED = "refused"
    DANGER = "danger"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        message: what it is, with the actual value.
        kind: the kind of record that it holds back, if it holds anything back; ``None`` for one
            about the whole zone.
    """

    code: str
    severity: Severity
    message: str
    advice: str = ""
    kind: Kind | None = field(default=None, compare=False)


def by_gravity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, the gravest first, each once."""
    order = list(Severity)
    return tuple(sorted(dict.fromkeys(findings), key=lambda f: order.index(f.severity)))


CODES = (
    "cname-conflict",
    "dkim-cname",
    "dkim-key-1024",
    "dkim-key-mismatch",
    "dkim-key-replaced",
    "dkim-key-too-short",
    "dkim-multiple",
    "dkim-n-left-out",
    "dkim-named-elsewhere",
    "dkim-no-key",
    "dkim-removes-signing-key",
    "dkim-revokes-key",
    "dkim-selector-mismatch",
    "dkim-syntax",
    "dkim-testing",
    "dmarc-ambiguous",
    "dmarc-drops-reports",
    "dmarc-enforces-without-dkim",
    "dmarc-multiple",
    "dmarc-no-reports",
    "dmarc-pct-0",
    "dmarc-policy-none",
    "dmarc-psd",
    "dmarc-reject-and-mailing-lists",
    "dmarc-removed-tag",
    "dmarc-report-not-authorised",
    "dmarc-ruf-not-authorised",
    "dmarc-syntax",
    "dmarc-untested",
    "dmarc-weakens-policy",
    "misplaced-record",
    "name-delegated",
    "near-miss",
    "own-server-unknown",
    "record-fixed",
    "record-vanished",
    "relayhost",
    "rotation-in-progress",
    "spf-admits-excluded",
    "spf-after-all",
    "spf-broken-include",
    "spf-drops-sender",
    "spf-excludes-own-server",
    "spf-fail-and-forwarding",
    "spf-long",
    "spf-loosens-all",
    "spf-multiple",
    "spf-near-limit",
    "spf-neutral-all",
    "spf-no-all",
    "spf-not-checked",
    "spf-pass-all",
    "spf-ptr",
    "spf-removed",
    "spf-softens-all",
    "spf-syntax",
    "spf-too-many-lookups",
    "spf-void-hosts",
    "spf-void-lookups",
    "stale-netcup-mail",
    "ttl-long",
    "wildcard-shadowed",
    "wildcard-txt",
    "zone-has-draft",
    "zone-reads-empty",
)
"""Every code of a finding about a change, which can be allowed by it; part of the contract."""

LOOK_FIRST = frozenset(
    {
        "name-delegated",
        "record-vanished",
        "wildcard-shadowed",
        "zone-has-draft",
        "zone-reads-empty",
    }
)
"""Dangers to which no printed command consents: there the finding says what to look at first."""

NOT_SERVED = frozenset({"cname-conflict", "dkim-cname", "name-delegated"})
"""Codes that say that no receiver sees what stands in the zone, be it as wanted or not."""

SHORT_GRACE = "rotation-short-grace"
"""The code that accepts that a rotation leaves the old key published for a shorter time."""

OF_ROTATIONS = (SHORT_GRACE,)
"""The codes of what a rotation asks consent for; part of the contract."""

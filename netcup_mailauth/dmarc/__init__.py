"""DMARC policy records: parse, edit, compare, discover (RFC 9989, 9990).

``record`` is what a record says, ``syntax`` what we refuse to publish, ``edit`` how one is
changed without loss, ``words`` what a change means, ``discovery`` which record applies to a
domain, ``reports`` whether reports may go where it says. All of it is pure.
"""

from __future__ import annotations

from netcup_mailauth.dmarc.discovery import (
    Authorisation,
    Discovery,
    authorisation,
    authorisation_name,
    discover,
    is_authorised,
    needs_authorisation,
    organizational_domain,
)
from netcup_mailauth.dmarc.edit import (
    Edit,
    applied_policy,
    build,
    describe_changes,
    dropped_reports,
    weakens,
    with_policy,
    with_report_address,
    with_subdomain_policy,
)
from netcup_mailauth.dmarc.record import (
    POLICIES,
    REMOVED,
    DmarcRecord,
    DmarcSyntaxError,
    Policy,
    equal,
    is_dmarc,
    parse,
    read,
    report_host,
)

__all__ = [
    "POLICIES",
    "REMOVED",
    "Authorisation",
    "Discovery",
    "DmarcRecord",
    "DmarcSyntaxError",
    "Edit",
    "Policy",
    "applied_policy",
    "authorisation",
    "authorisation_name",
    "build",
    "describe_changes",
    "discover",
    "dropped_reports",
    "equal",
    "is_authorised",
    "is_dmarc",
    "needs_authorisation",
    "organizational_domain",
    "parse",
    "read",
    "report_host",
    "weakens",
    "with_policy",
    "with_report_address",
    "with_subdomain_policy",
]

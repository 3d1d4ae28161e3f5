"""DMARC policy records: parse, edit, compare, discover (RFC 9989, 9990).

``record`` is what a record says and what we refuse to publish, ``mend`` what was meant as one,
``edit`` how one is changed without loss and what a change means, ``discovery`` which record applies
to a domain and whether reports may go where it says. All of it is pure.
"""

from __future__ import annotations

from netcup_mailauth.dmarc.discovery import (
    Authorisation,
    ComingLookup,
    Discovery,
    authorisation,
    authorisation_name,
    discover,
    is_one_organisation,
)
from netcup_mailauth.dmarc.edit import (
    Edit,
    applied_policy,
    build,
    describe_changes,
    dropped_failures,
    dropped_reports,
    in_earnest,
    not_yet_in_force,
    only_watches_twice,
    weakens,
    with_failure_address,
    with_policy,
    with_policy_of,
    with_report_address,
    with_subdomain_policy,
    without_quotes,
    without_report_address,
)
from netcup_mailauth.dmarc.mend import is_meant, mended
from netcup_mailauth.dmarc.record import (
    KNOWN,
    POLICIES,
    REMOVED,
    DmarcRecord,
    DmarcSyntaxError,
    Policy,
    equal,
    is_dmarc,
    parse,
    parse_live,
    read,
    report_host,
)

__all__ = [
    "KNOWN",
    "POLICIES",
    "REMOVED",
    "Authorisation",
    "ComingLookup",
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
    "dropped_failures",
    "dropped_reports",
    "equal",
    "in_earnest",
    "is_dmarc",
    "is_meant",
    "is_one_organisation",
    "mended",
    "not_yet_in_force",
    "only_watches_twice",
    "parse",
    "parse_live",
    "read",
    "report_host",
    "weakens",
    "with_failure_address",
    "with_policy",
    "with_policy_of",
    "with_report_address",
    "with_subdomain_policy",
    "without_quotes",
    "without_report_address",
]

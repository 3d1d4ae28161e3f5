"""The calls that read: which domain, which revisions, which records (R3, R4, R10)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.rest.paging import page_of
from netcup_mailauth.sandbox.rest_answers import (
    BAD_NAME,
    NO_RESULTS,
    RefusedError,
    RestAnswer,
    invalid,
    not_found,
)
from netcup_mailauth.sandbox.rest_records import rows_of

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.quirks import Quirks
    from netcup_mailauth.sandbox.rest.calls import Call
    from netcup_mailauth.sandbox.rest.domains import Domains
    from netcup_mailauth.sandbox.rest.revisions import Revision

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_FQDN = re.compile(rf"(?:{_LABEL}\.)+[a-z0-9-]{{2,63}}", re.IGNORECASE | re.ASCII)


def domain(call: Call, domains: Domains, quirks: Quirks) -> RestAnswer:
    """`GET domain?fqdn=`: a list of one; without `fqdn` of all (guess).

    Raises:
        RefusedError: it is no name, as none with an underscore is, or not one of ours (R3).
    """
    fqdn = call.query.get("fqdn")
    if fqdn is not None and _FQDN.fullmatch(fqdn) is None:
        raise invalid(BAD_NAME)
    found = [
        {
            "id": domains.number(zone),
            "fqdn": zone.name,
            "isDnsManaged": zone.backend == "clouddns",  # R4
        }
        for zone in domains.all()
        if fqdn is None or zone.name == fqdn.lower()
    ]
    return page_of(found, call.query, quirks.rest_per_page)


def revisions(call: Call, history: list[Revision], quirks: Quirks) -> RestAnswer:
    """`GET domain/{id}/dns/revision`.

    Raises:
        RefusedError: there is no such page.
    """
    if quirks.rest_revision_order == "newest-first":
        history = history[::-1]
    shown = [revision.wire(quirks) for revision in history]
    return page_of(shown, call.query, quirks.rest_per_page)


def records(call: Call, history: list[Revision], quirks: Quirks) -> RestAnswer:
    """`GET domain/{id}/dns/revision/{revision}/record`; any revision, drafts too.

    Raises:
        RefusedError: there is no such revision or page.
    """
    wanted = call.path["revision"]
    revision = next((found for found in history if found.identifier == wanted), None)
    if revision is None:
        raise RefusedError(not_found(NO_RESULTS))
    rows = [
        {"identifier": revision.row_identifier(index), **row.wire(quirks)}
        for index, row in enumerate(rows_of(revision.zone, quirks))
    ]
    return page_of(rows, call.query, quirks.rest_per_page)

"""Whether reports may go to where a record says: the foreign host must agree (RFC 9990, 4)."""

from __future__ import annotations

from enum import StrEnum

from netcup_mailauth.dmarc.discovery import MAX_NAME, discover
from netcup_mailauth.dmarc.record import read
from netcup_mailauth.dmarc.uri import report_host, uri_problem
from netcup_mailauth.lookup import Lookup, Query, Status


class Authorisation(StrEnum):
    """Whether a host takes the reports of a domain."""

    NOT_NEEDED = "not needed"  # both belong to one organisation
    GRANTED = "granted"
    MISSING = "missing"
    UNKNOWN = "unknown"  # DNS gave no answer


def authorisation_name(policy_domain: str, host: str) -> str:
    """Where ``host`` says that it takes the reports of ``policy_domain``."""
    return f"{policy_domain.rstrip('.')}._report._dmarc.{host.rstrip('.')}".lower()


def needs_authorisation(domain: str, uri: str, lookup: Lookup) -> bool:
    """Whether the two organisational domains differ, so that the host has to agree.

    Where DNS gives no answer, a host outside of ``domain`` is taken for a foreign one.

    Raises:
        DmarcSyntaxError: ``uri`` is no report address.
    """
    host, domain = report_host(uri), domain.lower().rstrip(".")
    if host == domain:
        return False
    return discover(domain, lookup).org_domain != discover(host, lookup).org_domain


def is_authorised(domain: str, uri: str, lookup: Lookup) -> bool:
    """Whether the host of ``uri`` has a record that takes the reports of ``domain``."""
    return _granted(domain, uri, lookup) is Authorisation.GRANTED


def authorisation(domain: str, uri: str, lookup: Lookup) -> Authorisation:
    """Whether reports of ``domain`` may go to ``uri``.

    A wildcard (``*._report._dmarc.<host>``) needs no second question: DNS answers the first
    one from it. A ``lookup`` that reads a zone instead of DNS has to do the same.

    Raises:
        DmarcSyntaxError: ``uri`` is no report address.
    """
    if not needs_authorisation(domain, uri, lookup):
        return Authorisation.NOT_NEEDED
    return _granted(domain, uri, lookup)


def _granted(domain: str, uri: str, lookup: Lookup) -> Authorisation:
    host = report_host(uri)
    name = authorisation_name(domain, host)
    if len(name) > MAX_NAME:
        return Authorisation.MISSING
    (answer,) = lookup([Query(name, "TXT")])
    if answer.status in (Status.TIMEOUT, Status.SERVFAIL):
        return Authorisation.UNKNOWN
    records = [record for record in map(read, answer.values) if record is not None]
    # A rua there replaces ours, and must stay on the same host: otherwise no report is sent.
    replacements = [uri for record in records for uri in record.rua]
    stays = all(uri_problem(uri) is None and report_host(uri) == host for uri in replacements)
    return Authorisation.GRANTED if records and stays else Authorisation.MISSING

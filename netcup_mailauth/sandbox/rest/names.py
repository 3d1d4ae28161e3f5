"""The names of records, in each of the forms they may have (2.5: which one is not known)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.rest.answers import RefusedError, invalid
from netcup_mailauth.sandbox.zones import is_hostname

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.quirks import Quirks


def shown(hostname: str, zone: str, quirks: Quirks) -> str:
    """A name as the API shows it."""
    form = quirks.rest_names
    if form in ("fqdn", "fqdn-dot"):
        full = zone if hostname == "@" else f"{hostname}.{zone}"
        return f"{full}." if form == "fqdn-dot" else full
    return "" if hostname == "@" and form == "empty" else hostname


def read(name: str, zone: str, quirks: Quirks) -> str:
    """The name in its stored form: relative to the zone, `@` for its apex.

    A name with a dot at its end is complete; one without is only where names are shown so.

    Raises:
        RefusedError: it is no name, or not in the zone.
    """
    is_full = name.endswith(".") or quirks.rest_names == "fqdn"
    hostname = _relative(name.removesuffix("."), zone) if is_full else name
    if hostname is None and not name.endswith("."):
        hostname = name
    if hostname == "":
        hostname = "@"
    if hostname is None or not is_hostname(hostname):
        raise RefusedError(invalid("Record name is not valid."))
    return hostname


def _relative(full: str, zone: str) -> str | None:
    if full.lower() == zone:
        return "@"
    suffix = f".{zone}"
    return full[: -len(suffix)] if full.lower().endswith(suffix) else None

"""Selectors of rotated keys: ``s2026-11a`` says when the key was made, and is never used twice."""

from __future__ import annotations

import re
from string import ascii_lowercase
from typing import TYPE_CHECKING

from netcup_mailauth.records import relative

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from netcup_mailauth.records import Zone

_STYLE = re.compile(r"s[0-9]{4}-[0-9]{2}[a-z]")


def is_rotation_style(selector: str) -> bool:
    """Whether a selector is one that a rotation, here or elsewhere, chose by itself."""
    return _STYLE.fullmatch(selector) is not None


def candidates(today: date) -> Iterator[str]:
    """The selectors for a key made today, in the order they are tried."""
    return (f"s{today:%Y-%m}{letter}" for letter in ascii_lowercase)


def selectors_in(zone: Zone, domain: str) -> frozenset[str]:
    """The selectors of a domain at which the zone has anything: a key, an alias, any record."""
    end = f".{relative(f'_domainkey.{domain}', zone.name)}"
    hostnames = {record.hostname for record in zone.records}
    return frozenset(name.removesuffix(end) for name in hostnames if name.endswith(end))

"""``rotate`` as it is typed, against the sandbox: its config, and what is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netcup_mailauth.sandbox import Sandbox

DOMAIN = "example.com"
CONFIG = """
[mailcow]
helper_domain = "helper.example"

[rotation]
between_rounds = "0.1s"
negative_ttl = "0.1s"
grace = "0.3s"
retry = "0.1s"
"""
SHORT = ("--allow", "rotation-short-grace")
BEGIN = ("rotate", DOMAIN, "--yes", *SHORT)


def keys_of(sandbox: Sandbox) -> set[str]:
    """The hostnames of the keys in the zone."""
    found = (str(r["hostname"]) for r in sandbox.zone(DOMAIN) if r["type"] == "TXT")
    return {name for name in found if name.endswith("._domainkey")}

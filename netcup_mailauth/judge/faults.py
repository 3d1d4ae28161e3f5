"""What all faults share: how one is graded, and the command that an advice of a check gives.

What to do about a change that is held back is a command of its own below a plan: see
:mod:`netcup_mailauth.remedy`.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth import dkim
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from netcup_mailauth.records import Kind


def graded(fault: Finding, *, new: bool) -> Finding:
    """The fault as it weighs in a change: as it is if the change causes it or makes it worse.

    One that was there before is a warning, and says so.
    """
    if new:
        return fault
    return replace(fault, severity=Severity.WARNING, message=f"Already so: {fault.message}")


def about(kind: Kind, fault: Finding) -> Finding:
    """The fault as one of this kind of record, which it holds back where it weighs enough."""
    return replace(fault, kind=kind)


def unstorable(kind: Kind, text: str, reason: str) -> Finding:
    """A record that is wanted, and that the API of its zone cannot hold."""
    return Finding(
        f"{kind}-syntax",
        Severity.REFUSED,
        f"The {kind.upper()} record {dkim.abridged(text)} cannot be stored: {reason}.",
        "Write it without that.",
        kind,
    )


def line(command: str, *options: tuple[str, str]) -> str:
    """A command with more options: whole, on a line of its own, whatever stands in a record."""
    words = [f"{option} {shlex.quote(visible(value))}" for option, value in options]
    return "  " + " ".join([command, *words])


def plan(domain: str) -> str:
    """The command that shows what would put a domain right."""
    return f"netcup-mailauth plan {shlex.quote(domain)}"

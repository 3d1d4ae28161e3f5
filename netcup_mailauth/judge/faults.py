"""What all faults share: how one is graded, and the options that an advice gives to copy.

Options follow an advice on a line of their own: all that the kind needs, quoted for the shell. A
record given whole is advised whole, because ``--spf`` and ``--dmarc`` take no parts beside them;
one given in parts is advised in parts. Lists are written out, because a list on the command line
replaces the one in the config.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth import dkim, dmarc, spf
from netcup_mailauth.errors import RecordError
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.records import Kind, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from netcup_mailauth.dmarc import DmarcRecord
    from netcup_mailauth.policy import DomainPolicy
    from netcup_mailauth.spf import SpfRecord


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


def problem_of(kind: Kind, text: str) -> RecordError | None:
    """What is wrong with a record by itself; ``None`` if a receiver can use it."""
    readers: dict[Kind, Callable[[str], object]] = {
        Kind.SPF: spf.parse,
        Kind.DKIM: dkim.parse,
        Kind.DMARC: dmarc.parse,
        Kind.DMARC_REPORT: dmarc.read,
    }
    try:
        readers[kind](text)
    except RecordError as error:
        return error
    return None


def unstorable(kind: Kind, text: str, reason: str) -> Finding:
    """A record that is wanted, and that the API of its zone cannot hold."""
    return Finding(
        f"{kind}-syntax",
        Severity.REFUSED,
        f"The {kind.upper()} record {dkim.abridged(text)} cannot be stored: {reason}.",
        "Write it without that.",
        kind,
    )


def line(options: Iterable[tuple[str, str]], command: str = "") -> str:
    """Options on a line that is printed in one piece, whatever stands in a live record.

    Without ``command`` they follow the command just given.
    """
    words = [f"{option} {shlex.quote(visible(value))}" for option, value in options]
    return "  " + " ".join([command, *words] if command else words)


def plan(domain: str) -> str:
    """The command that shows what would put a domain right."""
    return f"netcup-mailauth plan {domain}"


def whole_spf(record: SpfRecord, drop: Sequence[str] = (), command: str = "") -> str:
    """The options that make the SPF record exactly this, and name what may go."""
    return line([("--spf", str(record)), *(("--spf-drop", term) for term in drop)], command)


def spf_in_parts(require: Sequence[str], drop: Sequence[str], qualifier: str | None) -> str:
    """The options that make sure of these parts of the SPF record."""
    options = [*(("--spf-require", term) for term in require)]
    options += (("--spf-drop", term) for term in drop)
    return line([*options, *([("--spf-all", qualifier)] if qualifier else [])])


def more_spf(
    policy: DomainPolicy, new: SpfRecord, require: Sequence[str] = (), drop: Sequence[str] = ()
) -> str:
    """The options for the SPF record asked for, with more terms required, or more to drop.

    Raises RecordError if a term cannot have an effect in the record.
    """
    asked = policy.spf or None
    dropped = tuple(dict.fromkeys([*((asked and asked.drop) or ()), *drop]))
    if asked and asked.record is not None:
        return whole_spf(spf.require(new, *require), dropped)
    required = [*((asked and asked.require) or ()), *require]
    return spf_in_parts(required, dropped, asked.all if asked else None)


def dmarc_to(policy: DomainPolicy, new: DmarcRecord, target: DmarcRecord) -> str:
    """The options that ask for ``target`` instead of ``new``: another policy, more addresses."""
    asked = policy.dmarc or None
    if asked and asked.record is not None:
        return line([("--dmarc", str(target))])
    added = dmarc.dropped_reports(target, new)  # what would be dropped the other way round
    known = list((asked and asked.rua) or ()) if added else []
    level = target.p if target.p != new.p else asked and asked.policy
    options = [("--dmarc-policy", level)] if level else []
    return line([*options, *(("--rua", uri) for uri in [*known, *added])])

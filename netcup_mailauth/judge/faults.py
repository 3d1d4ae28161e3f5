"""Options that follow an advice: all that the kind needs, quoted for the shell, on a line to copy.

A record given whole is advised whole, because ``--spf`` and ``--dmarc`` take no parts beside
them; one given in parts is advised in parts. Lists are written out, because a list on the command
line replaces the one in the config.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from netcup_mailauth import dmarc, spf
from netcup_mailauth.printable import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from netcup_mailauth.dmarc import DmarcRecord
    from netcup_mailauth.policy import DomainPolicy
    from netcup_mailauth.spf import SpfRecord


def line(options: Iterable[tuple[str, str]]) -> str:
    """The options on a line that is printed in one piece, whatever stands in a live record."""
    return "  " + " ".join(f"{option} {shlex.quote(visible(value))}" for option, value in options)


def whole_spf(record: SpfRecord, drop: Sequence[str] = ()) -> str:
    """The options that make the SPF record exactly this, and name what may go."""
    return line([("--spf", str(record)), *(("--spf-drop", term) for term in drop)])


def spf_in_parts(require: Sequence[str], drop: Sequence[str], qualifier: str | None) -> str:
    """The options that make sure of these parts of the SPF record."""
    options = [*(("--spf-require", term) for term in require)]
    options += (("--spf-drop", term) for term in drop)
    return line([*options, *([("--spf-all", qualifier)] if qualifier else [])])


def more_spf(
    policy: DomainPolicy, new: SpfRecord, require: Sequence[str] = (), drop: Sequence[str] = ()
) -> str:
    """The options for the SPF record asked for, with more terms required, or more to drop.

    Raises:
        RecordError: a term cannot have an effect in the record.
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

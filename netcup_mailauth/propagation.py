"""How long netcup's name servers take to serve what one of its APIs has accepted, in words.

Those of zones in the CCP follow in 10 to 30 minutes (confidence: M); of CloudDNS 1, 2 to 5 and
about 10 minutes were reported (facts 2026-11-26, A8; confidence: M).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.records import CCP, CLOUDDNS

if TYPE_CHECKING:
    from collections.abc import Iterable

_SPAN = {CCP: "10 to 30 minutes", CLOUDDNS: "1 to 10 minutes"}
_ANY = "up to 30 minutes"
"""Where it is not known which API a zone lies at."""


def span(backends: Iterable[str]) -> str:
    """The time that zones at these APIs take, ``10 to 30 minutes``; several are told apart."""
    known = dict.fromkeys(backend for backend in backends if backend in _SPAN)
    if len(known) == 1:
        return _SPAN[next(iter(known))]
    return f"{_SPAN[CCP]} (CloudDNS: {_SPAN[CLOUDDNS]})" if known else _ANY


def following(backends: Iterable[str]) -> str:
    """That a write has arrived, and when it is served."""
    return f"netcup has accepted it; its name servers follow in {span(backends)}."

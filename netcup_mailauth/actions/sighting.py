"""One round through the name servers of a zone, over TCP, for a key that is to be everywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from netcup_mailauth.dnsio.servers import ask_over_tcp, soa, with_route
from netcup_mailauth.lookup import Query, ServerStatus
from netcup_mailauth.rotation.watch import Round, Said

if TYPE_CHECKING:
    from netcup_mailauth.lookup import Server, ServerAnswer

Look = Callable[[Sequence["Server"], str, Sequence[str]], Round]
"""Asks every server of a zone for the TXT records at some names."""


def look(servers: Sequence[Server], zone: str, names: Sequence[str]) -> Round:
    """What every server says about the TXT records at these names, and about denials.

    Over TCP, because a key that is only ever cut off does not help anybody. Addresses of a family
    that this machine has no route to are left out: they would be waited for for ever.
    """
    asked = with_route(servers)
    answers = ask_over_tcp(asked, [Query(name, "TXT") for name in names])
    denials = soa(asked, zone)
    said = {
        server.label: Said(_texts(names, answers[server]), denials[server].negative_ttl)
        for server in answers
    }
    return Round(time.time(), said)


def _texts(names: Sequence[str], answers: Sequence[ServerAnswer]) -> dict[str, tuple[str, ...]]:
    told = {}
    for name, answer in zip(names, answers, strict=True):
        match answer.status:
            case ServerStatus.OK:
                told[name] = answer.values
            case ServerStatus.EMPTY | ServerStatus.NXDOMAIN:
                told[name] = ()
            case ServerStatus.CNAME:
                told[name] = (f"CNAME {answer.cname}",)
            case _:
                pass  # it does not say
    return told

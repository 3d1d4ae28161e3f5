"""Domains of one run that send their DMARC reports to each other.

A report address in another organisation's domain gets nothing until that domain agrees, with a
record of its own (RFC 9990, 4). Where both domains are part of a run, that record is planned too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth import dmarc
from netcup_mailauth.names import zone_form

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.actions.planning import Wish


def linked(wishes: Sequence[Wish]) -> list[Wish]:
    """The wishes, each knowing whose reports its domain takes, and who takes its own."""
    pairs = [(s, receiver, host) for s in wishes for receiver, host in _to(s, wishes)]
    return [
        replace(
            wish,
            authorises=tuple((s.domain, host) for s, r, host in pairs if r is wish),
            authorised=frozenset(
                dmarc.authorisation_name(s.domain, host) for s, _, host in pairs if s is wish
            ),
        )
        for wish in wishes
    ]


def _to(sender: Wish, wishes: Sequence[Wish]) -> Iterator[tuple[Wish, str]]:
    """The wishes whose domain gets reports of ``sender``, each with the host of the address."""
    for host in dict.fromkeys(map(dmarc.report_host, _addresses(sender))):
        if zone_form(host) == zone_form(sender.domain):
            continue
        receivers = [w for w in wishes if host == w.domain or host.endswith(f".{w.domain}")]
        if receivers:
            yield max(receivers, key=lambda wish: len(wish.domain)), host


def _addresses(wish: Wish) -> Sequence[str]:
    policy = wish.policy.dmarc
    if not policy:
        return ()
    if policy.record is not None:
        return dmarc.parse(policy.record).rua
    return policy.rua or ()

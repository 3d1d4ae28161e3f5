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
    from collections.abc import Container, Iterator, Sequence

    from netcup_mailauth.actions.planning import Wish


def linked(wishes: Sequence[Wish]) -> list[Wish]:
    """The wishes, each knowing whose reports its domain takes, and who takes its own."""
    known = {wish.domain for wish in wishes}
    takes: dict[str, list[tuple[str, str]]] = {}
    taken: dict[str, set[str]] = {}
    for sender in wishes:
        for receiver, host in _to(sender, known):
            takes.setdefault(receiver, []).append((sender.domain, host))
            name = dmarc.authorisation_name(sender.domain, host)
            taken.setdefault(sender.domain, set()).add(name)
    return [
        replace(
            wish,
            authorises=tuple(takes.get(wish.domain, ())),
            authorised=frozenset(taken.get(wish.domain, ())),
        )
        for wish in wishes
    ]


def _to(sender: Wish, known: Container[str]) -> Iterator[tuple[str, str]]:
    """The domains of this run that get reports of ``sender``, each with the address's host."""
    for host in dict.fromkeys(map(dmarc.report_host, _addresses(sender))):
        if zone_form(host) == zone_form(sender.domain):
            continue
        receiver = next((name for name in _upwards(host) if name in known), None)
        if receiver is not None:
            yield receiver, host


def _upwards(name: str) -> Iterator[str]:
    """The name, and each domain it lies in, the nearest first."""
    while name:
        yield name
        name = name.partition(".")[2]


def _addresses(wish: Wish) -> Sequence[str]:
    policy = wish.policy.dmarc
    if not policy:
        return ()
    if policy.record is not None:
        return dmarc.parse(policy.record).rua
    return policy.rua or ()

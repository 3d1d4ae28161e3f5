"""What ``setup`` proposes, on one screen: each record with its reason, and what may be chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.plan import SIGNS
from netcup_mailauth.policy import MANAGED
from netcup_mailauth.render.text import heading
from netcup_mailauth.render.words import LABELS, value_of
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.judge.neighbours import Sender
    from netcup_mailauth.plan import ChangeSet
    from netcup_mailauth.proposal import Proposal
    from netcup_mailauth.records import Kind
    from netcup_mailauth.render.page import Page

AS_IT_IS = "="
LEFT = "."
"""The signs of what is right already, and of what is left alone."""

ALLS = {"softfail": "~all", "fail": "-all", "neutral": "?all"}

DOES = {
    "none": "only watches",
    "quarantine": "to the spam folder",
    "reject": "not taken at all",
}
"""What becomes of mail that fails, by policy."""


def proposal_text(
    proposal: Proposal,
    change_set: ChangeSet,
    senders: Sequence[Sender],
    remarks: Sequence[str],
    page: Page,
) -> str:
    """The whole screen: who sends, the records, what there is to remark, and what may be chosen.

    ``change_set`` is what the proposal would change.
    """
    who = _senders(senders) or "not known"
    lines = [heading(change_set, page), ""]
    lines += page.hang("  mail server: ", visible(who), 15)
    lines.append("")
    for kind in MANAGED:
        lines += _record(kind, proposal, change_set, page)
    for remark in remarks:
        lines += ["", *page.hang(f"  {page.sign('?')} ", visible(remark), 4)]
    for number, (_, words) in enumerate(choosable(proposal), 1):
        lines += [*([""] if number == 1 else []), *page.hang(f"  {number}  ", words, 5)]
    return "\n".join([*lines, ""])


def _senders(senders: Sequence[Sender]) -> str:
    """Each host with its addresses."""
    hosts: dict[str, list[str]] = {}
    for sender in senders:
        hosts.setdefault(sender.host, []).append(sender.address)
    return "; ".join(
        host if [host] == own else f"{host} ({', '.join(own)})" for host, own in hosts.items()
    )


def _record(kind: Kind, proposal: Proposal, change_set: ChangeSet, page: Page) -> Iterator[str]:
    sign, texts = LEFT, []
    for change in change_set.changes:
        if change.kind is kind and change.after is not None:
            sign, texts = SIGNS[change.action], [(change.hostname, change.after.destination)]
    for kept in change_set.unchanged:
        if kept.kind is kind:
            sign, texts = AS_IT_IS, [(kept.record.hostname, kept.record.destination)]
    head = f"  {page.sign(sign)} {LABELS[kind]:<7}"
    for hostname, text in texts:
        value = value_of(kind, text, full=False)
        yield from page.hang(head, f"{visible(hostname)}  {value}", 11, "bold")
        head = " " * 11
    yield from page.hang(head, visible(proposal.reasons[kind]), 11)


def choosable(proposal: Proposal) -> list[tuple[str, str]]:
    """What may be chosen: a name for each, and the words for it, in the order of the numbers."""
    found = []
    if len(proposal.final_alls) > 1:
        now, *others = proposal.final_alls
        instead = " or ".join(f"{ALLS[a]}{_of_how_to(a)}" for a in others)
        found.append(("final_all", f'SPF ends in "{ALLS[now]}"; instead {instead}'))
    if proposal.netcup:
        found.append(("drops_netcup", _of_netcup(proposal)))
    if len(proposal.policies) > 1:
        level, *levels = proposal.policies
        instead = " or ".join(f"{p} ({DOES[p]})" for p in levels)
        found.append(("policy", f"DMARC asks for {level} ({DOES[level]}); instead {instead}"))
    if proposal.rua:
        found.append(("rua", f"reports go to {visible(proposal.rua)}; instead another address"))
    return found


def _of_netcup(proposal: Proposal) -> str:
    if proposal.policy.spf and proposal.policy.spf.drop:
        return "netcup's own servers may no longer send; instead leave them in"
    return "netcup's own servers may send, as a website there needs it; instead take them out"


def _of_how_to(final_all: str) -> str:
    return ", as in the how-to" if final_all == "fail" else ""

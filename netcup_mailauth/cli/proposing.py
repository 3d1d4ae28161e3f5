"""What ``setup`` asks about the records: the domain, the key, and what is proposed."""

from __future__ import annotations

import select
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from netcup_mailauth import records
from netcup_mailauth.actions import setup
from netcup_mailauth.cli.output import ANSWERS, YES, confirmed, say, show, typed, use_colour, width
from netcup_mailauth.errors import KeySourceError, MailauthError
from netcup_mailauth.judge.neighbours import NETCUP_INCLUDE, addresses
from netcup_mailauth.keys.forms import read_key
from netcup_mailauth.policy import host_or_address, report_uri
from netcup_mailauth.proposal import Choices
from netcup_mailauth.render.page import Page
from netcup_mailauth.render.proposals import ALLS, choosable, proposal_text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.actions.setup import Settled
    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.keys.mailcow import Mailcow
    from netcup_mailauth.policy import DomainPolicy
    from netcup_mailauth.proposal import Situation

MOST_LINES = 60
"""Lines of a pasted key; a private one of 4096 bits in PEM has 54."""


AT_ONCE = 0.1
"""Seconds in which the rest of a paste is there."""


def asked_domain(served: Sequence[str], known: Collection[str]) -> str:
    """Ask which domain is meant; offered is the first that mailcow serves and no config knows."""
    left = [name for name in served if name not in known]
    if served:
        say(f"mailcow serves {listed(served)}.")
    while True:
        answer = typed("Domain", left[0] if left else "")
        try:
            return records.normalise(answer)
        except MailauthError as error:
            say(error.sentences)


MOST_NAMED = 20
"""Domains that are named before a question; of more, it would be out of sight."""


def listed(names: Sequence[str]) -> str:
    """The names, as many as one reads."""
    more = len(names) - MOST_NAMED
    named = ", ".join(map(records.both_forms, names[:MOST_NAMED]))
    return named + (f" and {more} more" if more > 0 else "")


def asked_for_another(left: Sequence[str]) -> str | None:
    """Ask which of these domains is to be next; ``None`` for none."""
    question = "Set up one of these now (Enter: none)"
    while ANSWERS.get((answer := typed(question).strip()).lower()) is not False:
        if answer.lower() in YES and len(left) == 1:
            return left[0]
        try:
            name = records.normalise(answer)
        except MailauthError:
            name = answer
        if name in left:
            return name
        say(f"{answer!a} is none of {listed(left)}.")
    return None


def asked_servers(situation: Situation) -> tuple[str, ...]:
    """Ask which host sends the domain's mail, where neither mailcow nor an MX of its own tells.

    Offered is the mail server of the zone that the domain lies in.
    """
    domain = situation.domain
    say(f"{domain} has no MX with an address, so what sends its mail is not known.")
    offered = setup.likely_server(situation)
    what = 'Its mail server ("-" leaves SPF alone)' if offered else _SERVER
    while (answer := typed(what, offered).strip()) not in ("", "-"):
        try:
            host = host_or_address(answer)
        except MailauthError as error:
            say(error.sentences)
            continue
        if addresses([host], situation.lookup):
            return (host,)
        say(f"{host} has no address (A or AAAA), by which receivers could know it.")
        say("Make that record in the CCP first, name another host, or leave SPF alone.")
    return ()


_SERVER = "Its mail server, as in mail.example.com (Enter leaves SPF alone)"


# The key


def pasted_key() -> DkimSource | None:
    """Ask for the key's record, in whatever form the mail server shows it; ``None`` for none."""
    say("Paste the DKIM record that your mail server shows for it, in as many lines as it has.")
    say("An empty line ends it, and alone means that there is none yet.")
    while True:
        text = _pasted()
        if not text:
            return None
        try:
            found = read_key(text, "what was pasted")
        except KeySourceError as error:
            say(error.sentences)
            continue
        if found.key is not None:
            return found
        say("This record has no key: an empty p= revokes one. Paste the record with the key.")


def _pasted() -> str:
    """What is pasted, up to where it is a whole record, or an empty line."""
    lines: list[str] = []
    while len(lines) < MOST_LINES:
        line = _further() if lines else typed("DKIM record")
        if not line.strip():
            lines += [] if lines else _rest()  # a paste may begin with an empty line
            break
        lines.append(line)
        if _is_whole(lines):
            lines += _rest()
            break
    return "\n".join(lines).strip()


def _further() -> str:
    """The next line of the paste; asked for where it is not there yet."""
    if _is_there():
        return sys.stdin.readline().rstrip("\r\n")
    return typed("It is not whole yet; what follows (Enter: nothing)")


def _is_there() -> bool:
    return bool(select.select([sys.stdin], [], [], AT_ONCE)[0])


def _is_whole(lines: Sequence[str]) -> bool:
    try:
        return read_key("\n".join(lines), "what was pasted").key is not None
    except KeySourceError:
        return False


def _rest() -> list[str]:
    """What came with the paste behind the record, as its last bracket: else it were an answer."""
    lines = []
    while _is_there():
        line = sys.stdin.readline()
        if not line:
            break
        lines.append(line.rstrip("\r\n"))
    return lines


# The proposal


def accepted(
    session: Session, situation: Situation, defaults: DomainPolicy, mailcow: Mailcow | None
) -> Settled:
    """Show what is proposed until it is accepted; what is chosen instead of it is asked for.

    Raises:
        MailauthError: the zone or the key cannot be read any more.
    """
    choices = Choices()
    now = setup.settled(session, situation, choices, defaults)
    while True:
        remarks = setup.remarks(now, mailcow)
        page = Page(width(), use_colour(sys.stderr))
        senders = situation.senders
        say("")
        show(proposal_text(now.proposal, now.change_set, senders, remarks, page), err=True)
        if not now.proposal.policy.manages:
            return now
        name = _to_change([name for name, _ in choosable(now.proposal)])
        if name is None:
            return now
        wanted = _chosen(name, choices, now)
        then = setup.settled(session, situation, wanted, defaults)
        if refused := setup.newly_left(now, then):
            say(refused)
        else:
            choices, now = wanted, then


def _to_change(offered: Sequence[str]) -> str | None:
    """Which of the choices is to be another; ``None`` if all is accepted."""
    what = "Enter accepts this" + (", a number changes it" if offered else "")
    while (answer := typed(what).strip()).lower() not in ("", *YES):
        if answer.isdecimal() and 1 <= int(answer) <= len(offered):
            return offered[int(answer) - 1]
        numbers = f", 1 to {len(offered)} changes a part of it" if offered else ""
        say(f"{answer!a}? {what.split(',')[0]}{numbers}, Ctrl-C leaves everything as it is.")
    return None


def _chosen(name: str, choices: Choices, now: Settled) -> Choices:
    """The choices with another answer to one of them."""
    proposal = now.proposal
    if name == "final_all":
        words = _one_of("SPF ends in", [ALLS[a] for a in proposal.final_alls])
        level = next(a for a in proposal.final_alls if words == ALLS[a])
        return replace(choices, final_all=level)
    if name == "drops_netcup":
        drops = not choices.drops_netcup and _is_to_go(now.situation.domain)
        return replace(choices, drops_netcup=drops)
    if name == "policy":
        policy = _one_of("DMARC asks for", list(proposal.policies))
        return replace(choices, policy=policy)  # type: ignore[arg-type]
    return replace(choices, rua=_address(proposal.rua))


def _is_to_go(domain: str) -> bool:
    """Whether nothing at netcup sends for the domain; only a plain yes says so."""
    say(
        f"A website at netcup whose contact form or WordPress sends as @{domain} needs its "
        f"{NETCUP_INCLUDE}."
    )
    return confirmed("Take it out?")


def _one_of(what: str, levels: Sequence[str]) -> str:
    """One of these; where there are two, the number alone has chosen the other."""
    if len(levels) == 2:
        return levels[1]
    while (answer := typed(f"{what} ({', '.join(levels)})", levels[1]).strip()) not in levels:
        say(f"That is none of {', '.join(levels)}.")
    return answer


def _address(now: str) -> str:
    while True:
        address = typed("Reports go to", now).strip().removeprefix("mailto:")
        try:
            if "@" in address:
                return report_uri(f"mailto:{address}").removeprefix("mailto:")
        except MailauthError as error:
            say(error.sentences)
        else:
            say(f"{address!a} is no mail address.")

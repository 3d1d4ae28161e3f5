"""A live line on the terminal while name servers catch up, and what is said at the end of it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from netcup_mailauth import propagation
from netcup_mailauth.actions.checking import ADDRESSES_NOT_ASKED, expect, side_by_side
from netcup_mailauth.actions.waiting import Watched, wait
from netcup_mailauth.cli.onward import PROGRAM, joined, with_key
from netcup_mailauth.cli.options import NAMESERVER, RESOLVER, WANTED, config_words, typed
from netcup_mailauth.cli.output import Line, say, settings
from netcup_mailauth.clock import Clock
from netcup_mailauth.errors import MailauthError
from netcup_mailauth.records import Kind
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from netcup_mailauth.actions.checking import Expectation
    from netcup_mailauth.actions.domains import Tell
    from netcup_mailauth.actions.session import Session
    from netcup_mailauth.actions.waiting import Caches, Lag, Waited
    from netcup_mailauth.judge.report import Basis
    from netcup_mailauth.policy import Wish


def wait_for(
    session: Session,
    wishes: Sequence[Wish],
    basis: Basis,
    timeout: float,
    kinds: tuple[Kind, ...] = (),
) -> bool:
    """Wait until every server has what is wanted of every domain; whether they did in time."""
    domains = [wish.domain for wish in wishes]
    watched: list[Watched] = []
    waiting = Waiting()
    try:
        every = side_by_side(
            session, wishes, lambda own, wish, tell: _watched(own, wish, basis, kinds, tell)
        )
        watched += (one for one in every if one is not None)
        if not watched:
            return True  # what there is to say, the check says
        for waited in wait(replace(session, clock=waiting), watched, timeout):
            if waited.lagging:
                waiting.show(waited.lagging, waited.seconds)
    except KeyboardInterrupt:
        waiting.line.wipe()
        say("The zone stays as it is. To go on waiting:")
        say(f"  {resuming(domains, watched)}")
        raise
    waiting.line.wipe()
    again, usual = resuming(domains, watched), propagation.span(one.backend for one in watched)
    wanted = any(target.expected is not None for one in watched for target in one.targets)
    for text in _words(waited, again, usual, "has it" if wanted else "says the same"):
        say(text)
    return not waited.lagging


def resuming(domains: Sequence[str], watched: Sequence[Watched] = ()) -> str:
    """The command that goes on with the waiting, with the options of the one that runs."""
    options: Mapping[str, Any] = settings().options
    for target in (target for one in watched for target in one.targets):
        if target.kind is Kind.DKIM:
            options = with_key(options, target.name, target.expected)
    # What is waited for, and whom to ask. Consent is never repeated.
    kept = (option.parameter for option in (*WANTED, RESOLVER, NAMESERVER))
    return joined([PROGRAM, "check", *domains, *config_words(), *typed(options, kept), "--wait"])


def _watched(
    session: Session, wish: Wish, basis: Basis, kinds: tuple[Kind, ...], tell: Tell
) -> Watched | None:
    """What can be waited for at one domain; ``None`` for nothing."""
    try:
        expectation = expect(session, wish, basis, kinds)
    except MailauthError:
        return None  # the check itself says what is wrong with this domain
    for finding in expectation.findings:
        if finding.code == ADDRESSES_NOT_ASKED and not settings().quiet:
            tell(partial(say, f"{wish.domain}: {finding.message}"))
    meant = expectation.targets
    if expectation.known.managed:  # what is only published is not waited for
        meant = tuple(target for target in meant if target.expected is not None)
    targets = tuple(target for target in meant if target.promise is not None)
    hoped_for = tuple(t for t in meant if t.promise is None and t.expected)
    if expectation.known.live is None:
        # Without netcup's copy it may be on its way all the same.
        targets += hoped_for
    elif hoped_for:
        tell(partial(_hopeless, expectation, [t.name for t in hoped_for]))
    if not targets and not hoped_for:
        nothing = "nothing is known to be on its way, so there is no waiting for it."
        tell(partial(say, f"{wish.domain}: {nothing}"))
    queries = tuple(expectation.query(target) for target in targets)
    backend = expectation.known.backend
    return Watched(wish.domain, targets, expectation.servers, queries, backend) if targets else None


def _hopeless(expectation: Expectation, names: Sequence[str]) -> None:
    say(
        f"{expectation.known.domain}: netcup itself does not have what is wanted at "
        f"{', '.join(names)}, so there is no waiting for it. Apply it first."
    )


def _words(waited: Waited, again: str, usual: str, agreed: str = "has it") -> Iterator[str]:
    """What is said at the end of the waiting, which ``usual``ly is this long."""
    if waited.lagging:
        for lag in waited.lagging:
            yield f"{lag.server.label} does not have {', '.join(lag.missing)} yet."
        yield (
            f"Not everywhere after {waited.seconds:.0f} s; netcup's name servers usually follow in "
            f"{usual}. To go on waiting:"
        )
        yield f"  {again}"
    elif not settings().quiet:
        yield f"Every name server {agreed}, after {waited.seconds:.0f} s."
        yield from _of_caches(waited.caches)


def _of_caches(caches: Caches) -> Iterator[str]:
    """For how long others may not see it yet (RFC 2308 for the case that nothing was there)."""
    if caches.record:
        yield f"Caches elsewhere may go on with the old record until {_moment(caches.record)}."
    if caches.none:
        yield f"Caches elsewhere may go on saying that there is none until {_moment(caches.none)}."


def _moment(seconds: int) -> str:
    """``15:20 (in 45 min)``, with the day of the week where it is not within half a day."""
    then = datetime.now().astimezone() + timedelta(seconds=seconds)
    hours, minutes = divmod(-(-seconds // 60), 60)
    span = " ".join(filter(None, (f"{hours} h" if hours else "", f"{minutes} min" * bool(minutes))))
    return f"{then:{'%H:%M' if seconds < 43200 else '%a %H:%M'}} (in {span})"


class Waiting(Clock):
    """Tells who is waited for: on a line that changes, or with a line whenever something changes.

    As a clock it keeps the line alive while it is waited by.
    """

    def __init__(self) -> None:
        self.line = Line()
        self._lags: tuple[Lag, ...] = ()
        self._since = 0.0

    def show(self, lags: Sequence[Lag], seconds: float) -> None:
        """Who still lags, and since when."""
        changed = tuple(lags) != self._lags
        self._lags, self._since = tuple(lags), time.monotonic() - seconds
        if self.line.live:
            self.line.draw(self._text())
        elif changed and not settings().quiet:
            say(self._text())

    def sleep(self, seconds: float) -> None:
        """Wait, and keep the line alive."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 1.0))
            if self._lags:
                self.line.draw(self._text())

    def _text(self) -> str:
        return visible(f"waiting {time.monotonic() - self._since:.0f} s for {_servers(self._lags)}")


def _servers(lags: Sequence[Lag]) -> str:
    domains = {lag.domain for lag in lags}
    shown = []
    for lag in lags[:3]:
        of = f" ({lag.domain})" if len(domains) > 1 else ""
        shown.append(f"{lag.server.label}{of}")
    more = len(lags) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")

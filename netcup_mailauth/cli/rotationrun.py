"""One run of ``rotate``: domain by domain, what is due, and what is said about it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from netcup_mailauth.cli.metrics import record
from netcup_mailauth.cli.output import (
    complain,
    confirmed,
    say,
    settings,
    show,
    use_colour,
    warn,
    width,
)
from netcup_mailauth.errors import (
    ExitCode,
    MailauthError,
    UnknownZoneError,
    UsageError,
    ZoneError,
    worst,
)
from netcup_mailauth.records import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.actions.rotationcourse import Outcome
    from netcup_mailauth.actions.rotator import Rotator
    from netcup_mailauth.cli.run import Run
    from netcup_mailauth.render.metrics import DomainOutcome
    from netcup_mailauth.rotation.books import Books
    from netcup_mailauth.rotation.state import Rotation


class RotationRun:
    """One run: domain by domain, one that fails does not stop the others."""

    def __init__(self, run: Run, named: tuple[str, ...], options: dict[str, Any]) -> None:
        from netcup_mailauth.cli.rotating import Workshop

        self._run = run
        self._named = named
        self._options = options
        self._workshop = Workshop(run, options, self._say)
        self._until = time.monotonic() + options["timeout"]
        self._told: set[str] = set()
        self._shown: list[dict[str, Any]] = []
        self._codes: list[ExitCode] = []
        self._ended = False
        self._pending: list[tuple[Rotator, Outcome]] = []
        self._discovered: frozenset[str] = frozenset()
        self._beginning: tuple[str, ...] = ()

    def all(self) -> int:
        """What the options ask for; the exit code."""
        done = set()
        for books, domain in self._workshop.known():
            if (not self._named or domain in self._named) and self._open(books, domain):
                done.add(domain)
        self._beginning = self._to_begin()
        for domain in self._beginning:
            if domain not in done:
                self._each(domain, partial(self._begin, domain))
        self._stay()
        if self._options["output_format"] == "json":
            print_json(self._shown)
        elif not self._codes and not settings().quiet:
            say("No rotation is open here, so there is nothing to go on with.")
        return worst(self._codes)

    def _open(self, books: Books, domain: str) -> bool:
        """Go on with a domain's rotation; whether one is open, or may be: its book is unreadable.

        What is wrong with one domain's book is no matter of the others.
        """
        try:
            rotation = books.read(domain).open
        except MailauthError as error:
            self._failed(domain, error)
            return True
        if rotation is not None:
            self._each(domain, partial(self._go_on, books, rotation))
        return rotation is not None

    def _to_begin(self) -> tuple[str, ...]:
        """The domains for which a rotation may begin."""
        if self._options["continue"] and not self._options["older_than"]:
            return ()
        if self._named:
            return self._named
        wished = self._workshop.managed()
        self._discovered = frozenset(wish.domain for wish in wished if wish.discovered)
        return tuple(wish.domain for wish in wished)

    def _each(self, domain: str, work: Callable[[], None]) -> None:
        """Work on one domain; its error is told, and the worst one gives the exit code."""
        if self._ended:
            return
        try:
            work()
            self._codes.append(ExitCode.OK)
        except MailauthError as error:
            self._failed(domain, error)

    def _failed(self, domain: str, error: MailauthError) -> None:
        from netcup_mailauth.plan import Failure, Status
        from netcup_mailauth.render.metrics import DomainOutcome

        self._ended = self._ended or error.ends_run
        self._codes.append(error.exit_code)
        complain(domain, Failure.of(error), self._options["output_format"])
        self._shown.append({"domain": domain, "error": f"{error.what} {error.advice}"})
        record([DomainOutcome(domain, Status.FAILED.value, error.exit_code)])

    def _go_on(self, books: Books, rotation: Rotation) -> None:
        from netcup_mailauth.actions import rotating

        domain = rotation.domain
        if self._options["grace"] or self._options["revoke"]:
            warn(f"{domain}: --grace and --revoke were settled when its rotation began.")
        rotator = self._workshop.continuing(books, rotation)
        if self._options["abort"]:
            if not self._agreed(f"Go back to the old key of {domain}?"):
                return
            with self._workshop.lock():
                outcome = rotating.abort(rotator, domain)
        else:
            if self._options["dry_run"]:
                self._told_status(rotator, domain)
                return
            with self._workshop.lock():
                outcome = rotating.proceed(rotator, domain)
        self._follow(rotator, outcome)

    def _told_status(self, rotator: Rotator, domain: str) -> None:
        from netcup_mailauth.rotation.words import status

        rotation = rotator.books.read(domain).open
        if rotation is not None:
            self._say(visible(f"{domain}: {status(rotation, time.time(), rotator.waits)}"))

    def _begin(self, domain: str) -> None:
        from netcup_mailauth.actions import rotating
        from netcup_mailauth.actions.rotationdraft import draft
        from netcup_mailauth.render.text import Page
        from netcup_mailauth.rotation.outlook import outlook

        if self._options["abort"]:
            raise UsageError(f"No rotation of {domain} is open here.", "There is nothing to end.")
        try:
            if domain in self._discovered:
                self._workshop.check_that_netcup_may_serve(domain)
            rotator = self._workshop.beginning(domain, self._beginning)
        except ZoneError as error:
            if domain not in self._discovered or isinstance(error, UnknownZoneError):
                raise
            say(f"{domain} is left out: {error.what}")  # mailcow serves it, netcup does not
            return
        if self._options["older_than"] and not self._is_old(rotator, domain):
            return
        drafted = draft(
            rotator, domain, self._workshop.zone_of(domain), revoke=self._options["revoke"]
        )
        page = Page(width(), use_colour())
        self._say(outlook(drafted, rotator.signer.writes(), rotator.waits, page))
        self._warn_of_the_config(drafted)
        if self._options["dry_run"]:
            say(f"{domain}: nothing was written.")
            return
        if not self._agreed(f"Begin this rotation of {domain}?"):
            return
        with self._workshop.lock():
            rotating.open_rotation(rotator, drafted)
            outcome = rotating.proceed(rotator, domain)
        self._follow(rotator, outcome)

    def _is_old(self, rotator: Rotator, domain: str) -> bool:
        from netcup_mailauth.actions.rotationdraft import note_age
        from netcup_mailauth.policy import seconds, words

        with self._workshop.lock():
            since = note_age(rotator, domain, self._run.memory.written.entries(domain))
        age = rotator.clock() - since
        if age >= seconds(self._options["older_than"]):
            return True
        if not settings().quiet:
            say(f"{domain}: its key is known for {words(age)}; nothing is due.")
        return False

    def _warn_of_the_config(self, drafted: Rotation) -> None:
        """A selector in the config would have ``apply`` publish the new key under the old name."""
        dkim = self._workshop.policy(drafted.domain).dkim
        if dkim and dkim.selector and dkim.selector != drafted.new.selector:
            warn(
                f"the config names the selector {dkim.selector} for {drafted.domain}. When the "
                f"rotation is done, make it {drafted.new.selector}, or take it out if the source "
                "names its own."
            )

    def _agreed(self, question: str) -> bool:
        if self._options["yes"]:
            return True
        if confirmed(question):
            return True
        say("Not confirmed; nothing was written.")
        self._codes.append(ExitCode.USAGE)
        return False

    def _follow(self, rotator: Rotator, outcome: Outcome) -> None:
        """Tell how far it came, or see to it again later if that is wished for."""
        from netcup_mailauth.rotation.steps import Wait

        step = outcome.step
        timely = isinstance(step, Wait) and step.until is not None
        if self._options["wait"] and timely:
            self._pending.append((rotator, outcome))
        else:
            self._finish(outcome)

    def _stay(self) -> None:
        """Go on with whatever is due next, as long as there is time for it."""
        while self._pending and not self._ended:
            self._pending.sort(key=lambda pair: _due(pair[1]))
            rotator, outcome = self._pending.pop(0)
            pause = max(0.2, _due(outcome) - time.time())
            if pause > self._until - time.monotonic():
                self._each(outcome.domain, partial(self._out_of_time, outcome))
                continue
            self._tell_once(outcome)
            time.sleep(pause)
            self._each(outcome.domain, partial(self._again, rotator, outcome))

    def _again(self, rotator: Rotator, outcome: Outcome) -> None:
        from netcup_mailauth.actions import rotating

        with self._workshop.lock():
            further = rotating.proceed(rotator, outcome.domain)
        self._follow(rotator, replace(further, done=(*outcome.done, *further.done)))

    def _out_of_time(self, outcome: Outcome) -> None:
        if getattr(outcome.step, "servers", ()):
            self._codes.append(ExitCode.NOT_YET)
        self._finish(outcome)

    def _finish(self, outcome: Outcome) -> None:
        from netcup_mailauth.errors import RefusedError
        from netcup_mailauth.rotation.steps import Stop, Wait
        from netcup_mailauth.rotation.words import document, moment

        if isinstance(outcome.step, Stop):
            raise RefusedError(f"{outcome.domain}: {outcome.step.reason}", outcome.step.advice)
        record([_measured(outcome)])
        shown: dict[str, Any] = {"domain": outcome.domain, "phase": "done"}
        if outcome.rotation is not None:
            shown = document(outcome.rotation, self._workshop.waits)
        shown["done"] = list(outcome.done)
        if isinstance(outcome.step, Wait):
            shown |= {"next": outcome.step.until, "reason": outcome.step.reason}
            until = outcome.step.until
            due = "" if until is None else f" Next step due {moment(until, time.time())}."
            if outcome.done or not settings().quiet:
                self._say(visible(f"{outcome.domain}: {outcome.step.reason}.{due}"))
                say("  To go on then (or from a timer):  netcup-mailauth rotate --continue")
        self._shown.append(shown)

    def _tell_once(self, outcome: Outcome) -> None:
        """Say what is waited for, unless only the time that is left differs."""
        reason = getattr(outcome.step, "reason", "")
        head = f"{outcome.domain}: {reason.partition(' for ')[0]}"
        if head not in self._told and not settings().quiet:
            say(f"{outcome.domain}: {reason}.")
        self._told.add(head)

    def _say(self, text: str) -> None:
        """The result, if it is text; else a message."""
        show(f"{text}\n", err=self._options["output_format"] != "text")


def _measured(outcome: Outcome) -> DomainOutcome:
    """For a monitor: the step that was begun last, and the key that signs."""
    from netcup_mailauth.render.metrics import DomainOutcome

    rotation = outcome.rotation
    if rotation is None:
        return DomainOutcome(outcome.domain, "done")
    signing = rotation.leaving if rotation.since is None else rotation.staying
    if rotation.aborted and rotation.since is None:
        signing = rotation.old  # it never signed with another
    keys = {signing.selector: signing.record} if signing.record else {}
    return DomainOutcome(outcome.domain, rotation.phase.value, keys=keys)


def _due(outcome: Outcome) -> float:
    """When its next step is due, in seconds since 1970."""
    until: float | None = getattr(outcome.step, "until", None)
    return time.time() if until is None else until


def print_json(rotations: list[dict[str, Any]]) -> None:
    """The document of ``--format json``."""
    show(json.dumps({"schema": 1, "rotations": rotations}, indent=2, sort_keys=True) + "\n")

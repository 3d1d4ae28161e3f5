"""What ``rotate`` does: begin rotations, go on with them, stay with them for as long as asked."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from netcup_mailauth import records, state
from netcup_mailauth.actions.planning import check_that_netcup_may_serve
from netcup_mailauth.actions.session import Reporter, Session
from netcup_mailauth.cli.metrics import record
from netcup_mailauth.cli.onward import rotating, rotating_on
from netcup_mailauth.cli.options import NAMESERVER
from netcup_mailauth.cli.output import (
    Unanswered,
    complain,
    confirmed,
    say,
    settings,
    show,
    show_sentence,
    use_colour,
    warn,
    width,
)
from netcup_mailauth.errors import (
    ExitCode,
    MailauthError,
    RefusedError,
    UnknownZoneError,
    UsageError,
    ZoneError,
    worst,
)
from netcup_mailauth.findings import SHORT_GRACE
from netcup_mailauth.netcup.http import is_loopback
from netcup_mailauth.plan import Failure, Status
from netcup_mailauth.policy import DkimPolicy, DomainPolicy, Wish, in_config, seconds, words
from netcup_mailauth.records import Kind
from netcup_mailauth.render.metrics import DomainOutcome
from netcup_mailauth.render.page import Page
from netcup_mailauth.rotation import FOLDER
from netcup_mailauth.rotation.begin import Rotator, begin, draft, note_age
from netcup_mailauth.rotation.decide import Stop, Wait
from netcup_mailauth.rotation.run import Outcome, abort, proceed
from netcup_mailauth.rotation.signers import CommandSigner, check_command, check_file, with_files
from netcup_mailauth.rotation.signers_mailcow import MailcowImportSigner, MailcowSigner
from netcup_mailauth.rotation.state import (
    SHORTEST_GRACE,
    Rotation,
    Waits,
    check_lasting,
    opened_in,
    waits_of,
)
from netcup_mailauth.rotation.words import as_json, document, moment, outlook, status
from netcup_mailauth.settings.wishes import wishes

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.cli.run import Run
    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.rotation.signers import Signer

LEAST_PAUSE = 0.2
"""Seconds that are slept at least before a rotation is gone on with in the same run."""


def rotate(run: Run, named: tuple[str, ...], options: dict[str, Any]) -> int:
    """Go on with what is open, begin what is to begin, and stay with both for as long as asked."""
    told = Told(options["output_format"])
    _check_servers(run)
    session = run.session(told, lock_timeout=options["lock_timeout"])
    work = Work(run, session, told, _waits(run, options), options)
    until = session.clock.monotonic() + options["timeout"]
    opened = [
        (domain, partial(_go_on, work, folder, found))
        for folder in map(_folder, run.backend.apis)
        for domain, found in opened_in(folder, named)
    ]
    waiting = _each(work, opened)
    together = _to_begin(work, named)
    fresh = [domain for domain in together if domain not in dict(opened)]
    waiting += _each(work, [(domain, partial(_begin, work, domain, together)) for domain in fresh])
    _stay(work, waiting, until)
    return told.end()


def _check_servers(run: Run) -> None:
    """Raise :class:`UsageError` for servers that are to speak for a zone, but in a sandbox."""
    named = run.servers_named or os.environ.get(NAMESERVER.variable)
    if named and not all(map(_is_on_loopback, run.backend.apis)):
        raise UsageError(
            f"rotate asks every name server of a zone itself; --nameserver and "
            f"{NAMESERVER.variable} count only with a netcup on this machine.",
            "Leave them out: one server that was not asked may be one that lags.",
        )


def _is_on_loopback(api: Backend) -> bool:
    return is_loopback(urlsplit(api.endpoint).hostname or "")


def _waits(run: Run, options: dict[str, Any]) -> Waits:
    """The waits of this run: by option, else by config; who stays with it asks more often."""
    waits = waits_of(run.config.config.rotation, options["grace"])
    return replace(waits, retry=min(waits.retry, run.pauses.retry)) if options["wait"] else waits


Task = Callable[[], "Waiting | None"]
"""What is done for one domain; what it returns is to be gone on with."""


@dataclass(frozen=True, slots=True)
class Work:
    """One run of the command: what it works with, and what was asked for."""

    run: Run
    session: Session
    told: Told
    waits: Waits
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A rotation whose next step is due while this run still waits: ``until``, since 1970."""

    rotator: Rotator
    outcome: Outcome
    until: float


def _each(work: Work, tasks: Sequence[tuple[str, Task]]) -> list[Waiting]:
    """Do something for each domain, until an error ends the run; what is to be gone on with."""
    waiting: list[Waiting] = []
    for domain, task in tasks:
        if work.told.ended:
            break
        try:
            one = task()
        except MailauthError as error:
            work.told.failed(domain, error)
            continue
        work.told.codes.append(ExitCode.OK)
        waiting += [] if one is None else [one]
    return waiting


def _folder(api: Backend) -> Path:
    """Where the books of the account at an API lie."""
    return state.account_folder(state.root(os.environ), api.endpoint, api.account) / FOLDER


def _to_begin(work: Work, named: tuple[str, ...]) -> dict[str, bool]:
    """The domains for which a rotation may begin, and whether it is mailcow that named them.

    Those on the command line, else every one that is managed; the helper has no key of its own.
    """
    options = work.options
    if options["continue"] and not options["older_than"]:
        return {}
    if named:
        return dict.fromkeys(named, False)
    config = work.run.config.config
    managed = wishes(
        (), DomainPolicy(), [Kind.DKIM], config, served=lambda: work.run.mailcow.domains()
    )
    return {wish.domain: wish.discovered for wish in managed if wish.domain != _helper(work)}


def _wish(work: Work, domain: str) -> Wish:
    """What the config says about a domain, with what ``--allow CODE[:DOMAIN]`` accepts for it."""
    policy = in_config(work.run.config.config, domain)
    entries = (entry.partition(":") for entry in work.options["allow"])
    given = (code for code, _, only in entries if not only or records.normalise(only) == domain)
    allow = list(dict.fromkeys([*given, *(policy.allow or ())]))
    return Wish(domain, policy.model_copy(update={"allow": allow}))


def _go_on(work: Work, folder: Path, found: Rotation | MailauthError) -> Waiting | None:
    if isinstance(found, MailauthError):
        raise found
    domain, options = found.domain, work.options
    if options["grace"] or options["revoke"]:
        warn(f"{domain}: --grace and --revoke were settled when its rotation began.")
    rotator = _continuing(work, folder, found)
    if options["abort"]:
        if not _agreed(work, f"Go back to the old key of {records.both_forms(domain)}?"):
            return None
        with work.session.lock():
            outcome = abort(rotator)
    elif options["dry_run"]:
        now = work.session.clock.time()
        work.told.say(f"{domain}: {status(found, now, work.waits)}")
        return None
    else:
        with work.session.lock():
            outcome = proceed(rotator)
    return _follow(work, rotator, outcome)


def _begin(work: Work, domain: str, together: Mapping[str, bool]) -> Waiting | None:
    """Begin a rotation; ``together`` are the domains for which this run may begin one."""
    options, discovered = work.options, together[domain]
    if options["abort"]:
        raise UsageError(f"No rotation of {domain} is open here.", "There is nothing to end.")
    wish = _wish(work, domain)
    try:
        if discovered:
            zone = wish.policy.zone or work.session.zone_of(wish.domain)
            check_that_netcup_may_serve(zone, work.session.lookup())
        rotator = _beginning(work, wish, together)
    except ZoneError as error:
        if not discovered or isinstance(error, UnknownZoneError):
            raise
        say(f"{domain} is left out: {error.what}")  # mailcow serves it, netcup does not
        return None
    if options["older_than"] and not _is_old(work, rotator):
        return None
    drafted = draft(rotator, revoke=options["revoke"])
    page = Page(width(), use_colour())
    work.told.show_outlook(outlook(drafted, rotator.signer.writes(), work.waits, page))
    _warn_of_the_config(wish, drafted)
    if options["dry_run"]:
        say(f"{domain}: nothing was written.")
        return None
    if not _agreed(work, f"Begin this rotation of {records.both_forms(domain)}?"):
        return None
    with work.session.lock():
        begin(rotator, drafted)
        outcome = proceed(rotator)
    return _follow(work, rotator, outcome)


def _is_old(work: Work, rotator: Rotator) -> bool:
    with work.session.lock():
        since = note_age(rotator, work.run.memory.written.entries(rotator.domain))
    age = work.session.clock.time() - since
    if age >= seconds(work.options["older_than"]):
        return True
    if not settings().quiet:
        say(f"{rotator.domain}: its key is known for {words(age)}; nothing is due.")
    return False


def _warn_of_the_config(wish: Wish, drafted: Rotation) -> None:
    """A selector in the config would have ``apply`` publish the new key under the old name."""
    dkim = wish.policy.dkim
    if dkim and dkim.selector and dkim.selector != drafted.new.selector:
        warn(
            f"the config names the selector {dkim.selector} for {wish.domain}. When the "
            f"rotation is done, make it {drafted.new.selector}, or take it out if the source "
            "names its own."
        )


def _agreed(work: Work, question: str) -> bool:
    try:
        if work.options["yes"] or confirmed(question):
            return True
    except Unanswered:
        if work.told.codes:  # another domain may have been written to before
            raise click.Abort from None
        raise
    say("Not confirmed; nothing was written.")
    work.told.codes.append(ExitCode.USAGE)
    return False


def _follow(work: Work, rotator: Rotator, outcome: Outcome) -> Waiting | None:
    """Tell how far it came, or see to it again later if that is wished for."""
    step = outcome.step
    if work.options["wait"] and isinstance(step, Wait) and step.until is not None:
        return Waiting(rotator, outcome, step.until)
    work.told.finished(outcome, work.waits, work.session.clock.time())
    return None


def _stay(work: Work, waiting: list[Waiting], until: float) -> None:
    """Go on with whatever is due next, as long as there is time for it."""
    clock = work.session.clock
    while waiting and not work.told.ended:
        waiting.sort(key=lambda one: one.until)
        one = waiting.pop(0)
        pause = max(LEAST_PAUSE, one.until - clock.time())
        domain = one.rotator.domain
        if pause > until - clock.monotonic():
            _each(work, [(domain, partial(_out_of_time, work, one))])
            continue
        work.told.waits_for(one.outcome)
        clock.sleep(pause)
        waiting += _each(work, [(domain, partial(_again, work, one))])


def _again(work: Work, one: Waiting) -> Waiting | None:
    with work.session.lock():
        further = proceed(one.rotator)
    done = (*one.outcome.done, *further.done)
    return _follow(work, one.rotator, replace(further, done=done))


def _out_of_time(work: Work, one: Waiting) -> None:
    if getattr(one.outcome.step, "servers", ()):
        work.told.codes.append(ExitCode.NOT_YET)
    work.told.finished(one.outcome, work.waits, work.session.clock.time())


# --- What signs -----------------------------------------------------------------------------------


def _beginning(work: Work, wish: Wish, together: Iterable[str]) -> Rotator:
    """What can begin a rotation of a domain.

    Raises:
        RefusedError: its key cannot be changed alone.
        MailauthError: the state folder is none that lasts; or as for any command.
    """
    _check_grace(work, wish)
    _check_that_it_signs_alone(work, wish, together)
    if not (_command(work) or _helper(work) or work.options["import_key"]):
        raise UsageError(
            "No helper domain is named, in which mailcow could make the new key.",
            "Name a domain of this mailcow from which nobody sends: [mailcow] helper_domain in "
            "the config, or --helper-domain. Or use --import-key, or --signer-command.",
        )
    name = wish.policy.zone or work.session.zone_of(wish.domain)
    zone = work.session.backend.zone(name)
    api = work.session.backend.serving(zone.backend)
    folder = _folder(api)
    if not _is_on_loopback(api):  # a sandbox does not outlive the machine either
        check_lasting(folder.parent)
    signer = next(_signers(work, wish, folder))
    return Rotator(work.session, wish, signer, folder, work.waits)


def _continuing(work: Work, folder: Path, rotation: Rotation) -> Rotator:
    """What can go on with a rotation: with the very signer that it was begun with.

    Raises:
        RefusedError: there is no such signer, or the key cannot be changed alone any more.
    """
    wish = _wish(work, rotation.domain)
    if rotation.since is None and not work.options["abort"]:
        _check_that_it_signs_alone(work, wish)
    found = []
    for signer in _signers(work, wish, folder):
        found.append(signer)
        if signer.name == rotation.signer:
            return Rotator(work.session, wish, signer, folder, work.waits)
    named = " or ".join(signer.name for signer in found)
    raise RefusedError(
        f"The rotation of {rotation.domain} was begun with {rotation.signer}, not with {named}.",
        "Name the helper domain that it was begun with, by --helper-domain or in the config."
        if f"{rotation.signer}, by import" == named
        else "Go on with the same options as it was begun with.",
    )


def _signers(work: Work, wish: Wish, folder: Path) -> Iterator[Signer]:
    """What may sign, the one that the options or the config mean first."""
    command = _command(work)
    if command:
        dkim = wish.policy.dkim or DkimPolicy()
        yield CommandSigner(command, folder, work.session.keys, dkim)
        return
    mailcow, helper = work.run.mailcow, _helper(work)
    if helper and not work.options["import_key"]:
        yield MailcowSigner(mailcow, helper)
    yield MailcowImportSigner(mailcow, folder)


def _helper(work: Work) -> str | None:
    named: str | None = work.options["helper_domain"]
    return records.normalise(named) if named else work.run.config.config.mailcow.helper_domain


def _command(work: Work) -> list[str] | None:
    """The signer command, if one is meant.

    Raises:
        UsageError: it is no command, or only a config that may not has it.
    """
    text = work.options["signer_command"]
    if text is not None:
        return _split(text)
    config = work.run.config
    given = config.config.rotation.signer_command
    if given is None or work.options["import_key"]:
        return None
    if not config.trusted:
        raise UsageError(
            f"{config.path} was merely found in the current folder, and may not name a command "
            "to run.",
            f"If it is yours: -c {config.path}, or give it with --signer-command.",
        )
    return given


def _split(text: str) -> list[str]:
    """The words of a command line; no shell ever sees it."""
    try:
        words = shlex.split(text)
    except ValueError:  # a quotation mark is left open
        words = []
    if not words:
        raise UsageError(
            f"{text!r} is no command.", "As in: --signer-command '/usr/local/bin/new-key {domain}'"
        )
    return words


def _check_grace(work: Work, wish: Wish) -> None:
    """Raise :class:`RefusedError` for a grace so short that mail would fail, unless allowed."""
    grace = work.waits.grace
    if grace < SHORTEST_GRACE and SHORT_GRACE not in (wish.policy.allow or ()):
        raise RefusedError(
            f"A grace of {words(grace)} is too short: mail servers try for up to 5 "
            f"days to deliver what was signed with the old key ({SHORT_GRACE}).",
            f"Leave it at 7d. All the same:\n  {rotating(work.options, wish.domain, SHORT_GRACE)}",
        )


def _check_that_it_signs_alone(work: Work, wish: Wish, together: Iterable[str] = ()) -> None:
    """Raise :class:`RefusedError` if a signer command would change another domain's key."""
    command = _command(work)
    if command is None:
        return
    config = work.run.config.config
    check_file(wish.domain, wish.policy, config)
    of_config = work.options["signer_command"] is None
    check_command(wish.domain, command, [*(with_files(config) if of_config else ()), *together])


# --- What is said ---------------------------------------------------------------------------------


class Told(Reporter):
    """Says what happens as it happens, and at the end what is left to say; keeps the exit codes."""

    def __init__(self, output_format: str) -> None:
        self.codes: list[ExitCode] = []
        self.ended = False
        self._format = output_format
        self._said: set[str] = set()
        self._shown: list[dict[str, Any]] = []

    def say(self, text: str) -> None:
        """A sentence of the result, if that is text; else a message."""
        show_sentence(text, err=self._format != "text")

    def show_outlook(self, text: str) -> None:
        """The same, of what is laid out already."""
        show(f"{text}\n", err=self._format != "text")

    def step(self, sentence: str) -> None:
        """See ``Reporter``."""
        self.say(sentence)

    def note(self, sentence: str) -> None:
        """See ``Reporter``. Once: servers are asked again and again."""
        if sentence not in self._said:
            self._said.add(sentence)
            self.say(sentence)

    def waits_for(self, outcome: Outcome) -> None:
        """Say what is waited for, unless only the time that is left differs."""
        reason = getattr(outcome.step, "reason", "")
        head = f"{outcome.domain}: {reason.partition(' for ')[0]}"
        if head not in self._said and not settings().quiet:
            say(f"{outcome.domain}: {reason}.")
        self._said.add(head)

    def failed(self, domain: str, error: MailauthError) -> None:
        """One domain's error; the worst of them gives the exit code."""
        self.ended = self.ended or error.ends_run
        self.codes.append(error.exit_code)
        complain(domain, Failure.of(error), self._format)
        self._shown.append({"domain": domain, "error": error.sentences})
        record([DomainOutcome(domain, Status.FAILED.value, error.exit_code)])

    def finished(self, outcome: Outcome, waits: Waits, now: float) -> None:
        """How far one domain came in this run.

        Raises:
            RefusedError: it was stopped.
        """
        step = outcome.step
        if isinstance(step, Stop):
            raise RefusedError(f"{outcome.domain}: {step.reason}", step.advice)
        record([_measured(outcome)])
        shown: dict[str, Any] = {"domain": outcome.domain, "phase": "done"}
        if outcome.rotation is not None:
            shown = document(outcome.rotation, waits)
        shown["done"] = list(outcome.done)
        if step is not None:
            shown |= {"next": step.until, "reason": step.reason}
            due = "" if step.until is None else f" Next step due {moment(step.until, now)}."
            if outcome.done or not settings().quiet:
                self.say(f"{outcome.domain}: {step.reason}.{due}")
                on = rotating_on(settings().options)
                say(f"  To go on then (or from a timer):  {on}")
        self._shown.append(shown)

    def end(self) -> ExitCode:
        """What is left to print; the exit code."""
        if self._format == "json":
            show(as_json(self._shown))
        elif not self.codes and not settings().quiet:
            say("No rotation is open here, so there is nothing to go on with.")
        return worst(self.codes)


def _measured(outcome: Outcome) -> DomainOutcome:
    """For a monitor: the step that was begun last, and the key that signs."""
    rotation = outcome.rotation
    if rotation is None:
        return DomainOutcome(outcome.domain, "done")
    signing = rotation.leaving if rotation.since is None else rotation.staying
    if rotation.aborted and rotation.since is None:
        signing = rotation.old  # it never signed with another
    keys = {signing.selector: signing.record} if signing.record else {}
    return DomainOutcome(outcome.domain, rotation.phase.value, keys=keys)

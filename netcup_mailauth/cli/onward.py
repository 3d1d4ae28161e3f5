"""How to go on where something is held back, as it is typed: whole commands, or config lines.

A kind that the options ask for is asked for by options again; one that the config asks for is
changed there, so that the next run does not bring the old wish back. All else that was typed is
typed again.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netcup_mailauth import records, remedy
from netcup_mailauth.cli.many import Many
from netcup_mailauth.cli.options import ALLOW, WANTED, config_words, typed
from netcup_mailauth.cli.output import settings
from netcup_mailauth.judge import faults, holding
from netcup_mailauth.keys.sources import MAILCOW, RECORD, STDIN
from netcup_mailauth.plan import left
from netcup_mailauth.policy import MANAGED, DomainPolicy
from netcup_mailauth.records import Kind
from netcup_mailauth.render import calls
from netcup_mailauth.render.ways import ALL_THE_SAME, SAFER, Table, Way
from netcup_mailauth.settings.writing import kind_line, value
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from netcup_mailauth.findings import Finding
    from netcup_mailauth.judge.report import DomainCheck
    from netcup_mailauth.plan import ChangeSet
    from netcup_mailauth.planfile import SavedPlan
    from netcup_mailauth.policy import Wish
    from netcup_mailauth.records import DnsRecord
    from netcup_mailauth.settings import LoadedConfig

PROGRAM = "netcup-mailauth"
_OF_KIND = {
    Kind.SPF: ("spf", "spf_require", "spf_drop", "spf_all"),
    Kind.DKIM: ("dkim", "selector", "mailcow"),
    Kind.DMARC: ("dmarc", "dmarc_policy", "rua"),
}
"""The parameters that say what is wanted of a kind."""


def joined(words: Iterable[str]) -> str:
    """The words of a command as they are typed, on one line whatever is in them."""
    return " ".join(shlex.quote(visible(word)) for word in words)


@dataclass(frozen=True, slots=True)
class Typed:
    """What a ``plan`` or ``apply`` was asked for, to be asked for again.

    Attributes:
        command: the command to type.
        domains: those that were named; none for all of the config.
        wishes: what was wanted of each domain of the run.
        config: what said what the options do not, and its file.
        beside: options that have nothing to do with what is wanted, as words.
    """

    command: str
    domains: tuple[str, ...]
    options: Mapping[str, Any]
    wishes: tuple[Wish, ...]
    many: Many
    config: LoadedConfig
    beside: tuple[str, ...] = ()

    def policy_of(self, domain: str) -> DomainPolicy:
        """What was wanted of a domain of the run."""
        return next(wish.policy for wish in self.wishes if wish.domain == domain)

    @property
    def by_option(self) -> frozenset[Kind]:
        """The kinds that the options ask for."""
        given = {name for name, value in self.options.items() if value}
        return frozenset(kind for kind, names in _OF_KIND.items() if given.intersection(names))

    def again(self, changed: Mapping[Kind, list[str]], more: Sequence[str] = ()) -> list[str]:
        """All words but the domains; ``changed`` are those of kinds that are wanted otherwise."""
        words = config_words()
        for kind, names in _OF_KIND.items():
            words += changed[kind] if kind in changed else typed(self.options, names)
        known = {name for names in _OF_KIND.values() for name in names}
        rest = [name for name in self.options if name not in {*known, ALLOW.parameter}]
        if "--kind" in more:
            rest.remove("kind")
        return [*words, *typed(self.options, rest), *more]

    def line(self, domains: Sequence[str], words: Sequence[str]) -> str:
        """The command for these domains, with what was allowed to them already."""
        allow = _allowed(self.options, domains or [wish.domain for wish in self.wishes])
        # A shard of fewer domains would be another one.
        many = self.many if domains == self.domains else replace(self.many, index=0, shards=1)
        beside = [*allow, *many.words(), *self.beside]
        return joined([PROGRAM, self.command, *domains, *words, *beside])

    def ways(self, change_sets: Sequence[ChangeSet]) -> list[Way]:
        """The ways to go on where something is held back: at most two."""
        held = [c for c in change_sets if c.error is None and holding.stopping(c)]
        through = [c for c in change_sets if c.error is None and (c in held or c.changes)]
        ways = (each(self, through, len(change_sets)) for each in (_safer, _all_the_same))
        return [way for way in ways if way is not None] if held else []


def typed_nothing(
    domains: tuple[str, ...], wishes: tuple[Wish, ...], config: LoadedConfig, resolver: str | None
) -> Typed:
    """An ``apply`` of what the config alone says, by which ``setup`` goes on."""
    options = {o.parameter: () if o.more.get("multiple") else None for o in (*WANTED, ALLOW)}
    return Typed("apply", domains, {**options, "resolver": resolver}, wishes, Many(), config)


def _allowed(options: Mapping[str, Any], domains: Sequence[str]) -> list[str]:
    """What was allowed to these domains, as it was typed."""
    entries = options[ALLOW.parameter]
    meant = [e for e in entries if ":" not in e or records.normalise(e.split(":")[1]) in domains]
    return typed({ALLOW.parameter: tuple(meant)}, (ALLOW.parameter,))


def _allowing(codes: Iterable[str], domain: str = "") -> list[str]:
    of = f":{domain}" if domain else ""
    return [word for code in codes for word in (ALLOW.names[0], f"{code}{of}")]


@dataclass(frozen=True, slots=True)
class TypedUndo:
    """What an ``undo`` was asked for; it is whole or not at all, for each domain."""

    domain: str | None
    options: Mapping[str, Any]

    def ways(self, change_sets: Sequence[ChangeSet]) -> list[Way]:
        """The same again, with the codes of all that keeps it from being written."""
        held = [c for c in change_sets if c.error is None and holding.stopping(c)]
        if not held or not all(change_set.ways.consents for change_set in held):
            return []
        words = [PROGRAM, "undo", *([self.domain] if self.domain else []), *config_words()]
        given = {**self.options, "run": self.options["run_id"]}
        words += typed(given, ("to", "run", "mailcow", "resolver", "lock_timeout"))
        words += _allowed(self.options, [change_set.place.domain for change_set in held])
        for change_set in held:
            of = "" if self.domain else change_set.place.domain
            words += _allowing(change_set.ways.consents, of)
        words += ["--yes"] if self.options["yes"] else []
        return [Way(ALL_THE_SAME, commands=(joined(words),))]


@dataclass(frozen=True, slots=True)
class TypedPlanFile:
    """What an ``apply --plan`` was asked for: the file has no wish, but it has the records."""

    saved: SavedPlan
    options: Mapping[str, Any]
    beside: tuple[str, ...] = ()

    def ways(self, change_sets: Sequence[ChangeSet]) -> list[Way]:
        """For each domain the command that writes the very same, with consent."""
        held = [c for c in change_sets if c.error is None and holding.stopping(c)]
        lines = tuple(self._line(c) for c in held if c.ways.consents and self._can_be_typed(c))
        return [Way(ALL_THE_SAME, commands=lines)] if lines else []

    def _can_be_typed(self, change_set: ChangeSet) -> bool:
        kinds = {change.kind for change in change_set.changes}
        written = {change.kind for change in change_set.changes if change.after is not None}
        parked = self.saved.grounds_of(change_set).parked
        return kinds == written and Kind.DMARC_REPORT not in kinds and not parked

    def _line(self, change_set: ChangeSet) -> str:
        grounds = self.saved.grounds_of(change_set)
        words = [PROGRAM, "apply", change_set.place.domain, *config_words()]
        for change in change_set.changes:
            if change.after is not None:
                words += _record_words(change.kind, change.after, grounds.source_ref)
        if any(change.kind is Kind.SPF for change in change_set.changes):
            words += typed({"spf_drop": grounds.spf_drop}, ("spf_drop",))
        words += typed({"server": grounds.servers}, ("server",))
        words += typed(self.options, ("resolver", "nameserver", "lock_timeout"))
        words += _allowing((*change_set.allow, *change_set.ways.consents))
        return joined([*words, "--yes", *self.beside])


def _record_words(kind: Kind, record: DnsRecord, source: str | None) -> list[str]:
    """The options that ask for exactly this record."""
    if kind is not Kind.DKIM:
        return [f"--{kind}", record.destination]
    selector = record.hostname.partition("._domainkey")[0]
    return ["--dkim", source or f"{RECORD}{record.destination}", "--selector", selector]


def to_write(now: Typed, change_sets: Sequence[ChangeSet]) -> str:
    """The command that writes what was planned; nothing of it is held back."""
    return now.line(now.domains, now.again(_typeable(now, change_sets)))


def _typeable(now: Typed, change_sets: Sequence[ChangeSet]) -> dict[Kind, list[str]]:
    """What asks for a key that cannot be typed again, see :func:`with_key`; nothing for another."""
    if _can_be_typed(now.options):
        return {}
    for change_set in change_sets:
        for key in (record for kind, record in left(change_set) if kind is Kind.DKIM):
            options = with_key(now.options, key.hostname, key.destination)
            return {Kind.DKIM: typed(options, _OF_KIND[Kind.DKIM])}
    return {}


def with_key(options: Mapping[str, Any], name: str, text: str | None) -> Mapping[str, Any]:
    """The options with a key that cannot be typed again as the record that was made of it.

    ``name`` is where the record stands.
    """
    if text is None or _can_be_typed(options):
        return options
    return {**options, "dkim": f"{RECORD}{text}", "selector": name.partition("._domainkey")[0]}


def _can_be_typed(options: Mapping[str, Any]) -> bool:
    """Whether the key is there when the options are typed again.

    One from standard input is gone, and one with line ends in it, as PEM and what is copied from
    a mail has them, would not be on the one line of a command.
    """
    source = options.get("dkim")
    return source is None or (source != STDIN and source == visible(source))


def _safer(now: Typed, change_sets: Sequence[ChangeSet], number: int) -> Way | None:
    tables: list[Table] = []
    lines: dict[tuple[str, ...], list[str]] = {}
    passing = [c for c in change_sets if not holding.stopping(c) or c.ways.safer is not None]
    if not any(holding.stopping(c) for c in passing):
        return None
    by_option, stdin = now.by_option, _typeable(now, change_sets)
    for change_set in passing:
        domain, safer = change_set.place.domain, change_set.ways.safer
        changed, more = dict(stdin), []
        if safer is not None:
            wanted = now.policy_of(domain)
            differing = [k for k in MANAGED if getattr(safer, k.value) != getattr(wanted, k.value)]
            left_out = [kind for kind in differing if not getattr(safer, kind.value)]
            if any(kind not in by_option for kind in left_out):
                more = [word for kind in safer.manages for word in ("--kind", kind.value)]
            changed |= {k: _words(safer, k, now) for k in differing if k in by_option}
            in_file = [k for k in differing if k not in by_option and k not in left_out]
            tables += _table(
                now, domain, [kind_line(kind, getattr(safer, kind.value)) for kind in in_file]
            )
        lines.setdefault(tuple(now.again(changed, more)), []).append(domain)
    return Way(SAFER, tuple(tables), tuple(_lines(now, lines, len(passing) == number)))


def _lines(now: Typed, lines: Mapping[tuple[str, ...], list[str]], is_all: bool) -> Iterable[str]:
    """A command for each set of options; the domains are those typed where it is for all."""
    alone = len(lines) == 1 and is_all
    for words, domains in lines.items():
        own = now if len(lines) == 1 else _with_own_file(now, domains[0])
        yield own.line(now.domains if alone else domains, words)


def _with_own_file(now: Typed, domain: str) -> Typed:
    """The same with a plan file for this domain: of two plans in one, the second would be left."""
    if "--out" not in now.beside:
        return now
    at = now.beside.index("--out") + 1
    path = Path(now.beside[at])
    own = str(path.with_name(f"{path.stem}-{domain}{path.suffix}"))
    return replace(now, beside=(*now.beside[:at], own, *now.beside[at + 1 :]))


def _all_the_same(now: Typed, change_sets: Sequence[ChangeSet], number: int) -> Way | None:
    """The same again with consent, for those domains for which that is enough."""
    passing = [c for c in change_sets if not holding.stopping(c) or c.ways.consents]
    held = [c for c in passing if holding.stopping(c)]
    if not held:
        return None
    by_option = now.by_option
    changed, more, tables = _typeable(now, change_sets), [], []
    several = len(passing) > 1
    for change_set in held:
        domain, codes = change_set.place.domain, list(change_set.ways.consents)
        policy = now.policy_of(domain)
        spf_in_file = Kind.SPF not in by_option
        dropped = remedy.dropped(change_set, policy) if spf_in_file or not several else ()
        if "spf-drops-sender" in codes and dropped and policy.spf:
            codes.remove("spf-drops-sender")
            terms = [*(policy.spf.drop or ()), *dropped]
            spf = policy.spf.model_copy(update={"drop": list(dict.fromkeys(terms))})
            policy = policy.model_copy(update={"spf": spf})
            if spf_in_file:
                tables += _table(now, domain, [kind_line(Kind.SPF, spf)])
            else:
                changed[Kind.SPF] = _words(policy, Kind.SPF, now)
        in_file = [code for code in codes if _is_of_config(change_set, code, by_option)]
        if in_file:
            allow = [*(policy.allow or ()), *in_file]
            tables += _table(now, domain, [f"allow = {value(allow)}"])
        rest = [code for code in codes if code not in in_file]
        more += _allowing(rest, domain if several else "")
    words = now.again(changed, more)
    domains = now.domains if len(passing) == number else [c.place.domain for c in passing]
    return Way(ALL_THE_SAME, _merged(tables), (now.line(domains, words),))


def _is_of_config(change_set: ChangeSet, code: str, by_option: frozenset[Kind]) -> bool:
    """Whether what the config asks for is held back by this code."""
    stops = holding.stopping(change_set)
    kinds = [stop.kind for stop in stops if stop.code == code] or [stop.kind for stop in stops]
    # That another domain may send its reports here, neither options nor a table ask for.
    return any(kind in MANAGED and kind not in by_option for kind in kinds)


def _table(now: Typed, domain: str, lines: list[str]) -> list[Table]:
    if not lines:
        return []
    named = now.config.spelt.get(domain, domain)
    return [Table(str(now.config.path or "the config"), f'domains."{named}"', tuple(lines))]


def _merged(tables: Sequence[Table]) -> tuple[Table, ...]:
    """The tables, each once."""
    lines: dict[tuple[str, str], list[str]] = {}
    for table in tables:
        lines.setdefault((table.file, table.name), []).extend(table.lines)
    return tuple(Table(file, name, tuple(own)) for (file, name), own in lines.items())


def _words(policy: DomainPolicy, kind: Kind, now: Typed) -> list[str]:
    """The options that ask for what a policy wants of a kind."""
    wanted, names = calls.wanted(policy), _OF_KIND[kind]
    if kind is Kind.DKIM and policy.dkim and (url := now.options.get("mailcow")):
        wanted["mailcow"] = (url,)
        if policy.dkim.source == MAILCOW:
            del wanted["dkim"]  # the address alone says so
        names = ("dkim", "mailcow", "selector")
    return typed(wanted, names)


_FLAGS = ("continue", "dry_run", "revoke", "import_key", "wait", "yes")
_VALUES = (
    *("older_than", "grace", "mailcow", "helper_domain", "signer_command", "resolver"),
    *("nameserver", "lock_timeout"),
)


def rotating(options: Mapping[str, Any], domain: str, code: str) -> str:
    """The ``rotate`` that was typed, for one domain, with consent to what a code stands for."""
    flags = [f"--{name.replace('_', '-')}" for name in _FLAGS if options[name]]
    allow = [*_allowed(options, [domain]), *_allowing([code])]
    words = [*config_words(), *flags, *typed(options, _VALUES), *allow]
    return joined([PROGRAM, "rotate", domain, *words])


_OF_SIGNER = ("mailcow", "helper_domain", "signer_command", "resolver", "nameserver")


def rotating_on(options: Mapping[str, Any]) -> str:
    """The ``rotate --continue`` that goes on with what was begun with these options."""
    flags = ["--import-key"] if options["import_key"] else []
    words = [*config_words(), *flags, *typed(options, _OF_SIGNER)]
    return joined([PROGRAM, "rotate", "--continue", *words])


NAMED = 10
"""Domains that are named in a command; of more, it would fill the screen."""


def to_check(domains: Sequence[str], now: Typed | TypedUndo | TypedPlanFile | None) -> str:
    """The command that looks at what was written; all of the config where that is too much."""
    of_config = isinstance(now, Typed) and not now.domains
    named = [] if of_config and len(domains) > NAMED else domains
    options = now.options if now is not None else {}
    beside = typed(options, ("resolver", "nameserver"))
    return joined([PROGRAM, "check", *named, *config_words(), *beside])


def completed(checked: DomainCheck, options: Mapping[str, Any]) -> DomainCheck:
    """What a check found about a domain, with what was typed in each command it says to type.

    The judge knows neither the config nor the resolver. Where it was asked with options that say
    what is wanted, a plan of the domain is one with these.
    """
    from netcup_mailauth.judge.report import Basis

    for record in checked.records:
        if record.kind is Kind.DKIM:
            options = with_key(options, record.name, record.expected)
    wanted = typed(options, [option.parameter for option in WANTED])
    plan = f"  {faults.plan(checked.domain)}"
    with_options = f"{plan} {joined(wanted)}" if checked.basis is Basis.OPTIONS else plan

    def whole(advice: str) -> str:
        lines = (with_options if line == plan else line for line in advice.split("\n"))
        return _whole("\n".join(lines))

    records = (
        replace(record, advice=whole(record.advice), findings=_told(record.findings))
        for record in checked.records
    )
    return replace(checked, records=tuple(records), findings=_told(checked.findings))


def shown(change_set: ChangeSet) -> ChangeSet:
    """A change set as people are shown it: what its findings say to type is whole."""
    return replace(change_set, findings=_told(change_set.findings))


def _told(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(replace(finding, advice=_whole(finding.advice)) for finding in findings)


def _whole(advice: str) -> str:
    """An advice with the config and the resolver in each plan that it says to type."""
    beside = [*config_words(), *typed(settings().options, ("resolver",))]
    if not beside:
        return advice
    more = f" {joined(beside)}"
    lines = advice.split("\n")
    return "\n".join(f"{x}{more}" if x.startswith(f"  {PROGRAM} plan ") else x for x in lines)

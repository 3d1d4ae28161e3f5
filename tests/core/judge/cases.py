"""Zones and wishes to judge, as short as they can be written."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from netcup_mailauth import remedy
from netcup_mailauth.cli.options import WANTED
from netcup_mailauth.desired import desired_records
from netcup_mailauth.dkim import DkimSource
from netcup_mailauth.findings import by_gravity
from netcup_mailauth.judge import guard, holding
from netcup_mailauth.judge.case import Case
from netcup_mailauth.keys.forms import read_key
from netcup_mailauth.kinds import of_kind
from netcup_mailauth.plan import Action, Change, ChangeSet, Place, compute
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone
from netcup_mailauth.settings.wishes import policy_of
from tests.core.golden import cases as golden
from tests.core.spf.zones import Zones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.findings import Finding, Severity
    from netcup_mailauth.lookup import Answer, Query

DOMAIN, SPF, DMARC, HOSTS = golden.DOMAIN, golden.SPF, golden.DMARC, golden.HOSTS
SERVER = "203.0.113.25"
key_record = golden.key


def source(text: str, selector: str | None = None) -> DkimSource:
    found = read_key(text, "a test")
    return DkimSource(found.record, found.key, selector, found.origin, found.key_only)


def zone(*lines: str, name: str = DOMAIN, **more: Any) -> Zone:
    """A zone of lines such as ``@ MX 10 mail.example.com``; an empty line is left out."""
    records = tuple(
        _record(str(number), *line.split(" ", 2)) for number, line in enumerate(lines, 1) if line
    )
    return Zone(name, "ccp", records, **more)


def _record(number: str, hostname: str, record_type: str, value: str) -> DnsRecord:
    if record_type != "MX":
        return DnsRecord(number, hostname, record_type, value)
    priority, _, target = value.partition(" ")
    return DnsRecord(number, hostname, "MX", target, priority)


def mail_zone(
    spf: str | Sequence[str] = SPF,
    dmarc: str | Sequence[str] = DMARC,
    dkim: str | Sequence[str] | None = None,
    *more: str,
    **options: Any,
) -> Zone:
    """The zone of a domain with mail; each kind once, several times, or (``()``) not at all."""
    return zone(*golden.mail_zone(spf, dmarc, dkim, *more), **options)


CLEAN = mail_zone()


def wants(
    spf: str | dict[str, Any] | None = None,
    dmarc: str | dict[str, Any] | None = None,
    dkim: str | None = None,
    **more: Any,
) -> DomainPolicy:
    """A policy; a text is a record given whole, a dictionary one in parts."""
    tables: dict[str, Any] = {}
    if spf is not None:
        tables["spf"] = SpfPolicy(**({"record": spf} if isinstance(spf, str) else spf))
    if dmarc is not None:
        tables["dmarc"] = DmarcPolicy(**({"record": dmarc} if isinstance(dmarc, str) else dmarc))
    if dkim is not None:
        tables["dkim"] = DkimPolicy(source="record:...", selector=dkim)
    return DomainPolicy(**tables, **more)


def dns(names: dict[str, Sequence[Any]] | None = None) -> Zones:
    """DNS outside the zone; a name that is not listed does not exist."""
    return Zones(names or {})


def no_dns(queries: Sequence[Query]) -> Sequence[Answer]:
    """DNS that must not be asked."""
    raise AssertionError(f"DNS was asked for {queries}")


def case_of(
    before: Zone,
    policy: DomainPolicy,
    key: DkimSource | None = None,
    *,
    domain: str = DOMAIN,
    **more: Any,
) -> tuple[Case, list[Finding]]:
    """The case a plan makes of a wish, and what ``desired`` found on the way."""
    desired = desired_records(domain, before, policy, key)
    change_set = compute(Place(domain, before.name), before, desired.records)
    return Case(change_set, before, policy, **{"dns": dns(), **more}), desired.findings


def judged(
    before: Zone, policy: DomainPolicy, key: DkimSource | None = None, **more: Any
) -> tuple[Finding, ...]:
    """All findings about a wish, the gravest first."""
    case, findings = case_of(before, policy, key, **more)
    return by_gravity([*findings, *guard.judge(case)])


def safer(
    before: Zone, policy: DomainPolicy, key: DkimSource | None = None, **more: Any
) -> DomainPolicy | None:
    """What to want instead, so that nothing is held back; ``None`` where none is known."""
    for _ in range(remedy.MOST_STEPS):
        case, findings = case_of(before, policy, key, **more)
        change_set = holding.settled(case, findings)
        if not holding.stopping(change_set):
            return policy
        better = remedy.safer(case, change_set)
        if better is None:
            return None
        policy = better
    raise AssertionError("No end of it.")


def all_the_same(
    before: Zone, policy: DomainPolicy, key: DkimSource | None = None, **more: Any
) -> tuple[str, ...]:
    """The codes to allow, so that nothing is held back."""
    case, findings = case_of(before, policy, key, **more)
    return remedy.consents(case, findings, holding.settled(case, findings))


def judged_changes(before: Zone, *changes: Change, **more: Any) -> tuple[Finding, ...]:
    """The findings about changes that no wish makes: those of a plan file, or of an undo."""
    change_set = ChangeSet(Place(DOMAIN, before.name), changes)
    return guard.judge(Case(change_set, before, **{"dns": dns(), **more}))


def judged_wish(before: Zone, kind: Kind, hostname: str, value: str) -> tuple[Finding, ...]:
    """The findings about a value that no policy lets through."""
    change_set = compute(Place(DOMAIN, before.name), before, [DesiredRecord(kind, hostname, value)])
    return guard.judge(Case(change_set, before, dns=dns()))


def creates(kind: Kind, hostname: str, text: str) -> Change:
    return Change(Action.CREATE, kind, None, DnsRecord(None, hostname, "TXT", text))


def deletes(before: Zone, kind: Kind, hostname: str) -> Change:
    (record,) = of_kind(before, kind, hostname)
    return Change(Action.DELETE, kind, record, None)


def codes(findings: Sequence[Finding], *severities: Severity) -> list[str]:
    """The codes, of these severities or of all."""
    return [f.code for f in findings if not severities or f.severity in severities]


def only(findings: Sequence[Finding], code: str) -> Finding:
    """The one finding of this code."""
    (found,) = (finding for finding in findings if finding.code == code)
    return found


def _as_policy(words: list[str]) -> DomainPolicy:
    command = click.Command("plan", params=[option.made() for option in WANTED])
    with command.make_context("plan", words) as context:
        return policy_of(context.params)


def _behind_command(words: list[str]) -> list[str]:
    return words[3:] if words[:2] == ["netcup-mailauth", "plan"] else words


def to_type(finding: Finding) -> list[DomainPolicy]:
    """What the lines to copy in an advice ask for, read as the program reads them."""
    lines = [line for line in finding.advice.splitlines() if line.startswith("  ")]
    words = [_behind_command(shlex.split(line)) for line in lines]
    policies = [_as_policy(own) for own in words]
    assert all(isinstance(policy, DomainPolicy) for policy in policies)
    return policies

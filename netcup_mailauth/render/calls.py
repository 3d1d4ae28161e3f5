"""What the command says to type, as a Python program says it.

Faults and errors are worded once, for whoever types commands. Here an option becomes the argument
of the same name, a command the call that does the same; where there is none, its page of the guide
is named.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from netcup_mailauth.errors import MailauthError
    from netcup_mailauth.findings import Finding
    from netcup_mailauth.judge.report import CheckedRecord, CheckReport, DomainCheck
    from netcup_mailauth.plan import ChangeSet, Failure, Result
    from netcup_mailauth.policy import DomainPolicy

_CALLS = {
    "plan": "netcup.plan({})",
    "apply": "netcup.apply(netcup.plan({}))",
    "check": "netcup.check({})",
}
_REPEATED = ("spf_require", "spf_drop", "rua", "server", "kind", "allow", "nameserver")
"""The arguments that take a list."""

_COMMAND = re.compile(rf"netcup-mailauth ({'|'.join(_CALLS)}) ([^\n]+)")
_WITHOUT_CALL = re.compile(
    r"(?:netcup-mailauth )?\b(rotate|undo|auth|check|records|setup)( [\w-]+(?:\.[\w-]+)+)?"
    r"(?: --?[a-z][a-z-]*)+"
)
_VALUE = (
    r"'[^']*'|[^\s,;()']*[.:/@][^\s,;()']*[^\s,;()'.]|mailcow|none|quarantine|reject|fail"
    r"|[a-z]+(?:-[a-z0-9]+)+|[\w-]+(?=\Z|\n)"
)
"""What is a value behind an option, and no word of the sentence."""
_TOLD = (
    "spf|spf-require|spf-drop|spf-all|dkim|selector|dmarc|dmarc-policy|rua|mailcow|server|kind"
    "|zone|allow|nameserver|resolver|jobs|grace|full|format"
)
"""The options that texts speak of: what else begins with two dashes is somebody's value."""
_OPTION = re.compile(rf"(?<![^\s(`])--({_TOLD})(?![\w-])(?:[ =]({_VALUE})(?![\w-]))?")
_PHRASES = {
    "Options that say what is wanted need a DOMAIN": "What is wanted is said, but of no domain",
    "No DOMAIN is named": "No domain is named",
    "run without NETCUP_REST_API_KEY": "do without the REST API's key",
    "the same --dkim": "the same dkim=",
    "let check --wait do it": "look again then",
    "on a command line or into a config": "into a program or a config",
    "a shell ends the text at the first semicolon": "the text ends at the first semicolon",
    ", or - for standard input": "",
    "; - reads a key from standard input": "",
    "name it with -c": "name it with config=",
    "give -c ": "give config=",
    "run the same command again": "do the same again",
    "Run the same command again": "Do the same again",
    "netcup-mailauth auth --check lifts": "netcup-mailauth auth lifts",
}
"""What is said otherwise as a whole; first of all."""


def said(text: str) -> str:
    """A text of the command's, as the library says it."""
    for ours, theirs in _PHRASES.items():
        text = text.replace(ours, theirs)
    text = _COMMAND.sub(_call, text)
    text = _WITHOUT_CALL.sub(r"see netcup-mailauth help \1", text)
    return _OPTION.sub(_argument, text)


def _call(match: re.Match[str]) -> str:
    """The call that a command is; the command itself where it is none that can be read."""
    try:
        words = shlex.split(match[2])
    except ValueError:
        return match[0]
    domains: list[str] = []
    while words and not words[0].startswith("-"):
        domains.append(words.pop(0))
    names, values = words[::2], words[1::2]
    if len(names) != len(values) or not all(name.startswith("--") for name in names):
        return match[0]
    given: dict[str, list[str]] = {}
    for name, value in zip(names, values, strict=True):
        given.setdefault(_parameter(name.removeprefix("--")), []).append(value)
    return _CALLS[match[1]].format(arguments(domains, given))


def arguments(domains: Iterable[str], given: Mapping[str, Sequence[str]]) -> str:
    """The arguments of a call, as they are written in a program."""
    named = []
    for name, values in given.items():
        alone = name not in _REPEATED or len(values) == 1
        named.append(f"{name}={json.dumps(values[0] if alone else list(values))}")
    return ", ".join([*map(_text, domains), *named])


def _argument(match: re.Match[str]) -> str:
    value = match[2]
    return f"{_parameter(match[1])}={_text(value.strip(chr(39))) if value else ''}"


def _parameter(option: str) -> str:
    return option.replace("-", "_")


def _text(value: str) -> str:
    return json.dumps(value)


def wanted(policy: DomainPolicy) -> dict[str, tuple[str, ...]]:
    """The arguments, or options, that ask for what a policy wants."""
    spf, dkim, dmarc = policy.spf or None, policy.dkim or None, policy.dmarc or None
    given = {
        "spf": spf and spf.record,
        "spf_require": spf and spf.require,
        "spf_drop": spf and spf.drop,
        "spf_all": spf and spf.all,
        "dkim": dkim and dkim.source,
        "selector": dkim and dkim.selector,
        "dmarc": dmarc and dmarc.record,
        "dmarc_policy": dmarc and dmarc.policy,
        "rua": dmarc and dmarc.rua,
        "server": policy.server,
        "zone": policy.zone,
    }
    return {name: (v,) if isinstance(v, str) else tuple(v) for name, v in given.items() if v}


# What is handed to a program


def reword(error: MailauthError) -> None:
    """Let an error speak of the library."""
    error.what, error.advice = said(error.what), said(error.advice)
    error.args = (error.what,)


def finding(found: Finding) -> Finding:
    """A finding that speaks of the library."""
    return replace(found, message=said(found.message), advice=said(found.advice))


def change_set(planned: ChangeSet) -> ChangeSet:
    """A change set whose findings and error do."""
    findings = tuple(map(finding, planned.findings))
    return replace(planned, findings=findings, error=_failure(planned.error))


def result(ended: Result) -> Result:
    """A result that does."""
    notes = tuple(map(said, ended.notes))
    shown = change_set(ended.change_set)
    if ended.ended_by is not None:
        reword(ended.ended_by)
    return replace(ended, change_set=shown, failure=_failure(ended.failure), notes=notes)


def report(checked: CheckReport, given: Mapping[str, Sequence[str]]) -> CheckReport:
    """The report of a check that does.

    Where it says to plan the domain again, that is with what was ``given`` to the check.
    """
    return replace(checked, domains=tuple(_domain(domain, given) for domain in checked.domains))


def _domain(checked: DomainCheck, given: Mapping[str, Sequence[str]]) -> DomainCheck:
    bare, whole = (f"  netcup.plan({arguments([checked.domain], a)})" for a in ({}, given))
    return replace(
        checked,
        records=tuple(_record(record, bare, whole) for record in checked.records),
        findings=tuple(map(finding, checked.findings)),
        conclusions=tuple(map(said, checked.conclusions)),
        error=_failure(checked.error),
    )


def _record(checked: CheckedRecord, bare: str, whole: str) -> CheckedRecord:
    findings = tuple(map(finding, checked.findings))
    lines = (whole if line == bare else line for line in said(checked.advice).split("\n"))
    return replace(checked, findings=findings, advice="\n".join(lines))


def _failure(failure: Failure | None) -> Failure | None:
    if failure is None:
        return None
    return replace(failure, message=said(failure.message), advice=said(failure.advice))

"""Findings about DKIM records: the key, and whether the signer's own stays published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import dkim
from netcup_mailauth.errors import RecordError
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge.faults import fault
from netcup_mailauth.names import absolute
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.dkim import DkimRecord, PublicKey
    from netcup_mailauth.judge.guard import Case

CODES = (
    "dkim-syntax",
    "dkim-key-too-short",
    "dkim-key-1024",
    "dkim-testing",
    "dkim-revokes-key",
    "dkim-key-replaced",
    "dkim-multiple",
    "dkim-removes-signing-key",
    "dkim-selector-mismatch",
    "dkim-key-mismatch",
    "rotation-in-progress",
    "ttl-long",
)

LONG_TTL = 3600
"""Seconds; a key that is replaced stays in caches for so long."""


def findings(case: Case) -> Iterator[Finding]:
    """The findings about the DKIM records concerned."""
    for hostname in case.hostnames(Kind.DKIM):
        before = case.texts(case.before, Kind.DKIM, hostname)
        after = case.texts(case.after, Kind.DKIM, hostname)
        name = absolute(hostname, case.before.name)
        yield from _selector(case, hostname, name)
        yield from _lost(case, name, before, after)
        if len(after) > 1:
            yield _multiple(name, before, after)
        elif after:
            yield from _text(case, hostname, name, before, after[0])


def parsed(texts: Sequence[str]) -> list[DkimRecord]:
    """Those of the texts that are valid records."""
    records = []
    for text in texts:
        try:
            records.append(dkim.parse(text))
        except RecordError:
            continue
    return records


def _keys(texts: Sequence[str]) -> list[PublicKey]:
    return [record.key for record in parsed(texts) if record.key is not None]


def _selector(case: Case, hostname: str, name: str) -> Iterator[Finding]:
    own = case.signer.selector
    if own is not None and not hostname.startswith(f"{own}._domainkey"):
        yield fault(
            "dkim-selector-mismatch",
            f"mailcow signs with the selector {own}; a key at {name} is one that no receiver "
            "asks for.",
            f"Leave the selector out, or give mailcow's own: --selector {own}",
            new=case.is_touched(Kind.DKIM, hostname),
            gravity=Severity.REFUSED,
        )
    if hostname in case.held and case.is_touched(Kind.DKIM, hostname):
        yield Finding(
            "rotation-in-progress",
            Severity.REFUSED,
            f"A key rotation is open, and {name} is part of it.",
            "Let it finish (netcup-mailauth rotate --continue), or end it (rotate --abort).",
        )


def _lost(case: Case, name: str, before: Sequence[str], after: Sequence[str]) -> Iterator[Finding]:
    """Keys that nobody can look up any more: of the signer, or deleted altogether."""
    lost = [key for key in _keys(before) if key not in _keys(after)]
    signing = case.signer.key
    if signing is not None and signing in lost:
        yield Finding(
            "dkim-removes-signing-key",
            Severity.DANGER,
            f"{name} holds the very key that mail is signed with ({signing.fingerprint}); without "
            "it every signature fails.",
            "Let the mail server sign with another published key first.",
        )
    elif lost and not after:
        yield _revokes(name, lost[0], "its record goes")


def _revokes(name: str, key: PublicKey, how: str) -> Finding:
    return Finding(
        "dkim-revokes-key",
        Severity.DANGER,
        f"{name}: {how}, so mail signed with the key {key.fingerprint} fails from then on.",
        "Do this only when nothing signs with it any more and mail in flight has arrived.",
    )


def _multiple(name: str, before: Sequence[str], after: Sequence[str]) -> Finding:
    return fault(
        "dkim-multiple",
        f"{name} has {len(after)} TXT records, so it is undefined which key counts: "
        f"{'; and '.join(after)}",
        "Delete all but one in the CCP.",
        new=len(after) > len(before),
    )


def _text(
    case: Case, hostname: str, name: str, before: Sequence[str], text: str
) -> Iterator[Finding]:
    written = case.is_written(Kind.DKIM, hostname)
    try:
        new = dkim.parse(text)
    except RecordError as error:
        if written:
            yield Finding("dkim-syntax", Severity.REFUSED, error.what, error.advice)
        return
    if new.key is None:
        if old := _keys(before):
            yield _revokes(name, old[0], "an empty p= revokes it")
        return
    yield from _key(name, new, new.key, written=written)
    yield from _replaced(case, hostname, name, new.key)


def _key(name: str, record: DkimRecord, key: PublicKey, *, written: bool) -> Iterator[Finding]:
    problem = dkim.size_problem(key)
    note = dkim.size_note(key)
    if problem is not None:
        yield fault(
            "dkim-key-too-short",
            f"{name}: {problem}",
            "Make one of 2048 bits.",
            new=written,
            gravity=Severity.REFUSED,
        )
    elif note is not None and key.bits < dkim.RECOMMENDED_BITS:
        yield fault(
            "dkim-key-1024",
            f"{name}: {note}",
            "Make one of 2048 bits.",
            new=written,
            gravity=Severity.WARNING,
        )
    if record.testing:
        yield Finding(
            "dkim-testing",
            Severity.WARNING,
            f"{name} says t=y: receivers treat signed mail as if it were not signed.",
            "Take t=y out when the signatures are right.",
        )


def _replaced(case: Case, hostname: str, name: str, key: PublicKey) -> Iterator[Finding]:
    live = case.before.of_kind(Kind.DKIM, hostname)
    old = _keys([record.destination for record in live])
    if not old or key in old:
        return
    yield Finding(
        "dkim-key-replaced",
        Severity.WARNING,
        f"{name} gets another key ({old[0].fingerprint} -> {key.fingerprint}): mail that is on "
        "its way, signed with the old one, fails, and caches hold the old one for up to its TTL "
        "(netcup's default: a day).",
        "If the mail server signs with the new key already, write it now. A new selector would "
        "avoid the gap.",
    )
    longest = max(record.ttl or 0 for record in live)
    if longest > LONG_TTL:
        yield Finding(
            "ttl-long",
            Severity.WARNING,
            f"The TTL of {name} is {longest} s: for so long some receivers use the old key.",
            "Lower the TTL a day before the next change of the key.",
        )

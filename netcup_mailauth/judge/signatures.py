"""What a receiver makes of the DKIM keys: usable at all, and the one that mail is signed with?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import dkim
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge import dkim as dkim_faults
from netcup_mailauth.judge.verdict import text_answer, texts
from netcup_mailauth.records import Kind

if TYPE_CHECKING:
    from netcup_mailauth.dkim import DkimRecord, PublicKey
    from netcup_mailauth.judge.verdict import Subject, Verdict
    from netcup_mailauth.lookup import Lookup

_PUBLISH = "Publish the key that the mail server signs with."


def judge(verdict: Verdict, subject: Subject, lookup: Lookup) -> None:
    """Add what follows from the key of each selector."""
    revoked = []
    usable = 0
    for selector in subject.selectors:
        name = f"{selector}._domainkey.{subject.domain}"
        found = texts(Kind.DKIM, text_answer(name, lookup))
        if len(found) > 1:
            verdict.add((Kind.DKIM, name), dkim_faults.multiple(name, found))
        elif found and (record := _record(verdict, subject, name, found[0])) is not None:
            usable += record.key is not None
            revoked += [name] if record.key is None else []
    for name in revoked:
        _revoked(verdict, name, grave=subject.key is not None or not usable)


def _record(verdict: Verdict, subject: Subject, name: str, text: str) -> DkimRecord | None:
    """The record at a selector, judged; ``None`` if it is none."""
    about = (Kind.DKIM, name)
    unreadable = list(dkim_faults.syntax(name, text, Severity.DANGER))
    if unreadable:
        verdict.add(about, *unreadable)
        return None
    record = dkim.parse(text)
    if record.key is None:
        verdict.conclusions.append(f"DKIM: the key at {name} is revoked")
        return record
    verdict.conclusions.append(f"DKIM: {_proved(verdict, subject, name, record, record.key)}")
    verdict.add(about, *dkim_faults.size(name, record.key, Severity.DANGER))
    note = dkim.size_note(record.key)
    if note is not None and record.key.bits >= dkim.RECOMMENDED_BITS:
        verdict.conclusions.append(f"DKIM: {note}")
    verdict.add(about, *dkim_faults.testing(name, record))
    return record


def _proved(
    verdict: Verdict, subject: Subject, name: str, record: DkimRecord, key: PublicKey
) -> str:
    """How the published key stands to the one mail is signed with."""
    published = f"{dkim.describe(record)} at {name}"
    if subject.key is None:
        return published
    signer = f" from {subject.signer}" if subject.signer else ""
    if subject.proves is not None:
        good = subject.proves(key)
        said = f"a signature made with the private key{signer} verifies with {published}"
    else:
        good = key == subject.key
        said = f"{published} is the key{signer}"
    if good:
        return said
    mismatch = Finding(
        "dkim-key-mismatch",
        Severity.DANGER,
        f"{name} holds the key {key.fingerprint}, but mail is signed with "
        f"{subject.key.fingerprint}{signer}: every signature fails.",
        _PUBLISH,
    )
    verdict.add((Kind.DKIM, name), mismatch)
    return f"{published} is not the key{signer}"


def _revoked(verdict: Verdict, name: str, *, grave: bool) -> None:
    """A revoked key beside one in use is how a rotation ends; alone it fails all mail."""
    revoked = Finding(
        "dkim-revokes-key",
        Severity.DANGER if grave else Severity.WARNING,
        f"{name}: the key is revoked (empty p=); mail signed with it fails.",
        _PUBLISH if grave else "Delete the record when no mail signed with it is on its way.",
    )
    verdict.add((Kind.DKIM, name), revoked)

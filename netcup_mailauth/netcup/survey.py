"""Which assumptions about netcup's REST API an account bears out, by reading alone.

Nobody who wrote them had an account to try them on. What is told holds no value of the account: no
name, no record, no number of its; a state is a word of netcup's, and the very thing to know.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from netcup_mailauth.netcup.clouddns_wire import ENDS_IN_A_NAME, NameForm
from netcup_mailauth.netcup.revisions import DRAFT, KNOWN, compared, shown, word_of
from netcup_mailauth.records import APEX
from netcup_mailauth.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from netcup_mailauth.netcup.clouddns_wire import Answer, Pagination, Revision, WireRecord

LONG = 255
"""Bytes of a text from which on it may come in several strings (RFC 1035, 3.3.14)."""


class Sample(NamedTuple):
    """What was read of one zone.

    Attributes:
        missing: the answer to the look-up of a domain that nobody has.
        managed: what ``isDnsManaged`` says of the domains of the account.
        rows: the records of the newest revision.
        told: what the API says of the pages of their list.
        alone: how many of them came where one was asked for; none in an answer that was refused.
        past: the answer to a page behind the last one.
    """

    zone: str
    missing: Answer
    managed: frozenset[bool]
    revisions: Sequence[Revision]
    rows: Sequence[WireRecord]
    told: Pagination
    alone: int
    past: Answer


class Seen(NamedTuple):
    """What a sample shows of an assumption, by its name; whether that is as assumed."""

    name: str
    fits: bool
    words: str


def seen(sample: Sample) -> list[Seen]:
    """What a sample shows, of those assumptions that it says anything about."""
    found = [*_domains(sample), *_pages(sample), *_revisions(sample.revisions)]
    return [*found, *_records(sample)]


def paragraph(sample: Sample, assumptions: Iterable[str]) -> str:
    """What to paste into a report, in one paragraph; ``assumptions`` are the names of all."""
    found = seen(sample)
    parts = [
        f"netcup's REST API as this account shows it to netcup-mailauth {__version__}:",
        _listed("As assumed", (f"{one.name} ({one.words})" for one in found if one.fits)),
        _listed("Otherwise", (f"{one.name} ({one.words})" for one in found if not one.fits)),
    ]
    told = {one.name for one in found}
    left = (name for name in assumptions if name not in told)
    parts.append(_listed("Not to be seen without a write or a refusal, or not in this zone", left))
    return " ".join(filter(None, parts))


def _listed(what: str, items: Iterable[str]) -> str:
    text = ", ".join(items)
    return f"{what}: {text}." if text else ""


def _domains(sample: Sample) -> list[Seen]:
    found = [Seen("managed", True, "true and false" if len(sample.managed) > 1 else "true for all")]
    if sample.missing.is_missing:
        found.append(Seen("unknown-domain", True, "404"))
    elif sample.missing.is_success and _is_empty(sample.missing):
        found.append(Seen("unknown-domain", True, "a success without it"))
    return found


def _is_empty(answer: Answer) -> bool:
    return answer.envelope is not None and not answer.envelope.result


def _pages(sample: Sample) -> list[Seen]:
    told = [n for n, v in (("lastPage", sample.told.last_page), ("totalEntries", sample.told.total))
            if v is not None]  # fmt: skip
    found = [Seen("pages-told", True, " and ".join(told) or "neither number")]
    if len(sample.rows) > 1:
        words = "one asked for, one came" if sample.alone == 1 else "one asked for, others came"
        found.append(Seen("pages", sample.alone == 1, words))
    past = sample.past
    is_empty = past.is_success and _is_empty(past)
    words = "404" if past.is_missing else "empty" if is_empty else "entries again"
    found.append(Seen("past-the-end", past.is_missing or is_empty, words))
    return found


def _revisions(revisions: Sequence[Revision]) -> list[Seen]:
    states = Counter(revision.state for revision in revisions)
    times = Counter(word_of(revision.state) for revision in revisions)
    words = ", ".join(f"{shown(state)} {count}x" for state, count in sorted(states.items()))
    known = all(word in KNOWN or count > 1 for word, count in times.items())
    drafts = sum(word_of(revision.state) in DRAFT for revision in revisions)
    found = [Seen("states", known, words)]
    if drafts:
        found.append(Seen("one-draft", drafts == 1, "one" if drafts == 1 else "several"))
    if len(revisions) > 1:
        first, *rest = revisions
        told = all(compared(first, other) not in (None, 0) for other in rest)
        numbered = any(revision.serial is not None for revision in revisions)
        dated = any(revision.created_at for revision in revisions)
        by = [name for name, has in (("serial", numbered), ("createdAt", dated)) if has]
        found.append(Seen("revision-age", told, " and ".join(by) or "nothing tells it"))
    return found


def _records(sample: Sample) -> list[Seen]:
    rows = sample.rows
    form = NameForm.of((row.name for row in rows), sample.zone)
    names = "full" if form.suffix else "relative"
    dots = " with a last dot" if form.suffix.endswith(".") else ""
    apex = "@" if form.apex == APEX else "empty" if not form.apex else "the zone's name"
    found = [Seen("names", True, f"{names}{dots}, the apex {apex}")]
    texts = [row.rdata for row in rows if row.type.upper() == "TXT"]
    if texts:
        found.append(_texts(texts))
    targets = {row.rdata.endswith(".") for row in rows if row.type.upper() in ENDS_IN_A_NAME}
    if targets:
        words = "with and without" if len(targets) > 1 else "with" if True in targets else "without"
        found.append(Seen("targets", True, f"{words} a last dot"))
    fixed = {row.immutable for row in rows if row.type.upper() == "SOA"}
    others = {str(row.immutable).lower() for row in rows if row.type.upper() == "TXT"}
    if fixed and others:
        soa = " and ".join(sorted(str(one).lower() for one in fixed))
        words = f"{soa} for the SOA, {' and '.join(sorted(others))} for texts"
        found.append(Seen("immutable", fixed == {True} and "true" not in others, words))
    return found + _ttls(rows)


def _texts(texts: Sequence[str]) -> Seen:
    quoted = [text.startswith('"') and text.endswith('"') for text in texts]
    words = "in quotes" if all(quoted) else "some without quotes" if any(quoted) else "no quotes"
    split = ['" "' in text for text in texts if len(text) > LONG + 2]
    if split:
        long = "several strings" if all(split) else "one string" if not any(split) else "both forms"
        words += f", long ones in {long}"
    return Seen("txt-read", True, words)


def _ttls(rows: Sequence[WireRecord]) -> list[Seen]:
    if not rows:
        return []
    different = len({row.ttl for row in rows})
    sets: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        sets.setdefault((row.name.lower(), row.type.upper()), set()).add(row.ttl)
    mixed = any(len(ttls) > 1 for ttls in sets.values())
    words = "all one" if different == 1 else f"{different} different ones"
    return [
        Seen("ttl", True, f"one for each record, {words}"),
        Seen("one-ttl", not mixed, "two at one name and type" if mixed else "none has two"),
    ]

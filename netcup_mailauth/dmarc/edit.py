"""DMARC records made new, and changed without losing anything (RFC 9989, 4.7).

And what a change means for mail, in words, and whether it is a step back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from netcup_mailauth import taglist
from netcup_mailauth.dmarc.record import (
    KNOWN,
    POLICIES,
    REMOVED,
    REPORTS,
    VALUES,
    DmarcRecord,
    DmarcSyntaxError,
    Policy,
    target,
    uri_problem,
)
from netcup_mailauth.taglist import shown

if TYPE_CHECKING:
    from collections.abc import Iterator


def with_policy(record: DmarcRecord, policy: Policy) -> DmarcRecord:
    """The record with ``p`` set.

    The tags that RFC 9989 took out go with the old policy, whose rollout they described. But
    ``pct=0``, which asked receivers to apply nothing yet, gets ``t=y`` beside it (appendix A.6) and
    stays: a receiver of RFC 7489 does not know ``t``, and would apply the new policy at once.
    Raises DmarcSyntaxError if ``policy`` is none of the three.
    """
    edited = _with_policy_at(record, "p", policy)
    if record.pct == 0 and record.tags.get("t") is None and _asks_for_something(edited):
        edited = _with_value(edited, "t", "y")
    for name in REMOVED:
        if name != "pct" or not only_watches_twice(edited):
            edited = replace(edited, tags=edited.tags.without(name))
    return edited


def only_watches_twice(record: DmarcRecord) -> bool:
    """Whether it tells receivers of both RFCs to apply nothing yet: ``t=y`` and ``pct=0``."""
    return record.t == "y" and record.pct == 0 and _asks_for_something(record)


def in_earnest(record: DmarcRecord) -> DmarcRecord:
    """The record that ends the watching: without ``t`` and ``pct``."""
    return replace(record, tags=record.tags.without("t").without("pct"))


def with_subdomain_policy(record: DmarcRecord, policy: Policy) -> DmarcRecord:
    """The record with ``sp`` set, behind ``p`` if it is new.

    Raises DmarcSyntaxError if ``policy`` is none of the three.
    """
    return _with_policy_at(record, "sp", policy)


def not_yet_in_force(
    old: DmarcRecord | None, new: DmarcRecord, *, sub_domains: bool
) -> tuple[DmarcRecord, tuple[str, ...]]:
    """``new`` without a policy that would only now take effect, and which those were.

    For a text that receivers did not read, or not so: ``old`` is what they did read of it. With
    ``sub_domains`` those of sub-domains start anew too.
    """
    scopes = {"p": "effective_policy"}
    if sub_domains:
        scopes |= {"sp": "effective_subdomain_policy", "np": "effective_nonexistent_policy"}
    if all(tag.name in KNOWN and tag.name != "p" for tag in new.tags.tags):
        new = _with_policy_at(new, "p", "none")
    unheard: list[str] = []
    for name, effective in scopes.items():
        written = (new.tags.get(name) or "").lower()
        was: Policy = getattr(old, effective) if old else "none"
        # What receivers find here, not what stands in another tag, may not grow.
        if written in POLICIES and POLICIES.index(written) > POLICIES.index(was):
            unheard.append(f"{name}={written}")
            new = _with_policy_at(new, name, was)
    return new, tuple(unheard)


def without_quotes(record: DmarcRecord) -> DmarcRecord:
    """The record without the characters that netcup does not keep; in an address they are encoded.

    No tag of DMARC needs them.
    """
    encoded = (_encoded(tag) for tag in record.tags.tags)
    text = str(replace(record.tags, tags=tuple(encoded)))
    return DmarcRecord(taglist.read(text.translate(dict.fromkeys(map(ord, "\"'\\")))))


def _encoded(tag: taglist.Tag) -> taglist.Tag:
    if tag.name not in REPORTS:
        return tag
    return replace(tag, text=tag.text.replace("'", "%27"))


def with_addresses(record: DmarcRecord, name: Literal["rua", "ruf"], *uris: str) -> DmarcRecord:
    """The record with ``uris`` in this tag, last, those that are not there already.

    Raises DmarcSyntaxError if one of them is no valid report address.
    """
    for uri in uris:
        if (problem := uri_problem(uri)) is not None:
            raise DmarcSyntaxError(*problem)
    written = [tag.value for tag in record.tags.tags if tag.name == name and tag.value]
    # A record with two such tags is void; joined to one, it loses no address.
    existing = ",".join(written)
    known = {target(part.strip(taglist.BLANKS)) for part in existing.split(",")}
    missing: dict[str, str] = {}
    for uri in uris:
        if target(uri) not in known:
            missing.setdefault(target(uri), uri)
    if not missing and len(written) < 2:
        return record
    separator = ", " if ", " in existing else ","
    value = separator.join(filter(None, [existing, *missing.values()]))
    return _with_value(record, name, value)


def without_report_address(record: DmarcRecord, *uris: str) -> DmarcRecord:
    """The record without ``uris`` among its ``rua``."""
    gone = {target(uri) for uri in uris}
    kept = [uri for uri in record.rua if target(uri) not in gone]
    if not kept:
        return replace(record, tags=record.tags.without("rua"))
    return _with_value(record, "rua", ",".join(kept))


def with_policy_of(record: DmarcRecord, other: DmarcRecord) -> DmarcRecord:
    """The record, with what ``other`` says is to be done with failing mail."""
    for name in ("p", "sp", "np", "t", "pct"):
        value = other.tags.get(name)
        if value is None:
            record = replace(record, tags=record.tags.without(name))
        else:
            record = _with_value(record, name, value)
    return record


def removed_tags(old: DmarcRecord, new: DmarcRecord) -> list[str]:
    """What it means for receivers that ``new`` lacks each obsolete tag of ``old``, in words."""
    lacking = (name for name in REMOVED if new.tags.get(name) is None)
    return [_removed_words(old, new, name) for name in lacking if old.tags.get(name) is not None]


def _removed_words(old: DmarcRecord, new: DmarcRecord, name: str) -> str:
    written = f"{name}={old.tags.get(name)}"
    if name != "pct" or old.pct is None or old.pct == 100:
        return f"{written} goes: receivers no longer read it (RFC 9989)"
    if old.pct == 0 and old.tags.get("t") is None:
        return f"{written} goes: test mode is written t=y now (RFC 9989)"
    if old.pct == 0 and new.tags.get("t") is not None:
        return f"{written} goes: t={new.t} says whether this is a test (RFC 9989)"
    return f"{written} goes: {old.pct} % -> all failing mail"


def _policies(record: DmarcRecord) -> tuple[Policy, Policy, Policy]:
    """What it asks for: of the domain, of its sub-domains, and of those that do not exist."""
    return (
        record.effective_policy,
        record.effective_subdomain_policy,
        record.effective_nonexistent_policy,
    )


def _asks_for_something(record: DmarcRecord) -> bool:
    return set(_policies(record)) != {"none"}


def _with_policy_at(record: DmarcRecord, name: str, policy: Policy) -> DmarcRecord:
    if policy not in POLICIES:
        raise DmarcSyntaxError(
            f"{shown(policy)} is no DMARC policy.", "Use none, quarantine or reject."
        )
    return _with_value(record, name, policy)


_ORDER = ("v", "p", "sp", "np", "t", "rua", "ruf")


def _with_value(record: DmarcRecord, name: str, value: str) -> DmarcRecord:
    """Set a tag; a new one comes behind the last of those that are there and go before it."""
    before = _ORDER[: _ORDER.index("rua" if name == "pct" else name)]
    present = [tag for tag in record.tags.names() if tag in before]
    after = present[-1] if present else "v"
    return replace(record, tags=record.tags.with_tag(name, value, after=after))


FATE = {"none": "delivered", "quarantine": "quarantined", "reject": "rejected"}
"""What becomes of failing mail, by the policy applied."""

_ALIGNMENT = {"r": "relaxed", "s": "strict"}
_TEST = {"n": "off", "y": "on, the policy is applied one level lower"}
_PSD = {"y": "a public suffix", "n": "an organisation of its own", "u": "not said"}
_WORDED = {"v", "V", *VALUES, *REMOVED, "rua", "ruf", "fo"}
_NOTHING = "(nothing)"


def applied_policy(record: DmarcRecord) -> Policy:
    """What receivers do with failing mail of the domain itself: ``p``, in test mode one lower."""
    return in_test_mode(record, record.effective_policy)


def weakens(old: DmarcRecord | None, new: DmarcRecord | None) -> bool:
    """Whether receivers would do less with some failing mail than before.

    Compared are the domain itself, its sub-domains and the names that do not exist, with test
    mode and with the share (``pct``) that older receivers still read. ``pct=0`` is test mode.
    """
    return any(
        after < before for before, after in zip(_strengths(old), _strengths(new), strict=True)
    )


def dropped_reports(old: DmarcRecord | None, new: DmarcRecord | None) -> tuple[str, ...]:
    """The addresses that get aggregate reports because of ``old`` and not because of ``new``."""
    return _missing(old.rua if old else (), new.rua if new else ())


def dropped_failures(old: DmarcRecord | None, new: DmarcRecord | None) -> tuple[str, ...]:
    """The addresses that get failure reports because of ``old`` and not because of ``new``."""
    return _missing(old.ruf if old else (), new.ruf if new else ())


def describe_changes(old: DmarcRecord | None, new: DmarcRecord) -> tuple[str, ...]:
    """Each thing that changes, tag by tag, in words; ``old`` is ``None`` for a new record."""
    return (
        *_version_words(old, new),
        *_policy_words(old, new),
        *_report_words("reports", old.rua if old else (), new.rua),
        *_report_words("failure reports", old.ruf if old else (), new.ruf),
        *_option_words(old, new),
        *_obsolete_words(old, new),
        *_unknown_words(old, new),
    )


def in_test_mode(record: DmarcRecord, policy: Policy) -> Policy:
    """A policy of the record as it is applied: in test mode (``t=y``) one level lower."""
    return POLICIES[max(POLICIES.index(policy) - 1, 0)] if record.t == "y" else policy


def _strengths(record: DmarcRecord | None) -> tuple[tuple[int, int], ...]:
    if record is None or not record.in_force:
        return ((0, 0),) * 3
    lower = record.t == "y" or record.pct == 0
    share = record.pct or 100
    levels = map(POLICIES.index, _policies(record))
    applied = (max(level - 1, 0) if lower else level for level in levels)
    # The share counts only within a level, and there is none of "none".
    return tuple((level, share if level else 0) for level in applied)


def _version_words(old: DmarcRecord | None, new: DmarcRecord) -> Iterator[str]:
    if old is not None and old.tags.get("v") is None and new.tags.get("v") is not None:
        yield "the v in front is small now; some receivers read no other"


def _policy_words(old: DmarcRecord | None, new: DmarcRecord) -> Iterator[str]:
    before, after = FATE[old.effective_policy if old else "none"], FATE[new.effective_policy]
    if before != after:
        yield f"failing mail: {before} -> {after}"
    elif old is None:
        yield f"failing mail: {after}, as before"
    yield from _scope_words("failing mail of sub-domains", "sp", old, new)
    yield from _scope_words("failing mail of sub-domains that do not exist", "np", old, new)


def _scope_words(what: str, name: str, old: DmarcRecord | None, new: DmarcRecord) -> Iterator[str]:
    written = (old.tags.get(name) if old else None, new.tags.get(name))
    if written == (None, None) or written[0] == written[1]:
        return
    before, after = FATE[_scope(old, name)], FATE[_scope(new, name)]
    yield f"{what}: {before} -> {after}" if before != after else f"{what}: {after}, as before"


def _scope(record: DmarcRecord | None, name: str) -> Policy:
    if record is None:
        return "none"
    if name == "sp":
        return record.effective_subdomain_policy
    return record.effective_nonexistent_policy


def _report_words(what: str, old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[str]:
    added, gone = _missing(new, old), _missing(old, new)
    if added:
        also = "also " if len(gone) < len(old) else ""
        yield f"{what} {also}go to {', '.join(map(_address, added))}"
    if gone:
        yield f"{what} no longer go to {', '.join(map(_address, gone))}"


def _option_words(old: DmarcRecord | None, new: DmarcRecord) -> Iterator[str]:
    was_fo = old.fo if old else ("0",)
    changes = (
        ("test mode", old.t if old else "n", new.t, _TEST),
        ("DKIM alignment", old.adkim if old else "r", new.adkim, _ALIGNMENT),
        ("SPF alignment", old.aspf if old else "r", new.aspf, _ALIGNMENT),
        ("the domain is", old.psd if old else "u", new.psd, _PSD),
    )
    for what, before, after, words in changes:
        if before != after:
            yield f"{what}: {words[before]} -> {words[after]}"
    if set(was_fo) != set(new.fo):
        yield f"failures that are reported (fo): {':'.join(was_fo)} -> {':'.join(new.fo)}"


def _obsolete_words(old: DmarcRecord | None, new: DmarcRecord) -> Iterator[str]:
    for name in REMOVED:
        before, after = old.tags.get(name) if old else None, new.tags.get(name)
        if old is not None and before is not None and after is None:
            yield _removed_words(old, new, name)
        elif before != after:
            yield f"{name}={after}: receivers no longer read it (RFC 9989)"


def _first_values(record: DmarcRecord) -> dict[str, str]:
    values: dict[str, str] = {}
    for tag in record.tags.tags:
        values.setdefault(tag.name, tag.value)
    return values


def _unknown_words(old: DmarcRecord | None, new: DmarcRecord) -> Iterator[str]:
    so_far = _first_values(old) if old else {}
    wanted = _first_values(new)
    for name in dict.fromkeys(name for name in (*so_far, *wanted) if name not in _WORDED):
        before, after = so_far.get(name), wanted.get(name)
        if before != after:
            yield f"{name or 'a part that is no tag'}: {before or _NOTHING} -> {after or _NOTHING}"


def _missing(these: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    known = {target(uri) for uri in others}
    return tuple(uri for uri in these if target(uri) not in known)


def _address(uri: str) -> str:
    return uri[len("mailto:") :] if uri.lower().startswith("mailto:") else uri

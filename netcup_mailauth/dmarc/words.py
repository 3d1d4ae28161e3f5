"""What a change of a DMARC record means for mail, in words, and whether it is a step back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.dmarc.edit import removed_tag_words
from netcup_mailauth.dmarc.record import POLICIES, REMOVED, VALUES, DmarcRecord, Policy
from netcup_mailauth.dmarc.uri import target

if TYPE_CHECKING:
    from collections.abc import Iterator

_FATE = {"none": "delivered", "quarantine": "quarantined", "reject": "rejected"}
_ALIGNMENT = {"r": "relaxed", "s": "strict"}
_TEST = {"n": "off", "y": "on, the policy is applied one level lower"}
_PSD = {"y": "a public suffix", "n": "an organisation of its own", "u": "not said"}
_WORDED = {"v", *VALUES, *REMOVED, "rua", "ruf", "fo"}
_NOTHING = "(nothing)"


def applied_policy(record: DmarcRecord) -> Policy:
    """What receivers do with failing mail of the domain itself: ``p``, in test mode one lower."""
    return _lowered(record, record.effective_policy)


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


def describe_changes(old: DmarcRecord | None, new: DmarcRecord) -> tuple[str, ...]:
    """Each thing that changes, tag by tag, in words; ``old`` is ``None`` for a new record."""
    return (
        *_policy_words(old, new),
        *_report_words("reports", old.rua if old else (), new.rua),
        *_report_words("failure reports", old.ruf if old else (), new.ruf),
        *_option_words(old, new),
        *_obsolete_words(old, new),
        *_unknown_words(old, new),
    )


def _lowered(record: DmarcRecord, policy: Policy) -> Policy:
    return POLICIES[max(POLICIES.index(policy) - 1, 0)] if record.t == "y" else policy


def _strengths(record: DmarcRecord | None) -> tuple[tuple[int, int], ...]:
    if record is None or not record.in_force:
        return ((0, 0),) * 3
    lower = record.t == "y" or record.pct == 0
    share = record.pct or 100
    levels = (
        POLICIES.index(record.effective_policy),
        POLICIES.index(record.effective_subdomain_policy),
        POLICIES.index(record.effective_nonexistent_policy),
    )
    applied = (max(level - 1, 0) if lower else level for level in levels)
    # The share counts only within a level, and there is none of "none".
    return tuple((level, share if level else 0) for level in applied)


def _policy_words(old: DmarcRecord | None, new: DmarcRecord) -> Iterator[str]:
    before, after = _fate(old.effective_policy if old else "none"), _fate(new.effective_policy)
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
    before, after = _fate(_scope(old, name)), _fate(_scope(new, name))
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
            yield removed_tag_words(old, name)
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


def _fate(policy: Policy) -> str:
    return _FATE[policy]


def _address(uri: str) -> str:
    return uri[len("mailto:") :] if uri.lower().startswith("mailto:") else uri

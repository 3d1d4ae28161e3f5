"""Records made new, and records changed without losing anything (RFC 9989, 4.7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from netcup_mailauth import taglist
from netcup_mailauth.dmarc.record import POLICIES, REMOVED, DmarcRecord, Policy
from netcup_mailauth.dmarc.syntax import parse
from netcup_mailauth.dmarc.uri import DmarcSyntaxError, target, uri_problem
from netcup_mailauth.taglist import shown

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Edit:
    """A changed record, and in words what changed beside the thing that was asked for."""

    record: DmarcRecord
    notes: tuple[str, ...] = ()


def build(
    policy: Policy,
    rua: Sequence[str] = (),
    *,
    sp: Policy | None = None,
    np: Policy | None = None,
    ruf: Sequence[str] = (),
) -> str:
    """A new record: ``v=DMARC1;p=none;rua=mailto:...``, without what RFC 9989 took out.

    Raises:
        DmarcSyntaxError: a policy or an address is not valid.
    """
    tags = {"v": "DMARC1", "p": policy, "sp": sp, "np": np, "rua": _list(rua), "ruf": _list(ruf)}
    text = ";".join(f"{name}={value}" for name, value in tags.items() if value)
    return str(parse(text))


def with_policy(record: DmarcRecord, policy: Policy) -> Edit:
    """The record with ``p`` set.

    The tags that RFC 9989 took out go with the old policy, whose rollout they described.
    ``pct=0``, which asked receivers to apply nothing yet, lives on as ``t=y`` (appendix A.6).

    Raises:
        DmarcSyntaxError: ``policy`` is none of the three.
    """
    edited = _with_value(record, "p", policy, ("v",))
    notes = []
    if record.pct == 0 and record.tags.get("t") is None and _asks_for_something(edited):
        edited = _with_value(edited, "t", "y", ("v", "p", "sp", "np"))
    for name in REMOVED:
        if record.tags.get(name) is not None:
            notes.append(removed_tag_words(record, name))
            edited = replace(edited, tags=edited.tags.without(name))
    return Edit(edited, tuple(notes))


def with_subdomain_policy(record: DmarcRecord, policy: Policy) -> Edit:
    """The record with ``sp`` set, behind ``p`` if it is new.

    Raises:
        DmarcSyntaxError: ``policy`` is none of the three.
    """
    return Edit(_with_value(record, "sp", policy, ("v", "p")))


def with_report_address(record: DmarcRecord, *uris: str) -> Edit:
    """The record with ``uris`` among its ``rua``, last, those that are not there already.

    Raises:
        DmarcSyntaxError: one of them is no valid report address.
    """
    for uri in uris:
        if (problem := uri_problem(uri)) is not None:
            raise DmarcSyntaxError(*problem)
    written = [tag.value for tag in record.tags.tags if tag.name == "rua" and tag.value]
    # A record with two rua tags is void; joined to one, it loses no address.
    existing = ",".join(written)
    known = {target(part.strip(taglist.BLANKS)) for part in existing.split(",")}
    missing: dict[str, str] = {}
    for uri in uris:
        if target(uri) not in known:
            missing.setdefault(target(uri), uri)
    if not missing and len(written) == 1:
        return Edit(record)
    separator = ", " if ", " in existing else ","
    value = separator.join(filter(None, [existing, *missing.values()]))
    return Edit(_with_value_unchecked(record, "rua", value, ("v", "p", "sp", "np", "t")))


def removed_tag_words(record: DmarcRecord, name: str) -> str:
    """What it means for receivers that the obsolete tag ``name`` goes."""
    written = f"{name}={record.tags.get(name)}"
    if name != "pct" or record.pct is None or record.pct == 100:
        return f"{written} goes: receivers no longer read it (RFC 9989)"
    if record.pct == 0 and record.tags.get("t") is not None:
        return f"{written} goes: t={record.t} says whether this is a test (RFC 9989)"
    if record.pct == 0:
        return f"{written} goes: test mode is written t=y now (RFC 9989)"
    return f"{written} goes: {record.pct} % -> all failing mail"


def _asks_for_something(record: DmarcRecord) -> bool:
    policies = (
        record.effective_policy,
        record.effective_subdomain_policy,
        record.effective_nonexistent_policy,
    )
    return policies != ("none", "none", "none")


def _with_value(record: DmarcRecord, name: str, value: str, before: tuple[str, ...]) -> DmarcRecord:
    if name != "t" and value not in POLICIES:
        raise DmarcSyntaxError(
            f"{shown(value)} is no DMARC policy.", "Use none, quarantine or reject."
        )
    return _with_value_unchecked(record, name, value, before)


def _with_value_unchecked(
    record: DmarcRecord, name: str, value: str, before: tuple[str, ...]
) -> DmarcRecord:
    """Set a tag; a new one comes behind the last of the tags ``before`` that are there."""
    present = [tag for tag in record.tags.names() if tag in before]
    after = present[-1] if present else "v"
    return replace(record, tags=record.tags.with_tag(name, value, after=after))


def _list(uris: Sequence[str]) -> str:
    return ",".join(uris)

"""What a change means, in words a person can judge; the same for every format.

SPF is told by mechanism, DMARC by tag, DKIM by the sort, size and fingerprint of the key. No
value is ever cut to look like another.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from netcup_mailauth import dkim, dmarc, spf, taglist
from netcup_mailauth.errors import RecordError
from netcup_mailauth.judge import holding
from netcup_mailauth.plan import Action, Change, ChangeSet, Plan, Status
from netcup_mailauth.records import Kind, both_forms
from netcup_mailauth.render.zone import counted
from netcup_mailauth.shown import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from netcup_mailauth.findings import Finding
    from netcup_mailauth.plan import RunResult
    from netcup_mailauth.taglist import TagList

LABELS = {Kind.SPF: "SPF", Kind.DKIM: "DKIM", Kind.DMARC: "DMARC", Kind.DMARC_REPORT: "report"}

_EMPTY = "(empty)"
_TERM_SIGNS = {"added": "+", "dropped": "-", "changed": "~", "moved": "~"}
_KEY_TAGS = frozenset({"v", "k", "p"})
"""The tags of a DKIM record that its key's sort, size and fingerprint already tell."""
_DKIM_TAGS = {
    "h": "no other hash algorithm",
    "n": "a note, which receivers ignore",
    "s=email": "for mail only",
    "s=*": "for every service",
    "t=s": "not for sub-domains",
    "t=y": "only testing",
}
"""What a tag means for mail, or one member of its list."""


class Detail(NamedTuple):
    """One line below a change: a sign, the term it is about, what it means."""

    sign: str
    term: str
    words: str


def value_of(kind: Kind, text: str, full: bool) -> str:
    """A record's value as it is shown: a DKIM key by its fingerprint, unless ``full``."""
    if kind is Kind.DKIM and not full:
        try:
            return dkim.describe(dkim.parse(text))
        except RecordError:
            return visible(text) if text.strip(" ") else _EMPTY
    return visible(text)


def ends_of(kind: Kind, text: str) -> str:
    """A DKIM record with the ends of its key, to be compared by eye; empty for anything else."""
    if kind is not Kind.DKIM:
        return ""
    try:
        return visible(dkim.ends(text)) if dkim.parse(text).key is not None else ""
    except RecordError:
        return ""  # it is shown as it is


def details(change: Change) -> list[Detail]:
    """What a change means, line by line; nothing where its value says it all."""
    if change.after is None:
        return []
    before = change.before.destination if change.before else None
    after = change.after.destination
    try:
        match change.kind:
            case Kind.SPF:
                return [*_spf_details(before, after), *_spf_cost(change)]
            case Kind.DKIM:
                return list(_dkim_details(before, after))
            case Kind.DMARC:
                old = dmarc.read(before) if before is not None else None
                words = dmarc.describe_changes(old, dmarc.parse_live(after))
                return [Detail("", "", visible(word)) for word in words]
            case _:
                return [_report_detail(change.hostname)]
    except RecordError as error:
        # The guard refuses to write it; that it is shown is how its user learns why.
        return [Detail("", "", visible(f"no valid record: {error.what}"))]


def _spf_details(before: str | None, after: str) -> Iterator[Detail]:
    new = spf.parse(after)
    if before is None:
        return
    try:
        old = spf.parse(before)
    except RecordError as error:
        yield _so_far(error)
        return
    for step in spf.describe_changes(old, new):
        if step.action != "kept":
            yield Detail(_TERM_SIGNS[step.action], visible(step.text), _meaning(step))


def _meaning(step: spf.TermChange) -> str:
    return "; ".join(filter(None, (step.words, _look_ups(step.lookups))))


def _spf_cost(change: Change) -> Iterator[Detail]:
    if change.look_ups:
        yield Detail("", "", visible(f"DNS look-ups: {change.look_ups}"))


def _dkim_details(before: str | None, after: str) -> Iterator[Detail]:
    """The tags beside the key: two records of one key may well mean different things."""
    new = dkim.parse(after).tags
    old: TagList | None = None
    if before is not None:
        try:
            old = dkim.parse(before).tags
        except RecordError as error:
            yield _so_far(error)
    so_far = {tag.name: tag.value for tag in old.tags} if old else {}
    wanted = {tag.name: tag.value for tag in new.tags}
    for name in dict.fromkeys((*so_far, *wanted)):
        was, will = so_far.get(name), wanted.get(name)
        if name in _KEY_TAGS or was == will:
            continue
        sign = "+" if was is None else "-" if will is None else "~"
        past = f"so far {name}={was}" if sign == "~" else ""
        value = (was if will is None else will) or ""
        words = "; ".join(filter(None, (*_tag_words(name, value), past)))
        yield Detail(sign, visible(f"{name}={value}"), visible(words))


def compared(change: Change) -> list[Detail]:
    """A change as a diff: each term, tag or key with its sign, a blank for one that stays.

    What a sign alone does not say stands behind the term, or below in a line without one. A record
    that comes or goes is one line.
    """
    before = change.before.destination if change.before else None
    after = change.after.destination if change.after else None
    told = details(change)
    if before is not None and after is not None and change.kind is Kind.SPF:
        return [*_compared_terms(before, after), *(line for line in told if not line.term)]
    if before is not None and after is not None and change.kind is Kind.DMARC:
        return [*_compared_tags(before, after), *told]
    if before is None:  # its tags stand in the record, and are no lines of their own
        told = [Detail("", "", ": ".join(filter(None, (d.term, d.words)))) for d in told]
    return [*_rows(change, before, after), *told]


def _rows(change: Change, before: str | None, after: str | None) -> Iterator[Detail]:
    """Both values, a key by its fingerprint and ends; one line for what both say."""
    old = _lines_of(change.kind, before)
    new = _lines_of(change.kind, after)
    for line in old:
        yield Detail(" " if line in new else "-", line, "")
    source = f"from {visible(change.source)}" if change.source and after is not None else ""
    for number, line in enumerate(new):
        if line not in old:
            yield Detail("+", line, "" if number else source)
    if source and new and new[0] in old:
        yield Detail("", "", source)


def _lines_of(kind: Kind, text: str | None) -> list[str]:
    if text is None:
        return []
    if not text.strip(" "):  # any other blank is shown
        return [_EMPTY]
    return [line for line in (value_of(kind, text, full=False), ends_of(kind, text)) if line]


def _compared_terms(before: str, after: str) -> Iterator[Detail]:
    """Term by term, in the order of the new record; of a broken record word by word."""
    try:
        old, new = spf.parse(before), spf.parse(after)
    except RecordError:
        yield from _compared_words(before, after)
        return
    if old.version == new.version:
        yield Detail(" ", old.version, "")
    else:
        yield from (Detail("-", old.version, ""), Detail("+", new.version, ""))
    for step in spf.describe_changes(old, new):
        if step.action == "changed" and step.before is not None:
            yield Detail("-", visible(step.before.text), "")
            yield Detail("+", visible(step.text), _meaning(step))
        else:
            sign = {"kept": " ", "moved": "!"}.get(step.action) or _TERM_SIGNS[step.action]
            yield Detail(sign, visible(step.text), _meaning(step))


def _compared_words(before: str, after: str) -> Iterator[Detail]:
    from difflib import SequenceMatcher  # for the rare record that is broken

    old, new = before.split(), after.split()
    for _, i, j, k, m in SequenceMatcher(None, old, new).get_opcodes():
        if old[i:j] == new[k:m]:
            yield from (Detail(" ", visible(word), "") for word in old[i:j])
        else:
            yield from (Detail("-", visible(word), "") for word in old[i:j])
            yield from (Detail("+", visible(word), "") for word in new[k:m])


def _compared_tags(before: str, after: str) -> Iterator[Detail]:
    """Tag by tag; those of one name together, because their order means nothing."""
    old, new = _by_name(before), _by_name(after)
    for name in dict.fromkeys((*old, *new)):
        was, will = old.get(name, []), new.get(name, [])
        if was == will:
            yield from (Detail(" ", text, "") for text in was)
        else:
            yield from (Detail("-", text, "") for text in was)
            yield from (Detail("+", text, "") for text in will)


def _by_name(text: str) -> dict[str, list[str]]:
    tags: dict[str, list[str]] = {}
    for tag in taglist.read(text).tags:
        tags.setdefault(tag.name, []).append(visible(tag.text.strip(taglist.BLANKS)))
    return tags


def _tag_words(name: str, value: str) -> Iterator[str | None]:
    yield _DKIM_TAGS.get(name)
    for member in value.split(":"):
        yield _DKIM_TAGS.get(f"{name}={member.strip()}")


def _report_detail(hostname: str) -> Detail:
    subject = hostname.partition("._report._dmarc")[0]
    about = "every domain" if subject == "*" else both_forms(subject)
    return Detail("", "", f"DMARC reports about {about} may be sent here")


def _so_far(error: RecordError) -> Detail:
    return Detail("", "", visible(f"so far no valid record: {error.what}"))


def _look_ups(number: int) -> str:
    if number == 0:
        return ""
    return f"{counted(abs(number), 'look-up', 'look-ups')} {'more' if number > 0 else 'less'}"


def as_wanted(change_set: ChangeSet) -> str:
    """Which kinds are right already: ``SPF, DMARC as wanted``; nothing where there are none."""
    kinds = ", ".join(dict.fromkeys(LABELS[kept.kind] for kept in change_set.unchanged))
    return f"{kinds} as wanted" if kinds else ""


def unmanaged(change_set: ChangeSet) -> list[str]:
    """What is left as it is because nothing was said of it, a line for each kind."""
    lines = []
    for left in change_set.unmanaged:
        texts = (", " if left.kind is Kind.DKIM else "; and ").join(map(visible, left.live))
        verb = "is" if len(left.live) == 1 else "are"
        told = f"live {verb} {texts}" if texts else "none is live"
        lines.append(f"{LABELS[left.kind]}: not managed here; {told}")
    return lines


Told = tuple["Finding", bool]
"""A finding, and whether its user has accepted it."""


def shared(plan: Plan) -> dict[Told, list[str]]:
    """The findings that several domains have word for word, each with those domains."""
    domains: dict[Told, list[str]] = {}
    for change_set in plan.zones:
        for finding in dict.fromkeys(change_set.findings):
            told = (finding, finding.code in change_set.allow)
            domains.setdefault(told, []).append(change_set.place.domain)
    return {told: names for told, names in domains.items() if len(names) > 1}


def without(change_set: ChangeSet, common: Collection[Told]) -> ChangeSet:
    """The change set without what is told once for several."""
    own = (f for f in change_set.findings if (f, f.code in change_set.allow) not in common)
    return replace(change_set, findings=tuple(own))


def endings(run: RunResult) -> str:
    """How the domains of a run ended, counted: a sentence."""
    counts = [(status, run.count(status)) for status in Status]
    listed = ", ".join(f"{number} {status.value}" for status, number in counts if number)
    return f"{counted(len(run.results), 'domain', 'domains')}: {listed}."


def kinds_unmanaged(change_set: ChangeSet) -> str:
    """The kinds that are left as they are because nothing was said of them."""
    return " and ".join(LABELS[left.kind] for left in change_set.unmanaged)


HELD = "held back, and not written"


def nothing_to_do(change_set: ChangeSet) -> str:
    """What a plan without changes says; a wish that was refused is not as wanted."""
    wanted = as_wanted(change_set)
    if holding.stopping(change_set):
        return f"refused; {wanted}" if wanted else "refused"
    return f"nothing to do; {wanted or 'nothing managed'}"


def untouched(change_set: ChangeSet) -> str:
    """The proof that the rest of the zone stays."""
    number, beside = change_set.untouched, change_set.untouched_beside
    wanted = as_wanted(change_set)
    kept = f"{wanted}; " if wanted else ""
    if number == 0:
        return f"{kept}no other records in this zone"
    stays = "stays as it is" if number == 1 else "stay as they are"
    extra = f", {beside} of them TXT beside the SPF record" if beside else ""
    return f"{kept}{counted(number, 'other record', 'other records')} {stays}{extra}"


def totals(plan: Plan, quote: Callable[[str], str] = visible) -> str:
    """One line that sums a plan up."""
    changes = [change for change_set in plan.zones for change in change_set.changes]
    numbers = {action: sum(c.action is action for c in changes) for action in Action}
    failed = sum(change_set.error is not None for change_set in plan.zones)
    line = counted(len(plan.zones), "domain", "domains")
    line += f": {numbers[Action.CREATE]} to create, {numbers[Action.UPDATE]} to update, "
    line += f"{numbers[Action.DELETE]} to delete"
    line += f", {failed} failed" if failed else ""
    return f"{line}.{stopped(plan, quote)}"


def stopped(plan: Plan, quote: Callable[[str], str]) -> str:
    """What of a plan the guard would stop, or has stopped; sentences, or nothing."""
    stopped = [c for c in plan.zones if holding.stopping(c)]
    in_part = [c for c in stopped if holding.is_in_part(c)]
    whole = [c for c in stopped if c not in in_part]
    words = ""
    if whole:
        number = counted(len(whole), "domain is", "domains are")
        words += f" {number} stopped by {_codes(whole, quote)}."
    if len(in_part) == len(plan.zones) == 1:
        words += f" {held_back(in_part[0])} by {_codes(in_part, quote)}."
    elif in_part:
        number = counted(len(in_part), "domain is", "domains are")
        words += f" {number} held back in part by {_codes(in_part, quote)}."
    return words


def _codes(change_sets: Sequence[ChangeSet], quote: Callable[[str], str]) -> str:
    stops = (finding for c in change_sets for finding in holding.stopping(c))
    return ", ".join(dict.fromkeys(quote(finding.code) for finding in stops))


def kinds_of(change_set: ChangeSet) -> str:
    """The kinds that a change set changes: ``DKIM and DMARC``."""
    return " and ".join(dict.fromkeys(LABELS[change.kind] for change in change_set.changes))


def held_back(change_set: ChangeSet) -> str:
    """Which kinds are held back, as the beginning of a sentence."""
    labels = [LABELS[kind] for kind in Kind if kind in change_set.held]
    return f"{' and '.join(labels)} {'is' if len(labels) == 1 else 'are'} held back"

"""What a record costs in DNS look-ups, include by include (RFC 7208, 4.6.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from netcup_mailauth.lookup import SILENT, Answer, Query, Status
from netcup_mailauth.spf import macros
from netcup_mailauth.spf.check import (
    MAX_LOOKUPS,
    MAX_VOID_LOOKUPS,
    MOST_MX,
    is_domain,
    mail_hosts,
)
from netcup_mailauth.spf.mistakes import SpfSyntaxError
from netcup_mailauth.spf.record import SpfRecord, is_spf, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.lookup import Lookup, RecordType
    from netcup_mailauth.spf.record import Term

MOST_QUERIES = 50
_QUESTIONS: dict[str, tuple[RecordType, ...]] = {
    "include": ("TXT",),
    "redirect": ("TXT",),
    "a": ("A", "AAAA"),
    "mx": ("MX",),
    "exists": ("A",),
    "ptr": (),  # what it asks for depends on the sending server
}


class Cost(NamedTuple):
    """A term, what it costs, and what it leads to.

    Of the root, ``term`` is the domain. ``lookups_total`` and ``void`` count the whole branch:
    the most a receiver can need when nothing matches. ``problem`` says what is wrong at this
    term itself, and ``unanswered`` that DNS was silent there, so that the count may be too low.
    With ``breaks`` a receiver that gets as far as this term gives up with ``permerror`` (5.2, 6.1).
    ``hosts`` are the names whose addresses an ``a`` or ``mx`` compares with, and ``record`` is what
    an ``include`` or ``redirect=`` leads to.
    """

    term: str
    lookups_total: int = 0
    void: int = 0
    problem: str = ""
    children: tuple[Cost, ...] = ()
    unanswered: bool = False
    breaks: bool = False
    hosts: tuple[str, ...] = ()
    record: SpfRecord | None = None

    @property
    def too_many(self) -> bool:
        """Whether a receiver may give up with ``permerror`` for the ten look-ups."""
        return self.lookups_total > MAX_LOOKUPS

    @property
    def too_many_void(self) -> bool:
        """Whether a receiver may give up with ``permerror`` for the two void look-ups."""
        return self.void > MAX_VOID_LOOKUPS

    def walk(self) -> Iterator[Cost]:
        """This node and all below it, each before its children."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(slots=True)
class _Node:
    """A term while its branch is explored; ``path`` holds the domains it was reached through."""

    term: Term
    domain: str
    path: tuple[str, ...]
    void: bool = False
    problem: str = ""
    unanswered: bool = False
    breaks: bool = False
    hosts: tuple[str, ...] = ()
    record: SpfRecord | None = None
    children: list[_Node] = field(default_factory=list)

    @property
    def target(self) -> str | None:
        """The name the term asks for; ``None`` if it depends on the mail."""
        if self.term.domain is None:
            return self.domain
        if macros.letters(self.term.domain) - {"d"}:
            return None
        return macros.expand_name(self.term.domain, lambda _: self.domain)


def cost(record: SpfRecord, domain: str, lookup: Lookup) -> Cost:
    """Count the look-ups of a record, published or not, and of all it includes.

    Asks level by level, all questions of a level in one batch and never more than 50 in all. DNS
    that fails is a finding in the tree. Addresses of mail hosts cost nothing and are not asked for;
    nor are names with macros, which depend on the mail.
    """
    start = domain.lower().removesuffix(".")
    roots = _nodes(record, start, (start,))
    level, left = roots, MOST_QUERIES
    while level:
        questions = []
        for node in level:
            queries = _queries(node)
            if len(queries) > left:
                node.problem = f"not asked for: more than {MOST_QUERIES} DNS queries"
                node.unanswered = True
                continue
            left -= len(queries)
            questions.append((node, queries))
        _answer(questions, lookup)
        level = [child for node in level for child in node.children]
    children = tuple(_finished(node) for node in roots)
    return Cost(
        start,
        sum(child.lookups_total for child in children),
        sum(child.void for child in children),
        children=children,
    )


def _nodes(record: SpfRecord, domain: str, path: tuple[str, ...]) -> list[_Node]:
    return [_Node(term, domain, path) for term in record.counted]


def _queries(node: _Node) -> list[Query]:
    """What to ask for a term; a loop is noted here and not followed."""
    target = node.target
    if target is None:
        return []
    if not is_domain(target):
        node.problem = f'"{target}" is no domain name'
        return []
    if "TXT" in _QUESTIONS[node.term.name] and target in node.path:
        node.problem = f"leads back to {target}, round and round"
        node.breaks = True
        return []
    return [Query(target, record_type) for record_type in _QUESTIONS[node.term.name]]


def _answer(questions: Sequence[tuple[_Node, list[Query]]], lookup: Lookup) -> None:
    batch = [query for _, queries in questions for query in queries]
    answers = iter(lookup(batch) if batch else ())
    for node, queries in questions:
        if queries:
            _note(node, queries[0].name, [next(answers) for _ in queries])


def _note(node: _Node, target: str, answers: Sequence[Answer]) -> None:
    """Note at a node what DNS said, and go on to the record it leads to."""
    silent = [answer for answer in answers if answer.status in SILENT]
    if silent:
        node.unanswered = True
        node.problem = f"DNS gives no answer for {target} ({silent[0].status.value})"
    elif "TXT" in _QUESTIONS[node.term.name]:
        _follow(node, target, answers[0].values)
    elif not any(answer.values for answer in answers):
        node.void = True
        node.problem = f"{target} has no such record"
    elif node.term.name == "mx" and len(answers[0].values) > MOST_MX:
        node.problem = f"{target} has more than {MOST_MX} MX hosts (RFC 7208 4.6.4)"
        node.breaks = True
    elif node.term.name == "mx":
        node.hosts = tuple(mail_hosts(answers[0].values))
    elif node.term.name == "a":
        node.hosts = (target,)


def _follow(node: _Node, target: str, texts: Sequence[str]) -> None:
    found = [text for text in texts if is_spf(text)]
    node.void = not texts
    if len(found) != 1:
        number = len(found) or "no"
        node.problem = f"{target} has {number} SPF record{'s' if found else ''}: permerror"
        node.breaks = True
        return
    try:
        record = parse(found[0])
    except SpfSyntaxError as error:
        node.problem = f"{target}: {error.what}"
        node.breaks = True
        return
    node.record = record
    node.children = _nodes(record, target, (*node.path, target))


def _finished(node: _Node) -> Cost:
    children = tuple(_finished(child) for child in node.children)
    return Cost(
        node.term.text,
        1 + sum(child.lookups_total for child in children),
        int(node.void) + sum(child.void for child in children),
        node.problem,
        children,
        node.unanswered,
        node.breaks,
        node.hosts,
        node.record,
    )


@dataclass(frozen=True, slots=True)
class VoidHosts:
    """What some receivers count as void look-ups besides, and give up.

    ``hosts`` are those of an ``mx`` with several without an address of the ``family``, ``count``
    how many void look-ups such a receiver makes for a sender of that family.
    """

    term: str
    family: str
    hosts: tuple[str, ...]
    count: int


def void_hosts(found: Cost, lookup: Lookup) -> VoidHosts | None:
    """Where receivers that count a void look-up per host of an ``mx`` give up, and others do not.

    RFC 7208, 4.6.4 speaks of look-ups with no answer, and does not say whether those for the
    addresses of a mail host are among them: pyspf and Mail::SPF count them, others count an ``mx``
    once at most. Asks for addresses only where an ``mx`` has several hosts.
    """
    nodes = [node for node in found.walk() if node.hosts]
    if found.too_many_void or not any(len(node.hosts) > 1 for node in nodes):
        return None
    names = list(dict.fromkeys(name for node in nodes for name in node.hosts))[: MOST_QUERIES // 2]
    families: dict[str, RecordType] = {"IPv6": "AAAA", "IPv4": "A"}
    for family, record_type in families.items():
        answers = lookup([Query(name, record_type) for name in names])
        empty = (Status.EMPTY, Status.NXDOMAIN)
        lacking = {n for n, answer in zip(names, answers, strict=True) if answer.status in empty}
        void = [tuple(name for name in node.hosts if name in lacking) for node in nodes]
        count = found.void + sum(map(len, void))
        several = max(zip(void, nodes, strict=True), key=lambda pair: len(pair[0]))
        if count > MAX_VOID_LOOKUPS and len(several[0]) > 1:
            return VoidHosts(several[1].term, family, several[0], count)
    return None

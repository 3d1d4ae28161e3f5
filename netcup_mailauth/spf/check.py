"""``check_host``: what a receiver makes of a mail (RFC 7208, 4 to 7).

With the mail it is asked about, and the way it asks DNS: names made fit to ask, limits counted
(4.6.4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple

from netcup_mailauth.lookup import SILENT, Answer, Query, Status
from netcup_mailauth.spf import macros
from netcup_mailauth.spf.mistakes import SpfSyntaxError
from netcup_mailauth.spf.record import is_spf, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from netcup_mailauth.lookup import Lookup, RecordType
    from netcup_mailauth.spf.record import SpfRecord, Term

MOST_MX = 10
"""Mail hosts of a domain that an ``mx`` looks at; more are an error (RFC 7208, 4.6.4)."""


class Result(StrEnum):
    """The results of a check (RFC 7208, 2.6)."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class Evaluation(NamedTuple):
    """The outcome of a check.

    ``term`` is the one that matched, in the record of the domain or in the one it redirects to.
    ``problem`` says what is wrong when the result is ``temperror``, ``permerror`` or ``none``.
    """

    result: Result
    term: Term | None = None
    problem: str = ""


def check_host(
    ip: str,
    domain: str,
    sender: str,
    lookup: Lookup,
    *,
    helo: str = "",
    record: str | None = None,
) -> Evaluation:
    """Check whether ``ip`` may send mail as ``sender`` (RFC 7208, 4.1).

    Names are in punycode. The text at ``exp=``, which a receiver adds to a refusal (6.2), is not
    asked for.

    Args:
        domain: where the check begins; normally the domain of ``sender``.
        sender: the MAIL FROM address; ``postmaster@`` is put in front of a bare domain.
        helo: the HELO name, for ``%{h}``.
        record: judge this text instead of what ``domain`` publishes.

    Raises:
        ValueError: ``ip`` is no IP address.
    """
    start = domain.lower().removesuffix(".")
    local, _, host = sender.rpartition("@")
    mail = Mail(
        ip=address(ip),
        local=local or "postmaster",
        sender_domain=host,
        helo=helo,
        questions=Questions(lookup),
    )
    check = _Check(mail, {} if record is None else {start: record})
    try:
        return check.domain(start)
    except PermanentError as error:
        return Evaluation(Result.PERMERROR, problem=str(error))
    except TemporaryError as error:
        return Evaluation(Result.TEMPERROR, problem=str(error))


@dataclass(frozen=True, slots=True)
class _Check:
    """One check under way. ``proposed`` holds the record to judge instead of a published one."""

    mail: Mail
    proposed: dict[str, str]

    def domain(self, domain: str) -> Evaluation:
        """``check_host()`` proper: the record of a domain, evaluated (RFC 7208, 4.3 to 4.7)."""
        if not is_domain(domain):
            problem = f'"{domain}" is no domain name'
            return Evaluation(Result.NONE, problem=problem)
        text = self.published(domain)
        if text is None:
            return Evaluation(Result.NONE, problem=f"{domain} has no SPF record")
        try:
            record = parse(text)
        except SpfSyntaxError as error:
            raise PermanentError(f"{domain}: {error.what}") from None
        return self.evaluate(record, domain)

    def published(self, domain: str) -> str | None:
        """The text of the one SPF record (RFC 7208, 4.4 and 4.5)."""
        texts = (
            (self.proposed[domain],)
            if domain in self.proposed
            else self.mail.questions.ask(domain, "TXT")
        )
        found = [text for text in texts if is_spf(text)]
        if len(found) > 1:
            raise PermanentError(f"{domain} has {len(found)} SPF records (RFC 7208 4.5)")
        return found[0] if found else None

    def evaluate(self, record: SpfRecord, domain: str) -> Evaluation:
        """The first match decides, then ``redirect=``; else it is neutral (RFC 7208, 4.6, 4.7)."""
        for term in record.mechanisms:
            if self.matches(term, domain):
                assert term.qualifier is not None  # mechanisms have one
                return Evaluation(Result(term.qualifier.word), term)
        if record.redirect_in_effect is not None:
            return self.redirected(record.redirect_in_effect, domain)
        return Evaluation(Result.NEUTRAL)

    def redirected(self, term: Term, domain: str) -> Evaluation:
        """The record of another domain instead (RFC 7208, 6.1)."""
        self.mail.questions.count_lookup()
        target = self.mail.target(term, domain)
        outcome = self.domain(target)
        if outcome.result is Result.NONE:
            raise PermanentError(f"{term.text}: {outcome.problem}")
        return outcome

    def matches(self, term: Term, domain: str) -> bool:
        """Whether a mechanism matches (RFC 7208, 5)."""
        if term.is_all:
            return True
        if term.network is not None:
            return self.mail.ip in term.network
        self.mail.questions.count_lookup()
        target = self.mail.target(term, domain)
        match term.name:
            case "include":
                return self.included(term, target)
            case "exists":
                return bool(self.answers(target, "A"))
            case "ptr":
                return self.named_within(target)
            case "mx":
                return self.mail.in_reach(term, self.mx_addresses(target))
            case _:
                return self.mail.in_reach(term, self.answers(target, self.mail.address_type))

    def included(self, term: Term, target: str) -> bool:
        """Whether the other record passes this mail (RFC 7208, 5.2)."""
        outcome = self.domain(target)
        if outcome.result is Result.NONE:
            raise PermanentError(f"{term.text}: {outcome.problem}")
        return outcome.result is Result.PASS

    def named_within(self, target: str) -> bool:
        """Whether the sending server has a validated name there (RFC 7208, 5.5)."""
        if self.mail.names is None:
            self.mail.questions.count_void(self.mail.ip.reverse_pointer)
        return any(is_within(name, target) for name in self.mail.names or ())

    def answers(self, name: str, record_type: RecordType) -> tuple[str, ...]:
        """What a mechanism's own question brings; nothing is a void look-up."""
        values = self.mail.questions.ask(name, record_type)
        if not values:
            self.mail.questions.count_void(name)
        return values

    def mx_addresses(self, name: str) -> list[str]:
        """The addresses of the mail hosts of a domain (RFC 7208, 5.4)."""
        values = self.answers(name, "MX")
        if len(values) > MOST_MX:
            raise PermanentError(f"{name} has more than {MOST_MX} MX hosts (RFC 7208 4.6.4)")
        hosts = mail_hosts(values)
        answers = self.mail.questions.ask_all(hosts, self.mail.address_type)
        for host, answer in zip(hosts, answers, strict=True):
            if answer.status in SILENT:
                raise TemporaryError(f"DNS gives no answer for the mail host {host}")
        found = [value for answer in answers for value in answer.values]
        if hosts and not found:
            self.mail.questions.count_void(name)
        return found


_MOST_NAMES = 10


@dataclass
class Mail:
    """The mail under check. The names of its sending server are asked for when first needed."""

    ip: IPv4Address | IPv6Address
    local: str
    sender_domain: str
    helo: str
    questions: Questions

    @property
    def address_type(self) -> RecordType:
        """The type of address to ask for: that of the sending server (RFC 7208, 5)."""
        return "A" if self.ip.version == 4 else "AAAA"

    def in_reach(self, term: Term, addresses: Iterable[str]) -> bool:
        """Whether one of the addresses is the server's, as far as the term's prefix reaches."""
        prefix = term.cidr4 if self.ip.version == 4 else term.cidr6
        return any(self.ip in ip_network((text, prefix), strict=False) for text in addresses)

    @cached_property
    def names(self) -> list[str] | None:
        """The validated names of the server: those that lead back to it (RFC 7208, 5.5).

        ``None`` if DNS has no name at all for its address. DNS that fails, here or for one of the
        names, only means fewer names.
        """
        [answer] = self.questions.ask_all([self.ip.reverse_pointer], "PTR")
        if not answer.values and answer.status not in SILENT:
            return None
        names = [name.rstrip(".").lower() for name in answer.values[:_MOST_NAMES]]
        answers = self.questions.ask_all(names, self.address_type)
        return [
            name
            for name, found in zip(names, answers, strict=True)
            if any(ip_address(value) == self.ip for value in found.values)
        ]

    def target(self, term: Term, domain: str) -> str:
        """The <target-name> of a term in the record of ``domain`` (RFC 7208, 4.8)."""
        if term.domain is None:
            return domain
        return macros.expand_name(term.domain, lambda letter: self.macro(letter, domain))

    def macro(self, letter: str, domain: str) -> str:
        """The value of a macro letter, in lower case, in the record of ``domain``."""
        match letter:
            case "s":
                return f"{self.local}@{self.sender_domain}"
            case "l":
                return self.local
            case "o":
                return self.sender_domain
            case "d":
                return domain
            case "i":
                return _dotted(self.ip)
            case "p":
                return self._own_name(domain)
            case "v":
                return "in-addr" if self.ip.version == 4 else "ip6"
            case _:  # h; the others are for explanations only
                return self.helo

    def _own_name(self, domain: str) -> str:
        """The validated name for ``%{p}``, the best one first (RFC 7208, 7.3)."""
        names = self.names or []
        same = [name for name in names if name == domain]
        below = [name for name in names if is_within(name, domain)]
        return next(iter([*same, *below, *names]), "unknown")


def address(text: str) -> IPv4Address | IPv6Address:
    """The address; an IPv4 one in IPv6 clothes counts as IPv4 (RFC 7208, 5).

    Raises ValueError if the text is no IP address.
    """
    found = ip_address(text)
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def mail_hosts(values: Iterable[str]) -> list[str]:
    """The hosts of MX values such as ``10 mail.example.com``; a null MX (RFC 7505) names none."""
    hosts = (value.partition(" ")[2].rstrip(".") for value in values)
    return [host for host in hosts if host]


def is_within(name: str, domain: str) -> bool:
    """Whether ``name`` is the domain or a name below it."""
    return name == domain or name.endswith(f".{domain}")


def _dotted(ip: IPv4Address | IPv6Address) -> str:
    """The address in dots: octets, or the 32 nibbles of an IPv6 address (RFC 7208, 7.3)."""
    return str(ip) if ip.version == 4 else ".".join(f"{int(ip):032X}")


MAX_LOOKUPS = 10
MAX_VOID_LOOKUPS = 2
_LONGEST_NAME, _LONGEST_LABEL = 253, 63
_NO_SUCH_NAME = Answer(Status.NXDOMAIN)


class PermanentError(Exception):
    """The check ends with ``permerror``; the message says why."""


class TemporaryError(Exception):
    """The check ends with ``temperror``; the message says why."""


@dataclass(slots=True)
class Questions:
    """Asks for one check, and counts: ``lookups`` by terms, ``voids`` by terms that got nothing."""

    lookup: Lookup
    lookups: int = field(default=0, init=False)
    voids: int = field(default=0, init=False)

    def count_lookup(self) -> None:
        """Count a term that asks DNS. Raises PermanentError if it is the eleventh."""
        self.lookups += 1
        if self.lookups > MAX_LOOKUPS:
            raise PermanentError(f"more than {MAX_LOOKUPS} DNS look-ups (RFC 7208 4.6.4)")

    def count_void(self, name: str) -> None:
        """Count a term whose question had no answer. Raises PermanentError if it is the third."""
        self.voids += 1
        if self.voids > MAX_VOID_LOOKUPS:
            raise PermanentError(
                f"more than {MAX_VOID_LOOKUPS} DNS look-ups without an answer, the last one for "
                f"{name} (RFC 7208 4.6.4)"
            )

    def ask(self, name: str, record_type: RecordType) -> tuple[str, ...]:
        """The values at a name; empty for a name that does not exist or cannot.

        Raises TemporaryError if DNS did not answer.
        """
        answer = self.ask_all([name], record_type)[0]
        if answer.status in SILENT:
            raise TemporaryError(
                f"DNS gives no answer for {record_type} of {name} ({answer.status.value})"
            )
        return answer.values

    def ask_all(self, names: Sequence[str], record_type: RecordType) -> list[Answer]:
        """One answer a name, asked side by side; names that cannot exist are not asked for."""
        asked = [name for name in names if can_exist(name)]
        queries = [Query(name.lower(), record_type) for name in asked]
        answers = iter(self.lookup(queries) if queries else ())
        return [next(answers) if can_exist(name) else _NO_SUCH_NAME for name in names]


def can_exist(name: str) -> bool:
    """Whether DNS can hold this name: ASCII, with labels of 1 to 63 characters (RFC 1035)."""
    labels = name.split(".")
    return (
        name.isascii()
        and name.isprintable()
        and len(name) <= _LONGEST_NAME
        and all(0 < len(label) <= _LONGEST_LABEL for label in labels)
    )


def is_domain(name: str) -> bool:
    """Whether a check can begin at this name (RFC 7208, 4.3): several labels, no ``[1.2.3.4]``."""
    return can_exist(name) and "." in name and not name.startswith("[")

"""``check_host``: what a receiver makes of a mail (RFC 7208, 4 to 7)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from netcup_mailauth.lookup import Status
from netcup_mailauth.spf import macros
from netcup_mailauth.spf.mail import Mail, address, is_within
from netcup_mailauth.spf.problems import SpfSyntaxError
from netcup_mailauth.spf.questions import (
    PermanentError,
    Questions,
    TemporaryError,
    is_domain,
    to_ascii,
)
from netcup_mailauth.spf.record import is_spf, parse

if TYPE_CHECKING:
    from netcup_mailauth.lookup import Lookup, RecordType
    from netcup_mailauth.spf.record import SpfRecord
    from netcup_mailauth.spf.term import Term

_MOST_HOSTS = 10


class Result(StrEnum):
    """The results of a check (RFC 7208, 2.6)."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome of a check.

    ``term`` is the one that matched, in the record of the domain or in the one it redirects to.
    ``explanation`` is the domain's own text for a ``fail``, empty if it has none. ``problem``
    says what is wrong when the result is ``temperror``, ``permerror`` or ``none``.
    """

    result: Result
    term: Term | None = None
    explanation: str = ""
    lookups: int = 0
    void_lookups: int = 0
    problem: str = ""


def check_host(
    ip: str,
    domain: str,
    sender: str,
    lookup: Lookup,
    *,
    helo: str = "",
    record: str | None = None,
    receiver: str = "unknown",
    timestamp: int = 0,
) -> Evaluation:
    """Check whether ``ip`` may send mail as ``sender`` (RFC 7208, 4.1).

    Args:
        ip: the address of the sending server.
        domain: where the check begins; normally the domain of ``sender``.
        sender: the MAIL FROM address; ``postmaster@`` is put in front of a bare domain.
        lookup: answers the DNS queries.
        helo: the HELO name, for ``%{h}``.
        record: judge this text instead of what ``domain`` publishes.
        receiver: who checks, for ``%{r}`` in explanations.
        timestamp: seconds since 1970, for ``%{t}`` in explanations.

    Raises:
        ValueError: ``ip`` is no IP address.
    """
    start = to_ascii(domain).lower()
    local, _, host = sender.rpartition("@")
    questions = Questions(lookup)
    mail = Mail(
        ip=address(ip),
        local=local or "postmaster",
        sender_domain=to_ascii(host),
        helo=to_ascii(helo),
        receiver=receiver,
        timestamp=timestamp,
        questions=questions,
    )
    check = _Check(mail, questions, {} if record is None else {start: record})
    outcome = _outcome(check, start)
    explanation = check.explain(outcome) if outcome.result is Result.FAIL else ""
    return Evaluation(
        outcome.result,
        outcome.term,
        explanation,
        questions.lookups,
        questions.voids,
        outcome.problem,
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a record says; ``exp`` is its own ``exp=``, and ``domain`` where it was found."""

    result: Result
    domain: str
    term: Term | None = None
    exp: Term | None = None
    problem: str = ""


def _outcome(check: _Check, domain: str) -> _Outcome:
    try:
        return check.domain(domain)
    except PermanentError as error:
        return _Outcome(Result.PERMERROR, domain, problem=str(error))
    except TemporaryError as error:
        return _Outcome(Result.TEMPERROR, domain, problem=str(error))


@dataclass(frozen=True, slots=True)
class _Check:
    """One check under way. ``proposed`` holds the record to judge instead of a published one."""

    mail: Mail
    questions: Questions
    proposed: dict[str, str]

    def domain(self, domain: str) -> _Outcome:
        """``check_host()`` proper: the record of a domain, evaluated (RFC 7208, 4.3 to 4.7)."""
        if not is_domain(domain):
            problem = f'"{domain}" is no domain name'
            return _Outcome(Result.NONE, domain, problem=problem)
        text = self.published(domain)
        if text is None:
            return _Outcome(Result.NONE, domain, problem=f"{domain} has no SPF record")
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
            else self.questions.ask(domain, "TXT")
        )
        found = [text for text in texts if is_spf(text)]
        if len(found) > 1:
            raise PermanentError(f"{domain} has {len(found)} SPF records (RFC 7208 4.5)")
        return found[0] if found else None

    def evaluate(self, record: SpfRecord, domain: str) -> _Outcome:
        """The first match decides, then ``redirect=``; else it is neutral (RFC 7208, 4.6, 4.7)."""
        for term in record.mechanisms:
            if self.matches(term, domain):
                assert term.qualifier is not None  # mechanisms have one
                return _Outcome(Result(term.qualifier.word), domain, term, record.exp)
        if record.redirect_in_effect is not None:
            return self.redirected(record.redirect_in_effect, domain)
        return _Outcome(Result.NEUTRAL, domain)

    def redirected(self, term: Term, domain: str) -> _Outcome:
        """The record of another domain instead (RFC 7208, 6.1)."""
        self.questions.count_lookup()
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
        self.questions.count_lookup()
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
        names = self.mail.names()
        if self.mail.has_no_name:
            self.questions.count_void(self.mail.ip.reverse_pointer)
        return any(is_within(name, target) for name in names)

    def answers(self, name: str, record_type: RecordType) -> tuple[str, ...]:
        """What a mechanism's own question brings; nothing is a void look-up."""
        values = self.questions.ask(name, record_type)
        if not values:
            self.questions.count_void(name)
        return values

    def mx_addresses(self, name: str) -> list[str]:
        """The addresses of the mail hosts of a domain (RFC 7208, 5.4)."""
        values = self.answers(name, "MX")
        if len(values) > _MOST_HOSTS:
            raise PermanentError(f"{name} has more than {_MOST_HOSTS} MX hosts (RFC 7208 4.6.4)")
        # A null MX (RFC 7505) names no host.
        hosts = [host for value in values if (host := value.partition(" ")[2].rstrip("."))]
        answers = self.questions.ask_all(hosts, self.mail.address_type)
        for host, answer in zip(hosts, answers, strict=True):
            if answer.status in (Status.TIMEOUT, Status.SERVFAIL):
                raise TemporaryError(f"DNS gives no answer for the mail host {host}")
        found = [value for answer in answers for value in answer.values]
        if hosts and not found:
            self.questions.count_void(name)
        return found

    def explain(self, outcome: _Outcome) -> str:
        """The domain's own words on a ``fail`` (RFC 7208, 6.2); empty where anything is amiss."""
        if outcome.exp is None:
            return ""
        try:
            name = self.mail.target(outcome.exp, outcome.domain)
            texts = self.questions.ask(name, "TXT")
            if len(texts) != 1 or not texts[0].isascii() or macros.complaint(texts[0]):
                return ""
            return macros.expand(texts[0], lambda letter: self.mail.macro(letter, outcome.domain))
        except (PermanentError, TemporaryError):
            return ""

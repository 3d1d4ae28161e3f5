"""What a receiver looks at, and what it concludes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.lookup import Answer, Query
from netcup_mailauth.records import Kind, is_of_kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.lookup import Lookup


@dataclass(frozen=True, slots=True)
class Subject:
    """The domain a receiver looks at.

    Attributes:
        domain: the mail domain.
        hosts: what sends its mail; where it is empty, the MX hosts are taken for it.
        selectors: the DKIM selectors to look at.
        key: the key its mail is signed with, if that is known.
        signer: where that key comes from, in words.
        proves: whether a signature made with the private key verifies with a public one; ``None``
            where there is no private key to try it with.
        parked: the domain is meant to send no mail.
    """

    domain: str
    hosts: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    key: PublicKey | None = None
    signer: str = ""
    proves: Callable[[PublicKey], bool] | None = None
    parked: bool = False


@dataclass(slots=True)
class Verdict:
    """Conclusions in words, findings by the record they are about, and the tree of look-ups."""

    conclusions: list[str] = field(default_factory=list)
    findings: list[tuple[tuple[Kind, str], Finding]] = field(default_factory=list)
    costs: list[str] = field(default_factory=list)
    inherited: str = ""
    """The domain whose DMARC record applies to this one, if it is another."""

    def add(self, about: tuple[Kind, str], *findings: Finding) -> None:
        """Add findings about the record of a kind at a name."""
        self.findings += ((about, finding) for finding in findings)

    def find(
        self, about: tuple[Kind, str], code: str, severity: Severity, message: str, advice: str
    ) -> None:
        """Add a finding about the record of a kind at a name."""
        self.findings.append((about, Finding(code, severity, message, advice)))

    def has(self, kind: Kind, *severities: Severity) -> bool:
        """Whether there is a finding about a record of this kind, of one of these severities."""
        return any(own is kind and f.severity in severities for (own, _), f in self.findings)


def text_answer(name: str, lookup: Lookup) -> Answer:
    """The TXT records at a name."""
    (answer,) = lookup([Query(name, "TXT")])
    return answer


def texts(kind: Kind, answer: Answer) -> tuple[str, ...]:
    """The texts of a kind in an answer."""
    return tuple(value for value in answer.values if is_of_kind(kind, value))

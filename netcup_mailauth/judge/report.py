"""The shape of what ``check`` found, and the exit code that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from netcup_mailauth.errors import ExitCode, worst
from netcup_mailauth.findings import Finding, Severity

if TYPE_CHECKING:
    from netcup_mailauth.plan import Failure
    from netcup_mailauth.records import Kind


class State(StrEnum):
    """How a record stands, at one server or in all; the worst comes first."""

    CONFLICT = "conflict"  # records that exclude each other: two of a kind, a CNAME in the way
    WRONG = "wrong"  # another record than the one wanted, or one that is not valid
    MISSING = "missing"
    ERROR = "error"  # the server gave no usable answer
    PENDING = "pending"  # netcup holds what is wanted, this server not yet
    OK = "ok"


WORST_FIRST = tuple(State)


class Basis(StrEnum):
    """What the records are compared with."""

    OPTIONS = "compared with the options"
    CONFIG = "compared with the config"
    PUBLISHED = "what is published, judged by itself"


@dataclass(frozen=True, slots=True)
class ServerView:
    """What one server says of one record.

    Attributes:
        server: its name and address.
        values: the texts of that kind that it has.
        state: how these stand.
        detail: why it has no usable answer, or how it comes by the one it has.
    """

    server: str
    values: tuple[str, ...]
    state: State
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CheckedRecord:
    """One record at all servers.

    Attributes:
        kind: of which kind it is.
        name: its full name, without a trailing dot.
        expected: the text that should be there; ``None`` where nothing particular is wanted.
        servers: what each server says.
        findings: what receivers make of it.
        advice: what to do about its state; a line that is indented is one to copy.
    """

    kind: Kind
    name: str
    expected: str | None
    servers: tuple[ServerView, ...]
    findings: tuple[Finding, ...] = ()
    advice: str = ""

    @property
    def state(self) -> State:
        """The worst of the servers' states; an error where no server was asked."""
        return min(
            (view.state for view in self.servers), key=WORST_FIRST.index, default=State.ERROR
        )


@dataclass(frozen=True, slots=True)
class DomainCheck:
    """All that was found about one domain.

    Attributes:
        domain: the mail domain, in lower case and punycode.
        basis: what the records are compared with.
        records: each record that was looked at.
        findings: those that belong to none of the records.
        conclusions: in words, what a receiver makes of the domain's mail.
        costs: the tree of SPF look-ups, a line each.
        allow: the codes of findings that are accepted.
        error: why nothing could be found out; ``None`` where something was.
    """

    domain: str
    basis: Basis
    records: tuple[CheckedRecord, ...] = ()
    findings: tuple[Finding, ...] = ()
    conclusions: tuple[str, ...] = ()
    costs: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    error: Failure | None = None

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """The findings about each record and about the domain."""
        return (*(f for record in self.records for f in record.findings), *self.findings)

    @property
    def dangers(self) -> tuple[Finding, ...]:
        """The findings that count as something wrong: grave ones that were not accepted."""
        return tuple(
            f
            for f in self.all_findings
            if f.severity is Severity.REFUSED
            or (f.severity is Severity.DANGER and f.code not in self.allow)
        )

    @property
    def exit_code(self) -> ExitCode:
        """0 all is right, 9 nothing is wrong but not everywhere yet, 8 something is wrong."""
        if self.error is not None:
            return self.error.exit_code
        states = {record.state for record in self.records}
        if self.dangers or states - {State.OK, State.PENDING}:
            return ExitCode.UNVERIFIED
        return ExitCode.NOT_YET if State.PENDING in states else ExitCode.OK


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What one run of ``check`` found; ``domains`` has a part for each, in their order."""

    domains: tuple[DomainCheck, ...]

    @property
    def exit_code(self) -> ExitCode:
        """The worst of the domains' exit codes."""
        return worst([domain.exit_code for domain in self.domains])

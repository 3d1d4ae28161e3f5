"""Whether a server has what is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.dnsio.nameservers import ServerStatus
from netcup_mailauth.judge.faults import problem_of
from netcup_mailauth.judge.report import CheckedRecord, ServerView, State
from netcup_mailauth.lookup import Answer, Status
from netcup_mailauth.meaning import same_meaning
from netcup_mailauth.printable import visible
from netcup_mailauth.records import Kind, is_of_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netcup_mailauth.dnsio.nameservers import Server, ServerAnswer
    from netcup_mailauth.lookup import Lookup, Query


@dataclass(frozen=True, slots=True)
class Target:
    """A record to look for.

    Attributes:
        kind: its kind.
        name: the full name it stands at.
        expected: the text it should have; ``None`` to judge what is published.
        promise: the text that netcup's copy of the zone or this machine's journal holds, if that
            is what is wanted, so that a server without it only lags.
    """

    kind: Kind
    name: str
    expected: str | None = None
    promise: str | None = None

    @property
    def wanted(self) -> str | None:
        """What a server should have, as far as that is known."""
        return self.expected if self.expected is not None else self.promise


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What stands in for a record that is not at its own name.

    Attributes:
        led_to: the texts of the record's kind at the end of a CNAME.
        inherited: the domain whose DMARC record applies to this one.
    """

    led_to: tuple[str, ...] = ()
    inherited: str = ""


NOWHERE = Elsewhere()


@dataclass(frozen=True, slots=True)
class WithPromised:
    """DNS as it will be: promised records in the place of what servers that lag still say.

    A receiver's conclusions rest on this, so that what only lags is never called wrong.
    """

    lookup: Lookup
    targets: tuple[Target, ...]

    def __call__(self, queries: Sequence[Query]) -> Sequence[Answer]:
        """One answer for each query, in the order asked."""
        answers = self.lookup(queries)
        return [
            self._corrected(query, answer) for query, answer in zip(queries, answers, strict=True)
        ]

    def _corrected(self, query: Query, answer: Answer) -> Answer:
        promised = [t for t in self.targets if t.promise is not None and t.name == query.name]
        if query.type != "TXT" or not promised:
            return answer
        kinds = [target.kind for target in promised]
        others = (v for v in answer.values if not any(is_of_kind(kind, v) for kind in kinds))
        return Answer(Status.OK, (*others, *(target.promise or "" for target in promised)))


def checked(
    target: Target, answers: Mapping[Server, ServerAnswer], elsewhere: Elsewhere = NOWHERE
) -> CheckedRecord:
    """The record as each server has it."""
    views = tuple(_view(target, server, answer, elsewhere) for server, answer in answers.items())
    return CheckedRecord(target.kind, target.name, target.expected, views)


def _view(target: Target, server: Server, answer: ServerAnswer, elsewhere: Elsewhere) -> ServerView:
    values = values_of(target.kind, answer)
    detail = answer.detail
    if answer.status is ServerStatus.CNAME:
        values = elsewhere.led_to
        nothing = "" if values else ", where no such record is"
        detail = f"it is a CNAME to {answer.cname}{nothing}"
    state = state_of(target, answer, values, elsewhere.inherited)
    if state is State.OK and not values:
        detail = f"none of its own; that of {elsewhere.inherited} applies"
    return ServerView(visible(server.label), values, state, visible(detail))


def values_of(kind: Kind, answer: ServerAnswer) -> tuple[str, ...]:
    """The texts of a kind in an answer."""
    return tuple(value for value in answer.values if is_of_kind(kind, value))


def state_of(
    target: Target, answer: ServerAnswer, values: tuple[str, ...], inherited: str = ""
) -> State:
    """How one server's answer stands to what is wanted.

    Args:
        target: what is wanted.
        answer: what the server said.
        values: the texts of the kind, those at the end of a CNAME included.
        inherited: the domain whose DMARC record applies where there is none.
    """
    match answer.status:
        case ServerStatus.OK | ServerStatus.EMPTY | ServerStatus.NXDOMAIN:
            state = _compared(target, values, inherited)
        case ServerStatus.CNAME:
            # A receiver follows it. Where it finds something else, no other record can be put
            # beside the CNAME.
            led = _compared(target, values, "")
            state = led if led is State.OK else State.CONFLICT
        case _:
            return State.ERROR
    return State.PENDING if target.promise is not None and state is not State.OK else state


def _compared(target: Target, values: tuple[str, ...], inherited: str) -> State:
    if not values:
        return State.OK if inherited and target.wanted is None else State.MISSING
    if len(values) > 1:
        return State.CONFLICT
    if target.wanted is not None:
        same = same_meaning(target.kind, values[0], target.wanted)
        return State.OK if same else State.WRONG
    return State.OK if problem_of(target.kind, values[0]) is None else State.WRONG

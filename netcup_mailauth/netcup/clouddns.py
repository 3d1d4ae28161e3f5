"""netcup's REST API, which serves the zones it has moved to CloudDNS (facts, part 2).

A draft that was taken for the live zone would be planned from, so a state of unknown name counts
as a draft. Lists come in pages, and are read whole or not at all: a record that is missed gets
doubled.

None of it could be tried on a live account. How sure an assumption is: H seen or documented, M
live-tested or written from the API's own description by others, L inferred, ? guessed. These only
widen what is taken; one real answer from netcup decides over each, and what it does not send can
go. Of the others (what is written, and how) each is told where it stands.

    guess                                                              where
 M  a number for a text                                                wire.Text
 H  ``meta`` and ``result`` null                                       Envelope
 ?  ``meta`` an empty list, as PHP writes it; ``errors`` null          Envelope, Meta
 M  a domain alone instead of a list of one; others in the list        _ask_for
 ?  a domain's name in upper case, or with a last dot                  DomainEntry
 ?  four sets of names for the states, in any case and spelling        COMMITTED, PAST, DRAFT,
                                                                       DISCARDED, _word
 M  a revision without serial, or without date; a date without zone    _order, _seconds
 ?  revisions in any order; without any to go by, the newest first     _newest_first
 H  a write's success that does not name the revision                  _write, nothing_new
 M  a list without ``lastPage`` or without ``totalEntries``            Page, Pagination
 M  other numbers of entries than were asked for                       FULL
 ?  a page past the end: empty, 404, or everything again               collect
 H  ``immutable`` null                                                 WireRecord
 ?  a record without identifier; a name null at the apex               WireRecord
 ?  the apex as ``@``, as nothing, or by the zone's name               APEX_RELATIVE, NameForm
 L  names relative or full, with or without a last dot                 NameForm
 ?  targets with or without a last dot                                 ENDS_IN_A_NAME
 ?  a TXT in one string or several                                     records.join_txt
 L  a refused key as 401 or 403, beside the 400 that was seen          REFUSED
 L  a 403 that is about one thing, to a key that has worked            is_about_one
 ?  429, with seconds or a date in ``Retry-After``                     http.read_patiently
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from netcup_mailauth import clock
from netcup_mailauth.errors import (
    ApiError,
    TransportError,
    UnverifiedError,
    WriteNotProcessedError,
)
from netcup_mailauth.netcup import REST_ADDRESS
from netcup_mailauth.netcup.api import Budget, check_fresh, send_by
from netcup_mailauth.netcup.clouddns_wire import (
    BAD_VALUE,
    Answer,
    DomainEntry,
    NameForm,
    Revision,
    WireRecord,
    bad_name,
    changeset,
    credentials,
    error_for,
    is_about_one,
    not_in_this_account,
    not_on_clouddns,
    nothing_new,
    parsed,
    refuses_the_key,
    to_record,
    unknown_shape,
)
from netcup_mailauth.netcup.http import HttpClient, Reply
from netcup_mailauth.netcup.wire import NOTHING_TAKEN, foreign_record
from netcup_mailauth.records import (
    APEX,
    CLOUDDNS,
    DesiredRecord,
    DnsRecord,
    Zone,
    reason_not_to_store,
)
from netcup_mailauth.state.holds import Reason, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pydantic import BaseModel, SecretStr

    from netcup_mailauth.clock import Pauses
    from netcup_mailauth.plan import Edit
    from netcup_mailauth.state.holds import Hold


DEFAULT_TTL = 3600
"""Seconds; of a new record, as netcup's own pages give it. Confidence: L (fact 2.5)."""

READ_AND_WRITE = 4
"""Calls to read a zone (the domain, its revisions, their newest's records) and to write to it."""

NOBODYS = "example.com"

DOMAIN = "the entry"
REVISIONS = "the revisions"
RECORDS = "the records"
CHANGES = "the changes"
"""What our calls are about, in words."""

Model = TypeVar("Model", bound="BaseModel")


class CloudDnsBackend:
    """The zones of one netcup account on CloudDNS.

    ``account`` is the same for every key: this API shows no customer number, keys expire, and
    neither a plan file nor the journal may hang on one. A domain lies in one account only, so
    nothing can be written to the wrong one.

    ``trace`` is told of each answer in a line that holds no secret.
    """

    name = CLOUDDNS
    account = "rest"
    new_ttl: int | None = DEFAULT_TTL

    def __init__(
        self,
        key: SecretStr,
        *,
        endpoint: str = REST_ADDRESS,
        budget: Budget | None = None,
        trace: Callable[[str], None] | None = None,
        hold: Hold | None = None,
        pauses: Pauses | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.endpoint = endpoint
        self._key = key
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"}
        self._http = HttpClient(
            endpoint, "netcup's REST API", headers=headers, pauses=pauses, sleep=sleep
        )
        self._budget = budget or Budget()
        self._trace = trace
        self._trial = Trial(hold)
        self._domains: dict[str, DomainEntry | None] = {}
        self._forms: dict[str, NameForm] = {}

    def __enter__(self) -> CloudDnsBackend:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    @property
    def ahead(self) -> dict[str, float]:
        """See :class:`~netcup_mailauth.netcup.api.Backend`."""
        return {} if self._http.ahead is None else {"netcup's REST API": self._http.ahead}

    def serving(self, name: str) -> CloudDnsBackend:  # noqa: ARG002
        """Itself."""
        return self

    def check_key(self) -> None:
        """See that the key works; fails as :meth:`lookup` does."""
        # A name that nobody can have (RFC 2606): netcup answers 404, to a good key only.
        self.lookup(NOBODYS)

    def lookup(self, name: str) -> DomainEntry | None:
        """The domain of this name, ``None`` if the account has none.

        Asked each time, as a zone may move between two reads of one run. A miss is harmless and
        not counted as an error (fact 2.3).

        Raises:
            CredentialsError, ZoneError, WaitError, ApiError: as netcup answers.
        """
        self._domains[name] = found = self._ask_for(name)
        return found

    def reserve(self) -> None:
        """Take four calls at once."""
        self._budget.take(READ_AND_WRITE)

    def release(self) -> None:
        """Give them back."""
        self._budget.release()

    def zone(self, name: str) -> Zone:
        """Read a zone."""
        return self.read(_managed(name, self.lookup(name)))

    def read(self, entry: DomainEntry) -> Zone:
        """Read the zone of a domain that was looked up before."""
        asked_at = clock.now()  # which revision is live; its records cannot change any more
        zone = self._live(entry, self._history(entry))
        return replace(zone, asked_at=asked_at, answered_at=clock.now())

    def apply(self, zone: Zone, changes: Sequence[Edit]) -> Zone:
        """Write the changes in one call.

        ``zone.revision`` is the ground of the change: another program's write after it is found.

        Raises:
            RefusedError: nothing was sent, because a row to be deleted is there twice.
            UnverifiedError: netcup accepted the changes, but they did not follow that revision.
        """
        entry = _managed(zone.name, self._domains.get(zone.name) or self.lookup(zone.name))
        form = self._forms.get(zone.name) or NameForm(zone.name)
        body = changeset(zone, changes, form, DEFAULT_TTL)
        self._budget.take(1)
        check_fresh(zone)  # whatever there was to wait for came before
        made = self._write(entry, body, send_by(zone))
        history = self._history(entry)
        if made is None and history.live.identifier == zone.revision:
            raise nothing_new(zone.name)
        history.check_follows(zone, made.identifier if made else history.live.identifier)
        return self._live(entry, history)

    def refuses(self, record: DesiredRecord) -> str | None:
        """Why it is not sure that a TXT text survives, or ``None``."""
        return reason_not_to_store(record.value, self.name)

    def _ask_for(self, name: str) -> DomainEntry | None:
        answer = self._get(DOMAIN, name, "/domain", {"fqdn": name})
        if answer.is_missing:
            return None
        if answer.has_code(BAD_VALUE):
            raise self._budget.counted(bad_name(name, answer))
        result = self._success(DOMAIN, name, answer)
        listed = result if isinstance(result, list) else [result] if result else []
        entries = [parsed(DOMAIN, name, entry, DomainEntry) for entry in listed]
        return next((entry for entry in entries if entry.fqdn == name), None)

    def _history(self, entry: DomainEntry) -> History:
        path = f"/domain/{quote(entry.id)}/dns/revision"
        return History.of(entry.fqdn, self._list(REVISIONS, entry, path, Revision))

    def _live(self, entry: DomainEntry, history: History) -> Zone:
        """The zone as its newest committed revision has it."""
        revision = history.live.identifier
        path = f"/domain/{quote(entry.id)}/dns/revision/{quote(revision)}/record"
        rows = self._list(RECORDS, entry, path, WireRecord)
        form = NameForm.of((row.name for row in rows), entry.fqdn)
        self._forms[entry.fqdn] = form
        records = tuple(to_record(row, form) for row in rows)
        _check_apex(entry.fqdn, records)
        draft = history.draft.identifier if history.draft else None
        return Zone(entry.fqdn, self.name, records, revision, draft)

    def _write(
        self, entry: DomainEntry, body: dict[str, object], by: float | None
    ) -> Revision | None:
        """Write, if it can leave ``by`` then: the new revision, if the success names it."""
        path = f"/domain/{quote(entry.id)}/changeset"
        try:
            answer = self._send(CHANGES, entry.fqdn, lambda: self._http.post(body, path, by), _once)
        except TransportError as error:
            if error.sent:
                raise
            raise WriteNotProcessedError(error.what, error.advice) from None
        result = self._success(CHANGES, entry.fqdn, answer)
        return None if result is None else parsed(CHANGES, entry.fqdn, result, Revision)

    def _list(self, call: str, entry: DomainEntry, path: str, model: type[Model]) -> list[Model]:
        """Every entry of a list that comes in pages."""

        def ask(number: int) -> Page | None:
            answer = self._get(call, entry.fqdn, path, {"page": number, "perPage": PER_PAGE})
            if answer.is_missing and number > 1:
                return None
            result = self._success(call, entry.fqdn, answer)
            if not isinstance(result, list):
                raise unknown_shape(call, entry.fqdn, answer.payload)
            return Page(result, answer.pagination.last_page, answer.pagination.total)

        entries = collect(f"{call} of {entry.fqdn}", ask)
        return [parsed(call, entry.fqdn, one, model) for one in entries]

    def _get(self, call: str, zone: str, path: str, query: dict[str, object]) -> Answer:
        return self._send(
            call, zone, lambda: self._http.get(path, query), self._http.read_patiently
        )

    def _send(
        self,
        call: str,
        zone: str,
        send: Callable[[], Reply],
        repeat: Callable[[Callable[[], Reply]], Reply],
    ) -> Answer:
        def spend_and_send() -> Reply:
            self._budget.spend()
            return send()

        with self._trial.turn():
            answer = Answer.of(repeat(spend_and_send), (self._key,))
            if self._trace is not None:
                self._trace(f"netcup: {call} of {zone}: {answer.message}")
            about_one = self._trial.works and is_about_one(answer)
            if refuses_the_key(answer) and not about_one:
                raise self._trial.refuse(credentials(answer), Reason.REFUSED)
            if answer.is_success or answer.is_missing:
                self._trial.succeed()
            return answer

    def _success(self, call: str, zone: str, answer: Answer) -> Any:
        """The result of a successful answer; raises what any other stands for."""
        if answer.envelope is not None and answer.is_success:
            return answer.envelope.result
        if answer.is_missing:
            self._domains.pop(zone, None)  # it may have been moved since it was looked up
        raise self._budget.counted(error_for(call, zone, answer))


def _managed(name: str, entry: DomainEntry | None) -> DomainEntry:
    if entry is None:
        raise not_in_this_account(name)
    if not entry.is_dns_managed:
        raise not_on_clouddns(name)
    return entry


def _check_apex(zone: str, records: tuple[DnsRecord, ...]) -> None:
    """See that a SOA, where one is listed, stands at the apex: there is no other place for it.

    Raises:
        ApiError: it does not, so these are the full names of another zone's records.
    """
    for record in records:
        if record.type == "SOA" and record.hostname != APEX:
            raise foreign_record(zone, record.hostname)


def _once(send: Callable[[], Reply]) -> Reply:
    return send()


COMMITTED = frozenset(
    {"committed", "active", "live", "published", "deployed", "current", "applied", "released"}
)
"""States of a revision that is the zone, or was put in its place."""

PAST = frozenset(
    {"superseded", "archived", "replaced", "inactive", "obsolete", "outdated", "previous", "old"}
)
"""States of a revision that was the zone once."""

DRAFT = frozenset({"draft", "uncommitted", "open", "editing"})
"""States of a revision that is not the zone yet. An unknown state counts as one of these, but it is
not relied on to have changed nothing."""

DISCARDED = frozenset({"discarded", "deleted", "aborted"})
"""States of a revision that never was the zone, and never will be."""

LONGEST_STATE = 40
"""Characters of an unknown state that are shown: it is a word, and the very thing to report."""


def is_committed(state: str) -> bool:
    """Whether a revision in this state can be the live zone; in an unknown one it cannot."""
    return _word(state) in COMMITTED


def _word(state: str) -> str:
    return re.sub(r"[^a-z]", "", state.lower())


@dataclass(frozen=True, slots=True)
class History:
    """The revisions of a zone in any order, and the newest committed one among them."""

    revisions: tuple[Revision, ...]
    live: Revision

    @classmethod
    def of(cls, zone: str, listed: Iterable[Revision]) -> History:
        """The history of ``zone`` as the API lists it.

        Raises:
            ApiError: which revision is the live zone cannot be told.
        """
        revisions = tuple({revision.identifier: revision for revision in listed}.values())
        committed = [revision for revision in revisions if is_committed(revision.state)]
        if not committed:
            raise _none_committed(zone, revisions)
        return cls(revisions, _newest(zone, _newest_first(committed)))

    @property
    def draft(self) -> Revision | None:
        """One that is not committed yet and may be newer than the live one."""
        drafts = [
            revision
            for revision in _newest_first(self.revisions)
            if _word(revision.state) not in COMMITTED | PAST | DISCARDED
            and _order(revision, self.live) != -1
        ]
        return drafts[0] if drafts else None

    def check_follows(self, zone: Zone, identifier: str) -> None:
        """See that the revision we have just made came right after the one we had read.

        Where the list cannot tell, that counts as no.

        Raises:
            UnverifiedError: it did not.
        """
        made, read = self._find(identifier), self._find(zone.revision)
        if made is None or not is_committed(made.state):
            raise _not_committed(zone.name, made)
        if read is None or _order(made, read) != 1:
            raise UnverifiedError(
                f"Whether another program wrote to {zone.name} at the same time cannot be told: "
                "netcup's list does not show the revision this change was made for before ours.",
                _look(zone.name),
            )
        if any(self._may_lie_between(revision, zone, read, made) for revision in self.revisions):
            raise UnverifiedError(
                f"Another program wrote to {zone.name} at the same time, between our read and "
                "our write.",
                _look(zone.name),
            )

    def _find(self, identifier: str | None) -> Revision | None:
        return next((r for r in self.revisions if r.identifier == identifier), None)

    @staticmethod
    def _may_lie_between(one: Revision, zone: Zone, read: Revision, made: Revision) -> bool:
        if one in (read, made) or one.identifier == zone.draft:
            return False
        if _word(one.state) in DRAFT | DISCARDED:
            return False
        return _order(one, read) != -1 and _order(made, one) != -1


def _order(one: Revision, other: Revision) -> int | None:
    """1 if ``one`` is newer, -1 if older, 0 if the same age; ``None`` if nothing tells.

    The serial decides, then the date.
    """
    pairs = (
        (one.serial, other.serial),
        (_seconds(one.created_at), _seconds(other.created_at)),
    )
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    if not known:
        return None
    return next(((1 if a > b else -1) for a, b in known if a != b), 0)


def _seconds(date: str) -> float | None:
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _newest_first(listed: Iterable[Revision]) -> list[Revision]:
    """The list turned so that, among revisions of one age, the newer comes first."""
    revisions = list(listed)
    if revisions and _order(revisions[0], revisions[-1]) == -1:
        revisions.reverse()
    return revisions


def _newest(zone: str, committed: list[Revision]) -> Revision:
    newest = committed[0]
    for revision in committed[1:]:
        order = _order(revision, newest)
        if order is None:
            raise ApiError(
                f"Which revision of {zone} is the newest cannot be told: netcup gives them no "
                "serial and no date in common.",
                "Nothing can be planned from it; please report it.",
            )
        if order == 1:
            newest = revision
    return newest


def _none_committed(zone: str, revisions: tuple[Revision, ...]) -> ApiError:
    states = sorted({revision.state[:LONGEST_STATE] for revision in revisions})
    shown = ", ".join(map(ascii, states[:10])) or "it lists none at all"
    return ApiError(
        f"netcup has no revision of {zone} in a state that is known to be live ({shown}).",
        "If the CCP shows no draft under CloudDNS, please report the states named here.",
    )


def _not_committed(zone: str, made: Revision | None) -> UnverifiedError:
    where = f"is in the state {made.state[:LONGEST_STATE]!a}" if made else "is not in its list"
    return UnverifiedError(
        f"netcup answered the write to {zone} with success, but the new revision {where}.",
        "Look in the CCP, under CloudDNS, whether it was left as a draft; then run the same "
        "command again.",
    )


def _look(zone: str) -> str:
    return f"Look at the zone (netcup-mailauth records {zone}), and run the same command again."


PER_PAGE = 100
"""Entries to ask for (fact 2.5)."""

FULL = 50
"""Entries from which on a page may be a full one, if nothing is said about pages: what netcup gives
where no number is asked for (fact 2.2)."""

MOST_PAGES = 200


@dataclass(frozen=True, slots=True)
class Page:
    """One page; ``last_page`` and ``total`` are ``None`` where the API does not say."""

    entries: list[object]
    last_page: int | None = None
    total: int | None = None

    def is_last(self, number: int) -> bool:
        """Whether no page follows this one, the ``number``-th.

        Where the API does not say, a page that may be full leaves a doubt: the number asked for
        need not be the number it gives.
        """
        if self.last_page is None:
            return len(self.entries) < FULL
        return number >= self.last_page


def collect(what: str, ask: Callable[[int], Page | None]) -> list[object]:
    """Every entry of a list; ``ask`` gets a page by its number, from 1, ``None`` past the end.

    Raises:
        ApiError: the pages do not make a whole.
    """
    entries: list[object] = []
    before: Page | None = None
    for number in range(1, MOST_PAGES + 1):
        page = ask(number)
        if page is None or not page.entries:
            return _whole(what, entries, before or page, number - 1)
        if before is not None and page.entries == before.entries:
            if page.last_page is None:
                return entries  # it knows no pages, and gives everything each time
            raise _broken(f"netcup gives one page of {what} twice, as page {number} too.")
        entries += page.entries
        before = page
        if page.is_last(number):
            return _whole(what, entries, page, number)
    raise _broken(f"netcup's list of {what} does not end after {MOST_PAGES} pages.")


def _whole(what: str, entries: list[object], last: Page | None, pages: int) -> list[object]:
    """The entries, if neither their number nor that of the pages says that some are missing."""
    if last is not None and last.total is not None and len(entries) < last.total:
        raise _broken(f"netcup gave {len(entries)} of {last.total} entries of {what}.")
    if last is not None and last.last_page is not None and max(pages, 1) < last.last_page:
        raise _broken(f"netcup gave {pages} of {last.last_page} pages of {what}.")
    return entries


def _broken(what: str) -> ApiError:
    return ApiError(what, NOTHING_TAKEN)

"""netcup's REST API, which serves the zones it has moved to CloudDNS (facts, part 2).

Lists come in pages, and are read whole or not at all: a record that is missed gets doubled. None of
it could be tried on a live account; what is assumed, and how surely, are the ASSUMPTIONS.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote

from netcup_mailauth import clock
from netcup_mailauth.errors import (
    ApiError,
    TransportError,
    WriteNotProcessedError,
)
from netcup_mailauth.netcup import REST_ADDRESS
from netcup_mailauth.netcup.api import OneApi, check_fresh, send_by
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
from netcup_mailauth.netcup.http import HttpClient, Reply, once
from netcup_mailauth.netcup.revisions import History
from netcup_mailauth.netcup.survey import Sample
from netcup_mailauth.netcup.wire import NOTHING_TAKEN, foreign_record
from netcup_mailauth.records import (
    APEX,
    CLOUDDNS,
    DnsRecord,
    Zone,
)
from netcup_mailauth.state.holds import Reason, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import BaseModel, SecretStr

    from netcup_mailauth.clock import Pauses
    from netcup_mailauth.netcup.api import Budget
    from netcup_mailauth.netcup.recording import Recording
    from netcup_mailauth.plan import Edit
    from netcup_mailauth.state.holds import Hold


DEFAULT_TTL = 3600
"""Seconds; of a new record, as netcup's own pages give it. Confidence: L (fact 2.5)."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """What is taken for true of the API without having been seen on a live account.

    ``confidence`` is H for seen or documented, M for tried by others or taken by them from the
    API's own description, L for inferred, ``?`` for guessed; ``proof`` is what would settle it.
    Whatever netcup does instead, a command ends with the right result or a clear error.
    """

    name: str
    what: str
    confidence: Literal["H", "M", "L", "?"]
    proof: str


ASSUMPTIONS = (
    Assumption(
        "key-refused",
        "A refused key is HTTP 400 with authenticationError; 401 and 403 would mean the same.",
        "H",
        "a call with a key that is none",
    ),
    Assumption(
        "unknown-domain",
        "The look-up of a domain that the account lacks is 404, or a success without it.",
        "H",
        "the look-up of a name that nobody has",
    ),
    Assumption(
        "managed",
        "isDnsManaged says whether CloudDNS serves the zone.",
        "M",
        "the look-ups of a domain with the tab CloudDNS and of one with the tab DNS",
    ),
    Assumption(
        "pages",
        "page and perPage choose a part of a list; there may be fewer entries than asked for.",
        "M",
        "a zone of more than 100 records",
    ),
    Assumption(
        "pages-told",
        "lastPage and totalEntries say how long a list is; either may be missing.",
        "M",
        "the meta of any list",
    ),
    Assumption(
        "past-the-end",
        "A page past the end is 404, or holds nothing.",
        "M",
        "the second page of a list of one page",
    ),
    Assumption(
        "revision-age",
        "Of two revisions the serial tells the newer one, else createdAt does.",
        "M",
        "the revisions of a zone that was changed once",
    ),
    Assumption(
        "states",
        "A committed revision is named by a word that is known, or that two of them carry.",
        "?",
        "the states in the list of revisions, with and without a draft",
    ),
    Assumption(
        "one-draft",
        "A zone has one draft at most.",
        "M",
        "the revisions after a second draft was begun in the CCP",
    ),
    Assumption(
        "write-names-revision",
        "The success of a changeset holds the revision it made, or nothing.",
        "M",
        "the answer to a changeset",
    ),
    Assumption(
        "lists-left-out",
        "A changeset may leave out create or delete.",
        "M",
        "a changeset that only creates",
    ),
    Assumption(
        "strict",
        "A strict changeset that deletes what is not there is refused as a whole.",
        "M",
        "a changeset that deletes a record that is not there",
    ),
    Assumption(
        "delete-as-listed",
        "A record is deleted by name, type, rdata and ttl to the letter as they are listed.",
        "M",
        "a changeset that deletes a record as it is listed",
    ),
    Assumption(
        "names",
        "Names are relative and the apex is @; in another form they are written back in it.",
        "?",
        "the names in the records of a revision",
    ),
    Assumption(
        "txt-read",
        "A text is listed in quotes, in one string or several; without quotes it is itself.",
        "?",
        "a DKIM key in the records of a revision",
    ),
    Assumption(
        "txt-written",
        "A text is taken in quotes, over 255 bytes in several strings.",
        "?",
        "a changeset that creates a DKIM key of 2048 bits",
    ),
    Assumption(
        "targets",
        "The target of a CNAME, MX, NS or SRV is a full name, with or without a last dot.",
        "?",
        "the MX in the records of a revision",
    ),
    Assumption(
        "immutable",
        "What cannot be changed is listed as immutable: true; anything else means it can be.",
        "L",
        "the SOA and a TXT in the records of a revision",
    ),
    Assumption(
        "ttl",
        "Each record has a TTL; 3600 seconds is what a new one would get by hand.",
        "L",
        "a record made in the CCP without naming a TTL",
    ),
    Assumption(
        "one-ttl",
        "Two TTLs at one name and type are not wanted (RFC 2181, 5.2).",
        "?",
        "a changeset that creates a second TXT with another TTL",
    ),
    Assumption(
        "limit",
        "429 means to wait, for the seconds or until the date in Retry-After if there is one.",
        "?",
        "a 429 that comes by itself",
    ),
)
"""All of them; the sandbox can do the opposite of each."""

NOBODYS = "example.com"

DOMAIN = "the entry"
DOMAINS = "the domains"
REVISIONS = "the revisions"
RECORDS = "the records"
CHANGES = "the changes"
"""What our calls are about, in words."""

Model = TypeVar("Model", bound="BaseModel")


class CloudDnsBackend(OneApi):
    """The zones of one netcup account on CloudDNS.

    ``account`` is the same for every key: this API shows no customer number, keys expire, and
    neither a plan file nor the journal may hang on one. A domain lies in one account only, so
    nothing can be written to the wrong one.

    ``trace`` is told of each answer in a line that holds no secret, ``recording`` of all, masked.
    """

    name = CLOUDDNS
    account = "rest"
    new_ttl: int | None = DEFAULT_TTL
    read_and_write = 4  # to read it: the domain, its revisions, their newest's records

    def __init__(
        self,
        key: SecretStr,
        *,
        endpoint: str = REST_ADDRESS,
        budget: Budget | None = None,
        trace: Callable[[str], None] | None = None,
        hold: Hold | None = None,
        recording: Recording | None = None,
        pauses: Pauses | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._key = key
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"}
        http = HttpClient(
            endpoint,
            "netcup's REST API",
            headers=headers,
            recorded=(recording, self.name) if recording else None,
            pauses=pauses,
            sleep=sleep,
        )
        super().__init__(http, budget, trace)
        self._trial = Trial(hold)
        self._domains: dict[str, DomainEntry | None] = {}
        self._forms: dict[str, NameForm] = {}

    def check_key(self) -> None:
        """See that the key works; fails as :meth:`lookup` does."""
        # A name that nobody can have (RFC 2606): netcup answers 404, to a good key only.
        self.lookup(NOBODYS)

    def sample(self) -> Sample | None:
        """What can be read of a zone without knowing any; ``None`` if CloudDNS serves none.

        Six calls or so. The domains of an account are listed where no name is asked for (M).
        """
        missing = self._get(DOMAIN, NOBODYS, "/domain", {"fqdn": NOBODYS})
        entries = self._list(DOMAINS, "this account", "/domain", DomainEntry)
        entry = next((entry for entry in entries if entry.is_dns_managed), None)
        if entry is None:
            return None
        history = self._history(entry)
        path = _records_of(entry, history)
        rows = self._list(RECORDS, entry.fqdn, path, WireRecord)
        one = self._get(RECORDS, entry.fqdn, path, {"page": 1, "perPage": 1})
        alone = one.envelope.result if one.envelope and one.is_success else None
        behind: dict[str, object] = {"page": len(rows) + 2, "perPage": PER_PAGE}  # of any size
        return Sample(
            entry.fqdn,
            missing,
            frozenset(entry.is_dns_managed for entry in entries),
            history.revisions,
            rows,
            one.pagination,
            len(alone) if isinstance(alone, list) else 0,
            self._get(RECORDS, entry.fqdn, path, behind),
        )

    def lookup(self, name: str) -> DomainEntry | None:
        """The domain of this name, ``None`` if the account has none.

        Asked each time, as a zone may move between two reads of one run. A miss is harmless and
        not counted as an error (fact 2.3).

        Raises:
            CredentialsError, ZoneError, WaitError, ApiError: as netcup answers.
        """
        self._domains[name] = found = self._ask_for(name)
        return found

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

    def _ask_for(self, name: str) -> DomainEntry | None:
        answer = self._get(DOMAIN, name, "/domain", {"fqdn": name})
        if answer.is_missing:
            return None
        if answer.has_code(BAD_VALUE):
            raise self._budget.counted(bad_name(name, answer))
        listed = self._success(DOMAIN, name, answer) or []
        if not isinstance(listed, list):
            raise unknown_shape(DOMAIN, name, answer.payload)
        entries = [parsed(DOMAIN, name, entry, DomainEntry) for entry in listed]
        return next((entry for entry in entries if entry.fqdn == name), None)

    def _history(self, entry: DomainEntry) -> History:
        path = f"/domain/{quote(entry.id)}/dns/revision"
        return History.of(entry.fqdn, self._list(REVISIONS, entry.fqdn, path, Revision))

    def _live(self, entry: DomainEntry, history: History) -> Zone:
        """The zone as its newest committed revision has it."""
        rows = self._list(RECORDS, entry.fqdn, _records_of(entry, history), WireRecord)
        form = NameForm.of((row.name for row in rows), entry.fqdn)
        self._forms[entry.fqdn] = form
        records = tuple(to_record(row, form) for row in rows)
        _check_apex(entry.fqdn, records)
        draft = history.draft.identifier if history.draft else None
        state = history.unknown_state
        revision = history.live.identifier
        return Zone(entry.fqdn, self.name, records, revision, draft, draft_state=state)

    def _write(
        self, entry: DomainEntry, body: dict[str, object], by: float | None
    ) -> Revision | None:
        """Write, if it can leave ``by`` then: the new revision, if the success names it."""
        path = f"/domain/{quote(entry.id)}/changeset"
        try:
            answer = self._send(CHANGES, entry.fqdn, lambda: self._http.post(body, path, by), once)
        except TransportError as error:
            if error.sent:
                raise
            raise WriteNotProcessedError(error.what, error.advice) from None
        result = self._success(CHANGES, entry.fqdn, answer)
        return None if result is None else parsed(CHANGES, entry.fqdn, result, Revision)

    def _list(self, call: str, zone: str, path: str, model: type[Model]) -> list[Model]:
        """Every entry of a list that comes in pages."""

        def ask(number: int) -> Page | None:
            answer = self._get(call, zone, path, {"page": number, "perPage": PER_PAGE})
            if answer.is_missing and number > 1:
                return None
            result = self._success(call, zone, answer)
            if result is None and number > 1:
                return None
            if not isinstance(result, list):
                raise unknown_shape(call, zone, answer.payload)
            return Page(result, answer.pagination.last_page, answer.pagination.total)

        entries = collect(f"{call} of {zone}", ask)
        return [parsed(call, zone, one, model) for one in entries]

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
            self._note(f"{call} of {zone}: {answer.message}")
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


def _records_of(entry: DomainEntry, history: History) -> str:
    """The path of the records of the live revision."""
    revision = quote(history.live.identifier)
    return f"/domain/{quote(entry.id)}/dns/revision/{revision}/record"


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

    def is_last(self, number: int, read: int) -> bool:
        """Whether no page follows this one, the ``number``-th, after ``read`` entries in all.

        Where the API does not say, a page that may be full leaves a doubt: the number asked for
        need not be the number it gives.
        """
        if self.last_page is not None:
            return number >= self.last_page
        if self.total is not None:
            return read >= self.total
        return len(self.entries) < FULL


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
        if page.is_last(number, len(entries)):
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

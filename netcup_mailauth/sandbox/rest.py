"""The REST API `/v1` of the zones on CloudDNS (part 2 of the netcup facts, R1 to R16).

A zone keeps its records once, in the CCP's form; `rest_records` makes rows of them.
"""

from __future__ import annotations

import datetime
import re
import uuid
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, unquote

from netcup_mailauth.sandbox.rest_answers import (
    BAD_NAME,
    NO_RESULTS,
    RefusedError,
    RestAnswer,
    bad_key,
    invalid,
    not_found,
    read_object,
    too_many,
    whole_seconds,
    wrong_method,
)
from netcup_mailauth.sandbox.rest_records import read_changeset, rows_of, with_changes
from netcup_mailauth.sandbox.zones import Record, is_hostname

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from netcup_mailauth.sandbox.calls import RateLimit
    from netcup_mailauth.sandbox.http import Reply, Request
    from netcup_mailauth.sandbox.quirks import Quirks
    from netcup_mailauth.sandbox.zones import Zone, Zones

PREFIX = "/v1/"

#: What can be called; the names are those of faults and statistics.
ACTIONS = ("domain", "revisions", "records", "changeset", "acme")

_DOMAIN = r"domain/(?P<domain>[0-9]{1,18})"
_REVISIONS = rf"{_DOMAIN}/dns/revision"
_CHALLENGES = rf"{_DOMAIN}/acme/challenge"
_ROUTES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("domain", r"domain", ("GET",)),
    ("revisions", _REVISIONS, ("GET",)),
    ("records", rf"{_REVISIONS}/(?P<revision>[^/]+)/record", ("GET",)),
    ("changeset", rf"{_DOMAIN}/changeset", ("POST",)),
    ("acme", _CHALLENGES, ("GET", "POST")),
    ("acme", rf"{_CHALLENGES}/(?P<scope>[^/]+)/(?P<value>[^/]+)", ("GET", "DELETE")),
)
_FIRST_DOMAIN = 1047093
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_FQDN = re.compile(rf"(?:{_LABEL}\.)+[a-z0-9-]{{2,63}}", re.IGNORECASE | re.ASCII)
_CHALLENGE_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")
_DEPLOYED_AFTER = 1.5  # seconds
_CHALLENGE = "_acme-challenge"
_CHALLENGE_TTL = 60  # seconds (guess)


@dataclass(frozen=True, slots=True)
class RestCall:
    """A call, with what stands in its path, its query, its body and its Authorization header.

    `action` is one of ACTIONS, or `unknown`.
    """

    action: str
    method: str
    methods: tuple[str, ...] = ()
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    authorization: str = field(default="", repr=False)

    @property
    def key(self) -> str:
        """The Bearer key, or nothing."""
        scheme, _, key = self.authorization.partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""

    @property
    def domain(self) -> int | None:
        """The number of the domain in the path."""
        number = self.path.get("domain")
        return None if number is None else int(number)


@dataclass(frozen=True, slots=True)
class Revision:
    """A zone as it was, is, or, as long as this is a draft, might become."""

    identifier: str
    created: float
    zone: Zone
    is_draft: bool

    def wire(self, quirks: Quirks, *, is_replaced: bool = False) -> dict[str, object]:
        """What the API tells about it."""
        moment = datetime.datetime.fromtimestamp(self.created, datetime.UTC)
        date = moment.isoformat(timespec=quirks.rest_times)
        time = date if quirks.rest_revision_age in ("both", "date") else None
        serial = self.zone.serial if quirks.rest_revision_age in ("both", "serial") else None
        state = quirks.rest_draft_state if self.is_draft else quirks.rest_committed_state
        if is_replaced and not self.is_draft:
            state = quirks.rest_replaced_state or state
        return {
            "identifier": self.identifier,
            "createdAt": time,
            "modifiedAt": time,
            "state": state,
            "serial": serial,
        }

    def rows(self, quirks: Quirks) -> list[dict[str, object]]:
        """Its records; of the identifiers the nastiest: another in every revision."""
        return [
            {"identifier": str(uuid.uuid5(uuid.UUID(self.identifier), str(n))), **row.wire(quirks)}
            for n, row in enumerate(rows_of(self.zone, quirks))
        ]


class Revisions:
    """The states of each zone on CloudDNS: one with every change, and drafts (R10, R11).

    Callers hold the lock around the zones. A zone that leaves loses its revisions; one that comes
    back begins with a new one.
    """

    def __init__(self, quirks: Quirks, clock: Callable[[], float]) -> None:
        self._quirks, self._clock = quirks, clock
        self._by_zone: dict[str, list[Revision]] = {}

    def of(self, zone: Zone) -> list[Revision]:
        """The revisions of a zone in the order they were made; a copy."""
        return list(self._by_zone.get(zone.name, ()))

    def note(self, zones: Mapping[str, Zone]) -> None:
        """Take down how all zones look now, where it is not known yet."""
        for name in self._by_zone.keys() - zones.keys():
            del self._by_zone[name]
        for zone in zones.values():
            if zone.backend != "clouddns":
                self._by_zone.pop(zone.name, None)
            elif self._committed(zone.name) != zone:
                self.add(self.make(zone))

    def make(self, zone: Zone, *, as_draft: bool = False) -> Revision:
        """A revision with this state of a zone; nobody sees it until it is added."""
        return Revision(str(uuid.uuid4()), self._clock(), zone, as_draft)

    def add(self, revision: Revision) -> None:
        """Add a revision; where drafts are wanted, one lies on top of the newest state (R11)."""
        there = self._by_zone.setdefault(revision.zone.name, [])
        if revision.is_draft and self._quirks.rest_drafts == "one":
            there[:] = [other for other in there if not other.is_draft]
        there.append(revision)
        if not revision.is_draft and self._quirks.rest_draft == "newest":
            self.begin_draft(revision.zone)

    def begin_draft(self, zone: Zone) -> None:
        """Let somebody begin to rebuild a zone: in this draft, all TXT records are gone."""
        now = self._clock() + 1  # later than what it lies on, also where times are in seconds
        records = tuple(record for record in zone.records if record.type != "TXT")
        draft = self.make(zone.with_records(records, now), as_draft=True)
        self.add(replace(draft, created=now))

    def clear(self) -> None:
        """Forget everything."""
        self._by_zone.clear()

    def _committed(self, name: str) -> Zone | None:
        """The newest state of a zone that is no draft."""
        newest_first = reversed(self._by_zone.get(name, ()))
        return next((revision.zone for revision in newest_first if not revision.is_draft), None)


class RestAccount:
    """The account as the REST API sees it: domains, revisions, challenges of certificates.

    Challenges (R5 to R7) are in no zone and no revision, but the name servers serve them. All but
    `decode` and `reply` is called with `zones.lock` held.
    """

    where: Literal["rest"] = "rest"

    def __init__(self, zones: Zones, rate: RateLimit, key: str) -> None:
        self.zones, self.rate = zones, rate
        self.revisions = Revisions(zones.quirks, zones.clock)
        self.revisions.note(zones.by_name)
        self._key = key
        self._numbers: dict[str, int] = {}
        self._challenges: dict[tuple[str, str, str], float] = {}  # when each was made

    def clear(self) -> None:
        """Forget calls, revisions and challenges."""
        self.rate.clear()
        self.revisions.clear()
        self._challenges.clear()

    def served(self) -> dict[str, Zone]:
        """The zones as name servers are to serve them: with the challenges of certificates (R5)."""
        zones = dict(self.zones.by_name)
        for name, scope, value in self._challenges:
            zone = self.zones.on_clouddns(name)
            if zone is not None:
                host = _CHALLENGE if scope == "@" else f"{_CHALLENGE}.{scope}"
                record = Record(0, host, "TXT", "0", value, ttl=_CHALLENGE_TTL)
                zones[name] = replace(zones[name], records=(*zones[name].records, record))
        return zones

    def decode(self, request: Request) -> RestCall:
        """Which call a request is."""
        call = RestCall(
            "unknown",
            request.method,
            query=dict(parse_qsl(request.query, keep_blank_values=True)),
            body=request.body,
            authorization=request.headers.get("Authorization", ""),
        )
        path = request.path.removeprefix(PREFIX)
        for action, pattern, methods in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match is not None:
                parts = {name: unquote(part) for name, part in match.groupdict().items()}
                return replace(call, action=action, methods=methods, path=parts)
        return call

    def admit(self, call: RestCall) -> RestAnswer | None:
        """Why a call is not carried out (R1, R16), or None."""
        if not self.rate.admits():
            return too_many(self._retry_after())
        return None if call.key == self._key else bad_key(self.zones.quirks.rest_bad_key)

    def carry_out(self, call: RestCall, *, store: bool = True) -> RestAnswer:
        """Carry out a call that was let in; without `store` only answer as if."""
        if call.action not in ACTIONS:
            return not_found()
        if call.method not in call.methods:
            return wrong_method()
        try:
            if call.action == "domain":
                return self._find_domains(call)
            zone = self.zone_of(call)
            if zone is None:  # no such number, or the zone is not on CloudDNS
                return not_found()
            if call.action == "changeset":
                return self._change(call, zone, store)
            if call.action == "acme":
                return self._challenge(call, zone.name, store)
            return self._read(call, zone)
        except RefusedError as refusal:
            return refusal.answer

    def written(self, _call: RestCall, answer: RestAnswer) -> Reply:
        """The answer as it travels; API errors have a real HTTP status (R2)."""
        return answer.reply()

    reply = written

    def zone_of(self, call: RestCall) -> Zone | None:
        """The zone that a call is about, if it is on CloudDNS."""
        if call.action == "domain":
            return self.zones.on_clouddns(call.query.get("fqdn", "").lower())
        numbers = {number: name for name, number in self._numbered().items()}
        return self.zones.on_clouddns(numbers.get(call.domain or 0, ""))

    def _numbered(self) -> dict[str, int]:
        """The numbers of all domains, those on the CCP too; one never changes (R3)."""
        for name in self.zones.by_name:
            self._numbers.setdefault(name, _FIRST_DOMAIN + len(self._numbers))
        return self._numbers

    def _page(self, call: RestCall, items: Sequence[object]) -> RestAnswer:
        return page_of(items, call.query, self.zones.quirks)

    def _find_domains(self, call: RestCall) -> RestAnswer:
        """`GET domain?fqdn=`: a list of one; without `fqdn` of all (guess)."""
        fqdn = call.query.get("fqdn")
        if fqdn is not None and _FQDN.fullmatch(fqdn) is None:  # none with an underscore is (R3)
            raise invalid(BAD_NAME)
        numbers, zones, quirks = self._numbered(), self.zones.by_name, self.zones.quirks
        is_managed = quirks.rest_managed == "always"
        found = [
            {
                "id": numbers[name],
                "fqdn": name,
                "isDnsManaged": is_managed or zone.backend == "clouddns",  # R4
            }
            for name, zone in zones.items()
            if fqdn is None or name == fqdn.lower()
        ]
        if not found and quirks.rest_unknown_domain != "404":
            return RestAnswer(200, [] if quirks.rest_unknown_domain == "empty" else None)
        return self._page(call, found)

    def _read(self, call: RestCall, zone: Zone) -> RestAnswer:
        """The list of revisions, or the records of any of them, drafts too."""
        quirks, revisions = self.zones.quirks, self.revisions.of(zone)
        if call.action == "records":
            wanted = call.path["revision"]
            revision = next((found for found in revisions if found.identifier == wanted), None)
            return self._page(call, revision.rows(quirks)) if revision else not_found(NO_RESULTS)
        newest = next((found for found in reversed(revisions) if not found.is_draft), None)
        shown = [found.wire(quirks, is_replaced=found is not newest) for found in revisions]
        if quirks.rest_revision_order == "newest-first":
            shown.reverse()
        return self._page(call, shown)

    def _change(self, call: RestCall, zone: Zone, store: bool) -> RestAnswer:
        quirks = self.zones.quirks
        changeset = read_changeset(call.body, quirks)
        new = with_changes(zone, changeset, self.zones)
        revision = self.revisions.make(new, as_draft=not changeset.auto_commit)
        if store:
            self.revisions.add(revision)
            if changeset.auto_commit:
                self.zones.put(new)
        is_named = quirks.rest_changeset_result == "revision"
        result = revision.wire(quirks) if is_named else None
        return RestAnswer(quirks.rest_changeset_status, result)

    def _challenge(self, call: RestCall, zone: str, store: bool) -> RestAnswer:
        if call.method == "POST":
            return self._create_challenge((zone, *_read_challenge(call.body)), store)
        if "value" not in call.path:
            return self._page(
                call, [self._shown(key) for key in self._challenges if key[0] == zone]
            )
        key = (zone, call.path["scope"], call.path["value"])
        if key not in self._challenges:
            return not_found()
        if call.method == "GET":
            return RestAnswer(200, [self._shown(key)])
        if store:
            del self._challenges[key]
            self.zones.announce()
        return RestAnswer(204)

    def _create_challenge(self, key: tuple[str, str, str], store: bool) -> RestAnswer:
        """A new one, or the one that is there."""
        if key in self._challenges:
            return RestAnswer(200, [self._shown(key)])
        if store:
            self._challenges[key] = self.zones.clock()
            self.zones.announce()
        return RestAnswer(201, [_challenge_entry(key, "pending")])

    def _shown(self, key: tuple[str, str, str]) -> dict[str, object]:
        is_deployed = self.zones.clock() - self._challenges[key] >= _DEPLOYED_AFTER
        return _challenge_entry(key, "deployed" if is_deployed else "pending")

    def _retry_after(self) -> str | None:
        wait, form = self.rate.wait(), self.zones.quirks.rest_retry_after
        if form == "date":
            return formatdate(self.zones.clock() + wait, usegmt=True)
        return whole_seconds(wait) if form == "seconds" else None


def page_of(items: Sequence[object], query: Mapping[str, str], quirks: Quirks) -> RestAnswer:
    """One page of a list, with how many there are (R10), or all of it.

    Raises:
        RefusedError: there is no such page, not even the first of an empty list.
    """
    page = _positive(query, "page", 1)
    size = min(_positive(query, "perPage", quirks.rest_per_page), quirks.rest_most_per_page)
    if quirks.rest_pages == "none" and items:
        return RestAnswer(200, list(items))
    shown = items[(page - 1) * size : page * size]
    if not shown and quirks.rest_past_the_end == "404":
        raise RefusedError(not_found(NO_RESULTS))
    pagination = {
        "page": page,
        "perPage": size,
        "totalEntries": len(items),
        "lastPage": -(-len(items) // size),
    }
    if quirks.rest_pages == "no-last-page":
        del pagination["lastPage"]
    is_nothing = not shown and quirks.rest_past_the_end == "null"
    return RestAnswer(
        200,
        None if is_nothing else list(shown),
        pagination=None if quirks.rest_pages == "untold" else pagination,
    )


def _positive(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise invalid(f"{name} must be a positive number.")
    return int(text)


def _challenge_entry(key: tuple[str, str, str], status: str) -> dict[str, object]:
    zone, scope, value = key
    host = zone if scope == "@" else f"{scope}.{zone}"
    return {"scope": scope, "fqdn": f"{_CHALLENGE}.{host}", "value": value, "status": status}


def _read_challenge(body: bytes) -> tuple[str, str]:
    """Scope and value of a new challenge (R6)."""
    data = read_object(body)
    scope, value = data.get("scope"), data.get("value")
    if not isinstance(scope, str) or not is_hostname(scope):
        raise invalid("The field scope is not valid.")
    if not isinstance(value, str) or _CHALLENGE_VALUE.fullmatch(value) is None:
        raise invalid("The field value must be 43 characters of base64url.")
    return scope, value

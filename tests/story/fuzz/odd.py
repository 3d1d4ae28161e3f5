"""Odd answers one after the other: each field missing or of another type, each status, each cut."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.story.fuzz.answers import dumped
from tests.story.fuzz.targets import OF_APIS, WISH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.story.fuzz.world import World

MISSING = object()
VALUES: tuple[Any, ...] = (MISSING, None, "", "x", 0, -1, 4001, True, False, [], {}, [None], 1e999)
STATUSES = (201, 202, 204, 206, 300, 302, 304, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503)
CODES = (0, 2000, 2002, 4001, 4003, 4004, 4013, 5028, 5029, 5031, 9999)
WORDS = ("success", "error", "warning", "pending", "started", "Success", "")
SAID = (
    "Api session not found",
    "Customer account not found.",
    "Too many error messages, please check your commands.",
    "More than 180 requests per minute.",
    "The zone does not example.com contain any DNS records.",
    "Domain not found.",
)
FAULTS = ("authenticationError", "resourceDoesNotExist", "validationError", "x", "", None)

CCP_CALLS = ("login", "infoDnsRecords", "updateDnsRecords", "logout")
REST_CALLS = ("domain", "revision", "record", "changeset")


@dataclass(frozen=True)
class Odd:
    """One way in which one call is answered oddly.

    Attributes:
        call: which call.
        path: the place in the answer, ``()`` for the whole of it.
        value: what stands there instead.
        status: of HTTP.
        cut: bytes of the answer that arrive; ``None`` for all.
    """

    call: str
    path: tuple[Any, ...] = ()
    value: Any = MISSING
    status: int = 200
    cut: int | None = None

    def answer(self, document: Any) -> bytes:
        """The answer in place of a sound one."""
        changed = copy.deepcopy(document)
        if self.path:
            try:
                self._change(changed)
            except (KeyError, IndexError, TypeError):
                return dumped(document)  # the place is not in this answer
        elif self.value is not MISSING:
            changed = {**changed, **self.value} if isinstance(self.value, dict) else self.value
        data = dumped(changed)
        return data if self.cut is None else data[: self.cut]

    def _change(self, document: Any) -> None:
        *parents, last = self.path
        place = document
        for key in parents:
            place = place[key]
        if self.value is MISSING:
            del place[last]
        else:
            place[last] = self.value


def ccp_answers(call: str) -> Iterator[Odd]:
    """Odd answers to a call of the CCP API."""
    fields = ["clientrequestid", "action", "status", "statuscode", "longmessage", "responsedata"]
    paths: list[tuple[Any, ...]] = [(name,) for name in fields]
    if call in ("infoDnsRecords", "updateDnsRecords"):
        record = ("responsedata", "dnsrecords", 2)
        names = ("id", "hostname", "type", "priority", "destination")
        paths += [record[:2], record, *((*record, name) for name in names)]
    if call == "login":
        paths.append(("responsedata", "apisessionid"))
    yield from _general(call, paths)
    for other in ({"clientrequestid": "0" * 32}, {"action": "infoDnsZone"}):
        yield Odd(call, value=other)
        yield Odd(call, value={**other, "status": "error", "statuscode": 4001})
    for word in WORDS:
        for code in CODES:
            yield Odd(call, value={"status": word, "statuscode": code})
    for text in SAID:
        for empty in ({}, {"clientrequestid": "", "action": ""}):
            error = {"status": "error", "statuscode": 4013, "longmessage": text}
            yield Odd(call, value={**error, **empty, "responsedata": ""})
    if call == "infoDnsRecords":
        yield Odd(call, ("responsedata", "dnsrecords", 1, "hostname"), "www.other.de.")


def rest_answers(call: str) -> Iterator[Odd]:
    """Odd answers to a call of the REST API."""
    paths: list[tuple[Any, ...]] = [("success",), ("errors",), ("meta",), ("result",)]
    names = {
        "domain": ((0, "id"), (0, "fqdn"), (0, "isDnsManaged")),
        "revision": ((0,), (0, "identifier"), (0, "state"), (0, "serial"), (0, "createdAt")),
        "record": ((3,), (3, "name"), (3, "type"), (3, "rdata"), (3, "ttl"), (3, "immutable")),
        "changeset": (("identifier",), ("state",), ("serial",)),
    }
    paths += [("result", *name) for name in names[call]]
    paths += [("meta", "pagination", name) for name in ("lastPage", "totalEntries")]
    yield from _general(call, paths)
    for status in (200, 400, 401, 403, 404, 422, 429):
        for code in FAULTS:
            fault = {"code": code, "message": "No results found, the page number may be too high."}
            failed = {"success": False, "errors": [fault], "result": None}
            yield Odd(call, value=failed, status=status)
    if call == "record":
        yield Odd(call, ("result", 0, "name"), "other.de")
        yield Odd(call, ("result", 3, "name"), "www.other.de.")


def _general(call: str, paths: list[tuple[Any, ...]]) -> Iterator[Odd]:
    for path in paths:
        for value in VALUES:
            yield Odd(call, path, value)
    for status in STATUSES:
        yield Odd(call, status=status)
        yield Odd(call, value={"error": "Forbidden"}, status=status)
        yield Odd(call, value="denied", status=status)
    wholes: tuple[Any, ...] = (None, [], "", 0, {})
    yield from (Odd(call, value=whole) for whole in wholes)
    for cut in (0, 1, 40, 200):
        yield Odd(call, cut=cut)


def problems_with(world: World, odd: Odd) -> list[str]:
    """What is wrong after an apply that was answered oddly, and after one more that was not."""
    before = sorted(_others(world))

    def answer(call: str, document: Any) -> bytes:
        return odd.answer(document) if call == odd.call else dumped(document)

    world.ccp = world.rest = answer
    world.statuses = {odd.call: odd.status}
    found = world.problems(world("apply", "example.com", *WISH, "--yes"), OF_APIS)
    found += [f"it wrote {len(world.writes)} times"] if len(world.writes) > 1 else []
    found += [] if sorted(_others(world)) == before else ["it touched what is not ours"]
    world.ccp = world.rest = lambda _call, document: dumped(document)
    world.statuses = {}
    for path in (world.folder / "state").glob("*/holds/*.json"):
        path.unlink()  # as if its time had passed
    clean = world("apply", "example.com", *WISH, "--yes")
    found += [] if clean.code == 0 else [f"a clean run ends with {clean.code}: {clean.stderr}"]
    ours = sorted(row for row in _rows(world) if row[2].startswith("v="))
    right = len(ours) == 2 and ours[0] == ("@", "TXT", WISH[1]) and ours[1][0] == "_dmarc"
    found += [] if right else [f"in the end there is {ours}"]
    found += [] if sorted(_others(world)) == before else ["in the end something else is gone"]
    return [f"{odd}: {text}" for text in found]


def _rows(world: World) -> list[tuple[str, str, str]]:
    """Name, type and value of every record, on whichever API the zone is."""
    if len(world.revisions) > 1:
        rows = world.revisions[-1]
        return [(r["name"], r["type"], r["rdata"].strip('"')) for r in rows if r["type"] != "SOA"]
    return [(r["hostname"], r["type"], r["destination"]) for r in world.now]


def _others(world: World) -> list[tuple[str, str, str]]:
    kept = [row for row in _rows(world) if not row[2].startswith(("v=spf1", "v=DMARC1"))]
    return [row for row in kept if row[1] != "MX"]  # which the two APIs write differently

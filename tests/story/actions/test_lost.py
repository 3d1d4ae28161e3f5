"""What others lost after a write is brought back from the journal, and nothing that is there."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.actions.applying import write
from netcup_mailauth.actions.undo import bring_back, lost
from netcup_mailauth.errors import MailauthError, UnverifiedError, WriteNotProcessedError
from netcup_mailauth.plan import Place, Status, compute
from netcup_mailauth.sandbox import Quirks
from netcup_mailauth.state.journal import Journal, Mark, standing
from tests.apis import Api, each_api, on_ccp, on_clouddns
from tests.sessions import journalled
from tests.story.actions.test_writing import WISHES

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.sandbox import Sandbox
    from netcup_mailauth.state.journal import Entry

api = each_api

NAME = "example.com"


def an_apply(api: Api, backend: Backend, journal: Journal) -> Entry:
    zone = backend.zone(NAME)
    place = Place(NAME, NAME, api.name)
    change_set = compute(place, zone, WISHES, api.new_ttl)
    result = write(journalled(backend, journal), change_set, zone)
    assert result.status in (Status.APPLIED, Status.LOST)
    return next(iter(journal.entries(NAME)))


def said(sandbox: Sandbox) -> Counter[tuple[str, ...]]:
    fields = ("hostname", "type", "priority", "destination")
    rows = (tuple(str(row[f]) for f in fields) for row in sandbox.zone(NAME))
    # An alias to the apex is written as either.
    return Counter((*row[:-1], NAME if row[-1] == "@" else row[-1]) for row in rows)


def without(sandbox: Sandbox, *types: str) -> None:
    """Somebody deletes all records of these types."""
    kept = [row for row in sandbox.zone(NAME) if row["type"] not in types]
    sandbox.set_zone(NAME, kept)


def test_all_that_is_lost_is_brought_back_in_one_call(api: Api, tmp_path: Path) -> None:
    journal = Journal(tmp_path, "run")
    with api.netcup() as sandbox, api.backend(sandbox) as backend:
        entry = an_apply(api, backend, journal)
        before = said(sandbox)
        without(sandbox, "A", "AAAA", "MX", "CNAME")
        zone = backend.zone(NAME)
        writes = api.writes(sandbox)
        bring_back(journalled(backend, journal), entry, zone, lost(entry, zone))
        assert api.writes(sandbox) == writes + 1
        assert said(sandbox) == before
        assert lost(entry, backend.zone(NAME)).missing == ()
        marks = [one.mark for one in journal.entries(NAME)]
        assert marks == [Mark.VERIFIED, Mark.VERIFIED]
        assert [one.id for one in standing(journal.entries(NAME))] == [entry.id]


@on_ccp
def test_what_went_with_the_write_itself_is_known_from_the_journal(
    api: Api, tmp_path: Path
) -> None:
    journal = Journal(tmp_path, "run")
    with api.netcup() as sandbox, api.backend(sandbox) as backend:
        others = {row for row in said(sandbox) if row[1] != "TXT"}
        sandbox.fault(api.write, "loses")
        entry = an_apply(api, backend, journal)
        assert entry.mark is Mark.VERIFIED
        assert not others & set(said(sandbox))
        zone = backend.zone(NAME)
        bring_back(journalled(backend, journal), entry, zone, lost(entry, zone))
        assert others < set(said(sandbox))


def test_our_own_records_go_along_also_where_they_are_gone_too(api: Api, tmp_path: Path) -> None:
    journal = Journal(tmp_path, "run")
    with api.netcup() as sandbox, api.backend(sandbox) as backend:
        entry = an_apply(api, backend, journal)
        after = said(sandbox)
        sandbox.set_zone(NAME, [])
        zone = backend.zone(NAME)
        found = lost(entry, zone)
        assert len(found.ours) == len(WISHES)
        bring_back(journalled(backend, journal), entry, zone, found)
        assert said(sandbox) == after


@on_ccp
def test_those_still_there_are_sent_unchanged_in_case_a_write_replaces_a_zone(
    api: Api, tmp_path: Path
) -> None:
    journal = Journal(tmp_path, "run")
    with api.netcup() as sandbox, api.backend(sandbox) as backend:
        entry = an_apply(api, backend, journal)
        without(sandbox, "MX")
        found = lost(entry, backend.zone(NAME))
        assert {record.type for record in found.missing} == {"MX"}
        assert all(one.before == one.after for one in found.ours)
        assert {one.after.hostname for one in found.ours} == {"@", "_dmarc"}


def test_what_somebody_has_made_anew_is_left_alone(api: Api, tmp_path: Path) -> None:
    with api.netcup() as sandbox, api.backend(sandbox) as backend:
        entry = an_apply(api, backend, Journal(tmp_path, "run"))
        without(sandbox, "MX")
        mx: dict[str, Any] = {
            "hostname": "@",
            "type": "MX",
            "priority": "10",
            "destination": "new.example.com",
        }
        sandbox.set_zone(NAME, [*sandbox.zone(NAME), mx])
        found = lost(entry, backend.zone(NAME))
        assert found.missing == ()
        assert all(line.endswith("@ has another MX record by now") for line in found.left_out)


def test_of_two_that_were_there_the_one_that_is_gone_comes_back(api: Api, tmp_path: Path) -> None:
    mx = [
        {"hostname": "@", "type": "MX", "priority": str(n), "destination": f"mx{n}.example.com"}
        for n in (10, 20)
    ]
    with api.netcup() as sandbox, api.backend(sandbox) as backend:
        without(sandbox, "MX")
        rest = sandbox.zone(NAME)
        sandbox.set_zone(NAME, [*rest, *mx])
        entry = an_apply(api, backend, Journal(tmp_path, "run"))
        without(sandbox, "MX")
        sandbox.set_zone(NAME, [*sandbox.zone(NAME), mx[1]])
        assert [r.priority for r in lost(entry, backend.zone(NAME)).missing] == ["10"]


@pytest.mark.parametrize(
    ("gone", "there"),
    [
        ({"type": "A", "destination": "192.0.2.9"}, {"type": "CNAME", "destination": "a.example"}),
        ({"type": "CNAME", "destination": "a.example"}, {"type": "A", "destination": "192.0.2.9"}),
        ({"type": "TXT", "destination": 'say "yes"'}, None),
    ],
    ids=["an-alias-now", "an-alias-then", "not-storable"],
)
def test_what_cannot_be_brought_back_is_named_with_the_reason(
    api: Api, tmp_path: Path, gone: dict[str, str], there: dict[str, str] | None
) -> None:
    with api.netcup() as sandbox, api.backend(sandbox) as backend:
        rest = sandbox.zone(NAME)
        sandbox.set_zone(NAME, [*rest, {"hostname": "shop", **gone}])
        entry = an_apply(api, backend, Journal(tmp_path, "run"))
        now = [r for r in sandbox.zone(NAME) if r["hostname"] != "shop"]
        sandbox.set_zone(NAME, [*now, *([{"hostname": "shop", **there}] if there else [])])
        found = lost(entry, backend.zone(NAME))
        assert found.missing == ()
        (line,) = found.left_out
        assert line.startswith(f"{gone['type']} shop ")


@on_clouddns
def test_what_comes_back_takes_the_ttl_of_its_like(api: Api, tmp_path: Path) -> None:
    """One set of records has one TTL (RFC 2181, 5.2)."""
    journal = Journal(tmp_path, "run")
    quirks = Quirks(rest_mixed_ttls="refuse")
    with api.netcup(quirks=quirks) as sandbox, api.backend(sandbox) as backend:
        entry = an_apply(api, backend, journal)
        left = [
            {**row, "ttl": 300}
            for row in sandbox.zone(NAME)
            if not str(row["destination"]).startswith("google-site")
        ]
        sandbox.set_zone(NAME, left)
        zone = backend.zone(NAME)
        found = lost(entry, zone)
        assert [one.ttl for one in found.missing] == [300]
        bring_back(journalled(backend, journal), entry, zone, found)
        rows = sandbox.rest_records(NAME)
        assert [r["ttl"] for r in rows if (r["name"], r["type"]) == ("@", "TXT")] == [300, 300]


@pytest.mark.parametrize("mode", ["apply-then-drop", "cut", "apply-then-html"])
def test_an_unclear_answer_is_settled_by_reading(api: Api, tmp_path: Path, mode: str) -> None:
    journal = Journal(tmp_path, "run")
    with api.netcup() as sandbox, api.backend(sandbox) as backend:
        entry = an_apply(api, backend, journal)
        before = said(sandbox)
        without(sandbox, "MX", "A", "AAAA")
        zone = backend.zone(NAME)
        sandbox.fault(api.write, mode)
        bring_back(journalled(backend, journal), entry, zone, lost(entry, zone))
        assert said(sandbox) == before


@pytest.mark.parametrize("mode", ["drop", "500", "html"])
def test_what_did_not_arrive_is_said_and_not_sent_again(
    api: Api, tmp_path: Path, mode: str
) -> None:
    journal = Journal(tmp_path, "run")
    with api.netcup() as sandbox, api.backend(sandbox) as backend:
        entry = an_apply(api, backend, journal)
        without(sandbox, "MX")
        zone = backend.zone(NAME)
        writes = api.writes(sandbox)
        sandbox.fault(api.write, mode)
        with pytest.raises(UnverifiedError, match="missing still is MX"):
            bring_back(journalled(backend, journal), entry, zone, lost(entry, zone))
        assert api.writes(sandbox) == writes + 1


def test_a_zone_that_was_read_long_ago_is_not_written_to(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, "run")
    with api.netcup() as sandbox, api.backend(sandbox) as backend:
        entry = an_apply(api, backend, journal)
        without(sandbox, "MX")
        zone = backend.zone(NAME)
        assert zone.asked_at is not None
        late = zone.asked_at + 3600
        monkeypatch.setattr("netcup_mailauth.clock.now", lambda: late)
        with pytest.raises(WriteNotProcessedError):
            bring_back(journalled(backend, journal), entry, zone, lost(entry, zone))
        assert next(iter(journal.entries(NAME))).mark is Mark.FAILED


def test_nothing_is_sent_that_could_not_be_noted_before(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    journal = Journal(tmp_path, "run")
    with api.netcup() as sandbox, api.backend(sandbox) as backend:
        entry = an_apply(api, backend, journal)
        without(sandbox, "MX")
        zone = backend.zone(NAME)
        writes = api.writes(sandbox)
        monkeypatch.setattr("netcup_mailauth.state.journal.write_private", full)
        with pytest.raises(MailauthError, match="could not be saved"):
            bring_back(journalled(backend, journal), entry, zone, lost(entry, zone))
        assert api.writes(sandbox) == writes


def test_a_serial_that_moved_is_no_loss(api: Api, tmp_path: Path) -> None:
    with api.netcup() as sandbox, api.backend(sandbox) as backend:
        entry = an_apply(api, backend, Journal(tmp_path, "run"))
        assert lost(entry, backend.zone(NAME)).missing == ()

"""What other commands do while a rotation is open, and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth import dkim
from netcup_mailauth.errors import ExitCode
from tests.process.rotation.place import AT_ONCE, DOMAIN, SHORT, Place
from tests.worlds import requests_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.story.inprocess import PointedAt


@pytest.fixture
def place(tmp_path: Path, pointed_at: PointedAt) -> Iterator[Place]:
    with Place(tmp_path, delays=AT_ONCE, waits=SHORT, pointed_at=pointed_at) as place:
        yield place


def writes(place: Place) -> int:
    return requests_of(place.sandbox)["updateDnsRecords"]


@pytest.mark.parametrize("phase", ["waiting", "grace"])
def test_apply_leaves_both_keys_alone_and_says_so(place: Place, phase: str) -> None:
    place.rotate_until(phase)
    before, count = place.published, writes(place)
    assert len(before) == 2
    ended = place.good("apply", "--yes")
    assert "rotation-in-progress" in ended.stdout
    assert (place.published, writes(place)) == (before, count)
    planned = place.good("plan", "--exit-code")
    assert "rotate --status" in planned.stdout

    place.let_go()
    place.until_done()
    count = writes(place)
    assert "rotation" not in place.good("apply", "--yes").stdout
    assert writes(place) == count
    assert set(place.published) == before.keys() - {"dkim"}


def test_undo_does_not_take_an_open_rotation_back(place: Place) -> None:
    place.good("rotate", DOMAIN, "--yes")
    before = place.published
    ended = place.run("undo", DOMAIN, "--yes")
    assert ended.code == ExitCode.REFUSED
    assert "rotation-in-progress" in ended.stdout + ended.stderr
    assert place.published == before
    ended = place.run("undo", DOMAIN, "--yes", "--allow", "rotation-in-progress")
    assert ended.code == ExitCode.REFUSED
    assert place.published == before


def test_undo_does_not_remove_the_key_that_a_rotation_has_left_signing(place: Place) -> None:
    """Its last write removed the old key; what it wrote before created the one that signs."""
    place.rotate()
    listed = place.good("undo", "--list", DOMAIN, "--format", "json").json
    entries = sorted(entry["id"] for run in listed["runs"] for entry in run["entries"])
    _first_apply, created, _removed = entries
    ended = place.run("undo", DOMAIN, "--to", created, "--yes")
    assert ended.code == ExitCode.REFUSED, ended.stdout
    place.check_that_what_signs_is_published()


def test_quiet_says_nothing_while_a_rotation_waits(place: Place) -> None:
    place.config.write_text(place.config.read_text().replace('"0.1s"', '"1h"'))
    began = place.good("-q", "rotate", DOMAIN, "--yes")
    assert "created" in began.stdout
    waits = place.good("-q", "rotate", "--continue", "--yes")
    assert waits.stdout + waits.stderr == ""


@pytest.mark.parametrize(("more", "ttl"), [("", 3600), ("ttl = 300", 300)])
def test_on_clouddns_the_new_record_has_the_ttl_of_the_config(
    tmp_path: Path, pointed_at: PointedAt, more: str, ttl: int
) -> None:
    place = Place(
        tmp_path, delays=AT_ONCE, waits=SHORT, more=more, clouddns=True, pointed_at=pointed_at
    )
    with place:
        place.rotate()
        (selector,) = place.published
        assert selector != "dkim"
        place.check_that_what_signs_is_published()
        found = [
            row["ttl"]
            for row in place.sandbox.rest_records(DOMAIN)
            if str(row["name"]).startswith(f"{selector}._domainkey")
        ]
        assert found == [ttl]
        assert place.good("plan", "--exit-code").code == ExitCode.OK


def test_an_old_key_is_revoked_rather_than_removed(place: Place) -> None:
    place.rotate("--revoke")
    texts = place.published
    assert dkim.parse(texts.pop("dkim")).key is None
    place.check_that_what_signs_is_published()


def test_metrics_tell_where_a_rotation_stands(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "rotate.prom"
    place.good("rotate", DOMAIN, "--yes", "--metrics-file", str(file))
    assert f'domain_status{{command="rotate",domain="{DOMAIN}",status="waiting"}} 1' in (
        file.read_text()
    )
    assert f'dkim_key_age_seconds{{command="rotate",domain="{DOMAIN}",selector="dkim"}}' in (
        file.read_text()
    )
    place.sandbox.fault("*", "500", times=99)
    assert place.run("rotate", "--continue", "--metrics-file", str(file)).code == ExitCode.ERROR
    assert 'status="failed"' in file.read_text()

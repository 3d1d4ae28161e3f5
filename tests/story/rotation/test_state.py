"""What is written down is read back the same; a clock that went backwards starts waits anew."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.actions.planning import left_alone
from netcup_mailauth.errors import MailauthError
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone
from netcup_mailauth.rotation.state import (
    Book,
    Phase,
    Rotation,
    Side,
    Waits,
    Watch,
    candidates,
    check_lasting,
    dumps,
    filesystem,
    is_rotation_style,
    loads,
    opened_in,
    read_book,
    write_book,
)
from netcup_mailauth.rotation.words import status
from netcup_mailauth.rotation.zone import selectors_in
from tests.story.rotation.houses import held, key

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_795_000_000.0
ROTATION = Rotation(
    "intern.example.com",
    "example.com",
    "mailcow at mail.example.com",
    Side("dkim", held(1, "dkim").record),
    Side("s2026-11a"),
    started=NOW,
    clock=NOW,
    grace=604800.0,
)
WATCH = Watch({"ns1 (192.0.2.1)": NOW}, (NOW, NOW + 60), 600)


@given(
    phase=st.sampled_from(list(Phase)),
    aborted=st.booleans(),
    since=st.one_of(st.none(), st.floats(0, 2e9)),
    made=st.booleans(),
    watch=st.sampled_from((Watch(), WATCH)),
)
def test_a_book_is_read_as_it_was_written(
    phase: Phase, aborted: bool, since: float | None, made: bool, watch: Watch
) -> None:
    new = Side("s2026-11a", held(2, "").record if made else "")
    rotation = replace(
        ROTATION, phase=phase, aborted=aborted, since=since, new=new, watch=watch, revoke=made
    )
    book = Book("intern.example.com").opened(rotation).seeing(key(1), NOW)
    assert loads(dumps(book)) == book
    assert loads(dumps(book.closed())).used == ("s2026-11a",)


@given(
    st.one_of(
        st.text(), st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps)
    )
)
def test_no_text_makes_anything_but_a_book_or_an_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        loads(text)


@pytest.mark.parametrize("field", ["zone", "old", "new", "phase", "watch", "clock"])
def test_a_book_with_something_missing_is_none(field: str) -> None:
    data = json.loads(dumps(Book("intern.example.com").opened(ROTATION)))
    del data["open"][field]
    with pytest.raises(ValueError, match="no book"):
        loads(json.dumps(data))


def test_the_names_lie_below_the_mail_domain_not_the_zone() -> None:
    assert ROTATION.hostnames() == {
        "dkim._domainkey.intern",
        "s2026-11a._domainkey.intern",
    }


def test_a_clock_that_went_backwards_starts_every_wait_anew() -> None:
    rotation = replace(ROTATION, watch=WATCH, since=NOW)
    later = rotation.at(NOW + 100)
    assert (later.clock, later.since, later.watch) == (NOW + 100, NOW, WATCH)
    slewed = later.at(NOW + 99.5)
    assert (slewed.clock, slewed.watch) == (NOW + 100, WATCH)
    back = later.at(NOW + 50)
    assert (back.clock, back.since, back.watch) == (NOW + 50, NOW + 50, Watch())


def test_books_are_private_and_last(tmp_path: Path) -> None:
    folder = tmp_path / "account" / "rotations"
    assert read_book(folder, "intern.example.com") == Book("intern.example.com")
    book = Book("intern.example.com").opened(ROTATION)
    write_book(folder, book)
    path = tmp_path / "account" / "rotations" / "intern.example.com.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_book(folder, "intern.example.com") == book


def test_a_book_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    with pytest.raises(MailauthError, match="cannot be kept in"):
        write_book(tmp_path / "a file" / "rotations", Book("intern.example.com"))


def test_what_is_open_is_found_by_domain_whatever_is_wrong_with_another_book(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "rotations"
    assert opened_in(folder) == []
    write_book(folder, Book("intern.example.com").opened(ROTATION))
    write_book(folder, Book("closed.example.com"))
    (folder / "damaged.example.com.json").write_text("")
    (_, error), opened = opened_in(folder)
    assert isinstance(error, MailauthError)
    assert opened == ("intern.example.com", ROTATION)
    assert opened_in(folder, ["intern.example.com", "another.example.com"]) == [opened]


def test_before_every_server_has_it_no_time_is_named_for_the_switch() -> None:
    line = status(replace(ROTATION, phase=Phase.WAITING, watch=Watch()), NOW, Waits())
    assert line.endswith("next: switch, once every name server has it")


@pytest.mark.parametrize("text", ["", "{}", '{"schema": 2}', "\x00"])
def test_a_damaged_book_is_an_error_and_never_an_empty_one(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "rotations"
    folder.mkdir()
    (folder / "example.com.json").write_text(text)
    with pytest.raises(MailauthError, match="cannot be read"):
        read_book(folder, "example.com")


def test_a_book_under_another_domains_name_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "rotations"
    write_book(folder, Book("intern.example.com"))
    path = folder / "intern.example.com.json"
    path.rename(folder / "example.com.json")
    with pytest.raises(MailauthError, match="another domain"):
        read_book(folder, "example.com")


MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:25 / /run rw,nosuid - tmpfs tmpfs rw
31 22 0:26 / /srv/a\\040b rw shared:1 - ramfs none rw
40 22 8:2 / /var/lib rw - tmpfs tmpfs rw
41 22 8:3 / /var/lib rw - xfs /dev/sdb rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/x/state", "ext4"),
        ("/run/user/1000/state", "tmpfs"),
        ("/running", "ext4"),
        ("/srv/a b/state", "ramfs"),
        ("/var/lib/state", "xfs"),
    ],
)
def test_the_file_system_is_that_of_the_nearest_and_latest_mount(
    tmp_path: Path, path: str, kind: str
) -> None:
    from pathlib import Path as AnyPath

    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert filesystem(AnyPath(path), mounts) == kind
    assert filesystem(AnyPath(path), tmp_path / "none") is None


def test_a_state_folder_in_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from netcup_mailauth.rotation import state

    monkeypatch.setattr(state, "filesystem", lambda _: "tmpfs")
    with pytest.raises(MailauthError, match="in memory"):
        check_lasting(tmp_path)
    monkeypatch.setattr(state, "filesystem", lambda _: "ext4")
    check_lasting(tmp_path)
    with pytest.raises(MailauthError, match="synced"):
        check_lasting(tmp_path / "none")


def test_only_keys_at_held_names_are_left_alone() -> None:
    spf = DesiredRecord(Kind.SPF, "@", "v=spf1 -all")
    ours, other = (DesiredRecord(Kind.DKIM, name, "v=DKIM1;p=") for name in ("a", "b"))
    assert left_alone([spf, ours, other], frozenset(("a", "@"))) == (ours,)


def test_selectors_are_named_after_the_month_and_known_again() -> None:
    names = list(candidates(date(2026, 11, 24)))
    assert names[:2] == ["s2026-11a", "s2026-11b"]
    assert len(set(names)) == 26
    assert all(map(is_rotation_style, names))
    assert not any(
        map(is_rotation_style, ("dkim", "s2026", "s2026-11", "s2026-11ab", "xs2026-11a"))
    )


def test_selectors_of_a_domain_are_not_those_of_another_in_the_zone() -> None:
    records = tuple(
        DnsRecord(None, name, kind, "x")
        for name, kind in (
            ("dkim._domainkey", "TXT"),
            ("s2026-11a._domainkey.intern", "TXT"),
            ("alias._domainkey.intern", "CNAME"),
            ("intern", "A"),
        )
    )
    zone = Zone("example.com", "ccp", records)
    assert selectors_in(zone, "example.com") == {"dkim"}
    assert selectors_in(zone, "intern.example.com") == {"s2026-11a", "alias"}


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("aborted", [False, True])
def test_every_state_can_be_told_in_one_line(phase: Phase, aborted: bool) -> None:
    rotation = replace(ROTATION, phase=phase, aborted=aborted, since=NOW, watch=WATCH)
    line = status(rotation, NOW, Waits())
    assert "next: " in line
    assert "\n" not in line
    assert ("going back" in line) is aborted

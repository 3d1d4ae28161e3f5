"""Rotating at a mailcow by import: the key waits in a file; what mailcow leaks is announced."""

from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.errors import ApiError, MailauthError, UnverifiedError
from netcup_mailauth.keys.forms import read_key
from netcup_mailauth.keys.private import NewKey
from netcup_mailauth.rotation import signers_mailcow
from netcup_mailauth.rotation.signers import Users
from netcup_mailauth.rotation.signers_mailcow import MailcowImportSigner, parked_name
from netcup_mailauth.sandbox.faults import read_mailcow_fault
from tests.canaries import leaks
from tests.edges.signers.world import (
    DOMAIN,
    OTHER,
    SELECTOR,
    KillAt,
    KilledError,
    signs_with,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from netcup_mailauth.keys.mailcow import Mailcow
    from netcup_mailauth.sandbox import Sandbox
    from netcup_mailauth.sandbox.mailcow_dkim import DkimKey
    from tests.edges.signers.conftest import Connect

WRITES = 4
"""Parking place emptied, key parked, new one imported, parking place emptied."""


@pytest.fixture
def made(pool: list[DkimKey]) -> NewKey:
    """A small key: what is small is quickly read."""
    pem = pool[0].pem
    return NewKey(pem, read_key(pem, "pool").key or pytest.fail("no key"))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "rotations" / f"{DOMAIN}.key"


@pytest.fixture
def make(
    made: NewKey, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Mailcow], MailcowImportSigner]:
    monkeypatch.setattr(signers_mailcow, "generate", lambda: made)
    return lambda mailcow: MailcowImportSigner(mailcow, key_file.parent)


@pytest.fixture
def signer(make: Callable[[Mailcow], MailcowImportSigner], mailcow: Mailcow) -> MailcowImportSigner:
    return make(mailcow)


def test_a_rotation(
    signer: MailcowImportSigner, sandbox: Sandbox, made: NewKey, key_file: Path
) -> None:
    old = signer.current(DOMAIN)
    new = signer.prepare(DOMAIN, SELECTOR)
    assert (new.selector, new.key) == (SELECTOR, made.public)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file.parent.stat().st_mode) == 0o700
    assert made.pem in key_file.read_text()
    assert signer.prepare(DOMAIN, SELECTOR) == signer.prepared(DOMAIN) == new
    assert signer.current(DOMAIN) == old

    # The very record that was published, so that apply finds nothing to change.
    assert signer.switch(DOMAIN) == signer.current(DOMAIN) == new
    assert signs_with(sandbox) == (SELECTOR, made.public)
    assert "PRIVATE" not in key_file.read_text()
    assert signer.prepared(DOMAIN) == new
    assert signer.parked(DOMAIN) == old
    assert signer.switch(DOMAIN) == new

    assert signer.others(OTHER, new.key) == Users((DOMAIN,))
    signer.discard(DOMAIN)
    assert not key_file.exists()
    assert signer.parked(DOMAIN) is None
    assert signs_with(sandbox) == (SELECTOR, made.public)


def test_the_way_back(signer: MailcowImportSigner, sandbox: Sandbox) -> None:
    old = signer.current(DOMAIN)
    signer.prepare(DOMAIN, SELECTOR)
    signer.switch(DOMAIN)
    assert signer.switch_back(DOMAIN) == signer.current(DOMAIN) == old
    with pytest.raises(MailauthError, match="handed to mailcow before"):
        signer.switch(DOMAIN)
    assert signer.current(DOMAIN) == old


def test_what_mailcow_writes_into_its_log_is_announced(
    signer: MailcowImportSigner, sandbox: Sandbox
) -> None:
    signer.prepare(DOMAIN, SELECTOR)
    signer.switch(DOMAIN)
    assert "BEGIN PRIVATE KEY" in str(sandbox._mailcow.log.newest(100))
    assert "into its API log" in str(signer.writes())


@pytest.mark.parametrize("mode", ["error", "drop-before", "500"])
def test_no_error_shows_the_key(
    signer: MailcowImportSigner, sandbox: Sandbox, made: NewKey, mode: str
) -> None:
    signer.prepare(DOMAIN, SELECTOR)
    order = {"call": "add/dkim_import", "mode": mode, "times": 3}
    sandbox.add_fault(read_mailcow_fault(order))
    with pytest.raises(MailauthError) as caught:
        signer.switch(DOMAIN)
    assert leaks(caught.value, made.pem.splitlines()[1:-1]) == []


def test_a_damaged_key_file(signer: MailcowImportSigner, key_file: Path) -> None:
    signer.prepare(DOMAIN, SELECTOR)
    key_file.write_text("DKIM selector: s1\n")
    with pytest.raises(MailauthError, match="is not the key file"):
        signer.switch(DOMAIN)


def test_a_key_file_that_is_gone(
    signer: MailcowImportSigner, sandbox: Sandbox, key_file: Path
) -> None:
    before = signs_with(sandbox)
    signer.prepare(DOMAIN, SELECTOR)
    key_file.unlink()
    with pytest.raises(MailauthError, match=r"\.key is gone"):
        signer.switch(DOMAIN)
    assert signs_with(sandbox) == before


def test_no_room_for_the_key(
    signer: MailcowImportSigner, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing may be published whose private half is not on the disk."""

    def full(_path: Path, _text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("netcup_mailauth.rotation.signers.write_private", full)
    with pytest.raises(MailauthError, match=r"cannot be kept in .*: No space left on device"):
        signer.prepare(DOMAIN, SELECTOR)


# --- Whatever fails -----------------------------------------------------------------------------


def go_on(signer: MailcowImportSigner, begin: int = 0) -> int:
    for step in range(begin, 3):
        try:
            if step == 0:
                signer.prepare(DOMAIN, SELECTOR)
            elif step == 1:
                signer.switch(DOMAIN)
            else:
                signer.discard(DOMAIN)
        except (KilledError, MailauthError):
            return step
    return 3


def assert_done(sandbox: Sandbox, made: NewKey, key_file: Path) -> None:
    assert signs_with(sandbox) == (SELECTOR, made.public)
    assert sandbox._keyring.find(parked_name(DOMAIN)) is None
    assert not key_file.exists()


@pytest.mark.parametrize("number", range(1, WRITES + 1))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_write(
    make: Callable[[Mailcow], MailcowImportSigner],
    connect: Connect,
    sandbox: Sandbox,
    made: NewKey,
    key_file: Path,
    moment: str,
    number: int,
) -> None:
    signing = []
    kill = KillAt(moment, number)

    def on_write(at: str) -> None:
        signing.append(signs_with(sandbox))
        kill(at)

    step = go_on(make(connect(on_write)))
    assert kill.happened
    assert go_on(make(connect()), step) == 3
    assert None not in signing
    assert_done(sandbox, made, key_file)


FAULTS: list[dict[str, Any]] = [
    *({"mode": mode} for mode in ("error", "drop-before", "drop-after", "500")),
    {"mode": "success-but-nothing"},
    *({"mode": mode, "writes": n} for mode in ("partly", "killed") for n in (1, 2)),
]
IMPORT = 2
CASES = [(fault, number) for fault in FAULTS for number in range(WRITES)] + [
    ({"mode": mode, "writes": n}, IMPORT) for mode in ("partly", "killed") for n in (3, 4, 5)
]
"""An import has three deletions and three writes in it, the others three of one sort."""


@pytest.mark.parametrize(
    ("fault", "number"), CASES, ids=[f"{f['mode']}{f.get('writes', '')}-{n}" for f, n in CASES]
)
def test_mailcow_fails_at_any_write_and_between_its_own(
    make: Callable[[Mailcow], MailcowImportSigner],
    connect: Connect,
    sandbox: Sandbox,
    made: NewKey,
    key_file: Path,
    fault: dict[str, Any],
    number: int,
) -> None:
    """An import deletes before it sets: the old key must lie elsewhere by then."""
    old = signs_with(sandbox)
    sandbox.add_fault(read_mailcow_fault({"call": "*", "after": number, **fault}))
    step = go_on(make(connect()))
    if step < 2:
        places = (DOMAIN, parked_name(DOMAIN))
        assert old in [signs_with(sandbox, name) for name in places]
    assert go_on(make(connect()), step) == 3
    assert_done(sandbox, made, key_file)


def test_a_private_half_that_is_missing_comes_with_the_next_run(
    signer: MailcowImportSigner, sandbox: Sandbox
) -> None:
    """Reading shows the very key, so only writing it again can heal that."""
    old = signer.current(DOMAIN)
    new = signer.prepare(DOMAIN, SELECTOR)
    order = {"call": "add/dkim_import", "mode": "partly", "writes": 5, "times": 2}
    sandbox.add_fault(read_mailcow_fault(order))
    with pytest.raises(UnverifiedError, match="did not confirm"):
        signer.switch(DOMAIN)
    assert signs_with(sandbox) is None
    assert signer.switch(DOMAIN) == new
    assert signs_with(sandbox) == (SELECTOR, new.key)
    assert signer.parked(DOMAIN) == old


def test_in_the_middle_of_an_import_there_is_no_key(
    signer: MailcowImportSigner, sandbox: Sandbox
) -> None:
    signer.prepare(DOMAIN, SELECTOR)
    old = signer.current(DOMAIN)
    order = {"call": "add/dkim_import", "mode": "partly", "writes": 4}
    sandbox.add_fault(read_mailcow_fault(order))
    with pytest.raises(ApiError, match="redis_error"):
        signer.switch(DOMAIN)
    assert signer.current(DOMAIN) is None
    assert signer.parked(DOMAIN) == old
    assert signer.switch(DOMAIN) == signer.prepared(DOMAIN)
    assert signer.parked(DOMAIN) == old

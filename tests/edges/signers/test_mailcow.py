"""Rotating at a mailcow by copying: whatever fails, the domain signs, and with a key we know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.dkim import parse
from netcup_mailauth.errors import (
    ApiError,
    CredentialsError,
    MailauthError,
    UnverifiedError,
    UsageError,
)
from netcup_mailauth.rotation.signers import Users
from netcup_mailauth.rotation.signers_mailcow import MailcowSigner, parked_name, prepared_name
from netcup_mailauth.sandbox.faults import read_mailcow_fault
from tests.edges.signers.world import (
    ALIAS,
    DOMAIN,
    HELPER,
    OTHER,
    SELECTOR,
    KillAt,
    KilledError,
    private_names,
    signs_with,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.keys.mailcow import Mailcow
    from netcup_mailauth.rotation.signers import Signer, SignerKey
    from netcup_mailauth.sandbox import Sandbox
    from tests.edges.signers.conftest import Connect

WRITES = 7
"""A whole rotation: discard, add, copy, delete; park, put; discard."""


def signer_at(mailcow: Mailcow) -> MailcowSigner:
    # Keys that are made quickly; mailcow makes any size in the same way.
    return MailcowSigner(mailcow, HELPER, bits=1024)


@pytest.fixture
def signer(mailcow: Mailcow) -> MailcowSigner:
    return signer_at(mailcow)


def fail(sandbox: Sandbox, mode: str, call: str = "*", **more: Any) -> None:
    sandbox.add_fault(read_mailcow_fault({"call": call, "mode": mode, **more}))


def pair(key: SignerKey | None) -> object:
    return key and (key.selector, key.key)


# --- The plain course ---------------------------------------------------------------------------


def test_a_rotation(signer: MailcowSigner, sandbox: Sandbox) -> None:
    old = signer.current(DOMAIN)
    assert old is not None
    assert signer.prepared(DOMAIN) is None
    new = signer.prepare(DOMAIN, SELECTOR)
    assert new.selector == SELECTOR
    assert parse(new.record).key == new.key != old.key
    assert signer.prepared(DOMAIN) == new
    assert signer.current(DOMAIN) == old
    assert signs_with(sandbox) == pair(old)

    assert signer.switch(DOMAIN) == new
    assert signer.current(DOMAIN) == new
    assert signer.parked(DOMAIN) == old
    assert signs_with(sandbox) == pair(new)

    signer.discard(DOMAIN)
    assert signer.prepared(DOMAIN) is signer.parked(DOMAIN) is None
    assert signs_with(sandbox) == pair(new)


def test_no_private_key_passes_over_the_wire_or_stays_where_it_was_parked(
    signer: MailcowSigner, sandbox: Sandbox
) -> None:
    before = private_names(sandbox)
    signer.prepare(DOMAIN, SELECTOR)
    signer.switch(DOMAIN)
    signer.discard(DOMAIN)
    # mailcow's duplicate leaves the overwritten key's private half behind, out of reach.
    assert private_names(sandbox) == before | {f"{SELECTOR}.{DOMAIN}"}
    assert "PRIVATE KEY" not in str(sandbox._mailcow.log.newest(100))


def test_the_way_back(signer: MailcowSigner, sandbox: Sandbox) -> None:
    old = signer.current(DOMAIN)
    signer.prepare(DOMAIN, SELECTOR)
    signer.switch(DOMAIN)
    assert signer.switch_back(DOMAIN) == old
    assert signs_with(sandbox) == pair(old)
    signer.discard(DOMAIN)
    assert signs_with(sandbox) == pair(old)


def test_each_step_may_be_taken_twice(signer: MailcowSigner, sandbox: Sandbox) -> None:
    new = signer.prepare(DOMAIN, SELECTOR)
    assert signer.prepare(DOMAIN, SELECTOR) == new
    signer.switch(DOMAIN)
    old = signer.parked(DOMAIN)
    assert signer.switch(DOMAIN) == new
    assert signs_with(sandbox) == pair(new)
    assert signer.parked(DOMAIN) == old
    assert signer.switch_back(DOMAIN) == signer.switch_back(DOMAIN) == old
    signer.discard(DOMAIN)
    signer.discard(DOMAIN)


def test_two_domains_at_once_through_one_helper(signer: MailcowSigner, sandbox: Sandbox) -> None:
    """The helper is free again as soon as a key was taken from it."""
    one, two = signer.prepare(DOMAIN, SELECTOR), signer.prepare(OTHER, SELECTOR)
    assert one.key != two.key
    assert pair(signer.switch(OTHER)) == signs_with(sandbox, OTHER) == pair(two)
    assert pair(signer.switch(DOMAIN)) == signs_with(sandbox, DOMAIN) == pair(one)


def test_a_domain_without_a_key_gets_its_first(signer: MailcowSigner, sandbox: Sandbox) -> None:
    sandbox.remove_dkim(DOMAIN)
    new = signer.prepare(DOMAIN, SELECTOR)
    assert signer.current(DOMAIN) is None
    assert signer.switch(DOMAIN) == new
    assert signer.parked(DOMAIN) is None


def test_who_else_signs_with_a_key(signer: MailcowSigner, sandbox: Sandbox) -> None:
    """Domains and alias domains; not the helper and not the parking names, which never sign."""
    new = signer.prepare(DOMAIN, SELECTOR)
    writing = signer.writing
    writing.duplicate(prepared_name(DOMAIN), ALIAS)
    writing.duplicate(prepared_name(DOMAIN), HELPER)
    assert signer.others(DOMAIN, new.key) == Users((ALIAS,))
    signer.switch(DOMAIN)
    assert signer.others(OTHER, new.key) == Users((ALIAS, DOMAIN))


def test_every_write_is_announced(signer: MailcowSigner) -> None:
    said = str(signer.writes())
    for words in ("add/dkim)", "add/dkim_duplicate", "delete/dkim", HELPER, "old-key.invalid"):
        assert words in said


# --- What is refused ----------------------------------------------------------------------------


def test_a_helper_with_a_key_of_its_own_is_left_alone(
    signer: MailcowSigner, sandbox: Sandbox
) -> None:
    kept = sandbox.set_dkim(HELPER, "dkim", 1024)
    with pytest.raises(MailauthError, match="has a DKIM key of its own") as caught:
        signer.prepare(DOMAIN, SELECTOR)
    assert "helper_domain" in caught.value.advice
    found = sandbox._keyring.find(HELPER)
    assert found is not None
    assert found.pubkey == kept


def test_what_a_crashed_rotation_left_at_the_helper_is_replaced(
    signer: MailcowSigner, sandbox: Sandbox
) -> None:
    left = sandbox.set_dkim(HELPER, "s2026-10b", 1024)
    new = signer.prepare(DOMAIN, SELECTOR)
    assert new.key.p != left
    assert signer.writing.is_empty(HELPER)


def test_a_helper_that_mailcow_does_not_know(mailcow: Mailcow) -> None:
    signer = MailcowSigner(mailcow, "nowhere.example")
    with pytest.raises(ApiError, match=r"access_denied nowhere\.example") as caught:
        signer.prepare(DOMAIN, SELECTOR)
    assert "Add it there" in caught.value.advice


def test_the_helper_itself_cannot_be_rotated(signer: MailcowSigner) -> None:
    with pytest.raises(UsageError, match="is the helper domain"):
        signer.prepare(HELPER, SELECTOR)


def test_a_key_that_was_prepared_for_another_rotation_is_not_used(signer: MailcowSigner) -> None:
    """A key is never reused: the first one may have been withdrawn."""
    first = signer.prepare(DOMAIN, SELECTOR)
    second = signer.prepare(DOMAIN, "s2026-11b")
    assert second.selector == "s2026-11b"
    assert second.key != first.key
    assert signer.prepared(DOMAIN) == second


def test_nothing_to_switch_to(signer: MailcowSigner) -> None:
    with pytest.raises(MailauthError, match=r"holds no key for example\.com to switch to"):
        signer.switch(DOMAIN)


def test_nothing_to_go_back_to(signer: MailcowSigner, sandbox: Sandbox) -> None:
    before = signs_with(sandbox)
    with pytest.raises(MailauthError) as caught:
        signer.switch_back(DOMAIN)
    assert "Rotate forward" in caught.value.advice
    assert signs_with(sandbox) == before


def test_a_read_only_key_is_told_apart(connect: Connect, sandbox: Sandbox) -> None:
    mailcow = connect()
    mailcow._http._headers["X-API-Key"] = str(sandbox.env["MAILCOW_API_KEY"])
    with pytest.raises(CredentialsError, match="read only") as caught:
        signer_at(mailcow).prepare(DOMAIN, SELECTOR)
    assert "read-write key" in caught.value.advice


def test_a_name_too_long_to_park() -> None:
    with pytest.raises(UsageError, match="so long"):
        parked_name(".".join(["a" * 60] * 4))


# --- Whatever fails -----------------------------------------------------------------------------


class Watch:
    """Looks at every write what signs, and that the old key is not lost before its time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.old = signs_with(sandbox)
        self.may_sign: set[object] = {self.old}
        self.old_may_go = False
        self.then: Callable[[str], object] = lambda _moment: None

    def __call__(self, moment: str) -> None:
        self.look()
        self.then(moment)

    def look(self) -> None:
        assert signs_with(self.sandbox) in self.may_sign
        places = (DOMAIN, parked_name(DOMAIN))
        assert self.old_may_go or self.old in [signs_with(self.sandbox, name) for name in places]


def go_on(signer: Signer, watch: Watch, begin: int = 0) -> int:
    """Take the steps from one on, as far as they go; returns the one to begin with next time."""
    for step in range(begin, 3):
        try:
            if step == 0:
                signer.prepare(DOMAIN, SELECTOR)
            elif step == 1:
                watch.may_sign.add(pair(signer.prepared(DOMAIN)))
                signer.switch(DOMAIN)
            else:
                watch.old_may_go = True
                signer.discard(DOMAIN)
        except (KilledError, MailauthError):
            watch.look()
            return step
    return 3


def assert_done(sandbox: Sandbox, watch: Watch) -> None:
    """The new key signs, whole, and nothing else is left."""
    signing = signs_with(sandbox)
    assert signing is not None
    assert signing[0] == SELECTOR
    assert signing != watch.old
    found = sandbox._keyring.find(DOMAIN)
    assert found is not None
    assert (found.selector, found.pubkey) == (SELECTOR, signing[1].p)
    for name in (HELPER, prepared_name(DOMAIN), parked_name(DOMAIN)):
        assert sandbox._keyring.find(name) is None


@pytest.mark.parametrize("number", range(1, WRITES + 1))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_write(connect: Connect, sandbox: Sandbox, moment: str, number: int) -> None:
    watch = Watch(sandbox)
    watch.then = kill = KillAt(moment, number)
    step = go_on(signer_at(connect(watch)), watch)
    assert kill.happened
    watch.then = lambda _moment: None
    assert go_on(signer_at(connect(watch)), watch, step) == 3
    assert_done(sandbox, watch)


def test_a_rotation_has_so_many_writes(connect: Connect, sandbox: Sandbox) -> None:
    """Or the tests around this one leave some out."""
    moments: list[str] = []
    watch = Watch(sandbox)
    watch.then = moments.append
    assert go_on(signer_at(connect(watch)), watch) == 3
    assert moments == ["before", "after"] * WRITES


FAULTS: list[dict[str, Any]] = [
    *({"mode": mode} for mode in ("error", "drop-before", "drop-after", "500")),
    {"mode": "success-but-nothing"},
    *({"mode": mode, "writes": n} for mode in ("partly", "killed") for n in (1, 2)),
]


@pytest.mark.parametrize("number", range(WRITES))
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f['mode']}{f.get('writes', '')}")
def test_mailcow_fails_at_any_write_and_between_its_own(
    connect: Connect, sandbox: Sandbox, fault: dict[str, Any], number: int
) -> None:
    """After a second run at most, all is as if nothing had happened."""
    watch = Watch(sandbox)
    watch.may_sign.add(None)  # where mailcow itself left the private half out
    fail(sandbox, call="*", after=number, **fault)
    step = go_on(signer_at(connect(watch)), watch)
    step = go_on(signer_at(connect(watch)), watch, step)
    assert step == 3
    assert_done(sandbox, watch)


def test_a_lost_answer_is_resolved_by_reading(connect: Connect, sandbox: Sandbox) -> None:
    watch = Watch(sandbox)
    fail(sandbox, "drop-after", "add/dkim_duplicate", after=2, times=1)
    assert go_on(signer_at(connect(watch)), watch) == 3


def test_a_private_half_that_mailcow_did_not_write_is_not_trusted(
    signer: MailcowSigner, sandbox: Sandbox
) -> None:
    """What reading shows is the new key, but mail would go out unsigned."""
    signer.prepare(DOMAIN, SELECTOR)
    fail(sandbox, "partly", "add/dkim_duplicate", domain=prepared_name(DOMAIN), writes=2)
    new = signer.switch(DOMAIN)
    assert signs_with(sandbox) == pair(new)


def test_a_private_half_that_mailcow_will_not_write_is_told(
    signer: MailcowSigner, sandbox: Sandbox
) -> None:
    signer.prepare(DOMAIN, SELECTOR)
    fail(sandbox, "partly", "add/dkim_duplicate", domain=prepared_name(DOMAIN), writes=2, times=2)
    with pytest.raises(UnverifiedError, match="did not confirm") as caught:
        signer.switch(DOMAIN)
    assert "If it is not signed" in caught.value.advice
    assert signer.switch_back(DOMAIN) == signer.parked(DOMAIN)
    assert signs_with(sandbox) == pair(signer.parked(DOMAIN))


@pytest.mark.parametrize("back", [False, True])
def test_a_private_half_that_is_missing_comes_with_the_next_run(
    signer: MailcowSigner, sandbox: Sandbox, back: bool
) -> None:
    """Reading shows the very key, so only writing it again can heal that."""
    old = signer.current(DOMAIN)
    new = signer.prepare(DOMAIN, SELECTOR)
    if back:
        signer.switch(DOMAIN)
        sandbox._keyring.priv_keys.pop(f"dkim.{DOMAIN}")
    go, source = (
        (signer.switch_back, parked_name(DOMAIN))
        if back
        else (signer.switch, prepared_name(DOMAIN))
    )
    fail(sandbox, "partly", "add/dkim_duplicate", domain=source, writes=2, times=2)
    with pytest.raises(UnverifiedError, match="did not confirm"):
        go(DOMAIN)
    assert signs_with(sandbox) is None
    assert go(DOMAIN) == (old if back else new)
    assert signs_with(sandbox) == pair(old if back else new)
    assert signer.parked(DOMAIN) == old


@pytest.mark.parametrize("back", [False, True])
def test_what_signs_while_mailcow_is_in_the_middle_of_a_copy(
    signer: MailcowSigner, sandbox: Sandbox, back: bool
) -> None:
    """The public half of one key beside the selector of the other: rspamd follows the selector."""
    signer.prepare(DOMAIN, SELECTOR)
    if back:
        signer.switch(DOMAIN)
    before = signer.current(DOMAIN)
    source = parked_name(DOMAIN) if back else prepared_name(DOMAIN)
    fail(sandbox, "partly", "add/dkim_duplicate", domain=source, writes=1)
    with pytest.raises(ApiError, match="redis_error"):
        (signer.switch_back if back else signer.switch)(DOMAIN)
    assert pair(signer.current(DOMAIN)) == signs_with(sandbox) == pair(before)
    after = (signer.switch_back if back else signer.switch)(DOMAIN)
    assert pair(after) == signs_with(sandbox) != pair(before)
    assert signer.parked(DOMAIN) is not None


def test_half_a_key_is_none(signer: MailcowSigner, sandbox: Sandbox) -> None:
    """Nothing can be signed without a selector."""
    sandbox.remove_dkim(DOMAIN)
    sandbox._keyring.pub_keys[DOMAIN] = "A" * 216
    assert signer.current(DOMAIN) is None


def test_somebody_else_changes_the_key_after_the_write(
    signer: MailcowSigner, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = signer.prepare(DOMAIN, SELECTOR)
    put = signer.certainly

    def rival(write: Callable[[], bool], target: str, wanted: SignerKey) -> None:
        put(write, target, wanted)
        if target == DOMAIN:
            sandbox.set_dkim(DOMAIN, "dkim", 1024)

    monkeypatch.setattr(signer, "certainly", rival)
    with pytest.raises(UnverifiedError, match="but holds dkim, SHA256") as caught:
        signer.switch(DOMAIN)
    assert new.key.fingerprint in caught.value.what

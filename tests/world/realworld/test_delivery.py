"""A signed mail at rspamd, after one `apply` on netcup's default zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.world.realworld.published import (
    DOMAIN,
    HELO,
    KEY_KINDS,
    SENDER,
    SERVER,
    SERVER_V6,
    STRANGER,
    KeyKind,
    signed,
)

if TYPE_CHECKING:
    from tests.world.realworld.court import Court
    from tests.world.realworld.stage import Stage

every_kind_of_key = pytest.mark.parametrize("kind", KEY_KINDS)


@every_kind_of_key
@pytest.mark.parametrize("ip", [SERVER, SERVER_V6])
def test_from_its_own_server_a_mail_passes_everything(
    stage: Stage, court: Court, kind: KeyKind, ip: str
) -> None:
    mail = stage.published(kind).mail
    symbols = court.rspamd.scan(mail, ip, SENDER, HELO)
    assert symbols == {"R_SPF_ALLOW", "R_DKIM_ALLOW", "DMARC_POLICY_ALLOW"}


@every_kind_of_key
def test_from_elsewhere_the_signature_alone_passes_dmarc(
    stage: Stage, court: Court, kind: KeyKind
) -> None:
    mail = stage.published(kind).mail
    symbols = court.rspamd.scan(mail, STRANGER, SENDER, HELO)
    assert symbols == {"R_SPF_FAIL", "R_DKIM_ALLOW", "DMARC_POLICY_ALLOW"}


@every_kind_of_key
def test_from_elsewhere_and_with_the_key_gone_a_mail_is_quarantined(
    stage: Stage, court: Court, kind: KeyKind
) -> None:
    published = stage.published(kind)
    stage.show([r for r in published.records if r["hostname"] != published.key_hostname])
    symbols = court.rspamd.scan(published.mail, STRANGER, SENDER, HELO)
    assert symbols == {"R_SPF_FAIL", "R_DKIM_PERMFAIL", "DMARC_POLICY_QUARANTINE"}


@every_kind_of_key
def test_from_elsewhere_a_mail_that_was_changed_is_quarantined(
    stage: Stage, court: Court, kind: KeyKind
) -> None:
    mail = stage.published(kind).mail.replace(b"Hello.", b"Hello?")
    symbols = court.rspamd.scan(mail, STRANGER, SENDER, HELO)
    assert symbols == {"R_SPF_FAIL", "R_DKIM_REJECT", "DMARC_POLICY_QUARANTINE"}


def test_before_apply_the_same_mail_has_no_signature_and_no_policy(
    stage: Stage, court: Court
) -> None:
    mail = stage.published().mail
    stage.sandbox.reset()
    assert not any(r["hostname"] == "_dmarc" for r in stage.sandbox.zone(DOMAIN))
    symbols = court.rspamd.scan(mail, SERVER, SENDER, HELO)
    assert symbols == {"R_SPF_ALLOW", "R_DKIM_PERMFAIL", "DMARC_NA"}


def test_a_new_key_in_mailcow_is_right_once_it_is_published(stage: Stage, court: Court) -> None:
    stage.published()
    stage.sandbox.set_dkim(DOMAIN)
    mail = signed(stage.sandbox.dkim_private_key(DOMAIN) or "", "dkim")
    before = court.rspamd.scan(mail, STRANGER, SENDER, HELO)
    assert stage.command("apply", DOMAIN, "--dkim", "mailcow", "--yes").code == 0
    after = court.rspamd.scan(mail, STRANGER, SENDER, HELO)
    assert before == {"R_SPF_FAIL", "R_DKIM_REJECT", "DMARC_POLICY_QUARANTINE"}
    assert after == {"R_SPF_FAIL", "R_DKIM_ALLOW", "DMARC_POLICY_ALLOW"}

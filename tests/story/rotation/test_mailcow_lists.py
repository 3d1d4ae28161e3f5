"""``rotate`` beside a mailcow that does not say who signs: the old record stays, with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.cli.entry import main
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.sandbox import mailcow
from tests.story.rotation.typed import BEGIN, keys_of

if TYPE_CHECKING:
    import pytest

    from netcup_mailauth.sandbox import Sandbox

ERROR = {"type": "error", "msg": "redis \x1b[2J gone"}


def test_the_old_record_stays_until_mailcow_gives_its_whole_list(
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with monkeypatch.context() as odd:
        odd.setattr(mailcow.Mailcow, "_domain", lambda *_: [ERROR])
        assert main([*BEGIN, "--wait", "--timeout", "30"]) == ExitCode.OK
        told = capsys.readouterr()
        assert "dkim._domainkey.example.com stays, because" in told.out
        assert "\x1b" not in told.out + told.err
        assert len(keys_of(sandbox)) == 2
    assert main(["rotate", "--continue", "--wait"]) == ExitCode.OK
    assert len(keys_of(sandbox)) == 1

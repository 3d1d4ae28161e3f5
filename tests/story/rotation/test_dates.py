"""The clocks of netcup and mailcow, as the ``Date`` of their answers tells them."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
import responses

from netcup_mailauth.cli.entry import main
from netcup_mailauth.clock import Clock
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.netcup.http import HttpClient
from netcup_mailauth.sandbox import http
from tests.story.rotation.typed import BEGIN, DOMAIN, keys_of

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.sandbox import Sandbox

URL = "https://mail.example.com"


@pytest.mark.parametrize("days", [-400, -1, 0, 1, 400])
def test_how_far_an_answer_is_ahead(days: int) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(days=days), usegmt=True)
    with responses.RequestsMock() as api:
        api.get(f"{URL}/x", json={}, headers={"Date": date})
        client = HttpClient(URL, "mailcow")
        client.get("/x")
    assert client.ahead is not None
    assert abs(client.ahead - days * 86400) < 600


@pytest.mark.parametrize(
    "date",
    [
        None,
        "",
        "soon",
        "Mon, 99 Foo 2026 00:00:00 GMT",
        "Fri, 31 Dec 99999999 23:59:59 GMT",
        "Fri, 27 Nov 2026 25:61:00 GMT",
        "1795000000",
        "\u0660",
    ],
)
def test_a_date_that_is_none_tells_nothing(date: str | None) -> None:
    with responses.RequestsMock() as api:
        api.get(f"{URL}/x", json={}, headers={} if date is None else {"Date": date})
        client = HttpClient(URL, "mailcow")
        client.get("/x")
    assert client.ahead is None


GO_ON = ("rotate", "--continue", "--wait", "--timeout", "30")


@pytest.mark.parametrize("hours", [-30 * 24, 2])
def test_a_server_whose_clock_differs_stops_switch_and_removal_until_it_is_set_right(
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    hours: int,
) -> None:
    with monkeypatch.context() as wrong:
        date = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
        wrong.setattr(http._HttpConnection, "date_time_string", lambda *_: date)
        main([*BEGIN])
        time.sleep(0.3)
        for _ in range(3):
            assert main(["rotate", "--continue"]) == ExitCode.REFUSED
        told = capsys.readouterr().err
        assert "one of them is wrong" in told
        assert "timedatectl" in told
        assert len(keys_of(sandbox)) == 2
    assert main([*GO_ON]) == ExitCode.OK
    assert len(keys_of(sandbox)) == 1


@pytest.mark.skipif(Clock().uptime() is None, reason="the system does not tell its uptime")
def test_a_clock_that_was_set_right_does_not_end_the_grace(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was ten days behind at the switch. That this was seen later is told, and time goes on."""
    assert main([*BEGIN, "--grace", "1h"]) == ExitCode.OK
    assert main(["rotate", "--continue", "--wait", "--timeout", "1"]) == ExitCode.OK
    (book,) = tmp_path.rglob(f"rotations/{DOMAIN}.json")
    data = json.loads(book.read_text())
    assert data["open"]["phase"] == "grace"
    assert data["open"]["uptime"] > 0
    for name in ("clock", "since"):
        data["open"][name] -= 10 * 86400
    book.write_text(json.dumps(data))
    capsys.readouterr()

    assert main(["rotate", "--continue"]) == ExitCode.REFUSED
    assert "it was set meanwhile" in capsys.readouterr().err
    assert main(["rotate", "--continue"]) == ExitCode.OK
    assert "stays for" in capsys.readouterr().out
    assert len(keys_of(sandbox)) == 2

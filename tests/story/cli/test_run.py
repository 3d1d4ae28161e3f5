"""What a run is made of: what it remembers of secrets, and that -v shows none of them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from netcup_mailauth.cli import auth, run
from netcup_mailauth.cli.run import LOGGERS, Masking, masking, requests_shown
from netcup_mailauth.errors import UsageError
from netcup_mailauth.state.holds import FileHold, Hold

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "C4n4ry-5ecret"

# A user without a home folder: nothing is remembered or kept, and reading works all the same.


@pytest.fixture
def _homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(_: Path) -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "expanduser", homeless)
    monkeypatch.delenv("NETCUP_MAILAUTH_STATE_DIR")
    monkeypatch.delenv("HOME")


@pytest.mark.usefixtures("_homeless")
def test_nothing_is_remembered() -> None:
    assert type(run.hold("netcup", "https://x.example", SecretStr("k"))) is Hold


@pytest.mark.usefixtures("_homeless")
def test_nothing_can_be_kept() -> None:
    with pytest.raises(UsageError, match="no home folder"):
        auth._file()


def test_anybody_else_has_a_memory() -> None:
    hold = run.hold("netcup", "https://x.example", SecretStr("C4n4ry"))
    assert isinstance(hold, FileHold)
    assert "C4n4ry" not in str(hold.path)


# What -v shows of HTTP.


@pytest.fixture
def shown() -> Iterator[None]:
    """Shows requests during one test."""
    with requests_shown():
        yield


def test_logging_is_afterwards_as_it_was() -> None:
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(one.handlers[:], one.level, one.propagate) for one in loggers]
    with requests_shown():
        assert [(one.handlers[:], one.level, one.propagate) for one in loggers] != before
    assert [(one.handlers[:], one.level, one.propagate) for one in loggers] == before


@pytest.mark.parametrize(
    "line",
    [
        f'{{"action":"login","param":{{"apipassword":"{CANARY}","apikey":"{CANARY}"}}}}',
        f'{{"apisessionid": "{CANARY}"}}',
        f"{{'customernumber': '{CANARY}'}}",
        f"send: b'GET /api HTTP/1.1\\r\\nX-API-Key: {CANARY}\\r\\nAccept: */*'",
        f"Authorization: Bearer {CANARY}",
        f"authorization=Basic {CANARY}",
        f"https://host/?apikey={CANARY}&x=1",
        f"proxy http://user:{CANARY}@proxy.example:3128",
        f"cookie: {CANARY}; x",
    ],
)
def test_a_secret_is_known_by_the_name_before_it(line: str) -> None:
    """Such as a session's id, which nobody told the filter."""
    masked = Masking().masked(line)
    assert CANARY not in masked
    assert "***" in masked


def test_a_secret_is_known_wherever_it_stands() -> None:
    filter_ = Masking()
    filter_.hide(SecretStr(CANARY), SecretStr(""), SecretStr("ab"))
    assert filter_.masked(f"about {CANARY}!") == "about ***!"


def test_arguments_and_tracebacks_are_masked_too() -> None:
    filter_ = Masking()
    filter_.hide(SecretStr(CANARY))
    error = ValueError(CANARY)
    record = logging.LogRecord(
        "x", logging.ERROR, "f", 1, "sent %s", (CANARY,), (ValueError, error, None), sinfo=CANARY
    )
    assert filter_.filter(record)
    assert logging.Formatter().format(record) == "sent ***"
    assert CANARY not in repr(vars(record))


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("name", ["urllib3.connectionpool", "urllib3", "requests", "requests.x"])
def test_loggers_below_are_masked_as_well(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A filter on a logger does not see what comes from the loggers below it."""
    masking.hide(SecretStr(CANARY))
    logging.getLogger(name).debug("POST %s", CANARY)
    out, err = capsys.readouterr()
    assert (out, err) == ("", "http: POST ***\n")


@pytest.mark.usefixtures("shown")
def test_shown_twice_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    with requests_shown():
        logging.getLogger("urllib3.connectionpool").debug("x")
        logging.getLogger("urllib3.util.retry").debug("noise")
    assert capsys.readouterr().err == "http: x\n"

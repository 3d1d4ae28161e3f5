"""Writes at mailcow: what its answers mean, what a lost one means, and that nothing is doubled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
import responses
from pydantic import SecretStr
from urllib3.exceptions import ConnectTimeoutError

from netcup_mailauth.clock import Pauses
from netcup_mailauth.dkim import parse
from netcup_mailauth.errors import (
    ApiError,
    CredentialsError,
    MailauthError,
    TransportError,
    UnverifiedError,
)
from netcup_mailauth.keys.mailcow import Mailcow, MailcowWriting
from netcup_mailauth.sandbox.mailcow_dkim import generate
from tests.canaries import leaks

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "https://mail.example.com"
API = f"{URL}/api/v1"
CANARY = "C4n4ry-5ecret"
SOURCE, TARGET = "helper.example", "example.com"
DONE = [{"type": "success", "log": ["dkim"], "msg": ["dkim_duplicated", SOURCE, TARGET]}]


@pytest.fixture(scope="module")
def held() -> dict[str, str]:
    return answer("s2")


@pytest.fixture(scope="module")
def old() -> dict[str, str]:
    return answer("s1")


def answer(selector: str) -> dict[str, str]:
    record = f"v=DKIM1;k=rsa;t=s;s=email;p={generate(selector, 1024).pubkey}"
    return {"dkim_txt": record, "dkim_selector": selector, "privkey": CANARY}


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def writing(pauses: list[float]) -> MailcowWriting:
    return MailcowWriting(Mailcow(URL, SecretStr(CANARY), sleep=pauses.append))


def shows(api: responses.RequestsMock, name: str, *payloads: object) -> None:
    for payload in payloads:
        api.get(f"{API}/get/dkim/{name}", json=payload)


def copies(api: responses.RequestsMock, **reply: Any) -> None:
    api.post(f"{API}/add/dkim_duplicate", **reply)


def writes(api: responses.RequestsMock) -> list[tuple[str, object]]:
    """The writes that were sent, in order."""
    sent = [call.request for call in api.calls if call.request.method == "POST"]
    return [(str(r.url).removeprefix(f"{API}/"), json.loads(r.body or "")) for r in sent]


def never_left() -> Exception:
    """As requests tells it when no connection was made."""
    return requests.exceptions.ConnectTimeout(ConnectTimeoutError("no connection"))


# --- What is sent -------------------------------------------------------------------------------


def test_a_copy(api: responses.RequestsMock, writing: MailcowWriting, held: dict[str, str]) -> None:
    copies(api, json=DONE)
    shows(api, TARGET, held)
    shows(api, SOURCE, held)
    assert writing.duplicate(SOURCE, TARGET) is True
    sent = {"from_domain": SOURCE, "to_domain": TARGET}
    assert writes(api) == [("add/dkim_duplicate", sent)]


def test_a_new_key(
    api: responses.RequestsMock, writing: MailcowWriting, held: dict[str, str]
) -> None:
    api.post(f"{API}/add/dkim", json=DONE)
    shows(api, SOURCE, held)
    assert writing.add(SOURCE, "s2", 2048) is True
    sent = {"domains": SOURCE, "dkim_selector": "s2", "key_size": "2048"}
    assert writes(api) == [("add/dkim", sent)]


def test_an_import(
    api: responses.RequestsMock, writing: MailcowWriting, held: dict[str, str]
) -> None:
    api.post(f"{API}/add/dkim_import", json=[*DONE, *DONE])
    shows(api, TARGET, held)
    key = parse(held["dkim_txt"]).key
    assert key is not None
    assert writing.import_key(TARGET, "s2", "PEM", key) is True
    sent = {"domain": TARGET, "dkim_selector": "s2", "private_key_file": "PEM"}
    assert writes(api) == [("add/dkim_import", {**sent, "overwrite_existing": 1})]


def test_a_deletion(api: responses.RequestsMock, writing: MailcowWriting) -> None:
    api.post(f"{API}/delete/dkim", json={"type": "success", "msg": "Task completed"})
    shows(api, "a.example", {})
    shows(api, "b.example", {})
    assert writing.delete("a.example", "b.example") is True
    assert writes(api) == [("delete/dkim", ["a.example", "b.example"])]


# --- What mailcow answers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "said", "advice"),
    [
        ([{"type": "danger", "msg": ["access_denied", "x.example"]}], "access_denied x.", "domain"),
        ([{"type": "danger", "msg": ["redis_error", {}]}], "redis_error", "Redis"),
        ([*DONE, {"type": "danger", "msg": "access_denied"}], "access_denied", "domain"),
        ({"type": "error", "msg": "Cannot add item"}, "Cannot add item", "Look at mailcow"),
        ([{"type": "warning", "msg": None}], "", "Look at mailcow"),
        ([{"type": "danger", "msg": ["\x1b[2J\u202e"]}], r"\x1b[2J\u202e", "Look at mailcow"),
    ],
)
def test_a_refusal_comes_with_200_and_is_told(
    api: responses.RequestsMock, writing: MailcowWriting, payload: object, said: str, advice: str
) -> None:
    copies(api, json=payload)
    with pytest.raises(ApiError, match="mailcow refuses add/dkim_duplicate") as caught:
        writing.duplicate(SOURCE, TARGET)
    assert type(caught.value) is ApiError
    assert said in caught.value.what
    assert caught.value.what.isprintable()
    assert advice in caught.value.advice


def test_a_read_only_key(
    api: responses.RequestsMock, writing: MailcowWriting, pauses: list[float]
) -> None:
    payload = {"type": "error", "msg": "API read/write access denied"}
    copies(api, status=403, json=payload)
    with pytest.raises(CredentialsError, match="read only") as caught:
        writing.duplicate(SOURCE, TARGET)
    assert "plan, apply and check do not" in caught.value.advice
    assert pauses == []


def test_a_refused_key_is_never_sent_again(
    api: responses.RequestsMock, writing: MailcowWriting
) -> None:
    copies(api, status=401, json={"msg": "authentication failed"})
    for _ in range(2):
        with pytest.raises(CredentialsError, match="refuses the API key"):
            writing.duplicate(SOURCE, TARGET)
    assert len(api.calls) == 1


def test_a_success_that_is_none(
    api: responses.RequestsMock,
    writing: MailcowWriting,
    held: dict[str, str],
    old: dict[str, str],
) -> None:
    copies(api, json=DONE)
    shows(api, TARGET, old)
    shows(api, SOURCE, held)
    with pytest.raises(UnverifiedError, match="holds something else"):
        writing.duplicate(SOURCE, TARGET)


# --- What is lost -------------------------------------------------------------------------------

LOST: list[dict[str, Any]] = [
    {"body": requests.exceptions.ReadTimeout()},
    {"body": requests.exceptions.ChunkedEncodingError()},
    {"status": 502},
    {"body": "<html>"},
    {"json": []},
    {"json": 3},
    {"json": [{"msg": "x"}]},
    {"json": [{"type": 3}]},
]


@pytest.mark.parametrize("reply", LOST)
def test_a_lost_answer_is_resolved_by_reading(
    api: responses.RequestsMock,
    writing: MailcowWriting,
    held: dict[str, str],
    pauses: list[float],
    reply: dict[str, Any],
) -> None:
    """It was done; but that the private half was written too, nobody has said."""
    copies(api, **reply)
    shows(api, TARGET, held)
    shows(api, SOURCE, held)
    assert writing.duplicate(SOURCE, TARGET) is False
    assert len(writes(api)) == 1
    assert pauses == []


def test_one_that_arrives_late(
    api: responses.RequestsMock,
    writing: MailcowWriting,
    held: dict[str, str],
    pauses: list[float],
) -> None:
    copies(api, status=502)
    shows(api, TARGET, {}, held)
    shows(api, SOURCE, held)
    assert writing.duplicate(SOURCE, TARGET) is False
    assert pauses == [Pauses().settle]
    assert len(writes(api)) == 1


def test_one_that_does_not_arrive_is_not_sent_again(
    api: responses.RequestsMock,
    writing: MailcowWriting,
    held: dict[str, str],
    old: dict[str, str],
    pauses: list[float],
) -> None:
    copies(api, status=502)
    shows(api, TARGET, old, old)
    shows(api, SOURCE, held, held)
    with pytest.raises(UnverifiedError, match="mailcow does not show it") as caught:
        writing.duplicate(SOURCE, TARGET)
    assert "nothing was sent twice" in caught.value.advice
    assert pauses == [Pauses().settle]
    assert len(writes(api)) == 1


def test_one_that_cannot_be_read_back(api: responses.RequestsMock, writing: MailcowWriting) -> None:
    copies(api, status=502)
    for _ in range(3):
        api.get(f"{API}/get/dkim/{TARGET}", status=503)
    with pytest.raises(UnverifiedError, match="could not be read back"):
        writing.duplicate(SOURCE, TARGET)


def test_one_that_never_left_is_sent_once_more(
    api: responses.RequestsMock, writing: MailcowWriting, held: dict[str, str]
) -> None:
    copies(api, body=never_left())
    copies(api, json=DONE)
    shows(api, TARGET, held)
    shows(api, SOURCE, held)
    assert writing.duplicate(SOURCE, TARGET) is True
    assert len(writes(api)) == 2


def test_one_that_cannot_leave(api: responses.RequestsMock, writing: MailcowWriting) -> None:
    """Nothing was done, so nothing has to be read."""
    copies(api, body=never_left())
    copies(api, body=never_left())
    with pytest.raises(TransportError) as caught:
        writing.duplicate(SOURCE, TARGET)
    assert not caught.value.sent


@pytest.mark.parametrize("half", [{"dkim_selector": False}, {"dkim_txt": "v=DKIM1;p=AAAA"}])
def test_half_a_key_is_neither_there_nor_gone(
    api: responses.RequestsMock,
    writing: MailcowWriting,
    held: dict[str, str],
    half: dict[str, object],
) -> None:
    api.post(f"{API}/delete/dkim", json=DONE)
    shows(api, TARGET, {**held, **half})
    with pytest.raises(UnverifiedError):
        writing.delete(TARGET)
    api.post(f"{API}/add/dkim", json=DONE)
    with pytest.raises(UnverifiedError):
        writing.add(TARGET, "s2", 2048)


# --- Secrets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        {"json": [{"type": "danger", "log": ["KEY"], "msg": ["private_key_error", "KEY"]}]},
        {"json": {"type": "error", "msg": f"no {CANARY}: KEY"}},
        {"json": {"type": "error", "msg": "x" * 190 + CANARY}},
        {"json": {"log": "KEY"}},
        {"status": 403, "json": {"msg": f"{CANARY} KEY"}},
        {"status": 400, "json": {"msg": "KEY"}},
        {"status": 500, "body": "KEY"},
        {"body": "<html>KEY"},
        {"body": ConnectionResetError("KEY")},
    ],
)
def test_no_error_holds_a_key_anywhere(
    api: responses.RequestsMock,
    writing: MailcowWriting,
    held: dict[str, str],
    reply: dict[str, Any],
) -> None:
    """Whatever of the request an answer repeats."""
    pem = generate("s2", 1024).pem
    body = pem.splitlines()[1]
    filled = (
        json.loads(json.dumps(reply).replace("KEY", json.dumps(pem)[1:-1]))
        if (not isinstance(reply.get("body"), Exception))
        else {"body": ConnectionResetError(pem)}
    )
    api.post(f"{API}/add/dkim_import", **filled)
    api.get(f"{API}/get/dkim/{TARGET}", json={})
    api.assert_all_requests_are_fired = False
    key = parse(held["dkim_txt"]).key
    assert key is not None
    with pytest.raises(MailauthError) as caught:
        writing.import_key(TARGET, "s2", pem, key)
    assert leaks(caught.value, [CANARY, body]) == []
    assert CANARY not in repr(writing)

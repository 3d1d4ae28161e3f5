"""DKIM keys from mailcow's API: its two spellings, its refusals, and that a ban is not provoked."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest
import requests
import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr
from responses import matchers

from netcup_mailauth.errors import (
    ApiError,
    CredentialsError,
    ExitCode,
    KeySourceError,
    MailauthError,
    TransportError,
)
from netcup_mailauth.keys.mailcow import Mailcow
from netcup_mailauth.sandbox import Sandbox
from netcup_mailauth.state.holds import Reason
from tests.canaries import leaks
from tests.notes import Notes

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "https://mail.example.com"
KEY_URL = f"{URL}/api/v1/get/dkim/"
CANARY = "C4n4ry-5ecret"


@pytest.fixture(scope="module")
def public() -> str:
    """The base64 of a 2048 bit RSA key."""
    key = rsa.generate_private_key(65537, 2048).public_key()
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode()


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def mailcow(pauses: list[float]) -> Mailcow:
    return Mailcow(URL, SecretStr(CANARY), sleep=pauses.append)


def failure(mailcow: Mailcow, domain: str = "example.com") -> MailauthError:
    with pytest.raises(MailauthError) as caught:
        mailcow.dkim(domain)
    assert CANARY not in f"{caught.value.what} {caught.value.advice}"
    return caught.value


def answer(record: str, **more: Any) -> dict[str, Any]:
    """As in the facts, section 5; the private key is there when the server is set up so."""
    return {
        "pubkey": "...",
        "length": "2048",
        "dkim_txt": record,
        "dkim_selector": "dkim",
        "privkey": CANARY,
        **more,
    }


def split(record: str) -> str:
    """As with SPLIT_DKIM_255."""
    return " ".join(f'"{record[at : at + 255]}"' for at in range(0, len(record), 255))


@pytest.mark.parametrize("spelling", [str, split])
def test_both_spellings_of_a_record(
    api: responses.RequestsMock, mailcow: Mailcow, public: str, spelling: Any
) -> None:
    record = f"v=DKIM1;k=rsa;t=s;s=email;p={public}"
    api.get(KEY_URL + "example.com", json=answer(spelling(record), dkim_selector="S2026"))
    found = mailcow.dkim("example.com")
    assert found is not None
    assert (found.record, found.selector, found.key_only) == (record, "s2026", False)
    assert found.key is not None
    assert found.key.label == "RSA 2048"
    assert found.origin == "mailcow at mail.example.com"
    assert CANARY not in repr(found)
    assert CANARY not in repr(mailcow)


def test_the_key_is_sent_as_mailcow_wants_it(api: responses.RequestsMock) -> None:
    api.get(KEY_URL + "example.com", json={}, match=[matchers.header_matcher({"X-API-Key": "k"})])
    mailcow = Mailcow(URL, SecretStr("k"))
    assert mailcow.dkim("example.com") is None
    mailcow.close()


def test_a_domain_without_a_key_has_none(api: responses.RequestsMock, mailcow: Mailcow) -> None:
    api.get(KEY_URL + "example.com", json={})
    assert mailcow.dkim("example.com") is None


@pytest.mark.parametrize(
    "payload",
    [
        [],
        [1],
        0,
        False,
        "",
        "x",
        {"dkim_txt": None},
        {"dkim_txt": 3},
        {"type": "error", "msg": "x"},
    ],
)
def test_another_answer_is_not_taken_for_no_key(
    api: responses.RequestsMock, mailcow: Mailcow, payload: object
) -> None:
    """ "No key" leaves the live record as it is and goes on; something odd must stop the run."""
    api.get(KEY_URL + "example.com", json=payload)
    error = failure(mailcow)
    assert type(error) is ApiError
    assert "not as documented" in error.what


@pytest.mark.parametrize(
    "changed",
    [
        {"dkim_txt": "v=DKIM1;k=rsa;p=AAAA"},
        {"dkim_txt": ""},
        {"dkim_txt": "v=spf1 -all"},
        {"dkim_selector": 3},
        {"dkim_selector": "a b"},
    ],
)
def test_what_is_no_key_names_the_domain(
    api: responses.RequestsMock, mailcow: Mailcow, public: str, changed: dict[str, object]
) -> None:
    payload = answer(f"v=DKIM1;k=rsa;p={public}", **changed)
    api.get(KEY_URL + "example.com", json=payload)
    error = failure(mailcow)
    assert type(error) is KeySourceError
    assert error.what.startswith("example.com: mailcow at mail.example.com")


@pytest.mark.parametrize(
    "said",
    [
        {"json": {"type": "error", "msg": "authentication failed"}},
        {"json": {"type": "error", "msg": "api access denied for ip 192.0.2.1"}},
        {"json": {"type": "error", "msg": ["a", "b"]}},
        {"json": {"type": "error", "msg": "\x1b[2J" * 1000}},
        {"json": []},
        {"body": b"<html>401 Authorization Required</html>"},
        {"body": b""},
    ],
)
def test_a_refused_key_is_never_sent_again(
    api: responses.RequestsMock, mailcow: Mailcow, pauses: list[float], said: dict[str, Any]
) -> None:
    """mailcow bans an address after a few refusals, a reverse proxy's included."""
    api.get(KEY_URL + "a.example", status=401, **said)
    first = failure(mailcow, "a.example")
    second = failure(mailcow, "b.example")
    assert len(api.calls) == 1
    assert pauses == []
    for error in (first, second):
        assert type(error) is CredentialsError
        assert error.exit_code == ExitCode.CREDENTIALS
        assert error.ends_run
        assert "mail.example.com refuses the API key (HTTP 401" in error.what
        assert error.what.isprintable()
        assert len(error.what) < 1000
    message = said.get("json")
    if isinstance(message, dict) and str(message["msg"]).isascii() and "a" in message["msg"]:
        assert isinstance(message["msg"], list) or message["msg"] in first.what


@pytest.mark.parametrize("body", [b"{}", b"<html>", b""])
@pytest.mark.parametrize(
    ("status", "words"), [(404, "no mailcow API at https://mail.example.com"), (403, "HTTP 403")]
)
def test_another_refusal_is_told_and_may_pass_for_the_next_domain(
    api: responses.RequestsMock,
    mailcow: Mailcow,
    pauses: list[float],
    status: int,
    words: str,
    body: bytes,
) -> None:
    api.get(KEY_URL + "a.example", status=status, body=body)
    error = failure(mailcow, "a.example")
    assert type(error) is ApiError
    assert words in error.what
    assert pauses == []
    api.get(KEY_URL + "b.example", json={})
    assert mailcow.dkim("b.example") is None


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [(502, b"", "HTTP 502"), (200, b"<html>", "HTML"), (200, b"", "no")],
)
def test_a_fault_at_its_end_is_tried_again(
    api: responses.RequestsMock,
    mailcow: Mailcow,
    pauses: list[float],
    status: int,
    body: bytes,
    words: str,
) -> None:
    for _ in range(3):
        api.get(KEY_URL + "example.com", status=status, body=body)
    error = failure(mailcow)
    assert isinstance(error, TransportError)
    assert words in error.what
    assert len(pauses) == 2


@pytest.mark.parametrize("domain", ["../../delete/x", "a?b=c", "a#b", "a/b", "a%2fb", "a b", "ä"])
def test_a_domain_stays_one_part_of_the_path(
    api: responses.RequestsMock, mailcow: Mailcow, domain: str
) -> None:
    """Names are checked long before; the path of a request does not rely on it."""
    api.get(re.compile(re.escape(KEY_URL) + ".*"), json={})
    assert mailcow.dkim(domain) is None
    path = api.calls[0].request.path_url
    assert path.startswith("/api/v1/get/dkim/")
    assert not set(path.removeprefix("/api/v1/get/dkim/")) & set("/?# ")


# --- What else mailcow knows ----------------------------------------------------------------------


def entry(name: str, field: str = "domain_name", active: object = "1") -> dict[str, object]:
    return {field: name, "active": active, "backupmx": "0"}


def test_every_active_domain_and_alias_domain(
    api: responses.RequestsMock, mailcow: Mailcow
) -> None:
    """mailcow writes numbers partly as texts, and `{}` for an empty list."""
    domains = [entry("B.example"), entry("off.example", active="0"), entry("a.example", active=1)]
    api.get(f"{URL}/api/v1/get/domain/all", json=domains)
    api.get(
        f"{URL}/api/v1/get/alias-domain/all",
        json=[entry("alias.example", "alias_domain"), entry("a.example", "alias_domain"), "x", {}],
    )
    assert mailcow.domains() == ("a.example", "alias.example", "b.example")


def test_a_mailcow_without_domains(api: responses.RequestsMock, mailcow: Mailcow) -> None:
    api.get(f"{URL}/api/v1/get/domain/all", json={})
    api.get(f"{URL}/api/v1/get/alias-domain/all", json={})
    assert mailcow.domains() == ()


@pytest.mark.parametrize(
    ("answered", "relay"),
    [
        ({"relayhost": "3"}, "3"),
        ({"relayhost": 3}, "3"),
        ({"relayhost": "0"}, None),
        ({"relayhost": 0}, None),
        ({"relayhost": ""}, None),
        ({"relayhost": None}, None),
        ({}, None),
        ([], None),
    ],
)
def test_the_relay_of_a_domain(
    api: responses.RequestsMock, mailcow: Mailcow, answered: object, relay: str | None
) -> None:
    api.get(f"{URL}/api/v1/get/domain/example.com", json=answered)
    assert mailcow.relay("example.com") == relay


@pytest.mark.parametrize("ask", [Mailcow.domains, lambda mailcow: mailcow.relay("example.com")])
def test_a_refused_key_is_not_tried_for_anything_else(
    api: responses.RequestsMock, mailcow: Mailcow, ask: Any
) -> None:
    api.get(KEY_URL + "example.com", status=401, json={})
    failure(mailcow)
    with pytest.raises(CredentialsError):
        ask(mailcow)
    assert len(api.calls) == 1


# --- A key that was refused, and secrets ----------------------------------------------------------


VERSION_URL = f"{URL}/api/v1/get/status/version"


def test_a_key_that_works_lifts_the_hold(api: responses.RequestsMock, mailcow: Mailcow) -> None:
    api.get(VERSION_URL, json={"version": "2026-08"})
    mailcow._trial._hold = notes = Notes()
    assert mailcow.version() == "2026-08"
    assert notes.told == ["asked", "lifted"]


@pytest.mark.parametrize(("status", "told"), [(401, [Reason.REFUSED]), (403, []), (404, [])])
def test_only_a_401_is_noted(
    api: responses.RequestsMock, mailcow: Mailcow, status: int, told: list[str]
) -> None:
    """mailcow bans the address after a few of them, and of no other answer."""
    api.get(VERSION_URL, status=status, json={"type": "error", "msg": "no"})
    mailcow._trial._hold = notes = Notes()
    with pytest.raises(MailauthError):
        mailcow.version()
    assert notes.told == ["asked", *told]


@pytest.mark.parametrize(
    "page",
    [
        {"body": b"<html>401 Authorization Required</html>"},
        {"body": b""},
        {"json": {}},
        {"json": []},
        {"json": {"error": "Unauthorized"}},
        {"json": {"type": "danger", "msg": "no"}},
    ],
)
def test_a_401_of_something_in_front_of_mailcow_is_not_noted(
    api: responses.RequestsMock, mailcow: Mailcow, page: dict[str, Any]
) -> None:
    """It says nothing of the key, which is all the same not sent again in this run."""
    api.get(VERSION_URL, status=401, **page)
    mailcow._trial._hold = notes = Notes()
    for _ in range(2):
        with pytest.raises(CredentialsError):
            mailcow.version()
    assert notes.told == ["asked"]
    assert len(api.calls) == 1


def test_an_answer_about_another_domain_is_refused(
    api: responses.RequestsMock, mailcow: Mailcow
) -> None:
    other = {"domain_name": "b.example\x1b[2J", "relayhost": "0"}
    api.get(f"{URL}/api/v1/get/domain/example.com", json=other)
    with pytest.raises(ApiError, match="answered about") as caught:
        mailcow.relay("example.com")
    assert caught.value.what.isprintable()
    api.get(KEY_URL + "example.com", json={"domain": "b.example", "dkim_txt": "v=DKIM1;p="})
    with pytest.raises(ApiError, match="answered about"):
        mailcow.dkim("example.com")


@pytest.mark.parametrize("payload", [{}, [], {"version": 3}, {"version": "\x1b[2J"}, "x"])
def test_what_does_not_tell_its_version_is_no_mailcow(
    api: responses.RequestsMock, mailcow: Mailcow, payload: object
) -> None:
    api.get(VERSION_URL, json=payload)
    with pytest.raises(ApiError, match="does not answer as a mailcow"):
        mailcow.version()


def test_a_long_version_is_cut(api: responses.RequestsMock, mailcow: Mailcow) -> None:
    api.get(VERSION_URL, json={"version": "x" * 100_000})
    assert len(mailcow.version()) == 40


@pytest.mark.parametrize(
    "mishap",
    [
        {"status": 401, "json": {"msg": f"no {CANARY} here"}},
        {"status": 401, "json": {"msg": "x" * 195 + CANARY}},
        {"status": 403, "json": {"msg": CANARY}},
        {"status": 500, "body": CANARY},
        {"body": f"<html>{CANARY}"},
        {"body": f'{{"privkey": "{CANARY}"'},
        {"json": {"privkey": CANARY}},
        {"json": {"dkim_txt": "v=DKIM1;p=AAAA", "privkey": CANARY}},
        {"json": {"dkim_txt": "v=spf1", "privkey": CANARY, "dkim_selector": [CANARY]}},
        {"status": 302, "headers": {"Location": f"https://x.example/{CANARY}"}},
        {"body": ConnectionResetError(CANARY)},
        {"body": requests.exceptions.SSLError(CANARY)},
    ],
)
def test_no_error_holds_a_key_anywhere(
    api: responses.RequestsMock, mailcow: Mailcow, mishap: dict[str, Any]
) -> None:
    """Neither ours, should mailcow repeat it, nor the private key that it can be set up to send."""
    for _ in range(3 if mishap.get("status") == 500 or "body" in mishap else 1):
        api.get(KEY_URL + "example.com", **mishap)
    api.assert_all_requests_are_fired = False
    assert leaks(failure(mailcow), [CANARY]) == []


@pytest.mark.parametrize(
    "name",
    [
        'a.example"]\n[rotation]\nsigner_command = ["sh"]\n#',
        "../../etc/passwd",
        "a.example\u2028b.example",
        "a.example;reboot",
        "\x1b[2J.example",
        "\udc80.example",
        "example",
        "192.0.2.1",
        "",
        None,
        ["a.example"],
    ],
)
def test_what_is_no_domain_name_is_dropped_and_told_once(
    name: object, api: responses.RequestsMock
) -> None:
    told: list[str] = []
    mailcow = Mailcow(URL, SecretStr(CANARY), warn=told.append)
    for path, field in (("domain", "domain_name"), ("alias-domain", "alias_domain")):
        entries = [{field: name, "active": "1"}, {field: "Straße.example.", "active": "1"}]
        api.get(f"{URL}/api/v1/get/{path}/all", json=entries)
    for _ in range(2):
        assert mailcow.domains() == ("xn--strae-oqa.example",)
    (warning,) = told
    assert "no domain name" in warning
    assert warning.isascii()
    assert warning.isprintable()


def test_a_relay_is_told_on_one_line(api: responses.RequestsMock, mailcow: Mailcow) -> None:
    api.get(f"{URL}/api/v1/get/domain/example.com", json={"relayhost": "1\x1b[2J\n" + "x" * 500})
    relay = mailcow.relay("example.com")
    assert relay is not None
    assert relay.isprintable()
    assert len(relay) < 300


@pytest.mark.parametrize(
    ("address", "arrives"),
    [
        ("Postmaster@example.com", True),
        ("dmarc@example.com", True),
        ("nobody@example.com", False),
        ("anybody@example.net", True),
        ("postmaster@alias.example", True),
        ("nobody@alias.example", False),
        ("postmaster@elsewhere.example", None),
    ],
)
def test_whether_mail_to_an_address_arrives(address: str, arrives: bool | None) -> None:
    """By a mailbox, an alias, one for a whole domain; of another's domains it cannot know."""
    with Sandbox(
        ("example.com", "example.net"),
        alias_domains={"alias.example": "example.com"},
        mailboxes=["postmaster@example.com"],
        aliases={"dmarc@example.com": "postmaster@example.com", "@example.net": "a@example.com"},
    ) as sandbox:
        key = SecretStr(sandbox.env["MAILCOW_API_KEY"] or "")
        assert Mailcow(sandbox.mailcow_url, key).takes_mail(address) is arrives

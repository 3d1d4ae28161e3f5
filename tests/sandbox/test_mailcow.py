"""The mailcow API of section 5: keys in both shapes, `{}` for nothing, and refusals."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tests.sandbox.client import DOMAIN, Ccp

if TYPE_CHECKING:
    from tests.sandbox.conftest import Start

GIVEN = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDfakefakefakefakefake"


def ask(ccp: Ccp, path: str, method: str = "GET", **headers: str) -> requests.Response:
    url = f"{ccp.sandbox.mailcow_url}/api/v1/{path}"
    key = {"X-API-Key": str(ccp.sandbox.env["MAILCOW_API_KEY"])}
    return requests.request(method, url, headers={**key, **headers}, timeout=10)


def control(ccp: Ccp, body: dict[str, Any]) -> requests.Response:
    return requests.post(f"{ccp.sandbox.control_url}/mailcow", json=body, timeout=10)


def bits(pubkey: str) -> int:
    key = serialization.load_der_public_key(base64.b64decode(pubkey))
    assert isinstance(key, RSAPublicKey)
    return key.key_size


def test_a_domain_has_a_2048_bit_key_from_the_start(ccp: Ccp) -> None:
    answer = ask(ccp, f"get/dkim/{DOMAIN}")
    assert answer.status_code == 200
    key = answer.json()
    assert set(key) == {"pubkey", "length", "dkim_txt", "dkim_selector", "privkey"}
    assert bits(key["pubkey"]) == 2048
    assert (key["length"], key["dkim_selector"], key["privkey"]) == ("2048", "dkim", "")
    assert key["dkim_txt"] == f"v=DKIM1;k=rsa;t=s;s=email;p={key['pubkey']}"
    assert ask(ccp, f"get/dkim/{DOMAIN.upper()}").json() == key  # and stays the same


def test_the_private_key_belongs_to_it(ccp: Ccp) -> None:
    """End-to-end tests sign mail with it."""
    pem = ccp.sandbox.dkim_private_key(DOMAIN)
    assert pem is not None
    private = serialization.load_pem_private_key(pem.encode(), password=None)
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert ask(ccp, f"get/dkim/{DOMAIN}").json()["pubkey"] == base64.b64encode(public).decode()


def test_switch_dkim_txt_in_quoted_chunks(start: Start) -> None:
    ccp = start(mailcow_split_dkim=True, dkim_keys={DOMAIN: "A" * 392})
    text = ask(ccp, f"get/dkim/{DOMAIN}").json()["dkim_txt"]
    chunks = re.findall(r'"([^"]*)"', text)
    assert [len(chunk) for chunk in chunks] == [255, 165]
    assert text == " ".join(f'"{chunk}"' for chunk in chunks)
    assert "".join(chunks) == f"v=DKIM1;k=rsa;t=s;s=email;p={'A' * 392}"


def test_given_keys_and_no_key(start: Start) -> None:
    ccp = start(dkim_keys={DOMAIN: GIVEN, "example.org": None})
    assert ask(ccp, f"get/dkim/{DOMAIN}").json()["pubkey"] == GIVEN
    assert ask(ccp, f"get/dkim/{DOMAIN}").json()["length"] == "1024"
    assert ccp.sandbox.dkim_private_key(DOMAIN) is None
    assert ask(ccp, "get/dkim/example.org").json() == {}
    assert ask(ccp, "get/domain/example.org").json()["domain_name"] == "example.org"
    assert list(ccp.sandbox.stats()["zones"]) == [DOMAIN]


def test_a_new_key(ccp: Ccp) -> None:
    """What the demo shows: mailcow made a new key."""
    old = ask(ccp, f"get/dkim/{DOMAIN}").json()
    answer = control(ccp, {"domain": DOMAIN, "action": "new-key", "selector": "s2", "bits": 1024})
    assert answer.status_code == 200
    new = ask(ccp, f"get/dkim/{DOMAIN}").json()
    assert new["pubkey"] == answer.json()["pubkey"] != old["pubkey"]
    assert (new["length"], new["dkim_selector"], bits(new["pubkey"])) == ("1024", "s2", 1024)
    assert ccp.sandbox.set_dkim(DOMAIN, bits=1024) != new["pubkey"]
    assert ask(ccp, f"get/dkim/{DOMAIN}").json()["dkim_selector"] == "s2"
    ccp.sandbox.reset()
    assert ask(ccp, f"get/dkim/{DOMAIN}").json() == old


def test_no_key(ccp: Ccp) -> None:
    assert control(ccp, {"domain": DOMAIN, "action": "no-key"}).status_code == 200
    assert ask(ccp, f"get/dkim/{DOMAIN}").json() == {}
    assert ccp.sandbox.dkim_private_key(DOMAIN) is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"domain": "foreign.de", "action": "new-key"},
        {"domain": "foreign.de", "action": "no-key"},
        {"domain": DOMAIN, "action": "eat"},
        {"domain": DOMAIN, "action": "new-key", "bits": 512},
        {"domain": DOMAIN, "action": "new-key", "bits": "2048"},
        {"domain": DOMAIN, "action": "new-key", "selector": "a b"},
        {"domain": DOMAIN, "action": "new-key", "selector": 7},
    ],
)
def test_bad_control_calls_are_400(ccp: Ccp, body: dict[str, Any]) -> None:
    answer = control(ccp, body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_domains(start: Start) -> None:
    ccp = start(("example.com", "example.org"), alias_domains={"alias.de": DOMAIN})
    domains = ask(ccp, "get/domain/all").json()
    assert [domain["domain_name"] for domain in domains] == ["example.com", "example.org"]
    assert ask(ccp, "get/domain/example.org").json() == domains[1]
    (alias,) = ask(ccp, "get/alias-domain/all").json()
    assert (alias["alias_domain"], alias["target_domain"]) == ("alias.de", DOMAIN)
    assert ask(ccp, "get/dkim/alias.de").json()["dkim_selector"] == "dkim"


@pytest.mark.parametrize(
    "path", ["get/dkim/foreign.de", "get/domain/foreign.de", "get/alias-domain/all"]
)
def test_nothing_found_is_an_empty_object(ccp: Ccp, path: str) -> None:
    """Also where a list is expected."""
    answer = ask(ccp, path)
    assert (answer.status_code, answer.json()) == (200, {})


def test_no_domains_at_all_is_an_empty_object(start: Start) -> None:
    assert ask(start(()), "get/domain/all").json() == {}


def test_version(ccp: Ccp) -> None:
    assert ask(ccp, "get/status/version").json()["version"].startswith("2026-")


@pytest.mark.parametrize("key", ["", "000000-000000-000000-000000-000000", "ü"])
def test_a_bad_key_is_401_and_counted(ccp: Ccp, key: str) -> None:
    """mailcow's fail2ban hears of each one, so a client must not repeat it."""
    url = f"{ccp.sandbox.mailcow_url}/api/v1/get/dkim/{DOMAIN}"
    answer = requests.get(url, headers={"X-API-Key": key.encode()}, timeout=5)
    assert answer.status_code == 401
    assert answer.json() == {"type": "error", "msg": "authentication failed"}
    assert ccp.sandbox.stats()["mailcow"] == {"401": 1}


def test_no_key_header_is_401(ccp: Ccp) -> None:
    url = f"{ccp.sandbox.mailcow_url}/api/v1/get/dkim/{DOMAIN}"
    assert requests.get(url, timeout=5).status_code == 401


def test_switch_an_address_that_is_not_allowed_is_401(start: Start) -> None:
    answer = ask(start(mailcow_denies_ip=True), f"get/dkim/{DOMAIN}")
    assert answer.status_code == 401
    assert answer.json()["msg"] == "api access denied for ip 127.0.0.1"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "add/dkim", 403),
        ("POST", "delete/dkim", 403),
        ("POST", "edit/domain", 403),
        ("GET", "add/dkim", 405),
        ("POST", f"get/dkim/{DOMAIN}", 405),
        ("PUT", f"get/dkim/{DOMAIN}", 405),
        ("GET", "get/nothing", 404),
        ("GET", "nothing", 404),
    ],
)
def test_a_read_only_key_reads_only(ccp: Ccp, method: str, path: str, status: int) -> None:
    answer = ask(ccp, path, method)
    assert answer.status_code == status
    assert answer.json()["type"] == "error"


def test_a_browser_is_refused(ccp: Ccp) -> None:
    assert ask(ccp, "get/domain/all", **{"Sec-Fetch-Dest": "document"}).status_code == 403
    assert ask(ccp, "get/domain/all", **{"Sec-Fetch-Dest": "empty"}).status_code == 200


def test_the_key_has_mailcows_form(ccp: Ccp) -> None:
    key = str(ccp.sandbox.env["MAILCOW_API_KEY"])
    assert re.fullmatch(r"[0-9A-F]{6}(-[0-9A-F]{6}){4}", key)


def test_requests_are_counted_by_kind(ccp: Ccp) -> None:
    ask(ccp, "get/domain/all")
    ask(ccp, f"get/domain/{DOMAIN}")
    ask(ccp, "get/status/version")
    assert ccp.sandbox.stats()["mailcow"] == {"get/domain": 2, "get/status": 1}
    assert ccp.sandbox.stats()["connections"] == 1


def test_other_paths_are_404(ccp: Ccp) -> None:
    assert requests.get(ccp.sandbox.mailcow_url, timeout=5).status_code == 404
    assert requests.get(f"{ccp.sandbox.mailcow_url}/control/stats", timeout=5).status_code == 404

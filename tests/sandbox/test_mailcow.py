"""The mailcow API of section 5: keys in both shapes, `{}` for nothing, and refusals."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from netcup_mailauth.sandbox import Sandbox
from tests.sandbox.client import DOMAIN, Ccp

if TYPE_CHECKING:
    from pathlib import Path

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
    assert ask(ccp, f"get/dkim/{DOMAIN}").json() == key  # and stays the same
    assert ask(ccp, f"get/dkim/{DOMAIN.upper()}").json() == {}  # Redis minds the case


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
        ("GET", "add/dkim", 403),
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


# --- Writes, as in data/web/inc/functions.dkim.inc.php --------------------------------------------

HELPER = "helper.example"


def write(ccp: Ccp, call: str, body: object, key: str | None = None) -> requests.Response:
    url = f"{ccp.sandbox.mailcow_url}/api/v1/{call}"
    headers = {"X-API-Key": key or ccp.sandbox.mailcow_rw_key}
    return requests.post(url, json=body, headers=headers, timeout=10)


def said(ccp: Ccp, call: str, body: object) -> list[tuple[str, object]]:
    answer = write(ccp, call, body)
    assert answer.status_code == 200  # whatever happened
    return [(entry["type"], entry["msg"]) for entry in answer.json()]


def held(ccp: Ccp, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = ask(ccp, f"get/dkim/{name}").json()
    return answer


def duplicate(ccp: Ccp, source: str, target: str) -> list[tuple[str, object]]:
    return said(ccp, "add/dkim_duplicate", {"from_domain": source, "to_domain": target})


def fail(ccp: Ccp, mode: str, call: str = "add/dkim_duplicate", **more: object) -> None:
    order = {"action": "fail", "domain": DOMAIN, "call": call, "mode": mode, **more}
    assert control(ccp, order).status_code == 200


@pytest.fixture
def cow(start: Start) -> Ccp:
    return start(dkim_keys={DOMAIN: GIVEN, HELPER: None})


def test_a_key_is_added_where_there_is_none(cow: Ccp) -> None:
    body = {"domains": f"{HELPER}, nowhere.example;{DOMAIN}", "dkim_selector": "s1"}
    assert said(cow, "add/dkim", {**body, "key_size": "1024"}) == [
        ("success", ["dkim_added", HELPER]),
        ("danger", ["access_denied", "nowhere.example"]),
        ("danger", ["dkim_domain_or_sel_invalid", DOMAIN]),  # it has one: the code misleads
    ]
    made = held(cow, HELPER)
    assert (made["dkim_selector"], bits(made["pubkey"])) == ("s1", 1024)
    assert held(cow, DOMAIN)["pubkey"] == GIVEN


@pytest.mark.parametrize(
    "changed", [{"dkim_selector": "a b"}, {"key_size": "0"}, {"domains": "a_b.example"}]
)
def test_what_cannot_be_added(cow: Ccp, changed: dict[str, str]) -> None:
    body = {"domains": HELPER, "dkim_selector": "s1", "key_size": "1024", **changed}
    ((kind, message),) = said(cow, "add/dkim", body)
    assert (kind, message) == ("danger", ["dkim_domain_or_sel_invalid", body["domains"]])
    assert held(cow, HELPER) == {}


def test_a_copy_overwrites_and_goes_to_any_name(cow: Ccp) -> None:
    key = cow.sandbox.set_dkim(HELPER, "s1", 1024)
    parked = "example.com.old.invalid"
    assert duplicate(cow, DOMAIN, parked) == [("success", ["dkim_duplicated", DOMAIN, parked])]
    assert held(cow, parked)["pubkey"] == GIVEN
    duplicate(cow, HELPER, DOMAIN)
    assert (held(cow, DOMAIN)["pubkey"], held(cow, DOMAIN)["dkim_selector"]) == (key, "s1")
    assert cow.sandbox.dkim_private_key(DOMAIN) == cow.sandbox.dkim_private_key(HELPER)
    none = "nowhere.example"
    assert duplicate(cow, none, DOMAIN) == [("danger", ["dkim_domain_or_sel_invalid", none])]


def test_an_import_deletes_and_sets(cow: Ccp) -> None:
    cow.sandbox.set_dkim(HELPER, "s1", 1024)
    key, pem = held(cow, HELPER)["pubkey"], cow.sandbox.dkim_private_key(HELPER)
    body = {"domain": DOMAIN, "dkim_selector": "s2", "private_key_file": pem}
    refused = [("danger", ["dkim_domain_or_sel_exists", DOMAIN])]
    assert said(cow, "add/dkim_import", body) == refused
    assert said(cow, "add/dkim_import", {**body, "overwrite_existing": 1}) == [
        ("success", ["dkim_removed", DOMAIN]),
        ("success", ["dkim_added", DOMAIN]),
    ]
    assert (held(cow, DOMAIN)["pubkey"], held(cow, DOMAIN)["dkim_selector"]) == (key, "s2")
    ((kind, message),) = said(cow, "add/dkim_import", {**body, "private_key_file": "x"})
    assert kind == "danger"
    assert str(message).startswith("['private_key_error'")


def test_the_api_log_masks_passwords_but_no_private_key(cow: Ccp) -> None:
    """What an import leaks; a copy does not."""
    cow.sandbox.set_dkim(HELPER, "s1", 1024)
    pem = cow.sandbox.dkim_private_key(HELPER)
    duplicate(cow, HELPER, DOMAIN)
    log = ask(cow, "get/logs/api/100").json()
    assert "PRIVATE KEY" not in str(log)
    body = {"domain": DOMAIN, "private_key_file": pem, "overwrite_existing": 1, "password": "s3"}
    write(cow, "add/dkim_import", body)
    newest = ask(cow, "get/logs/api/2").json()[1]
    assert newest["uri"] == "/api/v1/add/dkim_import"
    assert "BEGIN PRIVATE KEY" in newest["data"]
    assert '"password":"*"' in newest["data"]


def test_a_deletion(cow: Ccp) -> None:
    names = [DOMAIN, "nowhere.example"]
    assert said(cow, "delete/dkim", names) == [("success", ["dkim_removed", n]) for n in names]
    assert held(cow, DOMAIN) == {}
    refused = [("danger", ["dkim_domain_or_sel_invalid", "a_b.example"])]
    assert said(cow, "delete/dkim", ["a_b.example"]) == refused


@pytest.mark.parametrize(
    ("call", "body", "status"),
    [
        ("add/dkim_duplicate", None, 400),
        ("add/nothing", {}, 404),
        ("edit/domain", {}, 404),
    ],
)
def test_odd_writes(cow: Ccp, call: str, body: object, status: int) -> None:
    url = f"{cow.sandbox.mailcow_url}/api/v1/{call}"
    headers = {"X-API-Key": cow.sandbox.mailcow_rw_key, "Content-Type": "application/json"}
    data = "{" if body is None else "{}"
    assert requests.post(url, data=data, headers=headers, timeout=5).status_code == status


def test_a_write_without_json_is_a_success_that_says_it_is_not(cow: Ccp) -> None:
    url = f"{cow.sandbox.mailcow_url}/api/v1/add/dkim"
    headers = {"X-API-Key": cow.sandbox.mailcow_rw_key}
    answer = requests.post(url, data={"x": "y"}, headers=headers, timeout=5)
    assert answer.status_code == 200
    assert answer.json() == {"type": "error", "msg": "Cannot find attributes in post data"}


def test_the_allow_list_holds_for_the_read_write_key_too(start: Start) -> None:
    cow = start(mailcow_denies_ip=True)
    assert write(cow, "delete/dkim", [DOMAIN]).status_code == 401


def test_copies_survive_a_restart(tmp_path: Path) -> None:
    state, name = tmp_path / "state.json", "example.com.old.invalid"
    with Sandbox([DOMAIN], state=state, dkim_keys={DOMAIN: GIVEN}) as sandbox:
        duplicate(Ccp(sandbox), DOMAIN, name)
    with Sandbox([DOMAIN], state=state) as sandbox:
        assert held(Ccp(sandbox), name)["pubkey"] == GIVEN


# --- Faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "done"),
    [
        ("error", False),
        ("drop-before", False),
        ("drop-after", True),
        ("500", False),
        ("success-but-nothing", False),
    ],
)
def test_a_write_fails_once(cow: Ccp, mode: str, done: bool) -> None:
    cow.sandbox.set_dkim(HELPER, "s1", 1024)
    fail(cow, mode)
    body = {"from_domain": HELPER, "to_domain": DOMAIN}
    if mode.startswith("drop"):
        with pytest.raises(requests.ConnectionError):
            write(cow, "add/dkim_duplicate", body)
    else:
        answer = write(cow, "add/dkim_duplicate", body)
        assert answer.status_code == (500 if mode == "500" else 200)
        assert ('"success"' in answer.text) is (mode == "success-but-nothing")
    assert (held(cow, DOMAIN)["dkim_selector"] == "s1") is done
    duplicate(cow, HELPER, DOMAIN)
    assert held(cow, DOMAIN)["dkim_selector"] == "s1"


@pytest.mark.parametrize("mode", ["partly", "killed"])
def test_mailcow_fails_between_its_own_writes(cow: Ccp, mode: str) -> None:
    """The public half, then the selector, then the private half; only the first two are shown."""
    key = cow.sandbox.set_dkim(HELPER, "s1", 1024)
    for writes, selector in ((1, "dkim"), (2, "s1")):
        fail(cow, mode, writes=writes)
        body = {"from_domain": HELPER, "to_domain": DOMAIN}
        if mode == "killed":
            with pytest.raises(requests.ConnectionError):
                write(cow, "add/dkim_duplicate", body)
        else:
            assert said(cow, "add/dkim_duplicate", body) == [("danger", ["redis_error", {}])]
        assert (held(cow, DOMAIN)["pubkey"], held(cow, DOMAIN)["dkim_selector"]) == (key, selector)
        assert cow.sandbox.dkim_private_key(DOMAIN) is None


def test_a_key_without_a_selector(cow: Ccp) -> None:
    fail(cow, "partly", "add/dkim", domain=HELPER)
    said(cow, "add/dkim", {"domains": HELPER, "key_size": 1024})
    assert held(cow, HELPER)["dkim_selector"] is False  # PHP's word for what is not there


def test_only_calls_about_the_domain_fail_and_only_so_many(cow: Ccp) -> None:
    fail(cow, "error", after=1, times=1)
    results = [duplicate(cow, DOMAIN, "x.invalid")[0][0] for _ in range(3)]
    assert results == ["success", "danger", "success"]
    fail(cow, "error")
    assert duplicate(cow, "x.invalid", "y.invalid")[0][0] == "success"
    cow.sandbox.reset()
    assert duplicate(cow, DOMAIN, "x.invalid")[0][0] == "success"


@pytest.mark.parametrize("mode", ["500", "drop-before"])
def test_a_reading_can_fail_too(cow: Ccp, mode: str) -> None:
    fail(cow, mode, "get/dkim")
    try:
        assert ask(cow, f"get/dkim/{DOMAIN}").status_code == 500
    except requests.ConnectionError:
        assert mode == "drop-before"
    assert held(cow, DOMAIN)["pubkey"] == GIVEN


@pytest.mark.parametrize(
    "changed",
    [{"call": "add/x"}, {"mode": "x"}, {"times": 0}, {"writes": -1}, {"domain": 3}, {"extra": 1}],
)
def test_a_bad_order_to_fail_is_400(cow: Ccp, changed: dict[str, object]) -> None:
    order = {"action": "fail", "call": "add/dkim", "mode": "error", **changed}
    assert control(cow, order).status_code == 400

"""Who else signs with a key: only what mailcow plainly says lets a record be removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import responses
from pydantic import SecretStr

from netcup_mailauth.errors import TransportError
from netcup_mailauth.keys.mailcow import Mailcow
from netcup_mailauth.rotation.signers import Users
from netcup_mailauth.rotation.signers_mailcow import MailcowKeys
from tests.keys import ed25519

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "https://mail.example.com"
ALL, ALIASES = f"{URL}/api/v1/get/domain/all", f"{URL}/api/v1/get/alias-domain/all"
OWN, OTHER, ALIAS = "example.com", "other.example", "alias.example"
KEY = ed25519().public


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def keys() -> MailcowKeys:
    return MailcowKeys(Mailcow(URL, SecretStr("k"), sleep=lambda _: None))


def domain(name: str, active: object = 1) -> dict[str, object]:
    return {"domain_name": name, "active": active}


def alias(name: str, target: str) -> dict[str, object]:
    return {"alias_domain": name, "target_domain": target, "active": "1"}


def holds(api: responses.RequestsMock, name: str, *, key: bool) -> None:
    record = {"dkim_txt": f"v=DKIM1;k=ed25519;p={KEY.p}", "dkim_selector": "dkim"}
    api.get(f"{URL}/api/v1/get/dkim/{name}", json=record if key else {})


@pytest.mark.parametrize(
    ("domains", "aliases"),
    [
        ({}, {}),
        ([], []),
        ({"type": "error", "msg": "x"}, {}),
        ([{"type": "error", "msg": "x"}], {}),
        ({"type": "success", "msg": "x"}, {}),
        ({"0": {"domain_name": OWN, "active": 1}}, {}),
        ([domain(OTHER)], {}),
        ([domain(OWN), {}], {}),
        ([domain(OWN), "other.example"], {}),
        ([domain(OWN), {"domain_name": None, "active": 1}], {}),
        ([domain(OWN), {"domain_name": "", "active": 1}], {}),
        ([domain(OWN)], {"type": "error", "msg": "x"}),
        ([domain(OWN)], [{"alias_domain": 3}]),
        ([domain(OWN)], [[]]),
        ("x", {}),
        (3, {}),
        (False, {}),
        ([domain(OTHER)], [alias(OWN, "gone.example")]),
        ({}, [alias(OWN, OTHER)]),
    ],
)
def test_a_list_that_cannot_be_all_says_nothing(
    api: responses.RequestsMock, keys: MailcowKeys, domains: object, aliases: object
) -> None:
    api.get(ALL, json=domains)
    api.get(ALIASES, json=aliases)
    holds(api, OWN, key=True)
    holds(api, OTHER, key=False)
    users = keys.others(OWN, KEY)
    assert users.domains == ()
    assert users.unsure
    assert users.unsure.isprintable()


@pytest.mark.parametrize("active", [1, "1", True, "true", "yes", None, 2, "2", "", False, [1]])
def test_what_is_not_plainly_switched_off_counts(
    api: responses.RequestsMock, keys: MailcowKeys, active: object
) -> None:
    api.get(ALL, json=[domain(OWN), domain(OTHER, active)])
    api.get(ALIASES, json={})
    holds(api, OTHER, key=True)
    assert keys.others(OWN, KEY) == Users((OTHER,))


def test_one_that_does_not_say_whether_it_is_active_counts(
    api: responses.RequestsMock, keys: MailcowKeys
) -> None:
    api.get(ALL, json=[domain(OWN), {"domain_name": OTHER}])
    api.get(ALIASES, json=[{"alias_domain": ALIAS, "target_domain": OWN}])
    for name in (OTHER, ALIAS):
        holds(api, name, key=True)
    assert keys.others(OWN, KEY) == Users((ALIAS, OTHER))


@pytest.mark.parametrize("active", [0, "0"])
def test_what_is_switched_off_does_not_sign(
    api: responses.RequestsMock, keys: MailcowKeys, active: object
) -> None:
    api.get(ALL, json=[domain(OWN, active), domain(OTHER, active)])
    api.get(ALIASES, json={})
    assert keys.others(OWN, KEY) == Users()


def test_the_list_of_an_alias_has_its_target(
    api: responses.RequestsMock, keys: MailcowKeys
) -> None:
    api.get(ALL, json=[domain(OTHER)])
    api.get(ALIASES, json=[alias(OWN, OTHER)])
    holds(api, OTHER, key=False)
    assert keys.others(OWN, KEY) == Users()


@pytest.mark.parametrize(
    "held",
    [
        {"dkim_txt": "v=DKIM1;k=rsa;p=AAAA", "dkim_selector": "dkim"},
        {"dkim_txt": 3},
        {"type": "error", "msg": "x"},
        [],
    ],
)
def test_a_key_that_cannot_be_read_may_be_the_one(
    api: responses.RequestsMock, keys: MailcowKeys, held: object
) -> None:
    api.get(ALL, json=[domain(OWN), domain(OTHER)])
    api.get(ALIASES, json={})
    api.get(f"{URL}/api/v1/get/dkim/{OTHER}", json=held)
    assert "not known" in keys.others(OWN, KEY).unsure


def test_a_mailcow_that_does_not_answer_is_an_error(
    api: responses.RequestsMock, keys: MailcowKeys
) -> None:
    api.get(ALL, status=502)
    with pytest.raises(TransportError):
        keys.others(OWN, KEY)

"""A zone that moves from one API to the other while a plan for it waits, or is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.apis import CCP, CLOUDDNS, each_api
from tests.story.wanted import DROP, SPF

if TYPE_CHECKING:
    from netcup_mailauth.sandbox import Sandbox
    from tests.apis import Api
    from tests.story.inprocess import Cli

api = each_api

DMARC = "v=DMARC1;p=none"
WISH = ("--spf", SPF, *DROP, "--dmarc", DMARC)
OTHER = {CCP.name: CLOUDDNS, CLOUDDNS.name: CCP}


def texts(sandbox: Sandbox) -> list[tuple[str, str, str]]:
    """Every record without its id, to be compared over a move; duplicates stay duplicates."""
    records = sandbox.zone("example.com")
    return sorted((str(r["hostname"]), str(r["type"]), str(r["destination"])) for r in records)


def move(sandbox: Sandbox, api: Api) -> None:
    sandbox.set_backend("example.com", OTHER[api.name].name)


def with_keys(cli: Cli, *apis: Api) -> None:
    """Only these keys from now on."""
    every = {**cli.sandbox.env, "NETCUP_REST_API_KEY": cli.sandbox.rest_key}
    names = [name for api in apis for name in api.secrets]
    keys = (*CCP.secrets, *CLOUDDNS.secrets)
    cli.set({name: every[name] if name in names else None for name in keys})


@pytest.mark.parametrize("keys", ["both", "own"])
def test_a_plan_file_is_stale_and_says_why(cli: Cli, api: Api, keys: str) -> None:
    """With both keys, and with only the one the plan was made with."""
    with_keys(cli, *((CCP, CLOUDDNS) if keys == "both" else (api,)))
    assert cli("plan", "example.com", *WISH, "--out", "plan.json")[0] == 0
    before = texts(cli.sandbox)
    move(cli.sandbox, api)
    code, out, err = cli("apply", "--plan", "plan.json")
    assert code == 7, err
    said = " ".join((out + err).split())
    assert "example.com has changed since the plan was made" in said
    assert {
        ("both", "ccp"): "is on another API now (clouddns)",
        ("both", "clouddns"): "is on another API now (ccp)",
        ("own", "ccp"): "CloudDNS",
        ("own", "clouddns"): "Legacy-API-Keys",
    }[keys, api.name] in said
    assert texts(cli.sandbox) == before
    assert (CCP.writes(cli.sandbox), CLOUDDNS.writes(cli.sandbox)) == (0, 0)


def test_without_the_key_it_was_made_with_a_plan_file_is_not_for_us(cli: Cli, api: Api) -> None:
    with_keys(cli, CCP, CLOUDDNS)
    cli("plan", "example.com", *WISH, "--out", "plan.json")
    before = texts(cli.sandbox)
    move(cli.sandbox, api)
    with_keys(cli, OTHER[api.name])
    code, _, err = cli("apply", "--plan", "plan.json")
    assert code == 2
    assert api.name in err
    assert texts(cli.sandbox) == before


@pytest.mark.parametrize("keys", ["both", "own"])
def test_between_the_last_read_and_the_write(
    cli: Cli, api: Api, keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """netcup refuses the write where the zone no longer is; it is not sent to the other API."""
    with_keys(cli, *((CCP, CLOUDDNS) if keys == "both" else (api,)))
    before = texts(cli.sandbox)
    moving_before(cli.sandbox, api, monkeypatch)
    code, out, err = cli("apply", "example.com", *WISH, "--yes")
    assert code == 7, out + err
    assert texts(cli.sandbox) == before
    assert api.writes(cli.sandbox) == 1
    assert OTHER[api.name].writes(cli.sandbox) == 0


@pytest.mark.parametrize("keys", ["both", "own"])
def test_right_after_the_write(
    cli: Cli, api: Api, keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is lost and the zone elsewhere: nobody says that nothing was written."""
    with_keys(cli, *((CCP, CLOUDDNS) if keys == "both" else (api,)))
    count = len(texts(cli.sandbox))
    cli.sandbox.fault(api.write, "apply-then-drop")
    moving_after(cli.sandbox, api, monkeypatch)
    code, out, err = cli("apply", "example.com", *WISH, "--yes")
    assert code == 8, out + err
    assert "nothing was sent twice" in err
    assert "Nothing was written" not in out + err
    with_keys(cli, CCP, CLOUDDNS)
    assert len(texts(cli.sandbox)) == count + 1
    assert ("@", "TXT", SPF) in texts(cli.sandbox)
    assert ("_dmarc", "TXT", DMARC) in texts(cli.sandbox)
    assert cli("apply", "example.com", *WISH, "--yes")[0] == 0
    assert CCP.writes(cli.sandbox) + CLOUDDNS.writes(cli.sandbox) == 1


def moving_before(sandbox: Sandbox, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the zone move just as the write arrives."""
    take = sandbox._faults.take

    def noticed(where: Any, action: str) -> object:
        if action == api.write:
            move(sandbox, api)
        return take(where, action)

    monkeypatch.setattr(sandbox._faults, "take", noticed)


def moving_after(sandbox: Sandbox, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the zone move before anything is asked after the write."""
    take = sandbox._faults.take
    written: list[str] = []

    def noticed(where: Any, action: str) -> object:
        if written:
            move(sandbox, api)
        if action == api.write:
            written.append(action)
        return take(where, action)

    monkeypatch.setattr(sandbox._faults, "take", noticed)

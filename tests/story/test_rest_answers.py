"""What the REST API may answer, as a user meets it: the exit code, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Quirks
from tests.apis import CCP, CLOUDDNS, Api
from tests.bells import _drips_are_cut_off, bell
from tests.story.wanted import DROP, SPF, txt
from tests.worlds import requests_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netcup_mailauth.sandbox import Sandbox
    from tests.story.inprocess import Cli

__all__ = ["_drips_are_cut_off", "bell"]  # fixtures

WISH = ("example.com", "--spf", SPF, *DROP)
APPLY = ("apply", *WISH, "--yes")
PLAN = ("plan", *WISH)
WRONG = "C4n4ryWrongRestKey".ljust(64, "k")


@pytest.fixture
def api() -> Api:
    return CLOUDDNS


def test_a_refused_key_is_sent_once_and_then_held(cli: Cli) -> None:
    cli.set({"NETCUP_REST_API_KEY": WRONG})
    code, text = cli.said(*APPLY)
    assert code == 4
    assert "netcup refuses the REST API key (HTTP 400: authenticationError" in text
    assert "API-Keys" in text
    assert WRONG not in text
    assert requests_of(cli.sandbox) == {"domain": 1}
    for arguments in (APPLY, PLAN, ("records", "example.com"), ("auth", "--check")):
        code, text = cli.said(*arguments)
        assert code == 4
        assert "nothing is sent with them until 20" in text
    assert requests_of(cli.sandbox).get("domain") == 1
    cli.set({"NETCUP_REST_API_KEY": cli.sandbox.rest_key})
    assert cli(*APPLY)[0] == 0


def test_a_domain_that_no_api_knows(cli: Cli) -> None:
    cli.set(dict.fromkeys(("NETCUP_CUSTOMER_NUMBER", "NETCUP_API_KEY", "NETCUP_API_PASSWORD")))
    code, text = cli.said("plan", "foreign.com", "--spf", "v=spf1 -all")
    assert code == 5
    assert "does not know the domain foreign.com" in text
    assert "Check the spelling" in text


@pytest.mark.parametrize(
    ("action", "mode", "code", "words"),
    [
        ("changeset", "429", 8, "nothing was sent twice. Wait 1 s, as netcup asks"),
        ("changeset", "500", 8, "the zone is as it was before"),
        ("changeset", "html", 8, "the zone is as it was before"),
        ("changeset", "no-content", 8, "the zone is as it was before"),
        ("records", "500", 1, "answered HTTP 500"),
        ("records", "html", 1, "answered with an HTML page"),
        ("records", "no-content", 1, "answered with nothing (HTTP 204, 0 bytes)"),
        ("revisions", "cut", 1, "something that is not JSON"),
        ("domain", "denied", 1, "may have answered instead: a proxy or a firewall"),
        ("records", "missing", 5, "does not have the records of example.com"),
        ("revisions", "missing", 5, "does not have the revisions of example.com"),
    ],
)
def test_an_answer_that_is_none(cli: Cli, action: str, mode: str, code: int, words: str) -> None:
    once = action == "changeset" or mode in ("denied", "missing")  # which are not asked again
    cli.sandbox.fault(action, mode, times=1 if once else 3, delay=1)
    before = CLOUDDNS.records(cli.sandbox)
    ended, text = cli.said(*APPLY)
    assert (ended, words in text) == (code, True), text
    assert CLOUDDNS.records(cli.sandbox) == before
    assert cli(*APPLY)[0] == 0


def test_a_write_whose_success_says_nothing_is_read_back(cli: Cli) -> None:
    cli.sandbox.fault("changeset", "null-result")
    code, text = cli.said(*APPLY)
    assert code == 0, text
    assert "no clear answer" not in text
    assert SPF in txt(cli.sandbox, "@")


@pytest.mark.usefixtures("_drips_are_cut_off")
@pytest.mark.parametrize("mode", ["drip-status", "drip-headers", "drip-chunks"])
@pytest.mark.parametrize("api", [CCP, CLOUDDNS], ids=str)
def test_an_answer_that_drips_keeps_no_other_run_waiting(cli: Cli, api: Api, mode: str) -> None:
    """The lock is given back with the outcome that reading the zone shows."""
    cli.sandbox.fault(api.write, mode, delay=0.01)
    code, text = cli.said(*APPLY)
    assert code == 0, text
    assert "did not answer in full within 60 s), but netcup holds the records" in text
    assert api.writes(cli.sandbox) == 1
    assert cli.said(*APPLY)[0] == 0
    cli.sandbox.fault(api.read, mode, delay=0.01)
    code, text = cli.said(*APPLY)
    assert (code, "did not answer in full within 60 s" in text) == (1, True), text
    assert cli.said(*APPLY)[0] == 0
    assert api.writes(cli.sandbox) == 1


def test_a_zone_over_three_pages_is_read_whole(cli: Cli) -> None:
    hosts = [{"hostname": f"h{n}", "type": "A", "destination": "192.0.2.1"} for n in range(230)]
    cli.sandbox.set_zone("example.com", [*hosts, *cli.sandbox.zone("example.com")])
    before = CLOUDDNS.others(cli.sandbox)
    ended = cli("apply", *WISH, "--yes", "--format", "json")
    assert ended.code == 0, ended.stderr
    assert ended.json["zones"][0]["changes"][0]["action"] == "update"
    assert requests_of(cli.sandbox)["records"] >= 2 * 3
    assert CLOUDDNS.others(cli.sandbox) == before


@pytest.fixture
def sandbox(request: pytest.FixtureRequest, api: Api) -> Iterator[Sandbox]:
    """With the quirks that a test asks for."""
    with api.netcup(quirks=getattr(request, "param", None)) as running:
        yield running


@pytest.mark.parametrize("sandbox", [Quirks(rest_draft="newest")], indirect=True, ids=["draft"])
def test_a_draft_on_top_is_never_written_over_unasked(cli: Cli) -> None:
    before = CLOUDDNS.records(cli.sandbox)
    code, text = cli.said(*APPLY)
    assert code == 6
    assert "zone-has-draft" in text
    assert CLOUDDNS.writes(cli.sandbox) == 0
    assert cli(*PLAN, "--out", "plan.json")[0] == 0
    assert cli.said("apply", "--plan", "plan.json")[0] == 6
    assert CLOUDDNS.records(cli.sandbox) == before
    code, text = cli.said(*APPLY, "--allow", "zone-has-draft")
    assert code == 0, text
    assert SPF in txt(cli.sandbox, "@")


def test_a_changeset_left_as_a_draft_is_not_called_written(cli: Cli) -> None:
    cli.sandbox.fault("changeset", "draft")
    code, text = cli.said(*APPLY)
    assert code == 8
    assert "the new revision is in the state 'draft'" in text
    assert SPF not in txt(cli.sandbox, "@")

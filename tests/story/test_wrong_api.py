"""A zone on the API that there is no key for: nothing is planned, and the way out is named.

The CCP API answers as if a zone that has moved were empty. A plan for an empty zone would make
everything anew, which is the worst that could be said of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Quirks
from tests.apis import CCP, CLOUDDNS
from tests.story.wanted import DMARC, DROP, KEY, SPF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.story.inprocess import Cli, PointedAt

WISH = ("--spf", SPF, *DROP, "--dkim", KEY, "--dmarc", DMARC)
WRITES = re.compile(r"[1-9][0-9]* to create")
ONLY_CCP = dict.fromkeys(CLOUDDNS.secrets)
ONLY_REST = dict.fromkeys(CCP.secrets)

COMMANDS = [
    ("plan", "example.com", *WISH),
    ("plan", "example.com", *WISH, "--exit-code"),
    ("plan", "example.com", "--spf-require", "mx", "--out", "plan.json"),
    ("apply", "example.com", *WISH, "--yes"),
    ("records", "example.com"),
    ("records", "example.com", "--mail", "--format", "json"),
    ("init", "example.com"),
    ("rotate", "example.com", "--import-key", "--dry-run"),
]


@pytest.fixture(params=["empty", "not-found", "known"])
def ccp_only(request: pytest.FixtureRequest, pointed_at: PointedAt) -> Iterator[Cli]:
    """CCP credentials, a zone on CloudDNS, and each way in which the CCP may answer for it."""
    with CLOUDDNS.netcup(quirks=Quirks(moved_zone=request.param)) as sandbox:
        cli = pointed_at(sandbox)
        cli.set(ONLY_CCP)
        yield cli


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda words: "-".join(words[::2])[:30])
def test_no_command_takes_a_moved_zone_for_an_empty_one(
    ccp_only: Cli, arguments: tuple[str, ...]
) -> None:
    before = CLOUDDNS.records(ccp_only.sandbox)
    code, text = ccp_only.said(*arguments)
    assert code == 5, text
    assert "CloudDNS" in text
    assert "NETCUP_REST_API_KEY" in text
    assert not WRITES.search(text)
    assert "nothing to do" not in text
    assert not (ccp_only.folder / "netcup-mailauth.toml").exists()
    assert CCP.writes(ccp_only.sandbox) == 0
    assert CLOUDDNS.records(ccp_only.sandbox) == before


def test_a_plan_file_for_the_api_without_a_key_names_the_key(ccp_only: Cli) -> None:
    ccp_only.set({"NETCUP_REST_API_KEY": ccp_only.sandbox.rest_key})
    assert (
        ccp_only("plan", "example.com", "--spf-require", "+ip4:192.0.2.7", "--out", "p.json")[0]
        == 0
    )
    ccp_only.set(ONLY_CCP)
    code, text = ccp_only.said("apply", "--plan", "p.json")
    assert code == 2, text
    assert "NETCUP_REST_API_KEY" in text


def test_what_was_written_before_the_zone_moved_is_not_undone(ccp_only: Cli) -> None:
    sandbox = ccp_only.sandbox
    sandbox.set_backend("example.com", "ccp")
    assert ccp_only("apply", "example.com", "--spf", SPF, *DROP, "--yes")[0] == 0
    sandbox.set_backend("example.com", "clouddns")
    before = CLOUDDNS.records(sandbox)
    code, text = ccp_only.said("undo", "example.com", "--yes")
    assert code == 5, text
    assert "NETCUP_REST_API_KEY" in text
    assert CLOUDDNS.records(sandbox) == before
    assert CCP.writes(sandbox) == 1


def test_what_was_written_through_the_other_api_is_named_with_that_api(ccp_only: Cli) -> None:
    ccp_only.set({"NETCUP_REST_API_KEY": ccp_only.sandbox.rest_key})
    assert ccp_only("apply", "example.com", "--spf", SPF, *DROP, "--yes")[0] == 0
    ccp_only.set(ONLY_CCP)
    code, text = ccp_only.said("undo", "example.com", "--yes")
    assert code == 2, text
    assert "went through the API clouddns" in text
    assert "there is nothing to undo" not in text


def test_check_asks_name_servers_and_needs_no_key(ccp_only: Cli) -> None:
    code, text = ccp_only.said("check", "example.com", "--spf-require", "mx", "--kind", "spf")
    assert code == 0, text
    assert "example.com" in text


def test_auth_tells_that_the_credentials_work_and_which_are_missing(ccp_only: Cli) -> None:
    code, text = ccp_only.said("auth", "--check")
    assert code == 0, text
    assert not WRITES.search(text)


@pytest.fixture
def rest_only(pointed_at: PointedAt) -> Iterator[Cli]:
    """A REST key, and a zone that is still on the CCP."""
    with CCP.netcup() as sandbox:
        cli = pointed_at(sandbox)
        cli.set({**ONLY_REST, "NETCUP_REST_API_KEY": sandbox.rest_key})
        yield cli


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda words: "-".join(words[::2])[:30])
def test_a_rest_key_does_not_reach_a_zone_on_the_ccp(
    rest_only: Cli, arguments: tuple[str, ...]
) -> None:
    before = CCP.records(rest_only.sandbox)
    code, text = rest_only.said(*arguments)
    assert code == 5, text
    assert "Legacy-API-Keys" in text
    assert not WRITES.search(text)
    assert CCP.records(rest_only.sandbox) == before


@pytest.fixture
def both(pointed_at: PointedAt) -> Iterator[Cli]:
    """Both kinds of credentials."""
    with CCP.netcup() as sandbox:
        cli = pointed_at(sandbox)
        cli.set({"NETCUP_REST_API_KEY": sandbox.rest_key})
        yield cli


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "not-here.example", *WISH),
        ("apply", "not-here.example", *WISH, "--yes"),
        ("records", "not-here.example"),
        ("init", "not-here.example"),
    ],
    ids=lambda words: words[0],
)
def test_with_both_keys_a_domain_of_nobody_here_is_on_neither_api(
    both: Cli, arguments: tuple[str, ...]
) -> None:
    code, text = both.said(*arguments)
    assert code == 5, text
    assert "Neither of netcup's APIs has not-here.example" in text
    assert "dig +short NS not-here.example" in text
    assert "NETCUP_REST_API_KEY" not in text.replace("endpoint: ", "")

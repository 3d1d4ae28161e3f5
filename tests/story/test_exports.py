"""``records``: the zones of the whole config, and the plan that is made of such an export."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.story.inprocess import Cli, PointedAt

CONFIG = """
[defaults]
dmarc = { policy = "none" }
[domains."example.com"]
spf = { require = ["a"] }
[domains."example.net"]
[domains."intern.example.com"]
zone = "example.com"
parked = true
"""
KEYLESS: dict[str, str | None] = {
    "NETCUP_CUSTOMER_NUMBER": None,
    "NETCUP_API_KEY": None,
    "NETCUP_API_PASSWORD": None,
    "NETCUP_REST_API_KEY": None,
    "MAILCOW_API_KEY": None,
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(["example.com", "example.net"], clouddns=["example.net"]) as running:
        # netcup's wildcard would answer for it no more, so it has an address of its own.
        own = {"hostname": "intern", "type": "A", "destination": "203.0.113.44"}
        running.set_zone("example.com", [*running.zone("example.com"), own])
        yield running


@pytest.fixture
def configured(cli: Cli) -> Cli:
    (cli.folder / "netcup-mailauth.toml").write_text(CONFIG)
    return cli


def export(cli: Cli, *domains: str, **changes: Any) -> Any:
    """What is exported, and kept in ``zones.json`` with these changes."""
    ended = cli("records", *domains, "--format", "json")
    assert ended.code == 0, ended
    document = json.loads(ended.stdout) | changes
    kept = {key: value for key, value in document.items() if value is not None}
    (cli.folder / "zones.json").write_text(json.dumps(kept))
    return document


def ago(**span: float) -> str:
    return f"{datetime.now(UTC) - timedelta(**span):%Y-%m-%dT%H:%M:%SZ}"


def test_without_a_domain_it_is_every_zone_of_the_config_once(configured: Cli) -> None:
    document = export(configured)
    assert list(document) == ["schema", "exported", "zones"]
    found = [(zone["domain"], zone["backend"]) for zone in document["zones"]]
    assert found == [("example.com", "ccp"), ("example.net", "clouddns")]
    for zone in document["zones"]:
        alone = json.loads(configured("records", zone["domain"], "--format", "json").stdout)
        assert list(alone) == ["schema", "domain", "backend", "exported", "records"]
        assert alone["records"] == zone["records"]


def test_domains_that_are_named_are_those_that_are_listed(configured: Cli) -> None:
    document = export(configured, "example.net", "intern.example.com")
    assert [zone["domain"] for zone in document["zones"]] == ["example.net", "example.com"]


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_people_read_one_below_the_other(configured: Cli, form: str) -> None:
    shown = configured("records", "--format", form).stdout
    parts = [
        configured("records", d, "--format", form).stdout for d in ("example.com", "example.net")
    ]
    assert shown == "\n".join(parts)


def test_without_a_config_there_is_nothing_to_list(cli: Cli) -> None:
    code, said = cli.said("records")
    assert code == 2
    assert "No DOMAIN is named, and no config lists any." in said


def test_a_zone_that_cannot_be_read_is_told_and_the_others_are_there(configured: Cli) -> None:
    with (configured.folder / "netcup-mailauth.toml").open("a") as file:
        file.write('[domains."not-ours.example"]\n')
    ended = configured("records", "--format", "json")
    assert ended.code == 5
    assert "not-ours.example" in ended.stderr
    names = [zone["domain"] for zone in json.loads(ended.stdout)["zones"]]
    assert names == ["example.com", "example.net"]


def test_refused_credentials_end_it(configured: Cli) -> None:
    configured.set({"NETCUP_API_PASSWORD": "wrong"})
    ended = configured("records", "--format", "json")
    assert (ended.code, ended.stdout) == (4, "")


def test_what_mailcow_serves_and_netcup_does_not_is_left_out(pointed_at: PointedAt) -> None:
    aliases = {"elsewhere.example": "example.com", "unknown.example": "example.com"}
    with Sandbox(["example.com"], alias_domains=aliases) as sandbox:
        sandbox.set_world("elsewhere.example", "NS", ["ns.elsewhere.example"])
        sandbox.set_world("unknown.example", "NS", ["root-dns.netcup.net"])
        _leaves_out_what_is_elsewhere(pointed_at(sandbox))


def _leaves_out_what_is_elsewhere(cli: Cli) -> None:
    (cli.folder / "netcup-mailauth.toml").write_text(
        'domains_from = "mailcow"\n[defaults]\ndkim = "mailcow"\n'
    )
    ended = cli("records", "--format", "json")
    assert ended.code == 0, ended
    assert "elsewhere.example is left out: Its name servers are" in ended.stderr
    assert "unknown.example is left out: " in ended.stderr
    assert [zone["domain"] for zone in json.loads(ended.stdout)["zones"]] == ["example.com"]


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_plan_of_the_export_needs_no_key_and_says_how_old_it_is(
    configured: Cli, form: str
) -> None:
    export(configured, exported=ago(days=2, hours=3, seconds=20))
    configured.set(KEYLESS)
    ended = configured("plan", "--zone-file", "zones.json", "--format", form, "--exit-code")
    assert ended.code == 3, ended
    first = ended.stdout.splitlines()[0]
    assert re.fullmatch(
        r"Planned from zones as they were 2 d 3 h ago, at \d{4}-\d\d-\d\d \d\d:\d\d UTC\.", first
    )
    for domain in ("example.com", "example.net", "intern.example.com"):
        assert domain in ended.stdout


FROM_MAILCOW = """
domains_from = "mailcow"
exclude = ["*.org"]
[defaults]
dkim = "mailcow"
dmarc = "v=DMARC1;p=none"
"""


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", None], ids=["named", "not named"])
def test_where_the_domains_are_mailcows_the_export_has_them(
    pointed_at: PointedAt, url: str | None
) -> None:
    with Sandbox(["example.com", "example.net", "example.org"]) as sandbox:
        cli = pointed_at(sandbox)
        (cli.folder / "netcup-mailauth.toml").write_text(FROM_MAILCOW)
        export(cli, "example.com", "example.net", "example.org")
        cli.set(KEYLESS | {"MAILCOW_URL": url})
        kinds = ("--kind", "spf", "--kind", "dmarc")
        ended = cli("plan", *kinds, "--zone-file", "zones.json", "--exit-code", "--format", "json")
        assert ended.code == 3, ended
        planned = json.loads(ended.stdout)["zones"]
        assert [zone["domain"] for zone in planned] == ["example.com", "example.net"]
        assert all(zone["changes"] for zone in planned)


def test_of_several_files_the_oldest_counts(configured: Cli) -> None:
    for domain, hours in (("example.com", 5), ("example.net", 1)):
        export(configured, domain, exported=ago(hours=hours, seconds=20))
        (configured.folder / "zones.json").rename(configured.folder / f"{domain}.json")
    files = ("--zone-file", "example.com.json", "--zone-file", "example.net.json")
    assert "they were 5 h ago" in configured("plan", *files).stdout


@pytest.mark.parametrize(
    ("moment", "told"),
    [(None, "do not say how old they are"), (ago(days=-2), "which is yet to come")],
    ids=["unsaid", "to come"],  # each worker has its own moment
)
def test_a_file_that_cannot_be_so_old_is_told(
    configured: Cli, moment: str | None, told: str
) -> None:
    export(configured, exported=moment)
    assert told in configured("plan", "--zone-file", "zones.json").stdout


def test_the_same_export_gives_the_same_document_at_any_time(configured: Cli) -> None:
    plans = []
    for hours in (1, 50):
        export(configured, exported=ago(hours=hours))
        plans.append(configured("plan", "--zone-file", "zones.json", "--format", "json").stdout)
    assert plans[0] == plans[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"exported": "yesterday"},
        {"exported": "2026-02-30T00:00:00Z"},
        {"exported": 3},
        {"exported": "2026-01-01T00:00:00Z\n"},
        {"zones": {}},
        {"zones": [[]]},
        {"domain": "example.com"},
        {"schema": 2},
    ],
)
def test_what_is_no_export_is_told_in_a_sentence(configured: Cli, changes: dict[str, Any]) -> None:
    export(configured, **changes)
    code, said = configured.said("plan", "--zone-file", "zones.json")
    assert code == 2
    assert "zones.json is not an exported zone" in said


def test_a_zone_that_is_in_one_file_twice_is_refused(configured: Cli) -> None:
    document = export(configured)
    export(configured, zones=document["zones"] * 2)
    code, said = configured.said("plan", "--zone-file", "zones.json")
    assert (code, "given" in said) == (2, True)

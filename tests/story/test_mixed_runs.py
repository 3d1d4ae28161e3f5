"""One run over domains of which some are on the CCP and some on CloudDNS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Sandbox
from tests.apis import CCP, CLOUDDNS
from tests.story.test_planreading import VALIDATOR
from tests.story.wanted import DROP, KEY, SPF, txt
from tests.worlds import requests_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.story.inprocess import Cli, PointedAt

HERE, THERE = ("a.de", "c.de"), ("b.de", "d.de")
DOMAINS = tuple(sorted((*HERE, *THERE)))
DMARC = "v=DMARC1;p=none;rua=mailto:postmaster@a.de"
WISH = ("--spf", SPF, *DROP, "--dkim", KEY, "--dmarc", "v=DMARC1;p=none")


@pytest.fixture
def mixed(pointed_at: PointedAt) -> Iterator[Cli]:
    with Sandbox(DOMAINS, clouddns=THERE) as sandbox:
        yield pointed_at(sandbox)


def everything(sandbox: Sandbox) -> list[object]:
    on_ccp = [CCP.records(sandbox, domain) for domain in HERE]
    return [*on_ccp, *(CLOUDDNS.records(sandbox, domain) for domain in THERE)]


def test_one_plan_file_holds_both_and_is_applied_checked_and_undone(mixed: Cli) -> None:
    before = everything(mixed.sandbox)
    ended = mixed("plan", *DOMAINS, *WISH, "--out", "plan.json", "--format", "json")
    assert ended.code == 0, ended.stderr
    VALIDATOR.validate(ended.json)
    backends = {zone["domain"]: zone["backend"] for zone in ended.json["zones"]}
    assert backends == {d: "clouddns" if d in THERE else "ccp" for d in DOMAINS}

    code, out, err = mixed("apply", "--plan", "plan.json")
    assert code == 0, out + err
    assert "4 domains: 4 applied" in out
    for domain in DOMAINS:
        assert txt(mixed.sandbox, "dkim._domainkey", domain) == [KEY]
        assert SPF in txt(mixed.sandbox, "@", domain)
    assert (CCP.writes(mixed.sandbox), CLOUDDNS.writes(mixed.sandbox)) == (2, 2)
    assert requests_of(mixed.sandbox)["login"] == 2

    code, out, _ = mixed("check", *DOMAINS, *WISH)
    assert code == 0, out
    code, out, _ = mixed("apply", "--plan", "plan.json")
    assert code == 0
    assert out.count("already as planned") == 4

    runs = mixed("undo", "--list", "--format", "json").json["runs"]
    assert [{entry["domain"] for entry in run["entries"]} for run in runs] == [set(DOMAINS)]
    allow = [w for d in DOMAINS for w in ("--allow", f"dkim-revokes-key:{d}")]
    code, out, err = mixed("undo", "--run", runs[0]["run"], "--yes", *allow)
    assert code == 0, out + err
    assert everything(mixed.sandbox) == before


def test_nothing_to_do_asks_each_api_as_little_as_it_can(mixed: Cli) -> None:
    mixed("apply", *DOMAINS, *WISH, "--yes")
    before = requests_of(mixed.sandbox)
    assert mixed("apply", *DOMAINS, *WISH, "--yes")[0] == 0
    after = requests_of(mixed.sandbox)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "domain": 4,
        "revisions": 2,
        "records": 2,
        "login": 1,
        "infoDnsRecords": 2,
        "logout": 1,
    }


def test_exports_of_both_are_planned_from_without_a_key(mixed: Cli) -> None:
    files = []
    for domain in DOMAINS:
        (mixed.folder / f"{domain}.json").write_text(
            mixed("records", domain, "--format", "json")[1]
        )
        files += ["--zone-file", f"{domain}.json"]
    asked = requests_of(mixed.sandbox)
    mixed.set(dict.fromkeys((*CCP.secrets, *CLOUDDNS.secrets)))
    ended = mixed("plan", *DOMAINS, *WISH, *files, "--format", "json")
    assert ended.code == 0, ended.stderr
    assert [zone["backend"] for zone in ended.json["zones"]] == ["ccp", "clouddns"] * 2
    assert all(len(zone["changes"]) == 3 for zone in ended.json["zones"])
    assert requests_of(mixed.sandbox) == asked


def test_a_key_of_64_characters_is_known_as_a_rest_key_by_the_ccps_variable(mixed: Cli) -> None:
    mixed.set(dict.fromkeys((*CCP.secrets, *CLOUDDNS.secrets)))
    mixed.set({"NETCUP_API_KEY": mixed.sandbox.rest_key})
    code, out, err = mixed("apply", "b.de", *WISH, "--yes")
    assert code == 0, out + err
    assert txt(mixed.sandbox, "dkim._domainkey", "b.de") == [KEY]
    assert "login" not in requests_of(mixed.sandbox)


def test_one_api_that_fails_does_not_stop_the_domains_of_the_other(mixed: Cli) -> None:
    mixed.sandbox.fault("revisions", "500", times=100)
    code, out, _ = mixed("apply", *DOMAINS, *WISH, "--yes")
    assert code == 1
    assert "4 domains: 2 applied, 2 failed" in out

"""Many domains: side by side over one session, in one budget, and told in order."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.actions import checking
from netcup_mailauth.cli import output
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.sandbox import Quirks, Sandbox
from tests.questions import noted
from tests.worlds import requests_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.story.inprocess import Cli, PointedAt

    Start = Callable[..., Cli]

SPF = "v=spf1 mx a ~all"
WISH = ("--spf", SPF, "--spf-drop", "include:_spf.webhosting.systems")
TEN = [f"example-{number}.de" for number in range(10)]
JOBS = ("--jobs", "5", "--rate", "0")
FRESH = "v=spf1 mx a include:_spf.webhosting.systems ~all"
"""The SPF record that a fresh zone of the sandbox has."""


@pytest.fixture
def start(pointed_at: PointedAt) -> Iterator[Start]:
    """Points the command line at a sandbox with these zones; one after the other."""
    with ExitStack() as opened:

        def started(domains: list[str], **options: Any) -> Cli:
            sandbox = Sandbox(domains, **{"rate": None, **options})
            return pointed_at(opened.enter_context(sandbox))

        yield started


def spf_of(sandbox: Sandbox, domain: str) -> list[str]:
    found = (str(record["destination"]) for record in sandbox.zone(domain))
    return [text for text in found if text.startswith("v=spf1")]


def test_jobs_change_nothing_but_the_time(start: Start) -> None:
    """The same calls in one session, the same output in the same order."""
    outputs, calls = [], []
    for jobs in ("1", "5"):
        cli = start(TEN, latency=0.01)
        ended = cli("apply", *TEN, *WISH, "--yes", "--jobs", jobs)
        assert ended.code == 0, ended.stderr
        assert all(spf_of(cli.sandbox, domain) == [SPF] for domain in TEN)
        outputs.append(re.sub(r"127\.0\.0\.1:\d+ *", "", ended.stdout))
        calls.append(requests_of(cli.sandbox))
        assert cli.sandbox.stats()["connections"] <= int(jobs)
    assert outputs[0] == outputs[1]
    assert calls[0] == calls[1]
    assert calls[1]["login"] == calls[1]["logout"] == 1


def test_json_is_in_the_order_of_the_domains(start: Start) -> None:
    cli = start(TEN)
    cli.sandbox.fault("infoDnsRecords", "slow", delay=0.3)  # whoever asks first
    ended = cli("apply", *TEN, *WISH, "--yes", "--format", "json", *JOBS)
    assert [zone["domain"] for zone in json.loads(ended.stdout)["zones"]] == TEN


def test_a_refused_login_is_sent_once_however_many_jobs_there_are(start: Start) -> None:
    """Each further one brings the account nearer to its lock-out."""
    cli = start(TEN, latency=0.02)
    cli.set({"NETCUP_API_PASSWORD": "wrong"})
    ended = cli("apply", *TEN, *WISH, "--yes", *JOBS)
    assert ended.code == ExitCode.CREDENTIALS
    assert requests_of(cli.sandbox) == {"login": 1}


def test_a_lock_out_that_one_job_meets_ends_the_others(start: Start) -> None:
    cli = start(TEN, latency=0.02)
    cli.sandbox.fault("infoDnsRecords", "lockout", after=1)
    ended = cli("apply", *TEN, *WISH, "--yes", "--format", "json", "--jobs", "2")
    assert ended.code == ExitCode.WAIT
    statuses = [zone["result"] for zone in ended.json["zones"]]
    assert statuses.count("failed") == 1
    assert statuses[-6:] == ["not tried"] * 6
    assert requests_of(cli.sandbox)["infoDnsRecords"] <= 3, "one job's, and what was under way"


def test_a_session_that_dies_under_all_jobs_is_begun_anew_once(start: Start) -> None:
    cli = start(TEN, latency=0.03, quirks=Quirks(first_call_4001="once"))
    ended = cli("apply", *TEN, *WISH, "--yes", *JOBS)
    assert ended.code == 0, ended.stderr
    assert requests_of(cli.sandbox)["login"] == 2
    assert all(spf_of(cli.sandbox, domain) == [SPF] for domain in TEN)


def test_a_key_that_mailcow_refuses_is_sent_once(start: Start) -> None:
    """mailcow bans the address after a few."""
    cli = start(TEN, latency=0.02)
    cli.set({"MAILCOW_API_KEY": "111111-222222-333333-444444-555555"})
    ended = cli("apply", *TEN, "--dkim", "mailcow", "--yes", *JOBS)
    assert ended.code == ExitCode.CREDENTIALS
    assert cli.sandbox.stats()["mailcow"] == {"401": 1}


def test_a_missing_mailcow_key_is_one_plain_error(start: Start) -> None:
    """It is looked for in a job's thread, where click knows no running command."""
    cli = start(TEN)
    cli.set({"MAILCOW_API_KEY": None})
    ended = cli("plan", *TEN, "--dkim", "mailcow", *JOBS)
    assert ended.code == ExitCode.CREDENTIALS, ended.stderr
    assert "MAILCOW_API_KEY" in ended.stderr


def test_two_domains_of_one_zone_do_not_get_into_each_others_way(
    start: Start, tmp_path: Path
) -> None:
    """One writes after the other has been read back: nobody else was at the zone."""
    cli = start(["example.com"], latency=0.02)
    names = [f"m{number}.example.com" for number in range(5)]
    own = 'zone = "example.com"\nparked = true\nallow = ["wildcard-shadowed"]\n'
    tables = (f'[domains."{name}"]\n{own}' for name in names)
    (tmp_path / "netcup-mailauth.toml").write_text("".join(tables))
    ended = cli("apply", "--yes", *JOBS)
    assert ended.code == 0, ended.stderr + ended.stdout
    assert "Another program" not in ended.stdout
    assert ended.stdout.count("written and verified") >= 5


def test_a_parallel_run_is_undone_as_one(start: Start) -> None:
    cli = start(TEN)
    before = {domain: spf_of(cli.sandbox, domain) for domain in TEN}
    assert cli("apply", *TEN, *WISH, "--yes", *JOBS).code == 0
    (listed,) = cli("undo", "--list", "--format", "json").json["runs"]
    assert sorted(entry["domain"] for entry in listed["entries"]) == TEN
    ended = cli("undo", "--run", listed["run"], "--yes")
    assert ended.code == 0, ended.stderr
    assert {domain: spf_of(cli.sandbox, domain) for domain in TEN} == before


def test_of_a_plan_file_jobs_write_the_same(start: Start) -> None:
    cli = start(TEN)
    assert cli("plan", *TEN, *WISH, "--out", "plan.json", *JOBS).code == 0
    ended = cli("apply", "--plan", "plan.json", *JOBS)
    assert ended.code == 0, ended.stderr
    assert all(spf_of(cli.sandbox, domain) == [SPF] for domain in TEN)


@pytest.mark.parametrize("command", ["plan", "check"])
def test_changed_shows_no_domain_at_which_there_is_nothing_to_do(
    start: Start, command: str
) -> None:
    cli = start(TEN[:3])
    assert cli("apply", *TEN[:2], *WISH, "--yes").code == 0
    ended = cli(command, *TEN[:3], *WISH, "--kind", "spf", "--changed")
    assert TEN[2] in ended.stdout
    assert TEN[0] not in ended.stdout


# ---------------------------------------------------------------------------------- DNS


SHOP = "_spf.shop.example"
INCLUDING = f"v=spf1 mx a include:{SHOP} -all"
SHOPPING = ("--spf", INCLUDING, *WISH[2:])
WORLD = {SHOP: {"TXT": ["v=spf1 ip4:198.51.100.7 -all"]}}


@pytest.mark.parametrize("jobs", ["1", "5"])
@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes")], ids=["plan", "apply"])
def test_the_guard_asks_the_resolver_nothing_twice_however_many_domains_include_the_same(
    start: Start, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], jobs: str
) -> None:
    cli = start(TEN, world=WORLD)
    questions = noted(monkeypatch)
    ended = cli(command[0], *TEN, *SHOPPING, *command[1:], "--jobs", jobs, "--rate", "0")
    assert ended.code == 0, ended.stderr
    asked = questions.of(cli.sandbox.addresses.resolver)
    assert len(asked) == len(set(asked))
    assert [question for question in asked if question.startswith(SHOP)] == [f"{SHOP}. IN TXT"]


def test_a_check_of_many_domains_says_what_one_of_each_says(start: Start) -> None:
    cli = start(TEN)
    alone = [cli("check", domain).stdout for domain in TEN]
    ended = cli("check", *TEN)
    *told, totals = ended.stdout.split("\n\nexample-")
    assert ended.code == ExitCode.UNVERIFIED
    assert ended.stdout == "\n".join([*alone, "10 domains: 10 wrong.\n"])
    assert len(told) + 1 == len(TEN)
    assert "10 domains: 10 wrong." in totals
    document = json.loads(cli("check", *TEN, "--format", "json").stdout)
    assert [domain["domain"] for domain in document["domains"]] == TEN


def test_a_domain_is_shown_while_others_are_still_asked_about(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = start(TEN)
    seen = Event()
    real_check, real_show = checking.check_domain, output.show

    def checked(session: Any, wish: Any, *rest: Any) -> Any:
        assert wish.domain != TEN[5] or seen.wait(60)
        return real_check(session, wish, *rest)

    def shown(text: str, **more: Any) -> None:
        if f"{TEN[0]}:" in text:
            seen.set()
        real_show(text, **more)

    monkeypatch.setattr(checking, "check_domain", checked)
    monkeypatch.setattr("netcup_mailauth.cli.check.show", shown)
    ended = cli("check", *TEN)
    found = [line.partition(":")[0] for line in ended.stdout.splitlines() if line[:1] == "e"]
    assert found == TEN


def test_a_domain_that_fails_is_told_where_it_stands_and_the_others_go_on(start: Start) -> None:
    cli = start(TEN)
    ended = cli("check", TEN[0], "nowhere.example", TEN[1])
    assert ended.code == ExitCode.UNVERIFIED
    assert re.findall(r"^([\w.-]+): ", ended.stdout, re.MULTILINE) == [
        TEN[0],
        "nowhere.example",
        TEN[1],
    ]
    assert "netcup-mailauth: nowhere.example does not exist in DNS." in ended.stderr
    assert ended.stdout.endswith("\n3 domains: 2 wrong, 1 failed.\n")


ONE_OF_EACH = """
[domains."held.de"]
spf = "v=spf1 mx -all"
[domains."fine.de"]
dmarc = "v=DMARC1;p=none"
[domains."missing.de"]
dmarc = "v=DMARC1;p=none"
"""


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
@pytest.mark.parametrize(
    ("named", "code"),
    [((), 6), (("missing.de", "held.de"), 6), (("fine.de", "missing.de"), 5), (("fine.de",), 3)],
)
def test_of_a_plan_the_exit_code_is_the_worst_of_the_domains(
    start: Start, form: str, named: tuple[str, ...], code: int
) -> None:
    cli = start(["held.de", "fine.de"])
    (cli.folder / "netcup-mailauth.toml").write_text(ONE_OF_EACH)
    assert cli("plan", *named, "--format", form, "--exit-code", "--out", "plan.json").code == code
    exported = cli("records", "held.de", "fine.de", "--format", "json").stdout
    (cli.folder / "zones.json").write_text(exported)
    offline = cli("plan", *named, "--format", form, "--exit-code", "--zone-file", "zones.json")
    assert offline.code == code


def test_a_plan_file_of_which_some_is_held_back_says_what_its_command_writes(start: Start) -> None:
    cli = start(["held.de", "fine.de"])
    (cli.folder / "netcup-mailauth.toml").write_text(ONE_OF_EACH)
    said = cli("plan", "--out", "plan.json").stderr
    assert "To write the domains that are not held back:\n  netcup-mailauth apply --plan" in said
    ended = cli("apply", "--plan", "plan.json", "--format", "markdown")
    assert ended.code == 6
    assert ended.stdout.count("does not serve the zone") == 1
    assert spf_of(cli.sandbox, "held.de") == [FRESH]
    said = cli("plan", "fine.de", "held.de", "--out", "plan.json").stderr
    assert "To write" not in said  # the other is as it should be already


def test_a_quiet_check_says_nothing_where_all_is_right_and_all_of_it_where_it_is_not(
    start: Start,
) -> None:
    cli = start(TEN)
    wish = ("--kind", "spf", "--spf", FRESH)
    assert cli("-q", "check", *TEN, *wish, "--server", "198.51.100.9").stdout == ""
    told = cli("-q", "check", *TEN, "--kind", "spf", "--spf", SPF)
    assert told.stdout == cli("check", *TEN, "--kind", "spf", "--spf", SPF).stdout != ""


@pytest.mark.parametrize("jobs", [1, 4])
def test_jobs_of_a_check_are_the_connections_to_netcup(start: Start, jobs: int) -> None:
    cli = start(TEN, latency=0.02)
    assert cli("check", *TEN, "--jobs", str(jobs)).code == ExitCode.UNVERIFIED
    assert cli.sandbox.stats()["connections"] <= jobs
    assert requests_of(cli.sandbox) == {"login": 1, "infoDnsRecords": 10, "logout": 1}

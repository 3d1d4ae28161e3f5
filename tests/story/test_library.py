"""The library: the command's work in a few lines, and nothing past the guard."""

from __future__ import annotations

import copy
import io
import pickle
import pydoc
import re
import threading
import traceback
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest
from pydantic import SecretStr

import netcup_mailauth
from netcup_mailauth import (
    ConfigError,
    CredentialsError,
    ExitCode,
    Finding,
    KeySourceError,
    LockError,
    MailauthError,
    Netcup,
    ProposedPlan,
    RecordError,
    RefusedError,
    Sandbox,
    StaleError,
    State,
    Status,
    UnverifiedError,
    UsageError,
    ZoneError,
)
from netcup_mailauth.cli.options import WANTED
from tests.apis import each_api
from tests.pauses import no_pauses
from tests.worlds import requests_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.apis import Api

api = each_api

HOW_TO: dict[str, Any] = {
    "spf": "v=spf1 mx a -all",
    "dkim": "mailcow",
    "dmarc": "v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com",
}
SOUND: dict[str, Any] = {
    "spf_require": ["ip4:203.0.113.7"],
    "dkim": "mailcow",
    "dmarc": "v=DMARC1;p=none",
}
DANGEROUS = {"spf": "v=spf1 mx -all"}
DOMAIN = "example.com"


@pytest.fixture(scope="module")
def shared() -> Iterator[Netcup]:
    """A sandbox's, for tests that write nothing."""
    with Sandbox() as sandbox, sandbox.netcup() as netcup:
        yield netcup
        assert "updateDnsRecords" not in requests_of(sandbox)


# The four lines


def test_what_is_planned_is_written_and_then_nothing_is_left_to_do(api: Api) -> None:
    with api.netcup() as sandbox, sandbox.netcup() as netcup:
        plan = netcup.plan("Example.COM", **SOUND)
        assert plan.has_changes
        assert "+ ip4:203.0.113.7" in str(plan)
        assert [r.status for r in netcup.apply(plan).results] == [Status.APPLIED]
        assert not netcup.plan(DOMAIN, **SOUND).has_changes
        report = netcup.check(DOMAIN, **SOUND)
        assert report.exit_code is ExitCode.OK
        assert {record.state for record in report.domains[0].records} == {State.OK}


def test_the_records_of_the_how_to_are_written_once_what_they_drop_is_accepted(api: Api) -> None:
    with api.netcup() as sandbox, sandbox.netcup() as netcup:
        before = api.records(sandbox)
        plan = netcup.plan(DOMAIN, **HOW_TO)
        with pytest.raises(RefusedError) as refused:
            netcup.apply(plan)
        assert [finding.code for finding in refused.value.findings] == ["spf-drops-sender"]
        found: tuple[Finding, ...] = refused.value.findings
        assert found == plan.stopping
        assert 'plan.allow("spf-drops-sender")' in refused.value.advice
        assert (api.records(sandbox), api.writes(sandbox)) == (before, 0)
        run = netcup.apply(plan.allow("spf-drops-sender"))
        assert run.exit_code is ExitCode.OK
        assert not netcup.plan(DOMAIN, **HOW_TO).has_changes


def test_a_plan_reads_as_the_command_shows_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from netcup_mailauth.cli.entry import main

    with Sandbox() as sandbox, sandbox.netcup() as netcup:
        shown = str(netcup.plan(DOMAIN, **SOUND))
        for name, value in {**sandbox.env, "COLUMNS": "100"}.items():
            monkeypatch.setenv(name, value)
        words = ["--spf-require", "ip4:203.0.113.7", "--dkim", "mailcow"]
        main(["plan", DOMAIN, *words, "--dmarc", "v=DMARC1;p=none"])
        command = capsys.readouterr().out.replace("--full shows the key whole", "")
        assert shown.split() == command.split()
        assert "\x1b" not in shown


def test_a_plan_that_is_held_back_ends_in_calls_that_do_what_they_say() -> None:
    with Sandbox() as sandbox, sandbox.netcup() as netcup:
        plan = netcup.plan(DOMAIN, **HOW_TO)
        safer, same = re.findall(r"^(?:Safer|All the same): +(.*)$", str(plan), re.MULTILINE)
        known = {"netcup": netcup, "plan": plan}
        assert not eval(safer, known).stopping
        assert [result.status for result in eval(same, known).results] == [Status.APPLIED]


def test_a_report_reads_as_the_command_shows_it_but_for_what_it_says_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from netcup_mailauth.cli.entry import main

    with Sandbox() as sandbox, sandbox.netcup() as netcup:
        shown = str(netcup.check(DOMAIN)).splitlines()
        for name, value in {**sandbox.env, "COLUMNS": "100"}.items():
            monkeypatch.setenv(name, value)
        main(["check", DOMAIN])
        command = capsys.readouterr().out.splitlines()
        other = {line.strip() for line in shown} ^ {line.strip() for line in command}
        assert {"netcup.plan(" in line or "netcup-mailauth plan" in line for line in other} == {
            True,
            False,  # where a line is folded
        }
        assert len(other) <= 10


def test_what_a_check_says_to_do_puts_it_right() -> None:
    wanted = {"spf": "v=spf1 mx a include:_spf.webhosting.systems -all", "kind": "spf"}
    with Sandbox() as sandbox, sandbox.netcup() as netcup:
        (record,) = netcup.check(DOMAIN, **wanted).domains[0].records
        (call,) = re.findall(r"^  (netcup\.plan\(.*\))$", record.advice, re.MULTILINE)
        netcup.apply(eval(call, {"netcup": netcup}))
        assert netcup.check(DOMAIN, **wanted).exit_code is ExitCode.OK


def test_each_option_that_says_what_is_wanted_is_an_argument_of_the_same_name() -> None:
    for method in (Netcup.plan, Netcup.check):
        hints = get_type_hints(method, vars(netcup_mailauth.library.account) | vars(given()))
        assert {option.parameter for option in WANTED} <= hints.keys()


def given() -> Any:
    from netcup_mailauth.library import given, proposed

    return type("Names", (), {**vars(given), **vars(proposed), "CheckReport": object})


def test_one_text_is_taken_where_several_may_be() -> None:
    with Sandbox() as sandbox, sandbox.netcup() as netcup:
        one = netcup.plan(DOMAIN, spf_require="ip4:203.0.113.7", kind="spf", server="192.0.2.1")
        several = netcup.plan(DOMAIN, spf_require=["ip4:203.0.113.7"], server=("192.0.2.1",))
        assert one.zones[0].changes == several.zones[0].changes


@pytest.mark.parametrize(
    ("wanted", "hostnames"),
    [
        ({"spf_drop": "include:_spf.webhosting.systems"}, ["@"]),
        ({"spf_all": "fail"}, ["@"]),
        ({"spf_all": "softfail", "spf_require": "a:mail.example.com"}, ["@"]),
        ({"dkim": "mailcow", "selector": "dkim"}, ["dkim._domainkey"]),
        ({"dmarc_policy": "none", "rua": "mailto:postmaster@example.com"}, ["_dmarc"]),
        ({**HOW_TO, "kind": ("spf", "dmarc")}, ["@", "_dmarc"]),
        ({**HOW_TO, "kind": "dmarc"}, ["_dmarc"]),
    ],
)
def test_parts_and_single_kinds_are_wanted(
    shared: Netcup, wanted: dict[str, Any], hostnames: list[str]
) -> None:
    (zone,) = shared.plan(DOMAIN, **wanted).zones
    assert [change.hostname for change in zone.changes] == hostnames


# Whose account


def test_credentials_are_plain_texts_and_shown_nowhere(api: Api) -> None:
    with api.netcup() as sandbox:
        env = sandbox.env
        secrets = [env[name] for name in (*api.secrets, "MAILCOW_API_KEY") if len(env[name]) > 9]
        ccp = ("1", "k" * 50, "wrong-password") if "NETCUP_API_KEY" not in api.secrets else None
        ccp = ccp or (
            env["NETCUP_CUSTOMER_NUMBER"],
            env["NETCUP_API_KEY"],
            env["NETCUP_API_PASSWORD"],
        )
        netcup = Netcup(
            ccp=None if env["NETCUP_REST_API_KEY"] else ccp,
            rest=env["NETCUP_REST_API_KEY"] or None,
            mailcow=(env["MAILCOW_URL"], env["MAILCOW_API_KEY"]),
            ccp_endpoint=sandbox.ccp_endpoint,
            rest_endpoint=sandbox.rest_endpoint,
            resolver=sandbox.resolver,
            nameserver=sandbox.nameservers,
        )
        with netcup:
            assert netcup.apply(netcup.plan(DOMAIN, **SOUND)).exit_code is ExitCode.OK
            told = f"{netcup!r} {netcup} {netcup.plan(DOMAIN, **SOUND)!r}"
            assert not [secret for secret in secrets if secret in told]


def test_no_secret_is_in_what_is_read_from_the_environment() -> None:
    wrong = {"NETCUP_REST_API_KEY": "C4n4ry".ljust(64, "y"), "NETCUP_CUSTOMER_NUMBER": "12"}
    with pytest.raises(CredentialsError) as raised:
        Netcup.from_environment({**wrong, "MAILCOW_API_KEY": "C4n4ry"})
    frames = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    own = [frame for frame in frames.stack if "/library/" in frame.filename]
    assert not [f for f in own for text in (f.locals or {}).values() if "C4n4ry" in text]
    with Netcup.from_environment({**wrong, "NETCUP_CUSTOMER_NUMBER": ""}) as netcup:
        assert "C4n4ry" not in repr(vars(netcup))


KEY, REST_KEY = "C4n4ryKey".ljust(50, "x"), "C4n4ryKey".ljust(64, "y")
CCP = ("12345", KEY, "C4n4ryWord")
NOWHERE = {"ccp_endpoint": "http://127.0.0.1:9", "rest_endpoint": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"ccp": CCP, "ccp_endpoint": "http://netcup.example"},
        {"rest": REST_KEY, "rest_endpoint": "ftp://x"},
        {"rest": REST_KEY, "jobs": 0},
        {"rest": REST_KEY, "state": 3},
        {"rest": f"{REST_KEY}ä"},
        {"rest": REST_KEY.encode()},
        {"ccp": (*CCP[:2], "C4n4ry Wörd")},
        {"ccp": CCP[1:]},
        {"ccp": CCP, "mailcow": {"url": "https://mail.example.com", "key": "C4n4ry"}},
        {"ccp": CCP, "mailcow": ("http://mail.example.com", "C4n4ry")},
        {"ccp": CCP, **NOWHERE},
        {"rest": REST_KEY, **NOWHERE},
        {"ccp": CCP, "mailcow": ("http://127.0.0.1:9", "C4n4ry"), **NOWHERE},
    ],
)
def test_no_secret_is_in_a_traceback_with_all_its_values(arguments: dict[str, Any]) -> None:
    with pytest.raises(MailauthError) as raised, no_pauses():
        Netcup(**arguments).plan(DOMAIN, **{**SOUND, "dkim": None})
    assert_bare(raised.value)
    with pytest.raises(MailauthError) as raised, no_pauses():
        Netcup(**arguments).plan(DOMAIN, dkim="mailcow")
    assert_bare(raised.value)


@pytest.mark.parametrize(
    "environ",
    [
        {"NETCUP_API_PASSWORD": "C4n4ry"},
        {"NETCUP_API_PASSWORD": "C4n4ry wörd"},
        {"NETCUP_API_PASSWORD": "C4n4ry", "NETCUP_API_KEY": b"C4n4ry"},
        {"NETCUP_REST_API_KEY": REST_KEY, "NETCUP_REST_ENDPOINT": "http://netcup.example"},
    ],
)
def test_no_secret_of_the_environment_is_in_one(environ: Any) -> None:
    with pytest.raises(MailauthError) as raised:
        Netcup.from_environment(environ)
    assert_bare(raised.value)


def test_what_the_program_itself_failed_at_keeps_its_values() -> None:
    def fail(number: int) -> None:
        raise ValueError(number)

    def recover() -> None:
        try:
            fail(4711)
        except ValueError:
            Netcup(rest="")

    with pytest.raises(CredentialsError) as raised:
        recover()
    own = raised.value.__context__
    assert isinstance(own, ValueError)
    frames = traceback.TracebackException.from_exception(own, capture_locals=True).stack
    assert (frames[-1].locals or {})["number"] == "4711"


def assert_bare(error: BaseException) -> None:
    """No frame of ours holds a secret, whoever shows the values of a traceback."""
    seen: BaseException | None = error
    while seen is not None:
        frames = traceback.TracebackException.from_exception(seen, capture_locals=True).stack
        ours = [frame for frame in frames if frame.filename != __file__]
        assert not [(f, n) for f in ours for n, v in (f.locals or {}).items() if "C4n4ry" in v]
        seen = seen.__cause__ or seen.__context__


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ({}, CredentialsError, "no credentials for netcup"),
        ({"ccp": ("12345", "k" * 50)}, UsageError, "ccp is"),
        ({"ccp": {"customer_number": "1", "key": "k"}}, UsageError, "ccp is"),
        ({"ccp": "12345"}, UsageError, "ccp is"),
        ({"ccp": ("me", "k" * 50, "word")}, CredentialsError, "customer number in ccp"),
        ({"ccp": ("12345", "k" * 64, "word")}, CredentialsError, "the API key in ccp"),
        ({"ccp": ("12345", "k" * 50, "")}, CredentialsError, "the API password in ccp"),
        ({"ccp": ("12345", "k" * 50, "wört")}, CredentialsError, "he API password in ccp"),
        ({"rest": "k" * 50}, CredentialsError, "rest holds a key"),
        ({"rest": 3}, UsageError, "rest is a text"),
        ({"rest": "k" * 64, "mailcow": "https://mail.example.com"}, UsageError, "mailcow is"),
        ({"rest": "k" * 64, "mailcow": ("http://mail.example.com", "k")}, UsageError, "mailcow"),
        ({"rest": "k" * 64, "rest_endpoint": "http://netcup.example"}, UsageError, "rest_endpoint"),
        ({"rest": "k" * 64, "rest_endpoint": None}, UsageError, "the rest_endpoint is a text"),
        ({"rest": "k" * 64, "ccp_endpoint": 3}, UsageError, "the ccp_endpoint is a text"),
        ({"rest": "k" * 64, "state": ""}, UsageError, "state is an empty text"),
        ({"rest": "k" * 64, "state": 3}, UsageError, "state is a text"),
        ({"rest": "k" * 64, "jobs": 99}, UsageError, "jobs=99"),
        ({"rest": "k" * 64, "nameserver": 3}, UsageError, "nameserver"),
    ],
)
def test_what_cannot_be_right_is_told_by_its_name(
    arguments: dict[str, Any], error: type[MailauthError], told: str
) -> None:
    with pytest.raises(error, match=re.escape(told)) as raised:
        Netcup(**arguments)
    assert "NETCUP_" not in raised.value.sentences


def test_what_is_put_right_in_a_secret_is_told_by_its_name() -> None:
    with pytest.warns(UserWarning, match="^rest: quotes or blanks") as warned:
        Netcup(rest=f" '{'k' * 64}' ").close()
    assert "NETCUP_" not in str(warned[0].message)


@pytest.mark.parametrize(
    "environ",
    [
        {"NETCUP_CUSTOMER_NUMBER": 12345},
        {"NETCUP_API_PASSWORD": b"C4n4ry"},
        {"NETCUP_API_PASSWORD": SecretStr("C4n4ry")},
        {"NETCUP_CCP_ENDPOINT": 3},
        {3: "C4n4ry"},
        {b"NETCUP_API_PASSWORD": b"C4n4ry"},
        [("NETCUP_API_PASSWORD", "C4n4ry")],
        "C4n4ry",
    ],
)
def test_an_environment_that_is_none_is_told_without_its_values(environ: Any) -> None:
    with pytest.raises(UsageError, match="environ") as raised:
        Netcup.from_environment(environ)
    assert "C4n4ry" not in raised.value.sentences


@pytest.mark.parametrize("config", ["", 3, {"domains": {}}, b"netcup-mailauth.toml"])
def test_a_config_that_is_no_path_is_told(config: Any) -> None:
    with Sandbox() as sandbox, pytest.raises(UsageError, match=r"^config is"):
        Netcup.from_environment(sandbox.env, config=config)


def test_another_environment_means_its_own_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    monkeypatch.setenv("HOME", str(ours))
    (folder := theirs / ".config" / "netcup-mailauth").mkdir(parents=True)
    with Sandbox() as sandbox:
        kept = folder / "credentials.toml"
        kept.write_text(f'netcup_api_password = "{sandbox.env["NETCUP_API_PASSWORD"]}"\n')
        kept.chmod(0o600)
        env = {**sandbox.env, "HOME": str(theirs), "XDG_STATE_HOME": "state"}
        del env["NETCUP_API_PASSWORD"]
        with Netcup.from_environment(env) as netcup:
            netcup.apply(netcup.plan(DOMAIN, dmarc="v=DMARC1;p=none"))
    assert list((theirs / ".local/state/netcup-mailauth").iterdir())
    assert not ours.exists()


def test_wrapped_secrets_and_a_number_are_taken_too() -> None:
    with Netcup(ccp=(12345, SecretStr("k" * 50), SecretStr("w")), rest=SecretStr("k" * 64)) as both:
        assert repr(both) == "<Netcup: ccp, clouddns>"
    named = {"customer_number": 12345, "api_key": "k" * 50, "api_password": "word"}
    with Netcup(ccp=named, mailcow={"url": "https://mail.example.com", "api_key": "k"}) as one:
        assert repr(one) == "<Netcup: ccp>"


def test_the_environment_is_read_as_the_command_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox() as sandbox:
        password = tmp_path / "password"
        password.write_text(sandbox.env["NETCUP_API_PASSWORD"] + "\n")
        for name, value in sandbox.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("NETCUP_API_PASSWORD")
        with pytest.raises(CredentialsError, match="NETCUP_API_PASSWORD is not set"):
            Netcup.from_environment()
        monkeypatch.setenv("NETCUP_API_PASSWORD_FILE", str(password))
        with Netcup.from_environment() as netcup:
            assert netcup.plan(DOMAIN, **SOUND).has_changes
        folder = tmp_path / "netcup-mailauth"
        folder.mkdir()
        kept = folder / "credentials.toml"
        kept.write_text(f'netcup_api_password = "{sandbox.env["NETCUP_API_PASSWORD"]}"\n')
        kept.chmod(0o600)
        monkeypatch.delenv("NETCUP_API_PASSWORD_FILE")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        with Netcup.from_environment() as netcup:
            assert netcup.plan(DOMAIN, **SOUND).has_changes
        # What is named instead of the environment is all there is.
        with pytest.raises(CredentialsError):
            Netcup.from_environment(
                {name: v for name, v in sandbox.env.items() if name != "NETCUP_API_PASSWORD"}
            )


def test_a_config_says_what_the_arguments_do_not(tmp_path: Path) -> None:
    config = tmp_path / "mine.toml"
    config.write_text(
        '[domains."example.com"]\nspf = { require = ["ip4:203.0.113.7"] }\n'
        '[domains."example.org"]\ndmarc = "v=DMARC1;p=none"\n'
    )
    with (
        Sandbox(["example.com", "example.org"]) as sandbox,
        Netcup.from_environment(sandbox.env, config=config) as netcup,
    ):
        assert [zone.domain for zone in netcup.plan().zones] == ["example.com", "example.org"]
        (zone,) = netcup.plan("example.com", dmarc="v=DMARC1;p=none").zones
        assert {change.kind for change in zone.changes} == {"spf", "dmarc"}
    config.write_text("[domains]\nspf = 3\n")
    with pytest.raises(ConfigError):
        Netcup.from_environment(sandbox.env, config=config)


def test_a_mailcow_that_is_named_in_a_call_is_asked_with_the_key_there_is() -> None:
    with Sandbox() as sandbox:
        env = {name: value for name, value in sandbox.env.items() if name != "MAILCOW_URL"}
        with Netcup.from_environment(env) as netcup:
            with pytest.raises(UsageError, match="no mailcow is named"):
                netcup.plan(DOMAIN, dkim="mailcow")
            (zone,) = netcup.plan(DOMAIN, mailcow=sandbox.mailcow_url).zones
            assert [change.kind for change in zone.changes] == ["dkim"]
        with Netcup(rest="k" * 64, rest_endpoint=sandbox.rest_endpoint) as bare:
            with pytest.raises(UsageError, match="no key for any mailcow") as raised:
                bare.plan(DOMAIN, dkim="mailcow")
            assert "Netcup(mailcow=(URL, API_KEY)" in raised.value.advice
            with pytest.raises(UsageError) as raised:
                bare.plan(DOMAIN, mailcow="https://me:C4n4ry@mail.example.com")
            assert "C4n4ry" not in raised.value.sentences


# Nothing past the guard


def hand_made(plan: ProposedPlan) -> ProposedPlan:
    made = ProposedPlan.__new__(ProposedPlan)
    made._zones = plan.zones
    return made


def without_findings(plan: ProposedPlan) -> ProposedPlan:
    plan._zones = tuple(replace(zone, findings=(), held=frozenset()) for zone in plan.zones)
    return plan


def with_consent_slipped_in(plan: ProposedPlan) -> ProposedPlan:
    object.__setattr__(plan.zones[0], "allow", ("spf-drops-sender",))
    return plan


def with_another_text(plan: ProposedPlan) -> ProposedPlan:
    (change,) = [c for c in plan.zones[0].changes if c.kind == "spf"]
    object.__setattr__(change.after, "destination", "v=spf1 +all")
    return plan


def through_a_pickle(plan: ProposedPlan) -> ProposedPlan:
    again = pickle.loads(pickle.dumps(plan))
    assert isinstance(again, ProposedPlan)
    return again


def as_core_plan(plan: ProposedPlan) -> Any:
    from netcup_mailauth.plan import Plan

    return Plan(tuple(replace(zone, findings=(), held=frozenset()) for zone in plan.zones))


@pytest.mark.parametrize(
    "change",
    [
        hand_made,
        without_findings,
        with_consent_slipped_in,
        with_another_text,
        through_a_pickle,
        as_core_plan,
        copy.copy,
        copy.deepcopy,
    ],
)
def test_what_was_not_judged_as_it_is_is_not_written(
    change: Callable[[ProposedPlan], Any],
) -> None:
    with Sandbox() as sandbox, sandbox.netcup() as netcup:
        changed = change(netcup.plan(DOMAIN, **DANGEROUS))
        with pytest.raises(UsageError, match=r"no plan that|changed since"):
            netcup.apply(changed)
        if isinstance(changed, ProposedPlan):
            for derived in (partial(changed.allow, "spf-drops-sender"), changed.without_held):
                with pytest.raises(UsageError):
                    derived()
        assert "updateDnsRecords" not in requests_of(sandbox)


def test_a_plan_is_made_by_netcup_alone_and_applied_by_the_same() -> None:
    with pytest.raises(TypeError):
        ProposedPlan()
    with Sandbox() as sandbox, sandbox.netcup() as one, sandbox.netcup() as other:
        with pytest.raises(UsageError, match="Another Netcup"):
            other.apply(one.plan(DOMAIN, **SOUND))
        assert "updateDnsRecords" not in requests_of(sandbox)


def test_consent_is_to_what_was_found_in_the_plan_and_a_plan_stays_as_it_is(api: Api) -> None:
    with api.netcup() as sandbox, sandbox.netcup() as netcup:
        plan = netcup.plan(DOMAIN, **DANGEROUS)
        with pytest.raises(UsageError, match="no finding"):
            plan.allow("spf-drops-everything")
        with pytest.raises(UsageError, match=r"example\.org is not in this plan"):
            plan.allow("spf-drops-sender:example.org")
        with pytest.raises(UsageError, match="'' is not a domain name"):
            plan.allow("spf-drops-sender:")  # of a variable that is empty
        with pytest.raises(UsageError, match="'' is not a domain name"):
            netcup.plan(DOMAIN, **DANGEROUS, allow="spf-drops-sender:")
        for useless in (plan.allow("dmarc-weakens-policy"), plan.allow(), plan):
            with pytest.raises(RefusedError, match="spf-drops-sender"):
                netcup.apply(useless)
        allowed = plan.allow("spf-drops-sender:example.com")
        assert (plan.stopping, allowed.stopping) != ((), plan.stopping)
        assert api.writes(sandbox) == 0
        (result,) = netcup.apply(allowed).results
        assert result.status is Status.APPLIED
        (again,) = netcup.apply(allowed).results
        assert (again.status, api.writes(sandbox)) == (Status.ALREADY, 1)


def test_what_is_refused_cannot_be_accepted() -> None:
    with Sandbox() as sandbox, sandbox.netcup() as netcup:
        alias = {"hostname": "_dmarc", "type": "CNAME", "destination": "dmarc.example.net"}
        sandbox.set_zone(DOMAIN, [alias])
        plan = netcup.plan(DOMAIN, dmarc="v=DMARC1;p=none").allow("cname-conflict")
        with pytest.raises(RefusedError, match="cname-conflict") as refused:
            netcup.apply(plan)
        assert "allow" not in refused.value.advice


def test_consent_can_be_given_with_the_wish() -> None:
    with Sandbox(["example.com", "example.org"]) as sandbox, sandbox.netcup() as netcup:
        plan = netcup.plan(DOMAIN, **DANGEROUS, allow="spf-drops-sender")
        assert netcup.apply(plan).exit_code is ExitCode.OK
        names = ("example.com", "example.org")
        with pytest.raises(UsageError, match="for which of the 2 domains"):
            netcup.plan(*names, **DANGEROUS, allow="spf-drops-sender")
        plan = netcup.plan(*names, **DANGEROUS, allow=["spf-drops-sender:example.org"])
        assert netcup.apply(plan).exit_code is ExitCode.OK


def test_the_rest_is_written_when_what_is_held_back_is_left_out(api: Api) -> None:
    with api.netcup() as sandbox, sandbox.netcup() as netcup:
        rest = netcup.plan(DOMAIN, **HOW_TO).without_held()
        assert {change.kind for change in rest.zones[0].changes} == {"dkim", "dmarc"}
        run = netcup.apply(rest)
        (result,) = run.results
        assert (result.status, run.exit_code) == (Status.APPLIED, ExitCode.REFUSED)
        assert result.failure is not None
        assert "SPF is held back, because of spf-drops-sender" in result.failure.message
        again = netcup.plan(DOMAIN, **HOW_TO)
        assert [change.kind for zone in again.zones for change in zone.changes] == ["spf"]
        nothing = netcup.apply(again.without_held())
        assert [result.status for result in nothing.results] == [Status.REFUSED]
        with pytest.raises(StaleError):
            netcup.apply(rest.allow("spf-drops-sender"))  # two of its three are there by now


def test_one_domain_that_is_held_back_holds_back_the_plan_until_it_is_left_out(api: Api) -> None:
    names = ("example.com", "example.org")
    with api.netcup(names) as sandbox, sandbox.netcup() as netcup:
        alias = {"hostname": "_dmarc", "type": "CNAME", "destination": "dmarc.example.net"}
        sandbox.set_zone("example.org", [alias])
        plan = netcup.plan(*names, dmarc="v=DMARC1;p=none")
        with pytest.raises(RefusedError, match=r"example\.org is held back by cname-conflict"):
            netcup.apply(plan)
        assert api.writes(sandbox) == 0
        run = netcup.apply(plan.without_held())
        assert [r.status for r in run.results] == [Status.APPLIED, Status.REFUSED]
        assert run.exit_code is ExitCode.REFUSED


# What is kept


def test_a_write_is_kept_where_the_command_can_undo_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from netcup_mailauth.cli.entry import main

    with Sandbox() as sandbox:
        env = {**sandbox.env, "NETCUP_MAILAUTH_STATE_DIR": str(tmp_path)}
        with Netcup.from_environment(env) as netcup:
            before = sandbox.zone(DOMAIN)
            netcup.apply(netcup.plan(DOMAIN, dmarc="v=DMARC1;p=none"))
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        assert main(["undo", DOMAIN, "--yes"]) == 0
        assert sandbox.zone(DOMAIN) == before
        assert "written and verified" in capsys.readouterr().out


def test_what_this_machine_wrote_and_is_gone_is_not_made_anew_from_parts(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        env = {**sandbox.env, "NETCUP_MAILAUTH_STATE_DIR": str(tmp_path)}
        with Netcup.from_environment(env) as netcup:
            netcup.apply(netcup.plan(DOMAIN, dmarc="v=DMARC1;p=none;rua=mailto:a@example.com"))
            left = [r for r in sandbox.zone(DOMAIN) if r["hostname"] != "_dmarc"]
            sandbox.set_zone(DOMAIN, left)
            plan = netcup.plan(DOMAIN, dmarc_policy="none")
            with pytest.raises(RefusedError, match="record-vanished"):
                netcup.apply(plan)


def test_two_that_write_to_one_account_take_turns(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        env = {**sandbox.env, "NETCUP_MAILAUTH_STATE_DIR": str(tmp_path)}
        with Netcup.from_environment(env) as netcup, Netcup.from_environment(env) as other:
            plan = netcup.plan(DOMAIN, dmarc="v=DMARC1;p=none")
            netcup._once = replace(netcup._once, lock_timeout=0.0)
            with other._session().lock(), pytest.raises(LockError, match="Another run is writing"):
                netcup.apply(plan)
            assert netcup.apply(plan).exit_code is ExitCode.OK


def test_credentials_that_were_refused_are_not_tried_again_at_once(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        state = {"NETCUP_MAILAUTH_STATE_DIR": str(tmp_path)}
        wrong = {**sandbox.env, "NETCUP_API_PASSWORD": "C4n4ry-wrong", **state}
        with (
            Netcup.from_environment(wrong) as netcup,
            pytest.warns(UserWarning, match="send nothing"),
            pytest.raises(CredentialsError),
        ):
            netcup.plan(DOMAIN, dmarc="v=DMARC1;p=none")
        logins = requests_of(sandbox)["login"]
        with Netcup.from_environment(wrong) as again, pytest.raises(CredentialsError) as held:
            again.plan(DOMAIN, dmarc="v=DMARC1;p=none")
        assert requests_of(sandbox)["login"] == logins
        assert "--" not in held.value.sentences


def test_a_sandbox_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with Sandbox() as sandbox, sandbox.netcup() as netcup:
        netcup.apply(netcup.plan(DOMAIN, dmarc="v=DMARC1;p=none"))
    assert not list(tmp_path.iterdir())


# What goes wrong


def test_a_zone_that_has_changed_since_is_left_alone(api: Api) -> None:
    with api.netcup() as sandbox, sandbox.netcup() as netcup:
        plan = netcup.plan(DOMAIN, dmarc="v=DMARC1;p=none")
        rival = {"hostname": "_dmarc", "type": "TXT", "destination": "v=DMARC1;p=reject"}
        sandbox.set_zone(DOMAIN, [rival])
        with pytest.raises(StaleError, match="has changed since"):
            netcup.apply(plan)
        assert api.writes(sandbox) == 0


def without(sandbox: Sandbox, domain: str, hostname: str) -> None:
    """Somebody takes the records of a name out of a zone."""
    left = [r for r in sandbox.zone(domain) if r["hostname"] != hostname]
    sandbox.set_zone(domain, [{n: v for n, v in r.items() if n != "id"} for r in left])


def test_a_plan_is_judged_again_before_it_is_written(api: Api) -> None:
    with api.netcup() as sandbox, sandbox.netcup() as netcup:
        netcup.apply(netcup.plan(DOMAIN, dkim="mailcow"))
        plan = netcup.plan(DOMAIN, dmarc="v=DMARC1;p=reject")
        assert plan.stopping == ()
        without(sandbox, DOMAIN, "dkim._domainkey")
        before = sandbox.zone(DOMAIN)
        for tried in (plan, plan.without_held(), plan.allow("spf-drops-sender")):
            with pytest.raises(StaleError, match="without any DKIM key"):
                netcup.apply(tried)
        assert sandbox.zone(DOMAIN) == before
        accepted = plan.allow("dmarc-enforces-without-dkim")
        assert netcup.apply(accepted).exit_code is ExitCode.OK


def test_a_plan_for_a_key_that_mailcow_has_changed_is_stale(api: Api) -> None:
    with api.netcup() as sandbox, sandbox.netcup() as netcup:
        plan = netcup.plan(DOMAIN, dkim="mailcow", spf_require="ip4:203.0.113.7")
        sandbox.set_dkim(DOMAIN)
        with pytest.raises(StaleError, match=r"was planned, and v=DKIM1.* is wanted now"):
            netcup.apply(plan)
        assert api.writes(sandbox) == 0
        assert netcup.apply(netcup.plan(DOMAIN, dkim="mailcow")).exit_code is ExitCode.OK


def test_of_several_domains_only_that_one_is_stale_of_which_the_guard_says_more() -> None:
    names = ("example.com", "example.org")
    with Sandbox(names) as sandbox, sandbox.netcup() as netcup:
        netcup.apply(netcup.plan(*names, dkim="mailcow"))
        plan = netcup.plan(*names, spf="v=spf1 mx -all", dmarc="v=DMARC1;p=quarantine")
        without(sandbox, "example.org", "dkim._domainkey")
        results = netcup.apply(plan.without_held()).results
        assert [result.status for result in results] == [Status.APPLIED, Status.STALE]
        assert not [r for r in sandbox.zone("example.org") if r["hostname"] == "_dmarc"]


def test_what_changes_beside_a_plan_does_not_stop_it(api: Api) -> None:
    with api.netcup() as sandbox, sandbox.netcup() as netcup:
        plan = netcup.plan(DOMAIN, **HOW_TO)
        without(sandbox, DOMAIN, "key1._domainkey")
        (result,) = netcup.apply(plan.allow("spf-drops-sender")).results
        assert result.status is Status.APPLIED


def test_a_write_that_does_not_come_to_what_was_planned_is_told() -> None:
    with no_pauses(), Sandbox() as sandbox, sandbox.netcup() as netcup:
        plan = netcup.plan(DOMAIN, dmarc="v=DMARC1;p=none")
        sandbox.fault("updateDnsRecords", "drop")
        with pytest.raises(UnverifiedError, match="no clear answer"):
            netcup.apply(plan)


def test_of_several_domains_each_has_its_own_error_and_the_others_are_done() -> None:
    names = ("example.com", "nobody.example", "example.org")
    with Sandbox(["example.com", "example.org"]) as sandbox, sandbox.netcup() as netcup:
        plan = netcup.plan(*names, dmarc="v=DMARC1;p=none")
        errors = [zone.error and zone.error.exit_code for zone in plan.zones]
        assert errors == [None, ExitCode.ZONE, None]
        run = netcup.apply(plan)
        assert [r.status for r in run.results] == [Status.APPLIED, Status.FAILED, Status.APPLIED]
        assert (run.exit_code, run.results[1].domain) == (ExitCode.ZONE, "nobody.example")
        assert run.results[1].failure is not None
        report = netcup.check("example.com", "nobody.example")
        assert [domain.error is None for domain in report.domains] == [True, False]
        with pytest.raises(ZoneError):
            netcup.plan("nobody.example", dmarc="v=DMARC1;p=none")


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"spf": "v=spf1 foo"}, RecordError),
        ({"spf": "v=spf1 -all", "spf_all": "fail"}, UsageError),
        ({"spf": ""}, UsageError),
        ({"spf": 3}, UsageError),
        ({"spf_all": "x"}, UsageError),
        ({"spf_all": ["fail"]}, UsageError),
        ({"spf_require": [1]}, UsageError),
        ({"spf_require": {"mx": 1}}, UsageError),
        ({"spf_require": b"mx"}, UsageError),
        ({"dmarc_policy": "strict"}, UsageError),
        ({"dmarc": "v=DMARC1;p=none", "rua": "mailto:a@example.com"}, UsageError),
        ({"dmarc": "v=DMARC1"}, RecordError),
        ({"rua": "postmaster"}, RecordError),
        ({"dkim": "mailkuh"}, UsageError),
        ({"dkim": "-"}, UsageError),
        ({"dkim": "file:/nowhere/at.all"}, KeySourceError),
        ({"selector": "s1"}, UsageError),
        ({**SOUND, "kind": "mx"}, UsageError),
        ({**SOUND, "zone": "example.org"}, UsageError),
        ({**SOUND, "zone": "x"}, UsageError),
        ({**SOUND, "server": "no host"}, UsageError),
        ({**SOUND, "allow": "no-such-code"}, UsageError),
        ({}, UsageError),
    ],
)
def test_a_wrong_argument_is_told_with_what_to_do(
    shared: Netcup, wanted: dict[str, Any], error: type[MailauthError]
) -> None:
    with pytest.raises(error) as raised:
        shared.plan(DOMAIN, **wanted)
    assert not re.search(r"(?<![\w-])--[a-z]|command line|Traceback", raised.value.sentences)


@pytest.mark.parametrize(
    "domain", ["", " ", "com", "https://example.com/x y", 3, None, "_dmarc.a.de"]
)
def test_what_is_no_domain_is_told(shared: Netcup, domain: Any) -> None:
    for method in (shared.plan, shared.check):
        with pytest.raises(UsageError):
            method(domain, spf="v=spf1 mx -all")


@pytest.mark.parametrize("domains", [["example.com"], ("example.com", "example.org"), {DOMAIN: 1}])
def test_a_list_of_domains_is_told_how_to_be_given(shared: Netcup, domains: Any) -> None:
    for wanted in (SOUND, {}):
        with pytest.raises(UsageError, match="A domain is a text") as raised:
            shared.check(domains, **wanted)
        assert "(*domains)" in raised.value.advice
    assert shared.plan(*{DOMAIN: 1}, **SOUND).has_changes


def test_what_is_wanted_of_no_domain_is_told_in_the_words_of_python(shared: Netcup) -> None:
    for wanted in (SOUND, {}):
        with pytest.raises(UsageError) as raised:
            shared.plan(**wanted)
        assert not re.search("[Oo]ption|DOMAIN", raised.value.sentences)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"spf": "v=spf1 mx --all"}, '"--all"'),
        ({"spf": "v=spf1 --spf-drop -all"}, '"--spf-drop"'),
        ({"dmarc": "v=DMARC1;p=--reject"}, "p='--reject'"),
        ({"rua": "--rua x"}, "'--rua x'"),
        ({"dkim": "--dkim"}, "'--dkim'"),
        ({"dkim": "file:/etc/--dkim/--key"}, "/etc/--dkim/--key"),
        ({**SOUND, "server": "--server"}, "'--server'"),
        ({**SOUND, "allow": "--yes"}, "'--yes'"),
    ],
)
def test_a_value_is_told_as_it_was_given(shared: Netcup, wanted: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError) as raised:
        shared.plan(DOMAIN, **wanted)
    assert told in raised.value.what


def test_a_closed_one_says_so_and_may_be_closed_again() -> None:
    with Sandbox() as sandbox:
        with sandbox.netcup() as netcup:
            plan = netcup.plan(DOMAIN, **SOUND)
        netcup.close()
        for call in (partial(netcup.plan, DOMAIN, **SOUND), partial(netcup.apply, plan)):
            with pytest.raises(UsageError, match="closed"):
                call()
        assert sandbox.stats()["logins_open"] == 0


# Which zones


def test_a_domain_below_its_zone_and_one_with_an_umlaut() -> None:
    names = ("example.com", "xn--bcher-kva.example")
    with Sandbox(names) as sandbox, sandbox.netcup() as netcup:
        plan = netcup.plan("shop.example.com", dmarc="v=DMARC1;p=none", zone="example.com")
        (zone,) = plan.zones
        assert (zone.place.zone, zone.changes[0].hostname) == ("example.com", "_dmarc.shop")
        plan = netcup.plan("Bücher.example", dmarc="v=DMARC1;p=none")
        assert "bücher.example (xn--bcher-kva.example)" in str(plan)
        assert netcup.apply(plan).results[0].domain == "xn--bcher-kva.example"
        assert netcup.check("bücher.example", kind="dmarc").exit_code is ExitCode.OK


def test_zones_on_both_apis_are_written_in_one_plan() -> None:
    names = ("example.com", "example.org")
    with Sandbox(names, clouddns=["example.org"]) as sandbox, sandbox.netcup(jobs=2) as netcup:
        plan = netcup.plan(*names, dmarc="v=DMARC1;p=none")
        assert [zone.place.backend for zone in plan.zones] == ["ccp", "clouddns"]
        assert [r.status for r in netcup.apply(plan).results] == [Status.APPLIED] * 2
        again = netcup.plan(*names, dkim="mailcow")  # both ask the one mailcow
        assert [r.status for r in netcup.apply(again).results] == [Status.APPLIED] * 2


def test_threads_may_share_one() -> None:
    names = ["example.com", "example.org", "example.net"]
    with Sandbox(names) as sandbox, sandbox.netcup() as netcup:
        done: list[Status] = []

        def work(domain: str) -> None:
            done.extend(r.status for r in netcup.apply(netcup.plan(domain, **SOUND)).results)

        threads = [threading.Thread(target=work, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert done == [Status.APPLIED] * 3
        assert requests_of(sandbox)["login"] == 1


def test_a_selector_alone_says_where_a_check_looks() -> None:
    with Sandbox() as sandbox, sandbox.netcup() as netcup:
        (domain,) = netcup.check(DOMAIN, selector="s2026", kind="dkim").domains
        assert [record.name for record in domain.records] == ["s2026._domainkey.example.com"]


# What a stranger reads


def test_results_are_printed_with_a_line_for_each_domain() -> None:
    names = ("example.com", "example.org", "nobody.example")
    with Sandbox(names[:2]) as sandbox, sandbox.netcup() as netcup:
        plan = netcup.plan(*names, dmarc="v=DMARC1;p=none")
        lines = str(netcup.apply(plan)).splitlines()
        assert lines[:2] == [f"{name}: written and verified: 1 created" for name in names[:2]]
        assert lines[2].startswith("nobody.example: failed")
        assert "does not serve" in " ".join(lines[3:])


def test_a_report_says_that_it_compares_with_arguments(shared: Netcup) -> None:
    for wanted in ({"spf_require": "mx"}, {**SOUND, "spf_all": "fail"}):
        text = str(shared.check(DOMAIN, **wanted))
        assert "compared with the arguments" in text
        assert "option" not in text


def help_of(thing: object) -> str:
    written = io.StringIO()
    with redirect_stdout(written):
        written.write(pydoc.plain(pydoc.render_doc(thing)))
    return written.getvalue()


def test_the_help_of_the_package_fits_on_two_screens_and_names_all_there_is() -> None:
    text = help_of(netcup_mailauth)
    assert len(text.splitlines()) <= 100
    named = set(re.findall(r"\w+", text))
    assert set(netcup_mailauth.__all__) - named <= {"__version__"}


@pytest.mark.parametrize("name", sorted({*netcup_mailauth.__all__} - {"__version__"}))
def test_all_there_is_has_a_help_that_speaks_of_python(name: str) -> None:
    thing = getattr(netcup_mailauth, name)
    text = help_of(thing)
    assert not re.search(r"(?<![\w-])--[a-z]|command line|\bfacts? \d|\([LR]\d", text)
    public = [n for n in vars(thing) if not n.startswith("_") and callable(getattr(thing, n, None))]
    assert [n for n in public if not (getattr(thing, n).__doc__ or "").strip()] == []


def test_every_name_that_the_package_offers_is_there() -> None:
    assert [name for name in netcup_mailauth.__all__ if not hasattr(netcup_mailauth, name)] == []


def test_a_sandbox_names_itself_in_texts() -> None:
    with Sandbox() as sandbox:
        assert {type(value) for value in sandbox.env.values()} == {str}

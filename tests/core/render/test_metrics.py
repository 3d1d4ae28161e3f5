"""A run as metrics, judged by prometheus_client's own parser."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.judge.report import Basis, CheckedRecord, DomainCheck, ServerView, State
from netcup_mailauth.plan import Action, ChangeSet, Failure, Kept, Result, Status
from netcup_mailauth.records import Kind
from netcup_mailauth.render.metrics import (
    DomainOutcome,
    Run,
    last_success,
    metrics_text,
    of_checked,
    of_planned,
    of_result,
)
from tests.core.render.samples import (
    DMARC,
    ED25519,
    FAILED,
    FULL_STORY,
    PLACE,
    RSA,
    SPF,
    TEXTS,
    UNCHANGED,
    change,
    txt,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = 1_767_225_600.25
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: str) -> Series:
    """Every series; the parser refuses what a collector would refuse."""
    found: Series = {}
    for family in text_string_to_metric_families(text):
        assert family.name.startswith("netcup_mailauth_")
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            key = (sample.name.removeprefix("netcup_mailauth_"), frozenset(sample.labels.items()))
            assert key not in found, "the same series twice"
            found[key] = sample.value
    return found


def value(series: Series, name: str, command: str = "apply", **labels: str) -> float | None:
    return series.get((name, frozenset({"command": command, **labels}.items())))


def run(*domains: DomainOutcome, code: ExitCode = ExitCode.OK, **more: object) -> Run:
    return Run("apply", code, NOW, 1.5, domains, **more)  # type: ignore[arg-type]


def test_a_run_with_nothing_to_tell_of_still_has_its_time_and_its_result() -> None:
    """As after refused credentials: a monitor has to see that, too."""
    series = read(metrics_text(run(code=ExitCode.CREDENTIALS)))
    assert value(series, "last_run_timestamp_seconds") == NOW
    assert value(series, "last_run_duration_seconds") == 1.5
    assert value(series, "last_run_exit_code") == 4
    assert value(series, "last_success_timestamp_seconds") is None
    assert value(series, "findings", severity="danger") == 0
    assert value(series, "changes_made", kind="dkim", action="update") == 0


@pytest.mark.parametrize(
    ("code", "success"),
    [
        (ExitCode.OK, NOW),
        (ExitCode.CHANGES_PENDING, NOW),
        (ExitCode.REFUSED, 1000.5),
        (ExitCode.INTERRUPTED, 1000.5),
    ],
)
def test_the_last_success_outlasts_a_failure(code: ExitCode, success: float) -> None:
    text = metrics_text(run(code=code, last_success=1000.5))
    assert value(read(text), "last_success_timestamp_seconds") == success
    assert last_success(text, "apply") == success, "the next run has to find it"
    assert last_success(text, "check") is None, "another command's is not this one's"


@pytest.mark.parametrize("text", ["", "nonsense", 'x{command="apply"} 1\n', "\0" * 100])
def test_a_file_of_somebody_else_has_no_success(text: str) -> None:
    assert last_success(text, "apply") is None
    name = "netcup_mailauth_last_success_timestamp_seconds"
    for number in ("NaN", "1e5", "-1", "9" * 400, ""):
        assert last_success(f'{name}{{command="apply"}} {number}\n', "apply") is None


def test_changes_are_made_only_where_they_were_verified() -> None:
    counts = {status: of_result(Result(FULL_STORY, status)) for status in Status}
    made = {status: len(one.made) for status, one in counts.items() if one.made}
    assert made == {Status.APPLIED: 2, Status.LOST: 2}
    settled = [status for status, one in counts.items() if not one.pending]
    assert settled == [Status.APPLIED, Status.LOST, Status.ALREADY]
    series = read(metrics_text(run(counts[Status.APPLIED])))
    assert value(series, "changes_made", kind="spf", action="update") == 1
    assert value(series, "changes_made", kind="dkim", action="create") == 1
    assert sum(n for (name, _), n in series.items() if name == "changes_made") == 2
    assert sum(n for (name, _), n in series.items() if name == "changes_pending") == 0
    zeros = [key for key in series if key[0] == "changes_made"]
    assert len(zeros) == len(Kind) * len(Action), "a series must not come and go"


def test_each_domain_has_its_status_and_its_exit_code() -> None:
    failure = Failure(ExitCode.STALE, "secret of 12345", "ask")
    outcomes = (
        of_result(Result(FULL_STORY, Status.STALE, failure)),
        DomainOutcome("example.org", "not tried", ExitCode.CREDENTIALS),
    )
    text = metrics_text(run(*outcomes, code=ExitCode.CREDENTIALS))
    series = read(text)
    assert value(series, "domain_status", domain="example.com", status="stale") == 1
    assert value(series, "domain_exit_code", domain="example.com") == 7
    assert value(series, "domain_status", domain="example.org", status="not tried") == 1
    assert value(series, "domain_exit_code", domain="example.org") == 4
    for hidden in ("12345", PLACE.account, "ccp.netcup.net", SPF, RSA):
        assert hidden not in text


def test_findings_are_counted_and_what_is_allowed_does_not_alarm() -> None:
    findings = (
        Finding("spf-drops-sender", Severity.DANGER, "a"),
        Finding("spf-drops-sender", Severity.DANGER, "b"),
        Finding("spf-removed", Severity.DANGER, "c"),
        Finding("dkim-no-key", Severity.WARNING, "d"),
    )
    outcome = DomainOutcome(
        "example.com", "applied", findings=findings, allow=("spf-drops-sender", "dkim-no-key")
    )
    series = read(metrics_text(run(outcome)))
    assert value(series, "findings", severity="danger") == 1
    assert value(series, "findings", severity="warning") == 1, "a warning cannot be allowed away"
    assert value(series, "findings", severity="refused") == 0
    name, of = "domain_findings", {"domain": "example.com", "severity": "danger"}
    assert value(series, name, **of, code="spf-drops-sender", allowed="yes") == 2
    assert value(series, name, **of, code="spf-removed", allowed="no") == 1


def test_the_age_of_a_key_is_that_at_the_end_of_the_run() -> None:
    since = {("example.com", "dkim"): NOW - 86_400, ("example.com", "new"): NOW + 60}
    series = read(metrics_text(run(key_since=since)))
    dkim = {"domain": "example.com", "selector": "dkim"}
    assert value(series, "dkim_key_age_seconds", **dkim) == 86_400
    assert value(series, "dkim_key_since_timestamp_seconds", **dkim) == NOW - 86_400
    # A clock that went backwards makes no key of negative age.
    assert value(series, "dkim_key_age_seconds", domain="example.com", selector="new") == 0


KEPT_DKIM = Kept(Kind.DKIM, txt(RSA, "dkim._domainkey.intern"))
SWAP = change(Kind.DKIM, RSA, ED25519)


@pytest.mark.parametrize(
    ("change_set", "status", "keys"),
    [
        (ChangeSet(PLACE, unchanged=(KEPT_DKIM,)), Status.UNCHANGED, {"dkim": RSA}),
        (ChangeSet(PLACE, (SWAP,)), Status.APPLIED, {"dkim": ED25519}),
        (ChangeSet(PLACE, (SWAP,)), Status.ALREADY, {"dkim": ED25519}),
        (ChangeSet(PLACE, (SWAP,)), Status.REFUSED, {"dkim": RSA}),
        (ChangeSet(PLACE, (SWAP,)), Status.UNKNOWN, {}),
        (ChangeSet(PLACE, (change(Kind.DKIM, None, RSA),)), Status.REFUSED, {}),
        (ChangeSet(PLACE, (change(Kind.DKIM, RSA, None),)), Status.APPLIED, {}),
        (ChangeSet(PLACE, (change(Kind.SPF, None, SPF),)), Status.APPLIED, {}),
    ],
)
def test_the_keys_of_a_domain_are_those_that_its_zone_holds_now(
    change_set: ChangeSet, status: Status, keys: Mapping[str, str]
) -> None:
    assert of_result(Result(change_set, status)).keys == keys


def test_a_plan_leaves_its_changes_pending() -> None:
    assert of_planned(UNCHANGED).status == "unchanged"
    failed = of_planned(FAILED)
    assert (failed.status, failed.exit_code) == ("failed", ExitCode.ZONE)
    refused = of_planned(FULL_STORY)
    assert (refused.status, refused.exit_code, len(refused.pending)) == ("refused", ExitCode.OK, 2)
    pending = of_planned(ChangeSet(PLACE, (SWAP,)))
    assert (pending.status, pending.made, pending.keys) == ("pending", (), {"dkim": RSA})


def test_a_check_tells_of_states_and_of_the_key_that_every_server_has() -> None:
    def checked(state: State, *values: str) -> DomainCheck:
        views = tuple(ServerView(f"ns{n}", (v,), state) for n, v in enumerate(values))
        name = "s1._domainkey.example.com"
        return DomainCheck(
            "example.com",
            Basis.CONFIG,
            (
                CheckedRecord(Kind.DKIM, name, RSA, views),
                CheckedRecord(Kind.DMARC, "_dmarc.example.com", DMARC, views),
            ),
        )

    for state, word in ((State.OK, "ok"), (State.PENDING, "pending"), (State.WRONG, "wrong")):
        assert of_checked(checked(state, RSA, RSA)).status == word
    assert of_checked(checked(State.OK, RSA, RSA)).keys == {"s1": RSA}
    assert of_checked(checked(State.OK, RSA, ED25519)).keys == {}
    assert of_checked(checked(State.PENDING, RSA)).keys == {}
    assert of_checked(checked(State.OK)).keys == {}, "no server was asked"
    gone = DomainCheck("example.com", Basis.CONFIG, error=Failure(ExitCode.ZONE, "gone"))
    assert (of_checked(gone).status, of_checked(gone).exit_code) == ("failed", ExitCode.ZONE)


@given(
    domain=TEXTS,
    command=TEXTS,
    finding=st.builds(Finding, TEXTS, st.sampled_from(Severity), TEXTS),
    ended=st.floats(0, 1e11),
)
def test_whatever_a_label_holds_is_read_back_as_it_was(
    domain: str, command: str, finding: Finding, ended: float
) -> None:
    outcome = DomainOutcome(domain, "failed", findings=(finding,))
    text = metrics_text(Run(command, ExitCode.OK, ended, 0, (outcome,)))
    series = read(text)
    assert value(series, "domain_status", command, domain=domain, status="failed") == 1
    labels = {"domain": domain, "severity": finding.severity.value, "code": finding.code}
    assert value(series, "domain_findings", command, **labels, allowed="no") == 1
    found = last_success(text, command)
    assert found is not None
    assert math.isclose(found, ended, abs_tol=0.001)


def test_the_order_is_stable() -> None:
    one, two = (DomainOutcome(name, "unchanged") for name in ("b.example", "a.example"))
    findings = (Finding("b", Severity.NOTE, ""), Finding("a", Severity.DANGER, ""))
    text = metrics_text(run(one, two, DomainOutcome("c.example", "x", findings=findings)))
    assert text == metrics_text(
        run(one, two, DomainOutcome("c.example", "x", findings=findings[::-1]))
    )
    lines = [line for line in text.splitlines() if "domain_status{" in line]
    assert [line.split('"')[3] for line in lines] == ["b.example", "a.example", "c.example"]


EXPECTED = """\
# HELP netcup_mailauth_last_run_timestamp_seconds When the last run ended.
# TYPE netcup_mailauth_last_run_timestamp_seconds gauge
netcup_mailauth_last_run_timestamp_seconds{command="apply"} 1767225600.25
# HELP netcup_mailauth_last_success_timestamp_seconds When a run last ended well (exit code 0 or 3).
# TYPE netcup_mailauth_last_success_timestamp_seconds gauge
netcup_mailauth_last_success_timestamp_seconds{command="apply"} 1767225600.25
"""


def test_what_it_looks_like() -> None:
    assert metrics_text(run()).startswith(EXPECTED)

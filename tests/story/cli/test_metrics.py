"""``--metrics-file``: there is always a whole file that tells the truth, and it costs no run."""

from __future__ import annotations

import os
import stat
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from prometheus_client.parser import text_string_to_metric_families

from netcup_mailauth import dkim
from netcup_mailauth.actions import applying, planning
from netcup_mailauth.cli import metrics
from netcup_mailauth.cli.entry import main
from netcup_mailauth.cli.metrics import key_since, record
from netcup_mailauth.cli.output import begin
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.plan import ChangeSet, Kept, Place
from netcup_mailauth.records import DnsRecord, Kind, Zone
from netcup_mailauth.render.metrics import DomainOutcome
from netcup_mailauth.rotation.state import Book, write_book
from netcup_mailauth.sandbox import Sandbox
from netcup_mailauth.state.journal import Journal, Mark
from tests.core.render.samples import ED25519, RSA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netcup_mailauth.actions.session import Session

DOMAIN = "example.com"
APPLY = ("apply", DOMAIN, "--dkim", f"record:{RSA}", "--allow", "dkim-key-1024", "--yes")
LAST_SUCCESS = "last_success_timestamp_seconds"


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.chdir(tmp_path)
    with Sandbox([DOMAIN, "example.org"]) as running:
        for name, value in running.env.items():
            if value is not None:
                monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "collector"
    folder.mkdir()
    return folder / "apply.prom"


def ends(file: Path, *arguments: str) -> int:
    """Run the command with the metrics file: its exit code, which the file has to hold, too."""
    code = main([*arguments, "--metrics-file", str(file)])
    assert value(file, "last_run_exit_code") == code
    assert abs((value(file, "last_run_timestamp_seconds") or 0) - time.time()) < 60
    assert list(file.parent.iterdir()) == [file], "nothing half-written is left"
    return code


def value(file: Path, name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(file.read_text(encoding="utf-8")):
        for sample in family.samples:
            if sample.name == f"netcup_mailauth_{name}" and labels.items() <= sample.labels.items():
                return float(sample.value)
    return None


def test_a_timer_tells_what_it_did_and_how_old_the_key_is(sandbox: Sandbox, file: Path) -> None:
    assert ends(file, *APPLY) == ExitCode.OK
    assert value(file, "domain_status", domain=DOMAIN, status="applied", command="apply") == 1
    assert value(file, "changes_made", kind="dkim", action="create") == 1
    first = value(file, "dkim_key_since_timestamp_seconds", domain=DOMAIN, selector="dkim")
    assert first == pytest.approx(time.time(), abs=60)
    success = value(file, LAST_SUCCESS)

    assert ends(file, *APPLY) == ExitCode.OK
    assert value(file, "domain_status", domain=DOMAIN, status="unchanged") == 1
    assert value(file, "changes_made", kind="dkim", action="create") == 0
    since = value(file, "dkim_key_since_timestamp_seconds", domain=DOMAIN, selector="dkim")
    assert since == first, "the key is as old as before"
    assert (value(file, "dkim_key_age_seconds", domain=DOMAIN) or 0) > 0
    assert (value(file, LAST_SUCCESS) or 0) > (success or 0)


def test_no_secret_and_no_customer_number_is_in_it(sandbox: Sandbox, file: Path) -> None:
    ends(file, *APPLY)
    text = file.read_text()
    for name in ("NETCUP_CUSTOMER_NUMBER", "NETCUP_API_KEY", "NETCUP_API_PASSWORD"):
        assert str(sandbox.env[name]) not in text


@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_whoever_watches_can_read_it_and_nobody_else_write_it(
    sandbox: Sandbox, file: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        ends(file, "plan", DOMAIN, "--dmarc-policy", "none")
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_refused_credentials_are_seen_and_the_last_success_is_not_forgotten(
    sandbox: Sandbox, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ends(file, *APPLY) == ExitCode.OK
    success = value(file, LAST_SUCCESS)
    monkeypatch.setenv("NETCUP_API_PASSWORD", "wrong-C4n4ry")
    both = ("apply", DOMAIN, "example.org", "--dmarc-policy", "none", "--yes")
    assert ends(file, *both) == ExitCode.CREDENTIALS
    assert value(file, LAST_SUCCESS) == success
    assert value(file, "domain_exit_code", domain=DOMAIN) == ExitCode.CREDENTIALS
    assert value(file, "domain_status", domain="example.org", status="not tried") == 1
    assert "C4n4ry" not in file.read_text()


def test_no_credentials_at_all(file: Path) -> None:
    assert ends(file, "apply", DOMAIN, "--dmarc-policy", "none", "--yes") == ExitCode.CREDENTIALS
    assert value(file, LAST_SUCCESS) is None


def test_a_zone_that_is_not_there(sandbox: Sandbox, file: Path) -> None:
    arguments = ("apply", DOMAIN, "absent.example", "--dmarc-policy", "none", "--yes")
    assert ends(file, *arguments) == ExitCode.ZONE
    assert value(file, "domain_exit_code", domain="absent.example") == ExitCode.ZONE
    assert value(file, "domain_exit_code", domain=DOMAIN) == ExitCode.OK


def test_a_broken_config(file: Path, tmp_path: Path) -> None:
    config = tmp_path / "broken.toml"
    config.write_text("[domains")
    assert ends(file, "check", "-c", str(config)) == ExitCode.USAGE


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RuntimeError("C4n4ry"), ExitCode.ERROR),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
        (click.Abort(), ExitCode.INTERRUPTED),
        (click.ClickException("C4n4ry"), ExitCode.USAGE),
        (BrokenPipeError(), ExitCode.ERROR),
    ],
)
def test_a_run_that_breaks_off_tells_how_far_it_came(
    sandbox: Sandbox,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: ExitCode,
) -> None:
    planned = planning.draft

    def draft(session: Session, wish: Any, **options: Any) -> Any:
        if wish.domain != DOMAIN:
            raise error
        return planned(session, wish, **options)

    monkeypatch.setattr(applying, "draft", draft)
    arguments = ("apply", DOMAIN, "example.org", "--dmarc-policy", "none", "--yes")
    assert ends(file, *arguments) == code
    assert value(file, "domain_status", domain=DOMAIN, status="applied") == 1
    assert value(file, "domain_status", domain="example.org") is None
    assert "C4n4ry" not in file.read_text()


@pytest.mark.parametrize("target", ["absent/x.prom", "."])
def test_a_place_where_no_file_can_be_is_said_before_anybody_is_asked(
    sandbox: Sandbox, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*APPLY, "--metrics-file", target]) == ExitCode.USAGE
    assert f"{target} cannot be written" in capsys.readouterr().err
    assert sandbox.stats()["requests"] == {}


def test_a_file_that_cannot_be_written_is_a_warning_and_no_failure(
    sandbox: Sandbox,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The records are right; by its old time the monitor sees that the file is not new."""
    file.write_text("as it was")

    def full(self: Path, target: Path) -> Path:
        if target == file:
            raise OSError(28, "No space left on device")
        return replaced(self, target)

    replaced = Path.replace
    monkeypatch.setattr(Path, "replace", full)
    assert main([*APPLY, "--metrics-file", str(file)]) == ExitCode.OK
    said = capsys.readouterr().err
    assert f"warning: the metrics could not be written to {file}: No space left" in said
    assert file.read_text() == "as it was"
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    ("error", "code"),
    [(ValueError("C4n4ry"), ExitCode.ERROR), (KeyboardInterrupt(), ExitCode.INTERRUPTED)],
)
def test_what_breaks_off_the_writing_of_it_shows_no_traceback(
    sandbox: Sandbox,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: ExitCode,
) -> None:
    def broken(_: Any) -> str:
        raise error

    monkeypatch.setattr(metrics, "metrics_text", broken)
    assert main([*APPLY, "--metrics-file", str(file)]) == code
    said = capsys.readouterr().err
    assert "C4n4ry" not in said
    assert "Traceback" not in said
    assert not file.exists()


def test_plan_and_check_and_a_plan_file(sandbox: Sandbox, file: Path, tmp_path: Path) -> None:
    saved = str(tmp_path / "plan.json")
    wish = (DOMAIN, "--dmarc-policy", "none")
    assert ends(file, "plan", *wish, "--exit-code", "--out", saved) == ExitCode.CHANGES_PENDING
    assert value(file, LAST_SUCCESS, command="plan") is not None
    assert value(file, "domain_status", domain=DOMAIN, status="pending") == 1
    assert value(file, "changes_pending", kind="dmarc", action="create") == 1
    assert value(file, "changes_made", kind="dmarc", action="create") == 0

    assert ends(file, "apply", "--plan", saved) == ExitCode.OK
    assert value(file, "domain_status", domain=DOMAIN, status="applied", command="apply") == 1

    code = ends(file, "check", *wish)
    assert value(file, "domain_exit_code", command="check", domain=DOMAIN) == code
    assert (value(file, "findings", severity="warning") or 0) > 0


def test_nothing_is_worked_out_where_nobody_asked_for_it() -> None:
    begin()
    worked_out: list[str] = []

    def outcome(domain: str) -> DomainOutcome:
        worked_out.append(domain)
        return DomainOutcome(domain, "unchanged")

    record(map(outcome, [DOMAIN]))
    assert worked_out == []


# Where the age of a key comes from.

ENDPOINT = "http://127.0.0.1:9/"
THEN = 1_767_225_600.0
SPAN = 1000.0


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NETCUP_CCP_ENDPOINT", ENDPOINT)
    return tmp_path / "state/127.0.0.1_9/0123456789ab"


def written(account: Path, text: str, mark: Mark, when: float = THEN) -> None:
    """A write at this time that left this key published."""
    place = Place(DOMAIN, DOMAIN, "ccp", ENDPOINT, account.name)
    record = DnsRecord("1", "dkim._domainkey", "TXT", text)
    journal = Journal(account, now=lambda: datetime.fromtimestamp(when, UTC))
    change_set = ChangeSet(place, unchanged=(Kept(Kind.DKIM, record),))
    journal.mark(journal.begin(change_set, Zone(DOMAIN, "ccp", (record,))), mark)


def since(text: str) -> float | None:
    found = key_since([DomainOutcome(DOMAIN, "unchanged", keys={"dkim": text})])
    return found.get((DOMAIN, "dkim"))


def test_a_key_is_known_since_the_first_write_that_left_it_published(account: Path) -> None:
    for when in (THEN, THEN + SPAN):
        written(account, RSA, Mark.VERIFIED, when)
    assert since(RSA) == THEN
    assert since(ED25519) is None, "another key is not that old"


@pytest.mark.parametrize("mark", [Mark.INTENDED, Mark.SENT, Mark.FAILED])
def test_a_write_that_nobody_verified_says_nothing(account: Path, mark: Mark) -> None:
    written(account, RSA, mark)
    assert since(RSA) is None


@pytest.mark.parametrize("text", ["v=DKIM1;p=", "v=DKIM1;k=rsa;p=!!!", ""])
def test_what_holds_no_key_has_no_age(account: Path, text: str) -> None:
    written(account, RSA, Mark.VERIFIED)
    assert since(text) is None


def test_what_rotate_saw_counts_too(account: Path) -> None:
    written(account, RSA, Mark.VERIFIED)
    key = dkim.parse(RSA).key
    assert key is not None
    write_book(account / "rotations", Book(DOMAIN).seeing(key, THEN - SPAN))
    assert since(RSA) == THEN - SPAN
    (account / "rotations" / f"{DOMAIN}.json").write_text("damaged")
    assert since(RSA) == THEN


def test_without_a_state_folder_no_age_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETCUP_MAILAUTH_STATE_DIR")
    monkeypatch.setenv("NETCUP_CCP_ENDPOINT", "ftp://nowhere")
    assert since(RSA) is None

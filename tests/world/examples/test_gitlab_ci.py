"""The GitLab pipeline: valid, the keys on the default branch only, and each job does its work."""

from __future__ import annotations

import shutil
import string
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.world.examples.forge import Runner, complaints, faults
from tests.world.examples.machine import EXAMPLES, SECRETS, Ended, Machine, program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = (EXAMPLES / "gitlab-ci" / "gitlab-ci.yml").read_text(encoding="utf-8")
PIPELINE: dict[str, Any] = yaml.safe_load(TEXT)
MERGE_REQUEST = {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}
DEFAULT_BRANCH = {"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"}


def script(job: str) -> str:
    """A job's script, which the runner runs as one."""
    return "\n".join(PIPELINE[job]["script"])


def test_it_is_a_pipeline() -> None:
    assert faults(PIPELINE, "gitlab-ci") == []


@pytest.mark.parametrize("job", ["review", "plan", "apply"])
def test_shellcheck_finds_nothing_to_say(job: str) -> None:
    assert complaints(script(job)) == ""


def test_a_merge_request_is_reviewed_and_the_default_branch_plans_and_applies() -> None:
    assert PIPELINE["workflow"]["rules"] == [MERGE_REQUEST, DEFAULT_BRANCH]
    assert PIPELINE["review"]["rules"] == [MERGE_REQUEST]
    assert PIPELINE["plan"]["rules"] == [DEFAULT_BRANCH]
    assert PIPELINE["apply"]["rules"] == [{**DEFAULT_BRANCH, "when": "manual"}]
    assert PIPELINE["apply"]["needs"] == ["plan"]
    assert {job: PIPELINE[job]["stage"] for job in ("review", "plan", "apply")} == {
        "review": "plan",
        "plan": "plan",
        "apply": "apply",
    }
    assert PIPELINE["stages"] == ["plan", "apply"]


def test_the_keys_are_in_the_environment_that_only_the_default_branch_has() -> None:
    assert PIPELINE["plan"]["environment"] == {"name": "netcup", "action": "access"}
    assert PIPELINE["apply"]["environment"] == "netcup"
    assert "environment" not in PIPELINE["review"]
    assert not [name for name in SECRETS if name in str(PIPELINE)]


def test_the_domains_stand_in_the_config_alone() -> None:
    assert "example.com" not in TEXT


def test_runs_that_write_come_one_after_the_other() -> None:
    assert PIPELINE["apply"]["resource_group"] == "netcup"
    assert PIPELINE["apply"]["interruptible"] is False


def test_the_plan_is_shown_in_the_merge_request() -> None:
    artifacts = PIPELINE["review"]["artifacts"]
    assert artifacts["paths"] == ["plan.md"]
    assert artifacts["expose_as"]
    assert artifacts["when"] == "always"
    assert "plan.json" in PIPELINE["plan"]["artifacts"]["paths"]  # for the job "apply"


class Registry(BaseHTTPRequestHandler):
    """A project's package registry, as far as curl asks it."""

    files: dict[str, bytes]
    broken = False

    def do_PUT(self) -> None:
        self.files[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(201 if self._is_allowed() else 401, b"")

    def do_GET(self) -> None:
        found = self.files.get(self.path)
        known = found is not None and self._is_allowed()
        self._answer(503 if self.broken else 200 if known else 404, found or b"")

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _is_allowed(self) -> bool:
        return self.headers["JOB-TOKEN"] == "the-token"

    def _answer(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class GitLab:
    """GitLab's side: runs the script of a job with the variables that it has there."""

    def __init__(self, machine: Machine, port: int) -> None:
        self.runner = Runner(machine)
        self._given = {
            "CI_API_V4_URL": f"http://127.0.0.1:{port}/api/v4",
            "CI_PROJECT_ID": "7",
            "CI_JOB_TOKEN": "the-token",
        }

    def run(self, job: str, folder: Path, secrets: dict[str, str]) -> Ended:
        given = {**self._given, "CI_PROJECT_DIR": str(folder)}
        own = {**PIPELINE["variables"], **PIPELINE[job].get("variables", {})}
        expanded = {name: string.Template(value).substitute(given) for name, value in own.items()}
        return self.runner.run(script(job), folder, {**given, **expanded, **secrets})


@pytest.fixture
def gitlab(machine: Machine) -> Iterator[GitLab]:
    program("curl", "curl")
    Registry.files, Registry.broken = {}, False
    with HTTPServer(("127.0.0.1", 0), Registry) as server:
        poll = {"poll_interval": 0.01}
        threading.Thread(target=server.serve_forever, kwargs=poll, daemon=True).start()
        yield GitLab(machine, server.server_port)
        server.shutdown()


ZONES = "/api/v4/projects/7/packages/generic/zones/1/zones.json"


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def apply(gitlab: GitLab, planned: Path, secrets: dict[str, str]) -> tuple[Path, Ended]:
    """The job "apply" with what the job "plan" kept."""
    folder = gitlab.runner.checkout(f"apply-{planned.name}", "none")
    shutil.copy(planned / "plan.json", folder)
    return folder, gitlab.run("apply", folder, secrets)


def test_the_default_branch_applies_its_plan_and_a_merge_request_shows_what_it_would_change(
    gitlab: GitLab, machine: Machine
) -> None:
    main = gitlab.runner.checkout("main", "none")
    planned = gitlab.run("plan", main, machine.secrets)
    assert planned.code == 0, planned.stderr
    assert "v=DMARC1;p=none" in planned.stdout
    assert "example.com" in read(main / "plan.md")
    assert machine.records("example.com", "_dmarc", "v=DMARC1") == []  # somebody has to start it
    folder, done = apply(gitlab, main, machine.secrets)
    assert done.code == 0, done.stderr
    for domain in ("example.com", "example.org"):
        assert machine.records(domain, "_dmarc", "v=DMARC1") == ["v=DMARC1;p=none"]
        assert machine.records(domain, "dkim._domainkey", "v=DKIM1")
    assert PIPELINE["apply"]["artifacts"]["paths"] == ["state/"]
    assert list((folder / "state").rglob("*.json"))  # what undo needs

    seen = machine.sandbox.stats()
    branch = gitlab.runner.checkout("branch", "quarantine")
    done = gitlab.run("review", branch, {})
    assert done.code == 0, done.stderr
    for shown in (done.stdout, read(branch / "plan.md")):
        assert shown.count("p=quarantine") >= 2
        assert "Planned from zones as they were " in shown
    assert machine.sandbox.stats() == seen  # neither netcup nor mailcow was asked


def test_the_first_merge_request_is_told_why_there_is_no_plan(gitlab: GitLab) -> None:
    branch = gitlab.runner.checkout("branch", "none")
    done = gitlab.run("review", branch, {})
    assert done.code == 0, done
    assert done.stdout == read(branch / "plan.md")
    assert done.stdout.startswith("No plan: there are no zones to plan against yet.")


def test_a_registry_that_does_not_answer_is_not_taken_for_the_first_time(gitlab: GitLab) -> None:
    branch = gitlab.runner.checkout("branch", "none")
    Registry.broken = True
    done = gitlab.run("review", branch, {})
    assert (done.code, done.stdout) == (1, "GitLab does not hand out the zones: HTTP 503.\n")


def test_what_the_default_branch_would_hold_back_turns_a_merge_request_red(
    gitlab: GitLab, machine: Machine
) -> None:
    strict = {"hostname": "_dmarc", "type": "TXT", "destination": "v=DMARC1;p=reject"}
    machine.sandbox.set_zone("example.com", [*machine.sandbox.zone("example.com"), strict])
    words = ["records", "example.com", "example.org", "--format", "json"]
    Registry.files[ZONES] = machine.run(words, machine.secrets).stdout.encode()
    branch = gitlab.runner.checkout("branch", "none")
    done = gitlab.run("review", branch, {})
    assert done.code == 6
    for shown in (done.stdout, read(branch / "plan.md")):
        assert "dmarc-weakens-policy" in shown


@pytest.mark.parametrize(("live", "code"), [("none", 0), ("reject", 6)])
def test_a_domain_that_a_merge_request_adds_is_told_and_the_others_are_judged(
    gitlab: GitLab, machine: Machine, live: str, code: int
) -> None:
    strict = {"hostname": "_dmarc", "type": "TXT", "destination": f"v=DMARC1;p={live}"}
    machine.sandbox.set_zone("example.com", [*machine.sandbox.zone("example.com"), strict])
    exported = machine.run(["records", "example.com", "--format", "json"], machine.secrets)
    Registry.files[ZONES] = exported.stdout.encode()
    branch = gitlab.runner.checkout("branch", "none")
    done = gitlab.run("review", branch, {})
    assert done.code == code
    assert "The zone example.org is not in the zone file" in done.stderr
    told = "the next pipeline of the default branch reads it."
    for shown in (done.stdout, read(branch / "plan.md")):
        assert "example.org" in shown
        assert (told in shown) == (code == 0)


def test_the_default_branch_tells_once_why_there_is_no_plan(
    gitlab: GitLab, machine: Machine
) -> None:
    main = gitlab.runner.checkout("main", "none")
    done = gitlab.run("plan", main, machine.secrets | {"MAILCOW_API_KEY": "wrong"})
    assert done.code == 4
    assert done.stderr.count("refuses the API key") == 1
    assert "refuses the API key" in read(main / "plan.md")

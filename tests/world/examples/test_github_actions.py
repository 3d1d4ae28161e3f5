"""The GitHub workflow: valid, no more rights than it needs, and each job does what it says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.world.examples.forge import Runner, complaints, faults
from tests.world.examples.machine import EXAMPLES, SECRETS, Ended, Machine

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (EXAMPLES / "github-actions" / "mail-records.yml").read_text(encoding="utf-8")
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
WORKFLOW["on"] = WORKFLOW.pop(True)  # YAML 1.1 takes the word for a truth value
JOBS = WORKFLOW["jobs"]
SCRIPTS = [step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step]


def test_it_is_a_workflow() -> None:
    assert faults(WORKFLOW, "github-workflows") == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_shellcheck_finds_nothing_to_say(script: str) -> None:
    assert complaints(script) == ""


def test_no_value_from_outside_is_put_into_a_script() -> None:
    assert SCRIPTS
    assert not [script for script in SCRIPTS if "${{" in script]


def test_every_action_is_pinned_to_a_commit_and_says_which_version_that_is() -> None:
    used = re.findall(r"uses: (.*)", TEXT)
    assert used
    for line in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_a_branch_that_is_not_merged_never_runs_with_the_rights_of_main() -> None:
    assert set(WORKFLOW["on"]) == {"pull_request", "push"}
    assert WORKFLOW["on"]["push"] == {"branches": ["main"]}
    assert JOBS["plan"]["if"] == "github.event_name == 'pull_request'"
    assert JOBS["apply"]["if"] == "github.event_name == 'push'"


def test_the_jobs_have_no_right_they_do_not_need() -> None:
    assert WORKFLOW["permissions"] == {}
    assert JOBS["plan"]["permissions"] == {"contents": "read", "actions": "read"}
    assert JOBS["apply"]["permissions"] == {"contents": "read"}
    for job in JOBS.values():
        checkout = job["steps"][0]
        assert checkout["uses"].startswith("actions/checkout@")
        assert checkout["with"] == {"persist-credentials": False}


def test_the_keys_are_in_the_one_step_that_applies_and_nowhere_else() -> None:
    assert "environment" not in JOBS["plan"]
    assert JOBS["apply"]["environment"] == "netcup"
    (holder,) = (step for step in JOBS["apply"]["steps"] if "secrets." in str(step))
    assert holder["env"] == {name: f"${{{{ secrets.{name} }}}}" for name in SECRETS}
    assert TEXT.count("secrets.") == len(SECRETS)


def test_runs_that_write_come_one_after_the_other() -> None:
    concurrency = JOBS["apply"]["concurrency"]
    assert concurrency["cancel-in-progress"] is False
    assert "${{" not in concurrency["group"]  # one group for all


class Actions:
    """GitHub's side: runs the scripts of a job's steps, and keeps its artifacts."""

    def __init__(self, machine: Machine) -> None:
        self.runner = Runner(machine)
        self.artifacts = machine.root / "artifacts"
        # As gh answers in a repository whose last run on main has number 42.
        self.runner.fake(
            "gh",
            'test "$GH_TOKEN" = the-token; echo "gh $*" >> "$HOME/called"\n'
            f'if [ "$1 $2" = "run list" ]; then echo 42; else cp -r "{self.artifacts}/$5" "$7"; fi',
        )

    def run(self, job: str, folder: Path, secrets: dict[str, str]) -> list[Ended]:
        """Run a job's scripts until one fails; what they ended with."""
        known = {"github.token": "the-token"}
        known |= {f"secrets.{name}": value for name, value in secrets.items()}
        ended = []
        for step in (step for step in JOBS[job]["steps"] if "run" in step):
            values = {**JOBS[job].get("env", {}), **step.get("env", {})}
            environment = {
                # A secret that is not set is an empty word.
                name: re.sub(r"\$\{\{ (\S+) \}\}", lambda found: known.get(found[1], ""), value)
                for name, value in values.items()
            }
            environment["GITHUB_STEP_SUMMARY"] = str(folder / "summary.md")
            ended.append(self.runner.run(step["run"], folder, environment))
            if ended[-1].code:
                break
        return ended


@pytest.fixture
def actions(machine: Machine) -> Actions:
    return Actions(machine)


def test_main_applies_and_a_pull_request_shows_what_it_would_change(
    actions: Actions, machine: Machine
) -> None:
    main = actions.runner.checkout("main", "none")
    done = actions.run("apply", main, machine.secrets)
    assert [ended.code for ended in done] == [0, 0], done[-1].stderr
    assert "`example.com`" in (main / "summary.md").read_text(encoding="utf-8")
    for domain in ("example.com", "example.org"):
        assert machine.records(domain, "_dmarc", "v=DMARC1") == ["v=DMARC1;p=none"]
        assert machine.records(domain, "dkim._domainkey", "v=DKIM1")
    kept = {step["with"]["path"] for step in JOBS["apply"]["steps"] if "upload" in str(step)}
    assert kept == {"zones/", "state/"}
    assert list((main / "state").rglob("*.json"))  # what undo needs
    actions.artifacts.mkdir()
    (main / "zones").rename(actions.artifacts / "zones")

    seen = machine.sandbox.stats()
    branch = actions.runner.checkout("branch", "quarantine")
    done = actions.run("plan", branch, {})
    assert [ended.code for ended in done] == [0, 0, 0], done[-1].stderr
    plan = (branch / "plan.md").read_text(encoding="utf-8")
    assert plan.count("p=quarantine") >= 2
    assert (branch / "summary.md").read_text(encoding="utf-8") == plan
    assert machine.sandbox.stats() == seen  # neither netcup nor mailcow was asked
    # A fork's branch may be called main, too; what its run kept is not to be trusted.
    *_, listed, downloaded, _ = actions.runner.called
    assert "--branch main --event push --status success" in listed
    assert downloaded == "gh run download 42 --name zones --dir zones"


def test_a_pull_request_for_a_domain_without_a_zone_fails_and_shows_why(
    actions: Actions, machine: Machine
) -> None:
    zones = actions.artifacts / "zones"
    zones.mkdir(parents=True)
    exported = machine.run(["records", "example.com", "--format", "json"], machine.secrets)
    (zones / "example.com.json").write_text(exported.stdout, encoding="utf-8")
    branch = actions.runner.checkout("branch", "none")
    assert [ended.code for ended in actions.run("plan", branch, {})] == [0, 0, 5]
    assert "example.org" in (branch / "summary.md").read_text(encoding="utf-8")

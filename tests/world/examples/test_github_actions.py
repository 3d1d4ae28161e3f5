"""The GitHub workflow: valid, no more rights than it needs, and each job does what it says."""

from __future__ import annotations

import re
import shutil
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


def test_nothing_that_a_record_says_is_a_command_to_the_runner() -> None:
    # "::" at a line's start and "##[" anywhere are, on stdout and stderr, until they are stopped.
    shows = re.compile(r"^.*(?:netcup-mailauth .*(?:plan|apply)|--exit-code).*$", re.M)
    talking = [script for script in SCRIPTS if "--exit-code" in script or "apply --plan" in script]
    assert len(talking) == 3
    for script in talking:
        begins = script.index('echo "::stop-commands::$token"')
        ends = script.find('echo "::$token::"') if '"::$token::"' in script else len(script)
        lines = [m for m in shows.finditer(script) if "plan=(" not in m[0] and "> " not in m[0]]
        assert lines
        assert all(begins < line.start() < ends for line in lines)


def test_every_action_is_pinned_to_a_commit_and_says_which_version_that_is() -> None:
    used = re.findall(r"uses: (.*)", TEXT)
    assert used
    for line in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_a_branch_that_is_not_merged_never_runs_with_the_rights_of_main() -> None:
    assert set(WORKFLOW["on"]) == {"pull_request", "push"}
    assert WORKFLOW["on"]["push"] == {"branches": ["main"]}
    assert JOBS["review"]["if"] == "github.event_name == 'pull_request'"
    assert JOBS["plan"]["if"] == "github.event_name == 'push'"


def test_what_main_applies_is_its_plan_once_that_is_approved() -> None:
    assert JOBS["approval"]["needs"] == "plan"
    assert JOBS["approval"]["if"] == "needs.plan.outputs.changes == 'true'"
    assert JOBS["approval"]["environment"] == "approval"
    assert JOBS["apply"]["needs"] == "approval"
    assert "if" not in JOBS["apply"]  # so that it goes on after nothing but an approval


def test_the_jobs_have_no_right_they_do_not_need() -> None:
    assert WORKFLOW["permissions"] == {}
    rights = {name: job.get("permissions", {}) for name, job in JOBS.items()}
    reading = {"contents": "read"}
    assert rights == {
        "review": {**reading, "actions": "read"},
        "plan": reading,
        "approval": {},
        "apply": reading,
    }
    for name, job in JOBS.items():
        if name != "approval":
            checkout = job["steps"][0]
            assert checkout["uses"].startswith("actions/checkout@")
            assert checkout["with"] == {"persist-credentials": False}


def test_the_keys_are_in_the_steps_that_ask_netcup_and_nowhere_else() -> None:
    assert {name for name, job in JOBS.items() if job.get("environment") == "netcup"} == {
        "plan",
        "apply",
    }
    for name in ("plan", "apply"):
        (holder,) = (step for step in JOBS[name]["steps"] if "secrets." in str(step))
        assert holder["env"] == {name: f"${{{{ secrets.{name} }}}}" for name in SECRETS}
    assert TEXT.count("secrets.") == 2 * len(SECRETS)


def test_the_domains_stand_in_the_config_alone() -> None:
    assert "example.com" not in TEXT


def test_runs_that_write_come_one_after_the_other() -> None:
    concurrency = JOBS["apply"]["concurrency"]
    assert concurrency["cancel-in-progress"] is False
    assert "${{" not in concurrency["group"]  # one group for all


class Actions:
    """GitHub's side: runs the scripts of a job's steps, and keeps its artifacts by run."""

    def __init__(self, machine: Machine) -> None:
        self.runner = Runner(machine)
        self.runs = machine.root / "runs"
        self.runs.mkdir()
        # As gh answers in a repository whose runs on main have these numbers, the newest first.
        self.runner.fake(
            "gh",
            'test "$GH_TOKEN" = the-token; echo "gh $*" >> "$HOME/called"\n'
            f'if [ "$1 $2" = "run list" ]; then ls -r "{self.runs}"\n'
            f'else mkdir -p "$7"; cp "{self.runs}/$3/$5"/* "$7"; fi',
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
            for name in ("SUMMARY", "OUTPUT"):
                variable = "GITHUB_STEP_SUMMARY" if name == "SUMMARY" else "GITHUB_OUTPUT"
                environment[variable] = str(folder / name.lower())
            ended.append(self.runner.run(step["run"], folder, environment))
            if ended[-1].code:
                break
        return ended

    def main(self, number: int, policy: str, secrets: dict[str, str]) -> Path:
        """A push to main, as far as its plan: the folder of that job, with what it keeps."""
        folder = self.runner.checkout(f"main{number}", policy)
        self.run("plan", folder, secrets)
        (self.runs / str(number)).mkdir()
        self.keep(number, folder)
        return folder

    def keep(self, number: int, folder: Path) -> None:
        """Keep the zones that a job of this run has read."""
        if (folder / "zones.json").exists():
            (self.runs / str(number) / "zones").mkdir(exist_ok=True)
            shutil.copy(folder / "zones.json", self.runs / str(number) / "zones")


@pytest.fixture
def actions(machine: Machine) -> Actions:
    return Actions(machine)


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def test_main_applies_the_plan_it_showed_and_a_pull_request_shows_what_it_would_change(
    actions: Actions, machine: Machine
) -> None:
    main = actions.main(7, "none", machine.secrets)
    assert read(main / "output") == "changes=true\n"
    assert "example.com" in read(main / "summary")
    assert machine.records("example.com", "_dmarc", "v=DMARC1") == []  # it waits for an approval
    apply = actions.runner.checkout("apply", "none")
    shutil.copy(main / "plan.json", apply)
    done = actions.run("apply", apply, machine.secrets)
    assert [ended.code for ended in done] == [0, 0], done[-1].stderr
    for domain in ("example.com", "example.org"):
        assert machine.records(domain, "_dmarc", "v=DMARC1") == ["v=DMARC1;p=none"]
        assert machine.records(domain, "dkim._domainkey", "v=DKIM1")
    kept = [step["with"]["path"] for step in JOBS["apply"]["steps"] if "upload" in str(step)]
    assert kept == ["zones.json", "state/"]
    assert list((apply / "state").rglob("*.json"))  # what undo needs
    actions.keep(7, apply)
    again = actions.main(8, "none", machine.secrets)
    assert not (again / "output").exists()  # nothing is there to be approved
    assert (again / "zones.json").exists()
    shutil.rmtree(actions.runs / "8/zones")  # as where netcup did not answer

    seen = machine.sandbox.stats()
    branch = actions.runner.checkout("branch", "quarantine")
    done = actions.run("review", branch, {})
    assert [ended.code for ended in done] == [0, 0, 0], done[-1].stderr
    plan = read(branch / "plan.md")
    assert plan.count("p=quarantine") >= 2
    assert plan.startswith("Planned from zones as they were ")
    assert read(branch / "summary") == plan
    assert "p=quarantine" in done[-1].stdout  # in the log as well
    assert "Planned from zones as they were " in done[-1].stdout
    assert machine.sandbox.stats() == seen  # neither netcup nor mailcow was asked
    # A fork's branch may be called main, too; what its run kept is not to be trusted.
    listed, *downloaded = (call for call in actions.runner.called if call.startswith("gh"))
    assert "--branch main --event push" in listed
    assert downloaded == [f"gh run download {n} --name zones --dir zones" for n in (8, 7)]


def test_the_first_pull_request_is_told_why_there_is_no_plan(actions: Actions) -> None:
    branch = actions.runner.checkout("branch", "none")
    done = actions.run("review", branch, {})
    assert [ended.code for ended in done] == [0, 0, 0], done
    told = "No plan: there are no zones to plan against yet."
    assert read(branch / "summary").startswith(told)
    assert done[-1].stdout.startswith(told)
    assert read(branch / "plan.md") == read(branch / "summary")


def test_where_github_does_not_answer_the_log_says_so(actions: Actions) -> None:
    actions.runner.fake("gh", 'echo "HTTP 403: no" >&2; exit 1')
    branch = actions.runner.checkout("branch", "none")
    done = actions.run("review", branch, {})
    assert [ended.code for ended in done] == [0, 0, 0]
    assert "HTTP 403: no" in done[0].stderr
    assert "the one of this job say what is wrong" in done[-1].stdout


def test_what_main_would_hold_back_turns_a_pull_request_red_and_shows_why(
    actions: Actions, machine: Machine
) -> None:
    strict = {"hostname": "_dmarc", "type": "TXT", "destination": "v=DMARC1;p=reject"}
    machine.sandbox.set_zone("example.com", [*machine.sandbox.zone("example.com"), strict])
    main = actions.main(1, "none", machine.secrets)
    assert not (main / "output").exists()  # nothing is there to be approved
    assert "dmarc-weakens-policy" in read(main / "summary")
    branch = actions.runner.checkout("branch", "none")
    done = actions.run("review", branch, {})
    assert [ended.code for ended in done] == [0, 0, 6]
    for shown in (done[-1].stdout, read(branch / "summary"), read(branch / "plan.md")):
        assert "dmarc-weakens-policy" in shown


@pytest.mark.parametrize(("live", "code"), [("none", 0), ("reject", 6)])
def test_a_domain_that_a_pull_request_adds_is_told_and_the_others_are_judged(
    actions: Actions, machine: Machine, live: str, code: int
) -> None:
    strict = {"hostname": "_dmarc", "type": "TXT", "destination": f"v=DMARC1;p={live}"}
    machine.sandbox.set_zone("example.com", [*machine.sandbox.zone("example.com"), strict])
    zones = actions.runs / "1" / "zones"
    zones.mkdir(parents=True)
    exported = machine.run(["records", "example.com", "--format", "json"], machine.secrets)
    (zones / "zones.json").write_text(exported.stdout, encoding="utf-8")
    branch = actions.runner.checkout("branch", "none")
    done = actions.run("review", branch, {})
    assert [ended.code for ended in done] == [0, 0, code]
    assert "The zone example.org is not in the zone file" in done[-1].stderr
    for shown in (read(branch / "summary"), read(branch / "plan.md")):
        assert "example.org" in shown
        assert ("the next run of main reads it." in shown) == (code == 0)


def test_main_tells_once_why_there_is_no_plan(actions: Actions, machine: Machine) -> None:
    folder = actions.runner.checkout("main", "none")
    done = actions.run("plan", folder, machine.secrets | {"MAILCOW_API_KEY": "wrong"})
    assert done[-1].code == 4
    assert done[-1].stderr.count("refuses the API key") == 1
    assert "refuses the API key" in " ".join(read(folder / "summary").split())
    assert not (folder / "output").exists()

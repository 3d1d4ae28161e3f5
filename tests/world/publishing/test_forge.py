"""What GitHub reads of this repository: valid, pinned, and with no more rights than it needs."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from netcup_mailauth.version import __version__
from tests.world.examples.forge import complaints, faults

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / ".github"
FORMS = FOLDER / "ISSUE_TEMPLATE"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

PIN = re.compile(r"uses: ([a-z-]+/[a-z-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)")


def read(path: Path) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    if True in document:  # YAML 1.1 takes the word "on" for a truth value
        document["on"] = document.pop(True)
    return document


WORKFLOWS = {path.stem: read(path) for path in sorted((FOLDER / "workflows").glob("*.yml"))}
JOBS = {
    f"{name} {job}": said for name, flow in WORKFLOWS.items() for job, said in flow["jobs"].items()
}
SCRIPTS = [step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step]
OWN_SCRIPTS = [path for path in sorted((ROOT / ".ci").iterdir()) if path.name != "packages"]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_it_is_a_workflow(name: str) -> None:
    assert faults(WORKFLOWS[name], "github-workflows") == []


@pytest.mark.parametrize("name", ["bug", "feature"])
def test_it_is_an_issue_form(name: str) -> None:
    assert faults(read(FORMS / f"{name}.yml"), "github-issue-forms") == []


def test_the_rest_is_what_github_reads() -> None:
    assert faults(read(FORMS / "config.yml"), "github-issue-config") == []
    assert faults(read(FOLDER / "dependabot.yml"), "dependabot") == []


def test_every_action_is_pinned_to_one_commit_and_says_which_version_that_is() -> None:
    pins: dict[str, set[str]] = {}
    for path in (*(FOLDER / "workflows").iterdir(), *(ROOT / "examples").rglob("*.yml")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "uses:" in line:
                found = PIN.search(line)
                assert found, line
                pins.setdefault(found[1], set()).add(found[2])
    assert pins
    assert {action: pin for action, pin in pins.items() if len(pin) > 1} == {}


@pytest.mark.parametrize("script", [*SCRIPTS, *(path.read_text() for path in OWN_SCRIPTS)])
def test_shellcheck_finds_nothing_to_say(script: str) -> None:
    assert complaints(script) == ""


def test_no_value_from_outside_is_put_into_a_script() -> None:
    assert SCRIPTS
    assert not [script for script in SCRIPTS if "${{" in script]


def test_the_jobs_have_no_right_they_do_not_need() -> None:
    for flow in WORKFLOWS.values():
        assert flow["permissions"] == {}
    signing = {"id-token": "write", "attestations": "write"}
    more = {
        "release publish": signing,
        "release image": {"contents": "read", "packages": "write", **signing},
    }
    assert {name: job["permissions"] for name, job in JOBS.items()} == {
        name: more.get(name, {"contents": "read"}) for name in JOBS
    }
    # What can publish runs nothing of ours, and nothing that is installed.
    assert not [step for step in JOBS["release publish"]["steps"] if "run" in step]
    for job in JOBS.values():
        for step in job["steps"]:
            if "checkout" in step.get("uses", ""):
                assert step["with"] == {"persist-credentials": False}


def test_no_key_is_kept_for_publishing() -> None:
    for path in (FOLDER / "workflows").iterdir():
        assert "secrets." not in path.read_text(encoding="utf-8")


def test_every_python_that_is_promised_is_tried() -> None:
    tried = JOBS["ci check"]["strategy"]["matrix"]["python"]
    assert PROJECT["requires-python"] == f">={tried[0]}"
    named = " ".join(PROJECT["classifiers"])
    assert re.findall(r"Python :: (\d\.\d+)", named) == tried


def test_what_ci_and_a_release_run_is_there_and_can_be_run() -> None:
    ours = {script for script in SCRIPTS if script.startswith(".ci/")}
    assert ours == {f".ci/{path.name}" for path in OWN_SCRIPTS}
    for path in OWN_SCRIPTS:
        assert path.stat().st_mode & 0o111


@pytest.mark.parametrize(("tag", "code"), [(f"v{__version__}", 0), ("v99.0.0", 1), ("v0", 1)])
def test_a_tag_that_is_not_the_version_publishes_nothing(tag: str, code: int) -> None:
    (step,) = (s for s in JOBS["release build"]["steps"] if "tag" in s.get("name", ""))
    ended = subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "GITHUB_REF_NAME": tag},
        capture_output=True,
        check=False,
    )
    assert ended.returncode == code


def test_who_reports_a_bug_is_asked_for_what_helps_and_told_to_keep_secrets() -> None:
    form = {part["id"]: part for part in read(FORMS / "bug.yml")["body"] if "id" in part}
    assert "--version" in form["version"]["attributes"]["description"]
    assert "`-v`" in form["output"]["attributes"]["description"]
    assert [option[:3] for option in form["api"]["attributes"]["options"][:2]] == ["CCP", "Clo"]
    for name in ("version", "api", "output"):
        assert form[name]["validations"]["required"] is True
    (promise,) = form["secrets"]["attributes"]["options"]
    assert promise["required"] is True


def test_the_map_of_the_house_names_what_is_there() -> None:
    text = (FOLDER / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = text.partition("```text\nnetcup_mailauth/\n")[2].partition("```")[0]
    named = set(re.findall(r"^  (\w+(?:/|\.py))", block, re.MULTILINE))
    package = ROOT / "netcup_mailauth"
    folders = {f"{path.parent.name}/" for path in package.glob("*/*.*") if path.suffix != ".pyc"}
    assert named == folders | {path.name for path in package.glob("[!_]*.py")}


def test_what_the_house_rules_name_is_there() -> None:
    text = (FOLDER / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for place in re.findall(r"`((?:\w+/)+\w+\.py)`", text):
        assert (ROOT / place).exists() or (ROOT / "netcup_mailauth" / place).exists(), place
    for module in re.findall(r"python -m (tests[\w.]+)", text):
        assert (ROOT / f"{module.replace('.', '/')}.py").exists(), module

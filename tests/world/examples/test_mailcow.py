"""The compose file beside mailcow: valid, its secrets in files, and its jobs do their work."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml

from netcup_mailauth.errors import ExitCode
from tests.world.examples.forge import faults
from tests.world.examples.machine import EXAMPLES, SECRETS, Machine

FILE = EXAMPLES / "mailcow" / "docker-compose.override.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICE = COMPOSE["services"]["netcup-mailauth-mailcow"]
LABELS: dict[str, str] = SERVICE["labels"]


@pytest.fixture
def container(machine: Machine) -> Machine:
    """The machine as the container sees it: each secret a file below /run/secrets."""
    machine.write_config()
    for name in SERVICE["secrets"]:
        machine.write(f"/run/secrets/{name}", machine.secrets[name.upper()])
    return machine


def job(name: str) -> list[str]:
    """The words of a job of mailcow's scheduler."""
    return shlex.split(LABELS[f"ofelia.job-exec.{name}.command"])


def environment(machine: Machine) -> dict[str, str]:
    """The container's, but with the sandbox's mailcow, which has no name."""
    assert SERVICE["environment"]["MAILCOW_URL"] == "https://${MAILCOW_HOSTNAME}"
    own = {name: machine.placed(value) for name, value in SERVICE["environment"].items()}
    return {**own, "MAILCOW_URL": machine.sandbox.mailcow_url}


def test_it_is_a_compose_file() -> None:
    assert faults(COMPOSE, "compose-spec") == []


def test_a_secret_is_a_file_and_in_no_environment() -> None:
    assert not set(SECRETS) & set(SERVICE["environment"])
    for name in SERVICE["secrets"]:
        assert name.upper() in SECRETS  # the file's name is how the command finds it
        assert COMPOSE["secrets"][name] == {"file": f"./data/conf/netcup-mailauth/{name}"}


def test_the_container_can_do_little_and_keeps_its_state() -> None:
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]
    state = SERVICE["environment"]["NETCUP_MAILAUTH_STATE_DIR"]
    (volume,) = COMPOSE["volumes"]
    assert f"{volume}:{state}" in SERVICE["volumes"]


def test_mailcows_scheduler_runs_each_job_alone() -> None:
    """As ofelia reads it: https://github.com/mcuadros/ofelia."""
    assert LABELS["ofelia.enabled"] == "true"
    names = {found[1] for key in LABELS if (found := re.match(r"ofelia\.job-exec\.(\w+)\.", key))}
    assert names == {"netcup_apply", "netcup_rotate"}
    for name in names:
        assert LABELS[f"ofelia.job-exec.{name}.schedule"] == "@every 1h"
        assert LABELS[f"ofelia.job-exec.{name}.no-overlap"] == "true"
        assert job(name)[0] == "netcup-mailauth"


def test_apply_puts_mailcows_key_into_dns_and_is_silent_the_next_time(container: Machine) -> None:
    _, *words = job("netcup_apply")
    first = container.run(words, environment(container))
    assert first.code == ExitCode.OK, first.stderr
    assert container.records("example.com", "dkim._domainkey", "v=DKIM1")
    again = container.run(words, environment(container))
    assert (again.code, again.stdout, again.stderr) == (ExitCode.OK, "", "")


def test_rotate_begins_nothing(container: Machine) -> None:
    _, *words = job("netcup_rotate")
    ended = container.run(words, environment(container))
    assert (ended.code, ended.stdout, ended.stderr) == (ExitCode.OK, "", "")

"""The demo tells the whole story, and cannot reach the world whatever its user has set."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from netcup_mailauth.cli import demo
from netcup_mailauth.sandbox import Sandbox
from tests.process.processes import COMMAND

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(COMMAND), "demo"],
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "80", **environment},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_whole_story_is_told_once_and_is_no_longer_than_somebody_reads(tmp_path: Path) -> None:
    ended = run(tmp_path)
    assert ended.returncode == 0, ended.stdout
    commands = re.findall(r"^\$ netcup-mailauth (\w+)", ended.stdout, re.MULTILINE)
    assert commands == ["records", "plan", "apply", "plan", "apply", "check"]
    assert "written and verified: 2 created, 1 updated" in ended.stdout
    assert "nothing to do" in ended.stdout
    assert ended.stdout.endswith("\n  netcup-mailauth setup\n")
    second = ended.stdout.rpartition("$ netcup-mailauth apply")[2]
    old, new = re.findall(r"SHA256:\w+", second)[:2]
    assert old != new
    lines = ended.stdout.splitlines()
    assert sum(-(-len(line) // 80) or 1 for line in lines) <= 110  # as a terminal folds them
    told = [line for line in lines if line.strip()]
    for once in ("-> v=spf1 mx a -all", "+ DMARC  _dmarc", "? dmarc-untested", "endpoint: "):
        assert sum(once in line for line in told) == 1, once


def test_a_users_config_and_credentials_are_not_seen(tmp_path: Path) -> None:
    (tmp_path / "netcup-mailauth.toml").write_text("this is no config")
    ended = run(
        tmp_path,
        HOME=str(tmp_path),
        NETCUP_CUSTOMER_NUMBER="99999",
        NETCUP_API_PASSWORD="USERS-OWN-SECRET",
        NETCUP_CCP_ENDPOINT="https://ccp.example.invalid/",
        HTTPS_PROXY="http://proxy.example.invalid:3128",
    )
    assert ended.returncode == 0, ended.stdout
    assert "invalid" not in ended.stdout


def test_its_commands_know_no_address_but_loopback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.invalid:3128")
    monkeypatch.setenv("NETCUP_API_KEY", "USERS-OWN-SECRET")
    with Sandbox() as sandbox:
        environment = demo.environment(sandbox, tmp_path, "127.0.0.1:9")
    addresses = {
        name: value
        for name, value in environment.items()
        if name.endswith(("ENDPOINT", "URL", "NAMESERVERS", "RESOLVER", "proxy", "PROXY"))
    }
    assert set(addresses) == {
        "NETCUP_CCP_ENDPOINT",
        "NETCUP_REST_ENDPOINT",
        "MAILCOW_URL",
        "NETCUP_MAILAUTH_NAMESERVERS",
        "NETCUP_MAILAUTH_RESOLVER",
    }
    assert all("127.0.0.1:" in value for value in addresses.values())
    assert "USERS-OWN-SECRET" not in environment.values()
    assert environment["HOME"].startswith(str(tmp_path))

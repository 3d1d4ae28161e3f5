"""The systemd units: accepted without a word, hardened, and what they start does its work."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.errors import ExitCode
from tests.world.examples.forge import complaints
from tests.world.examples.machine import EXAMPLES, OWN_FOLDERS, Machine, program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNITS = EXAMPLES / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
RUNS = [path for path in SERVICES if "failed" not in path.name]
TIMERS = sorted(UNITS.glob("*.timer"))

SPECIFIERS = {"%S": "/var/lib", "%t": "/run", "%H": "mail.example.com"}
"""What systemd puts for them in a system unit."""


def settings(unit: Path) -> dict[str, list[str]]:
    """Each setting of a unit, with its values in the order they stand there."""
    text = unit.read_text(encoding="utf-8")
    # A line that ends in a backslash goes on in the next one.
    joined = re.sub(r"\\\n\s*", " ", text)
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", joined, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def one(unit: Path, name: str) -> str:
    (value,) = settings(unit)[name]
    return value


def started(unit: Path, instance: str = "") -> list[str]:
    """The words that systemd would start."""
    line = one(unit, "ExecStart").replace("%i", instance)
    for specifier, value in SPECIFIERS.items():
        line = line.replace(specifier, value)
    return shlex.split(line)


def credentials(machine: Machine, unit: Path, name: str) -> dict[str, str]:
    """The folder that LoadCredential= fills, as the unit's process finds it."""
    folder = machine.at(f"/run/credentials/{name}")
    folder.mkdir(parents=True)
    for value in settings(unit)["LoadCredential"]:
        secret, _, source = value.partition(":")
        (folder / secret).write_bytes(machine.at(source).read_bytes())
    return {"CREDENTIALS_DIRECTORY": str(folder)}


def environment(machine: Machine, unit: Path) -> dict[str, str]:
    (setting,) = settings(unit)["Environment"]
    name, _, value = setting.partition("=")
    return {name: machine.placed(value.replace("%S", SPECIFIERS["%S"]))}


@pytest.fixture
def host(machine: Machine) -> Machine:
    """The machine as the comments in the units describe it."""
    machine.write_config()
    machine.write_secrets("/etc/netcup-mailauth/credentials")
    machine.write(
        "/etc/netcup-mailauth/credentials/mailcow_api_key_rw", machine.sandbox.mailcow_rw_key
    )
    machine.at("/run/netcup-mailauth").mkdir(parents=True)  # RuntimeDirectory=
    return machine


def test_systemd_finds_nothing_to_say_about_them(machine: Machine) -> None:
    machine.install()
    placed = [
        # Paths that are there on this machine; nothing else of a unit is changed.
        machine.write(f"/etc/systemd/{unit.name}", machine.placed(unit.read_text(encoding="utf-8")))
        for unit in (*SERVICES, *TIMERS)
    ]
    ended = machine.shell(
        [program("systemd-analyze", "systemd"), "verify", "--man=no", *map(str, placed)], {}
    )
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.name)
def test_a_process_that_was_taken_over_could_do_little(unit: Path) -> None:
    analyze = program("systemd-analyze", "systemd")
    judged = [analyze, "security", "--offline=true", "--threshold=15", "--no-pager"]
    ended = subprocess.run([*judged, str(unit)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    assert one(unit, "LimitCORE") == "0"


@pytest.mark.parametrize("unit", RUNS, ids=lambda path: path.name)
def test_a_run_that_fails_is_told_of_and_not_repeated(unit: Path) -> None:
    assert one(unit, "OnFailure") == "netcup-mailauth-failed@%n.service"
    assert (UNITS / "netcup-mailauth-failed@.service").exists()
    assert "Restart" not in settings(unit)
    assert one(unit, "Type") == "oneshot"


@pytest.mark.parametrize("timer", TIMERS, ids=lambda path: path.name)
def test_the_timers_do_not_ask_netcup_at_the_full_hour(timer: Path) -> None:
    assert one(timer, "RandomizedDelaySec") == "30min"
    assert timer.with_suffix(".service").exists()  # what a timer starts unless it says otherwise
    expression = one(timer, "OnCalendar")
    analyze = program("systemd-analyze", "systemd")
    subprocess.run([analyze, "calendar", expression], check=True, capture_output=True)


def test_the_user_that_the_units_name_is_made(tmp_path: Path) -> None:
    """systemd-sysusers says what it would make, below a root of its own."""
    folder = tmp_path / "etc/sysusers.d"
    folder.mkdir(parents=True)
    shutil.copy(UNITS / "netcup-mailauth.sysusers", folder / "netcup-mailauth.conf")
    ended = subprocess.run(
        [program("systemd-sysusers", "systemd"), "--dry-run", f"--root={tmp_path}"],
        capture_output=True,
        text=True,
        check=True,
    )
    for unit in SERVICES:
        assert f"Creating user '{one(unit, 'User')}'" in ended.stderr


def test_apply_writes_what_the_config_wants_and_tells_who_watches(host: Machine) -> None:
    unit = UNITS / "netcup-mailauth-apply.service"
    command, *words = started(unit)
    surroundings = credentials(host, unit, unit.name) | environment(host, unit)
    assert command == "/opt/netcup-mailauth/bin/netcup-mailauth"

    first = host.run(words, surroundings)
    assert first.code == ExitCode.OK, first.stderr
    assert host.records("example.com", "@", "v=spf1") == ["v=spf1 mx a -all"]
    assert host.records("example.com", "dkim._domainkey", "v=DKIM1")
    assert host.records("example.org", "s2026._domainkey", "v=DKIM1")
    assert list(host.at("/var/lib/netcup-mailauth").rglob("*.json"))  # what undo needs
    assert "netcup_mailauth" in host.at("/run/netcup-mailauth/apply.prom").read_text()

    again = host.run(words, surroundings)
    assert again.code == ExitCode.OK, again.stderr
    lines = again.stdout.splitlines()  # one for each domain in the log
    for domain in ("example.com", "example.org", "intern.example.com"):
        assert lines.count(f"{domain}: nothing to do") == 1


def test_rotate_goes_on_with_what_is_open_and_begins_nothing(host: Machine) -> None:
    unit = UNITS / "netcup-mailauth-rotate.service"
    surroundings = credentials(host, unit, unit.name) | environment(host, unit)
    before = host.sandbox.zone("example.com")
    ended = host.run(started(unit)[1:], surroundings)
    assert (ended.code, ended.stdout) == (ExitCode.OK, ""), ended.stderr
    assert host.sandbox.zone("example.com") == before


class Hook(BaseHTTPRequestHandler):
    """A web hook that keeps what it is told, and answers with it, as ntfy does."""

    told: list[str]

    def do_POST(self) -> None:
        said = self.rfile.read(int(self.headers["Content-Length"]))
        self.told.append(said.decode())
        self.send_response(200)
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def hook() -> Iterator[tuple[str, list[str]]]:
    Hook.told = []
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/secret-topic", Hook.told
        server.shutdown()


def test_somebody_is_told_which_run_failed_and_why(
    machine: Machine, hook: tuple[str, list[str]]
) -> None:
    program("curl", "curl")
    unit = UNITS / "netcup-mailauth-failed@.service"
    address, told = hook
    # The lines that the unit's comment shows.
    shown = re.findall(r"^#   ([\w-]+(?: = .+)?)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    lines = [f'url = "{address}"' if line.startswith("url") else line for line in shown]
    assert len(lines) == 5
    machine.write("/etc/netcup-mailauth/credentials/notify", "\n".join(lines))
    journalctl = machine.write("/opt/fake/journalctl", '#!/bin/sh\necho "the log: $*"\n')
    journalctl.chmod(0o700)

    words = started(unit, "netcup-mailauth-apply.service")
    path = {"PATH": f"{journalctl.parent}:/usr/bin:/bin"}
    ended = machine.shell(words, path | credentials(machine, unit, "notify"))
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")  # the journal has it already
    (message,) = told
    assert message.startswith("netcup-mailauth-apply.service has failed on mail.example.com\n")
    assert "the log: --unit=netcup-mailauth-apply.service --lines=40" in message
    assert "secret-topic" not in " ".join(words)


def test_where_nobody_can_be_told_the_journal_says_so(machine: Machine) -> None:
    program("curl", "curl")
    unit = UNITS / "netcup-mailauth-failed@.service"
    machine.write(
        "/etc/netcup-mailauth/credentials/notify",
        'url = "http://127.0.0.1:9/x"\nfail\nsilent\nshow-error\n',
    )
    words = started(unit, "netcup-mailauth-apply.service")
    ended = machine.shell(words, {"PATH": "/usr/bin:/bin"} | credentials(machine, unit, "notify"))
    assert ended.code
    assert "curl: (7)" in ended.stderr
    # What systemd itself says of it is below the one, what it writes is above the other.
    assert (one(unit, "LogLevelMax"), one(unit, "SyslogLevel")) == ("notice", "err")


README = (UNITS / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_readme_says_where_each_key_comes_from_and_no_other() -> None:
    loaded = {
        value.partition(":")[2].rpartition("/")[2]
        for unit in SERVICES
        for value in settings(unit)["LoadCredential"]
    }
    assert loaded == {
        "netcup_customer_number",
        "netcup_api_key",
        "netcup_api_password",
        "mailcow_api_key",
        "mailcow_api_key_rw",
        "notify",
    }
    for name in (*loaded, "netcup_rest_api_key"):
        assert f"`{name}`" in README


def test_the_timers_are_switched_on_one_by_one() -> None:
    enabled = re.findall(r"systemctl enable --now (.*)", README)
    assert enabled == ["netcup-mailauth-apply.timer", "netcup-mailauth-rotate.timer"]
    assert README.index(enabled[0]) < README.index("## Rotations") < README.index(enabled[1])
    for unit in SERVICES:
        assert "enable" not in unit.read_text(encoding="utf-8")


@pytest.mark.parametrize("block", BLOCKS)
def test_the_shell_takes_what_the_readme_says(block: str) -> None:
    assert complaints(block) == ""


def test_what_is_put_there_is_where_the_units_look_for_it(tmp_path: Path) -> None:
    """The first steps, carried out below a folder, with nothing installed."""
    installing, placing, key = (block for block in BLOCKS[:3])
    for folder in ("etc/systemd/system", "opt", "usr/local/bin"):  # as Debian has them
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "examples").symlink_to(EXAMPLES)
    shutil.copy(EXAMPLES / "netcup-mailauth.toml", tmp_path)
    script = OWN_FOLDERS.sub(f"{tmp_path}/", installing + placing + key)
    script = re.sub(r"(?m)^(python3|.*/pip|systemd-sysusers)\b.*$", ":", script)
    ended = subprocess.run(
        ["sh", "-e", "-c", script], cwd=tmp_path, input="secret\n", text=True, check=False
    )
    assert ended.returncode == 0
    for unit in (*SERVICES, *TIMERS):
        assert (tmp_path / "etc/systemd/system" / unit.name).exists()
    assert (tmp_path / "etc/sysusers.d/netcup-mailauth.conf").exists()
    for unit in RUNS:
        command = f"{tmp_path}{started(unit)[0]}"
        assert str((tmp_path / "usr/local/bin/netcup-mailauth").readlink()) == command
    keys = tmp_path / "etc/netcup-mailauth/credentials"
    assert keys.stat().st_mode & 0o777 == 0o700
    assert (keys / "netcup_api_key").stat().st_mode & 0o777 == 0o600
    for unit in RUNS:
        assert "-c /etc/netcup-mailauth/netcup-mailauth.toml" in " ".join(started(unit))
    assert (tmp_path / "etc/netcup-mailauth/netcup-mailauth.toml").exists()

"""Canaries: whatever is run, and whatever goes wrong, no secret is printed or written anywhere."""

from __future__ import annotations

import json
import re
import resource
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from netcup_mailauth.sandbox import Quirks, Sandbox
from netcup_mailauth.sandbox.addresses import CA_VARIABLES
from tests.apis import CCP, on_clouddns
from tests.process import watched as watching
from tests.process.command import Ended
from tests.process.terminal import dialogue
from tests.process.watched import WRONG, Watched, watched
from tests.story.answering import LOGIN, answering, envelope, rest
from tests.worlds import until_called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.process.command import Command

FORMATS = ("text", "json", "markdown")
SPF = ("--spf-drop", "include:_spf.webhosting.systems", "--spf", "v=spf1 mx a -all")
WISH = (*SPF, "--dkim", "mailcow", "--dmarc", "v=DMARC1;p=none;rua=mailto:a@example.com")
PLAN = ("plan", "example.com", *WISH)
APPLY = ("apply", "example.com", *WISH, "--yes")
CHECK = ("check", "example.com", *WISH)


@pytest.fixture(scope="module", autouse=True)
def _figures() -> Iterator[None]:
    yield
    figures = f"{len(watching.runs)} runs searched, {len(watching.leaked)} found"
    print(f"\nsecret canaries: {figures}")  # noqa: T201


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return watched(sandbox, tmp_path / "w", monkeypatch)


def private_key(run: Watched) -> str:
    """A private key, each line of which must be nowhere."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    run.secrets += pem.splitlines()[1:-2]
    return pem


def every_command(run: Watched) -> list[int]:
    """Each command once, told to say as much as it can; their exit codes."""
    return [
        run("-v", "--record", "records.record", "records", "example.com").code,
        run("-v", *PLAN, "--full").code,
        run("-v", *CHECK).code,
        run("-v", "--record", "apply.record", *APPLY).code,
        run("-v", "--record", "auth.record", "auth", "--check").code,
        run("-v", "-c", "new.toml", "init", "example.com").code,
    ]


# --- What works -----------------------------------------------------------------------------------


def test_every_command_in_every_format(run: Watched) -> None:
    for form in ("text", "json", "markdown"):
        for verbose in ((), ("-v",)):
            run(*verbose, "records", "example.com", "--format", form)
            run(*verbose, *PLAN, "--format", form, "--full", "--out", f"{form}{len(verbose)}.json")
            run(*verbose, *CHECK, "--format", form)
    assert run("-v", "apply", "--plan", "text0.json").code == 0
    for form in FORMATS:
        assert run("-v", "show", "text0.json", "--format", form, "--full").code == 0
        assert run("-v", *CHECK, "--format", form, "--full").code in (0, 8, 9)
        assert run("-v", *APPLY, "--format", form).code == 0
    assert run("undo", "--list").code == 0
    for form in FORMATS:
        run("-v", "undo", "example.com", "--yes", "--format", form)
    exported = run("records", "example.com", "--format", "json")
    (run.folder / "zone.json").write_text(exported.stdout)
    assert run(*PLAN, "--zone-file", "zone.json").code == 0
    run("-v", "init", "example.com")
    run("-v", "init", "--mailcow", run.command.sandbox.mailcow_url)
    assert run("auth", "--check").code == 0
    for arguments in ((), ("--help",), ("--version",), ("plam",), ("plan", "--bogus")):
        run(*arguments)


def test_every_command_started_from_nothing(run: Watched) -> None:
    """With the fault handler on, the command is not forked: see `tests.process.processes`."""
    run.command.changes["PYTHONFAULTHANDLER"] = "1"
    assert set(every_command(run)) <= {0, 8, 9}


@pytest.mark.parametrize("where", ["file", "stdin"])
def test_a_private_dkim_key(run: Watched, where: str) -> None:
    pem = private_key(run)
    source = "-" if where == "stdin" else f"file:{run.secret_file('key.pem', pem)}"
    wish = ("--dkim", source, "--selector", "mail")
    for form in FORMATS:
        ended = run("-v", "plan", "example.com", *wish, "--format", form, "--full", stdin=pem)
        assert ended.code == 0
    assert run("-v", "apply", "example.com", *wish, "--yes", stdin=pem).code == 0
    assert run("-v", "check", "example.com", *wish, stdin=pem).code in (0, 8, 9)
    damages: tuple[Callable[[str], str], ...] = (
        lambda text: text.replace("-----END", "----END"),
        lambda text: text.replace("-----BEGIN", "-----BEG"),
        lambda text: text[:800],
        lambda text: text.replace("A", "%"),
        lambda text: json.dumps({"privkey": text}),
        lambda text: json.dumps({"privkey": text})[:-1],
        lambda text: f"{text}\0",
        lambda text: f"{text}\nv=DKIM1;p=AAAA",
    )
    for damage in damages:
        if where == "file":
            run.secret_file("key.pem", damage(pem))
        run("-v", "plan", "example.com", *wish, stdin=damage(pem))
    (run.folder / "c.toml").write_text('[domains."example.com"]\n')
    run("-v", "plan", "example.com", "--dkim", pem, "--selector", "mail")


def unechoed(ended: Ended) -> Ended:
    """Without the customer number where it was typed, which the terminal shows: it is no secret."""
    shown = re.sub(r"(?m)^(netcup customer number.*: ).*$", r"\1", ended.stdout)
    return ended._replace(stdout=shown)


def test_what_auth_keeps_is_in_its_file_alone(run: Watched) -> None:
    run.given.append(run.folder / "home/.config/netcup-mailauth/credentials.toml")
    names = [*list(WRONG)[:3], "NETCUP_REST_API_KEY", "MAILCOW_API_KEY"]
    values = [run.command.sandbox.env[name] or "R3stC4n4ry".ljust(64, "x") for name in names]
    run.secrets.append(values[3])
    run.command.changes |= dict.fromkeys(names)
    values.insert(4, run.command.sandbox.mailcow_url)
    run.search(unechoed(dialogue(run.command, "-v", "auth", answers=values)), "auth")
    assert set(every_command(run)) <= {0, 8, 9}
    # The same, typed wrong: nothing of it is kept, or shown.
    answers = [*list(WRONG.values())[:3], "", "", WRONG["MAILCOW_API_KEY"]]
    run.search(unechoed(dialogue(run.command, "-v", "auth", answers=answers)), "auth")
    assert not any(wrong in run.given[0].read_text() for wrong in WRONG.values())


@pytest.mark.parametrize(
    "text",
    [
        'netcup_api_key = "{}"',
        "netcup_api_key = {}",
        '"{}" = "x"',
        '{} = "x"',
        "netcup_api_key = [{}",
        'unknown = "{}"',
        '[mailcow]\nkey = "{}"',
    ],
)
def test_a_broken_credentials_file(run: Watched, text: str) -> None:
    run.command.changes |= dict.fromkeys(WRONG)
    content = text.format(WRONG["MAILCOW_API_KEY"])
    run.secret_file("home/.config/netcup-mailauth/credentials.toml", content)
    for arguments in (("records", "example.com"), ("-v", *PLAN), ("auth", "--check"), CHECK):
        assert run(*arguments).code == 4


# --- What goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(WRONG))
@pytest.mark.parametrize("where", ["variable", "file"])
def test_wrong_credentials(run: Watched, name: str, where: str) -> None:
    run.command.changes[name] = WRONG[name]
    if where == "file":
        run.command.changes |= {
            name: None,
            f"{name}_FILE": str(run.secret_file("secret", WRONG[name])),
        }
    codes = every_command(run) + every_command(run)
    assert 4 in codes


@pytest.mark.parametrize("damage", ["{}ä", "{} x", '"{}', "{}\x1b[2J", "{0}{0}{0}", "'{}'"])
def test_credentials_that_cannot_be_right(run: Watched, damage: str) -> None:
    for name, value in WRONG.items():
        path = run.secret_file("secret", damage.format(value) * 20)
        run.command.changes |= {name: damage.format(value), f"{name}_FILE": str(path)}
        run("-v", *PLAN)
        run.command.changes |= {name: None}
        run("auth", "--check")
        del run.command.changes[name], run.command.changes[f"{name}_FILE"]


@pytest.mark.parametrize(
    ("action", "mode"),
    [
        ("login", "html"),
        ("login", "cut"),
        ("login", "lockout"),
        ("login", "rate-limit"),
        ("infoDnsRecords", "500"),
        ("infoDnsRecords", "drop"),
        ("infoDnsRecords", "cut"),
        ("infoDnsRecords", "expire"),
        ("infoDnsRecords", "lockout"),
        ("logout", "500"),
    ],
)
def test_netcup_fails(run: Watched, action: str, mode: str) -> None:
    run.command.sandbox.fault(action, mode, times=20)
    run("-v", *PLAN, "--format", "json")
    run("-v", *APPLY)


@pytest.mark.parametrize(
    "mode",
    ["drop", "apply-then-drop", "apply-partly", "apply-then-4013", "apply-then-html", "500",
     "html", "cut", "lie", "rival", "expire", "rate-limit", "lockout"],
)  # fmt: skip
def test_a_write_fails(run: Watched, mode: str) -> None:
    """The snapshot, the journal and the report of a write of unknown outcome."""
    run.command.sandbox.fault("updateDnsRecords", mode)
    run("-v", *APPLY, "--format", "json")


def test_too_many_errors(run: Watched) -> None:
    names = [f"foreign-{number}.com" for number in range(11)]
    run("-v", "plan", *names, "--spf", "v=spf1 -all")
    run("-v", "plan", "example.com", "--spf", "v=spf1 -all")


def test_mailcow_denies_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(quirks=Quirks(mailcow_denies_ip=True)) as sandbox:
        assert 4 in every_command(watched(sandbox, tmp_path / "w", monkeypatch))


def test_tls_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(tls=True) as sandbox:
        run = watched(sandbox, tmp_path / "w", monkeypatch)
        run.command.changes |= dict.fromkeys(CA_VARIABLES)
        assert set(every_command(run)) <= {1, 8}
        assert sandbox.stats()["requests"] == {}
        run.command.changes |= {"REQUESTS_CA_BUNDLE": "/nowhere"}
        every_command(run)


def test_a_proxy_with_a_password_that_is_not_there(run: Watched) -> None:
    run.secrets.append("C4n4ryProxy")
    run.command.changes |= {
        "HTTPS_PROXY": "http://user:C4n4ryProxy@127.0.0.1:9",
        "NETCUP_CCP_ENDPOINT": "https://ccp.example.invalid/",
        "MAILCOW_URL": "https://mail.example.invalid",
    }
    for arguments in (("-v", *PLAN), ("-v", "auth", "--check")):
        assert run(*arguments).code == 1


@pytest.mark.parametrize("name", ["NETCUP_CCP_ENDPOINT", "MAILCOW_URL"])
@pytest.mark.parametrize("url", ["https://user:{}@127.0.0.1/", "http://x.example/", "{}", "//{}@x"])
def test_an_address_with_a_secret_in_it(run: Watched, name: str, url: str) -> None:
    run.command.changes[name] = url.format(WRONG["NETCUP_API_KEY"])
    if "@" in url or "{" not in url:
        for arguments in (("-v", *PLAN), ("auth", "--check"), ("records", "example.com")):
            run(*arguments)


@pytest.mark.parametrize(
    "text",
    [
        '[mailcow]\napi_key = "{}"',
        '[mailcow]\nurl = "https://user:{}@127.0.0.1"',
        '[mailcow]\nurl = 5\napi_key_file = ["{}"]',
        'netcup_api_password = "{}"',
        '[domains."example.com"]\npassword = "{}"',
        '[domains."example.com"]\ndkim = {{ source = "-----BEGIN PRIVATE KEY----- {}" }}',
        '[domains."example.com"]\ndkim = "{}"',
    ],
)
def test_a_secret_where_none_belongs_in_the_config(run: Watched, text: str) -> None:
    run.secret_file("c.toml", text.format(WRONG["NETCUP_API_KEY"]))
    for arguments in (("plan",), ("apply", "--yes"), ("check",), ("auth", "--check")):
        run("-v", "-c", "c.toml", *arguments)


def test_a_mistake_of_ours(run: Watched) -> None:
    """The last resort says where it happened, and not what was in hand."""
    run.command.changes["CRASH"] = "1"
    ended = run("-v", "records", "example.com")
    assert ended.code == 1
    assert "Unexpected RuntimeError" in ended.stderr


def test_a_crash_with_the_fault_handler_on(run: Watched) -> None:
    run.command.changes["PYTHONFAULTHANDLER"] = "1"
    run.command.sandbox.fault("infoDnsRecords", "slow", delay=20)
    process = run.command.start("-v", *PLAN)
    until_called(run.command.sandbox, "infoDnsRecords")
    process.send_signal(signal.SIGABRT)
    out, err = process.communicate(timeout=30)
    assert b"Fatal Python error: Aborted" in err
    run.search(Ended(process.returncode, out.decode(), err.decode()), "SIGABRT")


# --- What others say ------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [4013, 4003, 1, 5031, 4001])
@pytest.mark.parametrize("logged_in", [True, False])
def test_netcup_repeats_our_secrets(run: Watched, code: int, logged_in: bool) -> None:
    own = own_secrets(run)[:3]  # netcup is not told mailcow's
    said = f"You sent {' '.join(own)}{' C4n4rySession' if logged_in else ''}"
    run.secrets.append("C4n4rySession")
    refusal = envelope(status="error", statuscode=code, longmessage=said)
    for arguments in (("-v", *PLAN), ("-v", "auth", "--check")):
        with answering(*([LOGIN, refusal] if logged_in else [refusal])) as url:
            run.command.changes["NETCUP_CCP_ENDPOINT"] = url
            run(*arguments)


@pytest.mark.parametrize("status", [200, 401, 403, 404, 500])
def test_mailcow_repeats_our_secret(run: Watched, status: int) -> None:
    body = json.dumps({"type": "error", "msg": f"You sent {' '.join(own_secrets(run))}"})
    with answering(body.encode(), status=status) as url:
        run.command.changes["MAILCOW_URL"] = url
        # mailcow is not told netcup's secrets, so it cannot repeat them.
        run.secrets[:] = [run.command.sandbox.env["MAILCOW_API_KEY"] or ""]
        assert run("-v", *PLAN).code == (4 if status == 401 else 1)


# --- The REST key ---------------------------------------------------------------------------------

REST_KEY = "NETCUP_REST_API_KEY"
WRONG_REST_KEY = "C4n4ryWrongRestKey".ljust(64, "k")


@pytest.fixture
def rest_run(run: Watched) -> Watched:
    """With the REST key alone, which is searched for too."""
    run.command.changes |= dict.fromkeys(CCP.secrets)
    run.secrets += [run.command.sandbox.rest_key, WRONG_REST_KEY]
    return run


@on_clouddns
def test_every_command_with_a_rest_key(rest_run: Watched) -> None:
    assert set(every_command(rest_run)) <= {0, 8, 9}
    assert rest_run("-v", *PLAN, "--out", "plan.json", "--format", "json").code == 0
    assert rest_run("-v", "apply", "--plan", "plan.json").code == 0
    assert rest_run("-v", "undo", "--list", "--format", "json").code == 0


@on_clouddns
@pytest.mark.parametrize("damage", ["{}", "{}ä", "{} x", "{}\x1b[2J", "{0}{0}"])
def test_a_wrong_rest_key(rest_run: Watched, damage: str) -> None:
    rest_run.command.changes[REST_KEY] = damage.format(WRONG_REST_KEY)
    assert rest_run("-v", *PLAN).code == 4
    assert rest_run("-v", "auth", "--check").code == 4


@on_clouddns
@pytest.mark.parametrize(
    ("action", "mode"), [("domain", "html"), ("records", "cut"), ("changeset", "apply-then-drop")]
)
def test_the_rest_api_fails(rest_run: Watched, action: str, mode: str) -> None:
    rest_run.command.sandbox.fault(action, mode, times=3)
    rest_run("-v", *APPLY, "--format", "json")


@on_clouddns
@pytest.mark.parametrize(
    ("status", "code"),
    [(200, "{}"), (400, "{}"), (400, "authenticationError"), (404, "{}"), (500, "{}")],
)
def test_the_rest_api_repeats_our_key(rest_run: Watched, status: int, code: str) -> None:
    said = f"You sent Bearer {rest_run.command.sandbox.rest_key}"
    fault = {"code": code.format(said), "message": said}
    with answering(rest(None, (fault,)), status=status) as url:
        rest_run.command.changes["NETCUP_REST_ENDPOINT"] = url.rstrip("/")
        assert rest_run("-v", *PLAN).code != 0


def own_secrets(run: Watched) -> list[str]:
    return [value for name, value in run.command.sandbox.env.items() if name in WRONG and value]


# --- A crash --------------------------------------------------------------------------------------


PROBE = """
import ctypes, json, resource
from netcup_mailauth.settings import credentials
def shown(*_):
    limit = resource.getrlimit(resource.RLIMIT_CORE)
    print(json.dumps({"limit": limit, "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)}))
    raise SystemExit(0)
credentials.netcup_credentials = shown
from netcup_mailauth.cli import main
main(["plan", "example.com", "--spf-require", "mx"])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_a_crash_writes_no_secret_to_a_disk(command: Command) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    ended = subprocess.run(
        [sys.executable, "-c", PROBE],
        env=command.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(ended.stdout)
    assert found == {"limit": [0, hard], "dumpable": 0}

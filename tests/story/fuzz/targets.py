"""One example for each input that somebody else may have written: broken, read, judged."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from netcup_mailauth import planfile
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.state.holds import FileHold, Reason, digest
from netcup_mailauth.state.journal import loads as journal_entry
from tests.story.fuzz.answers import KEY, MAILCOW_KEY, ZONE, answered, dumped, written_to
from tests.story.fuzz.breaking import broken, broken_bytes, broken_json, noise
from tests.story.fuzz.world import CCP, MAILCOW, NUMBER, SECRETS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    from dns.message import QueryMessage

    from tests.story.fuzz.world import World

OF_FILES = frozenset({ExitCode.OK, ExitCode.USAGE, ExitCode.ZONE, ExitCode.REFUSED, ExitCode.STALE})
"""How reading a file may end: never as an error of an API, nor as one that nobody expected."""

OF_APIS = frozenset(ExitCode) - {ExitCode.INTERRUPTED}

WISH = ("--spf", "v=spf1 mx a -all", "--rua", "mailto:a@example.com", "--server", "192.0.2.2")
"""Something to change that the guard has nothing against."""
OF_SPF = ("--spf", "v=spf1 mx ~all", "--kind", "spf")
"""What ``check`` finds right as long as DNS answers."""
FORMATS = ("text", "json", "markdown")


def zone_file(world: World, dice: Random) -> list[str]:
    """``plan --zone-file``: an exported zone."""
    listing = {
        "schema": 1,
        "domain": "example.com",
        "backend": "ccp",
        "records": [{**record, "ttl": None} for record in ZONE],
    }
    world.file("zone.json", broken(listing, dice))
    wish = dice.choice(
        (
            WISH,
            ("--spf-require", "ip4:192.0.2.7", "--rua", "mailto:a@example.org"),
            ("--dkim", KEY, "--spf-all", "softfail"),
        )
    )
    form = dice.choice(FORMATS)
    called = world("plan", "example.com", "--zone-file", "zone.json", *wish, "--format", form)
    return world.problems(called, OF_FILES) + _no_write(world)


CONFIG = b"""\
[mailcow]
url = "http://127.0.0.1:8054"

[defaults]
dkim  = { source = "mailcow" }
dmarc = { policy = "quarantine", rua = ["mailto:dmarc@example.com"] }

[domains."example.com"]
spf   = { require = ["mx", "ip4:203.0.113.7"], drop = ["a"], all = "softfail" }
server = ["mail.example.com"]
allow = ["spf-drops-sender"]

[domains."intern.example.com"]
zone = "example.com"
spf = { record = "v=spf1 mx a -all" }
dkim = { source = "record:v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", \
selector = "s2026" }
dmarc = false
"""


def config(world: World, dice: Random) -> list[str]:
    """``-c FILE``, or the file that lies in the current folder."""
    data = noise(dice) if dice.random() < 0.1 else broken_bytes(CONFIG, dice)
    named = dice.random() < 0.5
    world.file("named.toml" if named else "netcup-mailauth.toml", data)
    given = ("-c", "named.toml") if named else ()
    command = dice.choice((("plan",), ("plan", "example.com"), ("check", "example.com")))
    called = world(*given, *command, "--format", dice.choice(("text", "json")))
    # A config can name a file, a host or a mailcow that is not there; that is told as such.
    return world.problems(called, OF_APIS) + _no_write(world)


def plan_file(world: World, dice: Random) -> list[str]:
    """``show FILE`` and ``apply --plan FILE``; half of the broken plans are signed again."""
    document = json.loads(_plan(world))
    data = broken(document, dice)
    if dice.random() < 0.5:
        forged = broken_json(document, dice)
        try:
            forged["digest"] = planfile.digest(forged["zones"])
        except (KeyError, TypeError, ValueError, RecursionError):
            pass
        else:
            data = dumped(forged)
    world.file("plan.json", data)
    shown = world("show", "plan.json", "--format", dice.choice(FORMATS))
    problems = world.problems(shown, OF_FILES) + _no_write(world)
    applied = world("apply", "--plan", "plan.json", "--format", dice.choice(FORMATS))
    problems += world.problems(applied, OF_APIS - {ExitCode.ERROR})
    if applied.code not in (ExitCode.OK, ExitCode.UNVERIFIED):
        problems += _no_write(world)
    return problems


_PLANNED: dict[str, bytes] = {}


def _plan(world: World) -> bytes:
    """A plan with a change of each kind, as the program writes it; made once."""
    if "plan" not in _PLANNED:
        called = world("plan", "example.com", *WISH, "--mailcow", MAILCOW, "--out", "plan.json")
        assert called.code == 0, called.stderr
        _PLANNED["plan"] = (world.folder / "plan.json").read_bytes()
    return _PLANNED["plan"]


_PRIMES = (
    0xFA90F6736F8E2F8E211867046EA75CD67052B2F2E6CE10059654E3E21BE2005823ACD38EECEF9D4392FE6DA9983ED8D33B16188B5D0D6E537C80DEB0FD85652F,
    0xEC038F872A500445ACF43D58E096DCAE08843E98FDF67FE9A5B8709184B06EBC87FF7CE42D55924067903841B48876B2524AA982CFC28560C4DC1C798D7D39AD,
)
"""Of a key of 1024 bits that is always the same, as an example has to be."""


def _rsa(p: int, q: int) -> rsa.RSAPrivateKey:
    e = 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    ends = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    return rsa.RSAPrivateNumbers(p, q, d, *ends, rsa.RSAPublicNumbers(e, p * q)).private_key()


@cache
def _keys() -> tuple[bytes, ...]:
    """A key in each form in which the tools of mail servers write one."""
    pair = _rsa(*_PRIMES)
    small = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    forms = serialization.PrivateFormat
    public = pair.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    base64 = b"".join(public.splitlines()[1:-1])
    return (
        pair.private_bytes(pem, forms.PKCS8, plain),
        pair.private_bytes(pem, forms.TraditionalOpenSSL, plain),
        small.private_bytes(pem, forms.PKCS8, plain),
        public,
        base64,
        b"v=DKIM1; k=rsa; p=" + base64,
        b'dkim._domainkey IN TXT ( "v=DKIM1; k=rsa; "\n\t"p=' + base64 + b'" ) ; ----- a.de\n',
        dumped({**MAILCOW_KEY, "dkim_txt": "v=DKIM1;k=rsa;p=" + base64.decode()}),
    )


def key_file(world: World, dice: Random) -> list[str]:
    """``--dkim file:PATH``, and the same on standard input."""
    whole = dice.choice(_keys())
    data = noise(dice) if dice.random() < 0.1 else broken_bytes(whole, dice)
    world.file("key", data)
    given = ("--dkim", "file:key")
    stdin = b""
    if dice.random() < 0.3:
        given, stdin = ("--dkim", "-"), data
    form = dice.choice(FORMATS)
    called = world("plan", "example.com", *given, "--full", "--format", form, stdin=stdin)
    return world.problems(called, OF_FILES, _private_lines(whole)) + _no_write(world)


def _private_lines(whole: bytes) -> tuple[str, ...]:
    """Lines of a private key, which are never to be seen; but for those of the public half."""
    if b"PRIVATE" not in whole:
        return ()
    public = b"".join(_keys()[3].splitlines())
    lines = (line for line in whole.splitlines()[1:-1] if len(line) > 40)
    return tuple(line.decode() for line in lines if line not in public)


def ccp_answer(world: World, dice: Random) -> list[str]:
    """An answer of netcup's API."""
    calls = ("login", "infoDnsRecords", "infoDnsRecords", "updateDnsRecords", "logout")
    broken_call = dice.choice(calls)
    seed = dice.random()

    def answer(action: str, document: Any) -> bytes:
        if action != broken_call:
            return dumped(document)
        fresh = type(dice)(seed)
        if fresh.random() < 0.2:
            codes = (2000, 4001, 4013, 5029, 5031, 0, "2000", None)
            document = {**document, "status": "error", "statuscode": fresh.choice(codes)}
        return broken(document, fresh)

    world.ccp = answer
    command = dice.choice(
        (
            ("plan", "example.com", *WISH),
            ("records", "example.com"),
            ("apply", "example.com", *WISH, "--yes"),
            ("apply", "example.com", *WISH, "--yes"),
        )
    )
    called = world("-v", *command, "--format", dice.choice(FORMATS))
    problems = world.problems(called, OF_APIS)
    # A broken answer to the write comes after it, and an answer may be broken and yet be one.
    after_it = broken_call == "updateDnsRecords" or called.code in (
        ExitCode.OK,
        ExitCode.UNVERIFIED,
    )
    return problems if command[0] == "apply" and after_it else problems + _no_write(world)


def rest_answer(world: World, dice: Random) -> list[str]:
    """An answer of netcup's REST API."""
    broken_call = dice.choice(("domain", "revision", "record", "record", "changeset"))
    seed = dice.random()

    def answer(call: str, document: Any) -> bytes:
        if call != broken_call:
            return dumped(document)
        fresh = type(dice)(seed)
        if fresh.random() < 0.2:
            codes = ("authenticationError", "resourceDoesNotExist", "\x1b[2J", 7, None)
            fault = {"code": fresh.choice(codes), "message": "The page number is past the end."}
            document = {**document, "success": False, "errors": [fault]}
        return broken(document, fresh)

    world.rest = answer
    command = dice.choice(
        (
            ("plan", "example.com", *WISH),
            ("records", "example.com"),
            ("apply", "example.com", *WISH, "--yes"),
            ("apply", "example.com", *WISH, "--yes"),
        )
    )
    with world.on_clouddns():
        called = world("-v", *command, "--format", dice.choice(FORMATS))
    problems = world.problems(called, OF_APIS)
    # As with the CCP: a write may have been sent, and an answer may be broken and yet be one.
    after_it = bool(world.writes) and called.code in (ExitCode.OK, ExitCode.UNVERIFIED)
    return problems if command[0] == "apply" and after_it else problems + _no_write(world)


def mailcow_answer(world: World, dice: Random) -> list[str]:
    """An answer of mailcow's API."""
    broken_path = dice.choice(("/get/dkim/", "/get/dkim/", "/get/domain/"))
    seed = dice.random()

    def answer(path: str, document: Any) -> bytes:
        return broken(document, type(dice)(seed)) if broken_path in path else dumped(document)

    world.mailcow = answer
    form = dice.choice(FORMATS)
    called = world("plan", "example.com", "--mailcow", MAILCOW, "--full", "--format", form)
    return world.problems(called, OF_APIS) + _no_write(world)


def dns_answer(world: World, dice: Random) -> list[str]:
    """An answer of a name server or resolver, to ``check``."""
    seed = dice.random()

    def answer(question: QueryMessage) -> bytes:
        own = type(dice)(f"{seed} {question.question[0].to_text()}")
        whole = answered(question)
        return whole if own.random() < 0.5 else _broken_message(whole, own)

    world.dns = answer
    form = dice.choice(("text", "json"))
    called = world("check", "example.com", *OF_SPF, "--format", form)
    return world.problems(called, OF_APIS - {ExitCode.ERROR}) + _no_write(world)


def _broken_message(data: bytes, dice: Random) -> bytes:
    """A message damaged behind its number, so that it still is the answer to the question."""
    if dice.random() < 0.1:
        return noise(dice)
    return data[:2] + broken_bytes(data[2:], dice)


def _no_write(world: World) -> list[str]:
    return [f"something was written: {world.writes}"] if world.writes else []


STATE_COMMANDS = (
    ("plan", "example.com", *WISH),
    ("apply", "example.com", *WISH, "--yes"),
    ("check", "example.com"),
    ("undo", "--list"),
    ("undo", "--list", "--format", "json"),
    ("undo", "example.com", "--yes"),
)


def state_file(world: World, dice: Random) -> list[str]:
    """A file of the state folder: the journal's, a hold, the lock and its note, or what is none."""
    kept = _state(world)
    name = dice.choice(list(kept))
    for other, data in kept.items():
        path = world.folder / other
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(data)
    for folder in (world.folder / "state").rglob("*"):
        folder.chmod(0o700 if folder.is_dir() else 0o600)
    world.zone = written_to(world.zone, _WRITTEN)
    path = world.folder / name
    _damage(path, dice)
    command = dice.choice(STATE_COMMANDS)
    called = world(*command)
    problems = [text for text in world.problems(called, OF_APIS) if ": it left " not in text]
    if command[0] == "undo" and "/journal/" in name and not _is_whole(path):
        named = name.rpartition("/")[2] in called.stderr
        problems += [] if named else [f"{' '.join(command)} does not name {name}"]
    return problems if command[0] in ("apply", "undo") else problems + _no_write(world)


_STATE: dict[str, bytes] = {}
_WRITTEN: list[Any] = []


def _state(world: World) -> dict[str, bytes]:
    """The files that are there after a write, and a refusal; made once."""
    if not _STATE:
        called = world("apply", "example.com", *WISH, "--yes")
        assert called.code == 0, called.stderr
        hold = FileHold(
            world.folder / "state", CCP, digest(CCP, (NUMBER, *SECRETS[:2])), "netcup", False, _hush
        )
        hold.note(Reason.LOCKED_OUT)
        files = [path for path in (world.folder / "state").rglob("*") if path.is_file()]
        _STATE.update({str(p.relative_to(world.folder)): p.read_bytes() for p in files})
        (account,) = {name.partition("/journal/")[0] for name in _STATE if "/journal/" in name}
        _STATE[f"{account}/writer.txt"] = b"process 1, since 2026-01-02 03:04:05 UTC"
        _WRITTEN.extend(world.writes[-1])
        world.reset()
    return _STATE


def _hush(_message: str) -> None:
    """Whom a hold tells that it begins."""


def _damage(path: Path, dice: Random) -> None:
    """Break a file, or put something in its place that is none."""
    data = path.read_bytes()
    match dice.randrange(12):
        case 0:
            path.unlink()
            os.mkfifo(path, 0o600)
        case 1:
            path.unlink()
            path.symlink_to(dice.choice(("nowhere", "/dev/zero", "/etc/passwd", ".")))
        case 2:
            path.chmod(dice.choice((0o666, 0o620, 0o602)))
        case 3:
            with path.open("r+b") as file:
                file.truncate(100 * 1024 * 1024)
        case 4:
            path.unlink()
            path.mkdir()
        case 5 if path.suffix == ".json":
            late = dice.choice((b"9999-12-31T23:59:59.999999Z", b"9999-12-31T235959999999Z"))
            path.rename(path.with_name(f"{late.decode()}-abcdef.json"))
        case _ if data.startswith(b"{"):
            path.write_bytes(broken(json.loads(data), dice))
        case _:
            path.write_bytes(broken_bytes(data, dice))


def _is_whole(path: Path) -> bool:
    """Whether a file is there and holds an entry that is where it belongs; by its own text."""
    if not path.is_file() or path.is_symlink():
        return not os.path.lexists(path)
    if path.stat().st_mode & 0o022:
        return False
    try:
        entry = journal_entry(path.read_text("utf-8"))
    except ValueError:
        return False
    return (entry.domain, entry.id) == (path.parent.name, path.stem)


TARGETS: dict[str, Callable[[World, Random], list[str]]] = {
    "zone-file": zone_file,
    "config": config,
    "plan-file": plan_file,
    "key-file": key_file,
    "state-file": state_file,
    "ccp-answer": ccp_answer,
    "rest-answer": rest_answer,
    "mailcow-answer": mailcow_answer,
    "dns-answer": dns_answer,
}
"""Each input that is broken, by its name on the command line of ``python -m tests.story.fuzz``."""

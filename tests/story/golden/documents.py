"""Stored documents as bytes, as the program of before the house was rebuilt wrote them.

``documents/`` holds journal entries, plan files, exports, holds, books of rotations, a
``writer.txt``, ``credentials.toml`` files and configs, and beside what is only read a golden text
of what was read (``*.read``). The tests read each and write it again: the bytes have to be the
same. ``malformed.txt`` holds what is said of documents that are none.

``python -m tests.story.golden.documents --write`` makes them anew. No test ever does, and nobody
does it without a line in the commit message that says which entry changed, and why: somebody has
such files on the disk. (Configs, ``writer.txt`` and the second half of ``credentials/`` are written
by hand and left alone.)
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import uuid
from contextlib import chdir, contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from tests.story.golden import storing

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).with_suffix("")
APIS = ("ccp", "clouddns")
READ = (".read", ".listing")
"""Endings of golden texts of what was read."""

PORT = 8053
KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAmUt3v5uQTXcYcxetvgPB9Yi5/AkPd+jX8s9JFnzG5up5mK"
    "9x1ViGXHfxGo+R+nm7v7QcxIMDvN+bGM2XGf/ceW3caWYu/qUb3dymm73NdXmPYWNTD3PVtajH8qul4Gl+mAlzsxU6"
    "DYQmscchwsHEZeWUf5y+tyUFE6bhMoR2T869L07yRsShq1Im2yBtphO5Bu9l2HQurJZxTd/ctCkG9uxRrbkr62Gf91"
    "wVPL8vTByWqQ5VumbfAzhpDW/kYL1LDIdmUU/E/2zo+FZ4Pc0hOJAX4UxcXD+5klOkWKC+UHAdZ/gFAQw06l02wKhp"
    "b/LyLDXjUYbi8VzNEN/ZPOSYWQIDAQAB"
)
OTHER_KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA4eJ/JmJCN6QxcZ6wvLztmRbzVNlWRvootEP20Z9qjXLhnp"
    "JBESaGno0zzphqH9bW9yWSV0gSB6Z3sljofFJpKexeg0DuNoYwq92W1UUxu2NfM1p80fAXF9lYnrgwzq6ORnBC3w42"
    "9MJ27F0277yoG4Jgelflj25vcSkm194oCj7JFSlHggIATmCq4sVSZJHX+z7LTul/qfb/FNBOCwOG/8kvAAZyic/WCY"
    "TLlnf9BdT+0Oi+4RDNFK1cawn/CFC1/aOxGxRgvfQj6emX4BYv95jDk9VnRek0vzQfxOWrxTnLqo6Uo74Wgcl2B0H5"
    "yOfqRkII3NVtqSS0TFHWHSxKOQIDAQAB"
)


def _record(hostname: str, kind: str, destination: str, priority: str = "0") -> dict[str, str]:
    return {
        "hostname": hostname,
        "type": kind,
        "priority": priority,
        "destination": destination,
    }


ZONES = {
    # Two SPF records and two keys at one selector, of which one of each goes.
    "example.net": [
        _record("@", "A", "203.0.113.10"),
        _record("mail", "A", "203.0.113.25"),
        _record("@", "MX", "mail.example.net", "10"),
        _record("@", "TXT", "v=spf1 mx ~all"),
        _record("@", "TXT", "v=spf1 a ?all"),
        _record("dkim._domainkey", "TXT", f"v=DKIM1;k=rsa;p={OTHER_KEY}"),
        _record("dkim._domainkey", "TXT", f"v=DKIM1; k=rsa; p={KEY}"),
        _record("_dmarc", "TXT", "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.net"),
        _record("text", "TXT", 'of others: "quoted", \\ and ü'),
    ],
    "example.org": [_record("@", "A", "203.0.113.10")],
    "example.info": [
        _record("@", "MX", "mail.example.com", "10"),
        _record("@", "TXT", "v=spf1 mx -all"),
    ],
}
CONFIG = f"""\
[defaults]
dkim = {{ source = "mailcow" }}
dmarc = {{ policy = "quarantine", rua = ["mailto:dmarc@example.net"] }}

[domains."example.com"]
spf = {{ record = "v=spf1 mx a -all", drop = ["include:_spf.webhosting.systems"] }}
server = ["mail.example.com", "2001:db8::25"]
allow = ["spf-drops-sender", "dmarc-multiple"]

[domains."example.net"]
spf = {{ require = ["mx", "a"], all = "softfail" }}
dkim = {{ source = "file:dkim.txt", selector = "dkim" }}

[domains."example.org"]
parked = true

[domains."example.info"]
spf = {{ record = "v=spf1 mx -all" }}
dkim = {{ source = "record:v=DKIM1;k=rsa;p={OTHER_KEY}", selector = "s2026" }}
dmarc = false

[domains."missing.example"]
spf = {{ record = "v=spf1 -all" }}
dkim = false
dmarc = false

[domains."intern.example.com"]
zone = "example.com"
spf = {{ require = ["mx"] }}
dkim = false
"""


@contextmanager
def netcup(api: str, port: int = 0) -> Iterator[Path]:
    """The netcup the documents were made at, an empty folder to work in, and its environment."""
    keys = {"example.com": KEY, "example.net": None}
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch("uuid.uuid4", side_effect=(uuid.UUID(int=n) for n in count(1))),
        storing.sandbox(api, ("example.com", *ZONES), ZONES, keys, port) as env,
        mock.patch.dict(os.environ, {k: v for k, v in env.items() if v is not None}),
        chdir(folder),
    ):
        for name in (name for name, value in env.items() if value is None):
            os.environ.pop(name, None)
        os.environ |= {"HOME": folder, "NETCUP_MAILAUTH_STATE_DIR": f"{folder}/state"}
        Path("dkim.txt").write_text(f"v=DKIM1;k=rsa;p={OTHER_KEY}\n")
        Path("config.toml").write_text(CONFIG)
        yield Path(folder)


def signed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the digest that fits it, told from DESIGN, section 4, and no code of ours.

    The canonical JSON of schema and, per zone, what is written and where, and what it was judged by
    where the zone says so.
    """
    covered = ("domain", "zone", "backend", "endpoint", "account", "changes", "unchanged", "allow")
    grounds = ("consent", "servers", "source_ref")
    zones = [
        {key: zone[key] for key in (*covered, *(key for key in grounds if key in zone))}
        for zone in document["zones"]
    ]
    text = json.dumps({"schema": 1, "zones": zones}, sort_keys=True, separators=(",", ":"))
    return {**document, "digest": f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"}


def elsewhere(data: bytes, *replaced: tuple[str, str]) -> bytes:
    """A plan file with these texts replaced, signed anew."""
    text = data.decode()
    for old, new in replaced:
        text = text.replace(old, new)
    return (json.dumps(signed(json.loads(text)), indent=2) + "\n").encode()


def write() -> None:
    """Make every document anew that a program made."""
    for api in APIS:
        _write_plans(api)
        entries = _folder("journal", api)
        plan, export = FOLDER / "plan" / f"{api}-config.json", FOLDER / "export" / f"{api}.json"
        with tempfile.TemporaryDirectory() as folder:
            for data in storing.make_entries(plan, export, Path(folder)):
                name = f"{json.loads(data)['id']}.json"
                (entries / name).write_bytes(data)
    _write_holds()
    books = _folder("rotation")
    with tempfile.TemporaryDirectory() as folder:
        made = storing.make_books(f"v=DKIM1;k=rsa;p={KEY}", f"v=DKIM1;k=rsa;p={OTHER_KEY}")
        for name, book in made.items():
            (books / f"{name}.json").write_bytes(storing.book_again(Path(folder), book))
    _write_credentials()
    texts = read_texts()
    for api in APIS:
        texts |= applied(api)
    for name, text in texts.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    from tests.story.golden import malformed

    (FOLDER / "malformed.txt").write_text(malformed.text(), encoding="utf-8")


def _folder(*parts: str) -> Path:
    folder = FOLDER.joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_plans(api: str) -> None:
    plans, exports = _folder("plan"), _folder("export")
    options = ("--spf-require", "mx", "--dmarc-policy", "none", "--rua", "mailto:a@example.com")
    runs = {
        "config": ("-c", "config.toml"),
        "options": ("example.com", *options, "--allow", "stale-netcup-mail"),
        "unchanged": ("example.info", "--spf", "v=spf1 mx -all"),
    }
    with netcup(api, PORT) as folder:
        for name, arguments in runs.items():
            storing.main(["plan", *arguments, "--out", "plan.json"])
            data = Path("plan.json").read_bytes()
            # A plan names the key's file by its whole path.
            data = elsewhere(data, (f"{folder}/", "/etc/dkim/"))
            (plans / f"{api}-{name}.json").write_bytes(data)
        for domain in ("example.com", "example.net"):
            name = f"{api}.json" if domain == "example.com" else f"{api}-{domain}.json"
            (exports / name).write_bytes(storing.ended("records", domain, "--format", "json")[1])
        exported = ("--zone-file", str(exports / f"{api}.json"), "--out", "plan.json")
        storing.main(["plan", "example.com", *options, *exported])
        (plans / f"{api}-exported.json").write_bytes(Path("plan.json").read_bytes())


def _write_holds() -> None:
    holds = _folder("hold")
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1, 10):
            moment = storing.BEGUN + timedelta(days=number)
            hold = storing.hold_at(Path(folder), [], moment)
            hold.note(storing.Reason.LOCKED_OUT if number == 2 else storing.Reason.REFUSED)
            (holds / f"{number}.json").write_bytes(hold.path.read_bytes())


def _write_credentials() -> None:
    names = ("NETCUP_CUSTOMER_NUMBER", "NETCUP_API_KEY", "NETCUP_API_PASSWORD", "MAILCOW_API_KEY")
    values = {name: f"{name}-golden" for name in names}
    odd = {"NETCUP_REST_API_KEY": "\\quoted\"'#=", "NETCUP_API_KEY": "{[]}$`~!"}
    with tempfile.TemporaryDirectory() as folder:
        for name, kept in (("all", values), ("odd", odd), ("none", {})):
            path = Path(folder) / name / "credentials.toml"
            (_folder("credentials") / f"{name}.toml").write_bytes(
                storing.make_credentials(path, kept)
            )


def read_texts() -> dict[str, str]:
    """What was read, for each document that is read, by the name of the golden file."""
    found: dict[str, str] = {}
    for path in sorted((FOLDER / "export").glob("*.json")):
        found[f"export/{path.stem}.read"] = storing.export_read(path)
    for api in APIS:
        with account_of(api) as folder:
            entries, _ = storing.journal_entries(folder, "example.com")
        found[f"journal/{api}.listing"] = storing.journal_listing(entries)
    for path in sorted((FOLDER / "config").glob("*.toml")):
        found[f"config/{path.stem}.read"] = config_text(path)
    for path in sorted((FOLDER / "credentials").glob("*.toml")):
        with private_copy(path, "credentials.toml") as copy:
            found[f"credentials/{path.stem}.read"] = storing.credentials_read(copy)
    return found


def applied(api: str) -> dict[str, str]:
    """How the stored plan files end at a netcup such as they were made at.

    By the name of the golden file: the exit code, and of each domain what became of it.
    """
    found: dict[str, str] = {}
    for path in sorted((FOLDER / "plan").glob(f"{api}-*.json")):
        with netcup(api) as folder:
            here = os.environ["NETCUP_CCP_ENDPOINT"].split("/")[2]
            plan = elsewhere(
                path.read_bytes(), (f"127.0.0.1:{PORT}", here), ("/etc/dkim/", f"{folder}/")
            )
            Path("plan.json").write_bytes(plan)
            code, data = storing.ended("apply", "--plan", "plan.json", "--format", "json")
            zones = json.loads(data or b'{"zones": []}')["zones"]
            said = [f"exit {code}"]
            said += (f"{z['domain']}: {z['result']}, {z['error'] or 'no error'}" for z in zones)
            found[f"plan/{path.stem}.applied"] = "\n".join([*said, ""]).replace(here, "HERE")
    return found


@contextmanager
def private_copy(path: Path, *parts: str) -> Iterator[Path]:
    """A golden file in a place of its own, for this user alone."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).joinpath(*parts)
        make_private(copy, path.read_bytes())
        yield copy


def make_private(path: Path, data: bytes) -> Path:
    """A file for this user alone, and the folders above it."""
    for folder in reversed(path.parents):
        if not folder.is_dir():
            folder.mkdir(mode=0o700)
    path.write_bytes(data)
    path.chmod(0o600)
    return path


@contextmanager
def account_of(api: str) -> Iterator[Path]:
    """An account's folder with the golden entries of one API in it."""
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted((FOLDER / "journal" / api).glob("*.json")):
            data = path.read_bytes()
            make_private(Path(folder, "journal", json.loads(data)["domain"], path.name), data)
        yield Path(folder)


def config_text(path: Path) -> str:
    """What is read from a config; its folder is told as ``FOLDER``."""
    name = "netcup-mailauth.toml" if path.stem == "found" else "config.toml"
    with (
        tempfile.TemporaryDirectory() as folder,
        chdir(folder),
        mock.patch.dict(os.environ, {"HOME": folder}),
    ):
        Path(name).write_bytes(path.read_bytes())
        return storing.config_read(Path(name)).replace(folder, "FOLDER")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("python -m tests.story.golden.documents --write")
    write()

"""Documents that are none, or not ours: what is said of each, with which advice and exit code.

Made of the stored documents by breaking one thing at a time: every field missing, empty, of another
type; a key that is not known; a newer schema; bytes that are no text; files that are no files. What
is accepted all the same is told too, with the digest of what the program would write for it.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import tempfile
from contextlib import chdir
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from tests.story.golden import documents, storing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEEP = 100_000
HUGE = "9" * 5000


def text() -> str:
    """The golden text: a heading for each document, and below it what is said."""
    return "\n".join(f"## {name}\n{said}\n" for name, said in outcomes().items())


def outcomes() -> dict[str, str]:
    """What is said of each document, by its name."""
    found: dict[str, str] = {}
    for sort, cases in (
        ("plan", _plans()),
        ("export", _exports()),
        ("journal", _json_cases(_stored("journal/ccp/2026-11-27T030001123456Z-000001.json"))),
        ("hold", _json_cases(_stored("hold/1.json"))),
        ("rotation", _books()),
        ("lock", _LOCKS.items()),
        ("credentials", _CREDENTIALS.items()),
        ("config", _CONFIGS.items()),
        ("found", _FOUND.items()),
    ):
        for name, data in cases:
            found[f"{sort}: {name}"] = _said(sort, partial(_put, data))
    for sort in _READERS:
        for name, make in _FILES.items():
            found[f"{sort}: {name}"] = _said(sort, make)
    return found


# --- How each is read -----------------------------------------------------------------------------


def _said(sort: str, make: Callable[[Path], object]) -> str:
    """What is said of the file that ``make`` makes."""
    name, read = _READERS[sort]
    with (
        tempfile.TemporaryDirectory() as folder,
        chdir(folder),
        mock.patch("os.fsync"),  # what is read again at once need not last
    ):
        path = Path(folder, name)
        for above in reversed(path.parents):
            if not above.is_dir():
                above.mkdir(mode=0o700)
        path.touch(0o600)
        make(path)
        return read(path).replace(os.path.realpath(folder), "FOLDER").replace(folder, "FOLDER")


def _tell(read: Callable[[], bytes | str]) -> str:
    try:
        again = read()
    except storing.FAILURES as error:
        return storing.told(error)
    data = again if isinstance(again, bytes) else again.encode()
    return f"read, as {hashlib.sha256(data).hexdigest()[:12]}"


def _plan(path: Path) -> str:
    return _tell(lambda: storing.plan_again(path))


def _export(path: Path) -> str:
    return _tell(lambda: storing.export_again(path))


def _journal(path: Path) -> str:
    account = path.parents[2]

    def read() -> bytes | str:
        entries, damaged = storing.journal_entries(account, path.parent.name)
        if damaged:
            return "passed over"
        return storing.journal_again(entries[0], account) if entries else "no entry"

    said = _tell(read)
    return "passed over" if said == _tell(lambda: "passed over") else said


def _hold(path: Path) -> str:
    warnings: list[str] = []
    root = path.parents[2]
    said = storing.hold_said(storing.hold_at(root, warnings, storing.BEGUN + timedelta(hours=24)))
    return "\n".join([*said.splitlines(), *(f"warning: {warning}" for warning in warnings)])


def _book(path: Path) -> str:
    account = path.parents[1]
    return _tell(lambda: storing.book_again(account, storing.read_book(account, path.stem)))


def _config(path: Path) -> str:
    return _tell(lambda: storing.config_read(path).replace(str(Path.cwd()), "FOLDER"))


_READERS: dict[str, tuple[str, Callable[[Path], str]]] = {
    "plan": ("plan.json", _plan),
    "export": ("zone.json", _export),
    "journal": ("journal/example.com/2026-11-27T030001123456Z-000001.json", _journal),
    "hold": ("127.0.0.1_8053/holds/golden.json", _hold),
    "rotation": ("rotations/example.com.json", _book),
    "lock": ("writer.txt", lambda path: storing.lock_said(path.parent)),
    "credentials": ("credentials.toml", lambda path: _tell(lambda: storing.credentials_read(path))),
    "config": ("config.toml", _config),
    "found": ("netcup-mailauth.toml", lambda path: _config(Path(path.name))),
}


# --- JSON -----------------------------------------------------------------------------------------


def _stored(name: str) -> Any:
    return json.loads((documents.FOLDER / name).read_bytes())


def _bytes(document: object) -> bytes:
    return json.dumps(document, indent=1).encode()


_OTHER: tuple[tuple[type, object], ...] = (
    (bool, 1),
    (str, 7),
    (int, "7"),
    (float, "7"),
    (list, {"0": 1}),
    (dict, [1]),
    (type(None), [None]),
)
"""For a value of each type one of another."""


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value; of a list only its first."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))[:1]
    for key, inner in items:
        yield (*path, key)
        yield from _paths(inner, (*path, key))


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


def _with(document: Any, path: tuple[Any, ...], value: object) -> Any:
    changed = copy.deepcopy(document)
    _at(changed, path[:-1])[path[-1]] = value
    return changed


def _broken(document: Any) -> Iterator[tuple[str, Any]]:
    """The document with one thing in it broken, for every thing."""
    for path in _paths(document):
        name, value = ".".join(map(str, path)), _at(document, path)
        if not isinstance(path[-1], int):
            missing = copy.deepcopy(document)
            del _at(missing, path[:-1])[path[-1]]
            yield f"{name} missing", missing
        other = next(other for sort, other in _OTHER if isinstance(value, sort))
        yield f"{name} of another type", _with(document, path, other)
        if value is not None:
            yield f"{name} null", _with(document, path, None)
        if isinstance(value, str):
            yield f"{name} empty", _with(document, path, "")
        if isinstance(value, int | float):
            for odd in (-1, 10**30, True, 0.5):
                yield f"{name} {odd!r}", _with(document, path, odd)
        if isinstance(value, dict):
            yield f"{name} with an unknown key", _with(document, (*path, "odd\x1b"), "x")
    yield "an unknown key", {**document, "odd\x1b": "x"}
    for schema in (0, 2, 99, True, 1.0, "1", None, [1], 10**30):
        yield f"schema {schema!r}", {**document, "schema": schema}


def _no_json(data: bytes) -> Iterator[tuple[str, bytes]]:
    yield "nothing", b""
    yield "words", b"# Markdown"
    yield "null", b"null"
    yield "a number", b"1"
    yield "a list", b"[]"
    yield "an object", b"{}"
    yield "cut short", data[: len(data) // 2]
    yield "more behind it", data + b"{}"
    yield "a mark of the byte order", b"\xef\xbb\xbf" + data
    yield "UTF-16", data.decode().encode("utf-16")
    yield "not UTF-8", data.replace(b'"', b'"\xff', 1)
    yield "a NUL", b"\0" + data
    yield "nested deeply", b"[" * DEEP + b"]" * DEEP
    yield "nested deeply inside", b'{"schema":1,"zones":' * DEEP + b"1" + b"}" * DEEP
    yield "a number of 5,000 digits", data.replace(b'"schema": 1', f'"schema": {HUGE}'.encode())
    yield "not a number", data.replace(b'"schema": 1', b'"schema": NaN')
    yield "infinite", data.replace(b'"schema": 1', b'"schema": Infinity')
    yield "too large a number", data.replace(b'"schema": 1', b'"schema": 1e999')
    yield "the schema twice", data.replace(b'"schema": 1', b'"schema": 1, "schema": 1')


def _json_cases(document: Any) -> Iterator[tuple[str, bytes]]:
    for name, broken in _broken(document):
        yield name, _bytes(broken)
    yield from _no_json(_bytes(document))


def _plans() -> Iterator[tuple[str, bytes]]:
    whole = _stored("plan/ccp-config.json")
    failed = next(zone for zone in whole["zones"] if zone["error"])
    base = documents.signed({**whole, "zones": [whole["zones"][0]]})
    errors = documents.signed({**whole, "zones": [failed]})
    for name, broken in _broken(base):
        yield name, _bytes(_signed_if_it_can_be(broken))
    for name, broken in _broken(errors):
        if "error" in name:
            yield f"failed, {name}", _bytes(_signed_if_it_can_be(broken))
    yield "another digest", _bytes({**base, "digest": f"sha256:{64 * '0'}"})
    yield "no digest", _bytes({key: base[key] for key in base if key != "digest"})
    yield "a value changed below its digest", _bytes(_with(base, (*_AFTER, "destination"), "v=x"))
    yield "a domain twice", _bytes(documents.signed({**base, "zones": [base["zones"][0]] * 2}))
    for name, path, value in _FORGED:
        yield f"forged: {name}", _bytes(documents.signed(_with(base, ("zones", 0, *path), value)))
    for name, hostname in _MOVED.items():
        moved = copy.deepcopy(base)
        change = moved["zones"][0]["changes"][1]
        change["hostname"] = change["after"]["hostname"] = hostname
        yield f"forged: {name}", _bytes(documents.signed(moved))
    net = documents.signed({**whole, "zones": [whole["zones"][1]]})
    backwards = copy.deepcopy(net)
    backwards["zones"][0]["changes"].reverse()
    yield "forged: it deletes before it writes", _bytes(documents.signed(backwards))
    yield from _no_json(_bytes(base))


def _signed_if_it_can_be(document: Any) -> Any:
    """Signed anew; where something is missing that the digest covers, the old digest stays."""
    try:
        return documents.signed(document) if "digest" in document else document
    except (KeyError, TypeError, AttributeError):
        return document


_AFTER = ("zones", 0, "changes", 0, "after")
_FORGED: tuple[tuple[str, tuple[Any, ...], Any], ...] = (
    ("an A record", ("changes", 0, "type"), "A"),
    ("an unknown kind", ("changes", 0, "kind"), "mta-sts"),
    ("a DMARC record at the apex", ("changes", 0, "kind"), "dmarc"),
    ("an unknown action", ("changes", 0, "action"), "replace"),
    ("an update called create", ("changes", 0, "action"), "create"),
    ("a hostname that hides another", ("changes", 0, "hostname"), "_dmarc"),
    ("a value that is none", ("changes", 0, "after", "destination"), "hello"),
    ("a control character", ("changes", 0, "after", "destination"), "v=spf1 mx\x1b -all"),
    ("a quote", ("changes", 0, "after", "destination"), 'v=spf1 exp="a" -all'),
    ("too long", ("changes", 0, "after", "destination"), f"v=spf1 {'a ' * 30_000}"),
    ("a token deleted", ("changes", 0, "before", "destination"), "google-site-verification=1"),
    ("an id of words", ("changes", 0, "before", "id"), "all"),
    ("a TTL of its own", ("changes", 0, "after", "ttl"), 60),
    ("a priority of its own", ("changes", 0, "after", "priority"), "10"),
    ("another fingerprint", ("changes", 1, "fingerprint"), "SHA256:0000000000000000"),
    ("a source of an SPF record", ("changes", 0, "source"), "mailcow at mail.example.com"),
    ("another zone", ("zone",), "example.org"),
    ("a zone that is a path", ("zone",), "../../etc"),
    ("a domain that is a path", ("domain",), "../example.com"),
    ("a domain in upper case", ("domain",), "Example.com"),
    ("a finding that there is not", ("allow",), ["everything"]),
    ("a term that is none", ("consent", "spf_drop"), ["everything:"]),
    ("a server that is none", ("servers",), ["-o ProxyCommand"]),
    ("a source that is none", ("source_ref",), "record:v=DKIM1;p="),
    ("a parked domain that sends", ("consent", "parked"), True),
    ("a domain not parked", ("consent", "parked"), False),
    ("an error beside changes", ("error",), {"exit_code": 1, "message": "", "advice": ""}),
    ("an error that is none", ("error",), {"exit_code": 0, "message": "", "advice": ""}),
    ("an exit code that there is not", ("error",), {"exit_code": 77, "message": "", "advice": ""}),
)
_MOVED = {
    "a key at another name": "dkim",
    "a key of another domain": "dkim._domainkey.shop",
    "a wildcard key": "*._domainkey",
    "a selector no signer has": "a b._domainkey",
    "a key in upper case": "DKIM._domainkey",
    "a full name": "dkim._domainkey.example.com.",
}


def _exports() -> Iterator[tuple[str, bytes]]:
    base = _stored("export/clouddns.json")
    yield from _json_cases(base)
    yield "a type in lower case", _bytes(_with(base, ("records", 0, "type"), "txt"))
    yield "an API of odd name", _bytes(_with(base, ("backend",), "CCP!"))
    yield "a zone in upper case", _bytes(_with(base, ("domain",), "Example.com"))
    yield "a zone that is no name", _bytes(_with(base, ("domain",), "../etc"))
    twice = _with(base, ("records", 1, "id"), base["records"][0]["id"])
    yield "an id twice", _bytes(twice)


def _books() -> Iterator[tuple[str, bytes]]:
    base = _stored("rotation/waiting.json")
    yield from _json_cases(base)
    for name, path, value in (
        ("about another domain", ("domain",), "example.net"),
        ("a rotation of another zone", ("open", "zone"), "example.org"),
        ("a zone in upper case", ("open", "zone"), "EXAMPLE.com"),
        ("a selector that is none", ("open", "new", "selector"), "a b"),
        ("a record that is none", ("open", "old", "record"), "v=DKIM1;p=abc"),
        ("an unknown phase", ("open", "phase"), "dancing"),
        ("a time after the year 5000", ("open", "clock"), 95617584000.0),
        ("a round that is no time", ("open", "watch", "rounds"), ["x"]),
        ("a fraction of a TTL", ("open", "watch", "negative_ttl"), 60.9),
    ):
        yield name, _bytes(_with(base, path, value))


# --- What is written by hand ----------------------------------------------------------------------

_LOCKS = {
    "as it is written": b"process 4711, since 2026-11-27 03:00:00 UTC",
    "nothing": b"",
    "more in it": b"process 4711, since 2026-11-27 03:00:00 UTC\nrun: rm -rf",
    "words": b"somebody",
    "not UTF-8": b"process 1, since \xff UTC",
    "a long number": b"process 12345678901, since 2026-11-27 03:00:00 UTC",
}

_SECRET = "C4n4ry"
_CREDENTIALS = {
    name: data.encode("utf-8", "surrogateescape")
    for name, data in {
        "nothing": "",
        "an unknown key": f'netcup_api_kye = "{_SECRET}"\n',
        "upper case": f'NETCUP_API_KEY = "{_SECRET}"\n',
        "a number": "netcup_customer_number = 12345\n",
        "a table": f'[netcup_api_key]\nvalue = "{_SECRET}"\n',
        "a value in place of a key": f'"{_SECRET}-$" = "x"\n',
        "three mistakes": f'a = "{_SECRET}"\nnetcup_api_key = 1\nB = 2\n',
        "no quotes": f"netcup_api_key = {_SECRET}\n",
        "a key twice": 'netcup_api_key = "a"\nnetcup_api_key = "b"\n',
        "cut short": f'netcup_api_key = "{_SECRET}',
        "no TOML": f"{_SECRET}\n",
        "JSON": f'{{"netcup_api_key": "{_SECRET}"}}',
        "nested deeply": f"a = {'[' * DEEP}{']' * DEEP}"[: 60 * 1024],
        "not UTF-8": 'netcup_api_key = "\udcff"\n',
        "a NUL": 'netcup_api_key = "a\0"\n',
        "a mark of the byte order": '\ufeffnetcup_api_key = "a"\n',
        "Windows line ends": 'netcup_api_key = "a"\r\nmailcow_api_key = "b"\r\n',
        "longer than it may be": f"# {'x' * 64 * 1024}\n",
    }.items()
}

_D = '[domains."example.com"]\n'
_CONFIGS = {
    name: data.encode("utf-8", "surrogateescape")
    for name, data in {
        "nothing": "",
        "no TOML": "domains",
        "cut short": '[domains."example.com"]\nspf = { record = "v=spf1',
        "a table twice": f"{_D}{_D}",
        "not UTF-8": 'a = "\udcff"',
        "a NUL": "\0",
        "a mark of the byte order": f"\ufeff{_D}parked = true\n",
        "Windows line ends": '[domains."example.com"]\r\nparked = true\r\n',
        "nested deeply": f"a = {'[' * DEEP}{']' * DEEP}",
        "a number of 5,000 digits": f"{_D}ttl = {HUGE}",
        "an unknown table": f'[domain."example.com"]\nspf = "{_SECRET}"\n',
        "an unknown key": f'{_D}sfp = "{_SECRET}"\n',
        "an unknown key in a table": f'{_D}spf = {{ recrd = "v=spf1 -all" }}\n',
        "an unknown key of mailcow's": f'[mailcow]\napi_key = "{_SECRET}"\n',
        "a control character in a key": '"a\\u001b[2J" = 1\n',
        "a table where a text belongs": "[mailcow.url]\na = 1\n",
        "a text where a table belongs": f'mailcow = "{_SECRET}"\n',
        "a text where domains belong": 'domains = "example.com"\n',
        "a list of domains": '[[domains]]\nname = "example.com"\n',
        "a domain without quotes": "[domains.example.com]\nparked = true\n",
        "a domain twice": f'{_D}parked = true\n[domains."EXAMPLE.com"]\nparked = true\n',
        "a name that is none": '[domains."exa mple.com"]\nparked = true\n',
        "an underscore in a name": '[domains."_dmarc.example.com"]\nparked = true\n',
        "a zone it does not lie in": f'{_D}zone = "example.org"\nparked = true\n',
        "a zone that is none": f'{_D}zone = "x y"\nparked = true\n',
        "a plain string": f'{_D}spf = "v=spf1 -all"\n',
        "true": f"{_D}spf = true\n",
        "zero": f"{_D}spf = 0\ndmarc = 0.0\n",
        "false in the defaults": "[defaults]\nspf = false\n",
        "a record that is none": f'{_D}spf = {{ record = "hello" }}\n',
        "a term that is none": f'{_D}spf = {{ require = ["mx", "ipv4:192.0.2.1"] }}\n',
        "a term that is a number": f"{_D}spf = {{ require = [1] }}\n",
        "require as a text": f'{_D}spf = {{ require = "mx" }}\n',
        "an all that is none": f'{_D}spf = {{ require = ["mx"], all = "-all" }}\n',
        "a record and parts": f'{_D}spf = {{ record = "v=spf1 -all", require = ["mx"] }}\n',
        "a DMARC record and parts": f'{_D}dmarc = {{ record = "v=DMARC1;p=none", rua = [] }}\n',
        "a DMARC record that is none": f'{_D}dmarc = {{ record = "v=DMARC1" }}\n',
        "a policy that is none": f'{_D}dmarc = {{ policy = "strict" }}\n',
        "an address without mailto": f'{_D}dmarc = {{ rua = ["a@example.com"] }}\n',
        "two addresses in one": f'{_D}dmarc = {{ rua = ["mailto:a@x.de,mailto:b@x.de"] }}\n',
        "a selector that is none": f'{_D}dkim = {{ source = "mailcow", selector = "a b" }}\n',
        "a source that is none": f'{_D}dkim = {{ source = "ftp:x" }}\n',
        "a home of nobody": f'{_D}dkim = {{ source = "file:~nobody-here/x" }}\n',
        "a finding that there is not": f'{_D}allow = ["spf-drop-sender", "x"]\n',
        "allow as a text": f'{_D}allow = "spf-drops-sender"\n',
        "a server that is none": f'{_D}server = ["a b"]\n',
        "a TTL too short": f"{_D}ttl = 1\n",
        "a TTL in quotes": f'{_D}ttl = "300"\n',
        "parked and sending": f'{_D}parked = true\nspf = {{ require = ["mx"] }}\n',
        "parked as a text": f'{_D}parked = "yes"\n',
        "parked for all": "[defaults]\nparked = true\n",
        "a zone for all": '[defaults]\nzone = "example.com"\n',
        "domains from elsewhere": 'domains_from = "plesk"\n',
        "a mailcow without https": '[mailcow]\nurl = "http://mail.example.com"\n',
        "a mailcow that is no address": '[mailcow]\nurl = "mail.example.com"\n',
        "a mailcow with a password": f'[mailcow]\nurl = "https://u:{_SECRET}@mail.example.com"\n',
        "a helper domain that is none": '[mailcow]\nhelper_domain = "a b"\n',
        "a key file of nobody": '[mailcow]\napi_key_file = "~nobody-here/x"\n',
        "rounds too many": "[rotation]\nrounds = 21\n",
        "a span without a unit": '[rotation]\ngrace = "7"\n',
        "no command": "[rotation]\nsigner_command = []\n",
        "many mistakes": (
            f'{_D}spf = 1\ndkim = {{ source = "x:y" }}\ndmarc = {{ policy = "p" }}\nttl = 0\n'
            '[domains.example.net]\nparked = true\n[rotation]\nretry = "x"\n'
        ),
    }.items()
}
_FOUND = {
    name: data.encode()
    for name, data in {
        "a file outside": f'{_D}dkim = {{ source = "file:/etc/passwd" }}\n',
        "a file above": f'{_D}dkim = {{ source = "file:../key" }}\n',
        "a file inside": f'{_D}dkim = {{ source = "file:key" }}\n',
        "a mailcow": '[mailcow]\nurl = "https://mail.example.com"\napi_key_file = "/etc/key"\n',
    }.items()
}


# --- What is no file, or not ours -----------------------------------------------------------------


def _put(data: bytes, path: Path) -> None:
    path.write_bytes(data)


def _none(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def _link(path: Path) -> None:
    target = path.with_name("elsewhere")
    path.rename(target)
    path.symlink_to(target)


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(17 * 1024 * 1024)


_FILES: dict[str, Callable[[Path], object]] = {
    "no file": _none,
    "a folder": _folder,
    "a pipe": _pipe,
    "a link to an empty file": _link,
    "a link to nowhere": _dangling,
    "a file of 17 MiB": _large,
    "a file that others may change": lambda path: path.chmod(0o666),
    "a folder that others may change": lambda path: path.parent.chmod(0o777),
}

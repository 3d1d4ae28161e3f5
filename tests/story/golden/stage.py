"""Where transcripts are made: a sandbox, a folder, one command after the other, in this process.

A story is told on one sandbox, in one folder. After each of its runs there stand: the command, what
was typed, the exit code, both streams, every request in the order in which it left, and every file
that is new, changed or gone. Ports, folders, moments, random names and random keys get names of
their own, the same in every run; so the same story is always the same bytes.
"""

from __future__ import annotations

import getpass
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import urlsplit

import click
from requests.adapters import HTTPAdapter

from netcup_mailauth.sandbox import Quirks, Sandbox
from netcup_mailauth.version import __version__
from tests.pauses import no_pauses
from tests.story.golden.adapter import called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAswnhI7FIh5tpQXHMzCcTOSBDE+suhnRz9PygishprQ1gb+"
    "fCm8BVDeKGl06eWE0Vs71fUo7rW4N4oXWW39fbRN51SECyVDCxzcSKI23w0j7fAuyuD/aQZcfen9LFTqW79zNtFy8D"
    "qa7wkcO17zFJPVTK6lyil8Ol4rp0im5NalndqKUtuT8HRzzL0wlAAMd2UyJTY4t5R9phnjziomOLx79msjtgR0I3Xx"
    "oFiV++YGEvJNegN85SHa9/KwyjCOygmgH/+QuYurRwhVXtkEiqs25rIIEQcVROOt1vOx9vv5kFunwrriBQXoLjyNa+"
    "hX94zhzXME3W7w4G/eEVpUGEmQIDAQAB"
)
"""What mailcow has for every domain of a story, unless it says otherwise."""

NEXT_KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnmoLcGd/bKoQSbLsv3qJq9nUnF0MCFIXKeQU2NNYbX4Apf"
    "A2R1S75MI0tupOqLas/7mjFplpzPPMUPQIg/oevFJkxfP/y3ubTDpJouBvQKUG5mjFjOWo8VjZtfzynudiUYbCb4C/"
    "1cYPQxLDazGa4BOXE68Oh7uvVuty6BjRDtwibPa2NNV0MVJEpELDI0iDI60Xvi2ngKWpGOekhbuP+ave5QOznKCR/E"
    "RO7SGDs/LkFCB0+B0pnus0n+52mJidWdr4BZBh03PLEY3KiIzB1d81lK5Zydndqb6lUDJOYS6eTGkKnmJYlzLxqb0f"
    "RU1GPdlY4h0d6tPK27etLoK7TQIDAQAB"
)
"""What it has after ``new_key``."""

CALLS = {
    "ccp": {"first": "login", "read": "infoDnsRecords", "write": "updateDnsRecords"},
    "clouddns": {"first": "domain", "read": "records", "write": "changeset"},
}
"""The calls of each API by what they are for, as the sandbox names them."""

REPLACED_PORTS = ("51001", "51002", "53001", "53002", "53003", "53004")
"""Of the two APIs, of mailcow, of the three name servers and of the resolver."""


SIZED = {"compressed": "never", "request_ids": "28"}
"""So that the answers have the same sizes each time, which a transcript has."""


@dataclass(frozen=True)
class Run:
    """One call of the command.

    Attributes:
        line: its arguments, as in a shell; ``{spf}`` and the like stand for `WORDS`.
        stdin: what is on standard input, where that is no terminal.
        typed: what somebody at a terminal answers, a line each; ``None`` where nobody sits there.
        columns: how wide the terminal is.
    """

    line: str
    stdin: str = ""
    typed: str | None = None
    columns: int = 100


@dataclass(frozen=True)
class Act:
    """Something that happens between two runs.

    Attributes:
        words: what, for the transcript.
        do: does it; is given the stage.
    """

    words: str
    do: Callable[[Stage], object]


@dataclass(frozen=True)
class Story:
    """Runs one after the other.

    Attributes:
        group: the file in which it stands.
        name: of the story, unique in its group.
        steps: what happens; a text is a run without a terminal and with nothing on stdin.
        apis: on which of netcup's APIs it is told.
        domains: the zones of the account.
        files: what there is in the folder at the beginning; a name that ends in ``*`` is a program.
        env: changes of the environment; ``None`` takes a variable away.
        quirks: of the sandbox.
        mixed: whether requests are side by side, so that their order says nothing.
    """

    group: str
    name: str
    steps: tuple[str | Run | Act, ...]
    apis: tuple[str, ...] = ("ccp", "clouddns")
    domains: tuple[str, ...] = ("example.com",)
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str | None] = field(default_factory=dict)
    quirks: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, str | None] = field(default_factory=dict)
    mixed: bool = False


class Stage:
    """A story being told.

    Attributes:
        sandbox: the netcup of the story.
        folder: where the commands run.
        environ: what they find in their environment.
        printed: what the last run had on stdout.
    """

    def __init__(self, story: Story, api: str, folder: Path) -> None:
        self.story, self.api, self.folder = story, api, folder
        self.sandbox = Sandbox(
            story.domains,
            clouddns=story.domains if api == "clouddns" else (),
            fixed_keys=True,
            rate=None,
            quirks=Quirks(**{**SIZED, **story.quirks}),
            dkim_keys={**dict.fromkeys(story.domains, KEY), **story.keys},
        )
        self.environ: dict[str, str] = {}
        self.printed = ""
        self._requests: list[str] = []
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        self._names: dict[str, dict[str, str]] = {}

    def told(self) -> str:
        """The transcript."""
        title = f"{self.story.name} ({self.api})"
        lines = [f"==== {title} {'=' * max(0, 90 - len(title))}", ""]
        with (
            self.sandbox,
            no_pauses(),
            patch.object(HTTPAdapter, "send", self._noting()),
        ):
            self._furnish()
            for step in self.story.steps:
                lines += self._step(step)
        return self._plain("\n".join(lines)) + "\n"

    def _furnish(self) -> None:
        home = self.folder / "home"
        home.mkdir()
        for name, content in self.story.files.items():
            path = self.folder / name.rstrip("*")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            path.chmod(0o755 if name.endswith("*") else 0o600)
        found = {"HOME": str(home), "NETCUP_MAILAUTH_STATE_DIR": str(self.folder / "state")}
        found |= {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "TZ": "UTC"}
        for name, value in {**self.sandbox.env, **self.story.env}.items():
            found.pop(name, None)
            if value is not None:
                found[name] = value.replace("{rest_key}", self.sandbox.rest_key)
        self.environ = found
        self._known = self._files()

    def _step(self, step: str | Run | Act) -> list[str]:
        if isinstance(step, Act):
            step.do(self)
            self._known = self._files()
            return [f"* {step.words}", ""]
        run = Run(step) if isinstance(step, str) else step
        line = run.line.format_map({**WORDS, **self._ids()})
        code, out, err = self._run(run, shlex.split(line))
        self.printed = out
        lines = [f"$ netcup-mailauth {line}"]
        typed = run.stdin if run.typed is None else run.typed
        what = "typed" if run.typed is not None else "stdin"
        lines += [f"  {what}: {text}" for text in typed.splitlines()]
        lines += [f"exit {code}"]
        for name, text in (("out", out), ("err", err)):
            lines += [f"{name}| {part}" for part in text.splitlines()]
            if text and not text.endswith("\n"):
                lines.append(f"{name}| (no line end)")
        sent, self._requests = self._requests, []
        lines += sorted(sent, key=_without_chance) if self.story.mixed else sent
        lines += self._changes()
        return [*lines, ""]

    def _run(self, run: Run, arguments: list[str]) -> tuple[int, str, str]:
        """One call, with everything it could notice of this process exchanged."""
        at_terminal = run.typed is not None
        known = {**self.sandbox.env, "rest_key": self.sandbox.rest_key}
        text = run.stdin if run.typed is None else run.typed.format_map(known)
        stdin = _Input(text.encode(), at_terminal)
        out, err = (_output() for _ in range(2))
        environ = {**self.environ, "COLUMNS": str(run.columns)}
        before = Path.cwd()
        with ExitStack() as stack:
            stack.enter_context(patch.dict(os.environ, environ, clear=True))
            for name, stream in (("stdin", stdin), ("stdout", out), ("stderr", err)):
                stack.enter_context(patch.object(sys, name, stream))
            stack.enter_context(_signals_kept())
            hidden = lambda prompt: _typed_unseen(prompt, stdin)  # noqa: E731
            stack.enter_context(patch.object(getpass, "getpass", hidden))
            stack.enter_context(patch.object(click.termui, "hidden_prompt_func", hidden))
            if arguments[:1] == ["demo"]:  # each of its commands is a process: here only named
                ended = subprocess.CompletedProcess[bytes]((), 0)
                stack.enter_context(patch.object(subprocess, "run", lambda *_, **__: ended))
            os.chdir(self.folder)
            stack.callback(os.chdir, before)
            code = called(arguments)
        return code, out.buffer.getvalue().decode(), err.buffer.getvalue().decode()  # type: ignore[attr-defined]

    # What a story does

    def keep_output(self, name: str) -> None:
        """Write what the last run printed to a file."""
        (self.folder / name).write_text(self.printed)

    def forget(self, names: Mapping[str, object]) -> None:
        """Take variables out of the environment."""
        for variable in names:
            self.environ.pop(variable, None)

    def _ids(self) -> dict[str, str]:
        """What a later command line needs of an earlier run: its id, and those of its entries."""
        names = sorted(name for name in self._known if re.search(ENTRY, name))
        names.sort(key=lambda name: name.rpartition("/")[2])
        entries = [found[0] for name in names if (found := re.search(ENTRY, name))]
        runs = [found[0] for name in names if (found := re.search(RUN, self._known[name]))]
        return {
            **{f"entry{at}": entry for at, entry in enumerate(entries)},
            **{f"run{at}": run for at, run in enumerate(dict.fromkeys(runs))},
        }

    # The requests

    def _noting(self) -> Callable[..., requests.Response]:
        send = HTTPAdapter.send
        stage = self

        def noted(
            adapter: HTTPAdapter, request: requests.PreparedRequest, **options: Any
        ) -> requests.Response:
            with stage._lock:
                asked = stage._request(request.method or "", request.url or "", request.body)
                stage._requests.append(asked)
            return send(adapter, request, **options)

        return noted

    def _request(self, method: str, url: str, data: bytes | str | None) -> str:
        """One request in a few lines; a session or a key in it is nobody's business."""
        body: Any = json.loads(data) if data else None
        if url.startswith(self.sandbox.ccp_endpoint.partition("?")[0]):
            param = {
                name: value
                for name, value in body["param"].items()
                if name
                not in (
                    "customernumber",
                    "apikey",
                    "apipassword",
                    "apisessionid",
                    "clientrequestid",
                )
            }
            inner = param.pop("dnsrecordset", None)
            head = " ".join(["->", "ccp", body["action"], *map(str, param.values())])
            return "\n".join([head, *_laid_out(inner, "     ")] if inner else [head])
        where = "mailcow" if url.startswith(self.sandbox.mailcow_url) else "rest"
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        head = f"-> {where} {method} {path}"
        return "\n".join([head, *_laid_out(body, "     ")] if body is not None else [head])

    # The files

    def _files(self) -> dict[str, str]:
        """Every file of the folder with its mode and its text."""
        found = {}
        for path in self.folder.rglob("*"):
            name = str(path.relative_to(self.folder))
            mode = f"{path.lstat().st_mode & 0o7777:04o}"
            if path.is_dir():
                found[f"{name}/"] = mode
                continue
            found[name] = f"{mode}\n{path.read_text(errors='backslashreplace')}"
        return found

    def _changes(self) -> list[str]:
        """What is new, changed or gone since the last look, in the order of the plain names."""
        before, self._known = self._known, self._files()
        lines = []

        def order(name: str) -> tuple[str, str]:
            return _without_chance(name), _without_chance(self._known.get(name, ""))

        for name in sorted(sorted(before.keys() | self._known.keys()), key=order):
            if before.get(name) == self._known.get(name):
                continue
            if name not in self._known:
                lines.append(f"file {name} is gone")
                continue
            mode, _, text = self._known[name].partition("\n")
            lines.append(f"file {name} {mode}")
            lines += [f"   | {part}" for part in _readable(text)]
        return lines

    # What differs from one run to the next

    def _plain(self, text: str) -> str:
        """The text without anything that chance or the clock had a part in."""
        env = self.sandbox.env
        for secret in ("NETCUP_API_KEY", "NETCUP_API_PASSWORD", "MAILCOW_API_KEY"):
            text = text.replace(str(env[secret]), f"<{secret}>")
        text = text.replace(self.sandbox.rest_key, "<NETCUP_REST_API_KEY>")
        text = text.replace(self.sandbox.mailcow_rw_key, "<mailcow's read-write key>")
        text = text.replace(KEY, "<mailcow's key>").replace(NEXT_KEY, "<mailcow's next key>")
        text = text.replace(str(self.folder), "/folder").replace(
            str(self.folder).lstrip("/"), "folder"
        )
        at = self.sandbox.addresses
        places = (at.ccp_endpoint, at.mailcow_url, *at.nameservers, at.resolver)
        theirs = [str(urlsplit(p if "//" in p else f"//{p}").port) for p in places]
        shown = dict(zip(theirs, REPLACED_PORTS, strict=True))
        # All at once: one of theirs may be what another one is replaced by.
        known = rf"(?<![0-9])({'|'.join(theirs)})(?![0-9])"
        others = r"(?<=127\.0\.0\.1:)[0-9]{4,5}"
        text = re.sub(f"{known}|{others}", lambda found: shown.get(found[0], "59999"), text)
        text = text.replace(f"netcup-mailauth {__version__}", "netcup-mailauth VERSION")
        text = text.replace(f'"{__version__}"', '"VERSION"')
        for pattern, name in CHANCE:
            names = self._names.setdefault(name, {})
            text = re.sub(pattern, partial(_name_of, name, names), text)
        return text


RUN = r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}"
ENTRY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{12}Z-[0-9a-f]{6}"
"""The ids of a run and of an entry of the journal."""

CHANCE = (
    (r"MII[A-Za-z0-9+/]{40,}={0,2}(?:\\?\"? ?\\?\"?[A-Za-z0-9+/]{40,}={0,2})*", "key"),
    (r"MII[A-Za-z0-9+/]{5}\.\.\.[A-Za-z0-9+/]{12}", "ends"),
    (RUN, "run"),
    (ENTRY, "entry"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "uuid"),
    (r"(?<![0-9])202[0-9]{7}(?![0-9])", "*serial"),
    (r"\bs202[0-9]-[0-9]{2}[a-z]\b", "selector"),
    (r"\((?:in [0-9]+ s|now)\)", "*soon"),
    (r"(?<=zones as they were )[0-9]+ s(?= ago)", "*span"),
    (r'(?<="uptime": )[0-9.]+', "*uptime"),
    (r"SHA256:[0-9a-f]{16,64}", "print"),
    (r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", "hold"),
    (r"(?<![0-9a-zA-Z])[0-9a-f]{12}(?![0-9a-zA-Z])", "account"),
    (r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", "digest"),
    (
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(\.[0-9]+)?(Z|\+00:00| UTC)?",
        "*time",
    ),
    (r"202[0-9]-[0-9]{2}-[0-9]{2}", "*day"),
    (r"(?<![0-9.])1[789][0-9]{8}(\.[0-9]+)?(?![0-9])", "*moment"),
    (
        r"(?m)^(out\| |   \| )(netcup_mailauth_\w*(?:seconds|duration)\w*(?:\{.*\})?) [0-9.e-]+$",
        "*seconds",
    ),
)
"""What the clock or chance writes, and how it is called; with a star, all are called the same."""


def _without_chance(text: str) -> str:
    for pattern, _ in CHANCE:
        text = re.sub(pattern, "*", text)
    return re.sub("[0-9]{5}", "*", text)


def _name_of(name: str, names: dict[str, str], match: re.Match[str]) -> str:
    if name == "*seconds":
        return f"{match[1]}{match[2]} <seconds>"
    if name.startswith("*"):
        return f"<{name[1:]}>"
    return names.setdefault(match[0], f"<{name} {len(names) + 1}>")


def _readable(text: str) -> list[str]:
    """A file's text; a JSON document with an entry a line."""
    try:
        document = json.loads(text)
    except ValueError:
        return text.splitlines()
    return _laid_out(document, "") if isinstance(document, dict | list) else text.splitlines()


def _laid_out(value: Any, indent: str) -> list[str]:
    """JSON in few lines: whatever fits in one is in one, the rest an entry a line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + len(indent) <= 240 or not isinstance(value, dict | list) or not value:
        return [indent + line]
    is_dict = isinstance(value, dict)
    lines = [indent + ("{" if is_dict else "[")]
    for entry in value:
        inner = _laid_out(value[entry] if is_dict else entry, indent + "  ")
        if is_dict:
            inner[0] = f"{indent}  {json.dumps(entry)}: {inner[0].lstrip()}"
        lines += inner
    return [*lines, indent + ("}" if is_dict else "]")]


class _Input(io.TextIOWrapper):
    """Standard input; at a terminal or not."""

    def __init__(self, data: bytes, at_terminal: bool) -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")
        self._at_terminal = at_terminal

    def isatty(self) -> bool:
        return self._at_terminal


def _output() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _typed_unseen(prompt: str, stdin: _Input) -> str:
    """What is typed where the terminal does not show it."""
    sys.stderr.write(f"{prompt}\n")
    line = stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")


@contextmanager
def _signals_kept() -> Iterator[None]:
    """The command's handlers are gone when it has ended."""
    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def tell(story: Story, api: str) -> str:
    """Tell a story on one of netcup's APIs; its transcript."""
    # Always as long, as text is wrapped by its length.
    folder = Path(tempfile.mkdtemp(prefix="transcript-", dir="/tmp"))
    try:
        return Stage(story, api, folder).told()
    finally:
        shutil.rmtree(folder)


WORDS = {
    "spf": "--spf 'v=spf1 mx a -all' --spf-drop include:_spf.webhosting.systems",
    "dkim": "--dkim mailcow",
    "dmarc": "--dmarc 'v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com'",
    "wish": "--spf 'v=spf1 mx a -all' --spf-drop include:_spf.webhosting.systems --dkim mailcow "
    "--dmarc 'v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com'",
    "mild": "--spf-require ip4:203.0.113.99",
}
"""What stands for what in the lines of runs."""

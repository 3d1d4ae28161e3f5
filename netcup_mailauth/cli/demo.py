"""``demo``: the whole story on a private sandbox, with the very commands a user would type.

Each command is the installed program itself, in a process of its own that cannot reach the world:
its environment is empty but for the sandbox's addresses, its home is a temporary folder, and what
the sandbox does not serve points to a port of loopback where nobody listens. The story is told
once: what a command prints again, and notes, are left out.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netcup_mailauth.cli.output import use_colour, width
from netcup_mailauth.errors import ExitCode, MailauthError
from netcup_mailauth.render.page import wrap
from netcup_mailauth.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

DOMAIN = "example.com"
WISH = (
    DOMAIN,
    "--spf",
    "v=spf1 mx a -all",
    "--spf-drop",
    "include:_spf.webhosting.systems",
    "--dkim",
    "mailcow",
    "--dmarc",
    "v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com",
)

ZONE = [
    {"hostname": hostname, "type": kind, "destination": destination, "priority": priority}
    for hostname, kind, destination, priority in (
        ("@", "A", "203.0.113.10", "0"),
        ("www", "A", "203.0.113.10", "0"),
        ("@", "MX", f"mail.{DOMAIN}", "10"),
        ("mail", "A", "203.0.113.25", "0"),
        ("mail", "AAAA", "2001:db8::25", "0"),
        ("@", "TXT", "v=spf1 mx a include:_spf.webhosting.systems ~all", "0"),
        ("@", "TXT", "google-site-verification=a-record-of-somebody-else", "0"),
    )
]
"""What the domain begins with: its user has moved the mail away from netcup's web hosting."""


def command() -> None:
    """Tell the story."""
    with Sandbox(zones={DOMAIN: ZONE}) as sandbox, _closed_world(sandbox) as story:
        story.tell(f"{DOMAIN} has a mail server of its own, and only netcup's SPF record.")
        story.run("records", DOMAIN, "--mail")
        story.tell("What would make its mail trusted? A plan writes nothing.")
        story.run("plan", *WISH)
        story.tell("Write it, by the same options: one call, verified from its answer.")
        story.run("apply", *WISH, "--yes")
        story.tell("Plan again: nothing is left to do, and nothing is sent.")
        story.run("plan", *WISH)
        story.tell("Someone makes a new DKIM key in mailcow. The timer's next run publishes it.")
        sandbox.set_dkim(DOMAIN)
        story.run("apply", *WISH, "--yes")
        story.tell("And what do receivers see? Ask every name server of the zone.")
        story.run("check", DOMAIN, *WISH[1:])
        story.tell(
            "That was the story, on a sandbox: nothing has left this machine. For a domain of "
            "yours this asks for what it needs, and writes nothing before a yes:"
        )
        click.echo("  netcup-mailauth setup")


class Story:
    """Tells what happens, and runs commands in the closed world."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder
        self._shown: set[str] = set()

    def tell(self, text: str) -> None:
        """A sentence between the commands."""
        lines = wrap(text, width() - 2)
        click.secho("\n" + "\n".join(f"# {line}" for line in lines), bold=True, color=use_colour())

    def run(self, *arguments: str) -> None:
        """Show a command as one would type it, run it, and show what is new in what it prints."""
        line, wish = shlex.join(["netcup-mailauth", *arguments]), shlex.join(WISH[1:])
        typed = line.replace(wish, "...") if wish in self._shown else line
        self._shown.add(wish if wish in line else line)
        click.secho(f"$ {typed}", fg="cyan", color=use_colour())
        sys.stdout.flush()
        ended = subprocess.run(  # noqa: S603 - our own interpreter, no shell
            [sys.executable, "-m", "netcup_mailauth", *arguments],
            env=self._environ,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        told = [self._new(paragraph) for paragraph in (ended.stdout or "").split("\n\n")]
        click.echo("\n\n".join(filter(None, told)), color=use_colour())
        if ended.returncode != ExitCode.OK:
            raise MailauthError(
                f"The demo's command ended with {ended.returncode}, which it should not.",
                "Please report it, with the lines above.",
            )

    def _new(self, paragraph: str) -> str:
        """What of a paragraph the story has not told yet."""
        lines = paragraph.strip("\n").split("\n")
        told = "\n".join(lines)
        if told in self._shown or _NOTE.match(told):
            return ""
        kept = [line for line in lines if line not in self._shown or not _WHERE.match(line)]
        self._shown.update([told, *lines])
        return "\n".join(kept)


_WHERE = re.compile(
    r"(endpoint|resolver|name servers): |netcup has accepted it|  netcup-mailauth check |"
    r" +(\x1b\[2m)?--full"
)
"""A line that is said by every command, or whenever there is reason to."""

_NOTE = re.compile(r" {4}(\x1b\[1m)?[a-z]+-[a-z-]+(\x1b\[0m)?(  |\n|$)")
"""The beginning of a note, which has no sign: a code, and behind or below it the words."""


@contextmanager
def _closed_world(sandbox: Sandbox) -> Iterator[Story]:
    with (
        tempfile.TemporaryDirectory(prefix="netcup-mailauth-demo-") as name,
        socket.socket() as closed,
    ):
        # Bound and never listening: a connection to it is refused, and nobody else can take it.
        closed.bind(("127.0.0.1", 0))
        folder = Path(name)
        nowhere = f"127.0.0.1:{closed.getsockname()[1]}"
        yield Story({**environment(sandbox, folder, nowhere), **_terminal()}, folder)


def _terminal() -> dict[str, str]:
    # Unbuffered, messages come where they belong in the result.
    terminal = {"COLUMNS": str(width()), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    return {**terminal, "FORCE_COLOR": "1"} if use_colour() else terminal


def environment(sandbox: Sandbox, folder: Path, nowhere: str) -> dict[str, str]:
    """All that the demo's commands know: the sandbox, a folder, and ``nowhere`` for the rest."""
    unserved = {
        "NETCUP_REST_ENDPOINT": f"http://{nowhere}/v1",
        "NETCUP_MAILAUTH_NAMESERVERS": nowhere,
        "NETCUP_MAILAUTH_RESOLVER": nowhere,
    }
    served = {name: value for name, value in sandbox.env.items() if value}
    homes = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "NETCUP_MAILAUTH_STATE_DIR")
    folders = {home: str(folder / home.lower()) for home in homes}
    # Where Python itself was found; without it a program run from a source tree is not.
    python = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return {**unserved, **served, **folders, **python}

"""``demo``: the whole story on a private sandbox, with the very commands a user would type.

Each command is the installed program itself, in a process of its own that cannot reach the world:
its environment is empty but for the sandbox's addresses, its home is a temporary folder, and what
the sandbox does not serve points to a port of loopback where nobody listens.
"""

from __future__ import annotations

import os
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
from netcup_mailauth.render.text import wrap
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


def command() -> None:
    """Tell the story."""
    with Sandbox([DOMAIN]) as sandbox, _closed_world(sandbox) as story:
        story.tell(
            f"{DOMAIN} as netcup sets it up: netcup's own SPF record, no DKIM key, no DMARC."
        )
        story.run("records", DOMAIN, "--mail")
        story.tell("What would make its mail trusted? A plan writes nothing.")
        story.run("plan", *WISH)
        story.tell("Write it: one call for the zone, verified from its answer.")
        story.run("apply", *WISH, "--yes")
        story.tell("Plan again: nothing is left to do, and nothing is sent.")
        story.run("plan", *WISH)
        story.tell("Someone makes a new DKIM key in mailcow. The timer's next run publishes it.")
        sandbox.set_dkim(DOMAIN)
        story.run("apply", *WISH, "--yes")
        story.tell("And what do receivers see? Ask every name server of the zone.")
        story.run("check", DOMAIN, *WISH[1:])
        story.tell("That was the whole story. It ran on a sandbox; nothing has left this machine.")


class Story:
    """Tells what happens, and runs commands in the closed world."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder

    def tell(self, text: str) -> None:
        """A sentence between the commands."""
        lines = wrap(text, width() - 2)
        click.secho("\n" + "\n".join(f"# {line}" for line in lines), bold=True, color=use_colour())

    def run(self, *arguments: str) -> None:
        """Show a command as one would type it, and run it."""
        click.secho(
            f"$ {shlex.join(['netcup-mailauth', *arguments])}\n", fg="cyan", color=use_colour()
        )
        sys.stdout.flush()
        ended = subprocess.run(  # noqa: S603 - our own interpreter, no shell
            [sys.executable, "-m", "netcup_mailauth", *arguments],
            env=self._environ,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if ended.returncode != ExitCode.OK:
            raise MailauthError(
                f"The demo's command ended with {ended.returncode}, which it should not.",
                "Please report it, with the lines above.",
            )


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
    terminal = {"COLUMNS": str(width()), "LANG": "C.UTF-8"}
    return {**terminal, "FORCE_COLOR": "1"} if use_colour() else terminal


def environment(sandbox: Sandbox, folder: Path, nowhere: str) -> dict[str, str]:
    """All that the demo's commands know: the sandbox, a folder, and ``nowhere`` for the rest."""
    unserved = {
        "NETCUP_REST_ENDPOINT": f"http://{nowhere}/v1",
        "NETCUP_MAILAUTH_NAMESERVERS": nowhere,
        "NETCUP_MAILAUTH_RESOLVER": nowhere,
    }
    served = {name: value for name, value in sandbox.env.items() if value is not None}
    homes = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "NETCUP_MAILAUTH_STATE_DIR")
    folders = {home: str(folder / home.lower()) for home in homes}
    # Where Python itself was found; without it a program run from a source tree is not.
    python = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return {**unserved, **served, **folders, **python}

"""The picture of a plan in the README: the real thing, on a sandbox, with the names of a real one.

    python -m tests.story.golden.picture             shows it
    python -m tests.story.golden.picture --write     puts it into the README

No test writes it. Left out are the findings that hold nothing back.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from netcup_mailauth.cli.entry import main
from netcup_mailauth.sandbox import Sandbox
from tests.story.golden.stage import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

README = Path(__file__).parents[3] / "README.md"
PLACE = re.compile(r"(?<=```text\n)example\.com .*?(?=```)", re.DOTALL)

COMMAND = (
    "plan example.com --spf 'v=spf1 mx a -all' --dkim mailcow"
    " --dmarc 'v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com'"
)
WIDTH = 90


def picture() -> str:
    """What the command prints, as the README has it."""
    out, err = io.StringIO(), io.StringIO()
    with (
        Sandbox(["example.com"], dkim_keys={"example.com": KEY}) as netcup,
        _alone(netcup),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        assert main(shlex.split(COMMAND)) == 0
    said = re.sub(r"^(resolver|endpoint|name servers|config): .*\n", "", err.getvalue(), flags=re.M)
    shown = re.sub(
        r"^(\S+) +SANDBOX 127\.0\.0\.1:\d+$",
        lambda heading: f"{heading[1]:<{WIDTH - 7}}CCP API",
        out.getvalue() + said,
        flags=re.MULTILINE,
    )
    shown = re.sub(r"mailcow at \S+", "mailcow at mail.example.com", shown)
    paragraphs = re.split(r"\n\n", shown.replace("127.0.0.1", "mail.example.com"))
    return "\n\n".join(p for p in paragraphs if not re.match(r"  (\?|  [a-z])", p))


@contextlib.contextmanager
def _alone(netcup: Sandbox) -> Iterator[None]:
    """An environment of the sandbox's and a home of its own, as wide as the README."""
    served = {name: value for name, value in netcup.env.items() if value is not None}
    with tempfile.TemporaryDirectory() as home:
        own = {"HOME": home, "NETCUP_MAILAUTH_STATE_DIR": home, "COLUMNS": str(WIDTH)}
        with patch.dict(os.environ, {**served, **own}):
            yield


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        text = README.read_text(encoding="utf-8")
        README.write_text(PLACE.sub(lambda _: picture(), text), encoding="utf-8")
    else:
        sys.stdout.write(picture())

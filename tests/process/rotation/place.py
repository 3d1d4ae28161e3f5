"""A netcup with slow name servers, a mailcow, and the command that rotates between them.

Time is compressed: a zone that lives one second in caches, and seconds instead of days.
"""

from __future__ import annotations

import re
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from netcup_mailauth import dkim
from netcup_mailauth.keys.forms import split
from netcup_mailauth.keys.private import generate
from netcup_mailauth.rotation.state import read_book, write_book
from netcup_mailauth.sandbox import Sandbox
from tests.edges.signers.world import signs_with
from tests.process.command import Command

if TYPE_CHECKING:
    from pathlib import Path

    from netcup_mailauth.dkim import PublicKey
    from tests.process.command import Ended
    from tests.story.inprocess import Cli, PointedAt

DOMAIN = "example.com"
HELPER = "helper.example"
DELAYS = (0.2, 0.6, 1.1)
GRACE = 1.5
"""Seconds."""

TTL = 1
"""Seconds, of records and of denials alike."""

AT_ONCE = (0.0, 0.0, 0.0)
SHORT = {"between_rounds": "0.1s", "negative_ttl": "0.1s", "grace": "0.3s"}
"""Delays and waits for who looks at what is left, not at mail on its way."""

SIGNERS = {"copy": (), "import": ("--import-key",), "command": ()}
"""The three, and the options that mean them."""

HOLDS = {"waiting": "negative_ttl", "grace": "grace"}
"""The wait that ends a phase."""

WAITS = {"between_rounds": "0.2s", "grace": f"{GRACE}s", "retry": "0.2s"}

CONFIG = """
[mailcow]
helper_domain = "{helper}"

[rotation]
{waits}
{command}

[domains."{domain}"]
dkim = {{ source = "{source}" }}
allow = ["rotation-short-grace"]
{more}
"""

PUT = "import os, sys; open(sys.argv[1] + '~', 'w').write(sys.stdin.read()); "
PUT += "os.replace(sys.argv[1] + '~', sys.argv[1])"
"""A signer command: the key's file is replaced, and is in use from then on."""


class Place:
    """All of it, with the key that signs published.

    Args:
        folder: where the command runs.
        delays: how many seconds late each name server is.
        waits: waits that differ from the usual.
        ttl: seconds that caches keep what the zone says, and that it has none.
        more: more of the domain's table.
        clouddns: whether the zone is on CloudDNS.
        by_command: whether a signer command gets the keys, instead of mailcow.
        pointed_at: calls the command in this process, where only what it prints and leaves counts.
    """

    def __init__(
        self,
        folder: Path,
        *,
        delays: tuple[float, float, float] = DELAYS,
        waits: dict[str, str] | None = None,
        ttl: int = TTL,
        more: str = "",
        clouddns: bool = False,
        by_command: bool = False,
        pointed_at: PointedAt | None = None,
    ) -> None:
        self.key_in_use = folder / "in-use.pem" if by_command else None
        command = [sys.executable, "-S", "-c", PUT, str(self.key_in_use)]
        self.config = folder / "rotating.toml"
        self.config.write_text(
            CONFIG.format(
                domain=DOMAIN,
                helper=HELPER,
                waits="\n".join(f'{k} = "{v}"' for k, v in {**WAITS, **(waits or {})}.items()),
                command=f"signer_command = {command}" if by_command else "",
                source=f"file:{self.key_in_use}" if by_command else "mailcow",
                more=more,
            )
        )
        on_clouddns = [DOMAIN] if clouddns else []
        self.sandbox = Sandbox(
            [DOMAIN],
            rate=None,
            publish_delays=delays,
            dkim_keys={HELPER: None},
            clouddns=on_clouddns,
        )
        self.command: Command | Cli = Command(self.sandbox, folder)
        self._pointed_at = pointed_at
        self._delay, self._ttl = max(delays), ttl

    def __enter__(self) -> Self:
        self.sandbox.start()
        self.sandbox.set_zone_ttl(DOMAIN, self._ttl)
        if self._pointed_at is not None:
            self.command = self._pointed_at(self.sandbox)
        self.command.set({"MAILCOW_API_KEY": self.sandbox.mailcow_rw_key})
        if self.key_in_use is not None:
            self.key_in_use.write_text(generate().pem)
        self.good("apply", DOMAIN, "--yes", "--kind", "dkim")
        time.sleep(self._delay)
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.close()

    def run(self, *arguments: str) -> Ended:
        """Run the command with this place's config."""
        return self.command("-c", str(self.config), *arguments)

    def good(self, *arguments: str) -> Ended:
        """The same, for a run that has to end well."""
        ended = self.run(*arguments)
        assert ended.code == 0, ended.stderr + ended.stdout
        return ended

    def step(self, options: tuple[str, ...], begun: bool) -> Ended:
        """Begin a rotation, or go on with it, however that ends."""
        what = ("--continue",) if begun else (DOMAIN, "--yes")
        ended = self.run("rotate", *what, "--format", "json", *options)
        assert "Traceback" not in ended.stderr
        return ended

    def rotate(self, *options: str) -> None:
        """Rotate as it is meant: begin, and go on from a timer until it is done."""
        self.good("rotate", DOMAIN, "--yes", *options)
        self.until_done(*options)

    def until_done(self, *options: str) -> None:
        """Go on from a timer."""
        deadline = time.monotonic() + 60
        while not is_over(self.good("rotate", "--continue", "--format", "json", *options)):
            assert time.monotonic() < deadline
            time.sleep(0.25)

    def rotate_until(self, phase: str, *options: str) -> None:
        """Begin a rotation and go on until it is in a phase, which lasts until `let_go`."""
        self._usual = self.config.read_text()
        wait = HOLDS[phase]
        held = re.sub(rf"^{wait} = .*$", f'{wait} = "1h"', self._usual, flags=re.MULTILINE)
        self.config.write_text(held)
        self.good("rotate", DOMAIN, "--yes", *options)
        deadline = time.monotonic() + 120
        while self.phase != phase:
            assert time.monotonic() < deadline
            time.sleep(0.1)
            self.good("rotate", "--continue", *options)

    def let_go(self) -> None:
        """The waits are as they were; the grace, too, which is settled in the book as it begins."""
        self.config.write_text(self._usual)
        for path in self.command.folder.glob(f"state/*/*/rotations/{DOMAIN}.json"):
            book = read_book(path.parent, DOMAIN)
            if book.open is not None:
                write_book(path.parent, replace(book, open=replace(book.open, grace=GRACE)))

    @property
    def phase(self) -> str | None:
        """Which step of the open rotation was begun last; ``None`` if none is open."""
        shown = self.good("rotate", "--status", "--format", "json").json["rotations"]
        return str(shown[0]["phase"]) if shown else None

    @property
    def published(self) -> dict[str, str]:
        """The DKIM records in the zone, by selector."""
        end = "._domainkey"
        return {
            str(r["hostname"]).removesuffix(end): str(r["destination"])
            for r in self.sandbox.zone(DOMAIN)
            if r["type"] == "TXT" and str(r["hostname"]).endswith(end)
        }

    @property
    def signing(self) -> PublicKey | None:
        """The key that signs now."""
        if self.key_in_use is not None:
            return split(self.key_in_use.read_text(), "the key in use").keys[0]
        found = signs_with(self.sandbox)
        return found[1] if found else None

    def check_that_what_signs_is_published(self) -> None:
        """Whatever happened: no mail goes out that nobody can verify."""
        assert self.signing in {dkim.parse(text).key for text in self.published.values()}

    def check_that_it_is_rotated(self) -> None:
        """One key is left, and it is the one that signs."""
        assert self.phase is None
        (selector,) = self.published
        assert selector != "dkim"
        self.check_that_what_signs_is_published()
        keyring = self.sandbox._keyring
        assert [name for name in keyring.pub_keys if name != DOMAIN] == []
        assert list(self.command.folder.glob("state/*/*/rotations/*.key")) == []


def is_over(ended: Ended) -> bool:
    """Whether this run of ``rotate --format json`` left nothing open."""
    return all(shown.get("phase") == "done" for shown in ended.json["rotations"])

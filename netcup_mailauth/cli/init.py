"""``init``: a starter config from what is live."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from netcup_mailauth import records
from netcup_mailauth.actions import init
from netcup_mailauth.cli.output import say, settings, show
from netcup_mailauth.cli.run import run
from netcup_mailauth.errors import UsageError
from netcup_mailauth.files import CONFIG_NAME
from netcup_mailauth.policy import Config
from netcup_mailauth.settings import writing
from netcup_mailauth.settings.config import load

if TYPE_CHECKING:
    from netcup_mailauth.cli.run import Run


def command(domains: tuple[str, ...], mailcow: str | None, resolver: str | None) -> None:
    """Write a starter config."""
    path, config = config_file(Path(CONFIG_NAME))
    known = config.domains
    with run(mailcow, resolver) as current:
        url = current.mailcow_named()
        session = current.session()
        has_mailcow = bool(url)
        if domains:
            named = [records.normalise(domain) for domain in domains]
            tables = init.tables(session, named, known, has_mailcow=has_mailcow)
        else:
            served = _served(current, url)
            tables = init.tables_of_served(session, served, known, has_mailcow=has_mailcow)
    text = "\n".join(tables)
    if path.exists():
        show(text)
        lacks = "the tables that it lacks are above" if tables else "it lacks none of them"
        say(f"{path} is there and was left alone; {lacks}.")
        return
    writing.write_new(path, f"{writing.header(url)}{text}")
    say(f"{path} is written. Look at it, then at what it would do:")
    say(f"  netcup-mailauth -c {shlex.quote(str(path))} plan")


def config_file(new: Path) -> tuple[Path, Config]:
    """The config that is meant, and what it says; ``new`` is where one is made if there is none."""
    named = settings().config
    if named is not None and not named.exists():
        # The file is to be made; what the run needs to know comes from elsewhere.
        settings().config = None
        return named, Config()
    loaded = load(named)
    return loaded.path or new, loaded.config


def _served(current: Run, url: str | None) -> list[str]:
    if url is None:
        raise UsageError(
            "No DOMAIN is named, and no mailcow that could name some.",
            "Name the domains, or give --mailcow https://mail.example.com",
        )
    return list(current.mailcow.domains())

"""``--record FILE``: what was said between this run and netcup, masked, for a report."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from netcup_mailauth.cli.output import advise, say, settings, warn
from netcup_mailauth.documents import dumps
from netcup_mailauth.errors import UsageError
from netcup_mailauth.files import check_target, config_file, write_private
from netcup_mailauth.keys.sources import FILE
from netcup_mailauth.netcup.recording import CREDENTIALS, FIELDS, NAMES, PAGES, RECORDS, WORDS
from netcup_mailauth.netcup.recording import Recording as Exchanges

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MASKED = {
    CREDENTIALS: "credentials and sessions",
    RECORDS: "records that are not SPF, DKIM or DMARC",
    NAMES: "names of hosts and other domains",
    WORDS: "words in netcup's messages",
    FIELDS: "fields that are not known to be harmless",
    PAGES: "answers that are no JSON",
}


def check_alone(path: Path, given: Iterable[object]) -> None:
    """See that a recording takes the place of no file that the command reads or writes itself.

    Raises:
        UsageError: it is one of those that are given, or the config in use; or it is no place for
            a file.
    """
    named = [one for value in given for one in (value if isinstance(value, tuple) else (value,))]
    texts = [one for one in named if isinstance(one, str)]
    keys = [Path(one.removeprefix(FILE)) for one in texts if one.startswith(FILE)]
    others = [config_file(None, os.environ), *keys, *named]
    check_target(path)
    files = {os.path.realpath(one) for one in others if isinstance(one, Path)}
    if os.path.realpath(path) in files:
        raise UsageError(
            f"--record {path} is a file that this command reads or writes itself.",
            "Name another file for the recording.",
        )


@contextmanager
def recorded() -> Iterator[Exchanges]:
    """A recording of the run, which is written down however that ends."""
    path = settings().record
    assert path is not None
    settings().recording = True
    exchanges = Exchanges()
    try:
        yield exchanges
    finally:
        _keep(exchanges, path)


def _keep(exchanges: Exchanges, path: Path) -> None:
    """Say what is masked, and then write; a run is not undone because this fails."""
    count = len(exchanges.exchanges)
    if not count:
        say(f"--record: nothing was said between this run and netcup, so {path} is not written.")
        return
    say(f"--record: {count} {'exchange' if count == 1 else 'exchanges'} with netcup. Masked:")
    for sort, what in _MASKED.items():
        if times := exchanges.masked[sort]:
            say(f"  {times:>5} times  {what}")
    domains = sorted(exchanges.asked)
    whose = f"{', '.join(domains)}, {'its' if len(domains) == 1 else 'their'}" if domains else "the"
    say(
        f"As they are: {whose} SPF, DKIM and DMARC records, the numbers of records and revisions, "
        "times, netcup's other words."
    )
    try:
        write_private(path, dumps(exchanges.document()))
    except OSError as error:
        warn(f"{path} cannot be written: {error.strerror}. What was said is lost.")
        advise("Name a file in a folder of yours, and run the same command again.")
        return
    say(f"Written to {path}, for you alone. Read it before you send it to anybody.")

"""Whether a signer command would change the key of more than the one domain that is rotated.

A key file that two domains name has one key: a new one for the first is a new one for the second,
too, whose record stays the old one, and whose mail fails from then on. The config shows it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from netcup_mailauth.errors import RefusedError
from netcup_mailauth.files import expanded
from netcup_mailauth.keys.sources import FILE
from netcup_mailauth.policy import DomainPolicy, layered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from netcup_mailauth.policy import Config

DOMAIN = "{domain}"
"""What stands for the domain in an argument of the command."""


def check_file(domain: str, policy: DomainPolicy, config: Config) -> None:
    """Make sure that no other domain of a config has its key in the file of this one.

    However they spell it: through links of either sort, ``~``, or from another folder.

    Args:
        domain: the one that is to be rotated.
        policy: what the config says about it.
        config: all of it.

    Raises:
        RefusedError: another one has.
    """
    own = _file(policy)
    if own is None:
        return
    for name, table in config.domains.items():
        path = _file(layered(config.defaults, table))
        if name != domain and path is not None and _same(own, path):
            raise _refused(domain, name, own, path)
    everybody = _file(config.defaults) if config.domains_from else None
    if everybody is not None and _same(own, everybody):
        raise _refused(domain, f"every domain of {config.domains_from}", own, everybody)


def check_command(domain: str, command: Sequence[str], others: Iterable[str]) -> None:
    """Make sure that a command can tell the domains apart that it is run for.

    Args:
        domain: the one that is to be rotated.
        command: its words.
        others: the domains that it is meant for, too.

    Raises:
        RefusedError: it is not told which one a key is for.
    """
    other = next((name for name in others if name != domain), None)
    if other is None or any(DOMAIN in word for word in command):
        return
    raise RefusedError(
        f"The signer command {command[0]} is not told the domain, so it would put the keys of "
        f"{domain} and {other} into one place.",
        f"Give it the domain as an argument, {DOMAIN}; or rotate {domain} alone, with a command of "
        f"its own: netcup-mailauth rotate {domain} --signer-command COMMAND",
    )


def with_files(config: Config) -> list[str]:
    """The domains of a config that have their key in a file."""
    tables = config.domains.items()
    return [name for name, table in tables if _file(layered(config.defaults, table)) is not None]


def _file(policy: DomainPolicy) -> Path | None:
    source = policy.dkim.source if policy.dkim else None
    if source is None or not source.startswith(FILE):
        return None
    return expanded(source.removeprefix(FILE))


def _same(one: Path, other: Path) -> bool:
    with suppress(OSError, ValueError):  # it may not be there yet
        if one.samefile(other):
            return True
    return os.path.realpath(one) == os.path.realpath(other)


def _refused(domain: str, other: str, own: Path, path: Path) -> RefusedError:
    also = "" if own == path else f" ({other} names it {path})"
    return RefusedError(
        f"{domain} and {other} have their DKIM key in one file, {own}{also}: a new key for the one "
        "would be the other's too, whose record stays the old one.",
        "Give each a file of its own and have it published (apply); then rotate: "
        f'[domains."{domain}"] dkim = {{ source = "file:{own.with_name(domain)}.private" }}',
    )

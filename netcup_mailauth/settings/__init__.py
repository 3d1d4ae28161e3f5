"""What the user has set: config files, credentials, endpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from netcup_mailauth.policy import Config


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A config, and where it was found. The paths in it are absolute.

    ``trusted`` is false for a file that merely lies in the current folder: it may say what is
    wanted, but not where secrets come from or go to. ``spelt`` says how the tables of domains are
    named in the file, where that is not as DNS wants it.
    """

    config: Config
    path: Path | None = None
    trusted: bool = True
    spelt: Mapping[str, str] = field(default_factory=dict)


def no_config() -> LoadedConfig:
    """What there is where no config is: one that wants nothing."""
    from netcup_mailauth.policy import Config

    return LoadedConfig(Config.model_construct())

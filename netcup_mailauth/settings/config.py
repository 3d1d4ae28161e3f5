"""Finding and reading the config file; every mistake in it is reported at once."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from netcup_mailauth.errors import ConfigError, UsageError
from netcup_mailauth.files import MAX_SIZE, TooLargeError, read_regular, xdg_folder
from netcup_mailauth.policy import Config
from netcup_mailauth.settings import mistakes, places

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_NAME = "netcup-mailauth.toml"


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A config, and where it was found. The paths in it are absolute.

    ``trusted`` is false for a file that merely lies in the current folder: it may say what is
    wanted, but not where secrets come from or go to.
    """

    config: Config
    path: Path | None = None
    trusted: bool = True


def config_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The user's config folder for this program.

    Raises:
        UsageError: there is none, as for a user without a home.
    """
    return xdg_folder("XDG_CONFIG_HOME", "~/.config", environ)


def load(named: Path | None, environ: Mapping[str, str] = os.environ) -> LoadedConfig:
    """The config named with ``-c``, else the current folder's, else the user's, else an empty one.

    Raises:
        ConfigError: the file cannot be read, or says something it may not.
    """
    if named is not None:
        return LoadedConfig(_read(named), named)
    here = Path(FILE_NAME)
    if _is_file(here):
        return LoadedConfig(_read(here, trusted=False), here, trusted=False)
    return own_config(environ)


def own_config(environ: Mapping[str, str] = os.environ) -> LoadedConfig:
    """The config in the user's config folder, or an empty one.

    Raises:
        ConfigError: as :func:`load`.
    """
    try:
        own = config_folder(environ) / FILE_NAME
    except UsageError:  # no home, so no config in it
        return LoadedConfig(Config())
    return LoadedConfig(_read(own), own) if _is_file(own) else LoadedConfig(Config())


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a home folder that is somebody else's, say
        return False


def _read(path: Path, *, trusted: bool = True) -> Config:
    data = _toml(path)
    problems = places.settle(data, path.parent.absolute(), trusted=trusted)
    problems += mistakes.beyond_the_models(data)
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        problems += mistakes.of_the_models(error)
    if problems:
        # Outside the except block: pydantic's error holds what was written, which may be secret.
        count = "a mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        raise ConfigError(f"The config {path} has {count}:", problems)
    return config


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_regular(path).decode("utf-8").replace("\r\n", "\n"))
    except TooLargeError:
        what, advice = f"is larger than {MAX_SIZE // 1024 // 1024} MiB", "Is it the right file?"
    except OSError as error:
        what, advice = f"cannot be read: {error.strerror}", "Check the path."
    except UnicodeDecodeError:
        what, advice = "is not UTF-8 text", "Is it the right file?"
    except RecursionError:
        what, advice = "is nested too deeply", "Is it the right file?"
    except ValueError as error:  # TOMLDecodeError is one; a number of 5,000 digits is another
        what, advice = f"is not valid TOML: {error}", ""
    raise ConfigError(f"The config {path} {what}.", [], advice)

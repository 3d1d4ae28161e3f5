"""JSON files that others may have written: read with limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from netcup_mailauth.errors import UsageError
from netcup_mailauth.files import MAX_SIZE, NotRegularError, TooLargeError, read_regular

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class _TwiceError(ValueError):
    """A name stands twice in one object."""


def read(path: Path, what: str) -> Any:
    """The JSON value in a file; ``what`` the file should be, as in ``"a plan file"``.

    A name that is twice in one object is refused: another program would read the other value.

    Raises:
        UsageError: there is no such file, or it is no JSON.
    """
    return parse(_bytes(path, what), str(path), what)


def parse(data: bytes, name: str, what: str) -> Any:
    """The JSON value in ``data``, which is called ``name``. See :func:`read`.

    Raises:
        UsageError: it is no JSON.
    """
    advice = f"Give {what}."
    if len(data) > MAX_SIZE:
        raise _too_large(name, what)
    try:
        return json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_number
        )
    except RecursionError:
        problem = "is nested too deeply"
    except _TwiceError:
        problem = "says the same thing twice in one place"
    except UnicodeDecodeError:
        problem = "is not UTF-8 text"
    except ValueError:
        problem = "is not JSON"
    raise UsageError(f"{name} {problem}, so it is not {what}.", advice)


def _bytes(path: Path, what: str) -> bytes:
    try:
        return read_regular(path)
    except TooLargeError:
        raise _too_large(str(path), what) from None
    except NotRegularError:
        problem = "is a pipe or a device, and what comes from it may be larger than any file"
    except FileNotFoundError:
        problem = "is not there"
    except IsADirectoryError:
        problem = "is a folder"
    except PermissionError:
        problem = "may not be read by you"
    except (OSError, ValueError):
        problem = "cannot be read"
    raise UsageError(f"{path} {problem}.", f"Give {what}.")


def _too_large(name: str, what: str) -> UsageError:
    return UsageError(
        f"{name} is larger than {MAX_SIZE // 1024 // 1024} MiB, so it is not {what}.",
        f"Give {what}.",
    )


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError
    return found


def _no_number(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")

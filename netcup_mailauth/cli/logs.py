"""What ``-v`` shows of the HTTP requests, with every secret masked."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from netcup_mailauth import records
from netcup_mailauth.cli.common import say
from netcup_mailauth.records import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import SecretStr

LOGGERS = ("urllib3", "requests")

_NAMED = re.compile(
    r"""(?ix) (["']? (?: apikey | apipassword | apisessionid | customernumber | x-api-key
    | authorization | cookie ) ["']? \s* [:=] \s* (?: bearer \s | basic \s | ["'] )? )
    [^\s"',;}&\\]+"""
)
"""A secret by the name in front of it, should it not be one of those we know."""

_USER = re.compile(r"//[^/@\s]+@")


class Masking(logging.Filter):
    """Masks secrets in whatever is logged, and drops tracebacks, which cannot be masked well.

    It belongs to a handler: a logger's own filters do not see what comes from the loggers below.
    """

    def __init__(self) -> None:
        super().__init__()
        self._secrets: list[SecretStr] = []

    def hide(self, *secrets: SecretStr) -> None:
        """Mask these from now on."""
        self._secrets += secrets

    def filter(self, record: logging.LogRecord) -> bool:
        """See logging: every record passes, masked."""
        record.msg, record.args = self.masked(record.getMessage()), ()
        record.exc_info = record.exc_text = record.stack_info = None
        return True

    def masked(self, text: str) -> str:
        """``text`` without secrets."""
        named = _NAMED.sub(rf"\1{MASK}", records.masked(text, self._secrets))
        return _USER.sub(f"//{MASK}@", named)


masking = Masking()
"""Told of each secret as it is loaded."""


class ToUser(logging.Handler):
    """Shows what is logged as any other message."""

    def emit(self, record: logging.LogRecord) -> None:
        """See logging."""
        say(f"http: {record.getMessage()}")


@contextmanager
def requests_shown() -> Iterator[None]:
    """Show each connection and request on stderr, as long as a run lasts."""
    handler = ToUser()
    handler.addFilter(masking)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(log, list(log.handlers), log.level, log.propagate) for log in loggers]
    for logger in loggers:
        logger.handlers[:] = [handler]
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
    # It tells of retries that are never made.
    logging.getLogger("urllib3.util.retry").setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, handlers, level, propagate in before:
            logger.handlers[:] = handlers
            logger.setLevel(level)
            logger.propagate = propagate

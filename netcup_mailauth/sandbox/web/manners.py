"""How an answer travels when it does not come whole: late behind a 1xx, or in drips without end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterator

Manner = Literal["whole", "early", "drip-status", "drip-headers", "drip-chunks"]
"""In one piece; behind a 103, some time later; or without an end in one of its parts."""

ODD: tuple[str, ...] = get_args(Manner)[1:]

DROPS = 2000
"""How many pieces follow when there is no end: for longer than any client should listen."""

_OK = b"HTTP/1.1 200 OK\r\n"
_EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </>; rel=preload\r\n\r\n"
_CHUNKED = _OK + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def pieces(whole: bytes, body: bytes, manner: str) -> Iterator[bytes]:
    """What is sent, piece after piece, with a pause before each but the first.

    Args:
        whole: the answer as it would be, from its status line on.
        body: what is in it.
        manner: one of ODD.
    """
    if manner == "early":
        yield _EARLY
        yield whole
        return
    first = {"drip-status": b"HTTP/1.1 200 ", "drip-headers": _OK + b"X-Slow: "}
    yield first.get(manner, _CHUNKED)
    if manner == "drip-chunks":
        for byte in body:
            yield b"1\r\n%c\r\n" % byte
    for _ in range(DROPS):
        yield b"1\r\n \r\n" if manner == "drip-chunks" else b"x"

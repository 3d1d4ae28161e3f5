"""What an exception of requests says about how far a request came.

The one question that matters: can it have reached the API? Then it must not be sent again.
"""

from __future__ import annotations


def _chain(error: BaseException) -> list[BaseException]:
    """The error and everything it wraps: as argument, ``reason`` or cause.

    Not its context: that can be an older error of somebody else, which the caller is handling.
    """
    seen: list[BaseException] = []
    queue: list[object] = [error]
    while queue:
        item = queue.pop(0)
        if isinstance(item, BaseException) and item not in seen:
            seen.append(item)
            queue += [*item.args, getattr(item, "reason", None), item.__cause__]
    return seen


def never_connected(error: BaseException) -> bool:
    """Whether urllib3 says that no connection ever stood, so that nothing was sent.

    Its ProxyError does not say so: a tunnel that breaks after the request is one, too.
    """
    from urllib3.exceptions import ConnectTimeoutError

    # Also the base class of NewConnectionError: refused, unreachable, no such name.
    return any(
        isinstance(item, ConnectTimeoutError) or tunnel_refused(item) for item in _chain(error)
    )


def tunnel_refused(error: BaseException) -> bool:
    """Whether a proxy answered that it makes no connection to the other end (http.client)."""
    return isinstance(error, OSError) and str(error).startswith("Tunnel connection failed")


def certificate_refused(error: BaseException) -> bool:
    """Whether TLS ended with our look at the certificate, before any request."""
    import ssl

    return any(isinstance(item, ssl.SSLCertVerificationError) for item in _chain(error))


def unusable() -> tuple[type[Exception], ...]:
    """Errors about the address itself, raised before anything is opened."""
    from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
    from urllib3.exceptions import LocationValueError

    return InvalidSchema, InvalidURL, MissingSchema, LocationValueError


def reason(error: BaseException, patience: float) -> str:
    """What the operating system said, without the addresses and objects wrapped around it.

    ``patience`` is how many seconds a connection was given.
    """
    from urllib3.exceptions import ConnectTimeoutError

    for item in reversed(_chain(error)):
        if tunnel_refused(item):
            return str(item)
        if isinstance(item, OSError) and item.strerror:
            return item.strerror
        if isinstance(item, ConnectTimeoutError):
            return f"no answer within {patience:.0f} s"
    return type(error).__name__

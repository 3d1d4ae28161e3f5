"""What an exception of requests says about how far a request came, and how it is told.

The one question that matters: can it have reached the API? Then it must not be sent again.
"""

from __future__ import annotations

from netcup_mailauth.errors import TransportError

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Where a CA file is named, the first one that is set."""


def told(
    error: Exception, what: str, place: str, connecting: float, reading: float
) -> TransportError:
    """An exception of requests, without the request in it.

    Args:
        error: what requests raised.
        what: whom the request was for, in words.
        place: their host, with a port if there is one.
        connecting: how many seconds the connection was given.
        reading: and each wait for a byte.
    """
    import requests

    if isinstance(error, requests.exceptions.ReadTimeout):
        return TransportError(f"{what} did not answer within {reading:.0f} s.", "Try again later.")
    if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
        return TransportError(
            f"No request to {what} can be made: the CA file cannot be read.",
            f"It is named in one of {', '.join(CA_VARIABLES)}.",
            sent=False,
            passing=False,
        )
    said = reason(error, connecting)
    if isinstance(error, requests.exceptions.SSLError) or certificate_refused(error):
        return TransportError(
            f"The TLS connection to {what} failed: {said}.",
            "If a proxy or a private CA is in between, name its CA file in REQUESTS_CA_BUNDLE.",
            sent=not certificate_refused(error),
            passing=False,
        )
    if never_connected(error):
        return TransportError(
            f"No connection to {what} at {place}: {said}.",
            "Check the network, the proxy and the address.",
            sent=False,
        )
    if isinstance(error, unusable()):
        return TransportError(
            f"No request to {what} at {place} can be made: {type(error).__name__}.",
            "Check the address, and the proxy if there is one.",
            sent=False,
            passing=False,
        )
    return broke(what)


def broke(what: str) -> TransportError:
    """The connection ended too early."""
    return TransportError(
        f"The connection to {what} broke before its answer had arrived.", "Try again."
    )


def too_slow(what: str, seconds: float, *, sent: bool) -> TransportError:
    """The time for a request and its whole answer is over."""
    return TransportError(
        f"{what} did not answer in full within {seconds:.0f} s.",
        "Try again later.",
        sent=sent,
        passing=False,
    )


def too_late(what: str) -> TransportError:
    """What a request rests on had been read too long before it could leave."""
    return TransportError(
        f"The request to {what} could not be sent in time: what it rests on was read too long "
        "before, so nothing was sent.",
        "Run the same command again.",
        sent=False,
        passing=False,
    )


def too_many(what: str) -> TransportError:
    """More came than the answer; it may be that of another request."""
    return TransportError(
        f"{what} sent more than one answer, and which one is meant cannot be told.",
        "Nothing was taken from it. Try again.",
    )


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

"""Addresses of APIs: which ones a secret may be sent to."""

from __future__ import annotations

from urllib.parse import urlsplit

from netcup_mailauth.errors import UsageError

_LOOPBACK_NAMES = frozenset({"localhost", "::1"})


def check_url(url: str, what: str) -> str:
    """``url``, if a secret may be sent to it. No message shows it: it may hold a secret itself.

    Raises:
        UsageError: no http(s) URL, http to another machine, or a user name in it.
    """
    what = what[:1].upper() + what[1:]
    if "@" in url:
        raise UsageError(
            f"{what} has a user name or password in it.", "Take out everything up to the @."
        )
    scheme, host = _scheme_and_host(url)
    if scheme not in ("http", "https") or not host:
        raise UsageError(f"{what} is no URL.", "Give it as in https://mail.example.com")
    if scheme == "http" and not is_loopback(host):
        raise UsageError(
            f"{what} is plain http, which would send a key unencrypted to {host}.",
            "Use https; http is accepted for this machine itself only.",
        )
    return url


def _scheme_and_host(url: str) -> tuple[str, str]:
    """Both in lower case, or empty where the text is no URL that every reader reads alike."""
    if any(character in "\\ " or not character.isprintable() for character in url):
        return "", ""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is none
    except ValueError:
        return "", ""
    return parts.scheme, parts.hostname or ""


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine: localhost, 127/8, ::1."""
    import ipaddress

    if host in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

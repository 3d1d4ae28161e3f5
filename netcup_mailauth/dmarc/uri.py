"""The addresses that DMARC reports go to (RFC 9989, 4.6; RFC 3986)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from netcup_mailauth.errors import RecordError
from netcup_mailauth.taglist import shown

_SIZE = re.compile(r"![0-9]+[kmgt]?\Z", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_URI = re.compile(r"[A-Za-z0-9._~:/?#\[\]@$&'()*+=%-]+")  # RFC 3986, less the "," ";" "!" of DMARC


_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ATOM = r"(?:[A-Za-z0-9_~+&=$*'-]|%[0-9A-Fa-f]{2})+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")


class DmarcSyntaxError(RecordError):
    """A text that should be a DMARC record is not one that we would publish."""


def without_size(uri: str) -> str:
    """The URI less the obsolete size limit (``!10m``), which receivers ignore (RFC 9989, 4.8)."""
    return _SIZE.sub("", uri)


def canonical_uri(uri: str) -> str:
    """The URI with what is case-insensitive in lower case: the scheme and the host name."""
    scheme, colon, rest = uri.partition(":")
    if scheme.lower() == "mailto":
        local, at, host = rest.rpartition("@")
        return f"mailto:{local}{at}{host.lower()}"
    return f"{scheme.lower()}{colon}{rest}"


def target(uri: str) -> str:
    """The place that reports go to: the standard spelling, without a size limit."""
    return canonical_uri(without_size(uri))


def report_host(uri: str) -> str:
    """The host that reports for ``uri`` go to, in lower case (RFC 9990, 4).

    Raises:
        DmarcSyntaxError: it is no report address.
    """
    if (problem := uri_problem(uri)) is not None:
        raise DmarcSyntaxError(*problem)
    return _host(without_size(uri)).lower()


def uri_problem(uri: str) -> tuple[str, str] | None:
    """What is wrong with a report address, and what to do; ``None`` if it is valid."""
    bare = without_size(uri)
    what = f"The report address {shown(uri)} "
    if not bare:
        return "A report address is empty.", "Take out the comma that has nothing beside it."
    if re.search(r"\s", bare):
        return what + "has a blank in it.", "Separate two addresses by a comma."
    if not _SCHEME.match(bare):
        return (
            what + "has no mailto: before it.",
            f"Write it as mailto:{bare}"
            if "@" in bare
            else ("Write it as mailto:name@example.com"),
        )
    if not _URI.fullmatch(bare):
        return what + "holds a character that must be encoded.", (
            "Write , as %2C, ! as %21 and ; as %3B, and use plain ASCII."
        )
    if _BROKEN_ESCAPE.search(bare):
        return what + "has a % that encodes nothing.", "Write a percent sign as %25."
    if bare.lower().startswith("mailto://"):
        return what + "has slashes in it.", f"Write it as mailto:{bare[len('mailto://') :]}"
    if not _is_host(_host(bare)):
        return what + "has no valid host name.", "Write it as mailto:name@example.com"
    if bare.lower().startswith("mailto:") and not _is_local(bare[len("mailto:") :]):
        return what + "is no mail address.", "Write it as mailto:name@example.com"
    return None


def _is_local(address: str) -> bool:
    """Whether what stands before the ``@`` is a local part (RFC 6068, 2: dot-atom, encoded)."""
    return _LOCAL.fullmatch(address.partition("?")[0].rpartition("@")[0]) is not None


def _host(uri: str) -> str:
    scheme, _, rest = uri.partition(":")
    if scheme.lower() != "mailto":
        return _authority_host(uri)
    local, _, host = rest.partition("?")[0].rpartition("@")
    return host if local else ""


def _authority_host(uri: str) -> str:
    try:
        return urlsplit(uri).hostname or ""
    except ValueError:  # brackets that hold no IPv6 address
        return ""


def _is_host(host: str) -> bool:
    labels = host.split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        return False
    return len(host) <= 253 and all(map(_LABEL.fullmatch, labels))

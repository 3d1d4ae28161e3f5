"""Domain names as the core writes them, and as they travel.

Text is taken as it is: a label may hold ``:``, ``/``, ``%``, a blank or a backslash (an SPF macro
can make any of them), and none of these escapes another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dns.name import Name

ROOT = "."


def to_wire(text: str) -> Name:
    """The name to ask for.

    Raises:
        ValueError: DNS cannot hold this name, or it is not in punycode.
    """
    import dns.exception
    import dns.name

    try:
        labels = [label.encode("ascii") for label in text.removesuffix(".").split(".")]
        if not all(labels):
            raise ValueError("a label is empty")
        return dns.name.Name([*labels, b""])
    except (UnicodeError, ValueError, dns.exception.DNSException):
        raise ValueError(f"DNS cannot hold the name {text!r}") from None


def to_text(name: Name) -> str:
    """A name that DNS gave: in lower case, without the final dot; the root is ``.``.

    Bytes beyond ASCII become one character each (latin-1). A dot inside a label gets a backslash,
    so that it cannot pass for the border of two labels.
    """
    labels = name.canonicalize().labels[:-1]
    return ".".join(label.replace(b".", b"\\.").decode("latin-1") for label in labels) or ROOT

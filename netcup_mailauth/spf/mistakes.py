"""The usual mistakes in an SPF term, each named for what it is, and said by name.

Only asked once a term is known to be wrong; what is right is decided in ``record.py``.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from netcup_mailauth.errors import RecordError

_LONGEST_SHOWN = 120


def shown(text: str) -> str:
    """``text`` fit to print: control characters escaped, and cut where it is very long."""
    plain = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return plain if len(plain) <= _LONGEST_SHOWN else f"{plain[:_LONGEST_SHOWN]}…"


class SpfSyntaxError(RecordError):
    """The text is no SPF record (RFC 7208, 4.5, 4.6 and 12); receivers say ``permerror``.

    ``term`` is as written; ``complaint`` follows ``SPF: "<term>"``; ``advice`` says what to write.
    """

    def __init__(self, term: str, complaint: str, advice: str) -> None:
        super().__init__(f'SPF: "{shown(term)}" {complaint}', advice)
        self.term = term


class SpfEditError(RecordError):
    """The edit asked for would break the record, or would have no effect."""


_UNSURE = "Remove the term, or look up its spelling with the provider who asks for it."

_NOT_VISIBLE = re.compile(r"[^!-~]")
_SWALLOWED_ALL = re.compile(r".[-+?~]all\Z", re.IGNORECASE)
# (what to look for, what it is, what to do), most telling first.
_SLIPS = tuple(
    (re.compile(pattern, re.IGNORECASE | re.ASCII), complaint, advice)
    for pattern, complaint, advice in (
        (
            r"<|>|\.\.\.|(?-i:YOUR)|(?<=:)x{1,3}(\.x{1,3}){3}",
            "is a placeholder left from an example",
            "Put your own value in its place.",
        ),
        (
            r"(?<=[a-z0-9.}])(include|ip4|ip6|exists):",
            "has no blank before the next term in it",
            "Put a blank between the two terms; the two parts of a split record need one as well.",
        ),
        (r'"|\\', "holds a quotation mark or backslash", "Give the record without quotes."),
        (r"://", "is a web address", "Write the host name only, without http:// and path."),
        (r"@", "is a mail address", "Write the domain only, the part behind the @."),
        (
            _SWALLOWED_ALL.pattern,
            'has no blank before its "all"',
            'Put a blank between the term and the "all" behind it.',
        ),
    )
)
_SEPARATOR = re.compile(
    r"[,;](?=[-+?~]?(all|include|a|mx|ptr|ip4|ip6|exists)\b|[0-9]|$)", re.IGNORECASE
)
_ADDRESS_LABEL = re.compile(
    r"[-+?~]?(?P<label>ip|ipv4|ipv6|ip-v4|ip-v6)[:=](?P<rest>.*)", re.IGNORECASE | re.DOTALL
)
_HOST = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+\.?")


def check_characters(text: str) -> None:
    """Raise unless ``text`` is visible ASCII, as the grammar wants (RFC 7208, 3.1 and 12)."""
    if (found := _NOT_VISIBLE.search(text)) is None:
        return
    char = found[0]
    if char == " ":
        raise SpfSyntaxError(text, "has a blank in it", "Give one term, without blanks.")
    if char == "\t":
        raise SpfSyntaxError(
            text, "has a tab in it (RFC 7208 4.6.1)", "Separate terms with blanks, not tabs."
        )
    if char == "…":
        raise SpfSyntaxError(
            text, "is a placeholder left from an example", "Put your own value in its place."
        )
    raise SpfSyntaxError(
        text,
        f"has the character U+{ord(char):04X} in it, which is not plain ASCII (RFC 7208 3.1)",
        "Type the term anew; a copy from a web page or a mail often carries such "
        "characters. A name with an umlaut is written in its xn-- form.",
    )


def swallows_all(text: str) -> bool:
    """Whether a term ends like ``example.com-all``: a blank is missing in it."""
    return _SWALLOWED_ALL.search(text) is not None


def slip(text: str) -> SpfSyntaxError | None:
    """What nobody means to write, though part of it may fit the grammar."""
    if _SEPARATOR.search(text):
        sign = "semicolon" if ";" in text else "comma"
        return SpfSyntaxError(
            text, f"has a {sign} in it (RFC 7208 4.6.1)", "Separate terms with one blank each."
        )
    for pattern, complaint, advice in _SLIPS:
        if pattern.search(text):
            return SpfSyntaxError(text, complaint, advice)
    return None


def second_beginning(text: str) -> SpfSyntaxError:
    """The error for a ``v=spf1`` in the middle; to the grammar it is an unknown modifier."""
    return SpfSyntaxError(
        text,
        "is a second beginning in the middle (RFC 7208 4.5)",
        'Join two SPF records into one: a single "v=spf1" at the front.',
    )


def unknown_term(text: str) -> SpfSyntaxError:
    """The error for a term that is neither a mechanism nor a modifier (RFC 7208, 4.6.1)."""
    return _address_by_itself(text) or _mislabelled(text) or slip(text) or _unknown(text)


def _address_by_itself(text: str) -> SpfSyntaxError | None:
    bare = text.lstrip("+-~?")
    family = _family(bare.partition("/")[0])
    if family is None:
        return None
    return SpfSyntaxError(
        text, "is a bare address (RFC 7208 5.6)", f'Write "ip{family}:{shown(bare)}".'
    )


def _mislabelled(text: str) -> SpfSyntaxError | None:
    match = _ADDRESS_LABEL.fullmatch(text)
    if match is None:
        return None
    family = _family(match["rest"].partition("/")[0]) or 4
    return SpfSyntaxError(
        text,
        f'starts with "{match["label"]}", which is no mechanism (RFC 7208 5.6)',
        f'Write "ip{family}:{shown(match["rest"])}".',
    )


def _unknown(text: str) -> SpfSyntaxError:
    name = re.split("[:=/]", text.lstrip("+-~?"), maxsplit=1)[0].lower()
    if name in ("redirect", "exp"):
        return SpfSyntaxError(
            text,
            f'writes "{name}" as a mechanism; it is a modifier (RFC 7208 6)',
            f'Write "{name}=" and the domain, without a sign in front.',
        )
    if name.strip(".") == "all":
        return all_with_value(text)
    if _HOST.fullmatch(host := text.lstrip("+-~?")):
        return SpfSyntaxError(
            text,
            "is a name by itself (RFC 7208 4.6.1)",
            f'Write "include:{host}" where a provider has its record, or "a:{host}" for a server '
            "of yours.",
        )
    return SpfSyntaxError(
        text,
        "is no mechanism of SPF (RFC 7208 4.6.1)",
        f'There are "all", "include", "a", "mx", "ptr", "ip4", "ip6" and "exists". {_UNSURE}',
    )


def all_with_value(text: str) -> SpfSyntaxError:
    """The error for ``-all.``, ``all:example.com``, ``all/8`` (RFC 7208, 5.1)."""
    return SpfSyntaxError(
        text, 'has something behind its "all" (RFC 7208 5.1)', 'Write "all" alone, as in "~all".'
    )


def no_address(text: str, name: str) -> SpfSyntaxError:
    """The error for ``ip4`` and ``ip4:`` (RFC 7208, 5.6)."""
    sample = "203.0.113.7" if name == "ip4" else "2001:db8::7"
    advice = f'Write an address right behind it: "{name}:{sample}".'
    return SpfSyntaxError(text, "has no address (RFC 7208 5.6)", advice)


def bad_address(text: str, name: str, address: str) -> SpfSyntaxError:
    """The error for an ``ip4`` or ``ip6`` whose address is none of its family (RFC 7208, 5.6)."""
    wanted = name[-1]
    family = _family(address)
    if family is not None and str(family) != wanted:
        return SpfSyntaxError(
            text,
            f"has an IPv{family} address behind {name} (RFC 7208 5.6)",
            f'Write "ip{family}:{shown(text.partition(":")[2])}".',
        )
    if found := slip(text):
        return found
    if _HOST.fullmatch(address):
        return SpfSyntaxError(
            text,
            f"has a host name behind {name} (RFC 7208 5.6)",
            f'Write the address of that host, or "a:{shown(address)}".',
        )
    if wanted == "4" and re.fullmatch(r"[0-9]+(\.[0-9]+){3}", address, re.ASCII):
        return _bad_octet(text, address)
    return SpfSyntaxError(
        text,
        f'has "{shown(address)}", which is no IPv{wanted} address (RFC 7208 5.6)',
        "Write one address in full, with /N behind it for a whole network; no port, no range.",
    )


def _bad_octet(text: str, address: str) -> SpfSyntaxError:
    zeros = any(len(part) > 1 and part.startswith("0") for part in address.split("."))
    if zeros:
        return SpfSyntaxError(
            text, "has a leading zero in its address (RFC 7208 5.6)", "Write it without the zero."
        )
    return SpfSyntaxError(
        text,
        "has a number above 255 in its address (RFC 7208 5.6)",
        "Look up the address of the server and write it anew.",
    )


def bad_prefix(text: str, digits: str) -> SpfSyntaxError:
    """The error for a prefix length that is no plain number (RFC 7208, 5.6)."""
    if digits.isascii() and digits.isdigit():
        return SpfSyntaxError(
            text,
            "has a leading zero in its prefix (RFC 7208 5.6)",
            f"Write /{digits.lstrip('0') or '0'}.",
        )
    return slip(text) or SpfSyntaxError(
        text,
        f'has "/{shown(digits)}" for a prefix, which is no number (RFC 7208 5.6)',
        'Write the length of the prefix, as in "/24"; a netmask such as /255.255.255.0 is not '
        "allowed here.",
    )


def long_prefix(text: str, longest: int) -> SpfSyntaxError:
    """The error for ``/33`` or ``//129`` (RFC 7208, 5.6)."""
    return SpfSyntaxError(
        text,
        f"has a prefix longer than {longest} (RFC 7208 5.6)",
        f"Write /{longest} or less; for a single address leave it out.",
    )


def stray_slash(text: str, name: str) -> SpfSyntaxError:
    """The error for a ``/`` where none belongs: ``ptr/24``, ``a/24/64`` (RFC 7208, 12)."""
    advice = (
        f'Write "{name}/24" for IPv4, "{name}//64" for IPv6, "{name}/24//64" for both.'
        if name in ("a", "mx")
        else f'"{name}" takes no prefix; leave it out.'
    )
    return SpfSyntaxError(text, "has a / that does not belong there (RFC 7208 5)", advice)


def no_domain(text: str) -> SpfSyntaxError:
    """The error for ``include:`` and ``redirect=`` with nothing behind (RFC 7208, 5.2, 6.1)."""
    return SpfSyntaxError(
        text,
        "names no domain (RFC 7208 7.1)",
        "Write a domain right behind it, without a blank, or remove the term.",
    )


def split_by_blank(text: str) -> SpfSyntaxError:
    """The error for ``include: host``: the blank makes two terms of one (RFC 7208, 4.6.1)."""
    return SpfSyntaxError(
        text, "has a blank in the middle of a term (RFC 7208 4.6.1)", "Take out the blank."
    )


def bad_macro(text: str, problem: str) -> SpfSyntaxError:
    """The error for a wrong macro (RFC 7208, 7.1)."""
    return SpfSyntaxError(
        text, f"{problem} (RFC 7208 7.1)", 'A macro looks like %{i} or %{d2}; a plain "%" is "%%".'
    )


def explanation_macro(text: str, macro: str) -> SpfSyntaxError:
    """The error for ``%{c}``, ``%{r}``, ``%{t}`` in a domain (RFC 7208, 7.2)."""
    return SpfSyntaxError(
        text,
        f"uses {macro}, which is for explanation texts only (RFC 7208 7.2)",
        "Use another macro; for the address it is %{i}.",
    )


def bad_domain(text: str, domain: str) -> SpfSyntaxError:
    """The error for a domain-spec without a proper end (RFC 7208, 7.1)."""
    if family := _family(domain):
        return SpfSyntaxError(
            text,
            "has an address where a host name belongs (RFC 7208 7.1)",
            f'Write "ip{family}:{shown(domain)}".',
        )
    if found := slip(text):
        return found
    if re.fullmatch(r"[A-Za-z0-9_-]+\.?", domain):
        complaint = "has a name without a dot (RFC 7208 7.1)"
        return SpfSyntaxError(text, complaint, "Write the full name, as in mail.example.com.")
    return SpfSyntaxError(
        text,
        f'has "{shown(domain)}", which does not end like a domain name (RFC 7208 7.1)',
        "Write a full domain name, as in mail.example.com: no port, path or prefix behind it.",
    )


def _family(text: str) -> int | None:
    try:
        return ip_address(text).version
    except ValueError:
        return None

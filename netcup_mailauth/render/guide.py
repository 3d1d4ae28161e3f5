"""The guide as it is read: what a finding means, and any page at a terminal.

A page is Markdown of at most 80 columns, which a terminal gets without what only a forge needs:
fences, the targets of links, comments.
"""

from __future__ import annotations

import re
from textwrap import fill

from netcup_mailauth.findings import LOOK_FIRST, MEANINGS, OF_CHANGES, OF_DOMAINS, Severity

WIDTH = 80
"""Columns of a page."""

_WEIGHS = {
    Severity.REFUSED: "Refused: it cannot be allowed.",
    Severity.DANGER: "Danger: it holds the record back, unless it is allowed.",
    Severity.WARNING: "Warning: it is shown, and stops nothing.",
    Severity.NOTE: "Note: plan and check show it; it stops nothing.",
}
_OF_DOMAIN = "Said of the domain and what is around it; it stops nothing."


def of_finding(code: str) -> str:
    """What a code means, as a section of a page."""
    meaning = MEANINGS[code]
    listed = (
        ("When", meaning.when),
        ("What to do", meaning.advice),
        ("Behind it", meaning.source),
    )
    items = (
        fill(f"- {name}: {text}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)
        for name, text in listed
    )
    said = fill(f"{meaning.what} {_weighs(code)}", WIDTH, break_on_hyphens=False)
    return f"## {code}\n\n{said}\n\n" + "".join(f"{item}\n" for item in items)


def _weighs(code: str) -> str:
    if code in OF_DOMAINS:
        return _OF_DOMAIN
    of_changes = (severity for severity, meanings in OF_CHANGES.items() if code in meanings)
    return _WEIGHS[next(of_changes, Severity.DANGER)]


def consent(code: str) -> str:
    """How a finding is accepted; empty where that cannot be, or need not."""
    if _weighs(code) != _WEIGHS[Severity.DANGER]:
        return ""
    first = "To accept it, when you have looked" if code in LOOK_FIRST else "To accept it"
    return f'{first}: --allow {code}\nIn the config, under the domain: allow = ["{code}"]\n'


def section(page: str, name: str) -> str:
    """The part of a page whose heading begins with the word ``name``; empty if it has none."""
    found = re.search(rf"^## {re.escape(name)}\b.*?(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


def plain(page: str) -> str:
    """A page, or a part of one, as a terminal shows it."""
    lines: list[str] = []
    fenced = False
    for line in re.sub(r"<!--.*?-->\n", "", page, flags=re.DOTALL).splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced:
            lines.append(f"  {line}".rstrip())
        elif heading := re.fullmatch(r"#+ (.*)", line):
            lines += [heading[1], ("=" if line.startswith("# ") else "-") * len(heading[1])]
        else:
            lines.append(_LINK.sub(_target, line).replace("**", ""))
    return "\n".join(lines).rstrip() + "\n"


_LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")


def _target(link: re.Match[str]) -> str:
    """A link as words: a page by its name, anything else with its address."""
    words, address = link.groups()
    page = re.fullmatch(r"([a-z-]+)\.md(#.*)?", address)
    if page is None:
        where = address.removeprefix("../../")
        return words if where == words else f"{words} ({where})"
    return words if words.endswith(page[1]) else f"{words} (help {page[1]})"

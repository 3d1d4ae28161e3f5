"""What stands at ``_dmarc``, what our edits make of it, and how receivers are to read both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from netcup_mailauth.plan import applied
from tests.core.judge.cases import SPF, case_of, mail_zone, wants
from tests.world.judges.records import Dmarc

if TYPE_CHECKING:
    from collections.abc import Mapping

WISHES: Final[dict[str, str | dict[str, Any]]] = {
    "policy": {"policy": "quarantine"},
    "reject": {"policy": "reject"},
    "sub-policy": {"subdomain_policy": "reject"},
    "report": {"rua": ["mailto:n@example.com"]},
    "whole": "v=DMARC1;p=none;rua=mailto:w@example.com",
}
REFUSED: Final = "refused"
_O: Final = "rua=mailto:o@example.com"
_O_N: Final = f"{_O},mailto:n@example.com"
_WHOLE: Final = {"whole": "none/none/none rua=mailto:w@example.com"}


@dataclass(frozen=True, slots=True)
class Edit:
    """The texts at a ``_dmarc``, and how they are read before and after each edit of ``WISHES``.

    ``then`` has the reading by the name of the wish, or ``REFUSED``: the texts stay as they are.
    """

    name: str
    live: str | tuple[str, ...]
    reading: str
    then: Mapping[str, str]

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.live,) if isinstance(self.live, str) else self.live


_MEANT: Final = f"p=reject; sp=none; {_O}"
_UNREAD: Final = {
    "leading-blank": f" v=DMARC1; {_MEANT}",
    "version-lower-case": f"v=dmarc1; {_MEANT}",
    "version-spaced": f"v = Dmarc1 ;{_MEANT}",
    "quote": f'"v=DMARC1; {_MEANT}',
    "single-quotes": f"'v=DMARC1; {_MEANT}'",
    "escaped-semicolons": f"v=DMARC1; {_MEANT}".replace(";", "\\;"),
    "commas": f"v=DMARC1, {_MEANT}".replace(";", ","),
    "colons": f"v=DMARC1: {_MEANT}".replace(";", ":"),
    "no-semicolons": f"v=DMARC1 {_MEANT}".replace(";", ""),
    "version-bare": f"DMARC1; {_MEANT}",
    "version-missing": _MEANT,
    "version-second": f"{_MEANT}; v=DMARC1",
}
_UNREAD_THEN: Final = {
    "policy": f"quarantine/none/none {_O}",
    "sub-policy": f"none/reject/reject {_O}",
    "report": f"none/none/none {_O_N}",
    **_WHOLE,
}
"""A policy that nobody heeded so far starts as none, unless one is named."""

NEAR_MISSES: Final = tuple(Edit(name, text, "none", _UNREAD_THEN) for name, text in _UNREAD.items())

HALF_READ: Final = (
    Edit(
        "version-tag-capital",
        f"V=DMARC1; {_MEANT}",
        f"reject/none/none {_O}",
        {
            "policy": f"quarantine/none/none {_O}",
            "sub-policy": f"reject/reject/reject {_O}",
            "report": f"reject/none/none {_O_N}",
            **_WHOLE,
        },
    ),
    Edit(
        "one-semicolon-missing",
        f"v=DMARC1; p=reject sp=none; {_O}",
        f"none/none/none {_O}",
        _UNREAD_THEN,
    ),
    Edit(
        "no-semicolon-before-rua",
        f"v=DMARC1; p=reject; sp=none {_O}",
        "none",
        _UNREAD_THEN,
    ),
    Edit(
        "no-semicolon-at-all-behind-p",
        f"v=DMARC1; p=none {_O}",
        "none",
        {"policy": f"quarantine/quarantine/quarantine {_O}", "report": f"none/none/none {_O_N}"},
    ),
    Edit(
        "sp-behind-a-blank",
        "v=DMARC1; p=quarantine sp=reject",
        "none",
        {"policy": "quarantine/reject/reject", "reject": "reject/reject/reject"},
    ),
    Edit(
        "comma-behind-p",
        f"v=DMARC1;p=none,{_O}",
        "none",
        {"reject": f"reject/reject/reject {_O}", **_WHOLE},
    ),
    Edit(
        "tags-in-capitals",
        f"v=DMARC1; P=none; RUA={_O[4:]}",
        "none",
        {"policy": f"quarantine/quarantine/quarantine {_O}", "report": f"none/none/none {_O_N}"},
    ),
    Edit(
        "semicolon-between-addresses",
        f"v=DMARC1; p=none; {_O};mailto:b@example.com",
        f"none/none/none {_O}",
        {"policy": f"quarantine/quarantine/quarantine {_O},mailto:b@example.com"},
    ),
    Edit(
        "blank-between-addresses",
        f"v=DMARC1; p=none; {_O} mailto:b@example.com",
        "none/none/none",
        {"policy": f"quarantine/quarantine/quarantine {_O},mailto:b@example.com"},
    ),
    Edit(
        "no-mailto",
        "v=DMARC1; p=none; rua=o@example.com",
        "none/none/none",
        {"policy": f"quarantine/quarantine/quarantine {_O}", "report": f"none/none/none {_O_N}"},
    ),
)
"""What receivers read in part, or each in its own way."""

OLD: Final = (
    Edit(
        "fo-all",
        f"v=DMARC1; p=none; fo=0:1:d:s; {_O}",
        f"none/none/none {_O}",
        {"policy": f"quarantine/quarantine/quarantine {_O}", "report": f"none/none/none {_O_N}"},
    ),
    Edit(
        "pct-0",
        f"v=DMARC1; p=quarantine;pct=0; {_O}",
        f"quarantine/quarantine/quarantine {_O}",
        {"reject": f"reject/reject/reject t=y {_O}", **_WHOLE},
    ),
    Edit(
        "pct-0-sp",
        f"v=DMARC1;p=reject;sp=quarantine;pct=0;{_O}",
        f"reject/quarantine/quarantine {_O}",
        {"policy": f"quarantine/quarantine/quarantine t=y {_O}", **_WHOLE},
    ),
    Edit(
        "pct-50",
        f"v=DMARC1; p=quarantine; pct=50; {_O}",
        f"quarantine/quarantine/quarantine {_O}",
        {
            "reject": f"reject/reject/reject {_O}",
            "report": f"quarantine/quarantine/quarantine {_O_N}",
        },
    ),
    Edit(
        "ri-and-rf",
        f"v=DMARC1; p=none; rf=afrf; ri=3600; {_O}",
        f"none/none/none {_O}",
        {"policy": f"quarantine/quarantine/quarantine {_O}", **_WHOLE},
    ),
    Edit(
        "relaxed-written-out",
        f"v=DMARC1; p=none; adkim=r; aspf=r; {_O}",
        f"none/none/none {_O}",
        {"policy": f"quarantine/quarantine/quarantine {_O}", **_WHOLE},
    ),
    Edit(
        "unknown-tags",
        f"v=DMARC1; p=none; adkm=s; x=1; {_O}",
        f"none/none/none {_O}",
        {"policy": f"quarantine/quarantine/quarantine {_O}", "report": f"none/none/none {_O_N}"},
    ),
)
"""Records of RFC 7489, and what nobody knows: kept, or told."""

NOT_PLAIN: Final = (
    Edit(
        "two-records",
        (f"v=DMARC1; p=none; {_O}", "v=DMARC1; p=reject"),
        "none",
        {"policy": REFUSED, "report": REFUSED, **_WHOLE},
    ),
    Edit(
        "capital-v-beside",
        ("v=DMARC1; p=none", f"V=DMARC1; p=reject; {_O}"),
        "none",
        {"policy": REFUSED, "report": REFUSED, **_WHOLE},
    ),
    Edit(
        "two-near-misses",
        (f" v=DMARC1; p=reject; {_O}", f"v=dmarc1; p=reject; {_O}"),
        "none",
        {"policy": REFUSED, "report": REFUSED, **_WHOLE},
    ),
    Edit(
        "near-miss-beside",
        (f"v=DMARC1; p=none; {_O}", " v=DMARC1; p=reject"),
        f"none/none/none {_O}",
        {"policy": f"quarantine/quarantine/quarantine {_O}", **_WHOLE},
    ),
    Edit(
        "lower-case-beside",
        (f"v=DMARC1; p=none; {_O}", "v=dmarc1; p=reject"),
        f"none/none/none {_O}",
        {"policy": f"quarantine/quarantine/quarantine {_O}", **_WHOLE},
    ),
    Edit(
        "token-beside",
        ("google-site-verification=abc", f"v=DMARC1; p=none; {_O}"),
        f"none/none/none {_O}",
        {"policy": f"quarantine/quarantine/quarantine {_O}", **_WHOLE},
    ),
    Edit(
        "value-misspelt",
        f"v=DMARC1; p=rejct; sp=none; {_O}",
        f"none/none/none {_O}",
        {"report": REFUSED, "policy": f"quarantine/none/none {_O}", **_WHOLE},
    ),
    Edit(
        "alignment-misspelt",
        "v=DMARC1; p=none; adkim=strict",
        "none/none/none",
        {"policy": REFUSED, "whole": _WHOLE["whole"]},
    ),
)
"""Where an edit has to choose, and does not."""

EDITS: Final = (*NEAR_MISSES, *HALF_READ, *OLD, *NOT_PLAIN)


def after(texts: tuple[str, ...], wish: str | dict[str, Any]) -> tuple[str, ...]:
    """What stands at ``_dmarc`` once the plan of a wish is written."""
    before = mail_zone(SPF, texts)
    case, _ = case_of(before, wants(dmarc=wish))
    zone = applied(before, case.change_set.changes)
    return tuple(record.destination for record in zone.at("_dmarc", "TXT"))


BEFORE: Final = tuple(
    Dmarc(f"before-{edit.name}", edit.texts[0], edit.reading, also=edit.texts[1:]) for edit in EDITS
)
"""Each as it is found."""

AFTER: Final = tuple(
    Dmarc(f"{edit.name}-{wish}", texts[0], reading, also=texts[1:])
    for edit in EDITS
    for wish, reading in edit.then.items()
    if reading != REFUSED
    for texts in (after(edit.texts, WISHES[wish]),)
)
"""Each as an edit leaves it."""

REFUSALS: Final = tuple(
    (edit.texts, WISHES[wish])
    for edit in EDITS
    for wish, reading in edit.then.items()
    if reading == REFUSED
)
"""The texts and the edit that is too much for them."""

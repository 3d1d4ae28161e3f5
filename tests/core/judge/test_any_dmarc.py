"""Any text at ``_dmarc``, any edit: one record that receivers read, or a refusal; nothing lost."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from netcup_mailauth import dmarc
from netcup_mailauth.findings import Severity
from netcup_mailauth.judge import guard
from netcup_mailauth.plan import applied
from netcup_mailauth.records import reason_not_to_store
from tests.core.judge.cases import SPF, case_of, mail_zone, wants
from tests.core.judge.dmarc_texts import PARTS, WHOLE, texts
from tests.effort import MANY


def addresses(text: str) -> set[str]:
    """The mail addresses in a text; those that mail cannot go to are none."""
    found = re.findall(r"[^\s,;:=\"/]+@example\.[a-z]+", text)
    return {address.replace("%27", "'") for address in found if address.isascii()}


@given(st.lists(texts(), min_size=1, max_size=2), PARTS | WHOLE)
@example(live=["v=DMARC1;sp=reject;pct=0"], wish={"policy": "none", "subdomain_policy": "none"})
@example(
    live=["v=DMARC1;rua=mailto:a@example.com;mailto:b.c+d@example.net!10m,"],
    wish="v=DMARC1;p=none;rua=mailto:n@example.com",
)
@MANY
def test_one_record_is_read_afterwards_or_the_edit_is_refused_and_no_address_is_lost(
    live: list[str], wish: dict[str, Any] | str
) -> None:
    before = mail_zone(SPF, live)
    parts: dict[str, Any] = {} if isinstance(wish, str) else wish
    case, decided = case_of(before, wants(dmarc=wish))
    found = [*decided, *guard.judge(case)]
    refused = [f for f in found if f.severity is Severity.REFUSED]
    after = [
        record.destination
        for record in applied(before, case.change_set.changes).at("_dmarc", "TXT")
    ]
    if refused:
        assert after == live or isinstance(wish, str)
    else:
        (new,) = filter(dmarc.is_dmarc, after)
        has = dmarc.read(new)
        assert has is not None
        assert has.effective_policy == parts.get("policy", has.effective_policy)
        assert parts.get("subdomain_policy") in (None, has.effective_subdomain_policy)
        assert set(parts.get("rua", ())) <= set(has.rua)
    if not refused and case.change_set.changes:
        assert new.startswith("v")
        assert dmarc.parse_live(new).in_force
        assert reason_not_to_store(new, "ccp") is None
        again, _ = case_of(applied(before, case.change_set.changes), wants(dmarc=wish))
        assert again.change_set.is_empty
    told = " ".join([*after, *(f"{f.message} {f.advice}" for f in found)])
    assert set().union(*map(addresses, live)) <= addresses(told)


@given(texts(), PARTS)
@MANY
def test_a_policy_that_nobody_named_is_never_stronger_than_it_was(
    live: str, wish: dict[str, Any]
) -> None:
    wish = {name: value for name, value in wish.items() if name == "rua"} or {"rua": []}
    before = mail_zone(SPF, live)
    case, _ = case_of(before, wants(dmarc=wish))
    after = applied(before, case.change_set.changes).at("_dmarc", "TXT")
    new = next((r.destination for r in after if dmarc.is_dmarc(r.destination)), "")
    assert not dmarc.weakens(dmarc.read(new), dmarc.read(live))

"""Whom a term matches, as far as DNS lists it: what is silent or too much is no list."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth import spf
from netcup_mailauth.lookup import Answer, Status, silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.lookup import Query
    from netcup_mailauth.spf import Term


def term(text: str) -> Term:
    return spf.parse(f"v=spf1 {text} -all").terms[0]


def faulty(queries: Sequence[Query]) -> list[Answer]:
    return [Answer(Status.OK, ("v=spf1 nonsense:",)) for _ in queries]


@pytest.mark.parametrize("text", ["mx:example.net", "a:example.net", "include:example.net"])
def test_whom_silent_dns_does_not_list_nobody_knows(text: str) -> None:
    assert not spf.is_listed(term(text), silent)


def test_a_record_that_receivers_do_not_read_lists_nobody() -> None:
    assert spf.is_listed(term("include:example.net"), faulty)


def test_more_than_can_be_compared_is_not_tried_address_by_address() -> None:
    ours, theirs = term("ip4:10.0.0.0/8"), term("+ip4:10.0.0.0/9")
    edges = [ip_network("10.1.0.0/16")] * 1000
    assert spf.in_both(ours, silent, theirs, silent, edges)
    assert spf.in_both(ours, silent, theirs, silent, edges * 200) is None

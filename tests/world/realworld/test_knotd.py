"""The zone that `apply` made, served by a real name server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.world.realworld.asking import answered, txt_strings
from tests.world.realworld.court import JUDGES, JudgeName
from tests.world.realworld.published import DOMAIN, KEY_KINDS, KeyKind
from tests.world.realworld.zones import CLEAN

if TYPE_CHECKING:
    from tests.world.realworld.court import Court
    from tests.world.realworld.knot import Knot
    from tests.world.realworld.stage import Stage

STRINGS = {"rsa2048": 2, "rsa4096": 3, "ed25519": 1}
"""How many strings of at most 255 bytes the record of a key takes."""

NOT_IN_THE_ZONE = ("_domainkey", "nobody._domainkey", "any", "any.thing", "_dmarc.any")
"""Held up by names below, not there at all, and three that the wildcard catches."""

TYPES = ("A", "AAAA", "CNAME", "MX", "TXT")

# opendkim-testkey compares RSA keys only.
JUDGED = [
    (kind, judge)
    for kind in KEY_KINDS
    for judge in JUDGES
    if (kind, judge) != ("ed25519", "opendkim-testkey")
]


def full(hostname: str) -> str:
    return DOMAIN if hostname == "@" else f"{hostname}.{DOMAIN}"


@pytest.mark.parametrize(("kind", "judge"), JUDGED)
def test_every_judge_finds_the_zone_right_at_knotd(
    stage: Stage, knot: Knot, court_at_knot: Court, kind: KeyKind, judge: JudgeName
) -> None:
    published = stage.published(kind)
    knot.serve(published.records)
    assert court_at_knot.verdict(judge, published) == CLEAN.sees[judge]


@pytest.mark.parametrize(("kind", "judge"), JUDGED)
def test_every_judge_finds_the_zone_right_at_the_sandbox(
    stage: Stage, court: Court, kind: KeyKind, judge: JudgeName
) -> None:
    published = stage.published(kind)
    assert court.verdict(judge, published) == CLEAN.sees[judge]


@pytest.mark.parametrize("kind", KEY_KINDS)
def test_texts_come_back_from_knotd_as_the_api_holds_them(
    stage: Stage, knot: Knot, kind: KeyKind
) -> None:
    published = stage.published(kind)
    knot.serve(published.records)
    held = [r for r in stage.sandbox.zone(DOMAIN) if r["type"] == "TXT"]
    assert len(held) == 4
    for hostname in {r["hostname"] for r in held}:
        served = txt_strings(knot.address, full(hostname))
        texts = sorted(b"".join(strings).decode() for strings in served)
        assert texts == sorted(r["destination"] for r in held if r["hostname"] == hostname)
    (key,) = txt_strings(knot.address, full(published.key_hostname))
    assert len(key) == STRINGS[kind]


@pytest.mark.parametrize("kind", KEY_KINDS)
def test_the_name_servers_of_the_sandbox_answer_as_knotd_does(
    stage: Stage, knot: Knot, kind: KeyKind
) -> None:
    published = stage.published(kind)
    knot.serve(published.records)
    hostnames = {str(r["hostname"]) for r in published.records if r["hostname"] != "*"}
    for name in map(full, [*sorted(hostnames), *NOT_IN_THE_ZONE]):
        for record_type in TYPES:
            right = answered(knot.address, name, record_type)
            for server in stage.sandbox.nameservers:
                assert (name, answered(server, name, record_type)) == (name, right)
    (key,) = txt_strings(stage.sandbox.nameservers[0], full(published.key_hostname))
    assert len(key) == STRINGS[kind]

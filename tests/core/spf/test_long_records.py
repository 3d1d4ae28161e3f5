"""The longest texts that DNS can carry cost work in proportion to their length, and no more.

Work is counted in calls, which do not depend on the machine: a text of twice the length may take
somewhat more than twice the calls, and not four times as many.
"""

from __future__ import annotations

import cProfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth import dkim, dmarc, spf
from netcup_mailauth.errors import RecordError
from netcup_mailauth.judge import guard
from netcup_mailauth.lookup import Answer, Status
from netcup_mailauth.plan import Place, compute
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone, join_txt
from netcup_mailauth.render.page import Page, wrap
from netcup_mailauth.render.text import change_set_text
from netcup_mailauth.render.words import value_of
from tests.core.judge.cases import case_of, judged_wish, key_record, mail_zone, wants
from tests.effort import PROFILE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from netcup_mailauth.lookup import Query

SHAPES: dict[str, Callable[[int], str]] = {
    "one term again and again": lambda n: "v=spf1" + " a" * (n // 2) + " ~all",
    "addresses": lambda n: (
        "v=spf1"
        + "".join(f" ip4:10.{i >> 8 & 255}.{i & 255}.{i >> 16}" for i in range(n // 14))
        + " ~all"
    ),
    "networks": lambda n: (
        "v=spf1" + "".join(f" ip6:2001:db8:{i:x}::/48" for i in range(n // 22)) + " ~all"
    ),
    "includes": lambda n: (
        "v=spf1" + "".join(f" include:h{i}.example.net" for i in range(n // 24)) + " ~all"
    ),
    "prefixes": lambda n: (
        "v=spf1" + "".join(f" a/{i % 33}//{i % 129}" for i in range(n // 9)) + " ~all"
    ),
    "alls": lambda n: "v=spf1" + " -all" * (n // 5),
    "modifiers": lambda n: "v=spf1" + "".join(f" m{i}=1" for i in range(n // 8)),
    "macros": lambda n: "v=spf1" + " x=%{d}" * (n // 7),
    "blanks": lambda n: "v=spf1 a" + " " * n,
}

BROKEN: dict[str, Callable[[int], str]] = {
    "a name of dots": lambda n: "v=spf1 a:" + "a." * (n // 2) + "-",
    "slashes": lambda n: "v=spf1 a:" + "/1" * (n // 2),
    "open macros": lambda n: "v=spf1 a:" + "%{d" * (n // 3),
    "hyphens": lambda n: "v=spf1 a:b.a" + "-" * n,
    "colons": lambda n: "v=spf1 ip6:" + ":1" * (n // 2),
    "numbers": lambda n: "v=spf1 ip4:" + "1." * (n // 2),
    "a long prefix": lambda n: "v=spf1 ip4:1.2.3.4/" + "1" * n,
    "no term": lambda n: "v=spf1 " + "x" * n + "@",
    "tabs": lambda n: "v=spf1" + "\t" * n,
}


def calls(work: Callable[[], object]) -> int:
    """How many functions are called for it, those of the library written in C included."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return sum(entry.callcount for entry in profile.getstats())


SIZE = 500 if PROFILE == "contributor" else 2_000


def is_in_proportion(work: Callable[[int], object], size: int = SIZE) -> bool:
    """Whether twice the size takes less than three times the calls."""
    once, twice = calls(lambda: work(size)), calls(lambda: work(2 * size))
    return twice < 3 * once + 200


def nothing(queries: Sequence[Query]) -> list[Answer]:
    return [Answer(Status.NXDOMAIN) for _ in queries]


def reversed_(record: spf.SpfRecord) -> spf.SpfRecord:
    return spf.SpfRecord(record.version, tuple(reversed(record.terms)))


WORK: dict[str, Callable[[spf.SpfRecord], object]] = {
    "changes": lambda r: spf.describe_changes(r, reversed_(r)),
    "no changes": lambda r: spf.describe_changes(r, r),
    "all is new": lambda r: spf.describe_changes(spf.parse("v=spf1 mx -all"), r),
    "require": lambda r: spf.require(r, "mx", "ip4:203.0.113.7"),
    "drop": lambda r: spf.drop(r, "mx", "a"),
    "merge": lambda r: spf.merge([r, reversed_(r)]),
    "lint": spf.lint,
    "cost": lambda r: spf.cost(r, "example.com", nothing),
    "check": lambda r: spf.check_host(
        "203.0.113.7", "example.com", "a@example.com", nothing, record=str(r)
    ),
    "meaning": lambda r: spf.equal(r, reversed_(r)),
}


@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_done_with_a_record_is_in_proportion_to_it(shape: str, work: str) -> None:
    assert is_in_proportion(lambda n: WORK[work](spf.parse(SHAPES[shape](n))))


@pytest.mark.parametrize("shape", [*SHAPES, *BROKEN])
def test_reading_is_in_proportion_to_the_text(shape: str) -> None:
    told = [0]

    def read(size: int) -> None:
        text = {**SHAPES, **BROKEN}[shape](size)
        for parse in (spf.parse, spf.parse_wanted, dmarc.parse, dkim.parse):
            try:
                parse(text)
            except RecordError as error:
                told.append(len(error.what))

    assert is_in_proportion(read)
    assert max(told) < 600


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("wish", ["another", "reversed", "parts"])
def test_a_judged_plan_is_in_proportion_to_what_is_live(shape: str, wish: str) -> None:
    """All senders dropped, all in another order, or all kept and one more."""

    def plan(size: int) -> None:
        live = spf.parse(SHAPES[shape](size))
        wanted = {
            "another": wants("v=spf1 mx ~all"),
            "reversed": wants(str(reversed_(live))),
            "parts": wants({"require": ["ip4:203.0.113.7"]}),
        }[wish]
        case, findings = case_of(mail_zone(str(live)), wanted)
        found = (*findings, *guard.judge(case))
        change_set_text(replace(guard.priced(case), findings=found), Page())

    assert is_in_proportion(plan)


def test_nothing_is_longer_than_dns_can_carry() -> None:
    spf.parse("v=spf1 a" + " " * (spf.LONGEST - 8))
    with pytest.raises(spf.SpfSyntaxError, match="65535"):
        spf.parse("v=spf1 a" + " " * (spf.LONGEST - 7))


TEXTS: dict[str, Callable[[int], str]] = {
    "blanks": lambda n: "a" + " " * n,
    "blanks in between": lambda n: " " * n + "a",
    "empty strings": lambda n: '"" ' * (n // 3),
    "open strings": lambda n: '"a" ' * (n // 4) + '"',
    "DKIM tags": lambda n: "v=DKIM1;p=;" + ";".join(f"a{i}=1" for i in range(n // 7)),
    "DMARC tags": lambda n: "v=DMARC1;p=none;" + ";".join(f"a{i}=1" for i in range(n // 7)),
    "DMARC tags of nobody's": lambda n: (
        "v=DMARC1;p=none;" + ";".join(f"zzzz{i}=1" for i in range(n // 9))
    ),
    "report addresses": lambda n: (
        "v=DMARC1;p=none;rua=" + ",".join(f"mailto:a@h{i}.example.org" for i in range(n // 25))
    ),
}


@pytest.mark.parametrize("text", TEXTS)
def test_other_texts_cost_no_more_than_their_length(text: str) -> None:
    def work(size: int) -> None:
        live = TEXTS[text](size)
        join_txt(live)
        wrap(live, 80)
        for kind, hostname in ((Kind.DKIM, "dkim._domainkey"), (Kind.DMARC, "_dmarc")):
            value_of(kind, live, full=False)
            zone = Zone("example.com", "ccp", (DnsRecord("1", hostname, "TXT", live),))
            for value in (key_record(), "v=DMARC1;p=none", live):
                wanted = DesiredRecord(kind, hostname, value)
                change_set_text(
                    compute(Place("example.com", "example.com"), zone, [wanted]), Page()
                )
                judged_wish(zone, kind, hostname, value)

    assert is_in_proportion(work)

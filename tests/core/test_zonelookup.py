"""A zone answers look-ups as its name servers will."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.lookup import Answer, Query, RecordType, Status, ZoneLookup
from netcup_mailauth.records import DnsRecord, Zone

if TYPE_CHECKING:
    from collections.abc import Sequence

ZONE = Zone(
    "example.com",
    "ccp",
    (
        DnsRecord("1", "@", "A", "203.0.113.1"),
        DnsRecord("2", "@", "MX", "mail.example.com", "10"),
        DnsRecord("3", "@", "TXT", "v=spf1 mx -all"),
        DnsRecord("4", "*", "A", "203.0.113.9"),
        DnsRecord("5", "mail", "A", "203.0.113.25"),
        DnsRecord("6", "www", "CNAME", "@"),
        DnsRecord("7", "shop", "CNAME", "shop.example.net"),
        DnsRecord("8", "loop", "CNAME", "loop.example.com"),
        DnsRecord("9", "dkim._domainkey", "TXT", "v=DKIM1;p="),
        DnsRecord("10", "*.wild", "TXT", "deep"),
    ),
)


def outside(queries: Sequence[Query]) -> list[Answer]:
    return [Answer(Status.OK, (f"outside {query.name}",)) for query in queries]


def ask(name: str, record_type: RecordType) -> Answer:
    (answer,) = ZoneLookup(ZONE, outside)([Query(name, record_type)])
    return answer


@pytest.mark.parametrize(
    ("name", "record_type", "values"),
    [
        ("example.com", "TXT", ("v=spf1 mx -all",)),
        ("example.com", "MX", ("10 mail.example.com",)),
        ("mail.example.com", "A", ("203.0.113.25",)),
        ("anything.example.com", "A", ("203.0.113.9",)),
        ("a.b.example.com", "A", ("203.0.113.9",)),
        ("x.wild.example.com", "TXT", ("deep",)),
        ("www.example.com", "A", ("203.0.113.1",)),
        ("shop.example.com", "A", ("outside shop.example.net",)),
        ("www.example.com", "CNAME", ("example.com",)),
        ("example.net", "A", ("outside example.net",)),
        ("notexample.com", "A", ("outside notexample.com",)),
    ],
)
def test_values_come_from_the_zone_where_the_name_lies_in_it(
    name: str, record_type: RecordType, values: tuple[str, ...]
) -> None:
    assert ask(name, record_type) == Answer(Status.OK, values)


@pytest.mark.parametrize(
    ("name", "record_type", "status"),
    [
        ("mail.example.com", "TXT", Status.EMPTY),
        ("example.com", "AAAA", Status.EMPTY),
        ("_domainkey.example.com", "A", Status.EMPTY),
        ("x.mail.example.com", "A", Status.NXDOMAIN),
        ("x._domainkey.example.com", "A", Status.NXDOMAIN),
        ("loop.example.com", "A", Status.SERVFAIL),
    ],
)
def test_what_is_not_there_is_told_apart(
    name: str, record_type: RecordType, status: Status
) -> None:
    assert ask(name, record_type) == Answer(status)


def test_a_batch_keeps_its_order_and_asks_outside_once() -> None:
    asked: list[list[Query]] = []

    def counting(queries: Sequence[Query]) -> list[Answer]:
        asked.append(list(queries))
        return outside(queries)

    queries = [
        Query("a.net", "A"),
        Query("example.com", "A"),
        Query("shop.example.com", "A"),
        Query("a.net", "A"),
    ]
    values = [answer.values[0] for answer in ZoneLookup(ZONE, counting)(queries)]
    assert values == ["outside a.net", "203.0.113.1", "outside shop.example.net", "outside a.net"]
    assert asked == [[Query("a.net", "A"), Query("shop.example.net", "A")]]


def test_a_batch_of_inside_names_asks_nobody() -> None:
    def nobody(queries: Sequence[Query]) -> list[Answer]:
        raise AssertionError(queries)

    assert ZoneLookup(ZONE, nobody)([Query("example.com", "A")])[0].status is Status.OK


def of(*records: DnsRecord) -> ZoneLookup:
    return ZoneLookup(Zone("example.com", "ccp", records), outside)


@pytest.mark.parametrize("name", ["intern.example.com", "a.intern.example.com"])
def test_a_name_in_a_delegated_zone_is_asked_outside(name: str) -> None:
    lookup = of(
        DnsRecord("1", "intern", "NS", "ns.example.net"),
        DnsRecord("2", "@", "NS", "root-dns.netcup.net"),
        DnsRecord("3", "@", "A", "203.0.113.1"),
    )
    assert lookup([Query(name, "A")]) == [Answer(Status.OK, (f"outside {name}",))]
    assert lookup([Query("example.com", "A"), Query("xintern.example.com", "A")]) == [
        Answer(Status.OK, ("203.0.113.1",)),
        Answer(Status.NXDOMAIN),
    ]


@pytest.mark.parametrize(
    ("record_type", "value"),
    [("A", "mail.example.com"), ("A", "2001:db8::1"), ("AAAA", "192.0.2.1"), ("AAAA", "fe80::1%e")],
)
def test_an_address_that_is_none_is_not_served(record_type: RecordType, value: str) -> None:
    lookup = of(DnsRecord("1", "@", record_type, value), DnsRecord("2", "@", "A", "192.0.2.9"))
    (answer,) = lookup([Query("example.com", record_type)])
    assert value not in answer.values


def test_an_mx_at_the_apex_and_a_null_mx_are_read_as_dns_serves_them() -> None:
    lookup = of(DnsRecord("1", "@", "MX", "@", "10"), DnsRecord("2", "x", "MX", ".", "0"))
    assert lookup([Query("example.com", "MX"), Query("x.example.com", "MX")]) == [
        Answer(Status.OK, ("10 example.com",)),
        Answer(Status.OK, ("0 ",)),
    ]


def test_an_alias_leads_on_through_the_zone_and_out_of_it() -> None:
    lookup = of(
        DnsRecord("1", "a", "CNAME", "b.example.com."),
        DnsRecord("2", "b", "CNAME", "C.Example.Net"),
        DnsRecord("3", "*.w", "CNAME", "a.example.com"),
    )
    names = ["a.example.com", "x.w.example.com"]
    answers = lookup([Query(name, "A") for name in names])
    assert [answer.values for answer in answers] == [("outside c.example.net",)] * 2

"""What the name servers say about the names of a zone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import dns.flags
import pytest

from netcup_mailauth.sandbox import Quirks, Sandbox
from tests.sandbox.client import DOMAIN, SPF, txt
from tests.sandbox.dnsclient import answers, ask, authority, rcode

if TYPE_CHECKING:
    from collections.abc import Iterator

SOA = [(f"{DOMAIN}.", "SOA")]


def record(hostname: str, kind: str, destination: str, priority: int = 0) -> dict[str, object]:
    return {
        "hostname": hostname,
        "type": kind,
        "destination": destination,
        "priority": priority,
    }


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A name server with a zone as netcup begins it."""
    with Sandbox([DOMAIN]) as sandbox:
        yield sandbox.nameservers[0]


@contextmanager
def serving(*records: dict[str, object], **quirks: str) -> Iterator[str]:
    """A name server with just these records."""
    switches = Quirks(**quirks)  # type: ignore[arg-type]
    with Sandbox([], zones={DOMAIN: records}, quirks=switches) as sandbox:
        yield sandbox.nameservers[0]


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        (DOMAIN, "A", ["203.0.113.10"]),
        (DOMAIN, "AAAA", ["2001:db8::10"]),
        (DOMAIN, "MX", ["10 mail.example.com.", "50 mx4eb9.netcup.net."]),
        (
            DOMAIN,
            "TXT",
            ["google-site-verification=b6fa4eb9-a-record-of-somebody-else", SPF],
        ),
        (
            DOMAIN,
            "NS",
            ["root-dns.netcup.net.", "second-dns.netcup.net.", "third-dns.netcup.net."],
        ),
        ("mail.example.com", "A", ["203.0.113.25"]),
        ("MAIL.eXample.COM", "A", ["203.0.113.25"]),
    ],
)
def test_the_records_of_a_fresh_zone(server: str, name: str, kind: str, values: list[str]) -> None:
    answer = ask(server, name, kind)
    assert answers(answer, kind) == values
    assert answer.flags & dns.flags.AA
    assert not answer.flags & dns.flags.RA
    assert {rrset.ttl for rrset in answer.answer} == {86400}
    assert str(answer.answer[0].name) == f"{name}."


@pytest.mark.parametrize(
    ("kind", "destination", "served"),
    [
        ("SRV", "10 5 443 www.example.com", "10 5 443 www.example.com."),
        ("CAA", '0 issue "letsencrypt.org"', '0 issue "letsencrypt.org"'),
        ("TLSA", "3 1 1 " + "ab" * 32, "3 1 1 " + "ab" * 32),
        ("DS", "60485 5 1 " + "ab" * 20, "60485 5 1 " + "ab" * 20),
        ("SSHFP", "4 2 " + "ab" * 32, "4 2 " + "ab" * 32),
        ("MX", ".", "0 ."),
        ("CNAME", "docs.example.com", "docs.example.com."),
        ("CNAME", "docs.example.com.", "docs.example.com."),
    ],
)
def test_other_types(kind: str, destination: str, served: str) -> None:
    with serving(record("x", kind, destination)) as server:
        assert answers(ask(server, "x.example.com", kind), kind) == [served]


def test_a_target_may_be_the_apex() -> None:
    with serving(record("@", "MX", "@", 10), record("www", "CNAME", "@")) as server:
        assert answers(ask(server, DOMAIN, "MX"), "MX") == ["10 example.com."]
        assert answers(ask(server, "www.example.com", "CNAME"), "CNAME") == ["example.com."]


def test_a_name_with_its_zone_and_a_dot_is_that_name() -> None:
    with serving(txt("x.example.com.", "old"), txt("elsewhere.de.", "lost")) as server:
        assert answers(ask(server, "x.example.com", "TXT"), "TXT") == ["old"]


def test_equal_rows_are_one_record() -> None:
    """Two rows (L26) cannot be told apart in DNS."""
    with serving(txt("x", "same"), txt("X", "same")) as server:
        assert answers(ask(server, "x.example.com", "TXT"), "TXT") == ["same"]


def test_a_record_that_cannot_be_served_is_left_out() -> None:
    bad = [
        record("bad", "A", "no address"),
        record("bad", "MX", "mail.example.com", 65536),
        record("bad", "SRV", "few numbers"),
        record("bad", "CNAME", "two words"),
        record("bad", "CNAME", "a..b"),
        record("bad", "CAA", "nonsense"),
        record("bad", "TLSA", "1 2"),
        record("bad", "TXT", "\ud800"),
        record("bad", "TXT", "x" * 70_000),
        record("b..d", "A", "203.0.113.1"),
        record("x" * 64, "A", "203.0.113.1"),
        record(".".join(["x" * 63] * 4), "A", "203.0.113.1"),
    ]
    with serving(*bad, txt("@", "good")) as server:
        assert answers(ask(server, DOMAIN, "TXT"), "TXT") == ["good"]
        assert rcode(ask(server, "bad.example.com", "A")) == "NXDOMAIN"


# Names that are not there


def test_no_such_name(server: str) -> None:
    """Below `_domainkey` no wildcard reaches, as key1 and key2 make that name exist."""
    answer = ask(server, "dkim._domainkey.example.com", "TXT")
    assert rcode(answer) == "NXDOMAIN"
    assert authority(answer) == SOA
    assert answer.flags & dns.flags.AA


def test_no_such_type(server: str) -> None:
    answer = ask(server, "mail.example.com", "TXT")
    assert rcode(answer) == "NOERROR"
    assert not answer.answer
    assert authority(answer) == SOA


def test_a_name_with_only_names_below_exists(server: str) -> None:
    answer = ask(server, "_domainkey.example.com", "TXT")
    assert rcode(answer) == "NOERROR"
    assert authority(answer) == SOA


def test_the_denial_lasts_as_long_as_everything(server: str) -> None:
    denial = ask(server, "mail.example.com", "TXT").authority[0]
    assert denial.ttl == denial[0].minimum == 86400


# Wildcards (RFC 4592)


def test_the_wildcard_answers_for_names_that_are_not_there(server: str) -> None:
    for name in ("shop.example.com", "a.b.example.com", "*.example.com"):
        answer = ask(server, name, "A")
        assert answers(answer, "A") == ["203.0.113.10"]
        assert str(answer.answer[0].name) == f"{name}."


def test_the_wildcard_has_no_other_types(server: str) -> None:
    """A missing DMARC record is no NXDOMAIN in a fresh zone."""
    answer = ask(server, "_dmarc.example.com", "TXT")
    assert rcode(answer) == "NOERROR"
    assert authority(answer) == SOA


@pytest.mark.parametrize("name", ["mail.example.com", "_domainkey.example.com"])
def test_a_name_that_exists_blocks_the_wildcard(server: str, name: str) -> None:
    assert rcode(ask(server, name, "MX")) == "NOERROR"
    assert rcode(ask(server, f"x.{name}", "A")) == "NXDOMAIN"


def test_a_wildcard_deeper_down() -> None:
    with serving(txt("*.lists", "deep"), txt("a.b.lists", "own")) as server:
        assert answers(ask(server, "x.lists.example.com", "TXT"), "TXT") == ["deep"]
        assert answers(ask(server, "x.y.lists.example.com", "TXT"), "TXT") == ["deep"]
        assert rcode(ask(server, "lists.example.com", "TXT")) == "NOERROR"
        assert rcode(ask(server, "b.lists.example.com", "TXT")) == "NOERROR"
        assert rcode(ask(server, "x.b.lists.example.com", "TXT")) == "NXDOMAIN"
        assert rcode(ask(server, "x.example.com", "TXT")) == "NXDOMAIN"


def test_a_wildcard_alias() -> None:
    with serving(record("*", "CNAME", "@"), txt("@", "apex")) as server:
        answer = ask(server, "any.example.com", "TXT")
        assert answers(answer, "TXT") == ["apex"]
        assert answers(answer, "CNAME") == ["example.com."]


# Aliases


def test_an_alias_in_the_zone_is_followed(server: str) -> None:
    answer = ask(server, "www.example.com", "A")
    assert answers(answer, "CNAME") == ["example.com."]
    assert answers(answer, "A") == ["203.0.113.10"]


def test_an_alias_to_a_name_without_that_type(server: str) -> None:
    answer = ask(server, "www.example.com", "SRV")
    assert answers(answer, "CNAME") == ["example.com."]
    assert authority(answer) == SOA


def test_an_alias_out_of_the_zone_is_answered_alone(server: str) -> None:
    answer = ask(server, "key1._domainkey.example.com", "TXT")
    assert answers(answer, "CNAME") == ["key1._domainkey.webhosting.systems."]
    assert not answers(answer, "TXT")
    assert not answer.authority


def test_an_alias_to_nowhere_is_no_such_name() -> None:
    with serving(record("a", "CNAME", "b.example.com")) as server:
        answer = ask(server, "a.example.com", "TXT")
        assert rcode(answer) == "NXDOMAIN"
        assert answers(answer, "CNAME") == ["b.example.com."]


def test_aliases_in_a_circle_end() -> None:
    circle = record("a", "CNAME", "b.example.com"), record("b", "CNAME", "a.example.com")
    with serving(*circle) as server:
        answer = ask(server, "a.example.com", "TXT")
        assert len(answers(answer, "CNAME")) == 2


# Zones


def test_soa_shows_the_zone_as_the_api_does() -> None:
    with Sandbox([DOMAIN]) as sandbox:
        before = ask(sandbox.nameservers[0], DOMAIN, "SOA").answer[0][0]
        assert str(before.serial) == sandbox.stats()["serials"][DOMAIN]
        assert str(before.mname) == "root-dns.netcup.net."
        assert (before.refresh, before.retry, before.expire) == (28800, 7200, 1209600)
        sandbox.set_zone(DOMAIN, [txt("@", "new")])
        after = ask(sandbox.nameservers[0], DOMAIN, "SOA").answer[0][0]
        assert after.serial == before.serial + 1


@pytest.mark.parametrize("name", ["foreign.de", "com", ".", "example.com.de", "notexample.com"])
def test_foreign_names_are_refused(server: str, name: str) -> None:
    answer = ask(server, name, "A")
    assert rcode(answer) == "REFUSED"
    assert not answer.flags & dns.flags.AA


def test_zones_on_clouddns_are_served_too() -> None:
    with Sandbox([DOMAIN], clouddns=["example.org"]) as sandbox:
        for server in sandbox.nameservers:
            assert answers(ask(server, "example.org", "A"), "A") == ["203.0.113.10"]


def test_a_part_of_the_zone_given_to_others_is_referred_to_them() -> None:
    """The API creates no NS (L34), but an old zone may hold some."""
    with serving(record("sub", "NS", "ns.example.net"), txt("x.sub", "hidden")) as server:
        answer = ask(server, "x.sub.example.com", "TXT")
        assert not answer.flags & dns.flags.AA
        assert not answer.answer
        assert authority(answer) == [("sub.example.com.", "NS")]


def test_any_gives_all_types(server: str) -> None:
    kinds = {rrset.rdtype.name for rrset in ask(server, "mail.example.com", "ANY").answer}
    assert kinds == {"A", "AAAA"}

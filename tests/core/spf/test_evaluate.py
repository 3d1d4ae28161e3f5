"""What ``check_host`` promises beyond the RFC 7208 suite."""

from __future__ import annotations

from typing import Any

import pytest

from netcup_mailauth.lookup import Query
from netcup_mailauth.spf import Evaluation, Result, check_host
from tests.core.spf.zones import Zones


def check(
    text: str, zones: dict[str, Any] | None = None, ip: str = "192.0.2.1", **more: Any
) -> Evaluation:
    """Judge a proposed record of example.com."""
    lookup = Zones(zones or {})
    return check_host(ip, "example.com", "me@example.com", lookup, record=text, **more)


def test_a_proposed_record_is_judged_instead_of_the_published_one() -> None:
    zones = Zones({"example.com": [{"SPF": "v=spf1 +all"}]})
    found = check_host("192.0.2.1", "Example.com.", "me@example.com", zones, record="v=spf1 -all")
    assert found.result is Result.FAIL
    assert zones.asked == []


def test_a_proposed_record_that_includes_its_own_domain_meets_itself() -> None:
    found = check("v=spf1 include:example.com ~all")
    assert found.result is Result.PERMERROR
    assert "more than 10" in found.problem


def test_the_term_that_matched_is_named() -> None:
    found = check("v=spf1 ~mx IP4:192.0.2.0/24 -all", {"example.com": [{"MX": [0, "b.example"]}]})
    assert found.result is Result.PASS
    assert found.term is not None
    assert found.term.text == "IP4:192.0.2.0/24"


def test_no_match_is_neutral_and_names_no_term() -> None:
    assert check("v=spf1") == Evaluation(Result.NEUTRAL)


def test_the_third_void_look_up_is_a_permerror_that_names_the_name() -> None:
    found = check("v=spf1 a:x.example mx:y.example exists:z.example ~all")
    assert found.result is Result.PERMERROR
    assert "z.example" in found.problem


def test_mail_hosts_without_an_address_are_one_void_look_up() -> None:
    zones = {"example.com": [{"MX": [10, "a.example"]}, {"MX": [20, "b.example"]}]}
    one_more = "v=spf1 mx a:y.example ~all"
    assert check(one_more, zones).result is Result.SOFTFAIL
    assert check(f"{one_more[:-4]}a:z.example ~all", zones).result is Result.PERMERROR


def test_the_addresses_of_all_mail_hosts_are_asked_for_in_one_batch() -> None:
    zones = Zones(
        {
            "example.com": [
                {"SPF": "v=spf1 mx -all"},
                {"MX": [1, "a.example"]},
                {"MX": [2, "B.example"]},
            ],
            "b.example": [{"A": "192.0.2.1"}],
        }
    )
    found = check_host("192.0.2.1", "example.com", "me@example.com", zones)
    assert found.result is Result.PASS
    assert zones.batches[-1] == [Query("a.example", "A"), Query("b.example", "A")]


def test_a_silent_mail_host_is_a_temperror() -> None:
    zones = {"example.com": [{"MX": [10, "mail.example"]}], "mail.example": ["SERVFAIL"]}
    found = check("v=spf1 mx -all", zones)
    assert found.result is Result.TEMPERROR
    assert "mail.example" in found.problem


def test_a_failing_server_is_a_temperror() -> None:
    found = check("v=spf1 a:b.example -all", {"b.example": ["SERVFAIL"]})
    assert found.result is Result.TEMPERROR
    assert found.problem == "DNS gives no answer for A of b.example (servfail)"


def test_eleven_mail_hosts_are_a_permerror() -> None:
    hosts = [{"MX": [i, f"m{i}.example"]} for i in range(11)]
    assert "more than 10 MX" in check("v=spf1 mx -all", {"example.com": hosts}).problem


@pytest.mark.parametrize("name", ["", "localhost", "[192.0.2.1]", "a..b", "x" * 64 + ".example"])
def test_a_domain_that_is_none_has_no_policy(name: str) -> None:
    found = check_host("192.0.2.1", name, f"me@{name}", Zones({}))
    assert found.result is Result.NONE
    assert "no domain name" in found.problem


def test_an_included_domain_without_record_is_named_as_the_culprit() -> None:
    found = check("v=spf1 include:gone.example -all")
    assert found.result is Result.PERMERROR
    assert found.problem == "include:gone.example: gone.example has no SPF record"


def test_a_redirect_to_a_domain_without_record_is_named_as_the_culprit() -> None:
    assert check("v=spf1 redirect=gone.example").problem.startswith("redirect=gone.example: ")


def test_two_records_are_a_permerror() -> None:
    zones = Zones({"example.com": [{"SPF": "v=spf1 mx"}, {"SPF": "v=spf1 a"}]})
    found = check_host("192.0.2.1", "example.com", "me@example.com", zones)
    assert found.problem == "example.com has 2 SPF records (RFC 7208 4.5)"


def test_a_syntax_error_is_a_permerror_that_says_which() -> None:
    found = check("v=spf1 ip4:192.0.2.0/33 -all")
    assert found.result is Result.PERMERROR
    assert "longer than 32" in found.problem


def test_a_local_part_that_is_not_ascii_matches_nothing() -> None:
    zones = Zones({"example.com": [{"SPF": "v=spf1 exists:%{l}.example.com ~all"}]})
    found = check_host("192.0.2.1", "example.com", "jürgen@example.com", zones)
    assert found.result is Result.SOFTFAIL
    assert len(zones.asked) == 1


def test_a_bare_domain_sends_as_postmaster() -> None:
    zones = {"postmaster.example.com": [{"A": "127.0.0.2"}]}
    found = check_host(
        "192.0.2.1", "example.com", "example.com", Zones(zones), record="v=spf1 exists:%{l}.%{o}"
    )
    assert found.result is Result.PASS


def test_ipv6_is_expanded_nibble_by_nibble() -> None:
    zones = Zones({})
    check_host(
        "2001:db8::cb01",
        "a.example",
        "me@a.example",
        zones,
        record="v=spf1 exists:%{ir}.%{v}.x.example",
    )
    assert zones.asked[0].name == f"1.0.b.c.{'0.' * 20}8.b.d.0.1.0.0.2.ip6.x.example"


def test_the_sender_may_be_part_of_a_name_and_one_that_grew_too_long_loses_labels() -> None:
    zones = Zones({})
    helo = ".".join("abcde"[n] * 60 for n in range(5))
    record = "v=spf1 exists:%{s}.x.example exists:%{h}.x.example ?all"
    check_host("192.0.2.1", "example.com", "me@example.com", zones, helo=helo, record=record)
    assert [query.name for query in zones.asked] == [
        "me@example.com.x.example",
        f"{helo.partition('.')[2]}.x.example",
    ]


def test_a_name_that_grew_too_long_for_dns_is_not_asked_for() -> None:
    zones = Zones({})
    found = check_host(
        "192.0.2.1",
        "example.com",
        f"{'x' * 300}@example.com",
        zones,
        record="v=spf1 exists:%{l}%{l} ?all",
    )
    assert found.result is Result.NEUTRAL
    assert zones.asked == []


def test_reverse_names_that_do_not_answer_are_passed_over() -> None:
    zones = {
        "1.2.0.192.in-addr.arpa": [{"PTR": "slow.example.com"}, {"PTR": "Mail.Example.com."}],
        "slow.example.com": ["TIMEOUT"],
        "mail.example.com": [{"A": "192.0.2.1"}],
    }
    assert check("v=spf1 ptr -all", zones).result is Result.PASS
    assert check("v=spf1 ptr -all", {"1.2.0.192.in-addr.arpa": ["TIMEOUT"]}).result is Result.FAIL


def test_a_server_without_a_name_is_a_void_look_up_of_each_ptr() -> None:
    assert check("v=spf1 ptr ptr:b.example ~all").result is Result.SOFTFAIL
    assert check("v=spf1 ptr ptr:b.example a:gone.example ~all").result is Result.PERMERROR
    assert check("v=spf1 exists:%{p}.b.example ptr ~all").result is Result.SOFTFAIL
    assert check("v=spf1 exists:%{p}.b.example ptr ptr ~all").result is Result.PERMERROR


def test_the_names_of_the_sending_server_are_asked_for_once() -> None:
    zones = Zones({"1.2.0.192.in-addr.arpa": [{"PTR": "mail.example.net"}]})
    text = "v=spf1 ptr ptr:example.net exists:%{p}.x.example ~all"
    check_host("192.0.2.1", "example.com", "me@example.com", zones, record=text)
    assert [query.type for query in zones.asked] == ["PTR", "A", "A"]


def test_an_ip_address_that_is_none_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        check("v=spf1 -all", ip="nonsense")

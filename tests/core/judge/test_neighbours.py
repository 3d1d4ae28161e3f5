"""What mail depends on beside the three records: told once, gravest first, and never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.judge import neighbours
from netcup_mailauth.judge.neighbours import exchanges
from netcup_mailauth.lookup import ZoneLookup
from tests.core.judge.cases import zone
from tests.core.judge.samples import DOMAIN, SPF, apex, world

if TYPE_CHECKING:
    from netcup_mailauth.findings import Finding

Changes = dict[str, list[Any] | None]
V4 = "25.113.0.203.in-addr.arpa"
V6 = "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"


def found(changes: Changes | None = None, hosts: tuple[str, ...] = ()) -> list[Finding]:
    return list(neighbours.findings(DOMAIN, hosts, world(changes)))


def named(changes: Changes | None = None, hosts: tuple[str, ...] = ()) -> list[str]:
    return [finding.code for finding in found(changes, hosts)]


def mx(*hosts: str) -> Changes:
    return apex(SPF, mx=[{"MX": [10 * n, host]} for n, host in enumerate(hosts, 1)])


def test_the_faultless_domain() -> None:
    assert found() == []


STALE = {
    "mx2f31.netcup.net": [{"A": "198.51.100.25"}],
    "mx2f32.netcup.net": [{"A": "198.51.100.26"}],
}


def test_netcups_own_mx_beside_ours_comes_first_and_once() -> None:
    changes = {
        **mx("mail.example.com", "mx2f31.netcup.net", "mx2f32.netcup.net"),
        **STALE,
        V4: None,
    }
    first, second = found(changes)
    assert (first.code, second.code) == ("stale-netcup-mail", "reverse-dns")
    assert "mx2f31.netcup.net and mx2f32.netcup.net are netcup's own" in first.message
    # Who has nothing else has his mailboxes there, and does not rent the server.
    assert named({**mx("mx2f31.netcup.net"), **STALE}) == []


@pytest.mark.parametrize(
    "host",
    ["mx2f31.netcup.net", "MX2F31.NetCup.NET", "example-com.netcup-mail.de", "a.NETCUP-MAIL.DE"],
)
def test_netcups_mail_hosts_in_any_case_and_those_of_its_groupware(host: str) -> None:
    assert neighbours.stale([host, "mail.example.com"]) == (host,)
    assert neighbours.is_mail_at_netcup([host, f"{host}."])
    assert not neighbours.is_mail_at_netcup([host, "mail.example.com"])


@pytest.mark.parametrize(
    "host", ["root-dns.netcup.net", "mxyz.netcup.net", "netcup-mail.de", "mx1.netcup.net.example"]
)
def test_other_hosts_are_not_netcups_mail(host: str) -> None:
    assert not neighbours.is_netcup(host)
    assert not neighbours.is_mail_at_netcup([])


@pytest.mark.parametrize(
    ("said", "own"),
    [
        ((), ("mail.example.com", "filter.example.net")),
        (("203.0.113.25",), ("203.0.113.25", "mail.example.com")),
        (("2001:db8::25",), ("2001:db8::25", "mail.example.com")),
        (("server.example.com",), ("server.example.com", "mail.example.com")),
        (("mail.example.com",), ("mail.example.com",)),
        (("198.51.100.7",), ("198.51.100.7",)),
    ],
)
def test_an_mx_that_has_an_address_of_the_server_is_the_server(
    said: tuple[str, ...], own: tuple[str, ...]
) -> None:
    lookup = world(
        {
            **mx("mail.example.com", "filter.example.net"),
            "filter.example.net": [{"A": "198.51.100.1"}],
            "server.example.com": [{"A": "203.0.113.25"}],
        }
    )
    assert neighbours.own_hosts(said, exchanges(DOMAIN, lookup), lookup) == own


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (apex(SPF, mx=[]), "goes to its web address (203.0.113.10)"),
        ({DOMAIN: [{"TXT": SPF}]}, "goes to nowhere"),
    ],
)
def test_no_mx_says_where_mail_goes_instead(changes: Changes, words: str) -> None:
    (finding,) = [f for f in found(changes) if f.code == "mx-missing"]
    assert words in finding.message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (mx("gone.example.com"), "gone.example.com has no address"),
        (mx("203.0.113.25"), "is an address"),
        ({**mx("alias.example.com"), "alias.example.com": [{"CNAME": "mail.example.com"}]},
         "is a CNAME to mail.example.com"),
    ],
)  # fmt: skip
def test_an_mx_that_mail_cannot_be_delivered_to(changes: Changes, words: str) -> None:
    class WithAliases:
        """The dictionary follows aliases; asked for one, it has to say so."""

        def __init__(self) -> None:
            self.zones = world(changes)

        def __call__(self, queries: Any) -> Any:
            from netcup_mailauth.lookup import Answer, Status

            return [
                Answer(Status.OK, ("mail.example.com",))
                if (q.type, q.name) == ("CNAME", "alias.example.com")
                else self.zones([q])[0]
                for q in queries
            ]

    findings = list(neighbours.findings(DOMAIN, (), WithAliases()))
    (finding,) = [f for f in findings if f.code == "mx-broken"]
    assert words in finding.message


def test_silence_of_dns_is_no_finding() -> None:
    silent: Changes = {
        DOMAIN: ["TIMEOUT"],
        "_mta-sts.example.com": ["TIMEOUT"],
        "_smtp._tls.example.com": ["SERVFAIL"],
    }
    assert found(silent) == []
    assert named({"mail.example.com": ["TIMEOUT"]}) == []
    assert named({V4: ["SERVFAIL"]}) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({V4: None}, "is not set"),
        ({V6: [{"PTR": "gone.example.com"}]}, "is gone.example.com, which does not lead back"),
        ({V4: [{"PTR": "mail.example.net"}], "mail.example.net": [{"A": "192.0.2.1"}]},
         "is mail.example.net, which does not lead back"),
    ],
)  # fmt: skip
def test_reverse_dns_has_to_lead_back(changes: Changes, words: str) -> None:
    (finding,) = found(changes)
    assert finding.code == "reverse-dns"
    assert words in finding.message
    assert "Set it to mail.example.com" in finding.advice


def test_reverse_dns_of_an_address_names_no_address_to_set_it_to() -> None:
    (finding,) = [f for f in found(hosts=("192.0.2.9",)) if f.code == "reverse-dns"]
    assert "Set it to the server's host name" in finding.advice


def test_where_forward_dns_is_silent_reverse_dns_is_not_blamed() -> None:
    assert named({V4: [{"PTR": "x.example"}], "x.example": ["TIMEOUT"]}) == []


WEB = [{"A": "203.0.113.10"}]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"autodiscover.example.com": WEB, "autoconfig.example.com": WEB, "*.example.com": WEB},
         "autodiscover.example.com and autoconfig.example.com do not lead to the mail server; the "
         "wildcard *.example.com answers for them."),
        ({"autoconfig.example.com": WEB},
         "autoconfig.example.com does not lead to the mail server."),
        ({"autoconfig.example.com": WEB, "*.example.com": WEB},
         "autoconfig.example.com does not lead to the mail server; the wildcard *.example.com "
         "answers for it."),
    ],
)  # fmt: skip
def test_mail_programs_that_a_wildcard_sends_elsewhere(changes: Changes, words: str) -> None:
    (finding,) = found(changes)
    assert (finding.code, finding.severity.value) == ("autodiscover-elsewhere", "note")
    assert words in finding.message


def test_one_address_of_the_mail_server_is_enough_for_mail_programs() -> None:
    assert found({"autoconfig.example.com": [{"AAAA": "2001:db8::25"}]}) == []


def test_mta_sts_and_tls_reports_are_only_noted() -> None:
    changes: Changes = {"_mta-sts.example.com": None, "_smtp._tls.example.com": None}
    assert [(f.code, f.severity.value) for f in found(changes)] == [
        ("mta-sts", "note"), ("tls-rpt", "note"),
    ]  # fmt: skip


NOTHING: Changes = {"_mta-sts.example.com": None, "_smtp._tls.example.com": None, V4: None}


def test_a_domain_that_takes_no_mail_is_not_nagged_but_its_sender_is_looked_at() -> None:
    null = {**NOTHING, **mx("")}
    assert named(null) == []
    assert named(null, hosts=("mail.example.com",)) == ["reverse-dns"]


def test_a_null_mx_is_the_same_from_dns_and_from_netcups_copy() -> None:
    from_api = ZoneLookup(zone("@ MX 0 ."), world())
    assert exchanges(DOMAIN, from_api).is_null
    assert exchanges(DOMAIN, world(mx(""))).is_null
    assert not exchanges(DOMAIN, world()).is_null


def test_the_preferred_host_comes_first() -> None:
    data = apex(SPF, mx=[{"MX": [100, "b.example"]}, {"MX": [9, "a.example"]}])
    assert exchanges(DOMAIN, world(data)).hosts == ("a.example", "b.example")


@pytest.mark.parametrize(
    ("name", "address", "generic"),
    [
        ("203-0-113-25.static.provider.example", "203.0.113.25", True),
        ("25.113.0.203.provider.example", "203.0.113.25", True),
        ("ip203.0.113.025.provider.example", "203.0.113.25", True),
        ("v2202611123456789.quicksrv.de", "203.0.113.25", True),
        ("2001-db8-0-0-0-0-0-25.provider.example", "2001:db8::25", False),  # nothing is padded
        ("20010db8000000000000000000000025.example", "2001:db8::25", True),
        ("mail.example.com", "203.0.113.25", False),
        ("mail.example.com", "2001:db8::25", False),
        ("mx25.113.example.com", "203.0.113.25", False),
        ("v2.goodsrv.de", "203.0.113.25", False),
    ],
)
def test_a_name_made_of_its_address_is_generic(name: str, address: str, generic: bool) -> None:
    assert neighbours.is_generic(name, address) == generic


def test_a_generic_name_that_leads_back_is_a_warning() -> None:
    name = "203-0-113-25.static.provider.example"
    changes: Changes = {V4: [{"PTR": name}], name: [{"A": "203.0.113.25"}]}
    [finding] = found(changes)
    assert (finding.code, finding.severity.value) == ("reverse-dns-generic", "warning")
    assert f"is {name}" in finding.message
    # Where it does not lead back either, that is what is said.
    assert named({V4: [{"PTR": name}]}) == ["reverse-dns"]


NETCUPS = [{"NS": "root-dns.netcup.net"}, {"NS": "second-dns.netcup.net"}]
V4_24, V4_16, V6_32 = "113.0.203.in-addr.arpa", "0.203.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"


@pytest.mark.parametrize(
    ("changes", "who"),
    [
        ({V4_24: NETCUPS}, ("mail.example.com (203.0.113.25) stands",)),
        ({V4_16: [{"NS": "third-dns.netcup.net"}]}, ("(203.0.113.25) stands",)),
        ({V6_32: NETCUPS}, ("mail.example.com (2001:db8::25) stands",)),
        (
            {V4_24: NETCUPS, V6_32: NETCUPS},
            ("mail.example.com (203.0.113.25) and mail.example.com (2001:db8::25) stand at",),
        ),
    ],
)
def test_what_t_online_asks_of_a_server_at_netcup_is_noted_once(
    changes: Changes, who: tuple[str, ...]
) -> None:
    [finding] = found(changes)
    assert (finding.code, finding.severity.value) == ("reverse-dns-contact", "note")
    assert all(part in finding.message for part in who)
    assert "reverse DNS (mail.example.com)" in finding.message
    assert "Impressum" in finding.message


@pytest.mark.parametrize(
    "changes",
    [
        {V4_24: [{"NS": "ns1.provider.example"}]},
        {V4_24: [{"NS": "ns.netcup.net.example"}]},
        {V4_24: [{"NS": "notnetcup.net"}]},
        {V4_24: ["TIMEOUT"], V4_16: ["SERVFAIL"], V6_32: ["TIMEOUT"]},
    ],
)
def test_of_servers_elsewhere_nothing_is_noted(changes: Changes) -> None:
    assert found(changes) == []


def test_a_server_with_the_name_that_netcup_gave_it_stands_at_netcup() -> None:
    name = "v2202611123456789.quicksrv.de"
    changes: Changes = {V4: [{"PTR": name}], name: [{"A": "203.0.113.25"}]}
    assert named(changes) == ["reverse-dns-generic", "reverse-dns-contact"]
    # Where the name does not lead back, that comes first.
    assert named({V4: [{"PTR": name}], V4_24: NETCUPS}) == ["reverse-dns"]


def test_netcups_own_mail_servers_are_netcups_to_answer_for() -> None:
    host = {"mx2f31.netcup.net": [{"A": "198.51.100.25"}]}
    pointer: Changes = {
        "25.100.51.198.in-addr.arpa": [{"PTR": "mx2f31.netcup.net"}],
        "100.51.198.in-addr.arpa": NETCUPS,
    }
    assert named({**mx("mx2f31.netcup.net"), **host, **pointer}) == []

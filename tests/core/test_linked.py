"""Domains of one run that send their DMARC reports to each other."""

from __future__ import annotations

from typing import Any

import pytest

from netcup_mailauth.desired import report_authorisation, report_authorisations
from netcup_mailauth.plan import Action, Place, applied, compute
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, Wish, linked
from netcup_mailauth.records import Kind, zone_form
from tests.core.judge.cases import CLEAN, codes, judged, zone


def sends_to(domain: str, *addresses: str) -> Wish:
    return Wish(domain, DomainPolicy(dmarc=DmarcPolicy(rua=list(addresses))))


def silent(domain: str, **policy: Any) -> Wish:
    return Wish(domain, DomainPolicy(**policy))


def links(*wishes: Wish) -> dict[str, tuple[tuple[str, str], ...]]:
    return {wish.domain: wish.authorises for wish in linked(wishes) if wish.authorises}


def test_the_receiving_domain_learns_whose_reports_it_takes_and_the_sender_that_it_may() -> None:
    sender, receiver = sends_to("example.com", "mailto:d@example.net"), silent("example.net")
    first, second = linked([sender, receiver])
    assert second.authorises == (("example.com", "example.net"),)
    assert first.coming["example.com._report._dmarc.example.net"] == "v=DMARC1"
    assert first.authorises == ()


def test_the_address_may_be_at_a_host_below_the_receiving_domain() -> None:
    found = linked([sends_to("example.com", "mailto:d@r.example.net"), silent("example.net")])
    assert found[1].authorises == (("example.com", "r.example.net"),)
    assert "example.com._report._dmarc.r.example.net" in found[0].coming


def test_the_nearest_domain_takes_the_reports() -> None:
    wishes = (
        sends_to("example.com", "mailto:d@x.intern.example.net"),
        silent("example.net"),
        silent("intern.example.net"),
    )
    assert links(*wishes) == {"intern.example.net": (("example.com", "x.intern.example.net"),)}


def test_two_that_take_each_others_reports_and_a_third_at_one_of_them() -> None:
    wishes = (
        sends_to(
            "example.com", "mailto:d@example.net", "mailto:e@Example.NET", "mailto:f@example.com"
        ),
        sends_to("example.net", "mailto:d@example.com"),
        sends_to("example.org", "mailto:d@example.com"),
    )
    assert links(*wishes) == {
        "example.com": (("example.net", "example.com"), ("example.org", "example.com")),
        "example.net": (("example.com", "example.net"),),
    }


@pytest.mark.parametrize(
    ("domain", "address", "receiver"),
    [
        ("example.com", "mailto:d@example.com", "example.com"),
        ("example.com", "mailto:d@reports.example.com", "example.com"),
        ("intern.example.com", "mailto:d@example.com", "example.com"),
        ("intern.example.com", "mailto:d@b.example.com", "b.example.com"),
        ("a.co.uk", "mailto:d@mail.a.co.uk", "a.co.uk"),
    ],
)
def test_one_organisation_needs_no_agreement_with_itself(
    domain: str, address: str, receiver: str
) -> None:
    policies = {"example.com": DmarcPolicy(policy="none"), "a.co.uk": DmarcPolicy(policy="none")}
    names = dict.fromkeys((receiver, *policies))
    others = [silent(name, dmarc=policies.get(name)) for name in names if name != domain]
    wishes = linked([sends_to(domain, address), *others])
    (theirs,) = (wish for wish in wishes if wish.domain == receiver)
    in_zone = zone("@ A 203.0.113.1", name=zone_form(receiver))
    assert report_authorisations(theirs, in_zone) == []


def test_a_neighbour_under_one_suffix_or_with_a_similar_name_is_another() -> None:
    wishes = (
        sends_to("a.co.uk", "mailto:d@b.co.uk"),
        silent("b.co.uk"),
        sends_to("example.com", "mailto:d@notexample.net"),
        silent("example.net"),
    )
    assert links(*wishes) == {"b.co.uk": (("a.co.uk", "b.co.uk"),)}


def test_a_record_given_whole_names_its_addresses_and_one_that_is_left_alone_none() -> None:
    whole = DmarcPolicy(
        record="v=DMARC1;p=none;rua=mailto:a@example.net!10m, https://example.org/r"
    )
    receivers = (silent("example.net"), silent("example.org", dkim=DkimPolicy(source="-")))
    assert links(silent("example.com", dmarc=whole), *receivers) == {
        "example.net": (("example.com", "example.net"),),
        "example.org": (("example.com", "example.org"),),
    }
    assert links(silent("example.com", dmarc=False), *receivers) == {}
    parts = DmarcPolicy(policy="none")
    assert links(silent("example.com", dmarc=parts), *receivers) == {}


def test_the_agreement_is_planned_in_the_receiving_zone_and_once_there_is_kept() -> None:
    sender, receiver = linked(
        [sends_to("example.com", "mailto:d@example.net"), silent("example.net")]
    )
    theirs, place = zone("@ A 203.0.113.1", name="example.net"), Place("example.net", "example.net")
    ((domain, host),) = receiver.authorises
    (change,) = compute(place, theirs, [report_authorisation(domain, host, theirs)]).changes
    assert (change.action, change.kind) == (Action.CREATE, Kind.DMARC_REPORT)
    assert change.hostname == "example.com._report._dmarc"
    after = applied(theirs, [change])
    again = compute(place, after, [report_authorisation(domain, host, after)])
    assert again.changes == ()
    assert [kept.kind for kept in again.unchanged] == [Kind.DMARC_REPORT]
    found = judged(CLEAN, sender.policy, coming=sender.coming)
    assert "dmarc-report-not-authorised" not in codes(found)


def test_failure_reports_are_taken_as_well() -> None:
    text = "v=DMARC1;p=none;rua=mailto:d@example.com;ruf=mailto:f@example.net"
    sender = Wish("example.com", DomainPolicy(dmarc=DmarcPolicy(record=text)))
    assert links(sender, silent("example.net")) == {
        "example.net": (("example.com", "example.net"),)
    }


@pytest.mark.parametrize("text", [" v=DMARC1", "v=dmarc1;", '"v=DMARC1', "V=DMARC1;"])
def test_a_near_miss_of_an_authorisation_gets_no_second_one_beside_it(text: str) -> None:
    name = "example.com._report._dmarc"
    before = zone(f"{name} TXT {text}", name="example.net")
    wanted = report_authorisation("example.com", "example.net", before)
    place = Place("example.net", "example.net")
    after = applied(before, compute(place, before, [wanted]).changes)
    (record,) = after.at(name, "TXT")
    assert record.destination == (text if text.startswith("V") else "v=DMARC1")

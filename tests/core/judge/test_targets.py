"""What is looked for: what is wanted, else what was written from here, else what is published."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.judge.compare import (
    LONGEST_ON_ITS_WAY,
    Known,
    Target,
    desired_of,
    is_nowhere,
    may_be_coming,
    netcup_selectors,
    targets_of,
)
from netcup_mailauth.lookup import Query, Survey, ZoneLookup
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy, Wish
from netcup_mailauth.records import DesiredRecord, Kind, Zone
from tests.core.judge.cases import source, zone
from tests.core.judge.samples import DMARC, DOMAIN, KEY, ONE, OTHER_KEY, SPF, TWO, said, world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.lookup import ServerAnswer

WHOLE = DomainPolicy(spf=SpfPolicy(record=SPF))
PARTS = DomainPolicy(spf=SpfPolicy(require=["ip4:192.0.2.7"]))
JOURNAL = (DesiredRecord(Kind.SPF, "@", "v=spf1 a -all"),)


def known(policy: DomainPolicy | None = None, domain: str = DOMAIN, **more: Any) -> Known:
    authorises = more.pop("authorises", ())
    wish = Wish(domain, policy or DomainPolicy(), authorises=authorises)
    return Known(wish, more.pop("zone", DOMAIN), **more)


def asked(
    one: Known, *answers: dict[str, ServerAnswer], order: Sequence[Any] = (ONE, TWO)
) -> Survey:
    """A survey of servers that say this; what is not said does not exist."""
    queries = tuple(Query(name, "TXT") for name in one.names())
    by_server = {
        server: tuple(own.get(query.name, said()) for query in queries)
        for server, own in zip((ONE, TWO), answers, strict=False)
    }
    return Survey(queries, by_server, tuple(s for s in order if s in by_server))


def targets(one: Known, *answers: dict[str, ServerAnswer]) -> tuple[Target, ...]:
    return targets_of(one, desired_of(one, asked(one, *(answers or ({},))))[0])


def test_nothing_wanted_and_nothing_remembered_judges_the_three_records() -> None:
    one = known()
    assert one.by_itself == (Kind.SPF, Kind.DKIM, Kind.DMARC)
    assert targets(one) == (
        Target(Kind.SPF, DOMAIN),
        Target(Kind.DKIM, f"dkim._domainkey.{DOMAIN}"),
        Target(Kind.DMARC, f"_dmarc.{DOMAIN}"),
    )
    assert [t.kind for t in targets(known(kinds=(Kind.DMARC,)))] == [Kind.DMARC]


def test_a_kind_of_which_nothing_is_wanted_is_judged_by_itself() -> None:
    assert targets(known(WHOLE)) == (
        Target(Kind.SPF, DOMAIN, SPF),
        Target(Kind.DKIM, f"dkim._domainkey.{DOMAIN}"),
        Target(Kind.DMARC, f"_dmarc.{DOMAIN}"),
    )
    assert [t.kind for t in targets(known(WHOLE, kinds=(Kind.SPF,)))] == [Kind.SPF]


def test_a_kind_that_the_config_excludes_is_not_looked_at() -> None:
    policy = DomainPolicy(spf=SpfPolicy(record=SPF), dkim=False)
    assert [t.kind for t in targets(known(policy))] == [Kind.SPF, Kind.DMARC]


def test_what_was_written_from_here_only_tells_what_is_on_its_way() -> None:
    spf, dkim, dmarc = targets(known(coming=JOURNAL))
    assert spf == Target(Kind.SPF, DOMAIN, None, "v=spf1 a -all")
    assert (dkim.promise, dmarc.promise) == (None, None)
    assert targets(known(WHOLE, coming=JOURNAL))[0] == Target(Kind.SPF, DOMAIN, SPF)
    assert [t.kind for t in targets(known(coming=JOURNAL, kinds=(Kind.DKIM,)))] == [Kind.DKIM]
    report = DesiredRecord(Kind.DMARC_REPORT, "other.example._report._dmarc", "v=DMARC1")
    name = f"other.example._report._dmarc.{DOMAIN}"
    last = Target(Kind.DMARC_REPORT, name, None, "v=DMARC1")
    assert targets(known(coming=(report,)))[-1] == last


def test_what_was_written_long_ago_is_nothing_to_wait_for() -> None:
    report = DesiredRecord(Kind.DMARC_REPORT, "other.example._report._dmarc", "v=DMARC1")
    assert targets(known(remembered=(*JOURNAL, report))) == targets(known())
    assert targets(known(WHOLE, remembered=JOURNAL)) == targets(known(WHOLE))


@pytest.mark.parametrize(
    ("age", "coming"),
    [
        (timedelta(0), True),
        (LONGEST_ON_ITS_WAY - timedelta(seconds=1), True),
        (LONGEST_ON_ITS_WAY, False),
        (timedelta(days=400), False),
        (-timedelta(minutes=5), True),  # a clock that was set back a little since
        (-LONGEST_ON_ITS_WAY, False),  # and one that was years ahead when it was written
    ],
)
def test_a_write_may_be_on_its_way_for_some_hours_by_a_clock_that_may_be_set_back(
    age: timedelta, coming: bool
) -> None:
    now = datetime(2026, 11, 27, 12, tzinfo=UTC)
    assert may_be_coming(now - age, now) is coming
    assert not may_be_coming(datetime.min.replace(tzinfo=UTC), now)


def test_a_selector_alone_is_no_wish() -> None:
    one = known(DomainPolicy(dkim=DkimPolicy(selector="S2026")), coming=JOURNAL)
    assert one.managed == ()
    assert one.selectors == ("s2026",)


def test_the_selector_written_from_here_is_where_to_look_without_netcups_copy() -> None:
    remembered = (DesiredRecord(Kind.DKIM, "s7._domainkey", KEY),)
    assert known(remembered=remembered).selectors == ("s7",)
    assert known(remembered=remembered, live=LIVE).selectors == ("s1",)


LIVE = zone("@ TXT v=spf1 mx -all", f"s1._domainkey TXT {KEY}", f"_dmarc TXT {DMARC}")


@pytest.mark.parametrize(
    ("live", "promise"),
    [
        (LIVE, SPF),
        (zone("@ TXT v=spf1 +mx -all"), SPF),  # the same by meaning
        (zone("@ TXT v=spf1 a -all"), None),
        (zone("@ TXT v=spf1 mx -all", "@ TXT v=spf1 a -all"), None),
        (zone("@ TXT v=spf1 mx -all", "@ CNAME x.example"), None),
        (zone(), None),
    ],
    ids=["exactly", "same-meaning", "another", "two", "cname", "none"],
)
def test_only_netcup_holding_exactly_what_is_wanted_is_a_promise(live: Any, promise: Any) -> None:
    assert targets(known(WHOLE, live=live))[0] == Target(Kind.SPF, DOMAIN, SPF, promise)


def test_what_stands_below_a_delegation_is_no_promise() -> None:
    live = zone(f"_dmarc TXT {DMARC}", "_dmarc NS ns.vendor.example")
    assert targets(known(live=live))[2].promise is None


def test_netcups_copy_wins_over_the_journal_as_a_promise() -> None:
    target = targets(known(coming=JOURNAL, live=LIVE))[0]
    assert (target.expected, target.promise) == (None, SPF)
    wanted = DomainPolicy(spf=SpfPolicy(record="v=spf1 a -all"))
    assert targets(known(wanted, coming=JOURNAL))[0].promise == "v=spf1 a -all"


def test_what_is_published_is_coming_if_netcups_copy_is_valid() -> None:
    spf, dkim, dmarc = targets(known(live=LIVE))
    assert (spf.expected, spf.promise, spf.wanted) == (None, SPF, SPF)
    assert (dkim.name, dkim.promise) == (f"s1._domainkey.{DOMAIN}", KEY)
    assert dmarc.promise == DMARC
    assert targets(known(live=zone("@ TXT v=spf1 bad:")))[0].promise is None


def test_the_selectors_are_the_named_one_else_netcups_else_the_default() -> None:
    live = zone(f"s1._domainkey TXT {KEY}", "s2._domainkey TXT v=DKIM1;p=",
                "*._domainkey TXT x", "key1._domainkey CNAME x.example")  # fmt: skip
    assert known(live=live).selectors == ("s1", "s2")
    assert known(WHOLE, live=live).selectors == ("s1", "s2")
    wished = DomainPolicy(dkim=DkimPolicy(source="mailcow"))
    assert known(wished, live=live).selectors == ("dkim",)
    chosen = DomainPolicy(dkim=DkimPolicy(selector="mine"))
    assert known(chosen, live=live).selectors == ("mine",)
    assert known(key=source(KEY, "theirs")).selectors == ("theirs",)
    below = zone(f"s3._domainkey.sub TXT {KEY}", f"s1._domainkey TXT {KEY}")
    assert known(domain=f"sub.{DOMAIN}", live=below).selectors == ("s3",)


NETCUPS = zone(
    "@ MX 10 mxf8a.netcup.net",
    "key1._domainkey CNAME key1._domainkey.webhosting.systems",
    "key2._domainkey CNAME KEY2._domainkey.Webhosting.Systems.",
)
"""What DNS has of a domain whose mail is netcup's own."""
LEADING: dict[str, list[Any] | None] = {
    "key1._domainkey.webhosting.systems": [{"TXT": KEY}],
    "key2._domainkey.webhosting.systems": [{"TXT": OTHER_KEY}],
}


def netcups(
    dns: Zone, changes: dict[str, list[Any] | None], one: Known, *there: str
) -> tuple[str, ...]:
    """netcup's selectors in that DNS, with these texts at the usual selector."""
    default = {f"dkim._domainkey.{DOMAIN}": said(*there)}
    return netcup_selectors(one, asked(one, default), ZoneLookup(dns, world(changes)))


@pytest.mark.parametrize(
    ("changes", "selectors"),
    [
        (LEADING, ("key1", "key2")),
        ({**LEADING, "key2._domainkey.webhosting.systems": None}, ("key1",)),
        ({}, ("key1", "key2")),  # told as what leads nowhere
        ({"key1._domainkey.webhosting.systems": ["TIMEOUT"]}, ("key1", "key2")),
    ],
)
def test_where_netcup_sends_its_keys_are_looked_at(
    changes: dict[str, list[Any] | None], selectors: tuple[str, ...]
) -> None:
    assert netcups(NETCUPS, changes, known()) == selectors
    assert netcups(NETCUPS, changes, known(), "hello") == selectors  # what a wildcard has
    assert known(netcups=selectors).selectors == selectors


@pytest.mark.parametrize(
    "one",
    [
        known(DomainPolicy(dkim=DkimPolicy(source="mailcow"))),
        known(DomainPolicy(dkim=DkimPolicy(selector="mine"))),
        known(DomainPolicy(dkim=False)),
        known(kinds=(Kind.SPF,)),
        known(live=zone(f"s1._domainkey TXT {KEY}")),
        known(remembered=(DesiredRecord(Kind.DKIM, "s7._domainkey", KEY),)),
    ],
    ids=["source", "selector", "excluded", "kind", "netcups-copy", "written-from-here"],
)
def test_netcups_keys_are_not_looked_at_where_another_key_is_known(one: Known) -> None:
    assert netcups(NETCUPS, LEADING, one) == ()


def test_netcups_keys_are_not_looked_at_where_somebody_else_sends() -> None:
    assert netcups(NETCUPS, LEADING, known(), KEY) == ()
    others = tuple(r for r in NETCUPS.records if r.type != "MX")
    own = "@ MX 10 mail.example.com"
    for mx in ((), (own,), (own, "@ MX 20 mx1.netcup.net")):
        dns = Zone(DOMAIN, "dns", (*zone(*mx).records, *others))
        assert netcups(dns, LEADING, known()) == ()
    elsewhere = zone("@ MX 10 mxf8a.netcup.net", "key1._domainkey CNAME key1.example.net")
    assert netcups(elsewhere, {"key1.example.net": [{"TXT": KEY}]}, known()) == ()


def test_parts_are_completed_from_what_the_quickest_usable_server_has() -> None:
    answers = {DOMAIN: said("x=1", SPF)}
    assert targets(known(PARTS), answers)[0].expected == "v=spf1 ip4:192.0.2.7 mx -all"
    live = zone("@ TXT v=spf1 a -all")
    assert targets(known(PARTS, live=live), answers)[0].expected == "v=spf1 ip4:192.0.2.7 a -all"


def test_a_wish_that_makes_no_record_is_judged_by_what_is_published() -> None:
    policy = DomainPolicy(dkim=DkimPolicy(source="mailcow"), dmarc=DmarcPolicy(policy="reject"))
    one = known(policy)  # mailcow has no key
    two = {f"_dmarc.{DOMAIN}": said(DMARC, "v=DMARC1;p=none")}
    found = targets(one, two)
    kinds = [Kind.SPF, Kind.DKIM, Kind.DMARC]
    assert [(t.kind, t.expected) for t in found] == [(kind, None) for kind in kinds]
    assert [f.code for f in desired_of(one, asked(one, two))[1]] == ["dmarc-ambiguous"]


def test_a_key_is_looked_for_at_its_own_selector() -> None:
    policy = DomainPolicy(dkim=DkimPolicy(source=KEY))
    found = targets(known(policy, key=source(KEY, "s9")))
    assert found[1] == Target(Kind.DKIM, f"s9._domainkey.{DOMAIN}", KEY)
    assert OTHER_KEY not in str(found)


def test_the_authorisations_that_other_domains_need_are_looked_for_too() -> None:
    one = known(authorises=(("other.example", DOMAIN),))
    name = f"other.example._report._dmarc.{DOMAIN}"
    assert Target(Kind.DMARC_REPORT, name, "v=DMARC1") in targets(one)
    for_all = f"*._report._dmarc.{DOMAIN}"
    found = targets(one, {for_all: said("v=DMARC1")})
    assert Target(Kind.DMARC_REPORT, for_all, "v=DMARC1") in found


def test_every_name_that_matters_is_asked_for_in_one_go() -> None:
    one = known(coming=JOURNAL, authorises=(("other.example", DOMAIN),))
    assert one.names() == (
        DOMAIN,
        f"dkim._domainkey.{DOMAIN}",
        f"_dmarc.{DOMAIN}",
        f"other.example._report._dmarc.{DOMAIN}",
        f"*._report._dmarc.{DOMAIN}",
    )


def test_a_name_is_nowhere_only_if_every_server_that_answers_says_so() -> None:
    one = known()
    assert is_nowhere(asked(one, {}), DOMAIN)
    assert not is_nowhere(asked(one, {}, {DOMAIN: said(SPF)}), DOMAIN)
    assert is_nowhere(asked(one, {}, {DOMAIN: said(SPF)}, order=(ONE,)), DOMAIN)
    assert not is_nowhere(asked(one, {}, order=()), DOMAIN)

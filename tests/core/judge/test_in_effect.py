"""What is judged is what receivers get, not how it stands in the zone."""

from __future__ import annotations

import pytest

from netcup_mailauth.findings import Severity
from netcup_mailauth.judge import guard
from netcup_mailauth.judge.case import Case
from netcup_mailauth.plan import ChangeSet, Place
from netcup_mailauth.records import Kind
from tests.core.judge.cases import (
    DMARC,
    DOMAIN,
    HOSTS,
    SERVER,
    SPF,
    codes,
    deletes,
    dns,
    judged,
    key_record,
    mail_zone,
    only,
    source,
    wants,
    zone,
)

D, R, W = Severity.DANGER, Severity.REFUSED, Severity.WARNING


class TestWildcards:
    """What a wildcard answers is in effect, until a record of the name's own takes its place."""

    def test_a_policy_is_not_weakened_unseen(self) -> None:
        before = mail_zone(SPF, (), None, "* TXT v=DMARC1;p=reject;rua=mailto:x@example.com")
        found = judged(before, wants(dmarc={"policy": "none", "rua": ["mailto:d@example.com"]}))
        assert "reject -> none" in only(found, "dmarc-weakens-policy").message
        assert "mailto:x@example.com" in only(found, "dmarc-drops-reports").message
        assert "dmarc-untested" not in codes(found)

    def test_a_sender_of_a_sub_domain_is_not_dropped_unseen(self) -> None:
        before = zone(*HOSTS, "* TXT v=spf1 mx ip4:192.0.2.7 -all", "intern MX 10 mail.example.com")
        policy = wants("v=spf1 mx ~all")
        assert "spf-drops-sender" not in codes(judged(before, policy, domain="intern.example.com"))
        nowhere = zone(*HOSTS, "* TXT v=spf1 mx ip4:192.0.2.7 -all")
        found = judged(nowhere, policy, domain="intern.example.com", hosts=(SERVER,))
        assert "ip4:192.0.2.7" in only(found, "spf-drops-sender").message

    def test_a_key_is_not_replaced_unseen(self) -> None:
        before = mail_zone(SPF, DMARC, (), f"*._domainkey TXT {key_record(number=2)}")
        found = judged(before, wants(dkim="dkim"), source(key_record()))
        assert "gets another key" in only(found, "dkim-key-replaced").message

    def test_one_that_is_the_same_changes_nothing(self) -> None:
        before = mail_zone(SPF, (), None, f"* TXT {DMARC}")
        assert codes(judged(before, wants(dmarc=DMARC)), D, W) == []


class TestAlike:
    """Records that are alike are one in DNS (RFC 2181, 5), and receivers see one."""

    def test_they_are_no_duplicates(self) -> None:
        before = mail_zone((SPF, SPF), (DMARC, DMARC, DMARC), (key_record(), key_record()))
        found = judged(before, wants({"require": ["mx"]}, {"policy": "quarantine"}, "dkim"))
        assert codes(found, D, R) == []
        assert not {"spf-multiple", "dmarc-multiple", "dkim-multiple"} & {*codes(found)}

    def test_two_that_differ_are(self) -> None:
        before = mail_zone((SPF, SPF, "v=spf1 a -all"), (DMARC, DMARC, "v=DMARC1;p=none"))
        found = judged(before, wants({"require": ["mx"]}, {"policy": "quarantine"}))
        assert "has 2 SPF records" in only(found, "spf-multiple").message
        assert "has 2 DMARC records" in only(found, "dmarc-ambiguous").message

    def test_of_them_a_step_back_is_seen_as_of_one(self) -> None:
        before = mail_zone(SPF, ("v=DMARC1;p=reject", "v=DMARC1;p=reject"))
        found = judged(before, wants(dmarc="v=DMARC1;p=none"))
        assert "reject -> none" in only(found, "dmarc-weakens-policy").message


class TestInherited:
    """A mail domain without a policy has that of the domain above (RFC 9989, 4.10)."""

    def found(self, above: str, wish: str, *more: str, name: str = DOMAIN) -> list[str]:
        domain = "intern.example.com"
        key = f"dkim._domainkey.intern TXT {key_record()}"
        lines = (f"_dmarc TXT {above}", key, *more) if name == DOMAIN else ("@ A 203.0.113.25",)
        outside = dns({"_dmarc.example.com": [{"TXT": above}]})
        policy = wants(dmarc=f"v=DMARC1;p={wish};rua=mailto:d@intern.example.com")
        found = judged(zone(*HOSTS, *lines, name=name), policy, domain=domain, dns=outside)
        assert codes(found, D, R) in ([], ["dmarc-enforces-without-dkim"])  # it may differ
        return codes(found)

    @pytest.mark.parametrize(
        ("above", "wish", "weaker"),
        [
            ("v=DMARC1;p=reject", "none", True),
            ("v=DMARC1;p=reject", "quarantine", True),
            ("v=DMARC1;p=reject", "reject", False),
            ("v=DMARC1;p=reject;sp=none", "none", False),
            ("v=DMARC1;p=none;sp=reject", "quarantine", True),
            ("v=DMARC1;p=quarantine;t=y", "none", False),
            ("v=DMARC1;p=reject;t=y", "none", True),
            ("v=DMARC1;p=none", "quarantine", False),
        ],
    )
    @pytest.mark.parametrize("name", [DOMAIN, "intern.example.com"])
    def test_a_record_of_its_own_does_not_weaken_it_unseen(
        self, above: str, wish: str, weaker: bool, name: str
    ) -> None:
        found = self.found(above, wish, name=name)
        assert ("dmarc-weakens-policy" in found) is weaker

    def test_its_own_policy_is_what_counts(self) -> None:
        own = "_dmarc.intern TXT v=DMARC1;p=none;rua=mailto:d@intern.example.com"
        assert "dmarc-weakens-policy" not in self.found("v=DMARC1;p=reject", "none", own)

    def test_without_its_own_it_has_the_one_above(self) -> None:
        own = "_dmarc.intern TXT v=DMARC1;p=quarantine"
        for above, weaker in (("reject", False), ("none", True)):
            before = zone(*HOSTS, f"_dmarc TXT v=DMARC1;p={above}", own)
            change = deletes(before, Kind.DMARC, "_dmarc.intern")
            place = Place("intern.example.com", DOMAIN)
            found = guard.judge(Case(ChangeSet(place, (change,)), before, dns=dns()))
            assert ("dmarc-weakens-policy" in codes(found)) is weaker

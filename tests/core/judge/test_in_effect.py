"""What is judged is what receivers get, not how it stands in the zone."""

from __future__ import annotations

from netcup_mailauth.findings import Severity
from tests.core.judge.cases import (
    DMARC,
    HOSTS,
    SERVER,
    SPF,
    codes,
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

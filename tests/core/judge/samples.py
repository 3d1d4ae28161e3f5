"""Servers' answers and DNS to check, as short as they can be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netcup_mailauth.judge.check import Subject, judge
from netcup_mailauth.lookup import Server, ServerAnswer, ServerStatus
from tests.core.judge.cases import key_record
from tests.core.spf.zones import Zones

if TYPE_CHECKING:
    from netcup_mailauth.judge.check import Verdict

DOMAIN = "example.com"
KEY, OTHER_KEY = key_record(), key_record(number=2)
SPF = "v=spf1 mx -all"
DMARC = "v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com"
ONE, TWO = Server("ns1.example.net", "192.0.2.1"), Server("ns2.example.net", "192.0.2.2")

WORLD: dict[str, list[Any]] = {
    DOMAIN: [{"MX": [10, "mail.example.com"]}, {"A": "203.0.113.10"}, {"TXT": SPF}],
    "mail.example.com": [{"A": "203.0.113.25"}, {"AAAA": "2001:db8::25"}],
    "dkim._domainkey.example.com": [{"TXT": KEY}],
    "_dmarc.example.com": [{"TXT": DMARC}],
    "25.113.0.203.in-addr.arpa": [{"PTR": "mail.example.com"}],
    "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": [
        {"PTR": "mail.example.com"}
    ],
    "_mta-sts.example.com": [{"TXT": "v=STSv1; id=1"}],
    "_smtp._tls.example.com": [{"TXT": "v=TLSRPTv1; rua=mailto:tls@example.com"}],
}
"""DNS of a domain without a fault."""


def world(changes: dict[str, list[Any] | None] | None = None) -> Zones:
    """The faultless DNS with some names changed; ``None`` takes one away."""
    data = {**WORLD, **(changes or {})}
    return Zones({name: entries for name, entries in data.items() if entries is not None})


def apex(*texts: str, mx: list[Any] | None = None) -> dict[str, list[Any] | None]:
    """The apex with these texts."""
    exchanges = [{"MX": [10, "mail.example.com"]}] if mx is None else mx
    return {DOMAIN: [*exchanges, {"A": "203.0.113.10"}, *({"TXT": text} for text in texts)]}


def judged(
    changes: dict[str, list[Any] | None] | None = None,
    domain: str = DOMAIN,
    **subject: Any,
) -> Verdict:
    """What receivers conclude about the domain in that world."""
    return judge(Subject(domain, **{"selectors": ("dkim",), **subject}), world(changes))


def codes(verdict: Verdict) -> dict[str, str]:
    return {finding.code: finding.severity.value for _, finding in verdict.findings}


def said(*values: str, status: ServerStatus = ServerStatus.OK, **more: Any) -> ServerAnswer:
    """A server's answer; without values there is nothing at that name."""
    if not values and status is ServerStatus.OK:
        status = ServerStatus.NXDOMAIN
    return ServerAnswer(status, values, **more)

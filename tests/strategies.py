"""Zones as hypothesis draws them, and what a back end does to them."""

from __future__ import annotations

from hypothesis import strategies as st

from netcup_mailauth.records import DnsRecord, Zone

SPF_TEXTS = (
    "v=spf1 mx a include:_spf.webhosting.systems ~all",
    "v=spf1  MX a -all",
    "v=spf1 ip4:203.0.113.7/32 ?all",
    "v=spf1 broken:term",
    "google-site-verification=abc123",
)
KEYS = ("v=DKIM1; k=rsa; p=", "v=DKIM1;p=AAAA", "no key at all")
DMARC_TEXTS = ("v=DMARC1; p=none", "v=DMARC1;p=reject;rua=mailto:a@example.com", "v=dmarc1; p=none")

_texts = st.sampled_from((*SPF_TEXTS, *KEYS, *DMARC_TEXTS))
_hostnames = st.sampled_from(
    ("@", "www", "*", "dkim._domainkey", "_dmarc", "mail", "_acme-challenge", "key1._domainkey")
)


@st.composite
def zones(draw: st.DrawFn) -> Zone:
    """A zone of up to a dozen records, the managed kinds among them, duplicates included."""
    drawn = draw(
        st.lists(st.tuples(_hostnames, st.sampled_from(("TXT", "TXT", "A", "MX")), _texts))
    )
    records = tuple(
        DnsRecord(str(1000 + number), hostname, kind, value if kind == "TXT" else "192.0.2.1")
        for number, (hostname, kind, value) in enumerate(drawn)
    )
    return Zone("example.com", "ccp", records)

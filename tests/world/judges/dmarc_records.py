"""DMARC records as real domains publish them, and as real people get them wrong."""

from __future__ import annotations

from typing import Final

from tests.world.judges.records import Dmarc

GOOD: Final = (
    Dmarc("start", "v=DMARC1; p=none", "none/none/none"),
    Dmarc("start-compact", "v=DMARC1;p=none", "none/none/none"),
    Dmarc("netcup-style", "v=DMARC1;p=quarantine;", "quarantine/quarantine/quarantine"),
    Dmarc(
        "mailcow-docs",
        "v=DMARC1; p=reject; rua=mailto:mailauth-reports@example.org",
        "reject/reject/reject rua=mailto:mailauth-reports@example.org",
    ),
    Dmarc("host", "v=DMARC1; p=reject", "reject/reject/reject"),
    Dmarc(
        "parked",
        "v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s",
        "reject/reject/reject adkim=s aspf=s",
    ),
    Dmarc("strict-dkim-only", "v=DMARC1; p=reject; adkim=s", "reject/reject/reject adkim=s"),
    Dmarc(
        "google-workspace",
        "v=DMARC1; p=none; rua=mailto:postmaster@example.com",
        "none/none/none rua=mailto:postmaster@example.com",
    ),
    Dmarc(
        "gmail",
        "v=DMARC1; p=none; sp=quarantine; rua=mailto:mailauth-reports@google.com",
        "none/quarantine/quarantine rua=mailto:mailauth-reports@google.com",
    ),
    Dmarc("sub-domains-free", "v=DMARC1; p=reject; sp=none", "reject/none/none"),
    Dmarc("np", "v=DMARC1; p=none; np=reject", "none/none/reject"),
    Dmarc("sp-and-np", "v=DMARC1; p=none; sp=quarantine; np=reject", "none/quarantine/reject"),
    Dmarc("test-mode", "v=DMARC1; p=quarantine; t=y", "quarantine/quarantine/quarantine t=y"),
    Dmarc("test-mode-off", "v=DMARC1; p=reject; t=n", "reject/reject/reject"),
    Dmarc("organisation", "v=DMARC1; p=reject; psd=n", "reject/reject/reject psd=n"),
    Dmarc(
        "public-suffix",
        "v=DMARC1; p=reject; np=reject; psd=y; rua=mailto:dmarc@nic.example",
        "reject/reject/reject psd=y rua=mailto:dmarc@nic.example",
    ),
    Dmarc("psd-unsaid", "v=DMARC1; p=reject; psd=u", "reject/reject/reject"),
    Dmarc(
        "two-addresses",
        "v=DMARC1; p=none; rua=mailto:a@example.com,mailto:b@example.net",
        "none/none/none rua=mailto:a@example.com,mailto:b@example.net",
    ),
    Dmarc(
        "two-addresses-with-blank",
        "v=DMARC1; p=none; rua=mailto:a@example.com, mailto:b@example.net;"
        " ruf=mailto:a@example.com",
        "none/none/none rua=mailto:a@example.com,mailto:b@example.net ruf=mailto:a@example.com",
    ),
    Dmarc(
        "dmarcian",
        "v=DMARC1; p=none; rua=mailto:abc123@ag.dmarcian.eu;"
        " ruf=mailto:abc123@fr.dmarcian.eu; fo=1",
        "none/none/none fo=1 rua=mailto:abc123@ag.dmarcian.eu ruf=mailto:abc123@fr.dmarcian.eu",
    ),
    Dmarc(
        "easydmarc",
        "v=DMARC1;p=reject;rua=mailto:abc@rua.easydmarc.eu;ruf=mailto:abc@ruf.easydmarc.eu;fo=1:d:s;",
        "reject/reject/reject fo=1:d:s rua=mailto:abc@rua.easydmarc.eu"
        " ruf=mailto:abc@ruf.easydmarc.eu",
    ),
    Dmarc("fo-default", "v=DMARC1; p=none; fo=0", "none/none/none"),
    Dmarc(
        "plus-address",
        "v=DMARC1; p=none; rua=mailto:dmarc+agg@example.com",
        "none/none/none rua=mailto:dmarc+agg@example.com",
    ),
    Dmarc(
        "capital-scheme",
        "v=DMARC1; p=none; rua=MAILTO:Dmarc@Example.com",
        "none/none/none rua=mailto:Dmarc@example.com",
    ),
    Dmarc(
        "web-reports",
        "v=DMARC1; p=none; rua=https://reports.example.com/dmarc",
        "none/none/none rua=https://reports.example.com/dmarc",
    ),
    Dmarc(
        "size-limit",
        "v=DMARC1; p=none; rua=mailto:a@example.com!10m",
        "none/none/none rua=mailto:a@example.com",
    ),
    Dmarc("p-last", "v=DMARC1; adkim=s; p=reject", "reject/reject/reject adkim=s"),
    Dmarc("values-in-capitals", "v=DMARC1; p=REJECT; aspf=S", "reject/reject/reject aspf=s"),
    Dmarc("blanks-everywhere", "v = DMARC1 ; p = reject ; ", "reject/reject/reject"),
    Dmarc("tab", "v=DMARC1;\tp=reject", "reject/reject/reject"),
    Dmarc("unknown-tag", "v=DMARC1; p=reject; xyzzy=1", "reject/reject/reject"),
    Dmarc(
        "pct-100",
        "v=DMARC1; p=reject; pct=100; ri=86400; rf=afrf",
        "reject/reject/reject",
    ),
    Dmarc("pct-50", "v=DMARC1; p=quarantine; pct=50", "quarantine/quarantine/quarantine"),
    Dmarc("pct-110", "v=DMARC1; p=reject; pct=110", "reject/reject/reject"),
    Dmarc("ri-bad", "v=DMARC1; p=reject; ri=daily", "reject/reject/reject"),
    Dmarc(
        "old-wizard",
        "v=DMARC1; p=none; sp=none; rua=mailto:a@example.com; ruf=mailto:a@example.com; rf=afrf;"
        " pct=100; ri=86400",
        "none/none/none rua=mailto:a@example.com ruf=mailto:a@example.com",
    ),
)

FLAWED: Final = (
    # Receivers make something of these; we would not publish them.
    Dmarc("version-alone", "v=DMARC1", "none", publish=False),
    Dmarc("version-and-semicolon", "v=DMARC1;", "none", publish=False),
    Dmarc(
        "p-missing-with-reports",
        "v=DMARC1; rua=mailto:a@example.com",
        "none/none/none rua=mailto:a@example.com",
        publish=False,
    ),
    Dmarc("p-missing", "v=DMARC1; sp=reject", "none", publish=False),
    Dmarc("p-misspelt", "v=DMARC1; p=quarantaine", "none", publish=False),
    Dmarc("p-one-letter", "v=DMARC1; p=n", "none", publish=False),
    Dmarc("p-empty", "v=DMARC1; p=", "none", publish=False),
    Dmarc("p-monitor", "v=DMARC1; p=monitor", "none", publish=False),
    Dmarc(
        "p-misspelt-with-reports",
        "v=DMARC1; p=rejct; rua=mailto:a@example.com",
        "none/none/none rua=mailto:a@example.com",
        publish=False,
    ),
    Dmarc(
        "sp-misspelt-with-reports",
        "v=DMARC1; p=reject; sp=invalid; rua=mailto:a@example.com",
        "none/none/none rua=mailto:a@example.com",
        publish=False,
    ),
    Dmarc("sp-misspelt", "v=DMARC1; p=reject; sp=invalid", "none", publish=False),
    Dmarc(
        "np-misspelt-with-reports",
        "v=DMARC1; p=reject; np=all; rua=mailto:a@example.com",
        "none/none/none rua=mailto:a@example.com",
        publish=False,
    ),
    Dmarc("adkim-unknown", "v=DMARC1; p=reject; adkim=x", "reject/reject/reject", publish=False),
    Dmarc("aspf-word", "v=DMARC1; p=none; aspf=relaxed", "none/none/none", publish=False),
    Dmarc("t-unknown", "v=DMARC1; p=reject; t=yes", "reject/reject/reject", publish=False),
    Dmarc("psd-unknown", "v=DMARC1; p=reject; psd=maybe", "reject/reject/reject", publish=False),
    Dmarc("fo-unknown", "v=DMARC1; p=none; fo=2", "none/none/none", publish=False),
    Dmarc("fo-both", "v=DMARC1; p=none; fo=0:1", "none/none/none"),  # RFC 7489, 6.4
    Dmarc("fo-all", "v=DMARC1; p=none; fo=0:1:d:s", "none/none/none"),
    Dmarc("fo-commas", "v=DMARC1; p=none; fo=1,d,s", "none/none/none", publish=False),
    Dmarc(
        "rua-without-mailto",
        "v=DMARC1; p=none; rua=dmarc@example.com",
        "none/none/none",
        publish=False,
    ),
    Dmarc(
        "rua-second-without-mailto",
        "v=DMARC1; p=none; rua=mailto:a@example.com,b@example.net",
        "none/none/none rua=mailto:a@example.com",
        publish=False,
    ),
    Dmarc(
        "rua-slashes",
        "v=DMARC1; p=none; rua=mailto://a@example.com",
        "none/none/none",
        publish=False,
    ),
    Dmarc(
        "rua-blank", "v=DMARC1; p=none; rua=mailto: a@example.com", "none/none/none", publish=False
    ),
    Dmarc(
        "rua-mailto-twice",
        "v=DMARC1; p=none; rua=mailto:mailto:a@example.com",
        "none/none/none",
        publish=False,
    ),
    Dmarc(
        "rua-lone-percent",
        "v=DMARC1; p=none; rua=https://reports.example.com/100%",
        "none/none/none",
        publish=False,
    ),
    Dmarc("rua-empty", "v=DMARC1; p=none; rua=", "none/none/none", publish=False),
    Dmarc("rua-no-domain", "v=DMARC1; p=none; rua=mailto:dmarc", "none/none/none", publish=False),
    Dmarc(
        "rua-semicolon-between",
        "v=DMARC1; p=none; rua=mailto:a@example.com;mailto:b@example.net",
        "none/none/none rua=mailto:a@example.com",
        publish=False,
    ),
    Dmarc("policy-long-name", "v=DMARC1; policy=reject", "none", publish=False),
    Dmarc("semicolon-missing", "v=DMARC1; p=none sp=reject", "none", publish=False),
    Dmarc("colon-for-equals", "v=DMARC1; p:reject", "none", publish=False),
    Dmarc(
        "comma-for-semicolon", "v=DMARC1; p=none, rua=mailto:a@example.com", "none", publish=False
    ),
    Dmarc("two-semicolons", "v=DMARC1;; p=reject", "reject/reject/reject", publish=False),
    Dmarc("stray-word", "v=DMARC1; p=reject; please", "reject/reject/reject", publish=False),
    Dmarc("p-twice", "v=DMARC1; p=none; p=reject", "none", publish=False),
    Dmarc(
        "p-twice-with-reports",
        "v=DMARC1; p=none; rua=mailto:a@example.com; p=reject",
        "none",
        publish=False,
    ),
    Dmarc(
        "rua-twice",
        "v=DMARC1; p=reject; rua=mailto:a@example.com; rua=mailto:b@example.net",
        "none",
        publish=False,
    ),
    Dmarc(
        "p-missing-sp-with-reports",
        "v=DMARC1; sp=reject; rua=mailto:a@example.com",
        "none/none/none rua=mailto:a@example.com",
        publish=False,
    ),
    Dmarc("version-tag-capital", "V=DMARC1; p=reject", "reject/reject/reject", publish=False),
    Dmarc("p-in-capitals", "v=DMARC1; P=reject", "none", publish=False),
    Dmarc("hard-blank", "v=DMARC1; p=reject\u00a0", "none", publish=False),
    Dmarc("curly-quote", "v=DMARC1; p=reject\u201d", "none", publish=False),
    Dmarc(
        "escaped-semicolon",
        "v=DMARC1; p=none\\; rua=mailto:a@example.com",
        "none/none/none rua=mailto:a@example.com",
        publish=False,
    ),
)

NOT_DMARC: Final = (
    Dmarc("version-lower-case", "v=dmarc1; p=reject", "none", publish=False),
    Dmarc("version-2", "v=DMARC2; p=reject", "none", publish=False),
    Dmarc("version-10", "v=DMARC10; p=reject", "none", publish=False),
    Dmarc("version-second", "p=reject; v=DMARC1", "none", publish=False),
    Dmarc("version-missing", "p=reject; rua=mailto:a@example.com", "none", publish=False),
    Dmarc("version-bare", "DMARC1; p=reject", "none", publish=False),
    Dmarc("no-semicolons", "v=DMARC1 p=reject", "none", publish=False),
    Dmarc("commas", "v=DMARC1, p=reject", "none", publish=False),
    Dmarc("escaped-semicolons", "v=DMARC1\\; p=reject", "none", publish=False),
    Dmarc("leading-blank", " v=DMARC1; p=reject", "none", publish=False),
    Dmarc("quotes-around", '"v=DMARC1; p=reject"', "none", publish=False),
    Dmarc("spf-at-dmarc", "v=spf1 mx -all", "none", publish=False),
    Dmarc("verification", "google-site-verification=abc", "none", publish=False),
)

DMARC_RECORDS: Final = (*GOOD, *FLAWED, *NOT_DMARC)

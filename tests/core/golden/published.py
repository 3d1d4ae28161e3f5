"""Cases of the check: what servers and DNS say, and what receivers make of it."""

from __future__ import annotations

from typing import Any

from tests.core.golden.cases import (
    DOMAIN,
    PUBLISHED,
    SPF,
    Case,
    Checking,
    Dns,
    apex,
    key,
    key_of,
    mail_zone,
    published,
)

KEY, OTHER_KEY = key(), key(number=2)
DMARC = "v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com"
AT, SELECTOR, POLICY = DOMAIN, f"dkim._domainkey.{DOMAIN}", f"_dmarc.{DOMAIN}"
LIVE = mail_zone(SPF, DMARC)
NETCUPS = "webhosting.systems"
MAILCOW = {"dkim": {"source": "mailcow", "selector": "dkim"}}
SERVER = {"server": ["mail.example.com"]}
ELEVEN = " ".join(f"a:h{number}.example.com" for number in range(11))
VOID = "a:h1.example.net a:h2.example.net a:h3.example.net"


def having(changes: dict[str, list[str] | None] | None = None, **more: Any) -> Checking:
    """The faultless domain with some names changed."""
    return Checking(published(changes), **more)


def saying(*texts: str, **more: Any) -> Checking:
    """The faultless domain with these texts at its apex."""
    return having({AT: apex(*texts)}, **more)


def asking(*texts: str, **more: Any) -> Checking:
    """The faultless domain with these texts at ``_dmarc``."""
    return having({POLICY: [f"TXT {text}" for text in texts] or None}, **more)


def signing(*texts: str, **more: Any) -> Checking:
    """The faultless domain with these texts at its selector."""
    return having({SELECTOR: [f"TXT {text}" for text in texts] or None}, **more)


def netcup_sends(key1: str | None = KEY, key2: str | None = OTHER_KEY) -> Checking:
    """A domain whose mail is netcup's, with these keys."""
    keys = {f"key1._domainkey.{NETCUPS}": key1, f"key2._domainkey.{NETCUPS}": key2}
    return having(
        {
            AT: apex("v=spf1 mx -all", mx=("MX 10 mxf8a.netcup.net",)),
            "mxf8a.netcup.net": ["A 192.0.2.9"],
            SELECTOR: None,
            f"key1._domainkey.{DOMAIN}": [f"CNAME key1._domainkey.{NETCUPS}"],
            f"key2._domainkey.{DOMAIN}": [f"CNAME key2._domainkey.{NETCUPS}"],
            **{name: [f"TXT {text}"] if text else None for name, text in keys.items()},
        }
    )


SENDERS: dict[str, Case] = {
    "nothing to say": having(),
    "nothing": saying(),
    "two": saying(SPF, "v=spf1 a -all"),
    "two that contradict each other": saying("v=spf1 mx a -all", "v=spf1 -a mx -all"),
    "two, one broken": saying(SPF, "v=spf1 bad:x"),
    "two, both broken": saying("v=spf1 bad:x", "v=spf1 bad:y"),
    "a near miss beside it": saying(SPF, "v=spf1, mx, -all", "hello"),
    "near misses": saying("v=spf2 mx ~all", '"v=spf1 mx ~all"', "spf2.0/pra", "hello"),
    "broken": saying("v=spf1 bad:x ~all"),
    "the server behind a carve-out": saying("v=spf1 -mx a -all"),
    "too many look-ups": saying(f"v=spf1 {ELEVEN} ~all"),
    "near the limit": saying(
        "v=spf1 mx a a:mail.example.com a:example.com "
        + " ".join(f"a:{DOMAIN}" for _ in range(4))
        + " ~all"
    ),
    "void look-ups": saying(f"v=spf1 mx {VOID} ~all"),
    "a record too long": saying(
        f"v=spf1 mx {' '.join(f'ip4:192.0.2.{n}' for n in range(99))} ~all"
    ),
    "a set of TXT records too long": saying("v=spf1 mx ~all", "x" * 450),
    "three mail hosts without IPv6": having(
        {
            AT: apex("v=spf1 mx ~all", mx=tuple(f"MX {n} m{n}.example.net" for n in (1, 2, 3))),
            **{f"m{n}.example.net": [f"A 203.0.113.{n}"] for n in (1, 2, 3)},
        }
    ),
    "one void include": saying("v=spf1 mx include:gone.example.net ~all"),
    "one void look-up": saying("v=spf1 mx a:gone.example.net ~all"),
    "an include without a record": having(
        {AT: apex("v=spf1 mx include:x.example.net ~all"), "x.example.net": ["TXT hello"]}
    ),
    "an include with a broken record": having(
        {AT: apex("v=spf1 mx include:x.example.net ~all"), "x.example.net": ["TXT v=spf1 bad:x"]}
    ),
    "a redirect in a circle": saying(f"v=spf1 mx redirect={DOMAIN}"),
    "DNS silent about an include": having(
        {AT: apex("v=spf1 mx include:x.example.net ~all"), "x.example.net": ["TIMEOUT"]}
    ),
    "+all": saying("v=spf1 mx +all"),
    "a name that is there lets everybody in": saying(f"v=spf1 mx exists:{DOMAIN} ~all"),
    "?all": saying("v=spf1 mx ?all"),
    "-all": saying("v=spf1 mx -all"),
    "no all": saying("v=spf1 mx"),
    "no all, for a blank is missing": saying("v=spf1 mx a:mail.example.com-all"),
    "something behind the all": saying("v=spf1 mx ~all a"),
    "ptr": saying("v=spf1 mx ptr ~all"),
    "the server may not send": saying("v=spf1 a -all", policy=SERVER),
    "one address of the server may not send": saying("v=spf1 ip4:203.0.113.25 ~all", policy=SERVER),
    "the MX may not send": saying("v=spf1 a ?all"),
    "one address of the MX may not send": saying("v=spf1 ip4:203.0.113.25 ~all"),
    "the server may not send by a broken record": saying("v=spf1 bad:x", policy=SERVER),
    "the server may not send by a term that is broken for it alone": saying(
        f"v=spf1 a:{'x' * 64}.example.com include:%{{i}}.example.net -all", policy=SERVER
    ),
    "DNS silent when the server is tried": having(
        {
            AT: apex("v=spf1 exists:%{i}.x.example.net ~all"),
            "203.0.113.25.x.example.net": ["TIMEOUT"],
        },
        policy={"server": ["203.0.113.25"]},
    ),
    "a server without an address": having(
        policy={"server": ["gone.example.com", "mail.example.com"]}
    ),
    "no MX, and no server named": having({AT: apex(SPF, mx=())}),
    "an MX without an address": having({AT: apex(SPF, mx=("MX 10 gone.example.com",))}),
    "a domain that takes no mail, without the dot": having({AT: apex(SPF, mx=("MX 0 ",))}),
    "a domain that takes no mail": having(
        {AT: apex("v=spf1 ip4:203.0.113.7 -all", mx=("MX 0 .",))}
    ),
    "mailcow's host": having(policy=MAILCOW, key=KEY, host="mail.example.com"),
}

SIGNATURES: dict[str, Case] = {
    "no key": signing(),
    "two keys": signing(KEY, OTHER_KEY),
    "no key record": signing("v=DKIM1;k=rsa"),
    "revoked": signing("v=DKIM1;p="),
    "revoked, and it is the signer's": signing("v=DKIM1;p=", policy=MAILCOW, key=KEY),
    "revoked beside one in use": having(
        {f"s1._domainkey.{DOMAIN}": ["TXT v=DKIM1;p="]},
        zone=(*LIVE, "s1._domainkey TXT v=DKIM1;p="),
    ),
    "the signer's": having(policy=MAILCOW, key=KEY),
    "another than the signer's": having(policy=MAILCOW, key=OTHER_KEY),
    "the signer's, of whom nothing is told": having(policy=MAILCOW, key=OTHER_KEY, origin=""),
    "it verifies": signing(key_of(1), policy={"dkim": {"selector": "dkim"}}, key=1),
    "it does not verify": signing(key_of(2), policy={"dkim": {"selector": "dkim"}}, key=1),
    "too short": signing(key(512)),
    "1024 bits": signing(key(1024)),
    "8192 bits": signing(key(8192)),
    "t=y": signing(key(tags="t=y;")),
    "mailcow has none": having(policy=MAILCOW),
    "mailcow sends through a relay": having(policy=MAILCOW, key=KEY, relay="smtp.example.net:25"),
}

BELOW: dict[str, list[str] | None] = {
    "intern.example.com": ["A 203.0.113.5"],
    POLICY: [f"TXT {DMARC};sp=reject;np=none"],
}
POLICIES: dict[str, Case] = {
    "none": asking(),
    "two": asking(DMARC, "v=DMARC1;p=none"),
    "none, DNS silent above": having({POLICY: None, "_dmarc.com": ["TIMEOUT"]}),
    "broken": asking("v=DMARC1;p=rejekt"),
    "meant as one": asking('"v=DMARC1; p=none"'),
    "no policy": asking("v=DMARC1"),
    "p=none": asking("v=DMARC1;p=none;rua=mailto:postmaster@example.com"),
    "t=y": asking(f"{DMARC};t=y"),
    "reject, and pct": asking("v=DMARC1;p=reject;pct=50;rua=mailto:postmaster@example.com"),
    "no reports": asking("v=DMARC1;p=reject"),
    "reports to somebody who did not agree": asking("v=DMARC1;p=reject;rua=mailto:x@example.net"),
    "reports to somebody of whom DNS is silent": having(
        {
            POLICY: ["TXT v=DMARC1;p=reject;rua=mailto:x@example.net"],
            "example.com._report._dmarc.example.net": ["TIMEOUT"],
        }
    ),
    "reports to somebody who agreed": having(
        {
            POLICY: ["TXT v=DMARC1;p=reject;rua=mailto:x@example.net"],
            "example.com._report._dmarc.example.net": ["TXT v=DMARC1"],
        }
    ),
    "failure reports to somebody who did not agree": asking(f"{DMARC};ruf=mailto:x@example.net"),
    "near misses beside it": asking(DMARC, "v=dmarc1; p=none", "hello"),
    "near misses, and none": asking("p=none; rua=mailto:x@example.com", "hello"),
    "what a wildcard answers": having(
        {POLICY: [f"TXT {DMARC}", "TXT hello"], f"*.{DOMAIN}": ["TXT hello"]}
    ),
    "psd=y, and pct=0 beside t=y": asking(f"{DMARC};psd=y;t=y;pct=0"),
    "a capital V": asking("V=DMARC1;p=reject;rua=mailto:x@example.com"),
    "reports to no address": asking("v=DMARC1;p=reject;rua=mailto:x"),
    "for a sub-domain": having(BELOW, domain="intern.example.com"),
    "for a sub-domain that does not exist": having(
        {**BELOW, "intern.example.com": None},
        domain="intern.example.com",
        policy={"spf": {"record": SPF}},
    ),
    "for a sub-domain, with t=y": having(
        {**BELOW, POLICY: [f"TXT {DMARC};sp=reject;t=y"]}, domain="intern.example.com"
    ),
    "for a sub-domain, without reports": having(
        {**BELOW, POLICY: ["TXT v=DMARC1;p=quarantine"]}, domain="intern.example.com"
    ),
}

NEIGHBOURS: dict[str, Case] = {
    "netcup's mail server left over": having(
        {AT: apex(SPF, mx=("MX 10 mail.example.com", "MX 50 mxf8a.netcup.net"))}
    ),
    "two of netcup's left over": having(
        {
            AT: apex(
                SPF,
                mx=("MX 10 mail.example.com", "MX 50 mxf8a.netcup.net", "MX 60 mxf8b.netcup.net"),
            )
        }
    ),
    "no MX, and no address": having({AT: [f"TXT {SPF}"]}),
    "an MX that is an address": having({AT: apex(SPF, mx=("MX 10 203.0.113.25",))}),
    "an MX that is an alias": having(
        {
            AT: apex(SPF, mx=("MX 10 alias.example.com",)),
            "alias.example.com": ["CNAME mail.example.com"],
        }
    ),
    "an MX that lists no preference": having({AT: apex(SPF, mx=("MX x mail.example.com",))}),
    "no reverse DNS": having({"25.113.0.203.in-addr.arpa": None}),
    "no reverse DNS of an address": having(
        {"25.113.0.203.in-addr.arpa": None}, policy={"server": ["203.0.113.25"]}
    ),
    "reverse DNS that leads elsewhere": having(
        {"25.113.0.203.in-addr.arpa": ["PTR other.example.net"]}
    ),
    "reverse DNS as the provider gives it": having(
        {
            "25.113.0.203.in-addr.arpa": ["PTR 203-0-113-25.static.example.net"],
            "203-0-113-25.static.example.net": ["A 203.0.113.25"],
        }
    ),
    "reverse DNS of IPv6 as the provider gives it": having(
        {
            "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": [
                "PTR 20010db8000000000000000000000025.example.net"
            ],
            "20010db8000000000000000000000025.example.net": ["AAAA 2001:db8::25"],
        }
    ),
    "a server at netcup": having({"113.0.203.in-addr.arpa": ["NS root-dns.netcup.net"]}),
    "a server at netcup at both its addresses": having(
        {
            "0.203.in-addr.arpa": ["NS second-dns.netcup.net"],
            "8.b.d.0.1.0.0.2.ip6.arpa": ["NS third-dns.netcup.net"],
        }
    ),
    "DNS silent about reverse DNS": having({"25.113.0.203.in-addr.arpa": ["TIMEOUT"]}),
    "a wildcard for mail programs": having(
        {
            f"autodiscover.{DOMAIN}": ["A 203.0.113.10"],
            f"autoconfig.{DOMAIN}": ["A 203.0.113.10"],
            f"*.{DOMAIN}": ["A 203.0.113.10"],
        }
    ),
    "a wildcard for one of them": having(
        {f"autodiscover.{DOMAIN}": ["A 203.0.113.10"], f"*.{DOMAIN}": ["A 203.0.113.10"]}
    ),
    "a place for mail programs elsewhere": having({f"autoconfig.{DOMAIN}": ["A 203.0.113.10"]}),
    "neither MTA-STS nor TLS-RPT": having(
        {f"_mta-sts.{DOMAIN}": None, f"_smtp._tls.{DOMAIN}": None}
    ),
    "a parked domain": having(
        {AT: apex("v=spf1 -all", mx=()), SELECTOR: None, POLICY: ["TXT v=DMARC1;p=reject"]}
    ),
    "a domain parked by its policy": having(
        {AT: apex("v=spf1 -all", mx=("MX 0 .",)), SELECTOR: None},
        policy={"parked": True},
    ),
}

ZONES: dict[str, Case] = {
    "misplaced, and nothing at its place": having(
        {
            POLICY: None,
            SELECTOR: None,
            f"dmarc.{DOMAIN}": [f"TXT {DMARC}"],
            f"dkim.domainkey.{DOMAIN}": [f"TXT {KEY}"],
        }
    ),
    "misplaced beside the right one": having(
        {f"dmarc.{DOMAIN}": [f"TXT {DMARC}"], f"dkim.domainkey.{DOMAIN}": ["TXT hello"]}
    ),
    "keys where no key belongs": having(
        {SELECTOR: None, f"dkim.{DOMAIN}": [f"TXT {KEY}"], f"_domainkey.{DOMAIN}": ["TXT v=x"]}
    ),
    "misplaced in the zone too": having(
        {f"dmarc.{DOMAIN}": [f"TXT {DMARC}"]},
        zone=(*LIVE, f"dmarc TXT {DMARC}", f"{DOMAIN} TXT {SPF}"),
    ),
    "what only the zone shows": having(
        {SELECTOR: None},
        zone=(
            *mail_zone(SPF, DMARC, ()),
            "@ MX 50 mxf8a.netcup.net",
            "key1._domainkey CNAME key1.x.webhosting.systems",
            "* TXT hello",
        ),
        draft="r7",
    ),
    "netcup is asked in vain": having(unreadable="api"),
    "netcup refuses the credentials": having(unreadable="credentials"),
    "netcup has no such zone": having(unreadable="zone"),
    "the zone is served by others": having({AT: [*apex(SPF)[1:], "NS ns1.example.net"]}, zone=LIVE),
    "a server that this machine has no route to": having(no_route=True),
}

WANTED: dict[str, Any] = {"spf": {"record": SPF}, "dmarc": {"record": DMARC}, **MAILCOW}
LAGGING: Dns = {AT: apex(), SELECTOR: ["TIMEOUT"], POLICY: ["TXT v=DMARC1;p=none"]}
STATES: dict[str, Case] = {
    "all is as wanted": having(policy=WANTED, key=KEY, basis="config"),
    "all but the key is as wanted": having({SELECTOR: None}, policy=WANTED, key=KEY),
    "all but the key is as the config has it": having(
        {SELECTOR: None}, policy=WANTED, key=KEY, basis="config"
    ),
    "one server lags": having(policy=WANTED, key=KEY, zone=LIVE, one_server=LAGGING),
    "one server differs": having(policy=WANTED, key=KEY, one_server=LAGGING),
    "one server differs from the config": having(
        policy=WANTED, key=KEY, one_server=LAGGING, basis="config"
    ),
    "one server differs, nothing wanted": having(one_server=LAGGING),
    "nothing is there": having({AT: apex(), SELECTOR: None, POLICY: None}),
    "another record, compared with the options": saying("v=spf1 a ~all", policy=WANTED, key=KEY),
    "another record than was last written from here": saying(
        "v=spf1 a ~all", remembered=(f"spf @ {SPF}", f"dmarc _dmarc {DMARC}")
    ),
    "two records": saying(SPF, "v=spf1 a ~all", policy=WANTED, key=KEY),
    "a broken record": saying("v=spf1 bad:x"),
    "an alias that leads to the record": having(
        {SELECTOR: ["CNAME dkim.example.net"], "dkim.example.net": [f"TXT {KEY}"]},
        policy=WANTED,
        key=KEY,
    ),
    "an alias that leads nowhere": having(
        {SELECTOR: ["CNAME dkim.example.net"]}, policy=WANTED, key=KEY
    ),
    "an alias that leads to another record": having(
        {SELECTOR: ["CNAME dkim.example.net"], "dkim.example.net": [f"TXT {OTHER_KEY}"]},
        policy=WANTED,
        key=KEY,
    ),
    "no server answers": having(
        {name: ["TIMEOUT"] for name in PUBLISHED if name.endswith(DOMAIN)},
        policy=WANTED,
        key=KEY,
    ),
    "only a kind": having(kinds=("spf",)),
    "only a kind, and another has a fault": having(
        {POLICY: ["TXT v=DMARC1;p=none"]}, kinds=("spf",)
    ),
    "an alias in netcup's copy": having(
        {SELECTOR: ["CNAME dkim.example.net"], "dkim.example.net": [f"TXT {KEY}"]},
        zone=mail_zone(SPF, DMARC, (), "dkim._domainkey CNAME dkim.example.net"),
    ),
    "a broken record in netcup's copy": having({AT: apex()}, zone=mail_zone("v=spf1 bad:x", DMARC)),
    "a broken key and a broken policy in netcup's copy": having(
        zone=mail_zone(SPF, "v=DMARC1;p=x", KEY[:100])
    ),
    "netcup sends": having(
        {
            AT: apex("v=spf1 include:_spf.webhosting.systems ~all", mx=("MX 10 mxf8a.netcup.net",)),
            "_spf.webhosting.systems": ["TXT v=spf1 ip4:198.51.100.0/24 -all"],
            "mxf8a.netcup.net": ["A 192.0.2.9"],
            SELECTOR: None,
            f"key1._domainkey.{DOMAIN}": ["CNAME key1._domainkey.webhosting.systems"],
            "key1._domainkey.webhosting.systems": [f"TXT {KEY}"],
        },
        zone=(
            "@ MX 10 mxf8a.netcup.net",
            "@ TXT v=spf1 include:_spf.webhosting.systems ~all",
            f"_dmarc TXT {DMARC}",
            "key1._domainkey CNAME key1._domainkey.webhosting.systems",
        ),
    ),
    "mailcow has no key, and no selector is named": having(policy={"dkim": {"source": "mailcow"}}),
    "netcup sends, as DNS has it": netcup_sends(),
    "netcup sends, as DNS has it, and one of its keys is gone": netcup_sends(key2=None),
    "netcup sends, as DNS has it, without a key": netcup_sends(key1=None, key2=None),
    "two of each in netcup's copy": having(
        zone=mail_zone((SPF, "v=spf1 a -all"), (DMARC, "v=DMARC1;p=none"), (KEY, OTHER_KEY))
    ),
    "an alias and a record in netcup's copy": having(
        {POLICY: ["CNAME x.example.net"]},
        zone=mail_zone(SPF, DMARC, None, "_dmarc CNAME x.example.net"),
    ),
    "a delegation over a record in netcup's copy": having(
        zone=mail_zone(SPF, DMARC, None, "_dmarc NS ns.vendor.example")
    ),
    "a wildcard with another text": having(
        {POLICY: ["TXT hello"], SELECTOR: ["TXT hello"], f"*.{DOMAIN}": ["TXT hello"]}
    ),
    "a wildcard that is an alias": having(
        {
            POLICY: [f"CNAME www.{DOMAIN}"],
            SELECTOR: [f"CNAME www.{DOMAIN}"],
            f"*.{DOMAIN}": [f"CNAME www.{DOMAIN}"],
            f"www.{DOMAIN}": ["A 203.0.113.10"],
        }
    ),
    "a wildcard with a policy": having(
        {POLICY: [f"TXT {DMARC}", "TXT x"], f"*.{DOMAIN}": [f"TXT {DMARC}", "TXT x"]}
    ),
    "a name that others serve": having({POLICY: ["SERVERS ns.vendor.example", f"TXT {DMARC}"]}),
    "a name that others serve, without the record": having(
        {POLICY: ["SERVERS ns1.vendor.example ns2.vendor.example"]}
    ),
    "a name that others should serve": having(
        {POLICY: ["SERVERS ns.vendor.example", "TIMEOUT"]}, policy=WANTED, key=KEY
    ),
    "a domain that does not exist": Checking({}),
    "accepted": saying("v=spf1 mx +all", policy={"allow": ["spf-pass-all"]}),
    "reports of another domain": having(
        policy=WANTED, key=KEY, authorises=("example.org example.com",)
    ),
    "parts that cannot be made sure of": saying(
        "v=spf1 bad:x", policy={"spf": {"require": ["mx"]}}
    ),
    "parts where two records are live": having(
        {POLICY: [f"TXT {DMARC}", "TXT v=DMARC1;p=none"]},
        policy={"dmarc": {"policy": "quarantine"}},
    ),
    "parts where two records become one": saying(
        SPF, "v=spf1 a -all", policy={"spf": {"require": ["mx"]}}
    ),
}

CASES: dict[str, Case] = {
    f"check {group}: {name}": case
    for group, cases in (
        ("spf", SENDERS),
        ("dkim", SIGNATURES),
        ("dmarc", POLICIES),
        ("neighbours", NEIGHBOURS),
        ("zone", ZONES),
        ("states", STATES),
    )
    for name, case in cases.items()
}

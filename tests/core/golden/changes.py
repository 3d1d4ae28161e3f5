"""Cases of the guard: changes to a zone, and what they would do to its mail."""

from __future__ import annotations

from typing import Any

from tests.core.golden.cases import (
    DMARC,
    DOMAIN,
    SPF,
    Case,
    Changing,
    Planning,
    Reading,
    key,
    mail_zone,
)

KEY, OTHER_KEY = key(), key(number=2)
CLEAN = mail_zone()
WATCHED = "v=DMARC1;p=none;rua=mailto:dmarc@example.com"
DKIM = {"source": "-", "selector": "dkim"}
SECOND = {"source": "-", "selector": "s2"}
SIX = ["a", *(f"exists:{letter}.example.com" for letter in "abcdef")]
ELEVEN = tuple(f"a:h{number}.example.com" for number in range(11))


def spf(record: str | None = None, **parts: Any) -> dict[str, Any]:
    return {"spf": {"record": record} if record else parts}


def dmarc(record: str | None = None, **parts: Any) -> dict[str, Any]:
    return {"dmarc": {"record": record} if record else parts}


def wanting(policy: dict[str, Any], *zone: str, **more: Any) -> Changing:
    """A policy against the zone in order, or against another."""
    return Changing(zone or CLEAN, policy, **more)


def bare(*changes: str, zone: tuple[str, ...] = CLEAN, **more: Any) -> Changing:
    return Changing(zone, changes=changes, **more)


ZONE: dict[str, Case] = {
    "nothing to say": wanting({**spf(SPF), **dmarc(DMARC), "dkim": DKIM}, key=KEY),
    "the zone reads as empty": Changing((), spf("v=spf1 a ~all")),
    "somebody has a draft": wanting(spf(require=["mx"]), draft="r7"),
    "what may be a draft": wanting(spf(require=["mx"]), draft="r7 deployed"),
    "a CNAME where DMARC goes": wanting(
        dmarc(DMARC), *mail_zone(SPF, (), None, "_dmarc CNAME x.example.net")
    ),
    "a CNAME where DMARC goes, and SPF is wanted too": wanting(
        {**dmarc(DMARC), **spf(SPF)}, *mail_zone(SPF, (), None, "_dmarc CNAME x.example.net")
    ),
    "a CNAME beside DMARC already": wanting(
        dmarc(DMARC), *mail_zone(SPF, DMARC, None, "_dmarc CNAME x.example.net")
    ),
    "a CNAME where SPF goes": Changing(
        ("mail CNAME x.example.net",), spf("v=spf1 a ~all"), domain="mail.example.com"
    ),
    "a CNAME where a key goes": wanting(
        {"dkim": DKIM}, *mail_zone(SPF, DMARC, (), "dkim._domainkey CNAME x.example.net"), key=KEY
    ),
    "DMARC would be written below a delegation": wanting(
        dmarc(DMARC), *mail_zone(SPF, (), None, "_dmarc NS ns.vendor.example.")
    ),
    "a key would be written below a delegation": wanting(
        {"dkim": DKIM, **spf(SPF), **dmarc(DMARC)},
        *mail_zone(SPF, DMARC, (), "_domainkey NS ns1.vendor.example", "_domainkey NS ns2.x"),
        key=KEY,
    ),
    "DMARC below a delegation already": wanting(
        dmarc(DMARC), *mail_zone(SPF, DMARC, None, "_dmarc NS ns.vendor.example")
    ),
    "a wildcard stops to answer for a mail domain below": wanting(
        {**spf("v=spf1 a ~all"), **dmarc(DMARC), "dkim": DKIM},
        *(*CLEAN, "* A 203.0.113.80", "* AAAA 2001:db8::80", "* TXT v=spf1 -all"),
        key=KEY,
        domain="shop.example.com",
    ),
    "a key from a line of another domain's zone": wanting(
        {"dkim": {"source": "-"}},
        *mail_zone(SPF, DMARC, ()),
        key=f'dkim._domainkey.other.example. IN TXT "{KEY[:200]}" "{KEY[200:]}"',
    ),
    "texts beside a key that are none": wanting(
        {**spf(SPF), "dkim": DKIM},
        *mail_zone(SPF, DMARC, (KEY, "hello", f'"{OTHER_KEY}"')),
        key=KEY,
    ),
    "a text where a key goes": wanting(
        {"dkim": DKIM}, *mail_zone(SPF, DMARC, f'"{OTHER_KEY}"'), key=KEY
    ),
    "keys where no key belongs": wanting(
        spf(require=["mx"]),
        *mail_zone(
            SPF, DMARC, None, *(f"{at} TXT {KEY}" for at in ("dkim", "_domainkey", "@", "_dmarc"))
        ),
    ),
    "a record that netcup keeps from being changed": wanting(
        {**spf(require=["ip4:192.0.2.1"]), **dmarc(DMARC)}, ttl=3600, fixed=("@ v=spf1",)
    ),
    "a record that is there twice, exactly alike": wanting(
        {**spf(SPF), **dmarc(policy="reject")}, *mail_zone((SPF, SPF)), ttl=3600
    ),
    "SPF vanished": wanting(spf(require=["mx"]), *mail_zone(()), remembered=CLEAN),
    "DMARC vanished": wanting(dmarc(policy="none"), *mail_zone(SPF, ()), remembered=CLEAN),
    "SPF vanished and is given whole": wanting(spf(SPF), *mail_zone(()), remembered=CLEAN),
    "nothing vanished": wanting(spf(require=["mx"]), remembered=CLEAN),
    "misplaced records": wanting(
        spf(require=["mx"]),
        *mail_zone(
            SPF,
            DMARC,
            None,
            f"dkim.domainkey TXT {KEY}",
            "s1.domainkey CNAME x.example.net",
            f"dmarc TXT {DMARC}",
            "dmarc TXT hello",
            f"_dmarc.{DOMAIN} TXT {DMARC}",
            f"{DOMAIN} TXT {SPF}",
            f"{DOMAIN} TXT v=DKIM1;p=",
            f"_dmarc TXT {SPF}",
            f"other._domainkey TXT {SPF}",
            f"@ TXT {DMARC}",
            f"*.domainkey TXT {KEY}",
            "www TXT hello",
        ),
    ),
    "netcup's mail servers left over": wanting(
        spf(require=["mx"]), *mail_zone(SPF, DMARC, None, "@ MX 50 mxf8a.netcup.net")
    ),
    "netcup's DKIM left over": wanting(
        spf(require=["mx"]),
        *mail_zone(SPF, DMARC, None, "key1._domainkey CNAME key1.example.webhosting.systems"),
    ),
    "netcup's two keys left over": wanting(
        spf(require=["mx"]),
        *mail_zone(
            SPF,
            DMARC,
            None,
            "key1._domainkey CNAME key1.example.webhosting.systems",
            "key2._domainkey CNAME key2.example.webhosting.systems",
        ),
    ),
    "netcup's mail in use": Changing(
        ("@ MX 50 mxf8a.netcup.net", "key1._domainkey CNAME key1.x.webhosting.systems"),
        spf("v=spf1 mx ~all"),
        dns={"mxf8a.netcup.net": ["A 203.0.113.9"]},
    ),
    "netcup's groupware left over": wanting(
        spf(require=["mx"]),
        *mail_zone(SPF, DMARC, None, "@ MX 50 Example-com.netcup-mail.de"),
    ),
    "netcup sends, and enforces with its keys": Changing(
        ("@ MX 50 MXF8A.netcup.net", "key1._domainkey CNAME key1.x.webhosting.systems"),
        dmarc(DMARC),
        dns={"key1.x.webhosting.systems": [f"TXT {KEY}"]},
    ),
    "netcup sends, and its keys are gone": Changing(
        ("@ MX 50 MXF8A.netcup.net", "key1._domainkey CNAME key1.x.webhosting.systems"),
        dmarc(DMARC),
    ),
    "netcup sends, and its include goes": Changing(
        ("@ MX 50 mxf8a.netcup.net", "@ TXT v=spf1 include:_spf.webhosting.systems ~all"),
        spf("v=spf1 a ~all"),
        dns={"mxf8a.netcup.net": ["A 203.0.113.9"]},
    ),
    "a wildcard with texts": wanting(
        spf(require=["mx"]), *mail_zone(SPF, DMARC, None, "* TXT hello")
    ),
}

EVERYBODY = {"y.example.net": ["TXT v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 ~all"]}
LONG = [f"ip4:192.0.2.{n}" for n in range(10, 46)]
TOO_LONG = " ".join(LONG)

SPF_TEXT: dict[str, Case] = {
    "SPF goes": bare("delete spf @"),
    "a second SPF record": bare("create spf @ v=spf1 a ~all"),
    "two SPF records already": bare(
        "create dmarc _dmarc v=DMARC1;p=none", zone=mail_zone((SPF, "v=spf1 a -all"), ())
    ),
    "two SPF records, one of three goes": bare(
        "delete spf @ v=spf1 ptr -all", zone=mail_zone((SPF, "v=spf1 a -all", "v=spf1 ptr -all"))
    ),
    "two SPF records that cannot be read": bare(
        "create spf @ v=spf1 bad:y", zone=mail_zone("v=spf1 bad:x")
    ),
    "three SPF records become two, none readable": bare(
        "delete spf @ v=spf1 bad:z",
        zone=mail_zone(("v=spf1 bad:x", "v=spf1 bad:y", "v=spf1 bad:z")),
    ),
    "a broken SPF record stays": wanting(dmarc(policy="reject"), *mail_zone("v=spf1 bad:x")),
    "+all is new": wanting(spf("v=spf1 mx +all")),
    "+all is there": wanting({**spf(require=["ip4:203.0.113.7"])}, *mail_zone("v=spf1 mx +all")),
    "a network of everybody is new": wanting(spf(require=["ip4:203.0.113.7/0"])),
    "two halves of everybody are new": wanting(spf(require=["ip4:0.0.0.0/1", "ip4:128.0.0.0/1"])),
    "a half is new, in parts": wanting(
        spf("v=spf1 mx " + " ".join(f"ip4:{n * 16}.0.0.0/4" for n in range(8)) + " ~all")
    ),
    "nearly everybody is new": wanting(
        spf("v=spf1 -ip4:10.0.0.0/8 mx ip4:0.0.0.0/1 ip4:128.0.0.0/1 ~all")
    ),
    "an include of everybody is new": wanting(
        spf(require=["include:x.example.net"]), dns={"x.example.net": ["TXT v=spf1 +all"]}
    ),
    "an include of everybody is there": wanting(
        spf(require=["ip4:203.0.113.7"]),
        *mail_zone("v=spf1 mx include:x.example.net ~all"),
        dns={"x.example.net": ["TXT v=spf1 include:y.example.net -all"], **EVERYBODY},
    ),
    "an include of everybody in place of +all": wanting(
        spf("v=spf1 mx include:y.example.net ~all"), *mail_zone("v=spf1 mx +all"), dns=EVERYBODY
    ),
    "ptr is new": wanting(spf(require=["ptr"])),
    "ptr is there": wanting(spf(require=["a"]), *mail_zone("v=spf1 mx ptr ~all")),
    "something behind the all": wanting(spf("v=spf1 mx ~all a -all")),
    "a redirect behind the all": wanting(spf("v=spf1 mx ~all redirect=x.example.com")),
    "no all": wanting(spf("v=spf1 mx")),
    "no all, for a blank is missing": bare("set spf @ v=spf1 mx a:mail.example.com-all"),
    "?all": wanting(spf("v=spf1 mx ?all")),
    "?all is there": wanting(spf(require=["a"]), *mail_zone("v=spf1 mx ?all")),
    "-all": wanting(spf(all="fail")),
    "-all of a parked domain": wanting({"parked": True}, *mail_zone(SPF)),
    "softened to ~all": wanting(spf(all="softfail"), *mail_zone("v=spf1 mx -all")),
    "loosened to ?all": wanting(spf(all="neutral")),
    "loosened to no all": wanting(spf("v=spf1 mx"), *mail_zone("v=spf1 mx -all")),
    "loosened to +all": wanting(spf("v=spf1 mx +all"), *mail_zone("v=spf1 mx")),
    "a redirect instead of an all": wanting(
        spf("v=spf1 mx redirect=_spf.example.com"),
        *mail_zone(SPF, DMARC, None, "_spf TXT v=spf1 mx ~all"),
    ),
    "an all instead of a redirect": wanting(
        spf("v=spf1 mx ?all"),
        *mail_zone("v=spf1 redirect=_spf.example.com", DMARC, None, "_spf TXT v=spf1 mx ~all"),
    ),
    "two SPF records become one": wanting(spf(require=["mx"]), *mail_zone((SPF, "v=spf1 a -all"))),
    "two SPF records become one, and the wish says which all": wanting(
        spf(require=["mx"], all="fail"),
        *mail_zone(("v=spf1 a -all", "v=spf1 mx ~all", "v=spf1 redirect=x.example.com")),
    ),
    "two SPF records become one without a word": wanting(
        spf(require=["mx"]), *mail_zone((SPF, "v=spf1 a ~all"))
    ),
    "a long record": Changing(
        ("@ A 203.0.113.1", "@ TXT v=spf1 a ~all"), spf(require=LONG[:30]), hosts=("192.0.2.10",)
    ),
    "a record too long": wanting(spf(require=LONG)),
    "a record too long already": wanting(
        spf(drop=["mx"]), *mail_zone(f"v=spf1 mx {TOO_LONG} ~all")
    ),
    "too long with the others": wanting(
        spf(require=["ip4:203.0.113.7"]), *mail_zone(SPF, DMARC, None, f"@ TXT {'x' * 400}")
    ),
    "a term required and dropped": wanting(spf(require=["a"], drop=["a"])),
    "a new record with nothing required": wanting(spf(all="fail"), *mail_zone(())),
    "a new record": wanting(spf(require=["mx"], all="fail"), *mail_zone(())),
    "the live SPF record cannot be edited": wanting(
        spf(require=["a"]), *mail_zone("v=spf1 ip4:x ~all")
    ),
    "the live SPF record cannot be edited, and DMARC is wanted too": wanting(
        {**spf(require=["a"]), **dmarc(DMARC)}, *mail_zone("v=spf1 ip4:x ~all")
    ),
}

NETCUP = "include:_spf.webhosting.systems"
NETCUP_DNS = {"_spf.webhosting.systems": ["TXT v=spf1 ip4:203.0.113.99 -all"]}
OUTSIDE = {"_spf.example.net": ["TXT v=spf1 ip4:203.0.113.98 -all"], **NETCUP_DNS}
SENDERS: dict[str, Case] = {
    "netcup's hosting dropped": wanting(
        spf("v=spf1 mx ~all"), *mail_zone(f"v=spf1 mx {NETCUP} ~all"), dns=OUTSIDE
    ),
    "netcup's hosting and another dropped": wanting(
        spf("v=spf1 mx ~all"),
        *mail_zone(f"v=spf1 mx {NETCUP} include:_spf.example.net ~all"),
        dns=OUTSIDE,
    ),
    "a sender dropped by parts": bare(
        "set spf @ v=spf1 mx -all", zone=mail_zone("v=spf1 mx ip4:203.0.113.7 ~all")
    ),
    "a sender written with the domain it means": wanting(
        spf("v=spf1 a:example.com mx:example.com ~all"), *mail_zone("v=spf1 a mx ~all")
    ),
    "a sender dropped by name": wanting(
        spf(require=["mx"], drop=["ip4:203.0.113.7"]),
        *mail_zone("v=spf1 mx ip4:203.0.113.7 ~all"),
    ),
    "a sender dropped by name with its sign": wanting(
        {"spf": {"record": "v=spf1 mx ~all", "drop": ["+ip4:203.0.113.7"]}},
        *mail_zone("v=spf1 mx ip4:203.0.113.7 ~all"),
    ),
    "one dropped by name, one not": wanting(
        {"spf": {"record": "v=spf1 mx ~all", "drop": ["ip4:203.0.113.7"]}},
        *mail_zone("v=spf1 mx ip4:203.0.113.7 a:www.example.com ~all"),
    ),
    "a redirect dropped": wanting(
        spf("v=spf1 mx ~all"),
        *mail_zone("v=spf1 redirect=_spf.example.com", DMARC, None, "_spf TXT v=spf1 a ~all"),
    ),
    "a sender dropped for a redirect": wanting(
        spf("v=spf1 redirect=_spf.example.com"),
        *mail_zone("v=spf1 a mx ~all", DMARC, None, "_spf TXT v=spf1 mx ~all"),
    ),
    "a sender dropped where everybody may send": wanting(
        spf("v=spf1 -mx ?all"), *mail_zone("v=spf1 a mx ~all")
    ),
    "a sender dropped behind +all": wanting(spf("v=spf1 -a +all"), *mail_zone("v=spf1 a mx ~all")),
    "a sender dropped that no option can name": wanting(
        spf("v=spf1 mx ~all"), *mail_zone("v=spf1 mx a:mail.example.com-all ~all")
    ),
    "a sender dropped that cannot be kept": bare(
        "set spf @ v=spf1 a:www.example.com-all ~all",
        zone=mail_zone("v=spf1 mx a:mail.example.com-all ~all"),
    ),
    "more senders dropped than anybody types": wanting(
        spf("v=spf1 mx ~all"),
        *mail_zone(f"v=spf1 mx {' '.join(f'ip4:203.0.113.{n}' for n in range(100, 152))} ~all"),
    ),
    "a parked domain drops all": wanting(
        {"parked": True}, *mail_zone(f"v=spf1 mx {NETCUP} ~all"), dns=OUTSIDE
    ),
}

CARVED = mail_zone("v=spf1 -ip4:192.0.2.9 mx -all")
CARVE_OUTS: dict[str, Case] = {
    "a network required round a carve-out": wanting(spf(require=["ip4:192.0.2.0/24"]), *CARVED),
    "an address required inside a carve-out": wanting(
        spf(require=["ip4:192.0.2.7"]), *mail_zone("v=spf1 -ip4:192.0.2.0/24 mx -all")
    ),
    "a term required behind a list": wanting(
        spf(require=["ip4:192.0.2.0/24"]), *mail_zone("v=spf1 -exists:%{i}.x.example.net mx -all")
    ),
    "a neutral term required": wanting(
        spf(require=["include:_spf.example.net"]),
        *mail_zone("v=spf1 mx ?include:_spf.example.net -all"),
        dns=OUTSIDE,
    ),
    "a term required that is shut out": wanting(
        spf(require=["a"]), *mail_zone("v=spf1 mx -a -all")
    ),
    "a carve-out lost": wanting(spf("v=spf1 ip4:192.0.2.0/24 mx -all"), *CARVED),
    "a carve-out moved": wanting(spf("v=spf1 ip4:192.0.2.0/24 mx -ip4:192.0.2.9 -all"), *CARVED),
    "a carve-out dropped by name": wanting(
        spf(require=["ip4:192.0.2.0/24"], drop=["-ip4:192.0.2.9"]), *CARVED
    ),
    "a list lost": wanting(
        spf("v=spf1 mx -all"), *mail_zone("v=spf1 -exists:%{i}.x.example.net mx -all")
    ),
    "carve-outs lost, of addresses in DNS": wanting(
        spf("v=spf1 ip4:203.0.113.0/24 ip6:2001:db8::/32 -all"), *mail_zone("v=spf1 ~a ?mx -all")
    ),
    "two SPF records, one with a carve-out": wanting(
        spf(require=["mx"]),
        *mail_zone(("v=spf1 ip4:192.0.2.0/24 -all", "v=spf1 -ip4:192.0.2.9 mx -all")),
    ),
    "two SPF records that contradict each other": wanting(
        spf(all="fail"), *mail_zone(("v=spf1 mx a -all", "v=spf1 mx -a -all"))
    ),
    "two SPF records, where one carve-out stands behind another": wanting(
        spf(require=["ip4:192.0.2.0/28"], all="fail"),
        *mail_zone(
            (
                "v=spf1 exists:no.example.net -a ~exists:%{l}.who.example.net ~all",
                "v=spf1 -exists:%{i}.ok.example.net redirect=away.example.net",
            )
        ),
        dns={"away.example.net": ["TXT v=spf1 -ip4:192.0.2.9 ip4:192.0.2.0/24 -all"]},
    ),
    "two SPF records, with a carve-out that no option can name": wanting(
        spf(require=["ip4:203.0.113.0/24"]),
        *mail_zone(("v=spf1 mx a -all", "v=spf1 -exists:%{i}.x.example.net-all mx -all")),
    ),
    "a network required in front of a redirect": wanting(
        spf(require=["ip4:192.0.2.0/24"]),
        *mail_zone(
            "v=spf1 redirect=_spf.example.com",
            DMARC,
            None,
            "_spf TXT v=spf1 mx -ip4:192.0.2.9 ip4:192.0.2.0/25 ~all",
        ),
    ),
    "two SPF records, a neutral term of one required": wanting(
        spf(require=["mx"]), *mail_zone(("v=spf1 a -all", "v=spf1 ?mx -all"))
    ),
    "a carve-out lost by parts": bare("set spf @ v=spf1 ip4:192.0.2.0/24 mx -all", zone=CARVED),
    "a network carved out and lost": wanting(
        spf("v=spf1 ip4:192.0.2.0/24 -all"), *mail_zone("v=spf1 ?ip4:192.0.2.0/28 mx -all")
    ),
    "a carve-out lost of whom nothing lets in": wanting(
        spf("v=spf1 ip4:198.51.100.0/24 mx -all"), *mail_zone("v=spf1 -a mx -all")
    ),
    "a carve-out lost of which DNS is silent": wanting(
        spf("v=spf1 ip4:192.0.2.7 mx -all"),
        *mail_zone("v=spf1 -include:x.example.net mx -all"),
        dns={"x.example.net": ["TIMEOUT"]},
    ),
    "a carve-out lost that no option can name": wanting(
        spf("v=spf1 ip4:203.0.113.0/24 -all"),
        *mail_zone("v=spf1 -exists:%{i}.x.example.net-all mx -all"),
    ),
    "more carve-outs lost than anybody types": wanting(
        spf("v=spf1 ip4:192.0.2.0/24 mx -all"),
        *mail_zone(f"v=spf1 {' '.join(f'-ip4:192.0.2.{n}' for n in range(100, 170))} mx -all"),
    ),
    "the server may not send, behind a carve-out": wanting(
        spf("v=spf1 -mx a -all"), *mail_zone("v=spf1 a -all"), hosts=("mail.example.com",)
    ),
}

THREE_MX = tuple(
    line for n in (10, 20, 30) for line in (f"@ MX {n} m{n}.example.com", f"m{n} A 203.0.113.{n}")
)
VOID = ("a:h1.example.net", "a:h2.example.net", "a:h3.example.net")
LOOK_UPS: dict[str, Case] = {
    "too many look-ups": wanting(spf(require=list(ELEVEN))),
    "too many look-ups already": wanting(
        spf(require=["ip4:203.0.113.7"]), *mail_zone(f"v=spf1 {' '.join(ELEVEN)} ~all")
    ),
    "near the limit": wanting(spf(require=SIX)),
    "void look-ups": wanting(spf(require=list(VOID))),
    "void look-ups already": wanting(
        spf(require=["ip4:203.0.113.7"]), *mail_zone(f"v=spf1 mx {' '.join(VOID)} ~all")
    ),
    "three mail hosts without IPv6": Changing(THREE_MX, spf("v=spf1 mx ~all")),
    "three mail hosts without IPv6 already": Changing(
        (*THREE_MX, "@ TXT v=spf1 mx ~all"), spf(require=["ip4:203.0.113.7"])
    ),
    "two mail hosts without IPv6 and an address": Changing(
        (*THREE_MX[:4], "@ A 203.0.113.80"), spf("v=spf1 a mx ~all")
    ),
    "a void include of an include": wanting(
        spf(require=["include:x.example.net"]),
        dns={
            "x.example.net": ["TXT v=spf1 a:h1.example.net a:h2.example.net a:h3.example.net -all"]
        },
    ),
    "a broken include": wanting(spf(require=["include:gone.example.net"])),
    "a broken include already": wanting(
        spf(require=["ip4:203.0.113.7"]), *mail_zone("v=spf1 include:gone.example.net ~all")
    ),
    "DNS silent about a new term": wanting(
        spf(require=["include:x.example.net"]), dns={"x.example.net": ["TIMEOUT"]}
    ),
    "no DNS at all": wanting(spf(require=["include:x.example.net"]), dns=None),
    "DNS silent about an old term": wanting(
        spf(require=["ip4:203.0.113.7"]),
        *mail_zone("v=spf1 mx include:x.example.net ~all"),
        dns={"x.example.net": ["SERVFAIL"]},
    ),
    "the server may not send": wanting(spf("v=spf1 a ~all"), hosts=("mail.example.com",)),
    "the server may not send already": wanting(
        spf(require=["ip4:203.0.113.7"]),
        *mail_zone("v=spf1 a ~all"),
        hosts=("mail.example.com",),
    ),
    "the server may not send, of two addresses": wanting(
        {"spf": {"record": "v=spf1 ip4:203.0.113.25 -all"}}, hosts=("mail.example.com",)
    ),
    "the server, by its address": wanting(
        {"spf": {"record": "v=spf1 a -all"}}, hosts=("203.0.113.25",)
    ),
    "the server, by its address, in parts": wanting(
        spf(require=["a"], drop=["mx"], all="fail"), hosts=("203.0.113.25",)
    ),
    "the server may not send by a new record": wanting(
        spf("v=spf1 a ~all"), *mail_zone(()), hosts=("mail.example.com",)
    ),
    "the MX may not send": wanting(spf("v=spf1 a ~all")),
    "the MX may not send already": wanting(
        spf(require=["ip4:203.0.113.7"]), *mail_zone("v=spf1 a ~all")
    ),
    "DNS silent when the server is tried": wanting(
        spf("v=spf1 exists:%{i}.x.example.net ip4:203.0.113.25 ~all"),
        dns={"25.113.0.203.x.example.net": ["TIMEOUT"], "203.0.113.25.x.example.net": ["TIMEOUT"]},
        hosts=("203.0.113.25",),
    ),
    "DNS silent about what the live record lets in": wanting(
        spf("v=spf1 a ~all"),
        *mail_zone("v=spf1 include:x.example.net ~all"),
        dns={"x.example.net": ["TIMEOUT"]},
    ),
    "a server without an address": wanting(spf("v=spf1 mx -all"), hosts=("gone.example.com",)),
    "a server without an address, and ~all": wanting(
        spf("v=spf1 mx a ~all"), hosts=("gone.example.com", "mail.example.com")
    ),
    "no MX": Changing(("@ A 203.0.113.1",), spf("v=spf1 a ~all")),
    "no MX, and -all": Changing(("@ A 203.0.113.1",), spf("v=spf1 a -all")),
    "an MX without an address": Changing(("@ MX 10 gone.example.com",), spf("v=spf1 mx ~all")),
}

DKIM_KEYS: dict[str, Case] = {
    "another selector than the signer's": wanting({"dkim": SECOND}, key=KEY, own_selector="dkim"),
    "another selector than the signer's already": wanting(
        {"dkim": SECOND},
        *mail_zone(SPF, DMARC, (), f"s2._domainkey TXT {KEY}"),
        key=KEY,
        own_selector="dkim",
    ),
    "a rotation holds the name": wanting({"dkim": DKIM}, key=OTHER_KEY, held=("dkim._domainkey",)),
    "the signing key goes": wanting({"dkim": DKIM}, key=OTHER_KEY, signing=KEY),
    "the signing key is deleted": bare("delete dkim dkim._domainkey", signing=KEY),
    "a key is deleted": bare("delete dkim dkim._domainkey"),
    "a key is revoked": wanting({"dkim": DKIM}, key="v=DKIM1;p="),
    "nothing is revoked": wanting({"dkim": DKIM}, *mail_zone(SPF, DMARC, ()), key="v=DKIM1;p="),
    "a second key": bare(f"create dkim dkim._domainkey {OTHER_KEY}"),
    "two keys already": bare(
        f"delete dkim dkim._domainkey {key(number=3)}",
        zone=mail_zone(SPF, DMARC, (KEY, OTHER_KEY, key(number=3))),
    ),
    "no key record": bare("set dkim dkim._domainkey v=DKIM1;k=rsa"),
    "a broken key stays": bare(
        "set dkim dkim._domainkey v=DKIM1;k=rsa", zone=mail_zone(SPF, DMARC, "v=DKIM1;k=rsa")
    ),
    "a key too short": bare(f"set dkim dkim._domainkey {key(512)}"),
    "a key too short already": bare(
        f"set dkim dkim._domainkey {key(512)}", zone=mail_zone(SPF, DMARC, key(512))
    ),
    "a key of 1024 bits": wanting({"dkim": SECOND}, key=key(1024)),
    "a key of 1024 bits already": wanting(
        {"dkim": DKIM}, *mail_zone(SPF, DMARC, key(1024)), key=key(1024)
    ),
    "a key of 8192 bits": wanting({"dkim": SECOND}, key=key(8192)),
    "t=y": wanting({"dkim": SECOND}, key=key(tags="t=y;")),
    "another key": wanting({"dkim": DKIM}, key=OTHER_KEY),
    "another key, and a long TTL": wanting({"dkim": DKIM}, key=OTHER_KEY, ttl=86400),
    "another key, and a short TTL": wanting({"dkim": DKIM}, key=OTHER_KEY, ttl=300),
    "another key for a broken one": wanting(
        {"dkim": DKIM}, *mail_zone(SPF, DMARC, "v=DKIM1;k=rsa"), key=OTHER_KEY
    ),
}

REPORT_DNS = {"example.net": ["A 203.0.113.3"]}
BOTH = (DMARC, "v=DMARC1;p=none")
DMARC_POLICY: dict[str, Case] = {
    "a second DMARC record": bare(f"create dmarc _dmarc {WATCHED}"),
    "two DMARC records already": bare(
        "delete dmarc _dmarc v=DMARC1;p=reject", zone=mail_zone(SPF, (*BOTH, "v=DMARC1;p=reject"))
    ),
    "no DMARC record": bare("set dmarc _dmarc v=DMARC1;p=rejekt"),
    "no policy in the live one, which stays": bare(
        "set dmarc _dmarc v=DMARC1;p=rejekt", zone=mail_zone(SPF, "v=DMARC1;p=rejekt")
    ),
    "one of two is meant": wanting(dmarc(DMARC), *mail_zone(SPF, BOTH)),
    "one of two is meant, and the other's address goes": wanting(
        dmarc(DMARC), *mail_zone(SPF, (DMARC, "v=DMARC1;p=none;rua=mailto:x@example.com,mailto:x"))
    ),
    "which of two is meant": wanting(dmarc(policy="none"), *mail_zone(SPF, BOTH)),
    "the live DMARC record cannot be edited": wanting(
        dmarc(rua=["mailto:d@example.com"]), *mail_zone(SPF, "v=DMARC1;p=rejekt")
    ),
    "weakened": wanting(dmarc(policy="none")),
    "weakened for sub-domains": wanting(
        dmarc(f"{DMARC};sp=none"), *mail_zone(SPF, f"{DMARC};sp=reject")
    ),
    "DMARC goes": bare("delete dmarc _dmarc"),
    "a broken address is no loss": bare(
        "delete dmarc _dmarc", zone=mail_zone(SPF, "v=DMARC1;p=none;rua=mailto:x")
    ),
    "reports dropped": wanting(dmarc("v=DMARC1;p=quarantine")),
    "one of two addresses dropped": wanting(
        dmarc(DMARC),
        *mail_zone(SPF, f"{DMARC},mailto:a@example.net,mailto:b@example.org"),
        dns=REPORT_DNS,
    ),
    "pct, in an edit": wanting(dmarc(policy="quarantine"), *mail_zone(SPF, f"{DMARC};pct=50")),
    "pct is there": wanting(
        dmarc(f"{DMARC};pct=50;ri=3600"), *mail_zone(SPF, f"{DMARC};pct=50;ri=3600")
    ),
    "pct is given": wanting(dmarc(f"{DMARC};pct=50")),
    "watching": wanting(dmarc(policy="none"), *mail_zone(SPF, ())),
    "watching, whole": wanting(dmarc(WATCHED), *mail_zone(SPF, WATCHED)),
    "watching, with an address": wanting(
        dmarc(policy="none", rua=["mailto:d@example.com"]), *mail_zone(SPF, WATCHED)
    ),
    "watching by t=y": wanting(dmarc(f"{DMARC};t=y"), *mail_zone(SPF, f"{DMARC};t=y")),
    "enforced by t=y": wanting(
        dmarc("v=DMARC1;p=reject;t=y;rua=mailto:d@example.com"), *mail_zone(SPF, WATCHED)
    ),
    "enforced at once": wanting(dmarc(DMARC), *mail_zone(SPF, ())),
    "enforced at once without reports": wanting(
        dmarc("v=DMARC1;p=quarantine"), *mail_zone(SPF, ())
    ),
    "enforced at once, in parts": wanting(
        dmarc(policy="reject", rua=["mailto:d@example.com"]), *mail_zone(SPF, ())
    ),
    "enforced after two": wanting(dmarc(DMARC), *mail_zone(SPF, BOTH)),
    "enforced at once without a key": wanting(dmarc(DMARC), *mail_zone(SPF, (), ())),
    "an address alone, where there is none": wanting(
        dmarc(rua=["mailto:d@example.com"]), *mail_zone(SPF, ())
    ),
    "sub-domains": wanting(dmarc(subdomain_policy="reject")),
    "enforced without a key": wanting(dmarc(DMARC), *mail_zone(SPF, WATCHED, ())),
    "enforced without a key already": wanting(
        dmarc(policy="quarantine"), *mail_zone(SPF, DMARC, ())
    ),
    "enforced without a key, which is left out": wanting(
        dmarc(DMARC), *mail_zone(SPF, WATCHED, ()), dkim_left_out=True
    ),
    "enforced without a key already, which is left out": wanting(
        dmarc(policy="quarantine"), *mail_zone(SPF, DMARC, ()), dkim_left_out=True
    ),
    "enforced with a key, which is left out": wanting(
        dmarc(DMARC), *mail_zone(SPF, WATCHED), dkim_left_out=True
    ),
    "enforced, and the last key goes": bare("delete dkim dkim._domainkey"),
    "enforced with netcup's key only": wanting(
        dmarc(DMARC),
        *mail_zone(SPF, WATCHED, (), "key1._domainkey CNAME key1.x.webhosting.systems"),
    ),
    "enforced with a key elsewhere": wanting(
        dmarc(DMARC), *mail_zone(SPF, WATCHED, (), "s1._domainkey CNAME s1.example.net")
    ),
    "enforced by a parked domain": wanting({"parked": True}, *mail_zone(SPF, ())),
    "enforced and parked": wanting({"parked": True, **dmarc("v=DMARC1;p=reject")}),
    "reject": wanting(dmarc(policy="reject")),
    "no reports": wanting(dmarc("v=DMARC1;p=none"), *mail_zone(SPF, ())),
    "no reports, in parts": wanting(dmarc(policy="quarantine"), *mail_zone(SPF, "v=DMARC1;p=none")),
    "reports to somebody who did not agree": wanting(
        dmarc(rua=["mailto:x@example.net"]), dns=REPORT_DNS
    ),
    "reports to somebody who did not agree already": wanting(
        dmarc(policy="reject"),
        *mail_zone(SPF, "v=DMARC1;p=quarantine;rua=mailto:x@example.net"),
        dns=REPORT_DNS,
    ),
    "reports to somebody who did not agree, unchanged": wanting(
        dmarc("v=DMARC1;p=quarantine;rua=mailto:x@example.net"),
        *mail_zone(SPF, "v=DMARC1;p=quarantine;rua=mailto:x@example.net"),
        dns=REPORT_DNS,
    ),
    "reports to a host of the same zone": wanting(
        dmarc("v=DMARC1;p=none;rua=mailto:x@reports.example.com"),
        *mail_zone(SPF, "v=DMARC1;p=none;psd=n", None, "_dmarc.reports TXT v=DMARC1;p=none;psd=n"),
    ),
    "reports to a host of the same registrable name": Changing(
        ("intern A 203.0.113.1",),
        dmarc("v=DMARC1;p=none;rua=mailto:x@example.com"),
        domain="intern.example.com",
    ),
    "reports that this run agrees to": wanting(
        dmarc(rua=["mailto:x@example.net"]),
        dns=REPORT_DNS,
        reports_planned=("example.com._report._dmarc.example.net",),
    ),
    "failure reports to somebody who did not agree": wanting(
        dmarc(f"{DMARC};ruf=mailto:x@example.net"), dns=REPORT_DNS
    ),
    "failure reports of which DNS is silent": wanting(
        dmarc(f"{DMARC};ruf=mailto:x@example.net"),
        dns={"example.com._report._dmarc.example.net": ["TIMEOUT"]},
    ),
    "failure reports dropped": wanting(
        dmarc(DMARC), *mail_zone(SPF, f"{DMARC};ruf=mailto:x@example.com")
    ),
    "pct=0, in an edit": wanting(
        dmarc(policy="reject"), *mail_zone(SPF, "v=DMARC1;p=quarantine;pct=0;rua=mailto:d@x.de")
    ),
    "watching by t=y and pct=0": wanting(dmarc(f"{DMARC};t=y;pct=0")),
    "an address with a =": wanting(dmarc(f"{DMARC},mailto:a=b@example.com")),
    "psd=y": wanting(dmarc(f"{DMARC};psd=y")),
    "fo as RFC 7489 has it": wanting(
        dmarc(policy="quarantine"),
        *mail_zone(SPF, "v=DMARC1; p=none; fo=0:1:d:s; rua=mailto:d@example.com"),
    ),
    "a misspelt tag stays": wanting(dmarc(policy="reject"), *mail_zone(SPF, f"{DMARC};adkm=s")),
    "a semicolon is missing": wanting(
        dmarc(policy="reject"), *mail_zone(SPF, "v=DMARC1; p=none rua=mailto:d@example.com")
    ),
    "of no effect, and none is wanted": wanting(
        dmarc(policy="none"), *mail_zone(SPF, "v=DMARC1;p=none;sp=rejct")
    ),
    "of no effect, and one is wanted": wanting(
        dmarc(policy="reject"), *mail_zone(SPF, "v=DMARC1;p=reject;sp=rejct")
    ),
    "a near miss is edited": wanting(
        dmarc(rua=["mailto:d@example.com"]),
        *mail_zone(SPF, "v=dmarc1; p=reject; sp=quarantine; rua=mailto:o@example.com"),
    ),
    "a near miss is edited, and a policy named": wanting(
        dmarc(policy="quarantine"),
        *mail_zone(SPF, " v=DMARC1, p=reject, rua=mailto:o@example.com"),
    ),
    "a capital V": wanting(
        dmarc(policy="reject"), *mail_zone(SPF, "V=DMARC1; p=reject; rua=mailto:o@example.com")
    ),
    "a near miss is replaced": wanting(
        dmarc(DMARC), *mail_zone(SPF, "v=dmarc1; p=reject; rua=mailto:o@example.com")
    ),
    "a near miss that is not understood": wanting(
        dmarc(policy="none"), *mail_zone(SPF, "v=dmarc1; p=rejekt")
    ),
    "a near miss that cannot be edited": wanting(
        dmarc(rua=["mailto:d@example.com"]), *mail_zone(SPF, "v=dmarc1; p=rejekt")
    ),
    "a near miss goes": bare(
        "delete dmarc _dmarc", zone=mail_zone(SPF, "v=dmarc1;p=none;rua=mailto:o@example.com")
    ),
    "a near miss beside": wanting(
        dmarc(policy="quarantine"), *mail_zone(SPF, (DMARC, "v=dmarc1;p=none"))
    ),
    "a near miss beside, not understood": wanting(
        dmarc(policy="quarantine"), *mail_zone(SPF, (DMARC, "v=dmarc1;p=rejekt"))
    ),
    "SPF, a near miss is edited": wanting(
        spf(require=["ip4:192.0.2.1"]), *mail_zone('"v=spf1, mx, ~all')
    ),
    "SPF, a near miss is replaced": wanting(spf(SPF), *mail_zone(" v=spf1 mx -all")),
    "SPF, which of two near misses is meant": wanting(
        spf(require=["mx"]), *mail_zone(("spf1 mx -all", " v=spf1 a -all"))
    ),
    "SPF, a near miss beside": wanting(dmarc(DMARC), *mail_zone((SPF, "v=spf1, mx, -all"))),
    "another text beside": wanting(dmarc(policy="quarantine"), *mail_zone(SPF, (DMARC, "hello"))),
    "what cannot be stored is left out": wanting(
        dmarc(policy="reject"), *mail_zone(SPF, 'v=DMARC1;p=none;x="a";rua=mailto:o\'b@x.de')
    ),
    "a character that cannot be stored": wanting(
        dmarc(policy="reject"), *mail_zone(SPF, f"{DMARC};x=" + "a" * 5000)
    ),
    "reports to somebody of whom DNS is silent": wanting(
        dmarc(rua=["mailto:x@example.net"]),
        dns={"example.com._report._dmarc.example.net": ["TIMEOUT"]},
    ),
}

AROUND: dict[str, Case] = {
    "accepted": wanting({**spf("v=spf1 mx ?all"), "allow": ["spf-loosens-all", "spf-ptr"]}),
    "nothing to write, and a danger": wanting(dmarc(DMARC), draft="r7"),
    "the domain takes another's reports": Planning(
        CLEAN, {}, authorises=("example.org example.com",)
    ),
    "the domain takes everybody's reports": Planning(
        (*CLEAN, "*._report._dmarc TXT v=DMARC1"), {}, authorises=("example.org example.com",)
    ),
    "mailcow has no key": Planning(CLEAN, {"dkim": {"source": "mailcow"}}),
    "a note in a key that netcup cannot store": Planning(
        mail_zone(SPF, DMARC, ()),
        {"dkim": {"source": "mailcow"}},
        key=key(tags='n=say "hi";'),
    ),
    "a record that netcup cannot store": Planning(
        mail_zone(SPF, DMARC, ()),
        {**dmarc(DMARC.replace("dmarc@", "d'marc@")), "dkim": {"source": "mailcow"}},
        key=KEY,
    ),
    "mailcow sends through a relay": Planning(
        CLEAN, {"dkim": {"source": "mailcow"}}, key=KEY, relay="smtp.example.net:25"
    ),
    "a rotation is open": Planning(
        CLEAN, {"dkim": {"source": "mailcow"}}, key=OTHER_KEY, held=("dkim._domainkey",)
    ),
    "mailcow's domain is not at netcup": Planning(
        None, spf(SPF), discovered=True, dns={DOMAIN: ["NS root-dns.netcup.net"]}
    ),
    "mailcow's domain is served by others": Planning(
        CLEAN, spf(SPF), discovered=True, dns={DOMAIN: ["NS ns1.example.net"]}
    ),
}

TERMS = (
    "ip4:203.0.113.7…",
    "a\tmx",
    "mx\u00e4",
    "ip4:<address>",
    "ip4:203.0.113.7include:x.example.com",
    'a:"mail.example.com"',
    "a:http://example.com",
    "include:user@example.com",
    "ip4:203.0.113.7~all",
    "a,mx",
    "a;mx",
    "v=spf1",
    "203.0.113.7",
    "+2001:db8::7/64",
    "ip:203.0.113.7",
    "mail.example.com",
    "ipv6:2001:db8::7",
    "ip-v4:mail",
    "redirect:x.example.com",
    "exp:x.example.com",
    "all:example.com",
    "-all.",
    "bad:x",
    "ip4",
    "ip6:",
    "ip4:2001:db8::7",
    "ip4:mail.example.com",
    "ip4:203.0.113.07",
    "ip4:203.0.113.300",
    "ip4:203.0.113",
    "ip6:xyz",
    "ip4:203.0.113.7/024",
    "ip4:203.0.113.0/255.255.255.0",
    "ip4:203.0.113.0/x",
    "ip4:203.0.113.0/33",
    "ip6:2001:db8::/129",
    "a/33",
    "ptr/24",
    "a/24/64",
    "include:",
    "redirect=",
    "include: x.example.com",
    "exists:%{z}.example.com",
    "exists:%{i.example.com",
    "exists:%{c}.example.com",
    "a:203.0.113.7",
    "a:mail",
    "a:example.com:25",
    "include:example.com,all",
)
RECORDS = (
    " ",
    '"v=DMARC1;p=none"',
    "v=DMARC1;p",
    "v=DMARC1;p=none;p=none",
    "p=none;v=DMARC1",
    "v=DMARC2;p=none",
    "v=DMARC1",
    "v=DMARC1;p=none;rua=mailto:<you>",
    "v=DMARC1;p=none;rua=mailto:\u00e4@example.com",
    "v=DMARC1;p=none\u00a0",
    "v=DMARC1;rau=mailto:x@example.com;p=none",
    "v=DMARC1;policy=none;p=none",
    "v=DMARC1;rua=mailto:x@example.com",
    "v=DMARC1;p=rejekt",
    "v=DMARC1;p=banana",
    "v=DMARC1;p=none rua=mailto:x@example.com",
    "v=DMARC1;p=none;fo=2",
    "v=DMARC1;p=none;rua=x@example.com",
)
READINGS = (
    Reading("term", "a b"),
    Reading("term", "ip4:203.0.113.0/00"),
    Reading("spf", "v=spf1 v=spf1 ~all"),
    Reading("spf", "v=spf1 include=example.com ~all"),
    Reading("spf", "v=spf1 include:example.com-all"),
    Reading("dmarc", " "),
    Reading("dmarc", "p=none;v=DMARC1"),
    Reading("dmarc", "v=DMARC2;p=none"),
    Reading("dkim", "v=DKIM2;p="),
    Reading("dkim", "v=DKIM1;k=rsa;p=abc"),
)
SYNTAX: dict[str, Case] = {
    **{f"{reading.reader} {reading.text!r}": reading for reading in READINGS},
    **{f"SPF {term!r}": bare(f"set spf @ v=spf1 {term} ~all") for term in TERMS},
    **{f"DMARC {text!r}": bare(f"set dmarc _dmarc {text}") for text in RECORDS},
}

CASES: dict[str, Case] = {
    f"{group}: {name}": case
    for group, cases in (
        ("zone", ZONE),
        ("spf", SPF_TEXT),
        ("senders", SENDERS),
        ("carve-outs", CARVE_OUTS),
        ("look-ups", LOOK_UPS),
        ("dkim", DKIM_KEYS),
        ("dmarc", DMARC_POLICY),
        ("around", AROUND),
        ("syntax", SYNTAX),
    )
    for name, case in cases.items()
}

"""Random SPF records with carve-outs, random edits of them, and the DNS they live in.

And who of those that a record shut out by name passes after the edit, without being named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from netcup_mailauth import spf
from netcup_mailauth.kinds import of_kind
from netcup_mailauth.lookup import ZoneLookup
from netcup_mailauth.records import Kind
from tests.core.judge.cases import DOMAIN, dns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netcup_mailauth.findings import Finding
    from netcup_mailauth.judge.case import Case
    from netcup_mailauth.records import DnsRecord

WORLD: dict[str, Sequence[Any]] = {
    "x.example.net": [{"SPF": "v=spf1 -ip4:192.0.2.66 ip4:192.0.2.64/26 ip4:198.51.100.7 -all"}],
    "y.example.net": [{"SPF": "v=spf1 ?a:host.example.net include:x.example.net ~all"}],
    "z.example.net": [{"SPF": "v=spf1 ip4:192.0.2.9 -ip4:192.0.2.8/29 ip4:192.0.2.0/24 -all"}],
    "list.example.net": [{"SPF": "v=spf1 exists:%{i}.ok.example.net ?all"}],
    "host.example.net": [{"A": "192.0.2.9"}, {"A": "198.51.100.9"}, {"AAAA": "2001:db8::9"}],
    "yes.example.net": [{"A": "127.0.0.2"}],
    "192.0.2.9.bl.example.net": [{"A": "127.0.0.2"}],
    "203.0.113.25.bl.example.net": [{"A": "127.0.0.2"}],
    "192.0.2.66.ok.example.net": [{"A": "127.0.0.2"}],
    "192.0.2.9.ok.example.net": [{"A": "127.0.0.2"}],
    "sales.who.example.net": [{"A": "127.0.0.2"}],
}
TERMS = (
    *("ip4:192.0.2.9", "ip4:192.0.2.8/29", "ip4:192.0.2.0/24", "ip4:192.0.2.64/26"),
    *("ip4:192.0.0.0/16", "ip4:203.0.113.25", "ip4:203.0.113.0/24", "ip4:0.0.0.0/0"),
    *("ip6:2001:db8::9", "ip6:2001:db8::/64", "ip6:2001:db8::/32", "ip6:::/0"),
    *("a", "a/24", "a:host.example.net", "a:host.example.net/29//64", "mx", "mx//96", "mx:%{d}"),
    *("include:x.example.net", "include:y.example.net", "include:z.example.net"),
    *("include:list.example.net", "exists:yes.example.net", "exists:no.example.net"),
    *("exists:%{i}.bl.example.net", "exists:%{l}.who.example.net", "exists:%{i}.ok.example.net"),
)
ENDS = ("-all", "~all", "?all", "+all", "", "redirect=x.example.net", "redirect=z.example.net")
ADDRESSES = (
    *("192.0.2.9", "192.0.2.8", "192.0.2.1", "192.0.2.66", "192.0.2.70", "192.0.77.1"),
    *("198.51.100.7", "198.51.100.9", "203.0.113.25", "203.0.113.80", "203.0.113.1", "8.8.8.8"),
    *("2001:db8::9", "2001:db8::25", "2001:db8::1", "2001:db8:1::1", "2002::1"),
)

_signed = st.tuples(st.sampled_from(("", "", "-", "~", "?")), st.sampled_from(TERMS)).map("".join)
_carve_outs = st.tuples(st.sampled_from("-~?"), st.sampled_from(TERMS)).map("".join)


@st.composite
def records(draw: st.DrawFn) -> str:
    """A record with carve-outs, at random places."""
    terms = draw(st.lists(_signed, max_size=4))
    for carve_out in draw(st.lists(_carve_outs, min_size=1, max_size=2)):
        terms.insert(draw(st.integers(0, len(terms))), carve_out)
    return " ".join(filter(None, ("v=spf1", *terms, draw(st.sampled_from(ENDS)))))


@st.composite
def edits(draw: st.DrawFn, live: Sequence[str]) -> dict[str, Any] | str:
    """Terms required and dropped, another end; or a record whole: anew, moved about, shortened."""
    there = [term for text in live for term in text.split()[1:]]
    way = draw(st.integers(0, 3))
    if way == 0:
        return draw(records())
    if way == 1:
        kept = draw(st.permutations([t for t in there if not t.endswith("all")]))
        kept = [t for t in kept if "=" not in t]
        return " ".join(
            ("v=spf1", *kept[draw(st.integers(0, 1)) :], draw(st.sampled_from(ENDS[:4])))
        )
    bare = [term.lstrip("-~?+") for term in there if "all" not in term and "=" not in term]
    named = st.sampled_from((*TERMS, *bare, *bare))
    parts: dict[str, Any] = {"require": draw(st.lists(named, min_size=1, max_size=3))}
    if draw(st.booleans()) and bare:
        parts["drop"] = draw(st.lists(st.sampled_from(there), max_size=1))
    if draw(st.booleans()):
        parts["all"] = draw(st.sampled_from(("fail", "softfail", "neutral")))
    return parts


def unnamed(case: Case, findings: Sequence[Finding], wish: dict[str, Any] | str) -> Iterator[str]:
    """Those who were shut out by name, pass now, and are named nowhere."""
    message = " ".join(f.message for f in findings if f.code == "spf-admits-excluded")
    parts = {} if isinstance(wish, str) else wish
    old = of_kind(case.before, Kind.SPF, "@")
    (new,) = of_kind(case.after, Kind.SPF, "@")
    for live in old:
        for address in ADDRESSES:
            for local in ("postmaster", "sales"):
                was, now = (
                    spf.check_host(
                        address,
                        case.domain,
                        f"{local}@{case.domain}",
                        ZoneLookup(zone, dns(WORLD)),
                        record=text,
                    )
                    for zone, text in (
                        (case.before, live.destination),
                        (case.after, new.destination),
                    )
                )
                if was.result not in ("fail", "softfail", "neutral") or now.result != "pass":
                    continue
                if was.term is None or was.term.is_all or is_named(was.term, old, message):
                    continue
                assert now.term is not None
                if not is_consented(parts, was.term, now.term):
                    yield f"{address} {was.term.text} -> {now.term.text}"


def is_named(term: spf.Term, old: Sequence[DnsRecord], message: str) -> bool:
    """Whether the message has the term, or what means the same in another of the live records."""
    told = (each for live in old for each in spf.parse(live.destination).mechanisms)
    meant = spf.spelt_out(DOMAIN, term).canonical
    alike = (each for each in told if spf.spelt_out(DOMAIN, each).canonical == meant)
    return term.text in message or any(each.text in message for each in alike)


def is_consented(parts: dict[str, Any], was: spf.Term, now: spf.Term) -> bool:
    dropped = spf.drop(spf.SpfRecord("v=spf1", (was,)), *parts.get("drop", ()))
    was, now = spf.spelt_out(DOMAIN, was), spf.spelt_out(DOMAIN, now)
    named = [spf.spelt_out(DOMAIN, spf.parse_term(text)) for text in parts.get("require", ())]
    inside = any(
        was.encloses(term)
        and (term.encloses(now) or term.encloses(was))
        and not (was.unqualified == term.unqualified and was.qualifier is spf.Qualifier.FAIL)
        for term in named
    )
    return not dropped.terms or inside

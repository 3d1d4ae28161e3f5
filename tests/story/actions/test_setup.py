"""What ``setup`` proposes is never held back, loses nothing that is live, and is stable."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth import dmarc, spf
from netcup_mailauth.actions import setup
from netcup_mailauth.actions.session import Session
from netcup_mailauth.judge import holding
from netcup_mailauth.judge.neighbours import NETCUP_INCLUDE
from netcup_mailauth.judge.senders import lost
from netcup_mailauth.kinds import of_kind
from netcup_mailauth.netcup.zonefile import ZoneFiles
from netcup_mailauth.plan import applied
from netcup_mailauth.policy import DomainPolicy
from netcup_mailauth.proposal import Choices, includes_netcup
from netcup_mailauth.records import Kind
from tests.core.judge.cases import DOMAIN, HOSTS, dns, key_record, source, zone
from tests.sessions import Answering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.actions.setup import Settled
    from netcup_mailauth.dkim import DkimSource
    from netcup_mailauth.records import Zone

OUTSIDE: dict[str, Sequence[Any]] = {
    "_spf.webhosting.systems": [{"SPF": "v=spf1 ip4:198.51.100.0/24 -all"}],
    "_spf.example.net": [{"SPF": "v=spf1 ip4:192.0.2.0/24 -all"}],
    "mx4eb9.netcup.net": [{"A": "198.51.100.25"}],
}
HOW_TO = "v=spf1 mx a -all"
NETCUPS = f"v=spf1 mx a {NETCUP_INCLUDE} ~all"
KEY, OTHER = key_record(), key_record(number=2)

SPFS = {
    "none": (),
    "how-to": (HOW_TO,),
    "netcup's default": (NETCUPS,),
    "two": (NETCUPS, "v=spf1 ip4:203.0.113.25 -all"),
    "addresses": ("v=spf1 ip4:203.0.113.25 ip6:2001:db8::25 -all",),
    "nobody": ("v=spf1 -all",),
    "neutral": ("v=spf1 include:_spf.example.net ?all",),
    "no all": ("v=spf1 mx include:_spf.example.net",),
    "redirect": ("v=spf1 redirect=_spf.example.net",),
    "shut out": ("v=spf1 -ip4:203.0.113.25 mx -all",),
    "near miss": (" v=spf1 mx -all",),
    "broken": ("v=spf1 include: example.net what -all",),
    "everybody": ("v=spf1 mx +all",),
}
DMARCS = {
    "none": (),
    "watching": ("v=DMARC1;p=none;rua=mailto:postmaster@example.com",),
    "how-to": ("v=DMARC1; p=quarantine",),
    "reject": ("v=DMARC1;p=reject;sp=none;rua=mailto:a@example.com;ruf=mailto:b@example.com",),
    "in part": ("v=DMARC1;p=reject;pct=20",),
    "testing": ("v=DMARC1;p=quarantine;t=y",),
    "two": ("v=DMARC1;p=none", "v=DMARC1;p=reject"),
    "near miss": ("v=dmarc1; p=reject",),
    "broken": ("v=DMARC1; p=rejekt",),
}
KEYS = {
    "published": (KEY, KEY),
    "not yet": ((), KEY),
    "another": (OTHER, KEY),
    "two": ((KEY, OTHER), KEY),
    "short": ((), key_record(512)),
    "none": ((), None),
    "only live": (KEY, None),
}
MXS = {
    "own": HOSTS,
    "own and netcup's": (*HOSTS, "@ MX 50 mx4eb9.netcup.net"),
    "netcup's": (*(line for line in HOSTS if " MX " not in line), "@ MX 50 mx4eb9.netcup.net"),
    "none": tuple(line for line in HOSTS if " MX " not in line),
    "no mail": (*(line for line in HOSTS if " MX " not in line), "@ MX 0 ."),
    "this server": ("@ A 203.0.113.25", "@ MX 10 example.com"),
}


def live(spfs: str, dmarcs: str, keys: str, mxs: str) -> tuple[Zone, DkimSource | None]:
    published, own = KEYS[keys]
    published = (published,) if isinstance(published, str) else published
    found = zone(
        *MXS[mxs],
        *(f"@ TXT {text}" for text in SPFS[spfs]),
        *(f"_dmarc TXT {text}" for text in DMARCS[dmarcs]),
        *(f"dkim._domainkey TXT {text}" for text in published),
    )
    return found, source(own, "dkim") if isinstance(own, str) else None


AS_PROPOSED = Choices()


def session_of(found: Zone) -> Session:
    return Session(ZoneFiles([found]), Answering(answers=dns(OUTSIDE)))


def settled(
    found: Zone,
    key: DkimSource | None = None,
    choices: Choices = AS_PROPOSED,
    domain: str = DOMAIN,
) -> Settled:
    session = session_of(found)
    situation = setup.situation_of(session, domain, found, None, key)
    return setup.settled(session, situation, choices, DomainPolicy())


MIXED = [
    *((spfs, "none", "not yet", mxs) for spfs, mxs in product(SPFS, MXS)),
    *(("netcup's default", dmarcs, keys, "own") for dmarcs, keys in product(DMARCS, KEYS)),
    *(("shut out", dmarcs, "published", "netcup's") for dmarcs in DMARCS),
    *(("none", "reject", keys, mxs) for keys, mxs in product(KEYS, MXS)),
]
"""Each SPF record with each MX, each policy with each state of the key, and some of the rest."""


@pytest.mark.parametrize("drops", [False, True], ids=["keeping", "dropping"])
@pytest.mark.parametrize("mixed", MIXED, ids="-".join)
def test_nothing_that_is_proposed_is_held_back_or_loses_anything(
    mixed: tuple[str, str, str, str], drops: bool
) -> None:
    found, key = live(*mixed)
    choices = Choices(drops_netcup=drops)
    made = settled(found, key, choices)
    assert holding.stopping(made.change_set) == ()
    assert not made.change_set.held
    after = applied(found, made.change_set.changes)
    _loses_nothing(found, after, drops=drops)
    assert settled(after, key, choices).change_set.is_empty


def _texts(found: Zone, kind: Kind) -> list[str]:
    hostname = {Kind.SPF: "@", Kind.DMARC: "_dmarc"}[kind]
    return [record.destination for record in of_kind(found, kind, hostname)]


def _loses_nothing(before: Zone, after: Zone, *, drops: bool) -> None:
    old, new = _texts(before, Kind.SPF), _texts(after, Kind.SPF)
    if old != new:
        gone = lost(DOMAIN, spf.parse(new[0]), [spf.parse(text) for text in old])
        assert [term.text for term in gone] in ([], [NETCUP_INCLUDE] if drops else [])
    was, will = _texts(before, Kind.DMARC), _texts(after, Kind.DMARC)
    if len(was) == 1:
        assert not dmarc.weakens(dmarc.read(was[0]), dmarc.read(will[0]))
        assert dmarc.dropped_reports(dmarc.read(was[0]), dmarc.read(will[0])) == ()


def parts(made: Settled) -> dict[str, object]:
    """What is proposed, kind by kind."""
    return made.proposal.policy.model_dump(exclude_none=True)


POSTMASTER = ["mailto:postmaster@example.com"]


def test_the_how_to_for_a_domain_with_nothing() -> None:
    found, key = live("none", "none", "not yet", "own and netcup's")
    made = settled(found, key)
    assert parts(made) == {
        "spf": {"require": ["mx"], "all": "softfail"},
        "dkim": {"source": KEY, "selector": "dkim"},
        "dmarc": {"policy": "quarantine", "rua": POSTMASTER},
    }
    assert made.proposal.final_alls == ("softfail", "fail")
    assert made.proposal.policies == ("quarantine", "none", "reject")
    assert made.proposal.rua == "postmaster@example.com"


def test_the_how_to_that_is_live_is_right_and_nothing_is_asked() -> None:
    found = zone(
        *HOSTS,
        f"@ TXT {HOW_TO}",
        f"dkim._domainkey TXT {KEY}",
        "_dmarc TXT v=DMARC1; p=quarantine; rua=mailto:postmaster@example.com",
    )
    made = settled(found, source(KEY, "dkim"))
    assert made.change_set.is_empty
    proposal = made.proposal
    assert (proposal.final_alls, proposal.policies, proposal.rua) == ((), (), "")


@pytest.mark.parametrize(("mxs", "terms"), [("own", ["mx"]), ("this server", ["mx", "a"])])
def test_a_is_only_proposed_where_the_name_leads_to_the_server(mxs: str, terms: list[str]) -> None:
    """At netcup the name itself is often a shared web server: `a` would let strangers send."""
    found, _ = live("none", "none", "none", mxs)
    assert parts(settled(found))["spf"] == {"require": terms, "all": "softfail"}


def test_a_server_that_is_no_mx_is_let_in_by_its_name() -> None:
    found = zone(*HOSTS, "out A 203.0.113.99", f"@ TXT {NETCUPS}")
    session = session_of(found)
    situation = setup.situation_of(session, DOMAIN, found, None, None)
    situation = replace(situation, hosts=("out.example.com",))
    made = setup.settled(session, situation, Choices(), DomainPolicy())
    assert parts(made)["spf"] == {"require": ["mx", "a", "a:out.example.com"]}
    assert parts(made)["server"] == ["out.example.com"]


def test_mail_is_only_quarantined_where_the_servers_key_can_be_looked_up() -> None:
    for keys, policy in [
        ("published", "quarantine"),
        ("not yet", "quarantine"),
        ("none", "none"),
        ("only live", "none"),
        ("short", "none"),
    ]:
        found, key = live("how-to", "none", keys, "own")
        assert parts(settled(found, key))["dmarc"] == {"policy": policy, "rua": POSTMASTER}, keys


def test_mail_is_not_quarantined_when_a_sender_has_just_been_shut_out() -> None:
    found, key = live("netcup's default", "none", "published", "own")
    made = settled(found, key, Choices(drops_netcup=True))
    assert parts(made)["dmarc"] == {"policy": "none", "rua": POSTMASTER}
    assert made.proposal.policies == ()
    assert _texts(applied(found, made.change_set.changes), Kind.SPF) == ["v=spf1 mx a ~all"]


def test_a_policy_of_the_domain_above_is_not_weakened_by_one_below() -> None:
    found = zone(
        *HOSTS,
        "_dmarc TXT v=DMARC1;p=none;sp=reject",
        "lists MX 10 mail.example.com",
    )
    made = settled(found, source(KEY, "dkim"), domain="lists.example.com")
    rua = ["mailto:postmaster@lists.example.com"]
    assert parts(made)["dmarc"] == {"policy": "reject", "rua": rua}
    assert parts(made)["zone"] == DOMAIN
    assert "dmarc" not in parts(settled(found, domain="lists.example.com"))


def test_only_a_weaker_policy_cannot_be_chosen() -> None:
    found, key = live("how-to", "watching", "published", "own")
    assert settled(found, key).proposal.policies == ("quarantine", "none", "reject")
    chosen = settled(found, key, Choices(policy="reject"))
    assert chosen.proposal.policies == ("reject", "none", "quarantine")
    found, key = live("how-to", "reject", "published", "own")
    assert parts(settled(found, key, Choices(policy="none")))["dmarc"] == {
        "policy": "reject",
        "rua": ["mailto:a@example.com"],
    }


@pytest.mark.parametrize(
    ("spfs", "mxs", "asked"),
    [
        ("netcup's default", "own", True),
        ("netcup's default", "own and netcup's", True),
        ("netcup's default", "netcup's", False),
        ("how-to", "own", False),
        ("none", "own", False),
        ("two", "own", True),
    ],
)
def test_netcups_include_is_only_asked_about_where_it_is_live(
    spfs: str, mxs: str, asked: bool
) -> None:
    found, _ = live(spfs, "none", "none", mxs)
    assert includes_netcup(settled(found).situation) is asked


def test_what_cannot_be_told_is_left_as_it_is_and_said() -> None:
    found, key = live("broken", "two", "short", "own")
    made = settled(found, key)
    assert parts(made) == {}
    assert "cannot be read" in made.proposal.reasons[Kind.SPF]
    assert "too short" in made.proposal.reasons[Kind.DKIM]
    assert "2 DMARC records" in made.proposal.reasons[Kind.DMARC]


def test_a_choice_that_the_guard_refuses_is_not_followed() -> None:
    found, key = live("how-to", "none", "published", "own")
    before = settled(found, key)
    after = settled(found, key, Choices(rua="reports@elsewhere.example"))
    assert "elsewhere.example" in setup.newly_left(before, after)
    assert setup.newly_left(before, settled(found, key, Choices(rua="a@example.com"))) == ""


@pytest.mark.parametrize(
    ("keys", "said"), [("only live", "stays as it is: dkim._domainkey."), ("none", "No key yet")]
)
def test_where_no_key_is_given_it_is_told_whether_one_is_live(keys: str, said: str) -> None:
    found, key = live("how-to", "none", keys, "own")
    assert said in settled(found, key).proposal.reasons[Kind.DKIM]

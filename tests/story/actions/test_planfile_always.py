"""Whatever ``plan`` writes into a file is a plan to ``apply --plan``, and the same one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from netcup_mailauth import documents, planfile
from netcup_mailauth.actions import planning
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, Grounds, Wish, linked
from netcup_mailauth.records import CCP, CLOUDDNS, DnsRecord, Zone
from tests.core.judge.cases import dns, key_record
from tests.core.judge.test_any_zone import policies
from tests.effort import MANY
from tests.sessions import Answering, hurried
from tests.story.actions.test_planfile import Keys, Memory
from tests.strategies import DMARC_TEXTS, KEYS, SPF_TEXTS

if TYPE_CHECKING:
    from netcup_mailauth.plan import ChangeSet

DOMAINS = ("example.com", "intern.example.com", "example.net", "b.example.net", "xn--bcher-kva.de")
ZONES = ("example.com", "example.net", "xn--bcher-kva.de")
AGREED = ("v=DMARC1", "v=DMARC1;", " v=DMARC1", "v=DMARC1;rua=mailto:x@example.net")
HOSTNAMES = (
    "@", "*", "_dmarc", "dkim._domainkey", "dkim._domainkey.intern", "_dmarc.intern", "intern",
    "*._report._dmarc", "example.com._report._dmarc", "example.net._report._dmarc",
    "*._domainkey", "_dmarc.b", "www",
)  # fmt: skip
TTLS = st.sampled_from([0, 1, 59, 60, 300, 3600, 86_400, 86_401, 604_800, 2**31 - 1])
ADDRESSES = (
    "mailto:d@example.com", "mailto:d@example.net", "mailto:d@x.example.net!10m",
    "mailto:d@b.example.net", "https://xn--bcher-kva.de/r", "mailto:d@intern.example.com",
)  # fmt: skip


@st.composite
def netcup_zones(draw: st.DrawFn, name: str, backend: str) -> Zone:
    """A zone as one of the APIs gives it: with ids there, with a TTL of each record here."""
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(HOSTNAMES),
                st.sampled_from(("TXT", "TXT", "TXT", "CNAME", "A", "NS", "MX")),
                st.sampled_from((*SPF_TEXTS, *KEYS, *DMARC_TEXTS, *AGREED)),
                TTLS,
            ),
            max_size=12,
        )
    )
    values = {"CNAME": "example.org", "A": "192.0.2.1", "NS": "ns.example.org", "MX": "mail"}
    return Zone(
        name,
        backend,
        tuple(
            DnsRecord(
                str(number),
                hostname,
                kind,
                values.get(kind, text),
                ttl=ttl if backend == CLOUDDNS else None,
            )
            for number, (hostname, kind, text, ttl) in enumerate(rows, 1)
        ),
    )


def reporting(policy: DomainPolicy, addresses: list[str], number: int) -> DomainPolicy:
    """The policy, with report addresses of others in the run."""
    if not addresses or (policy.dmarc and policy.dmarc.record is not None):
        return policy
    dmarc = policy.dmarc or DmarcPolicy()
    return policy.model_copy(
        update={"dmarc": dmarc.model_copy(update={"rua": addresses[: number + 1]})}
    )


@settings(MANY)
@given(data=st.data(), backend=st.sampled_from([CCP, CLOUDDNS]))
def test_what_is_planned_can_be_loaded_and_is_the_same(data: st.DataObject, backend: str) -> None:
    zones = {name: data.draw(netcup_zones(name, backend)) for name in ZONES}
    domains = data.draw(st.lists(st.sampled_from(DOMAINS), min_size=1, max_size=4, unique=True))
    rua = data.draw(st.lists(st.sampled_from(ADDRESSES), max_size=3, unique=True))
    wishes = linked([_wish(data, domain, rua, at) for at, domain in enumerate(domains)])
    memory = Memory(zones, name=backend, new_ttl=3600 if backend == CLOUDDNS else None)
    keys = Keys(data.draw(st.sampled_from([None, key_record()])))
    session = hurried(memory, dns=Answering(answers=dns()), keys=keys)
    plan = planning.plan(session, wishes)
    grounds = {wish.domain: Grounds.of(wish) for wish in wishes}
    text = documents.dumps(planfile.plan_document(plan, grounds))
    saved = planfile.from_document(json.loads(text), "plan.json")
    planfile.check_content(saved)
    assert tuple(map(bare, saved.plan.zones)) == tuple(map(bare, plan.zones))
    assert saved.grounds == grounds


def _wish(data: st.DataObject, domain: str, rua: list[str], number: int) -> Wish:
    policy = reporting(data.draw(policies), rua, number)
    zone = next(zone for zone in ZONES if f".{domain}".endswith(f".{zone}"))
    dkim = DkimPolicy(source="mailcow") if policy.dkim else None
    return Wish(domain, policy.model_copy(update={"zone": zone, "dkim": dkim}))


def bare(change_set: ChangeSet) -> Any:
    """What is in a file of it, or follows from that."""
    return replace(
        change_set,
        changes=tuple(replace(change, look_ups="") for change in change_set.changes),
        held=frozenset(),
        untouched_beside=0,
    )

"""Our own verdicts on the records of the corpus, in the words the judges are translated to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth import dkim, dmarc, spf
from netcup_mailauth.dmarc.record import canonical_uri, without_size
from tests.world.judges.records import CLIENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.world.judges.keys import Keys
    from tests.world.judges.records import Dkim, Dmarc, Spf
    from tests.world.judges.world import World

_DEFAULTS = {"adkim": "r", "aspf": "r", "t": "n", "pct": "100", "psd": "u", "fo": "0"}
_DEFAULTS |= {"rua": "", "ruf": ""}
HELO = "helo.client.example"


def spf_verdicts(record: Spf, world: World) -> str:
    """What a receiver says, by client: ``mail=pass other=softfail``."""
    return " ".join(
        f"{client}={_check(record, CLIENTS.get(client, client), world)}"
        for client in record.clients
    )


def _check(record: Spf, ip: str, world: World) -> str:
    sender = f"user@{record.domain}"
    return spf.check_host(ip, record.domain, sender, world.lookup, helo=HELO).result.value


def spf_cost(record: Spf, world: World) -> str:
    """``7 look-ups``, or ``none``, ``broken`` or ``no answer``, whoever sends."""
    texts = (record.joined, *record.also)
    found = [text for text in texts if spf.is_spf(text)]
    if not found:
        return "none"
    try:
        [text] = found
        cost = spf.cost(spf.parse(text), record.domain, world.lookup)
    except (ValueError, spf.SpfSyntaxError):
        return "broken"
    if any(node.unanswered for node in cost.walk()):
        return "no answer"
    if cost.too_many or cost.too_many_void or any(map(_is_broken, cost.walk())):
        return "broken"
    return f"{cost.lookups_total} look-ups"


def _is_broken(node: spf.Cost) -> bool:
    """Whether a node ends a check, as all do that have a problem but an ``a`` without address."""
    leads_on = node.term.lstrip("+-?~").lower().startswith(("include:", "redirect="))
    return bool(node.problem) and (leads_on or not node.void)


def dkim_verdict(record: Dkim, keys: Keys) -> str:
    """What becomes of a mail that is signed with the private key of ``record.signed_by``."""
    try:
        found = dkim.parse(keys.fill(record.text)).key
    except dkim.DkimSyntaxError:
        return "unusable"
    if found is None:
        return "revoked"
    if dkim.size_problem(found) is not None:
        return "unusable"
    return "verifies" if found.p == keys.p[record.signed_by] else "other key"


def dmarc_reading(record: Dmarc) -> str:
    """``p/sp/np`` as receivers apply them, then what is not the default; ``none`` is no DMARC."""
    found = _in_force(record)
    if found is None:
        return "none"
    policies = (
        found.effective_policy,
        found.effective_subdomain_policy,
        found.effective_nonexistent_policy,
    )
    return reading(policies, {**_told(found), "t": found.t, "psd": found.psd})


def old_dmarc_reading(record: Dmarc) -> str:
    """``p/sp`` as receivers of RFC 7489 apply them, which know ``pct``, and no ``np``, ``t``."""
    found = _in_force(record)
    if found is None:
        return "none"
    policies = (found.effective_policy, found.effective_subdomain_policy)
    pct = 100 if found.pct is None else found.pct
    return reading(policies, {**_told(found), "pct": str(pct)})


def _in_force(record: Dmarc) -> dmarc.DmarcRecord | None:
    found = [text for text in record.texts if dmarc.is_dmarc(text)]
    alone = dmarc.read(found[0]) if len(found) == 1 else None
    return alone if alone and alone.in_force else None


def _told(found: dmarc.DmarcRecord) -> dict[str, str]:
    return {
        "adkim": found.adkim,
        "aspf": found.aspf,
        "fo": ":".join(found.fo),
        "rua": ",".join(_usable(found.rua)),
        "ruf": ",".join(_usable(found.ruf)),
    }


def reading(policies: tuple[str, ...], tags: Mapping[str, str]) -> str:
    """One spelling for what is read from a DMARC record, whoever reads it."""
    told = [
        f"{name}={tags[name]}"
        for name in _DEFAULTS
        if tags.get(name, "") not in ("", _DEFAULTS[name])
    ]
    return " ".join(["/".join(policies), *told])


def _usable(uris: Sequence[str]) -> Iterator[str]:
    """The addresses that reports can go to, without their obsolete size limits."""
    for uri in uris:
        try:
            dmarc.report_host(uri)
        except dmarc.DmarcSyntaxError:
            continue
        yield canonical_uri(without_size(uri))


def publishes(record: Dmarc) -> bool:
    """Whether we would publish the record, and leave it alone at its name."""
    try:
        dmarc.parse(record.text)
    except dmarc.DmarcSyntaxError:
        return False
    return not record.also

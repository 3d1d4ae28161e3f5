"""Every call of an apply, failed in every way the sandbox knows; then one more clean run.

Whatever went wrong, afterwards the zone is exactly as wanted: nothing doubled, nothing lost,
nothing foreign touched; and the run that failed said so, by its exit code and in words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.actions.applying import apply_unasked
from netcup_mailauth.actions.session import Session
from netcup_mailauth.plan import Status
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy, Wish
from netcup_mailauth.render.page import Page
from netcup_mailauth.render.text import result_text
from netcup_mailauth.sandbox import Quirks
from tests.apis import CCP, CLOUDDNS, Api
from tests.bells import _drips_are_cut_off, bell
from tests.story.faults.cells import CELLS, DELAYS, ENDING, OK, Told
from tests.worlds import Settled

if TYPE_CHECKING:
    from netcup_mailauth.plan import RunResult
    from netcup_mailauth.sandbox import Sandbox

__all__ = ["_drips_are_cut_off", "bell"]  # fixtures

SPF = "v=spf1 mx a -all"
DKIM = "v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
DMARC = "v=DMARC1;p=none"
WANTED = {"@": SPF, "dkim._domainkey": DKIM, "_dmarc": DMARC}
POLICY = DomainPolicy(
    spf=SpfPolicy(record=SPF),
    dkim=DkimPolicy(source=f"record:{DKIM}"),
    dmarc=DmarcPolicy(record=DMARC),
    server=["203.0.113.25"],
    # Whatever a rival slips in may go again: the wish is the record as a whole. So may what
    # somebody was about to write.
    allow=["spf-drops-sender", "zone-has-draft"],
)


def run(api: Api, sandbox: Sandbox, domains: list[str]) -> RunResult:
    """One run of ``apply --yes`` over the domains."""
    with api.backend(sandbox) as backend:
        session = Session(backend, clock=Settled(sandbox))
        return apply_unasked(session, [Wish(domain, POLICY) for domain in domains])


def managed(sandbox: Sandbox, domain: str) -> dict[str, list[str]]:
    """The texts of our kinds, by hostname."""
    found: dict[str, list[str]] = {hostname: [] for hostname in WANTED}
    for record in sandbox.zone(domain):
        text = str(record["destination"])
        if record["type"] == "TXT" and text.startswith(("v=spf1", "v=DKIM1", "v=DMARC1")):
            found.setdefault(str(record["hostname"]), []).append(text)
    return found


def mistakes(results: RunResult, told: Told, secrets: list[str]) -> list[str]:
    """What is wrong with how a run told of a fault at its first domain; empty if nothing is."""
    first, *others = results.results
    failure = first.failure
    message, advice = (failure.message, failure.advice) if failure else ("", "")
    told_of = ((told.message, message), (told.advice, advice), (told.note, " ".join(first.notes)))
    wrong = [] if results.exit_code is told.code else [f"exit code {results.exit_code}"]
    wrong += [text or "nothing said" for pattern, text in told_of if not _fits(pattern, text)]
    for result in others:
        if told in ENDING:
            as_it_should = result.status is Status.NOT_TRIED and result.failure is not None
        else:
            as_it_should = result.status is Status.APPLIED and result.failure is None
        wrong += [] if as_it_should else [f"{result.change_set.place.domain}: {result.status}"]
    shown = "".join(result_text(result, Page(100, colour=False)) for result in results.results)
    return wrong + [word for word in ("Traceback", "Unexpected", *secrets) if word in shown]


def _fits(pattern: str, text: str) -> bool:
    """Whether a text begins as told, in one line, and ends as a sentence does."""
    if not pattern:
        return text == ""
    return bool(re.match(pattern, text)) and "\n" not in text and text.endswith(".")


def secrets_of(api: Api, sandbox: Sandbox) -> list[str]:
    """What no message may hold."""
    return [value for name in api.secrets if (value := sandbox.env[name])]


def cells() -> list[Any]:
    """Each cell for one domain and for three; a REST read for three is as the CCP's."""
    return [
        pytest.param(api, action, mode, told, count, id=f"{api}-{action}-{mode}-{count}")
        for api, action, mode, told in CELLS
        for count in ((1,) if action in ("domain", "revisions") else (1, 3))
    ]


@pytest.mark.usefixtures("_drips_are_cut_off")
@pytest.mark.parametrize(("api", "action", "mode", "told", "count"), cells())
def test_a_fault_is_told_as_it_is_and_one_more_run_makes_the_zone_right(
    api: Api, action: str, mode: str, told: Told, count: int
) -> None:
    domains = ["a.de", "b.de", "c.de"][:count]
    with api.netcup(domains, quirks=Quirks(lockout_after=None), rate=None) as sandbox:
        others = {domain: api.others(sandbox, domain) for domain in domains}
        sandbox.fault(action, mode, delay=DELAYS.get(mode))
        first = run(api, sandbox, domains)
        assert mistakes(first, told, secrets_of(api, sandbox)) == []
        assert run(api, sandbox, domains).exit_code is OK
        for domain in domains:
            assert managed(sandbox, domain) == {name: [text] for name, text in WANTED.items()}
            assert api.others(sandbox, domain) == others[domain]


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize(
    ("api", "mode"),
    [
        *((CCP, mode) for mode in ("drop", "apply-then-drop", "apply-partly", "expire")),
        *((CLOUDDNS, mode) for mode in ("drop", "apply-then-error", "rival")),
    ],
    ids=str,
)
def test_a_fault_at_any_domain_of_a_run_leaves_the_others_right(
    api: Api, mode: str, after: int
) -> None:
    domains = ["a.de", "b.de", "c.de"]
    with api.netcup(domains, quirks=Quirks(lockout_after=None), rate=None) as sandbox:
        sandbox.fault(api.write, mode, after=after)
        run(api, sandbox, domains)
        for index, domain in enumerate(domains):
            if index != after:
                assert managed(sandbox, domain) == {n: [t] for n, t in WANTED.items()}
        assert run(api, sandbox, domains).exit_code is OK
        for domain in domains:
            assert managed(sandbox, domain) == {n: [t] for n, t in WANTED.items()}

"""Every call of an apply, failed in every way the sandbox knows; then one more clean run.

Whatever went wrong, afterwards the zone is exactly as wanted: nothing doubled, nothing lost,
nothing foreign touched; and the run that failed said so by the right exit code.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.actions.applying import Applier
from netcup_mailauth.actions.planning import Planner, Wish
from netcup_mailauth.actions.writing import Writer
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy
from netcup_mailauth.sandbox import Quirks, Sandbox
from tests.worlds import backend_of

if TYPE_CHECKING:
    from netcup_mailauth.results import Result

SPF = "v=spf1 mx a -all"
DKIM = "v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
DMARC = "v=DMARC1;p=none"
WANTED = {"@": SPF, "dkim._domainkey": DKIM, "_dmarc": DMARC}
POLICY = DomainPolicy(
    spf=SpfPolicy(record=SPF),
    dkim=DkimPolicy(source=f"record:{DKIM}"),
    dmarc=DmarcPolicy(record=DMARC),
    server=["203.0.113.25"],
    # Whatever a rival slips in may go again: the wish is the record as a whole.
    allow=["spf-drops-sender"],
)

OK, WAIT, UNKNOWN = ExitCode.OK, ExitCode.WAIT, ExitCode.UNVERIFIED
LINE = ("drop", "500", "html", "cut", "apply-then-drop", "apply-then-html")
"""Faults of the line: a read is simply tried again."""

READ = {
    **dict.fromkeys((*LINE, "slow", "lie", "rival", "expire"), OK),
    **dict.fromkeys(("rate-limit", "lockout"), WAIT),
}
WRITE = {
    # It arrived, or came late; reading the zone tells.
    **dict.fromkeys(("apply-then-drop", "apply-then-html", "apply-then-4013", "cut"), OK),
    **dict.fromkeys(("apply-late", "slow", "expire"), OK),
    # netcup says 2000 and stores nothing: only `check` or the next run can find out.
    "lie": OK,
    # It did not arrive, or only in part, or somebody else was faster.
    **dict.fromkeys(("drop", "500", "html", "rate-limit", "lockout"), UNKNOWN),
    **dict.fromkeys(("apply-partly", "rival"), UNKNOWN),
}
CELLS = [
    *(("login", mode, code) for mode, code in READ.items() if mode not in ("expire", "rival")),
    *(("infoDnsRecords", mode, code) for mode, code in READ.items()),
    *(("updateDnsRecords", mode, code) for mode, code in WRITE.items()),
    *(("logout", mode, OK) for mode in (*LINE, "rate-limit", "lockout", "slow")),
]


def run(sandbox: Sandbox, domains: list[str]) -> ExitCode:
    """One run of ``apply --yes`` over the domains."""
    with backend_of(sandbox) as backend:
        writer = Writer(backend, sleep=lambda _: time.sleep(0.25))
        applier = Applier(Planner(backend), writer, contextlib.nullcontext)
        wishes = [Wish(domain, POLICY) for domain in domains]
        return applier.apply_all(wishes, lambda _: None, _ignore).exit_code


def _ignore(_result: Result) -> None:
    return


def managed(sandbox: Sandbox, domain: str) -> dict[str, list[str]]:
    """The texts of our kinds, by hostname."""
    found: dict[str, list[str]] = {hostname: [] for hostname in WANTED}
    for record in sandbox.zone(domain):
        text = str(record["destination"])
        if record["type"] == "TXT" and text.startswith(("v=spf1", "v=DKIM1", "v=DMARC1")):
            found.setdefault(str(record["hostname"]), []).append(text)
    return found


def foreign(sandbox: Sandbox, domain: str) -> list[object]:
    """All other records, ids included."""
    ours = ("v=spf1", "v=DKIM1", "v=DMARC1")
    return [r for r in sandbox.zone(domain) if not str(r["destination"]).startswith(ours)]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("action", "mode", "code"), CELLS)
def test_after_one_more_clean_run_the_zone_is_exactly_as_wanted(
    action: str, mode: str, code: ExitCode, count: int
) -> None:
    domains = ["a.de", "b.de", "c.de"][:count]
    with Sandbox(domains, quirks=Quirks(lockout_after=None), rate=None) as sandbox:
        others = {domain: foreign(sandbox, domain) for domain in domains}
        delay = {"slow": 0.05, "apply-late": 0.1}.get(mode)
        sandbox.fault(action, mode, delay=delay)
        first = run(sandbox, domains)
        assert first is code
        assert run(sandbox, domains) is OK
        for domain in domains:
            assert managed(sandbox, domain) == {name: [text] for name, text in WANTED.items()}
            assert foreign(sandbox, domain) == others[domain]


@pytest.mark.parametrize("mode", ["drop", "apply-then-drop", "apply-partly", "expire"])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_fault_at_any_domain_of_a_run_leaves_the_others_right(mode: str, after: int) -> None:
    domains = ["a.de", "b.de", "c.de"]
    with Sandbox(domains, quirks=Quirks(lockout_after=None), rate=None) as sandbox:
        sandbox.fault("updateDnsRecords", mode, after=after)
        run(sandbox, domains)
        for index, domain in enumerate(domains):
            if index != after:
                assert managed(sandbox, domain) == {n: [t] for n, t in WANTED.items()}
        assert run(sandbox, domains) is OK
        for domain in domains:
            assert managed(sandbox, domain) == {n: [t] for n, t in WANTED.items()}

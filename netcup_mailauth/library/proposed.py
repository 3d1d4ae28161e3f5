"""A plan in the hands of a program: shown, consented to, and applied as it was judged.

What was judged is kept here for each plan, and not believed of the object that comes back.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from netcup_mailauth import records
from netcup_mailauth.errors import RefusedError, UsageError
from netcup_mailauth.judge import holding
from netcup_mailauth.library.given import in_our_words, text_of
from netcup_mailauth.plan import ChangeSet, Plan, Status
from netcup_mailauth.render import calls
from netcup_mailauth.render.page import Page
from netcup_mailauth.render.text import plan_text
from netcup_mailauth.render.ways import ALL_THE_SAME, SAFER, Way, ways_text
from netcup_mailauth.settings.wishes import check_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from netcup_mailauth.findings import Finding
    from netcup_mailauth.plan import Result
    from netcup_mailauth.policy import Wish


class ProposedPlan:
    """What would be changed, before it is. ``print(plan)`` shows the diff, as the command does.

    Netcup.plan makes it, and the same Netcup applies it: as it was judged, or not at all. It cannot
    be built, changed or copied.
    """

    __slots__ = ("__weakref__", "_zones")

    _zones: tuple[ChangeSet, ...]

    def __init__(self) -> None:
        raise TypeError("A plan is made by Netcup.plan.")

    def __str__(self) -> str:
        plan = Plan(self.zones)
        return plan_text(plan, Page(), hint=False) + ways_text(list(_ways(plan.zones)))

    def __repr__(self) -> str:
        domains = ", ".join(zone.place.domain for zone in self.zones)
        return f"<ProposedPlan: {domains}; changes: {sum(len(z.changes) for z in self.zones)}>"

    @property
    def zones(self) -> tuple[ChangeSet, ...]:
        """The change set of each domain, in the order in which they were named."""
        return self._zones

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to write, held back or not."""
        return any(zone.changes for zone in self.zones)

    @property
    def stopping(self) -> tuple[Finding, ...]:
        """The findings because of which `Netcup.apply` would refuse it, of all domains."""
        return tuple(stop for zone in self.zones for stop in holding.stopping(zone))

    def allow(self, *codes: str) -> ProposedPlan:
        """The same plan with the findings of these codes accepted; this one stays as it is.

        A code is accepted in every domain of the plan; ``"code:example.com"`` accepts it in one.
        What is refused (`Severity.REFUSED`) cannot be accepted.

        Raises UsageError if no finding can have such a code, or the domain is not in the plan.
        """
        judged = judged_of(self)
        domains = {zone.place.domain for zone in self.zones}
        accepted: dict[str, list[str]] = {domain: [] for domain in domains}
        for entry in codes:
            code, colon, name = text_of("A code", entry).partition(":")
            with in_our_words():
                of = {records.normalise(name)} if colon else domains
                check_code(code)
            if not of <= domains:
                raise UsageError(f"{name} is not in this plan.", "Its domains are in plan.zones.")
            for domain in of:
                accepted[domain].append(code)
        zones = (_allowing(zone, accepted[zone.place.domain]) for zone in judged.plan.zones)
        return made_of(replace(judged, plan=Plan(tuple(zones))))

    def without_held(self) -> ProposedPlan:
        """The same plan without what the guard holds back, to write the rest of it.

        The results of applying it still say what was held back: `Result.failure`.
        """
        return made_of(replace(judged_of(self), in_part=True))


@dataclass(frozen=True, slots=True)
class Judged:
    """A plan as it was judged, and by whom; ``in_part`` to write what is not held back.

    It is judged again before it is written, by the ``wishes`` it was made from, and
    with the key of the ``mailcow`` that was named by its URL.
    """

    maker: object
    plan: Plan
    wishes: Sequence[Wish]
    mailcow: str | None
    in_part: bool = False

    @property
    def shown(self) -> tuple[ChangeSet, ...]:
        """The change sets as a program is shown them."""
        zones = tuple(map(calls.change_set, self.plan.zones))
        if not self.in_part:
            return zones
        return tuple(replace(zone, changes=holding.let_through(zone).changes) for zone in zones)


_plans: WeakKeyDictionary[ProposedPlan, Judged] = WeakKeyDictionary()
"""What was judged, for each plan that is somewhere still."""


def made_of(judged: Judged) -> ProposedPlan:
    """The plan that was judged, as a program is given it."""
    plan = ProposedPlan.__new__(ProposedPlan)
    plan._zones = judged.shown
    # A copy: whatever is done to the plan, this stays as it was judged.
    _plans[plan] = replace(judged, plan=copy.deepcopy(judged.plan))
    return plan


def judged_of(plan: ProposedPlan) -> Judged:
    """What was judged of a plan.

    Raises:
        UsageError: nobody judged it, or it was changed since.
    """
    judged = _plans.get(plan) if isinstance(plan, ProposedPlan) else None
    if judged is None:
        raise UsageError("This is no plan that Netcup.plan made.", "Make one, and apply that.")
    if plan.zones != judged.shown:
        raise UsageError("This plan was changed since it was judged.", "Plan again.")
    return judged


def _allowing(zone: ChangeSet, codes: Iterable[str]) -> ChangeSet:
    """The change set with these codes allowed; a kind that nothing else stops is held no more."""
    allowed = replace(zone, allow=tuple(dict.fromkeys((*zone.allow, *codes))))
    stops = {stop.kind for stop in holding.stopping(allowed)}
    return replace(allowed, held=frozenset(allowed.held if None in stops else allowed.held & stops))


def _ways(zones: Iterable[ChangeSet]) -> Iterator[Way]:
    """How to go on where something is held back, as calls."""
    stopped = [zone for zone in zones if zone.error is None and holding.stopping(zone)]
    safer = [
        f"netcup.plan({calls.arguments([zone.place.domain], calls.wanted(zone.ways.safer))})"
        for zone in stopped
        if zone.ways.safer is not None
    ]
    codes = dict.fromkeys(code for zone in stopped for code in zone.ways.consents)
    if safer:
        yield Way(SAFER, commands=tuple(safer))
    if codes:
        allowed = calls.arguments(codes, {})
        yield Way(ALL_THE_SAME, commands=(f"netcup.apply(plan.allow({allowed}))",))


def raise_if_alone(results: Sequence[Result]) -> None:
    """Raise what went wrong with the one domain there was; of several, each has its own.

    That the part of a plan was not written that was left out is nothing that went wrong.
    """
    if len(results) != 1 or (failure := results[0].failure) is None:
        return
    in_part = results[0].status in (Status.APPLIED, Status.UNCHANGED, Status.REFUSED)
    if not (in_part and results[0].change_set.held):
        raise failure.error


def refuse(zones: Sequence[ChangeSet]) -> None:
    """Raise RefusedError if the guard holds anything back."""
    stopped = [(zone, stops) for zone in zones if (stops := holding.stopping(zone))]
    if not stopped:
        return
    codes = [
        f"{zone.domain} is held back by {', '.join(dict.fromkeys(stop.code for stop in stops))}"
        for zone, stops in stopped
    ]
    consents = dict.fromkeys(code for zone, _ in stopped for code in zone.ways.consents)
    advice = f"plan.allow({calls.arguments(consents, {})}) accepts it." if consents else ""
    if any(not holding.let_through(zone).is_empty for zone in zones if zone.error is None):
        advice += " plan.without_held() is the rest of the plan."
    findings = tuple(calls.finding(stop) for _, stops in stopped for stop in stops)
    what = f"Nothing was written: {'; '.join(codes)}."
    raise RefusedError(what, advice.strip(), findings)

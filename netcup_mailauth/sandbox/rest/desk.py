"""The REST API's front desk: who is let in, and which action answers."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.rest import reading
from netcup_mailauth.sandbox.rest.acme import Challenges
from netcup_mailauth.sandbox.rest.domains import Domains
from netcup_mailauth.sandbox.rest.paging import page_of
from netcup_mailauth.sandbox.rest_answers import (
    RefusedError,
    RestAnswer,
    bad_key,
    not_found,
    too_many,
    whole_seconds,
    wrong_method,
)
from netcup_mailauth.sandbox.rest_records import read_changeset, with_changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.sandbox.ratelimit import RateLimit
    from netcup_mailauth.sandbox.rest.calls import Call
    from netcup_mailauth.sandbox.rest.revisions import Ledger
    from netcup_mailauth.sandbox.zones import Zone, Zones


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a call, and what has to be done for it to be true."""

    answer: RestAnswer
    store: Callable[[], object] = lambda: None


class Desk:
    """The one account and its zones. Callers hold `world.lock`."""

    def __init__(self, world: Zones, ledger: Ledger, rate: RateLimit, key: str) -> None:
        self.world, self.ledger, self.rate = world, ledger, rate
        self._key = key
        self.challenges = Challenges(world.clock)
        self.domains = Domains(world)
        self._actions: dict[str, Callable[[Call], Outcome]] = {
            "domain": self._domain,
            "revisions": self._revisions,
            "records": self._records,
            "changeset": self._changeset,
            "acme": self._acme,
        }

    def admit(self, call: Call) -> RestAnswer | None:
        """Why a call is not carried out (R1, R16), or None."""
        if not self.rate.admits():
            return too_many(self._retry_after())
        return None if call.key == self._key else bad_key()

    def carry_out(self, call: Call) -> RestAnswer:
        """Carry out a call that was let in, and store what it changed."""
        outcome = self._outcome(call)
        outcome.store()
        return outcome.answer

    def rehearse(self, call: Call) -> RestAnswer:
        """Carry out a call that was let in, but store nothing."""
        return self._outcome(call).answer

    def zone_of(self, call: Call) -> Zone | None:
        """The zone that a call is about, if it is on CloudDNS."""
        if call.action == "domain":
            return self.world.on_clouddns(call.query.get("fqdn", "").lower())
        zone = self.domains.find(call.domain)
        return None if zone is None else self.world.on_clouddns(zone.name)

    def clear(self) -> None:
        """Forget limits, revisions and challenges."""
        self.rate.clear()
        self.ledger.clear()
        self.challenges.clear()

    def _outcome(self, call: Call) -> Outcome:
        if call.action not in self._actions:
            return Outcome(not_found())
        if call.method not in call.methods:
            return Outcome(wrong_method())
        try:
            return self._actions[call.action](call)
        except RefusedError as refusal:
            return Outcome(refusal.answer)

    def _domain(self, call: Call) -> Outcome:
        return Outcome(reading.domain(call, self.domains, self.world.quirks))

    def _revisions(self, call: Call) -> Outcome:
        history = self.ledger.of(self._served(call))
        return Outcome(reading.revisions(call, history, self.world.quirks))

    def _records(self, call: Call) -> Outcome:
        history = self.ledger.of(self._served(call))
        return Outcome(reading.records(call, history, self.world.quirks))

    def _changeset(self, call: Call) -> Outcome:
        zone, changeset = self._served(call), read_changeset(call.body)
        new = with_changes(zone, changeset, self.world)
        revision = self.ledger.draw_up(new, as_draft=not changeset.auto_commit)
        quirks = self.world.quirks

        def store() -> None:
            self.ledger.file(revision)
            if changeset.auto_commit:
                self.world.put(new)

        return Outcome(RestAnswer(quirks.rest_changeset_status, revision.wire(quirks)), store)

    def _acme(self, call: Call) -> Outcome:
        zone = self._served(call).name
        if call.method == "POST":
            return Outcome(*self.challenges.create(zone, call.body))
        if "value" not in call.path:
            found = self.challenges.of(zone)
            return Outcome(page_of(found, call.query, self.world.quirks.rest_per_page))
        scope, value = call.path["scope"], call.path["value"]
        if call.method == "DELETE":
            return Outcome(*self.challenges.delete(zone, scope, value))
        return Outcome(self.challenges.one(zone, scope, value))

    def _served(self, call: Call) -> Zone:
        """The zone in the path.

        Raises:
            RefusedError: there is none of this number, or it is not on CloudDNS.
        """
        zone = self.zone_of(call)
        if zone is None:
            raise RefusedError(not_found())
        return zone

    def _retry_after(self) -> str | None:
        wait, form = self.rate.wait(), self.world.quirks.rest_retry_after
        if form == "date":
            return formatdate(self.world.clock() + wait, usegmt=True)
        return whole_seconds(wait) if form == "seconds" else None

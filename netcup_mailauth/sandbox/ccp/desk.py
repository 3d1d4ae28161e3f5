"""The CCP's front desk: who is let in, and what a call then does to the zones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.sandbox import ccp_answers
from netcup_mailauth.sandbox.ccp.actions import Actions, Outcome
from netcup_mailauth.sandbox.ccp.calls import ACTIONS, RESELLER_ACTIONS, Call, malformed
from netcup_mailauth.sandbox.ccp_answers import (
    CcpAnswer,
    locked_out,
    rate_limited,
    session_dead,
    validation_error,
)

if TYPE_CHECKING:
    from netcup_mailauth.sandbox.ccp.limits import Lockout
    from netcup_mailauth.sandbox.ccp.sessions import Sessions
    from netcup_mailauth.sandbox.credentials import Credentials
    from netcup_mailauth.sandbox.ratelimit import RateLimit
    from netcup_mailauth.sandbox.zones import Zones


@dataclass(frozen=True)
class Desk:
    """The one account and its zones. Callers hold `world.lock`."""

    world: Zones
    sessions: Sessions
    rate: RateLimit
    lockout: Lockout
    credentials: Credentials

    def carry_out(self, call: Call) -> Outcome:
        """Carry out a call that was let in, and store what it changed."""
        outcome = self.rehearse(call)
        if outcome.zone is not None:
            self.world.put(outcome.zone)
        return outcome

    def rehearse(self, call: Call) -> Outcome:
        """Carry out a call that was let in, but store no zone."""
        return Actions(self.world, self.sessions).perform(call)

    def admit(self, call: Call) -> CcpAnswer | None:
        """Why a call is not carried out, or None.

        The order is netcup's as far as it was seen: the lock-out answers even a login (L41), the
        domain name is checked before credentials and session (L13).
        """
        return self.turn_away() or malformed(call) or self._unknown(call)

    def turn_away(self) -> CcpAnswer | None:
        """Why nothing is even read (L40, L41), or None."""
        if self.lockout.holds():
            return locked_out()
        return None if self.rate.admits() else rate_limited()

    def _unknown(self, call: Call) -> CcpAnswer | None:
        if not self._knows(call):
            if self.world.quirks.wrong_credentials == "rate-text":
                return rate_limited()
            return validation_error(ccp_answers.NO_ACCOUNT, action="undefined")
        if call.action in RESELLER_ACTIONS:
            return validation_error(ccp_answers.RESELLER_ACTION)  # L43
        if call.action not in ACTIONS:
            return validation_error(ccp_answers.UNKNOWN_ACTION)  # L43
        if call.action == "login" or self.sessions.use(call.param.get("apisessionid")):
            return None
        return session_dead(self.world.quirks.dead_session)

    def _knows(self, call: Call) -> bool:
        """Customer number (text or number, L8), key and, at the login, password (L7)."""
        number = call.param.get("customernumber")
        given = [str(number) if isinstance(number, int | str) else "", call.param.get("apikey")]
        wanted = [self.credentials.customer_number, self.credentials.api_key]
        if call.action == "login":
            given.append(call.param.get("apipassword"))
            wanted.append(self.credentials.api_password)
        return given == wanted

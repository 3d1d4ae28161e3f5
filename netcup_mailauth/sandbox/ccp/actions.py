"""What each CCP action does, once the call was let in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from netcup_mailauth.sandbox import ccp_answers
from netcup_mailauth.sandbox.ccp_answers import (
    CcpAnswer,
    records_unavailable,
    success,
    update_failed,
    validation_error,
    zone_unavailable,
)
from netcup_mailauth.sandbox.ccp_records import merge
from netcup_mailauth.sandbox.zones import Zone, is_number, next_serial

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.sandbox.ccp.calls import Call
    from netcup_mailauth.sandbox.ccp.sessions import Sessions
    from netcup_mailauth.sandbox.zones import Zones

_SOA_FIELDS = ("ttl", "refresh", "retry", "expire")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a call, and the zone to be stored for it to be true."""

    answer: CcpAnswer
    zone: Zone | None = None


class Actions:
    """The six actions. None stores a zone itself, so that a fault can come in between."""

    def __init__(self, world: Zones, sessions: Sessions) -> None:
        self._world = world
        self._sessions = sessions
        self._by_name: dict[str, Callable[[Call], Outcome]] = {
            "login": self._login,
            "logout": self._logout,
            "infoDnsZone": self._info_zone,
            "infoDnsRecords": self._info_records,
            "updateDnsZone": self._update_zone,
            "updateDnsRecords": self._update_records,
        }

    def perform(self, call: Call) -> Outcome:
        """Carry out a call whose credentials and session are good."""
        return self._by_name[call.action](call)

    def _login(self, _call: Call) -> Outcome:
        data: dict[str, object] = {"apisessionid": self._sessions.open()}
        return Outcome(success("Login successful", "Session has been created successful.", data))

    def _logout(self, call: Call) -> Outcome:
        self._sessions.end(call.param.get("apisessionid"))
        text = "Session has been terminated successful."
        return Outcome(success("Logout successful", text))

    def _info_zone(self, call: Call) -> Outcome:
        knows_moved = self._world.quirks.moved_zone == "known"
        find = self._world.find if knows_moved else self._world.on_ccp
        zone = find(call.domain)
        if zone is None:
            return Outcome(zone_unavailable())
        data = zone.wire(self._echoed_name(call, zone), self._world.quirks)
        return Outcome(success("DNS zone found", "DNS zone was found.", data))

    def _info_records(self, call: Call) -> Outcome:
        forgets_moved = self._world.quirks.moved_zone == "not-found"
        find = self._world.on_ccp if forgets_moved else self._world.find
        zone = find(call.domain)
        if zone is None:
            return Outcome(
                records_unavailable("Can not get DNS records for zone. Domain not found.")
            )
        if zone.backend == "clouddns" or not zone.records:  # L15, L16: the same words for both
            language = self._world.quirks.empty_zone_language
            return Outcome(records_unavailable(ccp_answers.zone_empty(call.domain, language)))
        text = "DNS Records for this zone were found."
        return Outcome(success("DNS records found", text, self._record_set(zone)))

    def _update_records(self, call: Call) -> Outcome:
        zone = self._world.on_ccp(call.domain)
        if zone is None:
            return Outcome(update_failed(ccp_answers.zone_not_found(call.domain)))
        entries = call.entries()
        if entries is None:
            text = ccp_answers.field_mismatch("dnsrecordset", "dnsrecordset")
            return Outcome(validation_error(text))
        if not entries and self._world.quirks.empty_list == "error":
            return Outcome(update_failed(ccp_answers.UPDATE_FAILED))
        world = self._world
        merged = merge(zone, entries, world.quirks, world.clock(), world.new_id)
        if merged.error is not None:
            return Outcome(merged.error, merged.zone)
        return Outcome(self._updated(merged.zone), merged.zone)

    def _updated(self, zone: Zone) -> CcpAnswer:
        short = "DNS records successful updated"
        long = "The given DNS records for this zone were updated."
        answer = success(short, long, self._record_set(zone))
        status = self._world.quirks.update_status
        return replace(answer, status=status, code=2002 if status == "pending" else 2000)

    def _update_zone(self, call: Call) -> Outcome:
        zone = self._world.on_ccp(call.domain)
        if zone is None:
            return Outcome(zone_unavailable())
        wanted: Any = call.param.get("dnszone")
        problem = _zone_problem(wanted)
        if problem is not None:
            return Outcome(validation_error(problem))
        world, now = self._world, self._world.clock()
        switched_on = wanted["dnssecstatus"] and not zone.dnssec
        if switched_on and now - zone.dnssec_enabled < world.quirks.dnssec_pause:
            return Outcome(validation_error(ccp_answers.DNSSEC_PAUSE))
        new = replace(
            zone,
            ttl=str(wanted["ttl"]),
            refresh=str(wanted["refresh"]),
            retry=str(wanted["retry"]),
            expire=str(wanted["expire"]),
            dnssec=wanted["dnssecstatus"],
            dnssec_enabled=now if switched_on else zone.dnssec_enabled,
        )
        if new != zone:
            new = replace(new, serial=next_serial(zone.serial, now))
        data = new.wire(self._echoed_name(call, new), world.quirks)
        text = "The given DNS zone was successful updated."
        return Outcome(success("DNS zone successful updated", text, data), new)

    def _record_set(self, zone: Zone) -> dict[str, object]:
        """The whole zone, whatever was asked for (L22)."""
        return {"dnsrecords": zone.wire_records(self._world.quirks, self._world.clock())}

    def _echoed_name(self, call: Call, zone: Zone) -> str:
        as_sent = self._world.quirks.zone_name_echo == "as-sent"
        return str(call.param["domainname"]) if as_sent else zone.name


def _zone_problem(wanted: Any) -> str | None:
    """The first field of a `dnszone` that is missing or cannot be; texts and numbers are fine."""
    if not isinstance(wanted, dict):
        return ccp_answers.field_mismatch("dnszone", "dnszone")
    for field in _SOA_FIELDS:
        value = wanted.get(field)
        if not (is_number(value) and 0 < int(str(value)) < 2**31):
            return ccp_answers.field_mismatch(field, "positiveInteger")
    if not isinstance(wanted.get("dnssecstatus"), bool):
        return ccp_answers.field_mismatch("dnssecstatus", "boolean")
    return None

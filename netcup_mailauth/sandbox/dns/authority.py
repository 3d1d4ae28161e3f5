"""What an authoritative name server of the sandbox answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import dns.flags
import dns.rcode

from netcup_mailauth.sandbox.dns.messages import Result
from netcup_mailauth.sandbox.dns.tree import ancestors
from netcup_mailauth.sandbox.dns.zonetrees import tree_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dns.name import Name
    from dns.rdatatype import RdataType

    from netcup_mailauth.sandbox.dns.publication import Window
    from netcup_mailauth.sandbox.quirks import ShortTarget
    from netcup_mailauth.sandbox.zones import Zone


@dataclass(frozen=True, slots=True)
class Authority:
    """Answers for the zones it sees and refuses all others; the back end of a zone is the same."""

    window: Window
    short_target: ShortTarget

    def __call__(self, name: Name, kind: RdataType) -> Result:
        """Answer one question."""
        zone = zone_of(name, self.window.zones())
        if zone is None:
            return Result(dns.rcode.REFUSED)
        result = tree_of(zone, self.short_target).look_up(name, kind)
        is_referral = result.onward == name and not result.answer
        return result if is_referral else replace(result, flags=dns.flags.AA)


def zone_of(name: Name, zones: Mapping[str, Zone]) -> Zone | None:
    """The zone that a name lies in."""
    texts = (parent.to_text(omit_final_dot=True).lower() for parent in ancestors(name))
    return next((zones[text] for text in texts if text in zones), None)

"""The shapes of netcup's CCP JSON API (facts 1.3 to 1.5): netcup's wire words end here.

Reading is tolerant where netcup was seen to vary (ids as numbers, empty ``responsedata`` in
three forms); writing always sends every field.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from netcup_mailauth.names import APEX
from netcup_mailauth.plan import Action, Edit
from netcup_mailauth.records import DnsRecord, join_txt


def _text(value: object) -> object:
    """Numbers as text; netcup documents integers and sends strings."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _text_or_empty(value: object) -> object:
    return "" if value is None else _text(value)


Text = Annotated[str, BeforeValidator(_text)]
OptionalText = Annotated[str, BeforeValidator(_text_or_empty)]


class _Wire(BaseModel):
    # An error must never show what was sent or received: there may be a session id in it.
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class Envelope(_Wire):
    """What every answer is wrapped in."""

    # A word, and nothing else: it is shown, and it decides whether a call was a success.
    status: str = Field(pattern=r"^[A-Za-z]{1,20}$")
    statuscode: int
    shortmessage: OptionalText = ""
    longmessage: OptionalText = ""
    responsedata: Any = None

    @property
    def message(self) -> str:
        """netcup's own words in one line: the long message, else the short one."""
        return " ".join((self.longmessage or self.shortmessage).split())

    @property
    def summary(self) -> str:
        """Code and message, for a log; no data, since that may hold a session id."""
        return f"{self.statuscode} {self.status}, {self.message}"

    @property
    def is_success(self) -> bool:
        """Whether the call did what it should: anything but ``success`` is not sure."""
        return self.status == "success"


class Session(_Wire):
    """``responsedata`` of a login."""

    apisessionid: str = Field(min_length=1, repr=False)


class WireRecord(_Wire):
    """One entry of ``dnsrecords``."""

    id: Annotated[Text, Field(pattern=r"^[0-9]+$")]
    hostname: Text
    type: Text
    priority: OptionalText = "0"
    destination: Text


class RecordSet(_Wire):
    """``responsedata`` of a call that answers with the whole zone."""

    dnsrecords: list[WireRecord]


def to_record(wire: WireRecord, zone: str) -> DnsRecord:
    """A record as the rest of the program knows it."""
    record_type = wire.type.upper()
    value = join_txt(wire.destination) if record_type == "TXT" else wire.destination
    return DnsRecord(
        id=wire.id,
        hostname=_relative(wire.hostname, zone),
        type=record_type,
        priority=wire.priority or "0",
        destination=value,
        raw=wire.destination if value != wire.destination else None,
    )


def _relative(hostname: str, zone: str) -> str:
    # netcup takes a full name with a trailing dot (fact 1.8); how it gives one back is unknown.
    name = hostname.lower()
    if name in ("", f"{zone}."):
        return APEX
    return name.removesuffix(f".{zone}.")


def to_entry(change: Edit) -> dict[str, object]:
    """One entry of the ``dnsrecordset`` that makes this change, with every field filled in.

    netcup's documentation wants all of them even for a delete; one client gets by with less
    (fact 1.6).
    """
    record = change.after or change.before
    assert record is not None
    return {
        "id": change.before.id if change.before else "",
        "hostname": record.hostname,
        "type": record.type,
        "priority": record.priority,
        "destination": record.destination,
        "deleterecord": change.action is Action.DELETE,
        "state": "unknown",
    }

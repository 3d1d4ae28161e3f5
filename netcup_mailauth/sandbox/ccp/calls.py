"""One call to the CCP API: decoding its body, and what is wrong before anything is looked at."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

from netcup_mailauth.sandbox import ccp_answers
from netcup_mailauth.sandbox.ccp_answers import CcpAnswer, validation_error
from netcup_mailauth.sandbox.zones import is_zone_name

#: The actions every customer may use (1.3); all but the first two name a zone.
ACTIONS = (
    "login",
    "logout",
    "infoDnsZone",
    "infoDnsRecords",
    "updateDnsZone",
    "updateDnsRecords",
)

#: The actions of the interface page that are for resellers (1.3).
RESELLER_ACTIONS = frozenset(
    {
        "ackpoll", "cancelDomain", "changeOwnerDomain", "createDomain", "createHandle",
        "deleteHandle", "getAuthcodeDomain", "infoDomain", "infoHandle", "listallDomains",
        "listallHandle", "poll", "priceTopleveldomain", "transferDomain", "updateDomain",
        "updateHandle",
    }
)  # fmt: skip

_REQUEST_ID = re.compile(r"[A-Za-z0-9]{0,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that could be decoded."""

    action: str
    param: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def domain(self) -> str:
        """The zone it is about, in lower case; empty where it names none."""
        name = self.param.get("domainname")
        return name.lower() if isinstance(name, str) else ""

    @property
    def client_request_id(self) -> str:
        """What is echoed: the id as sent, or empty if there is none or it is malformed (L5)."""
        value = self.param.get("clientrequestid")
        return value if isinstance(value, str) and _is_request_id(value) else ""

    def entries(self) -> list[object] | None:
        """The entries of `updateDnsRecords`, or None where there is no such list."""
        record_set = self.param.get("dnsrecordset")
        entries = record_set.get("dnsrecords") if isinstance(record_set, dict) else None
        return entries if isinstance(entries, list) else None

    def first_half(self) -> Call:
        """The same call with only the first half of its entries."""
        entries = self.entries() or []
        half = {"dnsrecords": entries[: len(entries) // 2]}
        return replace(self, param={**self.param, "dnsrecordset": half})


def decode(body: bytes) -> Call | CcpAnswer:
    """Read a request body, whatever its content type (L1, L42)."""
    if not body.strip():
        return validation_error(ccp_answers.EMPTY, action="")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return validation_error(ccp_answers.NO_API_KEY, action="undefined")
    if not isinstance(data, dict) or not isinstance(data.get("action"), str):
        return validation_error(ccp_answers.NO_API_KEY, action="undefined")
    param = data.get("param")
    return Call(data["action"], param if isinstance(param, dict) else {})


def malformed(call: Call) -> CcpAnswer | None:
    """The error of a call whose fields do not match the WSDL, checked before all else (L5, L13)."""
    if not call.param:
        return validation_error(ccp_answers.EMPTY)
    if call.action in ACTIONS[2:] and not is_zone_name(call.param.get("domainname")):
        text = ccp_answers.field_mismatch("domainname", "domainname")
        return validation_error(text, action="", numbered=False)
    if not _is_request_id(call.param.get("clientrequestid")):
        text = ccp_answers.field_mismatch("clientrequestid", "clientrequestid")
        return validation_error(text, action="")
    if not call.param.get("apikey"):
        return validation_error(ccp_answers.NO_API_KEY, action="undefined")
    return None


def _is_request_id(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, str) and _REQUEST_ID.fullmatch(value) is not None

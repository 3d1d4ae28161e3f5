"""What sound APIs and name servers say of one small domain; the examples break it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dns.message import QueryMessage

ZONE: list[dict[str, Any]] = [
    {"id": "1", "hostname": "@", "type": "A", "priority": "0", "destination": "192.0.2.1"},
    {"id": "2", "hostname": "@", "type": "MX", "priority": "10", "destination": "mail"},
    {"id": "3", "hostname": "@", "type": "TXT", "priority": "0", "destination": "v=spf1 mx ~all"},
    {"id": "4", "hostname": "@", "type": "TXT", "priority": "0", "destination": "token=abc"},
    {
        "id": "5",
        "hostname": "_dmarc",
        "type": "TXT",
        "priority": "0",
        "destination": "v=DMARC1;p=none;rua=mailto:postmaster@example.com",
    },
    {"id": "6", "hostname": "mail", "type": "A", "priority": "0", "destination": "192.0.2.2"},
]
"""The zone example.com as netcup has it."""

KEY = "v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
MAILCOW_KEY = {
    "pubkey": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    "length": "2048",
    "dkim_txt": KEY,
    "dkim_selector": "dkim",
    "privkey": "",
}


def envelope(data: Any) -> dict[str, Any]:
    """A success of netcup's API."""
    return {
        "serverrequestid": "abc",
        "clientrequestid": "",
        "action": "x",
        "status": "success",
        "statuscode": 2000,
        "shortmessage": "ok",
        "longmessage": "ok",
        "responsedata": data,
    }


ROWS: list[dict[str, Any]] = [
    {"identifier": "r0", "name": "@", "type": "SOA", "ttl": 86400, "immutable": True,
     "rdata": "root-dns.netcup.net. dnsadmin.netcup.net. 7 28800 7200 1209600 86400"},
    *(
        {
            "identifier": f"r{record['id']}",
            "name": record["hostname"],
            "type": record["type"],
            "rdata": {"TXT": f'"{record["destination"]}"', "MX": "10 mail"}.get(
                record["type"], record["destination"]
            ),
            "ttl": 3600,
            "immutable": False,
        }
        for record in ZONE
    ),
]  # fmt: skip
"""The same zone as it is on CloudDNS."""


def rest_envelope(result: Any) -> dict[str, Any]:
    """A success of the REST API; of a list, its only page."""
    pages = {"currentPage": 1, "perPage": 100, "totalEntries": 1, "lastPage": 1}
    meta = {"pagination": pages} if isinstance(result, list) else None
    return {"success": True, "errors": [], "messages": [], "meta": meta, "result": result}


def revision(number: int) -> dict[str, Any]:
    """A revision that is, or was, the zone."""
    time = f"2026-11-24T10:00:0{number}+00:00"
    return {
        "identifier": f"rev{number}",
        "createdAt": time,
        "modifiedAt": time,
        "state": "committed",
        "serial": 2026112400 + number,
    }


def rows_after(rows: list[dict[str, Any]], changes: Any) -> list[dict[str, Any]]:
    """The zone on CloudDNS after a changeset."""
    fields = ("name", "type", "rdata", "ttl")
    gone = [[entry.get(field) for field in fields] for entry in changes.get("delete", ())]
    kept = [row for row in rows if [row[field] for field in fields] not in gone]
    new = [
        {**entry, "identifier": f"n{number}", "immutable": False}
        for number, entry in enumerate(changes.get("create", ()))
    ]
    return [*kept, *new]


def dumped(answer: Any) -> bytes:
    """A JSON value as bytes."""
    return json.dumps(answer).encode()


def answered(question: QueryMessage) -> bytes:
    """What a sound server of the zone says."""
    import dns.flags
    import dns.message
    import dns.rdatatype
    import dns.rrset

    message = dns.message.make_response(question)
    message.flags |= dns.flags.AA
    asked = question.question[0]
    kind = dns.rdatatype.to_text(asked.rdtype)
    name = asked.name.to_text().removesuffix(".").lower()
    hostname = "@" if name == "example.com" else name.removesuffix(".example.com")
    found = [r for r in ZONE if r["hostname"] == hostname and r["type"] == kind]
    values = {
        "TXT": [f'"{r["destination"]}"' for r in found],
        "A": [r["destination"] for r in found],
        "MX": [f"{r['priority']} {r['destination']}.example.com." for r in found],
        "NS": ["root-dns.netcup.net."],
        "SOA": ["root-dns.netcup.net. dnsadmin.netcup.net. 7 28800 7200 1209600 86400"],
    }.get(kind, [])
    if values:
        message.answer.append(dns.rrset.from_text_list(asked.name, 300, "IN", kind, values))
    return message.to_wire()


def written_to(zone: list[dict[str, Any]], entries: Any) -> list[dict[str, Any]]:
    """The zone after a write."""
    after = {record["id"]: record for record in zone}
    for number, written in enumerate(entries):
        identifier = written.get("id") or str(100 + number)
        if written.get("deleterecord"):
            after.pop(identifier, None)
        else:
            after[identifier] = {**written, "id": identifier}
    return list(after.values())

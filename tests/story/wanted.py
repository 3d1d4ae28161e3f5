"""What most stories want of a domain in netcup's default zone, and what is then in the zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netcup_mailauth.sandbox import Sandbox

SPF = "v=spf1 mx a -all"
DMARC = "v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com"
DROP = ("--spf-drop", "include:_spf.webhosting.systems")
KEY = "v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
WISH = ("--spf", SPF, *DROP, "--dkim", "mailcow", "--dmarc", DMARC)


def txt(sandbox: Sandbox, hostname: str, domain: str = "example.com") -> list[str]:
    return [
        str(record["destination"])
        for record in sandbox.zone(domain)
        if record["type"] == "TXT" and record["hostname"] == hostname
    ]


def spf_record(sandbox: Sandbox) -> dict[str, object]:
    (record,) = [
        r for r in sandbox.zone("example.com") if str(r["destination"]).startswith("v=spf1")
    ]
    return record

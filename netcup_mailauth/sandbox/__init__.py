"""A netcup on loopback: its two APIs, its name servers and a mailcow to try things against.

It behaves as netcup was seen to behave, and where nobody knows, as nastily as it might. It shares
no code with the client, so that the two cannot be wrong together.

    house.py       the sandbox as a whole: start, stop, and the handle of the library
    quirks.py      what is not known about netcup, as switches
    control.py     the controls over HTTP: statistics, faults, reset
    addresses.py   where everything is, and the environment that points a client there
    statefile.py   zones and keys in a file, for a sandbox that goes on where it stopped
    zones.py       records and zones;  starter.py what a fresh zone holds
    ccp/           the CCP JSON API
    rest/          the REST API of the zones on CloudDNS
    faults.py      which calls are to fail, and how;  mishaps.py lets them
    mailcow.py     the mailcow API;  mailcow_dkim.py its keys
    dns/           three name servers and a resolver
    http.py        HTTP;  tls.py its certificates
"""

from __future__ import annotations

from netcup_mailauth.sandbox.house import Sandbox
from netcup_mailauth.sandbox.quirks import Quirks

__all__ = ["Quirks", "Sandbox"]

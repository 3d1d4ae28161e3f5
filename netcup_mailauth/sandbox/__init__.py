"""A netcup on loopback: its two APIs, its name servers and a mailcow to try things against.

It behaves as netcup was seen to behave, and where nobody knows, as nastily as it might. It shares
no code with the client, so that the two cannot be wrong together.

    sandbox.py       the sandbox as a whole, and what can be done to it, over HTTP too
    quirks.py        what is not known about netcup, as switches
    faults.py        the one table of faults
    addresses.py     where everything is, and the environment that points a client there
    state.py         zones and keys in a file, for a sandbox that goes on where it stopped
    calls.py         what is counted, limited and delayed, whichever API is called
    http.py, tls.py  HTTP, and its certificates
    zones.py         records and zones;  starter.py what a fresh zone holds
    ccp.py           the CCP JSON API;  ccp_records.py, ccp_answers.py
    rest.py          the REST API of the zones on CloudDNS;  rest_records.py, rest_answers.py
    mailcow.py       the mailcow API;  mailcow_dkim.py its keys
    dns.py           three name servers and a resolver, their ports, and which sees which state
    world.py         the little of the rest of the world that the resolver knows

What follows needs dnspython and is imported at the first query, so that a start stays quick:

    dns_messages.py  from the bytes of a query to those of the response
    authority.py     what a name server answers
    resolver.py      what the resolver answers
"""

from __future__ import annotations

from netcup_mailauth.sandbox.quirks import Quirks
from netcup_mailauth.sandbox.sandbox import Sandbox

__all__ = ["Quirks", "Sandbox"]

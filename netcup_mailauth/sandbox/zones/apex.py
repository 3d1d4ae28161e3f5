"""What netcup puts at the top of every zone: its name servers and who answers for them (1.5)."""

from __future__ import annotations

#: netcup's name servers (1.12); the first is the primary.
NAME_SERVERS = ("root-dns.netcup.net.", "second-dns.netcup.net.", "third-dns.netcup.net.")

#: The mailbox in every SOA.
CONTACT = "dnsadmin.netcup.net."

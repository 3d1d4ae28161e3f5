"""What a sandbox lets a test do to its DNS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.sandbox.dns.faults import RESOLVER, DnsFault, read_dns_fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.sandbox.dns.service import DnsService


class DnsHandle:
    """A part of the sandbox's handle; `_dns` is set by the sandbox."""

    _dns: DnsService

    def dns_fault(self, server: int, mode: str, *, delay: float | None = None) -> None:
        """Let a name server (0, 1 or 2) fail until it is told `ok`; see `POST control/dns`.

        Raises:
            ValueError: an argument is wrong.
            RuntimeError: the sandbox is not running.
        """
        self.add_dns_fault(read_dns_fault({"server": server, "mode": mode, "delay": delay}))

    def resolver_fault(self, mode: str, *, delay: float | None = None) -> None:
        """Let the resolver fail until it is told `ok`, in the ways of a name server.

        Raises:
            ValueError: an argument is wrong.
            RuntimeError: the sandbox is not running.
        """
        self.add_dns_fault(read_dns_fault({"server": RESOLVER, "mode": mode, "delay": delay}))

    def add_dns_fault(self, fault: DnsFault) -> None:
        """Let a server fail as described."""
        self._dns.fail(fault)

    def set_world(self, name: str, type: str, values: Sequence[str]) -> None:  # noqa: A002
        """Let the resolver know these values of a name outside the zones; none: no longer.

        Raises:
            ValueError: a value is none of its type, or the name is in a zone of the sandbox.
        """
        self._dns.set_world(name, type, values)

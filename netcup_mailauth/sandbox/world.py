"""What the resolver knows of the world outside the sandbox's zones; addresses as in RFC 5737."""

from __future__ import annotations

import ipaddress
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    #: Values in the API's form, MX with its preference in front, by name and type.
    Facts = Mapping[tuple[str, str], tuple[str, ...]]

#: A mail exchanger of netcup's web hosting, as a fresh zone names one; each of them is there.
HOSTING_MX = r"mx[0-9a-f]+\.netcup\.net"
HOSTING_MX_FACTS = (("A", "198.51.100.25"), ("AAAA", "2001:db8:100::25"))

#: Top-level domains that are there without a name below them being known.
TOP_LEVEL = ("com", "de", "eu", "net", "org", "arpa")

_HOSTING = "webhosting.systems"
_KEYS = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAiY9JTl8G8i1lFmt2WlrsKMcFdH2qkeopOs/liC8osneB"
    "bC7m8J639wMD4QOvtq49NWEhffJF1WZIWW5y2rA+n2jr1LRIGK7ifatOKUHAvxqeXbipsgcCmnW9ljdW2hFy/Q8l"
    "Vzv5itkPg+y6XdjkADoTMWPaOriBveIIgad0j7wjjP/MovE44ZllUbwbrANpN48rHu1NYhpN7BwRniUhPPK+6F+G"
    "1+xEEHY0ppquplHG6fZzWJugic9YEhye5U5hbyJ2UqItC3vgUBR0DcGjwv++G1GjuEAbD36M5/FsxYTsczx2sOMp"
    "zBJBdaH7UoZbcgeBoqv9f6YyHk75CCtW5wIDAQAB",
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtsTVVdmdPYWj9wHOFKkZOgfl2BtcWb5nbHOrhSwxP9p/"
    "wyh1/PlfjMT+tFAQJpzAMB/Nq1pw0xUz1u0BzJLSW8Wi9WHsm/VOz68YI+zpAn5fYDpRrYjGIAV2woIkhPkGHWyg"
    "ygG8lKWQszDFwEMW3baULpL23qTISLxz30Hk7zhXuLzoj9xgNP1YRNI/dUDKr9XWQxLToXG4vtxcCSDTsR42JJgW"
    "Pp8jz7NMUZ2nkgZS7nqYpycU8GG1ZMmk48v9sgwXAL80/enjbrF4LHOChKFvveQbwLpjyau+q+DUI5G9vxUmYn5G"
    "8nkxOM0J1YGdOTKUPrnu9nK+4dC4a+TRlQIDAQAB",
)


def reverse_name(address: str) -> str:
    """The name below which the PTR of an address is."""
    return ipaddress.ip_address(address).reverse_pointer


class World:
    """The names outside, which tests can add to; `names` holds more, by type.

    `hosts` has the host each address belongs to, for PTR records.

    Raises:
        ValueError: a value is none of its type.
    """

    def __init__(
        self, hosts: Mapping[str, str], names: Mapping[str, Mapping[str, Sequence[str]]]
    ) -> None:
        self._lock = threading.Lock()
        self._facts: Facts = _built_in(hosts)
        for name, types in names.items():
            for kind, values in types.items():
                self.set(name, kind, values)
        self._start = self._facts

    @property
    def facts(self) -> Facts:
        """All names and values; another mapping after each change."""
        return self._facts

    def set(self, name: str, kind: str, values: Sequence[str]) -> None:
        """Put these values in the place of those of a name and type, if any.

        Raises:
            ValueError: a value is none of its type.
        """
        from netcup_mailauth.sandbox.authority import checked_world

        name, kind, values = checked_world(name, kind, values)
        with self._lock:
            facts = {key: old for key, old in self._facts.items() if key != (name, kind)}
            self._facts = {**facts, (name, kind): tuple(values)} if values else facts

    def reset(self) -> None:
        """Know again what was known at the start."""
        with self._lock:
            self._facts = self._start


def _built_in(hosts: Mapping[str, str]) -> Facts:
    servers = ("root-dns", "second-dns", "third-dns")
    spf = "v=spf1 ip4:198.51.100.0/24 ip6:2001:db8:100::/48 -all"
    return {
        (_HOSTING, "A"): ("198.51.100.10",),
        (_HOSTING, "AAAA"): ("2001:db8:100::10",),
        (f"_spf.{_HOSTING}", "TXT"): (spf,),
        **{
            (f"key{n}._domainkey.{_HOSTING}", "TXT"): (f"v=DKIM1; k=rsa; p={key}",)
            for n, key in enumerate(_KEYS, start=1)
        },
        ("netcup.net", "A"): ("198.51.100.1",),
        **{(f"{server}.netcup.net", "A"): ("127.0.0.1",) for server in servers},
        **{(reverse_name(address), "PTR"): (host,) for address, host in hosts.items()},
    }

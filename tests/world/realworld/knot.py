"""knotd: a real authoritative server, for a zone as the API holds it."""

from __future__ import annotations

import signal
from itertools import count
from typing import TYPE_CHECKING, Self

import dns.exception

from tests.world.realworld.asking import answered
from tests.world.realworld.programs import Folder, Server, find, until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CONFIG = """
server:
  rundir: "{folder}"
  listen: 127.0.0.1@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
control:
  listen: "{folder}/knot.sock"
database:
  storage: "{folder}/db"
  journal-db-max-size: 8M
  kasp-db-max-size: 8M
  timer-db-max-size: 8M
  catalog-db-max-size: 8M
zone:
  - domain: .
    file: "{folder}/elsewhere.zone"
    zonefile-sync: -1
    journal-content: none
  - domain: {domain}
    file: "{folder}/{domain}.zone"
    zonefile-sync: -1
    journal-content: none
"""

# The rest of the world, as one server has to answer everything; the web host's MX is in it.
_ELSEWHERE = """
. 300 SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 300
. 300 NS ns.invalid.
ns.invalid. 300 A 127.0.0.1
*.netcup.net. 300 A 198.51.100.25
"""
_LONGEST_STRING = 255


def zone_file(domain: str, records: Sequence[Mapping[str, object]], serial: int) -> str:
    """The zone in a file, as a name server would be given it."""
    lines = [
        f"$ORIGIN {domain}.",
        "$TTL 300",
        f"@ SOA root-dns.netcup.net. dnsadmin.netcup.net. {serial} 28800 7200 1209600 300",
        "@ NS root-dns.netcup.net.",
    ]
    lines += [f"{record['hostname']} {record['type']} {_value(record)}" for record in records]
    return "\n".join(lines) + "\n"


def _value(record: Mapping[str, object]) -> str:
    text = str(record["destination"])
    match record["type"]:
        case "TXT":
            return _quoted(text)
        case "MX":
            return f"{record['priority']} {_host(text)}"
        case "CNAME":
            return _host(text)
        case _:
            return text


def _host(text: str) -> str:
    return text if text == "@" else f"{text.removesuffix('.')}."


def _quoted(text: str) -> str:
    cut = [text[at : at + _LONGEST_STRING] for at in range(0, len(text), _LONGEST_STRING)]
    assert not set(text) & {'"', "\\"}, text
    return " ".join(f'"{part}"' for part in cut)


class Knot:
    """A running knotd with one zone, which `serve` replaces."""

    def __init__(self, domain: str) -> None:
        self._program = find("knotd")
        self._domain = domain
        self._serials = count(1)
        self._folder = Folder()
        self._write([])
        self.server = Server(self._folder, self._configure, lambda port: self._serial(port) == 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    @property
    def address(self) -> str:
        """Where it answers, as HOST:PORT."""
        return f"127.0.0.1:{self.server.port}"

    def serve(self, records: Sequence[Mapping[str, object]]) -> None:
        """Serve these records, and no longer those of before."""
        serial = self._write(records)
        self.server.process.send_signal(signal.SIGHUP)
        seen = until(lambda: self._serial(self.server.port) == serial, 10)
        assert seen, self._folder.output()

    def _write(self, records: Sequence[Mapping[str, object]]) -> int:
        serial = next(self._serials)
        self._folder.write(f"{self._domain}.zone", zone_file(self._domain, records, serial))
        return serial

    def _configure(self, port: int) -> Sequence[str]:
        self._folder.write("elsewhere.zone", _ELSEWHERE)
        config = _CONFIG.format(folder=self._folder.path, domain=self._domain, port=port)
        return [self._program, "-c", str(self._folder.write("knot.conf", config))]

    def _serial(self, port: int) -> int | None:
        """The serial it serves; a short wait, as nobody may be there to answer."""
        try:
            _, values = answered(f"127.0.0.1:{port}", self._domain, "SOA", seconds=0.05)
        except (OSError, dns.exception.DNSException):
            return None
        return int(values[0].split()[2]) if values else None

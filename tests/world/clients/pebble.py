"""pebble, Let's Encrypt's own server for tests, which asks the sandbox's resolver."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Self

from netcup_mailauth.sandbox.tls import ThrowAwayTls
from tests.world.clients.netcup import program
from tests.world.realworld.programs import until

if TYPE_CHECKING:
    from tests.world.clients.netcup import Netcup

DIRECTORY = "https://localhost:14000/dir"


class Pebble:
    """A certificate authority in the network of a sandbox, which answers at once.

    `env` has programs trust the sandbox and it.
    """

    def __init__(self, netcup: Netcup) -> None:
        path = program("pebble", "pebble")
        self._tls = ThrowAwayTls()
        own = self._tls.ca_file
        pair = str(own.with_name("server.pem"))
        config = netcup.folder / "pebble.json"
        listens = {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000"}
        keys = {"certificate": pair, "privateKey": pair, "httpPort": 5002, "tlsPort": 5001}
        config.write_text(json.dumps({"pebble": {**listens, **keys}}))
        both = netcup.folder / "ca.pem"
        both.write_bytes(own.read_bytes() + Path(netcup.env["SSL_CERT_FILE"]).read_bytes())
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "LEGO_CA_CERTIFICATES")
        self.env = dict.fromkeys(names, str(both))
        self._log = netcup.folder / "pebble.log"
        resolver = netcup.env["NETCUP_MAILAUTH_RESOLVER"]
        command = (path, "-config", config, "-dnsserver", resolver)
        speed = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
        self._process = netcup.start(*command, env=speed)
        assert until(lambda: "Listening on" in self._log.read_text(), 60), self._log.read_text()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._tls.close()

    def names_of(self, certificate: str) -> set[str]:
        """The names a certificate is for."""
        from cryptography import x509

        found = x509.load_pem_x509_certificate(certificate.encode())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return set(re.findall(r"<DNSName\(value='([^']+)'\)>", str(names)))

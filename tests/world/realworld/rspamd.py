"""rspamd: what a receiver makes of a mail. No rules but SPF, DKIM and DMARC, and no caches."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Self

from tests.world.realworld.programs import Folder, Server, find

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FILTERS = ("R_SPF_", "R_DKIM_", "DMARC_")

# Its own list of public suffixes costs ten seconds at each start.
_CONFIG = """
modules {{ path = "{plugins}/spf.lua"; path = "{plugins}/dmarc.lua"; }}
options {{
  filters = "dkim";
  dns {{ nameserver = ["{dns}"]; timeout = 2s; retransmits = 3; sockets = 1; }}
  url_tld = "{folder}/tld.dat";
  local_addrs = [127.0.0.0/8];
  pidfile = "{folder}/rspamd.pid"; tempdir = "{folder}"; cache_file = "{folder}/symbols.cache";
  hs_cache_dir = "{folder}/"; history_file = "{folder}/history"; stats_file = "{folder}/stats";
  dynamic_conf = "{folder}/dynamic"; control_socket = "{folder}/rspamd.sock mode=0600";
  task_timeout = 8s;
}}
logging {{ type = "console"; level = "info"; color = false; }}
worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}
actions {{ reject = 15; add_header = 6; greylist = 4; }}
spf {{ spf_cache_size = 0; }}
dkim {{ dkim_cache_size = 0; }}
dmarc {{ }}
"""
_PLUGINS = "/usr/share/rspamd/plugins"
_SUFFIXES = "com\nnet\norg\nde\neu\n"


class Rspamd:
    """A running rspamd that asks one DNS server, ``HOST:PORT``, for everything."""

    def __init__(self, dns: str) -> None:
        self._program = find("rspamd")
        self._dns = dns
        self._folder = Folder()
        self.server = Server(self._folder, self._configure, _is_ready)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def _configure(self, port: int) -> Sequence[str]:
        folder: Path = self._folder.path
        self._folder.write("tld.dat", _SUFFIXES)
        config = _CONFIG.format(plugins=_PLUGINS, dns=self._dns, folder=folder, port=port)
        path = self._folder.write("rspamd.conf", config)
        return [self._program, "-f", "-c", str(path)]

    def scan(self, message: bytes, ip: str, mail_from: str, helo: str) -> set[str]:
        """The symbols of SPF, DKIM and DMARC for a mail that came from an address."""
        headers = {"IP": ip, "From": mail_from, "Helo": helo, "Rcpt": "somebody@example.net"}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        try:
            connection.request("POST", "/checkv2", message, headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        assert answer.status == 200, body
        return {name for name in json.loads(body)["symbols"] if name.startswith(_FILTERS)}


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()

"""The judges: each asks one DNS server and says in one line what it makes of the domain."""

from __future__ import annotations

import logging
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, get_args

import dns.resolver

from tests.world.judges.judges import load
from tests.world.realworld.asking import resolver_at
from tests.world.realworld.programs import Folder, find
from tests.world.realworld.published import DOMAIN, HELO, SENDER, SERVER, SERVER_V6, STRANGER
from tests.world.realworld.rspamd import Rspamd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.world.realworld.published import Published

JudgeName = Literal["opendkim-testkey", "Mail::SPF", "checkdmarc", "dkimpy", "rspamd"]
JUDGES: tuple[JudgeName, ...] = get_args(JudgeName)


class Judge(Protocol):
    """A program's opinion of what is published."""

    def verdict(self, published: Published) -> str:
        """What it says now, in one line."""

    def close(self) -> None:
        """Stop what it has started."""


class Court:
    """All judges, called when they are needed, with one DNS server at ``HOST:PORT`` to ask."""

    def __init__(self, dns: str) -> None:
        self.dns = dns
        self._judges: dict[JudgeName, Judge] = {}
        self._to_close = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._to_close.close()

    def verdict(self, name: JudgeName, published: Published) -> str:
        """What a judge says; the test is skipped if it is not installed."""
        return self._judge(name).verdict(published)

    @property
    def rspamd(self) -> Rspamd:
        """The rspamd behind the judge, for mails from anywhere."""
        judge = self._judge("rspamd")
        assert isinstance(judge, RspamdJudge)
        return judge.rspamd

    def _judge(self, name: JudgeName) -> Judge:
        if name not in self._judges:
            judge = self._judges[name] = _CALLED[name](self.dns)
            self._to_close.callback(judge.close)
        return self._judges[name]


class OpendkimTestkey:
    """Whether the private key fits the record; it cannot tell with a key by Ed25519."""

    def __init__(self, dns: str) -> None:
        self._program = find("opendkim-testkey")
        self._folder = Folder()
        host, port = dns.split(":")
        unbound = self._folder.write(
            "unbound.conf",
            'server:\n  module-config: "iterator"\n  do-not-query-localhost: no\n'
            f'forward-zone:\n  name: "."\n  forward-addr: {host}@{port}\n',
        )
        self._config = self._folder.write("opendkim.conf", f"ResolverConfiguration {unbound}\n")

    def verdict(self, published: Published) -> str:
        return self.says(published.private, DOMAIN, published.selector)

    def says(self, private: str, domain: str, selector: str) -> str:
        """``match``, or what it complains of."""
        key = self._folder.write("key.pem", private)
        named = ["-d", domain, "-s", selector, "-k", str(key)]
        ended = self._folder.run([self._program, "-x", str(self._config), "-vv", *named])
        if ended.returncode == 0:
            return "match"
        said = ended.stdout.strip() or ended.stderr.strip().splitlines()[-1]
        return said.removeprefix("opendkim-testkey: ")

    def close(self) -> None:
        self._folder.remove()


class MailSpf:
    """The result of SPF for the server, by either address, and for a stranger."""

    _RESULT = re.compile(r"^Received-SPF: (\w+)", re.MULTILINE)

    def __init__(self, dns: str) -> None:
        self._program = find("spfquery.mail-spf-perl")
        self._folder = Folder()
        host, port = dns.split(":")
        self._env = {"RES_NAMESERVERS": host, "RES_OPTIONS": f"port:{port}"}

    def verdict(self, published: Published) -> str:
        """``server pass pass, stranger fail``."""
        clients = [(ip, SENDER, HELO) for ip in (SERVER, SERVER_V6, STRANGER)]
        v4, v6, stranger = self.results(clients)
        return f"server {v4} {v6}, stranger {stranger}"

    def results(self, clients: Sequence[tuple[str, str, str]]) -> list[str]:
        """The result for each address, sender and HELO name."""
        lines = "".join(f"{ip} {sender} {helo}\n" for ip, sender, helo in clients)
        file = self._folder.write("clients", lines)
        options = ["--versions", "1", "--scope", "mfrom", "--file", str(file)]
        ended = self._folder.run([self._program, *options], self._env)
        found = self._RESULT.findall(ended.stdout)
        assert len(found) == len(clients), ended.stderr
        return found

    def close(self) -> None:
        self._folder.remove()


class Checkdmarc:
    """What it takes from the SPF and the DMARC record, or what it complains of."""

    def __init__(self, dns: str) -> None:
        self._spf = load("checkdmarc", "checkdmarc.spf", "pip install checkdmarc")
        self._dmarc = load("checkdmarc", "checkdmarc.dmarc", "pip install checkdmarc")
        self._utils = load("checkdmarc", "checkdmarc.utils", "pip install checkdmarc")
        self._asked: dict[str, Any] = {"resolver": resolver_at(dns), "timeout": 3.0, "retries": 0}

    def verdict(self, published: Published) -> str:
        """``spf 2 look-ups, dmarc quarantine``."""
        self._utils.DNS_CACHE.clear()  # it would go on judging the zone of before
        return f"spf {self._spf_says()}, dmarc {self._dmarc_says()}"

    def _spf_says(self) -> str:
        try:
            text = self._spf.query_spf_record(DOMAIN, **self._asked)["record"]
            found = self._spf.parse_spf_record(text, DOMAIN, **self._asked)
        except self._spf.SPFError as error:
            return type(error).__name__
        return f"{found['dns_lookups']} look-ups"

    def _dmarc_says(self) -> str:
        try:
            found = self._dmarc.get_dmarc_record(DOMAIN, **self._asked)
        except self._dmarc.DMARCError as error:
            return type(error).__name__
        parsed = found["parsed"]
        unverified = any("does not indicate that it accepts" in w for w in parsed["warnings"])
        policy: str = parsed["tags"]["p"]["value"]
        return f"{policy}, reports not accepted" if unverified else policy

    def close(self) -> None:
        """Nothing was started."""


class Dkimpy:
    """Whether the signature of the mail verifies."""

    def __init__(self, dns: str) -> None:
        load("PyNaCl", "nacl.signing", "pip install pynacl")
        self._dkim = load("dkimpy", "dkim", "pip install dkimpy")
        self._resolver = resolver_at(dns)

    def verdict(self, published: Published) -> str:
        """``verifies``, or what it complains of; ``wrong signature`` if that is all."""
        complaints = _Complaints()
        mail = self._dkim.DKIM(published.mail, logger=complaints.logger)
        try:
            good = mail.verify(dnsfunc=self._key)
        except self._dkim.DKIMException as error:
            return f"{type(error).__name__}: {error}"
        if good:
            return "verifies"
        return " ".join(complaints.said).partition(":")[0] or "wrong signature"

    def _key(self, name: bytes, timeout: int = 5) -> bytes | None:
        try:
            answer = self._resolver.resolve(name.decode(), "TXT")
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return None
        return b"".join(answer[0].strings)

    def close(self) -> None:
        """Nothing was started."""


class _Complaints(logging.Handler):
    """What was logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []
        self.logger = logging.Logger("dkimpy")  # known to nobody else
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


class RspamdJudge:
    """The symbols for the mail when it comes from the server, and from a stranger."""

    def __init__(self, dns: str) -> None:
        self.rspamd = Rspamd(dns)

    def verdict(self, published: Published) -> str:
        """``server R_SPF_ALLOW R_DKIM_ALLOW DMARC_POLICY_ALLOW, stranger R_SPF_FAIL ...``."""
        server, stranger = (self._from(published, ip) for ip in (SERVER, STRANGER))
        return f"server {server}, stranger {stranger}"

    def _from(self, published: Published, ip: str) -> str:
        symbols = self.rspamd.scan(published.mail, ip, SENDER, HELO)
        return " ".join(sorted(symbols, key=_order))

    def close(self) -> None:
        self.rspamd.server.stop()


def _order(symbol: str) -> tuple[int, str]:
    return next(n for n, part in enumerate(("SPF", "DKIM", "DMARC")) if part in symbol), symbol


_CALLED: dict[JudgeName, Callable[[str], Judge]] = {
    "opendkim-testkey": OpendkimTestkey,
    "Mail::SPF": MailSpf,
    "checkdmarc": Checkdmarc,
    "dkimpy": Dkimpy,
    "rspamd": RspamdJudge,
}

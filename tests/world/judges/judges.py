"""The independent programs, each asked in its own way and answering in the words of ``ours``."""

from __future__ import annotations

import binascii
import importlib
import json
import os
import shutil
import subprocess
import warnings
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from subprocess import PIPE, Popen
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
import pytest

from netcup_mailauth.dmarc.record import canonical_uri
from netcup_mailauth.lookup import Status
from tests.world.judges.ours import HELO, reading
from tests.world.judges.records import CLIENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from tests.world.judges.keys import Keys
    from tests.world.judges.records import Dkim, Spf
    from tests.world.judges.world import World

REQUIRED = bool(os.environ.get("REQUIRE_E2E"))
"""Read at import: the tests themselves run in an empty environment."""

_MAIL = b"From: a@example.com\r\nTo: b@example.net\r\nSubject: a test\r\n\r\nHello.\r\n"


def absent(judge: str, command: str) -> NoReturn:
    """Skip the test, or fail it where every judge has to be there."""
    reason = f"{judge} is not installed: {command}"
    if REQUIRED:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def load(judge: str, module: str, command: str) -> ModuleType:
    """Import a judge, whose own warnings are not ours to mend."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(module)
    except ImportError:
        absent(judge, command)


class Pyspf:
    """pyspf, with its DNS replaced by the world."""

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def spf(self) -> ModuleType:
        module = load("pyspf", "spf", "pip install pyspf==2.0.14")
        vars(module)["DNSLookup"] = self._dns
        return module

    def check(self, address: str, sender: str) -> str:
        query = self.spf.query(i=address, s=sender, h=HELO, receiver="mx.example")
        result: str = query.check()[0]
        return result

    def _dns(self, name: str, qtype: str, strict: object, timeout: float) -> list[Any]:
        rdtype = dns.rdatatype.from_text(qtype)
        status, rdatas = self.world.resolve(dns.name.from_text(name), rdtype)
        if status is Status.SERVFAIL:
            raise self.spf.TempError("DNS SERVFAIL")
        return [((name, qtype), _value(rdata)) for rdata in rdatas]


def _value(rdata: Any) -> Any:
    match dns.rdatatype.to_text(rdata.rdtype):
        case "TXT":
            return rdata.strings
        case "MX":
            return rdata.preference, rdata.exchange.to_text(omit_final_dot=True)
        case "PTR":
            return rdata.target.to_text(omit_final_dot=True)
        case _:
            return rdata.address


@contextmanager
def perl(judge: Literal["Mail::SPF", "Mail::DMARC"], port: int) -> Iterator[Popen[str]]:
    """A judge written in Perl, which keeps running: each line it is asked is a line it answers.

    The name server at ``port`` on loopback is the only one it asks.
    """
    name = judge.lower().replace("::", "-")
    found = shutil.which("perl")
    if not found or subprocess.run([found, f"-M{judge}", "-e1"], capture_output=True).returncode:
        absent(judge, f"apt-get install --no-install-recommends lib{name}-perl")
    script = Path(__file__).with_name(f"{name.replace('-', '_')}.pl")
    with Popen([found, script, str(port)], stdin=PIPE, stdout=PIPE, text=True, bufsize=1) as asked:
        yield asked


def _answer(asked: Popen[str], line: str) -> str:
    assert asked.stdin
    assert asked.stdout
    asked.stdin.write(f"{line}\n")
    answer = asked.stdout.readline()
    assert answer, f"{line}: no answer"
    return answer.rstrip("\n")


class MailSpf:
    """Mail::SPF, against the served world."""

    def __init__(self, asked: Popen[str]) -> None:
        self.asked = asked

    def check(self, address: str, sender: str) -> str:
        return _answer(self.asked, f"{address} {sender} {HELO}")


class MailDmarc:
    """Mail::DMARC, against the served world: a receiver of RFC 7489."""

    def __init__(self, asked: Popen[str]) -> None:
        self.asked = asked

    def dmarc_reading(self, domain: str) -> str:
        """What it takes from the record; ``none`` if it finds none, or more than one."""
        found = json.loads(_answer(self.asked, domain))
        if found is None:
            return "none"
        p = found["p"].lower()
        told = {name: (found[name] or "").lower() for name in ("adkim", "aspf")}
        told = {name: "s" if value == "s" else "r" for name, value in told.items()}
        told |= {"fo": found["fo"] or "0", "pct": found["pct"] or "100"}
        for name in ("rua", "ruf"):
            told[name] = ",".join(map(canonical_uri, found[name]))
        return reading((p, (found["sp"] or p).lower()), told)


def verdicts(judge: Pyspf | MailSpf, record: Spf) -> str:
    """What a judge of senders says, by client: ``mail=pass other=softfail``."""
    sender = f"user@{record.domain}"
    return " ".join(
        f"{client}={judge.check(CLIENTS.get(client, client), sender)}" for client in record.clients
    )


class Checkdmarc:
    """checkdmarc, with a resolver that knows only the served world."""

    def __init__(self, port: int) -> None:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [dns.nameserver.Do53Nameserver("127.0.0.1", port)]
        self.asked = {"resolver": resolver, "timeout": 2.0, "retries": 0}

    @cached_property
    def spf(self) -> ModuleType:
        return load("checkdmarc", "checkdmarc.spf", "pip install 'checkdmarc>=6'")

    @cached_property
    def dmarc(self) -> ModuleType:
        return load("checkdmarc", "checkdmarc.dmarc", "pip install 'checkdmarc>=6'")

    def spf_verdict(self, record: Spf) -> str:
        """``7 look-ups``, or ``none`` or ``broken``."""
        try:
            text = self.spf.query_spf_record(record.domain, **self.asked)["record"]
        except self.spf.SPFRecordNotFound:
            return "none"
        except self.spf.MultipleSPFRTXTRecords:
            return "broken"
        try:
            found = self.spf.parse_spf_record(text, record.domain, **self.asked)
        except self.spf.SPFError:
            return "broken"
        return f"{found['dns_lookups']} look-ups"

    def dmarc_reading(self, domain: str) -> str:
        """What it takes from the record; ``none`` if it refuses it."""
        try:
            found = self.dmarc.get_dmarc_record(domain, **self.asked)
        except self.dmarc.DMARCError:
            return "none"
        values = {name: tag["value"] for name, tag in found["parsed"]["tags"].items()}
        told = {name: values.get(name, "") for name in ("adkim", "aspf", "t", "psd", "fo")}
        for name in ("rua", "ruf"):
            told[name] = ",".join(map(_uri, values.get(name, ())))
        return reading((values["p"], values["sp"], values["np"]), told)


def _uri(parsed: Any) -> str:
    address: str = parsed["address"]
    return canonical_uri(f"mailto:{address}" if parsed["scheme"] == "mailto" else address)


class Dkimpy:
    """dkimpy, asked to verify a mail that it signed itself."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.signed: dict[str, bytes] = {}

    @cached_property
    def dkim(self) -> ModuleType:
        load("PyNaCl", "nacl.signing", "pip install pynacl")
        return load("dkimpy", "dkim", "pip install dkimpy")

    def verdict(self, record: Dkim) -> str:
        text = self.keys.fill(record.text).encode()
        mail = self.dkim.DKIM(self._mail(record.signed_by))
        try:
            self.dkim.evaluate_pk("the record", text)
            return "verifies" if mail.verify(dnsfunc=lambda *_, **__: text) else "other key"
        except (self.dkim.DKIMException, binascii.Error):
            return "unusable"
        except ValueError:  # PyNaCl, of a signature that is as long as one by RSA
            return "other key"

    def _mail(self, name: str) -> bytes:
        if name not in self.signed:
            key = self.keys.signing[name]
            signature: bytes = self.dkim.sign(
                _MAIL, b"sel", b"example.com", key.private, signature_algorithm=key.algorithm
            )
            self.signed[name] = signature + _MAIL
        return self.signed[name]

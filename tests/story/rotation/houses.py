"""A zone, its name servers, a signer and a clock in memory, which can be killed at any call.

The signer has mailcow's semantics: one key for each domain, and copies under parking names.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from netcup_mailauth import dkim
from netcup_mailauth.actions.session import Session
from netcup_mailauth.clock import Clock, Uptime
from netcup_mailauth.dnsio.servers import Dns
from netcup_mailauth.errors import MailauthError
from netcup_mailauth.lookup import Server, ServerAnswer, ServerStatus, silent
from netcup_mailauth.plan import Change
from netcup_mailauth.policy import DomainPolicy, Wish
from netcup_mailauth.records import DnsRecord, Zone
from netcup_mailauth.rotation import FOLDER, begin, run
from netcup_mailauth.rotation.begin import Rotator, draft
from netcup_mailauth.rotation.signers import SignerKey, Users, Writes
from netcup_mailauth.rotation.state import Waits, read_book
from tests.sessions import Heard
from tests.unlimited import Unlimited

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from netcup_mailauth.dkim import PublicKey
    from netcup_mailauth.lookup import Answer, Lookup, Query
    from netcup_mailauth.plan import Action, Edit
    from netcup_mailauth.records import DesiredRecord
    from netcup_mailauth.rotation.run import Outcome
    from netcup_mailauth.rotation.state import Book, Rotation

DOMAIN = "example.com"
START = 1_795_000_000.0  # November 2026
NEGATIVE_TTL = 600
WAITS = Waits(round_seconds=60.0, grace=7 * 86400.0, retry=300.0)


@cache
def key(number: int) -> PublicKey:
    """One of the keys of the tests."""
    private = Ed25519PrivateKey.from_private_bytes(bytes([number % 256]) * 32)
    found = dkim.public_key_from_crypto(private.public_key())
    assert found is not None
    return found


def held(number: int, selector: str) -> SignerKey:
    """That key, as a signer holds it."""
    return SignerKey(selector, dkim.build(key(number)), key(number))


class KilledError(BaseException):
    """The process is gone: nothing may catch this."""


class FaultError(MailauthError):
    """Something that was asked failed."""


@dataclass
class Trap:
    """Goes off at the n-th moment at which the world outside could notice a crash.

    It also sees every call to the world: a rival may act right before any of them.
    """

    left: int | None = None
    error: type[BaseException] = KilledError
    calls: list[str] = field(default_factory=list)
    rival: Callable[[], None] | None = None
    rival_at: int = -1

    def call(self, name: str) -> None:
        if self.rival is not None and len(self.calls) == self.rival_at:
            self.rival()
        self.calls.append(name)

    def step(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise self.error("the trap")


@dataclass
class FakeSigner:
    """A mailcow: one key for each domain; what is set aside lies under names of its own."""

    trap: Trap = field(default_factory=Trap)
    name: str = "mailcow at mail.example.com"
    keys: dict[str, SignerKey] = field(default_factory=dict)
    made: int = 100
    unsure: str = ""

    @property
    def ahead(self) -> dict[str, float]:
        return {}

    def current(self, domain: str) -> SignerKey | None:
        self.trap.call("current")
        return self.keys.get(domain)

    def others(self, domain: str, own: PublicKey) -> Users:
        self.trap.call("others")
        parks = ("next.", "park.")
        found = {d for d, k in self.keys.items() if k.key == own and not d.startswith(parks)}
        return Users(tuple(sorted(found - {domain})), self.unsure)

    def writes(self) -> Writes:
        return Writes(("It makes a key.",), ("It copies keys.",))

    def prepare(self, domain: str, selector: str) -> SignerKey:
        self.trap.call("prepare")
        if f"next.{domain}" not in self.keys:
            self.made += 1
            self._set(f"next.{domain}", held(self.made, selector))
        return self.keys[f"next.{domain}"]

    def prepared(self, domain: str) -> SignerKey | None:
        self.trap.call("prepared")
        return self.keys.get(f"next.{domain}")

    def switch(self, domain: str) -> SignerKey:
        self.trap.call("switch")
        ready = self.keys.get(f"next.{domain}")
        if ready is None:
            raise FaultError("no key is ready")
        if self.keys.get(domain) != ready:
            if domain in self.keys:
                self._set(f"park.{domain}", self.keys[domain])
            self._set(domain, ready)
        return self.keys[domain]

    def parked(self, domain: str) -> SignerKey | None:
        self.trap.call("parked")
        return self.keys.get(f"park.{domain}")

    def switch_back(self, domain: str) -> SignerKey:
        self.trap.call("switch")
        parked = self.keys.get(f"park.{domain}")
        if parked is None:
            raise FaultError("no key is parked")
        if self.keys.get(domain) != parked:
            self._set(domain, parked)
        return self.keys[domain]

    def discard(self, domain: str) -> None:
        self.trap.call("discard")
        for name in (f"next.{domain}", f"park.{domain}"):
            if name in self.keys:
                self.trap.step()
                del self.keys[name]
                self.trap.step()

    def _set(self, domain: str, own: SignerKey) -> None:
        self.trap.step()
        self.keys[domain] = own
        self.trap.step()


class ImportSigner(FakeSigner):
    """A mailcow to which keys are imported: the old one goes before the new one comes."""

    def _set(self, domain: str, own: SignerKey) -> None:
        if domain in self.keys:
            self.trap.step()
            del self.keys[domain]
        super()._set(domain, own)


@dataclass
class FakeBackend(Unlimited):
    """netcup's API: one zone."""

    trap: Trap
    held: Zone
    changed: list[Zone] = field(default_factory=list)
    made: int = 900
    name: str = "ccp"
    endpoint: str = "https://ccp.test"
    account: str = "abc"
    new_ttl: int | None = None
    actions: list[Action] = field(default_factory=list)

    def serving(self, name: str) -> Self:
        return self

    def zone(self, name: str) -> Zone:
        self.trap.call("zone")
        assert name == self.held.name
        return self.held

    def apply(self, zone: Zone, changes: Sequence[Edit]) -> Zone:
        self.trap.call("apply")
        self.trap.step()
        records = list(self.held.records)
        for change in changes:
            assert isinstance(change, Change)
            self.actions.append(change.action)
            if change.before is not None:
                records = [r for r in records if r.id != change.before.id]  # as CCP: by its id
            if change.after is not None:
                self.made += 1
                records.append(replace(change.after, id=str(self.made)))
        self.held = replace(self.held, records=tuple(records))
        self.trap.step()
        return self.held

    def refuses(self, record: DesiredRecord) -> str | None:
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


TRAPS: dict[Path, Trap] = {}
"""For each account's folder the trap of its house."""


def trapped(write: Callable[[Path, str], None]) -> Callable[[Path, str], None]:
    """``write_private``, so that a crash can happen before and after a house's book is written."""

    def writing(path: Path, text: str) -> None:
        trap = TRAPS.get(path.parent.parent, Trap())
        trap.step()
        write(path, text)
        trap.step()

    return writing


@dataclass(frozen=True)
class HouseDns(Dns):
    """The DNS of a house."""

    house: Any = None

    def lookup(self) -> Lookup:
        def look_up(queries: Sequence[Query]) -> Sequence[Answer]:
            self.house.trap.call("dns")
            return silent(queries)

        return look_up

    def servers_of(self, zone: str) -> tuple[Server, ...]:
        return tuple(Server(f"ns{n}", f"127.0.0.{n + 1}") for n in range(len(self.house.delays)))

    def ask(
        self, servers: Sequence[Server], queries: Sequence[Query]
    ) -> dict[Server, tuple[ServerAnswer, ...]]:
        return {server: tuple(self.answer(server, q) for q in queries) for server in servers}

    def ask_over_tcp(
        self, servers: Sequence[Server], queries: Sequence[Query]
    ) -> dict[Server, tuple[ServerAnswer, ...]]:
        self.house.trap.call("look")
        self.house.note()
        self.house.while_asked()
        return self.ask(servers, queries)

    def answer(self, server: Server, query: Query) -> ServerAnswer:
        number = int(server.name.removeprefix("ns"))
        if number in self.house.down:
            return ServerAnswer(ServerStatus.NO_ANSWER)
        if query.type == "SOA":
            return ServerAnswer(ServerStatus.OK, (f"ns. root. 1 2 3 4 {NEGATIVE_TTL}",))
        texts = self.house.served(number, query.name)
        return ServerAnswer(ServerStatus.OK if texts else ServerStatus.NXDOMAIN, texts)


class HouseClock(Clock):
    """The clock of a house."""

    def __init__(self, house: House) -> None:
        self._house = house

    def time(self) -> float:
        return self._house.clock()

    def sleep(self, seconds: float) -> None:
        self._house.sleep(seconds)

    def uptime(self, _boot_id: object = None) -> Uptime | None:
        return self._house.uptime()


class House:
    """Everything a rotation works on."""

    def __init__(
        self,
        folder: Path,
        *records: DnsRecord,
        delays: Sequence[float] = (0.0, 120.0, 900.0),
        signer: type[FakeSigner] = FakeSigner,
        waits: Waits = WAITS,
    ) -> None:
        self.now = START
        self.skew = 0.0
        self.trap = Trap()
        old = txt("1", "dkim._domainkey", held(1, "dkim").record)
        zone = Zone(DOMAIN, "ccp", (old, *records))
        self.backend = FakeBackend(self.trap, zone)
        self.signer = signer(self.trap, keys={DOMAIN: held(1, "dkim")})
        self.delays = list(delays)
        self.down: set[int] = set()
        self.past = [(START - 10 * 86400.0, zone)]
        self.signed: dict[str, tuple[str, float]] = {}
        self.folder = folder
        self.heard = Heard()
        session = Session(
            self.backend, HouseDns(house=self), reporter=self.heard, clock=HouseClock(self)
        )
        wish = Wish(DOMAIN, DomainPolicy())
        TRAPS[folder] = self.trap
        self.rotator = Rotator(session, wish, self.signer, folder / FOLDER, waits)

    def clock(self) -> float:
        return self.now + self.skew

    def uptime(self) -> Uptime | None:
        """How long the machine runs; not known."""
        return None

    def while_asked(self) -> None:
        """What happens while the name servers are asked: nothing."""

    def sleep(self, seconds: float) -> None:
        self.note()
        self.now += seconds

    def note(self) -> None:
        """Have the servers learn of what the API holds."""
        if self.past[-1][1] != self.backend.held:
            self.past.append((self.now, self.backend.held))

    def served(self, server: int, name: str, at: float | None = None) -> tuple[str, ...]:
        """What a server has at a name: the zone as it was its delay ago."""
        moment = (self.now if at is None else at) - self.delays[server]
        zone = next(zone for since, zone in reversed(self.past) if since <= moment)
        hostname = name.removesuffix(f".{DOMAIN}")
        return tuple(r.destination for r in zone.at(hostname, "TXT"))

    def check_that_mail_verifies(self) -> None:
        """What is signed now verifies everywhere, caches that were told "none" included."""
        self.note()
        signs = self.signer.keys.get(DOMAIN)
        if signs is None:
            return  # unsigned for a moment, as mailcow's import does it; nothing fails to verify
        self.check_that_mail_on_its_way_verifies(signs)
        name = f"{signs.selector}._domainkey.{DOMAIN}"
        for server in range(len(self.delays)):
            for at in (self.now, self.now - NEGATIVE_TTL + 1):
                found = self.served(server, name, at)
                assert found == (signs.record,), (signs.selector, server, at - self.now, found)

    def check_that_mail_on_its_way_verifies(self, signs: SignerKey) -> None:
        """What was signed within the grace can still be looked up, whoever signs now."""
        self.signed[signs.selector] = (signs.record, self.now)
        for selector, (record, last) in self.signed.items():
            if self.now - last < self.rotator.waits.grace:
                for server in range(len(self.delays)):
                    found = self.served(server, f"{selector}._domainkey.{DOMAIN}")
                    assert record in found, (selector, server, self.now - last)

    def begin(self, *, revoke: bool = False) -> Rotation:
        rotation = draft(self.rotator, revoke=revoke)
        begin.begin(self.rotator, rotation)
        return rotation

    def proceed(self) -> Outcome:
        return run.proceed(self.rotator)

    def abort(self) -> Outcome:
        return run.abort(self.rotator)

    def until_done(self, limit: int = 60) -> Outcome:
        """Run whenever something is due, as a timer would."""
        for _ in range(limit):
            outcome = self.proceed()
            self.check_that_mail_verifies()
            until = getattr(outcome.step, "until", None)
            if outcome.step is None or until is None:
                return outcome
            self.pass_time(max(1.0, until - self.clock()))
        raise AssertionError("it does not come to an end")

    def pass_time(self, seconds: float) -> None:
        self.note()
        self.now += seconds
        self.check_that_mail_verifies()

    @property
    def texts(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for record in self.backend.held.records:
            if record.type == "TXT":
                found.setdefault(record.hostname, []).append(record.destination)
        return found

    @property
    def book(self) -> Book:
        return read_book(self.folder / FOLDER, DOMAIN)


def txt(identifier: str, hostname: str, text: str) -> DnsRecord:
    return DnsRecord(identifier, hostname, "TXT", text)

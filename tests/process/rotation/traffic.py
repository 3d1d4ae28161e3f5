"""Mail that does not stop while a key is rotated, and what became of it."""

from __future__ import annotations

import heapq
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Self

from netcup_mailauth.rotation.state import candidates
from tests.process.rotation.mails import Mail, sent
from tests.process.rotation.receivers import Receiver

if TYPE_CHECKING:
    from netcup_mailauth.sandbox import Sandbox

CURIOUS = 6
"""So many new selectors are looked up before they are in use, which fills caches with denials."""


@dataclass
class Tally:
    """What became of the mails.

    Attributes:
        mails: how many were signed.
        unsigned: how many mailcow had no whole key for.
        verified: verifications that ended well: at once, and late.
        failed: mails that did not verify, by selector.
        late: mails that a second receiver verified within the grace, by selector.
        too_late: late verifications that came after the grace, as on a busy machine; not counted.
        selectors: the keys that signed, in their order.
    """

    mails: int = 0
    unsigned: int = 0
    verified: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)
    too_late: int = 0
    selectors: list[str] = field(default_factory=list)

    @property
    def failures(self) -> int:
        return sum(self.failed.values())

    @property
    def in_time(self) -> int:
        """Mails that both receivers verified within the grace."""
        return sum(self.late.values())

    @property
    def judged(self) -> int:
        """Verdicts that count: mails verified by both receivers, and those that failed."""
        return self.in_time + self.failures

    def __str__(self) -> str:
        return (
            f"{self.mails} mails by {len(self.selectors)} keys, {self.verified} verifications, "
            f"{self.failures} failures, {self.unsigned} unsigned, {self.too_late} too late"
        )


class Traffic:
    """Signs and verifies in a thread of its own, until it has been told to end.

    Each mail is verified at once by one receiver, and by another at some time within the grace.

    Args:
        sandbox: what signs, and whose name servers are asked: three, and the resolver.
        domain: who sends.
        grace: seconds that a mail may be on its way.
        least: so many verdicts that count there are before it ends.
        pause: seconds between two mails.
    """

    def __init__(
        self, sandbox: Sandbox, domain: str, grace: float, least: int, pause: float
    ) -> None:
        self.tally = Tally()
        self._sandbox, self._domain = sandbox, domain
        self._grace, self._least, self._pause = grace, least, pause
        servers = (*sandbox.addresses.nameservers, sandbox.addresses.resolver)
        self._receivers = [Receiver(server) for server in servers]
        today = datetime.now(UTC).date()
        self._curious = [
            f"{selector}._domainkey.{domain}" for selector in islice(candidates(today), CURIOUS)
        ]
        self._late: list[tuple[float, int, Mail]] = []
        self._chance = random.Random(2026)
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(120)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._over.is_set() or self.tally.judged < self._least:
                self._send()
                self._deliver_late(time.monotonic())
                time.sleep(self._pause)
            while self._late:
                self._deliver_late(time.monotonic())
                time.sleep(0.005)
        except BaseException as error:  # noqa: BLE001 - told to whoever waits
            self._error = error

    def _send(self) -> None:
        number = self.tally.mails + self.tally.unsigned
        receiver = self._receivers[number % len(self._receivers)]
        for name in self._curious:
            receiver.text(name)
        mail = sent(self._sandbox, self._domain, number, time.monotonic())
        if mail is None:
            self.tally.unsigned += 1
            return
        self.tally.mails += 1
        if mail.selector not in self.tally.selectors:
            self.tally.selectors.append(mail.selector)
        self._verify(mail, number)
        due = mail.signed + self._chance.uniform(0, self._grace)
        heapq.heappush(self._late, (due, number, mail))

    def _deliver_late(self, now: float) -> None:
        while self._late and self._late[0][0] <= now:
            _, number, mail = heapq.heappop(self._late)
            if self._verify(mail, number + 1):
                self.tally.late[mail.selector] = self.tally.late.get(mail.selector, 0) + 1

    def _verify(self, mail: Mail, receiver: int) -> bool:
        good = self._receivers[receiver % len(self._receivers)].verifies(mail)
        if good:
            self.tally.verified += 1
        elif time.monotonic() - mail.signed > self._grace:
            self.tally.too_late += 1
        else:
            self.tally.failed[mail.selector] = self.tally.failed.get(mail.selector, 0) + 1
        return good

"""The questions that a run asks DNS, as they leave: to whom, what, and in how many waves."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from netcup_mailauth.dnsio import ask

if TYPE_CHECKING:
    import pytest
    from dns.message import Message, QueryMessage

    from netcup_mailauth.dnsio.cache import Place

LATE = 0.05
"""Seconds that each answer is held back, so that what goes out together is seen to."""


@dataclass
class Questions:
    """What was asked.

    Attributes:
        asked: each question, with when it went out and when its answer was there.
    """

    asked: list[tuple[Place, str, float, float]] = field(default_factory=list)

    def of(self, address: str) -> list[str]:
        """What was asked of one server or resolver, ``HOST:PORT``."""
        return [what for (host, port), what, *_ in self.asked if f"{host}:{port}" == address]

    def waves(self) -> int:
        """How many answers were waited for, one after the other."""
        ended, waves = 0.0, 0
        for _, _, began, end in sorted(self.asked, key=lambda one: one[2]):
            if began >= ended:
                waves, ended = waves + 1, end
        return waves


def noted(monkeypatch: pytest.MonkeyPatch, late: float = 0.0) -> Questions:
    """Take down what is asked from now on; each answer comes ``late``."""
    questions, lock, exchange = Questions(), Lock(), ask.exchange

    def asked(place: Place, question: QueryMessage, until: float) -> Message:
        began = time.monotonic()
        message = exchange(place, question, until)
        time.sleep(late)
        with lock:
            what = question.question[0].to_text()
            questions.asked.append((place, what, began, time.monotonic()))
        return message

    monkeypatch.setattr(ask, "exchange", asked)
    return questions

"""No mail fails while its key is rotated; and where an order of steps is broken, mails do fail.

`python -m tests.process.rotation.figure` does the first with 10,000 mails.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.process.rotation.place import DOMAIN, GRACE, TTL, Place
from tests.process.rotation.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAILS = 500
PAUSE = 0.004


def test_no_mail_fails_while_its_key_is_rotated(tmp_path: Path) -> None:
    with Place(tmp_path) as place:
        with Traffic(place.sandbox, DOMAIN, GRACE, MAILS, PAUSE) as traffic:
            place.rotate()
        tally = traffic.tally
        assert tally.failed == {}
        assert len(tally.selectors) == 2
        assert tally.in_time >= MAILS
        assert set(tally.late) == set(tally.selectors)
        assert tally.verified == 2 * tally.mails - tally.too_late
        assert tally.unsigned == 0
        assert set(place.published) == {tally.selectors[-1]}


def switched_before_it_is_published(place: Place) -> None:
    """What everybody does who makes a new key in mailcow."""
    place.sandbox.set_dkim(DOMAIN, "s2026-11x")
    place.good("apply", DOMAIN, "--yes", "--kind", "dkim")
    time.sleep(1)


def nothing_denied_waited_for(place: Place) -> None:
    place.rotate()


def only_the_fastest_server_asked(place: Place) -> None:
    place.sandbox.dns_fault(2, "stale")
    place.rotate("--nameserver", place.sandbox.addresses.nameservers[0])


def retired_at_once(place: Place) -> None:
    place.rotate()


@dataclass(frozen=True)
class Order:
    """An order of steps that is none, and a world in which that is seen for sure.

    Attributes:
        steps: what is done.
        waits: the waits of ``rotate``.
        ttl: seconds that caches keep what they were told.
        on_its_way: seconds that a mail may be on its way.
    """

    steps: Callable[[Place], None]
    waits: dict[str, str] = field(default_factory=dict)
    ttl: int = TTL
    on_its_way: float = GRACE


@pytest.mark.parametrize(
    "order",
    [
        Order(switched_before_it_is_published),
        Order(nothing_denied_waited_for, {"negative_ttl": "0s"}, ttl=60),
        Order(only_the_fastest_server_asked, {"negative_ttl": "0s"}),
        Order(retired_at_once, {"grace": "0s"}, on_its_way=4.0),
    ],
    ids=lambda order: order.steps.__name__,
)
def test_with_the_steps_in_another_order_mails_fail(tmp_path: Path, order: Order) -> None:
    """Or the test above would see nothing."""
    with Place(tmp_path, waits=order.waits, ttl=order.ttl) as place:
        with Traffic(place.sandbox, DOMAIN, order.on_its_way, 80, 0.04) as traffic:
            order.steps(place)
        assert traffic.tally.failures > 0

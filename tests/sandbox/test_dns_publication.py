"""The API shows a change at once, each name server after a delay of its own (L38)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.sandbox import Sandbox
from netcup_mailauth.sandbox.dns import Publication
from netcup_mailauth.sandbox.zones import Zone
from tests.sandbox.client import DOMAIN, Ccp, txt
from tests.sandbox.dnsclient import answers, ask, rcode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.sandbox.conftest import Clock, Start

DELAYS = (60.0, 600.0, 1200.0)


def seen(sandbox: Sandbox, hostname: str) -> list[str]:
    """The text at a name, from each of the three servers; an empty one if there is none."""
    found = (
        answers(ask(server, f"{hostname}.{DOMAIN}", "TXT"), "TXT") for server in sandbox.nameservers
    )
    return [" ".join(texts) for texts in found]


def test_without_a_delay_a_change_is_there_at_once(ccp: Ccp) -> None:
    ccp.update(txt("new", "one"))
    assert seen(ccp.sandbox, "new") == ["one"] * 3
    (record,) = [record for record in ccp.records() if record["hostname"] == "new"]
    ccp.update({**record, "destination": "two"})
    assert seen(ccp.sandbox, "new") == ["two"] * 3
    ccp.update({**record, "deleterecord": True})
    assert seen(ccp.sandbox, "new") == [""] * 3


def test_each_server_follows_after_its_own_delay(start: Start, clock: Clock) -> None:
    ccp = start(publish_delays=DELAYS, clock=clock)
    ccp.update(txt("new", "x"))
    states = []
    for passed in (0, 59, 1, 539, 1, 599, 1):
        clock.now += passed
        states.append(sum(1 for text in seen(ccp.sandbox, "new") if text))
    assert states == [0, 0, 1, 1, 2, 2, 3]


def test_the_zone_it_starts_with_is_published(start: Start, clock: Clock) -> None:
    ccp = start(publish_delays=DELAYS, clock=clock)
    for server in ccp.sandbox.nameservers:
        assert answers(ask(server, DOMAIN, "A"), "A") == ["203.0.113.10"]


def test_changes_arrive_one_after_the_other(start: Start, clock: Clock) -> None:
    ccp = start(publish_delays=DELAYS, clock=clock)
    for text in ("one", "two", "three"):
        ccp.sandbox.set_zone(DOMAIN, [txt("x", text)])
        clock.now += 100
    assert seen(ccp.sandbox, "x") == ["three", "", ""]
    clock.now += 300
    assert seen(ccp.sandbox, "x") == ["three", "one", ""]
    clock.now += 100
    assert seen(ccp.sandbox, "x") == ["three", "two", ""]
    clock.now += 1200
    assert seen(ccp.sandbox, "x") == ["three"] * 3


def test_the_serial_is_that_of_the_published_zone(start: Start, clock: Clock) -> None:
    ccp = start(publish_delays=DELAYS, clock=clock)
    first = ccp.serial()
    ccp.update(txt("new", "x"))
    clock.now += 60
    serials = [ask(s, DOMAIN, "SOA").answer[0][0].serial for s in ccp.sandbox.nameservers]
    assert serials == [first + 1, first, first]


def test_a_new_ttl_is_published_late_too(start: Start, clock: Clock) -> None:
    ccp = start(publish_delays=DELAYS, clock=clock)
    zone = ccp.call("infoDnsZone", domainname=DOMAIN)["responsedata"]
    ccp.call("updateDnsZone", domainname=DOMAIN, dnszone={**zone, "ttl": "300"})
    clock.now += 60
    ttls = [ask(server, DOMAIN, "A").answer[0].ttl for server in ccp.sandbox.nameservers]
    assert ttls == [300, 86400, 86400]


def test_a_reset_is_a_change_like_any_other(start: Start, clock: Clock) -> None:
    ccp = start(publish_delays=DELAYS, clock=clock)
    ccp.update(txt("new", "x"))
    clock.now += 5000
    ccp.sandbox.reset()
    assert seen(ccp.sandbox, "new") == ["x"] * 3
    clock.now += 60
    assert seen(ccp.sandbox, "new") == ["", "x", "x"]


def test_the_resolver_sees_the_api(start: Start, clock: Clock) -> None:
    ccp = start(publish_delays=DELAYS, clock=clock)
    ccp.update(txt("new", "x"))
    answer = ask(ccp.sandbox.resolver, f"new.{DOMAIN}", "TXT")
    assert answers(answer, "TXT") == ["x"]


def test_a_clock_set_back_hides_nothing_from_a_server_without_delay(
    start: Start, clock: Clock
) -> None:
    ccp = start(publish_delays=(0.0, 60.0, 60.0), clock=clock)
    ccp.update(txt("new", "x"))
    clock.now -= 3600
    assert seen(ccp.sandbox, "new") == ["x", "", ""]


def test_a_zone_only_in_the_state_file_goes_with_a_reset(tmp_path: Path, clock: Clock) -> None:
    with Sandbox(["example.org"], state=tmp_path / "state"):
        pass
    options = {"state": tmp_path / "state", "clock": clock, "publish_delays": (0.0, 0.0, 60.0)}
    with Sandbox([DOMAIN], **options) as sandbox:  # type: ignore[arg-type]
        codes = [rcode(ask(server, "example.org", "A")) for server in sandbox.nameservers]
        assert codes == ["NOERROR"] * 3
        sandbox.reset()
        codes = [rcode(ask(server, "example.org", "A")) for server in sandbox.nameservers]
        assert codes == ["REFUSED", "REFUSED", "NOERROR"]


def test_old_versions_are_forgotten(clock: Clock) -> None:
    zone = Zone(DOMAIN, (), 1)
    publication = Publication({DOMAIN: zone}, 600, clock)
    for serial in range(2, 1000):
        clock.now += 10
        publication.note({DOMAIN: Zone(DOMAIN, (), serial)})
        assert publication.seen(600)[DOMAIN].serial == max(1, serial - 60)
    assert len(publication._history[DOMAIN]) == 61


@pytest.mark.parametrize("delays", [(), (0, 0), (0, 0, 0, 0), (0, 0, -1), (0, 0, float("inf"))])
def test_bad_delays_are_refused(delays: Sequence[float]) -> None:
    with pytest.raises(ValueError, match="publish_delays must hold 3 numbers"):
        Sandbox([DOMAIN], publish_delays=delays)

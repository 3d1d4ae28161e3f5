"""Which API serves a zone: with as few calls as can be, and nothing taken for an empty zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from netcup_mailauth.errors import (
    CredentialsError,
    ExitCode,
    MailauthError,
    NotServedError,
    TransportError,
    UsageError,
    ZoneError,
)
from netcup_mailauth.netcup.zones import JUST_NOW, Router
from netcup_mailauth.records import DesiredRecord, DnsRecord, Kind, Zone
from tests.unlimited import Unlimited

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.plan import Change

APEX = DnsRecord("1", "@", "A", "203.0.113.1")


@dataclass
class Api(Unlimited):
    """An API that holds some zones; the names it was asked for are noted."""

    name: str
    zones: dict[str, Zone]
    endpoint: str = "https://api.example"
    account: str = "one"
    new_ttl: int | None = None
    asked: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    closed: int = 0

    def serving(self, name: str) -> Api:
        return self

    def zone(self, name: str) -> Zone:
        self.asked.append(name)
        if name not in self.zones:
            raise ZoneError(f"{name} is not here.", "Look elsewhere.")
        return self.zones[name]

    def apply(self, zone: Zone, changes: Sequence[Change]) -> Zone:
        self.written.append(zone.name)
        return zone

    def refuses(self, record: DesiredRecord) -> str | None:
        return f"{self.name} has no {record.value}" if self.name in record.value else None

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed += 1


@dataclass(frozen=True)
class Domain:
    name: str
    is_dns_managed: bool


class Cloud(Api):
    """The REST API, which says of a domain whether it manages its DNS."""

    def lookup(self, name: str) -> Domain | None:
        self.asked.append(f"lookup {name}")
        if name in self.zones:
            return Domain(name, True)
        return Domain(name, False) if name == "legacy.example" else None

    def read(self, domain: Domain) -> Zone:
        return self.zone(domain.name)


def ccp(*names: str, empty: Sequence[str] = ()) -> Any:
    zones = {n: Zone(n, "ccp", (APEX,)) for n in names}
    return Api("ccp", {**zones, **{n: Zone(n, "ccp", ()) for n in empty}})


def cloud(*names: str) -> Any:
    return Cloud("clouddns", {n: Zone(n, "clouddns", (APEX,)) for n in names}, new_ttl=3600)


def unasked(zone: str) -> bool:
    raise AssertionError(f"nobody has to ask DNS about {zone}")


def test_with_one_kind_of_key_that_api_is_asked_alone_and_is_what_the_router_calls_itself() -> None:
    only = ccp("legacy.example")
    router = Router(only, None, unasked)
    assert router.zone("legacy.example").backend == "ccp"
    assert (router.name, router.endpoint, router.account) == ("ccp", only.endpoint, "one")
    other = cloud("new.example")
    assert Router(None, other, unasked).zone("new.example").backend == "clouddns"
    assert other.asked == ["lookup new.example", "new.example"]


def test_with_both_the_harmless_one_is_asked_first_and_the_other_only_for_the_rest() -> None:
    old, new = ccp("legacy.example"), cloud("new.example")
    router = Router(old, new, unasked)
    assert [router.zone(n).backend for n in ("new.example", "legacy.example")] == [
        "clouddns",
        "ccp",
    ]
    assert old.asked == ["legacy.example"]
    assert router.name == router.endpoint == router.account == ""


@pytest.mark.parametrize("domain", ["legacy.example", "unknown.example"])
def test_a_rest_key_alone_does_not_reach_a_zone_of_the_ccp_api_and_the_way_out_is_named(
    domain: str,
) -> None:
    with pytest.raises(ZoneError) as caught:
        Router(None, cloud("new.example"), unasked).zone(domain)
    assert caught.value.exit_code is ExitCode.ZONE
    assert domain in caught.value.what
    assert "Legacy-API-Keys" in caught.value.advice


def test_dns_is_believed_for_a_moment_so_that_the_read_before_a_write_is_quick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, asked = [1000.0], []
    monkeypatch.setattr("netcup_mailauth.clock.now", lambda: now[0])

    def serves(zone: str) -> bool:
        asked.append(zone)
        return False

    router = Router(ccp(empty=["empty.example"]), None, serves)
    for seconds in (0.0, 1.0, JUST_NOW, 1.0):
        now[0] += seconds
        assert router.zone("empty.example").records == ()
    assert len(asked) == 2


@pytest.mark.parametrize("served", [True, None], ids=["served", "silent"])
def test_a_zone_that_only_reads_empty_is_never_taken_for_an_empty_one(served: bool | None) -> None:
    router = Router(ccp(empty=["moved.example"]), None, lambda _: served)
    with pytest.raises(ZoneError) as caught:
        router.zone("moved.example")
    assert "CloudDNS" in caught.value.what
    assert '"API-Keys"' in caught.value.advice


def test_a_zone_whose_servers_serve_nothing_is_empty() -> None:
    router = Router(ccp(empty=["bare.example"]), None, lambda _: False)
    assert router.zone("bare.example") == Zone("bare.example", "ccp", ())


def test_a_rest_key_that_does_not_see_a_moved_zone_is_said_to_be_the_wrong_one() -> None:
    router = Router(ccp(empty=["moved.example"]), cloud(), lambda _: True)
    with pytest.raises(ZoneError) as caught:
        router.zone("moved.example")
    assert "another account" in caught.value.advice


class Elsewhere(Api):
    """The CCP API, which does not serve any zone to this account."""

    def zone(self, name: str) -> Zone:
        raise NotServedError(f"{name} is not here.", "Set NETCUP_REST_API_KEY.", "5031: Not found.")

    def apply(self, zone: Zone, changes: Sequence[Change]) -> Zone:
        return self.zone(zone.name)


@pytest.mark.parametrize("name", ["unknown.example", "legacy.example"])
def test_with_both_keys_a_zone_on_neither_api_is_told_as_such(name: str) -> None:
    """Nobody is sent for a key that is there and was asked with."""
    with pytest.raises(ZoneError) as caught:
        Router(cast("Any", Elsewhere("ccp", {})), cloud("new.example"), unasked).zone(name)
    error = caught.value
    assert error.exit_code is ExitCode.ZONE
    assert "Neither of netcup's APIs has" in error.what
    assert "5031: Not found." in error.what
    assert ("in the account of the REST key" in error.what) is (name == "legacy.example")
    assert f"dig +short NS {name})" in error.advice
    assert "NETCUP_REST_API_KEY" not in error.advice


def test_with_the_ccp_alone_its_own_words_are_left() -> None:
    with pytest.raises(NotServedError) as caught:
        Router(cast("Any", Elsewhere("ccp", {})), None, unasked).zone("x.example")
    assert caught.value.advice == "Set NETCUP_REST_API_KEY."


def test_a_zone_that_the_rest_api_knows_to_be_elsewhere_is_not_said_to_have_moved_there() -> None:
    router = Router(ccp(empty=["legacy.example"]), cloud(), lambda _: True)
    with pytest.raises(ZoneError) as caught:
        router.zone("legacy.example")
    assert "dig +short NS legacy.example" in caught.value.advice
    assert "another account" not in caught.value.advice


@pytest.mark.parametrize(
    "error",
    [CredentialsError("The key is refused.", "Make one."), TransportError("Down.", "Wait.")],
)
def test_without_the_word_of_the_rest_api_no_zone_is_read_and_the_way_out_is_said_once(
    error: MailauthError,
) -> None:
    class Silent(Cloud):
        def lookup(self, name: str) -> Domain | None:
            raise error

    old = ccp("legacy.example")
    router = Router(old, cast("Any", Silent("clouddns", {})), unasked)
    for _ in range(2):
        with pytest.raises(type(error)) as caught:
            router.zone("legacy.example")
    assert caught.value.advice.count("run without NETCUP_REST_API_KEY") == 1
    assert old.asked == []


def test_a_write_goes_to_the_api_the_zone_was_read_from() -> None:
    old, new = ccp("legacy.example"), cloud("new.example")
    router = Router(old, new, unasked)
    for name in ("legacy.example", "new.example"):
        router.apply(router.zone(name), [])
    assert (old.written, new.written) == (["legacy.example"], ["new.example"])
    assert router.serving("clouddns") is new


@pytest.mark.parametrize("has_rest", [True, False])
def test_a_zone_that_goes_away_before_its_write(has_rest: bool) -> None:
    router = Router(cast("Any", Elsewhere("ccp", {})), cloud() if has_rest else None, unasked)
    with pytest.raises(ZoneError) as caught:
        router.apply(Zone("legacy.example", "ccp", (APEX,)), [])
    assert ("run the same command again" in caught.value.advice) is has_rest
    assert ("NETCUP_REST_API_KEY" in caught.value.advice) is not has_rest


def test_a_plan_for_an_api_without_credentials_is_refused_with_the_key_it_needs() -> None:
    with pytest.raises(UsageError) as caught:
        Router(ccp(), None, unasked).serving("clouddns")
    assert "REST key" in caught.value.advice


def test_what_either_cannot_hold_is_refused_and_both_are_closed() -> None:
    old, new = ccp(), cloud()
    with Router(old, new, unasked) as router:
        assert router.refuses(DesiredRecord(Kind.SPF, "@", "ccp"))
        assert router.refuses(DesiredRecord(Kind.SPF, "@", "clouddns"))
        assert router.refuses(DesiredRecord(Kind.SPF, "@", "v=spf1 -all")) is None
    assert (old.closed, new.closed) == (1, 1)
    with pytest.raises(ValueError, match="no API"):
        Router(None, None, unasked)

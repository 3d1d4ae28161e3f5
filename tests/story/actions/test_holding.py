"""What cannot be written of one kind holds back that kind; the others are written and verified."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.actions import planning
from netcup_mailauth.actions.applying import apply, apply_unasked
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.findings import Severity
from netcup_mailauth.judge import holding
from netcup_mailauth.plan import Status
from netcup_mailauth.records import Kind, reason_not_to_store
from tests.core.judge.cases import DMARC, SPF, key_record, mail_zone
from tests.story.actions.test_planfile import REFUSED, Memory, World, wish

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.plan import Result
    from netcup_mailauth.policy import Wish
    from netcup_mailauth.records import DesiredRecord

STRICTER = DMARC.replace("quarantine", "reject")
KEY, OTHER_KEY = key_record(), key_record(number=2)

TTLS = pytest.mark.parametrize("ttl", [None, 3600], ids=["ccp", "clouddns"])
"""The two APIs, by what tells their records apart."""


class Strict(Memory):
    """A back end that holds what netcup holds."""

    def refuses(self, record: DesiredRecord) -> str | None:
        return reason_not_to_store(record.value, self.name)


def world(ttl: int | None, **kinds: Any) -> World:
    """A domain on one of the two APIs, whose mailcow signs with a key of its own."""
    before = mail_zone(**kinds)
    name = "ccp" if ttl is None else "clouddns"
    records = tuple(replace(record, ttl=ttl) for record in before.records)
    zones = {before.name: replace(before, backend=name, records=records)}
    here = World(Strict(zones, name=name, new_ttl=ttl))
    here.keys.record = KEY
    return here


def marked(here: World, hostname: str, prefix: str) -> World:
    """The same domain, where netcup keeps one text from being changed."""
    before = here.backend.zones["example.com"]
    records = tuple(
        replace(
            record,
            immutable=(record.hostname, record.destination[: len(prefix)]) == (hostname, prefix),
        )
        for record in before.records
    )
    here.backend.zones["example.com"] = replace(before, records=records)
    return here


def outright(here: World, *wishes: Wish) -> Result:
    (result,) = apply_unasked(here.session, wishes).results
    return result


def after_a_review(here: World, *wishes: Wish) -> Result:
    (result,) = apply(here.session, planning.plan(here.session, wishes), wishes).results
    return result


WAYS = pytest.mark.parametrize("way", [outright, after_a_review])


def written(here: World) -> set[str]:
    """The names that were written to."""
    records = (
        change.after or change.before for changes in here.backend.writes for change in changes
    )
    return {record.hostname for record in records if record is not None}


def refusal(result: Result, kind: Kind) -> str:
    """The code by which a kind is held back, and nothing else."""
    assert result.change_set.held == {kind}
    ((of, (code,)),) = holding.held_by(result.change_set).items()
    assert of is kind
    (found,) = [f for f in result.change_set.findings if f.code == code]
    assert found.severity is Severity.REFUSED
    return code


LONG = " ".join(["v=spf1 mx", *(f"ip4:198.51.{n // 250}.{n % 250}" for n in range(300)), "-all"])
"""Longer than what either API is known to keep."""


@TTLS
@WAYS
def test_a_record_that_the_api_cannot_hold_does_not_keep_a_new_key_from_being_written(
    way: Callable[..., Result], ttl: int | None
) -> None:
    """A timer would be stuck while the mail server signs with the new key already."""
    here = world(ttl, dkim=OTHER_KEY)
    result = way(here, wish(spf=LONG, dmarc=STRICTER, dkim="dkim"))
    assert refusal(result, Kind.SPF) == "spf-syntax"
    assert (result.status, result.exit_code) == (Status.APPLIED, ExitCode.REFUSED)
    assert written(here) == {"dkim._domainkey", "_dmarc"}
    (told,) = [f for f in result.change_set.findings if f.code == "spf-syntax"]
    assert LONG in told.message
    assert "characters, and netcup is not known to keep so many" in told.message


@TTLS
def test_a_key_that_the_api_cannot_hold_does_not_keep_the_policy_back(ttl: int | None) -> None:
    here = world(ttl)
    here.keys.record = key_record(number=2, tags='x="y";')
    result = outright(here, wish(dmarc=STRICTER, dkim="dkim"))
    assert refusal(result, Kind.DKIM) == "dkim-syntax"
    assert written(here) == {"_dmarc"}


@TTLS
def test_a_policy_that_the_api_cannot_hold_does_not_keep_the_key_back(ttl: int | None) -> None:
    here = world(ttl, dkim=OTHER_KEY)
    addresses = ",".join(f"mailto:{number:060}@example.com" for number in range(60))
    wanted = f"v=DMARC1;p=reject;rua={addresses}"
    result = outright(here, wish(dmarc=wanted, dkim="dkim"))
    assert refusal(result, Kind.DMARC) == "dmarc-syntax"
    assert written(here) == {"dkim._domainkey"}


def test_a_quote_that_one_api_alters_is_held_back_there_alone() -> None:
    wanted = "v=DMARC1;p=reject;rua=mailto:a'b@example.com"
    bare = {"spf": SPF, "dmarc": ()}
    assert outright(world(None, **bare), wish(dmarc=wanted)).exit_code is ExitCode.REFUSED
    assert outright(world(3600, **bare), wish(dmarc=wanted)).change_set.held == frozenset()


@TTLS
def test_what_is_there_already_need_not_be_held_by_the_api(ttl: int | None) -> None:
    here = world(ttl, spf=LONG, dmarc=())
    result = outright(here, wish(spf=LONG, dmarc=DMARC))
    assert result.change_set.held == frozenset()
    assert written(here) == {"_dmarc"}


@pytest.mark.parametrize("parts", [{"all": "fail"}, {"require": ["mx"], "drop": ["mx"]}])
def test_parts_that_make_no_record_do_not_keep_a_new_key_from_being_written(
    parts: dict[str, Any],
) -> None:
    here = world(None, spf=(), dkim=OTHER_KEY)
    result = outright(here, wish(spf=parts, dkim="dkim"))
    assert refusal(result, Kind.SPF) == "spf-syntax"
    assert written(here) == {"dkim._domainkey"}


FIXED = [
    (Kind.SPF, "@", "v=spf1", {"dmarc", "dkim"}),
    (Kind.DKIM, "dkim._domainkey", "v=DKIM1", {"spf", "dmarc"}),
    (Kind.DMARC, "_dmarc", "v=DMARC1", {"spf", "dkim"}),
]
AT = {"spf": "@", "dkim": "dkim._domainkey", "dmarc": "_dmarc"}
ALL = {"spf": "v=spf1 mx a ~all", "dmarc": STRICTER, "dkim": "dkim"}


@WAYS
@pytest.mark.parametrize(("kind", "hostname", "prefix", "others"), FIXED)
def test_a_record_that_netcup_keeps_from_being_changed_holds_back_its_own_kind(
    way: Callable[..., Result], kind: Kind, hostname: str, prefix: str, others: set[str]
) -> None:
    here = marked(world(3600, dkim=OTHER_KEY), hostname, prefix)
    result = way(here, wish(**ALL))
    assert refusal(result, kind) == "record-fixed"
    assert (result.status, result.exit_code) == (Status.APPLIED, ExitCode.REFUSED)
    assert written(here) == {AT[other] for other in others}


@pytest.mark.parametrize(("kind", "hostname", "_prefix", "others"), FIXED)
def test_a_record_that_is_there_twice_exactly_alike_holds_back_its_own_kind(
    kind: Kind, hostname: str, _prefix: str, others: set[str]
) -> None:
    """This API tells records by what they say, so that it could not delete one alone."""
    twice = {"spf": SPF, "dkim": OTHER_KEY, "dmarc": DMARC}
    live = {**twice, "dkim": OTHER_KEY, kind.value: (twice[kind.value],) * 2}
    here = world(3600, **live)
    result = outright(here, wish(**ALL))
    assert refusal(result, kind) == "record-fixed"
    assert written(here) == {AT[other] for other in others}


def test_where_records_have_ids_one_of_two_alike_can_be_deleted() -> None:
    here = world(None, spf=(SPF, SPF), dmarc=())
    result = outright(here, wish(spf=SPF, dmarc=DMARC))
    assert result.change_set.held == frozenset()
    assert written(here) == {"@", "_dmarc"}


def test_a_fixed_record_that_is_right_holds_nothing_back() -> None:
    here = marked(world(3600, dmarc=()), "@", "v=spf1")
    result = outright(here, wish(spf=SPF, dmarc=DMARC))
    assert result.change_set.held == frozenset()
    assert written(here) == {"_dmarc"}


@pytest.mark.parametrize("spf", ["v=spf1 mx a ~all", LONG])
def test_a_plan_file_with_such_a_wish_is_refused_as_a_whole(spf: str) -> None:
    here = marked(world(3600), "@", "v=spf1")
    document = here.saved(wish(spf=spf, dmarc=STRICTER))
    assert here.ends(document) == REFUSED
    assert here.backend.writes == []


def test_a_record_that_became_fixed_after_the_review_refuses_the_whole_plan_file() -> None:
    here = world(3600)
    document = here.saved(wish(spf="v=spf1 mx a ~all", dmarc=STRICTER))
    marked(here, "@", "v=spf1")
    assert here.ends(document) == REFUSED
    assert here.backend.writes == []

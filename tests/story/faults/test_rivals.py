"""A program that rewrites whole zones, as lego does, at the worst moments of an apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcup_mailauth.actions import applying, planning
from netcup_mailauth.actions.session import Session
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.plan import Status
from netcup_mailauth.policy import Wish
from tests.apis import each_api
from tests.story.faults.test_matrix import POLICY, WANTED, managed, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcup_mailauth.plan import Result
    from netcup_mailauth.sandbox import Sandbox
    from tests.apis import Api

api = each_api

DOMAIN = "a.de"


def rewrite(sandbox: Sandbox, records: list[dict[str, object]]) -> None:
    """Every record deleted and made again: the same texts under new ids."""
    sandbox.set_zone(DOMAIN, [{k: v for k, v in r.items() if k != "id"} for r in records])


def planned_then(api: Api, between: Callable[[Sandbox], None]) -> tuple[Result, bool]:
    """The result of a reviewed plan, and whether the zone stayed as the rival left it."""
    with api.netcup([DOMAIN]) as sandbox, api.backend(sandbox) as backend:
        session = Session(backend)
        wishes = [Wish(DOMAIN, POLICY)]
        plan = planning.plan(session, wishes)
        between(sandbox)
        before = api.records(sandbox, DOMAIN)
        (result,) = applying.apply(session, plan, wishes).results
        return result, api.records(sandbox, DOMAIN) == before and api.writes(sandbox) == 0


def with_a_record_of_its_own(sandbox: Sandbox) -> None:
    spf: dict[str, object] = {
        "hostname": "@",
        "type": "TXT",
        "destination": "v=spf1 include:rival.example ~all",
    }
    rewrite(sandbox, [*sandbox.zone(DOMAIN), spf])


def to_the_same_texts(sandbox: Sandbox) -> None:
    rewrite(sandbox, sandbox.zone(DOMAIN))


def test_a_record_of_a_rivals_own_between_read_and_write_is_stale_and_named(api: Api) -> None:
    result, untouched = planned_then(api, with_a_record_of_its_own)
    assert result.status is Status.STALE
    assert result.failure is not None
    assert "@: 'v=spf1 include:rival.example ~all'" in result.failure.message
    assert untouched


def test_a_zone_rewritten_with_the_same_texts_is_the_same_and_gets_the_write(api: Api) -> None:
    """Also where every record has a new id: ids are addresses."""
    result, _ = planned_then(api, to_the_same_texts)
    assert result.status is Status.APPLIED


def test_what_is_rewritten_after_our_answer_is_put_right_by_the_next_run(api: Api) -> None:
    """It had read the zone before us, and takes our records away again."""
    with api.netcup([DOMAIN]) as sandbox, api.backend(sandbox) as backend:
        old = sandbox.zone(DOMAIN)
        assert run(api, sandbox, [DOMAIN]).results[0].status is Status.APPLIED
        rewrite(sandbox, old)
        (planned,) = planning.plan(Session(backend), [Wish(DOMAIN, POLICY)]).zones
        assert not planned.is_empty
        assert run(api, sandbox, [DOMAIN]).exit_code is ExitCode.OK
        assert managed(sandbox, DOMAIN) == {name: [text] for name, text in WANTED.items()}

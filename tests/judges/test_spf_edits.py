"""SPF records and what our edits make of them mean to pyspf what they mean to us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netcup_mailauth import spf
from netcup_mailauth.errors import RecordError
from netcup_mailauth.kinds import of_kind
from netcup_mailauth.records import Kind
from tests.effort import tries
from tests.judge.carved import ADDRESSES, edits, records
from tests.judge.cases import DOMAIN, case_of, mail_zone, wants
from tests.judges.ours import HELO

if TYPE_CHECKING:
    from tests.judges.judges import Pyspf
    from tests.judges.world import World


def results(text: str, pyspf: Pyspf, world: World) -> list[tuple[str, str, str]]:
    """What pyspf and we say of each address; without those that only one gives up on."""
    found = []
    for address in ADDRESSES:
        sender = f"sales@{DOMAIN}"
        query = pyspf.spf.query(i=address, s=sender, h=HELO, receiver="mx.example")
        theirs: str = query.check(spf=text)[0]
        ours = spf.check_host(address, DOMAIN, sender, world.lookup, helo=HELO, record=text)
        found.append((address, theirs, ours.result.value))
    # Which look-ups count as void is not settled among receivers.
    return [each for each in found if "permerror" not in each[1:]]


@settings(
    max_examples=tries(60),
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_pyspf_lets_the_same_senders_pass_before_and_after_an_edit(
    data: st.DataObject, pyspf: Pyspf, world: World
) -> None:
    live = [data.draw(records()) for _ in range(data.draw(st.sampled_from((1, 1, 2))))]
    try:
        case, _ = case_of(mail_zone(live), wants(data.draw(edits(live))))
    except RecordError:
        return
    for zone in (case.before, case.after):
        for record in of_kind(zone, Kind.SPF, "@"):
            found = results(record.destination, pyspf, world)
            assert [(ip, theirs) for ip, theirs, _ in found] == [(ip, o) for ip, _, o in found]

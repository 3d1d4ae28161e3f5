"""DMARC: checkdmarc and Mail::DMARC take from a record what we do, before and after an edit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from netcup_mailauth import dmarc
from netcup_mailauth.findings import Severity
from tests.core.judge.cases import SPF, codes, judged, mail_zone, wants
from tests.core.judge.dmarc_texts import PARTS, WHOLE
from tests.core.judge.dmarc_texts import texts as any_text
from tests.effort import tries
from tests.world.judges import ours
from tests.world.judges.dmarc_edits import AFTER, BEFORE, REFUSALS, after
from tests.world.judges.dmarc_records import DMARC_RECORDS
from tests.world.judges.records import Dmarc
from tests.world.judges.settle import by_name, settle

if TYPE_CHECKING:
    from tests.world.judges.judges import Checkdmarc, MailDmarc
    from tests.world.judges.world import World

every_record = pytest.mark.parametrize("record", by_name((*DMARC_RECORDS, *BEFORE, *AFTER)))

OURS = [record for record in (*DMARC_RECORDS, *AFTER) if ours.publishes(record)]
"""What we would write: whole, or as what an edit leaves; no other text stands beside it."""


@every_record
def test_our_reading_is_that_of_the_rfc(record: Dmarc) -> None:
    assert ours.dmarc_reading(record) == record.reading


@pytest.mark.parametrize("record", by_name(DMARC_RECORDS))
def test_we_publish_only_what_is_right(record: Dmarc) -> None:
    assert ours.publishes(record) == record.publish


@every_record
def test_checkdmarc_reads_the_same(record: Dmarc, checkdmarc: Checkdmarc) -> None:
    they_say = checkdmarc.dmarc_reading(record.domain)
    settle("checkdmarc DMARC", record.name, they_say, ours.dmarc_reading(record))


@every_record
def test_mail_dmarc_reads_the_same(record: Dmarc, mail_dmarc: MailDmarc) -> None:
    they_say = mail_dmarc.dmarc_reading(record.domain)
    settle("Mail::DMARC", record.name, they_say, ours.old_dmarc_reading(record))


@pytest.mark.parametrize("record", by_name(OURS))
def test_no_judge_refuses_what_we_would_publish(
    record: Dmarc, checkdmarc: Checkdmarc, mail_dmarc: MailDmarc
) -> None:
    assert checkdmarc.dmarc_reading(record.domain) != "none"
    if record.name != "blanks-everywhere":  # one of the listed disagreements
        assert mail_dmarc.dmarc_reading(record.domain) != "none"


@pytest.mark.parametrize(("texts", "wish"), REFUSALS)
def test_an_edit_that_is_refused_leaves_what_was_there(
    texts: tuple[str, ...], wish: str | dict[str, Any]
) -> None:
    assert after(texts, wish) == texts
    assert codes(judged(mail_zone(SPF, texts), wants(dmarc=wish)), Severity.REFUSED)


@settings(
    max_examples=tries(60),
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(live=st.lists(any_text(), min_size=1, max_size=2).map(tuple), wish=PARTS | WHOLE)
def test_mail_dmarc_reads_what_an_edit_makes_of_any_text(
    live: tuple[str, ...], wish: str | dict[str, Any], world: World, mail_dmarc: MailDmarc
) -> None:
    left = after(live, wish)
    assume(left != live)
    record = Dmarc("any", left[0], "", also=left[1:])
    with world.published(f"_dmarc.{record.domain}", left):
        they_say = mail_dmarc.dmarc_reading(record.domain)
    (new,) = filter(dmarc.is_dmarc, left)
    beside = [text for text in left if text != new and text.lower().startswith("v=dmarc1")]
    if beside:  # which Mail::DMARC reads in any case: a listed disagreement, and named
        found = judged(mail_zone(SPF, live), wants(dmarc=wish))
        named = " ".join(each.message for each in found if each.code == "near-miss")
        assert all(text in named for text in beside)
    else:
        assert _without_fo(they_say) == _without_fo(ours.old_dmarc_reading(record))


def _without_fo(reading: str) -> str:
    """A reading without what a record of RFC 7489 says of failure reports: that is listed."""
    return re.sub(r" fo=\S+", "", reading)

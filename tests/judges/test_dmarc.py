"""DMARC: checkdmarc and Mail::DMARC take from a record what we do, before and after an edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.judges import ours
from tests.judges.dmarc_edits import AFTER, BEFORE, REFUSALS, after
from tests.judges.dmarc_records import DMARC_RECORDS
from tests.judges.settle import by_name, settle

if TYPE_CHECKING:
    from tests.judges.judges import Checkdmarc, MailDmarc
    from tests.judges.records import Dmarc

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

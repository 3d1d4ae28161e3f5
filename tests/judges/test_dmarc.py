"""DMARC: checkdmarc takes from a record what we take from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.judges import ours
from tests.judges.dmarc_records import DMARC_RECORDS
from tests.judges.settle import by_name, settle

if TYPE_CHECKING:
    from tests.judges.judges import Checkdmarc
    from tests.judges.records import Dmarc

every_record = pytest.mark.parametrize("record", by_name(DMARC_RECORDS))


@every_record
def test_our_reading_is_that_of_the_rfc(record: Dmarc) -> None:
    assert ours.dmarc_reading(record) == record.reading


@every_record
def test_we_publish_only_what_is_right(record: Dmarc) -> None:
    assert ours.publishes(record) == record.publish


@every_record
def test_checkdmarc_reads_the_same(record: Dmarc, checkdmarc: Checkdmarc) -> None:
    they_say = checkdmarc.dmarc_reading(record)
    settle("checkdmarc DMARC", record.name, they_say, ours.dmarc_reading(record))


@pytest.mark.parametrize("record", by_name([r for r in DMARC_RECORDS if ours.publishes(r)]))
def test_checkdmarc_refuses_nothing_we_would_publish(record: Dmarc, checkdmarc: Checkdmarc) -> None:
    assert checkdmarc.dmarc_reading(record) != "none"

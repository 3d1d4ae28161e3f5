"""SPF: our verdicts are the right ones, and those of pyspf, Mail::SPF and checkdmarc."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth import spf
from tests.world.judges import ours
from tests.world.judges.judges import verdicts
from tests.world.judges.settle import by_name, settle
from tests.world.judges.spf_records import MAIL_HOSTS, SPF_RECORDS

if TYPE_CHECKING:
    from tests.world.judges.judges import Checkdmarc, MailSpf, Pyspf
    from tests.world.judges.records import Spf
    from tests.world.judges.world import World

every_record = pytest.mark.parametrize("record", by_name(SPF_RECORDS))


@every_record
def test_our_verdict_is_that_of_the_rfc(record: Spf, world: World) -> None:
    assert ours.spf_verdicts(record, world) == record.verdicts


@every_record
def test_pyspf_gives_the_same_verdicts(record: Spf, world: World, pyspf: Pyspf) -> None:
    settle("pyspf", record.name, verdicts(pyspf, record), ours.spf_verdicts(record, world))


@every_record
def test_mail_spf_gives_the_same_verdicts(record: Spf, world: World, mail_spf: MailSpf) -> None:
    settle("Mail::SPF", record.name, verdicts(mail_spf, record), ours.spf_verdicts(record, world))


@pytest.mark.parametrize("record", by_name(MAIL_HOSTS))
def test_where_pyspf_and_mail_spf_count_void_look_ups_per_host_we_say_so(
    record: Spf, world: World, pyspf: Pyspf, mail_spf: MailSpf
) -> None:
    cost = spf.cost(spf.parse(record.joined), record.domain, world.lookup)
    is_told = spf.void_hosts(cost, world.lookup) is not None
    for judge in (pyspf, mail_spf):
        assert ("permerror" in verdicts(judge, record)) == is_told


@every_record
def test_checkdmarc_counts_the_same_look_ups(
    record: Spf, world: World, checkdmarc: Checkdmarc
) -> None:
    they_say = checkdmarc.spf_verdict(record)
    settle("checkdmarc SPF", record.name, they_say, ours.spf_cost(record, world))

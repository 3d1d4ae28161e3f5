"""DKIM: dkimpy verifies with the records that we call good, and with no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth import dkim
from tests.judges import ours
from tests.judges.dkim_records import DKIM_RECORDS
from tests.judges.records import Dkim
from tests.judges.settle import by_name, settle

if TYPE_CHECKING:
    from tests.judges.judges import Dkimpy
    from tests.judges.keys import Keys

KINDS = ("rsa1024", "rsa2048", "rsa3072", "rsa4096", "ed25519")

every_record = pytest.mark.parametrize("record", by_name(DKIM_RECORDS))


@every_record
def test_our_verdict_is_that_of_the_rfc(record: Dkim, keys: Keys) -> None:
    assert ours.dkim_verdict(record, keys) == record.verdict


@every_record
def test_dkimpy_verifies_with_what_we_call_usable(record: Dkim, keys: Keys, dkimpy: Dkimpy) -> None:
    settle("dkimpy", record.name, dkimpy.verdict(record), ours.dkim_verdict(record, keys))


@pytest.mark.parametrize("kind", KINDS)
def test_dkimpy_verifies_with_the_record_we_build(kind: str, keys: Keys, dkimpy: Dkimpy) -> None:
    algorithm = "ed25519" if kind == "ed25519" else "rsa"
    built = dkim.build(dkim.public_key_from_p(algorithm, keys.p[kind]))
    assert dkimpy.verdict(Dkim("built", built, "verifies", kind)) == "verifies"

"""DKIM: dkimpy verifies with the records that we call good, before and after an edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth import dkim
from netcup_mailauth.findings import Severity
from netcup_mailauth.plan import applied
from netcup_mailauth.records import reason_not_to_store
from tests.core.judge.cases import DMARC, SPF, case_of, codes, judged, mail_zone, source, wants
from tests.world.judges import ours
from tests.world.judges.dkim_records import DKIM_RECORDS, GOOD, OTHER_KEY
from tests.world.judges.records import Dkim
from tests.world.judges.settle import by_name, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.findings import Finding
    from tests.world.judges.judges import Dkimpy
    from tests.world.judges.keys import Keys

WANTED = (
    Dkim("mailcow", "v=DKIM1;k=rsa;t=s;s=email;p={rsa2048}", "verifies"),
    Dkim("opendkim", "v=DKIM1; h=sha256; k=rsa; p={rsa3072}", "verifies", "rsa3072"),
    Dkim(
        "opendkim-zone-line",
        'dkim._domainkey\tIN\tTXT\t( "v=DKIM1; h=sha256; k=rsa; "\n\t  "p={rsa1024}" )',
        "verifies",
        "rsa1024",
    ),
    Dkim("note", "v=DKIM1; n=Key=20of=20the=20server; p={rsa2048}", "verifies"),
    Dkim("granularity", "v=DKIM1; g=*; k=rsa; p={rsa4096}", "verifies", "rsa4096"),
    Dkim("service-any", "v=DKIM1; s=*; p={rsa2048}", "verifies"),
    Dkim("testing", "v=DKIM1; t=y:s; k=rsa; p={rsa2048}", "verifies"),
    Dkim("key-alone", "{rsa2048}", "verifies"),
    Dkim("other-key-alone", "{rsa3072}", "verifies", "rsa3072"),
    Dkim("pem", "{rsa2048-pem}", "verifies"),
    Dkim("ed25519", "v=DKIM1; k=ed25519; p={ed25519}", "verifies", "ed25519"),
)
"""What a plan is made with, in the forms that signers give it in."""

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


def edited(live: Sequence[str], wanted: Dkim, keys: Keys) -> tuple[str, tuple[Finding, ...]]:
    """The one text read at the selector once the plan is written, and what is found about it."""
    before = mail_zone(SPF, DMARC, [keys.fill(text) for text in live])
    wish, key = wants(dkim="dkim"), source(keys.fill(wanted.text))
    case, _ = case_of(before, wish, key)
    texts = (
        r.destination for r in applied(before, case.change_set.changes).at("dkim._domainkey", "TXT")
    )
    (left,) = (text for text in texts if dkim.is_read(text))
    return left, judged(before, wish, key)


@pytest.mark.parametrize("wanted", by_name(WANTED))
def test_dkimpy_verifies_with_what_an_edit_makes_of_any_record(
    wanted: Dkim, keys: Keys, dkimpy: Dkimpy
) -> None:
    for live in DKIM_RECORDS:
        left, found = edited([live.text], wanted, keys)
        record = Dkim("left", left, "verifies", wanted.signed_by)
        is_kept = left == keys.fill(live.text)
        settle("dkimpy", live.name if is_kept else "left", dkimpy.verdict(record), "verifies")
        assert is_kept or reason_not_to_store(left, "ccp") is None
        assert codes(found, Severity.REFUSED, Severity.DANGER) == []


@pytest.mark.parametrize("wanted", by_name(WANTED))
def test_a_mail_that_verified_before_an_edit_does_so_after_it_or_the_plan_tells(
    wanted: Dkim, keys: Keys, dkimpy: Dkimpy
) -> None:
    for live in GOOD:
        left, found = edited([live.text], wanted, keys)
        then = dkimpy.verdict(Dkim("left", left, "verifies", live.signed_by))
        told = "dkim-key-replaced" in codes(found)
        assert (then == "verifies") != told or dkimpy.verdict(live) != "verifies", live.name


@pytest.mark.parametrize("wanted", by_name(WANTED))
def test_dkimpy_verifies_with_what_an_edit_makes_of_several_texts_or_none(
    wanted: Dkim, keys: Keys, dkimpy: Dkimpy
) -> None:
    several: tuple[list[str], ...] = (
        [],
        ["hello", GOOD[0].text],
        [GOOD[0].text, OTHER_KEY[0].text],
        ["v=DKIM1;p="] * 2,
    )
    for live in several:
        left, _ = edited(live, wanted, keys)
        assert dkimpy.verdict(Dkim("left", left, "verifies", wanted.signed_by)) == "verifies"


@every_record
def test_what_dkimpy_verifies_with_counts_as_a_key_beside_another(
    record: Dkim, keys: Keys, dkimpy: Dkimpy
) -> None:
    """Such a text is a duplicate, which goes; one that nobody reads stays."""
    if dkimpy.verdict(record) == "verifies":
        assert dkim.is_read(keys.fill(record.text))

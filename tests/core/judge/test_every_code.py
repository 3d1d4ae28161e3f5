"""Every code of the contract comes up in the golden table, and none of a zone that is in order."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from netcup_mailauth.findings import (
    CODES,
    MEANINGS,
    OF_CHANGES,
    OF_ROTATIONS,
    Finding,
    Severity,
    by_gravity,
)
from netcup_mailauth.judge import holding
from netcup_mailauth.judge.case import Signer
from netcup_mailauth.plan import ChangeSet, Place
from tests.core.golden.cases import Checking
from tests.core.golden.findings import CASES, stored
from tests.core.judge.cases import (
    CLEAN,
    DMARC,
    dns,
    judged,
    key_record,
    mail_zone,
    source,
    to_type,
    wants,
)

NETCUP = "v=spf1 mx a include:_spf.webhosting.systems ~all"
SIGNED = source(key_record())

_TOLD = re.compile(
    r"^(refused|danger|warning|note) ([a-z0-9-]+)(?: \(about .+\))?\n    (.+)((?:\n  > .*)*)", re.M
)


def told(name: str) -> list[Finding]:
    """The findings of a case, as the golden table has them."""
    return [
        Finding(code, Severity(severity), message, advice.replace("\n  > ", "\n").strip("\n"))
        for severity, code, message, advice in _TOLD.findall(stored()[name])
    ]


TOLD = {name: told(name) for name in CASES}
OF_CHANGES_ALONE = [
    f for name, case in CASES.items() if not isinstance(case, Checking) for f in TOLD[name]
]


def test_every_code_comes_up_and_none_is_beside_them() -> None:
    seen = {finding.code for found in TOLD.values() for finding in found}
    assert seen == set(MEANINGS) - set(OF_ROTATIONS)


def test_a_code_weighs_at_its_worst_what_the_table_says() -> None:
    worst: dict[str, Severity] = {}
    for finding in by_gravity(OF_CHANGES_ALONE):
        worst.setdefault(finding.code, finding.severity)
    table = {code: severity for severity, codes in OF_CHANGES.items() for code in codes}
    only_checked = {"dkim-key-mismatch"}  # which compares what is published with what signs
    assert {code: worst[code] for code in set(CODES) - only_checked} == {
        code: table[code] for code in set(CODES) - only_checked
    }


@pytest.mark.parametrize("name", CASES)
def test_what_an_advice_says_to_type_is_understood_and_never_a_consent(name: str) -> None:
    for finding in TOLD[name]:
        to_type(finding)
        # A draft that may be none is the one thing to which nobody else can say more.
        assert "--allow" not in finding.advice or "--allow zone-has-draft" in finding.advice
        assert "\n  --" not in finding.advice  # what is typed is whole, or said in words


HARMLESS = wants(
    {"require": ["ip4:203.0.113.26"]}, {"rua": ["mailto:second@example.com"]}, dkim="dkim"
)


def test_a_harmless_change_of_a_clean_zone_is_not_commented_at_all() -> None:
    found = judged(
        CLEAN,
        HARMLESS,
        SIGNED,
        hosts=("mail.example.com",),
        signer=Signer(SIGNED.key, "dkim"),
        remembered=CLEAN,
    )
    assert found == ()


def test_a_clean_zone_that_is_as_wanted_is_not_commented_either() -> None:
    policy = wants({"require": ["mx"]}, {"policy": "quarantine"}, dkim="dkim")
    assert judged(CLEAN, policy, SIGNED, dns=dns()) == ()


def test_findings_come_with_the_gravest_first_and_each_once() -> None:
    found = judged(
        mail_zone(NETCUP, DMARC, None, "* TXT a", "@ MX 50 mx1f.netcup.net"),
        wants("v=spf1 a -all"),
        hosts=("mail.example.com",),
    )
    order = [list(Severity).index(finding.severity) for finding in found]
    assert order == sorted(order)
    assert len(set(order)) == 3
    assert by_gravity([*found, *found]) == found


def test_what_is_allowed_without_need_is_known() -> None:
    change_set = ChangeSet(Place("a.de", "a.de"), allow=("spf-ptr", "spf-ptr"))
    assert holding.needless(change_set) == ("spf-ptr",)
    ptr = Finding("spf-ptr", Severity.WARNING, "")
    assert holding.needless(replace(change_set, findings=(ptr,))) == ()

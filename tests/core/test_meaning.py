"""Equal meaning is never a change, and a change is never taken for equal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcup_mailauth.kinds import same_meaning
from netcup_mailauth.records import Kind

P = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


@pytest.mark.parametrize(
    ("kind", "live", "wanted"),
    [
        (Kind.SPF, "v=spf1 mx -all", "v=spf1 a -all"),
        (Kind.SPF, "v=spf1 mx a -all", "v=spf1 a mx -all"),
        (Kind.SPF, "v=spf1 mx ~all", "v=spf1 mx -all"),
        (Kind.SPF, "v=spf1 broken: -all", "v=spf1 -all"),
        (Kind.DKIM, "nonsense", f"v=DKIM1;k=ed25519;p={P}"),
        (Kind.DKIM, f"v=DKIM1;k=ed25519;t=y;p={P}", f"v=DKIM1;k=ed25519;p={P}"),
        (Kind.DMARC, "v=DMARC1;p=none;pct=50", "v=DMARC1;p=none"),
        (Kind.DMARC, "v=DMARC1;p=nonne", "v=DMARC1;p=none"),
    ],
)
def test_a_difference_in_meaning_is_seen(kind: Kind, live: str, wanted: str) -> None:
    assert not same_meaning(kind, live, wanted)


def test_a_text_that_is_no_record_equals_only_itself() -> None:
    assert same_meaning(Kind.SPF, "v=spf1 broken:", "v=spf1 broken:")


@given(st.sampled_from(Kind), st.text(max_size=60), st.text(max_size=60))
def test_no_live_text_makes_an_exception(kind: Kind, live: str, wanted: str) -> None:
    assert same_meaning(kind, live, wanted) in (True, False)

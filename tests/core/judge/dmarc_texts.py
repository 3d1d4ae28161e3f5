"""Random texts at ``_dmarc``, near misses of a record among them, and random edits of them."""

from __future__ import annotations

from hypothesis import strategies as st

from netcup_mailauth import dmarc

ADDRESSES = ("a@example.com", "b.c+d@example.net", "t=x@example.org", "o'brien@example.com")
BEGINNINGS = (
    "v=DMARC1",
    "V=DMARC1",
    " v=DMARC1",
    "v=dmarc1",
    "v = DMARC1 ",
    '"v=DMARC1',
    "'v=DMARC1",
    "v:DMARC1",
    "DMARC1",
    "v=DMARC1\\",
    "v=DMARC2",
    "",
)
SEPARATORS = (";", "; ", ";;", ",", ", ", " ", ": ", "\\; ", " ;", "\t")
TAGS = (
    "p=none",
    "p=quarantine",
    "p=reject",
    "P=Reject",
    "p=rejct",
    "p=",
    "sp=reject",
    "SP=none",
    "np=quarantine",
    "pct=0",
    "pct=50",
    "t=y",
    "fo=0:1:d:s",
    "fo=1",
    "adkim=r",
    "adkim=strict",
    "adkm=s",
    "psd=n",
    "ri=3600",
    "x=1",
    'y="q"',
    "junk",
    "v=DMARC1",
    *(f"rua=mailto:{address}" for address in ADDRESSES),
    *(f"ruf=mailto:{address}" for address in ADDRESSES[:2]),
    f"rua={ADDRESSES[0]}",
    f"RUA=mailto:{ADDRESSES[1]}",
    f"rua=mailto:{ADDRESSES[0]},mailto:{ADDRESSES[1]}",
    f"rua=mailto:{ADDRESSES[0]} mailto:{ADDRESSES[1]}",
    f"rua=mailto:{ADDRESSES[0]};mailto:{ADDRESSES[1]}!10m",
    "rua=mailto:j\xfcrgen@example.com",
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A record, a near miss of one, or hardly anything of the kind."""
    separator = draw(st.sampled_from(SEPARATORS))
    tags = draw(st.lists(st.sampled_from(TAGS), max_size=6))
    end = draw(st.sampled_from(["", ";", " ", '"', ","]))
    return separator.join([draw(st.sampled_from(BEGINNINGS)), *tags]) + end


PARTS = st.fixed_dictionaries(
    {},
    optional={
        "policy": st.sampled_from(dmarc.POLICIES),
        "subdomain_policy": st.sampled_from(dmarc.POLICIES),
        "rua": st.lists(
            st.sampled_from(["mailto:n@example.com", "mailto:a@example.com"]), min_size=1
        ),
    },
).filter(bool)
WHOLE = st.sampled_from(
    ["v=DMARC1;p=none;rua=mailto:n@example.com", "v=DMARC1;p=reject", "v=DMARC1;p=none;adkim=r"]
)

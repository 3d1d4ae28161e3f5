"""Records, changes and plans to render."""

from __future__ import annotations

import base64
import hashlib

from hypothesis import strategies as st

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.plan import (
    Action,
    Change,
    ChangeSet,
    Failure,
    Kept,
    Place,
    Plan,
    Result,
    RunResult,
    Status,
)
from netcup_mailauth.records import DnsRecord, Kind

# The key of RFC 6376, C: brisbane._domainkey.example.com
RSA_P = (
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxO"
    "CKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwG"
    "jaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
)
# The key of RFC 8463, A.2
ED25519_P = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
RSA = f"v=DKIM1;k=rsa;p={RSA_P}"
ED25519 = f"v=DKIM1;k=ed25519;p={ED25519_P}"

NETCUP_SPF = "v=spf1 mx a include:_spf.webhosting.systems ~all"
SPF = "v=spf1 mx a -all"
DMARC = "v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com"

CCP = "https://ccp.netcup.net/run/webservice/servers/endpoint.php?JSON"
PLACE = Place("example.com", "example.com", "ccp", CCP, "0123456789ab")

HOSTNAMES = {
    Kind.SPF: "@",
    Kind.DKIM: "dkim._domainkey",
    Kind.DMARC: "_dmarc",
    Kind.DMARC_REPORT: "example.org._report._dmarc",
}

RSA_FINGERPRINT = f"SHA256:{hashlib.sha256(base64.b64decode(RSA_P)).hexdigest()[:16]}"


def ed25519(seed: bytes) -> str:
    """A record of the Ed25519 key with these 32 bytes."""
    return f"v=DKIM1;k=ed25519;p={base64.b64encode(seed).decode('ascii')}"


def txt(value: str, hostname: str = "@", identifier: str | None = "405422") -> DnsRecord:
    return DnsRecord(identifier, hostname, "TXT", value)


def change(
    kind: Kind,
    before: str | None,
    after: str | None,
    hostname: str | None = None,
    source: str | None = None,
    fingerprint: str | None = None,
) -> Change:
    name = HOSTNAMES[kind] if hostname is None else hostname
    actions = {(True, False): Action.CREATE, (False, True): Action.DELETE}
    action = actions.get((before is None, after is None), Action.UPDATE)
    return Change(
        action,
        kind,
        None if before is None else txt(before, name),
        None if after is None else txt(after, name, None),
        source,
        fingerprint,
    )


def change_set(*changes: Change, place: Place = PLACE, untouched: int = 11) -> ChangeSet:
    return ChangeSet(place, changes, untouched=untouched)


def plan(*change_sets: ChangeSet) -> Plan:
    return Plan(change_sets)


FULL_STORY = ChangeSet(
    PLACE,
    (
        change(Kind.SPF, NETCUP_SPF, SPF),
        change(Kind.DKIM, None, RSA, source="mailcow at mail.example.com"),
    ),
    (Kept(Kind.DMARC, txt(DMARC, "_dmarc", "405430")),),
    untouched=11,
    untouched_beside=2,
    findings=(
        Finding("spf-drops-sender", Severity.DANGER, "A sender is dropped.", "Keep it."),
        Finding("dkim-no-key", Severity.WARNING, "There is no key.", "Make one."),
    ),
)
UNCHANGED = ChangeSet(PLACE, unchanged=(Kept(Kind.SPF, txt(SPF)),), untouched=3)
FAILED = ChangeSet(PLACE, error=Failure(ExitCode.ZONE, "The zone is not here.", "Look elsewhere."))

DECEIVING = (
    "\x00\x07\x08\t\n\x0b\r\x1b\x7f\x85\x9b\xa0\xad"  # control characters, odd blanks, soft hyphen
    "\u034f\u061c\u115f\u1160\u17b4\u180b\u180e\u200b\u200c\u200d\u200e\u200f"
    "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2064\u2066\u2067\u2068\u2069\u206f"
    "\u0301\u20dd\u2800\u3000\u3164\ufe0e\ufe0f\ufeff\uffa0\ufff9\ufffb"
    "\U0001d159\U000e0001\U000e0041\U000e0100\ud800"
)
"""Characters that move the cursor, reorder a line, or show nothing."""

TEXTS = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=150),
    st.text(max_size=60),
    st.text(st.sampled_from(f"{DECEIVING} `|@#:/<>[]()*_~!;,ab1"), max_size=60),
)
LONG_WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=400)
VALUES = st.one_of(
    TEXTS,
    LONG_WORDS,
    st.sampled_from(
        [NETCUP_SPF, SPF, DMARC, RSA, ED25519, "v=DKIM1;p=", "v=spf1 bad:", "v=DMARC1;p=nothing"]
    ),
)
_OPTIONAL = st.none() | VALUES


@st.composite
def changes(draw: st.DrawFn) -> Change:
    before, after = draw(st.tuples(_OPTIONAL, _OPTIONAL).filter(lambda pair: pair != (None, None)))
    return change(
        draw(st.sampled_from(Kind)),
        before,
        after,
        draw(st.none() | TEXTS),
        draw(st.none() | TEXTS),
        draw(st.none() | TEXTS),
    )


FINDINGS = st.builds(
    Finding, TEXTS.map(str.strip).filter(bool), st.sampled_from(Severity), TEXTS, TEXTS
)
FAILURES = st.builds(Failure, st.sampled_from(ExitCode), TEXTS, TEXTS)
PLACES = st.builds(Place, TEXTS, TEXTS, TEXTS | st.just("ccp"), TEXTS | st.just(CCP), TEXTS)
CHANGE_SETS = st.builds(
    ChangeSet,
    PLACES,
    st.lists(changes(), max_size=3).map(tuple),
    st.lists(st.builds(Kept, st.sampled_from(Kind), st.builds(txt, TEXTS, TEXTS)), max_size=2).map(
        tuple
    ),
    st.integers(0, 20),
    st.integers(0, 3),
    st.lists(FINDINGS, max_size=2).map(tuple),
    st.lists(TEXTS, max_size=2).map(tuple),
    st.none() | FAILURES,
)
PLANS = st.builds(Plan, st.lists(CHANGE_SETS, max_size=3).map(tuple))
RESULTS = st.builds(
    Result,
    CHANGE_SETS,
    st.sampled_from(Status),
    st.none() | FAILURES,
    st.lists(TEXTS, max_size=2).map(tuple),
)
RUNS = st.builds(RunResult, st.lists(RESULTS, max_size=3).map(tuple))

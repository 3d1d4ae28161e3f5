"""Zones with one fault each, made from the one that `apply` published, and who sees the fault."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.story.wanted import DMARC

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.world.realworld.court import JudgeName

Records = list[dict[str, Any]]
"""A zone as the API holds it."""

STATES: Final = frozenset({"ok", "pending", "missing", "wrong", "conflict", "error"})
"""What `check` can say of a record."""

_KEY = "dkim._domainkey"
_OTHER_KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAlEvKMxSxu9K3oNP/fpD5zc/7cKl7JNe9fnC1LxcZuyAN"
    "z7WLVthYamq6qVJohQ6gGZ1CpclikdcrkxIB/O6Hj+yy3ziR/MaRf29v7ESBHHTND3DuM5RSo0997W6tb+Z+9FmQ"
    "oPtOohS52IxQDAC0Yc7zzI5AayxyW8XKmjy0EsbKCMXFWluUrtZXwdgT7hkVaZoNp6xrIWOrXzOG0ZxidrFE9G2U"
    "8ZyZlrFOHZUMOJ+cKVtZF7ZebkL4VQEsxgdvkXgL7jKs7l3T3vfZbooO/Buq287NSq7zksjTRs7CyPjJquM2XJp6"
    "T4lF0d1ILTUqm/aeYHOEHxLRFaMTvcB0JQIDAQAB"
)


@dataclass(frozen=True)
class Zone:
    """A zone, and what is said of it; a further judge is a further key in `sees`."""

    name: str
    make: Callable[[Records], Records]
    """From the records that `apply` published to those of this zone."""

    sees: Mapping[JudgeName, str]
    """The verdict of each judge that sees the fault; all others say what they say of `CLEAN`."""

    check_codes: tuple[str, ...]
    """What `check` says, told what was wished for: the record's state, and the guard's findings."""

    world: Mapping[str, str] = field(default_factory=dict)
    """TXT records outside the zone."""


def _text(begins: str, new: str) -> Callable[[Records], Records]:
    """Another text in the TXT record that begins so."""

    def make(records: Records) -> Records:
        return [
            {**r, "destination": new} if str(r["destination"]).startswith(begins) else r
            for r in records
        ]

    return make


def _spf(new: str) -> Callable[[Records], Records]:
    return _text("v=spf1", new)


def _dmarc(new: str) -> Callable[[Records], Records]:
    return _text("v=DMARC1", new)


def _cut_key(records: Records) -> Records:
    """The first of the two strings that a key of 2048 bits comes in."""
    (record,) = [r for r in records if r["hostname"] == _KEY]
    return _text("v=DKIM1", record["destination"][:255])(records)


def _besides(hostname: str, text: str) -> Callable[[Records], Records]:
    """One more TXT record."""
    record = {"hostname": hostname, "type": "TXT", "priority": "0", "destination": text}
    return lambda records: [*records, record]


def _cname(hostname: str, target: str) -> Callable[[Records], Records]:
    """A CNAME in the place of what is at this name."""
    record = {"hostname": hostname, "type": "CNAME", "priority": "0", "destination": target}
    return lambda records: [*(r for r in records if r["hostname"] != hostname), record]


def _renamed(old: str, new: str) -> Callable[[Records], Records]:
    """The same at another name."""
    return lambda records: [{**r, "hostname": new} if r["hostname"] == old else r for r in records]


def _rspamd(
    spf: str = "FAIL", dkim: str = "ALLOW", server: str = "POLICY_ALLOW", stranger: str = ""
) -> str:
    """Its symbols for a mail from the server, whose address passes, and from a stranger."""
    from_server = f"R_SPF_ALLOW R_DKIM_{dkim} DMARC_{server}"
    from_stranger = f"R_SPF_{spf} R_DKIM_{dkim} DMARC_{stranger or server}"
    return f"server {from_server}, stranger {from_stranger}"


_NO_SIGNATURE = {"server": "POLICY_ALLOW", "stranger": "POLICY_QUARANTINE"}
_SPF_BROKEN = "server permerror permerror, stranger permerror"
_GONE = ("gone.example.net", "gone.example.org", "gone.example.eu")
_MANY = [f"{number}.spf.example.net" for number in range(10)]

CLEAN: Final = Zone(
    "clean",
    lambda records: records,
    {
        "opendkim-testkey": "match",
        "Mail::SPF": "server pass pass, stranger fail",
        "checkdmarc": "spf 2 look-ups, dmarc quarantine",
        "dkimpy": "verifies",
        "rspamd": _rspamd(),
    },
    ("ok",),
)
"""No fault; its verdicts are those of every judge that is blind to the fault of another zone."""

FAULTY: Final = (
    Zone(
        "wrong-key",
        _text("v=DKIM1", f"v=DKIM1;k=rsa;t=s;s=email;p={_OTHER_KEY}"),
        {
            "opendkim-testkey": "keys do not match",
            "dkimpy": "wrong signature",
            "rspamd": _rspamd(dkim="REJECT", **_NO_SIGNATURE),
        },
        ("wrong", "dkim-key-mismatch"),
    ),
    Zone(
        "cut-off-key",
        _cut_key,
        {
            "opendkim-testkey": "keys do not match",
            "dkimpy": "KeyFormatError",
            "rspamd": _rspamd(dkim="PERMFAIL", **_NO_SIGNATURE),
        },
        ("wrong", "dkim-syntax"),
    ),
    Zone(
        "revoked-key",
        _text("v=DKIM1", "v=DKIM1;k=rsa;t=s;s=email;p="),
        {
            "opendkim-testkey": "Revoked key",
            "dkimpy": "could not parse RSA public key (b'')",
            "rspamd": _rspamd(dkim="PERMFAIL", **_NO_SIGNATURE),
        },
        ("wrong", "dkim-revokes-key"),
    ),
    # rspamd takes one of the two.
    Zone(
        "two-spf",
        _besides("@", "v=spf1 mx -all"),
        {
            "Mail::SPF": _SPF_BROKEN,
            "checkdmarc": "spf MultipleSPFRTXTRecords, dmarc quarantine",
        },
        ("conflict", "spf-multiple"),
    ),
    Zone(
        "two-dmarc",
        _besides("_dmarc", "v=DMARC1;p=none"),
        {
            "checkdmarc": "spf 2 look-ups, dmarc MultipleDMARCRecords",
            "rspamd": _rspamd(server="BAD_POLICY"),
        },
        ("conflict", "dmarc-multiple"),
    ),
    # rspamd goes on asking after the tenth.
    Zone(
        "eleven-look-ups",
        _spf(f"v=spf1 {' '.join(f'include:{name}' for name in _MANY)} mx -all"),
        {
            "Mail::SPF": _SPF_BROKEN,
            "checkdmarc": "spf SPFTooManyDNSLookups, dmarc quarantine",
        },
        ("wrong", "spf-too-many-lookups"),
        dict.fromkeys(_MANY, "v=spf1 ip4:198.51.100.7 -all"),
    ),
    # rspamd passes over what is not there.
    Zone(
        "void-includes",
        _spf(f"v=spf1 {' '.join(f'include:{name}' for name in _GONE)} mx a -all"),
        {
            "Mail::SPF": _SPF_BROKEN,
            "checkdmarc": "spf SPFRecordNotFound, dmarc quarantine",
        },
        ("wrong", "spf-void-lookups"),
    ),
    # rspamd passes over the term.
    Zone(
        "bad-cidr",
        _spf("v=spf1 mx a ip4:203.0.113.0/33 -all"),
        {
            "Mail::SPF": _SPF_BROKEN,
            "checkdmarc": "spf SPFSyntaxError, dmarc quarantine",
        },
        ("wrong", "spf-syntax"),
    ),
    Zone(
        "cname-at-dmarc",
        _cname("_dmarc", "policy.example.net"),
        {
            "checkdmarc": "spf 2 look-ups, dmarc DMARCRecordNotFound",
            "rspamd": _rspamd(server="NA"),
        },
        ("conflict",),
    ),
    # It leads to the key of netcup's web hosting.
    Zone(
        "cname-at-selector",
        _cname(_KEY, "key1._domainkey.webhosting.systems"),
        {
            "opendkim-testkey": "keys do not match",
            "dkimpy": "wrong signature",
            "rspamd": _rspamd(dkim="REJECT", **_NO_SIGNATURE),
        },
        ("conflict",),
    ),
    Zone(
        "domainkey-without-underscore",
        _renamed(_KEY, "dkim.domainkey"),
        {
            "opendkim-testkey": "'dkim._domainkey.example.com' record not found",
            "dkimpy": "missing public key",
            "rspamd": _rspamd(dkim="PERMFAIL", **_NO_SIGNATURE),
        },
        ("missing", "misplaced-record"),
    ),
    Zone(
        "policy-misspelt",
        _dmarc(DMARC.replace("p=quarantine", "p=quarantaine")),
        {
            "checkdmarc": "spf 2 look-ups, dmarc InvalidDMARCTagValue",
            "rspamd": _rspamd(server="BAD_POLICY"),
        },
        ("wrong", "dmarc-syntax"),
    ),
    # Those who send reports find out; a receiver that only judges a mail does not ask.
    Zone(
        "reports-not-authorised",
        _dmarc(DMARC.replace("postmaster@example.com", "postmaster@example.net")),
        {"checkdmarc": "spf 2 look-ups, dmarc quarantine, reports not accepted"},
        ("wrong", "dmarc-report-not-authorised"),
    ),
)

ZONES: Final = (CLEAN, *FAULTY)

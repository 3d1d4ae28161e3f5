"""How the golden table describes what is judged: plain text and dictionaries, none of our types.

A zone is lines such as ``@ MX 10 mail.example.com``, DNS a dictionary of names to such lines
without the name (``A 203.0.113.1``; ``TIMEOUT`` and ``SERVFAIL`` are what DNS says instead of an
answer; ``SERVERS`` names the servers of others that a name is delegated to), a policy a table as it
stands in a config.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

Dns = dict[str, list[str]]
DOMAIN = "example.com"


@dataclass(frozen=True)
class Changing:
    """A change to be judged before it is made: a policy against a zone, or changes given bare.

    Attributes:
        zone: the live zone.
        policy: what is wanted.
        changes: bare changes: ``create KIND HOST TEXT``, ``delete KIND HOST``, and ``set KIND HOST
            TEXT`` for a record that no policy could ask for.
        key: what the source of the DKIM key holds; a record, or PEM.
        dns: DNS outside the zone; ``None`` for one that answers nothing.
        hosts: what sends the domain's mail.
        signing: the record of the key that signs its mail; the one of ``key`` if empty.
        own_selector: the selector that the signer decides on by itself.
        held: hostnames that an open key rotation works on.
        remembered: the zone after the last write from here.
        reports_planned: report authorisations that the same run makes.
        dkim_left_out: whether a key is wanted, and this run leaves it alone.
        draft: a draft that somebody left in the zone; with the word for its state, if that is not
            known to be a draft's.
        ttl: the TTL of each record of the zone, for the API that has such.
        fixed: what netcup keeps from being changed, as ``HOST BEGINNING`` of its text.
    """

    zone: tuple[str, ...]
    policy: dict[str, Any] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    key: str = ""
    dns: Dns | None = field(default_factory=dict)
    domain: str = DOMAIN
    hosts: tuple[str, ...] = ()
    signing: str = ""
    own_selector: str | None = None
    held: tuple[str, ...] = ()
    remembered: tuple[str, ...] | None = None
    reports_planned: tuple[str, ...] = ()
    dkim_left_out: bool = False
    draft: str | None = None
    ttl: int | None = None
    fixed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Planning:
    """A domain to be planned as ``plan`` does it, with all that goes around the judgement.

    Attributes:
        zone: the zone as netcup has it; ``None`` where netcup does not know it.
        policy: what is wanted; the source of a key is ``mailcow``.
        key: the record that mailcow has; none if empty.
        relay: the relay that mailcow sends through.
        held: hostnames that an open key rotation works on.
        discovered: whether mailcow named the domain.
        authorises: domains whose reports a host of this one takes: ``DOMAIN HOST``.
    """

    zone: tuple[str, ...] | None
    policy: dict[str, Any]
    key: str = ""
    relay: str | None = None
    held: tuple[str, ...] = ()
    discovered: bool = False
    authorises: tuple[str, ...] = ()
    dns: Dns = field(default_factory=dict)


@dataclass(frozen=True)
class Checking:
    """A domain whose published records are judged.

    Attributes:
        dns: what DNS has, the domain's own names included.
        policy: what is wanted; the source of a key is ``mailcow`` or ``file`` (its private half is
            there to try signatures with).
        key: what that source holds: the record, or for ``file`` the number of a key made here.
        relay: the relay that mailcow sends through.
        host: the host that mailcow is at.
        zone: netcup's copy of the zone; ``None`` where it is not read.
        unreadable: what reading it fails with instead.
        one_server: what the first of the two servers has where it is not what DNS has.
        remembered: what was last written from here: ``KIND HOST TEXT``.
        kinds: the kinds to look at where nothing is wanted.
        basis: whether options or the config say what is wanted.
        no_route: whether this machine cannot reach the second server.
        origin: where the key comes from, in words.
        authorises: domains whose reports a host of this one takes: ``DOMAIN HOST``.
    """

    dns: Dns
    policy: dict[str, Any] = field(default_factory=dict)
    key: str | int = ""
    relay: str | None = None
    host: str | None = None
    zone: tuple[str, ...] | None = None
    unreadable: str = ""
    draft: str | None = None
    one_server: Dns = field(default_factory=dict)
    remembered: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    basis: str = "options"
    domain: str = DOMAIN
    no_route: bool = False
    origin: str = "mailcow at mail.example.com"
    authorises: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A text that somebody wants to publish: what its reader says is wrong with it.

    Attributes:
        reader: ``spf``, ``term`` (of SPF), ``dkim`` or ``dmarc``.
        text: the text.
    """

    reader: str
    text: str


Case = Changing | Planning | Checking | Reading


@cache
def key(bits: int = 2048, number: int = 1, tags: str = "") -> str:
    """A DKIM record; ``number`` tells apart keys of one size."""
    # A public key needs no primes to be published, only a modulus of the right size.
    public = rsa.RSAPublicNumbers(65537, (1 << (bits - 1)) + 2 * number + 1).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1;k=rsa;{tags}p={base64.b64encode(der).decode()}"


def private_key(number: int) -> ed25519.Ed25519PrivateKey:
    """A private key that is the same each time."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


@cache
def key_of(number: int) -> str:
    """The DKIM record of such a private key."""
    public = private_key(number).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1;k=ed25519;p={base64.b64encode(public).decode()}"


SPF = "v=spf1 mx ~all"
DMARC = "v=DMARC1;p=quarantine;rua=mailto:dmarc@example.com"
HOSTS = (
    "@ A 203.0.113.80",
    "@ MX 10 mail.example.com",
    "mail A 203.0.113.25",
    "mail AAAA 2001:db8::25",
    "www CNAME @",
    "@ TXT google-site-verification=abc123",
)


def mail_zone(
    spf: str | Sequence[str] = SPF,
    dmarc: str | Sequence[str] = DMARC,
    dkim: str | Sequence[str] | None = None,
    *more: str,
) -> tuple[str, ...]:
    """The zone of a domain with mail; each kind once, several times, or (``()``) not at all."""
    dkim = key() if dkim is None else dkim
    return (
        *HOSTS,
        *(f"@ TXT {text}" for text in _several(spf)),
        *(f"_dmarc TXT {text}" for text in _several(dmarc)),
        *(f"dkim._domainkey TXT {text}" for text in _several(dkim)),
        *more,
    )


def _several(texts: str | Sequence[str]) -> Sequence[str]:
    return (texts,) if isinstance(texts, str) else texts


PUBLISHED: Dns = {
    DOMAIN: [
        "NS root-dns.netcup.net",
        "MX 10 mail.example.com",
        "A 203.0.113.10",
        "TXT v=spf1 mx ~all",
    ],
    "mail.example.com": ["A 203.0.113.25", "AAAA 2001:db8::25"],
    "dkim._domainkey.example.com": [f"TXT {key()}"],
    "_dmarc.example.com": ["TXT v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com"],
    "25.113.0.203.in-addr.arpa": ["PTR mail.example.com"],
    "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": [
        "PTR mail.example.com"
    ],
    "_mta-sts.example.com": ["TXT v=STSv1; id=1"],
    "_smtp._tls.example.com": ["TXT v=TLSRPTv1; rua=mailto:tls@example.com"],
}
"""DNS of a domain without a fault."""


def published(changes: dict[str, list[str] | None] | None = None) -> Dns:
    """The faultless DNS with some names changed; ``None`` takes one away."""
    names = {**PUBLISHED, **(changes or {})}
    return {name: entries for name, entries in names.items() if entries is not None}


def apex(*texts: str, mx: tuple[str, ...] = ("MX 10 mail.example.com",)) -> list[str]:
    """The apex with these texts and MX records."""
    return [
        "NS root-dns.netcup.net",
        *mx,
        "A 203.0.113.10",
        *(f"TXT {text}" for text in texts),
    ]

"""The records beside SPF, DKIM and DMARC that mail depends on. Looked at, never managed."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from netcup_mailauth.findings import Finding, Severity
from netcup_mailauth.lookup import SILENT, Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from netcup_mailauth.lookup import Answer, Lookup

NETCUP_MX = re.compile(r"mx[0-9a-f]+\.netcup\.net|.+\.netcup-mail\.de", re.IGNORECASE)
"""netcup's own mail servers, for its web hosting and its groupware (facts 2026-11-26, B8)."""

NETCUP_INCLUDE = "include:_spf.webhosting.systems"
"""The servers they send by; in the SPF record of every default zone (fact sheet mail, 0.4)."""

NETCUP_SERVERS = "netcup.net"
"""Where netcup's name servers are: root-dns, second-dns, third-dns (sheet netcup-api, 1.12)."""

NULL = "."
"""What the one MX of a domain that takes no mail names (RFC 7505)."""


class Exchanges(NamedTuple):
    """The MX hosts of a domain, the preferred first; ``answered`` unless DNS was silent."""

    hosts: tuple[str, ...]
    answered: bool

    @property
    def is_null(self) -> bool:
        """Whether the domain says that it takes no mail."""
        return self.hosts == (NULL,)

    @property
    def own(self) -> tuple[str, ...]:
        """The hosts that the domain's mail is meant to go to."""
        return () if self.is_null else tuple(h for h in self.hosts if h not in stale(self.hosts))


def exchanges(domain: str, lookup: Lookup) -> Exchanges:
    """Ask for a domain's MX records."""
    (answer,) = lookup([Query(domain, "MX")])
    return Exchanges(in_order(answer.values), answer.status not in SILENT)


def is_netcup(host: str) -> bool:
    """Whether a host is one of netcup's own mail servers."""
    return NETCUP_MX.fullmatch(host.rstrip(".")) is not None


def is_mail_at_netcup(hosts: Sequence[str]) -> bool:
    """Whether these MX hosts are netcup's own, all of them, so that netcup sends as well."""
    return bool(hosts) and all(map(is_netcup, hosts))


def own_hosts(hosts: Sequence[str], mx: Exchanges, lookup: Lookup) -> tuple[str, ...]:
    """What sends a domain's mail.

    The hosts said, and an MX that has an address of one of them: it is the same server, with all
    of its addresses. Where none is said, the MX hosts are taken for it.
    """
    if not hosts:
        return mx.own
    said = {sender.address for sender in addresses(hosts, lookup)}
    others = [host for host in mx.own if host not in hosts]
    same = {sender.host for sender in addresses(others, lookup) if sender.address in said}
    return (*hosts, *(host for host in others if host in same))


def stale(hosts: Sequence[str]) -> tuple[str, ...]:
    """netcup's own mail servers, if there are others, as its web hosting leaves them behind."""
    netcups = tuple(filter(is_netcup, hosts))
    return netcups if len(netcups) < len(hosts) else ()


def in_order(values: Iterable[str]) -> tuple[str, ...]:
    """The hosts of MX values such as ``10 mail.example.com``, the preferred first."""
    pairs = (value.partition(" ") for value in values)
    hosts = sorted(
        (int(preference) if preference.isdecimal() else 0, host or NULL)
        for preference, _, host in pairs
    )
    return tuple(host for _, host in hosts)


class Sender(NamedTuple):
    """An address that sends this domain's mail, and the host it belongs to."""

    address: str
    host: str

    def __str__(self) -> str:
        return self.address if self.address == self.host else f"{self.host} ({self.address})"


def addresses(hosts: Sequence[str], lookup: Lookup) -> list[Sender]:
    """The addresses of hosts, each once; an address stands for itself."""
    return distinct(all_addresses(hosts, lookup))


def distinct(senders: Sequence[Sender]) -> list[Sender]:
    """One sender for each address: the first."""
    return list({sender.address: sender for sender in reversed(senders)}.values())[::-1]


def all_addresses(hosts: Sequence[str], lookup: Lookup) -> list[Sender]:
    """The addresses of each host, also those that another has as well."""
    senders: list[Sender] = []
    names = [host for host in hosts if not _is_address(host)]
    senders += (Sender(host, host) for host in hosts if _is_address(host))
    for name, answers in _hosts(names, lookup).items():
        senders += (Sender(address, name) for answer in answers for address in answer.values)
    return senders


def findings(domain: str, hosts: Sequence[str], lookup: Lookup) -> Iterator[Finding]:
    """The findings about a domain's neighbours; one that takes no mail is left alone.

    ``hosts`` are what sends its mail; where there are none, the MX hosts are taken for it.
    """
    mx = exchanges(domain, lookup)
    yield from left_over(mx.hosts)
    if not mx.hosts and mx.answered:
        yield _no_mx(domain, lookup)
    if not mx.is_null:
        yield from _broken(mx, lookup)
    senders = addresses(own_hosts(hosts, mx, lookup), lookup)
    # What a server of netcup's is called is netcup's to decide.
    yield from _reverse([sender for sender in senders if not is_netcup(sender.host)], lookup)
    if not mx.is_null:
        yield from _clients(domain, senders, lookup)
        yield from _transport(domain, lookup)


def left_over(hosts: Sequence[str]) -> Iterator[Finding]:
    """netcup's own mail servers among MX hosts that are others."""
    if netcups := stale(hosts):
        are = "are" if len(netcups) > 1 else "is"
        yield Finding(
            "stale-netcup-mail",
            Severity.WARNING,
            f"The MX {' and '.join(netcups)} {are} netcup's own. When yours cannot be reached, "
            "mail goes there.",
            "Delete it in the CCP unless a mailbox at netcup is meant to get this mail.",
        )


def _no_mx(domain: str, lookup: Lookup) -> Finding:
    found = [value for answer in _hosts([domain], lookup)[domain] for value in answer.values]
    instead = f"its web address ({', '.join(found)})" if found else "nowhere: it has no address"
    return Finding(
        "mx-missing",
        Severity.WARNING,
        f"{domain} has no MX record, so mail for it goes to {instead}.",
        "Add an MX in the CCP; a domain that takes no mail says so with the MX 0 and a lone dot.",
    )


def _hosts(names: Sequence[str], lookup: Lookup) -> dict[str, tuple[Answer, Answer]]:
    """The addresses of each name: A, and AAAA."""
    queries = [q for name in names for q in (Query(name, "A"), Query(name, "AAAA"))]
    answers = list(lookup(queries))
    return dict(zip(names, zip(answers[::2], answers[1::2], strict=True), strict=True))


def _broken(mx: Exchanges, lookup: Lookup) -> Iterator[Finding]:
    """MX hosts that mail cannot be delivered to (RFC 5321, 5.1; RFC 2181, 10.3)."""
    found = _hosts(mx.hosts, lookup)
    aliases = lookup([Query(host, "CNAME") for host in mx.hosts])
    for host, alias in zip(mx.hosts, aliases, strict=True):
        if _is_address(host):
            yield _unusable(host, "is an address; an MX has to be a host name")
        elif all(not a.values and a.status not in SILENT for a in found[host]):
            yield _unusable(host, "has no address")
        elif alias.values:
            yield _unusable(host, f"is a CNAME to {alias.values[0]}, which an MX must not be")


def _unusable(host: str, why: str) -> Finding:
    return Finding(
        "mx-broken",
        Severity.WARNING,
        f"The MX {host} {why}.",
        "Correct the MX in the CCP: a host name with A or AAAA records of its own.",
    )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # a zone index is this machine's own, and no mail server's


def _reverse(senders: Sequence[Sender], lookup: Lookup) -> Iterator[Finding]:
    """Forward-confirmed reverse DNS, without which large receivers refuse mail."""
    of_addresses = [Query(ip_address(s.address).reverse_pointer, "PTR") for s in senders]
    zones = dict.fromkeys(zone for s in senders for zone in _reverse_zones(s.address))
    answers = lookup([*of_addresses, *(Query(zone, "NS") for zone in zones)])
    pointers = answers[: len(senders)]
    served = dict(zip(zones, (a.values for a in answers[len(senders) :]), strict=True))
    names = list(dict.fromkeys(name for answer in pointers for name in answer.values))
    forward = _hosts(names, lookup)
    confirmed: dict[Sender, tuple[str, ...]] = {}
    for sender, answer in zip(senders, pointers, strict=True):
        back = [found for name in answer.values for found in forward[name]]
        leads_back = sender.address in {value for found in back for value in found.values}
        silent = answer.status in SILENT or any(found.status in SILENT for found in back)
        if leads_back:
            confirmed[sender] = answer.values
            yield from _generic(sender, answer.values)
        if leads_back or silent:
            continue
        named = ", ".join(answer.values)
        said = f"is {named}, which does not lead back to it" if named else "is not set"
        host = "the server's host name" if _is_address(sender.host) else sender.host
        yield Finding(
            "reverse-dns",
            Severity.WARNING,
            f"The reverse DNS of {sender} {said}. Large receivers refuse mail for that.",
            f"Set it to {host} where the server is rented (at netcup: SCP > Network).",
        )
    yield from _contact(confirmed, served)


def _contact(
    named: Mapping[Sender, tuple[str, ...]], served: Mapping[str, tuple[str, ...]]
) -> Iterator[Finding]:
    """What T-Online asks of a server at netcup beside a reverse name (facts 2026-11-26, C3).

    ``served`` are the name servers of each reverse zone.
    """
    ours = {
        sender: names
        for sender, names in named.items()
        if any(_DEFAULT_NAME.fullmatch(name.lower()) for name in names)
        or any(
            server.rstrip(".").lower().endswith(f".{NETCUP_SERVERS}")
            for zone in _reverse_zones(sender.address)
            for server in served[zone]
        )
    }
    if not ours:
        return
    stand = "stand" if len(ours) > 1 else "stands"
    names = dict.fromkeys(name for found in ours.values() for name in found)
    yield Finding(
        "reverse-dns-contact",
        Severity.NOTE,
        f"{' and '.join(map(str, ours))} {stand} at netcup. T-Online wants the domain of the "
        f"reverse DNS ({', '.join(names)}) to lead to a website that names a direct contact "
        "(Impressum), and answers 554 to addresses that it does not know.",
        "Have such a site there. If T-Online still answers 554, write to the address in its "
        "answer.",
    )


def _reverse_zones(address: str) -> list[str]:
    """Where the reverse zone of an address begins that its provider serves.

    Behind the second or third number of an IPv4 address, or the first 32 bits of an IPv6 address.
    That netcup serves those of its servers by itself is of confidence M.
    """
    labels = ip_address(address).reverse_pointer.split(".")
    starts = (-4, -5) if ip_address(address).version == 4 else (-10,)
    return [".".join(labels[start:]) for start in starts]


_DEFAULT_NAME = re.compile(r"v[0-9]{12,}\.[a-z]+srv\.de")
"""What netcup calls a server that nobody has given a name (confidence: M)."""


def _generic(sender: Sender, names: Sequence[str]) -> Iterator[Finding]:
    """That a name says nothing but the address, as that of a line at home does."""
    for name in names:
        if is_generic(name, sender.address):
            yield Finding(
                "reverse-dns-generic",
                Severity.WARNING,
                f"The reverse DNS of {sender} is {name}, which is what its provider calls it. "
                "WEB.DE and GMX usually reject mail from such a name.",
                "Set it to a name of yours that leads back to it, such as mail.<domain>, where the "
                "server is rented (at netcup: SCP > Network).",
            )


def is_generic(name: str, address: str) -> bool:
    """Whether a host name is made of its address, or is the one that netcup gives by itself.

    The four numbers of an IPv4 address in either order, whatever is between them; of an IPv6
    address the first or the last half.
    """
    parsed = ip_address(address)
    octets = list(parsed.packed)
    said = [int(number) for number in re.findall(r"[0-9]{1,3}", name)]
    spelt = any(said[at : at + 4] in (octets, octets[::-1]) for at in range(len(said) - 3))
    if spelt or _DEFAULT_NAME.fullmatch(name.lower()):
        return True
    if parsed.version == 4:
        return False
    digits = parsed.exploded.replace(":", "")
    joined = re.sub(r"[^0-9a-f]", "", name.lower())
    return digits[:16] in joined or digits[16:] in joined


def _clients(domain: str, senders: Sequence[Sender], lookup: Lookup) -> Iterator[Finding]:
    """Names that mail programs ask, which netcup's wildcard sends to the web server."""
    own = {sender.address for sender in senders}
    names = [f"autodiscover.{domain}", f"autoconfig.{domain}"]
    wildcard = f"*.{domain}"
    found = _hosts([*names, wildcard], lookup)
    places = {name: {v for answer in found[name] for v in answer.values} for name in found}
    strays = [name for name in names if own and places[name] and not own & places[name]]
    if not strays:
        return
    do = "do" if len(strays) > 1 else "does"
    caught = all(places[name] == places[wildcard] for name in strays)
    why = f"; the wildcard {wildcard} answers for {'them' if len(strays) > 1 else 'it'}"
    yield Finding(
        "autodiscover-elsewhere",
        Severity.NOTE,
        f"{' and '.join(strays)} {do} not lead to the mail server{why if caught else ''}. Mail "
        "programs look for their settings there.",
        "Add a CNAME to the mail server for each in the CCP.",
    )


def _transport(domain: str, lookup: Lookup) -> Iterator[Finding]:
    queries = [Query(f"_mta-sts.{domain}", "TXT"), Query(f"_smtp._tls.{domain}", "TXT")]
    sts, reports = lookup(queries)
    if _lacks(sts, "v=STSv1"):
        yield Finding(
            "mta-sts",
            Severity.NOTE,
            f"{domain} has no MTA-STS record: TLS to its server can be stripped on the way.",
            "mailcow can serve the policy; see its documentation on MTA-STS.",
        )
    if _lacks(reports, "v=TLSRPTv1"):
        yield Finding(
            "tls-rpt",
            Severity.NOTE,
            f"{domain} asks for no reports on failed TLS (TLS-RPT).",
            f"A TXT at _smtp._tls.{domain} asks for them.",
        )


def _lacks(answer: Answer, version: str) -> bool:
    there = any(value.startswith(version) for value in answer.values)
    return not there and answer.status not in SILENT

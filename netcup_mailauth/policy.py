"""What is wanted, per domain: the tables of the config and the options, layered.

Nothing in it knows where a wish came from, or what the zone holds. Spans of time are written as a
user writes and reads them: ``90s``, ``45m``, ``12h``, ``7d``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from netcup_mailauth import dmarc, records, spf
from netcup_mailauth.errors import RecordError, UsageError
from netcup_mailauth.findings import OF_ROTATIONS
from netcup_mailauth.records import Kind, join_txt
from netcup_mailauth.shapes import Shape, checked

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence


def span(text: str) -> str:
    """A span of time that a user gave, such as ``7d``. Raises UsageError if it is none."""
    seconds(text)
    return text


Span = Annotated[str, checked(span)]


class RotationSettings(Shape):
    """How ``rotate`` waits, and what it hands keys to; each that is not given has its default.

    Attributes:
        rounds: how often every name server has to answer with a new key before it is used.
        negative_ttl: the time that caches may deny the new key; default: what the SOA says.
        grace: the time that the old key stays published after the switch.
        retry: the time until name servers that lag are asked again.
        signer_command: what is run, with the new private key on its standard input.
    """

    rounds: Annotated[int, Field(ge=1, le=20)] | None = None
    between_rounds: Span | None = None
    negative_ttl: Span | None = None
    grace: Span | None = None
    retry: Span | None = None
    signer_command: Annotated[list[str], Field(min_length=1)] | None = None


UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
"""Seconds of each unit."""

LONGEST = 3650 * UNITS["d"]
"""Seconds of the longest span that is taken for one: ten years."""


def seconds(text: str) -> float:
    """The seconds in ``7d``, ``12h``, ``45m`` or ``90s``.

    Raises UsageError if it is no such span. A bare number is none: of what would it be?
    """
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([smhdw])", text.strip().lower())
    span = float(match[1]) * UNITS[match[2]] if match else LONGEST + 1
    if span > LONGEST:
        raise UsageError(f"{text!r} is not a span of time.", "Write it as 7d, 12h, 45m or 90s.")
    return span


def words(span: float) -> str:
    """A span for people, in its two largest units: ``6 d 23 h``, ``45 min``, ``1 s``."""
    left = max(1, round(span))
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


MIN_TTL = 60
MAX_TTL = 86_400
"""Seconds. A record with a shorter one is asked for all the time, with a longer one it is nearly
impossible to correct."""


def spf_record(text: str) -> str:
    """The SPF record in a text that a user gave, quoted or bare.

    Raises RecordError if it is none.
    """
    record = join_txt(text.strip())
    spf.parse_wanted(record)
    return record


def dmarc_record(text: str) -> str:
    """The DMARC record in a text that a user gave, quoted or bare.

    Raises RecordError if it is none.
    """
    record = join_txt(text.strip())
    level = record.removeprefix("p=").rstrip(";").lower()
    if level in get_args(dmarc.Policy):
        raise RecordError(
            f"{record!r} is a policy, and no record.",
            f'Write dmarc = {{ policy = "{level}" }}, or --dmarc-policy {level}',
        )
    dmarc.parse(record)
    return record


def spf_term(text: str) -> str:
    """One term of an SPF record that a user gave. Raises RecordError if it is none."""
    term = spf.parse_term(text.strip())
    spf.check_wanted(term)
    return term.text


def report_uri(text: str) -> str:
    """A report address that a user gave.

    Raises RecordError if it is none; a missing ``mailto:`` is the usual mistake, or two in one.
    """
    address = text.strip()
    if len(parts := address.split(",")) > 1 and all("@" in part or "://" in part for part in parts):
        raise RecordError(
            f"{address} holds several report addresses.", "Give each of them by itself."
        )
    dmarc.report_host(address)
    return address


def host_or_address(text: str) -> str:
    """A host name in the form DNS wants, or an IP address in its shortest spelling.

    Raises UsageError if it is neither.
    """
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        pass
    try:
        return records.normalise(text)
    except UsageError:
        bare = records.domain_in(text.strip().lower())
        raise UsageError(
            f"{text!r} is neither the name of a host nor an address.",
            f"Give it as in {bare or 'mail.example.com'} or 203.0.113.7",
        ) from None


SpfText = Annotated[str, checked(spf_record)]
SpfTerm = Annotated[str, checked(spf_term)]
DmarcText = Annotated[str, checked(dmarc_record)]
ReportUri = Annotated[str, checked(report_uri)]
Host = Annotated[str, checked(host_or_address)]
DomainName = Annotated[str, checked(records.normalise)]
Selector = Annotated[str, checked(records.selector)]
FinalAll = Literal["fail", "softfail", "neutral"]
NotManaged = Literal[False]


class SpfPolicy(Shape):
    """What the SPF record should be: exactly ``record``, or the live one with these parts.

    ``drop`` may stand beside a whole record: it names which live terms may go.
    """

    record: SpfText | None = None
    require: list[SpfTerm] | None = None
    drop: list[SpfTerm] | None = None
    all: FinalAll | None = None

    @model_validator(mode="after")
    def _whole_or_in_parts(self) -> SpfPolicy:
        return _one_of_both(self, ("require", "all"))


class DkimPolicy(Shape):
    """Where the DKIM key comes from, and under which selector it goes."""

    source: str | None = None
    selector: Selector | None = None


class DmarcPolicy(Shape):
    """What the DMARC record should be: exactly ``record``, or the live one with these parts."""

    record: DmarcText | None = None
    policy: dmarc.Policy | None = None
    subdomain_policy: dmarc.Policy | None = None
    rua: list[ReportUri] | None = None

    @model_validator(mode="after")
    def _whole_or_in_parts(self) -> DmarcPolicy:
        return _one_of_both(self, ("policy", "subdomain_policy", "rua"))


Whole = TypeVar("Whole", SpfPolicy, DmarcPolicy)


def _one_of_both(policy: Whole, parts: tuple[str, ...]) -> Whole:
    given = [part for part in parts if getattr(policy, part) is not None]
    if policy.record is not None and given:
        raise PydanticCustomError(
            "mailauth",
            "{problem}",
            {"problem": f"record says it all already; take out {', '.join(given)}, or record"},
        )
    return policy


class DomainPolicy(Shape):
    """What one domain should have. A kind that is ``None`` or ``False`` is not managed.

    Attributes:
        zone: the zone the domain lies in, where DNS need not be asked.
        server: what sends this domain's mail: host names or addresses.
        allow: codes of findings that are accepted.
        parked: the domain sends no mail.
        ttl: seconds that new records live in caches, where the API has a TTL for each record.
    """

    zone: DomainName | None = None
    spf: SpfPolicy | NotManaged | None = None
    dkim: DkimPolicy | NotManaged | None = None
    dmarc: DmarcPolicy | NotManaged | None = None
    server: list[Host] | None = None
    allow: list[str] | None = None
    parked: bool | None = None
    ttl: Annotated[int, Field(ge=MIN_TTL, le=MAX_TTL)] | None = None

    @model_validator(mode="after")
    def _parked_sends_nothing(self) -> DomainPolicy:
        if self.parked and (self.spf or self.dkim):
            raise PydanticCustomError(
                "mailauth", "a parked domain sends no mail: take out spf and dkim, or parked"
            )
        return self

    def only(self, kinds: Sequence[Kind]) -> DomainPolicy:
        """This policy for these kinds alone; that the others are not managed is meant so."""
        left_out = {kind.value: False for kind in MANAGED if kind not in kinds}
        return self.model_copy(update=left_out)

    def settled(self) -> DomainPolicy:
        """This policy with what ``parked`` stands for written out.

        A kind that is ``false`` stays alone, and a DMARC table that says no policy gets the one
        of a parked domain.
        """
        if not self.parked:
            return self
        spf = self.spf if self.spf is False else SpfPolicy(record=PARKED_SPF)
        given = self.dmarc
        if given is None:
            given = DmarcPolicy(record=PARKED_DMARC)
        elif given and given.record is None and given.policy is None:
            given = given.model_copy(update={"policy": "reject"})
        return self.model_copy(update={"spf": spf, "dkim": False, "dmarc": given})

    @property
    def manages(self) -> tuple[Kind, ...]:
        """The kinds this policy has a wish for, in the order they are shown."""
        return tuple(kind for kind in MANAGED if getattr(self, kind.value))

    @property
    def silent_about(self) -> tuple[Kind, ...]:
        """The kinds of which it says nothing, not even that they are not managed."""
        return tuple(kind for kind in MANAGED if getattr(self, kind.value) is None)


NOTHING = DomainPolicy.model_construct()
"""What is wanted of a domain of which nothing is."""

MANAGED = (Kind.SPF, Kind.DKIM, Kind.DMARC)
"""The kinds a policy can name, in the order they are shown."""


PARKED_SPF = "v=spf1 -all"
PARKED_DMARC = "v=DMARC1;p=reject"


class MailcowSettings(Shape):
    """Where mailcow is, and in which file its key lies.

    ``helper_domain`` is a domain of it from which nobody sends, where ``rotate`` makes new keys.
    """

    url: str | None = None
    api_key_file: str | None = None
    helper_domain: DomainName | None = None


class Config(Shape):
    """A whole config file.

    Attributes:
        domains_from: where more domains come from; each gets the defaults.
        only: patterns of which one has to fit, if any is given, for such a domain to count.
        exclude: patterns of domains that do not count.
    """

    domains_from: Literal["mailcow"] | None = None
    only: list[str] | None = None
    exclude: list[str] | None = None
    mailcow: MailcowSettings = MailcowSettings.model_construct()
    rotation: RotationSettings = RotationSettings.model_construct()
    defaults: DomainPolicy = NOTHING
    domains: dict[DomainName, DomainPolicy] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _defaults_are_for_all(self) -> Config:
        if self.defaults.zone is not None:
            raise PydanticCustomError("mailauth", "zone belongs into a domain's table")
        if self.defaults.parked is not None:
            raise PydanticCustomError("mailauth", "parked belongs into a domain's table")
        return self


def layered(lower: DomainPolicy, upper: DomainPolicy) -> DomainPolicy:
    """``upper`` over ``lower``: per kind and key the upper one wins.

    Tables merge key by key and lists replace; a layer that gives a record whole drops the parts
    below it, and one that gives parts drops a whole record below it. ``parked`` counts as the
    whole records it stands for.
    """
    if upper == NOTHING:
        return lower
    upper = upper.settled()
    if lower == NOTHING:
        return upper
    spf = _over(lower.spf, upper.spf, ("require", "drop", "all"), ("require", "all"))
    dkim = _over(lower.dkim, upper.dkim, (), ())
    parked = lower.parked if upper.parked is None else upper.parked
    return DomainPolicy.model_construct(
        zone=upper.zone or lower.zone,
        spf=spf,
        dkim=dkim,
        dmarc=_over(lower.dmarc, upper.dmarc, _DMARC_PARTS, _DMARC_PARTS),
        server=lower.server if upper.server is None else upper.server,
        allow=lower.allow if upper.allow is None else upper.allow,
        ttl=lower.ttl if upper.ttl is None else upper.ttl,
        # A layer above that lets somebody send takes it back.
        parked=parked and not dkim and (not spf or spf.record == PARKED_SPF),
    )


def in_config(config: Config, domain: str) -> DomainPolicy:
    """What a config wants of a domain: of one that is none of its own, nothing."""
    own = config.domains.get(domain)
    if own is None and config.domains_from is None:
        return DomainPolicy()
    return layered(config.defaults, own or DomainPolicy())


_DMARC_PARTS = ("policy", "subdomain_policy", "rua")
_Part = TypeVar("_Part", SpfPolicy, DkimPolicy, DmarcPolicy)


def _over(
    lower: _Part | Literal[False] | None,
    upper: _Part | Literal[False] | None,
    parts: tuple[str, ...],
    shaping: tuple[str, ...],
) -> _Part | Literal[False] | None:
    """One kind's table over another. ``shaping`` are the parts that a whole record excludes."""
    if upper is None or not lower:
        return lower if upper is None else upper
    if not upper:
        return False
    given = upper.model_dump(exclude_none=True)
    gone = parts if "record" in given else ()
    if any(part in given for part in shaping):
        gone = ("record",)
    return lower.model_copy(update={**dict.fromkeys(gone), **given})


_NOTHING: Mapping[str, str] = MappingProxyType({})
"""Of most domains nothing is coming; one such mapping is enough for all of them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One domain, and what it should have.

    Attributes:
        discovered: mailcow named the domain, not the user; it need not be at netcup.
        authorises: domains whose reports an address in this domain gets, each with the host of
            that address, where they may be of another organisation.
        coming: the DMARC records and report authorisations that this run makes, by name; of a
            record in parts no more than that there will be one.
        dkim_left_out: the source of its key, where only other kinds are meant in this run.
    """

    domain: str
    policy: DomainPolicy
    discovered: bool = False
    authorises: tuple[tuple[str, str], ...] = ()
    coming: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    dkim_left_out: str | None = None

    @property
    def source(self) -> str | None:
        """Where the key comes from that its mail is signed with, looked at or not."""
        own = self.policy.dkim.source if self.policy.dkim else None
        return own or self.dkim_left_out

    @property
    def allow(self) -> tuple[str, ...]:
        """The codes of findings that are accepted."""
        # What rotate may be allowed in the same list is no finding of a change.
        return tuple(code for code in self.policy.allow or () if code not in OF_ROTATIONS)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a change set was judged by, beside the records.

    ``apply --plan`` asks the guard anew, and without these it would judge something else: what
    was agreed to by naming it would be a danger, and a server that was named would be forgotten.

    Attributes:
        spf_drop: SPF terms that were named as those that may go.
        whole: kinds whose record was given whole, so that nothing of a lost one is missing in it.
        source_ref: the DKIM source, if it is one that can be asked again.
        dkim_left_out: a key is wanted, and was not looked at.
    """

    spf_drop: tuple[str, ...] = ()
    whole: tuple[Kind, ...] = ()
    parked: bool = False
    servers: tuple[str, ...] = ()
    source_ref: str | None = None
    dkim_left_out: bool = False

    @classmethod
    def of(cls, wish: Wish, mail_host: str | None = None) -> Grounds:
        """The grounds of a wish; ``mail_host`` is its DKIM source, if that is a mail server."""
        policy = wish.policy
        spf, dmarc = policy.spf or None, policy.dmarc or None
        given = ((Kind.SPF, spf and spf.record), (Kind.DMARC, dmarc and dmarc.record))
        source = (policy.dkim and policy.dkim.source) or ""
        hosts = policy.server
        if hosts is None:
            hosts = [mail_host] if mail_host else []
        return cls(
            spf_drop=tuple((spf and spf.drop) or ()),
            whole=tuple(kind for kind, record in given if record is not None),
            parked=bool(policy.parked),
            servers=tuple(hosts),
            # A text is in the plan itself, and standard input is gone.
            source_ref=source if source == "mailcow" or source.startswith("file:") else None,
            dkim_left_out=wish.dkim_left_out is not None,
        )

    @property
    def document(self) -> dict[str, Any]:
        """The keys of a zone that say this; none for what is not so."""
        consent: dict[str, Any] = {"spf_drop": list(self.spf_drop)} if self.spf_drop else {}
        if self.whole:
            consent["whole"] = [kind.value for kind in self.whole]
        if self.parked:
            consent["parked"] = True
        if self.dkim_left_out:
            consent["dkim_left_out"] = True
        keys = {
            "consent": consent,
            "servers": list(self.servers),
            "source_ref": self.source_ref,
        }
        return {key: value for key, value in keys.items() if value}


def linked(wishes: Sequence[Wish]) -> list[Wish]:
    """The wishes, each knowing whose reports its domain may have to agree to, and what is coming.

    A report address in another organisation's domain gets nothing until that domain agrees, with a
    record of its own (RFC 9990, 4). Where both domains are part of a run, that record is planned
    too. What is one organisation the zones tell, and the policies that this run gives them.
    """
    known = {wish.domain for wish in wishes}
    coming = {
        f"_dmarc.{wish.domain}": wish.policy.dmarc.record or _IN_PARTS
        for wish in wishes
        if wish.policy.dmarc
    }
    takes: dict[str, list[tuple[str, str]]] = {}
    for sender in wishes:
        for receiver, host in _to(sender, known):
            takes.setdefault(receiver, []).append((sender.domain, host))
            coming[dmarc.authorisation_name(sender.domain, host)] = "v=DMARC1"
    if not coming:
        return list(wishes)
    return [
        replace(wish, authorises=tuple(takes.get(wish.domain, ())), coming=coming)
        for wish in wishes
    ]


_IN_PARTS = "v=DMARC1;p=none"
"""Stands for a policy of which only parts are known: that there will be one."""


def _to(sender: Wish, known: Container[str]) -> Iterator[tuple[str, str]]:
    """The domains of this run that get reports of ``sender``, each with the address's host."""
    for host in dict.fromkeys(map(dmarc.report_host, _addresses(sender))):
        receiver = next((name for name in _upwards(host) if name in known), None)
        if receiver is not None and host != sender.domain:
            yield receiver, host


def _upwards(name: str) -> Iterator[str]:
    """The name, and each domain it lies in, the nearest first."""
    while name:
        yield name
        name = name.partition(".")[2]


def _addresses(wish: Wish) -> Sequence[str]:
    policy = wish.policy.dmarc
    if not policy:
        return ()
    if policy.record is not None:
        record = dmarc.parse(policy.record)
        return (*record.rua, *record.ruf)
    return policy.rua or ()

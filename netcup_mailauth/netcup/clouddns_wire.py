"""The shapes of netcup's REST API, and what an answer that is no success means (facts 2.2 to 2.5).

Reading takes more forms than one (the assumptions of :mod:`netcup_mailauth.netcup.clouddns`); names
are written back in the form that was read, so that a delete matches.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from netcup_mailauth.errors import (
    ApiError,
    CredentialsError,
    MailauthError,
    RefusedError,
    WriteNotProcessedError,
    ZoneError,
)
from netcup_mailauth.netcup.api import KEYS_PAGE
from netcup_mailauth.netcup.http import TOO_MANY, too_many
from netcup_mailauth.netcup.wire import WIRE, OptionalText, foreign_record, masked, shape
from netcup_mailauth.records import APEX, DnsRecord, absolute, join_txt, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import SecretStr

    from netcup_mailauth.netcup.http import Reply
    from netcup_mailauth.plan import Edit
    from netcup_mailauth.records import Zone


def _bare(name: str) -> str:
    return name.lower().removesuffix(".")


def _none_if_empty(value: object) -> object:
    return value or None


PathText = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
"""An identifier that becomes a part of a path, and must not lead anywhere else."""


Model = TypeVar("Model", bound=BaseModel)


class _Wire(BaseModel):
    model_config = WIRE


class Fault(_Wire):
    """One entry of ``errors``."""

    code: OptionalText = ""
    message: OptionalText = ""


class Pagination(_Wire):
    """``meta.pagination`` of a list."""

    last_page: int | None = Field(default=None, alias="lastPage")
    total: int | None = Field(default=None, alias="totalEntries")


NO_PAGES = Pagination.model_validate({})


class Meta(_Wire):
    """``meta`` of an answer."""

    pagination: Annotated[Pagination | None, BeforeValidator(_none_if_empty)] = None


class Envelope(_Wire):
    """What every answer is wrapped in."""

    success: bool = Field(strict=True)
    errors: list[Fault] = []
    meta: Annotated[Meta | None, BeforeValidator(_none_if_empty)] = None
    result: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, its words fit to show: ``message`` is netcup's own in one line, or the status.

    ``envelope`` is ``None`` if it came in no such thing, ``payload`` what came, whatever it is.
    """

    status: int
    envelope: Envelope | None
    payload: object
    message: str
    retry_after: str | None = None

    @classmethod
    def of(cls, reply: Reply, secrets: Iterable[SecretStr]) -> Answer:
        """The answer in an HTTP reply; the secrets are masked in its words."""
        try:
            envelope = Envelope.model_validate(reply.payload)
        except ValidationError:
            envelope = None
        faults = envelope.errors if envelope else []
        words = "; ".join(" ".join(filter(None, (f.code, f.message))) for f in faults)
        message = masked(f"HTTP {reply.status}{words and f': {words}'}", secrets)
        return cls(reply.status, envelope, reply.payload, message, reply.retry_after)

    @property
    def is_success(self) -> bool:
        """Whether the call did what it should; anything less than a clean success is not sure."""
        if self.envelope is None or self.envelope.errors:
            return False
        return self.envelope.success and 200 <= self.status < 300

    @property
    def is_refusal(self) -> bool:
        """Whether it says in netcup's own form that the call failed: with a code, at least."""
        if self.envelope is None or self.envelope.success:
            return False
        return any(fault.code for fault in self.envelope.errors)

    @property
    def pagination(self) -> Pagination:
        """What the answer says about pages, if anything."""
        meta = self.envelope.meta if self.envelope else None
        return (meta and meta.pagination) or NO_PAGES

    @property
    def is_missing(self) -> bool:
        """Whether the API says that it does not have it; a bare 404 may be anybody's."""
        return self.status == 404 and self.has_code(MISSING)

    def has_code(self, code: str) -> bool:
        """Whether it is a refusal, and one of its errors has this code."""
        if self.envelope is None or not self.is_refusal or self.status < 400:
            return False
        return any(fault.code == code for fault in self.envelope.errors)


class DomainEntry(_Wire):
    """A domain of the account; ``is_dns_managed`` says whether CloudDNS serves its zone (M)."""

    id: PathText
    fqdn: Annotated[str, AfterValidator(_bare)]
    is_dns_managed: bool = Field(alias="isDnsManaged")


class Revision(_Wire):
    """A state of a zone that has or had a number."""

    identifier: PathText
    state: OptionalText = ""
    serial: int | None = None
    created_at: OptionalText = Field(default="", alias="createdAt")


class WireRecord(_Wire):
    """A record of a revision."""

    identifier: OptionalText = ""
    name: OptionalText  # null and "" are the apex; a row without the field is not understood
    type: str
    rdata: str
    ttl: int = Field(ge=0)
    immutable: bool | None = None


def parsed(call: str, zone: str, entry: object, model: type[Model]) -> Model:
    """An entry of an answer in the shape it should have.

    Raises:
        ApiError: it has another, which is shown without its values.
    """
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        where = ", ".join(".".join(map(str, e["loc"])) for e in error.errors()[:3])
    # Outside the except block, as pydantic's error holds the answer.
    raise unknown_shape(call, zone, entry, where)


ENDS_IN_A_NAME = frozenset({"CNAME", "MX", "NS", "SRV"})
"""Types whose rdata ends in a host name, written with a trailing dot as in zone files (?)."""

_MX = re.compile(r"([0-9]{1,5})\s+(\S+)")


def to_record(wire: WireRecord, form: NameForm) -> DnsRecord:
    """A record as the rest of the program knows it."""
    record_type = wire.type.upper()
    priority, value = _neutral(record_type, wire.rdata)
    record = DnsRecord(
        id=wire.identifier or None,
        hostname=form.hostname(wire.name),
        type=record_type,
        destination=value,
        priority=priority,
        ttl=wire.ttl,
        immutable=bool(wire.immutable),
    )
    return record if written(record) == wire.rdata else replace(record, raw=wire.rdata)


def _neutral(record_type: str, rdata: str) -> tuple[str, str]:
    """Priority and destination, as :class:`~netcup_mailauth.records.DnsRecord` has them."""
    if record_type == "TXT":
        return "0", join_txt(rdata)
    mx = _MX.fullmatch(rdata) if record_type == "MX" else None
    priority, value = mx.groups() if mx else ("0", rdata)
    if record_type in ENDS_IN_A_NAME:
        value = value.removesuffix(".") or "."  # the dot alone is the name of no host
    return priority, value


def written(record: DnsRecord) -> str:
    """The rdata that is written for a new record of this content.

    TXT has to be quoted (confidence: H), and is split at 255 bytes (?, the safest form).
    """
    if record.type == "TXT":
        return quoted(record.destination)
    value = record.destination
    if record.type in ENDS_IN_A_NAME and not value.endswith("."):
        value += "."
    return f"{record.priority} {value}" if record.type == "MX" else value


def as_read(record: DnsRecord) -> str:
    """The rdata of a record that is there: to the letter, since a delete has to match it."""
    return written(record) if record.raw is None else record.raw


BAD_KEY = "authenticationError"
"""The code of a refused key, which comes with HTTP 400. Confidence: H."""

REFUSED = frozenset({401, 403})
"""Statuses that mean a refused key whatever the code."""

BAD_VALUE = "validationError"
"""The code of a value that cannot be, such as a name with an underscore. Confidence: H."""

MISSING = "resourceDoesNotExist"
"""The code of what is not there, which comes with HTTP 404. Confidence: H; its words are generic,
the same for a list without entries, a page past the end and a domain that is unknown."""


def refuses_the_key(answer: Answer) -> bool:
    """Whether the answer is about the key rather than about what was asked.

    One that is not in netcup's own form is of something in between, and says nothing of the key.
    """
    return answer.has_code(BAD_KEY) or (answer.is_refusal and answer.status in REFUSED)


def is_about_one(answer: Answer) -> bool:
    """Whether a key that works is refused one thing, perhaps a locked domain."""
    return answer.status == 403 and answer.is_refusal and not answer.has_code(BAD_KEY)


def error_for(call: str, zone: str, answer: Answer) -> MailauthError:
    """The error that an answer other than a success stands for; ``call`` is ours, in words."""
    if answer.status == TOO_MANY:
        return too_many("its REST API", answer.message, answer.retry_after)
    if answer.is_missing:
        return ZoneError(
            f"netcup's REST API does not have {call} of {zone} ({answer.message}).",
            "The domain may just have been moved; run the same command again, and look in the "
            "CCP whether it has a CloudDNS tab.",
        )
    if answer.status == 404 and not answer.is_refusal:
        return ApiError(
            "There is no netcup REST API at this address (HTTP 404).",
            "Check NETCUP_REST_ENDPOINT, or unset it; netcup's own address ends in /v1.",
        )
    if answer.envelope is None and answer.status < 300:
        return unknown_shape(call, zone, answer.payload)
    if answer.status in REFUSED and not answer.is_refusal:
        return ApiError(
            f"The request about {call} of {zone} was refused (HTTP {answer.status}), but not in "
            "netcup's words.",
            "Something between this machine and netcup may have answered instead: a proxy or a "
            "firewall. The key was not judged.",
        )
    return ApiError(
        f"netcup refused {call} of {zone} ({answer.message}).",
        "Run the same command again; if it comes again, please report it.",
    )


def unknown_shape(call: str, zone: str, payload: object, where: str = "") -> ApiError:
    """What netcup sent fits nothing known; told by its fields and types, without values."""
    place = f" at {where}" if where else ""
    return ApiError(
        f"netcup's answer about {call} of {zone} has an unknown shape{place}: {shape(payload)}",
        "Nothing was taken from it. Please report this line; it has no values in it.",
    )


def bad_name(name: str, answer: Answer) -> ZoneError:
    """netcup does not take the name for a domain's."""
    return ZoneError(
        f"netcup does not accept {name!r} as the name of a domain ({answer.message}).",
        "A zone is the domain you ordered, such as example.com. For a mail domain below its zone "
        'set zone = "..." in its table of the config.',
    )


def not_in_this_account(name: str) -> ZoneError:
    """The key's account does not have the domain."""
    return ZoneError(
        f"netcup's REST API does not know the domain {name} in the account of this key.",
        "Check the spelling, and in the CCP that the domain belongs to the account in which the "
        f"key was made ({KEYS_PAGE} > API-Keys).",
    )


def not_on_clouddns(name: str) -> ZoneError:
    """The domain is there, but its DNS is elsewhere."""
    return ZoneError(
        f"{name} is in this account, but its DNS is not on CloudDNS.",
        'If the CCP shows a "DNS" tab for it, it needs the credentials of the CCP API: customer '
        f"number, API password and a legacy key ({KEYS_PAGE} > Legacy-API-Keys). Otherwise its "
        "name servers are not netcup's.",
    )


def credentials(answer: Answer) -> CredentialsError:
    """The key is refused."""
    return CredentialsError(
        f"netcup refuses the REST API key ({answer.message}).",
        f"Make a new one in the {KEYS_PAGE} > API-Keys; it has 64 characters, while one of 50 is "
        "for the CCP API. The refused one is not tried again.",
    )


def nothing_new(zone: str) -> ApiError:
    """A write was accepted without naming what it made, and nothing of it is to be seen."""
    return ApiError(
        f"netcup accepted the changes of {zone}, but lists no new revision of it.",
        "Look in the CCP, under CloudDNS, whether they were left as a draft.",
    )


APEX_RELATIVE = ("@", "")
"""The apex among relative names; the first is written where none was read (?)."""


@dataclass(frozen=True, slots=True)
class NameForm:
    """The form of the names of one zone.

    ``suffix`` is what stands behind a hostname: nothing, or the zone with or without a last dot.
    """

    zone: str
    suffix: str = ""
    apex: str = APEX_RELATIVE[0]

    @classmethod
    def of(cls, names: Iterable[str], zone: str) -> NameForm:
        """The form in which a listing of a zone has its names.

        One name that cannot be a full one (``www``) shows that all without a last dot are
        relative: ``_dmarc.example.com`` beside it is a record at the wrong place, as web forms
        make them, and not the DMARC record (L).
        """
        listed = [name.lower() for name in names]
        suffix = _suffix(listed, zone)
        fitting = (*APEX_RELATIVE, *((zone, f"{zone}.") if suffix else (f"{zone}.", zone)))
        default = suffix.removeprefix(".") or APEX_RELATIVE[0]
        return cls(zone, suffix, next((apex for apex in fitting if apex in listed), default))

    def hostname(self, name: str) -> str:
        """The hostname, as :class:`~netcup_mailauth.records.DnsRecord` has it.

        Raises:
            ApiError: it is the full name of something outside the zone.
        """
        name = name.lower()
        if name in (*APEX_RELATIVE, self.apex, f"{self.zone}."):
            return APEX
        if name.endswith("."):
            if not name.endswith(f".{self.zone}."):
                raise foreign_record(self.zone, name)
            return name.removesuffix(f".{self.zone}.")
        return name.removesuffix(f".{self.zone}") if self.suffix else name

    def name(self, hostname: str) -> str:
        """A hostname in this form."""
        return self.apex if hostname == APEX else f"{hostname}{self.suffix}"


def _suffix(names: list[str], zone: str) -> str:
    named = [name for name in names if name not in APEX_RELATIVE]
    if not all(f".{name}".endswith((f".{zone}", f".{zone}.")) for name in named):
        return ""
    if any(name.endswith(".") for name in named):
        return f".{zone}."
    return f".{zone}" if named else ""


def changeset(
    zone: Zone, changes: Sequence[Edit], form: NameForm, new_ttl: int
) -> dict[str, object]:
    """The body of the one call that makes the changes, all of them or none (confidence: M).

    An update is a delete and a create with the TTL of the record it replaces. ``strict`` makes
    netcup refuse a delete that matches nothing. An empty list is left out, as the one known client
    does. ``new_ttl`` is for a new record without one.

    Raises:
        RefusedError: a row to be deleted is there twice.
        WriteNotProcessedError: a row to be deleted is not there, or is netcup's own.
    """
    create: list[dict[str, object]] = []
    delete: list[dict[str, object]] = []
    for change in changes:
        ttl = change.after.ttl if change.after else None
        if change.before:
            row = _row(zone, change.before)
            ttl = row.ttl
            delete.append(_entry(row, as_read(row), row.ttl, form))
        if change.after:
            ttl = new_ttl if ttl is None else ttl
            create.append(_entry(change.after, written(change.after), ttl, form))
    lists = {"create": create, "delete": delete}
    return {"autoCommit": True, "strict": True, **{n: rows for n, rows in lists.items() if rows}}


def _entry(record: DnsRecord, rdata: str, ttl: int | None, form: NameForm) -> dict[str, object]:
    """All four fields are required (confidence: M)."""
    return {"name": form.name(record.hostname), "type": record.type, "rdata": rdata, "ttl": ttl}


def _row(zone: Zone, before: DnsRecord) -> DnsRecord:
    """The row of the zone that ``before`` is, with its rdata as read.

    A plan file has no rdata as read; the value tells then, if it is there once.
    """
    rows = [row for row in zone.records if _key(row) == _key(before)]
    rows = rows or [row for row in zone.records if _value(row) == _value(before)]
    where = f"{before.type} {absolute(before.hostname, zone.name)}"
    if not rows:
        raise WriteNotProcessedError(
            f"The record {where} is no longer there as it was read.", "Nothing was sent."
        )
    if len(rows) > 1:
        raise RefusedError(
            f"netcup holds two identical rows of {where}, and one cannot be deleted alone.",
            "Delete one of them by hand in the CCP, under CloudDNS, and plan again. Nothing was "
            "sent.",
        )
    if rows[0].immutable:
        raise WriteNotProcessedError(
            f"netcup keeps the record {where} from being changed.",
            "Nothing was sent. If the CCP can change it, please report this.",
        )
    return rows[0]


def _key(record: DnsRecord) -> tuple[object, ...]:
    """What netcup knows a row by; its identifier counts for nothing."""
    return (record.hostname, record.type, as_read(record), record.ttl)


def _value(record: DnsRecord) -> tuple[object, ...]:
    return (record.hostname, record.type, record.priority, record.destination, record.ttl)

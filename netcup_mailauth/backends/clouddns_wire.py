"""The shapes of netcup's REST API (facts 2.2 to 2.5): its wire words end here.

None of it could be tried on a live account. Each assumption is one constant, type or function;
how sure it is stands beside it: H seen or documented, M live-tested or written from the API's
own description by others, L inferred, ? guessed. Reading takes every plausible form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from netcup_mailauth.backends.answers import masked
from netcup_mailauth.backends.clouddns_errors import MISSING, unknown_shape
from netcup_mailauth.records import DnsRecord, join_txt
from netcup_mailauth.txtrdata import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import SecretStr

    from netcup_mailauth.backends.clouddns_names import NameForm
    from netcup_mailauth.backends.http import Reply


def _text(value: object) -> object:
    """Numbers as text: an identifier is shown as a number in one place, as text in another."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _text_or_empty(value: object) -> object:
    return "" if value is None else _text(value)


def _bare(name: str) -> str:
    return name.lower().removesuffix(".")


def _list(value: object) -> object:
    return [] if value is None else value


def _none_if_empty(value: object) -> object:
    return value or None


Text = Annotated[str, BeforeValidator(_text)]
OptionalText = Annotated[str, BeforeValidator(_text_or_empty)]
PathText = Annotated[Text, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
"""An identifier that becomes a part of a path, and must not lead anywhere else."""


Model = TypeVar("Model", bound=BaseModel)


class _Wire(BaseModel):
    # An error must never show what was received.
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class Fault(_Wire):
    """One entry of ``errors``. Confidence: H."""

    code: OptionalText = ""
    message: OptionalText = ""


class Pagination(_Wire):
    """``meta.pagination`` of a list. Confidence: M; ``meta`` was seen to be null, too."""

    last_page: int | None = Field(default=None, alias="lastPage")
    total: int | None = Field(default=None, alias="totalEntries")


NO_PAGES = Pagination.model_validate({})


class Meta(_Wire):
    """``meta``; an empty one may come as a list, as PHP writes it (?)."""

    pagination: Annotated[Pagination | None, BeforeValidator(_none_if_empty)] = None


class Envelope(_Wire):
    """What every answer is wrapped in. Confidence: H."""

    success: bool = Field(strict=True)
    errors: Annotated[list[Fault], BeforeValidator(_list)] = []
    meta: Annotated[Meta | None, BeforeValidator(_none_if_empty)] = None
    result: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, its words fit to show.

    Attributes:
        status: of HTTP.
        envelope: ``None`` if it came in no such thing.
        payload: what came, whatever it is.
        message: netcup's own words in one line, or the status where there are none.
        retry_after: the header, as it came.
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
    """A domain of the account; ``is_dns_managed`` says whether CloudDNS serves its zone.

    Confidence: H for the fields, M for what the last one means.
    """

    id: PathText
    fqdn: Annotated[str, AfterValidator(_bare)]
    is_dns_managed: bool = Field(alias="isDnsManaged")


class Revision(_Wire):
    """A state of a zone that has or had a number. Confidence: M for the fields, ? for states."""

    identifier: PathText
    state: OptionalText = ""
    serial: int | None = None
    created_at: OptionalText = Field(default="", alias="createdAt")


class WireRecord(_Wire):
    """A record of a revision. Confidence: M."""

    identifier: OptionalText = ""
    name: OptionalText  # null and "" are the apex (?); a row without the field is not understood
    type: Text
    rdata: Text
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
"""Types whose rdata ends in a host name, with a trailing dot as in zone files. Confidence: ?;
read with and without the dot."""

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

"""Which DMARC record applies to a domain: the DNS tree walk (RFC 9989, 4.10).

And whether reports may go to where it says: the foreign host must agree (RFC 9990, 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from netcup_mailauth.dmarc.record import DmarcRecord, is_dmarc, read, report_host, uri_problem
from netcup_mailauth.lookup import SILENT, Answer, Lookup, Query, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_NAME = 253
_LABELS_ABOVE = 7  # a name of eight labels or more goes on with its last seven


class Discovery(NamedTuple):
    """The outcome of a tree walk.

    Attributes:
        record_text: the record that applies, ``None`` if there is none.
        found_at: the domain it was found at, without ``_dmarc``.
        queries: the names that were asked, in the order of the walk.
        failed: those of them that DNS gave no answer for; the rest of the outcome is then a
            guess from what did answer.
    """

    record_text: str | None
    found_at: str | None
    org_domain: str
    queries: tuple[str, ...]
    failed: tuple[str, ...] = ()


def discover(domain: str, lookup: Lookup) -> Discovery:
    """Find the record that applies to ``domain``, and its organisational domain.

    All names of the walk, eight at most, are asked at once: that takes one round trip instead
    of eight. What lies above a ``psd=y`` or ``psd=n`` is not looked at.
    """
    start = domain.lower().rstrip(".")
    targets = [name for name in walk(start) if len(_asked(name)) <= MAX_NAME]
    queries = [Query(_asked(name), "TXT") for name in targets]
    answers = lookup(queries) if queries else ()
    found, failed = _records(targets, answers)
    org_domain = _org_domain(start, found)
    found_at = _applies(start, org_domain, found)
    return Discovery(
        record_text=str(found[found_at]) if found_at is not None else None,
        found_at=found_at,
        org_domain=org_domain,
        queries=tuple(query.name for query in queries),
        failed=failed,
    )


def walk(domain: str) -> tuple[str, ...]:
    """The domains a tree walk asks at, from ``domain`` up to its last label (RFC 9989, 4.10)."""
    labels = domain.split(".")
    above = min(len(labels) - 1, _LABELS_ABOVE)
    return (domain, *(".".join(labels[-count:]) for count in range(above, 0, -1)))


def _asked(domain: str) -> str:
    return f"_dmarc.{domain}"


def _records(
    targets: Sequence[str], answers: Sequence[Answer]
) -> tuple[dict[str, DmarcRecord], tuple[str, ...]]:
    """The valid record at each target, as far as the walk goes, and the targets that failed."""
    found: dict[str, DmarcRecord] = {}
    failed = []
    for target, answer in zip(targets, answers, strict=True):
        if answer.status in SILENT:
            failed.append(_asked(target))
        records = [text for text in answer.values if is_dmarc(text)]
        record = read(records[0]) if len(records) == 1 else None  # several are all discarded
        if record is None:
            continue
        found[target] = record
        if record.psd != "u":
            break
    return found, tuple(failed)


def _org_domain(start: str, found: dict[str, DmarcRecord]) -> str:
    for domain, record in found.items():
        if record.psd == "n":
            return domain
        if record.psd == "y" and domain != start:
            count = domain.count(".") + 2  # one label below the public suffix
            return ".".join(start.split(".")[-count:])
    return min(found, key=lambda domain: domain.count("."), default=start)


def _applies(start: str, org_domain: str, found: dict[str, DmarcRecord]) -> str | None:
    """The domain itself, its organisational domain, its public suffix: the first with a record."""
    suffix = next((domain for domain, record in found.items() if record.psd == "y"), None)
    return next((name for name in (start, org_domain, suffix) if name in found), None)


@dataclass(frozen=True, slots=True)
class ComingLookup:
    """DNS as it will be when the records of ``coming`` are there, at names that have none yet.

    A record that is there already stays in the answer: it may be edited in parts, and is then not
    known here as it will be.

    Attributes:
        coming: DMARC records and report authorisations on their way, by name.
    """

    coming: Mapping[str, str]
    now: Lookup

    def __call__(self, queries: Sequence[Query]) -> Sequence[Answer]:
        """One answer for each query, in the order asked."""
        return [
            self._filled(query, answer)
            for query, answer in zip(queries, self.now(queries), strict=True)
        ]

    def _filled(self, query: Query, answer: Answer) -> Answer:
        text = self.coming.get(query.name) if query.type == "TXT" else None
        if text is None or sum(map(is_dmarc, answer.values)) == 1:
            return answer
        others = (value for value in answer.values if not is_dmarc(value))
        return Answer(Status.OK, (*others, text))


class Authorisation(StrEnum):
    """Whether a host takes the reports of a domain."""

    NOT_NEEDED = "not needed"  # both belong to one organisation
    GRANTED = "granted"
    MISSING = "missing"
    UNKNOWN = "unknown"  # DNS gave no answer


def authorisation_name(policy_domain: str, host: str) -> str:
    """Where ``host`` says that it takes the reports of ``policy_domain``."""
    return f"{policy_domain.rstrip('.')}._report._dmarc.{host.rstrip('.')}".lower()


def is_one_organisation(domain: str, host: str, lookup: Lookup) -> bool:
    """Whether both have one organisational domain, so that neither has to agree to the other.

    Where DNS gives no answer, a host outside of ``domain`` is taken for a foreign one.
    """
    domain, host = (name.lower().rstrip(".") for name in (domain, host))
    if host == domain:
        return True
    return discover(domain, lookup).org_domain == discover(host, lookup).org_domain


def authorisation(domain: str, uri: str, lookup: Lookup) -> Authorisation:
    """Whether reports of ``domain`` may go to ``uri``.

    The host has to agree where the two organisational domains differ; where DNS gives no answer, a
    host outside of ``domain`` is taken for a foreign one. A wildcard (``*._report._dmarc.<host>``)
    needs no second question: DNS answers the first one from it, and so has to a ``lookup`` that
    reads a zone. Raises DmarcSyntaxError if ``uri`` is no report address.
    """
    host = report_host(uri)
    if is_one_organisation(domain, host, lookup):
        return Authorisation.NOT_NEEDED
    name = authorisation_name(domain, host)
    if len(name) > MAX_NAME:
        return Authorisation.MISSING
    (answer,) = lookup([Query(name, "TXT")])
    if answer.status in SILENT:
        return Authorisation.UNKNOWN
    records = [record for record in map(read, answer.values) if record is not None]
    # A rua there replaces ours, and must stay on the same host: otherwise no report is sent.
    replacements = [uri for record in records for uri in record.rua]
    stays = all(uri_problem(uri) is None and report_host(uri) == host for uri in replacements)
    return Authorisation.GRANTED if records and stays else Authorisation.MISSING

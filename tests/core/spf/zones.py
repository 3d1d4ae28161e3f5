"""DNS as a dictionary: zone data in the form of the RFC 7208 suite, served as a ``Lookup``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netcup_mailauth.lookup import Answer, Query, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Zones:
    """Answers from zone data, and remembers what was asked.

    As the suite has it: an ``SPF`` entry stands for ``TXT`` where no ``TXT`` is given,
    ``TXT: NONE`` is no record, and a bare ``TIMEOUT`` is what every type not listed gets.
    """

    def __init__(self, data: Mapping[str, Sequence[Any]]) -> None:
        self.data = {name.lower().rstrip("."): list(entries) for name, entries in data.items()}
        self.batches: list[list[Query]] = []

    @property
    def asked(self) -> list[Query]:
        return [query for batch in self.batches for query in batch]

    def __call__(self, queries: Sequence[Query]) -> list[Answer]:
        self.batches.append(list(queries))
        return [self.answer(query.name, query.type) for query in queries]

    def answer(self, name: str, record_type: str, depth: int = 0) -> Answer:
        assert name == name.lower()
        assert not name.endswith(".")
        if name not in self.data:
            return Answer(Status.NXDOMAIN)
        if depth > 8:
            return Answer(Status.SERVFAIL)
        entries = self.data[name]
        listed = [entry for entry in entries if isinstance(entry, dict)]
        for entry in listed:
            if "CNAME" in entry:
                target = entry["CNAME"].lower().rstrip(".")
                return self.answer(target, record_type, depth + 1)
        wanted = record_type
        if record_type == "TXT" and not any("TXT" in entry for entry in listed):
            wanted = "SPF"
        values = [_text(wanted, entry[wanted]) for entry in listed if wanted in entry]
        values = [value for value in values if value != "NONE"]
        if values:
            return Answer(Status.OK, tuple(values))
        for status in (Status.TIMEOUT, Status.SERVFAIL):
            if status.name in entries:
                return Answer(status)
        return Answer(Status.EMPTY)


def _text(record_type: str, value: Any) -> str:
    if record_type == "MX":
        preference, host = value
        return f"{preference} {host.rstrip('.')}"
    if isinstance(value, list):
        return "".join(value)
    text = str(value)
    return text.rstrip(".") if record_type == "PTR" else text

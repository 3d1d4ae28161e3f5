"""Several journals read as one: of every account and API that a domain was written through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcup_mailauth.state.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from netcup_mailauth.state.entries import Entry


@dataclass(frozen=True, slots=True)
class Journals:
    """What was written from here, whichever of these journals it is in."""

    journals: tuple[Journal, ...]

    @classmethod
    def below(cls, endpoint_folders: Iterable[Path]) -> Journals:
        """The journals of every account that has written to these endpoints from here."""
        paths = [p for folder in endpoint_folders for p in sorted(folder.glob("*/journal"))]
        return cls(tuple(Journal(path.parent) for path in paths))

    def domains(self) -> list[str]:
        """The domains that have entries."""
        return sorted({domain for journal in self.journals for domain in journal.domains()})

    def entries(self, domain: str) -> list[Entry]:
        """The entries of a domain, the newest first."""
        found = (entry for journal in self.journals for entry in journal.entries(domain))
        return sorted(found, key=lambda entry: entry.id, reverse=True)

    def damaged(self, domain: str) -> list[Path]:
        """The files of a domain that hold no entry."""
        return [path for journal in self.journals for path in journal.damaged(domain)]

    def last_verified(self, domain: str) -> Entry | None:
        """The newest write of a domain that was read back as planned."""
        verified = (journal.last_verified(domain) for journal in self.journals)
        return max(filter(None, verified), key=lambda entry: entry.id, default=None)

    def place(self, domain: str = "") -> str:
        """Where the entries of a domain, or of all of them, lie."""
        return " and ".join(str(journal.place(domain)) for journal in self.journals)

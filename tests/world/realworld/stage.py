"""The sandbox as a stage: one zone is shown after another, all at the same addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests import keys
from tests.world.realworld.published import DOMAIN, publish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.process.command import Command
    from tests.world.realworld.published import KeyKind, Published


class Stage:
    """What `apply` published for each kind of key, and any zone made from it."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.sandbox = command.sandbox
        self._published: dict[KeyKind, Published] = {}

    def published(self, kind: KeyKind = "rsa2048") -> Published:
        """What `apply` made of netcup's default zone; it is on the stage now."""
        if kind not in self._published:
            self.sandbox.reset()
            with keys.that_last():
                self._published[kind] = publish(kind, self.command)
        published = self._published[kind]
        self.show(published.records)
        return published

    def show(
        self, records: Sequence[Mapping[str, Any]], world: Mapping[str, str] | None = None
    ) -> None:
        """Let the zone be as given, with these TXT records outside, and mailcow as at first."""
        self.sandbox.reset()
        self.sandbox.set_zone(DOMAIN, records)
        for name, text in (world or {}).items():
            self.sandbox.set_world(name, "TXT", [text])

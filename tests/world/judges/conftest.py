"""The world and the judges, one of each for a whole run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.core.judge.carved import WORLD
from tests.core.judge.cases import DOMAIN, HOSTS
from tests.world.judges import keys as key_maker
from tests.world.judges.dmarc_edits import AFTER, BEFORE
from tests.world.judges.dmarc_records import DMARC_RECORDS
from tests.world.judges.judges import Checkdmarc, Dkimpy, MailDmarc, MailSpf, Pyspf, perl
from tests.world.judges.providers import PROVIDERS
from tests.world.judges.spf_records import SPF_RECORDS
from tests.world.judges.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.world.judges.keys import Keys


@pytest.fixture(scope="session")
def world() -> World:
    world = World()
    world.add_zone(".", PROVIDERS)
    hosts = [f"{line}." if " MX " in line else line for line in HOSTS if "CNAME" not in line]
    world.add_zone(DOMAIN, "\n".join(hosts))
    for name, entries in WORLD.items():
        for kind, value in (pair for entry in entries for pair in entry.items()):
            if kind == "SPF":
                world.add_text(name, [value])
            else:
                world.add_zone(name, f"@ {kind} {value}")
    for spf in SPF_RECORDS:
        world.add_zone(spf.domain, spf.zone)
        world.add_text(spf.domain, spf.strings)
        for text in spf.also:
            world.add_text(spf.domain, [text])
        for name in spf.failing:
            world.fail(f"{name}.{spf.domain}")
    for dmarc in (*DMARC_RECORDS, *BEFORE, *AFTER):
        for text in dmarc.texts:
            world.add_text(f"_dmarc.{dmarc.domain}", [text])
    return world


@pytest.fixture(scope="session")
def port(world: World) -> Iterator[int]:
    with world.served() as port:
        yield port


@pytest.fixture(scope="session")
def keys() -> Keys:
    return key_maker.make()


@pytest.fixture(scope="session")
def pyspf(world: World) -> Pyspf:
    return Pyspf(world)


@pytest.fixture(scope="session")
def mail_spf(port: int) -> Iterator[MailSpf]:
    with perl("Mail::SPF", port) as asked:
        yield MailSpf(asked)


@pytest.fixture(scope="session")
def mail_dmarc(port: int) -> Iterator[MailDmarc]:
    with perl("Mail::DMARC", port) as asked:
        yield MailDmarc(asked)


@pytest.fixture(scope="session")
def checkdmarc(port: int) -> Checkdmarc:
    return Checkdmarc(port)


@pytest.fixture(scope="session")
def dkimpy(keys: Keys) -> Dkimpy:
    return Dkimpy(keys)

"""``records`` of several domains, or of the whole config: each zone of theirs once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from netcup_mailauth import documents, records
from netcup_mailauth.actions.planning import check_that_netcup_may_serve
from netcup_mailauth.cli.output import Progress, complain, say, show, use_colour, width
from netcup_mailauth.cli.run import run
from netcup_mailauth.dnsio.resolver import zone_of
from netcup_mailauth.errors import ExitCode, MailauthError, UnknownZoneError, ZoneError, worst
from netcup_mailauth.kinds import mail_records
from netcup_mailauth.plan import Failure
from netcup_mailauth.policy import DomainPolicy, Wish
from netcup_mailauth.render import markdown
from netcup_mailauth.render.page import Page
from netcup_mailauth.render.zone import where, zone_text
from netcup_mailauth.settings.wishes import wishes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netcup_mailauth.cli.run import Run
    from netcup_mailauth.netcup.api import Backend
    from netcup_mailauth.records import Zone


def listed(domains: tuple[str, ...], mail: bool, output_format: str) -> int:
    """List the zones of these domains; of every domain of the config, if none is named."""
    with run() as current:
        wished = _named(current, domains) if domains else _of_config(current)
        backend = current.backend
        current.announce(wished)
        begun = datetime.now(UTC)
        with Progress(len(wished)) as bar:
            zones, failures = _read(current, wished, bar)
        found = [mail_records(zone) if mail else zone for zone in zones]
        if found:
            show(_shown(found, begun, backend, output_format))
    return worst(failures)


def _named(current: Run, domains: Sequence[str]) -> list[Wish]:
    own = current.config.config.domains
    names = dict.fromkeys(map(records.normalise, domains))
    return [Wish(name, own.get(name) or DomainPolicy()) for name in names]


def _of_config(current: Run) -> list[Wish]:
    """The domains that a plan of the whole config is about."""
    config = current.config
    return wishes(
        (),
        DomainPolicy(),
        (),
        config.config,
        served=lambda: current.mailcow.domains(),
        path=config.path,
    )


def _read(current: Run, wished: Sequence[Wish], bar: Progress) -> tuple[list[Zone], list[ExitCode]]:
    """The zones in which the domains lie, each once; and what the others failed with, told."""
    zones: dict[str, Zone] = {}
    failures = []
    for wish in wished:
        try:
            name = _zone_of(current, wish)
            if name not in zones:
                zones[name] = current.backend.zone(name)
        except MailauthError as error:
            if error.ends_run:
                raise
            elsewhere = isinstance(error, ZoneError) and not isinstance(error, UnknownZoneError)
            if wish.discovered and elsewhere:
                say(f"{wish.domain} is left out: {error.what}")
            else:
                failures.append(error.exit_code)
                complain(wish.domain, Failure.of(error), "text")
        bar.step()
    return list(zones.values()), failures


def _zone_of(current: Run, wish: Wish) -> str:
    name = wish.policy.zone
    if name is None:
        known = records.is_zone_form(wish.domain)
        name = wish.domain if known else zone_of(wish.domain, current.resolver)
    if wish.discovered:  # a miss at netcup counts towards a lock-out
        check_that_netcup_may_serve(name, current.session().lookup())
    return name


def _shown(zones: Sequence[Zone], begun: datetime, backend: Backend, output_format: str) -> str:
    match output_format:
        case "json":
            return documents.dumps(documents.zones_listing(zones, begun))
        case "markdown":
            return markdown.zones_markdown(zones)
        case _:
            page = Page(width(), use_colour())
            return "\n".join(
                zone_text(zone, where(zone.backend, backend.serving(zone.backend).endpoint), page)
                for zone in zones
            )

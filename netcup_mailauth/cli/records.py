"""``records``: list a zone, or each zone of the config."""

from __future__ import annotations

from datetime import UTC, datetime

from netcup_mailauth import records
from netcup_mailauth.cli.output import show, use_colour, width
from netcup_mailauth.cli.run import run
from netcup_mailauth.dnsio.resolver import zone_of
from netcup_mailauth.errors import ExitCode


def command(domains: tuple[str, ...], mail: bool, output_format: str) -> int:
    """List the zones of these domains; of every domain of the config, if none is named."""
    if len(domains) != 1:
        from netcup_mailauth.cli import zones  # one zone does without what many need

        return zones.listed(domains, mail, output_format)
    name = records.normalise(domains[0])
    with run() as current:
        lies_in = current.zone_in_config(name)
        backend = current.backend
        if lies_in is None:
            lies_in = name if records.is_zone_form(name) else zone_of(name, current.resolver)
        begun = datetime.now(UTC)
        zone = backend.zone(lies_in)
    if mail:
        from netcup_mailauth.kinds import mail_records

        zone = mail_records(zone)
    match output_format:
        case "json":
            from netcup_mailauth import documents

            output = documents.dumps(documents.zone_listing(zone, begun))
        case "markdown":
            from netcup_mailauth.render import markdown

            output = markdown.zone_markdown(zone)
        case _:
            from netcup_mailauth.render.page import Page
            from netcup_mailauth.render.zone import where, zone_text

            endpoint = backend.serving(zone.backend).endpoint
            output = zone_text(zone, where(zone.backend, endpoint), Page(width(), use_colour()))
    show(output)
    return ExitCode.OK

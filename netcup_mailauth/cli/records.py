"""``records``: list a zone."""

from __future__ import annotations

from netcup_mailauth import records
from netcup_mailauth.cli.output import show, use_colour, width
from netcup_mailauth.cli.run import run
from netcup_mailauth.dnsio.ask import zone_of


def command(domain: str, mail: bool, output_format: str) -> None:
    """List a zone."""
    name = records.normalise(domain)
    with run() as current:
        lies_in = current.zone_in_config(name)
        backend = current.backend
        if lies_in is None:
            lies_in = name if records.is_zone_form(name) else zone_of(name, current.resolver)
        zone = backend.zone(lies_in)
    if mail:
        from netcup_mailauth.kinds import mail_records

        zone = mail_records(zone)
    match output_format:
        case "json":
            from netcup_mailauth import documents

            output = documents.dumps(documents.zone_listing(zone))
        case "markdown":
            from netcup_mailauth.render import markdown

            output = markdown.zone_markdown(zone)
        case _:
            from netcup_mailauth.render.page import Page
            from netcup_mailauth.render.zone import where, zone_text

            endpoint = backend.serving(zone.backend).endpoint
            output = zone_text(zone, where(zone.backend, endpoint), Page(width(), use_colour()))
    show(output)

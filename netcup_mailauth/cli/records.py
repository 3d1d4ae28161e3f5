"""``records``: list a zone, or each zone of the config."""

from __future__ import annotations

from datetime import UTC, datetime

from netcup_mailauth import documents, records
from netcup_mailauth.cli.output import show, use_colour, width
from netcup_mailauth.cli.run import run
from netcup_mailauth.dnsio.ask import zone_of
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.kinds import mail_records
from netcup_mailauth.render import markdown, text, words
from netcup_mailauth.render.text import Page


def command(domains: tuple[str, ...], mail: bool, output_format: str) -> int:
    """List the zones of these domains; of every domain of the config, if none is named."""
    if len(domains) != 1:
        from netcup_mailauth.cli import zones  # one zone does without what many need

        return zones.listed(domains, mail, output_format)
    name = records.normalise(domains[0])
    with run() as current:
        own = current.config.config.domains.get(name)
        backend = current.backend
        where = own.zone if own else None
        if where is None:
            where = name if records.is_zone_form(name) else zone_of(name, current.resolver)
        begun = datetime.now(UTC)
        zone = backend.zone(where)
    if mail:
        zone = mail_records(zone)
    match output_format:
        case "json":
            output = documents.dumps(documents.zone_listing(zone, begun))
        case "markdown":
            output = markdown.zone_markdown(zone)
        case _:
            served_by = words.where(zone.backend, backend.serving(zone.backend).endpoint)
            output = text.zone_text(zone, served_by, Page(width(), use_colour()))
    show(output)
    return ExitCode.OK

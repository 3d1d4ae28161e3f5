"""``show``: a saved plan, to be looked at."""

from __future__ import annotations

from pathlib import Path

import click

from netcup_mailauth.cli.common import CONTEXT, FORMAT, common_options
from netcup_mailauth.cli.plan import print_plan


@click.command("show", context_settings=CONTEXT)
@click.argument("file", type=click.Path(path_type=Path))
@FORMAT
@click.option("--full", is_flag=True, help="Show values in full, fit to paste.")
@common_options
def command(file: Path, output_format: str, full: bool) -> int:
    """Show the plan in a file that plan --out has written. Asks nobody.

    Exits with 7 if the file was damaged, with 6 if apply would refuse what is in it.

    \b
    netcup-mailauth show plan.json
    netcup-mailauth show plan.json --format markdown
    """
    from netcup_mailauth import planfile
    from netcup_mailauth.actions.planfile import load

    saved = load(file)
    print_plan(saved.plan, output_format, full, saved.grounds, file)
    planfile.check_content(saved)
    return 0

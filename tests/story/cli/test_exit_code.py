"""``plan --exit-code`` tells a job what ``apply`` would do: nothing, write, or refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.errors import ExitCode
from tests.apis import each_api
from tests.story.wanted import WISH

if TYPE_CHECKING:
    from tests.apis import Api
    from tests.story.inprocess import Cli

api = each_api
HELD = ("example.com", "--spf", "v=spf1 mx a -all")
REFUSED = ("example.com", "--spf", "v=spf1 mx include:example.com -all")


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (("example.com", *WISH), ExitCode.CHANGES_PENDING),
        (HELD, ExitCode.REFUSED),
        (REFUSED, ExitCode.REFUSED),
        ((*HELD, "--dmarc", "v=DMARC1;p=none"), ExitCode.REFUSED),  # DMARC would be written
        ((*HELD, "--allow", "spf-drops-sender"), ExitCode.CHANGES_PENDING),
        ((*HELD, "--spf-drop", "include:_spf.webhosting.systems"), ExitCode.CHANGES_PENDING),
        (("example.com", "--spf-require", "mx"), ExitCode.OK),
    ],
)
@pytest.mark.parametrize("output_format", ["text", "json", "markdown"])
def test_a_plan_ends_as_its_apply_would(
    cli: Cli, api: Api, wish: tuple[str, ...], code: ExitCode, output_format: str
) -> None:
    planned = cli("plan", *wish, "--exit-code", "--format", output_format)
    assert planned.code == code
    assert cli("plan", *wish).code == ExitCode.OK
    assert api.writes(cli.sandbox) == 0
    refused = ExitCode.REFUSED if code == ExitCode.REFUSED else ExitCode.OK
    assert cli("apply", *wish, "--yes").code == refused

"""What a reviewer gets of hostile zones: each rendered as a forge does, and nothing in it works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.render.forge import LONGEST, MOST
from tests.core.judge.cases import key_record
from tests.hostile import ATTACKS
from tests.rendering import is_harmless

if TYPE_CHECKING:
    from tests.story.inprocess import Cli

SPF, DMARC = "v=spf1 mx -all", "v=DMARC1;p=quarantine;rua=mailto:dmarc@example.com"
WHOLE = ("--spf", SPF, "--dkim", key_record(), "--selector", "dkim", "--dmarc", DMARC)
PARTS = ("--spf-require", "a", "--rua", "mailto:dmarc@example.com", "--spf-all", "fail")
RUNS = {
    "plan of whole records": ("plan", *WHOLE),
    "plan of parts": ("plan", *PARTS),
    "plan in full": ("plan", *WHOLE, "--full"),
    "refused": ("apply", *WHOLE, "--yes"),
    "records": ("records",),
    "check": ("check",),
    "check of a wish": ("check", *WHOLE, "--full"),
}
ENDLESS = ("x" * 60_000, "@everyone " * 6_000, "`" * 60_000)


def zone(text: str) -> list[dict[str, str]]:
    """A zone in which ``text`` stands wherever a text may stand."""
    texts = {
        "@": (f"v=spf1 mx a include:{text} x={text} ~all", text),
        "_dmarc": (f"v=DMARC1;p=none;rua=mailto:{text};x={text};{text}",),
        "dkim._domainkey": (f"{key_record(number=2)};n={text}",),
        "other._domainkey": (f"v=DKIM1;p={text}",),
    }
    rows = [("@", "A", "203.0.113.80"), ("mail", "A", "203.0.113.25")]
    rows += [("@", "MX", "mail.example.com"), ("www", "CNAME", "example.com")]
    rows += [(host, "TXT", value) for host, values in texts.items() for value in values]
    return [
        {"hostname": host, "type": type_, "priority": "10", "destination": value}
        for host, type_, value in rows
    ]


@pytest.mark.parametrize("run", RUNS)
def test_no_zone_puts_a_link_a_mention_or_a_command_into_a_review(cli: Cli, run: str) -> None:
    command, *options = RUNS[run]
    turn = list(RUNS).index(run) % 2  # as many as the sandbox's limit of calls has room for
    for attack in filter(None, (*ATTACKS[turn::2], *ENDLESS)):
        cli.sandbox.set_zone("example.com", zone(attack))
        ended = cli(command, "example.com", *options, "--format", "markdown")
        assert ended.stdout, ended.stderr
        assert len(ended.stdout) <= (LONGEST if command in ("records", "check") else MOST)
        is_harmless(ended.stdout)


def test_a_review_says_what_the_guard_would_stop_and_how_to_go_on(cli: Cli) -> None:
    cli.sandbox.set_zone("example.com", zone("x.example"))
    out = cli("plan", "example.com", "--spf", SPF, "--format", "markdown").stdout
    head, _, rest = out.partition("###")
    assert "is stopped by `spf-drops-sender`" in head
    assert rest.index("> [!CAUTION]") < rest.index("```diff") < rest.index("**Safer:**")
    commands = [code for code in is_harmless(out).codes if code.startswith("netcup-mailauth ")]
    assert len(commands) == 2
    assert commands[1].endswith(" --spf-drop a --spf-drop include:x.example\n")

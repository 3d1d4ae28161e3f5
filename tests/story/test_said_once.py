"""Why a domain failed is told once: on stderr, whatever is on stdout, and in the same log too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.apis import on_ccp

if TYPE_CHECKING:
    from tests.story.inprocess import Cli

MILD = ("--dmarc", "v=DMARC1;p=none;rua=mailto:postmaster@example.com")
NOT_HERE = "does not serve the zone"
MANY = tuple(f"foreign{number}.example" for number in range(6))

pytestmark = on_ccp


def squashed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("domains", [("foreign.example",), ("example.com", "foreign.example")])
@pytest.mark.parametrize(
    "words", [("plan",), ("apply", "--yes"), ("plan", "-q"), ("apply", "--yes", "-q")]
)
def test_of_one_domain_and_of_two(
    cli: Cli, words: tuple[str, ...], domains: tuple[str, ...]
) -> None:
    code, out, err = cli(words[0], *domains, *MILD, *words[1:])
    assert code == 5
    assert NOT_HERE not in squashed(out)
    assert squashed(err).count(NOT_HERE) == 1
    assert re.search(r"^foreign\.example: failed", out, re.MULTILINE)


@pytest.mark.parametrize("words", [("plan",), ("apply", "--yes")])
def test_of_so_many_that_a_table_ends_the_run(cli: Cli, words: tuple[str, ...]) -> None:
    _, out, err = cli(words[0], *MANY, *MILD, *words[1:])
    for domain in MANY:
        reasons = re.findall(rf"{domain}: (?!failed|not tried)\S.*", out + err)
        assert len(reasons) <= 1, reasons
        assert domain in out


def test_of_a_refusal(cli: Cli) -> None:
    code, out, err = cli("apply", "example.com", "--spf", "v=spf1 mx a -all", "--yes")
    assert code == 6
    assert "nothing was written" not in out
    assert err.count("nothing was written") == 1
    assert "example.com: refused" in out


def test_of_a_check(cli: Cli) -> None:
    code, out, err = cli("check", "foreign.example", "example.com")
    assert code in (5, 8)
    assert out.startswith("foreign.example: failed\n\nexample.com")
    assert err.count("netcup-mailauth: foreign.example") == 1


def test_of_a_saved_plan(cli: Cli) -> None:
    cli("plan", "foreign.example", "example.com", *MILD, "--out", "plan.json")
    _, out, err = cli("show", "plan.json")
    assert "foreign.example: failed" in out
    assert NOT_HERE not in squashed(out)
    assert squashed(err).count(NOT_HERE) == 1


def test_a_domain_whose_turn_did_not_come_has_not_failed(cli: Cli) -> None:
    cli.sandbox.fault("infoDnsRecords", "lockout")
    _, out, err = cli("plan", "a.example", "b.example", *MILD)
    assert "a.example: failed" in out
    assert "b.example: not tried" in out
    assert err.count("b.example") == 1


def test_a_usage_error_of_several_lines_keeps_them(cli: Cli) -> None:
    (cli.folder / "netcup-mailauth.toml").write_text('[domains."example.com"]\nspff = "x"\nq = 1\n')
    code, _, err = cli("plan", "example.com")
    assert code == 2
    first, *problems = err.splitlines()
    assert first.startswith("netcup-mailauth: ")
    assert len([line for line in problems if line.startswith("  ")]) >= 2

"""What a run over many domains asks of the API; how long it takes is for ``tests/bench``."""

from __future__ import annotations

import pytest

from tests.bench.peers import Measured, contestants, measured, table
from tests.bench.thousand import nothing_to_do


@pytest.fixture(scope="module")
def found() -> dict[str, Measured]:
    """Us with five jobs and with one, and the bare client; the API answers at once."""
    return {one.name: measured(one, latency=0.0) for one in contestants()[:3]}


def test_we_make_the_calls_of_a_bare_client(found: dict[str, Measured]) -> None:
    bare = found["the same calls, bare, over one connection"]
    assert found["netcup-mailauth"].calls == bare.calls == 22
    assert found["netcup-mailauth"].connections == 1


def test_jobs_side_by_side_make_no_call_more_and_have_a_connection_each(
    found: dict[str, Measured],
) -> None:
    parallel = found["netcup-mailauth `--jobs 5`"]
    assert parallel.calls == found["netcup-mailauth"].calls
    assert parallel.connections <= 5


def test_a_run_with_nothing_to_do_costs_a_call_for_each_domain_and_little_memory() -> None:
    one, many = (nothing_to_do(number) for number in (1, 300))
    assert [run.calls for run in (one, many)] == [3, 302]
    assert many.megabytes < 80


def test_the_table_is_markdown_with_the_ratios_to_us() -> None:
    rows = table([("a", Measured(2.0, 22, 1, 1.0)), ("netcup-mailauth", Measured(4.0, 22, 1))])
    assert rows.splitlines()[2:] == [
        "| a | 22 | 1 | 2.0 s | 0.50 | 0.25 |",
        "| netcup-mailauth | 22 | 1 | 4.0 s | 1.00 | 0.00 |",
    ]

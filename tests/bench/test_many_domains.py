"""The figures for many domains, as ratios within one run; ``figures.py`` prints them in full."""

from __future__ import annotations

import pytest

from tests.bench.peers import LATENCY, Contestant, Measured, contestants, measured, table
from tests.bench.thousand import nothing_to_do


@pytest.fixture(scope="module")
def found() -> dict[str, Measured]:
    """Us serial and parallel, and the bare client; the full table takes a minute."""
    return {one.name: undisturbed(one) for one in contestants()[:3]}


def undisturbed(one: Contestant, latency: float = LATENCY) -> Measured:
    """The better of two runs: whatever else the machine does can only make one slower."""
    return min((measured(one, latency) for _ in range(2)), key=lambda run: run.seconds)


@pytest.fixture(scope="module")
def start_up() -> float:
    """What of our time is start-up, reading and judging: a run that never waits for the network.

    The bare client's own start-up is left out, which is to our disadvantage.
    """
    return undisturbed(contestants()[1], latency=0.0).seconds


BARE = "the same calls, bare, over one connection"


def test_we_make_the_calls_of_a_bare_client(found: dict[str, Measured]) -> None:
    assert found["netcup-mailauth"].calls == found[BARE].calls == 22
    assert found["netcup-mailauth"].connections == 1


def test_we_are_as_quick_as_a_bare_client_but_for_the_start_up(
    found: dict[str, Measured], start_up: float
) -> None:
    assert found["netcup-mailauth"].seconds - start_up <= 1.15 * found[BARE].seconds


def test_five_jobs_take_at_most_half_the_time(found: dict[str, Measured], start_up: float) -> None:
    """But for the start-up, which on a busy machine may be as long as the rest."""
    parallel, serial = found["netcup-mailauth `--jobs 5`"], found["netcup-mailauth"]
    assert parallel.seconds - start_up <= 0.5 * (serial.seconds - start_up)
    assert parallel.calls == serial.calls
    assert parallel.connections <= 5


def test_a_run_with_nothing_to_do_costs_a_call_for_each_domain_and_little_memory() -> None:
    """And twice as many domains take no more than twice the CPU time beyond the start-up."""
    none, some, twice = (nothing_to_do(number) for number in (1, 150, 300))
    assert [run.calls for run in (none, some, twice)] == [3, 152, 302]
    assert twice.megabytes < 80
    assert twice.cpu - none.cpu <= 2.0 * 1.3 * (some.cpu - none.cpu)


def test_the_table_is_markdown_with_the_ratios_to_us() -> None:
    rows = table([("a", Measured(2.0, 22, 1)), ("netcup-mailauth", Measured(4.0, 22, 1))])
    assert rows.splitlines()[2:] == [
        "| a | 22 | 1 | 2.0 s | 0.50 |",
        "| netcup-mailauth | 22 | 1 | 4.0 s | 1.00 |",
    ]
    assert LATENCY == 0.1

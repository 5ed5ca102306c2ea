"""On days that lead each of the usual strategies astray, the engine sells no unit twice and ends right.

The figures over many days are in docs/performance.md; `python -m tests.bench.strategies` makes them.
"""

import logging
from collections.abc import Iterator

import pytest

from core import clock
from tests.simulation.desk import NOON
from tests.simulation.market import Tally, in_one_thread, new_shop
from tests.simulation.strategies import day

SEEDS = (5, 8, 13)
OURS = "Evenstock, last units split"
USUAL = ("last writer wins", "minimum of both", "three-way merge", "absolute push")


@pytest.fixture(scope="module")
def days() -> Iterator[dict[str, list[Tally]]]:
    logging.disable(logging.CRITICAL)
    try:
        with in_one_thread():
            with clock.turned(NOON) as time:
                shop = new_shop(time)
            yield {name: [day(name, seed, shop) for seed in SEEDS] for name in (*USUAL, OURS)}
    finally:
        logging.disable(logging.NOTSET)


def oversold(days: list[Tally]) -> float:
    return sum(each.oversold for each in days) / sum(each.sold for each in days)


@pytest.mark.parametrize("usual", USUAL)
def test_fewer_units_are_oversold_than_by_the_usual_strategies(days: dict[str, list[Tally]], usual: str) -> None:
    assert oversold(days[OURS]) < oversold(days[usual])


def test_no_unit_is_sold_twice_and_both_channels_end_right(days: dict[str, list[Tally]]) -> None:
    assert [(each.oversold, each.wrong) for each in days[OURS]] == [(0, False)] * len(SEEDS)


def test_there_are_at_most_six_writes_for_five_units_sold(days: dict[str, list[Tally]]) -> None:
    assert sum(each.writes for each in days[OURS]) <= 1.2 * sum(each.sold for each in days[OURS])


def test_numbers_are_compared_with_what_is_really_there(days: dict[str, list[Tally]]) -> None:
    for usual in ("last writer wins", "minimum of both"):
        assert any(each.wrong for each in days[usual]), "a strategy that loses changes must be caught at it"

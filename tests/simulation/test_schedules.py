"""Random days from printed seeds. Replay a failing one: EVENSTOCK_SEED=17 pytest tests/simulation/test_schedules.py."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from core import clock
from tests.simulation.schedule import Day
from tests.simulation.world import KINDS, World, mould

STEPS = 60
HTTP = 15  # every so many days, the requests travel over real connections
DAYS = int(os.environ.get("EVENSTOCK_DAYS", "300"))
FIRST = int(os.environ.get("EVENSTOCK_FIRST", "1"))
GIVEN = os.environ.get("EVENSTOCK_SEED")
SEEDS = [int(GIVEN)] if GIVEN else list(range(FIRST, FIRST + DAYS))
TYPED = SEEDS[:: 1 if GIVEN else 4]


@pytest.fixture(scope="module")
def figures() -> Counter[str]:
    """What all days of this run sold, sent and sold twice."""
    return Counter()


def live(seed: int, moulds: Path, folder: Path, figures: Counter[str], *, typed: bool) -> None:
    kind = KINDS[seed % len(KINDS)]
    made = mould(kind, moulds)
    with clock.turned(made.seconds) as time:
        world = World(folder, made, time, http=seed % HTTP == 0)
        day = Day(world, seed, typed=typed)
        print(f"EVENSTOCK_SEED={seed} ({kind})")
        try:
            day.live(STEPS)
            day.end()
            world.check_books()
            world.check_shelf()
            world.check_even()
            assert day.undecided() == []
        finally:
            print("\n".join(day.told), dict(day.counts))
            world.close()
    figures.update(day.counts, days=1)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_of_sales_and_faults_ends_with_the_shelf_in_every_book(
    seed: int, inside: None, moulds: Path, folder: Path, figures: Counter[str]
) -> None:
    """No number is typed on TikTok: nothing is asked, nothing is raised beyond the shelf, every unit is found again."""
    live(seed, moulds, folder, figures, typed=False)


@pytest.mark.parametrize("seed", TYPED)
def test_a_day_with_numbers_typed_on_tiktok_ends_even_once_the_owner_has_decided(
    seed: int, inside: None, moulds: Path, folder: Path, figures: Counter[str]
) -> None:
    live(seed, moulds, folder, figures, typed=True)


def test_the_days_together_need_few_writes(
    inside: None, moulds: Path, folder: Path, figures: Counter[str], record_property: Callable[[str, object], None]
) -> None:
    if not figures:
        live(SEEDS[0], moulds, folder, figures, typed=False)
    for name, value in figures.items():
        record_property(name, value)
    print(dict(figures))
    assert figures["writes"] <= 1.2 * figures["sold"]

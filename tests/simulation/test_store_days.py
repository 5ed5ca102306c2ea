"""Random days of two channels. Replay a failing one: EVENSTOCK_SEED=17 pytest tests/simulation/test_store_days.py."""

import os

import pytest

from tests.simulation.desk import Desk
from tests.simulation.store_days import StoreDay
from tests.simulation.two_channels import Both

STEPS = 120
DAYS = int(os.environ.get("EVENSTOCK_DAYS", "4"))
GIVEN = os.environ.get("EVENSTOCK_SEED")
SEEDS = [int(GIVEN)] if GIVEN else list(range(1, DAYS + 1))


@pytest.mark.parametrize("compares", [True, False], ids=["compares", "does not compare"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_of_two_channels_ends_with_the_shelf_in_every_book(desk: Desk, seed: int, *, compares: bool) -> None:
    day = StoreDay(Both(desk, compares=compares), seed)
    print(f"EVENSTOCK_SEED={seed}")
    try:
        day.live(STEPS)
        day.end()
        day.check()
    finally:
        print("\n".join(day.told))

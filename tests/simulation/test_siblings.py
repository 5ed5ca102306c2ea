"""Two shops that sell the same item: what is not known of one must never be offered by the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core import clock
from tests.simulation.world import World, mould


@pytest.fixture
def world(inside: None, moulds: Path, folder: Path) -> Iterator[World]:
    made = mould("two shops", moulds)
    with clock.turned(made.seconds) as time:
        found = World(folder, made, time)
        yield found
        found.close()


def test_an_unseen_order_behind_a_shipment_is_not_offered_by_the_other_shop(world: World) -> None:
    """One order is known, one is not, and the known one ships: TikTok's committed units look as if all were known."""
    (desk, second), (_, sku) = world.desks, world.focus[-1]
    practice = desk.practice
    known = practice.buy(sku)
    desk.settle(rounds=1)
    practice.buy(sku)
    world.time.turn(5)
    desk.read_stock()
    second.sync("stock")
    second.push()
    shown = second.shown(sku)
    practice.ship(known)
    world.shelf[world.parts[0, sku][0][0]] -= 1
    world.time.turn(5)
    desk.read_stock()
    second.sync("stock")
    second.push()
    assert second.shown(sku) == shown, "the order that is not known yet still holds its unit"
    for _ in range(3):
        desk.settle(rounds=1)
        second.settle(rounds=1)
    assert second.shown(sku) == shown
    world.check_books()
    world.check_even()

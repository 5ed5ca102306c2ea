"""The cursor of the orders moves behind what is stored and never before it."""

import pytest

from core.tiktok.errors import TikTokError
from tests.simulation.desk import Desk


def test_a_reading_that_failed_at_once_is_made_up_for_however_late_the_next_one_comes(desk: Desk, sku: str) -> None:
    order = desk.practice.buy(sku)
    desk.time.turn(3_600)
    desk.practice.trouble("server_error")
    with pytest.raises(TikTokError):
        desk.sync("orders")
    desk.practice.clear_trouble()
    desk.time.turn(3_600)
    desk.sync("orders")
    assert desk.rows("SELECT id FROM orders WHERE id = :id", id=order) == [(order,)]

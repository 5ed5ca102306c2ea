"""More of a shop owner's days: counts, mass changes, late orders, and what is told of a failure."""

import json

import pytest

from core import clock
from core.practice.bodies import SoldSku
from core.sync.drift import SURE_AFTER_MS
from core.tiktok.errors import TikTokError
from tests.simulation.desk import Desk

SURE = SURE_AFTER_MS / 1000


def test_a_late_shipment_after_a_count_is_not_taken_off_again(desk: Desk, sku: str) -> None:
    order = desk.practice.buy(sku)
    desk.settle(rounds=1)
    on_hand = desk.have(sku)[0]
    desk.practice.ship(order)
    desk.time.turn(60)
    desk.count(sku, on_hand - 1)
    desk.settle(rounds=2)
    assert desk.have(sku) == (on_hand - 1, 0)
    desk.check_books()
    desk.check_even()


def test_a_mass_change_to_zero_stops_and_asks_and_a_plan_sends_it_with_its_typed_number(desk: Desk) -> None:
    skus = desk.skus()
    for sku in skus:
        desk.count(sku, 0)
    desk.push()
    assert desk.updates() == []
    assert desk.rows("SELECT DISTINCT state FROM outbox WHERE sku_id IN (SELECT sku_id FROM link)") == [("held",)]
    runs_told = desk.rows("SELECT sentence FROM run WHERE status = 'held'")
    assert len(runs_told) == 1
    desk.settle(rounds=5)
    assert desk.updates() == []
    assert desk.rows("SELECT sentence FROM run WHERE status = 'held'") == runs_told, "it is said once"
    desk.resync()
    assert {desk.shown(sku) for sku in skus} == {0}


def test_the_same_failure_of_a_timed_sync_is_told_once(desk: Desk) -> None:
    desk.practice.trouble("server_error")
    for _ in range(4):
        desk.time.turn(300)
        with pytest.raises(TikTokError):
            desk.sync("all")
    failed = desk.rows("SELECT status, ended_at, counts FROM run WHERE status = 'failed'")
    assert len(failed) == 1
    assert clock.now_ms() - failed[0].ended_at < 60_000, "the one row lasts until now"
    assert json.loads(failed[0].counts)["times"] == 4
    desk.practice.clear_trouble()
    desk.settle(rounds=1)
    assert desk.rows("SELECT problem FROM shop WHERE problem IS NOT NULL") == []


def test_an_order_that_tiktok_showed_a_day_late_is_found_by_the_deep_reading_of_the_next_day(
    desk: Desk, sku: str
) -> None:
    early = desk.practice.now()
    desk.time.turn(20 * 3600)
    desk.practice.buy(sku)
    desk.sync("all")
    truth = desk.practice.truth(sku)
    sold = SoldSku(truth.sku_id, truth.product_id, truth.seller_sku, truth.title, truth.variant, truth.price)
    desk.practice.parts.orders.place([sold], truth.warehouses[0].warehouse_id, at=early, paid=True, by_hand=True)
    desk.settle(rounds=2)
    on_hand, reserved = desk.have(sku)
    assert desk.shown(sku) == on_hand - reserved - 1, "held back by TikTok's committed units all along"
    desk.time.turn(5 * 3600)
    desk.settle(rounds=1)
    desk.check_books()
    desk.check_even()


def test_products_that_need_a_person_do_not_keep_orders_and_stock_from_being_read(desk: Desk, sku: str) -> None:
    order = desk.practice.buy(sku)
    desk.practice.trouble("missing_scope", path="/products/search")
    desk.time.turn(60)
    with pytest.raises(TikTokError):
        desk.sync("all")
    assert desk.rows("SELECT id FROM orders WHERE id = :id", id=order)
    assert desk.one("SELECT committed FROM listing WHERE sku_id = :s", s=sku) == 1

"""Goods in two locations, each serving a warehouse of the practice shop: what is sold and sent by which of them."""

import json
from typing import Any

import pytest

from core.practice.identity import MAIN_WAREHOUSE as W1
from core.practice.identity import SECOND_WAREHOUSE as W2
from core.sync import ledger, places
from core.sync.places import Mapped, Transfer
from tests.simulation.desk import Desk

STORE, GARAGE = 1, 2


@pytest.fixture
def sku(desk: Desk) -> str:
    """A listing that lies in both warehouses with a good number of units."""
    both = [one for one in desk.skus() if len(desk.practice.truth(one).warehouses) == 2]
    return max(both, key=lambda one: min(held.available for held in desk.practice.truth(one).warehouses))


@pytest.fixture
def two(desk: Desk, sku: str) -> Desk:
    """Ten units in the store serve W1, six in the garage serve W2, and TikTok shows so; other listings as before."""
    assert places.add(desk.store, "Garage") == GARAGE
    for truth in desk.practice.truths():
        if truth.sku_id in desk.skus():
            for held in truth.warehouses if len(truth.warehouses) == 2 else ():
                units = {W1: 10, W2: 6}[held.warehouse_id] if truth.sku_id == sku else held.available
                place = {W1: STORE, W2: GARAGE}[held.warehouse_id]
                booked = desk.have(truth.sku_id)[1] if place == STORE else 0
                ledger.record_count(desk.store, truth.seller_sku, units + booked, actor="test", location_id=place)
    places.map_warehouses(desk.store, [Mapped(desk.shop.shop_id, W2, GARAGE)])
    desk.settle(rounds=3)
    desk.sent.clear()
    assert shown(desk, sku) == {W1: 10, W2: 6}
    return desk


def shown(desk: Desk, sku: str) -> dict[str, int]:
    return {held.warehouse_id: held.available for held in desk.practice.truth(sku).warehouses}


def written(desk: Desk, sku: str) -> list[dict[str, int]]:
    """The numbers of each write of this listing, by warehouse."""
    found = []
    for _, body in desk.updates():
        for each in json.loads(body)["skus"]:
            if each["id"] == sku:
                found.append({row["warehouse_id"]: row["quantity"] for row in each["inventory"]})
    return found


def lying(desk: Desk, sku: str) -> dict[int, tuple[int, int]]:
    rows = desk.rows(
        "SELECT v.location_id, v.on_hand, v.reserved FROM link k JOIN level v ON v.item_id = k.item_id "
        "WHERE k.sku_id = :sku ORDER BY 1", sku=sku,
    )  # fmt: skip
    return {row.location_id: (row.on_hand, row.reserved) for row in rows}


def test_e7_a_sale_from_one_warehouse_holds_units_in_its_location_and_lowers_only_that_one(two: Desk, sku: str) -> None:
    before = lying(two, sku)
    two.practice.buy(sku, 2, warehouse_id=W2)
    two.settle(rounds=2)
    assert shown(two, sku) == {W1: 10, W2: 4}
    assert lying(two, sku)[GARAGE] == (before[GARAGE][0], before[GARAGE][1] + 2)
    assert lying(two, sku)[STORE] == before[STORE]
    assert written(two, sku) == [], "TikTok's own sale has lowered it"
    two.check_books()


def test_e7_an_own_sale_lowers_the_warehouse_of_its_location_and_both_are_in_the_write(two: Desk, sku: str) -> None:
    seller = two.practice.truth(sku).seller_sku
    ledger.record_sale(two.store, seller, 2, actor="test", location_id=GARAGE)
    two.push()
    assert written(two, sku) == [{W1: 10, W2: 4}]
    ledger.record_sale(two.store, seller, 3, actor="test")
    two.push()
    assert written(two, sku)[1:] == [{W1: 7, W2: 4}]
    two.check_books()
    two.check_even()


def test_e7_a_unit_sold_from_the_other_warehouse_while_a_write_is_under_way_is_taken_back_there(
    two: Desk, sku: str
) -> None:
    set_stock = two.shop.api.set_stock

    def buyer_in_between(*given: object, **more: object) -> Any:
        two.shop.api.set_stock = set_stock  # type: ignore[method-assign]
        two.practice.buy(sku, 1, warehouse_id=W2)
        return set_stock(*given, **more)  # type: ignore[arg-type]

    two.shop.api.set_stock = buyer_in_between  # type: ignore[assignment, method-assign]
    ledger.record_sale(two.store, two.practice.truth(sku).seller_sku, 2, actor="test")
    two.push()
    assert written(two, sku) == [{W1: 8, W2: 6}, {W1: 8, W2: 5}]
    assert shown(two, sku) == {W1: 8, W2: 5}
    two.settle(rounds=3)
    assert shown(two, sku) == {W1: 8, W2: 5}
    two.check_books()
    two.check_even()


def test_goods_that_are_carried_over_are_offered_where_they_lie_then(two: Desk, sku: str) -> None:
    places.move(two.store, Transfer(two.practice.truth(sku).seller_sku, 4, STORE, GARAGE))
    two.push()
    assert shown(two, sku) == {W1: 6, W2: 10}
    two.settle(rounds=2)
    assert shown(two, sku) == {W1: 6, W2: 10}
    two.check_even()


def test_what_is_offered_from_the_wrong_warehouse_is_put_right_although_the_sum_is_even(two: Desk, sku: str) -> None:
    two.practice.set_stock(sku, 12, W1)
    two.practice.set_stock(sku, 4, W2)
    two.settle(rounds=3)
    assert shown(two, sku) == {W1: 10, W2: 6}
    two.check_even()


def test_a_cancelled_order_gives_its_units_back_where_they_were_held(two: Desk, sku: str) -> None:
    order = two.practice.buy(sku, 2, warehouse_id=W2)
    two.settle(rounds=1)
    places.map_warehouses(two.store, [Mapped(two.shop.shop_id, W2, STORE)])
    two.practice.cancel(order)
    two.settle(rounds=3)
    assert lying(two, sku)[GARAGE] == (6, 0)
    two.check_books()


def test_shipped_units_leave_their_location(two: Desk, sku: str) -> None:
    before = lying(two, sku)
    order = two.practice.buy(sku, 2, warehouse_id=W2)
    two.settle(rounds=1)
    for event in ("ship", "collect"):
        two.practice.act(order, event)
    two.settle(rounds=2)
    assert lying(two, sku) == {STORE: before[STORE], GARAGE: (before[GARAGE][0] - 2, before[GARAGE][1])}
    assert shown(two, sku) == {W1: 10, W2: 4}
    two.check_books()
    two.check_even()

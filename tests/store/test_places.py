"""Locations: where movements are booked, what lies where, and what a change of them would do to TikTok's numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from core.store import tables as t
from core.store.engine import Store, open_store
from core.store.queries import places as known
from core.sync import ledger
from tests.store.books import DAY_ZERO, SHOP, furnish, put

STORE, GARAGE = 1, 2


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Items 1 to 3 and their listings; warehouse W1 is served from Store, W2 from Garage."""
    opened = open_store(f"sqlite:///{tmp_path / 'evenstock.db'}")
    with opened.write() as c:
        furnish(c)
        put(c, t.Location, id=GARAGE, name="Garage")
        put(c, t.Warehouse, shop_id=SHOP, id="W1", name="Main", kind="SALES_WAREHOUSE", is_default=True)
        put(c, t.Warehouse, shop_id=SHOP, id="W2", name="Second", kind="SALES_WAREHOUSE", location_id=GARAGE)
    yield opened
    opened.close()


def line(number: str, sku: str = "A", status: str = "AWAITING_SHIPMENT", *, shipped: bool = False) -> dict[str, Any]:
    return {
        "id": number, "order_id": "O", "sku_id": sku, "status": status, "components": "", "shipped": shipped,
        "shipped_time": DAY_ZERO if shipped else None,
    }  # fmt: skip


def book(store: Store, warehouse: str, *lines: dict[str, Any]) -> None:
    with store.write() as c:
        ledger.book_lines(c, SHOP, {"O": {"fulfillment_type": "", "warehouse_id": warehouse}}, lines)


def levels(store: Store, item: int = 1) -> dict[int, tuple[int, int]]:
    query = text("SELECT location_id, on_hand, reserved FROM level WHERE item_id = :i ORDER BY 1")
    with store.read() as c:
        return {row.location_id: (row.on_hand, row.reserved) for row in c.execute(query, {"i": item})}


def serve(c: Connection, warehouse: str, place: int) -> None:
    c.execute(text("UPDATE warehouse SET location_id = :p WHERE id = :w"), {"p": place, "w": warehouse})


def test_an_order_holds_units_where_its_warehouse_is_served_from(store: Store) -> None:
    book(store, "W2", line("1"), line("2"))
    book(store, "W1", line("3"))
    assert levels(store) == {STORE: (0, 1), GARAGE: (0, 2)}


def test_a_warehouse_that_is_mapped_nowhere_or_not_known_is_served_from_the_store(store: Store) -> None:
    book(store, "W1", line("1"))
    book(store, "W9", line("2"))
    book(store, "", line("3"))
    assert levels(store) == {STORE: (0, 3)}


def test_what_is_booked_stays_where_it_is_when_its_warehouse_is_mapped_elsewhere(store: Store) -> None:
    book(store, "W2", line("1"), line("2"))
    with store.write() as c:
        serve(c, "W2", STORE)
    book(store, "W2", line("1", status="CANCELLED"), line("2", status="IN_TRANSIT", shipped=True))
    assert levels(store) == {GARAGE: (-1, 0)}
    book(store, "W2", line("4"))
    assert levels(store) == {STORE: (0, 1), GARAGE: (-1, 0)}


def test_a_line_that_comes_back_after_its_cancellation_is_held_where_it_was(store: Store) -> None:
    book(store, "W2", line("1"))
    book(store, "W2", line("1", status="CANCELLED"))
    with store.write() as c:
        serve(c, "W2", STORE)
    book(store, "W2", line("1"))
    assert levels(store) == {GARAGE: (0, 1)}


def test_what_was_booked_before_there_was_a_second_location_is_released_in_the_first(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'one.db'}")
    with store.write() as c:
        furnish(c)
    book(store, "W2", line("1"))
    with store.write() as c:
        put(c, t.Location, id=GARAGE, name="Garage")
        put(c, t.Warehouse, shop_id=SHOP, id="W2", name="Second", kind="SALES_WAREHOUSE", location_id=GARAGE)
    book(store, "W2", line("1", status="CANCELLED"))
    assert levels(store) == {STORE: (0, 0)}
    store.close()


def test_a_bundle_holds_its_parts_in_one_location(store: Store) -> None:
    book(store, "W2", line("1", sku="B"))
    assert levels(store, 1) == {GARAGE: (0, 2)}
    assert levels(store, 2) == {GARAGE: (0, 1)}


def test_a_count_and_a_sale_concern_one_location(store: Store) -> None:
    ledger.record_count(store, "I1", 10, actor="owner")
    assert ledger.record_count(store, "I1", 4, actor="owner", location_id=GARAGE) == 4
    assert ledger.record_sale(store, "I1", 3, actor="owner", location_id=GARAGE) == 11
    assert levels(store) == {STORE: (10, 0), GARAGE: (1, 0)}
    assert ledger.record_count(store, "I1", 2, actor="owner", location_id=GARAGE) == 1


def test_the_proof_adds_up_each_location_by_itself(store: Store) -> None:
    ledger.record_count(store, "I1", 10, actor="owner")
    ledger.record_count(store, "I1", 4, actor="owner", location_id=GARAGE)
    with store.write() as c:
        assert ledger.prove(c).broken == ()
        c.execute(text("UPDATE level SET on_hand = on_hand + 1 WHERE location_id = 1"))
        c.execute(text("UPDATE level SET on_hand = on_hand - 1 WHERE location_id = 2"))
        assert ledger.prove(c).broken == ("I1",)


def test_what_lies_where_is_told_with_the_warehouses_that_are_served(store: Store) -> None:
    ledger.record_count(store, "I1", 10, actor="owner")
    ledger.record_count(store, "I2", 4, actor="owner", location_id=GARAGE)
    book(store, "W2", line("1"))
    with store.read() as c:
        shop, garage = known.places(c)
        assert (shop.name, shop.items, shop.on_hand, shop.reserved, shop.serves) == ("Store", 1, 10, 0, ("Main",))
        assert (garage.name, garage.items, garage.on_hand, garage.reserved) == ("Garage", 2, 4, 1)
        assert garage.serves == ("Second",)
        assert [(each.name, each.on_hand) for each in known.lies(c, "I2")] == [("Store", 0), ("Garage", 4)]

"""Listings beside items: every row once, and marked with what really differs."""

from typing import Any

import pytest
from sqlalchemy import text

from core.store.engine import Store
from core.store.queries import catalog, items
from core.store.tables import Item, Level, Link, Listing, Movement, Order, OrderLine
from tests.store.rows import SHOP, order, put, store

__all__ = ["store"]


def listing(sku: str, **more: Any) -> dict[str, Any]:
    plain = {
        "shop_id": "s",
        "sku_id": f"k-{sku}",
        "product_id": "p",
        "seller_sku": sku,
        "title": "Mug",
        "price_units": 100,
        "currency": "GBP",
        "status": "ACTIVATE",
        "seen_at": 1,
        "available": 5,
    }
    return plain | more


def item(number: int, sku: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "sku": sku, "title": "Mug", "price_units": 100, "currency": "GBP", "created_at": 1} | more


def link(sku: str, number: int, quantity: int = 1) -> dict[str, Any]:
    return {
        "shop_id": "s",
        "sku_id": f"k-{sku}",
        "item_id": number,
        "quantity": quantity,
        "origin": "sku",
        "created_at": 1,
    }


def level(number: int, on_hand: int, reserved: int = 0) -> dict[str, Any]:
    return {"item_id": number, "location_id": 1, "on_hand": on_hand, "reserved": reserved}


@pytest.fixture
def shop(store: Store) -> Store:
    put(store, Item, item(1, "EVEN"), item(2, "TITLE", title="Cup"), item(3, "PRICE", price_units=90), item(4, "STOCK"))
    put(store, Item, item(5, "PART-A"), item(6, "PART-B"), item(7, "ALONE"), item(8, "OLD", archived=True))
    put(store, Item, item(9, "NOPRICE", price_units=None))
    put(store, Level, level(1, 5), level(2, 5), level(3, 5), level(9, 5), level(4, 9, 1), level(5, 40), level(6, 11, 1))
    put(store, Listing, *(listing(sku) for sku in ("EVEN", "TITLE", "PRICE", "STOCK", "NOPRICE", "FREE")))
    put(store, Listing, listing("SET", title="Set"), listing("GONE", gone=True))
    put(store, Link, link("EVEN", 1), link("TITLE", 2), link("PRICE", 3), link("STOCK", 4), link("NOPRICE", 9))
    put(store, Link, link("SET", 5, 2), link("SET", 6, 2), link("GONE", 1))
    return store


def test_every_listing_and_every_item_without_one_is_there_once(shop: Store) -> None:
    with shop.read() as connection:
        rows = catalog.rows(connection, "s")
    names = [row.seller_sku or row.item_sku for row in rows]
    assert names == ["ALONE", "EVEN", "FREE", "GONE", "NOPRICE", "PRICE", "SET", "STOCK", "TITLE"]


def test_only_what_differs_is_marked(shop: Store) -> None:
    with shop.read() as connection:
        rows = {row.seller_sku: row for row in catalog.rows(connection, "s", view="different")}
    marks = {sku: (row.differs_title, row.differs_price, row.differs_stock) for sku, row in rows.items()}
    assert marks == {"TITLE": (True, False, False), "PRICE": (False, True, False), "STOCK": (False, False, True)}


def test_a_bundle_offers_what_its_scarcest_part_allows(shop: Store) -> None:
    with shop.read() as connection:
        row = next(row for row in catalog.rows(connection, "s") if row.seller_sku == "SET")
    assert (row.links, row.free, row.item_sku) == (2, 5, None)
    assert not row.differs_stock, "ten of the scarcer part, two for each set, make five"


def test_a_buffer_is_no_difference(shop: Store) -> None:
    with shop.write() as connection:
        connection.execute(text("UPDATE link SET buffer = 3"))
    with shop.read() as connection:
        rows = catalog.rows(connection, "s", view="different")
    assert "STOCK" not in {row.seller_sku for row in rows if row.differs_stock}, "nine less one less three is five"


def test_counts_agree_with_the_rows_of_each_view(shop: Store) -> None:
    with shop.read() as connection:
        counts = catalog.counts(connection, "s")
        for view in catalog.VIEWS:
            rows = catalog.rows(connection, "s", view=view, limit=100)
            assert len(rows) == getattr(counts, view) == catalog.count(connection, "s", view=view)


def test_pages_put_together_are_everything(shop: Store) -> None:
    with shop.read() as connection:
        whole = catalog.rows(connection, "s", limit=100)
        paged = [row for skip in range(0, 12, 2) for row in catalog.rows(connection, "s", limit=2, offset=skip)]
    assert paged == whole


@pytest.mark.parametrize(
    ("search", "found"), [("mug", 8), ("SeT", 1), ("k-EVEN", 1), ("alone", 1), ("%", 0), ("_", 0), ("' --", 0)]
)
def test_the_search_looks_in_skus_titles_and_numbers_and_takes_nothing_for_a_pattern(
    shop: Store, search: str, found: int
) -> None:
    with shop.read() as connection:
        rows = catalog.rows(connection, "s", search=search)
        assert len(rows) == catalog.count(connection, "s", search=search)
    assert len(rows) == found


def test_a_view_that_does_not_exist_is_refused(shop: Store) -> None:
    with shop.read() as connection, pytest.raises(KeyError):
        catalog.rows(connection, "s", view="1; DROP TABLE item")


def test_the_number_of_a_listing_is_explained_by_orders_and_movements(shop: Store) -> None:
    put(shop, Order, order("o1", "AWAITING_SHIPMENT", 9))
    sold = {"order_id": "o1", "shop_id": SHOP, "sku_id": "k-STOCK", "status": "AWAITING_SHIPMENT"}
    put(shop, OrderLine, *(sold | {"id": f"l{n}", "shipped": n == 2} for n in range(3)))
    counted = {"location_id": 1, "reason": "count", "origin": "store", "at": 1}
    put(shop, Movement, counted | {"item_id": 4, "on_hand": 9}, counted | {"item_id": 1, "on_hand": 5})
    booked = {"location_id": 1, "reason": "order", "origin": "tiktok", "at": 2, "item_id": 4}
    put(shop, Movement, *(booked | {"reference": f"l{n}", "reserved": 1} for n in range(2)))
    with shop.read() as connection:
        found = items.behind(connection, "s", "k-STOCK")
        nothing = items.behind(connection, "s", "no such listing")
    assert [(part.sku, part.on_hand, part.reserved) for part in found.parts] == [("STOCK", 9, 1)]
    assert [(each.order_id, each.units) for each in found.promises] == [("o1", 2)], "a shipped unit is no promise"
    assert [each.on_hand for each in found.moved if each.reason == "count"] == [9], "movements of other items stay out"
    assert (nothing.parts, nothing.promises, nothing.promised_orders) == ((), (), 0)


def test_items_are_found_by_any_part_of_sku_or_title(shop: Store) -> None:
    with shop.read() as connection:
        assert [each.sku for each in items.find(connection, "part")] == ["PART-A", "PART-B"]
        assert [each.sku for each in items.find(connection, "CUP")] == ["TITLE"]
        assert "OLD" not in {each.sku for each in items.find(connection, "")}
        assert items.find(connection, "%") == []

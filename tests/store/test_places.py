"""Locations: where movements are booked, what lies where, and what a change of them would do to TikTok's numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from core.store import tables as t
from core.store.engine import Store, open_store
from core.store.queries import places as known
from core.store.queries import stocktake as to_count
from core.sync import facts, imports, ledger, outbox, places, reconcile, stocktake
from core.sync.places import Mapped, PlaceRefused, Transfer
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


def offered(store: Store, *, store_units: int = 6, garage_units: int = 4) -> None:
    """Item 1 lies in both locations, and listing A sells it from both warehouses."""
    ledger.record_count(store, "I1", store_units, actor="owner")
    ledger.record_count(store, "I1", garage_units, actor="owner", location_id=GARAGE)
    with store.write() as c:
        for warehouse, units in (("W1", store_units), ("W2", garage_units)):
            put(c, t.Stock, shop_id=SHOP, sku_id="A", warehouse_id=warehouse, available=units, committed=0)
        c.execute(text("UPDATE listing SET available = 10, committed = 0, settled_at = 1 WHERE sku_id = 'A'"))
        outbox.mark_items(c, [1], "test")


def target(store: Store, sku: str = "A") -> int:
    with store.read() as c:
        return int(c.execute(text("SELECT target FROM listing WHERE sku_id = :s"), {"s": sku}).scalar_one())


def test_a_listing_offers_what_is_free_where_its_warehouses_are_served_from(store: Store) -> None:
    offered(store)
    assert target(store) == 10
    with store.write() as c:
        c.execute(text("DELETE FROM stock WHERE warehouse_id = 'W2'"))
        outbox.mark_items(c, [1], "test")
    assert target(store) == 6, "what lies in the garage is not sold from the main warehouse"


def test_a_mapping_is_shown_before_it_is_saved_and_saved_as_shown(store: Store) -> None:
    offered(store)
    with store.write() as c:
        c.execute(text("DELETE FROM stock WHERE warehouse_id = 'W1'"))
        outbox.mark_items(c, [1], "test")
    assert target(store) == 4
    wish = [Mapped(SHOP, "W2", STORE)]
    revision = store.revision()
    seen = places.preview_mapping(store, wish)
    assert [(each.sku_id, each.before, each.after) for each in seen.shifts] == [("A", 4, 6)]
    assert (seen.higher, seen.lower, seen.emptied) == (1, 0, 0)
    assert (target(store), store.revision()) == (4, revision), "a look changes nothing"
    places.map_warehouses(store, wish)
    assert target(store) == 6
    with store.read() as c:
        assert c.execute(text("SELECT state FROM outbox WHERE sku_id = 'A'")).scalar_one() == "dirty"


def test_goods_that_are_moved_are_a_pair_of_movements_and_the_sum_stays(store: Store) -> None:
    offered(store)
    with store.write() as c:
        c.execute(text("DELETE FROM stock WHERE warehouse_id = 'W2'"))
        outbox.mark_items(c, [1], "test")
    carried = Transfer("I1", 2, GARAGE, STORE, "by car")
    assert [(each.before, each.after) for each in places.preview_move(store, carried).shifts] == [(6, 8)]
    assert levels(store) == {STORE: (6, 0), GARAGE: (4, 0)}
    places.move(store, carried)
    assert levels(store) == {STORE: (8, 0), GARAGE: (2, 0)}
    with store.read() as c:
        booked = c.execute(
            text("SELECT on_hand, reference, note FROM movement WHERE reason = 'moved' ORDER BY id")
        ).all()
        assert [row.on_hand for row in booked] == [-2, 2]
        assert len({row.reference for row in booked}) == 1
        assert ledger.prove(c).broken == ()


@pytest.mark.parametrize(
    ("carried", "why"),
    [
        (Transfer("I1", 5, GARAGE, STORE), "Only 4 of I1 lie in Garage"),
        (Transfer("I1", 1, STORE, STORE), "two different locations"),
        (Transfer("I1", 1, STORE, 9), "two different locations"),
        (Transfer("I1", 0, STORE, GARAGE), "0 is not a number of units"),
        (Transfer("none", 1, STORE, GARAGE), "no item with the SKU"),
    ],
)
def test_what_cannot_be_moved_says_why_and_books_nothing(store: Store, carried: Transfer, why: str) -> None:
    offered(store)
    with pytest.raises(Exception, match=why):
        places.move(store, carried)
    assert levels(store) == {STORE: (6, 0), GARAGE: (4, 0)}


def test_a_location_has_a_name_of_its_own(store: Store) -> None:
    cellar = places.add(store, "  Cellar  behind the shop ")
    with store.read() as c:
        assert known.names(c)[cellar] == "Cellar behind the shop"
    for name, why in (("garage", "named garage already"), ("  ", "needs a name"), ("x" * 61, "more than 60 letters")):
        with pytest.raises(PlaceRefused, match=why):
            places.add(store, name)
        with pytest.raises(PlaceRefused, match=why):
            places.rename(store, cellar, name)
    places.rename(store, cellar, "CELLAR")
    places.rename(store, cellar, "Cellar")


def test_a_bundle_is_offered_only_where_all_of_its_parts_lie(store: Store) -> None:
    ledger.record_count(store, "I1", 8, actor="owner")
    ledger.record_count(store, "I2", 3, actor="owner", location_id=GARAGE)
    with store.write() as c:
        for warehouse in ("W1", "W2"):
            put(c, t.Stock, shop_id=SHOP, sku_id="B", warehouse_id=warehouse, available=0, committed=0)
        outbox.mark_items(c, [1, 2], "test")
    assert target(store, "B") == 0, "no location can send both parts"
    places.move(store, Transfer("I1", 5, STORE, GARAGE))
    assert target(store, "B") == 2, "two of each bundle lie in the garage twice"


def test_what_is_sent_and_what_the_page_shows_are_reckoned_alike(store: Store) -> None:
    offered(store, store_units=7, garage_units=2)
    book(store, "W2", line("1"), line("2"), line("3"))
    with store.write() as c:
        outbox.mark_items(c, [1], "test")
    with store.read() as c:
        fact = facts.load(c, SHOP, ["A"])["A"]
    assert levels(store) == {STORE: (7, 0), GARAGE: (2, 3)}
    assert fact.target == target(store) == 6, "the garage owes one, which the store has to send"
    assert fact.most == {STORE: 7, GARAGE: 0}
    assert fact.served == {"W1": STORE, "W2": GARAGE}


def test_units_offered_from_a_location_where_they_do_not_lie_are_found(store: Store) -> None:
    offered(store)
    with store.write() as c:
        c.execute(text("UPDATE outbox SET state = 'idle'"))
        assert reconcile.uneven(c, SHOP) == []
        c.execute(text("UPDATE stock SET available = 5 WHERE warehouse_id = 'W2'"))
        c.execute(text("UPDATE stock SET available = 5 WHERE warehouse_id = 'W1'"))
        assert reconcile.uneven(c, SHOP) == ["A"]


def test_a_table_of_counts_concerns_the_location_that_was_counted(store: Store) -> None:
    offered(store)
    with store.read() as c:
        here = next(row for row in to_count.page(c, place=GARAGE) if row.sku == "I1")
        assert here.on_hand == 4
        assert next(row for row in to_count.page(c) if row.sku == "I1").on_hand == 10
    counted = [stocktake.Counted(here.item_id, 7, here.on_hand, here.mark)]
    with store.read() as c:
        assert stocktake.review(c, counted, GARAGE).more == 3
    stocktake.apply(store, counted, place=GARAGE)
    assert levels(store) == {STORE: (6, 0), GARAGE: (7, 0)}


def test_the_stock_of_a_file_is_counted_in_the_location_that_was_chosen(store: Store) -> None:
    offered(store)
    file = b"sku,stock\nI1,9\n"
    assert [change.old for change in imports.preview(store, file, place=GARAGE).sample] == ["4"]
    imports.apply(store, file, place=GARAGE)
    assert levels(store) == {STORE: (6, 0), GARAGE: (9, 0)}
    imports.apply(store, file)
    assert levels(store) == {STORE: (9, 0), GARAGE: (9, 0)}

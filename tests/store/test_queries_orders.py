"""The order list answers as a full search would, whatever way the database takes."""

import random
from typing import Any

import pytest
from sqlalchemy import select

from core.store.engine import Store
from core.store.queries import orders
from core.store.queries.orders import Wanted
from core.store.tables import Item, Listing, Location, Movement, Order, OrderLine
from core.store.upsert import table
from tests.store.rows import SHOP, order, put, store

__all__ = ["store"]

STATES = ("UNPAID", "AWAITING_SHIPMENT", "IN_TRANSIT", "COMPLETED", "CANCELLED")


def number(place: int) -> str:
    return f"5769{place:06d}"


def line(place: int, sku: int, part: int = 0, **more: Any) -> dict[str, Any]:
    row = {"id": f"L{place:06d}{part}", "order_id": number(place), "shop_id": SHOP, "sku_id": f"k{sku}"}
    return row | {"seller_sku": f"SKU-{sku}", "title": f"Thing {sku}", "status": "COMPLETED"} | more


@pytest.fixture
def shop(store: Store) -> list[dict[str, Any]]:
    """Four hundred orders of five SKUs over a hundred hours, and some of another shop."""
    chance = random.Random(3)
    made = [order(number(n), chance.choice(STATES), 1_000_000 + chance.randrange(360_000)) for n in range(400)]
    put(store, Order, *made, *(order(number(900 + n), "COMPLETED", 1_200_000, shop_id="other") for n in range(20)))
    put(store, OrderLine, *(line(n, min(4, int(chance.expovariate(0.8)))) for n in range(400)))
    put(
        store,
        Listing,
        *(
            {"shop_id": SHOP, "sku_id": f"k{n}", "product_id": "p", "seller_sku": f"SKU-{n}", "seen_at": 1}
            for n in range(5)
        ),
    )
    return made


def reference(store: Store, wanted: Wanted) -> list[str]:
    """All matching ids, the newest first, found the slow way."""
    with store.read() as connection:
        found = connection.execute(select(table(Order))).all()
        lines = connection.execute(select(table(OrderLine))).all()
    sold = {each.order_id for each in lines if each.seller_sku.lower().startswith(wanted.search.lower())}
    matching = [
        each for each in found
        if each.shop_id == wanted.shop_id and each.create_time >= wanted.since
        and (not wanted.statuses or each.status in wanted.statuses)
        and (not wanted.search or each.id.startswith(wanted.search) or each.id in sold)
    ]  # fmt: skip
    return [each.id for each in sorted(matching, key=lambda each: (each.create_time, each.id), reverse=True)]


WISHES = [
    Wanted(SHOP),
    Wanted(SHOP, ("COMPLETED",)),
    Wanted(SHOP, ("UNPAID", "CANCELLED", "IN_TRANSIT")),
    Wanted(SHOP, ("NEVER_SEEN",)),
    Wanted(SHOP, (), 1_200_000),
    Wanted(SHOP, ("COMPLETED", "UNPAID"), 1_200_000),
    Wanted(SHOP, (), 0, "SKU-0"),
    Wanted(SHOP, (), 0, "sku-4"),
    Wanted(SHOP, ("COMPLETED",), 1_100_000, "SKU-"),
    Wanted(SHOP, (), 0, "57690000"),
    Wanted(SHOP, ("CANCELLED",), 0, "5769"),
    Wanted(SHOP, (), 0, "5769000399"),
    Wanted(SHOP, (), 0, "nothing"),
    Wanted("nobody"),
]


@pytest.mark.parametrize("common", [4_000, 10])
@pytest.mark.parametrize("wanted", WISHES, ids=repr)
def test_pages_put_together_are_the_whole_answer(
    store: Store, shop: list[Any], wanted: Wanted, common: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "_COMMON", common)  # at 10, nearly every search counts as a common one
    with store.read() as connection:
        told = [row.id for skip in range(0, 420, 70) for row in orders.page(connection, wanted, 70, skip)]
        counted = orders.count(connection, wanted)
    assert told == reference(store, wanted)
    assert counted == orders.Counted(len(told), False)


def test_counting_stops_at_its_cap_and_says_so(store: Store, shop: list[Any]) -> None:
    with store.read() as connection:
        assert orders.count(connection, Wanted(SHOP), cap=100) == orders.Counted(100, True)
        assert orders.count(connection, Wanted(SHOP, ("COMPLETED", "UNPAID")), cap=20) == orders.Counted(20, True)


@pytest.mark.parametrize("hostile", ["' OR 1=1 --", "%", "_", '"; DROP TABLE orders; --', "\\", "SKU%"])
def test_a_hostile_search_finds_nothing_and_breaks_nothing(store: Store, shop: list[Any], hostile: str) -> None:
    with store.read() as connection:
        assert orders.count(connection, Wanted(SHOP, (), 0, hostile)).total == 0
        assert orders.count(connection, Wanted(SHOP)).total == 400


def test_one_order_in_full(store: Store) -> None:
    put(store, Location, {"id": 7, "name": "Barn"})
    put(store, Item, {"sku": "SKU-1", "title": "Thing", "created_at": 1})
    put(store, Order, order(number(1), "IN_TRANSIT", 1_000, units=3, paid_time=1_010, rts_time=1_500))
    put(store, OrderLine, line(1, 1, 0, shipped_time=1_600), line(1, 1, 1, shipped_time=1_700), line(1, 2, 2))
    moved = {"item_id": 1, "location_id": 7, "reserved": 1, "reason": "order", "origin": "tiktok", "at": 5}
    put(store, Movement, *(moved | {"reference": key} for key in ("L0000010", "L0000011", "L0000990")))
    with store.read() as connection:
        found = orders.detail(connection, "5769000001")
        assert orders.detail(connection, "no such order") is None
    assert found is not None
    assert [(each.seller_sku, each.units) for each in found.lines] == [("SKU-1", 2), ("SKU-2", 1)]
    assert found.shipped_time == 1_600, "the first unit to leave"
    assert [(each.sku, each.reserved) for each in found.movements] == [("SKU-1", 2)], (
        "movements of other orders stay out"
    )

"""How long the stock lasts: what is sold a day on every side, bundles by their parts, and the most urgent first."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from core import clock
from core.store import Store, open_store
from core.store.queries import cover
from core.store.tables import Item, Link, Listing, SalesDay, Shop
from core.store.upsert import table, upsert
from core.sync import ledger

ZONE = ZoneInfo("Europe/London")
NOW = 1_790_000_000
DAY = 86_400
SHOP = {
    "id": "7", "auth": "a", "name": "Practice", "region": "GB", "currency": "GBP", "timezone": "Europe/London",
    "practice": True, "mode": "watch", "connected_at": 1,
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with clock.turned(NOW):
        opened = open_store(f"sqlite:///{tmp_path / 'store.db'}")
        with opened.write() as connection:
            upsert(connection, Shop, [SHOP])
        yield opened
        opened.close()


def item(store: Store, number: int, sku: str, *, on_hand: int, reserved: int = 0, created_at: int = 1) -> None:
    values = {"id": number, "sku": sku, "title": f"Item {sku}", "variant": "", "currency": "GBP", "barcode": ""}
    with store.write() as connection:
        connection.execute(insert(table(Item)), [values | {"archived": False, "created_at": created_at}])
        moved = {"on_hand": on_hand, "reserved": reserved, "reason": "count", "origin": "store", "at": 1}
        ledger.write(connection, [{"item_id": number, **moved}])


def listing(store: Store, sku_id: str, **parts: int) -> None:
    """A listing that sells these items: i1=2 is two units of item 1."""
    with store.write() as connection:
        upsert(connection, Listing, [{"shop_id": "7", "sku_id": sku_id, "product_id": "1", "seen_at": 1}])
        links = [{"shop_id": "7", "sku_id": sku_id, "item_id": int(name[1:]), "quantity": q, "created_at": 1}
                 for name, q in parts.items()]  # fmt: skip
        upsert(connection, Link, links)


def sold(store: Store, sku_id: str, days_ago: int, units: int) -> None:
    day = (date.fromtimestamp(NOW) - timedelta(days=days_ago)).isoformat()
    row = {"shop_id": "7", "day": day, "sku_id": sku_id, "currency": "GBP", "units": units, "sales_units": 1}
    with store.write() as connection:
        upsert(connection, SalesDay, [row])


def low(store: Store, **more: object) -> dict[str, cover.CoverRow]:
    with store.read() as connection:
        return {row.sku: row for row in cover.low(connection, ZONE, NOW, **more)}  # type: ignore[arg-type]


def test_days_of_cover_are_free_units_by_units_sold_a_day(store: Store) -> None:
    item(store, 1, "A", on_hand=12, reserved=2)
    listing(store, "L1", i1=1)
    for days_ago in (1, 5, 28):
        sold(store, "L1", days_ago, 14)
    found = low(store)["A"]
    assert (found.free, found.sold, found.days_counted, found.per_day) == (10, 42, 28, 1.5)
    assert found.cover == pytest.approx(10 / 1.5)
    assert found.missing == 42 - 10


def test_today_and_what_is_older_than_28_days_do_not_count(store: Store) -> None:
    item(store, 1, "A", on_hand=10)
    listing(store, "L1", i1=1)
    sold(store, "L1", 0, 50)
    sold(store, "L1", 29, 50)
    assert low(store) == {}
    sold(store, "L1", 10, 28)
    assert low(store)["A"].per_day == 1


def test_a_bundle_uses_up_each_of_its_items_as_often_as_it_holds_them(store: Store) -> None:
    item(store, 1, "A", on_hand=10)
    item(store, 2, "B", on_hand=10)
    listing(store, "L1", i1=1)
    listing(store, "L2", i1=3, i2=1)
    sold(store, "L1", 3, 1)
    sold(store, "L2", 3, 2)
    found = low(store)
    assert (found["A"].sold, found["B"].sold) == (1 + 2 * 3, 2)


def test_sales_in_the_own_store_count_too(store: Store) -> None:
    item(store, 1, "A", on_hand=100)
    item(store, 2, "B", on_hand=100)
    with clock.turned(NOW - 3 * DAY):
        ledger.record_sale(store, "A", 56, actor="owner")
    with clock.turned(NOW - 2 * DAY):
        ledger.record_count(store, "B", 40, actor="owner")
    found = low(store)
    assert found["A"].per_day == 2
    assert "B" not in found, "a count is no sale"


def test_an_item_that_is_new_is_measured_by_the_days_it_is_known(store: Store) -> None:
    item(store, 1, "NEW", on_hand=10, created_at=(NOW - 5 * DAY) * 1000)
    item(store, 2, "BACKFILLED", on_hand=10, created_at=NOW * 1000)
    listing(store, "L1", i1=1)
    listing(store, "L2", i2=1)
    sold(store, "L1", 2, 10)
    sold(store, "L2", 20, 10)
    found = low(store)
    assert found["NEW"].days_counted == 5
    assert found["BACKFILLED"].days_counted == 20, "sold before it was entered here: as far back as orders are known"


def test_the_most_urgent_come_first_and_what_is_out_lasts_no_day(store: Store) -> None:
    for number, (sku, on_hand) in enumerate((("OUT", 0), ("OVER", -3), ("LONG", 90), ("SHORT", 4)), 1):
        item(store, number, sku, on_hand=on_hand)
        listing(store, f"L{number}", **{f"i{number}": 1})
        sold(store, f"L{number}", 1, 28 + number)
    item(store, 9, "NEVER", on_hand=5)
    found = low(store)
    assert list(found) == ["OVER", "OUT", "SHORT", "LONG"]
    assert (found["OUT"].cover, found["OVER"].cover) == (0, 0)
    assert list(low(store, within=7)) == ["OVER", "OUT", "SHORT"]
    assert list(low(store, search="lon")) == ["LONG"]
    assert list(low(store, limit=1, offset=2)) == ["SHORT"]
    with store.read() as connection:
        counted = cover.counts(connection, ZONE, NOW)
        assert cover.total(connection, ZONE, NOW, within=7) == counted.week == 3
    assert (counted.out, counted.fortnight, counted.month, counted.selling) == (2, 3, 3, 4)


def test_days_begin_in_the_zone_of_the_shop(store: Store) -> None:
    item(store, 1, "A", on_hand=10)
    midnight = NOW - NOW % DAY  # 00:00 UTC is 01:00 in London in September
    with clock.turned(midnight - 1800):
        ledger.record_sale(store, "A", 28, actor="owner")
    with store.read() as connection:
        assert cover.low(connection, ZoneInfo("UTC"), NOW)
        assert not cover.low(connection, ZONE, NOW), "half past midnight in London is today"

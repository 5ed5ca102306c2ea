"""How fast things sell and how late the channels know, read from real rows, and the shares that come of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, text

from core import clock
from core.store.engine import Store
from core.store.queries import speeds as sold
from core.store.tables import Item, Link, Listing, Order, OrderLine, Push, Rule, SalesDay, Setting, Shop
from core.store.upsert import table
from core.sync import facts, ledger, shares, speeds, split
from core.sync.channel import Channel
from core.sync.context import ShopContext
from tests.store.rows import SHOP, order, put, shop, store

__all__ = ["store"]
NOW = 1_790_000_000
HOUR = 3600
DAY = 24 * HOUR


@pytest.fixture(autouse=True)
def time() -> Iterator[clock.Turned]:
    with clock.turned(NOW) as turned:
        yield turned


def item(store: Store, sku: str, on_hand: int = 3, **more: object) -> int:
    values = {"sku": sku, "title": sku, "variant": "", "currency": "GBP", "barcode": "", "archived": False}
    with store.write() as connection:
        made = (
            insert(table(Item)).values(values | {"created_at": 1, "counted_at": 1} | more).returning(table(Item).c.id)
        )
        number = int(connection.execute(made).scalar_one())
        moved = {"item_id": number, "on_hand": on_hand, "reason": "count", "origin": "store", "at": 1}
        ledger.write(connection, [moved])
    return number


def listing(store: Store, sku_id: str, *parts: tuple[int, int], shop_id: str = SHOP, **more: object) -> None:
    """A listing that sells these items, as (item, quantity)."""
    shown = {"shop_id": shop_id, "sku_id": sku_id, "product_id": "p", "status": "ACTIVATE", "seen_at": 1}
    put(store, Listing, shown | {"available": 3, "committed": 0} | more)
    links = [{"shop_id": shop_id, "sku_id": sku_id, "item_id": i, "quantity": q, "created_at": 1} for i, q in parts]
    put(store, Link, *links)


def sold_on_day(store: Store, sku_id: str, days_ago: int, units: int, shop_id: str = SHOP) -> None:
    day = datetime.fromtimestamp(NOW - days_ago * DAY, UTC).date().isoformat()
    put(store, SalesDay, {"shop_id": shop_id, "day": day, "sku_id": sku_id, "currency": "GBP", "units": units})


def bought(store: Store, number: str, sku_id: str, seconds_ago: int, units: int = 1, **more: object) -> None:
    """An order of so many units; its rows only, without the daily sums."""
    parts = more.pop("components", "")
    put(store, Order, order(number, str(more.pop("status", "AWAITING_SHIPMENT")), NOW - seconds_ago, **more))
    put(store, OrderLine, *(
        {"id": f"{number}-{n}", "order_id": number, "shop_id": SHOP, "sku_id": sku_id, "components": parts}
        for n in range(units)
    ))  # fmt: skip


def sold_here(store: Store, sku: str, units: int, seconds_ago: int) -> None:
    with clock.turned(NOW - seconds_ago):
        ledger.record_sale(store, sku, units, actor="owner")


def read(store: Store, *items: int) -> list[sold.SoldRow]:
    with store.read() as connection:
        return sold.rows(connection, NOW, items or None)


def links(store: Store) -> dict[str, tuple[int, int]]:
    with store.read() as connection:
        found = connection.execute(text("SELECT sku_id, split_from, split_to FROM link"))
        return {row.sku_id: (row.split_from, row.split_to) for row in found}


def item_row(store: Store, number: int) -> tuple[int, int]:
    with store.read() as connection:
        row = connection.execute(text("SELECT split_at, split_total FROM item WHERE id = :id"), {"id": number}).one()
    return row.split_at, row.split_total


def dirty(store: Store) -> set[str]:
    with store.read() as connection:
        return set(connection.execute(text("SELECT sku_id FROM outbox WHERE state = 'dirty'")).scalars())


def clean(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("DELETE FROM outbox"))


def working(store: Store, divided_at: int) -> ShopContext:
    """A shop at work; its client is not asked anything."""
    return ShopContext(
        SHOP, "Hazel", "GBP", ZoneInfo("UTC"), cast(Channel, None), store, b"", divided_at=divided_at
    )  # fmt: skip


def two_sides(store: Store, on_hand: int = 1) -> int:
    """An item that sells 60 units in 28 days on TikTok and 40 in the own store; so many of it are left."""
    number = item(store, "A", on_hand + 40)
    listing(store, "L1", (number, 1))
    sold_on_day(store, "L1", 3, 60)
    sold_here(store, "A", 40, 5 * DAY)
    clean(store)
    return number


def test_sales_are_counted_over_28_days_24_hours_and_one_hour(store: Store) -> None:
    number = item(store, "A", 100)
    listing(store, "L1", (number, 1))
    sold_on_day(store, "L1", 28, 1000)
    sold_on_day(store, "L1", 27, 5)
    sold_on_day(store, "L1", 0, 4)
    bought(store, "1", "L1", 2 * HOUR, 3)
    bought(store, "2", "L1", 600)
    sold_here(store, "A", 9, 29 * DAY)
    sold_here(store, "A", 2, 20 * DAY)
    sold_here(store, "A", 3, 3 * HOUR)
    (row,) = read(store, number)
    assert (row.month, row.day, row.hour, row.orders) == (9, 4, 1, 2)
    assert (row.own_month, row.own_day, row.own_hour, row.own_sales) == (5, 3, 0, 1)


def test_cancelled_orders_and_those_that_tiktok_fulfils_do_not_count(store: Store) -> None:
    number = item(store, "A")
    listing(store, "L1", (number, 1))
    bought(store, "1", "L1", 60, status="CANCELLED")
    bought(store, "2", "L1", 60, fulfillment_type="FULFILLMENT_BY_TIKTOK")
    bought(store, "3", "L1", 60, 2)
    with store.write() as connection:
        connection.execute(text("UPDATE order_line SET status = 'CANCELLED' WHERE id = '3-0'"))
    (row,) = read(store, number)
    assert (row.day, row.hour, row.orders) == (1, 1, 1)


def test_counts_and_goods_received_are_no_sales(store: Store) -> None:
    number = item(store, "A", 100)
    listing(store, "L1", (number, 1))
    ledger.record_count(store, "A", 10, actor="owner")
    (row,) = read(store, number)
    assert row.own_month == 0


def test_a_bundle_counts_in_units_of_the_item_and_takes_them_at_once(store: Store) -> None:
    number = item(store, "A")
    listing(store, "L1", (number, 6))
    bought(store, "1", "L1", 60, 2)
    bought(store, "2", "L1", 60, 1)
    with store.read() as connection:
        (found,) = [
            c for c in speeds.channels(read(store, number), speeds.delays(connection), ()) if c.key != split.OWN
        ]
    assert (found.sales.day, found.sales.step, found.quantity) == (18, 12, 6)


def test_a_bundle_of_tiktoks_own_is_sold_by_the_listings_of_its_parts(store: Store) -> None:
    one, two = item(store, "A"), item(store, "B")
    listing(store, "L1", (one, 1))
    listing(store, "L2", (two, 1))
    bought(store, "1", "COMBO", 60, components="L1*2,L2*1")
    bought(store, "2", "COMBO", 5 * DAY, components="L1*2,L2*1")
    first, second = read(store, one, two)
    assert (first.month, first.day, first.hour, first.orders) == (4, 2, 2, 1)
    assert (second.month, second.day, second.hour, second.orders) == (2, 1, 1, 1)
    sold_here(store, "A", 1, 60)
    assert {row.item_id for row in read(store)} == {one, two}, "found without being asked for by name"


def test_only_items_that_sell_on_two_sides_are_read_for_all(store: Store) -> None:
    listing(store, "L2", (item(store, "B"), 1))
    sold_on_day(store, "L2", 1, 500)
    listing(store, "L3", (item(store, "C"), 1))
    number = two_sides(store)
    assert {row.item_id for row in read(store)} == {number}


def test_the_shares_are_kept_and_the_best_seller_comes_last(store: Store) -> None:
    number = two_sides(store)
    assert speeds.refresh(store) == 1
    assert item_row(store, number) == (1, 100), (
        "the own store may sell one in the five minutes, TikTok none in five seconds"
    )
    assert links(store) == {"L1": (40, 100)}, "the own store has the first forty, and no link carries them"
    assert dirty(store) == {"L1"}


def test_nothing_is_written_where_nothing_changed(store: Store) -> None:
    two_sides(store)
    speeds.refresh(store)
    before = store.revision()
    assert speeds.refresh(store) == 0
    assert store.revision() == before


def test_listings_are_looked_at_again_only_when_these_may_be_the_last_units(store: Store) -> None:
    two_sides(store, on_hand=500)
    speeds.refresh(store)
    assert dirty(store) == set()
    with store.write() as connection:
        connection.execute(text("UPDATE level SET on_hand = 1"))
        connection.execute(text("UPDATE item SET split_total = 7"))
    speeds.refresh(store)
    assert dirty(store) == {"L1"}


def test_what_was_split_and_is_no_longer_is_looked_at_again(store: Store) -> None:
    number = two_sides(store)
    speeds.refresh(store)
    with store.write() as connection:
        connection.execute(text("DELETE FROM sales_day"))
        connection.execute(text("UPDATE level SET on_hand = 1"))
    clean(store)
    speeds.refresh(store)
    assert item_row(store, number) == (0, 0)
    assert links(store) == {"L1": (0, 0)}
    assert dirty(store) == {"L1"}


def test_a_peak_raises_the_threshold_within_the_hour(store: Store) -> None:
    number = two_sides(store, on_hand=100)
    speeds.refresh(store)
    sold_here(store, "A", 12, 1800)
    sold_here(store, "A", 12, 60)
    for n in range(5):
        bought(store, str(n), "L1", 600 * n + 1, 12)
    speeds.keep_up(working(store, divided_at=(NOW - 60) * 1000))
    here, there = 12 * split.most_in(2 * 300 / HOUR), 12 * split.most_in(5 * 5 / HOUR)
    assert item_row(store, number)[0] == here + there == 24 + 12


def test_all_is_divided_anew_every_ten_minutes_and_between_only_what_sells(store: Store) -> None:
    number = two_sides(store)
    desk = working(store, divided_at=(NOW - 599) * 1000)
    speeds.keep_up(desk)
    assert item_row(store, number) == (0, 0), "nothing was sold within the hour"
    desk.divided_at -= 1000
    speeds.keep_up(desk)
    assert item_row(store, number) == (1, 100)
    assert desk.divided_at == NOW * 1000


def test_a_listing_that_cannot_be_sold_from_has_no_share(store: Store) -> None:
    number = two_sides(store)
    for n, more in enumerate(({"gone": True}, {"status": "SELLER_DEACTIVATED"}, {"refused_code": 12052393})):
        listing(store, f"X{n}", (number, 1), **more)
        sold_on_day(store, f"X{n}", 2, 50)
    listing(store, "L2", (number, 1))
    sold_on_day(store, "L2", 2, 100)
    speeds.refresh(store)
    assert links(store) == {"L1": (20, 50), "L2": (50, 100), "X0": (0, 0), "X1": (0, 0), "X2": (0, 0)}


def test_a_channel_that_the_owner_left_out_gets_all_and_the_others_share(store: Store) -> None:
    number = two_sides(store)
    put(store, Shop, shop(id="t", name="Other"))
    listing(store, "T1", (number, 1), shop_id="t")
    sold_on_day(store, "T1", 1, 80, shop_id="t")
    put(store, Rule, {"scope": "shop", "key": "t", "split": False, "changed_at": 1})
    speeds.refresh(store)
    assert links(store) == {"L1": (40, 100), "T1": (0, 100)}
    put(store, Rule, {"scope": "item", "key": str(number), "split": False, "changed_at": 1})
    speeds.refresh(store, item_ids=[number])
    assert item_row(store, number) == (0, 0)
    assert links(store) == {"L1": (0, 0), "T1": (0, 0)}


def test_delays_are_assumed_until_enough_was_measured(store: Store) -> None:
    with store.read() as connection:
        assert speeds.delays(connection)[SHOP] == speeds.Delays(300, 5, False, False)
    put(store, Setting, {"key": "sync_minutes", "value": "0"})
    with store.read() as connection:
        assert speeds.delays(connection)[SHOP].notice == HOUR, "by hand: about every hour"
    for n in range(speeds.FEW):
        bought(store, f"o{n}", "L1", 2 * DAY + n, first_seen_at=(NOW - 2 * DAY - n + 4) * 1000)
        put(store, Push, {
            "shop_id": SHOP, "sku_id": "L1", "product_id": "p", "generation": 1, "target": 1, "wanted": "{}",
            "read_available": 1, "read_committed": 0, "read_open": 0, "read_shipped": 0, "dirty_at": (NOW - DAY) * 1000,
            "intent_at": (NOW - DAY) * 1000 + 100, "confirmed_at": (NOW - DAY) * 1000 + 1500, "outcome": "confirmed",
        })  # fmt: skip
    with store.read() as connection:
        assert speeds.delays(connection)[SHOP] == speeds.Delays(4, 1.5, True, True)


def test_the_own_store_knows_as_soon_as_we_do_and_a_listing_once_it_was_told(store: Store) -> None:
    number = two_sides(store)
    put(store, Shop, shop(id="t", name="Other"))
    listing(store, "T1", (number, 1), shop_id="t")
    rows = read(store, number)
    known = {SHOP: speeds.Delays(4, 2, True, True), "t": speeds.Delays(90, 3, True, True)}
    found = {each.key: each.delay for each in speeds.channels(rows, known, ())}
    assert found == {split.OWN: 4, (SHOP, "L1"): 2, ("t", "T1"): 7}, "the other shop sells none, so none is waited for"


def told(store: Store, number: int) -> shares.Shares:
    with store.read() as connection:
        found = shares.arithmetic(connection, number)
    assert found is not None
    return found


def test_the_arithmetic_is_told_with_the_best_seller_first(store: Store) -> None:
    number = two_sides(store)
    speeds.refresh(store)
    found = told(store, number)
    there, here = found.channels
    assert (found.free, found.at, found.total, found.in_force) == (1, 1, 100, True)
    assert (there.name, there.month, there.weight, there.share) == ("Hazel: L1", 60, 60, 1)
    assert (here.name, here.month, here.weight, here.share) == ("Your own store", 40, 40, 0)
    assert (there.delay, here.delay) == (5, 300)
    assert there.unnoticed + here.unnoticed == found.at
    assert there.delay_from == (
        "sales in your own store are known at once, 5 s until it is shown there (assumed, too few measured yet)"
    )
    assert here.delay_from == "300 s until a sale is known here (assumed, too few measured yet)"
    assert found.sentence == (
        "These are the last units: 1 unit free, and up to 1 may sell before one channel knows of another's sale. "
        "So each is offered in one place only: 1 for Hazel: L1, 0 for Your own store."
    )


def test_the_arithmetic_says_why_nothing_is_split(store: Store) -> None:
    plenty = two_sides(store, on_hand=1200)
    lonely = item(store, "B")
    assert told(store, lonely).sentence == "No listing sells it, so there is nothing to split."
    listing(store, "L2", (lonely, 1))
    sold_on_day(store, "L2", 1, 9)
    assert told(store, lonely).sentence.startswith("Only one channel sold any in 28 days")
    speeds.refresh(store)
    assert told(store, plenty).sentence == (
        "Up to 1 unit may sell before one channel knows of another's sale. With no more than that free, each is "
        "offered in one place only; now there are 1,200."
    )
    assert [each.share for each in told(store, plenty).channels] == [1200, 1200]
    put(store, Rule, {"scope": "all", "key": "", "split": False, "changed_at": 1})
    speeds.refresh(store)
    assert told(store, plenty).sentence.startswith("Your rule leaves it out of the split")
    with store.read() as connection:
        assert shares.arithmetic(connection, 999) is None


def test_the_shares_told_are_those_that_the_listings_are_sent(store: Store) -> None:
    number = two_sides(store, on_hand=3)
    for sku_id, units in (("L2", 30), ("L3", 0)):
        listing(store, sku_id, (number, 1))
        if units:
            sold_on_day(store, sku_id, 2, units)
    with store.write() as connection:
        connection.execute(text("UPDATE sales_day SET units = units * 100"))
    speeds.refresh(store)
    found = told(store, number)
    assert found.in_force
    assert sum(each.share for each in found.channels) == 3
    with store.read() as connection:
        aimed = {f.sku_id: f.target for f in facts.load(connection, SHOP, ["L1", "L2", "L3"]).values()}
        kept = {row.sku_id: row.target for row in connection.execute(text("SELECT sku_id, target FROM listing"))}
    assert aimed == kept == {each.sku_id: each.share for each in found.channels if each.sku_id}


def test_a_listing_that_is_linked_meanwhile_shows_none_of_the_last_units_until_they_are_divided_anew(
    store: Store,
) -> None:
    number = two_sides(store, on_hand=1)
    speeds.refresh(store)
    listing(store, "L2", (number, 1))
    with store.read() as connection:
        aimed = {f.sku_id: f.target for f in facts.load(connection, SHOP, ["L1", "L2"]).values()}
    assert aimed == {"L1": 1, "L2": 0}

"""What each page reads at a million order lines, and the stock table of 100,000 listings beside plain SQL."""

import argparse
import shutil
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from core import clock
from core.analytics import measures
from core.store.engine import open_store
from core.store.queries import activity, catalog, health, items, orders, sales, shops
from core.sync import reconcile
from tests.bench.bigstore import SHOP, big_store, sku_id
from tests.bench.harness import Options, folder, main, verify

DAY_MS = 86_400_000
Data = Callable[[Connection], Any]


def _overview(connection: Connection) -> None:
    now = datetime.fromtimestamp(clock.now(), ZoneInfo("Europe/London"))
    found = reconcile.counts(connection, shop_id=SHOP)
    verify(found.listings > 0, "no listings")
    sales.until(connection, SHOP, "GBP", now)
    sales.until(connection, SHOP, "GBP", now - timedelta(days=7))
    measures.sparkline(connection, SHOP)
    verify(health.delay_out(connection, SHOP, clock.now_ms() - 7 * DAY_MS) is not None, "no delays")
    health.delay_in(connection, SHOP, 0, clock.now_ms() - 7 * DAY_MS)
    health.trouble(connection, clock.now_ms() - DAY_MS)
    health.backlog(connection, SHOP)
    verify(len(activity.runs(connection, limit=8)) == 8, "no runs")


def _stock(connection: Connection) -> None:
    verify(reconcile.counts(connection, shop_id=SHOP).listings > 0, "no listings")
    verify(len(reconcile.rows(connection, shop_id=SHOP, limit=50)) == 50, "no rows")


def _stock_differences(connection: Connection) -> None:
    verify(reconcile.counts(connection, shop_id=SHOP).different > 0, "no differences")
    verify(reconcile.total(connection, shop_id=SHOP, only="different") > 0, "no differences")
    reconcile.rows(connection, shop_id=SHOP, only="different", limit=50)


def _explanation(connection: Connection) -> None:
    verify(len(items.behind(connection, SHOP, sku_id(7)).parts) == 1, "no item")


def _catalogue(connection: Connection) -> None:
    verify(catalog.counts(connection, SHOP).all > 0, "no products")
    verify(len(catalog.rows(connection, SHOP, limit=50)) == 50, "no rows")


_STATES: tuple[tuple[str, ...], ...] = (
    (), ("AWAITING_SHIPMENT", "PARTIALLY_SHIPPING"), ("UNPAID", "ON_HOLD"), ("IN_TRANSIT",), ("COMPLETED",),
    ("CANCELLED",),
)  # fmt: skip


def _orders(connection: Connection) -> None:
    since = clock.now() - 30 * 86_400
    for statuses in _STATES:
        orders.count(connection, orders.Wanted(SHOP, statuses, since))
    verify(len(orders.page(connection, orders.Wanted(SHOP, (), since))) == 50, "no orders")


def _orders_of_a_sku(connection: Connection) -> None:
    wanted = orders.Wanted(SHOP, (), clock.now() - 30 * 86_400, "SKU-000007")
    orders.count(connection, wanted)
    verify(len(orders.page(connection, wanted)) > 0, "no orders")


def _one_order(connection: Connection) -> None:
    verify(orders.detail(connection, "576000000000000007") is not None, "no order")


def _analytics(days: int) -> Data:
    def data(connection: Connection) -> None:
        last: date = datetime.now(UTC).date()
        first = last - timedelta(days=days - 1)
        (period,) = measures.period(connection, first, last, SHOP)
        verify(period.now.orders > 0, "no sales")
        measures.by_day(connection, first, last, SHOP)
        measures.by_day(connection, first - timedelta(days=days), first - timedelta(days=1), SHOP)
        measures.by_hour_and_weekday(connection, first, last, SHOP)
        verify(len(measures.top_products(connection, first, last, SHOP)) == 10, "no products")

    return data


def _activity(connection: Connection) -> None:
    activity.unsolved(connection, clock.now_ms() - 7 * DAY_MS)
    activity.aside_count(connection)
    activity.count(connection, failed_only=True)
    activity.count(connection)
    verify(len(activity.runs(connection)) == 50, "no runs")
    activity.entities(connection, 7)


def _frame(connection: Connection) -> None:
    verify(len(shops.shops(connection)) == 1, "no shop")
    shops.read_up_to(connection)
    health.backlog(connection, SHOP)


PAGES: dict[str, Data] = {
    "overview": _overview, "stock": _stock, "stock_differences": _stock_differences,
    "stock_explained": _explanation, "catalogue": _catalogue, "orders": _orders,
    "orders_of_a_sku": _orders_of_a_sku, "one_order": _one_order, "analytics_28_days": _analytics(28),
    "analytics_90_days": _analytics(90), "activity": _activity, "frame": _frame,
}  # fmt: skip


def _took(work: Callable[[], Any], times: int = 9) -> float:
    """Milliseconds, the median of several calls after one that warms up."""
    work()
    found = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return median(found) * 1000


def pages(options: Options) -> dict[str, float]:
    """Milliseconds of each page's data, on a store with a million order lines."""
    store = open_store(f"sqlite:///{big_store(skus=options.listings, lines=options.lines).as_posix()}")
    with store.read() as connection:
        found = {name: _took(lambda data=data: data(connection)) for name, data in PAGES.items()}
    store.close()
    return found | {"slowest": max(found.values())}


# What an owner would type: the difference of one table to another, with the stock of several places added up.
_PLAIN = """
FROM listing l LEFT JOIN link k ON k.shop_id = l.shop_id AND k.sku_id = l.sku_id LEFT JOIN item i ON i.id = k.item_id
LEFT JOIN (SELECT item_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM level GROUP BY item_id) v
  ON v.item_id = k.item_id
WHERE l.shop_id = ?
"""
_PLAIN_COUNT = f"SELECT count(*), sum(l.available <> max(0, v.on_hand - v.reserved)) {_PLAIN}"
_PLAIN_ROWS = (
    "SELECT l.sku_id, l.seller_sku, l.title, l.variant, i.sku, v.on_hand, v.reserved, l.available, "
    "max(0, v.on_hand - v.reserved) AS target, l.available - max(0, v.on_hand - v.reserved) AS difference "
    f"{_PLAIN} ORDER BY abs(difference) DESC, l.sku_id LIMIT 50"
)


def stock_table(options: Options) -> dict[str, float]:
    """The first page of the stock table and its counts, as the page asks for them."""
    store = open_store(f"sqlite:///{big_store(skus=options.skus, lines=0).as_posix()}")
    with store.read() as connection:
        counts = reconcile.counts(connection, shop_id=SHOP)
        rows = reconcile.rows(connection, shop_id=SHOP)
        verify((counts.listings, len(rows)) == (options.skus, 50), f"{counts}")
        verify(counts.different == options.skus * 1901 // 100_000 or options.skus != 100_000, f"{counts}")
        found = {
            "counts_ms": _took(lambda: reconcile.counts(connection, shop_id=SHOP), 5),
            "rows_ms": _took(lambda: reconcile.rows(connection, shop_id=SHOP), 5),
            "different_ms": _took(lambda: reconcile.rows(connection, shop_id=SHOP, only="different"), 5),
            "search_ms": _took(lambda: reconcile.rows(connection, shop_id=SHOP, search="01234"), 5),
            "title_ms": _took(lambda: reconcile.rows(connection, shop_id=SHOP, sort="title", descending=False), 5),
            "on_hand_ms": _took(lambda: reconcile.rows(connection, shop_id=SHOP, sort="on_hand"), 5),
            "last_page_ms": _took(lambda: reconcile.rows(connection, shop_id=SHOP, offset=options.skus - 50), 5),
        }
    store.close()
    return found | {"both_ms": found["counts_ms"] + found["rows_ms"]}


def plain_sql(options: Options) -> dict[str, float]:
    """The plain statement by sqlite3: no bundles, no buffers, no orders that are still unseen, no drift, no states."""
    database = sqlite3.connect(big_store(skus=options.skus, lines=0))
    verify(database.execute(_PLAIN_COUNT, (SHOP,)).fetchone()[0] == options.skus, "count")
    verify(len(database.execute(_PLAIN_ROWS, (SHOP,)).fetchall()) == 50, "rows")
    found = {
        "counts_ms": _took(lambda: database.execute(_PLAIN_COUNT, (SHOP,)).fetchall(), 5),
        "rows_ms": _took(lambda: database.execute(_PLAIN_ROWS, (SHOP,)).fetchall(), 5),
    }
    database.close()
    return found | {"both_ms": found["counts_ms"] + found["rows_ms"]}


def same_statement(options: Options) -> dict[str, float]:
    """Our own counting statement by sqlite3 alone: what remains is what our layers add to it."""
    database = sqlite3.connect(big_store(skus=options.skus, lines=0))
    query = reconcile._table(SHOP) + "SELECT state, count(*), sum(difference <> 0) FROM rows GROUP BY state"
    given = {"shop": SHOP}
    verify(sum(row[1] for row in database.execute(query, given)) == options.skus, "count")
    took = _took(lambda: database.execute(query, given).fetchall(), 5)
    database.close()
    return {"counts_ms": took}


def pandas_merge(options: Options) -> dict[str, float]:
    """The same difference with pandas: read both tables, merge, sort."""
    import pandas as pd

    database = sqlite3.connect(big_store(skus=options.skus, lines=0))

    def work() -> Any:
        listing = pd.read_sql("SELECT sku_id, seller_sku, title, variant, available FROM listing", database)
        link = pd.read_sql("SELECT sku_id, item_id FROM link", database)
        level = pd.read_sql("SELECT item_id, sum(on_hand - reserved) AS free FROM level GROUP BY item_id", database)
        both = listing.merge(link, how="left", on="sku_id").merge(level, how="left", on="item_id")
        both["difference"] = both.available - both.free.clip(lower=0)
        return both.sort_values("difference", key=abs, ascending=False).head(50)

    verify(len(work()) == 50, "rows")
    took = _took(work, 3)
    database.close()
    return {"both_ms": took}


def plain_overview(options: Options) -> dict[str, float]:
    """A peer without kept sums: today's and the last 28 days' sales straight from orders and lines, with an index."""
    with folder() as place:
        shutil.copy(big_store(skus=options.listings, lines=options.lines), place / "peer.db")
        database = sqlite3.connect(place / "peer.db")
        since = clock.now() - 28 * 86_400
        query = (
            "SELECT o.day, count(DISTINCT o.id), count(*), sum(l.original_price_units - l.seller_discount_units) "
            "FROM orders o JOIN order_line l ON l.order_id = o.id WHERE o.shop_id = ? AND o.create_time >= ? "
            "AND o.status NOT IN ('CANCELLED', 'UNPAID') GROUP BY o.day"
        )
        verify(len(database.execute(query, (SHOP, since)).fetchall()) >= 28, "days")
        took = _took(lambda: database.execute(query, (SHOP, since)).fetchall(), 5)
        database.close()
    return {"sales_28_days": took}


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--listings", type=int, default=2_000, help="listings of the store with the order lines")
    parser.add_argument("--skus", type=int, default=100_000, help="listings of the store for the stock table")


if __name__ == "__main__":
    main(
        "tests.bench.pages",
        {
            "pages": pages, "plain overview": plain_overview, "plain SQL": plain_sql, "stock table": stock_table,
            "same statement": same_statement, "pandas": pandas_merge,
        },
        baseline="plain SQL", value="both_ms", add_options=_options, rounds=3, seconds=600,
    )  # fmt: skip

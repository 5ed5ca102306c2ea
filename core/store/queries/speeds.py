"""What was sold of late of each item on each of its channels, beside the shares of its last units that they have."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, TextClause, bindparam, text

from core.store.queries.ledger import first_since

DAYS = 28
_HOUR = 3600
_MOST_PARTS = 5_000
_Parts = dict[tuple[str, str], tuple[int, int, int, int]]


@dataclass(frozen=True, slots=True)
class SoldRow:
    """One listing of an item: units of the listing sold in 28 days, 24 hours, one hour, and orders of the 24 hours.

    `own_*` are the units of the item sold in the owner's own store, and the sales of the 24 hours there; the same in
    each row of an item.
    """

    item_id: int
    shop_id: str
    sku_id: str
    quantity: int
    split_from: int
    split_to: int
    split_at: int
    split_total: int
    gone: bool
    status: str
    refused_code: int | None
    month: int
    day: int
    hour: int
    orders: int
    own_month: int
    own_day: int
    own_hour: int
    own_sales: int


# An order that TikTok fulfils from its own stock takes none of the owner's. Daily sums leave unpaid orders out, which
# hold units all the same; the last day is counted from the orders themselves.
_SOLD = """
SELECT shop_id, sku_id, sum(month) AS month, sum(day) AS day, sum(hour) AS hour, sum(orders) AS orders FROM (
  SELECT s.shop_id, s.sku_id, sum(s.units) AS month, 0 AS day, 0 AS hour, 0 AS orders FROM sales_day s
  WHERE s.shop_id IN (SELECT id FROM shop) AND s.day >= :first_day {of_sums} GROUP BY s.shop_id, s.sku_id
  UNION ALL
  SELECT o.shop_id, n.sku_id, 0, count(*), sum(CASE WHEN o.create_time >= :hour_time THEN 1 ELSE 0 END),
    count(DISTINCT o.id)
  FROM orders o CROSS JOIN order_line n
  WHERE o.shop_id IN (SELECT id FROM shop) AND o.create_time >= :day_time AND o.status <> 'CANCELLED'
    AND o.fulfillment_type <> 'FULFILLMENT_BY_TIKTOK' AND n.order_id = o.id AND n.status <> 'CANCELLED' {of_lines}
  GROUP BY o.shop_id, n.sku_id
) told GROUP BY shop_id, sku_id
"""
_ROWS = """
WITH sold AS MATERIALIZED ({sold}), own AS MATERIALIZED (
  SELECT item_id, -sum(on_hand) AS month, -sum(CASE WHEN at >= :day_at THEN on_hand ELSE 0 END) AS day,
    -sum(CASE WHEN at >= :hour_at THEN on_hand ELSE 0 END) AS hour, sum(CASE WHEN at >= :day_at THEN 1 ELSE 0 END)
    AS sales FROM movement WHERE reason = 'own sale' AND origin <> 'tiktok' AND id >= :first_id {of_own}
  GROUP BY item_id
), wanted AS ({wanted})
SELECT k.item_id, k.shop_id, k.sku_id, k.quantity, k.split_from, k.split_to, i.split_at, i.split_total, l.gone,
  l.status, l.refused_code, CAST(coalesce(s.month, 0) AS BIGINT) AS month, CAST(coalesce(s.day, 0) AS BIGINT) AS day,
  CAST(coalesce(s.hour, 0) AS BIGINT) AS hour, CAST(coalesce(s.orders, 0) AS BIGINT) AS orders,
  coalesce(own.month, 0) AS own_month, coalesce(own.day, 0) AS own_day,
  coalesce(own.hour, 0) AS own_hour, coalesce(own.sales, 0) AS own_sales
FROM wanted CROSS JOIN link k JOIN item i ON i.id = k.item_id
JOIN listing l ON l.shop_id = k.shop_id AND l.sku_id = k.sku_id
LEFT JOIN sold s ON s.shop_id = k.shop_id AND s.sku_id = k.sku_id LEFT JOIN own ON own.item_id = k.item_id
WHERE k.item_id = wanted.item_id ORDER BY k.item_id, k.shop_id, k.sku_id
"""
_SEVERAL = """
SELECT item_id FROM (
  SELECT k.item_id FROM sold CROSS JOIN link k WHERE k.shop_id = sold.shop_id AND k.sku_id = sold.sku_id
  UNION ALL SELECT item_id FROM own WHERE month > 0
) sides GROUP BY item_id HAVING count(*) > 1
UNION SELECT id FROM item WHERE split_total > 0 UNION SELECT item_id FROM link WHERE sku_id IN :parts
"""
_THESE = "SELECT id AS item_id FROM item WHERE id IN :items"
_OF_THESE = "AND {}.sku_id IN (SELECT sku_id FROM link WHERE item_id IN :items)"


def rows(connection: Connection, now: int, item_ids: Collection[int] | None = None) -> list[SoldRow]:
    """The listings of items that sell on two sides at least or are split now, or those of these items; by item.

    `now` is in seconds. A bundle of TikTok's own making is sold by the listings of its parts.
    """
    given, parts = _spans(connection, now), _parts_sold(connection, now)
    if item_ids is None:
        given["parts"] = sorted({sku_id for _, sku_id in parts})[:_MOST_PARTS]
        sold = _SOLD.format(of_sums="", of_lines="")
        query = _bound(_ROWS.format(sold=sold, wanted=_SEVERAL, of_own=""), "parts")
    else:
        given["items"] = sorted(item_ids)
        sold = _SOLD.format(of_sums=_OF_THESE.format("s"), of_lines=_OF_THESE.format("n"))
        query = _bound(_ROWS.format(sold=sold, wanted=_THESE, of_own="AND item_id IN :items"), "items")
    found = [SoldRow(**row) for row in connection.execute(query, given).mappings()]
    return [_with_parts(row, parts) for row in found] if parts else found


def of_last_hour(connection: Connection, now: int) -> set[int]:
    """The items of which something was sold within the hour before `now` (seconds), on any side."""
    given = _spans(connection, now)
    return {row.item_id for row in connection.execute(_LATELY, given)}


_LATELY = text("""
SELECT k.item_id FROM orders o CROSS JOIN order_line n CROSS JOIN link k
WHERE o.shop_id IN (SELECT id FROM shop) AND o.create_time >= :hour_time AND o.status <> 'CANCELLED'
  AND n.order_id = o.id AND k.shop_id = n.shop_id AND k.sku_id = n.sku_id
UNION SELECT item_id FROM movement
WHERE reason = 'own sale' AND origin <> 'tiktok' AND id >= :first_id AND at >= :hour_at
""")


def _spans(connection: Connection, now: int) -> dict[str, Any]:
    first = datetime.fromtimestamp(now, UTC).date() - timedelta(days=DAYS - 1)
    begins = now - DAYS * 24 * _HOUR
    return {
        "first_day": first.isoformat(), "day_time": now - 24 * _HOUR, "hour_time": now - _HOUR,
        "day_at": (now - 24 * _HOUR) * 1000, "hour_at": (now - _HOUR) * 1000,
        "first_id": first_since(connection, begins * 1000),
    }  # fmt: skip


def _bound(query: str, name: str) -> TextClause:
    return text(query).bindparams(bindparam(name, expanding=True))


_BUNDLED = text("""
SELECT n.shop_id, n.components, count(*) AS month,
  sum(CASE WHEN o.create_time >= :day_time THEN 1 ELSE 0 END) AS day,
  sum(CASE WHEN o.create_time >= :hour_time THEN 1 ELSE 0 END) AS hour,
  count(DISTINCT CASE WHEN o.create_time >= :day_time THEN o.id END) AS orders
FROM order_line n JOIN orders o ON o.id = n.order_id
WHERE n.components <> '' AND n.shop_id IN (SELECT id FROM shop) AND n.status <> 'CANCELLED'
  AND o.status <> 'CANCELLED' AND o.create_time >= :first_time
GROUP BY n.shop_id, n.components
""")


def _parts_sold(connection: Connection, now: int) -> _Parts:
    """What TikTok's own bundles took of their parts' listings; they are few, and found by an index of their own."""
    given = {
        "first_time": now - DAYS * 24 * _HOUR,
        "day_time": now - 24 * _HOUR,
        "hour_time": now - _HOUR,
    }
    found: _Parts = {}
    for row in connection.execute(_BUNDLED, given):
        for part in row.components.split(","):
            sku_id, _, count = part.rpartition("*")
            before = found.get((row.shop_id, sku_id), (0, 0, 0, 0))
            units = int(count)
            more = (row.month * units, row.day * units, row.hour * units, row.orders)
            month, day, hour, orders = (a + b for a, b in zip(before, more, strict=True))
            found[row.shop_id, sku_id] = (month, day, hour, orders)
    return found


def _with_parts(row: SoldRow, parts: _Parts) -> SoldRow:
    month, day, hour, orders = parts.get((row.shop_id, row.sku_id), (0, 0, 0, 0))
    return replace(row, month=row.month + month, day=row.day + day, hour=row.hour + hour, orders=row.orders + orders)

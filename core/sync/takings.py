"""What orders took from a store's number since a moment: the witness for stores whose sales may leave at once.

TikTok tells the units that its orders hold, so what it shows and what it holds tell together where an order is still on
its way to us. A store may tell one number only, and a sale at a till takes units without ever holding them. There the
times of the orders are asked: what was placed since, less what was cancelled since, is what the number must have lost.
It counts an order that we hear of late for what it is, also when a write of ours had put its units back.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from core.sync.context import ShopContext

SAME_MOMENT = 2  # seconds within which an order and a reading cannot be put in order

_TAKEN = text("""
SELECT
  coalesce(sum(CASE WHEN o.create_time > :late THEN 1 ELSE 0 END), 0) AS placed,
  coalesce(sum(CASE WHEN o.create_time > :early AND o.create_time <= :late THEN 1 ELSE 0 END), 0) AS maybe_placed,
  coalesce(sum(CASE WHEN l.status = 'CANCELLED' AND NOT l.shipped AND o.cancel_time > :late
    THEN 1 ELSE 0 END), 0) AS back,
  coalesce(sum(CASE WHEN l.status = 'CANCELLED' AND NOT l.shipped AND o.cancel_time > :early AND o.cancel_time <= :late
    THEN 1 ELSE 0 END), 0) AS maybe_back
FROM order_line l JOIN orders o ON o.id = l.order_id
WHERE l.shop_id = :shop AND l.sku_id = :sku AND (o.create_time > :early OR o.cancel_time > :early)
""")


def since(connection: Connection, shop: ShopContext, sku_id: str, moment: int) -> tuple[int, int]:
    """The least and the most units that orders took from a listing's number since a moment (ms), as far as known.

    Stores tell whole seconds, and a reading takes a while, so what happened within two seconds may count or not.
    """
    time = moment // 1000 + shop.skew
    given = {"shop": shop.shop_id, "sku": sku_id, "early": time - SAME_MOMENT, "late": time + SAME_MOMENT}
    row = connection.execute(_TAKEN, given).one()
    sure = row.placed - row.back
    return sure - row.maybe_back, sure + row.maybe_placed


def settled(connection: Connection, shop: ShopContext, row: Mapping[Any, Any]) -> dict[str, int]:
    """What orders had taken at a listing's settled reading, where what is kept of that leaves something unexplained.

    An order of the very moment counts as before or after the reading, whichever explains more; but once that was
    decided, a number that falls is no reason to think again, for it may be an order on its way to us.
    """
    beyond = None if row["base_shipped"] is None else _beyond(row)
    if beyond == 0:
        return {}
    least, most = since(connection, shop, row["sku_id"], row["base_at"])
    now = row["open_units"] + row["shipped_units"]
    explains = row["base_available"] - row["available"]
    likely = explains if beyond is None or beyond > 0 else now - row["base_open"] - row["base_shipped"]
    taken = min(max(likely, least), most)
    return {"base_open": row["open_units"] - taken, "base_shipped": row["shipped_units"]}


def heard_later(connection: Connection, shop: ShopContext, row: Mapping[Any, Any], found_at: int) -> tuple[int, int]:
    """The least and the most units that orders had taken by a moment (ms) and of which we heard only after it.

    What was cancelled by then counts against them. An order that changed since may have been known as cancelled before.
    """
    time = found_at // 1000 + shop.skew
    given = {"shop": shop.shop_id, "sku": row["sku_id"], "found": found_at}
    told = connection.execute(_LATER, given | {"early": time - SAME_MOMENT, "late": time + SAME_MOMENT}).one()
    return told.placed - told.back, told.placed + told.maybe_placed


_LATER = text("""
SELECT
  coalesce(sum(CASE WHEN o.first_seen_at > :found AND o.create_time <= :early THEN 1 ELSE 0 END), 0) AS placed,
  coalesce(sum(CASE WHEN o.first_seen_at > :found AND o.create_time > :early AND o.create_time <= :late
    THEN 1 ELSE 0 END), 0) AS maybe_placed,
  coalesce(sum(CASE WHEN l.status = 'CANCELLED' AND NOT l.shipped AND o.cancel_time <= :late
    THEN 1 ELSE 0 END), 0) AS back
FROM order_line l JOIN orders o ON o.id = l.order_id
WHERE l.shop_id = :shop AND l.sku_id = :sku AND o.changed_at > :found
""")


def in_doubt(connection: Connection, row: Mapping[Any, Any]) -> bool:
    """Whether a write of unknown outcome came after the settled reading, so that numbers alone tell nothing."""
    return connection.execute(_DOUBT, {"shop": row["shop_id"], "sku": row["sku_id"]}).first() is not None


_DOUBT = text("SELECT 1 FROM push WHERE shop_id = :shop AND sku_id = :sku AND outcome IN ('sent', 'unknown') LIMIT 1")


def readings(
    connection: Connection, shop: ShopContext, row: Mapping[Any, Any], push: Mapping[Any, Any]
) -> list[dict[Any, Any]]:
    """The reading after a write, once for each number of units that orders may have taken since before it."""
    least, most = since(connection, shop, row["sku_id"], push["intent_at"])
    unheld = dict(row) | {"committed": push["read_committed"]}
    return [unheld | {"shipped_since": units} for units in range(least, most + 1)]


def _beyond(row: Mapping[Any, Any]) -> int:
    base = row["base_available"] + row["base_open"] + row["base_shipped"]
    return int(row["available"] + row["open_units"] + row["shipped_units"] - base)

"""How long the stock lasts: free units of each item, what is sold of it a day, and the days until it runs out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from core.store.queries.ledger import first_since, like

DAYS = 28
SOON = 7
COVER = (
    "Days: free units divided by what is sold a day. Free is what is on hand less what is promised. Sold a day is the "
    "average of the last 28 full days, or of the days since the item is known here where these are fewer: units "
    "of TikTok orders that are paid and not cancelled, a bundle counted for each of its items, and sales in your own "
    "store."
)


@dataclass(frozen=True, slots=True)
class CoverRow:
    """One item: units, units sold a day, days until it runs out, and the units missing to last 28 days."""

    item_id: int
    sku: str
    title: str
    variant: str
    on_hand: int
    reserved: int
    free: int
    sold: int
    days_counted: int
    per_day: float
    cover: float
    missing: int


@dataclass(frozen=True, slots=True)
class CoverCounts:
    """How many items that sell run out within so many days."""

    out: int
    week: int
    fortnight: int
    month: int
    selling: int


# Sales of a listing count for each item it sells, as often as the listing holds it. `ago` is the number of days back.
# An item that sold before it was entered here is older than that: it counts as far back as orders are known.
_TABLE = """
WITH days (day, ago) AS (VALUES {days}), tiktok AS (
  SELECT k.item_id, sum(s.units * k.quantity) AS units, max(days.ago) AS ago FROM days
  JOIN sales_day s ON s.day = days.day AND s.shop_id IN (SELECT id FROM shop)
  JOIN link k ON k.shop_id = s.shop_id AND k.sku_id = s.sku_id WHERE s.units > 0 GROUP BY k.item_id
), own AS (
  SELECT item_id, -sum(on_hand) AS units, min(at) AS first_at FROM movement
  WHERE reason = 'own sale' AND origin <> 'tiktok' AND id >= :first_id AND at < :today_at GROUP BY item_id
), stock AS (
  SELECT item_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM level GROUP BY item_id
), sold AS (
  SELECT i.id AS item_id, i.sku, i.title, i.variant, coalesce(stock.on_hand, 0) AS on_hand,
    coalesce(stock.reserved, 0) AS reserved, coalesce(tiktok.units, 0) + coalesce(own.units, 0) AS sold,
    coalesce(tiktok.ago, 1) AS ago, (:today_at + 86399999 - CASE WHEN own.first_at < i.created_at THEN own.first_at
      ELSE i.created_at END) / 86400000 AS known
  FROM item i LEFT JOIN tiktok ON tiktok.item_id = i.id LEFT JOIN own ON own.item_id = i.id
  LEFT JOIN stock ON stock.item_id = i.id
  WHERE NOT i.archived AND coalesce(tiktok.units, 0) + coalesce(own.units, 0) > 0
), rated AS (
  SELECT sold.*, on_hand - reserved AS free,
    CASE WHEN known >= :days THEN :days WHEN known >= ago THEN known
      ELSE (SELECT max(ago) FROM tiktok) END AS days_counted FROM sold
), lasting AS (
  SELECT rated.*, sold * 1.0 / days_counted AS per_day,
    CASE WHEN free <= 0 THEN 0.0 ELSE free * 1.0 * days_counted / sold END AS cover,
    (:days * sold + days_counted - 1) / days_counted - free AS missing FROM rated
)
"""
_WANTED = (
    "WHERE cover < :within AND (:like = '' OR lower(sku) LIKE :like ESCAPE '\\' OR lower(title) LIKE :like ESCAPE '\\')"
)
ALWAYS = 1e12


def _given(connection: Connection, zone: ZoneInfo, now: int) -> tuple[str, dict[str, Any]]:
    midnight = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    back = [(midnight.date() - timedelta(days=ago)).isoformat() for ago in range(1, DAYS + 1)]
    start = midnight - timedelta(days=DAYS)
    values: dict[str, Any] = {f"day_{ago}": day for ago, day in enumerate(back, 1)}
    values |= {"today_at": int(midnight.timestamp() * 1000), "days": DAYS}
    values["first_id"] = first_since(connection, int(start.timestamp() * 1000))
    rows = ", ".join(f"(:day_{ago}, {ago})" for ago in range(1, DAYS + 1))
    return _TABLE.format(days=rows), values


def low(
    connection: Connection, zone: ZoneInfo, now: int, *, within: float = ALWAYS, search: str = "", limit: int = 50,
    offset: int = 0,
) -> list[CoverRow]:  # fmt: skip
    """Items that sell and run out within so many days, the most urgent first.

    `zone` is the shop's, in which days begin; `now` is in seconds.
    """
    table, values = _given(connection, zone, now)
    order = "ORDER BY cover, per_day DESC, sku LIMIT :limit OFFSET :offset"
    query = f"{table} SELECT * FROM lasting {_WANTED} {order}"  # noqa: S608 (constants)
    values |= {"within": within, "like": like(search) if search else "", "limit": limit, "offset": offset}
    return [_row(row) for row in connection.execute(text(query), values)]


def _row(row: Any) -> CoverRow:
    return CoverRow(
        row.item_id, row.sku, row.title, row.variant, int(row.on_hand), int(row.reserved), int(row.free), int(row.sold),
        int(row.days_counted), float(row.per_day), float(row.cover), max(0, int(row.missing)),
    )  # fmt: skip


def total(connection: Connection, zone: ZoneInfo, now: int, *, within: float = ALWAYS, search: str = "") -> int:
    """How many items match."""
    table, values = _given(connection, zone, now)
    values |= {"within": within, "like": like(search) if search else ""}
    query = f"{table} SELECT count(*) FROM lasting {_WANTED}"  # noqa: S608 (constants)
    return int(connection.execute(text(query), values).scalar_one())


def counts(connection: Connection, zone: ZoneInfo, now: int) -> CoverCounts:
    """How many items that sell have run out, and how many run out within a week, a fortnight and a month."""
    table, values = _given(connection, zone, now)
    parts = [f"coalesce(sum(CASE WHEN cover {test} THEN 1 ELSE 0 END), 0)" for test in ("<= 0", "< 7", "< 14", "< 30")]
    query = f"{table} SELECT {', '.join(parts)}, count(*) FROM lasting"  # noqa: S608 (constants)
    row = connection.execute(text(query), values).one()
    return CoverCounts(*(int(value) for value in row))

"""What is at stake in the rows of a plan: the change in units, its worth, and what to know before agreeing to it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, TextClause, bindparam, insert, text

from core.store.chunks import chunks
from core.store.tables import PlanRow
from core.store.upsert import table

UNITS = ("available", "on hand")  # the fields whose values are units


def keep(connection: Connection, shop_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store rows of a plan, each with its change in units, the worth of that, and a warning where one is due.

    The entity of a row is a listing of the shop. With `shop_id` "" it is a listing of any shop where the row is about
    what is available, and otherwise the SKU of an item. Rows about anything but units are stored as they are.
    """
    weighed = _weighed(connection, shop_id, rows)
    if weighed:
        connection.execute(insert(table(PlanRow)), weighed)


def _weighed(connection: Connection, shop_id: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    changes = [_change(row) for row in rows]
    prices = _prices(connection, shop_id, rows)
    raised = {
        row["entity"]: int(row["new"])
        for row, change in zip(rows, changes, strict=True)
        if change is not None and change > 0 and row["field"] == "available"
    }
    counts = _last_counts(connection, shop_id, list(raised))
    found = []
    for row, change in zip(rows, changes, strict=True):
        price, currency = prices.get(row["entity"], (None, ""))
        stake = None if change is None or price is None else change * price
        count = counts.get(row["entity"])
        high = count is not None and row["entity"] in raised and raised[row["entity"]] > count
        warning = f"More than the {count} of the last count." if high else ""
        found.append({"change": change, "stake_units": stake, "currency": currency, "warning": warning} | dict(row))
    return found


def _change(row: Mapping[str, Any]) -> int | None:
    values = (str(row["old"]), str(row["new"]))
    if row["field"] not in UNITS or not all(value.removeprefix("-").isdecimal() for value in values):
        return None
    return int(values[1]) - int(values[0])


_LISTING_PRICES = text("""
SELECT sku_id AS entity, price_units, currency FROM listing WHERE :shop IN ('', shop_id) AND sku_id IN :entities
""").bindparams(bindparam("entities", expanding=True))
_ITEM_PRICES = text("""
SELECT sku AS entity, price_units, currency FROM item WHERE :shop = '' AND sku IN :entities
""").bindparams(bindparam("entities", expanding=True))


def _prices(
    connection: Connection, shop_id: str, rows: Sequence[Mapping[str, Any]]
) -> dict[str, tuple[int | None, str]]:
    listings = shop_id or all(row["field"] == "available" for row in rows)
    query = _LISTING_PRICES if listings else _ITEM_PRICES
    found = _each(connection, query, shop_id, [row["entity"] for row in rows])
    return {row.entity: (row.price_units, row.currency) for row in found}


# What was counted is what is on hand less what moved since; a bundle has no count of its own.
_COUNTS = text("""
SELECT k.sku_id AS entity, coalesce((SELECT sum(v.on_hand) FROM level v WHERE v.item_id = k.item_id), 0)
  - coalesce((SELECT sum(m.on_hand) FROM movement m WHERE m.item_id = k.item_id AND m.at > i.counted_at), 0) AS counted
FROM link k JOIN item i ON i.id = k.item_id
WHERE :shop IN ('', k.shop_id) AND k.sku_id IN :entities AND k.quantity = 1 AND i.counted_at IS NOT NULL
  AND (SELECT count(*) FROM link a WHERE a.shop_id = k.shop_id AND a.sku_id = k.sku_id) = 1
""").bindparams(bindparam("entities", expanding=True))


def _last_counts(connection: Connection, shop_id: str, skus: Sequence[str]) -> dict[str, int]:
    return {row.entity: row.counted for row in _each(connection, _COUNTS, shop_id, skus)}


def _each(connection: Connection, query: TextClause, shop_id: str, entities: Sequence[str]) -> Iterator[Any]:
    for part in chunks(entities):
        yield from connection.execute(query, {"shop": shop_id, "entities": part})

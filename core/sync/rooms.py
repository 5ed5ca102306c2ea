"""How much each location leaves to a listing: the SQL and the arithmetic for goods that lie in more than one place.

A listing is sold from the locations that its warehouses are served from, and each warehouse may offer no more than is
free in its location. With a single location none of this is asked.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, text

from core.store.queries.places import STORE

_SERVED = f"coalesce(w.location_id, {STORE})"
_WHOSE = "LEFT JOIN warehouse w ON w.shop_id = s.shop_id AND w.id = s.warehouse_id"
# Narrows levels v to the locations that the listing of the link k is sold from.
HERE = f"""AND v.location_id IN (
  SELECT {_SERVED} FROM stock s {_WHOSE} WHERE s.shop_id = k.shop_id AND s.sku_id = k.sku_id)"""  # noqa: S608 (constants)
# Units of an item that TikTok holds for orders that are not here yet, and all that it holds in one location.
_UNSEEN = """(
  SELECT coalesce(sum((o.committed - o.open_units) * k2.quantity), 0)
  FROM link k2 JOIN listing o ON o.shop_id = k2.shop_id AND o.sku_id = k2.sku_id
  WHERE k2.item_id = k.item_id AND o.committed > o.open_units AND NOT o.gone)"""
_COMMITTED = f"""(
  SELECT coalesce(sum(s.committed * k2.quantity), 0) FROM link k2
  JOIN stock s ON s.shop_id = k2.shop_id AND s.sku_id = k2.sku_id {_WHOSE}
  WHERE k2.item_id = h.item_id AND {_SERVED} = h.place)"""  # noqa: S608 (constants)
# For the listings of a table `due` (shop_id, sku_id): `spots` holds the most that each location leaves to them, and
# `room` the sum over their locations. What is not here yet is looked for only where there is any.
SPOTS = f"""
here AS (
  SELECT DISTINCT due.shop_id, due.sku_id, {_SERVED} AS place
  FROM due JOIN stock s ON s.shop_id = due.shop_id AND s.sku_id = due.sku_id {_WHOSE}
), lying AS MATERIALIZED (
  SELECT h.shop_id, h.sku_id, h.place, k.item_id, k.quantity, coalesce(v.reserved, 0) AS reserved,
    coalesce(v.on_hand, 0) - coalesce(v.reserved, 0) AS free, {_UNSEEN} AS unseen
  FROM here h JOIN link k ON k.shop_id = h.shop_id AND k.sku_id = h.sku_id
  LEFT JOIN level v ON v.item_id = k.item_id AND v.location_id = h.place
), left_free AS MATERIALIZED (
  SELECT h.shop_id, h.sku_id, h.place, h.quantity, h.free - CASE WHEN h.unseen = 0 THEN 0
    WHEN {_COMMITTED} <= h.reserved THEN 0
    WHEN {_COMMITTED} - h.reserved < h.unseen THEN {_COMMITTED} - h.reserved ELSE h.unseen END AS free FROM lying h
), spots AS MATERIALIZED (
  SELECT shop_id, sku_id, place, min(CASE WHEN free > 0 THEN free / quantity ELSE 0 END) AS most
  FROM left_free GROUP BY shop_id, sku_id, place
), room AS MATERIALIZED (SELECT shop_id, sku_id, sum(most) AS most FROM spots GROUP BY shop_id, sku_id)
"""  # noqa: S608 (constants)

_LOAD = text(
    "WITH due AS (SELECT shop_id, sku_id FROM listing WHERE shop_id = :shop AND sku_id IN :skus), "  # noqa: S608
    f"{SPOTS} SELECT sku_id, place, most FROM spots"
).bindparams(bindparam("skus", expanding=True))
_SERVES = text(
    f"SELECT s.sku_id, s.warehouse_id, {_SERVED} AS place FROM stock s {_WHOSE} "  # noqa: S608
    "WHERE s.shop_id = :shop AND s.sku_id IN :skus"
).bindparams(bindparam("skus", expanding=True))
_MISPLACED = text(f"""
WITH due AS (SELECT shop_id, sku_id FROM listing WHERE shop_id = :shop AND NOT gone), {SPOTS}, offered AS (
  SELECT s.shop_id, s.sku_id, {_SERVED} AS place, sum(s.available) AS units FROM stock s {_WHOSE}
  WHERE s.shop_id = :shop GROUP BY s.shop_id, s.sku_id, {_SERVED}
)
SELECT DISTINCT o.sku_id FROM offered o JOIN spots p ON p.shop_id = o.shop_id AND p.sku_id = o.sku_id
  AND p.place = o.place JOIN listing l ON l.shop_id = o.shop_id AND l.sku_id = o.sku_id
LEFT JOIN outbox x ON x.shop_id = o.shop_id AND x.sku_id = o.sku_id
WHERE o.units > p.most AND l.target IS NOT NULL AND (x.state IS NULL OR x.state = 'idle') ORDER BY o.sku_id
""")  # noqa: S608 (constants)


def load(
    connection: Connection, shop_id: str, skus: Collection[str]
) -> dict[str, tuple[dict[str, int], dict[int, int]]]:
    """For each listing: the location that each of its warehouses is served from, and the most that each leaves."""
    given: dict[str, Any] = {"shop": shop_id, "skus": sorted(skus)}
    found: dict[str, tuple[dict[str, int], dict[int, int]]] = {sku: ({}, {}) for sku in skus}
    for row in connection.execute(_SERVES, given):
        found[row.sku_id][0][row.warehouse_id] = row.place
    for row in connection.execute(_LOAD, given):
        found[row.sku_id][1][row.place] = int(row.most)
    return found


def misplaced(connection: Connection, shop_id: str) -> list[str]:
    """The SKU ids of a shop that offer more in one location than is free there, and that nothing looks at yet."""
    return [row.sku_id for row in connection.execute(_MISPLACED, {"shop": shop_id})]


def safe(shown: Mapping[str, int], served: Mapping[str, int], most: Mapping[int, int]) -> int:
    """Units that a listing would go on offering if only each location's excess were taken away. Pure."""
    offered: dict[int, int] = dict.fromkeys(most, 0)
    for name, units in shown.items():
        offered[served[name]] = offered.get(served[name], 0) + max(0, units)
    return sum(min(units, most.get(place, 0)) for place, units in offered.items())

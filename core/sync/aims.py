"""What each listing should show, kept beside what TikTok shows, so that a page can compare a hundred thousand at once.

The number is the one of `targets.target`, reckoned in the database: for the listings of an item in the transaction that
changed anything about it, and for all of a shop once more with each sync. What is sent is reckoned anew at that moment.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, TextClause, bindparam, text

from core.store.chunks import chunks
from core.store.queries import places
from core.sync import locks, rooms
from core.sync.targets import MOST

LOCKED = f"refused_code IN ({locks.IN_SQL})"
# `here` narrows the levels to the locations that the listing is sold from, where there is more than one.
_ON_HAND = "(SELECT coalesce(sum(v.on_hand), 0) FROM level v WHERE v.item_id = k.item_id {here})"
_OTHERS = "FROM link k2 JOIN listing o ON o.shop_id = k2.shop_id AND o.sku_id = k2.sku_id WHERE k2.item_id = k.item_id"
# Units of the item behind the link k that TikTok holds for orders that are not known here. An order may hide behind the
# shipment of another one: what has left the number of another listing unexplained counts as sold there as well, also
# when a write of ours has overtaken it before its cause was known.
_BEYOND = "o.committed - o.open_units"
_LEFT = """
  (o.base_available + o.base_open + coalesce(o.base_shipped, o.shipped_units)
  - o.available - o.open_units - o.shipped_units)
"""
_SELF = "(o.shop_id = k.shop_id AND o.sku_id = k.sku_id)"
_OVERTAKEN = """(
  SELECT coalesce(max(-d.amount), 0) FROM drift d WHERE d.shop_id = o.shop_id AND d.sku_id = o.sku_id
    AND d.state = 'lowered' AND d.cause = '' AND d.amount < 0
)"""
UNSEEN = f"""(
  SELECT coalesce(sum(k2.quantity * (CASE WHEN {_LEFT} > 0 AND {_LEFT} > {_BEYOND} AND NOT {_SELF} THEN {_LEFT}
    WHEN {_BEYOND} > 0 THEN {_BEYOND} ELSE 0 END + CASE WHEN {_SELF} THEN 0 ELSE {_OVERTAKEN} END)), 0)
  {_OTHERS} AND NOT o.gone
)"""
# Units that other listings of it show and TikTok lets nobody lower: as good as sold there.
HELD = f"""(
  SELECT coalesce(sum(o.available * k2.quantity), 0) {_OTHERS} AND o.{LOCKED} AND NOT o.gone
    AND NOT {_SELF}
)"""
_FREE = f"""(
  SELECT coalesce(sum(v.on_hand - v.reserved), 0) FROM level v WHERE v.item_id = k.item_id {{here}}
) - {UNSEEN} - {HELD}"""  # noqa: S608 (constants)
_AIMS = f"""
WITH due AS ({{due}}
), {{room}} part AS MATERIALIZED (
  SELECT due.shop_id, due.sku_id, k.item_id, k.quantity, k.buffer, k.share, k.cap, k.zero_below, k.split_from,
    k.split_to, i.split_at, i.split_total, i.halted_at, i.counted_at IS NULL AND {_ON_HAND} <= 0 AS unknown,
    {_FREE} AS free
  FROM due LEFT JOIN link k ON k.shop_id = due.shop_id AND k.sku_id = due.sku_id LEFT JOIN item i ON i.id = k.item_id
), offered AS (
  SELECT shop_id, sku_id, item_id, quantity, cap, halted_at, unknown, CASE WHEN free < zero_below THEN 0
    WHEN split_total > 0 AND free BETWEEN 1 AND split_at AND
      free * split_to / split_total - free * split_from / split_total < (free - buffer) * share / 100
    THEN free * split_to / split_total - free * split_from / split_total ELSE (free - buffer) * share / 100 END AS units
  FROM part
), aimed AS (
  SELECT shop_id, sku_id, count(item_id) AS parts, min(units / quantity) AS units, {{cap}} AS cap,
    max(CASE WHEN unknown THEN 1 ELSE 0 END) AS unknown, count(halted_at) AS halted
  FROM offered {{of}} GROUP BY shop_id, sku_id
), told AS (
  SELECT shop_id, sku_id, CASE WHEN parts = 0 OR unknown = 1 THEN NULL WHEN units < 0 THEN 0 WHEN units > cap THEN cap
      ELSE units END AS target,
    CASE WHEN parts = 0 THEN 'unlinked' WHEN unknown = 1 THEN 'unread' WHEN halted > 0 THEN 'halted'
      ELSE '' END AS stand
  FROM aimed
)
SELECT told.shop_id AS shop, told.sku_id AS sku, told.target, told.stand FROM told
CROSS JOIN listing l WHERE l.shop_id = told.shop_id AND l.sku_id = told.sku_id
  AND (l.stand <> told.stand OR l.target IS DISTINCT FROM told.target)
"""  # noqa: S608 (constants)
_KEEP = text("UPDATE listing SET target = :target, stand = :stand WHERE shop_id = :shop AND sku_id = :sku")
_CAP = f"coalesce(min(cap), {MOST})"
# Where goods lie in several locations, no more than each of them leaves to the listing.
_ONE_PLACE = {"here": "", "room": "", "of": "", "cap": _CAP}
_PLACES = {"here": rooms.HERE, "room": f"{rooms.SPOTS},", "of": "LEFT JOIN room USING (shop_id, sku_id)",
           "cap": f"CASE WHEN min(most) < {_CAP} THEN min(most) ELSE {_CAP} END"}  # fmt: skip


def _both(due: str, *many: str) -> tuple[TextClause, TextClause]:
    """The statement for these listings: with a single location, and with several."""
    binds: list[BindParameter[Any]] = [bindparam(name, expanding=True) for name in many]
    return (
        text(_AIMS.format(due=due, **_ONE_PLACE)).bindparams(*binds),
        text(_AIMS.format(due=due, **_PLACES)).bindparams(*binds),
    )


_OF_ITEMS = _both("SELECT DISTINCT shop_id, sku_id FROM link WHERE item_id IN :items", "items")
_OF_LISTINGS = _both(
    "SELECT shop_id, sku_id FROM listing WHERE shop_id = :shop AND sku_id IN :skus UNION "
    "SELECT b.shop_id, b.sku_id FROM link a JOIN link b ON b.item_id = a.item_id "
    "WHERE a.shop_id = :shop AND a.sku_id IN :skus",
    "skus",
)
_OF_SHOP = _both("SELECT shop_id, sku_id FROM listing WHERE shop_id = :shop AND NOT gone")


def of_items(connection: Connection, item_ids: Collection[int]) -> None:
    """Reckon what the listings of these items should show; call it in the transaction that changed the items."""
    query = _OF_ITEMS[places.several(connection)]
    for part in chunks(sorted(item_ids)):
        _keep(connection, connection.execute(query, {"items": part}).mappings().all())


def of_listings(connection: Connection, shop_id: str, sku_ids: Collection[str]) -> None:
    """Reckon what these listings, and the others of their items, should show."""
    query = _OF_LISTINGS[places.several(connection)]
    for part in chunks(sorted(sku_ids)):
        _keep(connection, connection.execute(query, {"shop": shop_id, "skus": part}).mappings().all())


def differing(connection: Connection, item_ids: Collection[int]) -> list[tuple[str, str, int | None]]:
    """The listings of these items, as (shop, SKU, number), whose number would be another one than is kept now."""
    query = _OF_ITEMS[places.several(connection)]
    found = (connection.execute(query, {"items": part}) for part in chunks(sorted(item_ids)))
    return [(row.shop, row.sku, row.target) for rows in found for row in rows]


def astray(connection: Connection, shop_id: str) -> list[str]:
    """The SKU ids of a shop whose kept number is not what it should be: none, if every change carried it along."""
    return [row.sku for row in connection.execute(_OF_SHOP[places.several(connection)], {"shop": shop_id})]


def _keep(connection: Connection, rows: Sequence[Any]) -> None:
    if rows:
        connection.execute(_KEEP, [dict(row) for row in rows])

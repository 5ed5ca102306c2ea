"""The stock table: what we have, what TikTok shows, and why they differ; compared in the database."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from core.store.queries import places
from core.sync import rooms
from core.sync.aims import HELD, LOCKED, UNSEEN

_SORTS = {
    "difference": "abs(coalesce(difference, 0))",
    "title": "title",
    "seller_sku": "seller_sku",
    "on_hand": "on_hand",
    "reserved": "reserved",
    "target": "target",
    "available": "available",
    "state": "state",
}
_ONLY = {
    "all": "",
    "different": "AND state NOT IN ('even', 'unlinked', 'unread')",
    "drift": "AND drift <> 0",
    "unlinked": "AND state = 'unlinked'",
    "refused": "AND state IN ('refused', 'locked', 'halted')",
    "waiting": "AND state IN ('waiting', 'unread')",
    "even": "AND state = 'even'",
}

# One row a listing, with only what judging needs: a hundred thousand may be judged to show fifty. What each should show
# is kept beside what it shows (aims.py).
_EACH = (
    "(SELECT {most}((SELECT sum(v.{column}) FROM level v WHERE v.item_id = k.item_id)) FROM link k {mine}) AS {column}"
)
_MINE = "WHERE k.shop_id = l.shop_id AND k.sku_id = l.sku_id"
_MORE = {  # what some pages sort by or search in, read for every listing only then
    "title": "l.title",
    "seller_sku": "l.seller_sku",
    "on_hand": _EACH.format(most="min", column="on_hand", mine=_MINE),
    "reserved": _EACH.format(most="max", column="reserved", mine=_MINE),
}
_TABLE = f"""
WITH doubt AS MATERIALIZED (
  SELECT shop_id, sku_id FROM push WHERE outcome IN ('sent', 'unknown')
), rows AS NOT MATERIALIZED (
  SELECT l.shop_id, l.sku_id, l.available, l.committed, l.open_units, l.target, l.available - l.target AS difference,
    coalesce(d.amount, 0) AS drift{{more}},
    CASE WHEN l.stand <> '' THEN l.stand WHEN l.available IS NULL THEN 'unread' WHEN d.amount <> 0 THEN 'drift'
      WHEN l.available = l.target THEN 'even' WHEN l.{LOCKED} THEN 'locked'
      WHEN l.refused_code IS NOT NULL THEN 'refused'
      WHEN l.target > l.available AND (l.committed > l.open_units OR EXISTS (
        SELECT 1 FROM doubt WHERE doubt.shop_id = l.shop_id AND doubt.sku_id = l.sku_id)) THEN 'waiting'
      WHEN l.target < l.available THEN 'lower' ELSE 'raise' END AS state
  FROM listing l
  LEFT JOIN drift d ON d.shop_id = l.shop_id AND d.sku_id = l.sku_id AND d.state IN ('open', 'lowered')
  WHERE NOT l.gone AND l.status <> 'UNSEEN' {{shop}} {{some}}
)
"""  # noqa: S608 (constants)
_ON_HAND = "(SELECT coalesce(sum(v.on_hand), 0) FROM level v WHERE v.item_id = k.item_id {here})"
_RESERVED = "(SELECT coalesce(sum(v.reserved), 0) FROM level v WHERE v.item_id = k.item_id {here})"
_PAGE = f"""
, page AS (SELECT shop_id, sku_id FROM rows WHERE 1 = 1 {{where}} ORDER BY {{order}} {{limit}}
), part AS (
  SELECT k.shop_id, k.sku_id, i.id AS item_id, i.sku, i.split_at, i.split_total, i.halted_why, k.buffer, k.share, k.cap,
    k.zero_below, {_ON_HAND} AS on_hand, {_RESERVED} AS reserved, {UNSEEN} AS unseen, {HELD} AS held
  FROM page CROSS JOIN link k JOIN item i ON i.id = k.item_id
  WHERE k.shop_id = page.shop_id AND k.sku_id = page.sku_id
), parts AS (
  SELECT shop_id, sku_id, count(*) AS parts, min(item_id) AS item_id, min(sku) AS item_sku, min(on_hand) AS on_hand,
    max(reserved) AS reserved, max(unseen) AS unseen, max(held) AS held, max(buffer) AS buffer, min(share) AS share,
    min(cap) AS cap, max(zero_below) AS zero_below, max(halted_why) AS halted_why,
    max(CASE WHEN split_total > 0 AND on_hand - reserved - unseen - held BETWEEN 1 AND split_at THEN 1 ELSE 0 END)
      AS split
  FROM part GROUP BY shop_id, sku_id
)
SELECT rows.shop_id, rows.sku_id, rows.available, rows.committed, rows.open_units, rows.target, rows.difference,
  rows.drift, rows.state, l.stand, l.product_id, l.seller_sku, l.title, l.variant, l.observed_at, l.refused_sentence,
  parts.item_id, parts.parts, parts.item_sku, parts.on_hand, parts.reserved, parts.unseen, parts.held, parts.buffer,
  parts.share, parts.cap, parts.zero_below, parts.split, parts.halted_why,
  coalesce((SELECT d.state FROM drift d WHERE d.shop_id = page.shop_id AND d.sku_id = page.sku_id
    AND d.state IN ('open', 'lowered')), '') AS drift_state,
  (SELECT p.confirmed_at FROM push p WHERE p.shop_id = page.shop_id AND p.sku_id = page.sku_id
    AND p.confirmed_at IS NOT NULL ORDER BY p.id DESC LIMIT 1) AS confirmed_at,
  (SELECT x.generation FROM outbox x WHERE x.shop_id = page.shop_id AND x.sku_id = page.sku_id) AS generation
FROM page CROSS JOIN rows JOIN listing l ON l.shop_id = rows.shop_id AND l.sku_id = rows.sku_id
LEFT JOIN parts ON parts.shop_id = rows.shop_id AND parts.sku_id = rows.sku_id
WHERE rows.shop_id = page.shop_id AND rows.sku_id = page.sku_id ORDER BY {{shown}}
"""  # noqa: S608 (constants)
_TOTAL = "SELECT count(*) FROM rows WHERE 1 = 1 {where}"


@dataclass(frozen=True, slots=True)
class StockRow:
    """One listing beside what we have of it, in units; `difference` is TikTok's number minus the target.

    `held` is what other listings show that TikTok lets nobody lower. `buffer`, `share` (percent), `cap` and
    `zero_below` are the owner's rule in force, `split` says that these are the last units and split between channels.
    """

    shop_id: str
    sku_id: str
    product_id: str
    seller_sku: str
    title: str
    variant: str
    item_id: int | None
    item_sku: str | None
    parts: int
    on_hand: int | None
    reserved: int | None
    unseen: int | None
    held: int | None
    buffer: int | None
    share: int | None
    cap: int | None
    zero_below: int | None
    split: bool
    target: int | None
    available: int | None
    committed: int | None
    difference: int | None
    drift: int
    state: str
    sentence: str
    observed_at: int | None
    confirmed_at: int | None
    generation: int


@dataclass(frozen=True, slots=True)
class StockCounts:
    """How many listings are in which state."""

    listings: int
    even: int
    different: int
    drift: int
    unlinked: int
    refused: int
    waiting: int


def counts(connection: Connection, *, shop_id: str | None = None) -> StockCounts:
    """How many listings are even, and how many are not and why."""
    given = _given(shop_id)
    shop = "" if shop_id is None else "AND l.shop_id = :shop"
    every = connection.execute(text(_EVERY.format(shop=shop)), given).one()
    query = text(_table(shop_id, only="different") + "SELECT state, count(*) AS n FROM rows GROUP BY state")  # noqa: S608
    off = {row.state: row.n for row in connection.execute(query, given)}
    drift = int(connection.execute(text(_DRIFTING.format(shop=shop)), given).scalar_one())
    others = sum(off.get(state, 0) for state in ("lower", "raise", "refused", "locked", "waiting"))
    even = every.listings - every.unlinked - every.unread - every.halted - drift - others
    return StockCounts(
        every.listings, even, sum(off.values()), drift, every.unlinked,
        off.get("refused", 0) + off.get("locked", 0) + every.halted, off.get("waiting", 0) + every.unread,
    )  # fmt: skip


# Nearly all listings are even: only the others are judged, and the rest is counted.
_EVERY = """
SELECT count(*) AS listings, coalesce(sum(CASE WHEN l.stand = 'unlinked' THEN 1 ELSE 0 END), 0) AS unlinked,
  coalesce(sum(CASE WHEN l.stand = 'halted' THEN 1 ELSE 0 END), 0) AS halted,
  coalesce(sum(CASE WHEN l.stand = 'unread' OR (l.stand = '' AND l.available IS NULL) THEN 1 ELSE 0 END), 0) AS unread
FROM listing l WHERE NOT l.gone AND l.status <> 'UNSEEN' {shop}
"""
_DRIFTING = """
SELECT count(*) FROM drift d JOIN listing l ON l.shop_id = d.shop_id AND l.sku_id = d.sku_id
WHERE d.state IN ('open', 'lowered') AND d.amount <> 0 AND l.stand = '' AND l.available IS NOT NULL AND NOT l.gone
  AND l.status <> 'UNSEEN' {shop}
"""


def rows(
    connection: Connection,
    *,
    shop_id: str | None = None,
    search: str = "",
    only: str = "all",
    sort: str = "difference",
    descending: bool = True,
    limit: int | None = 50,
    offset: int = 0,
) -> list[StockRow]:
    """A page of the stock table. `only` and `sort` are names from a fixed list; `search` looks in SKUs and titles."""
    where, given = _where(only, search), _given(shop_id, search)
    page = "" if limit is None else "LIMIT :limit OFFSET :offset"
    order = f"{_SORTS[sort]} {'DESC' if descending else 'ASC'}, sku_id"
    shown = order.replace(_SORTS[sort], _SORTS[sort].replace(sort, f"rows.{sort}")).replace("sku_id", "rows.sku_id")
    shape = {"where": where, "order": order, "limit": page, "shown": shown, "here": _here(connection)}
    query = text(_table(shop_id, search, sort, only) + _PAGE.format(**shape))
    if limit is not None:
        given |= {"limit": limit, "offset": offset}
    return [_stock_row(row) for row in connection.execute(query, given)]


def one(connection: Connection, shop_id: str, sku_id: str) -> StockRow | None:
    """One listing of the stock table, or None when it is not in it."""
    shape = {"where": "AND sku_id = :sku", "order": "sku_id", "limit": "", "shown": "1", "here": _here(connection)}
    query = text(_table(shop_id) + _PAGE.format(**shape))
    row = connection.execute(query, {"shop": shop_id, "sku": sku_id}).one_or_none()
    return None if row is None else _stock_row(row)


def _here(connection: Connection) -> str:
    return rooms.HERE if places.several(connection) else ""


def uneven(connection: Connection, shop_id: str) -> list[str]:
    """The SKU ids of linked listings whose number on TikTok is not their target, and that nothing looks at yet.

    What is due already keeps its time, and what waits for the owner goes on waiting, unless it offers too much while
    the owner has a drift to decide on: lowering never waits.
    """
    query = text(
        _table(shop_id, only="different")
        + """
SELECT rows.sku_id FROM rows LEFT JOIN outbox x ON x.shop_id = rows.shop_id AND x.sku_id = rows.sku_id
WHERE (x.state IS NULL OR x.state = 'idle' OR (x.state = 'held' AND drift <> 0 AND difference > 0))
ORDER BY rows.sku_id
"""
    )
    found = [row.sku_id for row in connection.execute(query, _given(shop_id))]
    return sorted({*found, *rooms.misplaced(connection, shop_id)}) if places.several(connection) else found


def total(connection: Connection, *, shop_id: str | None = None, search: str = "", only: str = "all") -> int:
    """How many rows the same filter finds."""
    query = text(_table(shop_id, search, only=only) + _TOTAL.format(where=_where(only, search)))
    return int(connection.execute(query, _given(shop_id, search)).scalar_one())


def _table(shop_id: str | None, search: str = "", sort: str = "", only: str = "all") -> str:
    """The statement's first half, with what is searched in and sorted by; an index holds those that differ."""
    more = {*(("title", "seller_sku") if search.strip() else ()), sort} & _MORE.keys()
    columns = "".join(f", {_MORE[name]}" for name in sorted(more))
    some = "AND l.available <> l.target" if only == "different" else ""
    column = "l.shop_id || ''" if some else "l.shop_id"  # so that no index of all listings of a shop looks as good
    shop = "" if shop_id is None else f"AND {column} = :shop"
    return _TABLE.format(shop=shop, more=columns, some=some)


_FOUND = r"""
AND (seller_sku LIKE :like ESCAPE '\' OR title LIKE :like ESCAPE '\' OR sku_id = :exact OR (shop_id, sku_id) IN (
  SELECT k.shop_id, k.sku_id FROM item i JOIN link k ON k.item_id = i.id WHERE i.sku LIKE :like ESCAPE '\'))
"""


def _where(only: str, search: str) -> str:
    return f"{_ONLY[only]} {_FOUND}" if search.strip() else _ONLY[only]


def _given(shop_id: str | None, search: str = "") -> dict[str, Any]:
    words = search.strip()
    given = {} if shop_id is None else {"shop": shop_id}
    if words:
        plain = words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
        given |= {"like": f"%{plain}%", "exact": words}
    return given


def _stock_row(row: Any) -> StockRow:
    return StockRow(
        row.shop_id, row.sku_id, row.product_id, row.seller_sku, row.title, row.variant, row.item_id, row.item_sku,
        row.parts or 0, row.on_hand, row.reserved, row.unseen, row.held,
        row.buffer, row.share, row.cap, row.zero_below, bool(row.split), row.target, row.available, row.committed,
        row.difference, row.drift, row.state, _sentence(row), row.observed_at, row.confirmed_at, row.generation or 0,
    )  # fmt: skip


def _sentence(row: Any) -> str:
    match row.state:
        case "unlinked":
            return "Not linked to an item of yours, so Evenstock leaves it alone."
        case "unread" if row.stand == "unread":
            return "Never counted: enter how many you have, then Evenstock keeps it even."
        case "unread":
            return "TikTok has not told its stock yet."
        case "even":
            return "Even."
        case "drift" if row.drift_state == "lowered":
            return f"Somebody changed TikTok by {row.drift:+d}. Evenstock lowered it since; decide which is right."
        case "drift":
            return f"Somebody changed TikTok by {row.drift:+d}, and no order explains it. Decide which number is right."
        case "halted":
            return str(row.halted_why)
        case "locked":
            return f"{row.refused_sentence} Until then other listings of it give way."
        case "refused":
            return str(row.refused_sentence)
        case "waiting" if row.committed > row.open_units:
            return "TikTok holds units for orders that have not arrived here yet. It is raised once they have."
        case "waiting":
            return "The answer to the last change was lost; the next readings settle it."
        case "lower":
            return f"TikTok offers {row.difference} too many."
        case _:
            return f"TikTok could offer {-row.difference} more."

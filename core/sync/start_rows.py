"""The listings that nobody has reviewed yet, read with all that choosing where their truth starts needs."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, text

from core.store.chunks import chunks
from core.store.queries import places
from core.store.queries.ledger import like
from core.store.queries.places import STORE
from core.sync.booking import FULFILLED_BY_TIKTOK
from core.sync.ledger import stock_units
from core.sync.starting import Line, Piece, Spot, Unsettled

REASON = "baseline"
_OLDEST = 180 * 86_400  # seconds; no order stays open for so long
_MS = 1000

_LINKED = """
FROM listing l WHERE l.shop_id = :shop AND NOT l.gone AND l.status <> 'UNSEEN'
  AND EXISTS (SELECT 1 FROM link k WHERE k.shop_id = l.shop_id AND k.sku_id = l.sku_id)
"""
_UNSETTLED = "AND l.settled_at IS NULL"
_NEW = f"{_LINKED} {_UNSETTLED}"
_FOUND = f"""{_NEW}
  AND (:like = '' OR lower(l.seller_sku) LIKE :like ESCAPE '\\' OR lower(l.title) LIKE :like ESCAPE '\\')
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much has no start yet: linked listings, their products, and listings that are linked to nothing."""

    listings: int
    products: int
    unlinked: int


def waiting(connection: Connection, shop_id: str, search: str = "") -> Waiting:
    """How much of a shop has no start yet; `search` looks in SKUs and titles."""
    query = text(f"SELECT count(*) AS listings, count(DISTINCT l.product_id) AS products {_FOUND}")
    row = connection.execute(query, {"shop": shop_id, "like": like(search) if search else ""}).one()
    unlinked = connection.execute(_UNLINKED, {"shop": shop_id}).scalar_one()
    return Waiting(row.listings, row.products, int(unlinked))


_UNLINKED = text(
    "SELECT count(*) FROM listing l WHERE l.shop_id = :shop AND l.settled_at IS NULL AND NOT l.gone "
    "AND l.status <> 'UNSEEN' "
    "AND NOT EXISTS (SELECT 1 FROM link k WHERE k.shop_id = l.shop_id AND k.sku_id = l.sku_id)"
)


def count(connection: Connection, shop_id: str) -> int:
    """How many linked listings of a shop have no start yet."""
    return int(connection.execute(text(f"SELECT count(*) {_NEW}"), {"shop": shop_id}).scalar_one())


def products(connection: Connection, shop_id: str, *, search: str = "", limit: int = 50, offset: int = 0) -> list[str]:
    """One page of product ids with listings that have no start yet, by title."""
    query = text(
        f"SELECT l.product_id {_FOUND} GROUP BY l.product_id ORDER BY min(l.title), l.product_id "
        "LIMIT :limit OFFSET :offset"
    )
    given = {"shop": shop_id, "like": like(search) if search else "", "limit": limit, "offset": offset}
    return [row.product_id for row in connection.execute(query, given)]


_LISTINGS = f"""
SELECT l.sku_id, l.product_id, l.seller_sku, l.title, l.variant, l.available, l.committed, l.open_units, l.observed_at,
  l.backorder {_LINKED} {{only}} ORDER BY l.title, l.product_id, l.variant, l.sku_id
"""
_PIECES = f"""
SELECT k.sku_id, k.item_id, k.quantity, i.counted_at, v.location_id, v.on_hand, v.reserved,
  (SELECT count(*) FROM link b WHERE b.item_id = k.item_id) AS uses
FROM (SELECT l.shop_id, l.sku_id {_LINKED} {{only}}) AS l JOIN link k ON k.shop_id = l.shop_id AND k.sku_id = l.sku_id
JOIN item i ON i.id = k.item_id LEFT JOIN level v ON v.item_id = k.item_id ORDER BY k.sku_id, k.item_id, v.location_id
"""  # noqa: S608 (constants)
_SHELVES = f"""
SELECT s.sku_id, coalesce(w.location_id, {STORE}) AS place, sum(s.available) AS available
FROM (SELECT l.shop_id, l.sku_id {_LINKED} {{only}}) AS l JOIN stock s ON s.shop_id = l.shop_id AND s.sku_id = l.sku_id
LEFT JOIN warehouse w ON w.shop_id = s.shop_id AND w.id = s.warehouse_id
GROUP BY s.sku_id, coalesce(w.location_id, {STORE})
"""  # noqa: S608 (constants)


def load(
    connection: Connection,
    shop_id: str,
    *,
    products: Collection[str] | None = None,
    skus: Collection[str] | None = None,
    settled: bool = False,
) -> list[Unsettled]:
    """The listings without a start: of these products, of these SKU ids, or of the whole shop.

    With `settled` those too that became even by themselves meanwhile.
    """
    wanted = products if products is not None else skus
    new = "" if settled else _UNSETTLED
    if wanted is None:
        return _load(connection, {"shop": shop_id}, new)
    column = "product_id" if products is not None else "sku_id"
    ids = sorted(wanted)
    found: list[Unsettled] = []
    for part in chunks(ids):
        given = {"shop": shop_id, "ids": part}
        found += _load(connection, given, f"{new} AND l.{column} IN :ids")
    return found


def _load(connection: Connection, given: dict[str, Any], only: str) -> list[Unsettled]:
    ids: list[BindParameter[Any]] = [bindparam("ids", expanding=True)] if "ids" in given else []

    def ask(query: str) -> Any:
        return connection.execute(text(query.format(only=only)).bindparams(*ids), given)

    shelves: dict[str, dict[int, int]] = defaultdict(dict)
    for row in ask(_SHELVES):
        shelves[row.sku_id][row.place] = int(row.available)
    pieces = _pieces(ask(_PIECES), shelves)
    return [
        Unsettled(
            row.sku_id, row.product_id, row.seller_sku or row.sku_id, row.title, row.variant, row.available,
            row.committed or 0, row.open_units, row.observed_at, pieces[row.sku_id], shelves[row.sku_id], row.backorder,
        )
        for row in ask(_LISTINGS)
    ]  # fmt: skip


def _pieces(rows: Any, shelves: dict[str, dict[int, int]]) -> dict[str, tuple[Piece, ...]]:
    """Each listing's items with what lies of them where it is sold from."""
    on_hand: dict[tuple[str, int], dict[int, int]] = defaultdict(dict)
    reserved: dict[tuple[str, int], dict[int, int]] = defaultdict(dict)
    heads: dict[tuple[str, int], Any] = {}
    total: dict[tuple[str, int], int] = defaultdict(int)
    for row in rows:
        key = (row.sku_id, row.item_id)
        heads.setdefault(key, row)
        total[key] += row.on_hand or 0
        for place in shelves.get(row.sku_id) or (STORE,):
            here = place == row.location_id
            on_hand[key][place] = on_hand[key].get(place, 0) + (row.on_hand if here else 0)
            reserved[key][place] = reserved[key].get(place, 0) + (row.reserved if here else 0)
    found: dict[str, list[Piece]] = defaultdict(list)
    for key, row in heads.items():
        counted = row.counted_at is not None or total[key] > 0
        found[row.sku_id].append(
            Piece(row.item_id, row.quantity, row.uses, counted, row.counted_at, on_hand[key], reserved[key])
        )
    return {sku_id: tuple(each) for sku_id, each in found.items()}


_LINES = text("""
SELECT line.sku_id, line.components, line.status, line.shipped, line.shipped_time, o.warehouse_id, o.create_time,
  o.cancel_time, o.update_time
FROM orders o JOIN order_line line ON line.order_id = o.id
WHERE o.shop_id = :shop AND o.create_time >= :since AND o.create_time < :until AND o.fulfillment_type <> :theirs
  AND NOT (line.shipped AND line.shipped_time <= :first)
""")
# Where the truth of an item has started since its count, that count leaves nothing out any more.
_STARTED = text("""
SELECT DISTINCT m.item_id FROM movement m JOIN item i ON i.id = m.item_id
WHERE m.reason = :reason AND m.origin <> 'tiktok' AND m.at >= coalesce(i.counted_at, 0)
""")


def left_out(connection: Connection, shop_id: str, listings: Sequence[Unsettled], now: int) -> dict[Spot, int]:
    """Units, by item and location, that our counts left out if they leave out what TikTok's customers had ordered.

    Those are the units of these listings that were ordered and had not left the building when the item was counted.
    """
    started = set(connection.execute(_STARTED, {"reason": REASON}).scalars())
    counted = {
        piece.item_id: piece.counted_at or now
        for listing in listings
        for piece in listing.pieces
        if piece.item_id not in started
    }
    if not counted:
        return {}
    links = {each.sku_id: each.pieces for each in listings}
    first, last = min(counted.values()) // _MS, max(counted.values()) // _MS
    given = {
        "shop": shop_id,
        "since": first - _OLDEST,
        "until": last + 1,
        "first": first,
        "theirs": FULFILLED_BY_TIKTOK,
    }
    served = places.of_warehouses(connection, shop_id) if places.several(connection) else {}
    found: dict[Spot, int] = defaultdict(int)
    for row in connection.execute(_LINES, given).mappings():
        for sku_id, times in stock_units(row):
            for piece in links.get(sku_id, ()):
                line = _line(row, piece, times, served)
                if piece.item_id in counted and line.open_at(counted[piece.item_id]):
                    found[line.item_id, line.place] += line.units
    return dict(found)


def _line(row: Any, piece: Piece, times: int, served: dict[str, int]) -> Line:
    cancelled = row["status"] == "CANCELLED" and not row["shipped"]
    return Line(
        piece.item_id,
        served.get(row["warehouse_id"], STORE),
        piece.quantity * times,
        row["create_time"] * _MS,
        row["shipped_time"] * _MS if row["shipped"] else None,
        (row["cancel_time"] or row["update_time"]) * _MS if cancelled else None,
    )

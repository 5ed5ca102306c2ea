"""Items to count: one page of them with what the store believes, and the mark by which a later change is noticed."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text

from core.store.queries.ledger import like


@dataclass(frozen=True, slots=True)
class CountRow:
    """One item to count; `mark` is the last movement of its units on hand, `counted_at` in milliseconds."""

    item_id: int
    sku: str
    title: str
    variant: str
    on_hand: int
    reserved: int
    cost_units: int | None
    currency: str
    counted_at: int | None
    mark: int


SORTS = {
    "sku": "i.sku",
    "title": "i.title, i.sku",
    "longest": "coalesce(i.counted_at, 0), i.sku",
}
_FOUND = (
    "NOT i.archived AND (:like = '' OR lower(i.sku) LIKE :like ESCAPE '\\' OR lower(i.title) LIKE :like ESCAPE '\\')"
)
_LIES = "FROM level v WHERE v.item_id = i.id AND (:place = 0 OR v.location_id = :place)"
_ROW = (
    "SELECT i.id AS item_id, i.sku, i.title, i.variant, "  # noqa: S608 (constants)
    f"coalesce((SELECT sum(v.on_hand) {_LIES}), 0) AS on_hand, "
    f"coalesce((SELECT sum(v.reserved) {_LIES}), 0) AS reserved, "
    "i.cost_units, i.currency, i.counted_at, coalesce((SELECT m.id FROM movement m WHERE m.item_id = i.id "
    "AND m.on_hand <> 0 ORDER BY m.id DESC LIMIT 1), 0) AS mark "
)


def page(
    connection: Connection, *, search: str = "", sort: str = "sku", limit: int = 50, offset: int = 0, place: int = 0
) -> list[CountRow]:
    """One page of items to count; sorted by SKU, by title, or the longest not counted first.

    `place` is the location whose units are told; 0 for all of them together.
    """
    ids = f"SELECT i.id FROM item i WHERE {_FOUND} ORDER BY {SORTS[sort]} LIMIT :limit OFFSET :offset"  # noqa: S608
    query = text(f"{_ROW} FROM item i WHERE i.id IN ({ids}) ORDER BY {SORTS[sort]}")
    given = {"like": like(search) if search else "", "limit": limit, "offset": offset, "place": place}
    return [CountRow(**row) for row in connection.execute(query, given).mappings()]


def total(connection: Connection, search: str = "") -> int:
    """How many items match."""
    query = text(f"SELECT count(*) FROM item i WHERE {_FOUND}")  # noqa: S608
    return int(connection.execute(query, {"like": like(search) if search else ""}).scalar_one())


_THESE = text(f"{_ROW} FROM item i WHERE i.id IN :ids").bindparams(bindparam("ids", expanding=True))


def these(connection: Connection, item_ids: Collection[int], place: int = 0) -> dict[int, CountRow]:
    """These items as they are now, by id, with their units in one location, or in all (0)."""
    rows = connection.execute(_THESE, {"ids": sorted(item_ids), "place": place}).mappings()
    return {row["item_id"]: CountRow(**row) for row in rows}

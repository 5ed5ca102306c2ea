"""Everything behind one number: what lies in the building, who it is promised to, what was sent to TikTok and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, text


@dataclass(frozen=True, slots=True)
class Part:
    """One item that a listing sells: units for each unit of the listing, and what lies here."""

    item_id: int
    sku: str
    title: str
    variant: str
    quantity: int
    on_hand: int
    reserved: int
    counted_at: int | None


@dataclass(frozen=True, slots=True)
class Promise:
    """Units promised to one order that has not left yet; `create_time` in seconds."""

    order_id: str
    status: str
    create_time: int
    units: int


@dataclass(frozen=True, slots=True)
class Moved:
    """One movement of the ledger; `at` in milliseconds."""

    id: int
    at: int
    sku: str
    on_hand: int
    reserved: int
    reason: str
    origin: str
    note: str


@dataclass(frozen=True, slots=True)
class Sent:
    """One write of a quantity to TikTok; `*_at` in milliseconds."""

    target: int
    read_available: int
    intent_at: int
    confirmed_at: int | None
    outcome: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """What TikTok last told of one warehouse."""

    warehouse: str
    available: int
    committed: int


@dataclass(frozen=True, slots=True)
class Behind:
    """All that explains one listing's number; `dirty_at` and `due_at`, its next look, in milliseconds."""

    parts: tuple[Part, ...]
    promises: tuple[Promise, ...]
    promised_orders: int
    moved: tuple[Moved, ...]
    sent: tuple[Sent, ...]
    shelves: tuple[Shelf, ...]
    queue_state: str
    queue_reason: str
    queue_note: str
    generation: int
    dirty_at: int | None
    due_at: int | None


_PARTS = text(
    "SELECT i.id AS item_id, i.sku, i.title, i.variant, k.quantity, coalesce(sum(v.on_hand), 0) AS on_hand, "
    "coalesce(sum(v.reserved), 0) AS reserved, i.counted_at FROM link k JOIN item i ON i.id = k.item_id "
    "LEFT JOIN level v ON v.item_id = i.id WHERE k.shop_id = :shop AND k.sku_id = :sku "
    "GROUP BY i.id, i.sku, i.title, i.variant, k.quantity, i.counted_at ORDER BY i.id"
)
_MANY: list[BindParameter[Any]] = [bindparam("items", expanding=True), bindparam("open", expanding=True)]
_OPEN_STATES = ("UNPAID", "ON_HOLD", "AWAITING_SHIPMENT", "PARTIALLY_SHIPPING", "AWAITING_COLLECTION")
# A bundle of TikTok's own making holds units of listings that its order does not name.
_PROMISES = text("""
WITH line AS (
  SELECT id, order_id FROM order_line WHERE sku_id IN (SELECT sku_id FROM link WHERE item_id IN :items)
    AND status IN :open AND shipped = :no
  UNION SELECT id, order_id FROM order_line WHERE components <> '' AND shop_id IN (SELECT id FROM shop)
    AND status IN :open AND shipped = :no
)
SELECT o.id AS order_id, o.status, o.create_time, sum(m.reserved) AS units, count(*) OVER () AS many
FROM line JOIN movement m ON m.reference = line.id AND m.item_id IN :items JOIN orders o ON o.id = line.order_id
GROUP BY o.id, o.status, o.create_time HAVING sum(m.reserved) <> 0 ORDER BY o.create_time DESC LIMIT :limit
""").bindparams(*_MANY)
_SENT = text(
    "SELECT target, read_available, intent_at, confirmed_at, outcome, sentence FROM push "
    "WHERE shop_id = :shop AND sku_id = :sku ORDER BY id DESC LIMIT :limit"
)
_SHELVES = text(
    "SELECT coalesce(w.name, s.warehouse_id) AS warehouse, s.available, s.committed FROM stock s LEFT JOIN warehouse w "
    "ON w.shop_id = s.shop_id AND w.id = s.warehouse_id WHERE s.shop_id = :shop AND s.sku_id = :sku ORDER BY 1"
)


def behind(connection: Connection, shop_id: str, sku_id: str, limit: int = 8) -> Behind:
    """What explains the number of one listing; lists are cut at `limit`, the newest first."""
    key = {"shop": shop_id, "sku": sku_id}
    parts = tuple(Part(**row) for row in connection.execute(_PARTS, key).mappings())
    items = [part.item_id for part in parts]
    promises, promised = _promises(connection, items, limit)
    queue = connection.execute(
        text(
            "SELECT state, reason, note, generation, dirty_at, due_at FROM outbox "
            "WHERE shop_id = :shop AND sku_id = :sku"
        ),
        key,
    ).one_or_none()
    return Behind(
        parts,
        promises,
        promised,
        moved(connection, items, limit),
        tuple(Sent(**row) for row in connection.execute(_SENT, key | {"limit": limit}).mappings()),
        tuple(Shelf(**row) for row in connection.execute(_SHELVES, key).mappings()),
        queue.state if queue else "idle",
        queue.reason if queue else "",
        queue.note if queue else "",
        queue.generation if queue else 0,
        queue.dirty_at if queue else None,
        queue.due_at or None if queue else None,
    )


def _promises(connection: Connection, items: Sequence[int], limit: int) -> tuple[tuple[Promise, ...], int]:
    values = {"items": list(items), "open": list(_OPEN_STATES), "no": False, "limit": limit}
    rows = connection.execute(_PROMISES, values).all()
    found = tuple(Promise(row.order_id, row.status, row.create_time, row.units) for row in rows)
    return found, rows[0].many if rows else 0


def moved(connection: Connection, items: Sequence[int], limit: int = 8) -> tuple[Moved, ...]:
    """The last movements of these items, the newest first."""
    query = text(
        "SELECT m.id, m.at, i.sku, m.on_hand, m.reserved, m.reason, m.origin, m.note FROM movement m "
        "JOIN item i ON i.id = m.item_id WHERE m.item_id IN :items ORDER BY m.id DESC LIMIT :limit"
    ).bindparams(bindparam("items", expanding=True))
    rows = connection.execute(query, {"items": list(items), "limit": limit}).mappings()
    return tuple(Moved(**row) for row in rows)


@dataclass(frozen=True, slots=True)
class ItemName:
    """An item to choose from."""

    sku: str
    title: str
    variant: str
    on_hand: int


def find(connection: Connection, search: str, limit: int = 30) -> list[ItemName]:
    """Items whose SKU or title contains the words, for choosing one by hand."""
    query = text(
        "SELECT i.sku, i.title, i.variant, coalesce((SELECT sum(on_hand) FROM level v WHERE v.item_id = i.id), 0) "
        "AS on_hand FROM item i WHERE NOT i.archived AND (:like = '' OR lower(i.sku) LIKE :like ESCAPE '\\' "
        "OR lower(i.title) LIKE :like ESCAPE '\\') ORDER BY i.sku LIMIT :limit"
    )
    words = search.strip().lower()
    like = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%" if words else ""
    rows = connection.execute(query, {"like": like, "limit": limit}).mappings()
    return [ItemName(**row) for row in rows]

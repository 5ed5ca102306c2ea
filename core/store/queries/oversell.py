"""What was kept about items of which more was sold than there is: movements, orders, writes, readings and edits."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, TextClause, bindparam, text

WINDOW = 400


@dataclass(frozen=True, slots=True)
class Step:
    """One movement of the item; `reference` is the order line behind it where TikTok is its origin, `at` in ms."""

    at: int
    on_hand: int
    reserved: int
    reason: str
    origin: str
    reference: str


@dataclass(frozen=True, slots=True)
class Sale:
    """The order line behind movements: placed on TikTok in seconds, known here in milliseconds."""

    line_id: str
    order_id: str
    shop_id: str
    sku_id: str
    create_time: int
    first_seen_at: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A listing that sells the item, as last read; `settled_at` is since when Evenstock keeps its number."""

    shop_id: str
    sku_id: str
    quantity: int
    mode: str
    available: int | None
    observed_at: int | None
    settled_at: int | None


@dataclass(frozen=True, slots=True)
class Write:
    """A number sent to TikTok, and the reading it rests on; `*_at` in milliseconds."""

    shop_id: str
    sku_id: str
    target: int
    read_available: int
    dirty_at: int
    intent_at: int
    confirmed_at: int | None
    outcome: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A change on TikTok that nothing explains; `*_at` in milliseconds."""

    shop_id: str
    sku_id: str
    found_at: int
    observed: int
    amount: int
    decided_at: int | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is kept about one item; steps the oldest first, `complete` when they reach back to its beginning."""

    item_id: int
    sku: str
    title: str
    on_hand: int
    reserved: int
    buffer: int | None
    steps: tuple[Step, ...]
    complete: bool
    sales: tuple[Sale, ...]
    offers: tuple[Offer, ...]
    writes: tuple[Write, ...]
    edits: tuple[Edit, ...]


_OVER = (
    "SELECT item_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM level GROUP BY item_id "
    "HAVING sum(reserved) > sum(on_hand)"
)


def count(connection: Connection) -> tuple[int, int]:
    """How many items are promised or sold beyond what is on hand, and by how many units in all."""
    query = f"SELECT count(*) AS items, coalesce(sum(reserved - on_hand), 0) AS units FROM ({_OVER}) AS o"  # noqa: S608
    row = connection.execute(text(query)).one()
    return int(row.items), int(row.units)


def items(connection: Connection, limit: int = 10, offset: int = 0) -> list[int]:
    """The items concerned, the most units first."""
    order = "ORDER BY reserved - on_hand DESC, item_id LIMIT :limit OFFSET :offset"
    query = f"SELECT item_id FROM ({_OVER}) AS o {order}"  # noqa: S608 (constants)
    return [row.item_id for row in connection.execute(text(query), {"limit": limit, "offset": offset})]


_ITEM = text(
    "SELECT i.sku, i.title, i.variant, i.buffer, coalesce(sum(v.on_hand), 0) AS on_hand, "
    "coalesce(sum(v.reserved), 0) AS reserved FROM item i LEFT JOIN level v ON v.item_id = i.id WHERE i.id = :item "
    "GROUP BY i.id, i.sku, i.title, i.variant, i.buffer"
)
_STEPS = text(
    "SELECT at, on_hand, reserved, reason, origin, reference FROM movement WHERE item_id = :item ORDER BY id DESC "
    "LIMIT :limit"
)
_SALES = text(
    "SELECT l.id AS line_id, l.order_id, l.shop_id, l.sku_id, o.create_time, o.first_seen_at FROM order_line l "
    "JOIN orders o ON o.id = l.order_id WHERE l.id IN :lines"
).bindparams(bindparam("lines", expanding=True))
_OFFERS = text(
    "SELECT k.shop_id, k.sku_id, k.quantity, s.mode, l.available, l.observed_at, l.settled_at FROM link k "
    "JOIN shop s ON s.id = k.shop_id JOIN listing l ON l.shop_id = k.shop_id AND l.sku_id = k.sku_id "
    "WHERE k.item_id = :item ORDER BY k.shop_id, k.sku_id"
)
_WRITES = text(
    "SELECT shop_id, sku_id, target, read_available, dirty_at, intent_at, confirmed_at, outcome, sentence FROM push "
    "WHERE shop_id = :shop AND sku_id = :sku ORDER BY id DESC LIMIT 100"
)
_EDITS = text(
    "SELECT shop_id, sku_id, found_at, observed, amount, decided_at FROM drift WHERE shop_id = :shop AND sku_id = :sku "
    "AND state <> 'explained' ORDER BY id DESC LIMIT 20"
)


def evidence(connection: Connection, item_id: int) -> Evidence:
    """What is kept about one item; movements up to the last 400."""
    item = connection.execute(_ITEM, {"item": item_id}).one()
    found = connection.execute(_STEPS, {"item": item_id, "limit": WINDOW + 1}).mappings().all()
    steps = tuple(Step(**row) for row in reversed(found[:WINDOW]))
    offers = tuple(Offer(**row) for row in connection.execute(_OFFERS, {"item": item_id}).mappings())
    return Evidence(
        item_id, item.sku, f"{item.title}, {item.variant}" if item.variant else item.title, int(item.on_hand),
        int(item.reserved), item.buffer, steps, len(found) <= WINDOW,
        _sales(connection, sorted({step.reference for step in steps if step.origin == "tiktok"})), offers,
        tuple(Write(**row) for row in _each(connection, _WRITES, offers)),
        tuple(Edit(**row) for row in _each(connection, _EDITS, offers)),
    )  # fmt: skip


def _sales(connection: Connection, lines: Sequence[str]) -> tuple[Sale, ...]:
    return tuple(Sale(**row) for row in connection.execute(_SALES, {"lines": list(lines)}).mappings())


def _each(connection: Connection, query: TextClause, offers: Sequence[Offer]) -> list[RowMapping]:
    return [
        row
        for offer in offers
        for row in connection.execute(query, {"shop": offer.shop_id, "sku": offer.sku_id}).mappings()
    ]

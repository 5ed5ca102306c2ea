"""What was kept about items of which more was sold than there is: movements, orders, writes, readings and edits."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, TextClause, bindparam, text

from core.store.queries.ledger import first_since

WINDOW = 400
_AFTER_MS = 600_000  # what was sent and confirmed within ten minutes after a movement belongs to its story


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
    """The order line behind movements: placed in seconds, known here in milliseconds; `kind` is that of its shop."""

    line_id: str
    order_id: str
    shop_id: str
    sku_id: str
    create_time: int
    first_seen_at: int
    kind: str = "tiktok"


@dataclass(frozen=True, slots=True)
class Offer:
    """A listing that sells the item, as last read, and the owner's rule in force for it.

    `settled_at` is since when Evenstock keeps its number. Of the item's last units it has the shares from `split_from`
    to `split_to`.
    """

    shop_id: str
    sku_id: str
    quantity: int
    mode: str
    available: int | None
    observed_at: int | None
    settled_at: int | None
    buffer: int = 0
    share: int = 100
    split_from: int = 0
    split_to: int = 0


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
class Reading:
    """What TikTok showed of a listing from `at` (ms) on, as far as it was read."""

    shop_id: str
    sku_id: str
    at: int
    available: int


@dataclass(frozen=True, slots=True)
class Record:
    """Units of an item that were sold and did not exist, kept by the movement that took them.

    `over_at` is since when all units of the item are there again, None while they are not; `split_at` is how many last
    units were split between the channels then, 0 when none were. Times in milliseconds.
    """

    id: int
    item_id: int
    movement_id: int
    units: int
    found_at: int
    over_at: int | None
    split_at: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is kept about one item up to a moment; steps the oldest first, `complete` when from its beginning on."""

    item_id: int
    sku: str
    title: str
    on_hand: int
    reserved: int
    split_at: int
    split_total: int
    steps: tuple[Step, ...]
    complete: bool
    sales: tuple[Sale, ...]
    offers: tuple[Offer, ...]
    writes: tuple[Write, ...]
    edits: tuple[Edit, ...]
    readings: tuple[Reading, ...]


# Of an item that was never counted it is not known how many there are, so nothing can be missing.
_OVER = (
    "SELECT s.item_id, s.on_hand, s.reserved FROM (SELECT item_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved "
    "FROM level GROUP BY item_id HAVING sum(reserved) > sum(on_hand)) AS s JOIN item i ON i.id = s.item_id "
    "WHERE i.counted_at IS NOT NULL OR s.on_hand > 0"
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


_PAST = "FROM oversell WHERE over_at IS NOT NULL AND found_at >= :since"


def past(connection: Connection, since_ms: int, limit: int = 10, offset: int = 0) -> list[Record]:
    """What was sold since a moment that did not exist and is settled by now, the newest first."""
    columns = "id, item_id, movement_id, units, found_at, over_at, split_at"
    query = f"SELECT {columns} {_PAST} ORDER BY id DESC LIMIT :limit OFFSET :offset"
    given = {"since": since_ms, "limit": limit, "offset": offset}
    return [Record(**row) for row in connection.execute(text(query), given).mappings()]


def past_count(connection: Connection, since_ms: int) -> int:
    """How many records `past` has."""
    query = f"SELECT count(*) {_PAST}"
    return int(connection.execute(text(query), {"since": since_ms}).scalar_one())


def oversold_units(connection: Connection, since_ms: int) -> int:
    """How many units were sold since a moment that did not exist, settled by now or not."""
    query = text("SELECT coalesce(sum(units), 0) FROM oversell WHERE found_at >= :since")
    return int(connection.execute(query, {"since": since_ms}).scalar_one())


_ON_TIKTOK = text("SELECT coalesce(sum(units), 0) FROM sales_hour WHERE day >= :day")
_IN_STORE = text(
    "SELECT coalesce(-sum(on_hand), 0) FROM movement WHERE reason = 'own sale' AND origin <> 'tiktok' AND id >= :first "
    "AND at >= :since"
)


def sold_units(connection: Connection, since_ms: int, day: str) -> int:
    """How many units both sides sold: TikTok from this day of its shop on, the own store since this moment (ms)."""
    there = connection.execute(_ON_TIKTOK, {"day": day}).scalar_one()
    given = {"since": since_ms, "first": first_since(connection, since_ms)}
    return int(there) + int(connection.execute(_IN_STORE, given).scalar_one())


_ITEM = text(
    "SELECT i.sku, i.title, i.variant, i.split_at, i.split_total, coalesce(sum(v.on_hand), 0) AS on_hand, "
    "coalesce(sum(v.reserved), 0) AS reserved FROM item i LEFT JOIN level v ON v.item_id = i.id WHERE i.id = :item "
    "GROUP BY i.id, i.sku, i.title, i.variant, i.split_at, i.split_total"
)
_LATER = text(
    "SELECT coalesce(sum(on_hand), 0) AS on_hand, coalesce(sum(reserved), 0) AS reserved FROM movement "
    "WHERE item_id = :item AND id > :until"
)
_STEPS = text(
    "SELECT at, on_hand, reserved, reason, origin, reference FROM movement WHERE item_id = :item AND id <= :until "
    "ORDER BY id DESC LIMIT :limit"
)
_SALES = text(
    "SELECT l.id AS line_id, l.order_id, l.shop_id, l.sku_id, o.create_time, o.first_seen_at, s.kind FROM order_line l "
    "JOIN orders o ON o.id = l.order_id JOIN shop s ON s.id = l.shop_id WHERE l.id IN :lines"
).bindparams(bindparam("lines", expanding=True))
_OFFERS = text(
    "SELECT k.shop_id, k.sku_id, k.quantity, s.mode, l.available, l.observed_at, l.settled_at, k.buffer, k.share, "
    "k.split_from, k.split_to FROM link k JOIN shop s ON s.id = k.shop_id "
    "JOIN listing l ON l.shop_id = k.shop_id AND l.sku_id = k.sku_id "
    "WHERE k.item_id = :item ORDER BY k.shop_id, k.sku_id"
)
_WRITES = text(
    "SELECT shop_id, sku_id, target, read_available, dirty_at, intent_at, confirmed_at, outcome, sentence FROM push "
    "WHERE shop_id = :shop AND sku_id = :sku AND intent_at <= :at ORDER BY id DESC LIMIT 100"
)
_EDITS = text(
    "SELECT shop_id, sku_id, found_at, observed, amount, decided_at FROM drift WHERE shop_id = :shop AND sku_id = :sku "
    "AND state <> 'explained' AND found_at <= :at ORDER BY id DESC LIMIT 20"
)
_READINGS = text(
    "SELECT shop_id, sku_id, at, available FROM shown WHERE shop_id = :shop AND sku_id = :sku AND at <= :at "
    "ORDER BY at DESC LIMIT 100"
)
_EVER = 2**62


def evidence(connection: Connection, item_id: int, until: int | None = None) -> Evidence:
    """What is kept about one item: its last 400 movements, and what happened around them.

    `until` is the id of a movement; then all is told as it was after it.
    """
    item = connection.execute(_ITEM, {"item": item_id}).one()
    given = {"item": item_id, "until": _EVER if until is None else until, "limit": WINDOW + 1}
    later = connection.execute(_LATER, given).one()
    found = connection.execute(_STEPS, given).mappings().all()
    steps = tuple(Step(**row) for row in reversed(found[:WINDOW]))
    at = _EVER if until is None or not steps else steps[-1].at + _AFTER_MS
    offers = tuple(Offer(**row) for row in connection.execute(_OFFERS, {"item": item_id}).mappings())
    return Evidence(
        item_id, item.sku, f"{item.title}, {item.variant}" if item.variant else item.title,
        int(item.on_hand - later.on_hand), int(item.reserved - later.reserved), item.split_at, item.split_total,
        steps, len(found) <= WINDOW,
        _sales(connection, sorted({step.reference for step in steps if step.origin in ("tiktok", "own shop")})), offers,
        tuple(Write(**row) for row in _each(connection, _WRITES, offers, at)),
        tuple(Edit(**row) for row in _each(connection, _EDITS, offers, at)),
        tuple(Reading(**row) for row in _each(connection, _READINGS, offers, at)),
    )  # fmt: skip


def _sales(connection: Connection, lines: Sequence[str]) -> tuple[Sale, ...]:
    return tuple(Sale(**row) for row in connection.execute(_SALES, {"lines": list(lines)}).mappings())


def _each(connection: Connection, query: TextClause, offers: Sequence[Offer], at: int) -> list[RowMapping]:
    return [
        row
        for offer in offers
        for row in connection.execute(query, {"shop": offer.shop_id, "sku": offer.sku_id, "at": at}).mappings()
    ]

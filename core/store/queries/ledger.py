"""The stock ledger for its page: filtered pages with the running balance, bounded counts, and the latest proof."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, literal_column, or_, select, text

from core.store.tables import Item, Movement
from core.store.upsert import table

COUNT_CAP = 10_000
FEW_ITEMS = 400
ORDER_REASONS = ("order", "shipped", "cancelled")
_MOVES, _ITEMS = table(Movement), table(Item)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which movements: of items whose SKU or title holds the words, of one reason, since a moment (ms)."""

    search: str = ""
    reason: str = ""
    since: int = 0


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One movement; `balance` is what was on hand after it, `order_id` the order behind it if any, `at` in ms."""

    id: int
    at: int
    item_id: int
    sku: str
    title: str
    variant: str
    on_hand: int
    reserved: int
    balance: int
    reason: str
    origin: str
    reference: str
    order_id: str
    actor: str
    note: str


@dataclass(frozen=True, slots=True)
class ProofLine:
    """The latest proof that movements and levels agree: when (ms), how many movements, and how it ended."""

    run_id: int
    at: int
    status: str
    movements: int
    items: int
    sentence: str


def like(words: str) -> str:
    """The pattern that finds these words anywhere, taken literally (escape character: backslash)."""
    return "%" + words.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def matching(words: str) -> ColumnElement[bool]:
    """Items whose SKU or title holds the words."""
    pattern = like(words)
    sku, title = func.lower(_ITEMS.c.sku), func.lower(_ITEMS.c.title)
    found: ColumnElement[bool] = or_(sku.like(pattern, escape="\\"), title.like(pattern, escape="\\"))
    return found


def _item_filter(connection: Connection, words: str) -> ColumnElement[bool]:
    query = select(_ITEMS.c.id).where(matching(words)).limit(FEW_ITEMS + 1)
    ids = [row.id for row in connection.execute(query)]
    if len(ids) == 1:
        one: ColumnElement[bool] = _MOVES.c.item_id == ids[0]
        return one
    if len(ids) <= FEW_ITEMS:
        return _MOVES.c.item_id.in_(ids)
    # A word that many items share is soon met on the way back through time.
    return select(_ITEMS.c.id).where(_ITEMS.c.id == _MOVES.c.item_id, matching(words)).exists()


def _reason_filter(reason: str) -> list[ColumnElement[bool]]:
    if not reason:
        return []
    # Naming the origin as well lets the small index of what did not come from orders be used.
    own = [] if reason in ORDER_REASONS else [_MOVES.c.origin != literal_column("'tiktok'")]
    return [_MOVES.c.reason == reason, *own]


def first_since(connection: Connection, since: int) -> int:
    """The number of the first movement booked at or after a moment (ms); found by halving, for numbers rise with it."""
    low, high = 1, int(connection.execute(text("SELECT coalesce(max(id), 0) FROM movement")).scalar_one()) + 1
    probe = text("SELECT id, at FROM movement WHERE id >= :id ORDER BY id LIMIT 1")
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(probe, {"id": middle}).first()
        if row is None or row.at >= since:
            high = middle
        else:
            low = row.id + 1
    return low


def _ids(connection: Connection, wanted: Wanted) -> Select[tuple[int]]:
    where = _reason_filter(wanted.reason)
    if wanted.since:
        where.append(_MOVES.c.id >= first_since(connection, wanted.since))
    if wanted.search:
        where.append(_item_filter(connection, wanted.search))
    return select(_MOVES.c.id).where(*where).order_by(_MOVES.c.id.desc())


def count(connection: Connection, wanted: Wanted, cap: int = COUNT_CAP) -> int:
    """How many movements match, counted up to `cap` + 1 so that it stays quick at any size."""
    found = _ids(connection, wanted).limit(cap + 1).subquery()
    return int(connection.execute(select(func.count()).select_from(found)).scalar_one())


_ROWS = text(
    "SELECT m.id, m.at, m.item_id, i.sku, i.title, i.variant, m.on_hand, m.reserved, m.reason, m.origin, m.reference, "
    "coalesce(l.order_id, '') AS order_id, m.actor, m.note FROM movement m JOIN item i ON i.id = m.item_id "
    "LEFT JOIN order_line l ON l.id = m.reference AND m.origin IN ('tiktok', 'own shop') "
    "WHERE m.id IN :ids ORDER BY m.id DESC"
).bindparams(bindparam("ids", expanding=True))


def page(connection: Connection, wanted: Wanted, limit: int = 50, offset: int = 0) -> list[LedgerRow]:
    """One page of matching movements, the newest first."""
    ids = [row.id for row in connection.execute(_ids(connection, wanted).limit(limit).offset(offset))]
    after = _balances(connection, ids)
    return [LedgerRow(**row, balance=after[row["id"]]) for row in connection.execute(_ROWS, {"ids": ids}).mappings()]


# What came after each shown movement, up to the next one shown of its item: every movement is added up once only.
_LATER = text(
    "WITH shown AS (SELECT id, item_id, coalesce(lead(id) OVER (PARTITION BY item_id ORDER BY id), :last) AS upto "
    "FROM movement WHERE id IN :ids) SELECT s.id, s.item_id, (SELECT coalesce(sum(m.on_hand), 0) FROM movement m "
    "WHERE m.item_id = s.item_id AND m.id > s.id AND m.id <= s.upto) AS later, (SELECT coalesce(sum(v.on_hand), 0) "
    "FROM level v WHERE v.item_id = s.item_id) AS on_hand FROM shown s ORDER BY s.id DESC"
).bindparams(bindparam("ids", expanding=True))


def _balances(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """On hand after each of these movements, counted back from what is on hand now."""
    current: dict[int, int] = {}
    found: dict[int, int] = {}
    for row in connection.execute(_LATER, {"ids": list(ids), "last": 2**62}):
        current[row.item_id] = found[row.id] = current.get(row.item_id, int(row.on_hand)) - int(row.later)
    return found


_EVERY = (
    "WITH told AS (SELECT m.*, sum(m.on_hand) OVER (PARTITION BY m.item_id ORDER BY m.id) AS balance "
    "FROM movement m {items}) SELECT m.id, m.at, m.item_id, i.sku, i.title, i.variant, m.on_hand, m.reserved, "
    "m.balance, m.reason, m.origin, m.reference, coalesce(l.order_id, '') AS order_id, m.actor, m.note "
    "FROM told m JOIN item i ON i.id = m.item_id "
    "LEFT JOIN order_line l ON l.id = m.reference AND m.origin IN ('tiktok', 'own shop') "
    "WHERE m.id >= :first AND (:reason = '' OR m.reason = :reason) ORDER BY m.id"
)
_OF_ITEMS = (
    "WHERE m.item_id IN (SELECT id FROM item "
    "WHERE lower(sku) LIKE :like ESCAPE '\\' OR lower(title) LIKE :like ESCAPE '\\')"
)


def every(connection: Connection, wanted: Wanted) -> Iterator[LedgerRow]:
    """All matching movements, the oldest first, read a block at a time."""
    query = text(_EVERY.format(items=_OF_ITEMS if wanted.search else ""))
    given: dict[str, object] = {"first": first_since(connection, wanted.since) if wanted.since else 0}
    given |= {"reason": wanted.reason} | ({"like": like(wanted.search)} if wanted.search else {})
    rows = connection.execute(query.execution_options(stream_results=True, yield_per=1_000), given)
    return (LedgerRow(**row) for row in rows.mappings())


def reasons(connection: Connection) -> list[str]:
    """Every reason that occurs, those of orders first."""
    own = connection.execute(text("SELECT DISTINCT reason FROM movement WHERE origin <> 'tiktok' ORDER BY reason"))
    return [*ORDER_REASONS, *(row.reason for row in own if row.reason not in ORDER_REASONS)]


_PROOF = text(
    "SELECT id, started_at, status, counts, sentence FROM run WHERE kind = 'proof' ORDER BY started_at DESC LIMIT 1"
)


def last_proof(connection: Connection) -> ProofLine | None:
    """The latest proof of the ledger, or None before the first."""
    row = connection.execute(_PROOF).one_or_none()
    if row is None:
        return None
    counts = json.loads(row.counts or "{}")
    return ProofLine(
        row.id, row.started_at, row.status, counts.get("movements", 0), counts.get("items", 0), row.sentence
    )


def total(connection: Connection) -> int:
    """How many movements there are; none is ever taken away, so the last number tells."""
    return int(connection.execute(text("SELECT coalesce(max(id), 0) FROM movement")).scalar_one())

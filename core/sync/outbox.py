"""Which listings must be looked at again on TikTok; it never holds a quantity, only that something changed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, TextClause, bindparam, text

from core import clock
from core.store.engine import Store

LEASE_MS = 600_000
_SLOWEST_MS = 3_600_000

_MARK = """
INSERT INTO outbox (shop_id, sku_id, generation, state, dirty_at, due_at, attempts, claimed_by, claimed_until, reason, note)
SELECT DISTINCT shop_id, sku_id, 1, 'dirty', :now, 0, 0, '', 0, :reason, '' FROM link WHERE {which}
ON CONFLICT (shop_id, sku_id) DO UPDATE SET
  generation = outbox.generation + 1,
  dirty_at = CASE WHEN outbox.state = 'idle' THEN excluded.dirty_at ELSE outbox.dirty_at END,
  due_at = 0, attempts = 0, reason = excluded.reason,
  state = CASE WHEN outbox.state = 'claimed' THEN 'claimed' ELSE 'dirty' END
"""
_MARK_ITEMS = text(_MARK.format(which="item_id IN :items")).bindparams(bindparam("items", expanding=True))
_MARK_LISTINGS = text(_MARK.format(which="shop_id = :shop AND sku_id IN :skus")).bindparams(
    bindparam("skus", expanding=True)
)
_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Claim:
    """A listing that this worker alone may now push."""

    shop_id: str
    sku_id: str
    generation: int
    dirty_at: int
    attempts: int


def mark_items(connection: Connection, item_ids: Collection[int], reason: str) -> None:
    """Every listing of these items must be looked at again; call it in the transaction that moved the stock."""
    ids = sorted(item_ids)
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        connection.execute(_MARK_ITEMS, {"now": clock.now_ms(), "reason": reason, "items": part})


def mark_listings(connection: Connection, shop_id: str, sku_ids: Collection[str], reason: str) -> None:
    """These listings must be looked at again; unlinked ones are passed over."""
    ids = sorted(sku_ids)
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        connection.execute(_MARK_LISTINGS, {"now": clock.now_ms(), "reason": reason, "shop": shop_id, "skus": part})


def waiting(connection: Connection, shop_id: str) -> int:
    """How many listings wait to be looked at."""
    query = text("SELECT count(*) FROM outbox WHERE shop_id = :shop AND state <> 'idle'")
    return int(connection.execute(query, {"shop": shop_id}).scalar_one())


_DUE = "shop_id = :shop AND ((state = 'dirty' AND due_at <= :now) OR (state = 'claimed' AND claimed_until < :now))"
_FIND = text(f"SELECT sku_id FROM outbox WHERE {_DUE} ORDER BY dirty_at LIMIT :limit")  # noqa: S608
_CLAIM = text(
    "UPDATE outbox SET state = 'claimed', claimed_by = :worker, claimed_until = :until "  # noqa: S608
    f"WHERE sku_id = :sku AND {_DUE} RETURNING sku_id, generation, dirty_at, attempts"
)
_TAKE = text(
    "INSERT INTO outbox (shop_id, sku_id, generation, state, dirty_at, due_at, attempts, claimed_by, claimed_until, "
    "reason, note) VALUES (:shop, :sku, 1, 'claimed', :now, 0, 0, :worker, :until, 'you sent this change', '') "
    "ON CONFLICT (shop_id, sku_id) DO UPDATE SET state = 'claimed', claimed_by = excluded.claimed_by, "
    "claimed_until = excluded.claimed_until, generation = outbox.generation + 1, dirty_at = excluded.dirty_at, "
    "reason = excluded.reason WHERE outbox.state <> 'claimed' OR outbox.claimed_until < :now "
    "RETURNING sku_id, generation, dirty_at, attempts"
)


def claim(store: Store, shop_id: str, worker: str, limit: int) -> list[Claim]:
    """Take up to `limit` due listings for this worker; a claim that was never finished is free after ten minutes."""
    with store.read() as connection:
        given = {"shop": shop_id, "now": clock.now_ms(), "limit": limit}
        found = [row.sku_id for row in connection.execute(_FIND, given)]
    return _claim_each(store, _CLAIM, shop_id, worker, found)


def take(store: Store, shop_id: str, worker: str, sku_ids: Sequence[str]) -> list[Claim]:
    """Take these listings whether due or not, except those another worker has in hand."""
    return _claim_each(store, _TAKE, shop_id, worker, sku_ids)


def _claim_each(store: Store, statement: TextClause, shop_id: str, worker: str, sku_ids: Sequence[str]) -> list[Claim]:
    if not sku_ids:
        return []
    now = clock.now_ms()
    given = {"shop": shop_id, "worker": worker, "until": now + LEASE_MS, "now": now}
    with store.write() as connection:
        rows = [connection.execute(statement, given | {"sku": sku}).one_or_none() for sku in sku_ids]
    return [Claim(shop_id, row.sku_id, row.generation, row.dirty_at, row.attempts) for row in rows if row is not None]


def release_all(store: Store) -> None:
    """Free what a crashed process had claimed; only the one owner of the jobs may call it, at its start."""
    with store.write() as connection:
        connection.execute(text("UPDATE outbox SET state = 'dirty', claimed_by = '' WHERE state = 'claimed'"))


def look_again(connection: Connection, shop_id: str, sku_id: str, due_at: int, reason: str) -> None:
    """Have one listing read again at `due_at` milliseconds."""
    values = {"shop": shop_id, "sku": sku_id, "due": due_at, "reason": reason, "now": clock.now_ms()}
    connection.execute(_AGAIN, values)


_AGAIN = text(
    "INSERT INTO outbox (shop_id, sku_id, generation, state, dirty_at, due_at, attempts, claimed_by, claimed_until, "
    "reason, note) VALUES (:shop, :sku, 1, 'dirty', :now, :due, 0, '', 0, :reason, '') "
    "ON CONFLICT (shop_id, sku_id) DO UPDATE SET generation = outbox.generation + 1, "
    "due_at = CASE WHEN outbox.state = 'dirty' THEN outbox.due_at ELSE excluded.due_at END, "
    "dirty_at = CASE WHEN outbox.state = 'idle' THEN excluded.dirty_at ELSE outbox.dirty_at END, "
    "state = CASE WHEN outbox.state = 'claimed' THEN 'claimed' ELSE 'dirty' END"
)
_SETTLE = text(
    "UPDATE outbox SET claimed_by = '', claimed_until = 0, attempts = 0, note = '', "
    "state = CASE WHEN generation = :generation THEN 'idle' ELSE 'dirty' END WHERE shop_id = :shop AND sku_id = :sku"
)
_LATER = text(
    "UPDATE outbox SET claimed_by = '', claimed_until = 0, state = 'dirty', attempts = attempts + 1, due_at = :due, "
    "note = :note WHERE shop_id = :shop AND sku_id = :sku"
)
_HOLD = text(
    "UPDATE outbox SET claimed_by = '', claimed_until = 0, note = :note, "
    "state = CASE WHEN generation = :generation THEN 'held' ELSE 'dirty' END WHERE shop_id = :shop AND sku_id = :sku"
)


def settle(connection: Connection, claims: Collection[Claim]) -> None:
    """These listings show what they should; one that changed meanwhile stays due."""
    rows = [{"shop": c.shop_id, "sku": c.sku_id, "generation": c.generation} for c in claims]
    if rows:
        connection.execute(_SETTLE, rows)


def hold(connection: Connection, held: Collection[tuple[Claim, str]]) -> None:
    """These wait for the owner, each with the sentence why; a new change of stock looks at them again."""
    rows = [{"shop": c.shop_id, "sku": c.sku_id, "generation": c.generation, "note": note} for c, note in held]
    if rows:
        connection.execute(_HOLD, rows)


def later(connection: Connection, claims: Collection[Claim], note: str, seconds: float | None = None) -> None:
    """Try these again: after `seconds`, or after a pause that doubles with each attempt up to an hour."""
    now = clock.now_ms()
    rows = [
        {
            "shop": c.shop_id,
            "sku": c.sku_id,
            "note": note,
            "due": now + (int(seconds * 1000) if seconds is not None else min(_SLOWEST_MS, 2_000 * 2**c.attempts)),
        }
        for c in claims
    ]
    if rows:
        connection.execute(_LATER, rows)

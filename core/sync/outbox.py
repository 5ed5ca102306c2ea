"""Which listings must be looked at again on TikTok; it never holds a quantity, only that something changed."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text

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


def claim(store: Store, shop_id: str, worker: str, limit: int, sku_ids: Collection[str] | None = None) -> list[Claim]:
    """Take up to `limit` due listings for this worker; a claim that was never finished becomes free after ten minutes."""
    now = clock.now_ms()
    only = "" if sku_ids is None else " AND sku_id IN :skus"
    due = text(
        "SELECT sku_id FROM outbox WHERE shop_id = :shop AND ((state = 'dirty' AND due_at <= :now) "  # noqa: S608
        f"OR (state = 'claimed' AND claimed_until < :now)){only} ORDER BY dirty_at LIMIT :limit"
    )
    take = text(
        "UPDATE outbox SET state = 'claimed', claimed_by = :worker, claimed_until = :until "
        "WHERE shop_id = :shop AND sku_id = :sku AND ((state = 'dirty' AND due_at <= :now) "
        "OR (state = 'claimed' AND claimed_until < :now)) RETURNING generation, dirty_at, attempts"
    )
    given = {"shop": shop_id, "now": now, "limit": limit}
    if sku_ids is not None:
        due = due.bindparams(bindparam("skus", expanding=True))
        given["skus"] = sorted(sku_ids)
    with store.read() as connection:
        found = [row.sku_id for row in connection.execute(due, given)]
    if not found:
        return []
    claims = []
    with store.write() as connection:
        for sku in found:
            values = {"worker": worker, "until": now + LEASE_MS, "shop": shop_id, "sku": sku, "now": now}
            row = connection.execute(take, values).one_or_none()
            if row is not None:
                claims.append(Claim(shop_id, sku, row.generation, row.dirty_at, row.attempts))
    return claims


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

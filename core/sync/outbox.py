"""Which listings must be looked at again on TikTok; it never holds a quantity, only that something changed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, TextClause, bindparam, text

from core import clock
from core.store.chunks import chunks
from core.store.engine import Store
from core.sync import aims

LEASE_MS = 600_000
_SLOWEST_MS = 3_600_000

_COLUMNS = """
(shop_id, sku_id, generation, state, dirty_at, due_at, attempts, claimed_by, claimed_until, reason, note)
"""
_MARK = """
INSERT INTO outbox (shop_id, sku_id, generation, state, dirty_at, due_at, attempts, claimed_by, claimed_until, reason,
  note)
SELECT DISTINCT shop_id, sku_id, 1, 'dirty', :now, 0, 0, '', 0, :reason, '' FROM link WHERE {which}
ON CONFLICT (shop_id, sku_id) DO UPDATE SET
  generation = outbox.generation + 1,
  dirty_at = CASE WHEN outbox.state IN ('idle', 'held') THEN excluded.dirty_at ELSE outbox.dirty_at END,
  due_at = 0, attempts = 0, reason = excluded.reason,
  state = CASE WHEN outbox.state = 'claimed' THEN 'claimed' ELSE 'dirty' END
"""
_MARK_ITEMS = text(_MARK.format(which="item_id IN :items")).bindparams(bindparam("items", expanding=True))
_MARK_LISTINGS = text(_MARK.format(which="shop_id = :shop AND sku_id IN :skus")).bindparams(
    bindparam("skus", expanding=True)
)
_MARK_SIBLINGS = text(
    _MARK.format(
        which="item_id IN (SELECT item_id FROM link WHERE shop_id = :shop AND sku_id = :sku) "
        "AND NOT (shop_id = :shop AND sku_id = :sku)"
    )
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A listing that this worker alone may now push."""

    shop_id: str
    sku_id: str
    generation: int
    dirty_at: int
    attempts: int
    worker: str = ""


def mark_items(connection: Connection, item_ids: Collection[int], reason: str) -> None:
    """Every listing of these items must be looked at again; call it in the transaction that moved the stock."""
    ids = sorted(item_ids)
    for part in chunks(ids):
        connection.execute(_MARK_ITEMS, {"now": clock.now_ms(), "reason": reason, "items": part})
    aims.of_items(connection, ids)


def mark_listings(connection: Connection, shop_id: str, sku_ids: Collection[str], reason: str) -> None:
    """These listings must be looked at again; unlinked ones are passed over."""
    ids = sorted(sku_ids)
    for part in chunks(ids):
        connection.execute(_MARK_LISTINGS, {"now": clock.now_ms(), "reason": reason, "shop": shop_id, "skus": part})
    aims.of_listings(connection, shop_id, ids)


def mark_siblings(connection: Connection, shop_id: str, sku_id: str, reason: str) -> None:
    """The other listings of a listing's items must be looked at again."""
    given = {"now": clock.now_ms(), "reason": reason, "shop": shop_id, "sku": sku_id}
    connection.execute(_MARK_SIBLINGS, given)
    aims.of_listings(connection, shop_id, [sku_id])


def leave_until(connection: Connection, shop_id: str, sku_ids: Collection[str], due_at: int) -> None:
    """A plan sends these, so the loop leaves them alone until `due_at` (ms); what changes meanwhile is due at once."""
    rows = [{"shop": shop_id, "sku": sku_id, "due": due_at} for sku_id in sorted(sku_ids)]
    if rows:
        connection.execute(_LEAVE, rows)


_LEAVE = text("UPDATE outbox SET due_at = :due WHERE shop_id = :shop AND sku_id = :sku AND state = 'dirty'")


def waiting(connection: Connection, shop_id: str) -> int:
    """How many listings wait to be looked at."""
    query = text("SELECT count(*) FROM outbox WHERE shop_id = :shop AND state <> 'idle'")
    return int(connection.execute(query, {"shop": shop_id}).scalar_one())


_DUE = "shop_id = :shop AND ((state = 'dirty' AND due_at <= :now) OR (state = 'claimed' AND claimed_until < :now))"
_FIND = text(f"SELECT sku_id FROM outbox WHERE {_DUE} ORDER BY dirty_at LIMIT :limit")  # noqa: S608
_CLAIM = text(
    f"""
UPDATE outbox SET state = 'claimed', claimed_by = :worker, claimed_until = :until, due_at = :until
WHERE sku_id = :sku AND {_DUE}
RETURNING sku_id, generation, dirty_at, attempts
"""  # noqa: S608
)
_TAKE = text(
    f"""
INSERT INTO outbox {_COLUMNS}
VALUES (:shop, :sku, 1, 'claimed', :now, :until, 0, :worker, :until, 'you sent this change', '')
ON CONFLICT (shop_id, sku_id) DO UPDATE SET state = 'claimed', claimed_by = excluded.claimed_by,
  claimed_until = excluded.claimed_until, due_at = excluded.claimed_until, generation = outbox.generation + 1,
  dirty_at = excluded.dirty_at, reason = excluded.reason
WHERE outbox.state <> 'claimed' OR outbox.claimed_until < :now
RETURNING sku_id, generation, dirty_at, attempts
"""  # noqa: S608
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
    return [Claim(shop_id, row.sku_id, row.generation, row.dirty_at, row.attempts, worker) for row in rows if row]


_STILL = text("""
UPDATE outbox SET claimed_until = :until
WHERE shop_id = :shop AND sku_id = :sku AND state = 'claimed' AND claimed_by = :worker
""")


def still_mine(connection: Connection, claims: Collection[Claim]) -> set[str]:
    """Those that no other worker took over because this one was slow; they are kept for ten more minutes.

    Ask in the transaction that keeps the intent: a listing that was lost must not be written.
    """
    until = clock.now_ms() + LEASE_MS
    given = {claim.sku_id: _mine(claim) | {"until": until} for claim in claims}
    return {sku_id for sku_id, row in given.items() if connection.execute(_STILL, row).rowcount}


def release_all(store: Store) -> None:
    """Free what a crashed process had claimed; only the one owner of the jobs may call it, at its start."""
    free = text("UPDATE outbox SET state = 'dirty', claimed_by = '', due_at = 0 WHERE state = 'claimed'")
    with store.write() as connection:
        connection.execute(free)


_AGAIN = text(
    f"""
INSERT INTO outbox {_COLUMNS}
VALUES (:shop, :sku, 1, 'dirty', :now, :due, 0, '', 0, :reason, '')
ON CONFLICT (shop_id, sku_id) DO UPDATE SET generation = outbox.generation + 1,
  due_at = CASE WHEN outbox.state IN ('dirty', 'claimed') AND outbox.due_at < excluded.due_at THEN outbox.due_at
    ELSE excluded.due_at END,
  dirty_at = CASE WHEN outbox.state IN ('idle', 'held') THEN excluded.dirty_at ELSE outbox.dirty_at END,
  state = CASE WHEN outbox.state = 'claimed' THEN 'claimed' ELSE 'dirty' END
"""  # noqa: S608
)


def look_again(connection: Connection, shop_id: str, sku_id: str, due_at: int, reason: str) -> None:
    """Have one listing read again at `due_at` milliseconds, or sooner when that is planned already."""
    values = {"shop": shop_id, "sku": sku_id, "due": due_at, "reason": reason, "now": clock.now_ms()}
    connection.execute(_AGAIN, values)


# What a worker says of a listing counts only while the listing is its own, and a change that came meanwhile goes first.
_SETTLE = text("""
UPDATE outbox SET claimed_by = '', claimed_until = 0, attempts = 0, note = '',
  state = CASE WHEN generation = :generation THEN 'idle' ELSE 'dirty' END
WHERE shop_id = :shop AND sku_id = :sku AND claimed_by = :worker
""")
_LATER = text("""
UPDATE outbox SET claimed_by = '', claimed_until = 0, state = 'dirty', attempts = attempts + 1, note = :note,
  due_at = CASE WHEN generation = :generation THEN :due ELSE due_at END
WHERE shop_id = :shop AND sku_id = :sku AND claimed_by = :worker
""")
_HOLD = text("""
UPDATE outbox SET claimed_by = '', claimed_until = 0, note = :note,
  state = CASE WHEN generation = :generation THEN 'held' ELSE 'dirty' END
WHERE shop_id = :shop AND sku_id = :sku AND claimed_by = :worker
""")


def _mine(claim: Claim) -> dict[str, object]:
    return {
        "shop": claim.shop_id, "sku": claim.sku_id, "generation": claim.generation, "worker": claim.worker,
    }  # fmt: skip


def settle(connection: Connection, claims: Collection[Claim]) -> None:
    """These listings show what they should; one that changed meanwhile stays due."""
    rows = [_mine(claim) for claim in claims]
    if rows:
        connection.execute(_SETTLE, rows)


def hold(connection: Connection, held: Collection[tuple[Claim, str]]) -> None:
    """These wait for the owner, each with the sentence why; a new change of stock looks at them again."""
    rows = [_mine(claim) | {"note": note} for claim, note in held]
    if rows:
        connection.execute(_HOLD, rows)


def later(connection: Connection, claims: Collection[Claim], note: str, seconds: float | None = None) -> None:
    """Try these again: after `seconds`, or after a pause that doubles with each attempt up to an hour."""
    now = clock.now_ms()
    rows = [
        _mine(claim) | {"note": note, "due": now + (pause_ms(claim) if seconds is None else int(seconds * 1000))}
        for claim in claims
    ]
    if rows:
        connection.execute(_LATER, rows)


def pause_ms(claim: Claim) -> int:
    """How long to rest after this attempt, in milliseconds: 2 s, 4 s, 8 s, up to an hour."""
    return min(_SLOWEST_MS, 2_000 << min(claim.attempts, 20))

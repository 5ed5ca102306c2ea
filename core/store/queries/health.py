"""How well the two sides keep in step: what waits, what went wrong, and how long a change takes each way."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from core import clock


@dataclass(frozen=True, slots=True)
class Delay:
    """How long something took over `samples` measured cases, in milliseconds; `recent` are the last, oldest first."""

    samples: int
    median_ms: int
    p95_ms: int
    recent: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Backlog:
    """Listings that wait to be looked at on TikTok; `since` is the oldest one's moment in milliseconds."""

    waiting: int
    held: int
    since: int | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Things that want attention, counted since a moment."""

    failed_runs: int
    unknown_pushes: int
    unreadable: int


_RECENT = 30
DELAY_OUT = (
    "From the moment Evenstock knew of a change of stock until TikTok was read to show it, for the last 500 changes of "
    "seven days. The large figure is the median: half took no longer."
)
DELAY_IN = (
    "From the second an order was placed on TikTok until it was known here, for the last 500 orders of seven days; "
    "those from before the shop was connected are left out. The large figure is the median: half took no longer. "
    "TikTok gives whole seconds, so it reads up to one second too long; time in which Evenstock was closed counts."
)


def _delay(values: Sequence[int]) -> Delay | None:
    if not values:
        return None
    real = [max(0, value) for value in values]
    ordered = sorted(real)
    slow = ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    return Delay(len(ordered), ordered[len(ordered) // 2], slow, tuple(reversed(real[:_RECENT])))


_OUT = text(
    "SELECT confirmed_at - dirty_at AS took FROM push WHERE outcome = 'confirmed' AND intent_at >= :since "
    "AND shop_id = :shop AND confirmed_at IS NOT NULL ORDER BY intent_at DESC LIMIT 500"
)
# Only orders placed after the shop was connected: the first import of old orders says nothing about speed.
_IN = text(
    "SELECT first_seen_at - create_time * 1000 AS took FROM orders "
    "WHERE shop_id = :shop AND create_time >= :placed ORDER BY create_time DESC LIMIT 500"
)


def delay_out(connection: Connection, shop_id: str, since: int) -> Delay | None:
    """From our knowing of a change until TikTok was read to show it; None without one since (ms). See DELAY_OUT."""
    rows = connection.execute(_OUT, {"shop": shop_id, "since": since})
    return _delay([row.took for row in rows])


def delay_in(connection: Connection, shop_id: str, connected_at: int, since: int) -> Delay | None:
    """From an order placed on TikTok until we knew it; None when none was placed since (ms). See DELAY_IN."""
    placed = -(-max(connected_at, since) // 1000)
    rows = connection.execute(_IN, {"shop": shop_id, "placed": placed})
    return _delay([row.took for row in rows])


def backlog(connection: Connection, shop_id: str) -> Backlog:
    """What waits in the outbox; listings that are only looked at again later do not wait."""
    row = connection.execute(_BACKLOG, {"shop": shop_id, "soon": clock.now_ms() + _SOON_MS}).one()
    return Backlog(int(row.waiting), int(row.held), row.since)


_SOON_MS = 5_000
_BACKLOG = text("""
SELECT coalesce(sum(CASE WHEN state = 'held' THEN 0 ELSE 1 END), 0) AS waiting,
  coalesce(sum(CASE WHEN state = 'held' THEN 1 ELSE 0 END), 0) AS held,
  min(CASE WHEN state = 'held' THEN NULL ELSE dirty_at END) AS since
FROM outbox WHERE shop_id = :shop AND (state IN ('claimed', 'held') OR (state = 'dirty' AND due_at <= :soon))
""")


def trouble(connection: Connection, since: int) -> Trouble:
    """Failed runs, writes of unknown outcome and unreadable records since a moment (ms).

    A failed run that a later run of the same kind made good is not counted.
    """
    row = connection.execute(
        text(
            "SELECT (SELECT count(*) FROM run r WHERE r.started_at >= :since AND r.status = 'failed' AND NOT EXISTS ("
            "SELECT 1 FROM run s WHERE s.kind IN (r.kind, 'sync all') AND s.shop_id = r.shop_id "
            "AND s.started_at > r.started_at AND s.status IN ('done', 'running', 'failed'))) AS failed, "
            "(SELECT count(*) FROM push WHERE outcome = 'unknown' AND intent_at >= :since) AS unknown, "
            "(SELECT count(*) FROM quarantine WHERE at >= :since) AS unreadable"
        ),
        {"since": since},
    ).one()
    return Trouble(row.failed, row.unknown, row.unreadable)

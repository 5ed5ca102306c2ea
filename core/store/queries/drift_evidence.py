"""What is kept around a number that nothing explains: readings, our writes, orders, and what TikTok told by itself."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Shown:
    """What TikTok showed from `at` (ms) on."""

    at: int
    available: int
    committed: int


@dataclass(frozen=True, slots=True)
class Write:
    """A number sent to TikTok at `at` (ms); `doubtful` when no answer to it ever came."""

    at: int
    target: int
    read_available: int
    outcome: str
    code: int | None
    sentence: str
    doubtful: bool


@dataclass(frozen=True, slots=True)
class Hint:
    """What TikTok told by itself of this listing's stock at `at` (ms): the sources of the change, as it names them."""

    at: int
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is kept about a listing from `since` (ms), its last settled number, until now; lists the oldest first.

    `before_at` is the last reading before `found_at`; `apart` are units that TikTok sets aside for campaigns and
    creators, `backorder` those it may sell before they exist, `others` how many more listings of the shop changed
    unexplained between the same readings.
    """

    amount: int
    observed: int
    found_at: int
    since: int
    before_at: int | None
    committed: int
    open_units: int
    backorder: int
    apart: int
    others: int
    shown: tuple[Shown, ...]
    writes: tuple[Write, ...]
    hints: tuple[Hint, ...]

    @property
    def doubtful(self) -> bool:
        """Whether a write whose answer was lost lies inside, so that this number may be our own."""
        return any(write.doubtful for write in self.writes if write.at >= self.since)


_SHOWN = text(
    "SELECT at, available, committed FROM shown WHERE shop_id = :shop AND sku_id = :sku AND at >= :since "
    "ORDER BY at DESC LIMIT :limit"
)
# An answer that was lost leaves its traces: none was kept, the later readings called it lost, or its error was kept.
_WRITES = text(
    "SELECT intent_at AS at, target, read_available, outcome, code, sentence, outcome <> 'not sent' AND "
    "(answered_at IS NULL OR outcome IN ('sent', 'unknown', 'lost') "
    "OR (sentence <> '' AND outcome IN ('confirmed', 'contradicted'))) AS doubtful FROM push "
    "WHERE shop_id = :shop AND sku_id = :sku AND intent_at >= :since ORDER BY id DESC LIMIT :limit"
)
_HINTS = text(
    "SELECT received_at AS at, body FROM hook WHERE state IN ('new', 'done') AND received_at BETWEEN :since AND :upto "
    "AND type IN (27, 68) AND shop_id IN (:shop, '') AND body LIKE :sku ORDER BY received_at DESC LIMIT 20"
)
_OTHERS = text(
    "SELECT count(*) FROM drift WHERE shop_id = :shop AND sku_id <> :sku AND state IN ('suspected', 'open', 'lowered') "
    "AND found_at BETWEEN :found - 60000 AND :found + 60000"
)
_CONFIRMED = text(
    "SELECT max(confirmed_at) FROM push WHERE shop_id = :shop AND sku_id = :sku AND confirmed_at <= :found"
)


def evidence(connection: Connection, row: Any, found: Any, *, valid_ms: int) -> Evidence:
    """What is kept about a listing and what was found on it; `row` holds the listing as just read.

    `valid_ms` is how long a request may still take effect after it was sent: writes from that long before the settled
    number belong to it.
    """
    key = {"shop": row["shop_id"], "sku": row["sku_id"]}
    since = row["base_at"] or 0
    if found.state == "lowered":  # the settled number of then was overwritten by ours
        since = connection.execute(_CONFIRMED, key | {"found": found.found_at}).scalar() or 0
    since = min(since, found.found_at) - valid_ms
    looked = key | {"since": min(since, found.found_at - _DAY_MS), "limit": 200}
    shown = [Shown(**each) for each in connection.execute(_SHOWN, looked).mappings()][::-1]
    before = [each.at for each in shown if each.at < found.found_at]
    return Evidence(
        found.amount, found.observed, found.found_at, since, before[-1] if before else None, row["committed"],
        row["open_units"], row["backorder"], row.get("apart", 0),
        int(connection.execute(_OTHERS, key | {"found": found.found_at}).scalar_one()), tuple(shown),
        tuple(_write(each) for each in connection.execute(_WRITES, looked).mappings())[::-1],
        hints(connection, key["shop"], key["sku"], before[-1] if before else since, found.found_at + 60_000),
    )  # fmt: skip


def _write(row: Any) -> Write:
    return Write(**dict(row) | {"doubtful": bool(row["doubtful"])})


def hints(connection: Connection, shop_id: str, sku_id: str, since: int, upto: int) -> tuple[Hint, ...]:
    """What TikTok told of this listing's stock by itself between two moments (ms), the oldest first."""
    given = {"shop": shop_id, "sku": f"%|{sku_id}|%", "since": since, "upto": upto}
    found = [(row.at, row.body.split("|")[2]) for row in connection.execute(_HINTS, given)]
    return tuple(Hint(at, tuple(sources.split(","))) for at, sources in reversed(found) if sources)


@dataclass(frozen=True, slots=True)
class Sold:
    """An order of the listing around the moment: placed (s), first seen here (ms), its units and its state."""

    order_id: str
    status: str
    create_time: int
    first_seen_at: int
    units: int


@dataclass(frozen=True, slots=True)
class Around:
    """What was kept around one question, the newest first."""

    shown: tuple[Shown, ...]
    writes: tuple[Write, ...]
    orders: tuple[Sold, ...]
    hints: tuple[Hint, ...]


_ORDERS = text(
    "SELECT o.id AS order_id, o.status, o.create_time, o.first_seen_at, count(*) AS units FROM order_line n "
    "JOIN orders o ON o.id = n.order_id WHERE n.sku_id = :sku AND n.shop_id = :shop "
    "AND o.create_time BETWEEN :since AND :upto GROUP BY o.id, o.status, o.create_time, o.first_seen_at "
    "ORDER BY o.create_time DESC LIMIT :limit"
)


def around(connection: Connection, shop_id: str, sku_id: str, found_at: int, limit: int = 8) -> Around:
    """What was kept about a listing within a day of the moment (ms) at which a question about it came up."""
    start, end = found_at - _DAY_MS, found_at + _DAY_MS
    key = {"shop": shop_id, "sku": sku_id, "limit": limit, "since": start}
    seconds = key | {"since": start // 1000, "upto": end // 1000}
    return Around(
        tuple(Shown(**row) for row in connection.execute(_SHOWN, key).mappings()),
        tuple(_write(row) for row in connection.execute(_WRITES, key).mappings()),
        tuple(Sold(**row) for row in connection.execute(_ORDERS, seconds).mappings()),
        hints(connection, shop_id, sku_id, start, end)[::-1][:limit],
    )

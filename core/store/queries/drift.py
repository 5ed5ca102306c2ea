"""Numbers on TikTok that nothing explains: the open ones, the decided ones, and what was kept around one of them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

ASKED = ("open", "lowered")
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
class Question:
    """One number to decide on, with its listing, in units; `observed` was shown at `found_at` (ms), `available` now.

    `parts` items are behind the listing, `sharing` more listings sell one of them, and `quantity` units of the item
    go into one of the listing. `units` is what the decision booked, `doubtful` that its cause is a lost answer.
    """

    id: int
    shop_id: str
    shop: str
    sku_id: str
    product_id: str
    seller_sku: str
    title: str
    variant: str
    state: str
    amount: int
    expected: int
    observed: int
    available: int | None
    committed: int
    open_units: int
    found_at: int
    cause: str
    evidence: str
    decision: str
    decided_at: int | None
    actor: str
    mode: str
    parts: int
    sharing: int
    quantity: int
    item_id: int | None
    item_sku: str
    on_hand: int
    units: int

    @property
    def name(self) -> str:
        """Product and variant."""
        return f"{self.title}, {self.variant}" if self.variant else self.title


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which ones: of a shop, with a likely cause, whose SKU or title holds the words."""

    view: str = "open"
    shop_id: str = ""
    cause: str = ""
    search: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many are open, still being checked, and decided."""

    open: int
    checking: int
    decided: int


VIEWS = {
    "open": "d.state IN ('open', 'lowered')",
    "checking": "d.state = 'suspected'",
    "decided": "d.state IN ('decided', 'undone')",
}
# While it is being checked, an order on its way is what TikTok's committed units tell; the rest is not known yet.
_CAUSE = (
    "CASE WHEN d.state <> 'suspected' THEN d.cause WHEN l.committed > l.open_units THEN 'unseen' ELSE 'checking' END"
)
SORTS = {
    "since": "d.found_at", "amount": "abs(d.amount)", "sku": "l.seller_sku", "title": "l.title",
    "decided": "d.decided_at",
}  # fmt: skip
_FROM = "FROM drift d JOIN listing l ON l.shop_id = d.shop_id AND l.sku_id = d.sku_id JOIN shop s ON s.id = d.shop_id"
_ON_ITEM = "FROM link k WHERE k.shop_id = d.shop_id AND k.sku_id = d.sku_id"
_QUESTION = f"""
SELECT d.id, d.shop_id, s.name AS shop, d.sku_id, l.product_id, l.seller_sku, l.title, l.variant, d.state, d.amount,
  d.observed - d.amount AS expected, d.observed, l.available, coalesce(l.committed, 0) AS committed, l.open_units, d.found_at,
  {_CAUSE} AS cause, d.evidence, d.decision, d.decided_at, d.actor, s.mode,
  (SELECT count(*) {_ON_ITEM}) AS parts,
  (SELECT count(*) FROM link o JOIN listing x ON x.shop_id = o.shop_id AND x.sku_id = o.sku_id AND NOT x.gone
   WHERE o.item_id IN (SELECT k.item_id {_ON_ITEM}) AND NOT (o.shop_id = d.shop_id AND o.sku_id = d.sku_id))
   AS sharing,
  coalesce((SELECT max(k.quantity) {_ON_ITEM}), 1) AS quantity,
  (SELECT min(k.item_id) {_ON_ITEM}) AS item_id,
  coalesce((SELECT min(i.sku) FROM item i WHERE i.id IN (SELECT k.item_id {_ON_ITEM})), '') AS item_sku,
  (SELECT coalesce(sum(v.on_hand), 0) FROM level v WHERE v.item_id IN (SELECT k.item_id {_ON_ITEM})) AS on_hand,
  (SELECT coalesce(sum(m.on_hand), 0) FROM movement m WHERE m.reference = 'drift:' || d.id
   AND m.reason <> 'taking over undone') AS units
{_FROM}
"""  # noqa: S608 (constants)


def counts(connection: Connection, shop_id: str = "") -> Counts:
    """How many there are, of one shop or of all."""
    query = text(
        "SELECT state, count(*) AS n FROM drift WHERE state IN ('open', 'lowered', 'suspected', 'decided', 'undone') "
        "AND (:shop = '' OR shop_id = :shop) GROUP BY state"
    )
    found = {row.state: int(row.n) for row in connection.execute(query, {"shop": shop_id})}
    return Counts(
        found.get("open", 0) + found.get("lowered", 0),
        found.get("suspected", 0),
        found.get("decided", 0) + found.get("undone", 0),
    )


def causes(connection: Connection, wanted: Wanted) -> dict[str, int]:
    """How many there are by likely cause, whatever cause is asked for."""
    where, given = _where(Wanted(wanted.view, wanted.shop_id, "", wanted.search))
    rows = connection.execute(text(f"SELECT {_CAUSE} AS cause, count(*) AS n {_FROM} {where} GROUP BY 1"), given)
    return {row.cause: int(row.n) for row in rows}


def total(connection: Connection, wanted: Wanted) -> int:
    """How many match."""
    where, given = _where(wanted)
    return int(connection.execute(text(f"SELECT count(*) {_FROM} {where}"), given).scalar_one())


def page(
    connection: Connection, wanted: Wanted, *, sort: str = "since", limit: int = 50, offset: int = 0
) -> list[Question]:
    """One page; the newest or largest first, SKUs and titles from A on."""
    where, given = _where(wanted)
    order = f"{SORTS[sort]} {'ASC' if sort in ('sku', 'title') else 'DESC'}, d.id DESC"
    query = text(f"{_QUESTION} {where} ORDER BY {order} LIMIT :limit OFFSET :offset")
    rows = connection.execute(query, given | {"limit": limit, "offset": offset}).mappings()
    return [Question(**row) for row in rows]


def these(connection: Connection, ids: list[int]) -> list[Question]:
    """Those with these numbers, in their order; one that is gone is left out."""
    query = text(f"{_QUESTION} WHERE d.id = :id")
    found = [connection.execute(query, {"id": each}).mappings().one_or_none() for each in ids]
    return [Question(**row) for row in found if row is not None]


def _where(wanted: Wanted) -> tuple[str, dict[str, object]]:
    where, given = [VIEWS[wanted.view]], {"shop": wanted.shop_id, "cause": wanted.cause}
    if wanted.shop_id:
        where.append("d.shop_id = :shop")
    if wanted.cause:
        where.append(f"{_CAUSE} = :cause")
    if words := wanted.search.strip():
        where.append(
            "(lower(l.seller_sku) LIKE :like ESCAPE '\\' OR lower(l.title) LIKE :like ESCAPE '\\' OR l.sku_id = :exact)"
        )
        literal = words.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        given |= {"like": f"%{literal}%", "exact": words}
    return f"WHERE {' AND '.join(where)}", {name: value for name, value in given.items() if f":{name}" in str(where)}


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


def around(connection: Connection, asked: Question, limit: int = 8) -> Around:
    """What was kept about the listing within a day of the question."""
    start, end = asked.found_at - _DAY_MS, asked.found_at + _DAY_MS
    key = {"shop": asked.shop_id, "sku": asked.sku_id, "limit": limit, "since": start}
    seconds = key | {"since": start // 1000, "upto": end // 1000}
    return Around(
        tuple(Shown(**row) for row in connection.execute(_SHOWN, key).mappings()),
        tuple(_write(row) for row in connection.execute(_WRITES, key).mappings()),
        tuple(Sold(**row) for row in connection.execute(_ORDERS, seconds).mappings()),
        hints(connection, asked.shop_id, asked.sku_id, start, end)[::-1][:limit],
    )

"""Read what TikTok shows, keep it with its time, and notice what nothing explains."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from core import clock
from core.store.tables import Cursor, Listing, Push, Stock
from core.store.upsert import table, upsert
from core.sync import outbox
from core.sync.context import ShopContext
from core.sync.drift import Reading, drift
from core.tiktok.models import SkuStock

SURE_AFTER_MS = 5_000  # an unexplained number must be seen twice this far apart before it is shown
LOST_AFTER_MS = 15_000  # a write without an answer may still arrive; before that it is not taken for lost
_LISTING = table(Listing)
_PUSH = table(Push)
_BATCH = 600


def read_all(shop: ShopContext) -> int:
    """Read every listing of the shop, 600 a call. Returns how many changed. Raises TikTokError."""
    query = text("SELECT sku_id FROM listing WHERE shop_id = :shop AND NOT gone AND status <> 'UNSEEN' ORDER BY sku_id")
    with shop.store.read() as connection:
        skus = [row.sku_id for row in connection.execute(query, {"shop": shop.shop_id})]
    changed = 0
    for start in range(0, len(skus), _BATCH):
        asked_at = clock.now_ms()
        stocks = shop.api.stock(skus[start : start + _BATCH])
        with shop.store.write() as connection:
            changed += record(connection, shop.shop_id, stocks, asked_at)
    with shop.store.write() as connection:
        now = clock.now_ms()
        upsert(connection, Cursor, [{"source": f"stock:{shop.shop_id}", "value": now, "moved_at": now}])
    return changed


def record(connection: Connection, shop_id: str, stocks: Mapping[str, SkuStock], at: int) -> int:
    """Keep these readings; only what differs is written. Returns how many differed.

    `at` is the moment in milliseconds at which the reading was asked for: one that a write of ours overtook is dropped.
    """
    listings = _rows(connection, shop_id, stocks.keys() - _overtaken(connection, shop_id, stocks.keys(), at))
    known = _warehouses(connection, shop_id, stocks.keys())
    linked = _linked(connection, shop_id, stocks.keys())
    changed = 0
    for sku_id, row in listings.items():
        stock = stocks[sku_id]
        shown = {place.warehouse_id: (place.available, place.committed) for place in stock.warehouses}
        values: dict[str, Any] = {}
        if (row["available"], row["committed"]) != (stock.available, stock.committed):
            values |= {"available": stock.available, "committed": stock.committed, "observed_at": at}
            changed += 1
        if shown != known.get(sku_id, {}):
            _keep_warehouses(connection, shop_id, sku_id, shown, known.get(sku_id, {}))
        values |= _settle(connection, dict(row) | values, at) if sku_id in linked else _moving_base(row, stock)
        if values:
            connection.execute(
                _LISTING.update().where(_LISTING.c.shop_id == shop_id, _LISTING.c.sku_id == sku_id).values(**values)
            )
    return changed


def _rows(connection: Connection, shop_id: str, skus: Collection[str]) -> dict[str, Mapping[Any, Any]]:
    query = select(_LISTING).where(_LISTING.c.shop_id == shop_id, _LISTING.c.sku_id.in_(list(skus)))
    return {row["sku_id"]: row for row in connection.execute(query).mappings()}


_OVERTAKEN = text(
    "SELECT DISTINCT sku_id FROM push WHERE shop_id = :shop AND sku_id IN :skus AND coalesce(answered_at, intent_at) > :at"
).bindparams(bindparam("skus", expanding=True))


def _overtaken(connection: Connection, shop_id: str, skus: Collection[str], at: int) -> set[str]:
    rows = connection.execute(_OVERTAKEN, {"shop": shop_id, "skus": list(skus), "at": at})
    return {row.sku_id for row in rows}


def _warehouses(connection: Connection, shop_id: str, skus: Collection[str]) -> dict[str, dict[str, tuple[int, int]]]:
    stock = table(Stock)
    query = select(stock).where(stock.c.shop_id == shop_id, stock.c.sku_id.in_(list(skus)))
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.sku_id, {})[row.warehouse_id] = (row.available, row.committed)
    return found


def _linked(connection: Connection, shop_id: str, skus: Collection[str]) -> set[str]:
    query = text("SELECT DISTINCT sku_id FROM link WHERE shop_id = :shop AND sku_id IN :skus")
    query = query.bindparams(bindparam("skus", expanding=True))
    return {row.sku_id for row in connection.execute(query, {"shop": shop_id, "skus": list(skus)})}


def _keep_warehouses(
    connection: Connection,
    shop_id: str,
    sku_id: str,
    shown: Mapping[str, tuple[int, int]],
    before: Mapping[str, tuple[int, int]],
) -> None:
    stock = table(Stock)
    for place in before.keys() - shown.keys():
        mine = (stock.c.shop_id == shop_id, stock.c.sku_id == sku_id, stock.c.warehouse_id == place)
        connection.execute(stock.delete().where(*mine))
    upsert(
        connection,
        Stock,
        [
            {"shop_id": shop_id, "sku_id": sku_id, "warehouse_id": place, "available": a, "committed": c}
            for place, (a, c) in shown.items()
        ],
    )


def _moving_base(row: Mapping[Any, Any], stock: SkuStock) -> dict[str, Any]:
    # Nothing of ours stands behind this listing yet, so every reading is a fresh start.
    base = {"base_available": stock.available, "base_open": row["open_units"], "base_shipped": row["shipped_units"]}
    return base if any(row[name] != value for name, value in base.items()) else {}


def settled(row: Mapping[Any, Any], at: int) -> dict[str, Any]:
    """The reading in `row` as the new settled one; units that orders still unknown to us hold count as open."""
    if row["committed"] < row["open_units"]:
        return {"base_available": None, "base_open": None, "base_shipped": None, "base_at": None}
    return {
        "base_available": row["available"],
        "base_open": row["committed"],
        "base_shipped": row["shipped_units"],
        "base_at": at,
    }


def _settle(connection: Connection, row: dict[str, Any], at: int) -> dict[str, Any]:
    """Resolve writes of unknown outcome, then judge what is left unexplained. Returns new values of the listing."""
    values = _resolve(connection, row, at)
    row |= values
    if row["base_available"] is None:
        return values | (settled(row, at) if row["committed"] == row["open_units"] else {})
    base = Reading(row["base_available"], row["base_open"], row["base_shipped"])
    now = Reading(row["available"], row["open_units"], row["shipped_units"])
    amount = drift(base, now, row["committed"])
    if amount is not None:
        _judge(connection, row, amount, at)
    return values


def _resolve(connection: Connection, row: Mapping[Any, Any], at: int) -> dict[str, Any]:
    mine = (_PUSH.c.shop_id == row["shop_id"], _PUSH.c.sku_id == row["sku_id"])
    query = select(_PUSH).where(*mine, _PUSH.c.outcome.in_(("sent", "unknown", "accepted"))).order_by(_PUSH.c.id)
    values: dict[str, Any] = {}
    for push in connection.execute(query).mappings().all():
        outcome = verdict(push, row, at)
        if outcome is None:
            continue
        confirmed = clock.now_ms() if outcome == "confirmed" else None
        connection.execute(
            _PUSH.update().where(_PUSH.c.id == push["id"]).values(outcome=outcome, confirmed_at=confirmed)
        )
        if outcome == "confirmed" or push["outcome"] == "accepted":
            # TikTok took our number, so what differs from it now came after: that is where drift is measured from.
            values = settled(dict(row) | {"available": push["target"] - taken(push, row)}, at)
    return values


def taken(push: Mapping[Any, Any], row: Mapping[Any, Any]) -> int:
    """Units that orders took since the reading before a write: those TikTok holds more now, and those shipped since."""
    held = row["committed"] - push["read_committed"]
    return int(held + row["shipped_units"] - push["read_shipped"])


def verdict(push: Mapping[Any, Any], row: Mapping[Any, Any], at: int) -> str | None:
    """What became of a write: confirmed, lost, contradicted, or None while it cannot be told."""
    sold = taken(push, row)
    applied = row["available"] == push["target"] - sold
    untouched = row["available"] == push["read_available"] - sold
    if push["outcome"] == "accepted":
        return "confirmed" if applied else "contradicted"
    if applied and not untouched:
        return "confirmed"
    if at - push["intent_at"] < LOST_AFTER_MS:
        return None
    if untouched and not applied:
        return "lost"
    return "contradicted" if at - push["intent_at"] > 300_000 else None


_FIND = text(
    "SELECT id, amount, found_at, state FROM drift WHERE shop_id = :shop AND sku_id = :sku AND state IN ('suspected', 'open', 'lowered')"
)
_OPEN = text(
    "INSERT INTO drift (shop_id, sku_id, found_at, expected, observed, amount, state, decision) "
    "VALUES (:shop, :sku, :at, :expected, :observed, :amount, 'suspected', '')"
)
_CHANGE = text(
    "UPDATE drift SET amount = :amount, expected = :expected, observed = :observed, state = :state WHERE id = :id"
)
_EXPLAINED = text("UPDATE drift SET state = 'explained', decided_at = :at WHERE id = :id")


def _judge(connection: Connection, row: Mapping[Any, Any], amount: int, at: int) -> None:
    where = {"shop": row["shop_id"], "sku": row["sku_id"]}
    found = connection.execute(_FIND, where).first()
    if amount == 0:
        if found is not None and found.state != "lowered":
            connection.execute(_EXPLAINED, {"at": at, "id": found.id})
        return
    shown = {"amount": amount, "observed": row["available"], "expected": row["available"] - amount}
    if found is None:
        connection.execute(_OPEN, where | shown | {"at": at})
        due = clock.now_ms() + SURE_AFTER_MS + 500
        outbox.look_again(connection, row["shop_id"], row["sku_id"], due, "an unexplained number is read once more")
    elif found.amount != amount:
        connection.execute(
            _CHANGE, shown | {"id": found.id, "state": "open" if found.state == "lowered" else found.state}
        )
    elif found.state == "suspected" and at - found.found_at >= SURE_AFTER_MS:
        connection.execute(_CHANGE, shown | {"id": found.id, "state": "open"})

"""Read what TikTok shows, keep it with its time, and notice what nothing explains."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, or_, select, text

from core import clock
from core.store.engine import Store
from core.store.tables import Cursor, Listing, Push, Shown, Stock
from core.store.upsert import table, upsert
from core.sync import aims, intents, suspicion, takings
from core.sync.context import ShopContext
from core.sync.verdicts import SETTLED_AFTER_MS, beyond, taken, verdict
from core.tiktok.errors import BadAnswer
from core.tiktok.models import SkuStock

_LISTING = table(Listing)
_PUSH = table(Push)
_BATCH = 600
_READ_BEFORE = 15  # seconds that a reading may be older than the write that rests on it, in a mass change
_SKUS: BindParameter[Any] = bindparam("skus", expanding=True)


def read_all(shop: ShopContext) -> int:
    """Read every listing of the shop, 600 a call. Returns how many changed. Raises TikTokError."""
    query = text("SELECT sku_id FROM listing WHERE shop_id = :shop AND NOT gone AND status <> 'UNSEEN' ORDER BY sku_id")
    with shop.store.read() as connection:
        skus = [row.sku_id for row in connection.execute(query, {"shop": shop.shop_id})]
    changed = told = 0
    for start in range(0, len(skus), _BATCH):
        asked_at = clock.now_ms()
        stocks = shop.api.stock(skus[start : start + _BATCH])
        told += len(stocks)
        with shop.store.write() as connection:
            changed += record(connection, shop, stocks, asked_at)
    if skus and not told:
        raise BadAnswer(
            f"TikTok told the stock of none of the {len(skus):,} listings. Nothing was changed here.",
            "Look at the shop in TikTok's Seller Center. If the stock is there, sync again later.",
        )
    with shop.store.write() as connection:
        now = clock.now_ms()
        upsert(connection, Cursor, [{"source": f"stock:{shop.shop_id}", "value": now, "moved_at": now}])
    return changed


def record(connection: Connection, shop: ShopContext, stocks: Mapping[str, SkuStock], at: int) -> int:
    """Keep these readings; only what differs is written. Returns how many differed.

    `at` is the moment in milliseconds at which the reading was asked for: one that a write of ours or a later reading
    overtook is dropped.
    """
    overtaken = _overtaken(connection, shop.shop_id, stocks.keys(), at)
    listings = _rows(connection, shop.shop_id, stocks.keys() - overtaken)
    known = _warehouses(connection, shop.shop_id, stocks.keys())
    linked = _linked(connection, shop.shop_id, stocks.keys())
    pending = _pending(connection, shop.shop_id, stocks.keys())
    undecided = suspicion.undecided(connection, shop.shop_id, stocks.keys())
    changed: list[dict[str, Any]] = []
    touched: list[str] = []
    for sku_id, row in listings.items():
        if (row["observed_at"] or 0) > at:
            continue
        stock = stocks[sku_id]
        values: dict[str, Any] = {}
        if (row["available"], row["committed"]) != (stock.available, stock.committed):
            shows = {"available": stock.available, "committed": stock.committed}
            values |= shows | {"observed_at": at}
            changed.append({"shop_id": shop.shop_id, "sku_id": sku_id, "at": at} | shows)
        shown = {place.warehouse_id: (place.available, place.committed) for place in stock.warehouses}
        if shown != known.get(sku_id, {}):
            _keep_warehouses(connection, shop.shop_id, sku_id, shown, known.get(sku_id, {}))
        if sku_id in linked:
            now = dict(row) | values | {"apart": stock.campaign_locked + stock.creator_locked}
            settling = _resolve(connection, shop, now, at, pending[sku_id]) if sku_id in pending else {}
            if not settling and now["base_available"] is None:
                settling = settled(now, at)
            # A new settled reading has nothing to be compared with yet.
            values |= settling or suspicion.judge(connection, shop, now, at, undecided.get(sku_id))
        if values:
            mine = (_LISTING.c.shop_id == shop.shop_id, _LISTING.c.sku_id == sku_id)
            connection.execute(_LISTING.update().where(*mine).values(**values))
            touched.append(sku_id)
    upsert(connection, Shown, changed)
    aims.of_listings(connection, shop.shop_id, [sku for sku in touched if sku in linked])
    return len(changed)


def forget_old(store: Store, before_ms: int) -> None:
    """Drop what TikTok showed before this moment, but for what it still showed then of each listing."""
    with store.read() as connection:
        found = connection.execute(_SHOWN_LONG_AGO, {"before": before_ms}).mappings().all()
    for start in range(0, len(found), _FORGET_AT_ONCE):  # in parts, so that nobody waits long for the writer
        with store.write() as connection:
            connection.execute(_FORGET, [dict(row) for row in found[start : start + _FORGET_AT_ONCE]])


_FORGET_AT_ONCE = 5_000
_SHOWN_LONG_AGO = text("""
SELECT shop_id AS shop, sku_id AS sku, max(at) AS newest FROM shown WHERE at <= :before
GROUP BY shop_id, sku_id HAVING count(*) > 1
""")
_FORGET = text("DELETE FROM shown WHERE shop_id = :shop AND sku_id = :sku AND at < :newest")


def _rows(connection: Connection, shop_id: str, skus: Collection[str]) -> dict[str, Mapping[Any, Any]]:
    query = select(_LISTING).where(_LISTING.c.shop_id == shop_id, _LISTING.c.sku_id.in_(list(skus)))
    return {row["sku_id"]: row for row in connection.execute(query).mappings()}


_OVERTAKEN = text("""
SELECT DISTINCT sku_id FROM push
WHERE shop_id = :shop AND sku_id IN :skus AND coalesce(answered_at, intent_at) > :at
""").bindparams(_SKUS)


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
    query = text("SELECT DISTINCT sku_id FROM link WHERE shop_id = :shop AND sku_id IN :skus").bindparams(_SKUS)
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
    rows = [
        {"shop_id": shop_id, "sku_id": sku_id, "warehouse_id": place, "available": a, "committed": c}
        for place, (a, c) in shown.items()
    ]
    upsert(connection, Stock, rows)


def settled(row: Mapping[Any, Any], at: int) -> dict[str, Any]:
    """The reading in `row` as the new settled one, provisional until the orders are read again."""
    return {
        "base_available": row["available"],
        "base_open": row["committed"],
        "base_shipped": None,
        "base_at": at,
    }


_CONFIRMED = text("SELECT max(id) FROM push WHERE shop_id = :shop AND sku_id = :sku AND outcome = 'confirmed'")


def _pending(connection: Connection, shop_id: str, skus: Collection[str]) -> dict[str, list[Mapping[Any, Any]]]:
    """Writes without a verdict, newest first, by SKU id, and those taken for lost that may still arrive."""
    mine = (_PUSH.c.shop_id == shop_id, _PUSH.c.sku_id.in_(list(skus)))
    late = and_(_PUSH.c.outcome == "lost", _PUSH.c.intent_at > clock.now_ms() - SETTLED_AFTER_MS)
    query = select(_PUSH).where(*mine, or_(_PUSH.c.outcome.in_(("sent", "unknown", "accepted")), late))
    found: dict[str, list[Mapping[Any, Any]]] = {}
    for row in connection.execute(query.order_by(_PUSH.c.id.desc())).mappings():
        found.setdefault(row["sku_id"], []).append(row)
    return found


def _resolve(
    connection: Connection, shop: ShopContext, row: Mapping[Any, Any], at: int, pending: Sequence[Mapping[Any, Any]]
) -> dict[str, Any]:
    """Give each write its verdict as far as this reading tells. Returns the settled reading that follows from them."""
    where = {"shop": row["shop_id"], "sku": row["sku_id"]}
    newest = connection.execute(_CONFIRMED, where).scalar()
    complete = suspicion.read_since(shop, row["observed_at"], at)
    values: dict[str, Any] = {}
    explained = False
    for push in pending:
        overtaken = explained or push["id"] < (newest or 0)
        if shop.kind == "store" and push["outcome"] != "accepted" and not complete:
            continue  # an order that is not known yet could tell any story
        readings = _readings(connection, shop, row, push)
        if push["outcome"] == "lost" and explained:
            continue
        found = [verdict(push, each, at, overtaken=overtaken, complete=complete) for each in readings]
        outcome = min(found, key=_LIKELIER.index)
        if outcome is None:
            continue
        late = shop.kind == "store" and outcome == "lost" and not explained
        if late and any(verdict(dict(push) | {"outcome": "lost"}, each, at) for each in readings):
            outcome = "confirmed"  # it arrived after a later one
        confirmed = clock.now_ms() if outcome == "confirmed" else None
        connection.execute(
            _PUSH.update().where(_PUSH.c.id == push["id"]).values(outcome=outcome, confirmed_at=confirmed)
        )
        if outcome == "confirmed":
            values, explained = settled(row, at), True
            intents.overwrite_drift(connection, row["shop_id"], row["sku_id"])
        elif push["outcome"] == "accepted" and not explained:
            # TikTok took our number, so what differs from it now came after: that is where drift is measured from.
            values = values or _just_written(shop, row, push, readings[0], at)
        elif outcome == "contradicted" and not explained and not beyond(row, row["open_units"]):
            # It may have taken effect and an unseen order hidden it, so what looks explained is measured anew.
            values = values or settled(row, at)
    return values


def _just_written(
    shop: ShopContext, row: Mapping[Any, Any], push: Mapping[Any, Any], reading: Mapping[Any, Any], at: int
) -> dict[str, Any]:
    """The settled reading that a number of ours was, which was taken and has changed since."""
    if shop.kind == "store":
        return settled(dict(row) | {"available": push["target"]}, push["answered_at"])
    return settled(dict(row) | {"available": push["target"] - taken(push, reading)}, at)


def _readings(
    connection: Connection, shop: ShopContext, row: Mapping[Any, Any], push: Mapping[Any, Any]
) -> list[dict[Any, Any]]:
    if shop.kind == "store":
        return takings.readings(connection, shop, row, push)
    return [dict(row) | {"shipped_since": units} for units in _shipped_since(connection, shop, row, push)]


# Where the second of a shipment leaves two stories open, the one that explains the number is believed.
_LIKELIER = ("confirmed", "lost", None, "contradicted")


def _shipped_since(connection: Connection, shop: ShopContext, row: Mapping[Any, Any], push: Mapping[Any, Any]) -> range:
    """How many units may have been shipped since the reading before a write; nearly always one number, and 0."""
    if row["shipped_units"] == push["read_shipped"]:
        return range(1)
    least, most = suspicion.shipped_after(connection, shop, row, push["intent_at"], _READ_BEFORE)
    return range(least, most + 1)

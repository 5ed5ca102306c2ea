"""Store a page of orders exactly once: rows, stock movements, sums and dirty listings in the one transaction."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from core import clock
from core.analytics.rollups import Sums
from core.store.tables import Listing
from core.store.tables import Order as OrderTable
from core.store.tables import OrderLine as LineTable
from core.store.upsert import table, upsert
from core.sync import ledger, outbox
from core.sync.booking import FULFILLED_BY_TIKTOK, RANK, has_shipped, is_open, state_of
from core.sync.context import ShopContext
from core.tiktok.orders import Order, OrderLine
from core.tiktok.reading import Unreadable

_ORDERS = table(OrderTable)
_LINES = table(LineTable)
Row = dict[str, Any]


@dataclass
class Ingested:
    """What a page changed."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    unreadable: int = 0
    movements: int = 0
    order_ids: list[str] = field(default_factory=list)


def ingest(
    connection: Connection,
    shop: ShopContext,
    orders: Sequence[Order],
    source: str,
    unreadable: Sequence[Unreadable] = (),
) -> Ingested:
    """Bring stored orders to the newest version seen, whatever the order of arrival, and book the difference.

    Replays and older versions change nothing, but for one fact that an older version may add: that a unit was shipped.
    """
    found = Ingested(unreadable=_set_aside(connection, source, unreadable))
    for each in _one_version_each(orders):
        _Page(connection, shop, source, found).store(each)
    return found


def _one_version_each(orders: Sequence[Order]) -> list[dict[str, Order]]:
    """Several versions of one order on a page are worked on one after the other; nearly always there is one round."""
    rounds: list[dict[str, Order]] = []
    for order in sorted(orders, key=_version):
        later = next((one for one in rounds if order.id not in one), None)
        if later is None:
            rounds.append(later := {})
        later[order.id] = order
    return rounds


class _Page:
    """What one page writes, gathered first and then written table by table."""

    def __init__(self, connection: Connection, shop: ShopContext, source: str, found: Ingested) -> None:
        self.connection = connection
        self.shop = shop
        self.source = source
        self.found = found
        self.now = clock.now_ms()
        self.sums = Sums()
        self.orders: list[Row] = []
        self.lines: list[Row] = []
        self.moved: dict[str, list[int]] = defaultdict(lambda: [0, 0])

    def store(self, fresh: Mapping[str, Order]) -> None:
        """Keep what is new in these orders, each there once, and book it."""
        known = _stored(self.connection, list(fresh))
        wanted = [order for order in fresh.values() if _matters(order, known.get(order.id))]
        self.found.unchanged += len(fresh) - len(wanted)
        if not wanted:
            return
        lines = _stored_lines(self.connection, [order.id for order in wanted if order.id in known])
        for order in wanted:
            self._take(order, known.get(order.id), lines.get(order.id, {}))
        self._write(fresh_only=not known)

    def _take(self, order: Order, old: Mapping[Any, Any] | None, before: Mapping[str, Mapping[Any, Any]]) -> None:
        newer = old is None or _version(order) > (old["update_time"], old["progress"], old["digest"])
        row = _order_row(self.shop, order, self.source, self.now, old) if newer else dict(old or {})
        lines = _line_rows(self.shop, order, before) if newer else _with_shipments(order, before)
        if not newer and not lines:
            self.found.unchanged += 1
            return
        if old is None:
            self.found.new += 1
        else:
            self.found.changed += 1
            self.sums.add(old, before.values(), -1)
            _count_units(self.moved, old, before.values(), -1)
        after = list((dict(before) | {line["id"]: line for line in lines}).values())
        self.sums.add(row, after)
        _count_units(self.moved, row, after)
        self.orders.append(row)
        self.lines += lines
        self.found.order_ids.append(order.id)

    def _write(self, *, fresh_only: bool) -> None:
        upsert(self.connection, OrderTable, self.orders, keep=("first_seen_at",))
        upsert(self.connection, LineTable, self.lines)
        _move_listings(self.connection, self.shop.shop_id, self.moved)
        self.sums.write(self.connection)
        rows = {row["id"]: row for row in self.orders}
        booked = ledger.book_lines(self.connection, self.shop.shop_id, rows, self.lines, fresh_only=fresh_only)
        self.found.movements += booked.movements
        outbox.mark_items(self.connection, booked.items, "an order changed the stock")


def _version(order: Order) -> tuple[int, int, str]:
    progress = RANK.get(order.status, 0) * 100_000 + sum(RANK.get(line.status, 0) for line in order.lines)
    return order.update_time, progress, order.digest


def _matters(order: Order, old: Mapping[Any, Any] | None) -> bool:
    if old is None:
        return True
    if order.digest == old["digest"]:
        return False
    if _version(order) > (old["update_time"], old["progress"], old["digest"]):
        return True
    return any(_shipped(order, line) for line in order.lines)


def _stored(connection: Connection, ids: list[str]) -> dict[str, Mapping[Any, Any]]:
    query = select(_ORDERS).where(_ORDERS.c.id.in_(bindparam("ids", expanding=True)))
    return {row["id"]: row for row in connection.execute(query, {"ids": ids}).mappings()}


def _stored_lines(connection: Connection, order_ids: list[str]) -> dict[str, dict[str, Mapping[Any, Any]]]:
    lines: dict[str, dict[str, Mapping[Any, Any]]] = {}
    if order_ids:
        query = select(_LINES).where(_LINES.c.order_id.in_(bindparam("ids", expanding=True)))
        for row in connection.execute(query, {"ids": order_ids}).mappings():
            lines.setdefault(row["order_id"], {})[row["id"]] = row
    return lines


def _order_row(shop: ShopContext, order: Order, source: str, now: int, old: Mapping[Any, Any] | None) -> Row:
    placed = datetime.fromtimestamp(order.create_time, shop.zone)
    update_time, progress, digest = _version(order)
    return {
        "id": order.id, "shop_id": shop.shop_id, "status": order.status, "update_time": update_time,
        "progress": progress, "digest": digest, "create_time": order.create_time, "paid_time": order.paid_time,
        "rts_time": order.rts_time, "cancel_time": order.cancel_time, "day": placed.date().isoformat(),
        "hour": placed.hour, "currency": order.currency or shop.currency, "total_units": order.total_units,
        "shipping_fee_units": order.shipping_fee_units, "seller_discount_units": order.seller_discount_units,
        "platform_discount_units": order.platform_discount_units, "units": len(order.lines),
        "buyer_key": _buyer(shop.salt, order.buyer_id), "fulfillment_type": order.fulfillment_type,
        "warehouse_id": order.warehouse_id,
        "is_sample": order.is_sample, "is_replacement": order.is_replacement, "cancel_reason": order.cancel_reason,
        "source": source if old is None else old["source"],
        "first_seen_at": now if old is None else old["first_seen_at"], "changed_at": now,
    }  # fmt: skip


def _buyer(salt: bytes, buyer_id: str) -> str:
    return hashlib.blake2b(buyer_id.encode(), key=salt, digest_size=8).hexdigest() if buyer_id else ""


def _shipped(order: Order, line: OrderLine) -> bool:
    return has_shipped(state_of(order.status, line.status), _arranged(order, line))


def _arranged(order: Order, line: OrderLine) -> int | None:
    # The order's own time speaks for its lines only where none of them carries one.
    return line.rts_time or (None if any(each.rts_time for each in order.lines) else order.rts_time)


def _shipped_time(order: Order, line: OrderLine) -> int:
    later = order.rts_time or order.collection_time or order.delivery_time or order.update_time
    return _arranged(order, line) or later


def _line_rows(shop: ShopContext, order: Order, before: Mapping[str, Mapping[Any, Any]]) -> list[Row]:
    rows = []
    for line in order.lines:
        row = {
            "id": line.id, "order_id": order.id, "shop_id": shop.shop_id, "sku_id": line.sku_id,
            "product_id": line.product_id, "seller_sku": line.seller_sku, "title": line.title, "variant": line.variant,
            "status": state_of(order.status, line.status), "shipped": False, "shipped_time": None,
            "original_price_units": line.original_price_units, "sale_price_units": line.sale_price_units,
            "seller_discount_units": line.seller_discount_units,
            "platform_discount_units": line.platform_discount_units, "is_gift": line.is_gift,
            "components": ",".join(f"{sku}*{count}" for sku, count in line.components),
        }  # fmt: skip
        rows.append(_once_shipped(row, order, line, before.get(line.id)))
    return rows


def _with_shipments(order: Order, before: Mapping[str, Mapping[Any, Any]]) -> list[Row]:
    # An older version: the stored lines stay as they are, except that a shipment it shows did happen.
    known = [(line, before[line.id]) for line in order.lines if line.id in before]
    return [row for line, old in known if (row := _once_shipped(dict(old), order, line, old)) != old]


def _once_shipped(row: Row, order: Order, line: OrderLine, old: Mapping[Any, Any] | None) -> Row:
    times = [_shipped_time(order, line)] if _shipped(order, line) else []
    times += [old["shipped_time"]] if old is not None and old["shipped"] else []
    if times:
        row["shipped"], row["shipped_time"] = True, min(times)
    return row


def _count_units(
    moved: dict[str, list[int]], order: Mapping[Any, Any], lines: Iterable[Mapping[Any, Any]], sign: int = 1
) -> None:
    """Count the open and the shipped units of an order in (`sign` 1) or out (-1), listing by listing."""
    if order["fulfillment_type"] == FULFILLED_BY_TIKTOK:
        return
    for line in lines:
        opened, left = is_open(line["status"], line["shipped"]), bool(line["shipped"])
        if opened or left:
            for sku_id, count in ledger.stock_units(line):
                moved[sku_id][0] += sign * opened * count
                moved[sku_id][1] += sign * left * count


def _move_listings(connection: Connection, shop_id: str, moved: Mapping[str, list[int]]) -> None:
    unseen = {"shop_id": shop_id, "product_id": "", "status": "UNSEEN", "seen_at": 0}  # until its product is read
    rows = [
        unseen | {"sku_id": sku, "open_units": opened, "shipped_units": left}
        for sku, (opened, left) in moved.items()
        if sku and (opened or left)
    ]
    upsert(connection, Listing, rows, keep=tuple(unseen), add=("open_units", "shipped_units"))


def _set_aside(connection: Connection, source: str, unreadable: Sequence[Unreadable]) -> int:
    for record in unreadable:
        row = {"source": source, "reference": record.id, "reason": record.reason, "excerpt": record.excerpt}
        connection.execute(_SET_ASIDE, row | {"at": clock.now_ms()})
    return len(unreadable)


_SET_ASIDE = text("""
INSERT INTO quarantine (source, reference, reason, excerpt, at) SELECT :source, :reference, :reason, :excerpt, :at
WHERE NOT EXISTS (SELECT 1 FROM quarantine WHERE source = :source AND reference = :reference AND reason = :reason)
""")

"""Orders for the Orders page: filtered pages, bounded counts, and one order in full."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, select, text, union_all

from core.store.tables import Listing, Order, OrderLine
from core.store.upsert import table

COUNT_CAP = 10_000
_COMMON = 4_000
_ORDERS, _LINES, _LISTINGS = table(Order), table(OrderLine), table(Listing)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order of the list; `create_time` in seconds, amounts in ten-thousandths."""

    id: str
    status: str
    create_time: int
    units: int
    total_units: int
    currency: str
    first_title: str
    products: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders to show: any of `statuses` (none means all), created since (seconds), matching an id or a SKU."""

    shop_id: str
    statuses: tuple[str, ...] = ()
    since: int = 0
    search: str = ""


@dataclass(frozen=True, slots=True)
class LineGroup:
    """The units of one SKU in an order that share a state."""

    seller_sku: str
    title: str
    variant: str
    status: str
    units: int
    price_units: int
    seller_discount_units: int
    platform_discount_units: int


@dataclass(frozen=True, slots=True)
class OrderMovement:
    """What an order did to the ledger of one item; `at` in milliseconds."""

    at: int
    sku: str
    on_hand: int
    reserved: int
    reason: str
    note: str


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """One order in full; `*_time` in seconds, `*_at` in milliseconds, amounts in ten-thousandths."""

    id: str
    status: str
    currency: str
    total_units: int
    shipping_fee_units: int
    seller_discount_units: int
    platform_discount_units: int
    units: int
    fulfillment_type: str
    is_sample: bool
    cancel_reason: str
    create_time: int
    paid_time: int | None
    rts_time: int | None
    shipped_time: int | None
    cancel_time: int | None
    update_time: int
    first_seen_at: int
    changed_at: int
    lines: tuple[LineGroup, ...]
    movements: tuple[OrderMovement, ...]


def _base(wanted: Wanted) -> list[ColumnElement[bool]]:
    where = [_ORDERS.c.shop_id == wanted.shop_id]
    if wanted.since:
        where.append(_ORDERS.c.create_time >= wanted.since)
    return where


def _skus(connection: Connection, wanted: Wanted) -> list[str]:
    like = wanted.search.replace("\\", "").replace("%", "").replace("_", "\\_") + "%"
    query = (
        select(_LISTINGS.c.sku_id)
        .where(_LISTINGS.c.shop_id == wanted.shop_id, _LISTINGS.c.seller_sku.ilike(like, escape="\\"))
        .limit(200)
    )
    return [row.sku_id for row in connection.execute(query)]


def _search(connection: Connection, wanted: Wanted) -> ColumnElement[bool]:
    """An order number by its beginning, or every order that holds a unit of a matching SKU."""
    if wanted.search.isdigit() and len(wanted.search) >= 4:
        last = wanted.search + ":"  # the character after 9: all ids that begin with the digits
        by_id: ColumnElement[bool] = (_ORDERS.c.id >= wanted.search) & (_ORDERS.c.id < last)
        return by_id
    skus = _skus(connection, wanted)
    holds = select(_LINES.c.order_id).where(_LINES.c.sku_id.in_(skus))
    some = select(func.count()).select_from(holds.limit(_COMMON).subquery())
    if connection.execute(some).scalar_one() < _COMMON:
        return _ORDERS.c.id.in_(holds)
    # A SKU that sells all the time is soon met on the way back through time.
    return holds.where(_LINES.c.order_id == _ORDERS.c.id).exists()


def _ids(connection: Connection, wanted: Wanted, top: int) -> Select[tuple[str, int]]:
    """The newest `top` matching orders, each status along its own index."""
    plain = select(_ORDERS.c.id, _ORDERS.c.create_time).where(*_base(wanted))
    if wanted.search:
        plain = plain.where(_search(connection, wanted))
        if wanted.statuses:
            plain = plain.where(_ORDERS.c.status.in_(wanted.statuses))
        return plain.order_by(_ORDERS.c.create_time.desc()).limit(top)
    if not wanted.statuses:
        return plain.order_by(_ORDERS.c.create_time.desc()).limit(top)
    each = [
        select(plain.where(_ORDERS.c.status == status).order_by(_ORDERS.c.create_time.desc()).limit(top).subquery())
        for status in wanted.statuses
    ]
    merged = union_all(*each).subquery()
    return select(merged.c.id, merged.c.create_time)


def count(connection: Connection, wanted: Wanted, cap: int = COUNT_CAP) -> int:
    """How many orders match, counted up to `cap` + 1 so that it stays quick at any size."""
    found = _ids(connection, wanted, cap + 1).subquery()
    return min(cap + 1, connection.execute(select(func.count()).select_from(found)).scalar_one())


def page(connection: Connection, wanted: Wanted, limit: int = 50, offset: int = 0) -> list[OrderRow]:
    """One page of matching orders, the newest first."""
    found = _ids(connection, wanted, limit + offset).subquery()
    newest = select(found.c.id).order_by(found.c.create_time.desc(), found.c.id.desc()).limit(limit).offset(offset)
    ids = [row.id for row in connection.execute(newest)]
    rows = connection.execute(select(_ORDERS).where(_ORDERS.c.id.in_(ids)))
    orders = {row.id: row for row in rows}
    titles: dict[str, dict[str, str]] = defaultdict(dict)
    lines = select(_LINES.c.order_id, _LINES.c.sku_id, _LINES.c.title).where(_LINES.c.order_id.in_(ids))
    for line in connection.execute(lines):
        titles[line.order_id][line.sku_id] = line.title
    return [
        OrderRow(o.id, o.status, o.create_time, o.units, o.total_units, o.currency,
                 next(iter(titles[o.id].values()), ""), len(titles[o.id]))
        for o in (orders[key] for key in ids)
    ]  # fmt: skip


def detail(connection: Connection, order_id: str) -> OrderDetail | None:
    """One order with its lines and what it did to the stock ledger, or None when it is not known."""
    order = connection.execute(select(_ORDERS).where(_ORDERS.c.id == order_id)).one_or_none()
    if order is None:
        return None
    lines = connection.execute(select(_LINES).where(_LINES.c.order_id == order_id).order_by(_LINES.c.id)).all()
    shipped = [line.shipped_time for line in lines if line.shipped_time]
    return OrderDetail(
        order.id, order.status, order.currency, order.total_units, order.shipping_fee_units,
        order.seller_discount_units, order.platform_discount_units, order.units, order.fulfillment_type,
        bool(order.is_sample), order.cancel_reason, order.create_time, order.paid_time, order.rts_time,
        min(shipped, default=None), order.cancel_time, order.update_time, order.first_seen_at, order.changed_at,
        _grouped(lines), _movements(connection, [line.id for line in lines]),
    )  # fmt: skip


def _grouped(lines: Sequence[Row[Any]]) -> tuple[LineGroup, ...]:
    groups = Counter(
        (line.seller_sku, line.title, line.variant, line.status, line.original_price_units,
         line.seller_discount_units, line.platform_discount_units)
        for line in lines
    )  # fmt: skip
    return tuple(LineGroup(*what[:4], units, *what[4:]) for what, units in groups.items())


_MOVEMENTS = text(
    "SELECT m.at, i.sku, sum(m.on_hand) AS on_hand, sum(m.reserved) AS reserved, m.reason, max(m.note) AS note "
    "FROM movement m JOIN item i ON i.id = m.item_id WHERE m.reference IN :refs "
    "GROUP BY m.at, i.sku, m.reason ORDER BY m.at, min(m.id)"
).bindparams(bindparam("refs", expanding=True))


def _movements(connection: Connection, line_ids: list[str]) -> tuple[OrderMovement, ...]:
    rows = connection.execute(_MOVEMENTS, {"refs": line_ids})
    return tuple(OrderMovement(r.at, r.sku, int(r.on_hand), int(r.reserved), r.reason, r.note) for r in rows)

"""Orders for the Orders page: filtered pages, bounded counts, and one order in full."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, literal, select, text, union_all

from core.store.tables import Listing, Order, OrderLine
from core.store.upsert import table

COUNT_CAP, COMMON_CAP = 10_000, 500
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
class Counted:
    """How many there are; `more` when counting stopped before the end."""

    total: int
    more: bool


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
    is_replacement: bool
    has_gift: bool
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


def _base(wanted: Wanted, *, along_ids: bool = False) -> list[ColumnElement[bool]]:
    """The shop and the period; `along_ids` keeps the database from choosing their index over that of the ids."""
    shop, created = _ORDERS.c.shop_id, _ORDERS.c.create_time
    where = [func.coalesce(shop, "") == wanted.shop_id if along_ids else shop == wanted.shop_id]
    return [*where, created >= wanted.since] if wanted.since else where


def _skus(connection: Connection, wanted: Wanted) -> list[str]:
    like = wanted.search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    query = (
        select(_LISTINGS.c.sku_id)
        .where(_LISTINGS.c.shop_id == wanted.shop_id, _LISTINGS.c.seller_sku.ilike(like, escape="\\"))
        .limit(200)
    )
    return [row.sku_id for row in connection.execute(query)]


def _found(connection: Connection, wanted: Wanted) -> tuple[ColumnElement[bool], bool]:
    """The orders searched for, by the beginning of their number or by a SKU in them, and whether they are very many."""
    if wanted.search.isdigit() and len(wanted.search) >= 4:
        last = wanted.search + ":"  # the character after 9: all ids that begin with the digits
        many: ColumnElement[bool] = (_ORDERS.c.id >= wanted.search) & (_ORDERS.c.id < last)
        ids = select(_ORDERS.c.id).where(many)
    else:
        ids = select(_LINES.c.order_id).where(_LINES.c.sku_id.in_(_skus(connection, wanted)))
        # A SKU that sells all the time is soon met on the way back through time.
        many = ids.where(_LINES.c.order_id == _ORDERS.c.id).exists()
    found = connection.execute(ids.limit(_COMMON)).scalars().all()
    return (many, True) if len(found) == _COMMON else (_ORDERS.c.id.in_(set(found)), False)


def _matching(connection: Connection, wanted: Wanted) -> tuple[list[ColumnElement[bool]], bool]:
    """What a searched order fulfils, and whether too many do to count them."""
    found, many = _found(connection, wanted)
    where = [*_base(wanted, along_ids=not many), found]
    if wanted.statuses:
        where.append(func.coalesce(_ORDERS.c.status, "").in_(wanted.statuses))
    return where, many


def _each_status(wanted: Wanted) -> list[list[ColumnElement[bool]]]:
    """One condition a status, so that each is read along its own index; all orders are one."""
    base = _base(wanted)
    return [[*base, _ORDERS.c.status == status] for status in wanted.statuses] or [base]


def _ids(connection: Connection, wanted: Wanted, top: int) -> Select[tuple[str, int]]:
    """The newest `top` matching orders."""
    parts = [_matching(connection, wanted)[0]] if wanted.search else _each_status(wanted)
    newest = _ORDERS.c.create_time.desc()
    each = [
        select(select(_ORDERS.c.id, _ORDERS.c.create_time).where(*where).order_by(newest).limit(top).subquery())
        for where in parts
    ]
    merged = (union_all(*each) if len(each) > 1 else each[0]).subquery()
    return select(merged.c.id, merged.c.create_time)


def count(connection: Connection, wanted: Wanted, cap: int = COUNT_CAP) -> Counted:
    """How many orders match, counted up to `cap` so that it stays quick at any size.

    A search that very many orders fulfil is counted up to COMMON_CAP only.
    """
    parts = _each_status(wanted)
    if wanted.search:
        where, many = _matching(connection, wanted)
        parts, cap = [where], COMMON_CAP if many else cap
    total = 0
    for where in parts:
        some = select(literal(1)).select_from(_ORDERS).where(*where).limit(cap + 1).subquery()
        total += connection.execute(select(func.count()).select_from(some)).scalar_one()
    return Counted(min(cap, total), total > cap)


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
        bool(order.is_sample), bool(order.is_replacement), any(line.is_gift for line in lines), order.cancel_reason,
        order.create_time, order.paid_time, order.rts_time,
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

"""Orders as TikTok Shop sends them, reduced to what we keep; the hot path, so it is written flat."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import orjson

from core.tiktok.reading import (
    EMPTY,
    LATEST_TIME,
    Unfit,
    Unreadable,
    count,
    flag,
    items,
    mapping,
    needed,
    plain,
    units,
    unreadable,
    when,
)

# The order API says CANCELLED, its webhook says CANCEL; unknown states are kept as they came.
SAME_STATUS = {"CANCEL": "CANCELLED", "CANCELED": "CANCELLED"}

Components = tuple[tuple[str, int], ...]
# The fields of OrderLine and of Order (without lines and digest), in their order.
_LineFields = tuple[
    str, str, str, str, str, str, str, int, int, int, int, str, bool, int | None, str, Components
]  # fmt: skip
_OrderFields = tuple[
    str, str, int, int, int | None, int | None, int | None, int | None, int | None, str, str,
    int, int, int, int, int, int, str, str, bool, bool, bool, bool, str, str,
]  # fmt: skip
LINE_CURRENCY: Final = 11


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One unit sold: TikTok sends one line per unit. Amounts in ten-thousandths, times in seconds."""

    id: str
    sku_id: str
    product_id: str
    seller_sku: str
    title: str
    variant: str
    status: str
    original_price_units: int
    sale_price_units: int
    seller_discount_units: int
    platform_discount_units: int
    currency: str
    is_gift: bool
    rts_time: int | None
    package_id: str
    components: Components
    """(sku_id, count) of a virtual bundle: its stock moves on these."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order without its buyer's personal data. Amounts in ten-thousandths, times in seconds."""

    id: str
    status: str
    create_time: int
    update_time: int
    paid_time: int | None
    rts_time: int | None
    collection_time: int | None
    delivery_time: int | None
    cancel_time: int | None
    buyer_id: str
    currency: str
    total_units: int
    sub_total_units: int
    shipping_fee_units: int
    seller_discount_units: int
    platform_discount_units: int
    tax_units: int
    fulfillment_type: str
    warehouse_id: str
    is_on_hold: bool
    is_sample: bool
    is_replacement: bool
    is_cod: bool
    cancel_reason: str
    cancellation_initiator: str
    lines: tuple[OrderLine, ...]
    digest: str
    """Changes when, and only when, something kept here changes."""


def read_order(raw: object) -> Order | Unreadable:
    """One order of `data.orders[]`. TikTok Shop API: Get Order List, Get Order Detail."""
    if not isinstance(raw, dict):
        return unreadable("order", raw, "an order is not an object")
    try:
        return _order(raw)
    except Unfit as problem:
        return unreadable("order", raw, problem)


def _order(raw: dict[str, object]) -> Order:
    get = raw.get
    payment = get("payment")
    pay = (payment if isinstance(payment, dict) else EMPTY).get
    status = plain(get("status")).strip().upper()
    created = _time(get("create_time"))
    updated = _time(get("update_time"))
    lines = _lines(get("line_items"))
    kept: _OrderFields = (
        needed(get("id"), "the order id"),
        SAME_STATUS.get(status, status),
        created or updated or 0,
        updated or created or 0,
        _time(get("paid_time")),
        _time(get("rts_time")),
        _time(get("collection_time")),
        _time(get("delivery_time")),
        _time(get("cancel_time")),
        plain(get("user_id")),
        plain(pay("currency")) or (lines[0][LINE_CURRENCY] if lines else ""),
        units(pay("total_amount"), "total_amount"),
        units(pay("sub_total"), "sub_total"),
        units(pay("shipping_fee"), "shipping_fee"),
        units(pay("seller_discount"), "seller_discount"),
        units(pay("platform_discount"), "platform_discount"),
        units(pay("tax"), "tax"),
        plain(get("fulfillment_type")),
        plain(get("warehouse_id")),
        flag(get("is_on_hold_order")),
        flag(get("is_sample_order")),
        flag(get("is_replacement_order")),
        flag(get("is_cod")),
        plain(get("cancel_reason")),
        plain(get("cancellation_initiator")),
    )
    # Plain tuples are packed several times faster than the dataclasses made of them.
    digest = blake2b(orjson.dumps((kept, lines)), digest_size=16).hexdigest()
    return Order(*kept, tuple([OrderLine(*line) for line in lines]), digest)


def _time(value: object) -> int | None:
    # The usual case inline: a call per time field would be a tenth of the whole reading.
    if type(value) is int and 0 < value < LATEST_TIME:
        return value
    return None if value is None else when(value)


def _lines(raw: object) -> list[_LineFields]:
    found = [_line(line) for line in items(raw)]
    if len(found) > 1:
        # In order of their ids and each once, so that equal content always has an equal digest.
        by_id = {line[0]: line for line in reversed(found)}
        found = [by_id[key] for key in sorted(by_id)]
    return found


def _line(raw: object) -> _LineFields:
    if not isinstance(raw, dict):
        raise Unfit("a line item is not an object")
    get = raw.get
    status = plain(get("display_status")).strip().upper()
    bundle = get("combined_listing_skus")
    return (
        needed(get("id"), "the id of a line item"),
        plain(get("sku_id")),
        plain(get("product_id")),
        plain(get("seller_sku")),
        plain(get("product_name")),
        plain(get("sku_name")),
        SAME_STATUS.get(status, status),
        units(get("original_price"), "original_price"),
        units(get("sale_price"), "sale_price"),
        units(get("seller_discount"), "seller_discount"),
        units(get("platform_discount"), "platform_discount"),
        plain(get("currency")),
        flag(get("is_gift")),
        _time(get("rts_time")),
        plain(get("package_id")),
        _components(bundle) if bundle else (),
    )


def _components(raw: object) -> Components:
    parts: dict[str, int] = {}
    for part in map(mapping, items(raw)):
        sku_id = plain(part.get("sku_id"))
        if not sku_id:
            raise Unfit("a part of a bundle has no sku_id")
        parts[sku_id] = parts.get(sku_id, 0) + (count(part.get("sku_count")) or 1)
    return tuple(sorted(parts.items()))

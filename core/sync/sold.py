"""A sale in a store of the owner's own, told as an order: one line a unit, as TikTok tells them."""

from dataclasses import dataclass, replace
from hashlib import blake2b

from core import money
from core.storefront.base import Sale
from core.tiktok.orders import Order, OrderLine

_MOST = 99_999
_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of an order: its lines, how many of them are cancelled, and since when (seconds)."""

    lines: int
    cancelled: int
    cancel_time: int | None


NEW = Known(0, 0, None)


def fits(sale: Sale) -> bool:
    """Whether a sale can be kept at all."""
    numbers = 0 <= sale.units <= _MOST and 0 <= sale.shipped <= _MOST
    return bool(sale.reference and sale.sku) and numbers and sale.placed_at > 0 and sale.changed_at > 0


def order_id(shop_id: str, reference: str) -> str:
    """The id of the order that stands for a sale; two stores may count their orders alike."""
    return f"{shop_id}/{reference}"


def lines_of(sale: Sale) -> int:
    """How many units a sale names."""
    return max(sale.units, sale.shipped)


def cancelled(order: Order) -> int:
    """How many units of it are not sold any more."""
    return sum(line.status == "CANCELLED" for line in order.lines)


def as_order(number: str, sale: Sale, before: Known, lines: int, currency: str) -> Order:
    """The order that a sale is, over `lines` units: the first of them shipped, then open, the rest cancelled.

    When units were taken back is not told by every store, so it is the change that showed it first.
    """
    price = 0 if sale.price is None else money.to_units(sale.price)
    units = tuple(_line(number, sale, n, price, currency) for n in range(1, lines + 1))
    gone = sum(line.status == "CANCELLED" for line in units)
    changed = sale.changed_at // _SECOND
    since = before.cancel_time if gone == before.cancelled and before.cancel_time else changed
    total = sale.units * price
    order = Order(
        id=number, status=_status(sale), create_time=sale.placed_at // _SECOND, update_time=changed, paid_time=None,
        rts_time=None, collection_time=None, delivery_time=None, cancel_time=since if gone else None, buyer_id="",
        currency=currency, total_units=total, sub_total_units=total, shipping_fee_units=0, seller_discount_units=0,
        platform_discount_units=0, tax_units=0, fulfillment_type="", warehouse_id="", is_on_hold=False,
        is_sample=False, is_replacement=False, is_cod=False, cancel_reason="", cancellation_initiator="",
        lines=units, digest="",
    )  # fmt: skip
    return replace(order, digest=blake2b(repr(order).encode(), digest_size=16).hexdigest())


def _status(sale: Sale) -> str:
    if sale.units == 0:
        return "CANCELLED"
    if sale.shipped >= sale.units:
        return "COMPLETED"
    return "PARTIALLY_SHIPPING" if sale.shipped else "AWAITING_SHIPMENT"


def _line(number: str, sale: Sale, n: int, price: int, currency: str) -> OrderLine:
    left = n <= sale.shipped
    status = "CANCELLED" if n > sale.units else "COMPLETED" if left else "AWAITING_SHIPMENT"
    return OrderLine(
        id=f"{number}#{n}", sku_id=sale.sku, product_id=sale.sku, seller_sku=sale.sku, title=sale.title or sale.sku,
        variant="", status=status, original_price_units=price, sale_price_units=price, seller_discount_units=0,
        platform_discount_units=0, currency=currency, is_gift=False,
        rts_time=(sale.shipped_at or sale.changed_at) // _SECOND if left else None, package_id="", components=(),
    )  # fmt: skip

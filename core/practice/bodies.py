"""The order as TikTok's API words it, and how each event rewrites it; pure functions on plain JSON objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.practice.identity import CURRENCY, JSON, PICTURE_BASE
from core.practice.people import address_of, hide

DAY = 86_400
OPEN_LINES = frozenset({"UNPAID", "ON_HOLD", "AWAITING_SHIPMENT"})  # these hold committed stock
ROYAL = ("7117858858072010001", "Practice Post")
FREE_SHIPPING_FROM = 3_500
SHIPPING = 399


@dataclass(frozen=True, slots=True)
class SoldSku:
    """What an order line copies from the goods at the moment of the sale; `price` in pence."""

    sku_id: str
    product_id: str
    seller_sku: str
    title: str
    variant: str
    price: int


def money(pence: int) -> str:
    """A money string: "21.30"."""
    return f"{pence // 100}.{pence % 100:02d}"


def new_order(
    order_id: int, at: int, units: Sequence[SoldSku], warehouse_id: str, hold: bool, fate: tuple[int, ...]
) -> JSON:
    """An order in UNPAID, one line item per unit (TikTok Shop API: "Order object"); `at` in Unix seconds."""
    percent_off = 10 if fate[10] < 6_500 else 0
    lines = [_line(order_id + 1 + index, sku, percent_off) for index, sku in enumerate(units)]
    body: JSON = {
        "id": str(order_id), "status": "UNPAID", "order_type": "NORMAL", "create_time": at, "update_time": at,
        "fulfillment_type": "FULFILLMENT_BY_SELLER", "shipping_type": "TIKTOK" if fate[11] < 20_000 else "SELLER",
        "delivery_type": "HOME_DELIVERY", "delivery_option_id": "7091146663229650001",
        "delivery_option_name": "Standard Shipping", "warehouse_id": warehouse_id,
        "user_id": str(7_494_845_267_300_000_000 + fate[12] * 7_919),
        "buyer_email": f"p{order_id % 10**9}@chat.seller.example",
        "is_on_hold_order": hold, "is_cod": False, "is_sample_order": False, "is_buyer_request_cancel": False,
        "is_replacement_order": False, "payment_method_name": "Card", "packages": [],
        "payment": _payment(units, percent_off, fate), "recipient_address": {}, "line_items": lines,
    }  # fmt: skip
    _sprinkle(body, fate)
    return body


def _sprinkle(body: JSON, fate: tuple[int, ...]) -> None:
    """Optional fields come and go: absent, empty, null, and now and then a field that no document knows yet."""
    kind = fate[13] % 8
    if kind < 3:
        body.update(buyer_message="", seller_note=None)
    elif kind < 5:
        body["split_or_combine_tag"] = ""
    elif kind == 5:
        body.update(buyer_message="Please leave it with a neighbour.", tracking_number="", shipping_provider="")
    if fate[14] < 3_000:
        body["buyer_message"] = "=1+1 <i>thank you</i> [x](javascript:alert(1))"
    if fate[14] > 60_000:
        body["room_id"] = "7400000000000000001"
    if fate[15] < 12_000:
        del body["payment_method_name"], body["is_sample_order"]
    elif fate[15] > 62_000:
        body.update(is_temporary_listing=False, handling_duration=None)


def _line(line_id: int, sku: SoldSku, percent_off: int) -> JSON:
    discount = sku.price * percent_off // 100
    return {
        "id": str(line_id), "product_id": sku.product_id, "product_name": sku.title, "sku_id": sku.sku_id,
        "sku_name": sku.variant, "sku_image": f"{PICTURE_BASE}/practice/pictures/{sku.product_id}.svg",
        "seller_sku": sku.seller_sku, "sku_type": "NORMAL", "original_price": money(sku.price),
        "sale_price": money(sku.price - discount), "seller_discount": money(discount), "platform_discount": "0",
        "currency": CURRENCY, "display_status": "UNPAID", "is_gift": False,
    }  # fmt: skip


def _payment(units: Sequence[SoldSku], percent_off: int, fate: tuple[int, ...]) -> JSON:
    """TikTok Shop API: sub_total = products - discounts; total = sub_total + shipping; VAT is inside the price."""
    products = sum(sku.price for sku in units)
    seller = sum(sku.price * percent_off // 100 for sku in units)
    platform_shipping = SHIPPING if products >= FREE_SHIPPING_FROM else 0
    payment = {
        "currency": CURRENCY, "original_total_product_price": money(products), "seller_discount": money(seller),
        "platform_discount": "0.00", "sub_total": money(products - seller), "original_shipping_fee": money(SHIPPING),
        "shipping_fee_seller_discount": "0", "shipping_fee_platform_discount": money(platform_shipping),
        "shipping_fee": money(SHIPPING - platform_shipping),
        "total_amount": money(products - seller + SHIPPING - platform_shipping),
    }  # fmt: skip
    if fate[15] & 1:
        payment["tax"] = "0"
    return payment


def pay(body: JSON, at: int, seed: int) -> None:
    """The buyer has paid: on hold for an hour, or straight to the shelf."""
    body["paid_time"] = at
    body.update(
        rts_sla_time=at + 2 * DAY,
        tts_sla_time=at + 3 * DAY,
        shipping_due_time=at + 5 * DAY,
        cancel_order_sla_time=at + 5 * DAY,
    )
    if body["is_on_hold_order"]:
        _turn(body, "ON_HOLD", at)
    else:
        release(body, at, seed)


def release(body: JSON, at: int, seed: int) -> None:
    """The hour is over: the order may be packed, and the address shows."""
    _turn(body, "AWAITING_SHIPMENT", at)
    address = address_of(seed, int(body["id"]))
    body["recipient_address"] = hide(address) if body["shipping_type"] == "TIKTOK" else address


def ship(body: JSON, at: int, line_ids: Iterable[str] | None = None) -> list[JSON]:
    """Hands over the given lines, or all that wait; returns the lines that left the house."""
    wanted = None if line_ids is None else set(line_ids)
    left = [
        line for line in body["line_items"]
        if line["display_status"] == "AWAITING_SHIPMENT" and (wanted is None or line["id"] in wanted)
    ]  # fmt: skip
    package = f"{len(body['packages']) + 1}{body['id']}"
    tracking = f"PRC{package[-12:]}GB"
    for line in left:
        line.update(
            display_status="AWAITING_COLLECTION", package_id=package, package_status="PROCESSING",
            tracking_number=tracking,
            shipping_provider_id=ROYAL[0], shipping_provider_name=ROYAL[1], rts_time=at,
        )  # fmt: skip
    body["packages"].append({"id": package})
    body.update(tracking_number=tracking, shipping_provider_id=ROYAL[0], shipping_provider=ROYAL[1], rts_time=at)
    waits = any(line["display_status"] == "AWAITING_SHIPMENT" for line in body["line_items"])
    _turn(body, "PARTIALLY_SHIPPING" if waits else "AWAITING_COLLECTION", at, lines=False)
    return left


def collect(body: JSON, at: int) -> None:
    """The carrier has scanned every package."""
    body["collection_time"] = at
    body["delivery_sla_time"] = at + 5 * DAY
    _turn(body, "IN_TRANSIT", at, package="FULFILLING")


def deliver(body: JSON, at: int) -> None:
    """The buyer has it."""
    body["delivery_time"] = at
    _turn(body, "DELIVERED", at, package="COMPLETED")


def complete(body: JSON, at: int) -> None:
    """The time for complaints is over, or everything was refunded."""
    _turn(body, "COMPLETED", at)


def cancel(body: JSON, at: int, who: str, reason: str, line_ids: Iterable[str] | None = None) -> list[JSON]:
    """Calls off the given lines, or all; the order is CANCELLED only when no line is left. Returns those lines."""
    wanted = None if line_ids is None else set(line_ids)
    off = [
        line for line in body["line_items"]
        if line["display_status"] not in ("CANCELLED", "COMPLETED") and (wanted is None or line["id"] in wanted)
    ]  # fmt: skip
    was = [dict(line) for line in off]
    for line in off:
        line.update(display_status="CANCELLED", cancel_user=who, cancel_reason=reason)
    body["update_time"] = at
    if all(line["display_status"] == "CANCELLED" for line in body["line_items"]):
        body.update(status="CANCELLED", cancel_time=at, cancel_reason=reason, cancellation_initiator=who)
        body["recipient_address"] = {} if not body["recipient_address"] else hide(body["recipient_address"])
    elif body["status"] == "PARTIALLY_SHIPPING" and not _waits(body):
        body["status"] = "AWAITING_COLLECTION"
    return was


def _waits(body: JSON) -> bool:
    return any(line["display_status"] == "AWAITING_SHIPMENT" for line in body["line_items"])


def _turn(body: JSON, status: str, at: int, *, lines: bool = True, package: str = "") -> None:
    body["status"] = status
    body["update_time"] = at
    for line in body["line_items"] if lines else ():
        if line["display_status"] != "CANCELLED":
            line["display_status"] = status
            if package:
                line["package_status"] = package


def open_units(lines: Iterable[JSON]) -> dict[str, int]:
    """Units per SKU of the lines that hold committed stock."""
    units: dict[str, int] = {}
    for line in lines:
        if line["display_status"] in OPEN_LINES:
            units[line["sku_id"]] = units.get(line["sku_id"], 0) + 1
    return units

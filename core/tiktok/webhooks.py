"""Webhooks as hints: what happened to which order, product or SKU, with ids as text and never through a float."""

import json
from dataclasses import dataclass, field
from hashlib import sha256

from core.tiktok.reading import Unfit, Unreadable, count, mapping, plain, unreadable, when

ORDER_STATUS, PACKAGE, DEAUTHORISED, EXPIRING, CANCELLATION, RETURN = 1, 4, 6, 7, 11, 12
STOCK_STATUS, STOCK_CHANGED = 27, 68
EVENT_TYPES = {
    ORDER_STATUS: "ORDER_STATUS_CHANGE",
    PACKAGE: "PACKAGE_UPDATE",
    DEAUTHORISED: "SELLER_DEAUTHORIZATION",
    EXPIRING: "UPCOMING_AUTHORIZATION_EXPIRATION",
    CANCELLATION: "CANCELLATION_STATUS_CHANGE",
    RETURN: "RETURN_STATUS_CHANGE",
    5: "PRODUCT_STATUS_CHANGE",
    15: "PRODUCT_INFORMATION_CHANGE",
    16: "PRODUCT_CREATION",
}
OWN_WRITE = "api_sync"
SOURCES = (
    "manual_adjustment", "campaign_lock", "campaign_unlock", "creator_lock", "creator_unlock", "system_auto_replenish",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One delivery. Deliveries are repeated and come in any order: read the thing itself before believing them."""

    type: int
    notification_id: str
    """TikTok's own id, or a hash of the raw bytes where TikTok sends none; equal for repeated deliveries."""
    shop_id: str | None
    seller_open_id: str | None
    timestamp: int | None
    order_id: str | None
    sku_id: str | None
    product_id: str | None
    data: dict[str, object] = field(repr=False)

    @property
    def is_echo(self) -> bool:
        """Whether this stock change was caused by our own writes alone."""
        return set(self._triggers()) == {OWN_WRITE}

    @property
    def sources(self) -> tuple[str, ...]:
        """What changed the stock, as TikTok names it, but for orders and our own writes; empty where it does not say.

        TikTok Shop API: `change_detail[].trigger_source` of type 68; of type 27, the units that it sets aside.
        """
        apart = mapping(self.data.get("inventory_distribution"))
        held = [name for name in ("campaign", "creator") if count(apart.get(f"{name}_reserved_quantity"))]
        named = [each for each in dict.fromkeys(self._triggers()) if each in SOURCES]
        return (*named, *(f"{name}_reserved" for name in held))

    def _triggers(self) -> list[str]:
        details = self.data.get("change_detail")
        return [plain(mapping(detail).get("trigger_source")) for detail in details] if isinstance(details, list) else []


def parse(raw: bytes) -> Event | Unreadable:
    """The event in the raw body of a webhook whose signature has been verified. TikTok Shop API: Webhooks overview.

    Stock changes (type 68) are accepted with and without the envelope; numbers stay exact, whatever their length.
    """
    try:
        # The standard parser keeps integers of any length; the quick one would turn long ids into floats.
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return unreadable("webhook", None, "the body is not JSON")
    if not isinstance(body, dict):
        return unreadable("webhook", body, "the body is not an object")
    try:
        return _event(body, raw)
    except Unfit as problem:
        return unreadable("webhook", body, problem)


def _event(body: dict[str, object], raw: bytes) -> Event:
    data = body.get("data")
    bare = "data" not in body and "quantity_snapshot_after_change" in body
    fields = body if bare else mapping(data)
    kind = STOCK_CHANGED if bare else count(body.get("type"))
    if kind is None:
        raise Unfit("the type is missing")
    return Event(
        type=kind,
        notification_id=plain(body.get("tts_notification_id")) or sha256(raw).hexdigest(),
        shop_id=_id(body, "shop_id"),
        seller_open_id=_id(body, "seller_open_id"),
        timestamp=when(body.get("timestamp")),
        order_id=_id(fields, "order_id"),
        sku_id=_id(fields, "sku_id"),
        product_id=_id(fields, "product_id"),
        data=dict(fields),
    )


def _id(fields: dict[str, object], name: str) -> str | None:
    return plain(fields.get(name)) or None

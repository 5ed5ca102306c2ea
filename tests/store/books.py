"""A small store with items, listings and links, and orders in every version of their lives."""

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, text

from core.store import tables as t
from core.store.upsert import table
from core.sync.context import ShopContext
from core.tiktok.orders import Order, read_order

SHOP = "7"
COUNTED_AT = 1_790_000_000_000
DAY_ZERO = 1_790_000_100  # seconds, after the count


def shop(store: Any = None) -> ShopContext:
    """A context for what needs no client."""
    return ShopContext(SHOP, "Test shop", "GBP", ZoneInfo("Europe/London"), None, store, b"salt")  # type: ignore[arg-type]


def put(connection: Connection, model: Any, **values: Any) -> None:
    row = model(**values).model_dump()
    if row.get("id", 0) is None:
        row.pop("id")
    connection.execute(insert(table(model)).values(row))


def furnish(connection: Connection) -> None:
    """Items 1 to 3; listing A sells 1, B sells two of 1 and one of 2, C sells 3, U is not linked."""
    put(connection, t.Shop, id=SHOP, auth="a", name="Test shop", region="GB", currency="GBP",
        timezone="Europe/London", mode="live", connected_at=COUNTED_AT)  # fmt: skip
    for number in (1, 2, 3):
        put(connection, t.Item, id=number, sku=f"I{number}", title=f"Item {number}", created_at=COUNTED_AT,
            counted_at=COUNTED_AT)  # fmt: skip
    for sku in "ABCU":
        put(connection, t.Listing, shop_id=SHOP, sku_id=sku, product_id=f"P{sku}", status="ACTIVATE", seen_at=1)
    for sku, item, quantity in (("A", 1, 1), ("B", 1, 2), ("B", 2, 1), ("C", 3, 1)):
        put(connection, t.Link, shop_id=SHOP, sku_id=sku, item_id=item, quantity=quantity, created_at=1)


def version(
    number: str,
    status: str,
    update_time: int,
    lines: Iterable[dict[str, Any]],
    *,
    fulfilment: str = "FULFILLMENT_BY_SELLER",
) -> Order:
    """One version of an order, read from JSON as TikTok would send it."""
    raw = {
        "id": number, "status": status, "create_time": DAY_ZERO, "update_time": update_time,
        "fulfillment_type": fulfilment, "user_id": "buyer", "payment": {"currency": "GBP", "total_amount": "10.00"},
        "line_items": [{"currency": "GBP", "original_price": "5.00", "seller_discount": "0.50"} | one for one in lines],
    }  # fmt: skip
    order = read_order(raw)
    assert isinstance(order, Order), order
    return order


def line(number: str, sku: str, status: str, rts_time: int | None = None, parts: str = "") -> dict[str, Any]:
    """One unit; `parts` such as "A*2" makes it a virtual bundle of TikTok's."""
    found: dict[str, Any] = {"id": number, "sku_id": sku, "display_status": status}
    if rts_time:
        found["rts_time"] = rts_time
    if parts:
        pairs = [part.split("*") for part in parts.split(",")]
        found["combined_listing_skus"] = [{"sku_id": sku, "sku_count": int(count)} for sku, count in pairs]
    return found


_BOOKS = {
    "orders": "SELECT id, status, update_time, progress, digest, day, hour, units FROM orders ORDER BY id",
    "lines": "SELECT id, status, shipped, shipped_time, components FROM order_line ORDER BY id",
    "levels": "SELECT item_id, sum(on_hand), sum(reserved) FROM level GROUP BY item_id "
              "HAVING sum(on_hand) <> 0 OR sum(reserved) <> 0 ORDER BY 1",
    "booked": "SELECT reference, item_id, sum(on_hand), sum(reserved) FROM movement GROUP BY 1, 2 "
              "HAVING sum(on_hand) <> 0 OR sum(reserved) <> 0 ORDER BY 1, 2",
    "listings": "SELECT sku_id, open_units, shipped_units FROM listing WHERE open_units <> 0 OR shipped_units <> 0 "
                "ORDER BY 1",
}  # fmt: skip
_SUMS = {
    "days": "SELECT day, sku_id, units, sales_units FROM sales_day WHERE units <> 0 OR sales_units <> 0 ORDER BY 1, 2",
    "hours": "SELECT day, hour, orders, units, sales_units, cancelled, unpaid FROM sales_hour "
             "WHERE orders <> 0 OR cancelled <> 0 OR unpaid <> 0 ORDER BY 1, 2",
}  # fmt: skip


def books(connection: Connection) -> dict[str, Sequence[Any]]:
    """Everything that orders have left in the store, but for the moments at which we saw them."""
    return {name: [tuple(row) for row in connection.execute(text(query))] for name, query in (_BOOKS | _SUMS).items()}


def sums(connection: Connection) -> dict[str, Sequence[Any]]:
    """The kept sums alone."""
    return {name: [tuple(row) for row in connection.execute(text(query))] for name, query in _SUMS.items()}

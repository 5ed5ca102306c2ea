"""Today's figures beside the same weekday a week before, up to the same minute."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class Figures:
    """Orders, units and sales (ten-thousandths of the shop's currency); cancelled and unpaid orders are left out."""

    orders: int
    units: int
    sales_units: int


_HOURS = text(
    "SELECT coalesce(sum(orders), 0) AS orders, coalesce(sum(units), 0) AS units, "
    "coalesce(sum(sales_units), 0) AS sales_units FROM sales_hour "
    "WHERE shop_id = :shop AND day = :day AND hour < :hour AND currency = :currency"
)
_PART_OF_HOUR = text(
    "SELECT count(DISTINCT o.id) AS orders, count(l.id) AS units, "
    "coalesce(sum(l.original_price_units - l.seller_discount_units), 0) AS sales_units "
    "FROM orders o JOIN order_line l ON l.order_id = o.id AND l.status <> 'CANCELLED' "
    "WHERE o.shop_id = :shop AND o.create_time >= :start AND o.create_time < :stop AND o.currency = :currency "
    "AND o.status NOT IN ('CANCELLED', 'UNPAID')"
)


def until(connection: Connection, shop_id: str, currency: str, moment: datetime) -> Figures:
    """What was sold on the day of `moment`, in the shop's zone, up to that moment."""
    key = {"shop": shop_id, "currency": currency}
    hours = connection.execute(_HOURS, key | {"day": moment.date().isoformat(), "hour": moment.hour}).one()
    start = int(moment.replace(minute=0, second=0, microsecond=0).timestamp())
    part = connection.execute(_PART_OF_HOUR, key | {"start": start, "stop": int(moment.timestamp()) + 1}).one()
    return Figures(
        int(hours.orders + part.orders), int(hours.units + part.units), int(hours.sales_units + part.sales_units)
    )

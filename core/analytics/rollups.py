"""Sums by shop-local day, hour and SKU, kept in the transaction that stores an order.

An order's part in the sums is a pure function of its stored row and lines: a change is the new part minus the old one.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, select

from core.store.tables import Order, OrderLine, SalesDay, SalesHour
from core.store.upsert import table, upsert

Row = Mapping[Any, Any]


class Sums:
    """Changes to the kept sums, gathered over many orders and written once."""

    def __init__(self) -> None:
        self._hours: dict[tuple[str, str, int, str], list[int]] = {}
        self._days: dict[tuple[str, str, str, str], list[int]] = {}

    def add(self, order: Row, lines: Iterable[Row], sign: int = 1) -> None:
        """Count an order in (`sign` 1) or out (-1); rows carry the columns of Order and OrderLine."""
        status, day, currency = order["status"], order["day"], order["currency"]
        hour = self._hours.setdefault((order["shop_id"], day, order["hour"], currency), [0, 0, 0, 0, 0])
        if status == "CANCELLED":
            hour[3] += sign
            return
        if status == "UNPAID":
            hour[4] += sign
            return
        hour[0] += sign
        for line in lines:
            if line["status"] == "CANCELLED":
                continue
            amount = sign * (line["original_price_units"] - line["seller_discount_units"])
            hour[1] += sign
            hour[2] += amount
            daily = self._days.setdefault((order["shop_id"], day, line["sku_id"], currency), [0, 0])
            daily[0] += sign
            daily[1] += amount

    def write(self, connection: Connection) -> None:
        """Add the gathered changes to the store."""
        upsert(
            connection,
            SalesHour,
            [
                {"shop_id": s, "day": d, "hour": h, "currency": c, "orders": v[0], "units": v[1], "sales_units": v[2],
                 "cancelled": v[3], "unpaid": v[4]}
                for (s, d, h, c), v in self._hours.items() if any(v)
            ],
            add=("orders", "units", "sales_units", "cancelled", "unpaid"),
        )  # fmt: skip
        upsert(
            connection,
            SalesDay,
            [
                {"shop_id": s, "day": d, "sku_id": k, "currency": c, "units": v[0], "sales_units": v[1]}
                for (s, d, k, c), v in self._days.items() if any(v)
            ],
            add=("units", "sales_units"),
        )  # fmt: skip


def recount(connection: Connection) -> None:
    """Throw the kept sums away and make them again from the order lines; the result must be the same."""
    connection.execute(delete(table(SalesHour)))
    connection.execute(delete(table(SalesDay)))
    sums = Sums()
    lines: dict[str, list[Row]] = {}
    for line in connection.execute(select(table(OrderLine))).mappings():
        lines.setdefault(line["order_id"], []).append(line)
    for order in connection.execute(select(table(Order))).mappings():
        sums.add(order, lines.get(order["id"], ()))
    sums.write(connection)

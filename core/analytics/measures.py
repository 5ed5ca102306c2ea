"""The figures of the shop, read from the sums that are kept as orders arrive.

Days, hours and weekdays are those of the shop's own time zone. Money is in ten-thousandths, one result for each
currency: amounts of different currencies are never added.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, TextClause, bindparam, text

from core import clock

SALES = "Sales: original price less your own discount, of all units in orders that are paid and not cancelled."
UNITS = "Units: pieces in orders that are paid and not cancelled."
ORDERS = "Orders: orders that are paid and not cancelled, on the day they were placed."
AVERAGE = "Average order: sales divided by orders."
CANCELLED = "Cancelled: orders placed in this time and cancelled since."
UNPAID = "Not paid yet: orders placed in this time that still wait for payment."
BEFORE = "Compared with as many days just before; while today is running, up to the same hour."


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over some time in one currency; `sales_units` in ten-thousandths."""

    sales_units: int = 0
    units: int = 0
    orders: int = 0
    cancelled: int = 0
    unpaid: int = 0

    @property
    def average_units(self) -> int | None:
        """The average order in ten-thousandths, None without orders."""
        return round(self.sales_units / self.orders) if self.orders else None

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.sales_units + other.sales_units,
            self.units + other.units,
            self.orders + other.orders,
            self.cancelled + other.cancelled,
            self.unpaid + other.unpaid,
        )


@dataclass(frozen=True, slots=True)
class Period:
    """The figures of some days in one currency, and those of as many days before."""

    first_day: str
    last_day: str
    currency: str
    now: Figures
    before: Figures


@dataclass(frozen=True, slots=True)
class Point:
    """The figures of one step in time: it begins on `day` and covers `days` days of the period asked for."""

    day: str
    days: int
    currency: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class HourOfWeek:
    """The figures of one hour of one weekday (0 is Monday), summed over the `days` such weekdays of the period."""

    weekday: int
    hour: int
    days: int
    currency: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Product:
    """What one TikTok SKU sold; `share` is its part of all sales in its currency, None where these are zero."""

    shop_id: str
    sku_id: str
    product_id: str
    seller_sku: str
    title: str
    variant: str
    currency: str
    units: int
    sales_units: int
    share: float | None
    before_units: int
    before_sales_units: int

    @property
    def change(self) -> float | None:
        """By how much sales rose or fell, as a part of those before; None when there were none before."""
        return change(self.sales_units, self.before_sales_units)


def change(now: int, before: int) -> float | None:
    """The rise from `before` to `now` as a part of `before`: 0.25 is a quarter more. None when nothing was before."""
    return None if before == 0 else (now - before) / before


@dataclass(frozen=True, slots=True)
class _Shop:
    id: str
    currency: str
    day: date
    hour: int


_SUMS = "sum(sales_units), sum(units), sum(orders), sum(cancelled), sum(unpaid) FROM sales_hour"
_WITHIN = "WHERE shop_id IN :shops AND day BETWEEN :first AND :last"


def _query(sql: str) -> TextClause:
    return text(sql).bindparams(bindparam("shops", expanding=True))


_TOTAL = _query(f"SELECT currency, {_SUMS} {_WITHIN} AND (day < :last OR hour <= :hour) GROUP BY currency")
_DAYS = _query(f"SELECT currency, day, {_SUMS} {_WITHIN} GROUP BY currency, day")
_HOURS = _query(
    f"SELECT currency, hour, {_SUMS} WHERE shop_id IN :shops AND day IN :days GROUP BY currency, hour"
).bindparams(bindparam("days", expanding=True))


def _shops(connection: Connection, shop_id: str | None) -> list[_Shop]:
    now = datetime.fromtimestamp(clock.now(), UTC)
    found = []
    for row in connection.execute(text("SELECT id, kind, currency, timezone FROM shop ORDER BY id")):
        if row.id == shop_id or (shop_id is None and row.kind == "tiktok"):  # a store's own sales are not TikTok's
            local = now.astimezone(ZoneInfo(row.timezone))
            found.append(_Shop(row.id, row.currency, local.date(), local.hour))
    return found


def today(connection: Connection, shop_id: str | None = None) -> tuple[Period, ...]:
    """Today until now, beside yesterday up to the same hour; one result for each currency, most sales first."""
    shops = _shops(connection, shop_id)
    return _periods(connection, [(shop, shop.day, shop.day) for shop in shops])


def period(connection: Connection, first_day: date, last_day: date, shop_id: str | None = None) -> tuple[Period, ...]:
    """The figures from `first_day` to `last_day`, both included, beside as many days before; most sales first."""
    shops = _shops(connection, shop_id)
    return _periods(connection, [(shop, first_day, last_day) for shop in shops])


def _periods(connection: Connection, asked: Sequence[tuple[_Shop, date, date]]) -> tuple[Period, ...]:
    now: dict[str, Figures] = {shop.currency: Figures() for shop, _, _ in asked}
    before: dict[str, Figures] = {}
    for shop, first, last in asked:
        hour = shop.hour if last == shop.day else 23
        length = (last - first) + timedelta(days=1)
        _total(connection, shop, first, last, 23, now)
        _total(connection, shop, first - length, last - length, hour, before)
    if not asked:
        return ()
    first_day, last_day = min(first for _, first, _ in asked), max(last for _, _, last in asked)
    found = [
        Period(
            first_day.isoformat(),
            last_day.isoformat(),
            currency,
            now.get(currency, Figures()),
            before.get(currency, Figures()),
        )
        for currency in now.keys() | before.keys()
    ]
    return tuple(sorted(found, key=lambda one: (-one.now.sales_units, -one.before.sales_units, one.currency)))


def _total(connection: Connection, shop: _Shop, first: date, last: date, hour: int, into: dict[str, Figures]) -> None:
    given = {"shops": [shop.id], "first": first.isoformat(), "last": last.isoformat(), "hour": hour}
    for currency, *sums in connection.execute(_TOTAL, given):
        into[currency] = into.get(currency, Figures()) + Figures(*map(int, sums))


def _given(shops: Iterable[_Shop], first: date, last: date) -> dict[str, Any]:
    return {"shops": [shop.id for shop in shops], "first": first.isoformat(), "last": last.isoformat()}


def by_day(connection: Connection, first_day: date, last_day: date, shop_id: str | None = None) -> tuple[Point, ...]:
    """One point a day and currency, also for days without sales, oldest first within a currency."""
    shops = _shops(connection, shop_id)
    rows = connection.execute(_DAYS, _given(shops, first_day, last_day))
    found = {(currency, day): Figures(*map(int, sums)) for currency, day, *sums in rows}
    currencies = {currency for currency, _ in found} or {shop.currency for shop in shops}
    days = [(first_day + timedelta(days=step)).isoformat() for step in range((last_day - first_day).days + 1)]
    return tuple(
        Point(day, 1, currency, found.get((currency, day), Figures()))
        for currency in sorted(currencies)
        for day in days
    )


def by_week(connection: Connection, first_day: date, last_day: date, shop_id: str | None = None) -> tuple[Point, ...]:
    """One point a week from Monday; `days` below 7 tells that the period covers only a part of that week."""
    weeks: dict[tuple[str, str], tuple[int, Figures]] = {}
    for point in by_day(connection, first_day, last_day, shop_id):
        day = date.fromisoformat(point.day)
        key = point.currency, (day - timedelta(days=day.weekday())).isoformat()
        days, figures = weeks.get(key, (0, Figures()))
        weeks[key] = days + 1, figures + point.figures
    return tuple(Point(monday, days, currency, figures) for (currency, monday), (days, figures) in weeks.items())


def by_hour_and_weekday(
    connection: Connection, first_day: date, last_day: date, shop_id: str | None = None
) -> tuple[HourOfWeek, ...]:
    """All 168 hours of a week in each currency, Monday first; divide by `days` for an average."""
    shops = _shops(connection, shop_id)
    found: dict[tuple[str, int, int], Figures] = {}
    days: dict[int, list[str]] = {weekday: [] for weekday in range(7)}
    for step in range((last_day - first_day).days + 1):
        day = first_day + timedelta(days=step)
        days[day.weekday()].append(day.isoformat())
    for weekday, those in days.items():
        given = {"shops": [shop.id for shop in shops], "days": those}
        for currency, hour, *sums in connection.execute(_HOURS, given):
            found[currency, weekday, hour] = Figures(*map(int, sums))
    currencies = {currency for currency, _, _ in found} or {shop.currency for shop in shops}
    return tuple(
        HourOfWeek(weekday, hour, len(days[weekday]), currency, found.get((currency, weekday, hour), Figures()))
        for currency in sorted(currencies) for weekday in range(7) for hour in range(24)
    )  # fmt: skip


# One shop and currency at a time: grouping by the SKU alone is what keeps this quick over many days.
_BEST = text(
    "SELECT b.sku_id, b.units, b.sales_units, l.product_id, l.seller_sku, l.title, l.variant FROM ("
    "SELECT sku_id, sum(units) AS units, sum(sales_units) AS sales_units FROM sales_day "
    "WHERE shop_id = :shop AND day BETWEEN :first AND :last AND currency = :currency GROUP BY sku_id "
    "HAVING sum(units) > 0 ORDER BY sales_units DESC, units DESC, sku_id LIMIT :limit) AS b "
    "LEFT JOIN listing AS l ON l.shop_id = :shop AND l.sku_id = b.sku_id"
)
_EARLIER = text(
    "SELECT sku_id, sum(units) AS units, sum(sales_units) AS sales_units FROM sales_day "
    "WHERE shop_id = :shop AND day IN :days AND sku_id IN :skus AND currency = :currency GROUP BY sku_id"
).bindparams(bindparam("days", expanding=True), bindparam("skus", expanding=True))


def top_products(
    connection: Connection, first_day: date, last_day: date, shop_id: str | None = None, *, limit: int = 10
) -> tuple[Product, ...]:
    """The `limit` SKUs of each currency with the most sales, with their share and the same number of days before."""
    length = (last_day - first_day).days + 1
    days = [(first_day - timedelta(days=step)).isoformat() for step in range(1, length + 1)]
    found: list[Product] = []
    totals: dict[str, int] = {}
    shops = _shops(connection, shop_id)
    for shop in shops:
        sold: dict[str, Figures] = {}
        _total(connection, shop, first_day, last_day, 23, sold)
        for currency, figures in sold.items():
            totals[currency] = totals.get(currency, 0) + figures.sales_units
            given = _given([shop], first_day, last_day) | {"shop": shop.id, "currency": currency, "limit": limit}
            best = connection.execute(_BEST, given).all()
            skus = [row.sku_id for row in best]
            rows = connection.execute(_EARLIER, {"shop": shop.id, "currency": currency, "days": days, "skus": skus})
            earlier = {row.sku_id: (int(row.units), int(row.sales_units)) for row in rows}
            found += [_product(row, shop.id, currency, earlier.get(row.sku_id, (0, 0))) for row in best]
    found.sort(key=lambda one: (-one.sales_units, -one.units, one.sku_id))
    ranked = [one for currency in sorted(totals) for one in [one for one in found if one.currency == currency][:limit]]
    return tuple(replace(one, share=_share(one.sales_units, totals[one.currency])) for one in ranked)


def _share(part: int, total: int) -> float | None:
    return part / total if total > 0 else None


def _product(row: Any, shop_id: str, currency: str, earlier: tuple[int, int]) -> Product:
    return Product(
        shop_id=shop_id, sku_id=row.sku_id, product_id=row.product_id or "", seller_sku=row.seller_sku or "",
        title=row.title or row.sku_id, variant=row.variant or "", currency=currency, units=int(row.units),
        sales_units=int(row.sales_units), share=None, before_units=earlier[0], before_sales_units=earlier[1],
    )  # fmt: skip


def sparkline(connection: Connection, shop_id: str | None = None, *, days: int = 14) -> tuple[Point, ...]:
    """The last days up to today in the currency that sold most, oldest first; empty without a shop."""
    shops = _shops(connection, shop_id)
    if not shops:
        return ()
    last = max(shop.day for shop in shops)
    points = by_day(connection, last - timedelta(days=days - 1), last, shop_id)
    sold: dict[str, int] = {}
    for point in points:
        sold[point.currency] = sold.get(point.currency, 0) + point.figures.sales_units
    most = max(sorted(sold), key=lambda currency: sold[currency])
    return tuple(point for point in points if point.currency == most)

"""Parts of the Analytics page: the headline, the figures, the curve, the heat of the week and the best products."""

from collections.abc import Sequence
from datetime import date

import streamlit as st

from core.analytics import measures
from core.analytics.measures import Figures, HourOfWeek, Period, Point, Product
from core.money import from_units
from core.ui import blocks, charts, tables
from core.ui.text import currency_name, money, number

SPANS = {"7": "7 days", "28": "28 days", "90": "90 days", "365": "12 months"}
STEPS = {"day": "By day", "week": "By week"}
MEASURES = {"sales": "Sales", "orders": "Orders", "units": "Units"}
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def answer(period: Period, label: str) -> str:
    """The headline: what was sold, and whether that is more or less than before."""
    if not period.now.orders:
        return f"Nothing in the last {label}"
    sold = f"{money(period.now.sales_units, period.currency)} in {label}"
    change = measures.change(period.now.sales_units, period.before.sales_units)
    if change is None:
        return sold
    percent = round(abs(change) * 100)
    return f"{sold}, {percent}% {'more' if change > 0 else 'less'} than before" if percent else f"{sold}, as before"


def value(figures: Figures, measure: str) -> float:
    """One measure of some figures, as a chart draws it."""
    if measure == "sales":
        return float(from_units(figures.sales_units))
    return float(figures.orders if measure == "orders" else figures.units)


def figures(period: Period, points: Sequence[Point], label: str) -> None:
    """Five figures of the period, each with its change and its curve."""
    now, before, help_ = period.now, period.before, measures.BEFORE
    than = f"vs {label} before"

    def trend(measure: str) -> list[float]:
        return [value(point.figures, measure) for point in points]

    with st.grid(5, min_column_width=156, gap="small"):
        blocks.figure(
            "Sales",
            money(now.sales_units, period.currency),
            now.sales_units,
            before.sales_units,
            trend("sales"),
            than,
            f"{measures.SALES} {help_}",
        )
        blocks.figure("Orders", number(now.orders), now.orders, before.orders, trend("orders"), than,
                      f"{measures.ORDERS} {help_}")  # fmt: skip
        blocks.figure(
            "Units", number(now.units), now.units, before.units, trend("units"), than, f"{measures.UNITS} {help_}"
        )
        blocks.figure(
            "Average order",
            money(now.average_units or 0, period.currency),
            now.average_units or 0,
            before.average_units or 0,
            [float(from_units(point.figures.average_units or 0)) for point in points],
            than,
            f"{measures.AVERAGE} {help_}",
        )
        blocks.figure(
            "Cancelled",
            number(now.cancelled),
            now.cancelled,
            before.cancelled,
            [float(point.figures.cancelled) for point in points],
            than,
            f"{measures.CANCELLED} {help_}",
        )


def _day(day: str, step: str) -> str:
    then = date.fromisoformat(day)
    return f"{'Week of ' if step == 'week' else ''}{then.day} {then:%b}"


def curve(points: Sequence[Point], before: Sequence[Point], measure: str, step: str, currency: str) -> None:
    """The measure over time, over the period before."""
    labels = [_day(point.day, step) for point in points]
    now = [value(point.figures, measure) for point in points]
    then = [value(point.figures, measure) for point in before][: len(now)]
    unit = currency_name(currency) if measure == "sales" else ""
    best = labels[now.index(max(now))] if any(now) else ""
    charts.over_time(
        labels, now, then, key="curve", unit=unit,
        alt=f"{MEASURES[measure]} {STEPS[step].lower()}, {len(now)} values" + (f"; most on {best}" if best else ""),
    )  # fmt: skip


def week(cells: Sequence[HourOfWeek], measure: str, currency: str) -> None:
    """When people buy: the average of each hour of the week."""
    rows = [[0.0] * 24 for _ in range(7)]
    for cell in cells:
        if cell.currency == currency:
            rows[cell.weekday][cell.hour] = value(cell.figures, measure) / max(1, cell.days)
    busiest = max(((rows[day][hour], day, hour) for day in range(7) for hour in range(24)), default=(0.0, 0, 0))
    charts.heat(
        _WEEKDAYS, [f"{hour:02d}" for hour in range(24)], rows, key="week",
        unit=currency_name(currency) if measure == "sales" else measure,
        alt=f"Average {measure} by weekday and hour; busiest on {_WEEKDAYS[busiest[1]]} at {busiest[2]:02d}:00",
    )  # fmt: skip


def products(found: Sequence[Product], currency: str) -> None:
    """The products that sold most, with their share and their change."""
    sign, column = currency_name(currency), st.column_config
    tables.show(
        {
            "product": [f"{each.title}, {each.variant}" if each.variant else each.title for each in found],
            "sku": [each.seller_sku for each in found],
            "sales": [float(from_units(each.sales_units)) for each in found],
            "units": [each.units for each in found],
            "share": [each.share for each in found],
            "change": [None if each.change is None else round(each.change * 100) for each in found],
        },
        {
            "product": column.TextColumn("Product", width=300),
            "sku": column.TextColumn("SKU", width=140),
            "sales": tables.numbers(f"Sales {sign}", 100, measures.SALES, "%,.2f"),
            "units": tables.numbers("Units", 66),
            "share": column.ProgressColumn(
                "Share of sales",
                width=150,
                format="percent",
                min_value=0,
                max_value=max((each.share or 0 for each in found), default=1) or 1,
            ),
            "change": tables.numbers("Change %", 82, measures.BEFORE, "%+d"),
        },
        key="products",
        alt="The products that sold most",
        most=12,
    )

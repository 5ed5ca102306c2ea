"""Parts of the Running low page: how long each item lasts, in days and in a word."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from core.store.queries import cover
from core.store.queries.cover import CoverCounts, CoverRow
from core.ui import tables
from core.ui.text import number, plural
from core.ui.words import Word

WITHIN = {"week": 7.0, "fortnight": 14.0, "month": 30.0, "all": cover.ALWAYS}
STATE = {
    "out": Word("Out", "red"),
    "soon": Word("Soon out", "orange"),
    "month": Word("This month", "blue"),
    "enough": Word("Enough", "green"),
}


def answer(counts: CoverCounts) -> str:
    """The headline."""
    if not counts.selling:
        return "Nothing has been sold in the last 28 days"
    if not counts.week:
        return "Everything that sells lasts a week or more"
    out = f", {number(counts.out)} {'is' if counts.out == 1 else 'are'} out already" if counts.out else ""
    return f"{plural(counts.week, 'item')} {'lasts' if counts.week == 1 else 'last'} less than a week{out}"


def filters(counts: CoverCounts) -> dict[str, str]:
    """The views with their counts."""
    return {
        "week": f"Less than 7 days {number(counts.week)}",
        "fortnight": f"14 days {number(counts.fortnight)}",
        "month": f"30 days {number(counts.month)}",
        "all": f"All that sell {number(counts.selling)}",
    }


def state(row: CoverRow) -> str:
    """How urgent an item is."""
    if row.free <= 0:
        return "out"
    return "soon" if row.cover < cover.SOON else "month" if row.cover < 30 else "enough"


def columns(rows: Sequence[CoverRow], now: datetime) -> dict[str, list[Any]]:
    """The table, column by column."""
    return {
        "sku": [row.sku for row in rows],
        "state": [tables.chip(STATE, state(row)) for row in rows],
        "cover": [round(row.cover, 1) for row in rows],
        "until": [_until(row, now) for row in rows],
        "free": [row.free for row in rows],
        "per_day": [round(row.per_day, 2) for row in rows],
        "missing": [row.missing or None for row in rows],
        "on_hand": [row.on_hand for row in rows],
        "promised": [row.reserved for row in rows],
        "product": [f"{row.title}, {row.variant}" if row.variant else row.title for row in rows],
        "sold": [f"{number(row.sold)} in {plural(row.days_counted, 'day')}" for row in rows],
    }


def _until(row: CoverRow, now: datetime) -> str:
    if row.free <= 0:
        return "now"
    if row.cover > 365:
        return "in over a year"
    day = now + timedelta(days=row.cover)
    return f"{day.day} {day:%b}"


def config() -> dict[str, Any]:
    """How the columns look."""
    column = st.column_config
    return {
        "sku": column.TextColumn("SKU", width=140),
        "state": tables.chips(STATE, "State", width=98),
        "cover": tables.numbers("Lasts days", 82, cover.COVER, "%.1f"),
        "until": column.TextColumn("Until", width=84),
        "free": tables.numbers("Free", 64, "On hand, less promised."),
        "per_day": tables.numbers("Sold a day", 86, None, "%.2f"),
        "missing": tables.numbers("To last 28 days", 110, "Units missing to last 28 days at this pace."),
        "on_hand": tables.numbers("On hand", 72),
        "promised": tables.numbers("Promised", 76),
        "product": column.TextColumn("Product", width=250),
        "sold": column.TextColumn("Sold", width=120),
    }

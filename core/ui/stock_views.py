"""Parts of the Stock page: its headline, its filters and the table's columns."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.sync import rules
from core.sync.reconcile import StockCounts, StockRow
from core.ui import tables, words
from core.ui.text import ago, number, plural

SORTS = {
    "difference": "Largest difference",
    "seller_sku": "SKU",
    "title": "Product",
    "available": "TikTok shows most",
    "target": "Should show most",
    "on_hand": "On hand most",
    "reserved": "Promised most",
}


def answer(counts: StockCounts) -> str:
    """The page's headline."""
    if not counts.listings:
        return "No listing has been read yet"
    if not counts.different:
        return "Yes, wherever Evenstock may look" if counts.unlinked else "Yes, for every listing"
    return f"Not for {number(counts.different)} of {plural(counts.listings, 'listing')}"


def filters(counts: StockCounts) -> dict[str, str]:
    """The filter names with their counts."""
    found = {
        "all": ("All", counts.listings), "different": ("Different", counts.different), "drift": ("Drift", counts.drift),
        "refused": ("Refused", counts.refused), "waiting": ("Waiting", counts.waiting),
        "unlinked": ("Not linked", counts.unlinked),
    }  # fmt: skip
    return {name: f"{label} {number(count)}" for name, (label, count) in found.items()}


def columns(rows: Sequence[StockRow]) -> dict[str, list[Any]]:
    """The table, column by column; the rules only where one of the rows has one."""
    ruled = [_rule(row) for row in rows]
    return {
        "sku": [row.seller_sku or row.sku_id for row in rows],
        "state": [tables.chip(words.STOCK, row.state) for row in rows],
        "should": [row.target for row in rows],
        "shows": [row.available for row in rows],
        "difference": [row.difference or None for row in rows],
        "open": ["Why" for _ in rows],
        "product": [f"{row.title}, {row.variant}" if row.variant else row.title for row in rows],
        "on_hand": [row.on_hand for row in rows],
        "promised": [None if row.reserved is None else row.reserved + (row.unseen or 0) for row in rows],
        **({"rule": ruled} if any(ruled) else {}),
        "reason": [row.sentence for row in rows],
        "as_of": [ago(row.observed_at) for row in rows],
    }


def _rule(row: StockRow) -> str:
    """Your rule in force for a listing, in a few words."""
    said = rules.Rule(buffer=row.buffer, share=row.share, cap=row.cap, zero_below=row.zero_below)
    told = [rules.sentence(said), "last units split" if row.split else ""]
    return ", ".join(each for each in told if each)


def config(on_click: Callable[[], None]) -> dict[str, Any]:
    """How the columns look; a click on Why explains the number."""
    column = st.column_config
    return {
        "sku": column.TextColumn("SKU", width=152),
        "state": tables.chips(words.STOCK, "State", width=90),
        "should": tables.numbers("Should show", 84, "On hand, less promised, less kept back."),
        "shows": tables.numbers("TikTok shows", 88),
        "difference": tables.numbers("Difference", 76, "TikTok shows, less should show.", "%+d"),
        "open": column.ButtonColumn("", width=58, type="tertiary", on_click=on_click, key="stock_why",
                                    help="Where the number comes from."),
        "product": column.TextColumn("Product", width=200),
        "on_hand": tables.numbers("On hand", 66),
        "promised": tables.numbers("Promised", 70, "Units of open orders, also of orders that only TikTok knows yet."),
        "rule": column.TextColumn("Rule", width=180, help="Your rule in force; nothing here means all is offered."),
        "reason": column.TextColumn("Why", width=330),
        "as_of": column.TextColumn("Read", width=84, help="When TikTok's number was read."),
    }  # fmt: skip

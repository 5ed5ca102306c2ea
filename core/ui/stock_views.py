"""Parts of the Stock page: the table's columns, the explanation of one number, the forms for a sale and a count."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.store.queries.items import Behind
from core.sync.reconcile import StockCounts, StockRow
from core.ui import tables, words
from core.ui.text import DASH, ago, clock_time, flat, number, plain, plural, signed

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
    """The table, column by column."""
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
        "kept": [row.buffer for row in rows],
        "reason": [row.sentence for row in rows],
        "as_of": [ago(row.observed_at) for row in rows],
    }


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
        "kept": tables.numbers("Kept back", 74, "The buffer: units never offered on TikTok."),
        "reason": column.TextColumn("Why", width=330),
        "as_of": column.TextColumn("Read", width=84, help="When TikTok's number was read."),
    }  # fmt: skip


def explain(row: StockRow, behind: Behind, zone: str) -> None:
    """Where one number comes from, step by step, and what happened around it."""
    st.text(flat(f"{row.title}, {row.variant}" if row.variant else row.title))
    st.caption(f"SKU {plain(row.seller_sku or row.sku_id)}")
    word = words.word(words.STOCK, row.state)
    st.markdown(f":{word.colour}-badge[{word.text}] {plain(row.sentence)}")
    if row.target is not None:
        st.table(_ladder(row, behind), border="horizontal", width="content", alt="How the number is worked out")
    if row.drift:
        _decide(row)
    if behind.promises:
        st.markdown("**Promised to**")
        _promised(behind, zone)
    if behind.sent:
        st.markdown("**Sent to TikTok**")
        _sent(behind, zone)
    if behind.moved:
        st.markdown("**Last movements**")
        _moved(behind, zone)
    facts = [
        f"{plain(shelf.warehouse)} {number(shelf.available)} free, {number(shelf.committed)} held"
        for shelf in behind.shelves
    ]
    if facts:
        st.caption("On TikTok by warehouse: " + "; ".join(facts))
    waits = behind.queue_state in ("dirty", "claimed")
    note = (
        f" ({plain(behind.queue_note or behind.queue_reason)})"
        if waits and (behind.queue_note or behind.queue_reason)
        else ""
    )
    state = f"Change {behind.generation} waits to be sent{note}." if waits else "Nothing waits to be sent."
    st.caption(f"Last confirmed {ago(row.confirmed_at)}. {state}")


def _decide(row: StockRow) -> None:
    """The way to the question about a number that no order explains."""
    st.caption(f"Which number is right? The question about {signed(row.drift)} waits under Questions.")


def _ladder(row: StockRow, behind: Behind) -> dict[str, str]:
    steps: dict[str, str] = {}
    if len(behind.parts) > 1:
        for part in behind.parts:
            free = part.on_hand - part.reserved
            each = f" at {part.quantity} each" if part.quantity > 1 else ""
            steps[f"Part {plain(part.sku)}"] = f"{number(free)} free{each}"
    else:
        steps["On hand"] = number(row.on_hand or 0)
        steps["Promised to open orders"] = number(-(row.reserved or 0))
        if row.unseen:
            steps["Held on TikTok by orders not here yet"] = number(-row.unseen)
    if row.buffer:
        steps["Kept back"] = number(-row.buffer)
    steps["**TikTok should show**"] = f"**{number(row.target or 0)}**"
    if row.available is not None:
        steps[f"TikTok shows, read {ago(row.observed_at)}"] = number(row.available)
        steps["Difference"] = signed(row.difference or 0)
    return steps


def _promised(behind: Behind, zone: str) -> None:
    tables.show(
        {"order": [each.order_id for each in behind.promises], "units": [each.units for each in behind.promises],
         "state": [tables.chip(words.ORDER, each.status) for each in behind.promises],
         "placed": [clock_time(each.create_time * 1000, zone) for each in behind.promises]},
        {"order": "Order", "units": tables.numbers("Units", 50),
         "state": tables.chips(words.ORDER, "State"), "placed": "Placed"},
        key="promised", alt="Orders that hold units of this item", most=5,
    )  # fmt: skip
    if behind.promised_orders > len(behind.promises):
        st.caption(f"and {number(behind.promised_orders - len(behind.promises))} more")


def _sent(behind: Behind, zone: str) -> None:
    tables.show(
        {"when": [clock_time(each.intent_at, zone) for each in behind.sent],
         "from": [each.read_available for each in behind.sent], "to": [each.target for each in behind.sent],
         "result": [each.outcome.capitalize() for each in behind.sent]},
        {"when": "When", "from": tables.numbers("From", 60), "to": tables.numbers("To", 60), "result": "Result"},
        key="sent", alt="Numbers sent to TikTok", most=5,
    )  # fmt: skip


def _moved(behind: Behind, zone: str) -> None:
    tables.show(
        {"when": [clock_time(each.at, zone) for each in behind.moved],
         "what": [words.REASON.get(each.reason, each.reason) for each in behind.moved],
         "on_hand": [signed(each.on_hand) if each.on_hand else DASH for each in behind.moved],
         "reserved": [signed(each.reserved) if each.reserved else DASH for each in behind.moved],
         "note": [each.note for each in behind.moved]},
        {"when": "When", "what": "What", "on_hand": st.column_config.TextColumn("On hand", alignment="right", width=70),
         "reserved": st.column_config.TextColumn("Promised", alignment="right", width=70), "note": "Note"},
        key="moved", alt="Last movements of the stock ledger", most=8,
    )  # fmt: skip

"""Parts of the Orders page: filters by what is to be done, the table, and one order in full."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.money import from_units, show
from core.store.queries.orders import OrderDetail, OrderRow
from core.sync import booking
from core.ui import tables, words
from core.ui.text import DASH, clock_time, currency_name, moment, money, plain, plural, signed

STATES = {
    "all": ("All", ()),
    "ship": ("To ship", ("AWAITING_SHIPMENT", "PARTIALLY_SHIPPING", "AWAITING_COLLECTION")),
    "waiting": ("Unpaid or on hold", ("UNPAID", "ON_HOLD")),
    "way": ("On the way", ("IN_TRANSIT",)),
    "done": ("Delivered", ("DELIVERED", "COMPLETED")),
    "cancelled": ("Cancelled", ("CANCELLED",)),
}  # fmt: skip
PERIODS = {"30": "Last 30 days", "7": "Last 7 days", "90": "Last 90 days", "0": "All time"}


def answer(to_ship: int, any_at_all: bool) -> str:
    """The headline: how many wait to be shipped."""
    if not any_at_all:
        return "No order has been read yet"
    return f"{plural(to_ship, 'order')} to ship" if to_ship else "None: everything is shipped"


def columns(rows: Sequence[OrderRow], zone: str) -> dict[str, list[Any]]:
    """The table, column by column."""
    return {
        "order": [row.id for row in rows],
        "state": [tables.chip(words.ORDER, row.status) for row in rows],
        "placed": [moment(row.create_time * 1000, zone) for row in rows],
        "units": [row.units for row in rows],
        "total": [float(from_units(row.total_units)) for row in rows],
        "open": ["Open" for _ in rows],
        "products": [
            f"{row.first_title} and {row.products - 1} more" if row.products > 1 else row.first_title for row in rows
        ],
    }


def config(on_click: Callable[[], None], currency: str) -> dict[str, Any]:
    """How the columns look; a click on Open shows the order."""
    column = st.column_config
    return {
        "order": column.TextColumn("Order", width=168),
        "state": tables.chips(words.ORDER, "State", width=112),
        "placed": column.DatetimeColumn(
            "Placed", format="D MMM, HH:mm", width=110, help="In the shop's own time zone."
        ),
        "units": tables.numbers("Units", 58),
        "total": tables.numbers(f"Total {currency_name(currency)}", 96, "What the buyer pays, with shipping.", "%,.2f"),
        "open": column.ButtonColumn("", width=66, type="tertiary", on_click=on_click, key="order_open"),
        "products": column.TextColumn("Products", width=420),
    }


def full(order: OrderDetail, zone: str) -> None:
    """One order: lines, what happened when, and what it did to the stock. No data of the buyer is kept."""
    state = words.word(words.ORDER, order.status)
    facts = [plural(order.units, "unit"), money(order.total_units, order.currency)]
    st.text(order.id)
    st.markdown(f":{state.colour}-badge[{state.text}] {', '.join(facts)}")
    special = booking.treatments(
        by_tiktok=order.fulfillment_type == booking.FULFILLED_BY_TIKTOK, sample=order.is_sample,
        replacement=order.is_replacement, gift=order.has_gift,
    )  # fmt: skip
    for rule in special:
        st.caption(f"**{rule.kind}.** {rule.sentence}")
    if order.cancel_reason:
        st.caption(f"Cancelled because: {plain(order.cancel_reason)}")
    _lines(order)
    st.markdown("**What happened when**")
    st.table(_timeline(order, zone), border="horizontal", width="content", alt="Times of this order")
    st.markdown("**What it did to your stock**")
    if order.movements:
        _stock(order, zone)
    else:
        st.caption("Nothing: no item of yours is linked to what was bought, or it was over before the first import.")


def how_orders_count() -> None:
    """The rules by which orders take from the stock."""
    with st.expander("How orders count"):
        st.table(
            {rule.kind: rule.sentence for rule in booking.TREATMENTS}, border="horizontal",
            alt="What each kind of order does to your stock",
        )  # fmt: skip


def _lines(order: OrderDetail) -> None:
    sign = currency_name(order.currency)
    tables.show(
        {
            "sku": [line.seller_sku for line in order.lines],
            "units": [line.units for line in order.lines],
            "price": [float(from_units(line.price_units - line.seller_discount_units)) for line in order.lines],
            "state": [tables.chip(words.ORDER, line.status) for line in order.lines],
            "product": [f"{line.title}, {line.variant}" if line.variant else line.title for line in order.lines],
        },
        {
            "sku": st.column_config.TextColumn("SKU", width=120),
            "units": tables.numbers("Units", 50),
            "price": tables.numbers(f"Price {sign}", 76, "After your own discount.", "%,.2f"),
            "state": tables.chips(words.ORDER, "State", width=105),
            "product": st.column_config.TextColumn("Product", width=220),
        },
        key="lines",
        alt="What was bought",
        most=8,
    )
    extra = [
        f"shipping {show(order.shipping_fee_units, order.currency)}" if order.shipping_fee_units else "",
        f"your discount {show(order.seller_discount_units, order.currency)}" if order.seller_discount_units else "",
        f"paid by TikTok {show(order.platform_discount_units, order.currency)}"
        if order.platform_discount_units
        else "",
    ]
    if any(extra):
        st.caption(plain("; ".join(part for part in extra if part)))


def _timeline(order: OrderDetail, zone: str) -> dict[str, str]:
    times = [("Placed", order.create_time), ("Paid", order.paid_time), ("Ready to ship", order.rts_time),
             ("Shipped", order.shipped_time), ("Cancelled", order.cancel_time)]  # fmt: skip
    known = {name: clock_time(at * 1000, zone) for name, at in times if at}
    return known | {
        "Known here": clock_time(order.first_seen_at, zone),
        "Last change here": clock_time(order.changed_at, zone),
    }


def _stock(order: OrderDetail, zone: str) -> None:
    tables.show(
        {
            "when": [clock_time(each.at, zone) for each in order.movements],
            "sku": [each.sku for each in order.movements],
            "what": [words.REASON.get(each.reason, each.reason) for each in order.movements],
            "on_hand": [signed(each.on_hand) if each.on_hand else DASH for each in order.movements],
            "promised": [signed(each.reserved) if each.reserved else DASH for each in order.movements],
        },
        {
            "when": "When",
            "sku": "SKU",
            "what": "What",
            "on_hand": st.column_config.TextColumn("On hand", alignment="right"),
            "promised": st.column_config.TextColumn("Promised", alignment="right"),
        },
        key="moves",
        alt="Movements of the stock ledger",
        most=8,
    )

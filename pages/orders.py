"""What was ordered, and what is still to do? Every order by state, with what it did to the stock."""

import streamlit as st

from core import clock
from core.store.queries import orders
from core.sync.exports import Kind
from core.ui import exporting, live, order_views, tables
from core.ui.text import number, plain

QUESTION = "Which orders wait for you?"


def look(order_id: str) -> None:
    """Open one order; its address can be kept and shared."""
    st.query_params["order"] = order_id


def close() -> None:
    """Close it."""
    st.query_params.pop("order", None)


@st.dialog("Order", position="right", width="medium", on_dismiss=close)
def opened(order: orders.OrderDetail) -> None:
    order_views.full(order, shop.timezone)


rt, shop = live.runtime(), live.connected(QUESTION, "No order has been read yet")

days = st.session_state.get("orders_period") or st.query_params.get("period", "30")
since = clock.now() - int(days) * 86_400 if days.isdigit() and days != "0" else 0
with rt.store.read() as connection:
    counts = {
        name: orders.count(connection, orders.Wanted(shop.id, statuses, since))
        for name, (_, statuses) in order_views.STATES.items()
    }
    any_at_all = counts["all"].total or orders.count(connection, orders.Wanted(shop.id), cap=1).total
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    live.heading(QUESTION, order_views.answer(counts["ship"].total, bool(any_at_all)))
    exporting.button(Kind.ORDERS)

labels = {
    name: f"{label} {number(counts[name].total)}{'+' if counts[name].more else ''}"
    for name, (label, _) in order_views.STATES.items()
}
with st.container(horizontal=True, vertical_alignment="center"):
    only = tables.views("Show", labels, "orders_show")
    search = tables.find("Find an order number or SKU", "orders_find")
    days = tables.choice("Placed", order_views.PERIODS, "orders_period", width=150)

wanted = orders.Wanted(shop.id, order_views.STATES[only][1], since, search)
table = st.container()
with rt.store.read() as connection:
    found = orders.count(connection, wanted) if search else counts[only]
    skip = tables.pages(found.total, "orders_page", noun="order", capped=found.more) if found.total else 0
    rows = orders.page(connection, wanted, tables.PAGE, skip) if found.total else []
    chosen = st.query_params.get("order")
    detail = orders.detail(connection, chosen) if chosen else None
with table:
    ids = [row.id for row in rows]
    if rows:
        tables.show(
            order_views.columns(rows, shop.timezone),
            order_views.config(lambda: tables.clicked("order_open", ids, look), shop.currency),
            key="orders", alt="Orders, the newest first", most=20,
        )  # fmt: skip
    elif any_at_all:
        tables.empty("No order matches", "Try a longer period, another state, or fewer letters.")
    else:
        tables.empty("No order has been read yet", "Orders appear here within seconds of being placed on TikTok.")
if any_at_all:
    order_views.how_orders_count()
if detail is not None:
    live.hold()
    opened(detail)
elif chosen:
    st.info(f"There is no order {plain(chosen)} in this store.")

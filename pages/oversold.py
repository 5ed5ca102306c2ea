"""Was more sold than there is? Each item with the sales that compete, the cause, and what would have helped."""

import streamlit as st

from core.store.queries import oversell as kept
from core.sync import oversell
from core.ui import live, oversell_views, tables

QUESTION = "Was more sold than you have?"
SIZE = 10


def go(order_id: str) -> None:
    """Leave for an order."""
    if order_id:
        st.session_state["go_order"] = order_id


if order := st.session_state.pop("go_order", ""):
    st.switch_page("orders.py", query_params={"order": order})
rt, shop = live.runtime(), live.connected(QUESTION, "Nothing has been sold yet")
with rt.store.read() as connection:
    items, units = kept.count(connection)
live.heading(QUESTION, oversell_views.answer(items, units))

table = st.container()
skip = tables.pages(items, "oversold_page", size=SIZE, noun="item") if items > SIZE else 0
with rt.store.read() as connection:
    found = oversell.report(connection, SIZE, skip)
with table:
    for one in found:
        oversell_views.item(one, shop.timezone, go)
    if not found:
        tables.empty("Nothing is missing", "Should more ever be promised than is on hand, this page tells why.")

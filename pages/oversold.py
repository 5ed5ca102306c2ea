"""Was more sold than there is? What is missing now, then what was: the sales, the cause, and what would have helped."""

from datetime import datetime

import streamlit as st

from core import clock
from core.store.queries import oversell as kept
from core.sync import oversell
from core.ui import live, oversell_views, tables
from core.ui.text import zone

QUESTION = "Was more sold than you have?"
SIZE, FEW = 10, 5
DAY_MS = 86_400_000


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

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    st.subheader("What was missing before", anchor=False)
    days = int(tables.choice("Sold", oversell_views.PERIODS, "oversold_period"))
since = clock.now_ms() - days * DAY_MS if days else 0
day = datetime.fromtimestamp(since / 1000, zone(shop.timezone)).date().isoformat()
with rt.store.read() as connection:
    told = oversell_views.rate(kept.oversold_units(connection, since), kept.sold_units(connection, since, day))
    total = kept.past_count(connection, since)
st.caption(told)
before = st.container()
skip = tables.pages(total, "oversold_past", size=FEW, noun="sale") if total > FEW else 0
with rt.store.read() as connection:
    past = oversell.history(connection, since, FEW, skip)
with before:
    for one in past:
        oversell_views.item(one, shop.timezone, go)
    if not past:
        tables.empty("Nothing to tell", "Should more ever be sold than is on hand, it is told here for good.")

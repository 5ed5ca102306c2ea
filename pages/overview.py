"""Is everything even? Health, what needs the owner, today's figures, measured delays and the latest work."""

from datetime import datetime, timedelta

import streamlit as st

from core import clock
from core.analytics import measures
from core.money import from_units
from core.store.queries import activity, cover, health, oversell, plans, sales
from core.sync import reconcile, start_rows
from core.ui import blocks, live, tables, words
from core.ui.text import clock_time, money, number, zone

DAY_MS = 86_400_000

shop = live.connected("Is everything even?", "There is nothing to compare yet")
rt = live.runtime()
now = datetime.fromtimestamp(clock.now(), zone(shop.timezone))
with rt.store.read() as connection:
    stock = reconcile.counts(connection, shop_id=shop.id)
    today = sales.until(connection, shop.id, shop.currency, now)
    before = sales.until(connection, shop.id, shop.currency, now - timedelta(days=7))
    trend = measures.sparkline(connection, shop.id)
    out = health.delay_out(connection, shop.id, clock.now_ms() - 7 * DAY_MS)
    back = health.delay_in(connection, shop.id, shop.connected_at, clock.now_ms() - 7 * DAY_MS)
    trouble = health.trouble(connection, clock.now_ms() - DAY_MS)
    backlog = health.backlog(connection, shop.id)
    unstarted = start_rows.count(connection, shop.id)
    missing = oversell.count(connection)[1]
    lasting = cover.counts(connection, zone(shop.timezone), clock.now())
    planned = len(plans.waiting(connection))
    latest = activity.runs(connection, limit=8)

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    live.heading("Is everything even?", blocks.even_answer(stock))
    with st.container(horizontal=True, width="content"):
        st.button("Sync now", key="sync_now", disabled=not rt.owner, on_click=rt.sync_now, args=("all",))
        if stock.different and st.button("Look at the differences", key="see", type="primary"):
            st.switch_page("stock.py", query_params={"show": "different"})

than, help_ = f"vs last {now:%a}", f"Compared with last {now:%A} up to the same minute. Bars: the last 14 days."
with st.grid(5, min_column_width=156, gap="small"):
    blocks.figure(
        "Sales today",
        money(today.sales_units, shop.currency),
        today.sales_units,
        before.sales_units,
        [float(from_units(day.figures.sales_units)) for day in trend],
        than,
        f"{measures.SALES} {help_}",
    )
    blocks.figure("Orders today", number(today.orders), today.orders, before.orders,
                  [day.figures.orders for day in trend], than, f"{measures.ORDERS} {help_}")  # fmt: skip
    blocks.figure("Units today", number(today.units), today.units, before.units,
                  [day.figures.units for day in trend], than, f"{measures.UNITS} {help_}")  # fmt: skip
    blocks.delay("Our change on TikTok", out, health.DELAY_OUT)
    blocks.delay("TikTok sale known here", back, health.DELAY_IN)

left, right = st.columns([3, 2], gap="large")
with left:
    st.subheader("Needs attention", anchor=False)
    concerns = blocks.concerns(
        stock, trouble, backlog, rt.problems(), oversold=missing, low=lasting.week, plans=planned, start=unstarted
    )
    blocks.attention(concerns)
with right:
    st.subheader("Connections", anchor=False)
    blocks.connections(shop, stock, rt.loop(), rt.choices())

st.subheader("Latest work", anchor=False)
if latest:
    tables.show(
        {
            "when": [clock_time(run.started_at, shop.timezone) for run in latest],
            "what": [words.kind(run) for run in latest],
            "result": [tables.chip(words.RUN, run.status) for run in latest],
            "outcome": [words.outcome(run) for run in latest],
        },
        {
            "when": st.column_config.TextColumn("When", width=110),
            "what": st.column_config.TextColumn("What", width="medium"),
            "result": tables.chips(words.RUN, "Result", width=110),
            "outcome": st.column_config.TextColumn("Outcome", width="large"),
        },
        key="latest",
        alt="The latest eight runs",
    )
else:
    tables.empty(
        "Nothing has run yet", "The loop starts by itself a few seconds after Evenstock; its work appears here."
    )

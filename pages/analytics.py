"""What sold, and when? Sales beside the period before, the best products and the hours of the week."""

from datetime import datetime, timedelta

import streamlit as st

from core import clock
from core.analytics import measures
from core.ui import live, sales_views, tables
from core.ui.text import zone

QUESTION = "What sold, and when?"

rt, shop = live.runtime(), live.connected(QUESTION, "Nothing was sold yet")

head = st.container()
with st.container(horizontal=True, vertical_alignment="center"):
    span = tables.views("Period", sales_views.SPANS, "sales_span", default="28")
    measure = tables.views("Measure", sales_views.MEASURES, "sales_measure")
    step = tables.views("Steps", sales_views.STEPS, "sales_step")

days = int(span)
last = datetime.fromtimestamp(clock.now(), zone(shop.timezone)).date()
first = last - timedelta(days=days - 1)
points_of = measures.by_week if step == "week" else measures.by_day
with rt.store.read() as connection:
    periods = measures.period(connection, first, last, shop.id)
    period = next((each for each in periods if each.currency == shop.currency), periods[0])
    daily = measures.by_day(connection, first, last, shop.id)
    points = points_of(connection, first, last, shop.id)
    before = points_of(connection, first - timedelta(days=days), first - timedelta(days=1), shop.id)
    hours = measures.by_hour_and_weekday(connection, first, last, shop.id)
    best = [
        each for each in measures.top_products(connection, first, last, shop.id) if each.currency == period.currency
    ]

with head:
    live.heading(QUESTION, sales_views.answer(period, sales_views.SPANS[span]))
if not period.now.orders and not period.before.orders:
    tables.empty("No sale in this time", "Choose a longer period. Sales appear here within seconds of an order.")
    st.stop()


def same(found: tuple[measures.Point, ...]) -> list[measures.Point]:
    """The points in the currency shown; amounts of different currencies are never added."""
    return [point for point in found if point.currency == period.currency]


sales_views.figures(period, same(daily), sales_views.SPANS[span])
st.subheader(f"{sales_views.MEASURES[measure]} over time", anchor=False)
sales_views.curve(same(points), same(before), measure, step, period.currency)
st.subheader("Best products", anchor=False)
if best:
    sales_views.products(best, period.currency)
st.subheader("Hours of the week", anchor=False)
st.caption(f"Average an hour, in the shop's time ({shop.timezone}).")
sales_views.week(hours, measure, period.currency)
others = [each.currency for each in periods if each.currency != period.currency and each.now.orders]
if others:
    st.caption(f"Also sold in {', '.join(others)}; amounts of different currencies are never added.")

"""What is on the shelf? Counts of many items, typed into a table, reviewed, and booked in one go."""

import streamlit as st

from core.store.queries import places
from core.store.queries import stocktake as items
from core.sync import stocktake
from core.ui import count_views, live, tables
from core.ui.text import plural

QUESTION = "What is on the shelf?"


@st.dialog("Review the count", width="large", on_dismiss=count_views.close_review)
def reviewed(seen: stocktake.Review) -> None:
    count_views.review(seen)


rt, shop = live.runtime(), live.connected(QUESTION, "There is no item to count yet")
live.hold()  # nothing may redraw while the owner types
typed = count_views.take_over()
with rt.store.read() as connection:
    everything, names = items.total(connection), places.names(connection)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    live.heading(QUESTION, count_views.answer(len(typed), everything))
    with st.container(horizontal=True, width="content"):
        if typed:
            st.button("Start again", key="count_clear", disabled=not rt.owner, on_click=count_views.forget)
        st.button(
            f"Review {plural(len(typed), 'count')}" if typed else "Review", key="count_review_open", type="primary",
            disabled=not rt.owner or not typed, on_click=count_views.open_review,
        )  # fmt: skip
count_views.moved_meanwhile()

with st.container(horizontal=True, vertical_alignment="center"):
    search = tables.find("Find a SKU or product", "count_find")
    sort = tables.choice("Order", count_views.SORTS, "count_sort", width=200)
    before = count_views.place()
    if count_views.choose_place(names) != before:
        st.rerun()

table = st.container()
with rt.store.read() as connection:
    total = items.total(connection, search) if search else everything
    skip = tables.pages(total, "count_page", noun="item") if total else 0
    rows = items.page(connection, search=search, sort=sort, limit=tables.PAGE, offset=skip, place=count_views.place())
with table:
    if rows:
        count_views.editor(rows, shop.timezone)
        st.caption(
            "Count everything on the shelf, also what is promised but not sent yet. Nothing is written before you "
            "review it."
        )
    elif everything:
        tables.empty("No item matches", "Try fewer letters.")
    else:
        tables.empty("No item yet", "Bring in your catalogue first; then its items can be counted here.")
        st.page_link("catalog.py", label="Open Catalogue")
if count_views.reviewing():
    with rt.store.read() as connection:
        seen = stocktake.review(connection, list(typed.values()), count_views.place())
    reviewed(seen)

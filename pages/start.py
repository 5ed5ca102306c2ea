"""Where does the truth start? First contact: whose number each listing starts from, made into a plan to read."""

import streamlit as st

from core.sync import start_plans, start_rows, starting
from core.sync.starting import Choice
from core.ui import live, start_views, tables

QUESTION = "Where does the truth start?"

if plan := st.session_state.pop("go_plan", None):
    st.switch_page("plan.py", query_params={"plan": str(plan)})
rt, shop = live.runtime(), live.connected(QUESTION, "There is nothing to start yet")
live.hold()  # nothing may redraw while the owner chooses
start_views.take_over()
with rt.store.read() as connection:
    everything = start_rows.waiting(connection, shop.id)
    last = start_plans.last_answer(connection, shop.id)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    live.heading(QUESTION, start_views.answer(everything))
    with st.container(horizontal=True, width="content"):
        if everything.listings:
            st.button("Review where they start", key="start_review", type="primary", disabled=not rt.owner,
                      on_click=start_views.propose, args=(shop.id, everything.listings))  # fmt: skip
if not everything.listings:
    tables.empty("Nothing waits for a start", "A listing appears here when it is new and linked to an item of yours.")
    start_views.left_out(everything)
    st.stop()

st.caption(
    "Choose once for every listing which number is the true one. Nothing is booked or sent before you have read the "
    "plan that this makes."
)
choice = st.segmented_control(
    "All of this shop start from", list(start_views.ALL), key="start_all", default=Choice.OURS, required=True,
    format_func=lambda each: start_views.ALL[each], help="A product with a choice of its own keeps that.",
)  # fmt: skip
search = tables.find("Find a SKU or product", "start_find")
with rt.store.read() as connection:
    found = start_rows.waiting(connection, shop.id, search) if search else everything
    table = st.container()
    skip = tables.pages(found.products, "start_page", noun="product") if found.products else 0
    ids = start_rows.products(connection, shop.id, search=search, limit=tables.PAGE, offset=skip)
    listings = start_rows.load(connection, shop.id, products=ids)
with table:
    if choice is Choice.OURS or Choice.OURS in start_views.wish(choice, last).products.values():
        start_views.question(listings, last)
    groups = starting.groups(listings)
    start_views.begin()
    if groups:
        start_views.products(groups)
        start_views.entering(groups, choice)
    else:
        tables.empty("No listing matches", "Try fewer letters.")
    start_views.end()
start_views.left_out(everything)

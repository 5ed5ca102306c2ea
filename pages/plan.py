"""One plan of changes: read it before anything is sent, watch it, stop it, and read what came of it."""

import streamlit as st

from core.store.queries import activity, plans
from core.ui import live, plan_views, tables

rt, shop = live.runtime(), live.shop()
number = st.query_params.get("plan", "")
plan = None
if shop is not None and number.isdigit():
    with rt.store.read() as connection:
        plan = plans.head(connection, int(number))
        run_id = plan_views.run_of(plan) if plan else None
        run = activity.one(connection, run_id) if run_id else None
if shop is None or plan is None:
    live.heading("Review changes", "There is no such plan")
    tables.empty("This plan is not in the store", "Open Stock and review the changes again.")
    st.page_link("stock.py", label="Back to Stock")
    st.stop()

with rt.store.read() as connection:
    states = plans.states(connection, plan.id)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    live.heading(plan_views.question(plan), plan_views.answer(plan, states))
    with st.container(horizontal=True, width="content"):
        if st.button("Back to Stock", key="back"):
            st.switch_page("stock.py")
        if plan.state == "proposed" and plan.rows:
            typed = st.session_state.get("typed")
            st.button(plan_views.send_label(plan), key="send", type="primary", on_click=plan_views.send, args=(plan,),
                      disabled=not rt.owner or (bool(plan.warning) and typed != plan.rows))  # fmt: skip
        if run_id and plan.state in ("approved", "running"):
            st.button("Stop after this row", key="stop", type="primary", on_click=plan_views.stop, args=(run_id,),
                      disabled=not rt.owner)  # fmt: skip

plan_views.status(plan, run, shop)
table = st.container()
with rt.store.read() as connection:
    skip = tables.pages(plan.rows, "plan_page", noun="change") if plan.rows else 0
    lines = plans.lines(connection, plan.id, tables.PAGE, skip)
with table:
    if lines:
        tables.show(
            plan_views.columns(lines, sent=plan.state != "proposed"),
            plan_views.config(plan, sent=plan.state != "proposed"),
            key="plan",
            alt="Each change with its old and new value and the rule behind it",
        )
    else:
        tables.empty("Nothing to change", "Between then and now every one of these listings became even.")

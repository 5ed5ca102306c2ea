"""One plan of changes: read and choose before anything is sent, watch it, stop it, read what came of it, undo it."""

import streamlit as st

from core.store.queries import activity, plans
from core.sync import rule_plans
from core.sync.kinds import KINDS
from core.ui import live, plan_tables, plan_views, plan_words, tables
from core.ui.text import plain

plan_views.arrive()
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
    st.page_link("plans.py", label="All plans")
    st.stop()

with rt.store.read() as connection:
    states, totals = plans.states(connection, plan.id), plans.totals(connection, plan.id)
    undone_by = plans.undone_by(connection, plan.id)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    live.heading(plan_words.question(plan), plan_words.answer(plan, states))
    with st.container(horizontal=True, width="content"):
        plan_views.actions(plan, states, run_id)
if plan.kind == rule_plans.KIND:
    with rt.store.read() as connection:
        st.markdown(plain(rule_plans.told(connection, plan.id)))
plan_views.status(plan, run, shop, undone_by)
plan_views.figures(totals, stock=plan.kind in ("adopt", "undo", "count"))

with st.container(horizontal=True, vertical_alignment="center"):
    only = tables.views("Show", plan_tables.filters(plan, totals, states), "plan_show")
    search = tables.find("Find a SKU, product or rule", "plan_find")
    sort = tables.choice("Sort by", plan_tables.SORTS, "plan_sort")
open_ = plan.state == "proposed" and plan.kind in KINDS and not KINDS[plan.kind].whole
several = plan.state != "proposed" or bool(states.keys() - {"proposed"})
bar, table = st.container(), st.container()
with rt.store.read() as connection:
    total = plans.total(connection, plan.id, search=search, only=only)
    skip = tables.pages(total, "plan_page", noun="row") if total else 0
    lines = plans.lines(connection, plan.id, tables.PAGE, skip, search=search, only=only, sort=sort)
with bar:
    if open_ and total and (search or only != "all"):
        plan_views.filter_bar(plan, total, search, only)
with table:
    shown, how = plan_tables.columns(plan, lines, states=several), plan_tables.config(lines, states=several)
    alt = "Each change with its old and new value, what is at stake and the rule behind it"
    if lines and open_:
        chosen = tables.select(shown, how, [line.entity for line in lines], key="plan", alt=alt)
        if chosen:
            plan_views.choice_bar(plan, chosen)
    elif lines:
        tables.show(shown, how, key="plan", alt=alt)
    elif search or only != "all":
        tables.empty("No row matches", "Try fewer letters, or another filter.")
    else:
        tables.empty("Nothing to change", "Between then and now every one of these listings became even.")

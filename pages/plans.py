"""What was planned, and what came of it? Every plan, those that wait for a yes first."""

import streamlit as st

from core.store.queries import plans
from core.ui import live, plan_tables, tables
from core.ui.text import plural


def look(plan_id: str) -> None:
    """Go and read one plan."""
    st.session_state["go_plan"] = int(plan_id)


rt, shop = live.runtime(), live.connected("What was planned, and what came of it?", "There is no plan yet")
if chosen := st.session_state.pop("go_plan", None):
    st.switch_page("plan.py", query_params={"plan": str(chosen)})
with rt.store.read() as connection:
    waiting = plans.waiting(connection)
    total = plans.count(connection)
live.heading(
    "What was planned, and what came of it?",
    f"{plural(len(waiting), 'plan')} {'waits' if len(waiting) == 1 else 'wait'} for your yes"
    if waiting
    else "No plan waits for you"
    if total
    else "There is no plan yet",
)
table = st.container()
with rt.store.read() as connection:
    skip = tables.pages(total, "plans_page", noun="plan") if total else 0
    found = plans.recent(connection, tables.PAGE, skip)
with table:
    if found:
        tables.show(
            plan_tables.overview(found, shop.timezone),
            plan_tables.overview_config(lambda: tables.clicked("plan_open", [str(each.id) for each in found], look)),
            key="plans",
            alt="Plans with what they change and how far they are, the newest first",
            most=20,
        )
    else:
        tables.empty("No plan yet", "Choose rows on the Stock page and review them; that makes a plan.")

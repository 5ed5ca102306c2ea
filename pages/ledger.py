"""Does the stock add up? Every movement with its reason and what was left, the daily proof, and all of it as a file."""

import streamlit as st

from core import clock
from core.store.queries import ledger
from core.ui import ledger_views, live, tables

QUESTION = "Does the stock add up?"
DAY_MS = 86_400_000


def go(target: str) -> None:
    """Leave for the order or the run behind a movement."""
    st.session_state["go_target"] = target


if goal := st.session_state.pop("go_target", ""):
    kind, _, number = goal.partition(":")
    st.switch_page("orders.py" if kind == "order" else "activity.py", query_params={kind: number})
rt, shop = live.runtime(), live.connected(QUESTION, "Nothing has moved yet")

with rt.store.read() as connection:
    proof = ledger.last_proof(connection)
    movements = ledger.total(connection)
    reasons = ledger_views.reasons(ledger.reasons(connection))
live.heading(QUESTION, ledger_views.answer(proof, movements))
ledger_views.proven(proof)

with st.container(horizontal=True, vertical_alignment="center"):
    search = tables.find("Find a SKU or product", "ledger_find")
    reason = tables.choice("Reason", reasons, "ledger_reason", width=210)
    days = int(tables.choice("Booked", ledger_views.PERIODS, "ledger_period", width=150))
    file = st.container(width="content")
since = clock.now_ms() - days * DAY_MS if days else 0
wanted = ledger.Wanted(search, "" if reason == "all" else reason, since)

table = st.container()
with rt.store.read() as connection:
    total = ledger.count(connection, wanted)
    capped = total > ledger.COUNT_CAP
    total = min(total, ledger.COUNT_CAP)
    skip = tables.pages(total, "ledger_page", noun="movement", capped=capped) if total else 0
    rows = ledger.page(connection, wanted, tables.PAGE, skip) if total else []
with table:
    targets = [ledger_views.target(row) for row in rows]
    if rows:
        tables.show(
            ledger_views.columns(rows, shop.timezone),
            ledger_views.config(lambda: tables.clicked("ledger_open", targets, go)),
            key="ledger", alt="Movements of the stock, the newest first, with what was left after each", most=20,
        )  # fmt: skip
    elif movements:
        tables.empty("No movement matches", "Try a longer period, another reason, or fewer letters.")
    else:
        tables.empty("Nothing has moved yet", "Counts, sales and orders of your items appear here as they happen.")
with file:
    if rows:
        ledger_views.download(wanted, ledger_views.shown(total, capped))

"""How long will it last? Items that sell, the most urgent first, with the days until they run out."""

from datetime import datetime

import streamlit as st

from core import clock
from core.store.queries import cover
from core.ui import cover_views, live, tables
from core.ui.text import zone

QUESTION = "How long will it last?"

rt, shop = live.runtime(), live.connected(QUESTION, "There is nothing to run out yet")
place, now = zone(shop.timezone), clock.now()
with rt.store.read() as connection:
    counts = cover.counts(connection, place, now)
live.heading(QUESTION, cover_views.answer(counts))

with st.container(horizontal=True, vertical_alignment="center"):
    view = tables.views("Lasts less than", cover_views.filters(counts), "low_show")
    search = tables.find("Find a SKU or product", "low_find")
within = cover_views.WITHIN[view]

table = st.container()
with rt.store.read() as connection:
    known = {"week": counts.week, "fortnight": counts.fortnight, "month": counts.month, "all": counts.selling}
    total = cover.total(connection, place, now, within=within, search=search) if search else known[view]
    skip = tables.pages(total, "low_page", noun="item") if total else 0
    rows = (
        cover.low(connection, place, now, within=within, search=search, limit=tables.PAGE, offset=skip) if total else []
    )
with table:
    if rows:
        tables.show(
            cover_views.columns(rows, datetime.fromtimestamp(now, place)), cover_views.config(), key="low", most=20,
            alt="Items that sell with the days until they run out, the most urgent first",
        )  # fmt: skip
    elif search:
        tables.empty("No item matches", "Try fewer letters, or a longer time.")
    elif counts.selling:
        tables.empty(
            "Nothing runs out that soon", "At the pace of the last 28 days everything that sells lasts longer."
        )
    else:
        tables.empty(
            "Nothing was sold yet", "Once orders of your items come in, this page tells how long the stock lasts."
        )
if rows:
    st.caption(cover.COVER)

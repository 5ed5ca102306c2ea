"""Are both catalogues the same? Listings beside items, what differs, and bringing in a file of the own store."""

import streamlit as st

from core.store.queries import catalog
from core.sync.exports import Kind
from core.ui import catalog_views, exporting, live, tables

QUESTION = "Are both catalogues the same?"


def start_import() -> None:
    """Open the import."""
    st.session_state["importing"] = True


def close() -> None:
    """Close the import."""
    st.session_state.pop("importing", None)


@st.dialog("Import your catalogue", width="large", on_dismiss=close)
def importing() -> None:
    live.settle()
    catalog_views.bring_in()


rt, shop = live.runtime(), live.connected(QUESTION, "There is nothing to compare yet")

with rt.store.read() as connection:
    counts = catalog.counts(connection, shop.id)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    live.heading(QUESTION, catalog_views.answer(counts))
    with st.container(horizontal=True, width="content"):
        exporting.button(Kind.ITEMS)
        st.button("Read TikTok now", key="read_now", disabled=not rt.owner, on_click=rt.sync_now, args=("catalog",))
        st.button("Import a file", key="open_import", type="primary", disabled=not rt.owner, on_click=start_import)

with st.container(horizontal=True, vertical_alignment="center"):
    view = tables.views("Show", catalog_views.filters(counts), "catalog_view")
    search = tables.find("Find a SKU or product", "catalog_find")

table = st.container()
with rt.store.read() as connection:
    total = catalog.count(connection, shop.id, view=view, search=search) if search else getattr(counts, view)
    skip = tables.pages(total, "catalog_page", noun="product") if total else 0
    rows = catalog.rows(connection, shop.id, view=view, search=search, limit=tables.PAGE, offset=skip)
with table:
    if rows:
        tables.show(
            catalog_views.columns(rows), catalog_views.config(shop.currency), key="catalog", most=20,
            alt="Listings on TikTok beside the items of your store",
        )  # fmt: skip
    elif search or (view != "all" and counts.all):
        tables.empty("No product matches", "Try fewer letters, or another filter.")
    else:
        tables.empty(
            "No product yet", "TikTok's listings come with the first sync; import a file to bring in your own."
        )
if st.session_state.get("importing"):
    live.hold()
    importing()

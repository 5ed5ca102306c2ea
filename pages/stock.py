"""Does TikTok show what the owner can sell? The table of both sides, why each number is so, and evening it out."""

import streamlit as st

from core.sync import explained, reconcile, start_rows
from core.sync.exports import Kind
from core.ui import explain_views, exporting, live, record_views, stock_views, tables
from core.ui.text import number, plural

QUESTION = "Does TikTok show what you can sell?"


def review(sku_ids: list[str] | None) -> None:
    """Make a plan of these changes, or of all, and go and read it."""
    plan = live.attempt(rt.propose_resync, shop.id, sku_ids)
    if plan is not None:
        tables.forget("stock")
        st.session_state["go_plan"] = plan.id


def take_over(sku_ids: list[str]) -> None:
    """Make a plan to count these as TikTok shows them, and go and read it."""
    plan = live.attempt(rt.propose_adopt, shop.id, sku_ids)
    if plan is not None:
        tables.forget("stock")
        st.session_state["go_plan"] = plan.id


def look(sku_id: str) -> None:
    """Open the explanation of one listing; its address can be kept and shared."""
    st.query_params["sku"] = sku_id


def close() -> None:
    """Close the explanation."""
    st.query_params.pop("sku", None)


@st.dialog("Where this number comes from", position="right", width="medium", on_dismiss=close)
def explanation(row: reconcile.StockRow) -> None:
    live.settle("go_plan")
    with rt.store.read() as connection:
        found = explained.explain(connection, row.shop_id, row.sku_id)
    next_at = next((job.next_at for job in rt.loop().jobs if job.name == row.shop_id), None)
    if found is not None:
        explain_views.explain(row, found, shop.timezone, next_at)
    if row.difference:
        st.button("Review this change", key="review_one", type="primary", disabled=not rt.owner, on_click=review,
                  args=([row.sku_id],))  # fmt: skip


if plan := st.session_state.pop("go_plan", None):
    st.switch_page("plan.py", query_params={"plan": str(plan)})
rt, shop = live.runtime(), live.connected(QUESTION, "There is nothing to compare yet")

with rt.store.read() as connection:
    counts = reconcile.counts(connection, shop_id=shop.id)
    unstarted = start_rows.count(connection, shop.id)
chosen = st.session_state.get("stock_chosen", [])
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    live.heading(QUESTION, stock_views.answer(counts))
    with st.container(horizontal=True, width="content"):
        record_views.menu(disabled=not rt.owner)
        exporting.button(Kind.STOCK)
        st.button("Read TikTok now", key="read_now", disabled=not rt.owner, on_click=rt.sync_now, args=("stock",))
        if counts.different:
            st.button(
                f"Review {plural(counts.different, 'change')}",
                key="review_all",
                type="secondary" if chosen else "primary",
                disabled=not rt.owner,
                on_click=review,
                args=(None,),
            )

if unstarted:
    with st.container(horizontal=True, vertical_alignment="center", key="unstarted"):
        have = "listing has" if unstarted == 1 else "listings have"
        st.markdown(
            f":orange-badge[{number(unstarted)}] {have} no start yet; nothing is sent there before.", width="content"
        )
        st.page_link("start.py", label="Choose where they start", width="content")
with st.container(horizontal=True, vertical_alignment="center"):
    only = tables.views("Show", stock_views.filters(counts), "stock_show")
    search = tables.find("Find a SKU or product", "stock_find")
    sort = tables.choice("Sort by", stock_views.SORTS, "stock_sort")

table = st.container()
with rt.store.read() as connection:
    total = counts.listings
    if search or only != "all":
        total = reconcile.total(connection, shop_id=shop.id, search=search, only=only)
    skip = tables.pages(total, "stock_page", noun="listing") if total else 0
    rows = reconcile.rows(
        connection,
        shop_id=shop.id,
        search=search,
        only=only,
        sort=sort,
        limit=tables.PAGE,
        offset=skip,
        descending=sort not in ("seller_sku", "title"),
    )
    opened = st.query_params.get("sku")
    detail = reconcile.one(connection, shop.id, opened) if opened else None
with table:
    ids = [row.sku_id for row in rows]
    if rows:
        chosen = tables.select(
            stock_views.columns(rows),
            stock_views.config(lambda: tables.clicked("stock_why", ids, look)),
            ids,
            key="stock",
            alt="Listings with what they should show, what TikTok shows, and why they differ",
        )
    elif search or only != "all":
        tables.empty("No listing matches", "Try fewer letters, or another filter.")
    else:
        tables.empty(
            "No listing has been read yet", "The loop reads your TikTok catalogue first; then this table fills."
        )

if chosen != st.session_state.get("stock_chosen", []):
    st.session_state["stock_chosen"] = chosen
if chosen:
    live.hold()
    with st.bottom, st.container(key="chosen_bar", horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f"**{len(chosen)} chosen**", width="stretch")
        st.button("Clear", key="clear", on_click=tables.forget, args=("stock",))
        if len(chosen) == 1:
            st.button("Explain", key="explain", on_click=look, args=(chosen[0],))
        st.button("Take TikTok's numbers", key="adopt_chosen", on_click=take_over, args=(chosen,),
                  disabled=not rt.owner, help="Counts these items as TikTok shows them.")  # fmt: skip
        st.button(f"Review {plural(len(chosen), 'change')}", key="review_chosen",
                  type="primary", disabled=not rt.owner, on_click=review, args=(chosen,))  # fmt: skip

if detail is not None:
    live.hold()
    explanation(detail)
elif record_views.opened():
    live.hold()

"""Which shop is connected, and for how long? The practice shop's knobs, and the way to a real shop."""

import streamlit as st

from core.store.queries import orders, shops
from core.sync import reconcile
from core.ui import connection_views, live, practice_views

rt, shop = live.runtime(), live.shop()
live.heading("Which shop is connected?", connection_views.answer(shop))
connection_views.came_back()

if shop is not None:
    with rt.store.read() as connection:
        places, heard = shops.warehouses(connection, shop.id), shops.heard(connection)
    connection_views.now(shop, places, heard)

if rt.practice is not None and shop is not None:
    opened = st.expander(
        "Practice panel: play customers, colleagues and trouble", key="practice_panel", on_change="rerun"
    )
    if opened.open:
        with rt.store.read() as connection:
            rows = reconcile.rows(connection, shop_id=shop.id, sort="seller_sku", descending=False, limit=500)
            newest = orders.page(connection, orders.Wanted(shop.id), limit=50)
        with opened:
            rows.sort(key=lambda row: (not row.seller_sku, row.seller_sku))
            skus = [(row.sku_id, row.seller_sku, f"{row.title} {row.variant}".strip()) for row in rows]
            practice_views.panel(rt.practice, skus, [row.id for row in newest])

if shop is not None and shop.practice and shop.problem:
    st.button(
        "Sign in to the practice shop again",
        key="practice_again",
        disabled=not rt.owner,
        on_click=live.attempt,
        args=(rt.reconnect_practice,),
        kwargs={"done": "Signed in to the practice shop again."},
    )

st.subheader("Connect your TikTok shop" if shop is None or shop.practice else "Connect it again", anchor=False)
st.caption("Reading starts at once. Nothing is sent to TikTok before you have seen and approved a first plan.")
with st.container(width=780):
    connection_views.connect(rt.settings.tiktok_shop_redirect_uri)

if shop is not None and not shop.practice:
    st.subheader("Leave", anchor=False)
    st.caption("Forgets the sign-in and goes back to the practice shop. Orders, stock and settings of this shop stay.")
    sure = st.checkbox("Yes, disconnect this shop", key="sure")
    st.button(
        "Disconnect",
        key="disconnect",
        disabled=not (sure and rt.owner),
        on_click=live.attempt,
        args=(rt.disconnect,),
        kwargs={"done": "Disconnected. This is the practice shop again."},
    )

"""The frame around every page: menu, bands, banners and the watcher; the only script that Streamlit starts."""

import streamlit as st

from core.ui import halted_views, live

st.set_page_config(page_title="Evenstock", page_icon=str(live.ASSETS / "icon.svg"), layout="wide")
st.html(live.ASSETS / "style.css")
st.logo(str(live.ASSETS / "logo.svg"), icon_image=str(live.ASSETS / "icon.svg"), size="medium")

page = st.navigation(
    {
        "": [st.Page("overview.py", title="Overview", icon=":material/balance:", default=True)],
        "Goods": [
            st.Page("stock.py", title="Stock", icon=":material/inventory_2:"),
            st.Page("rules.py", title="Rules", icon=":material/rule:"),
            st.Page("drift.py", title="Questions", icon=":material/help:"),
            st.Page("ledger.py", title="Ledger", icon=":material/menu_book:"),
            st.Page("start.py", title="Where to start", icon=":material/flag:"),
            st.Page("count.py", title="Count", icon=":material/fact_check:"),
            st.Page("low.py", title="Running low", icon=":material/hourglass_bottom:"),
            st.Page("catalog.py", title="Catalogue", icon=":material/sell:"),
            st.Page("oversold.py", title="Oversold", icon=":material/report:", visibility="hidden"),
            st.Page("plan.py", title="Review changes", icon=":material/checklist:", visibility="hidden"),
        ],
        "Sales": [
            st.Page("orders.py", title="Orders", icon=":material/receipt_long:"),
            st.Page("analytics.py", title="Analytics", icon=":material/bar_chart:"),
        ],
        "Desk": [
            st.Page("plans.py", title="Plans", icon=":material/checklist:"),
            st.Page("activity.py", title="Activity", icon=":material/history:"),
            st.Page("places.py", title="Places", icon=":material/warehouse:"),
            st.Page("connection.py", title="Connection", icon=":material/link:"),
            st.Page("settings.py", title="Settings", icon=":material/tune:"),
        ],
    }
)
st.set_page_config(page_title=f"{page.title} · Evenstock")

with live.guard():
    live.begin()
    live.top()
    halted_views.banner()
    page.run()

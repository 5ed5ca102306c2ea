"""Start the dashboard: streamlit run app.py."""

import streamlit as st

from core.server import lifespan, middleware, routes
from core.ui.live import on_script_error

app = st.App("pages/shell.py", lifespan=lifespan, routes=routes, middleware=middleware, on_script_error=on_script_error)

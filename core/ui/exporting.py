"""The button that hands out a table as a CSV file, made when it is pressed and safe to open in a spreadsheet."""

import io
from functools import partial

import streamlit as st

from core.store.engine import Store
from core.sync import exports
from core.ui import live


def button(kind: exports.Kind) -> None:
    """Download everything of this kind, whatever the table shows."""
    st.download_button(
        "Export",
        data=partial(made, live.runtime().store, kind),
        file_name=f"{kind.value}.csv",
        mime="text/csv",
        key=f"export_{kind.value}",
        on_click="ignore",
        help="Everything as a CSV file, not only this page.",
    )


def made(store: Store, kind: exports.Kind) -> bytes:
    """The file, with the mark at its start by which spreadsheets know the encoding."""
    stream = io.StringIO(newline="")
    exports.write(store, kind, stream)
    return stream.getvalue().encode("utf-8-sig")

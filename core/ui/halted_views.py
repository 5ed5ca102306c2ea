"""The banner on every page while the books of an item do not add up: what is wrong, and the button that mends it."""

import streamlit as st

from core.store.queries import halted
from core.ui import live
from core.ui.text import number, plain, plural

MOST = 3


def banner() -> None:
    """Say which items are not sent to TikTok and why, with the two ways out; nothing while all is well."""
    with live.runtime().store.read() as connection:
        found = halted.items(connection, MOST)
        count = halted.count(connection) if len(found) == MOST else len(found)
    if not found:
        return
    with st.container(key="halted", border=True, gap="small"):
        for each in found:
            st.markdown(f":red-badge[Stopped] **{plain(each.sku)}** {plain(each.why)}")
        if count > len(found):
            st.caption(f"and {number(count - len(found))} more. The Stock page shows them under Refused.")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Add it up again" if count == 1 else f"Add {plural(count, 'item')} up again",
                key="add_up_again", disabled=not live.can_act(), on_click=_again,
                help="Adds up every movement and every order again. What is corrected is kept as a run.",
            )  # fmt: skip
            st.page_link("count.py", label="Count instead", width="content")


def _again() -> None:
    mended = live.attempt(live.runtime().add_up_again)
    if mended is None:
        return
    if mended.wrong:
        names = ", ".join(mended.wrong[:5])
        live.say(f"{names} still does not add up. Count it, and the count is taken as the truth.", wrong=True)
    else:
        live.say(f"{plural(len(mended.right), 'item')} added up again. TikTok is brought into step.")

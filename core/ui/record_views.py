"""The two forms of the Stock page: a sale in the own store, and a count of one item."""

import streamlit as st

from core.store.queries import items, places
from core.ui import live
from core.ui.text import number, plural

SALE, COUNT = "A sale in your store", "A count"
_OPEN = "stock_record"


def menu(*, disabled: bool) -> None:
    """The button that opens one of the forms."""
    st.menu_button("Record", [SALE, COUNT], key="record", disabled=disabled, on_click=_open)


def opened() -> bool:
    """Draw the form that was asked for; whether there is one."""
    asked = st.session_state.get(_OPEN)
    if asked == SALE:
        _sale()
    elif asked == COUNT:
        _count()
    return asked is not None


def _open() -> None:
    st.session_state[_OPEN] = st.session_state["record"]


def _close() -> None:
    st.session_state.pop(_OPEN, None)


@st.dialog("Record a sale in your own store", on_dismiss=_close)
def _sale() -> None:
    sku = _item()
    if sku is not None:
        _place(sku)
        units = st.number_input("Units sold", min_value=1, max_value=99_999, value=1, step=1, key="sale_units")
        _finish(f"Record {plural(units, 'unit')} sold", sku, sale=True)


@st.dialog("Record a count", on_dismiss=_close)
def _count() -> None:
    sku = _item()
    if sku is not None:
        place = _place(sku)
        with live.runtime().store.read() as connection:
            now = next((each.on_hand for each in places.lies(connection, sku) if each.location_id == place), 0)
        units = st.number_input(
            "Units counted", min_value=0, max_value=99_999, value=max(0, now), step=1, key=_count_key(sku, place)
        )
        _finish(f"Set {plural(units, 'unit')} on hand", sku, sale=False)


def _item() -> str | None:
    live.settle()
    search = st.text_input("Find the item", key="record_find", type="search", live="300ms", placeholder="SKU or name")
    with live.runtime().store.read() as connection:
        found = items.find(connection, search)
    if not found:
        st.caption("No item has these words. Try fewer of them, or import your catalogue first.")
        return None
    names = {each.sku: f"{each.sku}: {each.title} {each.variant} ({number(each.on_hand)} on hand)" for each in found}
    return st.selectbox("Item", list(names), format_func=lambda key: names.get(key, key), key="record_sku")


def _place(sku: str) -> int:
    """The location that it concerns, asked where there are several."""
    with live.runtime().store.read() as connection:
        there = {each.location_id: each for each in places.lies(connection, sku)}
    if len(there) < 2:
        return places.STORE
    return st.selectbox(
        "Location", list(there), key="record_place",
        format_func=lambda key: f"{there[key].name} ({number(there[key].on_hand)})" if key in there else "",
    )  # fmt: skip


def _count_key(sku: str, place: int) -> str:
    return f"count_units_{sku}" if place == places.STORE else f"count_units_{sku}_{place}"


def _finish(label: str, sku: str, *, sale: bool) -> None:
    st.text_input("Note", key="record_note", max_chars=200, placeholder="Optional")
    st.button(label, type="primary", key="record_go", on_click=_recorded, args=(sku, sale), disabled=not live.can_act())


def _recorded(sku: str, sale: bool) -> None:
    """Read what the fields hold now: a button knows only what they held when it was drawn."""
    rt, state = live.runtime(), st.session_state
    place = int(state.get("record_place", places.STORE))
    where = {} if place == places.STORE else {"location": place}
    note, units = state.get("record_note", ""), state["sale_units" if sale else _count_key(sku, place)]
    _close()
    if sale:
        done = f"Recorded: {plural(units, 'unit')} of {sku} sold."
        live.attempt(rt.record_sale, sku, units, note, **where, done=done)
    else:
        done = f"Counted: {sku} has {plural(units, 'unit')} on hand."
        live.attempt(rt.record_count, sku, units, note, **where, done=done)

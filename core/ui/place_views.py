"""Parts of the Places page: locations with what lies in them, the warehouses they serve, and goods carried between."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.store.queries import items
from core.store.queries import places as known
from core.store.queries.places import Place, Served
from core.sync import places
from core.sync.places import Mapped, Preview, Transfer
from core.ui import live, tables
from core.ui.text import DASH, number, plain, plural

ADD, MOVE = "add", "move"
_OPEN, _WISHES, _SEEN = "places_open", "places_wishes", "places_seen"


def answer(found: Sequence[Place]) -> str:
    """The headline."""
    if len(found) == 1:
        return f"All in one location, {plain(found[0].name)}"
    return f"In {plural(len(found), 'location')}"


def table(found: Sequence[Place]) -> None:
    """Each location with what lies in it and whom it serves."""
    tables.show(
        {
            "name": [each.name for each in found],
            "on_hand": [each.on_hand for each in found],
            "promised": [each.reserved for each in found],
            "items": [each.items for each in found],
            "serves": [", ".join(each.serves) or DASH for each in found],
        },
        {
            "name": st.column_config.TextColumn("Location", width=200),
            "on_hand": tables.numbers("On hand", 90, "Units that lie there."),
            "promised": tables.numbers("Promised", 90, "Units of open orders that are sent from there."),
            "items": tables.numbers("Items", 80, "Items of which something lies or is promised there."),
            "serves": st.column_config.TextColumn("Serves on TikTok", width=420),
        },
        key="places",
        alt="Locations with the units in them and the warehouses they serve",
    )


def mapping(found: Sequence[Served], names: Mapping[int, str]) -> list[Mapped]:
    """The warehouses with the location each is served from, to be chosen anew. Returns what differs from now."""
    chosen = []
    for each in found:
        with st.container(horizontal=True, vertical_alignment="center", key=f"place_of_{each.shop_id}_{each.id}"):
            state = "" if each.enabled else " :gray-badge[Switched off]"
            st.markdown(
                f"**{plain(each.name)}**{state}  \n:small[:gray[{plain(each.shop)}, "
                f"{plural(each.listings, 'listing')}]]", width=360,
            )  # fmt: skip
            ids = list(names)
            place = st.selectbox(
                f"Served from, {each.name}", ids, index=ids.index(each.location_id), width=260,
                format_func=lambda key: names.get(key, ""), label_visibility="collapsed",
                key=f"place_{each.shop_id}_{each.id}_{each.location_id}", disabled=not live.can_act(),
            )  # fmt: skip
        if place != each.location_id:
            chosen.append(Mapped(each.shop_id, each.id, place))
    return chosen


def look(wishes: list[Mapped]) -> None:
    """Work out what a mapping would change, and open it."""
    seen = live.attempt(places.preview_mapping, live.runtime().store, wishes)
    if seen is not None:
        st.session_state[_WISHES], st.session_state[_SEEN] = wishes, seen


def open_form(which: str) -> None:
    """Open one of the forms."""
    st.session_state[_OPEN] = which


def _close() -> None:
    for key in (_OPEN, _WISHES, _SEEN):
        st.session_state.pop(key, None)


def opened(names: Mapping[int, str]) -> bool:
    """Draw the form or preview that was asked for; whether there is one."""
    if _SEEN in st.session_state:
        _preview(st.session_state[_SEEN], len(st.session_state[_WISHES]))
    elif st.session_state.get(_OPEN) == ADD:
        _add()
    elif st.session_state.get(_OPEN) == MOVE:
        _move(names)
    elif isinstance(st.session_state.get(_OPEN), int):
        _rename(st.session_state[_OPEN], names)
    else:
        return False
    return True


@st.dialog("What TikTok would show differently", width="large", on_dismiss=_close)
def _preview(seen: Preview, wishes: int) -> None:
    live.settle()
    _told(seen)
    st.caption("Open orders stay promised where they were booked. Nothing is changed before you save.")
    st.button(f"Save {plural(wishes, 'change')}", key="places_save", type="primary", on_click=_save,
              disabled=not live.can_act())  # fmt: skip


def _told(seen: Preview) -> None:
    if not seen.shifts:
        st.markdown("**Nothing changes on TikTok.**")
        return
    zero = f", {number(seen.emptied)} of them none at all" if seen.emptied else ""
    st.markdown(
        f"**{plural(len(seen.shifts), 'listing')} would show another number:** {number(seen.higher)} more, "
        f"{number(seen.lower)} fewer{zero}."
    )
    tables.show(
        {
            "sku": [each.sku for each in seen.shifts[:200]],
            "before": [each.before for each in seen.shifts[:200]],
            "after": [each.after for each in seen.shifts[:200]],
            "title": [each.title for each in seen.shifts[:200]],
        },
        {
            "sku": st.column_config.TextColumn("SKU", width=150),
            "before": tables.numbers("Now", 70, "What it should show now."),
            "after": tables.numbers("Then", 70),
            "title": st.column_config.TextColumn("Product", width=330),
        },
        key="place_shifts", alt="Listings with what they should show before and after", most=10,
    )  # fmt: skip
    if len(seen.shifts) > 200:
        st.caption(f"and {number(len(seen.shifts) - 200)} more")


def _save() -> None:
    wishes: list[Mapped] = st.session_state[_WISHES]
    _close()
    live.attempt(
        places.map_warehouses, live.runtime().store, wishes, done="Saved. TikTok follows with the next changes sent."
    )


@st.dialog("Add a location", on_dismiss=_close)
def _add() -> None:
    live.settle()
    st.text_input("Name", key="place_name", max_chars=places.LONGEST, placeholder="Such as: Garage")
    st.caption("It starts empty. Then choose below which warehouses it serves, and count or move goods there.")
    st.button("Add the location", key="place_add", type="primary", on_click=_added, disabled=not live.can_act())


def _added() -> None:
    name = str(st.session_state.get("place_name", ""))
    if live.attempt(places.add, live.runtime().store, name, done=f"Added: {' '.join(name.split())}.") is not None:
        _close()


@st.dialog("Rename a location", on_dismiss=_close)
def _rename(place: int, names: Mapping[int, str]) -> None:
    live.settle()
    st.text_input("Name", names.get(place, ""), key=f"place_rename_{place}", max_chars=places.LONGEST)
    st.button("Rename", key="place_renamed", type="primary", on_click=_renamed, args=(place,),
              disabled=not live.can_act())  # fmt: skip


def _renamed(place: int) -> None:
    name = str(st.session_state.get(f"place_rename_{place}", ""))
    _close()
    live.attempt(places.rename, live.runtime().store, place, name, done="Renamed.")


@st.dialog("Move goods", width="medium", on_dismiss=_close)
def _move(names: Mapping[int, str]) -> None:
    live.settle()
    rt = live.runtime()
    search = st.text_input("Find the item", key="move_find", type="search", live="300ms", placeholder="SKU or name")
    with rt.store.read() as connection:
        found = items.find(connection, search)
    if not found:
        st.caption("No item has these words. Try fewer of them.")
        return
    titles = {each.sku: f"{each.sku}: {each.title} {each.variant}" for each in found}
    sku = st.selectbox("Item", list(titles), format_func=lambda key: titles.get(key, key), key="move_sku")
    with rt.store.read() as connection:
        there = {each.location_id: each.on_hand for each in known.lies(connection, sku)}
    ids = list(names)
    left, right = st.columns(2)
    source = left.selectbox(
        "From", ids, format_func=lambda key: f"{names[key]} ({number(there.get(key, 0))})", key="move_from"
    )
    goal = right.selectbox(
        "To", [each for each in ids if each != source], key="move_to",
        format_func=lambda key: f"{names[key]} ({number(there.get(key, 0))})",
    )  # fmt: skip
    most = there.get(source, 0)
    if most < 1:
        st.caption(f"Nothing of it lies in {plain(names[source])}. Count it there first, or choose another location.")
        return
    units = st.number_input("Units", min_value=1, max_value=most, value=1, step=1, key=f"move_units_{sku}_{source}")
    note = st.text_input("Note", key="move_note", max_chars=200, placeholder="Optional")
    transfer = Transfer(sku, int(units), source, goal, note)
    seen = live.attempt(places.preview_move, rt.store, transfer) if live.can_act() else None
    if seen is not None:
        _told(seen)
    st.button(f"Move {plural(int(units), 'unit')}", key="move_go", type="primary", on_click=_moved, args=(transfer,),
              disabled=not live.can_act())  # fmt: skip


def _moved(transfer: Transfer) -> None:
    _close()
    live.attempt(
        places.move, live.runtime().store, transfer, done=f"Moved: {plural(transfer.units, 'unit')} of {transfer.sku}."
    )

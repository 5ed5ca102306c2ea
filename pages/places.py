"""Where do your goods lie? Locations of the owner's own, and the TikTok warehouses that each of them serves."""

import streamlit as st

from core.store.queries import places
from core.ui import live, place_views, tables

QUESTION = "Where do your goods lie?"

rt, shop = live.runtime(), live.connected(QUESTION, "There is nothing to map yet")
with rt.store.read() as connection:
    found, served = places.places(connection), places.warehouses(connection)
names = {each.id: each.name for each in found}
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    live.heading(QUESTION, place_views.answer(found))
    with st.container(horizontal=True, width="content"):
        if len(found) > 1:
            st.button("Move goods", key="move_open", disabled=not rt.owner, on_click=place_views.open_form,
                      args=(place_views.MOVE,))  # fmt: skip
        st.button("Add a location", key="add_open", disabled=not rt.owner, on_click=place_views.open_form,
                  args=(place_views.ADD,), type="secondary" if len(found) > 1 else "primary")  # fmt: skip
place_views.table(found)
with st.container(horizontal=True, vertical_alignment="center"):
    for each in found:
        st.button(f"Rename {each.name}", key=f"rename_{each.id}", type="tertiary", disabled=not rt.owner,
                  on_click=place_views.open_form, args=(each.id,))  # fmt: skip

st.subheader("What serves which warehouse", anchor=False)
if not served:
    tables.empty("No warehouse has been read yet", "They are read when a shop is connected.")
elif len(found) == 1:
    st.caption(
        "Every warehouse is served from your one location. Add another one if your goods lie in several places: then "
        "each warehouse on TikTok offers what lies where it is served from."
    )
wishes = place_views.mapping(served, names) if served and len(found) > 1 else []
if wishes:
    live.hold()
    st.button("See what changes", key="places_look", type="primary", disabled=not rt.owner, on_click=place_views.look,
              args=(wishes,))  # fmt: skip
elif len(found) > 1:
    st.caption(
        "Each warehouse offers what is free in the location that serves it. A change is shown before it is saved."
    )
if place_views.opened(names):
    live.hold()

"""Parts of the Rules page: items and their groups in a table to type into, many at once, reviewed before it counts."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.store.queries.rules import GroupRow, Member
from core.ui import live, rule_views, tables
from core.ui.text import plural

ANY, NONE = "", "\n"  # no group can have these names
_DRAFT, _ROUND, _SHOWN = "groups_draft", "groups_round", "groups_shown"


def draft() -> dict[int, str]:
    """What was typed and is not saved yet, by item; it stays while pages and filters change."""
    found: dict[int, str] = st.session_state.setdefault(_DRAFT, {})
    return found


def take_over() -> dict[int, str]:
    """Take over what was typed into the table since it was drawn."""
    key, rows, _ = st.session_state.get(_SHOWN, (_SHOWN, [], {}))
    edits = st.session_state[key]["edited_rows"] if rows and key in st.session_state else {}
    for place, cells in edits.items():
        if "group" in cells:
            _put(rows[int(place)], (cells["group"] or "").strip())
    return draft()


def _put(row: Member, name: str) -> None:
    if name == row.group_name:
        draft().pop(row.item_id, None)
    else:
        draft()[row.item_id] = name


def _picked() -> list[Member]:
    key, rows, _ = st.session_state.get(_SHOWN, (_SHOWN, [], {}))
    edits = st.session_state[key]["edited_rows"] if rows and key in st.session_state else {}
    return [rows[int(place)] for place, cells in edits.items() if cells.get("pick")]


def forget() -> None:
    """Throw away what was typed."""
    st.session_state[_DRAFT] = {}
    _draw_anew()


def _draw_anew() -> None:
    st.session_state.pop(_SHOWN, None)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def choose(groups: Sequence[GroupRow]) -> str | None:
    """The filter by group: one of them, "" for items in none, None for all."""
    options = {ANY: "All items", NONE: "In no group"}
    options |= {group.name: f"{group.name} ({group.items:,})" for group in groups}
    chosen = tables.choice("Group", options, "rules_in", width=240)
    return None if chosen == ANY else "" if chosen == NONE else chosen


def editor(rows: Sequence[Member]) -> None:
    """One page of items, with their groups to type into and a mark to choose several."""
    key = f"groups_edit_{st.session_state.get(_ROUND, 0)}_{hash(tuple(row.item_id for row in rows))}"
    shown, _, start = st.session_state.get(_SHOWN, ("", [], {}))
    if shown != key:  # only a table that is drawn anew begins with the draft; what is typed into it lies on top
        start = dict(draft())
    st.data_editor(
        _frame(rows, start), key=key, hide_index=True, num_rows="fixed", height=tables.height(len(rows), 16),
        disabled=["sku", "product", "listings"], column_config=_config(), row_height=32, placeholder="",
        alt="Items and the group that each is in",
    )  # fmt: skip
    st.session_state[_SHOWN] = (key, list(rows), start)


def _frame(rows: Sequence[Member], start: dict[int, str]) -> Any:
    import pandas as pd

    # Nothing here changes while the owner types: a table that is drawn anew would swallow what is being typed.
    return pd.DataFrame(
        {
            "pick": [False for _ in rows],
            "sku": [row.sku for row in rows],
            "group": [start.get(row.item_id, row.group_name) for row in rows],
            "product": [f"{row.title}, {row.variant}" if row.variant else row.title for row in rows],
            "listings": [row.listings for row in rows],
        }
    )


def _config() -> dict[str, Any]:
    column = st.column_config
    return {
        "pick": column.CheckboxColumn("", width=40, help="Choose several, and put them into one group below."),
        "sku": column.TextColumn("SKU", width=160),
        "group": column.TextColumn("Group", width=200, max_chars=60, help="Type a name; empty is no group."),
        "product": column.TextColumn("Product", width=360),
        "listings": tables.numbers("Listings", 80),
    }


def bar(groups: Sequence[GroupRow]) -> None:
    """Put all chosen items of this page into one group."""
    picked = _picked()
    if not picked:
        st.caption("Type a group's name beside an item, or mark several and put them into one group at once.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="groups_bar"):
        st.selectbox("Group for those marked", [group.name for group in groups], index=None, key="groups_name",
                     accept_new_options=True, width=260, placeholder="Choose a group, or name a new one")  # fmt: skip
        st.button(f"Put {plural(len(picked), 'item')} into it", key="groups_put", on_click=_put_all, args=(picked,),
                  disabled=not live.can_act())  # fmt: skip


def _put_all(rows: Sequence[Member]) -> None:
    name = (st.session_state.get("groups_name") or "").strip()
    for row in rows:
        _put(row, name)
    _draw_anew()


def review() -> None:
    """Plan what was typed; without a change on TikTok it is saved at once."""
    moved = dict(draft())
    plan = live.attempt(live.runtime().propose_groups, moved)
    if plan is not None:
        forget()
        rule_views.went(plan, f"{plural(len(moved), 'item')} moved")

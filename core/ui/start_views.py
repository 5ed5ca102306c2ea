"""Parts of the page where first contact is made: the choices for all and for each product, and the numbers entered."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.sync import starting
from core.sync.start_rows import Waiting
from core.sync.starting import Choice, Group, Unsettled, Wish
from core.ui import live, tables
from core.ui.text import number, plain, plural

ALL = {Choice.OURS: "Your count", Choice.THEIRS: "TikTok's number", Choice.LATER: "Decide for each product"}
EACH = {
    Choice.OURS: "Your count",
    Choice.THEIRS: "TikTok's number",
    Choice.ENTER: "A number I enter",
    Choice.LATER: "Later",
}
ANSWERS = {False: "No, those units are still in it", True: "Yes, they were taken off"}
_PRODUCTS, _ENTERED, _SHOWN, _ROUND = "start_products", "start_entered", "start_shown", "start_round"
_MOST = 99_999


def answer(found: Waiting) -> str:
    """The headline."""
    if not found.listings:
        return "Every linked listing has its start"
    return f"{plural(found.listings, 'listing')} of {plural(found.products, 'product')} have no start yet"


def question(listings: Sequence[Unsettled], last: bool) -> bool:
    """Whether the own count leaves out what is ordered on TikTok; asked with an example of the owner's own goods."""
    with st.container(border=True, key="start_question"):
        chosen = st.radio(
            "When you made your count, did it already leave out what TikTok's customers had ordered?",
            list(ANSWERS), index=int(last), format_func=ANSWERS.__getitem__, horizontal=True, key="start_leaves_out",
        )  # fmt: skip
        st.caption(_example(starting.example(listings)))
    return bool(chosen)


def _example(one: Unsettled | None) -> str:
    unsure = "If you are not sure, take No: it offers less."
    if one is None:
        return f"Ordered but not sent yet: such units lie on your shelf and are no longer yours to sell. {unsure}"
    units, held = one.on_hand, one.open_units
    name = f"{one.title}, {one.variant}" if one.variant else one.title
    return (
        f"{plain(name)}: your count says {number(units)}, and {number(held)} are ordered on TikTok and not sent yet. "
        f"If they are among the {number(units)}, {number(max(0, units - held))} are left to sell. If they were taken "
        f"off already, {number(units + held)} are on the shelf and {number(units)} are left to sell. {unsure}"
    )


def wish(everything: Choice, leaves_out: bool) -> Wish:
    """All that was chosen and typed so far."""
    return Wish(everything, dict(_products()), dict(_entered()), leaves_out)


def forget() -> None:
    """Drop what was chosen; the plan holds it now."""
    for key in (_PRODUCTS, _ENTERED, _SHOWN):
        st.session_state.pop(key, None)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _products() -> dict[str, Choice]:
    found: dict[str, Choice] = st.session_state.setdefault(_PRODUCTS, {})
    return found


def _entered() -> dict[str, int]:
    found: dict[str, int] = st.session_state.setdefault(_ENTERED, {})
    return found


def take_over() -> None:
    """Take over what was chosen and typed in the tables since they were drawn."""
    for key, ids, column in st.session_state.get(_SHOWN, ()):
        edits = st.session_state[key]["edited_rows"] if key in st.session_state else {}
        for place, cells in edits.items():
            if column in cells:
                _keep(ids[int(place)], column, cells[column])


def _keep(name: str, column: str, value: Any) -> None:
    if column == "start":
        by_word = {word: choice for choice, word in EACH.items()}
        _put(_products(), name, by_word.get(value))
    else:
        _put(_entered(), name, None if value is None else int(value))


def _put(where: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        where.pop(name, None)
    else:
        where[name] = value


def products(groups: Sequence[Group]) -> None:
    """The table of products with a choice for each; an empty choice goes with the one for all."""
    import pandas as pd

    ids = [group.product_id for group in groups]
    key = _key("start_choose", ids)
    start = _first(key, {name: EACH[choice] for name, choice in _products().items()})
    column = st.column_config
    st.data_editor(
        pd.DataFrame(
            {
                "product": [group.title for group in groups],
                "start": [start.get(name) for name in ids],
                "listings": [len(group.listings) for group in groups],
                "yours": _whole([group.on_hand for group in groups]),
                "ordered": _whole([group.ordered for group in groups]),
                "theirs": _whole([group.available for group in groups]),
                "difference": _whole([group.difference or None for group in groups]),
                "note": [group.note for group in groups],
            }
        ),
        column_config={
            "product": column.TextColumn("Product", width=260),
            "start": column.SelectboxColumn("Starts from", options=list(EACH.values()), width=150,
                                            help="Empty: what you chose for all."),
            "listings": tables.numbers("Listings", 66),
            "yours": tables.numbers("Your count", 84, "Units on hand, by your count."),
            "ordered": tables.numbers("Ordered", 70, "Units of open orders on TikTok."),
            "theirs": tables.numbers("TikTok shows", 92),
            "difference": tables.numbers("Difference", 80, "TikTok shows, less what your count leaves to sell.",
                                         "%+d"),
            "note": column.TextColumn("To know", width=330),
        },
        disabled=["product", "listings", "yours", "ordered", "theirs", "difference", "note"],
        key=key, hide_index=True, num_rows="fixed", height=tables.height(len(groups), 16), row_height=32,
        placeholder="", alt="Products without a start, with both numbers and your choice",
    )  # fmt: skip
    st.caption("To choose for one product, click its cell under Starts from. A product goes with all its variants.")
    _show(key, ids, "start")


def entering(groups: Sequence[Group], everything: Choice) -> None:
    """The listings of those products that start from a number of the owner's, with a column to type it into."""
    import pandas as pd

    chosen = Wish(everything, _products())
    listings = [each for group in groups for each in group.listings if chosen.of(each) is Choice.ENTER]
    if not listings:
        return
    ids = [each.sku_id for each in listings]
    key = _key("start_enter", ids)
    start = _first(key, _entered())
    st.markdown("**What lies on the shelf?** Enter everything, also what is ordered and not sent yet.")
    column = st.column_config
    st.data_editor(
        pd.DataFrame(
            {
                "sku": [each.seller_sku for each in listings],
                "entered": _whole([start.get(name) for name in ids]),
                "product": [f"{each.title}, {each.variant}" if each.variant else each.title for each in listings],
                "yours": _whole([each.on_hand if each.counted else None for each in listings]),
                "ordered": _whole([each.ordered for each in listings]),
                "theirs": _whole([each.available for each in listings]),
            }
        ),
        column_config={
            "sku": column.TextColumn("SKU", width=150),
            "entered": column.NumberColumn("On the shelf", width=100, min_value=0, max_value=_MOST, step=1),
            "product": column.TextColumn("Product", width=330),
            "yours": tables.numbers("Your count", 84), "ordered": tables.numbers("Ordered", 70),
            "theirs": tables.numbers("TikTok shows", 92),
        },
        disabled=["sku", "product", "yours", "ordered", "theirs"], key=key, hide_index=True, num_rows="fixed",
        height=tables.height(len(listings), 12), row_height=32, placeholder="",
        alt="Listings with a column for what lies on the shelf",
    )  # fmt: skip
    _show(key, ids, "entered")


def begin() -> None:
    """Called before the tables are drawn: what is shown is gathered anew."""
    st.session_state["start_drawn"] = []


def end() -> None:
    """Called after them: from now on these are the tables that are typed into."""
    st.session_state[_SHOWN] = st.session_state.pop("start_drawn", [])


def _show(key: str, ids: list[str], column: str) -> None:
    st.session_state["start_drawn"].append((key, ids, column))


def _key(name: str, ids: Sequence[str]) -> str:
    return f"{name}_{st.session_state.get(_ROUND, 0)}_{hash(tuple(ids))}"


def _first(key: str, draft: Mapping[str, Any]) -> dict[str, Any]:
    """A table that is drawn anew begins with what was chosen before; what is typed into it lies on top."""
    kept: dict[str, dict[str, Any]] = st.session_state.setdefault("start_first", {})
    shown = {each for each, _, _ in st.session_state.get(_SHOWN, ())}
    if key not in shown:
        kept[key] = dict(draft)
    return kept.setdefault(key, dict(draft))


def _whole(values: Sequence[int | None]) -> Any:
    import pandas as pd

    return pd.array(list(values), dtype="Int64")


def left_out(found: Waiting) -> None:
    """What this page does not ask about, and where it is mended."""
    if found.unlinked:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                f"{plural(found.unlinked, 'listing')} linked to none of your items, or with a SKU that is there twice, "
                "can start once you have linked them.", width="content",
            )  # fmt: skip
            st.page_link("catalog.py", label="Open Catalogue", query_params={"view": "unlinked"}, width="content")


def propose(shop_id: str, listings: int) -> None:
    """Make the plan of what the fields hold now, and go and read it."""
    take_over()
    state = st.session_state
    everything = Choice(state.get("start_all") or Choice.OURS)
    asked = wish(everything, bool(state.get("start_leaves_out")))
    plan = live.attempt(live.runtime().propose_start, shop_id, asked)
    if plan is None:
        return
    forget()
    state["go_plan"] = plan.id
    waits = listings - plan.rows
    if waits:
        left = f"{plural(waits, 'listing')} cannot start so and {'waits' if waits == 1 else 'wait'}"
        live.say(f"{plural(plan.rows, 'listing')} in this plan. {left}: the column To know says why.")

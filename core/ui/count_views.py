"""Parts of the Count page: the table to type into, the review before anything is booked, and what moved meanwhile."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.money import from_units
from core.store.queries.stocktake import CountRow
from core.sync import stocktake
from core.sync.stocktake import Counted, Line, Review, Verdict
from core.ui import live, tables
from core.ui.text import clock_time, currency_name, money, number, plain, plural, sentence_list, signed

SORTS = {"sku": "By SKU", "title": "By product", "longest": "Longest not counted"}
_DRAFT, _ROUND, _SHOWN = "count_draft", "count_round", "count_shown"
_MOVED, _OPEN, _PLACE = "count_moved", "count_review", "count_at"


def draft() -> dict[int, Counted]:
    """What was typed so far and is not booked yet, by item; it stays while pages and filters change."""
    found: dict[int, Counted] = st.session_state.setdefault(f"{_DRAFT}_{place()}", {})
    return found


def place() -> int:
    """The location that is counted; 0 while there is only one."""
    return int(st.session_state.get(_PLACE, 0))


def choose_place(names: Mapping[int, str]) -> int:
    """Which location is counted, asked where there are several; what was typed for one stays with it."""
    several = {str(key): name for key, name in names.items()} if len(names) > 1 else {}
    st.session_state[_PLACE] = int(tables.choice("Location", several, "count_place", width=200)) if several else 0
    return place()


def take_over() -> dict[int, Counted]:
    """Take over what was typed into the table since it was drawn, with the stock that stood beside it then."""
    key, rows, _ = st.session_state.get(_SHOWN, (_SHOWN, [], {}))
    edits = st.session_state[key]["edited_rows"] if rows and key in st.session_state else {}
    for place, cells in edits.items():
        row, units = rows[int(place)], cells.get("counted")
        known = draft().get(row.item_id)
        if units is None:
            draft().pop(row.item_id, None)
        elif known is None or known.units != int(units):
            draft()[row.item_id] = Counted(row.item_id, int(units), row.on_hand, row.mark)
    return draft()


def forget() -> None:
    """Throw away what was typed."""
    st.session_state[f"{_DRAFT}_{place()}"] = {}
    st.session_state.pop(_SHOWN, None)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def answer(waiting: int, items: int) -> str:
    """The headline."""
    if not items:
        return "There is no item to count yet"
    return f"{plural(waiting, 'count')} typed, nothing booked yet" if waiting else "Type what you count"


def editor(rows: Sequence[CountRow], zone: str) -> None:
    """One page of items with a column to type into."""
    key = f"count_edit_{place()}_{st.session_state.get(_ROUND, 0)}_{hash(tuple(row.item_id for row in rows))}"
    shown, _, start = st.session_state.get(_SHOWN, ("", [], {}))
    if shown != key:  # only a table that is drawn anew begins with the draft; what is typed into it lies on top
        start = {item_id: each.units for item_id, each in draft().items()}
    st.data_editor(
        _frame(rows, start, zone), key=key, hide_index=True, num_rows="fixed", height=tables.height(len(rows), 20),
        disabled=["sku", "product", "on_hand", "promised", "counted_at"], column_config=_config(),
        placeholder="", row_height=32, alt="Items with a column for what you count",
    )  # fmt: skip
    st.session_state[_SHOWN] = (key, list(rows), start)


def _frame(rows: Sequence[CountRow], start: dict[int, int], zone: str) -> Any:
    import pandas as pd

    # Nothing here changes while the owner types: a table that is drawn anew would swallow what is being typed.
    return pd.DataFrame(
        {
            "sku": [row.sku for row in rows],
            "counted": pd.array([start.get(row.item_id) for row in rows], dtype="Int64"),
            "product": [f"{row.title}, {row.variant}" if row.variant else row.title for row in rows],
            "on_hand": pd.array([row.on_hand for row in rows], dtype="Int64"),
            "promised": pd.array([row.reserved for row in rows], dtype="Int64"),
            "counted_at": ["never" if row.counted_at is None else clock_time(row.counted_at, zone) for row in rows],
        }
    )


def _config() -> dict[str, Any]:
    column = st.column_config
    return {
        "sku": column.TextColumn("SKU", width=150),
        "counted": column.NumberColumn("Counted", width=100, min_value=0, max_value=stocktake.MOST_UNITS, step=1,
                                       help="Everything on the shelf, also what is promised but not sent yet."),
        "product": column.TextColumn("Product", width=360),
        "on_hand": tables.numbers("On hand", 80, "What the store believes."),
        "promised": tables.numbers("Promised", 80, "Units of open orders, still on the shelf."),
        "counted_at": column.TextColumn("Last counted", width=120),
    }  # fmt: skip


def open_review() -> None:
    """Open the review."""
    st.session_state[_OPEN] = True


def close_review() -> None:
    """Close it."""
    st.session_state.pop(_OPEN, None)


def reviewing() -> bool:
    """Whether the review is open."""
    return bool(st.session_state.get(_OPEN)) and bool(draft())


def review(seen: Review) -> None:
    """What booking would do: the sums, each difference, what moved meanwhile, and the button that books."""
    live.settle()
    changed, moved = seen.only(Verdict.DIFFERS), seen.only(Verdict.MOVED)
    same = len(seen.only(Verdict.SAME))
    st.markdown(_sums(seen, len(changed), same))
    if seen.warning:
        st.warning(plain(seen.warning))
    if changed:
        _differences(changed)
    if moved:
        st.markdown(
            f"**{plural(len(moved), 'item')} moved since you typed the count.** They are left out; count them again."
        )
        _moved(moved, "review_moved")
    st.text_input("Note", key="count_note", max_chars=200, placeholder="Optional, such as: shelf A, Monday")
    sure = bool(seen.warning) and st.checkbox("I have read the warning; book it all the same", key="count_sure")
    label = f"Book {plural(len(changed), 'difference')}" if changed else f"Confirm {plural(same, 'count')}"
    st.button(label, key="count_book", type="primary", on_click=_book,
              disabled=not live.can_act() or not (changed or same) or bool(seen.warning and not sure))  # fmt: skip


def _sums(seen: Review, changed: int, same: int) -> str:
    told = [f"{plural(same, 'item')} as expected"] if same else []
    if changed:
        units = [
            f"{signed(seen.more)} units" if seen.more else "",
            f"{number(-seen.fewer)} units" if seen.fewer else "",
        ]
        told.append(f"**{plural(changed, 'difference')}** ({', '.join(each for each in units if each)})")
    amounts = [money(amount, currency) for currency, amount in sorted(seen.money.items())]
    cost = f" At cost this is **{sentence_list(amounts)}**." if amounts else ""
    if amounts and seen.without_cost:
        cost += f" {plural(seen.without_cost, 'difference')} without a known cost are not in that."
    return (f"{sentence_list(told)}." if told else "Nothing can be booked.") + cost


def _differences(lines: Sequence[Line]) -> None:
    currencies = {line.currency for line in lines if line.money_units}
    sign = currency_name(currencies.pop()) if len(currencies) == 1 else ""
    tables.show(
        {"sku": [line.sku for line in lines], "old": [line.now for line in lines],
         "new": [line.units for line in lines], "change": [line.change for line in lines],
         "money": [None if line.money_units is None else float(from_units(line.money_units)) for line in lines],
         "product": [line.title for line in lines]},
        {"sku": st.column_config.TextColumn("SKU", width=140), "old": tables.numbers("On hand", 76),
         "new": tables.numbers("Counted", 76), "change": tables.numbers("Difference", 86, None, "%+d"),
         "money": tables.numbers(f"At cost {sign}".strip(), 96, "The difference at what the item costs you.", "%+,.2f"),
         "product": st.column_config.TextColumn("Product", width=250)},
        key="differences", alt="Each difference with the stock before and after", most=10,
    )  # fmt: skip


def moved_meanwhile() -> None:
    """Counts that were not booked because the stock moved in between; shown until they are dismissed."""
    lines: list[Line] = st.session_state.get(_MOVED, [])
    if not lines:
        return
    with st.container(border=True, key="moved_meanwhile"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":orange-badge[Not booked] {plural(len(lines), 'item')} moved while you counted. "
                        "The stock was kept as it was; count them again.", width="stretch")  # fmt: skip
            st.button("Understood", key="clear", on_click=st.session_state.pop, args=(_MOVED, None))
        _moved(lines, "moved")


def _moved(lines: Sequence[Line], key: str) -> None:
    tables.show(
        {"sku": [line.sku for line in lines], "units": [line.units for line in lines],
         "was": [line.was for line in lines], "now": [line.now for line in lines],
         "product": [line.title for line in lines]},
        {"sku": st.column_config.TextColumn("SKU", width=140), "units": tables.numbers("You counted", 92),
         "was": tables.numbers("On hand then", 98), "now": tables.numbers("On hand now", 98),
         "product": st.column_config.TextColumn("Product", width=250)},
        key=key, alt="Counts that were left out because the stock moved", most=6,
    )  # fmt: skip


def _book() -> None:
    """Book what is in the draft, with what the fields hold now: a button knows only what they held when drawn."""
    note, sure = st.session_state.get("count_note", ""), bool(st.session_state.get("count_sure"))
    close_review()
    counted = list(draft().values())
    done = live.attempt(stocktake.apply, live.runtime().store, counted, note=note, confirmed=sure, place=place())
    if done is not None:
        forget()
        st.session_state[_MOVED] = list(done.moved)
        undo = f" It can be undone: plan {done.plan_id} on the page Plans." if done.differences else ""
        live.say(f"{plural(done.counted, 'item')} counted, {plural(done.differences, 'difference')} booked.{undo}")

"""Tables that a shop owner works in: one page of rows from the store, filters in the address, rows to choose."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.ui.text import DASH, number
from core.ui.words import Word, word

PAGE = 50
_ROW, _PAGER = 32, 32


def find(label: str, key: str) -> str:
    """A search field that searches while its owner types; the words are in the address."""
    _from_address(key, "")
    words = st.text_input(
        label, key=key, type="search", live="300ms", label_visibility="collapsed", placeholder=label,
        on_change=_first, args=(key,),
    )  # fmt: skip
    return str(_to_address(key, words.strip(), ""))


def views(label: str, options: Mapping[str, str], key: str, default: str = "") -> str:
    """A row of filters, each with its count in its label; the chosen one is in the address."""
    start = default or next(iter(options))
    _from_address(key, start, options)
    chosen = st.segmented_control(
        label, list(options), key=key, required=True, format_func=lambda name: options.get(name, name),
        label_visibility="collapsed", on_change=_first, args=(key,), wrap=True,
    )  # fmt: skip
    return str(_to_address(key, chosen or start, start))


def choice(label: str, options: Mapping[str, str], key: str, width: int = 180) -> str:
    """A short list to choose one from; the choice is in the address."""
    start = next(iter(options))
    _from_address(key, start, options)
    chosen = st.selectbox(
        label, list(options), key=key, format_func=lambda name: options.get(name, name), width=width,
        label_visibility="collapsed", on_change=_first, args=(key,), filter_mode=None,
    )  # fmt: skip
    return str(_to_address(key, chosen, start))


def _name(key: str) -> str:
    """`stock_show` is called `show` in the address of its page."""
    return key.partition("_")[2]


def _from_address(key: str, start: object, allowed: Collection[str] = ()) -> None:
    """A page opened by a link begins with what the link says, if that makes sense."""
    if key not in st.session_state:
        given = st.query_params.get(_name(key), "")
        st.session_state[key] = given if given and (not allowed or given in allowed) else start


def _to_address(key: str, value: object, start: object) -> object:
    """Keep the address in step, and short: what is as usual is left out."""
    if value == start:
        st.query_params.pop(_name(key), None)
    elif st.query_params.get(_name(key)) != str(value):
        st.query_params[_name(key)] = str(value)
    return value


def _first(key: str) -> None:
    """Another filter or search starts at its first page."""
    _turn(f"{key.partition('_')[0]}_page")


def _turn(key: str) -> str:
    """Page numbers that begin anew are another widget: one that exists cannot be set without a warning."""
    st.session_state[f"{key}_round"] = st.session_state.get(f"{key}_round", 0) + 1
    st.query_params.pop(_name(key), None)
    return f"{key}_{st.session_state[f'{key}_round']}"


def pages(total: int, key: str, *, size: int = PAGE, capped: bool = False, noun: str = "row") -> int:
    """Page numbers under a table, in the address; returns how many rows to skip."""
    count = max(1, -(-total // size))
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key=f"{key}_bar"
    ):
        slot = st.empty()
        page = _page(count, key) if count > 1 else 1
    _to_address(key, page, 1)
    first = (page - 1) * size
    shown = f"{number(first + 1)} to {number(min(total, first + size))} of " if count > 1 else ""
    nouns = noun if total == 1 and not shown else f"{noun}s"
    slot.caption(f"{shown}{'more than ' if capped else ''}{number(total)} {nouns}", width="content")
    return first


def _page(count: int, key: str) -> int:
    """The chosen page of `count`; the first one where the address or the last choice names none of them."""
    widget = f"{key}_{st.session_state.get(f'{key}_round', 0)}"
    if int(st.session_state.get(widget) or 1) > count:
        widget = _turn(key)
    given = st.query_params.get(_name(key), "1")
    start = int(given) if given.isdigit() and 1 <= int(given) <= count else 1
    start = st.session_state.setdefault(f"{widget}_start", start)
    width = _PAGER * (min(count, 7) + 2) + 8
    return st.pagination(count, default=min(start, count), key=widget, max_visible_pages=7, width=width)


def numbers(label: str, width: int | None = None, help: str | None = None, format: str | None = None) -> Any:
    """A column of numbers, their heading above their last digit."""
    return st.column_config.NumberColumn(label, width=width, help=help, format=format, alignment="right")


def chips(words: Mapping[str, Word], label: str, help: str | None = None, width: int | None = None) -> Any:
    """A column of coloured words; its cells are lists of words made by `chip`."""
    seen = {each.text: each.colour for each in words.values()}
    return st.column_config.MultiselectColumn(
        label, options=list(seen), color=list(seen.values()), help=help, width=width
    )  # fmt: skip


def chip(words: dict[str, Word], state: str) -> list[str]:
    """The cell of a chip column for one state."""
    return [word(words, state).text]


def frame(columns: Mapping[str, Sequence[Any]]) -> Any:
    """A data frame; whole numbers that may be missing stay whole."""
    import pandas as pd

    def typed(values: Sequence[Any]) -> Any:
        present = [value for value in values if value is not None]
        whole = present and all(type(value) is int for value in present)
        return pd.array(list(values), dtype="Int64") if whole else list(values)

    return pd.DataFrame({name: typed(values) for name, values in columns.items()})


def height(rows: int, most: int) -> Any:
    """As high as its rows, at most `most` of them without scrolling inside."""
    return "content" if rows <= most else _ROW * (most + 1)


def show(
    columns: Mapping[str, Sequence[Any]], config: Mapping[str, Any], *, key: str, alt: str, most: int = 16
) -> None:
    """A table to read."""
    rows = len(next(iter(columns.values()), ()))
    with st.container(key=f"{key}_table"):
        st.dataframe(
            frame(columns),
            column_config=dict(config),
            hide_index=True,
            height=height(rows, most),
            row_height=_ROW,
            alt=alt,
            placeholder=DASH,
        )


def select(
    columns: Mapping[str, Sequence[Any]],
    config: Mapping[str, Any],
    ids: Sequence[str],
    *,
    key: str,
    alt: str,
    mode: str = "multi-row",
    most: int = 16,
) -> list[str]:
    """A table whose rows can be chosen; returns the ids of the chosen rows.

    A choice belongs to the ids, not to places in the table: when other rows come in, it follows them.
    """
    state = st.session_state
    shown: list[str] = state.get(f"{key}_ids", list(ids))
    round_ = state.get(f"{key}_round", 0)
    chosen = [shown[row] for row in _rows(state.get(f"{key}_{round_}")) if row < len(shown)]
    start: list[int] = []
    if shown != list(ids) and chosen:
        round_ = state[f"{key}_round"] = round_ + 1
        start = [place for place, each in enumerate(ids) if each in set(chosen)]
    state[f"{key}_ids"] = list(ids)
    event = st.dataframe(
        frame(columns),
        column_config=dict(config),
        hide_index=True,
        height=height(len(ids), most),
        alt=alt,
        row_height=_ROW,
        placeholder=DASH,
        key=f"{key}_{round_}",
        on_select="rerun",
        selection_mode=mode,  # type: ignore[call-overload]
        selection_default={"selection": {"rows": start, "columns": [], "cells": []}} if start else None,
    )
    return [ids[row] for row in event.selection.rows if row < len(ids)]


def forget(key: str) -> None:
    """Drop the choice of rows of a table made by `select`."""
    st.session_state[f"{key}_round"] = st.session_state.get(f"{key}_round", 0) + 1
    st.session_state.pop(f"{key}_ids", None)


def _rows(state: Any) -> list[int]:
    return list(state["selection"]["rows"]) if state else []


def clicked(key: str, ids: Iterable[str], act: Callable[[str], None]) -> None:
    """What a button column does: hand the id of the clicked row to `act`; use it as the column's `on_click`."""
    click = st.session_state.get(key)
    names = list(ids)
    if click is not None and click["row"] < len(names):
        act(names[click["row"]])


def empty(title: str, body: str) -> None:
    """What stands where a table would be when there is nothing to show: why, and what to do."""
    with st.container(border=True, horizontal_alignment="center", key=f"empty_{abs(hash(title)) % 10_000}"):
        st.markdown(f"**{title}**", text_alignment="center")
        st.caption(body, text_alignment="center")

"""Tables that a shop owner works in: one page of rows from the store, filters in the address, rows to choose."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.ui.text import DASH, number
from core.ui.words import Word, word

PAGE = 50
_ROW = 32


def find(label: str, key: str, page_key: str, placeholder: str = "") -> str:
    """A search field that searches while its owner types; the text is in the address under `key`."""
    return st.text_input(
        label, key=key, type="search", live="300ms", bind="query-params", label_visibility="collapsed",
        placeholder=placeholder or label, on_change=_first, args=(page_key,),
    ).strip()  # fmt: skip


def views(label: str, options: Mapping[str, str], key: str, page_key: str) -> str:
    """A row of filters, each with its count in its label; the chosen one is in the address under `key`."""
    names = list(options)
    chosen = st.segmented_control(
        label, names, default=names[0], key=key, required=True, format_func=lambda name: options.get(name, name),
        bind="query-params", label_visibility="collapsed", on_change=_first, args=(page_key,), wrap=True,
    )  # fmt: skip
    return chosen if chosen in options else names[0]


def choice(label: str, options: Mapping[str, str], key: str, page_key: str = "", width: int = 180) -> str:
    """A short list to choose one from; the choice is in the address under `key`."""
    names = list(options)
    chosen = st.selectbox(
        label, names, key=key, format_func=lambda name: options.get(name, name), bind="query-params", width=width,
        label_visibility="collapsed", on_change=_first, args=(page_key,), filter_mode=None,
    )  # fmt: skip
    return chosen if chosen in options else names[0]


def _first(page_key: str) -> None:
    """Another filter or search starts at its first page."""
    if page_key and page_key in st.session_state:
        st.session_state[page_key] = 1


def pages(total: int, key: str, size: int = PAGE, capped: bool = False, noun: str = "row") -> int:
    """Page numbers under a table, in the address under `key`; returns how many rows to skip."""
    count = max(1, -(-total // size))
    if key in st.session_state and not 1 <= int(st.session_state[key] or 1) <= count:
        st.session_state[key] = 1
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key=f"{key}_bar"):
        slot = st.empty()
        page = st.pagination(count, key=key, bind="query-params", max_visible_pages=7) if count > 1 else 1
    first = (page - 1) * size
    shown = f"{number(first + 1)} to {number(min(total, first + size))} of " if count > 1 else ""
    nouns = noun if total == 1 and not shown else f"{noun}s"
    slot.caption(f"{shown}{'more than ' if capped else ''}{number(total)} {nouns}", width="content")
    return first


def chips(words: Mapping[str, Word], label: str, help: str | None = None, width: int | str | None = None) -> Any:
    """A column of coloured words; its cells are lists of words made by `chip`."""
    seen = {each.text: each.colour for each in words.values()}
    return st.column_config.MultiselectColumn(
        label, options=list(seen), color=list(seen.values()), help=help, width=width,  # type: ignore[arg-type]
    )  # fmt: skip


def numbers(label: str, width: int | None = None, help: str | None = None, format: str | None = None) -> Any:
    """A column of numbers, their heading above their last digit."""
    return st.column_config.NumberColumn(label, width=width, help=help, format=format, alignment="right")


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
            frame(columns), column_config=dict(config), hide_index=True, height=height(rows, most), row_height=_ROW, alt=alt,
            placeholder=DASH,
        )  # fmt: skip


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
        frame(columns), column_config=dict(config), hide_index=True, height=height(len(ids), most), alt=alt, row_height=_ROW, placeholder=DASH,
        key=f"{key}_{round_}", on_select="rerun", selection_mode=mode,  # type: ignore[call-overload]
        selection_default={"selection": {"rows": start, "columns": [], "cells": []}} if start else None,
    )  # fmt: skip
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

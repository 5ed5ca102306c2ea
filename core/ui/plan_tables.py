"""The tables of plans: the rows of one with filters and money, and the list of them all."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.money import from_units, show
from core.store.queries.plans import PlanHead, PlanLine, Totals
from core.ui import plan_words, tables, words
from core.ui.text import ago, clock_time, currency_name, number

SORTS = {"change": "Largest change", "money": "Most money", "sku": "SKU"}


def filters(plan: PlanHead, found: Totals, states: Mapping[str, int]) -> dict[str, str]:
    """The filter names with their counts; those that would find nothing are left out."""
    left = states.get("review", 0) + states.get("proposed", 0)
    counts = {
        "all": ("All", sum(states.values())), "more": ("More", found.raises), "less": ("Less", found.lowers),
        "zero": ("To zero", found.emptied), "warned": ("Warned", found.warned),
        "skipped": ("Left out", states.get("skipped", 0)), "cannot": ("Has to stay", states.get("cannot", 0)),
    }  # fmt: skip
    if plan.state in ("done", "stopped"):
        done = states.get("done", 0) + states.get("undone", 0)
        counts |= {"done": ("Done", done), "left": ("Left", left), "unsure": ("Answer lost", states.get("unsure", 0))}
    return {name: f"{label} {number(count)}" for name, (label, count) in counts.items() if count or name == "all"}


def columns(plan: PlanHead, lines: Sequence[PlanLine], *, states: bool) -> dict[str, list[Any]]:
    """The table of changes, column by column; with `states` also what became of each row."""
    found: dict[str, list[Any]] = {"sku": [line.sku for line in lines]}
    if states:
        found["state"] = [_state(plan, line.state) for line in lines]
    found |= {
        "old": [_whole(line.old) for line in lines],
        "new": [_whole(line.new) for line in lines],
        "change": [line.change if line.change is not None else _change(line) for line in lines],
        "money": _money(lines),
        "product": [f"{line.title}, {line.variant}" if line.variant else line.title for line in lines],
        "rule": [f"{line.rule}. {line.warning}" if line.warning else line.rule for line in lines],
        "read": [ago(line.read_at) for line in lines],
    }
    if states:
        found["result"] = [line.result for line in lines]
    return found


def config(lines: Sequence[PlanLine], *, states: bool) -> dict[str, Any]:
    """How the columns look."""
    column = st.column_config
    stock = bool(lines) and all(line.field == "on hand" for line in lines)
    currencies = _currencies(lines)
    worth = f"At price {currency_name(currencies.pop())}" if len(currencies) == 1 else "At price"
    help_ = "The change times the price of the listing: what comes off sale, or is newly offered."
    shown = {
        "sku": column.TextColumn("SKU", width=150),
        "state": tables.chips(words.PLAN_ROW, "State", width=120),
        "old": tables.numbers("On hand" if stock else "TikTok shows", 92),
        "new": tables.numbers("New", 60), "change": tables.numbers("Change", 70, None, "%+d"),
        "money": tables.numbers(worth, 100, help_, "%+,.2f") if len(_currencies(lines)) < 2
                 else column.TextColumn(worth, width=110, alignment="right", help=help_),
        "product": column.TextColumn("Product", width=230), "rule": column.TextColumn("Rule", width=300),
        "read": column.TextColumn("Read", width=84), "result": column.TextColumn("Result", width=330),
    }  # fmt: skip
    return {name: each for name, each in shown.items() if states or name not in ("state", "result")}


def _state(plan: PlanHead, state: str) -> list[str]:
    ended = state == "proposed" and plan.state in plan_words.ENDED
    return tables.chip(words.PLAN_ROW, "not sent" if ended else state)


def _currencies(lines: Sequence[PlanLine]) -> set[str]:
    return {line.currency for line in lines if line.stake_units is not None}


def _money(lines: Sequence[PlanLine]) -> list[Any]:
    if len(_currencies(lines)) < 2:
        return [None if line.stake_units is None else float(from_units(line.stake_units)) for line in lines]
    return ["" if line.stake_units is None else show(line.stake_units, line.currency) for line in lines]


def _whole(value: str) -> int | None:
    return int(value) if value.lstrip("-").isdigit() else None


def _change(line: PlanLine) -> int | None:
    old, new = _whole(line.old), _whole(line.new)
    return None if old is None or new is None else new - old


def overview(plans: Sequence[PlanHead], zone: str) -> dict[str, list[Any]]:
    """The list of plans, column by column."""
    return {
        "id": [plan.id for plan in plans],
        "made": [clock_time(plan.created_at, zone) for plan in plans],
        "what": [plan_words.name(plan) for plan in plans],
        "rows": [plan.rows for plan in plans],
        "state": [tables.chip(plan_words.STATE, plan.state) for plan in plans],
        "open": ["Open" for _ in plans],
        "by": ["the command line" if plan.actor == "cli" else "you" for plan in plans],
    }


def overview_config(on_click: Callable[[], None]) -> dict[str, Any]:
    """How the list of plans looks; a click on Open leads to one."""
    column = st.column_config
    return {
        "id": tables.numbers("Plan", 60), "made": column.TextColumn("Made", width=110),
        "what": column.TextColumn("What", width=220), "rows": tables.numbers("Rows", 70),
        "state": tables.chips(plan_words.STATE, "State", width=130),
        "open": column.ButtonColumn("", width=66, type="tertiary", on_click=on_click, key="plan_open"),
        "by": column.TextColumn("Made by", width=140),
    }  # fmt: skip

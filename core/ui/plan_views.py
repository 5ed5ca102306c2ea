"""Parts of the review page: what a plan says of itself, its table, and sending it."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.store.queries.activity import RunLine
from core.store.queries.plans import PlanHead, PlanLine
from core.store.queries.shops import ShopRow
from core.sync import adopt
from core.ui import live, tables, words
from core.ui.text import ago, number, plain, plural

_ENDED = ("done", "stopped", "replaced")
_RUN = "plan_run"


def question(plan: PlanHead) -> str:
    """What the page is about, by the plan's state."""
    return (
        "Review before anything is sent" if plan.state == "proposed" else f"Plan {plan.id}, made {ago(plan.created_at)}"
    )


def answer(plan: PlanHead, states: Mapping[str, int]) -> str:
    """The headline."""
    if plan.state == "proposed" and not plan.rows:
        return "Nothing to change"
    if plan.state == "proposed":
        return (
            f"{plural(plan.rows, 'number')} to take over" if _adopts(plan) else f"{plural(plan.rows, 'change')} to send"
        )
    if plan.state == "replaced":
        return "A newer plan took this one's place"
    finished = plan.rows - states.get("proposed", 0)
    if plan.state in _ENDED:
        return f"{number(states.get('done', 0))} of {plural(plan.rows, 'change')} done"
    return f"Sending: {number(finished)} of {number(plan.rows)}"


def send_label(plan: PlanHead) -> str:
    """What the one primary button will do."""
    return f"Take over {plural(plan.rows, 'number')}" if _adopts(plan) else f"Send {plural(plan.rows, 'change')}"


def _adopts(plan: PlanHead) -> bool:
    """Whether the plan changes our stock to TikTok's numbers instead of TikTok's to ours."""
    return plan.kind == adopt.KIND


def send(plan: PlanHead) -> None:
    """Send the plan in the background; above the owner's limits with the number of rows as typed."""
    typed = st.session_state.get("typed") if plan.warning else None
    run_id = live.attempt(live.runtime().start_plan, plan.id, confirmed_rows=typed)
    if run_id is not None:
        st.session_state[_RUN] = (plan.id, run_id)


def run_of(plan: PlanHead) -> int | None:
    """The run that sends the plan; known to the window that started it even before the plan itself knows."""
    started_plan, run_id = st.session_state.get(_RUN, (None, None))
    return plan.run_id or (run_id if started_plan == plan.id else None)


def stop(run_id: int) -> None:
    """Stop after the row at work; what was sent stays sent."""
    live.attempt(live.runtime().stop_run, run_id, done="It stops after the row it is working on.")


def status(plan: PlanHead, run: RunLine | None, shop: ShopRow) -> None:
    """What stands before sending, how far it is, or what came of it."""
    if plan.state == "proposed" and plan.rows:
        _before(plan, shop)
    elif run is not None and plan.state in _ENDED:
        tell = st.success if plan.state == "done" and run.status == "done" else st.warning
        tell(plain(words.outcome(run)))
    elif run is not None and run.total:
        st.progress(min(1.0, run.done / run.total), text=f"{number(run.done)} of {plural(run.total, 'change')}")
    elif plan.state in ("approved", "running"):
        st.progress(0.0, text="Starting")


def _before(plan: PlanHead, shop: ShopRow) -> None:
    if plan.warning:
        st.warning(plain(plan.warning), title="This is above your limits")
        label = f"To send it all the same, type the number of changes: {plan.rows}"
        st.number_input(label, min_value=0, step=1, value=None, key="typed", width=360)
    if shop.mode == "watch":
        st.info("Until now this shop was only watched. With this plan Evenstock starts to keep its stock even.")
    if _adopts(plan):
        st.caption("Your stock of these items is counted as TikTok shows it; nothing is changed on TikTok.")
    else:
        st.caption(
            "Each number is read once more just before it is sent. One that changed meanwhile comes back to you."
        )


def columns(lines: Sequence[PlanLine], *, sent: bool) -> dict[str, list[Any]]:
    """The table of changes, column by column; with results once it was sent."""
    found: dict[str, list[Any]] = {
        "sku": [line.sku for line in lines],
        "old": [_whole(line.old) for line in lines],
        "new": [_whole(line.new) for line in lines],
        "change": [_change(line) for line in lines],
        "product": [f"{line.title}, {line.variant}" if line.variant else line.title for line in lines],
        "rule": [line.rule for line in lines],
        "read": [ago(line.read_at) for line in lines],
    }
    if sent:
        found |= {
            "state": [tables.chip(words.PLAN_ROW, line.state) for line in lines],
            "result": [line.result for line in lines],
        }
    return found


def config(plan: PlanHead, *, sent: bool) -> dict[str, Any]:
    """How the columns look."""
    column = st.column_config
    shown = {
        "sku": column.TextColumn("SKU", width=150),
        "old": tables.numbers("On hand" if _adopts(plan) else "TikTok shows", 92),
        "new": tables.numbers("New", 60), "change": tables.numbers("Change", 70, None, "%+d"),
        "product": column.TextColumn("Product", width=230), "rule": column.TextColumn("Rule", width=260),
        "read": column.TextColumn("Read", width=84),
    }  # fmt: skip
    if sent:
        shown |= {
            "state": tables.chips(words.PLAN_ROW, "State", width=110),
            "result": column.TextColumn("Result", width=330),
        }
    return shown


def _whole(value: str) -> int | None:
    return int(value) if value.lstrip("-").isdigit() else None


def _change(line: PlanLine) -> int | None:
    old, new = _whole(line.old), _whole(line.new)
    return None if old is None or new is None else new - old

"""Parts of the review page: what a plan would do in all, choosing among its rows, sending, stopping and undoing it."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.store.queries.activity import RunLine
from core.store.queries.plans import PlanHead, Totals
from core.store.queries.shops import ShopRow
from core.sync.approval import Which
from core.sync.kinds import KINDS, Choice
from core.ui import live, tables
from core.ui import words as said
from core.ui.plan_words import ENDED, send_label, words
from core.ui.text import money, number, plain, plural

_RUN = "plan_run"
_TYPED = "typed"


def actions(plan: PlanHead, states: Mapping[str, int], run_id: int | None) -> None:
    """The buttons beside the headline: one primary, in words for what it will do."""
    mine = live.can_act()
    if st.button("All plans", key="back"):
        st.switch_page("plans.py")
    if plan.state == "proposed" and plan.rows:
        held = bool(plan.warning) and st.session_state.get(_TYPED) != plan.rows
        st.button(send_label(plan), key="send", type="primary", on_click=_send, args=(plan,),
                  disabled=not mine or held)  # fmt: skip
    if run_id and plan.state in ("approved", "running"):
        st.button("Stop after this row", key="stop", type="primary", on_click=_stop, args=(run_id,), disabled=not mine)
    if plan.state in ("done", "stopped"):
        _afterwards(plan, states, mine)


def _afterwards(plan: PlanHead, states: Mapping[str, int], mine: bool) -> None:
    kind = KINDS.get(plan.kind)
    left = states.get("review", 0) + states.get("proposed", 0)
    if kind is not None and kind.undo is not None and states.get("done"):
        st.button("Undo", key="undo", on_click=_go, args=("undo", plan.id), disabled=not mine,
                  help="Shows first what would go back, and what no longer can.")  # fmt: skip
    if kind is not None and kind.again is not None and left:
        st.button(f"Review the {number(left)} that {'is' if left == 1 else 'are'} left", key="again", type="primary",
                  on_click=_go, args=("again", plan.id), disabled=not mine)  # fmt: skip


def _go(what: str, plan_id: int) -> None:
    """Propose an undo, or a fresh plan of what is left, and go and read it."""
    rt = live.runtime()
    plan = live.attempt(rt.propose_undo if what == "undo" else rt.propose_again, plan_id)
    if plan is not None:
        st.session_state["go_plan"] = plan.id


def arrive() -> None:
    """Open the plan that a button has just made; filters of the one before do not belong to it."""
    plan_id = st.session_state.pop("go_plan", None)
    if plan_id is not None:
        for key in ("plan_show", "plan_find", "plan_sort", _TYPED):
            st.session_state.pop(key, None)
        tables.forget("plan")
        for name in ("show", "find", "sort", "page"):
            st.query_params.pop(name, None)
        st.query_params["plan"] = str(plan_id)


def _send(plan: PlanHead) -> None:
    """Send the plan in the background; above the owner's limits with the number of rows as typed."""
    typed = st.session_state.get(_TYPED) if plan.warning else None
    run_id = live.attempt(live.runtime().start_plan, plan.id, confirmed_rows=typed, seen_rows=plan.rows)
    if run_id is not None:
        st.session_state[_RUN] = (plan.id, run_id)


def run_of(plan: PlanHead) -> int | None:
    """The run that sends the plan; known to the window that started it even before the plan itself knows."""
    started_plan, run_id = st.session_state.get(_RUN, (None, None))
    return plan.run_id or (run_id if started_plan == plan.id else None)


def _stop(run_id: int) -> None:
    """Stop after the row at work; what was sent stays sent."""
    live.attempt(live.runtime().stop_run, run_id, done="It stops after the row it is working on.")


def status(plan: PlanHead, run: RunLine | None, shop: ShopRow, undone_by: int | None) -> None:
    """What stands before sending, how far it is, or what came of it."""
    if plan.state == "proposed" and plan.rows:
        _before(plan, shop)
    elif run is not None and plan.state in ENDED:
        tell = st.success if plan.state == "done" and run.status == "done" else st.warning
        tell(plain(said.outcome(run)))
    elif run is not None and run.total:
        st.progress(min(1.0, run.done / run.total), text=f"{number(run.done)} of {plural(run.total, 'change')}")
    elif plan.state in ("approved", "running"):
        st.progress(0.0, text="Starting")
    for other, label in ((undone_by, "Taken back by plan"), (plan.undo_of, "Takes back plan")):
        if other is not None:
            st.button(f"{label} {other}", key=f"other_{other}", type="tertiary", icon=":material/arrow_forward:",
                      icon_position="right", on_click=st.session_state.update, args=({"go_plan": other},))  # fmt: skip


def _before(plan: PlanHead, shop: ShopRow) -> None:
    if plan.warning:
        st.warning(plain(plan.warning), title="This is above your limits")
        label = f"To {words(plan).button.lower()} it all the same, type the number of {words(plan).noun}s: {plan.rows}"
        st.number_input(label, min_value=0, step=1, value=None, key=_TYPED, width=360)
    if shop.mode == "watch":
        st.info("Until now this shop was only watched. With this plan Evenstock starts to keep its stock even.")
    st.caption(words(plan).before)


def figures(found: Totals, *, stock: bool) -> None:
    """What the chosen rows do in all, with the money at stake; `stock` says that they change what is on hand."""
    if not (found.raises or found.lowers):
        return
    more, less = ("More on hand", "Less on hand") if stock else ("Raised", "Lowered")
    off, offered = ("Stock less, at price", "Stock more, at price") if stock else ("Comes off sale", "Newly offered")
    at_price = "Units times the price of the listing."
    if found.unpriced:
        at_price += f" {plural(found.unpriced, 'row')} without a known price are not in it."
    with st.grid(5, min_column_width=150, gap="small"):
        st.metric(more, number(found.raises), border=True)
        st.metric(less, number(found.lowers), border=True)
        st.metric("To zero", number(found.emptied), border=True)
        st.metric(off, _sum([(stake.off_units, stake.currency) for stake in found.money]), border=True, help=at_price)
        st.metric(
            offered, _sum([(stake.offered_units, stake.currency) for stake in found.money]), border=True, help=at_price
        )
    warned = f" {plural(found.warned, 'row')} above the last count." if found.warned else ""
    st.caption(f"The largest change is {plural(found.largest, 'unit')}.{warned}")


def _sum(amounts: Sequence[tuple[int, str]]) -> str:
    return " + ".join(money(units, currency) for units, currency in amounts if units) or number(0)


def choice_bar(plan: PlanHead, chosen: Sequence[str]) -> None:
    """What can be done with the rows that are chosen in the table."""
    live.hold()
    with st.bottom, st.container(key="chosen_bar", horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f"**{len(chosen)} chosen**", width="stretch")
        st.button("Clear", key="clear", on_click=tables.forget, args=("plan",))
        choices: tuple[tuple[Choice, str], ...] = (
            ("put back", "Put back"), ("leave out", "Leave out"), ("only", "Only these")
        )  # fmt: skip
        for choice, label in choices:
            _choice_button(plan, choice, label, f"rows_{choice.split()[0]}", Which(entities=list(chosen)))


def filter_bar(plan: PlanHead, count: int, search: str, only: str) -> None:
    """What can be done with all rows that the filter finds, on every page of the table."""
    with st.container(horizontal=True, vertical_alignment="center", key="filter_bar"):
        st.caption(f"All {plural(count, 'row')} found here:" if count > 1 else "The row found here:", width="content")
        choices: tuple[tuple[Choice, str], ...] = (
            ("leave out", "Leave out"),
            ("only", f"Only {'these' if count > 1 else 'this'}"),
        )
        if only == "skipped":
            choices = (("put back", "Put back"),)
        for choice, label in choices:
            _choice_button(plan, choice, label, f"found_{choice.split()[0]}", Which(search=search, only=only))


def _choice_button(plan: PlanHead, choice: Choice, label: str, key: str, which: Which) -> None:
    st.button(label, key=key, disabled=not live.can_act(), on_click=_choose, args=(plan.id, choice, which))


def _choose(plan_id: int, choice: Choice, which: Which) -> None:
    if live.attempt(live.runtime().choose_rows, plan_id, choice, which) is not None:
        tables.forget("plan")
        st.session_state.pop(_TYPED, None)

"""The practice panel: play the customers, a colleague in TikTok's admin, the passing of time, and trouble."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.practice.desk import PracticeDesk, PracticeUnavailable
from core.ui import live
from core.ui.text import plain, plural

_EVENTS = {
    "pay": "Buyer pays", "release": "One-hour hold ends", "ship": "You pack it", "collect": "Carrier collects it",
    "deliver": "It arrives", "complete": "It is completed", "cancel": "Buyer cancels", "return": "Buyer returns it",
}  # fmt: skip
_TROUBLE = {
    "rate_limit": "Too many requests",
    "server_error": "Server error",
    "unavailable_html": "A page instead of an answer",
    "timeout_before": "No answer, nothing done",
    "timeout_after": "No answer, but it was done",
    "expired_token": "Key expired",
    "revoked": "Authorisation taken back",
    "missing_scope": "Permission missing",
    "partial_errors": "Some stock changes refused",
    "slow": "Slow answers",
    "wrong_clock": "Clock ten minutes off",
    "garbage": "Broken answer",
    "empty_page": "Empty search result",
}
_MORE: dict[str, dict[str, Any]] = {
    "wrong_clock": {"offset": 600},
    "slow": {"delay": 3},
    "rate_limit": {"retry_after": 5},
}
_TIMES = {"1": "Once", "3": "Three times", "0": "Until you end it"}


def panel(desk: PracticeDesk, skus: Sequence[tuple[str, str, str]], orders: Sequence[str]) -> None:
    """All knobs; `skus` are (sku_id, SKU, title), `orders` the newest order numbers."""
    try:
        troubles = [each["kind"] for each in desk.state(page_size=1).troubles]
    except PracticeUnavailable as problem:
        st.warning(plain(str(problem)))
        return
    names = {sku_id: f"{sku or sku_id}: {title}" for sku_id, sku, title in skus}
    if names:
        st.selectbox("Product", list(names), format_func=lambda key: names.get(key, key), key="practice_sku")
    left, middle, right = st.columns(3, gap="large")
    with left:
        _customers(desk, orders, goods=bool(names))
    with middle:
        _colleague(desk, goods=bool(names))
    with right:
        _troubles(desk, troubles)


def _button(label: str, key: str, action: Callable[[], Any], done: str, *, disabled: bool = False) -> None:
    """`action` reads the fields when it runs: a button knows only what they held when it was drawn."""
    st.button(label, key=key, on_click=live.attempt, args=(action,), kwargs={"done": done}, width="stretch",
              disabled=disabled or not live.can_act())  # fmt: skip


def _field(name: str) -> Any:
    return st.session_state[f"practice_{name}"]


def _customers(desk: PracticeDesk, orders: Sequence[str], *, goods: bool) -> None:
    st.markdown("**Customers on TikTok**")
    units = int(st.number_input("Units to buy", min_value=1, max_value=500, value=1, key="practice_units"))
    bought = f"Bought {plural(units, 'unit')} on TikTok."
    _button(
        f"Buy {plural(units, 'unit')}",
        "practice_buy",
        lambda: desk.buy(_field("sku"), int(_field("units"))),
        bought,
        disabled=not goods,
    )
    _button("A busy hour", "practice_busy", lambda: desk.busy(40, 60), "Forty orders will come within an hour.")
    if orders:
        st.selectbox("Order", list(orders), key="practice_order")
        st.selectbox("What happens to it", list(_EVENTS), format_func=lambda key: _EVENTS[key], key="practice_event")
        _button("Let it happen", "practice_happen", lambda: desk.order_event(_field("order"), _field("event")),
                "It happened in the practice shop.")  # fmt: skip


def _colleague(desk: PracticeDesk, *, goods: bool) -> None:
    st.markdown("**Somebody in TikTok's admin**")
    st.number_input("Stock they type", min_value=0, max_value=99_999, value=5, key="practice_stock")
    _button("Set this stock", "practice_set", lambda: desk.set_stock(_field("sku"), int(_field("stock"))),
            "TikTok now shows this stock.", disabled=not goods)  # fmt: skip
    st.text_input("Price they type", value="9.99", key="practice_price")
    _button("Set this price", "practice_reprice", lambda: desk.set_price(_field("sku"), _field("price")),
            "TikTok now shows this price.", disabled=not goods)  # fmt: skip
    st.markdown("**Time**")
    _button(
        "Let an hour pass", "practice_hour", lambda: desk.pass_time(3600), "An hour has passed in the practice shop."
    )
    _button("Let a day pass", "practice_day", lambda: desk.pass_time(86_400), "A day has passed in the practice shop.")


def _troubles(desk: PracticeDesk, active: Sequence[str]) -> None:
    st.markdown("**Trouble**")
    st.selectbox("What goes wrong", list(_TROUBLE), format_func=lambda key: _TROUBLE[key], key="practice_trouble")
    st.selectbox("How often", list(_TIMES), format_func=lambda key: _TIMES[key], key="practice_times")
    _button("Make trouble", "practice_make", lambda: _make(desk), "The trouble is on; see how Evenstock takes it.")
    if active:
        st.markdown(" ".join(f":orange-badge[{plain(_TROUBLE.get(each, each))}]" for each in active))
        _button("End all trouble", "practice_clear", desk.clear_trouble, "The practice shop works normally again.")


def _make(desk: PracticeDesk) -> None:
    kind, times = _field("trouble"), int(_field("times"))
    desk.trouble(kind, **_MORE.get(kind, {}), **({"times": times} if times else {}))

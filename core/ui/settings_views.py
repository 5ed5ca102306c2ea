"""Parts of the Settings page: the form, its plain words, and what a change amounts to."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.settings import Choices
from core.ui import live
from core.ui.text import number, plural, sentence_list, span

RHYTHM = {5: "5 minutes", 15: "15 minutes", 30: "30 minutes", 60: "hour", 0: "by hand only"}


def answer(choices: Choices, fixed: int | None) -> str:
    """The headline: the choices in one sentence."""
    if choices.paused:
        return "It is paused"
    rhythm = f"every {span(fixed * 1000)}" if fixed else "by hand only" if fixed == 0 else _every(choices.sync_minutes)
    return f"It looks {rhythm} and {'sends stock' if choices.push_on else 'sends nothing'}"


def _every(minutes: int) -> str:
    return f"every {RHYTHM[minutes]}" if minutes else RHYTHM[0]


def form(choices: Choices, fixed: int | None, *, disabled: bool) -> None:
    """All choices; nothing changes before Save."""
    with st.form("choices", border=False, enter_to_submit=False):
        left, right = st.columns(2, gap="large")
        with left:
            _rhythm(choices, fixed)
            _stock(choices)
        with right:
            _limits(choices)
            _keeping(choices)
        st.form_submit_button(
            "Save settings", type="primary", key="save", on_click=_save, args=(choices,), disabled=disabled
        )


def _rhythm(choices: Choices, fixed: int | None) -> None:
    st.subheader("Rhythm", anchor=False)
    st.segmented_control(
        "Look at TikTok every",
        list(RHYTHM),
        default=choices.sync_minutes,
        format_func=lambda key: RHYTHM[key].capitalize(),
        key="sync_minutes",
        required=True,
        wrap=True,
        disabled=fixed is not None,
        help="New orders usually arrive sooner by message from TikTok; this is the safety net beneath.",
    )
    if fixed is not None:
        st.caption(
            f"Set to {span(fixed * 1000) if fixed else 'by hand only'} by TIKTOK_SHOP_SYNC_INTERVAL for this start."
        )
    st.toggle(
        "Pause the loop",
        value=choices.paused,
        key="paused",
        help="Nothing is read and nothing is sent until you go on. Your own sales and counts are still recorded.",
    )


def _stock(choices: Choices) -> None:
    st.subheader("Stock", anchor=False)
    st.toggle("Send stock to TikTok", value=choices.push_on, key="push_on",
              help="Off: Evenstock reads and compares, and sends nothing by itself.")  # fmt: skip
    st.page_link("rules.py", label="How much is offered on TikTok: Rules", icon=":material/arrow_forward:",
                 icon_position="right")  # fmt: skip


def _limits(choices: Choices) -> None:
    st.subheader("Stop and ask me first", anchor=False)
    st.caption("A run that goes beyond one of these sends nothing and waits for you on the Stock page.")
    st.number_input("When more than this share of listings would go to zero, percent", min_value=1, max_value=100,
                    value=choices.stop_zero_percent, key="stop_zero_percent", width=220)  # fmt: skip
    st.number_input("When more than this many listings would go to zero", min_value=1, max_value=100_000,
                    value=choices.stop_zero_count, key="stop_zero_count", width=220)  # fmt: skip
    st.number_input("When more than this many listings would change", min_value=1, max_value=1_000_000,
                    value=choices.stop_touch_count, key="stop_touch_count", width=220)  # fmt: skip


def _keeping(choices: Choices) -> None:
    st.subheader("Keeping", anchor=False)
    st.number_input(
        "Keep the record of runs, days",
        min_value=1,
        max_value=3650,
        value=choices.keep_log_days,
        key="keep_log_days",
        width=220,
        help="Orders, stock movements and what was sent to TikTok are kept in any case.",
    )


_TOLD: dict[str, Callable[[Any], str]] = {
    "sync_minutes": lambda value: f"looks at TikTok {_every(value)}",
    "paused": lambda value: "the loop is paused" if value else "the loop goes on",
    "push_on": lambda value: "stock is sent" if value else "nothing is sent",
    "stop_zero_percent": lambda value: f"stops above {value} percent going to zero",
    "stop_zero_count": lambda value: f"stops above {number(value)} going to zero",
    "stop_touch_count": lambda value: f"stops above {number(value)} changes",
    "keep_log_days": lambda value: f"runs kept for {plural(value, 'day')}",
}


def _save(before: Choices) -> None:
    wanted = {name: st.session_state[name] for name in _TOLD if st.session_state.get(name) is not None}
    after = Choices.model_validate(before.model_dump() | wanted)
    changed = [_TOLD[name](value) for name, value in after.model_dump().items() if value != getattr(before, name)]
    if not changed:
        live.say("Nothing was changed.")
        return
    live.attempt(live.runtime().save_choices, after, done=f"Saved: {sentence_list(changed)}.")

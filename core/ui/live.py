"""What every page shares: the runtime, the shop, bands and banners at the top, and redrawing when the loop wrote."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from core import clock
from core.runtime import Runtime, current
from core.store.errors import StoreProblem
from core.store.queries import health
from core.store.queries.shops import ShopRow, read_up_to, shops
from core.ui.text import ago, plain, plural

if TYPE_CHECKING:
    from core.runtime import LoopState

_log = logging.getLogger("evenstock.pages")
ASSETS = Path(__file__).parent / "assets"
_HELD, _SEEN, _SHOP, _SAID, _FRESH = "live_held", "live_seen", "live_shop", "live_said", "live_fresh"
_STALE_MS = 90_000


def runtime() -> Runtime:
    """The running Evenstock of this process."""
    return current()


def shop() -> ShopRow | None:
    """The shop whose pages are shown, or None while none is connected."""
    found: ShopRow | None = st.session_state.get(_SHOP)
    return found


def can_act() -> bool:
    """Whether this window may change anything: only the process that owns the jobs does."""
    return runtime().owner


def hold() -> None:
    """Do not redraw by itself in this run: the owner has rows chosen or a dialog open."""
    st.session_state[_HELD] = True


def begin() -> None:
    """Note what is about to be drawn and choose the shop; called once a run before the page."""
    st.session_state[_HELD] = False
    store = runtime().store
    st.session_state[_SEEN] = store.revision()
    with store.read() as connection:
        known = shops(connection)
    chosen = known[0] if known else None
    if len(known) > 1:
        names = {each.id: each.name for each in known}
        picked = st.sidebar.selectbox(
            "Shop", list(names), format_func=lambda key: names[key], key="shop", bind="query-params"
        )
        chosen = next((each for each in known if each.id == picked), chosen)
    st.session_state[_SHOP] = chosen


@contextmanager
def guard() -> Iterator[None]:
    """A store that cannot be used becomes a sentence on the page; everything else goes on to the error page."""
    try:
        yield
    except StoreProblem as problem:
        st.error(f"{plain(problem.sentence)} {plain(problem.next_step)}", title="The store is not available")


def on_script_error(error: Exception) -> bool:
    """What a page shows when something unexpected broke: a sentence, never the inside of the program."""
    _log.error("a page broke", exc_info=error)
    if isinstance(error, StoreProblem):
        st.error(f"{plain(error.sentence)} {plain(error.next_step)}", title="The store is not available")
    else:
        st.error(
            "Nothing was changed by this. Open the page again; if it happens again, send the log file in the data "
            "folder to support. It holds no secrets.",
            title="Something unexpected stopped this page",
        )
    return True


def attempt(action: Callable[..., Any], *args: Any, done: str = "", **more: Any) -> Any:
    """Do what a button asks; tell on the page how it went. Returns what the action returned, None when it was refused.

    Only refusals that Evenstock itself words are told here; anything unexpected goes on to the error page.
    """
    try:
        result = action(*args, **more)
    except Exception as refusal:
        if not type(refusal).__module__.startswith("core."):
            raise
        sentence, then = getattr(refusal, "sentence", ""), getattr(refusal, "next_step", "")
        say(f"{sentence} {then}".strip() if sentence else str(refusal), wrong=True)
        return None
    if done:
        say(done)
    return result


def say(sentence: str, *, wrong: bool = False) -> None:
    """Put a result on top of the page; it stays while the loop redraws, a failure longer. It may hold foreign text."""
    until = clock.now_ms() + (60_000 if wrong else 20_000)
    st.session_state[_SAID] = (sentence, wrong, until)
    st.session_state[_FRESH] = True


def settle(*asked: str) -> None:
    """Call first in a dialog: when something was said or asked for in it, draw the whole page, which may close it.

    A button in a dialog draws the dialog alone, so its result would not be seen behind it.
    """
    if any(key in st.session_state for key in (_FRESH, *asked)):
        st.rerun()


def top() -> None:
    """The practice band with the freshness line, then what stands in the way of working, then the last result."""
    chosen = shop()
    practice = chosen is not None and chosen.practice
    with st.container(key="band_practice" if practice else "band", horizontal=True, vertical_alignment="center"):
        if practice:
            st.markdown(":violet-badge[Practice shop] Nothing here reaches TikTok or a customer.", width="content")
        _pulse()
    if not can_act():
        st.info(plain(runtime().owner_note), title="This window only reads")
    for number, problem in enumerate(runtime().problems()):
        with st.container(key=f"problem_{number}", horizontal=True, vertical_alignment="center", border=True):
            st.markdown(f":red-badge[Needs you] {plain(problem.sentence)} {plain(problem.next_step)}", width="stretch")
            st.page_link("connection.py", label="Open Connection", width="content")
    _last_result()


def _last_result() -> None:
    st.session_state.pop(_FRESH, None)
    sentence, wrong, until = st.session_state.get(_SAID, ("", False, 0))
    if clock.now_ms() < until:
        (st.error if wrong else st.success)(plain(sentence))


@st.fragment(run_every="2s", key="live_pulse")
def _pulse() -> None:
    """Say how fresh the numbers are, and redraw the page once something new was written."""
    with guard():
        changed = runtime().store.revision() != st.session_state.get(_SEEN)
        if changed and not st.session_state.get(_HELD):
            st.rerun()
        st.markdown(_freshness(runtime().loop(), _waiting(), changed), width="stretch", text_alignment="right")


def _waiting() -> int:
    chosen = shop()
    if chosen is None or chosen.mode != "live" or not runtime().choices().push_on:
        return 0
    with runtime().store.read() as connection:
        return health.backlog(connection, chosen.id).waiting


def _freshness(state: "LoopState", waits: int, changed: bool) -> str:
    chosen = shop()
    job = next((job for job in state.jobs if chosen and job.name == chosen.id), None)
    parts = [
        "syncing now" if job and job.running else f"synced {ago(job.last_at if job and job.last_at else _read_at())}"
    ]
    if job and job.next_at and not state.paused:
        parts.append(f"next {ago(job.next_at)}")
    if waits:
        parts.append(f"{plural(waits, 'listing')} waiting")
    if changed:
        parts.append("**there is newer data, press R to see it**")
    return f"{_heart(state)} :small[{' · '.join(parts)}]"


def _read_at() -> int | None:
    with runtime().store.read() as connection:
        return max((each.moved_at for each in read_up_to(connection)), default=None)


def _heart(state: "LoopState") -> str:
    if not can_act():
        return ":gray-badge[Reading only]"
    if state.paused:
        return ":orange-badge[Paused]"
    if not state.alive or (state.beat_at is not None and clock.now_ms() - state.beat_at > _STALE_MS):
        return ":red-badge[Loop stopped]"
    return ":green-badge[Loop running]"


def heading(question: str, answer: str) -> None:
    """The page's one question, and its answer as the headline."""
    with st.container(key="heading", gap="xxsmall"):
        st.caption(question)
        st.title(answer, anchor=False)


def connected(question: str, answer: str) -> ShopRow:
    """The shop of this page; where none is connected the page says so with `answer` as its headline, and ends."""
    found = shop()
    if found is None:
        heading(question, answer)
        with st.container(border=True, horizontal_alignment="center"):
            st.markdown("**No shop is connected yet**", width="content")
            st.caption("Connect your TikTok shop, or start with the practice shop.", width="content")
            st.page_link("connection.py", label="Open Connection", width="content")
        st.stop()
    return found

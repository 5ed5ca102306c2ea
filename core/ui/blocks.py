"""Parts of the Overview: figures with their comparison, the list of what needs attention, the state of each side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.settings import Choices
from core.store.queries.health import Backlog, Delay, Trouble
from core.store.queries.shops import ShopRow
from core.ui import tables
from core.ui.text import DASH, ago, number, plain, plural, span
from core.ui.words import Colour

if TYPE_CHECKING:
    from core.runtime import LoopState
    from core.sync.reconcile import StockCounts


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that wants the owner: how many, what, and the page that mends it."""

    colour: Colour
    count: int
    sentence: str
    page: str
    link: str
    query: dict[str, str]


def even_answer(stock: "StockCounts") -> str:
    """The headline: whether both sides agree."""
    if not stock.listings:
        return "No listing has been read yet"
    if stock.even == stock.listings:
        return (
            f"Yes, all {plural(stock.listings, 'listing')} are even"
            if stock.listings > 1
            else "Yes, the listing is even"
        )
    return f"{number(stock.even)} of {plural(stock.listings, 'listing')} are even"


def figure(label: str, shown: str, now: int, before: int, trend: Sequence[float], than: str, help: str) -> None:
    """One figure of today with its change and the trend of two weeks."""
    change = round(100 * (now - before) / before) if before else 0
    delta = f"{change:+d}%" if change else "new" if now and not before else 0
    st.metric(
        label, shown, delta, delta_description=than, delta_color="blue", delta_arrow="auto" if change else "off",
        border=True, chart_data=list(trend), chart_type="bar", height="stretch", help=help,
    )  # fmt: skip


def delay(label: str, measured: Delay | None, help: str) -> None:
    """One measured delay: its median, with the slow end beneath."""
    if measured is None:
        st.metric(label, DASH, "nothing measured yet", delta_color="off", delta_arrow="off", border=True, help=help,
                  height="stretch")  # fmt: skip
        return
    st.metric(
        label,
        span(measured.median_ms),
        f"95 of 100 in {span(measured.p95_ms)}",
        delta_color="blue",
        delta_arrow="off",
        border=True,
        help=help,
        height="stretch",
        chart_data=list(measured.recent),
        chart_type="line",
    )


# What may need the owner, the most urgent first: colour, one of it, several of it, the page, the link, its query.
_CONCERNS: dict[str, tuple[Colour, str, str, str, str, dict[str, str]]] = {
    "problems": ("red", "connection needs you", "connections need you", "connection.py", "Open Connection", {}),
    "oversold": ("red", "unit sold that you do not have", "units sold that you do not have", "oversold.py", "See why",
                 {}),
    "refused": ("red", "listing refused by TikTok", "listings refused by TikTok", "stock.py", "See why",
                {"show": "refused"}),
    "drift": ("red", "number on TikTok that nothing explains", "numbers on TikTok that nothing explains", "drift.py",
              "Decide", {}),
    "start": ("orange", "listing has no start yet", "listings have no start yet", "start.py", "Choose where", {}),
    "held": ("orange", "listing held until you agree", "listings held until you agree", "stock.py", "Review",
             {"show": "different"}),
    "plans": ("orange", "plan waits for your yes", "plans wait for your yes", "plans.py", "Review", {}),
    "unknown": ("orange", "change sent, but the answer was lost", "changes sent, but the answer was lost", "stock.py",
                "Look", {"show": "waiting"}),
    "failed": ("orange", "run failed today", "runs failed today", "activity.py", "See what to do",
               {"only": "problems"}),
    "unlinked": ("orange", "listing not linked to an item of yours", "listings not linked to an item of yours",
                 "catalog.py", "See them", {"view": "unlinked"}),
    "low": ("orange", "item lasts less than a week", "items last less than a week", "low.py", "See which",
            {"show": "week"}),
    "aside": ("gray", "record could not be read and was set aside", "records could not be read and were set aside",
              "activity.py", "Look", {"only": "aside"}),
}  # fmt: skip


def concerns(
    stock: "StockCounts",
    trouble: Trouble,
    backlog: Backlog,
    problems: Sequence[Any],
    *,
    oversold: int = 0,
    low: int = 0,
    start: int = 0,
    plans: int = 0,
) -> list[Concern]:
    """What needs the owner, the most urgent first."""
    counts = {
        "problems": len(problems), "oversold": oversold, "refused": stock.refused, "drift": stock.drift,
        "start": start, "held": backlog.held, "plans": plans, "unknown": trouble.unknown_pushes,
        "failed": trouble.failed_runs, "unlinked": stock.unlinked, "low": low, "aside": trouble.unreadable,
    }  # fmt: skip
    return [
        Concern(colour, count, one if count == 1 else many, page, link, query)
        for name, (colour, one, many, page, link, query) in _CONCERNS.items()
        if (count := counts[name])
    ]


def attention(found: Sequence[Concern]) -> None:
    """The list of concerns, each with a link to where it is mended."""
    if not found:
        tables.empty("Nothing needs you", "This list fills when something wants a decision of yours.")
    for place, each in enumerate(found):
        with st.container(key=f"concern_{place}", horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f":{each.colour}-badge[{number(each.count)}] {each.sentence}", width="stretch")
            st.page_link(each.page, label=each.link, query_params=each.query, width="content",
                         icon=":material/arrow_forward:", icon_position="right")  # fmt: skip


def connections(shop: ShopRow, stock: "StockCounts", loop: "LoopState", choices: Choices) -> None:
    """Both sides and the loop between them, each with its state in a word."""
    trouble = shop.problem is not None
    _side(plain(shop.name), "red" if trouble else "green", "Needs you" if trouble else "Connected",
          plain(shop.problem or "") or f"{'Practice shop' if shop.practice else 'TikTok Shop'}, {plain(shop.region)}, "
          f"{plural(stock.listings, 'listing')}; {_mode(shop, choices)}")  # fmt: skip
    linked = stock.listings - stock.unlinked
    _side("Your own store", "green", "Ready", f"Built in; {plural(linked, 'listing')} linked to its items")
    nexts = [job.next_at for job in loop.jobs if job.next_at]
    rhythm = f"every {choices.sync_minutes} minutes" if choices.sync_minutes else "by hand only"
    state: tuple[Colour, str] = (
        ("orange", "Paused") if loop.paused else ("green", "Running") if loop.alive else ("red", "Stopped")
    )
    _side("The loop", *state, f"Looks {rhythm}; next {ago(min(nexts))}" if nexts else f"Looks {rhythm}")


def _mode(shop: ShopRow, choices: Choices) -> str:
    if shop.mode != "live":
        return "watched only, nothing is sent"
    return "stock is sent" if choices.push_on else "sending is switched off"


def _side(name: str, colour: Colour, state: str, facts: str) -> None:
    st.markdown(f"**{name}** :{colour}-badge[{state}]  \n:small[:gray[{facts}]]")

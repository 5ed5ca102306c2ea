"""Parts of the Oversold page: the sales that compete for units that are not there, the cause, and what would help."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.sync.oversell import Oversold
from core.sync.oversell_causes import Cause, Claim
from core.ui import tables
from core.ui.text import DASH, clock_time, moment, number, plain, plural, span
from core.ui.words import Word

CLAIM = {
    "none": Word("No unit left", "red"),
    "some": Word("Not enough left", "orange"),
    "had": Word("Took the last", "gray"),
}
_CHANCE = (Cause.BOTH_SIDES, Cause.HEARD_LATE, Cause.UNKNOWN)


def answer(items: int, units: int) -> str:
    """The headline."""
    if not items:
        return "No, everything that is promised is there"
    return f"Yes, {plural(units, 'unit')} of {plural(items, 'item')}" if items > 1 else f"Yes, {plural(units, 'unit')}"


PERIODS = {
    "30": "Last 30 days",
    "7": "Last 7 days",
    "90": "Last 90 days",
    "365": "Last 365 days",
    "0": "All that is kept",
}


def rate(oversold: int, sold: int) -> str:
    """How many units of those sold in a period did not exist."""
    if not oversold:
        return f"None of the {plural(sold, 'unit')} sold in this time was missing." if sold else "Nothing was sold yet."
    told = f"{plural(oversold, 'unit')} sold in this time did not exist"
    if sold < oversold:
        return f"{told}."
    return f"{told}: {oversold * 1_000 / sold:,.1f} of every 1,000 sold ({number(sold)} in all)."


def item(one: Oversold, zone: str, go: Callable[[str], None]) -> None:
    """One item of which more was sold than there is, or was."""
    with st.container(border=True, key=f"oversold_{one.id.replace('.', '_')}"):
        st.markdown(f"**{plain(one.sku)}** {plain(one.title)}")
        st.markdown(_gone(one, zone) if one.over_at else _missing(one, zone))
        colour = "orange" if one.verdict.cause in _CHANCE else "violet"
        st.markdown(f":{colour}-badge[{one.verdict.cause}] {plain(one.verdict.sentence)}")
        orders = [claim.order_id if claim.shop_id else "" for claim in one.claims]
        if one.claims:
            tables.show(
                _columns(one, zone), _config(f"oversold_open_{one.id}", orders, go), key=f"claims_{one.id}",
                alt="The sales that compete for the last units, the oldest first", most=10,
            )  # fmt: skip
        if not one.over_at:
            st.markdown(_next(one))
        for line in _facts(one, zone):
            st.caption(line)


def _missing(one: Oversold, zone: str) -> str:
    since = f", since {clock_time(one.since, zone)}" if one.since else ""
    return (f":red-badge[{plural(one.short, 'unit')} missing] {number(one.promised)} promised, "
            f"{number(one.on_hand)} on hand{since}")  # fmt: skip


def _gone(one: Oversold, zone: str) -> str:
    lasted = span((one.over_at or 0) - (one.since or 0))
    return (f":gray-badge[{plural(one.short, 'unit')} too many] at {plain(_exact(one.since or 0, zone))}, "
            f"all there again after {lasted}")  # fmt: skip


def _columns(one: Oversold, zone: str) -> dict[str, list[Any]]:
    return {
        "sale": [_name(claim) for claim in one.claims],
        "units": [claim.units for claim in one.claims],
        "missing": [claim.missing or None for claim in one.claims],
        "state": [tables.chip(CLAIM, _state(claim)) for claim in one.claims],
        "placed": [moment(claim.placed_at, zone) for claim in one.claims],
        "known": [moment(claim.known_at, zone) for claim in one.claims],
        "after": [DASH if claim.entered else span(claim.known_at - claim.placed_at) for claim in one.claims],
        "open": ["Open" if claim.shop_id else None for claim in one.claims],
    }


def _state(claim: Claim) -> str:
    if not claim.late:
        return "had"
    return "none" if claim.missing == claim.units else "some"


def _name(claim: Claim) -> str:
    if claim.side == "TikTok":
        return f"TikTok order {claim.order_id}"
    if claim.shop_id:
        return f"Order {claim.order_id} in your store"
    return f"Sale in your store {claim.order_id}".strip()


def _config(key: str, orders: list[str], go: Callable[[str], None]) -> dict[str, Any]:
    column = st.column_config
    return {
        "sale": column.TextColumn("Sale", width=220),
        "units": tables.numbers("Units", 60),
        "missing": tables.numbers("Missing", 70),
        "state": tables.chips(CLAIM, "State", width=124),
        "placed": column.DatetimeColumn("Placed", format="D MMM, HH:mm:ss", width=130,
                                        help="In the shop's own time zone; TikTok gives whole seconds."),
        "known": column.DatetimeColumn("Known here", format="D MMM, HH:mm:ss", width=130),
        "after": column.TextColumn("After", width=80, help="How long after it was placed it was known here."),
        "open": column.ButtonColumn("", width=66, type="tertiary", key=key,
                                    on_click=lambda: tables.clicked(key, orders, go)),
    }  # fmt: skip


def _next(one: Oversold) -> str:
    late = [claim for claim in one.claims if claim.late]
    last = late[-1] if late else None
    which = (
        f", or cancel the last one, order {plain(last.order_id)}"
        if last is not None and last.side == "TikTok"
        else ", or tell the buyer of the last sale in your store"
        if last is not None
        else ""
    )
    return f"**What to do:** get {plural(one.short, 'more unit')} before the orders are due{which}."


def _facts(one: Oversold, zone: str) -> list[str]:
    facts = []
    if one.shown is not None and one.key is not None:
        facts.append(
            f"TikTok showed {number(one.shown.units)} just before order {plain(one.key.order_id)}, by its number of "
            f"{plain(_exact(one.shown.at, zone))} and the orders since."
        )
    facts += [line for line in (one.buffer_sentence, one.split) if line]
    if one.untold:
        facts.append("What cannot be told. " + " ".join(plain(line) for line in one.untold))
    return facts


def _exact(at: int, zone: str) -> str:
    then = moment(at, zone)
    return f"{then.day} {then:%b %H:%M:%S}" if then else DASH

"""Parts of the Questions page: its headline, its filters, the open questions and the history."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.store.queries.drift import Counts, Question
from core.sync.decisions import Choice
from core.ui import tables, words
from core.ui.text import moment, number, plural, signed

SORTS = {"since": "Newest", "amount": "Largest difference", "sku": "SKU", "title": "Product"}
ANSWERS = {"ours": "Keep yours", "theirs": "Take TikTok's", "count": "Book this count"}
RULES = {"ask": "Ask me", "ours": "Always keep yours", "theirs": "Always take TikTok's"}
RULE_HELP = {
    "ask": "Each waits here for you. Until you decide, TikTok's number is only ever lowered.",
    "ours": "Each is decided by itself: TikTok goes back to your number. The history keeps every one.",
    "theirs": "Each is decided by itself and booked, with a line in the ledger. Still asked: bundles, items that "
    "several listings share, lost answers, and whatever does not look like one change by hand.",
}
_BY = {"owner": "You", "rule": "Your rule", "plan": "A plan", "later": "A later change", "": "A reviewed plan"}
_SEVERAL, _OPEN = "drift_several", "question"


def answer(counts: Counts) -> str:
    """The page's headline."""
    if counts.open:
        return f"Yes, {plural(counts.open, 'number')} {'waits' if counts.open == 1 else 'wait'} for your decision"
    if counts.checking:
        return f"Perhaps: {plural(counts.checking, 'number')} {'is' if counts.checking == 1 else 'are'} being checked"
    return "No, every number is explained"


def views(counts: Counts) -> dict[str, str]:
    """The parts of the page with their counts."""
    return {
        "open": f"To decide {number(counts.open)}", "checking": f"Being checked {number(counts.checking)}",
        "decided": f"History {number(counts.decided)}",
    }  # fmt: skip


def causes(found: dict[str, int]) -> dict[str, str]:
    """The choice of causes, with how many there are of each where that is known."""
    named = {
        name: f"{word.text} {number(found[name])}" if name in found else word.text
        for name, word in words.CAUSE.items()
        if name
    }
    return {"all": "Every cause"} | named


def table(rows: Sequence[Question], zone: str, on_click: Callable[[], None], *, choosing: bool) -> list[str]:
    """The questions; where they can be decided, rows can be chosen. Returns the numbers of the chosen ones."""
    alt = "Numbers on TikTok that nothing explains, with what speaks for their cause"
    if choosing:
        return tables.select(
            _columns(rows, zone), _config(on_click), [str(row.id) for row in rows], key="drift", alt=alt
        )
    tables.show(_columns(rows, zone), _config(on_click), key="drift_checking", alt=alt)
    return []


def _columns(rows: Sequence[Question], zone: str) -> dict[str, list[Any]]:
    return {
        "sku": [row.seller_sku or row.sku_id for row in rows],
        "amount": [row.amount for row in rows],
        "open": ["Decide" if row.certain else "Look" for row in rows],
        "cause": [tables.chip(words.CAUSE, row.cause) for row in rows],
        "explained": [row.expected for row in rows],
        "showed": [row.observed for row in rows],
        "offered": [row.available for row in rows],
        "since": [moment(row.found_at, zone) for row in rows],
        "product": [row.name for row in rows],
        "evidence": [row.evidence or waiting(row) for row in rows],
    }


def _config(on_click: Callable[[], None]) -> dict[str, Any]:
    column = st.column_config
    return {
        "sku": column.TextColumn("SKU", width=140),
        "explained": tables.numbers("Explained", 76, "What TikTok should have shown by everything that is known."),
        "showed": tables.numbers("Showed", 66, "What TikTok showed when it was found."),
        "amount": tables.numbers("Change", 66, "Showed, less explained.", "%+d"),
        "cause": tables.chips(words.CAUSE, "Probably", width=116),
        "open": column.ButtonColumn("", width=74, type="tertiary", on_click=on_click, key="drift_open"),
        "since": column.DatetimeColumn("Since", format="D MMM, HH:mm", width=96, help="When it was found."),
        "offered": tables.numbers("Shows now", 80, "What TikTok offers; it is not raised before you decide."),
        "product": column.TextColumn("Product", width=190),
        "evidence": column.TextColumn("What speaks for it", width=420),
    }  # fmt: skip


def nothing(view: str, *, searched: bool) -> None:
    """What stands where the table would be."""
    if searched:
        tables.empty("No question matches", "Try fewer letters, or another cause.")
    elif view == "decided":
        tables.empty("Nothing was decided yet", "What you or your rule decide is kept here, and can be undone.")
    elif view == "checking":
        tables.empty(
            "Nothing is being checked", "A number that changes on TikTok is read twice before it is asked about."
        )
    else:
        tables.empty("Nothing to decide", "Should TikTok show a number that no order explains, it is asked about here.")


def history(rows: Sequence[Question], zone: str, on_click: Callable[[], None]) -> None:
    """The decided ones: what, by whom, when, and the line in the ledger."""
    column = st.column_config
    tables.show(
        {"when": [moment(row.decided_at, zone) for row in rows], "sku": [row.seller_sku or row.sku_id for row in rows],
         "amount": [row.amount for row in rows],
         "decision": [tables.chip(words.DECISION, state(row)) for row in rows],
         "by": [by(row) for row in rows], "booked": [ledger_line(row) for row in rows],
         "open": ["Open" for _ in rows], "product": [row.name for row in rows],
         "cause": [tables.chip(words.CAUSE, row.cause) for row in rows],
         "evidence": [row.evidence for row in rows]},
        {"when": column.DatetimeColumn("When", format="D MMM, HH:mm", width=96),
         "sku": column.TextColumn("SKU", width=140), "amount": tables.numbers("Change", 66, None, "%+d"),
         "decision": tables.chips(words.DECISION, "Decided", width=112),
         "by": column.TextColumn("Who", width=112), "booked": column.TextColumn("In the ledger", width=210),
         "open": column.ButtonColumn("", width=62, type="tertiary", on_click=on_click, key="drift_open"),
         "product": column.TextColumn("Product", width=190),
         "cause": tables.chips(words.CAUSE, "Probably", width=116),
         "evidence": column.TextColumn("What spoke for it", width=420)},
        key="drift_history", alt="Decided questions, the newest first", most=20,
    )  # fmt: skip


def ledger_line(asked: Question) -> str:
    """What a decision booked, in words."""
    if asked.decision == "count":
        return f"{signed(asked.units)} as Counted" if asked.units else "Counted, no difference"
    if asked.decision == "theirs" and asked.units:
        back = ", then taken back" if asked.state == "undone" else ""
        return f"{signed(asked.units)} taken over{back}"
    return "In the plan" if asked.decision == "theirs" else "Nothing"


def state(asked: Question) -> str:
    """What was decided, as a word of the list of decisions."""
    return "undone" if asked.state == "undone" else asked.decision


def by(asked: Question) -> str:
    """Who decided."""
    return _BY.get(asked.actor, asked.actor)


def waiting(asked: Question) -> str:
    """What is known while it is still being checked."""
    if asked.cause == "unseen":
        units = plural(asked.committed - asked.open_units, "unit")
        return f"TikTok holds {units} for orders that have not arrived here yet; they may explain it."
    return "The orders are being read once more; one of them may explain it."


def look(drift_id: str) -> None:
    """Open one question; its address can be kept and shared."""
    st.query_params[_OPEN] = drift_id


def opened() -> list[int]:
    """The question that is open, if any."""
    given = st.query_params.get(_OPEN, "")
    return [int(given)] if given.isdigit() and len(given) < 19 else []


def close() -> None:
    """Close what is open."""
    st.query_params.pop(_OPEN, None)
    st.session_state.pop(_SEVERAL, None)


def review(choice: Choice) -> None:
    """Open the review of one answer to all chosen questions."""
    st.session_state[_SEVERAL] = choice


def reviewing() -> Choice | None:
    """The answer that is under review, if any."""
    found: Choice | None = st.session_state.get(_SEVERAL)
    return found

"""Parts of the Activity page: the table of runs, one run in full, and what went wrong with what to do."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.store.queries.activity import Aside, RunEntity, RunLine
from core.ui import live, tables, words
from core.ui.text import clock_time, number, plain, plural, span

KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "all": ("All work", ()),
    "sync": ("Syncs", ("sync all", "sync orders", "sync stock", "sync catalog")),
    "push": ("Stock sent", ("push",)),
    "plans": ("Reviewed plans", ("resync", "adopt", "rules", "start", "undo")),
    "import": ("Imports", ("import",)),
    "proof": ("Proofs of the ledger", ("proof",)),
}
TRIGGER = {
    "timer": "the loop", "owner": "you", "change": "a change of stock", "webhook": "a message from TikTok",
    "cli": "the command line",
}  # fmt: skip
PROBLEM = ("failed", "interrupted")


def took(run: RunLine) -> str:
    """How long a run lasted."""
    return "" if run.ended_at is None else span(run.ended_at - run.started_at)


def columns(runs: Sequence[RunLine], zone: str) -> dict[str, list[Any]]:
    """The table, column by column."""
    return {
        "when": [clock_time(run.started_at, zone) for run in runs],
        "what": [words.kind(run) for run in runs],
        "state": [tables.chip(words.RUN, run.status) for run in runs],
        "outcome": [words.outcome(run) for run in runs],
        "open": ["Open" for _ in runs],
        "took": [took(run) for run in runs],
        "by": [TRIGGER.get(run.trigger, run.trigger) for run in runs],
    }


def config(on_click: Callable[[], None]) -> dict[str, Any]:
    """How the columns look; a click on Open shows the run."""
    column = st.column_config
    return {
        "when": column.TextColumn("When", width=108),
        "what": column.TextColumn("What", width=190),
        "state": tables.chips(words.RUN, "Result", width=98),
        "outcome": column.TextColumn("Outcome", width=400),
        "open": column.ButtonColumn("", width=66, type="tertiary", on_click=on_click, key="run_open"),
        "took": column.TextColumn("Took", width=84, alignment="right"),
        "by": column.TextColumn("Started by", width=150),
    }


def problem(run: RunLine, zone: str) -> None:
    """A failed run that nothing has made good yet: what happened, what to do, and a button to try again."""
    with st.container(key=f"problem_run_{run.id}", horizontal=True, vertical_alignment="center", border=True):
        st.markdown(
            f"**{plain(words.kind(run))}**, {clock_time(run.started_at, zone)}: {plain(words.outcome(run))} "
            f"{plain(run.next_step)}", width="stretch",
        )  # fmt: skip
        retry(run, f"retry_{run.id}")


def retry(run: RunLine, key: str) -> None:
    """The button that does a failed run again."""
    rt = live.runtime()
    st.button("Try again", key=key, disabled=not rt.owner, on_click=live.attempt, args=(rt.retry_run, run.id),
              kwargs={"done": "It is being tried again. The result appears here."})  # fmt: skip


def full(run: RunLine, rows: Sequence[RunEntity], total: int, zone: str) -> None:
    """One run: what it was, how it ended, and what it did to each entity."""
    state = words.word(words.RUN, run.status)
    st.markdown(f"**{plain(words.kind(run))}**")
    st.markdown(f":{state.colour}-badge[{state.text}] {plain(words.outcome(run))}")
    if run.next_step:
        st.markdown(f"**What to do:** {plain(run.next_step)}")
    facts = {"Started": f"{clock_time(run.started_at, zone)}, by {TRIGGER.get(run.trigger, plain(run.trigger))}"}
    if took(run):
        facts["Took"] = took(run)
    facts |= {plain(name.replace("_", " ").capitalize()): number(count) for name, count in run.counts.items() if count}
    if run.code or run.request_id:
        facts["For TikTok support"] = f"code {run.code or '?'}, request {plain(run.request_id or '?')}"
    st.table(facts, border="horizontal", width="content", alt="Facts of this run")
    if run.status in PROBLEM:
        retry(run, "retry_open")
    if rows:
        _entities(rows, total)


def _entities(rows: Sequence[RunEntity], total: int) -> None:
    st.markdown(f"**What it did**, {plural(total, 'row')}")
    tables.show(
        {"name": [row.name for row in rows], "field": [row.field for row in rows], "old": [row.old for row in rows],
         "new": [row.new for row in rows], "result": [row.result for row in rows],
         "sentence": [row.sentence for row in rows]},
        {"name": "SKU", "field": "Field", "old": st.column_config.TextColumn("Before", alignment="right"),
         "new": st.column_config.TextColumn("After", alignment="right"), "result": "Result",
         "sentence": st.column_config.TextColumn("Why", width=300)},
        key="entities", alt="What this run did, row by row",
    )  # fmt: skip
    if total > len(rows):
        st.caption(f"The first {number(len(rows))} of {number(total)} rows.")


def aside(rows: Sequence[Aside], zone: str) -> None:
    """Records that could not be read and were kept with the reason."""
    tables.show(
        {
            "when": [clock_time(row.at, zone) for row in rows],
            "source": [row.source for row in rows],
            "reference": [row.reference for row in rows],
            "reason": [row.reason for row in rows],
            "excerpt": [row.excerpt for row in rows],
        },
        {
            "when": "When",
            "source": "From",
            "reference": "Which",
            "reason": st.column_config.TextColumn("Why", width=300),
            "excerpt": st.column_config.TextColumn("Excerpt", width=300),
        },
        key="aside",
        alt="Records that were set aside",
        most=20,
    )

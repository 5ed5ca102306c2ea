"""What has Evenstock done, and did it go through? Runs in sentences, failures with what to do, every run in full."""

import streamlit as st

from core import clock
from core.store.queries import activity
from core.ui import activity_views, live, tables
from core.ui.text import number, plural

DAY_MS = 86_400_000


def look(run_id: str) -> None:
    """Open one run; its address can be kept and shared."""
    st.query_params["run"] = run_id


def close() -> None:
    """Close it."""
    st.query_params.pop("run", None)


@st.dialog("Run", position="right", width="medium", on_dismiss=close)
def opened(run: activity.RunLine) -> None:
    live.settle()
    with rt.store.read() as connection:
        rows, total = activity.entities(connection, run.id), activity.entity_count(connection, run.id)
    activity_views.full(run, rows, total, zone)


rt, shop = live.runtime(), live.shop()
zone = shop.timezone if shop else "UTC"
with rt.store.read() as connection:
    wrong = activity.unsolved(connection, clock.now_ms() - 7 * DAY_MS)
    aside = activity.aside_count(connection)
    failed = activity.count(connection, failed_only=True)
    everything = activity.count(connection)
live.heading(
    "Did everything go through?",
    f"{plural(len(wrong), 'thing')} did not" if wrong else "Yes" if everything else "Nothing has run yet",
)
for run in wrong:
    activity_views.problem(run, zone)

labels = {
    "all": f"All {number(everything)}",
    "problems": f"Problems {number(failed)}",
    "aside": f"Set aside {number(aside)}",
}
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    only = tables.views("Show", labels, "activity_only")
    names = {name: label for name, (label, _) in activity_views.KINDS.items()}
    kind = tables.choice("Kind of work", names, "activity_kind", width=200)

table = st.container()
kinds, failed_only = activity_views.KINDS[kind][1], only == "problems"
with rt.store.read() as connection:
    total = aside if only == "aside" else activity.count(connection, kinds=kinds, failed_only=failed_only)
    skip = tables.pages(total, "activity_page", noun="record" if only == "aside" else "run") if total else 0
    runs = (
        []
        if only == "aside"
        else activity.runs(connection, kinds=kinds, failed_only=failed_only, limit=tables.PAGE, offset=skip)
    )
    kept = activity.set_aside(connection, tables.PAGE, skip) if only == "aside" else []
    chosen = st.query_params.get("run", "")
    detail = activity.one(connection, int(chosen)) if chosen.isdigit() else None
with table:
    ids = [str(run.id) for run in runs]
    if runs:
        tables.show(
            activity_views.columns(runs, zone),
            activity_views.config(lambda: tables.clicked("run_open", ids, look)),
            key="runs",
            alt="Runs, the newest first",
            most=20,
        )
    elif kept:
        activity_views.aside(kept, zone)
    elif only == "aside":
        tables.empty(
            "Nothing was set aside", "A record that cannot be read is kept here with the reason, never dropped."
        )
    else:
        tables.empty(
            "No run matches" if everything else "Nothing has run yet", "The loop's work appears here as it happens."
        )
if detail is not None:
    live.hold()
    opened(detail)

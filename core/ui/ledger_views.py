"""Parts of the Ledger page: the proof, the table of movements in plain words, and where each came from."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.store.queries.ledger import LedgerRow, ProofLine, Wanted
from core.sync import ledger_file
from core.ui import live, tables, words
from core.ui.text import DASH, ago, moment, number, plain, plural

PERIODS = {"0": "All time", "1": "Last 24 hours", "7": "Last 7 days", "30": "Last 30 days", "90": "Last 90 days"}
ORIGIN = {
    "tiktok": "TikTok",
    "own shop": "Own shop",
    "store": "Your store",
    "csv": "A file",
    "owner": "Your decision",
}
ACTOR = {"owner": "You", "cli": "The command line", "practice shop": "The practice shop"}


def answer(proof: ProofLine | None, movements: int) -> str:
    """The headline: whether the ledger adds up."""
    if not movements:
        return "Nothing has moved yet"
    if proof is None:
        return f"{plural(movements, 'movement')}, not proven yet"
    if proof.status == "failed":
        return "No, it does not add up"
    if proof.status != "done":
        return "It is being added up now" if proof.status == "running" else "The last proof was not finished"
    return f"Yes, all {plural(proof.movements, 'movement')}" if proof.movements != 1 else "Yes"


def proven(proof: ProofLine | None) -> None:
    """When the ledger was last proven, and how it ended."""
    rt = live.runtime()
    with st.container(key="proof", horizontal=True, vertical_alignment="center"):
        st.markdown(_told(proof), width="stretch")
        st.button("Prove now", key="prove", disabled=not rt.owner, on_click=live.attempt, args=(rt.prove_now,),
                  kwargs={"done": "The ledger is being added up. The result appears here."},
                  help="Adds every movement up and compares the sums with the stock on hand and promised. "
                       "This happens by itself every day.")  # fmt: skip


def _told(proof: ProofLine | None) -> str:
    if proof is None:
        return ":gray-badge[Not proven yet] It is added up two minutes after the start, and then every day."
    word = words.word(PROOF, proof.status)
    return f":{word.colour}-badge[{word.text}] {ago(proof.at).capitalize()}. {plain(proof.sentence)}"


PROOF = {
    "done": words.Word("Proven", "green"),
    "failed": words.Word("Does not add up", "red"),
    "running": words.Word("Adding up", "blue"),
    "interrupted": words.Word("Not finished", "orange"),
}


def reasons(found: Sequence[str]) -> dict[str, str]:
    """The choice of reasons, in words."""
    return {"all": "Every reason"} | {each: reason(each) for each in found}


def reason(name: str) -> str:
    """A reason in plain words; one that has none is shown as it is."""
    return words.REASON.get(name) or words.word({}, name).text


def reference(row: LedgerRow) -> str:
    """What a movement refers to, in words."""
    kind, _, rest = row.reference.partition(":")
    if row.order_id:
        return f"Order {row.order_id}"
    if kind == "run":
        return f"Import {rest}" if row.origin == "csv" else f"Count {rest}"
    return {"drift": f"Difference {rest}", "own": rest}.get(kind, row.reference)


def target(row: LedgerRow) -> str:
    """Where a click on Open leads: "order:ID", "run:ID", or "" for nowhere."""
    if row.order_id:
        return f"order:{row.order_id}"
    return row.reference if row.reference.startswith("run:") else ""


def columns(rows: Sequence[LedgerRow], zone: str) -> dict[str, list[Any]]:
    """The table, column by column."""
    return {
        "when": [moment(row.at, zone) for row in rows],
        "sku": [row.sku for row in rows],
        "on_hand": [row.on_hand or None for row in rows],
        "promised": [row.reserved or None for row in rows],
        "balance": [row.balance for row in rows],
        "reason": [reason(row.reason) for row in rows],
        "reference": [reference(row) for row in rows],
        "open": ["Open" if target(row) else None for row in rows],
        "product": [f"{row.title}, {row.variant}" if row.variant else row.title for row in rows],
        "origin": [ORIGIN.get(row.origin, row.origin) for row in rows],
        "actor": [ACTOR.get(row.actor, row.actor) or DASH for row in rows],
        "note": [row.note for row in rows],
    }


def config(on_click: Callable[[], None]) -> dict[str, Any]:
    """How the columns look; a click on Open leads to the order or the run."""
    column = st.column_config
    return {
        "when": column.DatetimeColumn("When", format="D MMM YYYY, HH:mm:ss", width=158,
                                      help="When it was booked, in the shop's own time zone."),
        "sku": column.TextColumn("SKU", width=130),
        "on_hand": tables.numbers("On hand", 70, "Units that came into the building or left it.", "%+d"),
        "promised": tables.numbers("Promised", 74, "Units promised to an open order, or given back.", "%+d"),
        "balance": tables.numbers("Left", 62, "Units of this item on hand after this movement."),
        "reason": column.TextColumn("Why", width=176),
        "reference": column.TextColumn("Belongs to", width=190),
        "open": column.ButtonColumn("", width=66, type="tertiary", on_click=on_click, key="ledger_open"),
        "product": column.TextColumn("Product", width=210),
        "origin": column.TextColumn("From", width=96),
        "actor": column.TextColumn("By", width=90, help="Who entered it; a dash where Evenstock did it by itself."),
        "note": column.TextColumn("Note", width=180),
    }  # fmt: skip


def download(wanted: Wanted, shown: str) -> None:
    """The movements that match, as a file."""
    store = live.runtime().store
    st.download_button(
        "Export", lambda: ledger_file.content(store, wanted), "ledger.csv", "text/csv", key="export",
        on_click="ignore", icon=":material/download:",
        help=f"All {shown} that match, the oldest first, with the stock left after each.",
    )  # fmt: skip


def shown(total: int, capped: bool) -> str:
    """How many movements match, in words."""
    return f"movements (more than {number(total)})" if capped else plural(total, "movement")

"""The explanation of one number: every step to it with the rule behind it, and what happened around it."""

from collections.abc import Iterator

import streamlit as st

from core.store.queries.items import Behind, Part
from core.sync.explained import Explained
from core.sync.ladder import Step, What
from core.sync.reconcile import StockRow
from core.sync.rules import InForce, Scope
from core.sync.shares import Shares
from core.ui import tables, words
from core.ui.text import DASH, ago, clock_time, flat, number, plain, plural, signed, span

_NAMES = {
    What.ON_HAND: "On hand",
    What.PROMISED: "Promised to open orders",
    What.UNSEEN: "Held on TikTok by orders not here yet",
    What.LOCKED: "Shown by a listing that TikTok lets nobody lower",
    What.SHORT: "More is promised than there is",
    What.ZERO_BELOW: "Fewer than {by} are free, so none is shown",
    What.BUFFER: "Kept back",
    What.SHARE: "{by}% of that",
    What.SPLIT: "Left to your other channels: these are the last units",
    What.QUANTITY: "{by} go into each",
    What.CAP: "At most {by}",
    What.PLACES: "No more than {by} lie where they can be sent from",
    What.MOST: "TikTok takes at most {by}",
}
_FIELDS = {
    What.BUFFER: "buffer", What.SHARE: "share", What.ZERO_BELOW: "zero_below", What.CAP: "cap", What.SPLIT: "split",
}  # fmt: skip
SCOPES = {
    Scope.ITEM: "rule of this item", Scope.GROUP: "rule of its group", Scope.SHOP: "rule of this shop",
    Scope.ALL: "rule for everything", Scope.DEFAULT: "as usual",
}  # fmt: skip
_ASKS = ":small[:gray[{}]]"


def explain(row: StockRow, found: Explained, zone: str, next_at: int | None) -> None:
    """Where one number comes from, step by step, and what happened around it; `next_at` is the next sync (ms)."""
    st.text(flat(f"{row.title}, {row.variant}" if row.variant else row.title))
    st.caption(f"SKU {plain(row.seller_sku or row.sku_id)}")
    word = words.word(words.STOCK, row.state)
    st.markdown(f":{word.colour}-badge[{word.text}] {plain(row.sentence)}")
    if found.ladder is not None:
        st.table(_steps(row, found), border="horizontal", width="content", alt="How the number is worked out")
        if len(found.behind.parts) == 1:
            st.page_link("rules.py", label="Change the rule of this item",
                         query_params={"scope": "item", "item": found.behind.parts[0].sku})  # fmt: skip
    for each in found.shares:
        _last_units(each)
    _stands_in_the_way(row, found)
    behind = found.behind
    if behind.promises:
        st.markdown("**Promised to**")
        _promised(behind, zone)
    if behind.sent:
        st.markdown("**Sent to TikTok**")
        _sent(behind, zone)
    if behind.moved:
        st.markdown("**Last movements**")
        _moved(behind, zone)
    _around(row, behind, next_at)


def _steps(row: StockRow, found: Explained) -> dict[str, list[str]]:
    """The steps as a table: what, by how much, and what is left after it."""
    lines = list(_lines(row, found))
    return {
        "Step": [line[0] for line in lines],
        "Units": [line[1] for line in lines],
        "Left": [line[2] for line in lines],
    }


def _lines(row: StockRow, found: Explained) -> Iterator[tuple[str, str, str]]:
    steps = found.ladder
    assert steps is not None, "there is a number to explain"
    parts = found.behind.parts
    for place, climb in enumerate(steps.climbs):
        if len(parts) > 1:
            yield _item(parts[place], scarcest=place == steps.scarcest)
        for step in climb:
            yield _line(step, found.rules[place])
    for step in steps.last:
        yield _line(step, found.rules[steps.scarcest])
    yield "**TikTok should show**", "", f"**{number(steps.target)}**"
    if row.available is not None:
        yield f"TikTok shows, read {ago(row.observed_at)}", "", number(row.available)
        yield "Difference", signed(row.available - steps.target), ""


def _item(part: Part, *, scarcest: bool) -> tuple[str, str, str]:
    note = " decides, for it is the scarcest" if scarcest else ""
    return f"**{plain(part.sku)}**{note}", "", ""


def _line(step: Step, rule: InForce) -> tuple[str, str, str]:
    name = _NAMES[step.what].format(by=number(step.by))
    field = _FIELDS.get(step.what)
    if field is not None:
        name += f" {_ASKS.format(SCOPES[rule.origin[field]])}"
    change = number(step.change) if step.what is What.ON_HAND else signed(step.change) if step.change else DASH
    return name, change, number(step.after)


def _last_units(shares: Shares) -> None:
    """How the last units of an item are divided between its channels, with the figures behind it."""
    with st.expander(f"The last {number(shares.at)} of {plain(shares.sku)} are split", expanded=shares.in_force):
        st.markdown(plain(shares.sentence))
        each = shares.channels
        tables.show(
            {"name": [channel.name for channel in each], "share": [channel.share for channel in each],
             "weight": [f"{channel.weight} of {shares.total}" for channel in each],
             "month": [channel.month for channel in each], "per_hour": [channel.per_hour for channel in each],
             "delay": [span(channel.delay * 1000) for channel in each],
             "unnoticed": [channel.unnoticed for channel in each], "from": [channel.delay_from for channel in each]},
            _CHANNELS, key=f"shares_{shares.item_id}", most=6, alt="How the last units are divided between channels",
        )  # fmt: skip
        if sum(channel.unnoticed for channel in each) == shares.at:
            st.caption(f"What all may sell till then adds up to {number(shares.at)}: there the split begins.")
        else:
            st.caption("Sales and delays are those of now; the split follows them within ten minutes.")


_CHANNELS = {
    "name": "Channel",
    "share": tables.numbers("Share now", 80, "Units of those that are free now."),
    "weight": "Shares",
    "month": tables.numbers("Sold in 28 days", 106),
    "per_hour": tables.numbers("An hour", 66, "Units an hour in the busiest of 28 days, one day and one hour.", "%.2f"),
    "delay": st.column_config.TextColumn("Learns after", help="How long a sale elsewhere stays unknown here."),
    "unnoticed": tables.numbers("May sell till then", 116, "999 times of 1,000 it sells no more in that time."),
    "from": st.column_config.TextColumn("Because", width=330),
}


def _stands_in_the_way(row: StockRow, found: Explained) -> None:
    """What keeps the number from being sent: a lock of TikTok's, books that do not add up, an open question."""
    facts = found.facts
    if facts.halted:
        st.error(plain(facts.halted), title="Halted")
    if facts.locked:
        st.warning(plain(facts.locked), title="TikTok lets nobody set this number")
    if facts.doubt:
        st.caption("The answer to the last change was lost. It is not sent again before a reading tells.")
    if row.drift:
        st.page_link("drift.py", label=f"Which number is right? Decide on {signed(row.drift)}", icon=":material/help:",
                     query_params={"find": row.sku_id})  # fmt: skip
    if not facts.settled and row.item_id is not None:
        st.caption("This listing was never even yet: until you have reviewed it once, nothing is sent by itself.")


def _around(row: StockRow, behind: Behind, next_at: int | None) -> None:
    facts = [
        f"{plain(shelf.warehouse)} {number(shelf.available)} free, {number(shelf.committed)} held"
        for shelf in behind.shelves
    ]
    if facts:
        st.caption("On TikTok by warehouse: " + "; ".join(facts))
    last = behind.sent[0] if behind.sent else None
    told = [f"Last sent {ago(last.intent_at)}." if last else "Nothing was sent yet.",
            f"Last confirmed {ago(row.confirmed_at)}.", _queue(behind)]  # fmt: skip
    if next_at is not None:
        told.append(f"TikTok is read again {ago(next_at)}.")
    st.caption(" ".join(told))


def _queue(behind: Behind) -> str:
    if behind.queue_state not in ("dirty", "claimed"):
        return f"Change {behind.generation} is done, nothing waits." if behind.generation else "Nothing waits."
    why = behind.queue_note or behind.queue_reason
    due = f", due {ago(behind.due_at)}" if behind.due_at and behind.queue_state == "dirty" else ""
    return f"Change {behind.generation} waits to be sent{due}{f' ({plain(why)})' if why else ''}."


def _promised(behind: Behind, zone: str) -> None:
    tables.show(
        {"order": [each.order_id for each in behind.promises], "units": [each.units for each in behind.promises],
         "state": [tables.chip(words.ORDER, each.status) for each in behind.promises],
         "placed": [clock_time(each.create_time * 1000, zone) for each in behind.promises]},
        {"order": "Order", "units": tables.numbers("Units", 50),
         "state": tables.chips(words.ORDER, "State"), "placed": "Placed"},
        key="promised", alt="Orders that hold units of this item", most=5,
    )  # fmt: skip
    if behind.promised_orders > len(behind.promises):
        st.caption(f"and {plural(behind.promised_orders - len(behind.promises), 'more order')}")


def _sent(behind: Behind, zone: str) -> None:
    tables.show(
        {"when": [clock_time(each.intent_at, zone) for each in behind.sent],
         "from": [each.read_available for each in behind.sent], "to": [each.target for each in behind.sent],
         "result": [each.outcome.capitalize() for each in behind.sent]},
        {"when": "When", "from": tables.numbers("From", 60), "to": tables.numbers("To", 60), "result": "Result"},
        key="sent", alt="Numbers sent to TikTok", most=5,
    )  # fmt: skip


def _moved(behind: Behind, zone: str) -> None:
    tables.show(
        {"when": [clock_time(each.at, zone) for each in behind.moved],
         "what": [words.REASON.get(each.reason, each.reason) for each in behind.moved],
         "on_hand": [signed(each.on_hand) if each.on_hand else DASH for each in behind.moved],
         "reserved": [signed(each.reserved) if each.reserved else DASH for each in behind.moved],
         "note": [each.note for each in behind.moved]},
        {"when": "When", "what": "What", "on_hand": st.column_config.TextColumn("On hand", alignment="right", width=70),
         "reserved": st.column_config.TextColumn("Promised", alignment="right", width=70), "note": "Note"},
        key="moved", alt="Last movements of the stock ledger", most=8,
    )  # fmt: skip

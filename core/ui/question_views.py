"""One question of the Questions page, with its evidence and its answers, and one answer to many of them."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.store.queries.drift import Question
from core.store.queries.drift_evidence import Around
from core.sync.decisions import Asked, Choice
from core.sync.drift_answers import Answer
from core.ui import drift_views, live, tables, words
from core.ui.text import clock_time, flat, moment, number, plain, plural, signed


def head(asked: Question, zone: str) -> None:
    """One question: what it is about, its numbers, and what speaks for the likely cause."""
    st.text(flat(asked.name))
    st.caption(f"SKU {plain(asked.seller_sku or asked.sku_id)}")
    word = words.word(words.CAUSE, asked.cause)
    st.markdown(f":{word.colour}-badge[{word.text}] {plain(asked.evidence or drift_views.waiting(asked))}")
    shown = {
        "Explained by our records": number(asked.expected),
        f"TikTok showed, {clock_time(asked.found_at, zone)}": number(asked.observed),
        "**Nothing explains**": f"**{signed(asked.amount)}**",
    }
    if asked.available is not None:
        shown["TikTok shows now"] = number(asked.available)
    st.table(shown, border="horizontal", width="content", alt="What was expected and what was shown")


def meanwhile(asked: Question) -> str:
    """What is offered until the owner decides."""
    if asked.state == "lowered":
        return "Evenstock lowered it. Until you decide, it may go lower and is never raised."
    if asked.amount > 0:
        return "Evenstock lowers it to what you really have. Until you decide, it is never raised."
    return "It stays this low, or goes lower, until you decide."


def counted(asked: Question) -> int:
    """What the owner typed as counted; what the records say before they do."""
    return int(st.session_state.get(_number(asked), max(0, asked.on_hand)))


def _number(asked: Question) -> str:
    return f"drift_number_{asked.id}"


def choices(asked: Question, found: Sequence[Answer], give: Callable[[Choice], None]) -> None:
    """The three answers, each telling before the click what it books and what TikTok will show."""
    for each in found:
        with st.container(border=True, key=f"answer_{each.choice}", gap="small"):
            if each.choice == "count" and each.possible:
                st.number_input("Or count: units on the shelf, promised ones too", 0, 99_999, counted(asked),
                                key=_number(asked))  # fmt: skip
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(plain(each.sentence), width="stretch")
                st.button(
                    drift_views.ANSWERS[each.choice], key=f"decide_{each.choice}", on_click=give, args=(each.choice,),
                    disabled=not (each.possible and live.can_act()), width=132,
                )  # fmt: skip


def always(shop: str) -> None:
    """Whether the answer is the shop's rule from now on."""
    st.checkbox(
        f"From now on always, for every listing of {plain(shop)}", key="drift_always",
        help="For keeping yours or taking TikTok's. Each is still kept in the history, and open questions stay open.",
    )  # fmt: skip


def around(found: Around, zone: str) -> None:
    """What was kept around the moment: readings, our writes, orders, and what TikTok told by itself."""
    if found.shown:
        st.markdown("**TikTok showed**")
        tables.show(
            {"at": [moment(each.at, zone) for each in found.shown], "free": [each.available for each in found.shown],
             "held": [each.committed for each in found.shown]},
            {"at": _second("From"), "free": tables.numbers("Free", 60), "held": tables.numbers("Held by orders", 110)},
            key="drift_shown", alt="The numbers that TikTok showed, the newest first", most=6,
        )  # fmt: skip
    if found.writes:
        st.markdown("**We sent**")
        tables.show(
            {"at": [moment(each.at, zone) for each in found.writes],
             "from": [each.read_available for each in found.writes], "to": [each.target for each in found.writes],
             "result": [_result(each.outcome, each.doubtful) for each in found.writes]},
            {"at": _second("At"), "from": tables.numbers("From", 56), "to": tables.numbers("To", 56),
             "result": st.column_config.TextColumn("Result", width=150)},
            key="drift_sent", alt="The numbers that were sent to TikTok, the newest first", most=6,
        )  # fmt: skip
    if found.orders:
        st.markdown("**Orders of it**")
        tables.show(
            {"order": [each.order_id for each in found.orders], "units": [each.units for each in found.orders],
             "state": [tables.chip(words.ORDER, each.status) for each in found.orders],
             "at": [moment(each.create_time * 1000, zone) for each in found.orders],
             "known": [moment(each.first_seen_at, zone) for each in found.orders]},
            {"order": "Order", "units": tables.numbers("Units", 50), "state": tables.chips(words.ORDER, "State"),
             "at": _second("Placed"), "known": _second("Known here")},
            key="drift_orders", alt="Orders around that moment, the newest first", most=6,
        )  # fmt: skip
    for hint in found.hints:
        told = ", ".join(each.replace("_", " ") for each in hint.sources)
        st.caption(f"{clock_time(hint.at, zone)} TikTok told of a change of its stock: {plain(told)}.")


def _second(label: str) -> Any:
    return st.column_config.DatetimeColumn(label, format="D MMM, HH:mm:ss", width=128)


def _result(outcome: str, doubtful: bool) -> str:
    return f"{outcome.capitalize()}, no answer" if doubtful and outcome != "unknown" else outcome.capitalize()


def decided(asked: Question, why_not_undo: str, undo: Callable[[], None], zone: str) -> None:
    """What was decided, and taking it back, or why that cannot be."""
    word = words.word(words.DECISION, drift_views.state(asked))
    when = f"{drift_views.by(asked)}, {clock_time(asked.decided_at, zone)}"
    st.markdown(
        f":{word.colour}-badge[{word.text}] {plain(when)}. In the ledger: {plain(drift_views.ledger_line(asked))}."
    )
    if why_not_undo:
        st.caption(f"It cannot be undone. {plain(why_not_undo)}")
        return
    books = f"{signed(-asked.units)} is booked, and it" if asked.decision == "theirs" else "It"
    st.caption(f"{books} is a question again. Until you decide, TikTok's number is only ever lowered.")
    st.button("Undo this decision", key="drift_undo", on_click=undo, disabled=not live.can_act())


def preview(rows: Sequence[Question], found: dict[int, Answer]) -> list[Asked]:
    """What an answer would do to each of several questions; returns those that it can be given to."""
    good = [row for row in rows if found[row.id].possible and row.certain]
    left = [row for row in rows if row not in good]
    if good:
        tables.show(
            {"sku": [row.seller_sku or row.sku_id for row in good], "amount": [row.amount for row in good],
             "booked": [found[row.id].units or None for row in good], "now": [row.available for row in good],
             "then": [found[row.id].shows for row in good], "why": [found[row.id].sentence for row in good],
             "product": [row.name for row in good]},
            {"sku": st.column_config.TextColumn("SKU", width=140), "amount": tables.numbers("Change", 66, None, "%+d"),
             "booked": tables.numbers("Booked", 70, "Units added to the ledger.", "%+d"),
             "now": tables.numbers("Shows now", 84), "then": tables.numbers("Then", 60),
             "why": st.column_config.TextColumn("What happens", width=430),
             "product": st.column_config.TextColumn("Product", width=190)},
            key="drift_preview", alt="Each question with what the answer would book and show", most=10,
        )  # fmt: skip
    if left:
        st.markdown(f"**{plural(len(left), 'question')} {'stays' if len(left) == 1 else 'stay'} open**")
        for row in left[:8]:
            why = found[row.id].sentence if not found[row.id].possible else "It is still being checked."
            st.caption(f"{plain(row.seller_sku or row.sku_id)}: {plain(why)}")
        if len(left) > 8:
            st.caption(f"and {number(len(left) - 8)} more")
    return [Asked(row.id, row.amount) for row in good]


def told(done: int, units: int, choice: Choice) -> str:
    """What was decided, in a sentence."""
    many = plural(done, "question")
    if choice == "ours":
        return f"{many} decided: your {'number is' if done == 1 else 'numbers are'} right. TikTok follows."
    booked = f"{signed(units)} {'unit' if abs(units) == 1 else 'units'} booked" if units else "no unit was booked"
    return f"{many} decided, {booked}."

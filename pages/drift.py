"""Does TikTok show what nothing explains? The open questions, what each answer does, and what was decided."""

import streamlit as st

from core.store.queries import drift as kept
from core.store.queries import drift_evidence
from core.sync import decisions, drift_answers
from core.sync.decisions import Asked, Choice
from core.sync.drift_answers import Answer
from core.ui import drift_views, live, question_views, tables
from core.ui.text import plural

QUESTION = "Does TikTok show anything that nothing explains?"


def give(asked: list[Asked], choice: Choice, number: int | None = None) -> None:
    """Decide these, and make it the shop's rule where that was ticked."""
    found = live.attempt(rt.decide_drift, asked, choice, number if choice == "count" else None)
    if found is None:
        return
    if found.done and choice != "count" and st.session_state.get("drift_always"):
        live.attempt(rt.set_drift_rule, shop.id, choice)
    left = " ".join(dict.fromkeys(why for _, why in found.left))
    live.say(f"{question_views.told(found.done, found.units, choice)} {left}".strip(), wrong=not found.done)
    drift_views.close()
    tables.forget("drift")


def undo(drift_id: int) -> None:
    """Take a decision back."""
    done = "Taken back: it is a question again."
    if live.attempt(rt.undo_drift, drift_id, done=done) is not None:
        drift_views.close()


def change_rule() -> None:
    """Keep the rule that was chosen."""
    live.attempt(rt.set_drift_rule, shop.id, st.session_state["drift_rule"], done="Kept. Open questions stay open.")


def look() -> None:
    """Open the question whose button was clicked."""
    tables.clicked("drift_open", [str(row.id) for row in rows], drift_views.look)


@st.dialog("Which number is right?", position="right", width="medium", on_dismiss=drift_views.close)
def one(asked: kept.Question) -> None:
    live.settle()
    question_views.head(asked, shop.timezone)
    with rt.store.read() as connection:
        found = drift_evidence.around(connection, asked.shop_id, asked.sku_id, asked.found_at)
        why_not = decisions.cannot_undo(connection, asked) if asked.decided_at else ""
    if asked.state in ("decided", "undone"):
        question_views.decided(asked, why_not, lambda: undo(asked.id), shop.timezone)
    elif asked.certain:
        st.caption(question_views.meanwhile(asked))
        seen = [Asked(asked.id, asked.amount)]
        question_views.choices(asked, answers(asked), lambda choice: give(seen, choice, question_views.counted(asked)))
        question_views.always(shop.name)
    question_views.around(found, shop.timezone)


def answers(asked: kept.Question) -> list[Answer]:
    """The three answers to one question; the third for the number that is typed in."""
    given: tuple[Choice, ...] = ("ours", "theirs", "count")
    with rt.store.read() as connection:
        return [drift_answers.answers(connection, [asked], each, question_views.counted(asked))[asked.id]
                for each in given]  # fmt: skip


@st.dialog("Decide several at once", width="large", on_dismiss=drift_views.close)
def many(ids: list[int], choice: Choice) -> None:
    live.settle()
    with rt.store.read() as connection:
        asked = kept.these(connection, ids)
        found = drift_answers.answers(connection, asked, choice)
    good = question_views.preview(asked, found)
    question_views.always(shop.name)
    label = f"{drift_views.ANSWERS[choice]} for {plural(len(good), 'question')}"
    st.button(label, key="decide_all", type="primary", on_click=give, args=(good, choice),
              disabled=not (good and rt.owner))  # fmt: skip


rt, shop = live.runtime(), live.connected(QUESTION, "Nothing has been read yet")
with rt.store.read() as connection:
    counts, rule = kept.counts(connection, shop.id), decisions.rule_of(connection, shop.id)
st.session_state["drift_rule"] = rule
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    live.heading(QUESTION, drift_views.answer(counts))
    st.selectbox("When nothing explains a number", list(drift_views.RULES), key="drift_rule", width=220,
                 format_func=lambda name: drift_views.RULES[name], on_change=change_rule, filter_mode=None,
                 disabled=not rt.owner, help=drift_views.RULE_HELP[rule])  # fmt: skip
if rule != "ask":
    st.caption(drift_views.RULE_HELP[rule])
with st.container(horizontal=True, vertical_alignment="center"):
    view = tables.views("Show", drift_views.views(counts), "drift_show")
    search = tables.find("Find a SKU or product", "drift_find")
    with rt.store.read() as connection:
        of_each = kept.causes(connection, kept.Wanted(view, shop.id, "", search)) if view != "decided" else {}
    cause = tables.choice("Cause", drift_views.causes(of_each), "drift_cause")
    sort = "decided" if view == "decided" else tables.choice("Sort by", drift_views.SORTS, "drift_sort")

table = st.container()
wanted = kept.Wanted(view, shop.id, "" if cause == "all" else cause, search)
with rt.store.read() as connection:
    total = kept.total(connection, wanted)
    skip = tables.pages(total, "drift_page", noun="question") if total else 0
    rows = kept.page(connection, wanted, sort=sort, limit=tables.PAGE, offset=skip) if total else []
    detail = kept.these(connection, drift_views.opened())
chosen: list[str] = []
with table:
    if rows and view == "decided":
        drift_views.history(rows, shop.timezone, look)
    elif rows:
        chosen = drift_views.table(rows, shop.timezone, look, choosing=view == "open")
    else:
        drift_views.nothing(view, searched=bool(search or wanted.cause))
if chosen:
    live.hold()
    with st.bottom, st.container(key="chosen_bar", horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f"**{len(chosen)} chosen**", width="stretch")
        st.button("Clear", key="clear", on_click=tables.forget, args=("drift",))
        for name in ("ours", "theirs"):
            st.button(drift_views.ANSWERS[name], key=f"several_{name}", disabled=not rt.owner,
                      on_click=drift_views.review, args=(name,))  # fmt: skip

choice = drift_views.reviewing()
if detail:
    live.hold()
    one(detail[0])
elif chosen and choice:
    live.hold()
    many([int(each) for each in chosen], choice)

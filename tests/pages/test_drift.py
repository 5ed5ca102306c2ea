"""The Questions page: what it tells before a decision, one and several decisions, the rule, the history and undoing."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core import clock
from core.store import tables as t
from core.store.queries import drift as kept
from core.sync.decisions import Asked
from tests.pages import seed

Visit = Callable[..., AppTest]


def told(at: AppTest) -> str:
    kinds = ("markdown", "caption", "text", "success", "error", "title")
    return "\n".join(str(each.value) for kind in kinds for each in at.get(kind)).replace("\\", "")


def ask(desk, place: int, amount: int = 3, **more) -> int:
    """A question about one of the goods; returns its number."""
    sku_id = desk.goods[place][0]
    with desk.store.write() as connection:
        shown = connection.execute(text("SELECT available FROM listing WHERE sku_id = :s"), {"s": sku_id}).scalar_one()
        values = {"expected": shown - amount, "observed": shown, "amount": amount, "state": "open", "cause": "hand",
                  "evidence": "Probably somebody typed it."}  # fmt: skip
        return seed.put(
            connection, t.Drift, shop_id=seed.SHOP, sku_id=sku_id, found_at=clock.now_ms() - 60_000, **values | more
        )


def question(desk, number: int) -> kept.Question:
    with desk.store.read() as connection:
        return kept.these(connection, [number])[0]


@pytest.fixture
def calm(desk):
    """A shop with nothing to decide."""
    with desk.store.write() as connection:
        connection.execute(text("DELETE FROM drift"))
    return desk


def test_nothing_to_decide_says_so(calm, visit: Visit) -> None:
    at = visit("drift")
    assert not at.exception
    assert at.title[0].value == "No, every number is explained"
    assert "Nothing to decide" in told(at)


def test_the_headline_counts_what_waits(calm, visit: Visit) -> None:
    ask(calm, 0)
    assert visit("drift").title[0].value == "Yes, 1 number waits for your decision"
    ask(calm, 1)
    assert visit("drift").title[0].value == "Yes, 2 numbers wait for your decision"


def test_a_row_says_what_is_explained_what_was_shown_and_why(calm, visit: Visit) -> None:
    number = ask(calm, 0, 4)
    row = visit("drift").dataframe[0].value.iloc[0]
    asked = question(calm, number)
    assert (row["explained"], row["showed"], row["amount"]) == (asked.expected, asked.observed, 4)
    assert (list(row["cause"]), row["evidence"]) == (["By hand"], "Probably somebody typed it.")


def test_a_number_that_is_still_checked_is_no_question_yet(calm, visit: Visit) -> None:
    number = ask(calm, 0, state="suspected", cause="", evidence="")
    at = visit("drift", show="checking")
    assert at.title[0].value == "Perhaps: 1 number is being checked"
    assert "The orders are being read once more" in at.dataframe[0].value["evidence"].iloc[0]
    at = visit("drift", question=str(number))
    assert not [button for button in at.button if str(button.key).startswith("decide")]


def test_the_filters_are_in_the_address(calm, visit: Visit) -> None:
    ask(calm, 0, cause="tool")
    ask(calm, 1, cause="hand")
    rows = visit("drift", cause="tool").dataframe[0].value
    assert list(rows["sku"]) == [calm.goods[0][1]]
    rows = visit("drift", find=calm.goods[1][1]).dataframe[0].value
    assert list(rows["sku"]) == [calm.goods[1][1]]
    assert "No question matches" in told(visit("drift", find="nothing like it"))


def test_each_answer_tells_what_it_books_before_it_is_given(calm, visit: Visit) -> None:
    asked = question(calm, ask(calm, 0, 4))
    words = told(visit("drift", question=str(asked.id)))
    assert "and nothing is booked." in words
    assert f'+4 is booked as "taken over from TikTok", so you have {asked.on_hand + 4} units' in words
    assert f"A count of {asked.on_hand}, as your records say" in words


def test_keeping_ours_decides_it(calm, visit: Visit) -> None:
    number = ask(calm, 0, 4)
    at = visit("drift", question=str(number)).button(key="decide_ours").click().run()
    assert not at.exception
    assert ("decide_drift", (Asked(number, 4),), "ours", None) in calm.asked
    assert "1 question decided: your number is right" in told(at)
    assert question(calm, number).decision == "ours"


def test_taking_theirs_with_always_makes_it_the_rule_of_the_shop(calm, visit: Visit) -> None:
    number = ask(calm, 0, 4)
    at = visit("drift", question=str(number))
    at.checkbox(key="drift_always").check().run()
    at = at.button(key="decide_theirs").click().run()
    assert "1 question decided, +4 units booked" in told(at)
    assert ("set_drift_rule", seed.SHOP, "theirs") in calm.asked
    assert at.selectbox(key="drift_rule").value == "theirs"


def test_another_number_is_told_as_it_is_typed_and_booked_as_a_count(calm, visit: Visit) -> None:
    asked = question(calm, ask(calm, 0, 4))
    at = visit("drift", question=str(asked.id))
    at = at.number_input(key=f"drift_number_{asked.id}").set_value(asked.on_hand + 2).run()
    assert f"A count of {asked.on_hand + 2}: TikTok goes to" in told(at)
    assert '+2 is booked as "count"' in told(at)
    at.button(key="decide_count").click().run()
    assert question(calm, asked.id).on_hand == asked.on_hand + 2


def test_what_cannot_be_taken_over_says_why_and_cannot_be_clicked(calm, visit: Visit) -> None:
    number = ask(calm, 0, 4, cause="backorder")
    at = visit("drift", question=str(number))
    assert "no goods came with it" in told(at)
    assert at.button(key="decide_theirs").disabled
    assert not at.button(key="decide_ours").disabled


def choose(at: AppTest, rows: list[int]) -> AppTest:
    at.session_state["drift_0"] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    return at.run()


def test_several_are_listed_before_they_are_decided(calm, visit: Visit) -> None:
    good, bad = ask(calm, 0, 4), ask(calm, 1, 2, cause="backorder")
    at = visit("drift")
    at = choose(at, [0, 1])
    at = at.button(key="several_theirs").click().run()
    assert not at.exception
    assert "1 question stays open" in told(at)
    preview = at.dataframe[-1].value
    assert (list(preview["sku"]), list(preview["booked"])) == ([calm.goods[0][1]], [4])
    at = at.button(key="decide_all").click().run()
    assert not at.exception
    assert question(calm, good).decision == "theirs"
    assert question(calm, bad).state == "open"


def test_the_rule_of_the_shop_can_be_changed_on_the_page(calm, visit: Visit) -> None:
    at = visit("drift").selectbox(key="drift_rule").set_value("ours").run()
    assert ("set_drift_rule", seed.SHOP, "ours") in calm.asked
    assert "Open questions stay open" in told(at)
    assert "Each is decided by itself: TikTok goes back to your number" in told(at)


def test_the_history_tells_who_decided_what_and_what_was_booked(calm, visit: Visit) -> None:
    number = ask(calm, 0, 4)
    calm.decide_drift([Asked(number, 4)], "theirs")
    row = visit("drift", show="decided").dataframe[0].value.iloc[0]
    assert (list(row["decision"]), row["by"], row["booked"]) == (["TikTok's taken"], "You", "+4 taken over")


def test_a_decision_can_be_undone_from_the_history(calm, visit: Visit) -> None:
    number = ask(calm, 0, 4)
    calm.decide_drift([Asked(number, 4)], "theirs")
    at = visit("drift", show="decided", question=str(number))
    assert "−4 is booked, and it is a question again" in told(at)
    at = at.button(key="drift_undo").click().run()
    assert not at.exception
    assert "Taken back: it is a question again" in told(at)
    assert question(calm, number).state == "undone"


def test_what_cannot_be_undone_says_why(calm, visit: Visit) -> None:
    asked = question(calm, ask(calm, 0, 4))
    calm.decide_drift([Asked(asked.id, 4)], "count", asked.on_hand)
    at = visit("drift", show="decided", question=str(asked.id))
    assert "It cannot be undone. A count is put right by another count." in told(at)
    assert not [button for button in at.button if button.key == "drift_undo"]


def test_a_window_that_only_reads_decides_nothing(calm, visit: Visit) -> None:
    calm.owner, calm.owner_note = False, "Another window owns the jobs."
    number = ask(calm, 0, 4)
    at = visit("drift", question=str(number))
    assert at.button(key="decide_ours").disabled
    assert at.selectbox(key="drift_rule").disabled


def test_the_evidence_around_it_is_shown(calm, visit: Visit) -> None:
    number = ask(calm, 0, 4)
    with calm.store.write() as connection:
        seed.put(connection, t.Shown, shop_id=seed.SHOP, sku_id=calm.goods[0][0], at=clock.now_ms() - 90_000,
                 available=9, committed=1)  # fmt: skip
        seed.put(connection, t.Hook, id="h", type=68, shop_id=seed.SHOP, state="done",
                 body=f"|{calm.goods[0][0]}|manual_adjustment", received_at=clock.now_ms() - 80_000)  # fmt: skip
    at = visit("drift", question=str(number))
    assert "TikTok showed" in told(at)
    assert "manual adjustment" in told(at)


def test_hostile_titles_stay_text(calm, visit: Visit) -> None:
    number = ask(calm, 4, 4)
    at = visit("drift", question=str(number))
    markdown = "\n".join(str(each.value) for kind in ("markdown", "caption") for each in at.get(kind))
    assert "](http" not in markdown
    assert ":red[sale]" not in markdown

"""The review page and the list of plans: choosing rows, what is at stake, stale rows, and undo."""

from collections.abc import Callable

from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.store import choices
from core.sync import stakes
from core.sync.approval import Which
from tests.pages import seed
from tests.pages.test_actions import words

Visit = Callable[..., AppTest]


def plan(desk, *changes: tuple[int, int, int], **head: str) -> int:
    """A plan with rows (place in the goods, old, new), weighed as a real one is."""
    with desk.store.write() as connection:
        values = {"kind": "resync", "shop_id": seed.SHOP, "actor": "owner", "created_at": seed.clock.now_ms()}
        number = seed.put(connection, seed.t.Plan, **(values | head))
        rows = [
            {"plan_id": number, "entity": desk.goods[place][0], "field": "available", "old": str(old), "new": str(new),
             "read_at": seed.clock.now_ms(), "rule": f"{new} on hand minus 0 promised", "state": "proposed",
             "result": ""} for place, old, new in changes
        ]  # fmt: skip
        stakes.keep(connection, seed.SHOP, rows)
    return number


def figures(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


def chosen(at: AppTest, *places: int) -> AppTest:
    """Choose rows of the table, as a click on their boxes does."""
    key = f"plan_{at.session_state.get('plan_round', 0)}"
    at.session_state[key] = {"selection": {"rows": list(places), "columns": [], "cells": []}}
    return at.run()


def states(desk, number: int) -> dict[str, str]:
    with desk.store.read() as connection:
        rows = connection.execute(text("SELECT entity, state FROM plan_row WHERE plan_id = :p"), {"p": number})
        return {row.entity: row.state for row in rows}


def test_a_plan_shows_what_is_at_stake(desk, visit: Visit) -> None:
    at = visit("plan", plan=str(plan(desk, (0, 10, 4), (1, 3, 0), (2, 5, 7))))
    assert at.title[0].value == "3 changes to send"
    assert figures(at) == {
        "Raised": "1", "Lowered": "2", "To zero": "1", "Comes off sale": "£148.50", "Newly offered": "£33.00",
    }  # fmt: skip
    assert "The largest change is 6 units" in words(at)
    table = at.dataframe[0].value
    assert list(table["money"]) == [-99.0, -49.5, 33.0], "the largest change comes first"


def test_chosen_rows_can_be_left_out_and_put_back(desk, visit: Visit) -> None:
    number = plan(desk, (0, 10, 4), (1, 3, 0), (2, 5, 7))
    at = chosen(visit("plan", plan=str(number)), 0)
    assert "**1 chosen**" in words(at)
    at.button(key="rows_leave").click().run()
    assert at.title[0].value == "2 of 3 changes to send"
    assert at.button(key="send").label == "Send 2 changes"
    assert figures(at)["Comes off sale"] == "£49.50"
    at = chosen(visit("plan", plan=str(number)), 0)
    at.button(key="rows_put").click().run()
    assert at.title[0].value == "3 changes to send"


def test_only_what_a_filter_finds_can_be_kept(desk, visit: Visit) -> None:
    number = plan(desk, (0, 10, 4), (1, 3, 0), (2, 5, 7))
    at = visit("plan", plan=str(number), show="less")
    assert "All 2 rows found here" in words(at)
    at.button(key="found_only").click().run()
    assert sorted(states(desk, number).values()) == ["proposed", "proposed", "skipped"]
    assert states(desk, number)[desk.goods[2][0]] == "skipped"
    at.button(key="send").click().run()
    assert ("start_plan", number, None) in desk.asked


def test_rows_are_found_by_sku_product_and_rule(desk, visit: Visit) -> None:
    number = str(plan(desk, (0, 10, 4), (3, 3, 0), (2, 5, 7)))
    for search, rows in (("LINEN", 2), ("beeswax", 1), ("7 on hand", 1), ("no such thing", 0)):
        at = visit("plan", plan=number, find=search)
        assert (len(at.dataframe[0].value) if at.dataframe else 0) == rows, search
    assert "No row matches" in words(at)


def test_leaving_rows_out_brings_a_plan_below_the_limits(desk, visit: Visit) -> None:
    choices.save(desk.store, desk.choices().model_copy(update={"stop_zero_count": 2}))
    number = plan(desk, (0, 10, 0), (1, 3, 0), (2, 5, 0))
    desk.choose_rows(number, "put back", Which())
    at = visit("plan", plan=str(number))
    assert "3 would go to zero at once; your limit is 2" in words(at)
    assert at.button(key="send").disabled
    assert "type the number of changes: 3" in at.number_input(key="typed").label
    chosen(at, 0).button(key="rows_leave").click().run()
    assert not at.number_input
    assert not at.button(key="send").disabled


def test_changes_that_follow_from_one_decision_cannot_be_chosen_among(desk, visit: Visit) -> None:
    at = visit("plan", plan=str(plan(desk, (0, 10, 4), kind="rules")), show="less")
    assert at.button(key="send").label == "Send 1 change"
    assert not [button for button in at.button if str(button.key).startswith(("rows_", "found_"))]


def test_rows_that_came_back_are_reviewed_again_with_one_click(desk, visit: Visit) -> None:
    number = plan(desk, (2, 5, 7), (13, 3, 4), state="done")
    with desk.store.write() as connection:
        connection.execute(text("UPDATE plan_row SET state = 'review' WHERE plan_id = :p"), {"p": number})
    at = visit("plan", plan=str(number))
    assert at.button(key="again").label == "Review the 2 that are left"
    at.button(key="again").click().run()
    assert ("propose_again", number) in desk.asked
    assert at.query_params["plan"] != str(number)
    assert at.title[0].value.endswith("to send")


def test_a_plan_is_taken_back_from_its_page_after_reading_what_has_to_stay(desk, visit: Visit) -> None:
    number = plan(desk, (0, 10, 4), state="done")
    with desk.store.write() as connection:
        connection.execute(text("UPDATE plan_row SET state = 'done' WHERE plan_id = :p"), {"p": number})
    at = visit("plan", plan=str(number))
    at.button(key="undo").click().run()
    assert ("propose_undo", number) in desk.asked
    assert at.title[0].value == "None of it can be undone any more"
    assert f"To take back plan {number}" in words(at)
    assert list(at.dataframe[0].value["result"]) == ["It was even already, and nothing was sent."]
    assert not [button for button in at.button if button.key == "send"]


def test_a_plan_that_was_never_run_to_its_end_offers_no_undo(desk, visit: Visit) -> None:
    at = visit("plan", plan=str(plan(desk, (0, 10, 4), state="replaced")))
    assert not [button for button in at.button if button.key in ("undo", "again", "send")]


def test_the_list_of_plans_says_which_wait_and_opens_one(desk, visit: Visit) -> None:
    plan(desk, (0, 10, 4), state="done")
    number = plan(desk, (1, 10, 4))
    at = visit("plans")
    assert at.title[0].value == "1 plan waits for your yes"
    assert list(at.dataframe[0].value["id"]) == [number, number - 1]
    at.session_state["go_plan"] = number
    at.run()
    assert at.title[0].value == "1 change to send"
    assert ":orange-badge[1] plan waits for your yes" in words(visit("overview"))


def test_a_desk_without_plans_says_how_one_is_made(desk, visit: Visit) -> None:
    at = visit("plans")
    assert at.title[0].value == "There is no plan yet"
    assert "Choose rows on the Stock page" in words(at)

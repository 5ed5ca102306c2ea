"""Where to start: what the page tells of both numbers, the question with the owner's goods, and the plan it makes."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.sync import outbox
from core.sync.starting import Choice
from tests.pages import seed

Visit = Callable[..., AppTest]


def told(at: AppTest) -> str:
    kinds = ("markdown", "caption", "title", "success", "error")
    return "\n".join(str(each.value) for kind in kinds for each in at.get(kind)).replace("\\", "")


@pytest.fixture
def new(desk: Any) -> Any:
    """The listings of a shop of which none was reviewed."""
    with desk.store.write() as connection:
        connection.execute(text("UPDATE listing SET settled_at = NULL"))
        items = connection.execute(text("SELECT id FROM item")).scalars().all()
        outbox.mark_items(connection, items, "test")
    return desk


@pytest.fixture
def settled(new: Any) -> Any:
    """All were reviewed."""
    with new.store.write() as connection:
        connection.execute(text("UPDATE listing SET settled_at = 1"))
    return new


def test_it_says_how_much_has_no_start_yet(new: Any, visit: Visit) -> None:
    at = visit("start")
    assert not at.exception
    with new.store.read() as connection:
        linked = connection.execute(text("SELECT count(DISTINCT sku_id) FROM link")).scalar_one()
    assert at.title[0].value == f"{linked} listings of {len(seed.GOODS)} products have no start yet"


def test_the_question_is_asked_with_goods_of_the_owners_own(new: Any, visit: Visit) -> None:
    at = visit("start")
    (question,) = at.radio
    assert "did it already leave out" in question.label
    assert question.value is False, "the answer that offers less"
    assert "are ordered on TikTok and not sent yet" in told(at)
    assert "If you are not sure, take No: it offers less." in told(at)


def test_the_question_is_not_asked_when_tiktoks_numbers_are_taken(new: Any, visit: Visit) -> None:
    at = visit("start")
    at.session_state["start_all"] = Choice.THEIRS
    at.run()
    assert not at.radio


def test_the_choices_become_one_plan_and_nothing_is_booked(new: Any, visit: Visit) -> None:
    at = visit("start")
    at.session_state["start_all"] = Choice.THEIRS
    at.session_state["start_products"] = {"1728MUG": Choice.OURS, "1728SOAP": Choice.LATER}
    at.run()
    with new.store.read() as connection:
        before = connection.execute(text("SELECT count(*) FROM movement")).scalar_one()
    at.button(key="start_review").click().run()
    assert not at.exception
    wish = new.asked[-1][2]
    assert (wish.everything, wish.products["1728MUG"]) == (Choice.THEIRS, Choice.OURS)
    with new.store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM movement")).scalar_one() == before
        rows = connection.execute(
            text("SELECT r.entity, r.rule, l.product_id FROM plan_row r JOIN listing l ON l.sku_id = r.entity")
        ).all()
    assert {row.rule.partition(":")[0].partition(",")[0] for row in rows if row.product_id == "1728MUG"} == {
        "Your count"
    }
    assert not [row for row in rows if row.product_id == "1728SOAP"]


def test_an_answer_is_kept_for_the_next_time(new: Any, visit: Visit) -> None:
    at = visit("start")
    at.radio[0].set_value(True).run()
    at.button(key="start_review").click().run()
    assert new.asked[-1][2].leaves_out is True
    with new.store.write() as connection:
        connection.execute(text("UPDATE plan SET state = 'done'"))
    assert visit("start").radio[0].value is True


def test_choices_that_start_nothing_are_answered_with_what_to_do(new: Any, visit: Visit) -> None:
    at = visit("start")
    at.session_state["start_all"] = Choice.LATER
    at.run()
    at.button(key="start_review").click().run()
    assert "With these choices no listing can start yet." in told(at)


def test_when_all_have_their_start_the_page_says_so(settled: Any, visit: Visit) -> None:
    at = visit("start")
    assert at.title[0].value == "Every linked listing has its start"
    assert "Nothing waits for a start" in told(at)
    assert not [button for button in at.button if button.key == "start_review"]


def test_what_is_linked_to_nothing_is_named_with_the_way_to_mend_it(new: Any, visit: Visit) -> None:
    at = visit("start")
    assert "linked to none of your items" in told(at)
    assert any(link.label == "Open Catalogue" for link in at.get("page_link"))


@pytest.mark.parametrize("page", ["overview", "stock"])
def test_other_pages_say_that_listings_have_no_start_and_lead_to_it(new: Any, visit: Visit, page: str) -> None:
    at = visit(page)
    assert not at.exception
    assert "no start yet" in told(at)
    assert any(link.page == "start" for link in at.get("page_link"))


@pytest.mark.parametrize("page", ["overview", "stock"])
def test_they_are_silent_once_all_have_one(settled: Any, visit: Visit, page: str) -> None:
    assert "no start yet" not in told(visit(page))

"""The table toolkit: page numbers and choices that behave, whatever the address or the data say."""

import logging
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages import seed

Visit = Callable[..., AppTest]


def shown(at: AppTest) -> str:
    """The line under the table: which rows of how many."""
    return next(each.value for each in at.caption if " of " in each.value and "orders" in each.value)


@pytest.fixture
def many(desk):
    """More orders than fit on one page."""
    with desk.store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM orders").scalar_one() > 120
    return desk


def test_the_page_in_the_address_is_opened(many, visit: Visit) -> None:
    assert shown(visit("orders", period="0", page="2")).startswith("51 to 100 of")


@pytest.mark.parametrize("nonsense", ["0", "-1", "9999", "x", "1.5", ""])
def test_a_page_that_does_not_exist_is_the_first_one(many, visit: Visit, nonsense: str) -> None:
    assert shown(visit("orders", period="0", page=nonsense)).startswith("1 to 50 of")


def test_turning_the_page_keeps_the_address_in_step(many, visit: Visit) -> None:
    at = visit("orders", period="0")
    at.get("pagination")[0].set_value(3).run()
    assert shown(at).startswith("101 to ")
    assert at.query_params["page"] == "3"
    at.get("pagination")[0].set_value(1).run()
    assert "page" not in at.query_params, "what is as usual is left out"


def test_another_filter_begins_at_its_first_page(many, visit: Visit) -> None:
    at = visit("orders", period="0", page="2")
    at.text_input(key="orders_find").set_value("5769").run()
    assert shown(at).startswith("1 to 50 of")
    assert "page" not in at.query_params


def test_pages_never_make_streamlit_complain(many, visit: Visit, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        at = visit("orders", period="0", page="2")
        at.text_input(key="orders_find").set_value("5769").run()
        at.get("pagination")[0].set_value(2).run()
    assert not [record for record in caplog.records if "default value" in record.message]


def test_a_choice_is_forgotten_once_it_was_acted_on(desk, visit: Visit) -> None:
    at = visit("stock")
    at.session_state["stock_0"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    at.run()
    with desk.store.write() as connection:
        desk.plan_id = seed.plan(connection, desk.goods)
    at.button(key="review_chosen").click().run()
    at = at.switch_page("stock.py").run()
    assert at.session_state["stock_chosen"] == []

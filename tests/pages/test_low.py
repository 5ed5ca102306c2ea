"""The Running low page, and the way to it from the Overview."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.sync import ledger

Visit = Callable[..., AppTest]


@pytest.fixture
def short(desk):
    """One item that has run out while it sells."""
    with desk.store.read() as connection:
        sku = connection.execute(
            text("SELECT i.sku FROM sales_day s JOIN link k ON k.sku_id = s.sku_id JOIN item i ON i.id = k.item_id "
                 "GROUP BY i.sku ORDER BY sum(s.units) DESC LIMIT 1")
        ).scalar_one()  # fmt: skip
    ledger.record_count(desk.store, sku, 0, actor="owner")
    return sku


def told(at: AppTest) -> str:
    return "\n".join(str(each.value) for each in at.markdown)


def test_an_item_that_is_out_comes_first_in_red(desk, short, visit: Visit) -> None:
    at = visit("low")
    assert not at.exception
    first = at.dataframe[0].value.iloc[0]
    assert (first["sku"], list(first["state"]), first["until"]) == (short, ["Out"], "now")
    assert "less than a week" in at.title[0].value
    assert "out already" in at.title[0].value


def test_the_view_is_in_the_address(desk, visit: Visit) -> None:
    at = visit("low", show="all")
    shown = at.dataframe[0].value["cover"]
    assert list(shown) == sorted(shown)
    assert len(visit("low", show="all", find="mug").dataframe[0].value) == 3


def test_the_overview_tells_how_many_items_run_low_and_leads_there(desk, short, visit: Visit) -> None:
    at = visit("overview")
    assert "less than a week" in told(at)
    links = [link for link in at.get("page_link") if link.label == "See which"]
    assert len(links) == 1
    assert "show=week" in str(links[0].proto)

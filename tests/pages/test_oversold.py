"""The Oversold page, and the way to it from the Overview and on to the order."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.sync import ledger
from tests.pages import seed

Visit = Callable[..., AppTest]


@pytest.fixture
def over(desk) -> str:
    """An item of which one unit more is promised than there is; its SKU."""
    with desk.store.read() as connection:
        row = connection.execute(
            text("SELECT i.sku, sum(v.reserved) AS reserved FROM level v JOIN item i ON i.id = v.item_id "
                 "WHERE v.reserved > 1 GROUP BY i.sku ORDER BY i.sku LIMIT 1")
        ).one()  # fmt: skip
    ledger.record_count(desk.store, row.sku, row.reserved - 1, actor="owner")
    return str(row.sku)


def told(at: AppTest) -> str:
    return "\n".join(str(each.value) for kind in ("markdown", "caption") for each in at.get(kind))


def test_nothing_missing_says_so(desk, visit: Visit) -> None:
    at = visit("oversold")
    assert at.title[0].value == "No, everything that is promised is there"
    assert "sold that you do not have" not in told(visit("overview"))


def test_the_overview_tells_of_it_and_leads_there(desk, over, visit: Visit) -> None:
    at = visit("overview")
    assert "unit sold that you do not have" in told(at)
    assert any("oversold" in str(link.proto) for link in at.get("page_link"))


def test_the_page_names_the_orders_the_cause_and_what_to_do(desk, over, visit: Visit) -> None:
    at = visit("oversold")
    assert not at.exception
    assert at.title[0].value == "Yes, 1 unit"
    assert "A count lowered the stock" in told(at)
    assert "get 1 more unit" in told(at)
    assert "cancel the last one, order 5769" in told(at)
    rows = at.dataframe[0].value
    assert list(rows["state"].iloc[-1]) == ["No unit left"]
    assert rows["placed"].notna().all()


def test_the_order_is_one_click_away(desk, over, visit: Visit) -> None:
    at = visit("oversold")
    order = at.dataframe[0].value["sale"].iloc[-1].removeprefix("TikTok order ")
    at.session_state["go_order"] = order
    at.run()
    assert not at.exception
    assert at.query_params["order"] == order


def test_a_hostile_title_stays_text(desk, over, visit: Visit) -> None:
    with desk.store.write() as connection:
        connection.execute(text("UPDATE item SET title = :title"), {"title": seed.HOSTILE})
    words = told(visit("oversold"))
    assert "](http" not in words
    assert ":red[sale]" not in words

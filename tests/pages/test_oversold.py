"""The Oversold page, and the way to it from the Overview and on to the order."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.sync import ledger
from core.ui import oversell_views
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


def test_what_was_missing_stays_readable_once_it_is_settled(desk, over: str, visit: Visit) -> None:
    ledger.record_count(desk.store, over, 99, actor="owner")
    at = visit("oversold")
    assert not at.exception
    assert at.title[0].value == "No, everything that is promised is there"
    assert "1 unit too many" in told(at)
    assert "all there again after" in told(at)
    assert "1 unit sold in this time did not exist" in told(at)
    assert "What to do" not in told(at), "there is nothing to do any more"
    assert at.dataframe[0].value["sale"].notna().all()


def test_the_past_is_paged_and_the_period_chosen_in_the_address(desk, over: str, visit: Visit) -> None:
    for number in range(7):
        ledger.record_count(desk.store, over, 99, actor="owner")
        ledger.record_count(desk.store, over, number % 2, actor="owner")
    ledger.record_count(desk.store, over, 99, actor="owner")
    assert told(visit("oversold")).count("too many") == 5
    assert told(visit("oversold", past="2")).count("too many") == 3
    with desk.store.write() as connection:
        connection.execute(text("UPDATE oversell SET found_at = found_at - 20 * 86400000"))
    assert "too many" not in told(visit("oversold", period="7"))
    assert "too many" in told(visit("oversold", period="30"))


@pytest.mark.parametrize(
    ("oversold", "sold", "words"),
    [
        (0, 0, "Nothing was sold yet."),
        (0, 500, "None of the 500 units sold in this time was missing."),
        (3, 2_500, "3 units sold in this time did not exist: 1.2 of every 1,000 sold (2,500 in all)."),
        (3, 1, "3 units sold in this time did not exist."),
    ],
)
def test_how_many_of_a_thousand_did_not_exist(oversold: int, sold: int, words: str) -> None:
    assert oversell_views.rate(oversold, sold) == words

"""The banner while the books of an item do not add up, on every page, and the button that mends it."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.sync import invariants, mending
from core.ui.text import plain
from tests.pages import seed

Visit = Callable[..., AppTest]


@pytest.fixture
def broken(desk) -> list[str]:
    """Two items whose stock is not the sum of their movements; their SKUs."""
    skus = [desk.goods[place][1] for place in (0, 5)]
    with desk.store.write() as connection:
        where = "WHERE item_id IN (SELECT id FROM item WHERE sku = :sku)"
        connection.execute(text(f"UPDATE level SET on_hand = on_hand + 3 {where}"), [{"sku": sku} for sku in skus])
        ids = connection.execute(text("SELECT id FROM item WHERE sku IN (:a, :b)"), {"a": skus[0], "b": skus[1]})
        suspects = ids.scalars().all()
    invariants.halt(desk.store, {}, suspects)
    desk.add_up_again = lambda: mending.mend(desk.store, suspects, "owner")
    return skus


def told(at: AppTest) -> str:
    return "\n".join(str(each.value) for kind in ("markdown", "caption", "success", "error") for each in at.get(kind))


def test_nothing_is_said_while_all_is_well(desk, visit: Visit) -> None:
    assert all("Stopped" not in told(visit(page)) for page in ("stock", "overview"))


@pytest.mark.parametrize("page", ["overview", "stock", "orders"])
def test_every_page_names_what_is_stopped_and_why(desk, broken: list[str], visit: Visit, page: str) -> None:
    at = visit(page)
    assert not at.exception
    assert all(plain(sku) in told(at) for sku in broken)
    assert "but its movements add up to" in told(at)
    assert "Nothing of it is sent to TikTok" in told(at)
    assert any("count" in str(link.proto) for link in at.get("page_link"))


def test_the_stock_table_shows_it_as_stopped(desk, broken: list[str], visit: Visit) -> None:
    at = visit("stock", show="refused")
    frame = at.dataframe[0].value
    row = frame[frame["sku"] == broken[0]].iloc[0]
    assert list(row["state"]) == ["Stopped"]
    assert "movements add up to" in row["reason"]


def test_one_click_adds_it_up_again_and_says_so(desk, broken: list[str], visit: Visit) -> None:
    at = visit("stock")
    at.button(key="add_up_again").click().run()
    assert not at.exception
    assert "2 items added up again" in told(at)
    assert "Stopped" not in told(at)


def test_a_window_that_only_reads_cannot_mend(desk, broken: list[str], visit: Visit) -> None:
    desk.owner = False
    assert visit("stock").button(key="add_up_again").disabled


def test_a_hostile_sku_stays_text(desk, broken: list[str], visit: Visit) -> None:
    with desk.store.write() as connection:
        connection.execute(text("UPDATE item SET sku = :sku WHERE sku = :old"), {"sku": seed.HOSTILE, "old": broken[0]})
    assert "](http" not in told(visit("activity"))

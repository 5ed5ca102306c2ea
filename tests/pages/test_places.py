"""The Places page: one location, several, and a mapping that is looked at before it is saved."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.store import tables as t
from core.store.queries import places as known
from core.sync import outbox
from tests.pages import seed

Visit = Callable[..., AppTest]


def told(at: AppTest) -> str:
    kinds = ("markdown", "caption", "title", "success", "error")
    return "\n".join(str(each.value) for kind in kinds for each in at.get(kind)).replace("\\", "")


@pytest.fixture
def two(desk: Any) -> Any:
    """A garage beside the store; both warehouses are served from the store."""
    with desk.store.write() as connection:
        seed.put(connection, t.Location, id=2, name="Garage")
        items = connection.execute(text("SELECT id FROM item")).scalars().all()
        outbox.mark_items(connection, items, "test")
    return desk


def test_with_one_location_there_is_nothing_to_map(desk: Any, visit: Visit) -> None:
    at = visit("places")
    assert not at.exception
    assert at.title[0].value == "All in one location, Store"
    assert "Every warehouse is served from your one location." in told(at)
    assert not at.selectbox


def test_a_location_is_added_and_renamed(desk: Any, visit: Visit) -> None:
    at = visit("places")
    at.button(key="add_open").click().run()
    at.text_input(key="place_name").input("Garage").run()
    at.button(key="place_add").click().run()
    assert at.title[0].value == "In 2 locations"
    at.button(key="rename_1").click().run()
    at.text_input(key="place_rename_1").input("Shop").run()
    at.button(key="place_renamed").click().run()
    with desk.store.read() as connection:
        assert known.names(connection) == {1: "Shop", 2: "Garage"}


def test_a_name_that_is_taken_is_refused_with_the_reason(two: Any, visit: Visit) -> None:
    at = visit("places")
    at.button(key="add_open").click().run()
    at.text_input(key="place_name").input("garage").run()
    at.button(key="place_add").click().run()
    assert "There is a location named garage already." in told(at)


def test_a_mapping_shows_what_changes_on_tiktok_before_it_is_saved(two: Any, visit: Visit) -> None:
    at = visit("places")
    assert at.title[0].value == "In 2 locations"
    at.selectbox(key=f"place_{seed.SHOP}_W1_1").set_value(2).run()
    at.button(key="places_look").click().run()
    assert not at.exception
    assert "would show another number" in told(at)
    with two.store.read() as connection:
        assert known.of_warehouses(connection, seed.SHOP) == {"W1": 1, "W2": 1}, "nothing is saved by looking"
    at.button(key="places_save").click().run()
    with two.store.read() as connection:
        assert known.of_warehouses(connection, seed.SHOP) == {"W1": 2, "W2": 1}
    assert "Saved. TikTok follows" in told(at)


def test_goods_are_moved_from_one_location_to_another(two: Any, visit: Visit) -> None:
    sku = two.goods[0][1]
    at = visit("places")
    at.button(key="move_open").click().run()
    at.text_input(key="move_find").input(sku).run()
    assert not at.exception
    at.number_input(key=f"move_units_{sku}_1").set_value(2).run()
    at.button(key="move_go").click().run()
    with two.store.read() as connection:
        store, garage = known.lies(connection, sku)
    assert garage.on_hand == 2
    assert f"Moved: 2 units of {sku}." in told(at)
    assert store.on_hand > 0


def test_a_count_asks_for_the_location_only_where_there_are_several(two: Any, visit: Visit) -> None:
    at = visit("count")
    at.selectbox(key="count_place").set_value("2").run()
    assert not at.exception
    _, rows, _ = at.session_state["count_shown"]
    assert {row.on_hand for row in rows} == {0}, "nothing lies in the garage yet"


def test_with_one_location_a_count_asks_for_none(desk: Any, visit: Visit) -> None:
    at = visit("count")
    assert not [box for box in at.selectbox if box.key == "count_place"]
    _, rows, _ = at.session_state["count_shown"]
    assert max(row.on_hand for row in rows) > 0


def test_a_sale_of_ones_own_says_from_which_location(two: Any, visit: Visit) -> None:
    at = visit("stock")
    at.session_state["stock_record"] = "A sale in your store"
    at.run()
    at.selectbox(key="record_place").set_value(2).run()
    at.button(key="record_go").click().run()
    assert not at.exception
    assert two.asked[-1][0] == "record_sale"
    assert two.asked[-1][-1] == 2

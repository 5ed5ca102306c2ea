"""The Count page: type what is on the shelf, look at what differs, and book it."""

from collections.abc import Callable

from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.store.queries import stocktake as items
from core.sync import ledger

Visit = Callable[..., AppTest]


def type_in(at: AppTest, desk, **units: int | None) -> AppTest:
    """Type counts beside these SKUs (a hyphen is written as an underscore here)."""
    key, rows, _ = at.session_state["count_shown"]
    places = {row.sku.replace("-", "_"): place for place, row in enumerate(rows)}
    edits = {places[sku]: {"counted": count} for sku, count in units.items()}
    at.session_state[key] = {"edited_rows": edits, "added_rows": [], "deleted_rows": []}
    return at.run()


def told(at: AppTest) -> str:
    return "\n".join(each.value for kind in ("markdown", "success", "warning") for each in at.get(kind))


def on_hand(desk, sku: str) -> int:
    with desk.store.read() as connection:
        return next(row.on_hand for row in items.page(connection, search=sku))


def test_nothing_can_be_reviewed_before_something_was_typed(desk, visit: Visit) -> None:
    at = visit("count")
    assert not at.exception
    assert at.button(key="count_review_open").disabled
    assert at.title[0].value == "Type what you count"


def test_counts_are_reviewed_and_then_booked(desk, visit: Visit) -> None:
    before = on_hand(desk, "APRON-OAT")
    at = type_in(visit("count"), desk, APRON_OAT=before + 2, APRON_SLATE=0)
    assert at.title[0].value == "2 counts typed, nothing booked yet"
    assert on_hand(desk, "APRON-OAT") == before
    at.button(key="count_review_open").click().run()
    assert "2 differences" in told(at)
    at.button(key="count_book").click().run()
    assert not at.exception
    assert "2 items counted, 2 differences booked" in told(at)
    assert on_hand(desk, "APRON-OAT") == before + 2
    assert on_hand(desk, "APRON-SLATE") == 0
    assert at.title[0].value == "Type what you count"


def test_what_was_typed_stays_while_the_owner_searches_on(desk, visit: Visit) -> None:
    at = type_in(visit("count"), desk, APRON_OAT=7)
    at.text_input(key="count_find").set_value("mug").run()
    assert "1 count typed" in at.title[0].value
    type_in(at, desk, MUG_MOSS=3)
    assert "2 counts typed" in at.title[0].value
    at.text_input(key="count_find").set_value("").run()
    again = at.dataframe[0].value.set_index("sku")["counted"]
    assert (again["APRON-OAT"], again["MUG-MOSS"]) == (7, 3)
    type_in(at, desk, APRON_OAT=None)
    assert "1 count typed" in at.title[0].value


def test_an_item_that_moved_while_it_was_counted_is_shown_and_left_alone(desk, visit: Visit) -> None:
    at = type_in(visit("count"), desk, APRON_OAT=1, APRON_SLATE=1)
    left = on_hand(desk, "APRON-OAT") - 2
    ledger.record_sale(desk.store, "APRON-OAT", 2, actor="owner")
    at.button(key="count_review_open").click().run()
    assert "1 item moved since you typed the count" in told(at)
    at.button(key="count_book").click().run()
    assert on_hand(desk, "APRON-OAT") == left
    assert on_hand(desk, "APRON-SLATE") == 1
    assert "1 item moved while you counted" in told(at)
    at.button(key="clear").click().run()
    assert "moved while you counted" not in told(at)


def test_what_was_typed_can_be_thrown_away(desk, visit: Visit) -> None:
    at = type_in(visit("count"), desk, APRON_OAT=7)
    at.button(key="count_clear").click().run()
    assert at.title[0].value == "Type what you count"
    with desk.store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM run WHERE kind = 'count'")).scalar_one() == 0

"""What nothing explains: the conserved sum of available, open and shipped units."""

from hypothesis import given
from hypothesis import strategies as st

from core.sync.drift import Reading, drift, expected, unexplained

BASE = Reading(available=10, open_units=2, shipped_units=5)


def test_a_sale_moves_a_unit_from_available_to_open() -> None:
    assert drift(BASE, Reading(9, 3, 5), committed=3) == 0


def test_a_cancelled_order_gives_its_units_back() -> None:
    assert drift(BASE, Reading(12, 0, 5), committed=0) == 0


def test_a_shipment_changes_nothing_that_can_be_ordered() -> None:
    assert drift(BASE, Reading(10, 0, 7), committed=0) == 0


def test_a_number_typed_on_tiktok_is_what_is_left() -> None:
    assert drift(BASE, Reading(30, 2, 5), committed=2) == 20
    assert drift(BASE, Reading(6, 3, 5), committed=3) == -3


def test_nothing_can_be_told_before_the_first_settled_reading() -> None:
    assert drift(None, Reading(6, 3, 5), committed=3) is None
    assert unexplained(None, Reading(6, 3, 5)) is None


def test_nothing_is_judged_while_an_order_is_still_on_its_way_to_us() -> None:
    assert drift(BASE, Reading(9, 2, 5), committed=3) is None
    assert unexplained(BASE, Reading(9, 2, 5)) == -1


@given(st.lists(st.sampled_from(["buy", "cancel", "ship"]), max_size=40))
def test_whatever_orders_do_nothing_is_left_unexplained(events: list[str]) -> None:
    available, opened, shipped = BASE.available, BASE.open_units, BASE.shipped_units
    for event in events:
        if event == "buy" and available:
            available, opened = available - 1, opened + 1
        elif event == "cancel" and opened:
            available, opened = available + 1, opened - 1
        elif event == "ship" and opened:
            opened, shipped = opened - 1, shipped + 1
    now = Reading(available, opened, shipped)
    assert expected(BASE, now) == available
    assert drift(BASE, now, committed=opened) == 0

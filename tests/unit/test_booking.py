"""What an order line asks of the ledger, from its newest state and what is booked already."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sync.booking import RANK, Change, due, has_shipped, is_open, state_of, treatments

COUNTED = 1_000_000


def line(state: str, *, shipped: bool = False, on_hand: int = 0, reserved: int = 0, quantity: int = 1) -> Change | None:
    return due(
        quantity=quantity, state=state, shipped=shipped, shipped_ms=COUNTED + 5_000 if shipped else 0,
        counted_ms=COUNTED, on_hand=on_hand, reserved=reserved, gone=on_hand != 0,
    )  # fmt: skip


@pytest.mark.parametrize("state", ["UNPAID", "ON_HOLD", "AWAITING_SHIPMENT", "PARTIALLY_SHIPPING", "SOMETHING_NEW"])
def test_an_open_order_reserves_its_units_paid_or_not(state: str) -> None:
    assert line(state) == Change(0, 1, "order")


def test_a_reserved_unit_is_not_reserved_again() -> None:
    assert line("AWAITING_SHIPMENT", reserved=1) is None


def test_a_cancelled_order_gives_its_units_back() -> None:
    assert line("CANCELLED", reserved=2, quantity=2) == Change(0, -2, "cancelled")


def test_an_order_first_seen_as_cancelled_moves_nothing() -> None:
    assert line("CANCELLED") is None


@pytest.mark.parametrize("state", ["AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", "COMPLETED"])
def test_a_shipped_unit_leaves_the_shelf_and_the_promise(state: str) -> None:
    assert line(state, shipped=True, reserved=1) == Change(-1, -1, "shipped")


def test_a_shipped_unit_is_taken_off_once() -> None:
    assert line("DELIVERED", shipped=True, on_hand=-1) is None


def test_a_unit_lost_on_its_way_stays_off_the_shelf() -> None:
    assert line("CANCELLED", shipped=True, on_hand=-1) is None


def test_a_unit_shipped_before_the_count_is_missing_from_the_count_already() -> None:
    change = due(
        quantity=1,
        state="IN_TRANSIT",
        shipped=True,
        shipped_ms=COUNTED - 5_000,
        counted_ms=COUNTED,
        on_hand=0,
        reserved=1,
    )
    assert change == Change(0, -1, "shipped")


def test_a_unit_shipped_in_the_second_of_the_count_is_taken_off_to_be_safe() -> None:
    change = due(
        quantity=1,
        state="IN_TRANSIT",
        shipped=True,
        shipped_ms=COUNTED - 500,
        counted_ms=COUNTED,
        on_hand=0,
        reserved=0,
    )
    assert change == Change(-1, 0, "shipped")


def test_an_item_that_was_never_counted_is_not_taken_below_nothing() -> None:
    change = due(quantity=1, state="IN_TRANSIT", shipped=True, shipped_ms=5, counted_ms=None, on_hand=0, reserved=1)
    assert change == Change(0, -1, "shipped")


def test_what_is_booked_on_an_item_that_the_line_does_not_sell_any_more_is_released() -> None:
    assert line("AWAITING_SHIPMENT", reserved=2, quantity=0) == Change(0, -2, "cancelled")


def test_a_unit_taken_off_another_item_is_not_taken_off_this_one() -> None:
    change = due(
        quantity=1, state="DELIVERED", shipped=True, shipped_ms=COUNTED + 9_000, counted_ms=COUNTED, on_hand=0,
        reserved=0, gone=True,
    )  # fmt: skip
    assert change is None


def test_a_cancelled_order_cancels_its_lines_and_otherwise_the_line_speaks() -> None:
    assert state_of("CANCELLED", "AWAITING_SHIPMENT") == "CANCELLED"
    assert state_of("PARTIALLY_SHIPPING", "IN_TRANSIT") == "IN_TRANSIT"
    assert state_of("AWAITING_SHIPMENT", "") == "AWAITING_SHIPMENT"


def test_a_cancelled_unit_has_shipped_only_when_its_package_was_arranged() -> None:
    assert has_shipped("CANCELLED", 1_795_000_000)
    assert not has_shipped("CANCELLED", None)
    assert not has_shipped("AWAITING_SHIPMENT", 1_795_000_000)


@given(st.lists(st.tuples(st.sampled_from(sorted(RANK)), st.booleans()), max_size=12), st.integers(1, 5))
def test_whatever_states_a_line_goes_through_the_last_one_alone_decides(
    steps: list[tuple[str, bool]], quantity: int
) -> None:
    on_hand = reserved = 0
    shipped = False
    for state, left in steps:
        shipped = shipped or left  # once shipped, always shipped
        change = due(
            quantity=quantity, state=state, shipped=shipped, shipped_ms=COUNTED + 5_000, counted_ms=COUNTED,
            on_hand=on_hand, reserved=reserved, gone=on_hand != 0,
        )  # fmt: skip
        if change is not None:
            on_hand, reserved = on_hand + change.on_hand, reserved + change.reserved
        assert reserved == (quantity if is_open(state, shipped) else 0)
        assert on_hand == (-quantity if shipped else 0)


def test_an_order_tells_what_is_special_about_how_it_counts() -> None:
    def kinds(**what: bool) -> list[str]:
        nothing = {"by_tiktok": False, "sample": False, "replacement": False, "gift": False}
        return [rule.kind for rule in treatments(**nothing | what)]

    assert kinds() == []
    assert kinds(sample=True, gift=True) == ["Sample", "Gift"]
    assert kinds(replacement=True) == ["Replacement"]
    assert kinds(by_tiktok=True, sample=True) == ["Shipped by TikTok"], "that alone decides"

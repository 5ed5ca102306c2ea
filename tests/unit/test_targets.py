"""What TikTok should show, and when it may be told: pure arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sync.targets import MOST, Decision, Move, Part, Rule, Split, decide, spread, target

CALM = {
    "committed": 2, "open_units": 2, "unexplained": 0, "drift": 0, "sure": True, "doubt": False, "settled": True,
    "decided": False,
}  # fmt: skip


def decided(wanted: int, available: int, **other: object) -> Decision:
    return decide(wanted=wanted, available=available, **CALM | other)  # type: ignore[arg-type]


def test_what_is_there_and_not_promised_is_offered() -> None:
    assert target([Part(on_hand=10, reserved=3, unseen=0)]) == 7


def test_units_held_by_orders_not_seen_yet_are_not_offered() -> None:
    assert target([Part(10, 3, 2)]) == 5


def test_a_buffer_is_kept_back() -> None:
    assert target([Part(3, 0, 0, rule=Rule(buffer=2))]) == 1
    assert target([Part(2, 0, 0, rule=Rule(buffer=2))]) == 0


def test_a_share_is_taken_of_what_the_buffer_leaves_and_a_cap_ends_it() -> None:
    assert target([Part(22, 0, 0, rule=Rule(buffer=2, share=50))]) == 10
    assert target([Part(22, 0, 0, rule=Rule(buffer=2, share=50, cap=4))]) == 4
    assert target([Part(1, 0, 0, rule=Rule(share=90))]) == 0, "nine tenths of one unit are none"


def test_few_units_may_show_as_none() -> None:
    assert target([Part(5, 0, 0, rule=Rule(zero_below=5))]) == 5
    assert target([Part(4, 0, 0, rule=Rule(zero_below=5))]) == 0


def test_what_another_listing_holds_that_nobody_can_lower_is_not_offered_twice() -> None:
    assert target([Part(8, 3, 0, held=8)]) == 0
    assert target([Part(12, 0, 0, held=8)]) == 4


def test_the_last_units_are_split_and_the_rest_is_shared() -> None:
    mine, yours = Split(4, 3, 0, 1), Split(4, 3, 1, 3)
    assert [target([Part(units, 0, 0, split=mine)]) for units in (5, 4, 3, 2, 1, 0)] == [5, 1, 1, 0, 0, 0]
    assert [target([Part(units, 0, 0, split=yours)]) for units in (5, 4, 3, 2, 1, 0)] == [5, 3, 2, 2, 1, 0]


def test_a_channel_that_is_not_split_is_offered_all_of_the_last_units() -> None:
    assert target([Part(2, 0, 0, split=Split(4, 3, 0, 3))]) == 2


@given(
    st.integers(-5, 60), st.integers(0, 60),
    st.lists(st.integers(0, 7), min_size=1, max_size=6).filter(any), st.integers(0, 6), st.integers(0, 100),
)  # fmt: skip
def test_of_the_last_units_all_channels_together_are_offered_what_is_free(
    free: int, at: int, weights: list[int], buffer: int, share: int
) -> None:
    stops = [sum(weights[: n + 1]) for n in range(len(weights))]
    splits = [Split(at, stops[-1], stop - weight, stop) for stop, weight in zip(stops, weights, strict=True)]
    if 0 < free <= at:
        assert sum(target([Part(free, 0, 0, split=split)]) for split in splits) == free
        ruled = (target([Part(free, 0, 0, rule=Rule(buffer, share), split=split)]) for split in splits)
        assert sum(ruled) <= free
    else:
        assert {target([Part(free, 0, 0, split=split)]) for split in splits} == {max(0, free)}


def test_oversold_shows_nothing_and_never_less() -> None:
    assert target([Part(1, 2, 0)]) == 0


def test_a_bundle_is_offered_as_often_as_its_scarcest_part_allows() -> None:
    assert target([Part(10, 0, 0, quantity=2), Part(4, 0, 0)]) == 4
    assert target([Part(8, 0, 0, quantity=2), Part(3, 0, 0)]) == 3
    assert target([Part(-1, 0, 0, quantity=2), Part(5, 0, 0)]) == 0


def test_more_than_tiktok_takes_is_never_asked_for() -> None:
    assert target([Part(250_000, 0, 0)]) == MOST


def test_a_listing_without_an_item_has_no_target() -> None:
    with pytest.raises(ValueError, match="without an item"):
        target([])


def test_even_numbers_need_no_write() -> None:
    assert decided(5, 5, doubt=True, drift=3, settled=False).move is Move.NOTHING


def test_lowering_waits_for_nothing_that_is_unsettled() -> None:
    assert decided(4, 5, doubt=True, drift=3, committed=9, sure=False).move is Move.LOWER


def test_a_new_listing_is_reviewed_first_in_both_directions() -> None:
    assert decided(4, 5, settled=False).move is Move.HOLD
    assert decided(6, 5, settled=False).move is Move.HOLD
    assert decided(6, 5, settled=False, decided=True).move is Move.RAISE


@pytest.mark.parametrize(
    "unsettled",
    [
        {"doubt": True},
        {"committed": 3},
        {"committed": 1, "unexplained": -1},
        {"committed": 1, "unexplained": None},
        {"unexplained": None},
        {"drift": 2, "sure": False},
    ],
)
@pytest.mark.parametrize("approved", [False, True])
def test_raising_waits_for_later_readings_while_anything_is_unsettled(
    unsettled: dict[str, object], approved: bool
) -> None:
    found = decided(9, 5, decided=approved, **unsettled)
    assert found.move is Move.WAIT
    assert found.sentence.endswith(".")


def test_raising_over_a_certain_drift_waits_for_the_owner() -> None:
    found = decided(9, 5, drift=-3)
    assert found.move is Move.HOLD
    assert "-3" in found.sentence


def test_a_shipment_that_has_not_arrived_here_holds_up_nothing_that_is_explained() -> None:
    assert decided(9, 5, committed=1, unexplained=0).move is Move.RAISE


SHOWN = st.dictionaries(st.sampled_from("ABCDE"), st.integers(0, 500), min_size=1)


@given(SHOWN, st.integers(0, 2_000), st.sampled_from("ABCDE"))
def test_a_spread_names_every_warehouse_and_adds_up(shown: dict[str, int], wanted: int, first: str) -> None:
    numbers = spread(wanted, shown, first)
    assert numbers.keys() == shown.keys()
    assert sum(numbers.values()) == wanted
    assert min(numbers.values()) >= 0


@given(SHOWN, st.integers(0, 2_000), st.sampled_from("ABCDE"))
def test_a_spread_moves_units_in_one_direction_only(shown: dict[str, int], wanted: int, first: str) -> None:
    changes = [units - shown[name] for name, units in spread(wanted, shown, first).items()]
    assert all(change >= 0 for change in changes) or all(change <= 0 for change in changes)


def test_more_goes_to_the_first_warehouse_and_less_is_taken_from_it_first() -> None:
    assert spread(12, {"W1": 4, "W2": 6}, "W1") == {"W1": 6, "W2": 6}
    assert spread(8, {"W1": 4, "W2": 6}, "W1") == {"W1": 2, "W2": 6}
    assert spread(3, {"W1": 4, "W2": 6}, "W1") == {"W1": 0, "W2": 3}


def test_a_warehouse_below_zero_counts_as_empty() -> None:
    assert spread(3, {"W1": -2, "W2": 1}, "W1") == {"W1": 2, "W2": 1}


def test_what_tiktok_lets_nobody_set_is_not_sent_unless_the_owner_says_so() -> None:
    held = decided(4, 9, locked="TikTok works it out from its parts.")
    assert (held.move, held.sentence) == (Move.WAIT, "TikTok works it out from its parts.")
    assert decided(4, 9, locked="no", decided=True).move is Move.LOWER


def test_of_the_last_units_more_is_shown_only_once_the_others_show_fewer() -> None:
    assert decided(3, 1, room=2).move is Move.WAIT
    assert decided(3, 1, room=3).move is Move.RAISE
    assert decided(1, 3, room=0).move is Move.LOWER, "lowering waits for nobody"

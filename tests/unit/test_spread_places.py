"""Spreading a number over warehouses that are served from several locations, and what goes first: pure arithmetic."""

from hypothesis import given
from hypothesis import strategies as st

from core.sync.rooms import safe
from core.sync.targets import Decision, Move, excess_first, spread

W1, W2, W3 = "W1", "W2", "W3"
SERVED = {W1: 1, W2: 2, W3: 2}
STORE, GARAGE = 1, 2
units = st.integers(0, 30)


def sums(numbers: dict[str, int]) -> dict[int, int]:
    return {place: sum(n for name, n in numbers.items() if SERVED[name] == place) for place in (STORE, GARAGE)}


@given(
    shown=st.fixed_dictionaries({W1: st.integers(-3, 30), W2: units, W3: units}),
    most=st.fixed_dictionaries({STORE: units, GARAGE: units}),
    share=st.floats(0, 1),
    first=st.sampled_from([W1, W2, W3]),
)
def test_no_location_is_offered_more_than_is_free_in_it_and_every_warehouse_is_named(
    shown: dict[str, int], most: dict[int, int], share: float, first: str
) -> None:
    wanted = int(sum(most.values()) * share)
    found = spread(wanted, shown, first, SERVED, most)
    assert found.keys() == shown.keys()
    assert sum(found.values()) == wanted
    assert all(number >= 0 for number in found.values())
    assert all(number <= most[place] for place, number in sums(found).items())


@given(
    shown=st.fixed_dictionaries({W1: units, W2: units, W3: units}),
    most=st.fixed_dictionaries({STORE: units, GARAGE: units}),
)
def test_what_is_safe_is_reached_by_lowering_alone(shown: dict[str, int], most: dict[int, int]) -> None:
    found = spread(safe(shown, SERVED, most), shown, W1, SERVED, most)
    assert all(found[name] <= shown[name] for name in shown)


def test_a_sale_from_one_warehouse_is_taken_from_that_one() -> None:
    """E7: of W1 ten become eight, and W2 sold one while that was under way."""
    assert spread(14, {W1: 10, W2: 6}, W1, SERVED, {STORE: 8, GARAGE: 6}) == {W1: 8, W2: 6}
    assert spread(13, {W1: 8, W2: 6}, W1, SERVED, {STORE: 8, GARAGE: 5}) == {W1: 8, W2: 5}


def test_more_goes_where_it_lies() -> None:
    assert spread(12, {W1: 3, W2: 1, W3: 0}, W1, SERVED, {STORE: 4, GARAGE: 9}) == {W1: 4, W2: 8, W3: 0}


def test_with_one_location_nothing_is_limited() -> None:
    assert spread(9, {W1: 3, W2: 1}, W1) == {W1: 8, W2: 1}
    assert spread(2, {W1: 3, W2: 4}, W1) == {W1: 0, W2: 2}


def test_units_that_are_offered_from_the_wrong_location_are_moved_even_where_the_sum_is_right() -> None:
    shown, most = {W1: 5, W2: 1}, {STORE: 1, GARAGE: 5}
    assert safe(shown, SERVED, most) == 2
    assert spread(6, shown, W1, SERVED, most) == {W1: 1, W2: 5}


def test_the_excess_of_a_location_goes_at_once_and_the_rest_when_it_may() -> None:
    assert excess_first(Decision(Move.WAIT, 6), safe=2) == Decision(Move.LOWER, 2)
    assert excess_first(Decision(Move.HOLD, 6), safe=2) == Decision(Move.LOWER, 2)
    assert excess_first(Decision(Move.NOTHING, 2), safe=2) == Decision(Move.LOWER, 2)
    assert excess_first(Decision(Move.RAISE, 6), safe=2) == Decision(Move.RAISE, 6)
    assert excess_first(Decision(Move.LOWER, 1), safe=2) == Decision(Move.LOWER, 1)

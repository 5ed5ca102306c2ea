"""The last units: how many they are, who may sell which of them, and that nobody sells one twice."""

import math
from fractions import Fraction
from itertools import accumulate, pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.sync import split
from core.sync.split import OWN, WHOLE, Channel, Division, Sales
from core.sync.targets import Split

A, B, C = ("s", "a"), ("s", "b"), ("t", "c")


def channel(key: split.Key, month: int, *, delay: float = 60, quantity: int = 1, hour: int = 0) -> Channel:
    return Channel(key, Sales(month, hour, hour, quantity), delay, quantity)


def shares(division: Division, free: int) -> dict[split.Key, int]:
    return {key: Split(division.at, division.total, start, stop).of(free) for key, start, stop in division.parts}


@st.composite
def channels(draw: st.DrawFn) -> list[Channel]:
    keys = draw(st.lists(st.sampled_from([OWN, A, B, C, ("t", "d"), ("u", "e")]), min_size=1, unique=True))
    sold = st.integers(0, 200_000)
    return [
        Channel(key, Sales(draw(sold), draw(st.integers(0, 900)), draw(st.integers(0, 300)), step), delay, step)
        for key in keys
        for step, delay in [(draw(st.sampled_from((1, 1, 1, 2, 6))), draw(st.floats(0, 7200)))]
    ]


def test_what_may_sell_unnoticed_grows_with_the_delay() -> None:
    assert [split.most_in(12 * seconds / 3600) for seconds in (2, 15, 60, 1800)] == [1, 2, 3, 15]


@given(st.floats(1e-6, 480), st.sampled_from((0.9, 0.99, 0.999)))
def test_the_number_is_the_smallest_that_is_sure_enough(mean: float, sure: float) -> None:
    found = split.most_in(mean, sure)
    terms = [math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(found + 1)]
    assert math.fsum(terms) >= sure - 1e-9
    assert math.fsum(terms[:-1]) < sure + 1e-9


@pytest.mark.parametrize("mean", [501, 2_000, 20_000])
def test_very_many_are_reckoned_a_little_to_the_safe_side(mean: int) -> None:
    def below(most: int) -> float:
        return math.fsum(math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(most + 1))

    found = split.most_in(mean)
    assert below(found) >= 0.999
    assert below(found - 4) < 0.999


def test_a_peak_counts_by_the_busiest_of_the_three_spans() -> None:
    assert Sales(672, 24, 1).per_hour == 1
    assert Sales(672, 24, 200).per_hour == 200
    assert Sales(672, 240, 1).per_hour == 10
    assert Sales(0, 0, 3).most == 3, "what is not in the daily sums yet counts too"


def test_a_sale_that_takes_several_units_takes_them_at_once() -> None:
    """Six packs of six in an hour of delay are as many sales as six single units."""
    single, pack = Channel(A, Sales(0, 0, 6, 1), 3600), Channel(A, Sales(0, 0, 36, 6), 3600, 6)
    assert pack.unnoticed == 6 * single.unnoticed


def test_one_channel_alone_has_nothing_to_divide() -> None:
    assert split.divide([channel(A, 500)]) == WHOLE
    assert split.divide([channel(A, 500), channel(OWN, 0), channel(B, 0)]) == WHOLE


def test_things_that_sell_too_seldom_to_collide_are_not_divided() -> None:
    assert split.divide([channel(A, 2, delay=10), channel(OWN, 1, delay=2)]) == WHOLE


def test_a_channel_that_sells_nothing_has_no_part_in_the_last_units() -> None:
    found = split.divide([channel(A, 60, delay=3600), channel(B, 0), channel(OWN, 40, delay=3600)])
    assert found.of(B) == (0, 0)
    assert shares(found, 3) == {OWN: 1, A: 2}


def test_the_threshold_is_what_all_channels_may_sell_unnoticed() -> None:
    found = split.divide([channel(A, 12 * 672, delay=60), channel(OWN, 8 * 672, delay=15)])
    assert found.at == split.most_in(12 / 60) + split.most_in(8 / 240) == 3 + 1


def test_e8_two_units_for_two_equal_channels_are_one_each() -> None:
    found = split.divide([channel(A, 672, delay=900), channel(OWN, 672, delay=900)])
    assert found.at >= 2
    assert shares(found, 2) == {OWN: 1, A: 1}
    assert shares(found, 1) == {OWN: 0, A: 1}


def test_e14_five_units_in_three_listings_of_two_shops() -> None:
    found = split.divide([channel(A, 40, delay=3600), channel(B, 40, delay=3600), channel(C, 20, delay=3600)])
    assert sorted(shares(found, 5).values()) == [1, 2, 2]
    assert shares(found, 1) == {A: 0, B: 1, C: 0}, "of two equal ones the later"


def test_e13_the_last_unit_is_not_given_to_a_bundle_that_needs_two() -> None:
    found = split.divide([channel(A, 90, quantity=2, delay=3600), channel(B, 10, delay=3600)])
    assert shares(found, 1) == {A: 0, B: 1}


@given(channels())
def test_the_intervals_lie_side_by_side_from_nothing_to_all(found: list[Channel]) -> None:
    division = split.divide(found)
    assume(division.total)
    assert division.parts[0][1] == 0
    assert division.parts[-1][2] == division.total <= split.FINEST + len(found)
    assert all(one[2] == two[1] for one, two in pairwise(division.parts))
    assert all(start < stop for _, start, stop in division.parts)


@given(channels(), st.integers(0, 99_999))
def test_the_shares_of_what_is_free_are_all_of_it_and_no_unit_twice(found: list[Channel], free: int) -> None:
    division = split.divide(found)
    assume(division.total)
    given_out = {key: Split(free, division.total, start, stop).of(free) for key, start, stop in division.parts}
    assert sum(given_out.values()) == free
    assert min(given_out.values()) >= 0
    for key, start, stop in division.parts:
        assert abs(given_out[key] - Fraction(free * (stop - start), division.total)) < 1


@given(channels())
def test_more_units_take_nothing_from_the_first_and_the_last_and_never_from_all_up_to_one(found: list[Channel]) -> None:
    division = split.divide(found)
    assume(division.total)
    given_out = [list(shares(division, free).values()) for free in range(1, min(division.at, 60) + 1)]
    for fewer, more in pairwise(given_out):
        assert all(a <= b for a, b in zip(accumulate(fewer), accumulate(more), strict=True))
        assert fewer[-1] <= more[-1]


@given(channels())
def test_the_very_last_unit_is_the_best_sellers(found: list[Channel]) -> None:
    division = split.divide(found)
    assume(division.total)
    selling = [each for each in found if each.sales.most]
    fewest = min(each.quantity for each in selling)
    best = max(each.sales.most for each in selling if each.quantity == fewest)
    winner = next(key for key, units in shares(division, 1).items() if units)
    assert next(each for each in selling if each.key == winner).sales.most == best


@given(channels())
def test_the_same_channels_in_another_order_are_divided_alike(found: list[Channel]) -> None:
    assert split.divide(found) == split.divide(list(reversed(found)))


@given(st.lists(st.integers(0, 10**7), min_size=2, max_size=9))
def test_weights_stay_small_keep_their_order_and_leave_out_only_who_sells_nothing(sold: list[int]) -> None:
    found = split.weights(sold)
    assert sum(found) <= split.FINEST + len(sold)
    assert [units == 0 for units in sold] == [weight == 0 for weight in found]
    ranked = [weight for _, weight in sorted(zip(sold, found, strict=True))]
    assert ranked == sorted(ranked)


def test_a_sale_elsewhere_is_known_to_the_own_store_as_soon_as_to_us_and_to_others_once_they_are_told() -> None:
    notice = {A: 4.0, B: 300.0, OWN: 0.0}
    assert split.delay(OWN, notice, 0) == 300
    assert split.delay(A, notice, 2) == 302
    assert split.delay(B, notice, 2) == 6


def test_a_raise_has_the_room_that_the_others_leave() -> None:
    assert split.room(3, 2) == 1
    assert split.room(3, 5) == 0

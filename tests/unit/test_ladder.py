"""The explanation of a number adds up: every step follows from the one before it, and the last one is the target."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sync.ladder import Ladder, What, ladder
from core.sync.targets import MOST, Part, Rule, Split, target

UNITS = st.integers(0, 60)


@st.composite
def splits(draw: st.DrawFn) -> Split:
    total = draw(st.integers(0, 12))
    start = draw(st.integers(0, total))
    return Split(draw(st.integers(0, 40)), total, start, draw(st.integers(start, total)))


RULES = st.builds(Rule, st.integers(0, 12), st.integers(0, 100), st.none() | st.integers(0, 80), st.integers(0, 12))
PARTS = st.builds(
    Part, st.integers(-5, 200_000) | UNITS, UNITS, st.integers(0, 5), st.integers(1, 4), st.integers(0, 5), RULES,
    splits(),
)  # fmt: skip


@given(st.lists(PARTS, min_size=1, max_size=4))
def test_the_ladder_ends_at_the_number_that_is_sent(parts: list[Part]) -> None:
    assert ladder(parts).target == target(parts)


@given(st.lists(PARTS, min_size=1, max_size=4))
def test_each_step_adds_to_the_one_before_it(parts: list[Part]) -> None:
    found = ladder(parts)
    for climb in found.climbs:
        units = 0
        for step in climb:
            units += step.change
            assert step.after == units
    units = found.climbs[found.scarcest][-1].after
    assert units == min(climb[-1].after for climb in found.climbs)
    for step in found.last:
        units += step.change
        assert step.after == units
    assert units == found.target


@given(st.lists(PARTS, min_size=1, max_size=4))
def test_no_step_is_told_that_changes_nothing_but_what_is_there_and_promised(parts: list[Part]) -> None:
    found = ladder(parts)
    for step in (step for steps in (*found.climbs, found.last) for step in steps):
        assert step.change != 0 or step.what in (What.ON_HAND, What.PROMISED)


def told(found: Ladder) -> list[tuple[What, int, int]]:
    steps = (*found.climbs[found.scarcest], *found.last)
    return [(step.what, step.change, step.after) for step in steps]


def test_a_number_with_every_step() -> None:
    part = Part(40, 5, 2, 2, 3, Rule(4, 50, 3, 2), Split(30, 4, 0, 1))
    assert told(ladder([part])) == [
        (What.ON_HAND, 40, 40), (What.PROMISED, -5, 35), (What.UNSEEN, -2, 33), (What.LOCKED, -3, 30),
        (What.BUFFER, -4, 26), (What.SHARE, -13, 13), (What.SPLIT, -6, 7), (What.QUANTITY, -4, 3),
    ]  # fmt: skip


def test_fewer_free_than_the_owner_wants_to_show_is_none() -> None:
    assert told(ladder([Part(5, 2, 0, rule=Rule(zero_below=4))]))[-1] == (What.ZERO_BELOW, -3, 0)


def test_more_sold_than_there_is_shows_none() -> None:
    assert told(ladder([Part(1, 3, 0)]))[-1] == (What.SHORT, 2, 0)


def test_the_scarcest_item_of_a_bundle_decides() -> None:
    found = ladder([Part(10, 0, 0, 2), Part(3, 0, 0), Part(90, 0, 0)])
    assert found.scarcest == 1
    assert found.target == 3


def test_a_cap_and_the_most_that_tiktok_takes_come_last() -> None:
    assert told(ladder([Part(50, 0, 0, rule=Rule(cap=20))]))[-1] == (What.CAP, -30, 20)
    assert told(ladder([Part(200_000, 0, 0)]))[-1] == (What.MOST, MOST - 200_000, MOST)


def test_what_the_locations_leave_is_a_step_of_its_own() -> None:
    assert told(ladder([Part(9, 0, 0)], places=4))[-1] == (What.PLACES, -5, 4)
    assert ladder([Part(9, 0, 0)], places=4).target == 4
    assert What.PLACES not in [what for what, _, _ in told(ladder([Part(9, 0, 0)], places=9))]


def test_a_listing_without_an_item_has_no_ladder() -> None:
    with pytest.raises(ValueError, match="without an item"):
        ladder([])

"""Where the truth starts: the arithmetic of each choice, and what cannot start from it."""

from typing import Any

import pytest

from core.sync import starting
from core.sync.start_plans import choose
from core.sync.starting import Choice, Line, Piece, Unsettled, Wish

STORE, GARAGE = 1, 2
NOON = 1_790_000_000_000
READ_AT = NOON - 60_000


def piece(item: int = 1, **more: Any) -> Piece:
    given: dict[str, Any] = {"quantity": 1, "uses": 1, "counted": True, "counted_at": NOON - 3_600_000,
                             "on_hand": {STORE: 10}, "reserved": {STORE: 3}}  # fmt: skip
    return Piece(item_id=item, **(given | more))


def listing(*pieces: Piece, **more: Any) -> Unsettled:
    """E9 of the worked examples: TikTok shows 7 and holds 3, our count says 10."""
    given: dict[str, Any] = {"sku_id": "A", "product_id": "P", "seller_sku": "SKU", "title": "Mug", "variant": "",
                             "available": 7, "committed": 3, "open_units": 3, "observed_at": READ_AT,
                             "shelves": {STORE: 7}}  # fmt: skip
    return Unsettled(pieces=pieces or (piece(),), **(given | more))


def start(one: Unsettled, choice: Choice, entered: int | None = None, left_out: int = 0) -> starting.Begin:
    return starting.begin(one, choice, entered=entered, left_out={(1, STORE): left_out}, now=NOON)


def test_e9_a_count_that_still_holds_what_is_ordered_stands_as_it_is() -> None:
    begin = start(listing(), Choice.OURS)
    assert starting.after(listing(), begin) == 10
    assert listing().free == 7, "of ten on hand three are promised"


def test_e9_a_count_that_leaves_out_what_is_ordered_grows_by_it() -> None:
    begin = start(listing(), Choice.OURS, left_out=3)
    assert starting.after(listing(), begin) == 13
    assert begin.changes == {(1, STORE): 3}
    assert begin.counted_at is None, "the count itself was made when it was made"


def test_e9_the_answer_that_offers_less_is_the_one_assumed() -> None:
    assert Wish().leaves_out is False


def test_tiktoks_number_counts_what_it_offers_and_what_is_promised_there_as_of_its_reading() -> None:
    begin = start(listing(available=4, shelves={STORE: 4}), Choice.THEIRS)
    assert begin.changes == {(1, STORE): -3}
    assert starting.after(listing(), begin) == 7
    assert begin.counted_at == READ_AT


def test_tiktoks_number_is_counted_where_each_warehouse_is_served_from() -> None:
    one = listing(
        piece(on_hand={STORE: 10, GARAGE: 0}, reserved={STORE: 1, GARAGE: 2}),
        available=9, shelves={STORE: 4, GARAGE: 5},
    )  # fmt: skip
    assert start(one, Choice.THEIRS).changes == {(1, STORE): 4 + 1 - 10, (1, GARAGE): 5 + 2}


def test_an_entered_number_is_all_that_lies_on_the_shelf_from_now_on() -> None:
    begin = start(listing(), Choice.ENTER, entered=12)
    assert (begin.changes, begin.counted_at) == ({(1, STORE): 2}, NOON)
    assert starting.after(listing(), begin) == 12


def test_stock_that_came_without_a_count_is_taken_as_counted_now() -> None:
    assert start(listing(piece(counted_at=None)), Choice.OURS).counted_at == NOON


@pytest.mark.parametrize(
    ("one", "choice", "why"),
    [
        (listing(available=None), Choice.OURS, starting.UNREAD),
        (listing(piece(counted=False)), Choice.OURS, starting.UNCOUNTED),
        (listing(backorder=5), Choice.THEIRS, starting.BACKORDER),
        (listing(piece(), piece(2)), Choice.THEIRS, starting.BUNDLE),
        (listing(piece(quantity=2)), Choice.ENTER, starting.BUNDLE),
        (listing(piece(uses=2)), Choice.THEIRS, starting.SHARED),
        (listing(open_units=2), Choice.THEIRS, starting.ON_ITS_WAY),
        (listing(committed=2), Choice.THEIRS, starting.ON_ITS_WAY),
        (listing(), Choice.ENTER, starting.NOT_ENTERED),
    ],
)
def test_what_cannot_start_says_why(one: Unsettled, choice: Choice, why: str) -> None:
    assert starting.missing(one, choice, entered=None, several_places=False) == why


def test_what_can_start_has_nothing_missing() -> None:
    for choice, entered in ((Choice.OURS, None), (Choice.THEIRS, None), (Choice.ENTER, 0)):
        assert starting.missing(listing(), choice, entered=entered, several_places=False) == ""
    bundle = listing(piece(), piece(2))
    assert starting.missing(bundle, Choice.OURS, entered=None, several_places=False) == ""


def test_a_number_is_not_entered_where_it_is_open_in_which_location_it_lies() -> None:
    assert starting.missing(listing(), Choice.ENTER, entered=4, several_places=True) == starting.SEVERAL_PLACES


def test_missing_on_one_side_is_not_zero() -> None:
    never_counted = listing(piece(counted=False, on_hand={STORE: 0}))
    assert never_counted.difference is None
    assert listing(available=None).difference is None
    wish = Wish(everything=Choice.OURS)
    assert choose([never_counted, listing(available=None)], wish, {}, several_places=False, now=NOON) == []


def test_a_product_may_differ_from_the_choice_for_all_and_later_decides_nothing() -> None:
    others = [listing(sku_id="B", product_id="Q"), listing(sku_id="C", product_id="R")]
    wish = Wish(everything=Choice.THEIRS, products={"Q": Choice.OURS, "R": Choice.LATER})
    chosen = choose([listing(), *others], wish, {}, several_places=False, now=NOON)
    assert [(each.listing.sku_id, each.begin.choice) for each in chosen] == [("A", Choice.THEIRS), ("B", Choice.OURS)]


def test_a_bundle_shows_as_many_as_its_scarcest_part() -> None:
    one = listing(
        piece(on_hand={STORE: 10}, reserved={STORE: 1}, quantity=2), piece(2, on_hand={STORE: 4}, reserved={})
    )
    assert (one.on_hand, one.free) == (4, 4)
    assert one.difference == 3


def test_units_held_on_tiktok_by_orders_that_are_not_here_yet_are_not_offered() -> None:
    assert listing(committed=5).free == 5
    assert listing(committed=5).ordered == 5


HOUR = 3_600_000


@pytest.mark.parametrize(
    ("placed", "shipped", "cancelled", "left_out"),
    [
        (-2 * HOUR, None, None, True),
        (HOUR, None, None, False),
        (-2 * HOUR, -HOUR, None, False),
        (-2 * HOUR, HOUR, None, True),
        (-2 * HOUR, None, -HOUR, False),
        (-2 * HOUR, None, HOUR, True),
    ],
    ids=["open", "ordered later", "gone before", "sent since", "cancelled before", "cancelled since"],
)
def test_a_count_left_out_what_was_ordered_and_still_here_when_it_was_made(
    placed: int, shipped: int | None, cancelled: int | None, left_out: bool
) -> None:
    def at(moment: int | None) -> int | None:
        return None if moment is None else NOON + moment

    line = Line(1, STORE, 1, NOON + placed, at(shipped), at(cancelled))
    assert line.open_at(NOON) is left_out


def test_each_row_says_what_it_rests_on() -> None:
    one = listing()
    assert starting.rule(one, start(one, Choice.OURS)) == "Your count: 10 on hand"
    assert starting.rule(one, start(one, Choice.OURS, left_out=3)) == (
        "Your count, plus what was ordered on TikTok and left out of it: 10 on hand becomes 13"
    )
    assert starting.rule(one, start(one, Choice.THEIRS)) == "TikTok's number, plus 3 ordered there: 10 on hand"
    assert starting.rule(one, start(one, Choice.ENTER, entered=2)) == "The number you entered: 10 on hand becomes 2"

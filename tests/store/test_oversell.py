"""More was sold than there is: the orders that compete, what TikTok showed, the cause, and the buffer that helps."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from core import clock
from core.store import Store, open_store
from core.store.queries import oversell as kept
from core.store.tables import Drift, Item, Link, Listing, Location, Order, OrderLine, Push, SalesHour, Shop, Shown
from core.store.upsert import table, upsert
from core.sync import ledger, oversell
from core.sync.oversell import Oversold
from core.sync.oversell_causes import Cause, Claim
from core.sync.targets import Part, Rule, target

NOON = 1_790_000_000
SHOP = {
    "id": "7", "auth": "a", "name": "Practice", "region": "GB", "currency": "GBP", "timezone": "Europe/London",
    "practice": True, "mode": "live", "connected_at": 1,
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """One item, one listing that Evenstock keeps even."""
    opened = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    with opened.write() as connection:
        upsert(connection, Shop, [SHOP])
        values = {"id": 1, "sku": "TEE", "title": "Tee", "variant": "", "currency": "GBP", "barcode": ""}
        connection.execute(insert(table(Item)), [values | {"archived": False, "created_at": 1}])
        listing(connection, "L1")
    yield opened
    opened.close()


def listing(connection: Any, sku_id: str, quantity: int = 1) -> None:
    row = {"shop_id": "7", "sku_id": sku_id, "product_id": "1", "seen_at": 1, "settled_at": 1}
    upsert(connection, Listing, [row])
    upsert(connection, Link, [{"shop_id": "7", "sku_id": sku_id, "item_id": 1, "quantity": quantity, "created_at": 1}])


def put(store: Store, model: Any, **values: Any) -> None:
    row = {name: value for name, value in model(**values).model_dump().items() if name != "id" or value is not None}
    with store.write() as connection:
        connection.execute(insert(table(model)), [row])


def stock(store: Store, units: int, at: float = NOON - 600) -> None:
    with clock.turned(at):
        ledger.record_count(store, "TEE", units, actor="owner")


def own_sale(store: Store, at: float, units: int = 1) -> None:
    with clock.turned(at):
        ledger.record_sale(store, "TEE", units, actor="owner")


def order(store: Store, name: str, placed: int, known: float, units: int = 1, sku_id: str = "L1") -> None:
    """An order on TikTok, with the second at which it was placed and the one at which it was known here."""
    put(store, Order, id=name, shop_id="7", status="AWAITING_SHIPMENT", update_time=placed, create_time=placed,
        day="2026-09-21", hour=12, currency="GBP", first_seen_at=int(known * 1000), changed_at=1)  # fmt: skip
    for number in range(units):
        line = f"{name}.{number}"
        put(store, OrderLine, id=line, order_id=name, shop_id="7", sku_id=sku_id, status="AWAITING_SHIPMENT")
        moved = {"item_id": 1, "reserved": 1, "reason": "order", "origin": "tiktok", "reference": line}
        with store.write() as connection:
            ledger.write(connection, [moved | {"at": int(known * 1000)}])


def write(
    store: Store, at: float, *, read: int, target: int, confirmed: float | None, outcome: str = "confirmed"
) -> None:
    put(store, Push, shop_id="7", sku_id="L1", product_id="1", generation=1, target=target, wanted="{}",
        read_available=read, read_committed=0, read_open=0, read_shipped=0, dirty_at=int(at * 1000),
        intent_at=int(at * 1000), confirmed_at=None if confirmed is None else int(confirmed * 1000), outcome=outcome,
        sentence="A campaign holds this stock." if outcome == "refused" else "")  # fmt: skip


def found(store: Store) -> Oversold:
    with store.read() as connection:
        (one,) = oversell.report(connection)
    return one


def told(one: Oversold) -> list[tuple[str, str, int, int, bool]]:
    """The claims as (side, order, second placed, second known, too late), seconds since noon."""
    return [
        (claim.side, claim.order_id, claim.placed_at // 1000 - NOON, claim.known_at // 1000 - NOON, claim.late)
        for claim in one.claims
    ]


def test_nothing_is_reported_while_everything_promised_is_there(store: Store) -> None:
    stock(store, 1)
    order(store, "X", NOON, NOON + 2)
    with store.read() as connection:
        assert kept.count(connection) == (0, 0)
        assert oversell.report(connection) == []


def test_e3_both_sell_the_last_unit(store: Store) -> None:
    """Worked example: one unit, shown on both sides; both sell it within two seconds."""
    stock(store, 1)
    write(store, NOON - 500, read=0, target=1, confirmed=NOON - 499)
    own_sale(store, NOON + 5)
    order(store, "X", NOON + 3, NOON + 9)
    one = found(store)
    assert (one.short, one.on_hand, one.promised) == (1, 0, 1)
    assert told(one) == [("TikTok", "X", 3, 9, False), ("your store", "", 5, 5, True)]
    assert one.verdict.cause is Cause.BOTH_SIDES
    assert "within 2 seconds" in one.verdict.sentence
    assert "6 seconds after it was placed" in one.verdict.sentence
    assert one.shown is not None
    assert (one.shown.units, one.shown.at) == (1, (NOON - 499) * 1000)
    assert one.buffer == 1
    with store.read() as connection:
        assert kept.count(connection) == (1, 1)


def test_the_second_of_each_sale_and_of_our_knowing_is_kept_when_tiktok_sells_last(store: Store) -> None:
    stock(store, 1)
    own_sale(store, NOON)
    order(store, "X", NOON + 30, NOON + 33)
    write(store, NOON + 1, read=1, target=0, confirmed=NOON + 40)
    one = found(store)
    assert told(one) == [("your store", "", 0, 0, False), ("TikTok", "X", 30, 33, True)]
    assert one.verdict.cause is Cause.LATE
    assert "sold 30 seconds before TikTok did" in one.verdict.sentence
    assert "40 seconds after that" in one.verdict.sentence
    assert one.shown is not None
    assert one.shown.units == 1, "the lower number was confirmed only afterwards"
    assert one.buffer == 1


def test_a_lower_number_that_nobody_confirmed_is_told_as_such(store: Store) -> None:
    stock(store, 1)
    own_sale(store, NOON)
    write(store, NOON + 1, read=1, target=0, confirmed=None, outcome="unknown")
    order(store, "X", NOON + 30, NOON + 33)
    assert "no lower number was confirmed" in found(store).verdict.sentence


def test_a_number_that_was_lowered_in_time_is_no_cause_and_nothing_is_made_up(store: Store) -> None:
    stock(store, 1)
    own_sale(store, NOON)
    write(store, NOON + 1, read=1, target=0, confirmed=NOON + 2)
    order(store, "X", NOON + 30, NOON + 33)
    one = found(store)
    assert one.verdict.cause is Cause.UNKNOWN
    assert "nothing that was kept tells why" in one.verdict.sentence


def test_an_order_that_was_heard_of_hours_later_is_no_coincidence(store: Store) -> None:
    stock(store, 1)
    own_sale(store, NOON + 3_600)
    order(store, "X", NOON, NOON + 7_200)
    one = found(store)
    assert one.verdict.cause is Cause.HEARD_LATE
    assert "sold 60 minutes before your store did" in one.verdict.sentence
    assert "only 2 hours after it was placed" in one.verdict.sentence


def test_your_store_sold_what_had_long_been_promised(store: Store) -> None:
    stock(store, 1)
    order(store, "X", NOON, NOON + 2)
    own_sale(store, NOON + 7202)
    one = found(store)
    assert one.verdict.cause is Cause.OWN_STORE
    assert "known here for 2 hours" in one.verdict.sentence


def test_your_store_alone_sold_more_than_there_was_and_no_buffer_would_have_helped(store: Store) -> None:
    stock(store, 1)
    own_sale(store, NOON, units=3)
    one = found(store)
    assert (one.short, one.verdict.cause, one.buffer) == (2, Cause.OWN_STORE, None)
    assert "only holds units back from TikTok" in one.buffer_sentence


def test_a_count_that_lowers_the_stock_below_what_is_promised(store: Store) -> None:
    stock(store, 5)
    write(store, NOON - 100, read=0, target=5, confirmed=NOON - 99)
    order(store, "X", NOON, NOON + 1, units=2)
    order(store, "Y", NOON + 60, NOON + 61, units=2)
    stock(store, 3, at=NOON + 900)
    one = found(store)
    assert (one.short, one.verdict.cause, one.since) == (1, Cause.COUNT, (NOON + 900) * 1000)
    assert "from 5 to 3 while 4 were promised" in one.verdict.sentence
    assert [(claim.order_id, claim.units, claim.missing) for claim in one.claims] == [("X", 2, 0), ("Y", 2, 1)]
    assert one.shown is not None
    assert one.shown.units == 3, "five, less the two that order X took"
    assert one.buffer == 3


def test_a_hand_edit_on_tiktok_is_named_and_no_buffer_would_have_helped(store: Store) -> None:
    stock(store, 1)
    put(
        store,
        Drift,
        shop_id="7",
        sku_id="L1",
        found_at=(NOON - 60) * 1000,
        expected=1,
        observed=9,
        amount=8,
        state="open",
    )
    order(store, "X", NOON, NOON + 1, units=4)
    one = found(store)
    assert (one.short, one.verdict.cause, one.buffer) == (3, Cause.EDIT, None)
    assert "raised the number on TikTok by 8" in one.verdict.sentence
    assert one.shown is not None
    assert one.shown.units == 9


def test_an_edit_that_was_decided_before_is_not_blamed(store: Store) -> None:
    stock(store, 1)
    put(store, Drift, shop_id="7", sku_id="L1", found_at=(NOON - 9000) * 1000, expected=1, observed=9, amount=8,
        state="decided", decided_at=(NOON - 8000) * 1000)  # fmt: skip
    order(store, "X", NOON, NOON + 1, units=2)
    assert found(store).verdict.cause is not Cause.EDIT


def test_a_refused_lower_number_is_named_with_tiktoks_reason(store: Store) -> None:
    stock(store, 1)
    own_sale(store, NOON - 60)
    write(store, NOON - 50, read=8, target=0, confirmed=None, outcome="refused")
    order(store, "X", NOON, NOON + 1)
    one = found(store)
    assert one.verdict.cause is Cause.REFUSED
    assert "A campaign holds this stock." in one.verdict.sentence
    assert one.buffer is None


def test_a_listing_that_was_not_reviewed_yet_is_named(store: Store) -> None:
    stock(store, 1)
    with store.write() as connection:
        connection.execute(text("UPDATE listing SET settled_at = NULL"))
    order(store, "X", NOON, NOON + 1, units=2)
    assert found(store).verdict.cause is Cause.NOT_KEPT


def test_two_listings_that_sell_the_same_unit(store: Store) -> None:
    stock(store, 1)
    with store.write() as connection:
        listing(connection, "L2")
    order(store, "X", NOON, NOON + 5)
    order(store, "Y", NOON + 4, NOON + 6, sku_id="L2")
    one = found(store)
    assert one.verdict.cause is Cause.BOTH_SIDES
    assert "Two listings" in one.verdict.sentence
    assert "within 4 seconds" in one.verdict.sentence


def test_what_cannot_be_told_is_said(store: Store) -> None:
    stock(store, 1)
    own_sale(store, NOON)
    order(store, "X", NOON, NOON + 1)
    one = found(store)
    assert one.shown is None
    told = " ".join(one.untold)
    assert "What TikTok showed then" in told
    assert "whole seconds" in told
    assert "entered here" in told
    assert "at least 1 unit" in one.buffer_sentence


def test_an_order_that_is_cancelled_competes_no_more(store: Store) -> None:
    stock(store, 1)
    for name, second in (("X", 0), ("Y", 5), ("Z", 9)):
        order(store, name, NOON + second, NOON + second + 1)
    given_back = {"item_id": 1, "reserved": -1, "reason": "cancelled", "origin": "tiktok", "reference": "Z.0"}
    with store.write() as connection:
        ledger.write(connection, [given_back | {"at": (NOON + 99) * 1000}])
    one = found(store)
    assert one.short == 1
    assert [(claim.order_id, claim.late) for claim in one.claims] == [("X", False), ("Y", True)]


def test_the_buffer_of_the_owner_is_added_to_what_was_missing(store: Store) -> None:
    stock(store, 4)
    write(store, NOON - 100, read=0, target=2, confirmed=NOON - 99)
    order(store, "X", NOON, NOON + 30, units=2)
    own_sale(store, NOON + 2, units=3)
    with store.write() as connection:
        connection.execute(text("UPDATE link SET buffer = 2"))
    one = found(store)
    assert one.shown is not None
    assert one.shown.units == 2
    assert one.buffer == 4
    assert "4 units" in one.buffer_sentence


@pytest.mark.parametrize("quantity", [1, 2, 5])
@pytest.mark.parametrize("share", [100, 50, 33])
@pytest.mark.parametrize("own", [0, 2])
def test_the_buffer_that_is_named_would_have_been_enough(own: int, share: int, quantity: int) -> None:
    """Checked with the arithmetic of targets: with it TikTok offers nothing at the moment of the sale too many."""
    for free in range(60):
        units = target([Part(free, 0, 0, quantity, rule=Rule(buffer=own, share=share))])
        if units:
            key = Claim("TikTok", "X", "7", "L1", 1, 0, 0)
            offer = kept.Offer("7", "L1", quantity, "live", units, 1, 1, buffer=own, share=share)
            needed, _ = oversell._buffer(Cause.BOTH_SIDES, key, oversell.Shown(units, 0), 1, offer)
            assert needed is not None
            assert target([Part(free, 0, 0, quantity, rule=Rule(buffer=needed, share=share))]) == 0
            if share == 100 and quantity == 1:
                assert target([Part(free, 0, 0, 1, rule=Rule(buffer=needed - 1))]) > 0, "and one less would not have"


def reads(store: Store, at: float, units: int) -> None:
    """TikTok was read to show so many."""
    shown = {"shop_id": "7", "sku_id": "L1", "at": int(at * 1000), "available": units, "committed": 0}
    with store.write() as connection:
        upsert(connection, Shown, [shown])


def test_what_tiktok_showed_then_comes_from_the_readings_of_that_time(store: Store) -> None:
    stock(store, 3)
    for second, units in ((-500, 3), (-200, 2), (+90, 0)):
        reads(store, NOON + second, units)
    order(store, "X", NOON, NOON + 5, units=2)
    own_sale(store, NOON + 2, units=2)
    one = found(store)
    assert one.shown == oversell.Shown(2, (NOON - 200) * 1000, lasting=True)
    assert not any("had last been read" in line for line in one.untold), "every change of it was kept"


def test_an_order_of_a_store_of_ones_own_carries_its_own_second(store: Store) -> None:
    stock(store, 1)
    with store.write() as connection:
        upsert(connection, Shop, [SHOP | {"id": "8", "kind": "store"}])
    order(store, "X", NOON, NOON + 2)
    order(store, "W", NOON + 20, NOON + 25)
    with store.write() as connection:
        connection.execute(text("UPDATE order_line SET shop_id = '8' WHERE order_id = 'W'"))
    one = found(store)
    assert told(one) == [("TikTok", "X", 0, 2, False), ("your store", "W", 20, 25, True)]
    assert one.verdict.cause is Cause.BOTH_SIDES
    assert "within 20 seconds" in one.verdict.sentence
    assert not any("entered here" in line for line in one.untold)


def past(store: Store, since: int = 0) -> list[Oversold]:
    with store.read() as connection:
        return oversell.history(connection, since)


def records(store: Store) -> list[tuple[int, bool]]:
    """Each record: its units, and whether all units are there again."""
    with store.read() as connection:
        rows = connection.execute(text("SELECT units, over_at FROM oversell ORDER BY id")).all()
    return [(row.units, row.over_at is not None) for row in rows]


def test_what_was_sold_and_did_not_exist_is_told_for_good(store: Store) -> None:
    stock(store, 1)
    reads(store, NOON - 500, 1)
    own_sale(store, NOON + 5)
    with clock.turned(NOON + 9):
        order(store, "X", NOON + 3, NOON + 9)
    assert past(store) == []
    with clock.turned(NOON + 900):
        ledger.record_count(store, "TEE", 4, actor="owner")
    (one,) = past(store)
    assert told(one) == [("TikTok", "X", 3, 9, False), ("your store", "", 5, 5, True)]
    assert (one.short, one.since, one.over_at) == (1, (NOON + 9) * 1000, (NOON + 900) * 1000)
    assert one.verdict.cause is Cause.BOTH_SIDES
    assert (one.shown, one.buffer) == (oversell.Shown(1, (NOON - 500) * 1000, lasting=True), 1)
    with store.read() as connection:
        assert oversell.report(connection) == []
        assert (kept.past_count(connection, 0), kept.oversold_units(connection, 0)) == (1, 1)
        assert kept.past_count(connection, (NOON + 10) * 1000) == 0, "it lies before the period"


def test_the_past_is_told_as_it_was_then_whatever_came_later(store: Store) -> None:
    stock(store, 1)
    own_sale(store, NOON)
    order(store, "X", NOON + 2, NOON + 4)
    stock(store, 9, at=NOON + 60)
    order(store, "Y", NOON + 80, NOON + 82, units=3)
    own_sale(store, NOON + 90, units=2)
    (one,) = past(store)
    assert told(one) == [("your store", "", 0, 0, False), ("TikTok", "X", 2, 4, True)]
    assert (one.on_hand, one.promised) == (0, 1)


def test_each_unit_too_many_is_kept_once(store: Store) -> None:
    stock(store, 1)
    order(store, "A", NOON, NOON, units=3)
    assert records(store) == [(1, False), (1, False)]
    own_sale(store, NOON + 5, units=2)
    assert records(store) == [(1, False), (1, False), (2, False)]
    stock(store, 2, at=NOON + 9)
    assert records(store)[-1] == (2, False), "more came, but one is still missing"
    order(store, "B", NOON + 10, NOON + 11)
    assert records(store)[3:] == [(1, False)]
    stock(store, 4, at=NOON + 12)
    assert all(over for _, over in records(store))
    assert [one.short for one in past(store)] == [1, 2, 1, 1], "the newest first"


def test_each_record_tells_of_its_own_sale_and_of_those_that_had_the_last_units(store: Store) -> None:
    stock(store, 1)
    for name, second in (("A", 0), ("B", 10), ("C", 20)):
        order(store, name, NOON + second, NOON + second + 1)
    stock(store, 3, at=NOON + 60)
    newest, oldest = past(store)
    assert [(claim.order_id, claim.late) for claim in newest.claims] == [("A", False), ("C", True)]
    assert [(claim.order_id, claim.late) for claim in oldest.claims] == [("A", False), ("B", True)]


def test_nothing_is_missing_of_an_item_that_was_never_counted(store: Store) -> None:
    order(store, "X", NOON, NOON + 1, units=2)
    assert records(store) == []
    with store.read() as connection:
        assert kept.count(connection) == (0, 0)
    stock(store, 0, at=NOON + 60)
    assert records(store) == [(1, False), (1, False)], "now it is known that there is none"


def test_a_transaction_that_gives_and_takes_as_much_leaves_no_record(store: Store) -> None:
    stock(store, 1)
    order(store, "X", NOON, NOON + 1)
    moves = [
        {"reserved": 1, "reference": "Y.0", "reason": "order"},
        {"reserved": -1, "reference": "X.0", "reason": "cancelled"},
    ]
    with store.write() as connection:
        ledger.write(connection, [{"item_id": 1, "origin": "tiktok", "at": NOON * 1000} | move for move in moves])
    assert records(store) == []


def test_what_lies_in_another_location_is_there_all_the_same(store: Store) -> None:
    put(store, Location, id=2, name="Attic")
    stock(store, 1)
    with clock.turned(NOON - 500):
        ledger.record_count(store, "TEE", 2, actor="owner", location_id=2)
    order(store, "X", NOON, NOON + 1, units=3)
    assert records(store) == [], "more is promised in one location than lies there, but not in all"
    order(store, "Y", NOON + 2, NOON + 3)
    assert records(store) == [(1, False)]


@pytest.mark.parametrize(
    ("last", "told"),
    [(0, "were not split"), (4, "was in force"), (1, "still free, so the split was not in force")],
)
def test_it_is_said_whether_the_split_of_the_last_units_was_in_force(store: Store, last: int, told: str) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE item SET split_at = :last, split_total = 2"), {"last": last})
    stock(store, 2)
    own_sale(store, NOON + 5, units=2)
    order(store, "X", NOON + 3, NOON + 9)
    with store.read() as connection:
        assert [told in one.split for one in oversell.report(connection)] == [True]
    with store.write() as connection:
        connection.execute(text("UPDATE item SET split_at = 0, split_total = 0"))
    stock(store, 5, at=NOON + 60)
    assert told in past(store)[0].split, "as it was then, not as it is now"


def test_how_many_units_were_sold_in_a_period(store: Store) -> None:
    stock(store, 50)
    own_sale(store, NOON - 400, units=7)
    own_sale(store, NOON, units=3)
    hour = {"shop_id": "7", "hour": 9, "currency": "GBP", "orders": 1, "sales_units": 1, "cancelled": 0, "unpaid": 0}
    with store.write() as connection:
        upsert(
            connection,
            SalesHour,
            [hour | {"day": "2026-09-20", "units": 100}, hour | {"day": "2026-09-21", "units": 40}],
        )
    with store.read() as connection:
        assert kept.sold_units(connection, (NOON - 60) * 1000, "2026-09-21") == 43

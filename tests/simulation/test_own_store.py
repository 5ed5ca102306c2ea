"""A store with a life of its own beside TikTok, of both kinds: the worked examples, and random days with all faults."""

from collections.abc import Callable

import pytest

from core.analytics import measures
from core.storefront.base import Sale
from core.sync.own_store import StoreChannel
from core.sync.signin import load_shops
from tests.simulation.desk import Desk
from tests.simulation.own_store import Heard
from tests.simulation.two_channels import STORE, Both


@pytest.fixture(params=[True, False], ids=["compares", "does not compare"])
def both(desk: Desk, request: pytest.FixtureRequest) -> Both:
    return Both(desk, compares=request.param)


def buyer(both: Both, sku: str) -> Callable[[str], object]:
    return lambda _: both.front.buy(both.item(sku))


def test_e1_a_sale_in_the_store_lowers_tiktok_and_needs_no_write_there(both: Both, sku: str) -> None:
    before = both.desk.shown(sku)
    both.front.buy(both.item(sku), 2)
    both.settle(rounds=1, seconds=60)
    assert both.shown(sku) == (before - 2, before - 2)
    assert both.front.writes == [], "the store has lowered its own number"
    assert len(both.desk.updates()) == 1
    both.check_books()
    both.check_even()


def test_e1_a_sale_on_tiktok_lowers_the_store(both: Both, sku: str) -> None:
    before = both.desk.shown(sku)
    both.desk.practice.buy(sku, 3)
    both.settle(rounds=1, seconds=60)
    assert both.shown(sku) == (before - 3, before - 3)
    assert both.front.writes == [(both.item(sku), before - 3)]
    assert both.desk.updates() == []
    both.check_even()


def test_a_sale_at_the_till_leaves_the_building_at_once(both: Both, sku: str) -> None:
    on_hand, reserved = both.desk.have(sku)
    both.front.buy(both.item(sku), 2, at_once=True)
    both.settle(rounds=1, seconds=60)
    assert both.desk.have(sku) == (on_hand - 2, reserved)
    both.settle(rounds=2)
    assert both.questions() == []
    both.check_books()
    both.check_even()


def test_an_order_of_the_store_reserves_until_it_is_shipped(both: Both, sku: str) -> None:
    on_hand, reserved = both.desk.have(sku)
    order = both.front.buy(both.item(sku), 3)
    both.settle(rounds=1, seconds=60)
    assert both.desk.have(sku) == (on_hand, reserved + 3)
    both.front.cancel(order, 1)
    both.settle(rounds=1, seconds=60)
    assert both.desk.have(sku) == (on_hand, reserved + 2)
    both.front.ship(order)
    both.settle(rounds=2, seconds=60)
    assert both.desk.have(sku) == (on_hand - 2, reserved)
    assert both.questions() == []
    both.check_books()
    both.check_even()


def test_e2_a_buyer_between_our_reading_and_our_write_is_seen_and_put_right_at_once(both: Both, sku: str) -> None:
    before = both.desk.shown(sku)
    both.desk.practice.buy(sku)
    both.front.between = buyer(both, sku)
    both.settle(rounds=1, seconds=60)
    both.settle(rounds=2, seconds=60)
    assert both.shown(sku) == (before - 2, before - 2)
    assert both.questions() == [], "nobody typed anything"
    both.check_books()
    both.check_even()


def test_e2_a_store_that_compares_writes_nothing_over_a_sale(desk: Desk, sku: str) -> None:
    both = Both(desk, compares=True)
    before = desk.shown(sku)
    desk.practice.buy(sku)
    both.front.between = buyer(both, sku)
    desk.time.turn(60)
    both.sync("orders")
    with both.at_store():
        told = desk.push()
    assert told.refused == 0
    assert both.front.writes == [(both.item(sku), before - 2)], "the first write was stale, the second knew of the sale"
    outcomes = desk.rows("SELECT outcome FROM push WHERE shop_id = :shop ORDER BY id DESC LIMIT 2", shop=STORE)
    assert [row.outcome for row in outcomes] == ["confirmed", "not sent"]


def test_e3_both_sell_the_last_unit_and_neither_offers_another(both: Both, sku: str) -> None:
    both.desk.count(sku, 1)
    both.push()
    assert both.shown(sku) == (1, 1)
    both.desk.practice.buy(sku)
    both.front.buy(both.item(sku))
    both.settle(rounds=3, seconds=60)
    assert both.desk.have(sku) == (1, 2)
    assert both.shown(sku) == (0, 0)
    assert both.questions() == []
    both.check_books()


def test_e5_numbers_typed_on_both_sides_are_asked_about_and_until_then_only_lower(both: Both, sku: str) -> None:
    before = both.desk.shown(sku)
    both.desk.practice.set_stock(sku, before + 20)
    both.front.type_number(both.item(sku), before - 3)
    both.front.buy(both.item(sku))
    both.settle(rounds=3)
    asked = {row.shop_id: row.amount for row in both.questions()}
    assert asked == {both.desk.shop.shop_id: 20, STORE: -3}
    assert both.shown(sku) == (before - 4, before - 4), "gains are not offered, and a loss counts for both"
    both.resync()
    both.settle(rounds=1)
    both.resync()
    both.settle(rounds=1)
    assert both.shown(sku) == (before - 1, before - 1), "the owner reviewed both and chose our numbers"
    both.check_books()
    both.check_even()


@pytest.mark.parametrize("lost", ["lost before", "lost after", "late"])
def test_e6_a_write_whose_answer_was_lost_is_not_sent_again(both: Both, sku: str, lost: str) -> None:
    before = both.desk.shown(sku)
    both.front.troubles.append(lost)
    both.desk.practice.buy(sku, 3)
    both.desk.time.turn(60)
    both.sync()
    both.push()
    both.front.buy(both.item(sku), 2)
    both.settle(rounds=5)
    assert both.shown(sku) == (before - 5, before - 5)
    applied = [units for _, units in both.front.writes]
    assert len(applied) <= 2, "no number was written over and over"
    assert both.questions() == []
    both.check_books()
    both.check_even()


def test_a_refused_quantity_says_why_and_holds_up_no_other(both: Both, sku: str) -> None:
    other = next(one for one in both.desk.skus() if one != sku)
    both.front.troubles.append("refused")
    both.desk.practice.buy(sku)
    both.desk.practice.buy(other)
    both.settle(rounds=2, seconds=60)
    refused = both.desk.rows(
        "SELECT refused_sentence FROM listing WHERE shop_id = :s AND refused_sentence IS NOT NULL", s=STORE
    )
    assert [row.refused_sentence for row in refused] == ["This product is being edited by somebody else."]
    both.settle(rounds=1, seconds=3700)
    both.check_even()


def test_a_store_that_asks_for_patience_is_asked_again_later(both: Both, sku: str) -> None:
    both.desk.practice.buy(sku)
    both.desk.time.turn(60)
    both.sync()
    both.front.troubles.append("throttled")
    with pytest.raises(Exception, match="fewer requests"):
        both.push()
    both.settle(rounds=2)
    both.check_even()


def test_sales_heard_late_twice_and_in_any_order_are_booked_once(both: Both, sku: str) -> None:
    both.front.heard = Heard(lag=lambda: both.front.chance.uniform(0, 20), twice=True, reordered=True)
    for units in (1, 2, 1):
        order = both.front.buy(both.item(sku), units)
        both.desk.time.turn(1)
        both.front.ship(order) if units == 1 else both.front.cancel(order, 1)
        both.desk.time.turn(5)
        both.sync("orders")
    both.settle(rounds=3)
    assert both.questions() == []
    both.check_books()
    both.check_even()


def test_a_cancellation_heard_after_we_lowered_the_number_explains_it(both: Both, sku: str) -> None:
    before = both.desk.shown(sku)
    order = both.front.buy(both.item(sku), 2)
    both.settle(rounds=2)
    both.front.heard = Heard(lag=lambda: 90.0)
    both.front.cancel(order)
    both.desk.practice.buy(sku)
    both.desk.time.turn(10)
    both.sync()
    both.push()
    both.settle(rounds=4, seconds=40)
    assert both.shown(sku) == (before - 1, before - 1)
    assert both.questions() == [], "nobody typed anything"
    both.check_even()


def test_the_cursor_of_sales_moves_only_after_a_complete_reading(both: Both, sku: str) -> None:
    cursor = "SELECT value FROM cursor WHERE source = 'orders:own'"
    both.front.buy(both.item(sku))
    both.settle(rounds=1)
    first = both.desk.one(cursor)
    both.desk.time.turn(3000)
    both.front.buy(both.item(sku))
    real = both.front.sales

    def breaks_off(since: int) -> object:
        yield next(iter(real(since)))
        raise ConnectionError

    both.front.sales = breaks_off  # type: ignore[method-assign, assignment]
    with pytest.raises(ConnectionError):
        both.sync("orders")
    assert both.desk.one(cursor) == first
    both.front.sales = real  # type: ignore[method-assign]
    both.settle(rounds=1)
    assert both.desk.one(cursor) > first
    both.check_books()


def test_a_sale_that_makes_no_sense_is_set_aside_and_the_others_are_kept(both: Both, sku: str) -> None:
    both.front.orders["bad"] = Sale("bad", both.item(sku), -4, 1, 1)
    both.front._tell(Sale("bad", both.item(sku), -4, both.desk.time.seconds * 1000, int(both.desk.time.seconds * 1000)))
    del both.front.orders["bad"]
    both.front.buy(both.item(sku))
    both.settle(rounds=1)
    assert both.desk.one("SELECT count(*) FROM quarantine WHERE reference = 'bad'") == 1
    both.check_books()
    both.check_even()


def test_sales_of_the_store_are_not_counted_as_tiktoks(both: Both, sku: str) -> None:
    with both.desk.store.read() as connection:
        before = [period.now.units for period in measures.today(connection)]
    both.front.buy(both.item(sku), 3)
    both.settle(rounds=1)
    with both.desk.store.read() as connection:
        assert [period.now.units for period in measures.today(connection)] == before
        assert [period.now.units for period in measures.today(connection, STORE)] == [3]
    known = [row.id for row, _ in load_shops(both.desk.store, both.desk.vault)]
    assert known == [both.desk.shop.shop_id], "the store is not asked for by TikTok's client"


def test_a_long_list_of_sales_is_read_page_by_page(both: Both, sku: str) -> None:
    both.front.goods[both.item(sku)].available += 500
    for _ in range(230):
        both.front.buy(both.item(sku), at_once=True)
    assert isinstance(both.store.api, StoreChannel)
    pages, token = [], ""
    while True:
        page = both.store.api.order_page(0, None, token)
        pages.append(len(page.orders))
        token = page.next_page_token
        if not token:
            break
    assert pages == [100, 100, 30]

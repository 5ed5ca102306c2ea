"""The engine live on the practice shop: what a shop owner's day brings, told by the worked examples of the method."""

import json

import pytest

from core import clock
from core.practice.bodies import SoldSku
from core.sync import catalog, decisions
from core.sync.drift import SURE_AFTER_MS
from core.tiktok.errors import TikTokError
from tests.simulation.desk import Desk

SURE = SURE_AFTER_MS / 1000


def test_e1_a_plain_sale_is_one_write_and_the_channel_that_sold_needs_none(desk: Desk, sku: str) -> None:
    desk.sell(sku)
    desk.push()
    assert len(desk.updates()) == 1
    desk.practice.buy(sku)
    desk.time.turn(60)
    desk.sync("all")
    desk.push()
    assert len(desk.updates()) == 1, "a sale on TikTok has lowered TikTok's own number"
    desk.check_books()
    desk.check_even()


def test_e2_a_sale_between_our_reading_and_our_write_is_seen_and_put_right_at_once(desk: Desk, sku: str) -> None:
    before = desk.shown(sku)
    desk.sell(sku)
    set_stock = desk.shop.api.set_stock

    def buyer_in_between(*given: object, **more: object) -> object:
        desk.shop.api.set_stock = set_stock  # type: ignore[method-assign]
        desk.practice.buy(sku)
        return set_stock(*given, **more)  # type: ignore[arg-type]

    desk.shop.api.set_stock = buyer_in_between  # type: ignore[assignment, method-assign]
    desk.push()
    assert desk.shown(sku) == before - 2
    assert len(desk.updates()) == 2
    desk.settle(rounds=3)
    desk.check_books()
    desk.check_even()
    assert desk.rows("SELECT * FROM drift WHERE state <> 'explained'") == [], "nobody typed anything"


def test_e3_both_sell_the_last_unit_and_nothing_goes_below_zero(desk: Desk, sku: str) -> None:
    desk.count(sku, 1)
    desk.push()
    desk.practice.buy(sku)
    desk.sell(sku)
    desk.push()
    desk.settle(rounds=2)
    assert desk.have(sku) == (0, 1)
    assert desk.shown(sku) == 0
    desk.check_books()


def test_e4_a_cancelled_order_gives_its_units_back(desk: Desk, sku: str) -> None:
    before = desk.shown(sku)
    order = desk.practice.buy(sku, 2)
    desk.settle(rounds=1)
    assert desk.have(sku)[1] == 2
    desk.practice.cancel(order)
    desk.settle(rounds=1)
    assert desk.have(sku)[1] == 0
    assert desk.shown(sku) == before
    assert desk.updates() == []
    desk.check_books()


def test_e4_a_return_after_delivery_changes_no_number_by_itself(desk: Desk, sku: str) -> None:
    order = desk.practice.buy(sku)
    for event in ("ship", "collect", "deliver"):
        desk.practice.act(order, event)
        desk.settle(rounds=1)
    have = desk.have(sku)
    desk.practice.take_back(order)
    desk.settle(rounds=2)
    assert desk.have(sku) == have
    desk.check_books()
    desk.check_even()


def test_e5_a_number_typed_on_tiktok_is_asked_about_and_until_then_only_lowers(desk: Desk, sku: str) -> None:
    before = desk.shown(sku)
    desk.practice.set_stock(sku, before + 20)
    desk.settle(rounds=2)
    assert desk.shown(sku) == before, "twenty units that nobody knows of are not offered"
    assert desk.rows("SELECT amount, state FROM drift WHERE sku_id = :s", s=sku) == [(20, "lowered")]
    desk.count(sku, before + 7)
    desk.settle(rounds=2)
    assert desk.shown(sku) == before, "nothing is raised while the question is open"
    desk.sell(sku, 10)
    desk.push()
    assert desk.shown(sku) == before - 3, "but a sale still lowers it"


def test_e5_a_lower_number_typed_on_tiktok_stands_until_the_owner_decides(desk: Desk, sku: str) -> None:
    before = desk.shown(sku)
    desk.practice.set_stock(sku, before - 4)
    desk.settle(rounds=3)
    assert desk.shown(sku) == before - 4
    assert desk.rows("SELECT amount, state FROM drift WHERE sku_id = :s", s=sku) == [(-4, "open")]
    desk.resync([sku])
    assert desk.shown(sku) == before, "the owner reviewed it and chose our number"
    assert desk.rows("SELECT state, decision FROM drift WHERE sku_id = :s", s=sku) == [("decided", "ours")]


def test_e6_a_write_that_timed_out_is_not_sent_again(desk: Desk, sku: str) -> None:
    desk.practice.trouble("timeout_after", path="/inventory/update", times=1)
    desk.sell(sku, 3)
    desk.push()
    desk.practice.buy(sku, 2)
    desk.settle(rounds=3)
    assert len(desk.updates()) == 1
    desk.check_books()
    desk.check_even()


def test_e7_every_warehouse_of_a_listing_is_in_each_write(desk: Desk) -> None:
    sku = next(one for one in desk.skus() if len(desk.practice.truth(one).warehouses) == 2)
    desk.sell(sku)
    desk.push()
    body = json.loads(desk.updates()[0][1])
    places = {held.warehouse_id for held in desk.practice.truth(sku).warehouses}
    assert {row["warehouse_id"] for row in body["skus"][0]["inventory"]} == places
    desk.check_even()


def test_e8_a_buffer_is_kept_back(desk: Desk, sku: str) -> None:
    before = desk.shown(sku)
    desk.choose(buffer=2)
    desk.settle(rounds=1)
    assert desk.shown(sku) == before - 2
    desk.choose(buffer=0)
    desk.settle(rounds=1)
    assert desk.shown(sku) == before


def test_e9_before_the_first_review_nothing_is_written(new: Desk) -> None:
    sku = new.practice.truths()[0].sku_id
    new.sync("all")
    new.sell(sku)
    new.settle(rounds=2)
    assert new.updates() == []
    new.resync()
    assert len(new.updates()) == 1
    new.check_even()


def test_e9_a_listing_whose_item_was_never_counted_is_not_set_to_zero(desk: Desk, sku: str) -> None:
    with desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE item SET counted_at = NULL")
        connection.exec_driver_sql("UPDATE level SET on_hand = 0")
    desk.sync("all")
    desk.push()
    assert desk.updates() == []


def test_e10_an_order_whose_webhook_was_lost_is_held_back_before_it_is_known(desk: Desk, sku: str) -> None:
    before = desk.shown(sku)
    desk.practice.buy(sku)
    desk.sell(sku)
    desk.push()
    assert desk.shown(sku) == before - 2, "TikTok's own committed units tell of the order"
    desk.settle(rounds=1)
    desk.check_books()
    desk.check_even()


def test_e11_a_late_visible_order_is_found_by_the_overlap(desk: Desk, sku: str) -> None:
    early = desk.practice.now()
    desk.time.turn(30)
    desk.practice.buy(sku)
    desk.poll()
    truth = desk.practice.truth(sku)
    sold = SoldSku(truth.sku_id, truth.product_id, truth.seller_sku, truth.title, truth.variant, truth.price)
    desk.practice.parts.orders.place([sold], truth.warehouses[0].warehouse_id, at=early, paid=True, by_hand=True)
    desk.settle(rounds=1)
    desk.check_books()
    desk.check_even()


def test_e12_an_unpaid_order_reserves_until_it_expires(desk: Desk, sku: str) -> None:
    before = desk.shown(sku)
    desk.practice.buy(sku, paid=False)
    desk.settle(rounds=1)
    assert desk.have(sku)[1] == 1
    desk.practice.pass_time(3 * 24 * 3600)
    desk.settle(rounds=1)
    assert desk.have(sku)[1] == 0
    assert desk.shown(sku) == before
    desk.check_books()


def test_e13_a_bundle_follows_its_scarcest_part(desk: Desk) -> None:
    bundle, one, two = desk.skus()[:3]
    with desk.store.write() as connection:
        items = {row.sku_id: row.item_id for row in connection.exec_driver_sql("SELECT sku_id, item_id FROM link")}
        connection.exec_driver_sql("DELETE FROM link WHERE sku_id = ?", (bundle,))
        links = [(bundle, items[one], 2, "test"), (bundle, items[two], 1, "test")]
        catalog.link(connection, desk.shop.shop_id, links)
    desk.count(one, 10)
    desk.count(two, 4)
    desk.settle(rounds=1)
    desk.resync([bundle])
    assert desk.shown(bundle) == 4
    desk.practice.buy(bundle)
    desk.settle(rounds=1)
    assert (desk.have(one)[1], desk.have(two)[1]) == (2, 1)
    assert (desk.shown(one), desk.shown(two), desk.shown(bundle)) == (8, 3, 3)


def test_e14_one_item_in_two_listings_lowers_both(desk: Desk) -> None:
    first, second = desk.skus()[:2]
    with desk.store.write() as connection:
        item = connection.exec_driver_sql("SELECT item_id FROM link WHERE sku_id = ?", (first,)).scalar_one()
        connection.exec_driver_sql("DELETE FROM link WHERE sku_id = ?", (second,))
        catalog.link(connection, desk.shop.shop_id, [(second, item, 1, "test")])
    desk.count(first, 5)
    desk.settle(rounds=1)
    desk.resync()
    assert (desk.shown(first), desk.shown(second)) == (5, 5)
    desk.practice.buy(first)
    desk.settle(rounds=1)
    assert (desk.shown(first), desk.shown(second)) == (4, 4)


def test_e15_a_shipment_not_yet_in_the_feed_takes_nothing_off_twice(desk: Desk, sku: str) -> None:
    order = desk.practice.buy(sku, 3)
    desk.settle(rounds=1)
    have = desk.have(sku)
    desk.practice.ship(order)
    desk.read_stock()
    desk.push()
    assert desk.have(sku) == have
    desk.settle(rounds=2)
    assert desk.have(sku) == (have[0] - 3, 0)
    assert desk.updates() == []
    assert desk.rows("SELECT * FROM drift WHERE state <> 'explained'") == []
    desk.check_books()
    desk.check_even()


def test_e16_a_listing_locked_by_a_promotion_says_why_and_blocks_no_other(desk: Desk, sku: str) -> None:
    other = next(one for one in desk.skus() if one != sku)
    desk.practice.set_promotion(sku, True)
    desk.sell(sku)
    desk.sell(other)
    desk.push()
    on_hand, reserved = desk.have(other)
    assert desk.shown(other) == on_hand - reserved
    refused = desk.one("SELECT refused_sentence FROM listing WHERE sku_id = :s", s=sku)
    assert refused
    tried = len(desk.updates())
    desk.settle(rounds=5, seconds=60)
    assert len(desk.updates()) == tried, "a refused listing is tried again once an hour"
    desk.practice.set_promotion(sku, False)
    desk.time.turn(3600)
    desk.settle(rounds=1)
    desk.check_even()


def test_e18_a_clock_ten_minutes_fast_is_corrected_before_signing(desk: Desk, sku: str) -> None:
    desk.practice.trouble("wrong_clock", offset=-600)
    desk.sell(sku)
    desk.push()
    desk.check_even()
    assert abs(desk.transport.clock_skew + 600) < 2


def test_an_unseen_order_behind_an_unseen_shipment_is_not_sold_again(desk: Desk, sku: str) -> None:
    """One order ships and another comes: TikTok's committed units stay as they were, and only its number tells."""
    order = desk.practice.buy(sku)
    desk.settle(rounds=1)
    desk.practice.ship(order)
    desk.practice.buy(sku)
    shown = desk.shown(sku)
    desk.read_stock()
    desk.push()
    assert desk.shown(sku) == shown
    desk.settle(rounds=2)
    assert desk.shown(sku) == shown
    desk.check_books()
    desk.check_even()
    assert desk.rows("SELECT * FROM drift WHERE state <> 'explained'") == []


def test_an_unseen_order_behind_several_unseen_shipments_is_not_sold_again(desk: Desk, sku: str) -> None:
    """More was shipped than ordered since: TikTok holds fewer units than we know of, and its number is one lower."""
    orders = [desk.practice.buy(sku) for _ in range(3)]
    desk.settle(rounds=1)
    for order in orders[:2]:
        desk.practice.ship(order)
    desk.practice.buy(sku)
    shown = desk.shown(sku)
    desk.time.turn(60)
    desk.sync("stock")
    desk.push()
    assert desk.shown(sku) == shown
    assert desk.updates() == []
    desk.settle(rounds=2)
    desk.check_books()
    desk.check_even()


def test_a_write_made_while_an_order_and_a_shipment_are_unseen_leaves_no_false_drift(desk: Desk, sku: str) -> None:
    order = desk.practice.buy(sku)
    desk.settle(rounds=1)
    desk.time.turn(10)
    desk.practice.ship(order)
    desk.practice.buy(sku)
    desk.time.turn(10)
    desk.sell(sku, 4)
    desk.push()
    desk.settle(rounds=3)
    assert desk.rows("SELECT amount, state FROM drift WHERE state <> 'explained'") == []
    desk.check_books()
    desk.check_even()


def test_a_drift_is_certain_only_after_the_orders_were_read_again(desk: Desk, sku: str) -> None:
    desk.settle(rounds=1)
    desk.practice.set_stock(sku, desk.shown(sku) - 2)
    desk.read_stock()
    state = "SELECT state FROM drift WHERE sku_id = :s"
    assert desk.one(state, s=sku) == "suspected"
    desk.time.turn(SURE + 1)
    desk.read_stock()
    assert desk.one(state, s=sku) == "suspected", "an order may still be on its way"
    desk.poll()
    desk.read_stock()
    assert desk.one(state, s=sku) == "open"


def test_a_suspicion_makes_the_pusher_read_the_orders_itself(desk: Desk, sku: str) -> None:
    desk.settle(rounds=1)
    desk.practice.set_stock(sku, desk.shown(sku) - 2)
    desk.read_stock()
    desk.time.turn(SURE + 1)
    desk.push()
    assert desk.one("SELECT state FROM drift WHERE sku_id = :s", s=sku) == "open"


def test_a_late_shipment_after_a_count_is_not_taken_off_again(desk: Desk, sku: str) -> None:
    order = desk.practice.buy(sku)
    desk.settle(rounds=1)
    on_hand = desk.have(sku)[0]
    desk.practice.ship(order)
    desk.time.turn(60)
    desk.count(sku, on_hand - 1)
    desk.settle(rounds=2)
    assert desk.have(sku) == (on_hand - 1, 0)
    desk.check_books()
    desk.check_even()


def test_a_mass_change_to_zero_stops_and_asks_and_a_plan_sends_it_with_its_typed_number(desk: Desk) -> None:
    skus = desk.skus()
    for sku in skus:
        desk.count(sku, 0)
    desk.push()
    assert desk.updates() == []
    assert desk.rows("SELECT DISTINCT state FROM outbox WHERE sku_id IN (SELECT sku_id FROM link)") == [("held",)]
    runs_told = desk.rows("SELECT sentence FROM run WHERE status = 'held'")
    assert len(runs_told) == 1
    desk.settle(rounds=5)
    assert desk.updates() == []
    assert desk.rows("SELECT sentence FROM run WHERE status = 'held'") == runs_told, "it is said once"
    desk.resync()
    assert {desk.shown(sku) for sku in skus} == {0}


def test_the_same_failure_of_a_timed_sync_is_told_once(desk: Desk) -> None:
    desk.practice.trouble("server_error")
    for _ in range(4):
        desk.time.turn(300)
        with pytest.raises(TikTokError):
            desk.sync("all")
    failed = desk.rows("SELECT status, ended_at, counts FROM run WHERE status = 'failed'")
    assert len(failed) == 1
    assert clock.now_ms() - failed[0].ended_at < 60_000, "the one row lasts until now"
    assert json.loads(failed[0].counts)["times"] == 4
    desk.practice.clear_trouble()
    desk.settle(rounds=1)
    assert desk.rows("SELECT problem FROM shop WHERE problem IS NOT NULL") == []


def test_an_order_that_tiktok_showed_a_day_late_is_found_by_the_deep_reading_of_the_next_day(
    desk: Desk, sku: str
) -> None:
    early = desk.practice.now()
    desk.time.turn(20 * 3600)
    desk.practice.buy(sku)
    desk.sync("all")
    truth = desk.practice.truth(sku)
    sold = SoldSku(truth.sku_id, truth.product_id, truth.seller_sku, truth.title, truth.variant, truth.price)
    desk.practice.parts.orders.place([sold], truth.warehouses[0].warehouse_id, at=early, paid=True, by_hand=True)
    desk.settle(rounds=2)
    on_hand, reserved = desk.have(sku)
    assert desk.shown(sku) == on_hand - reserved - 1, "held back by TikTok's committed units all along"
    desk.time.turn(5 * 3600)
    desk.settle(rounds=1)
    desk.check_books()
    desk.check_even()


def test_products_that_need_a_person_do_not_keep_orders_and_stock_from_being_read(desk: Desk, sku: str) -> None:
    order = desk.practice.buy(sku)
    desk.practice.trouble("missing_scope", path="/products/search")
    desk.time.turn(60)
    with pytest.raises(TikTokError):
        desk.sync("all")
    assert desk.rows("SELECT id FROM orders WHERE id = :id", id=order)
    assert desk.one("SELECT committed FROM listing WHERE sku_id = :s", s=sku) == 1


def test_the_owner_may_take_over_a_number_that_was_typed_on_tiktok(desk: Desk, sku: str) -> None:
    before, on_hand = desk.shown(sku), desk.have(sku)[0]
    desk.practice.set_stock(sku, before - 4)
    desk.settle(rounds=2)
    assert decisions.decide(desk.store, desk.shop.shop_id, sku, "theirs", actor="owner") == -4
    desk.settle(rounds=2)
    assert desk.have(sku)[0] == on_hand - 4
    desk.check_even()
    assert desk.updates() == []


def test_the_owner_may_take_over_a_number_that_was_lowered_meanwhile(desk: Desk, sku: str) -> None:
    before, on_hand = desk.shown(sku), desk.have(sku)[0]
    desk.practice.set_stock(sku, before + 6)
    desk.settle(rounds=2)
    assert desk.shown(sku) == before
    assert decisions.decide(desk.store, desk.shop.shop_id, sku, "theirs", actor="owner") == 6
    desk.settle(rounds=2)
    assert (desk.have(sku)[0], desk.shown(sku)) == (on_hand + 6, before + 6)
    desk.check_even()


def test_the_owner_may_stand_by_our_number_for_a_bundle_too(desk: Desk, sku: str) -> None:
    with desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE link SET quantity = 2 WHERE sku_id = ?", (sku,))
    desk.settle(rounds=1)
    desk.practice.set_stock(sku, desk.shown(sku) - 1)
    desk.settle(rounds=2)
    with pytest.raises(decisions.CannotAdopt):
        decisions.decide(desk.store, desk.shop.shop_id, sku, "theirs", actor="owner")
    decisions.decide(desk.store, desk.shop.shop_id, sku, "ours", actor="owner")
    desk.settle(rounds=2)
    assert desk.shown(sku) == desk.have(sku)[0] // 2


def test_e17_a_backorder_that_turns_into_stock_is_asked_about_and_not_taken_for_goods(desk: Desk, sku: str) -> None:
    on_hand = desk.have(sku)[0]
    desk.count(sku, 0)
    desk.settle(rounds=1)
    assert desk.shown(sku) == 0
    desk.practice.set_stock(sku, 20)
    desk.settle(rounds=2)
    assert desk.have(sku)[0] == 0
    assert desk.shown(sku) == 0, "TikTok's own twenty are not offered"
    assert desk.rows("SELECT amount, state FROM drift WHERE sku_id = :s", s=sku) == [(20, "lowered")]
    assert on_hand

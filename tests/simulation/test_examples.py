"""The engine live on the practice shop: what a shop owner's day brings, told by the worked examples of the method."""

import json
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from core import clock
from core.practice.bodies import SoldSku
from core.sync import catalog
from core.sync.drift import SURE_AFTER_MS
from tests.simulation.desk import Desk
from tests.simulation.world import World, mould, offers

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
    desk.rule(sku, buffer=2)
    desk.settle(rounds=1)
    assert desk.shown(sku) == before - 2
    desk.rule(sku, buffer=0)
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


def test_e14_one_item_in_two_listings_of_each_of_two_shops_lowers_all_four(
    inside: None, moulds: Path, folder: Path
) -> None:
    made = mould("two shops, shared", moulds)
    with clock.turned(made.seconds) as time, closing(World(folder, made, time)) as world:
        first, second, _ = made.focus
        four = [(side, sku) for side in (0, 1) for sku in (first, second)]
        assert len({world.parts[listing][0][0] for listing in four}) == 1, "they sell one item"
        before = {world.shown(listing) for listing in four}
        assert len(before) == 1
        world.desks[0].practice.buy(first)
        for _ in range(2):
            for desk in world.desks:
                desk.settle(rounds=1)
        assert {world.shown(listing) for listing in four} == {before.pop() - 1}
        numbers = [[offers(body) for _, body in desk.updates()] for desk in world.desks]
        assert [[set(call) for call in calls] for calls in numbers] == [[{second}], [{first, second}]], (
            "the seller needs none"
        )
        world.check_books()
        world.check_even()


def test_e15_a_shipment_not_yet_in_the_feed_takes_nothing_off_twice(desk: Desk, sku: str) -> None:
    order = desk.practice.buy(sku, 3)
    desk.settle(rounds=1)
    have = desk.have(sku)
    desk.practice.ship(order)
    desk.read_stock()
    desk.push()
    assert desk.have(sku) == have
    assert desk.rows("SELECT * FROM drift") == [], "a shipment is not even suspected to be a hand"
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
    desk.time.turn(4 * 3600)
    desk.settle(rounds=2, seconds=3600)
    assert len(desk.updates()) == tried, "what the promotion forbids is not tried again the same day"
    desk.practice.set_promotion(sku, False)
    desk.time.turn(24 * 3600)
    desk.settle(rounds=1)
    desk.check_even()


def test_e16_the_other_listings_of_a_locked_one_give_way(desk: Desk, sku: str) -> None:
    other = next(one for one in desk.skus() if one != sku)
    desk.share_item(sku, other)
    desk.count(sku, 8)
    desk.settle(rounds=1)
    assert (desk.shown(sku), desk.shown(other)) == (8, 8)
    desk.practice.set_promotion(sku, True)
    desk.sell(sku, 3)
    desk.push()
    assert (desk.shown(sku), desk.shown(other)) == (8, 0), "the promotion holds eight, and only five are left"
    desk.practice.set_promotion(sku, False)
    desk.time.turn(24 * 3600)
    desk.settle(rounds=2)
    assert (desk.shown(sku), desk.shown(other)) == (5, 5)
    desk.check_books()


def test_e16_what_tiktok_keeps_elsewhere_is_not_tried_again_until_its_product_changes(desk: Desk, sku: str) -> None:
    desk.practice.trouble("partial_errors", path="/inventory/update", times=1, code=12052144)
    desk.sell(sku)
    desk.push()
    tried = len(desk.updates())
    desk.settle(rounds=4, seconds=24 * 3600)
    assert len(desk.updates()) == tried
    with desk.store.write() as connection:
        connection.execute(text("UPDATE listing SET title = 'another' WHERE sku_id = :s"), {"s": sku})
    desk.scan_products()
    desk.push()
    assert len(desk.updates()) == tried + 1
    desk.check_even()


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


def test_e18_a_clock_ten_minutes_fast_is_corrected_before_signing(desk: Desk, sku: str) -> None:
    desk.practice.trouble("wrong_clock", offset=-600)
    desk.sell(sku)
    desk.push()
    desk.check_even()
    assert abs(desk.transport.clock_skew + 600) < 2

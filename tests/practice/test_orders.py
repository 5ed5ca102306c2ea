"""Order search, paging, detail, and what an order looks like along its way."""

from __future__ import annotations

import pytest

from core.practice import NotPossible, PracticeShop
from tests.practice.conftest import Clock
from tests.practice.signed import Caller

SEARCH = "/order/202309/orders/search"
DETAIL = "/order/202507/orders"
HOUR, DAY = 3_600, 86_400


def test_every_order_is_found_once_over_all_pages(api: Caller) -> None:
    orders = api.orders(page_size=17)
    assert len(orders) == len({order["id"] for order in orders}) == 150
    times = [order["update_time"] for order in orders]
    assert times == sorted(times)


def test_the_other_way_round_and_by_creation(api: Caller) -> None:
    orders = api.orders(page_size=40, sort_field="create_time", sort_order="DESC")
    times = [order["create_time"] for order in orders]
    assert len(orders) == 150
    assert times == sorted(times, reverse=True)


def test_page_tokens_are_full_of_awkward_characters_and_bound_to_their_query(api: Caller) -> None:
    wish = {"page_size": 10, "sort_field": "update_time", "sort_order": "ASC"}
    page = api.data("POST", SEARCH, wish, {})
    token = page["next_page_token"]
    assert page["total_count"] == 150
    assert all(letter in token for letter in "+/=")
    assert api.code("POST", SEARCH, wish | {"page_token": token}, {}) == 0
    assert api.code("POST", SEARCH, wish | {"page_token": token}, {"order_status": "COMPLETED"}) == 36009004
    assert api.code("POST", SEARCH, wish | {"page_token": "abc"}, {}) == 36009004


def test_the_last_page_has_no_token_to_speak_of(api: Caller) -> None:
    for size in (100, 50):
        page = api.data("POST", SEARCH, {"page_size": size}, {"order_status": "UNPAID"})
        assert page.get("next_page_token", "") == ""


@pytest.mark.parametrize("size", [None, 0, 101, "many"])
def test_a_page_size_outside_its_limits_is_refused(api: Caller, size: object) -> None:
    assert api.code("POST", SEARCH, {"page_size": size}, {}) == 36009004


def test_time_filters_include_the_start_and_exclude_the_end(api: Caller) -> None:
    middle = api.orders()[75]["update_time"]
    before, after = api.orders({"update_time_lt": middle}), api.orders({"update_time_ge": middle})
    assert len(before) + len(after) == 150
    assert all(order["update_time"] < middle for order in before)
    assert min(order["update_time"] for order in after) == middle


def test_other_filters_narrow_the_search(api: Caller, shop: PracticeShop) -> None:
    for order in api.orders({"order_status": "COMPLETED", "shipping_type": "TIKTOK"}):
        assert (order["status"], order["shipping_type"]) == ("COMPLETED", "TIKTOK")
    some = api.orders()[0]
    assert some["id"] in {order["id"] for order in api.orders({"buyer_user_id": some["user_id"]})}
    here = api.orders({"warehouse_ids": [some["warehouse_id"]]})
    assert {order["warehouse_id"] for order in here} == {some["warehouse_id"]}
    assert api.orders({"is_buyer_request_cancel": True}) == []


@pytest.mark.parametrize("body", [{"order_status": "SHIPPED"}, {"update_time_ge": "5"}, {"warehouse_ids": "x"}])
def test_a_wrong_filter_is_refused(api: Caller, body: dict[str, object]) -> None:
    assert api.code("POST", SEARCH, {"page_size": 5}, body) == 36009004


def test_detail_takes_up_to_fifty_ids(api: Caller) -> None:
    ids = [order["id"] for order in api.orders()]
    found = api.data("GET", DETAIL, {"ids": ",".join(ids[:50])})["orders"]
    assert [order["id"] for order in found] == ids[:50]
    assert api.data("GET", "/order/202309/orders", {"ids": ids[0]})["orders"][0]["id"] == ids[0]
    assert api.code("GET", DETAIL, {"ids": ",".join(ids[:51])}) == 36009004
    assert api.code("GET", DETAIL, {"ids": "123456"}) == 21008111
    assert api.code("GET", DETAIL) == 36009004


def test_there_is_one_line_item_per_unit_and_money_is_text(api: Caller, shop: PracticeShop, sku: str) -> None:
    order = api.data("GET", DETAIL, {"ids": shop.buy(sku, 3)})["orders"][0]
    assert [line["sku_id"] for line in order["line_items"]] == [sku] * 3
    assert len({line["id"] for line in order["line_items"]}) == 3
    assert not any("quantity" in line for line in order["line_items"])
    assert all(isinstance(value, str) for value in order["payment"].values())
    assert order["line_items"][0]["sku_image"].startswith(str(api.http.base_url))


def test_the_totals_of_an_order_add_up(api: Caller) -> None:
    def pence(text: str) -> int:
        return round(float(text) * 100)

    for order in api.orders():
        pay = order["payment"]
        assert pence(pay["sub_total"]) == pence(pay["original_total_product_price"]) - pence(pay["seller_discount"])
        assert pence(pay["total_amount"]) == pence(pay["sub_total"]) + pence(pay["shipping_fee"])
        assert pence(pay["sub_total"]) == sum(pence(line["sale_price"]) for line in order["line_items"])


def test_optional_members_come_and_go(api: Caller) -> None:
    orders = api.orders()
    notes = {str(order.get("buyer_message", "absent"))[:6] for order in orders}
    assert {"absent", ""} <= notes
    assert any("room_id" in order for order in orders)
    assert any("payment_method_name" not in order for order in orders)
    assert any(order.get("seller_note", "absent") is None for order in orders)


def test_an_order_walks_through_the_documented_states(api: Caller, shop: PracticeShop, sku: str) -> None:
    number = shop.buy(sku, paid=False)

    def now() -> dict[str, object]:
        return api.data("GET", DETAIL, {"ids": number})["orders"][0]

    assert (now()["status"], "paid_time" in now(), now()["recipient_address"]) == ("UNPAID", False, {})
    shop.pay(number)
    assert (now()["status"], now()["is_on_hold_order"], now()["recipient_address"]) == ("ON_HOLD", True, {})
    shop.release(number)
    assert now()["status"] == "AWAITING_SHIPMENT"
    assert now()["recipient_address"]["region_code"] == "GB"
    shop.ship(number)
    assert (now()["status"], now()["rts_time"] > 0, len(now()["packages"])) == ("AWAITING_COLLECTION", True, 1)
    shop.collect(number)
    assert (now()["status"], "collection_time" in now()) == ("IN_TRANSIT", True)
    shop.deliver(number)
    assert (now()["status"], "delivery_time" in now()) == ("DELIVERED", True)
    shop.complete(number)
    assert {now()["status"], *(line["display_status"] for line in now()["line_items"])} == {"COMPLETED"}


def test_a_shop_without_the_hold_skips_it(api: Caller, shop: PracticeShop, sku: str) -> None:
    shop.change_settings(hold=False)
    order = shop.order(shop.buy(sku))
    assert (order["status"], order["is_on_hold_order"]) == ("AWAITING_SHIPMENT", False)


def test_an_event_out_of_turn_is_refused_with_a_sentence(shop: PracticeShop, sku: str) -> None:
    number = shop.buy(sku)
    with pytest.raises(NotPossible, match=r"ON_HOLD: ship is not possible"):
        shop.ship(number)


def test_part_of_an_order_can_be_shipped_and_part_called_off(shop: PracticeShop, sku: str) -> None:
    number = shop.buy(sku, 3)
    shop.release(number)
    first, second, third = (line["id"] for line in shop.order(number)["line_items"])
    assert shop.ship(number, [first])["status"] == "PARTIALLY_SHIPPING"
    assert shop.cancel(number, line_ids=[second])["status"] == "PARTIALLY_SHIPPING"
    assert shop.ship(number)["status"] == "AWAITING_COLLECTION"
    order = shop.order(number)
    assert [line["display_status"] for line in order["line_items"]] == [
        "AWAITING_COLLECTION",
        "CANCELLED",
        "AWAITING_COLLECTION",
    ]
    assert len({line.get("package_id") for line in order["line_items"] if line["id"] in (first, third)}) == 2


def test_a_cancelled_order_says_who_and_why(shop: PracticeShop, sku: str) -> None:
    order = shop.cancel(shop.buy(sku), by="SELLER")
    assert (order["status"], order["cancellation_initiator"]) == ("CANCELLED", "SELLER")
    assert order["cancel_reason"].startswith("seller_cancel")
    assert order["cancel_time"] == order["update_time"]


def test_timers_bring_an_order_home(shop: PracticeShop, clock: Clock, sku: str) -> None:
    number = shop.buy(sku)
    clock.turn(HOUR - 1)
    shop.tick()
    assert shop.order(number)["status"] == "ON_HOLD"
    clock.turn(1)
    shop.tick()
    assert shop.order(number)["status"] == "AWAITING_SHIPMENT"
    clock.turn(12 * DAY)
    shop.tick()
    assert shop.order(number)["status"] == "COMPLETED"


def test_an_unpaid_order_times_out(shop: PracticeShop, clock: Clock, sku: str) -> None:
    number = shop.buy(sku, paid=False)
    clock.turn(DAY)
    shop.tick()
    order = shop.order(number)
    assert (order["status"], order["cancellation_initiator"], order["cancel_reason"]) == (
        "CANCELLED", "SYSTEM", "system_cancel_unpaid_time_out",
    )  # fmt: skip


def test_time_can_pass_while_the_clock_stays(shop: PracticeShop, clock: Clock, sku: str) -> None:
    number = shop.buy(sku)
    shop.pass_time(HOUR)
    assert shop.order(number)["status"] == "AWAITING_SHIPMENT"
    shop.pass_time(4 * DAY)
    order = shop.order(number)
    assert order["status"] == "DELIVERED"
    assert order["update_time"] == int(clock()), "nothing is dated into the past"


def test_a_timer_that_was_overtaken_by_hand_is_put_away(shop: PracticeShop, clock: Clock, sku: str) -> None:
    """As when a person cancels between the look at the timers and the event."""
    number = shop.buy(sku)
    with shop.world.write() as db:
        db.execute("UPDATE orders SET due_action = 'deliver', due_at = ? WHERE id = ?", (clock() + 5, int(number)))
    clock.turn(10)
    shop.tick()
    assert shop.order(number)["status"] == "ON_HOLD"
    assert shop.tick() == 0


def test_update_time_never_lies_before_what_a_client_has_read(
    api: Caller, shop: PracticeShop, clock: Clock, sku: str
) -> None:
    number = shop.buy(sku)
    clock.turn(2 * HOUR)
    api.token = shop.issue_tokens()["access_token"]
    api.orders()
    read_at = int(clock())
    clock.turn(60)
    shop.tick()
    assert shop.order(number)["status"] == "AWAITING_SHIPMENT"
    assert shop.order(number)["update_time"] >= read_at


def test_a_living_shop_sells_by_itself_and_catches_up_a_day_at_most(clock: Clock) -> None:
    shop = PracticeShop(products=30, orders=2_000, clock=clock, living=True)
    shop.tick()
    for _ in range(24):
        clock.turn(HOUR)
        shop.tick()
    a_day = sum(shop.parts.orders.counts().values()) - 2_000
    assert 8 <= a_day <= 60
    clock.turn(30 * DAY)
    shop.tick()
    after_a_month = sum(shop.parts.orders.counts().values()) - 2_000 - a_day
    assert 8 <= after_a_month <= 60
    shop.close()


def test_a_rush_can_come_at_once_or_over_minutes(shop: PracticeShop, clock: Clock) -> None:
    before = sum(shop.parts.orders.counts().values())
    assert shop.busy(30) == 30
    shop.busy(20, minutes=10)
    clock.turn(299)
    shop.tick()
    half_way = sum(shop.parts.orders.counts().values()) - before - 30
    clock.turn(600)
    shop.tick()
    assert 8 <= half_way <= 12
    assert sum(shop.parts.orders.counts().values()) - before - 30 == 20

"""Stock moves as TikTok moves it, and updates are refused as TikTok refuses them."""

from __future__ import annotations

import random

import pytest

from core.practice import NotPossible, PracticeShop
from tests.practice.conftest import Clock
from tests.practice.signed import Caller

INVENTORY = "/product/202309/inventory/search"


def update(api: Caller, shop: PracticeShop, sku_id: str, rows: list[dict[str, object]]) -> dict[str, object]:
    """One inventory update of one SKU; the `data` of its answer."""
    path = f"/product/202309/products/{shop.truth(sku_id).product_id}/inventory/update"
    return api.data("POST", path, body={"skus": [{"id": sku_id, "inventory": rows}]})


def codes(data: dict[str, object]) -> list[int]:
    return [error["code"] for error in data.get("errors", [])]


def rows_of(shop: PracticeShop, sku_id: str, quantity: int) -> list[dict[str, object]]:
    return [{"warehouse_id": held.warehouse_id, "quantity": quantity} for held in shop.truth(sku_id).warehouses]


def test_a_sale_commits_units_also_when_it_is_unpaid(api: Caller, shop: PracticeShop, sku: str) -> None:
    available, committed = api.inventory(sku)
    shop.buy(sku, 2, paid=False)
    assert api.inventory(sku) == (available - 2, committed + 2)


def test_a_cancelled_order_gives_its_units_back(api: Caller, shop: PracticeShop, sku: str) -> None:
    before = api.inventory(sku)
    shop.cancel(shop.buy(sku, 3))
    assert api.inventory(sku) == before


def test_shipping_takes_the_units_out_for_good(api: Caller, shop: PracticeShop, sku: str) -> None:
    available, committed = api.inventory(sku)
    number = shop.buy(sku, 2)
    shop.release(number)
    shop.ship(number)
    assert api.inventory(sku) == (available - 2, committed)
    shop.collect(number)
    shop.deliver(number)
    shop.take_back(number)
    assert api.inventory(sku) == (available - 2, committed), "a return restocks nothing"


def test_an_order_called_off_on_the_road_restocks_nothing(api: Caller, shop: PracticeShop, sku: str) -> None:
    number = shop.buy(sku, 2)
    shop.release(number)
    shop.ship(number)
    before = api.inventory(sku)
    shop.cancel(number, by="SYSTEM")
    assert api.inventory(sku) == before


def test_a_seller_who_is_out_of_stock_sells_no_more(api: Caller, shop: PracticeShop, two_warehouses: str) -> None:
    number = shop.buy(two_warehouses, 1)
    shop.cancel(number, by="SELLER", reason="seller_cancel_reason_out_of_stock_uk")
    assert api.inventory(two_warehouses)[0] == 0


def test_nobody_can_buy_more_than_there_is(shop: PracticeShop, sku: str) -> None:
    most = max(held.available for held in shop.truth(sku).warehouses)
    with pytest.raises(NotPossible, match=f"Only {most} of"):
        shop.buy(sku, most + 1)
    shop.buy(sku, most)


def test_an_update_sets_what_can_be_ordered_and_leaves_committed(api: Caller, shop: PracticeShop, sku: str) -> None:
    shop.buy(sku, 2)
    assert update(api, shop, sku, rows_of(shop, sku, 7)) == {}
    assert api.inventory(sku) == (7 * len(shop.truth(sku).warehouses), 2)
    assert update(api, shop, sku, rows_of(shop, sku, 0)) == {}
    assert api.inventory(sku)[0] == 0


def test_all_warehouses_of_a_sku_must_be_listed(api: Caller, shop: PracticeShop, two_warehouses: str) -> None:
    before = api.inventory(two_warehouses)
    rows = rows_of(shop, two_warehouses, 5)
    assert codes(update(api, shop, two_warehouses, rows[:1])) == [12052037]
    assert codes(update(api, shop, two_warehouses, [{"quantity": 5}])) == [12019028]
    assert codes(update(api, shop, two_warehouses, rows + rows[:1])) == [12052555]
    assert api.inventory(two_warehouses) == before


def test_an_unknown_warehouse_is_named_in_the_details(api: Caller, shop: PracticeShop, sku: str) -> None:
    error = update(api, shop, sku, [{"warehouse_id": "7300000000000000009", "quantity": 5}])["errors"][0]
    assert error["code"] == 12052990
    assert error["detail"]["sku_id"] == sku
    extra = error["detail"]["extra_errors"][0]
    assert (extra["code"], extra["warehouse_id"]) == (12052097, "7300000000000000009")


def test_the_warehouse_may_be_left_out_when_there_is_only_one(api: Caller, shop: PracticeShop) -> None:
    single = next(one.sku_id for one in shop.truths() if len(one.warehouses) == 1 and one.status == "ACTIVATE")
    assert update(api, shop, single, [{"quantity": 9}]) == {}
    assert api.inventory(single)[0] == 9


@pytest.mark.parametrize("quantity", [-1, 100_000])
def test_a_quantity_outside_the_limits_is_refused(api: Caller, shop: PracticeShop, sku: str, quantity: int) -> None:
    assert codes(update(api, shop, sku, rows_of(shop, sku, quantity))) == [12052055]


def test_one_refused_sku_never_blocks_the_others(api: Caller, shop: PracticeShop) -> None:
    by_product: dict[str, list[str]] = {}
    for one in shop.truths():
        if one.status == "ACTIVATE":
            by_product.setdefault(one.product_id, []).append(one.sku_id)
    product, skus = next((product, skus) for product, skus in by_product.items() if len(skus) > 1)
    wish = [
        {"id": skus[0], "inventory": rows_of(shop, skus[0], 4)},
        {"id": skus[1], "inventory": rows_of(shop, skus[1], -4)},
    ]
    before = api.inventory(skus[1])
    data = api.data("POST", f"/product/202309/products/{product}/inventory/update", body={"skus": wish})
    assert [error["detail"]["sku_id"] for error in data["errors"]] == [skus[1]]
    assert api.inventory(skus[0])[0] == 4 * len(shop.truth(skus[0]).warehouses)
    assert api.inventory(skus[1]) == before


def test_a_promotion_locks_stock_downwards_and_the_price(api: Caller, shop: PracticeShop, sku: str) -> None:
    truth = shop.set_promotion(sku, True)
    assert codes(update(api, shop, sku, rows_of(shop, sku, 0))) == [12052393]
    assert update(api, shop, sku, rows_of(shop, sku, 500)) == {}
    path = f"/product/202309/products/{truth.product_id}/prices/update"
    body = {"skus": [{"id": sku, "price": {"amount": "9.99", "currency": "GBP"}}]}
    assert api.code("POST", path, body=body) == 12052038
    shop.set_promotion(sku, False)
    assert api.code("POST", path, body=body) == 0
    assert shop.truth(sku).price == 999


def test_prices_need_a_product_on_sale_and_good_money(api: Caller, shop: PracticeShop, sku: str) -> None:
    product = shop.truth(sku).product_id
    path = f"/product/202309/products/{product}/prices/update"

    def code(**price: str) -> int:
        return api.code("POST", path, body={"skus": [{"id": sku, "price": price}]})

    assert code(amount="9.99", currency="EUR") == 12052084
    assert code(amount="free", currency="GBP") == 12052073
    assert code(amount="0.00", currency="GBP") == 12052073
    shop.set_status(product, "SELLER_DEACTIVATED")
    assert code(amount="9.99", currency="GBP") == 12019113


@pytest.mark.parametrize("status", ["FREEZE", "DELETED"])
def test_frozen_and_deleted_products_can_neither_be_read_nor_stocked(
    api: Caller, shop: PracticeShop, sku: str, status: str
) -> None:
    product = shop.truth(sku).product_id
    shop.set_status(product, status)
    assert api.code("GET", f"/product/202309/products/{product}") == 12019113
    body = {"skus": [{"id": sku, "inventory": rows_of(shop, sku, 1)}]}
    assert api.code("POST", f"/product/202309/products/{product}/inventory/update", body=body) == 12019113
    assert api.data("POST", INVENTORY, body={"sku_ids": [sku]})["inventory"] == []


def test_the_limits_of_an_inventory_search_hold(api: Caller) -> None:
    ids = [str(10**18 + number) for number in range(601)]
    assert api.code("POST", INVENTORY, body={"sku_ids": ids}) == 12019015
    assert api.code("POST", INVENTORY, body={"sku_ids": ids[:600]}) == 0
    assert api.code("POST", INVENTORY, body={"product_ids": ids[:101]}) == 12019120
    assert api.code("POST", INVENTORY, body={"product_ids": ["abc"]}) == 12019008
    assert api.code("POST", INVENTORY, body={}) == 36009004


def test_products_are_searched_page_by_page_and_by_filters(api: Caller, shop: PracticeShop, sku: str) -> None:
    path, found, token = "/product/202502/products/search", [], None
    while token != "":
        page = api.data("POST", path, {"page_size": 7, "page_token": token}, {})
        found += page["products"]
        token = page["next_page_token"]
    assert len({product["id"] for product in found}) == 40 == page["total_count"]
    truth = shop.truth(sku)
    hit = api.data("POST", path, {"page_size": 100}, {"seller_skus": [truth.seller_sku]})["products"]
    assert truth.product_id in [product["id"] for product in hit]
    active = api.data("POST", path, {"page_size": 100}, {"status": "ACTIVATE"})["products"]
    assert {product["status"] for product in active} == {"ACTIVATE"}
    newest = max(product["update_time"] for product in found)
    late = api.data("POST", path, {"page_size": 100}, {"update_time_ge": newest, "update_time_le": newest})["products"]
    assert [product["update_time"] for product in late] == [newest]


def test_product_search_refuses_what_the_real_one_refuses(api: Caller, shop: PracticeShop) -> None:
    path = "/product/202502/products/search"
    assert api.code("POST", path, {"page_size": 101}, {}) == 12019109
    assert api.code("POST", path, {"page_size": 10, "page_token": "x"}, {}) == 12019108
    assert api.code("POST", path, {"page_size": 10}, {"seller_skus": ["x"] * 11}) == 12019027
    assert api.code("POST", path, {"page_size": 10}, {"status": "SOLD"}) == 36009004
    shop.change_settings(result_window=39)
    assert api.code("POST", path, {"page_size": 10}, {}) == 12052180


def test_the_stock_book_always_equals_the_open_orders(shop: PracticeShop, clock: Clock) -> None:
    """A few hundred random events, and the committed units are still exactly those of the open orders."""
    rng = random.Random(3)
    shop.change_settings(living=True)
    open_orders = [shop.buy(one.sku_id) for one in shop.truths() if one.available and one.status == "ACTIVATE"][:40]
    for _ in range(300):
        number = rng.choice(open_orders)
        try:
            event = rng.choice(("pay", "release", "ship", "collect", "deliver", "cancel", "return", "busy", "time"))
            if event == "busy":
                shop.busy(3)
            elif event == "time":
                clock.turn(rng.randrange(20_000))
                shop.tick()
            else:
                shop.act(number, event)
        except NotPossible:
            continue
    book = {
        (one.sku_id, held.warehouse_id): held.committed
        for one in shop.truths()
        for held in one.warehouses
        if held.committed
    }
    assert book == shop.committed_by_orders()

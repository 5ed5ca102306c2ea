"""The typed calls: which request each one is, and what its answer becomes."""

import json
import logging
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import respx

from core.tiktok.api import ShopApi
from core.tiktok.errors import BadAnswer, MissingScope, Outcome, OutcomeUnknown, Refused, SignInAgain
from core.tiktok.models import OrderPage
from core.tiktok.transport import Transport
from tests.client.conftest import SHOP, reply
from tests.unit.test_tiktok_orders import ORDER
from tests.unit.test_tiktok_records import PRODUCT, STOCK

PRODUCT_ID = "1729600000000000001"


def sent(route: respx.Route, index: int = -1) -> tuple[str, str, dict[str, str], Any]:
    """Method, path, own query parameters and body of a request."""
    request = route.calls[index].request
    query = dict(parse_qsl(request.url.query.decode()))
    for common in ("app_key", "timestamp", "sign"):
        del query[common]
    return request.method, request.url.path, query, json.loads(request.content) if request.content else None


def answers(wire: respx.MockRouter, *data: object) -> respx.Route:
    return wire.route().mock(
        side_effect=[found if isinstance(found, httpx.Response) else reply(found) for found in data]
    )


def test_the_shops_are_read_without_a_cipher(wire: respx.MockRouter, transport: Transport) -> None:
    route = answers(wire, {"shops": [{"id": "7495", "name": "Demo", "cipher": "ROW_made_up", "region": "IT"}, {}]})
    (shop,) = ShopApi(transport).authorized_shops()
    assert (shop.id, shop.cipher) == ("7495", "ROW_made_up")
    assert sent(route) == ("GET", "/authorization/202309/shops", {}, None)


def test_no_cipher_is_sent_for_the_shops_even_when_one_is_known(wire: respx.MockRouter, shop: ShopApi) -> None:
    route = answers(wire, {"shops": []})
    assert shop.authorized_shops() == []
    assert "shop_cipher" not in sent(route)[2]


def test_a_call_that_needs_a_shop_is_not_sent_without_one(wire: respx.MockRouter, transport: Transport) -> None:
    with pytest.raises(ValueError, match="needs a shop"):
        ShopApi(transport).warehouses()


def test_warehouses(wire: respx.MockRouter, shop: ShopApi) -> None:
    route = answers(wire, {"warehouses": [{"id": "7", "name": "Main", "type": "SALES_WAREHOUSE"}]})
    assert [place.id for place in shop.warehouses()] == ["7"]
    assert sent(route) == ("GET", "/logistics/202309/warehouses", {"shop_cipher": SHOP.cipher}, None)


def test_products_are_read_page_by_page(wire: respx.MockRouter, shop: ShopApi) -> None:
    route = answers(
        wire,
        {"products": [PRODUCT], "next_page_token": "a+/=", "total_count": 2},
        {"products": [PRODUCT | {"id": "2"}, {"title": "no id"}], "next_page_token": "", "total_count": 2},
    )
    first, second = shop.product_pages()
    assert [product.id for product in (*first.products, *second.products)] == [PRODUCT_ID, "2"]
    assert (len(second.unreadable), first.total_count) == (1, 2)
    query = {"page_size": "100", "shop_cipher": SHOP.cipher}
    assert sent(route, 0) == ("POST", "/product/202502/products/search", query, None)
    assert sent(route, 1)[2] == query | {"page_token": "a+/="}


def test_changed_products_are_asked_for_by_time(wire: respx.MockRouter, shop: ShopApi) -> None:
    route = answers(wire, {"products": None})
    assert [page.products for page in shop.product_pages(update_time_ge=1790000000)] == [()]
    assert sent(route)[3] == {"update_time_ge": 1790000000}


def test_pages_that_go_round_in_a_circle_end_in_an_error(wire: respx.MockRouter, shop: ShopApi) -> None:
    wire.route().mock(side_effect=lambda _: reply({"products": [], "next_page_token": "again"}))
    with pytest.raises(BadAnswer, match="twice"):
        list(shop.product_pages())


def test_more_than_ten_thousand_products_are_read_in_spans_of_time(wire: respx.MockRouter, shop: ShopApi) -> None:
    ages = {"1": 1_600_000_000, "2": 1_650_000_000, "3": 1_700_000_000, "4": 1_700_000_001}

    def search(request: httpx.Request) -> httpx.Response:
        window = json.loads(request.content) if request.content else {}
        first, last = window.get("update_time_ge", 0), window.get("update_time_le", 2**40)
        found = [name for name, at in ages.items() if first <= at <= last]
        if len(found) > 1:
            return reply(None, 12052180, "too many results")
        return reply({"products": [{"id": name} for name in found]})

    wire.route().mock(side_effect=search)
    found = [product.id for page in shop.product_pages() for product in page.products]
    assert sorted(found) == ["1", "2", "3", "4"]


def test_one_second_with_too_many_products_is_an_error_and_no_endless_search(
    wire: respx.MockRouter, shop: ShopApi
) -> None:
    route = wire.route().mock(side_effect=lambda _: reply(None, 12052180, "too many results"))
    with pytest.raises(Refused, match="more than 10,000"):
        list(shop.product_pages())
    assert route.call_count < 40


def test_one_product(wire: respx.MockRouter, shop: ShopApi) -> None:
    route = answers(wire, PRODUCT)
    assert shop.product(PRODUCT_ID).title == PRODUCT["title"]
    assert sent(route)[:2] == ("GET", f"/product/202309/products/{PRODUCT_ID}")


@pytest.mark.parametrize("hostile", ["", "1/../2", "1?x=1", "{id}", "１"])
def test_an_id_that_is_none_never_gets_into_a_path(wire: respx.MockRouter, shop: ShopApi, hostile: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        shop.product(hostile)
    assert not wire.calls


def test_a_product_that_cannot_be_read_says_why(wire: respx.MockRouter, shop: ShopApi) -> None:
    answers(wire, {"title": "no id"})
    with pytest.raises(BadAnswer, match="product id is missing") as caught:
        shop.product(PRODUCT_ID)
    assert caught.value.request_id == "r-1"


def test_stock_is_read_in_calls_of_six_hundred(wire: respx.MockRouter, shop: ShopApi) -> None:
    def search(request: httpx.Request) -> httpx.Response:
        skus = [STOCK | {"id": sku_id} for sku_id in json.loads(request.content)["sku_ids"]]
        return reply({"inventory": [{"product_id": PRODUCT_ID, "skus": skus}]})

    route = wire.route().mock(side_effect=search)
    ids = [str(number) for number in range(1, 1502)]
    found = shop.stock([*ids, "1"])
    assert list(found) == ids
    assert found["7"].available == 12
    assert [len(sent(route, n)[3]["sku_ids"]) for n in range(3)] == [600, 600, 301]
    assert sent(route)[:2] == ("POST", "/product/202309/inventory/search")


def test_no_skus_are_no_call(wire: respx.MockRouter, shop: ShopApi) -> None:
    assert shop.stock([]) == {}
    assert shop.orders([]) == []


def test_stock_that_cannot_be_read_is_absent_and_logged(
    wire: respx.MockRouter, shop: ShopApi, caplog: pytest.LogCaptureFixture
) -> None:
    answers(wire, {"inventory": [{"product_id": PRODUCT_ID, "skus": [STOCK, {"id": "12"}]}, None]})
    with caplog.at_level(logging.WARNING, "evenstock.tiktok"):
        assert shop.stock(["11", "12"]).keys() == {"11"}
    assert "SKU 12" in caplog.text


def test_stock_is_set_with_all_warehouses_and_answered_sku_by_sku(wire: respx.MockRouter, shop: ShopApi) -> None:
    error = {"code": 12052393, "message": "promotion", "detail": {"sku_id": "12"}}
    route = answers(wire, {"errors": [error]})
    result = shop.set_stock(PRODUCT_ID, {"11": {"73": 7, "74": 0}, "12": {"73": 1}}, urgent=True)
    assert result.accepted == {"11"}
    assert result.refused["12"].outcome is Outcome.LATER
    method, path, query, body = sent(route)
    assert (method, path) == ("POST", f"/product/202309/products/{PRODUCT_ID}/inventory/update")
    assert query == {"shop_cipher": SHOP.cipher}
    assert body["skus"][0] == {
        "id": "11",
        "inventory": [{"warehouse_id": "73", "quantity": 7}, {"warehouse_id": "74", "quantity": 0}],
    }


def test_a_refused_product_is_a_result_and_not_an_exception(wire: respx.MockRouter, shop: ShopApi) -> None:
    answers(wire, reply(None, 12052031, "no such product"))
    result = shop.set_stock(PRODUCT_ID, {"11": {"73": 7}})
    assert result.accepted == frozenset()
    assert result.refused["11"].code == 12052031


@pytest.mark.parametrize(
    ("code", "kind"), [(105005, MissingScope), (36009003, OutcomeUnknown), (36004005, SignInAgain)]
)
def test_what_concerns_the_whole_shop_is_raised(
    wire: respx.MockRouter, shop: ShopApi, code: int, kind: type[Exception]
) -> None:
    wire.route().mock(side_effect=lambda _: reply(None, code, "for all"))
    with pytest.raises(kind):
        shop.set_stock(PRODUCT_ID, {"11": {"73": 7}})


def test_prices_are_set_as_text(wire: respx.MockRouter, shop: ShopApi) -> None:
    route = answers(wire, {})
    assert shop.set_prices(PRODUCT_ID, {"11": (Decimal("22.5"), "GBP")}).accepted == {"11"}
    assert sent(route)[1] == f"/product/202309/products/{PRODUCT_ID}/prices/update"
    assert sent(route)[3] == {"skus": [{"id": "11", "price": {"amount": "22.50", "currency": "GBP"}}]}


def test_a_page_of_orders_is_asked_for_oldest_change_first(wire: respx.MockRouter, shop: ShopApi) -> None:
    route = answers(wire, {"orders": [ORDER, None], "next_page_token": "t+/=", "total_count": 7})
    page = shop.order_page(1790000000, 1790003600, "p+/=", 50)
    assert isinstance(page, OrderPage)
    assert ([order.id for order in page.orders], len(page.unreadable)) == ([ORDER["id"]], 1)
    assert (page.next_page_token, page.total_count) == ("t+/=", 7)
    assert sent(route) == (
        "POST",
        "/order/202309/orders/search",
        {
            "page_size": "50",
            "page_token": "p+/=",
            "sort_field": "update_time",
            "sort_order": "ASC",
            "shop_cipher": SHOP.cipher,
        },
        {"update_time_ge": 1790000000, "update_time_lt": 1790003600},
    )


def test_all_orders_are_asked_for_without_a_body(wire: respx.MockRouter, shop: ShopApi) -> None:
    route = answers(wire, {})
    assert shop.order_page(None, None) == OrderPage((), (), "", None)
    assert sent(route)[3] is None


def test_orders_are_read_by_id_in_calls_of_fifty(wire: respx.MockRouter, shop: ShopApi) -> None:
    def details(request: httpx.Request) -> httpx.Response:
        ids = dict(parse_qsl(request.url.query.decode()))["ids"].split(",")
        return reply({"orders": [ORDER | {"id": order_id} for order_id in ids]})

    route = wire.route().mock(side_effect=details)
    ids = [str(number) for number in range(120)]
    assert [order.id for order in shop.orders(ids)] == ids
    assert route.call_count == 3
    assert sent(route)[:2] == ("GET", "/order/202507/orders")


def test_webhooks_are_listed_set_and_removed(wire: respx.MockRouter, shop: ShopApi) -> None:
    route = answers(
        wire, {"webhooks": [{"event_type": "ORDER_STATUS_CHANGE", "address": "https://desk.example/h"}]}, {}, {}
    )
    assert [hook.event_type for hook in shop.webhooks()] == ["ORDER_STATUS_CHANGE"]
    shop.register_webhook("ORDER_STATUS_CHANGE", "https://desk.example/h")
    assert sent(route)[0::3] == ("PUT", {"event_type": "ORDER_STATUS_CHANGE", "address": "https://desk.example/h"})
    shop.remove_webhook("ORDER_STATUS_CHANGE")
    assert sent(route)[0::3] == ("DELETE", {"event_type": "ORDER_STATUS_CHANGE"})

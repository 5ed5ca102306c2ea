"""Each answer that the practice shop gives fits the wire contract, and so does each request that these tests send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.practice import PracticeShop, serve
from core.practice.api import ENDPOINTS as SERVED
from tests.contract.checker import (
    ENDPOINTS,
    BrokenContract,
    check_data,
    check_envelope,
    check_request,
    endpoint_of,
)
from tests.practice.conftest import Clock
from tests.practice.signed import Caller


class CheckedCaller(Caller):
    """A caller that checks every request and every answer on their way."""

    def data(self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None, **more: Any) -> Any:
        endpoint = endpoint_of(method, path)
        asked = {name: str(value) for name, value in (query or {}).items() if value is not None}
        if more.get("cipher", "x") is not None:
            asked["shop_cipher"] = "x"
        check_request(endpoint, asked, body)
        answer = self.ask(method, path, query, body, **more).json()
        check_envelope(answer)
        assert answer["code"] == 0, answer
        check_data(endpoint, answer["data"])
        return answer["data"]


@pytest.fixture(scope="module")
def shop() -> Iterator[PracticeShop]:
    shop = PracticeShop(clock=Clock(), rate=100_000)
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def api(shop: PracticeShop) -> Iterator[CheckedCaller]:
    with serve(shop) as server:
        caller = CheckedCaller(server.base_url, shop.issue_tokens()["access_token"], shop.now)
        yield caller
        caller.http.close()


def test_what_is_served_is_exactly_what_the_contract_holds() -> None:
    assert {f"{method} {path}" for path, methods in SERVED.items() for method in methods} == set(ENDPOINTS)


def test_shops_warehouses_and_webhooks_fit(api: CheckedCaller) -> None:
    api.data("GET", "/authorization/202309/shops", cipher=None)
    assert len(api.data("GET", "/logistics/202309/warehouses")["warehouses"]) == 3
    wish = {"event_type": "ORDER_STATUS_CHANGE", "address": "https://example.invalid/hook"}
    api.data("PUT", "/event/202309/webhooks", body=wish)
    assert api.data("GET", "/event/202309/webhooks")["total_count"] == 1
    api.data("DELETE", "/event/202309/webhooks", body={"event_type": "ORDER_STATUS_CHANGE"})


def test_every_product_fits_in_search_and_in_detail(api: CheckedCaller) -> None:
    page = api.data("POST", "/product/202502/products/search", {"page_size": 100}, {"status": "ALL"})
    rest = api.data(
        "POST",
        "/product/202502/products/search",
        {"page_size": 100, "page_token": page["next_page_token"]},
        {"status": "ALL"},
    )
    products = page["products"] + rest["products"]
    assert len(products) == 120
    readable = [product["id"] for product in products if product["status"] not in ("FREEZE", "DELETED")]
    for product_id in readable:
        api.data("GET", f"/product/202309/products/{product_id}")
    found = api.data("POST", "/product/202309/inventory/search", body={"product_ids": readable[:100]})
    assert len(found["inventory"]) == 100


def test_every_order_fits_in_search_and_in_detail(api: CheckedCaller, shop: PracticeShop) -> None:
    """All 2,200 of the demo, in every state they reach, and one that was shipped in part."""
    some = next(one for one in shop.truths() if one.warehouses[0].available > 3 and one.status == "ACTIVATE")
    number = shop.buy(some.sku_id, 3)
    shop.release(number)
    shop.ship(number, [shop.order(number)["line_items"][0]["id"]])
    orders = api.orders({"create_time_ge": 0})
    assert len(orders) == 2_201
    assert len({order["status"] for order in orders}) == 9
    ids = [order["id"] for order in orders]
    for start in range(0, 500, 50):
        for version in ("202309", "202507"):
            api.data("GET", f"/order/{version}/orders", {"ids": ",".join(ids[start : start + 50])})


def test_writes_fit_also_when_they_are_refused_in_part(api: CheckedCaller, shop: PracticeShop) -> None:
    truth = next(one for one in shop.truths() if len(one.warehouses) == 2 and one.status == "ACTIVATE")
    path = f"/product/202309/products/{truth.product_id}"
    good = [{"warehouse_id": held.warehouse_id, "quantity": 5} for held in truth.warehouses]
    unknown = [{"warehouse_id": "7300000000000000009", "quantity": 5}]
    for rows in (good, good[:1], unknown):
        api.data("POST", f"{path}/inventory/update", body={"skus": [{"id": truth.sku_id, "inventory": rows}]})
    price = {"amount": "12.00", "currency": "GBP"}
    api.data("POST", f"{path}/prices/update", body={"skus": [{"id": truth.sku_id, "price": price}]})


def test_refusals_wear_the_envelope_too(api: CheckedCaller) -> None:
    for answer in (
        api.ask("GET", "/nothing/202309/here"),
        api.ask("GET", "/logistics/202309/warehouses", cipher=None),
        api.ask("GET", "/logistics/202309/warehouses", sign="0"),
        api.ask("POST", "/order/202309/orders/search", {"page_size": 500}, {}),
    ):
        check_envelope(answer.json())
        assert answer.json()["code"] != 0


@pytest.mark.parametrize(
    ("endpoint", "data", "why"),
    [
        ("GET /authorization/202309/shops", {"shops": [{"id": 5, "cipher": "c", "region": "GB"}]}, "must be string"),
        ("GET /authorization/202309/shops", {"shops": [{"id": "5", "region": "GB"}]}, "cipher is missing"),
        ("GET /logistics/202309/warehouses", {"warehouses": [], "extra": 1}, "extra is not in the contract"),
        ("GET /order/202507/orders", {"orders": {}}, "must be a list"),
    ],
)
def test_the_checker_finds_what_is_wrong_in_an_answer(endpoint: str, data: Any, why: str) -> None:
    with pytest.raises(BrokenContract, match=why):
        check_data(endpoint, data)


@pytest.mark.parametrize(
    ("endpoint", "query", "body", "why"),
    [
        ("POST /order/202309/orders/search", {"shop_cipher": "c"}, {}, "lacks page_size"),
        ("POST /order/202309/orders/search", {"page_size": "5"}, {}, "lacks shop_cipher"),
        (
            "POST /order/202309/orders/search",
            {"shop_cipher": "c", "page_size": "5"},
            {"status": "X"},
            "not in the contract",
        ),
        ("POST /order/202309/orders/search", {"shop_cipher": "c", "page_size": "5", "page_token": ""}, {}, "is empty"),
        ("GET /authorization/202309/shops", {"shop_cipher": "c"}, None, "unknown shop_cipher"),
        ("GET /logistics/202309/warehouses", {"shop_cipher": "c"}, {}, "takes no body"),
        ("PUT /event/202309/webhooks", {"shop_cipher": "c"}, {"event_type": "X"}, "address is missing"),
    ],
)
def test_the_checker_finds_what_is_wrong_in_a_request(
    endpoint: str, query: dict[str, str], body: Any, why: str
) -> None:
    with pytest.raises(BrokenContract, match=why):
        check_request(endpoint, query, body)

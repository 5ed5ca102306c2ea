"""Every request that the client can send fits the wire contract."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from urllib.parse import parse_qsl

import httpx
import pytest
import respx

from core.tiktok import endpoints
from core.tiktok.api import ShopApi
from core.tiktok.auth import App, Tokens
from core.tiktok.budget import Budget
from core.tiktok.models import ShopInfo
from core.tiktok.transport import Transport
from tests.client.stores import MemoryStore
from tests.contract.checker import CIPHER_REFUSED, ENDPOINTS, check_request, endpoint_of

BASE = "https://shop.example"
APP = App("made-up-key", "made-up-secret", api_base=BASE, auth_base=BASE)
SHOP = ShopInfo("7495540735365770001", "Demo", "IT", "LOCAL", "ROW_made_up_cipher", "")
PRODUCT_ID = "1729600000000000001"
HOOK = ("ORDER_STATUS_CHANGE", "https://desk.example/hooks")

CALLS: dict[str, Callable[[ShopApi], object]] = {
    "authorized shops": lambda shop: shop.authorized_shops(),
    "warehouses": lambda shop: shop.warehouses(),
    "all products": lambda shop: list(shop.product_pages()),
    "changed products": lambda shop: list(shop.product_pages(update_time_ge=1790000000, page_size=20)),
    "one product": lambda shop: shop.product(PRODUCT_ID),
    "stock": lambda shop: shop.stock(["11", "12"]),
    "set stock": lambda shop: shop.set_stock(PRODUCT_ID, {"11": {"73": 7, "74": 0}, "12": {"": 3}}),
    "set prices": lambda shop: shop.set_prices(PRODUCT_ID, {"11": (Decimal("22.50"), "GBP")}),
    "all orders": lambda shop: shop.order_page(None, None),
    "changed orders": lambda shop: shop.order_page(1790000000, 1790003600, "a+/=", 50),
    "orders by id": lambda shop: shop.orders(["576653688135258178", "576653688135258179"]),
    "webhooks": lambda shop: shop.webhooks(),
    "set a webhook": lambda shop: shop.register_webhook(*HOOK),
    "remove a webhook": lambda shop: shop.remove_webhook(HOOK[0]),
}


@pytest.fixture
def sent() -> Iterator[list[httpx.Request]]:
    """Everything that was sent; the first search for products has a second page."""
    found: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        found.append(request)
        data: dict[str, object] = {"id": "1", "next_page_token": "a+/=" if len(found) == 1 else "", "products": []}
        return httpx.Response(200, json={"code": 0, "message": "Success", "data": data, "request_id": "r"})

    with respx.mock() as router:
        router.route().mock(side_effect=answer)
        yield found


def run(name: str) -> None:
    tokens = Tokens("ROW_made_up_access", 4_000_000_000, "ROW_made_up_refresh", 4_100_000_000)
    with Transport(APP, MemoryStore(tokens), Budget(rate=1000)) as transport:
        CALLS[name](ShopApi(transport, SHOP))


@pytest.mark.parametrize("name", CALLS)
def test_a_request_fits_the_contract(name: str, sent: list[httpx.Request]) -> None:
    run(name)
    assert sent
    for request in sent:
        endpoint = endpoint_of(request.method, request.url.path)
        query = dict(parse_qsl(request.url.query.decode(), keep_blank_values=True))
        check_request(endpoint, query, json.loads(request.content) if request.content else None)
        assert ("shop_cipher" in query) == (endpoint not in CIPHER_REFUSED)
        assert request.headers["content-type"] == "application/json"


def test_every_endpoint_of_ours_is_in_the_contract_and_is_tried_here(sent: list[httpx.Request]) -> None:
    for name in CALLS:
        run(name)
    tried = {endpoint_of(request.method, request.url.path) for request in sent}
    assert tried == {f"{endpoint.method} {endpoint.path}" for endpoint in endpoints.ALL}
    assert tried <= ENDPOINTS.keys()

"""Every trouble on demand, seen from the outside."""

from __future__ import annotations

import time

import httpx
import pytest

from core.practice import CREDENTIALS, NotPossible, PracticeServer, PracticeShop
from tests.practice.conftest import Clock
from tests.practice.signed import Caller

WAREHOUSES = "/logistics/202309/warehouses"
SEARCH = "/order/202309/orders/search"
SHOPS = "/authorization/202309/shops"


def set_stock(api: Caller, shop: PracticeShop, sku_id: str, quantity: int) -> httpx.Response:
    truth = shop.truth(sku_id)
    rows = [{"warehouse_id": held.warehouse_id, "quantity": quantity} for held in truth.warehouses]
    body = {"skus": [{"id": sku_id, "inventory": rows}]}
    return api.ask("POST", f"/product/202309/products/{truth.product_id}/inventory/update", body=body)


def test_too_many_requests_with_and_without_a_hint(api: Caller, shop: PracticeShop) -> None:
    shop.trouble("rate_limit", times=1, retry_after=3)
    first = api.ask("GET", WAREHOUSES)
    shop.trouble("rate_limit", times=1)
    second = api.ask("GET", WAREHOUSES)
    assert (first.status_code, first.json()["code"], first.headers["retry-after"]) == (429, 36009002, "3")
    assert (second.status_code, "retry-after" in second.headers) == (429, False)
    assert api.code("GET", WAREHOUSES) == 0


def test_errors_of_the_server(api: Caller, shop: PracticeShop) -> None:
    shop.trouble("server_error", times=1, status=502)
    shop.trouble("unavailable_html", times=1)
    first, second = api.ask("GET", WAREHOUSES), api.ask("GET", WAREHOUSES)
    assert (first.status_code, first.json()["code"], first.json()["data"]) == (502, 36009003, None)
    assert (second.status_code, second.headers["content-type"].split(";")[0]) == (503, "text/html")


def test_a_timeout_before_the_write_changes_nothing_and_one_after_it_does(
    api: Caller, shop: PracticeShop, sku: str
) -> None:
    before = shop.truth(sku).available
    shop.trouble("timeout_before", path="inventory/update", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        set_stock(api, shop, sku, 99)
    assert shop.truth(sku).available == before
    shop.trouble("timeout_after", path="inventory/update", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        set_stock(api, shop, sku, 77)
    assert shop.truth(sku).available == 77 * len(shop.truth(sku).warehouses)


def test_a_stalled_answer_runs_into_the_clients_own_timeout(api: Caller, shop: PracticeShop) -> None:
    shop.trouble("timeout_after", times=1, stall=5)
    api.http.timeout = 0.2
    with pytest.raises(httpx.ReadTimeout):
        api.ask("GET", WAREHOUSES)


@pytest.mark.parametrize("status", [200, 401])
def test_a_token_expires_in_the_middle(api: Caller, shop: PracticeShop, status: int) -> None:
    shop.trouble("expired_token", status=status)
    answer = api.ask("GET", WAREHOUSES)
    assert (answer.status_code, answer.json()["code"]) == (status, 105002)
    assert api.code("GET", WAREHOUSES) == 105002, "the token stays expired"
    api.token = shop.issue_tokens()["access_token"]
    assert api.code("GET", WAREHOUSES) == 0


def test_a_scope_is_missing(api: Caller, shop: PracticeShop) -> None:
    shop.trouble("missing_scope", path="/order/")
    answer = api.ask("POST", SEARCH, {"page_size": 10}, {})
    assert (answer.status_code, answer.json()["code"]) == (403, 105005)
    assert api.code("GET", WAREHOUSES) == 0


def test_some_skus_are_refused(api: Caller, shop: PracticeShop, sku: str) -> None:
    before = shop.truth(sku).available
    shop.trouble("partial_errors", sku_ids=[sku], code=12052037, times=1)
    answer = set_stock(api, shop, sku, 5).json()
    assert (answer["code"], answer["data"]["errors"][0]["code"]) == (0, 12052037)
    assert shop.truth(sku).available == before
    assert set_stock(api, shop, sku, 5).json()["data"] == {}


def test_a_slow_answer_holds_up_nobody_else(api: Caller, shop: PracticeShop) -> None:
    shop.trouble("slow", path="/order/", delay=0.4, times=1)
    started = time.perf_counter()
    assert api.code("GET", WAREHOUSES) == 0
    quick = time.perf_counter() - started
    started = time.perf_counter()
    assert api.code("POST", SEARCH, {"page_size": 10}, {}) == 0
    assert time.perf_counter() - started >= 0.4 > quick


def test_a_wrong_clock_refuses_good_requests_and_shows_in_the_date(api: Caller, shop: PracticeShop) -> None:
    right = api.ask("GET", WAREHOUSES).headers["date"]
    shop.trouble("wrong_clock", offset=600)
    answer = api.ask("GET", WAREHOUSES)
    assert "timestamp" in answer.json()["message"]
    assert (right, answer.headers["date"]) == ("Fri, 20 Nov 2026 12:00:00 GMT", "Fri, 20 Nov 2026 12:10:00 GMT")
    shop.clear_trouble()
    assert api.code("GET", WAREHOUSES) == 0


def test_an_answer_breaks_off(api: Caller, shop: PracticeShop) -> None:
    shop.trouble("garbage", times=1)
    answer = api.ask("GET", WAREHOUSES)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"."):
        answer.json()


def test_a_search_comes_back_empty(api: Caller, shop: PracticeShop) -> None:
    shop.trouble("empty_page", times=1)
    assert api.orders() == []
    assert len(api.orders()) == 150


def test_trouble_waits_its_turn_and_ends_after_its_time(api: Caller, shop: PracticeShop, clock: Clock) -> None:
    shop.trouble("server_error", after=2, times=1)
    assert [api.ask("GET", WAREHOUSES).status_code for _ in range(4)] == [200, 200, 500, 200]
    shop.trouble("server_error", seconds=60)
    assert api.ask("GET", WAREHOUSES).status_code == 500
    clock.turn(61)
    assert api.ask("GET", WAREHOUSES).status_code == 200


def test_trouble_can_strike_the_token_host(server: PracticeServer, shop: PracticeShop) -> None:
    """The refresh takes effect although its answer is lost: the old token is dead, as it can happen in life."""
    tokens = shop.issue_tokens()
    query = {"app_key": CREDENTIALS.app_key, "app_secret": CREDENTIALS.app_secret, "grant_type": "refresh_token"}
    url = f"{server.base_url}/api/v2/token/refresh"
    shop.trouble("timeout_after", path="token/refresh", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url, params=query | {"refresh_token": tokens["refresh_token"]})
    answer = httpx.get(url, params=query | {"refresh_token": tokens["refresh_token"]}).json()
    assert answer["code"] == 36004005


def test_trouble_without_sense_is_refused_with_a_sentence(shop: PracticeShop) -> None:
    with pytest.raises(NotPossible, match="no trouble of kind"):
        shop.trouble("earthquake")
    with pytest.raises(NotPossible, match="no setting speed"):
        shop.trouble("slow", speed=2)


def test_latency_of_the_line_lets_requests_overlap(api: Caller, shop: PracticeShop, server: PracticeServer) -> None:
    from concurrent.futures import ThreadPoolExecutor

    shop.change_settings(latency_ms=200)
    others = [Caller(server.base_url, api.token, api.clock) for _ in range(8)]
    started = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda caller: caller.code("GET", WAREHOUSES), others)) == {0}
    took = time.perf_counter() - started
    for caller in others:
        caller.http.close()
    assert 0.2 <= took < 1.2

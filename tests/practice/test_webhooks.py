"""Webhooks are signed, queued, retried, and go wrong on demand."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from core.practice import PracticeShop
from core.practice.webhooks import is_loopback, sign_event
from tests.practice.conftest import Clock
from tests.practice.signed import KEY, SECRET, Caller

HOOKS = "/event/202309/webhooks"


class Ear:
    """A small server that hears webhooks and answers what the test wants."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.status = 200
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                ear.heard.append((self.headers["authorization"], body))
                self.send_response(ear.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Stays quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        deadline = time.monotonic() + 5
        while len(self.heard) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.heard) >= count, f"heard {len(self.heard)} of {count}"
        return [json.loads(body) for _, body in self.heard]


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    ear.close()


def listen(api: Caller, ear: Ear, *event_types: str) -> None:
    for event_type in event_types:
        api.data("PUT", HOOKS, body={"event_type": event_type, "address": ear.address})


@pytest.mark.parametrize(
    ("key", "secret", "body", "expected"),
    [
        (
            "abcdef", "123",
            '{"type":1,"tts_notification_id":"7380066284010030890","shop_id":"7495540735365777507","timestamp":1718305585,'
            '"data":{"is_on_hold_order":true,"order_id":"576653688135258178","order_status":"UNPAID","update_time":1718305585}}',
            "5dec0f11ec2f6783b8deee53c9ffbf8d024302f7c7e7fa55a35d17629031ac05",
        ),
        (
            "fake_app_key", "fake_app_secret",
            '{"type":1,"shop_id":"7494726673780148744","timestamp":1664095733,'
            '"data":{"order_id":"576684019603311365","order_status":"AWAITING_SHIPMENT","update_time":1664095610}}',
            "21109834de72ec53c9959716d8514ae388ce1f123e5ffdcafc46713fcdf62b27",
        ),
    ],
)  # fmt: skip
def test_the_documented_webhook_signatures_come_out(key: str, secret: str, body: str, expected: str) -> None:
    assert sign_event(key, secret, body.encode()) == expected


def test_registrations_are_created_replaced_listed_and_removed(api: Caller) -> None:
    wish = {"event_type": "ORDER_STATUS_CHANGE", "address": "http://127.0.0.1:9/a"}
    api.data("PUT", HOOKS, body=wish)
    api.data("PUT", HOOKS, body=wish | {"address": "https://example.invalid/b"})
    listed = api.data("GET", HOOKS)
    assert (listed["total_count"], listed["webhooks"][0]["address"]) == (1, "https://example.invalid/b")
    for _ in range(2):
        assert api.data("DELETE", HOOKS, body={"event_type": "ORDER_STATUS_CHANGE"}) == {}
    assert api.data("GET", HOOKS)["webhooks"] == []


def test_a_registration_needs_a_known_type_and_a_safe_address(api: Caller) -> None:
    for wish in (
        {"event_type": "ORDER_STATUS_CHANGE"},
        {"event_type": "SHOP_UPDATE", "address": "https://example.invalid"},
        {"event_type": "ORDER_STATUS_CHANGE", "address": "http://example.invalid"},
        {"event_type": "ORDER_STATUS_CHANGE", "address": "https://example.invalid/" + "x" * 255},
    ):
        assert api.code("PUT", HOOKS, body=wish) == 36009004
    assert "address is missing" in api.ask("PUT", HOOKS, body={"event_type": "ORDER_STATUS_CHANGE"}).json()["message"]


def test_an_order_is_announced_with_a_good_signature(api: Caller, shop: PracticeShop, ear: Ear, sku: str) -> None:
    listen(api, ear, "ORDER_STATUS_CHANGE")
    number = shop.buy(sku)
    shop.cancel(number)
    events = ear.wait_for(3)
    assert [event["data"]["order_status"] for event in events] == ["UNPAID", "ON_HOLD", "CANCEL"]
    assert {event["data"]["order_id"] for event in events} == {number}
    assert len({event["tts_notification_id"] for event in events}) == 3
    assert {event["type"] for event in events} == {1}
    for signature, body in ear.heard:
        assert signature == hmac.new(SECRET.encode(), KEY.encode() + body, hashlib.sha256).hexdigest()


def test_stock_is_announced_with_numbers_for_ids_and_the_reason(
    api: Caller, shop: PracticeShop, ear: Ear, sku: str
) -> None:
    listen(api, ear, "INVENTORY_CHANGED")
    truth = shop.truth(sku)
    shop.buy(sku, 2)
    rows = [{"warehouse_id": held.warehouse_id, "quantity": 4} for held in truth.warehouses]
    path = f"/product/202309/products/{truth.product_id}/inventory/update"
    api.data("POST", path, body={"skus": [{"id": sku, "inventory": rows}]})
    shop.set_stock(sku, 9)
    events = ear.wait_for(3)
    reasons = [event["data"]["change_detail"][0]["trigger_source"] for event in events]
    assert reasons == ["order_created", "api_sync", "manual_adjustment"]
    first = events[0]
    assert (first["type"], first["data"]["sku_id"], "shop_id" in first) == (68, int(sku), False)
    assert first["seller_open_id"] == "PracticeOpenIdExample0001"
    assert first["data"]["quantity_snapshot_after_change"]["total_available_quantity"] == truth.available - 2
    detail = first["data"]["change_detail"][0]
    assert (detail["available_quantity_delta"], detail["committed_quantity_delta"]) == (-2, 2)
    assert "total_quantity_delta" not in detail, "deltas of zero are left out"


def test_an_event_that_leaves_the_status_alone_is_not_announced(shop: PracticeShop, ear: Ear, sku: str) -> None:
    shop.parts.hooks.register("ORDER_STATUS_CHANGE", ear.address)
    number = shop.buy(sku, 2)
    shop.cancel(number, line_ids=[shop.order(number)["line_items"][0]["id"]])
    assert shop.parts.hooks.waiting() == 2


def test_nothing_is_sent_for_what_nobody_asked_for(api: Caller, shop: PracticeShop, ear: Ear, sku: str) -> None:
    listen(api, ear, "CANCELLATION_STATUS_CHANGE")
    shop.cancel(shop.buy(sku))
    events = ear.wait_for(1)
    assert [event["type"] for event in events] == [11]
    assert events[0]["data"]["cancellations_role"] == "BUYER"


def test_a_failed_delivery_is_retried_four_times_on_the_shops_clock(
    shop: PracticeShop, clock: Clock, ear: Ear, sku: str
) -> None:
    shop.parts.hooks.register("ORDER_STATUS_CHANGE", ear.address)
    ear.status = 500
    shop.buy(sku, paid=False)
    for number, wait in enumerate((0, 120, 1_800, 10_800, 43_200), 1):
        clock.turn(wait - 1 if wait else 0)
        shop.parts.hooks.deliver_due()
        assert len(ear.heard) == max(number - 1, 1 if not wait else 0)
        clock.turn(1 if wait else 0)
        shop.parts.hooks.deliver_due()
        assert len(ear.heard) == number
    assert shop.parts.hooks.waiting() == 0
    assert len({body for _, body in ear.heard}) == 1, "a retry is the same event"


def test_the_queue_outlives_a_restart(tmp_path: Any, clock: Clock, ear: Ear) -> None:
    shop = PracticeShop(tmp_path / "p.db", products=10, orders=10, clock=clock)
    shop.parts.hooks.register("ORDER_STATUS_CHANGE", ear.address)
    shop.buy(next(one.sku_id for one in shop.truths() if one.available))
    shop.close()
    again = PracticeShop(tmp_path / "p.db", clock=clock)
    assert again.parts.hooks.deliver_due() == 2
    assert len(ear.heard) == 2
    again.close()


def test_events_come_twice_backwards_late_or_never(shop: PracticeShop, clock: Clock, ear: Ear, sku: str) -> None:
    shop.parts.hooks.register("ORDER_STATUS_CHANGE", ear.address)
    shop.webhook_trouble(duplicate=True, reorder=True, delay=30)
    shop.buy(sku)
    assert shop.parts.hooks.deliver_due() == 0
    clock.turn(30)
    shop.parts.hooks.deliver_due()
    assert [json.loads(body)["data"]["order_status"] for _, body in ear.heard] == [
        "ON_HOLD",
        "ON_HOLD",
        "UNPAID",
        "UNPAID",
    ]
    shop.webhook_trouble(drop=True)
    shop.buy(sku)
    shop.parts.hooks.deliver_due()
    assert len(ear.heard) == 4
    assert shop.parts.hooks.waiting() == 0


def test_no_event_leaves_this_computer(shop: PracticeShop, sku: str) -> None:
    assert is_loopback("http://127.0.0.1:80/x")
    assert is_loopback("http://[::1]/x")
    assert not is_loopback("http://192.168.0.1/")
    assert not is_loopback("https://localhost.example.invalid/")
    shop.parts.hooks.register("ORDER_STATUS_CHANGE", "https://example.invalid/hook")
    shop.buy(sku)
    assert shop.parts.hooks.deliver_due() == 0
    assert shop.parts.hooks.waiting() == 0

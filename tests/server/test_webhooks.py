"""The webhook route: only what TikTok signed is taken, once, and it is stored before it is answered."""

import json
import sqlite3

import pytest
from starlette.testclient import TestClient

from core.practice import CREDENTIALS
from core.runtime import Runtime
from core.server import LARGEST_EVENT
from core.sync import hooks
from core.tiktok.signing import webhook_signature


def event(order: str = "576460000000000001", shop: str = "7495540735365770101", number: str = "n-1") -> bytes:
    """An order's change of status as TikTok sends it."""
    told = {
        "type": 1, "tts_notification_id": number, "shop_id": shop, "timestamp": 1_795_000_000,
        "data": {"order_id": order, "order_status": "AWAITING_SHIPMENT", "update_time": 1_795_000_000},
    }  # fmt: skip
    return json.dumps(told).encode()


def signed(raw: bytes, secret: str = CREDENTIALS.app_secret) -> dict[str, str]:
    return {"Authorization": webhook_signature(CREDENTIALS.app_key, secret, raw)}


def stored(desk: Runtime) -> list[tuple[str, str]]:
    with desk.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT id, state FROM hook ORDER BY id")
        return [(row.id, row.state) for row in rows]


def test_a_signed_event_is_stored_and_answered_with_nothing(desk: Runtime, web: TestClient) -> None:
    answer = web.post("/hooks/tiktok", content=event(), headers=signed(event()))
    assert (answer.status_code, answer.content) == (200, b"")
    assert stored(desk) == [("n-1", "new")]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "0" * 64},
        signed(event(), "another-made-up-secret"),
        signed(event(order="1")),
    ],
)
def test_a_forged_event_is_refused_and_leaves_nothing(desk: Runtime, web: TestClient, headers: dict[str, str]) -> None:
    assert web.post("/hooks/tiktok", content=event(), headers=headers).status_code == 401
    assert stored(desk) == []


def test_a_byte_changed_on_the_way_is_refused(desk: Runtime, web: TestClient) -> None:
    raw = event()
    assert web.post("/hooks/tiktok", content=raw + b" ", headers=signed(raw)).status_code == 401
    assert stored(desk) == []


def test_an_event_that_comes_twice_is_stored_once(desk: Runtime, web: TestClient) -> None:
    for _ in range(3):
        assert web.post("/hooks/tiktok", content=event(), headers=signed(event())).status_code == 200
    assert stored(desk) == [("n-1", "new")]


def test_a_body_larger_than_any_event_is_not_even_read(desk: Runtime, web: TestClient) -> None:
    raw = b"x" * (LARGEST_EVENT + 1)
    assert web.post("/hooks/tiktok", content=raw, headers=signed(raw)).status_code == 413
    assert stored(desk) == []


@pytest.mark.parametrize("raw", [b"", b"not json", b"[]", b"{}", b"\xff\xfe"])
def test_a_signed_event_that_cannot_be_read_is_answered_and_dropped(desk: Runtime, web: TestClient, raw: bytes) -> None:
    assert web.post("/hooks/tiktok", content=raw, headers=signed(raw)).status_code == 200
    assert stored(desk) == []


def test_an_event_of_an_unknown_shop_changes_no_orders(desk: Runtime, web: TestClient) -> None:
    raw = event(shop="1")
    assert web.post("/hooks/tiktok", content=raw, headers=signed(raw)).status_code == 200
    (shop,) = desk.sessions.shops
    worked = hooks.work(shop, only_shop=True)
    assert (worked.new, worked.changed) == (0, 0)


def test_an_event_is_only_a_hint_and_the_order_itself_is_read(desk: Runtime, web: TestClient) -> None:
    assert desk.practice is not None
    desk.sync("catalog")
    sku = next(one for one in desk.practice.state().skus if one.available > 3 and one.status == "ACTIVATE")
    order = desk.practice.buy(sku.sku_id, 2)
    raw = event(order=order)
    assert web.post("/hooks/tiktok", content=raw, headers=signed(raw)).status_code == 200
    (shop,) = desk.sessions.shops
    assert hooks.work(shop, only_shop=True).new == 1
    with desk.store.read() as connection:
        assert connection.exec_driver_sql("SELECT id, units FROM orders").all() == [(order, 2)]
    assert stored(desk) == [("n-1", "done")]


def test_a_store_that_is_locked_asks_tiktok_to_send_it_again(desk: Runtime, web: TestClient) -> None:
    other = sqlite3.connect(str(desk.store.path), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert web.post("/hooks/tiktok", content=event(), headers=signed(event())).status_code == 503
    other.execute("ROLLBACK")
    other.close()
    assert web.post("/hooks/tiktok", content=event(), headers=signed(event())).status_code == 200
    assert stored(desk) == [("n-1", "new")]


def test_the_route_takes_posts_only(web: TestClient) -> None:
    assert web.get("/hooks/tiktok").status_code == 405

"""The gate checks what the real one checks, in its order, with its codes."""

from __future__ import annotations

import json

import httpx
import pytest

from core.practice import PracticeServer, PracticeShop
from core.practice.gate import signature
from tests.practice.conftest import Clock
from tests.practice.signed import Caller

SHOPS = "/authorization/202309/shops"
WAREHOUSES = "/logistics/202309/warehouses"
SEARCH = "/order/202309/orders/search"
V2 = {"app_key": "68xu9ks5p4i8", "shop_cipher": "ROW_xkMbgAAAeVAQra0eZWebFQq5aIK", "timestamp": "1696909648"}
TOKEN = "6AsPQsUMvH3RkchNUPPh22NROHkE0D8pmq/N5M1kHYcZmtRyv9aVrNv65W7Q6tFA+7D1ud64MPNz5OaT"
REJECT = "/return_refund/202309/cancellations/4035318504086604100/reject"
VECTORS = [
    (
        SHOPS, {"app_key": "29a39d", "timestamp": "1623812664"}, "",
        "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8",
    ),
    ("/event/202309/webhooks", V2, "", "ed58e1b5e59865c22a7b828c1cab65007441f43cc91a6cb2f2cdc638e0995a37"),
    (
        "/event/202309/webhooks", V2, '{"event_type":"PACKAGE_UPDATE","address":"https://partner.tiktokshop.com"}',
        "701dd6deb2389fe4c469b89bd37fc56f96a6da6afeb4d01c9077a65169752fa7",
    ),
    (
        "/order/202309/orders", V2 | {"ids": "576461413038785752,576461413038785753"}, "",
        "98c5af3e5bd6d0ff98d2967692f1fc682305ef87a8b078385d9d8a775b6c2366",
    ),
    (
        SEARCH, V2 | {"page_size": "50", "page_token": TOKEN, "sort_field": "update_time", "sort_order": "ASC"},
        '{"order_status":"AWAITING_SHIPMENT","update_time_ge":1696900000}',
        "9c94029de43af2482f681a5b67b7d6d3889495c4add88409e706ca3fc8348ff1",
    ),
    (
        REJECT, V2 | {"idempotency_key": "7b0f1c1e-1f2a-4a5b-9c77-0d6f4a1b2c3d"},
        '{"reject_reason":"seller_reject_apply_product_has_been_packed","comment":"già spedito"}',
        "64491c7317863507c46caad5f60e028154fef42c33fcb05cc07afe1d08800a30",
    ),
    (
        "/event/202309/webhooks", V2, '{"event_type":"PACKAGE_UPDATE"}',
        "c36c55009356eca997c63e466a3832ac6831a4a933b49dcf9dd19b63eaec208e",
    ),
    (SEARCH, V2 | {"page_size": "20"}, "{}", "a39c14a44c4dc5b8aca700e4782b21098600c765ef51cbae33ffd6ce417f71a7"),
    (SEARCH, V2 | {"page_size": "20"}, "", "5f174658e46b5f960041df4a27b1ed250b1f18d122e2e19c7757fefc99c841f7"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "query", "body", "expected"), VECTORS)
def test_the_documented_signatures_come_out(path: str, query: dict[str, str], body: str, expected: str) -> None:
    assert signature("e59af819cc", path, query, body.encode()) == expected


def test_another_secret_and_path_sign_as_documented() -> None:
    assert signature("app_secret", "/test-api", {"foo": "bar"}, b"").startswith("d3cb7fe11ecae942802ceeca67e7cf10")


def test_a_multipart_body_is_not_signed() -> None:
    kind = "multipart/form-data; boundary=x"
    signed = signature("e59af819cc", "/fulfillment/202309/images/upload", V2, b"anything", kind)
    assert signed == "47f76df997bfa0a15332aa60aeb9483326bf472bd819b4540aa6b9c687988328"


def test_a_well_signed_request_gets_the_documented_envelope(api: Caller) -> None:
    answer = api.ask("GET", SHOPS, cipher=None)
    assert answer.status_code == 200
    assert set(answer.json()) == {"code", "message", "data", "request_id"}
    assert answer.json()["data"]["shops"][0]["cipher"] == "GCP_practiceShopCipher01"


def test_request_ids_differ(api: Caller) -> None:
    ids = {api.ask("GET", WAREHOUSES).json()["request_id"] for _ in range(20)}
    assert len(ids) == 20


def test_an_unknown_path_a_retired_version_and_a_wrong_verb_are_told_apart(api: Caller) -> None:
    unknown, version = (
        api.ask("GET", "/order/202309/nothing"),
        api.ask("POST", "/order/202212/orders/search", {"page_size": 10}),
    )
    assert (unknown.status_code, unknown.json()["code"], unknown.json()["data"]) == (404, 36009009, None)
    assert (version.status_code, version.json()["code"]) == (400, 36009014)
    assert api.code("GET", SEARCH) == 36009010


def test_the_path_is_checked_before_the_app_key_and_the_app_key_before_the_signature(api: Caller) -> None:
    assert api.code("GET", "/order/202309/nothing", app_key="other") == 36009009
    answer = api.ask("GET", WAREHOUSES, app_key="other")
    assert (answer.status_code, answer.json()["code"]) == (400, 36009004)
    assert "app_key" in answer.json()["message"]


@pytest.mark.parametrize(("off", "fine"), [(-299, True), (-302, False), (29, True), (32, False)])
def test_the_time_window_is_five_minutes_back_and_thirty_seconds_ahead(
    api: Caller, clock: Clock, off: int, fine: bool
) -> None:
    answer = api.ask("GET", WAREHOUSES, {"timestamp": int(clock()) + off}).json()
    assert (answer["code"] == 0) is fine
    assert fine or "timestamp" in answer["message"]


def test_a_wrong_or_missing_signature_is_refused(api: Caller) -> None:
    assert api.code("GET", WAREHOUSES, sign="0" * 64) == 106001
    assert api.code("GET", WAREHOUSES, sign=None) == 36009004
    assert api.code("POST", SEARCH, {"page_size": 10}, {}, page_size="11") == 106001


def test_the_body_is_signed_byte_by_byte(api: Caller) -> None:
    assert api.code("POST", SEARCH, {"page_size": 10}, raw=b'{ "create_time_ge" : 5 }') == 0


def test_an_unknown_and_an_expired_token_are_told_apart(api: Caller, clock: Clock) -> None:
    unknown = api.ask("GET", WAREHOUSES, token="nobody").json()
    assert unknown["code"] == 36009004
    assert "x-tts-access-token" in unknown["message"]
    clock.turn(7 * 86_400)
    assert api.code("GET", WAREHOUSES) == 105002


def test_the_cipher_is_needed_refused_or_foreign(api: Caller) -> None:
    assert api.code("GET", WAREHOUSES, cipher=None) == 106013
    refused = api.ask("GET", SHOPS).json()
    assert (refused["code"], refused["message"].startswith("Unexpected identifier")) == (36009004, True)
    assert api.code("GET", WAREHOUSES, cipher="GCP_other") == 101000


def test_a_body_that_is_no_json_object_is_refused(api: Caller) -> None:
    for raw in (b"[1]", b"{broken", b'"text"'):
        assert api.code("POST", SEARCH, {"page_size": 10}, raw=raw) == 36009022
    assert api.code("POST", SEARCH, {"page_size": 10}, raw=b"{}", content_type="text/plain") == 36009022


def test_the_status_of_a_code_can_be_chosen(api: Caller, shop: PracticeShop, clock: Clock) -> None:
    clock.turn(8 * 86_400)
    assert api.ask("GET", WAREHOUSES).status_code == 200
    shop.change_settings(http_status={105002: 401})
    assert api.ask("GET", WAREHOUSES).status_code == 401


def test_more_requests_than_allowed_are_refused_with_429(api: Caller, shop: PracticeShop) -> None:
    shop.change_settings(rate=0.001, burst=3)
    answers = [api.ask("GET", WAREHOUSES) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["code"] == 36009002
    assert "retry-after" not in answers[-1].headers
    shop.change_settings(retry_after=True)
    assert api.ask("GET", WAREHOUSES).headers["retry-after"] == "1"
    assert api.code("GET", SHOPS, cipher=None) == 0, "each endpoint has a bucket of its own"


def test_the_log_counts_requests_and_keeps_no_secret(api: Caller, server: PracticeServer, shop: PracticeShop) -> None:
    httpx.post(f"{server.base_url}/practice/log/reset", json={})
    api.ask("POST", SEARCH, {"page_size": 10}, {})
    report = httpx.get(f"{server.base_url}/practice/log").json()
    assert (report["total"], report["writes"], report["by_endpoint"]) == (1, 0, {f"POST {SEARCH}": 1})
    text = json.dumps(report)
    assert api.token not in text
    assert "sign" not in report["last"][0]["query"]
    assert report["last"][0]["query"]["page_size"] == "10"


def test_only_loopback_names_are_answered(server: PracticeServer) -> None:
    assert httpx.get(f"{server.base_url}/practice/state", headers={"host": "shop.example"}).status_code == 421
    assert (
        httpx.get(f"{server.base_url}/practice/state", headers={"host": f"localhost:{server.port}"}).status_code == 200
    )


def test_a_form_cannot_turn_the_knobs(server: PracticeServer, shop: PracticeShop) -> None:
    answer = httpx.post(f"{server.base_url}/practice/settings", data={"hold": "false"})
    assert answer.status_code == 409
    assert shop.settings.hold is True


def test_nobody_but_this_computer_can_be_served(shop: PracticeShop) -> None:
    with pytest.raises(ValueError, match="only listens on this computer"):
        PracticeServer(shop, host="0.0.0.0")

"""The signature of requests and of webhooks, against vectors of several independent sources."""

import pytest

from core.tiktok.signing import sign, verify_webhook, webhook_signature

SECRET = "e59af819cc"
BASE = {"app_key": "68xu9ks5p4i8", "shop_cipher": "ROW_xkMbgAAAeVAQra0eZWebFQq5aIK", "timestamp": "1696909648"}
WEBHOOKS = "/event/202309/webhooks"
SEARCH = "/order/202309/orders/search"
PAGE_TOKEN = "6AsPQsUMvH3RkchNUPPh22NROHkE0D8pmq/N5M1kHYcZmtRyv9aVrNv65W7Q6tFA+7D1ud64MPNz5OaT"
REJECT = "/return_refund/202309/cancellations/4035318504086604100/reject"
REJECTION = '{"reject_reason":"seller_reject_apply_product_has_been_packed","comment":"già spedito"}'

VECTORS = {
    "V1 official page": (
        "/authorization/202309/shops",
        {"app_key": "29a39d", "timestamp": "1623812664"},
        b"",
        "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8",
    ),
    "V2 GET with a cipher": (WEBHOOKS, BASE, b"", "ed58e1b5e59865c22a7b828c1cab65007441f43cc91a6cb2f2cdc638e0995a37"),
    "V3 PUT with a body": (
        WEBHOOKS,
        BASE,
        b'{"event_type":"PACKAGE_UPDATE","address":"https://partner.tiktokshop.com"}',
        "701dd6deb2389fe4c469b89bd37fc56f96a6da6afeb4d01c9077a65169752fa7",
    ),
    "S1 joined ids": (
        "/order/202309/orders",
        BASE | {"ids": "576461413038785752,576461413038785753"},
        b"",
        "98c5af3e5bd6d0ff98d2967692f1fc682305ef87a8b078385d9d8a775b6c2366",
    ),
    "S2 a page token with slash and plus": (
        SEARCH,
        BASE | {"page_size": "50", "page_token": PAGE_TOKEN, "sort_field": "update_time", "sort_order": "ASC"},
        b'{"order_status":"AWAITING_SHIPMENT","update_time_ge":1696900000}',
        "9c94029de43af2482f681a5b67b7d6d3889495c4add88409e706ca3fc8348ff1",
    ),
    "S3 a body in UTF-8": (
        REJECT,
        BASE | {"idempotency_key": "7b0f1c1e-1f2a-4a5b-9c77-0d6f4a1b2c3d"},
        REJECTION.encode(),
        "64491c7317863507c46caad5f60e028154fef42c33fcb05cc07afe1d08800a30",
    ),
    "S5 DELETE with a body": (
        WEBHOOKS,
        BASE,
        b'{"event_type":"PACKAGE_UPDATE"}',
        "c36c55009356eca997c63e466a3832ac6831a4a933b49dcf9dd19b63eaec208e",
    ),
    "S6 an empty object": (
        SEARCH,
        BASE | {"page_size": "20"},
        b"{}",
        "a39c14a44c4dc5b8aca700e4782b21098600c765ef51cbae33ffd6ce417f71a7",
    ),
    "S6 no body": (
        SEARCH,
        BASE | {"page_size": "20"},
        b"",
        "5f174658e46b5f960041df4a27b1ed250b1f18d122e2e19c7757fefc99c841f7",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_a_request_is_signed_as_in_the_vector(name: str) -> None:
    path, query, body, expected = VECTORS[name]
    assert sign(SECRET, path, query, body) == expected


def test_v4_of_another_client_with_another_secret() -> None:
    expected = "d3cb7fe11ecae942802ceeca67e7cf10120cc12f1517d45fbc1c8cfe5413c80f"
    assert sign("app_secret", "/test-api", {"foo": "bar"}) == expected


@pytest.mark.parametrize("content_type", ["multipart/form-data", "Multipart/Form-Data; boundary=xyz"])
def test_s4_the_body_of_an_upload_is_not_signed(content_type: str) -> None:
    found = sign(SECRET, "/fulfillment/202309/images/upload", BASE, b"picture", content_type)
    assert found == "47f76df997bfa0a15332aa60aeb9483326bf472bd819b4540aa6b9c687988328"


def test_sign_and_access_token_are_not_part_of_what_is_signed() -> None:
    more = BASE | {"sign": "0" * 64, "access_token": "made-up"}
    assert sign(SECRET, WEBHOOKS, more) == sign(SECRET, WEBHOOKS, BASE)


W1 = (
    b'{"type":1,"tts_notification_id":"7380066284010030890","shop_id":"7495540735365777507","timestamp":1718305585,'
    b'"data":{"is_on_hold_order":true,"order_id":"576653688135258178","order_status":"UNPAID",'
    b'"update_time":1718305585}}'
)
W2 = (
    b'{"type":1,"shop_id":"7494726673780148744","timestamp":1664095733,"data":{"order_id":"576684019603311365",'
    b'"order_status":"AWAITING_SHIPMENT","update_time":1664095610}}'
)
W3 = (
    b'{"type":11,"tts_notification_id":"7400000000000000001","shop_id":"7495000000000000001","timestamp":1718305600,'
    b'"data":{"order_id":"576653688135258178","cancellations_role":"BUYER",'
    b'"cancel_status":"CANCELLATION_REQUEST_PENDING","cancel_id":"4035318504086604100","create_time":1718305599}}'
)
HOOKS = {
    "W1 official page": ("abcdef", "123", W1, "5dec0f11ec2f6783b8deee53c9ffbf8d024302f7c7e7fa55a35d17629031ac05"),
    "W2 another client": (
        "fake_app_key",
        "fake_app_secret",
        W2,
        "21109834de72ec53c9959716d8514ae388ce1f123e5ffdcafc46713fcdf62b27",
    ),
    "W3 a cancellation": ("abcdef", "123", W3, "cd1da3e0d07c1533ebd279437f0ce0356daa5233bb4edfcc449ed2086dff453d"),
}


@pytest.mark.parametrize("name", HOOKS)
def test_a_webhook_is_signed_as_in_the_vector(name: str) -> None:
    key, secret, raw, expected = HOOKS[name]
    assert webhook_signature(key, secret, raw) == expected
    assert verify_webhook(key, secret, raw, expected)


@pytest.mark.parametrize("header", [None, "", "Bearer x", "é", "5dec0f11", "0" * 64])
def test_a_webhook_with_a_wrong_signature_is_not_believed(header: str | None) -> None:
    assert not verify_webhook("abcdef", "123", W1, header)


def test_one_changed_byte_breaks_the_signature_of_a_webhook() -> None:
    assert not verify_webhook("abcdef", "123", W1.replace(b"UNPAID", b"UNPAIE"), HOOKS["W1 official page"][3])

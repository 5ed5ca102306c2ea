"""Webhooks in all the forms that were seen in the field."""

import orjson
import pytest
from hypothesis import given, settings

from core.tiktok import webhooks
from core.tiktok.models import Unreadable
from core.tiktok.webhooks import Event
from tests.unit.test_tiktok_orders import JSON_VALUES

STOCK = (
    b'{"type":68,"tts_notification_id":"7661900000000000001","seller_open_id":"Ab1cQAAAAExampleOpenId",'
    b'"timestamp":1784001969,"data":{"event_id":"1:0d5f","product_id":1730420770070890001,"sku_id":1732301361504350001,'
    b'"quantity_snapshot_after_change":{"total_available_quantity":6},'
    b'"change_detail":[{"trigger_source":"order_created","available_quantity_delta":-1}]}}'
)


def event(raw: bytes) -> Event:
    found = webhooks.parse(raw)
    assert isinstance(found, Event), found
    return found


def test_an_order_event_names_shop_and_order() -> None:
    raw = (
        b'{"type":1,"tts_notification_id":"7380066284010030890","shop_id":"7495540735365777507",'
        b'"timestamp":1718305585,"data":{"order_id":"576653688135258178","order_status":"CANCEL"}}'
    )
    found = event(raw)
    assert (found.type, found.notification_id) == (webhooks.ORDER_STATUS, "7380066284010030890")
    assert (found.shop_id, found.order_id, found.timestamp) == ("7495540735365777507", "576653688135258178", 1718305585)
    assert found.seller_open_id is None


def test_ids_that_come_as_numbers_keep_every_digit() -> None:
    found = event(STOCK)
    assert (found.sku_id, found.product_id) == ("1732301361504350001", "1730420770070890001")
    assert found.seller_open_id == "Ab1cQAAAAExampleOpenId"
    long = event(b'{"type":5,"data":{"product_id":123456789012345678901234567890}}')
    assert long.product_id == "123456789012345678901234567890"


def test_an_id_that_went_through_a_float_is_no_id() -> None:
    assert event(b'{"type":5,"data":{"product_id":1.7304207700708900e18}}').product_id is None


def test_a_stock_event_without_envelope_is_known_by_its_shape() -> None:
    bare = orjson.dumps(orjson.loads(STOCK)["data"])
    found = event(bare)
    assert (found.type, found.sku_id) == (webhooks.STOCK_CHANGED, "1732301361504350001")


def test_without_an_id_equal_bytes_are_equal_events() -> None:
    raw = b'{"type":1,"shop_id":"7494726673780148744","data":{"order_id":"576684019603311365"}}'
    assert event(raw).notification_id == event(raw).notification_id
    assert event(raw).notification_id != event(raw + b" ").notification_id


def test_our_own_write_is_known_as_an_echo() -> None:
    assert not event(STOCK).is_echo
    assert event(STOCK.replace(b"order_created", b"api_sync")).is_echo
    mixed = STOCK.replace(b'"change_detail":[', b'"change_detail":[{"trigger_source":"api_sync"},')
    assert not event(mixed).is_echo


def test_a_stock_change_names_its_source_where_it_is_neither_an_order_nor_our_own() -> None:
    assert event(STOCK).sources == ()
    assert event(STOCK.replace(b"order_created", b"api_sync")).sources == ()
    assert event(STOCK.replace(b"order_created", b"manual_adjustment")).sources == ("manual_adjustment",)
    assert event(STOCK.replace(b"order_created", b"something_new|x")).sources == ()


def test_a_stock_status_names_the_units_that_tiktok_sets_aside() -> None:
    body = b'{"type":27,"data":{"sku_id":"1","inventory_distribution":{"campaign_reserved_quantity":%d}}}'
    assert event(body % 20).sources == ("campaign_reserved",)
    assert event(body % 0).sources == ()


@pytest.mark.parametrize(
    "raw", [b"", b"\xff", b"[]", b"7", b"null", b"{}", b'{"type":"x"}', b"[" * 100_000, b"{" + b'"a":{' * 50_000]
)
def test_what_is_no_event_is_said_to_be_unreadable(raw: bytes) -> None:
    assert isinstance(webhooks.parse(raw), Unreadable)


@settings(max_examples=150, deadline=None)
@given(JSON_VALUES)
def test_no_damage_ever_raises(value: object) -> None:
    for body in (
        {"type": 68, "data": value},
        {"type": value},
        {"type": 1, "data": {"order_id": value, "change_detail": value}},
    ):
        try:
            raw = orjson.dumps(body)
        except TypeError:
            continue  # integers beyond 64 bits, which the test's own writer cannot write
        found = webhooks.parse(raw)
        assert isinstance(found, Event | Unreadable)
        if isinstance(found, Event):
            assert isinstance(found.is_echo, bool)

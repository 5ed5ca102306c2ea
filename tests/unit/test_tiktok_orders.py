"""Orders as TikTok sends them, whole, thin and damaged, become records that can be relied on."""

import copy
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tiktok.models import Order, Unreadable
from core.tiktok.orders import read_order

LINE: dict[str, Any] = {
    "id": "576653688135300001",
    "sku_id": "1729386416015570001",
    "product_id": "1729386416015560001",
    "seller_sku": "TEE-RED-M",
    "product_name": "Cotton tee",
    "sku_name": "Red, M",
    "original_price": "20.00",
    "sale_price": "18.00",
    "seller_discount": "2.00",
    "platform_discount": "0",
    "currency": "EUR",
    "display_status": "AWAITING_SHIPMENT",
    "is_gift": False,
}
ORDER: dict[str, Any] = {
    "id": "576653688135258178",
    "status": "AWAITING_SHIPMENT",
    "create_time": 1790000000,
    "paid_time": 1790000030,
    "update_time": 1790003640,
    "fulfillment_type": "FULFILLMENT_BY_SELLER",
    "warehouse_id": "7000714532876270001",
    "user_id": "7494845267308410001",
    "buyer_email": "v2x@chat.seller.example",
    "is_on_hold_order": True,
    "payment": {
        "currency": "EUR",
        "seller_discount": "4.00",
        "platform_discount": "0.00",
        "sub_total": "36.00",
        "shipping_fee": "4.9",
        "tax": "0",
        "total_amount": "40.90",
    },
    "recipient_address": {"name": "Maria Rossi", "phone_number": "(+39)3331234512", "full_address": "Via Esempio 1"},
    "line_items": [LINE, LINE | {"id": "576653688135300002"}],
}


def read(**changes: Any) -> Order:
    order = read_order(ORDER | changes)
    assert isinstance(order, Order), order
    return order


def paid(**changes: Any) -> Order:
    return read(payment=ORDER["payment"] | changes)


def test_an_order_is_read_with_exact_amounts_and_one_line_per_unit() -> None:
    order = read()
    assert (order.id, order.status, order.update_time) == ("576653688135258178", "AWAITING_SHIPMENT", 1790003640)
    assert (order.total_units, order.shipping_fee_units, order.tax_units) == (409_000, 49_000, 0)
    assert order.is_on_hold
    assert not order.is_cod
    assert [line.id for line in order.lines] == ["576653688135300001", "576653688135300002"]
    assert order.lines[0].sale_price_units == 180_000


def test_nothing_personal_about_the_buyer_is_kept() -> None:
    kept = repr(read())
    for personal in ("Maria", "Rossi", "333", "Via Esempio", "v2x@"):
        assert personal not in kept


@pytest.mark.parametrize("nothing", [None, "", []])
def test_missing_null_and_empty_are_the_same(nothing: object) -> None:
    thin = read(paid_time=nothing, rts_time=nothing, user_id=nothing, payment=nothing, cancel_reason=nothing)
    assert (thin.paid_time, thin.rts_time, thin.buyer_id, thin.cancel_reason) == (None, None, "", "")
    assert thin.total_units == 0
    assert thin.currency == "EUR", "the currency of the first line stands in"


def test_an_order_of_an_id_alone_is_still_an_order() -> None:
    order = read_order({"id": 576653688135258178})
    assert isinstance(order, Order)
    assert (order.id, order.lines, order.update_time) == ("576653688135258178", (), 0)


def test_a_missing_update_time_is_the_creation_and_the_other_way_round() -> None:
    assert read(update_time=None).update_time == 1790000000
    assert read(create_time=0).create_time == 1790003640


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("12", 120_000),
        ("12.5", 125_000),
        ("0.0001", 1),
        ("-3.10", -31_000),
        ("2176420", 21_764_200_000),
        (" 7.00 ", 70_000),
        ("1E+2", 1_000_000),
        ("+5", 50_000),
        (".5", 5_000),
        ("5.", 50_000),
        (12, 120_000),
        (0.1, 1_000),
        ("", 0),
        (None, 0),
        ({}, 0),
    ],
)
def test_an_amount_is_read_exactly_in_every_form(text: object, units: int) -> None:
    assert paid(total_amount=text).total_units == units


@pytest.mark.parametrize("text", ["12,50", "abc", "NaN", "Infinity", "1e999", "9" * 30, "²", True, [1], {"a": 1}])
def test_an_amount_that_is_none_makes_the_order_unreadable(text: object) -> None:
    found = read_order(ORDER | {"payment": {"total_amount": text}})
    assert isinstance(found, Unreadable)
    assert "total_amount" in found.reason
    assert found.id == ORDER["id"]


@pytest.mark.parametrize("spelling", ["CANCEL", "CANCELLED", "cancelled", "CANCELED "])
def test_the_spellings_of_cancelled_are_one_status(spelling: str) -> None:
    order = read(status=spelling, line_items=[LINE | {"display_status": spelling}])
    assert (order.status, order.lines[0].status) == ("CANCELLED", "CANCELLED")


def test_an_unknown_status_is_kept_as_it_came() -> None:
    assert read(status="WAITING_FOR_GODOT").status == "WAITING_FOR_GODOT"


def test_a_number_for_an_id_keeps_all_its_digits() -> None:
    raw = orjson.loads(b'{"id":576653688135258178,"line_items":[{"id":9223372036854775807,"sku_id":1}]}')
    order = read_order(raw)
    assert isinstance(order, Order)
    assert (order.id, order.lines[0].id, order.lines[0].sku_id) == ("576653688135258178", "9223372036854775807", "1")


@pytest.mark.parametrize("bad_id", [None, "", 5.7e17, True, [], {}])
def test_an_order_or_a_line_without_an_id_is_unreadable(bad_id: object) -> None:
    assert isinstance(read_order(ORDER | {"id": bad_id}), Unreadable)
    assert isinstance(read_order(ORDER | {"line_items": [LINE, LINE | {"id": bad_id}]}), Unreadable)


def test_what_is_told_about_an_unreadable_order_holds_nothing_personal() -> None:
    found = read_order(ORDER | {"line_items": ["nonsense"]})
    assert isinstance(found, Unreadable)
    assert "AWAITING_SHIPMENT" in found.excerpt
    assert "recipient_address" in found.excerpt
    assert "Rossi" not in str(found)


def test_a_bundle_names_the_skus_whose_stock_moves() -> None:
    parts = [{"sku_id": "2", "sku_count": 1}, {"sku_id": "1", "sku_count": 2}, {"sku_id": "1"}]
    assert read(line_items=[LINE | {"combined_listing_skus": parts}]).lines[0].components == (("1", 3), ("2", 1))
    assert isinstance(read_order(ORDER | {"line_items": [LINE | {"combined_listing_skus": [{}]}]}), Unreadable)


def test_equal_content_has_an_equal_digest() -> None:
    again = copy.deepcopy(ORDER)
    again["line_items"].reverse()
    again["line_items"].append(copy.deepcopy(again["line_items"][0]))
    again |= {"buyer_message": "please hurry", "rts_time": 0, "cancel_reason": None, "unknown_field": [1]}
    order = read_order(again)
    assert isinstance(order, Order)
    assert order.digest == read().digest
    assert order == read()


@pytest.mark.parametrize(
    "change",
    [
        {"status": "IN_TRANSIT"},
        {"update_time": 1790003641},
        {"warehouse_id": "2"},
        {"line_items": [LINE]},
        {"line_items": [LINE, LINE | {"id": "576653688135300002", "display_status": "CANCELLED"}]},
        {"payment": {"total_amount": "40.91"}},
    ],
)
def test_any_change_that_we_keep_changes_the_digest(change: dict[str, Any]) -> None:
    assert read(**change).digest != read().digest


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value inside a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def changed(value: Any, path: tuple[Any, ...], new: object) -> Any:
    if not path:
        return new
    result = copy.copy(value)
    result[path[0]] = changed(value[path[0]], path[1:], new)
    return result


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(places(ORDER), key=str)), JSON_VALUES)
def test_no_damage_to_an_order_ever_raises(path: tuple[Any, ...], new: object) -> None:
    found = read_order(changed(ORDER, path, new))
    assert isinstance(found, Order | Unreadable)
    if isinstance(found, Order):
        assert found.id
        assert all(line.id for line in found.lines)
        assert abs(found.total_units) < 2**63


@settings(max_examples=200, deadline=None)
@given(JSON_VALUES)
def test_nothing_at_all_in_place_of_an_order_ever_raises(raw: object) -> None:
    assert isinstance(read_order(raw), Order | Unreadable)


def test_ten_thousand_orders_are_read_fast_enough_for_a_first_import() -> None:
    # The goal is 0.25 s of processor time; three times that still tells a lost fast path from a busy machine.
    page = orjson.dumps([ORDER | {"id": str(576653688135258178 + n)} for n in range(100)])
    started = time.process_time()
    for _ in range(100):
        assert len([read_order(raw) for raw in orjson.loads(page)]) == 100
    assert time.process_time() - started < 0.75

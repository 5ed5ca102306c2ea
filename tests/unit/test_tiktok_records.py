"""Shops, warehouses, products, stock and the answers to writes, as TikTok sends them or nearly so."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from core.tiktok import records, writes
from core.tiktok.errors import Outcome
from core.tiktok.models import Product, ShopInfo, SkuStock, Unreadable, Warehouse
from core.tiktok.writes import SetResult
from tests.unit.test_tiktok_orders import JSON_VALUES

PRODUCT: dict[str, Any] = {
    "id": "1729600000000000001",
    "title": "Linen shirt, relaxed fit",
    "status": "ACTIVATE",
    "audit": {"status": "APPROVED"},
    "create_time": 1760000000,
    "update_time": 1761000000,
    "main_images": [{"thumb_urls": ["https://images.example/small.jpg"], "urls": ["https://images.example/big.jpg"]}],
    "skus": [
        {
            "id": "1729600000000000011",
            "seller_sku": "LIN-S-WHT",
            "price": {"currency": "GBP", "tax_exclusive_price": "24.99"},
            "inventory": [{"warehouse_id": "73", "quantity": 12, "backorder_quantity": 4}, {"warehouse_id": "74"}],
            "status_info": {"status": "NORMAL"},
            "sales_attributes": [{"value_name": "White"}, {"value_name": "S"}],
            "identifier_code": {"code": "4006381333931", "type": "EAN"},
            "combined_skus": [{"sku_id": "9", "sku_count": 2}],
        }
    ],
}
STOCK: dict[str, Any] = {
    "id": "11",
    "seller_sku": "LIN-S-WHT",
    "total_available_quantity": 12,
    "total_committed_quantity": 3,
    "total_available_inventory_distribution": {
        "in_shop_inventory": {"quantity": 9},
        "campaign_inventory": [{"campaign_name": "Autumn", "quantity": 2}],
        "creator_inventory": [{"creator_name": "maya", "quantity": 1}],
    },
    "warehouse_inventory": [
        {"warehouse_id": "73", "available_quantity": 10, "committed_quantity": 3},
        {"warehouse_id": "74", "available_quantity": 2},
    ],
}


def product(**changes: Any) -> Product:
    found = records.read_product(PRODUCT | changes)
    assert isinstance(found, Product), found
    return found


def stock(**changes: Any) -> SkuStock:
    found = records.read_stock(STOCK | changes, "1")
    assert isinstance(found, SkuStock), found
    return found


def test_a_product_is_read_with_its_skus() -> None:
    shirt = product()
    (sku,) = shirt.skus
    assert (shirt.title, shirt.audit_status, shirt.image_url) == (
        "Linen shirt, relaxed fit",
        "APPROVED",
        "https://images.example/small.jpg",
    )
    assert (sku.price, sku.price_units, sku.currency) == (Decimal("24.99"), 249_900, "GBP")
    assert (sku.variant, sku.barcode, sku.product_id) == ("White, S", "4006381333931", PRODUCT["id"])
    assert sku.stock == {"73": 12}, "a warehouse without a number is unknown, not zero"
    assert sku.backorder == 4
    assert sku.components == (("9", 2),)


def test_the_sale_price_is_the_display_price_where_there_is_one() -> None:
    both = product(skus=[{"id": "1", "price": {"sale_price": "19.00", "tax_exclusive_price": "24.99"}}])
    assert both.skus[0].price_units == 190_000


def test_a_price_that_is_missing_is_none_and_not_zero() -> None:
    assert product(skus=[{"id": "1"}]).skus[0].price is None
    assert product(skus=[{"id": "1", "price": {"sale_price": "soon"}}]).skus[0].price_units is None


def test_stock_is_read_with_its_warehouses_and_what_campaigns_hold() -> None:
    found = stock()
    assert (found.available, found.committed) == (12, 3)
    assert (found.campaign_locked, found.creator_locked) == (2, 1)
    assert [(row.warehouse_id, row.available, row.committed) for row in found.warehouses] == [
        ("73", 10, 3),
        ("74", 2, 0),
    ]


def test_missing_totals_are_the_sums_of_the_warehouses() -> None:
    found = stock(total_available_quantity=None, total_committed_quantity=None)
    assert (found.available, found.committed) == (12, 3)


def test_stock_without_any_number_is_unknown_and_not_zero() -> None:
    found = records.read_stock({"id": "11"}, "1")
    assert isinstance(found, Unreadable)
    assert "available" in found.reason


def test_quantities_may_come_as_text() -> None:
    assert stock(total_available_quantity="7", total_committed_quantity=2.0).available == 7


def test_a_shop_without_a_cipher_cannot_be_used() -> None:
    whole = {
        "id": "7495540735365770001",
        "name": "Demo",
        "region": "IT",
        "seller_type": "LOCAL",
        "cipher": "ROW_made_up",
    }
    assert isinstance(records.read_shop(whole), ShopInfo)
    assert isinstance(records.read_shop(whole | {"cipher": ""}), Unreadable)


def test_a_warehouse_is_read_without_its_address() -> None:
    raw = {"id": "7", "name": "Main", "type": "SALES_WAREHOUSE", "is_default": True, "address": {"town": "Milano"}}
    assert records.read_warehouse(raw) == Warehouse("7", "Main", "SALES_WAREHOUSE", "", True)
    assert isinstance(records.read_warehouse({}), Unreadable)


def test_one_bad_record_does_not_spoil_the_page() -> None:
    good, bad = records.read_each([PRODUCT, None, {"title": "no id"}], records.read_product)
    assert [found.id for found in good] == [PRODUCT["id"]]
    assert [found.kind for found in bad] == ["product", "product"]


READERS = [
    records.read_product,
    records.read_shop,
    records.read_warehouse,
    records.read_webhook_address,
    lambda raw: records.read_stock(raw, "1"),
]


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=60, deadline=None)
@given(raw=JSON_VALUES)
def test_no_nonsense_ever_raises(reader: Any, raw: object) -> None:
    assert reader(raw) is not None
    assert (
        reader({"id": "1", "cipher": "c", "event_type": "e", "skus": [raw], "price": raw, "main_images": raw})
        is not None
    )
    assert reader(STOCK | {"warehouse_inventory": [raw], "total_available_inventory_distribution": raw}) is not None


# ---- writes


def test_a_stock_body_names_every_warehouse() -> None:
    assert writes.stock_body({"11": {"73": 7, "74": 0}, "12": {"": 5}}) == {
        "skus": [
            {"id": "11", "inventory": [{"warehouse_id": "73", "quantity": 7}, {"warehouse_id": "74", "quantity": 0}]},
            {"id": "12", "inventory": [{"quantity": 5}]},
        ]
    }


@pytest.mark.parametrize("quantity", [-1, 100_000, 1.5, "3", True, None])
def test_a_number_that_must_never_be_sent_is_refused_before_it_is(quantity: Any) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        writes.stock_body({"11": {"73": quantity}})


def test_a_sku_without_a_warehouse_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="warehouse"):
        writes.stock_body({"11": {}})


def test_a_price_body_has_the_decimals_of_its_currency() -> None:
    body = writes.price_body({"1": (Decimal("22.5"), "GBP"), "2": (Decimal("1200"), "JPY")})
    assert body == {
        "skus": [
            {"id": "1", "price": {"amount": "22.50", "currency": "GBP"}},
            {"id": "2", "price": {"amount": "1200", "currency": "JPY"}},
        ]
    }


@pytest.mark.parametrize(("amount", "currency"), [("12.5", "JPY"), ("1.005", "EUR"), ("0", "EUR"), ("-1", "EUR")])
def test_a_price_that_would_be_rounded_is_refused_before_it_is_sent(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match="price"):
        writes.price_body({"1": (Decimal(amount), currency)})


BOTH = frozenset({"11", "12"})


@pytest.mark.parametrize("data", [None, {}, {"errors": None}, {"errors": []}, []])
def test_no_errors_means_all_accepted(data: object) -> None:
    assert writes.read_result(BOTH, data, "r1") == SetResult(BOTH, {}, "r1")


def test_a_refused_sku_is_named_with_the_inner_reason_and_the_other_is_accepted() -> None:
    inner = {"code": 12052097, "message": "The warehouse does not exist", "warehouse_id": "79"}
    error = {"code": 12052990, "message": "Check failed", "detail": {"sku_id": 11, "extra_errors": [inner]}}
    result = writes.read_result(BOTH, {"errors": [error]}, "r1")
    assert result.accepted == {"12"}
    refusal = result.refused["11"]
    assert (refusal.code, refusal.request_id, refusal.outcome) == (12052097, "r1", Outcome.PERSON)
    assert "warehouse" in refusal.sentence


def test_a_promotion_asks_to_wait_and_not_for_a_person() -> None:
    error = {"code": "12052393", "message": "locked", "detail": {"sku_id": "12"}}
    assert writes.read_result(BOTH, {"errors": [error]}, "").refused["12"].outcome is Outcome.LATER


@pytest.mark.parametrize("error", [{"code": 1, "message": "?"}, {"detail": {"sku_id": "99"}}, "nonsense", None])
def test_an_error_that_names_no_sku_of_ours_leaves_none_accepted(error: object) -> None:
    result = writes.read_result(BOTH, {"errors": [error]}, "r1")
    assert result.accepted == frozenset()
    assert result.refused.keys() == BOTH


@settings(max_examples=100, deadline=None)
@given(JSON_VALUES)
def test_no_answer_to_a_write_ever_raises(raw: object) -> None:
    for data in (raw, {"errors": raw}, {"errors": [raw]}, {"errors": [{"detail": raw, "code": raw}]}):
        result = writes.read_result(BOTH, data, "")
        assert result.accepted | result.refused.keys() == BOTH

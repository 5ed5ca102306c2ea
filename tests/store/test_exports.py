"""Exports: what is in them, that they are safe to open, and that they are whole or not there."""

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text

from core import clock
from core.store import Store, open_store
from core.store.tables import Item, Listing, Order, OrderLine, SalesDay, Shop
from core.store.upsert import table, upsert
from core.sync import exports, imports, ledger
from core.sync.exports import ExportRefused, Kind, export, write

SHOP = {
    "id": "7", "auth": "a", "name": "=Shop", "region": "GB", "currency": "GBP", "timezone": "Europe/London",
    "practice": True, "mode": "watch", "connected_at": 1,
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with clock.turned():
        opened = open_store(f"sqlite:///{tmp_path / 'store.db'}")
        yield opened
        opened.close()


def text_of(store: Store, kind: str) -> str:
    stream = io.StringIO(newline="")
    write(store, kind, stream)
    return stream.getvalue()


def rows_of(store: Store, kind: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of(store, kind), newline="")))


def add_items(store: Store, *items: dict[str, Any]) -> None:
    empty = {"title": "", "variant": "", "currency": "", "barcode": "", "archived": False, "created_at": 1}
    empty |= {"price_units": None, "cost_units": None}  # type: ignore[dict-item]
    with store.write() as connection:
        connection.execute(insert(table(Item)), [empty | item for item in items])


def add_orders(store: Store) -> None:
    order = {"shop_id": "7", "update_time": 1_789_000_100, "day": "2026-09-10", "hour": 1, "currency": "GBP"}
    order |= {"first_seen_at": 1, "changed_at": 1, "buyer_key": "CANARY", "shipping_fee_units": 39_900}
    line = {"shop_id": "7", "sku_id": "1729", "seller_sku": "TEE-1", "title": "@Tee", "status": "DELIVERED"}
    line |= {"original_price_units": 200_000, "seller_discount_units": 20_000, "sale_price_units": 180_000}
    with store.write() as connection:
        upsert(connection, Shop, [SHOP])
        upsert(
            connection, Listing, [{"shop_id": "7", "sku_id": "1729", "product_id": "1", "title": "Tee", "seen_at": 1}]
        )
        summer = order | {"id": "576", "status": "DELIVERED", "create_time": 1_789_000_000, "total_units": 399_900}
        winter = order | {"id": "577", "status": "CANCELLED", "create_time": 1_797_000_000, "total_units": 39_900}
        upsert(connection, Order, [summer, winter])
        upsert(connection, OrderLine, [line | {"id": "1", "order_id": "576"}, line | {"id": "2", "order_id": "576"}])
        upsert(connection, OrderLine, [line | {"id": "3", "order_id": "577"}])
        day = {
            "shop_id": "7",
            "day": "2026-09-10",
            "sku_id": "1729",
            "currency": "GBP",
            "units": 2,
            "sales_units": 360_000,
        }
        upsert(connection, SalesDay, [day])


def test_items_are_exported_with_the_header_that_is_imported(store: Store) -> None:
    header = "sku,title,variant,price,currency,cost,barcode,on_hand"
    source = "\r\n".join([header, "0042,Mug,,12.00,GBP,,5012,7", "A,a,b,1.5050,GBP,0.10,,", ""])
    imports.apply(store, source.encode())
    assert text_of(store, "items") == source


def test_a_stock_below_zero_is_left_empty_in_the_file_that_is_read_back_and_shown_in_the_other(store: Store) -> None:
    imports.apply(store, b"sku,on_hand\nA,1\nB,0\n")
    ledger.record_sale(store, "A", 3, actor="owner")
    assert [row["on_hand"] for row in rows_of(store, "items")] == ["", "0"]
    assert [(row["sku"], row["on_hand"], row["available"]) for row in rows_of(store, "stock")] == [("A", "-2", "-2")]


def test_orders_are_one_row_a_unit_with_the_total_once_and_no_buyer(store: Store) -> None:
    add_orders(store)
    rows = rows_of(store, "orders")
    assert [(row["order_id"], row["line_id"], row["order_total"], row["shipping"]) for row in rows] == [
        ("576", "1", "39.99", "3.99"), ("576", "2", "", ""), ("577", "3", "3.99", "3.99"),
    ]  # fmt: skip
    assert [row["created"] for row in rows[1:]] == ["2026-09-10T01:26:40+01:00", "2026-12-11T14:40:00+00:00"]
    assert (rows[0]["original_price"], rows[0]["seller_discount"], rows[0]["price"]) == ("20.00", "2.00", "18.00")
    assert "CANARY" not in text_of(store, "orders")


def test_movements_and_sales_are_exported(store: Store) -> None:
    add_orders(store)
    imports.apply(store, b"sku,on_hand\nA,5\n", actor="owner")
    ledger.record_sale(store, "A", 2, actor="owner", note="=cmd()")
    rows = rows_of(store, "movements")
    assert [(row["sku"], row["on_hand"], row["reason"], row["note"]) for row in rows] == [
        ("A", "5", "count", ""), ("A", "-2", "own sale", "'=cmd()"),
    ]  # fmt: skip
    assert rows[0]["at"] == "2026-09-21T15:13:20+01:00"
    assert rows_of(store, "sales") == [
        {"day": "2026-09-10", "shop": "'=Shop", "sku_id": "1729", "seller_sku": "", "title": "Tee", "variant": "",
         "units": "2", "sales": "36.00", "currency": "GBP"}
    ]  # fmt: skip


def test_no_cell_of_marketplace_text_is_a_formula(store: Store) -> None:
    add_orders(store)
    assert {row["title"] for row in rows_of(store, "orders")} == {"'@Tee"}
    assert {row["shop"] for row in rows_of(store, "orders")} == {"'=Shop"}


@pytest.mark.parametrize("kind", list(Kind))
def test_an_empty_store_gives_a_header(store: Store, kind: Kind) -> None:
    assert text_of(store, kind).count("\r\n") == 1


def test_without_a_shop_or_with_shops_in_several_zones_times_are_utc(store: Store) -> None:
    imports.apply(store, b"sku,on_hand\nA,5\n")
    assert rows_of(store, "movements")[0]["at"] == "2026-09-21T14:13:20+00:00"
    with store.write() as connection:
        upsert(connection, Shop, [SHOP, SHOP | {"id": "8", "timezone": "Asia/Tokyo"}])
    assert rows_of(store, "movements")[0]["at"] == "2026-09-21T14:13:20+00:00"


# The file


def test_a_file_is_written_whole_with_a_mark_when_asked(store: Store, tmp_path: Path) -> None:
    imports.apply(store, "sku,title\nA,Müsli\n".encode())
    plain = export(store, "items", tmp_path / "new folder" / "items.csv")
    marked = export(store, Kind.ITEMS, tmp_path / "marked.csv", bom=True)
    assert (plain.rows, marked.rows) == (1, 1)
    assert marked.file.read_bytes() == b"\xef\xbb\xbf" + plain.file.read_bytes()
    assert os.listdir(plain.file.parent) == ["items.csv"]


def test_a_file_that_exists_is_kept_unless_forced(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("mine")
    with pytest.raises(ExportRefused, match=r"There is a file .* already"):
        export(store, "items", file)
    assert file.read_text() == "mine"
    export(store, "items", file, force=True)
    assert file.read_text().startswith("sku,")


def test_a_file_that_appears_meanwhile_is_kept(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "items.csv"
    real = exports.write

    def slow(*given: Any) -> int:
        file.write_text("mine")
        return real(*given)

    monkeypatch.setattr(exports, "write", slow)
    with pytest.raises(ExportRefused, match="already"):
        export(store, "items", file)
    assert file.read_text() == "mine"


@pytest.mark.parametrize("failing", ["mkstemp", "fsync", "link"])
def test_a_failure_leaves_no_file_and_no_remains(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def full(*_given: Any, **_named: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports.tempfile if failing == "mkstemp" else os, failing, full)
    monkeypatch.setattr(Path, "replace", full)
    folder = tmp_path / "exports"
    with pytest.raises(ExportRefused, match="No space left on device"):
        export(store, "items", folder / "items.csv")
    assert os.listdir(folder) == []


def test_an_error_half_way_leaves_the_old_file(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_store: Store, _kind: str, stream: Any) -> int:
        stream.write("half")
        raise RuntimeError("boom")

    file = tmp_path / "exports" / "items.csv"
    export(store, "items", file)
    before = file.read_bytes()
    monkeypatch.setattr(exports, "write", breaks)
    with pytest.raises(RuntimeError):
        export(store, "items", file, force=True)
    assert file.read_bytes() == before
    assert os.listdir(file.parent) == ["items.csv"]


# There and back


_NASTY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufffd"), max_size=12)
_STARTS = st.sampled_from(["=", "'", "''", "+", "-", "@", "\t", "\r", " =", "＝"])
_FULL = st.one_of(_NASTY, st.builds(lambda a, b: a + b, _STARTS, _NASTY)).filter(lambda value: value.strip() != "")
_TEXTS = st.just("") | _FULL  # a cell of blanks alone counts as empty
_MONEY = st.none() | st.integers(0, 10**10)
_ITEMS = st.lists(
    st.fixed_dictionaries(
        {"sku": _FULL, "title": _TEXTS, "variant": _TEXTS, "price_units": _MONEY, "cost_units": _MONEY,
         "currency": st.sampled_from(["", "GBP", "JPY"]), "barcode": st.from_regex(r"(0[0-9]{11})?", fullmatch=True)}
    ),
    min_size=1, max_size=6, unique_by=lambda item: item["sku"],
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_ITEMS, st.booleans())
def test_an_export_of_items_read_back_changes_nothing(store: Store, items: list[dict[str, Any]], bom: bool) -> None:
    with store.write() as connection:
        connection.execute(text("DELETE FROM item"))
    add_items(store, *items)
    seen = imports.preview(store, text_of(store, "items").encode("utf-8-sig" if bom else "utf-8"))
    assert [str(finding) for finding in seen.findings if finding.level != "warning"] == []
    assert (seen.unchanged, seen.new, seen.changed) == (len(items), 0, 0)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_ITEMS)
def test_an_export_of_items_makes_the_same_items_in_an_empty_store(store: Store, items: list[dict[str, Any]]) -> None:
    query = text("SELECT sku, title, variant, price_units, cost_units, currency, barcode FROM item ORDER BY id")
    with store.write() as connection:
        connection.execute(text("DELETE FROM run_row"))
        connection.execute(text("DELETE FROM item"))
    add_items(store, *[item | {"title": item["title"] or item["sku"]} for item in items])
    with store.read() as connection:
        before = connection.execute(query).all()
    written = text_of(store, "items").encode()
    with store.write() as connection:
        connection.execute(text("DELETE FROM item"))
    imports.apply(store, written)
    with store.read() as connection:
        assert [tuple(row) for row in connection.execute(query)] == [tuple(row) for row in before]


def test_a_hundred_thousand_rows_are_streamed(store: Store, tmp_path: Path) -> None:
    import tracemalloc

    add_items(store, *[{"sku": f"S{number}", "title": "x" * 100} for number in range(100_000)])
    tracemalloc.start()
    try:
        assert export(store, "items", tmp_path / "large.csv").rows == 100_000
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()

"""What TikTok showed is kept whenever it changed, and forgotten when the owner no longer wants it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core.store.engine import Store, open_store
from core.sync import observe
from core.tiktok.models import SkuStock, WarehouseStock
from tests.store.books import COUNTED_AT, furnish, shop


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    with opened.write() as connection:
        furnish(connection)
    yield opened
    opened.close()


def read(store: Store, second: int, **shown: int) -> int:
    """TikTok is read to show so many units of these SKUs. Returns how many differed."""
    stocks = {
        sku: SkuStock(sku, f"P{sku}", sku, units, 0, (WarehouseStock("W", units, 0),), 0, 0)
        for sku, units in shown.items()
    }
    with store.write() as connection:
        return observe.record(connection, shop(store), stocks, COUNTED_AT + second * 1000)


def kept(store: Store) -> list[tuple[str, int, int]]:
    """Readings kept as (SKU, second, units)."""
    with store.read() as connection:
        rows = connection.execute(text("SELECT sku_id, at, available FROM shown ORDER BY sku_id, at")).all()
    return [(row.sku_id, (row.at - COUNTED_AT) // 1000, row.available) for row in rows]


def test_a_reading_is_kept_when_it_differs_from_the_last_one(store: Store) -> None:
    assert read(store, 1, A=5, C=9) == 2
    assert read(store, 2, A=5, C=8) == 1
    assert read(store, 3, A=5, C=8) == 0
    assert kept(store) == [("A", 1, 5), ("C", 1, 9), ("C", 2, 8)]


def test_a_reading_that_was_overtaken_is_not_kept(store: Store) -> None:
    read(store, 5, A=5)
    read(store, 4, A=9)
    assert kept(store) == [("A", 5, 5)]


def test_old_readings_go_but_for_the_one_that_still_held_then(store: Store) -> None:
    for second, units in ((1, 9), (2, 8), (3, 7), (9, 6)):
        read(store, second, A=units)
    read(store, 1, C=4)
    observe.forget_old(store, COUNTED_AT + 5_000)
    assert kept(store) == [("A", 3, 7), ("A", 9, 6), ("C", 1, 4)]
    observe.forget_old(store, COUNTED_AT + 9_000)
    assert kept(store) == [("A", 9, 6), ("C", 1, 4)]

"""Rows put straight into a store, for tests of what pages read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from core.store.engine import Store, open_store
from core.store.tables import Shop
from core.store.upsert import table

SHOP = "s"


def put(store: Store, model: Any, *rows: dict[str, Any]) -> None:
    """Insert rows with the model's own defaults."""
    made = [{k: v for k, v in model(**row).model_dump().items() if not (k == "id" and v is None)} for row in rows]
    with store.write() as connection:
        connection.execute(insert(table(model)), made)


def shop(**more: Any) -> dict[str, Any]:
    plain = {"id": SHOP, "auth": "a", "name": "Hazel", "region": "GB", "currency": "GBP", "timezone": "UTC"}
    return plain | {"connected_at": 1} | more


def order(key: str, status: str, at: int, **more: Any) -> dict[str, Any]:
    """An order placed at `at` seconds and known here in the same second."""
    plain = {"id": key, "shop_id": SHOP, "status": status, "update_time": at, "create_time": at, "day": "2026-09-21"}
    known = {"hour": 9, "currency": "GBP", "units": 1, "first_seen_at": at * 1000, "changed_at": at * 1000}
    return plain | known | more


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with one shop in it."""
    opened = open_store(f"sqlite:///{tmp_path / 'evenstock.db'}")
    put(opened, Shop, shop())
    yield opened
    opened.close()

"""A store as it is after years of use, written directly and kept between runs; its sums are those of its lines."""

import hashlib
import random
import sqlite3
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from core import clock
from core.store.engine import open_store
from core.sync import aims
from tests.bench.harness import ROOT, cache

SHOP = "7495540735365770101"
DAY = 86_400
DAYS = 730
_STATUS = ["COMPLETED"] * 88 + ["CANCELLED"] * 6 + ["DELIVERED"] * 3 + ["IN_TRANSIT"] * 2 + ["AWAITING_SHIPMENT"]
_STATES = ("AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", "COMPLETED")


_SCHEMA = ROOT / "core" / "store" / "migrations" / "versions"


def big_store(*, skus: int, lines: int) -> Path:
    """The file of a store with so many listings and order lines; made anew each day and when the schema changes."""
    steps = b"".join(step.read_bytes() for step in sorted(_SCHEMA.glob("[0-9]*.py")))
    version = hashlib.sha256(steps).hexdigest()[:8]
    path = cache() / f"store-{skus}-{lines}-{version}.db"
    if not path.exists() or time.time() - path.stat().st_mtime > DAY:
        for old in path.parent.glob(f"store-{skus}-{lines}-*"):
            old.unlink()
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        open_store(f"sqlite:///{draft.as_posix()}").close()
        database = sqlite3.connect(draft, isolation_level=None)
        for pragma in ("journal_mode=off", "synchronous=off", "cache_size=-262144"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("BEGIN")
        _fill(database, skus, lines)
        database.execute("COMMIT")
        database.execute("PRAGMA journal_mode=wal")
        database.close()
        _aim(draft)
        draft.replace(path)
    return path


def _aim(path: Path) -> None:
    store = open_store(f"sqlite:///{path.as_posix()}")
    with store.write() as connection:
        aims.of_listings(connection, SHOP, aims.astray(connection, SHOP))
    store.close()


def _fill(database: sqlite3.Connection, skus: int, lines: int) -> None:
    dice = random.Random(7)
    now = clock.now()
    _put(database, "shop", iter([{
        "id": SHOP, "auth": "practice", "name": "Bench", "region": "GB", "currency": "GBP", "timezone": "Europe/London",
        "practice": True, "mode": "live", "connected_at": (now - DAYS * DAY) * 1000,
    }]))  # fmt: skip
    _put(database, "warehouse", ({
        "shop_id": SHOP, "id": str(n), "name": f"Warehouse {n}", "kind": "SALES_WAREHOUSE", "enabled": True,
        "is_default": n == 1, "location_id": 1,
    } for n in (1, 2)))  # fmt: skip
    _goods(database, dice, skus, now)
    if lines:
        _orders(database, dice, skus, lines, now)
        _sums(database)
    _history(database, dice, skus, now)


def _goods(database: sqlite3.Connection, dice: random.Random, skus: int, now: int) -> None:
    """One item a listing; two in a hundred listings differ, some have no item, some show unexplained units."""
    on_hand = [dice.randrange(0, 200) for _ in range(skus)]
    reserved = [dice.randrange(0, 3) if units > 3 else 0 for units in on_hand]
    shown = [
        max(0, units - held) + (dice.choice((-1, 1)) if units > 3 and dice.random() < 0.02 else 0)
        for units, held in zip(on_hand, reserved, strict=True)
    ]
    ms = now * 1000
    _put(database, "item", ({
        "id": n + 1, "sku": f"SKU-{n:06d}", "title": f"Product {n // 3} in a plain box", "variant": f"Size {n % 3}",
        "price_units": 199_000, "currency": "GBP", "barcode": "", "archived": False, "counted_at": ms, "created_at": ms,
    } for n in range(skus)))  # fmt: skip
    _put(database, "listing", ({
        "shop_id": SHOP, "sku_id": sku_id(n), "product_id": str(10**12 + n // 3), "seller_sku": f"SKU-{n:06d}",
        "title": f"Product {n // 3} in a plain box", "variant": f"Size {n % 3}", "price_units": 199_000,
        "currency": "GBP", "status": "ACTIVATE", "picture_url": "", "seen_at": ms, "gone": False,
        "available": shown[n], "committed": reserved[n], "observed_at": ms, "open_units": reserved[n],
        "shipped_units": 100, "base_available": shown[n], "base_open": reserved[n], "base_shipped": 100, "base_at": ms,
        "settled_at": ms,
    } for n in range(skus)))  # fmt: skip
    _put(database, "stock", ({
        "shop_id": SHOP, "sku_id": sku_id(n), "warehouse_id": "1", "available": shown[n], "committed": reserved[n],
    } for n in range(skus)))  # fmt: skip
    _put(database, "link", ({
        "shop_id": SHOP, "sku_id": sku_id(n), "item_id": n + 1, "quantity": 1, "origin": "same SKU", "created_at": ms,
    } for n in range(skus) if n % 100))  # fmt: skip
    _put(database, "level", ({
        "item_id": n + 1, "location_id": 1, "on_hand": on_hand[n], "reserved": reserved[n],
    } for n in range(skus)))  # fmt: skip
    _put(database, "movement", ({
        "item_id": n + 1, "location_id": 1, "on_hand": on_hand[n], "reserved": reserved[n], "reason": "count",
        "origin": "file", "reference": f"first:{n}", "actor": "bench", "at": ms, "note": "",
    } for n in range(skus)))  # fmt: skip


def sku_id(number: int) -> str:
    """The id of the n-th listing."""
    return str(17 * 10**17 + number)


def _orders(database: sqlite3.Connection, dice: random.Random, skus: int, lines: int, now: int) -> None:
    orders = _order_rows(dice, lines, now)
    kept: list[tuple[str, str, int, int]] = []
    _put(database, "orders", (_noted(order, kept) for order in orders))
    _put(database, "order_line", _line_rows(dice, skus, kept))


def _noted(order: dict[str, Any], kept: list[tuple[str, str, int, int]]) -> dict[str, Any]:
    kept.append((order["id"], order["status"], order["units"], order["create_time"]))
    return order


def _order_rows(dice: random.Random, lines: int, now: int) -> Iterator[dict[str, Any]]:
    step = DAYS * DAY / (lines / 1.5)  # the units below average one and a half
    number, made = 0, 0
    while made < lines:
        units = min(lines - made, dice.choice((1, 1, 1, 1, 1, 1, 2, 2, 2, 3)))
        made += units
        at = min(now - 60, int(now - DAYS * DAY + number * step))
        number += 1
        # The newest orders are still on their way.
        status = _STATUS[dice.randrange(100)] if at < now - 5 * DAY else "AWAITING_SHIPMENT"
        stamp = _stamp(at)
        yield {
            "id": str(576_000_000_000_000_000 + number), "shop_id": SHOP, "status": status, "update_time": at + 3600,
            "progress": 7000, "digest": f"{number:032x}", "create_time": at, "paid_time": at + 60,
            "rts_time": at + DAY, "day": stamp[0], "hour": stamp[1], "currency": "GBP", "total_units": 199_000 * units,
            "shipping_fee_units": 0, "seller_discount_units": 0, "platform_discount_units": 0, "units": units,
            "buyer_key": f"{number % 200_000:016x}", "fulfillment_type": "FULFILLMENT_BY_SELLER", "is_sample": False,
            "is_replacement": False, "cancel_reason": "", "source": "poll", "first_seen_at": at * 1000 + 4000,
            "changed_at": at * 1000 + 4000,
        }  # fmt: skip


def _stamp(at: int) -> tuple[str, int]:
    moment = time.gmtime(at)
    return f"{moment.tm_year}-{moment.tm_mon:02d}-{moment.tm_mday:02d}", moment.tm_hour


def _line_rows(dice: random.Random, skus: int, orders: list[tuple[str, str, int, int]]) -> Iterator[dict[str, Any]]:
    number = 0
    for order_id, status, units, at in orders:
        for _ in range(units):
            number += 1
            n = int(skus * dice.random() ** 2)  # a few sell often
            yield {
                "id": str(576_900_000_000_000_000 + number), "order_id": order_id, "shop_id": SHOP,
                "sku_id": sku_id(n), "product_id": str(10**12 + n // 3), "seller_sku": f"SKU-{n:06d}",
                "title": f"Product {n // 3} in a plain box", "variant": f"Size {n % 3}", "status": status,
                "shipped": status in _STATES, "shipped_time": at + DAY if status in _STATES else None,
                "original_price_units": 199_000, "sale_price_units": 189_000, "seller_discount_units": 10_000,
                "platform_discount_units": 0, "is_gift": False, "components": "",
            }  # fmt: skip


def _sums(database: sqlite3.Connection) -> None:
    counted = "o.status NOT IN ('CANCELLED', 'UNPAID') AND l.status <> 'CANCELLED'"
    database.execute(
        "INSERT INTO sales_day (shop_id, day, sku_id, currency, units, sales_units) "
        "SELECT o.shop_id, o.day, l.sku_id, o.currency, count(*), "
        "sum(l.original_price_units - l.seller_discount_units) "
        f"FROM orders o JOIN order_line l ON l.order_id = o.id WHERE {counted} GROUP BY 1, 2, 3, 4"
    )
    database.execute(
        "INSERT INTO sales_hour (shop_id, day, hour, currency, orders, units, sales_units, cancelled, unpaid) "
        "SELECT shop_id, day, hour, currency, sum(status NOT IN ('CANCELLED', 'UNPAID')), "
        "sum(CASE WHEN status IN ('CANCELLED', 'UNPAID') THEN 0 ELSE units END), "
        "sum(CASE WHEN status IN ('CANCELLED', 'UNPAID') THEN 0 ELSE units * 189000 END), "
        "sum(status = 'CANCELLED'), sum(status = 'UNPAID') FROM orders GROUP BY 1, 2, 3, 4"
    )
    database.execute(
        "INSERT INTO movement (item_id, location_id, on_hand, reserved, reason, origin, reference, actor, at, note) "
        "SELECT k.item_id, 1, 0, 0, 'shipped', 'tiktok', l.id, '', o.changed_at, '' FROM order_line l "
        "JOIN orders o ON o.id = l.order_id JOIN link k ON k.shop_id = l.shop_id AND k.sku_id = l.sku_id"
    )


def _history(database: sqlite3.Connection, dice: random.Random, skus: int, now: int) -> None:
    """What the loop left: 50,000 changes sent, a queue at rest, runs and their rows."""
    ms = now * 1000
    _put(database, "outbox", ({
        "shop_id": SHOP, "sku_id": sku_id(n), "generation": 3, "state": "idle", "dirty_at": ms, "due_at": 0,
        "attempts": 0, "claimed_by": "", "claimed_until": 0, "reason": "an order changed the stock", "note": "",
    } for n in range(skus)))  # fmt: skip
    _put(database, "push", ({
        "shop_id": SHOP, "sku_id": sku_id(dice.randrange(skus)), "product_id": str(10**12), "generation": 1,
        "target": 5, "wanted": '{"1": 5}', "read_available": 6, "read_committed": 0, "read_open": 0,
        "read_shipped": 0, "dirty_at": ms - n * 60_000, "intent_at": ms - n * 60_000, "answered_at": ms - n * 60_000,
        "confirmed_at": ms - n * 60_000 + 300, "outcome": "confirmed", "request_id": "x", "sentence": "",
    } for n in range(50_000, 0, -1)))  # fmt: skip
    _put(database, "run", ({
        "id": n, "kind": ("sync all", "push", "resync")[n % 3], "shop_id": SHOP, "trigger": "timer",
        "status": "failed" if n % 50 == 0 else "done", "started_at": ms - (20_000 - n) * 300_000,
        "ended_at": ms - (20_000 - n) * 300_000 + 900, "done": 1, "total": 1, "counts": '{"new": 3}',
        "sentence": "3 new orders.", "next_step": "", "request_id": "",
    } for n in range(1, 20_000)))  # fmt: skip
    _put(database, "run_row", ({
        "run_id": 1 + n % 19_000, "entity": sku_id(n % skus), "field": "available", "old": "5", "new": "4",
        "result": "confirmed", "sentence": "",
    } for n in range(100_000)))  # fmt: skip
    _put(database, "cursor", ({
        "source": f"{name}:{SHOP}", "value": now, "moved_at": ms,
    } for name in ("orders", "stock", "products", "catalog")))  # fmt: skip


def _put(database: sqlite3.Connection, table: str, rows: Iterator[dict[str, Any]]) -> None:
    while batch := list(islice(rows, 10_000)):
        names = list(batch[0])
        marks = ", ".join("?" * len(names))
        database.executemany(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", [tuple(row.values()) for row in batch]
        )

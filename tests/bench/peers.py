"""What a shop owner would write instead: the same signed requests and the same tables with requests and sqlite3."""

import hashlib
import hmac
import json
import sqlite3
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from core.practice import CREDENTIALS
from tests.bench.desk import sign_in

_SEARCH = "/order/202309/orders/search"
ORDER_FIELDS = (
    "id", "status", "create_time", "update_time", "paid_time", "rts_time", "cancel_time", "user_id", "currency",
    "total", "shipping_fee", "seller_discount", "platform_discount", "fulfillment_type", "is_sample", "is_replacement",
    "cancel_reason", "units", "day", "hour",
)  # fmt: skip
LINE_FIELDS = (
    "id", "order_id", "sku_id", "product_id", "seller_sku", "title", "variant", "status", "rts_time", "original_price",
    "sale_price", "seller_discount", "platform_discount", "is_gift",
)  # fmt: skip


class Script:
    """One session with requests: sign, send, parse."""

    def __init__(self, url: str) -> None:
        _, tokens = sign_in(url)
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({"content-type": "application/json", "x-tts-access-token": tokens.access_token})
        shops = self.call("GET", "/authorization/202309/shops", {}, None)
        self.cipher = shops["shops"][0]["cipher"]

    def copy(self) -> "Script":
        """The same sign-in over a connection of its own, for another thread."""
        twin = Script.__new__(Script)
        twin.url, twin.cipher, twin.session = self.url, self.cipher, requests.Session()
        twin.session.trust_env = False
        twin.session.headers.update(self.session.headers)
        return twin

    def call(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        """One signed call; raises on anything but success."""
        content = json.dumps(body).encode() if body else b""
        query = query | {"app_key": CREDENTIALS.app_key, "timestamp": str(int(time.time()))}
        pairs = "".join(key + query[key] for key in sorted(query))
        secret = CREDENTIALS.app_secret.encode()
        query["sign"] = hmac.new(
            secret, secret + path.encode() + pairs.encode() + content + secret, hashlib.sha256
        ).hexdigest()
        answer = self.session.request(method, f"{self.url}{path}?{urlencode(query)}", data=content)
        if answer.status_code == 429:
            raise TooFast
        found = answer.json()
        if found["code"] != 0:
            raise RuntimeError(found)
        return found["data"]

    def pages(self, window: dict[str, int]) -> Iterator[dict[str, Any]]:
        """Every page of orders, oldest change first."""
        token = ""
        while True:
            query = {
                "page_size": "100", "sort_field": "update_time", "sort_order": "ASC", "shop_cipher": self.cipher,
            }  # fmt: skip
            data = self.call("POST", _SEARCH, query | ({"page_token": token} if token else {}), window)
            yield data
            token = data.get("next_page_token") or ""
            if not token:
                return


class TooFast(Exception):
    """The shop answered 429."""


def open_tables(path: Path) -> sqlite3.Connection:
    """Two tables, keyed by id, with write-ahead logging."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=wal")
    database.execute("PRAGMA synchronous=normal")
    database.execute(f"CREATE TABLE orders ({', '.join(ORDER_FIELDS)}, PRIMARY KEY (id))")
    database.execute(f"CREATE TABLE lines ({', '.join(LINE_FIELDS)}, PRIMARY KEY (id))")
    database.execute("CREATE INDEX lines_order ON lines (order_id)")
    database.execute("CREATE TABLE state (name PRIMARY KEY, value)")
    return database


def ingest(script: Script, database: sqlite3.Connection) -> int:
    """All orders, page by page, each page with its resume point in one transaction; safe to repeat."""
    add_order, add_line = _upsert("orders", ORDER_FIELDS), _upsert("lines", LINE_FIELDS)
    seen = 0
    for page in script.pages({"update_time_lt": int(time.time()) + 1}):
        database.execute("BEGIN IMMEDIATE")
        database.executemany(add_order, [_order(raw) for raw in page["orders"]])
        database.executemany(add_line, [_line(raw, line) for raw in page["orders"] for line in raw["line_items"]])
        database.execute("INSERT OR REPLACE INTO state VALUES ('resume', ?)", (page["orders"][-1]["update_time"],))
        database.execute("COMMIT")
        seen += len(page["orders"])
    return seen


def _upsert(table: str, fields: tuple[str, ...]) -> str:
    updates = ", ".join(f"{name} = excluded.{name}" for name in fields[1:])
    marks = ", ".join("?" * len(fields))
    return f"INSERT INTO {table} VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {updates}"


def _order(raw: dict[str, Any]) -> tuple[Any, ...]:
    pay = raw["payment"]
    placed = time.gmtime(raw["create_time"])
    return (
        raw["id"], raw["status"], raw["create_time"], raw["update_time"], raw.get("paid_time"), raw.get("rts_time"),
        raw.get("cancel_time"), raw["user_id"], pay["currency"], _money(pay["total_amount"]),
        _money(pay["shipping_fee"]), _money(pay["seller_discount"]), _money(pay["platform_discount"]),
        raw["fulfillment_type"], raw.get("is_sample_order", False), raw["is_replacement_order"],
        raw.get("cancel_reason"), len(raw["line_items"]), time.strftime("%Y-%m-%d", placed), placed.tm_hour,
    )  # fmt: skip


def _line(raw: dict[str, Any], line: dict[str, Any]) -> tuple[Any, ...]:
    return (
        line["id"], raw["id"], line["sku_id"], line["product_id"], line["seller_sku"], line["product_name"],
        line["sku_name"], line["display_status"], line.get("rts_time"), _money(line["original_price"]),
        _money(line["sale_price"]), _money(line["seller_discount"]), _money(line["platform_discount"]), line["is_gift"],
    )  # fmt: skip


def _money(text: str) -> int:
    return int(Decimal(text) * 10_000)

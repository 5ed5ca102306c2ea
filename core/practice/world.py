"""The practice shop's own database: one SQLite connection, one lock, and every change in a transaction."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE products (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, status TEXT NOT NULL, category TEXT NOT NULL, brand TEXT NOT NULL,
    description TEXT NOT NULL, create_time INTEGER NOT NULL, update_time INTEGER NOT NULL, ink TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX products_by_update ON products (update_time);
CREATE TABLE skus (
    id TEXT PRIMARY KEY, product_id TEXT NOT NULL, position INTEGER NOT NULL, seller_sku TEXT NOT NULL,
    own_sku TEXT NOT NULL, variant TEXT NOT NULL, colour TEXT NOT NULL, size TEXT NOT NULL, price INTEGER NOT NULL,
    barcode TEXT NOT NULL, locked INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX skus_by_product ON skus (product_id, position);
CREATE INDEX skus_by_seller_sku ON skus (seller_sku);
CREATE TABLE stock (
    sku_id TEXT NOT NULL, warehouse_id TEXT NOT NULL,
    available INTEGER NOT NULL CHECK (available >= 0), committed INTEGER NOT NULL CHECK (committed >= 0),
    PRIMARY KEY (sku_id, warehouse_id)
) WITHOUT ROWID;
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, create_time INTEGER NOT NULL, update_time INTEGER NOT NULL, status TEXT NOT NULL,
    warehouse_id TEXT NOT NULL, by_hand INTEGER NOT NULL, returned INTEGER NOT NULL,
    due_at REAL, due_action TEXT, body BLOB NOT NULL
);
CREATE TABLE codes (code TEXT PRIMARY KEY, expires_at REAL NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE grants (id INTEGER PRIMARY KEY, ends_at REAL NOT NULL, revoked INTEGER NOT NULL,
    scopes TEXT NOT NULL);
CREATE TABLE tokens (
    token TEXT PRIMARY KEY, kind TEXT NOT NULL, grant_id INTEGER NOT NULL, expires_at REAL NOT NULL,
    spent INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE webhooks (
    event_type TEXT PRIMARY KEY, address TEXT NOT NULL, create_time INTEGER NOT NULL, update_time INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY, event_type TEXT NOT NULL, address TEXT NOT NULL, body BLOB NOT NULL,
    attempts INTEGER NOT NULL, due_at REAL NOT NULL
);
"""

# Built after the first orders are in: that is twice as fast for a million of them.
ORDER_INDEXES = """
CREATE INDEX orders_by_update ON orders (update_time, id);
CREATE INDEX orders_by_create ON orders (create_time, id);
CREATE INDEX orders_by_status ON orders (status, update_time, id);
CREATE INDEX orders_due ON orders (due_at) WHERE due_at IS NOT NULL;
"""


class World:
    """All that the practice shop remembers. One connection; `write` and `read` take the one lock."""

    def __init__(self, path: str | Path, furnish: Callable[[World], None]) -> None:
        """Opens the shop at `path` (":memory:" keeps it in memory); a new one is filled by `furnish` first."""
        self.path = str(path)
        self._lock = threading.RLock()
        self._depth = 0
        if self.path == ":memory:":
            self._db = self._open(self.path)
            self._fill(furnish)
            return
        if not Path(self.path).exists():
            self._create(furnish)
        self._db = self._open(self.path)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction; a nested one joins the outer."""
        with self._lock:
            if self._depth:
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            else:
                self._db.execute("COMMIT")
            finally:
                self._depth = 0

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The connection under the lock, for reading."""
        with self._lock:
            yield self._db

    def get(self, key: str) -> Any:
        """A remembered value, or None."""
        with self.read() as db:
            row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else orjson.loads(row[0])

    def put(self, key: str, value: Any) -> None:
        """Remembers a value."""
        with self.write() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, orjson.dumps(value).decode()))

    def next_number(self, name: str) -> int:
        """The next of a counted row of numbers, from 1."""
        with self.write() as db:
            db.execute(
                "INSERT INTO meta VALUES (?, '1') ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
                (f"number:{name}",),
            )
            return int(db.execute("SELECT value FROM meta WHERE key = ?", (f"number:{name}",)).fetchone()[0])

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    @staticmethod
    def _open(path: str) -> sqlite3.Connection:
        db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=5)
        db.execute("PRAGMA page_size = 8192")
        db.execute("PRAGMA cache_size = -65536")
        return db

    def _create(self, furnish: Callable[[World], None]) -> None:
        """Fills a draft beside the file and renames it at the end: a kill never leaves half a shop."""
        draft = Path(self.path + ".new")
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        self._db = self._open(str(draft))
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._fill(furnish)
        self._db.close()
        draft.replace(self.path)

    def _fill(self, furnish: Callable[[World], None]) -> None:
        self._db.executescript(TABLES)
        with self.write():
            furnish(self)
        self._db.executescript(ORDER_INDEXES)

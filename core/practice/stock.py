"""Stock as TikTok keeps it: available and committed per SKU and warehouse, and what moves between them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from core.practice.answers import NotPossible
from core.practice.ground import Ground
from core.practice.identity import JSON
from core.practice.webhooks import Hooks


@dataclass(frozen=True)
class Held:
    """What lies in one warehouse of one SKU."""

    warehouse_id: str
    available: int
    committed: int


@dataclass(frozen=True)
class Truth:
    """Everything the practice shop knows about one SKU; `price` in pence."""

    sku_id: str
    product_id: str
    seller_sku: str
    own_sku: str
    title: str
    variant: str
    price: int
    barcode: str
    status: str
    locked: bool
    warehouses: tuple[Held, ...]

    @property
    def available(self) -> int:
        """Units that can still be ordered, over all warehouses."""
        return sum(held.available for held in self.warehouses)

    @property
    def committed(self) -> int:
        """Units that open orders hold, over all warehouses."""
        return sum(held.committed for held in self.warehouses)


_SELECT = """
SELECT s.id, s.product_id, s.seller_sku, s.own_sku, p.title, s.variant, s.price, s.barcode, p.status, s.locked
FROM skus s JOIN products p ON p.id = s.product_id
"""


class Stock:
    """The stock book. Every method that takes `db` belongs inside a `World.write` of the caller."""

    def __init__(self, ground: Ground, hooks: Hooks) -> None:
        self._ground = ground
        self._hooks = hooks

    def move(
        self,
        db: sqlite3.Connection,
        units: Mapping[str, int],
        warehouse_id: str,
        available: int,
        committed: int,
        source: str,
    ) -> None:
        """Moves each SKU's units by the signs given: (-1, +1) commits, (+1, -1) releases, (0, -1) ships."""
        for sku_id, count in units.items():
            try:
                done = db.execute(
                    "UPDATE stock SET available = available + ?, committed = committed + ? "
                    "WHERE sku_id = ? AND warehouse_id = ?",
                    (available * count, committed * count, sku_id, warehouse_id),
                ).rowcount
            except sqlite3.IntegrityError:
                done = 0
            if not done:
                raise NotPossible(f"There are fewer than {count} units of SKU {sku_id} in this warehouse.")
            self._tell(db, sku_id, source, available * count, committed * count)

    def set_available(self, db: sqlite3.Connection, sku_id: str, quantities: Mapping[str, int], source: str) -> None:
        """Sets what can be ordered in each warehouse named; committed units stay."""
        before = {held.warehouse_id: held.available for held in self.held(db, sku_id)}
        for warehouse_id, quantity in quantities.items():
            if warehouse_id not in before:
                raise NotPossible(f"SKU {sku_id} is not kept in warehouse {warehouse_id}.")
            db.execute(
                "UPDATE stock SET available = ? WHERE sku_id = ? AND warehouse_id = ?", (quantity, sku_id, warehouse_id)
            )
        change = sum(quantity - before[warehouse_id] for warehouse_id, quantity in quantities.items())
        if change or source == "api_sync":
            self._tell(db, sku_id, source, change, 0)

    def held(self, db: sqlite3.Connection, sku_id: str) -> list[Held]:
        """What lies where of one SKU, in a fixed order of warehouses."""
        rows = db.execute(
            "SELECT warehouse_id, available, committed FROM stock WHERE sku_id = ? ORDER BY warehouse_id", (sku_id,)
        )
        return [Held(*row) for row in rows]

    def truth(self, sku: str) -> Truth:
        """All about one SKU, found by its id or its seller SKU; raises NotPossible when there is none."""
        with self._ground.world.read() as db:
            row = db.execute(_SELECT + "WHERE s.id = ?", (sku,)).fetchone()
            row = row or db.execute(_SELECT + "WHERE s.seller_sku = ? AND ? <> ''", (sku, sku)).fetchone()
            if row is None:
                raise NotPossible(f"This shop has no SKU {sku}.")
            return self._truth(db, row)

    def truths(self, *, offset: int = 0, limit: int = 100, query: str = "") -> list[Truth]:
        """Many SKUs in order of their ids; `query` looks into title, seller SKU and id."""
        like = f"%{query}%"
        with self._ground.world.read() as db:
            rows = db.execute(
                _SELECT + "WHERE ? = '%%' OR p.title LIKE ? OR s.seller_sku LIKE ? OR s.id LIKE ? "
                "ORDER BY s.id LIMIT ? OFFSET ?",
                (like, like, like, like, limit, offset),
            ).fetchall()
            return [self._truth(db, row) for row in rows]

    def totals(self) -> JSON:
        """Units over the whole shop."""
        with self._ground.world.read() as db:
            row = db.execute("SELECT count(DISTINCT sku_id), sum(available), sum(committed) FROM stock").fetchone()
        return {"skus": row[0], "units_available": row[1] or 0, "units_committed": row[2] or 0}

    def _truth(self, db: sqlite3.Connection, row: tuple[str, str, str, str, str, str, int, str, str, int]) -> Truth:
        return Truth(*row[:9], locked=bool(row[9]), warehouses=tuple(self.held(db, row[0])))

    def _tell(self, db: sqlite3.Connection, sku_id: str, source: str, available: int, committed: int) -> None:
        if not self._hooks.wants("INVENTORY_CHANGED"):
            return
        product_id = db.execute("SELECT product_id FROM skus WHERE id = ?", (sku_id,)).fetchone()[0]
        held = self.held(db, sku_id)
        self._hooks.inventory_changed(
            db,
            product_id,
            sku_id,
            sum(h.available for h in held),
            sum(h.committed for h in held),
            source,
            available,
            committed,
        )

"""The life of orders: each documented transition, what it does to stock, and the timers behind it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import orjson

from core.practice import bodies
from core.practice.answers import NotPossible
from core.practice.bodies import SoldSku
from core.practice.ground import Ground
from core.practice.identity import JSON
from core.practice.pattern import draws, next_step
from core.practice.stock import Stock
from core.practice.webhooks import Hooks

ORDER_BASE = 576_500_000_000_000_000
ORDER_STRIDE = 100_003  # leaves room for the line ids behind each order id
MOST_UNITS = 500

# TikTok Shop API: "Order status", which event may follow which status.
ALLOWED = {
    "pay": ("UNPAID",),
    "expire": ("UNPAID",),
    "release": ("ON_HOLD",),
    "ship": ("AWAITING_SHIPMENT", "PARTIALLY_SHIPPING"),
    "collect": ("AWAITING_COLLECTION",),
    "deliver": ("IN_TRANSIT",),
    "complete": ("DELIVERED",),
    "cancel": ("UNPAID", "ON_HOLD", "AWAITING_SHIPMENT", "PARTIALLY_SHIPPING", "AWAITING_COLLECTION", "IN_TRANSIT"),
    "return": ("AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED"),
}
OUT_OF_STOCK = {"UNPAID": "seller_cancel_unpaid_reason_out_of_stock_uk"}
REASONS = {
    ("BUYER", "UNPAID"): "ecom_order_unpaid_canceled_reason_no_longer_needed",
    ("BUYER", ""): "ecom_order_to_ship_canceled_reason_no_longer_needed",
    ("SELLER", "UNPAID"): "seller_cancel_unpaid_reason_wrong_price_uk",
    ("SELLER", ""): "seller_cancel_reason_wrong_price_uk",
    ("SYSTEM", "UNPAID"): "system_cancel_unpaid_time_out",
    ("SYSTEM", ""): "system_cancel_order_reason_shipping_timeout",
}


def order_id(number: int) -> int:
    """The id of the n-th order."""
    return ORDER_BASE + number * ORDER_STRIDE


def default_reason(who: str, status: str) -> str:
    """The reason key that the API would show for a cancellation by BUYER, SELLER or SYSTEM."""
    return REASONS[who, "UNPAID" if status == "UNPAID" else ""]


def enact(body: JSON, action: str, at: int, seed: int, detail: str = "") -> None:
    """Rewrites the order for an event that concerns all of it; stock is the caller's business."""
    if action == "pay":
        bodies.pay(body, at, seed)
    elif action == "release":
        bodies.release(body, at, seed)
    elif action == "ship":
        bodies.ship(body, at)
    elif action == "collect":
        bodies.collect(body, at)
    elif action == "deliver":
        bodies.deliver(body, at)
    elif action in ("complete", "return"):
        bodies.complete(body, at)
    else:
        who = "SYSTEM" if action == "expire" else detail or "BUYER"
        bodies.cancel(body, at, who, default_reason(who, body["status"]))


class Orders:
    """All orders of the shop; each method is one transaction (or joins the caller's)."""

    def __init__(self, ground: Ground, stock: Stock, hooks: Hooks) -> None:
        self._ground = ground
        self._stock = stock
        self._hooks = hooks

    def place(self, units: Sequence[SoldSku], warehouse_id: str, *, at: float, paid: bool, by_hand: bool) -> str:
        """Creates an order and commits its units, also when it is not paid yet; returns its id."""
        if not 0 < len(units) <= MOST_UNITS:
            raise NotPossible(f"An order has 1 to {MOST_UNITS} units.")
        with self._ground.world.write() as db:
            new_id = order_id(self._ground.world.next_number("order"))
            fate = draws(self._ground.seed, new_id)
            body = bodies.new_order(new_id, int(at), units, warehouse_id, self._ground.settings.hold, fate)
            self._stock.move(db, bodies.open_units(body["line_items"]), warehouse_id, -1, +1, "order_created")
            due, action = self._next(body, new_id, by_hand, at)
            db.execute(
                "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
                (new_id, int(at), int(at), body["status"], warehouse_id, by_hand, due, action, orjson.dumps(body)),
            )
            self._hooks.order_changed(db, body)
            if paid:
                self.act(str(new_id), "pay", at=at)
            return str(new_id)

    def body(self, number: str) -> JSON:
        """The order as the API shows it; raises NotPossible when there is none."""
        with self._ground.world.read() as db:
            row = db.execute("SELECT body FROM orders WHERE id = ?", (_as_number(number),)).fetchone()
        if row is None:
            raise NotPossible(f"This shop has no order {number}.")
        found: JSON = orjson.loads(row[0])
        return found

    def act(
        self, number: str, action: str, *, at: float | None = None, stamp: float | None = None, who: str = "BUYER",
        reason: str | None = None, line_ids: Sequence[str] | None = None,
    ) -> JSON:  # fmt: skip
        """Lets one event happen: `at` is when the next timer starts, `stamp` what the order shows; both default now."""
        at = self._ground.now() if at is None else at
        with self._ground.world.write() as db:
            body = self.body(number)
            was = body["status"]
            if was not in ALLOWED[action]:
                raise NotPossible(f"Order {number} is {body['status']}: {action} is not possible now.")
            self._check_lines(body, line_ids)
            seen = max(int(at if stamp is None else stamp), body["update_time"])
            if action == "ship":
                self._ship(db, body, seen, line_ids)
            elif action in ("cancel", "expire"):
                self._cancel(db, body, seen, "SYSTEM" if action == "expire" else who, reason, line_ids)
            else:
                enact(body, action, seen, self._ground.seed)
            self._store(db, body, action, at)
            if body["status"] != was:
                self._hooks.order_changed(db, body)
            if action == "return":
                self._hooks.returned(db, body)
        return body

    def due(self, now: float, limit: int) -> list[tuple[int, float, str, int, str]]:
        """The timers that have run out, oldest first: id, when, action, by hand, status."""
        with self._ground.world.read() as db:
            return db.execute(
                "SELECT id, due_at, due_action, by_hand, status FROM orders "
                "WHERE due_at <= ? ORDER BY due_at, id LIMIT ?",
                (now, limit),
            ).fetchall()

    def forget_timer(self, number: int, due_at: float) -> None:
        """A timer that no longer fits its order is put away."""
        with self._ground.world.write() as db:
            db.execute("UPDATE orders SET due_at = NULL WHERE id = ? AND due_at = ?", (number, due_at))

    def sooner(self, db: sqlite3.Connection, seconds: float) -> None:
        """All timers of open orders run out that much sooner."""
        db.execute("UPDATE orders SET due_at = due_at - ? WHERE due_at IS NOT NULL", (seconds,))

    def counts(self) -> JSON:
        """Orders by status."""
        with self._ground.world.read() as db:
            return dict(db.execute("SELECT status, count(*) FROM orders GROUP BY status").fetchall())

    def committed_by_orders(self) -> dict[tuple[str, str], int]:
        """Units that open orders hold per (sku_id, warehouse_id), counted from the orders themselves."""
        units: dict[tuple[str, str], int] = {}
        with self._ground.world.read() as db:
            rows = db.execute(
                "SELECT warehouse_id, body FROM orders "
                "WHERE status IN ('UNPAID', 'ON_HOLD', 'AWAITING_SHIPMENT', 'PARTIALLY_SHIPPING')"
            )
            for warehouse_id, body in rows:
                for sku_id, count in bodies.open_units(orjson.loads(body)["line_items"]).items():
                    units[sku_id, warehouse_id] = units.get((sku_id, warehouse_id), 0) + count
        return units

    def _ship(self, db: sqlite3.Connection, body: JSON, seen: int, line_ids: Sequence[str] | None) -> None:
        left = bodies.ship(body, seen, line_ids)
        units: dict[str, int] = {}
        for line in left:
            units[line["sku_id"]] = units.get(line["sku_id"], 0) + 1
        self._stock.move(db, units, body["warehouse_id"], 0, -1, "order_shipped")

    def _cancel(
        self,
        db: sqlite3.Connection,
        body: JSON,
        seen: int,
        who: str,
        reason: str | None,
        line_ids: Sequence[str] | None,
    ) -> None:
        """Releases what was committed; a seller out of stock sells no more of it (TikTok Shop API: order FAQ)."""
        chosen = reason or default_reason(who, body["status"])
        off = bodies.cancel(body, seen, who, chosen, line_ids)
        units = bodies.open_units(off)
        self._stock.move(db, units, body["warehouse_id"], +1, -1, "order_canceled")
        if who == "SELLER" and "out_of_stock" in chosen:
            for sku_id in units:
                none_left = {held.warehouse_id: 0 for held in self._stock.held(db, sku_id)}
                self._stock.set_available(db, sku_id, none_left, "manual_adjustment")
        self._hooks.cancelled(db, body, who)

    @staticmethod
    def _check_lines(body: JSON, line_ids: Sequence[str] | None) -> None:
        unknown = set(line_ids or ()) - {line["id"] for line in body["line_items"]}
        if unknown:
            raise NotPossible(f"Order {body['id']} has no line item {min(unknown)}.")

    def _store(self, db: sqlite3.Connection, body: JSON, action: str, at: float) -> None:
        number = int(body["id"])
        by_hand, status, due, next_action = db.execute(
            "SELECT by_hand, status, due_at, due_action FROM orders WHERE id = ?", (number,)
        ).fetchone()
        if status != body["status"]:  # an event that leaves the status alone leaves the timer running
            due, next_action = self._next(body, number, bool(by_hand), at)
        db.execute(
            "UPDATE orders SET update_time = ?, status = ?, returned = returned OR ?, due_at = ?, due_action = ?, "
            "body = ? WHERE id = ?",
            (body["update_time"], body["status"], action == "return", due, next_action, orjson.dumps(body), number),
        )

    def _next(self, body: JSON, number: int, by_hand: bool, at: float) -> tuple[float | None, str | None]:
        step = next_step(body["status"], draws(self._ground.seed, number), by_hand)
        return (None, None) if step is None else (at + step.after, step.action)


def _as_number(number: str) -> int:
    return int(number) if number.isdigit() and len(number) < 19 else -1

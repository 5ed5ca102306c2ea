"""Webhooks: who wants to hear of what, the queue that outlives a restart, and signed deliveries with retries."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import sqlite3
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import orjson

from core.practice.ground import Ground
from core.practice.identity import CREDENTIALS, JSON, OPEN_ID, SELLER_ID, SHOP_ID

# TikTok Shop API: "Webhooks", type numbers; retries 2 min after the first failure, then 30 min, 3 h, 12 h, then none.
TYPES = {
    "ORDER_STATUS_CHANGE": 1, "REVERSE_STATUS_UPDATE": 2, "RECIPIENT_ADDRESS_UPDATE": 3, "PACKAGE_UPDATE": 4,
    "PRODUCT_STATUS_CHANGE": 5, "SELLER_DEAUTHORIZATION": 6, "UPCOMING_AUTHORIZATION_EXPIRATION": 7,
    "CANCELLATION_STATUS_CHANGE": 11, "RETURN_STATUS_CHANGE": 12, "NEW_CONVERSATION": 13, "NEW_MESSAGE": 14,
    "PRODUCT_INFORMATION_CHANGE": 15, "PRODUCT_CREATION": 16, "PRODUCT_CATEGORY_CHANGE": 18,
    "INVENTORY_STATUS_CHANGE": 27,
    "NEW_MESSAGE_LISTENER": 33, "INVOICE_STATUS_CHANGE": 36, "PRODUCT_AUDIT_STATUS_CHANGE": 37, "INVENTORY_CHANGED": 68,
}  # fmt: skip
RETRY_AFTER = (120, 1_800, 10_800, 43_200)
ANSWER_WITHIN = 3.0
DEPARTED = frozenset({"PARTIALLY_SHIPPING"})  # the one status that the webhook's documentation does not list


@dataclass
class WebhookTrouble:
    """How deliveries go wrong on demand: sent twice, newest first, lost, or `delay` seconds late."""

    duplicate: bool = False
    reorder: bool = False
    drop: bool = False
    delay: float = 0.0


def sign_event(app_key: str, app_secret: str, body: bytes) -> str:
    """TikTok Shop API: webhook `Authorization` = hex HMAC-SHA256 of app_key + raw body."""
    return hmac.new(app_secret.encode(), app_key.encode() + body, hashlib.sha256).hexdigest()


def is_loopback(address: str) -> bool:
    """Whether a delivery to this address stays on this machine."""
    host = urlsplit(address).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Hooks:
    """Registrations, the queue and its deliveries."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.trouble = WebhookTrouble()
        self.wake = threading.Event()
        self._sending = threading.Lock()
        with ground.world.read() as db:
            self._wanted = {row[0] for row in db.execute("SELECT event_type FROM webhooks")}

    def wants(self, event_type: str) -> bool:
        """Whether anyone asked for this kind of event."""
        return event_type in self._wanted

    def registered(self) -> list[JSON]:
        """All registrations, as the Event API words them."""
        with self._ground.world.read() as db:
            rows = db.execute("SELECT event_type, address, create_time, update_time FROM webhooks ORDER BY event_type")
            names = ("event_type", "address", "create_time", "update_time")
            return [dict(zip(names, row, strict=True)) for row in rows]

    def register(self, event_type: str, address: str) -> None:
        """Creates or replaces the registration of one event type."""
        now = self._ground.seconds()
        with self._ground.world.write() as db:
            db.execute(
                "INSERT INTO webhooks VALUES (?, ?, ?, ?) ON CONFLICT (event_type) DO UPDATE SET "
                "address = excluded.address, update_time = excluded.update_time",
                (event_type, address, now, now),
            )
        self._wanted = self._wanted | {event_type}

    def unregister(self, event_type: str) -> None:
        """Forgets a registration; fine when there was none."""
        with self._ground.world.write() as db:
            db.execute("DELETE FROM webhooks WHERE event_type = ?", (event_type,))
        self._wanted = self._wanted - {event_type}

    def order_changed(self, db: sqlite3.Connection, body: JSON) -> None:
        """Type 1. The webhook writes CANCEL where the order API writes CANCELLED."""
        if self.wants("ORDER_STATUS_CHANGE") and body["status"] not in DEPARTED:
            status = "CANCEL" if body["status"] == "CANCELLED" else body["status"]
            data = {"order_id": body["id"], "order_status": status, "is_on_hold_order": body["is_on_hold_order"]}
            self._queue(db, "ORDER_STATUS_CHANGE", {**data, "update_time": body["update_time"]})

    def cancelled(self, db: sqlite3.Connection, body: JSON, who: str) -> None:
        """Type 11."""
        if self.wants("CANCELLATION_STATUS_CHANGE"):
            data = {"order_id": body["id"], "cancellations_role": who, "cancel_status": "CANCELLATION_REQUEST_COMPLETE"}
            more = {"cancel_id": "4" + body["id"], "create_time": body["update_time"]}
            self._queue(db, "CANCELLATION_STATUS_CHANGE", data | more)

    def returned(self, db: sqlite3.Connection, body: JSON) -> None:
        """Type 12."""
        if self.wants("RETURN_STATUS_CHANGE"):
            data = {
                "order_id": body["id"],
                "return_id": "5" + body["id"],
                "return_role": "BUYER",
                "return_type": "RETURN_AND_REFUND",
            }
            times = {"create_time": body["update_time"], "update_time": body["update_time"]}
            self._queue(
                db, "RETURN_STATUS_CHANGE", {**data, "return_status": "RETURN_OR_REFUND_REQUEST_COMPLETE", **times}
            )

    def deauthorised(self, db: sqlite3.Connection) -> None:
        """Type 6."""
        if self.wants("SELLER_DEAUTHORIZATION"):
            self._queue(
                db, "SELLER_DEAUTHORIZATION", {"message": f"Seller of shop {SHOP_ID} has removed the authorization."}
            )

    def inventory_changed(
        self, db: sqlite3.Connection, product_id: str, sku_id: str, available: int, committed: int, source: str,
        available_delta: int, committed_delta: int,
    ) -> None:  # fmt: skip
        """Type 68: ids are JSON numbers, the shop is named by seller_open_id, and deltas of zero are left out."""
        moment = (
            datetime.fromtimestamp(self._ground.now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        )
        number = self._ground.world.next_number("event")
        deltas = {
            "total_quantity_delta": available_delta + committed_delta, "available_quantity_delta": available_delta,
            "committed_quantity_delta": committed_delta, "in_shop_quantity_delta": available_delta,
        }  # fmt: skip
        detail = {"idempotency_key": f"practice-{number}", "trigger_source": source, "occurred_at": moment}
        data = {
            "event_id": f"{sku_id}:{number:04x}", "occurred_at": moment, "seller_id": SELLER_ID,
            "product_id": int(product_id),
            "sku_id": int(sku_id),
            "quantity_snapshot_after_change": {
                "total_quantity": available + committed, "total_available_quantity": available,
                "total_committed_quantity": committed, "in_shop_quantity": available,
            },
            "change_detail": [detail | {name: delta for name, delta in deltas.items() if delta}],
        }  # fmt: skip
        self._queue(db, "INVENTORY_CHANGED", data)

    def waiting(self) -> int:
        """Events not yet delivered nor given up."""
        with self._ground.world.read() as db:
            return int(db.execute("SELECT count(*) FROM deliveries").fetchone()[0])

    def sooner(self, db: sqlite3.Connection, seconds: float) -> None:
        """All retries come due that much sooner."""
        db.execute("UPDATE deliveries SET due_at = due_at - ?", (seconds,))
        self.wake.set()

    def deliver_due(self) -> int:
        """Sends what is due once, and plans the retry of what failed; returns how many were accepted."""
        with self._sending:
            with self._ground.world.read() as db:
                due = db.execute(
                    "SELECT id, address, body, attempts FROM deliveries "
                    "WHERE due_at <= ? ORDER BY due_at, id LIMIT 200",
                    (self._ground.now(),),
                ).fetchall()
            if self.trouble.reorder:
                due.reverse()
            if not due:
                return 0
            with httpx.Client(timeout=ANSWER_WITHIN, trust_env=False) as client:
                return sum(self._deliver(client, *row) for row in due)

    def _deliver(self, client: httpx.Client, number: int, address: str, body: bytes, attempts: int) -> bool:
        accepted = self.trouble.drop or self._post(client, address, body)
        if accepted and self.trouble.duplicate and not self.trouble.drop:
            self._post(client, address, body)
        with self._ground.world.write() as db:
            if accepted or attempts >= len(RETRY_AFTER) or not is_loopback(address):
                db.execute("DELETE FROM deliveries WHERE id = ?", (number,))
            else:
                due = self._ground.now() + RETRY_AFTER[attempts]
                db.execute("UPDATE deliveries SET attempts = attempts + 1, due_at = ? WHERE id = ?", (due, number))
        return accepted

    @staticmethod
    def _post(client: httpx.Client, address: str, body: bytes) -> bool:
        if not is_loopback(address):  # no practice event ever leaves this machine
            return False
        signature = sign_event(CREDENTIALS.app_key, CREDENTIALS.app_secret, body)
        headers = {"Content-Type": "application/json", "Authorization": signature}
        try:
            return client.post(address, content=body, headers=headers).status_code == 200
        except httpx.HTTPError:
            return False

    def _queue(self, db: sqlite3.Connection, event_type: str, data: JSON) -> None:
        address = db.execute("SELECT address FROM webhooks WHERE event_type = ?", (event_type,)).fetchone()[0]
        number = self._ground.world.next_number("notification")
        whose = {"seller_open_id": OPEN_ID} if event_type == "INVENTORY_CHANGED" else {"shop_id": SHOP_ID}
        envelope = {"type": TYPES[event_type], "tts_notification_id": str(7_661_900_000_000_000_000 + number), **whose}
        body = orjson.dumps({**envelope, "timestamp": self._ground.seconds(), "data": data})
        due = self._ground.now() + self.trouble.delay
        db.execute("INSERT INTO deliveries VALUES (NULL, ?, ?, ?, 0, ?)", (event_type, address, body, due))
        self.wake.set()

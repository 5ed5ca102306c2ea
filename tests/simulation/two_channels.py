"""A desk that sells the same goods in a TikTok shop and in a store with a life of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from core import clock
from core.store.tables import Shop
from core.store.upsert import table
from core.sync.context import ShopContext
from core.sync.own_store import StoreChannel
from tests.simulation.desk import Desk
from tests.simulation.own_store import Goods, PracticeStore

STORE = "own"
VISIBLE_MS = 30_000  # a store that tells little is given this long before a number is called unexplained


class Both:
    """The desk, its TikTok shop, and a practice store of the given kind that has the same goods."""

    def __init__(self, desk: Desk, *, compares: bool, front: PracticeStore | None = None) -> None:
        self.desk = desk
        self.front = front or PracticeStore(compares, wait=lambda: desk.time.turn(0.2))
        for sku in desk.skus() if front is None else ():
            on_hand, reserved = desk.have(sku)
            self.front.goods[self.item(sku)] = Goods(max(0, on_hand - reserved))
        now = clock.now_ms()
        with desk.store.write() as connection:
            row = {"id": STORE, "auth": "", "name": self.front.name, "region": "GB", "currency": "GBP"}
            more = {"timezone": "Europe/London", "practice": True, "mode": "live", "kind": "store", "connected_at": now}
            connection.execute(insert(table(Shop)).values(row | more))
        self.open()
        with self.at_store():
            desk.sync("all")
            desk.resync()
        self.settle(rounds=2, seconds=60)
        if front is None:
            self.check_even()
        self.front.writes.clear()
        desk.sent.clear()

    def open(self) -> None:
        """What a start builds."""
        api = StoreChannel(self.front, self.desk.store, STORE, "GBP")
        self.store = ShopContext(
            STORE, self.front.name, "GBP", ZoneInfo("Europe/London"), api, self.desk.store, b"salt", True,
            self.desk.stop, kind="store", sure_after_ms=VISIBLE_MS,
        )  # fmt: skip

    def restart(self) -> None:
        """A new process on what the old one left."""
        self.desk.restart()
        self.open()

    @contextmanager
    def at_store(self) -> Iterator[None]:
        """What the desk does inside concerns the store."""
        tiktok, self.desk.shop = self.desk.shop, self.store
        try:
            yield
        finally:
            self.desk.shop = tiktok

    def item(self, sku_id: str) -> str:
        """The store's SKU of the goods that a listing sells."""
        return self.desk.practice.truth(sku_id).seller_sku or sku_id

    def sync(self, kind: Any = "all") -> None:
        """Both sides are read."""
        self.desk.sync(kind)
        with self.at_store():
            self.desk.sync(kind)

    def push(self) -> None:
        """Whatever is due on both sides is sent."""
        for _ in range(6):
            told = self.desk.push().results
            with self.at_store():
                told |= self.desk.push().results
            if not told:
                return

    def settle(self, rounds: int = 6, seconds: float = 120.0) -> None:
        """Time passes and the loop runs."""
        for _ in range(rounds):
            self.desk.time.turn(seconds)
            self.sync()
            self.push()

    def resync(self) -> None:
        """The owner reviews what differs on both sides and sends it."""
        self.desk.resync()
        with self.at_store():
            self.desk.resync()

    def shown(self, sku_id: str) -> tuple[int, int]:
        """What TikTok and the store offer."""
        return self.desk.shown(sku_id), self.front.goods[self.item(sku_id)].available

    def questions(self) -> list[Any]:
        """What the owner was asked about, or would be next."""
        return self.desk.rows("SELECT shop_id, sku_id, amount, state FROM drift WHERE state NOT IN ('explained')")

    def check_even(self) -> None:
        """Both sides offer what is there and not promised, and no write is left without a verdict."""
        for sku in self.desk.skus():
            on_hand, reserved = self.desk.have(sku)
            assert self.shown(sku) == (max(0, on_hand - reserved),) * 2, (sku, on_hand, reserved)
        open_ = "SELECT id, outcome FROM push WHERE outcome IN ('sent', 'unknown', 'accepted')"
        assert self.desk.rows(open_) == []

    def check_books(self, *, counted: bool = False) -> None:
        """Each sale of the store is booked once, whatever was heard how often and in which order.

        What left before an item was `counted` is missing from the count already, so only what is promised is compared.
        """
        told = self.desk.rows(
            "SELECT o.id, sum(CASE WHEN l.status <> 'CANCELLED' THEN 1 ELSE 0 END) AS units, "
            "sum(CASE WHEN l.shipped THEN 1 ELSE 0 END) AS shipped FROM orders o "
            "JOIN order_line l ON l.order_id = o.id WHERE o.shop_id = :shop GROUP BY o.id", shop=STORE,
        )  # fmt: skip
        theirs = {f"{STORE}/{number}": (sale.units, sale.shipped) for number, sale in self.front.orders.items()}
        assert {row.id: (row.units, row.shipped) for row in told} == theirs
        booked = self.desk.rows(
            "SELECT l.order_id, -sum(m.on_hand) AS shipped, sum(m.reserved) AS reserved FROM order_line l "
            "JOIN movement m ON m.reference = l.id WHERE l.shop_id = :shop GROUP BY l.order_id", shop=STORE,
        )  # fmt: skip
        found = {row.order_id: (0 if counted else row.shipped, row.reserved) for row in booked}
        for number, sale in self.front.orders.items():
            due = (0 if counted else sale.shipped, max(0, sale.units - sale.shipped))
            assert found.get(f"{STORE}/{number}", (0, 0)) == due, sale

"""The practice shop itself: one object with the verbs of a shop, a clock that can be turned, and trouble on demand."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.practice.answers import NotPossible
from core.practice.bodies import SoldSku
from core.practice.ground import Ground
from core.practice.history import DEFAULT_ORDERS, HISTORY_DAYS, fill_goods, fill_orders
from core.practice.identity import (
    CREDENTIALS,
    JSON,
    KEPT_SETTINGS,
    MAIN_WAREHOUSE,
    SHOP_CIPHER,
    SHOP_ID,
    SHOP_NAME,
    Settings,
    fitting,
)
from core.practice.life import ALLOWED
from core.practice.parts import Parts, build_parts
from core.practice.rhythm import Rhythm
from core.practice.stock import Truth
from core.practice.trouble import Trouble, parse_trouble
from core.practice.webhooks import WebhookTrouble
from core.practice.world import World

MOST_UNITS = 99_999


class PracticeShop:
    """A made-up TikTok Shop with goods, orders and stock; everything is fixed by the seed and the clock.

    `path` is its SQLite file, or ":memory:". A new shop is filled with `products` products and `orders` orders of the
    last ninety days (None: about 2,200); an existing one is opened as it was left. `clock` gives Unix seconds. `living`
    lets new orders arrive at each `tick`; `rate` is how many requests a second the API takes per endpoint, `burst` how
    many at once (None: as many as `rate`). `hold` is whether paid orders wait an hour (None: as kept, at first yes).
    """

    def __init__(
        self, path: str | Path = ":memory:", *, seed: int = 7, products: int = 120, orders: int | None = None,
        clock: Callable[[], float] = time.time, living: bool = False, rate: float = 50, burst: float | None = None,
        hold: bool | None = None,
    ) -> None:  # fmt: skip
        settings = Settings(living=living, rate=rate, burst=burst)
        if hold is not None:
            settings.hold = hold
        wanted = DEFAULT_ORDERS if orders is None else orders

        def furnish(world: World) -> None:
            ground = Ground(world, settings, seed, clock)
            fill_goods(ground, products)
            fill_orders(ground, wanted)
            world.put("seed", seed)
            world.put("settings", {name: getattr(settings, name) for name in KEPT_SETTINGS})
            world.put("opened_at", clock())
            world.put("per_day", (wanted or DEFAULT_ORDERS) / HISTORY_DAYS)

        self.world = World(path, furnish)
        for name, value in (self.world.get("settings") or {}).items():
            if name != "hold" or hold is None:
                setattr(settings, name, value)
        self.seed = int(self.world.get("seed"))
        self.parts: Parts = build_parts(Ground(self.world, settings, self.seed, clock))
        self._rhythm = Rhythm(self.parts)

    @property
    def settings(self) -> Settings:
        """The choices of the moment; change them with `change_settings`."""
        return self.parts.ground.settings

    def now(self) -> float:
        """The shop's clock, Unix seconds."""
        return self.parts.ground.now()

    def close(self) -> None:
        """Remembers the time and closes the file."""
        self._rhythm.remember()
        self.world.close()

    # Buying and what follows

    def buy(self, sku: str, quantity: int = 1, *, paid: bool = True, warehouse_id: str | None = None) -> str:
        """Someone buys some of a SKU (id or seller SKU); returns the order id; NotPossible when too few are there."""
        truth = self.truth(sku)
        if truth.status != "ACTIVATE":
            raise NotPossible(f"{truth.seller_sku or sku} is not on sale: its product is {truth.status}.")
        held = sorted(truth.warehouses, key=lambda one: (one.warehouse_id != MAIN_WAREHOUSE, one.warehouse_id))
        usable = [one for one in held if warehouse_id in (None, one.warehouse_id)]
        enough = next((one for one in usable if one.available >= quantity), None)
        if enough is None:
            most = max((one.available for one in usable), default=0)
            raise NotPossible(f"Only {most} of {truth.seller_sku or sku} can be bought at once, not {quantity}.")
        units = [
            SoldSku(truth.sku_id, truth.product_id, truth.seller_sku, truth.title, truth.variant, truth.price)
        ] * quantity
        return self.parts.orders.place(units, enough.warehouse_id, at=self.now(), paid=paid, by_hand=True)

    def order(self, order_id: str) -> JSON:
        """The order as the API shows it."""
        return self.parts.orders.body(order_id)

    def act(self, order_id: str, action: str, **how: Any) -> JSON:
        """Any documented event by its name: pay, release, ship, collect, deliver, complete, cancel, return."""
        if action not in ALLOWED or action == "expire":
            raise NotPossible(f"There is no event {action} for an order.")
        return self.parts.orders.act(order_id, action, **how)

    def pay(self, order_id: str) -> JSON:
        """The buyer pays."""
        return self.act(order_id, "pay")

    def release(self, order_id: str) -> JSON:
        """The hour on hold is over."""
        return self.act(order_id, "release")

    def ship(self, order_id: str, line_ids: Sequence[str] | None = None) -> JSON:
        """The seller hands over the order, or some of its lines."""
        return self.act(order_id, "ship", line_ids=line_ids)

    def collect(self, order_id: str) -> JSON:
        """The carrier scans the packages."""
        return self.act(order_id, "collect")

    def deliver(self, order_id: str) -> JSON:
        """The buyer receives the order."""
        return self.act(order_id, "deliver")

    def complete(self, order_id: str) -> JSON:
        """The time for complaints is over."""
        return self.act(order_id, "complete")

    def cancel(
        self, order_id: str, *, by: str = "BUYER", reason: str | None = None, line_ids: Sequence[str] | None = None
    ) -> JSON:
        """BUYER, SELLER or SYSTEM calls off the order or some lines; SELLER with "…out_of_stock…" sells the SKU out."""
        if by not in ("BUYER", "SELLER", "SYSTEM"):
            raise NotPossible("An order is cancelled by BUYER, SELLER or SYSTEM.")
        return self.act(order_id, "cancel", who=by, reason=reason, line_ids=line_ids)

    def take_back(self, order_id: str) -> JSON:
        """The buyer returns everything and is refunded; stock stays as it is."""
        return self.act(order_id, "return")

    # Goods

    def truth(self, sku: str) -> Truth:
        """What the shop really has of one SKU (id or seller SKU)."""
        return self.parts.stock.truth(sku)

    def truths(self, *, offset: int = 0, limit: int = 1_000_000, query: str = "") -> list[Truth]:
        """The same for many SKUs."""
        return self.parts.stock.truths(offset=offset, limit=limit, query=query)

    def set_stock(self, sku: str, available: int, warehouse_id: str | None = None) -> Truth:
        """Someone types a new number into the shop's admin."""
        if not 0 <= available <= MOST_UNITS:
            raise NotPossible(f"Stock is a number from 0 to {MOST_UNITS}.")
        truth = self.truth(sku)
        with self.world.write() as db:
            where = warehouse_id or truth.warehouses[0].warehouse_id
            self.parts.stock.set_available(db, truth.sku_id, {where: available}, "manual_adjustment")
        return self.truth(truth.sku_id)

    def set_price(self, sku: str, pence: int) -> Truth:
        """Someone changes a price in the shop's admin; in pence."""
        if not 0 < pence < 10**9:
            raise NotPossible("A price is more than zero.")
        truth = self.truth(sku)
        with self.world.write() as db:
            db.execute("UPDATE skus SET price = ? WHERE id = ?", (pence, truth.sku_id))
            db.execute("UPDATE products SET update_time = ? WHERE id = ?", (int(self.now()), truth.product_id))
        return self.truth(truth.sku_id)

    def set_promotion(self, sku: str, locked: bool) -> Truth:
        """A promotion starts or ends: while it runs, stock cannot fall and the price cannot change."""
        truth = self.truth(sku)
        with self.world.write() as db:
            db.execute("UPDATE skus SET locked = ? WHERE id = ?", (locked, truth.sku_id))
        return self.truth(truth.sku_id)

    def set_status(self, product_id: str, status: str) -> None:
        """The product goes on or off sale, by the words of the API."""
        with self.world.write() as db:
            done = db.execute(
                "UPDATE products SET status = ?, update_time = ? WHERE id = ?", (status, int(self.now()), product_id)
            ).rowcount
        if not done:
            raise NotPossible(f"This shop has no product {product_id}.")

    # Authorisation

    def authorise(self) -> str:
        """The seller consents: a code for the token call."""
        return self.parts.auth.new_code()

    def issue_tokens(self) -> JSON:
        """Consent and token call in one step, for tests that start connected."""
        query = {"app_key": CREDENTIALS.app_key, "app_secret": CREDENTIALS.app_secret}
        return self.parts.auth.get_tokens(query | {"auth_code": self.authorise(), "grant_type": "authorized_code"})

    # Time

    def pass_time(self, seconds: float) -> int:
        """All timers run out as if that much time had passed, while the clock stays; returns the number of events."""
        return self._rhythm.pass_time(seconds)

    def tick(self) -> int:
        """Everything that is due happens: arrivals when the shop lives, then order timers; returns how many events."""
        return self._rhythm.tick()

    def busy(self, orders: int, minutes: float = 0) -> int:
        """A rush: `orders` new orders, at once or spread over the coming minutes; returns how many came at once."""
        return self._rhythm.busy(orders, minutes)

    # Trouble and settings

    def trouble(self, kind: str, **settings: Any) -> Trouble:
        """Turns a trouble on; see `core.practice.trouble.KINDS`."""
        return self.parts.troubles.add(parse_trouble({"kind": kind, **settings}))

    def clear_trouble(self) -> None:
        """All is well again."""
        self.parts.troubles.clear()

    def webhook_trouble(self, **settings: Any) -> WebhookTrouble:
        """Lets webhooks arrive twice (duplicate), newest first (reorder), never (drop) or late (delay, seconds)."""
        try:
            self.parts.hooks.trouble = WebhookTrouble(**settings)
        except TypeError:
            raise NotPossible("Webhook trouble is: duplicate, reorder, drop, delay.") from None
        return self.parts.hooks.trouble

    def change_settings(self, **changes: Any) -> Settings:
        """Turns the shop's switches: hold, living, redirect_uri, rate, burst, rotation, latency_ms, result_window, …"""
        for name, value in changes.items():
            setattr(self.settings, name, fitting(self.settings, name, value))
        self.world.put("settings", {name: getattr(self.settings, name) for name in KEPT_SETTINGS})
        return self.settings

    # Reports

    def state(self) -> JSON:
        """Counts and switches."""
        return {
            "shop": {"id": SHOP_ID, "name": SHOP_NAME, "cipher": SHOP_CIPHER, "now": self.now(), "seed": self.seed},
            "stock": self.parts.stock.totals(), "orders": self.parts.orders.counts(),
            "webhooks": {"registered": self.parts.hooks.registered(), "waiting": self.parts.hooks.waiting()},
            "settings": asdict(self.settings), "troubles": self.parts.troubles.listed(),
        }  # fmt: skip

    def committed_by_orders(self) -> dict[tuple[str, str], int]:
        """Units that open orders hold per (sku_id, warehouse_id), counted from the orders; equals the stock book."""
        return self.parts.orders.committed_by_orders()

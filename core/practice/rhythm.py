"""How the shop lives by itself: new orders at the rhythm of the hour, and every timer of every order."""

from __future__ import annotations

import threading
from random import Random

from core.practice.answers import NotPossible
from core.practice.bodies import SoldSku
from core.practice.history import HISTORY_DAYS, Choice
from core.practice.parts import Parts
from core.practice.pattern import DAY, HOUR, MINUTE, draws, gap_until_next, next_step, units_of, weight_at

CATCH_UP_SECONDS = DAY
CATCH_UP_ORDERS = 300
MOST_AT_ONCE = 20_000
_REMEMBER_EVERY = 30.0


class Rhythm:
    """Time in the shop. `tick` is the only thing that makes anything happen; who calls it is somebody else's choice."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ground = parts.ground
        self._world = parts.ground.world
        self._ticking = threading.RLock()
        self._choice: Choice | None = None
        self._first = float(self._world.get("opened_at")) - HISTORY_DAYS * DAY
        self._per_day = float(self._world.get("per_day"))
        self._last_tick = float(self._world.get("last_tick") or self._ground.now())
        self._remembered = self._last_tick

    def remember(self) -> None:
        """Writes down until when everything has happened."""
        self._world.put("last_tick", self._last_tick)
        self._remembered = self._last_tick

    def pass_time(self, seconds: float) -> int:
        """Shifts every deadline and lets happen what is due; nothing is dated before this moment."""
        if seconds < 0:
            raise NotPossible("Time only passes forward.")
        with self._ticking:
            self._last_tick = self._ground.now()
            with self._world.write() as db:
                for part in (self._parts.orders, self._parts.auth, self._parts.hooks):
                    part.sooner(db, seconds)
            return self.tick()

    def tick(self) -> int:
        """Arrivals when the shop lives, then all timers that ran out; returns the number of events.

        An event shows the second at which it was due, but never one that a client may already have read past.
        """
        with self._ticking:
            now = self._ground.now()
            floor = max(min(self._last_tick, now), self._ground.observed_at)
            events = self._rush(now) + (self._arrive(now, floor) if self._ground.settings.living else 0)
            while due := self._parts.orders.due(now, 50):
                for number, due_at, action, by_hand, status in due:
                    step = next_step(status, draws(self._ground.seed, number), bool(by_hand))
                    who = step.detail if step and step.detail else "BUYER"
                    stamp = min(max(due_at, floor), now)
                    try:
                        self._parts.orders.act(str(number), action, at=due_at, stamp=stamp, who=who)
                        events += 1
                    except NotPossible:  # someone was quicker by hand
                        self._parts.orders.forget_timer(number, due_at)
            self._last_tick = now
            if now - self._remembered > _REMEMBER_EVERY:
                self.remember()
            return events

    def busy(self, orders: int, minutes: float) -> int:
        """Many orders at once, or spread evenly over the coming minutes."""
        if not 0 < orders <= MOST_AT_ONCE:
            raise NotPossible(f"A rush has 1 to {MOST_AT_ONCE:,} orders.")
        if minutes <= 0:
            return sum(self._someone_buys(self._ground.now()) for _ in range(orders))
        now = self._ground.now()
        self._world.put("rush", {"left": orders, "until": now + minutes * MINUTE, "next": now})
        return 0

    def _arrive(self, now: float, floor: float) -> int:
        """New orders since the last tick; after a long pause at most a day's worth."""
        planned = self._world.get("next_order_at")
        at = max(float(planned or now + self._gap(now)), now - CATCH_UP_SECONDS)
        came = 0
        while at <= now and came < CATCH_UP_ORDERS:
            came += self._someone_buys(max(at, floor))
            at += self._gap(at)
        at = max(at, now) if came >= CATCH_UP_ORDERS else at
        if at != planned:
            self._world.put("next_order_at", at)
        return came

    def _rush(self, now: float) -> int:
        rush = self._world.get("rush")
        if not rush:
            return 0
        came = 0
        while rush["left"] and rush["next"] <= now:
            came += self._someone_buys(now)
            rush["left"] -= 1
            rush["next"] += (rush["until"] - rush["next"]) / max(1, rush["left"])
        if came:
            self._world.put("rush", rush if rush["left"] else None)
        return came

    def _gap(self, at: float) -> float:
        rng = Random(f"gap {self._ground.seed} {at:.3f}")
        return min(gap_until_next(1 - rng.random(), weight_at(at, self._first), self._per_day), 6 * HOUR)

    def _someone_buys(self, at: float) -> int:
        """One order from the crowd; 0 when the goods that were wanted are all gone."""
        with self._world.write() as db:
            self._choice = self._choice or Choice(db, self._ground.seed)
            rng = Random(f"arrival {self._ground.seed} {self._world.next_number('arrival')}")
            for _ in range(8 if self._choice.skus else 0):
                truth = self._parts.stock.truth(self._choice.pick(rng.random()).sku_id)
                held = max(truth.warehouses, key=lambda one: one.available)
                if held.available and truth.status == "ACTIVATE":
                    count = min(units_of(rng.randrange(65_536)), held.available)
                    sold = SoldSku(
                        truth.sku_id, truth.product_id, truth.seller_sku, truth.title, truth.variant, truth.price
                    )
                    self._parts.orders.place(
                        [sold] * count, held.warehouse_id, at=at, paid=rng.random() < 0.85, by_hand=False
                    )
                    return 1
        return 0

"""Four hours of a scarce SKU on two channels, from a seed: buyers on both sides, goods that arrive, and every fault.

What buyers want and when goods arrive follows from the seed alone. Buyers also come between any two requests of ours.
"""

import heapq
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

import core.sync.batch
import core.sync.orders
import core.sync.speeds
import core.tiktok.auth
import core.tiktok.transport
from core import clock
from core.practice import NotPossible, PracticeShop
from core.settings import Settings
from core.store.errors import StoreProblem
from core.storefront.base import StockAnswer, StockSet, StoreTrouble
from core.tiktok.errors import TikTokError
from core.tiktok.wire import Lost, Reply
from tests.simulation.desk import Killed
from tests.simulation.inside import UPDATE, Inside, OneAfterTheOther, wire_to
from tests.simulation.own_store import Goods, Heard, PracticeStore, SoldOut

HOURS = 4.0
PER_HOUR = {"tiktok": 12.0, "store": 8.0}
RECEIPTS = 9
FIRST = 6  # units on the shelf when the day begins
POLL = 60.0
QUIET = 1200.0  # seconds after the last buyer in which everything may settle
WRITE_LOST, READ_LOST, CRASH = 0.05, 0.02, 0.01
HOOK_LOST, HOOK_TWICE = 0.2, 0.1
EVERY = Settings(tiktok_shop_sync_interval=int(POLL))


class Strategy(Protocol):
    """Somebody who keeps both channels in step."""

    writes: int

    def poll(self) -> None: ...
    def heard(self, side: str, order: str) -> None: ...
    def receive(self, units: int) -> None: ...
    def restart(self) -> None: ...
    def right(self) -> bool: ...


@dataclass
class Tally:
    """What a day came to, in units; `lost` are those refused although they were free."""

    sold: int = 0
    oversold: int = 0
    lost: int = 0
    writes: int = 0
    wrong: bool = False


@dataclass
class Market:
    """The two channels of one SKU and the truth about it."""

    time: clock.Turned
    inside: Inside
    front: PracticeStore
    sku: str
    item: str
    seed: int
    tally: Tally = field(default_factory=Tally)
    received: int = FIRST
    taken: int = 0
    faults: bool = False
    happened: int = 0  # how much has happened, faults included

    def begin(self) -> None:
        """The day begins; until here nobody buys and nothing goes wrong."""
        self.plan = random.Random(self.seed)
        self.chance = random.Random(self.seed + 1_000_000)
        self.began, self.end = self.time.seconds, self.time.seconds + HOURS * 3600
        self._number = count()
        self._life: list[tuple[float, int, Callable[[], None]]] = []  # what happens whatever we do
        self.tasks: list[tuple[float, int, str, Any]] = []  # what we are to do
        self._plan_day()
        self.faults = True
        self._send = self.inside.send
        self.inside.chance, self.inside.lag = self.chance, 3
        self.inside.meanwhile = lambda path: self.happen()
        self.inside.send = self._sent  # type: ignore[method-assign]
        self.front.chance, self.front.wait = self.chance, self._moment
        self._real_set = self.front.set_stock
        self.front.set_stock = self._set  # type: ignore[method-assign]
        self.front.heard = Heard(lambda: self.chance.expovariate(1 / 3), twice=True)

    @property
    def free(self) -> int:
        """Units on the shelf that nobody has bought; below zero, more were sold than there were."""
        return self.received - self.taken

    def happen(self) -> None:
        """Everything that is due by now happens."""
        while self._life and self._life[0][0] <= self.time.seconds:
            self.happened += 1
            heapq.heappop(self._life)[2]()

    def next_at(self) -> float:
        """When something happens next, or is to be done."""
        return min(queue[0][0] for queue in (self._life, self.tasks) if queue)

    def task(self, at: float, kind: str, what: Any = None) -> None:
        """Have something done."""
        heapq.heappush(self.tasks, (at, next(self._number), kind, what))

    def due(self) -> Iterator[tuple[str, Any]]:
        """What is to be done by now."""
        while self.tasks and self.tasks[0][0] <= self.time.seconds:
            yield heapq.heappop(self.tasks)[2:]

    def _plan_day(self) -> None:
        for side, per_hour in PER_HOUR.items():
            at = self.began
            while (at := at + self.plan.expovariate(per_hour / 3600)) < self.end:
                units = self.plan.choices((1, 2, 3), (60, 28, 12))[0]
                self._later(at, self._buyer(side, units))
        for _ in range(RECEIPTS):
            self.task(self.began + self.plan.uniform(0, HOURS * 3600), "receive", self.plan.randint(5, 15))
        for n in range(int(HOURS * 3600 / POLL) + 1):
            self.task(self.began + n * POLL, "poll")

    def _buyer(self, side: str, units: int) -> Callable[[], None]:
        cancels = self.plan.expovariate(1 / 900) if self.plan.random() < 0.08 else None
        hooks = [2 + self.plan.expovariate(1 / 2) for _ in range(2 if self.plan.random() < HOOK_TWICE else 1)]
        heard = [] if self.plan.random() < HOOK_LOST else hooks

        def come() -> None:
            free = self.free
            try:
                order = self._buy(side, units)
            except (NotPossible, SoldOut):
                self.tally.lost += units if free >= units else 0
                return
            self.taken += units
            self.tally.sold += units
            self.tally.oversold += max(0, min(units, units - free))
            for delay in heard:
                self.task(self.time.seconds + delay, "hook", (side, order))
            if cancels is not None:
                self._later(self.time.seconds + cancels, self._cancel(side, order, units))
            else:
                self._later(self._courier(), self._ship(side, order))

        return come

    def _courier(self) -> float:
        """When the courier comes next: once an hour, and not for what was sold in the last quarter of one."""
        hours = (self.time.seconds + 900 - self.began) // 3600
        return self.began + (hours + 1) * 3600

    def _buy(self, side: str, units: int) -> str:
        return self.inside.shop.buy(self.sku, units) if side == "tiktok" else self.front.buy(self.item, units)

    def _cancel(self, side: str, order: str, units: int) -> Callable[[], None]:
        def cancel() -> None:
            if side == "tiktok":
                self.inside.shop.cancel(order)
            else:
                self.front.cancel(order)
            self.taken -= units
            self.task(self.time.seconds + 2, "hook", (side, order))

        return cancel

    def _ship(self, side: str, order: str) -> Callable[[], object]:
        return lambda: self.inside.shop.ship(order) if side == "tiktok" else self.front.ship(order)

    def _later(self, at: float, what: Callable[[], Any]) -> None:
        heapq.heappush(self._life, (at, next(self._number), what))

    # What lies between us and the channels

    def _sent(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        write, chance = UPDATE in url, self.chance
        self._crash()
        if self.faults and chance.random() < (WRITE_LOST if write else READ_LOST):
            self.happened += 1
            way = chance.choices(("before", "after", "late" if write else "before"), (40, 40, 20))[0]
            if way == "late":
                self.inside.late_writes = 1
            elif way == "after":
                self._send(method, url, headers, body)
            if way != "late":
                self.time.turn(chance.uniform(1, 20))
                self.happen()
                raise Lost(True, True, "ReadTimeout")
        reply = self._send(method, url, headers, body)
        self._crash()
        return reply

    def _moment(self) -> None:
        """A request to the store is under way."""
        self._crash()
        self.time.turn(self.chance.choice((0.05, 0.2, 0.4)))
        self.happen()
        if self.faults and self.chance.random() < READ_LOST:
            self.front.troubles.appendleft("throttled")

    def _set(self, changes: Sequence[StockSet], *, key: str) -> Sequence[StockAnswer]:
        if self.faults and self.chance.random() < WRITE_LOST:
            self.happened += 1
            self.front.troubles.append(self.chance.choices(("lost before", "lost after", "late"), (40, 40, 20))[0])
        return self._real_set(changes, key=key)

    def _crash(self) -> None:
        if self.faults and self.chance.random() < CRASH / 2:
            self.happened += 1
            raise Killed


def live(market: Market, strategy: Strategy) -> Tally:
    """Let the day pass, then let everything settle."""
    market.begin()
    while market.time.seconds < market.end:
        market.time.seconds = max(market.time.seconds, min(market.end, market.next_at()))
        market.happen()
        for kind, what in market.due():
            _do(market, strategy, kind, what)
    _settle(market, strategy)
    market.tally.writes, market.tally.wrong = strategy.writes, not strategy.right()
    return market.tally


def _do(market: Market, strategy: Strategy, kind: str, what: Any) -> None:
    try:
        if kind == "receive":
            market.received += what
            market.happened += 1
            strategy.receive(what)
        elif kind == "hook":
            strategy.heard(*what)
        else:
            strategy.poll()
    except (TikTokError, StoreProblem, StoreTrouble):
        return  # the next poll tries again
    except Killed:
        strategy.restart()


def _settle(market: Market, strategy: Strategy) -> None:
    market.faults = False
    market.front.troubles.clear()
    market.tasks = [task for task in market.tasks if task[2] == "receive"]
    ended = market.time.seconds
    while market.time.seconds < ended + QUIET:
        market.time.turn(POLL)
        for kind, what in [*market.due(), ("poll", None)]:
            _do(market, strategy, kind, what)


@contextmanager
def in_one_thread() -> Iterator[None]:
    """Requests stay in this process and threads in this thread, so that a seed gives the same day every time."""
    places: list[tuple[Any, str, Any]] = [
        (core.tiktok.transport, "Wire", wire_to), (core.tiktok.auth, "Wire", wire_to),
        (core.sync.batch, "ThreadPoolExecutor", OneAfterTheOther),
        (core.sync.orders, "ThreadPoolExecutor", OneAfterTheOther),
        (core.sync.speeds, "settings", lambda: EVERY),
    ]  # fmt: skip
    before = [getattr(module, name) for module, name, _ in places]
    for module, name, instead in places:
        setattr(module, name, instead)
    try:
        yield
    finally:
        for (module, name, _), real in zip(places, before, strict=True):
            setattr(module, name, real)


def open_market(time: clock.Turned, seed: int, body: bytes) -> Market:
    """A day on a copy of a practice shop; stores that compare and stores that do not take turns."""
    shop = PracticeShop(products=0, orders=0, clock=time, rate=100_000, hold=False)
    shop.world._db.deserialize(body)
    inside = Inside(shop, time)
    truth = min(shop.truths(), key=lambda one: (len(one.warehouses), one.sku_id))
    front = PracticeStore(compares=seed % 2 == 0)
    item = truth.seller_sku or truth.sku_id
    front.goods[item] = Goods(FIRST)
    shop.set_stock(truth.sku_id, FIRST)
    return Market(time, inside, front, truth.sku_id, item, seed)


def new_shop(time: clock.Turned) -> bytes:
    """A practice shop with one product, as bytes to be copied."""
    shop = PracticeShop(products=1, orders=0, clock=time, rate=100_000, hold=False)
    try:
        return shop.world._db.serialize()
    finally:
        shop.close()

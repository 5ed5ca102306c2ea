"""A random day of two channels from a seed: sales, shipments and cancellations on both, all faults, and crashes."""

import json
import random
from collections.abc import Callable

from core.practice import NotPossible
from core.store.errors import StoreProblem
from core.tiktok.errors import SignInAgain, TikTokError
from tests.simulation import own_store
from tests.simulation.desk import Killed
from tests.simulation.faults import Fault, Way, break_calls, break_commits
from tests.simulation.own_store import Heard, SoldOut
from tests.simulation.two_channels import Both

UPDATE = "/inventory/update"
TROUBLES = (
    ("rate_limit", {"times": 2}), ("server_error", {"times": 4}), ("unavailable_html", {"times": 1}),
    ("timeout_before", {"times": 1}), ("timeout_after", {"times": 1}), ("timeout_before", {"times": 1, "path": UPDATE}),
    ("timeout_after", {"times": 1, "path": UPDATE}), ("expired_token", {}), ("garbage", {"times": 1}),
    ("empty_page", {"times": 1, "path": "/orders/search"}), ("partial_errors", {"times": 1, "code": 12052990}),
)  # fmt: skip


class StoreDay:
    """Acts at random on both channels; `stock` is what really stands on the shelf, whatever anybody believes."""

    def __init__(self, both: Both, seed: int) -> None:
        self.both = both
        self.desk = both.desk
        self.chance = both.front.chance = random.Random(seed)
        self.skus = sorted(self.desk.skus(), key=self.desk.shown)[-2:]
        self.stock = {sku: self.desk.have(sku)[0] for sku in self.skus}
        self.orders: list[str] = []
        self.told: list[str] = []
        self._real_set = both.front.set_stock
        both.front.set_stock = self._watched  # type: ignore[method-assign]
        both.front.heard = Heard(lambda: self.chance.expovariate(1 / 3), True, self.chance.random() < 0.5)

    def live(self, steps: int) -> None:
        """So many things happen."""
        acts: list[tuple[Callable[[], None], int]] = [
            (self.buy, 8), (self.buy_there, 8), (self.follow, 8), (self.follow_there, 9), (self.receive, 5),
            (self.pause, 8), (self.sync, 6), (self.push, 12), (self.trouble, 2), (self.trouble_there, 3),
            (self.between, 3), (self.crash, 3),
        ]  # fmt: skip
        for _ in range(steps):
            act = self.chance.choices([act for act, _ in acts], [weight for _, weight in acts])[0]
            self.told.append(act.__name__)
            act()

    def end(self) -> None:
        """All is well again and everything arrives; nobody is asked anything."""
        self.desk.practice.clear_trouble()
        self.both.front.troubles.clear()
        self.both.front.between = None
        self.desk.time.turn(60)
        self.both.settle(rounds=6)
        self.desk.time.turn(3700)
        self.both.settle(rounds=4)

    def buy(self) -> None:
        try:
            self.orders.append(self.desk.practice.buy(self.sku(), self.chance.randint(1, 3)))
        except NotPossible:
            return

    def buy_there(self, sku: str = "") -> None:
        sku, units = sku or self.sku(), self.chance.randint(1, 3)
        at_once = (
            self.chance.random() < 0.3 and self.stock[sku] >= units
        )  # nobody sells over the counter what is not there
        try:
            self.both.front.buy(self.both.item(sku), units, at_once=at_once)
        except SoldOut:
            return
        self.stock[sku] -= units if at_once else 0

    def follow(self) -> None:
        """An order on TikTok is cancelled or shipped."""
        if not self.orders:
            return
        order = self.chance.choice(self.orders[-8:])
        event = self.chance.choice(("cancel", "ship", "ship", "collect", "deliver"))
        lines = self.desk.practice.order(order)["line_items"]
        leaving = [line["sku_id"] for line in lines if line["display_status"] == "AWAITING_SHIPMENT"]
        if event == "ship" and any(self.stock[sku] < leaving.count(sku) for sku in leaving):
            return
        try:
            self.desk.practice.act(order, event)
        except NotPossible:
            return
        for sku in leaving if event == "ship" else ():
            self.stock[sku] -= 1

    def follow_there(self) -> None:
        """An order of the store is cancelled, in part or whole, or shipped."""
        references = list(self.both.front.orders)[-8:]
        if not references:
            return
        sale = self.both.front.orders[self.chance.choice(references)]
        sku = next(one for one in self.skus if self.both.item(one) == sale.sku)
        if self.chance.random() < 0.4:
            self.both.front.cancel(sale.reference, self.chance.choice((1, None)))
        elif self.stock[sku] >= sale.units - sale.shipped:
            self.stock[sku] -= self.both.front.ship(sale.reference)

    def receive(self) -> None:
        """Goods arrive and the shelf is counted."""
        sku = self.sku()
        self.desk.time.turn(2)
        self.stock[sku] += self.chance.randint(0, 4)
        self.desk.count(sku, self.stock[sku])
        self.desk.time.turn(2)

    def between(self) -> None:
        """Somebody buys just before the next write arrives at the store."""
        self.both.front.between = lambda item: self.buy_there(self._listing(item))

    def pause(self) -> None:
        self.desk.time.turn(self.chance.choice((1, 2, 7, 30, 120, 400)))

    def sync(self) -> None:
        self.careful(lambda: self.both.sync(self.chance.choice(("all", "orders", "stock"))))

    def push(self) -> None:
        self.careful(self.both.push)

    def trouble(self) -> None:
        kind, settings = self.chance.choice(TROUBLES)
        self.desk.practice.trouble(kind, **settings)  # type: ignore[arg-type]

    def trouble_there(self) -> None:
        self.both.front.troubles.append(self.chance.choice(own_store.TROUBLES))

    def crash(self) -> None:
        """The process stumbles or dies at some step of its work, and is started again."""
        fault = Fault(self.chance.randint(1, 8), self.chance.choice(list(Way)))
        self.chance.choice((break_calls, break_commits, self._break_store))(self.desk, fault)
        self.careful(self.chance.choice((self.both.push, self.both.sync)))
        self.both.front.set_stock = self._watched  # type: ignore[method-assign]
        self.both.restart()

    def careful(self, work: Callable[[], object]) -> None:
        """As the loop does: an error ends this round and no more."""
        try:
            work()
        except (TikTokError, StoreProblem, Killed) as error:
            self.told.append(f"  {type(error).__name__}")
            if isinstance(error, SignInAgain):
                self.desk.practice.clear_trouble()
                self.desk.sign_in()
                self.both.open()

    def sku(self) -> str:
        return self.chance.choice(self.skus)

    def check(self) -> None:
        """The shelf stands in every book, both channels offer what is free, and nobody was asked anything."""
        assert {sku: self.desk.have(sku)[0] for sku in self.skus} == self.stock
        self.both.check_books(counted=True)
        self.both.check_even()
        asked = [row for row in self.both.questions() if row.state in ("open", "lowered", "suspected")]
        assert asked == [], json.dumps([tuple(row) for row in asked])

    def _break_store(self, _desk: object, fault: Fault) -> None:
        """The process dies around a write to the store."""
        self.both.front.set_stock = lambda changes, *, key: fault.step(  # type: ignore[method-assign]
            lambda: self._watched(changes, key=key),
            lambda: Killed(),  # type: ignore[arg-type, return-value]
        )

    def _watched(self, changes: object, *, key: str) -> object:
        """Every raise of the store's number is compared with the shelf at the moment it leaves."""
        for change in changes:  # type: ignore[attr-defined]
            shown, sku = self.both.front.goods[change.sku], self._listing(change.sku)
            if sku in self.stock and change.available > shown.available:
                free = self.stock[sku] - shown.committed - self.desk.practice.truth(sku).committed
                assert change.available <= free + self._unheard(sku), (
                    f"{change.sku}: {shown} to {change.available}, {free} free"
                )
        return self._real_set(changes, key=key)  # type: ignore[arg-type]

    def _listing(self, item: str) -> str:
        return next((sku for sku in self.skus if self.both.item(sku) == item), "")

    def _unheard(self, sku: str) -> int:
        """Units of sales that cannot be known yet: untold by the store, or of the last moment on TikTok."""
        known = self.desk.have(sku)[1]
        real = self.both.front.goods[self.both.item(sku)].committed + self.desk.practice.truth(sku).committed
        return max(0, real - known)

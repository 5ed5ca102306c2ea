"""A random day of a shop from a seed: sales on both sides, faults and crashes, and what is true all along."""

import json
import random
from collections.abc import Callable

from core.practice import NotPossible
from core.store.errors import StoreProblem
from core.tiktok.errors import SignInAgain, TikTokError
from tests.simulation.desk import Desk, Killed
from tests.simulation.faults import Fault, Way, break_calls, break_commits

UPDATE = "/inventory/update"
TROUBLES = (
    ("rate_limit", {"times": 2}), ("rate_limit", {"times": 1, "retry_after": 2}), ("server_error", {"times": 4}),
    ("unavailable_html", {"times": 1}), ("timeout_before", {"times": 1}), ("timeout_after", {"times": 1}),
    ("timeout_before", {"times": 1, "path": UPDATE}), ("timeout_after", {"times": 1, "path": UPDATE}),
    ("expired_token", {}), ("garbage", {"times": 1}), ("empty_page", {"times": 1, "path": "/orders/search"}),
    ("partial_errors", {"times": 1, "code": 12052990}),
)  # fmt: skip


class Day:
    """Acts at random on a desk; `stock` is what really stands on the shelf, whatever anybody believes."""

    def __init__(self, desk: Desk, seed: int, *, typed: bool) -> None:
        self.desk = desk
        self.chance = random.Random(seed)
        self.typed = typed
        self.skus = sorted(desk.skus(), key=desk.shown)[-2:]  # few, so that much happens to each at once
        self.stock = {sku: desk.have(sku)[0] for sku in self.skus}
        self.orders: list[str] = []
        self.hints: list[str] = []
        self.heard = 0
        self.told: list[str] = []
        self._watch()

    def live(self, steps: int) -> None:
        """So many things happen."""
        acts: list[tuple[Callable[[], None], int]] = [
            (self.buy, 10), (self.follow, 14), (self.sell, 5), (self.receive, 7), (self.hint, 3), (self.pause, 7),
            (self.sync, 4), (self.push, 12), (self.trouble, 3), (self.crash, 3), (self.type_number, 2 * self.typed),
        ]  # fmt: skip
        for _ in range(steps):
            act = self.chance.choices([act for act, _ in acts], [weight for _, weight in acts])[0]
            self.told.append(act.__name__)
            act()

    def end(self) -> None:
        """All is well again, everything arrives, and the owner decides what is open."""
        self.desk.practice.clear_trouble()
        self.desk.time.turn(60)
        self.desk.settle(rounds=6)
        self.desk.resync()
        self.desk.time.turn(3700)
        self.desk.settle(rounds=4)

    def buy(self) -> None:
        try:
            order = self.desk.practice.buy(self.sku(), self.chance.randint(1, 3), paid=self.chance.random() < 0.7)
        except NotPossible:
            return
        self.orders.append(order)
        self.hints.append(order)

    def follow(self) -> None:
        """An order goes on: paid, cancelled, shipped, collected or delivered."""
        if not self.orders:
            return
        order = self.chance.choice(self.orders[-8:])
        body = self.desk.practice.order(order)
        event = self.chance.choice(("pay", "cancel", "ship", "ship", "collect", "deliver"))
        leaving = [line["sku_id"] for line in body["line_items"] if line["display_status"] == "AWAITING_SHIPMENT"]
        try:
            self.desk.practice.act(order, event)
        except NotPossible:
            return
        self.hints.append(order)
        if event == "ship":
            for sku in leaving:
                self.stock[sku] -= 1

    def sell(self) -> None:
        """A sale at the own counter; the shop's own store sells only what is free on the shelf."""
        sku = self.sku()
        on_hand, reserved = self.desk.have(sku)
        if min(on_hand, self.stock[sku]) - reserved > 0:
            self.careful(lambda: self.desk.sell(sku))
            self.stock[sku] = self.stock[sku] - (self.desk.have(sku)[0] < on_hand)

    def receive(self) -> None:
        """Goods arrive and the shelf is counted."""
        sku = self.sku()
        self.desk.time.turn(2)
        self.stock[sku] += self.chance.randint(0, 4)
        self.desk.count(sku, self.stock[sku])
        self.desk.time.turn(2)

    def type_number(self) -> None:
        sku = self.sku()
        self.desk.practice.set_stock(sku, max(0, self.desk.shown(sku) + self.chance.randint(-5, 5)))

    def hint(self) -> None:
        """Webhooks arrive in any order, some twice, some never."""
        self.chance.shuffle(self.hints)
        while self.hints:
            order = self.hints.pop()
            for _ in range(self.chance.choice((0, 1, 1, 1, 2))):
                self.careful(lambda: self.desk.hear(order, self.heard))  # noqa: B023
            self.heard += 1

    def pause(self) -> None:
        self.desk.time.turn(self.chance.choice((1, 2, 7, 30, 120, 400)))

    def sync(self) -> None:
        self.careful(lambda: self.desk.sync(self.chance.choice(("all", "orders", "stock"))))

    def push(self) -> None:
        self.careful(lambda: self.desk.push())

    def trouble(self) -> None:
        kind, settings = self.chance.choice(TROUBLES)
        self.desk.practice.trouble(kind, **settings)  # type: ignore[arg-type]

    def crash(self) -> None:
        """The process stumbles or dies at some step of its work, and is started again."""
        fault = Fault(self.chance.randint(1, 6), self.chance.choice(list(Way)))
        self.chance.choice((break_calls, break_commits))(self.desk, fault)
        self.careful(self.chance.choice((self.desk.push, lambda: self.desk.sync("all"))))
        self.desk.restart()
        self._watch()

    def careful(self, work: Callable[[], object]) -> None:
        """As the loop does: an error ends this round and no more."""
        try:
            work()
        except (TikTokError, StoreProblem, Killed) as error:
            self.told.append(f"  {type(error).__name__}")
            if isinstance(error, SignInAgain):  # the one answer with new keys was lost: only the owner can help
                self.desk.practice.clear_trouble()
                self.desk.sign_in()
                self._watch()

    def sku(self) -> str:
        return self.chance.choice(self.skus)

    def _watch(self) -> None:
        """Every raise of ours is compared with the shelf at the moment it leaves."""
        wire = self.desk.transport._wire
        real = wire.send

        def send(method: str, url: str, headers: dict[str, str], body: bytes = b"") -> object:
            if "/inventory/update" in url and not self.typed:
                for sku in json.loads(body)["skus"]:
                    truth = self.desk.practice.truth(sku["id"])
                    offered = sum(row["quantity"] for row in sku["inventory"])
                    free = self.stock.get(truth.sku_id, offered + truth.committed) - truth.committed
                    assert offered <= truth.available or offered <= free, (
                        f"raised {truth.seller_sku} from {truth.available} to {offered}, and only {free} are free"
                    )
            return real(method, url, headers, body)

        wire.send = send  # type: ignore[method-assign, assignment]

"""A random day of one or two shops from a seed: sales on all sides, faults and crashes, and what is true all along."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from core import clock
from core.practice import NotPossible
from core.practice.bodies import SoldSku
from core.store.errors import StoreProblem
from core.sync import decisions, ledger
from core.sync.drift_causes import Cause
from core.tiktok.errors import SignInAgain, TikTokError
from tests.simulation.desk import Desk, Killed
from tests.simulation.faults import Fault, Way, break_calls, break_commits
from tests.simulation.inside import UPDATE
from tests.simulation.oracle import Oracle
from tests.simulation.world import World

TROUBLES = (
    ("rate_limit", {"times": 2}), ("rate_limit", {"times": 1, "retry_after": 2}), ("server_error", {"times": 4}),
    ("unavailable_html", {"times": 1}), ("timeout_before", {"times": 1}), ("timeout_after", {"times": 1}),
    ("timeout_before", {"times": 1, "path": UPDATE}), ("timeout_after", {"times": 1, "path": UPDATE}),
    ("expired_token", {}), ("garbage", {"times": 1}), ("empty_page", {"times": 1, "path": "/orders/search"}),
    ("partial_errors", {"times": 1, "code": 12052990}), ("late_write", {}),
)  # fmt: skip
EVENTS = ("pay", "pay", "cancel", "ship", "ship", "ship", "collect", "deliver", "complete", "return")
PACKING = 10  # seconds that nobody is faster than, from an order to its parcel
LEFT = "AWAITING_COLLECTION"


class Day:
    """Acts at random on a world. `typed`: people also type numbers into TikTok's own pages."""

    def __init__(self, world: World, seed: int, *, typed: bool) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.typed = typed
        self.orders: list[tuple[int, str]] = []
        self.hints: list[tuple[int, str]] = []
        self.heard = 0
        self.told: list[str] = []
        self.counts: Counter[str] = Counter()
        self.oracle = Oracle(world, self.counts)
        # An order placed and another called off around one and the same write look like a hand (and are asked about):
        # on a day with cancellations during calls nobody buys during them.
        self.calls_off = self.chance.random() < 0.4
        self.under_way = False
        self.broken = False  # a fault is armed in our process
        self.busy = self.chance.choice((0.02, 0.05, 0.12))  # how often something happens during a call
        for side, shop in enumerate(world.shops):
            shop.chance = random.Random(seed * 10 + side)
            shop.lag = self.chance.choice((0, 0, 1, 3))
            shop.meanwhile = self.meanwhile
        self.watch()

    def live(self, steps: int) -> None:
        """So many things happen."""
        acts: list[tuple[Callable[[], None], int]] = [
            (self.buy, 10), (self.basket, 2), (self.follow, 12), (self.sell, 6), (self.receive, 5), (self.hint, 4),
            (self.pause, 7), (self.sync, 6), (self.push, 12), (self.trouble, 3), (self.crash, 3),
            (self.type_number, 2 * self.typed),
        ]  # fmt: skip
        for _ in range(steps):
            act = self.chance.choices([act for act, _ in acts], [weight for _, weight in acts])[0]
            self.tell(act.__name__)
            act()

    def end(self) -> None:
        """All is well again and everything arrives; numbers typed on TikTok are decided by the owner."""
        for shop in self.world.shops:
            shop.shop.clear_trouble()
            shop.meanwhile = lambda path: None
        self.world.time.turn(60)
        self.settle(4)
        self.decide()
        self.world.time.turn(3700)
        self.settle(3)

    def decide(self) -> None:
        """The owner stands by our numbers wherever one is asked about.

        Where nobody types, only a write of ours whose answer was lost is asked about: it lies in the evidence (A14).
        """
        first = self.world.desks[0]
        open_now = first.rows("SELECT id, amount, cause FROM drift WHERE state IN ('open', 'lowered', 'suspected')")
        assert self.typed or {row.cause for row in open_now} <= {Cause.LOST}, open_now
        self.counts["asked"] += len(open_now)
        asked = [decisions.Asked(row.id, row.amount) for row in open_now]
        found = decisions.decide(first.store, asked, "ours", actor="test")
        assert found.done == len(asked), found.left

    def settle(self, rounds: int) -> None:
        for _ in range(rounds):
            self.world.time.turn(120)
            for shop in self.world.shops:
                shop.arrive()
            for desk in self.world.desks:
                desk.sync("all")
            for desk in self.world.desks:
                desk.push()

    # What people do

    def buy(self) -> None:
        side, sku = listing = self.chance.choice(self.world.focus)
        quantity = self.chance.choice((1, 1, 1, 2, 3))
        try:
            with self.oracle.sale(listing, quantity):
                order = self.world.desks[side].practice.buy(sku, quantity, paid=self.chance.random() < 0.7)
        except NotPossible:
            return
        self.tell(f"  {quantity} of {sku} in shop {side}")
        self.orders.append((side, order))
        self.hints.append((side, order))

    def basket(self) -> None:
        """One order of two goods."""
        side = self.chance.randrange(len(self.world.desks))
        practice = self.world.desks[side].practice
        skus = [sku for at, sku in self.world.focus if at == side][:2]
        truths = [practice.truth(sku) for sku in skus]
        place = self.chance.choice(truths[0].warehouses).warehouse_id
        units = [
            SoldSku(one.sku_id, one.product_id, one.seller_sku, one.title, one.variant, one.price) for one in truths
        ]
        try:
            with self.oracle.sale((side, skus[0]), 1), self.oracle.sale((side, skus[1]), 1):
                order = practice.parts.orders.place(units, place, at=practice.now(), paid=True, by_hand=True)
        except NotPossible:
            return
        self.orders.append((side, order))
        self.hints.append((side, order))

    def follow(self) -> None:
        """An order goes on, now and then only one line of it: paid, cancelled, shipped, collected, sent back."""
        if not self.orders:
            return
        side, order = self.chance.choice(self.orders[-10:])
        practice = self.world.desks[side].practice
        event = self.chance.choice(EVENTS)
        if self.under_way and event == "cancel" and not self.calls_off:
            return
        body = practice.order(order)
        if event == "ship" and self.world.time.seconds < body["create_time"] + PACKING:
            return
        before = body["line_items"]
        how: dict[str, Any] = {}
        still = [line["id"] for line in before if line["display_status"] not in ("CANCELLED", LEFT)]
        if event in ("ship", "cancel") and len(still) > 1 and self.chance.random() < 0.3:
            how["line_ids"] = [self.chance.choice(still)]
        try:
            after = practice.act(order, event, **how)["line_items"]
        except NotPossible:
            return
        self.tell(f"  {event} {how or ''} {[line['sku_id'][-4:] for line in after]} in shop {side}")
        self.hints.append((side, order))
        for was, now in zip(before, after, strict=True):
            if event == "ship" and was["display_status"] != LEFT and now["display_status"] == LEFT:
                for item, quantity in self.world.parts[side, was["sku_id"]]:
                    self.world.shelf[item] -= quantity

    def sell(self) -> None:
        """A sale at the own counter, which sells only what is free on the shelf by its own books."""
        item = self.item()
        on_hand, reserved = self.world.have(item)
        if min(on_hand, self.world.shelf[item]) - reserved <= 0:
            return

        def sale() -> None:
            ledger.record_sale(self.world.desks[0].store, self.world.names[item], 1, actor="test")

        self.careful(sale)
        if self.world.have(item)[0] < on_hand:
            with self.oracle.own_sale(item):
                self.world.shelf[item] -= 1

    def receive(self) -> None:
        """Goods arrive, or are found broken, and the shelf is counted."""
        item = self.item()
        self.world.time.turn(2)
        room = max(0, self.world.free(item))
        self.world.shelf[item] += self.chance.choice((0, 0, 1, 2, 4)) if room < 25 else -min(room, 5)
        ledger.record_count(
            self.world.desks[0].store, self.world.names[item], max(0, self.world.shelf[item]), actor="test"
        )
        self.world.time.turn(2)

    def type_number(self) -> None:
        side, sku = listing = self.chance.choice(self.world.focus)
        self.world.desks[side].practice.set_stock(sku, max(0, self.world.shown(listing) + self.chance.randint(-5, 5)))

    def item(self) -> int:
        listing = self.chance.choice(self.world.focus)
        return self.chance.choice(self.world.parts[listing])[0]

    def meanwhile(self, path: str) -> None:
        """While a request is under way, life goes on."""
        if self.chance.random() >= self.busy:
            return
        acts = [self.buy, self.buy] * (not self.calls_off) + [self.follow] + [self.sell] * (not self.broken)
        act = self.chance.choice(acts + [self.type_number] * self.typed)
        self.tell(f"  {act.__name__} during {path.rpartition('/')[2]}")
        self.under_way = True
        act()
        self.under_way = False

    # What the loop does, and what befalls it

    def hint(self) -> None:
        """Webhooks arrive in any order, some twice, some never."""
        self.chance.shuffle(self.hints)
        while self.hints:
            side, order = self.hints.pop()
            for _ in range(self.chance.choice((0, 1, 1, 1, 2))):
                self.careful(lambda: self.world.desks[side].hear(order, self.heard))  # noqa: B023
            self.heard += 1

    def pause(self) -> None:
        self.world.time.turn(self.chance.choice((1, 2, 7, 30, 120, 400)))
        for shop in self.world.shops:
            shop.arrive()

    def sync(self) -> None:
        for desk in self.world.desks:
            kind = self.chance.choice(("all", "orders", "stock"))
            self.tell(f"  {kind}")
            self.careful(lambda: desk.sync(kind), desk)  # noqa: B023

    def push(self) -> None:
        for desk in self.world.desks:
            self.careful(desk.push, desk)

    def trouble(self) -> None:
        shop = self.chance.choice(self.world.shops)
        kind, settings = self.chance.choice(TROUBLES)
        self.tell(f"  {kind} {settings}")
        if kind == "late_write":
            shop.late_writes += 1
        else:
            shop.shop.trouble(kind, **settings)  # type: ignore[arg-type]

    def crash(self) -> None:
        """The process stumbles or dies at some step of its work, and is started again."""
        desk = self.chance.choice(self.world.desks)
        fault = Fault(self.chance.randint(1, 10), self.chance.choice(list(Way)))
        breaks = self.chance.choice((break_calls, break_commits))
        self.tell(f"  {breaks.__name__} {fault.n}: {fault.way}")
        breaks(desk, fault)
        self.broken = True
        self.careful(self.chance.choice((desk.push, lambda: desk.sync("all"))), desk)
        self.broken = False
        self.world.restart()
        self.watch()

    def careful(self, work: Callable[[], object], desk: Desk | None = None) -> None:
        """As the loop does: an error ends this round and no more."""
        seen = self.oracle.remember()
        try:
            work()
        except (TikTokError, StoreProblem, Killed) as error:
            self.tell(f"  {type(error).__name__}")
            self.oracle.forget_since(seen)
            if isinstance(error, SignInAgain):  # the one answer with new keys was lost: only the owner can help
                for each in self.world.desks if desk is None else [desk]:
                    each.practice.clear_trouble()
                    each.sign_in()
                self.watch()

    def watch(self) -> None:
        for side, desk in enumerate(self.world.desks):
            self.oracle.watch(side, desk)

    def tell(self, words: str) -> None:
        self.told.append(f"{clock.now() % 100_000} {words}")

    def undecided(self) -> list[Any]:
        """What the owner is asked about, or will be."""
        return self.world.desks[0].rows(
            "SELECT sku_id, amount, state FROM drift WHERE state IN ('open', 'lowered', 'suspected')"
        )

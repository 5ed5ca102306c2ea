"""A practice store of the owner's own, of both kinds: one that compares and tells what it holds, and one that does not.

The first is what Shopify is to us, the second what WooCommerce is. It lives by the turned clock, and anything may go
wrong between us and it.
"""

import random
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from core import clock
from core.storefront.base import Answer, Sale, StockAnswer, StockRead, StockSet, StoreBusy, StoreSignIn


class SoldOut(Exception):
    """The store has too few."""


@dataclass
class Goods:
    """What the store believes to have of one SKU."""

    available: int
    committed: int = 0


@dataclass
class Heard:
    """How sales reach us: seconds until a change is visible, and whether it is told twice or in any order."""

    lag: Callable[[], float] = lambda: 0.0
    twice: bool = False
    reordered: bool = False


@dataclass
class PracticeStore:
    """`compares` is the kind: with compare-and-set, keys and committed units, or with nothing of all that."""

    compares: bool
    name: str = "Practice store"
    goods: dict[str, Goods] = field(default_factory=dict)
    orders: dict[str, Sale] = field(default_factory=dict)
    heard: Heard = field(default_factory=Heard)
    troubles: deque[str] = field(default_factory=deque)
    wait: Callable[[], None] = lambda: None  # what a call takes
    between: Callable[[str], object] | None = None  # what happens to a SKU just before the next write to it arrives
    writes: list[tuple[str, int]] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    _told: list[tuple[float, Sale]] = field(default_factory=list)
    _late: list[tuple[float, StockSet, str]] = field(default_factory=list)
    _answered: dict[str, StockAnswer] = field(default_factory=dict)

    @property
    def tells_committed(self) -> bool:
        """The kind that compares also tells."""
        return self.compares

    # What buyers and the owner do there

    def buy(self, sku: str, units: int = 1, *, at_once: bool = False) -> str:
        """Somebody buys; the reference of the order. At a till the units leave the building at once."""
        self._arrive()
        goods = self.goods[sku]
        if goods.available < units:
            raise SoldOut(f"Only {goods.available} of {sku} are left.")
        goods.available -= units
        goods.committed += 0 if at_once else units
        reference, now = f"{1000 + len(self.orders)}", clock.now_ms()
        self._tell(Sale(reference, sku, units, now, now, units if at_once else 0, None, Decimal("9.50")))
        return reference

    def ship(self, reference: str) -> int:
        """What is open of an order leaves the building; how many units that are."""
        sale = self.orders[reference]
        leaving = max(0, sale.units - sale.shipped)
        if leaving:
            self.goods[sale.sku].committed -= leaving
            now = clock.now_ms()
            self._tell(replace(sale, shipped=sale.shipped + leaving, shipped_at=now, changed_at=now))
        return leaving

    def cancel(self, reference: str, units: int | None = None) -> int:
        """Open units of an order are called off, all or some; how many go back on sale."""
        sale = self.orders[reference]
        back = min(max(0, sale.units - sale.shipped), sale.units if units is None else units)
        if back:
            self.goods[sale.sku].available += back
            self.goods[sale.sku].committed -= back
            self._tell(replace(sale, units=sale.units - back, changed_at=clock.now_ms()))
        return back

    def type_number(self, sku: str, available: int) -> None:
        """The owner types a number into the store."""
        self._arrive()
        self.goods[sku].available = available

    # What we ask of it

    def read_stock(self, skus: Collection[str] | None = None) -> Iterator[StockRead]:
        """As the protocol says."""
        self.wait()
        self._stumble(writing=False)
        self._arrive()
        for sku in self.goods if skus is None else skus:
            if sku in self.goods:
                goods, held = self.goods[sku], self.goods[sku].committed if self.tells_committed else None
                yield StockRead(sku, goods.available, held, clock.now_ms(), f"{sku} in the store")

    def set_stock(self, changes: Sequence[StockSet], *, key: str) -> Sequence[StockAnswer]:
        """As the protocol says."""
        self.wait()
        self._arrive()
        if self.between is not None:
            happens, self.between = self.between, None
            happens(changes[0].sku)
        trouble = self._stumble(writing=True)
        return [self._set(change, key, trouble) for change in changes]

    def sales(self, since: int) -> Iterator[Sale]:
        """As the protocol says, and worse."""
        self.wait()
        self._stumble(writing=False)
        now = clock.now_ms() / 1000
        told = [sale for visible, sale in self._told if visible <= now and sale.changed_at >= since]
        newest = {sale.reference: sale for sale in sorted(told, key=lambda each: each.changed_at)}
        found = told if self.heard.twice else sorted(newest.values(), key=lambda each: each.changed_at)
        if self.heard.reordered:
            self.chance.shuffle(found)
        yield from found

    def _set(self, change: StockSet, key: str, trouble: str) -> StockAnswer:
        if trouble == "refused":
            return StockAnswer(change.sku, Answer.REFUSED, "This product is being edited by somebody else.")
        if trouble == "lost before":
            return StockAnswer(change.sku, Answer.UNKNOWN)
        if trouble == "late":
            self._late.append((clock.now_ms() / 1000 + self.chance.uniform(2, 8), change, key))
            return StockAnswer(change.sku, Answer.UNKNOWN)
        answer = self._apply(change, key)
        return StockAnswer(change.sku, Answer.UNKNOWN) if trouble == "lost after" else answer

    def _apply(self, change: StockSet, key: str) -> StockAnswer:
        goods = self.goods.get(change.sku)
        if goods is None:
            return StockAnswer(change.sku, Answer.UNKNOWN_SKU)
        if self.compares and key in self._answered:
            return self._answered[key]
        if self.compares and change.expected is not None and change.expected != goods.available:
            return StockAnswer(change.sku, Answer.STALE)
        goods.available = change.available
        self.writes.append((change.sku, change.available))
        self._answered[key] = StockAnswer(change.sku, Answer.SET)
        return self._answered[key]

    def _arrive(self) -> None:
        """Writes that were under way for long arrive."""
        now = clock.now_ms() / 1000
        due = [late for late in self._late if late[0] <= now]
        self._late = [late for late in self._late if late[0] > now]
        for _, change, key in due:
            self._apply(change, key)

    def _stumble(self, *, writing: bool) -> str:
        """The next trouble, if it concerns this call."""
        if not self.troubles or (self.troubles[0] in _OF_WRITES and not writing):
            return ""
        trouble = self.troubles.popleft()
        if trouble == "throttled":
            raise StoreBusy("The store asks for fewer requests.", "Nothing to do: it is tried again.", retry_after=2.0)
        if trouble == "down":
            raise StoreBusy("The store does not answer.", "Nothing to do: it is tried again.")
        if trouble == "signed out":
            raise StoreSignIn("The store does not accept the key any more.", "Enter a new key.")
        return trouble

    def _tell(self, sale: Sale) -> None:
        self.orders[sale.reference] = sale
        self._told.append((clock.now_ms() / 1000 + self.heard.lag(), sale))


_OF_WRITES = frozenset({"refused", "lost before", "lost after", "late"})
TROUBLES = (*sorted(_OF_WRITES), "throttled", "down")

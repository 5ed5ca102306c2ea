"""Judges every write at the moment at which it leaves, by what could be known then; and counts what was sold twice."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.simulation.desk import Desk
from tests.simulation.inside import UPDATE
from tests.simulation.world import Listing, World, offers, read_skus

_KNOWN = """
SELECT l.available, l.committed, l.open_units,
  (SELECT count(*) FROM push p WHERE p.shop_id = l.shop_id AND p.sku_id = l.sku_id
    AND p.outcome IN ('sent', 'unknown')) AS pending,
  (SELECT count(*) FROM drift d WHERE d.shop_id = l.shop_id AND d.sku_id = l.sku_id
    AND d.state IN ('open', 'suspected')) AS drifts,
  EXISTS (SELECT 1 FROM plan JOIN plan_row r ON r.plan_id = plan.id WHERE plan.state = 'running' AND r.entity = l.sku_id
    AND plan.shop_id IN ('', l.shop_id)) AS agreed
FROM listing l WHERE l.shop_id = :shop AND l.sku_id = :sku
"""


class Oracle:
    """Knows the shelf, and how many units each listing had sold when its stock was last read."""

    def __init__(self, world: World, counts: Counter[str]) -> None:
        self.world = world
        self.counts = counts
        self.sold: Counter[Listing] = Counter()
        self.seen: Counter[Listing] = Counter()
        for side, shop in enumerate(world.shops):
            shop.served = self._reader(side)

    def _reader(self, side: int) -> Any:
        def served(path: str, asked: bytes, answer: bytes) -> None:
            if path.endswith("/inventory/search") and answer.endswith(b"}"):
                for sku in read_skus(answer):
                    self.seen[side, sku] = self.sold[side, sku]

        return served

    def remember(self) -> Counter[Listing]:
        return self.seen.copy()

    def forget_since(self, seen: Counter[Listing]) -> None:
        """What was read since may not have been kept: the process stumbled."""
        self.seen = seen

    # Sales, and units sold twice

    @contextmanager
    def sale(self, listing: Listing, quantity: int) -> Iterator[None]:
        items = [item for item, _ in self.world.parts[listing]]
        before = self._short(items)
        yield
        self.sold[listing] += quantity
        self.counts["sold"] += quantity
        self.counts["oversold"] += max(0, self._short(items) - before)

    @contextmanager
    def own_sale(self, item: int) -> Iterator[None]:
        before = self._short([item])
        yield
        self.counts["sold"] += 1
        self.counts["oversold"] += max(0, self._short([item]) - before)

    def _short(self, items: list[int]) -> int:
        return sum(max(0, -self.world.free(item)) for item in items)

    # Writes

    def watch(self, side: int, desk: Desk) -> None:
        wire = desk.transport._wire
        real = wire.send

        def send(method: str, url: str, headers: dict[str, str], body: bytes = b"") -> object:
            if UPDATE in url:
                for sku, offered in offers(body).items():
                    self.counts["writes"] += 1
                    self.judge((side, sku), offered, desk)
            return real(method, url, headers, body)

        wire.send = send  # type: ignore[method-assign, assignment]

    def judge(self, listing: Listing, offered: int, desk: Desk) -> None:
        """Nothing is raised beyond what was free by all that could be known, nor while anything is unsettled."""
        shown = self.world.shown(listing)
        for item, quantity in self.world.parts[listing]:
            most = self.world.free(item) + self._unknown(item)
            assert offered <= shown or offered * quantity <= max(0, most), (
                f"{listing} {self.world.names[item]} raised from {shown} to {offered}, and only {most} are free"
            )
        known = desk.rows(_KNOWN, shop=desk.shop.shop_id, sku=listing[1])[0]
        if offered > known.available:
            assert known.pending <= 1, f"{listing} raised while a write of unknown outcome is open"
            assert known.agreed or not known.drifts, f"{listing} raised while a drift is undecided"
            assert known.committed <= known.open_units, f"{listing} raised while orders are unseen"

    def _unknown(self, item: int) -> int:
        """Units sold since the stock of their listing was last read: nobody here can know of them."""
        return sum(
            (self.sold[listing] - self.seen[listing]) * quantity
            for listing, parts in self.world.parts.items()
            for part, quantity in parts
            if part == item
        )

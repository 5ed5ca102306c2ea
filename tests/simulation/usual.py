"""Four usual ways to keep two channels in step, as connectors do it; none of them keeps a ledger."""

from contextlib import nullcontext
from typing import Any

from core import clock
from core.practice import CREDENTIALS
from core.storefront.base import Answer, StockSet, StoreTrouble
from core.tiktok.api import ShopApi
from core.tiktok.auth import App, exchange_code
from core.tiktok.budget import Budget
from core.tiktok.transport import Transport
from tests.simulation.market import Market

_GONE = "CANCELLED"


class Naive:
    """Reads both numbers and writes one or both; goods that arrive are typed into the store."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.writes = 0
        self.base = market.received
        base = market.inside.base_url
        app = App(CREDENTIALS.app_key, CREDENTIALS.app_secret, CREDENTIALS.service_id, base, base)
        self.transport = Transport(app, Memory(), Budget(100_000.0, wait=self._wait), wait=self._wait)
        self.transport._keeper._store.save(exchange_code(app, market.inside.shop.authorise()))  # type: ignore[union-attr]
        shop = ShopApi(self.transport).authorized_shops()[0]
        self.api = ShopApi(self.transport, shop)

    def _wait(self, seconds: float) -> bool:
        self.market.time.turn(seconds)
        return False

    def read(self) -> tuple[int, int]:
        """What TikTok and the store show."""
        there = self.api.stock([self.market.sku])[self.market.sku].available
        [here] = self.market.front.read_stock([self.market.item])
        return there, here.available

    def tell_tiktok(self, units: int) -> None:
        self.writes += 1
        truth = self.market.inside.shop.truth(self.market.sku)
        place = {self.market.sku: {truth.warehouses[0].warehouse_id: max(0, units)}}
        self.api.set_stock(truth.product_id, place)

    def tell_store(self, units: int) -> None:
        self.writes += 1
        change = StockSet(self.market.item, max(0, units))
        [answer] = self.market.front.set_stock([change], key=f"{self.writes}")
        if answer.answer is not Answer.SET:
            raise StoreTrouble("not written")

    def heard(self, side: str, order: str) -> None:
        self.poll()

    def poll(self) -> None:
        raise NotImplementedError

    def receive(self, units: int) -> None:
        self.market.front.goods[self.market.item].available += units

    def restart(self) -> None:
        """What it remembers is on disk; the round that died is over."""

    def close(self) -> None:
        self.transport.close()

    def right(self) -> bool:
        """Whether both sides show what is free."""
        free = max(0, self.market.free)
        return (self._shown_on_tiktok(), self.market.front.goods[self.market.item].available) == (free, free)

    def _shown_on_tiktok(self) -> int:
        return self.market.inside.shop.truth(self.market.sku).available


class LastWriterWins(Naive):
    """Whatever changed last is the truth for both."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.seen = (market.received, market.received)

    def poll(self) -> None:
        there, here = self.read()
        if here != self.seen[1]:
            self.tell_tiktok(here)
            self.seen = (here, here)
        elif there != self.seen[0]:
            self.tell_store(there)
            self.seen = (there, there)


class MinimumOfBoth(Naive):
    """Both show the smaller number."""

    def poll(self) -> None:
        there, here = self.read()
        if there > here:
            self.tell_tiktok(here)
        elif here > there:
            self.tell_store(there)


class ThreeWayMerge(Naive):
    """Both changes since the last agreed number are added up."""

    def poll(self) -> None:
        there, here = self.read()
        merged = max(0, there + here - self.base)
        if merged != there:
            self.tell_tiktok(merged)
        if merged != here:
            self.tell_store(merged)
        self.base = merged


class AbsolutePush(Naive):
    """The store is the master: orders on TikTok become orders there, and its number is written to TikTok."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.imported: dict[str, int] = {}
        self.newest = int(market.time.seconds)

    def poll(self) -> None:
        token = ""
        while True:
            page = self.api.order_page(self.newest - 600, int(clock.now()) + 1, token)
            for order in page.orders:
                units = sum(line.status != _GONE and order.status != _GONE for line in order.lines)
                self._import(order.id, units)
                self.newest = max(self.newest, order.update_time)
            token = page.next_page_token
            if not token:
                break
        there, here = self.read()
        if there != max(0, here):
            self.tell_tiktok(here)

    def _import(self, order_id: str, units: int) -> None:
        """An order there takes its units at once, without fail, and only once."""
        more = units - self.imported.get(order_id, 0)
        if more:
            self.writes += 1
            self.market.front.goods[self.market.item].available -= more
            self.imported[order_id] = units

    def right(self) -> bool:
        return (self._shown_on_tiktok(), max(0, self.market.front.goods[self.market.item].available)) == (
            (max(0, self.market.free),) * 2
        )


class Memory:
    """Tokens in memory."""

    def __init__(self) -> None:
        self.tokens: Any = None

    def load(self) -> Any:
        return self.tokens

    def save(self, tokens: Any) -> None:
        self.tokens = tokens

    def lock(self) -> Any:
        return nullcontext()

    def mark_refreshing(self, token_fingerprint: str) -> None: ...

    def refreshing(self) -> str | None:
        return None

    def clear_refreshing(self) -> None: ...

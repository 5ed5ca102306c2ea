"""Five ways to keep two channels in step, on the same days: four that connectors use, and ours."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from sqlalchemy import insert

from core import clock
from core.store.errors import StoreProblem
from core.store.tables import SalesDay
from core.store.upsert import table
from core.sync import ledger, observe, orders, outbox, push, rules, runs, speeds
from core.sync.cycle import mark_uneven
from core.sync.rules import Rule, Scope
from core.tiktok.errors import TikTokError
from tests.simulation.desk import NOON, Desk
from tests.simulation.market import PER_HOUR, Market, Tally, live, open_market
from tests.simulation.two_channels import STORE, Both
from tests.simulation.usual import AbsolutePush, LastWriterWins, MinimumOfBoth, ThreeWayMerge


class Ours:
    """The engine, with the last units split or shared."""

    def __init__(self, market: Market, *, split: bool) -> None:
        self.market = market
        self.desk = Desk(Path(mkdtemp(dir=_fast())), market.inside, market.time)
        self.desk.stock_up()
        self.desk.go_live()
        self.both = Both(self.desk, compares=market.front.compares, front=market.front)
        self.item = self.desk.one("SELECT item_id FROM link WHERE sku_id = :s", s=market.sku)
        self._history()
        with self.desk.store.write() as connection:
            rules.keep(connection, Scope.ALL, "", Rule(split=None if split else False))
            rules.refresh(connection)
        speeds.refresh(self.desk.store)
        self.divided = market.time.seconds
        self.known = self.calm = 0
        self.desk.push()
        self._sent = 0
        self.calls = 0
        real = market.front.set_stock

        def counted(changes: Any, *, key: str) -> Any:
            self.calls += 1
            return real(changes, key=key)

        market.front.set_stock = counted  # type: ignore[method-assign]
        self.desk.sent.clear()

    @property
    def writes(self) -> int:
        return self.calls + len(self.desk.updates())

    def _history(self) -> None:
        """Four weeks of sales, as every shop has."""
        today = datetime.fromtimestamp(self.market.time.seconds, UTC).date()
        rows = [
            {"shop_id": shop, "day": (today - timedelta(days=n)).isoformat(), "sku_id": sku, "currency": "GBP",
             "units": int(PER_HOUR[side] * 24 * 1.52), "sales_units": 0}
            for side, shop, sku in (
                ("tiktok", self.desk.shop.shop_id, self.market.sku), ("store", STORE, self.market.item)
            )
            for n in range(1, 28)
        ]  # fmt: skip
        with self.desk.store.write() as connection:
            connection.execute(insert(table(SalesDay)), rows)

    def poll(self) -> None:
        """A sync of both sides, without the catalogue: orders, stock, and what follows from them."""
        if self._calm():
            return
        if self.market.time.seconds - self.divided >= 600:
            self.divided = self.market.time.seconds
            speeds.refresh(self.desk.store, item_ids=[self.item])
        for shop in (self.desk.shop, self.both.store):
            with suppress(TikTokError, StoreProblem):
                orders.poll(shop, runs.Running(self.desk.store, "sync orders", shop.shop_id, "timer", quiet=True))
                observe.read_all(shop)
                mark_uneven(shop)
        self._push()

    def _calm(self) -> bool:
        """Whether a sync would find nothing: two have passed since anything happened, and nothing is waiting.

        It costs many times what all else does, so it is left out then.
        """
        self.calm = self.calm + 1 if self.market.happened == self.known else 0
        self.known = self.market.happened
        return self.calm > 2 and not self.desk.rows("SELECT 1 FROM outbox WHERE state <> 'idle' LIMIT 1")

    def heard(self, side: str, order: str) -> None:
        if side == "tiktok":
            self.desk.hear(order, len(self.desk.sent))
        else:
            orders.catch_up(self.both.store)
        self._push()

    def receive(self, units: int) -> None:
        """Goods are entered in Evenstock."""
        with self.desk.store.write(urgent=True) as connection:
            row = {"item_id": self.item, "on_hand": units, "reason": "count", "origin": "store", "at": clock.now_ms()}
            ledger.write(connection, [row])
            outbox.mark_items(connection, [self.item], "goods arrived")
        self._push()

    def _push(self) -> None:
        for _ in range(4):
            told = 0
            for shop in (self.desk.shop, self.both.store):
                with runs.run(self.desk.store, "push", shop.shop_id, "change", quiet=True) as running:
                    told += len(push.drain(shop, "loop", running).results)
            if not told:
                return

    def restart(self) -> None:
        self.both.restart()

    def right(self) -> bool:
        """Whether each side shows its target, reckoned anew from what is really free."""
        free = max(0, self.market.free)
        shown = {self.market.sku: self.market.inside.shop.truth(self.market.sku).available}
        shown[self.market.item] = self.market.front.goods[self.market.item].available
        rows = self.desk.rows(
            "SELECT k.sku_id, k.split_from AS a, k.split_to AS b, i.split_at AS at, i.split_total AS total "
            "FROM link k JOIN item i ON i.id = k.item_id WHERE i.id = :i", i=self.item,
        )  # fmt: skip
        for row in rows:
            split = row.total > 0 and free <= row.at
            target = free * row.b // row.total - free * row.a // row.total if split else free
            if shown[row.sku_id] != target:
                return False
        return True

    def close(self) -> None:
        self.desk.close()
        rmtree(self.desk.folder)


def _fast() -> str | None:
    """Memory that looks like a disk, where there is some: these days are many."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


STRATEGIES: dict[str, Callable[[Market], Any]] = {
    "last writer wins": LastWriterWins,
    "minimum of both": MinimumOfBoth,
    "three-way merge": ThreeWayMerge,
    "absolute push": AbsolutePush,
    "Evenstock, shared": lambda market: Ours(market, split=False),
    "Evenstock, last units split": lambda market: Ours(market, split=True),
}


def day(name: str, seed: int, shop: bytes) -> Tally:
    """One day of one strategy; call it inside `in_one_thread`."""
    with clock.turned(NOON) as time:
        market = open_market(time, seed, shop)
        strategy = STRATEGIES[name](market)
        try:
            return live(market, strategy)
        finally:
            strategy.close()
            market.inside.shop.close()

"""The engine at work on a practice shop over real HTTP, with time turned by hand and processes that can die."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, text

from core import clock, connect
from core.analytics.rollups import recount
from core.practice import CREDENTIALS, PracticeServer, PracticeShop
from core.store import choices as owner
from core.store.engine import Store, open_store
from core.store.tables import Item
from core.store.upsert import table
from core.store.vault import Vault
from core.sync import catalog, hooks, ledger, observe, orders, outbox, plans, push, runs
from core.sync.context import ShopContext
from core.sync.cycle import cycle
from core.sync.signin import KeptTokens, load_shops
from core.tiktok.api import ShopApi
from core.tiktok.auth import App, exchange_code
from core.tiktok.budget import Budget
from core.tiktok.transport import Transport
from core.tiktok.webhooks import ORDER_STATUS
from core.tiktok.webhooks import Event as Webhook
from tests.simulation.inside import Inside

AUTH = "practice"
KEY = bytes(range(32))
NOON = 1_795_176_000.0
_COMPILED: dict[Any, Any] = {}
_DIALECTS: dict[str, Any] = {}


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


class Desk:
    """One process of Evenstock with its store in a file; `restart` is what a crash and a new start leave of it."""

    def __init__(
        self, folder: Path, server: PracticeServer | Inside, time: clock.Turned, *, read_seconds: float = 5.0,
        auth: str = AUTH, beside: "Desk | None" = None,
    ) -> None:  # fmt: skip
        """`beside` is the desk of another shop in the same process, whose store this one works in too."""
        self.folder = folder
        self.server = server
        self.practice: PracticeShop = server.shop
        self.time = time
        self.read_seconds = read_seconds
        self.auth = auth
        self.beside = beside
        self.sent: list[tuple[str, bytes]] = []
        self.app = App(
            CREDENTIALS.app_key, CREDENTIALS.app_secret, CREDENTIALS.service_id, server.base_url, server.base_url
        )
        self.open()
        if not self._known():
            self.sign_in()

    def open(self) -> None:
        """Everything that a start builds."""
        self.store: Store = self.beside.store if self.beside else self._open_store()
        self.vault = self.beside.vault if self.beside else Vault(self.store, KEY)
        self.stop = Event()
        self._connect()

    def _open_store(self) -> Store:
        store = open_store(f"sqlite:///{(self.folder / 'evenstock.db').as_posix()}")
        if isinstance(self.server, Inside):  # a new start of the same program need not compile the same SQL again
            for engine in (store.writer, store.reader):
                engine.dialect = _DIALECTS.setdefault(engine.dialect.name, engine.dialect)
                engine.update_execution_options(compiled_cache=_COMPILED)
        return store

    def _known(self) -> list[Any]:
        return [found for found in load_shops(self.store, self.vault) if found[0].auth == self.auth]

    def _connect(self) -> None:
        self.transport = Transport(
            self.app, KeptTokens(self.vault, self.auth, self.folder), Budget(100_000.0, wait=self.wait), wait=self.wait,
            read_seconds=self.read_seconds, connect_seconds=5.0,
        )  # fmt: skip
        shops = self._known()
        if shops:
            row, info = shops[0]
            self.shop = ShopContext(
                row.id, row.name, row.currency, ZoneInfo(row.timezone), ShopApi(self.transport, info), self.store,
                b"salt", True, self.stop,
            )  # fmt: skip
        self._listen()

    def sign_in(self) -> None:
        """The owner agrees on TikTok's page, for the first time or once more."""
        tokens = exchange_code(self.app, self.practice.authorise())
        connect.keep_connection(self.store, self.vault, self.auth, self.app, tokens, self.folder, practice=True)
        self.transport.close()
        self._connect()

    def _listen(self) -> None:
        wire = self.transport._wire
        real = wire.send

        def send(method: str, url: str, headers: Any, body: bytes = b"") -> Any:
            self.sent.append((url.partition("?")[0].removeprefix(self.server.base_url), body))
            return real(method, url, headers, body)

        wire.send = send  # type: ignore[method-assign]

    def close(self) -> None:
        self.transport.close()
        if self.beside is None:
            self.store.close()

    def restart(self) -> None:
        """A new process on what the old one left on disk."""
        self.close()
        self.open()
        runs.close_interrupted(self.store)
        outbox.release_all(self.store)

    def wait(self, seconds: float) -> bool:
        """Rest by turning the clock."""
        self.time.turn(seconds)
        return self.stop.is_set()

    # What the owner has and does

    def stock_up(self, extra: int = 0) -> None:
        """An item for every SKU of the practice shop, counted so that both sides are even."""
        now = clock.now_ms()
        with self.store.write() as connection:
            for truth in self.practice.truths():
                row = {"sku": truth.seller_sku or truth.sku_id, "title": truth.title, "created_at": now}
                values = {"variant": "", "currency": "GBP", "barcode": "", "archived": False}
                item = connection.execute(
                    insert(table(Item)).values(row | values).returning(table(Item).c.id)
                ).scalar_one()
                have = truth.available + truth.committed + extra
                ledger.count(connection, [(item, have)], actor="test", origin="store", reference="")

    def go_live(self) -> None:
        """First sync, then every listing reviewed and sent."""
        self.sync("all")
        with self.store.read() as connection:
            linked = connection.execute(text("SELECT count(DISTINCT sku_id) FROM link")).scalar_one()
        assert linked, "no listing was linked"
        self.resync()
        self.push()
        self.sync("all")

    def resync(self, sku_ids: list[str] | None = None) -> plans.Proposed:
        """The owner reviews what differs and sends it."""
        plan = plans.propose_resync(self.store, self.shop.shop_id, sku_ids, actor="test")
        plans.approve(self.store, plan.id, confirmed_rows=plan.rows)
        running = runs.Running(self.store, "resync", self.shop.shop_id, "owner")
        running.record()
        with runs.carry_on(running):
            plans.run(self.shop, plan.id, running)
        return plan

    def choose(self, **choices: Any) -> None:
        """Change settings."""
        with self.store.read() as connection:
            now = owner.load(connection)
        owner.save(self.store, now.model_copy(update=choices))

    def rule(self, sku_id: str, **values: Any) -> None:
        """The rule in force for a listing is another one now: buffer, share, cap, zero_below."""
        changes = ", ".join(f"{name} = :{name}" for name in values)
        with self.store.write(urgent=True) as connection:
            connection.execute(text(f"UPDATE link SET {changes} WHERE sku_id = :sku"), values | {"sku": sku_id})
            outbox.mark_listings(connection, self.shop.shop_id, [sku_id], "the rule changed")

    def share_item(self, sku_id: str, other: str) -> None:
        """The other listing sells the same item from now on, and the owner has reviewed it."""
        item = self.one("SELECT item_id FROM link WHERE sku_id = :s", s=sku_id)
        with self.store.write(urgent=True) as connection:
            connection.execute(text("DELETE FROM link WHERE sku_id = :s"), {"s": other})
            catalog.link(connection, self.shop.shop_id, [(other, item, 1, "test")])
        self.resync([other])
        self.settle(rounds=1)

    def sell(self, sku_id: str, quantity: int = 1) -> None:
        """A sale in the own store."""
        ledger.record_sale(self.store, self.practice.truth(sku_id).seller_sku, quantity, actor="test")

    def count(self, sku_id: str, on_hand: int) -> None:
        """A stocktake."""
        ledger.record_count(self.store, self.practice.truth(sku_id).seller_sku, on_hand, actor="test")

    def hear(self, order_id: str, number: int = 0) -> None:
        """A webhook about an order arrives."""
        event = Webhook(ORDER_STATUS, f"{order_id}-{number}", self.shop.shop_id, None, None, order_id, None, None, {})
        hooks.keep(self.store, event)
        hooks.work(self.shop, only_shop=True)

    # What the loop does

    def running(self, kind: str = "sync orders") -> runs.Running:
        return runs.Running(self.store, kind, self.shop.shop_id, "timer", quiet=True)

    def poll(self) -> Any:
        return orders.poll(self.shop, self.running())

    def sync(self, kind: Any = "all") -> None:
        cycle(self.shop, kind, "timer")

    def push(self, rounds: int = 20) -> push.Pushed:
        """What is due is sent, until nothing is due at this moment."""
        total = push.Pushed()
        with runs.run(self.store, "push", self.shop.shop_id, "change", quiet=True) as running:
            for _ in range(rounds):
                found = push.drain(self.shop, "loop", running)
                for name in ("even", "confirmed", "contradicted", "again", "refused", "unknown", "held"):
                    setattr(total, name, getattr(total, name) + getattr(found, name))
                total.results |= found.results
                if not found.results:
                    return total
        raise AssertionError(f"still due after {rounds} rounds: {total}")

    def settle(self, rounds: int = 8, seconds: float = 120.0) -> None:
        """Time passes and the loop runs, until nothing more is to be expected."""
        for _ in range(rounds):
            self.time.turn(seconds)
            self.sync("all")
            self.push()

    # What is true

    def rows(self, query: str, **given: Any) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(text(query), given).all())

    def one(self, query: str, **given: Any) -> Any:
        found = self.rows(query, **given)
        assert len(found) == 1, found
        return found[0][0] if len(found[0]) == 1 else found[0]

    def have(self, sku_id: str) -> tuple[int, int]:
        """On hand and reserved of the item behind a listing."""
        return self.one(
            "SELECT coalesce(sum(v.on_hand), 0), coalesce(sum(v.reserved), 0) FROM link k "
            "LEFT JOIN level v ON v.item_id = k.item_id WHERE k.sku_id = :sku", sku=sku_id,
        )  # fmt: skip

    def shown(self, sku_id: str) -> int:
        return self.practice.truth(sku_id).available

    def skus(self) -> list[str]:
        """SKUs on sale that are linked."""
        linked = {row.sku_id for row in self.rows("SELECT sku_id FROM link")}
        return [one.sku_id for one in self.practice.truths() if one.status == "ACTIVATE" and one.sku_id in linked]

    def updates(self) -> list[tuple[str, bytes]]:
        """The writes of stock that left this process, in order."""
        return [(path, body) for path, body in self.sent if path.endswith("/inventory/update")]

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Nothing is written to the store inside."""
        before = self.store.revision(), self._changes()
        yield
        assert (self.store.revision(), self._changes()) == before

    def _changes(self) -> int:
        raw = self.store.writer.raw_connection()
        try:
            return int(raw.driver_connection.total_changes)  # type: ignore[union-attr]
        finally:
            raw.close()

    def check_books(self) -> None:
        """Orders, ledger, open units and sums all tell the same story as the practice shop."""
        theirs = self.practice_orders()
        ours = {row.id: row.status for row in self.rows("SELECT id, status FROM orders")}
        assert ours == {number: body["status"] for number, body in theirs.items()}
        opened: dict[str, int] = {}
        for (sku_id, _), units in self.practice.committed_by_orders().items():
            opened[sku_id] = opened.get(sku_id, 0) + units
        known = {row.sku_id: row.open_units for row in self.rows("SELECT sku_id, open_units FROM listing")}
        assert {sku: units for sku, units in known.items() if units} == opened
        for sku_id in self.skus():
            assert self.have(sku_id)[1] == opened.get(sku_id, 0), sku_id
        with self.store.read() as connection:
            assert ledger.prove(connection).broken == ()
        self.check_sums()

    def check_sums(self) -> None:
        """The kept sums are what a recount of every order line gives."""
        queries = ("SELECT * FROM sales_day ORDER BY 1, 2, 3, 4", "SELECT * FROM sales_hour ORDER BY 1, 2, 3, 4")
        kept = [[row for row in self.rows(query) if any(row[4:])] for query in queries]
        with self.store.write() as connection:
            recount(connection)
        assert [[row for row in self.rows(query) if any(row[4:])] for query in queries] == kept

    def check_even(self, *, but: Callable[[str], bool] = lambda sku: False) -> None:
        """TikTok offers what is there and not promised, and no write is left without a verdict."""
        for sku_id in self.skus():
            on_hand, reserved = self.have(sku_id)
            if not but(sku_id):
                assert self.shown(sku_id) == max(0, on_hand - reserved), (sku_id, on_hand, reserved)
        assert self.rows("SELECT id FROM push WHERE outcome IN ('sent', 'unknown', 'accepted')") == []

    def practice_orders(self) -> dict[str, dict[str, Any]]:
        with self.practice.world.read() as db:
            ids = [str(row[0]) for row in db.execute("SELECT id FROM orders")]
        return {number: self.practice.order(number) for number in ids}

    def read_stock(self) -> int:
        return observe.read_all(self.shop)

    def scan_products(self) -> None:
        with runs.run(self.store, "sync catalog", self.shop.shop_id, "timer", quiet=True) as running:
            catalog.scan(self.shop, running, full=True)

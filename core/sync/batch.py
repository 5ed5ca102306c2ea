"""One batch of claimed listings on its way: read, decided, written product by product, read back."""

import logging
import threading
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import Connection, select, text

from core import clock
from core.store import choices as owner
from core.store.errors import StoreProblem
from core.store.tables import Push
from core.store.upsert import table
from core.sync import facts as known
from core.sync import intents, observe, orders, outbox
from core.sync.choosing import Approval, Choice, brake, choose
from core.sync.context import ShopContext
from core.sync.outbox import Claim
from core.sync.runs import Running
from core.sync.targets import spread
from core.tiktok.errors import OutcomeUnknown, Stopped, TikTokError
from core.tiktok.models import SkuStock
from core.tiktok.writes import SetResult

WORKERS = 24  # enough for 50 calls a second whose answers take almost half a second
FEW = 50  # up to this many changes go before a mass change
LOW = 5  # at so few units the reading just before the write is made anew
AT_ONCE = 3  # so often a listing is looked at again without a pause
_STALE_MS = 1_500
_PUSH = table(Push)
_REFUSED_PAUSE = 3600.0  # seconds; a refused row blocks no other and is tried again once an hour
_UNTOLD_PAUSE = 600.0
_UNTOLD = "TikTok did not tell the stock of this listing; nothing is sent while it is unknown."
_CHANGED = "Something changed while this was sent; it is looked at again."
_LOST = "The answer was lost; the next readings tell what became of it."
_UNSURE = ("sent", "unknown")
_log = logging.getLogger("evenstock.push")


@dataclass
class Pushed:
    """What became of the listings that were looked at."""

    even: int = 0
    confirmed: int = 0
    contradicted: int = 0
    again: int = 0
    refused: int = 0
    unknown: int = 0
    held: int = 0
    results: dict[str, str] = field(default_factory=dict)

    @property
    def sent(self) -> int:
        """How many changes reached TikTok, or may have."""
        return self.confirmed + self.contradicted + self.refused + self.unknown


class Batch:
    """The listings that one worker has claimed; the three steps are called in their order."""

    def __init__(
        self,
        shop: ShopContext,
        claims: dict[str, Claim],
        running: Running,
        approved: Mapping[str, Approval] | None,
        pushed: Pushed,
    ) -> None:
        self.shop = shop
        self.claims = claims
        self.running = running
        self.approved = approved
        self.pushed = pushed
        self.intents: dict[str, int] = {}
        self.open = dict(claims)
        self._lock = threading.Lock()
        self._read_at = 0
        self._told = 0.0
        self._products: dict[str, list[str]] = {}
        with shop.store.read() as connection:
            self.choices = owner.load(connection)

    def read(self) -> None:
        """Step 2, and the first look: what is even or must wait is done with; the rest is grouped by product."""
        stocks = self._look()
        with self.shop.store.read() as connection:
            facts = known.load(connection, self.shop.shop_id, stocks.keys())
        if any(fact.wants_orders for fact in facts.values()) and orders.catch_up(self.shop):
            stocks = self._look()
        with self.shop.store.write() as connection:
            self._untold(connection, self.claims.keys() - stocks.keys())
            facts = known.load(connection, self.shop.shop_id, stocks.keys())
            choice = choose(facts.values(), self.approved)
            if self.approved is None:
                linked = connection.execute(_LINKED, self._where()).scalar_one()
                brake(choice, facts, linked, self.choices, self.running)
            self._keep(connection, choice)
        products = defaultdict(list)
        for sku_id in choice.send:
            products[facts[sku_id].product_id].append(sku_id)
        self._products = dict(products)

    def _look(self) -> dict[str, SkuStock]:
        self._read_at = clock.now_ms()
        stocks = self.shop.api.stock(self.claims)
        with self.shop.store.write() as connection:
            observe.record(connection, self.shop, stocks, self._read_at)
        return stocks

    def send(self) -> None:
        """Steps 3 and 4, several products at a time."""
        products = list(self._products.items())
        urgent = sum(len(skus) for _, skus in products) <= FEW
        if len(products) == 1:
            self._send_product(*products[0], urgent=urgent)
        elif products:
            with ThreadPoolExecutor(WORKERS, thread_name_prefix="push") as pool:
                jobs = [pool.submit(self._send_product, *product, urgent=urgent) for product in products]
                for job in jobs:
                    job.result()

    def read_back(self) -> None:
        """Step 5."""
        if not self.intents:
            return
        asked_at = clock.now_ms()
        stocks = self.shop.api.stock(self.intents)
        with self.shop.store.write(urgent=True) as connection:
            self._confirm(connection, stocks, asked_at)

    def give_back(self, error: Exception) -> None:
        """Let go of what is still claimed after an error, to be tried again later, and say what had been sent."""
        sentence = error.sentence if isinstance(error, TikTokError | StoreProblem) else "Something unexpected happened."
        pause = error.retry_after if isinstance(error, TikTokError) else None
        try:
            with self.shop.store.write() as connection:
                outbox.later(connection, list(self.open.values()), sentence, pause)
                for sku_id, outcome in self._outcomes(connection).items():
                    self.pushed.results[sku_id] = outcome
                    self.pushed.unknown += outcome in _UNSURE
        except StoreProblem:
            _log.warning("what was claimed stays so until its time is up: %s", sentence)

    def _where(self) -> dict[str, object]:
        return {"shop": self.shop.shop_id}

    def _done(self, sku_id: str) -> Claim:
        return self.open.pop(sku_id)

    def _untold(self, connection: Connection, missing: Collection[str]) -> None:
        outbox.later(connection, [self._done(sku) for sku in missing], _UNTOLD, _UNTOLD_PAUSE)
        self.pushed.results |= dict.fromkeys(missing, _UNTOLD)

    def _keep(self, connection: Connection, choice: Choice) -> None:
        """Store what is decided about the listings that are not written."""
        even = [self._done(sku) for sku in choice.even]
        outbox.settle(connection, even + [self._done(sku) for sku in choice.idle])
        _mark_settled(connection, even)
        outbox.hold(connection, [(self._done(sku), sentence) for sku, sentence in choice.held.items()])
        for sku, sentence in choice.waiting.items():
            outbox.later(connection, [self._done(sku)], sentence)
        for sku, sentence in choice.stale.items():
            outbox.later(connection, [self._done(sku)], sentence, 0.0)
        self.pushed.even += len(choice.even) + len(choice.idle)
        self.pushed.results |= dict.fromkeys(choice.even + choice.idle, "even")
        refrained = choice.held | choice.waiting | choice.stale
        self.pushed.held += len(refrained)
        self.pushed.results |= refrained

    def _send_product(self, product_id: str, skus: Sequence[str], *, urgent: bool) -> None:
        if self.running.stop.is_set() or self.shop.stop.is_set():
            raise Stopped("Stopped before the rest was sent. What was sent stays sent, and the rest stays due.")
        wanted = self._intend(skus)
        if not wanted:
            return
        try:
            result = self.shop.api.set_stock(product_id, wanted, urgent)
        except OutcomeUnknown as error:
            with self.shop.store.write(urgent=True) as connection:
                for sku_id in wanted:
                    intents.unknown(connection, self.intents[sku_id], error)
        except TikTokError as error:
            with self.shop.store.write(urgent=True) as connection, self._lock:
                for sku_id in wanted:
                    intents.not_sent(connection, self.intents.pop(sku_id), error)
            raise
        else:
            self._answered(wanted, result)
        self._tell_progress()

    def _intend(self, skus: Sequence[str]) -> dict[str, dict[str, int]]:
        """Step 3: the targets of this very moment, kept as intents before the call."""
        self._refresh_low(skus)
        wanted: dict[str, dict[str, int]] = {}
        with self.shop.store.write(urgent=True) as connection, self._lock:
            mine = outbox.still_mine(connection, [self.claims[sku] for sku in skus])
            for lost in set(skus) - mine:
                self._done(lost)
            facts = known.load(connection, self.shop.shop_id, mine)
            choice = choose(facts.values(), self.approved)
            self._keep(connection, choice)
            for sku_id, decision in choice.send.items():
                fact = facts[sku_id]
                numbers = spread(decision.target, fact.shown, fact.first, fact.served, fact.most)
                push_id = intents.keep(connection, self.claims[sku_id], fact, decision.target, numbers, self.running.id)
                self.intents[sku_id], wanted[sku_id] = push_id, numbers
        return wanted

    def _refresh_low(self, skus: Sequence[str]) -> None:
        """The last few units sell while a mass change runs, so their reading is taken anew just before the write."""
        if clock.now_ms() - self._read_at <= _STALE_MS:
            return
        with self.shop.store.read() as connection:
            facts = known.load(connection, self.shop.shop_id, skus)
        if any((fact.target or 0) <= LOW for fact in facts.values()):
            asked_at = clock.now_ms()
            stocks = self.shop.api.stock(skus)
            with self.shop.store.write(urgent=True) as connection:
                observe.record(connection, self.shop, stocks, asked_at)

    def _answered(self, wanted: Collection[str], result: SetResult) -> None:
        """Step 4: the answer, kept before anything else happens."""
        with self.shop.store.write(urgent=True) as connection, self._lock:
            for sku_id in wanted:
                if sku_id in result.stale:
                    self._look_again(connection, sku_id)
                    continue
                refusal = result.refused.get(sku_id)
                if refusal is None:
                    intents.accepted(connection, self.intents[sku_id], self.claims[sku_id], result.request_id)
                    continue
                intents.refused(connection, self.intents.pop(sku_id), self.claims[sku_id], refusal)
                outbox.later(connection, [self._done(sku_id)], refusal.sentence, _REFUSED_PAUSE)
                self.pushed.refused += 1
                self.pushed.results[sku_id] = refusal.sentence

    def _look_again(self, connection: Connection, sku_id: str) -> None:
        """The channel compared and wrote nothing: read it again at once, a few times."""
        intents.overtaken(connection, self.intents.pop(sku_id))
        claim = self._done(sku_id)
        outbox.later(connection, [claim], _CHANGED, 0.0 if claim.attempts < AT_ONCE else None)
        self.pushed.again += 1
        self.pushed.results[sku_id] = _CHANGED

    def _outcomes(self, connection: Connection) -> dict[str, str]:
        query = select(_PUSH.c.sku_id, _PUSH.c.outcome).where(_PUSH.c.id.in_(list(self.intents.values())))
        return {row.sku_id: row.outcome for row in connection.execute(query)}

    def _confirm(self, connection: Connection, stocks: Mapping[str, SkuStock], asked_at: int) -> None:
        observe.record(connection, self.shop, stocks, asked_at)
        facts = known.load(connection, self.shop.shop_id, stocks.keys())
        even: list[Claim] = []
        for sku_id, outcome in self._outcomes(connection).items():
            fact, claim = facts.get(sku_id), self._done(sku_id)
            if outcome == "confirmed" and self.approved is not None:
                seen_at = self.approved[sku_id].read_at
                intents.overwrite_drift(connection, self.shop.shop_id, sku_id, seen_at=seen_at)
            if outcome in _UNSURE:
                outbox.later(connection, [claim], _LOST, 5.0)
            elif fact is not None and fact.available == fact.target:
                even.append(claim)
            else:
                pause = 0.0 if claim.attempts < AT_ONCE else None
                outbox.later(connection, [claim], _CHANGED, pause)
                self.pushed.again += 1
            self.pushed.results[sku_id] = outcome
            self.pushed.confirmed += outcome == "confirmed"
            self.pushed.unknown += outcome in _UNSURE
            self.pushed.contradicted += outcome == "contradicted"
        outbox.settle(connection, even)
        _mark_settled(connection, even)

    def _tell_progress(self) -> None:
        if self.running.id is None or len(self.claims) < 2:
            return
        with self._lock:
            now = clock.monotonic()
            due = now - self._told >= 0.5
            if due:
                self._told = now
            waiting = sum(1 for sku in self.open if sku not in self.intents)
        if due:
            self.running.progress(len(self.claims) - waiting, len(self.claims))


_SETTLED = text("UPDATE listing SET settled_at = :now WHERE shop_id = :shop AND sku_id = :sku AND settled_at IS NULL")
_LINKED = text("SELECT count(DISTINCT sku_id) FROM link WHERE shop_id = :shop")


def _mark_settled(connection: Connection, even: Sequence[Claim]) -> None:
    now = clock.now_ms()
    if even:
        connection.execute(_SETTLED, [{"now": now, "shop": claim.shop_id, "sku": claim.sku_id} for claim in even])

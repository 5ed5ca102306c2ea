"""Send quantities to TikTok: read, decide, keep the intent, write, keep the answer, read again.

1. Claim due listings, so that no other worker touches them.
2. Read what TikTok shows for all of them, 600 a call.
3. For each product, at the moment of sending: compute the targets anew, stop what the limits forbid, keep the intents.
4. Call TikTok with every warehouse of each SKU, and keep the answer right after it.
5. Read back: confirmed, or due again at once when something else happened in between.
"""

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import Connection, select, text

from core import clock
from core.settings import Choices
from core.store import choices as owner
from core.store.tables import Push
from core.store.upsert import table
from core.sync import brakes, intents, observe, outbox
from core.sync import facts as known
from core.sync.context import ShopContext
from core.sync.facts import Facts
from core.sync.outbox import Claim
from core.sync.runs import Running
from core.sync.targets import Decision, Move, decide, spread
from core.tiktok.errors import OutcomeUnknown, Stopped, TikTokError
from core.tiktok.models import SkuStock
from core.tiktok.writes import SetResult

BATCH = 600
WORKERS = 16
FEW = 50  # up to this many changes go before a mass change
LOW = 5  # at so few units the reading just before the write is made anew
_STALE_MS = 1_500
_PUSH = table(Push)
_REFUSED_PAUSE = 3600.0  # seconds; a refused row blocks no other and is tried again once an hour


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


@dataclass(frozen=True, slots=True)
class Approval:
    """What the owner agreed to for one listing: from the number shown to a new one, as they were when reviewed."""

    old: int
    new: int


def drain(
    shop: ShopContext,
    worker: str,
    running: Running,
    *,
    approved: Mapping[str, Approval] | None = None,
) -> Pushed:
    """Look at one batch of due listings and send what must be sent; with `approved`, the listings of a reviewed plan.

    Raises TikTokError when TikTok cannot be read; the listings stay due then.
    """
    if approved is None:
        claims = outbox.claim(shop.store, shop.shop_id, worker, BATCH)
    else:
        claims = outbox.take(shop.store, shop.shop_id, worker, sorted(approved)[:BATCH])
    if not claims:
        return Pushed()
    batch = _Batch(shop, {claim.sku_id: claim for claim in claims}, running, approved)
    try:
        batch.read()
        batch.send()
        batch.read_back()
    except TikTokError as error:
        batch.give_back(error)
        raise
    return batch.pushed


class _Batch:
    def __init__(
        self,
        shop: ShopContext,
        claims: dict[str, Claim],
        running: Running,
        approved: Mapping[str, Approval] | None,
    ) -> None:
        self.shop = shop
        self.claims = claims
        self.running = running
        self.approved = approved
        self.pushed = Pushed()
        self.intents: dict[str, int] = {}
        self.open = dict(claims)
        self._lock = threading.Lock()
        self._read_at = 0
        self._told = 0.0
        self._products: dict[str, list[str]] = {}
        with shop.store.read() as connection:
            self.choices: Choices = owner.load(connection)

    def read(self) -> None:
        """Step 2, and the first look: what is even or must wait is done with; the rest is grouped by product."""
        self._read_at = clock.now_ms()
        stocks = self.shop.api.stock(self.claims)
        with self.shop.store.write() as connection:
            observe.record(connection, self.shop.shop_id, stocks, self._read_at)
            self._unread(connection, self.claims.keys() - stocks.keys())
            facts = known.load(connection, self.shop.shop_id, stocks.keys(), self.choices.buffer)
            changes = self._choose(connection, facts)
            changes = self._brake(connection, changes, facts)
        products = defaultdict(list)
        for sku_id in changes:
            products[facts[sku_id].product_id].append(sku_id)
        self._products = dict(products)

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

    def give_back(self, error: TikTokError) -> None:
        """Let go of what is still claimed after an error, to be tried again later."""
        with self.shop.store.write() as connection:
            outbox.later(connection, list(self.open.values()), error.sentence, error.retry_after)

    def _unread(self, connection: Connection, missing: Collection[str]) -> None:
        note = "TikTok did not tell the stock of this listing; nothing is sent while it is unknown."
        outbox.later(connection, [self._done(sku) for sku in missing], note, 600)

    def _done(self, sku_id: str) -> Claim:
        return self.open.pop(sku_id)

    def _choose(self, connection: Connection, facts: Mapping[str, Facts]) -> dict[str, Decision]:
        changes: dict[str, Decision] = {}
        even, held = [], []
        for sku_id, fact in facts.items():
            decision = self._decision(fact)
            if decision is None or decision.move is Move.NOTHING:
                even.append(self._done(sku_id))
                self.pushed.even += 1
                self.pushed.results[sku_id] = "even"
            elif decision.move is Move.HOLD:
                held.append((self._done(sku_id), decision.sentence))
                self.pushed.held += 1
                self.pushed.results[sku_id] = decision.sentence
            else:
                changes[sku_id] = decision
        outbox.settle(connection, even)
        _mark_settled(connection, even)
        outbox.hold(connection, held)
        return changes

    def _decision(self, fact: Facts) -> Decision | None:
        wanted = fact.target
        if wanted is None or fact.available is None:
            return None
        approval = self.approved.get(fact.sku_id) if self.approved is not None else None
        decision = decide(
            wanted=wanted, available=fact.available, committed=fact.committed, open_units=fact.open_units,
            drift=fact.drift, doubt=fact.doubt, settled=fact.settled, decided=approval is not None,
        )  # fmt: skip
        if approval is not None and decision.move is Move.RAISE and wanted > approval.new:
            return Decision(
                Move.HOLD, wanted, "The numbers changed after you reviewed them. Please review this row again."
            )
        return decision

    def _brake(
        self, connection: Connection, changes: dict[str, Decision], facts: Mapping[str, Facts]
    ) -> dict[str, Decision]:
        if self.approved is not None:
            return changes
        linked = connection.execute(_LINKED, {"shop": self.shop.shop_id}).scalar_one()
        wanted = {sku: decision.target for sku, decision in changes.items()}
        shown = {sku: facts[sku].available for sku in changes}
        stopped, sentence = brakes.stopped(wanted, shown, linked, self.choices)
        if stopped:
            outbox.hold(connection, [(self._done(sku), sentence) for sku in stopped])
            self.pushed.held += len(stopped)
            self.pushed.results |= dict.fromkeys(stopped, sentence)
            self.running.status, self.running.sentence = "held", sentence
            self.running.next_step = "Open the Stock page, look at the changes, and send those that are right."
            self.running.counts["held"] += len(stopped)
        return {sku: decision for sku, decision in changes.items() if sku not in set(stopped)}

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
            with self.shop.store.write(urgent=True) as connection:
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
            facts = known.load(connection, self.shop.shop_id, skus, self.choices.buffer)
            for sku_id, decision in self._choose(connection, facts).items():
                fact = facts[sku_id]
                numbers = spread(decision.target, fact.shown, fact.first)
                push_id = intents.keep(connection, self.claims[sku_id], fact, decision.target, numbers, self.running.id)
                self.intents[sku_id], wanted[sku_id] = push_id, numbers
        return wanted

    def _refresh_low(self, skus: Sequence[str]) -> None:
        """The last few units sell while a mass change runs, so their reading is taken anew just before the write."""
        if clock.now_ms() - self._read_at <= _STALE_MS:
            return
        with self.shop.store.read() as connection:
            facts = known.load(connection, self.shop.shop_id, skus, self.choices.buffer)
        if any((fact.target or 0) <= LOW for fact in facts.values()):
            asked_at = clock.now_ms()
            stocks = self.shop.api.stock(skus)
            with self.shop.store.write(urgent=True) as connection:
                observe.record(connection, self.shop.shop_id, stocks, asked_at)

    def _answered(self, wanted: Collection[str], result: SetResult) -> None:
        """Step 4: the answer, kept before anything else happens."""
        with self.shop.store.write(urgent=True) as connection, self._lock:
            for sku_id in wanted:
                refusal = result.refused.get(sku_id)
                if refusal is None:
                    intents.accepted(connection, self.intents[sku_id], self.claims[sku_id], result.request_id)
                    continue
                intents.refused(connection, self.intents.pop(sku_id), self.claims[sku_id], refusal)
                outbox.later(connection, [self._done(sku_id)], refusal.sentence, _REFUSED_PAUSE)
                self.pushed.refused += 1
                self.pushed.results[sku_id] = refusal.sentence

    def _confirm(self, connection: Connection, stocks: Mapping[str, SkuStock], asked_at: int) -> None:
        observe.record(connection, self.shop.shop_id, stocks, asked_at)
        facts = known.load(connection, self.shop.shop_id, stocks.keys(), self.choices.buffer)
        query = select(_PUSH.c.sku_id, _PUSH.c.outcome).where(_PUSH.c.id.in_(list(self.intents.values())))
        outcomes = {row.sku_id: row.outcome for row in connection.execute(query)}
        even: list[Claim] = []
        again: list[Claim] = []
        unsure: list[Claim] = []
        for sku_id, outcome in outcomes.items():
            fact = facts.get(sku_id)
            if outcome == "confirmed":
                decided = "ours" if self.approved is not None else ""
                intents.overwrite_drift(connection, self.shop.shop_id, sku_id, decided=decided)
            settled = fact is not None and fact.available == fact.target
            line = unsure if outcome in _UNSURE else even if settled else again
            line.append(self._done(sku_id))
            self.pushed.results[sku_id] = outcome
            self.pushed.confirmed += outcome == "confirmed"
            self.pushed.unknown += outcome in _UNSURE
            self.pushed.contradicted += outcome == "contradicted"
        outbox.settle(connection, even)
        _mark_settled(connection, even)
        outbox.later(connection, again, "Something changed while this was sent; it is looked at again.", 0.0)
        outbox.later(connection, unsure, "The answer was lost; the next readings tell what became of it.", 5.0)
        self.pushed.again += len(again)

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


_UNSURE = ("sent", "unknown")
_SETTLED = text("UPDATE listing SET settled_at = :now WHERE shop_id = :shop AND sku_id = :sku AND settled_at IS NULL")


def _mark_settled(connection: Connection, even: Sequence[Claim]) -> None:
    now = clock.now_ms()
    if even:
        connection.execute(_SETTLED, [{"now": now, "shop": claim.shop_id, "sku": claim.sku_id} for claim in even])


_LINKED = text("SELECT count(DISTINCT sku_id) FROM link WHERE shop_id = :shop")

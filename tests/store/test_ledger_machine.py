"""The ledger under anything: orders in every version, order and repetition, sales, counts, links; beside a plain model.

After each step every level is what the model says and the sum of its movements (I-1), the checks that run in production
find nothing wrong, and an item is told as oversold while it is. Each order line counts exactly once (I-5).
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import text

from core import clock
from core.store.engine import Store, open_store
from core.sync import catalog, invariants, ledger, recount
from core.sync.ingest import ingest
from core.tiktok.orders import Order
from tests.store.books import COUNTED_AT, DAY_ZERO, SHOP, books, furnish, line, shop, version
from tests.store.test_ingest import arrivals, scratch

RUNS = int(os.environ.get("EVENSTOCK_LEDGER_RUNS", "40"))
PERMUTATIONS = int(os.environ.get("EVENSTOCK_PERMUTATIONS", "300"))
SKUS = {"A": "", "B": "", "C": "", "U": "", "V": "A*2,C*1"}
ITEMS = (1, 2, 3)
GONE = ("AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED")
RANK = ("UNPAID", "AWAITING_SHIPMENT", *GONE, "CANCELLED")


STEPS = st.sampled_from(
    [[], ["pay"], ["pay", "pack"], ["pay", "pack", "move"], ["cancel"], ["cancel one"], ["pay", "pack", "cancel"],
     ["pay", "cancel one", "pack", "move", "move"], ["pack"], ["move"], ["pay", "pack", "lose"]]
)  # fmt: skip
RARELY = st.integers(0, 7).map(lambda number: number == 0)


@dataclass
class Unit:
    """One line as the platform has it: its SKU, its state, and the second at which it was packed."""

    sku: str
    status: str = "UNPAID"
    packed: int | None = None


@dataclass
class Known:
    """One line as we have heard of it, and what it has taken off the shelf by item; the plain model."""

    sku: str
    theirs: bool
    update_time: int = -1
    status: str = ""
    packed: int | None = None
    taken: dict[int, int] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.packed is None and self.status != "CANCELLED"


@dataclass(frozen=True)
class Told:
    """One version of one order as it may arrive, again and again."""

    order: str
    update_time: int
    lines: tuple[tuple[str, str, str, int | None], ...]
    theirs: bool

    def as_order(self) -> Order:
        states = [status for _, _, status, _ in self.lines if status != "CANCELLED"]
        status = min(states, key=RANK.index) if states else "CANCELLED"
        rows = [line(key, sku, state, packed, SKUS[sku]) for key, sku, state, packed in self.lines]
        by = "FULFILLMENT_BY_TIKTOK" if self.theirs else "FULFILLMENT_BY_SELLER"
        return version(self.order, status, self.update_time, rows, fulfilment=by)


class Ledger(RuleBasedStateMachine):
    """Listing A sells item 1, B two of 1 and one of 2, C item 3; V is a bundle of TikTok's; U sells nothing yet."""

    orders = Bundle("orders")

    @initialize()
    def begin(self) -> None:
        self.turned = clock.turned(DAY_ZERO + 1_000)
        self.time = self.turned.__enter__()
        self.folder = tempfile.TemporaryDirectory()
        self.store: Store = open_store(f"sqlite:///{(Path(self.folder.name) / 'store.db').as_posix()}")
        with self.store.write() as connection:
            furnish(connection)
        self.placed: dict[str, tuple[list[Unit], bool]] = {}
        self.told: list[Told] = []
        self.lines: dict[str, Known] = {}
        self.links = {"A": {1: 1}, "B": {1: 2, 2: 1}, "C": {3: 1}}
        self.shelf = dict.fromkeys(ITEMS, 0)
        self.counted = dict.fromkeys(ITEMS, COUNTED_AT)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()
            self.turned.__exit__(None, None, None)

    # What happens on the platform: it changes nothing here until somebody tells of it.

    @rule(
        target=orders, skus=st.lists(st.sampled_from(sorted(SKUS)), min_size=1, max_size=3), steps=STEPS, theirs=RARELY
    )
    def place(self, skus: list[str], steps: list[str], theirs: bool) -> str:
        number = f"9{len(self.placed)}"
        self.placed[number] = ([Unit(sku) for sku in skus], theirs)
        self.live_on(number, steps)
        return number

    @rule(order=orders, steps=STEPS)
    def live_on(self, order: str, steps: list[str]) -> None:
        """Some steps of its life, each a version of its own."""
        self.told += [self._tell(order), *(self._live(order, step) for step in steps)]

    def _live(self, order: str, step: str) -> Told:
        units, _ = self.placed[order]
        self.time.turn(1)
        for unit in units[:1] if step == "cancel one" else units:
            if step.startswith("cancel") and unit.status != "DELIVERED":
                unit.status = "CANCELLED"
            elif step == "pay" and unit.status == "UNPAID":
                unit.status = "AWAITING_SHIPMENT"
            elif step == "pack" and unit.status == "AWAITING_SHIPMENT":
                unit.status, unit.packed = "AWAITING_COLLECTION", clock.now()
            elif step == "lose" and unit.packed is not None:  # cancelled on its way, and TikTok forgets that it left
                unit.status, unit.packed = "CANCELLED", None
            elif step == "move" and unit.status in GONE[:2]:
                unit.status = RANK[RANK.index(unit.status) + 1]
        return self._tell(order)

    def _tell(self, order: str) -> Told:
        units, theirs = self.placed[order]
        self.time.turn(1)
        lines = tuple((f"{order}-{n}", unit.sku, unit.status, unit.packed) for n, unit in enumerate(units))
        return Told(order, clock.now(), lines, theirs)

    # What we hear and do.

    @rule(picks=st.lists(st.integers(0, 999), min_size=1, max_size=5))
    def hear_any(self, picks: list[int]) -> None:
        """A page of versions, in any order, old or new, again or for the first time."""
        if self.told:
            self._hear([self.told[pick % len(self.told)] for pick in picks])

    @rule(order=orders)
    def hear_newest(self, order: str) -> None:
        self._hear([each for each in self.told if each.order == order][-1:])

    @rule(order=orders)
    def hear_backwards(self, order: str) -> None:
        """Every version of an order, the newest first, each on a page of its own."""
        for each in reversed([each for each in self.told if each.order == order]):
            self._hear([each])

    def _hear(self, told: list[Told]) -> None:
        with self.store.write() as connection:
            ingest(connection, shop(), [each.as_order() for each in told], "poll")
        for each in sorted(told, key=lambda one: one.update_time):
            for key, sku, status, packed in each.lines:
                known = self.lines.setdefault(key, Known(sku, each.theirs))
                if each.update_time > known.update_time:
                    known.update_time, known.status = each.update_time, status
                known.packed = packed if known.packed is None else known.packed
            self._book()

    @rule(item=st.sampled_from(ITEMS), units=st.integers(1, 9))
    def sell(self, item: int, units: int) -> None:
        self.time.turn(1)
        ledger.record_sale(self.store, f"I{item}", units, actor="owner")
        self.shelf[item] -= units

    @rule(item=st.sampled_from(ITEMS), units=st.integers(0, 12))
    def count(self, item: int, units: int) -> None:
        self.time.turn(2)  # a unit that left in the very second of a count is taken off by design
        ledger.record_count(self.store, f"I{item}", units, actor="owner")
        self.shelf[item], self.counted[item] = units, clock.now_ms()
        self.time.turn(2)

    @rule(sku=st.sampled_from("ABCU"), items=st.dictionaries(st.sampled_from(ITEMS), st.integers(1, 3), min_size=1))
    def link_anew(self, sku: str, items: dict[int, int]) -> None:
        """The listing sells other items from now on."""
        with self.store.write() as connection:
            connection.execute(text("DELETE FROM link WHERE sku_id = :sku"), {"sku": sku})
            catalog.link(connection, SHOP, [(sku, item, units, "owner") for item, units in items.items()])
        self.links[sku] = items
        self._book()

    def _book(self) -> None:
        """The rule in plain words: a unit that left takes its items off the shelf, once, by what it sells then."""
        for known in self.lines.values():
            if known.packed is not None and not known.taken:
                takes = self._sells(known)
                known.taken = {
                    item: units for item, units in takes.items() if known.packed * 1000 + 1000 > self.counted[item]
                }
                for item, units in known.taken.items():
                    self.shelf[item] -= units

    def _sells(self, known: Known) -> dict[int, int]:
        found: dict[int, int] = {}
        parts = [part.split("*") for part in SKUS[known.sku].split(",")] if SKUS[known.sku] else [[known.sku, "1"]]
        for sku, count in [] if known.theirs else parts:
            for item, units in self.links.get(sku, {}).items():
                found[item] = found.get(item, 0) + units * int(count)
        return found

    # What must hold after each step.

    @invariant()
    def the_ledger_is_the_model(self) -> None:
        if not hasattr(self, "store"):
            return
        promised = dict.fromkeys(ITEMS, 0)
        for known in self.lines.values():
            for item, units in self._sells(known).items() if known.open else ():
                promised[item] += units
        with self.store.read() as connection:
            found = recount.books(connection, ITEMS)
        for each in found:
            assert each.level.get(1, (0, 0)) == (self.shelf[each.item_id], promised[each.item_id]), each
            assert recount.wrong(each) == []

    @invariant()
    def nothing_is_halted(self) -> None:
        if hasattr(self, "store"):
            invariants.look(self.store)
            with self.store.read() as connection:
                assert connection.execute(text("SELECT halted_why FROM item WHERE halted_at IS NOT NULL")).all() == []

    @invariant()
    def an_item_is_told_as_oversold_while_it_is(self) -> None:
        if not hasattr(self, "store"):
            return
        with self.store.read() as connection:
            told = connection.execute(text("SELECT DISTINCT item_id FROM oversell WHERE over_at IS NULL")).scalars()
            short = connection.execute(text("SELECT item_id FROM level WHERE reserved > on_hand")).scalars()
            assert set(told) == set(short)


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    max_examples=RUNS, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    found = open_store(f"sqlite:///{(tmp_path_factory.mktemp('permuted') / 'store.db').as_posix()}")
    with found.write() as connection:
        furnish(connection)
    yield found
    found.close()


@settings(max_examples=PERMUTATIONS, deadline=None, suppress_health_check=list(HealthCheck))
@given(arrivals())
def test_i5_any_permutation_with_repetition_gives_the_same_ledger(
    store: Store, told: tuple[list[Order], list[list[Order]]]
) -> None:
    versions, pages = told
    with scratch(store) as connection:
        for each in versions:
            ingest(connection, shop(), [each], "poll")
        expected = books(connection)
    with scratch(store) as connection:
        for page in pages:
            ingest(connection, shop(), page, "poll")
        assert books(connection) == expected
        assert all(recount.wrong(each) == [] for each in recount.books(connection, ITEMS))

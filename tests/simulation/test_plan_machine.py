"""Plans under anything: chosen, sent, stopped, cut off by a crash, taken back and back again, while the shop goes on.

A done row was what the owner reviewed or safer, no row is sent twice, rows left out are never sent, every movement is
in its level, and an undone plan leaves each item where it was plus what happened since.
"""

import os
import sqlite3
import tempfile
from contextlib import ExitStack, closing, suppress
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from core import clock
from core.practice import PracticeShop, serve
from core.practice.stock import NotPossible
from core.store.engine import open_store
from core.store.errors import StoreProblem
from core.sync import adopt, approval, kinds, ledger, plans, runs
from core.sync.approval import PlanGone, Which
from core.sync.undo import CannotUndo
from core.tiktok.errors import TikTokError
from tests.simulation.desk import NOON, Desk, Killed
from tests.simulation.faults import Fault, Way, break_calls, break_commits

RUNS = int(os.environ.get("EVENSTOCK_PLAN_RUNS", "12"))
STEPS = ("shop", "shop", "propose", "choose", "send", "send", "send", "stop", "fail", "undo", "undo", "again")
PLACE = st.integers(0, 5)


@cache
def empty_store() -> bytes:
    """The file of a store with its tables and nothing in them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "evenstock.db"
        open_store(f"sqlite:///{file.as_posix()}").close()
        with closing(sqlite3.connect(file)) as raw:
            raw.execute("PRAGMA journal_mode = DELETE")
        return file.read_bytes()


class Plans(RuleBasedStateMachine):
    """One desk that is live and even, and an owner with many plans."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        time = self.stack.enter_context(clock.turned(NOON))
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        (folder / "evenstock.db").write_bytes(empty_store())
        shop = PracticeShop(products=3, orders=4, clock=time, rate=100_000, hold=False)
        self.stack.callback(shop.close)
        self.desk = Desk(folder, self.stack.enter_context(serve(shop)), time)
        self.stack.callback(lambda: self.desk.close())
        self.desk.stock_up(extra=0)
        self.desk.go_live()
        self.skus = self.desk.skus()[:6]
        self.ended: list[int] = []
        self.typed: set[str] = set()

    @rule(
        what=st.sampled_from(STEPS), place=PLACE, units=st.integers(-5, 5), n=st.integers(1, 12),
        way=st.sampled_from(list(Way)), meanwhile=st.sampled_from(["nothing", "sold", "counted", "typed"]),
    )  # fmt: skip
    def step(self, what: str, place: int, units: int, n: int, way: Way, meanwhile: str) -> None:
        """One thing that happens; a single rule, so that every example has all kinds of them."""
        waits = self.waiting() is not None
        if what == "shop":
            (self.sell, self.buy, self.count, self.type_number, self.loop)[n % 5](place, units)
        elif what == "propose" or not (waits or self.ended):
            self.propose([(place, units), (place + 1, -units), (place + n, 3)], theirs=n % 2 == 0)
        elif what == "choose" and waits:
            self.choose(place, ("leave out", "leave out", "put back", "only")[n % 4])
        elif what == "send" and waits:
            self.send(place, meanwhile)
        elif what == "stop" and waits:
            self.send_and_stop()
        elif what == "fail" and waits:
            self.send_and_fail(n, way, calls=units > 0)
        elif what == "undo" and self.ended:
            self.take_back(place)
        elif what == "again" and self.ended:
            self.review_what_is_left()

    # What the shop does meanwhile

    def sell(self, place: int, units: int) -> None:
        sku, units = self.sku(place), abs(units) or 1
        on_hand, reserved = self.desk.have(sku)
        if on_hand - reserved >= units:
            self.desk.sell(sku, units)
        self.desk.time.turn(3)

    def buy(self, place: int, units: int) -> None:
        with suppress(NotPossible):
            self.desk.practice.buy(self.sku(place), abs(units) or 1)
        self.desk.time.turn(3)

    def count(self, place: int, units: int) -> None:
        sku = self.sku(place)
        self.desk.time.turn(3)
        self.desk.count(sku, max(self.desk.have(sku)[1], self.desk.have(sku)[0] + units))
        self.desk.time.turn(3)

    def type_number(self, place: int, units: int) -> None:
        sku = self.sku(place)
        self.desk.practice.set_stock(sku, max(0, self.desk.shown(sku) + units))
        self.typed.add(sku)
        self.desk.time.turn(3)

    def loop(self, place: int = 0, units: int = 0) -> None:
        self.desk.sync("all")
        self.desk.push()
        self.desk.time.turn(30)

    # What the owner does with plans

    def propose(self, counts: list[tuple[int, int]], theirs: bool) -> None:
        """The shelf is counted, and before the loop comes round its owner makes a plan of what differs."""
        for place, units in counts:
            self.count(place, units)
        self.desk.sync("stock")
        if theirs:
            adopt.propose(self.desk.store, self.desk.shop.shop_id, self.skus, actor="test")
        else:
            plans.propose_resync(self.desk.store, self.desk.shop.shop_id, self.skus, actor="test")

    def choose(self, place: int, how: kinds.Choice) -> None:
        plan_id = self.waiting() or 0
        kinds.choose(self.desk.store, plan_id, how, Which(entities=[self.planned(plan_id, place)]))

    def send(self, place: int, meanwhile: str) -> None:
        """Between reading the plan and the yes to it, something may happen to one of its rows."""
        plan_id = self.waiting() or 0
        sku = self.planned(plan_id, place)
        on_hand, reserved = self.desk.have(sku)
        if meanwhile == "sold" and on_hand > reserved:
            self.desk.sell(sku)
        elif meanwhile == "counted":
            self.desk.count(sku, on_hand + 4)
        elif meanwhile == "typed":
            self.desk.practice.set_stock(sku, self.desk.shown(sku) + 1)
            self.typed.add(sku)
        self.desk.time.turn(3)
        self.run(plan_id)

    def send_and_stop(self) -> None:
        plan_id = self.waiting() or 0
        real = self.desk.shop.api.set_stock

        def stopping(*given: Any, **more: Any) -> Any:
            for run in self.desk.rows("SELECT id FROM run WHERE status = 'running'"):
                runs.stop(run.id)
            return real(*given, **more)

        self.desk.shop.api.set_stock = stopping  # type: ignore[method-assign]
        try:
            self.run(plan_id)
        finally:
            self.desk.shop.api.set_stock = real  # type: ignore[method-assign]

    def send_and_fail(self, n: int, way: Way, calls: bool) -> None:
        plan_id = self.waiting() or 0
        (break_calls if calls else break_commits)(self.desk, Fault(n, way))
        with suppress(Killed, TikTokError, StoreProblem, PlanGone):
            self.run(plan_id)
        self.desk.restart()
        assert self.state(plan_id) in ("proposed", "done", "stopped")
        if self.state(plan_id) != "proposed" and plan_id not in self.ended:
            self.ended.append(plan_id)

    def take_back(self, place: int) -> None:
        """A plan, an undo, or the undo of an undo."""
        plan_id = self.ended[-1 - place % min(3, len(self.ended))]
        with suppress(CannotUndo):
            kinds.propose_undo(self.desk.store, plan_id, actor="test")

    def review_what_is_left(self) -> None:
        with suppress(CannotUndo):
            kinds.propose_again(self.desk.store, self.ended[-1], actor="test")

    def run(self, plan_id: int) -> None:
        """The owner's yes, and what follows from it."""
        rows = self.desk.one("SELECT count(*) FROM plan_row WHERE plan_id = :p AND state = 'proposed'", p=plan_id)
        assert approval.approve(self.desk.store, plan_id, confirmed_rows=rows, seen_rows=rows) == rows
        kind, of = self.desk.one("SELECT kind, undo_of FROM plan WHERE id = :p", p=plan_id)
        before = {sku: self.desk.have(sku)[0] for sku in self.skus}
        skipped = "SELECT entity FROM plan_row WHERE plan_id = :p AND state IN ('skipped', 'cannot') ORDER BY entity"
        left_out = self.desk.rows(skipped, p=plan_id)
        running = runs.Running(self.desk.store, kind, self.desk.shop.shop_id, "owner")
        with suppress(TikTokError), runs.carry_on(running):
            kinds.run(kind, self.desk.store, [self.desk.shop], plan_id, running)
        self.ended.append(plan_id)
        assert self.desk.rows(skipped, p=plan_id) == left_out, "a row that was left out was touched"
        self.check_units(plan_id, kind, of, before)
        self.desk.time.turn(5)

    def check_units(self, plan_id: int, kind: str, of: int | None, before: dict[str, int]) -> None:
        """Stock moves by what each done row says, and by nothing else; an undo books the opposite of what it undoes."""
        rows = self.desk.rows("SELECT entity, field, old, new, state FROM plan_row WHERE plan_id = :p", p=plan_id)
        moved = {row.entity: int(row.new) - int(row.old) for row in rows if row.state == "done" and kind != "resync"}
        for sku in self.skus:
            assert self.desk.have(sku)[0] == before[sku] + moved.get(sku, 0), (kind, sku)
        if of is not None and self.desk.one("SELECT kind FROM plan WHERE id = :p", p=of) != "resync":
            for sku, units in moved.items():
                assert self.booked(of, sku) == -units, "an undo takes back exactly what was booked"

    # What must be true after every step

    @invariant()
    def every_movement_is_in_its_level(self) -> None:
        with self.desk.store.read() as connection:
            assert ledger.prove(connection).broken == ()

    @invariant()
    def nothing_is_sent_but_what_was_agreed_to_and_once(self) -> None:
        sent = self.desk.rows(
            "SELECT p.id AS plan_id, p.kind, x.sku_id, x.target, x.read_available, r.new, r.state FROM plan p "
            "JOIN push x ON x.run_id = p.run_id LEFT JOIN plan_row r ON r.plan_id = p.id AND r.entity = x.sku_id "
            "WHERE x.outcome NOT IN ('not sent', 'lost') ORDER BY x.id"
        )
        seen = set()
        for each in sent:
            assert each.kind == "resync", "other plans only book"
            assert each.new is not None, "a listing that is not in the plan"
            assert each.state not in ("skipped", "cannot")
            assert each.target <= max(int(each.new), each.read_available), "raised beyond what was reviewed"
            assert (each.plan_id, each.sku_id, each.target) not in seen, "sent twice"
            seen.add((each.plan_id, each.sku_id, each.target))

    @invariant()
    def rows_that_were_left_out_are_never_booked(self) -> None:
        out = self.desk.rows("SELECT plan_id, entity FROM plan_row WHERE state IN ('skipped', 'cannot', 'review')")
        for row in out:
            assert self.booked(row.plan_id, row.entity) == 0

    @invariant()
    def a_plan_has_one_end(self) -> None:
        for plan_id in self.ended:
            try:
                approval.approve(self.desk.store, plan_id)
            except PlanGone:
                continue
            raise AssertionError("a plan was agreed to twice")

    def teardown(self) -> None:
        """In the end both sides agree, wherever nobody typed on TikTok, and nothing is pushed back and forth."""
        try:
            self.desk.settle(rounds=4)
            for row in self.desk.rows("SELECT sku_id, target FROM listing"):
                assert row.sku_id in self.typed or self.desk.shown(row.sku_id) == row.target
            written = len(self.desk.updates())
            self.desk.settle(rounds=2)
            assert len(self.desk.updates()) == written
        finally:
            self.stack.close()

    def waiting(self) -> int | None:
        found = self.desk.rows("SELECT max(id) AS id FROM plan WHERE state = 'proposed'")
        return found[0].id

    def state(self, plan_id: int) -> str:
        return str(self.desk.one("SELECT state FROM plan WHERE id = :p", p=plan_id))

    def booked(self, plan_id: int, sku: str) -> int:
        query = "SELECT coalesce(sum(m.on_hand), 0) FROM movement m JOIN link k ON k.item_id = m.item_id "
        return int(self.desk.one(query + "WHERE k.sku_id = :s AND m.reference = :r", s=sku, r=f"plan:{plan_id}"))

    def planned(self, plan_id: int, place: int) -> str:
        """One of the listings in a plan, or any where it has none."""
        rows = self.desk.rows("SELECT entity FROM plan_row WHERE plan_id = :p ORDER BY entity", p=plan_id)
        mine = [row.entity for row in rows if row.entity in self.skus] or self.skus
        return str(mine[place % len(mine)])

    def sku(self, place: int) -> str:
        return self.skus[place % len(self.skus)]


TestPlans = Plans.TestCase
TestPlans.settings = settings(
    max_examples=RUNS, stateful_step_count=18, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a failure prints its steps; making them fewer takes minutes
)  # fmt: skip

"""The outbox: a state machine under random marks, claims, crashes and slow workers, and its single rules."""

import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import text

from core import clock
from core.store.engine import Store, open_store
from core.sync import outbox
from core.sync.outbox import LEASE_MS, Claim
from tests.store.books import SHOP, furnish

SKUS = ("A", "B", "C")


@lru_cache(maxsize=1)
def _furnished() -> bytes:
    """The file of a new store, made once."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "store.db"
        store = open_store(f"sqlite:///{file.as_posix()}")
        with store.write() as connection:
            furnish(connection)
        with store.writer.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA journal_mode = DELETE")
        store.close()
        return file.read_bytes()


class OutboxMachine(RuleBasedStateMachine):
    """A model of what must hold: nothing that changed is ever forgotten, and no listing has two workers."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        file = Path(self.folder.name) / "store.db"
        file.write_bytes(_furnished())
        self.turned = clock.turned()
        self.time = self.turned.__enter__()
        self.store: Store = open_store(f"sqlite:///{file.as_posix()}")
        self.unseen: set[str] = set()  # changed since it was last looked at
        self.again: set[str] = set()  # to be looked at once more, a little later
        self.hands: dict[str, tuple[str, Claim, int]] = {}  # who may push it, and since when

    def teardown(self) -> None:
        self.store.close()
        self.turned.__exit__(None, None, None)
        self.folder.cleanup()

    @initialize()
    def start(self) -> None:
        self.change(1)

    @rule(item=st.sampled_from((1, 2, 3)))
    def change(self, item: int) -> None:
        with self.store.write() as connection:
            outbox.mark_items(connection, [item], "a change")
        self.unseen |= {"A", "B"} if item == 1 else {"B"} if item == 2 else {"C"}

    @rule(worker=st.sampled_from(("loop", "plan-1")), limit=st.integers(1, 3))
    def claim(self, worker: str, limit: int) -> None:
        self._taken(worker, outbox.claim(self.store, SHOP, worker, limit))

    @rule(sku=st.sampled_from(SKUS))
    def take(self, sku: str) -> None:
        self._taken("plan-2", outbox.take(self.store, SHOP, "plan-2", [sku]))

    def _taken(self, worker: str, claims: list[Claim]) -> None:
        for claim in claims:
            held = self.hands.get(claim.sku_id)
            assert held is None or clock.now_ms() - held[2] > LEASE_MS, "two workers on one listing"
            self.hands[claim.sku_id] = (worker, claim, clock.now_ms())
            self.unseen.discard(claim.sku_id)
            self.again.discard(claim.sku_id)

    @precondition(lambda self: bool(self.hands))
    @rule(data=st.data(), end=st.sampled_from(("settle", "hold", "later", "refused")))
    def finish(self, data: st.DataObject, end: str) -> None:
        sku = data.draw(st.sampled_from(sorted(self.hands)))
        _, claim, _ = self.hands.pop(sku)
        changed = sku in self.unseen
        with self.store.write() as connection:
            if end == "settle":
                outbox.settle(connection, [claim])
            elif end == "hold":
                outbox.hold(connection, [(claim, "a reason")])
            else:
                outbox.later(connection, [claim], "a reason", 3600.0 if end == "refused" else None)
        row = self._row(sku)
        if changed:
            assert (row.state, row.due_at) == ("dirty", 0), "a change that came meanwhile is due at once"
        elif sku in self.again:
            assert row.state == "dirty", "and so is what must be read once more, at its time"
            assert 0 < row.due_at <= clock.now_ms() + 5_500
        else:
            assert row.state == {"settle": "idle", "hold": "held"}.get(end, "dirty")

    @precondition(lambda self: bool(self.hands))
    @rule(data=st.data())
    def a_slow_worker_comes_back(self, data: st.DataObject) -> None:
        """Its listing was taken over; whatever it says then changes nothing."""
        sku = data.draw(st.sampled_from(sorted(self.hands)))
        worker, slow, _ = self.hands[sku]
        self.time.turn(LEASE_MS / 1000 + 1)
        other = "plan-9" if worker != "plan-9" else "plan-8"
        claims = outbox.take(self.store, SHOP, other, [sku])
        assert [one.sku_id for one in claims] == [sku], "a claim that was never finished is free after ten minutes"
        self._taken(other, claims)
        before = self._row(sku)
        with self.store.write() as connection:
            assert outbox.still_mine(connection, [slow]) == set()
            assert outbox.still_mine(connection, claims) == {sku}
            outbox.settle(connection, [slow])
            outbox.later(connection, [slow], "late")
            outbox.hold(connection, [(slow, "late")])
        assert self._row(sku).state == before.state == "claimed"
        assert self._row(sku).claimed_by == other
        self.hands[sku] = (other, claims[0], clock.now_ms())

    @rule()
    def crash_and_restart(self) -> None:
        outbox.release_all(self.store)
        self.unseen |= set(self.hands)
        self.again -= set(self.hands)
        self.hands.clear()

    @rule(seconds=st.sampled_from((1, 60, 4_000)))
    def pass_time(self, seconds: int) -> None:
        self.time.turn(seconds)

    @rule(sku=st.sampled_from(SKUS))
    def look_again(self, sku: str) -> None:
        due = clock.now_ms() + 5_500
        with self.store.write() as connection:
            outbox.look_again(connection, SHOP, sku, due, "once more")
        self.again.add(sku)
        row = self._row(sku)
        assert row.state in ("dirty", "claimed")
        assert row.due_at <= due

    def _row(self, sku: str) -> Any:
        with self.store.read() as connection:
            return connection.execute(text("SELECT * FROM outbox WHERE sku_id = :sku"), {"sku": sku}).one()

    @invariant()
    def nothing_that_changed_is_forgotten(self) -> None:
        with self.store.read() as connection:
            rows = {row.sku_id: row for row in connection.execute(text("SELECT * FROM outbox"))}
        for sku in self.unseen:
            assert rows[sku].state in ("dirty", "claimed"), (sku, rows[sku])
        for sku in self.hands:
            assert rows[sku].state == "claimed"
        claimed = {sku for sku, row in rows.items() if row.state == "claimed"}
        assert claimed == set(self.hands)


OutboxMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestOutbox = OutboxMachine.TestCase


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "store.db").write_bytes(_furnished())
    found = open_store(f"sqlite:///{(tmp_path / 'store.db').as_posix()}")
    yield found
    found.close()


def test_the_pause_doubles_with_each_attempt_up_to_an_hour() -> None:
    pauses = [outbox.pause_ms(Claim(SHOP, "A", 1, 0, attempt)) // 1000 for attempt in (0, 1, 2, 5, 11, 40)]
    assert pauses == [2, 4, 8, 64, 3600, 3600]


def test_unlinked_listings_are_passed_over(store: Store) -> None:
    with store.write() as connection:
        outbox.mark_listings(connection, SHOP, ["A", "U"], "test")
        marked = connection.execute(text("SELECT sku_id FROM outbox")).scalars().all()
    assert marked == ["A"]


def test_the_delay_of_a_change_is_measured_from_that_change_and_not_from_an_old_question(store: Store) -> None:
    with clock.turned() as time:
        with store.write() as connection:
            outbox.mark_items(connection, [3], "first")
        claim = outbox.claim(store, SHOP, "loop", 1)[0]
        with store.write() as connection:
            outbox.hold(connection, [(claim, "waits for the owner")])
        time.turn(86_400)
        with store.write() as connection:
            outbox.mark_items(connection, [3], "a sale")
        assert outbox.claim(store, SHOP, "loop", 1)[0].dirty_at == clock.now_ms()


def test_what_changed_first_is_looked_at_first(store: Store) -> None:
    with clock.turned() as time:
        for item in (3, 1):
            with store.write() as connection:
                outbox.mark_items(connection, [item], "test")
            time.turn(1)
        assert [claim.sku_id for claim in outbox.claim(store, SHOP, "loop", 1)] == ["C"]

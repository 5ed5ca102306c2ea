"""What must hold after every cycle: each thing broken by itself is seen, stops the item, and can be put right."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core import clock
from core.store import tables as t
from core.store.engine import Store, open_store
from core.store.queries import halted
from core.sync import facts, invariants, ledger, mending, outbox, proof, recount
from core.sync.ingest import ingest
from tests.store.books import DAY_ZERO, SHOP, furnish, line, put, shop, version

MINUTE = 60
TO_SHIP = "AWAITING_SHIPMENT"


@pytest.fixture
def time() -> Iterator[clock.Turned]:
    with clock.turned(DAY_ZERO + 1_000) as turned:
        yield turned


@pytest.fixture
def store(tmp_path: Path, time: clock.Turned) -> Iterator[Store]:
    """Items 1 to 3 with ten units each, orders of every kind for them, and everything looked at once."""
    opened = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    with opened.write() as connection:
        furnish(connection)
        ledger.count(connection, [(1, 10), (2, 10), (3, 10)], actor="", origin="store", reference="")
    time.turn(1)
    orders(opened)
    invariants.look(opened)
    yield opened
    opened.close()


def orders(store: Store) -> None:
    """Open, shipped, cancelled, bundled, and one that TikTok ships."""
    at = DAY_ZERO + 1_001
    versions = [
        version("1", TO_SHIP, at, [line("1", "A", TO_SHIP), line("2", "B", TO_SHIP)]),
        version("2", "IN_TRANSIT", at, [line("3", "A", "IN_TRANSIT", at), line("4", "C", "IN_TRANSIT", at)]),
        version("3", "CANCELLED", at, [line("5", "C", "CANCELLED")]),
        version("4", "UNPAID", at, [line("6", "V", "UNPAID", parts="A*2,C*1")]),
        version("5", TO_SHIP, at, [line("7", "C", TO_SHIP)], fulfilment="FULFILLMENT_BY_TIKTOK"),
    ]  # fmt: skip
    with store.write() as connection:
        ingest(connection, shop(store), versions, "poll")


def run(store: Store, statement: str, **given: Any) -> None:
    with store.write() as connection:
        connection.execute(text(statement), given)


def move(store: Store, item: int = 1) -> None:
    """Something happens to the item, so that the next look takes it in."""
    with store.read() as connection:
        sku = connection.execute(text("SELECT sku FROM item WHERE id = :id"), {"id": item}).scalar_one()
    ledger.record_sale(store, sku, 1, actor="owner")


def stopped(store: Store) -> dict[str, str]:
    """The halted items: SKU and why."""
    with store.read() as connection:
        return {each.sku: each.why for each in halted.items(connection)}


def told(store: Store, kind: str = "check") -> list[tuple[str, str]]:
    with store.read() as connection:
        rows = connection.execute(
            text("SELECT status, sentence FROM run WHERE kind = :kind ORDER BY id"), {"kind": kind}
        )
        return [(row.status, row.sentence) for row in rows]


def sent(store: Store, intent: int, answered: int | None, target: int = 5, outcome: str = "confirmed") -> None:
    with store.write() as connection:
        put(connection, t.Push, shop_id=SHOP, sku_id="A", product_id="PA", generation=1, target=target, wanted="{}",
            read_available=9, read_committed=0, read_open=0, read_shipped=0, dirty_at=1, intent_at=intent,
            answered_at=answered, outcome=outcome)  # fmt: skip


def test_sound_books_halt_nothing_and_leave_no_run(store: Store) -> None:
    move(store)
    assert invariants.look(store) == 1
    assert (stopped(store), told(store)) == ({}, [])
    with store.read() as connection:
        assert all(recount.wrong(each) == [] for each in recount.books(connection, [1, 2, 3]))


BROKEN = {
    "on hand": ("UPDATE level SET on_hand = on_hand + 2 WHERE item_id = 1", "on hand, but its movements add up to 8"),
    "promised": ("UPDATE level SET reserved = 6 WHERE item_id = 1", "promised, but its movements add up to 5"),
    "below none": ("UPDATE level SET reserved = -1 WHERE item_id = 1", "fewer than none cannot be"),
    "a lost order": ("UPDATE order_line SET status = 'CANCELLED' WHERE id = '1'", "but its open orders ask for 4"),
    "open units": ("UPDATE listing SET open_units = 9 WHERE sku_id = 'A'", "9 open units, but its orders have 3"),
    "shipped": ("UPDATE listing SET shipped_units = 0 WHERE sku_id = 'A'", "0 shipped units, but its orders have 1"),
    "a share outside": (
        "UPDATE link SET split_from = 1, split_to = 4 WHERE sku_id = 'A' AND item_id = 1", "lies outside of them"
    ),
    "a share twice": (
        "UPDATE link SET split_from = 0, split_to = 2 WHERE item_id = 1", "the same share of its last units"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_seen_when_the_item_moves_and_stops_it(store: Store, name: str) -> None:
    statement, why = BROKEN[name]
    run(store, "UPDATE item SET split_total = 3 WHERE id = 1")
    run(store, statement)
    move(store, 2)
    invariants.look(store)
    assert stopped(store) == {} or name == "a share twice", "item 1 has not moved"
    move(store, 1)
    invariants.look(store)
    assert set(stopped(store)) == {"I1"}
    assert why in stopped(store)["I1"]
    assert "Nothing of it is sent" in stopped(store)["I1"]
    assert [status for status, _ in told(store)] == ["failed"]


@pytest.mark.parametrize("name", BROKEN)
def test_adding_it_up_again_puts_it_right_and_sends_it_again(store: Store, name: str) -> None:
    run(store, "UPDATE item SET split_total = 3 WHERE id = 1")
    run(store, BROKEN[name][0])
    move(store)
    invariants.look(store)
    mended = mending.mend(store, [1], "owner")
    assert mended == mending.Mended(("I1",), ())
    assert stopped(store) == {}
    move(store)
    invariants.look(store)
    assert stopped(store) == {}
    with store.read() as connection:
        state = connection.execute(text("SELECT state FROM outbox WHERE sku_id = 'A'")).scalar_one()
        assert state == "dirty"
        assert ledger.prove(connection).broken == ()


def test_a_halted_item_is_held_until_it_is_lifted(store: Store) -> None:
    def held() -> str:
        with store.read() as connection:
            return facts.load(connection, SHOP, ["B"])["B"].halted

    run(store, BROKEN["on hand"][0])
    move(store)
    invariants.look(store)
    assert "add up" in held(), "the bundle that holds it as well"
    mending.mend(store, [1], "owner")
    assert held() == ""


def test_what_goes_on_being_wrong_is_said_once(store: Store) -> None:
    run(store, BROKEN["on hand"][0])
    for _ in range(3):
        move(store)
        invariants.look(store)
    assert told(store) == [("failed", "I1 does not add up, so nothing of it is sent to TikTok.")]


def test_what_is_corrected_is_told_number_by_number(store: Store) -> None:
    run(store, BROKEN["on hand"][0])
    run(store, BROKEN["open units"][0])
    move(store)
    invariants.look(store)
    mending.mend(store, [1], "owner")
    with store.read() as connection:
        rows = connection.execute(
            text("SELECT field, old, new FROM run_row WHERE result = 'corrected' ORDER BY id")
        ).all()
    assert [tuple(row) for row in rows] == [("on hand", "10", "8"), ("open units of A", "9", "3")]
    assert told(store, "mend") == [("done", "I1 adds up again. 2 numbers were corrected.")]


def test_a_count_is_the_truth_and_the_ledger_gets_the_line_that_was_missing(store: Store, time: clock.Turned) -> None:
    run(store, BROKEN["on hand"][0])
    move(store)
    invariants.look(store)
    time.turn(MINUTE)
    ledger.record_count(store, "I1", 17, actor="owner")
    time.turn(MINUTE)
    move(store)
    invariants.look(store)
    assert stopped(store) == {}
    with store.read() as connection:
        (books,) = recount.books(connection, [1])
        assert books.level == books.moved
        assert books.level[1][0] == 16, "what was counted, less one sold since"


def test_a_unit_held_for_an_order_that_does_not_exist_is_given_back(store: Store) -> None:
    ghost = {"item_id": 1, "reserved": 2, "reason": "order", "origin": "tiktok", "reference": "ghost", "at": 1}
    with store.write() as connection:
        ledger.write(connection, [ghost])
    invariants.look(store)
    assert "7 units of it are promised, but its open orders ask for 5" in stopped(store)["I1"]
    mending.mend(store, [1], "owner")
    assert stopped(store) == {}
    with store.read() as connection:
        assert recount.books(connection, [1])[0].level[1] == (9, 5)


def test_two_numbers_under_way_for_one_listing_are_seen(store: Store, time: clock.Turned) -> None:
    now = clock.now_ms()
    sent(store, now, now + 400)
    sent(store, now + 500, now + 900)
    invariants.look(store)
    assert stopped(store) == {}
    sent(store, now + 800, now + 1_100)
    invariants.look(store)
    assert "at the same time" in stopped(store)["I1"]
    mending.mend(store, [1], "owner")
    invariants.look(store)
    assert stopped(store) == {}, "the owner has looked at it"


def test_an_overlap_is_seen_however_late_the_first_answer_comes(store: Store) -> None:
    now = clock.now_ms()
    sent(store, now - 500, None, outcome="sent")
    sent(store, now - 300, now - 100)
    invariants.look(store)
    assert stopped(store) == {}, "a crash leaves a write without an answer, and the next one is right"
    run(store, "UPDATE push SET answered_at = :now WHERE answered_at IS NULL", now=now)
    invariants.look(store)
    assert "at the same time" in stopped(store)["I1"]


@pytest.mark.parametrize("target", [-1, 100_000])
def test_a_number_that_tiktok_cannot_take_is_seen(store: Store, target: int) -> None:
    sent(store, 5, 6, target=target, outcome="not sent")
    invariants.look(store)
    assert stopped(store) == {}
    sent(store, 7, 8, target=target, outcome="accepted")
    invariants.look(store)
    assert f"{target:,} was sent to TikTok" in stopped(store)["I1"]


@pytest.mark.parametrize("until", [-11 * MINUTE, 30 * MINUTE])
def test_a_listing_that_stays_in_hand_is_seen_the_second_time(store: Store, time: clock.Turned, until: int) -> None:
    claimed = clock.now_ms() + until * 1000
    run(
        store,
        "UPDATE outbox SET state = 'claimed', claimed_by = 'gone', claimed_until = :at WHERE sku_id = 'A'",
        at=claimed,
    )
    invariants.look(store)
    assert stopped(store) == {}, "a computer that slept wakes up like this"
    invariants.look(store)
    assert "in hand for too long" in stopped(store)["I1"]
    mending.mend(store, [1], "owner")
    invariants.look(store)
    assert stopped(store) == {}


def test_nothing_in_hand_is_late_while_the_owner_has_paused(store: Store) -> None:
    run(store, "UPDATE outbox SET state = 'claimed', claimed_until = 1 WHERE sku_id = 'A'")
    run(store, "INSERT INTO setting (key, value) VALUES ('paused', 'true')")
    for _ in range(3):
        invariants.look(store)
    assert stopped(store) == {}


def test_a_worker_that_keeps_its_claim_is_let_be(store: Store) -> None:
    outbox.claim(store, SHOP, "worker", 10)
    for _ in range(3):
        invariants.look(store)
    assert stopped(store) == {}


def test_a_look_that_runs_out_of_time_goes_on_where_it_stopped(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invariants, "AT_ONCE", 1)
    for item in (1, 2, 3):
        move(store, item)
    assert [invariants.look(store, 0.0) for _ in range(4)] == [1, 1, 1, 0]


def test_what_lies_far_back_is_left_to_the_daily_proof(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invariants, "FAR_BEHIND", 1)
    run(store, BROKEN["on hand"][0])
    move(store, 1)
    move(store, 2)
    assert invariants.look(store) == 1
    assert stopped(store) == {}


def test_the_daily_proof_stops_what_it_finds_broken(store: Store) -> None:
    run(store, BROKEN["on hand"][0])
    proof.prove(store, "timer")
    assert set(stopped(store)) == {"I1"}


def test_a_check_that_breaks_stops_no_work(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(invariants, "look", broken)
    invariants.after(store, 1.0)
    invariants.at_start(store)
    assert "stumbled" in caplog.text


def test_nothing_new_costs_nothing_and_writes_nothing(store: Store) -> None:
    before = store.revision()
    assert invariants.look(store) == 0
    assert store.revision() == before

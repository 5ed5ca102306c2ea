"""The ledger as the owner reads it: balances, filters, the proof and the file, and all of it quick."""

import csv
import io
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from core import clock
from core.store import Store, open_store
from core.store.queries import ledger as pages
from core.store.queries.ledger import Wanted
from core.store.tables import Item, Movement, OrderLine
from core.store.upsert import table
from core.sync import ledger, ledger_file, proof

ALL = Wanted()


@pytest.fixture
def time() -> Iterator[clock.Turned]:
    with clock.turned() as turned:
        yield turned


@pytest.fixture
def store(tmp_path: Path, time: clock.Turned) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    with opened.write() as connection:
        connection.execute(
            insert(table(Item)),
            [{"id": number, "sku": f"TEE-{number}", "title": title, "variant": "", "currency": "", "barcode": "",
              "archived": False, "created_at": 1}
             for number, title in ((1, "=Red tee"), (2, "Blue mug"), (3, "50% off"))],
        )  # fmt: skip
    yield opened
    opened.close()


def move(store: Store, item: int, on_hand: int = 0, reserved: int = 0, reason: str = "count", **more: Any) -> None:
    origin = "tiktok" if reason in pages.ORDER_REASONS else "store"
    with store.write() as connection:
        ledger.write(
            connection,
            [{"item_id": item, "on_hand": on_hand, "reserved": reserved, "reason": reason, "origin": origin,
              "at": clock.now_ms(), **more}],
        )  # fmt: skip


def page(store: Store, wanted: Wanted = ALL, **more: Any) -> list[pages.LedgerRow]:
    with store.read() as connection:
        return pages.page(connection, wanted, **more)


def count(store: Store, wanted: Wanted = ALL) -> int:
    with store.read() as connection:
        return pages.count(connection, wanted)


def test_each_movement_shows_what_was_left_after_it(store: Store) -> None:
    move(store, 1, on_hand=10)
    move(store, 2, on_hand=4)
    move(store, 1, reserved=1, reason="order")
    move(store, 1, on_hand=-1, reserved=-1, reason="shipped")
    assert [(row.sku, row.on_hand, row.reserved, row.balance) for row in page(store)] == [
        ("TEE-1", -1, -1, 9), ("TEE-1", 0, 1, 10), ("TEE-2", 4, 0, 4), ("TEE-1", 10, 0, 10),
    ]  # fmt: skip


def test_what_was_left_is_right_on_every_page_and_under_every_filter(store: Store) -> None:
    chance, left, true = random.Random(3), {1: 0, 2: 0, 3: 0}, []
    for _ in range(120):
        item, change = chance.choice([1, 2, 3]), chance.randint(-3, 5)
        move(store, item, on_hand=change, reason=chance.choice(["count", "own sale", "shipped"]))
        left[item] += change
        true.append(left[item])
    true.reverse()
    for skip in (0, 30, 90):
        assert [row.balance for row in page(store, limit=30, offset=skip)] == true[skip : skip + 30]
    for wanted in (Wanted(reason="own sale"), Wanted("tee-2"), Wanted("tee-3", "shipped")):
        rows = page(store, wanted, limit=500)
        assert rows
        assert [row.balance for row in rows] == [true[120 - row.id] for row in rows]


def test_a_movement_of_an_order_line_names_the_order(store: Store) -> None:
    with store.write() as connection:
        connection.execute(
            insert(table(OrderLine)), [OrderLine(id="L1", order_id="O1", shop_id="7", sku_id="9").model_dump()]
        )
    move(store, 1, reserved=1, reason="order", reference="L1")
    move(store, 1, on_hand=-1, reason="own sale", reference="L1")
    assert [row.order_id for row in page(store)] == ["", "O1"]


def test_filters_find_by_words_reason_and_time(store: Store, time: clock.Turned) -> None:
    move(store, 1, on_hand=5)
    move(store, 3, on_hand=5)
    time.turn(3600)
    moment = clock.now_ms()
    move(store, 2, on_hand=-1, reason="own sale")
    move(store, 1, reserved=1, reason="order")
    assert [row.sku for row in page(store, Wanted("RED"))] == ["TEE-1", "TEE-1"]
    assert [row.sku for row in page(store, Wanted("50%"))] == ["TEE-3"]
    assert [row.sku for row in page(store, Wanted(reason="own sale"))] == ["TEE-2"]
    assert [row.id for row in page(store, Wanted(since=moment))] == [4, 3]
    assert count(store, Wanted("tee", "count", moment)) == 0
    assert count(store, Wanted("tee")) == 4


def test_a_period_begins_at_the_right_movement_wherever_it_lies(store: Store, time: clock.Turned) -> None:
    booked = []
    for _ in range(23):
        move(store, 1, on_hand=1)
        booked.append(clock.now_ms())
        time.turn(7)
    with store.read() as connection:
        for place, at in enumerate(booked):
            assert pages.first_since(connection, at) == place + 1
            assert pages.first_since(connection, at + 1) == place + 2
        assert pages.first_since(connection, 0) == 1


def test_the_count_stops_at_its_cap(store: Store) -> None:
    for _ in range(5):
        move(store, 1, on_hand=1)
    with store.read() as connection:
        assert pages.count(connection, Wanted(), cap=3) == 4
        assert pages.count(connection, Wanted(), cap=5) == 5


def test_a_proof_is_a_run_that_the_page_reads(store: Store) -> None:
    move(store, 1, on_hand=5)
    with store.read() as connection:
        assert pages.last_proof(connection) is None
    assert proof.prove(store, "owner").broken == ()
    with store.read() as connection:
        found = pages.last_proof(connection)
    assert found is not None
    assert (found.status, found.movements, found.items) == ("done", 1, 3)
    assert found.sentence == "The stock of 3 items is the sum of 1 movement."


def test_a_ledger_that_does_not_add_up_is_named(store: Store) -> None:
    move(store, 1, on_hand=5)
    with store.write() as connection:
        connection.execute(text("UPDATE level SET on_hand = 6"))
    assert proof.prove(store, "timer").broken == ("TEE-1",)
    with store.read() as connection:
        found = pages.last_proof(connection)
    assert found is not None
    assert found.status == "failed"
    assert "TEE-1" in found.sentence


def test_the_file_holds_what_is_filtered_with_balances_and_no_formula(store: Store) -> None:
    move(store, 1, on_hand=5, note="=HYPERLINK(1)")
    move(store, 2, on_hand=7)
    move(store, 1, on_hand=-2, reason="own sale", actor="owner")
    rows = list(csv.DictReader(io.StringIO(ledger_file.content(store, Wanted("red")).decode("utf-8-sig"), newline="")))
    assert [(row["sku"], row["on_hand_change"], row["on_hand_after"]) for row in rows] == [
        ("TEE-1", "5", "5"), ("TEE-1", "-2", "3"),
    ]  # fmt: skip
    assert rows[0]["note"] == "'=HYPERLINK(1)"
    assert rows[0]["title"] == "'=Red tee"
    only = ledger_file.content(store, Wanted(reason="own sale")).decode("utf-8-sig").splitlines()
    assert len(only) == 2


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted(), "PRIMARY KEY"),
        (Wanted(since=1), "PRIMARY KEY"),
        (Wanted("tee-1"), "movement_item"),
        (Wanted(reason="count"), "movement_own"),
        (Wanted(reason="own sale", since=1), "movement_own"),
    ],
)
def test_every_filter_goes_along_an_index(store: Store, wanted: Wanted, index: str) -> None:
    with store.write() as connection:
        connection.execute(
            insert(table(Movement)),
            [{"item_id": 1 + step % 3, "location_id": 1, "on_hand": 1, "reserved": 0, "reason": "count",
              "origin": "store", "reference": "", "actor": "", "note": "", "at": step} for step in range(2_000)],
        )  # fmt: skip
    with store.read() as connection:
        query = pages._ids(connection, wanted).limit(50).compile(connection, compile_kwargs={"literal_binds": True})
        plan = " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}"))
    assert index in plan or (index == "PRIMARY KEY" and plan == "SCAN movement")
    assert "TEMP B-TREE" not in plan

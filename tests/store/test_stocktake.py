"""A count of many items: what differs, what it is worth, one booking for all, and nothing overwritten."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, text

from core import clock
from core.store import Store, open_store
from core.store.queries import stocktake as items
from core.store.queries.stocktake import CountRow
from core.store.tables import Item, Link, Listing, Shop
from core.store.upsert import table, upsert
from core.sync import ledger, stocktake
from core.sync.stocktake import Counted, CountRefused, Verdict

SHOP = {
    "id": "7", "auth": "a", "name": "Practice", "region": "GB", "currency": "GBP", "timezone": "Europe/London",
    "practice": True, "mode": "watch", "connected_at": 1,
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with clock.turned():
        opened = open_store(f"sqlite:///{tmp_path / 'store.db'}")
        with opened.write() as connection:
            upsert(connection, Shop, [SHOP])
            rows = [(1, "A", 25_000), (2, "B", None), (3, "C", 10_000)]
            connection.execute(
                insert(table(Item)),
                [{"id": number, "sku": sku, "title": f"Item {sku}", "variant": "", "currency": "GBP", "barcode": "",
                  "cost_units": cost, "archived": False, "created_at": 1} for number, sku, cost in rows],
            )  # fmt: skip
            upsert(connection, Listing, [{"shop_id": "7", "sku_id": "L1", "product_id": "1", "seen_at": 1}])
            upsert(connection, Link, [{"shop_id": "7", "sku_id": "L1", "item_id": 1, "created_at": 1}])
        for sku in "ABC":
            ledger.record_count(opened, sku, 10, actor="owner")
        with opened.write() as connection:
            connection.execute(text("DELETE FROM outbox"))
        yield opened
        opened.close()


def typed(store: Store, **units: int) -> list[Counted]:
    """What an owner typed who sees the stock of now."""
    with store.read() as connection:
        rows = {row.sku: row for row in items.page(connection)}
    return [Counted(rows[sku].item_id, counted, rows[sku].on_hand, rows[sku].mark) for sku, counted in units.items()]


def on_hand(store: Store) -> dict[str, int]:
    with store.read() as connection:
        return {row.sku: row.on_hand for row in items.page(connection)}


def all_of(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_the_review_tells_differences_and_what_they_cost_and_writes_nothing(store: Store) -> None:
    before = store.revision()
    with store.read() as connection:
        seen = stocktake.review(connection, typed(store, A=8, B=11, C=10))
    assert [(line.sku, line.now, line.units, line.change, line.verdict) for line in seen.lines] == [
        ("A", 10, 8, -2, Verdict.DIFFERS), ("B", 10, 11, 1, Verdict.DIFFERS), ("C", 10, 10, 0, Verdict.SAME),
    ]  # fmt: skip
    assert (seen.more, seen.fewer, dict(seen.money), seen.without_cost) == (1, 2, {"GBP": -50_000}, 1)
    assert store.revision() == before


def test_a_count_books_the_differences_in_one_run_and_tiktok_is_looked_at_again(store: Store) -> None:
    done = stocktake.apply(store, typed(store, A=8, B=11, C=10), note="Monday")
    assert (done.counted, done.differences, done.moved) == (3, 2, ())
    assert on_hand(store) == {"A": 8, "B": 11, "C": 10}
    booked = all_of(store, "SELECT item_id, on_hand, reason, actor, note, reference FROM movement WHERE id > 3")
    run = f"run:{done.run_id}"
    assert booked == [(1, -2, "count", "owner", "Monday", run), (2, 1, "count", "owner", "Monday", run)]
    assert all_of(store, "SELECT sku_id, state FROM outbox") == [("L1", "dirty")]
    assert all_of(store, "SELECT entity, old, new, result FROM run_row ORDER BY id") == [
        ("A", "10", "8", "counted"), ("B", "10", "11", "counted"),
    ]  # fmt: skip
    kind, status, sentence, counts = all_of(store, "SELECT kind, status, sentence, counts FROM run")[0]
    assert (kind, status, sentence) == ("count", "done", "3 items counted, 2 differences booked.")
    assert json.loads(counts)["differences"] == 2


def test_a_count_without_a_difference_still_moves_the_moment_of_counting(store: Store) -> None:
    with clock.turned(1_790_009_000):
        stocktake.apply(store, typed(store, C=10))
    assert all_of(store, "SELECT counted_at FROM item WHERE sku = 'C'") == [(1_790_009_000_000,)]
    assert all_of(store, "SELECT count(*) FROM movement") == [(3,)]


def test_stock_that_moved_since_it_was_read_is_shown_and_not_overwritten(store: Store) -> None:
    counts = typed(store, A=8, B=11)
    ledger.record_sale(store, "A", 3, actor="owner")
    with store.read() as connection:
        assert [line.sku for line in stocktake.review(connection, counts).only(Verdict.MOVED)] == ["A"]
    done = stocktake.apply(store, counts)
    assert (done.counted, done.differences) == (1, 1)
    assert [(line.sku, line.was, line.now, line.units) for line in done.moved] == [("A", 10, 7, 8)]
    assert on_hand(store) == {"A": 7, "B": 11, "C": 10}
    assert all_of(store, "SELECT status FROM run") == [("held",)]


def test_stock_that_came_back_to_the_same_number_has_moved_all_the_same(store: Store) -> None:
    counts = typed(store, A=8)
    ledger.record_sale(store, "A", 3, actor="owner")
    ledger.record_count(store, "A", 10, actor="owner")
    assert [line.sku for line in stocktake.apply(store, counts).moved] == ["A"]


def test_a_promise_to_an_order_does_not_disturb_a_count(store: Store) -> None:
    counts = typed(store, A=8)
    with store.write() as connection:
        ledger.write(connection, [{"item_id": 1, "reserved": 1, "reason": "order", "origin": "tiktok", "at": 1}])
    assert stocktake.apply(store, counts).moved == ()
    assert on_hand(store)["A"] == 8


def test_many_items_going_to_zero_must_be_confirmed(store: Store) -> None:
    from core.settings import Choices
    from core.store import choices

    choices.save(store, Choices(stop_zero_count=1))
    counts = typed(store, A=0, B=0, C=0)
    with store.read() as connection:
        assert "3 items would go to zero" in stocktake.review(connection, counts).warning
    with pytest.raises(CountRefused, match="Nothing was booked"):
        stocktake.apply(store, counts)
    assert on_hand(store) == {"A": 10, "B": 10, "C": 10}
    assert stocktake.apply(store, counts, confirmed=True).differences == 3


def test_a_count_that_cannot_be_is_refused_before_anything_is_written(store: Store) -> None:
    before = store.revision()
    for units in (-1, 100_000):
        with pytest.raises(ledger.BadQuantity):
            stocktake.apply(store, typed(store, A=units))
    assert store.revision() == before


def test_a_failure_halfway_books_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(stocktake.runs, "note", broken)
    with pytest.raises(RuntimeError):
        stocktake.apply(store, typed(store, A=8, B=11))
    assert on_hand(store) == {"A": 10, "B": 10, "C": 10}


def test_items_are_found_by_words_and_the_longest_not_counted_come_first(store: Store) -> None:
    with clock.turned(1_790_009_000):
        ledger.record_count(store, "A", 10, actor="owner")
    with store.read() as connection:
        assert [row.sku for row in items.page(connection, search="item b")] == ["B"]
        assert items.total(connection, "item") == 3
        assert [row.sku for row in items.page(connection, sort="longest")] == ["B", "C", "A"]
        assert [row.sku for row in items.page(connection, limit=1, offset=1)] == ["B"]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.booleans()), max_size=20))
def test_booking_what_is_judged_always_ends_at_what_was_counted(cases: list[tuple[int, int, bool]]) -> None:
    stock = {
        place: CountRow(place, str(place), "", "", now, 0, 10_000, "GBP", None, 5)
        for place, (now, _, _) in enumerate(cases)
    }
    counts = [Counted(place, units, now, 4 if moved else 5) for place, (now, units, moved) in enumerate(cases)]
    lines = stocktake.judge(counts, stock)
    assert len(lines) == len(cases)
    for line, (now, units, moved) in zip(lines, cases, strict=True):
        assert now + line.change == units
        assert (line.verdict is Verdict.MOVED) == moved
        assert line.money_units == 10_000 * (units - now)

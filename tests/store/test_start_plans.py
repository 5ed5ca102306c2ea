"""First contact as a plan: what is in it, what its rows say, and that proposing it changes nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core import clock
from core.store import tables as t
from core.store.engine import Store, open_store
from core.sync import ledger, outbox, start_plans, start_rows
from core.sync.ingest import ingest
from core.sync.start_plans import NothingToStart
from core.sync.starting import Choice, Wish
from tests.store.books import COUNTED_AT, DAY_ZERO, SHOP, furnish, line, put, shop, version

BEFORE = COUNTED_AT // 1000 - 3_600  # an hour before the count, in seconds


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """E9: of item 1 ten were counted, TikTok shows 7 and holds 3 in orders from before the count."""
    opened = open_store(f"sqlite:///{tmp_path / 'evenstock.db'}")
    with clock.turned(COUNTED_AT / 1000):
        with opened.write() as c:
            furnish(c)
            c.execute(text("DELETE FROM link WHERE sku_id IN ('B', 'C')"))
            ledger.count(c, [(1, 10)], actor="owner", origin="store", reference="")
        with opened.write() as c:
            order(c, "1", "A", "A", "A", placed=BEFORE)
            shows(c, "A", 7, 3)
            outbox.mark_items(c, [1, 3], "test")
    with clock.turned(DAY_ZERO + 3_600):
        yield opened
    opened.close()


def order(c: Any, number: str, *skus: str, placed: int, status: str = "AWAITING_SHIPMENT") -> None:
    lines = [line(f"{number}{place}", sku, status) for place, sku in enumerate(skus)]
    ingest(c, shop(), [version(number, status, DAY_ZERO, lines)], "test")
    c.execute(text("UPDATE orders SET create_time = :at WHERE id = :id"), {"at": placed, "id": number})


def shows(c: Any, sku: str, available: int, committed: int) -> None:
    given = {"sku": sku, "a": available, "k": committed, "at": COUNTED_AT}
    c.execute(text("UPDATE listing SET available = :a, committed = :k, observed_at = :at WHERE sku_id = :sku"), given)
    put(c, t.Stock, shop_id=SHOP, sku_id=sku, warehouse_id="W1", available=available, committed=committed)


def rows(store: Store, plan_id: int) -> dict[str, tuple[str, str, str]]:
    query = text("SELECT entity, old, new, rule FROM plan_row WHERE plan_id = :id")
    with store.read() as c:
        return {row.entity: (row.old, row.new, row.rule) for row in c.execute(query, {"id": plan_id})}


def on_hand(store: Store, item: int = 1) -> int:
    with store.read() as c:
        query = text("SELECT coalesce(sum(on_hand), 0) FROM level WHERE item_id = :i")
        return int(c.execute(query, {"i": item}).scalar_one())


def test_e9_the_lower_answer_leaves_both_sides_as_they_are(store: Store) -> None:
    plan = start_plans.propose(store, SHOP, Wish())
    assert rows(store, plan.id) == {"A": ("7", "7", "Your count: 10 on hand")}


def test_e9_the_higher_answer_adds_what_was_ordered_before_the_count(store: Store) -> None:
    plan = start_plans.propose(store, SHOP, Wish(leaves_out=True))
    words = "Your count, plus what was ordered on TikTok and left out of it: 10 on hand becomes 13"
    assert rows(store, plan.id) == {"A": ("7", "10", words)}


def test_what_was_ordered_after_the_count_is_not_added_to_it(store: Store) -> None:
    with store.write() as c:
        order(c, "2", "A", placed=DAY_ZERO)
        shows_now(c, "A", 6, 4)
    plan = start_plans.propose(store, SHOP, Wish(leaves_out=True))
    assert rows(store, plan.id)["A"][:2] == ("6", "9")


def shows_now(c: Any, sku: str, available: int, committed: int) -> None:
    given = {"sku": sku, "a": available, "k": committed}
    c.execute(text("UPDATE listing SET available = :a, committed = :k WHERE sku_id = :sku"), given)


def test_proposing_a_start_books_nothing_and_sends_nothing(store: Store) -> None:
    with store.read() as c:
        before = c.execute(text("SELECT count(*) FROM movement")).scalar_one()
    start_plans.propose(store, SHOP, Wish(everything=Choice.THEIRS))
    with store.read() as c:
        assert c.execute(text("SELECT count(*) FROM movement")).scalar_one() == before
        assert c.execute(text("SELECT target FROM listing WHERE sku_id = 'A'")).scalar_one() == 7
        assert c.execute(text("SELECT settled_at FROM listing WHERE sku_id = 'A'")).scalar_one() is None
    assert on_hand(store) == 10


def test_an_entered_number_tells_what_tiktok_will_show_of_it(store: Store) -> None:
    plan = start_plans.propose(store, SHOP, Wish(everything=Choice.ENTER, entered={"A": 5}))
    assert rows(store, plan.id) == {"A": ("7", "2", "The number you entered: 10 on hand becomes 5")}


def test_listings_without_a_link_and_those_that_were_reviewed_are_not_in_it(store: Store) -> None:
    with store.write() as c:
        put(c, t.Link, shop_id=SHOP, sku_id="C", item_id=3, created_at=1)
        c.execute(text("UPDATE listing SET settled_at = 5 WHERE sku_id = 'A'"))
        shows(c, "C", 4, 0)
        shows(c, "U", 9, 0)
        ledger.count(c, [(3, 6)], actor="owner", origin="store", reference="")
        outbox.mark_items(c, [3], "test")
    with store.read() as c:
        found = start_rows.waiting(c, SHOP)
        assert (found.listings, found.products, found.unlinked) == (1, 1, 2)
        assert start_rows.count(c, SHOP) == 1
        assert start_rows.products(c, SHOP) == ["PC"]
    assert rows(store, start_plans.propose(store, SHOP, Wish()).id) == {"C": ("4", "6", "Your count: 6 on hand")}


def test_choices_that_concern_nothing_make_no_plan(store: Store) -> None:
    with pytest.raises(NothingToStart, match="no listing can start yet"):
        start_plans.propose(store, SHOP, Wish(everything=Choice.ENTER))
    with store.read() as c:
        assert c.execute(text("SELECT count(*) FROM plan")).scalar_one() == 0


def test_the_answer_for_the_shop_is_remembered(store: Store) -> None:
    with store.read() as c:
        assert start_plans.last_answer(c, SHOP) is False
    start_plans.propose(store, SHOP, Wish(leaves_out=True))
    with store.read() as c:
        assert start_plans.last_answer(c, SHOP) is True


def test_a_count_that_was_given_its_start_leaves_nothing_out_any_more(store: Store) -> None:
    with store.write() as c:
        listings = start_rows.load(c, SHOP)
        assert start_rows.left_out(c, SHOP, listings, clock.now_ms()) == {(1, 1): 3}
        ledger.write(c, [{"item_id": 1, "reason": start_rows.REASON, "origin": "owner", "at": clock.now_ms()}])
        assert start_rows.left_out(c, SHOP, listings, clock.now_ms()) == {}


def test_two_listings_of_one_item_start_from_our_count_together(store: Store) -> None:
    with store.write() as c:
        put(c, t.Link, shop_id=SHOP, sku_id="C", item_id=1, created_at=1)
        order(c, "3", "C", placed=BEFORE)
        shows(c, "C", 5, 1)
        outbox.mark_items(c, [1], "test")
    plan = start_plans.propose(store, SHOP, Wish(leaves_out=True))
    assert {sku: row[1] for sku, row in rows(store, plan.id).items()} == {"A": "10", "C": "10"}, (
        "10 + 4 less 4 promised"
    )
    with pytest.raises(NothingToStart):
        start_plans.propose(store, SHOP, Wish(everything=Choice.THEIRS))

"""Taking over TikTok's numbers: reviewed first, booked as counts, and never over what moved meanwhile."""

from pathlib import Path

import pytest
from sqlalchemy import text

from core import clock
from core.store.engine import Store, open_store
from core.store.tables import Item, Link, Listing, Shop
from core.store.upsert import upsert
from core.sync import adopt, aims, ledger, plans, reconcile
from core.sync.runs import Running

SHOP = "7495001"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three items: ten on hand where TikTok shows seven, five where it shows five, and one in two listings."""
    found = open_store(f"sqlite:///{tmp_path / 'evenstock.db'}")
    now = clock.now_ms()
    with found.write() as connection:
        place = {"name": "Quay Street", "region": "GB", "currency": "GBP", "timezone": "Europe/London"}
        shop = {"id": SHOP, "auth": "main", "practice": False, "mode": "watch", "connected_at": now}
        upsert(connection, Shop, [shop | place])
        upsert(connection, Item, [{"id": i, "sku": f"MUG-{i}", "title": "Mug", "created_at": now} for i in (1, 2, 3)])
        for item, units in ((1, 10), (2, 5), (3, 9)):
            ledger.count(connection, [(item, units)], actor="test", origin="test", reference="")
        shown = (("s1", 7, 2), ("s2", 5, 0), ("s3", 4, 0), ("s4", 4, 0))
        for sku, available, committed in shown:
            upsert(connection, Listing, [{"shop_id": SHOP, "sku_id": sku, "product_id": f"p{sku}", "seller_sku": sku,
                                          "title": "Mug", "status": "ACTIVATE", "seen_at": now, "gone": False,
                                          "available": available, "committed": committed, "observed_at": now,
                                          "open_units": committed, "shipped_units": 0}])  # fmt: skip
        for sku, item in (("s1", 1), ("s2", 2), ("s3", 3), ("s4", 3)):
            upsert(connection, Link, [{"shop_id": SHOP, "sku_id": sku, "item_id": item, "quantity": 1, "origin": "test",
                                       "created_at": now}])  # fmt: skip
        ledger.write(connection, [{"item_id": 1, "reserved": 2, "reason": "order", "origin": "tiktok", "at": now}])
        aims.of_items(connection, [1, 2, 3])
    return found


def take_over(store: Store, plan_id: int) -> Running:
    plans.approve(store, plan_id)
    running = Running(store, adopt.KIND, SHOP, "owner")
    adopt.run(store, plan_id, running)
    return running


def on_hand(store: Store, item: int) -> int:
    with store.read() as connection:
        return int(connection.execute(text("SELECT on_hand FROM level WHERE item_id = :i"), {"i": item}).scalar_one())


def test_what_is_on_hand_becomes_what_tiktok_shows_plus_what_orders_hold(store: Store) -> None:
    proposed = adopt.propose(store, SHOP, ["s1", "s2"], actor="owner")
    assert proposed.rows == 1, "the even one needs nothing"
    assert on_hand(store, 1) == 10, "nothing is booked by proposing"
    running = take_over(store, proposed.id)
    assert running.sentence == "1 number taken over from TikTok."
    assert on_hand(store, 1) == 9
    with store.read() as connection:
        assert [row.state for row in reconcile.rows(connection, search="s1")] == ["even"]
        assert ledger.prove(connection).broken == ()


def test_an_item_in_two_listings_is_left_out_because_tiktok_does_not_say_how_many_there_are(store: Store) -> None:
    assert adopt.propose(store, SHOP, ["s3", "s4"], actor="owner").rows == 0


def test_a_row_whose_stock_moved_after_the_review_comes_back(store: Store) -> None:
    proposed = adopt.propose(store, SHOP, ["s1"], actor="owner")
    ledger.record_sale(store, "MUG-1", 1, actor="owner")
    running = take_over(store, proposed.id)
    assert on_hand(store, 1) == 9, "ten less the sale, not the number that was reviewed"
    assert "came back to review" in running.sentence
    with store.read() as connection:
        row = connection.execute(text("SELECT state, result FROM plan_row")).one()
    assert row.state == "review"
    assert "moved" in row.result


def test_a_plan_is_taken_over_once(store: Store) -> None:
    proposed = adopt.propose(store, SHOP, ["s1"], actor="owner")
    take_over(store, proposed.id)
    with pytest.raises(plans.PlanGone):
        plans.approve(store, proposed.id)

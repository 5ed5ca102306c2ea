"""What TikTok shows and no order explains: told apart from orders still unseen, and decided by the owner."""

import pytest

from core.store.queries import drift as kept
from core.sync import decisions, suspicion
from core.sync.decisions import Asked, Choice, Decided
from core.sync.drift import SURE_AFTER_MS
from tests.simulation.desk import Desk, Killed
from tests.simulation.faults import Fault, Way, break_calls

SURE = SURE_AFTER_MS / 1000


def questions(desk: Desk, view: str = "open") -> list[kept.Question]:
    with desk.store.read() as connection:
        return kept.page(connection, kept.Wanted(view))


def decide(desk: Desk, choice: Choice, number: int | None = None) -> Decided:
    """The owner decides all that is open."""
    asked = [Asked(each.id, each.amount) for each in questions(desk)]
    assert asked, "nothing is open"
    return decisions.decide(desk.store, asked, choice, actor="owner", number=number)


def test_an_unseen_order_behind_an_unseen_shipment_is_not_sold_again(desk: Desk, sku: str) -> None:
    """One order ships and another comes: TikTok's committed units stay as they were, and only its number tells."""
    order = desk.practice.buy(sku)
    desk.settle(rounds=1)
    desk.practice.ship(order)
    desk.practice.buy(sku)
    shown = desk.shown(sku)
    desk.read_stock()
    desk.push()
    assert desk.shown(sku) == shown
    desk.settle(rounds=2)
    assert desk.shown(sku) == shown
    desk.check_books()
    desk.check_even()
    assert desk.rows("SELECT * FROM drift WHERE state <> 'explained'") == []


def test_an_unseen_order_behind_several_unseen_shipments_is_not_sold_again(desk: Desk, sku: str) -> None:
    """More was shipped than ordered since: TikTok holds fewer units than we know of, and its number is one lower."""
    orders = [desk.practice.buy(sku) for _ in range(3)]
    desk.settle(rounds=1)
    for order in orders[:2]:
        desk.practice.ship(order)
    desk.practice.buy(sku)
    shown = desk.shown(sku)
    desk.time.turn(60)
    desk.sync("stock")
    desk.push()
    assert desk.shown(sku) == shown
    assert desk.updates() == []
    desk.settle(rounds=2)
    desk.check_books()
    desk.check_even()


def test_a_write_made_while_an_order_and_a_shipment_are_unseen_leaves_no_false_drift(desk: Desk, sku: str) -> None:
    order = desk.practice.buy(sku)
    desk.settle(rounds=1)
    desk.time.turn(10)
    desk.practice.ship(order)
    desk.practice.buy(sku)
    desk.time.turn(10)
    desk.sell(sku, 4)
    desk.push()
    desk.settle(rounds=3)
    assert desk.rows("SELECT amount, state FROM drift WHERE state <> 'explained'") == []
    desk.check_books()
    desk.check_even()


def test_a_drift_is_certain_only_after_the_orders_were_read_again(desk: Desk, sku: str) -> None:
    desk.settle(rounds=1)
    desk.practice.set_stock(sku, desk.shown(sku) - 2)
    desk.read_stock()
    state = "SELECT state FROM drift WHERE sku_id = :s"
    assert desk.one(state, s=sku) == "suspected"
    desk.time.turn(SURE + 1)
    desk.read_stock()
    assert desk.one(state, s=sku) == "suspected", "an order may still be on its way"
    desk.poll()
    desk.read_stock()
    assert desk.one(state, s=sku) == "open"


def test_a_suspicion_makes_the_pusher_read_the_orders_itself(desk: Desk, sku: str) -> None:
    desk.settle(rounds=1)
    desk.practice.set_stock(sku, desk.shown(sku) - 2)
    desk.read_stock()
    desk.time.turn(SURE + 1)
    desk.push()
    assert desk.one("SELECT state FROM drift WHERE sku_id = :s", s=sku) == "open"


def test_the_owner_may_take_over_a_number_that_was_typed_on_tiktok(desk: Desk, sku: str) -> None:
    before, on_hand = desk.shown(sku), desk.have(sku)[0]
    desk.practice.set_stock(sku, before - 4)
    desk.settle(rounds=2)
    assert decide(desk, "theirs") == Decided(1, -4, ())
    desk.settle(rounds=2)
    assert desk.have(sku)[0] == on_hand - 4
    desk.check_even()
    assert desk.updates() == []


def test_the_owner_may_take_over_a_number_that_was_lowered_meanwhile(desk: Desk, sku: str) -> None:
    before, on_hand = desk.shown(sku), desk.have(sku)[0]
    desk.practice.set_stock(sku, before + 6)
    desk.settle(rounds=2)
    assert desk.shown(sku) == before
    assert decide(desk, "theirs") == Decided(1, 6, ())
    desk.settle(rounds=2)
    assert (desk.have(sku)[0], desk.shown(sku)) == (on_hand + 6, before + 6)
    desk.check_even()


def test_the_owner_may_stand_by_our_number_for_a_bundle_too(desk: Desk, sku: str) -> None:
    with desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE link SET quantity = 2 WHERE sku_id = ?", (sku,))
    desk.settle(rounds=1)
    desk.practice.set_stock(sku, desk.shown(sku) - 1)
    desk.settle(rounds=2)
    refused = decide(desk, "theirs")
    assert (refused.done, "several units together" in refused.left[0][1]) == (0, True)
    assert decide(desk, "ours").done == 1
    desk.settle(rounds=2)
    assert desk.shown(sku) == desk.have(sku)[0] // 2


def test_shipments_from_before_a_write_explain_nothing_that_came_after_it(desk: Desk, sku: str) -> None:
    """The process dies right after a write; by the time it is looked into, older shipments have become known."""
    order = desk.practice.buy(sku, 3)
    desk.settle(rounds=1)
    desk.practice.ship(order)
    desk.time.turn(30)
    desk.sell(sku)
    break_calls(desk, Fault(2, Way.DIES_AFTER))
    with pytest.raises(Killed):
        desk.push()
    desk.restart()
    desk.settle(rounds=3)
    assert desk.rows("SELECT outcome FROM push ORDER BY id DESC LIMIT 1") == [("confirmed",)]
    assert desk.rows("SELECT amount, state FROM drift") == []
    desk.check_books()
    desk.check_even()


def test_shipments_of_a_virtual_bundle_count_for_its_parts(desk: Desk, sku: str) -> None:
    desk.practice.ship(desk.practice.buy(sku))
    desk.settle(rounds=1)
    shipped = desk.one("SELECT shipped_units FROM listing WHERE sku_id = :s", s=sku)
    with desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE order_line SET sku_id = 'V', components = sku_id || '*1' WHERE shipped")
    row = {"shop_id": desk.shop.shop_id, "sku_id": sku, "shipped_units": shipped}
    with desk.store.read() as connection:
        assert suspicion.shipped_after(connection, desk.shop, row, 0, 0) == (shipped, shipped)

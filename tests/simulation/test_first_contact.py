"""First contact on the practice shop: each choice ends even, and nothing is booked or sent before the owner's yes."""

from typing import Any

import pytest

from core.sync import approval, runs, start_plans
from core.sync.plans import Proposed
from core.sync.starting import Choice, Wish
from tests.simulation.desk import Desk


@pytest.fixture
def fresh(new: Desk) -> Desk:
    """Connected and read, nothing reviewed; our counts and TikTok's numbers differ in both directions."""
    new.sync("all")
    for place, sku in enumerate(new.skus()):
        new.count(sku, new.have(sku)[0] + (5, -1, 0)[place % 3])
    new.sync("all")
    return new


def choose(desk: Desk, **wish: Any) -> Proposed:
    return start_plans.propose(desk.store, desk.shop.shop_id, Wish(**wish))


def send(desk: Desk, plan: Proposed) -> runs.Running:
    approval.approve(desk.store, plan.id, confirmed_rows=plan.rows)
    running = runs.Running(desk.store, start_plans.KIND, desk.shop.shop_id, "owner")
    with runs.carry_on(running):
        start_plans.run(desk.shop, plan.id, running)
    return running


def states(desk: Desk, plan: Proposed) -> dict[str, str]:
    return {
        row.entity: row.state for row in desk.rows("SELECT entity, state FROM plan_row WHERE plan_id = :p", p=plan.id)
    }


def unsettled(desk: Desk) -> int:
    return int(desk.one("SELECT count(*) FROM listing l JOIN link k USING (shop_id, sku_id) WHERE settled_at IS NULL"))


def test_our_count_ends_even_and_nothing_is_sent_before_the_yes(fresh: Desk) -> None:
    have = {sku: fresh.have(sku) for sku in fresh.skus()}
    plan = choose(fresh, everything=Choice.OURS)
    fresh.settle(rounds=2)
    assert fresh.updates() == [], "a plan that waits sends nothing"
    assert {sku: fresh.have(sku) for sku in have} == have
    running = send(fresh, plan)
    assert set(states(fresh, plan).values()) == {"done"}
    assert f"{plan.rows} listings given a start" in running.sentence
    assert unsettled(fresh) == 0
    fresh.settle(rounds=2)
    fresh.check_books()
    fresh.check_even()


def test_tiktoks_number_ends_even_without_a_single_write(fresh: Desk) -> None:
    shown = {sku: fresh.shown(sku) for sku in fresh.skus()}
    plan = choose(fresh, everything=Choice.THEIRS)
    send(fresh, plan)
    assert fresh.updates() == []
    assert {sku: fresh.shown(sku) for sku in shown} == shown
    for sku, units in shown.items():
        on_hand, reserved = fresh.have(sku)
        assert on_hand == units + reserved, "what it offers, and what is promised"
    assert unsettled(fresh) == 0
    fresh.settle(rounds=2)
    fresh.check_books()
    fresh.check_even()


def test_an_entered_number_ends_even_on_both_sides(fresh: Desk) -> None:
    wanted = {sku: 20 + place for place, sku in enumerate(fresh.skus())}
    plan = choose(fresh, everything=Choice.ENTER, entered=wanted)
    send(fresh, plan)
    assert {sku: fresh.have(sku)[0] for sku in wanted} == wanted
    fresh.settle(rounds=2)
    fresh.check_books()
    fresh.check_even()


def test_a_product_may_start_from_another_number_and_one_may_wait(fresh: Desk) -> None:
    theirs, later, *_ = fresh.skus()
    products = {fresh.practice.truth(theirs).product_id: Choice.THEIRS,
                fresh.practice.truth(later).product_id: Choice.LATER}  # fmt: skip
    shown = fresh.shown(theirs)
    if len(products) == 1:  # both are variants of one product
        later = next(sku for sku in fresh.skus() if fresh.practice.truth(sku).product_id not in products)
        products = {fresh.practice.truth(theirs).product_id: Choice.THEIRS,
                    fresh.practice.truth(later).product_id: Choice.LATER}  # fmt: skip
    waits = fresh.shown(later)
    plan = choose(fresh, everything=Choice.OURS, products=products)
    assert later not in states(fresh, plan)
    send(fresh, plan)
    fresh.settle(rounds=2)
    assert fresh.shown(theirs) == shown
    assert fresh.shown(later) == waits, "nobody said anything about it"
    assert unsettled(fresh) > 0
    fresh.check_books()


def test_every_start_is_a_movement_of_its_own_in_the_ledger(fresh: Desk) -> None:
    plan = choose(fresh, everything=Choice.OURS)
    send(fresh, plan)
    booked = fresh.rows("SELECT reason, on_hand FROM movement WHERE reference = :r", r=f"plan:{plan.id}")
    assert len(booked) == plan.rows
    assert {tuple(row) for row in booked} == {("baseline", 0)}


def test_orders_that_come_between_review_and_yes_do_no_harm(fresh: Desk) -> None:
    sku = max(fresh.skus(), key=fresh.shown)
    plan = choose(fresh, everything=Choice.THEIRS)
    fresh.time.turn(30)
    fresh.practice.buy(sku, 2)
    fresh.sync("all")
    send(fresh, plan)
    assert states(fresh, plan)[sku] == "done"
    fresh.settle(rounds=2)
    fresh.check_books()
    fresh.check_even()


def test_a_number_typed_between_review_and_yes_brings_its_row_back_to_review(fresh: Desk) -> None:
    sku = max(fresh.skus(), key=fresh.shown)
    plan = choose(fresh, everything=Choice.THEIRS)
    before = fresh.have(sku)
    fresh.practice.set_stock(sku, fresh.shown(sku) + 7)
    fresh.time.turn(30)
    fresh.sync("all")
    running = send(fresh, plan)
    assert states(fresh, plan)[sku] == "review"
    assert fresh.have(sku) == before
    assert "1 moved meanwhile and came back to review" in running.sentence
    again = start_plans.again(fresh.store, plan.id, [sku], "owner")
    send(fresh, again)
    assert states(fresh, again) == {sku: "done"}
    fresh.settle(rounds=2)
    fresh.check_even()


def test_a_unit_sent_after_tiktoks_number_was_read_is_taken_off_once(fresh: Desk) -> None:
    sku = max(fresh.skus(), key=fresh.shown)
    order = fresh.practice.buy(sku, 2)
    fresh.time.turn(60)
    fresh.sync("all")
    plan = choose(fresh, everything=Choice.THEIRS)
    fresh.time.turn(60)
    fresh.practice.act(order, "ship")
    fresh.practice.act(order, "collect")
    send(fresh, plan)
    fresh.settle(rounds=2)
    fresh.check_books()
    fresh.check_even()


def test_a_listing_that_is_new_later_asks_again(fresh: Desk) -> None:
    send(fresh, choose(fresh, everything=Choice.OURS))
    sku = max(fresh.skus(), key=fresh.shown)
    with fresh.store.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM link WHERE sku_id = '{sku}'")
    fresh.sync("all")
    assert unsettled(fresh) == 1
    plan = choose(fresh, everything=Choice.OURS)
    assert states(fresh, plan) == {sku: "proposed"}

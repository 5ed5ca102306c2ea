"""Undo: a plan that takes another one back, shown first, run like any other, at peace with the engine afterwards."""

from typing import Any

import pytest
from sqlalchemy import text

from core.sync import adopt, kinds, ledger, plans, runs, start_plans, stocktake
from core.sync.plans import Proposed
from core.sync.starting import Choice, Wish
from core.sync.stocktake import Counted
from core.sync.undo import CannotUndo
from tests.simulation.desk import Desk


def run(desk: Desk, plan_id: int, *, rows: int | None = None) -> runs.Running:
    """The owner's yes, and what follows from it."""
    plans.approve(desk.store, plan_id, confirmed_rows=rows)
    kind = desk.one("SELECT kind FROM plan WHERE id = :p", p=plan_id)
    running = runs.Running(desk.store, kind, desk.shop.shop_id, "owner")
    with runs.carry_on(running):
        kinds.run(kind, desk.store, [desk.shop], plan_id, running)
    return running


def undo(desk: Desk, plan_id: int) -> Proposed:
    """Propose to take a plan back, agree, and run it."""
    proposed = kinds.propose_undo(desk.store, plan_id, actor="test")
    desk.time.turn(5)
    run(desk, proposed.id, rows=proposed.rows)
    desk.time.turn(5)
    return proposed


def row(desk: Desk, plan_id: int) -> Any:
    return desk.one("SELECT state, old, new, rule, result FROM plan_row WHERE plan_id = :p", p=plan_id)


def quiet(desk: Desk) -> None:
    """Everything is even, and it stays so without another write."""
    desk.settle(rounds=3)
    desk.check_even()
    desk.check_books()
    written = len(desk.updates())
    desk.settle(rounds=3)
    assert len(desk.updates()) == written, "a number is pushed back and forth"


def lowered(desk: Desk, sku: str, by: int = 6) -> plans.Proposed:
    """TikTok shows more than ours, and the owner sends ours."""
    desk.count(sku, desk.have(sku)[0] - by)
    desk.time.turn(5)
    plan = desk.resync([sku])
    assert plan.rows == 1
    desk.time.turn(5)
    return plan


def test_tiktok_shows_its_old_number_again_less_what_was_sold_since(desk: Desk, sku: str) -> None:
    before = desk.shown(sku)
    plan = lowered(desk, sku)
    desk.sell(sku, 2)
    desk.practice.buy(sku, 1)
    desk.settle(rounds=2)
    assert desk.shown(sku) == before - 9
    proposed = kinds.propose_undo(desk.store, plan.id, actor="test")
    have = desk.have(sku)[0]
    assert row(desk, proposed.id) == (
        "proposed", str(have), str(have + 6), f"TikTok showed {before}; 3 left since, so {before - 3}", "",
    )  # fmt: skip
    run(desk, proposed.id)
    quiet(desk)
    assert desk.shown(sku) == before - 3
    assert row(desk, plan.id).state == "undone"
    assert desk.rows("SELECT reason, on_hand FROM movement WHERE reference = :r", r=f"plan:{proposed.id}") == [
        ("undo", 6)
    ]


def test_an_undo_that_is_undone_brings_the_plan_back_in_force(desk: Desk, sku: str) -> None:
    before = desk.shown(sku)
    plan = lowered(desk, sku)
    first = undo(desk, plan.id)
    quiet(desk)
    assert desk.shown(sku) == before
    desk.sell(sku)
    again = undo(desk, first.id)
    quiet(desk)
    assert desk.shown(sku) == before - 7, "the plan and the sale"
    assert row(desk, first.id).state == "undone"
    assert row(desk, plan.id).state == "done"
    undo(desk, again.id)
    quiet(desk)
    assert desk.shown(sku) == before - 1


def test_a_plan_is_undone_once(desk: Desk, sku: str) -> None:
    plan = lowered(desk, sku)
    undo(desk, plan.id)
    with pytest.raises(CannotUndo, match="undone already"):
        kinds.propose_undo(desk.store, plan.id, actor="test")


def test_a_plan_that_was_not_run_cannot_be_undone(desk: Desk, sku: str) -> None:
    desk.count(sku, desk.have(sku)[0] - 1)
    plan = plans.propose_resync(desk.store, desk.shop.shop_id, [sku], actor="test")
    with pytest.raises(CannotUndo, match="not been run"):
        kinds.propose_undo(desk.store, plan.id, actor="test")


def test_an_item_that_was_counted_since_stays_and_the_reason_is_given(desk: Desk, sku: str) -> None:
    plan = lowered(desk, sku)
    desk.count(sku, 3)
    desk.settle(rounds=1)
    proposed = kinds.propose_undo(desk.store, plan.id, actor="test")
    assert proposed.rows == 0
    found = row(desk, proposed.id)
    assert (found.state, found.old) == ("cannot", found.new)
    assert found.result.startswith("Counted again on ")


def test_a_row_that_was_even_or_left_out_is_not_undone(desk: Desk) -> None:
    first, second = [sku for sku in desk.skus() if desk.shown(sku) > 3][:2]
    for sku in (first, second):
        desk.count(sku, desk.have(sku)[0] - 2)
    desk.time.turn(5)
    plan = plans.propose_resync(desk.store, desk.shop.shop_id, [first, second], actor="test")
    desk.push()
    desk.time.turn(5)
    run(desk, plan.id)
    proposed = kinds.propose_undo(desk.store, plan.id, actor="test")
    assert proposed.rows == 0
    assert set(desk.rows("SELECT result FROM plan_row WHERE plan_id = :p", p=proposed.id)) == {
        ("It was even already, and nothing was sent.",)
    }


def test_an_item_that_several_listings_sell_stays(desk: Desk, sku: str) -> None:
    plan = lowered(desk, sku)
    other = next(one for one in desk.skus() if one != sku)
    with desk.store.write() as connection:
        connection.execute(
            text("UPDATE link SET item_id = (SELECT item_id FROM link WHERE sku_id = :a) WHERE sku_id = :b"),
            {"a": sku, "b": other},
        )
    proposed = kinds.propose_undo(desk.store, plan.id, actor="test")
    assert proposed.rows == 0
    assert "other listings" in row(desk, proposed.id).result


def test_an_unanswered_question_on_the_listing_comes_first(desk: Desk, sku: str) -> None:
    plan = lowered(desk, sku)
    desk.practice.set_stock(sku, desk.shown(sku) + 4)
    desk.settle(rounds=2)
    assert desk.rows("SELECT 1 FROM drift WHERE state IN ('open', 'lowered')")
    proposed = kinds.propose_undo(desk.store, plan.id, actor="test")
    assert proposed.rows == 0
    assert "Decide on that first" in row(desk, proposed.id).result


def test_a_number_that_moved_after_the_review_of_the_undo_comes_back(desk: Desk, sku: str) -> None:
    plan = lowered(desk, sku)
    proposed = kinds.propose_undo(desk.store, plan.id, actor="test")
    desk.sell(sku)
    running = run(desk, proposed.id)
    assert "1 moved meanwhile and came back to review" in running.sentence
    assert row(desk, proposed.id).state == "review"
    assert row(desk, plan.id).state == "done"
    again = kinds.propose_again(desk.store, proposed.id, actor="test")
    assert again is not None
    assert again.rows == 1
    run(desk, again.id)
    quiet(desk)
    assert row(desk, plan.id).state == "undone"


def test_where_a_rule_bends_the_number_tiktok_still_shows_what_it_did(desk: Desk, sku: str) -> None:
    with desk.store.write() as connection:
        connection.execute(text("UPDATE link SET share = 50 WHERE sku_id = :sku"), {"sku": sku})
    desk.settle(rounds=2)
    before = desk.shown(sku)
    plan = lowered(desk, sku)
    undo(desk, plan.id)
    desk.settle(rounds=3)
    assert desk.shown(sku) == before


def test_a_rule_that_no_longer_lets_the_number_come_back_is_named(desk: Desk, sku: str) -> None:
    plan = lowered(desk, sku)
    with desk.store.write() as connection:
        connection.execute(text("UPDATE link SET cap = 2 WHERE sku_id = :sku"), {"sku": sku})
    proposed = kinds.propose_undo(desk.store, plan.id, actor="test")
    assert proposed.rows == 0
    assert "Your rules" in row(desk, proposed.id).result


def test_numbers_taken_over_from_tiktok_go_back_with_what_was_sold_since(desk: Desk, sku: str) -> None:
    on_hand, shown = desk.have(sku)[0], desk.shown(sku)
    desk.practice.set_stock(sku, shown - 4)
    desk.settle(rounds=2)
    plan = adopt.propose(desk.store, desk.shop.shop_id, [sku], actor="test")
    run(desk, plan.id)
    desk.time.turn(5)
    desk.settle(rounds=2)
    assert desk.have(sku)[0] == on_hand - 4
    desk.sell(sku)
    proposed = undo(desk, plan.id)
    assert row(desk, proposed.id).rule == "what was booked (-4) goes back, 1 left since"
    quiet(desk)
    assert desk.have(sku)[0] == on_hand - 1
    assert desk.shown(sku) == shown - 1, "TikTok follows our number again"


def test_a_shipment_that_became_known_only_after_the_count_keeps_it(desk: Desk, sku: str) -> None:
    on_hand = desk.have(sku)[0]
    desk.practice.set_stock(sku, desk.shown(sku) - 4)
    desk.settle(rounds=2)
    plan = adopt.propose(desk.store, desk.shop.shop_id, [sku], actor="test")
    desk.time.turn(5)
    order = desk.practice.buy(sku, paid=True)
    desk.time.turn(4000)
    desk.practice.act(order, "ship")
    desk.time.turn(5)
    run(desk, plan.id)
    assert desk.have(sku)[0] == on_hand - 4
    desk.settle(rounds=2)
    proposed = kinds.propose_undo(desk.store, plan.id, actor="test")
    assert proposed.rows == 0
    assert "left before" in row(desk, proposed.id).result


def test_a_stocktake_is_taken_back_like_any_other_plan(desk: Desk, sku: str) -> None:
    item, on_hand = desk.one("SELECT i.id, v.on_hand FROM item i JOIN link k ON k.item_id = i.id JOIN level v "
                             "ON v.item_id = i.id WHERE k.sku_id = :s", s=sku)  # fmt: skip
    mark = desk.one("SELECT max(id) FROM movement WHERE item_id = :i AND on_hand <> 0", i=item)
    before = desk.shown(sku)
    desk.time.turn(5)
    done = stocktake.apply(desk.store, [Counted(item, on_hand - 7, on_hand, mark)])
    desk.settle(rounds=2)
    assert desk.shown(sku) == before - 7
    undo(desk, done.plan_id)
    quiet(desk)
    assert desk.shown(sku) == before
    with desk.store.read() as connection:
        assert ledger.prove(connection).broken == ()


@pytest.mark.parametrize("choice", [Choice.OURS, Choice.THEIRS])
def test_a_start_is_taken_back_and_tiktok_shows_what_it_showed_before(new: Desk, choice: Choice) -> None:
    new.sync("all")
    for place, sku in enumerate(new.skus()):
        new.count(sku, new.have(sku)[0] + (5, -1, 0)[place % 3])
    new.sync("all")
    before = {sku: new.shown(sku) for sku in new.skus()}
    plan = start_plans.propose(new.store, new.shop.shop_id, Wish(everything=choice))
    new.time.turn(5)
    run(new, plan.id, rows=plan.rows)
    new.settle(rounds=1)
    undo(new, plan.id)
    quiet(new)
    assert {sku: new.shown(sku) for sku in before} == before

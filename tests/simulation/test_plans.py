"""Reviewed plans: sent once, above the limits only with a typed number, and stale rows go back to review."""

from typing import Any

import pytest

from core import clock
from core.sync import aims, kinds, ledger, plans, runs
from core.sync.approval import ChoiceMoved, Which
from core.sync.plans import NotConfirmed, PlanGone
from core.tiktok.errors import Stopped, TikTokError
from tests.simulation.desk import Desk, Killed


def states(desk: Desk, plan_id: int) -> dict[str, str]:
    return {
        row.entity: row.state for row in desk.rows("SELECT entity, state FROM plan_row WHERE plan_id = :p", p=plan_id)
    }


def test_a_plan_can_be_sent_once(desk: Desk, sku: str) -> None:
    desk.count(sku, 3)
    plan = desk.resync([sku])
    with pytest.raises(PlanGone, match="sent already"):
        plans.approve(desk.store, plan.id)


def test_a_newer_plan_replaces_an_older_one(desk: Desk, sku: str) -> None:
    desk.count(sku, 3)
    first = plans.propose_resync(desk.store, desk.shop.shop_id, None, actor="test")
    plans.propose_resync(desk.store, desk.shop.shop_id, None, actor="test")
    with pytest.raises(PlanGone):
        plans.approve(desk.store, first.id)


def test_a_plan_above_the_limits_wants_its_number_of_rows_typed(desk: Desk) -> None:
    for sku in desk.skus():
        desk.count(sku, 0)
    plan = plans.propose_resync(desk.store, desk.shop.shop_id, None, actor="test")
    assert "would go to zero" in plan.warning
    for wrong in (None, plan.rows + 1):
        with pytest.raises(NotConfirmed, match=str(plan.rows)):
            plans.approve(desk.store, plan.id, confirmed_rows=wrong)
    assert plans.approve(desk.store, plan.id, confirmed_rows=plan.rows) == plan.rows


def run(desk: Desk, plan_id: int) -> runs.Running:
    running = runs.Running(desk.store, "resync", desk.shop.shop_id, "owner")
    with runs.carry_on(running):
        plans.run(desk.shop, plan_id, running)
    return running


def test_a_row_whose_number_somebody_typed_after_the_review_goes_back_to_review(desk: Desk, sku: str) -> None:
    before = desk.shown(sku)
    desk.practice.set_stock(sku, before - 6)
    desk.settle(rounds=2)
    plan = plans.propose_resync(desk.store, desk.shop.shop_id, [sku], actor="test")
    assert plan.rows == 1
    desk.time.turn(30)
    desk.practice.set_stock(sku, before - 2)
    plans.approve(desk.store, plan.id)
    run(desk, plan.id)
    assert states(desk, plan.id) == {sku: "review"}
    assert desk.shown(sku) == before - 2, "the number typed since was not overwritten"


def test_a_row_that_would_be_raised_beyond_what_was_reviewed_goes_back_to_review(new: Desk) -> None:
    new.sync("all")
    sku = max(new.skus(), key=new.shown)
    new.count(sku, new.have(sku)[0] + 5)
    new.sync("all")
    plan = plans.propose_resync(new.store, new.shop.shop_id, [sku], actor="test")
    new.count(sku, new.have(sku)[0] + 50)
    plans.approve(new.store, plan.id)
    run(new, plan.id)
    assert states(new, plan.id) == {sku: "review"}
    assert new.updates() == []


def test_a_row_that_became_even_meanwhile_is_not_sent(desk: Desk, sku: str) -> None:
    desk.count(sku, desk.have(sku)[0] - 1)
    plan = plans.propose_resync(desk.store, desk.shop.shop_id, [sku], actor="test")
    desk.practice.buy(sku)
    desk.practice.set_stock(sku, desk.have(sku)[0] - 1)
    plans.approve(desk.store, plan.id)
    run(desk, plan.id)
    assert states(desk, plan.id) == {sku: "done"}


def test_a_plan_that_fails_half_way_says_what_was_sent(desk: Desk) -> None:
    products: dict[str, str] = {}
    for sku in desk.skus():
        if desk.shown(sku) > 3:
            products.setdefault(desk.practice.truth(sku).product_id, sku)
    first, second = sorted(products.values())[:2]
    for sku in (first, second):
        desk.count(sku, desk.have(sku)[0] - 1)
    plan = plans.propose_resync(desk.store, desk.shop.shop_id, [first, second], actor="test")
    plans.approve(desk.store, plan.id)
    desk.practice.trouble("missing_scope", path="/inventory/update", after=1)
    with pytest.raises(TikTokError):
        run(desk, plan.id)
    assert sorted(states(desk, plan.id).values()) == ["proposed", "unsure"]
    assert desk.one("SELECT state FROM plan WHERE id = :p", p=plan.id) == "stopped"
    desk.practice.clear_trouble()
    desk.settle(rounds=2)
    desk.check_even()


def test_a_stopped_plan_keeps_what_it_sent_and_leaves_the_rest_in_review(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.sync.batch.WORKERS", 1)
    skus = [sku for sku in desk.skus() if desk.shown(sku) > 3]
    for sku in skus:
        desk.count(sku, desk.have(sku)[0] - 1)
    plan = plans.propose_resync(desk.store, desk.shop.shop_id, skus, actor="test")
    plans.approve(desk.store, plan.id)
    running = runs.Running(desk.store, "resync", desk.shop.shop_id, "owner")
    run_id = running.record()
    real = desk.shop.api.set_stock

    def stop_now(*given: Any, **more: Any) -> Any:
        assert runs.stop(run_id)
        return real(*given, **more)

    desk.shop.api.set_stock = stop_now  # type: ignore[method-assign]
    with pytest.raises(Stopped), runs.carry_on(running):
        plans.run(desk.shop, plan.id, running)
    found = states(desk, plan.id)
    assert "proposed" in found.values()
    assert desk.rows("SELECT status FROM run WHERE id = :r", r=run_id) == [("stopped",)]
    desk.shop.api.set_stock = real  # type: ignore[method-assign]
    desk.settle(rounds=2)
    desk.check_even()


def test_rows_that_left_before_a_crash_are_told_as_sent_without_an_answer(desk: Desk, sku: str) -> None:
    desk.count(sku, desk.have(sku)[0] - 2)
    plan = plans.propose_resync(desk.store, desk.shop.shop_id, [sku], actor="test")
    plans.approve(desk.store, plan.id)
    real = desk.shop.api.set_stock

    def dead(**more: Any) -> Any:
        raise Killed

    def die(*given: Any, **more: Any) -> Any:
        real(*given, **more)
        desk.store.write = dead  # type: ignore[method-assign]
        raise Killed

    desk.shop.api.set_stock = die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        run(desk, plan.id)
    desk.restart()
    assert states(desk, plan.id) == {sku: "unsure"}
    assert desk.one("SELECT state FROM plan WHERE id = :p", p=plan.id) == "stopped"
    desk.settle(rounds=3)
    kinds.propose_undo(desk.store, plan.id, actor="test")
    assert states(desk, plan.id) == {sku: "done"}, "the readings have told that it arrived"


def test_a_raise_above_the_last_count_is_warned_of(new: Desk) -> None:
    new.sync("all")
    sku = max(new.skus(), key=new.shown)
    new.time.turn(5)
    have = new.have(sku)[0]
    item = new.one("SELECT item_id FROM link WHERE sku_id = :s", s=sku)
    with new.store.write() as connection:
        found = {"item_id": item, "on_hand": 4, "reason": "receipt", "origin": "store", "at": clock.now_ms()}
        ledger.write(connection, [found])
        aims.of_items(connection, [item])
    plan = plans.propose_resync(new.store, new.shop.shop_id, [sku], actor="test")
    warning = new.one("SELECT warning FROM plan_row WHERE plan_id = :p", p=plan.id)
    assert warning == f"More than the {have} of the last count."


def test_the_choice_that_the_owner_saw_is_the_one_that_is_sent(desk: Desk) -> None:
    skus = [sku for sku in desk.skus() if desk.shown(sku) > 3]
    for sku in skus:
        desk.count(sku, desk.have(sku)[0] - 1)
    plan = plans.propose_resync(desk.store, desk.shop.shop_id, skus, actor="test")
    kinds.choose(desk.store, plan.id, "leave out", Which(entities=skus[:1]))
    with pytest.raises(ChoiceMoved, match=f"there are {plan.rows - 1} now"):
        plans.approve(desk.store, plan.id, seen_rows=plan.rows)
    run_of = plans.approve(desk.store, plan.id, seen_rows=plan.rows - 1)
    assert run_of == plan.rows - 1
    run(desk, plan.id)
    assert states(desk, plan.id)[skus[0]] == "skipped"
    sent = {row.sku_id for row in desk.rows("SELECT sku_id FROM push WHERE run_id = (SELECT max(id) FROM run)")}
    assert skus[0] not in sent

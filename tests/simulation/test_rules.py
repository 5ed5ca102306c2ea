"""A rule of the owner from the first look to its undo, on the practice shop: planned, sent, followed, taken back."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from core.sync import kinds, plans, rule_plans, runs, speeds
from core.sync.explained import explain
from core.sync.facts import load
from core.sync.plans import NotConfirmed, Proposed
from core.sync.rule_changes import Change
from core.sync.rules import BadRule, Rule, Scope
from tests.simulation.desk import Desk


def item(desk: Desk, sku: str) -> str:
    return str(desk.one("SELECT item_id FROM link WHERE sku_id = :s", s=sku))


def propose(desk: Desk, scope: Scope, key: str, rule: Rule) -> Proposed:
    return rule_plans.propose(desk.store, scope, key, rule, actor="test")


def send(desk: Desk, plan: Proposed) -> runs.Running:
    """The owner's yes, and the run that follows."""
    plans.approve(desk.store, plan.id, confirmed_rows=plan.rows)
    shop_id = desk.one("SELECT shop_id FROM plan WHERE id = :p", p=plan.id)
    running = runs.Running(desk.store, "rules", shop_id, "owner")
    with runs.carry_on(running):
        kinds.run("rules", desk.store, [desk.shop], plan.id, running)
    return running


def rows(desk: Desk, plan: Proposed) -> dict[str, tuple[int, int, str]]:
    query = "SELECT entity, old, new, state FROM plan_row WHERE plan_id = :p"
    return {row.entity: (int(row.old), int(row.new), row.state) for row in desk.rows(query, p=plan.id)}


def shown(desk: Desk) -> dict[str, int]:
    return {sku: desk.shown(sku) for sku in desk.skus()}


def undo(desk: Desk, plan: Proposed) -> Proposed:
    """A plan that takes this one back, with nothing that has to stay."""
    back = kinds.propose_undo(desk.store, plan.id, actor="test")
    assert {state for _, _, state in rows(desk, back).values()} == {"proposed"}
    return back


@pytest.fixture(autouse=True)
def never_above_free(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test does: no number is sent that is above the units nobody has a claim on at that moment."""
    set_stock, checked = desk.shop.api.set_stock, []

    def check(product_id: str, wanted: dict[str, dict[str, int]], *more: Any, **named: Any) -> Any:
        for sku_id, numbers in wanted.items():
            on_hand, reserved = desk.have(sku_id)
            checked.append(sku_id)
            assert sum(numbers.values()) <= max(0, on_hand - reserved), sku_id
        return set_stock(product_id, wanted, *more, **named)

    monkeypatch.setattr(desk.shop.api, "set_stock", check)
    yield
    assert len(checked) >= len(desk.updates()), "every write was looked at"


def test_a_rule_is_planned_reviewed_and_sent_and_undo_brings_the_numbers_back(desk: Desk) -> None:
    before = shown(desk)
    plan = propose(desk, Scope.ALL, "", Rule(buffer=1, share=50))
    expected = {sku: max(0, units - 1) // 2 for sku, units in before.items()}
    moved = {sku: (units, expected[sku], "proposed") for sku, units in before.items() if units != expected[sku]}
    assert rows(desk, plan) == moved
    assert desk.updates() == [], "nothing is sent by a plan"
    assert desk.rows("SELECT * FROM rule") == [], "and nothing is saved"
    running = send(desk, plan)
    assert shown(desk) == expected
    assert {state for _, _, state in rows(desk, plan).values()} == {"done"}
    assert running.sentence.startswith("The rule is in force.")
    send(desk, undo(desk, plan))
    assert shown(desk) == before
    assert desk.rows("SELECT * FROM rule") == []
    desk.check_books()
    desk.check_even()


def test_what_changes_later_follows_the_rule_without_asking(desk: Desk, sku: str) -> None:
    send(desk, propose(desk, Scope.ITEM, item(desk, sku), Rule(buffer=2)))
    before = desk.shown(sku)
    desk.sell(sku)
    desk.push()
    assert desk.shown(sku) == before - 1
    desk.count(sku, 1)
    desk.push()
    assert desk.shown(sku) == 0, "the last unit is kept back"


def test_each_row_of_the_plan_says_which_rule_made_its_number(desk: Desk, sku: str) -> None:
    plan = propose(desk, Scope.ITEM, item(desk, sku), Rule(buffer=2, share=50, cap=3))
    said = desk.one("SELECT rule FROM plan_row WHERE plan_id = :p", p=plan.id)
    assert said.endswith("promised; 2 kept back, 50% of the rest, at most 3")


def test_a_rule_that_changes_no_number_is_saved_at_once(desk: Desk) -> None:
    plan = propose(desk, Scope.SHOP, desk.shop.shop_id, Rule(cap=99_000))
    assert plan.rows == 0
    assert desk.one("SELECT state FROM plan WHERE id = :p", p=plan.id) == "done"
    assert desk.one("SELECT cap FROM rule WHERE scope = 'shop'") == 99_000
    assert {row.cap for row in desk.rows("SELECT cap FROM link")} == {99_000}
    desk.push()
    assert desk.updates() == []


def test_a_plan_made_before_the_rule_changed_again_is_not_carried_out(desk: Desk, sku: str) -> None:
    old = propose(desk, Scope.ITEM, item(desk, sku), Rule(buffer=2))
    with desk.store.write() as connection:
        connection.execute(text("UPDATE plan SET shop_id = 'kept' WHERE id = :p"), {"p": old.id})
    send(desk, propose(desk, Scope.ITEM, item(desk, sku), Rule(buffer=3)))
    before = shown(desk)
    running = send(desk, old)
    assert shown(desk) == before
    assert running.status == "held"
    assert desk.one("SELECT buffer FROM rule") == 3
    assert {state for _, _, state in rows(desk, old).values()} == {"review"}


def test_items_put_into_a_group_take_over_its_rule(desk: Desk, sku: str) -> None:
    assert propose(desk, Scope.GROUP, "fragile", Rule(zero_below=10_000)).rows == 0, "nobody is in it yet"
    before = desk.shown(sku)
    plan = rule_plans.propose_groups(desk.store, {int(item(desk, sku)): "fragile"}, actor="test")
    assert rows(desk, plan) == {sku: (before, 0, "proposed")}
    assert desk.one("SELECT group_name FROM item WHERE id = :i", i=int(item(desk, sku))) == ""
    send(desk, plan)
    assert desk.shown(sku) == 0
    send(desk, undo(desk, plan))
    assert desk.shown(sku) == before
    assert {state for _, _, state in rows(desk, plan).values()} == {"undone"}


def test_a_drift_is_not_decided_by_a_rule(desk: Desk, sku: str) -> None:
    before = desk.shown(sku)
    desk.practice.set_stock(sku, before - 4)
    desk.settle(rounds=3)
    plan = propose(desk, Scope.ITEM, item(desk, sku), Rule(buffer=before - 1))
    assert plan.rows == 0
    with desk.store.read() as connection:
        assert rule_plans.told(connection, plan.id).endswith(
            "1 more listing will follow once what holds them up is settled."
        )
    desk.push()
    assert desk.shown(sku) == 1, "it lowers, for that is always safe"
    assert desk.rows("SELECT state FROM drift WHERE state = 'decided'") == []


def test_a_plan_above_the_limits_waits_for_the_number_of_its_rows(desk: Desk) -> None:
    desk.choose(stop_zero_count=1, stop_zero_percent=1)
    plan = propose(desk, Scope.ALL, "", Rule(zero_below=10_000))
    assert "would go to zero at once" in plan.warning
    with pytest.raises(NotConfirmed, match=str(plan.rows)):
        plans.approve(desk.store, plan.id)


def test_looking_at_a_rule_leaves_nothing_behind(desk: Desk) -> None:
    before = desk.store.revision(), desk.rows("SELECT * FROM link"), desk.rows("SELECT * FROM outbox")
    seen = rule_plans.look(desk.store, Scope.ALL, "", Rule(share=0))
    assert (desk.store.revision(), desk.rows("SELECT * FROM link"), desk.rows("SELECT * FROM outbox")) == before
    assert {row.sku_id for row in seen.rows} == {sku for sku, units in shown(desk).items() if units}
    assert all(row.new == 0 for row in seen.rows)


def test_a_rule_of_no_place_is_refused(desk: Desk) -> None:
    with pytest.raises(BadRule, match="Choose what the rule is for"):
        propose(desk, Scope.GROUP, "", Rule(buffer=1))


def test_the_payload_of_a_plan_holds_the_rule_before_and_after(desk: Desk, sku: str) -> None:
    change = Change(Scope.ITEM, item(desk, sku), Rule(buffer=1), Rule(share=80, split=False))
    assert rule_plans.load(change.dump()) == change
    assert rule_plans.load(change.back.dump()).after == change.before
    moved = Change(groups=((3, "", "soap"),))
    assert rule_plans.load(moved.back.dump()).groups == ((3, "soap", ""),)


def test_the_facts_of_a_listing_know_its_rule(desk: Desk, sku: str) -> None:
    send(desk, propose(desk, Scope.SHOP, desk.shop.shop_id, Rule(buffer=1, share=90, cap=7, zero_below=2)))
    with desk.store.read() as connection:
        (part,) = load(connection, desk.shop.shop_id, [sku])[sku].parts
    assert (part.rule.buffer, part.rule.share, part.rule.cap, part.rule.zero_below) == (1, 90, 7, 2)


def test_a_listing_that_is_not_split_shows_all_of_the_last_units(desk: Desk, sku: str) -> None:
    desk.count(sku, 2)
    desk.push()
    for _ in range(3):
        desk.practice.buy(sku)
        desk.sell(sku)
        desk.count(sku, 2 + desk.have(sku)[1] + 1)
        desk.settle(rounds=1, seconds=5)
    speeds.refresh(desk.store)
    desk.settle(rounds=2)
    split = desk.shown(sku)
    on_hand, reserved = desk.have(sku)
    assert 0 < split < on_hand - reserved, "the own store sells too, so it has a share"
    plan = propose(desk, Scope.ITEM, item(desk, sku), Rule(split=False))
    assert rows(desk, plan) == {sku: (split, on_hand - reserved, "proposed")}
    send(desk, plan)
    assert desk.shown(sku) == on_hand - reserved
    send(desk, undo(desk, plan))
    assert desk.shown(sku) == split


def test_the_orders_told_behind_a_number_hold_all_that_is_promised(desk: Desk, sku: str) -> None:
    for units in (2, 1, 3):
        desk.practice.buy(sku, units)
    desk.settle(rounds=1)
    with desk.store.read() as connection:
        why = explain(connection, desk.shop.shop_id, sku, limit=50)
    assert why is not None
    assert sum(each.units for each in why.behind.promises) == desk.have(sku)[1] >= 6
    assert why.behind.promised_orders == len(why.behind.promises)


def test_a_plan_tells_the_rule_before_and_after(desk: Desk, sku: str) -> None:
    propose(desk, Scope.SHOP, desk.shop.shop_id, Rule(cap=99_999))
    for scope, key, place in ((Scope.ALL, "", "everything"), (Scope.SHOP, desk.shop.shop_id, "the shop")):
        plan = propose(desk, scope, key, Rule(buffer=1, split=False))
        with desk.store.read() as connection:
            said = rule_plans.told(connection, plan.id)
        assert said.startswith(f"The rule for {place}")
        assert ": 1 kept back, last units not split. Before: " in said
        assert said.endswith("nothing of its own." if scope is Scope.ALL else "no limit.")


def test_the_loop_leaves_to_the_plan_what_the_owner_agreed_to(desk: Desk) -> None:
    """It knows of no agreement, so it would stop at the limits and ask again."""
    desk.choose(stop_zero_count=1, stop_zero_percent=1, stop_touch_count=1)
    plan = propose(desk, Scope.ALL, "", Rule(share=50))
    real, held = plans.send, []

    def loop_first(*given: Any, **more: Any) -> None:
        held.append(desk.push().held)
        real(*given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "send", loop_first)
        send(desk, plan)
    assert held == [0]
    assert {state for _, _, state in rows(desk, plan).values()} == {"done"}


def test_what_a_stopped_plan_did_not_send_is_left_to_the_loop(desk: Desk) -> None:
    plan = propose(desk, Scope.ALL, "", Rule(buffer=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "send", lambda *given, **more: None)
        running = send(desk, plan)
    assert running.status == "stopped"
    desk.push()
    desk.check_even(but=lambda sku: True)
    for sku in desk.skus():
        on_hand, reserved = desk.have(sku)
        assert desk.shown(sku) == max(0, on_hand - reserved - 1), "the rule is in force, so it follows"

"""Questions about numbers on TikTok: what each answer books, what a rule decides by itself, and what can be undone."""

from typing import Any

import pytest

from core.store.queries import drift as kept
from core.sync import catalog, decisions, hooks, ledger
from core.sync.decisions import Asked, Choice, Decided
from core.tiktok.webhooks import STOCK_CHANGED
from core.tiktok.webhooks import Event as Webhook
from tests.simulation.desk import Desk
from tests.simulation.faults import Fault, Way, break_calls


def questions(desk: Desk, view: str = "open") -> list[kept.Question]:
    with desk.store.read() as connection:
        return kept.page(connection, kept.Wanted(view))


def decide(desk: Desk, choice: Choice, number: int | None = None) -> Decided:
    """The owner decides all that is open."""
    asked = [Asked(each.id, each.amount) for each in questions(desk)]
    return decisions.decide(desk.store, asked, choice, actor="owner", number=number)


def rule(desk: Desk, name: decisions.Rule) -> None:
    decisions.set_rule(desk.store, desk.shop.shop_id, name)


def typed(desk: Desk, sku: str, change: int, rounds: int = 2) -> int:
    """Somebody types another number on TikTok, and it becomes certain. Returns the number from before."""
    before = desk.shown(sku)
    desk.practice.set_stock(sku, before + change)
    desk.settle(rounds=rounds)
    return before


def booked(desk: Desk, asked: kept.Question) -> list[Any]:
    query = "SELECT on_hand, reason, actor FROM movement WHERE reference = :r ORDER BY id"
    return desk.rows(query, r=f"drift:{asked.id}")


def test_keeping_our_number_books_nothing_and_puts_it_back(desk: Desk, sku: str) -> None:
    before = typed(desk, sku, -4)
    asked = questions(desk)[0]
    assert (asked.amount, asked.observed, asked.expected, asked.cause) == (-4, before - 4, before, "hand")
    assert decide(desk, "ours") == Decided(1, 0, ())
    desk.settle(rounds=1)
    assert desk.shown(sku) == before
    assert booked(desk, asked) == []


def test_taking_their_number_books_the_difference_once(desk: Desk, sku: str) -> None:
    before, (on_hand, _) = desk.shown(sku), desk.have(sku)
    typed(desk, sku, 6)
    asked = questions(desk)[0]
    assert decide(desk, "theirs") == Decided(1, 6, ())
    desk.settle(rounds=1)
    assert (desk.have(sku)[0], desk.shown(sku)) == (on_hand + 6, before + 6)
    assert booked(desk, asked) == [(6, "taken over from TikTok", "owner")]
    again = decisions.decide(desk.store, [Asked(asked.id, 6)], "theirs", actor="owner")
    assert again.left == ((asked.id, decisions.NothingToDecide.sentence),)
    assert desk.have(sku)[0] == on_hand + 6


def test_another_number_is_a_count_of_the_item(desk: Desk, sku: str) -> None:
    desk.practice.buy(sku, 2)
    desk.settle(rounds=1)
    typed(desk, sku, 6)
    asked = questions(desk)[0]
    on_hand = desk.have(sku)[0]
    assert decide(desk, "count", on_hand + 1) == Decided(1, 1, ())
    desk.settle(rounds=1)
    assert desk.have(sku)[0] == on_hand + 1
    assert booked(desk, asked) == [(1, "count", "owner")]
    desk.check_even()
    with pytest.raises(ledger.BadQuantity):
        decisions.decide(desk.store, [Asked(asked.id, 6)], "count", actor="owner", number=-1)


@pytest.mark.parametrize("change", [9, -9])
def test_until_it_is_decided_the_number_is_only_ever_lowered(desk: Desk, sku: str, change: int) -> None:
    before = typed(desk, sku, change)
    offered = [desk.shown(sku)]
    assert offered[0] <= before
    for act in (lambda: desk.count(sku, desk.have(sku)[0] + 20), lambda: desk.sell(sku, 12), lambda: desk.sell(sku, 11),
                lambda: desk.count(sku, desk.have(sku)[0] + 30)):  # fmt: skip
        act()
        desk.settle(rounds=1)
        offered.append(desk.shown(sku))
    assert offered == sorted(offered, reverse=True)
    decide(desk, "ours")
    desk.settle(rounds=2)
    desk.check_even()


def test_nothing_is_decided_while_an_order_may_still_explain_it(desk: Desk, sku: str) -> None:
    desk.settle(rounds=1)
    desk.practice.set_stock(sku, desk.shown(sku) - 2)
    desk.read_stock()
    checking = questions(desk, "checking")[0]
    assert checking.cause == "checking"
    found = decisions.decide(desk.store, [Asked(checking.id, -2)], "theirs", actor="owner")
    assert (found.done, decisions.StillChecking.sentence in found.left[0][1]) == (0, True)


def test_a_number_that_moved_since_it_was_looked_at_is_asked_again(desk: Desk, sku: str) -> None:
    typed(desk, sku, -4)
    seen = questions(desk)[0]
    typed(desk, sku, -1)
    found = decisions.decide(desk.store, [Asked(seen.id, seen.amount)], "theirs", actor="owner")
    assert (found.done, decisions.Changed.sentence in found.left[0][1]) == (0, True)
    assert [each.amount for each in questions(desk)] == [-5]


def test_a_second_change_is_not_swallowed_by_the_answer_to_the_first(desk: Desk, sku: str) -> None:
    """We lowered a typed number; before the owner answers, somebody takes two off on TikTok."""
    before = typed(desk, sku, 6)
    seen = questions(desk)[0]
    desk.practice.set_stock(sku, before - 2)
    assert decisions.decide(desk.store, [Asked(seen.id, 6)], "theirs", actor="owner").done == 1
    desk.settle(rounds=2)
    assert desk.shown(sku) == before - 2, "the loss is a question of its own"
    assert [each.amount for each in questions(desk)] == [-2]


def test_a_later_change_takes_the_place_of_a_number_that_was_lowered_and_both_are_told(desk: Desk, sku: str) -> None:
    """Whoever typed the first number may have typed it again: to add both up would book goods that never came."""
    typed(desk, sku, 6)
    typed(desk, sku, 8)
    assert [each.amount for each in questions(desk)] == [8]
    assert [(each.amount, each.decision, each.actor) for each in questions(desk, "decided")] == [(6, "ours", "later")]


def test_a_question_is_asked_again_when_what_took_its_place_is_explained_by_orders(desk: Desk, sku: str) -> None:
    """After a number was lowered, an order comes and another one ships, both unseen: that looks like one unit gone."""
    older = desk.practice.buy(sku)
    desk.settle(rounds=1)
    typed(desk, sku, 6)
    desk.practice.ship(older)
    desk.practice.buy(sku)
    desk.read_stock()
    assert [each.amount for each in questions(desk, "checking")] == [-1]
    desk.settle(rounds=2)
    assert [(each.amount, each.state) for each in questions(desk)] == [(6, "lowered")]
    assert questions(desk, "decided") == []


def test_several_questions_are_decided_at_once_and_what_cannot_be_stays(desk: Desk) -> None:
    first, second, third = desk.skus()[:3]
    with desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE link SET quantity = 2 WHERE sku_id = ?", (third,))
    desk.settle(rounds=1)
    desk.resync()
    for sku in (first, second, third):
        desk.practice.set_stock(sku, desk.shown(sku) + 3)
    desk.settle(rounds=2)
    assert len(questions(desk)) == 3
    found = decide(desk, "theirs")
    assert (found.done, found.units, len(found.left)) == (2, 6, 1)
    assert [each.sku_id for each in questions(desk)] == [third]
    assert {each.sku_id for each in questions(desk, "decided")} == {first, second}


def test_a_shop_that_always_keeps_ours_needs_nobody_and_still_tells(desk: Desk, sku: str) -> None:
    rule(desk, "ours")
    for change in (-4, 7):
        before = typed(desk, sku, change)
        assert desk.shown(sku) == before
        assert questions(desk) == []
    decided = questions(desk, "decided")
    assert [(each.amount, each.decision, each.actor) for each in decided] == [(7, "ours", "rule"), (-4, "ours", "rule")]
    desk.check_even()


def test_a_shop_that_always_takes_theirs_books_each_with_its_line(desk: Desk, sku: str) -> None:
    rule(desk, "theirs")
    on_hand = desk.have(sku)[0]
    for change, have in ((-4, on_hand - 4), (7, on_hand + 3)):
        before = typed(desk, sku, change)
        assert (desk.shown(sku), desk.have(sku)[0]) == (before + change, have)
    lines = [booked(desk, each) for each in reversed(questions(desk, "decided"))]
    assert lines == [[(-4, "taken over from TikTok", "rule")], [(7, "taken over from TikTok", "rule")]]
    desk.check_even()


def test_the_rule_that_keeps_ours_raises_nothing_while_an_order_is_unseen(desk: Desk, sku: str) -> None:
    rule(desk, "ours")
    before = typed(desk, sku, -4, rounds=1)
    desk.practice.buy(sku)
    desk.read_stock()
    desk.push()
    assert desk.shown(sku) == before - 5, "the order is not known yet"
    desk.settle(rounds=3)
    assert desk.shown(sku) == before - 1
    desk.check_even()


def test_a_rule_decides_nothing_before_the_first_review(new: Desk) -> None:
    new.sync("all")
    rule(new, "theirs")
    sku = next(one for one in new.skus() if len(new.practice.truth(one).warehouses) == 1)
    on_hand = new.have(sku)[0]
    typed(new, sku, -2)
    assert new.have(sku)[0] == on_hand
    assert [each.amount for each in questions(new)] == [-2]


def test_the_number_of_a_shared_item_is_never_taken_by_a_rule(desk: Desk) -> None:
    first, second = desk.skus()[:2]
    with desk.store.write() as connection:
        item = connection.exec_driver_sql("SELECT item_id FROM link WHERE sku_id = ?", (first,)).scalar_one()
        connection.exec_driver_sql("DELETE FROM link WHERE sku_id = ?", (second,))
        catalog.link(connection, desk.shop.shop_id, [(second, item, 1, "test")])
    desk.count(first, 9)
    desk.settle(rounds=1)
    desk.resync()
    desk.settle(rounds=1)
    rule(desk, "theirs")
    typed(desk, first, 3)
    assert desk.have(first)[0] == 9
    assert [(each.sku_id, each.sharing) for each in questions(desk)] == [(first, 1)]


def test_the_number_of_a_bundle_is_never_taken_by_a_rule(desk: Desk, sku: str) -> None:
    with desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE link SET quantity = 2 WHERE sku_id = ?", (sku,))
    desk.settle(rounds=1)
    rule(desk, "theirs")
    on_hand = desk.have(sku)[0]
    typed(desk, sku, -1)
    assert desk.have(sku)[0] == on_hand
    assert len(questions(desk)) == 1


def test_a14_with_a_lost_answer_inside_the_evidence_both_stories_are_shown_and_nobody_guesses(
    desk: Desk, sku: str
) -> None:
    rule(desk, "theirs")
    on_hand = desk.have(sku)[0]
    desk.sell(sku, 3)
    break_calls(desk, Fault(2, Way.FAILS_BEFORE))
    desk.push()
    desk.practice.set_stock(sku, desk.shown(sku) + 5)
    desk.settle(rounds=4)
    assert desk.have(sku)[0] == on_hand - 3, "it is not booked by a rule"
    asked = questions(desk)[0]
    assert asked.cause == "lost"
    assert "got no answer and may have arrived late" in asked.evidence
    assert desk.shown(sku) <= on_hand - 3 - desk.have(sku)[1], "until then only lower"


def test_e17_a_backorder_that_turned_into_stock_is_named_and_never_booked(desk: Desk, sku: str) -> None:
    rule(desk, "theirs")
    with desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE listing SET backorder = 20 WHERE sku_id = ?", (sku,))
    desk.count(sku, 0)
    desk.settle(rounds=1)
    typed(desk, sku, 20)
    asked = questions(desk)[0]
    assert (asked.cause, desk.shown(sku), desk.have(sku)[0]) == ("backorder", 0, 0)
    found = decide(desk, "theirs")
    assert (found.done, "no goods came with it" in found.left[0][1]) == (0, True)


def test_what_tiktok_told_by_itself_becomes_the_evidence(desk: Desk, sku: str) -> None:
    desk.settle(rounds=1)
    desk.practice.set_stock(sku, desk.shown(sku) + 5)
    details = {"change_detail": [{"trigger_source": "manual_adjustment"}]}
    hooks.keep(desk.store, Webhook(STOCK_CHANGED, "n1", None, None, None, None, sku, None, details))
    hooks.work(desk.shop, only_shop=True)
    desk.push()
    desk.settle(rounds=1)
    assert "TikTok told that somebody changed the number by hand" in questions(desk)[0].evidence


def test_the_same_number_again_and_again_is_called_another_program(desk: Desk, sku: str) -> None:
    rule(desk, "ours")
    before = desk.shown(sku)
    for _ in range(3):
        desk.practice.set_stock(sku, before + 8)
        desk.settle(rounds=2, seconds=900)
        assert desk.shown(sku) == before
    assert [each.cause for each in questions(desk, "decided")] == ["tool", "hand", "hand"]


def undo(desk: Desk) -> int:
    return decisions.undo(desk.store, questions(desk, "decided")[0].id, actor="owner")


@pytest.mark.parametrize("change", [6, -4])
def test_taking_over_can_be_undone_and_is_a_question_again(desk: Desk, sku: str, change: int) -> None:
    before, (on_hand, _) = desk.shown(sku), desk.have(sku)
    typed(desk, sku, change)
    decide(desk, "theirs")
    desk.settle(rounds=1)
    first = questions(desk, "decided")[0]
    assert undo(desk) == -change
    desk.settle(rounds=2)
    assert booked(desk, first)[1] == (-change, "taking over undone", "owner")
    assert (desk.have(sku)[0], desk.shown(sku)) == (on_hand, min(before, before + change))
    assert [each.amount for each in questions(desk)] == [change]
    decide(desk, "ours")
    desk.settle(rounds=1)
    assert desk.shown(sku) == before
    assert [each.state for each in questions(desk, "decided")] == ["decided", "undone"]


def test_keeping_ours_can_be_undone_and_decided_the_other_way(desk: Desk, sku: str) -> None:
    before, (on_hand, _) = desk.shown(sku), desk.have(sku)
    typed(desk, sku, 6)
    decide(desk, "ours")
    desk.settle(rounds=1)
    assert undo(desk) == 0
    assert decide(desk, "theirs") == Decided(1, 6, ())
    desk.settle(rounds=1)
    assert (desk.have(sku)[0], desk.shown(sku)) == (on_hand + 6, before + 6)


def cannot(desk: Desk) -> str:
    with pytest.raises(decisions.CannotUndo) as refused:
        undo(desk)
    return str(refused.value)


def test_what_was_sold_since_cannot_be_undone(desk: Desk, sku: str) -> None:
    typed(desk, sku, 6)
    decide(desk, "theirs")
    desk.sell(sku, desk.have(sku)[0] - desk.have(sku)[1] - 2)
    assert cannot(desk) == "4 units of it are sold or promised since."


def test_a_count_since_then_stands(desk: Desk, sku: str) -> None:
    typed(desk, sku, 6)
    decide(desk, "theirs")
    desk.time.turn(5)
    desk.count(sku, desk.have(sku)[0])
    assert "counted since" in cannot(desk)


def test_an_answer_by_a_count_is_put_right_by_another_count(desk: Desk, sku: str) -> None:
    typed(desk, sku, 6)
    decide(desk, "count", 5)
    assert cannot(desk) == "A count is put right by another count."


def test_an_older_answer_waits_for_the_later_question(desk: Desk, sku: str) -> None:
    typed(desk, sku, 6)
    decide(desk, "theirs")
    first = questions(desk, "decided")[0]
    typed(desk, sku, 2)
    with pytest.raises(decisions.CannotUndo, match="later question"):
        decisions.undo(desk.store, first.id, actor="owner")


def test_no_more_can_be_missing_than_there_is(desk: Desk, sku: str) -> None:
    typed(desk, sku, -4)
    desk.count(sku, 3)
    found = decide(desk, "theirs")
    assert (found.done, "4 cannot be missing" in found.left[0][1]) == (0, True)

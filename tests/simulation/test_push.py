"""Sending quantities: one worker a listing, no reading older than our own write, nothing sent twice."""

import dataclasses
import json
from typing import Any

import pytest

from core import clock
from core.sync import choosing, cycle, intents, observe, outbox, push
from core.sync import facts as known
from core.tiktok.errors import OutcomeUnknown, TikTokError
from tests.simulation.desk import Desk


def test_a_reading_asked_for_before_our_own_write_is_dropped(desk: Desk, sku: str) -> None:
    asked_at = clock.now_ms()
    old = desk.shop.api.stock([sku])
    desk.time.turn(1)
    desk.sell(sku)
    desk.push()
    new = desk.one("SELECT available FROM listing WHERE sku_id = :s", s=sku)
    with desk.store.write() as connection:
        assert observe.record(connection, desk.shop, old, asked_at) == 0
    assert desk.one("SELECT available FROM listing WHERE sku_id = :s", s=sku) == new


def test_a_reading_older_than_the_one_we_have_is_dropped(desk: Desk, sku: str) -> None:
    asked_at = clock.now_ms()
    old = desk.shop.api.stock([sku])
    desk.time.turn(1)
    desk.practice.buy(sku)
    desk.read_stock()
    with desk.store.write() as connection:
        observe.record(connection, desk.shop, old, asked_at)
    assert desk.one("SELECT committed FROM listing WHERE sku_id = :s", s=sku) == 1


def test_a_reading_under_way_while_we_write_is_dropped(desk: Desk, sku: str) -> None:
    """Asked for before the intent, answered before the write arrived, stored after it was accepted."""
    real = desk.shop.api.set_stock
    early: list[tuple[int, Any]] = []

    def read_first(*given: Any, **more: Any) -> Any:
        early.append((clock.now_ms(), desk.shop.api.stock([sku])))
        desk.time.turn(1)
        return real(*given, **more)

    desk.shop.api.set_stock = read_first  # type: ignore[method-assign]
    desk.sell(sku)
    desk.push()
    asked_at, old = early[0]
    with desk.store.write() as connection:
        observe.record(connection, desk.shop, old, asked_at)
    assert desk.one("SELECT available FROM listing WHERE sku_id = :s", s=sku) == desk.shown(sku)


def test_a_worker_that_lost_its_claim_does_not_write(desk: Desk, sku: str) -> None:
    """It read, then slept for eleven minutes; meanwhile another worker took the listing over."""
    desk.sell(sku)
    real = choosing.choose
    slept = [False]

    def sleep(facts: Any, approved: Any) -> Any:
        choice = real(facts, approved)
        if not slept[0]:
            slept[0] = True
            desk.time.turn(outbox.LEASE_MS / 1000 + 60)
        return choice

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.sync.batch.choose", sleep)
        claims: list[Any] = []
        original = push.outbox.still_mine

        def taken_over(connection: Any, mine: Any) -> set[str]:
            connection.exec_driver_sql("UPDATE outbox SET claimed_by = 'plan-9' WHERE sku_id = ?", (sku,))
            found: set[str] = original(connection, mine)
            claims.extend(mine)
            return found

        patch.setattr("core.sync.batch.outbox.still_mine", taken_over)
        push.drain(desk.shop, "loop", desk.running("push"))
    assert claims
    assert desk.updates() == []
    row = desk.rows("SELECT state, claimed_by FROM outbox WHERE sku_id = :s", s=sku)[0]
    assert tuple(row) == ("claimed", "plan-9"), "and the other worker's claim stands"


def test_a_new_change_while_a_refused_listing_rests_is_tried_at_once(desk: Desk, sku: str) -> None:
    desk.practice.trouble("partial_errors", sku_ids=(sku,), code=12052990, times=1, path="/inventory/update")
    desk.sell(sku)
    desk.push()
    assert len(desk.updates()) == 1
    desk.sell(sku)
    desk.push()
    assert len(desk.updates()) == 2
    desk.check_even()


def test_one_refused_sku_of_a_product_does_not_keep_the_others_back(desk: Desk) -> None:
    by_product: dict[str, list[str]] = {}
    for sku in desk.skus():
        if desk.shown(sku) > 2:
            by_product.setdefault(desk.practice.truth(sku).product_id, []).append(sku)
    bad, good = next(skus for skus in by_product.values() if len(skus) > 1)[:2]
    desk.practice.trouble("partial_errors", sku_ids=(bad,), code=12052990, times=1, path="/inventory/update")
    desk.sell(bad)
    desk.sell(good)
    pushed = desk.push()
    assert (pushed.refused, pushed.confirmed) == (1, 1)
    assert desk.one("SELECT refused_code FROM listing WHERE sku_id = :s", s=bad)
    desk.time.turn(3_700)
    desk.push()
    desk.check_even()
    assert desk.rows("SELECT sku_id FROM listing WHERE refused_code IS NOT NULL") == []


def test_a_number_that_never_sticks_is_not_written_in_a_hot_loop(desk: Desk, sku: str) -> None:
    """TikTok accepts each write and shows another number all the same."""
    real = desk.shop.api.set_stock

    def vanish(*given: Any, **more: Any) -> Any:
        answer = real(*given, **more)
        desk.practice.set_stock(sku, desk.shown(sku) + 5)
        return answer

    desk.shop.api.set_stock = vanish  # type: ignore[method-assign]
    desk.sell(sku)
    for seconds in (0, 1, 10, 10, 10):
        desk.time.turn(seconds)
        desk.push()
    assert len(desk.updates()) <= 10, "after a few times at once it rests, longer each time"
    tried = len(desk.updates())
    desk.time.turn(1)
    desk.push()
    assert len(desk.updates()) == tried


def test_a_sku_whose_stock_tiktok_does_not_tell_is_left_alone_and_its_plan_row_reviewed(desk: Desk, sku: str) -> None:
    desk.count(sku, 3)
    real = desk.shop.api.stock
    desk.shop.api.stock = lambda skus: {k: v for k, v in real(skus).items() if k != sku}  # type: ignore[method-assign]
    plan = desk.resync([sku])
    assert desk.updates() == []
    assert desk.rows("SELECT state FROM plan_row WHERE plan_id = :p", p=plan.id) == [("review",)]
    desk.shop.api.stock = real  # type: ignore[method-assign]
    desk.time.turn(700)
    desk.push()
    desk.check_even()


def test_an_answer_that_tells_no_stock_at_all_is_not_believed(desk: Desk) -> None:
    desk.practice.trouble("empty_page", path="/inventory/search")
    with pytest.raises(TikTokError, match="told the stock of none"):
        desk.sync("stock")
    desk.push()
    assert desk.updates() == []


def test_a_lost_page_of_products_makes_no_listing_vanish(desk: Desk) -> None:
    real = desk.shop.api.product_pages

    def half(*given: Any, **more: Any) -> Any:
        for page in real(*given, **more):
            yield dataclasses.replace(page, products=page.products[:1])

    desk.shop.api.product_pages = half  # type: ignore[method-assign]
    desk.scan_products()
    assert desk.rows("SELECT sku_id FROM listing WHERE gone") == []


def test_a_product_that_was_taken_down_is_gone_after_a_complete_scan(desk: Desk, sku: str) -> None:
    desk.practice.set_status(desk.practice.truth(sku).product_id, "DELETED")
    desk.scan_products()
    assert sku in {row.sku_id for row in desk.rows("SELECT sku_id FROM listing WHERE gone")}


def test_a_write_without_an_answer_is_kept_before_the_call_and_never_sent_twice(desk: Desk, sku: str) -> None:
    real = desk.shop.api.set_stock
    seen: list[Any] = []

    def lose(product_id: str, wanted: Any, urgent: bool = False) -> Any:
        seen.append(desk.rows("SELECT outcome, target FROM push WHERE outcome = 'sent'"))
        real(product_id, wanted, urgent)
        raise OutcomeUnknown("The answer was lost.")

    desk.shop.api.set_stock = lose  # type: ignore[method-assign]
    desk.sell(sku)
    desk.push()
    desk.shop.api.set_stock = real  # type: ignore[method-assign]
    assert [len(rows) for rows in seen] == [1], "the intent stands before the call"
    desk.settle(rounds=3)
    assert len(desk.updates()) == 1
    desk.check_even()


def test_nothing_is_raised_while_a_write_is_in_doubt(desk: Desk, sku: str) -> None:
    desk.practice.trouble("timeout_before", path="/inventory/update", times=1)
    desk.sell(sku, 2)
    desk.push()
    desk.count(sku, 400)
    desk.push()
    assert len(desk.updates()) == 1, "the raise waits for the verdict"
    desk.time.turn(40)
    desk.push()
    desk.settle(rounds=2)
    desk.check_even()


def test_lowering_does_not_wait_for_a_doubt(desk: Desk, sku: str) -> None:
    desk.practice.trouble("timeout_before", path="/inventory/update", times=1)
    desk.sell(sku, 2)
    desk.push()
    desk.sell(sku, 1)
    desk.push()
    assert desk.shown(sku) == desk.have(sku)[0]
    desk.settle(rounds=4)
    desk.check_even()


def test_an_accepted_write_that_was_never_read_back_is_confirmed_by_a_later_reading(desk: Desk, sku: str) -> None:
    real = desk.shop.api.stock
    calls = [0]

    def fail_second(skus: Any) -> Any:
        calls[0] += 1
        if calls[0] == 2:
            raise OutcomeUnknown("made up: no reading")
        return real(skus)

    desk.shop.api.stock = fail_second  # type: ignore[method-assign]
    desk.sell(sku)
    with pytest.raises(TikTokError):
        desk.push()
    assert desk.rows("SELECT outcome FROM push ORDER BY id DESC LIMIT 1") == [("accepted",)]
    desk.practice.buy(sku)
    desk.settle(rounds=2)
    assert desk.rows("SELECT outcome FROM push ORDER BY id DESC LIMIT 1") == [("confirmed",)]
    assert len(desk.updates()) == 1
    desk.check_even()


def test_the_intent_holds_every_warehouse_as_it_was_sent(desk: Desk) -> None:
    sku = next(one for one in desk.skus() if len(desk.practice.truth(one).warehouses) == 2 and desk.shown(one))
    desk.sell(sku)
    desk.push()
    wanted = json.loads(desk.one("SELECT wanted FROM push ORDER BY id DESC LIMIT 1"))
    assert wanted == {held.warehouse_id: held.available for held in desk.practice.truth(sku).warehouses}


def test_a_listing_without_an_item_is_not_taken_for_reviewed(desk: Desk, sku: str) -> None:
    with desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE listing SET settled_at = NULL WHERE sku_id = ?", (sku,))
        outbox.mark_listings(connection, desk.shop.shop_id, [sku], "test")
        connection.exec_driver_sql("DELETE FROM link WHERE sku_id = ?", (sku,))
    desk.push()
    assert desk.one("SELECT settled_at FROM listing WHERE sku_id = :s", s=sku) is None


def test_a_crash_between_answer_and_record_leaves_a_doubt_and_no_second_write(desk: Desk, sku: str) -> None:
    with desk.store.read() as connection:
        fact = known.load(connection, desk.shop.shop_id, [sku])[sku]
    desk.sell(sku)
    claim = outbox.claim(desk.store, desk.shop.shop_id, "loop", 5)[0]
    with desk.store.write() as connection:
        intents.keep(connection, claim, fact, desk.have(sku)[0], {}, None)
    desk.shop.api.set_stock(fact.product_id, {sku: {fact.first: desk.have(sku)[0]}})
    desk.sent.clear()
    desk.restart()
    desk.settle(rounds=2)
    assert desk.updates() == []
    desk.check_even()


def test_an_old_reading_stored_between_our_write_and_its_reading_back_contradicts_nothing(desk: Desk, sku: str) -> None:
    """Another thread asked before the write and stores its answer after TikTok has accepted it."""
    asked_at = clock.now_ms()
    old = desk.shop.api.stock([sku])
    desk.time.turn(1)
    real, calls = desk.shop.api.stock, [0]

    def store_the_old_one_first(skus: Any) -> Any:
        calls[0] += 1
        if calls[0] == 2:
            with desk.store.write() as connection:
                observe.record(connection, desk.shop, old, asked_at)
        return real(skus)

    desk.shop.api.stock = store_the_old_one_first  # type: ignore[method-assign]
    desk.sell(sku)
    desk.push()
    assert desk.rows("SELECT outcome FROM push ORDER BY id DESC LIMIT 1") == [("confirmed",)]
    assert desk.rows("SELECT * FROM drift") == []


def test_a_write_that_arrives_minutes_late_is_known_as_ours_and_put_right(desk: Desk, sku: str) -> None:
    before = desk.shown(sku)
    desk.practice.trouble("timeout_before", path="/inventory/update", times=1)
    desk.sell(sku)
    desk.push()
    desk.time.turn(30)
    desk.sell(sku, 3)
    desk.push()
    assert desk.shown(sku) == before - 4
    desk.practice.set_stock(sku, before - 1)  # the first write arrives after all
    desk.time.turn(60)
    desk.sync("all")
    desk.push()
    assert desk.shown(sku) == before - 4
    assert desk.rows("SELECT amount FROM drift WHERE state <> 'explained'") == [], "nobody is asked about our own write"
    desk.settle(rounds=2)
    desk.check_even()


def test_an_order_hidden_behind_a_shipment_is_not_offered_by_another_listing(desk: Desk, sku: str) -> None:
    other = next(one for one in desk.skus() if one != sku)
    desk.share_item(sku, other)
    first = desk.practice.buy(sku)
    desk.settle(rounds=2)
    desk.practice.buy(sku)
    desk.practice.ship(first)
    before, offered = desk.shown(sku), desk.shown(other)
    desk.read_stock()
    cycle.mark_uneven(desk.shop)
    desk.push()
    assert (desk.shown(sku), desk.shown(other)) == (before, before)
    assert before == offered - 1
    desk.settle(rounds=2)
    desk.check_even()


def test_an_order_placed_and_another_cancelled_around_one_write_are_no_question(desk: Desk, sku: str) -> None:
    older = desk.practice.buy(sku)
    desk.settle(rounds=2)
    desk.sell(sku)
    set_stock = desk.shop.api.set_stock

    def busy_moment(*given: object, **more: object) -> object:
        desk.shop.api.set_stock = set_stock  # type: ignore[method-assign]
        desk.practice.buy(sku)
        answer = set_stock(*given, **more)  # type: ignore[arg-type]
        desk.practice.cancel(older)
        return answer

    desk.shop.api.set_stock = busy_moment  # type: ignore[assignment, method-assign]
    desk.push()
    desk.settle(rounds=4)
    assert desk.rows("SELECT amount, state FROM drift WHERE state <> 'explained'") == []
    desk.check_books()
    desk.check_even()


def test_a_loss_that_a_write_of_ours_overtook_is_not_offered_by_another_listing(
    desk: Desk, sku: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = next(one for one in desk.skus() if one != sku)
    desk.share_item(sku, other)
    known = desk.practice.buy(sku)
    desk.settle(rounds=2)
    on_hand = desk.have(sku)[0]
    desk.practice.buy(sku)
    desk.practice.ship(known)
    with monkeypatch.context() as patch:
        patch.setattr("core.sync.orders.catch_up", lambda shop: False)  # the list does not show the order yet
        desk.read_stock()
        desk.sell(sku, 2)
        desk.push()
        for _ in range(2):
            cycle.mark_uneven(desk.shop)
            desk.push()
    assert desk.shown(other) <= on_hand - 1 - 2 - 1, (
        "one has left, two were sold here, and one is held by the new order"
    )
    desk.settle(rounds=3)
    desk.check_even()


def test_a_late_write_and_an_unseen_order_that_cancel_each_other_out_let_nothing_be_raised(
    desk: Desk, sku: str
) -> None:
    older = desk.practice.buy(sku, 2)
    desk.settle(rounds=2)
    on_hand, _ = desk.have(sku)
    desk.practice.trouble("timeout_before", path="/inventory/update", times=1)
    desk.count(sku, on_hand + 1)
    desk.push()
    desk.count(sku, on_hand + 6)
    desk.time.turn(2)
    desk.practice.set_stock(sku, desk.shown(sku) + 1)  # the write arrives after all,
    desk.practice.buy(sku)  # and two things happen that no reading of the orders has told
    desk.practice.ship(older)
    desk.time.turn(310)
    desk.read_stock()
    assert desk.one("SELECT outcome FROM push ORDER BY id DESC LIMIT 1") == "contradicted"
    desk.push()
    assert desk.shown(sku) <= on_hand + 6 - 2 - 1, "two have left, and the unseen order holds one"
    desk.settle(rounds=3)
    desk.check_books()
    desk.check_even()

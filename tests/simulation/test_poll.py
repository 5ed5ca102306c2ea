"""Reading orders: the cursor moves only after a complete scan, and every interruption is taken up where it stopped."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from core.practice import PracticeShop
from core.store.errors import StoreProblem
from core.sync import orders
from core.sync.orders import source
from core.tiktok.errors import BadAnswer, Stopped, TikTokError
from tests.simulation.desk import Desk, Killed
from tests.simulation.faults import Fault, Way, break_calls, break_commits

SMALL = 5  # orders a page


@pytest.fixture
def past_orders() -> int:
    return 110


@pytest.fixture
def busy(new: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A shop whose history needs several windows of several small pages."""
    monkeypatch.setattr(orders, "FEW", 10)
    sku = most(new.practice)
    for number in range(20):
        new.time.turn(600)
        order = new.practice.buy(sku, paid=number % 3 > 0)
        if number % 4 == 1:
            new.practice.cancel(order)
    new.time.turn(600)
    return small_pages(new)


def most(practice: PracticeShop) -> str:
    found = max(practice.truths(), key=lambda one: one.warehouses[0].available * (one.status == "ACTIVATE"))
    practice.set_stock(found.sku_id, 500)
    return found.sku_id


def small_pages(desk: Desk) -> Desk:
    api = desk.shop.api
    real = api.order_page

    def page(ge: int | None, lt: int | None, token: str = "", page_size: int = SMALL) -> Any:
        return real(ge, lt, token, page_size=page_size)

    api.order_page = page  # type: ignore[method-assign]
    return desk


def cursor(desk: Desk) -> int | None:
    found = desk.rows("SELECT value FROM cursor WHERE source = :s", s=source(desk.shop.shop_id))
    return found[0].value if found else None


def windows(desk: Desk) -> list[Any]:
    return desk.rows("SELECT number, done, seen FROM scan_window ORDER BY number")


def searches(desk: Desk) -> int:
    return sum(1 for path, _ in desk.sent if path.endswith("/orders/search"))


def newest(desk: Desk) -> int:
    return max(int(body["update_time"]) for body in desk.practice_orders().values())


def test_the_first_import_brings_every_order_and_then_sets_the_cursor(busy: Desk) -> None:
    busy.poll()
    busy.check_books()
    assert cursor(busy) == newest(busy)
    assert windows(busy) == []


def test_a_second_poll_with_nothing_new_is_one_request_and_no_write(desk: Desk) -> None:
    desk.poll()
    desk.sent.clear()
    with desk.unchanged():
        desk.poll()
    assert [path for path, _ in desk.sent] == ["/order/202309/orders/search"]


def test_a_poll_reads_again_what_lies_just_before_the_cursor(desk: Desk, sku: str) -> None:
    desk.practice.buy(sku)
    desk.poll()
    found = desk.poll()
    assert found.unchanged > 0
    assert (found.new, found.changed) == (0, 0)


@pytest.mark.parametrize("way", list(Way), ids=lambda way: way.name.lower())
@pytest.mark.parametrize("breaks", [break_calls, break_commits], ids=["calls", "commits"])
def test_an_import_interrupted_at_any_step_goes_on_where_it_stopped(
    busy: Desk, way: Way, breaks: Callable[[Desk, Fault], None]
) -> None:
    """One interruption after the other, each a step later than the one before, until nothing is left to read."""
    everything = len(busy.practice_orders())
    for n in range(2, 60, 5):
        fault = Fault(n, way)
        breaks(busy, fault)
        try:
            busy.poll()
        except (TikTokError, StoreProblem, Killed):
            complete = windows(busy) == [] and busy.one("SELECT count(*) FROM orders") == everything
            assert cursor(busy) is None or complete, "the cursor does not move before the scan is complete"
        busy.restart()
        small_pages(busy)
        if cursor(busy) is not None:
            break
    busy.poll()
    busy.check_books()
    assert busy.one("SELECT count(*) FROM orders") == everything
    assert cursor(busy) == newest(busy)


def test_a_page_and_its_resume_point_are_one_transaction(busy: Desk) -> None:
    fault = Fault(15, Way.DIES_BEFORE)
    break_calls(busy, fault)
    with pytest.raises(Killed):
        busy.poll()
    busy.restart()
    stored = busy.one("SELECT count(*) FROM orders")
    assert 0 < stored == sum(row.seen for row in windows(busy)), "each stored page is remembered, and no other"


def test_what_was_read_before_an_interruption_is_not_read_again(busy: Desk) -> None:
    whole = -(-len(busy.practice_orders()) // SMALL)
    fault = Fault(20, Way.DIES_BEFORE)
    break_calls(busy, fault)
    with pytest.raises(Killed):
        busy.poll()
    busy.restart()
    small_pages(busy)
    before = busy.one("SELECT count(*) FROM orders") // SMALL
    busy.sent.clear()
    busy.poll()
    most_needed = whole - before + 2 * orders.FIRST_WINDOWS + 1  # a page begun in each window, and empty ones twice
    assert searches(busy) <= most_needed


def test_orders_that_come_during_an_import_are_found_right_after_it(busy: Desk) -> None:
    fault = Fault(20, Way.DIES_BEFORE)
    break_calls(busy, fault)
    with pytest.raises(Killed):
        busy.poll()
    busy.restart()
    small_pages(busy)
    busy.time.turn(4_000)
    busy.practice.buy(most(busy.practice))
    busy.poll()
    busy.check_books()


def test_a_page_shifted_by_an_order_that_changed_is_noticed_and_read_again(desk: Desk, sku: str) -> None:
    """Paging by position: an order that is updated while we read leaves its place, and the next one slips by."""
    desk.practice.set_stock(sku, 100)
    for _ in range(12):
        desk.time.turn(1)
        desk.practice.buy(sku)
    desk.time.turn(5)
    small_pages(desk)
    real, moved = desk.shop.api.order_page, [False]

    def by_position(ge: int, lt: int, token: str = "", page_size: int = SMALL) -> Any:
        everything = real(ge, lt, "", page_size=100)
        start = int(token or 0)
        page = everything.orders[start : start + SMALL]
        more = str(start + SMALL) if start + SMALL < len(everything.orders) else ""
        if not moved[0]:
            moved[0] = True
            unpaid = everything.orders[1].id  # the next page is asked for after this one changed
            desk.time.turn(30)
            desk.practice.ship(unpaid)
        return dataclasses.replace(everything, orders=page, next_page_token=more, total_count=len(everything.orders))

    desk.shop.api.order_page = by_position  # type: ignore[assignment, method-assign]
    desk.poll()
    desk.shop.api.order_page = real  # type: ignore[method-assign]
    known = {row.id for row in desk.rows("SELECT id FROM orders")}
    assert known == set(desk.practice_orders())


def test_an_empty_page_at_the_first_sight_of_a_shop_is_no_proof_that_it_has_no_orders(new: Desk) -> None:
    new.practice.trouble("empty_page", times=1, path="/orders/search")
    new.poll()
    assert cursor(new) is None
    new.poll()
    new.check_books()


def test_an_empty_page_for_a_part_of_the_history_is_asked_for_again(busy: Desk) -> None:
    busy.practice.trouble("empty_page", after=4, times=1, path="/orders/search")
    busy.poll()
    busy.check_books()


def test_a_stop_keeps_what_was_read(busy: Desk) -> None:
    real, count = busy.shop.api.order_page, [0]

    def stop_after_some(*given: Any, **more: Any) -> Any:
        count[0] += 1
        if count[0] == 16:
            busy.shop.stop.set()
        return real(*given, **more)

    busy.shop.api.order_page = stop_after_some  # type: ignore[method-assign]
    with pytest.raises(Stopped):
        busy.poll()
    assert busy.one("SELECT count(*) FROM orders") > 0
    busy.restart()
    small_pages(busy)
    busy.poll()
    busy.check_books()


def test_a_page_that_names_itself_as_the_next_one_ends_in_a_sentence_and_no_loop(desk: Desk) -> None:
    real = desk.shop.api.order_page
    desk.shop.api.order_page = lambda *given, **more: dataclasses.replace(  # type: ignore[method-assign]
        real(given[0], given[1]), next_page_token="again"
    )
    with pytest.raises(BadAnswer, match="leads nowhere"):
        desk.poll()


@contextmanager
def history(desk: Desk) -> Iterator[list[int]]:
    """The values that the cursor takes."""
    seen: list[int] = []
    desk.store.on_change.append(lambda: seen.append(cursor(desk) or 0))
    yield seen
    desk.store.on_change.pop()


def test_a_webhook_never_moves_the_cursor(desk: Desk, sku: str) -> None:
    before = cursor(desk)
    desk.time.turn(50)
    desk.practice.buy(sku)
    later = desk.practice.buy(sku)
    desk.hear(later)
    assert cursor(desk) == before
    assert desk.one("SELECT count(*) FROM orders WHERE id = :id", id=later) == 1
    desk.poll()
    desk.check_books()


def test_the_cursor_never_goes_back(busy: Desk, sku_of: Callable[[Desk], str]) -> None:
    with history(busy) as seen:
        busy.poll()
        for _ in range(4):
            busy.time.turn(100)
            busy.practice.buy(sku_of(busy))
            busy.poll()
    assert seen == sorted(seen)


@pytest.fixture
def sku_of() -> Callable[[Desk], str]:
    return lambda desk: most(desk.practice)


def test_a_refused_hint_does_not_hold_up_the_others(desk: Desk, sku: str) -> None:
    order = desk.practice.buy(sku)
    desk.hear("576500000000999999", 1)
    desk.hear(order, 2)
    assert desk.one("SELECT count(*) FROM orders WHERE id = :id", id=order) == 1
    notes = [row.note for row in desk.rows("SELECT note FROM hook WHERE state = 'done' ORDER BY received_at, id")]
    assert any(re.search("order", note, re.IGNORECASE) for note in notes)

"""Every n-th call and every n-th commit of a poll and of a push goes wrong once; afterwards everything agrees."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from core import clock
from core.jobs import read_beat, write_beat
from core.store.errors import StoreProblem
from core.tiktok.errors import TikTokError
from tests.simulation.desk import Desk, Killed
from tests.simulation.faults import Fault, Way, break_calls, break_commits, broken_files

MOST = 60
Breaks = Callable[[Desk, Fault], None]
Work = Callable[[], None]
WAYS = pytest.mark.parametrize("way", list(Way), ids=lambda way: way.name.lower())
WHERE = pytest.mark.parametrize("breaks", [break_calls, break_commits], ids=["calls", "commits"])


def for_every_step(desk: Desk, breaks: Breaks, way: Way, prepare: Work, work: Work, heal: Work = lambda: None) -> int:
    """Run `work` with its first step broken, then the second, until one run goes through; heal and check each time."""
    for n in range(1, MOST):
        desk.sent.clear()
        before = desk.one("SELECT coalesce(max(id), 0) FROM push")
        prepare()
        fault = Fault(n, way)
        breaks(desk, fault)
        with suppress(TikTokError, StoreProblem, Killed):
            work()
        desk.restart()
        desk.settle(rounds=4)
        heal()
        desk.check_books()
        desk.check_even()
        check_never_resent(desk, before)
        if not fault.struck:
            return n
    raise AssertionError(f"still not through after {MOST} steps")


def check_never_resent(desk: Desk, before: int) -> None:
    """Each request that left belongs to an intent of its own."""
    left = Counter(sku["id"] for _, body in desk.updates() for sku in json.loads(body)["skus"])
    meant = Counter(row.sku_id for row in desk.rows("SELECT sku_id FROM push WHERE id > :before", before=before))
    assert all(count <= meant[sku] for sku, count in left.items()), (left, meant)


@WHERE
@WAYS
def test_a_poll_survives_the_failure_of_any_step(desk: Desk, sku: str, breaks: Breaks, way: Way) -> None:
    orders: list[str] = []

    def something_happens() -> None:
        orders.append(desk.practice.buy(sku, paid=False))
        for order in orders[-4:-1]:
            status = desk.practice.order(order)["status"]
            if status == "UNPAID":
                desk.practice.pay(order)
            elif status == "AWAITING_SHIPMENT":
                desk.practice.ship(order)
        desk.time.turn(5)

    desk.practice.set_stock(sku, 500)
    desk.count(sku, 500 + desk.have(sku)[1])
    desk.settle(rounds=2)
    desk.resync()
    assert for_every_step(desk, breaks, way, something_happens, lambda: desk.sync("all")) > 3


@WHERE
@WAYS
def test_a_push_survives_the_failure_of_any_step(desk: Desk, sku: str, breaks: Breaks, way: Way) -> None:
    product = desk.practice.truth(sku).product_id
    other = next(one for one in desk.skus() if desk.practice.truth(one).product_id != product and desk.shown(one))
    desk.count(sku, 5_000)
    desk.count(other, 5_000)
    desk.settle(rounds=2)

    def stock_changes() -> None:
        desk.practice.buy(sku)
        desk.sell(sku, 2)
        desk.count(other, desk.have(other)[0] + 3)

    def push() -> None:
        desk.push()

    assert for_every_step(desk, breaks, way, stock_changes, push) > 4


@WHERE
@WAYS
def test_a_reviewed_plan_survives_the_failure_of_any_step(desk: Desk, sku: str, breaks: Breaks, way: Way) -> None:
    def number_typed_on_tiktok() -> None:
        desk.practice.set_stock(sku, desk.shown(sku) - 1)
        desk.time.turn(60)
        desk.sync("all")
        desk.time.turn(60)
        desk.sync("all")

    def heal() -> None:
        if desk.rows("SELECT id FROM drift WHERE state IN ('open', 'lowered')"):
            desk.resync([sku])  # what was not sent is reviewed again
            desk.settle(rounds=2)
        assert desk.rows("SELECT id FROM plan WHERE state IN ('approved', 'running')") == []

    def review() -> None:
        desk.resync([sku])

    assert for_every_step(desk, breaks, way, number_typed_on_tiktok, review, heal) > 3


@pytest.mark.parametrize("way", list(Way), ids=lambda way: way.name.lower())
def test_a_heartbeat_that_cannot_be_written_leaves_the_last_one_whole(tmp_path: Path, way: Way) -> None:
    with clock.turned() as time:
        write_beat(tmp_path)
        time.turn(10)
        with broken_files(tmp_path, Fault(1, way)), pytest.raises((OSError, Killed)):
            write_beat(tmp_path)
        assert read_beat(tmp_path) in (clock.now_ms(), clock.now_ms() - 10_000)

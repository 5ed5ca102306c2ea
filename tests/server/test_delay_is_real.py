"""The delays on the Overview against reality: a stopwatch beside the running loop and the practice shop."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from core import clock
from core.runtime import Runtime
from core.store.queries import health
from tests.server.conftest import started

PATIENCE = 30.0
CONFIRMED = "SELECT count(*) FROM push WHERE dirty_at >= :at AND sku_id = :sku AND confirmed_at IS NOT NULL"


def wait(condition: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"{what} did not come within {PATIENCE:.0f} s"
        time.sleep(0.01)


def number(runtime: Runtime, query: str, **given: Any) -> int:
    with runtime.store.read() as connection:
        return int(connection.execute(text(query), given).scalar_one() or 0)


def even_out(runtime: Runtime) -> str:
    """Wait for the first sync, let the owner review once; returns the shop."""
    wait(lambda: number(runtime, "SELECT count(*) FROM cursor WHERE source LIKE 'stock:%'"), "the first sync")
    (shop,) = runtime.sessions.shops
    plan = runtime.propose_resync(shop.shop_id)
    run = runtime.start_plan(plan.id, confirmed_rows=plan.rows)
    wait(lambda: number(runtime, "SELECT count(*) FROM run WHERE status <> 'running' AND id = :id", id=run), "the plan")
    return shop.shop_id


@pytest.mark.slow
def test_the_delay_out_is_what_a_stopwatch_says() -> None:
    with started(loop=True) as runtime:
        shop = even_out(runtime)
        with runtime.store.read() as connection:
            sku, sku_id = connection.execute(text(
                "SELECT i.sku, l.sku_id FROM item i JOIN link k ON k.item_id = i.id "
                "JOIN listing l ON l.sku_id = k.sku_id WHERE l.available > 9 AND l.settled_at IS NOT NULL "
                "AND l.committed = l.open_units ORDER BY i.sku LIMIT 1"
            )).one()  # fmt: skip
        assert runtime.practice is not None
        desk = runtime.practice

        def shown() -> int:
            return next(truth for truth in desk.state(query=sku_id).skus if truth.sku_id == sku_id).available

        since = clock.now_ms()
        for _ in range(3):
            want, unseen_until = shown() - 1, 0
            begun = clock.now_ms()
            runtime.record_sale(sku, 1)
            entered = clock.now_ms()
            while True:
                asked = clock.now_ms()
                if shown() == want:
                    break
                unseen_until = asked
                assert asked - begun < PATIENCE * 1000
            wait(partial(number, runtime, CONFIRMED, at=begun, sku=sku_id), "the confirmation")
            done = clock.now_ms()
            with runtime.store.read() as connection:
                measured = health.delay_out(connection, shop, since)
            assert measured is not None
            latest = measured.recent[-1]
            assert unseen_until - entered <= latest <= done - begun


@pytest.mark.slow
def test_the_delay_in_is_what_a_stopwatch_says() -> None:
    with started() as runtime:
        runtime.sync("all")
        (shop,) = runtime.sessions.shops
        assert runtime.practice is not None
        sku = runtime.practice.state().skus[0].sku_id
        # The first whole second after the connection: orders placed in an earlier one are left out.
        wait(lambda: clock.now() > number(runtime, "SELECT connected_at FROM shop") // 1000, "the next second")
        before = clock.now_ms()
        order = runtime.practice.buy(sku)
        bought = clock.now_ms()
        asked = clock.now_ms()
        runtime.sync("orders")
        known = clock.now_ms()
        assert number(runtime, "SELECT count(*) FROM orders WHERE id = :id", id=order) == 1
        connected = number(runtime, "SELECT connected_at FROM shop")
        with runtime.store.read() as connection:
            measured = health.delay_in(connection, shop.shop_id, connected, before - 1_000)
    assert measured is not None
    latest = measured.recent[-1]
    assert asked - bought <= latest <= known - before + 1_000, "whole seconds may add one"

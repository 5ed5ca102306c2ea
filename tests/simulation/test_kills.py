"""A hundred times kill -9 in the midst of work: after each a new process goes on, and in the end everything agrees."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core import clock
from core.practice import NotPossible, PracticeServer, PracticeShop, serve
from tests.simulation.desk import Desk

KILLS = int(os.environ.get("EVENSTOCK_KILLS", "100"))
SEED = int(os.environ.get("EVENSTOCK_SEED", "0")) or random.randrange(1, 1_000_000)


class Time:
    """Real time, and so many seconds more."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def moved() -> Time:
    return Time()


@pytest.fixture
def server(moved: Time) -> Iterator[PracticeServer]:
    shop = PracticeShop(products=6, orders=20, clock=moved, rate=100_000, hold=False)
    with serve(shop) as running:
        yield running
    shop.close()


@pytest.fixture
def worker(tmp_path: Path, server: PracticeServer) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.simulation.worker", str(tmp_path), server.base_url]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait(10)
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        pipe.close()


def desk_now(folder: Path, server: PracticeServer, turned: clock.Turned) -> Desk:
    return Desk(folder, server, turned)


def customers(practice: PracticeShop, chance: random.Random, skus: list[str], orders: list[str]) -> list[str]:
    """A few things happen on TikTok; returns the SKUs of the units that left the shelf."""
    left: list[str] = []
    for _ in range(chance.randint(0, 4)):
        try:
            if not orders or chance.random() < 0.5:
                orders.append(practice.buy(chance.choice(skus), chance.randint(1, 2), paid=chance.random() < 0.7))
                continue
            order = chance.choice(orders)
            lines = practice.order(order)["line_items"]
            waiting = [line for line in lines if line["display_status"] == "AWAITING_SHIPMENT"]
            event = chance.choice(("pay", "ship", "cancel"))
            practice.act(order, event)
            left += [line["sku_id"] for line in waiting] if event == "ship" else []
        except NotPossible:
            continue
    return left


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks processes")
def test_a_hundred_kills_lose_nothing_and_double_nothing(
    tmp_path: Path, server: PracticeServer, moved: Time, worker: subprocess.Popen[str]
) -> None:
    print(f"EVENSTOCK_SEED={SEED}")
    chance = random.Random(SEED)
    practice = server.shop
    with clock.turned(moved()) as turned, closing(desk_now(tmp_path, server, turned)) as desk:
        desk.stock_up(extra=400)
        desk.go_live()
        skus = desk.skus()[:6]
        stock = {sku: desk.have(sku)[0] for sku in skus}
        moved.ahead += turned.seconds - moved()
    orders: list[str] = []
    assert worker.stdin is not None
    assert worker.stdout is not None
    for _ in range(KILLS):
        for sku in customers(practice, chance, skus, orders):
            stock[sku] -= 1
        moved.ahead += chance.choice((0, 1, 10, 60))
        worker.stdin.write(f"work {moved.ahead}\n")
        worker.stdin.flush()
        number = int(worker.stdout.readline())
        for _ in range(chance.choice((0, 0, 1, 1, 2))):
            assert worker.stdout.readline() == "sold\n"
        time.sleep(chance.uniform(0.0, 0.15))
        os.kill(number, signal.SIGKILL)
        while worker.stdout.readline() != "gone\n":
            pass
    with clock.turned(moved() + 3_700) as turned, closing(desk_now(tmp_path, server, turned)) as desk:
        practice.parts.ground.clock = turned
        desk.restart()
        desk.settle(rounds=6)
        desk.check_books()
        desk.check_even()
        sold = {sku: -on_hand for sku, on_hand in desk.rows(
            "SELECT k.sku_id, sum(m.on_hand) FROM movement m JOIN link k ON k.item_id = m.item_id "
            "WHERE m.reason = 'own sale' GROUP BY 1"
        )}  # fmt: skip
        assert sum(sold.values()) >= KILLS // 4, "the process did work between its deaths"
        assert {sku: desk.have(sku)[0] for sku in skus} == {sku: stock[sku] - sold.get(sku, 0) for sku in skus}
        assert desk.one("PRAGMA integrity_check") == "ok"
        assert desk.rows("SELECT id FROM drift WHERE state IN ('open', 'lowered', 'suspected')") == []
        assert desk.rows("SELECT id FROM run WHERE status = 'running'") == []

"""A practice shop in a file survives restarts and kill -9, and starts over when it was killed in the making."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from core.practice import PracticeShop
from tests.practice.conftest import Clock

BUYER = """
import sys
from core.practice import PracticeShop
shop = PracticeShop(sys.argv[1])
print("open", flush=True)
while True:
    shop.busy(1)
    shop.pass_time(600)
    print("sold", flush=True)
"""
MAKER = """
import sys
from core.practice import PracticeShop
print("making", flush=True)
PracticeShop(sys.argv[1], products=500, orders=200_000)
"""


def run(code: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def test_everything_is_still_there_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    shop = PracticeShop(tmp_path / "p.db", seed=11, products=20, orders=50, clock=clock)
    number = shop.buy(next(one.sku_id for one in shop.truths() if one.available and one.status == "ACTIVATE"))
    shop.change_settings(hold=False, redirect_uri="http://127.0.0.1:1/x")
    truths = shop.truths()
    shop.close()
    again = PracticeShop(tmp_path / "p.db", clock=clock)
    assert (again.seed, again.truths()) == (11, truths)
    assert again.order(number)["status"] == "ON_HOLD"
    assert (again.settings.hold, again.settings.redirect_uri) == (False, "http://127.0.0.1:1/x")
    again.close()


def test_kill_9_in_the_middle_of_business_leaves_a_true_stock_book(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    PracticeShop(path, products=30, orders=100).close()
    sold = 0
    for _ in range(5):
        process = run(BUYER, path)
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        process.stdout.readline()
        time.sleep(0.05)
        kill(process)
        shop = PracticeShop(path)
        book = {
            (one.sku_id, held.warehouse_id): held.committed
            for one in shop.truths()
            for held in one.warehouses
            if held.committed
        }
        assert book == shop.committed_by_orders()
        now_sold = sum(shop.parts.orders.counts().values())
        assert now_sold > sold
        sold = now_sold
        shop.close()


def test_a_shop_that_was_killed_while_it_was_made_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    process = run(MAKER, path)
    assert process.stdout is not None
    assert process.stdout.readline() == "making\n"
    deadline = time.monotonic() + 20
    while not Path(f"{path}.new").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    kill(process)
    assert not path.exists()
    shop = PracticeShop(path, products=20, orders=50)
    assert sum(shop.parts.orders.counts().values()) == 50
    shop.close()

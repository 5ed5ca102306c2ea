"""The demo shop: the same for the same seed, believable, and matched by the demo catalogue."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from core.practice import PracticeShop
from core.practice.catalogue import HEADER, demo_catalogue, write_demo_csv
from tests.practice.conftest import Clock


def dump(shop: PracticeShop) -> list[str]:
    with shop.world.read() as db:
        return [line for line in db.iterdump() if not line.startswith(("BEGIN", "COMMIT"))]


def test_the_same_seed_gives_the_same_shop() -> None:
    clock = Clock()
    one, two, other = (PracticeShop(seed=seed, clock=clock, products=30, orders=300) for seed in (1, 1, 2))
    assert dump(one) == dump(two)
    assert dump(one) != dump(other)
    for shop in (one, two, other):
        shop.close()


def test_the_same_seed_lives_the_same_life() -> None:
    lives = []
    for _ in range(2):
        clock = Clock()
        shop = PracticeShop(seed=5, clock=clock, products=30, orders=300, living=True)
        for _ in range(50):
            clock.turn(1_000)
            shop.tick()
        lives.append(dump(shop))
        shop.close()
    assert lives[0] == lives[1]


def test_the_default_shop_has_a_believable_size_and_variety() -> None:
    shop = PracticeShop(clock=Clock())
    orders = shop.parts.orders.counts()
    truths = shop.truths()
    assert len({one.product_id for one in truths}) == 120
    assert 250 <= len(truths) <= 350
    assert sum(orders.values()) == 2_200
    assert {
        "UNPAID",
        "ON_HOLD",
        "AWAITING_SHIPMENT",
        "AWAITING_COLLECTION",
        "IN_TRANSIT",
        "DELIVERED",
        "COMPLETED",
        "CANCELLED",
    } <= set(orders)
    assert 0.04 < orders["CANCELLED"] / 2_200 < 0.15
    with shop.world.read() as db:
        returned = db.execute("SELECT count(*) FROM orders WHERE returned").fetchone()[0]
    assert 0.02 < returned / 2_200 < 0.06
    flaws = [one.seller_sku for one in truths if one.seller_sku != one.own_sku]
    assert any(sku.endswith(" ") for sku in flaws)
    assert any(sku and sku == sku.lower() for sku in flaws)
    assert "" in flaws
    doubled = [sku for sku, count in Counter(one.seller_sku for one in truths if one.seller_sku).items() if count > 1]
    assert len(doubled) == 1
    assert any("<script>" in one.title for one in truths)
    assert any(one.title.startswith("=") for one in truths)
    assert {one.status for one in truths} >= {"ACTIVATE", "SELLER_DEACTIVATED", "DRAFT", "FREEZE", "DELETED"}
    shop.close()


def test_people_buy_in_the_evening_and_more_each_month() -> None:
    shop = PracticeShop(clock=Clock(), orders=6_000)
    with shop.world.read() as db:
        times = [row[0] for row in db.execute("SELECT create_time FROM orders")]
    hours = Counter(datetime.fromtimestamp(time, UTC).hour for time in times)
    assert hours[20] > 5 * hours[4]
    first, last = min(times), max(times)
    middle = (first + last) / 2
    assert sum(time > middle for time in times) > 1.05 * sum(time <= middle for time in times)
    assert 89 <= (last - first) / 86_400 <= 91
    shop.close()


def test_committed_units_are_those_of_open_orders() -> None:
    shop = PracticeShop(clock=Clock())
    book = {
        (one.sku_id, held.warehouse_id): held.committed
        for one in shop.truths()
        for held in one.warehouses
        if held.committed
    }
    assert book == shop.committed_by_orders() != {}
    shop.close()


def test_the_demo_catalogue_matches_but_for_believable_differences(tmp_path: Path) -> None:
    shop = PracticeShop(clock=Clock())
    truths = {one.own_sku: one for one in shop.truths()}
    path = write_demo_csv(shop, tmp_path / "own.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert path.read_text(encoding="utf-8").splitlines()[0] == "sku,title,variant,price,currency,cost,barcode,on_hand"
    assert rows == demo_catalogue(shop)
    assert tuple(rows[0]) == HEADER
    own = {row["sku"]: row for row in rows}
    assert len(own) == len(rows)
    assert len(own.keys() - truths.keys()) == 5
    assert len(truths.keys() - own.keys()) == 3
    gaps = [
        int(own[sku]["on_hand"]) - truths[sku].available - truths[sku].committed for sku in own.keys() & truths.keys()
    ]
    different = [gap for gap in gaps if gap]
    assert 0.03 < len(different) / len(gaps) < 0.1
    assert min(different) < 0 < max(different)
    assert any(own[sku]["on_hand"] == "0" and truths[sku].available > 0 for sku in own.keys() & truths.keys())
    dearer = [sku for sku in own.keys() & truths.keys() if own[sku]["price"] != f"{truths[sku].price / 100:.2f}"]
    assert 1 <= len(dearer) <= 15
    shop.close()

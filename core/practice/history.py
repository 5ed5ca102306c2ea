"""The demo shop's past: ninety days of orders with the week's rhythm, and the stock that they leave behind."""

from __future__ import annotations

import sqlite3
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate, islice
from random import Random

import orjson

from core.practice import bodies
from core.practice.bodies import SoldSku
from core.practice.goods import first_stock, make_articles, spoil_some
from core.practice.ground import Ground
from core.practice.identity import SALES_WAREHOUSES
from core.practice.life import enact, order_id
from core.practice.pattern import DAY, HOUR, PAYMENT_SECONDS, draws, next_step, units_of, weight_at

HISTORY_DAYS = 90
DEFAULT_ORDERS = 2_200
BATCH = 2_000
ENOUGH_FOR_VARIETY = 200
LAST_UNPAID = 2
LAST_HOUR = 6

OrderRow = tuple[int, int, int, str, str, int, int, float | None, str | None, bytes]


class Choice:
    """Which SKU people buy: a few sell often, most sell now and then."""

    def __init__(self, db: sqlite3.Connection, seed: int) -> None:
        rows = db.execute(
            "SELECT s.id, s.product_id, s.seller_sku, p.title, s.variant, s.price "
            "FROM skus s JOIN products p ON p.id = s.product_id "
            "WHERE p.status = 'ACTIVATE' ORDER BY s.id"
        )
        self.skus = [SoldSku(*row) for row in rows]
        Random(f"popularity {seed}").shuffle(self.skus)
        self._weights = list(accumulate((rank + 6) ** -0.75 for rank in range(len(self.skus))))

    def pick(self, draw: float) -> SoldSku:
        """The SKU that a draw of 0 to 1 falls on."""
        return self.skus[min(bisect(self._weights, draw * self._weights[-1]), len(self.skus) - 1)]


def fill_goods(ground: Ground, count: int) -> None:
    """Writes products, SKUs and their first stock."""
    rng = Random(f"stock {ground.seed}")
    articles = list(make_articles(ground.seed, count, ground.seconds() // HOUR * HOUR))
    skus = spoil_some([sku for article in articles for sku in article.skus])
    with ground.world.write() as db:
        db.executemany(
            "INSERT INTO products VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (article.product for article in articles)
        )
        db.executemany("INSERT INTO skus VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", skus)
        db.executemany(
            "INSERT INTO stock VALUES (?, ?, ?, 0)",
            ((sku[0], warehouse, units) for sku in skus for warehouse, units in first_stock(rng, SALES_WAREHOUSES)),
        )


def fill_orders(ground: Ground, count: int) -> None:
    """Writes `count` orders of the last ninety days, and commits the units of those still open."""
    with ground.world.write() as db:
        choice = Choice(db, ground.seed)
        if not choice.skus:
            return
        second = {
            row[0] for row in db.execute("SELECT sku_id FROM stock WHERE warehouse_id = ?", (SALES_WAREHOUSES[1],))
        }
        held: dict[tuple[str, str], int] = {}
        rows = _orders(ground, choice, second, count, held)
        while batch := list(islice(rows, BATCH)):
            db.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", batch)
        db.executemany(
            "UPDATE stock SET committed = ? WHERE sku_id = ? AND warehouse_id = ?",
            ((units, sku_id, warehouse) for (sku_id, warehouse), units in held.items()),
        )
        db.execute("INSERT OR REPLACE INTO meta VALUES ('number:order', ?)", (str(count),))


def _orders(
    ground: Ground, choice: Choice, second: set[str], count: int, held: dict[tuple[str, str], int]
) -> Iterator[OrderRow]:
    rng = Random(f"history {ground.seed}")
    now = ground.seconds()
    for number, at in enumerate(_moments(rng, now, count), 1):
        new_id = order_id(number)
        fate = draws(ground.seed, new_id)
        units = [choice.pick(rng.random()) for _ in range(units_of(rng.randrange(65_536)))]
        if len(units) > 1 and fate[9] & 3 == 0:
            units = [units[0]] * len(units)  # several of the same
        in_second = rng.random() < 0.25 and all(unit.sku_id in second for unit in units)
        warehouse = SALES_WAREHOUSES[in_second]
        body = bodies.new_order(new_id, at, units, warehouse, ground.settings.hold, fate)
        stays_unpaid = count >= ENOUGH_FOR_VARIETY and number > count - LAST_UNPAID  # someone is always at the till
        due, action, returned = (
            (float(at + PAYMENT_SECONDS), "expire", False)
            if stays_unpaid
            else _live_until(body, at, now, fate, ground.seed)
        )
        for sku_id, open_now in bodies.open_units(body["line_items"]).items():
            held[sku_id, warehouse] = held.get((sku_id, warehouse), 0) + open_now
        yield new_id, at, body["update_time"], body["status"], warehouse, 0, returned, due, action, orjson.dumps(body)


def _live_until(
    body: dict[str, object], at: int, now: int, fate: tuple[int, ...], seed: int
) -> tuple[float | None, str | None, bool]:
    """Lets everything happen to an order that happens before now; returns the timer that is still running."""
    returned = False
    while step := next_step(str(body["status"]), fate, by_hand=False):
        at += step.after
        if at > now:
            return float(at), step.action, returned
        enact(body, step.action, at, seed, step.detail)
        returned = returned or step.action == "return"
    return None, None, returned


def _moments(rng: Random, now: int, count: int) -> Iterator[int]:
    """`count` moments of the last ninety days in order, spread as people shop; a few fall into the last half hour."""
    just_now = LAST_HOUR if count >= ENOUGH_FOR_VARIETY else 0
    count -= just_now
    first = (now - HISTORY_DAYS * DAY) // HOUR * HOUR
    hours = range(first, now, HOUR)
    weights = [weight_at(hour, first) * rng.uniform(0.5, 1.5) * min(1.0, (now - hour) / HOUR) for hour in hours]
    total, so_far, given = sum(weights), 0.0, 0
    for hour, weight in zip(hours, weights, strict=True):
        so_far += weight
        wanted = round(count * so_far / total) - given
        given += wanted
        span = min(HOUR, now - hour)
        yield from sorted(hour + int(rng.random() * span) for _ in range(wanted))
    yield from sorted(now - rng.randrange(60, HOUR // 2) for _ in range(just_now))

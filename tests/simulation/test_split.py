"""The last units, sold in two listings of one item and in the own store, each of which hears late of the others."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from core.practice import NotPossible
from core.sync import catalog, rules, shares, speeds
from core.sync.rules import Rule, Scope
from core.tiktok.errors import OutcomeUnknown
from tests.simulation.desk import Desk

POLL = 60.0


class Scarce:
    """Two listings of one item beside the own store; the orders are read once a minute, and no webhook comes."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        product = {sku: desk.practice.truth(sku).product_id for sku in desk.skus()}
        self.first = desk.skus()[0]
        self.second = next(sku for sku in product if product[sku] != product[self.first])
        with desk.store.write() as connection:
            self.item = connection.execute(
                text("SELECT item_id FROM link WHERE sku_id = :s"), {"s": self.first}
            ).scalar_one()
            connection.execute(text("DELETE FROM link WHERE sku_id = :s"), {"s": self.second})
            catalog.link(connection, desk.shop.shop_id, [(self.second, self.item, 1, "test")])
        self.free(40)
        desk.resync()
        desk.settle(rounds=1)

    def free(self, units: int) -> None:
        """The shelf is counted: so many are there beyond what is promised."""
        self.desk.time.turn(2)
        self.desk.count(self.first, self.desk.have(self.first)[1] + units)
        self.desk.time.turn(2)
        self.desk.push()

    def left(self) -> int:
        """Units that nobody has a claim on."""
        on_hand, reserved = self.desk.have(self.first)
        return on_hand - reserved

    def told(self) -> shares.Shares:
        with self.desk.store.read() as connection:
            found = shares.arithmetic(connection, self.item)
        assert found is not None
        return found

    def kept(self) -> int:
        """What is left for the own store."""
        return next(each.share for each in self.told().channels if not each.shop_id)

    def sold_before(self) -> None:
        """A busy hour: both listings and the own store sell, the first listing most."""
        for sku, units in ((self.first, 8), (self.second, 5)):
            for _ in range(units):
                self.desk.practice.buy(sku)
        for _ in range(4):
            self.desk.sell(self.first)
        self.desk.settle(rounds=1, seconds=POLL)

    def shown(self) -> tuple[int, int]:
        return self.desk.shown(self.first), self.desk.shown(self.second)

    def set_shares(self, at: int, first: tuple[int, int], second: tuple[int, int], total: int) -> None:
        """Divide by hand and mark both listings."""
        with self.desk.store.write() as connection:
            connection.execute(text("UPDATE item SET split_at = :a, split_total = :t WHERE id = :i"),
                               {"a": at, "t": total, "i": self.item})  # fmt: skip
            for sku, (start, stop) in ((self.first, first), (self.second, second)):
                connection.execute(text("UPDATE link SET split_from = :a, split_to = :b WHERE sku_id = :s"),
                                   {"a": start, "b": stop, "s": sku})  # fmt: skip
            speeds.outbox.mark_items(connection, [self.item], "test")

    def left_out(self) -> bool:
        """Whether a listing is left out of the split."""
        query = (
            "SELECT 1 FROM link k JOIN item i ON i.id = k.item_id WHERE k.split_from = 0 AND k.split_to = i.split_total"
        )
        return bool(self.desk.rows(f"{query} AND i.id = :i", i=self.item))

    def begin_with(self, first: tuple[int, int], second: tuple[int, int], units: int = 3) -> None:
        """So many units are there and divided so, in three shares."""
        self.free(units)
        self.set_shares(5, first, second, 3)
        for _ in range(3):  # what was lowered must have been read before the other is raised
            self.desk.push()
            self.desk.time.turn(5)

    def lose_next_write(self, sku_id: str) -> None:
        """The next quantity of this listing gets no answer, and does not come through for now."""
        api, lost = self.desk.shop.api, [True]
        set_stock, product = api.set_stock, self.desk.practice.truth(sku_id).product_id

        def send(product_id: str, *given: object, **more: object) -> object:
            if product_id == product and lost:
                lost.clear()
                raise OutcomeUnknown("lost")
            return set_stock(product_id, *given, **more)  # type: ignore[arg-type]

        api.set_stock = send  # type: ignore[assignment, method-assign]


@pytest.fixture
def scarce(desk: Desk) -> Scarce:
    return Scarce(desk)


@dataclass
class Seen:
    """What a spell of selling brought."""

    sold: int = 0
    refused: int = 0
    oversold: int = 0


def spell(scarce: Scarce, seed: int, units: int, minutes: int, split: bool) -> Seen:
    """Buyers come at random to all three sides, until well after the last unit is gone."""
    desk, chance, seen = scarce.desk, random.Random(seed), Seen()
    scarce.free(units)
    visits: list[tuple[float, Callable[[], bool]]] = []
    for an_hour, buy in ((40, lambda: bought(scarce, scarce.first)), (25, lambda: bought(scarce, scarce.second)),
                         (20, lambda: sold_here(scarce, split))):  # fmt: skip
        at = chance.expovariate(an_hour / 3600)
        while at < minutes * 60:
            visits.append((at, buy))
            at += chance.expovariate(an_hour / 3600)
    now, polled = 0.0, 0.0
    for at, buy in sorted(visits, key=lambda visit: visit[0]):
        while polled + POLL <= at:
            polled += POLL
            desk.time.turn(polled - now)
            now = polled
            desk.sync("orders")
            desk.push()
        desk.time.turn(at - now)
        now = at
        there = scarce.left() - unseen(scarce)
        done = buy()
        seen.sold += done
        seen.refused += not done and there > 0
    desk.settle(rounds=2, seconds=POLL)
    seen.oversold = max(0, -scarce.left())
    return seen


def unseen(scarce: Scarce) -> int:
    """Units that TikTok sold and the engine has not heard of."""
    opened = sum(scarce.desk.practice.truth(sku).committed for sku in (scarce.first, scarce.second))
    return opened - scarce.desk.have(scarce.first)[1]


def bought(scarce: Scarce, sku: str) -> bool:
    try:
        scarce.desk.practice.buy(sku)
    except NotPossible:
        return False
    return True


def sold_here(scarce: Scarce, split: bool) -> bool:
    """The own store sells what it may: its share of the last units, or whatever it believes to be there."""
    if (scarce.kept() if split else scarce.left()) <= 0:
        return False
    scarce.desk.sell(scarce.first)
    scarce.desk.push()
    return True


def test_the_last_units_are_offered_once_each_and_all_of_them(scarce: Scarce) -> None:
    scarce.sold_before()
    told = scarce.told()
    assert told.at >= 3
    for units in range(told.at, 0, -1):
        scarce.free(units)
        scarce.desk.settle(rounds=1, seconds=10)
        assert sum(scarce.shown()) + scarce.kept() == units
    assert scarce.shown() == (1, 0), "the very last one is the best seller's"
    scarce.free(told.at + 1)
    scarce.desk.settle(rounds=1, seconds=10)
    assert scarce.shown() == (told.at + 1,) * 2, "of more each channel offers all"


def test_no_unit_is_sold_twice_and_without_the_split_some_are(scarce: Scarce) -> None:
    scarce.sold_before()
    split = [spell(scarce, seed, 5, 20, split=True) for seed in range(3)]
    with scarce.desk.store.write() as connection:
        rules.keep(connection, Scope.ALL, "", Rule(split=False))
        speeds.divide(connection)
    shared = [spell(scarce, seed, 5, 20, split=False) for seed in range(3)]
    assert [seen.oversold for seen in split] == [0, 0, 0], split
    assert sum(seen.sold for seen in split) == 15, "and none is left over"
    assert sum(seen.oversold for seen in shared) > 0, shared


def test_m5_no_share_is_raised_before_the_other_listing_was_read_to_show_less(scarce: Scarce) -> None:
    """Two units and one unit change hands; the write that takes one away does not come through at first."""
    scarce.begin_with((0, 2), (2, 3))
    assert scarce.shown() == (2, 1)
    scarce.lose_next_write(scarce.first)
    scarce.set_shares(5, (0, 1), (1, 3), 3)
    scarce.desk.push()
    assert scarce.shown() == (2, 1), "one listing still shows two, so the other has to wait"


def test_a_raise_whose_answer_was_lost_counts_as_shown(scarce: Scarce) -> None:
    scarce.begin_with((0, 1), (1, 2))
    assert scarce.shown() == (1, 1), "one of three is the own store's"
    scarce.lose_next_write(scarce.first)
    scarce.set_shares(5, (0, 2), (2, 3), 3)
    scarce.desk.push()
    scarce.set_shares(5, (0, 1), (1, 3), 3)
    scarce.desk.push()
    assert scarce.shown() == (1, 1), "the first may come to show two yet"


def test_the_own_stores_share_is_not_given_away_in_between(scarce: Scarce) -> None:
    """One unit goes from the first listing to the second, and one is the own store's all along."""
    scarce.begin_with((0, 2), (2, 2))
    assert scarce.shown() == (2, 0)
    scarce.lose_next_write(scarce.first)
    scarce.set_shares(5, (0, 1), (1, 2), 3)
    scarce.desk.push()
    assert scarce.shown() == (2, 0)


def test_a_listing_that_the_owner_left_out_keeps_no_other_waiting(scarce: Scarce) -> None:
    scarce.begin_with((0, 3), (0, 1), units=5)
    assert scarce.shown() == (5, 1)
    scarce.lose_next_write(scarce.first)
    scarce.free(4)
    assert scarce.shown() == (5, 1)
    scarce.set_shares(5, (0, 3), (0, 2), 3)
    scarce.desk.push()
    assert scarce.shown()[1] == 2


@pytest.fixture(autouse=True)
def never_two_for_one(scarce: Scarce) -> None:
    """Whatever a test does to the last units: no raise leaves that the other listing's number has no room for."""
    desk, wire = scarce.desk, scarce.desk.transport._wire
    real = wire.send

    def send(method: str, url: str, headers: dict[str, str], body: bytes = b"") -> object:
        if "/inventory/update" in url:
            item = desk.rows("SELECT split_at, split_total FROM item WHERE id = :i", i=scarce.item)[0]
            free = scarce.left() - unseen(scarce)
            for row in json.loads(body)["skus"]:
                offered = sum(place["quantity"] for place in row["inventory"])
                both = {scarce.first: scarce.shown()[0], scarce.second: scarce.shown()[1]}
                scarcely = item.split_total and 0 < free <= item.split_at
                if scarcely and offered > both.get(row["id"], offered) and not scarce.left_out():
                    after = sum((both | {row["id"]: offered}).values()) + scarce.kept()
                    assert after <= free, (row["id"], offered, both, scarce.kept(), free)
        return real(method, url, headers, body)

    wire.send = send  # type: ignore[method-assign, assignment]

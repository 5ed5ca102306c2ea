"""A small world of one or two practice shops and one Evenstock, with what really stands on the shelf.

The world is built once for each kind of shop and copied for each day: a store file and the databases of the shops.
"""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text

from core import clock
from core.practice import PracticeShop
from core.sync import catalog, ledger, outbox, runs
from tests.simulation.desk import AUTH, NOON, Desk
from tests.simulation.inside import Inside

KINDS = ("plain", "shared", "bundle", "two shops", "two shops, shared")
FRESH = "fresh"  # connected and stocked, nothing read yet
_RULES = """
SELECT k.item_id, k.quantity, k.buffer, k.share, k.cap, k.zero_below, k.split_from, k.split_to,
  i.split_at, i.split_total FROM link k JOIN item i ON i.id = k.item_id WHERE k.shop_id = :shop AND k.sku_id = :sku
"""
Listing = tuple[int, str]  # which shop, and the SKU there


@dataclass(frozen=True)
class Mould:
    """A world at the moment at which all is even, ready to be copied."""

    store: bytes
    shops: tuple[bytes, ...]
    seconds: float
    focus: tuple[str, ...]


def _shop(time: clock.Turned, number: int, orders: int = 8) -> Inside:
    shop = PracticeShop(products=3, orders=orders, clock=time, rate=100_000, hold=False)
    if number > 1:  # orders of two shops never share an id
        shop.world.put("number:order", number * 1_000_000)
    return Inside(shop, time, number)


@cache
def mould(kind: str, folder: Path) -> Mould:
    """Build a world of this kind; `folder` is only used for building."""
    folder = folder / kind.replace(" ", "-").replace(",", "")
    folder.mkdir()
    with clock.turned(NOON) as time:
        shops = [_shop(time, 1)] + ([_shop(time, 2, orders=0)] if kind.startswith("two") else [])
        desks = _desks(folder, shops, time)
        desks[0].stock_up()
        focus = [] if kind == FRESH else _go_live(desks, kind)
        for desk in reversed(desks):
            desk.close()
        with closing(sqlite3.connect(folder / "evenstock.db")) as raw:
            raw.execute("PRAGMA journal_mode = DELETE")
        found = Mould(
            (folder / "evenstock.db").read_bytes(), tuple(one.shop.world._db.serialize() for one in shops),
            time.seconds, tuple(focus),
        )  # fmt: skip
        for one in shops:
            one.close()
    return found


def _go_live(desks: list[Desk], kind: str) -> list[str]:
    for desk in desks:
        desk.sync("all")
    focus = sorted(desks[0].skus(), key=lambda sku: _least(desks[0], sku))[-3:]
    _link(desks, kind, focus)
    for desk in desks:
        desk.go_live()
    for desk in desks:
        desk.settle(rounds=2)
    return focus


def _desks(folder: Path, shops: list[Inside], time: clock.Turned) -> list[Desk]:
    first = Desk(folder, shops[0], time)
    return [first] + [Desk(folder, shop, time, auth=f"{AUTH}2", beside=first) for shop in shops[1:]]


def _least(desk: Desk, sku: str) -> int:
    return min(held.available for held in desk.practice.truth(sku).warehouses)


def _link(desks: list[Desk], kind: str, focus: list[str]) -> None:
    """Let a listing sell the item of another, or several items with quantities."""
    one, two, three = focus
    for desk in desks:
        with desk.store.write() as connection:
            rows = connection.execute(text("SELECT sku_id, item_id FROM link WHERE shop_id = :s"), _of(desk)).all()
            items = {row.sku_id: row.item_id for row in rows}
            if kind.endswith("shared"):
                again = {two: [(items[one], 1)]}
            elif kind == "bundle":
                again = {three: [(items[one], 2), (items[two], 1)]}
            else:
                again = {}
            for sku, parts in again.items():
                connection.execute(
                    text("DELETE FROM link WHERE shop_id = :s AND sku_id = :sku"), _of(desk) | {"sku": sku}
                )
                links = [(sku, item, quantity, "test") for item, quantity in parts]
                catalog.link(connection, desk.shop.shop_id, links)


def _of(desk: Desk) -> dict[str, object]:
    return {"s": desk.shop.shop_id}


class World:
    """A copy of a mould, alive. `shelf` is what stands there, by item id, whatever anybody believes."""

    def __init__(self, folder: Path, made: Mould, time: clock.Turned, *, http: bool = False) -> None:
        self.time = time
        (folder / "evenstock.db").write_bytes(made.store)
        self.shops = [self._copy(body, number, time, http) for number, body in enumerate(made.shops, 1)]
        self.desks = _desks(folder, self.shops, time)
        self.names = {row.id: row.sku for row in self.desks[0].rows("SELECT id, sku FROM item")}
        levels = self.desks[0].rows("SELECT item_id, sum(on_hand) AS units FROM level GROUP BY 1")
        self.shelf = {row.item_id: row.units for row in levels}
        self.focus = [(side, sku) for side in range(len(self.desks)) for sku in made.focus]
        self.learn()

    def learn(self) -> None:
        """Which listing sells what, as it is linked now."""
        self.parts: dict[Listing, list[tuple[int, int]]] = {}
        names = {desk.shop.shop_id: number for number, desk in enumerate(self.desks)}
        for row in self.desks[0].rows("SELECT shop_id, sku_id, item_id, quantity FROM link ORDER BY 1, 2, 3"):
            self.parts.setdefault((names[row.shop_id], row.sku_id), []).append((row.item_id, row.quantity))

    @staticmethod
    def _copy(body: bytes, number: int, time: clock.Turned, http: bool) -> Inside:
        shop = PracticeShop(products=0, orders=0, clock=time, rate=100_000, hold=False)
        shop.world._db.deserialize(body)
        return Inside(shop, time, number, http=http)

    def close(self) -> None:
        for desk in reversed(self.desks):
            desk.close()
        for shop in self.shops:
            shop.close()

    def restart(self) -> None:
        """A new process on what the old one left on disk."""
        for desk in reversed(self.desks):
            desk.close()
        for desk in self.desks:
            desk.open()
        runs.close_interrupted(self.desks[0].store)
        outbox.release_all(self.desks[0].store)

    # What is true

    def held(self, item: int) -> int:
        """Units of an item that open orders hold, in all shops, counted at TikTok."""
        return sum(
            self.desks[side].practice.truth(sku).committed * quantity
            for (side, sku), parts in self.parts.items()
            for part, quantity in parts
            if part == item
        )

    def free(self, item: int) -> int:
        """Units on the shelf that nobody has bought."""
        return self.shelf[item] - self.held(item)

    def target(self, listing: Listing) -> int:
        """What a listing should show, by an arithmetic of its own on the shelf and the rules in force."""
        rows = self.desks[0].rows(_RULES, shop=self.desks[listing[0]].shop.shop_id, sku=listing[1])
        units = min(self._offered(row) // row.quantity for row in rows)
        return min([units, *(row.cap for row in rows if row.cap is not None)])

    def _offered(self, row: Any) -> int:
        free = max(0, self.free(row.item_id))
        units = max(0, free - row.buffer) * row.share // 100 if free >= row.zero_below else 0
        if row.split_total and free <= row.split_at:
            return min(units, free * row.split_to // row.split_total - free * row.split_from // row.split_total)
        return units

    def shown(self, listing: Listing) -> int:
        return self.desks[listing[0]].practice.truth(listing[1]).available

    def have(self, item: int) -> tuple[int, int]:
        """On hand and reserved by our ledger."""
        return self.desks[0].one(
            "SELECT coalesce(sum(on_hand), 0), coalesce(sum(reserved), 0) FROM level WHERE item_id = :i", i=item
        )

    # What must be true at the end

    def check_books(self) -> None:
        """Every order is booked once with its newest state, and the ledger is the sum of its movements."""
        for desk in self.desks:
            theirs = {number: body["status"] for number, body in desk.practice_orders().items()}
            rows = desk.rows("SELECT id, status FROM orders WHERE shop_id = :s", s=desk.shop.shop_id)
            assert {row.id: row.status for row in rows} == theirs
            opened: Counter[str] = Counter()
            for (sku, _), units in desk.practice.committed_by_orders().items():
                opened[sku] += units
            known = desk.rows("SELECT sku_id, open_units FROM listing WHERE shop_id = :s", s=desk.shop.shop_id)
            assert {row.sku_id: row.open_units for row in known if row.open_units} == {
                s: n for s, n in opened.items() if n
            }
        for item in {item for parts in self.parts.values() for item, _ in parts}:
            assert self.have(item)[1] == self.held(item), self.names[item]
        with self.desks[0].store.read() as connection:
            assert ledger.prove(connection).broken == ()
        self.desks[0].check_sums()

    def check_shelf(self) -> None:
        """What we believe to have is what stands there."""
        assert {item: self.have(item)[0] for item in self.shelf} == self.shelf

    def check_even(self) -> None:
        """Every listing shows its target, and no write is left without a verdict."""
        for listing in self.parts:
            side, sku = listing
            if self.desks[side].practice.truth(sku).status == "ACTIVATE":
                shown, target = self.shown(listing), self.target(listing)
                assert shown == target, f"{listing} shows {shown} and should show {target}"
        assert self.desks[0].rows("SELECT id FROM push WHERE outcome IN ('sent', 'unknown', 'accepted')") == []


def offers(body: bytes) -> dict[str, int]:
    """What a write offers in all warehouses, by SKU."""
    return {sku["id"]: sum(row["quantity"] for row in sku["inventory"]) for sku in json.loads(body)["skus"]}


def read_skus(answer: bytes) -> list[str]:
    """The SKUs whose stock an answer told."""
    found: Any = orjson.loads(answer).get("data") or {}
    return [sku["id"] for product in found.get("inventory") or [] for sku in product.get("skus") or []]

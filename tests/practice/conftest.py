"""A running practice shop with a clock that the test turns, and a signed client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.practice import PracticeServer, PracticeShop, serve
from tests.practice.signed import Caller

NOON = 1_795_176_000.0  # a Friday noon in November 2026, in UTC and in the shop's zone


class Clock:
    """Seconds that pass only when the test says so."""

    def __init__(self, at: float = NOON) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at

    def turn(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(clock: Clock) -> Iterator[PracticeShop]:
    shop = PracticeShop(products=40, orders=150, clock=clock, rate=100_000)
    yield shop
    shop.close()


@pytest.fixture
def server(shop: PracticeShop) -> Iterator[PracticeServer]:
    with serve(shop) as running:
        yield running


@pytest.fixture
def api(server: PracticeServer, shop: PracticeShop, clock: Clock) -> Iterator[Caller]:
    caller = Caller(server.base_url, shop.issue_tokens()["access_token"], clock)
    yield caller
    caller.http.close()


@pytest.fixture
def sku(shop: PracticeShop) -> str:
    """A SKU on sale with a good number of units in the main warehouse and none committed."""
    return next(
        one.sku_id
        for one in shop.truths()
        if one.warehouses[0].available > 20 and not one.committed and one.status == "ACTIVATE"
    )


@pytest.fixture
def two_warehouses(shop: PracticeShop) -> str:
    """A SKU on sale that lies in both warehouses."""
    return next(
        one.sku_id
        for one in shop.truths()
        if len(one.warehouses) == 2 and one.available > 10 and one.status == "ACTIVATE"
    )

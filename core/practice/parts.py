"""The parts of one running practice shop, as the routes use them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.practice.auth import Auth
from core.practice.gate import Call, Gate
from core.practice.ground import Ground
from core.practice.journal import Journal
from core.practice.life import Orders
from core.practice.stock import Stock
from core.practice.trouble import Troubles
from core.practice.webhooks import Hooks


@dataclass(frozen=True)
class Parts:
    """Everything a route may need."""

    ground: Ground
    hooks: Hooks
    stock: Stock
    orders: Orders
    auth: Auth
    gate: Gate
    troubles: Troubles
    journal: Journal


Handler = Callable[[Parts, Call], bytes]


def build_parts(ground: Ground) -> Parts:
    """Puts the parts of a shop together."""
    hooks = Hooks(ground)
    stock = Stock(ground, hooks)
    auth = Auth(ground)
    troubles = Troubles(ground.now)
    return Parts(ground, hooks, stock, Orders(ground, stock, hooks), auth, Gate(ground, auth), troubles, Journal())

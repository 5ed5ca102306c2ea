"""A thin client of the practice shop's control routes, for the practice panel: typed results and plain sentences."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any

import httpx

from core.practice.stock import Held, Truth

ANSWER_WITHIN = 10.0


class PracticeUnavailable(Exception):
    """The practice shop did not do what was asked; the text is a sentence for a person."""


@dataclass(frozen=True)
class PracticeState:
    """The practice shop in numbers: orders by status, units, switches, troubles that are on, and a page of SKUs."""

    orders: dict[str, int]
    units_available: int
    units_committed: int
    sku_count: int
    settings: dict[str, Any]
    troubles: list[dict[str, Any]]
    webhooks_waiting: int
    skus: list[Truth]


class PracticeDesk:
    """Turns the practice shop's knobs over HTTP. Every method raises PracticeUnavailable when it could not."""

    def __init__(self, base_url: str, timeout: float = ANSWER_WITHIN) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=timeout, trust_env=False)

    def close(self) -> None:
        """Closes the connection."""
        self._http.close()

    def __enter__(self) -> PracticeDesk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def buy(self, sku: str, quantity: int = 1, *, paid: bool = True) -> str:
        """Someone buys on TikTok; returns the order id."""
        name = "sku_id" if sku.isdigit() and len(sku) > 15 else "seller_sku"
        return str(self._post("buy", **{name: sku}, quantity=quantity, paid=paid)["order_id"])

    def order_event(self, order_id: str, event: str, **how: Any) -> str:
        """pay, release, ship, collect, deliver, complete, cancel or return; returns the new status."""
        return str(self._post(f"orders/{order_id}/{event}", **how)["status"])

    def set_stock(self, sku_id: str, available: int, warehouse_id: str | None = None) -> Truth:
        """Someone types a number into the shop's admin."""
        return read_truth(self._post("stock", sku_id=sku_id, available=available, warehouse_id=warehouse_id))

    def set_price(self, sku_id: str, amount: str) -> Truth:
        """Someone changes a price in the shop's admin, such as "24.50"."""
        return read_truth(self._post("price", sku_id=sku_id, amount=amount))

    def set_promotion(self, sku_id: str, locked: bool) -> Truth:
        """A promotion starts or ends."""
        return read_truth(self._post("promotion", sku_id=sku_id, locked=locked))

    def pass_time(self, seconds: float) -> int:
        """Lets time pass for everything that waits; returns the number of events."""
        return int(self._post("pass-time", seconds=seconds)["events"])

    def busy(self, orders: int, minutes: float = 0) -> int:
        """A rush of orders; returns how many came at once."""
        return int(self._post("busy", orders=orders, minutes=minutes)["orders"])

    def trouble(self, kind: str, **settings: Any) -> None:
        """Turns a trouble on."""
        self._post("trouble", kind=kind, **settings)

    def clear_trouble(self) -> None:
        """Turns all troubles off."""
        self._post("trouble/clear")

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Turns switches, and returns all of them."""
        return self._post("settings", **changes)

    def state(self, *, query: str = "", page: int = 1, page_size: int = 50) -> PracticeState:
        """The shop in numbers, and a page of SKUs as they really are."""
        found = self._ask("GET", "state", params={"q": query, "page": page, "page_size": page_size})
        stock = found["stock"]
        return PracticeState(
            found["orders"], stock["units_available"], stock["units_committed"], stock["skus"], found["settings"],
            found["troubles"], found["webhooks"]["waiting"], [read_truth(sku) for sku in found["skus"]],
        )  # fmt: skip

    def log(self, last: int = 20) -> dict[str, Any]:
        """What was asked of the shop: counters and the last requests."""
        return self._ask("GET", "log", params={"last": last})

    def _post(self, name: str, **wish: Any) -> dict[str, Any]:
        return self._ask("POST", name, json=wish)

    def _ask(self, method: str, name: str, **how: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, f"/practice/{name}", **how)
            found: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise PracticeUnavailable("The practice shop does not answer. It may be closed; start it again.") from error
        if answer.status_code != 200:
            raise PracticeUnavailable(found.get("problem", "The practice shop could not do that."))
        return found


def read_truth(found: dict[str, Any]) -> Truth:
    """One SKU from the words of a control route."""
    pounds, _, pence = str(found["price"]).partition(".")
    return Truth(
        found["sku_id"], found["product_id"], found["seller_sku"], found["own_sku"], found["title"], found["variant"],
        int(pounds) * 100 + int(pence), found["barcode"], found["status"], bool(found["locked"]),
        tuple(Held(**held) for held in found["warehouses"]),
    )  # fmt: skip

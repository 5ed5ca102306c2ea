"""The shop as typed calls: one method for each thing we read or change; nothing of HTTP, nothing of the database."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TypeVar

from core import clock
from core.tiktok import endpoints, records, writes
from core.tiktok.endpoints import Endpoint
from core.tiktok.errors import BadAnswer, Refused
from core.tiktok.models import (
    Order,
    OrderPage,
    Product,
    ProductPage,
    ShopInfo,
    SkuStock,
    Unreadable,
    Warehouse,
    WebhookAddress,
)
from core.tiktok.orders import read_order
from core.tiktok.reading import count, items, mapping, plain
from core.tiktok.transport import Answer, Transport
from core.tiktok.writes import SetResult

ORDERS_A_CALL = 50
SKUS_A_CALL = 600
TOO_MANY_PRODUCTS = 12052180  # a search that matches more than 10,000 products
SHOPS_OPENED = 1_546_300_800  # 2019 in seconds: before the first TikTok Shop
log = logging.getLogger("evenstock.tiktok")
T = TypeVar("T")


class ShopApi:
    """One shop behind one transport. `shop` may be None only for `authorized_shops`."""

    def __init__(self, transport: Transport, shop: ShopInfo | None = None) -> None:
        self.transport = transport
        self.shop = shop

    @property
    def clock_skew(self) -> float:
        """Seconds that TikTok's clock is ahead of this computer's, 0 before any answer."""
        return self.transport.clock_skew

    def authorized_shops(self) -> list[ShopInfo]:
        """The shops of this sign-in with their ciphers. TikTok Shop API: Get Authorized Shops."""
        answer = self._call(endpoints.SHOPS)
        return _good(answer, "shops", records.read_shop)

    def warehouses(self) -> list[Warehouse]:
        """The shop's warehouses, sales and return. TikTok Shop API: Get Warehouse List."""
        return _good(self._call(endpoints.WAREHOUSES), "warehouses", records.read_warehouse)

    def product_pages(self, update_time_ge: int | None = None, page_size: int = 100) -> Iterator[ProductPage]:
        """Every product, page by page; with `update_time_ge` (seconds) only those changed since.

        TikTok Shop API: Search Products. A search that matches more than 10,000 products is refused there, so it
        is cut into halves of time until each part fits.
        """
        window = {} if update_time_ge is None else {"update_time_ge": update_time_ge}
        yield from self._product_window(window, page_size)

    def product(self, product_id: str) -> Product:
        """One product with description and picture. TikTok Shop API: Get Product. Raises BadAnswer if unreadable."""
        answer = self._call(endpoints.PRODUCT, ids={"product_id": product_id})
        found = records.read_product(answer.data)
        if isinstance(found, Unreadable):
            raise _unusable(found, answer)
        return found

    def stock(self, sku_ids: Iterable[str]) -> dict[str, SkuStock]:
        """What TikTok shows now for these SKUs, 600 a call. TikTok Shop API: Inventory Search.

        A SKU that TikTok does not know, or whose numbers cannot be read, is absent: an unknown is not zero.
        """
        found: dict[str, SkuStock] = {}
        for chunk in _chunks(sku_ids, SKUS_A_CALL):
            answer = self._call(endpoints.STOCK_SEARCH, body={"sku_ids": chunk})
            for product in map(mapping, items(mapping(answer.data).get("inventory"))):
                found.update(_stock_of(product))
        return found

    def set_stock(
        self, product_id: str, quantities: Mapping[str, Mapping[str, int]], urgent: bool = False
    ) -> SetResult:
        """Set what can be ordered: `{sku_id: {warehouse_id: units}}`, every warehouse of each SKU.

        TikTok Shop API: Update Inventory. The number is absolute and excludes units held by open orders.
        Raises OutcomeUnknown when the answer was lost, and ValueError for a number TikTok would never take.
        """
        body = writes.stock_body(quantities)
        return self._set(endpoints.STOCK_UPDATE, product_id, body, quantities.keys(), urgent)

    def set_prices(self, product_id: str, prices: Mapping[str, tuple[Decimal, str]]) -> SetResult:
        """Set display prices: `{sku_id: (amount, currency)}`. TikTok Shop API: Update Price."""
        return self._set(endpoints.PRICE_UPDATE, product_id, writes.price_body(prices), prices.keys(), False)

    def order_page(self, ge: int | None, lt: int | None, page_token: str = "", page_size: int = 100) -> OrderPage:
        """One page of the orders changed in [ge, lt) seconds, oldest change first. TikTok Shop API: Get Order List."""
        query = {
            "page_size": page_size,
            "page_token": page_token,
            "sort_field": "update_time",
            "sort_order": "ASC",
        }
        window = {key: value for key, value in (("update_time_ge", ge), ("update_time_lt", lt)) if value is not None}
        data = mapping(self._call(endpoints.ORDER_SEARCH, query=query, body=window).data)
        good, bad = records.read_each(data.get("orders"), read_order)
        return OrderPage(good, bad, plain(data.get("next_page_token")), count(data.get("total_count")))

    def orders(self, order_ids: Iterable[str]) -> list[Order]:
        """These orders as they are now, 50 a call. TikTok Shop API: Get Order Detail.

        One that cannot be read is logged and left out; the next `order_page` reports it.
        """
        found: list[Order] = []
        for chunk in _chunks(order_ids, ORDERS_A_CALL):
            found += _good(self._call(endpoints.ORDERS, query={"ids": chunk}), "orders", read_order)
        return found

    def webhooks(self) -> list[WebhookAddress]:
        """Where this shop's events go now. TikTok Shop API: Get Shop Webhooks."""
        return _good(self._call(endpoints.WEBHOOKS), "webhooks", records.read_webhook_address)

    def register_webhook(self, event_type: str, address: str) -> None:
        """Send one kind of event to an https address, replacing the one before. TikTok Shop API: Update Webhook."""
        self._call(endpoints.WEBHOOK_SET, body={"event_type": event_type, "address": address})

    def remove_webhook(self, event_type: str) -> None:
        """Send this kind of event nowhere; fine also when it went nowhere. TikTok Shop API: Delete Webhook."""
        self._call(endpoints.WEBHOOK_DELETE, body={"event_type": event_type})

    def _product_window(self, window: Mapping[str, int], page_size: int) -> Iterator[ProductPage]:
        token = ""
        seen: set[str] = set()
        while True:
            query = {"page_size": page_size, "page_token": token}
            try:
                answer = self._call(endpoints.PRODUCT_SEARCH, query=query, body=window)
            except Refused as refusal:
                halves = _halves(window) if refusal.code == TOO_MANY_PRODUCTS and not token else ()
                if not halves:
                    raise
                for half in halves:
                    yield from self._product_window(half, page_size)
                return
            page = _product_page(mapping(answer.data))
            yield page
            seen.add(token)
            token = page.next_page_token
            if not token:
                return
            if token in seen:
                raise BadAnswer(
                    "TikTok sent the same page of products twice.",
                    "Start the read again; if it happens again, report the request id to TikTok.",
                    request_id=answer.request_id,
                )

    def _set(
        self, endpoint: Endpoint, product_id: str, body: object, sku_ids: Iterable[str], urgent: bool
    ) -> SetResult:
        wanted = frozenset(sku_ids)
        try:
            answer = self._call(endpoint, ids={"product_id": product_id}, body=body, urgent=urgent)
        except writes.WHOLE_REFUSALS as refusal:
            return writes.all_refused(wanted, refusal)
        return writes.read_result(wanted, answer.data, answer.request_id)

    def _call(
        self,
        endpoint: Endpoint,
        *,
        ids: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
        body: object = None,
        urgent: bool = False,
    ) -> Answer:
        if endpoint.cipher and self.shop is None:
            raise ValueError("this call needs a shop")
        return self.transport.call(
            endpoint.method,
            endpoint.at(**(ids or {})),
            query=query,
            body=body,
            cipher=self.shop.cipher if self.shop and endpoint.cipher else None,
            write=endpoint.write,
            urgent=urgent,
            shop=self.shop.id if self.shop else "",
        )


def _good(answer: Answer, key: str, reader: Callable[[object], T | Unreadable]) -> list[T]:
    good, bad = records.read_each(mapping(answer.data).get(key), reader)
    for record in bad:
        log.warning("left out a %s that cannot be read: %s (request %s)", record.kind, record.reason, answer.request_id)
    return list(good)


def _unusable(record: Unreadable, answer: Answer) -> BadAnswer:
    return BadAnswer(
        f"TikTok sent a {record.kind} that cannot be read: {record.reason}.",
        "Look at it in TikTok's Seller Center; if it is fine there, report the request id to TikTok.",
        request_id=answer.request_id,
        detail=record.excerpt,
    )


def _stock_of(product: Mapping[str, object]) -> dict[str, SkuStock]:
    product_id = plain(product.get("product_id"))
    good, bad = records.read_each(product.get("skus"), lambda raw: records.read_stock(raw, product_id))
    for record in bad:
        log.warning("left out the stock of SKU %s of product %s: %s", record.id, product_id, record.reason)
    return {stock.sku_id: stock for stock in good}


def _product_page(data: Mapping[str, object]) -> ProductPage:
    good, bad = records.read_each(data.get("products"), records.read_product)
    return ProductPage(good, bad, plain(data.get("next_page_token")), count(data.get("total_count")))


def _halves(window: Mapping[str, int]) -> tuple[dict[str, int], ...]:
    first = window.get("update_time_ge", SHOPS_OPENED)
    last = window.get("update_time_le", clock.now())
    if last <= first:
        return ()
    middle = (first + last) // 2
    return (
        {"update_time_ge": first, "update_time_le": middle},
        {"update_time_ge": middle + 1, "update_time_le": last},
    )


def _chunks(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    each = list(dict.fromkeys(ids))
    for start in range(0, len(each), size):
        yield each[start : start + size]

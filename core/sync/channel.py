"""What the engine asks of a channel, spoken by the client of TikTok and, by an adapter, by every store of one's own."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from core.tiktok.models import Order, OrderPage, ProductPage, SkuStock
from core.tiktok.writes import SetResult


class Channel(Protocol):
    """A place where goods are sold. Every method may raise TikTokError, the tree of what a caller must tell apart."""

    @property
    def clock_skew(self) -> float:
        """Seconds that the channel's clock is ahead of this computer's."""

    def product_pages(self, update_time_ge: int | None = None) -> Iterator[ProductPage]:
        """Every product, page by page; with `update_time_ge` (seconds) at least those changed since."""

    def stock(self, sku_ids: Iterable[str]) -> dict[str, SkuStock]:
        """What is shown now; a SKU that is unknown there is absent, for an unknown is not zero."""

    def set_stock(
        self, product_id: str, quantities: Mapping[str, Mapping[str, int]], urgent: bool = False
    ) -> SetResult:
        """Set what can be ordered, `{sku_id: {warehouse_id: units}}`; raises OutcomeUnknown after a lost answer."""

    def order_page(self, ge: int | None, lt: int | None, page_token: str = "", page_size: int = 100) -> OrderPage:
        """One page of the orders changed in [ge, lt) seconds, oldest change first."""

    def orders(self, order_ids: Iterable[str]) -> list[Order]:
        """These orders as they are now, as far as the channel can be asked for single ones."""

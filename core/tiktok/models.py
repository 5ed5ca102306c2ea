"""What TikTok Shop tells us about shops, warehouses, products and stock, as small frozen records.

Amounts are whole ten-thousandths (`*_units`), times are Unix seconds (`*_time`), ids are strings.
"""

from dataclasses import dataclass
from decimal import Decimal

from core import money
from core.tiktok.orders import Order, OrderLine
from core.tiktok.reading import Unreadable

__all__ = [
    "Order",
    "OrderLine",
    "OrderPage",
    "Product",
    "ProductPage",
    "ShopInfo",
    "Sku",
    "SkuStock",
    "Unreadable",
    "Warehouse",
    "WarehouseStock",
    "WebhookAddress",
]


@dataclass(frozen=True, slots=True)
class ShopInfo:
    """A shop of this sign-in. The cipher names it in every call and changes with each new sign-in."""

    id: str
    name: str
    region: str
    seller_type: str
    cipher: str
    code: str


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A place where the shop keeps or takes back goods; `kind` is SALES_WAREHOUSE or RETURN_WAREHOUSE."""

    id: str
    name: str
    kind: str
    effect_status: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Sku:
    """One sellable variant of a product; `stock` is what can still be ordered, by warehouse id."""

    id: str
    product_id: str
    seller_sku: str
    price_units: int | None
    currency: str
    variant: str
    status: str
    stock: dict[str, int]
    backorder: int
    barcode: str
    components: tuple[tuple[str, int], ...]
    """(sku_id, count) when this SKU is a virtual bundle, whose stock TikTok works out itself."""

    @property
    def price(self) -> Decimal | None:
        """The display price as an exact amount, or None when TikTok sent none."""
        return None if self.price_units is None else money.from_units(self.price_units)


@dataclass(frozen=True, slots=True)
class Product:
    """One listing with its SKUs. Search leaves out description and picture; Get Product has them."""

    id: str
    title: str
    status: str
    create_time: int
    update_time: int
    skus: tuple[Sku, ...]
    audit_status: str = ""
    description: str = ""
    image_url: str = ""


@dataclass(frozen=True, slots=True)
class WarehouseStock:
    """Units of one SKU in one warehouse: still to be ordered, and held by open orders."""

    warehouse_id: str
    available: int
    committed: int


@dataclass(frozen=True, slots=True)
class SkuStock:
    """Units of one SKU over all warehouses. Campaign and creator units are part of `available`."""

    sku_id: str
    product_id: str
    seller_sku: str
    available: int
    committed: int
    warehouses: tuple[WarehouseStock, ...]
    campaign_locked: int
    creator_locked: int


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """Where TikTok sends one kind of event."""

    event_type: str
    address: str
    create_time: int | None
    update_time: int | None


@dataclass(frozen=True, slots=True)
class ProductPage:
    """One page of products; an empty `next_page_token` marks the last one."""

    products: tuple[Product, ...]
    unreadable: tuple[Unreadable, ...]
    next_page_token: str
    total_count: int | None


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of orders, oldest change first; an empty `next_page_token` marks the last one."""

    orders: tuple[Order, ...]
    unreadable: tuple[Unreadable, ...]
    next_page_token: str
    total_count: int | None

"""Orders, their lines, and the sums kept of them."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from core.store.tables.columns import BY_KEY, ms

_BUNDLED = text("components <> ''")


class Order(SQLModel, table=True):
    """One TikTok order in the newest version seen; no name, address or phone of the buyer is kept."""

    __tablename__ = "orders"
    __table_args__: ClassVar[Any] = (
        Index("orders_created", "shop_id", "create_time"),
        Index("orders_status", "shop_id", "status", "create_time"),
        Index("orders_seen", "first_seen_at"),
    )

    id: str = Field(primary_key=True)
    shop_id: str
    status: str
    update_time: int = Field(sa_type=BigInteger)
    progress: int = 0
    digest: str = ""
    create_time: int = Field(sa_type=BigInteger)
    paid_time: int | None = Field(default=None, sa_type=BigInteger)
    rts_time: int | None = Field(default=None, sa_type=BigInteger)
    cancel_time: int | None = Field(default=None, sa_type=BigInteger)
    day: str
    hour: int
    currency: str
    total_units: int = Field(default=0, sa_type=BigInteger)
    shipping_fee_units: int = Field(default=0, sa_type=BigInteger)
    seller_discount_units: int = Field(default=0, sa_type=BigInteger)
    platform_discount_units: int = Field(default=0, sa_type=BigInteger)
    units: int = 0
    buyer_key: str = ""
    fulfillment_type: str = ""
    warehouse_id: str = ""
    is_sample: bool = False
    is_replacement: bool = False
    cancel_reason: str = ""
    source: str = ""
    first_seen_at: int = ms()
    changed_at: int = ms()


class OrderLine(SQLModel, table=True):
    """One unit of an order; `shipped` stays true once any version showed the unit as shipped."""

    __tablename__ = "order_line"
    __table_args__: ClassVar[Any] = (
        Index("line_order", "order_id"),
        Index("line_listing", "sku_id", "status"),
        Index("line_bundled", "shop_id", "id", sqlite_where=_BUNDLED, postgresql_where=_BUNDLED),
    )

    id: str = Field(primary_key=True)
    order_id: str
    shop_id: str
    sku_id: str
    product_id: str = ""
    seller_sku: str = ""
    title: str = ""
    variant: str = ""
    status: str = ""
    shipped: bool = False
    shipped_time: int | None = Field(default=None, sa_type=BigInteger)
    original_price_units: int = Field(default=0, sa_type=BigInteger)
    sale_price_units: int = Field(default=0, sa_type=BigInteger)
    seller_discount_units: int = Field(default=0, sa_type=BigInteger)
    platform_discount_units: int = Field(default=0, sa_type=BigInteger)
    is_gift: bool = False
    components: str = ""


class SalesDay(SQLModel, table=True):
    """Kept sums of one SKU on one shop-local day; equal to a full recount of the order lines, always."""

    __tablename__ = "sales_day"
    __table_args__: ClassVar[Any] = BY_KEY

    shop_id: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    sku_id: str = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    units: int = 0
    sales_units: int = Field(default=0, sa_type=BigInteger)


class SalesHour(SQLModel, table=True):
    """Kept sums of all orders placed in one shop-local hour."""

    __tablename__ = "sales_hour"
    __table_args__: ClassVar[Any] = BY_KEY

    shop_id: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    hour: int = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    orders: int = 0
    units: int = 0
    sales_units: int = Field(default=0, sa_type=BigInteger)
    cancelled: int = 0
    unpaid: int = 0

"""Goods: items, listings and their links, what TikTok told of their stock, and the ledger."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel

from core.store.tables.columns import BY_KEY, ms

_UNSETTLED = text("settled_at IS NULL")
_UNEVEN = text("available <> target")  # nearly all are even, so those that are not are found at once
_NOT_TIKTOK = text("origin <> 'tiktok'")
_HALTED = text("halted_at IS NOT NULL")


class Item(SQLModel, table=True):
    """One sellable unit of the owner's own store.

    `split_at` is how many free units are its last ones, to be split between the channels in shares of `split_total`.
    While `halted_at` is set its books did not add up, and nothing of it is sent.
    """

    __table_args__: ClassVar[Any] = (Index("item_halted", "halted_at", sqlite_where=_HALTED, postgresql_where=_HALTED),)

    id: int | None = Field(default=None, primary_key=True)
    sku: str = Field(unique=True)
    title: str
    variant: str = ""
    price_units: int | None = Field(default=None, sa_type=BigInteger)
    cost_units: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = ""
    barcode: str = ""
    group_name: str = Field(default="", index=True)
    split_at: int = 0
    split_total: int = 0
    halted_at: int | None = ms(default=None)
    halted_why: str = ""
    counted_at: int | None = ms(default=None)
    archived: bool = False
    created_at: int = ms()


class Listing(SQLModel, table=True):
    """One SKU on TikTok as last seen.

    `target` is what it should show, carried along with every change of its items; where there is none, `stand` says
    why: `unlinked`, `unread` (never counted) or `halted`.
    `base_*` is the last settled reading, from which drift is measured. `settled_at` is when its number was first even
    with ours; before that, only a change that the owner reviewed is sent. `backorder` are units that TikTok may sell
    before they exist, as last read: it turns them into available ones by itself.
    """

    __table_args__: ClassVar[Any] = (
        Index("listing_product", "shop_id", "product_id"),
        Index("listing_seller_sku", "seller_sku"),
        Index("listing_uneven", "shop_id", "sku_id", sqlite_where=_UNEVEN, postgresql_where=_UNEVEN),
        Index("listing_unsettled", "shop_id", "product_id", sqlite_where=_UNSETTLED, postgresql_where=_UNSETTLED),
    )

    shop_id: str = Field(primary_key=True, foreign_key="shop.id")
    sku_id: str = Field(primary_key=True)
    product_id: str
    seller_sku: str = ""
    title: str = ""
    variant: str = ""
    price_units: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = ""
    status: str = ""
    picture_url: str = ""
    update_time: int | None = Field(default=None, sa_type=BigInteger)
    seen_at: int = ms()
    gone: bool = False
    available: int | None = None
    committed: int | None = None
    observed_at: int | None = ms(default=None)
    target: int | None = None
    stand: str = "unlinked"
    open_units: int = 0
    shipped_units: int = 0
    base_available: int | None = None
    base_open: int | None = None
    base_shipped: int | None = None
    base_at: int | None = ms(default=None)
    settled_at: int | None = ms(default=None)
    refused_code: int | None = None
    refused_sentence: str | None = Field(default=None, sa_type=Text)
    refused_at: int | None = ms(default=None)
    backorder: int = 0


class Stock(SQLModel, table=True):
    """What TikTok last told of one SKU in one of its warehouses."""

    __table_args__: ClassVar[Any] = BY_KEY

    shop_id: str = Field(primary_key=True)
    sku_id: str = Field(primary_key=True)
    warehouse_id: str = Field(primary_key=True)
    available: int
    committed: int


class Link(SQLModel, table=True):
    """A listing sells an item; several rows with quantities make a bundle.

    It carries the owner's rule in force for it: units kept back, percent of the rest, most units shown, and how few
    free units show as none. Of the item's last units it may offer those from `split_from` to `split_to` of its
    `split_total` shares.
    """

    __table_args__: ClassVar[Any] = (Index("link_item", "item_id"), BY_KEY)

    shop_id: str = Field(primary_key=True)
    sku_id: str = Field(primary_key=True)
    item_id: int = Field(primary_key=True, foreign_key="item.id")
    quantity: int = 1
    origin: str = ""
    created_at: int = ms()
    buffer: int = 0
    share: int = 100
    cap: int | None = None
    zero_below: int = 0
    split_from: int = 0
    split_to: int = 0


class Rule(SQLModel, table=True):
    """What the owner decided for all listings, or for those of a shop, a group of items or an item; None says nothing.

    `scope` is `all`, `shop`, `group` or `item`; `key` the shop id, the group's name or the item's id.
    """

    scope: str = Field(primary_key=True)
    key: str = Field(primary_key=True, default="")
    buffer: int | None = None
    share: int | None = None
    cap: int | None = None
    zero_below: int | None = None
    split: bool | None = None
    changed_at: int = ms()


class Movement(SQLModel, table=True):
    """One row of the stock ledger; never updated, never deleted (triggers refuse it)."""

    __table_args__: ClassVar[Any] = (
        Index("movement_item", "item_id", "id"),
        Index("movement_reference", "reference", "item_id", "on_hand", "reserved"),
        # Counts, own sales and decisions are few among the movements of orders; this index holds only them.
        Index("movement_own", "reason", "id", sqlite_where=_NOT_TIKTOK, postgresql_where=_NOT_TIKTOK),
    )

    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="item.id")
    location_id: int = Field(foreign_key="location.id")
    on_hand: int = 0
    reserved: int = 0
    reason: str
    origin: str
    reference: str = ""
    actor: str = ""
    at: int = ms()
    note: str = ""


class Oversell(SQLModel, table=True):
    """A movement after which more units of an item were sold than there were; `units` is by how many it went below.

    `split_at` is how many last units of the item were split between the channels then, 0 when none were.
    """

    __table_args__: ClassVar[Any] = (Index("oversell_item", "item_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="item.id")
    movement_id: int = Field(foreign_key="movement.id")
    units: int
    found_at: int = ms()
    over_at: int | None = ms(default=None)
    split_at: int = 0


class Level(SQLModel, table=True):
    """The sum of an item's movements at a location; proven equal to them every day."""

    __table_args__: ClassVar[Any] = BY_KEY

    item_id: int = Field(primary_key=True, foreign_key="item.id")
    location_id: int = Field(primary_key=True, foreign_key="location.id")
    on_hand: int = 0
    reserved: int = 0

"""Every table of the store.

Columns named `*_at` hold our milliseconds, `*_time` TikTok's seconds, `*_units` ten-thousandths of money.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

_NOT_TIKTOK = text("origin <> 'tiktok'")


# Small rows that are only found by their key lie in its order (SQLite), so that a range of them is read in one go.
_BY_KEY = {"sqlite_with_rowid": False}


def _ms(**more: Any) -> Any:
    return Field(sa_type=BigInteger, **more)


class Revision(SQLModel, table=True):
    """One row, raised by every transaction that changed something; pages redraw when it moves."""

    id: int = Field(primary_key=True)
    value: int = 0


class Setting(SQLModel, table=True):
    """One choice of the owner, as JSON."""

    key: str = Field(primary_key=True)
    value: str = Field(sa_type=Text)


class Secret(SQLModel, table=True):
    """One sealed value: app secrets, tokens, shop ciphers."""

    name: str = Field(primary_key=True)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    updated_at: int = _ms()


class Shop(SQLModel, table=True):
    """One connected TikTok shop; mode `watch` reads only, `live` also writes stock."""

    id: str = Field(primary_key=True)
    auth: str
    name: str
    region: str
    currency: str
    timezone: str
    practice: bool = False
    mode: str = "watch"
    connected_at: int = _ms()
    problem: str | None = Field(default=None, sa_type=Text)
    problem_next: str | None = Field(default=None, sa_type=Text)
    problem_outcome: str | None = None
    problem_at: int | None = _ms(default=None)


class Location(SQLModel, table=True):
    """A place of the owner's own where stock lies."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)


class Warehouse(SQLModel, table=True):
    """A warehouse of a TikTok shop, mapped to one of the owner's locations."""

    shop_id: str = Field(primary_key=True, foreign_key="shop.id")
    id: str = Field(primary_key=True)
    name: str
    kind: str
    enabled: bool = True
    is_default: bool = False
    location_id: int | None = Field(default=None, foreign_key="location.id")


class Item(SQLModel, table=True):
    """One sellable unit of the owner's own store."""

    id: int | None = Field(default=None, primary_key=True)
    sku: str = Field(unique=True)
    title: str
    variant: str = ""
    price_units: int | None = Field(default=None, sa_type=BigInteger)
    cost_units: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = ""
    barcode: str = ""
    buffer: int | None = None
    counted_at: int | None = _ms(default=None)
    archived: bool = False
    created_at: int = _ms()


class Listing(SQLModel, table=True):
    """One SKU on TikTok as last seen.

    `base_*` is the last settled reading, from which drift is measured. `settled_at` is when its number was first even
    with ours; before that, only a change that the owner reviewed is sent.
    """

    __table_args__: ClassVar[Any] = (
        Index("listing_product", "shop_id", "product_id"),
        Index("listing_seller_sku", "seller_sku"),
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
    seen_at: int = _ms()
    gone: bool = False
    available: int | None = None
    committed: int | None = None
    observed_at: int | None = _ms(default=None)
    open_units: int = 0
    shipped_units: int = 0
    base_available: int | None = None
    base_open: int | None = None
    base_shipped: int | None = None
    base_at: int | None = _ms(default=None)
    settled_at: int | None = _ms(default=None)
    refused_code: int | None = None
    refused_sentence: str | None = Field(default=None, sa_type=Text)


class Stock(SQLModel, table=True):
    """What TikTok last told of one SKU in one of its warehouses."""

    __table_args__: ClassVar[Any] = _BY_KEY

    shop_id: str = Field(primary_key=True)
    sku_id: str = Field(primary_key=True)
    warehouse_id: str = Field(primary_key=True)
    available: int
    committed: int


class Link(SQLModel, table=True):
    """A listing sells an item; several rows with quantities make a bundle."""

    __table_args__: ClassVar[Any] = (Index("link_item", "item_id"), _BY_KEY)

    shop_id: str = Field(primary_key=True)
    sku_id: str = Field(primary_key=True)
    item_id: int = Field(primary_key=True, foreign_key="item.id")
    quantity: int = 1
    origin: str = ""
    created_at: int = _ms()


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
    at: int = _ms()
    note: str = ""


class Level(SQLModel, table=True):
    """The sum of an item's movements at a location; proven equal to them every day."""

    __table_args__: ClassVar[Any] = _BY_KEY

    item_id: int = Field(primary_key=True, foreign_key="item.id")
    location_id: int = Field(primary_key=True, foreign_key="location.id")
    on_hand: int = 0
    reserved: int = 0


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
    is_sample: bool = False
    is_replacement: bool = False
    cancel_reason: str = ""
    source: str = ""
    first_seen_at: int = _ms()
    changed_at: int = _ms()


class OrderLine(SQLModel, table=True):
    """One unit of an order; `shipped` stays true once any version showed the unit as shipped."""

    __tablename__ = "order_line"
    __table_args__: ClassVar[Any] = (Index("line_order", "order_id"), Index("line_listing", "sku_id", "status"))

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
    __table_args__: ClassVar[Any] = _BY_KEY

    shop_id: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    sku_id: str = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    units: int = 0
    sales_units: int = Field(default=0, sa_type=BigInteger)


class SalesHour(SQLModel, table=True):
    """Kept sums of all orders placed in one shop-local hour."""

    __tablename__ = "sales_hour"
    __table_args__: ClassVar[Any] = _BY_KEY

    shop_id: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    hour: int = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    orders: int = 0
    units: int = 0
    sales_units: int = Field(default=0, sa_type=BigInteger)
    cancelled: int = 0
    unpaid: int = 0


class Cursor(SQLModel, table=True):
    """How far a source has been read to the end."""

    source: str = Field(primary_key=True)
    value: int = Field(sa_type=BigInteger)
    moved_at: int = _ms()


class ScanWindow(SQLModel, table=True):
    """Where a running scan of a source resumes; rows exist only until the scan is complete."""

    __tablename__ = "scan_window"

    source: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    ge: int = Field(sa_type=BigInteger)
    lt: int = Field(sa_type=BigInteger)
    page_token: str = Field(default="", sa_type=Text)
    seen: int = 0
    total: int = -1
    tries: int = 0
    newest: int = Field(default=0, sa_type=BigInteger)
    done: bool = False


class Outbox(SQLModel, table=True):
    """A listing whose quantity on TikTok must be looked at again; holds no target, only a generation."""

    __table_args__: ClassVar[Any] = (Index("outbox_due", "state", "due_at"),)

    shop_id: str = Field(primary_key=True)
    sku_id: str = Field(primary_key=True)
    generation: int = 1
    state: str = "dirty"
    dirty_at: int = _ms()
    due_at: int = _ms(default=0)
    attempts: int = 0
    claimed_by: str = ""
    claimed_until: int = _ms(default=0)
    reason: str = ""
    note: str = Field(default="", sa_type=Text)


class Push(SQLModel, table=True):
    """One write of a quantity to TikTok: the intent before the call, the answer and the reading after it."""

    __table_args__: ClassVar[Any] = (
        Index("push_listing", "shop_id", "sku_id", "id"),
        Index("push_outcome", "outcome", "intent_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    shop_id: str
    sku_id: str
    product_id: str
    generation: int
    target: int
    wanted: str = Field(sa_type=Text)
    read_available: int
    read_committed: int
    read_open: int
    read_shipped: int
    dirty_at: int = _ms()
    intent_at: int = _ms()
    answered_at: int | None = _ms(default=None)
    confirmed_at: int | None = _ms(default=None)
    outcome: str = "sent"
    code: int | None = None
    request_id: str = ""
    sentence: str = Field(default="", sa_type=Text)
    run_id: int | None = None


class Drift(SQLModel, table=True):
    """What TikTok shows beyond what our records explain."""

    __table_args__: ClassVar[Any] = (Index("drift_listing", "shop_id", "sku_id", "state"),)

    id: int | None = Field(default=None, primary_key=True)
    shop_id: str
    sku_id: str
    found_at: int = _ms()
    expected: int
    observed: int
    amount: int
    state: str = "open"
    decision: str = ""
    decided_at: int | None = _ms(default=None)


class Plan(SQLModel, table=True):
    """A reviewable list of changes: previewed, approved, run."""

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    shop_id: str
    state: str = "proposed"
    actor: str = ""
    created_at: int = _ms()
    approved_at: int | None = _ms(default=None)
    warning: str = Field(default="", sa_type=Text)
    run_id: int | None = None


class PlanRow(SQLModel, table=True):
    """One change of a plan: the value as read and when, the new value, the rule that caused it, the result."""

    __tablename__ = "plan_row"

    plan_id: int = Field(primary_key=True, foreign_key="plan.id")
    entity: str = Field(primary_key=True)
    field: str = Field(primary_key=True)
    old: str = ""
    read_at: int | None = _ms(default=None)
    new: str = ""
    rule: str = Field(default="", sa_type=Text)
    state: str = "proposed"
    result: str = Field(default="", sa_type=Text)


class Run(SQLModel, table=True):
    """One execution of a job or plan, with counts and timings."""

    __table_args__: ClassVar[Any] = (Index("run_started", "started_at"), Index("run_kind", "kind", "started_at"))

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    shop_id: str = ""
    trigger: str = "timer"
    status: str = "running"
    started_at: int = _ms()
    ended_at: int | None = _ms(default=None)
    done: int = 0
    total: int = 0
    counts: str = Field(default="{}", sa_type=Text)
    outcome: str | None = None
    sentence: str = Field(default="", sa_type=Text)
    next_step: str = Field(default="", sa_type=Text)
    code: int | None = None
    request_id: str = ""


class RunRow(SQLModel, table=True):
    """What a run did to one entity."""

    __tablename__ = "run_row"
    __table_args__: ClassVar[Any] = (Index("run_row_run", "run_id"),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id")
    entity: str
    field: str = ""
    old: str = ""
    new: str = ""
    result: str = ""
    sentence: str = Field(default="", sa_type=Text)


class Hook(SQLModel, table=True):
    """A webhook as it arrived, stored before it is answered and worked on later."""

    __table_args__: ClassVar[Any] = (Index("hook_state", "state", "received_at"),)

    id: str = Field(primary_key=True)
    type: int
    shop_id: str = ""
    body: str = Field(sa_type=Text)
    received_at: int = _ms()
    state: str = "new"
    note: str = ""


class Quarantine(SQLModel, table=True):
    """A record that could not be read, kept with the reason so that nothing disappears silently."""

    id: int | None = Field(default=None, primary_key=True)
    source: str
    reference: str = Field(default="", index=True)
    reason: str = Field(sa_type=Text)
    excerpt: str = Field(default="", sa_type=Text)
    at: int = _ms()

"""From TikTok's JSON to our records; what lacks the indispensable becomes an `Unreadable` beside the good ones."""

from collections.abc import Callable
from typing import TypeVar

from core.tiktok.models import Product, ShopInfo, Sku, SkuStock, Warehouse, WarehouseStock, WebhookAddress
from core.tiktok.reading import (
    Unfit,
    Unreadable,
    amount,
    count,
    flag,
    items,
    mapping,
    needed,
    plain,
    texts,
    unreadable,
    when,
)

T = TypeVar("T")


def read_each(raw: object, reader: Callable[[object], T | Unreadable]) -> tuple[tuple[T, ...], tuple[Unreadable, ...]]:
    """Read a list of records: the good ones, and the ones that could not be read."""
    good: list[T] = []
    bad: list[Unreadable] = []
    for found in map(reader, items(raw)):
        if isinstance(found, Unreadable):
            bad.append(found)
        else:
            good.append(found)
    return tuple(good), tuple(bad)


def read_shop(raw: object) -> ShopInfo | Unreadable:
    """One entry of `data.shops[]`. TikTok Shop API: Get Authorized Shops."""
    get = mapping(raw).get
    try:
        shop_id, cipher = needed(get("id"), "the shop id"), needed(get("cipher"), "the shop cipher")
    except Unfit as problem:
        return unreadable("shop", raw, problem)
    return ShopInfo(
        id=shop_id,
        name=plain(get("name")),
        region=plain(get("region")),
        seller_type=plain(get("seller_type")),
        cipher=cipher,
        code=plain(get("code")),
    )


def read_warehouse(raw: object) -> Warehouse | Unreadable:
    """One entry of `data.warehouses[]`, without its address. TikTok Shop API: Get Warehouse List."""
    get = mapping(raw).get
    try:
        warehouse_id = needed(get("id"), "the warehouse id")
    except Unfit as problem:
        return unreadable("warehouse", raw, problem)
    return Warehouse(
        id=warehouse_id,
        name=plain(get("name")),
        kind=plain(get("type")),
        effect_status=plain(get("effect_status")),
        is_default=flag(get("is_default")),
    )


def read_webhook_address(raw: object) -> WebhookAddress | Unreadable:
    """One entry of `data.webhooks[]`. TikTok Shop API: Get Shop Webhooks."""
    get = mapping(raw).get
    try:
        event_type = needed(get("event_type"), "the event type")
    except Unfit as problem:
        return unreadable("webhook", raw, problem)
    return WebhookAddress(event_type, plain(get("address")), when(get("create_time")), when(get("update_time")))


def read_product(raw: object) -> Product | Unreadable:
    """One product of search or of Get Product, which have the same shape. TikTok Shop API: Search Products."""
    get = mapping(raw).get
    try:
        product_id = needed(get("id"), "the product id")
        skus = tuple([_sku(sku, product_id) for sku in items(get("skus"))])
    except Unfit as problem:
        return unreadable("product", raw, problem)
    created, updated = when(get("create_time")), when(get("update_time"))
    return Product(
        id=product_id,
        title=plain(get("title")),
        status=plain(get("status")),
        create_time=created or updated or 0,
        update_time=updated or created or 0,
        skus=skus,
        audit_status=plain(mapping(get("audit")).get("status")),
        description=plain(get("description")),
        image_url=_image(get("main_images")),
    )


def _image(raw: object) -> str:
    for image in map(mapping, items(raw)):
        for url in (*texts(items(image.get("thumb_urls"))), *texts(items(image.get("urls")))):
            return url
    return ""


def _sku(raw: object, product_id: str) -> Sku:
    get = mapping(raw).get
    price = mapping(get("price"))
    sale = amount(price.get("sale_price"))
    return Sku(
        id=needed(get("id"), "the id of a SKU"),
        product_id=product_id,
        seller_sku=plain(get("seller_sku")),
        # Reading knows two names for the display price; writing uses a third ("amount").
        price_units=sale if sale is not None else amount(price.get("tax_exclusive_price")),
        currency=plain(price.get("currency")),
        variant=", ".join(texts(mapping(part).get("value_name") for part in items(get("sales_attributes")))),
        status=plain(mapping(get("status_info")).get("status")),
        stock=_stock_by_warehouse(get("inventory")),
        backorder=sum(count(mapping(row).get("backorder_quantity")) or 0 for row in items(get("inventory"))),
        barcode=plain(mapping(get("identifier_code")).get("code")),
        components=_combined(get("combined_skus")),
    )


def _stock_by_warehouse(raw: object) -> dict[str, int]:
    stock: dict[str, int] = {}
    for row in map(mapping, items(raw)):
        quantity = count(row.get("quantity"))
        if quantity is not None:
            stock[plain(row.get("warehouse_id"))] = quantity
    return stock


def _combined(raw: object) -> tuple[tuple[str, int], ...]:
    rows = [(plain(row.get("sku_id")), count(row.get("sku_count")) or 1) for row in map(mapping, items(raw))]
    return tuple(sorted(row for row in rows if row[0]))


def read_stock(raw: object, product_id: str) -> SkuStock | Unreadable:
    """One SKU of `data.inventory[].skus[]`. TikTok Shop API: Inventory Search."""
    get = mapping(raw).get
    warehouses = tuple([_warehouse_stock(row) for row in map(mapping, items(get("warehouse_inventory")))])
    available, committed = count(get("total_available_quantity")), count(get("total_committed_quantity"))
    try:
        sku_id = needed(get("id"), "the sku id")
        if available is None and not warehouses:
            raise Unfit("the available quantity is missing")  # an unknown is not zero
    except Unfit as problem:
        return unreadable("stock", raw, problem)
    parts = mapping(get("total_available_inventory_distribution")).get
    return SkuStock(
        sku_id=sku_id,
        product_id=product_id,
        seller_sku=plain(get("seller_sku")),
        available=available if available is not None else sum(row.available for row in warehouses),
        committed=committed if committed is not None else sum(row.committed for row in warehouses),
        warehouses=warehouses,
        campaign_locked=_total(parts("campaign_inventory")),
        creator_locked=_total(parts("creator_inventory")),
    )


def _warehouse_stock(row: dict[str, object]) -> WarehouseStock:
    return WarehouseStock(
        plain(row.get("warehouse_id")),
        count(row.get("available_quantity")) or 0,
        count(row.get("committed_quantity")) or 0,
    )


def _total(raw: object) -> int:
    return sum(count(mapping(row).get("quantity")) or 0 for row in items(raw))

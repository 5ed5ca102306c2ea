"""Every endpoint we call, with its version, whether it takes a shop cipher, and whether repeating it is harmless."""

from dataclasses import dataclass

TOKENS_NEW = "/api/v2/token/get"
TOKENS_AGAIN = "/api/v2/token/refresh"
AUTHORISE = "/open/authorize"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the table: `write` marks calls that must not be sent twice without reading first."""

    method: str
    path: str
    cipher: bool = True
    write: bool = False

    def at(self, **ids: str) -> str:
        """The path with its ids filled in; ids are digits only, so they need no encoding."""
        for value in ids.values():
            if not value.isascii() or not value.isalnum():
                raise ValueError("an id in a path must be made of digits")
        return self.path.format(**ids)


# TikTok versions each endpoint by itself, so the version lives here and nowhere else.
SHOPS = Endpoint("GET", "/authorization/202309/shops", cipher=False)
WAREHOUSES = Endpoint("GET", "/logistics/202309/warehouses")
PRODUCT_SEARCH = Endpoint("POST", "/product/202502/products/search")
PRODUCT = Endpoint("GET", "/product/202309/products/{product_id}")
STOCK_SEARCH = Endpoint("POST", "/product/202309/inventory/search")
STOCK_UPDATE = Endpoint("POST", "/product/202309/products/{product_id}/inventory/update", write=True)
PRICE_UPDATE = Endpoint("POST", "/product/202309/products/{product_id}/prices/update", write=True)
ORDER_SEARCH = Endpoint("POST", "/order/202309/orders/search")
ORDERS = Endpoint("GET", "/order/202507/orders")
WEBHOOKS = Endpoint("GET", "/event/202309/webhooks")
# Create-or-replace and delete-if-there: sending either twice ends in the same state.
WEBHOOK_SET = Endpoint("PUT", "/event/202309/webhooks")
WEBHOOK_DELETE = Endpoint("DELETE", "/event/202309/webhooks")

ALL = (
    SHOPS,
    WAREHOUSES,
    PRODUCT_SEARCH,
    PRODUCT,
    STOCK_SEARCH,
    STOCK_UPDATE,
    PRICE_UPDATE,
    ORDER_SEARCH,
    ORDERS,
    WEBHOOKS,
    WEBHOOK_SET,
    WEBHOOK_DELETE,
)


def family(path: str) -> str:
    """The path with its ids taken out: what TikTok counts as one API when it limits the rate."""
    area, version, *rest = path.lstrip("/").split("/")
    return "/".join(["", area, version, *("{id}" if part.isdigit() else part for part in rest)])

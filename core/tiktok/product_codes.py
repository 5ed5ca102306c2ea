"""What TikTok answers about products, stock and prices, in our words."""

from typing import NamedTuple

from core.tiktok.errors import Locked, NeedsPerson, RateLimited, Refused, ShopInactive, TikTokError, WrongShop

_SELLER_CENTER = "Change it in TikTok's Seller Center."
_WAREHOUSES = "Read the warehouses again under Connection and check how they are mapped."
_RELINK = "Read the catalogue again; if the listing is gone, remove its link."
_WAIT = "Evenstock tries again later."


class Row(NamedTuple):
    """Several codes that mean the same to the owner."""

    codes: tuple[int, ...]
    kind: type[TikTokError]
    sentence: str
    next_step: str


# TikTok Shop API: error lists of Update Inventory, Update Price, Inventory Search, Search Products and Get Product.
PRODUCT_CODES: tuple[Row, ...] = (
    Row(
        (12019008, 12052031, 12019150, 12052032, 12052260),
        Refused,
        "TikTok knows no such product.",
        _RELINK,
    ),
    Row((12052036, 12052557), Refused, "This SKU does not belong to the product.", _RELINK),
    Row((12052034, 12052048), WrongShop, "This product belongs to another shop.", _RELINK),
    Row(
        (12019022, 12052097, 12052530, 12052531, 12052532, 12052115, 12052096),
        Refused,
        "TikTok does not accept a warehouse of this SKU: it is unknown, switched off or not for sales.",
        _WAREHOUSES,
    ),
    Row(
        (12019028, 12052516, 12052533, 12052534, 12052555),
        Refused,
        "TikTok wants exactly the warehouses of this SKU, all of them and no others.",
        _WAREHOUSES,
    ),
    Row((12052094, 12052095), Refused, "This shop may not use several warehouses.", _WAREHOUSES),
    Row(
        (12019024, 12052055),
        Refused,
        "TikTok does not accept this stock number.",
        "Check the count of the item; TikTok takes 0 to 99,999.",
    ),
    Row(
        (12052037,),
        Refused,
        "TikTok shares out the stock of this SKU itself, or its warehouses have changed.",
        _WAREHOUSES,
    ),
    Row(
        (12052141, 12052144, 12052382, 12052921),
        Refused,
        "The stock of this SKU is kept elsewhere (TikTok's warehouse, or another shop) and cannot be set here.",
        "Switch stock sync off for this listing.",
    ),
    Row(
        (12052708, 12052850),
        Refused,
        "This is a bundle; TikTok works out its stock from its parts.",
        "Keep the parts in step and switch stock sync off for the bundle.",
    ),
    Row((12052503,), Refused, "The SKUs of this product share one stock and need the same number.", _SELLER_CENTER),
    Row(
        (12052393,),
        Locked,
        "A promotion is running: until it ends the stock may not go below what TikTok shows.",
        _WAIT,
    ),
    Row((12052038, 12019045), Locked, "A promotion is running: until it ends the price cannot be changed.", _WAIT),
    Row(
        (12052308, 12052371, 12052901, 12052332),
        Locked,
        "TikTok does not allow changes to this product at the moment (review, appeal, auction or move).",
        _WAIT,
    ),
    Row(
        (12052073, 12052092, 12052570, 12052571, 12052424),
        Refused,
        "TikTok does not accept this price.",
        "Check the price; it may be missing or outside TikTok's limits.",
    ),
    Row((12052084,), Refused, "This shop does not sell in that currency.", "Check the currency of the price."),
    Row((12052109,), RateLimited, "TikTok asked for fewer requests.", _WAIT),
    Row(
        (12019112, 12052700, 12052704, 12052995),
        ShopInactive,
        "TikTok says that this seller is not active or not fully set up.",
        "Look into TikTok's Seller Center for the reason.",
    ),
    Row((12019114, 12052705), NeedsPerson, "This seller may not do that on TikTok.", _SELLER_CENTER),
    Row(
        (12019113,),
        Refused,
        "The product is in a state in which TikTok does not allow this.",
        "Look at the product in TikTok's Seller Center.",
    ),
    Row((12052163, 12052158, 12052922), Refused, "TikTok does not allow this to be changed.", _SELLER_CENTER),
    Row(
        (12052180,),
        Refused,
        "The search matches more than 10,000 products.",
        "Read a shorter span of time.",
    ),
    Row((12019108, 12019109, 12019118, 12019119), Refused, "TikTok does not accept this search.", "Start it again."),
    Row((12019015, 12019120, 12019027, 12019087), Refused, "Too many ids in one request.", "Ask for fewer at a time."),
)

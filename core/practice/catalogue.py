"""The demo catalogue of the owner's own store: the practice shop's goods with believable small differences."""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

from core.practice.bodies import money
from core.practice.identity import CURRENCY
from core.practice.shop import PracticeShop
from core.practice.stock import Truth

HEADER = ("sku", "title", "variant", "price", "currency", "cost", "barcode", "on_hand")
NOT_LISTED = (
    ("CARD-GIFT-25", "Gift card, paper", "", "25.00", 40),
    ("WRAP-KRAFT", "Kraft wrapping paper", "3 m roll", "4.50", 62),
    ("STOOL-OAK-S", "Oak milking stool", "Small", "89.00", 4),
    ("LAMP-PIER-BRS", "Pier table lamp", "Brass", "119.00", 3),
    ("SOAP-SALT-100", "Sea salt soap", "100 g", "6.50", 118),
)
MISSING_PLACES = (21, 76, 141)  # listings that the owner's own store does not know
SOLD_OUT_PLACE = 33
DIFFERING_PERCENT = 7
PRICE_PERCENT = 2


def demo_catalogue(shop: PracticeShop) -> list[dict[str, str]]:
    """One row a SKU with the columns of `HEADER`; the same for the same shop at the same moment.

    On hand is what TikTok shows as available plus committed, except for about six percent of the SKUs.
    """
    rows = []
    rng = Random(f"catalogue {shop.seed}")
    sold_out_pending = True
    for place, truth in enumerate(shop.truths()):
        differs, price_differs = rng.random() * 100 < DIFFERING_PERCENT, rng.random() * 100 < PRICE_PERCENT
        change = rng.choice((-4, -3, -2, -1, 1, 2, 3, 5, 8, 12))
        if place in MISSING_PLACES:
            continue
        on_hand = truth.available + truth.committed
        if sold_out_pending and place >= SOLD_OUT_PLACE and truth.available > 4 and not truth.committed:
            on_hand, sold_out_pending = 0, False
        elif differs:
            on_hand = max(truth.committed, on_hand + change)
        rows.append(_row(truth, on_hand, 100 if price_differs else 0))
    return rows + [
        _as_row(
            sku, title, variant, price, money(int(price.replace(".", "")) * 45 // 100), f"509900000000{place}", on_hand
        )
        for place, (sku, title, variant, price, on_hand) in enumerate(NOT_LISTED)
    ]


def write_demo_csv(shop: PracticeShop, path: str | Path) -> Path:
    """Writes the demo catalogue as our plain CSV (UTF-8, comma, one header line) and returns its path."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADER, lineterminator="\n")
        writer.writeheader()
        writer.writerows(demo_catalogue(shop))
    return target


def _row(truth: Truth, on_hand: int, dearer: int) -> dict[str, str]:
    price = truth.price + dearer
    return _as_row(
        truth.own_sku, truth.title, truth.variant, money(price), money(truth.price * 45 // 100), truth.barcode, on_hand
    )


def _as_row(sku: str, title: str, variant: str, price: str, cost: str, barcode: str, on_hand: int) -> dict[str, str]:
    return dict(zip(HEADER, (sku, title, variant, price, CURRENCY, cost, barcode, str(on_hand)), strict=True))

"""The demo shop's goods: homeware and clothing with variants, made up from word lists and a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

DAY = 86_400
BRANDS = ("Harbour & Pine", "Saltmarsh", "Fell Lane")
INKS = ("#8a9a8b", "#a58f7c", "#7f93a5", "#b08d8d", "#9a8fae", "#8fa9a0", "#b3a17a", "#7d8b99")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of article: its words, price range in pence, category and the way it varies."""

    noun: str
    short: str
    low: int
    high: int
    category: str
    sizes: tuple[str, ...] = ()


CLOTHES = ("S", "M", "L", "XL")
SHEETS = ("Single", "Double", "King")
KINDS = (
    Kind("linen shirt", "SHIRT", 2_900, 4_900, "Clothing", CLOTHES),
    Kind("candle in stoneware", "CANDLE", 1_200, 2_400, "Home Fragrance"),
    Kind("wool throw", "THROW", 3_900, 8_900, "Bedding"),
    Kind("mug", "MUG", 900, 1_600, "Kitchenware"),
    Kind("crew-neck jumper", "JUMPER", 3_900, 6_900, "Clothing", CLOTHES),
    Kind("cushion cover", "CUSH", 1_400, 2_900, "Home Textiles"),
    Kind("duvet set", "DUVET", 5_900, 11_900, "Bedding", SHEETS),
    Kind("oak serving board", "BOARD", 2_400, 4_500, "Kitchenware"),
    Kind("cotton tee", "TEE", 1_600, 2_400, "Clothing", CLOTHES),
    Kind("storage basket", "BASKET", 1_800, 3_600, "Storage", ("Small", "Large")),
    Kind("tea towel, pair", "TOWEL", 1_000, 1_600, "Kitchenware"),
    Kind("ribbed beanie", "BEANIE", 1_400, 2_200, "Accessories"),
    Kind("stoneware bowl", "BOWL", 1_100, 2_600, "Kitchenware"),
    Kind("apron", "APRON", 2_200, 3_400, "Kitchenware"),
    Kind("waffle bath towel", "BATH", 1_800, 3_800, "Home Textiles", ("Hand", "Bath")),
    Kind("canvas tote", "TOTE", 1_200, 2_100, "Accessories"),
    Kind("corduroy overshirt", "CORD", 4_900, 7_900, "Clothing", CLOTHES),
    Kind("glass carafe", "CARAFE", 1_900, 3_200, "Kitchenware"),
    Kind("merino socks", "SOCKS", 900, 1_500, "Accessories", ("4-7", "8-11")),
    Kind("wall hook, brass", "HOOK", 700, 1_400, "Storage"),
    Kind("linen napkins, set of four", "NAPKIN", 2_000, 3_400, "Home Textiles"),
    Kind("plant pot", "POT", 1_200, 3_000, "Garden", ("12 cm", "18 cm")),
    Kind("wooden spoon set", "SPOON", 1_300, 2_300, "Kitchenware"),
    Kind("jersey pyjamas", "PYJ", 3_400, 5_200, "Clothing", CLOTHES),
)
LINES = (
    "Quayside", "Saltmarsh", "Fell Lane", "Old Pier", "Lantern", "Rockpool", "Heather", "Driftwood", "Northshore",
    "Orchard",
    "Pebble", "Harvest", "Tideline", "Moorland", "Skylark", "Fern Hollow",
)  # fmt: skip
COLOURS = (
    ("Oat", "OAT"), ("Slate", "SLT"), ("Sage", "SAG"), ("Clay", "CLY"), ("Navy", "NVY"), ("Ecru", "ECR"), ("Rust",
    "RST"),
    ("Moss", "MOS"), ("Sky", "SKY"), ("Charcoal", "CHR"),
)  # fmt: skip

# Titles that a careless screen or spreadsheet would obey. They belong to a shop as people really write them.
HOSTILE_TITLES = {
    7: "Quayside mug <b>large</b><script>alert(1)</script>",
    19: "**Old Pier** wall hook [brass](javascript:alert(1)) `new`",
    33: '=HYPERLINK("http://example.invalid","Pebble tote")',
    52: "Tideline cushion cover \u202egnihtemos\u202c cotton",
}
ODD_STATUS = {
    14: "SELLER_DEACTIVATED",
    41: "SELLER_DEACTIVATED",
    58: "DRAFT",
    77: "PLATFORM_DEACTIVATED",
    93: "FREEZE",
    104: "DELETED",
}

ProductRow = tuple[str, str, str, str, str, str, int, int, str]
SkuRow = tuple[str, str, int, str, str, str, str, str, int, str, int]


@dataclass(frozen=True, slots=True)
class Article:
    """One generated product with its SKUs, as rows for the tables."""

    product: ProductRow
    skus: tuple[SkuRow, ...]


def product_id(number: int) -> str:
    """The id of the n-th product, from 1."""
    return str(1_729_600_000_000_000_000 + number * 1_000)


def make_articles(seed: int, count: int, now: int) -> Iterator[Article]:
    """`count` products with two to three SKUs each on average, the same for the same seed and hour."""
    rng = Random(f"goods {seed}")
    first_day = now - 700 * DAY
    for number in range(1, count + 1):
        kind = KINDS[(number - 1) % len(KINDS)]
        round_of = (number - 1) // len(KINDS)
        line = LINES[(number * 5 + round_of * 3) % len(LINES)]
        series = "" if number <= len(KINDS) * len(LINES) else f" no. {number}"
        title = HOSTILE_TITLES.get(number, f"{line} {kind.noun}{series}")
        created = first_day + int(600 * DAY * number / count) + rng.randrange(DAY)
        updated = min(now - DAY, created + rng.randrange(1, 90 * DAY))
        status = ODD_STATUS.get(number, "ACTIVATE")
        row = (
            product_id(number), title, status, kind.category, BRANDS[number % len(BRANDS)],
            f"<p>{line} {kind.noun}: made in small batches, packed without plastic.</p>",
            created, updated, INKS[number % len(INKS)],
        )  # fmt: skip
        yield Article(row, tuple(_skus(rng, number, kind, line)))


def _skus(rng: Random, number: int, kind: Kind, line: str) -> Iterator[SkuRow]:
    price = rng.randrange(kind.low, kind.high, 100) - 1 + (51 if rng.random() < 0.3 else 0)
    stem = f"{kind.short}-{line[:3].upper()}{number}"
    for position, (colour, short, size) in enumerate(_variants(rng, kind)):
        parts = [stem, short] + ([size.upper().replace(" ", "").replace("SINGLE", "SGL")] if size else [])
        own_sku = "-".join(parts)
        variant = ", ".join(part for part in (colour, size) if part)
        sku_id = str(int(product_id(number)) + 100_000_000_000_000_000 + position + 1)
        barcode = f"50{number % 10**7:07d}{position:03d}"
        extra = 500 * position if kind.sizes == SHEETS else 0
        yield (
            sku_id,
            product_id(number),
            position,
            own_sku,
            own_sku,
            variant,
            colour,
            size,
            price + extra,
            _ean(barcode),
            0,
        )


def _variants(rng: Random, kind: Kind) -> list[tuple[str, str, str]]:
    if kind.sizes:
        colour, short = rng.choice(COLOURS)
        return [(colour, short, size) for size in kind.sizes]
    return [(colour, short, "") for colour, short in rng.sample(COLOURS, rng.choice((1, 2, 2, 3)))]


def _ean(twelve: str) -> str:
    """The thirteen digits of a barcode: twelve and their check digit."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(twelve))
    return f"{twelve}{-total % 10}"


def spoil_some(skus: list[SkuRow]) -> list[SkuRow]:
    """Some seller SKUs get the flaws of real shops: a trailing blank, lower case, none at all, one used twice."""
    flawed = list(skus)
    spoils: dict[int, Callable[[str], str]] = {
        11: lambda sku: sku + " ", 47: lambda sku: sku + " ", 29: str.lower, 83: str.lower, 120: str.lower,
        64: lambda _: "", 151: lambda _: "", 98: lambda _: skus[97][3],
    }  # fmt: skip
    for place, spoil in spoils.items():
        if place < len(flawed):
            row = flawed[place]
            flawed[place] = (*row[:3], spoil(row[3]), *row[4:])
    return flawed


def first_stock(rng: Random, warehouses: tuple[str, str]) -> list[tuple[str, int]]:
    """Where one SKU lies at first: always in the main warehouse, for most SKUs in the second one too."""
    main = 0 if rng.random() < 0.03 else rng.randrange(2, 60)
    if rng.random() < 0.6:
        return [(warehouses[0], main), (warehouses[1], rng.randrange(0, 25))]
    return [(warehouses[0], main)]

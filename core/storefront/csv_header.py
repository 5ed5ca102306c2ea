"""The first row of a CSV file: how its columns are divided, and which of them hold what we read."""

import csv
import io
import unicodedata
from dataclasses import dataclass

FIELDS = ("sku", "title", "variant", "price", "currency", "cost", "barcode", "on_hand")
MOST_COLUMNS = 500

# Best name first; where a file has several of one line, the first counts and the others are named in a warning.
_NAMES: dict[str, tuple[str, ...]] = {
    "sku": ("sku", "variant sku", "item sku", "seller sku", "product sku", "sku code", "stock keeping unit",
            "item code", "item number", "article number", "product code", "artikelnummer", "artikelnr"),
    "title": ("title", "name", "product title", "product name", "item name", "product", "titel", "bezeichnung"),
    "variant": ("variant", "variant title", "variant name", "variation", "option", "option1 value", "variante"),
    "price": ("price", "variant price", "regular price", "selling price", "unit price", "preis"),
    "currency": ("currency", "currency code", "price currency", "waehrung", "währung"),
    "cost": ("cost", "cost per item", "cost price", "unit cost", "cost of goods", "purchase price",
             "einkaufspreis"),
    "barcode": ("barcode", "variant barcode", "ean", "gtin", "upc", "isbn", "gtin, upc, ean, or isbn"),
    "on_hand": ("on hand", "on hand (new)", "on hand (current)", "quantity", "qty", "inventory", "stock",
                "stock quantity", "inventory quantity", "inventory qty", "variant inventory qty",
                "variant inventory quantity", "quantity on hand", "stock level", "bestand", "menge"),
}  # fmt: skip


class BadHeader(Exception):
    """The first row cannot be used; its text is the sentence for the owner."""


@dataclass(frozen=True, slots=True)
class Header:
    """Where each field stands, how many columns there are, and the names of columns that are not read."""

    places: dict[str, int]
    names: tuple[str, ...]
    unread: tuple[str, ...]
    warnings: tuple[str, ...]


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


_RANKS = {_plain(name): (field, rank) for field, names in _NAMES.items() for rank, name in enumerate(names)}


def delimiter_of(head: str) -> tuple[str, int]:
    """The mark between columns, and how many lines to pass over because they only announce it ("sep=;")."""
    first, _, _ = head.partition("\n")
    announced = first.strip("\ufeff\r")
    if announced.lower().startswith("sep=") and len(announced) == 5 and announced[4] in ",;\t":
        return announced[4], 1
    return max(",;\t", key=lambda mark: _score(head, mark)), 0


def _score(head: str, mark: str) -> tuple[bool, int, int]:
    try:
        rows = csv.reader(io.StringIO(head.lstrip("\ufeff"), newline=""), delimiter=mark)
        cells = next((row for row in rows if row), [])
    except csv.Error:
        return False, 0, 0
    known = {_RANKS[name][0] for name in map(_plain, cells) if name in _RANKS}
    return "sku" in known, len(known), len(cells)


def read_header(cells: list[str]) -> Header:
    """Find our fields among the names of the first row, whatever case, blanks or underscores; raises BadHeader."""
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) > MOST_COLUMNS:
        raise BadHeader(f"There are {len(cells):,} columns; up to {MOST_COLUMNS} can be read. Leave out the others.")
    best: dict[str, tuple[int, int]] = {}
    warnings = []
    for place, name in enumerate(cells):
        field, rank = _RANKS.get(_plain(name), ("", 0))
        if not field:
            continue
        if field in best and best[field][0] == rank:
            raise BadHeader(f"Two columns are called “{name.strip()[:40]}”. Keep one and rename the other.")
        if field in best:
            used, passed = sorted([(rank, place), best[field]])
            names = f"“{cells[used[1]].strip()}” and “{cells[passed[1]].strip()}”"
            warnings.append(f"Both {names} may be {field}; the first of them is used.")
            best[field] = used
        else:
            best[field] = rank, place
    if "sku" not in best:
        raise BadHeader(f"No column is called sku. The first row must name the columns, such as: {','.join(FIELDS)}.")
    places = {field: best[field][1] for field in FIELDS if field in best}
    unread = tuple(name.strip() for place, name in enumerate(cells) if place not in places.values() and name.strip())
    return Header(places, tuple(cells), unread, tuple(warnings))

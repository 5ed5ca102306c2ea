"""The stock ledger as a CSV file: what is shown, or all of it, with the balance after each movement."""

import csv
import io
from typing import TextIO

from core.store.engine import Store
from core.store.queries import ledger
from core.store.queries.ledger import LedgerRow, Wanted
from core.sync.exports import at_text, cell, shop_zones

HEADER = (
    "number", "at", "sku", "title", "variant", "on_hand_change", "promised_change", "on_hand_after", "reason", "origin",
    "order_id", "reference", "actor", "note",
)  # fmt: skip


def write(store: Store, wanted: Wanted, stream: TextIO) -> int:
    """Write the matching movements, the oldest first; returns the rows below the header. Raises StoreProblem.

    Texts that a spreadsheet would run are made harmless; times are ISO with the offset of the shop's time zone.
    """
    writer = csv.writer(stream)
    writer.writerow(HEADER)
    rows = 0
    with store.read() as connection:
        zone = shop_zones(connection)[""]
        for row in ledger.every(connection, wanted):
            cells = _cells(row, at_text(row.at, zone))
            writer.writerow([cell(name, value) for name, value in zip(HEADER, cells, strict=True)])
            rows += 1
    return rows


def content(store: Store, wanted: Wanted) -> bytes:
    """The file's content in UTF-8, with the mark that helps spreadsheets to see the encoding."""
    stream = io.StringIO(newline="")
    write(store, wanted, stream)
    return stream.getvalue().encode("utf-8-sig")


def _cells(row: LedgerRow, at: str) -> tuple[str | int, ...]:
    return (
        row.id, at, row.sku, row.title, row.variant, row.on_hand, row.reserved, row.balance, row.reason, row.origin,
        row.order_id, row.reference, row.actor, row.note,
    )  # fmt: skip

"""A checked import file, kept in a temporary database of its own until it is written or thrown away.

The store is not locked while a large file is read, memory stays bounded, and rows that share a SKU are found however
far apart they stand.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from core import money
from core.store.errors import explain
from core.storefront.csv_files import Checked, FileRefused, Finding, Row, open_csv
from core.storefront.csv_numbers import quoted

KEPT_FINDINGS = 200
BATCH = 500
_TELL_EVERY = 50_000

_SCHEMA = """
CREATE TABLE row (number INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE, title TEXT, variant TEXT, price INTEGER,
                  currency TEXT, cost INTEGER, barcode TEXT, on_hand INTEGER, doubled INTEGER NOT NULL DEFAULT 0)
"""
_ADD = "INSERT OR IGNORE INTO row VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"
_TAKE = """
SELECT number, sku, title, variant, price, currency, cost, barcode, on_hand FROM row
WHERE doubled = 0 AND number > ? ORDER BY number LIMIT ?
"""


class Stage:
    """One file as checked: its counts and findings, and the rows that may be imported."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.encoding = ""
        self.delimiter = ""
        self.rows = 0
        self.rejected = 0
        self.findings: list[Finding] = []
        self.findings_total = 0
        self.refused: Finding | None = None

    def batches(self) -> Iterator[list[Row]]:
        """The rows without an error, in the order of the file, some hundred at a time."""
        last = 0
        while found := self._database.execute(_TAKE, (last, BATCH)).fetchall():
            last = found[-1][0]
            yield [_row(values) for values in found]

    def fill(self, source: Path | bytes, tell: Callable[[int], None]) -> None:
        """Read and check the whole file; a problem of the file as a whole ends up in `refused`."""
        try:
            with open_csv(source) as file:
                self.encoding, self.delimiter = file.encoding, file.delimiter
                for finding in file.findings:
                    self._note(finding)
                for checked in file.rows():
                    self._take(checked)
                    if self.rows % _TELL_EVERY == 0:
                        tell(self.rows)
        except FileRefused as error:
            self.refused = error.finding
            self.findings.insert(0, error.finding)
            self.findings_total += 1
        self.rejected += self._database.execute("SELECT count(*) FROM row WHERE doubled = 1").fetchone()[0]

    def _take(self, checked: Checked) -> None:
        self.rows += 1
        for finding in checked.findings:
            self._note(finding)
        if checked.row is None or not self._add(checked.row):
            self.rejected += 1

    def _add(self, row: Row) -> bool:
        price, cost = _units(row.price), _units(row.cost)
        values = (row.number, row.sku, row.title, row.variant, price, row.currency, cost, row.barcode, row.on_hand)
        if self._database.execute(_ADD, values).rowcount:
            return True
        first = self._database.execute("SELECT number FROM row WHERE sku = ?", (row.sku,)).fetchone()[0]
        self._database.execute("UPDATE row SET doubled = 1 WHERE number = ?", (first,))
        sentence = (
            f"The SKU {quoted(row.sku)} is in row {first} already. Neither row is taken; keep the one that is right."
        )
        self._note(Finding(row.number, "sku", sentence, "error"))
        return False

    def _note(self, finding: Finding) -> None:
        self.findings_total += 1
        if len(self.findings) < KEPT_FINDINGS:
            self.findings.append(finding)


def _units(value: Decimal | None) -> int | None:
    return None if value is None else money.to_units(value)


def _row(values: tuple[Any, ...]) -> Row:
    number, sku, title, variant, price, currency, cost, barcode, on_hand = values
    return Row(number, sku, title, variant, _amount(price), currency, _amount(cost), barcode, on_hand)


def _amount(units: int | None) -> Decimal | None:
    return None if units is None else money.from_units(units)


@contextmanager
def staged(source: Path | bytes, tell: Callable[[int], None] = lambda _rows: None) -> Iterator[Stage]:
    """Read a file by its path or content into a stage that is gone afterwards; raises StoreProblem on a full disk.

    `tell` hears now and then how many rows have been read.
    """
    try:
        with closing(sqlite3.connect("", isolation_level=None)) as database:  # "" is a file that SQLite itself removes
            for pragma in ("journal_mode=off", "synchronous=off", "cache_size=-16000"):
                database.execute(f"PRAGMA {pragma}")
            database.execute(_SCHEMA)
            stage = Stage(database)
            database.execute("BEGIN")
            stage.fill(source, tell)
            yield stage
    except sqlite3.Error as error:
        problem = explain(error)
        if problem is None:
            raise
        raise problem from error

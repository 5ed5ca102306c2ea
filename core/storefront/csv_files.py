"""Read the CSV file of an own store row by row, in bounded memory, and say of each row what is wrong with it."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, Literal

from core.storefront.csv_cells import unprotect
from core.storefront.csv_header import BadHeader, Header, delimiter_of, read_header
from core.storefront.csv_numbers import Unclear, amount, currency_code, quoted, shortened, units
from core.storefront.csv_text import Lines, NotText, encoding_of, head_of, open_bytes

MOST_ROWS = 2_000_000
_LONGEST = {"sku": 255, "title": 1_000, "variant": 1_000}
_LONGEST_OTHER = 100
_CELL = 131_072  # the longest cell that the csv module takes
_LOST = "\ufffd"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is noteworthy in one cell: an error keeps the row out, a warning does not, `file` refuses the whole file.

    `row` counts as a spreadsheet does, with the header as row 1; 0 is the file as a whole.
    """

    row: int
    field: str
    sentence: str
    level: Literal["file", "error", "warning"]

    def __str__(self) -> str:
        place = ", ".join(part for part in (f"Row {self.row}" if self.row else "", self.field) if part)
        return f"{place}: {self.sentence}" if place else self.sentence


@dataclass(frozen=True, slots=True)
class Row:
    """One item of the file; None stands for an empty cell or a missing column and changes nothing."""

    number: int
    sku: str
    title: str | None = None
    variant: str | None = None
    price: Decimal | None = None
    currency: str | None = None
    cost: Decimal | None = None
    barcode: str | None = None
    on_hand: int | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """One row of the file as read; `row` is None when an error keeps it out."""

    number: int
    row: Row | None
    findings: tuple[Finding, ...] = ()


class FileRefused(Exception):
    """The file cannot be used as a whole; nothing of it may be imported."""

    def __init__(self, sentence: str, row: int = 0, field: str = "") -> None:
        self.finding = Finding(row, field, sentence, "file")
        super().__init__(str(self.finding))


class CsvFile:
    """An open CSV file: how it is written, and its rows."""

    def __init__(self, stream: BinaryIO) -> None:
        self.encoding = encoding_of(stream)
        self.delimiter, announced = delimiter_of(head_of(stream, self.encoding))
        text = io.TextIOWrapper(stream, encoding=self.encoding, errors="replace", newline="")
        for _ in range(announced):
            text.readline()
        self._lines = Lines(text)
        self._reader = csv.reader(self._lines, delimiter=self.delimiter, strict=True)
        self._number = 0
        self.header = self._header()

    def _header(self) -> Header:
        for cells in self._records():
            if any(cell.strip() for cell in cells):
                try:
                    return read_header(cells)
                except BadHeader as error:
                    raise FileRefused(str(error), self._number, "header") from error
        raise FileRefused("The file is empty. Nothing was changed; an empty file never means no stock.")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is noteworthy about the file as a whole."""
        found = [Finding(1, "header", sentence, "warning") for sentence in self.header.warnings]
        if self.encoding == "cp1252":
            sentence = "The file is in an old Windows encoding, not UTF-8. Look at letters with accents first."
            found.append(Finding(0, "", sentence, "warning"))
        if "price" in self.header.places and "currency" not in self.header.places:
            sentence = "There is no currency column; prices keep the currency their item has, or get none."
            found.append(Finding(1, "currency", sentence, "warning"))
        if self.header.unread:
            names = ", ".join(f"“{name[:40]}”" for name in self.header.unread[:10])
            more = f" and {len(self.header.unread) - 10} more" if len(self.header.unread) > 10 else ""
            found.append(Finding(1, "header", f"These columns are not read: {names}{more}.", "warning"))
        return tuple(found)

    def rows(self) -> Iterator[Checked]:
        """Every row that is not blank, once; raises FileRefused when the rest of the file cannot be read."""
        some = False
        for cells in self._records():
            if not any(cells) or not any(cell.strip() for cell in cells):
                continue
            some = True
            yield _check(self._number, cells, self.header)
        if not some:
            raise FileRefused("The file has a header but no rows. Nothing was changed; no rows never means no stock.")

    def _records(self) -> Iterator[list[str]]:
        while True:
            self._number += 1
            try:
                cells = next(self._reader, None)
            except NotText as error:
                raise FileRefused(str(error), self._number) from error
            except csv.Error as error:
                raise FileRefused(_broken(str(error)), self._number) from error
            if cells is None:
                return
            if self._number > MOST_ROWS:
                raise FileRefused(f"The file has more than {MOST_ROWS:,} rows. Split it.", self._number)
            self._lines.row_done()
            yield cells


@contextmanager
def open_csv(source: Path | bytes) -> Iterator[CsvFile]:
    """Open a CSV file by its path or content; raises FileRefused.

    UTF-8, UTF-16 and cp1252 are told apart, and so are commas, semicolons and tabs.
    """
    try:
        stream = open_bytes(source)
    except NotText as error:
        raise FileRefused(str(error)) from error
    with stream:
        yield CsvFile(stream)


def _broken(reason: str) -> str:
    if "limit" in reason:
        return f"A cell is longer than {_CELL:,} characters. Most often a quotation mark before it is not closed."
    if "unexpected end" in reason:
        return "The file ends inside a quoted cell. It was cut off, or a quotation mark is not closed."
    return "A quotation mark stands in the wrong place, so the row has no clear cells. Double each one inside a cell."


def _check(number: int, cells: list[str], header: Header) -> Checked:
    width = len(header.names)
    if len(cells) != width:
        wrong = _width(number, cells, width)
        if wrong is not None:
            return Checked(number, None, (wrong,))
    findings: list[Finding] = []
    values: dict[str, object] = {}
    for field, place in header.places.items():
        cell = cells[place]
        if not cell:
            continue
        try:
            values[field] = _value(field, cell, number, values, findings)
        except Unclear as error:
            findings.append(Finding(number, field, str(error), "error"))
    if not str(values.get("sku", "")).strip() and not any(finding.field == "sku" for finding in findings):
        findings.insert(0, Finding(number, "sku", "The SKU is missing. Each row needs one.", "error"))
    refused = bool(findings) and any(finding.level == "error" for finding in findings)
    row = None if refused else Row(number, **values)  # type: ignore[arg-type]
    return Checked(number, row, tuple(findings))


def _width(number: int, cells: list[str], width: int) -> Finding | None:
    if len(cells) < width:
        sentence = f"The row has {len(cells)} cells, the header {width}. Perhaps the file was cut off here."
        return Finding(number, "", sentence, "error")
    if any(cell.strip() for cell in cells[width:]):
        sentence = f"The row has {len(cells)} cells, the header {width}. Put a text with a comma in quotation marks."
        return Finding(number, "", sentence, "error")
    return None


def _value(field: str, cell: str, number: int, values: dict[str, object], findings: list[Finding]) -> object:
    if len(cell) > _LONGEST.get(field, _LONGEST_OTHER):
        most = _LONGEST.get(field, _LONGEST_OTHER)
        raise Unclear(f"The text is {len(cell):,} characters long; up to {most:,} are possible.")
    if "\x00" in cell:
        raise Unclear("The cell holds a zero byte, which no text has. Save the file again from your spreadsheet.")
    if field in ("title", "variant"):
        return _text(field, unprotect(cell), number, findings)
    cell = unprotect(cell, code=True)
    if field == "sku":
        return _sku(cell, number, findings)
    cell = cell.strip()
    if not cell:
        return None
    if field == "on_hand":
        return units(cell)
    if field == "currency":
        return _one_currency(currency_code(cell), values)
    if field == "barcode":
        return _barcode(cell)
    value, currency = amount(cell)
    if currency:
        values["currency"] = _one_currency(currency, values)
    return value


def _text(field: str, text: str, number: int, findings: list[Finding]) -> str | None:
    if _LOST in text:
        sentence = f"{quoted(text)} has a letter that was lost when the file was saved. Save it again as CSV UTF-8."
        findings.append(Finding(number, field, sentence, "warning"))
    return text if text.strip() else None


def _sku(sku: str, number: int, findings: list[Finding]) -> str:
    if _LOST in sku:
        raise Unclear(f"{quoted(sku)} has a letter that was lost when the file was saved. Save it again as CSV UTF-8.")
    if sku != sku.strip() and sku.strip():
        sentence = f"{quoted(sku)} has a blank at an end. It is kept, and counts as part of the SKU."
        findings.append(Finding(number, "sku", sentence, "warning"))
    elif not sku.isprintable():
        sentence = f"{quoted(sku)} has an invisible character. It is kept, and counts as part of the SKU."
        findings.append(Finding(number, "sku", sentence, "warning"))
    if shortened(sku):
        sentence = f"{quoted(sku)} looks shortened by a spreadsheet. It is kept as it stands; compare it."
        findings.append(Finding(number, "sku", sentence, "warning"))
    return sku


def _one_currency(code: str, values: dict[str, object]) -> str:
    if values.get("currency", code) != code:
        raise Unclear(f"The row names two currencies, {values['currency']} and {code}. Keep one.")
    return code


def _barcode(text: str) -> str:
    if shortened(text):
        raise Unclear(f"{quoted(text)} was shortened by a spreadsheet, so its digits are lost. Write it in full.")
    return text

"""Cells that a spreadsheet would run as a formula: made harmless when written, restored exactly when read.

A leading apostrophe makes a cell plain text. Codes lose exactly one when they are read, because shop systems protect
them that way too; other texts lose it only where it protects something, so that 'Tis keeps its own.
"""

import re

_DANGEROUS = re.compile(
    r"[\t\r\n]|[\s\x00-\x20\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u2064\ufeff]*[=+\-@＝＋－＠﹢﹣﹦﹫−]"
)


def dangerous(text: str) -> bool:
    """Whether a spreadsheet might run this text: it begins like a formula, perhaps after blanks, tabs or line ends."""
    return _DANGEROUS.match(text) is not None


def protect(text: str, *, code: bool = False) -> str:
    """The cell to write for a text; `code` is for SKUs and barcodes. `unprotect` gives the same text back."""
    return f"'{text}" if dangerous(text) or unprotect(text, code=code) != text else text


def unprotect(cell: str, *, code: bool = False) -> str:
    """The text of a cell, without the one apostrophe that protects it."""
    rest = cell[1:]
    return rest if cell[:1] == "'" and (code or rest[:1] == "'" or dangerous(rest)) else cell
